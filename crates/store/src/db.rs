//! One database, `SQLite` or `PostgreSQL`, behind one thin face: SQL text with `$1` placeholders, values, rows.
//!
//! SQL is written once for both. Where they differ (types of columns), a migration says it with a token.
//! There is no query builder and no mapping to objects here. SQL text is static or made of static parts
//! and checked identifiers ([`Sql`]); what comes from outside is always a [`Value`].
//!
//! On `SQLite` there is one writing connection and several reading ones (WAL); `rows` reads what is
//! committed and never waits for a writer.

use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

mod beside;
mod error;
mod migrate;
mod sql;
mod tx;
mod value;

pub use error::DbError;
pub use migrate::Migration;
pub use sql::Sql;
pub use tx::{Conflict, Tx};
pub use value::{Row, Value};

use value::{postgres_arguments, sqlite_arguments};

/// How long a statement waits for `SQLite`'s write lock, and a caller for a connection.
const PATIENCE: Duration = Duration::from_secs(10);

/// `SQLite`: how much the writing connection may keep of its file, as kibibytes below zero.
const WRITER_CACHE: &str = "-32768";
/// `SQLite`: the write-ahead log is moved into the file after so many pages of 4 KiB.
const WAL_PAGES: &str = "8192";

/// Which of the two databases it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `SQLite`, embedded.
    Sqlite,
    /// `PostgreSQL`, over a socket.
    Postgres,
}

/// How to open a database.
#[derive(Debug, Clone)]
pub struct DbOptions {
    /// `PostgreSQL` only: the schema that holds our tables, made if it is not there. `state` and `index` are
    /// two schemas of one database, and two files on `SQLite`.
    pub schema: Option<&'static str>,
    /// How many connections read (`SQLite`) or do anything (`PostgreSQL`).
    pub connections: u32,
    /// `SQLite` only: overwrite what is deleted with zeros. (On `PostgreSQL` vacuum reuses the space.)
    pub secure_delete: bool,
    /// Whether a change is on disk when it is answered. Of what can be made again a power cut may take the last
    /// changes, in their order; it is whole all the same.
    pub durable: bool,
}

impl Default for DbOptions {
    fn default() -> Self {
        Self { schema: None, connections: 4, secure_delete: true, durable: true }
    }
}

enum Pools {
    /// The folder is that of a temporary database and is removed with it.
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
        path: PathBuf,
        at: Arc<At>,
        _folder: Option<TempDir>,
    },
    Postgres {
        pool: PgPool,
        url: String,
        schema: Option<String>,
    },
}

/// An address may hold a password, so that it is not shown.
impl std::fmt::Debug for Pools {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Sqlite { .. } => "Sqlite",
            Self::Postgres { .. } => "Postgres",
        })
    }
}

/// Which `SQLite` file it is, for who must know that it is damaged.
#[derive(Debug)]
struct At {
    path: PathBuf,
    /// Which file lay there when it was opened: device and number.
    file: Option<(u64, u64)>,
    /// All that is in it can be made anew.
    is_derived: bool,
}

impl At {
    fn new(path: &Path, options: &DbOptions) -> Arc<Self> {
        Arc::new(Self { path: path.to_path_buf(), file: file_at(path), is_derived: !options.durable })
    }

    /// Refuses what must last where its file is not at its place any more: it would be in none that the next process opens.
    fn must_be_here(&self) -> Result<(), DbError> {
        if self.is_derived || self.file.is_none() || self.file == file_at(&self.path) {
            return Ok(());
        }
        Err(DbError::Gone { path: self.path.display().to_string() })
    }

    /// What the driver met here: `SQLITE_CORRUPT` and `SQLITE_NOTADB` are of the file, and not of what was asked.
    fn met(&self, error: sqlx::Error) -> DbError {
        let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
        let code = code.and_then(|code| code.parse::<u32>().ok()).map(|code| code & 0xff);
        if !matches!(code, Some(11 | 26)) {
            return DbError::Sqlx(error);
        }
        self.is_damaged(&error.to_string())
    }

    fn is_damaged(&self, reason: &str) -> DbError {
        let (path, reason) = (self.path.display().to_string(), reason.to_owned());
        if self.is_derived {
            DbError::DamagedDerived { path, reason }
        } else {
            DbError::Damaged { path, reason }
        }
    }
}

fn file_at(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

/// A database. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Db {
    pools: Arc<Pools>,
}

impl Db {
    /// Opens `sqlite:<path>` (made if it is not there), `sqlite::memory:` (a temporary one,
    /// empty, and gone with the last clone) or `postgres://...`.
    pub async fn connect(url: &str, options: DbOptions) -> Result<Self, DbError> {
        let pools = match url.strip_prefix("sqlite:") {
            Some(":memory:") => open_temporary(&options).await?,
            Some(path) if !path.is_empty() => {
                let path = Path::new(path);
                let synchronous =
                    if options.durable { SqliteSynchronous::Full } else { SqliteSynchronous::Normal };
                sqlite_pools(sqlite_file(path).synchronous(synchronous), path, &options, None).await?
            }
            _ if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
                open_postgres(url, &options, options.schema).await?
            }
            _ => return Err(DbError::Url),
        };
        Ok(Self { pools: Arc::new(pools) })
    }

    /// The file, of `SQLite`.
    fn at(&self) -> Option<&At> {
        match &*self.pools {
            Pools::Sqlite { at, .. } => Some(at),
            Pools::Postgres { .. } => None,
        }
    }

    /// Which database it is.
    pub fn dialect(&self) -> Dialect {
        match &*self.pools {
            Pools::Sqlite { .. } => Dialect::Sqlite,
            Pools::Postgres { .. } => Dialect::Postgres,
        }
    }

    /// Runs one statement in a transaction of its own; answers how many rows it changed.
    pub async fn run(&self, sql: impl Into<Sql>, values: &[Value]) -> Result<u64, DbError> {
        let sql = sql.into().into_safe();
        Ok(match &*self.pools {
            Pools::Sqlite { writer, at, .. } => {
                at.must_be_here()?;
                let done = sqlx::query_with(sql, sqlite_arguments(values)).execute(writer).await;
                done.map_err(|error| at.met(error))?.rows_affected()
            }
            Pools::Postgres { pool, .. } => {
                sqlx::query_with(sql, postgres_arguments(values)?).execute(pool).await?.rows_affected()
            }
        })
    }

    /// The rows of a query that writes nothing.
    pub async fn rows(&self, sql: impl Into<Sql>, values: &[Value]) -> Result<Vec<Row>, DbError> {
        let sql = sql.into().into_safe();
        Ok(match &*self.pools {
            Pools::Sqlite { readers, at, .. } => {
                let rows = sqlx::query_with(sql, sqlite_arguments(values)).fetch_all(readers).await;
                rows.map_err(|error| at.met(error))?.into_iter().map(Row::Sqlite).collect()
            }
            Pools::Postgres { pool, .. } => {
                let rows = sqlx::query_with(sql, postgres_arguments(values)?).fetch_all(pool).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    /// The rows of a statement that writes (`... returning ...`), in a transaction of its own.
    pub async fn run_returning(&self, sql: impl Into<Sql>, values: &[Value]) -> Result<Vec<Row>, DbError> {
        let mut tx = self.begin().await?;
        let rows = tx.rows(sql, values).await?;
        tx.commit().await?;
        Ok(rows)
    }

    /// Begins a transaction that may write. On `SQLite` it holds the only writing connection until it ends.
    pub async fn begin(&self) -> Result<Tx, DbError> {
        self.begin_as("begin").await
    }

    /// Begins a transaction that behaves as if it ran alone. On `PostgreSQL` it may fail with an error that
    /// [`DbError::is_retryable`]: then the whole transaction is to be tried again.
    pub async fn begin_serializable(&self) -> Result<Tx, DbError> {
        self.begin_as("begin isolation level serializable").await
    }

    async fn begin_as(&self, postgres: &'static str) -> Result<Tx, DbError> {
        Ok(match &*self.pools {
            // Taken at once, so that no transaction reads first and then finds that it may not write.
            Pools::Sqlite { writer, at, .. } => {
                at.must_be_here()?;
                let begun = writer.begin_with("begin immediate").await;
                Tx::sqlite(begun.map_err(|error| at.met(error))?, Arc::clone(at))
            }
            Pools::Postgres { pool, .. } => Tx::postgres(pool.begin_with(postgres).await?),
        })
    }

    /// `SQLite`: moves the write-ahead log into the database file and empties it, so that what was deleted
    /// is in neither. Answers false if a reader was in the way. `PostgreSQL`: nothing to do, true.
    pub async fn checkpoint_truncate(&self) -> Result<bool, DbError> {
        match &*self.pools {
            Pools::Postgres { .. } => Ok(true),
            Pools::Sqlite { writer, at, .. } => {
                let row = sqlx::query("pragma wal_checkpoint(truncate)").fetch_one(writer).await;
                let row = row.map_err(|error| at.met(error))?;
                Ok(Row::Sqlite(row).int(0)? == 0)
            }
        }
    }

    /// Leaves nothing of deleted rows in the database's own files, where it can be done: `SQLite` empties the
    /// write-ahead log ([`Db::checkpoint_truncate`]; deleted cells were overwritten when they were deleted).
    /// `PostgreSQL` writes these tables anew without dead rows; what its own log, its replicas and its backups
    /// hold of them is out of reach. Answers false if a reader was in the way: to be tried again.
    pub async fn forget_deleted(&self, tables: &[&'static str]) -> Result<bool, DbError> {
        if self.dialect() == Dialect::Postgres {
            for table in tables {
                let mut sql = Sql::from("vacuum (full) ");
                sql.identifier(table)?;
                self.run(sql, &[]).await?;
            }
        }
        self.checkpoint_truncate().await
    }

    /// `SQLite`: writes a consistent copy to a file that must not exist yet. `PostgreSQL` has its own tools.
    pub async fn backup_to(&self, path: &Path) -> Result<(), DbError> {
        match &*self.pools {
            Pools::Sqlite { writer, at, .. } => {
                let path = path.to_str().ok_or(DbError::BackupPath)?;
                let copied = sqlx::query("vacuum into $1").bind(path).execute(writer).await;
                copied.map_err(|error| at.met(error))?;
                let file = std::fs::File::open(path).and_then(|file| file.sync_all());
                file.map_err(|error| DbError::Sqlx(sqlx::Error::Io(error)))
            }
            Pools::Postgres { .. } => Err(DbError::BackupDialect),
        }
    }

    /// Closes all connections after what is under way.
    pub async fn close(&self) {
        match &*self.pools {
            Pools::Sqlite { writer, readers, .. } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres { pool, .. } => pool.close().await,
        }
    }
}

/// What is wrong with a file that should be a whole `SQLite` database, if anything. All of it is read and nothing is
/// written, not even beside it.
pub async fn what_is_broken(path: &Path) -> Option<String> {
    let connect = SqliteConnectOptions::new().filename(path).read_only(true).immutable(true);
    let looked = async {
        let mut connection = sqlx::SqliteConnection::connect_with(&connect).await?;
        let found: String =
            sqlx::query_scalar("pragma integrity_check(1)").fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok::<_, sqlx::Error>(found)
    };
    match looked.await {
        Ok(found) if found == "ok" => None,
        Ok(found) => Some(found),
        Err(error) => Some(error.to_string()),
    }
}

fn sqlite_file(path: &Path) -> SqliteConnectOptions {
    let connect = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    connect.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full)
}

/// `SQLite`'s own memory databases either belong to one connection or lock readers out while somebody writes.
/// One in a temporary folder behaves as the real one does, and need not wait for the disk.
async fn open_temporary(options: &DbOptions) -> Result<Pools, DbError> {
    let folder = tempfile::tempdir().map_err(sqlx::Error::Io)?;
    let path = folder.path().join("db");
    let connect = sqlite_file(&path).synchronous(SqliteSynchronous::Off);
    sqlite_pools(connect, &path, options, Some(folder)).await
}

async fn sqlite_pools(
    connect: SqliteConnectOptions,
    path: &Path,
    options: &DbOptions,
    folder: Option<TempDir>,
) -> Result<Pools, DbError> {
    let connect = connect
        .foreign_keys(true)
        .busy_timeout(PATIENCE)
        .pragma("secure_delete", if options.secure_delete { "on" } else { "off" });
    let pool = |connections: u32| {
        let pool = SqlitePoolOptions::new().max_connections(connections).min_connections(1);
        let pool = pool.acquire_timeout(PATIENCE).idle_timeout(None).max_lifetime(None);
        // A connection of an embedded database does not go away by itself. One whose transaction SQLite rolled back of
        // its own accord, on a full disk, would count it as open for ever: it is given up.
        pool.test_before_acquire(false).before_acquire(|connection, _| {
            Box::pin(async move {
                if connection.is_in_transaction() {
                    connection.ping().await?; // What was dropped is rolled back before this.
                }
                Ok(!connection.is_in_transaction())
            })
        })
    };
    // Rows by names that are hashes go all over the file: with room for the pages that they touch, a page is
    // written once for many rows.
    let writing = connect.clone().pragma("cache_size", WRITER_CACHE).pragma("wal_autocheckpoint", WAL_PAGES);
    let writer = pool(1).connect_with(writing).await;
    // It may have been made just now.
    let at = At::new(path, options);
    let writer = writer.map_err(|error| at.met(error))?;
    let readers = pool(options.connections.max(1)).connect_with(connect.pragma("query_only", "on")).await;
    let readers = readers.map_err(|error| at.met(error))?;
    Ok(Pools::Sqlite { writer, readers, path: path.to_path_buf(), at, _folder: folder })
}

async fn open_postgres(url: &str, options: &DbOptions, schema: Option<&str>) -> Result<Pools, DbError> {
    let connect: PgConnectOptions = url.parse().map_err(|_| DbError::Url)?;
    // A server may be set to answer before a commit is on its disk; of what must last we answer only after.
    let mut connect = connect.options([("synchronous_commit", if options.durable { "on" } else { "off" })]);
    if let Some(schema) = schema {
        sql::check_identifier(schema)?;
        connect = connect.options([("search_path", schema)]);
    }
    let pool = PgPoolOptions::new()
        .max_connections(options.connections.max(1))
        .acquire_timeout(PATIENCE)
        .connect_with(connect)
        .await?;
    if let Some(schema) = schema {
        make_schema(&pool, schema).await?;
    }
    Ok(Pools::Postgres { pool, url: url.to_owned(), schema: schema.map(str::to_owned) })
}

async fn make_schema(pool: &PgPool, schema: &str) -> Result<(), DbError> {
    let mut tx = Tx::postgres(pool.begin_with("begin").await?);
    // `if not exists` alone fails when two servers start at the same time.
    tx.lock_for_migration().await?;
    let mut sql = Sql::from("create schema if not exists ");
    sql.identifier(schema)?;
    tx.run(sql, &[]).await?;
    tx.commit().await
}
