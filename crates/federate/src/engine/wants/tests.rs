use std::collections::BTreeSet;

use proptest::prelude::*;
use record::Origin;
use tlog::sha256;

use super::*;
use crate::engine::Write;

fn hash(n: u8) -> Hash {
    sha256(&[n])
}

fn want(size: u64, class: Class) -> Want {
    let status = Some(Status::Test);
    Want { size, class, expires: None, status, noted: Some((3, 1_000)), is_later: false }
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

/// Everything that could be fetched, in order, lane by lane.
fn order(wants: &mut Wants) -> Vec<Hash> {
    let mut all = Vec::new();
    for lane in Lane::ALL {
        while let Some(rank) = wants.head(lane) {
            wants.begin(&rank);
            all.push(rank.sha256);
        }
    }
    all
}

#[test]
fn what_opens_a_record_comes_first_and_small_before_large() {
    let mut wants = Wants::new(true);
    let all = [
        (hash(0), want(9_000, Class::Inner)),
        (hash(1), want(70_000, Class::First)),
        (hash(2), want(80_000, Class::First)),
        (hash(3), want(10, Class::Json)),
        (hash(4), want(5, Class::Rest)),
        (hash(5), want(6, Class::Rest)),
    ];
    for (sha256, want) in all.iter().rev() {
        wants.add(*sha256, hash(100), want.clone());
    }
    assert_eq!(order(&mut wants), all.map(|(sha256, _)| sha256));
}

#[test]
fn large_files_leave_room_for_what_is_small_and_for_what_comes_first() {
    let mut wants = Wants::new(true);
    for n in 0..100 {
        wants.add(hash(n), hash(n), want(40 << 20, Class::Rest));
    }
    assert_eq!(order(&mut wants).len(), Lane::Rest.places());
    wants.add(hash(200), hash(200), want(9_000, Class::Inner));
    wants.add(hash(201), hash(201), want(9_000, Class::Rest));
    wants.add(hash(202), hash(202), want(30 << 20, Class::First));
    assert_eq!(order(&mut wants), [hash(200), hash(201), hash(202)]);
}

#[test]
fn a_blob_is_wanted_as_long_as_one_record_wants_it() {
    let mut wants = Wants::new(true);
    wants.add(hash(1), hash(10), want(7, Class::Rest));
    wants.add(hash(1), hash(11), want(7, Class::First));
    assert_eq!(wants.open(), 1);
    let gone = wants.drop_record(hash(11), |_| true);
    assert_eq!(gone.wants.len(), 1);
    assert_eq!((wants.open(), wants.head(Lane::Quick).map(|rank| rank.class)), (1, Some(Class::Rest)));
    wants.drop_record(hash(10), |_| true);
    assert_eq!((wants.open(), wants.head(Lane::Quick)), (0, None));
}

#[test]
fn what_expires_is_wanted_until_its_day_begins() {
    let mut wants = Wants::new(true);
    let short = Want { expires: Some(day("2026-12-01")), ..want(7, Class::Inner) };
    wants.add(hash(1), hash(10), want(7, Class::Rest));
    wants.add(hash(1), hash(11), short.clone());
    wants.add(hash(2), hash(11), short);
    assert_eq!(wants.expire(day("2026-11-30")), Gone::default());
    assert_eq!(wants.deadline(true, 900_000), Some(901_000));
    let gone = wants.expire(day("2026-12-01"));
    assert_eq!(gone.wants.len(), 2);
    assert_eq!(wants.open(), 1, "a lasting record names one of them too");
    assert_eq!(wants.expire(day("2027-12-01")), Gone::default());
}

#[test]
fn the_rest_of_a_record_waits_until_somebody_asks() {
    let mut wants = Wants::new(true);
    let later = Want { is_later: true, expires: Some(day("2026-12-01")), ..want(7, Class::First) };
    wants.add(hash(1), hash(10), Want { is_later: false, ..later.clone() });
    wants.add(hash(2), hash(10), later);
    assert_eq!((wants.open(), order(&mut wants)), (1, vec![hash(1)]));
    assert_eq!(wants.ask_for(hash(10), 5_000).len(), 1);
    assert_eq!((wants.open(), order(&mut wants)), (2, vec![hash(2)]));
    assert!(wants.ask_for(hash(10), 5_000).is_empty());
}

#[test]
fn what_does_not_come_is_said_once() {
    let mut wants = Wants::new(true);
    wants.add(hash(1), hash(10), want(7, Class::Inner));
    wants.add(hash(2), hash(10), want(7, Class::First));
    wants.add(hash(3), hash(11), want(7, Class::Inner));
    assert_eq!(wants.next_missing(900_999, 900_000), None);
    wants.stored(&[Ended { sha256: hash(3), name: hash(11), is_old: false }]);
    assert_eq!(wants.next_missing(901_000, 900_000), Some((hash(10), 3, None)));
    assert_eq!(wants.next_missing(2_000_000, 900_000), None);
    wants.add(hash(4), hash(10), want(7, Class::First));
    assert_eq!(wants.next_missing(2_000_000, 900_000), None, "once per record");
    let records = [1, 2, 4].map(|n| Ended { sha256: hash(n), name: hash(10), is_old: false });
    assert_eq!(wants.stored(&records).unfetched, [(hash(10), Why::Missing)], "nothing is missing any more");
}

fn cell(write: Write) -> (String, Option<String>) {
    let Write::Cell { key, value, .. } = write else { panic!("a cell") };
    (key, value.map(|value| String::from_utf8(value).unwrap()))
}

#[test]
fn a_want_survives_a_restart_and_cells_of_before_are_read() {
    let origin: Origin = "moh.chn.example/log/aaaaaaaaaaaaaaaaaaaaaaaaaa/2026".parse().unwrap();
    let ended = Ended { sha256: hash(1), name: hash(10), is_old: false };
    for want in [
        want(7, Class::Inner),
        Want { expires: Some(day("2026-12-01")), is_later: true, ..want(7, Class::Json) },
    ] {
        let (key, value) = cell(want_cell(&origin, &ended, Some(&want)));
        assert_eq!(read_want(&key, &value.unwrap()), Some(Some((origin.clone(), hash(1), hash(10), want))));
    }
    let old = format!("{origin} 7 {} -", hash(10));
    let (key, _) = cell(want_cell(&origin, &Ended { is_old: true, ..ended }, None));
    let (_, sha256, name, read) = read_want(&key, &old).unwrap().unwrap();
    assert_eq!((sha256, name, read.size, read.noted), (hash(1), hash(10), 7, None));
    assert_eq!(read_want(&key, &format!("{origin} 60000000 {} -", hash(10))), Some(None), "never fetched");
    assert_eq!(read_want(&key, "nonsense"), None);
    let said = write_unfetched(&origin, 9, Some(day("2026-12-01")));
    let (key, value) = cell(unfetched_cell(&origin, &hash(10), Why::Missing, Some(said)));
    let read = read_unfetched(&key, &value.unwrap());
    assert_eq!(read, Some((origin, hash(10), Why::Missing, 9, Some(day("2026-12-01")))));
}

#[derive(Debug, Clone, Copy)]
enum Act {
    Add { blob: u8, name: u8, size: u64, class: u8, later: bool, expires: bool },
    Fetch { lane: usize },
    Come { nth: usize, comes: bool },
    Drop { name: u8 },
    Ask { name: u8 },
    Expire,
    Wake,
}

fn act() -> impl Strategy<Value = Act> {
    let add = (0_u8..12, 0_u8..8, 0_u8..4, 0_u8..4, any::<bool>(), any::<bool>());
    prop_oneof![
        6 => add.prop_map(|(blob, name, size, class, later, expires)| {
            Act::Add { blob, name, size: 1 << (6 * size), class, later, expires }
        }),
        6 => (0_usize..3).prop_map(|lane| Act::Fetch { lane }),
        6 => (any::<usize>(), any::<bool>()).prop_map(|(nth, comes)| Act::Come { nth, comes }),
        1 => (0_u8..8).prop_map(|name| Act::Drop { name }),
        1 => (0_u8..8).prop_map(|name| Act::Ask { name }),
        1 => Just(Act::Expire),
        2 => Just(Act::Wake),
    ]
}

/// What is wanted, plainly: blob, record, whether only later, whether it expires.
#[derive(Default)]
struct Model {
    wants: std::collections::BTreeMap<(Hash, Hash), (bool, bool)>,
    flying: Vec<Hash>,
}

impl Model {
    fn open(&self) -> BTreeSet<Hash> {
        self.wants.iter().filter(|(_, (later, _))| !later).map(|((sha256, _), _)| *sha256).collect()
    }
}

fn apply(wants: &mut Wants, model: &mut Model, act: Act) {
    match act {
        Act::Add { blob, name, size, class, later, expires } => {
            let class = [Class::Inner, Class::First, Class::Json, Class::Rest][usize::from(class)];
            let expires = expires.then(|| day("2026-12-01"));
            wants.add(hash(blob), hash(100 + name), Want { is_later: later, expires, ..want(size, class) });
            let kept =
                model.wants.entry((hash(blob), hash(100 + name))).or_insert((later, expires.is_some()));
            *kept = (kept.0 && later, kept.1 && expires.is_some());
        }
        Act::Fetch { lane } => {
            let Some(rank) = wants.head(Lane::ALL[lane]) else { return };
            assert!(model.open().contains(&rank.sha256) && !model.flying.contains(&rank.sha256));
            wants.begin(&rank);
            model.flying.push(rank.sha256);
        }
        Act::Come { nth, comes } => {
            let Some(nth) = nth.checked_rem(model.flying.len()) else { return };
            let sha256 = model.flying.swap_remove(nth);
            if comes {
                wants.stored(&wants.records_of(sha256));
                wants.release(sha256);
                model.wants.retain(|(blob, _), _| *blob != sha256);
            } else {
                wants.wait(sha256, 50);
            }
        }
        Act::Drop { name } => {
            wants.drop_record(hash(100 + name), |_| true);
            model.wants.retain(|(_, record), _| *record != hash(100 + name));
        }
        Act::Ask { name } => {
            wants.ask_for(hash(100 + name), 7);
            let of_record = model.wants.iter_mut().filter(|((_, record), _)| *record == hash(100 + name));
            of_record.for_each(|(_, (later, _))| *later = false);
        }
        Act::Expire => {
            wants.expire(day("2026-12-01"));
            model.wants.retain(|_, (_, expires)| !*expires);
        }
        Act::Wake => wants.wake(100),
    }
}

proptest! {
    /// Whatever happens in whatever order: what is open is what some record wants, nothing is fetched that nobody
    /// wants, and in the end everything was fetched.
    #[test]
    fn no_want_is_lost_or_starved(acts in proptest::collection::vec(act(), 0..200)) {
        let (mut wants, mut model) = (Wants::new(true), Model::default());
        for act in acts {
            apply(&mut wants, &mut model, act);
            prop_assert_eq!(wants.open(), model.open().len());
            prop_assert_eq!(wants.by_blob.len(), model.wants.len());
        }
        for name in 0..8 {
            apply(&mut wants, &mut model, Act::Ask { name });
        }
        for _ in 0..100 {
            apply(&mut wants, &mut model, Act::Wake);
            (0..3).for_each(|lane| apply(&mut wants, &mut model, Act::Fetch { lane }));
            apply(&mut wants, &mut model, Act::Come { nth: 0, comes: true });
        }
        prop_assert_eq!((wants.open(), wants.blobs.len(), wants.in_flight.len()), (0, 0, 0));
        prop_assert!(wants.overdue.is_empty() && wants.waiting.is_empty() && wants.at_once == [0; 3]);
    }
}
