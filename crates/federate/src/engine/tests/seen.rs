//! Whose `seen` files are taken, and under which numbers.

use super::crowd::{Crowd, log_of};
use super::*;

/// A log's checkpoint with the cosignatures of these witnesses.
fn cosigned(log: &TestLog, witnesses: &[&str]) -> SignedCheckpoint {
    let mut checkpoint = log.checkpoint();
    for witness in witnesses {
        let line = checkpoint.cosign(&signer(witness, Role::Witness, 1), NOW / 1000).unwrap();
        checkpoint.note.signatures.push(line);
    }
    checkpoint
}

fn file_of(crowd: &Crowd, log: &TestLog, n: u64) -> Option<Vec<u8>> {
    crowd.files.get(&places::file(&places::mirror(&log.origin), &LogFile::Seen(n))).cloned()
}

/// A million of them cost as much as none, and nothing new of the author is proven later for that.
#[test]
fn no_more_seen_files_are_taken_than_the_author_itself_has_shown() {
    let mut crowd = Crowd::new(&["a.example", "c.example", "d.example"]);
    let log = log_of("a.example", 1, 3);
    crowd.shows(log.clone());
    let honest = cosigned(&log, &["d.example"]);
    crowd.shows_seen("c.example", &log.origin, &vec![log.checkpoint(); 1000]);
    crowd.pass(600_000);
    assert_eq!(crowd.followed(&log.origin).seen, 0, "the author has shown none");
    crowd.shows_seen("a.example", &log.origin, std::slice::from_ref(&honest));
    crowd.pass(600_000);
    assert_eq!(crowd.followed(&log.origin).seen, 1);
    assert_eq!(file_of(&crowd, &log, 0), Some(honest.to_bytes()));
}

/// Where the author does not answer, others are asked for what it has shown, and what they gave is compared with the
/// author's when it answers again.
#[test]
fn what_another_peer_gave_under_a_number_gives_way_to_the_authors() {
    let mut crowd = Crowd::new(&["a.example", "c.example", "d.example"]);
    let log = log_of("a.example", 1, 3);
    crowd.shows(log.clone());
    crowd.pass(10_000);
    crowd.silent.insert(authority("a.example"));
    let files = [cosigned(&log, &["c.example"]), cosigned(&log, &["c.example", "d.example"])];
    crowd.shows_seen("a.example", &log.origin, &files);
    crowd.shows_seen("c.example", &log.origin, &[log.checkpoint(), files[1].clone()]);
    crowd.pass(600_000);
    assert_eq!(crowd.followed(&log.origin).seen, 2);
    assert_eq!(file_of(&crowd, &log, 0), Some(log.checkpoint().to_bytes()), "with nobody's cosignature");
    crowd.silent.clear();
    crowd.pass(600_000);
    assert_eq!(file_of(&crowd, &log, 0), Some(files[0].to_bytes()));
    assert_eq!(file_of(&crowd, &log, 1), Some(files[1].to_bytes()));
    assert_eq!(crowd.replaced, [(log.origin.clone(), 0)], "and the index is told of what changed, once");
}

/// It could not go on behind a larger one that is not the author's.
#[test]
fn a_larger_file_from_another_peer_does_not_stop_those_of_the_author() {
    let mut crowd = Crowd::new(&["a.example", "c.example", "d.example"]);
    let small = log_of("a.example", 1, 3);
    let mut log = small.clone();
    log.grow(5, 1);
    crowd.shows(log.clone());
    crowd.pass(10_000);
    crowd.silent.insert(authority("a.example"));
    let files = [cosigned(&small, &["c.example"]), cosigned(&small, &["d.example"])];
    crowd.shows_seen("a.example", &log.origin, &files);
    crowd.shows_seen("c.example", &log.origin, &[cosigned(&log, &["c.example"])]);
    crowd.pass(600_000);
    assert_eq!(crowd.followed(&log.origin).seen, 1);
    crowd.silent.clear();
    crowd.pass(600_000);
    assert_eq!(crowd.followed(&log.origin).seen, 2);
    let last = cosigned(&log, &["c.example", "d.example"]);
    crowd.shows_seen("a.example", &log.origin, &[files[0].clone(), files[1].clone(), last.clone()]);
    crowd.pass(600_000);
    assert_eq!(file_of(&crowd, &log, 2), Some(last.to_bytes()));
}
