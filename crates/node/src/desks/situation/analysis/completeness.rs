//! How complete the end of a series is: the reporting triangle of its author's own editions by their release days, and from it what is
//! still to be reported.
//!
//! A count is what the editions said of it by the end of a release day. Where too few days were changed by a later edition nothing is
//! estimated, and the page says that completeness is unknown: a series that nobody revised is not known to be complete.

use crate::desks::situation::curve::Measure;
use crate::desks::situation::figure::{date_of, day_number};
use crate::desks::situation::query::Point;
use epi::nowcast::{Nowcast, Triangle, chain_ladder};
use epi::series::{Observation, Series, Step};
use std::collections::{BTreeMap, BTreeSet};

/// The longest delay that is looked for, in days.
const LONGEST: usize = 21;
/// Complete days that the delays are learned from, at most: those before may have been reported otherwise.
const LEARNED: usize = 42;
/// So many days at least that a later edition changed: fewer say nothing of delays.
pub const LEAST_CHANGED: usize = 10;
/// Less than this share of its reports, and a day is not complete.
pub const COMPLETE: f64 = 0.95;

/// What the editions say of the end of a series.
#[derive(Debug, Clone, PartialEq)]
pub enum Completeness {
    /// Nothing: `changed` of `days` days were changed by a later edition.
    Unknown {
        /// Days that a later edition changed.
        changed: usize,
        /// Days that were looked at.
        days: usize,
    },
    /// Enough to estimate what is still to come.
    Known(Reports),
}

/// A triangle and its nowcast.
#[derive(Debug, Clone, PartialEq)]
pub struct Reports {
    /// How many days after its end a day is stated first, as the newest day was.
    pub first: usize,
    /// New counts by day and by how many days after `first` they were released.
    pub triangle: Triangle,
    /// Each day of the triangle, oldest first; all have an interval.
    pub days: Vec<Nowcast>,
    /// How many releases made it.
    pub releases: usize,
}

impl Reports {
    /// The first of the days at the end of which less than [`COMPLETE`] is in; `None` if there is none.
    pub fn incomplete(&self) -> Option<&Nowcast> {
        self.days.get(self.days.len() - self.incomplete_days())
    }

    /// How many they are.
    pub fn incomplete_days(&self) -> usize {
        self.days.iter().rev().take_while(|day| day.share < COMPLETE).count()
    }

    /// The triangle as `concord epi nowcast` reads one: what was new by each day of release.
    pub fn csv(&self) -> String {
        let mut text = String::from("date,report_date,cases\n");
        for (place, row) in self.triangle.rows().iter().enumerate() {
            let date = self.triangle.date(place);
            for (delay, count) in row.iter().enumerate().filter(|(_, count)| **count != 0.0) {
                let later = i64::try_from(self.first + delay).unwrap_or(0);
                text.push_str(&format!("{date},{},{count}\n", date_of(day_number(date) + later)));
            }
        }
        text
    }
}

/// What was said of each figure, and on which day: by the last day of its period, in the order of releases.
struct Said {
    measure: Measure,
    figures: BTreeMap<i64, Vec<(i64, f64)>>,
}

impl Said {
    /// `released` has the day of each release. Periods of more than a day are left out of new counts, as everywhere.
    fn of(measure: Measure, points: &[Point], released: &BTreeMap<i64, i64>) -> Self {
        let mut figures: BTreeMap<i64, Vec<(i64, f64)>> = BTreeMap::new();
        for point in points.iter().filter(|one| measure == Measure::Cumulative || one.start == one.day) {
            let Some(day) = released.get(&point.release) else { continue };
            figures.entry(point.day).or_default().push((*day, point.value.to_f64()));
        }
        Self { measure, figures }
    }

    /// A figure by the end of a day.
    fn figure(&self, day: i64, by: i64) -> Option<f64> {
        let said = self.figures.get(&day)?;
        said.iter().rev().find(|(released, _)| *released <= by).map(|(_, value)| *value)
    }

    /// What was new on a day, by the end of another.
    fn count(&self, day: i64, by: i64) -> Option<f64> {
        let figure = self.figure(day, by)?;
        match self.measure {
            Measure::Cumulative => Some(figure - self.figure(day - 1, by)?),
            Measure::New => Some(figure),
            Measure::Standing => None,
        }
    }
}

/// Judges the end of a daily series. `points` are all statements in the order of days and releases, `released` the day of each release.
pub fn judge(
    measure: Measure,
    series: &Series,
    points: &[Point],
    released: &BTreeMap<i64, i64>,
) -> Completeness {
    let none = Completeness::Unknown { changed: 0, days: series.len() };
    let (Some(newest), Step::Day) = (released.values().max(), series.step()) else { return none };
    // Before a gap or a correction nothing is known of how counts came in.
    let counted = |observation: &&Observation| matches!(observation, Observation::Reported(_));
    let usable = series.observations().iter().rev().take_while(counted).count().min(LEARNED + LONGEST);
    let last = day_number(series.start()) + i64::try_from(series.len()).unwrap_or(0) - 1;
    let days: Vec<i64> =
        (0..usable).rev().filter_map(|back| Some(last - i64::try_from(back).ok()?)).collect();
    // The newest day is as old as it is: the others are compared with it from that age on.
    let first = newest - last;
    let Ok(offset) = usize::try_from(first) else { return none };
    let said = Said::of(measure, points, released);
    let rows: Vec<Vec<f64>> = days.iter().map(|day| known(&said, *day, day + first, *newest)).collect();
    let changed = rows.iter().filter(|row| row.iter().skip(1).any(|new| *new != 0.0)).count();
    let unknown = Completeness::Unknown { changed, days: days.len() };
    let longest = rows.iter().filter_map(|row| row.iter().rposition(|new| *new != 0.0)).max().unwrap_or(0);
    if changed < LEAST_CHANGED || longest == 0 {
        return unknown;
    }
    let cut = |mut row: Vec<f64>| {
        row.truncate(longest + 1);
        row
    };
    let Some(start) = days.first() else { return unknown };
    let Ok(triangle) = Triangle::new(date_of(*start), longest, rows.into_iter().map(cut).collect()) else {
        return unknown;
    };
    match chain_ladder(&triangle) {
        // Without an interval an estimate would look surer than it is.
        Some(days) if days.iter().all(|day| day.interval.is_some()) => {
            let releases: BTreeSet<&i64> = points.iter().map(|point| &point.release).collect();
            Completeness::Known(Reports { first: offset, triangle, days, releases: releases.len() })
        }
        _ => unknown,
    }
}

/// What was new of a day by each day from `from` to `to`, at most [`LONGEST`] days later. A day that was not yet stated has none.
fn known(said: &Said, day: i64, from: i64, to: i64) -> Vec<f64> {
    let mut before = 0.0;
    (from..=to)
        .take(LONGEST + 1)
        .map(|by| {
            let count = said.count(day, by).unwrap_or(before);
            let new = count - before;
            before = count;
            new
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desks::situation::analysis::input::counts;
    use crate::desks::situation::curve::current;
    use formats::figures::Value;

    /// Days 0 to 39, each stated `late` days after it and again a day and two days after that: 60, then 90, then 100 per cent of what
    /// is to come, which differs from day to day. `released` is the day that each release has.
    fn revised(measure: Measure, late: i64, editions: i64) -> (Vec<Point>, BTreeMap<i64, i64>) {
        let total = |day: i64| 100 + 10 * ((day * 7) % 11);
        let said = |day: i64, age: i64| total(day) * [60, 90, 100][usize::try_from(age).unwrap()] / 100;
        let (mut points, mut released) = (Vec::new(), BTreeMap::new());
        for release in 0..40_i64 {
            released.insert(release, release + late);
            for age in 0..editions.min(release + 1) {
                // Of a cumulative series everything since a changed day changes.
                let day = release - age;
                let value = match measure {
                    Measure::Cumulative => {
                        (0..=day).map(|one| said(one, (release - one).min(editions - 1))).sum()
                    }
                    _ => said(day, age),
                };
                let value = Value::whole(value).unwrap();
                let rank = (release, 0);
                points.push(Point { start: day, day, value, rank, release, ended: false, revised: age > 0 });
            }
        }
        points.sort_by_key(|point| (point.day, point.rank));
        (points, released)
    }

    fn judged(measure: Measure, points: &[Point], released: &BTreeMap<i64, i64>) -> Completeness {
        judge(measure, &counts(measure, &current(points)).unwrap(), points, released)
    }

    #[test]
    fn the_end_is_completed_by_the_shares_of_earlier_editions() {
        for (measure, late) in [(Measure::New, 0), (Measure::New, 2), (Measure::Cumulative, 1)] {
            let (points, released) = revised(measure, late, 3);
            let Completeness::Known(reports) = judged(measure, &points, &released) else {
                panic!("{measure:?}: enough editions")
            };
            assert_eq!(reports.triangle.longest(), 2, "{measure:?}");
            assert_eq!((reports.first, reports.releases), (usize::try_from(late).unwrap(), 40));
            let [.., complete, second, newest] = reports.days.as_slice() else { panic!("forty days") };
            assert!((newest.share - 0.6).abs() < 0.01, "{measure:?} {newest:?}");
            assert!((second.share - 0.9).abs() < 0.01, "{measure:?} {second:?}");
            // Day 39 comes to 100 + 10 × (273 mod 11) in the end.
            assert!((newest.expected - 190.0).abs() < 5.0, "{measure:?} {newest:?}");
            let (low, high) = newest.interval.unwrap();
            assert!(low < newest.expected && newest.expected < high, "{newest:?}");
            assert_eq!(
                (complete.reported, complete.interval),
                (complete.expected, Some((complete.reported, complete.reported)))
            );
            assert_eq!(reports.incomplete().map(|day| day.date), Some(second.date));
            let csv = reports.csv();
            let late = date_of(39 + late);
            assert!(csv.ends_with(&format!("1970-02-09,{late},114\n")), "{csv}");
        }
    }

    #[test]
    fn without_later_editions_nothing_is_known_and_nothing_is_called_complete() {
        let (points, released) = revised(Measure::New, 0, 1);
        let judgement = judged(Measure::New, &points, &released);
        assert_eq!(judgement, Completeness::Unknown { changed: 0, days: 40 });
        // Nine changed days are too few.
        let (points, released) = revised(Measure::New, 0, 3);
        let few: Vec<Point> = points.iter().filter(|one| one.rank.0 < 10 && one.day < 10).cloned().collect();
        let released = released.into_iter().filter(|(release, _)| *release < 10).collect();
        assert_eq!(judged(Measure::New, &few, &released), Completeness::Unknown { changed: 9, days: 10 });
    }

    #[test]
    fn what_lies_before_a_gap_teaches_nothing() {
        let (points, released) = revised(Measure::New, 0, 3);
        let gap: Vec<Point> = points.into_iter().filter(|one| one.day != 34).collect();
        assert_eq!(judged(Measure::New, &gap, &released), Completeness::Unknown { changed: 4, days: 5 });
    }
}
