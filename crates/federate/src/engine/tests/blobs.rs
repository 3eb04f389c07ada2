//! Which blobs are fetched, in which order, what a receipt waits for, and what is said of those that do not come.

use record::{Ref, Relation, Status};
use tlog::sha256;

use super::machine::{Machine, Part};
use super::*;

fn public() -> TestLog {
    TestLog::opened(PUBLIC, &[])
}

fn restricted() -> TestLog {
    TestLog::opened(RESTRICTED, &["a.example", "b.example"])
}

fn of(relation: Relation, name: Hash) -> Vec<Ref> {
    vec![Ref { relation, author: authority("a.example"), name }]
}

#[test]
fn blobs_of_what_is_withdrawn_are_fetched_by_who_comes_late() {
    let mut machine = Machine::new(vec![]);
    machine.logs.push(public());
    let name = machine.release(0, &[Part::new(b"figures")], |_| ());
    machine.release(0, &[], |header| header.refs = of(Relation::Withdraws, name));
    machine.pass(2_000);
    assert_eq!(machine.state(0), (3, 3, 0));
    assert!(machine.has(b"figures"), "an as-of before the withdrawal needs it");
}

#[test]
fn one_of_two_records_that_name_a_blob_is_erased_and_the_other_keeps_it() {
    let mut machine = Machine::new(vec![public()]);
    machine.gives_blobs = false;
    let first = machine.release(0, &[Part::new(b"annex")], |_| ());
    machine.release(0, &[Part::new(b"annex"), Part::new(b"more")], |_| ());
    machine.erase(0, first);
    machine.pass(2_000);
    machine.restart();
    machine.pass(2_000);
    assert_eq!(machine.state(0), (4, 0, 2), "nothing is said to be held before it is");
    machine.gives_blobs = true;
    machine.pass(600_000);
    assert!(machine.has(b"annex") && machine.has(b"more"));
    assert_eq!((machine.state(0), machine.cells_in(WANT)), ((4, 4, 0), 0));
}

#[test]
fn what_its_author_erased_is_waited_for_no_more_in_any_of_its_logs() {
    let mut machine = Machine::new(vec![public(), restricted()]);
    machine.gives_blobs = false;
    let sealed = machine.release(1, &[Part::new(b"inner"), Part::new(b"content")], |_| ());
    let other = machine.release(1, &[Part::new(b"other")], |_| ());
    machine.erase(0, sealed);
    machine.pass(2_000);
    assert_eq!(machine.state(1), (3, 0, 1));
    // A sealed record says it of another one: the engine is told by whoever opened it.
    machine.opened_erasures.insert(other);
    let erased = |status| Input::Erased { by: authority("a.example"), status, names: vec![other] };
    machine.tell(erased(Status::Exercise));
    machine.pass(2_000);
    assert_eq!(machine.state(1), (3, 0, 1), "records of different status never act on each other");
    machine.tell(erased(Status::Test));
    machine.pass(2_000);
    assert_eq!((machine.state(1), machine.cells_in(WANT)), ((3, 3, 0), 0));
    machine.restart();
    assert_eq!(machine.state(1), (3, 3, 0));
}

#[test]
fn of_what_somebody_says_it_erased_so_much_is_remembered() {
    let mut machine = Machine::new(vec![public(), restricted()]);
    machine.engine.config.limits.erased = 3;
    machine.gives_blobs = false;
    for n in 0_u8..8 {
        let name = machine.release(1, &[Part::new(&[n; 9])], |_| ());
        machine.erase(0, name);
    }
    machine.pass(5_000);
    assert_eq!((machine.cells_in(ERASED), machine.cells_in(WANT)), (3, 5), "the rest is asked for in vain");
    machine.restart();
    machine.pass(5_000);
    assert_eq!((machine.cells_in(ERASED), machine.cells_in(WANT)), (3, 5));
}

#[test]
fn who_joins_after_an_erasure_in_another_log_waits_for_nothing() {
    let mut machine = Machine::new(vec![public(), restricted()]);
    let name = machine.release(1, &[Part::new(b"inner")], |_| ());
    machine.erase(0, name);
    machine.pass(5_000);
    machine.restart();
    machine.pass(5_000);
    assert_eq!((machine.state(1), machine.cells_in(WANT)), ((2, 2, 0), 0));
}

#[test]
fn headers_come_before_content_and_content_before_scans() {
    let mut machine = Machine::new(vec![]);
    machine.logs = vec![public(), restricted()];
    let scan = vec![7; 600 << 10];
    machine.release(
        0,
        &[Part::new(b"notice"), Part::new(&scan), Part::new(b"zz"), Part::json(b"{}")],
        |_| (),
    );
    for n in 0_u8..5 {
        let parts = [vec![n; 100], vec![n; 90], vec![n; 3]].map(|bytes| Part::new(&bytes));
        machine.release(1, &parts, |_| ());
    }
    machine.pass(3_000);
    let place = |bytes: &[u8]| machine.fetched.iter().position(|hash| *hash == sha256(bytes)).unwrap();
    for n in 0_u8..5 {
        assert!(place(&[n; 100]) < place(&[n; 90]) && place(&[n; 90]) < place(&[n; 3]));
    }
    assert!(place(b"notice") < place(b"{}") && place(b"{}") < place(b"zz"));
    assert!(machine.has(&scan));
}

#[test]
fn a_scan_that_does_not_come_holds_up_no_notification() {
    let mut machine = Machine::new(vec![public(), restricted()]);
    for n in 0_u8..40 {
        machine.release(0, &[Part::new(&[n]), Part::new(&[n, 1]).saying(40 << 20)], |_| ());
    }
    machine.served.retain(|_, bytes| bytes.len() == 1);
    machine.pass(2_000);
    machine.release(1, &[Part::new(b"inner"), Part::new(b"content")], |_| ());
    machine.pass(2_000);
    assert!(machine.has(b"inner") && machine.has(b"content"));
    assert_eq!((machine.state(0), machine.state(1)), ((41, 0, 40), (2, 2, 0)));
}

#[test]
fn of_what_expires_only_the_first_blob_is_fetched_until_somebody_asks() {
    let mut machine = Machine::new(vec![restricted()]);
    let day = "2026-12-01".parse().unwrap();
    let parts = [Part::new(b"inner"), Part::new(b"persons")];
    let name = machine.release(0, &parts, |header| header.expires = Some(day));
    machine.pass(2_000);
    assert_eq!((machine.state(0), machine.fetched.len()), ((2, 2, 0), 1));
    machine.restart();
    machine.pass(2_000);
    machine.asked_for.insert(name);
    machine.tell(Input::WantBlobs { origin: machine.logs[0].origin.clone(), name });
    assert_eq!(machine.followed(0).wanted_blobs, 1);
    machine.pass(2_000);
    assert!(machine.has(b"persons"));
    assert_eq!((machine.state(0), machine.cells_in(WANT)), ((2, 2, 0), 0));
}

#[test]
fn what_expires_before_it_comes_holds_up_no_receipt() {
    let mut machine = Machine::new(vec![restricted()]);
    machine.gives_blobs = false;
    let day = "2026-11-23".parse().unwrap();
    machine.release(0, &[Part::new(b"inner"), Part::new(b"persons")], |header| header.expires = Some(day));
    machine.pass(80_000_000);
    assert_eq!(machine.state(0), (2, 0, 1));
    machine.pass(10_000_000);
    assert_eq!((machine.state(0), machine.cells_in(WANT)), ((2, 2, 0), 0), "by time alone");
    assert_eq!((machine.engine.unfetched(), machine.cells_in(UNFETCHED)), (vec![], 0));
}

#[test]
fn what_is_too_large_is_never_fetched_and_said_once() {
    let mut machine = Machine::new(vec![public(), restricted()]);
    machine.release(0, &[Part::new(b"a").saying(10 << 40)], |_| ());
    let parts =
        [Part::new(b"inner").saying(129 << 10), Part::new(b"c"), Part::new(b"d").saying((48 << 20) + 1)];
    let name = machine.release(1, &parts, |_| ());
    machine.pass(2_000);
    machine.restart();
    machine.pass(2_000_000);
    assert_eq!(machine.fetched, [sha256(b"c")]);
    assert_eq!((machine.state(0), machine.state(1)), ((2, 2, 0), (2, 2, 0)));
    let origin = machine.logs[1].origin.clone();
    let record = UnfetchedRecord { origin, index: 1, name, why: WhyUnfetched::Large };
    assert_eq!(machine.unfetched(), [&record], "of the restricted log only");
    assert_eq!(machine.engine.unfetched(), [record]);
}

#[test]
fn what_does_not_come_is_said_once_after_a_quarter_of_an_hour() {
    let mut machine = Machine::new(vec![public(), restricted()]);
    machine.gives_blobs = false;
    machine.release(0, &[Part::new(b"clear")], |_| ());
    let name = machine.release(1, &[Part::new(b"inner"), Part::new(b"content")], |_| ());
    machine.pass(600_000);
    machine.restart();
    machine.pass(298_000);
    assert!(machine.unfetched().is_empty());
    machine.pass(4_000);
    for _ in 0..3 {
        machine.restart();
        machine.pass(1_000_000);
    }
    let origin = machine.logs[1].origin.clone();
    let record = UnfetchedRecord { origin, index: 1, name, why: WhyUnfetched::Missing };
    assert_eq!(machine.unfetched(), [&record]);
    assert_eq!((machine.state(1), machine.engine.unfetched()), ((2, 0, 2), vec![record]));
    machine.gives_blobs = true;
    machine.pass(600_000);
    assert_eq!((machine.state(1), machine.engine.unfetched()), ((2, 2, 0), vec![]));
    assert_eq!(machine.cells_in(UNFETCHED), 0);
}

#[test]
fn what_could_not_be_noted_is_said_again() {
    let mut machine = Machine::new(vec![restricted()]);
    machine.gives_blobs = false;
    machine.release(0, &[Part::new(b"inner")], |_| ());
    machine.pass(890_000);
    assert!(machine.unfetched().is_empty());
    machine.breaks_after = Some(0);
    machine.pass(20_000);
    assert_eq!((machine.breaks_after, machine.unfetched().len()), (None, 1));
}

#[test]
fn what_was_wanted_before_there_were_records_in_cells_is_fetched() {
    let mut machine = Machine::new(vec![public()]);
    machine.gives_blobs = false;
    let name = machine.release(0, &[Part::new(b"a")], |_| ());
    machine.pass(2_000);
    machine.older_cells(&name);
    machine.restart();
    assert_eq!(machine.state(0), (2, 0, 1));
    machine.gives_blobs = true;
    machine.pass(600_000);
    assert_eq!((machine.state(0), machine.cells_in(WANT)), ((2, 2, 0), 0));
}

#[test]
fn a_size_that_a_record_gives_wrong_is_not_its_servers_fault() {
    let mut machine = Machine::new(vec![public()]);
    machine.release(0, &[Part::new(b"seven b").saying(9)], |_| ());
    machine.pass(2_000);
    assert_eq!(machine.state(0), (2, 2, 0));
    assert!(machine.engine.peer_health().iter().all(|peer| peer.last_error.is_none()));
}

/// What became of a blob that comes wrong in one of these ways.
fn ways_to_spoil() -> [(&'static str, Vec<u8>); 3] {
    [("wrong", b"exnna".to_vec()), ("padded", [b"annex 0", &[0; 90][..]].concat()), ("cut", b"ann".to_vec())]
}

/// So much news one after the other that the author's heads are asked for at an even pace from then on, with waits
/// between that a fault of the peer would make longer. Answers how many entries there are.
fn in_a_row(machine: &mut Machine) -> u64 {
    for _ in 0..8 {
        machine.release(0, &[], |_| ());
        machine.pass(10);
    }
    machine.logs[0].entries.len() as u64
}

#[test]
fn spoiled_blobs_hold_up_nothing_else_of_their_peer() {
    for (how, instead) in ways_to_spoil() {
        let mut machine = Machine::new(vec![public()]);
        machine.pass(2_000);
        let before = in_a_row(&mut machine);
        for n in 0..5 {
            let annex = format!("annex {n}").into_bytes();
            machine.spoiled.insert(sha256(&annex), instead.clone());
            machine.release(0, &[Part::new(&annex)], |_| ());
            machine.pass(10);
        }
        for n in 0_u8..20 {
            machine.pass(6_000);
            machine.release(0, &[Part::new(&[n])], |_| ());
            machine.pass(1_000);
            assert_eq!(machine.followed(0).size, before + 6 + u64::from(n), "{how}: entries come at once");
            assert!(machine.has(&[n]), "{how}: and so do their blobs");
        }
        let [peer] = &machine.engine.peer_health()[..] else { panic!("one peer") };
        let size = before + 25;
        assert_eq!((peer.failures, peer.spoiled), (0, 5), "{how}");
        assert_eq!((machine.state(0).0, machine.state(0).2), (size, 5), "{how}");
        assert!(
            peer.last_error.is_some_and(|code| code.starts_with("blob-")),
            "{how}: {:?}",
            peer.last_error
        );
        assert!(matches!(machine.alarms[..], [Alarm::Misbehaves { .. }]), "{how}: {:?}", machine.alarms);
        assert!(machine.fetched.len() < 100, "{how}: each is asked for less and less often");
        // Repaired, the longest wait after failures later at the latest.
        machine.spoiled.clear();
        machine.pass(340_000);
        assert_eq!(machine.state(0), (size, size, 0), "{how}");
        assert_eq!(machine.engine.peer_health()[0].spoiled, 0);
        assert_eq!(machine.engine.peer_health()[0].last_error, None);
    }
}

#[test]
fn a_size_that_a_record_gives_too_small_ends_as_missing_and_holds_up_nothing() {
    let mut machine = Machine::new(vec![restricted()]);
    let name = machine.release(0, &[Part::new(b"inner"), Part::new(b"more than said").saying(4)], |_| ());
    machine.pass(1_000_000);
    let origin = machine.logs[0].origin.clone();
    let record = UnfetchedRecord { origin, index: 1, name, why: WhyUnfetched::Missing };
    assert_eq!(machine.unfetched(), [&record]);
    assert!(machine.fetched.len() < 20, "{} times asked for", machine.fetched.len());
    machine.release(0, &[Part::new(b"inner of another")], |_| ());
    machine.pass(1_000);
    assert!(machine.has(b"inner of another"));
    assert_eq!(machine.state(0), (3, 0, 1));
}

#[test]
fn what_is_no_seen_file_holds_up_nothing_else_of_its_peer() {
    let mut machine = Machine::new(vec![public()]);
    machine.pass(2_000);
    machine.seen = Some(b"nothing of the kind".to_vec());
    let before = in_a_row(&mut machine);
    for n in 0_u8..20 {
        machine.pass(6_000);
        assert_eq!(machine.engine.peer_health()[0].failures, 0);
        machine.release(0, &[Part::new(&[n])], |_| ());
        machine.pass(1_000);
        assert_eq!((machine.followed(0).size, machine.has(&[n])), (before + 1 + u64::from(n), true));
    }
    assert!(matches!(machine.alarms[..], [Alarm::Misbehaves { fault: "seen-checkpoint", .. }]));
}

/// Only the record that a node writes of its erasures says that a file is gone: mentioned elsewhere, it is waited for.
#[test]
fn a_notice_that_refers_to_a_record_as_erased_frees_no_receipt() {
    let mut machine = Machine::new(vec![public()]);
    machine.gives_blobs = false;
    let name = machine.release(0, &[Part::new(b"figures")], |_| ());
    machine.release(0, &[], |header| header.refs = of(Relation::Erases, name));
    machine.pass(60_000);
    assert_eq!(machine.state(0), (3, 0, 1), "no receipt covers it");
    machine.gives_blobs = true;
    machine.pass(600_000);
    assert_eq!((machine.state(0), machine.has(b"figures")), ((3, 3, 0), true));
}

/// A cosignature that was spoiled on its way proves nothing: the file is asked for again, and taken when it is whole.
#[test]
fn a_seen_file_with_a_spoiled_cosignature_is_not_kept() {
    let mut machine = Machine::new(vec![public()]);
    machine.pass(2_000);
    let mut checkpoint = machine.logs[0].checkpoint();
    let line = checkpoint.cosign(&signer("b.example", Role::Witness, 1), NOW / 1000).unwrap();
    checkpoint.note.signatures.push(line);
    let whole = checkpoint.to_bytes();
    let last = checkpoint.note.signatures.last_mut().expect("the cosignature");
    last.bytes[40] ^= 1;
    machine.seen = Some(checkpoint.to_bytes());
    machine.release(0, &[], |_| ());
    machine.pass(60_000);
    assert!(
        matches!(machine.alarms[..], [Alarm::Misbehaves { fault: "seen-cosignature", .. }]),
        "{:?}",
        machine.alarms
    );
    assert_eq!(machine.followed(0).seen, 0);
    machine.seen = Some(whole);
    machine.pass(600_000);
    assert_eq!(machine.followed(0).seen, 1);
}

#[test]
fn a_root_that_somebody_sends_in_a_peers_name_holds_up_nothing_of_it() {
    let mut machine = Machine::new(vec![public()]);
    machine.pass(2_000);
    let next = chain("a.example", 2).bytes(2).unwrap().to_vec();
    let forged = String::from_utf8(next).unwrap().replace("2027-11-01", "2027-11-02");
    let body = format!("a.example\n{forged}").into_bytes();
    let before = in_a_row(&mut machine);
    for n in 0_u8..10 {
        machine.tell(Input::Nudge { request: RequestId(u64::from(n)), body: body.clone() });
        assert_eq!(machine.engine.peer_health()[0].failures, 0);
        machine.release(0, &[], |_| ());
        machine.pass(2_000);
        assert_eq!(machine.followed(0).size, before + 1 + u64::from(n));
    }
    assert!(machine.alarms.is_empty(), "nobody is accused of what anybody can send: {:?}", machine.alarms);
}
