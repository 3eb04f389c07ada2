//! Tail probabilities and quantiles of the laws that alarms are drawn from: normal, Student's t, Poisson, negative binomial.
//!
//! It never subtracts a probability from one where the small side can be computed itself: a p-value of 10⁻²⁰ has its digits.

use crate::distribution::beta;
use crate::distribution::negative_binomial::NegativeBinomial;
use crate::distribution::normal;

/// P(X > z) of the standard normal law.
pub(super) fn normal_above(z: f64) -> f64 {
    normal::cumulative(-z)
}

/// The z that a standard normal variable exceeds with probability `alpha`, Φ⁻¹(1 − `alpha`).
pub(super) fn normal_exceeded(alpha: f64) -> f64 {
    -normal::quantile(alpha)
}

/// P(|T| > |`t`|) of Student's law with `degrees` of freedom.
pub(super) fn student_both_sides(t: f64, degrees: f64) -> f64 {
    if t.is_infinite() {
        return 0.0;
    }
    let square = t * t;
    beta::split(0.5 * degrees, 0.5, degrees / (degrees + square), square / (degrees + square)).0
}

/// P(X ≥ `count`) of the negative binomial law with mean μ > 0 and variance φμ (size μ/(φ−1), probability 1/φ), of Poisson's where
/// φ = 1.
///
/// Summed outwards from `count`, on the side that does not hold the mean: neighbouring terms have the ratio (μ + n(φ−1))/((n+1)φ), which
/// knows no difference between the two laws.
pub(super) fn count_at_least(count: f64, mean: f64, dispersion: f64) -> f64 {
    let count = count.ceil();
    if count <= 0.0 {
        return 1.0;
    }
    let law = NegativeBinomial { mean, size: mean / (dispersion - 1.0) };
    let exactly = |count: f64| law.log_probability(count);
    let ratio = |n: f64| (mean + n * (dispersion - 1.0)) / ((n + 1.0) * dispersion);
    if count > mean {
        let (mut term, mut sum, mut n) = (1.0, 1.0, count);
        while term > sum * f64::EPSILON {
            term *= ratio(n);
            sum += term;
            n += 1.0;
        }
        return (libm::exp(exactly(count)) * sum).min(1.0);
    }
    let (mut term, mut sum, mut n) = (1.0, 1.0, count - 1.0);
    while n > 0.0 && term > sum * f64::EPSILON {
        n -= 1.0;
        term /= ratio(n);
        sum += term;
    }
    (1.0 - libm::exp(exactly(count - 1.0)) * sum).max(0.0)
}

/// The least q with P(X > q) ≤ `alpha`, of the negative binomial law with variance φμ, or of Poisson's where φ = 1.
pub(super) fn count_exceeded(alpha: f64, mean: f64, dispersion: f64) -> f64 {
    let above = |q: f64| count_at_least(q + 1.0, mean, dispersion);
    // Where the law steps exactly onto alpha, rounding must not add a case.
    let enough = |q: f64| above(q) <= alpha * (1.0 + 64.0 * f64::EPSILON);
    let mut high = (mean + normal_exceeded(alpha).max(0.0) * (dispersion * mean).sqrt()).ceil().max(1.0);
    while !enough(high) {
        high *= 2.0;
    }
    let mut low = -1.0;
    while high - low > 1.0 {
        let middle = f64::midpoint(low, high).floor();
        if enough(middle) {
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

    fn close(found: f64, wanted: f64, relative: f64) {
        assert!((found - wanted).abs() <= relative * wanted.abs(), "{found} is not {wanted}");
    }

    /// R 4.2.2: `qnorm`, `pnorm`, `pt`, `pnbinom`, `ppois`, with `digits = 15`.
    #[test]
    fn values_that_r_gives() {
        close(normal_exceeded(0.001), 3.090_232_306_167_81, 1e-14);
        close(normal_exceeded(0.025), 1.959_963_984_540_05, 1e-14);
        close(normal_exceeded(0.9), -1.281_551_565_544_60, 1e-14);
        close(normal_exceeded(1e-20), 9.262_340_089_798_41, 1e-14);
        close(normal_above(8.0), 6.220_960_574_271_79e-16, 1e-13);
        close(student_both_sides(2.1, 33.0), 0.043_454_619_610_266_9, 1e-13);
    }

    /// The law summed term by term: P(X = 0), then each from the one before.
    fn summed_at_least(count: u32, mean: f64, dispersion: f64) -> f64 {
        let (mut term, ratio): (f64, Box<dyn Fn(f64) -> f64>) = if dispersion > 1.0 {
            let size = mean / (dispersion - 1.0);
            (
                libm::pow(1.0 / dispersion, size),
                Box::new(move |n| (size + n) / (n + 1.0) * (1.0 - 1.0 / dispersion)),
            )
        } else {
            (libm::exp(-mean), Box::new(move |n| mean / (n + 1.0)))
        };
        let mut below = 0.0;
        for n in 0..count {
            below += term;
            term *= ratio(f64::from(n));
        }
        1.0 - below
    }

    proptest! {
        #[test]
        fn quantile_and_tail_are_inverse(alpha in 1e-12..1.0_f64) {
            let back = normal_above(normal_exceeded(alpha));
            prop_assert!((back - alpha).abs() <= 1e-13 * alpha.max(1e-3), "{back} {alpha}");
        }

        #[test]
        fn counts_agree_with_summing_the_law(count in 0_u32..60, mean in 0.01..40.0_f64, dispersion in 1.0..6.0_f64) {
            let tail = count_at_least(f64::from(count), mean, dispersion);
            prop_assert!((tail - summed_at_least(count, mean, dispersion)).abs() < 1e-11);
            let poisson = count_at_least(f64::from(count), mean, 1.0);
            prop_assert!((poisson - summed_at_least(count, mean, 1.0)).abs() < 1e-11);
        }

        #[test]
        fn towards_no_dispersion_the_law_becomes_poissons(count in 1_u32..60, mean in 0.1..40.0_f64, power in 6_i32..15) {
            let dispersion = 1.0 + libm::pow(10.0, -f64::from(power));
            let negative = count_at_least(f64::from(count), mean, dispersion);
            let poisson = count_at_least(f64::from(count), mean, 1.0);
            prop_assert!((negative - poisson).abs() < 1e-11 + 100.0 * (dispersion - 1.0), "{negative} {poisson}");
        }

        #[test]
        fn the_count_exceeded_is_the_least(alpha in 1e-6..0.5_f64, mean in 0.001..5000.0_f64, dispersion in 1.000_001..9.0_f64) {
            let q = count_exceeded(alpha, mean, dispersion);
            let above = |q: f64| count_at_least(q + 1.0, mean, dispersion);
            prop_assert!(above(q) <= alpha * (1.0 + 1e-13));
            prop_assert!(q == 0.0 || above(q - 1.0) > alpha);
        }
    }
}
