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
            let rates: Vec<f64> = pressures
                .iter()
                .map(|pressure| {
                    1.0 / prior_gamma.scale + pressure[window.first..=window.last].iter().sum::<f64>()
                })
                .collect();
            of_mixture(posterior.shape, &rates)
        });
        Mixed { window, estimate }
    };
    Ok(windows.into_iter().map(mix).collect())
}

/// Of gamma distributions of one shape and these rates, each of the same weight.
fn of_mixture(shape: f64, rates: &[f64]) -> Estimate {
    let count = rates.len() as f64;
    let mean = rates.iter().map(|rate| shape / rate).sum::<f64>() / count;
    let square = rates.iter().map(|rate| shape * (shape + 1.0) / (rate * rate)).sum::<f64>() / count;
    let quantile = |p: f64| {
        let at = |rate: f64| Gamma { shape, scale: 1.0 / rate }.quantile(p);
        // The quantile of a mixture lies between those of its parts.
        let mut low = at(rates.iter().copied().fold(0.0, f64::max));
        let mut high = at(rates.iter().copied().fold(f64::INFINITY, f64::min));
        let below =
            |r: f64| rates.iter().map(|rate| gamma::regularised(shape, r * rate).0).sum::<f64>() / count;
        for _ in 0..60 {
            if high - low <= 1e-12 * high {
                break;
            }
            let middle = 0.5 * (low + high);
            if below(middle) < p {
                low = middle;
            } else {
                high = middle;
            }
        }
        0.5 * (low + high)
    };
    Estimate {
        mean,
        sd: (square - mean * mean).max(0.0).sqrt(),
        q025: quantile(0.025),
        median: quantile(0.5),
        q975: quantile(0.975),
    }
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

    #[test]
    fn a_range_without_probability_is_refused() {
        let good = Truncated { mean: 2.6, sd: 1.0, min: 1.1, max: 4.2 };
        assert!(Intervals::new(Truncated { min: 5.0, ..good }, good).is_err());
        assert!(Intervals::new(Truncated { sd: 0.0, ..good }, good).is_err());
    }
}
