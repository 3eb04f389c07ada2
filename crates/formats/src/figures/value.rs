//! The value of a figure: a decimal number, exactly as stated.
//!
//! Never a floating-point number: what was signed is what is shown. Only zeros that mean nothing are dropped.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// The most digits of a value. More than any count of people, and exact in every consumer.
const MAX_DIGITS: usize = 18;
/// The longest cell that is looked at as a number, in bytes.
const MAX_NUMBER_BYTES: usize = 64;

/// An exact decimal number of at most 18 digits. `12`, `12.0` and `012` are the same value.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Value {
    coefficient: i64,
    /// Digits behind the point; none of them a zero at the end.
    scale: u8,
}

/// Why a text is no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Below zero, where nothing said that this may be.
    #[error("is below zero")]
    Negative,
    /// Digits in groups of three, where nothing said which separator is meant.
    #[error("has separators between its digits")]
    Separated,
    /// Anything else than digits, one sign and one decimal separator.
    #[error("is no number")]
    NotANumber,
    /// More than 18 digits.
    #[error("has more than {MAX_DIGITS} digits")]
    TooLong,
}

/// How numbers are written in a table. By default `1234.5`: no separators between digits, nothing below zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numerals {
    /// The decimal separator, `.` or `,`.
    pub decimal: char,
    /// What stands between groups of three digits, if anything does.
    pub thousands: Option<char>,
    /// Whether values below zero are read. Cumulative counts are never below zero, whatever is said here.
    pub negative: bool,
}

impl Default for Numerals {
    fn default() -> Numerals {
        Numerals { decimal: '.', thousands: None, negative: false }
    }
}

impl Value {
    /// A whole number, if it has at most 18 digits.
    pub fn whole(number: i64) -> Option<Value> {
        let limit = 10_i64.pow(18);
        (-limit < number && number < limit).then_some(Value { coefficient: number, scale: 0 })
    }

    /// The value as a whole number, if it is one.
    pub fn as_whole(&self) -> Option<i64> {
        (self.scale == 0).then_some(self.coefficient)
    }

    /// The nearest floating-point number, for charts. Not for storing.
    #[allow(clippy::cast_precision_loss)] // Its purpose.
    pub fn to_f64(self) -> f64 {
        self.coefficient as f64 / 10_f64.powi(i32::from(self.scale))
    }

    /// Whether the value has digits behind the point.
    pub fn is_fractional(&self) -> bool {
        self.scale > 0
    }

    /// Whether the value is below zero.
    pub fn is_negative(&self) -> bool {
        self.coefficient < 0
    }

    /// The value times 10^18, in which any two values compare.
    fn scaled(&self) -> i128 {
        // At most 18 digits times 10^18: below 10^36, far from the limits of i128.
        i128::from(self.coefficient) * 10_i128.pow(18 - u32::from(self.scale))
    }
}

impl Ord for Value {
    fn cmp(&self, other: &Value) -> Ordering {
        self.scaled().cmp(&other.scaled())
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Value) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.scale == 0 {
            return self.coefficient.fmt(f);
        }
        let sign = if self.coefficient < 0 { "-" } else { "" };
        let width = usize::from(self.scale) + 1;
        let digits = format!("{:0width$}", self.coefficient.unsigned_abs());
        let (before, behind) = digits.split_at(digits.len() - usize::from(self.scale));
        write!(f, "{sign}{before}.{behind}")
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Reads the form that `Display` writes: `.` as the decimal separator, `-` below zero.
impl FromStr for Value {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Value, ValueError> {
        Numerals { negative: true, ..Numerals::default() }.read(text.as_bytes())
    }
}

impl Numerals {
    /// Reads one number. Blanks around it do not matter.
    pub fn read(&self, cell: &[u8]) -> Result<Value, ValueError> {
        let cell = cell.trim_ascii();
        if (1..=MAX_DIGITS).contains(&cell.len()) && cell.iter().all(u8::is_ascii_digit) {
            let coefficient = cell.iter().fold(0_i64, |sum, digit| sum * 10 + i64::from(digit - b'0'));
            return Ok(Value { coefficient, scale: 0 });
        }
        if cell.len() > MAX_NUMBER_BYTES {
            return Err(ValueError::NotANumber);
        }
        let text = std::str::from_utf8(cell).map_err(|_| ValueError::NotANumber)?.trim();
        let (negative, body) = match text.strip_prefix(['-', '\u{2212}']) {
            Some(body) => (true, body),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let value = self.read_unsigned(body)?;
        match (negative, self.negative) {
            (true, false) if value.coefficient != 0 => Err(ValueError::Negative),
            (true, _) => Ok(Value { coefficient: -value.coefficient, ..value }),
            (false, _) => Ok(value),
        }
    }

    fn read_unsigned(&self, text: &str) -> Result<Value, ValueError> {
        let (before, behind) = text.split_once(self.decimal).map_or((text, None), |(a, b)| (a, Some(b)));
        let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let whole = match self.thousands {
            Some(separator) if before.contains(separator) => {
                ungrouped(before, separator).ok_or(ValueError::NotANumber)?
            }
            _ if is_digits(before) => before.to_owned(),
            _ if looks_grouped(before) => return Err(ValueError::Separated),
            _ => return Err(ValueError::NotANumber),
        };
        if behind.is_some_and(|behind| !is_digits(behind)) {
            return Err(ValueError::NotANumber);
        }
        let whole = whole.trim_start_matches('0');
        let fraction = behind.unwrap_or_default().trim_end_matches('0');
        if whole.len() + fraction.len() > MAX_DIGITS {
            return Err(ValueError::TooLong);
        }
        let digits = whole.bytes().chain(fraction.bytes());
        let coefficient = digits.fold(0_i64, |sum, digit| sum * 10 + i64::from(digit - b'0'));
        let scale = u8::try_from(fraction.len()).map_err(|_| ValueError::TooLong)?;
        Ok(Value { coefficient, scale })
    }
}

/// `1,234,567` without its separators, if every group but the first has three digits.
fn ungrouped(text: &str, separator: char) -> Option<String> {
    let mut groups = text.split(separator);
    let first = groups.next().filter(|first| (1..=3).contains(&first.len()))?;
    let mut digits = first.to_owned();
    for group in groups {
        if group.len() != 3 {
            return None;
        }
        digits.push_str(group);
    }
    digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(digits)
}

/// Whether a reader of some country would see groups of three digits here.
fn looks_grouped(text: &str) -> bool {
    [',', '.', ' ', '\'', '’', '\u{a0}', '\u{202f}', '\u{66c}']
        .into_iter()
        .any(|separator| text.contains(separator) && ungrouped(text, separator).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<String, ValueError> {
        Numerals::default().read(text.as_bytes()).map(|value| value.to_string())
    }

    #[test]
    fn numbers_are_kept_exactly() {
        for (text, value) in [
            ("0", "0"),
            ("82692", "82692"),
            (" 007 ", "7"),
            ("+5", "5"),
            ("12.0", "12"),
            ("0.10", "0.1"),
            ("-0", "0"),
            ("999999999999999999", "999999999999999999"),
            ("0000000000000000000000001", "1"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(value), "{text}");
        }
    }

    #[test]
    fn what_is_no_plain_number_is_refused_with_the_reason() {
        for (text, error) in [
            ("-1", ValueError::Negative),
            ("1,234", ValueError::Separated),
            ("1 234 567", ValueError::Separated),
            ("1'234", ValueError::Separated),
            ("1,23", ValueError::NotANumber),
            ("1e3", ValueError::NotANumber),
            ("<5", ValueError::NotANumber),
            ("n/a", ValueError::NotANumber),
            ("1.", ValueError::NotANumber),
            (".5", ValueError::NotANumber),
            ("", ValueError::NotANumber),
            ("--1", ValueError::NotANumber),
            ("1234567890123456789", ValueError::TooLong),
        ] {
            assert_eq!(read(text), Err(error), "{text}");
        }
    }

    #[test]
    fn separators_are_read_when_they_are_declared() {
        let english = Numerals { thousands: Some(','), ..Numerals::default() };
        let german = Numerals { decimal: ',', thousands: Some('.'), negative: true };
        let read =
            |numerals: Numerals, text: &str| numerals.read(text.as_bytes()).map(|value| value.to_string());
        assert_eq!(read(english, "1,234,567.5").as_deref(), Ok("1234567.5"));
        assert_eq!(read(english, "1,23"), Err(ValueError::NotANumber));
        assert_eq!(read(german, "-1.234,50").as_deref(), Ok("-1234.5"));
    }

    proptest! {
        #[test]
        fn display_and_parse_agree(digits in -999_999_999_999_999_999_i64..=999_999_999_999_999_999, scale in 0_u32..=18) {
            let text = {
                let plain = format!("{:019}", digits.unsigned_abs());
                let (before, behind) = plain.split_at(19 - scale as usize);
                format!("{}{before}{}{behind}", if digits < 0 { "-" } else { "" }, if scale > 0 { "." } else { "" })
            };
            let value: Value = text.parse().expect("a number");
            prop_assert_eq!(value.to_string().parse::<Value>(), Ok(value));
            let zero = Value::whole(0).expect("zero");
            prop_assert_eq!(value.cmp(&zero), digits.cmp(&0));
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes: Vec<u8>) {
            let _ = Numerals { thousands: Some(','), ..Numerals::default() }.read(&bytes);
        }
    }
}
