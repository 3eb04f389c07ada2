//! Forgetting: what stays of a record that expired, or whose copies this authority erased, is its place, its
//! name and its outer header. The rows are those of an index that never saw the rest.
//!
//! It deletes rows only. Files and keys are [`crate::erasure`]'s.

use record::{Origin, Record};
use store::db::{DbError, Row, Sql, Tx};

use super::rows::{int, show_outer};
use super::take::{FORGOTTEN, TO_FORGET, faces_of, mark_content};
use super::touched::{Group, Touched};
use super::{Index, IndexError, Writer};
use crate::desks;

/// A record that is to be forgotten.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Forgettable {
    /// Its author.
    pub author: String,
    /// Its name, hex.
    pub name: String,
}

/// Records for whose readers this authority has yet to say that its copies are gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unannounced {
    /// The record.
    pub record: Forgettable,
    /// `public`, or the readers of a log that holds it.
    pub readers: String,
    /// `actual`, `exercise` or `test`.
    pub status: String,
}

impl Index {
    /// What is to be forgotten now: what expired at `now` (seconds since 1970) or before, and what this
    /// authority has erased, as far as rows or files of it may still be here.
    pub async fn overdue(&self, now: i64) -> Result<Vec<Forgettable>, IndexError> {
        // Each half finds its few rows by an index of its own; `content in (4, 5)` is what one of them is made of.
        let sql = "select author, name from entry where valid = 1 and content in (4, 5) and content = 5
                   union
                   select author, name from entry where valid = 1 and expires is not null and expires <= $1
                     and content <> 4
                   order by author, name";
        let rows = self.db.rows(sql, &[now.into()]).await?;
        Ok(rows.iter().map(forgettable).collect::<Result<_, _>>()?)
    }

    /// When the next record expires, seconds since 1970.
    pub async fn next_expiry(&self) -> Result<Option<i64>, IndexError> {
        let sql = "select min(expires) from entry where expires is not null and valid = 1 and content <> 4";
        Ok(self.db.rows(sql, &[]).await?.first().map(|row| row.opt_int(0)).transpose()?.flatten())
    }

    /// The last `expires` of the records that were sealed from `from` until `until` and are still readable.
    pub async fn last_expiry(&self, from: i64, until: i64) -> Result<Option<i64>, IndexError> {
        let sql = "select max(expires) from entry
                   where expires is not null and valid = 1 and content <> 4 and released >= $1 and released < $2";
        let rows = self.db.rows(sql, &[from.into(), until.into()]).await?;
        Ok(rows.first().map(|row| row.opt_int(0)).transpose()?.flatten())
    }

    /// The hashes of the files that hold a record's content, sealed or public, with every log that names them.
    pub async fn files_of(&self, record: &Forgettable) -> Result<Vec<(String, String)>, IndexError> {
        let sql = "select b.origin, b.sha256 from blob b join entry e on e.origin = b.origin and e.pos = b.pos
                   where e.author = $1 and e.name = $2 and (e.sealed = 0 or b.n >= 1000) order by b.origin, b.n";
        let rows = self.db.rows(sql, &[record.author.as_str().into(), record.name.as_str().into()]).await?;
        Ok(rows.iter().map(|row| Ok((row.text(0)?, row.text(1)?))).collect::<Result<_, DbError>>()?)
    }

    /// The logs in which a record that is neither forgotten nor overdue names this file.
    pub async fn needed_in(&self, sha256: &str, now: i64) -> Result<Vec<String>, IndexError> {
        let sql = "select distinct b.origin from blob b join entry e on e.origin = b.origin and e.pos = b.pos
                   where b.sha256 = $1 and (e.sealed = 0 or b.n >= 1000) and e.valid = 1
                     and e.content not in (4, 5) and (e.expires is null or e.expires > $2)";
        let rows = self.db.rows(sql, &[sha256.into(), now.into()]).await?;
        Ok(rows.iter().map(|row| row.text(0)).collect::<Result<_, DbError>>()?)
    }

    /// Does only what was forgotten name this file?
    pub async fn is_forgotten(&self, sha256: &str, now: i64) -> Result<bool, IndexError> {
        let sql = "select 1 from blob where sha256 = $1 limit 1";
        let is_named = !self.db.rows(sql, &[sha256.into()]).await?.is_empty();
        Ok(is_named && self.needed_in(sha256, now).await?.is_empty())
    }

    /// What a record acts on that is still here: the edition before it, or what it withdraws. Forgotten before that, it would
    /// speak again at this node alone.
    pub async fn acts_on(&self, record: &Forgettable) -> Result<Option<String>, IndexError> {
        let here = "t.valid = 1 and t.content not in (4, 5)";
        let before = "select t.name from entry e join entry t on t.author = e.author and t.id = e.id and t.status = e.status
                      where e.author = $1 and e.name = $2 and e.valid = 1 and t.edition < e.edition and ";
        let withdrawn = "select t.name from entry e join ref r on r.origin = e.origin and r.pos = e.pos
                         join entry named on named.author = e.author and named.name = r.to_name
                         join entry t on t.author = named.author and t.id = named.id and t.status = e.status
                         where e.author = $1 and e.name = $2 and e.valid = 1 and r.relation = 'withdraws'
                           and r.to_author = e.author and ";
        for which in [before, withdrawn] {
            let mut sql = Sql::from(which);
            sql.push(here).push(" order by t.edition, t.name limit 1");
            let values = [record.author.as_str().into(), record.name.as_str().into()];
            if let Some(row) = self.db.rows(sql, &values).await?.first() {
                return Ok(Some(row.text(0)?));
            }
        }
        Ok(None)
    }

    /// Records that are forgotten here, and of which this authority has released no `erases` to their readers.
    pub async fn unannounced(&self) -> Result<Vec<Unannounced>, IndexError> {
        let sql = "select distinct e.author, e.name, l.readers, e.status from entry e
                   join log l on l.origin = e.origin
                   where e.content in (4, 5) and e.content = 4 and e.valid = 1 and l.readers <> '' and not exists (
                     select 1 from ref r join entry x on x.origin = r.origin and x.pos = r.pos
                       join log y on y.origin = x.origin
                     where r.relation = 'erases' and x.kind = 'erasure' and r.to_author = e.author and r.to_name = e.name
                       and x.author = $1 and x.valid = 1 and y.readers = l.readers)
                   order by l.readers, e.status, e.author, e.name";
        let rows = self.db.rows(sql, &[self.own.as_str().into()]).await?;
        let one = |row: &Row| {
            Ok::<_, DbError>(Unannounced {
                record: forgettable(row)?,
                readers: row.text(2)?,
                status: row.text(3)?,
            })
        };
        Ok(rows.iter().map(one).collect::<Result<_, _>>()?)
    }
}

impl Writer<'_> {
    /// Forgets a record: in the tables that every desk builds on, and at the desks.
    pub async fn forget(&mut self, record: &Forgettable) -> Result<(), IndexError> {
        let (author, name) = (record.author.as_str(), record.name.as_str());
        let sql = "select origin, pos from entry where author = $1 and name = $2 and valid = 1";
        let mut places = Vec::new();
        for row in self.index.db().rows(sql, &[author.into(), name.into()]).await? {
            let (origin, pos) = (row.text(0)?, row.uint(1)?);
            let entry = self.index.entry(self.source, (&origin, pos)).await?;
            let sealed = entry.map(|(record, _)| record).filter(Record::is_sealed);
            places.push((origin, pos, sealed));
        }
        let mut touched = Touched::default();
        self.moves(author);
        let mut tx = self.index.db().begin().await?;
        for (origin, pos, _) in &places {
            touched.add(Group::of_row(&mut tx, origin, *pos).await?);
            touched.targets_of(&mut tx, origin, *pos).await?;
        }
        desks::forget(&mut tx, author, name).await?;
        // What stands of it may be said under another thing from now on.
        tx.run("delete from standing where author = $1 and name = $2", &[author.into(), name.into()]).await?;
        for (origin, pos, sealed) in &places {
            if let Some(record) = sealed {
                // Of what was forgotten the outer header is left, which every reader of the log may see.
                show_outer(&mut tx, (origin, *pos), &record.header).await?;
                let sql = "update entry set faces = $3, listed = $3 where origin = $1 and pos = $2";
                let faces = faces_of(&record.header.log).into();
                tx.run(sql, &[origin.as_str().into(), int(*pos), faces]).await?;
                // Under the outer header it is a thing of its own, which may be disowned.
                touched.add(Group::of_row(&mut tx, origin, *pos).await?);
            }
            mark_content(&mut tx, origin, *pos, FORGOTTEN).await?;
        }
        let findings = self.settle(&mut tx, touched).await?;
        tx.commit().await?;
        self.source.report(findings).await;
        Ok(())
    }

    /// Marks a record as one that is to be forgotten, whatever happens next.
    pub async fn to_forget(&mut self, record: &Forgettable) -> Result<(), IndexError> {
        let sql =
            "update entry set content = 5 where author = $1 and name = $2 and valid = 1 and content <> 4";
        self.index.db().run(sql, &[record.author.as_str().into(), record.name.as_str().into()]).await?;
        Ok(())
    }

    /// Entries that this authority has erased before they came here (again) are to be forgotten.
    pub(super) async fn keep_erased(
        &self,
        tx: &mut Tx,
        origin: &Origin,
        first: u64,
        end: u64,
    ) -> Result<(), DbError> {
        // An erasure in this batch names entries anywhere; entries of this batch may be named anywhere.
        for sql in [
            "update entry set content = 5 where origin = $1 and pos >= $2 and pos < $3 and valid = 1
               and content not in (4, 5) and exists (
                 select 1 from ref r join entry x on x.origin = r.origin and x.pos = r.pos
                 where r.relation = 'erases' and x.kind = 'erasure' and r.to_author = entry.author and r.to_name = entry.name
                   and x.author = $4 and x.valid = 1)",
            // The names first, by themselves: a list that depended on the row would be asked of every row there is.
            "update entry set content = 5 where valid = 1 and content not in (4, 5) and name in (
               select r.to_name from ref r
               where r.origin = $1 and r.pos >= $2 and r.pos < $3 and r.relation = 'erases')
             and exists (
               select 1 from ref r join entry x on x.origin = r.origin and x.pos = r.pos
               where r.origin = $1 and r.pos >= $2 and r.pos < $3 and r.relation = 'erases' and x.kind = 'erasure'
                 and r.to_name = entry.name and r.to_author = entry.author and x.author = $4 and x.valid = 1)",
        ] {
            let values = [origin.to_string().into(), int(first), int(end), self.index.own.as_str().into()];
            tx.run(sql, &values).await?;
        }
        debug_assert_eq!((FORGOTTEN, TO_FORGET), (4, 5), "as the queries here say");
        Ok(())
    }
}

fn forgettable(row: &Row) -> Result<Forgettable, DbError> {
    Ok(Forgettable { author: row.text(0)?, name: row.text(1)? })
}
