//! The questions that pages ask: what was stated, as of a moment, on the shelves that a face may open.
//!
//! Every question is an indexed one: the latest statement of a series is found by walking its index from the
//! newest day down, never by reading all figures. What a face may see is decided here, by which tables are named.

use super::figure::MAX_DAYS_AHEAD;
use super::points::point;
use super::schema::{Shelf, compose_behind};
use crate::asof::AsOf;
use crate::face::Face;
use crate::index::{Must, condition};
use formats::figures::Value as Stated;
use std::collections::{BTreeMap, BTreeSet};
use store::db::{Db, DbError, Row, Sql, Value};

const SECONDS_PER_DAY: i64 = 86_400;
/// Who states one indicator for more places than this is in no list of all places: each place still has its page. The
/// counties of the largest countries are fewer. It is a rule of what is stated, whenever it came.
pub const MOST_PLACES: i64 = 4_000;
/// The most indicators that are named; those of one epidemic are some dozens.
const MOST_INDICATORS: i64 = 250;
/// Pairs asked for in one statement; fixed, so that its text is prepared once.
pub const PAIRS: usize = 64;

/// Everything that decides which statements count.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// Who reads.
    pub face: Face,
    /// As of when, in which sense.
    pub as_of: AsOf,
    /// `actual`, `exercise` or `test`: never mixed.
    pub status: &'a str,
}

/// A series: one author's figures of one indicator for one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// Its number on its shelf.
    pub no: i64,
    /// Which shelf it stands on.
    pub shelf: Shelf,
    /// Who states it.
    pub author: String,
    /// Code of what is counted.
    pub indicator: String,
    /// How its author defines it.
    pub definition: String,
    /// Of which place.
    pub place: String,
    /// Of which group; empty for all.
    pub disaggregation: String,
}

/// The release behind a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The record's name.
    pub name: String,
    /// Edition of the thing.
    pub edition: i64,
    /// When its author says it was released.
    pub claimed: i64,
    /// When witnesses prove that it existed.
    pub proven: Option<i64>,
    /// When this node verified it.
    pub here: Option<i64>,
    /// From a sealed record.
    pub sealed: bool,
}

/// One value of one figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// First day of the period.
    pub start: i64,
    /// Last day of the period.
    pub day: i64,
    /// The value.
    pub value: Stated,
    /// Order of its release among the author's.
    pub rank: (i64, i64),
    /// Which release: its number on its shelf.
    pub release: i64,
    /// Whether it was withdrawn, or dropped by a later edition, as of the moment.
    pub ended: bool,
    /// Whether its author has stated, now or ever, the figure with another value too: only a hint where to look.
    pub revised: bool,
}

/// The newest statement of a series, with where it came from.
#[derive(Clone, Debug)]
pub struct Latest {
    /// The series.
    pub series: Series,
    /// Its newest figure.
    pub point: Point,
    /// The record behind it.
    pub source: Source,
    /// The value of the newest figure seven to ten days earlier, and its day.
    pub week_before: Option<(i64, Stated)>,
}

impl Scope<'_> {
    /// The shelves that the face may open.
    pub fn shelves(&self) -> &'static [Shelf] {
        match self.face {
            Face::Public => &[Shelf::Public],
            Face::Inside => &[Shelf::Public, Shelf::Sealed],
        }
    }

    /// `$1`: the moment. `$2`: the last day that a figure's period may have. `$3`: the status.
    pub(super) fn values(&self) -> Vec<Value> {
        let at = self.as_of.at.unwrap_or(i64::MAX);
        vec![at.into(), self.last_day().into(), self.status.into()]
    }

    /// The last day that a figure's period may have.
    pub(super) fn last_day(&self) -> i64 {
        let at = self.as_of.at.unwrap_or(i64::MAX);
        (at / SECONDS_PER_DAY).saturating_add(MAX_DAYS_AHEAD)
    }

    /// The SQL text with this shelf's tables. For a release with the alias q, `{known q}` says that it was stated by
    /// then, `{live q}` that it counts then, and `{ended q}` is 1 if it was stated and does not count any more.
    pub(super) fn sql(&self, tables: Shelf, template: &'static str) -> Sql {
        self.sql_with(tables, template, ("", false))
    }

    /// The same, with `{of place}` replaced, and with `{uncrowded}` if the question is one of all places.
    pub(super) fn sql_with(
        &self,
        tables: Shelf,
        template: &'static str,
        of_place: (&'static str, bool),
    ) -> Sql {
        self.continue_with(Sql::from(""), tables, template, of_place)
    }

    /// The same, behind what `sql` already says.
    pub(super) fn continue_with(
        &self,
        sql: Sql,
        tables: Shelf,
        template: &'static str,
        (of_place, is_of_all): (&'static str, bool),
    ) -> Sql {
        let mut ended = Sql::from("case when ");
        ended.append(&self.condition(tables, "q", Must::Speak)).push(" then 0 else 1 end");
        let prepared = [
            ("of place", of_place.into()),
            ("uncrowded", if is_of_all { tables.uncrowded() } else { "".into() }),
            ("known q", self.condition(tables, "q", Must::HaveSpoken)),
            ("known r", self.condition(tables, "r", Must::HaveSpoken)),
            ("live q", self.condition(tables, "q", Must::Speak)),
            ("ended q", ended),
            ("release", tables.release().into()),
            ("series", tables.series().into()),
            ("statement", tables.statement().into()),
        ];
        compose_behind(sql, template, &prepared)
    }

    /// That a release is so by the moment `$1`. What stands on both shelves the inside face reads on the sealed one.
    pub(super) fn condition(&self, tables: Shelf, alias: &'static str, must: Must) -> Sql {
        let mut sql = condition(alias, "claimed", self.face, self.as_of.basis, must);
        if tables == Shelf::Public && self.face == Face::Inside {
            sql.push(" and ").push(alias).push(".elsewhere = 0");
        }
        sql
    }
}

/// The newest figure of every series of one indicator, for all groups together; ordered by place, then author.
/// `place` narrows it to one.
pub async fn latest(
    db: &Db,
    scope: Scope<'_>,
    indicator: &str,
    place: Option<&str>,
) -> Result<Vec<Latest>, DbError> {
    const LATEST: &str = "
      select s.no, s.author, s.indicator, s.definition, s.place, s.disaggregation,
        x.start, x.day, x.value, x.rank, x.pos, x.release, 0, x.revised,
        r.name, r.edition, r.claimed, r.proven, r.here, w.day, w.value
      from {series} s
      join {statement} x on x.no = (select y.no from {statement} y cross join {release} q
        where y.series = s.no and y.day <= $2 and q.no = y.release and {live q}
        order by y.day desc, y.rank desc, y.pos desc, q.name desc limit 1)
      join {release} r on r.no = x.release
      left join {statement} w on w.no = (select y.no from {statement} y cross join {release} q
        where y.series = s.no and y.day <= $2 and y.day <= x.day - 7 and y.day >= x.day - 10
          and q.no = y.release and {live q}
        order by y.day desc, y.rank desc, y.pos desc, q.name desc limit 1)
      where s.status = $3 and s.indicator = $4 and s.disaggregation = ''{of place}{uncrowded}";
    let mut found: BTreeMap<(String, String, String), Latest> = BTreeMap::new();
    for shelf in scope.shelves() {
        let mut values = scope.values();
        values.push(indicator.into());
        values.extend(place.map(Value::from));
        let of_place = if place.is_some() { " and s.place = $5" } else { "" };
        let of_place = (of_place, place.is_none());
        let sql = scope.sql_with(*shelf, LATEST, of_place);
        for row in db.rows(sql, &values).await? {
            let latest = Latest {
                series: series(&row, *shelf)?,
                point: point(&row, 6)?,
                source: source(&row, 14, *shelf)?,
                week_before: row
                    .opt_int(19)?
                    .map(|day| Ok::<_, DbError>((day, stated(&row, 20)?)))
                    .transpose()?,
            };
            let key =
                (latest.series.place.clone(), latest.series.author.clone(), latest.series.definition.clone());
            // The same figures in public and under seal: one series, whose newest statement counts.
            let newer =
                |other: &Latest| (latest.point.day, latest.point.rank) > (other.point.day, other.point.rank);
            if found.get(&key).is_none_or(newer) {
                found.insert(key, latest);
            }
        }
    }
    Ok(found.into_values().collect())
}

/// The newest value of a series.
pub async fn newest(db: &Db, scope: Scope<'_>, series: &Series) -> Result<Option<Stated>, DbError> {
    let sql = scope.sql(
        series.shelf,
        "select x.value from {statement} x cross join {release} q
         where x.series = $3 and x.day <= $2 and q.no = x.release and {live q}
         order by x.day desc, x.rank desc, x.pos desc, q.name desc limit 1",
    );
    let mut values = scope.values();
    values[2] = series.no.into();
    db.rows(sql, &values).await?.first().map(|row| stated(row, 0)).transpose()
}

/// Who states an indicator for more than [`MOST_PLACES`], and is therefore in no list of all places.
pub async fn crowded(db: &Db, scope: Scope<'_>, indicator: &str) -> Result<BTreeSet<String>, DbError> {
    let mut found = BTreeSet::new();
    for shelf in scope.shelves() {
        let sql = shelf.sql(
            "select author from {series} where status = $1 and indicator = $2 and disaggregation = ''
             group by author having count(*) > $3",
        );
        for row in db.rows(sql, &[scope.status.into(), indicator.into(), MOST_PLACES.into()]).await? {
            found.insert(row.text(0)?);
        }
    }
    Ok(found)
}

/// The indicators that anybody states, the first of them if they are very many. Each is found behind the one before in the
/// index of series: it takes as long as there are indicators, not series.
pub async fn indicators(db: &Db, scope: Scope<'_>) -> Result<BTreeSet<String>, DbError> {
    let mut found = BTreeSet::new();
    for shelf in scope.shelves() {
        let sql = shelf.sql(
            "with recursive known (code, n) as (
               select (select min(indicator) from {series} where status = $1), 1
               union all
               select (select min(s.indicator) from {series} s where s.status = $1 and s.indicator > k.code), k.n + 1
               from known k where k.code is not null and k.n < $2)
             select code from known k where code is not null and exists (
               select 1 from {series} s where s.status = $1 and s.indicator = k.code and s.disaggregation = '')",
        );
        for row in db.rows(sql, &[scope.status.into(), MOST_INDICATORS.into()]).await? {
            found.insert(row.text(0)?);
        }
    }
    Ok(found)
}

/// A statement as it was made, with its record.
#[derive(Clone, Debug)]
pub struct Statement {
    /// The series.
    pub series: Series,
    /// The value.
    pub point: Point,
    /// The record.
    pub source: Source,
    /// Why it differs from an earlier one, in the author's words.
    pub reason: Option<String>,
    /// Where the author has it from, in its words.
    pub from: Option<String>,
}

/// The releases behind points of one shelf, by number.
pub async fn sources(
    db: &Db,
    shelf: Shelf,
    releases: impl IntoIterator<Item = i64>,
) -> Result<BTreeMap<i64, Source>, DbError> {
    let wanted: std::collections::BTreeSet<i64> = releases.into_iter().collect();
    let wanted: Vec<i64> = wanted.into_iter().collect();
    let mut found = BTreeMap::new();
    for chunk in wanted.chunks(PAIRS) {
        let mut sql = shelf.sql(
            "select r.name, r.edition, r.claimed, r.proven, r.here, r.no from {release} r where r.no in (",
        );
        sql.placeholders(1, PAIRS).push(")");
        let values: Vec<Value> = padded(chunk.iter().copied()).into_iter().map(Value::Int).collect();
        for row in db.rows(sql, &values).await? {
            found.insert(row.int(5)?, source(&row, 0, shelf)?);
        }
    }
    Ok(found)
}

fn padded(numbers: impl Iterator<Item = i64>) -> Vec<i64> {
    let mut numbers: Vec<i64> = numbers.collect();
    numbers.resize(PAIRS, -1);
    numbers
}

/// The value of each series on each day, for (series, day) pairs of one shelf; pairs without one are left out.
pub async fn values_at(
    db: &Db,
    scope: Scope<'_>,
    shelf: Shelf,
    pairs: &[(i64, i64)],
) -> Result<BTreeMap<(i64, i64), Stated>, DbError> {
    let mut found: BTreeMap<(i64, i64), Stated> = BTreeMap::new();
    for chunk in pairs.chunks(PAIRS) {
        for row in db.rows(pairs_sql(scope, shelf), &pair_values(scope, chunk)).await? {
            // In the order of releases: the last one stays.
            found.insert((row.int(0)?, row.int(1)?), stated(&row, 2)?);
        }
    }
    Ok(found)
}

/// How many weeks [`weekly`] looks back.
pub const WEEKS: usize = 18;

/// The values of each series on a day and seven, fourteen, ... days before: for (series, last day) pairs of one
/// shelf, at most 64, the stated values by (series, weeks before).
pub async fn weekly(
    db: &Db,
    scope: Scope<'_>,
    shelf: Shelf,
    pairs: &[(i64, i64)],
) -> Result<BTreeMap<(i64, usize), Stated>, DbError> {
    let mut sql = asked_pairs();
    sql.push("), week(days) as (values ");
    for (week, days) in SEVENS.into_iter().enumerate() {
        sql.push(if week == 0 { "(" } else { ", (" }).push(days).push(")");
    }
    let sql = scope.continue_with(
        sql,
        shelf,
        ") select x.series, w.days, x.value from asked a cross join week w cross join {statement} x cross join {release} q
         where x.series = a.series and x.day = a.day - w.days and +x.day <= $2 and q.no = x.release and {live q}
         order by x.series, x.day, x.rank, x.pos, q.name",
        ("", false),
    );
    let mut found = BTreeMap::new();
    for row in db.rows(sql, &pair_values(scope, pairs)).await? {
        found.insert((row.int(0)?, usize::try_from(row.int(1)? / 7).unwrap_or(0)), stated(&row, 2)?);
    }
    Ok(found)
}

/// Multiples of seven, as SQL text.
const SEVENS: [&str; WEEKS + 1] = [
    "0", "7", "14", "21", "28", "35", "42", "49", "56", "63", "70", "77", "84", "91", "98", "105", "112",
    "119", "126",
];

fn pairs_sql(scope: Scope<'_>, shelf: Shelf) -> Sql {
    let sql = asked_pairs();
    scope.continue_with(
        sql,
        shelf,
        ") select x.series, x.day, x.value from asked a cross join {statement} x cross join {release} q
         where x.series = a.series and x.day = a.day and +x.day <= $2 and q.no = x.release and {live q}
         order by x.series, x.day, x.rank, x.pos, q.name",
        ("", false),
    )
}

/// `with asked(series, day) as (values ($3, $4), ...`, left open.
fn asked_pairs() -> Sql {
    let mut sql = Sql::from("with asked(series, day) as (values ");
    for pair in 0..PAIRS {
        sql.push(if pair == 0 { "(" } else { ", (" }).placeholders(3 + 2 * pair, 2).push(")");
    }
    sql
}

/// The moment, then the pairs, filled up with ones that nothing matches.
fn pair_values(scope: Scope<'_>, pairs: &[(i64, i64)]) -> Vec<Value> {
    let mut values = scope.values();
    values.truncate(2);
    for (series, day) in pairs.iter().copied().chain(std::iter::repeat((-1, -1))).take(PAIRS) {
        values.push(series.into());
        values.push(day.into());
    }
    values
}

pub(super) fn series(row: &Row, shelf: Shelf) -> Result<Series, DbError> {
    Ok(Series {
        no: row.int(0)?,
        shelf,
        author: row.text(1)?,
        indicator: row.text(2)?,
        definition: row.text(3)?,
        place: row.text(4)?,
        disaggregation: row.text(5)?,
    })
}

pub(super) fn source(row: &Row, first: usize, shelf: Shelf) -> Result<Source, DbError> {
    Ok(Source {
        name: row.text(first)?,
        edition: row.int(first + 1)?,
        claimed: row.int(first + 2)?,
        proven: row.opt_int(first + 3)?,
        here: row.opt_int(first + 4)?,
        sealed: shelf == Shelf::Sealed,
    })
}

/// Values are written by our own replay; a column that holds none is a fault of the database.
pub(super) fn stated(row: &Row, column: usize) -> Result<Stated, DbError> {
    row.text(column)?.parse().map_err(|_| DbError::Column { column, expected: "decimal number" })
}
