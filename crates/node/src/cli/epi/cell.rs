//! One value of an answer, and how it is written in a table for people, in CSV and in JSON.

use std::io::{self, Write};

use jiff::civil::Date;

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// No value: `null` in JSON, empty in CSV, a dash in a table.
    Nothing,
    /// Words of a program: names and codes.
    Text(String),
    /// A number. One that is not finite is written as no value.
    Number(f64),
    /// A day.
    Day(Date),
    /// Yes or no.
    Truth(bool),
    /// Codes.
    Codes(Vec<&'static str>),
}

impl From<f64> for Cell {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<usize> for Cell {
    #[allow(clippy::cast_precision_loss)] // Numbers of days and cases.
    fn from(number: usize) -> Self {
        Self::Number(number as f64)
    }
}

impl From<Date> for Cell {
    fn from(date: Date) -> Self {
        Self::Day(date)
    }
}

impl From<bool> for Cell {
    fn from(truth: bool) -> Self {
        Self::Truth(truth)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<&'static str>> for Cell {
    fn from(codes: Vec<&'static str>) -> Self {
        Self::Codes(codes)
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Nothing, Into::into)
    }
}

impl Cell {
    /// As a JSON value.
    pub fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Number(number) if number.is_finite() => write_number(out, *number),
            Self::Nothing | Self::Number(_) => out.write_all(b"null"),
            Self::Text(text) => serde_json::to_writer(out, text).map_err(io::Error::from),
            Self::Day(date) => write!(out, "\"{date}\""),
            Self::Truth(truth) => write!(out, "{truth}"),
            Self::Codes(codes) => {
                let quoted: Vec<String> = codes.iter().map(|code| format!("\"{code}\"")).collect();
                write!(out, "[{}]", quoted.join(","))
            }
        }
    }

    /// As a field of CSV, without its quotes.
    pub fn csv(&self) -> String {
        match self {
            Self::Number(number) if number.is_finite() => {
                let mut text = Vec::new();
                // Writing into memory cannot fail.
                let _ = write_number(&mut text, *number);
                String::from_utf8_lossy(&text).into_owned()
            }
            Self::Nothing | Self::Number(_) => String::new(),
            Self::Text(text) => text.clone(),
            Self::Day(date) => date.to_string(),
            Self::Truth(truth) => truth.to_string(),
            Self::Codes(codes) => codes.join(" "),
        }
    }

    /// For people: four digits are enough.
    pub fn shown(&self) -> String {
        match self {
            Self::Number(number) if number.is_finite() => shown(*number),
            Self::Nothing | Self::Number(_) => "–".to_owned(),
            Self::Truth(true) => "yes".to_owned(),
            Self::Truth(false) => "no".to_owned(),
            Self::Text(_) | Self::Day(_) | Self::Codes(_) => self.csv(),
        }
    }

    /// Whether it stands at the right of its column.
    pub fn is_number(&self) -> bool {
        matches!(self, Self::Number(_) | Self::Nothing)
    }
}

/// The shortest text that is read as the same number; never as long as its digits before or after the point would make it.
fn write_number(out: &mut impl Write, number: f64) -> io::Result<()> {
    let size = number.abs();
    if size != 0.0 && !(1e-6..1e16).contains(&size) {
        write!(out, "{number:e}")
    } else {
        write!(out, "{number}")
    }
}

fn shown(number: f64) -> String {
    let size = number.abs();
    if number.fract() == 0.0 && size < 1e16 {
        format!("{number}")
    } else if size >= 1000.0 {
        format!("{number:.0}")
    } else if size >= 0.001 {
        let decimals = [(100.0, 1), (10.0, 2), (1.0, 3)].into_iter().find(|(least, _)| size >= *least);
        format!("{number:.*}", decimals.map_or(4, |(_, decimals)| decimals))
    } else {
        format!("{number:.2e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(cell: &Cell) -> String {
        let mut out = Vec::new();
        cell.write_json(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_are_read_back_as_they_were_whatever_their_size() {
        for number in [0.0, 5.0, -0.1, 1.735_608_909_497_7, 1e-300, 6.02e23, 9_007_199_254_740_991.0] {
            let text = json(&number.into());
            assert!(text.len() < 25, "{text}");
            assert_eq!(text.parse::<f64>().unwrap().to_bits(), number.to_bits(), "{text}");
            assert_eq!(serde_json::from_str::<f64>(&text).unwrap().to_bits(), number.to_bits(), "{text}");
        }
        assert_eq!(json(&f64::NAN.into()), "null");
    }

    #[test]
    fn people_see_four_digits() {
        let seen: Vec<String> =
            [0.0, 12.0, 1234.56, 123.456, 1.23456, 0.012_345, 1e-9].map(|n| Cell::from(n).shown()).into();
        assert_eq!(seen, ["0", "12", "1235", "123.5", "1.235", "0.0123", "1.00e-9"]);
    }

    #[test]
    fn codes_and_texts_are_quoted_where_json_needs_it() {
        assert_eq!(json(&vec!["prior", "spike"].into()), r#"["prior","spike"]"#);
        assert_eq!(json(&"Côte d\"Ivoire".into()), r#""Côte d\"Ivoire""#);
        assert_eq!(json(&None::<f64>.into()), "null");
    }
}
