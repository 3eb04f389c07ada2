//! `concord epi`: epidemiology on tables of figures, without a node. Every method is `crates/epi`'s; here files become series, and
//! results become tables, CSV or JSON.
//!
//! A series that cannot be answered is named and stops no other. What is wrong with the figures goes into `--report`, and how much of
//! it there is to standard error. Nothing here repairs a figure unasked.

mod answers;
mod cell;
mod cfr;
mod fault;
mod growth;
mod input;
mod interval;
mod report;
mod rt;

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
        "rt --input countries.csv --by country --cumulative --si-mean 6.5 --si-sd 4.03 --report findings.csv"
    ))]
    Rt(rt::RtArgs),
    #[command(after_help = teach!(
        "growth --input cases.csv --window 14 --last 1 --si-mean 6.5 --si-sd 4.03",
        "growth --input countries.csv --by country --cumulative --last 1"
    ))]
    Growth(growth::GrowthArgs),
    #[command(after_help = teach!(
        "cfr --input ebola-1976.csv --delay-gamma 2.40,3.33 --rolling",
        "cfr --input countries.csv --by country --cumulative --delay-disease ebola --negative spread"
    ))]
    Cfr(cfr::CfrArgs),
}

impl Question {
    fn source(&self) -> &Source {
        match self {
            Self::Rt(args) => &args.source,
            Self::Growth(args) => &args.source,
            Self::Cfr(args) => &args.source,
        }
    }

    fn answer(&self) -> Result<Answered, Fault> {
        match self {
            Self::Rt(args) => rt::run(args),
            Self::Growth(args) => growth::run(args),
            Self::Cfr(args) => cfr::run(args),
        }
    }
}

/// Answers, writes the report, and says on standard error how much was found.
pub fn main(args: &EpiArgs, json: bool, locale: &Locale) -> ExitCode {
    let source = args.question.source();
    let answered = match args.question.answer().and_then(|answered| {
        answered.report.write(source)?;
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
    let format = source.format.unwrap_or(if json { Format::Json } else { Format::Table });
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
