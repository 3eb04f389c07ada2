//! Which earlier points Farrington's methods compare with: the same weeks of earlier years, by the calendar or by counting points.
//!
//! By the calendar: the same date 1…b years earlier (29 February becomes 1 March where there is none), moved to the nearest same
//! weekday, and w weeks to both sides. By index: 52 weeks back each year. A daily series is compared on the same weekday only, so
//! that weekends are not mistaken for news.

use jiff::civil::Date;

use super::{Reason, place, points_a_week, reaching_back};
use crate::series::Series;

/// How to find the same week of another year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reference {
    /// By dates.
    #[default]
    Calendar,
    /// By counting 52 weeks a year.
    Index,
}

/// Reference points of one point: the middles of its windows, latest year first, and how they are spaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Windows {
    /// Index of each window's middle.
    pub middles: Vec<usize>,
    /// Index of the first point of the earliest window.
    pub first: usize,
    /// Points from one week to the next.
    pub stride: usize,
}

impl Reference {
    /// The windows of point `k`, or from where on the series should have points.
    pub(super) fn windows(
        self,
        series: &Series,
        k: usize,
        years: usize,
        half_window: usize,
    ) -> Result<Windows, Reason> {
        let stride = points_a_week(series);
        let middle = |year: usize| match self {
            Self::Calendar => index_a_year_ago(series, k, year),
            Self::Index => place(k) - place(year * 52 * stride),
        };
        let first = middle(years) - place(half_window * stride);
        let short = || reaching_back(series, first);
        let first = usize::try_from(first).map_err(|_| short())?;
        let middles = (1..=years)
            .map(|year| usize::try_from(middle(year)).map_err(|_| short()))
            .collect::<Result<_, _>>()?;
        Ok(Windows { middles, first, stride })
    }
}

/// Counted from the first point; negative before it.
fn index_a_year_ago(series: &Series, k: usize, years: usize) -> i64 {
    let now = series.date(k);
    let then = same_weekday(years_before(now, years), now);
    let days = series.start().until(then).map_or(i64::MIN / 4, |span| i64::from(span.get_days()));
    days.div_euclid(i64::from(series.step().days()))
}

/// The same day and month of an earlier year.
fn years_before(date: Date, years: usize) -> Date {
    let year = i16::try_from(years).map_or(i16::MIN, |years| date.year().saturating_sub(years));
    Date::new(year, date.month(), date.day()).or_else(|_| Date::new(year, 3, 1)).unwrap_or(Date::MIN)
}

/// The date nearest to `near` that falls on the weekday of `now`. There is always one nearest: a week has an odd number of days.
fn same_weekday(near: Date, now: Date) -> Date {
    let forward = i64::from(near.weekday().until(now.weekday()));
    let days = if forward <= 3 { forward } else { forward - 7 };
    near.saturating_add(jiff::Span::new().days(days))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::Step;
    use jiff::civil::date;

    #[test]
    fn the_same_weekday_next_to_the_same_date() {
        let now = date(2020, 12, 28); // a Monday
        assert_eq!(same_weekday(years_before(now, 1), now), date(2019, 12, 30));
        assert_eq!(same_weekday(years_before(now, 2), now), date(2018, 12, 31));
        assert_eq!(same_weekday(years_before(now, 3), now), date(2017, 12, 25));
        assert_eq!(years_before(date(2020, 2, 29), 1), date(2019, 3, 1));
        assert_eq!(years_before(date(2020, 2, 29), 4), date(2016, 2, 29));
    }

    #[test]
    fn a_series_that_starts_too_late_is_told_from_when_on() {
        let points = vec![1.0; 60];
        let series = Series::of(date(2020, 1, 6), Step::Week, &points).unwrap();
        let reason = Reference::Calendar.windows(&series, 53, 1, 3).unwrap_err();
        // 11 January 2021, a year ago 13 January, three weeks before 23 December.
        assert_eq!(reason, Reason::HistoryShort { from: date(2019, 12, 23), starts: date(2020, 1, 6) });
        assert!(
            Reference::Calendar.windows(&series, 55, 1, 3).is_ok_and(|w| w.middles == [3] && w.first == 0)
        );
    }

    #[test]
    fn daily_points_are_compared_on_the_same_weekday() {
        let points = vec![1.0; 800];
        let series = Series::of(date(2020, 1, 1), Step::Day, &points).unwrap();
        let windows = Reference::Calendar.windows(&series, 790, 2, 1).unwrap();
        assert!(windows.middles.iter().all(|m| (790 - m) % 7 == 0));
        assert_eq!(windows.first, windows.middles[1] - 7);
    }
}
