//! Daily cases from weekly ones, so that the reproduction number can be estimated where only weeks are reported.
//!
//! A week's cases are first spread evenly over its days. Then, in turn: R of each week is estimated from the days as they stand; the
//! growth rate r that belongs to it, R = 1 / Σ w(s) e^{−rs}, shapes the week as e^{rt}; the shape is scaled to the week's figure.
//! This is repeated until no day changes by more than a billionth of the largest week. The weeks' figures stay exactly as reported.
//!
//! The first week has nobody before it, and in a week that ends within the mean serial interval R is not estimated: both stay spread
//! evenly, and windows start after them. So does a week on whose first day no infectiousness is known. Weeks without a figure, or with a negative one,
//! have no days with figures.
//!
//! Assumes that R is constant within a week, that reports are as complete on all of its days, and that the share of imported cases is the
//! same on all of them. Days so made are smoother than true ones and belong to the serial interval they were made with: windows
//! must be at least a week long, and nothing about single days follows from them.
//!
//! Beside `EpiEstim::estimate_R_agg`: there r is looked up on a grid of steps of 0.001 per day, by the formula for serial intervals spread
//! over each day, and the rounds are counted instead of judged.
//!
//! Source: Nash et al. 2023, PLOS Comput. Biol. 19:e1011439.

use jiff::ToSpan as _;

use crate::growth;
use crate::instantaneous::{InstantaneousError, Prior};
use crate::serial_interval::SerialInterval;
use crate::series::{Observation, Series, Step};

/// The days of a week.
pub const WEEK: usize = 7;
/// It is settled where no day changes by more than this share of the largest week.
const SETTLED: f64 = 1e-9;
/// So many rounds are enough by far; a series that needs more is refused.
const ROUNDS: usize = 500;

/// Which day of its week the date of a weekly figure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeekDate {
    /// The first.
    FirstDay,
    /// The last.
    LastDay,
}

/// Days made of weeks.
#[derive(Debug, Clone, PartialEq)]
pub struct Reconstruction {
    /// The days; [`Series::is_reconstructed`].
    pub days: Series,
    /// The first day of the first week that has a shape.
    pub first: usize,
}

/// Days from weeks, with the serial interval and the prior of R that R is then estimated with.
pub fn daily(
    weeks: &Series,
    dated: WeekDate,
    interval: &SerialInterval,
    prior: Prior,
) -> Result<Reconstruction, InstantaneousError> {
    if weeks.step() != Step::Week {
        return Err(InstantaneousError::Daily);
    }
    let figures = weeks.contributions();
    // Days are counted from 1 as in the sources: a week has R where it ends after the mean serial interval.
    let mean = interval.delay().mean();
    let first =
        (1..figures.len()).find(|week| ((week + 1) * WEEK) as f64 > mean).unwrap_or(figures.len().max(1));
    let mut days: Vec<f64> = figures.iter().flat_map(|cases| [cases / WEEK as f64; WEEK]).collect();
    let least_change = SETTLED * figures.iter().copied().fold(1.0, f64::max);
    let prior = prior.gamma();
    for round in 0.. {
        if round == ROUNDS {
            return Err(InstantaneousError::Unsettled);
        }
        let infectiousness = interval.infectiousness(&days);
        let mut change: f64 = 0.0;
        for (week, cases) in figures.iter().enumerate().skip(first) {
            let of_week = week * WEEK..(week + 1) * WEEK;
            let pressure: f64 = infectiousness[of_week.clone()].iter().sum();
            // Later days have the week's own cases before them: they alone would say that it grows without bound.
            if infectiousness[of_week.start] <= 0.0 || *cases == 0.0 {
                continue;
            }
            let r = (prior.shape + cases) / (1.0 / prior.scale + pressure);
            let shape = shape(growth::rate(r, interval));
            for (day, share) in days[of_week].iter_mut().zip(shape) {
                change = change.max((cases * share - *day).abs());
                *day = cases * share;
            }
        }
        if change <= least_change {
            break;
        }
    }
    Ok(Reconstruction { days: named(weeks, dated, &days)?, first: first * WEEK })
}

/// The share of each day of a week in which cases grow by `rate` a day.
fn shape(rate: f64) -> [f64; WEEK] {
    // Beside the day with the most, so that nothing is too large for a number.
    let most = if rate > 0.0 { (WEEK - 1) as f64 } else { 0.0 };
    let mut shares = [0.0; WEEK];
    for (day, share) in shares.iter_mut().enumerate() {
        *share = libm::exp(rate * (day as f64 - most));
    }
    let sum: f64 = shares.iter().sum();
    shares.map(|share| share / sum)
}

/// The days with their dates. Those of a week without a figure have none, for the same reason.
fn named(weeks: &Series, dated: WeekDate, days: &[f64]) -> Result<Series, InstantaneousError> {
    let observation = |(day, figure): (usize, &f64)| match weeks.observations()[day / WEEK] {
        Observation::Reported(_) => Observation::Reported(*figure),
        Observation::Negative(correction) => Observation::Negative(correction / WEEK as f64),
        missing @ Observation::Missing(_) => missing,
    };
    let start = match dated {
        WeekDate::FirstDay => weeks.start(),
        WeekDate::LastDay => weeks.start().saturating_sub(6.days()),
    };
    Ok(weeks.in_days(start, days.iter().enumerate().map(observation).collect())?)
}

#[cfg(test)]
mod tests;
