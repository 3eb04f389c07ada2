//! Things of more records than any real thing has: nothing of them stands.
//!
//! What stands of a thing is decided by all its records together, which are in memory meanwhile. Up to [`CROWD`] they are few
//! enough; beyond it each is marked, and no row says that it stands. That is a rule of what is held, whenever it came, and of what
//! a face sees: sealed records leave no trace on the public one. The records stay, with all that is proven of them. It reads and
//! changes a page of rows at a time, never a whole thing.

use store::db::{Tx, Value};

use super::condition::{INSIDE, PUBLIC};
use super::follow::Follower;
use super::settling::CHANGED;
use super::standing::{mark_entry, size_of};
use super::touched::{Committed, Group};
use super::{Finding, IndexError};
use crate::desks;

/// The most records that decide what stands of a thing, at all their places, those that withdraw it included: a new edition every
/// hour for almost three years.
pub(super) const CROWD: i64 = if cfg!(test) { 16 } else { 25_000 };

/// A row of an entry that does not say yet that nothing of its thing stands: what it is to say.
struct Unmarked {
    origin: String,
    pos: i64,
    name: String,
    listed: i64,
    marked: i64,
}

impl Follower<'_> {
    /// The faces on which more records decide what stands of a thing than are looked at. The inside face sees all that the public
    /// one does.
    pub(super) async fn crowded(&self, group: &Group) -> Result<i64, IndexError> {
        let mut rows = Committed(self.index.db());
        if size_of(&mut rows, group, PUBLIC, CROWD).await? > CROWD {
            return Ok(PUBLIC | INSIDE);
        }
        Ok(if size_of(&mut rows, group, INSIDE, CROWD).await? > CROWD { INSIDE } else { 0 })
    }

    /// Has nothing of a thing stand on these faces, in as many turns as it takes.
    pub(super) async fn nothing_stands(&self, group: &Group, on: i64) -> Result<(), IndexError> {
        let mut has_changed = false;
        let mut behind = (String::new(), -1);
        loop {
            let (some, next) = self.unmarked(group, on, &behind).await?;
            if !some.is_empty() {
                has_changed = true;
                let writer = self.writer().await;
                let mut tx = writer.index.db().begin().await?;
                for entry in &some {
                    mark_entry(&mut tx, (&entry.origin, entry.pos), entry.listed, entry.marked).await?;
                    desks::marked_too(&mut tx, &group.author, &entry.name, entry.marked & on).await?;
                    note_targets_at(&mut tx, group, (&entry.origin, entry.pos)).await?;
                }
                tx.commit().await?;
            }
            let Some(next) = next else { break };
            behind = next;
        }
        loop {
            let writer = self.writer().await;
            let mut tx = writer.index.db().begin().await?;
            let is_last = take_some_away(&mut tx, group, on).await?;
            tx.commit().await?;
            if is_last {
                break;
            }
        }
        if has_changed {
            let (author, id) = (group.author.clone(), group.id.clone());
            self.source.report(vec![Finding::Crowded { author, id }]).await;
        }
        Ok(())
    }

    /// Of a page of a thing's entries those that are to be marked, and where the next page begins.
    async fn unmarked(
        &self,
        group: &Group,
        on: i64,
        (origin, pos): &(String, i64),
    ) -> Result<(Vec<Unmarked>, Option<(String, i64)>), IndexError> {
        let sql = "select origin, pos, name, faces, listed, marked from entry
                   where author = $1 and id = $2 and status = $3 and valid = 1 and faces <> 0
                     and kind not in ('log.open', 'log.root', 'log.close') and (origin, pos) > ($4, $5)
                   order by origin, pos limit $6";
        let page = i64::try_from(CHANGED).unwrap_or(i64::MAX);
        let [author, id, status] = group.values();
        let values = [author, id, status, origin.as_str().into(), (*pos).into(), page.into()];
        let rows = self.index.db().rows(sql, &values).await?;
        let mut unmarked = Vec::new();
        for row in &rows {
            let (faces, listed, marked) = (row.int(3)?, row.int(4)?, row.int(5)?);
            let now = ((listed & !on) | (faces & on), (marked & !on) | (faces & on));
            if (listed, marked) != now {
                let (origin, pos, name) = (row.text(0)?, row.int(1)?, row.text(2)?);
                unmarked.push(Unmarked { origin, pos, name, listed: now.0, marked: now.1 });
            }
        }
        let next = rows.last().filter(|_| rows.len() >= CHANGED);
        let next = next.map(|row| Ok::<_, IndexError>((row.text(0)?, row.int(1)?))).transpose()?;
        Ok((unmarked, next))
    }
}

/// Takes away some of what was said to stand of a thing on these faces. Answers whether nothing is left.
async fn take_some_away(tx: &mut Tx, group: &Group, on: i64) -> Result<bool, IndexError> {
    let sql = "select name, basis, face, start from standing where author = $1 and id = $2 and status = $3
                 and (face & $5) <> 0 order by name, basis, face, start limit $4";
    let [author, id, status] = group.values();
    let most = i64::try_from(CHANGED).unwrap_or(i64::MAX);
    let rows = tx.rows(sql, &[author, id, status, most.into(), on.into()]).await?;
    for row in &rows {
        let sql = "delete from standing where author = $1 and id = $2 and status = $3
                     and name = $4 and basis = $5 and face = $6 and start = $7";
        let [author, id, status] = group.values();
        let of_row: [Value; 4] =
            [row.text(0)?.into(), row.int(1)?.into(), row.int(2)?.into(), row.int(3)?.into()];
        let values: Vec<Value> = [author, id, status].into_iter().chain(of_row).collect();
        tx.run(sql, &values).await?;
    }
    Ok(rows.len() < CHANGED)
}

/// What the record at a place withdraws is crowded too. It is asked of the place: one record may stand at very many.
async fn note_targets_at(tx: &mut Tx, group: &Group, (origin, pos): (&str, i64)) -> Result<(), IndexError> {
    let sql = "insert into unsettled (author, id, status)
               select distinct t.author, t.id, t.status from ref r cross join entry t
               where r.origin = $1 and r.pos = $2 and r.relation = 'withdraws' and r.to_author = $3
                 and t.name = r.to_name and t.author = r.to_author and t.valid = 1 and t.faces <> 0
               on conflict do nothing";
    tx.run(sql, &[origin.into(), pos.into(), group.author.as_str().into()]).await?;
    Ok(())
}
