//! The canonical table: one text for one set of figures, with an HXL tag row and without headers, which have a language.
//!
//! Rows are in the order of the keys, columns are those that the figures need, lines end with `\n`, and cells are quoted only
//! where they must be. Reading it back gives the same figures in the same order.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::figure::{DefinitionId, Figure, FigureKey};
use super::indicator::Indicator;
use super::interpret::{ValueRule, check_value};
use crate::places::Place;

/// Why figures cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// There is nothing to write.
    #[error("a table needs at least one figure")]
    Empty,
    /// Two figures have one key.
    #[error("{key} is stated twice")]
    Twice {
        /// Which.
        key: Box<FigureKey>,
    },
    /// The value is not one that its indicator can have.
    #[error("{key}: a cumulative count is not below zero, and people are whole")]
    Value {
        /// Which.
        key: Box<FigureKey>,
    },
}

impl WriteError {
    /// The machine code, stable.
    pub fn code(&self) -> &'static str {
        match self {
            WriteError::Empty => "figures-none",
            WriteError::Twice { .. } => "figure-stated-twice",
            WriteError::Value { .. } => "figure-value-impossible",
        }
    }
}

/// The columns that a set of figures needs.
#[allow(clippy::struct_excessive_bools)] // Each says of one column whether it is there.
struct Columns<'a> {
    ranges: bool,
    countries: bool,
    named: bool,
    definitions: bool,
    groups: BTreeSet<&'a str>,
    indicators: Vec<&'a Indicator>,
    reasons: bool,
    sources: bool,
}

/// Writes the canonical table of a set of figures. Their order does not matter.
pub fn write_hxl(figures: &[Figure]) -> Result<Vec<u8>, WriteError> {
    let mut sorted: Vec<&Figure> = figures.iter().collect();
    sorted.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    check(&sorted)?;
    let columns = Columns::of(&sorted);
    let mut table = String::with_capacity(figures.len() * 32 + 256);
    columns.write_tags(&mut table);
    for row in sorted.chunk_by(|a, b| same_row(a, b)) {
        columns.write_row(&mut table, row);
    }
    Ok(table.into_bytes())
}

fn check(sorted: &[&Figure]) -> Result<(), WriteError> {
    if sorted.is_empty() {
        return Err(WriteError::Empty);
    }
    if let Some(pair) = sorted.windows(2).find(|pair| pair[0].key == pair[1].key) {
        return Err(WriteError::Twice { key: Box::new(pair[0].key.clone()) });
    }
    for figure in sorted {
        check_value(&figure.key.indicator, figure.value).map_err(|rule| match rule {
            ValueRule::Negative | ValueRule::Fractional => {
                WriteError::Value { key: Box::new(figure.key.clone()) }
            }
        })?;
    }
    Ok(())
}

/// Whether two figures that follow each other stand in one row. Their indicators differ then, in the order of the columns.
fn same_row(a: &Figure, b: &Figure) -> bool {
    a.key.place == b.key.place
        && a.key.period == b.key.period
        && a.key.definition == b.key.definition
        && a.key.disaggregation == b.key.disaggregation
        && a.reason == b.reason
        && a.source == b.source
}

impl<'a> Columns<'a> {
    fn of(figures: &[&'a Figure]) -> Columns<'a> {
        let indicators: BTreeSet<&Indicator> = figures.iter().map(|figure| &figure.key.indicator).collect();
        let as_reported = DefinitionId::as_reported();
        Columns {
            ranges: figures.iter().any(|figure| !figure.key.period.is_day()),
            countries: figures.iter().any(|figure| figure.key.place.country().is_some()),
            named: figures.iter().any(|figure| figure.key.place.country().is_none()),
            definitions: figures.iter().any(|figure| figure.key.definition != as_reported),
            groups: figures
                .iter()
                .flat_map(|figure| figure.key.disaggregation.pairs())
                .map(|(name, _)| name)
                .collect(),
            indicators: indicators.into_iter().collect(),
            reasons: figures.iter().any(|figure| figure.reason.is_some()),
            sources: figures.iter().any(|figure| figure.source.is_some()),
        }
    }

    fn write_tags(&self, table: &mut String) {
        let mut row = RowWriter::new(table);
        if self.ranges {
            row.cell("#date+start");
            row.cell("#date+end");
        } else {
            row.cell("#date");
        }
        row.cell_if(self.countries, "#country+code+v_iso3");
        row.cell_if(self.named, "#loc+name");
        row.cell_if(self.definitions, "#meta+definition");
        for name in &self.groups {
            row.cell(&format!("#group+{name}"));
        }
        for indicator in &self.indicators {
            row.cell(&indicator.tag());
        }
        row.cell_if(self.reasons, "#meta+reason");
        row.cell_if(self.sources, "#meta+source");
        row.end();
    }

    fn write_row(&self, table: &mut String, figures: &[&Figure]) {
        let Some(first) = figures.first() else { return };
        let key = &first.key;
        let mut row = RowWriter::new(table);
        row.plain(key.period.start());
        if self.ranges {
            row.plain(key.period.end());
        }
        let (country, named) = match &key.place {
            Place::Country(code) => (code.as_str(), ""),
            Place::Named(text) => ("", &**text),
        };
        row.cell_if(self.countries, country);
        row.cell_if(self.named, named);
        row.cell_if(self.definitions, key.definition.as_str());
        for name in &self.groups {
            row.cell(key.disaggregation.get(name).unwrap_or_default());
        }
        let mut rest = figures.iter().peekable();
        for indicator in &self.indicators {
            match rest.next_if(|figure| figure.key.indicator == **indicator) {
                Some(figure) => row.plain(figure.value),
                None => row.cell(""),
            }
        }
        row.cell_if(self.reasons, first.reason.as_deref().unwrap_or_default());
        row.cell_if(self.sources, first.source.as_deref().unwrap_or_default());
        row.end();
    }
}

struct RowWriter<'a> {
    table: &'a mut String,
    first: bool,
}

impl<'a> RowWriter<'a> {
    fn new(table: &'a mut String) -> RowWriter<'a> {
        RowWriter { table, first: true }
    }

    fn part(&mut self) {
        if !self.first {
            self.table.push(',');
        }
        self.first = false;
    }

    fn cell_if(&mut self, there: bool, text: &str) {
        if there {
            self.cell(text);
        }
    }

    fn cell(&mut self, text: &str) {
        self.part();
        if text.contains([',', '"', '\n', '\r']) {
            self.table.push('"');
            self.table.push_str(&text.replace('"', "\"\""));
            self.table.push('"');
        } else {
            self.table.push_str(text);
        }
    }

    /// Something whose text never needs quotes.
    fn plain(&mut self, it: impl std::fmt::Display) {
        self.part();
        write!(self.table, "{it}").expect("writing to a string does not fail");
    }

    fn end(self) {
        self.table.push('\n');
    }
}
