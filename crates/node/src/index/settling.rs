//! Settling what is too much for the turn that touched it: things of very many records, and very many things at once.
//!
//! It is noted in that turn, so that nothing of it is forgotten. What stands is computed from what is committed, outside
//! of anybody's turn, and written in turns of a bounded size, unless something of its author has changed meanwhile; then it
//! is computed again. When nothing is under way nothing is noted, and rows are as if each turn had settled all that it touched.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use record::Authority;
use store::db::{Conflict, Tx, Value};

use super::condition::{INSIDE, PUBLIC};
use super::follow::Follower;
use super::opening::working;
use super::revocation::revocations;
use super::standing::{
    COLUMNS, Facts, Said, leave_the_difference, logs_of, mark_entry, newly_conflicting, said_of,
};
use super::touched::{All, Committed, Group};
use super::{Finding, IndexError};
use crate::desks;

/// Things that are read from the notes together.
const NOTED: i64 = 100;
/// Rows that are changed in one turn.
pub(super) const CHANGED: usize = if cfg!(test) { 3 } else { 300 };
/// Who makes the index compute longer than this lets it rest as long: others need the processor too.
const LONG: Duration = Duration::from_millis(50);

/// Notes what is to be settled later.
pub(super) async fn note(
    tx: &mut Tx,
    things: &[Group],
    all: &BTreeSet<(String, All)>,
) -> Result<(), IndexError> {
    let rows: Vec<Vec<Value>> = things.iter().map(|group| group.values().to_vec()).collect();
    tx.insert_many("unsettled", &["author", "id", "status"], &rows, Conflict::Ignore).await?;
    for (author, what) in all {
        // Asked for again while it is being done, it is done once more.
        let sql = "insert into unsettled_all (author, what, n) values ($1, $2, 1)
                   on conflict (author, what) do update set n = unsettled_all.n + 1";
        tx.run(sql, &[author.as_str().into(), what.number().into()]).await?;
    }
    Ok(())
}

/// What is to be written of a thing.
#[derive(Default)]
struct Due {
    gone: Vec<Said>,
    new: Vec<Said>,
    marks: Vec<(String, i64, i64, i64)>,
    /// What the desks must know: on which faces the rows say what its records are.
    marked: Option<i64>,
    findings: Vec<Finding>,
}

impl Follower<'_> {
    /// Settles everything that is noted of an author.
    pub async fn settle_rest(&self, author: &Authority) -> Result<(), IndexError> {
        loop {
            self.settle_noted(author).await?;
            let sql = "select what, n from unsettled_all where author = $1 order by what limit 1";
            let rows = self.index.db().rows(sql, &[author.as_str().into()]).await?;
            let Some(row) = rows.first() else { return Ok(()) };
            let (what, n) = (row.int(0)?, row.int(1)?);
            if what == All::Choices.number() {
                self.every_choice(author).await?;
            } else if what == All::Ranks.number() {
                self.every_rank(author).await?;
            } else {
                self.every_revoked(author).await?;
            }
            let writer = self.writer().await;
            let sql = "delete from unsettled_all where author = $1 and what = $2 and n = $3";
            writer.index.db().run(sql, &[author.as_str().into(), what.into(), n.into()]).await?;
        }
    }

    async fn settle_noted(&self, author: &Authority) -> Result<(), IndexError> {
        loop {
            let sql =
                "select author, id, status from unsettled where author = $1 order by id, status limit $2";
            let rows = self.index.db().rows(sql, &[author.as_str().into(), NOTED.into()]).await?;
            if rows.is_empty() {
                return Ok(());
            }
            for row in &rows {
                self.settle_apart(&Group::of(row)?).await?;
            }
        }
    }

    /// Every thing of an author of whose records there was something to choose.
    async fn every_choice(&self, author: &Authority) -> Result<(), IndexError> {
        let mut behind = String::new();
        loop {
            let sql = "select distinct id from entry where author = $1 and id > $2 and marked <> 0
                       order by id limit $3";
            let values = [author.as_str().into(), behind.as_str().into(), NOTED.into()];
            let rows = self.index.db().rows(sql, &values).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            let first = behind;
            behind = last.text(0)?;
            let writer = self.writer().await;
            let sql = "insert into unsettled (author, id, status)
                       select distinct author, id, status from entry
                       where author = $1 and id > $2 and id <= $3 and marked <> 0 on conflict do nothing";
            let values = [author.as_str().into(), first.as_str().into(), behind.as_str().into()];
            writer.index.db().run(sql, &values).await?;
            drop(writer);
            self.settle_noted(author).await?;
        }
    }

    /// Every entry of an author that a revoked key signed.
    async fn every_revoked(&self, author: &Authority) -> Result<(), IndexError> {
        let mut behind = (String::new(), -1);
        loop {
            // By itself, so that its turn is over before the next one is asked for.
            let last = self.writer().await.disown_some(author, &behind).await?;
            let Some(last) = last else { return Ok(()) };
            behind = last;
            self.settle_noted(author).await?;
        }
    }

    /// Settles one thing, and notes what its records withdraw as far as they are something else now.
    async fn settle_apart(&self, group: &Group) -> Result<(), IndexError> {
        loop {
            let moved = self.writer().await.moved(&group.author);
            let begun = Instant::now();
            let crowded = self.crowded(group).await?;
            if crowded != 0 {
                self.nothing_stands(group, crowded).await?;
            }
            let mut took = begun.elapsed();
            let is_written = {
                // Nobody closes it.
                let _alone = self.index.many.acquire().await.ok();
                let begun = Instant::now();
                let due = self.due(group, (PUBLIC | INSIDE) & !crowded).await?;
                took += begun.elapsed();
                self.write_due(group, due, moved).await?
            };
            if took > LONG {
                tokio::time::sleep(took).await;
            }
            if is_written {
                return Ok(());
            }
        }
    }

    /// What is due on these faces, and on no other.
    async fn due(&self, group: &Group, faces: i64) -> Result<Due, IndexError> {
        if faces == 0 {
            return Ok(Due::default());
        }
        let mut rows = Committed(self.index.db());
        let revocations = revocations(self.source, &mut rows, &group.author).await?;
        let facts = Facts::load(&mut rows, group, faces, &revocations).await?;
        let logs = logs_of(&mut rows, &group.author).await?;
        let mut before = said_of(&mut rows, group).await?;
        let group = group.clone();
        Ok(working(facts.len() * 256, move || {
            let (mut after, marked) = facts.standing(&logs);
            let conflicting = newly_conflicting(&after, &before);
            let (marks, has_changed) = facts.marks(marked);
            leave_the_difference(&mut before, &mut after);
            Due {
                gone: before,
                new: after,
                marks: marks.into_iter().map(|(origin, pos, l, m)| (origin.to_owned(), pos, l, m)).collect(),
                marked: has_changed.then_some(marked | (PUBLIC | INSIDE) & !faces),
                findings: facts.conflicts(&group, &conflicting),
            }
        })
        .await)
    }

    /// Writes what is due in as many turns as it takes. Answers false if something of the author has changed meanwhile: then
    /// what is written is no worse than what was there.
    async fn write_due(&self, group: &Group, due: Due, moved: u64) -> Result<bool, IndexError> {
        let Due { gone, new, marks, marked, findings } = due;
        // First: once their rows are written they are not found again, and more of the author may come before all are.
        self.source.report(findings).await;
        for some in gone.chunks(CHANGED) {
            let writer = self.writer().await;
            if writer.moved(&group.author) != moved {
                return Ok(false);
            }
            let mut tx = writer.index.db().begin().await?;
            for said in some {
                take_away(&mut tx, group, said).await?;
                note_targets(&mut tx, group, &said.name.to_hex()).await?;
            }
            tx.commit().await?;
        }
        for some in new.chunks(CHANGED) {
            let writer = self.writer().await;
            if writer.moved(&group.author) != moved {
                return Ok(false);
            }
            let mut tx = writer.index.db().begin().await?;
            let rows: Vec<Vec<Value>> = some.iter().map(|said| said.row(group)).collect();
            let key = ["author", "name", "basis", "face", "start"];
            tx.insert_many("standing", &COLUMNS, &rows, Conflict::Replace(&key)).await?;
            for said in some {
                note_targets(&mut tx, group, &said.name.to_hex()).await?;
            }
            tx.commit().await?;
        }
        for some in marks.chunks(CHANGED) {
            let writer = self.writer().await;
            if writer.moved(&group.author) != moved {
                return Ok(false);
            }
            let mut tx = writer.index.db().begin().await?;
            for (origin, pos, listed, marked) in some {
                mark_entry(&mut tx, (origin, *pos), *listed, *marked).await?;
            }
            tx.commit().await?;
        }
        let writer = self.writer().await;
        if writer.moved(&group.author) != moved {
            return Ok(false);
        }
        let mut tx = writer.index.db().begin().await?;
        if let Some(marked) = marked {
            desks::marked(&mut tx, &group.author, &group.id, &group.status, marked).await?;
        }
        let sql = "delete from unsettled where author = $1 and id = $2 and status = $3";
        tx.run(sql, &group.values()).await?;
        tx.commit().await?;
        Ok(true)
    }
}

async fn take_away(tx: &mut Tx, group: &Group, said: &Said) -> Result<(), IndexError> {
    let sql =
        "delete from standing where author = $1 and name = $2 and basis = $3 and face = $4 and start = $5
               and id = $6 and status = $7";
    let [name, basis, face, start] = said.key();
    let [author, id, status] = group.values();
    let values = [author, name, basis, face, start, id, status];
    tx.run(sql, &values).await?;
    Ok(())
}

/// What a record withdraws ends otherwise if the record is something else now.
async fn note_targets(tx: &mut Tx, group: &Group, name: &str) -> Result<(), IndexError> {
    let sql = "insert into unsettled (author, id, status)
               select distinct t.author, t.id, t.status from entry x
                 cross join ref r cross join entry t
               where x.author = $1 and x.name = $2 and x.valid = 1 and r.origin = x.origin and r.pos = x.pos
                 and r.relation = 'withdraws' and r.to_author = x.author and t.name = r.to_name
                 and t.author = r.to_author and t.valid = 1 and t.faces <> 0
               on conflict do nothing";
    tx.run(sql, &[group.author.as_str().into(), name.into()]).await?;
    Ok(())
}
