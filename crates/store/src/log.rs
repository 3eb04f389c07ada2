//! Append-only logs over [`Cells`](crate::Cells) and [`Files`](crate::Files): one writer, and a reader for
//! own logs and for verified copies of others'.
//!
//! What an entry says is not looked at, nor who may read it. Nothing here decides when a log may sign; a
//! log whose guard says that it must not is refused.

use crate::cells::CellsError;
use crate::files::FilesError;
use crate::guard::GuardError;
use tlog::tree::TreeError;
use tlog::{CheckpointError, SignedCheckpoint, TileError};

mod batch;
mod damage;
mod open;
mod reader;
mod recover;
mod staging;
mod vouched;
mod writer;

pub use reader::LogReader;
pub use writer::LogWriter;

/// The space of the head cells; the key is a log's origin, the value its newest signed checkpoint.
pub const HEAD: &str = "head";
/// The most entries of one batch.
pub const MAX_BATCH: usize = 65_536;
/// The most bytes of one batch.
pub const MAX_BATCH_BYTES: usize = 64 << 20;

/// What an append answers: the entries are in the log, durable and published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The place of the first entry.
    pub first: u64,
    /// The checkpoint that covers them.
    pub checkpoint: SignedCheckpoint,
}

/// Why a log could not be read or appended to.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// No entries were given.
    #[error("log {origin}: a batch has at least one entry")]
    Empty {
        /// The log.
        origin: String,
    },
    /// Too many entries or bytes.
    #[error("log {origin}: {entries} entries of {bytes} bytes; at most {MAX_BATCH} of {MAX_BATCH_BYTES}")]
    BatchTooLarge {
        /// The log.
        origin: String,
        /// How many entries.
        entries: usize,
        /// How many bytes.
        bytes: usize,
    },
    /// An entry that is too long.
    #[error("log {origin}, entry {entry} of the batch: {size} bytes; at most {}", tlog::tile::MAX_ENTRY)]
    EntryTooLarge {
        /// The log.
        origin: String,
        /// Its number in the batch, from 0.
        entry: usize,
        /// Its length in bytes.
        size: usize,
    },
    /// Somebody else moved the head: nothing was appended here. A lease holder that meets this exits.
    #[error("log {origin}: its head was moved by another writer; nothing was appended")]
    LostHead {
        /// The log.
        origin: String,
    },
    /// A cell that was to change together with the head was not as expected: nothing was appended.
    #[error(
        "log {origin}: what was to change together with the log was changed before; nothing was appended"
    )]
    Conflict {
        /// The log.
        origin: String,
    },
    /// The commit failed in a way that does not tell whether it happened. `recover` finds out.
    #[error("log {origin}: it is not known whether size {size} was committed: {source}")]
    CommitUnknown {
        /// The log.
        origin: String,
        /// The size that was to be committed.
        size: u64,
        /// What failed.
        source: CellsError,
    },
    /// The entries are in the log; publishing them failed and is done by `recover` or the next append.
    #[error("log {origin}: size {} was committed and is not yet published: {source}", appended.checkpoint.checkpoint.size)]
    NotPublished {
        /// The log.
        origin: String,
        /// What was appended.
        appended: Box<Appended>,
        /// What failed.
        source: Box<LogError>,
    },
    /// This machine signed a larger size than the head: nothing may be signed.
    #[error(
        "log {origin}: size {signed} was signed here, but the head is {head}; its own entries must be fetched back"
    )]
    GuardAhead {
        /// The log.
        origin: String,
        /// The largest size signed.
        signed: u64,
        /// The size of the head.
        head: u64,
    },
    /// The guard does not know this log, which has a head: nothing may be signed.
    #[error(
        "log {origin}: the guard is missing; it may sign only after its witnesses answered, or once resumed"
    )]
    GuardMissing {
        /// The log.
        origin: String,
    },
    /// The head cell holds no checkpoint of this log.
    #[error("log {origin}: its head is not a checkpoint of it: {reason}")]
    Head {
        /// The log.
        origin: String,
        /// What is wrong.
        reason: String,
    },
    /// Tiles and head do not agree.
    #[error("log {origin}: the tiles of size {size} do not have the root of its head")]
    RootMismatch {
        /// The log.
        origin: String,
        /// The size of the head.
        size: u64,
    },
    /// A staged batch that cannot be read or does not continue the log.
    #[error("staged batch {path}: {reason}")]
    Staging {
        /// The file.
        path: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// An entry or range outside of the log.
    #[error("entries {start} to {end} are not all in a log of size {size}")]
    Outside {
        /// The first entry.
        start: u64,
        /// One after the last.
        end: u64,
        /// The log's size.
        size: u64,
    },
    /// A bundle or tile that should be there is not.
    #[error("{path} is missing")]
    MissingFile {
        /// The file.
        path: String,
    },
    /// A file that is there and is not what the log's root says.
    #[error("{path} is damaged")]
    Damaged {
        /// The file.
        path: String,
    },
    /// A checkpoint that could not be signed.
    #[error(transparent)]
    Sign(#[from] CheckpointError),
    /// The cells failed.
    #[error(transparent)]
    Cells(#[from] CellsError),
    /// The files failed.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// The guard failed.
    #[error(transparent)]
    Guard(#[from] GuardError),
    /// The tiles do not make a tree.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// A tile or bundle that is none.
    #[error(transparent)]
    Tile(#[from] TileError),
}

impl LogError {
    /// Whether the files of the log, and not the moment or the machine, are what is wrong.
    pub fn is_damage(&self) -> bool {
        matches!(
            self,
            Self::RootMismatch { .. }
                | Self::Staging { .. }
                | Self::MissingFile { .. }
                | Self::Damaged { .. }
                | Self::Tree(_)
                | Self::Tile(_)
        )
    }

    /// A stable name of the error, for translation.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty { .. } => "log-batch-empty",
            Self::BatchTooLarge { .. } => "log-batch-too-large",
            Self::EntryTooLarge { .. } => "log-entry-too-large",
            Self::LostHead { .. } => "log-lost-head",
            Self::Conflict { .. } => "log-conflict",
            Self::CommitUnknown { .. } => "log-commit-unknown",
            Self::NotPublished { .. } => "log-not-published",
            Self::GuardAhead { .. } => "log-guard-ahead",
            Self::GuardMissing { .. } => "log-guard-missing",
            Self::Head { .. } => "log-head",
            Self::RootMismatch { .. } => "log-root-mismatch",
            Self::Staging { .. } => "log-staging",
            Self::Outside { .. } => "log-outside",
            Self::MissingFile { .. } => "log-missing-file",
            Self::Damaged { .. } => "log-damaged-file",
            Self::Sign(error) => error.code(),
            Self::Cells(error) => error.code(),
            Self::Files(error) => error.code(),
            Self::Guard(error) => error.code(),
            Self::Tree(error) => error.code(),
            Self::Tile(error) => error.code(),
        }
    }

    /// Named arguments of the message, in a fixed order.
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Empty { origin }
            | Self::LostHead { origin }
            | Self::Conflict { origin }
            | Self::GuardMissing { origin } => vec![("origin", origin.clone())],
            Self::BatchTooLarge { origin, entries, bytes } => vec![
                ("origin", origin.clone()),
                ("entries", entries.to_string()),
                ("bytes", bytes.to_string()),
            ],
            Self::EntryTooLarge { origin, entry, size } => {
                vec![("origin", origin.clone()), ("entry", entry.to_string()), ("size", size.to_string())]
            }
            Self::CommitUnknown { origin, size, source } => {
                vec![("origin", origin.clone()), ("size", size.to_string()), ("reason", source.to_string())]
            }
            Self::NotPublished { origin, appended, source } => {
                let size = appended.checkpoint.checkpoint.size;
                vec![("origin", origin.clone()), ("size", size.to_string()), ("reason", source.to_string())]
            }
            Self::GuardAhead { origin, signed, head } => {
                vec![("origin", origin.clone()), ("signed", signed.to_string()), ("head", head.to_string())]
            }
            Self::Head { origin, reason } => vec![("origin", origin.clone()), ("reason", reason.clone())],
            Self::RootMismatch { origin, size } => {
                vec![("origin", origin.clone()), ("size", size.to_string())]
            }
            Self::Staging { path, reason } => vec![("path", path.clone()), ("reason", (*reason).to_owned())],
            Self::Outside { start, end, size } => {
                vec![("start", start.to_string()), ("end", end.to_string()), ("size", size.to_string())]
            }
            Self::MissingFile { path } | Self::Damaged { path } => vec![("path", path.clone())],
            Self::Sign(error) => error.arguments(),
            Self::Cells(error) => error.arguments(),
            Self::Files(error) => error.arguments(),
            Self::Guard(error) => error.arguments(),
            Self::Tree(error) => error.arguments(),
            Self::Tile(error) => error.arguments(),
        }
    }
}
