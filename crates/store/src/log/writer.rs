//! The writer: the order in which an append becomes durable, committed, guarded, published and answered.
//!
//! 1. The batch is staged as one durable file.
//! 2. The head cell, which holds the signed checkpoint, moves by compare-and-swap: the commit.
//! 3. The guard notes the size.
//! 4. Tiles and bundles are written at their places.
//! 5. `checkpoint` is published.
//! 6. The caller is answered.
//!
//! A crash before 2 leaves the log as it was; after 2, opening the log does 3 to 5 again.
//!
//! In a local folder the writes of 4 and 5 do not wait for the disk, so that an append waits three times for
//! it: for the batch, the commit and the guard. That is safe because a staged batch is
//! removed only after everything written since was settled (flushed): after a crash, whatever became of the
//! tiles, the staged batches are whole, lead from durable tiles to the head, and overwrite what is damaged.
//! `checkpoint` needs no flush because the head cell holds the same bytes.

use super::batch::{Content, Growing};
use super::open::{MAX_CHAIN, OpenLog, Waiting};
use super::reader::LogReader;
use super::staging::Staged;
use super::{Appended, HEAD, LogError, MAX_BATCH, MAX_BATCH_BYTES};
use crate::cells::{Cells, CellsError, Swap};
use crate::files::Files;
use crate::guard::{Guard, Standing};
use crate::layout;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tlog::tile::MAX_ENTRY;
use tlog::{Checkpoint, EMPTY_ROOT, Hash, SignedCheckpoint, Signer};

/// Own logs of one node.
pub struct LogWriter {
    pub(super) cells: Arc<dyn Cells>,
    pub(super) files: Arc<dyn Files>,
    guard: Guard,
    logs: Mutex<BTreeMap<String, Arc<Slot>>>,
    max_chain: usize,
}

/// One log: open, or to be opened by who comes next. Whoever holds the lock appends.
type Slot = tokio::sync::Mutex<Option<OpenLog>>;

/// A batch that is signed and not yet committed.
struct Batch {
    staged: Staged,
    growing: Growing,
    files: Vec<(String, Content)>,
    head: (SignedCheckpoint, Vec<u8>),
}

impl LogWriter {
    /// A writer over cells, files and the guard of this server.
    pub fn new(cells: Arc<dyn Cells>, files: Arc<dyn Files>, guard: Guard) -> Self {
        Self { cells, files, guard, logs: Mutex::default(), max_chain: MAX_CHAIN }
    }

    /// Settles after so many batches instead of 64: fewer make starts after a crash shorter, and appends slower.
    #[must_use]
    pub fn settling_after(self, batches: usize) -> Self {
        Self { max_chain: batches.max(1), ..self }
    }

    /// The guard of this server.
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// The newest committed checkpoint of a log.
    pub async fn head(&self, origin: &str) -> Result<Option<SignedCheckpoint>, LogError> {
        Ok(self.load_head(origin).await?.map(|(head, _)| head))
    }

    /// Opens a log, putting in its place what was committed and not published; answers its head.
    pub async fn open(&self, origin: &str, prefix: &str) -> Result<Option<SignedCheckpoint>, LogError> {
        let slot = self.slot(origin);
        let mut log = slot.lock().await;
        let opened = self.open_log(origin, prefix).await?;
        let head = opened.head.as_ref().map(|(head, _)| head.clone());
        *log = Some(opened);
        Ok(head)
    }

    /// Opens every log that has a head; `prefix_of` says where a log lies. Called once at the start.
    pub async fn recover(
        &self,
        prefix_of: impl Fn(&str) -> Option<String>,
    ) -> Result<Vec<SignedCheckpoint>, LogError> {
        let mut heads = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let page = self.cells.scan(HEAD, "", after.as_deref(), 256).await?;
            let Some((last, _)) = page.last() else { return Ok(heads) };
            after = Some(last.clone());
            for (origin, _) in page {
                let unknown =
                    || LogError::Head { origin: origin.clone(), reason: "no place is known".to_owned() };
                let prefix = prefix_of(&origin).ok_or_else(unknown)?;
                heads.extend(self.open(&origin, &prefix).await?);
            }
        }
    }

    /// Appends entries to a log, whose key is named by its origin. When it returns they are durable,
    /// committed and published.
    pub async fn append(
        &self,
        origin: &str,
        prefix: &str,
        entries: Vec<Vec<u8>>,
        signer: &dyn Signer,
    ) -> Result<Appended, LogError> {
        self.append_with(origin, prefix, entries, |_| Vec::new(), signer).await
    }

    /// Appends entries and changes cells in the same commit: both happen or neither does. `also` is told where
    /// the entries will be and the checkpoint that will cover them.
    pub async fn append_with(
        &self,
        origin: &str,
        prefix: &str,
        entries: Vec<Vec<u8>>,
        also: impl FnOnce(&Appended) -> Vec<Swap> + Send,
        signer: &dyn Signer,
    ) -> Result<Appended, LogError> {
        check_batch(origin, &entries)?;
        let slot = self.slot(origin);
        let mut place = slot.lock().await;
        // Taken out: an append that breaks off in the middle leaves the log to be opened again.
        let mut log = match place.take() {
            Some(log) if log.prefix == prefix => log,
            _ => self.open_log(origin, prefix).await?,
        };
        self.check_guard(origin, &log).await?;
        let batch = prepare(origin, &log, entries, signer, self.files.defers())?;
        let appended = Appended { first: batch.staged.old.0, checkpoint: batch.head.0.clone() };
        self.commit(&mut log, &batch, also(&appended)).await?;
        match self.publish(&mut log, batch).await {
            Ok(()) => *place = Some(log),
            Err(source) => {
                let (origin, appended) = (origin.to_owned(), Box::new(appended));
                return Err(LogError::NotPublished { origin, appended, source: Box::new(source) });
            }
        }
        Ok(appended)
    }

    /// Publishes the newest checkpoint of a log with cosignatures. Answers false, and publishes nothing, if
    /// the log has grown since.
    pub async fn publish_cosigned(
        &self,
        origin: &str,
        prefix: &str,
        cosigned: &SignedCheckpoint,
    ) -> Result<bool, LogError> {
        let slot = self.slot(origin);
        let _writing = slot.lock().await;
        let head = self.load_head(origin).await?;
        if head.is_none_or(|(head, _)| head.checkpoint != cosigned.checkpoint) {
            return Ok(false);
        }
        self.put_checkpoint(&format!("{prefix}{}", layout::CHECKPOINT), cosigned).await?;
        Ok(true)
    }

    /// Makes durable, at their places, the files of all logs, and removes the staged batches: before a
    /// backup of the files and before the process ends. Not needed for safety.
    pub async fn settle(&self) -> Result<(), LogError> {
        let logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for slot in logs.into_values() {
            if let Some(log) = slot.lock().await.as_mut() {
                self.settle_log(log).await?;
            }
        }
        Ok(())
    }

    /// A reader of a log up to its head.
    pub async fn reader(&self, origin: &str, prefix: &str) -> Result<LogReader, LogError> {
        let size = self.head(origin).await?.map_or(0, |head| head.checkpoint.size);
        Ok(LogReader::new(Arc::clone(&self.files), prefix, size))
    }

    /// The head of a log, and its files that are missing or not those of that head ([`LogReader::damage`]).
    pub async fn damage(&self, origin: &str, prefix: &str) -> Result<(u64, Vec<String>), LogError> {
        let slot = self.slot(origin);
        let head = {
            // Between a commit and its publication the files are older than the head.
            let _nobody_writes = slot.lock().await;
            self.load_head(origin).await?
        };
        let Some((head, _)) = head else { return Ok((0, Vec::new())) };
        let Checkpoint { size, root, .. } = head.checkpoint;
        let reader = LogReader::new(Arc::clone(&self.files), prefix, size);
        Ok((size, reader.damage(root).await?))
    }

    fn slot(&self, origin: &str) -> Arc<Slot> {
        let mut logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(logs.entry(origin.to_owned()).or_default())
    }

    async fn check_guard(&self, origin: &str, log: &OpenLog) -> Result<(), LogError> {
        let head = log.head.as_ref().map(|(head, _)| head.checkpoint.size);
        match self.guard.standing(origin, head)? {
            Standing::InStep => Ok(()),
            // Before the first commit, so that a head without a guard always means a lost guard.
            Standing::Fresh => Ok(self.guard.register(origin).await?),
            Standing::Missing => Err(LogError::GuardMissing { origin: origin.to_owned() }),
            Standing::Ahead { signed } => {
                let origin = origin.to_owned();
                let newest = self.load_head(&origin).await?.map(|(head, _)| head.checkpoint.size);
                if newest != head {
                    return Err(LogError::LostHead { origin });
                }
                Err(LogError::GuardAhead { origin, signed, head: head.unwrap_or(0) })
            }
        }
    }

    /// Steps 1 and 2.
    async fn commit(&self, log: &mut OpenLog, batch: &Batch, also: Vec<Swap>) -> Result<(), LogError> {
        let origin = &batch.staged.origin;
        let bytes = batch.staged.to_bytes();
        log.waiting.add(batch.staged.path(), bytes.len());
        self.files.stage(&batch.staged.path(), bytes).await?;
        let old = log.head.as_ref().map(|(_, bytes)| bytes.clone());
        let mut swaps = vec![Swap::new(HEAD, origin, old.clone(), Some(batch.head.1.clone()))];
        swaps.extend(also);
        match self.cells.swap_all(&swaps).await {
            Ok(true) => Ok(()),
            Ok(false) if self.cells.get(HEAD, origin).await? == old => {
                Err(LogError::Conflict { origin: origin.clone() })
            }
            Ok(false) | Err(CellsError::NotLeading) => Err(LogError::LostHead { origin: origin.clone() }),
            Err(source) => {
                Err(LogError::CommitUnknown { origin: origin.clone(), size: batch.staged.new.0, source })
            }
        }
    }

    /// Steps 3 to 5, and now and then the settling of what is written and not flushed.
    async fn publish(&self, log: &mut OpenLog, batch: Batch) -> Result<(), LogError> {
        self.note_signed(&batch.head.0).await?;
        let checkpoint = log.at_place(layout::CHECKPOINT);
        log.waiting.paths.extend(batch.files.iter().map(|(path, _)| path.clone()));
        log.waiting.paths.insert(checkpoint.clone());
        if self.files.defers() {
            // In this order, and one way to the disk instead of two.
            let files = batch.files.into_iter().map(|(path, content)| (path, content.bytes));
            let published = (checkpoint, Bytes::from(batch.head.1.clone()));
            self.files.put_deferred(files.chain([published]).collect()).await?;
        } else {
            self.put_at_place(batch.files).await?;
            self.put_checkpoint(&checkpoint, &batch.head.0).await?;
        }
        log.head = Some(batch.head);
        log.growing = batch.growing;
        if log.waiting.is_due(self.max_chain) { self.settle_log(log).await } else { Ok(()) }
    }

    /// Writes tiles and bundles at their places. Where several servers write, one that was overtaken between
    /// its commit and now must not put a shorter growing file over a longer one.
    pub(super) async fn put_at_place(&self, files: Vec<(String, Content)>) -> Result<(), LogError> {
        if self.files.defers() {
            let files = files.into_iter().map(|(path, content)| (path, content.bytes)).collect();
            return Ok(self.files.put_deferred(files).await?);
        }
        let puts = files.into_iter().map(|(path, content)| async move {
            let length = if content.grows { content.bytes.len() } else { usize::MAX };
            self.files.put_unless(&path, content.bytes, &|present| present.len() >= length).await
        });
        futures::future::try_join_all(puts).await?;
        Ok(())
    }

    /// Publishes a checkpoint; where several servers write, not over a larger one.
    pub(super) async fn put_checkpoint(&self, path: &str, head: &SignedCheckpoint) -> Result<(), LogError> {
        let bytes = Bytes::from(head.to_bytes());
        if self.files.defers() {
            return Ok(self.files.put_deferred(vec![(path.to_owned(), bytes)]).await?);
        }
        let is_larger = |present: &[u8]| {
            SignedCheckpoint::parse(present)
                .is_ok_and(|present| present.checkpoint.size > head.checkpoint.size)
        };
        self.files.put_unless(path, bytes, &is_larger).await?;
        Ok(())
    }

    pub(super) async fn note_signed(&self, head: &SignedCheckpoint) -> Result<(), LogError> {
        Ok(self.guard.raise(&head.checkpoint.origin, head.checkpoint.size).await?)
    }

    async fn settle_log(&self, log: &mut OpenLog) -> Result<(), LogError> {
        let Some((newest, older)) = log.waiting.chain.split_last() else { return Ok(()) };
        let paths: Vec<String> = log.waiting.paths.iter().cloned().collect();
        self.files.settle(&paths).await?;
        // The newest first, durably: while it is there, a start needs the others.
        self.files.delete(newest).await?;
        self.files.discard(older).await?;
        log.waiting = Waiting::default();
        Ok(())
    }
}

fn check_batch(origin: &str, entries: &[Vec<u8>]) -> Result<(), LogError> {
    let origin = || origin.to_owned();
    let bytes = entries.iter().map(Vec::len).sum();
    if entries.is_empty() {
        return Err(LogError::Empty { origin: origin() });
    }
    if entries.len() > MAX_BATCH || bytes > MAX_BATCH_BYTES {
        return Err(LogError::BatchTooLarge { origin: origin(), entries: entries.len(), bytes });
    }
    match entries.iter().map(Vec::len).enumerate().find(|(_, size)| *size > MAX_ENTRY) {
        Some((entry, size)) => Err(LogError::EntryTooLarge { origin: origin(), entry, size }),
        None => Ok(()),
    }
}

/// Appends to a copy of the log's end and signs what comes out; writes nothing.
fn prepare(
    origin: &str,
    log: &OpenLog,
    entries: Vec<Vec<u8>>,
    signer: &dyn Signer,
    defers: bool,
) -> Result<Batch, LogError> {
    let old = tree_of(log);
    let entries: Vec<Bytes> = entries.into_iter().map(Bytes::from).collect();
    // Where files are durable at once, each staged batch stands alone: several servers may have written.
    let is_whole = !defers || log.waiting.chain.is_empty();
    let edge = is_whole.then(|| log.growing.base().partials());
    let before = if is_whole { log.growing.entries() } else { &[] };
    let staged_entries: Vec<Bytes> = before.iter().chain(&entries).cloned().collect();
    let mut growing = log.growing.clone();
    let changed = growing.append(entries)?;
    let new = (growing.size(), growing.root());
    let checkpoint = Checkpoint { origin: origin.to_owned(), size: new.0, root: new.1 };
    let head = SignedCheckpoint::sign(checkpoint, signer)?;
    let bytes = head.to_bytes();
    let staged = Staged { origin: origin.to_owned(), old, new, edge, entries: staged_entries };
    let files = changed.into_iter().map(|(path, content)| (log.at_place(&path), content)).collect();
    Ok(Batch { staged, growing, files, head: (head, bytes) })
}

/// Size and root of the head.
fn tree_of(log: &OpenLog) -> (u64, Hash) {
    log.head.as_ref().map_or((0, EMPTY_ROOT), |(head, _)| (head.checkpoint.size, head.checkpoint.root))
}
