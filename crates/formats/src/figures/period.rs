//! Reference periods: a day, or the days from one to another.
//!
//! Dates are civil dates without a time zone, as tables state them. `03/04/2020` is not guessed: whether the day or
//! the month comes first must be said.

use std::fmt;
use std::str::FromStr;

/// A civil date of the Gregorian calendar, years 1900 to 2999.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

/// The order of day and month where the year does not come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DateOrder {
    /// Only dates with the year first are read (ISO 8601).
    #[default]
    YearFirst,
    /// `14.03.2020`, `14/03/2020`.
    DayFirst,
    /// `03/14/2020`.
    MonthFirst,
}

/// Why a text is no period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    /// The year stands last and nothing says whether the day or the month comes first. Both readings, where they exist.
    #[error("may be read with the day or with the month first")]
    Unclear {
        /// The date if the day comes first.
        day_first: Option<Date>,
        /// The date if the month comes first.
        month_first: Option<Date>,
    },
    /// The year has two digits.
    #[error("has a year of two digits")]
    ShortYear,
    /// A time that is not midnight.
    #[error("has a time of day")]
    HasTime,
    /// No such date, or no date at all.
    #[error("is no date")]
    NotADate,
    /// The end is before the start.
    #[error("ends before it begins")]
    Reversed,
}

impl Date {
    /// A date, if there is one.
    pub fn new(year: u16, month: u8, day: u8) -> Option<Date> {
        let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        ((1900..=2999).contains(&year) && (1..=days).contains(&day)).then_some(Date { year, month, day })
    }

    /// The year.
    pub fn year(&self) -> u16 {
        self.year
    }

    /// The month, from 1.
    pub fn month(&self) -> u8 {
        self.month
    }

    /// The day of the month, from 1.
    pub fn day(&self) -> u8 {
        self.day
    }

    /// Reads one date in the order given. A time is accepted only if it is midnight, as spreadsheets write it.
    pub fn read(text: &str, order: DateOrder) -> Result<Date, PeriodError> {
        let text = text.trim();
        let date = match text.split_once(['T', ' ']) {
            Some((date, time)) if is_midnight(time) => date,
            Some((date, _)) if date.starts_with(|c: char| c.is_ascii_digit()) && date.len() >= 8 => {
                return Err(PeriodError::HasTime);
            }
            Some(_) => return Err(PeriodError::NotADate),
            None => text,
        };
        let separator = date.chars().find(|c| !c.is_ascii_digit()).ok_or(PeriodError::NotADate)?;
        if !matches!(separator, '-' | '/' | '.') {
            return Err(PeriodError::NotADate);
        }
        let mut parts = date.split(separator);
        let (Some(a), Some(b), Some(c), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(PeriodError::NotADate);
        };
        let (a, b, c) = (Number::read(a)?, Number::read(b)?, Number::read(c)?);
        match (a.digits, b.digits, c.digits) {
            (4, 1 | 2, 1 | 2) => civil(a, b, c).ok_or(PeriodError::NotADate),
            (1 | 2, 1 | 2, 4) => match order {
                DateOrder::DayFirst => civil(c, b, a).ok_or(PeriodError::NotADate),
                DateOrder::MonthFirst => civil(c, a, b).ok_or(PeriodError::NotADate),
                DateOrder::YearFirst => match (civil(c, b, a), civil(c, a, b)) {
                    (None, None) => Err(PeriodError::NotADate),
                    (day_first, month_first) => Err(PeriodError::Unclear { day_first, month_first }),
                },
            },
            (1 | 2, 1 | 2, 1 | 2) => Err(PeriodError::ShortYear),
            _ => Err(PeriodError::NotADate),
        }
    }
}

#[derive(Clone, Copy)]
struct Number {
    value: u16,
    digits: usize,
}

impl Number {
    fn read(text: &str) -> Result<Number, PeriodError> {
        let good = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        let value = if good { text.parse().ok() } else { None };
        value.map(|value| Number { value, digits: text.len() }).ok_or(PeriodError::NotADate)
    }
}

fn civil(year: Number, month: Number, day: Number) -> Option<Date> {
    Date::new(year.value, u8::try_from(month.value).ok()?, u8::try_from(day.value).ok()?)
}

fn is_midnight(time: &str) -> bool {
    let time = time.strip_suffix('Z').or_else(|| time.strip_suffix("+00:00")).unwrap_or(time);
    matches!(time, "00:00" | "00:00:00" | "00:00:00.000" | "00:00:00.000000")
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Reads `YYYY-MM-DD` and nothing else.
impl FromStr for Date {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Date, PeriodError> {
        let date = Date::read(text, DateOrder::YearFirst)?;
        if date.to_string() == text { Ok(date) } else { Err(PeriodError::NotADate) }
    }
}

/// The days for which a figure holds, both ends included. For a count that is cumulative, its last day.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    start: Date,
    end: Date,
}

impl Period {
    /// One day.
    pub fn day(date: Date) -> Period {
        Period { start: date, end: date }
    }

    /// From one day to another, both included.
    pub fn new(start: Date, end: Date) -> Result<Period, PeriodError> {
        if start <= end { Ok(Period { start, end }) } else { Err(PeriodError::Reversed) }
    }

    /// The first day.
    pub fn start(&self) -> Date {
        self.start
    }

    /// The last day.
    pub fn end(&self) -> Date {
        self.end
    }

    /// Whether the period is one day.
    pub fn is_day(&self) -> bool {
        self.start == self.end
    }

    /// Reads a date, `<date>..<date>`, or the ISO 8601 interval `<date>/<date>`.
    pub fn read(text: &str, order: DateOrder) -> Result<Period, PeriodError> {
        let interval = text.contains('-') && text.matches('/').count() == 1;
        let ends = text.split_once("..").or_else(|| if interval { text.split_once('/') } else { None });
        match ends {
            Some((start, end)) => Period::new(Date::read(start, order)?, Date::read(end, order)?),
            None => Date::read(text, order).map(Period::day),
        }
    }
}

/// `2020-01-22`, or `2020-01-22..2020-01-28`.
impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.start.fmt(f)?;
        if self.is_day() { Ok(()) } else { write!(f, "..{}", self.end) }
    }
}

impl fmt::Debug for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Reads the form that `Display` writes and nothing else.
impl FromStr for Period {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Period, PeriodError> {
        let period = match text.split_once("..") {
            Some((start, end)) => Period::new(start.parse()?, end.parse()?)?,
            None => Period::day(text.parse()?),
        };
        if period.to_string() == text { Ok(period) } else { Err(PeriodError::NotADate) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str, order: DateOrder) -> Result<String, PeriodError> {
        Period::read(text, order).map(|period| period.to_string())
    }

    #[test]
    fn the_year_first_is_read_as_it_stands() {
        for text in ["2020-03-04", " 2020/03/04 ", "2020.3.4", "2020-03-04T00:00:00Z", "2020-03-04 00:00:00"]
        {
            assert_eq!(read(text, DateOrder::MonthFirst).as_deref(), Ok("2020-03-04"), "{text}");
        }
        assert_eq!(
            read("2020-01-22..2020-01-28", DateOrder::YearFirst).as_deref(),
            Ok("2020-01-22..2020-01-28")
        );
        assert_eq!(
            read("2020-01-22/2020-01-28", DateOrder::YearFirst).as_deref(),
            Ok("2020-01-22..2020-01-28")
        );
        assert_eq!(read("2020-01-22..2020-01-22", DateOrder::YearFirst).as_deref(), Ok("2020-01-22"));
    }

    #[test]
    fn the_year_last_is_read_only_in_the_order_that_was_said() {
        assert_eq!(read("14.03.2020", DateOrder::DayFirst).as_deref(), Ok("2020-03-14"));
        assert_eq!(read("3/4/2020", DateOrder::MonthFirst).as_deref(), Ok("2020-03-04"));
        assert_eq!(read("14.03.2020", DateOrder::MonthFirst), Err(PeriodError::NotADate));
        let unclear =
            PeriodError::Unclear { day_first: Date::new(2020, 4, 3), month_first: Date::new(2020, 3, 4) };
        assert_eq!(read("03/04/2020", DateOrder::YearFirst), Err(unclear));
        let only_one = PeriodError::Unclear { day_first: Date::new(2020, 3, 14), month_first: None };
        assert_eq!(read("14.03.2020", DateOrder::YearFirst), Err(only_one));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for (text, error) in [
            ("2020-02-30", PeriodError::NotADate),
            ("2020-13-01", PeriodError::NotADate),
            ("2019-02-29", PeriodError::NotADate),
            ("1/22/20", PeriodError::ShortYear),
            ("2020-03-04T13:05", PeriodError::HasTime),
            ("20200304", PeriodError::NotADate),
            ("4 March 2020", PeriodError::NotADate),
            ("43894", PeriodError::NotADate),
            ("2020-01-28..2020-01-22", PeriodError::Reversed),
            ("", PeriodError::NotADate),
        ] {
            assert_eq!(read(text, DateOrder::YearFirst), Err(error), "{text}");
        }
        assert_eq!(Date::new(2020, 2, 29).map(|date| date.to_string()).as_deref(), Some("2020-02-29"));
    }

    proptest! {
        #[test]
        fn display_and_parse_agree(year in 1900_u16..=2999, month in 1_u8..=12, day in 1_u8..=28, to in 1_u8..=28) {
            let (a, b) = (Date::new(year, month, day).expect("date"), Date::new(year, month, to).expect("date"));
            let period = Period::new(a.min(b), a.max(b)).expect("period");
            prop_assert_eq!(period.to_string().parse::<Period>(), Ok(period));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text: String) {
            let _ = Period::read(&text, DateOrder::DayFirst);
        }
    }
}
