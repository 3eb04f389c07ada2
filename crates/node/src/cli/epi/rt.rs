//! `concord epi rt`

use clap::{Args, ValueEnum};
use epi::case_reproduction;
use epi::finding::Flag;
use epi::instantaneous::{self, Cases, Estimate, Prior, Window};
use epi::reconstruction::{self, WeekDate};
use epi::serial_interval::SerialInterval;
use epi::series::Step;
use epi::uncertain_interval::{self, Intervals, Truncated};

use super::answers::Answered;
use super::cell::Cell;
use super::fault::EpiError;
use super::input::{self, Figures, Group, Numbers, Source};
use super::interval::{self, IntervalArgs};
use crate::fault::Fault;

/// How many does a case infect now: the instantaneous reproduction number
///
/// The method is that of Cori, Ferguson, Fraser and Cauchemez (2013, Am. J. Epidemiol. 178:1505), as in the R package "EpiEstim": in a
/// window in which the reproduction number R is constant, local cases are Poisson with mean R × Λ, where Λ sums all earlier cases
/// weighted by the serial interval; with a gamma prior the posterior of R is a gamma distribution, given here by mean, standard
/// deviation and quantiles. Imported cases infect, but were not infected here (Thompson et al. 2019, Epidemics 29:100356); all cases
/// of the first row count as imported.
///
/// Flags and dates: each window is named by its first and last row. There is no value where the window ends within the mean serial interval, or holds a
/// day without a figure or with a negative one. Flags: "prior" marks windows with so few cases that the answer is hardly more than the
/// prior; "after-correction" those within one serial interval after a day that had no figure; "spike" those with a day above 5 times
/// the median of its 14 neighbours; "spread" those that --negative spread changed. R is by date of report: infections happened earlier
/// by incubation and reporting delay, and the last days are too low while reports are still to come.
///
/// Weekly figures are refused unless --weekly says which day of its week each date is, which no table shows. Then days are made of them
/// (Nash et al. 2023, PLOS Comput. Biol. 19:e1011439): each week is shaped by the growth that belongs to its own R, again and again until
/// nothing changes. Every window has the flag "reconstructed"; windows are at least 7 days, and begin after the first week and after weeks
/// that end within the mean serial interval. It assumes that R is constant within a week.
///
/// An uncertain serial interval (--si-mean-uncertain with --si-sd-uncertain): both parameters are normal, cut to a range; the answer is the mixture
/// over them, with quantiles that are roots of its distribution function, and nothing is drawn at random. Days of weekly figures are then made with the mean of both.
///
/// --method wallinga-teunis asks how many the cases of the window infected in the end (Wallinga and Teunis 2004, Am. J. Epidemiol.
/// 160:509), from the first row on; offspring that is still to come is corrected for by its share (Cauchemez et al. 2006) and flagged
/// "offspring-unseen". It needs no prior.
#[derive(Debug, Args)]
pub struct RtArgs {
    #[command(flatten)]
    pub source: Source,
    /// The column of new cases, local and imported
    #[arg(long, value_name = "COLUMN", default_value = "cases")]
    cases_column: String,
    /// The column of imported cases among them; "imported", if the table has it, when not given
    #[arg(long, value_name = "COLUMN")]
    imported_column: Option<String>,
    /// Which reproduction number
    #[arg(long, value_enum, default_value_t = Method::Cori)]
    method: Method,
    #[command(flatten)]
    interval: IntervalArgs,
    /// The mean of the serial interval is itself uncertain: its standard deviation and its range, in days
    #[arg(long, value_name = "SD,MIN,MAX", requires = "si_mean", requires = "si_sd_uncertain")]
    si_mean_uncertain: Option<Numbers<3>>,
    /// The standard deviation of the serial interval is itself uncertain: in the same form
    #[arg(long, value_name = "SD,MIN,MAX", requires = "si_mean", requires = "si_mean_uncertain")]
    si_sd_uncertain: Option<Numbers<3>>,
    /// Figures are weekly, and this is the day of its week that each date is: make days of them
    #[arg(long, value_enum, value_name = "DAY")]
    weekly: Option<WeekDateArg>,
    /// The length of windows, in days
    #[arg(long, value_name = "DAYS", default_value_t = 7)]
    window: usize,
    /// The mean of what is believed of R before the data
    #[arg(long, value_name = "R", default_value_t = 5.0)]
    prior_mean: f64,
    /// Its standard deviation
    #[arg(long, value_name = "R", default_value_t = 5.0)]
    prior_sd: f64,
}

/// Which reproduction number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Method {
    /// How many a case infects if everything stayed as in the window
    Cori,
    /// How many the cases of the window infected in the end
    WallingaTeunis,
}

/// Which day of its week a date is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum WeekDateArg {
    /// The first: a week from Monday is dated Monday
    FirstDay,
    /// The last: it is dated Sunday
    LastDay,
}

const COLUMNS: [&str; 8] = ["start", "end", "mean", "sd", "q025", "median", "q975", "flags"];

/// Answers.
pub fn run(args: &RtArgs) -> Result<Answered, Fault> {
    let interval = args.interval.chosen()?;
    let uncertain = args.uncertain()?;
    let prior = Prior::new(args.prior_mean, args.prior_sd)?;
    let imported = Figures {
        column: args.imported_column.clone().unwrap_or_else(|| "imported".to_owned()),
        optional: args.imported_column.is_none(),
    };
    let table = input::read(&args.source, &[Figures::needed(&args.cases_column), imported])?;
    let (answers, mut report) = table.answer(&COLUMNS, |group| {
        if args.method == Method::WallingaTeunis {
            return args.case_rows(group, &interval, prior);
        }
        let cases = args.cases(group, &interval, prior)?;
        let Some(intervals) = &uncertain else {
            let windows = instantaneous::estimate(&cases, &interval, args.window, prior)?;
            let of = |window: &Window| row(window, window.posterior.as_ref().map(Estimate::of));
            return Ok(windows.iter().map(of).collect());
        };
        let mixed = uncertain_interval::estimate(&cases, intervals, args.window, prior)?;
        Ok(mixed.iter().map(|mixed| row(&mixed.window, mixed.estimate)).collect())
    })?;
    report.remarks.extend(interval::remark(&args.interval));
    Ok(Answered { answers, report })
}

impl RtArgs {
    /// Serial intervals, if they are uncertain.
    fn uncertain(&self) -> Result<Option<Intervals>, Fault> {
        let means = self.interval.si_mean.zip(self.interval.si_sd);
        let (Some((mean, sd)), Some(of_mean), Some(of_sd)) =
            (means, self.si_mean_uncertain, self.si_sd_uncertain)
        else {
            return Ok(None);
        };
        if self.method == Method::WallingaTeunis {
            let (method, option) = ("wallinga-teunis".to_owned(), "--si-mean-uncertain".to_owned());
            return Err(EpiError::Option { method, option }.into());
        }
        let truncated = |mean, Numbers([sd, min, max]): Numbers<3>| Truncated { mean, sd, min, max };
        Ok(Some(Intervals::new(truncated(mean, of_mean), truncated(sd, of_sd))?))
    }

    /// Which day of its week each date is, if figures are weekly.
    fn week_date(&self) -> Option<WeekDate> {
        self.weekly.map(|day| match day {
            WeekDateArg::FirstDay => WeekDate::FirstDay,
            WeekDateArg::LastDay => WeekDate::LastDay,
        })
    }

    fn cases(&self, group: &Group, interval: &SerialInterval, prior: Prior) -> Result<Cases, Fault> {
        let (total, imported) = (group.series(0), group.columns[1].as_ref());
        Ok(match self.week_date() {
            Some(dated) => Cases::of_weeks(total, imported, dated, interval, prior)?,
            None => Cases::new(total.clone(), imported)?,
        })
    }

    fn case_rows(
        &self,
        group: &Group,
        interval: &SerialInterval,
        prior: Prior,
    ) -> Result<Vec<Vec<Cell>>, Fault> {
        let series = group.series(0);
        let windows = match self.week_date() {
            Some(_) if self.window < reconstruction::WEEK => {
                return Err(instantaneous::InstantaneousError::WeeklyWindow { window: self.window }.into());
            }
            Some(dated) => {
                let days = reconstruction::daily(series, dated, interval, prior)?.days;
                case_reproduction::estimate(&days, interval, self.window)
            }
            None if series.step() == Step::Week => {
                return Err(instantaneous::InstantaneousError::Weekly.into());
            }
            None => case_reproduction::estimate(series, interval, self.window),
        };
        Ok(windows.iter().map(case_row).collect())
    }
}

fn row(window: &Window, estimate: Option<Estimate>) -> Vec<Cell> {
    let value = |of: fn(&Estimate) -> f64| Cell::from(estimate.as_ref().map(of));
    vec![
        window.start.into(),
        window.end.into(),
        value(|e| e.mean),
        value(|e| e.sd),
        value(|e| e.q025),
        value(|e| e.median),
        value(|e| e.q975),
        window.flags.iter().map(|flag: &Flag| flag.name()).collect::<Vec<_>>().into(),
    ]
}

fn case_row(window: &case_reproduction::Window) -> Vec<Cell> {
    let (mean, sd) = (window.estimate.map(|(mean, _)| mean), window.estimate.map(|(_, sd)| sd));
    let interval = window.estimate.map(case_reproduction::interval);
    vec![
        window.start.into(),
        window.end.into(),
        mean.into(),
        sd.into(),
        interval.map(|(low, _)| low).into(),
        // The interval is symmetric: mean and median are one.
        mean.into(),
        interval.map(|(_, high)| high).into(),
        window.flags.iter().map(|flag: &Flag| flag.name()).collect::<Vec<_>>().into(),
    ]
}
