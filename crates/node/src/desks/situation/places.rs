//! Who states what of one place: its series, without authors who state very many.
//!
//! Whatever anybody states, this takes bounded memory and time: authors are found one behind the other in the index of
//! series, each is counted no further than to one too many, and of a series a few statements are looked at.

use super::points;
use super::query::{self, Scope, Series, series};
use super::schema::Shelf;
use std::collections::BTreeSet;
use store::db::{Db, DbError, Value};

/// Who has more series of one place than this is left out of that place's pages. Every indicator, definition and group of
/// an honest author is one; some hundreds are many. It is a rule of what is stated, whenever it came.
pub const MOST_SERIES: i64 = 2_000;
/// Statements of an author that are looked at to find which of its series had begun by a moment.
const MOST_LOOKED_AT: i64 = 200_000;

/// What is stated of a place.
#[derive(Clone, Debug, Default)]
pub struct OfPlace {
    /// Its series, by shelf, indicator, group, author and definition.
    pub series: Vec<Series>,
    /// Who has so many that they are left out.
    pub crowded: BTreeSet<String>,
}

impl OfPlace {
    /// Whether nobody states anything.
    pub fn is_empty(&self) -> bool {
        self.series.is_empty() && self.crowded.is_empty()
    }
}

/// Every place of which an indicator is stated.
pub async fn known(db: &Db, scope: Scope<'_>, indicator: &str) -> Result<Vec<String>, DbError> {
    let latest = query::latest(db, scope, indicator, None).await?;
    let mut known: Vec<String> = latest.into_iter().map(|one| one.series.place).collect();
    known.dedup();
    Ok(known)
}

/// Every series of a place that had begun by the moment.
pub async fn of_place(db: &Db, scope: Scope<'_>, place: &str) -> Result<OfPlace, DbError> {
    let mut found = OfPlace::default();
    for shelf in scope.shelves() {
        for author in authors(db, scope, *shelf, place).await? {
            if is_crowded(db, scope, *shelf, (place, &author)).await? {
                found.crowded.insert(author);
            } else {
                found.series.extend(of_author(db, scope, *shelf, (place, &author)).await?);
            }
        }
    }
    let OfPlace { series, crowded } = &mut found;
    series.retain(|one| !crowded.contains(&one.author));
    series.sort_by(|one, other| key(one).cmp(&key(other)));
    Ok(found)
}

/// The order of series.
pub(super) fn key(one: &Series) -> (Shelf, &str, &str, &str, &str) {
    (one.shelf, &one.indicator, &one.disaggregation, &one.author, &one.definition)
}

/// Who states anything of a place and was not left out by an operator. Each is found behind the one before.
pub(super) async fn authors(
    db: &Db,
    scope: Scope<'_>,
    shelf: Shelf,
    place: &str,
) -> Result<Vec<String>, DbError> {
    let sql = shelf.sql(
        "with recursive known (author) as (
           select min(s.author) from {series} s where s.status = $1 and s.place = $2
           union all
           select (select min(s.author) from {series} s
                   where s.status = $1 and s.place = $2 and s.author > k.author)
           from known k where k.author is not null)
         select author from known where author is not null
           and author not in (select authority from authority where left_out = 1)",
    );
    let rows = db.rows(sql, &[scope.status.into(), place.into()]).await?;
    rows.iter().map(|row| row.text(0)).collect()
}

/// Whether an author has more than [`MOST_SERIES`] of a place.
pub(super) async fn is_crowded(
    db: &Db,
    scope: Scope<'_>,
    shelf: Shelf,
    (place, author): (&str, &str),
) -> Result<bool, DbError> {
    let sql = shelf.sql(
        "select count(*) from (
           select 1 from {series} where status = $1 and place = $2 and author = $3 limit $4) as found",
    );
    let values = [scope.status.into(), place.into(), author.into(), (MOST_SERIES + 1).into()];
    let rows = db.rows(sql, &values).await?;
    Ok(rows.first().map(|row| row.int(0)).transpose()?.unwrap_or(0) > MOST_SERIES)
}

/// The series of an author that had begun by the moment: something of them was stated by then. Its oldest and its newest
/// statements nearly always tell; where they do not, more are looked at, as many as one author may make us read.
async fn of_author(
    db: &Db,
    scope: Scope<'_>,
    shelf: Shelf,
    (place, author): (&str, &str),
) -> Result<Vec<Series>, DbError> {
    const TEXT: &str = "
      select s.no, s.author, s.indicator, s.definition, s.place, s.disaggregation,
        case when exists (
          select 1 from (select x.release from {statement} x where x.series = s.no and x.day <= $2
            order by x.day desc, x.rank desc, x.pos desc limit 50) x cross join {release} q
          where q.no = x.release and {known q}) then 1
        when exists (
          select 1 from (select x.release from {statement} x where x.series = s.no and x.day <= $2
            order by x.day, x.rank, x.pos limit 50) x cross join {release} q
          where q.no = x.release and {known q}) then 1
        when (select count(*) from (select 1 from {statement} x where x.series = s.no and x.day <= $2 limit 51) as found)
          > 50 then 2
        else 0 end
      from {series} s where s.status = $3 and s.place = $4 and s.author = $5 limit $6";
    let mut values = scope.values();
    values.extend([place.into(), author.into(), Value::from(MOST_SERIES)]);
    let (mut found, mut left) = (Vec::new(), MOST_LOOKED_AT);
    for row in db.rows(scope.sql(shelf, TEXT), &values).await? {
        let one = series(&row, shelf)?;
        let has_begun = match row.int(6)? {
            0 => false,
            1 => true,
            _ => points::has_begun(db, scope, &one, &mut left).await?,
        };
        if has_begun {
            found.push(one);
        }
    }
    Ok(found)
}
