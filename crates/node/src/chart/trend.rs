//! What a curve says, in one sentence, by rules that are written down here.
//!
//! - Days told to be incomplete are left out, and the sentence says so.
//! - Weeks are runs of seven known days, counted back from the last complete day. A missing day ends the count.
//! - A week differs from the one before only if the difference is larger than chance alone would make it (1.96
//!   standard deviations of a difference of two Poisson counts) and larger than one in twenty. Otherwise it is
//!   level.
//! - "For n weeks" counts weeks in a row that each moved the same way by that rule.

use super::Daily;
use crate::i18n::Locale;
use jiff::civil::Date;

/// What is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Measure {
    /// New cases per day.
    Cases,
    /// New deaths per day.
    Deaths,
    /// Anything else, by its name in the reader's language.
    Other(String),
}

/// Where the weekly counts go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// More than the week before.
    Rising,
    /// Less than the week before.
    Falling,
    /// No difference that counts.
    Level,
}

/// The last week of a series beside the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trend {
    /// Which way.
    pub direction: Direction,
    /// For how many weeks in a row; 0 if level.
    pub weeks: usize,
    /// Total of the last seven complete days.
    pub count: i64,
    /// Total of the seven days before.
    pub previous: i64,
    /// The last complete day.
    pub until: Date,
}

/// The trend of a series whose last `incomplete` days are not yet all reported. `None` if there are not two
/// weeks of known days before them.
pub fn trend(daily: &Daily, incomplete: usize) -> Option<Trend> {
    let complete = daily.values().len().checked_sub(incomplete)?;
    let weeks = weeks(&daily.values()[..complete]);
    let (count, previous) = (*weeks.first()?, *weeks.get(1)?);
    let direction = compare(count, previous);
    let in_a_row = weeks
        .windows(2)
        .take_while(|pair| direction != Direction::Level && compare(pair[0], pair[1]) == direction);
    let until = daily.day(complete.checked_sub(1)?)?;
    Some(Trend { direction, weeks: in_a_row.count(), count, previous, until })
}

/// Totals of weeks, the last first.
fn weeks(values: &[Option<i64>]) -> Vec<i64> {
    values
        .rchunks_exact(7)
        .map_while(|week| week.iter().copied().try_fold(0_i64, |sum, day| sum.checked_add(day?)))
        .collect()
}

fn compare(count: i64, previous: i64) -> Direction {
    // Counts of people are far below 2^52; what is beyond differs by far more than the rounding.
    #[allow(clippy::cast_precision_loss)]
    let (count, previous) = (count as f64, previous as f64);
    let chance = 1.96 * (count.max(0.0) + previous.max(0.0)).sqrt();
    let difference = count - previous;
    if difference.abs() <= chance.max(previous.abs() / 20.0) {
        Direction::Level
    } else if difference > 0.0 {
        Direction::Rising
    } else {
        Direction::Falling
    }
}

/// The sentence below a curve; see the module for its rules.
pub fn summary(t: &Locale, measure: &Measure, daily: &Daily, incomplete: usize) -> String {
    let mut text = match trend(daily, incomplete) {
        None => t.chart_too_short(),
        Some(trend) => trend_text(t, measure, trend),
    };
    if incomplete > 0 {
        text.push(' ');
        text.push_str(&t.chart_incomplete(incomplete));
    }
    text
}

fn trend_text(t: &Locale, measure: &Measure, trend: Trend) -> String {
    let Trend { weeks, count, previous, .. } = trend;
    let until = t.date_text(trend.until);
    match (measure, trend.direction) {
        (Measure::Cases, Direction::Rising) => t.chart_cases_rising(weeks, count, until, previous),
        (Measure::Cases, Direction::Falling) => t.chart_cases_falling(weeks, count, until, previous),
        (Measure::Cases, Direction::Level) => t.chart_cases_level(count, until, previous),
        (Measure::Deaths, Direction::Rising) => t.chart_deaths_rising(weeks, count, until, previous),
        (Measure::Deaths, Direction::Falling) => t.chart_deaths_falling(weeks, count, until, previous),
        (Measure::Deaths, Direction::Level) => t.chart_deaths_level(count, until, previous),
        (Measure::Other(name), Direction::Rising) => {
            t.chart_other_rising(name, weeks, count, until, previous)
        }
        (Measure::Other(name), Direction::Falling) => {
            t.chart_other_falling(name, weeks, count, until, previous)
        }
        (Measure::Other(name), Direction::Level) => t.chart_other_level(name, count, until, previous),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Lang;
    use jiff::civil::date;
    use jiff::tz::TimeZone;

    /// Days with the same value within each week.
    fn weekly(totals: &[i64]) -> Daily {
        let days = totals.iter().flat_map(|total| [Some(total / 7); 7]).collect();
        Daily::new(date(2020, 4, 6), days)
    }

    fn plain(text: &str) -> String {
        text.replace(['\u{2068}', '\u{2069}'], "")
    }

    #[test]
    fn weeks_in_a_row_are_counted() {
        let trend = trend(&weekly(&[700, 3500, 2800, 1400, 700]), 0).unwrap();
        assert_eq!(
            (trend.direction, trend.weeks, trend.count, trend.previous),
            (Direction::Falling, 3, 700, 1400)
        );
        assert_eq!(trend.until, date(2020, 5, 10));
    }

    #[test]
    fn what_chance_could_do_is_level() {
        // 252 after 280 is 1.2 standard deviations.
        assert_eq!(compare(252, 280), Direction::Level);
        assert_eq!(compare(200, 280), Direction::Falling);
        assert_eq!(compare(100_000, 103_000), Direction::Level, "less than one in twenty");
        assert_eq!(compare(0, 0), Direction::Level);
        assert_eq!(compare(-50, 300), Direction::Falling);
    }

    #[test]
    fn incomplete_days_are_left_out_and_missing_days_end_the_count() {
        let mut days: Vec<Option<i64>> = weekly(&[70, 700, 700]).values().to_vec();
        days.extend([Some(1), Some(0)]);
        let daily = Daily::new(date(2020, 4, 6), days.clone());
        assert_eq!(trend(&daily, 2).unwrap().direction, Direction::Level);
        days[10] = None;
        assert_eq!(trend(&Daily::new(date(2020, 4, 6), days), 2), None);
        assert_eq!(trend(&Daily::new(date(2020, 4, 6), vec![Some(1)]), 5), None);
    }

    #[test]
    fn the_sentence_says_what_was_counted() {
        let t = Locale::new(Lang::En, TimeZone::UTC);
        let text = plain(&summary(&t, &Measure::Cases, &weekly(&[700, 3500, 2800, 1400]), 0));
        assert_eq!(
            text,
            "New cases have fallen for 2 weeks: 1,400 in the seven days to 3 May 2020, after 2,800 in the seven days before."
        );
        let short = plain(&summary(&t, &Measure::Deaths, &weekly(&[700]), 2));
        assert!(short.ends_with("The last 2 days are incomplete and are not counted."), "{short}");
    }
}
