//! What is wrong with a table or a row of it: a code and arguments for translation, and an English sentence that says
//! what would be right.

use std::fmt;

use super::period::{Date, PeriodError};
use crate::hxl::TAG_ROW_WITHIN;

/// A column, as a person finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnAt {
    /// Counted from 1.
    pub number: usize,
    /// What its header or tag says; may be empty.
    pub header: String,
}

impl fmt::Display for ColumnAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {} ({})", self.number, self.header)
    }
}

/// Why a table cannot be read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// There is no row.
    #[error("the table is empty")]
    Empty,
    /// The table, or its beginning, is not UTF-8.
    #[error("the table is not UTF-8 text; save it as \"CSV UTF-8\"")]
    NotUtf8,
    /// A row among the first ones is too long, has too many columns or a quote that is never closed.
    #[error("the beginning of the table cannot be read as rows: a row is too long, or a quote is not closed")]
    Unreadable,
    /// The source failed.
    #[error("the table cannot be read: {kind}")]
    Io {
        /// What the system says.
        kind: String,
    },
    /// A row of hashtags has a cell that is none.
    #[error("{column}: {text:?} stands in the row of hashtags and is none")]
    TagInvalid {
        /// Where.
        column: ColumnAt,
        /// What stands there.
        text: String,
    },
    /// A tag of an indicator or a group says something that is not understood.
    #[error(
        "{column}: {tag} says something that is not understood here; map the column to a tag that is, or to nothing"
    )]
    TagUnclear {
        /// Where.
        column: ColumnAt,
        /// The tag.
        tag: String,
    },
    /// Two columns say the same thing.
    #[error("{first} and {second} say the same thing; map one of them to nothing")]
    Twice {
        /// The first column.
        first: ColumnAt,
        /// The second one.
        second: ColumnAt,
    },
    /// No column has the date.
    #[error(
        "no column holds the date: tag one #date, or map it; hashtags must stand in the first {TAG_ROW_WITHIN} rows"
    )]
    NoDate,
    /// Only one end of the period has a column.
    #[error("a period needs both #date+start and #date+end")]
    HalfPeriod,
    /// No column has the place, and none was given for the whole table.
    #[error(
        "no column holds the place: tag one #country+code or #country+name, or give the place of the whole table"
    )]
    NoPlace,
    /// No column has an indicator.
    #[error(
        "no column holds an indicator: tag one, such as #affected+infected+confirmed+cumulative, or map it"
    )]
    NoIndicator,
    /// A mapped header is not in the table.
    #[error("no column has the header {header:?} that is mapped")]
    HeaderMissing {
        /// The header.
        header: String,
    },
    /// The mapping cannot be read.
    #[error(
        "{text:?} is no mapping: write Header=#tag, or Header=- for a column to leave out, parted by commas"
    )]
    Map {
        /// From where on it cannot be read.
        text: String,
    },
}

impl LayoutError {
    /// The machine code, stable.
    pub fn code(&self) -> &'static str {
        match self {
            LayoutError::Empty => "table-empty",
            LayoutError::NotUtf8 => "table-not-utf8",
            LayoutError::Unreadable => "table-unreadable",
            LayoutError::Io { .. } => "table-io",
            LayoutError::TagInvalid { .. } => "tag-invalid",
            LayoutError::TagUnclear { .. } => "tag-unclear",
            LayoutError::Twice { .. } => "columns-twice",
            LayoutError::NoDate => "column-date-missing",
            LayoutError::HalfPeriod => "column-period-half",
            LayoutError::NoPlace => "column-place-missing",
            LayoutError::NoIndicator => "column-indicator-missing",
            LayoutError::HeaderMissing { .. } => "map-header-missing",
            LayoutError::Map { .. } => "map-invalid",
        }
    }

    /// The arguments of the message, by name.
    pub fn args(&self) -> Vec<(&'static str, String)> {
        match self {
            LayoutError::TagInvalid { column, text } => column_args(column, [("text", text.clone())]),
            LayoutError::TagUnclear { column, tag } => column_args(column, [("tag", tag.clone())]),
            LayoutError::Twice { first, second } => {
                let args = [("second", second.number.to_string()), ("second-header", second.header.clone())];
                column_args(first, args)
            }
            LayoutError::HeaderMissing { header } => vec![("header", header.clone())],
            LayoutError::Map { text } => vec![("text", text.clone())],
            LayoutError::Io { kind } => vec![("kind", kind.clone())],
            _ => Vec::new(),
        }
    }
}

fn column_args<const N: usize>(
    column: &ColumnAt,
    more: [(&'static str, String); N],
) -> Vec<(&'static str, String)> {
    let mut args = vec![("column", column.number.to_string()), ("header", column.header.clone())];
    args.extend(more);
    args
}

/// One thing that is wrong in one row. The row is refused as a whole; every problem of it is told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("row {row}{}: {problem}", .column.as_ref().map(|column| format!(", {column}")).unwrap_or_default())]
pub struct RowError {
    /// The line on which the row begins, from 1.
    pub row: u64,
    /// The column, if it is about one.
    pub column: Option<ColumnAt>,
    /// What is wrong.
    pub problem: Problem,
}

impl RowError {
    /// The machine code, stable.
    pub fn code(&self) -> &'static str {
        self.problem.code()
    }

    /// The arguments of the message, by name: `row`, `column` and `header` where they apply, then the problem's own.
    pub fn args(&self) -> Vec<(&'static str, String)> {
        let mut args = vec![("row", self.row.to_string())];
        if let Some(column) = &self.column {
            args.extend(column_args(column, []));
        }
        args.extend(self.problem.args());
        args
    }

    /// Whether reading ends here: the rest of the table was not looked at.
    pub fn is_fatal(&self) -> bool {
        use Problem::{Io, QuoteNotClosed, RowTooLong, TooManyColumns, TooManyFigures, TooManyRows};
        matches!(
            self.problem,
            RowTooLong { .. }
                | TooManyColumns { .. }
                | TooManyRows { .. }
                | TooManyFigures { .. }
                | QuoteNotClosed
                | Io { .. }
        )
    }
}

/// What can be wrong in a row. `text` is what stands in the cell, its first 80 characters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // The messages say it.
pub enum Problem {
    #[error("has {found} cells, the header has {expected}")]
    CellsMissing { found: usize, expected: usize },
    #[error("has {found} cells, the header has {expected}; is a cell not quoted?")]
    CellsExtra { found: usize, expected: usize },
    #[error("is not UTF-8 text")]
    NotUtf8,
    #[error("is longer than {limit} bytes")]
    FieldTooLong { limit: usize },
    #[error("has no date")]
    DateMissing,
    #[error("{text:?}: say whether the day or the month comes first, or write {}", either(*.day_first, *.month_first))]
    DateUnclear { text: String, day_first: Option<Date>, month_first: Option<Date> },
    #[error("{text:?} has a year of two digits; write YYYY-MM-DD")]
    DateShortYear { text: String },
    #[error("{text:?} has a time of day; a figure holds for days: write YYYY-MM-DD")]
    DateHasTime { text: String },
    #[error("{text:?} is no date; write YYYY-MM-DD")]
    DateInvalid { text: String },
    #[error("{text:?} ends before it begins")]
    PeriodReversed { text: String },
    #[error("has no place")]
    PlaceMissing,
    #[error("{text:?} is no ISO 3166-1 code; a place without one belongs in a column of names")]
    CountryCodeUnknown { text: String },
    #[error("the code says {code}, the name says {name}")]
    PlaceContradiction { code: String, name: String },
    #[error("{text:?} can be no place: at most 200 bytes, without control characters and |")]
    PlaceInvalid { text: String },
    #[error("{text:?} is below zero; a cumulative count never is, others only if the import says so")]
    ValueNegative { text: String },
    #[error("{text:?} has a fraction, and people are whole")]
    ValueFractional { text: String },
    #[error("{text:?} has separators between its digits; say which one, or write digits only")]
    ValueSeparated { text: String },
    #[error("{text:?} is no number; leave the cell empty where nothing is stated")]
    ValueInvalid { text: String },
    #[error("{text:?} has more than 18 digits")]
    ValueTooLong { text: String },
    #[error("has a value and no indicator")]
    IndicatorMissing,
    #[error("{text:?} is no indicator: lower-case letters, digits and -, at most 64")]
    IndicatorInvalid { text: String },
    #[error("{text:?} is no definition: lower-case letters, digits and - . _ /, at most 64")]
    DefinitionInvalid { text: String },
    #[error("{text:?} is no part of a population: at most 64 bytes, without control characters and | , =")]
    DisaggregationInvalid { text: String },
    #[error("the text is longer than 2,000 bytes or has control characters")]
    TextInvalid,
    #[error("is longer than {limit} bytes; is a quote not closed? Nothing after it was read")]
    RowTooLong { limit: usize },
    #[error("has more than {limit} cells; nothing after it was read")]
    TooManyColumns { limit: usize },
    #[error("is beyond the limit of {limit} rows; nothing from here on was read")]
    TooManyRows { limit: u64 },
    #[error("brings the table over the limit of {limit} figures; nothing from here on was read")]
    TooManyFigures { limit: u64 },
    #[error("has a quote that is not closed before the end of the table")]
    QuoteNotClosed,
    #[error("the table could not be read on: {kind}")]
    Io { kind: String },
}

impl Problem {
    /// The machine code, stable.
    pub fn code(&self) -> &'static str {
        match self {
            Problem::CellsMissing { .. } => "cells-missing",
            Problem::CellsExtra { .. } => "cells-extra",
            Problem::NotUtf8 => "not-utf8",
            Problem::FieldTooLong { .. } => "field-too-long",
            Problem::DateMissing => "date-missing",
            Problem::DateUnclear { .. } => "date-unclear",
            Problem::DateShortYear { .. } => "date-short-year",
            Problem::DateHasTime { .. } => "date-has-time",
            Problem::DateInvalid { .. } => "date-invalid",
            Problem::PeriodReversed { .. } => "period-reversed",
            Problem::PlaceMissing => "place-missing",
            Problem::CountryCodeUnknown { .. } => "country-code-unknown",
            Problem::PlaceContradiction { .. } => "place-contradiction",
            Problem::PlaceInvalid { .. } => "place-invalid",
            Problem::ValueNegative { .. } => "value-negative",
            Problem::ValueFractional { .. } => "value-fractional",
            Problem::ValueSeparated { .. } => "value-separated",
            Problem::ValueInvalid { .. } => "value-invalid",
            Problem::ValueTooLong { .. } => "value-too-long",
            Problem::IndicatorMissing => "indicator-missing",
            Problem::IndicatorInvalid { .. } => "indicator-invalid",
            Problem::DefinitionInvalid { .. } => "definition-invalid",
            Problem::DisaggregationInvalid { .. } => "disaggregation-invalid",
            Problem::TextInvalid => "text-invalid",
            Problem::RowTooLong { .. } => "row-too-long",
            Problem::TooManyColumns { .. } => "columns-too-many",
            Problem::TooManyRows { .. } => "rows-too-many",
            Problem::TooManyFigures { .. } => "figures-too-many",
            Problem::QuoteNotClosed => "quote-not-closed",
            Problem::Io { .. } => "io",
        }
    }

    /// The arguments of the message, by name. A date that does not exist is empty.
    pub fn args(&self) -> Vec<(&'static str, String)> {
        let date = |date: &Option<Date>| date.map(|date| date.to_string()).unwrap_or_default();
        match self {
            Problem::CellsMissing { found, expected } | Problem::CellsExtra { found, expected } => {
                vec![("found", found.to_string()), ("expected", expected.to_string())]
            }
            Problem::DateUnclear { text, day_first, month_first } => {
                vec![
                    ("text", text.clone()),
                    ("day-first", date(day_first)),
                    ("month-first", date(month_first)),
                ]
            }
            Problem::PlaceContradiction { code, name } => {
                vec![("code", code.clone()), ("name", name.clone())]
            }
            Problem::FieldTooLong { limit }
            | Problem::RowTooLong { limit }
            | Problem::TooManyColumns { limit } => {
                vec![("limit", limit.to_string())]
            }
            Problem::TooManyRows { limit } | Problem::TooManyFigures { limit } => {
                vec![("limit", limit.to_string())]
            }
            Problem::Io { kind } => vec![("kind", kind.clone())],
            Problem::DateShortYear { text }
            | Problem::DateHasTime { text }
            | Problem::DateInvalid { text }
            | Problem::PeriodReversed { text }
            | Problem::CountryCodeUnknown { text }
            | Problem::PlaceInvalid { text }
            | Problem::ValueNegative { text }
            | Problem::ValueFractional { text }
            | Problem::ValueSeparated { text }
            | Problem::ValueInvalid { text }
            | Problem::ValueTooLong { text }
            | Problem::IndicatorInvalid { text }
            | Problem::DefinitionInvalid { text }
            | Problem::DisaggregationInvalid { text } => vec![("text", text.clone())],
            Problem::NotUtf8
            | Problem::DateMissing
            | Problem::PlaceMissing
            | Problem::IndicatorMissing
            | Problem::TextInvalid
            | Problem::QuoteNotClosed => Vec::new(),
        }
    }

    pub(crate) fn of_period(error: PeriodError, text: &str) -> Problem {
        let text = shown(text);
        match error {
            PeriodError::Unclear { day_first, month_first } => {
                Problem::DateUnclear { text, day_first, month_first }
            }
            PeriodError::ShortYear => Problem::DateShortYear { text },
            PeriodError::HasTime => Problem::DateHasTime { text },
            PeriodError::NotADate => Problem::DateInvalid { text },
            PeriodError::Reversed => Problem::PeriodReversed { text },
        }
    }
}

/// The beginning of what stands in a cell, as errors show it.
pub(crate) fn shown(text: &str) -> String {
    text.trim().chars().take(80).collect()
}

fn either(day_first: Option<Date>, month_first: Option<Date>) -> String {
    let dates: Vec<String> = day_first.into_iter().chain(month_first).map(|date| date.to_string()).collect();
    dates.join(" or ")
}
