//! Farrington flexible: a week against all weeks of earlier years, with a season.
//!
//! Quasi-Poisson regression on all points from the first reference window on, less the last 26 before the point judged, so that a
//! long rise does not hide itself; ten levels for the season, the tenth being the reference windows; a trend whatever its p-value, if b ≥ 3 and the
//! expectation is no larger than every count in the regression; points whose Anscombe residual exceeds 2.58 count less. Upper is the
//! 1 − α quantile of the negative binomial law with mean μ and variance φμ (size μ/(φ−1), probability 1/φ), of Poisson's where φ = 1.
//! One-sided. Units: counts per point.
//!
//! Assumes: the season repeats, reporting did not change in the years used; the uncertainty of μ itself is left out ("plug-in"). Where
//! fewer than 5 cases came in the last 4 points the method does not speak. Source: Noufaily, Enki, Farrington et al., Stat Med
//! 2013;32:1206–22; reference windows and seasons laid as in `surveillance`.

use super::farrington::{Farrington, Observed, conclude, lately, observations, time};
use super::reference::Windows;
use super::regression::{Plan, expect};
use super::tail::{count_at_least, count_exceeded};
use super::{Reason, Verdict};
use crate::series::Series;

/// Levels of the season; the last is that of the reference windows.
const SEASONS: usize = 10;
/// Points before the one judged that are left out.
const LEFT_OUT: usize = 26;

impl Farrington {
    pub(super) fn judge_flexibly(&self, series: &Series, k: usize) -> Verdict {
        self.compare_flexibly(series, k).unwrap_or_else(Verdict::cannot_say)
    }

    fn compare_flexibly(&self, series: &Series, k: usize) -> Result<Verdict, Reason> {
        let windows = self.reference.windows(series, k, self.years, self.half_window)?;
        let places = seasons(&windows, k, self.half_window)
            .into_iter()
            .filter(|(index, _)| k.checked_sub(LEFT_OUT).is_some_and(|end| *index < end));
        let observations = observations(series, places, self.leave_out_missing)?;
        let observed = match lately(series, k)? {
            Observed::Enough(observed) => observed,
            Observed::Few(verdict) => return Ok(verdict),
        };
        let plan = Plan { groups: SEASONS, reweight_above: 2.58, trend_below: None, trend: self.years >= 3 };
        let found = expect(&observations, &plan, SEASONS - 1, time(k))
            .ok_or(Reason::NotFitted { points: observations.len() })?;
        let (upper, p) = if found.mean <= 0.0 {
            (0.0, if observed > 0.0 { 0.0 } else { 1.0 })
        } else {
            (
                count_exceeded(self.alpha, found.mean, found.dispersion),
                count_at_least(observed, found.mean, found.dispersion),
            )
        };
        Ok(conclude(series, self.years, &observations, &found, observed, upper, p))
    }
}

/// Every point from the first window to the one judged, with its season: windows have the last; what lies between two windows is
/// shared out among the others, the earlier ones taking what is left over.
fn seasons(windows: &Windows, k: usize, half_window: usize) -> Vec<(usize, usize)> {
    let reach = half_window * windows.stride;
    let mut found = Vec::new();
    for (i, middle) in windows.middles.iter().enumerate().rev() {
        found.extend(
            (middle - reach..=middle + reach).step_by(windows.stride).map(|index| (index, SEASONS - 1)),
        );
        let next = if i == 0 { k } else { windows.middles[i - 1] };
        let between = (middle + reach + windows.stride..next.saturating_sub(reach)).step_by(windows.stride);
        let (each, over) = (between.len() / (SEASONS - 1), between.len() % (SEASONS - 1));
        for (n, index) in between.enumerate() {
            let long = over * (each + 1);
            let season = if n < long { n / (each + 1) } else { over + (n - long) / each };
            found.push((index, season));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_has_its_window_and_nine_seasons() {
        // 52 weeks: a window of 7, and 45 weeks in nine seasons of 5.
        let windows = Windows { middles: vec![48], first: 45, stride: 1 };
        let laid = seasons(&windows, 100, 3);
        let length = |season| laid.iter().filter(|(_, s)| *s == season).count();
        assert_eq!((0..SEASONS).map(length).collect::<Vec<_>>(), [5, 5, 5, 5, 5, 5, 5, 5, 5, 7]);
        assert_eq!(laid.first(), Some(&(45, 9)));
        assert_eq!(laid.last(), Some(&(96, 8)));
        // A year of 53 weeks: the first season has the week that is left over.
        let windows = Windows { middles: vec![47], first: 44, stride: 1 };
        assert_eq!(seasons(&windows, 100, 3).iter().filter(|(_, s)| *s == 0).count(), 6);
    }
}
