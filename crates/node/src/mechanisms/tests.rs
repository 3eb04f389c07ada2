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
    tell_of(db, told, &charter("three", &MEMBERS, 2)).await;
}

fn charter(name: &str, members: &[&str], threshold: usize) -> Charter {
    let members = members.iter().map(|member| member.parse().unwrap());
    let members = members.map(|member: Authority| (member.clone(), fingerprint(&member))).collect();
    Charter { name: name.into(), members, observers: vec![], threshold }
}

async fn tell_of(db: &Db, told: &Told<'_>, charter: &Charter) {
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
    let mut tx = db.begin().await.unwrap();
    tx.insert_many("sealed_mechanism_fact", &super::COLUMNS, &[row], Conflict::Fail).await.unwrap();
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
    let mechanisms = load(&db, |authority| Some(fingerprint(authority))).await.unwrap().mechanisms;
    let id = MechanismId::new(&"a.example".parse().unwrap(), "three").unwrap();
    let in_force = mechanisms.get(Status::Exercise, &id).and_then(Mechanism::in_force);
    assert!([of_b, of_c].map(Some).contains(&in_force), "one of the two has two votes of three");
    in_force
}

#[tokio::test]
async fn a_charter_adopted_in_one_log_and_amended_in_its_successor_is_one_story() {
    let [b, c] =
        ["b.example", "c.example"].map(|a| name_of(&format!("{a}/log/aaaaaaaaaaaaaaaaaaaaaaaaaa/2026"), 2));
    assert_eq!(what_follows(true).await, Some(b), "the order is the chain's, not that of claimed times");
    assert_eq!(what_follows(false).await, Some(c), "logs that nothing joins are ordered by claimed times");
}

/// So many charters of x, the first of which claims to be the oldest.
pub(super) async fn flood(db: &Db, log: &str, from: i64, count: usize) {
    for pos in (from..).take(count) {
        let told = Told {
            log,
            pos,
            kind: kind::CHARTER,
            released: 1_700_000_000 + pos,
            supersedes: None,
            accepts: None,
        };
        tell_of(db, &told, &charter(&format!("m-{pos}"), &["x.example"], 1)).await;
    }
}

fn in_force(known: &Known, id: &str) -> bool {
    known.mechanisms.get(Status::Exercise, &id.parse().unwrap()).and_then(Mechanism::in_force).is_some()
}

#[tokio::test]
async fn a_flood_of_charters_takes_no_mechanism_from_those_who_have_joined_it() {
    let db = Db::connect("sqlite::memory:", DbOptions::default()).await.unwrap();
    Index::open(db.clone(), &"a.example".parse().unwrap()).await.unwrap();
    let log = |author: &str| format!("{author}/log/aaaaaaaaaaaaaaaaaaaaaaaaaa/2026");
    let [a, b, x] = ["a.example", "b.example", "x.example"].map(log);
    let fact = |log, pos, kind, accepts| Told {
        log,
        pos,
        kind,
        released: 1_800_000_000 + pos,
        supersedes: None,
        accepts,
    };
    // x founds a group with b, and then releases 150 charters that claim to be older.
    let both = charter("both", &["b.example", "x.example"], 2);
    tell_of(&db, &fact(x.as_str(), 9_000, kind::CHARTER, None), &both).await;
    tell(&db, &fact(b.as_str(), 1, kind::ACCEPT, Some(("x.example", name_of(&x, 9_000))))).await;
    tell_of(&db, &fact(a.as_str(), 1, kind::CHARTER, None), &charter("own", &["a.example"], 1)).await;
    flood(&db, &x, 1, MOST_CHARTERS + 50).await;
    let known = load(&db, |authority| Some(fingerprint(authority))).await.unwrap();
    assert_eq!(known.mechanisms.iter().count(), MOST_CHARTERS + 1, "one of a, and no more than that of x");
    assert_eq!(known.left_out, BTreeMap::from([("x.example".to_owned(), 51)]));
    assert!(in_force(&known, "a.example/own") && in_force(&known, "x.example/both"));
    assert!(
        in_force(&known, "x.example/m-1") && !in_force(&known, "x.example/m-150"),
        "the oldest come first"
    );
}

#[tokio::test]
async fn a_flood_of_acceptances_takes_no_vote_back() {
    let db = Db::connect("sqlite::memory:", DbOptions::default()).await.unwrap();
    Index::open(db.clone(), &"a.example".parse().unwrap()).await.unwrap();
    let log = |author: &str| format!("{author}/log/aaaaaaaaaaaaaaaaaaaaaaaaaa/2026");
    let [a, x] = ["a.example", "x.example"].map(log);
    let fact =
        |log, pos, kind, released, accepts| Told { log, pos, kind, released, supersedes: None, accepts };
    let both = charter("both", &["a.example", "x.example"], 2);
    let name = name_of(&a, 1);
    tell_of(&db, &fact(a.as_str(), 1, kind::CHARTER, 1_800_000_000, None), &both).await;
    let unknown = name_of(&a, 2);
    for pos in (1..).take(MOST_ANSWERS + 20) {
        tell(&db, &fact(x.as_str(), pos, kind::ACCEPT, 1_700_000_000 + pos, Some(("a.example", unknown))))
            .await;
    }
    tell(&db, &fact(x.as_str(), 9_000, kind::ACCEPT, 1_800_000_010, Some(("a.example", name)))).await;
    let known = load(&db, |authority| Some(fingerprint(authority))).await.unwrap();
    assert!(in_force(&known, "a.example/both"));
    assert_eq!(known.left_out, BTreeMap::from([("x.example".to_owned(), 20)]));
}
