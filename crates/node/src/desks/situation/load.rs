//! Putting what a table states into this desk's rows: all at once, or in pieces, each in a transaction of its own, so that
//! others get theirs between them.
//!
//! The row of the release comes last. Every query asks for it, so that nobody sees the statements before, and what a
//! crash left without one is discarded. It reads no table itself, and knows nothing of what a release counts.

use super::figure::{MAX_DAYS_AHEAD, day_of};
use super::replay::{Release, forget_release};
use super::schema::Shelf;
use formats::figures::{Figure, FigureKey};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::ops::Range;
use store::db::{Conflict, DbError, Tx, Value};

const SECONDS_PER_DAY: i64 = 86_400;
/// Statements of one release are numbered below this; a file with more figures is a fault, not a release.
pub const MAX_FIGURES: usize = 1 << 20;
const NUMBERS: i64 = 1 << 20;
/// Series that are looked up by one statement.
const KEYS: usize = 64;

/// The numbers of an author's series, by what of a series is not its author and status.
type Known = HashMap<String, i64>;

/// What is remembered of this desk's own rows while one transaction takes records: an author's many records share
/// series, which need not be read again for each.
#[derive(Debug, Default)]
pub struct Memory {
    series: HashMap<(Shelf, String, String), Known>,
}

/// The statements of one release, as far as they are in their table.
#[derive(Debug)]
pub struct Load {
    shelf: Shelf,
    no: i64,
    /// What the rows of statements say of their order.
    rank: (i64, i64),
    /// Figures of later days are projections, and do not count.
    last_day: i64,
    /// Of each series, first and last day, the number of the row. Of a figure that stands twice only the last counts.
    rows: HashMap<(i64, i64, i64), i64>,
}

/// The numbers of a release's statements: from the first up to but not including the second. They need no index.
pub(super) fn statements_of(release: i64) -> [Value; 2] {
    statements_between(release, release)
}

/// The same of all releases from one to another.
pub(crate) fn statements_between(first: i64, last: i64) -> [Value; 2] {
    [(first * NUMBERS).into(), ((last + 1) * NUMBERS).into()]
}

impl Load {
    /// Gives a release its number, which is its own as soon as it has a statement or a row.
    pub async fn begin(tx: &mut Tx, release: &Release<'_>, first_released: i64) -> Result<Self, DbError> {
        let shelf = release.shelf;
        let releases = last_of(tx, shelf.sql("select max(no) from {release}")).await?;
        // Of one that is being loaded there are only statements.
        let statements = last_of(tx, shelf.sql("select max(no) from {statement}")).await? / NUMBERS;
        Ok(Self {
            shelf,
            no: releases.max(statements) + 1,
            rank: (release.rank, release.pos),
            last_day: first_released.div_euclid(SECONDS_PER_DAY) + MAX_DAYS_AHEAD,
            rows: HashMap::new(),
        })
    }

    /// The numbers of the statements.
    pub fn all(&self) -> Range<i64> {
        let first = self.no * NUMBERS;
        first..first + i64::try_from(self.rows.len()).unwrap_or(NUMBERS)
    }

    /// Puts figures into the table, each with the line of the file on which it stands.
    pub async fn put(
        &mut self,
        tx: &mut Tx,
        memory: &mut Memory,
        release: &Release<'_>,
        figures: Vec<(u64, Figure)>,
    ) -> Result<(), DbError> {
        let counted = figures.into_iter().filter(|(_, f)| day_of(f.key.period.end()) <= self.last_day);
        let figures: Vec<(u64, Figure)> = counted.collect();
        let series = series_of(tx, memory, release, &figures).await?;
        let mut rows: Vec<Vec<Value>> = Vec::with_capacity(figures.len());
        let first = self.all().end;
        for (series, (line, figure)) in series.into_iter().zip(figures) {
            let period = figure.key.period;
            let key = (series, day_of(period.start()), day_of(period.end()));
            let next = self.all().end;
            let no = *self.rows.entry(key).or_insert(next);
            let row = self.row(no, key, line, &figure);
            match usize::try_from(no - first) {
                Ok(place) if place < rows.len() => rows[place] = row,
                Ok(_) => rows.push(row),
                // It stands in an earlier piece.
                Err(_) => self.say_instead(tx, &row).await?,
            }
        }
        let columns = [
            "no", "series", "start", "day", "rank", "pos", "release", "value", "reason", "source", "line",
            "revised",
        ];
        tx.insert_many(self.shelf.statement(), &columns, &rows, Conflict::Fail).await.map(drop)
    }

    fn row(&self, no: i64, (series, start, day): (i64, i64, i64), line: u64, figure: &Figure) -> Vec<Value> {
        vec![
            no.into(),
            series.into(),
            start.into(),
            day.into(),
            self.rank.0.into(),
            self.rank.1.into(),
            self.no.into(),
            figure.value.to_string().into(),
            figure.reason.as_deref().into(),
            figure.source.as_deref().into(),
            Value::try_from(line).unwrap_or(Value::Int(0)),
            0_i64.into(),
        ]
    }

    async fn say_instead(&self, tx: &mut Tx, row: &[Value]) -> Result<(), DbError> {
        let sql = "update {statement} set value = $2, reason = $3, source = $4, line = $5 where no = $1";
        let values = [&row[0], &row[7], &row[8], &row[9], &row[10]].map(Clone::clone);
        tx.run(self.shelf.sql(sql), &values).await.map(drop)
    }

    /// Marks statements of a range of numbers that their author has stated with another value too, and those others, so
    /// that lists of corrections need not search all figures. All must be in the table before.
    ///
    /// Of the statements of one figure in other releases either all are marked, or none is and all say the same: one of
    /// them tells, and each is marked once, however often a figure is stated again.
    pub async fn mark(&self, tx: &mut Tx, range: Range<i64>) -> Result<(), DbError> {
        let range = [range.start.into(), range.end.into()];
        let sql = "update {statement} set revised =
              (select case when o.revised = 1 then 1 else 2 end from {statement} o
               where o.series = {statement}.series and o.day = {statement}.day and o.start = {statement}.start
                 and o.release <> {statement}.release limit 1)
            where no >= $1 and no < $2 and
              (select case when o.revised = 1 or o.value <> {statement}.value then 1 else 0 end from {statement} o
               where o.series = {statement}.series and o.day = {statement}.day and o.start = {statement}.start
                 and o.release <> {statement}.release limit 1) = 1";
        if tx.run(self.shelf.sql(sql), &range).await? == 0 {
            return Ok(());
        }
        for sql in [
            "update {release} set revised = 1 where revised = 0 and no in (
               select o.release from {statement} x cross join {statement} o
               where x.no >= $1 and x.no < $2 and x.revised = 2 and o.series = x.series and o.day = x.day
                 and o.start = x.start and o.release <> x.release)",
            "update {statement} set revised = 1 where revised = 0 and no in (
               select o.no from {statement} x cross join {statement} o
               where x.no >= $1 and x.no < $2 and x.revised = 2 and o.series = x.series and o.day = x.day
                 and o.start = x.start and o.release <> x.release)",
            "update {statement} set revised = 1 where no >= $1 and no < $2 and revised = 2",
        ] {
            tx.run(self.shelf.sql(sql), &range).await?;
        }
        Ok(())
    }

    /// Writes the row of the release: from here on everybody sees it.
    pub async fn finish(
        self,
        tx: &mut Tx,
        release: &Release<'_>,
        fault: Option<&str>,
        refused: usize,
    ) -> Result<(), DbError> {
        if self.rank != (release.rank, release.pos) {
            let sql = "update {statement} set rank = $3, pos = $4 where no >= $1 and no < $2";
            let [first, end] = statements_of(self.no);
            tx.run(self.shelf.sql(sql), &[first, end, release.rank.into(), release.pos.into()]).await?;
        }
        let sql = self.shelf.sql("select 1 from {statement} where release = $1 and revised = 1 limit 1");
        let is_revised = !tx.rows(sql, &[self.no.into()]).await?.is_empty();
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
            self.no.into(),
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
            count(self.rows.len()),
            count(refused),
            i64::from(is_revised).into(),
        ];
        tx.insert_many(self.shelf.release(), &columns, &[row], Conflict::Fail).await.map(drop)
    }

    /// As if nothing of it had been put.
    pub async fn discard(self, tx: &mut Tx) -> Result<(), DbError> {
        forget_release(tx, self.shelf, self.no).await
    }
}

/// Discards the statements of releases that have no row: their loading was cut off.
pub async fn discard_unfinished(tx: &mut Tx) -> Result<(), DbError> {
    for shelf in [Shelf::Public, Shelf::Sealed] {
        let mut known = Vec::new();
        for row in tx.rows(shelf.sql("select no from {release} order by no"), &[]).await? {
            known.push(row.int(0)?);
        }
        let last = last_of(tx, shelf.sql("select max(no) from {statement}")).await? / NUMBERS;
        let mut before = 0;
        for no in known.into_iter().chain([last + 1]) {
            let gap = statements_between(before + 1, no - 1);
            let is_next = no <= before + 1;
            before = no;
            if is_next {
                continue;
            }
            // Whatever stands between two releases, one after the other.
            let sql = shelf.sql("select min(release) from {statement} where no >= $1 and no < $2");
            while let Some(left) =
                tx.rows(sql.clone(), &gap).await?.first().map(|row| row.opt_int(0)).transpose()?.flatten()
            {
                forget_release(tx, shelf, left).await?;
            }
        }
    }
    Ok(())
}

fn count(number: usize) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

/// The largest number of a table. Nobody else writes it meanwhile: the index has one writer.
async fn last_of(tx: &mut Tx, sql: store::db::Sql) -> Result<i64, DbError> {
    let rows = tx.rows(sql, &[]).await?;
    Ok(rows.first().map(|row| row.opt_int(0)).transpose()?.flatten().unwrap_or(0))
}

/// What of a series is not its author and status; no part has a line break.
fn parts_of(figure: &FigureKey) -> [&dyn std::fmt::Display; 4] {
    [&figure.indicator, &figure.disaggregation, &figure.place, &figure.definition]
}

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
    let whose = (release.shelf, release.status.to_owned(), release.author.to_owned());
    let known = memory.series.entry(whose).or_default();
    let (mut lacking, mut text) = (HashMap::new(), String::new());
    for (_, figure) in figures {
        write_series(&mut text, parts_of(&figure.key));
        if !known.contains_key(&text) && !lacking.contains_key(&text) {
            lacking.insert(text.clone(), &figure.key);
        }
    }
    if !lacking.is_empty() {
        find_series(tx, known, release, lacking.values().copied()).await?;
        make_series(tx, known, release, figures.iter().map(|(_, figure)| &figure.key)).await?;
    }
    let mut numbers = Vec::with_capacity(figures.len());
    for (_, figure) in figures {
        write_series(&mut text, parts_of(&figure.key));
        numbers.extend(known.get(&text));
    }
    Ok(numbers)
}

/// Looks series up, by all of what they are: an author may have any number of them.
async fn find_series(
    tx: &mut Tx,
    known: &mut Known,
    release: &Release<'_>,
    lacking: impl Iterator<Item = &FigureKey>,
) -> Result<(), DbError> {
    let mut sql =
        store::db::Sql::from("with asked (indicator, disaggregation, place, definition) as (values ");
    for n in 0..KEYS {
        sql.push(if n == 0 { "(" } else { ", (" }).placeholders(3 + n * 4, 4).push(")");
    }
    sql.append(&release.shelf.sql(
        ") select s.no, s.indicator, s.disaggregation, s.place, s.definition from asked a cross join {series} s
         where s.status = $1 and s.author = $2 and s.indicator = a.indicator
           and s.disaggregation = a.disaggregation and s.place = a.place and s.definition = a.definition",
    ));
    let lacking: Vec<&FigureKey> = lacking.collect();
    let mut text = String::new();
    for some in lacking.chunks(KEYS) {
        let mut values: Vec<Value> = vec![release.status.into(), release.author.into()];
        // One text for any number: the last one is asked for again.
        let padded = some.iter().chain(std::iter::repeat(&some[some.len() - 1])).take(KEYS);
        values.extend(padded.flat_map(|key| parts_of(key).map(|part| Value::from(part.to_string()))));
        for row in tx.rows(sql.clone(), &values).await? {
            write_series(&mut text, [&row.text(1)?, &row.text(2)?, &row.text(3)?, &row.text(4)?]);
            known.insert(text.clone(), row.int(0)?);
        }
    }
    Ok(())
}

/// Makes the series that are not known, in the order of their figures.
async fn make_series<'k>(
    tx: &mut Tx,
    known: &mut Known,
    release: &Release<'_>,
    figures: impl Iterator<Item = &'k FigureKey>,
) -> Result<(), DbError> {
    let shelf = release.shelf;
    let mut next = last_of(tx, shelf.sql("select max(no) from {series}")).await? + 1;
    let (mut new, mut text) = (Vec::new(), String::new());
    for key in figures {
        write_series(&mut text, parts_of(key));
        if known.contains_key(&text) {
            continue;
        }
        let mut row: Vec<Value> = vec![next.into(), release.author.into(), release.status.into()];
        row.extend(parts_of(key).map(|part| Value::from(part.to_string())));
        new.push(row);
        known.insert(text.clone(), next);
        next += 1;
    }
    let columns = ["no", "author", "status", "indicator", "disaggregation", "place", "definition"];
    tx.insert_many(shelf.series(), &columns, &new, Conflict::Fail).await.map(drop)
}
