//! `concord epi growth`

use clap::Args;
use epi::growth::{self, Window};
use epi::serial_interval::SerialInterval;

use super::answers::Answered;
use super::cell::Cell;
use super::input::{self, Figures, Source};
use super::interval::{self, IntervalArgs};
use crate::fault::Fault;

/// How fast does it grow: rate per day, doubling or halving time, and the reproduction number that follows
///
/// In each window counts are taken to have mean exp(a + r t), with t in days, and a variance that is a multiple of the mean, at least
/// 1 (quasi-Poisson regression); the interval of r is Student's. Doubling time is ln 2 / r where it grows,
/// halving time ln 2 / -r where it shrinks; where the interval of r holds 0, "unclear" is true and the longest time is open. With a
/// serial interval, R = 1 / sum w(s) exp(-r s) (Wallinga and Lipsitch 2007, Proc. R. Soc. B 274:599). Growth is of reports: it assumes
/// that the same share of cases is reported throughout the window.
#[derive(Debug, Args)]
pub struct GrowthArgs {
    #[command(flatten)]
    pub source: Source,
    /// The column of counts
    #[arg(long, value_name = "COLUMN", default_value = "cases")]
    cases_column: String,
    /// The length of windows, in days or weeks as the figures are; at least 4
    #[arg(long, value_name = "POINTS", default_value_t = 14)]
    window: usize,
    /// Only the last windows, so many
    #[arg(long, value_name = "N")]
    last: Option<usize>,
    #[command(flatten)]
    interval: IntervalArgs,
}

const COLUMNS: [&str; 16] = [
    "start",
    "end",
    "rate",
    "low",
    "high",
    "doubling",
    "doubling_low",
    "doubling_high",
    "halving",
    "halving_low",
    "halving_high",
    "unclear",
    "r",
    "r_low",
    "r_high",
    "flags",
];

/// Answers.
pub fn run(args: &GrowthArgs) -> Result<Answered, Fault> {
    if args.window < growth::LEAST_POINTS {
        let least = growth::LEAST_POINTS;
        return Err(
            Fault::new("epi-growth-window", format!("--window is at least {least}")).with("least", least)
        );
    }
    let interval = args.interval.chosen_if_any()?;
    let table = input::read(&args.source, &[Figures::needed(&args.cases_column)])?;
    let (answers, mut report) = table.answer(&COLUMNS, |group| {
        let windows = growth::estimate(group.series(0), args.window);
        let from = windows.len() - args.last.unwrap_or(windows.len()).min(windows.len());
        Ok(windows[from..].iter().map(|window| row(window, interval.as_ref())).collect())
    })?;
    report.remarks.extend(interval::remark(&args.interval));
    Ok(Answered { answers, report })
}

fn row(window: &Window, interval: Option<&SerialInterval>) -> Vec<Cell> {
    let growth = window.growth.as_ref();
    let (doubling, halving) =
        (growth.and_then(growth::Growth::doubling), growth.and_then(growth::Growth::halving));
    let reproduction = |rate: f64| interval.map(|interval| growth::reproduction(rate, interval));
    vec![
        window.start.into(),
        window.end.into(),
        growth.map(|g| g.rate).into(),
        growth.map(|g| g.low).into(),
        growth.map(|g| g.high).into(),
        doubling.map(|days| days.estimate).into(),
        doubling.map(|days| days.low).into(),
        doubling.and_then(|days| days.high).into(),
        halving.map(|days| days.estimate).into(),
        halving.map(|days| days.low).into(),
        halving.and_then(|days| days.high).into(),
        growth.map(growth::Growth::is_unclear).into(),
        growth.and_then(|g| reproduction(g.rate)).into(),
        growth.and_then(|g| reproduction(g.low)).into(),
        growth.and_then(|g| reproduction(g.high)).into(),
        window.flags.iter().map(|flag| flag.name()).collect::<Vec<_>>().into(),
    ]
}
