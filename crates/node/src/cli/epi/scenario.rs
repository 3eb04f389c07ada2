//! `concord epi scenario`

use std::str::FromStr;

use clap::Args;
use epi::delay::{Continuous, Delay};
use epi::digest::sha256_hex;
use epi::distribution::gamma::Gamma;
use epi::scenario::{Band, Measure, Outcome, Reproduction, Scenario};
use epi::series::Series;
use jiff::civil::Date;

use super::answers::Answered;
use super::cell::Cell;
use super::input::{self, Figures, Group, Numbers, Source};
use super::interval::IntervalArgs;
use crate::fault::Fault;

/// What follows if R is this from that day on: cases, deaths and beds of the days to come, as bands over many runs
///
/// A renewal process (Fraser 2007, doi 10.1371/journal.pone.0000758; Nouvellet et al. 2018, Epidemics 22:3): new cases are
/// Poisson with mean R × Λ, where Λ sums earlier cases weighted by the serial interval. It predicts nothing: it says what the
/// assumptions say.
///
/// `--r` says R with its standard deviation, from a date on: `--r 0.75:0.03 --r 2020-06-01=0.9:0.03` lifts a lockdown in two steps. R is drawn once a
/// run and is too high or too low in all steps alike. With `--versus` a second schedule meets the same chance, and the difference of each
/// run is answered too: what a step, or a week's delay, costs. With `--susceptible` nobody is infected twice, and R is meant as it
/// is with as many susceptible as at the start. Deaths and beds follow cases by delays with a gamma distribution.
///
/// Measures: `cases`, `deaths` and `beds` of each day; on the last day also the totals `cases-total` and `deaths-total`, `beds-peak`, and their
/// differences from `--versus`. The same table, options and seed give the same bytes on every machine; `inputs` is the SHA-256 of them all.
#[derive(Debug, Args)]
pub struct ScenarioArgs {
    #[command(flatten)]
    pub source: Source,
    /// The column of new cases
    #[arg(long, value_name = "COLUMN", default_value = "cases")]
    cases_column: String,
    #[command(flatten)]
    interval: IntervalArgs,
    /// R from a date on, the first from the day after the last figure: [DATE=]MEAN[:SD]
    #[arg(long, value_name = "R", required = true)]
    r: Vec<RText>,
    /// R of a second scenario to compare with, in the same form
    #[arg(long, value_name = "R")]
    versus: Vec<RText>,
    /// How many days
    #[arg(long, value_name = "DAYS", default_value_t = 90)]
    days: usize,
    /// How many runs
    #[arg(long, value_name = "RUNS", default_value_t = 1000)]
    runs: u32,
    /// The seed of chance
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// People who are susceptible at the start; without it susceptibles do not run out
    #[arg(long, value_name = "PEOPLE")]
    susceptible: Option<f64>,
    /// How evenly people infect others: the size k of a negative binomial distribution, small if few infect many; evenly if not given
    #[arg(long, value_name = "K")]
    evenness: Option<f64>,
    /// Deaths: SHARE,MEAN,SD: the share of cases who die, and mean and standard deviation of the delay in days
    #[arg(long, value_name = "SHARE,MEAN,SD")]
    deaths: Option<Numbers<3>>,
    /// Hospital beds: SHARE,MEAN,SD,STAY,STAY-SD: the share of cases admitted, mean and standard deviation of the delay and of the stay
    #[arg(long, value_name = "SHARE,MEAN,SD,STAY,STAY-SD")]
    beds: Option<Numbers<5>>,
}

/// `[DATE=]MEAN[:SD]`
#[derive(Debug, Clone, Copy, PartialEq)]
struct RText {
    from: Option<Date>,
    mean: f64,
    sd: f64,
}

impl FromStr for RText {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no R; write 0.8, 0.8:0.05 or 2020-06-01=0.8:0.05");
        let (from, value) = match text.split_once('=') {
            Some((date, value)) => (Some(input::date(date.as_bytes()).ok_or_else(wrong)?), value),
            None => (None, text),
        };
        let (mean, sd) = value.split_once(':').unwrap_or((value, "0"));
        let number = |text: &str| input::number(text.as_bytes()).ok_or_else(wrong);
        Ok(Self { from, mean: number(mean)?, sd: number(sd)? })
    }
}

const COLUMNS: [&str; 9] = ["date", "measure", "mean", "q025", "q25", "median", "q75", "q975", "inputs"];

/// Answers.
pub fn run(args: &ScenarioArgs) -> Result<Answered, Fault> {
    let interval = args.interval.chosen()?;
    let outcomes = args.outcomes()?;
    let table = input::read(&args.source, &[Figures::needed(&args.cases_column)])?;
    let file = table.report.sha256.clone();
    let (answers, report) = table.answer(&COLUMNS, |group| {
        let history = group.series(0);
        let place = place(group);
        let scenario = args.scenario(&args.r, history, &outcomes);
        let found = scenario.run(history, &interval, place)?;
        let mut inputs = format!(
            "{file}\n{}cases {:?}\nseries {:?}\n{:?}\n{}",
            args.source.canonical(),
            args.cases_column,
            group.name,
            interval.delay().probabilities(),
            scenario.canonical()
        );
        let mut rows = Vec::new();
        let last = history.len() + args.days - 1;
        for measure in &found {
            for day in 0..args.days {
                rows.push(row(history, history.len() + day, measure.name.to_owned(), &measure.day(day)));
            }
        }
        for measure in &found {
            rows.push(row(history, last, total(measure), &Band::of(measure.of_runs())));
        }
        if !args.versus.is_empty() {
            let other = args.scenario(&args.versus, history, &outcomes);
            inputs.push_str(&other.canonical());
            for (measure, other) in found.iter().zip(other.run(history, &interval, place)?) {
                let difference = Band::of_difference(&measure.of_runs(), &other.of_runs());
                rows.push(row(history, last, format!("{}-difference", total(measure)), &difference));
            }
        }
        let inputs = sha256_hex(inputs.as_bytes());
        for row in &mut rows {
            row.push(inputs.as_str().into());
        }
        Ok(rows)
    })?;
    Ok(Answered { answers, report })
}

/// The chance of a series is bound to its name, not to its place in the file.
fn place(group: &Group) -> u32 {
    let name = sha256_hex(group.name.as_deref().unwrap_or_default().as_bytes());
    u32::from_str_radix(&name[..8], 16).unwrap_or_default()
}

fn total(measure: &Measure) -> String {
    format!("{}-{}", measure.name, if measure.stock { "peak" } else { "total" })
}

fn row(history: &Series, index: usize, measure: String, band: &Band) -> Vec<Cell> {
    let mut cells = vec![history.date(index).into(), measure.into(), band.mean.into()];
    cells.extend(band.quantiles.map(Cell::from));
    cells
}

impl ScenarioArgs {
    fn outcomes(&self) -> Result<Vec<Outcome>, Fault> {
        let delay = |mean, sd| Delay::discretised(&Continuous::Gamma(Gamma::of_mean_and_sd(mean, sd)));
        let mut outcomes = Vec::new();
        if let Some(Numbers([share, mean, sd])) = self.deaths {
            outcomes.push(Outcome { name: "deaths", share, delay: delay(mean, sd)?, stay: None });
        }
        if let Some(Numbers([share, mean, sd, stay, stay_sd])) = self.beds {
            let stay = Some(delay(stay, stay_sd)?);
            outcomes.push(Outcome { name: "beds", share, delay: delay(mean, sd)?, stay });
        }
        Ok(outcomes)
    }

    fn scenario(&self, steps: &[RText], history: &Series, outcomes: &[Outcome]) -> Scenario {
        let last = history.date(history.len().saturating_sub(1));
        let steps = steps
            .iter()
            .map(|step| {
                let days = step.from.map_or(1, |from| (from - last).get_days());
                // What began in the past holds from the first day on.
                let day = usize::try_from(days).unwrap_or_default().max(1);
                Reproduction { day, mean: step.mean, sd: step.sd }
            })
            .collect();
        Scenario {
            steps,
            days: self.days,
            runs: self.runs,
            seed: self.seed,
            susceptible: self.susceptible,
            evenness: self.evenness.unwrap_or(f64::INFINITY),
            outcomes: outcomes.to_vec(),
        }
    }
}
