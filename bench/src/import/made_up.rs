//! A table of figures of every country for many days, made row by row as it is read. All figures are invented.

use std::fmt::Write as _;
use std::io::Read;

use formats::figures::Date;
use formats::places::{LANGUAGES, PlaceNames};

/// Days that are the same for every place, so that a million rows have as many different figures.
const DAYS_PER_YEAR: u64 = 336;
/// Rows made at a time.
const CHUNK: u64 = 500;

/// Writes the table as it is asked for; it is never in memory.
pub struct Table {
    names: Vec<String>,
    rows: u64,
    at: u64,
    chunk: Vec<u8>,
    from: usize,
}

impl Table {
    /// A table of so many rows under one of headings.
    pub fn new(rows: u64) -> Self {
        let places = PlaceNames::bundled();
        // Every country, called in the languages in turn: matching is part of what is measured.
        let names = places
            .countries()
            .zip(LANGUAGES.into_iter().cycle())
            .filter_map(|(country, language)| places.name(country, language))
            .map(|name| if name.contains(',') { format!("\"{name}\"") } else { name.to_owned() })
            .collect();
        let chunk = b"Date,Country,Confirmed,Recovered,Deaths\n".to_vec();
        Self { names, rows, at: 0, chunk, from: 0 }
    }

    fn next_chunk(&mut self) {
        let mut chunk = String::new();
        let until = (self.at + CHUNK).min(self.rows);
        while self.at < until {
            let place = &self.names[usize::try_from(self.at).unwrap_or(0) % self.names.len()];
            let day = self.at / self.names.len() as u64;
            let part = |number: u64| u8::try_from(number).expect("a part of a date");
            let year = u16::try_from(2000 + day / DAYS_PER_YEAR).expect("a year");
            let date =
                Date::new(year, part(day % DAYS_PER_YEAR / 28 + 1), part(day % 28 + 1)).expect("a date");
            // Cumulative counts grow, as real ones do.
            let cases = day * 31 + self.at * 7 % 31;
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
        Ok(count)
    }
}
