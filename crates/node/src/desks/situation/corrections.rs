//! What authors stated otherwise before: the newest corrections, of everything or of one place.
//!
//! It judges no correction: which statement came before which follows from the order of an author's records.

use super::places;
use super::query::{Scope, Series, Source, series, source, stated};
use super::schema::Shelf;
use formats::figures::Value as Stated;
use store::db::{Db, DbError, Row, Sql, Value};

/// A change of a figure that its author had stated before.
#[derive(Clone, Debug)]
pub struct Correction {
    /// The series.
    pub series: Series,
    /// First and last day of the period.
    pub period: (i64, i64),
    /// What was stated before.
    pub old: Stated,
    /// What is stated instead.
    pub new: Stated,
    /// The record that stated the old value.
    pub before: Source,
    /// The record that states the new one.
    pub source: Source,
    /// Why, in the author's words.
    pub reason: Option<String>,
}

/// Releases that revise something and are asked for what they revise together.
const TOGETHER: usize = 16;

/// Statements that revise something and of which one author's corrections of a place are made.
const MOST_REVISED: i64 = if cfg!(test) { 10 } else { 20_000 };

/// The newest corrections first, at most `limit`; `place` narrows them to one. A list of all places looks at as
/// many of the newest releases that revise something, and at the first thousand of such figures of each: what one table
/// revised may be a million figures. A list of one place looks at so many of each author; if there are more, at the newest
/// that came of each series. Who has too many series of the place is in no list of it.
pub async fn corrections(
    db: &Db,
    scope: Scope<'_>,
    place: Option<&str>,
    limit: i64,
) -> Result<Vec<Correction>, DbError> {
    let most = usize::try_from(limit).unwrap_or(0);
    let mut found = Vec::new();
    for shelf in scope.shelves() {
        let mut values = scope.values();
        values.push(limit.into());
        if let Some(place) = place {
            for author in places::authors(db, scope, *shelf, place).await? {
                if !places::is_crowded(db, scope, *shelf, (place, &author)).await? {
                    found.extend(of_place(db, scope, *shelf, (place, &author), &values).await?);
                }
            }
            continue;
        }
        let before = found.len();
        for some in revising(db, scope, *shelf, limit).await?.chunks(TOGETHER) {
            let mut values = values.clone();
            values.extend((0..TOGETHER).map(|n| Value::from(some.get(n).copied().unwrap_or(-1))));
            found.extend(corrected(db, scope, *shelf, of_releases, &values).await?);
            if found.len() - before >= most {
                break;
            }
        }
    }
    found.sort_by_key(|correction| std::cmp::Reverse(correction.source.claimed));
    found.truncate(most);
    Ok(found)
}

/// The releases that revise something, the newest first.
async fn revising(db: &Db, scope: Scope<'_>, shelf: Shelf, limit: i64) -> Result<Vec<i64>, DbError> {
    let sql = scope.sql(
        shelf,
        "select r.no from {release} r where r.revised = 1 and r.status = $3 and {known r} and $2 = $2
         order by r.claimed desc, r.name limit $4",
    );
    let mut values = scope.values();
    values.push(limit.into());
    db.rows(sql, &values).await?.iter().map(|row| row.int(0)).collect()
}

/// An author's corrections of a place.
async fn of_place(
    db: &Db,
    scope: Scope<'_>,
    shelf: Shelf,
    (place, author): (&str, &str),
    values: &[Value],
) -> Result<Vec<Correction>, DbError> {
    let sql = shelf.sql(
        "select count(*) from (select 1 from {series} s cross join {statement} x
         where s.status = $1 and s.place = $2 and s.author = $3 and x.series = s.no and x.revised = 1 limit $4) as found",
    );
    let most = (MOST_REVISED + 1).into();
    let rows = db.rows(sql, &[scope.status.into(), place.into(), author.into(), most]).await?;
    let count = rows.first().map_or(Ok(0), |row| row.int(0))?;
    if count <= MOST_REVISED {
        let values = [values, &[place.into(), author.into()]].concat();
        return corrected(db, scope, shelf, of_author, &values).await;
    }
    let sql = shelf.sql(
        "select s.no from {series} s where s.status = $1 and s.place = $2 and s.author = $3 and exists (
           select 1 from {statement} x where x.series = s.no and x.revised = 1) limit $4",
    );
    let most = places::MOST_SERIES.into();
    let series = db.rows(sql, &[scope.status.into(), place.into(), author.into(), most]).await?;
    let each = MOST_REVISED / i64::try_from(series.len().max(1)).unwrap_or(i64::MAX);
    let mut found = Vec::new();
    for row in &series {
        let values = [values, &[row.int(0)?.into(), each.max(1).into()]].concat();
        found.extend(corrected(db, scope, shelf, of_series, &values).await?);
    }
    Ok(found)
}

/// SQL text: the series of a place, `$5`, by an author, `$6`, and what of them was revised.
fn of_author(sql: &mut Sql, shelf: Shelf) {
    sql.append(&shelf.sql(
        "{series} s cross join {statement} x cross join {release} r cross join {statement} p cross join {release} b
         where s.place = $5 and s.author = $6 and x.series = s.no and x.revised = 1 and r.no = x.release and r.revised = 1",
    ));
}

/// SQL text: a series, `$5`, and what of it was revised, the `$6` that came last.
fn of_series(sql: &mut Sql, shelf: Shelf) {
    sql.append(&shelf.sql(
        "{series} s cross join {statement} x cross join {release} r cross join {statement} p cross join {release} b
         where s.no = $5 and x.no in (
           select c.no from {statement} c where c.series = $5 and c.revised = 1 order by c.no desc limit $6)
           and x.series = s.no and r.no = x.release and r.revised = 1",
    ));
}

/// SQL text: some releases, from `$5` on, and what they revised.
fn of_releases(sql: &mut Sql, shelf: Shelf) {
    sql.append(&shelf.sql(
        "{release} r cross join {statement} x cross join {series} s cross join {statement} p cross join {release} b
         where r.no in (",
    ));
    sql.placeholders(5, TOGETHER).append(&shelf.sql(
        ") and s.no = x.series and x.no in (
           select c.no from {statement} c where c.release = r.no and c.revised = 1 order by c.no limit 1000)",
    ));
}

/// What was stated otherwise before. `SQLite` keeps the order of the cross joins with which `begin` begins; `PostgreSQL` finds
/// its own.
async fn corrected(
    db: &Db,
    scope: Scope<'_>,
    shelf: Shelf,
    begin: fn(&mut Sql, Shelf),
    values: &[Value],
) -> Result<Vec<Correction>, DbError> {
    const ASKED: &str = "
      select s.no, s.author, s.indicator, s.definition, s.place, s.disaggregation, x.start, x.day, p.value, x.value,
        b.name, b.edition, b.claimed, b.proven, b.here,
        r.name, r.edition, r.claimed, r.proven, r.here, x.reason
      from ";
    const WHERE: &str = "
        and +x.day <= $2 and {known r} and s.status = $3
        and p.no = (select z.no from (
            select y.no, y.release, y.rank, y.pos from {statement} y
            where y.series = x.series and y.day = x.day and y.start = x.start and (y.rank, y.pos) < (x.rank, x.pos)
            order by y.rank desc, y.pos desc limit 100) z cross join {release} q
          where q.no = z.release and {known q}
          order by z.rank desc, z.pos desc, q.name desc limit 1)
        and p.value <> x.value and b.no = p.release
      order by r.claimed desc, s.place, s.author, s.indicator, x.day desc, s.disaggregation, s.definition limit $4";
    let mut sql = Sql::from(ASKED);
    begin(&mut sql, shelf);
    let sql = scope.continue_with(sql, shelf, WHERE, ("", false));
    let rows = db.rows(sql, values).await?;
    let correction = |row: &Row| {
        Ok(Correction {
            series: series(row, shelf)?,
            period: (row.int(6)?, row.int(7)?),
            old: stated(row, 8)?,
            new: stated(row, 9)?,
            before: source(row, 10, shelf)?,
            source: source(row, 15, shelf)?,
            reason: row.opt_text(20)?,
        })
    };
    rows.iter().map(correction).collect()
}
