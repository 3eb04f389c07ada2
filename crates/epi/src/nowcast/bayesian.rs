//! The Bayesian nowcast: what is still to come, with the uncertainty of the shares.
//!
//! A day's total is Poisson with a gamma distributed mean of which nothing is known but the level of the complete days; each of its
//! reports comes with a delay. Of the share F that is in by now, the posterior follows from the reversed hazards of the delays, each a
//! beta distribution (Jeffreys' prior); F itself is taken as the beta distribution with the same first two moments. Given F and n
//! reports, the number still to come is negative binomial with size α + n and mean (α + n)(1 − F) / (β + F); over F it is averaged at
//! 64 quantiles, so that nothing is drawn at random.
//!
//! Source: Höhle and an der Heiden 2014, Biometrics 70:993 (with the generalised Dirichlet prior of the delays).

use super::{Nowcast, Triangle};
use crate::distribution::beta;
use crate::distribution::negative_binomial::NegativeBinomial;
use crate::distribution::poisson::least;

/// Quantiles of F at which it is averaged.
const NODES: usize = 64;
/// Jeffreys' prior of a hazard.
const JEFFREYS: f64 = 0.5;
/// α: the mean of a day's total varies as much as it is large.
const SHAPE: f64 = 1.0;

/// What is expected of each day. None if no complete day has a report.
pub fn bayesian(triangle: &Triangle) -> Option<Vec<Nowcast>> {
    let longest = triangle.longest();
    let complete = triangle.rows().iter().filter(|row| row.len() == longest + 1);
    let (sum, days) =
        complete.fold((0.0, 0.0), |(sum, days), row| (sum + row.iter().sum::<f64>(), days + 1.0));
    if sum <= 0.0 {
        return None;
    }
    let rate = SHAPE * days / sum;
    let shares = shares(triangle);
    let answer = |(day, row): (usize, &Vec<f64>)| {
        let reported: f64 = row.iter().sum();
        let date = triangle.date(day);
        let Some(share) = shares.get(row.len() - 1) else {
            return Nowcast {
                date,
                reported,
                share: 1.0,
                expected: reported,
                interval: Some((reported, reported)),
            };
        };
        let size = SHAPE + reported;
        let laws: Vec<NegativeBinomial> = share
            .nodes()
            .map(|share| NegativeBinomial { mean: size * (1.0 - share) / (rate + share), size })
            .collect();
        let mean = laws.iter().map(|law| law.mean).sum::<f64>() / laws.len() as f64;
        let cumulative =
            |count: f64| laws.iter().map(|law| law.cumulative(count)).sum::<f64>() / laws.len() as f64;
        let quantile = |p: f64| reported + least(mean, p, cumulative);
        Nowcast {
            date,
            reported,
            share: share.mean,
            expected: reported + mean,
            interval: Some((quantile(0.025), quantile(0.975))),
        }
    };
    Some(triangle.rows().iter().enumerate().map(answer).collect())
}

/// The posterior of a share by its first two moments.
struct Share {
    mean: f64,
    square: f64,
}

impl Share {
    /// Midpoints of equal probability.
    fn nodes(&self) -> impl Iterator<Item = f64> {
        let variance = (self.square - self.mean * self.mean).max(1e-12);
        let weight = (self.mean * (1.0 - self.mean) / variance - 1.0).max(1e-3);
        let (a, b) = (weight * self.mean, weight * (1.0 - self.mean));
        (0..NODES).map(move |node| beta::quantile(a, b, (node as f64 + 0.5) / NODES as f64).max(1e-9))
    }
}

/// For each longest known delay below the longest of all: the share that is in by then.
fn shares(triangle: &Triangle) -> Vec<Share> {
    let mut shares = Vec::new();
    let (mut mean, mut square) = (1.0, 1.0);
    for delay in (1..=triangle.longest()).rev() {
        let (mut here, mut before) = (JEFFREYS, JEFFREYS);
        for row in triangle.rows().iter().filter(|row| row.len() > delay) {
            here += row[delay];
            before += row[..delay].iter().sum::<f64>();
        }
        let all = here + before;
        mean *= before / all;
        square *= before * (before + 1.0) / (all * (all + 1.0));
        shares.push(Share { mean, square });
    }
    shares.reverse();
    shares
}

#[cfg(test)]
mod tests {
    use super::super::chain_ladder::{self, tests::small};
    use super::*;
    use jiff::civil::date;

    #[test]
    fn it_agrees_with_the_chain_ladder_within_its_interval() {
        let ladder = chain_ladder::totals(&small()).unwrap();
        let nowcast = bayesian(&small()).unwrap();
        for (day, nowcast) in nowcast.iter().enumerate() {
            let (low, high) = nowcast.interval.unwrap();
            assert!(low <= ladder[day] && ladder[day] <= high, "{nowcast:?} {}", ladder[day]);
            assert!((nowcast.expected / ladder[day] - 1.0).abs() < 0.02, "{nowcast:?} {}", ladder[day]);
        }
        assert_eq!(nowcast[0].interval, Some((165.0, 165.0)));
    }

    /// Brute force: sums over the total and a fine grid of the share.
    #[test]
    fn one_day_is_its_posterior_by_brute_force() {
        // One delay, of which 40 complete days show a share of 0.6.
        let mut rows = vec![vec![60.0, 40.0]; 40];
        rows.push(vec![30.0]);
        let triangle = Triangle::new(date(2020, 3, 1), 1, rows).unwrap();
        let nowcast = &bayesian(&triangle).unwrap()[40];
        let (a, b) = (2400.5, 1600.5);
        let (mut weights, mut sum) = (0.0, 0.0);
        for node in 0..400 {
            let share = beta::quantile(a, b, (f64::from(node) + 0.5) / 400.0);
            // Prior of a total: geometric with mean 100. Likelihood: 30 of them are in.
            for total in 30..400 {
                let total_f = f64::from(total);
                let log = total_f * libm::log(100.0 / 101.0) + libm::lgamma(total_f + 1.0)
                    - libm::lgamma(total_f - 29.0)
                    + 30.0 * libm::log(share)
                    + (total_f - 30.0) * libm::log(1.0 - share);
                let weight = libm::exp(log - 100.0);
                weights += weight;
                sum += weight * total_f;
            }
        }
        // There the shares are weighted by the evidence of this day too, which hardly moves them.
        assert!((nowcast.expected - sum / weights).abs() < 0.1, "{} {}", nowcast.expected, sum / weights);
    }

    #[test]
    fn without_a_report_on_complete_days_there_is_no_level() {
        let none = Triangle::new(date(2020, 3, 1), 1, vec![vec![0.0, 0.0], vec![4.0]]).unwrap();
        assert_eq!(bayesian(&none), None);
    }
}
