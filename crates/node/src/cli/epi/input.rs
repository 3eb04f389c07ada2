//! From a table of figures to series: one for each value of a column, or one for the file.
//!
//! A row whose date cannot be read belongs to no day; a date without a row, a cell without a figure and two rows that differ leave
//! the day without one. All of this is in the report.

use std::collections::HashMap;
use std::io::Read as _;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use csv::ByteRecord;
use epi::digest::sha256_hex;
use epi::finding;
use epi::series::{Absence, Observation, Series, Step};
use jiff::civil::Date;

use super::answers::{Answers, Format};
use super::cell::Cell;
use super::fault::EpiError;
use super::report::{Entry, Report};
use crate::fault::Fault;

/// The largest table, in bytes.
const MAX_TABLE: u64 = 512 << 20;
/// The most columns of a table.
const MAX_COLUMNS: usize = 4096;

/// Where figures come from and answers go to.
#[derive(Debug, Args)]
pub struct Source {
    /// The table: comma-separated values in UTF-8 with a header; - is standard input
    #[arg(long, value_name = "FILE")]
    pub input: PathBuf,
    /// The column that names the series; without it the file is one series
    #[arg(long, value_name = "COLUMN")]
    pub by: Option<String>,
    /// The column of dates, written 2020-05-31
    #[arg(long, value_name = "COLUMN", default_value = "date")]
    pub date_column: String,
    /// Figures are totals so far: take differences. The first date is a stock, so that series start at the second
    #[arg(long)]
    pub cumulative: bool,
    /// Whether figures are daily or weekly
    #[arg(long, value_enum, default_value_t = StepArg::Auto)]
    pub step: StepArg,
    /// What becomes of negative figures, which correct what was reported before
    #[arg(long, value_enum, default_value_t = NegativeArg::Keep)]
    pub negative: NegativeArg,
    /// Write everything that is wrong with the figures into this file: JSON if it ends so, else CSV
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// How answers are written; table if not given
    #[arg(long, value_enum)]
    pub format: Option<Format>,
}

impl Source {
    /// What of these options an answer depends on, beside the file.
    pub fn canonical(&self) -> String {
        let Self { by, date_column, cumulative, step, negative, .. } = self;
        format!(
            "by {by:?}\ndates {date_column:?}\ncumulative {cumulative}\nstep {step:?}\nnegative {negative:?}\n"
        )
    }
}

/// Daily or weekly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StepArg {
    /// As the dates say
    Auto,
    /// Daily: a date without a row has no figure
    Day,
    /// Weekly: all dates are whole weeks apart
    Week,
}

/// What becomes of negative figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum NegativeArg {
    /// They stay: what needs such a day has no value
    Keep,
    /// They are taken back from earlier days, in proportion to their figures; results that this changed are flagged
    Spread,
}

/// A column of figures that a question needs.
#[derive(Debug, Clone)]
pub struct Figures {
    /// Its name.
    pub column: String,
    /// Whether the question can be answered without it.
    pub optional: bool,
}

impl Figures {
    /// A column that must be there.
    pub fn needed(column: &str) -> Self {
        Self { column: column.to_owned(), optional: false }
    }
}

/// The figures of one series: one [`Series`] for each column, all of the same dates.
#[derive(Debug)]
pub struct Group {
    /// Its name; none if the file is one series.
    pub name: Option<String>,
    /// As the question asked for them; `None` where an optional column is not there.
    pub columns: Vec<Option<Series>>,
}

impl Group {
    /// A column that the question needs.
    pub fn series(&self, column: usize) -> &Series {
        self.columns[column].as_ref().expect("a needed column is there, or the table was refused")
    }
}

/// A table that was read.
#[derive(Debug)]
pub struct Table {
    /// Its series, in the order in which they begin in the file.
    pub groups: Vec<Group>,
    /// What was found.
    pub report: Report,
    /// Whether a column names its series.
    pub by: bool,
}

impl Table {
    /// Asks for each series; those without an answer go into the report. If there is none with one, that is the answer.
    pub fn answer(
        self,
        columns: &[&'static str],
        rows: impl Fn(&Group) -> Result<Vec<Vec<Cell>>, Fault> + Sync + Send,
    ) -> Result<(Answers, Report), Fault> {
        let mut report = self.report;
        let answered = epi::across::each(&self.groups, rows);
        let mut answers = Answers::default();
        answers.columns.extend(self.by.then_some("series"));
        answers.columns.extend(columns);
        let mut some = false;
        for (group, rows) in self.groups.into_iter().zip(answered) {
            match rows {
                Ok(rows) => {
                    some = true;
                    for mut row in rows {
                        if let Some(name) = &group.name {
                            row.insert(0, Cell::Text(name.clone()));
                        }
                        answers.rows.push(row);
                    }
                }
                Err(fault) => report.refused.push((group.name, fault)),
            }
        }
        match report.refused.first() {
            Some((_, fault)) if !some => Err(fault.clone()),
            _ => Ok((answers, report)),
        }
    }
}

/// The bytes of a file, or of standard input.
pub fn bytes(path: &std::path::Path) -> Result<Vec<u8>, EpiError> {
    let failed = |reason: String| EpiError::File { path: path.display().to_string(), reason };
    let mut bytes = Vec::new();
    let read = if path.as_os_str() == "-" {
        std::io::stdin().lock().take(MAX_TABLE + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(MAX_TABLE + 1).read_to_end(&mut bytes))
    };
    read.map_err(|error| failed(error.to_string()))?;
    if bytes.len() as u64 > MAX_TABLE {
        return Err(failed(format!("more than {MAX_TABLE} bytes")));
    }
    Ok(bytes)
}

/// A reader of comma-separated values and where each of the named columns is.
pub struct Rows<'a> {
    path: String,
    reader: csv::Reader<&'a [u8]>,
    headers: Vec<String>,
}

impl<'a> Rows<'a> {
    /// Reads the header.
    pub fn new(path: &std::path::Path, bytes: &'a [u8]) -> Result<Self, EpiError> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
        let path = path.display().to_string();
        let headers = reader.headers().map_err(|error| unreadable(&path, &error))?;
        if headers.len() > MAX_COLUMNS {
            let reason = format!("{} columns, more than {MAX_COLUMNS}", headers.len());
            return Err(EpiError::Table { path, line: 1, reason });
        }
        let headers = headers.iter().map(|header| header.trim().to_owned()).collect();
        Ok(Self { path, reader, headers })
    }

    /// Where a column is.
    pub fn find(&self, column: &str) -> Result<usize, EpiError> {
        self.headers.iter().position(|header| header == column).ok_or_else(|| EpiError::Column {
            path: self.path.clone(),
            column: column.to_owned(),
            there: self.headers.join(", "),
        })
    }

    /// The next row and its line, from 1; `None` at the end.
    pub fn next<'r>(&mut self, row: &'r mut ByteRecord) -> Result<Option<(&'r ByteRecord, u64)>, EpiError> {
        let more = self.reader.read_byte_record(row).map_err(|error| unreadable(&self.path, &error))?;
        let line = row.position().map_or(0, csv::Position::line);
        Ok(more.then_some((&*row, line)))
    }
}

fn unreadable(path: &str, error: &csv::Error) -> EpiError {
    let line = error.position().map_or(1, csv::Position::line);
    EpiError::Table { path: path.to_owned(), line, reason: error.to_string() }
}

/// The text of a cell without the space around it; a row that is too short has empty cells.
pub fn cell(row: &ByteRecord, column: usize) -> &[u8] {
    row.get(column).unwrap_or_default().trim_ascii()
}

/// Year, month and day, as in 2020-05-31.
pub fn date(text: &[u8]) -> Option<Date> {
    let digits = |part: &[u8]| {
        part.iter()
            .try_fold(0i16, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i16::from(byte - b'0')))
    };
    if text.len() != 10 || text[4] != b'-' || text[7] != b'-' {
        return None;
    }
    let (month, day) = (digits(&text[5..7])?, digits(&text[8..10])?);
    Date::new(digits(&text[..4])?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// Digits with an optional sign and decimals. No separators of thousands, no exponents.
pub fn number(text: &[u8]) -> Option<f64> {
    let plain = text.iter().all(|byte| byte.is_ascii_digit() || b"+-.".contains(byte));
    if plain && text.len() <= 40 { std::str::from_utf8(text).ok()?.parse().ok() } else { None }
}

/// Numbers with commas.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Numbers<const N: usize>(pub [f64; N]);

impl<const N: usize> FromStr for Numbers<N> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers: Option<Vec<f64>> = text.split(',').map(|part| number(part.trim().as_bytes())).collect();
        let wrong = || format!("{text:?} are not {N} numbers with commas between them");
        numbers.and_then(|all| all.try_into().ok()).map(Self).ok_or_else(wrong)
    }
}

/// One row: where it stands and what it states.
struct Stated {
    date: Date,
    line: u64,
    figures: Vec<Observation>,
}

/// Reads a table.
pub fn read(source: &Source, columns: &[Figures]) -> Result<Table, Fault> {
    let bytes = bytes(&source.input)?;
    let mut rows = Rows::new(&source.input, &bytes)?;
    let by = source.by.as_deref().map(|column| rows.find(column)).transpose()?;
    let dates = rows.find(&source.date_column)?;
    let places = columns
        .iter()
        .map(|figures| match rows.find(&figures.column) {
            Err(_) if figures.optional => Ok(None),
            found => found.map(Some),
        })
        .collect::<Result<Vec<_>, _>>()?;
    let mut report = Report { sha256: sha256_hex(&bytes), ..Report::default() };
    let mut stated: Vec<(Option<String>, Vec<Stated>)> = Vec::new();
    let mut known: HashMap<Vec<u8>, usize> = HashMap::new();
    let mut any = false;
    let mut row = ByteRecord::new();
    while let Some((row, line)) = rows.next(&mut row)? {
        any = true;
        let name = by.map(|column| cell(row, column));
        let key = name.unwrap_or_default();
        let group = if let Some(group) = known.get(key) {
            *group
        } else {
            known.insert(key.to_vec(), stated.len());
            stated.push((name.map(|name| String::from_utf8_lossy(name).into_owned()), Vec::new()));
            stated.len() - 1
        };
        let (name, stated) = &mut stated[group];
        let found = |column: &str, finding: &str, value: &[u8]| Entry {
            series: name.clone(),
            column: column.to_owned(),
            date: None,
            line: Some(line),
            finding: finding.to_owned(),
            value: String::from_utf8_lossy(value).into_owned(),
            detail: String::new(),
        };
        let Some(date) = date(cell(row, dates)) else {
            report.entries.push(found(&source.date_column, "date-unreadable", cell(row, dates)));
            continue;
        };
        let mut figures = Vec::with_capacity(places.len());
        for (place, column) in places.iter().zip(columns) {
            let text = place.map(|place| cell(row, place)).unwrap_or_default();
            let observation = match number(text) {
                Some(number) => Observation::of(number),
                None if text.is_empty() => Observation::Missing(Absence::Empty),
                None => Observation::Missing(Absence::Unreadable),
            };
            if observation == Observation::Missing(Absence::Unreadable) {
                let entry = found(&column.column, "figure-unreadable", text);
                report.entries.push(Entry { date: Some(date), ..entry });
            }
            figures.push(observation);
        }
        stated.push(Stated { date, line, figures });
    }
    if any && stated.iter().all(|(_, rows)| rows.is_empty()) {
        let path = source.input.display().to_string();
        return Err(EpiError::NoDates { path, column: source.date_column.clone() }.into());
    }
    report.series = stated.len();
    let mut groups = Vec::with_capacity(stated.len());
    for (name, rows) in stated {
        match series(source, rows, columns.len(), name.as_deref(), &mut report) {
            Ok(all) => {
                let all = all.into_iter().zip(&places).zip(columns);
                let columns = all
                    .map(|((series, place), column)| {
                        place.map(|_| examined(source, series, name.as_deref(), &column.column, &mut report))
                    })
                    .collect();
                groups.push(Group { name, columns });
            }
            Err(fault) => report.refused.push((name, fault)),
        }
    }
    if let (true, Some((_, fault))) = (groups.is_empty(), report.refused.first()) {
        return Err(fault.clone());
    }
    Ok(Table { groups, report, by: by.is_some() })
}

/// Differences and spread corrections as asked for; what is found goes into the report.
fn examined(
    source: &Source,
    series: Series,
    name: Option<&str>,
    column: &str,
    report: &mut Report,
) -> Series {
    let series = if source.cumulative { series.differences() } else { series };
    let findings = finding::findings(&series);
    report.entries.extend(findings.iter().map(|finding| Entry::of(name, column, finding)));
    if source.negative == NegativeArg::Keep {
        return series;
    }
    let spread = series.spread_corrections();
    let findings = finding::spread_findings(&series, &spread);
    report.entries.extend(findings.iter().map(|finding| Entry::of(name, column, finding)));
    spread
}

/// One series for each column, from the first date to the last.
fn series(
    source: &Source,
    mut rows: Vec<Stated>,
    columns: usize,
    name: Option<&str>,
    report: &mut Report,
) -> Result<Vec<Series>, Fault> {
    rows.sort_by_key(|row| row.date);
    let Some(start) = rows.first().map(|row| row.date) else {
        let nothing = EpiError::NoDates {
            path: source.input.display().to_string(),
            column: source.date_column.clone(),
        };
        return Err(nothing.into());
    };
    let step = step(source.step, start, &rows)?;
    let place = |date: Date| (date - start).get_days() / step.days();
    let length = rows.last().map_or(0, |row| place(row.date)) + 1;
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > epi::series::MAX_LENGTH {
        return Err(epi::series::SeriesError::TooLong { length }.into());
    }
    let mut all = vec![vec![Observation::Missing(Absence::NotStated); length]; columns];
    let mut last: Option<Date> = None;
    for row in rows {
        let index = usize::try_from(place(row.date)).unwrap_or(0);
        let again = last == Some(row.date);
        last = Some(row.date);
        let mut differs = false;
        for (observations, figure) in all.iter_mut().zip(row.figures) {
            if again && observations[index] != figure {
                differs = true;
                observations[index] = Observation::Missing(Absence::Contradictory);
            } else {
                observations[index] = figure;
            }
        }
        if again {
            report.entries.push(Entry {
                series: name.map(str::to_owned),
                column: source.date_column.clone(),
                date: Some(row.date),
                line: Some(row.line),
                finding: if differs { "stated-again-otherwise" } else { "stated-again" }.to_owned(),
                value: String::new(),
                detail: String::new(),
            });
        }
    }
    let series = |observations| Series::new(start, step, observations).map_err(Fault::from);
    all.into_iter().map(series).collect()
}

/// Weekly, if all dates are whole weeks apart and there are several.
fn step(asked: StepArg, start: Date, rows: &[Stated]) -> Result<Step, EpiError> {
    let days = |row: &Stated| (row.date - start).get_days();
    let whole_weeks = rows.iter().all(|row| days(row) % 7 == 0);
    let several = rows.iter().any(|row| days(row) > 0);
    match asked {
        StepArg::Day => Ok(Step::Day),
        StepArg::Week if !whole_weeks => Err(EpiError::NotWeekly),
        StepArg::Week => Ok(Step::Week),
        StepArg::Auto => Ok(if whole_weeks && several { Step::Week } else { Step::Day }),
    }
}
