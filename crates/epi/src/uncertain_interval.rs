//! The instantaneous reproduction number where the serial interval itself is uncertain: its mean and standard deviation are normal,
//! cut to a range.
//!
//! Given a serial interval the posterior of R is a gamma distribution whose shape does not depend on it; so over serial intervals it is
//! a mixture of gamma distributions of one shape. `EpiEstim` draws serial intervals, draws R of each and takes quantiles of the draws.
//! Here the serial intervals stand at the midpoints of equal probability of both parameters, and the quantiles of the mixture are
//! found as the roots of its distribution function: no draw, no seed, the same answer each time.
//!
//! Source: Cori et al. 2013, Am. J. Epidemiol. 178:1505, web appendix 4; `EpiEstim::estimate_R`, method `uncertain_si`.

use crate::delay::DelayError;
use crate::distribution::gamma::{self, Gamma};
use crate::distribution::normal;
use crate::instantaneous::{self, Cases, Estimate, InstantaneousError, Prior, Window};
use crate::serial_interval::SerialInterval;

/// Midpoints of each parameter.
const NODES: usize = 24;
/// Serial intervals that agree most about a window, so many, are looked at as one there: what they differ by is far below what the
/// midpoints leave out.
const TOGETHER: usize = 4;
/// From this shape on ...
const LARGE: f64 = 200.0;
/// ... so many standard deviations are far.
const FAR: f64 = 12.0;

/// A normal distribution, cut to a range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Truncated {
    /// Its mean before it is cut, in days.
    pub mean: f64,
    /// Its standard deviation before it is cut, in days.
    pub sd: f64,
    /// The least value.
    pub min: f64,
    /// The largest value.
    pub max: f64,
}

impl Truncated {
    /// Midpoints of equal probability.
    fn nodes(&self) -> Result<Vec<f64>, DelayError> {
        let Self { mean, sd, min, max } = *self;
        if !(sd.is_finite() && sd > 0.0) {
            return Err(DelayError::Parameter { parameter: "sd", value: sd, must: "finite and above 0" });
        }
        let (low, high) = (normal::cumulative((min - mean) / sd), normal::cumulative((max - mean) / sd));
        if !(min < max && low < high && mean.is_finite()) {
            return Err(DelayError::Parameter {
                parameter: "min",
                value: min,
                must: "below the largest value",
            });
        }
        let node = |index: usize| {
            let p = low + (high - low) * (index as f64 + 0.5) / NODES as f64;
            (mean + sd * normal::quantile(p)).clamp(min, max)
        };
        Ok((0..NODES).map(node).collect())
    }
}

/// R of one window, over all serial intervals.
#[derive(Debug, Clone, PartialEq)]
pub struct Mixed {
    /// The window, its flags, and the posterior given the mean of all parameters.
    pub window: Window,
    /// Mean, standard deviation and quantiles of the mixture; none where the window has no value.
    pub estimate: Option<Estimate>,
}

/// Why it cannot be estimated.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum UncertainError {
    /// The cases.
    #[error(transparent)]
    Cases(#[from] InstantaneousError),
    /// The serial intervals.
    #[error(transparent)]
    Interval(#[from] DelayError),
}

/// Serial intervals of equal weight.
#[derive(Debug, Clone, PartialEq)]
pub struct Intervals {
    centre: SerialInterval,
    all: Vec<SerialInterval>,
}

impl Intervals {
    /// Of every pair of a mean (above 1 day) and a standard deviation.
    pub fn new(mean: Truncated, sd: Truncated) -> Result<Self, DelayError> {
        let (means, sds) = (mean.nodes()?, sd.nodes()?);
        let mut all = Vec::with_capacity(means.len() * sds.len());
        for mean in &means {
            for sd in &sds {
                all.push(SerialInterval::cori(*mean, *sd)?);
            }
        }
        Ok(Self { centre: SerialInterval::cori(mean.mean, sd.mean)?, all })
    }
}

/// R in every window of `window` days, over all serial intervals.
pub fn estimate(
    cases: &Cases,
    intervals: &Intervals,
    window: usize,
    prior: Prior,
) -> Result<Vec<Mixed>, InstantaneousError> {
    let contributions = cases.total().contributions();
    let pressures: Vec<Vec<f64>> =
        intervals.all.iter().map(|interval| interval.infectiousness(&contributions)).collect();
    let prior_gamma = prior.gamma();
    let windows = instantaneous::estimate(cases, &intervals.centre, window, prior)?;
    let mix = |window: Window| {
        let estimate = window.posterior.map(|posterior| {
            let mut rates: Vec<f64> = pressures
                .iter()
                .map(|pressure| {
                    1.0 / prior_gamma.scale + pressure[window.first..=window.last].iter().sum::<f64>()
                })
                .collect();
            rates.sort_unstable_by(f64::total_cmp);
            of_mixture(posterior.shape, &rates)
        });
        Mixed { window, estimate }
    };
    Ok(windows.into_iter().map(mix).collect())
}

/// Of gamma distributions of one shape and these rates, in order, each of the same weight.
fn of_mixture(shape: f64, rates: &[f64]) -> Estimate {
    let count = rates.len() as f64;
    let mean = rates.iter().map(|rate| shape / rate).sum::<f64>() / count;
    let square = rates.iter().map(|rate| shape * (shape + 1.0) / (rate * rate)).sum::<f64>() / count;
    let sd = (square - mean * mean).max(0.0).sqrt();
    let like = Gamma::of_mean_and_sd(mean, sd);
    let groups: Vec<(f64, f64)> = rates
        .chunks(TOGETHER)
        .map(|group| (group.iter().sum::<f64>() / group.len() as f64, group.len() as f64 / count))
        .collect();
    // Of large shapes, parts that far from their mean are above or below for sure: e^−40 is left.
    let sure = if shape >= LARGE { FAR * shape.sqrt() } else { f64::INFINITY };
    let part = |x: f64| match x - shape {
        over if over > sure => 1.0,
        over if over < -sure => 0.0,
        _ => gamma::regularised(shape, x).0,
    };
    let below = |r: f64| groups.iter().map(|(rate, w)| w * part(r * rate)).sum::<f64>();
    let quantile = |p: f64| {
        let at = |rate: f64| Gamma { shape, scale: 1.0 / rate }.quantile(p);
        // The quantile of a mixture lies between those of its parts.
        let ends = groups.last().zip(groups.first()).map(|((fast, _), (slow, _))| (at(*fast), at(*slow)));
        ends.map_or(f64::NAN, |ends| root(|r| below(r) - p, ends, like.quantile(p)))
    };
    Estimate { mean, sd, q025: quantile(0.025), median: quantile(0.5), q975: quantile(0.975) }
}

/// Where a rising function is 0, between `low` and `high`, from a guess on: false position, in which an end that stays counts half (the
/// Illinois rule).
fn root(f: impl Fn(f64) -> f64, (low, high): (f64, f64), guess: f64) -> f64 {
    let (mut kept, mut at_kept, mut end, mut at_end) = (low, f(low), high, f(high));
    let mut next = if low < guess && guess < high { guess } else { f64::midpoint(low, high) };
    for _ in 0..100 {
        let at_next = f(next);
        if at_next * at_end < 0.0 {
            (kept, at_kept) = (end, at_end);
        } else {
            at_kept *= 0.5;
        }
        (end, at_end) = (next, at_next);
        if at_next == 0.0 || at_kept == 0.0 {
            break;
        }
        next = (kept * at_end - end * at_kept) / (at_end - at_kept);
        if !next.is_finite() || (next - end).abs() <= 1e-13 * end {
            break;
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::FLU_2009;
    use crate::series::{Series, Step};
    use jiff::civil::date;

    fn cases() -> Cases {
        Cases::new(Series::of(date(2009, 4, 27), Step::Day, &FLU_2009).unwrap(), None).unwrap()
    }

    /// `EpiEstim` 2.2-4 with 2.6 ± 1 in 1 to 4.2 and 1.5 ± 0.5 in 0.5 to 2.5: the mean of three runs (seeds 1, 2, 3) of 1000 serial
    /// intervals with 50 draws each, which differ from each other by 2 %. With a tenth of the draws they differ by 5 %.
    #[test]
    fn it_is_what_epiestim_draws() {
        let mean = Truncated { mean: 2.6, sd: 1.0, min: 1.0, max: 4.2 };
        let sd = Truncated { mean: 1.5, sd: 0.5, min: 0.5, max: 2.5 };
        let mixed = estimate(&cases(), &Intervals::new(mean, sd).unwrap(), 7, Prior::default()).unwrap();
        for (first, theirs) in
            [(2, [1.8308, 0.6642, 0.8941, 1.7031, 3.4627]), (11, [1.4291, 0.2358, 1.0360, 1.4047, 1.9501])]
        {
            let ours = mixed[first - 2].estimate.unwrap();
            for (ours, theirs) in
                [ours.mean, ours.sd, ours.q025, ours.median, ours.q975].into_iter().zip(theirs)
            {
                assert!((ours / theirs - 1.0).abs() < 0.02, "{first}: {ours} {theirs}");
            }
        }
    }

    #[test]
    fn of_one_serial_interval_it_is_the_gamma_distribution() {
        let mean = Truncated { mean: 2.6, sd: 1e-9, min: 1.5, max: 4.2 };
        let sd = Truncated { mean: 1.5, sd: 1e-9, min: 0.5, max: 2.5 };
        let mixed = estimate(&cases(), &Intervals::new(mean, sd).unwrap(), 7, Prior::default()).unwrap();
        for mixed in mixed {
            let (ours, one) = (mixed.estimate.unwrap(), Estimate::of(&mixed.window.posterior.unwrap()));
            assert!((ours.mean - one.mean).abs() < 1e-6 && (ours.q975 - one.q975).abs() < 1e-6);
        }
    }

    /// Bisection over every part, as its definition says.
    #[test]
    fn quantiles_are_roots_of_the_distribution_function() {
        for (shape, rates, within) in [
            (1.0, vec![0.2; 8], 1e-12),
            (37.0, (0..576).map(|i| 9.0 + 0.02 * f64::from(i)).collect(), 1e-4),
            (250_000.0, (0..576).map(|i| 2e5 + 300.0 * f64::from(i)).collect::<Vec<_>>(), 2e-3),
        ] {
            let found = of_mixture(shape, &rates);
            for (p, found) in [(0.025, found.q025), (0.5, found.median), (0.975, found.q975)] {
                let below = |r: f64| {
                    rates.iter().map(|rate| gamma::regularised(shape, r * rate).0).sum::<f64>()
                        / rates.len() as f64
                };
                let (mut low, mut high) = (0.0, 100.0);
                for _ in 0..100 {
                    let middle = f64::midpoint(low, high);
                    if below(middle) < p { low = middle } else { high = middle }
                }
                // Parts that are looked at together blur it by less than their own distance.
                assert!((found / low - 1.0).abs() < within, "{shape} {p}: {found} {low}");
            }
        }
    }

    #[test]
    fn a_range_without_probability_is_refused() {
        let good = Truncated { mean: 2.6, sd: 1.0, min: 1.1, max: 4.2 };
        assert!(Intervals::new(Truncated { min: 5.0, ..good }, good).is_err());
        assert!(Intervals::new(Truncated { sd: 0.0, ..good }, good).is_err());
    }
}
