//! A node that was set up from an old backup: blobs of own records that it lost come back from whoever follows its logs.

use record::{Ref, Relation, Role, Status};
use tlog::{Signer, sha256};

use super::machine::{Machine, Part};
use super::*;
use crate::nudge::{Nudge, NudgeNote};
use crate::paths::LogFile;

const OWN: &str = "b.example/log/public/2026";

/// This node's own log as its backup knows it; what it released since is only at its peer, who follows it.
fn restored() -> Machine {
    let log = TestLog::opened(OWN, &[]);
    let own = OwnLog {
        origin: log.origin.clone(),
        checkpoint: Some(log.checkpoint()),
        policy: b"quorum none\n".to_vec(),
        readers: Readers::Public,
        is_open: true,
        standing: GuardStanding::Missing,
    };
    let mut machine = Machine::new(vec![log]);
    machine.own = vec![own];
    machine
}

fn size_fetched_back(machine: &Machine) -> Option<u64> {
    machine.heads.get(&OWN.parse().unwrap()).map(|head| head.checkpoint.size)
}

fn told(machine: &Machine, bytes: &[u8]) -> bool {
    let is_it = |event: &Event| matches!(event, Event::Blob { sha256: it, .. } if *it == sha256(bytes));
    machine.events.iter().any(is_it)
}

#[test]
fn blobs_of_own_records_that_are_fetched_back_come_from_a_follower() {
    let mut machine = restored();
    machine.files.insert(places::blob(&sha256(b"still here")), b"still here".to_vec());
    machine.release(0, &[Part::new(b"still here")], |_| ());
    machine.release(0, &[Part::new(b"figures"), Part::new(b"annex")], |_| ());
    machine.restart();
    machine.pass(2_000);
    assert_eq!(size_fetched_back(&machine), Some(3));
    assert!(machine.has(b"figures") && machine.has(b"annex"));
    assert!(told(&machine, b"figures") && told(&machine, b"annex"), "the index hears of them");
    assert!(!machine.fetched.contains(&sha256(b"still here")), "what was never lost is not fetched");
    assert_eq!((machine.engine.lost_blobs(), machine.cells_in(WANT)), (0, 0));
    assert!(machine.alarms.is_empty(), "{:?}", machine.alarms);
}

#[test]
fn lost_blobs_are_wanted_over_restarts_and_hold_up_nothing_of_the_log() {
    let mut machine = restored();
    machine.release(0, &[Part::new(b"figures")], |_| ());
    machine.gives_blobs = false;
    machine.restart();
    machine.pass(2_000);
    assert_eq!((size_fetched_back(&machine), machine.engine.lost_blobs()), (Some(2), 1));
    let origin: Origin = OWN.parse().unwrap();
    machine.own[0].checkpoint = machine.heads.get(&origin).cloned();
    machine.own[0].standing = GuardStanding::InStep;
    machine.restart();
    machine.pass(11_000);
    assert_eq!(machine.engine.permission(&origin), Permission::May);
    assert_eq!(machine.engine.lost_blobs(), 1);
    machine.gives_blobs = true;
    machine.pass(60_000);
    assert!(machine.has(b"figures") && told(&machine, b"figures"));
    assert_eq!((machine.engine.lost_blobs(), machine.cells_in(WANT)), (0, 0));
}

#[test]
fn a_lost_blob_that_nobody_has_is_said_once_per_log() {
    let mut machine = restored();
    machine.gives_blobs = false;
    for n in 0_u8..3 {
        machine.release(0, &[Part::new(&[n])], |_| ());
    }
    machine.restart();
    machine.pass(1_000);
    assert!(machine.alarms.is_empty(), "its follower may be fetching it: {:?}", machine.alarms);
    machine.pass(2_000_000);
    let [Alarm::OwnBlobMissing { index: 1..=3, .. }] = machine.alarms[..] else {
        panic!("{:?}", machine.alarms)
    };
    assert!(machine.fetched.len() < 60, "{} times asked for", machine.fetched.len());
    assert!(machine.unfetched().is_empty() && machine.engine.unfetched().is_empty(), "nobody else is told");
}

#[test]
fn a_lost_blob_that_comes_wrong_is_not_taken() {
    let mut machine = restored();
    machine.release(0, &[Part::new(b"figures")], |_| ());
    machine.spoiled.insert(sha256(b"figures"), b"seventh".to_vec());
    machine.restart();
    machine.pass(60_000);
    assert_eq!((machine.has(b"figures"), machine.engine.lost_blobs()), (false, 1));
    assert!(machine.alarms.iter().any(|alarm| matches!(alarm, Alarm::Misbehaves { fault: "blob-hash", .. })));
}

#[test]
fn what_this_node_erased_is_not_fetched_back() {
    let mut machine = restored();
    let erased = machine.release(0, &[Part::new(b"erased")], |_| ());
    let sealed = machine.release(0, &[Part::new(b"under seal")], |_| ());
    let by = authority("b.example");
    let refs = vec![Ref { relation: Relation::Erases, author: by.clone(), name: erased }];
    machine.release(0, &[], |header| {
        header.kind = record::kind::ERASURE.to_owned();
        header.refs = refs;
    });
    machine.gives_blobs = false;
    machine.restart();
    machine.pass(1_000);
    assert_eq!(machine.engine.lost_blobs(), 1, "what is only said to be erased under seal");
    machine.tell(Input::Erased { by, status: Status::Test, names: vec![sealed] });
    machine.gives_blobs = true;
    machine.pass(60_000);
    assert_eq!((machine.engine.lost_blobs(), machine.cells_in(WANT)), (0, 0));
    assert!(!machine.has(b"erased") && !machine.has(b"under seal"));
}

/// The head of a log with what this authority's witness key says of it.
fn cosigned(log: &TestLog, witness: &str) -> SignedCheckpoint {
    let mut checkpoint = log.checkpoint();
    let line = checkpoint.cosign(&signer(witness, Role::Witness, 1), NOW / 1000).unwrap();
    checkpoint.add_cosignature(line).unwrap();
    checkpoint
}

fn spoiled(mut checkpoint: SignedCheckpoint) -> SignedCheckpoint {
    checkpoint.note.signatures.last_mut().expect("the cosignature").bytes[40] ^= 1;
    checkpoint
}

fn seen_told(machine: &Machine) -> Vec<u64> {
    let told = machine.events.iter().filter_map(|event| match event {
        Event::Seen { n, .. } => Some(*n),
        _ => None,
    });
    told.collect()
}

/// A state that was restored counts fewer `seen` files than lie on the disk, where the index finds them.
#[test]
fn seen_files_of_an_own_log_beyond_the_count_are_counted_and_shown() {
    let mut machine = restored();
    let witness = signer("a.example", Role::Witness, 1);
    machine.own[0].policy = format!("witness w {}\nquorum w\n", witness.key()).into_bytes();
    machine.own[0].checkpoint = Some(machine.logs[0].checkpoint());
    let whole = cosigned(&machine.logs[0], "a.example");
    let at = |n| places::file(&places::own(&OWN.parse().unwrap()), &LogFile::Seen(n));
    machine.files.insert(at(0), whole.to_bytes());
    machine.files.insert(at(1), whole.to_bytes());
    machine.files.insert(at(2), spoiled(whole).to_bytes());
    machine.restart();
    machine.pass(1_000);
    let (heads, _) = machine.engine.heads(Some(&authority("a.example")));
    let heads = Heads::parse(&heads).unwrap();
    assert_eq!(heads.logs[&OWN.parse().unwrap()].seen, 2, "the spoiled one proves nothing");
    assert_eq!(seen_told(&machine), [0, 1]);
    machine.restart();
    machine.pass(1_000);
    assert_eq!(seen_told(&machine), [0, 1], "once");
}

#[test]
fn seen_files_of_a_followed_log_beyond_the_count_wait_for_their_entries_and_are_counted() {
    let mut machine = Machine::new(vec![TestLog::opened(PUBLIC, &[])]);
    let at = |n| places::file(&places::mirror(&PUBLIC.parse().unwrap()), &LogFile::Seen(n));
    let first = cosigned(&machine.logs[0], "b.example");
    let mut longer = machine.logs[0].clone();
    let last = cosigned(longer.grow(1, 7), "b.example");
    machine.files.insert(at(0), first.to_bytes());
    machine.files.insert(at(1), last.to_bytes());
    machine.files.insert(at(2), spoiled(last).to_bytes());
    machine.pass(2_000);
    assert_eq!(machine.followed(0).seen, 1);
    machine.logs[0] = longer;
    machine.pass(60_000);
    assert_eq!((machine.followed(0).size, machine.followed(0).seen), (2, 2));
    assert_eq!(seen_told(&machine), [0, 1]);
    assert!(machine.alarms.is_empty(), "nobody sent it: {:?}", machine.alarms);
}

fn receipt_of_a(log: &TestLog) -> SignedCheckpoint {
    let mut receipt = log.checkpoint();
    let line = receipt.cosign(&signer("a.example", Role::Holds, 1), NOW / 1000).unwrap();
    receipt.add_cosignature(line).unwrap();
    receipt
}

/// A receipt proves when somebody had what it covers: a state that forgot it must not put a later one in its place.
#[test]
fn a_receipt_beyond_the_count_is_counted_and_never_written_over() {
    let mut machine = restored();
    let first = receipt_of_a(&machine.logs[0]);
    let later = receipt_of_a(machine.logs[0].clone().grow(1, 7));
    machine.own[0].checkpoint = Some(machine.logs[0].checkpoint());
    let a = authority("a.example");
    let at = |n| {
        let file = LogFile::Held { authority: a.clone(), n };
        places::file(&places::own(&OWN.parse().unwrap()), &file)
    };
    machine.files.insert(at(0), first.to_bytes());
    machine.restart();
    machine.logs[0].grow(1, 7);
    machine.own[0].checkpoint = Some(machine.logs[0].checkpoint());
    machine.tell(Input::OwnLog(Box::new(machine.own[0].clone())));
    let nudge = Nudge { from: a.clone(), note: NudgeNote::Receipt(Box::new(later.clone())) };
    machine.tell(Input::Nudge { request: RequestId(1), body: nudge.to_bytes() });
    machine.pass(1_000);
    assert_eq!((&machine.files[&at(0)], &machine.files[&at(1)]), (&first.to_bytes(), &later.to_bytes()));
    let told = machine.events.iter().filter_map(|event| match event {
        Event::Receipt { n, size, .. } => Some((*n, *size)),
        _ => None,
    });
    assert_eq!(told.collect::<Vec<_>>(), [(0, 1), (1, 2)]);
}

/// A file of a record that was stored and is gone from the disk is wanted like that of a new record.
#[test]
fn a_file_that_the_disk_lost_is_fetched_again_and_receipts_wait_for_it() {
    let mut machine = Machine::new(vec![TestLog::opened(PUBLIC, &[])]);
    machine.release(0, &[Part::new(b"figures"), Part::new(b"annex")], |_| ());
    machine.pass(2_000);
    assert_eq!(machine.state(0), (2, 2, 0));
    let record = record::Record::parse(&machine.logs[0].entries[1]).unwrap();
    let origin = machine.logs[0].origin.clone();
    let tell = |machine: &mut Machine, lost: &[u8]| {
        let lost = vec![sha256(lost)];
        let record = Box::new(record.clone());
        machine.tell(Input::Lost { origin: origin.clone(), index: 1, record, lost });
    };
    machine.files.remove(&places::blob(&sha256(b"figures")));
    machine.gives_blobs = false;
    tell(&mut machine, b"figures");
    assert!(machine.engine.waits_for(&origin, record.name()));
    machine.pass(1);
    machine.release(0, &[], |_| ());
    machine.restart();
    machine.pass(10_000);
    assert_eq!(machine.state(0), (3, 2, 1), "no receipt says that it is here");
    machine.gives_blobs = true;
    machine.pass(600_000);
    assert_eq!((machine.state(0), machine.has(b"figures")), ((3, 3, 0), true));
    assert!(matches!(machine.alarms[..], [Alarm::FileLost { index: 1, .. }]), "{:?}", machine.alarms);
    assert_eq!(machine.cells_in(WANT), 0);
    // What the author erased is not lost.
    machine.erase(0, record.name());
    machine.pass(2_000);
    machine.files.remove(&places::blob(&sha256(b"annex")));
    tell(&mut machine, b"annex");
    assert!(!machine.engine.waits_for(&origin, record.name()));
}

/// A witness follows a log more often than it cosigns it: what it cosigned last is not all that it knows.
#[test]
fn a_restored_log_waits_for_the_heads_of_its_witness_too() {
    let mut log = TestLog::opened(OWN, &[]);
    let own = OwnLog {
        origin: log.origin.clone(),
        checkpoint: Some(log.checkpoint()),
        policy: format!("witness w {}\nquorum w\n", signer("a.example", Role::Witness, 1).key()).into_bytes(),
        readers: Readers::Public,
        is_open: true,
        standing: GuardStanding::Missing,
    };
    let cosigned = cosigned(&log, "a.example").to_bytes();
    log.grow(2, 0);
    let mut heads = Heads::default();
    heads.logs.insert(log.origin.clone(), Head { checkpoint: log.checkpoint(), seen: 0, held: None });
    for heads_first in [false, true] {
        let mut engine = engine(Snapshot::default());
        let peer = PeerConfig {
            authority: authority("a.example"),
            fingerprint: chain("a.example", 1).fingerprint(),
            chain: chain("a.example", 1),
            reachable: true,
        };
        let mut outputs = engine.handle(NOW, Input::OwnRoots(chain("b.example", 1)));
        outputs.extend(engine.handle(NOW, Input::Peers(vec![peer])));
        outputs.extend(engine.handle(NOW, Input::OwnLog(Box::new(own.clone()))));
        let id_of = |wanted: fn(&Route) -> bool| {
            let found = outputs.iter().find_map(|output| match output {
                Output::Fetch { id, route, .. } => wanted(route).then_some(*id),
                _ => None,
            });
            found.expect("it asks")
        };
        let answer =
            |body: &[u8]| Answer::Response { status: 200, etag: None, date: None, body: body.to_vec() };
        let as_witness = Input::Answer {
            id: id_of(|route| matches!(route, Route::Witness(_))),
            answer: answer(&cosigned),
        };
        let as_follower =
            Input::Answer { id: id_of(|route| *route == Route::Heads), answer: answer(&heads.to_bytes()) };
        let (first, second) = if heads_first { (as_follower, as_witness) } else { (as_witness, as_follower) };
        engine.handle(NOW + 20_000, first);
        assert_ne!(engine.permission(&log.origin), Permission::May, "heads first: {heads_first}");
        engine.handle(NOW + 20_100, second);
        assert_eq!(engine.permission(&log.origin), Permission::CatchUp { size: 3 });
    }
}

/// A file was written at some time, and its sender may have got more since.
#[test]
fn the_heads_in_a_file_are_no_answer_to_a_restored_log() {
    let log = TestLog::opened(OWN, &[]);
    let mut machine = restored();
    machine.own[0].policy =
        format!("witness w {}\nquorum w\n", signer("a.example", Role::Witness, 1).key()).into_bytes();
    machine.own[0].checkpoint = Some(log.checkpoint());
    machine.answers_heads = false;
    machine.restart();
    let mut heads = Heads::default();
    heads.logs.insert(log.origin.clone(), Head { checkpoint: log.checkpoint(), seen: 0, held: None });
    let (request, peer) = (RequestId(1), authority("a.example"));
    machine.tell(Input::HeadsShown { request, peer, body: heads.to_bytes() });
    machine.pass(60_000);
    assert_eq!(machine.engine.permission(&log.origin), Permission::Wait);
    machine.answers_heads = true;
    machine.pass(600_000);
    assert_eq!(machine.engine.permission(&log.origin), Permission::May);
}

/// A node whose own log of 601 entries lies whole on its disk, and whose follower shows how it stood before.
fn whole(older: u64) -> (Machine, TestLog) {
    let mut log = TestLog::opened(OWN, &[]);
    log.grow(older - 1, 3);
    let before = log.clone();
    log.grow(601 - older, 3);
    let mut machine = Machine::new(vec![before]);
    machine.own = vec![OwnLog {
        origin: log.origin.clone(),
        checkpoint: Some(log.checkpoint()),
        policy: b"quorum none\n".to_vec(),
        readers: Readers::Public,
        is_open: true,
        standing: GuardStanding::InStep,
    }];
    for tile in [(0, 0, 256), (0, 1, 256), (0, 2, 89), (1, 0, 2)] {
        let file = LogFile::Tile(tlog::TileId { level: tile.0, index: tile.1, width: tile.2 });
        machine.files.insert(places::file(&places::own(&log.origin), &file), log.file(&file).unwrap());
    }
    (machine, log)
}

/// Tiles of both levels, full and growing, at bits drawn from a seed.
#[test]
fn a_wrong_bit_on_this_disk_is_damage_and_no_second_view_of_a_log() {
    let (mut found, mut bit) = (0, 0);
    for older in [200, 256, 300, 520] {
        let paths: Vec<String> = whole(older).0.files.into_keys().collect();
        for path in paths.iter().cycle().take(paths.len() * 6) {
            bit += 1;
            found += u32::from(is_found_and_mended(older, path, bit));
        }
    }
    assert!(found >= 10, "{found} of {bit} were looked at");
}

/// A bit of a file is wrong. Whether somebody asked for what the file says: then it was found and fetched back.
fn is_found_and_mended(older: u64, path: &str, draw: usize) -> bool {
    let (mut machine, log) = whole(older);
    let right = machine.files[path].clone();
    let at = (draw * 40_503) % (right.len() * 8);
    machine.files.get_mut(path).unwrap()[at / 8] ^= 1 << (at % 8);
    machine.restart();
    machine.pass(12_000);
    let is_damage =
        |alarm: &Alarm| matches!(alarm, Alarm::LogDamaged { origin, .. } if *origin == log.origin);
    assert!(machine.alarms.iter().all(is_damage), "{path}, bit {at}: {:?}", machine.alarms);
    if machine.alarms.is_empty() {
        assert_eq!(machine.engine.permission(&log.origin), Permission::May, "{path}, bit {at}");
        return false;
    }
    assert_eq!(machine.engine.permission(&log.origin), Permission::CatchUp { size: 601 }, "{path}, bit {at}");
    machine.logs = vec![log.clone()];
    machine.tell_news();
    machine.pass(60_000);
    assert_eq!(machine.files[path], right, "it is fetched back");
    assert_eq!(machine.engine.permission(&log.origin), Permission::May);
    true
}
