//! Forgetting: what stays of a record that expired, or whose copies this authority erased, is its place, its
//! name and its outer header. The rows are those of an index that never saw the rest.
//!
//! It deletes rows only. Files and keys are [`crate::erasure`]'s.

use record::{Record, Relation};
use store::db::{DbError, Row, Tx, Value};

use super::content::{Content, ContentSource, Opening};
use super::replay::{FORGOTTEN, TO_FORGET, conflicts, settle};
use super::{Index, IndexError};
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

/// A place in a log.
struct Place {
    origin: String,
    pos: u64,
}

/// A record that is replayed again, because something before it is gone.
struct Again {
    place: Place,
    here: Option<i64>,
    record: Record,
    inner: Option<record::Header>,
    content: Content,
}

impl Index {
    /// What is to be forgotten now: what expired at `now` (seconds since 1970) or before, and what this
    /// authority has erased, as far as rows or files of it may still be here.
    pub async fn overdue(&self, now: i64) -> Result<Vec<Forgettable>, IndexError> {
        let sql = "select distinct author, name from entry
                   where valid = 1 and (content = 5 or (expires <= $1 and content <> 4)) order by author, name";
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
                   where expires is not null and valid = 1 and content <> 4 and sealed_at >= $1 and sealed_at < $2";
        let rows = self.db.rows(sql, &[from.into(), until.into()]).await?;
        Ok(rows.first().map(|row| row.opt_int(0)).transpose()?.flatten())
    }

    /// Marks a record as one that is to be forgotten, whatever happens next.
    pub async fn to_forget(&self, record: &Forgettable) -> Result<(), IndexError> {
        let sql =
            "update entry set content = 5 where author = $1 and name = $2 and valid = 1 and content <> 4";
        self.db.run(sql, &[record.author.as_str().into(), record.name.as_str().into()]).await?;
        Ok(())
    }

    /// The hashes of the files that hold a record's content, sealed or public, with every log that names them.
    pub async fn files_of(&self, record: &Forgettable) -> Result<Vec<(String, String)>, IndexError> {
        let sql = "select b.origin, b.sha256 from blob b join entry e on e.origin = b.origin and e.pos = b.pos
                   where e.author = $1 and e.name = $2 and (e.sealed = 0 or b.n >= 1000) order by b.origin, b.n";
        let rows = self.db.rows(sql, &[record.author.as_str().into(), record.name.as_str().into()]).await?;
        Ok(rows.iter().map(|row| Ok((row.text(0)?, row.text(1)?))).collect::<Result<_, DbError>>()?)
    }

    /// Does a record that is neither forgotten nor overdue name this file?
    pub async fn is_needed(&self, sha256: &str, now: i64) -> Result<bool, IndexError> {
        let sql = "select 1 from blob b join entry e on e.origin = b.origin and e.pos = b.pos
                   where b.sha256 = $1 and (e.sealed = 0 or b.n >= 1000) and e.valid = 1
                     and e.content not in (4, 5) and (e.expires is null or e.expires > $2) limit 1";
        Ok(!self.db.rows(sql, &[sha256.into(), now.into()]).await?.is_empty())
    }

    /// Does only what was forgotten name this file?
    pub async fn is_forgotten(&self, sha256: &str, now: i64) -> Result<bool, IndexError> {
        let sql = "select 1 from blob where sha256 = $1 limit 1";
        let is_named = !self.db.rows(sql, &[sha256.into()]).await?.is_empty();
        Ok(is_named && !self.is_needed(sha256, now).await?)
    }

    /// Records that are forgotten here, and of which this authority has released no `erases` to their readers.
    pub async fn unannounced(&self) -> Result<Vec<Unannounced>, IndexError> {
        let sql = "select distinct e.author, e.name, l.readers, e.status from entry e
                   join log l on l.origin = e.origin
                   where e.content = 4 and e.valid = 1 and l.readers <> '' and not exists (
                     select 1 from ref r join entry x on x.origin = r.origin and x.pos = r.pos
                       join log y on y.origin = x.origin
                     where r.relation = 'erases' and r.to_author = e.author and r.to_name = e.name
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

    /// Entries that this authority has erased before they came here (again) are to be forgotten.
    pub(super) async fn keep_erased(
        &self,
        tx: &mut Tx,
        origin: &str,
        first: u64,
        last: u64,
    ) -> Result<(), DbError> {
        // An erasure in this batch names entries anywhere; entries of this batch may be named anywhere.
        let sql = "update entry set content = 5 where valid = 1 and content not in (4, 5) and (
                     (origin = $1 and pos between $2 and $3 and exists (
                       select 1 from ref r join entry x on x.origin = r.origin and x.pos = r.pos
                       where r.relation = 'erases' and r.to_author = entry.author and r.to_name = entry.name
                         and x.author = $4 and x.valid = 1))
                     or name in (
                       select r.to_name from ref r join entry x on x.origin = r.origin and x.pos = r.pos
                       where r.relation = 'erases' and r.origin = $1 and r.pos between $2 and $3
                         and r.to_author = entry.author and x.author = $4 and x.valid = 1))";
        let values = [origin.into(), int(first), int(last), self.own.as_str().into()];
        tx.run(sql, &values).await.map(drop)
    }

    /// Forgets a record: in the tables that every desk builds on, and at the desks. What of other records depended
    /// on it is replayed again.
    pub async fn forget(&self, record: &Forgettable, contents: &dyn ContentSource) -> Result<(), IndexError> {
        let (author, name) = (record.author.as_str(), record.name.as_str());
        let sql = "select origin, pos, sealed from entry where author = $1 and name = $2 and valid = 1";
        let mut outer = Vec::new();
        for row in self.db.rows(sql, &[author.into(), name.into()]).await? {
            let place = Place { origin: row.text(0)?, pos: row.uint(1)? };
            let sealed = row.int(2)? == 1;
            let kept = contents.record(&place.origin, place.pos).await.filter(|_| sealed);
            outer.push((place, kept));
        }
        let again = self.dependent(author, name, contents).await?;
        let mut tx = self.db.begin().await?;
        desks::forget(&mut tx, author, name).await?;
        for one in &again {
            desks::forget(&mut tx, author, &one.record.name().to_hex()).await?;
        }
        forget_marks(&mut tx, author, name).await?;
        for (place, kept) in &outer {
            forget_row(&mut tx, place, kept.as_ref()).await?;
        }
        for one in &again {
            let Place { origin, pos } = &one.place;
            let (name, sealed) = (one.record.name(), one.record.is_sealed());
            let header = one.inner.as_ref().unwrap_or(&one.record.header);
            settle(&mut tx, origin, *pos, name, sealed, one.here, header, &one.content).await?;
            // What is found again was found before.
            conflicts(&mut tx, origin, *pos, *pos).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// The other editions of what the record is one of, and what withdraws one of them: in the order of their logs.
    async fn dependent(
        &self,
        author: &str,
        name: &str,
        contents: &dyn ContentSource,
    ) -> Result<Vec<Again>, IndexError> {
        let sql = "select e.origin, e.pos, e.here, e.root_version from entry e
                   where e.author = $1 and e.name <> $2 and e.valid = 1 and e.content = 1
                     and (e.sealed = 0 or e.opened = 1) and (
                       exists (select 1 from entry g where g.author = $1 and g.name = $2 and g.id = e.id)
                       or exists (select 1 from ref r join entry t on t.name = r.to_name and t.author = $1
                                    join entry g on g.author = $1 and g.name = $2 and g.id = t.id
                                  where r.origin = e.origin and r.pos = e.pos and r.relation = $3
                                    and r.to_author = $1))
                   order by e.released, e.origin, e.pos";
        let values = [author.into(), name.into(), Relation::Withdraws.as_str().into()];
        let mut again = Vec::new();
        for row in self.db.rows(sql, &values).await? {
            let place = Place { origin: row.text(0)?, pos: row.uint(1)? };
            let (here, root) = (row.opt_int(2)?, row.uint(3)?);
            let Some(record) = contents.record(&place.origin, place.pos).await else { continue };
            if let Opening::Whole { inner, content } = contents.open(&record, root).await? {
                again.push(Again { place, here, record, inner, content });
            }
        }
        Ok(again)
    }
}

fn forgettable(row: &Row) -> Result<Forgettable, DbError> {
    Ok(Forgettable { author: row.text(0)?, name: row.text(1)? })
}

fn int(n: u64) -> Value {
    Value::Int(i64::try_from(n).unwrap_or(i64::MAX))
}

/// What the record had changed in the rows of others.
async fn forget_marks(tx: &mut Tx, author: &str, name: &str) -> Result<(), DbError> {
    for sql in [
        "update entry set superseded_by = null where author = $1 and superseded_by = $2",
        "update entry set withdrawn_by = null where author = $1 and withdrawn_by = $2",
        "update entry set conflicting = 0 where author = $1 and conflicting = 1
           and id in (select id from entry where author = $1 and name = $2)",
    ] {
        tx.run(sql, &[author.into(), name.into()]).await?;
    }
    Ok(())
}

/// Back to what the outer header says. What a public log says in the open stays as it is.
async fn forget_row(tx: &mut Tx, place: &Place, outer: Option<&Record>) -> Result<(), DbError> {
    let Place { origin, pos } = place;
    let here = [Value::from(origin.as_str()), int(*pos)];
    if let Some(header) = outer.map(|record| &record.header) {
        for sql in [
            "delete from blob where origin = $1 and pos = $2 and n < 1000",
            "delete from ref where origin = $1 and pos = $2",
            "delete from about where origin = $1 and pos = $2",
            "delete from refusal where origin = $1 and pos = $2",
        ] {
            tx.run(sql, &here).await?;
        }
        let values = [
            header.kind.as_str().into(),
            header.id.to_string().into(),
            i64::from(header.edition).into(),
            header.released.posix().into(),
            origin.as_str().into(),
            int(*pos),
        ];
        let sql = "update entry set kind = $1, id = $2, edition = $3, supersedes = null, mechanism = null,
                   released = $4, opened = 0 where origin = $5 and pos = $6";
        tx.run(sql, &values).await?;
    }
    debug_assert_eq!((FORGOTTEN, TO_FORGET), (4, 5), "as the queries here say");
    let [origin, pos] = here;
    tx.run("update entry set content = 4 where origin = $1 and pos = $2", &[origin, pos]).await.map(drop)
}
