//! Everything that was stated about a place's figures of one day, and no more of it than a page may show.

use super::places;
use super::points::point;
use super::query::{Scope, Statement, series, source};
use super::schema::Shelf;
use std::collections::BTreeSet;
use store::db::{Db, DbError, Row, Value};

/// Statements of one author that the page of a day shows.
pub const MOST_OF_AUTHOR: i64 = if cfg!(test) { 20 } else { 2_000 };
/// Statements of one author that are looked at for them: not all were known by the moment.
const MOST_LOOKED_AT: i64 = 100 * MOST_OF_AUTHOR;

/// What was stated about a day.
#[derive(Clone, Debug, Default)]
pub struct OfDay {
    /// The statements, in the order of indicators, authors and releases.
    pub statements: Vec<Statement>,
    /// Of whom there are more: of each of their series the newest are here.
    pub more: BTreeSet<String>,
    /// Who has so many series of the place that they are left out.
    pub crowded: BTreeSet<String>,
}

/// Everything that was stated by the moment about a place's figures whose period ends on one day; of each author the
/// newest of each series, if there are too many.
pub async fn of_day(db: &Db, scope: Scope<'_>, place: &str, day: i64) -> Result<OfDay, DbError> {
    let mut found = OfDay::default();
    if day > scope.last_day() {
        return Ok(found);
    }
    for shelf in scope.shelves() {
        for author in places::authors(db, scope, *shelf, place).await? {
            let asked = Asked { db, scope, shelf: *shelf, place, author: &author, day };
            if places::is_crowded(db, scope, *shelf, (place, &author)).await? {
                found.crowded.insert(author);
            } else if asked.count().await? <= MOST_OF_AUTHOR {
                found.statements.extend(asked.all().await?);
            } else {
                found.statements.extend(asked.newest().await?);
                found.more.insert(author);
            }
        }
    }
    let OfDay { statements, crowded, .. } = &mut found;
    statements.retain(|one| !crowded.contains(&one.series.author));
    statements.sort_by(|one, other| key(one).cmp(&key(other)));
    Ok(found)
}

fn key(one: &Statement) -> impl Ord {
    (places::key(&one.series), one.point.start, one.point.rank, &*one.source.name)
}

/// What is asked of one author.
struct Asked<'a> {
    db: &'a Db,
    scope: Scope<'a>,
    shelf: Shelf,
    place: &'a str,
    author: &'a str,
    day: i64,
}

impl Asked<'_> {
    /// How many statements there are, known by the moment or not, no more than one too many.
    async fn count(&self) -> Result<i64, DbError> {
        let sql = self.shelf.sql(
            "select count(*) from (select 1 from {series} s cross join {statement} x
             where s.status = $1 and s.place = $2 and s.author = $3 and x.series = s.no and x.day = $4 limit $5) as found",
        );
        let most = (MOST_OF_AUTHOR + 1).into();
        let values = [self.scope.status.into(), self.place.into(), self.author.into(), self.day.into(), most];
        self.db.rows(sql, &values).await?.first().map_or(Ok(0), |row| row.int(0))
    }

    async fn all(&self) -> Result<Vec<Statement>, DbError> {
        const TEXT: &str = "
          select s.no, s.author, s.indicator, s.definition, s.place, s.disaggregation,
            x.start, x.day, x.value, x.rank, x.pos, x.release, {ended q}, x.revised,
            q.name, q.edition, q.claimed, q.proven, q.here, x.reason, x.source
          from {series} s cross join {statement} x cross join {release} q
          where s.status = $3 and s.place = $4 and s.author = $5 and x.series = s.no and x.day = $6 and $2 = $2
            and q.no = x.release and {known q} limit $7";
        let mut values = self.scope.values();
        values.extend([
            self.place.into(),
            self.author.into(),
            Value::from(self.day),
            Value::from(MOST_OF_AUTHOR),
        ]);
        let rows = self.db.rows(self.scope.sql(self.shelf, TEXT), &values).await?;
        rows.iter().map(|row| statement(row, self.shelf)).collect()
    }

    /// The newest of each series: each gets a like part of what the author may have, and what one does not need the next
    /// ones may use.
    async fn newest(&self) -> Result<Vec<Statement>, DbError> {
        const TEXT: &str = "
          select s.no, s.author, s.indicator, s.definition, s.place, s.disaggregation,
            x.start, x.day, x.value, x.rank, x.pos, x.release, {ended q}, x.revised,
            q.name, q.edition, q.claimed, q.proven, q.here, x.reason, x.source
          from (select y.no from {statement} y where y.series = $3 and y.day = $4
                order by y.day desc, y.rank desc, y.pos desc, y.no limit $5) z
          cross join {statement} x cross join {release} q cross join {series} s
          where x.no = z.no and q.no = x.release and s.no = x.series and {known q} and $2 = $2
          order by x.rank desc, x.pos desc, x.no limit $6";
        let (mut found, mut left) = (Vec::new(), MOST_OF_AUTHOR);
        let series = self.series().await?;
        for (at, no) in series.iter().enumerate() {
            let others = i64::try_from(series.len() - at).unwrap_or(i64::MAX);
            let looked_at = MOST_LOOKED_AT / i64::try_from(series.len()).unwrap_or(i64::MAX);
            let mut values = self.scope.values();
            values[2] = (*no).into();
            values.extend([self.day, looked_at, left / others].map(Value::from));
            let rows = self.db.rows(self.scope.sql(self.shelf, TEXT), &values).await?;
            left -= i64::try_from(rows.len()).unwrap_or(0);
            for row in &rows {
                found.push(statement(row, self.shelf)?);
            }
        }
        Ok(found)
    }

    /// The author's series of the place that state the day. Who has more than the page's lists hold is not asked.
    async fn series(&self) -> Result<Vec<i64>, DbError> {
        let sql = self.shelf.sql(
            "select s.no from {series} s where s.status = $1 and s.place = $2 and s.author = $3
               and exists (select 1 from {statement} x where x.series = s.no and x.day = $4)
             order by s.indicator, s.disaggregation, s.definition limit $5",
        );
        let most = places::MOST_SERIES.into();
        let values = [self.scope.status.into(), self.place.into(), self.author.into(), self.day.into(), most];
        self.db.rows(sql, &values).await?.iter().map(|row| row.int(0)).collect()
    }
}

fn statement(row: &Row, shelf: Shelf) -> Result<Statement, DbError> {
    Ok(Statement {
        series: series(row, shelf)?,
        point: point(row, 6)?,
        source: source(row, 14, shelf)?,
        reason: row.opt_text(19)?,
        from: row.opt_text(20)?,
    })
}
