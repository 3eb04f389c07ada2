//! The index: what the logs say, as tables. It is replayed from logs, blobs and `seen` files and may be dropped.
//!
//! What it says is a function of what it holds: the order of logs, entries, blobs and batches does not matter, nor
//! does a rebuild. A [`Follower`] brings it up to what has come; one [`Writer`] at a time writes; everything else reads. This module replays what every desk
//! builds on; each desk then takes the records of its kinds. It judges no signature itself ([`record::LogState`]
//! does) and keeps nothing that exists nowhere else.

mod again;
mod authorities;
mod condition;
mod content;
mod crowded;
mod finding;
mod follow;
mod forget;
mod large;
mod named;
mod opening;
mod proofs;
mod ranks;
mod readers;
mod revocation;
mod rows;
mod schema;
mod settling;
mod source;
mod standing;
mod take;
#[cfg(test)]
pub(crate) mod tests;
mod times;
mod touched;
mod used;
mod writer;

pub use authorities::KnownAuthority;
pub use condition::{
    CONFLICTING, CROWDED, DISOWNED, Must, SPEAKS, SUPERSEDED, WITHDRAWN, condition, joined, since, state,
};
pub use content::{Content, Given};
pub use finding::Finding;
pub use follow::Follower;
pub use forget::{Forgettable, Unannounced};
pub use named::{author_of, claimed_by};
pub use opening::{Opened, open, open_header};
pub use readers::{EVERYBODY, readers_of, readers_text};
pub use rows::OUTER;
pub use schema::TABLES;
pub use source::{LogHead, Source};
pub use take::{AWAITED, Batch, FORGOTTEN, IndexedEntry};
pub use times::{Receipt, Seen};
pub use writer::Writer;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use record::{Authority, LogState, Origin};
use store::db::{Db, DbError};
use tokio::sync::Semaphore;

use crate::fault::Coded;

/// The index database.
#[derive(Clone)]
pub struct Index {
    db: Db,
    /// Whose index it is: what this authority erased stays erased.
    own: Authority,
    /// Held by who writes.
    replayed: Arc<tokio::sync::Mutex<writer::Replayed>>,
    /// How often somebody has written.
    changes: Arc<AtomicU64>,
    /// How often it was replaced by one that was made anew.
    built: Arc<AtomicU64>,
    /// Held by who has a large file in memory.
    large: Arc<Semaphore>,
    /// Held by who has very many records of one thing in memory.
    many: Arc<Semaphore>,
    /// How often something of an author's entries has changed.
    moved: Arc<Mutex<HashMap<String, u64>>>,
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Index({})", self.own)
    }
}

/// Why the index could not take something in.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
    /// Files.
    #[error(transparent)]
    Files(#[from] store::FilesError),
    /// A log in the files is not what it was when it was verified.
    #[error(
        "the copy of {origin} on this disk is damaged at entry {index}: fetch it again, then run `concord rebuild`"
    )]
    Damaged {
        /// The log.
        origin: String,
        /// The entry.
        index: u64,
    },
    /// A file of a log here is not what the signed root of that log says: this disk's fault, and nobody else's.
    #[error(
        "{path} is damaged on this disk, so that entry {index} of {origin} cannot be read: a server fetches it back from peers who          hold the log; if none does, put the file back from a backup. Then run `concord rebuild`"
    )]
    DamagedFile {
        /// The log.
        origin: String,
        /// The first entry that cannot be read.
        index: u64,
        /// The file.
        path: String,
    },
    /// Entries that do not begin where the index ends.
    #[error("{origin} is indexed up to {wanted}; entries from {found} on cannot follow")]
    Gap {
        /// The log.
        origin: String,
        /// The next entry.
        wanted: u64,
        /// What was given.
        found: u64,
    },
    /// State.
    #[error(transparent)]
    Cells(#[from] store::CellsError),
    /// What it is replayed from.
    #[error(transparent)]
    Source(#[from] crate::fault::Underlying),
    /// A desk.
    #[error("the {desk} desk could not take record {name}: {why}")]
    Desk {
        /// The desk.
        desk: &'static str,
        /// The record.
        name: String,
        /// Why.
        why: String,
    },
}

impl Coded for IndexError {
    fn code(&self) -> &str {
        match self {
            Self::Db(error) => error.code(),
            Self::Files(error) => error.code(),
            Self::Damaged { .. } => "index-damaged",
            Self::DamagedFile { .. } => "index-damaged-file",
            Self::Gap { .. } => "index-gap",
            Self::Cells(error) => error.code(),
            Self::Source(error) => error.code(),
            Self::Desk { .. } => "index-desk",
        }
    }

    fn arguments(&self) -> Vec<(&str, String)> {
        match self {
            Self::Db(error) => error.arguments(),
            Self::Files(error) => error.arguments(),
            Self::Damaged { origin, index } => vec![("origin", origin.clone()), ("index", index.to_string())],
            Self::DamagedFile { origin, index, path } => {
                vec![("origin", origin.clone()), ("index", index.to_string()), ("path", path.clone())]
            }
            Self::Cells(error) => error.arguments(),
            Self::Source(error) => error.arguments(),
            Self::Gap { origin, wanted, found } => {
                vec![("origin", origin.clone()), ("wanted", wanted.to_string()), ("found", found.to_string())]
            }
            Self::Desk { desk, name, why } => {
                vec![("desk", (*desk).to_owned()), ("name", name.clone()), ("reason", why.clone())]
            }
        }
    }
}

impl Index {
    /// Opens the index of an authority and brings its tables up to date.
    pub async fn open(db: Db, own: &Authority) -> Result<Self, IndexError> {
        db.migrate(schema::MIGRATIONS).await?;
        for migrations in crate::desks::migrations() {
            db.migrate(migrations).await?;
        }
        Ok(Self {
            db,
            own: own.clone(),
            replayed: Arc::default(),
            changes: Arc::default(),
            built: Arc::default(),
            large: Arc::new(Semaphore::new(1)),
            many: Arc::new(Semaphore::new(1)),
            moved: Arc::default(),
        })
    }

    /// For queries.
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// Writes what the source has; waits until nobody else does.
    pub async fn writer<'a>(&'a self, source: &'a dyn Source) -> Writer<'a> {
        Writer { index: self, source, replayed: self.replayed.lock().await }
    }

    /// A number that has grown whenever somebody wrote: what was read at one number is as it is while it stays.
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }

    /// Entries of a log that are replayed.
    pub async fn size_of(&self, origin: &Origin) -> Result<u64, IndexError> {
        let rows =
            self.db.rows("select size from log where origin = $1", &[origin.to_string().into()]).await?;
        Ok(rows.first().map(|row| row.uint(0)).transpose()?.unwrap_or(0))
    }

    /// How far a log was replayed: its state after the last replayed entry.
    pub async fn state(&self, origin: &Origin) -> Result<Option<LogState>, IndexError> {
        let rows =
            self.db.rows("select state from log where origin = $1", &[origin.to_string().into()]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        Ok(LogState::from_bytes(&row.bytes(0)?).ok())
    }
}
