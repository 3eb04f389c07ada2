//! A file that must be on the disk is gone: it is named, nothing is said to be here that is not, what comes behind it counts, and
//! it is fetched back.

use std::path::{Path, PathBuf};

use e2e::{Authority, World, path_in, until};
use serde_json::Value;

use crate::damage::{copied, copy_of, damaged, files_below, turn_a_bit};

const LOST: &str = "alarm-file-lost";

/// The files of records on a node's disk.
fn blobs(node: &Authority) -> Vec<PathBuf> {
    let mut blobs = files_below(&node.data.join("files/blob"));
    blobs.sort();
    blobs
}

/// The file that holds this text.
fn file_of(node: &Authority, text: &str) -> PathBuf {
    let hash = tlog::sha256(text.as_bytes()).to_hex();
    let path = node.data.join("files/blob").join(&hash[..2]).join(hash);
    assert!(path.exists(), "{}", path.display());
    path
}

fn held(node: &Authority, origin: &str, by: &Authority) -> Option<u64> {
    node.log(origin)?["held"][&by.name].as_u64()
}

fn is_named(node: &Authority, path: &Path) -> bool {
    damaged(node).iter().any(|named| named.starts_with(&path_in(path)) && named.contains("is missing"))
}

#[test]
fn a_file_of_a_record_that_is_gone_is_named_and_fetched_back() {
    let (mut world, ..) = copied();
    for (loser, keeper) in [(0, 1), (1, 0)] {
        let path = file_of(&world.nodes[loser], "copied by the other");
        let right = std::fs::read(&path).expect("the file");
        world.nodes[keeper].stop();
        std::fs::remove_file(&path).expect("removed");
        assert!(is_named(&world.nodes[loser], &path), "{:?}", damaged(&world.nodes[loser]));
        let doctor = world.nodes[loser].run(&["doctor"]);
        if loser == 0 {
            let text = String::from_utf8_lossy(&doctor.stdout).into_owned();
            assert!(text.contains("FAIL own logs and files") && text.contains(&path_in(&path)), "{text}");
        }
        world.nodes[keeper].serve();
        until("it is fetched back", || (std::fs::read(&path).ok()? == right).then_some(()));
        until("all is whole", || damaged(&world.nodes[loser]).is_empty().then_some(()));

        // Nobody looks, and it is missed all the same at the next start.
        world.nodes[loser].stop();
        std::fs::remove_file(&path).expect("removed");
        world.nodes[loser].serve();
        until("it is fetched back", || (std::fs::read(&path).ok()? == right).then_some(()));
    }
}

#[test]
fn a_checkpoint_that_is_gone_is_named_and_written_again() {
    let (world, origin, _) = copied();
    let [a, b] = &world.nodes[..] else { unreachable!("two") };
    let own = a.data.join("files").join(origin.split_once('/').expect("an origin").1);
    for (node, folder) in [(a, own), (b, copy_of(b, &origin))] {
        let path = folder.join("checkpoint");
        std::fs::remove_file(&path).expect("removed");
        let named = damaged(node);
        assert!(matches!(&named[..], [one] if one.starts_with(&path_in(&path))), "{named:?}");
        assert!(std::fs::read_to_string(&path).expect("it is written again").starts_with(&origin));
        assert_eq!(damaged(node), Vec::<String>::new());
    }
}

#[test]
fn no_receipt_is_signed_while_a_file_of_a_record_is_gone() {
    let (world, origin, _) = copied();
    let [a, b] = &world.nodes[..] else { unreachable!("two") };
    until("it is held", || (held(a, &origin, b)? == 2).then_some(()));
    let (there, here) = (file_of(a, "copied by the other"), file_of(b, "copied by the other"));
    let right = std::fs::read(&there).expect("the file");
    std::fs::remove_file(&there).expect("removed");
    std::fs::remove_file(&here).expect("removed");
    let name = a.say("another one");
    until("the other has it", || b.knows(&name).then_some(()));
    until("it misses the file", || b.alarms().contains(&LOST.to_owned()).then_some(()));
    assert_eq!(held(a, &origin, b), Some(2), "a receipt vouches for what is not there");
    std::fs::write(&there, &right).expect("put back");
    until("it is fetched back", || (std::fs::read(&here).ok()? == right).then_some(()));
    until("the receipt comes", || (held(a, &origin, b)? == 3).then_some(()));
}

#[test]
fn what_is_behind_a_lost_archived_checkpoint_counts_and_it_is_fetched_back() {
    let mut world = World::of_friends(&["a.example", "b.example"]);
    let mut origin = String::new();
    for text in ["one", "two", "three"] {
        let released = world.nodes[0].release(&["--public"], text).expect("release");
        origin = released["origin"].as_str().expect("an origin").to_owned();
        let b = world.nodes[1].name.clone();
        until("it is witnessed and held", || {
            let log = world.nodes[0].log(&origin)?;
            (log["witnessed"] == log["size"] && log["held"][&b] == log["size"]).then_some(())
        });
    }
    let own = world.nodes[0].data.join("files").join(origin.split_once('/').expect("an origin").1);
    let copy = copy_of(&world.nodes[1], &origin);
    until("the copy has them", || copy.join("seen/002").exists().then_some(()));
    let receipts = files_below(&own.join("held"));
    assert!(receipts.len() >= 3, "{receipts:?}");

    for (loser, keeper, folder) in [(0, 1, &own), (1, 0, &copy)] {
        let path = folder.join("seen/001");
        let right = std::fs::read(&path).expect("the file");
        world.nodes[keeper].stop();
        std::fs::remove_file(&path).expect("removed");
        let node = &world.nodes[loser];
        node.ask(&["rebuild"]).expect("rebuild");
        if loser == 0 {
            let log = node.log(&origin).expect("the log");
            assert_eq!(log["witnessed"], log["size"], "what is behind the gap counts");
        }
        assert!(is_named(node, &path), "{:?}", damaged(node));
        world.nodes[keeper].serve();
        until("it is fetched back", || (std::fs::read(&path).ok()? == right).then_some(()));
        until("all is whole", || damaged(&world.nodes[loser]).is_empty().then_some(()));
    }

    // Receipts: the last one comes from its reader, and later ones stand for those before.
    let mut receipts = receipts;
    receipts.sort();
    let last = receipts.pop().expect("one");
    let right = std::fs::read(&last).expect("the file");
    std::fs::remove_file(&last).expect("removed");
    assert!(is_named(&world.nodes[0], &last));
    until("it is fetched back", || (std::fs::read(&last).ok()? == right).then_some(()));
    std::fs::remove_file(&receipts[0]).expect("removed");
    let check = world.nodes[0].ask(&["log", "check"]).expect("nothing that anybody could do is left");
    assert_eq!(check[0]["earlier_receipts_gone"], serde_json::json!([path_in(&receipts[0])]), "{check}");
}

#[test]
fn a_backup_says_what_it_lacks() {
    let (mut world, ..) = copied();
    world.nodes[1].stop();
    let node = &world.nodes[0];
    let all = blobs(node);
    let (gone, turned) = (
        file_of(node, "copied by the other"),
        all.iter().find(|path| **path != file_of(node, "copied by the other")).expect("two files").clone(),
    );
    std::fs::remove_file(&gone).expect("removed");
    turn_a_bit(&turned);
    let backup = world.path("backup");
    let made = node.run(&["backup", &path_in(&backup), "--json"]);
    assert_eq!(made.status.code(), Some(1));
    let said: Value = serde_json::from_slice(&made.stdout).expect("JSON");
    let lacks = said["lacks"].to_string();
    for path in [&gone, &turned] {
        assert!(lacks.contains(&path_in(path)), "{said}");
        let name = path.file_name().expect("a name");
        assert!(
            !files_below(&backup).iter().any(|path| path.file_name() == Some(name)),
            "{}",
            path.display()
        );
    }
    // What it has is whole, and the rest comes from the peer.
    world.nodes[0].stop();
    world.nodes[1].serve();
    let mut restored = world.nodes[0].at(world.path("restored"));
    restored.ask(&["restore", &path_in(&backup)]).expect("restore");
    restored.serve();
    for path in [&gone, &turned] {
        let path = restored.data.join(path.strip_prefix(&world.nodes[0].data).expect("inside"));
        until("it is fetched back", || path.exists().then_some(()));
    }
}
