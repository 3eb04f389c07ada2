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
    /// An option that the method does not have.
    #[error("{method} has no {option}")]
    Option {
        /// Which method.
        method: String,
        /// Which option.
        option: String,
    },
    /// Nobody says how many people there are.
    #[error("how many people live in {series:?} is not said; --population or --populations says it")]
    Population {
        /// Of which series.
        series: String,
    },
    /// A rate has nothing to be compared with.
    #[error("say the threshold: --threshold, in events per 100,000 people")]
    Threshold,
    /// R, k or the number of arrivals make no sense.
    #[error("R must be at least 0, the evenness k above 0 and arrivals at least 0")]
    Establishment,
    /// No flow ends where it is asked for.
    #[error("of the places with cases none has travellers to {to:?}")]
    NoTravellers {
        /// Where to.
        to: String,
    },
    /// A place that is not in the table.
    #[error("{name:?} is not among the places")]
    Place {
        /// Which.
        name: String,
    },
    /// Neither flows nor what gravity needs.
    #[error("say the flows: --travel FILE, or --trips with latitude and longitude of every place")]
    NoFlows,
    /// Neither a date nor the number of a day.
    #[error(
        "{text:?} is neither a date such as 2020-05-31 nor the number of a day, whichever is asked for here"
    )]
    When {
        /// What was given.
        text: String,
    },
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
            Self::Option { .. } => "epi-option",
            Self::Population { .. } => "epi-population",
            Self::Threshold => "epi-threshold",
            Self::Establishment => "epi-establishment",
            Self::NoTravellers { .. } => "epi-no-travellers",
            Self::Place { .. } => "epi-place",
            Self::NoFlows => "epi-no-flows",
            Self::When { .. } => "epi-when",
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
            Self::NotWeekly | Self::Threshold | Self::Establishment | Self::NoFlows => Vec::new(),
            Self::Option { method, option } => vec![("method", method.clone()), ("option", option.clone())],
            Self::Population { series } => vec![("series", series.clone())],
            Self::NoTravellers { to } => vec![("to", to.clone())],
            Self::Place { name } => vec![("name", name.clone())],
            Self::When { text } => vec![("text", text.clone())],
        }
    }
}
