//! What this authority stated before an import: the value in force of each figure, and the record that holds it.
//!
//! It reads the index and own records, and changes nothing.

use std::collections::HashMap;

use formats::figures::{Figure, FigureKey, FigureReader, ReadOptions, Value};
use record::{Date, Record, Status, Ulid};
use store::db::Row;
use tlog::hash::sha256;

use super::MEDIA_TYPE;
use crate::asof::Basis;
use crate::command::ImportFigures;
use crate::desks::situation::load::statements_between;
use crate::desks::situation::schema::Shelf;
use crate::face::Face;
use crate::fault::Fault;
use crate::index::{Must, condition};
use crate::node::Node;
use crate::operate::OperateError;
use crate::operate::release::argument;
use crate::own_log::Audience;
use store::Sql;

/// What this authority stated before: the value of each figure, by a hash of the figure's key, with the place of its
/// statement in the order of records.
#[derive(Debug, Default)]
pub(super) struct Stated(HashMap<u128, ((i64, i64, i64), Value)>);

impl Stated {
    /// The value in force.
    pub(super) fn value(&self, key: &FigureKey) -> Option<Value> {
        self.0.get(&digest(&key.to_string())).map(|(_, value)| *value)
    }

    fn take(&mut self, row: &Row) -> Result<(), OperateError> {
        let (Some(start), Some(day)) = (civil(row.int(1)?), civil(row.int(2)?)) else { return Ok(()) };
        let period = if start == day { start.to_string() } else { format!("{start}/{day}") };
        let key = format!("{}|{period}|{}|{}|{}", row.text(0)?, row.text(3)?, row.text(4)?, row.text(5)?);
        let order = (row.int(8)?, row.int(9)?, row.int(7)?);
        self.put(digest(&key), order, row.text(6)?.parse().ok());
        Ok(())
    }

    fn put(&mut self, key: u128, order: (i64, i64, i64), value: Option<Value>) {
        let Some(value) = value else { return };
        if self.0.get(&key).is_none_or(|(before, _)| *before < order) {
            self.0.insert(key, (order, value));
        }
    }
}

fn digest(key: &str) -> u128 {
    let hash = sha256(key.as_bytes());
    u128::from_le_bytes(hash.0[..16].try_into().expect("a hash has 32 bytes"))
}

/// Every value in force of this authority that this audience was given, for this status. What another audience was
/// told is no news to be corrected here: each has a ledger of its own.
///
/// Read in no order of time: of several statements of a figure the last one in the order of records counts.
pub(super) async fn stated(
    node: &Node,
    command: &ImportFigures,
    audience: &Audience,
) -> Result<Stated, OperateError> {
    let shelf = shelf_of(audience);
    let readers = crate::index::readers_text(&audience.readers());
    let (author, status) = (node.config.authority.as_str(), command.status.unwrap_or(node.config.status));
    let mut sql = shelf.sql(
        "select r.no, r.figures from {release} r where r.author = $2 and r.status = $3 and r.no > $4 and ",
    );
    sql.append(&speaks()).push(GIVEN_TO).push("$6) order by r.no limit $5");
    let (mut stated, mut after) = (Stated::default(), -1);
    loop {
        let values = [
            i64::MAX.into(),
            author.into(),
            status.as_str().into(),
            after.into(),
            RELEASES.into(),
            readers.as_str().into(),
        ];
        let mut releases = Vec::new();
        for row in node.index.db().rows(sql.clone(), &values).await? {
            releases.push((row.int(0)?, row.int(1)?));
        }
        for (first, last) in ranges(&releases) {
            read_between(node, shelf, (first, last), &mut stated).await?;
        }
        let is_full = i64::try_from(releases.len()).is_ok_and(|read| read >= RELEASES);
        match releases.last() {
            Some((last, _)) if is_full => after = *last,
            _ => return Ok(stated),
        }
    }
}

/// Releases that follow each other without one of somebody else between, with at most [`PAGE`] figures if they are
/// several: their statements lie side by side.
fn ranges(releases: &[(i64, i64)]) -> Vec<(i64, i64)> {
    let mut ranges: Vec<(i64, i64)> = Vec::new();
    let mut figures = 0;
    for (no, count) in releases {
        let joined = ranges.last_mut().filter(|(_, last)| *last + 1 == *no && figures + count <= PAGE);
        if let Some((_, last)) = joined {
            (*last, figures) = (*no, figures + count);
        } else {
            ranges.push((*no, *no));
            figures = *count;
        }
    }
    ranges
}

async fn read_between(
    node: &Node,
    shelf: Shelf,
    (first, last): (i64, i64),
    stated: &mut Stated,
) -> Result<(), OperateError> {
    let sql = shelf.sql(
        "select s.place, x.start, x.day, s.definition, s.disaggregation, s.indicator, x.value, x.no, x.rank, x.pos
         from {statement} x cross join {series} s where x.no >= $1 and x.no < $2 and s.no = x.series",
    );
    for row in node.index.db().rows(sql, &statements_between(first, last)).await? {
        stated.take(&row)?;
    }
    Ok(())
}

/// Own records that this audience was given may state what they have lost: after a restore their entries are fetched
/// back first, and then what is in them. Before it is here every figure of a table could be one that was stated.
pub(super) async fn refuse_what_is_not_known(node: &Node, audience: &Audience) -> Result<(), OperateError> {
    let mut sql = Sql::from(
        "select count(*), min(e.name) from entry e join log l on l.origin = e.origin
         where l.own = 1 and e.valid = 1 and l.readers = $2
           and (e.content = 0 or (e.content = 6 and e.kind = $3 and ",
    );
    sql.append(&condition("e", "released", Face::Inside, Basis::Claimed, Must::Speak)).push("))");
    let readers = crate::index::readers_text(&audience.readers());
    let values = [i64::MAX.into(), readers.as_str().into(), record::kind::FIGURES.into()];
    let rows = node.index.db().rows(sql, &values).await?;
    let Some(row) = rows.first() else { return Ok(()) };
    let (count, Some(name)) = (row.uint(0)?, row.opt_text(1)?) else { return Ok(()) };
    let message = format!(
        "{count} of our own records are known and what they state is not here, {name} among them: import again once a \
         peer that follows our logs was reached and they are fetched back; give up what nobody has any more with \
         `concord record erase`"
    );
    let fault = Fault::new("own-content-awaited", message).with("count", count).with("name", name);
    Err(OperateError::Argument(fault))
}

/// Statements read at once, or one release.
const PAGE: i64 = 10_000;
/// Releases listed at once.
const RELEASES: i64 = 100_000;

/// The tables that hold what an audience was given.
fn shelf_of(audience: &Audience) -> Shelf {
    if *audience == Audience::Public { Shelf::Public } else { Shelf::Sealed }
}

/// That the release r counts now, for this authority itself.
fn speaks() -> Sql {
    condition("r", "claimed", Face::Inside, Basis::Claimed, Must::Speak)
}

/// That the release r was given to the readers behind it, there or by releasing it again.
const GIVEN_TO: &str = " and exists (select 1 from entry e join log l on l.origin = e.origin
  where e.author = r.author and e.name = r.name and l.readers = ";

fn civil(day: i64) -> Option<Date> {
    Date::from_days(i32::try_from(day).ok()?)
}

/// The id of the thing that states a figure to this audience.
pub(super) async fn id_of_thing(
    node: &Node,
    audience: &Audience,
    status: Status,
    key: &FigureKey,
) -> Result<Ulid, OperateError> {
    let mut sql = shelf_of(audience).sql(
        "select r.id from {statement} x join {series} s on s.no = x.series join {release} r on r.no = x.release
         where s.author = $2 and s.status = $3 and s.place = $4 and s.indicator = $5 and s.definition = $6
           and s.disaggregation = $7 and x.day = $8 and x.start = $9 and ",
    );
    sql.append(&speaks()).push(GIVEN_TO).push("$10) order by x.rank desc, x.pos desc, r.name desc limit 1");
    let values = [
        i64::MAX.into(),
        node.config.authority.as_str().into(),
        status.as_str().into(),
        key.place.to_string().into(),
        key.indicator.as_str().into(),
        key.definition.as_str().into(),
        key.disaggregation.to_string().into(),
        i64::from(date(key.period.end())?.days()).into(),
        i64::from(date(key.period.start())?.days()).into(),
        crate::index::readers_text(&audience.readers()).into(),
    ];
    let rows = node.index.db().rows(sql, &values).await?;
    let missing = || missing(&key.to_string());
    argument("id", &rows.first().ok_or_else(missing)?.text(0)?)
}

fn missing(what: &str) -> OperateError {
    let message = format!("the record that states {what} is not in the index: `concord rebuild`");
    OperateError::NotFound(Fault::new("index-lacks", message).with("what", what))
}

/// What the newest edition of a thing states.
pub(super) async fn newest_of(node: &Node, id: Ulid, status: Status) -> Result<Vec<Figure>, OperateError> {
    let missing = || missing(&id.to_string());
    let (_, name) = node.newest_own_edition(id, status).await?;
    let sql =
        "select origin, pos, root_version from entry where name = $1 and author = $2 order by pos limit 1";
    let rows =
        node.index.db().rows(sql, &[name.to_hex().into(), node.config.authority.as_str().into()]).await?;
    let row = rows.first().ok_or_else(missing)?;
    let record: Record = node.record_at(&row.text(0)?, row.uint(1)?).await?.ok_or_else(missing)?;
    let opened = crate::index::open(node, &record, row.uint(2)?).await?.ok_or_else(missing)?;
    let (header, content) = (opened.inner.as_ref().unwrap_or(&record.header), &opened.content);
    let mut figures = Vec::new();
    for blob in header.blobs.iter().filter(|b| b.media_type.as_str() == MEDIA_TYPE) {
        let bytes = content.blob(&blob.sha256).ok_or_else(missing)?;
        let options = ReadOptions::canonical(formats::places::PlaceNames::bundled());
        let reader = FigureReader::new(bytes, options).map_err(|e| OperateError::Argument(e.into()))?;
        for row in reader {
            figures.extend(
                row.map_err(|e| {
                    OperateError::Argument(Fault::new("table-row", e.to_string()).with("reason", e))
                })?
                .figures,
            );
        }
    }
    Ok(figures)
}

/// A day of a figure as records write it.
pub(super) fn date(date: formats::figures::Date) -> Result<Date, OperateError> {
    argument("period", &date.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_read_together_where_nothing_lies_between_and_they_are_small() {
        assert_eq!(ranges(&[]), []);
        let releases = [(1, 4_000), (2, 6_000), (3, 1), (5, 9_999), (6, 50_000), (7, 0)];
        assert_eq!(ranges(&releases), [(1, 2), (3, 3), (5, 5), (6, 6), (7, 7)]);
    }

    #[test]
    fn of_several_statements_the_last_in_the_order_of_records_counts() {
        let mut stated = Stated::default();
        let key: FigureKey = "CHN|2020-01-22|as-reported||deaths-cumulative".parse().unwrap();
        let at = digest(&key.to_string());
        stated.put(at, (7, 2, 1), "17".parse().ok());
        stated.put(at, (9, 1, 3), "18".parse().ok());
        stated.put(at, (8, 5, 9), "16".parse().ok());
        assert_eq!(stated.value(&key), "18".parse().ok());
    }
}
