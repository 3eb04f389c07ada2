//! The negative binomial distribution by mean μ and size k: variance μ + μ²/k.

use super::{beta, poisson, saddle};

/// From a size of so many means on, probabilities are those of a Poisson distribution: they differ by less than 1e-7, and the
/// continued fraction loses more.
const POISSON_FROM: f64 = 1e7;

/// A negative binomial distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NegativeBinomial {
    /// μ ≥ 0.
    pub mean: f64,
    /// k > 0, also called dispersion or θ; infinite for a Poisson distribution.
    pub size: f64,
}

impl NegativeBinomial {
    /// The natural logarithm of the probability of exactly `count`, which is whole and ≥ 0.
    pub fn log_probability(&self, count: f64) -> f64 {
        let Self { mean, size } = *self;
        if mean <= 0.0 {
            return if count == 0.0 { 0.0 } else { f64::NEG_INFINITY };
        }
        if size == f64::INFINITY {
            return libm::log(poisson::probability(mean, count));
        }
        let none = -size * libm::log1p(mean / size);
        if count == 0.0 {
            return none;
        }
        // size/(size+count) × binomial probability of `size` in `size + count`.
        let total = size + count;
        let p = size / (size + mean);
        let q = mean / (size + mean);
        let errors =
            saddle::stirling_error(total) - saddle::stirling_error(size) - saddle::stirling_error(count);
        let difference = p * (count - mean);
        let deviances =
            saddle::deviance(size, total * p, difference) + saddle::deviance(count, total * q, -difference);
        errors - deviances + 0.5 * libm::log(size / (core::f64::consts::TAU * count * total))
    }

    /// The probability of `count` or fewer.
    pub fn cumulative(&self, count: f64) -> f64 {
        let Self { mean, size } = *self;
        if count < 0.0 {
            return 0.0;
        }
        if mean <= 0.0 {
            return 1.0;
        }
        if size > POISSON_FROM * mean {
            return poisson::cumulative(mean, count);
        }
        beta::split(size, count.floor() + 1.0, size / (size + mean), mean / (size + mean)).0
    }

    /// The least count that is not passed with probability `p` or more.
    pub fn quantile(&self, p: f64) -> f64 {
        poisson::least(self.mean, p, |count| self.cumulative(count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// R 4.2.2: `pnbinom(5, size=2.5, mu=4)`, `dnbinom(7, size=2.5, mu=4, log=TRUE)`, `qnbinom(c(.025,.975), size=.7, mu=30)`.
    #[test]
    fn values_are_those_of_r() {
        let ours = NegativeBinomial { mean: 4.0, size: 2.5 };
        assert!((ours.cumulative(5.0) / 0.738_883_234_317_460_7 - 1.0).abs() < 1e-12);
        assert!((ours.log_probability(7.0) / -2.907_844_133_781_561 - 1.0).abs() < 1e-12);
        let wide = NegativeBinomial { mean: 30.0, size: 0.7 };
        assert_eq!((wide.quantile(0.025) as u32, wide.quantile(0.975) as u32), (0, 131));
    }

    proptest! {
        #[test]
        fn probabilities_sum_to_the_cumulative(mean in 0.01f64..60.0, size in 0.05f64..200.0, count in 0u32..80) {
            let ours = NegativeBinomial { mean, size };
            let sum: f64 = (0..=count).map(|n| libm::exp(ours.log_probability(f64::from(n)))).sum();
            prop_assert!((sum - ours.cumulative(f64::from(count))).abs() < 1e-11);
        }

        #[test]
        fn a_large_size_is_a_poisson_distribution(mean in 0.5f64..50.0, count in 0u32..80) {
            let ours = NegativeBinomial { mean, size: 9e6 * mean }.cumulative(f64::from(count));
            prop_assert!((ours - poisson::cumulative(mean, f64::from(count))).abs() < 1e-6);
        }
    }
}
