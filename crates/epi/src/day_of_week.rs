//! The effect of the day of the week on reports: shown, and removable when somebody asks for it.
//!
//! Each figure is compared with the mean of the seven days around it. The effect of a weekday is the sum of its figures by the sum of
//! those means, scaled so that the seven effects have mean 1: 0.6 on Sundays says that a Sunday reports 0.6 of a usual day. Only whole
//! weeks of figures count; assumes that the effect stays the same throughout the series.

use jiff::civil::Weekday;

use crate::series::{Observation, Series, SeriesError, Step};

/// The least number of figures of each weekday.
pub const LEAST_WEEKS: usize = 4;

/// Weekdays from Monday.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effects {
    /// By weekday from Monday; their mean is 1.
    pub by_weekday: [f64; 7],
}

/// The place of a weekday from Monday.
fn place(weekday: Weekday) -> usize {
    usize::try_from(weekday.to_monday_zero_offset()).unwrap_or(0)
}

/// The effect of each weekday. None for weekly figures, and where a weekday has too few figures or the series no cases.
pub fn effects(series: &Series) -> Option<Effects> {
    if series.step() == Step::Week {
        return None;
    }
    let (mut seen, mut usual, mut count) = ([0.0; 7], [0.0; 7], [0_usize; 7]);
    for middle in 3..series.len().saturating_sub(3) {
        let week: Option<Vec<f64>> = (middle - 3..=middle + 3).map(|day| series.reported(day)).collect();
        let Some(week) = week else { continue };
        let weekday = place(series.date(middle).weekday());
        seen[weekday] += week[3];
        usual[weekday] += week.iter().sum::<f64>() / 7.0;
        count[weekday] += 1;
    }
    if count.iter().any(|weeks| *weeks < LEAST_WEEKS) || usual.iter().any(|usual| *usual <= 0.0) {
        return None;
    }
    let mut by_weekday = [0.0; 7];
    for (effect, (seen, usual)) in by_weekday.iter_mut().zip(seen.iter().zip(&usual)) {
        *effect = seen / usual;
    }
    let mean = by_weekday.iter().sum::<f64>() / 7.0;
    (mean > 0.0).then(|| Effects { by_weekday: by_weekday.map(|effect| effect / mean) })
}

/// Figures as they would be without the effect, whose total is the same; no longer whole. Days of a weekday that never reports stay.
pub fn removed(series: &Series, effects: &Effects) -> Result<Series, SeriesError> {
    let total: f64 = series.contributions().iter().sum();
    let divided: Vec<Observation> = series
        .iter()
        .map(|(date, observation)| match (observation, effects.by_weekday[place(date.weekday())]) {
            (Observation::Reported(figure), effect) if effect > 0.0 => Observation::Reported(figure / effect),
            _ => observation,
        })
        .collect();
    let after: f64 = divided.iter().filter_map(|observation| observation.reported()).sum();
    let scale = if after > 0.0 { total / after } else { 1.0 };
    let scaled = |observation: Observation| match observation {
        Observation::Reported(figure) => Observation::Reported(figure * scale),
        other => other,
    };
    Series::new(series.start(), series.step(), divided.into_iter().map(scaled).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    /// A Monday.
    fn from_monday(figures: &[f64]) -> Series {
        Series::of(date(2020, 3, 2), Step::Day, figures).unwrap()
    }

    #[test]
    fn quiet_sundays_are_found_and_removed() {
        let shape = [1.2, 1.1, 1.1, 1.1, 1.1, 0.8, 0.6];
        let figures: Vec<f64> = (0..70).map(|day| 100.0 * shape[day % 7]).collect();
        let series = from_monday(&figures);
        let effects = effects(&series).unwrap();
        for (found, true_effect) in effects.by_weekday.iter().zip(shape) {
            assert!((found - true_effect).abs() < 1e-12, "{found} {true_effect}");
        }
        for figure in removed(&series, &effects).unwrap().contributions() {
            assert!((figure - 100.0).abs() < 1e-9);
        }
    }

    #[test]
    fn few_weeks_and_weekly_figures_show_no_effect() {
        assert_eq!(effects(&from_monday(&[5.0; 30])), None);
        assert_eq!(effects(&from_monday(&[0.0; 70])), None);
        assert_eq!(effects(&Series::of(date(2020, 3, 2), Step::Week, &[5.0; 70]).unwrap()), None);
    }

    proptest! {
        #[test]
        fn effects_do_not_depend_on_scale_and_the_total_stays(
            figures in prop::collection::vec(1u32..900, 50..90), times in 1u32..50,
        ) {
            let figures: Vec<f64> = figures.into_iter().map(f64::from).collect();
            let more: Vec<f64> = figures.iter().map(|n| n * f64::from(times)).collect();
            let (one, other) = (effects(&from_monday(&figures)).unwrap(), effects(&from_monday(&more)).unwrap());
            for (a, b) in one.by_weekday.iter().zip(other.by_weekday) {
                prop_assert!((a - b).abs() < 1e-9);
            }
            let after: f64 = removed(&from_monday(&figures), &one).unwrap().contributions().iter().sum();
            prop_assert!((after / figures.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        }
    }
}
