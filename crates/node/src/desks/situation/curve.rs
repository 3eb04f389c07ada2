//! From statements to what a reader looks at: a figure's value, its daily curve, and where authorities differ.
//!
//! Pure arithmetic over what was stated. What was not stated stays unknown: no gap is filled, no fall is smoothed
//! away, no two authorities are averaged.

use super::query::{Point, Series};
use formats::figures::Value;
use std::collections::BTreeMap;

/// How the values of an indicator are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Adds up everything until the end of the period.
    Cumulative,
    /// What was new in the period.
    New,
    /// How many there were at the time.
    Standing,
}

impl Measure {
    /// The measure of an indicator's code.
    pub fn of(indicator: &str) -> Self {
        if indicator.ends_with("-cumulative") {
            Self::Cumulative
        } else if indicator.ends_with("-new") {
            Self::New
        } else {
            Self::Standing
        }
    }
}

/// A figure as of the moment, with everything its author said of it before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Current {
    /// First day of the period.
    pub start: i64,
    /// Last day of the period.
    pub day: i64,
    /// The value of the last record that holds it; `None` once it was withdrawn.
    pub value: Option<Value>,
    /// The release behind it, by its number on the series' shelf.
    pub release: i64,
    /// How often its value was changed.
    pub corrections: usize,
}

/// Each figure of a series once, in the order of days. `points` are in the order of days and then of releases.
pub fn current(points: &[Point]) -> Vec<Current> {
    let mut found: BTreeMap<(i64, i64), Current> = BTreeMap::new();
    let mut said: BTreeMap<(i64, i64), Value> = BTreeMap::new();
    for point in points {
        let key = (point.day, point.start);
        let changed = said.insert(key, point.value).is_some_and(|before| before != point.value);
        let before = found.get(&key).map_or(0, |current| current.corrections);
        let current = Current {
            start: point.start,
            day: point.day,
            value: Some(point.value),
            release: point.release,
            corrections: before + usize::from(changed),
        };
        // What has ended gives way to nothing but a later statement, and takes the place of no live one.
        let live = found.get(&key).is_some_and(|current| current.value.is_some());
        match (point.ended, live) {
            (false, _) => drop(found.insert(key, current)),
            (true, false) => drop(found.insert(key, Current { value: None, ..current })),
            (true, true) => {}
        }
    }
    found.into_values().collect()
}

/// One day of a curve.
#[derive(Clone, Debug, PartialEq)]
pub struct Day {
    /// The day.
    pub day: i64,
    /// The stated value.
    pub stated: Value,
    /// New on this day, or since the last stated day.
    pub new: Option<f64>,
    /// How many days `new` is for: 1, or more after a gap.
    pub days: i64,
    /// Mean of new per day over seven days, where both ends are stated.
    pub mean: Option<f64>,
    /// The release behind the stated value.
    pub release: i64,
    /// How often the value was changed.
    pub corrections: usize,
}

/// The daily curve of a series. Figures for longer periods than a day count on the period's last day.
pub fn curve(measure: Measure, figures: &[Current]) -> Vec<Day> {
    let stated: Vec<(&Current, Value)> =
        figures.iter().filter_map(|figure| figure.value.map(|value| (figure, value))).collect();
    let by_day: BTreeMap<i64, f64> =
        stated.iter().map(|(figure, value)| (figure.day, value.to_f64())).collect();
    let mut before: Option<(i64, f64)> = None;
    let mut days: Vec<Day> = Vec::with_capacity(stated.len());
    for (figure, value) in stated {
        let number = value.to_f64();
        let (new, span) = match (measure, before) {
            (Measure::Cumulative, Some((day, earlier))) => (Some(number - earlier), figure.day - day),
            (Measure::New, _) => (Some(number), figure.day - figure.start + 1),
            (Measure::Cumulative, None) | (Measure::Standing, _) => (None, 1),
        };
        before = Some((figure.day, number));
        let mean = mean(measure, &by_day, figure.day, number);
        let (release, corrections) = (figure.release, figure.corrections);
        days.push(Day { day: figure.day, stated: value, new, days: span, mean, release, corrections });
    }
    days
}

fn mean(measure: Measure, by_day: &BTreeMap<i64, f64>, day: i64, number: f64) -> Option<f64> {
    match measure {
        Measure::Cumulative => by_day.get(&(day - 7)).map(|earlier| (number - earlier) / 7.0),
        Measure::New => {
            let week: Vec<f64> = by_day.range(day - 6..=day).map(|(_, value)| *value).collect();
            (week.len() == 7).then(|| week.iter().sum::<f64>() / 7.0)
        }
        Measure::Standing => None,
    }
}

/// What was new in the last seven days of a curve, and the day it ends on.
pub fn last_week(days: &[Day]) -> Option<f64> {
    days.last().and_then(|day| day.mean).map(|mean| (mean * 7.0).round())
}

/// Two authorities that state one figure differently.
#[derive(Clone, Debug, PartialEq)]
pub struct Disagreement {
    /// The figure's period.
    pub period: (i64, i64),
    /// Every statement: who (by index into the series given) and what.
    pub statements: Vec<(usize, Value)>,
}

/// Figures that different authors state differently, newest day first. Only series of one indicator, definition,
/// place and group are compared; `series` has them all, `figures` their values in the same order.
pub fn disagreements(series: &[&Series], figures: &[&[Current]]) -> Vec<Disagreement> {
    /// Indicator, definition, group, last and first day.
    type Key<'s> = (&'s str, &'s str, &'s str, i64, i64);
    let mut groups: BTreeMap<Key<'_>, Vec<(usize, Value)>> = BTreeMap::new();
    for (index, (one, figures)) in series.iter().zip(figures).enumerate() {
        for figure in *figures {
            let Some(value) = figure.value else { continue };
            let key = (&*one.indicator, &*one.definition, &*one.disaggregation, figure.day, figure.start);
            groups.entry(key).or_default().push((index, value));
        }
    }
    let mut found: Vec<Disagreement> = groups
        .into_iter()
        .filter(|(_, statements)| statements.windows(2).any(|pair| pair[0].1 != pair[1].1))
        .map(|((_, _, _, day, start), statements)| Disagreement { period: (start, day), statements })
        .collect();
    found.sort_by_key(|one| std::cmp::Reverse(one.period.1));
    found
}

#[cfg(test)]
mod tests {
    use super::super::schema::Shelf;
    use super::*;

    fn point(day: i64, value: i64, release: i64, ended: bool) -> Point {
        let value = Value::whole(value).unwrap();
        Point { start: day, day, value, rank: (release, 0), release, ended, revised: false }
    }

    #[test]
    fn the_last_record_that_holds_a_figure_says_its_value() {
        let figures = current(&[point(1, 10, 1, false), point(1, 12, 2, false), point(2, 20, 2, false)]);
        assert_eq!(figures.len(), 2);
        assert_eq!((figures[0].value, figures[0].release), (Value::whole(12), 2));
        assert_eq!((figures[0].corrections, figures[1].corrections), (1, 0));
    }

    #[test]
    fn what_was_withdrawn_is_unknown_and_not_what_it_was_before() {
        let figures = current(&[point(1, 10, 1, true), point(1, 12, 2, true)]);
        assert_eq!(figures[0].value, None);
        let figures = current(&[point(1, 10, 1, false), point(1, 12, 2, true)]);
        assert_eq!(figures[0].value, Value::whole(10), "another record still holds it");
    }

    #[test]
    fn a_gap_is_one_step_for_several_days_and_a_fall_stays_a_fall() {
        let figures = current(&[
            point(1, 10, 1, false),
            point(4, 40, 1, false),
            point(5, 35, 1, false),
            point(8, 80, 1, false),
        ]);
        let days = curve(Measure::Cumulative, &figures);
        let steps: Vec<_> = days.iter().map(|day| (day.new, day.days)).collect();
        assert_eq!(steps, [(None, 1), (Some(30.0), 3), (Some(-5.0), 1), (Some(45.0), 3)]);
        assert_eq!(days[3].mean, Some(10.0));
        assert_eq!(last_week(&days), Some(70.0));
    }

    #[test]
    fn new_counts_are_taken_as_they_are() {
        let points: Vec<Point> = (1..=7).map(|day| point(day, day, 1, false)).collect();
        let days = curve(Measure::New, &current(&points));
        assert_eq!(days[6].mean, Some(4.0));
        assert_eq!(days[5].mean, None);
    }

    #[test]
    fn different_values_for_one_figure_stand_side_by_side() {
        let series = |author: &str, definition: &str| Series {
            no: 1,
            shelf: Shelf::Public,
            author: author.into(),
            indicator: "cases-confirmed-cumulative".into(),
            definition: definition.into(),
            place: "CHN".into(),
            disaggregation: String::new(),
        };
        let (own, who, other) = (series("a", "x"), series("b", "x"), series("c", "y"));
        let said = |value| current(&[point(1, 5, 1, false), point(2, value, 1, false)]);
        let said = [said(7), said(8), said(9)];
        let found = disagreements(&[&own, &who, &other], &[&said[0], &said[1], &said[2]]);
        assert_eq!(found.len(), 1, "another definition is another figure");
        assert_eq!(found[0].period, (2, 2));
        assert_eq!(found[0].statements, [(0, Value::whole(7).unwrap()), (1, Value::whole(8).unwrap())]);
    }
}
