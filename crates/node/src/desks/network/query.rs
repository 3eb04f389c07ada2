//! What the core tables say of authorities and logs, as far as a face may see it.

use crate::asof::AsOf;
use crate::desks::record::query::{known, moment, visible};
use crate::face::Face;
use store::db::{Db, DbError, Row, Sql};

/// An authority.
#[derive(Clone, Debug)]
pub struct Authority {
    /// Its DNS name.
    pub authority: String,
    /// Fingerprint of its first root.
    pub fingerprint: String,
    /// Country or organisation code.
    pub code: Option<String>,
    /// The name shown.
    pub name: String,
    /// What it is to us; nothing for this node itself.
    pub role: Option<String>,
    /// `self`, `proposed` or `confirmed`.
    pub standing: String,
    /// Whether an operator left it out of what desks show.
    pub left_out: bool,
    /// Where it is reached.
    pub endpoint: String,
    /// Version of its newest root.
    pub root_version: i64,
    /// Until when that root is meant to hold.
    pub root_until: i64,
}

/// A log.
#[derive(Clone, Debug)]
pub struct Log {
    /// Its origin.
    pub origin: String,
    /// Its author.
    pub authority: String,
    /// `public`, or the names of its readers.
    pub readers: String,
    /// Entries verified here.
    pub size: i64,
    /// Root of its tree, hex.
    pub root: String,
    /// Whether it is this node's own.
    pub own: bool,
    /// Whether it was closed.
    pub closed: bool,
    /// Hash of its witness policy.
    pub policy: String,
    /// The version of its author's root in force at its end.
    pub root_version: i64,
    /// When its newest record says that it was released.
    pub newest: Option<i64>,
    /// Entries that the newest `seen` checkpoint covers.
    pub seen: Option<i64>,
    /// Authorities that have cosigned it.
    pub witnesses: i64,
    /// Readers that have given a receipt for it.
    pub holders: i64,
}

/// Authorities, this node's own first. The public sees no proposal that a second operator has not confirmed.
pub async fn authorities(db: &Db, face: Face) -> Result<Vec<Authority>, DbError> {
    let mut sql = Sql::from(
        "select authority, fingerprint, code, shown_name, role, standing, endpoint, root_version, root_until, left_out
         from authority where ",
    );
    sql.push(match face {
        Face::Public => "standing in ('self', 'confirmed')",
        Face::Inside => "1 = 1",
    });
    sql.push(" order by case when standing = 'self' then 0 else 1 end, shown_name, authority");
    db.rows(sql, &[])
        .await?
        .iter()
        .map(|row| {
            Ok(Authority {
                authority: row.text(0)?,
                fingerprint: row.text(1)?,
                code: row.opt_text(2)?,
                name: row.text(3)?,
                role: Some(row.text(4)?).filter(|role| role != "self"),
                standing: row.text(5)?,
                endpoint: row.text(6)?,
                root_version: row.int(7)?,
                root_until: row.int(8)?,
                left_out: row.int(9)? == 1,
            })
        })
        .collect()
}

fn audience(face: Face) -> &'static str {
    match face {
        Face::Public => "l.audience = 'public'",
        Face::Inside => "1 = 1",
    }
}

const LOG: &str =
    "select l.origin, l.authority, l.readers, l.size, l.root, l.own, l.closed, l.policy, l.root_version,
  (select e.released from entry e where e.origin = l.origin order by e.pos desc limit 1),
  (select c.size from cosignature c where c.origin = l.origin order by c.seen desc limit 1),
  (select count(distinct c.authority) from cosignature c where c.origin = l.origin),
  (select count(distinct r.authority) from receipt r where r.origin = l.origin)
  from log l where ";

/// Logs, of one author or of all.
pub async fn logs(db: &Db, face: Face, authority: Option<&str>) -> Result<Vec<Log>, DbError> {
    let mut sql = Sql::from(LOG);
    sql.push(audience(face));
    if authority.is_some() {
        sql.push(" and l.authority = $1");
    }
    sql.push(" order by l.authority, l.audience, l.year desc, l.origin");
    let values: Vec<_> = authority.map(Into::into).into_iter().collect();
    db.rows(sql, &values).await?.iter().map(log).collect()
}

/// One log.
pub async fn log_of(db: &Db, face: Face, origin: &str) -> Result<Option<Log>, DbError> {
    let mut sql = Sql::from(LOG);
    sql.push(audience(face)).push(" and l.origin = $1");
    db.rows(sql, &[origin.into()]).await?.first().map(log).transpose()
}

fn log(row: &Row) -> Result<Log, DbError> {
    Ok(Log {
        origin: row.text(0)?,
        authority: row.text(1)?,
        readers: row.text(2)?,
        size: row.int(3)?,
        root: row.text(4)?,
        own: row.int(5)? != 0,
        closed: row.int(6)? != 0,
        policy: row.text(7)?,
        root_version: row.int(8)?,
        newest: row.opt_int(9)?,
        seen: row.opt_int(10)?,
        witnesses: row.int(11)?,
        holders: row.int(12)?,
    })
}

/// What a log holds, as of the moment: kinds with their counts, the most frequent first.
pub async fn kinds(db: &Db, face: Face, as_of: AsOf, origin: &str) -> Result<Vec<(String, i64)>, DbError> {
    let mut sql = Sql::from(
        "select e.kind, count(*) from entry e join log l on l.origin = e.origin
         where e.origin = $2 and e.valid = 1 and ",
    );
    sql.push(visible(face)).push(" and ").append(&known(as_of.basis));
    sql.push(" group by e.kind order by count(*) desc, e.kind");
    let rows = db.rows(sql, &[moment(as_of), origin.into()]).await?;
    rows.iter().map(|row| Ok((row.text(0)?, row.int(1)?))).collect()
}

/// Who has seen or who holds a log.
#[derive(Clone, Debug)]
pub struct Party {
    /// Who.
    pub authority: String,
    /// Under which key; empty for readers.
    pub key: String,
    /// The first time.
    pub first: i64,
    /// The latest time.
    pub latest: i64,
    /// The most entries.
    pub size: i64,
}

/// Witnesses of a log, as of the moment (a cosignature's time is its own).
pub async fn witnesses(db: &Db, as_of: AsOf, origin: &str) -> Result<Vec<Party>, DbError> {
    let sql = "select authority, key_name, min(time), max(time), max(size) from cosignature
               where origin = $2 and time <= $1 group by authority, key_name order by authority, key_name";
    parties(&db.rows(sql, &[moment(as_of), origin.into()]).await?)
}

/// Readers that hold a log, as of the moment.
pub async fn holders(db: &Db, as_of: AsOf, origin: &str) -> Result<Vec<Party>, DbError> {
    let sql = "select authority, '', min(time), max(time), max(size) from receipt
               where origin = $2 and time <= $1 group by authority order by authority";
    parties(&db.rows(sql, &[moment(as_of), origin.into()]).await?)
}

/// A reader that holds a log.
#[derive(Clone, Debug)]
pub struct Holding {
    /// The log.
    pub origin: String,
    /// Entries of it that are here.
    pub total: i64,
    /// Who and since when.
    pub party: Party,
}

/// Who holds which log since when, as of the moment: of all logs, or only what one reader holds.
pub async fn holdings(
    db: &Db,
    face: Face,
    as_of: AsOf,
    reader: Option<&str>,
) -> Result<Vec<Holding>, DbError> {
    let mut sql = Sql::from(
        "select l.origin, l.size, r.authority, min(r.time), max(r.time), max(r.size)
         from receipt r join log l on l.origin = r.origin where r.time <= $1 and ",
    );
    sql.push(audience(face));
    let mut values = vec![moment(as_of)];
    if let Some(reader) = reader {
        values.push(reader.into());
        sql.push(" and r.authority = $2");
    }
    sql.push(" group by l.origin, l.size, r.authority order by l.origin, r.authority");
    db.rows(sql, &values)
        .await?
        .iter()
        .map(|row| {
            Ok(Holding {
                origin: row.text(0)?,
                total: row.int(1)?,
                party: Party {
                    authority: row.text(2)?,
                    key: String::new(),
                    first: row.int(3)?,
                    latest: row.int(4)?,
                    size: row.int(5)?,
                },
            })
        })
        .collect()
}

fn parties(rows: &[Row]) -> Result<Vec<Party>, DbError> {
    rows.iter()
        .map(|row| {
            Ok(Party {
                authority: row.text(0)?,
                key: row.text(1)?,
                first: row.int(2)?,
                latest: row.int(3)?,
                size: row.int(4)?,
            })
        })
        .collect()
}
