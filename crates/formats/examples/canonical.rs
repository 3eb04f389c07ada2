//! Reads a table of figures from standard input and writes it as the canonical HXL table to standard output:
//! `cargo run -p formats --example canonical -- "Datum=#date,Land=#country+name,Tote=#affected+killed+total" < table.csv`.
//!
//! The argument maps headers and may be left out where tags or common headers say enough. Problems, and cumulative counts that
//! fall, are told on standard error; if a row is refused, nothing is written.

use std::io::{Read, Write, stdin, stdout};
use std::process::ExitCode;

use formats::figures::{
    FigureKey, FigureReader, HeaderMap, ImportOptions, ReadOptions, Value, dry_run, write_hxl,
};

fn main() -> ExitCode {
    let mut table = Vec::new();
    if let Err(error) = stdin().read_to_end(&mut table) {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    match canonical(&table) {
        Ok(canonical) => match stdout().write_all(&canonical) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn canonical(table: &[u8]) -> Result<Vec<u8>, String> {
    let map =
        HeaderMap::read(&std::env::args().nth(1).unwrap_or_default()).map_err(|error| error.to_string())?;
    let options = ReadOptions { map, ..ReadOptions::default() };
    let reader = FigureReader::new(table, options).map_err(|error| error.to_string())?;
    let mut figures = Vec::new();
    let nothing_stated = |_: &FigureKey| -> Option<Value> { None };
    let report = dry_run(reader, &nothing_stated, &ImportOptions::default(), |row| {
        for error in &row.errors {
            eprintln!("{error}");
        }
        for assessed in &row.figures {
            if assessed.outcome.is_refusal() {
                eprintln!("row {}: {}: {}", row.row, assessed.figure.key, assessed.outcome.code());
            }
            if let Some(fall) = &assessed.fall {
                let (key, value) = (&assessed.figure.key, assessed.figure.value);
                eprintln!("row {}: {key} falls from {} on {} to {value}", row.row, fall.from, fall.since);
            }
            figures.push(assessed.figure.clone());
        }
    });
    if !report.is_accepted() {
        return Err(format!(
            "{} of {} rows are refused: nothing is written",
            report.rows_refused, report.rows
        ));
    }
    write_hxl(&figures).map_err(|error| error.to_string())
}
