//! Many series at once: which of the small p-values of one date stand out.
//!
//! Benjamini and Hochberg: of n p-values in ascending order, those up to the largest i with p₍ᵢ₎ ≤ i·q/n are discoveries; then, if nothing is
//! new anywhere, at most a share q of the alarms is expected to be false. The adjusted value is qᵢ = minⱼ≥ᵢ n·p₍ⱼ₎/j, at most 1.
//!
//! Assumes: p-values are independent or depend positively. Source: Benjamini, Hochberg, J R Stat Soc B 1995;57:289–300.

/// The adjusted value of each p-value, in their order; a series that was not judged (`None`) is not counted and stays so.
pub fn discoveries(p_values: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut order: Vec<(usize, f64)> =
        p_values.iter().enumerate().filter_map(|(i, p)| p.filter(|p| !p.is_nan()).map(|p| (i, p))).collect();
    order.sort_by(|(i, a), (j, b)| a.total_cmp(b).then(i.cmp(j)));
    let mut adjusted = vec![None; p_values.len()];
    let mut least = 1.0_f64;
    for (rank, (place, p)) in order.iter().enumerate().rev() {
        // As floats: far below 2⁵² series.
        #[allow(clippy::cast_precision_loss)]
        let scaled = p * order.len() as f64 / (rank + 1) as f64;
        least = least.min(scaled);
        adjusted[*place] = Some(least);
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn as_p_adjust_of_r_does() {
        // p.adjust(c(.01, .02, .03, .04, .05, .9), "BH")
        let p = [0.01, 0.02, 0.03, 0.04, 0.05, 0.9].map(Some);
        let wanted = [0.06, 0.06, 0.06, 0.06, 0.06, 0.9];
        for (found, wanted) in discoveries(&p).into_iter().zip(wanted) {
            assert!((found.unwrap() - wanted).abs() < 1e-15);
        }
        assert_eq!(discoveries(&[None, Some(0.2), None]), [None, Some(0.2), None]);
    }

    proptest! {
        /// The step-up rule as its authors wrote it.
        #[test]
        fn agrees_with_the_rule_itself(p in prop::collection::vec(0.0..1.0_f64, 1..30), q in 0.01..0.5_f64) {
            let mut sorted = p.clone();
            sorted.sort_by(f64::total_cmp);
            let n = f64::from(u32::try_from(p.len()).unwrap());
            let ranks: Vec<_> = sorted.iter().zip(1_u32..).collect();
            let limit = ranks.iter().rev()
                .find(|(p, rank)| **p * n / f64::from(*rank) <= q).map_or(-1.0, |(p, _)| **p);
            let judged: Vec<_> = p.iter().copied().map(Some).collect();
            for (p, adjusted) in p.iter().zip(discoveries(&judged)) {
                let adjusted = adjusted.unwrap();
                prop_assert!(adjusted >= *p * (1.0 - 1e-14));
                prop_assert_eq!(adjusted <= q, *p <= limit);
            }
        }
    }
}
