//! The dry run: what an import would do, row by row, before it does anything.
//!
//! A figure that was never stated is new; one that was stated with the same value says nothing; one with another value is
//! a correction, and without a reason it is refused. The ledger of what was stated is the caller's.
//!
//! Memory: eight bytes per figure, to see that a table states a figure once, and a bounded table of series.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher};
use std::io::Read;

use super::error::RowError;
use super::figure::{Figure, FigureKey, Text};
use super::period::Date;
use super::reader::FigureReader;
use super::value::Value;

/// How many series are watched for cumulative counts that fall.
const MAX_SERIES: usize = 65_536;

/// What its author already stated.
pub trait Ledger {
    /// The value in force of a figure, if it was ever stated.
    fn stated(&self, key: &FigureKey) -> Option<Value>;
}

impl<F: Fn(&FigureKey) -> Option<Value>> Ledger for F {
    fn stated(&self, key: &FigureKey) -> Option<Value> {
        self(key)
    }
}

/// What is said once for the whole import.
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    /// The reason of every correction whose row gives none (`--reason`).
    pub reason: Option<Text>,
    /// The last day that a figure may be of: what is later is a projection, and not counted by anybody.
    pub last_day: Option<Date>,
}

/// What the import would do with a figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// State it for the first time.
    New,
    /// Nothing: it is stated already, with this value.
    Same,
    /// Correct it.
    Correction {
        /// The value that was stated.
        old: Value,
        /// Why it changes.
        reason: Text,
    },
    /// Refuse it: it would be a correction without a reason.
    MissingReason {
        /// The value that was stated.
        old: Value,
    },
    /// Refuse it: an earlier row of this table states the same figure.
    StatedTwice,
    /// Refuse it: its period ends too late to be a count.
    TooFarAhead {
        /// The last day that a figure may be of.
        last: Date,
    },
}

impl Outcome {
    /// The machine code, stable.
    pub fn code(&self) -> &'static str {
        match self {
            Outcome::New => "figure-new",
            Outcome::Same => "figure-same",
            Outcome::Correction { .. } => "figure-correction",
            Outcome::MissingReason { .. } => "figure-reason-missing",
            Outcome::StatedTwice => "figure-stated-twice",
            Outcome::TooFarAhead { .. } => "figure-too-far-ahead",
        }
    }

    /// Whether the figure is refused.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Outcome::MissingReason { .. } | Outcome::StatedTwice | Outcome::TooFarAhead { .. })
    }
}

/// A cumulative count that is lower than the one before it in the table. It is stated all the same, and shown to the
/// person who imports: the author may have changed a definition, or have made a mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fall {
    /// The last day of the earlier figure.
    pub since: Date,
    /// Its value.
    pub from: Value,
}

/// One figure, and what would become of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// The figure; of a correction, with the reason that counts.
    pub figure: Figure,
    /// What the import would do.
    pub outcome: Outcome,
    /// Whether the count falls. Seen where a table has the days in order.
    pub fall: Option<Fall>,
}

/// What would become of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowReport {
    /// The line on which it begins, from 1.
    pub row: u64,
    /// Its figures. None if the row cannot be read.
    pub figures: Vec<Assessment>,
    /// Everything that is wrong with it.
    pub errors: Vec<RowError>,
}

impl RowReport {
    /// Whether the row, or any figure in it, is refused.
    pub fn is_refused(&self) -> bool {
        !self.errors.is_empty() || self.figures.iter().any(|figure| figure.outcome.is_refusal())
    }
}

/// The whole table in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// Rows that are not blank, refused ones included.
    pub rows: u64,
    /// Rows of which something is refused.
    pub rows_refused: u64,
    /// Figures that were read.
    pub figures: u64,
    /// Those never stated before.
    pub new: u64,
    /// Those that are stated already.
    pub same: u64,
    /// Corrections with a reason.
    pub corrections: u64,
    /// Corrections without one: refused.
    pub missing_reason: u64,
    /// Figures that the table states more than once: refused from the second on.
    pub stated_twice: u64,
    /// Figures of days that are too far ahead: refused.
    pub too_far_ahead: u64,
    /// Cumulative counts that fall.
    pub falls: u64,
    /// The rest of the table was not looked at.
    pub ended_early: bool,
}

impl ImportReport {
    /// Whether nothing is refused, so that the table may be imported.
    pub fn is_accepted(&self) -> bool {
        self.rows_refused == 0 && !self.ended_early
    }

    fn add(&mut self, report: &RowReport) {
        self.rows += 1;
        self.rows_refused += u64::from(report.is_refused());
        self.ended_early |= report.errors.iter().any(RowError::is_fatal);
        for Assessment { outcome, fall, .. } in &report.figures {
            self.figures += 1;
            self.falls += u64::from(fall.is_some());
            let count = match outcome {
                Outcome::New => &mut self.new,
                Outcome::Same => &mut self.same,
                Outcome::Correction { .. } => &mut self.corrections,
                Outcome::MissingReason { .. } => &mut self.missing_reason,
                Outcome::StatedTwice => &mut self.stated_twice,
                Outcome::TooFarAhead { .. } => &mut self.too_far_ahead,
            };
            *count += 1;
        }
    }
}

/// Reads a table to its end and reports every row, in order. Nothing is kept and nothing is changed: the caller that
/// imports takes the figures from the reports.
pub fn dry_run<R: Read, L: Ledger>(
    reader: FigureReader<R>,
    ledger: &L,
    options: &ImportOptions,
    mut each: impl FnMut(&RowReport),
) -> ImportReport {
    let mut assessor = Assessor::default();
    let mut total = ImportReport::default();
    let mut refused: Option<RowReport> = None;
    let mut tell = |report: &RowReport| {
        total.add(report);
        each(report);
    };
    for row in reader {
        match row {
            Ok(row) => {
                if let Some(report) = refused.take() {
                    tell(&report);
                }
                let assess = |figure| assessor.assess(figure, ledger, options);
                let figures = row.figures.into_iter().map(assess).collect();
                tell(&RowReport { row: row.number, figures, errors: Vec::new() });
            }
            Err(error) => match &mut refused {
                Some(report) if report.row == error.row => report.errors.push(error),
                _ => {
                    let report = RowReport { row: error.row, figures: Vec::new(), errors: vec![error] };
                    if let Some(before) = refused.replace(report) {
                        tell(&before);
                    }
                }
            },
        }
    }
    if let Some(report) = refused {
        tell(&report);
    }
    total
}

/// Remembers what the table said so far.
#[derive(Default)]
struct Assessor {
    seen: HashSet<u64, BuildHasherDefault<Fingerprint>>,
    series: HashMap<u64, (Date, Value), BuildHasherDefault<Fingerprint>>,
}

impl Assessor {
    fn assess<L: Ledger>(&mut self, mut figure: Figure, ledger: &L, options: &ImportOptions) -> Assessment {
        let series = series_of(&figure.key);
        let mut whole = series.clone();
        figure.key.period.hash(&mut whole);
        // Two figures of 6,000,000 have the same 64 bits about once in a million tables; a row would be refused then.
        if !self.seen.insert(whole.finish()) {
            return Assessment { figure, outcome: Outcome::StatedTwice, fall: None };
        }
        if let Some(last) = options.last_day.filter(|last| figure.key.period.end() > *last) {
            return Assessment { figure, outcome: Outcome::TooFarAhead { last }, fall: None };
        }
        let fall = self.fall(series.finish(), &figure);
        let outcome = match ledger.stated(&figure.key) {
            None => Outcome::New,
            Some(old) if old == figure.value => Outcome::Same,
            Some(old) => match figure.reason.clone().or_else(|| options.reason.clone()) {
                Some(reason) => {
                    figure.reason = Some(reason.clone());
                    Outcome::Correction { old, reason }
                }
                None => Outcome::MissingReason { old },
            },
        };
        Assessment { figure, outcome, fall }
    }

    fn fall(&mut self, series: u64, figure: &Figure) -> Option<Fall> {
        if !figure.key.indicator.is_cumulative() {
            return None;
        }
        let now = (figure.key.period.end(), figure.value);
        if self.series.len() >= MAX_SERIES && !self.series.contains_key(&series) {
            return None;
        }
        let (since, from) = self.series.insert(series, now)?;
        (since < now.0 && from > now.1).then_some(Fall { since, from })
    }
}

/// Everything of a key but the period.
fn series_of(key: &FigureKey) -> DefaultHasher {
    let mut hasher = DefaultHasher::new();
    key.place.hash(&mut hasher);
    key.definition.hash(&mut hasher);
    key.disaggregation.hash(&mut hasher);
    key.indicator.hash(&mut hasher);
    hasher
}

/// Takes 64 bits that are a hash already as they are.
#[derive(Default)]
struct Fingerprint(u64);

impl Hasher for Fingerprint {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("only finished hashes are kept");
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}
