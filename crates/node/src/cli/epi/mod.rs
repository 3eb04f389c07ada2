//! `concord epi`: epidemiology on tables of figures, without a node. Every method is `crates/epi`'s; here files become series, and
//! results become tables, CSV or JSON.
//!
//! A series that cannot be answered is named and stops no other. What is wrong with the figures goes into `--report`, and how much of
//! it there is to standard error. Nothing here repairs a figure unasked.

mod answers;
mod cell;
mod cfr;
mod detect;
mod fault;
mod final_size;
mod growth;
mod import_risk;
mod input;
mod interval;
mod nowcast;
mod report;
mod rt;
mod scenario;
mod weekdays;

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::fault::Fault;
use crate::i18n::Locale;
use answers::{Answered, Format};
use input::Source;

/// Wrong input, as wrong usage.
const WRONG_INPUT: u8 = 2;

/// How the help of a question ends.
macro_rules! teach {
    ($($example:literal),+) => {
        concat!(
            "Example:\n",
            $("  concord epi ", $example, "\n",)+
            "\nExit codes: 0 done; 1 the answer could not be written; 2 wrong usage or wrong input, the reason is on \
             standard error (with --json also on standard output, as code and arguments)"
        )
    };
}

/// `concord epi`
#[derive(Debug, Args)]
pub struct EpiArgs {
    #[command(subcommand)]
    question: Question,
}

#[derive(Debug, Subcommand)]
enum Question {
    #[command(after_help = teach!(
        "rt --input cases.csv --si si.csv --window 7 --format json",
        "rt --input countries.csv --by country --cumulative --si-mean 6.5 --si-sd 4.03 --report findings.csv",
        "rt --input weeks.csv --weekly last-day --disease ebola-west-africa-2014",
        "rt --input cases.csv --si-mean 2.6 --si-sd 1.5 --si-mean-uncertain 1,1,4.2 --si-sd-uncertain 0.5,0.5,2.5"
    ))]
    Rt(rt::RtArgs),
    #[command(after_help = teach!(
        "growth --input cases.csv --window 14 --last 1 --si-mean 6.5 --si-sd 4.03",
        "growth --input countries.csv --by country --cumulative --last 1"
    ))]
    Growth(growth::GrowthArgs),
    #[command(after_help = teach!(
        "cfr --input ebola-1976.csv --delay-gamma 2.40,3.33 --rolling",
        "cfr --input countries.csv --by country --cumulative --delay-disease ebola-drc-2018 --negative spread"
    ))]
    Cfr(cfr::CfrArgs),
    #[command(after_help = teach!("nowcast --input reports.csv --longest 10 --last 10 --method bayesian"))]
    Nowcast(nowcast::NowcastArgs),
    #[command(after_help = teach!(
        "detect --method ears-c2 --input cases.csv --last 7 --format json",
        "detect --method farrington-flexible --input weeks.csv --by region --last 1 --fdr 0.05",
        "detect --method rate --days 14 --threshold 50 --input countries.csv --by country --populations people.csv"
    ))]
    Detect(detect::DetectArgs),
    #[command(after_help = teach!(
        "scenario --input cases.csv --si si.csv --r 0.75:0.03 --r 2020-06-01=0.9:0.03 --versus 0.75:0.03 --days 90",
        "scenario --input cases.csv --si si.csv --r 1.2 --susceptible 8000000 --deaths 0.01,18,8 --beds 0.05,7,4,9,6"
    ))]
    Scenario(scenario::ScenarioArgs),
    #[command(after_help = teach!(
        "import-risk --method delay --input cases.csv --window 14 --reduction 0.5,0.9",
        "import-risk --method delay --growth 0.14 --growth-low 0.11 --growth-high 0.17 --reduction 0.5,0.9",
        "import-risk --method establishment --r 2.35 --evenness 0.16 --arrivals 1,4,10",
        "import-risk --method spread --input places.csv --travel flows.csv --r 2.4 --latent-days 3.75 --infectious-days 3.75 --reduction 0.9"
    ))]
    ImportRisk(import_risk::ImportRiskArgs),
    #[command(after_help = teach!(
        "weekdays --input cases.csv",
        "weekdays --input cases.csv --removed --format csv > smooth.csv"
    ))]
    Weekdays(weekdays::WeekdaysArgs),
    #[command(after_help = teach!("final-size --r0 1.5,2,2.5", "final-size --r0 2.5 --input ages.csv --format csv"))]
    FinalSize(final_size::FinalSizeArgs),
}

impl Question {
    /// Where series come from; none for questions that are not about series.
    fn source(&self) -> Option<&Source> {
        match self {
            Self::Rt(args) => Some(&args.source),
            Self::Growth(args) => Some(&args.source),
            Self::Cfr(args) => Some(&args.source),
            Self::Nowcast(args) => Some(&args.source),
            Self::Detect(args) => Some(&args.source),
            Self::Scenario(args) => Some(&args.source),
            Self::Weekdays(args) => Some(&args.source),
            Self::ImportRisk(_) | Self::FinalSize(_) => None,
        }
    }

    fn format(&self) -> Option<Format> {
        match self {
            Self::ImportRisk(args) => args.format,
            Self::FinalSize(args) => args.format,
            _ => self.source().and_then(|source| source.format),
        }
    }

    fn answer(&self, locale: &Locale) -> Result<Answered, Fault> {
        match self {
            Self::Rt(args) => rt::run(args),
            Self::Growth(args) => growth::run(args),
            Self::Cfr(args) => cfr::run(args),
            Self::Nowcast(args) => nowcast::run(args),
            Self::Detect(args) => detect::run(args, locale),
            Self::Scenario(args) => scenario::run(args),
            Self::ImportRisk(args) => import_risk::run(args),
            Self::Weekdays(args) => weekdays::run(args),
            Self::FinalSize(args) => final_size::run(args),
        }
    }
}

/// Answers, writes the report, and says on standard error how much was found.
pub fn main(args: &EpiArgs, json: bool, locale: &Locale) -> ExitCode {
    let source = args.question.source();
    let answered = match args.question.answer(locale).and_then(|answered| {
        source.map_or(Ok(()), |source| answered.report.write(source))?;
        Ok(answered)
    }) {
        Ok(answered) => answered,
        Err(fault) => {
            if json {
                println!("{:#}", serde_json::json!({ "error": fault }));
            }
            eprintln!("concord: {}", fault.said_in(locale));
            return ExitCode::from(WRONG_INPUT);
        }
    };
    for note in answered.report.notes(source) {
        eprintln!("concord: {}", note.said_in(locale));
    }
    let format = args.question.format().unwrap_or(if json { Format::Json } else { Format::Table });
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    match answered.answers.write(&mut out, format).and_then(|()| out.flush()) {
        // Whoever reads may have read enough (`| head`).
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            eprintln!("concord: standard output: {error}");
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

#[cfg(test)]
mod tests;
