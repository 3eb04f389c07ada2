//! The beta distribution: the regularised incomplete beta function and its inverse, and with them exact binomial intervals.
//!
//! Continued fraction DLMF 8.17.22 by Lentz's method; quantiles by Newton's iteration inside a bracket.

use super::saddle;

/// Iₓ(a, b), for a, b > 0 and 0 ≤ x ≤ 1.
pub fn regularised(a: f64, b: f64, x: f64) -> f64 {
    split(a, b, x, 1.0 - x).0
}

/// Iₓ(a, b) and 1 − Iₓ(a, b), with y = 1 − x given apart so that small ones stay exact.
pub fn split(a: f64, b: f64, x: f64, y: f64) -> (f64, f64) {
    if a.is_nan() || b.is_nan() || a <= 0.0 || b <= 0.0 || x.is_nan() {
        return (f64::NAN, f64::NAN);
    }
    if x <= 0.0 {
        return (0.0, 1.0);
    }
    if y <= 0.0 {
        return (1.0, 0.0);
    }
    let front = saddle::beta(a, b, x, y);
    if x < (a + 1.0) / (a + b + 2.0) {
        let lower = (front * fraction(a, b, x) / a).min(1.0);
        (lower, 1.0 - lower)
    } else {
        let upper = (front * fraction(b, a, y) / b).min(1.0);
        (1.0 - upper, upper)
    }
}

fn fraction(a: f64, b: f64, x: f64) -> f64 {
    let mut c = 1.0;
    let mut d = 1.0 / nonzero(1.0 - (a + b) * x / (a + 1.0));
    let mut h = d;
    for m in 1..100_000_u32 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut factor = 1.0;
        for numerator in [even, odd] {
            d = 1.0 / nonzero(1.0 + numerator * d);
            c = nonzero(1.0 + numerator / c);
            factor = c * d;
            h *= factor;
        }
        if (factor - 1.0).abs() < 1e-16 {
            break;
        }
    }
    h
}

fn nonzero(value: f64) -> f64 {
    if value.abs() < 1e-300 { 1e-300 } else { value }
}

/// x with Iₓ(a, b) = p, for a, b > 0 and 0 ≤ p ≤ 1.
pub fn quantile(a: f64, b: f64, p: f64) -> f64 {
    if a.is_nan() || b.is_nan() || a <= 0.0 || b <= 0.0 || !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    if p == 0.0 {
        return 0.0;
    }
    if p >= 1.0 {
        return 1.0;
    }
    let (mut low, mut high) = (0.0, 1.0);
    let mut x = a / (a + b);
    for _ in 0..200 {
        let (lower, upper) = split(a, b, x, 1.0 - x);
        let error = if p > 0.5 { (1.0 - p) - upper } else { lower - p };
        if error > 0.0 {
            high = x;
        } else {
            low = x;
        }
        let density = saddle::beta(a, b, x, 1.0 - x) / (x * (1.0 - x));
        let step = error / density;
        if step.abs() <= 4e-16 * x {
            break;
        }
        let next = x - step;
        x = if next > low && next < high { next } else { 0.5 * (low + high) };
    }
    x
}

/// The exact interval (Clopper and Pearson 1934) of a proportion of which `successes` of `trials` are known, with the probability
/// `confidence` that it covers.
pub fn binomial_interval(successes: f64, trials: f64, confidence: f64) -> (f64, f64) {
    let tail = 0.5 * (1.0 - confidence);
    let low = if successes <= 0.0 { 0.0 } else { quantile(successes, trials - successes + 1.0, tail) };
    let high =
        if successes >= trials { 1.0 } else { quantile(successes + 1.0, trials - successes, 1.0 - tail) };
    (low, high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `tests/vectors/beta.csv`: made with R 4.2.2, see `tests/vectors/README.md`.
    #[test]
    fn probabilities_and_quantiles_are_those_of_r() {
        let vectors = include_str!("../../tests/vectors/beta.csv");
        let mut lines = 0;
        for line in vectors.lines().skip(1) {
            let numbers: Vec<f64> = line.split(',').map(|cell| cell.parse().unwrap()).collect();
            let [a, b, p, x, lower] = numbers[..] else { panic!("{line}") };
            let ours = quantile(a, b, p);
            assert!((ours / x - 1.0).abs() < 1e-11, "{line}: {ours}");
            let ours = regularised(a, b, x);
            assert!((ours / lower - 1.0).abs() < 1e-11, "{line}: {ours}");
            lines += 1;
        }
        assert!(lines > 50, "{lines}");
    }

    /// The naive case fatality of Ebola in 1976, 234 of 245: the interval that R's `binom.test` gives.
    #[test]
    fn the_exact_interval_is_that_of_r() {
        let (low, high) = binomial_interval(234.0, 245.0, 0.95);
        assert!((low - 0.921_086_643_7).abs() < 1e-9, "{low}");
        assert!((high - 0.977_377_093_6).abs() < 1e-9, "{high}");
        assert_eq!(binomial_interval(0.0, 10.0, 0.95).0.to_bits(), 0);
        assert!((binomial_interval(10.0, 10.0, 0.95).1 - 1.0).abs() < f64::EPSILON);
    }

    proptest! {
        #[test]
        fn quantile_and_probability_undo_each_other(a in 0.2f64..3000.0, b in 0.2f64..3000.0, p in 0.001f64..0.999) {
            let x = quantile(a, b, p);
            prop_assert!((regularised(a, b, x) - p).abs() < 1e-10, "{x}");
        }
    }
}
