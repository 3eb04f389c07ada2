//! The instantaneous reproduction number: how many a case infects if everything stayed as in this window (Cori et al. 2013), from
//! daily new cases and the serial interval.
//!
//! In a window in which R is constant, local cases are Poisson with mean R Λ, where Λ is the infectiousness of all cases before,
//! local and imported. With a gamma prior of R the posterior is a gamma distribution:
//! shape a₀ + Σ local, scale 1 / (1/b₀ + Σ Λ), a₀ = (mean/sd)², b₀ = sd²/mean of the prior.
//!
//! Assumes that the same share of cases is reported all the time, that dates are those of onset or a constant delay later, and that
//! serial intervals are those given. The last days are too low as long as reports are late.
//!
//! Weekly figures are made into days first ([`crate::reconstruction`]); every window then is flagged.
//!
//! Sources: Cori et al. 2013, Am. J. Epidemiol. 178:1505; Thompson et al. 2019, Epidemics 29:100356 (imported cases);
//! `EpiEstim::estimate_R`.

use jiff::civil::Date;

use crate::distribution::gamma::Gamma;
use crate::finding::{self, Flag};
use crate::reconstruction::{self, WEEK, WeekDate};
use crate::serial_interval::SerialInterval;
use crate::series::{Observation, Series, SeriesError, Step};

/// Posteriors whose coefficient of variation is above this are hardly more than the prior.
const COEFFICIENT_OF_VARIATION: f64 = 0.3;

/// Daily cases, of which some may be imported.
#[derive(Debug, Clone, PartialEq)]
pub struct Cases {
    total: Series,
    /// Local cases by day: `None` where they are unknown.
    local: Vec<Option<f64>>,
    /// The first day of the first window.
    from: usize,
}

/// What is believed of R before the data: a gamma distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prior {
    mean: f64,
    sd: f64,
}

impl Default for Prior {
    /// Mean 5, standard deviation 5: R is not said to be below 1 unless the data say so.
    fn default() -> Self {
        Self { mean: 5.0, sd: 5.0 }
    }
}

/// What cannot be estimated from.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum InstantaneousError {
    /// R needs days.
    #[error(
        "the reproduction number is estimated from daily figures; these are weekly: if it is said which day of its week each date is, \
         days can be made of them"
    )]
    Weekly,
    /// Days are not made of days.
    #[error("the figures are said to be weekly; their dates are not whole weeks apart")]
    Daily,
    /// A window of part of a week.
    #[error("with weekly figures a window has at least {WEEK} days; this has {window}")]
    WeeklyWindow {
        /// As given.
        window: usize,
    },
    /// The shape of weeks does not settle.
    #[error("no days could be made of these weeks: their shape does not settle")]
    Unsettled,
    /// The days are no series.
    #[error(transparent)]
    Series(#[from] SeriesError),
    /// Imported cases are of other days.
    #[error("imported cases are stated for other dates than all cases")]
    ImportedDates,
    /// A window of nothing.
    #[error("a window has at least 1 day")]
    Window,
    /// A prior that does not exist.
    #[error("the prior's mean is {mean} and its standard deviation {sd}: both must be finite and above 0")]
    Prior {
        /// As given.
        mean: f64,
        /// As given.
        sd: f64,
    },
}

impl InstantaneousError {
    /// Its machine code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Weekly => "epi-r-weekly",
            Self::Daily => "epi-r-not-weekly",
            Self::WeeklyWindow { .. } => "epi-r-weekly-window",
            Self::Unsettled => "epi-r-unsettled",
            Self::Series(error) => error.code(),
            Self::ImportedDates => "epi-r-imported-dates",
            Self::Window => "epi-r-window",
            Self::Prior { .. } => "epi-r-prior",
        }
    }

    /// Named arguments of the message.
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Prior { mean, sd } => vec![("mean", mean.to_string()), ("sd", sd.to_string())],
            Self::WeeklyWindow { window } => vec![("window", window.to_string())],
            Self::Series(error) => error.arguments(),
            Self::Weekly | Self::Daily | Self::Unsettled | Self::ImportedDates | Self::Window => Vec::new(),
        }
    }
}

impl Prior {
    /// With a mean and a standard deviation, both above 0.
    pub fn new(mean: f64, sd: f64) -> Result<Self, InstantaneousError> {
        let ok = |value: f64| value.is_finite() && value > 0.0;
        if ok(mean) && ok(sd) { Ok(Self { mean, sd }) } else { Err(InstantaneousError::Prior { mean, sd }) }
    }

    /// As a gamma distribution.
    pub fn gamma(&self) -> Gamma {
        Gamma::of_mean_and_sd(self.mean, self.sd)
    }

    /// Windows with fewer cases say hardly more than the prior: their posterior varies by more than 30 % of its mean.
    pub fn least_cases(&self) -> f64 {
        let square = COEFFICIENT_OF_VARIATION * COEFFICIENT_OF_VARIATION;
        (1.0 / square - self.gamma().shape).ceil().max(0.0)
    }
}

impl Cases {
    /// All cases by day, with those that are imported among them. All cases of the first day are imported: nobody before them is known.
    pub fn new(total: Series, imported: Option<&Series>) -> Result<Self, InstantaneousError> {
        if total.step() == Step::Week {
            return Err(InstantaneousError::Weekly);
        }
        same_dates(&total, imported)?;
        let local = |day: usize| {
            let all = total.reported(day)?;
            if day == 0 {
                return Some(0.0);
            }
            let from_elsewhere = imported.map_or(Some(0.0), |imported| imported.reported(day))?;
            // More imported than there are: one of the two is wrong, and nobody knows which.
            (from_elsewhere <= all).then_some(all - from_elsewhere)
        };
        let local = (0..total.len()).map(local).collect();
        Ok(Self { total, local, from: 1 })
    }

    /// The same of weekly cases: days are made of them with the serial interval and the prior that R is then estimated with. In a week
    /// the share of imported cases is the same on all days.
    pub fn of_weeks(
        total: &Series,
        imported: Option<&Series>,
        dated: WeekDate,
        interval: &SerialInterval,
        prior: Prior,
    ) -> Result<Self, InstantaneousError> {
        same_dates(total, imported)?;
        let made = reconstruction::daily(total, dated, interval, prior)?;
        let share = |week: usize| {
            let (all, from_elsewhere) =
                (total.reported(week)?, imported.map_or(Some(0.0), |imported| imported.reported(week))?);
            (from_elsewhere <= all).then_some(if all > 0.0 { from_elsewhere / all } else { 0.0 })
        };
        let local = |day: usize| Some(made.days.reported(day)? * (1.0 - share(day / WEEK)?));
        let local = (0..made.days.len()).map(local).collect();
        Ok(Self { total: made.days, local, from: made.first })
    }

    /// All cases.
    pub const fn total(&self) -> &Series {
        &self.total
    }

    /// Local cases by day, where they are known.
    pub fn local(&self) -> &[Option<f64>] {
        &self.local
    }
}

/// Whether imported cases are stated for the dates of all cases.
fn same_dates(total: &Series, imported: Option<&Series>) -> Result<(), InstantaneousError> {
    let dates = |series: &Series| (series.start(), series.len(), series.step());
    match imported {
        Some(imported) if dates(imported) != dates(total) => Err(InstantaneousError::ImportedDates),
        _ => Ok(()),
    }
}

/// Mean, standard deviation and quantiles of R.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// Mean.
    pub mean: f64,
    /// Standard deviation.
    pub sd: f64,
    /// 2.5 %.
    pub q025: f64,
    /// 50 %.
    pub median: f64,
    /// 97.5 %.
    pub q975: f64,
}

impl Estimate {
    /// Of a gamma distribution.
    pub fn of(posterior: &Gamma) -> Self {
        Self {
            mean: posterior.mean(),
            sd: posterior.sd(),
            q025: posterior.quantile(0.025),
            median: posterior.quantile(0.5),
            q975: posterior.quantile(0.975),
        }
    }
}

/// R of one window.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// The place of its first day in the series.
    pub first: usize,
    /// The place of its last day.
    pub last: usize,
    /// Its first day.
    pub start: Date,
    /// Its last day.
    pub end: Date,
    /// The posterior, unless the flags say why there is none.
    pub posterior: Option<Gamma>,
    /// What to know about it.
    pub flags: Vec<Flag>,
}

/// R in every window of `window` days, from the second day of the series on; of weekly figures from the first week on of which days could
/// be made.
pub fn estimate(
    cases: &Cases,
    serial_interval: &SerialInterval,
    window: usize,
    prior: Prior,
) -> Result<Vec<Window>, InstantaneousError> {
    let judged =
        judge(cases, serial_interval.delay().longest(), serial_interval.delay().mean(), window, prior)?;
    let infectiousness = serial_interval.infectiousness(&cases.total.contributions());
    let prior = prior.gamma();
    let with_posterior = |judged: Judged| {
        let posterior = judged.local.map(|local| {
            let pressure: f64 = infectiousness[judged.first..=judged.last].iter().sum();
            Gamma { shape: prior.shape + local, scale: 1.0 / (1.0 / prior.scale + pressure) }
        });
        judged.window(cases, posterior)
    };
    Ok(judged.into_iter().map(with_posterior).collect())
}

/// A window before its infectiousness is known.
pub(crate) struct Judged {
    pub(crate) first: usize,
    pub(crate) last: usize,
    /// Local cases, where there is to be a value.
    pub(crate) local: Option<f64>,
    flags: Vec<Flag>,
}

impl Judged {
    pub(crate) fn window(self, cases: &Cases, posterior: Option<Gamma>) -> Window {
        Window {
            first: self.first,
            last: self.last,
            start: cases.total.date(self.first),
            end: cases.total.date(self.last),
            posterior,
            flags: self.flags,
        }
    }
}

/// Which windows there are, which have a value, and what to know about them.
pub(crate) fn judge(
    cases: &Cases,
    longest: usize,
    mean: f64,
    window: usize,
    prior: Prior,
) -> Result<Vec<Judged>, InstantaneousError> {
    if window == 0 {
        return Err(InstantaneousError::Window);
    }
    if cases.total.is_reconstructed() && window < WEEK {
        return Err(InstantaneousError::WeeklyWindow { window });
    }
    let spikes = finding::spikes(&cases.total);
    let least = prior.least_cases();
    let observations = cases.total.observations();
    let mut all = Vec::new();
    for first in cases.from..(observations.len() + 1).saturating_sub(window).max(cases.from) {
        let last = first + window - 1;
        let days = first..=last;
        let mut flags = Vec::new();
        let local: Option<f64> = cases.local[days.clone()].iter().copied().sum();
        if observations[days.clone()].iter().any(|o| matches!(o, Observation::Negative(_))) {
            flags.push(Flag::Negative);
        }
        if days
            .clone()
            .any(|day| cases.local[day].is_none() && !matches!(observations[day], Observation::Negative(_)))
        {
            flags.push(Flag::Missing);
        }
        // Days are counted from 1 as in the sources.
        let early = (last + 1) as f64 <= mean;
        if early {
            flags.push(Flag::BeforeSerialInterval);
        }
        if local.is_some_and(|local| local < least) {
            flags.push(Flag::Prior);
        }
        if observations[first.saturating_sub(longest)..first].iter().any(|o| o.reported().is_none()) {
            flags.push(Flag::AfterCorrection);
        }
        if spikes[days].iter().any(Option::is_some) {
            flags.push(Flag::Spike);
        }
        if cases.total.is_spread(first) {
            flags.push(Flag::Spread);
        }
        if cases.total.is_reconstructed() {
            flags.push(Flag::Reconstructed);
        }
        flags.sort_unstable();
        all.push(Judged { first, last, local: local.filter(|_| !early), flags });
    }
    Ok(all)
}

#[cfg(test)]
mod tests;
