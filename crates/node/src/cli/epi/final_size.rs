//! `concord epi final-size`

use std::path::{Path, PathBuf};

use clap::Args;
use csv::ByteRecord;
use epi::digest::sha256_hex;
use epi::final_size::Population;

use super::answers::{Answered, Answers, Format};
use super::cell::Cell;
use super::fault::EpiError;
use super::input::{self, Rows};
use super::report::Report;
use crate::fault::Fault;

/// Which share of everybody is infected in an epidemic that nobody stops
///
/// Without groups it is the solution of z = 1 − exp(−R₀z); with groups each has its own share, by whom its people meet: zᵢ = 1 −
/// exp(−R₀ σᵢ Σⱼ mᵢⱼ sⱼ zⱼ / ρ), where ρ is the largest eigenvalue of the contacts m, s the share susceptible at the start and σ
/// how easily they are infected (Andreasen 2011, Bull Math Biol 73:2305).
///
/// The table of groups has a row for each: columns `group`, `population`, one column for each group with how many of its people one
/// person of the row's group meets, and, if wanted, `susceptible` (0 to 1) and `susceptibility` (beside 1). Contacts are used as given: they
/// are not made mutual, and how far they are from it is said.
///
/// It assumes no measures, lasting immunity and contacts that never change: it is a bound for planning, not a forecast. `threshold` is the share
/// of everybody that must be immune beside those who are, for the epidemic not to grow. `inputs` is the SHA-256 of the table, or of the
/// number of people, and of R0.
#[derive(Debug, Args)]
pub struct FinalSizeArgs {
    /// R0: how many one case infects where all are susceptible; several with commas
    #[arg(long, value_name = "R0", value_delimiter = ',', required = true)]
    r0: Vec<f64>,
    /// The table of groups: comma-separated values in UTF-8 with a header; - is standard input
    #[arg(long, value_name = "FILE", conflicts_with = "population")]
    input: Option<PathBuf>,
    /// Without groups: how many people there are
    #[arg(long, value_name = "PEOPLE", default_value_t = 1_000_000.0)]
    population: f64,
    /// How answers are written; table if not given
    #[arg(long, value_enum)]
    pub format: Option<Format>,
}

/// Contacts that are further from mutual than this are worth a remark.
const UNMUTUAL: f64 = 0.05;

/// Answers.
pub fn run(args: &FinalSizeArgs) -> Result<Answered, Fault> {
    let mut report = Report::default();
    let (names, population, of_what) = if let Some(path) = &args.input {
        read(path)?
    } else {
        let people = format!("population {:?}", args.population);
        (vec!["all".to_owned()], Population::mixed(args.population), people)
    };
    let mut answers = Answers {
        columns: vec!["r0", "group", "population", "share", "infected", "effective", "threshold", "inputs"],
        ..Answers::default()
    };
    for r0 in &args.r0 {
        let found = population.final_size(*r0)?;
        let inputs = sha256_hex(format!("final-size\n{of_what}\nr0 {r0:?}\n").as_bytes());
        let sizes = || population.sizes.iter();
        if names.len() > 1 {
            for ((name, share), size) in names.iter().zip(&found.shares).zip(sizes()) {
                let cells = [(*r0).into(), name.clone().into(), (*size).into(), (*share).into()];
                let rest = [(share * size).into(), Cell::Nothing, Cell::Nothing, inputs.as_str().into()];
                answers.rows.push([&cells[..], &rest].concat());
            }
        }
        answers.rows.push(vec![
            (*r0).into(),
            "all".into(),
            sizes().sum::<f64>().into(),
            found.overall.into(),
            found.infected.into(),
            found.effective.into(),
            found.threshold.into(),
            inputs.into(),
        ]);
    }
    let unmutual = population.unmutual();
    if unmutual > UNMUTUAL {
        let percent = format!("{:.0}", unmutual * 100.0);
        let remark = format!(
            "the contacts are not mutual: what two groups say of their meetings differs by up to {percent} %; they are used as given"
        );
        report.remarks.push(Fault::new("epi-contacts-not-mutual", remark).with("percent", percent));
    }
    Ok(Answered { answers, report })
}

/// The names of the groups, the groups, and the SHA-256 of their table.
fn read(path: &Path) -> Result<(Vec<String>, Population, String), EpiError> {
    let bytes = input::bytes(path)?;
    let mut rows = Rows::new(path, &bytes)?;
    let (group, population) = (rows.find("group")?, rows.find("population")?);
    let optional = [rows.find("susceptible").ok(), rows.find("susceptibility").ok()];
    let mut names = Vec::new();
    let mut records = Vec::new();
    let mut row = ByteRecord::new();
    while let Some((row, line)) = rows.next(&mut row)? {
        names.push(String::from_utf8_lossy(input::cell(row, group)).into_owned());
        records.push((row.clone(), line));
    }
    let columns = names.iter().map(|name| rows.find(name)).collect::<Result<Vec<_>, _>>()?;
    let number = |row: &ByteRecord, line: u64, column: usize| {
        let text = input::cell(row, column);
        input::number(text).ok_or_else(|| EpiError::Number {
            path: path.display().to_string(),
            line,
            text: String::from_utf8_lossy(text).into_owned(),
        })
    };
    let mut read =
        Population { sizes: vec![], contacts: vec![], susceptible: vec![], susceptibility: vec![] };
    for (row, line) in &records {
        read.sizes.push(number(row, *line, population)?);
        read.contacts
            .push(columns.iter().map(|column| number(row, *line, *column)).collect::<Result<_, _>>()?);
        let [susceptible, susceptibility] =
            optional.map(|column| column.map_or(Ok(1.0), |column| number(row, *line, column)));
        read.susceptible.push(susceptible?);
        read.susceptibility.push(susceptibility?);
    }
    Ok((names, read, sha256_hex(&bytes)))
}
