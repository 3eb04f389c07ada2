//! Case fatality: of those who fall ill, how many die? Naive, as deaths by cases so far, and adjusted for those whose outcome is not
//! known yet.
//!
//! With new cases c and the delay f from onset to death, E = Σₜ Σₛ c(t−s) f(s) outcomes are expected by now, of C cases. The adjusted
//! risk is D / E. Its interval is that of the profile likelihood, where it has fallen by 1.92: binomial with E trials, or Poisson
//! where there are at least 100 cases and the risk is below 5 %. It is continuous: neither E nor the risk is rounded. Where more have
//! died than outcomes are expected, no risk up to 1 explains the data, and that is said instead of a number.
//!
//! Assumes that cases and deaths are counted by the same rule and share throughout, that dates of cases are onsets, and that the delay
//! is that of these patients.
//!
//! Source: Nishiura et al. 2009, PLOS ONE 4:e6852; R package `cfr`.

use jiff::civil::Date;

use crate::delay::Delay;
use crate::distribution::beta;
use crate::finding::Flag;
use crate::series::{Observation, Series, Step};

/// Half the 95 % quantile of χ² with one degree of freedom, to the digits that the sources use.
const DROP: f64 = 1.92;
/// From so many cases on, small risks are judged by the Poisson likelihood.
const POISSON_CASES: f64 = 100.0;
/// Risks below are small.
const POISSON_RISK: f64 = 0.05;

/// Why cases and deaths cannot be put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CaseFatalityError {
    /// They are of different dates.
    #[error("cases and deaths are stated for other dates")]
    Dates,
    /// Delays are in days.
    #[error("case fatality is adjusted by delays in days; these figures are weekly")]
    Weekly,
}

impl CaseFatalityError {
    /// Its machine code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Dates => "epi-cfr-dates",
            Self::Weekly => "epi-cfr-weekly",
        }
    }

    /// Named arguments of the message.
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// Why there is no risk to state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unanswerable {
    /// There is no case yet.
    NoCases,
    /// Deaths exceed cases: they are not counted by the same rule.
    MoreDeathsThanCases,
    /// No outcome is expected yet.
    NoOutcomeExpected,
    /// More have died than outcomes are expected: the delay is too long for these data, or cases are missed.
    MoreDeathsThanOutcomes,
}

impl Unanswerable {
    /// Its name in results; stable.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoCases => "no-cases",
            Self::MoreDeathsThanCases => "more-deaths-than-cases",
            Self::NoOutcomeExpected => "no-outcome-expected",
            Self::MoreDeathsThanOutcomes => "more-deaths-than-outcomes",
        }
    }
}

/// Which likelihood judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Likelihood {
    /// Of E trials.
    Binomial,
    /// Of a mean of risk × E.
    Poisson,
}

/// A risk between 0 and 1 with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Risk {
    /// The most likely.
    pub estimate: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// Case fatality as of one date.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseFatality {
    /// The last date that counts.
    pub date: Date,
    /// C: all cases up to it, if each day has a figure.
    pub cases: Option<f64>,
    /// D: all deaths up to it, if each day has a figure.
    pub deaths: Option<f64>,
    /// E: outcomes expected by it.
    pub outcomes: Option<f64>,
    /// D / C with its exact interval.
    pub naive: Option<Result<Risk, Unanswerable>>,
    /// D / E.
    pub adjusted: Option<Result<(Risk, Likelihood), Unanswerable>>,
    /// What to know about it.
    pub flags: Vec<Flag>,
}

/// Case fatality as of every date of two series.
pub fn estimate(
    cases: &Series,
    deaths: &Series,
    delay: &Delay,
) -> Result<Vec<CaseFatality>, CaseFatalityError> {
    if cases.step() == Step::Week || deaths.step() == Step::Week {
        return Err(CaseFatalityError::Weekly);
    }
    if cases.start() != deaths.start() || cases.len() != deaths.len() {
        return Err(CaseFatalityError::Dates);
    }
    let onsets = cases.contributions();
    let lags = delay.probabilities();
    let (mut all_cases, mut all_deaths) = (Some(0.0), Some(0.0));
    let mut outcomes = 0.0;
    let (mut negative, mut missing) = (false, false);
    let mut answers = Vec::with_capacity(cases.len());
    for day in 0..cases.len() {
        for observation in [cases.observations()[day], deaths.observations()[day]] {
            negative |= matches!(observation, Observation::Negative(_));
            missing |= matches!(observation, Observation::Missing(_));
        }
        let add = |all: Option<f64>, series: &Series| Some(all? + series.reported(day)?);
        (all_cases, all_deaths) = (add(all_cases, cases), add(all_deaths, deaths));
        let longest = day.min(lags.len() - 1);
        outcomes += (0..=longest).map(|lag| onsets[day - lag] * lags[lag]).sum::<f64>();
        let both = all_cases.zip(all_deaths);
        let spread = cases.spread_length() > 0 || deaths.spread_length() > 0;
        let flags = [(missing, Flag::Missing), (negative, Flag::Negative), (spread, Flag::Spread)];
        let mut flags: Vec<Flag> = flags.into_iter().filter_map(|(is, flag)| is.then_some(flag)).collect();
        flags.sort_unstable();
        answers.push(CaseFatality {
            date: cases.date(day),
            cases: all_cases,
            deaths: all_deaths,
            outcomes: all_cases.map(|_| outcomes),
            naive: both.map(|(cases, deaths)| naive(cases, deaths)),
            adjusted: both.map(|(cases, deaths)| adjusted(cases, deaths, outcomes)),
            flags,
        });
    }
    Ok(answers)
}

/// Deaths by cases, with the exact binomial interval.
pub fn naive(cases: f64, deaths: f64) -> Result<Risk, Unanswerable> {
    if cases <= 0.0 {
        return Err(Unanswerable::NoCases);
    }
    if deaths > cases {
        return Err(Unanswerable::MoreDeathsThanCases);
    }
    let (low, high) = beta::binomial_interval(deaths, cases, 0.95);
    Ok(Risk { estimate: deaths / cases, low, high })
}

/// Deaths by expected outcomes, with the interval of the profile likelihood.
pub fn adjusted(cases: f64, deaths: f64, outcomes: f64) -> Result<(Risk, Likelihood), Unanswerable> {
    if cases <= 0.0 {
        return Err(Unanswerable::NoCases);
    }
    if outcomes <= 0.0 {
        return Err(Unanswerable::NoOutcomeExpected);
    }
    if deaths > outcomes {
        return Err(Unanswerable::MoreDeathsThanOutcomes);
    }
    let estimate = deaths / outcomes;
    let likelihood = if cases >= POISSON_CASES && estimate < POISSON_RISK {
        Likelihood::Poisson
    } else {
        Likelihood::Binomial
    };
    let times_log = |n: f64, x: f64| if n == 0.0 { 0.0 } else { n * libm::log(x) };
    let log = |risk: f64| match likelihood {
        Likelihood::Binomial => times_log(deaths, risk) + times_log(outcomes - deaths, 1.0 - risk),
        Likelihood::Poisson => times_log(deaths, risk) - risk * outcomes,
    };
    let least = log(estimate) - DROP;
    let low = if deaths == 0.0 { 0.0 } else { crossing(0.0, estimate, |risk| log(risk) >= least) };
    let high = if log(1.0) >= least { 1.0 } else { crossing(1.0, estimate, |risk| log(risk) >= least) };
    Ok((Risk { estimate, low, high }, likelihood))
}

/// Where `likely` changes between a risk that is not and one that is.
fn crossing(mut unlikely: f64, mut is: f64, likely: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..60 {
        let middle = 0.5 * (unlikely + is);
        if likely(middle) {
            is = middle;
        } else {
            unlikely = middle;
        }
    }
    is
}

/// The share of cases that is found, if the risk of all who fall ill is `baseline`: baseline / adjusted risk. Above 1 the baseline is
/// higher than what is seen, and says nothing of what is found: `None`.
pub fn ascertainment(baseline: f64, adjusted: &Risk) -> Option<Risk> {
    let share = |risk: f64| if risk > 0.0 { (baseline / risk).min(1.0) } else { 1.0 };
    let known = adjusted.estimate > 0.0 && baseline <= adjusted.estimate;
    known.then(|| Risk {
        estimate: share(adjusted.estimate),
        low: share(adjusted.high),
        high: share(adjusted.low),
    })
}

#[cfg(test)]
mod tests;
