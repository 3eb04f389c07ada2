//! A release is one act: interrupted, cut off and repeated.

use std::process::{Child, Stdio};
use std::time::Duration;

use e2e::{Authority, World, concord};

/// Moments after which it is interrupted, in milliseconds: before, while and after the server works on it.
const MOMENTS: [u64; 6] = [0, 4, 9, 15, 30, 80];

fn begin(node: &Authority, key: &str, text: &str) -> Child {
    std::process::Command::new(concord())
        .arg("--data")
        .arg(&node.data)
        .args(["release", "--public", "--text", &format!("en={text}"), "--act", key, "--json"])
        .env_remove("CONCORD_DATA")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts")
}

fn again(node: &Authority, key: &str, text: &str) -> serde_json::Value {
    let text = format!("en={text}");
    node.ask(&["release", "--public", "--text", &text, "--act", key]).expect("it says what was done")
}

/// How many entries of each kind there are: `log.open`, `notice`.
fn count(node: &Authority) -> (usize, usize) {
    let records = node.records();
    let of = |kind: &str| records.iter().filter(|row| row["kind"] == kind).count();
    (of("log.open"), of("notice"))
}

#[test]
fn a_first_release_that_is_not_waited_for_opens_one_log_and_is_there_once() {
    for moment in MOMENTS {
        let mut world = World::new(&["a.example"]);
        world.serve();
        let node = &world.nodes[0];
        let mut first = begin(node, "first", "interrupted");
        std::thread::sleep(Duration::from_millis(moment));
        let pid = i32::try_from(first.id()).ok().and_then(rustix::process::Pid::from_raw).expect("an id");
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::INT);
        first.wait().expect("it ends");
        let done = again(node, "first", "interrupted");
        assert_eq!(done, again(node, "first", "interrupted"), "the same answer");
        node.say("and another");
        assert_eq!(count(node), (1, 2), "interrupted after {moment} ms");
    }
}

#[test]
fn after_a_power_cut_a_repeated_command_with_its_key_is_done_once() {
    let mut world = World::new(&["a.example"]);
    world.serve();
    for (n, moment) in MOMENTS.into_iter().enumerate() {
        let node = &mut world.nodes[0];
        let (key, text) = (format!("cut-{n}"), format!("number {n}"));
        let under_way = begin(node, &key, &text);
        std::thread::sleep(Duration::from_millis(moment));
        node.kill();
        let output = under_way.wait_with_output().expect("it ends");
        node.serve();
        let done = again(node, &key, &text);
        if output.status.success() {
            let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
            assert_eq!(told, done, "what was acknowledged is what is answered");
        }
        assert_eq!(count(node), (1, n + 1), "cut off after {moment} ms");
    }
    let other = world.nodes[0].ask(&["release", "--public", "--text", "en=else", "--act", "cut-0"]);
    assert!(other.expect_err("refused").contains("another act"));
}

#[test]
fn releases_of_one_thing_at_once_are_a_chain() {
    let mut world = World::new(&["a.example"]);
    world.serve();
    let node = &world.nodes[0];
    let first = node.release(&["--public"], "first").expect("release");
    let id = first["id"].as_str().expect("an id");
    let many: Vec<Child> = (0..6)
        .map(|n| {
            std::process::Command::new(concord())
                .arg("--data")
                .arg(&node.data)
                .args(["release", "--public", "--id", id, "--text", &format!("en=number {n}")])
                .env_remove("CONCORD_DATA")
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .spawn()
                .expect("the program starts")
        })
        .collect();
    for mut one in many {
        assert!(one.wait().expect("it ends").success());
    }
    let records = node.records();
    let mut numbers: Vec<i64> = records
        .iter()
        .filter(|row| row["kind"] == "notice")
        .filter_map(|row| row["edition"].as_i64())
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7]);
    assert!(node.alarms().is_empty());
}

/// A peer is told of a release before the index has it. Whatever a checkpoint covers may be had at once, also then.
#[test]
fn what_a_checkpoint_covers_can_be_had_at_once() {
    let mut world = World::new(&["a.example"]);
    world.serve();
    let node = &world.nodes[0];
    node.say("the first");
    let origin = node.records()[0]["origin"].as_str().expect("a log").to_owned();
    let checkpoint = format!("/{}/checkpoint", origin.split_once('/').expect("a path").1);
    let client = node.client();
    let size =
        || client.get(&checkpoint).text().lines().nth(1).and_then(|n| n.parse::<u64>().ok()).expect("a size");
    for n in 0..20 {
        let text = format!("number {n}");
        let before = size();
        let mut release = begin(node, &format!("at-once-{n}"), &text);
        while size() == before {
            std::thread::yield_now();
        }
        let hash = tlog::sha256(text.as_bytes()).to_hex();
        assert_eq!(client.get(&format!("/blob/{hash}")).status, 200, "release {n}");
        release.wait().expect("it ends");
    }
}

/// Whoever erases at the same moment as others tells the readers once, together with them.
#[test]
fn erasing_at_once_is_told_once() {
    let mut world = World::new(&["a.example"]);
    world.serve();
    let node = &world.nodes[0];
    let name = node.say("to be erased");
    let erasing: Vec<_> = (0..5)
        .map(|_| {
            let mut command = std::process::Command::new(concord());
            command.arg("--data").arg(&node.data).args(["record", "erase", &name, "--json"]);
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts")
        })
        .collect();
    for mut one in erasing {
        one.wait().expect("it ends");
    }
    let told = node.records().iter().filter(|row| row["kind"] == "erasure").count();
    assert_eq!(told, 1);
}
