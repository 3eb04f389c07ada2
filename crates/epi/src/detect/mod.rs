//! Early warning: is this week, or day, more than was to be expected? EARS, CUSUM and Farrington's methods, each with what it
//! expected, from which count on it speaks, and why.
//!
//! A point that is missing or negative is never read as zero: a method that needs it answers nothing for the points that depend on
//! it, and says so. No method here looks at points after the one that it judges.

mod cusum;
mod discovery;
mod ears;
mod farrington;
mod flexible;
mod glm;
mod rate;
mod reason;
mod reference;
mod regression;
mod tail;

use jiff::ToSpan as _;

use crate::series::{Series, Step};

pub use cusum::Cusum;
pub use discovery::discoveries;
pub use ears::{Ears, Variant};
pub use farrington::Farrington;
pub use rate::{RateThreshold, rate_per_100_000};
pub use reason::Reason;
pub use reference::Reference;

/// The figures at the places asked for, or which of them are missing or negative.
fn all_reported(series: &Series, indices: impl IntoIterator<Item = usize>) -> Result<Vec<f64>, Reason> {
    let (mut reported, mut missing, mut first) = (Vec::new(), 0, None);
    for index in indices {
        if let Some(figure) = series.reported(index) {
            reported.push(figure);
        } else {
            missing += 1;
            first = first.or(Some(index));
        }
    }
    first.map_or(Ok(reported), |index| Err(Reason::Missing { points: missing, first: series.date(index) }))
}

/// That figures are needed from a place before the first on.
fn reaching_back(series: &Series, from: i64) -> Reason {
    let days = from.saturating_mul(i64::from(series.step().days())).clamp(-7_000_000, 0);
    Reason::HistoryShort { from: series.start().saturating_add(days.days()), starts: series.start() }
}

/// Points from one week to the next.
fn points_a_week(series: &Series) -> usize {
    match series.step() {
        Step::Day => 7,
        Step::Week => 1,
    }
}

/// An index as a signed number: no series is longer than memory.
fn place(index: usize) -> i64 {
    i64::try_from(index).unwrap_or(i64::MAX)
}

/// A method with its parameters.
#[derive(Debug, Clone, PartialEq)]
pub enum Method {
    /// EARS C1, C2, C3.
    Ears(Ears),
    /// Cumulative sum.
    Cusum(Cusum),
    /// Farrington 1996.
    Farrington(Farrington),
    /// Noufaily 2013.
    Flexible(Farrington),
    /// A rate per 100,000 people that must not be passed.
    Rate(RateThreshold),
}

/// What a method says of one point.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Verdict {
    /// The count expected without anything new.
    pub expected: Option<f64>,
    /// What the count must exceed.
    pub upper: Option<f64>,
    /// Whether it does; `None` if the method cannot say.
    pub alarm: Option<bool>,
    /// How probable a count like this, or a larger one, is without anything new. The method alarms where this is small.
    pub p: Option<f64>,
    /// Why there is an alarm, or none can be.
    pub reason: Option<Reason>,
}

impl Verdict {
    fn cannot_say(reason: Reason) -> Self {
        Self { reason: Some(reason), ..Self::default() }
    }
}

/// A parameter outside of what its method can work with.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ParameterError {
    /// α is a probability.
    #[error("alpha is {found}; it must lie between 0 and 1, both excluded")]
    Alpha {
        /// What was given.
        found: f64,
    },
    /// σ is a standard deviation.
    #[error("the least standard deviation is {found}; it must be a number of at least 0")]
    MinSigma {
        /// What was given.
        found: f64,
    },
    /// Years to look back.
    #[error("{found} years to look back; it must be 1 to {most}")]
    Years {
        /// What was given.
        found: usize,
        /// The most.
        most: usize,
    },
    /// Weeks to both sides.
    #[error(
        "a half window of {found} weeks; it must be at most {most}, so that windows of two years do not meet"
    )]
    HalfWindow {
        /// What was given.
        found: usize,
        /// The most.
        most: usize,
    },
    /// A threshold, a population.
    #[error("{found} as {what}; it must be a number above 0")]
    NotPositive {
        /// Of what: `threshold`, `population`, `days`, `reference`, `limit`.
        what: &'static str,
        /// What was given.
        found: f64,
    },
}

impl ParameterError {
    /// Machine code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Alpha { .. } => "epi-alpha",
            Self::MinSigma { .. } => "epi-min-sigma",
            Self::Years { .. } => "epi-years",
            Self::HalfWindow { .. } => "epi-half-window",
            Self::NotPositive { .. } => "epi-not-positive",
        }
    }

    /// Named arguments, in a fixed order.
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Alpha { found } | Self::MinSigma { found } => vec![("found", found.to_string())],
            Self::Years { found, most } | Self::HalfWindow { found, most } => {
                vec![("found", found.to_string()), ("most", most.to_string())]
            }
            Self::NotPositive { what, found } => {
                vec![("what", (*what).to_owned()), ("found", found.to_string())]
            }
        }
    }
}

/// The most years that Farrington's methods look back.
pub const MAX_YEARS: usize = 50;
/// The widest half window, in weeks: nine seasons must fit between the windows of two years.
pub const MAX_HALF_WINDOW: usize = 20;

fn check_alpha(alpha: f64) -> Result<(), ParameterError> {
    if alpha > 0.0 && alpha < 1.0 { Ok(()) } else { Err(ParameterError::Alpha { found: alpha }) }
}

fn check_positive(what: &'static str, found: f64) -> Result<(), ParameterError> {
    if found > 0.0 && found.is_finite() { Ok(()) } else { Err(ParameterError::NotPositive { what, found }) }
}

impl Method {
    /// Judges the last `last` points, or all if there are fewer. One verdict for each, oldest first.
    pub fn judge(&self, series: &Series, last: usize) -> Result<Vec<Verdict>, ParameterError> {
        let first = series.len().saturating_sub(last);
        let each = first..series.len();
        match self {
            Self::Ears(ears) => {
                ears.check()?;
                Ok(each.map(|k| ears.judge(series, k)).collect())
            }
            Self::Cusum(cusum) => {
                cusum.check()?;
                Ok(cusum.judge(series, first))
            }
            Self::Farrington(farrington) => {
                farrington.check()?;
                Ok(each.map(|k| farrington.judge(series, k)).collect())
            }
            Self::Flexible(flexible) => {
                flexible.check()?;
                Ok(each.map(|k| flexible.judge_flexibly(series, k)).collect())
            }
            Self::Rate(rate) => {
                rate.check()?;
                Ok(each.map(|k| rate.judge(series, k)).collect())
            }
        }
    }
}
