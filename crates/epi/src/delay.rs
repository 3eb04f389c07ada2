//! Delays in whole days: from one onset to the next (serial interval), from onset to death, from infection to report.
//!
//! A delay that is given is used as given: it is never rescaled. One that is made of a continuous distribution says how.

use crate::distribution::gamma::Gamma;
use crate::distribution::{gamma, normal};

/// The longest delay, in days.
pub const MAX_LAG: usize = 1000;
/// How far the sum of given probabilities may be from 1.
pub const SUM_TOLERANCE: f64 = 0.01;
/// A discretised distribution ends where less than this is left.
const TAIL: f64 = 1e-15;

/// The probability of each delay from 0 days on.
#[derive(Debug, Clone, PartialEq)]
pub struct Delay {
    probabilities: Vec<f64>,
}

/// Why numbers are no delay.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DelayError {
    /// There is none, or too many.
    #[error("a delay has between 1 and {} probabilities, from 0 days on; these are {count}", MAX_LAG + 1)]
    Count {
        /// How many.
        count: usize,
    },
    /// One is not between 0 and 1.
    #[error("lag {lag}: {probability} is not a probability between 0 and 1")]
    Probability {
        /// Which.
        lag: usize,
        /// What was given.
        probability: f64,
    },
    /// They do not sum to 1.
    #[error(
        "the probabilities sum to {sum}, which is not within 0.01 of 1; they are used as given and never rescaled"
    )]
    Sum {
        /// Their sum.
        sum: f64,
    },
    /// A serial interval of 0 days has a probability.
    #[error("lag 0 has probability {probability}; a serial interval of 0 days must have probability 0")]
    LagZero {
        /// What was given.
        probability: f64,
    },
    /// The distribution does not exist, or its discrete form does not.
    #[error("{parameter} is {value}; it must be {must}")]
    Parameter {
        /// Which.
        parameter: &'static str,
        /// What was given.
        value: f64,
        /// What would be right.
        must: &'static str,
    },
}

impl DelayError {
    /// Its machine code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Count { .. } => "epi-delay-count",
            Self::Probability { .. } => "epi-delay-probability",
            Self::Sum { .. } => "epi-delay-sum",
            Self::LagZero { .. } => "epi-delay-lag-zero",
            Self::Parameter { .. } => "epi-delay-parameter",
        }
    }

    /// Named arguments of the message.
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Count { count } => vec![("count", count.to_string())],
            Self::Probability { lag, probability } => {
                vec![("lag", lag.to_string()), ("probability", probability.to_string())]
            }
            Self::Sum { sum } => vec![("sum", sum.to_string())],
            Self::LagZero { probability } => vec![("probability", probability.to_string())],
            Self::Parameter { parameter, value, .. } => {
                vec![("parameter", (*parameter).to_owned()), ("value", value.to_string())]
            }
        }
    }
}

/// A continuous distribution of a delay, in days.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Continuous {
    /// Gamma.
    Gamma(Gamma),
    /// The logarithm is normal.
    LogNormal {
        /// Mean of the logarithm.
        meanlog: f64,
        /// Standard deviation of the logarithm, > 0.
        sdlog: f64,
    },
    /// Weibull.
    Weibull {
        /// Shape > 0.
        shape: f64,
        /// Scale > 0, in days.
        scale: f64,
    },
}

impl Continuous {
    /// Whether it is a distribution at all.
    pub fn check(&self) -> Result<(), DelayError> {
        let positive = |parameter, value: f64| {
            let ok = value.is_finite() && value > 0.0;
            if ok {
                Ok(())
            } else {
                Err(DelayError::Parameter { parameter, value, must: "finite and above 0" })
            }
        };
        match *self {
            Self::Gamma(gamma) => positive("shape", gamma.shape).and(positive("scale", gamma.scale)),
            Self::Weibull { shape, scale } => positive("shape", shape).and(positive("scale", scale)),
            Self::LogNormal { meanlog, sdlog } => {
                if !meanlog.is_finite() {
                    return Err(DelayError::Parameter {
                        parameter: "meanlog",
                        value: meanlog,
                        must: "finite",
                    });
                }
                positive("sdlog", sdlog)
            }
        }
    }

    /// The probability of a delay up to `x` days.
    pub fn cumulative(&self, x: f64) -> f64 {
        if x <= 0.0 {
            return 0.0;
        }
        match *self {
            Self::Gamma(gamma) => gamma.cumulative(x),
            Self::LogNormal { meanlog, sdlog } => normal::cumulative((libm::log(x) - meanlog) / sdlog),
            Self::Weibull { shape, scale } => -libm::expm1(-libm::pow(x / scale, shape)),
        }
    }

    /// The density at `x` days.
    pub fn density(&self, x: f64) -> f64 {
        if x < 0.0 {
            return 0.0;
        }
        match *self {
            Self::Gamma(gamma) => gamma.density(x),
            Self::LogNormal { .. } if x == 0.0 => 0.0,
            Self::LogNormal { meanlog, sdlog } => {
                let z = (libm::log(x) - meanlog) / sdlog;
                libm::exp(-0.5 * z * z) / (core::f64::consts::TAU.sqrt() * sdlog * x)
            }
            Self::Weibull { shape, scale } => {
                let y = x / scale;
                shape / scale * libm::pow(y, shape - 1.0) * libm::exp(-libm::pow(y, shape))
            }
        }
    }

    /// The mean, in days.
    pub fn mean(&self) -> f64 {
        match *self {
            Self::Gamma(gamma) => gamma.mean(),
            Self::LogNormal { meanlog, sdlog } => libm::exp(meanlog + 0.5 * sdlog * sdlog),
            Self::Weibull { shape, scale } => scale * libm::tgamma(1.0 + 1.0 / shape),
        }
    }

    /// The standard deviation, in days.
    pub fn sd(&self) -> f64 {
        match *self {
            Self::Gamma(gamma) => gamma.sd(),
            Self::LogNormal { sdlog, .. } => self.mean() * libm::expm1(sdlog * sdlog).sqrt(),
            Self::Weibull { shape, scale } => {
                let mean = self.mean();
                (scale * scale * libm::tgamma(1.0 + 2.0 / shape) - mean * mean).max(0.0).sqrt()
            }
        }
    }

    /// ∫₀ˣ u f(u) du.
    fn partial_mean(&self, x: f64) -> f64 {
        match *self {
            Self::Gamma(Gamma { shape, scale }) => {
                shape * scale * gamma::regularised(shape + 1.0, x / scale).0
            }
            Self::LogNormal { meanlog, sdlog } => {
                self.mean() * normal::cumulative((libm::log(x) - meanlog) / sdlog - sdlog)
            }
            Self::Weibull { shape, scale } => {
                self.mean() * gamma::regularised(1.0 + 1.0 / shape, libm::pow(x / scale, shape)).0
            }
        }
    }

    /// ∫₀ˣ F(u) du.
    fn integrated(&self, x: f64) -> f64 {
        if x <= 0.0 { 0.0 } else { x * self.cumulative(x) - self.partial_mean(x) }
    }
}

impl Delay {
    /// Probabilities of 0, 1, 2... days, used as given.
    pub fn given(probabilities: Vec<f64>) -> Result<Self, DelayError> {
        let count = probabilities.len();
        if count == 0 || count > MAX_LAG + 1 {
            return Err(DelayError::Count { count });
        }
        if let Some(lag) = probabilities.iter().position(|p| !(0.0..=1.0).contains(p)) {
            return Err(DelayError::Probability { lag, probability: probabilities[lag] });
        }
        let sum: f64 = probabilities.iter().sum();
        // An honest 0.99 or 1.01 in decimal must pass.
        if (sum - 1.0).abs() > SUM_TOLERANCE + 1e-9 {
            return Err(DelayError::Sum { sum });
        }
        Ok(Self { probabilities })
    }

    /// The number of midnights in a delay that begins at any time of a day: the probability of k is ∫ (1 − |u−k|)⁺ f(u) du, so that
    /// the mean stays. It ends where less than 1e-15 is left, or at [`MAX_LAG`].
    ///
    /// Source: Cori et al. 2013, Am. J. Epidemiol. 178:1505, web appendix 11, without its shift by one day.
    pub fn discretised(continuous: &Continuous) -> Result<Self, DelayError> {
        continuous.check()?;
        let (mut before, mut here) = (0.0, 0.0);
        let mut probabilities = Vec::new();
        let mut left = 1.0;
        for lag in 0..=MAX_LAG {
            let next = continuous.integrated(lag as f64 + 1.0);
            let probability = (next - 2.0 * here + before).max(0.0);
            (before, here) = (here, next);
            probabilities.push(probability);
            left -= probability;
            if left < TAIL || (lag as f64 > continuous.mean() && probability < TAIL) {
                break;
            }
        }
        Ok(Self { probabilities })
    }

    /// The density at 0, 1, 2... days taken for probabilities, as the R package `cfr` does: only to compare with it. It does not sum
    /// to 1.
    pub fn of_density(continuous: &Continuous, longest: usize) -> Result<Self, DelayError> {
        continuous.check()?;
        let density = |lag: usize| continuous.density(lag as f64);
        Ok(Self { probabilities: (0..=longest.min(MAX_LAG)).map(density).collect() })
    }

    /// Probabilities of 0, 1, 2... days.
    pub fn probabilities(&self) -> &[f64] {
        &self.probabilities
    }

    /// The probability of `lag` days.
    pub fn at(&self, lag: usize) -> f64 {
        self.probabilities.get(lag).copied().unwrap_or(0.0)
    }

    /// The longest delay that has a probability above 0.
    pub fn longest(&self) -> usize {
        self.probabilities.iter().rposition(|p| *p > 0.0).unwrap_or(0)
    }

    /// Σ lag × probability, in days.
    pub fn mean(&self) -> f64 {
        self.probabilities.iter().enumerate().map(|(lag, p)| lag as f64 * p).sum()
    }

    /// The standard deviation, in days.
    pub fn sd(&self) -> f64 {
        let mean = self.mean();
        let squares: f64 =
            self.probabilities.iter().enumerate().map(|(lag, p)| lag as f64 * lag as f64 * p).sum();
        (squares - mean * mean).max(0.0).sqrt()
    }

    /// The probability of a delay up to each lag.
    pub fn cumulative(&self) -> Vec<f64> {
        let mut sum = 0.0;
        let add = |p: &f64| {
            sum += p;
            sum
        };
        self.probabilities.iter().map(add).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_given_is_used_as_given() {
        let delay = Delay::given(vec![0.0, 0.5, 0.495]).unwrap();
        assert_eq!(delay.probabilities(), [0.0, 0.5, 0.495]);
        assert_eq!(Delay::given(vec![]).unwrap_err().code(), "epi-delay-count");
        assert_eq!(Delay::given(vec![0.5, 0.52]).unwrap_err().code(), "epi-delay-sum");
        assert_eq!(Delay::given(vec![0.5, -0.5, 1.0]).unwrap_err().code(), "epi-delay-probability");
        assert_eq!(Delay::given(vec![f64::NAN]).unwrap_err().code(), "epi-delay-probability");
        assert!(Delay::given(vec![0.5, 0.51]).is_ok());
    }

    #[test]
    fn what_is_no_distribution_is_refused_with_its_parameter() {
        let error = Delay::discretised(&Continuous::Weibull { shape: 0.0, scale: 3.0 }).unwrap_err();
        assert_eq!(error.to_string(), "shape is 0; it must be finite and above 0");
    }

    proptest! {
        #[test]
        fn a_discretised_delay_sums_to_one_and_keeps_its_mean(
            mean in 0.5f64..25.0, variation in 0.2f64..1.0, family in 0..3,
        ) {
            let continuous = match family {
                0 => Continuous::Gamma(Gamma::of_mean_and_sd(mean, mean * variation)),
                1 => {
                    let sdlog = libm::log1p(variation * variation).sqrt();
                    Continuous::LogNormal { meanlog: libm::log(mean) - 0.5 * sdlog * sdlog, sdlog }
                }
                _ => Continuous::Weibull { shape: 1.0 / variation, scale: mean },
            };
            let delay = Delay::discretised(&continuous).unwrap();
            let sum: f64 = delay.probabilities().iter().sum();
            prop_assert!((sum - 1.0).abs() < 1e-6, "{sum}");
            prop_assert!((delay.mean() / continuous.mean() - 1.0).abs() < 1e-4);
            prop_assert!(delay.sd() >= continuous.sd() * 0.99);
        }
    }
}
