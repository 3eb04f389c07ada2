//! The case reproduction number: how many the cases of a day infected in the end (Wallinga and Teunis 2004), by who could have
//! infected whom.
//!
//! A case of day t was infected by one of day s with probability p = I(s) w(t−s) / Λ(t), where Λ(t) = Σ I(t−u) w(u). So the cases of
//! day s infected Σ I(t) w(t−s) / Λ(t) each. No ancestry is drawn: the mean is exact, and takes days × length of the serial interval,
//! whatever the number of cases. Its variance is that of independent multinomial choices of an infector.
//!
//! Offspring that is still to come, or fell on a day without a figure, is unseen. What was seen is divided by the share of the serial
//! interval in which offspring could be seen (Cauchemez et al. 2006), and flagged; where less than a quarter could be seen there is no
//! value.
//!
//! Sources: Wallinga and Teunis 2004, Am. J. Epidemiol. 160:509; Cauchemez et al. 2006, Emerg. Infect. Dis. 12:110;
//! `EpiEstim::wallinga_teunis`.

use jiff::civil::Date;

use crate::distribution::normal;
use crate::finding::{self, Flag};
use crate::serial_interval::SerialInterval;
use crate::series::{Observation, Series};

/// Below this share of offspring seen there is no value.
pub const LEAST_SHARE: f64 = 0.25;
/// Above it nothing is unseen, but for the tail of a distribution.
const WHOLE: f64 = 0.999;

/// R of the cases of one window.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// Its first date.
    pub start: Date,
    /// Its last date.
    pub end: Date,
    /// Mean number of offspring seen so far, without correction.
    pub seen: Option<f64>,
    /// Mean number of offspring in the end, with its standard deviation, unless the flags say why there is none.
    pub estimate: Option<(f64, f64)>,
    /// What to know about it.
    pub flags: Vec<Flag>,
}

/// The 95 % interval of a mean with a standard deviation: normal, and not below 0.
pub fn interval((mean, sd): (f64, f64)) -> (f64, f64) {
    let reach = normal::quantile(0.975) * sd;
    ((mean - reach).max(0.0), mean + reach)
}

/// R of the cases of each day so far, without correction: `None` where there is no case.
pub fn daily(series: &Series, serial_interval: &SerialInterval) -> Vec<Option<f64>> {
    estimate(series, serial_interval, 1).into_iter().map(|window| window.seen).collect()
}

/// R of the cases of every window of `window` days, from the first day on. The series is daily: of weeks made by
/// [`crate::reconstruction`] if it has to be.
pub fn estimate(series: &Series, serial_interval: &SerialInterval, window: usize) -> Vec<Window> {
    let length = series.len();
    if window == 0 || length < window {
        return Vec::new();
    }
    let cases = series.contributions();
    let weights = serial_interval.delay().probabilities();
    let longest = serial_interval.delay().longest();
    let infectiousness = serial_interval.infectiousness(&cases);
    // The share of the offspring of each day that could be seen.
    let share: Vec<f64> = (0..length)
        .map(|day| {
            let lags = 1..=longest.min(length - 1 - day);
            lags.filter(|lag| series.reported(day + lag).is_some()).map(|lag| weights[lag]).sum()
        })
        .collect();
    let total: f64 = weights.iter().sum();
    let spikes = finding::spikes(series);
    let observations = series.observations();
    let answer = |first: usize| {
        let days = first..first + window;
        let last = days.end - 1;
        let mut flags = Vec::new();
        if observations[days.clone()].iter().any(|o| matches!(o, Observation::Negative(_))) {
            flags.push(Flag::Negative);
        }
        if observations[days.clone()].iter().any(|o| matches!(o, Observation::Missing(_))) {
            flags.push(Flag::Missing);
        }
        if spikes[days.clone()].iter().any(Option::is_some) {
            flags.push(Flag::Spike);
        }
        if series.is_spread(first) {
            flags.push(Flag::Spread);
        }
        if series.is_reconstructed() {
            flags.push(Flag::Reconstructed);
        }
        let infectors: f64 = cases[days.clone()].iter().sum();
        let whole = observations[days.clone()].iter().all(|o| o.reported().is_some());
        let least = days
            .clone()
            .filter(|day| cases[*day] > 0.0)
            .map(|day| share[day] / total)
            .fold(f64::INFINITY, f64::min);
        if whole && infectors == 0.0 {
            flags.push(Flag::TooFewCases);
        } else if least < WHOLE {
            flags.push(Flag::OffspringUnseen);
        }
        flags.sort_unstable();
        let some = whole && infectors > 0.0;
        let (seen, corrected, variance) = if some {
            offspring(&cases, &infectiousness, weights, &share, total, days)
        } else {
            (0.0, 0.0, 0.0)
        };
        Window {
            start: series.date(first),
            end: series.date(last),
            seen: some.then_some(seen / infectors),
            estimate: (some && least >= LEAST_SHARE)
                .then(|| (corrected / infectors, variance.sqrt() / infectors)),
            flags,
        }
    };
    (0..=length - window).map(answer).collect()
}

/// Offspring of the days: seen, corrected for what could not be seen, and the variance of the latter.
fn offspring(
    cases: &[f64],
    infectiousness: &[f64],
    weights: &[f64],
    share: &[f64],
    total: f64,
    days: core::ops::Range<usize>,
) -> (f64, f64, f64) {
    let (mut seen, mut corrected, mut variance) = (0.0, 0.0, 0.0);
    let end = cases.len().min(days.end - 1 + weights.len());
    for day in days.start + 1..end {
        if cases[day] == 0.0 || infectiousness[day] <= 0.0 {
            continue;
        }
        // Of one case of this day: the probability that its infector is of these days, and the same weighted by the correction.
        let (mut probability, mut first, mut second) = (0.0, 0.0, 0.0);
        let earliest = days.start.max((day + 1).saturating_sub(weights.len()));
        for infector in earliest..days.end.min(day) {
            let p = cases[infector] * weights[day - infector] / infectiousness[day];
            if p == 0.0 {
                continue;
            }
            let factor = total / share[infector];
            probability += p;
            first += factor * p;
            second += factor * factor * p;
        }
        seen += cases[day] * probability;
        corrected += cases[day] * first;
        variance += cases[day] * (second - first * first).max(0.0);
    }
    (seen, corrected, variance)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::{FLU_2009, FLU_2009_SERIAL_INTERVAL};
    use crate::series::{Absence, Step};
    use jiff::civil::date;
    use proptest::prelude::*;

    fn series(figures: &[f64]) -> Series {
        Series::of(date(2009, 4, 27), Step::Day, figures).unwrap()
    }

    fn school() -> SerialInterval {
        SerialInterval::given(FLU_2009_SERIAL_INTERVAL.to_vec()).unwrap()
    }

    #[test]
    fn flu_in_a_school_is_the_closed_form_and_the_mean_of_epiestim() {
        let theirs = [
            2.522178, 2.854658, 3.709238, 2.516748, 1.230897, 1.229400, 1.419183, 1.367130, 1.467809,
            1.938175,
        ];
        let ours = daily(&series(&FLU_2009), &school());
        for (day, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
            // The third day has no case: its number is that of one who would have been.
            match ours {
                Some(ours) => assert!((ours - theirs).abs() < 5e-7, "{day}: {ours} {theirs}"),
                None => assert_eq!(day, 2),
            }
        }
        let windows = estimate(&series(&FLU_2009), &school(), 7);
        for (first, theirs) in
            [(2, 1.5346928295), (6, 1.5706728285), (11, 0.9980582439), (21, 0.4353460753), (26, 0.4717477004)]
        {
            let seen = windows[first - 1].seen.unwrap();
            assert!((seen - theirs).abs() < 1e-10, "{first}: {seen} {theirs}");
        }
    }

    /// An epidemic with a constant R: without correction its last days look as if it ended.
    #[test]
    fn the_right_edge_is_corrected_and_flagged_until_too_little_is_seen() {
        let interval = SerialInterval::cori(4.0, 2.0).unwrap();
        let mut figures: Vec<f64> = vec![100.0];
        for day in 1..60 {
            let lambda = interval.infectiousness(&[figures.clone(), vec![0.0]].concat())[day];
            figures.push(if day < 12 { 100.0 } else { 1.4 * lambda });
        }
        let windows = estimate(&series(&figures), &interval, 3);
        for window in &windows[20..] {
            if let Some((mean, _)) = window.estimate {
                assert!((mean - 1.4).abs() < 0.03, "{window:?}");
                let unseen = window.flags.contains(&Flag::OffspringUnseen);
                assert!(unseen || (window.seen.unwrap() - mean).abs() < 0.01);
            }
        }
        let edge = &windows[windows.len() - 4];
        assert!(edge.estimate.is_some() && edge.seen.unwrap() < 1.2, "{edge:?}");
        assert_eq!(windows.last().unwrap().estimate, None);
    }

    #[test]
    fn offspring_of_a_day_without_a_figure_is_counted_as_unseen() {
        let mut observations = vec![Observation::Reported(50.0); 60];
        observations[30] = Observation::Missing(Absence::NotStated);
        let series = Series::new(date(2020, 3, 1), Step::Day, observations).unwrap();
        let windows = estimate(&series, &school(), 1);
        assert_eq!(windows[30].estimate, None);
        assert_eq!(windows[30].flags, [Flag::Missing]);
        assert!(windows[28].flags.contains(&Flag::OffspringUnseen));
        let (mean, _) = windows[28].estimate.unwrap();
        let seen = windows[28].seen.unwrap();
        assert!(seen < mean && (0.9..1.6).contains(&mean), "{mean} {seen}");
    }

    #[test]
    fn a_million_cases_take_no_more_than_one() {
        let figures: Vec<f64> = (0..200).map(|day| 5000.0 + 10.0 * f64::from(day)).collect();
        let windows = estimate(&series(&figures), &school(), 7);
        let (mean, sd) = windows[100].estimate.unwrap();
        assert!((mean - 1.004).abs() < 0.01 && sd < 0.01, "{mean} {sd}");
        let (low, high) = interval((mean, sd));
        assert!(low < mean && mean < high);
    }

    proptest! {
        /// Every case but those that nobody could have infected has one infector.
        #[test]
        fn offspring_sums_to_the_cases(figures in prop::collection::vec(0u32..50, 5..60)) {
            let figures: Vec<f64> = figures.into_iter().map(f64::from).collect();
            let daily = daily(&series(&figures), &school());
            let offspring: f64 = daily.iter().zip(&figures).filter_map(|(r, n)| r.map(|r| r * n)).sum();
            let lambda = school().infectiousness(&figures);
            let infected: f64 = figures.iter().zip(&lambda).filter(|(_, l)| **l > 0.0).map(|(n, _)| n).sum();
            prop_assert!((offspring - infected).abs() < 1e-6, "{offspring} {infected}");
        }

        #[test]
        fn twice_the_cases_have_the_same_r(figures in prop::collection::vec(1u32..50, 5..40)) {
            let figures: Vec<f64> = figures.into_iter().map(f64::from).collect();
            let twice: Vec<f64> = figures.iter().map(|n| 2.0 * n).collect();
            let one = estimate(&series(&figures), &school(), 3);
            for (a, b) in one.iter().zip(estimate(&series(&twice), &school(), 3)) {
                let same = a.estimate.zip(b.estimate).is_none_or(|(a, b)| (a.0 - b.0).abs() < 1e-9 && b.1 <= a.1);
                prop_assert!(same, "{:?} {:?}", a, b);
            }
        }
    }
}
