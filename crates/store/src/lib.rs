//! Where a node keeps things: small durable values and tables in `SQLite` or `PostgreSQL`, files in a folder
//! or a bucket, and append-only logs on top of both.
//!
//! There are no domain rules here: what a record says, who may read it and when it counts is decided
//! elsewhere. There is no clock either: times are arguments. What is acknowledged here is durable.

pub mod cells;
pub mod db;
mod disk;
pub mod files;
pub mod guard;
pub mod layout;
pub mod lease;
pub mod lock;
pub mod log;

pub use cells::{CellFault, Cells, CellsError, MemoryCells, SqlCells, Swap};
pub use db::{Conflict, Db, DbError, DbOptions, Migration, Row, Sql, Tx, Value};
pub use files::{Files, FilesError, MemoryFiles, ObjectFiles, open_files, open_files_with};
pub use guard::{Guard, GuardError, Standing};
pub use lock::{FolderLock, LockError};
pub use log::{Appended, LogError, LogReader, LogWriter};
