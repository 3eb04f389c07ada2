//! The Poisson distribution.

use super::{gamma, normal, saddle};

/// The probability of exactly `count`, which is whole and ≥ 0, at a mean > 0.
pub fn probability(mean: f64, count: f64) -> f64 {
    if mean <= 0.0 {
        return if count == 0.0 { 1.0 } else { 0.0 };
    }
    if count == 0.0 { libm::exp(-mean) } else { saddle::poisson(count, mean) }
}

/// The probability of `count` or fewer.
pub fn cumulative(mean: f64, count: f64) -> f64 {
    if count < 0.0 {
        0.0
    } else if mean <= 0.0 {
        1.0
    } else {
        gamma::regularised(count.floor() + 1.0, mean).1
    }
}

/// The least count that is not passed with probability `p` or more.
pub fn quantile(mean: f64, p: f64) -> f64 {
    let start = mean + normal::quantile(p.clamp(1e-300, 1.0 - 1e-16)) * mean.max(0.0).sqrt();
    least(start, p, |count| cumulative(mean, count))
}

/// The least whole number ≥ 0 at which `cumulative` reaches `p` (0 ≤ p < 1), searched from `start`.
pub(crate) fn least(start: f64, p: f64, cumulative: impl Fn(f64) -> f64) -> f64 {
    if !(0.0..1.0).contains(&p) {
        return if p >= 1.0 { f64::INFINITY } else { f64::NAN };
    }
    // Sums of probabilities are exact to about 13 digits: what reaches p but for that reaches it.
    let reaches = |count: f64| cumulative(count) >= p * (1.0 - 64.0 * f64::EPSILON);
    let mut high = start.floor().max(0.0);
    let mut stride = 1.0;
    while !reaches(high) {
        high += stride;
        stride *= 2.0;
        if high > 1e15 {
            return f64::INFINITY;
        }
    }
    let mut low = high;
    stride = 1.0;
    while low >= 0.0 && reaches(low) {
        high = low;
        low -= stride;
        stride *= 2.0;
    }
    low = low.max(-1.0);
    while high - low > 1.0 {
        let middle = (0.5 * (low + high)).floor();
        if reaches(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// R 4.2.2: `ppois(3, 2.5)`, `qpois(.95, 7.3)`, `dpois(40, 31.5)`.
    #[test]
    fn values_are_those_of_r() {
        assert!((cumulative(2.5, 3.0) - 0.757_576_133_133_066_2).abs() < 1e-14);
        assert_eq!(quantile(7.3, 0.95) as u32, 12);
        assert!((probability(31.5, 40.0) / 0.021_902_863_845_815_73 - 1.0).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn a_quantile_is_the_least_count_that_reaches(mean in 0.01f64..500.0, p in 0.001f64..0.999) {
            let count = quantile(mean, p);
            prop_assert!(cumulative(mean, count) >= p * (1.0 - 1e-13));
            prop_assert!(cumulative(mean, count - 1.0) < p);
        }

        #[test]
        fn probabilities_sum_to_the_cumulative(mean in 0.01f64..100.0, count in 0u32..60) {
            let sum: f64 = (0..=count).map(|n| probability(mean, f64::from(n))).sum();
            prop_assert!((sum - cumulative(mean, f64::from(count))).abs() < 1e-12);
        }
    }
}
