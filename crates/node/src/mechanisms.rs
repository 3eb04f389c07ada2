//! Standing groups: the charters and acceptances that this node could open, and what follows from them.
//!
//! Charters are sealed to their parties, so this table belongs to the inside face alone. What is in force is
//! computed by [`record::charter::Mechanisms`] of the facts that [`bounded`] chooses, and kept in memory while the index and
//! the pinned roots stay as they are; nothing is remembered beside the records.

mod bounded;
mod kept;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeMap;

use record::charter::{Fact, Mechanisms, Place};
use record::{
    Authority, Fingerprint, Header, Line, MechanismId, Origin, Ref, Relation, Status, Time, Ulid, kind,
};
use store::db::{Conflict, Db, DbError, Migration, Row, Tx};
use tlog::hash::Hash;

use crate::index::IndexedEntry;

pub use bounded::{MOST_ANSWERS, MOST_CHARTERS};
pub use kept::Kept;

/// The table of facts, and the order in which they are chosen. A new name of the first asks for one of the second.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        name: "mechanism-4",
        sql: "
create table sealed_mechanism_fact (
  origin text not null, pos {bigint} not null, name text not null, author text not null, kind text not null,
  status text not null, released {bigint} not null, supersedes text, mechanism text,
  charter text not null, accepts text not null,
  primary key (origin, pos)
);
",
    },
    Migration {
        name: "mechanism-order-1",
        sql: "
create index sealed_mechanism_fact_order
  on sealed_mechanism_fact (kind, author, status, released, origin, pos, name);
",
    },
];

/// Kinds that are facts of mechanisms.
pub fn is_fact(kind: &str) -> bool {
    matches!(kind, kind::CHARTER | kind::ACCEPT | kind::LEAVE)
}

/// The columns of a fact.
const COLUMNS: [&str; 11] = [
    "origin",
    "pos",
    "name",
    "author",
    "kind",
    "status",
    "released",
    "supersedes",
    "mechanism",
    "charter",
    "accepts",
];

/// Takes a charter, an acceptance or a leave.
pub async fn take(tx: &mut Tx, entry: &IndexedEntry<'_>) -> Result<(), DbError> {
    let header = entry.header;
    let charter: Vec<String> = header.own.iter().map(|l| format!("{} {}", l.key(), l.value())).collect();
    let accepts: Vec<String> =
        header.refs_of(Relation::Accepts).map(|r| format!("{}/{}", r.author, r.name)).collect();
    let row = vec![
        entry.origin.into(),
        entry.pos.into(),
        entry.name.into(),
        header.author.as_str().into(),
        header.kind.as_str().into(),
        header.status.as_str().into(),
        entry.released.into(),
        header.supersedes.map(|h| h.to_hex()).into(),
        header.mechanism.as_ref().map(|m| m.as_str().to_owned()).into(),
        charter.join("\n").into(),
        accepts.join(" ").into(),
    ];
    tx.insert_many("sealed_mechanism_fact", &COLUMNS, &[row], Conflict::Ignore).await?;
    Ok(())
}

/// Forgets what a record said.
pub async fn forget(tx: &mut Tx, author: &str, name: &str) -> Result<(), DbError> {
    let values = [author.into(), name.into()];
    tx.run("delete from sealed_mechanism_fact where author = $1 and name = $2", &values).await.map(drop)
}

/// What this node knows of mechanisms.
#[derive(Debug, Default)]
pub struct Known {
    /// The mechanisms.
    pub mechanisms: Mechanisms,
    /// Authors of more than is looked at, and how much of it is left out.
    pub left_out: BTreeMap<String, u64>,
}

/// Mechanisms as this node knows them.
pub async fn load(
    db: &Db,
    fingerprint_of: impl Fn(&Authority) -> Option<Fingerprint>,
) -> Result<Known, DbError> {
    let chains = load_chains(db).await?;
    let read = |row: &Row| Ok(fact(row, &chains, &fingerprint_of)?.unwrap_or_default());
    let (facts, left_out) = bounded::facts(db, read).await?;
    Ok(Known { mechanisms: Mechanisms::replay(facts), left_out })
}

/// Where a log stands among those of its author that `previous` joins: the first of them, and how many are
/// between.
type Chains = BTreeMap<Origin, (Origin, u32)>;

/// The chains of all logs that are here, and of those before.
async fn load_chains(db: &Db) -> Result<Chains, DbError> {
    let mut previous = Vec::new();
    for row in db.rows("select origin, previous from log", &[]).await? {
        let before = row.opt_text(1)?.and_then(|before| before.parse::<Origin>().ok());
        previous.extend(row.text(0)?.parse::<Origin>().ok().map(|origin| (origin, before)));
    }
    Ok(record::standing::lines(previous, |log, before| log.authority == before.authority))
}

/// The facts of a row; `None` if its author is not known any more or the record is no proper fact.
fn fact(
    row: &Row,
    chains: &Chains,
    fingerprint_of: &impl Fn(&Authority) -> Option<Fingerprint>,
) -> Result<Option<Vec<Fact>>, DbError> {
    let (origin, author): (String, String) = (row.text(0)?, row.text(3)?);
    let (name, status, kind) = (row.text(2)?, row.text(5)?, row.text(4)?);
    let (supersedes, mechanism) = (row.opt_text(7)?, row.opt_text(8)?);
    let (charter, accepts) = (row.text(9)?, row.text(10)?);
    let (index, released) = (row.uint(1)?, row.int(6)?);
    Ok((|| {
        let origin: Origin = origin.parse().ok()?;
        let author: Authority = author.parse().ok()?;
        let released = Time::from_posix(released)?;
        let header = Header {
            log: origin.clone(),
            kind,
            id: Ulid::new(0, [0; 10]),
            edition: 1,
            supersedes: supersedes.and_then(|h| Hash::from_hex(&h).ok()),
            released,
            status: status.parse::<Status>().ok()?,
            mechanism: mechanism.and_then(|m| m.parse::<MechanismId>().ok()),
            about: Vec::new(),
            usage: None,
            refs: accepts.split(' ').filter_map(accepted).collect(),
            anchors: Vec::new(),
            blobs: Vec::new(),
            expires: None,
            own: charter
                .lines()
                .filter_map(|l| Line::new(l.split_once(' ')?.0, l.split_once(' ')?.1).ok())
                .collect(),
            author: author.clone(),
        };
        let (chain, part) = chains.get(&origin).cloned().unwrap_or((origin, 0));
        let place = Place { chain, part, index, released };
        Fact::of(&header, Hash::from_hex(&name).ok()?, fingerprint_of(&author)?, &place).ok()
    })())
}

fn accepted(text: &str) -> Option<Ref> {
    let (author, name) = text.split_once('/')?;
    Some(Ref { relation: Relation::Accepts, author: author.parse().ok()?, name: Hash::from_hex(name).ok()? })
}
