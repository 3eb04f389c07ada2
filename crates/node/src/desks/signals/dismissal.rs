//! What an officer said of a signal that needs nothing more: kept in `state`, under a name made of what the signal is.

use crate::fault::Coded as _;
use crate::saved::{self, SavedError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::Cells;
use tlog::hash::sha256;

const SPACE: &str = "signal-dismissed";
/// The longest reason, in characters.
pub const MAX_REASON: usize = 300;

/// Why a signal was dismissed, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dismissal {
    /// The reason, in the officer's words.
    pub reason: String,
    /// Seconds since 1970.
    pub at: i64,
}

/// The name of a signal: a hash of what it is, so that the same signal has the same name tomorrow.
pub fn name(parts: &[&str]) -> String {
    sha256(parts.join("\n").as_bytes()).to_hex()
}

/// A reason as it is kept: one line, not empty, not too long.
pub fn reason(text: &str) -> Option<String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let fits = !text.is_empty() && text.chars().count() <= MAX_REASON && !text.chars().any(char::is_control);
    fits.then_some(text)
}

/// Every dismissal, by the signal's name.
pub async fn all(cells: &dyn Cells) -> Result<BTreeMap<String, Dismissal>, SavedError> {
    Ok(saved::readable(cells, SPACE).await?.0.into_iter().collect())
}

/// Keeps a dismissal.
pub async fn keep(cells: &dyn Cells, signal: &str, dismissal: &Dismissal) -> Result<(), SavedError> {
    saved::put(cells, SPACE, signal, dismissal).await
}

/// Takes a dismissal back.
pub async fn take_back(cells: &dyn Cells, signal: &str) -> Result<(), SavedError> {
    match saved::take::<Dismissal>(cells, SPACE, signal).await {
        Ok(taken) => {
            tracing::info!(signal, was = taken.is_some(), "a dismissal was taken back");
            Ok(())
        }
        Err(error) => {
            tracing::error!(code = error.code(), "a dismissal could not be taken back");
            Err(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line_of_words() {
        assert_eq!(reason("  late\nreports  of Sunday "), Some("late reports of Sunday".to_owned()));
        assert_eq!(reason(" \n "), None);
        assert_eq!(reason(&"x".repeat(301)), None);
    }

    #[test]
    fn a_signal_has_one_name() {
        assert_eq!(name(&["a", "b"]), name(&["a", "b"]));
        assert_ne!(name(&["a", "b"]), name(&["a", "c"]));
        assert_eq!(name(&["a"]).len(), 64);
    }
}
