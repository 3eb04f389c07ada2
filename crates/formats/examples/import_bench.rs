//! How fast a table of figures is checked, and in how much memory: `cargo run --release -p formats --example import_bench`.
//!
//! Makes a table of 1,000,000 rows (or as many as the first argument says) while it is read, so that the table itself is never
//! in memory, and runs the dry run over it: parsing, matching names of countries, and the test for figures stated twice.
//! Prints rows per second, by the clock and by the time that the processor really worked on it, which is what counts on a
//! machine that has other work to do, and the peak of resident memory.

use std::fmt::Write as _;
use std::io::Read;
use std::time::Instant;

use formats::figures::{Date, FigureKey, FigureReader, ImportOptions, ReadOptions, Value, dry_run};
use formats::places::{LANGUAGES, PlaceNames};

/// Days that are the same for every place, so that a million rows have as many different figures.
const DAYS_PER_YEAR: u64 = 336;

/// Writes the table row by row, as it is asked for.
struct Table {
    names: Vec<String>,
    rows: u64,
    at: u64,
    chunk: Vec<u8>,
    from: usize,
    bytes: u64,
}

impl Table {
    fn new(rows: u64) -> Table {
        let places = PlaceNames::bundled();
        // Every country, called in the languages in turn: matching is part of what is measured.
        let names = places
            .countries()
            .zip(LANGUAGES.into_iter().cycle())
            .filter_map(|(country, language)| places.name(country, language))
            .map(|name| if name.contains(',') { format!("\"{name}\"") } else { name.to_owned() })
            .collect();
        let chunk = b"Date,Country,Confirmed,Recovered,Deaths\n".to_vec();
        Table { names, rows, at: 0, chunk, from: 0, bytes: 0 }
    }

    fn next_chunk(&mut self) {
        let mut chunk = String::new();
        let until = (self.at + 500).min(self.rows);
        while self.at < until {
            let place = &self.names[usize::try_from(self.at).unwrap_or(0) % self.names.len()];
            let day = self.at / self.names.len() as u64;
            let part = |number: u64| u8::try_from(number).expect("a part of a date");
            let year = u16::try_from(2000 + day / DAYS_PER_YEAR).expect("a year");
            let date =
                Date::new(year, part(day % DAYS_PER_YEAR / 28 + 1), part(day % 28 + 1)).expect("a date");
            let cases = self.at * 7 % 900_000;
            writeln!(chunk, "{date},{place},{cases},{},{}", cases / 2, cases / 50).expect("a string");
            self.at += 1;
        }
        self.chunk = chunk.into_bytes();
        self.from = 0;
    }
}

impl Read for Table {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.from == self.chunk.len() {
            self.next_chunk();
        }
        let rest = &self.chunk[self.from..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.from += count;
        self.bytes += count as u64;
        Ok(count)
    }
}

/// The peak of resident memory in bytes, where the system says it.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib * 1024)
}

/// Seconds that a processor worked for this process, where the system says it.
#[allow(clippy::cast_precision_loss)] // A hundredth of a second is enough.
fn processor_seconds() -> Option<f64> {
    let schedule = std::fs::read_to_string("/proc/self/schedstat").ok()?;
    let nanoseconds: u64 = schedule.split_whitespace().next()?.parse().ok()?;
    Some(nanoseconds as f64 / 1e9)
}

#[allow(clippy::cast_precision_loss)] // Printed with one decimal.
fn main() {
    let rows = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let mut making = Table::new(rows);
    let started = Instant::now();
    std::io::copy(&mut making, &mut std::io::sink()).expect("the table");
    let to_make = started.elapsed();

    let worked = processor_seconds();
    let started = Instant::now();
    let mut table = Table::new(rows);
    let reader = FigureReader::new(&mut table, ReadOptions::default()).expect("a layout");
    let nothing_stated = |_: &FigureKey| -> Option<Value> { None };
    let mut refused = 0_u64;
    let report = dry_run(reader, &nothing_stated, &ImportOptions::default(), |row| {
        refused += u64::from(row.is_refused());
    });
    let took = started.elapsed();
    let worked = processor_seconds().zip(worked).map(|(now, before)| now - before);
    assert_eq!((report.rows, report.new, refused), (rows, rows * 3, 0), "every row is good");

    println!("rows        {rows}, {} figures, {:.1} MB", report.figures, table.bytes as f64 / 1e6);
    println!("rows/s      {:.0} ({:.2} s)", rows as f64 / took.as_secs_f64(), took.as_secs_f64());
    if let Some(worked) = worked {
        println!("            {:.0} per second of processor time ({worked:.2} s)", rows as f64 / worked);
    }
    println!("            making the table included: {:.2} s", to_make.as_secs_f64());
    match peak() {
        Some(bytes) => println!("peak memory {:.1} MB", bytes as f64 / 1e6),
        None => println!("peak memory is not known on this system"),
    }
}
