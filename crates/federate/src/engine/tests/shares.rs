//! What one peer costs the others.

use std::collections::BTreeSet;

use tlog::Signer as _;

use super::crowd::{Crowd, log_of};
use super::*;
use crate::nudge::{Nudge, NudgeNote};
use record::SignedRoot;

#[test]
fn a_peer_that_shows_many_logs_and_gives_none_holds_up_nobody_else() {
    let mut crowd = Crowd::new(&["a.example", "c.example"]);
    crowd.silent.insert(authority("a.example"));
    for n in 0..16 {
        crowd.shows(log_of("a.example", n, 300));
    }
    crowd.pass(1_000);
    let busy = crowd.unanswered.iter().filter(|(_, _, route, ..)| matches!(route, Route::Log { .. }));
    let logs: BTreeSet<String> = busy.map(|(_, _, route, ..)| format!("{route:?}")).collect();
    assert!(!logs.is_empty());
    let honest = log_of("c.example", 1, 300);
    crowd.shows(honest.clone());
    crowd.pass(100);
    assert_eq!(crowd.size(&honest.origin), 301, "at once");
}

#[test]
fn what_one_peer_may_have_in_memory_is_bounded_whatever_it_shows() {
    let mut crowd = Crowd::new(&["a.example", "c.example"]);
    crowd.silent.insert(authority("a.example"));
    for n in 0..64 {
        crowd.shows(log_of("a.example", n, 3_000));
    }
    crowd.pass(1_000);
    let budget = Limits::default().ahead_bytes;
    let under_way = crowd.under_way("a.example");
    assert!(under_way <= budget, "{under_way} of {budget} bytes");
}

#[test]
fn when_a_peer_is_removed_its_places_are_free_and_nothing_is_fetched_from_it() {
    let mut crowd = Crowd::new(&["a.example", "c.example"]);
    crowd.silent.insert(authority("a.example"));
    for n in 0..16 {
        crowd.shows(log_of("a.example", n, 300));
    }
    crowd.pass(1_000);
    let logs = crowd.logs.remove(&authority("a.example")).unwrap();
    crowd.tell_peers();
    crowd.asked.clear();
    crowd.pass(200_000);
    assert!(crowd.asked.is_empty(), "{:?}", crowd.asked);
    // Who comes back, and answers now, is caught up.
    crowd.silent.clear();
    crowd.logs.insert(authority("a.example"), logs.clone());
    crowd.tell_peers();
    crowd.pass(400_000);
    assert!(logs.iter().all(|log| crowd.size(&log.origin) == 301));
}

#[test]
fn of_a_log_that_does_not_open_nothing_more_is_fetched_than_its_beginning() {
    let mut crowd = Crowd::new(&["a.example"]);
    let mut log = TestLog::new("a.example/log/public/2026");
    log.grow(2_000, 1);
    crowd.shows(log.clone());
    crowd.pass(60_000);
    assert_eq!(crowd.size(&log.origin), 256, "one bundle, whose first entry opens nothing");
    log.grow(1_000, 2);
    let asked = crowd.asked.len();
    crowd.logs.get_mut(&authority("a.example")).unwrap().clear();
    crowd.shows(log);
    crowd.pass(60_000);
    assert_eq!(crowd.asked.len(), asked);
    assert!(matches!(crowd.alarms[..], [Alarm::InvalidEntry { index: 0, .. }]), "{:?}", crowd.alarms);
}

#[test]
fn a_bundle_that_is_larger_than_those_before_is_asked_for_again_and_taken() {
    let mut crowd = Crowd::new(&["a.example"]);
    let mut log = log_of("a.example", 1, 600);
    for n in 0..512_usize {
        log.record(2, |header| {
            header.own = (0..200)
                .map(|k| record::Line::new(format!("k{k}"), "x".repeat(200 + n % 7)).unwrap())
                .collect();
        });
    }
    log.grow(600, 3);
    crowd.shows(log.clone());
    crowd.pass(5_000);
    assert_eq!(crowd.size(&log.origin), log.entries.len() as u64);
    assert!(crowd.alarms.is_empty(), "{:?}", crowd.alarms);
}

#[test]
fn a_peer_that_gives_less_than_it_shows_is_named_after_a_quarter_of_an_hour() {
    let mut crowd = Crowd::new(&["a.example", "c.example"]);
    crowd.silent.insert(authority("a.example"));
    crowd.shows(log_of("a.example", 1, 10));
    crowd.pass(800_000);
    assert!(crowd.alarms.is_empty(), "{:?}", crowd.alarms);
    crowd.pass(200_000);
    assert!(matches!(crowd.alarms[..], [Alarm::Behind { .. }]), "{:?}", crowd.alarms);
    crowd.pass(4_000_000);
    assert_eq!(crowd.alarms.len(), 1, "once");
}

#[test]
fn a_root_is_taken_after_ten_seconds_whoever_does_not_answer_and_is_compared_after_that() {
    let mut crowd = Crowd::new(&["a.example", "c.example", "d.example"]);
    let next = chain("a.example", 2).bytes(2).unwrap().to_vec();
    crowd.silent.insert(authority("c.example"));
    crowd.tell(Input::RootShown { peer: authority("a.example"), bytes: next });
    crowd.pass(9_000);
    assert!(crowd.roots_stored.is_empty(), "c may still answer");
    crowd.pass(2_000);
    assert_eq!(crowd.roots_stored.len(), 1, "{:?}", crowd.roots_stored);
    assert!(crowd.alarms.is_empty());
    // What c says in the end is another root of that version, rightly signed.
    let other = other_root();
    let asked = crowd.unanswered.iter().find(|(_, peer, route, ..)| {
        peer.as_str() == "c.example"
            && matches!(route, Route::PeerRoot { authority, n: 2 } if authority.as_str() == "a.example")
    });
    let id = asked.expect("c is still asked").0;
    crowd.tell(Input::Answer {
        id,
        answer: Answer::Response { status: 200, etag: None, date: None, body: other },
    });
    crowd.pass(100);
    assert!(
        matches!(crowd.alarms[..], [Alarm::RootConflict { kept: Some(_), version: 2, .. }]),
        "{:?}",
        crowd.alarms
    );
}

/// Root 2 of `a.example` with another end.
fn other_root() -> Vec<u8> {
    let first = chain("a.example", 2);
    let mut root = first.at(2).unwrap().clone();
    root.until = "2028-11-01T00:00:00Z".parse().unwrap();
    SignedRoot::sign(&root, &[&signer("a.example", Role::Root, 2)]).unwrap().bytes
}

#[test]
fn a_peer_whose_heads_never_wait_is_asked_more_seldom_and_that_is_said() {
    let mut node = Node::new(vec![public(3)]);
    node.pass(60_000);
    let asked = node.asked_heads;
    assert!(asked < 40, "asked {asked} times in a minute");
    assert_eq!(node.engine.peer_health()[0].last_error, Some("peer-does-not-wait"));
}

#[test]
fn a_larger_head_under_a_revoked_key_is_an_alarm_that_stops_nothing() {
    let mut node = Node::new(vec![]);
    let mut own = TestLog::opened("b.example/log/public/2026", &[]);
    let given = OwnLog {
        origin: own.origin.clone(),
        checkpoint: Some(own.checkpoint()),
        policy: b"quorum none\n".to_vec(),
        readers: Readers::Public,
        is_open: true,
        standing: GuardStanding::InStep,
    };
    node.tell(Input::OwnLog(Box::new(given)));
    node.pass(11_000);
    node.tell(Input::OwnRoots(revoking("b.example")));
    own.grow(2, 0);
    node.logs = vec![own.clone()];
    node.pass(20_000);
    assert_eq!(node.engine.permission(&own.origin), Permission::May);
    assert!(matches!(node.alarms[..], [Alarm::ForeignHeadOfOwnLog { size: 3, .. }]), "{:?}", node.alarms);
}

/// Anybody can say that a peer has news; that costs the peer's own nudges nothing.
#[test]
fn nudges_in_a_peers_name_hold_up_neither_its_news_nor_its_root() {
    let mut crowd = Crowd::new(&["a.example", "c.example"]);
    crowd.pass(1_000);
    let forged = Nudge { from: authority("a.example"), note: NudgeNote::None }.to_bytes();
    for _ in 0..100 {
        assert_eq!(crowd.nudge(forged.clone()), 202);
    }
    let chain = chain("a.example", 2);
    let note = NudgeNote::Root(Box::new(SignedRoot::parse(chain.bytes(2).unwrap()).unwrap()));
    assert_eq!(crowd.nudge(Nudge { from: authority("a.example"), note }.to_bytes()), 202);
    crowd.pass(20_000);
    assert_eq!(crowd.roots_stored.len(), 1);
}

#[test]
fn a_root_that_is_none_is_refused_in_whosever_name() {
    let mut crowd = Crowd::new(&["a.example", "c.example"]);
    crowd.pass(1_000);
    let chain = chain("a.example", 2);
    let spoiled = SignedRoot::sign(chain.at(2).unwrap(), &[&signer("a.example", Role::Root, 7)]).unwrap();
    let nudge = Nudge { from: authority("a.example"), note: NudgeNote::Root(Box::new(spoiled)) };
    assert_eq!(crowd.nudge(nudge.to_bytes()), 422);
    crowd.pass(20_000);
    assert!(crowd.roots_stored.is_empty() && crowd.alarms.is_empty(), "{:?}", crowd.alarms);
}

/// The announcement of a revocation is not lost with one answer.
#[test]
fn a_peer_is_told_of_our_root_until_it_has_taken_it() {
    let mut crowd = Crowd::new(&["a.example", "c.example"]);
    crowd.pass(1_000);
    crowd.refuses_nudges.insert(authority("a.example"));
    crowd.tell(Input::OwnRoots(chain("b.example", 2)));
    crowd.pass(60_000);
    let told = |crowd: &Crowd, name: &str| crowd.nudged.iter().filter(|to| to.as_str() == name).count();
    assert_eq!(told(&crowd, "c.example"), 1);
    let before = told(&crowd, "a.example");
    assert!((3..20).contains(&before), "again, after growing waits: {before}");
    crowd.refuses_nudges.clear();
    crowd.pass(600_000);
    assert_eq!(told(&crowd, "a.example"), before + 1);
}

/// Two roots, of which the second revokes the first one's log key.
fn revoking(name: &str) -> RootChain {
    let two = chain(name, 2);
    let mut root = two.at(2).unwrap().clone();
    root.revoked = vec![(signer(name, Role::Log, 1).key().clone(), root.from)];
    let bytes = SignedRoot::sign(&root, &[&signer(name, Role::Root, 2)]).unwrap().bytes;
    let mut chain = chain(name, 1);
    chain.extend(&bytes).unwrap();
    chain
}

/// A record of `a.example` or another that names a blob of so many bytes, which is served by nobody.
fn names_blob(log: &mut TestLog, size: u64) -> Hash {
    let sha256 = tlog::sha256(&size.to_be_bytes());
    log.record(3, |header| {
        let media_type = "application/pdf".parse().unwrap();
        header.blobs = vec![record::BlobRef { sha256, size, media_type, lang: None }];
    });
    sha256
}

#[test]
fn a_peer_that_drips_its_blobs_holds_up_those_of_nobody_else() {
    let mut crowd = Crowd::new(&["a.example", "c.example"]);
    let mut drips = log_of("a.example", 1, 1);
    for n in 0..40 {
        names_blob(&mut drips, 40_000_000 + n);
    }
    for n in 0..400 {
        names_blob(&mut drips, 500_000 + n);
    }
    crowd.drips_blobs.insert(authority("a.example"));
    crowd.shows(drips);
    crowd.pass(1_000);
    let taken = crowd.under_way("a.example") as u64;
    assert!((1..=3 * Limits::default().blob_bytes).contains(&taken), "{taken}");
    let mut honest = log_of("c.example", 2, 1);
    let (large, small) = (names_blob(&mut honest, 47_000_000), names_blob(&mut honest, 100));
    crowd.shows(honest);
    crowd.pass(100);
    for sha256 in [large, small] {
        let is_asked = crowd.blobs_asked.contains(&(authority("c.example"), sha256));
        assert!(is_asked, "at once");
    }
}

#[test]
fn of_an_author_at_its_quota_nothing_more_is_fetched_and_others_are() {
    let mut crowd =
        Crowd::with(&["a.example", "c.example"], Limits { quota: 400 << 10, ..Limits::default() });
    let log = log_of("a.example", 1, 5_000);
    crowd.shows(log.clone());
    crowd.shows(log_of("c.example", 2, 50));
    crowd.pass(60_000);
    let size = crowd.size(&log.origin);
    assert!((256..4_000).contains(&size), "{size} of 5,001");
    assert!(matches!(&crowd.alarms[..], [Alarm::OverQuota { peer, .. }] if peer.as_str() == "a.example"));
    assert_eq!(crowd.size(&log_of("c.example", 2, 50).origin), 51);
    // Nothing is asked again and again while nothing can be taken.
    let (asked, ticks) = (crowd.asked.len(), crowd.ticks);
    crowd.pass(60_000);
    assert_eq!(crowd.asked.len(), asked);
    assert!(crowd.ticks < ticks + 100, "{} ticks in a minute", crowd.ticks - ticks);
}

#[test]
fn when_little_is_free_on_the_disk_nothing_of_others_is_taken_until_there_is_more() {
    let mut crowd = Crowd::new(&["a.example"]);
    crowd.tell(Input::Space { is_low: true });
    let log = log_of("a.example", 1, 300);
    crowd.shows(log.clone());
    crowd.pass(5_000);
    assert_eq!(crowd.engine.followed()[0].size, 0);
    crowd.tell(Input::Space { is_low: false });
    crowd.pass(100);
    assert_eq!(crowd.size(&log.origin), 301);
}

#[test]
fn who_shows_thousands_of_logs_is_looked_at_bit_by_bit() {
    let mut crowd = Crowd::new(&["a.example", "c.example"]);
    let many: Vec<TestLog> = (0..400).map(|n| log_of("a.example", n, 0)).collect();
    crowd.logs.insert(authority("a.example"), many);
    crowd.pass(40);
    let at_once = crowd.engine.followed().len();
    assert!(at_once < 200, "{at_once}");
    let honest = log_of("c.example", 1, 3);
    crowd.shows(honest.clone());
    crowd.pass(100);
    assert_eq!(crowd.size(&honest.origin), 4, "between");
    crowd.pass(60_000);
    assert_eq!(crowd.engine.followed().len(), 401);
}
