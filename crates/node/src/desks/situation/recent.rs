//! What stands of one indicator of the last days, for all places: for what authorities state differently, and for signals.
//!
//! Of each author no more is read than so many statements. Who states more in the time asked for is left out and named;
//! to know that, they are counted no further.

use super::points::{self, PAGE, point};
use super::query::{Point, Scope, Series, series};
use super::schema::Shelf;
use std::collections::{BTreeMap, BTreeSet};
use store::db::{Db, DbError, Value};

/// Statements of one author in the time asked for: of more nothing is read. Who states 230 places anew each day is below it for
/// 130 days.
const MOST_OF_AUTHOR: i64 = if cfg!(test) { 600 } else { 2_000_000 };
/// What of them may stand: that is in memory together.
pub const MOST_STANDING: usize = if cfg!(test) { 300 } else { 300_000 };
/// Series whose statements are read together; fixed, so that the text of the question is prepared once.
const TOGETHER: usize = 64;

/// What stands of the last days.
#[derive(Clone, Debug, Default)]
pub struct Recent {
    /// Every series with its statements in the order of days and then of releases.
    pub series: Vec<(Series, Vec<Point>)>,
    /// Who states so many that they are left out.
    pub crowded: BTreeSet<String>,
}

/// Everything that stands by the moment of one indicator, for all groups together, with periods that end on `since` or
/// later.
pub async fn recent(db: &Db, scope: Scope<'_>, indicator: &str, since: i64) -> Result<Recent, DbError> {
    let mut found = Recent::default();
    for shelf in scope.shelves() {
        let mut of: BTreeMap<String, Vec<Series>> = BTreeMap::new();
        for one in stated(db, scope, *shelf, indicator).await? {
            of.entry(one.author.clone()).or_default().push(one);
        }
        let mut on_shelf = Vec::new();
        for (author, series) in of {
            match counted(db, scope, &series, since).await? {
                Some(counted) => match of_author(db, scope, series, &counted, since).await? {
                    Some(standing) => on_shelf.extend(standing),
                    None => drop(found.crowded.insert(author)),
                },
                None => drop(found.crowded.insert(author)),
            }
        }
        let key = |one: &Series| (one.place.clone(), one.author.clone(), one.definition.clone(), one.no);
        on_shelf.sort_by_cached_key(|(one, _)| key(one));
        found.series.extend(on_shelf);
    }
    let Recent { series, crowded } = &mut found;
    series.retain(|(one, _)| !crowded.contains(&one.author));
    Ok(found)
}

/// Every series of an indicator, for all groups together, of authors whose places are not too many for a list.
async fn stated(db: &Db, scope: Scope<'_>, shelf: Shelf, indicator: &str) -> Result<Vec<Series>, DbError> {
    const TEXT: &str = "
      select s.no, s.author, s.indicator, s.definition, s.place, s.disaggregation from {series} s
      where $1 = $1 and $2 = $2 and s.status = $3 and s.indicator = $4 and s.disaggregation = ''
        and (s.place, s.definition, s.author) > ($5, $6, $7){uncrowded}
      order by s.place, s.definition, s.author limit $8";
    let mut found: Vec<Series> = Vec::new();
    loop {
        let last = found.last().map_or(("", "", ""), |one| (&one.place, &one.definition, &one.author));
        let mut values = scope.values();
        values.extend([indicator, last.0, last.1, last.2].map(Value::from));
        values.push(PAGE.into());
        let rows = db.rows(scope.sql_with(shelf, TEXT, ("", true)), &values).await?;
        for row in &rows {
            found.push(series(row, shelf)?);
        }
        if i64::try_from(rows.len()).unwrap_or(PAGE) < PAGE {
            return Ok(found);
        }
    }
}

/// How many statements each of an author's series has in the time; `None` if they are too many together.
async fn counted(
    db: &Db,
    scope: Scope<'_>,
    series: &[Series],
    since: i64,
) -> Result<Option<BTreeMap<i64, i64>>, DbError> {
    const COUNT: &str = "select series, count(*) from (
      select x.series from {statement} x where x.day >= $1 and x.day <= $2 and x.series in (";
    let mut found = BTreeMap::new();
    let mut left = MOST_OF_AUTHOR;
    for some in series.chunks(TOGETHER) {
        let shelf = some.first().map_or(Shelf::Public, |one| one.shelf);
        let mut sql = shelf.sql(COUNT);
        sql.placeholders(4, TOGETHER).push(") limit $3) as found group by series");
        let mut values: Vec<Value> = [since, scope.last_day(), left + 1].map(Value::from).into();
        values.extend(numbers(some.iter().map(|one| one.no)));
        for row in db.rows(sql, &values).await? {
            let count = row.int(1)?;
            left -= count;
            found.insert(row.int(0)?, count);
        }
        if left < 0 {
            return Ok(None);
        }
    }
    Ok(Some(found))
}

/// The numbers, filled up with ones that nothing has.
fn numbers(numbers: impl Iterator<Item = i64>) -> impl Iterator<Item = Value> {
    numbers.chain(std::iter::repeat(-1)).take(TOGETHER).map(Value::from)
}

/// What stands of an author's series, `None` if that is too much: of small ones together, of large ones a page at a time.
async fn of_author(
    db: &Db,
    scope: Scope<'_>,
    all: Vec<Series>,
    counted: &BTreeMap<i64, i64>,
    since: i64,
) -> Result<Option<Vec<(Series, Vec<Point>)>>, DbError> {
    let mut found: BTreeMap<i64, Vec<Point>> = BTreeMap::new();
    let (mut together, mut rows) = (Vec::new(), 0);
    for one in &all {
        let Some(count) = counted.get(&one.no).copied() else { continue };
        let left = MOST_STANDING.checked_sub(found.values().map(Vec::len).sum());
        let Some(left) = left else { return Ok(None) };
        if count > PAGE {
            let Some(standing) = points::live(db, scope, one, since, left).await? else { return Ok(None) };
            found.insert(one.no, standing);
            continue;
        }
        if together.len() == TOGETHER || rows + count > PAGE {
            small(db, scope, one.shelf, &together, since, &mut found).await?;
            (together, rows) = (Vec::new(), 0);
        }
        together.push(one.no);
        rows += count;
    }
    if let Some(one) = all.first().filter(|_| !together.is_empty()) {
        small(db, scope, one.shelf, &together, since, &mut found).await?;
    }
    let with_points = |one: Series| found.remove(&one.no).map(|points| (one, points));
    Ok(Some(all.into_iter().filter_map(with_points).filter(|(_, points)| !points.is_empty()).collect()))
}

async fn small(
    db: &Db,
    scope: Scope<'_>,
    shelf: Shelf,
    series: &[i64],
    since: i64,
    found: &mut BTreeMap<i64, Vec<Point>>,
) -> Result<(), DbError> {
    const TEXT: &str = "
      select x.series, x.start, x.day, x.value, x.rank, x.pos, x.release, 0, x.revised
      from {statement} x cross join {release} q
      where x.day >= $3 and x.day <= $2 and q.no = x.release and {live q} and x.series in (";
    let mut sql = scope.sql(shelf, TEXT);
    sql.placeholders(4, TOGETHER).push(") order by x.series, x.day, x.rank, x.pos, q.name");
    let mut values = scope.values();
    values[2] = since.into();
    values.extend(numbers(series.iter().copied()));
    for row in db.rows(sql, &values).await? {
        found.entry(row.int(0)?).or_default().push(point(&row, 1)?);
    }
    Ok(())
}
