//! The chain ladder: each delay's share from the days that show it, and what is still to come from what is there.
//!
//! With θ(d) = Σ x(t,d) / Σ x(t,<d) over the days on which delay d is known, the shares are those of Π (1+θ). A day of which a share p
//! is expected to be in, with x reported, will have (x + 1 − p) / p; that fills the triangle column by column, so that each column
//! stands on those before. The interval is negative binomial: its dispersion for each age of a day is the most likely one for what the
//! same method would have said in the days before.
//!
//! Source: Wolffram et al. 2023, PLOS Comput. Biol. 19:e1011394; R package `baselinenowcast`.

use super::{Nowcast, Triangle};
use crate::distribution::negative_binomial::NegativeBinomial;

/// So many earlier nowcasts of an age at least, to judge by.
const LEAST_RETROSPECTS: usize = 5;

/// The probability of each delay. None if a delay's predecessors are all zero.
pub fn delay(triangle: &Triangle) -> Option<Vec<f64>> {
    let mut cumulative = vec![1.0];
    for delay in 1..=triangle.longest() {
        let known = triangle.rows().iter().filter(|row| row.len() > delay);
        let (mut here, mut before) = (0.0, 0.0);
        for row in known {
            here += row[delay];
            before += row[..delay].iter().sum::<f64>();
        }
        if before <= 0.0 {
            return None;
        }
        cumulative.push(cumulative[delay - 1] * (1.0 + here / before));
    }
    let total = *cumulative.last()?;
    let mut last = 0.0;
    let share = |sum: &f64| {
        let share = (sum - last) / total;
        last = *sum;
        share
    };
    Some(cumulative.iter().map(share).collect())
}

/// The triangle with what is expected in its empty corner.
fn filled(triangle: &Triangle, delay: &[f64]) -> Vec<Vec<f64>> {
    let mut rows = triangle.rows().to_vec();
    for lag in 1..=triangle.longest() {
        let share: f64 = delay[..lag].iter().sum();
        for row in &mut rows {
            if row.len() == lag {
                let so_far: f64 = row.iter().sum();
                row.push((so_far + 1.0 - share) / share * delay[lag]);
            }
        }
    }
    rows
}

/// All that will be reported of each day, without an interval.
pub fn totals(triangle: &Triangle) -> Option<Vec<f64>> {
    let delay = delay(triangle)?;
    (delay[0] > 0.0).then(|| filled(triangle, &delay).iter().map(|row| row.iter().sum()).collect())
}

/// What is expected of each day. None if the triangle shows no delays.
pub fn chain_ladder(triangle: &Triangle) -> Option<Vec<Nowcast>> {
    let delay = delay(triangle)?;
    if delay[0] <= 0.0 {
        return None;
    }
    let sizes = dispersions(triangle);
    let rows = filled(triangle, &delay);
    let days = rows.len();
    let answer = |(day, row): (usize, &Vec<f64>)| {
        let known = triangle.rows()[day].len();
        let reported: f64 = row[..known].iter().sum();
        let to_come: f64 = row[known..].iter().sum();
        let interval = if known > triangle.longest() {
            Some((reported, reported))
        } else {
            sizes[days - 1 - day].map(|size| {
                let law = NegativeBinomial { mean: to_come, size };
                (reported + law.quantile(0.025), reported + law.quantile(0.975))
            })
        };
        let share = delay[..known].iter().sum();
        Nowcast { date: triangle.date(day), reported, share, expected: reported + to_come, interval }
    };
    Some(rows.iter().enumerate().map(answer).collect())
}

/// For each age of a day, from 0: the most likely size of the negative binomial law of what was still to come, judged by what the
/// method would have said earlier. None where too few earlier days can judge.
fn dispersions(triangle: &Triangle) -> Vec<Option<f64>> {
    let mut pairs: Vec<Vec<(f64, f64)>> = vec![Vec::new(); triangle.longest()];
    for back in 1..triangle.rows().len() {
        let Some(earlier) = triangle.before(back) else { break };
        let Some(delay) = delay(&earlier).filter(|delay| delay[0] > 0.0) else { continue };
        let rows = filled(&earlier, &delay);
        let days = rows.len();
        for (age, pairs) in pairs.iter_mut().enumerate() {
            let Some(day) = days.checked_sub(age + 1) else { break };
            let (now, then) = (&triangle.rows()[day], age + 1);
            // What has come in since, against what was expected of the same delays.
            let seen: f64 = now[then.min(now.len())..].iter().sum();
            let expected: f64 = rows[day][then.min(now.len())..now.len()].iter().sum();
            if expected > 0.0 {
                pairs.push((seen, expected));
            }
        }
    }
    pairs.iter().map(|pairs| (pairs.len() >= LEAST_RETROSPECTS).then(|| most_likely_size(pairs))).collect()
}

/// The size that makes what was seen most likely, by golden-section search on its logarithm.
fn most_likely_size(pairs: &[(f64, f64)]) -> f64 {
    let log = |log_size: f64| -> f64 {
        let size = libm::exp(log_size);
        pairs
            .iter()
            .map(|(seen, mean)| NegativeBinomial { mean: *mean, size }.log_probability(seen.round()))
            .sum()
    };
    let golden = 0.618_033_988_749_894_9;
    let (mut low, mut high) = (-4.0, 12.0);
    let (mut a, mut b) = (high - golden * (high - low), low + golden * (high - low));
    let (mut at_a, mut at_b) = (log(a), log(b));
    for _ in 0..60 {
        if at_a < at_b {
            (low, a, at_a) = (a, b, at_b);
            b = low + golden * (high - low);
            at_b = log(b);
        } else {
            (high, b, at_b) = (b, a, at_a);
            a = high - golden * (high - low);
            at_a = log(a);
        }
    }
    libm::exp(0.5 * (low + high))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    /// Eight days, delays of 0 to 3 days.
    pub fn small() -> Triangle {
        let rows = [
            vec![80., 50., 25., 10.],
            vec![100., 50., 30., 20.],
            vec![90., 45., 25., 17.],
            vec![80., 40., 25., 18.],
            vec![70., 34., 18., 9.],
            vec![90., 51., 27.],
            vec![75., 38.],
            vec![60.],
        ];
        Triangle::new(date(2020, 3, 1), 3, rows.to_vec()).unwrap()
    }

    /// `baselinenowcast` 0.2.
    #[test]
    fn shares_and_totals_are_those_of_baselinenowcast() {
        let delay = delay(&small()).unwrap();
        for (ours, theirs) in delay.iter().zip([0.500800502, 0.263669324, 0.147013428, 0.088516746]) {
            assert!((ours - theirs).abs() < 1e-9, "{ours} {theirs}");
        }
        let totals = totals(&small()).unwrap();
        for (ours, theirs) in totals[5..].iter().zip([184.32356, 147.87315, 120.21028]) {
            assert!((ours - theirs).abs() < 1e-5, "{ours} {theirs}");
        }
        assert_eq!(totals[0], 165.0);
    }

    /// With so few days it says the most likely figure, and no interval that it could not judge.
    #[test]
    fn a_small_triangle_has_estimates_without_intervals() {
        let nowcast = chain_ladder(&small()).unwrap();
        assert_eq!(nowcast[7].interval, None);
        assert_eq!(nowcast[4].interval, Some((131.0, 131.0)));
        assert!((nowcast[7].share - 0.500800502).abs() < 1e-9);
    }

    #[test]
    fn a_long_triangle_has_intervals_that_widen_towards_today() {
        let share = [0.4, 0.3, 0.2, 0.1];
        let rows = (0..40).map(|day: usize| {
            let known = 3.min(39 - day) + 1;
            // A wave that no day repeats.
            let count =
                |lag: usize| (share[lag] * (200.0 + 17.0 * ((day * 7 + lag * 3) % 11) as f64)).round();
            (0..known).map(count).collect()
        });
        let triangle = Triangle::new(date(2020, 3, 1), 3, rows.collect()).unwrap();
        let nowcast = chain_ladder(&triangle).unwrap();
        let width = |day: usize| nowcast[day].interval.map(|(low, high)| high - low).unwrap();
        assert!(width(39) > width(37) && width(37) > 0.0, "{} {}", width(39), width(37));
        let (low, high) = nowcast[39].interval.unwrap();
        assert!(low < nowcast[39].expected && nowcast[39].expected < high);
    }

    #[test]
    fn without_reports_there_are_no_delays() {
        let none = Triangle::new(date(2020, 3, 1), 1, vec![vec![0.0, 0.0], vec![0.0]]).unwrap();
        assert_eq!(chain_ladder(&none), None);
    }

    proptest! {
        #[test]
        fn nothing_is_expected_below_what_is_there(
            counts in prop::collection::vec(prop::collection::vec(1u32..90, 4), 8..25),
        ) {
            let days = counts.len();
            let row = |(day, row): (usize, &Vec<u32>)| {
                row[..=3.min(days - 1 - day)].iter().map(|n| f64::from(*n)).collect()
            };
            let rows = counts.iter().enumerate().map(row).collect();
            let triangle = Triangle::new(date(2020, 3, 1), 3, rows).unwrap();
            for nowcast in chain_ladder(&triangle).unwrap() {
                prop_assert!(nowcast.expected >= nowcast.reported);
                if let Some((low, high)) = nowcast.interval {
                    prop_assert!(low >= nowcast.reported && high >= low);
                }
            }
        }
    }
}
