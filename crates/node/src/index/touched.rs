//! What is to be looked at again: things whose entries have changed, things that others end, and everything of some sort of
//! an author.
//!
//! It collects names only. What then stands is [`super::standing`]'s.

use std::collections::BTreeSet;

use record::Authority;
use store::db::{Db, DbError, Row, Sql, Tx, Value};

use super::IndexError;

/// A thing, as far as its records act on each other: those of another status are another's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Group {
    pub author: String,
    pub id: String,
    pub status: String,
}

impl Group {
    pub(super) fn of(row: &Row) -> Result<Self, DbError> {
        Ok(Self { author: row.text(0)?, id: row.text(1)?, status: row.text(2)? })
    }

    /// The group of an entry.
    pub(super) async fn of_row(tx: &mut Tx, origin: &str, pos: u64) -> Result<Self, IndexError> {
        let sql = "select author, id, status from entry where origin = $1 and pos = $2";
        let rows = tx.rows(sql, &[origin.into(), super::rows::int(pos)]).await?;
        let row =
            rows.first().ok_or_else(|| IndexError::Damaged { origin: origin.to_owned(), index: pos })?;
        Ok(Self::of(row)?)
    }

    pub(super) fn values(&self) -> [Value; 3] {
        [self.author.as_str().into(), self.id.as_str().into(), self.status.as_str().into()]
    }
}

/// The things to look at again.
#[derive(Debug, Default)]
pub(super) struct Touched {
    /// Those whose entries have changed. What their records withdraw is looked at too.
    pub(super) changed: BTreeSet<Group>,
    /// Those of which only what ends them may have changed. Whether they end others does not depend on that.
    pub(super) ended: BTreeSet<Group>,
    /// Authors of whom everything of some sort is to be looked at.
    pub(super) all: BTreeSet<(String, All)>,
}

/// What of an author is to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum All {
    /// Every thing of whose records there was something to choose.
    Choices,
    /// Every entry that a revoked key signed.
    Revoked,
    /// Every entry of a log that begins with a later time than before.
    Ranks,
}

impl All {
    pub(super) fn number(self) -> i64 {
        match self {
            Self::Choices => 1,
            Self::Revoked => 2,
            Self::Ranks => 3,
        }
    }
}

async fn groups<R: Reads>(
    rows: &mut R,
    sql: &'static str,
    values: &[Value],
) -> Result<Vec<Group>, IndexError> {
    let rows = rows.rows(sql.into(), values).await?;
    Ok(rows.iter().map(Group::of).collect::<Result<_, _>>()?)
}

impl Touched {
    /// A thing whose entries have changed.
    pub(super) fn add(&mut self, group: Group) {
        self.changed.insert(group);
    }

    /// Everything of some sort of an author, which may be very much.
    pub(super) fn add_all(&mut self, author: &Authority, what: All) {
        self.all.insert((author.to_string(), what));
    }

    /// Those of the entries in a range that are not alone, and those that entries in the range withdraw.
    pub(super) async fn in_range(
        &mut self,
        tx: &mut Tx,
        origin: &record::Origin,
        first: u64,
        end: u64,
    ) -> Result<(), IndexError> {
        let values = [origin.to_string().into(), super::rows::int(first), super::rows::int(end)];
        let sql = "select distinct a.author, a.id, a.status from entry a
          where a.origin = $1 and a.pos >= $2 and a.pos < $3 and a.valid = 1 and a.faces <> 0
            and a.kind not in ('log.open', 'log.root', 'log.close') and (a.revoked = 1
            or exists (select 1 from entry b where b.author = a.author and b.id = a.id
                         and (b.origin <> a.origin or b.pos <> a.pos))
            or exists (select 1 from ref r where r.to_name = a.name and r.relation = 'withdraws'))";
        self.changed.extend(groups(tx, sql, &values).await?);
        self.ended.extend(groups(tx, WITHDRAWN_IN, &values).await?);
        Ok(())
    }

    /// Those whose standing rests on entries in a range, of which something other than their place has changed.
    pub(super) async fn resting_on(
        &mut self,
        tx: &mut Tx,
        origin: &record::Origin,
        first: u64,
        end: u64,
    ) -> Result<(), IndexError> {
        let values = [origin.to_string().into(), super::rows::int(first), super::rows::int(end)];
        let sql = "select distinct author, id, status from entry
          where origin = $1 and pos >= $2 and pos < $3 and valid = 1 and (marked <> 0 or revoked = 1)";
        self.changed.extend(groups(tx, sql, &values).await?);
        self.ended.extend(groups(tx, WITHDRAWN_IN, &values).await?);
        Ok(())
    }

    /// Those that the thing of an entry withdraws.
    pub(super) async fn targets_of(&mut self, tx: &mut Tx, origin: &str, pos: u64) -> Result<(), IndexError> {
        let group = Group::of_row(tx, origin, pos).await?;
        self.targets(tx, &group).await
    }

    /// Those that the records of a thing withdraw.
    pub(super) async fn targets(&mut self, tx: &mut Tx, group: &Group) -> Result<(), IndexError> {
        // From the thing on, in this order: its author may have any number of records.
        let sql = "select distinct t.author, t.id, t.status from entry x
            cross join ref r cross join entry t
          where r.origin = x.origin and r.pos = x.pos and t.name = r.to_name and t.author = r.to_author
            and x.author = $1 and x.id = $2 and x.status = $3 and x.valid = 1 and r.relation = 'withdraws'
            and r.to_author = x.author and t.valid = 1 and t.faces <> 0";
        self.ended.extend(groups(tx, sql, &group.values()).await?);
        Ok(())
    }
}

/// The things that entries in a range withdraw.
const WITHDRAWN_IN: &str = "select distinct t.author, t.id, t.status from ref r
    join entry x on x.origin = r.origin and x.pos = r.pos
    join entry t on t.name = r.to_name and t.author = r.to_author
  where r.origin = $1 and r.pos >= $2 and r.pos < $3 and r.relation = 'withdraws'
    and r.to_author = x.author and t.valid = 1 and t.faces <> 0";

/// Where rows are read: in the writer's transaction, or what is committed.
pub(super) trait Reads: Send {
    fn rows(&mut self, sql: Sql, values: &[Value]) -> impl Future<Output = Result<Vec<Row>, DbError>> + Send;
}

impl Reads for Tx {
    async fn rows(&mut self, sql: Sql, values: &[Value]) -> Result<Vec<Row>, DbError> {
        Tx::rows(self, sql, values).await
    }
}

/// What is committed.
pub(super) struct Committed<'a>(pub &'a Db);

impl Reads for Committed<'_> {
    async fn rows(&mut self, sql: Sql, values: &[Value]) -> Result<Vec<Row>, DbError> {
        self.0.rows(sql, values).await
    }
}
