//! The order of an author's records follows the line of its logs, even where a clock was set back between two of them: a log
//! begins with the latest time that the log before it claims at the place where it goes on.
//!
//! That a log begins so is written in the turn that learns of it, and counts for every entry that comes later. Entries that were
//! here before are changed in turns of a bounded size. It decides nothing of what stands.

use record::Authority;
use store::db::{Row, Tx};

use super::follow::Follower;
use super::settling::CHANGED;
use super::{IndexError, Writer};
use crate::desks;

/// Logs that go on from another one of their author, and begin before the time that it claims there.
const BEHIND: &str = "select s.origin, p.rank from log s
    join log b on b.origin = s.previous and b.authority = s.authority
    join entry p on p.origin = s.previous and p.pos = s.previous_size - 1
  where (s.before is null or s.before < p.rank) and ";

/// Has a log, and those that go on from it, begin with the time before it. Answers whether any does so now.
pub(super) async fn carry(tx: &mut Tx, origin: &str) -> Result<bool, IndexError> {
    let mut sql = store::Sql::from(BEHIND);
    sql.push("(s.origin = $1 or s.previous = $1)");
    let behind = tx.rows(sql, &[origin.into()]).await?;
    begin_later(tx, &behind).await
}

async fn begin_later(tx: &mut Tx, behind: &[Row]) -> Result<bool, IndexError> {
    for row in behind {
        let values = [row.text(0)?.into(), row.int(1)?.into()];
        tx.run("update log set before = $2 where origin = $1", &values).await?;
        let sql = "update log set latest = $2 where origin = $1 and (latest is null or latest < $2)";
        tx.run(sql, &values).await?;
    }
    Ok(!behind.is_empty())
}

impl Follower<'_> {
    /// Brings the entries of every log of an author to the time that it begins with.
    pub(super) async fn every_rank(&self, author: &Authority) -> Result<(), IndexError> {
        let mut has_changed = false;
        loop {
            let sql =
                "select origin, before from log where authority = $1 and before is not null order by origin";
            for row in self.index.db().rows(sql, &[author.as_str().into()]).await? {
                has_changed |= self.rank(author, &row.text(0)?, row.int(1)?).await?;
            }
            // What they claim at their ends is final only now. It only ever grows, to the latest time of any of them.
            let writer = self.writer().await;
            let mut tx = writer.index.db().begin().await?;
            let mut sql = store::Sql::from(BEHIND);
            sql.push("s.authority = $1");
            let behind = tx.rows(sql, &[author.as_str().into()]).await?;
            let is_more = begin_later(&mut tx, &behind).await?;
            if !is_more && has_changed {
                writer.times_changed(&mut tx, author).await?;
            }
            tx.commit().await?;
            if !is_more {
                return Ok(());
            }
        }
    }

    /// Answers whether an entry of the log claims a later time now.
    async fn rank(&self, author: &Authority, origin: &str, rank: i64) -> Result<bool, IndexError> {
        let page = i64::try_from(CHANGED).unwrap_or(i64::MAX);
        let mut first = 0;
        loop {
            let sql = "select pos, rank from entry where origin = $1 and pos >= $2 order by pos limit $3";
            let rows = self.index.db().rows(sql, &[origin.into(), first.into(), page.into()]).await?;
            let Some(last) = rows.last() else { return Ok(first > 0) };
            let end = last.int(0)? + 1;
            let mut are_later = true;
            for row in &rows {
                are_later &= row.int(1)? >= rank;
            }
            // Times of a log only grow.
            if are_later {
                return Ok(first > 0);
            }
            while !self.writer().await.rank_some(author, origin, (first, end), rank).await? {}
            first = end;
        }
    }
}

impl Writer<'_> {
    /// Brings a range of entries to a time at least. Answers false if something of it is left for another turn.
    async fn rank_some(
        &mut self,
        author: &Authority,
        origin: &str,
        (first, end): (i64, i64),
        rank: i64,
    ) -> Result<bool, IndexError> {
        self.moves(author.as_str());
        let mut tx = self.index.db().begin().await?;
        let is_all = desks::reranked(&mut tx, origin, (first, end), rank).await?;
        if is_all {
            let sql = "update entry set rank = $4 where origin = $1 and pos >= $2 and pos < $3 and rank < $4";
            tx.run(sql, &[origin.into(), first.into(), end.into(), rank.into()]).await?;
        }
        tx.commit().await?;
        Ok(is_all)
    }
}
