//! Several servers on one database: requests wait in cells, and the holder of a lease sequences them.
//!
//! The lease only keeps servers out of each other's way. That a log does not fork rests on the head's
//! compare-and-swap alone: a holder whose clock is wrong or who slept through its lease loses the swap, and
//! is told to exit. Times are arguments, in POSIX seconds.

use crate::cells::{Cells, CellsError, Swap};
use crate::files::{Files, FilesError};
use crate::layout;
use crate::log::{Appended, LogError, LogWriter, MAX_BATCH_BYTES};
use std::sync::Arc;
use tlog::tile::MAX_ENTRY;
use tlog::{SignedCheckpoint, Signer, sha256};

const LEASE: &str = "lease";
const QUEUE: &str = "queue";
const SEQUENCED: &str = "sequenced";

/// The most requests that one step sequences.
pub const MAX_STEP: usize = 1024;
/// The longest id of a request, in bytes.
pub const MAX_ID: usize = 64;

/// Why requests could not be queued or sequenced.
#[derive(Debug, thiserror::Error)]
pub enum SequenceError {
    /// The holder of the lease lost the head of a log: another server sequences. This one must exit.
    #[error("log {origin}: another server moved its head while this one held the lease; exit")]
    Exit {
        /// The log.
        origin: String,
    },
    /// An id that cannot name a request.
    #[error("request {id:?}: an id is 1 to {MAX_ID} of a-z A-Z 0-9 -")]
    Id {
        /// The id.
        id: String,
    },
    /// An entry that is too long.
    #[error("request {id}: {size} bytes; at most {MAX_ENTRY}")]
    EntryTooLarge {
        /// The id.
        id: String,
        /// The entry's length in bytes.
        size: usize,
    },
    /// A cell of the queue or a lease that is none.
    #[error("cell {space}/{key} has another form")]
    Form {
        /// The space.
        space: &'static str,
        /// The key.
        key: String,
    },
    /// The log failed.
    #[error(transparent)]
    Log(LogError),
    /// The cells failed.
    #[error(transparent)]
    Cells(#[from] CellsError),
    /// The files failed.
    #[error(transparent)]
    Files(#[from] FilesError),
}

impl SequenceError {
    /// A stable name of the error, for translation.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Exit { .. } => "sequence-exit",
            Self::Id { .. } => "sequence-id",
            Self::EntryTooLarge { .. } => "sequence-entry-too-large",
            Self::Form { .. } => "sequence-form",
            Self::Log(error) => error.code(),
            Self::Cells(error) => error.code(),
            Self::Files(error) => error.code(),
        }
    }
}

/// Who holds a lease, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The server's name.
    pub name: String,
    /// POSIX seconds; from then on anybody may take it.
    pub until: u64,
}

/// A lease in a cell, as one server sees it.
#[derive(Clone)]
pub struct Lease {
    cells: Arc<dyn Cells>,
    name: String,
    server: String,
    seconds: u64,
}

impl Lease {
    /// The lease `name`, to be taken by `server` (without spaces) for so many seconds at a time.
    pub fn new(cells: Arc<dyn Cells>, name: &str, server: &str, seconds: u64) -> Self {
        Self { cells, name: name.to_owned(), server: server.to_owned(), seconds }
    }

    /// Takes or extends the lease if it is free, expired or ours; answers who holds it then.
    pub async fn acquire(&self, now: u64) -> Result<Holder, SequenceError> {
        loop {
            let old = self.cells.get(LEASE, &self.name).await?;
            let holder = old.as_deref().map(|bytes| self.parse(bytes)).transpose()?;
            if let Some(holder) = holder
                && holder.name != self.server
                && holder.until > now
            {
                return Ok(holder);
            }
            let ours = Holder { name: self.server.clone(), until: now.saturating_add(self.seconds) };
            let text = format!("{} {}", ours.name, ours.until).into_bytes();
            if self.cells.swap(LEASE, &self.name, old, Some(text)).await? {
                return Ok(ours);
            }
        }
    }

    /// Gives the lease up, if it is ours.
    pub async fn release(&self) -> Result<(), SequenceError> {
        let old = self.cells.get(LEASE, &self.name).await?;
        match &old {
            Some(bytes) if self.parse(bytes)?.name == self.server => {
                self.cells.swap(LEASE, &self.name, old, None).await?;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn parse(&self, bytes: &[u8]) -> Result<Holder, SequenceError> {
        let text = std::str::from_utf8(bytes).ok();
        let holder = text
            .and_then(|text| text.split_once(' '))
            .and_then(|(name, until)| Some(Holder { name: name.to_owned(), until: until.parse().ok()? }));
        holder.ok_or_else(|| SequenceError::Form { space: LEASE, key: self.name.clone() })
    }
}

/// Where a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// Not known: never submitted, or taken already.
    Unknown,
    /// Waiting to be sequenced.
    Waiting,
    /// In the log at this place, and not yet published.
    Committed(u64),
    /// In the log at this place, and published: it may be acknowledged.
    Published(u64),
}

/// The requests of all servers.
#[derive(Clone)]
pub struct Queue {
    cells: Arc<dyn Cells>,
    files: Arc<dyn Files>,
}

impl Queue {
    /// The queue in these cells, of logs in these files.
    pub fn new(cells: Arc<dyn Cells>, files: Arc<dyn Files>) -> Self {
        Self { cells, files }
    }

    /// Queues an entry under an id of the caller's, durably. Ids sort in the order wanted (ULIDs do). Doing
    /// it again under the same id, until it is taken, changes nothing.
    pub async fn submit(&self, origin: &str, id: &str, entry: Vec<u8>) -> Result<(), SequenceError> {
        if entry.len() > MAX_ENTRY {
            return Err(SequenceError::EntryTooLarge { id: id.to_owned(), size: entry.len() });
        }
        let key = key(origin, id)?;
        let queue = Swap::new(QUEUE, &key, None, Some(entry));
        // Not if it is in the log already and its answer was lost.
        let sequenced = Swap::new(SEQUENCED, &key, None, None);
        self.cells.swap_all(&[queue, sequenced]).await?;
        Ok(())
    }

    /// Where a request is. `prefix` is that of the log.
    pub async fn look(&self, origin: &str, prefix: &str, id: &str) -> Result<Request, SequenceError> {
        let key = key(origin, id)?;
        if let Some(bytes) = self.cells.get(SEQUENCED, &key).await? {
            let index = parse_index(&bytes).ok_or(SequenceError::Form { space: SEQUENCED, key })?;
            let is_published = self.published_size(prefix).await? > index;
            return Ok(if is_published { Request::Published(index) } else { Request::Committed(index) });
        }
        let waiting = self.cells.get(QUEUE, &key).await?;
        Ok(if waiting.is_some() { Request::Waiting } else { Request::Unknown })
    }

    /// Forgets a request that is in the log, after its submitter noted the place.
    pub async fn take(&self, origin: &str, id: &str) -> Result<(), SequenceError> {
        let key = key(origin, id)?;
        let old = self.cells.get(SEQUENCED, &key).await?;
        if old.is_some() {
            self.cells.swap(SEQUENCED, &key, old, None).await?;
        }
        Ok(())
    }

    async fn published_size(&self, prefix: &str) -> Result<u64, SequenceError> {
        let path = format!("{prefix}{}", layout::CHECKPOINT);
        let bytes = self.files.get(&path).await?;
        let published = bytes.and_then(|bytes| SignedCheckpoint::parse(&bytes).ok());
        Ok(published.map_or(0, |published| published.checkpoint.size))
    }

    /// Waiting requests of a log in order, no more than one batch holds: key and entry.
    async fn waiting(&self, origin: &str) -> Result<Vec<(String, Vec<u8>)>, SequenceError> {
        let mut waiting = self.cells.scan(QUEUE, &folder(origin), None, MAX_STEP).await?;
        let mut bytes = 0;
        let fit = waiting.iter().take_while(|(_, entry)| {
            bytes += entry.len();
            bytes <= MAX_BATCH_BYTES
        });
        let fit = fit.count();
        waiting.truncate(fit);
        Ok(waiting)
    }
}

/// What one step of a sequencer did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Another server holds the lease.
    Other(Holder),
    /// No request is waiting.
    Idle,
    /// Requests were appended and published.
    Sequenced {
        /// How many.
        count: usize,
        /// The checkpoint that covers them.
        appended: Appended,
    },
}

/// One server's part in sequencing.
#[derive(Clone)]
pub struct Sequencer {
    writer: Arc<LogWriter>,
    queue: Queue,
    lease: Lease,
}

impl Sequencer {
    /// Sequences the queue with this writer whenever this lease is ours.
    pub fn new(writer: Arc<LogWriter>, queue: Queue, lease: Lease) -> Self {
        Self { writer, queue, lease }
    }

    /// Takes or extends the lease and appends what is waiting for one log. Removing a request and noting
    /// its place is part of the commit, so that each is in the log exactly once.
    pub async fn step(
        &self,
        origin: &str,
        prefix: &str,
        signer: &dyn Signer,
        now: u64,
    ) -> Result<Step, SequenceError> {
        let holder = self.lease.acquire(now).await?;
        if holder.name != self.lease.server {
            return Ok(Step::Other(holder));
        }
        let waiting = self.queue.waiting(origin).await?;
        if waiting.is_empty() {
            return Ok(Step::Idle);
        }
        let count = waiting.len();
        let entries = waiting.iter().map(|(_, entry)| entry.clone()).collect();
        let moved = |first: u64| moves(waiting, first);
        match self.writer.append_with(origin, prefix, entries, moved, signer).await {
            Ok(appended) => Ok(Step::Sequenced { count, appended }),
            Err(LogError::LostHead { origin }) => Err(SequenceError::Exit { origin }),
            Err(error) => Err(SequenceError::Log(error)),
        }
    }
}

/// The cells that move with the head: out of the queue, and each request's place in the log.
fn moves(waiting: Vec<(String, Vec<u8>)>, first: u64) -> Vec<Swap> {
    let moves = waiting.into_iter().zip(first..).flat_map(|((key, entry), index)| {
        [
            Swap::new(SEQUENCED, &key, None, Some(index.to_string().into_bytes())),
            Swap::new(QUEUE, &key, Some(entry), None),
        ]
    });
    moves.collect()
}

fn folder(origin: &str) -> String {
    format!("{}/", sha256(origin.as_bytes()))
}

fn key(origin: &str, id: &str) -> Result<String, SequenceError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if (1..=MAX_ID).contains(&id.len()) && id.bytes().all(plain) {
        Ok(format!("{}{id}", folder(origin)))
    } else {
        Err(SequenceError::Id { id: id.chars().take(MAX_ID).collect() })
    }
}

fn parse_index(bytes: &[u8]) -> Option<u64> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}
