//! Typed values in the cells of `state`: read, change by compare-and-swap, list. It knows no meaning.

use serde::Serialize;
use serde::de::DeserializeOwned;
use store::{Cells, CellsError};

use crate::fault::Coded;

/// Why a saved value cannot be had or changed.
#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    /// The database.
    #[error(transparent)]
    Cells(#[from] CellsError),
    /// What lies there is not what this version writes.
    #[error(
        "state holds something unreadable at {space}/{key}: {why}; restore the backup, or use the version that wrote it"
    )]
    Unreadable {
        /// The space.
        space: String,
        /// The key.
        key: String,
        /// What is wrong.
        why: String,
    },
    /// Somebody else changed it again and again.
    #[error("{space}/{key} is being changed by others all the time; try again")]
    Contended {
        /// The space.
        space: String,
        /// The key.
        key: String,
    },
}

impl Coded for SavedError {
    fn code(&self) -> &str {
        match self {
            Self::Cells(error) => error.code(),
            Self::Unreadable { .. } => "saved-unreadable",
            Self::Contended { .. } => "saved-contended",
        }
    }

    fn arguments(&self) -> Vec<(&str, String)> {
        match self {
            Self::Cells(error) => error.arguments(),
            Self::Unreadable { space, key, why } => {
                vec![("space", space.clone()), ("key", key.clone()), ("reason", why.clone())]
            }
            Self::Contended { space, key } => vec![("space", space.clone()), ("key", key.clone())],
        }
    }
}

/// Attempts of a read-change-swap before it gives up.
const ATTEMPTS: usize = 32;
/// Cells read at once by [`list`].
const PAGE: usize = 512;

fn decode<T: DeserializeOwned>(space: &str, key: &str, bytes: &[u8]) -> Result<T, SavedError> {
    serde_json::from_slice(bytes).map_err(|e| SavedError::Unreadable {
        space: space.into(),
        key: key.into(),
        why: e.to_string(),
    })
}

/// A value as it lies in its cell.
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("our own types are JSON")
}

/// The value at `key`.
pub async fn read<T: DeserializeOwned>(
    cells: &dyn Cells,
    space: &str,
    key: &str,
) -> Result<Option<T>, SavedError> {
    match cells.get(space, key).await? {
        Some(bytes) => decode(space, key, &bytes).map(Some),
        None => Ok(None),
    }
}

/// Changes the value at `key` by `change`, again if somebody else was faster. `None` removes it.
/// Returns what is there afterwards.
pub async fn update<T: Serialize + DeserializeOwned + Clone>(
    cells: &dyn Cells,
    space: &str,
    key: &str,
    mut change: impl FnMut(Option<T>) -> Option<T>,
) -> Result<Option<T>, SavedError> {
    for _ in 0..ATTEMPTS {
        let old = cells.get(space, key).await?;
        let before = old.as_deref().map(|bytes| decode(space, key, bytes)).transpose()?;
        let after = change(before);
        let new = after.as_ref().map(encode);
        if old == new || cells.swap(space, key, old, new).await? {
            return Ok(after);
        }
    }
    Err(SavedError::Contended { space: space.into(), key: key.into() })
}

/// Puts `value` at `key`, whatever was there, readable or not.
pub async fn put<T: Serialize>(
    cells: &dyn Cells,
    space: &str,
    key: &str,
    value: &T,
) -> Result<(), SavedError> {
    let new = Some(encode(value));
    for _ in 0..ATTEMPTS {
        let old = cells.get(space, key).await?;
        if old == new || cells.swap(space, key, old, new.clone()).await? {
            return Ok(());
        }
    }
    Err(SavedError::Contended { space: space.into(), key: key.into() })
}

/// Removes and returns the value at `key`: of several callers, one gets it.
pub async fn take<T: DeserializeOwned>(
    cells: &dyn Cells,
    space: &str,
    key: &str,
) -> Result<Option<T>, SavedError> {
    let Some(bytes) = cells.get(space, key).await? else { return Ok(None) };
    let value = decode(space, key, &bytes)?;
    Ok(cells.swap(space, key, Some(bytes), None).await?.then_some(value))
}

/// Every value of a space that can be read, in key order, and the keys of those that cannot: a disk that spoilt one of them must
/// not take the others away.
pub async fn readable<T: DeserializeOwned>(
    cells: &dyn Cells,
    space: &str,
) -> Result<(Vec<(String, T)>, Vec<String>), SavedError> {
    let (mut all, mut unreadable) = (Vec::new(), Vec::new());
    let mut after: Option<String> = None;
    loop {
        let page = cells.scan(space, "", after.as_deref(), PAGE).await?;
        let full = page.len() == PAGE;
        after = page.last().map(|(key, _)| key.clone());
        for (key, bytes) in page {
            match decode(space, &key, &bytes) {
                Ok(value) => all.push((key, value)),
                Err(error) => {
                    tracing::error!(%error, "a cell of state is damaged");
                    unreadable.push(key);
                }
            }
        }
        if !full {
            return Ok((all, unreadable));
        }
    }
}

/// Every value of a space whose key begins with `prefix`, in key order.
pub async fn list<T: DeserializeOwned>(
    cells: &dyn Cells,
    space: &str,
    prefix: &str,
) -> Result<Vec<(String, T)>, SavedError> {
    let mut all = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = cells.scan(space, prefix, after.as_deref(), PAGE).await?;
        let full = page.len() == PAGE;
        for (key, bytes) in page {
            all.push((key.clone(), decode(space, &key, &bytes)?));
            after = Some(key);
        }
        if !full {
            return Ok(all);
        }
    }
}
