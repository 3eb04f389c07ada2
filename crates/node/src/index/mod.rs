//! The index: what the logs say, as tables. It is replayed from logs, blobs and `seen` files and may be dropped.
//!
//! This module replays what every desk builds on; each desk then takes the records of its kinds. It judges
//! no signature itself ([`record::LogState`] does) and keeps nothing that exists nowhere else.

mod content;
mod forget;
mod replay;
mod schema;
mod times;

pub use content::{Content, ContentSource, Opening};
pub use forget::{Forgettable, Unannounced};
pub use replay::{Batch, FORGOTTEN, Finding, IndexedEntry, LogFacts, Source, readers_text};
pub use times::{Receipt, Seen};

use record::{Authority, LogState, Origin};
use store::db::{Db, DbError};

use crate::fault::Coded;

/// The index database.
#[derive(Clone, Debug)]
pub struct Index {
    db: Db,
    /// Whose index it is: what this authority erased stays erased.
    own: String,
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
    /// A log's author has a root that this node does not know.
    #[error("{origin} needs root {version} of its author, which is not here")]
    NoRoot {
        /// The log.
        origin: String,
        /// The version.
        version: u64,
    },
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
            Self::NoRoot { .. } => "index-no-root",
            Self::Desk { .. } => "index-desk",
        }
    }

    fn arguments(&self) -> Vec<(&str, String)> {
        match self {
            Self::Db(error) => error.arguments(),
            Self::Files(error) => error.arguments(),
            Self::Damaged { origin, index } => vec![("origin", origin.clone()), ("index", index.to_string())],
            Self::NoRoot { origin, version } => {
                vec![("origin", origin.clone()), ("version", version.to_string())]
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
        Ok(Self { db, own: own.to_string() })
    }

    /// For queries.
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// Forgets everything: what was here is replayed afterwards.
    pub async fn clear(&self) -> Result<(), IndexError> {
        let sql = match self.db.dialect() {
            store::db::Dialect::Sqlite => {
                "select name from sqlite_master where type = 'table' and name not like 'sqlite_%'"
            }
            store::db::Dialect::Postgres => {
                "select tablename from pg_tables where schemaname = current_schema()"
            }
        };
        let mut tables = Vec::new();
        for row in self.db.rows(sql, &[]).await? {
            let name = row.text(0)?;
            if !name.contains("migration") {
                tables.push(name);
            }
        }
        let mut tx = self.db.begin().await?;
        for table in tables {
            let mut sql = store::Sql::from("delete from ");
            sql.identifier(&table)?;
            tx.run(sql, &[]).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// How far a log was replayed: its state after the last replayed entry.
    pub async fn state(&self, origin: &Origin) -> Result<Option<LogState>, IndexError> {
        let rows =
            self.db.rows("select state from log where origin = $1", &[origin.to_string().into()]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        // A state that this version cannot read is replayed from the start.
        Ok(LogState::from_bytes(&row.bytes(0)?).ok())
    }
}
