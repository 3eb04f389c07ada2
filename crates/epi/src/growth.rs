//! How fast does it grow: a log-linear regression of counts on time in a window, and the reproduction number that follows from it.
//!
//! Counts are taken to have mean exp(a + r t), t in days, and a variance φ times the mean (quasi-Poisson; φ ≥ 1 from Pearson's
//! statistic). The interval of r is Student's with n − 2 degrees of freedom. Doubling time ln 2 / r where it grows, halving time
//! ln 2 / −r where it shrinks: never "infinite". Assumes that the same share is reported throughout the window.
//!
//! Sources: Nelder 1989, chapter 9; Wallinga and Lipsitch 2007, Proc. R. Soc. B 274:599 (R from r).

use jiff::civil::Date;

use crate::distribution::beta;
use crate::finding::{self, Flag};
use crate::serial_interval::SerialInterval;
use crate::series::{Observation, Series};

/// The fewest points of a window: two parameters, and something left to judge them by.
pub const LEAST_POINTS: usize = 4;

/// An estimate with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Growth {
    /// r per day.
    pub rate: f64,
    /// Its standard error.
    pub se: f64,
    /// The lower end of its 95 % interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// φ, at least 1.
    pub dispersion: f64,
}

/// A time in days with its interval, of which the upper end is open where r might be 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Days {
    /// The estimate.
    pub estimate: f64,
    /// The shortest.
    pub low: f64,
    /// The longest, if there is one.
    pub high: Option<f64>,
}

impl Growth {
    /// Whether the interval has both growth and decline in it.
    pub fn is_unclear(&self) -> bool {
        self.low <= 0.0 && self.high >= 0.0
    }

    /// Days in which it doubles, if r > 0.
    pub fn doubling(&self) -> Option<Days> {
        days(self.rate, self.low, self.high)
    }

    /// Days in which it halves, if r < 0.
    pub fn halving(&self) -> Option<Days> {
        days(-self.rate, -self.high, -self.low)
    }
}

fn days(rate: f64, low: f64, high: f64) -> Option<Days> {
    let within = |rate: f64| core::f64::consts::LN_2 / rate;
    (rate > 0.0).then(|| Days {
        estimate: within(rate),
        low: within(high),
        high: (low > 0.0).then(|| within(low)),
    })
}

/// Growth in one window.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// Its first date.
    pub start: Date,
    /// Its last date.
    pub end: Date,
    /// The estimate, unless the flags or too few cases say why there is none.
    pub growth: Option<Growth>,
    /// What to know about it.
    pub flags: Vec<Flag>,
}

/// Growth in every window of `points` days or weeks. None if there are fewer than [`LEAST_POINTS`].
pub fn estimate(series: &Series, points: usize) -> Vec<Window> {
    if points < LEAST_POINTS || series.len() < points {
        return Vec::new();
    }
    let spikes = finding::spikes(series);
    let window = |first: usize| {
        let days = first..first + points;
        let observations = &series.observations()[days.clone()];
        let mut flags = Vec::new();
        let figures: Vec<f64> = observations.iter().filter_map(|o| o.reported()).collect();
        let whole = figures.len() == points;
        if observations.iter().any(|o| matches!(o, Observation::Negative(_))) {
            flags.push(Flag::Negative);
        }
        if observations.iter().any(|o| matches!(o, Observation::Missing(_))) {
            flags.push(Flag::Missing);
        }
        if spikes[days].iter().any(Option::is_some) {
            flags.push(Flag::Spike);
        }
        if series.is_spread(first) {
            flags.push(Flag::Spread);
        }
        let growth = if whole { fit(&figures, f64::from(series.step().days())) } else { None };
        if whole && growth.is_none() {
            flags.push(Flag::TooFewCases);
        }
        flags.sort_unstable();
        Window { start: series.date(first), end: series.date(first + points - 1), growth, flags }
    };
    (0..=series.len() - points).map(window).collect()
}

/// Fits counts that stand `step` days apart. None if cases stand in fewer than two of them: then no slope, or any, fits.
pub fn fit(figures: &[f64], step: f64) -> Option<Growth> {
    let count = figures.len();
    if count < LEAST_POINTS || figures.iter().filter(|n| **n > 0.0).count() < 2 {
        return None;
    }
    let middle = 0.5 * (count as f64 - 1.0);
    let time = |index: usize| (index as f64 - middle) * step;
    let total: f64 = figures.iter().sum();
    // Newton's method on the profile over a: with weights e^{rt}, the mean of t under the model equals that of the data.
    let target: f64 = figures.iter().enumerate().map(|(i, y)| y * time(i)).sum::<f64>() / total;
    let moments = |rate: f64| {
        let (mut sum, mut first, mut second) = (0.0, 0.0, 0.0);
        for index in 0..count {
            let weight = libm::exp(rate * time(index));
            sum += weight;
            first += weight * time(index);
            second += weight * time(index) * time(index);
        }
        (sum, first / sum, second / sum - (first / sum) * (first / sum))
    };
    let mut rate = 0.0;
    for _ in 0..100 {
        let (_, mean, variance) = moments(rate);
        // A step of more than an e-fold per interval would leave the region where the model is known.
        let change = ((target - mean) / variance).clamp(-1.0 / step, 1.0 / step);
        rate += change;
        if change.abs() < 1e-14 {
            break;
        }
    }
    let (sum, _, variance) = moments(rate);
    let level = total / sum;
    let pearson: f64 = figures
        .iter()
        .enumerate()
        .map(|(index, y)| {
            let mean = level * libm::exp(rate * time(index));
            (y - mean) * (y - mean) / mean
        })
        .sum();
    let freedom = count as f64 - 2.0;
    let dispersion = (pearson / freedom).max(1.0);
    let se = (dispersion / (total * variance)).sqrt();
    let reach = student(0.975, freedom) * se;
    Some(Growth { rate, se, low: rate - reach, high: rate + reach, dispersion })
}

/// The quantile of Student's distribution for p > ½.
fn student(p: f64, freedom: f64) -> f64 {
    let x = beta::quantile(0.5 * freedom, 0.5, 2.0 * (1.0 - p));
    (freedom * (1.0 - x) / x).sqrt()
}

/// R = 1 / Σ w(s) e^{−rs}: the reproduction number at growth `rate` per day with a discrete serial interval.
pub fn reproduction(rate: f64, interval: &SerialInterval) -> f64 {
    let weights = interval.delay().probabilities().iter().enumerate();
    1.0 / weights.map(|(lag, w)| w * libm::exp(-rate * lag as f64)).sum::<f64>()
}

/// The growth rate per day that belongs to a reproduction number above 0: the root r of [`reproduction`].
pub fn rate(reproduction: f64, interval: &SerialInterval) -> f64 {
    let weights = interval.delay().probabilities().iter().enumerate().filter(|(_, w)| **w > 0.0);
    let terms: Vec<(f64, f64)> = weights.map(|(lag, w)| (lag as f64, libm::log(*w))).collect();
    let target = libm::log(reproduction);
    let mut rate = 0.0;
    // ln Σ w(s) e^{−rs} falls with r and is convex, and its slope, a mean lag, is at least 1: Newton's method finds the root from anywhere.
    for _ in 0..200 {
        let most = terms.iter().map(|(lag, log)| log - rate * lag).fold(f64::NEG_INFINITY, f64::max);
        let (mut sum, mut lags) = (0.0, 0.0);
        for (lag, log) in &terms {
            let weight = libm::exp(log - rate * lag - most);
            sum += weight;
            lags += weight * lag;
        }
        let change = (most + libm::log(sum) + target) * sum / lags;
        rate += change;
        if change.abs() <= 1e-14 * rate.abs().max(1.0) {
            break;
        }
    }
    rate
}

/// The same with a gamma distribution of the generation interval: R = (1 + r σ²/μ)^(μ²/σ²). None where r is so far below 0 that no
/// R ≥ 0 belongs to it.
pub fn reproduction_gamma(rate: f64, mean: f64, sd: f64) -> Option<f64> {
    let base = 1.0 + rate * sd * sd / mean;
    (base > 0.0).then(|| libm::pow(base, mean * mean / (sd * sd)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::{Absence, Step};
    use jiff::civil::date;
    use proptest::prelude::*;

    #[test]
    fn reproduction_numbers_belong_to_growth_rates() {
        let interval = SerialInterval::cori(6.5, 4.03).unwrap();
        for (rate, gamma, discrete) in [
            (0.05, 1.3583159, 1.3583763),
            (0.1, 1.7864081, 1.7879615),
            (0.15, 2.2888426, 2.2958055),
            (-0.05, 0.7066866, 0.7062689),
        ] {
            assert!((reproduction_gamma(rate, 6.5, 4.03).unwrap() - gamma).abs() < 1e-7);
            assert!((reproduction(rate, &interval) - discrete).abs() < 1e-7);
        }
        assert_eq!(reproduction_gamma(-1.0, 6.5, 4.03), None);
        for r in [1e-6, 0.2, 0.7, 1.0, 1.3, 2.3, 40.0, 1e5] {
            let back = reproduction(rate(r, &interval), &interval);
            assert!((back / r - 1.0).abs() < 1e-12, "{r} {back}");
        }
    }

    #[test]
    fn doubling_and_halving_are_never_both_and_never_infinite() {
        let growth =
            |rate: f64| Growth { rate, se: 0.01, low: rate - 0.02, high: rate + 0.02, dispersion: 1.0 };
        for (rate, days) in [(0.05, 13.863), (0.1, 6.931), (0.15, 4.621)] {
            assert!((growth(rate).doubling().unwrap().estimate - days).abs() < 1e-3);
            assert_eq!(growth(rate).halving(), None);
        }
        let shrinking = growth(-0.05);
        assert!((shrinking.halving().unwrap().estimate - 13.863).abs() < 1e-3);
        assert_eq!(shrinking.doubling(), None);
        assert!(growth(0.01).is_unclear() && growth(0.01).doubling().unwrap().high.is_none());
    }

    /// R 4.2.2: `glm(c(3,5,4,9,12,11,20) ~ t, family = poisson)` with t 0 to 6 (Pearson's dispersion is 0.37, taken as 1), `qt(.975, 5)`.
    #[test]
    fn the_fit_is_that_of_r() {
        let fit = fit(&[3.0, 5.0, 4.0, 9.0, 12.0, 11.0, 20.0], 1.0).unwrap();
        assert!((fit.rate - 0.297180772050279).abs() < 1e-9, "{fit:?}");
        assert!((fit.se - 0.0693543217836216).abs() < 1e-8, "{fit:?}");
        assert!((student(0.975, 5.0) - 2.570581835636314).abs() < 1e-12);
        assert_eq!(fit.dispersion, 1.0);
    }

    #[test]
    fn too_few_cases_and_bad_days_have_no_growth_and_say_so() {
        let mut observations = vec![Observation::Reported(0.0); 20];
        observations[2] = Observation::Reported(3.0);
        observations[15] = Observation::Missing(Absence::Empty);
        let series = Series::new(date(2020, 3, 1), Step::Day, observations).unwrap();
        let windows = estimate(&series, 7);
        assert_eq!(windows.len(), 14);
        assert!(windows.iter().all(|window| window.growth.is_none()));
        assert_eq!(windows[0].flags, [Flag::TooFewCases]);
        assert_eq!(windows[10].flags, [Flag::Missing]);
        assert!(estimate(&series, 3).is_empty());
    }

    proptest! {
        #[test]
        fn exact_growth_is_found_whatever_the_scale(rate in -0.4f64..0.4, level in 1.0f64..1e5, weekly: bool) {
            let step = if weekly { 7.0 } else { 1.0 };
            let rate = rate / step;
            let figures: Vec<f64> = (0..10).map(|i| level * libm::exp(rate * step * f64::from(i))).collect();
            let fit = fit(&figures, step).unwrap();
            prop_assert!((fit.rate - rate).abs() < 1e-9, "{} {rate}", fit.rate);
        }

        #[test]
        fn backwards_in_time_it_is_the_opposite(figures in prop::collection::vec(1u32..500, 5..20)) {
            let figures: Vec<f64> = figures.into_iter().map(f64::from).collect();
            let back: Vec<f64> = figures.iter().rev().copied().collect();
            let (on, back) = (fit(&figures, 1.0).unwrap(), fit(&back, 1.0).unwrap());
            prop_assert!((on.rate + back.rate).abs() < 1e-9);
            prop_assert!((on.se - back.se).abs() < 1e-9);
        }
    }
}
