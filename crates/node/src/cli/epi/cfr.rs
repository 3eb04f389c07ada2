//! `concord epi cfr`

use std::path::PathBuf;

use clap::Args;
use epi::case_fatality::{self, CaseFatality, Likelihood, Risk};
use epi::delay::{Continuous, Delay, DelayError};
use epi::distribution::gamma::Gamma;
use epi::published::Quantity;

use super::answers::Answered;
use super::cell::Cell;
use super::input::{self, Figures, Source};
use super::interval;
use crate::fault::Fault;

/// How many of the ill die: naive, and adjusted for outcomes that are not known yet
///
/// Naive is deaths by cases so far, with the exact binomial interval. While an outbreak grows it is too low: the latest cases have
/// had no time to die. Adjusted (Nishiura et al. 2009, PLOS ONE 4:e6852) divides deaths by the outcomes that are expected by now, each
/// case's onset followed by the delay from onset to death; its interval is that of the profile likelihood. Nothing is rounded. Where
/// more have died than outcomes are expected, no risk explains the data, and "reason" says so: the delay is too long for them, or cases
/// are missed. With --baseline, the risk of all who fall ill, known or not, the share of cases that is found follows.
///
/// All days up to the date must have figures: after a negative or missing one there is no answer, unless --negative spread takes
/// corrections back from the days before.
#[derive(Debug, Args)]
pub struct CfrArgs {
    #[command(flatten)]
    pub source: Source,
    /// The column of new cases, by onset
    #[arg(long, value_name = "COLUMN", default_value = "cases")]
    cases_column: String,
    /// The column of deaths
    #[arg(long, value_name = "COLUMN", default_value = "deaths")]
    deaths_column: String,
    #[command(flatten)]
    delay: DelayArgs,
    /// As of every date, not only the last
    #[arg(long)]
    rolling: bool,
    /// The risk of all who fall ill, known or not, between 0 and 1: for the share of cases that is found
    #[arg(long, value_name = "RISK")]
    baseline: Option<f64>,
}

/// The delay from onset to death: one way of saying it.
#[derive(Debug, Args)]
#[group(id = "delay from onset to death", required = true, multiple = true)]
pub struct DelayArgs {
    /// The delay from onset to death: a file with columns lag,probability; lags 0, 1, 2... without a gap
    #[arg(long, value_name = "FILE", conflicts_with_all = ["delay_gamma", "delay_lognormal", "delay_disease"])]
    delay: Option<PathBuf>,
    /// A gamma distribution: SHAPE,SCALE, scale in days
    #[arg(long, value_name = "SHAPE,SCALE", value_delimiter = ',', num_args = 1, conflicts_with_all = ["delay_lognormal", "delay_disease"])]
    delay_gamma: Option<Vec<f64>>,
    /// A lognormal distribution: MEANLOG,SDLOG, of days
    #[arg(
        long,
        value_name = "MEANLOG,SDLOG",
        value_delimiter = ',',
        num_args = 1,
        conflicts_with = "delay_disease",
        allow_hyphen_values = true
    )]
    delay_lognormal: Option<Vec<f64>>,
    /// A published delay, by its name in the library, or by its disease where there is only one; it is named on standard error. Where
    /// there are several, they are listed
    #[arg(long, value_name = "NAME")]
    delay_disease: Option<String>,
    /// Take the density at whole days for probabilities, as the R package cfr does: only to compare with it
    #[arg(long)]
    delay_by_density: bool,
}

const COLUMNS: [&str; 15] = [
    "date",
    "cases",
    "deaths",
    "naive",
    "naive_low",
    "naive_high",
    "outcomes",
    "adjusted",
    "adjusted_low",
    "adjusted_high",
    "likelihood",
    "ascertainment",
    "ascertainment_low",
    "ascertainment_high",
    "reason",
];

impl DelayArgs {
    fn chosen(&self) -> Result<(Delay, Option<Fault>), Fault> {
        if let Some(path) = &self.delay {
            return Ok((Delay::given(interval::read(path)?)?, None));
        }
        let pair = |given: &[f64], parameters: &'static str| match given {
            [first, second] => Ok((*first, *second)),
            _ => Err(Fault::new("epi-delay-pair", format!("a delay is two numbers: {parameters}"))
                .with("parameters", parameters)),
        };
        let (continuous, remark) = if let Some(given) = &self.delay_gamma {
            let (shape, scale) = pair(given, "SHAPE,SCALE")?;
            (Continuous::Gamma(Gamma { shape, scale }), None)
        } else if let Some(given) = &self.delay_lognormal {
            let (meanlog, sdlog) = pair(given, "MEANLOG,SDLOG")?;
            (Continuous::LogNormal { meanlog, sdlog }, None)
        } else {
            let name = self.delay_disease.as_deref().unwrap_or_default();
            let published = interval::published(name, Quantity::OnsetToDeath)?;
            (published.distribution(), Some(interval::said(published)))
        };
        let delay: Result<Delay, DelayError> = if self.delay_by_density {
            Delay::of_density(&continuous, 1000)
        } else {
            Delay::discretised(&continuous)
        };
        Ok((delay?, remark))
    }
}

/// Answers.
pub fn run(args: &CfrArgs) -> Result<Answered, Fault> {
    let (delay, remark) = args.delay.chosen()?;
    if let Some(risk) = args.baseline.filter(|risk| !(0.0..=1.0).contains(risk)) {
        return Err(Fault::new("epi-baseline", format!("--baseline is {risk}; a risk lies between 0 and 1"))
            .with("value", risk));
    }
    let columns = [Figures::needed(&args.cases_column), Figures::needed(&args.deaths_column)];
    let table = input::read(&args.source, &columns)?;
    let (answers, mut report) = table.answer(&COLUMNS, |group| {
        let all = case_fatality::estimate(group.series(0), group.series(1), &delay)?;
        let from = if args.rolling { 0 } else { all.len().saturating_sub(1) };
        Ok(all[from..].iter().map(|answer| row(answer, args.baseline)).collect())
    })?;
    report.remarks.extend(remark);
    Ok(Answered { answers, report })
}

fn row(answer: &CaseFatality, baseline: Option<f64>) -> Vec<Cell> {
    let naive = answer.naive.and_then(Result::ok);
    let adjusted = answer.adjusted.and_then(Result::ok);
    let risk = adjusted.map(|(risk, _)| risk);
    let found = baseline.zip(risk).and_then(|(baseline, risk)| case_fatality::ascertainment(baseline, &risk));
    let three = |risk: Option<Risk>| [risk.map(|r| r.estimate), risk.map(|r| r.low), risk.map(|r| r.high)];
    let mut reasons: Vec<&'static str> = answer.flags.iter().map(|flag| flag.name()).collect();
    let unanswerable = [answer.naive.and_then(Result::err), answer.adjusted.and_then(Result::err)];
    reasons.extend(unanswerable.into_iter().flatten().map(case_fatality::Unanswerable::name));
    reasons.dedup();
    let mut row = vec![answer.date.into(), answer.cases.into(), answer.deaths.into()];
    row.extend(three(naive).map(Cell::from));
    row.push(answer.outcomes.into());
    row.extend(three(risk).map(Cell::from));
    row.push(Cell::from(adjusted.map(|(_, likelihood)| match likelihood {
        Likelihood::Binomial => "binomial",
        Likelihood::Poisson => "poisson",
    })));
    row.extend(three(found).map(Cell::from));
    row.push(reasons.into());
    row
}
