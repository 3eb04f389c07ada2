//! Group commit: entries of many callers that arrive while a batch is under way become the next batch.
//!
//! There is no timer: one caller alone waits for nothing, and under load batches grow by themselves.

use super::{Appended, LogError, LogWriter, MAX_BATCH, MAX_BATCH_BYTES};
use std::sync::{Arc, Mutex, PoisonError};
use tlog::{SignedCheckpoint, Signer};
use tokio::sync::oneshot;

/// Where an entry went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Its place in the log.
    pub index: u64,
    /// The published checkpoint that covers it.
    pub checkpoint: Arc<SignedCheckpoint>,
}

type Answer = Result<Placed, Arc<LogError>>;

struct Waiting {
    entry: Vec<u8>,
    answer: oneshot::Sender<Answer>,
}

struct Inner {
    writer: Arc<LogWriter>,
    origin: String,
    prefix: String,
    signer: Arc<dyn Signer>,
    waiting: Mutex<Vec<Waiting>>,
    turn: tokio::sync::Mutex<()>,
}

/// Appends of many callers to one log. Clones share the batches.
#[derive(Clone)]
pub struct GroupCommit {
    inner: Arc<Inner>,
}

impl GroupCommit {
    /// Appends to the log of an origin, below a prefix, with its key.
    pub fn new(writer: Arc<LogWriter>, origin: &str, prefix: &str, signer: Arc<dyn Signer>) -> Self {
        let (origin, prefix) = (origin.to_owned(), prefix.to_owned());
        let (waiting, turn) = (Mutex::default(), tokio::sync::Mutex::default());
        Self { inner: Arc::new(Inner { writer, origin, prefix, signer, waiting, turn }) }
    }

    /// Appends one entry, together with those of others. When it returns the entry is durable, committed and
    /// published. An error is that of the whole batch. A caller that goes away does not take the entry back.
    pub async fn append(&self, entry: Vec<u8>) -> Answer {
        if entry.len() > tlog::tile::MAX_ENTRY {
            let origin = self.inner.origin.clone();
            return Err(Arc::new(LogError::EntryTooLarge { origin, entry: 0, size: entry.len() }));
        }
        let (answer, placed) = oneshot::channel();
        self.inner.lock().push(Waiting { entry, answer });
        // In a task of its own, because a caller may go away while it carries the entries of others.
        let inner = Arc::clone(&self.inner);
        tokio::spawn(async move { inner.append_waiting().await });
        match placed.await {
            Ok(answer) => answer,
            Err(_) => Err(Arc::new(LogError::Abandoned { origin: self.inner.origin.clone() })),
        }
    }
}

impl Inner {
    /// Appends what is waiting when its turn comes; nothing, if an earlier turn took it along.
    async fn append_waiting(&self) {
        let _turn = self.turn.lock().await;
        let batch = self.take_batch();
        if batch.is_empty() {
            return;
        }
        let (entries, answers): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|waiting| (waiting.entry, waiting.answer)).unzip();
        let appended = self.writer.append(&self.origin, &self.prefix, entries, &*self.signer).await;
        let answer = |appended: Appended| (appended.first, Arc::new(appended.checkpoint));
        let appended = appended.map(answer).map_err(Arc::new);
        for (offset, caller) in (0..).zip(answers) {
            let placed =
                appended.clone().map(|(first, checkpoint)| Placed { index: first + offset, checkpoint });
            // Who went away does not hear it.
            let _ = caller.send(placed);
        }
    }

    /// The oldest waiting entries, as many as a batch may have.
    fn take_batch(&self) -> Vec<Waiting> {
        let mut waiting = self.lock();
        let mut bytes = 0;
        let fits = waiting.iter().take(MAX_BATCH).take_while(|waiting| {
            bytes += waiting.entry.len();
            bytes <= MAX_BATCH_BYTES
        });
        let count = fits.count();
        waiting.drain(..count).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
