//! Peers that copy somebody's log and give it slowly: whoever has it beside them is asked instead.

use super::crowd::{Crowd, log_of};
use super::*;
use crate::engine::copies::TOO_SLOW;

/// `a.example` has a log of which the reader knows everything; `c.example` copies it, and gives no byte of the copy.
fn known(peers: &[&str]) -> (Crowd, TestLog) {
    let mut crowd = Crowd::new(peers);
    crowd.silent_on_copies.insert(authority("c.example"));
    let log = log_of("a.example", 1, 3);
    crowd.shows(log.clone());
    crowd.pass(10_000);
    assert_eq!(crowd.size(&log.origin), 4);
    (crowd, log)
}

/// How many requests to `c.example` nobody has answered or broken off.
fn left(crowd: &Crowd) -> usize {
    crowd.unanswered.iter().filter(|(_, peer, ..)| peer.as_str() == "c.example").count()
}

#[test]
fn what_a_copier_that_is_too_slow_was_asked_for_is_broken_off() {
    let (mut crowd, log) = known(&["a.example", "c.example", "d.example"]);
    releases(&mut crowd, &log, 600);
    crowd.copies("c.example", &log.origin);
    crowd.copies("d.example", &log.origin);
    crowd.pass(1_900);
    assert!(left(&crowd) > 0, "it has its time");
    crowd.pass(100);
    assert_eq!((crowd.size(&log.origin), left(&crowd)), (604, 0));
}

#[test]
fn what_a_copier_was_asked_for_before_the_author_has_no_more_than_its_time() {
    let (mut crowd, log) = known(&["a.example", "c.example"]);
    releases(&mut crowd, &log, 1);
    crowd.copies("c.example", &log.origin);
    crowd.pass(100);
    crowd.tell_heads_of("a.example");
    crowd.pass(1_000);
    assert_eq!((crowd.size(&log.origin), left(&crowd)), (5, 1));
    crowd.pass(900);
    assert_eq!(left(&crowd), 0);
    let health = crowd.engine.peer_health();
    let slow = health.iter().filter(|peer| peer.last_error == Some(TOO_SLOW));
    assert_eq!(slow.map(|peer| peer.authority.as_str()).collect::<Vec<_>>(), ["c.example"]);
}

#[test]
fn whoever_is_removed_is_waited_for_no_longer() {
    let mut crowd = Crowd::new(&["a.example", "c.example"]);
    crowd.silent.insert(authority("c.example"));
    crowd.silent_on_nudges.insert(authority("c.example"));
    let log = log_of("c.example", 1, 3);
    crowd.shows(log.clone());
    crowd.pass(1_000);
    assert!(left(&crowd) > 0 && crowd.parked.iter().any(|(_, peer, _)| peer.as_str() == "c.example"));
    crowd.logs.remove(&authority("c.example"));
    crowd.tell_peers();
    crowd.pass(0);
    assert_eq!(left(&crowd), 0);
    assert!(crowd.parked.iter().all(|(_, peer, _)| peer.as_str() == "a.example"));
}

/// Its author has more of it, and nobody shows that yet.
fn releases(crowd: &mut Crowd, log: &TestLog, count: u64) {
    let of_author = crowd.logs.get_mut(&authority("a.example")).unwrap();
    let released = of_author.iter_mut().find(|other| other.origin == log.origin).unwrap();
    released.grow(count, 1);
}

#[test]
fn a_record_that_a_copier_shows_first_comes_from_its_author_as_soon_as_that_shows_it() {
    let (mut crowd, log) = known(&["a.example", "c.example"]);
    releases(&mut crowd, &log, 1);
    crowd.copies("c.example", &log.origin);
    crowd.pass(100);
    assert_eq!(crowd.unanswered.len(), 1, "the copier is asked: nobody else shows it");
    crowd.tell_heads_of("a.example");
    crowd.pass(0);
    assert_eq!(crowd.size(&log.origin), 5);
}

#[test]
fn who_copies_well_is_asked_after_two_seconds_in_which_another_gave_nothing() {
    let (mut crowd, log) = known(&["a.example", "c.example", "d.example"]);
    releases(&mut crowd, &log, 600);
    crowd.copies("c.example", &log.origin);
    crowd.pass(100);
    crowd.copies("d.example", &log.origin);
    crowd.pass(1_500);
    assert_eq!(crowd.size(&log.origin), 4, "it has its time");
    crowd.pass(500);
    assert_eq!(crowd.size(&log.origin), 604);
    let health = crowd.engine.peer_health();
    let error = |name: &str| health.iter().find(|peer| peer.authority.as_str() == name).unwrap().last_error;
    assert_eq!((error("c.example"), error("d.example")), (Some(TOO_SLOW), None));
    // The next time the one that copied well is asked first.
    releases(&mut crowd, &log, 1);
    crowd.copies("c.example", &log.origin);
    crowd.copies("d.example", &log.origin);
    crowd.pass(100);
    assert_eq!(crowd.size(&log.origin), 605);
}

#[test]
fn who_always_shows_first_and_gives_nothing_is_an_alarm_and_is_asked_more_and_more_seldom() {
    let (mut crowd, log) = known(&["a.example", "c.example"]);
    for n in 0..20 {
        releases(&mut crowd, &log, 1);
        crowd.copies("c.example", &log.origin);
        crowd.pass(100);
        crowd.tell_heads_of("a.example");
        crowd.pass(0);
        assert_eq!(crowd.size(&log.origin), 5 + n, "nothing is held up");
        crowd.pass(60_000);
    }
    assert!(
        matches!(&crowd.alarms[..], [Alarm::Misbehaves { peer, fault: TOO_SLOW, .. }] if peer.as_str() == "c.example"),
        "{:?}",
        crowd.alarms
    );
    let asked = crowd.asked.iter().filter(|(peer, _)| peer.as_str() == "c.example").count();
    assert!((3..15).contains(&asked), "asked {asked} times for 20 records");
}

/// A line that is slow is no ill will: whoever alone has a log is not given up for that.
#[test]
fn a_copier_beside_which_nobody_has_more_has_all_its_time() {
    let (mut crowd, log) = known(&["a.example", "c.example"]);
    releases(&mut crowd, &log, 1);
    crowd.copies("c.example", &log.origin);
    crowd.pass(30_000);
    assert_eq!(crowd.asked.iter().filter(|(peer, _)| peer.as_str() == "c.example").count(), 1);
    crowd.answer_all();
    crowd.pass(0);
    assert_eq!(crowd.size(&log.origin), 5);
}

/// A log of which its author has shown nothing yet, with a record that names a file.
fn with_a_file(crowd: &mut Crowd) -> TestLog {
    let (mut log, bytes) = (log_of("a.example", 1, 0), b"figures".to_vec());
    let (sha256, media_type) = (tlog::sha256(&bytes), "application/pdf".parse().unwrap());
    log.record(5, |header| {
        header.blobs = vec![record::BlobRef { sha256, size: 7, media_type, lang: None }];
    });
    crowd.blobs.insert(sha256, bytes);
    crowd.pass(10_000);
    crowd.logs.get_mut(&authority("a.example")).unwrap().push(log.clone());
    log
}

#[test]
fn a_file_that_a_copier_drips_comes_from_its_author_as_soon_as_that_shows_the_log() {
    let mut crowd = Crowd::new(&["a.example", "c.example"]);
    crowd.drips_blobs.insert(authority("c.example"));
    let log = with_a_file(&mut crowd);
    crowd.copies("c.example", &log.origin);
    crowd.pass(100);
    assert_eq!((crowd.size(&log.origin), crowd.blobs_here()), (2, 0));
    crowd.tell_heads_of("a.example");
    crowd.pass(0);
    assert_eq!(crowd.blobs_here(), 1);
}

#[test]
fn a_file_that_a_copier_drips_comes_after_two_seconds_from_another() {
    let mut crowd = Crowd::new(&["a.example", "c.example", "d.example"]);
    crowd.drips_blobs.insert(authority("c.example"));
    let log = with_a_file(&mut crowd);
    crowd.copies("c.example", &log.origin);
    crowd.pass(100);
    crowd.copies("d.example", &log.origin);
    crowd.pass(2_000);
    assert_eq!((crowd.blobs_here(), left(&crowd)), (1, 0));
    let health = crowd.engine.peer_health();
    let slow = health.iter().filter(|peer| peer.last_error == Some(TOO_SLOW));
    assert_eq!(slow.map(|peer| peer.authority.as_str()).collect::<Vec<_>>(), ["c.example"]);
}
