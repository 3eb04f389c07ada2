//! From what an author stated to the series that methods of epidemiology read: new counts by day or by week, every gap
//! named and none filled.

use crate::desks::situation::curve::{Current, Measure};
use crate::desks::situation::figure::date_of;
use epi::series::{Absence, Observation, Series, Step};

/// Days or weeks that are looked at, at most, the newest: what a page computes is bounded.
pub const MAX_LENGTH: i64 = 1_200;
const WEEK: i64 = 7;

/// New counts of a series. Cumulative figures are differenced (the first is a stock: the counts begin at the second); figures
/// that mostly stand a week apart, or for a week each, are weekly. `None` if there are fewer than two, or none that count.
pub fn counts(measure: Measure, figures: &[Current]) -> Option<Series> {
    let stated: Vec<(i64, i64, f64)> = figures
        .iter()
        .filter_map(|figure| Some((figure.day, figure.day - figure.start + 1, figure.value?.to_f64())))
        .collect();
    let step = step(measure, &stated)?;
    let days = i64::from(step.days());
    let (last, first) = (stated.last()?.0, stated.first()?.0);
    // The grid ends with the newest figure: a series that changed its weekday is read as it is reported now.
    let length = ((last - first) / days + 1).min(MAX_LENGTH + 1);
    let first = last - (length - 1) * days;
    let mut observations = vec![Observation::Missing(Absence::NotStated); usize::try_from(length).ok()?];
    for (day, period, value) in stated {
        let counts = measure == Measure::Cumulative || period == days;
        let slot = (day >= first && (day - first) % days == 0).then(|| (day - first) / days);
        let slot = slot.and_then(|slot| observations.get_mut(usize::try_from(slot).ok()?));
        if let Some(slot) = slot.filter(|_| counts) {
            *slot = Observation::of(value);
        }
    }
    let series = Series::new(date_of(first), step, observations).ok()?;
    match measure {
        Measure::Cumulative => Some(series.differences()),
        Measure::New => Some(series),
        Measure::Standing => None,
    }
}

fn step(measure: Measure, stated: &[(i64, i64, f64)]) -> Option<Step> {
    let weekly = match measure {
        Measure::Cumulative => stated.windows(2).filter(|pair| pair[1].0 - pair[0].0 == WEEK).count(),
        Measure::New => stated.iter().filter(|(_, period, _)| *period == WEEK).count(),
        Measure::Standing => return None,
    };
    if stated.len() < 2 {
        return None;
    }
    Some(if weekly * 2 > stated.len() - 1 { Step::Week } else { Step::Day })
}

/// The input as `concord epi` reads it: `date,cases`. A gap is an empty field.
pub fn csv(series: &Series) -> String {
    let mut text = String::from("date,cases\n");
    for (date, observation) in series.iter() {
        let figure = match observation {
            Observation::Reported(figure) | Observation::Negative(figure) => figure.to_string(),
            Observation::Missing(_) => String::new(),
        };
        text.push_str(&format!("{date},{figure}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use formats::figures::Value;
    use jiff::civil::date;

    fn figure(start: i64, day: i64, value: i64) -> Current {
        Current { start, day, value: Value::whole(value), release: 1, corrections: 0 }
    }

    #[test]
    fn totals_are_differenced_and_a_gap_stays_a_gap() {
        let figures =
            [figure(0, 0, 10), figure(1, 1, 14), figure(2, 2, 12), figure(5, 5, 30), figure(6, 6, 31)];
        let series = counts(Measure::Cumulative, &figures).unwrap();
        assert_eq!(series.start(), date(1970, 1, 2));
        let gap = Observation::Missing(Absence::NotStated);
        let behind = Observation::Missing(Absence::Uncountable);
        let expected = [
            Observation::Reported(4.0),
            Observation::Negative(-2.0),
            gap,
            gap,
            behind,
            Observation::Reported(1.0),
        ];
        assert_eq!(series.observations(), expected);
        assert_eq!(
            csv(&series),
            "date,cases\n1970-01-02,4\n1970-01-03,-2\n1970-01-04,\n1970-01-05,\n1970-01-06,\n1970-01-07,1\n"
        );
    }

    #[test]
    fn totals_a_week_apart_and_counts_of_weeks_are_weekly() {
        let totals = [figure(0, 0, 10), figure(7, 7, 14), figure(14, 14, 20)];
        let series = counts(Measure::Cumulative, &totals).unwrap();
        assert_eq!((series.step(), series.contributions()), (Step::Week, vec![4.0, 6.0]));
        let weeks = [figure(0, 6, 5), figure(7, 13, 9), figure(14, 14, 1)];
        let series = counts(Measure::New, &weeks[..2]).unwrap();
        assert_eq!((series.step(), series.contributions()), (Step::Week, vec![5.0, 9.0]));
    }

    #[test]
    fn what_stands_at_a_time_is_no_count_and_one_figure_no_series() {
        assert_eq!(counts(Measure::Standing, &[figure(0, 0, 1), figure(1, 1, 2)]), None);
        assert_eq!(counts(Measure::New, &[figure(0, 0, 1)]), None);
        let long: Vec<Current> = (0..3_000).map(|day| figure(day, day, day)).collect();
        assert_eq!(counts(Measure::New, &long).unwrap().len(), 1_201);
    }
}
