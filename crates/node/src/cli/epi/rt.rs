//! `concord epi rt`

use clap::{Args, ValueEnum};
use epi::case_reproduction;
use epi::finding::Flag;
use epi::instantaneous::{self, Cases, Estimate, Prior, Window};

use super::answers::Answered;
use super::cell::Cell;
use super::input::{self, Figures, Source};
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

const COLUMNS: [&str; 8] = ["start", "end", "mean", "sd", "q025", "median", "q975", "flags"];

/// Answers.
pub fn run(args: &RtArgs) -> Result<Answered, Fault> {
    let interval = args.interval.chosen()?;
    let prior = Prior::new(args.prior_mean, args.prior_sd)?;
    let imported = Figures {
        column: args.imported_column.clone().unwrap_or_else(|| "imported".to_owned()),
        optional: args.imported_column.is_none(),
    };
    let table = input::read(&args.source, &[Figures::needed(&args.cases_column), imported])?;
    let (answers, mut report) = table.answer(&COLUMNS, |group| {
        if args.method == Method::WallingaTeunis {
            let windows = case_reproduction::estimate(group.series(0), &interval, args.window);
            return Ok(windows.iter().map(case_row).collect());
        }
        let cases = Cases::new(group.series(0).clone(), group.columns[1].as_ref())?;
        let windows = instantaneous::estimate(&cases, &interval, args.window, prior)?;
        Ok(windows.iter().map(row).collect())
    })?;
    report.remarks.extend(interval::remark(&args.interval));
    Ok(Answered { answers, report })
}

fn row(window: &Window) -> Vec<Cell> {
    let estimate = window.posterior.as_ref().map(Estimate::of);
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
