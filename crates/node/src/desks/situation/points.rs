//! The statements of a series, read a page at a time and no more of them than a page may show.
//!
//! A hostile author may state millions. What is read of all authors together is bounded, and nobody takes another's
//! share; of whom there is more the newest days are shown, each whole, and the pages say from which day on.

use super::query::{Point, Scope, Series, stated};
use std::collections::BTreeMap;
use store::db::{Db, DbError, Row};

/// Statements that one page reads at most, of all series together.
pub const MOST_STATEMENTS: i64 = if cfg!(test) { 600 } else { 200_000 };
/// Rows that are read together: a row as it is read takes much memory, the point made of it does not.
pub(super) const PAGE: i64 = if cfg!(test) { 7 } else { 2_000 };

/// What was read of a series.
#[derive(Clone, Debug, Default)]
pub struct Points {
    /// The statements, in the order of days and then of releases.
    pub points: Vec<Point>,
    /// If there are too many: the day from which on they are here.
    pub from: Option<i64>,
    /// How many were looked at, known by the moment or not.
    pub looked_at: i64,
}

/// A statement as it was read.
struct Said {
    point: Point,
    /// Of the name of its release, so that releases of one rank have an order.
    name: u128,
    is_known: bool,
}

/// Behind which statement of a series the next ones are read: from the newest day down, and of a day from the newest down.
struct Cursor {
    series: i64,
    since: i64,
    behind: (i64, i64, i64, i64),
}

impl Cursor {
    fn new(scope: Scope<'_>, series: i64, since: i64) -> Self {
        Self { series, since, behind: (scope.last_day(), i64::MAX, i64::MAX, -1) }
    }

    async fn next(
        &mut self,
        db: &Db,
        scope: Scope<'_>,
        series: &Series,
        most: i64,
    ) -> Result<Vec<Said>, DbError> {
        const TEXT: &str = "
          select x.start, x.day, x.value, x.rank, x.pos, x.release, {ended q}, x.revised, x.no,
            case when {known q} then 1 else 0 end, coalesce(q.name, '')
          from {statement} x left join {release} q on q.no = x.release
          where x.series = $3 and x.day >= $4 and +x.day <= $2 and (x.day, x.rank, x.pos) <= ($5, $6, $7)
            and ((x.day, x.rank, x.pos) < ($5, $6, $7) or x.no > $8)
          order by x.day desc, x.rank desc, x.pos desc, x.no limit $9";
        let mut values = scope.values();
        let (day, rank, pos, no) = self.behind;
        values[2] = self.series.into();
        values.extend([self.since, day, rank, pos, no, most].map(Into::into));
        let rows = db.rows(scope.sql(series.shelf, TEXT), &values).await?;
        if let Some(last) = rows.last() {
            self.behind = (last.int(1)?, last.int(3)?, last.int(4)?, last.int(8)?);
        }
        rows.iter().map(said).collect()
    }
}

fn said(row: &Row) -> Result<Said, DbError> {
    let name = row.text(10)?;
    Ok(Said {
        point: point(row, 0)?,
        name: name.get(..32).and_then(|name| u128::from_str_radix(name, 16).ok()).unwrap_or(0),
        is_known: row.int(9)? != 0,
    })
}

/// A point from the columns that begin with the first day of its period.
pub(super) fn point(row: &Row, first: usize) -> Result<Point, DbError> {
    Ok(Point {
        start: row.int(first)?,
        day: row.int(first + 1)?,
        value: stated(row, first + 2)?,
        rank: (row.int(first + 3)?, row.int(first + 4)?),
        release: row.int(first + 5)?,
        ended: row.int(first + 6)? != 0,
        revised: row.int(first + 7)? != 0,
    })
}

/// Everything that was stated in one series by the moment of days from `since` on; if that is more than `most`, the newest
/// days. A day of which only a part would be read is left out: which of its statements counts is not known.
pub async fn points(
    db: &Db,
    scope: Scope<'_>,
    series: &Series,
    since: i64,
    most: i64,
) -> Result<Points, DbError> {
    let mut cursor = Cursor::new(scope, series.no, since);
    let mut found: Vec<(u128, Point)> = Vec::new();
    let (mut looked_at, mut left_out) = (0, None);
    while left_out.is_none() {
        let wanted = PAGE.min(most.max(0) + 1 - looked_at);
        let page = cursor.next(db, scope, series, wanted).await?;
        let is_last = i64::try_from(page.len()).unwrap_or(PAGE) < wanted;
        for said in page {
            if looked_at >= most {
                left_out = Some(said.point.day);
                break;
            }
            looked_at += 1;
            if said.is_known {
                found.push((said.name, said.point));
            }
        }
        if is_last {
            break;
        }
    }
    if let Some(day) = left_out {
        found.retain(|(_, point)| point.day > day);
    }
    found.sort_by_key(|(name, point)| (point.day, point.rank, *name));
    let points = found.into_iter().map(|(_, point)| point).collect();
    Ok(Points { points, from: left_out.map(|day| day + 1), looked_at })
}

/// What stands of a series by the moment, of days from `since` on; `None` if that is more than `most`. What is past is looked at
/// and not kept.
pub(super) async fn live(
    db: &Db,
    scope: Scope<'_>,
    series: &Series,
    since: i64,
    most: usize,
) -> Result<Option<Vec<Point>>, DbError> {
    let mut cursor = Cursor::new(scope, series.no, since);
    let mut found: Vec<(u128, Point)> = Vec::new();
    loop {
        let page = cursor.next(db, scope, series, PAGE).await?;
        let is_last = i64::try_from(page.len()).unwrap_or(PAGE) < PAGE;
        let stands = page.into_iter().filter(|said| said.is_known && !said.point.ended);
        found.extend(stands.map(|said| (said.name, said.point)));
        if found.len() > most {
            return Ok(None);
        }
        if is_last {
            break;
        }
    }
    found.sort_by_key(|(name, point)| (point.day, point.rank, *name));
    Ok(Some(found.into_iter().map(|(_, point)| point).collect()))
}

/// Whether anything of a series was stated by the moment. It looks at no more than are `left`, and takes them off.
pub(super) async fn has_begun(
    db: &Db,
    scope: Scope<'_>,
    series: &Series,
    left: &mut i64,
) -> Result<bool, DbError> {
    let mut cursor = Cursor::new(scope, series.no, i64::MIN);
    while *left > 0 {
        let page = cursor.next(db, scope, series, PAGE).await?;
        let looked_at = i64::try_from(page.len()).unwrap_or(PAGE);
        *left -= looked_at;
        if page.iter().any(|said| said.is_known) {
            return Ok(true);
        }
        if looked_at < PAGE {
            break;
        }
    }
    Ok(false)
}

/// How much may be read of an author.
#[derive(Clone, Copy, Debug)]
struct Share {
    left: i64,
    series: i64,
    is_enough: bool,
}

/// How much may be read of each author.
#[derive(Clone, Debug)]
pub struct Shares(BTreeMap<String, Share>);

impl Shares {
    /// Shares `most` statements among the authors of some series of a place: each gets what it needs, or as much as
    /// anybody else who needs more.
    pub async fn of(db: &Db, scope: Scope<'_>, series: &[&Series], most: i64) -> Result<Self, DbError> {
        let mut of: BTreeMap<&str, Vec<&Series>> = BTreeMap::new();
        for one in series {
            of.entry(&one.author).or_default().push(one);
        }
        let mut needs = BTreeMap::new();
        for (author, series) in &of {
            needs.insert(*author, need(db, scope, series, most).await?);
        }
        let all: Vec<i64> = needs.values().copied().collect();
        let level = level(&all, most);
        let share = |(author, series): (&str, Vec<&Series>)| {
            let series = i64::try_from(series.len()).unwrap_or(i64::MAX);
            let is_enough = needs.get(author).is_some_and(|need| *need <= level);
            (author.to_owned(), Share { left: level, series, is_enough })
        };
        Ok(Self(of.into_iter().map(share).collect()))
    }

    /// Reads a series. Of an author who has more than its share each series gets a like part, and what one does not need
    /// the next ones may use.
    pub async fn read(&mut self, db: &Db, scope: Scope<'_>, series: &Series) -> Result<Points, DbError> {
        let Some(share) = self.0.get_mut(&series.author) else { return Ok(Points::default()) };
        let most = if share.is_enough { share.left } else { share.left / share.series.max(1) };
        let found = points(db, scope, series, i64::MIN, most).await?;
        share.left -= found.looked_at;
        share.series -= 1;
        Ok(found)
    }
}

/// How many statements an author's series have, no more than one beyond `most`.
async fn need(db: &Db, scope: Scope<'_>, series: &[&Series], most: i64) -> Result<i64, DbError> {
    let mut need = 0;
    for one in series {
        if need > most {
            break;
        }
        need += count(db, scope, one, (i64::MIN, most + 1 - need)).await?;
    }
    Ok(need)
}

/// How many statements a series has of days from `since` on, no more than `most`.
pub(super) async fn count(
    db: &Db,
    scope: Scope<'_>,
    series: &Series,
    (since, most): (i64, i64),
) -> Result<i64, DbError> {
    let sql = series.shelf.sql(
        "select count(*) from (
           select 1 from {statement} where series = $1 and day >= $2 and day <= $3 limit $4) as found",
    );
    let values = [series.no, since, scope.last_day(), most].map(Into::into);
    let rows = db.rows(sql, &values).await?;
    rows.first().map_or(Ok(0), |row| row.int(0))
}

/// What everybody gets who needs more than that, if all together get `most`; all of it if there is enough for everybody.
fn level(needs: &[i64], most: i64) -> i64 {
    let mut needs = needs.to_vec();
    needs.sort_unstable();
    let mut left = most;
    for (at, need) in needs.iter().enumerate() {
        let level = left / i64::try_from(needs.len() - at).unwrap_or(i64::MAX);
        if *need > level {
            return level;
        }
        left -= need;
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_does_not_need_the_others_may_use_and_nobody_takes_anothers_share() {
        assert_eq!(level(&[10, 20, 30], 60), 60, "enough for everybody");
        assert_eq!(level(&[10, 1_000, 1_000], 110), 50);
        assert_eq!(level(&[1_000], 200), 200);
        assert_eq!(level(&[1_000, 90, 100], 200), 66, "of two who need more than a third neither is whole");
        assert_eq!(level(&[], 200), 200);
    }
}
