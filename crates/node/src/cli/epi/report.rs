//! What was found in the figures, series by series: for `--report`, and its numbers for standard error.

use std::fmt::Write as _;
use std::path::Path;

use epi::finding::{Finding, FindingKind};
use jiff::civil::Date;
use serde_json::json;

use super::fault::EpiError;
use super::input::Source;
use crate::fault::Fault;

/// One thing that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Of which series; none if the file is one.
    pub series: Option<String>,
    /// Of which column.
    pub column: String,
    /// On which date, if that is known.
    pub date: Option<Date>,
    /// In which line of the file, where the date is not enough.
    pub line: Option<u64>,
    /// What: the code of a finding, or of the fault for which the series has no answer.
    pub finding: String,
    /// The figure, or what stands there.
    pub value: String,
    /// More about it: the median of a spike's neighbours, what a spread figure became.
    pub detail: String,
}

/// Everything that was found in a file.
#[derive(Debug, Default)]
pub struct Report {
    /// The SHA-256 of the file that was read, in hex.
    pub sha256: String,
    /// How many series it has.
    pub series: usize,
    /// In the order of series and dates.
    pub entries: Vec<Entry>,
    /// Series without an answer, and why.
    pub refused: Vec<(Option<String>, Fault)>,
    /// What else the asker must know: which published distribution was taken.
    pub remarks: Vec<Fault>,
}

impl Entry {
    /// What was found in a series.
    pub fn of(series: Option<&str>, column: &str, finding: &Finding) -> Self {
        let (value, detail) = match finding.kind {
            FindingKind::Missing(_) => (String::new(), String::new()),
            FindingKind::Negative(figure) => (figure.to_string(), String::new()),
            FindingKind::Spike { figure, median } => (figure.to_string(), format!("median {median}")),
            FindingKind::Spread { before, after } => (before.to_string(), format!("now {after}")),
        };
        Self {
            series: series.map(str::to_owned),
            column: column.to_owned(),
            date: Some(finding.date),
            line: None,
            finding: finding.kind.name().to_owned(),
            value,
            detail,
        }
    }
}

impl Report {
    /// Writes the file of `--report`, if one was asked for: JSON if its name ends so, else CSV.
    pub fn write(&self, source: &Source) -> Result<(), Fault> {
        let Some(path) = &source.report else { return Ok(()) };
        let text = if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json")) {
            self.json(&source.input)
        } else {
            self.csv()
        };
        let failed = |reason: std::io::Error| EpiError::File {
            path: path.display().to_string(),
            reason: reason.to_string(),
        };
        std::fs::write(path, text).map_err(failed)?;
        Ok(())
    }

    fn csv(&self) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let mut write = |cells: [&str; 7]| {
            // Writing into memory cannot fail.
            let _ = writer.write_record(cells);
        };
        write(["series", "column", "date", "line", "finding", "value", "detail"]);
        for entry in &self.entries {
            let date = entry.date.map(|date| date.to_string()).unwrap_or_default();
            let line = entry.line.map(|line| line.to_string()).unwrap_or_default();
            let series = entry.series.as_deref().unwrap_or_default();
            write([series, &entry.column, &date, &line, &entry.finding, &entry.value, &entry.detail]);
        }
        for (series, fault) in &self.refused {
            write([series.as_deref().unwrap_or_default(), "", "", "", &fault.code, "", &fault.message]);
        }
        String::from_utf8_lossy(&writer.into_inner().unwrap_or_default()).into_owned()
    }

    fn json(&self, input: &Path) -> String {
        let entry = |entry: &Entry| {
            json!({
                "series": entry.series, "column": entry.column, "date": entry.date.map(|date| date.to_string()),
                "line": entry.line, "finding": entry.finding, "value": entry.value, "detail": entry.detail,
            })
        };
        let refused = |(series, fault): &(Option<String>, Fault)| json!({ "series": series, "error": fault });
        let document = json!({
            "input": { "file": input.display().to_string(), "sha256": self.sha256 },
            "series": self.series,
            "findings": self.entries.iter().map(entry).collect::<Vec<_>>(),
            "refused": self.refused.iter().map(refused).collect::<Vec<_>>(),
        });
        let mut text = String::new();
        let _ = write!(text, "{document:#}");
        text
    }

    /// What is said on standard error: remarks, how many findings there are and where they stand, and series without an answer.
    pub fn notes(&self, source: Option<&Source>) -> Vec<Fault> {
        let mut notes = self.remarks.clone();
        if !self.entries.is_empty() {
            let mut with: Vec<_> = self.entries.iter().map(|entry| &entry.series).collect();
            with.dedup();
            with.sort_unstable();
            with.dedup();
            let (findings, series) = (self.entries.len(), with.len());
            let note = match source.and_then(|source| source.report.as_ref()) {
                Some(path) => Fault::new(
                    "epi-findings-listed",
                    format!(
                        "findings: {findings}, in series: {series} of {}; listed in {}",
                        self.series,
                        path.display()
                    ),
                )
                .with("report", path.display()),
                None => Fault::new(
                    "epi-findings",
                    format!(
                        "findings: {findings}, in series: {series} of {}; --report FILE lists them",
                        self.series
                    ),
                ),
            };
            notes.push(note.with("findings", findings).with("series", series).with("all", self.series));
        }
        for (series, fault) in &self.refused {
            notes.push(match series {
                Some(series) => fault.clone().at(series),
                None => fault.clone(),
            });
        }
        notes
    }
}
