//! From records to tables: called once per valid record, in the order of its log.
//!
//! A release of figures adds statements. A new edition of a thing ends what it no longer says; a withdrawal ends
//! everything the thing said. Nothing is ever deleted, because every *as of* needs what was said before.
//! This module judges no signature and asks no clock.

use super::figure::{MAX_DAYS_AHEAD, day_of};
use super::schema::Shelf;
use formats::figures::{Figure, FigureKey};
use std::collections::HashMap;
use store::db::{Conflict, DbError, Tx, Value};

const SECONDS_PER_DAY: i64 = 86_400;
/// Statements of one release are numbered below this; a file with more figures is a fault, not a release.
pub const MAX_FIGURES: usize = 1 << 20;

/// The record that is replayed, as far as this desk needs it.
#[derive(Clone, Debug)]
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
    /// Its kind.
    pub kind: &'a str,
    /// The thing.
    pub id: &'a str,
    /// The thing's edition.
    pub edition: i64,
    /// `actual`, `exercise` or `test`.
    pub status: &'a str,
    /// `released`, seconds since 1970.
    pub claimed: i64,
    /// When this node first verified it.
    pub here: Option<i64>,
}

/// What the file of a release holds.
#[derive(Clone, Debug, Default)]
pub struct Stated {
    /// Figures with the line of the file on which each stands, from 1.
    pub figures: Vec<(u64, Figure)>,
    /// Rows that cannot be read, and state nothing here.
    pub refused: usize,
}

/// Takes in a release of figures. `stated` is what its file holds, or the code of the fault for which it
/// cannot be read: then the release is listed with its fault and states nothing.
pub async fn release_figures(
    tx: &mut Tx,
    release: &Release<'_>,
    stated: Result<Stated, String>,
) -> Result<(), DbError> {
    let known = editions(tx, release).await?;
    if let Some(same) = known.iter().find(|other| other.name == release.name) {
        return seen_again(tx, release, same.no).await;
    }
    let twin = known.iter().find(|other| other.number == release.edition);
    let (stated, fault) = match (stated, twin) {
        // A second record of one edition is kept, and counts for nothing.
        (_, Some(_)) => (Stated::default(), Some("conflicting-edition".to_owned())),
        (Ok(stated), None) if stated.figures.len() > MAX_FIGURES => {
            (Stated::default(), Some("too-many-figures".to_owned()))
        }
        (Ok(stated), None) => (stated, None),
        (Err(fault), None) => (Stated::default(), Some(fault)),
    };
    let figures = counted(stated.figures, release.claimed);
    let rank = rank(tx, release).await?;
    let no = insert_release(tx, release, rank, fault.as_deref(), figures.len(), stated.refused).await?;
    if fault.is_some() {
        return Ok(());
    }
    let later = known.iter().filter(|other| other.number > release.edition).min_by_key(|other| other.number);
    let ended = later.map(|other| End { by: other.no, claimed: other.claimed, here: other.here });
    let mut rows = rows(tx, release, no, rank, figures, ended.as_ref()).await?;
    if ended.is_none() && !known.is_empty() {
        replace_edition(tx, release, no, &mut rows).await?;
    }
    insert_statements(tx, release.shelf, &rows).await?;
    mark_revised(tx, release.shelf, no).await
}

/// Takes in a withdrawal: ends what the thing of the record `target` states, if that record is the thing's latest
/// edition here and by the same author.
pub async fn withdraw(tx: &mut Tx, release: &Release<'_>, target: &str) -> Result<(), DbError> {
    let sql = release.shelf.sql(
        "select r.id from {release} r where r.name = $1 and r.author = $2 and not exists (
           select 1 from {release} l where l.author = r.author and l.id = r.id and l.edition > r.edition)",
    );
    let found = tx.rows(sql, &[target.into(), release.author.into()]).await?;
    let Some(id) = found.first().map(|row| row.text(0)).transpose()? else { return Ok(()) };
    let rank = rank(tx, release).await?;
    let no = insert_release(tx, release, rank, None, 0, 0).await?;
    let sql = release.shelf.sql(
        "update {statement} set ended_by = $1, ended_claimed = $2, ended_here = $3 where ended_by is null
         and release in (select no from {release} where author = $4 and id = $5)",
    );
    let values = [no.into(), release.claimed.into(), release.here.into(), release.author.into(), id.into()];
    tx.run(sql, &values).await.map(drop)
}

/// An edition of the thing that is already here.
struct Edition {
    no: i64,
    name: String,
    number: i64,
    claimed: i64,
    here: Option<i64>,
}

/// Forgets what a record said: personal data that expired, or copies that were erased here. What other editions of
/// its thing say is to be replayed again, because editions write down only what is new in them.
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
    let sql = shelf.sql("select distinct series from {statement} where release = $1");
    let series = tx.rows(sql, &[no.into()]).await?;
    for sql in [
        "update {statement} set ended_by = null, ended_claimed = null, ended_here = null where ended_by = $1",
        "delete from {statement} where release = $1",
        "delete from {release} where no = $1",
    ] {
        tx.run(shelf.sql(sql), &[no.into()]).await?;
    }
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
    Ok(())
}

/// By what, and when, a statement ends.
struct End {
    by: i64,
    claimed: i64,
    here: Option<i64>,
}

/// A row of the table of statements to be.
struct Row {
    no: i64,
    series: i64,
    start: i64,
    day: i64,
    value: String,
    columns: Vec<Value>,
}

async fn editions(tx: &mut Tx, release: &Release<'_>) -> Result<Vec<Edition>, DbError> {
    let sql = release.shelf.sql(
        "select no, name, edition, claimed, here from {release}
         where author = $1 and id = $2 and kind = $3 and fault is null",
    );
    let rows = tx.rows(sql, &[release.author.into(), release.id.into(), release.kind.into()]).await?;
    rows.iter()
        .map(|row| {
            Ok(Edition {
                no: row.int(0)?,
                name: row.text(1)?,
                number: row.int(2)?,
                claimed: row.int(3)?,
                here: row.opt_int(4)?,
            })
        })
        .collect()
}

/// The same record in another log: one record, with the earliest of its times.
async fn seen_again(tx: &mut Tx, release: &Release<'_>, no: i64) -> Result<(), DbError> {
    for sql in [
        "update {release} set claimed = $2 where no = $1 and claimed > $2",
        "update {statement} set claimed = $2 where release = $1 and claimed > $2",
    ] {
        tx.run(release.shelf.sql(sql), &[no.into(), release.claimed.into()]).await?;
    }
    let Some(here) = release.here else { return Ok(()) };
    for sql in [
        "update {release} set here = $2 where no = $1 and (here is null or here > $2)",
        "update {statement} set here = $2 where release = $1 and (here is null or here > $2)",
    ] {
        tx.run(release.shelf.sql(sql), &[no.into(), here.into()]).await?;
    }
    Ok(())
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

/// The order of a release: the latest `claimed` of its log up to its place. A record whose blob arrived late may
/// find later ones here already; those then follow it.
async fn rank(tx: &mut Tx, release: &Release<'_>) -> Result<i64, DbError> {
    let place = [release.origin.into(), release.pos.into()];
    let sql = release.shelf.sql("select max(rank) from {release} where origin = $1 and pos < $2");
    let rows = tx.rows(sql, &place).await?;
    let before = rows.first().map(|row| row.opt_int(0)).transpose()?.flatten();
    let rank = before.unwrap_or(i64::MIN).max(release.claimed);
    let [origin, pos] = place;
    let values = [origin, pos, rank.into()];
    for sql in [
        "update {statement} set rank = $3 where rank < $3 and release in (
           select no from {release} where origin = $1 and pos > $2 and rank < $3)",
        "update {release} set rank = $3 where origin = $1 and pos > $2 and rank < $3",
    ] {
        tx.run(release.shelf.sql(sql), &values).await?;
    }
    Ok(rank)
}

async fn insert_release(
    tx: &mut Tx,
    release: &Release<'_>,
    rank: i64,
    fault: Option<&str>,
    figures: usize,
    refused: usize,
) -> Result<i64, DbError> {
    let no = next(tx, release.shelf.sql("select max(no) from {release}")).await?;
    let columns = [
        "no", "origin", "pos", "author", "name", "kind", "id", "edition", "status", "claimed", "here",
        "rank", "fault", "figures", "refused",
    ];
    let row = vec![
        no.into(),
        release.origin.into(),
        release.pos.into(),
        release.author.into(),
        release.name.into(),
        release.kind.into(),
        release.id.into(),
        release.edition.into(),
        release.status.into(),
        release.claimed.into(),
        release.here.into(),
        rank.into(),
        fault.into(),
        count(figures),
        count(refused),
    ];
    tx.insert_many(release.shelf.release(), &columns, &[row], Conflict::Fail).await?;
    Ok(no)
}

fn count(number: usize) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

async fn next(tx: &mut Tx, sql: store::db::Sql) -> Result<i64, DbError> {
    let rows = tx.rows(sql, &[]).await?;
    Ok(rows.first().map(|row| row.opt_int(0)).transpose()?.flatten().unwrap_or(0) + 1)
}

type SeriesKey = (String, String, String, String);

async fn rows(
    tx: &mut Tx,
    release: &Release<'_>,
    no: i64,
    rank: i64,
    figures: Vec<(u64, Figure)>,
    ended: Option<&End>,
) -> Result<Vec<Row>, DbError> {
    let series = series_of(tx, release, &figures).await?;
    let first = no << 20;
    let mut rows = Vec::with_capacity(figures.len());
    for (offset, (line, figure)) in (0_i64..).zip(figures) {
        let key = series_key(&figure.key);
        let Some(series) = series.get(&key).copied() else { continue };
        let (start, day) = (day_of(figure.key.period.start()), day_of(figure.key.period.end()));
        let value = figure.value.to_string();
        let columns = vec![
            (first + offset).into(),
            series.into(),
            start.into(),
            day.into(),
            rank.into(),
            release.pos.into(),
            no.into(),
            release.claimed.into(),
            release.here.into(),
            value.as_str().into(),
            figure.reason.as_deref().into(),
            figure.source.as_deref().into(),
            Value::try_from(line).unwrap_or(Value::Int(0)),
            0_i64.into(),
            ended.map(|end| end.by).into(),
            ended.map(|end| end.claimed).into(),
            ended.and_then(|end| end.here).into(),
        ];
        rows.push(Row { no: first + offset, series, start, day, value, columns });
    }
    Ok(rows)
}

fn series_key(key: &FigureKey) -> SeriesKey {
    (
        key.indicator.to_string(),
        key.disaggregation.to_string(),
        key.place.to_string(),
        key.definition.to_string(),
    )
}

/// The numbers of all series that the figures belong to; new ones are made.
async fn series_of(
    tx: &mut Tx,
    release: &Release<'_>,
    figures: &[(u64, Figure)],
) -> Result<HashMap<SeriesKey, i64>, DbError> {
    let shelf = release.shelf;
    let sql = shelf.sql(
        "select no, indicator, disaggregation, place, definition from {series} where status = $1 and author = $2",
    );
    let mut known: HashMap<SeriesKey, i64> = HashMap::new();
    for row in tx.rows(sql, &[release.status.into(), release.author.into()]).await? {
        known.insert((row.text(1)?, row.text(2)?, row.text(3)?, row.text(4)?), row.int(0)?);
    }
    let mut next = next(tx, shelf.sql("select max(no) from {series}")).await?;
    let mut new = Vec::new();
    for (_, figure) in figures {
        let key = series_key(&figure.key);
        if known.contains_key(&key) {
            continue;
        }
        new.push(vec![
            next.into(),
            release.author.into(),
            release.status.into(),
            key.0.as_str().into(),
            key.1.as_str().into(),
            key.2.as_str().into(),
            key.3.as_str().into(),
        ]);
        known.insert(key, next);
        next += 1;
    }
    let columns = ["no", "author", "status", "indicator", "disaggregation", "place", "definition"];
    tx.insert_many(shelf.series(), &columns, &new, Conflict::Fail).await?;
    Ok(known)
}

/// A new edition: what earlier ones said and it says again goes on (and is not written twice), all else ends.
async fn replace_edition(
    tx: &mut Tx,
    release: &Release<'_>,
    no: i64,
    rows: &mut Vec<Row>,
) -> Result<(), DbError> {
    let shelf = release.shelf;
    let sql = shelf.sql(
        "select x.no, x.series, x.start, x.day, x.value from {statement} x join {release} r on r.no = x.release
         where r.author = $1 and r.id = $2 and x.ended_by is null",
    );
    let mut alive: HashMap<(i64, i64, i64), (i64, String)> = HashMap::new();
    for row in tx.rows(sql, &[release.author.into(), release.id.into()]).await? {
        alive.insert((row.int(1)?, row.int(2)?, row.int(3)?), (row.int(0)?, row.text(4)?));
    }
    rows.retain(|row| {
        let key = (row.series, row.start, row.day);
        let same = alive.get(&key).is_some_and(|(_, value)| *value == row.value);
        if same {
            alive.remove(&key);
        }
        !same
    });
    let end =
        shelf.sql("update {statement} set ended_by = $1, ended_claimed = $2, ended_here = $3 where no = $4");
    let mut gone: Vec<i64> = alive.into_values().map(|(no, _)| no).collect();
    gone.sort_unstable();
    for statement in gone {
        let values = [no.into(), release.claimed.into(), release.here.into(), statement.into()];
        tx.run(end.clone(), &values).await?;
    }
    Ok(())
}

async fn insert_statements(tx: &mut Tx, shelf: Shelf, rows: &[Row]) -> Result<(), DbError> {
    let columns = [
        "no",
        "series",
        "start",
        "day",
        "rank",
        "pos",
        "release",
        "claimed",
        "here",
        "value",
        "reason",
        "source",
        "line",
        "revised",
        "ended_by",
        "ended_claimed",
        "ended_here",
    ];
    debug_assert!(
        rows.windows(2).all(|pair| pair[0].no < pair[1].no),
        "statements are numbered in file order"
    );
    let values: Vec<Vec<Value>> = rows.iter().map(|row| row.columns.clone()).collect();
    tx.insert_many(shelf.statement(), &columns, &values, Conflict::Fail).await.map(drop)
}

/// Marks the statements of every figure of this release that the author has stated with another value, so that
/// lists of corrections need not search all figures.
async fn mark_revised(tx: &mut Tx, shelf: Shelf, no: i64) -> Result<(), DbError> {
    let sql = shelf.sql(
        "select x.no, o.no from {statement} x join {statement} o
           on o.series = x.series and o.day = x.day and o.start = x.start and o.value <> x.value
         where x.release = $1 and (x.revised = 0 or o.revised = 0)",
    );
    let mark = shelf.sql("update {statement} set revised = 1 where no = $1 or no = $2");
    for row in tx.rows(sql, &[no.into()]).await? {
        tx.run(mark.clone(), &[row.int(0)?.into(), row.int(1)?.into()]).await?;
    }
    Ok(())
}
