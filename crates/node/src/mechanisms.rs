//! Standing groups: the charters and acceptances that this node could open, and what follows from them.
//!
//! Charters are sealed to their parties, so this table belongs to the inside face alone. What is in force is
//! computed by [`record::charter::Mechanisms`] each time; nothing is remembered beside the records.

use std::collections::BTreeMap;

use record::charter::{Fact, Mechanisms, Place};
use record::{
    Authority, Fingerprint, Header, Line, MechanismId, Origin, Ref, Relation, Status, Time, Ulid, kind,
};
use store::db::{Conflict, Db, DbError, Migration, Row, Tx};
use tlog::hash::Hash;

use crate::index::IndexedEntry;
use crate::node::Node;

/// The table of facts.
pub const MIGRATIONS: &[Migration] = &[Migration {
    name: "mechanism-4",
    sql: "
create table sealed_mechanism_fact (
  origin text not null, pos {bigint} not null, name text not null, author text not null, kind text not null,
  status text not null, released {bigint} not null, supersedes text, mechanism text,
  charter text not null, accepts text not null,
  primary key (origin, pos)
);
",
}];

/// Kinds that are facts of mechanisms.
pub fn is_fact(kind: &str) -> bool {
    matches!(kind, kind::CHARTER | kind::ACCEPT | kind::LEAVE)
}

/// Takes a charter, an acceptance or a leave.
pub async fn take(tx: &mut Tx, entry: &IndexedEntry<'_>) -> Result<(), DbError> {
    let header = entry.header;
    let charter: Vec<String> = header.own.iter().map(|l| format!("{} {}", l.key(), l.value())).collect();
    let accepts: Vec<String> =
        header.refs_of(Relation::Accepts).map(|r| format!("{}/{}", r.author, r.name)).collect();
    let columns = [
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
    tx.insert_many("sealed_mechanism_fact", &columns, &[row], Conflict::Ignore).await?;
    Ok(())
}

/// Forgets what a record said.
pub async fn forget(tx: &mut Tx, author: &str, name: &str) -> Result<(), DbError> {
    let values = [author.into(), name.into()];
    tx.run("delete from sealed_mechanism_fact where author = $1 and name = $2", &values).await.map(drop)
}

/// Mechanisms as this node knows them.
pub async fn load(
    db: &Db,
    fingerprint_of: impl Fn(&Authority) -> Option<Fingerprint>,
) -> Result<Mechanisms, DbError> {
    let sql =
        "select f.origin, f.pos, f.name, f.author, f.kind, f.status, f.released, f.supersedes, f.mechanism, f.charter, f.accepts
               from sealed_mechanism_fact f where not exists (
                 select 1 from entry e where e.origin = f.origin and e.pos = f.pos and e.disowned <> 0)
               order by f.origin, f.pos";
    let chains = load_chains(db).await?;
    let mut facts = Vec::new();
    for row in db.rows(sql, &[]).await? {
        facts.extend(fact(&row, &chains, &fingerprint_of)?.unwrap_or_default());
    }
    Ok(Mechanisms::replay(facts))
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

impl Node {
    /// Mechanisms as this node knows them.
    pub async fn mechanisms(&self) -> Result<Mechanisms, DbError> {
        load(self.index.db(), |authority| self.chain_of(authority).map(|chain| chain.fingerprint())).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::Index;
    use record::charter::{Charter, Mechanism};
    use store::{DbOptions, Value};
    use tlog::hash::sha256;

    const MEMBERS: [&str; 3] = ["a.example", "b.example", "c.example"];

    fn fingerprint(authority: &Authority) -> Fingerprint {
        Fingerprint(sha256(authority.as_str().as_bytes()).0)
    }

    /// A row of facts: the log and the place in it, what it is, and when its author claims to have done it.
    struct Told<'a> {
        log: &'a str,
        pos: i64,
        kind: &'a str,
        released: i64,
        supersedes: Option<Hash>,
        accepts: Option<(&'a str, Hash)>,
    }

    fn name_of(log: &str, pos: i64) -> Hash {
        sha256(format!("{log} {pos}").as_bytes())
    }

    async fn tell(db: &Db, told: &Told<'_>) {
        let charter = Charter {
            name: "three".into(),
            members: MEMBERS
                .map(|member| member.parse().unwrap())
                .map(|member: Authority| (member.clone(), fingerprint(&member)))
                .to_vec(),
            observers: vec![],
            threshold: 2,
        };
        let lines: Vec<String> =
            charter.to_lines().unwrap().iter().map(|l| format!("{} {}", l.key(), l.value())).collect();
        let row: Vec<Value> = vec![
            told.log.into(),
            told.pos.into(),
            name_of(told.log, told.pos).to_hex().into(),
            told.log.split('/').next().unwrap().into(),
            told.kind.into(),
            "exercise".into(),
            told.released.into(),
            told.supersedes.map(|hash| hash.to_hex()).into(),
            (told.supersedes.is_some()).then_some("a.example/three").into(),
            if told.kind == kind::CHARTER { lines.join("\n") } else { String::new() }.into(),
            told.accepts.map(|(author, hash)| format!("{author}/{hash}")).unwrap_or_default().into(),
        ];
        let columns = [
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
        let mut tx = db.begin().await.unwrap();
        tx.insert_many("sealed_mechanism_fact", &columns, &[row], Conflict::Fail).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// A charter is adopted in logs of one year. At its end a member whose clock is far ahead accepts one text to
    /// follow it; in the log after, with the clock set right, another one. The first counts.
    async fn what_follows(joined: bool) -> Option<Hash> {
        let db = Db::connect("sqlite::memory:", DbOptions::default()).await.unwrap();
        Index::open(db.clone(), &"a.example".parse().unwrap()).await.unwrap();
        let log = |author: &str, year: u16| format!("{author}/log/aaaaaaaaaaaaaaaaaaaaaaaaaa/{year}");
        let [a, b, c] = MEMBERS.map(|author| log(author, 2026));
        let a_next = log("a.example", 2027);
        let previous = if joined { Some(a.as_str()) } else { None };
        db.run(
            "insert into log (origin, authority, audience, year, readers, own, size, root, checkpoint, closed, policy,
               root_version, state, previous)
             values ($1, 'a.example', 'aaaaaaaaaaaaaaaaaaaaaaaaaa', 2027, '', 0, 9, '', $2, 0, '', 1, $2, $3)",
            &[a_next.as_str().into(), Value::Bytes(vec![]), previous.into()],
        )
        .await
        .unwrap();
        let (first, of_b, of_c) = (name_of(&a, 1), name_of(&b, 2), name_of(&c, 2));
        let fact = |log, pos, kind, released, supersedes, accepts| Told {
            log,
            pos,
            kind,
            released,
            supersedes,
            accepts,
        };
        for told in [
            fact(a.as_str(), 1, kind::CHARTER, 1_800_000_000, None, None),
            fact(b.as_str(), 1, kind::ACCEPT, 1_800_000_010, None, Some(("a.example", first))),
            fact(c.as_str(), 1, kind::ACCEPT, 1_800_000_020, None, Some(("a.example", first))),
            fact(b.as_str(), 2, kind::CHARTER, 1_800_000_030, Some(first), None),
            fact(c.as_str(), 2, kind::CHARTER, 1_800_000_040, Some(first), None),
            fact(a.as_str(), 2, kind::ACCEPT, 1_900_000_000, None, Some(("b.example", of_b))),
            fact(a_next.as_str(), 1, kind::ACCEPT, 1_800_000_050, None, Some(("c.example", of_c))),
        ] {
            tell(&db, &told).await;
        }
        let mechanisms = load(&db, |authority| Some(fingerprint(authority))).await.unwrap();
        let id = MechanismId::new(&"a.example".parse().unwrap(), "three").unwrap();
        let in_force = mechanisms.get(Status::Exercise, &id).and_then(Mechanism::in_force);
        assert!([of_b, of_c].map(Some).contains(&in_force), "one of the two has two votes of three");
        in_force
    }

    #[tokio::test]
    async fn a_charter_adopted_in_one_log_and_amended_in_its_successor_is_one_story() {
        let [b, c] = ["b.example", "c.example"]
            .map(|a| name_of(&format!("{a}/log/aaaaaaaaaaaaaaaaaaaaaaaaaa/2026"), 2));
        assert_eq!(what_follows(true).await, Some(b), "the order is the chain's, not that of claimed times");
        assert_eq!(
            what_follows(false).await,
            Some(c),
            "logs that nothing joins are ordered by claimed times"
        );
    }
}
