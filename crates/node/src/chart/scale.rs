//! Axes: round numbers beside the plot, months below it.

use jiff::ToSpan;
use jiff::civil::Date;

/// At most so many month labels fit below a plot 320 pixels wide.
const MAX_MONTH_LABELS: usize = 8;

/// The values at which lines are drawn, from smallest to largest; zero is among them, and the first and last
/// enclose all values. Steps are 1, 2 or 5 times a power of ten, and whole.
pub fn ticks(smallest: i64, largest: i64) -> Vec<i64> {
    let (low, high) = (smallest.min(0), largest.max(1));
    let step = step_for(high.saturating_sub(low));
    let first = low.div_euclid(step);
    let last = high.div_euclid(step) + i64::from(high.rem_euclid(step) != 0);
    (first..=last).map(|count| count.saturating_mul(step)).collect()
}

/// The smallest round step with which at most six fit into `range`.
fn step_for(range: i64) -> i64 {
    let mut power = 1_i64;
    loop {
        for factor in [1, 2, 5] {
            let step = power.saturating_mul(factor);
            if range / step < 6 {
                return step;
            }
        }
        power = power.saturating_mul(10);
    }
}

/// The same for values that are no counts: steps may be fractions, and zero need not be enclosed from below.
pub fn even(low: f64, high: f64) -> Vec<f64> {
    let high = if high > low { high } else { low + 1.0 };
    let mut step = 10_f64.powf(((high - low) / 6.0).log10().floor());
    for factor in [2.0, 2.5, 2.0] {
        if (high - low) / step <= 6.0 {
            break;
        }
        step *= factor;
    }
    let (first, last) = ((low / step).floor(), (high / step - 1e-9).ceil());
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // at most seven steps
    let count = (last - first) as usize;
    (0..=count).map(|at| (first + f64::from(u32::try_from(at).unwrap_or(0))) * step).collect()
}

/// Powers of ten from 1 to the first that encloses a value; at least 1 and 10.
pub fn powers(high: f64) -> Vec<f64> {
    let mut found = vec![1.0, 10.0];
    while found.len() < 16 && found.last().is_some_and(|last| *last < high) {
        found.push(found[found.len() - 1] * 10.0);
    }
    found
}

/// A round step with which at most `labels` labels stand below so many days.
pub fn step_of(days: usize, labels: usize) -> usize {
    let steps = [1, 2, 5, 7, 10, 20, 50, 100, 200, 500, 1_000];
    steps.into_iter().find(|step| days.div_ceil(*step) <= labels).unwrap_or(days.max(1))
}

/// First days of months within `days` days from `first`, thinned so that their names fit.
pub fn months(first: Date, days: usize) -> Vec<Date> {
    let Some(last) = i64::try_from(days).ok().and_then(|days| first.checked_add((days - 1).days()).ok())
    else {
        return Vec::new();
    };
    let mut starts = Vec::new();
    let mut month = first.first_of_month();
    while month <= last {
        if month >= first {
            starts.push(month);
        }
        let Ok(next) = month.checked_add(1.month()) else { break };
        month = next;
    }
    let every = [1, 2, 3, 6, 12].into_iter().find(|every| starts.len().div_ceil(*every) <= MAX_MONTH_LABELS);
    if let Some(every) = every {
        // Counted from January, so that years begin with a label.
        starts.retain(|month| (usize::from(month.month().unsigned_abs()) - 1).is_multiple_of(every));
    } else {
        let years = starts.len().div_ceil(12 * MAX_MONTH_LABELS);
        starts.retain(|month| {
            month.month() == 1 && usize::from(month.year().unsigned_abs()).is_multiple_of(years)
        });
    }
    starts
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    #[test]
    fn lines_stand_at_round_numbers() {
        assert_eq!(ticks(0, 1161), [0, 200, 400, 600, 800, 1000, 1200]);
        assert_eq!(ticks(0, 3), [0, 1, 2, 3]);
        assert_eq!(ticks(0, 0), [0, 1]);
        assert_eq!(ticks(-40, 230), [-50, 0, 50, 100, 150, 200, 250]);
    }

    #[test]
    fn fractions_and_ratios_have_round_lines_too() {
        assert_eq!(even(0.0, 2.1), [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]);
        assert_eq!(even(0.0, 6.0), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(even(0.0, 0.0).len(), 6, "of nothing: from 0 to 1");
        assert_eq!(powers(450.0), [1.0, 10.0, 100.0, 1000.0]);
        assert_eq!(powers(0.0), [1.0, 10.0]);
        assert_eq!([step_of(8, 8), step_of(60, 8), step_of(4_000, 8)], [1, 10, 500]);
    }

    #[test]
    fn months_are_thinned_until_they_fit() {
        let labels = months(date(2020, 1, 22), 131);
        assert_eq!(labels, [date(2020, 2, 1), date(2020, 3, 1), date(2020, 4, 1), date(2020, 5, 1)]);
        assert_eq!(months(date(2020, 1, 22), 700).first(), Some(&date(2020, 4, 1)));
        assert!(months(date(2000, 1, 1), 15_000).len() <= MAX_MONTH_LABELS + 1);
        assert!(months(date(2020, 1, 1), usize::MAX).is_empty());
    }

    proptest! {
        #[test]
        fn ticks_enclose_the_values_and_are_few(a: i32, b: i32) {
            let (small, large) = (i64::from(a.min(b)), i64::from(a.max(b)));
            let ticks = ticks(small, large);
            prop_assert!(ticks[0] <= small.min(0) && ticks[ticks.len() - 1] >= large);
            prop_assert!(ticks.len() <= 8 && ticks.contains(&0));
        }

        #[test]
        fn even_lines_enclose_what_is_drawn(low in -50.0..=0.0_f64, range in 0.001..1e9_f64) {
            let ticks = even(low, low + range);
            prop_assert!(ticks.len() >= 2 && ticks.len() <= 9, "{ticks:?}");
            prop_assert!(ticks[0] <= low && ticks[ticks.len() - 1] >= (low + range) * (1.0 - 1e-6) - 1e-6);
        }
    }
}
