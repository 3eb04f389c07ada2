//! Why a database could not do what it was asked.

/// Why a database could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// A URL of another form. The URL is not repeated: it may hold a password.
    #[error("a database is sqlite:<path>, sqlite::memory: or postgres://user@host/name")]
    Url,
    /// The database or the way to it failed.
    #[error("database: {}", crate::disk::database_says(.0))]
    Sqlx(#[from] sqlx::Error),
    /// A file that is no whole database, of which nothing else holds what is in it.
    #[error(
        "{path} is damaged ({reason}), and nothing else holds what is in it: restore the last backup (Restore, in the manual for \
         operators)"
    )]
    Damaged {
        /// The file.
        path: String,
        /// What the driver says.
        reason: String,
    },
    /// A file that is no whole database, of which everything is made anew from elsewhere.
    #[error(
        "{path} is damaged ({reason}): stop the server, then `concord rebuild` makes all that is in it anew"
    )]
    DamagedDerived {
        /// The file.
        path: String,
        /// What the driver says.
        reason: String,
    },
    /// The file of a database that must last was removed, or another one lies in its place, while it is in use.
    #[error(
        "{path} was removed or replaced while it is in use, and nothing more is kept. `concord backup FOLDER` copies what the running \
         server still has: then stop the server, and put the state.db of that backup in its place"
    )]
    Gone {
        /// The file.
        path: String,
    },
    /// A value that cannot be sent.
    #[error("value {index} cannot be sent: {reason}")]
    Value {
        /// Its number, from 1.
        index: usize,
        /// What the driver says.
        reason: String,
    },
    /// A column that is not what the reader expects.
    #[error("column {column} is no {expected}")]
    Column {
        /// Its number, from 0.
        column: usize,
        /// What was expected.
        expected: &'static str,
    },
    /// A name of a table or column that is not one.
    #[error("{name:?} is no identifier: a to z, 0 to 9 and _, at most 63, not beginning with a digit")]
    Identifier {
        /// The name.
        name: String,
    },
    /// A row with more or fewer values than columns.
    #[error("row {row} has {found} values for {columns} columns")]
    Width {
        /// Its number, from 0.
        row: usize,
        /// How many values it has.
        found: usize,
        /// How many columns there are.
        columns: usize,
    },
    /// A replacing insert without columns that name a row, or with one that is not inserted.
    #[error("an insert that replaces needs key columns that are among its columns")]
    ReplaceKeys,
    /// A migration whose text is not the one that was applied.
    #[error("migration {name} was applied with another text; write a new one instead of changing it")]
    MigrationChanged {
        /// Its name.
        name: String,
    },
    /// Two migrations of one name.
    #[error("migration {name} is given twice")]
    MigrationTwice {
        /// Its name.
        name: String,
    },
    /// A transaction in which a statement failed is to be committed.
    #[error("a statement of this transaction failed: nothing of it is committed")]
    Failed,
    /// A path that is not valid UTF-8.
    #[error("a backup path must be valid UTF-8")]
    BackupPath,
    /// Only `SQLite` is backed up from here.
    #[error("back up PostgreSQL with pg_dump or by archiving its write-ahead log")]
    BackupDialect,
}

impl DbError {
    /// A stable name of the error, for translation.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Url => "db-url",
            Self::Sqlx(error) if crate::disk::is_database_full(error) => "disk-full",
            Self::Sqlx(_) => "db-failed",
            Self::Damaged { .. } => "db-damaged",
            Self::DamagedDerived { .. } => "db-damaged-derived",
            Self::Gone { .. } => "db-gone",
            Self::Value { .. } => "db-value",
            Self::Column { .. } => "db-column",
            Self::Identifier { .. } => "db-identifier",
            Self::Width { .. } => "db-width",
            Self::ReplaceKeys => "db-replace-keys",
            Self::MigrationChanged { .. } => "db-migration-changed",
            Self::MigrationTwice { .. } => "db-migration-twice",
            Self::Failed => "db-transaction-failed",
            Self::BackupPath => "db-backup-path",
            Self::BackupDialect => "db-backup-dialect",
        }
    }

    /// Named arguments of the message, in a fixed order.
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Url | Self::ReplaceKeys | Self::Failed | Self::BackupPath | Self::BackupDialect => {
                Vec::new()
            }
            Self::Sqlx(value) => vec![("reason", value.to_string())],
            Self::Damaged { path, reason } | Self::DamagedDerived { path, reason } => {
                vec![("path", path.clone()), ("reason", reason.clone())]
            }
            Self::Gone { path } => vec![("path", path.clone())],
            Self::Value { index, reason } => vec![("index", index.to_string()), ("reason", reason.clone())],
            Self::Column { column, expected } => {
                vec![("column", column.to_string()), ("expected", (*expected).to_owned())]
            }
            Self::Identifier { name } | Self::MigrationChanged { name } | Self::MigrationTwice { name } => {
                vec![("name", name.clone())]
            }
            Self::Width { row, found, columns } => {
                vec![("row", row.to_string()), ("found", found.to_string()), ("columns", columns.to_string())]
            }
        }
    }

    /// Whether the whole transaction should be tried again: it met another one, and nothing was changed.
    pub fn is_retryable(&self) -> bool {
        let Self::Sqlx(error) = self else { return false };
        let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
        // PostgreSQL: serialization_failure, deadlock_detected. SQLite: BUSY_SNAPSHOT. (A plain BUSY comes only
        // after a long wait for another process: trying again would wait as long again.)
        code.is_some_and(|code| ["40001", "40P01", "517"].contains(&code.as_ref()))
    }

    /// Whether a unique or primary key was already there.
    pub fn is_duplicate(&self) -> bool {
        let Self::Sqlx(error) = self else { return false };
        error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
    }
}
