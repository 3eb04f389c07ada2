//! What can be wrong with what `concord epi` is given.

use crate::fault::Coded;

/// Why a question cannot be answered.
#[derive(Debug, thiserror::Error)]
pub enum EpiError {
    /// A file cannot be read or written.
    #[error("{path}: {reason}")]
    File {
        /// Which.
        path: String,
        /// What the system says.
        reason: String,
    },
    /// A file is no table of comma-separated values.
    #[error("{path}, line {line}: not a row of comma-separated values in UTF-8: {reason}")]
    Table {
        /// Which.
        path: String,
        /// From 1.
        line: u64,
        /// What is wrong.
        reason: String,
    },
    /// A column is not there.
    #[error("{path} has no column {column:?}; its columns are {there}")]
    Column {
        /// Which file.
        path: String,
        /// Which column.
        column: String,
        /// Those that are there.
        there: String,
    },
    /// No row says a date.
    #[error("{path}: no row has a date in column {column:?}; dates are written 2020-05-31")]
    NoDates {
        /// Which file.
        path: String,
        /// Which column.
        column: String,
    },
    /// Lags are not 0, 1, 2...
    #[error("{path}, line {line}: lag {found:?} where {expected} follows; lags are 0, 1, 2... without a gap")]
    Lag {
        /// Which file.
        path: String,
        /// From 1.
        line: u64,
        /// What stands there.
        found: String,
        /// What would be right.
        expected: usize,
    },
    /// A cell is no number.
    #[error("{path}, line {line}: {text:?} is not a number; write it as 0.25")]
    Number {
        /// Which file.
        path: String,
        /// From 1.
        line: u64,
        /// What stands there.
        text: String,
    },
    /// Dates of one series in two steps.
    #[error(
        "the dates are not a whole number of weeks apart; state a figure for each week on the same weekday"
    )]
    NotWeekly,
}

impl Coded for EpiError {
    fn code(&self) -> &'static str {
        match self {
            Self::File { .. } => "epi-file",
            Self::Table { .. } => "epi-table",
            Self::Column { .. } => "epi-column",
            Self::NoDates { .. } => "epi-no-dates",
            Self::Lag { .. } => "epi-lag",
            Self::Number { .. } => "epi-number",
            Self::NotWeekly => "epi-not-weekly",
        }
    }

    fn arguments(&self) -> Vec<(&str, String)> {
        match self {
            Self::File { path, reason } => vec![("path", path.clone()), ("reason", reason.clone())],
            Self::Table { path, line, reason } => {
                vec![("path", path.clone()), ("line", line.to_string()), ("reason", reason.clone())]
            }
            Self::Column { path, column, there } => {
                vec![("path", path.clone()), ("column", column.clone()), ("there", there.clone())]
            }
            Self::NoDates { path, column } => vec![("path", path.clone()), ("column", column.clone())],
            Self::Lag { path, line, found, expected } => vec![
                ("path", path.clone()),
                ("line", line.to_string()),
                ("found", found.clone()),
                ("expected", expected.to_string()),
            ],
            Self::Number { path, line, text } => {
                vec![("path", path.clone()), ("line", line.to_string()), ("text", text.clone())]
            }
            Self::NotWeekly => Vec::new(),
        }
    }
}
