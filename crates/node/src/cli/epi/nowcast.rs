//! `concord epi nowcast`

use std::collections::BTreeMap;

use clap::{Args, ValueEnum};
use csv::ByteRecord;
use epi::digest::sha256_hex;
use epi::nowcast::{self, Nowcast, Triangle};
use jiff::civil::Date;

use super::answers::Answered;
use super::cell::Cell;
use super::input::{self, Group, Rows, Source, Table};
use super::report::{Entry, Report};
use crate::fault::Fault;

/// How many will there be when all reports are in: the latest days, completed from how late reports were so far
///
/// The table has a row for each day and date of report: so many cases of that day were reported on that date (a pair without a row: none
/// were). The chain ladder (Wolffram et al. 2023, PLOS Comput. Biol. 19:e1011394) takes each delay's share from the days that show it;
/// its interval is negative binomial, as wide as the method would have been wrong on earlier days, and missing where too few days can
/// judge it. The Bayesian nowcast (Hoehle and an der Heiden 2014, Biometrics 70:993) has a gamma prior of each day's level and
/// integrates over the uncertainty of the shares. Both assume that delays stay as they were. "share" is how much of a day's reports is
/// expected to be in. Negative counts take back what was reported earlier of the same day.
#[derive(Debug, Args)]
pub struct NowcastArgs {
    #[command(flatten)]
    pub source: Source,
    /// The column of dates of report
    #[arg(long, value_name = "COLUMN", default_value = "report_date")]
    report_column: String,
    /// The column of cases
    #[arg(long, value_name = "COLUMN", default_value = "cases")]
    cases_column: String,
    /// Which method
    #[arg(long, value_enum, default_value_t = Method::ChainLadder)]
    method: Method,
    /// The longest delay, in days; later reports are left out and found
    #[arg(long, value_name = "DAYS", default_value_t = 14)]
    longest: usize,
    /// Only the last days, so many
    #[arg(long, value_name = "N")]
    last: Option<usize>,
}

/// Which nowcast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Method {
    /// Shares of delays as they were
    ChainLadder,
    /// With the uncertainty of the shares
    Bayesian,
}

const COLUMNS: [&str; 6] = ["date", "reported", "share", "expected", "low", "high"];

/// Counts by day and date of report.
type Pairs = BTreeMap<(Date, Date), f64>;

/// Answers.
pub fn run(args: &NowcastArgs) -> Result<Answered, Fault> {
    if args.source.cumulative {
        let message =
            "a nowcast needs new cases by day and date of report, not totals: leave --cumulative out";
        return Err(Fault::new("epi-nowcast-totals", message));
    }
    let (names, pairs, report) = read(args)?;
    let groups = names.into_iter().map(|name| Group { name, columns: Vec::new() }).collect();
    let table = Table { groups, report, by: args.source.by.is_some() };
    let (answers, report) = table.answer(&COLUMNS, |group| {
        let nowcast = one(args, &pairs[&group.name])?;
        let from = nowcast.len() - args.last.unwrap_or(nowcast.len()).min(nowcast.len());
        Ok(nowcast[from..].iter().map(row).collect())
    })?;
    Ok(Answered { answers, report })
}

/// The names of series in the order in which they begin, their counts, and what was found.
#[allow(clippy::type_complexity)] // Named where they are used.
fn read(args: &NowcastArgs) -> Result<(Vec<Option<String>>, BTreeMap<Option<String>, Pairs>, Report), Fault> {
    let source = &args.source;
    let bytes = input::bytes(&source.input)?;
    let mut rows = Rows::new(&source.input, &bytes)?;
    let by = source.by.as_deref().map(|column| rows.find(column)).transpose()?;
    let (days, reports) = (rows.find(&source.date_column)?, rows.find(&args.report_column)?);
    let cases = rows.find(&args.cases_column)?;
    let mut report = Report { sha256: sha256_hex(&bytes), ..Report::default() };
    let mut names: Vec<Option<String>> = Vec::new();
    let mut all: BTreeMap<Option<String>, Pairs> = BTreeMap::new();
    let mut row = ByteRecord::new();
    while let Some((row, line)) = rows.next(&mut row)? {
        let name = by.map(|column| String::from_utf8_lossy(input::cell(row, column)).into_owned());
        let pairs = all.entry(name.clone()).or_insert_with(|| {
            names.push(name.clone());
            Pairs::new()
        });
        let mut found = |column: &str, finding: &str, value: &[u8]| {
            report.entries.push(Entry {
                series: name.clone(),
                column: column.to_owned(),
                date: None,
                line: Some(line),
                finding: finding.to_owned(),
                value: String::from_utf8_lossy(value).into_owned(),
                detail: String::new(),
            });
        };
        let Some(day) = input::date(input::cell(row, days)) else {
            found(&source.date_column, "date-unreadable", input::cell(row, days));
            continue;
        };
        let Some(reported) = input::date(input::cell(row, reports)) else {
            found(&args.report_column, "date-unreadable", input::cell(row, reports));
            continue;
        };
        let Some(count) = input::number(input::cell(row, cases)) else {
            found(&args.cases_column, "figure-unreadable", input::cell(row, cases));
            continue;
        };
        let delay = (reported - day).get_days();
        if delay < 0 {
            found(&args.report_column, "reported-before", input::cell(row, reports));
        } else if usize::try_from(delay).is_ok_and(|delay| delay > args.longest) {
            found(&args.report_column, "reported-late", input::cell(row, reports));
        } else {
            *pairs.entry((day, reported)).or_default() += count;
        }
    }
    report.series = names.len();
    Ok((names, all, report))
}

/// The nowcast of one series, as of its last date of report.
fn one(args: &NowcastArgs, pairs: &Pairs) -> Result<Vec<Nowcast>, Fault> {
    let none = || Fault::new("epi-nowcast-none", "the table shows no delays of reports for this series");
    let start = pairs.keys().map(|(day, _)| *day).min().ok_or_else(none)?;
    let as_of = pairs.keys().map(|(_, reported)| *reported).max().ok_or_else(none)?;
    let place = |date: Date| usize::try_from((date - start).get_days()).unwrap_or(0);
    let length = place(as_of) + 1;
    if length > epi::series::MAX_LENGTH {
        return Err(epi::series::SeriesError::TooLong { length }.into());
    }
    let mut rows: Vec<Vec<f64>> =
        (0..length).map(|day| vec![0.0; args.longest.min(length - 1 - day) + 1]).collect();
    for ((day, reported), count) in pairs {
        let day = place(*day);
        rows[day][place(*reported) - day] = *count;
    }
    let triangle = Triangle::new(start, args.longest, rows)?;
    let nowcast = match args.method {
        Method::ChainLadder => nowcast::chain_ladder(&triangle),
        Method::Bayesian => nowcast::bayesian(&triangle),
    };
    nowcast.ok_or_else(none)
}

fn row(nowcast: &Nowcast) -> Vec<Cell> {
    vec![
        nowcast.date.into(),
        nowcast.reported.into(),
        nowcast.share.into(),
        nowcast.expected.into(),
        nowcast.interval.map(|(low, _)| low).into(),
        nowcast.interval.map(|(_, high)| high).into(),
    ]
}
