//! `concord import figures`: from a table to signed records, one per reference period, all rows or none.
//!
//! The table is read twice: once to check every row, once to release. Memory holds at most
//! [`MAX_KEPT`] figures besides the hashes of what was stated before.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use formats::figures::{
    Figure, FigureKey, FigureReader, HeaderMap, ImportOptions, ImportReport, Outcome as Verdict, Period,
    ReadOptions, RowReport, Text, Value, write_hxl,
};
use record::{Date, MechanismId, Record, Status, Time, TimeOrDate, Ulid, kind};
use serde::Serialize;
use tlog::hash::{Hash, sha256};

use super::release::argument;
use super::{OperateError, Outcome};
use crate::command::ImportFigures;
use crate::index::{ContentSource, Opening};
use crate::node::Node;
use crate::own_log::Audience;
use crate::release::{Content, Draft, Released};

/// Media type of a table of figures.
pub const MEDIA_TYPE: &str = "text/csv;schema=hxl";
/// Figures held before a part of a large table is released.
const MAX_KEPT: usize = 100_000;
/// Figures in one record.
const MAX_PER_RECORD: usize = 50_000;
/// Rows that a report names one by one.
const MAX_LISTED: usize = 1000;
/// The largest table.
const MAX_TABLE: u64 = 4 << 30;

/// A row of a report, for people and programs.
#[derive(Debug, Clone, Serialize)]
pub struct ReportRow {
    /// Line in the file, from 1.
    pub row: u64,
    /// The figure, or empty.
    pub figure: String,
    /// What would be done with it: a machine code.
    pub code: String,
    /// In English; pages translate the code.
    pub text: String,
}

/// What an import found.
#[derive(Debug, Clone, Serialize)]
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
    /// May it be released?
    pub accepted: bool,
    /// Rows that are not simply new or the same, at most 1,000 of them.
    pub listed: Vec<ReportRow>,
    /// Records released.
    pub released: Vec<Released>,
}

pub(super) async fn run(node: &Arc<Node>, command: ImportFigures) -> Result<Outcome, OperateError> {
    let size = std::fs::metadata(&command.file).map_err(|e| OperateError::file(&command.file, e))?.len();
    if size > MAX_TABLE {
        return Err(OperateError::file(&command.file, format!("{size} bytes; at most {MAX_TABLE} are read")));
    }
    let report = if command.dry_run {
        dry_run(node, &command).await?
    } else {
        release_figures(node, &command).await?
    };
    let text = text_of(&report, command.dry_run);
    Ok(Outcome::new(report, text))
}

fn text_of(report: &Report, dry_run: bool) -> String {
    let mut text = String::new();
    for row in &report.listed {
        text.push_str(&format!("row {}: {} {}\n", row.row, row.figure, row.text));
    }
    text.push_str(&format!(
        "{} rows, {} figures: {} new, {} as before, {} corrections, {} rows refused\n",
        report.rows, report.figures, report.new, report.same, report.corrections, report.refused
    ));
    text.push_str(&match (dry_run, report.accepted) {
        (true, true) => "nothing was released (dry run)".to_owned(),
        (_, false) => "nothing was released: mend the refused rows first".to_owned(),
        (false, true) => format!("{} records released", report.released.len()),
    });
    text
}

/// Reads and checks; releases nothing.
pub async fn dry_run(node: &Node, command: &ImportFigures) -> Result<Report, OperateError> {
    let ledger = ledger(node, command).await?;
    check(node, command, &ledger, |_| {})
}

fn options(node: &Node, command: &ImportFigures) -> Result<(ReadOptions, ImportOptions), OperateError> {
    let mut read = ReadOptions { places: node.places.clone(), ..ReadOptions::default() };
    if let Some(map) = &command.map {
        read.map = HeaderMap::read(map).map_err(|e| OperateError::Argument(format!("--map: {e}")))?;
    }
    let reason = command
        .reason
        .as_deref()
        .map(|text| Text::new(text).map_err(|e| OperateError::Argument(format!("--reason: {e}"))))
        .transpose()?;
    Ok((read, ImportOptions { reason }))
}

fn check(
    node: &Node,
    command: &ImportFigures,
    ledger: &Stated,
    mut each: impl FnMut(&RowReport),
) -> Result<Report, OperateError> {
    let (read, import) = options(node, command)?;
    let file = File::open(&command.file).map_err(|e| OperateError::file(&command.file, e))?;
    let reader = FigureReader::new(BufReader::with_capacity(1 << 18, file), read)
        .map_err(|e| OperateError::Argument(format!("{}: {e}", command.file.display())))?;
    let mut listed = Vec::new();
    let look_up = |key: &FigureKey| ledger.value(key);
    let total = formats::figures::dry_run(reader, &look_up, &import, |row| {
        list(row, &mut listed);
        each(row);
    });
    Ok(report(&total, listed))
}

fn report(total: &ImportReport, listed: Vec<ReportRow>) -> Report {
    Report {
        rows: total.rows,
        figures: total.figures,
        new: total.new,
        same: total.same,
        corrections: total.corrections,
        refused: total.rows_refused,
        accepted: total.is_accepted(),
        listed,
        released: Vec::new(),
    }
}

/// Names what an operator must see of a row.
fn list(row: &RowReport, listed: &mut Vec<ReportRow>) {
    if listed.len() >= MAX_LISTED {
        return;
    }
    for error in &row.errors {
        listed.push(ReportRow {
            row: row.row,
            figure: String::new(),
            code: error.code().to_owned(),
            text: error.to_string(),
        });
    }
    for assessment in &row.figures {
        let text = match &assessment.outcome {
            Verdict::New | Verdict::Same => continue,
            Verdict::Correction { old, reason } => {
                format!("is corrected from {old} to {}: {reason}", assessment.figure.value)
            }
            Verdict::MissingReason { old } => format!(
                "was stated as {old}; {} would be a correction and needs a reason (#meta+reason or --reason)",
                assessment.figure.value
            ),
            Verdict::StatedTwice => "is stated by an earlier row of this table already".to_owned(),
        };
        listed.push(ReportRow {
            row: row.row,
            figure: assessment.figure.key.to_string(),
            code: assessment.outcome.code().to_owned(),
            text,
        });
    }
}

/// What this authority stated before: values by a hash of the figure's key.
#[derive(Debug, Default)]
struct Stated(HashMap<u128, Value>);

impl Stated {
    fn value(&self, key: &FigureKey) -> Option<Value> {
        self.0.get(&digest(&key.to_string())).copied()
    }
}

fn digest(key: &str) -> u128 {
    let hash = sha256(key.as_bytes());
    u128::from_le_bytes(hash.0[..16].try_into().expect("a hash has 32 bytes"))
}

/// Every value in force of this authority, for this audience and status.
async fn ledger(node: &Node, command: &ImportFigures) -> Result<Stated, OperateError> {
    let sql = if command.mechanism.is_some() { SEALED_LEDGER } else { PUBLIC_LEDGER };
    let status = command.status.unwrap_or(node.config.status);
    let values = [node.config.authority.as_str().into(), status.as_str().into()];
    let mut stated = Stated::default();
    // In the order of statements, so that the last one stays.
    for row in node.index.db().rows(sql, &values).await? {
        let (start, day) = (civil(row.int(1)?), civil(row.int(2)?));
        let (Some(start), Some(day)) = (start, day) else { continue };
        let period = if start == day { start.to_string() } else { format!("{start}/{day}") };
        let key = format!("{}|{period}|{}|{}|{}", row.text(0)?, row.text(3)?, row.text(4)?, row.text(5)?);
        if let Ok(value) = row.text(6)?.parse::<Value>() {
            stated.0.insert(digest(&key), value);
        }
    }
    Ok(stated)
}

const PUBLIC_LEDGER: &str = "select s.place, x.start, x.day, s.definition, s.disaggregation, s.indicator, x.value
  from situation_statement x join situation_series s on s.no = x.series
  where s.author = $1 and s.status = $2 and x.ended_by is null order by x.rank, x.pos, x.no";
const SEALED_LEDGER: &str = "select s.place, x.start, x.day, s.definition, s.disaggregation, s.indicator, x.value
  from sealed_situation_statement x join sealed_situation_series s on s.no = x.series
  where s.author = $1 and s.status = $2 and x.ended_by is null order by x.rank, x.pos, x.no";

fn civil(day: i64) -> Option<Date> {
    Date::from_days(i32::try_from(day).ok()?)
}

/// Figures of one period that are to be released.
#[derive(Default)]
struct Group {
    figures: Vec<Figure>,
    corrected: Option<FigureKey>,
}

/// Checks the whole table, then releases what is new or corrected.
pub async fn release_figures(node: &Arc<Node>, command: &ImportFigures) -> Result<Report, OperateError> {
    let audience = match &command.mechanism {
        Some(id) => super::mechanism::audience(node, &argument::<MechanismId>("--mechanism", id)?).await?,
        None => Audience::Public,
    };
    let ledger = ledger(node, command).await?;
    let mut report = check(node, command, &ledger, |_| {})?;
    if !report.accepted {
        return Ok(report);
    }
    let mut parts: Vec<BTreeMap<Period, Group>> = vec![BTreeMap::new()];
    let mut kept = 0;
    check(node, command, &ledger, |row| {
        for assessment in &row.figures {
            let corrected = match &assessment.outcome {
                Verdict::New => false,
                Verdict::Correction { .. } => true,
                _ => continue,
            };
            if kept >= MAX_KEPT {
                kept = 0;
                parts.push(BTreeMap::new());
            }
            kept += 1;
            let mut figure = assessment.figure.clone();
            if let Verdict::Correction { reason, .. } = &assessment.outcome {
                figure.reason = Some(reason.clone());
            }
            if let Some(part) = parts.last_mut() {
                let group = part.entry(figure.key.period).or_default();
                if corrected {
                    group.corrected.get_or_insert_with(|| figure.key.clone());
                }
                group.figures.push(figure);
            }
        }
    })?;
    for part in parts {
        let mut drafts = Vec::new();
        for (period, group) in part {
            drafts.extend(drafts_of(node, command, &audience, period, group).await?);
        }
        if !drafts.is_empty() {
            report.released.extend(node.release(&audience, drafts).await?);
        }
    }
    Ok(report)
}

async fn drafts_of(
    node: &Node,
    command: &ImportFigures,
    audience: &Audience,
    period: Period,
    group: Group,
) -> Result<Vec<Draft>, OperateError> {
    let status = command.status.unwrap_or(node.config.status);
    let before = match &group.corrected {
        Some(key) => Some(thing_of(node, audience, status, key).await?),
        None => None,
    };
    let mut figures = group.figures;
    if let Some(thing) = &before {
        figures = overlay(thing.figures.clone(), figures);
    }
    let released = released(command, period)?;
    let mut drafts = Vec::new();
    for chunk in figures.chunks(MAX_PER_RECORD) {
        let table = write_hxl(chunk).map_err(|e| OperateError::Argument(e.to_string()))?;
        let mut draft = Draft::new(kind::FIGURES, status);
        draft.released = released;
        draft.mechanism = command.mechanism.as_deref().map(|m| argument("--mechanism", m)).transpose()?;
        draft.about = vec![("period".to_owned(), TimeOrDate::Date(date(period.end())?))];
        draft.contents = vec![Content { media_type: argument("media type", MEDIA_TYPE)?, lang: None, bytes: table }];
        if let (Some(thing), true) = (&before, drafts.is_empty()) {
            draft.id = Some(thing.id);
            draft.edition = thing.edition + 1;
            draft.supersedes = Some(thing.name);
        }
        drafts.push(draft);
    }
    Ok(drafts)
}

fn date(date: formats::figures::Date) -> Result<Date, OperateError> {
    argument("period", &date.to_string())
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

/// The newest edition of the thing that states a figure.
struct Thing {
    id: Ulid,
    edition: u32,
    name: Hash,
    figures: Vec<Figure>,
}

async fn thing_of(
    node: &Node,
    audience: &Audience,
    status: Status,
    key: &FigureKey,
) -> Result<Thing, OperateError> {
    let sql = if *audience == Audience::Public {
        "select r.id from situation_statement x join situation_series s on s.no = x.series
           join situation_release r on r.no = x.release
         where s.author = $1 and s.status = $2 and s.place = $3 and s.indicator = $4 and s.definition = $5
           and s.disaggregation = $6 and x.day = $7 and x.start = $8 order by x.rank desc, x.pos desc limit 1"
    } else {
        "select r.id from sealed_situation_statement x join sealed_situation_series s on s.no = x.series
           join sealed_situation_release r on r.no = x.release
         where s.author = $1 and s.status = $2 and s.place = $3 and s.indicator = $4 and s.definition = $5
           and s.disaggregation = $6 and x.day = $7 and x.start = $8 order by x.rank desc, x.pos desc limit 1"
    };
    let values = [
        node.config.authority.as_str().into(),
        status.as_str().into(),
        key.place.to_string().into(),
        key.indicator.as_str().into(),
        key.definition.as_str().into(),
        key.disaggregation.to_string().into(),
        i64::from(date(key.period.end())?.days()).into(),
        i64::from(date(key.period.start())?.days()).into(),
    ];
    let rows = node.index.db().rows(sql, &values).await?;
    let missing = || OperateError::NotFound(format!("the record that states {key} is not in the index: `concord rebuild`"));
    let id: Ulid = argument("id", &rows.first().ok_or_else(missing)?.text(0)?)?;
    let (edition, name) = super::release::newest_edition(node, id).await?;
    let sql = "select origin, pos, root_version from entry where name = $1 and author = $2 order by pos limit 1";
    let rows =
        node.index.db().rows(sql, &[name.to_hex().into(), node.config.authority.as_str().into()]).await?;
    let row = rows.first().ok_or_else(missing)?;
    let record: Record = node.record_at(&row.text(0)?, row.uint(1)?).await?.ok_or_else(missing)?;
    let Opening::Whole { inner, content } = node.open(&record, row.uint(2)?).await? else { return Err(missing()) };
    let header = inner.as_ref().unwrap_or(&record.header);
    let mut figures = Vec::new();
    for blob in header.blobs.iter().filter(|b| b.media_type.as_str() == MEDIA_TYPE) {
        let bytes = content.blob(&blob.sha256).ok_or_else(missing)?;
        let options = ReadOptions::canonical(formats::places::PlaceNames::bundled());
        let reader = FigureReader::new(bytes, options).map_err(|e| OperateError::Argument(e.to_string()))?;
        for row in reader {
            figures.extend(row.map_err(|e| OperateError::Argument(e.to_string()))?.figures);
        }
    }
    Ok(Thing { id, edition, name, figures })
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
