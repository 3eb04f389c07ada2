//! `concord epi import-risk`

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use csv::ByteRecord;
use epi::digest::sha256_hex;
use epi::establishment;
use epi::growth;
use epi::importation::{Assumptions, Growth, Origin, delay_bought};
use epi::metapopulation::{Course, Flow, Metapopulation, Place, Restriction, Travel, gravity};
use jiff::civil::Date;

use super::answers::{Answered, Answers, Format};
use super::cell::Cell;
use super::fault::EpiError;
use super::input::{self, Figures, NegativeArg, Rows, Source, StepArg};
use super::report::Report;
use crate::fault::Fault;

/// What restricting travel buys, and how soon an epidemic arrives.
///
/// `delay`: while infections at the source grow as e^(rt), leaving out a share f of travellers postpones every number of arrivals by
/// −ln(1 − f)/r days, and lowers nothing for good (Gautreau et al. 2008, J Theor Biol 251:509). Growth is estimated from the last `--window` figures of
/// the source, `--input`, as `concord epi growth` does, or given per day with its interval. Refused where the interval includes 0, or
/// the destination already has sustained transmission; among many sources those that are refused are named.
///
/// `establishment`: the probability that n infected arrivals start a large outbreak, 1 − qⁿ with q = (1 + R(1 − q)/k)⁻ᵏ (Lloyd-Smith et al. 2005,
/// Nature 438:355).
///
/// `arrivals`: infected arrivals day by day from the cases of the places they come from, travellers per day, and what share of infections becomes
/// cases; with the probability that one has arrived, and that a large outbreak has started.
///
/// `spread`: many runs of an epidemic between places (susceptible, latent, infectious, recovered; binomial steps of a day; as GLEAM, Balcan et
/// al. 2010, J Comput Sci 1:132, without commuting), with and without a restriction under the same chance. Flows are those of `--travel`, or
/// gravity's: those are illustrative, and every row says so.
///
/// `inputs` is the SHA-256 of the tables and options that a row was computed from.
#[derive(Debug, Args)]
pub struct ImportRiskArgs {
    /// The question
    #[arg(long, value_enum)]
    method: MethodArg,
    /// delay: the table of cases at the source; arrivals: the table of cases; spread: the table of places, with columns place,population,infectious and, if wanted, r,latitude,longitude
    #[arg(long, value_name = "FILE", required_if_eq_any([("method", "arrivals"), ("method", "spread")]))]
    input: Option<PathBuf>,
    /// The column that names the places of the cases (arrivals, delay)
    #[arg(long, value_name = "COLUMN", required_if_eq("method", "arrivals"))]
    by: Option<String>,
    /// The column of dates
    #[arg(long, value_name = "COLUMN", default_value = "date")]
    date_column: String,
    /// The column of new cases
    #[arg(long, value_name = "COLUMN", default_value = "cases")]
    cases_column: String,
    /// Cases are totals so far: take differences
    #[arg(long)]
    cumulative: bool,
    /// Travellers per day: a file with columns from,to,travellers
    #[arg(long, value_name = "FILE", required_if_eq("method", "arrivals"))]
    travel: Option<PathBuf>,
    /// People of each place: a file with columns series,population (arrivals)
    #[arg(long, value_name = "FILE", required_if_eq("method", "arrivals"))]
    populations: Option<PathBuf>,
    /// Where to (arrivals); which place restricts (spread; all if not given)
    #[arg(long, value_name = "PLACE", required_if_eq("method", "arrivals"))]
    to: Option<String>,
    /// How many of the last figures growth is estimated from (delay with --input)
    #[arg(long, value_name = "POINTS", default_value_t = 14)]
    window: usize,
    /// Growth of infections at the source, per day, instead of cases to estimate it from (delay)
    #[arg(
        long,
        value_name = "R",
        allow_negative_numbers = true,
        requires = "growth_low",
        requires = "growth_high",
        conflicts_with = "input"
    )]
    growth: Option<f64>,
    /// The lower end of its interval
    #[arg(long, value_name = "R", allow_negative_numbers = true, requires = "growth")]
    growth_low: Option<f64>,
    /// The upper end of its interval
    #[arg(long, value_name = "R", allow_negative_numbers = true, requires = "growth")]
    growth_high: Option<f64>,
    /// Share of travellers left out, 0 to 1; several with commas for delay
    #[arg(long, value_name = "SHARE", value_delimiter = ',', required_if_eq("method", "delay"))]
    reduction: Vec<f64>,
    /// From when on: a date (arrivals) or the number of a day from 1 (spread)
    #[arg(long, value_name = "WHEN")]
    from: Option<String>,
    /// The destination has sustained transmission of its own (delay)
    #[arg(long)]
    sustained: bool,
    /// R at the destination (establishment, arrivals), or of places that have none of their own (spread)
    #[arg(long, value_name = "R", required_if_eq_any([("method", "establishment"), ("method", "arrivals")]))]
    r: Option<f64>,
    /// How evenly people infect others there: the size k of a negative binomial distribution
    #[arg(long, value_name = "K", required_if_eq_any([("method", "establishment"), ("method", "arrivals")]))]
    evenness: Option<f64>,
    /// Numbers of infected arrivals (establishment)
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "1")]
    arrivals: Vec<f64>,
    /// For how many days after becoming a case an infected person may travel and infect (arrivals)
    #[arg(long, value_name = "DAYS", default_value_t = 10)]
    carrying: usize,
    /// Share of infections that become cases (arrivals)
    #[arg(long, value_name = "SHARE", default_value_t = 1.0)]
    ascertained: f64,
    /// Share of infected travellers who are found: on arrival (arrivals), before they leave (spread)
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    detected: f64,
    /// Trips per person and day that gravity shares out, where no flows are given (spread)
    #[arg(long, value_name = "TRIPS")]
    trips: Option<f64>,
    /// The power of distance in gravity (spread)
    #[arg(long, value_name = "POWER", default_value_t = 2.0)]
    distance_power: f64,
    /// Mean days from infection until infectious (spread)
    #[arg(long, value_name = "DAYS", required_if_eq("method", "spread"))]
    latent_days: Option<f64>,
    /// Mean days infectious (spread)
    #[arg(long, value_name = "DAYS", required_if_eq("method", "spread"))]
    infectious_days: Option<f64>,
    /// How many days (spread)
    #[arg(long, value_name = "DAYS", default_value_t = 180)]
    days: usize,
    /// How many runs (spread)
    #[arg(long, value_name = "RUNS", default_value_t = 200)]
    runs: u32,
    /// The seed of chance (spread)
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// How answers are written; table if not given
    #[arg(long, value_enum)]
    pub format: Option<Format>,
}

/// The questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum MethodArg {
    /// Days that restricting travel postpones arrivals by
    Delay,
    /// The probability that arrivals start a large outbreak
    Establishment,
    /// Infected arrivals day by day
    Arrivals,
    /// An epidemic between places
    Spread,
}

/// Answers.
pub fn run(args: &ImportRiskArgs) -> Result<Answered, Fault> {
    match args.method {
        MethodArg::Delay => delay(args),
        MethodArg::Establishment => established(args),
        MethodArg::Arrivals => arrivals(args),
        MethodArg::Spread => spread(args),
    }
}

fn alone(columns: Vec<&'static str>, rows: Vec<Vec<Cell>>) -> Answered {
    Answered { answers: Answers { columns, rows, ..Answers::default() }, report: Report::default() }
}

/// Which inputs a row is of: files by their SHA-256, and what else it depends on.
fn inputs(files: &[&str], options: &str) -> Cell {
    sha256_hex(format!("{}\n{options}\n", files.join("\n")).as_bytes()).into()
}

const DELAY_COLUMNS: [&str; 10] =
    ["reduction", "days", "low", "high", "growth", "growth_low", "growth_high", "start", "end", "inputs"];

fn delay(args: &ImportRiskArgs) -> Result<Answered, Fault> {
    if args.input.is_some() {
        return delay_from_cases(args);
    }
    let Some(((rate, low), high)) = args.growth.zip(args.growth_low).zip(args.growth_high) else {
        return Err(Fault::new(
            "epi-import-growth-unsaid",
            "say how fast it grows at the source: --input FILE with its cases, or --growth with --growth-low and --growth-high",
        ));
    };
    let rows = delays(args, Growth { rate, low, high }, None, "")?;
    Ok(alone(DELAY_COLUMNS.to_vec(), rows))
}

fn delay_from_cases(args: &ImportRiskArgs) -> Result<Answered, Fault> {
    let source = args.source(StepArg::Auto);
    let table = input::read(&source, &[Figures::needed(&args.cases_column)])?;
    let file = format!("{}\n{}cases {:?}", table.report.sha256, source.canonical(), args.cases_column);
    let (answers, report) = table.answer(&DELAY_COLUMNS, |group| {
        let windows = growth::estimate(group.series(0), args.window);
        let last = windows.last().and_then(|window| Some((window, window.growth?)));
        let Some((window, found)) = last else {
            let points = args.window;
            let why = format!(
                "no growth can be estimated from the last {points} figures: there are fewer, or fewer than {}, some are missing or negative, or \
                 they hold too few cases",
                growth::LEAST_POINTS
            );
            return Err(Fault::new("epi-import-growth-none", why)
                .with("points", points)
                .with("least", growth::LEAST_POINTS));
        };
        let growth = Growth { rate: found.rate, low: found.low, high: found.high };
        delays(args, growth, Some((window.start, window.end)), &format!("{file}\nseries {:?}", group.name))
    })?;
    Ok(Answered { answers, report })
}

/// What each reduction buys; `from` are the dates that growth was estimated from.
fn delays(
    args: &ImportRiskArgs,
    growth: Growth,
    from: Option<(Date, Date)>,
    source: &str,
) -> Result<Vec<Vec<Cell>>, Fault> {
    let row = |reduction: &f64| {
        let found = delay_bought(growth, *reduction, args.sustained)?;
        let Growth { rate, low, high } = growth;
        let options = format!("delay {reduction:?} {rate:?} {low:?} {high:?}");
        Ok(vec![
            (*reduction).into(),
            found.days.into(),
            found.low.into(),
            found.high.into(),
            rate.into(),
            low.into(),
            high.into(),
            from.map(|(start, _)| start).into(),
            from.map(|(_, end)| end).into(),
            inputs(&[source], &options),
        ])
    };
    args.reduction.iter().map(row).collect()
}

fn established(args: &ImportRiskArgs) -> Result<Answered, Fault> {
    let (r, k) = (args.r.unwrap_or(f64::NAN), args.evenness.unwrap_or(f64::NAN));
    let row = |n: &f64| {
        let found = establishment::establishment(r, k, *n).ok_or(EpiError::Establishment)?;
        Ok(vec![(*n).into(), found.into(), inputs(&[], &format!("establishment {r:?} {k:?} {n:?}"))])
    };
    let rows = args.arrivals.iter().map(row).collect::<Result<_, Fault>>()?;
    Ok(alone(vec!["arrivals", "probability", "inputs"], rows))
}

impl ImportRiskArgs {
    /// The table of cases.
    fn source(&self, step: StepArg) -> Source {
        Source {
            input: self.input.clone().unwrap_or_default(),
            by: self.by.clone(),
            date_column: self.date_column.clone(),
            cumulative: self.cumulative,
            step,
            negative: NegativeArg::Keep,
            report: None,
            format: self.format,
        }
    }
}

fn arrivals(args: &ImportRiskArgs) -> Result<Answered, Fault> {
    let source = args.source(StepArg::Day);
    let table = input::read(&source, &[Figures::needed(&args.cases_column)])?;
    let (populations, of_populations) = read_pairs(args.populations.as_deref(), "series", "population")?;
    let to = args.to.as_deref().unwrap_or_default();
    let (flows, of_flows) = flows(args.travel.as_deref())?;
    let travellers: HashMap<String, f64> = flows
        .into_iter()
        .filter(|(_, destination, _)| destination == to)
        .map(|(from, _, travellers)| (from, travellers))
        .collect();
    let mut origins = Vec::new();
    for group in &table.groups {
        let name = group.name.clone().unwrap_or_default();
        let Some(travellers) = travellers.get(&name).copied() else { continue };
        let population = populations.get(&name).copied();
        let population = population.ok_or_else(|| EpiError::Population { series: name.clone() })?;
        origins.push(Origin { cases: group.series(0).clone(), name, population, travellers });
    }
    if origins.is_empty() {
        return Err(EpiError::NoTravellers { to: to.to_owned() }.into());
    }
    let restricted_from = args
        .from
        .as_deref()
        .map(|text| input::date(text.as_bytes()).ok_or_else(|| EpiError::When { text: text.to_owned() }))
        .transpose()?;
    let assumptions = Assumptions {
        carrying: args.carrying,
        ascertained: args.ascertained,
        restriction: args.reduction.first().copied().unwrap_or(0.0),
        restricted_from,
        detected: args.detected,
        r: args.r.unwrap_or(f64::NAN),
        evenness: args.evenness.unwrap_or(f64::NAN),
    };
    let options =
        format!("arrivals {to:?}\n{}cases {:?}\n{assumptions:?}", source.canonical(), args.cases_column);
    let inputs = inputs(&[&table.report.sha256, &of_flows, &of_populations], &options);
    let rows = assumptions.arrivals(&origins)?.into_iter().map(|day| {
        let missing = (!day.missing.is_empty()).then(|| day.missing.join("; "));
        let date: Date = day.date;
        vec![
            date.into(),
            day.expected.into(),
            day.sum.into(),
            day.arrived.into(),
            day.established.into(),
            missing.into(),
            inputs.clone(),
        ]
    });
    let columns = vec!["date", "expected", "sum", "arrived", "established", "missing", "inputs"];
    let answers = Answers { columns, rows: rows.collect(), ..Answers::default() };
    Ok(Answered { answers, report: table.report })
}

fn spread(args: &ImportRiskArgs) -> Result<Answered, Fault> {
    let (places, positions, of_places) = read_places(args)?;
    let mut of_flows = String::new();
    let index = |name: &str| {
        let found = places.iter().position(|place| place.name == name);
        found.ok_or_else(|| EpiError::Place { name: name.to_owned() })
    };
    let travel = match (&args.travel, args.trips) {
        (Some(path), _) => {
            let flow = |(from, to, travellers): (String, String, f64)| {
                Ok(Flow { from: index(&from)?, to: index(&to)?, travellers })
            };
            let (flows, file) = flows(Some(path))?;
            of_flows = file;
            let flows = flows.into_iter().map(flow).collect::<Result<_, EpiError>>()?;
            Travel { flows, illustrative: false }
        }
        (None, Some(trips)) => {
            let populations: Vec<f64> = places.iter().map(|place| place.population).collect();
            let positions = positions.ok_or(EpiError::NoFlows)?;
            gravity(&populations, &positions, trips, args.distance_power)
        }
        (None, None) => return Err(EpiError::NoFlows.into()),
    };
    let day = args.from.as_deref().unwrap_or("1");
    let day = day.parse().map_err(|_| EpiError::When { text: day.to_owned() })?;
    let place = args.to.as_deref().map(index).transpose()?;
    let restriction = args.reduction.first().map(|share| Restriction { day, share: *share, place });
    let open = Metapopulation {
        places,
        travel,
        latent_days: args.latent_days.unwrap_or(f64::NAN),
        infectious_days: args.infectious_days.unwrap_or(f64::NAN),
        detected: args.detected,
        restriction: None,
        days: args.days,
        runs: args.runs,
        seed: args.seed,
    };
    let flows = if open.travel.illustrative { "illustrative" } else { "given" };
    let options = format!(
        "spread\nr {:?}\nlatent {:?}\ninfectious {:?}\ndetected {:?}\nrestriction {restriction:?}\ndays {}\nruns {}\nseed {}\ntrips {:?} {:?}",
        args.r,
        args.latent_days,
        args.infectious_days,
        args.detected,
        args.days,
        args.runs,
        args.seed,
        args.trips,
        args.distance_power
    );
    let inputs = inputs(&[&of_places, &of_flows], &options);
    let unrestricted = open.run()?;
    let restricted =
        restriction.map(|r| Metapopulation { restriction: Some(r), ..open.clone() }.run()).transpose()?;
    let row = |i: usize| {
        let mut cells: Vec<Cell> = vec![open.places[i].name.clone().into()];
        cells.extend(courses(&unrestricted, i));
        if let Some(restricted) = &restricted {
            cells.extend(courses(restricted, i));
        }
        cells.extend([flows.into(), inputs.clone()]);
        cells
    };
    let mut columns = vec!["place", "arrived", "day", "outbreak", "outbreak-day", "infected"];
    if restricted.is_some() {
        columns.extend([
            "restricted-arrived",
            "restricted-day",
            "restricted-outbreak",
            "restricted-outbreak-day",
            "restricted-infected",
        ]);
    }
    columns.extend(["flows", "inputs"]);
    let mut answered = alone(columns, (0..open.places.len()).map(row).collect());
    if open.travel.illustrative {
        answered.report.remarks.push(Fault::new(
            "epi-import-illustrative",
            "no flows were given: those of a gravity model are illustrative, and say nothing of real journeys",
        ));
    }
    Ok(answered)
}

/// Share of runs with an arrival, its median day (none if fewer than half arrive), the same for an outbreak, and people infected on average.
fn courses(runs: &[Vec<Course>], place: usize) -> [Cell; 5] {
    let of = |value: fn(&Course) -> Option<usize>| {
        let mut days: Vec<usize> = runs.iter().filter_map(|run| value(&run[place])).collect();
        days.sort_unstable();
        // As floats: runs are few.
        #[allow(clippy::cast_precision_loss)]
        let share = days.len() as f64 / runs.len() as f64;
        (Cell::from(share), Cell::from(days.get(runs.len() / 2).copied()))
    };
    let (arrived, day) = of(|course| course.arrived);
    let (outbreak, outbreak_day) = of(|course| course.hundred);
    #[allow(clippy::cast_precision_loss)]
    let infected = runs.iter().map(|run| run[place].infected).sum::<f64>() / runs.len() as f64;
    [arrived, day, outbreak, outbreak_day, infected.into()]
}

fn number(path: &Path, row: &ByteRecord, line: u64, column: usize) -> Result<f64, EpiError> {
    let text = input::cell(row, column);
    input::number(text).ok_or_else(|| EpiError::Number {
        path: path.display().to_string(),
        line,
        text: String::from_utf8_lossy(text).into_owned(),
    })
}

fn text(row: &ByteRecord, column: usize) -> String {
    String::from_utf8_lossy(input::cell(row, column)).into_owned()
}

/// A number by name, and the SHA-256 of the file.
pub fn read_pairs(
    path: Option<&Path>,
    name: &str,
    value: &str,
) -> Result<(HashMap<String, f64>, String), EpiError> {
    let Some(path) = path else { return Ok((HashMap::new(), String::new())) };
    let bytes = input::bytes(path)?;
    let mut rows = Rows::new(path, &bytes)?;
    let (name, value) = (rows.find(name)?, rows.find(value)?);
    let mut found = HashMap::new();
    let mut row = ByteRecord::new();
    while let Some((row, line)) = rows.next(&mut row)? {
        found.insert(text(row, name), number(path, row, line, value)?);
    }
    Ok((found, sha256_hex(&bytes)))
}

/// From where, to where, and how many.
type Flows = Vec<(String, String, f64)>;

/// The flows, and the SHA-256 of their file.
fn flows(path: Option<&Path>) -> Result<(Flows, String), EpiError> {
    let path = path.ok_or(EpiError::NoFlows)?;
    let bytes = input::bytes(path)?;
    let mut rows = Rows::new(path, &bytes)?;
    let (from, to, travellers) = (rows.find("from")?, rows.find("to")?, rows.find("travellers")?);
    let mut found = Vec::new();
    let mut row = ByteRecord::new();
    while let Some((row, line)) = rows.next(&mut row)? {
        found.push((text(row, from), text(row, to), number(path, row, line, travellers)?));
    }
    Ok((found, sha256_hex(&bytes)))
}

type Positions = Vec<(f64, f64)>;

/// The places, where they lie, and the SHA-256 of their file.
fn read_places(args: &ImportRiskArgs) -> Result<(Vec<Place>, Option<Positions>, String), EpiError> {
    let path = args.input.clone().unwrap_or_default();
    let bytes = input::bytes(&path)?;
    let mut rows = Rows::new(&path, &bytes)?;
    let (name, population) = (rows.find("place")?, rows.find("population")?);
    let infectious = rows.find("infectious")?;
    let r = if args.r.is_some() { rows.find("r").ok() } else { Some(rows.find("r")?) };
    let position = rows.find("latitude").ok().zip(rows.find("longitude").ok());
    let mut places = Vec::new();
    let mut positions = position.map(|_| Vec::new());
    let mut row = ByteRecord::new();
    while let Some((row, line)) = rows.next(&mut row)? {
        let of = |column| number(&path, row, line, column);
        places.push(Place {
            name: text(row, name),
            population: of(population)?,
            infectious: of(infectious)?,
            r: r.map_or(Ok(args.r.unwrap_or(f64::NAN)), of)?,
        });
        if let (Some(all), Some((latitude, longitude))) = (&mut positions, position) {
            all.push((of(latitude)?, of(longitude)?));
        }
    }
    Ok((places, positions, sha256_hex(&bytes)))
}
