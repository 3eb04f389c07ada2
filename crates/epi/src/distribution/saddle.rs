//! Loader's saddle-point forms: Poisson and binomial probabilities of large counts without the cancellation of large logarithms.
//!
//! Source: C. Loader, Fast and accurate computation of binomial probabilities (2000).

/// 2π.
const TAU: f64 = core::f64::consts::TAU;

/// ln Γ(n+1) − (n+½) ln n + n − ½ ln 2π, for n > 0.
pub fn stirling_error(n: f64) -> f64 {
    if n < 10.0 {
        return libm::lgamma(n + 1.0) - (n + 0.5) * libm::log(n) + n - 0.5 * libm::log(TAU);
    }
    let over_square = 1.0 / (n * n);
    let series = 1.0 / 12.0
        - over_square
            * (1.0 / 360.0
                - over_square
                    * (1.0 / 1260.0
                        - over_square
                            * (1.0 / 1680.0
                                - over_square * (1.0 / 1188.0 - over_square * 691.0 / 360_360.0))));
    series / n
}

/// μ − ln(1+μ), for μ > −1, accurate near 0.
pub fn excess(mu: f64) -> f64 {
    if mu.abs() > 0.3 {
        return mu - libm::log1p(mu);
    }
    // ln(1+μ) = 2 artanh r with r = μ/(2+μ).
    let r = mu / (2.0 + mu);
    let square = r * r;
    let mut sum = 0.0;
    for odd in (3..=25).rev().step_by(2) {
        sum = sum * square + 1.0 / f64::from(odd);
    }
    2.0 * square / (1.0 - r) - 2.0 * square * r * sum
}

/// x ln(x/m) + m − x, for x > 0 and m > 0, with the difference m − x given apart so that a small one is exact.
pub fn deviance(x: f64, m: f64, difference: f64) -> f64 {
    if difference.abs() <= 0.3 * x { x * excess(difference / x) } else { x * libm::log(x / m) + difference }
}

/// m^x e^{−m} / Γ(x+1), for x > 0 and m > 0.
pub fn poisson(x: f64, m: f64) -> f64 {
    libm::exp(-stirling_error(x) - deviance(x, m, m - x)) / (TAU * x).sqrt()
}

/// p^a q^b / B(a, b), for p + q = 1, all > 0.
pub fn beta(a: f64, b: f64, p: f64, q: f64) -> f64 {
    let n = a + b;
    let errors = stirling_error(n) - stirling_error(a) - stirling_error(b);
    let difference = b * p - a * q;
    let deviances = deviance(a, n * p, difference) + deviance(b, n * q, -difference);
    libm::exp(errors - deviances) * (a * b / (TAU * n)).sqrt()
}
