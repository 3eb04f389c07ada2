//! Will an importation take hold? Probability of a large outbreak after n infected people arrived.
//!
//! Each infected person infects a number of others that is negative binomial with mean R and size k (small k: few people infect many).
//! One chain dies out with probability q, the smallest solution of q = (1 + R(1 − q)/k)⁻ᵏ in [0, 1]; n arrivals start a large outbreak with
//! probability 1 − qⁿ. For k → ∞: q = e^(−R(1 − q)).
//!
//! Assumes: chains are independent, R and k do not change while they are small (so no measures taken because of them), susceptibles do
//! not run out. Source: Lloyd-Smith et al., Nature 2005;438:355–9; Kucharski et al., Lancet Infect Dis 2020;20:553–8.

/// Probability that one chain dies out. `size` may be infinite. `None` if R is negative or k not above 0.
pub fn extinction(r: f64, size: f64) -> Option<f64> {
    if !(r >= 0.0 && r.is_finite() && size > 0.0) {
        return None;
    }
    if r <= 1.0 {
        return Some(1.0);
    }
    // In terms of p = 1 − q: f(p) = p − 1 + (1 + Rp/k)⁻ᵏ is convex with roots 0 and p; Newton's method from 1 comes down to the larger.
    let log_base = |p: f64| if size.is_finite() { size * libm::log1p(r * p / size) } else { r * p };
    let slope = |p: f64| if size.is_finite() { r / (1.0 + r * p / size) } else { r };
    let mut p: f64 = 1.0;
    for _ in 0..200 {
        let dies_out = libm::exp(-log_base(p));
        let step = (p - 1.0 + dies_out) / (1.0 - dies_out * slope(p));
        if !step.is_finite() {
            break;
        }
        p = (p - step).clamp(0.0, 1.0);
        if step.abs() < 1e-16 {
            break;
        }
    }
    Some(1.0 - p)
}

/// Probability of a large outbreak after `arrivals` infected people came, all free to infect.
pub fn establishment(r: f64, size: f64, arrivals: f64) -> Option<f64> {
    if !(arrivals >= 0.0 && arrivals.is_finite()) {
        return None;
    }
    Some(-libm::expm1(arrivals * libm::log(extinction(r, size)?)))
}

/// The least number of arrivals after which a large outbreak is at least this probable; `None` if no number is enough.
pub fn arrivals_for(r: f64, size: f64, probability: f64) -> Option<f64> {
    let q = extinction(r, size)?;
    if q >= 1.0 || !(0.0..1.0).contains(&probability) {
        return None;
    }
    Some((libm::log1p(-probability) / libm::log(q) - 1e-12).ceil().max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn published_and_closed_forms() {
        for (r, k, n, wanted) in [
            (2.35, 0.16, 1.0, 0.193_991),
            (2.35, 0.16, 4.0, 0.577_954),
            (2.35, 0.16, 10.0, 0.884_282),
            (2.35, 0.54, 1.0, 0.437_822),
            (2.35, 0.54, 4.0, 0.900_116),
            (1.5, 0.1, 1.0, 0.067_658),
            (1.5, 0.1, 4.0, 0.244_383),
            (2.0, 1.0, 1.0, 0.5),
            (2.0, 1.0, 4.0, 0.9375),
        ] {
            let found = establishment(r, k, n).unwrap();
            assert!((found - wanted).abs() < 6e-7, "{r} {k} {n}: {found}");
        }
        // Kucharski 2020: more likely than not from four introductions on.
        assert_eq!(arrivals_for(2.35, 0.16, 0.5).map(f64::to_bits), Some(4.0_f64.to_bits()));
    }

    #[test]
    fn nothing_takes_hold_below_one_and_nonsense_has_no_answer() {
        assert!(establishment(0.99, 0.3, 1e6).unwrap().abs() < 1e-300);
        assert_eq!(arrivals_for(1.0, 0.3, 0.5), None);
        assert_eq!(extinction(f64::NAN, 0.3), None);
        assert_eq!(extinction(2.0, 0.0), None);
        assert_eq!(establishment(2.0, 1.0, -1.0), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn solves_its_equation(r in 1.001..15.0_f64, k in 0.01..50.0_f64) {
            let q = extinction(r, k).unwrap();
            prop_assert!((q - libm::pow(1.0 + r * (1.0 - q) / k, -k)).abs() < 1e-12);
            prop_assert!(q < 1.0);
            // Iterating generations reaches the smallest solution from below.
            let mut generations = 0.0;
            for _ in 0..2000 {
                generations = libm::pow(1.0 + r * (1.0 - generations) / k, -k);
                prop_assert!(generations <= q + 1e-12);
            }
            prop_assert!(r < 1.1 || k < 0.1 || (q - generations).abs() < 1e-9, "{q} {generations}");
        }

        #[test]
        fn more_of_anything_is_more_likely(r in 1.01..10.0_f64, k in 0.02..20.0_f64, n in 1.0..30.0_f64) {
            let p = establishment(r, k, n).unwrap();
            prop_assert!(establishment(r * 1.05, k, n).unwrap() >= p);
            prop_assert!(establishment(r, k * 1.05, n).unwrap() >= p);
            prop_assert!(establishment(r, k, n + 1.0).unwrap() >= p);
        }

        #[test]
        fn a_large_size_is_poisson(r in 1.1..10.0_f64) {
            let (large, poisson) = (extinction(r, 1e9).unwrap(), extinction(r, f64::INFINITY).unwrap());
            prop_assert!((large - poisson).abs() < 1e-7);
        }
    }
}
