//! The serial interval: days from one onset to the onsets that it caused. Never 0 days.

use crate::delay::{Continuous, Delay, DelayError};
use crate::distribution::gamma::Gamma;

/// A discrete serial interval, from lag 0, which has probability 0.
#[derive(Debug, Clone, PartialEq)]
pub struct SerialInterval {
    delay: Delay,
}

impl SerialInterval {
    /// Probabilities of 0, 1, 2... days, used as given: that of 0 days must be 0.
    pub fn given(probabilities: Vec<f64>) -> Result<Self, DelayError> {
        match probabilities.first() {
            Some(probability) if *probability != 0.0 => {
                Err(DelayError::LagZero { probability: *probability })
            }
            _ => Ok(Self { delay: Delay::given(probabilities)? }),
        }
    }

    /// The shifted gamma distribution of Cori et al.: with a = ((μ−1)/σ)², b = σ²/(μ−1) and F the gamma distribution function,
    /// w(k) = k F(k) + (k−2) F(k−2) − 2(k−1) F(k−1) + ab (2 F₊(k−1) − F₊(k−2) − F₊(k)), where F₊ has shape a+1; at least 0.
    ///
    /// `mean` > 1 and `sd` > 0 in days. The standard deviation of the discrete law is a little larger than `sd`.
    ///
    /// Source: Cori et al. 2013, Am. J. Epidemiol. 178:1505, web appendix 11; `EpiEstim::discr_si`.
    pub fn cori(mean: f64, sd: f64) -> Result<Self, DelayError> {
        if !(mean.is_finite() && mean > 1.0) {
            let must = "finite and above 1 day: nobody causes onsets within a day here";
            return Err(DelayError::Parameter { parameter: "mean", value: mean, must });
        }
        if !(sd.is_finite() && sd > 0.0) {
            return Err(DelayError::Parameter { parameter: "sd", value: sd, must: "finite and above 0" });
        }
        let delay = Delay::discretised(&Continuous::Gamma(Gamma::of_mean_and_sd(mean - 1.0, sd)))?;
        let mut probabilities = vec![0.0];
        probabilities.extend_from_slice(delay.probabilities());
        Ok(Self { delay: Delay::given(probabilities)? })
    }

    /// As a delay.
    pub const fn delay(&self) -> &Delay {
        &self.delay
    }

    /// Λ: for each day the sum of what was counted s days before times the probability of s, from lag 1. The first day has none.
    pub fn infectiousness(&self, contributions: &[f64]) -> Vec<f64> {
        let weights = self.delay.probabilities();
        let on = |day: usize| {
            let longest = day.min(weights.len() - 1);
            (1..=longest).map(|lag| contributions[day - lag] * weights[lag]).sum()
        };
        (0..contributions.len()).map(on).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `EpiEstim` 2.2-4: `discr_si(0:5, 2.6, 1.5)`.
    #[test]
    fn the_discrete_law_is_that_of_epiestim() {
        let si = SerialInterval::cori(2.6, 1.5).unwrap();
        let theirs =
            [0.0, 0.233_172_125_4, 0.358_579_400_3, 0.198_110_828_5, 0.103_342_655_4, 0.052_905_175_25];
        for (lag, p) in theirs.into_iter().enumerate() {
            assert!((si.delay().at(lag) - p).abs() < 1e-10, "{lag}: {} {p}", si.delay().at(lag));
        }
        assert!((si.delay().mean() - 2.6).abs() < 1e-9);
        // Theirs was cut at 30 days.
        let cut = SerialInterval::given(si.delay().probabilities()[..=30].to_vec()).unwrap();
        assert!((cut.delay().sd() - 1.554_879_985).abs() < 1e-9);
    }

    #[test]
    fn zero_days_are_refused() {
        assert_eq!(SerialInterval::given(vec![0.1, 0.9]).unwrap_err().code(), "epi-delay-lag-zero");
        assert_eq!(SerialInterval::cori(1.0, 1.0).unwrap_err().code(), "epi-delay-parameter");
        assert_eq!(SerialInterval::cori(2.0, f64::NAN).unwrap_err().code(), "epi-delay-parameter");
    }

    #[test]
    fn infectiousness_is_that_of_flu_in_a_school() {
        let si = SerialInterval::given(crate::examples::FLU_2009_SERIAL_INTERVAL.to_vec()).unwrap();
        let lambda = si.infectiousness(&crate::examples::FLU_2009);
        let theirs = [0.233, 0.592, 0.557, 0.767, 2.039, 2.97, 3.013, 3.012];
        for (ours, theirs) in lambda[1..9].iter().zip(theirs) {
            assert!((ours - theirs).abs() < 1e-12, "{ours} {theirs}");
        }
        assert!((lambda[31] - 0.881).abs() < 1e-12);
    }
}
