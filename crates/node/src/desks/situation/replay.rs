//! From records to tables: called with each record of figures, in any order.
//!
//! A release adds statements, all that its table says. Nothing that another record says changes them: the core says
//! when a release counts. This module judges no signature and asks no clock.

use super::figure::{MAX_DAYS_AHEAD, day_of};
use super::schema::Shelf;
use crate::face::Face;
use formats::figures::{Figure, FigureKey};
use std::collections::HashMap;
use std::fmt::Write as _;
use store::db::{Conflict, DbError, Tx, Value};

const SECONDS_PER_DAY: i64 = 86_400;
/// Statements of one release are numbered below this; a file with more figures is a fault, not a release.
pub const MAX_FIGURES: usize = 1 << 20;
const NUMBERS: i64 = 1 << 20;

/// The record that is replayed, as far as this desk needs it.
#[derive(Clone, Copy, Debug)]
pub struct Release<'a> {
    /// Public or sealed.
    pub shelf: Shelf,
    /// Origin of its log.
    pub origin: &'a str,
    /// Its place in the log.
    pub pos: i64,
    /// Who says it.
    pub author: &'a str,
    /// Its name, lower-case hex.
    pub name: &'a str,
    /// The thing.
    pub id: &'a str,
    /// The thing's edition.
    pub edition: i64,
    /// `actual`, `exercise` or `test`.
    pub status: &'a str,
    /// The outer `released`, seconds since 1970.
    pub claimed: i64,
    /// When it is proven to have been there.
    pub proven: Option<i64>,
    /// When this node first verified it.
    pub here: Option<i64>,
    /// Its order among its author's records.
    pub rank: i64,
    /// On which faces the core's table says what it is; bits.
    pub marked: i64,
}

impl Release<'_> {
    /// What decides between two places of one record: the earliest counts.
    fn place(&self) -> (i64, &str, i64) {
        (self.claimed, self.origin, self.pos)
    }
}

/// What the file of a release holds.
#[derive(Clone, Debug, Default)]
pub struct Stated {
    /// Figures with the line of the file on which each stands, from 1.
    pub figures: Vec<(u64, Figure)>,
    /// Rows that cannot be read, and state nothing here.
    pub refused: usize,
}

/// What is remembered of this desk's own rows while one transaction takes records: an author's many records share
/// series, which need not be read again for each.
#[derive(Debug, Default)]
pub struct Memory {
    /// The numbers of an author's series, by shelf, status and author.
    series: HashMap<(Shelf, String, String), HashMap<String, i64>>,
    /// The largest numbers in use.
    last_series: HashMap<Shelf, i64>,
    last_release: HashMap<Shelf, i64>,
}

/// Takes a record of figures that stands at a place. `first_released` is when its author says it was first released;
/// `read` gives what its file holds, or the code of the fault for which it cannot be read: then the release is listed
/// with its fault and states nothing.
pub async fn take_figures(
    tx: &mut Tx,
    memory: &mut Memory,
    release: &Release<'_>,
    first_released: i64,
    read: impl FnOnce() -> Result<Stated, String>,
) -> Result<(), DbError> {
    let other = if release.shelf == Shelf::Public { Shelf::Sealed } else { Shelf::Public };
    let there = find(tx, other, release).await?;
    match find(tx, release.shelf, release).await? {
        Some(no) => stand_at_earliest(tx, release.shelf, no, release).await?,
        None => insert(tx, memory, release, first_released, read()).await?,
    }
    // For the inside face the earliest of all places counts, on the sealed shelf.
    if let Some(there) = there {
        match release.shelf {
            Shelf::Public => stand_at_earliest(tx, Shelf::Sealed, there, release).await?,
            Shelf::Sealed => {
                let Some(no) = find(tx, Shelf::Sealed, release).await? else { return Ok(()) };
                let public = place_of(tx, Shelf::Public, there).await?;
                stand_at_earliest(tx, Shelf::Sealed, no, &public.release(release)).await?;
            }
        }
        let sql = Shelf::Public.sql("update {release} set elsewhere = 1 where author = $1 and name = $2");
        tx.run(sql, &[release.author.into(), release.name.into()]).await?;
    }
    Ok(())
}

async fn find(tx: &mut Tx, shelf: Shelf, release: &Release<'_>) -> Result<Option<i64>, DbError> {
    let sql = shelf.sql("select no from {release} where author = $1 and name = $2");
    let rows = tx.rows(sql, &[release.author.into(), release.name.into()]).await?;
    rows.first().map(|row| row.int(0)).transpose()
}

/// Where a release stands.
struct Place {
    origin: String,
    pos: i64,
    claimed: i64,
    proven: Option<i64>,
    here: Option<i64>,
    rank: i64,
}

impl Place {
    /// The same record, at this place.
    fn release<'a>(&'a self, release: &Release<'a>) -> Release<'a> {
        Release {
            origin: &self.origin,
            pos: self.pos,
            claimed: self.claimed,
            proven: self.proven,
            here: self.here,
            rank: self.rank,
            ..*release
        }
    }
}

async fn place_of(tx: &mut Tx, shelf: Shelf, no: i64) -> Result<Place, DbError> {
    let sql = shelf.sql("select origin, pos, claimed, proven, here, rank from {release} where no = $1");
    let rows = tx.rows(sql, &[no.into()]).await?;
    let row = rows.first().ok_or(DbError::Column { column: 0, expected: "a release" })?;
    Ok(Place {
        origin: row.text(0)?,
        pos: row.int(1)?,
        claimed: row.int(2)?,
        proven: row.opt_int(3)?,
        here: row.opt_int(4)?,
        rank: row.int(5)?,
    })
}

/// A record that stands at several places is one, at the earliest of them.
async fn stand_at_earliest(tx: &mut Tx, shelf: Shelf, no: i64, release: &Release<'_>) -> Result<(), DbError> {
    let kept = place_of(tx, shelf, no).await?;
    if (kept.claimed, kept.origin.as_str(), kept.pos) <= release.place() {
        return Ok(());
    }
    let values = [
        no.into(),
        release.origin.into(),
        release.pos.into(),
        release.claimed.into(),
        release.proven.into(),
        release.here.into(),
        release.rank.into(),
    ];
    let sql = "update {release} set origin = $2, pos = $3, claimed = $4, proven = $5, here = $6, rank = $7 where no = $1";
    tx.run(shelf.sql(sql), &values).await?;
    let sql = "update {statement} set rank = $3, pos = $4 where no >= $1 and no < $2";
    let [first, end] = statements_of(no);
    tx.run(shelf.sql(sql), &[first, end, release.rank.into(), release.pos.into()]).await?;
    Ok(())
}

/// The numbers of a release's statements: from the first up to but not including the second. They need no index.
fn statements_of(release: i64) -> [Value; 2] {
    statements_between(release, release)
}

/// The same of all releases from one to another.
pub(crate) fn statements_between(first: i64, last: i64) -> [Value; 2] {
    [(first * NUMBERS).into(), ((last + 1) * NUMBERS).into()]
}

async fn insert(
    tx: &mut Tx,
    memory: &mut Memory,
    release: &Release<'_>,
    first_released: i64,
    stated: Result<Stated, String>,
) -> Result<(), DbError> {
    let (stated, fault) = match stated {
        Ok(stated) if stated.figures.len() > MAX_FIGURES => {
            (Stated::default(), Some("too-many-figures".to_owned()))
        }
        Ok(stated) => (stated, None),
        Err(fault) => (Stated::default(), Some(fault)),
    };
    let figures = counted(stated.figures, first_released);
    let no = insert_release(tx, memory, release, fault.as_deref(), figures.len(), stated.refused).await?;
    if !figures.is_empty() {
        insert_statements(tx, memory, release, no, figures).await?;
        mark_revised(tx, release.shelf, no).await?;
    }
    Ok(())
}

/// The releases of a thing stand as the core's table says, on the faces whose bits are `marked`.
pub async fn marked(tx: &mut Tx, author: &str, id: &str, status: &str, marked: i64) -> Result<(), DbError> {
    // Only the inside face reads the sealed shelf.
    for (shelf, marked) in [(Shelf::Public, marked), (Shelf::Sealed, marked & Face::Inside.bit())] {
        let sql = shelf.sql("update {release} set marked = $4 where author = $1 and id = $2 and status = $3");
        tx.run(sql, &[author.into(), id.into(), status.into(), marked.into()]).await?;
    }
    Ok(())
}

/// Releases of a log are proven at a time, or not any more.
pub async fn proven(
    tx: &mut Tx,
    origin: &str,
    first: u64,
    end: u64,
    time: Option<i64>,
) -> Result<(), DbError> {
    let int = |n: u64| Value::Int(i64::try_from(n).unwrap_or(i64::MAX));
    for shelf in [Shelf::Public, Shelf::Sealed] {
        let sql = shelf.sql("update {release} set proven = $4 where origin = $1 and pos >= $2 and pos < $3");
        tx.run(sql, &[origin.into(), int(first), int(end), time.into()]).await?;
    }
    Ok(())
}

/// A log claims at least this time from its beginning on.
pub async fn reranked(tx: &mut Tx, origin: &str, rank: i64) -> Result<(), DbError> {
    for shelf in [Shelf::Public, Shelf::Sealed] {
        let sql = shelf.sql("select no from {release} where origin = $1 and rank < $2");
        for row in tx.rows(sql, &[origin.into(), rank.into()]).await? {
            let sql = "update {statement} set rank = $3 where no >= $1 and no < $2 and rank < $3";
            let [first, end] = statements_of(row.int(0)?);
            tx.run(shelf.sql(sql), &[first, end, rank.into()]).await?;
        }
        let sql = "update {release} set rank = $2 where origin = $1 and rank < $2";
        tx.run(shelf.sql(sql), &[origin.into(), rank.into()]).await?;
    }
    Ok(())
}

/// Forgets what a record said: personal data that expired, or copies that were erased here.
pub async fn forget(tx: &mut Tx, author: &str, name: &str) -> Result<(), DbError> {
    for shelf in [Shelf::Public, Shelf::Sealed] {
        let sql = shelf.sql("select no from {release} where author = $1 and name = $2");
        for row in tx.rows(sql, &[author.into(), name.into()]).await? {
            forget_release(tx, shelf, row.int(0)?).await?;
        }
    }
    Ok(())
}

async fn forget_release(tx: &mut Tx, shelf: Shelf, no: i64) -> Result<(), DbError> {
    let statements = statements_of(no);
    let sql = shelf.sql("select distinct series from {statement} where no >= $1 and no < $2");
    let series = tx.rows(sql, &statements).await?;
    tx.run(shelf.sql("delete from {statement} where no >= $1 and no < $2"), &statements).await?;
    tx.run(shelf.sql("delete from {release} where no = $1"), &[no.into()]).await?;
    for row in series {
        for sql in [
            "delete from {series} where no = $1 and not exists (select 1 from {statement} x where x.series = $1)",
            "update {statement} set revised = 0 where series = $1 and revised = 1 and not exists (
               select 1 from {statement} o where o.series = $1 and o.day = {statement}.day
                 and o.start = {statement}.start and o.value <> {statement}.value)",
        ] {
            tx.run(shelf.sql(sql), &[row.int(0)?.into()]).await?;
        }
    }
    let sql = "update {release} set revised = 0 where revised = 1 and not exists (
                 select 1 from {statement} x where x.release = {release}.no and x.revised = 1)";
    tx.run(shelf.sql(sql), &[]).await.map(drop)
}

/// Without projections, and of a figure that stands twice only the last.
fn counted(figures: Vec<(u64, Figure)>, claimed: i64) -> Vec<(u64, Figure)> {
    let last_day = claimed.div_euclid(SECONDS_PER_DAY) + MAX_DAYS_AHEAD;
    let mut places: HashMap<FigureKey, usize> = HashMap::new();
    let mut kept: Vec<(u64, Figure)> = Vec::with_capacity(figures.len());
    for (line, figure) in figures {
        if day_of(figure.key.period.end()) > last_day {
            continue;
        }
        let place = *places.entry(figure.key.clone()).or_insert(kept.len());
        match kept.get_mut(place) {
            Some(earlier) => *earlier = (line, figure),
            None => kept.push((line, figure)),
        }
    }
    kept
}

async fn insert_release(
    tx: &mut Tx,
    memory: &mut Memory,
    release: &Release<'_>,
    fault: Option<&str>,
    figures: usize,
    refused: usize,
) -> Result<i64, DbError> {
    let last = match memory.last_release.get(&release.shelf) {
        Some(last) => *last,
        None => last_of(tx, release.shelf.sql("select max(no) from {release}")).await?,
    };
    let no = last + 1;
    memory.last_release.insert(release.shelf, no);
    let columns = [
        "no",
        "origin",
        "pos",
        "author",
        "name",
        "id",
        "edition",
        "status",
        "claimed",
        "proven",
        "here",
        "rank",
        "marked",
        "elsewhere",
        "fault",
        "figures",
        "refused",
        "revised",
    ];
    let row = vec![
        no.into(),
        release.origin.into(),
        release.pos.into(),
        release.author.into(),
        release.name.into(),
        release.id.into(),
        release.edition.into(),
        release.status.into(),
        release.claimed.into(),
        release.proven.into(),
        release.here.into(),
        release.rank.into(),
        release.marked.into(),
        0_i64.into(),
        fault.into(),
        count(figures),
        count(refused),
        0_i64.into(),
    ];
    tx.insert_many(release.shelf.release(), &columns, &[row], Conflict::Fail).await?;
    Ok(no)
}

fn count(number: usize) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

/// The largest number of a table. Nobody else writes it meanwhile: the index has one writer.
async fn last_of(tx: &mut Tx, sql: store::db::Sql) -> Result<i64, DbError> {
    let rows = tx.rows(sql, &[]).await?;
    Ok(rows.first().map(|row| row.opt_int(0)).transpose()?.flatten().unwrap_or(0))
}

async fn insert_statements(
    tx: &mut Tx,
    memory: &mut Memory,
    release: &Release<'_>,
    no: i64,
    figures: Vec<(u64, Figure)>,
) -> Result<(), DbError> {
    let series = series_of(tx, memory, release, &figures).await?;
    let first = no * NUMBERS;
    let mut rows = Vec::with_capacity(figures.len());
    for ((offset, series), (line, figure)) in (0_i64..).zip(series).zip(figures) {
        rows.push(vec![
            (first + offset).into(),
            series.into(),
            day_of(figure.key.period.start()).into(),
            day_of(figure.key.period.end()).into(),
            release.rank.into(),
            release.pos.into(),
            no.into(),
            figure.value.to_string().into(),
            figure.reason.as_deref().into(),
            figure.source.as_deref().into(),
            Value::try_from(line).unwrap_or(Value::Int(0)),
            0_i64.into(),
        ]);
    }
    let columns = [
        "no", "series", "start", "day", "rank", "pos", "release", "value", "reason", "source", "line",
        "revised",
    ];
    tx.insert_many(release.shelf.statement(), &columns, &rows, Conflict::Fail).await.map(drop)
}

/// What of a series is not its author and status; no part has a line break.
fn write_series(text: &mut String, parts: [&dyn std::fmt::Display; 4]) {
    text.clear();
    for part in parts {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{part}");
    }
}

/// The number of the series that each figure belongs to; new ones are made.
async fn series_of(
    tx: &mut Tx,
    memory: &mut Memory,
    release: &Release<'_>,
    figures: &[(u64, Figure)],
) -> Result<Vec<i64>, DbError> {
    let shelf = release.shelf;
    let whose = (shelf, release.status.to_owned(), release.author.to_owned());
    if !memory.series.contains_key(&whose) {
        memory.series.insert(whose.clone(), series_by(tx, release).await?);
    }
    let mut next = match memory.last_series.get(&shelf) {
        Some(last) => last + 1,
        None => last_of(tx, shelf.sql("select max(no) from {series}")).await? + 1,
    };
    let known = memory.series.entry(whose).or_default();
    let (mut new, mut numbers, mut text) = (Vec::new(), Vec::with_capacity(figures.len()), String::new());
    for FigureKey { indicator, disaggregation, place, definition, .. } in figures.iter().map(|(_, f)| &f.key)
    {
        write_series(&mut text, [indicator, disaggregation, place, definition]);
        if let Some(no) = known.get(&text) {
            numbers.push(*no);
            continue;
        }
        new.push(vec![
            next.into(),
            release.author.into(),
            release.status.into(),
            indicator.to_string().into(),
            disaggregation.to_string().into(),
            place.to_string().into(),
            definition.to_string().into(),
        ]);
        known.insert(text.clone(), next);
        numbers.push(next);
        next += 1;
    }
    memory.last_series.insert(shelf, next - 1);
    let columns = ["no", "author", "status", "indicator", "disaggregation", "place", "definition"];
    tx.insert_many(shelf.series(), &columns, &new, Conflict::Fail).await?;
    Ok(numbers)
}

/// The numbers of all series of an author.
async fn series_by(tx: &mut Tx, release: &Release<'_>) -> Result<HashMap<String, i64>, DbError> {
    let sql = release.shelf.sql(
        "select no, indicator, disaggregation, place, definition from {series} where status = $1 and author = $2",
    );
    let (mut known, mut text) = (HashMap::new(), String::new());
    for row in tx.rows(sql, &[release.status.into(), release.author.into()]).await? {
        write_series(&mut text, [&row.text(1)?, &row.text(2)?, &row.text(3)?, &row.text(4)?]);
        known.insert(text.clone(), row.int(0)?);
    }
    Ok(known)
}

/// Marks the statements of every figure of this release that the author has stated with another value, so that
/// lists of corrections need not search all figures.
async fn mark_revised(tx: &mut Tx, shelf: Shelf, no: i64) -> Result<(), DbError> {
    let sql = shelf.sql(
        "select x.no, o.no, o.release from {statement} x join {statement} o
           on o.series = x.series and o.day = x.day and o.start = x.start and o.value <> x.value
         where x.no >= $1 and x.no < $2",
    );
    let mark = shelf.sql("update {statement} set revised = 1 where revised = 0 and (no = $1 or no = $2)");
    let release = shelf.sql("update {release} set revised = 1 where revised = 0 and (no = $1 or no = $2)");
    for row in tx.rows(sql, &statements_of(no)).await? {
        tx.run(mark.clone(), &[row.int(0)?.into(), row.int(1)?.into()]).await?;
        tx.run(release.clone(), &[no.into(), row.int(2)?.into()]).await?;
    }
    Ok(())
}
