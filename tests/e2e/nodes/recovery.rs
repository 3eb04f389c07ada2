//! Power cuts, two processes, old backups, a lost index.

use std::process::Stdio;

use e2e::{World, concord, path_in, until};
use tlog::SignedCheckpoint;

#[test]
fn what_was_acknowledged_before_a_kill_is_there_after_it() {
    let mut world = World::of_friends(&["a.example", "b.example"]);
    let origin = world.nodes[0].release(&["--public"], "opens the log").expect("release")["origin"].clone();
    let path =
        format!("/{}/checkpoint", origin.as_str().expect("an origin").split_once('/').expect("a path").1);
    // The peer is gone: a restart after a power cut waits for nobody.
    world.nodes[1].kill();
    let mut acknowledged = Vec::new();
    for round in 0..3 {
        let node = &mut world.nodes[0];
        let before =
            SignedCheckpoint::parse(&node.client().get(&path).body).expect("a checkpoint").checkpoint;
        acknowledged.push(node.say(&format!("before cut {round}")));
        // A release is under way when the power goes.
        let mut under_way = std::process::Command::new(concord())
            .arg("--data")
            .arg(&node.data)
            .args(["release", "--public", "--text", "en=under way", "--json"])
            .env_remove("CONCORD_DATA")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        acknowledged.push(node.say(&format!("beside it {round}")));
        node.kill();
        let _ = under_way.kill();
        let output = under_way.wait_with_output().expect("it ends");
        if output.status.success() {
            let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
            acknowledged.push(json[0]["name"].as_str().expect("a name").to_owned());
        }

        node.serve();
        let bytes = node.client().get(&path).body;
        let after = SignedCheckpoint::parse(&bytes).expect("a checkpoint").checkpoint;
        assert!(after.size >= before.size + 2, "{} and then {}", before.size, after.size);
        let records = node.records();
        for name in &acknowledged {
            assert!(
                records.iter().any(|row| row["name"] == name.as_str()),
                "{name} was acknowledged and is lost"
            );
        }
        let client = node.client();
        let tiles = |tile: tlog::TileId| {
            let answer = client.get(&format!("{}/{}", path.trim_end_matches("/checkpoint"), tile.path()));
            (answer.status == 200).then_some(answer.body)
        };
        let proof = tlog::tree::prove_consistency(before.size, after.size, tiles).expect("tiles");
        tlog::verify_consistency(before.size, before.root, after.size, after.root, &proof)
            .expect("it only grew");
    }
    world.nodes[0].say("it goes on");
}

#[test]
fn a_second_process_on_a_data_folder_is_told_who_is_the_first() {
    let mut world = World::new(&["a.example"]);
    world.serve();
    let node = &world.nodes[0];
    let second = node.run(&["serve"]);
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    let first = node.pid().expect("it serves").to_string();
    assert!(said.contains("in use") && said.contains(&first), "{first} is not named: {said}");
    node.say("the first goes on");
}

#[test]
fn a_rebuilt_index_says_the_same() {
    let world = World::of_friends(&["a.example", "b.example"]);
    let [a, b] = &world.nodes[..] else { unreachable!("two") };
    let theirs = a.say("of the one");
    let sealed = a.release(&["--to", "b.example"], "for the other alone").expect("release");
    b.say("of the other");
    let origins = until("both logs are here and proven to their ends", || {
        let rows = b.records();
        let sealed = sealed["name"].as_str()?;
        let here = [theirs.as_str(), sealed].iter().all(|name| rows.iter().any(|row| row["name"] == *name));
        (here && rows.iter().all(|row| row["proven"].is_string())).then_some(rows.len())
    });
    assert!(origins >= 3);
    let before = b.records();
    let answer = b.ask(&["rebuild"]).expect("rebuild");
    assert!(answer["entries"].as_u64().expect("a number") >= u64::try_from(before.len()).expect("small"));
    assert_eq!(b.records(), before);
}

#[test]
fn a_restored_node_fetches_its_own_entries_back_before_it_signs() {
    let mut world = World::of_friends(&["a.example", "b.example"]);
    let (backup, restored) = (path_in(&world.path("backup")), world.path("restored"));
    let first = world.nodes[0].release(&["--public"], "in the backup").expect("release");
    let origin = first["origin"].as_str().expect("an origin").to_owned();
    world.nodes[0].ask(&["backup", &backup]).expect("backup");
    let later = world.nodes[0].say("after the backup");
    until("the peer holds what the backup does not", || world.nodes[1].knows(&later).then_some(()));
    world.nodes[0].stop();

    let mut node = world.nodes[0].at(restored);
    node.ask(&["restore", &backup]).expect("restore");
    node.serve();
    until("its own entry is fetched back", || node.knows(&later).then_some(()));
    let log = until("it signs again", || node.log(&origin).filter(|log| log["waits"] == false));
    let next = node.release(&["--public"], "after the restore").expect("release");
    assert!(next["index"].as_u64() >= log["size"].as_u64(), "{next} is not after {log}");
    let name = next["name"].as_str().expect("a name");
    until("the peer follows, without an alarm", || world.nodes[1].knows(name).then_some(()));
    let status = world.nodes[1].ask(&["status"]).expect("status");
    assert_eq!(status["alarms"], serde_json::json!([]));
}

#[test]
fn a_log_that_was_opened_after_the_backup_is_fetched_back_and_not_opened_again() {
    let mut world = World::of_friends(&["a.example", "b.example"]);
    let backup = path_in(&world.path("backup"));
    world.nodes[0].ask(&["backup", &backup]).expect("backup");
    let later = world.nodes[0].release(&["--public"], "opens the log").expect("release");
    let name = later["name"].as_str().expect("a name");
    until("the peer holds what the backup does not", || world.nodes[1].knows(name).then_some(()));
    world.nodes[0].stop();

    let mut node = world.nodes[0].at(world.path("restored"));
    node.ask(&["restore", &backup]).expect("restore");
    node.serve();
    let next = until("it signs again", || node.release(&["--public"], "after the restore").ok());
    assert_eq!(next["origin"], later["origin"]);
    assert!(next["index"].as_u64() > later["index"].as_u64(), "{next} is not after {later}");
    let name = next["name"].as_str().expect("a name");
    until("the peer follows", || world.nodes[1].knows(name).then_some(()));
    let status = world.nodes[1].ask(&["status"]).expect("status");
    assert_eq!(status["alarms"], serde_json::json!([]));
}

#[test]
fn a_log_whose_files_are_lost_waits_until_they_are_fetched_back_and_the_node_runs() {
    let mut world = World::of_friends(&["a.example", "b.example"]);
    let public = world.nodes[0].release(&["--public"], "lost here").expect("release");
    let sealed = world.nodes[0].release(&["--to", "b.example"], "not lost").expect("release");
    let names = [&public, &sealed].map(|released| released["name"].as_str().expect("a name").to_owned());
    until("the peer holds both", || names.iter().all(|name| world.nodes[1].knows(name)).then_some(()));
    world.nodes[0].stop();
    world.nodes[1].stop();
    let files = world.nodes[0].data.join("files/log/public");
    std::fs::remove_dir_all(&files).expect("the log's files");

    world.nodes[0].serve();
    let origin = public["origin"].as_str().expect("an origin");
    let log = world.nodes[0].log(origin).expect("its own log");
    assert_eq!(log["waits"], true, "{log}");
    world.nodes[0].release(&["--to", "b.example"], "another log goes on").expect("release");
    world.nodes[1].serve();
    until("its files are back", || world.nodes[0].log(origin).filter(|log| log["waits"] == false));
    let next = world.nodes[0].release(&["--public"], "goes on").expect("release");
    assert_eq!(next["origin"], public["origin"]);
    let name = next["name"].as_str().expect("a name");
    until("the peer follows", || world.nodes[1].knows(name).then_some(()));
    for node in &world.nodes {
        let status = node.ask(&["status"]).expect("status");
        assert_eq!(status["alarms"], serde_json::json!([]), "{}", node.name);
    }
}

#[test]
fn a_restored_node_that_lacks_nothing_signs_once_its_peer_said_so() {
    let mut world = World::of_friends(&["a.example", "b.example"]);
    let backup = path_in(&world.path("backup"));
    let name = world.nodes[0].say("in the backup");
    let origin = until("the peer holds and witnesses it", || {
        let shown = world.nodes[0].ask(&["record", "show", &name]).expect("shown");
        let origin = shown["origin"].as_str()?.to_owned();
        let log = world.nodes[0].log(&origin)?;
        let is_held = log["held"]["b.example"] == log["size"] && log["witnessed"] == log["size"];
        is_held.then_some(origin)
    });
    world.nodes[0].ask(&["backup", &backup]).expect("backup");
    world.nodes[0].stop();

    let mut node = world.nodes[0].at(world.path("restored"));
    node.ask(&["restore", &backup]).expect("restore");
    node.serve();
    until("it signs again", || node.log(&origin).filter(|log| log["waits"] == false));
    let next = node.say("after the restore");
    until("the peer follows", || world.nodes[1].knows(&next).then_some(()));
}

#[test]
fn a_restored_node_with_nobody_to_ask_waits_for_its_operator() {
    let mut world = World::of_friends(&["a.example", "b.example"]);
    let backup = path_in(&world.path("backup"));
    let first = world.nodes[0].release(&["--public"], "in the backup").expect("release");
    let origin = first["origin"].as_str().expect("an origin").to_owned();
    world.nodes[0].ask(&["backup", &backup]).expect("backup");
    world.nodes[0].stop();
    world.nodes[1].stop();

    let mut node = world.nodes[0].at(world.path("restored"));
    node.ask(&["restore", &backup]).expect("restore");
    node.serve();
    let log = node.log(&origin).expect("its own log");
    assert_eq!(log["waits"], true, "{log}");
    let refused = node.release(&["--public"], "too early").expect_err("it does not sign");
    assert!(refused.contains("log resume"), "what to do is not said: {refused}");
    node.ask(&["log", "resume", &origin]).expect("resume");
    node.release(&["--public"], "the operator said so").expect("it signs");
}
