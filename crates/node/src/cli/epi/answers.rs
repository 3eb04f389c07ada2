//! What a question answers: rows under columns, written for people, as CSV or as JSON.

use std::io::{self, Write};

use clap::ValueEnum;

use super::cell::Cell;
use super::report::Report;

/// How answers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people: aligned, four digits
    Table,
    /// Comma-separated values, all digits
    Csv,
    /// JSON, all digits
    Json,
}

/// Answers and what was found on the way.
#[derive(Debug)]
pub struct Answered {
    /// The answers.
    pub answers: Answers,
    /// What was found.
    pub report: Report,
}

/// Rows under columns. In JSON an array of objects, one in a line, or a document that the question makes itself.
#[derive(Debug, Default)]
pub struct Answers {
    /// The names of the columns, as in JSON and CSV.
    pub columns: Vec<&'static str>,
    /// The rows; each has one cell a column.
    pub rows: Vec<Vec<Cell>>,
    /// The whole answer in JSON, where rows are not all of it.
    pub document: Option<serde_json::Value>,
}

impl Answers {
    /// Writes all.
    pub fn write(&self, out: &mut impl Write, format: Format) -> io::Result<()> {
        match (format, &self.document) {
            (Format::Json, Some(document)) => writeln!(out, "{document:#}"),
            (Format::Json, None) => self.write_json(out),
            (Format::Csv, _) => self.write_csv(out),
            (Format::Table, _) => self.write_table(out),
        }
    }

    fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        let keys: Vec<String> = self.columns.iter().map(|column| format!("\"{column}\":")).collect();
        out.write_all(b"[")?;
        for (index, row) in self.rows.iter().enumerate() {
            out.write_all(if index == 0 { b"\n{" } else { b",\n{" })?;
            for (column, (key, cell)) in keys.iter().zip(row).enumerate() {
                if column > 0 {
                    out.write_all(b",")?;
                }
                out.write_all(key.as_bytes())?;
                cell.write_json(out)?;
            }
            out.write_all(b"}")?;
        }
        out.write_all(if self.rows.is_empty() { b"]\n" } else { b"\n]\n" })
    }

    fn write_csv(&self, out: &mut impl Write) -> io::Result<()> {
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(&self.columns).map_err(io::Error::from)?;
        for row in &self.rows {
            writer.write_record(row.iter().map(Cell::csv)).map_err(io::Error::from)?;
        }
        writer.flush()
    }

    fn write_table(&self, out: &mut impl Write) -> io::Result<()> {
        let shown: Vec<Vec<String>> =
            self.rows.iter().map(|row| row.iter().map(Cell::shown).collect()).collect();
        let width = |column: usize| {
            let widest = shown.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
            widest.max(self.columns[column].chars().count())
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        let right: Vec<bool> = (0..self.columns.len())
            .map(|column| self.rows.iter().all(|row| row[column].is_number()))
            .collect();
        let mut line = |cells: Vec<&str>| {
            let mut text = String::new();
            for ((cell, width), right) in cells.iter().zip(&widths).zip(&right) {
                let gap = " ".repeat(width - cell.chars().count());
                let (before, after) = if *right { (gap.as_str(), "") } else { ("", gap.as_str()) };
                text.push_str(before);
                text.push_str(cell);
                text.push_str(after);
                text.push_str("  ");
            }
            writeln!(out, "{}", text.trim_end())
        };
        line(self.columns.clone())?;
        for row in &shown {
            line(row.iter().map(String::as_str).collect())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(format: Format) -> String {
        let answers = Answers {
            columns: vec!["series", "mean", "flags"],
            rows: vec![
                vec!["Saint Lucia, W.I.".into(), 1.5.into(), vec!["prior"].into()],
                vec!["Peru".into(), Cell::Nothing, vec![].into()],
            ],
            document: None,
        };
        let mut out = Vec::new();
        answers.write(&mut out, format).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_same_rows_in_three_forms() {
        let json: serde_json::Value = serde_json::from_str(&written(Format::Json)).unwrap();
        assert_eq!(
            json,
            serde_json::json!([
                { "series": "Saint Lucia, W.I.", "mean": 1.5, "flags": ["prior"] },
                { "series": "Peru", "mean": null, "flags": [] },
            ])
        );
        assert_eq!(written(Format::Csv), "series,mean,flags\n\"Saint Lucia, W.I.\",1.5,prior\nPeru,,\n");
        assert_eq!(
            written(Format::Table),
            "series              mean  flags\nSaint Lucia, W.I.  1.500  prior\nPeru                   –\n"
        );
    }

    #[test]
    fn no_rows_are_an_empty_array() {
        let mut out = Vec::new();
        Answers::default().write(&mut out, Format::Json).unwrap();
        assert_eq!(out, b"[]\n");
    }
}
