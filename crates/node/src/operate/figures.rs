//! `concord import figures`: from a table to signed records. New figures are a record for each reference period, several
//! where there are more than [`MAX_PER_RECORD`]; corrections are a further edition of each thing that they are about.
//!
//! The table is read twice: once to check every row, before anything is released, and once to release. The second
//! reading runs beside the releases and hands over parts of at most [`MAX_KEPT`] figures, so that memory holds no more
//! than three parts besides a hash and a value for each figure that was stated before and eight bytes for each in the
//! table. One refused row, and nothing is released. A table of more than one part is several appends to the log: if
//! the disk fills between two of them, importing the same table again states what is still missing and nothing twice.

mod stated;

use std::collections::BTreeMap;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use formats::figures::{
    ColumnAt, Date, Figure, FigureKey, FigureReader, HeaderMap, ImportOptions, ImportReport,
    Outcome as Verdict, Period, ReadOptions, RowReport, Text, write_hxl,
};
use record::{Status, Time, TimeOrDate, kind};
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, mpsc};

use self::stated::{Stated, date};
use super::audience;
use super::release::argument;
use super::{OperateError, Outcome, joined};
use crate::clock;
use crate::command::ImportFigures;
use crate::desks::import::Uploads;
use crate::desks::situation::figure::{MAX_DAYS_AHEAD, date_of};
use crate::fault::Fault;
use crate::index::{EVERYBODY, readers_text};
use crate::node::Node;
use crate::own_log::Audience;
use crate::release::{Act, ActKey, Content, Draft, Planned, Released, Thing};

/// Media type of a table of figures.
pub const MEDIA_TYPE: &str = "text/csv;schema=hxl";
/// Seconds of a day.
const SECONDS_PER_DAY: i64 = 86_400;
/// Figures in one part of a table.
const MAX_KEPT: usize = 50_000;
/// Figures in one record.
const MAX_PER_RECORD: usize = 50_000;
/// Rows that a report names one by one; as many more that are simply new or as before, where they are wanted.
pub const MAX_LISTED: usize = 1000;
/// The largest table.
const MAX_TABLE: u64 = 4 << 30;
/// One import at a time: two that know the same past would both state the same figure.
static IMPORTING: Mutex<()> = Mutex::const_new(());

/// A row of a report, for people and programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportRow {
    /// Line in the file, from 1.
    pub row: u64,
    /// Number, from 1, and header of the column that is wrong, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<(usize, String)>,
    /// The figure, or empty.
    pub figure: String,
    /// What would be done with it: a machine code.
    pub code: String,
    /// Is the row refused for it?
    pub refused: bool,
    /// What the sentence for the code takes, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<(String, String)>,
    /// In English; pages translate the code.
    pub text: String,
}

/// Which rows a report names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// Those that are refused, are corrections, or fall.
    Notable,
    /// Also those that are simply new or as before.
    Whole,
}

/// What an import found.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Report {
    /// Rows read.
    pub rows: u64,
    /// Figures read.
    pub figures: u64,
    /// Stated for the first time.
    pub new: u64,
    /// Stated before with the same value.
    pub same: u64,
    /// Different from before, with a reason.
    pub corrections: u64,
    /// Rows that are refused.
    pub refused: u64,
    /// Cumulative counts lower than the one before; stated all the same.
    pub falls: u64,
    /// For whom: `public`, or the readers.
    #[serde(default)]
    pub readers: String,
    /// May it be released?
    pub accepted: bool,
    /// Rows that are not simply new or the same, at most [`MAX_LISTED`] of them; with [`Listing::Whole`] as many of
    /// the others.
    pub listed: Vec<ReportRow>,
    /// Records released.
    pub released: Vec<Released>,
}

pub(super) async fn run(
    node: &Arc<Node>,
    command: ImportFigures,
    key: Option<ActKey>,
) -> Result<Outcome, OperateError> {
    let size = std::fs::metadata(&command.file).map_err(|e| OperateError::file(&command.file, e))?.len();
    if size > MAX_TABLE {
        return Err(OperateError::file(&command.file, format!("{size} bytes; at most {MAX_TABLE} are read")));
    }
    let dry_run_only = command.dry_run;
    let report = if dry_run_only {
        dry_run(node, &command, Listing::Notable).await?
    } else {
        release_figures_as(node, &command, key).await?
    };
    Ok(outcome(report, dry_run_only))
}

fn outcome(report: Report, dry_run: bool) -> Outcome {
    let text = text_of(&report, dry_run);
    let refused = !report.accepted;
    Outcome { refused, ..Outcome::new(report, text) }
}

fn text_of(report: &Report, dry_run: bool) -> String {
    let mut text = String::new();
    for row in &report.listed {
        let column = row.column.as_ref().map(|(number, header)| format!(", column {number} ({header})"));
        let place = format!("row {}{}", row.row, column.unwrap_or_default());
        text.push_str(&format!("{place}: {} {}\n", row.figure, row.text));
    }
    text.push_str(&format!(
        "{} rows, {} figures: {} new, {} as before, {} corrections, {} rows refused\n",
        report.rows, report.figures, report.new, report.same, report.corrections, report.refused
    ));
    let whom = if report.readers == EVERYBODY { "everybody" } else { report.readers.as_str() };
    text.push_str(&match (dry_run, report.accepted) {
        (true, true) => format!("nothing was released (dry run); it would be for {whom}"),
        (_, false) => "nothing was released: mend the refused rows first".to_owned(),
        (false, true) => format!("{} records released, for {whom}", report.released.len()),
    });
    text
}

/// Reads and checks; releases nothing.
pub async fn dry_run(node: &Node, command: &ImportFigures, listing: Listing) -> Result<Report, OperateError> {
    let audience = audience(node, command.mechanism.as_deref()).await?;
    let reading = Reading::prepare(node, command, &audience, listing).await?;
    beside(move || reading.run(|_| {})).await
}

/// Runs what reads a file and computes, beside the tasks that answer requests.
async fn beside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, OperateError> + Send + 'static,
) -> Result<T, OperateError> {
    joined(tokio::task::spawn_blocking(work).await)
}

/// Everything needed to read the table, once or again, away from the node.
#[derive(Clone)]
struct Reading {
    file: PathBuf,
    uploads: Uploads,
    read: ReadOptions,
    import: ImportOptions,
    stated: Arc<Stated>,
    listing: Listing,
    readers: String,
}

impl Reading {
    async fn prepare(
        node: &Node,
        command: &ImportFigures,
        audience: &Audience,
        listing: Listing,
    ) -> Result<Self, OperateError> {
        let mut read = ReadOptions { places: node.places.clone(), ..ReadOptions::default() };
        if let Some(map) = &command.map {
            read.map = HeaderMap::read(map).map_err(|why| OperateError::table("--map", why))?;
        }
        let reason = command
            .reason
            .as_deref()
            .map(|text| {
                Text::new(text).map_err(|e| {
                    OperateError::Argument(Fault::new("text-invalid", e.to_string()).at("--reason"))
                })
            })
            .transpose()?;
        stated::refuse_what_is_not_known(node, audience).await?;
        let stated = Arc::new(stated::stated(node, command, audience).await?);
        Ok(Self {
            file: command.file.clone(),
            uploads: node.uploads.clone(),
            read,
            import: ImportOptions { reason, last_day: last_day(command) },
            stated,
            listing,
            readers: readers_text(&audience.readers()),
        })
    }

    fn run(&self, mut each: impl FnMut(&RowReport)) -> Result<Report, OperateError> {
        let file = self.uploads.open(&self.file).map_err(|e| OperateError::file(&self.file, e))?;
        let reader = FigureReader::new(BufReader::with_capacity(1 << 18, file), self.read.clone())
            .map_err(|why| OperateError::table(&self.file.display().to_string(), why))?;
        let mut listed = Listed { whole: self.listing == Listing::Whole, ..Listed::default() };
        let look_up = |key: &FigureKey| self.stated.value(key);
        let total = formats::figures::dry_run(reader, &look_up, &self.import, |row| {
            listed.take(row);
            each(row);
        });
        Ok(report(&total, listed.finish(), self.readers.clone()))
    }
}

/// The last day that a figure of this import may be of. What is replayed claims its own day.
fn last_day(command: &ImportFigures) -> Option<Date> {
    let claimed = command.released.unwrap_or_else(clock::now).posix();
    let day = date_of(claimed.div_euclid(SECONDS_PER_DAY) + MAX_DAYS_AHEAD);
    let (month, date) = (u8::try_from(day.month()).ok()?, u8::try_from(day.day()).ok()?);
    Date::new(u16::try_from(day.year()).ok()?, month, date).filter(|_| !command.replay)
}

fn report(total: &ImportReport, listed: Vec<ReportRow>, readers: String) -> Report {
    Report {
        rows: total.rows,
        figures: total.figures,
        new: total.new,
        same: total.same,
        corrections: total.corrections,
        refused: total.rows_refused,
        falls: total.falls,
        readers,
        accepted: total.is_accepted(),
        listed,
        released: Vec::new(),
    }
}

/// Names what an operator must see of a table, and as much of the rest as fits.
#[derive(Default)]
struct Listed {
    whole: bool,
    notable: Vec<ReportRow>,
    plain: Vec<ReportRow>,
}

impl Listed {
    fn take(&mut self, row: &RowReport) {
        for error in &row.errors {
            self.add(ReportRow {
                row: row.row,
                column: error.column.as_ref().map(|ColumnAt { number, header }| (*number, header.clone())),
                figure: String::new(),
                code: error.code().to_owned(),
                refused: true,
                args: owned(error.args()),
                text: error.problem.to_string(),
            });
        }
        for assessment in &row.figures {
            let now = assessment.figure.value;
            let line = |code: &str, refused, args: Vec<(&str, String)>, text| ReportRow {
                row: row.row,
                column: None,
                figure: assessment.figure.key.to_string(),
                code: code.to_owned(),
                refused,
                args: owned(args),
                text,
            };
            let mut args = vec![("value", now.to_string())];
            let text = match &assessment.outcome {
                Verdict::New | Verdict::Same if !self.whole || self.plain.len() >= MAX_LISTED => None,
                Verdict::New => Some(format!("is stated for the first time: {now}")),
                Verdict::Same => Some(format!("was stated as {now} before")),
                Verdict::Correction { old, reason } => {
                    args.extend([("old", old.to_string()), ("reason", reason.to_string())]);
                    Some(format!("is corrected from {old} to {now}: {reason}"))
                }
                Verdict::MissingReason { old } => {
                    args.push(("old", old.to_string()));
                    Some(format!(
                        "was stated as {old}; {now} would be a correction and needs a reason (#meta+reason or --reason)"
                    ))
                }
                Verdict::StatedTwice => Some("is stated by an earlier row of this table already".to_owned()),
                Verdict::TooFarAhead { last } => {
                    args.push(("last", last.to_string()));
                    Some(format!("ends after {last}: a projection, which is not counted"))
                }
            };
            let refused = assessment.outcome.is_refusal();
            let line_of_outcome = text.map(|text| line(assessment.outcome.code(), refused, args, text));
            let fall = assessment.fall.as_ref().map(|fall| {
                let args = vec![
                    ("value", now.to_string()),
                    ("from", fall.from.to_string()),
                    ("since", fall.since.to_string()),
                ];
                let text = format!(
                    "is {now}, less than the {} of {}; it is stated all the same",
                    fall.from, fall.since
                );
                line("figure-falls", false, args, text)
            });
            line_of_outcome.into_iter().chain(fall).for_each(|line| self.add(line));
        }
    }

    fn add(&mut self, line: ReportRow) {
        let plain = matches!(line.code.as_str(), "figure-new" | "figure-same");
        let list = if plain { &mut self.plain } else { &mut self.notable };
        if list.len() < MAX_LISTED {
            list.push(line);
        }
    }

    fn finish(self) -> Vec<ReportRow> {
        let mut all = self.notable;
        all.extend(self.plain);
        all.sort_by_key(|line| line.row);
        all
    }
}

fn owned(args: Vec<(&str, String)>) -> Vec<(String, String)> {
    args.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Figures of one period that are to be released.
#[derive(Default)]
struct Group {
    new: Vec<Figure>,
    corrected: Vec<Figure>,
}

/// A part of a table, by period.
type Part = BTreeMap<Period, Group>;

/// Gathers what is to be released, and hands it over part by part; waits while the one before is not taken.
struct Gathering {
    part: Part,
    kept: usize,
    to: mpsc::Sender<Handed>,
}

/// A part, and whether it is the last one of the table.
struct Handed {
    part: Part,
    last: bool,
}

impl Gathering {
    fn take(&mut self, row: &RowReport) {
        for assessment in &row.figures {
            let figure = &assessment.figure;
            if !matches!(assessment.outcome, Verdict::New | Verdict::Correction { .. }) {
                continue;
            }
            // Only now, so that the last part is never empty: with it the act is done.
            if self.kept >= MAX_KEPT {
                self.hand_over(false);
            }
            let group = self.part.entry(figure.key.period).or_default();
            match &assessment.outcome {
                Verdict::New => group.new.push(figure.clone()),
                // The figure has the reason that counts.
                _ => group.corrected.push(figure.clone()),
            }
            self.kept += 1;
        }
    }

    fn hand_over(&mut self, last: bool) {
        self.kept = 0;
        let part = std::mem::take(&mut self.part);
        // Nobody takes it if a release before it failed; the failure is told by who met it.
        if !part.is_empty() && self.to.blocking_send(Handed { part, last }).is_err() {
            tracing::debug!("a part of an import is not released: one before it failed");
        }
    }
}

/// Checks the whole table, then releases what is new or corrected.
///
/// # Errors
/// The table cannot be read or released to its end.
pub async fn release_figures(node: &Arc<Node>, command: &ImportFigures) -> Result<Report, OperateError> {
    release_figures_as(node, command, None).await
}

/// The same, under a key of the caller's. What it began it finishes, whether or not its caller waits for it.
///
/// # Errors
/// The table cannot be read or released to its end.
pub async fn release_figures_as(
    node: &Arc<Node>,
    command: &ImportFigures,
    key: Option<ActKey>,
) -> Result<Report, OperateError> {
    let (node, command, under_way) = (node.clone(), command.clone(), node.releasing.begin());
    let task = tokio::spawn(async move {
        let _under_way = under_way;
        import(&node, Arc::new(command), key).await
    });
    joined(task.await)
}

async fn import(
    node: &Arc<Node>,
    command: Arc<ImportFigures>,
    key: Option<ActKey>,
) -> Result<Report, OperateError> {
    let _alone = IMPORTING.lock().await;
    if let Some(done) = node.done_before(key.as_ref()).await? {
        return kept_report(&done.answer);
    }
    node.index_all_own().await?;
    // Counted first: what is released while the past is read is seen to be new.
    let mut before = figures_released(node).await?;
    let audience = audience(node, command.mechanism.as_deref()).await?;
    let reading = Reading::prepare(node, &command, &audience, Listing::Notable).await?;
    let again = reading.clone();
    let mut report = beside(move || reading.run(|_| {})).await?;
    if !report.accepted {
        return Ok(report);
    }
    let (to, mut parts) = mpsc::channel(1);
    let second = tokio::task::spawn_blocking(move || {
        let mut gathering = Gathering { part: Part::new(), kept: 0, to };
        let report = again.run(|row| gathering.take(row))?;
        gathering.hand_over(true);
        Ok(report)
    });
    let mut is_done = false;
    while let Some(handed) = parts.recv().await {
        is_done = handed.last;
        let act = part_of(command.clone(), handed, audience.clone(), before, report.clone());
        let done = node.act(act.under(key.clone())).await?;
        before += i64::try_from(done.released.len()).unwrap_or(0);
        if is_done && key.is_some() {
            report = kept_report(&done.answer)?;
        } else {
            report.released.extend(done.released);
        }
    }
    joined(second.await)?;
    if key.is_some() && !is_done {
        // Nothing was left to state: an act under a key ends all the same, and answers with what it released before.
        let nothing = Handed { part: Part::new(), last: true };
        let act = part_of(command.clone(), nothing, audience, before, report);
        report = kept_report(&node.act(act.under(key)).await?.answer)?;
    }
    Ok(report)
}

/// The release of one part, decided when its turn comes; `before` records of figures were released until then, or
/// somebody else released some meanwhile, and what the table says must be compared again.
fn part_of(
    command: Arc<ImportFigures>,
    handed: Handed,
    audience: Audience,
    before: i64,
    report: Report,
) -> Act {
    Act::decided(move |node| async move {
        if figures_released(&node).await? != before {
            let message = "figures of this authority were released while this table was read: import it again, and it states what is still missing";
            return Err(Fault::new("import-overtaken", message));
        }
        let mut drafts = Vec::new();
        for (period, group) in handed.part {
            drafts.extend(drafts_of(&node, &command, &audience, period, group).await?);
        }
        let planned = Planned::new(audience, drafts).answered(move |released| {
            outcome(Report { released: released.to_vec(), ..report.clone() }, false)
        });
        Ok(Planned { last: handed.last, ..planned })
    })
}

fn kept_report(answer: &[u8]) -> Result<Report, OperateError> {
    let outcome = serde_json::from_slice::<Outcome>(answer);
    let report = outcome.and_then(|outcome| serde_json::from_value(outcome.json));
    report.map_err(|why| {
        OperateError::Argument(Fault::new("act-unreadable", format!("what was done cannot be read: {why}")))
    })
}

/// Records of figures that this authority has released.
async fn figures_released(node: &Node) -> Result<i64, OperateError> {
    let sql = "select count(*) from entry where kind = $1 and author = $2 and valid = 1";
    let values = [kind::FIGURES.into(), node.config.authority.as_str().into()];
    let rows = node.index.db().rows(sql, &values).await?;
    Ok(rows.first().map(|row| row.int(0)).transpose()?.unwrap_or(0))
}

/// The records for what a part says of a period: a new one for new figures, a further edition of each that a
/// correction is about.
async fn drafts_of(
    node: &Node,
    command: &ImportFigures,
    audience: &Audience,
    period: Period,
    group: Group,
) -> Result<Vec<Draft>, OperateError> {
    let status = command.status.unwrap_or(node.config.status);
    let mut drafts = Vec::new();
    for chunk in group.new.chunks(MAX_PER_RECORD) {
        drafts.push(draft(command, status, period, chunk)?);
    }
    let mut things: BTreeMap<_, Vec<Figure>> = BTreeMap::new();
    for figure in group.corrected {
        let id = stated::id_of_thing(node, audience, status, &figure.key).await?;
        things.entry(id).or_default().push(figure);
    }
    for (id, corrected) in things {
        let figures = stated::newest_of(node, id, status).await?;
        let mut next = draft(command, status, period, &overlay(figures, corrected))?;
        next.thing = Thing::NextOf(id);
        drafts.push(next);
    }
    Ok(drafts)
}

fn draft(
    command: &ImportFigures,
    status: Status,
    period: Period,
    figures: &[Figure],
) -> Result<Draft, OperateError> {
    let table =
        write_hxl(figures).map_err(|e| OperateError::Argument(Fault::new(e.code(), e.to_string())))?;
    let mut draft = Draft::new(kind::FIGURES, status);
    draft.released = released(command, period)?;
    draft.mechanism = command.mechanism.as_deref().map(|m| argument("--mechanism", m)).transpose()?;
    draft.about = vec![("period".to_owned(), TimeOrDate::Date(date(period.end())?))];
    draft.contents =
        vec![Content { media_type: argument("media type", MEDIA_TYPE)?, lang: None, bytes: table }];
    Ok(draft)
}

/// What a record of this period claims as its time of release: the end of the day in a replay.
fn released(command: &ImportFigures, period: Period) -> Result<Option<Time>, OperateError> {
    const LAST_SECOND: i64 = 86_399;
    if command.replay {
        return Ok(Some(date(period.end())?.start().saturating_add(LAST_SECOND)));
    }
    Ok(command.released)
}

/// What an edition says, with some figures in place of its own and others added.
fn overlay(before: Vec<Figure>, changed: Vec<Figure>) -> Vec<Figure> {
    let mut all: BTreeMap<FigureKey, Figure> = before.into_iter().map(|f| (f.key.clone(), f)).collect();
    all.extend(changed.into_iter().map(|f| (f.key.clone(), f)));
    all.into_values().collect()
}

/// For pages: the same import of an uploaded table that lies in a file.
pub fn command_for(file: &Path, reason: Option<String>) -> ImportFigures {
    ImportFigures {
        file: file.to_path_buf(),
        dry_run: false,
        reason,
        map: None,
        mechanism: None,
        status: None,
        replay: false,
        released: None,
    }
}
