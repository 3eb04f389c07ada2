//! The gamma distribution: regularised incomplete gamma functions and their inverse.
//!
//! Series and continued fraction (DLMF 8.7.1, 8.9.2) for small shapes and far tails, Temme's uniform expansion for large ones, and
//! Halley's iteration for quantiles from the start of Wilson and Hilferty (1931).

use super::{normal, saddle, temme};

/// A gamma distribution: mean `shape × scale`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gamma {
    /// a > 0.
    pub shape: f64,
    /// θ > 0, in the unit of the value.
    pub scale: f64,
}

impl Gamma {
    /// With a mean and a standard deviation, both > 0.
    pub fn of_mean_and_sd(mean: f64, sd: f64) -> Self {
        Self { shape: (mean / sd) * (mean / sd), scale: sd * sd / mean }
    }

    /// The mean.
    pub fn mean(&self) -> f64 {
        self.shape * self.scale
    }

    /// The standard deviation.
    pub fn sd(&self) -> f64 {
        self.shape.sqrt() * self.scale
    }

    /// The probability of a value up to `x`.
    pub fn cumulative(&self, x: f64) -> f64 {
        regularised(self.shape, x / self.scale).0
    }

    /// The density at `x` > 0.
    pub fn density(&self, x: f64) -> f64 {
        if x <= 0.0 {
            return 0.0;
        }
        saddle::poisson(self.shape, x / self.scale) * self.shape / x
    }

    /// The value that is not passed with probability `p`.
    pub fn quantile(&self, p: f64) -> f64 {
        quantile(self.shape, p) * self.scale
    }
}

/// From this shape on, and as far from the mean, Temme's expansion is exact to the last digits.
const LARGE: f64 = 200.0;
const NEAR: f64 = 0.3;
/// Enough for every shape below [`LARGE`], and for tails.
const MAX_TERMS: u32 = 10_000;

/// P(a, x) and Q(a, x) = 1 − P(a, x), each without cancellation.
pub fn regularised(a: f64, x: f64) -> (f64, f64) {
    if x.is_nan() || a.is_nan() || a <= 0.0 {
        return (f64::NAN, f64::NAN);
    }
    if x <= 0.0 {
        return (0.0, 1.0);
    }
    if x == f64::INFINITY {
        return (1.0, 0.0);
    }
    let mu = (x - a) / a;
    if is_uniform(a, mu) { uniform(a, mu, saddle::excess(mu)) } else { summed(a, x, saddle::poisson(a, x)) }
}

/// P, Q and the density times x, of which most is the same work. For 0 < x < ∞.
fn with_density(a: f64, x: f64) -> (f64, f64, f64) {
    let mu = (x - a) / a;
    if is_uniform(a, mu) {
        let half_square = saddle::excess(mu);
        let (p, q) = uniform(a, mu, half_square);
        // What `saddle::poisson` is there.
        let front =
            libm::exp(-saddle::stirling_error(a) - a * half_square) / (core::f64::consts::TAU * a).sqrt();
        (p, q, front * a)
    } else {
        let front = saddle::poisson(a, x);
        let (p, q) = summed(a, x, front);
        (p, q, front * a)
    }
}

fn is_uniform(a: f64, mu: f64) -> bool {
    a >= LARGE && mu.abs() <= NEAR
}

/// The series or the continued fraction; `front` is x^a e^{−x} / Γ(a+1).
fn summed(a: f64, x: f64, front: f64) -> (f64, f64) {
    if x < a + 1.0 {
        let p = (front * series(a, x)).min(1.0);
        (p, 1.0 - p)
    } else {
        let q = (front * a * fraction(a, x)).min(1.0);
        (1.0 - q, q)
    }
}

/// Temme's expansion at x = a(1+μ), with μ − ln(1+μ).
fn uniform(a: f64, mu: f64, half_square: f64) -> (f64, f64) {
    let eta = (2.0 * half_square).sqrt().copysign(mu);
    let rest = libm::exp(-a * half_square) / (core::f64::consts::TAU * a).sqrt() * temme::correction(a, eta);
    let tail = 0.5 * libm::erfc(eta.abs() * (0.5 * a).sqrt());
    if mu < 0.0 {
        let p = tail - rest;
        (p, 1.0 - p)
    } else {
        let q = tail + rest;
        (1.0 - q, q)
    }
}

/// Σ x^n / ((a+1)...(a+n)), from n = 0.
fn series(a: f64, x: f64) -> f64 {
    let (mut sum, mut term, mut n) = (1.0, 1.0, a);
    for _ in 0..MAX_TERMS {
        n += 1.0;
        term *= x / n;
        sum += term;
        if term < sum * 1e-17 {
            break;
        }
    }
    sum
}

/// Γ(a, x) / (x^a e^{−x}), by Lentz's method.
fn fraction(a: f64, x: f64) -> f64 {
    let mut b = x + 1.0 - a;
    let mut c = 1e300;
    let mut d = 1.0 / b;
    let mut h = d;
    for n in 1..MAX_TERMS {
        let n = f64::from(n);
        let numerator = n * (a - n);
        b += 2.0;
        d = 1.0 / nonzero(numerator * d + b);
        c = nonzero(b + numerator / c);
        let factor = c * d;
        h *= factor;
        if (factor - 1.0).abs() < 1e-16 {
            break;
        }
    }
    h
}

fn nonzero(value: f64) -> f64 {
    if value.abs() < 1e-300 { 1e-300 } else { value }
}

/// x with P(a, x) = p, for a > 0 and 0 ≤ p ≤ 1.
pub fn quantile(a: f64, p: f64) -> f64 {
    if !(a > 0.0 && a.is_finite() && (0.0..=1.0).contains(&p)) {
        return f64::NAN;
    }
    if p == 0.0 {
        return 0.0;
    }
    if p >= 1.0 {
        return f64::INFINITY;
    }
    let mut x = start(a, p);
    for _ in 0..60 {
        if x <= 0.0 {
            return 0.0; // Below what an f64 can say.
        }
        // Density times x, so that the step is relative.
        let (lower, upper, weight) = with_density(a, x);
        let error = if p > 0.5 { (1.0 - p) - upper } else { lower - p };
        let newton = error / weight;
        let halley = newton / (1.0 - 0.5 * (newton * (a - 1.0 - x)).clamp(-1.0, 1.0));
        let step = halley.clamp(-4.0, 0.75);
        x -= x * step;
        // The step is of third order: what is left is its cube.
        if step.abs() < 1e-6 {
            break;
        }
    }
    x
}

fn start(a: f64, p: f64) -> f64 {
    let z = normal::quantile(p);
    let root = 1.0 - 1.0 / (9.0 * a) + z / (3.0 * a.sqrt());
    let cube = a * root * root * root;
    // P(a, x) is close to x^a / Γ(a+1) where x is small.
    let small = || libm::exp((libm::log(p) + libm::lgamma(a + 1.0)) / a);
    if root <= 0.0 || cube < 0.2 * a {
        return small();
    }
    if a < 1.0 { Some(small()).filter(|small| *small < 0.3).unwrap_or(cube) } else { cube }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn close(ours: f64, theirs: f64, within: f64) {
        assert!((ours / theirs - 1.0).abs() < within, "{ours} {theirs}");
    }

    /// `tests/vectors/gamma.csv`: made with R 4.2.2, see `tests/vectors/README.md`.
    #[test]
    fn probabilities_and_quantiles_are_those_of_r() {
        let vectors = include_str!("../../tests/vectors/gamma.csv");
        let mut lines = 0;
        for line in vectors.lines().skip(1) {
            let numbers: Vec<f64> = line.split(',').map(|cell| cell.parse().unwrap()).collect();
            let [shape, p, x, lower, upper] = numbers[..] else { panic!("{line}") };
            close(quantile(shape, p), x, 2e-13);
            let (ours_lower, ours_upper) = regularised(shape, x);
            close(ours_lower, lower, 2e-12);
            close(ours_upper, upper, 2e-12);
            lines += 1;
        }
        assert!(lines > 100, "{lines}");
    }

    #[test]
    fn what_is_no_distribution_has_no_quantile() {
        assert!(quantile(0.0, 0.5).is_nan());
        assert!(quantile(1.0, 1.5).is_nan());
        assert_eq!(quantile(3.0, 0.0).to_bits(), 0.0f64.to_bits());
        assert_eq!(quantile(3.0, 1.0), f64::INFINITY);
    }

    proptest! {
        #[test]
        fn quantile_and_probability_undo_each_other(log_shape in -2.0f64..14.0, p in 0.0001f64..0.9999) {
            let shape = libm::exp(log_shape);
            let x = quantile(shape, p);
            let (lower, upper) = regularised(shape, x);
            if x > 0.0 {
                prop_assert!((lower - p).abs() < 1e-12, "{shape} {p} {x} {lower}");
                prop_assert!((lower + upper - 1.0).abs() < 1e-12);
            }
        }

        #[test]
        fn a_wider_scale_scales_the_quantile(shape in 0.5f64..5000.0, scale in 0.01f64..100.0) {
            let one = Gamma { shape, scale: 1.0 }.quantile(0.3);
            let wide = Gamma { shape, scale }.quantile(0.3);
            prop_assert!((wide / (one * scale) - 1.0).abs() < 1e-14);
        }
    }
}
