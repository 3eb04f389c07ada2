//! What one peer costs others that has very much of what is small: files, lines, logs. Work is counted in looks at logs and in
//! outputs.

use tlog::Hash;

use super::crowd::{Crowd, log_of};
use super::*;
use crate::footprint;
use crate::heads::MAX_OF_ANOTHER;
use record::{BlobRef, Ref, Relation};

/// So many records that name a file of eight bytes each, which is served.
fn tiny_files(crowd: &mut Crowd, author: &str, count: u64) -> TestLog {
    let mut log = log_of(author, 1, 0);
    for n in 0..count {
        let bytes = n.to_be_bytes().to_vec();
        let (sha256, media_type) = (tlog::sha256(&bytes), "application/pdf".parse().unwrap());
        log.record(5, |header| {
            header.blobs = vec![BlobRef { sha256, size: 8, media_type, lang: None }];
        });
        crowd.blobs.insert(sha256, bytes);
    }
    log
}

fn used(crowd: &Crowd, name: &str) -> u64 {
    crowd.engine.peer_health().iter().find(|peer| peer.authority.as_str() == name).map_or(0, |peer| peer.used)
}

#[test]
fn tiny_files_fill_a_quota_by_the_blocks_that_they_take() {
    let quota = 4 << 20;
    let mut crowd = Crowd::with(&["a.example"], Limits { quota, ..Limits::default() });
    let log = tiny_files(&mut crowd, "a.example", 1_500);
    crowd.shows(log);
    crowd.pass(60_000);
    let (here, takes) = (crowd.blobs_here() as u64, footprint::file(8));
    assert!(
        (100..=quota / takes).contains(&here),
        "{here} of 1,500 files, each of which takes {takes} bytes"
    );
    assert!(matches!(crowd.alarms[..], [Alarm::OverQuota { .. }]), "{:?}", crowd.alarms);
}

#[test]
fn what_a_record_refers_to_is_counted_by_the_rows_that_it_takes() {
    let mut crowd = Crowd::new(&["a.example"]);
    let mut log = log_of("a.example", 1, 0);
    for _ in 0..20 {
        log.record(6, |header| {
            let of = |n: u8| Ref {
                relation: Relation::Replies,
                author: authority("c.example"),
                name: Hash([n; 32]),
            };
            header.refs = (0..101).map(of).collect();
        });
    }
    let bytes: u64 = log.entries.iter().map(|entry| entry.len() as u64).sum();
    crowd.shows(log);
    crowd.pass(5_000);
    let least = bytes + 20 * 101 * footprint::PER_LINE + footprint::entries(21) + footprint::PER_LOG;
    assert_eq!(used(&crowd, "a.example"), least);
}

/// Each file and each folder of a log takes a block, however little is in it.
#[test]
fn very_many_tiny_logs_fill_a_quota_by_the_folders_and_blocks_that_they_take() {
    let quota = 4 << 20;
    let mut crowd = Crowd::with(&["a.example"], Limits { quota, ..Limits::default() });
    for n in 1..=600 {
        crowd.shows(log_of("a.example", n, 2));
    }
    crowd.pass(120_000);
    let mut places: BTreeSet<&str> = BTreeSet::new();
    for path in crowd.files.keys().filter(|path| path.starts_with("mirror/")) {
        let folders = path.match_indices('/').map(|(at, _)| &path[..at]);
        places.extend(folders.filter(|folder| *folder != "mirror").chain([path.as_str()]));
    }
    let (takes, used) = (places.len() as u64 * footprint::BLOCK, used(&crowd, "a.example"));
    let is_told = crowd.alarms.iter().any(|alarm| matches!(alarm, Alarm::OverQuota { .. }));
    assert!(is_told, "{:?}", crowd.alarms);
    assert!(takes <= used, "{takes} bytes on the disk, counted as {used}");
    let under_way = 16 * footprint::PER_LOG;
    assert!(takes > quota / 2 && takes < quota + under_way, "{takes} bytes at a quota of {quota}");
}

#[test]
fn of_an_author_with_too_much_that_is_awaited_no_more_entries_are_taken_until_half_of_it_came() {
    let limits = Limits { wanted: 100, batch_bundles: 1, ..Limits::default() };
    let mut crowd = Crowd::with(&["a.example", "c.example"], limits);
    let log = tiny_files(&mut crowd, "a.example", 3_000);
    let served = std::mem::take(&mut crowd.blobs);
    crowd.shows(log.clone());
    crowd.pass(60_000);
    let size = crowd.size(&log.origin);
    assert!((256..1_500).contains(&size), "{size} of 3,001");
    let wanted = crowd.followed(&log.origin).wanted_blobs;
    assert!(wanted < 3 * 256, "a share, and what came with the bundles that were under way: {wanted}");
    crowd.shows(log_of("c.example", 2, 50));
    crowd.pass(100);
    assert_eq!(crowd.size(&log_of("c.example", 2, 50).origin), 51, "others are not held up");
    // Nothing is done meanwhile.
    let looks = crowd.engine.looks;
    crowd.pass(10_000);
    assert!(crowd.engine.looks - looks < 20_000, "{}", crowd.engine.looks - looks);
    crowd.blobs = served;
    crowd.pass(4_000_000);
    let followed = crowd.followed(&log.origin);
    assert_eq!((followed.size, followed.wanted_blobs, followed.held), (3_001, 0, 3_001));
}

#[test]
fn logs_that_wait_for_a_place_are_not_looked_at_until_there_is_one() {
    let mut crowd = Crowd::new(&["a.example", "c.example"]);
    crowd.silent.insert(authority("a.example"));
    for n in 0..300 {
        crowd.shows(log_of("a.example", n, 1));
    }
    crowd.pass(3_000);
    let (looks, ticks) = (crowd.engine.looks, crowd.ticks);
    crowd.pass(20_000);
    let (looks, ticks) = (crowd.engine.looks - looks, crowd.ticks - ticks);
    assert!(looks < 300, "{looks} looks in twenty seconds in which nothing happens");
    assert!(ticks < 100, "{ticks} ticks");
    // When it answers again, all have their turn.
    crowd.silent.clear();
    crowd.pass(600_000);
    assert!(crowd.engine.followed().iter().all(|log| log.size == 2));
}

#[test]
fn logs_that_do_not_open_are_not_looked_at_again() {
    let mut crowd = Crowd::new(&["a.example"]);
    for n in 0..50 {
        let mut log = TestLog::new(&format!("a.example/log/public/{}", 2000 + n));
        log.grow(3, 1);
        crowd.shows(log);
    }
    crowd.pass(30_000);
    let mut more = crowd.logs[&authority("a.example")].clone();
    for log in &mut more {
        log.grow(1, 2);
    }
    crowd.logs.insert(authority("a.example"), more);
    crowd.tell_heads_of("a.example");
    crowd.pass(5_000);
    let looks = crowd.engine.looks;
    crowd.pass(60_000);
    assert!(crowd.engine.looks - looks < 200, "{} looks in a minute", crowd.engine.looks - looks);
}

/// Whoever reads this node, and not that author, would pay for them with its line.
#[test]
fn the_author_of_very_many_logs_is_shown_all_of_its_receipts_and_everybody_else_few_of_its_logs() {
    let mut crowd = Crowd::new(&["a.example", "c.example"]);
    let many: Vec<TestLog> = (0..400).map(|n| log_of("a.example", n, 1)).collect();
    crowd.logs.insert(authority("a.example"), many);
    crowd.shows(log_of("c.example", 1, 1));
    crowd.tell_heads_of("a.example");
    crowd.pass(120_000);
    let heads = |caller: Option<&str>| {
        let caller = caller.map(authority);
        let (body, _) = crowd.engine.heads(caller.as_ref());
        let logs = Heads::parse(&body).unwrap().logs;
        let count = |author: &str| logs.keys().filter(|origin| origin.authority.as_str() == author).count();
        (body.len(), count("a.example"), count("c.example"))
    };
    let (bytes, of_author, _) = heads(Some("a.example"));
    assert!(bytes > 2 * MAX_OF_ANOTHER && of_author == 400, "{of_author} in {bytes} bytes");
    let body = crowd.engine.heads(Some(&authority("a.example"))).0;
    let receipts = String::from_utf8(body).unwrap().matches("/holds/").count();
    assert!(receipts >= 400, "{receipts} receipts");
    for other in [None, Some("c.example")] {
        let (bytes, of_author, of_other) = heads(other);
        assert!(
            bytes < MAX_OF_ANOTHER + 1024 && of_author > 20 && of_other == 1,
            "{of_author} in {bytes} bytes"
        );
    }
}

#[test]
fn of_many_logs_those_that_changed_are_looked_at_and_who_waits_for_news_is_woken_once_in_a_while() {
    let mut crowd = Crowd::new(&["a.example", "c.example"]);
    let many: Vec<TestLog> = (0..400).map(|n| log_of("a.example", n, 1)).collect();
    crowd.logs.insert(authority("a.example"), many);
    crowd.tell_heads_of("a.example");
    crowd.pass(120_000);
    assert_eq!(crowd.engine.followed().len(), 400);
    let (looks, news) = (crowd.engine.looks, crowd.news);
    for n in 0..10 {
        let logs = crowd.logs.get_mut(&authority("a.example")).unwrap();
        for log in &mut logs[n..n + 20] {
            log.grow(1, 3);
        }
        crowd.tell_heads_of("a.example");
        crowd.pass(1_000);
    }
    let (looks, woken) = (crowd.engine.looks - looks, crowd.news - news);
    assert!(looks < 200 * 20, "{looks} looks for 200 changes");
    assert!(woken < 30, "woken {woken} times in ten seconds");
    // Who has news seldom is told of at once.
    let news = crowd.news;
    crowd.shows(log_of("c.example", 1, 3));
    crowd.pass(0);
    assert_eq!(crowd.size(&log_of("c.example", 1, 3).origin), 4);
    assert!(crowd.news > news);
}

/// What others show of somebody's logs is fetched beside their own, and not in its place.
#[test]
fn a_peer_that_drips_through_those_who_copy_it_holds_up_none_of_their_own_logs() {
    let mut crowd = Crowd::new(&["a.example", "c.example"]);
    crowd.silent.insert(authority("a.example"));
    crowd.silent_on_copies.insert(authority("c.example"));
    for n in 0..32 {
        let log = log_of("a.example", n, 300);
        crowd.shows(log.clone());
        crowd.shows_seen("c.example", &log.origin, &[]);
    }
    crowd.pass(2_000);
    let of_c = |route: &Route| matches!(route, Route::Mirror { .. });
    assert!(crowd.unanswered.iter().any(|(_, peer, route, ..)| peer.as_str() == "c.example" && of_c(route)));
    let honest = log_of("c.example", 1, 300);
    crowd.shows(honest.clone());
    crowd.pass(300);
    assert_eq!(crowd.size(&honest.origin), 301);
}

/// Each of them fits when it is lined up, and they are fetched one after the other.
#[test]
fn the_logs_of_an_author_share_what_is_left_of_its_quota() {
    let (blob_bytes, quota) = (400_000, 2_000_000 + 20 * footprint::PER_LOG);
    let mut crowd = Crowd::with(&["a.example"], Limits { blob_bytes, quota, ..Limits::default() });
    crowd.drips_blobs.insert(authority("a.example"));
    for n in 0..20 {
        let mut log = log_of("a.example", n, 0);
        // No desk reads the second one.
        let files = [1, 400_000].map(|length| vec![u8::try_from(n).unwrap(); length]);
        let blob = |bytes: &Vec<u8>| BlobRef {
            sha256: tlog::sha256(bytes),
            size: bytes.len() as u64,
            media_type: "application/pdf".parse().unwrap(),
            lang: None,
        };
        log.record(5, |header| header.blobs = files.iter().map(blob).collect());
        crowd.blobs.extend(files.map(|bytes| (tlog::sha256(&bytes), bytes)));
        crowd.shows(log);
    }
    crowd.pass(5_000);
    crowd.drips_blobs.clear();
    crowd.pass(600_000);
    assert_eq!(crowd.blobs_here(), 20 + 4);
    assert!(used(&crowd, "a.example") <= quota);
    let looks = crowd.engine.looks;
    crowd.pass(60_000);
    assert!(crowd.engine.looks - looks < 100, "{} looks in a minute", crowd.engine.looks - looks);
}

/// Each would be a connection that is held.
#[test]
fn who_answers_no_nudge_is_told_of_few_receipts_at_once() {
    let mut crowd = Crowd::new(&["a.example", "c.example"]);
    crowd.silent_on_nudges.insert(authority("a.example"));
    let many: Vec<TestLog> = (0..100).map(|n| log_of("a.example", n, 1)).collect();
    crowd.logs.insert(authority("a.example"), many);
    crowd.tell_heads_of("a.example");
    crowd.pass(20_000);
    assert!(crowd.engine.followed().iter().all(|log| log.held == 2));
    let nudges = crowd.unanswered.iter().filter(|(_, _, route, ..)| *route == Route::Nudge).count();
    assert!((1..=4).contains(&nudges), "{nudges}");
    let honest = log_of("c.example", 1, 1);
    crowd.shows(honest);
    crowd.pass(100);
    assert!(crowd.nudged.contains(&authority("c.example")));
}

#[test]
fn who_says_without_proof_that_a_dead_peer_has_news_has_it_asked_once_a_minute() {
    let mut crowd = Crowd::new(&["a.example", "c.example"]);
    crowd.dead.insert(authority("c.example"));
    crowd.pass(600_000);
    let asked =
        |crowd: &Crowd| crowd.heads_asked.iter().filter(|(peer, _)| peer.as_str() == "c.example").count();
    let forged = crate::nudge::Nudge { from: authority("c.example"), note: crate::nudge::NudgeNote::None };
    let before = asked(&crowd);
    for _ in 0..600 {
        assert_eq!(crowd.nudge(forged.to_bytes()), 202);
        crowd.pass(1_000);
    }
    let with_nudges = asked(&crowd) - before;
    assert!((1..=15).contains(&with_nudges), "asked {with_nudges} times in ten minutes");
    // What it signed itself counts at once.
    let before = asked(&crowd);
    let chain = chain("c.example", 2);
    let root = record::SignedRoot::parse(chain.bytes(2).unwrap()).unwrap();
    let note = crate::nudge::NudgeNote::Root(Box::new(root));
    let signed = crate::nudge::Nudge { from: authority("c.example"), note }.to_bytes();
    assert_eq!(crowd.nudge(signed.clone()), 202);
    crowd.pass(100);
    assert_eq!(asked(&crowd) - before, 1);
    // Nobody can use it again.
    crowd.pass(30_000);
    let before = asked(&crowd);
    for _ in 0..20 {
        crowd.nudge(signed.clone());
    }
    crowd.pass(1_000);
    assert!(asked(&crowd) - before <= 1, "asked {} times", asked(&crowd) - before);
}

/// A table becomes rows of a desk, which take more than the table: it counts as both until it is measured.
#[test]
fn a_table_is_counted_with_what_a_desk_makes_of_it() {
    let quota = 10 << 20;
    let mut crowd = Crowd::with(&["a.example"], Limits { quota, ..Limits::default() });
    crowd.per_table = 10;
    for n in 0..8 {
        let mut log = log_of("a.example", n, 0);
        let bytes = vec![u8::try_from(n).unwrap(); 400_000];
        let (sha256, media_type) = (tlog::sha256(&bytes), "text/csv;schema=hxl".parse().unwrap());
        log.record(5, |header| {
            header.blobs = vec![BlobRef { sha256, size: 400_000, media_type, lang: None }];
        });
        crowd.blobs.insert(sha256, bytes);
        crowd.shows(log);
    }
    crowd.pass(600_000);
    assert_eq!(crowd.blobs_here(), 2, "each takes 4.4 MB with its rows");
    assert!(used(&crowd, "a.example") <= quota);
}
