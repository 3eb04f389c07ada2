//! What a figure is at this desk: who states what, of which place, for which days.
//!
//! A figure is (author, indicator, definition, place, reference period, disaggregation). Its value as of a day is
//! that of the last record that holds it; another value than before is a correction. Days are counted from
//! 1970-01-01, so that tables compare them quickly. Nothing here knows a file format or a database.

use jiff::civil::Date;

/// Figures for a period that ends more than this many days after their release are projections, not counts, and
/// are not taken in. It also bounds how far a query looks ahead of the day it is asked for.
pub const MAX_DAYS_AHEAD: i64 = 31;

/// Days since 1970-01-01.
pub fn day_number(date: Date) -> i64 {
    i64::from(date.since(jiff::civil::date(1970, 1, 1)).map_or(0, |span| span.get_days()))
}

/// Days since 1970-01-01 of a date as files state it; it is a valid one, so the calendar has it.
pub fn day_of(date: formats::figures::Date) -> i64 {
    let year = i16::try_from(date.year()).ok();
    let (month, day) = (i8::try_from(date.month()).ok(), i8::try_from(date.day()).ok());
    let date = year.zip(month).zip(day).and_then(|((y, m), d)| Date::new(y, m, d).ok());
    date.map_or(0, day_number)
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

    #[test]
    fn days_are_counted_from_1970() {
        assert_eq!(day_number(date(1970, 1, 2)), 1);
        assert_eq!(day_number(date(2020, 1, 22)), 18_283);
        assert_eq!(day_of(formats::figures::Date::new(2020, 1, 22).unwrap()), 18_283);
        assert_eq!(date_of(18_283), date(2020, 1, 22));
        assert_eq!(date_of(i64::MAX), Date::MAX);
    }
}
