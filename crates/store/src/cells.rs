//! Small durable values with compare-and-swap: the core of a node's `state` database.
//!
//! A cell is named by a space and a key. Several cells are changed together or not at all, and a change
//! is durable before it is answered. What a cell means is never known here.

use crate::db::DbError;
use async_trait::async_trait;

mod memory;
mod sql;

pub use memory::{CellFault, MemoryCells};
pub use sql::SqlCells;

/// The longest space or key, in bytes.
pub const MAX_KEY: usize = 512;
/// The longest value, in bytes: entries of a log (65,535) and drafts fit.
pub const MAX_VALUE: usize = 4 << 20;
/// The most cells changed together.
pub const MAX_SWAPS: usize = 65_536;

/// Why cells could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum CellsError {
    /// The database failed. After a failed `swap_all` it is not known whether the change was made.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A space or key that is empty, too long or holds control characters.
    #[error("cell {space}/{key}: a space or key is 1 to {MAX_KEY} bytes without control characters")]
    Key {
        /// The space.
        space: String,
        /// The key.
        key: String,
    },
    /// A value that is too long.
    #[error("cell {space}/{key}: {size} bytes; at most {MAX_VALUE}")]
    Value {
        /// The space.
        space: String,
        /// The key.
        key: String,
        /// The value's length in bytes.
        size: usize,
    },
    /// Too many cells in one change.
    #[error("{found} cells in one change; at most {MAX_SWAPS}")]
    TooMany {
        /// How many were given.
        found: usize,
    },
    /// One cell named twice in one change.
    #[error("cell {space}/{key} is named twice in one change")]
    Twice {
        /// The space.
        space: String,
        /// The key.
        key: String,
    },
    /// This server does not lead, or not any more: another one changes the cells. Nothing was changed.
    #[error("another server of this authority leads; this one changes nothing")]
    NotLeading,
    /// A fault hook refused the operation (tests and simulation).
    #[error("the write was refused by a fault hook")]
    Fault,
}

impl CellsError {
    /// A stable name of the error, for translation.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Db(error) => error.code(),
            Self::Key { .. } => "cells-key",
            Self::Value { .. } => "cells-value",
            Self::TooMany { .. } => "cells-too-many",
            Self::Twice { .. } => "cells-twice",
            Self::NotLeading => "cells-not-leading",
            Self::Fault => "cells-fault",
        }
    }

    /// Named arguments of the message, in a fixed order.
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Fault | Self::NotLeading => Vec::new(),
            Self::Db(error) => error.arguments(),
            Self::Key { space, key } | Self::Twice { space, key } => {
                vec![("space", space.clone()), ("key", key.clone())]
            }
            Self::Value { space, key, size } => {
                vec![("space", space.clone()), ("key", key.clone()), ("size", size.to_string())]
            }
            Self::TooMany { found } => vec![("found", found.to_string())],
        }
    }
}

/// One cell's part of a change: from this value to that one; `None` is "absent".
/// Two equal values change nothing and demand that the cell is as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swap {
    /// The space.
    pub space: String,
    /// The key.
    pub key: String,
    /// What must be there.
    pub old: Option<Vec<u8>>,
    /// What will be there.
    pub new: Option<Vec<u8>>,
}

impl Swap {
    /// A change of one cell.
    pub fn new(space: &str, key: &str, old: Option<Vec<u8>>, new: Option<Vec<u8>>) -> Self {
        Self { space: space.to_owned(), key: key.to_owned(), old, new }
    }

    fn checked(&self) -> Result<(), CellsError> {
        let (space, key) = (&self.space, &self.key);
        if !is_key(space) || !is_key(key) {
            return Err(CellsError::Key { space: space.clone(), key: key.clone() });
        }
        match &self.new {
            Some(value) if value.len() > MAX_VALUE => {
                Err(CellsError::Value { space: space.clone(), key: key.clone(), size: value.len() })
            }
            _ => Ok(()),
        }
    }
}

/// The changes in one order for every caller, so that two of them never wait for each other in a circle.
fn in_order(swaps: &[Swap]) -> Result<Vec<&Swap>, CellsError> {
    if swaps.len() > MAX_SWAPS {
        return Err(CellsError::TooMany { found: swaps.len() });
    }
    let mut ordered: Vec<&Swap> = swaps.iter().collect();
    ordered.sort_by(|a, b| (&a.space, &a.key).cmp(&(&b.space, &b.key)));
    for swap in &ordered {
        swap.checked()?;
    }
    match ordered.array_windows().find(|[a, b]| (&a.space, &a.key) == (&b.space, &b.key)) {
        Some([twice, _]) => Err(CellsError::Twice { space: twice.space.clone(), key: twice.key.clone() }),
        None => Ok(ordered),
    }
}

fn is_key(text: &str) -> bool {
    (1..=MAX_KEY).contains(&text.len()) && !text.chars().any(char::is_control)
}

/// Small durable values with compare-and-swap.
#[async_trait]
pub trait Cells: Send + Sync {
    /// The value of a cell.
    async fn get(&self, space: &str, key: &str) -> Result<Option<Vec<u8>>, CellsError>;

    /// Changes all cells if every one holds its `old` value (true), or none (false). Durable when it
    /// returns. After an error it is not known which of the two happened: read again.
    async fn swap_all(&self, swaps: &[Swap]) -> Result<bool, CellsError>;

    /// Up to `limit` cells of a space whose key begins with `prefix` and is greater than `after`,
    /// in the byte order of their keys.
    async fn scan(
        &self,
        space: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Vec<u8>)>, CellsError>;

    /// Changes one cell if it holds `old`.
    async fn swap(
        &self,
        space: &str,
        key: &str,
        old: Option<Vec<u8>>,
        new: Option<Vec<u8>>,
    ) -> Result<bool, CellsError> {
        self.swap_all(&[Swap::new(space, key, old, new)]).await
    }
}
