//! What a figure is at this desk: who states what, of which place, for which days.
//!
//! A figure is (author, indicator, definition, place, reference period, disaggregation). Its value as of a day is
//! that of the last record that holds it; another value than before is a correction. Nothing here knows a
//! file format or a database.

use jiff::civil::Date;
use std::fmt;
use std::str::FromStr;

/// Figures for a period that ends more than this many days after their release are projections, not counts, and
/// are not taken in. It also bounds how far a query looks ahead of the day it is asked for.
pub const MAX_DAYS_AHEAD: i64 = 31;
/// The most digits that a value may have before its decimal point, and after it.
const MAX_DIGITS: usize = 15;

/// One stated figure, as a file gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// What is counted, as a code: `cases.total`.
    pub indicator: String,
    /// How the author defines it, as a code; empty if nothing is said.
    pub definition: String,
    /// Of which place: ISO 3166-1 alpha-3 or another code.
    pub place: String,
    /// Of which group: `f+children`; empty for all.
    pub disaggregation: String,
    /// First day of the reference period; the day itself if the figure is a state.
    pub start: Date,
    /// Last day of the reference period.
    pub end: Date,
    /// What is stated.
    pub value: Decimal,
    /// The line in the file, from 1.
    pub line: u64,
}

/// A decimal fraction, exactly as it was stated but in one form only: no leading or trailing zeros, no exponent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Decimal(String);

/// Why a text is no decimal fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a value has up to {MAX_DIGITS} digits before and after its decimal point")]
pub struct NotDecimal;

impl Decimal {
    /// The nearest binary fraction, for drawing and adding up.
    pub fn to_f64(&self) -> f64 {
        self.0.parse().unwrap_or(f64::NAN)
    }

    /// The whole number, if it is one.
    pub fn whole(&self) -> Option<i64> {
        self.0.parse().ok()
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<i64> for Decimal {
    fn from(whole: i64) -> Self {
        Self(whole.to_string())
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl FromStr for Decimal {
    type Err = NotDecimal;

    fn from_str(text: &str) -> Result<Self, NotDecimal> {
        let (sign, digits) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
        let (before, after) = digits.split_once('.').unwrap_or((digits, ""));
        let plain = |part: &str| part.len() <= 64 && part.bytes().all(|byte| byte.is_ascii_digit());
        if !plain(before) || !plain(after) || (before.is_empty() && after.is_empty()) {
            return Err(NotDecimal);
        }
        let (before, after) = (before.trim_start_matches('0'), after.trim_end_matches('0'));
        if before.len() > MAX_DIGITS || after.len() > MAX_DIGITS {
            return Err(NotDecimal);
        }
        let before = if before.is_empty() { "0" } else { before };
        Ok(Self(match (before, after) {
            ("0", "") => "0".to_owned(),
            (_, "") => format!("{sign}{before}"),
            _ => format!("{sign}{before}.{after}"),
        }))
    }
}

/// Days since 1970-01-01.
pub fn day_number(date: Date) -> i64 {
    i64::from(date.since(jiff::civil::date(1970, 1, 1)).map_or(0, |span| span.get_days()))
}

/// The date of a day number; numbers outside the calendar give its nearest end.
pub fn date_of(day: i64) -> Date {
    let span = jiff::Span::new().try_days(day);
    span.ok().and_then(|span| jiff::civil::date(1970, 1, 1).checked_add(span).ok()).unwrap_or(if day < 0 {
        Date::MIN
    } else {
        Date::MAX
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    #[test]
    fn one_number_has_one_text() {
        for (text, canonical) in
            [("007", "7"), ("7.50", "7.5"), ("-0.0", "0"), (".5", "0.5"), ("5.", "5"), ("-12", "-12")]
        {
            assert_eq!(text.parse::<Decimal>().unwrap().as_str(), canonical);
        }
        for text in ["", ".", "1e5", "1,000", "+1", "--1", "NaN", "1234567890123456"] {
            assert_eq!(text.parse::<Decimal>(), Err(NotDecimal), "{text}");
        }
    }

    #[test]
    fn days_are_counted_from_1970() {
        assert_eq!(day_number(date(1970, 1, 2)), 1);
        assert_eq!(day_number(date(2020, 1, 22)), 18_283);
        assert_eq!(date_of(18_283), date(2020, 1, 22));
        assert_eq!(date_of(i64::MAX), Date::MAX);
    }

    proptest! {
        #[test]
        fn canonical_text_reads_back(text in "-?[0-9]{0,20}(\\.[0-9]{0,20})?") {
            if let Ok(value) = text.parse::<Decimal>() {
                prop_assert_eq!(value.as_str().parse::<Decimal>().unwrap(), value);
            }
        }
    }
}
