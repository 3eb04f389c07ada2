//! Power cuts, two processes, old backups, a lost index.

use std::path::Path;
use std::process::Stdio;

use e2e::{Authority, World, concord, path_in, until};
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

/// Moments after the first of several releases at which the power goes, in milliseconds.
const MOMENTS: [u64; 8] = [0, 3, 7, 12, 20, 35, 60, 110];

#[test]
fn at_whatever_moment_the_power_goes_nothing_acknowledged_is_lost_and_nothing_forks() {
    let mut world = World::of_friends(&["a.example", "b.example"]);
    let origin = world.nodes[0].release(&["--public"], "opens the log").expect("release")["origin"].clone();
    let origin = origin.as_str().expect("an origin").to_owned();
    let mut acknowledged = Vec::new();
    for (round, moment) in MOMENTS.into_iter().enumerate() {
        let node = &mut world.nodes[0];
        let under_way: Vec<_> = (0..4)
            .map(|n| {
                let text = format!("en=round {round}, number {n}");
                let to: &[&str] = if n == 3 { &["--to", "b.example"] } else { &["--public"] };
                std::process::Command::new(concord())
                    .arg("--data")
                    .arg(&node.data)
                    .arg("release")
                    .args(to)
                    .args(["--text", &text, "--json"])
                    .stdin(Stdio::null())
                    .stdout(Stdio::piped())
                    .stderr(Stdio::null())
                    .spawn()
                    .expect("the program starts")
            })
            .collect();
        // The moment is what is tried here: no event tells where in its writes the program is.
        std::thread::sleep(std::time::Duration::from_millis(moment));
        node.kill();
        for release in under_way {
            // Whoever did not reach the server goes on by himself, which is right too.
            let output = release.wait_with_output().expect("it ends");
            if output.status.success() {
                let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
                acknowledged.push(json[0]["name"].as_str().expect("a name").to_owned());
            }
        }
        node.serve();
        let records = node.records();
        for name in &acknowledged {
            assert!(records.iter().any(|row| row["name"] == name.as_str()), "round {round}: {name} is lost");
        }
    }
    assert!(!acknowledged.is_empty(), "no release was acknowledged in any round");
    let [a, b] = &world.nodes[..] else { unreachable!("two") };
    let last = a.say("the power is back");
    until("the peer follows to the end", || b.knows(&last).then_some(()));
    for name in &acknowledged {
        until("the peer has what was acknowledged", || b.knows(name).then_some(()));
    }
    for node in [a, b] {
        assert_eq!(node.alarms(), Vec::<String>::new(), "{} rang", node.name);
    }
    let opened =
        a.records().iter().filter(|row| row["kind"] == "log.open" && row["origin"] == *origin).count();
    assert_eq!(opened, 1, "a log is opened once");
}

/// A list of records without when each was first verified here: the one time that is not in logs and files.
fn without_here(mut records: Vec<serde_json::Value>) -> Vec<serde_json::Value> {
    for record in &mut records {
        record.as_object_mut().expect("an object").remove("here");
    }
    records
}

/// A page or answer without that time.
fn text_without_here(text: &str) -> String {
    let without = |text: &str, label: &str, end: &str| {
        let (mut kept, mut rest) = (String::new(), text);
        while let Some((before, after)) = rest.split_once(label) {
            kept.push_str(before);
            rest = after.split_once(end).map_or("", |(_, rest)| rest);
        }
        kept + rest
    };
    without(&without(text, "First verified by this node</dt>", "</dd>"), "\"here\":\"", "\"")
}

/// Everything that a reader can ask of a node, but what says when it was asked.
fn everything_shown(node: &Authority, names: &[&str]) -> Vec<(String, u16, String)> {
    let client = node.client();
    let mut paths: Vec<String> = [
        "/situation",
        "/situation?lang=ar",
        "/network",
        "/network/a.example",
        "/network/b.example",
        "/records",
        "/api/v1/records",
        "/api/v1/openapi.json",
    ]
    .map(str::to_owned)
    .to_vec();
    for name in names {
        paths.extend([format!("/record/{name}"), format!("/api/v1/records/{name}")]);
    }
    let show = |path: String| {
        let answer = client.get(&path);
        (path, answer.status, text_without_here(&answer.text()))
    };
    paths.into_iter().map(show).collect()
}

/// Says which line of which answer is another, and not the whole of both.
fn assert_same(before: &[(String, u16, String)], after: &[(String, u16, String)], when: &str) {
    for ((path, status, text), (_, status_after, text_after)) in before.iter().zip(after) {
        assert_eq!(status, status_after, "{path}, {when}");
        let pieces = |text: &str| text.replace("><", ">\n<").replace("},{", "},\n{");
        let (old, new) = (pieces(text), pieces(text_after));
        let differs = old.lines().zip(new.lines()).find(|(old, new)| old != new);
        assert_eq!(differs, None, "{path}, {when}");
        assert_eq!(text, text_after, "{path}, {when}");
    }
}

#[test]
fn a_lost_index_is_made_again_from_logs_blobs_and_seen_files() {
    let mut world = World::of_friends(&["a.example", "b.example"]);
    let table = world.path("table.csv");
    let rows = "#date,#country+code,#affected+infected+confirmed+cumulative\n2020-01-22,CHN,571\n2020-01-23,CHN,830\n";
    std::fs::write(&table, rows).expect("written");
    world.nodes[0].ask(&["import", "figures", &path_in(&table)]).expect("import");
    let theirs = world.nodes[0].say("of the one");
    let sealed = world.nodes[0].release(&["--to", "b.example"], "for the other alone").expect("release");
    let sealed = sealed["name"].as_str().expect("a name").to_owned();
    let ours = world.nodes[1].say("of the other");
    until("all is here, proven and opened", || {
        let rows = world.nodes[1].records();
        let here = [&theirs, &sealed, &ours].iter().all(|name| rows.iter().any(|row| row["name"] == **name));
        let opened =
            world.nodes[1].ask(&["record", "show", &sealed]).is_ok_and(|shown| shown["opened"] == true);
        let held = rows.iter().all(|row| row["proven"].is_string());
        (here && opened && held && rows.len() >= 6).then_some(())
    });
    let names = [theirs.as_str(), sealed.as_str(), ours.as_str()];
    // The peer stops first: what is compared must not move.
    world.nodes[0].stop();
    let b = &mut world.nodes[1];
    let logs_of = |node: &Authority| {
        let mut logs = node.ask(&["log", "list"]).expect("log list");
        for log in logs.as_array_mut().expect("a list") {
            // Whether it waits is of this start, and not of the index.
            log.as_object_mut().expect("an object").remove("waits");
        }
        logs
    };
    let (records, logs) = (without_here(b.records()), logs_of(b));
    let shown = everything_shown(b, &names);
    assert!(
        shown.iter().any(|(path, _, text)| path == "/situation" && text.contains("830")),
        "no figure is shown"
    );

    let answer = b.ask(&["rebuild"]).expect("rebuild");
    assert!(answer["entries"].as_u64().expect("a number") >= u64::try_from(records.len()).expect("small"));
    assert_eq!(without_here(b.records()), records, "after `rebuild` while it serves");
    assert_same(&shown, &everything_shown(b, &names), "after `rebuild` while it serves");

    b.stop();
    for file in ["index.db", "index.db-wal", "index.db-shm"] {
        let _ = std::fs::remove_file(b.data.join(file));
    }
    b.serve();
    assert_eq!(without_here(b.records()), records, "after the index was deleted");
    assert_eq!(logs_of(b), logs, "after the index was deleted");
    assert_same(&shown, &everything_shown(b, &names), "after the index was deleted");
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
    assert_eq!(world.nodes[1].alarms(), Vec::<String>::new());
}

const KOREA: &str = "/api/v1/situation/places/KOR";

/// A table of cumulative cases, one a day.
fn table(world: &World, name: &str, values: &[u32]) -> String {
    let mut text = String::from("#date,#country+code,#affected+infected+confirmed+cumulative\n");
    for (day, value) in (1..).zip(values) {
        text += &format!("2026-11-{day:02},KOR,{value}\n");
    }
    let file = world.path(name);
    std::fs::write(&file, text).expect("written");
    path_in(&file)
}

/// What a node states of a place: days and values.
fn stated(node: &Authority) -> Vec<(String, String)> {
    let answer: serde_json::Value =
        serde_json::from_slice(&node.client().get(KOREA).body).unwrap_or_default();
    let series = answer.as_array().cloned().unwrap_or_default();
    let figures = series.iter().filter_map(|one| one["figures"].as_array()).flatten();
    figures.map(|figure| (figure["end"].to_string(), figure["value"].to_string())).collect()
}

/// The kind of a record as a node shows it: of one whose inner header is not here that is `sealed`.
fn kind_of(node: &Authority, name: &str) -> Option<String> {
    let rows = node.records();
    let row = rows.iter().find(|row| row["name"] == name)?;
    row["kind"].as_str().map(str::to_owned)
}

#[test]
fn what_own_records_hold_is_fetched_back_with_them() {
    let mut world = World::of_friends(&["a.example", "b.example"]);
    let (backup, restored) = (path_in(&world.path("backup")), world.path("restored"));
    let a = &world.nodes[0];
    a.ask(&["import", "figures", &table(&world, "first.csv", &[5])]).expect("import");
    a.release(&["--to", "b.example"], "opens their log").expect("release");
    a.ask(&["backup", &backup]).expect("backup");
    let grown = table(&world, "grown.csv", &[5, 9, 12]);
    a.ask(&["import", "figures", &grown]).expect("import");
    let sealed = a.release(&["--to", "b.example"], "for b alone").expect("release");
    let name = sealed["name"].as_str().expect("a name").to_owned();
    let kind = kind_of(a, &name).expect("a kind");
    let before = stated(a);
    assert_eq!(before.len(), 3, "{before:?}");
    let is_there = |node: &Authority| stated(node) == before && kind_of(node, &name).as_ref() == Some(&kind);
    until("the peer has what the backup has not", || is_there(&world.nodes[1]).then_some(()));
    world.nodes[0].kill();

    let mut node = world.nodes[0].at(restored);
    node.ask(&["restore", &backup]).expect("restore");
    node.serve();
    until("figures and sealed records are here again", || is_there(&node).then_some(()));
    let again = until("it signs again", || node.ask(&["import", "figures", &grown]).ok());
    assert_eq!((&again["new"], &again["same"]), (&0.into(), &3.into()), "{again}");
    let status = node.ask(&["status"]).expect("status");
    assert_eq!((&status["lost_blobs"], &status["alarms"]), (&0.into(), &serde_json::json!([])), "{status}");
}

/// A node that was restored from a backup without the table of figures that it released since then, which its peer has put
/// aside too; the table, and what was stated before.
fn restored_without_figures() -> (World, Authority, String, Vec<(String, String)>) {
    let mut world = World::of_friends(&["a.example", "b.example"]);
    let (backup, restored) = (path_in(&world.path("backup")), world.path("restored"));
    let a = &world.nodes[0];
    a.say("opens the log");
    a.ask(&["backup", &backup]).expect("backup");
    let file = table(&world, "figures.csv", &[5, 9]);
    a.ask(&["import", "figures", &file]).expect("import");
    let before = stated(a);
    until("the peer has what the backup has not", || (stated(&world.nodes[1]) == before).then_some(()));
    world.nodes[0].kill();
    let (blobs, aside) = (world.nodes[1].data.join("files/blob"), world.path("aside"));
    std::fs::rename(&blobs, &aside).expect("put aside");
    let mut node = world.nodes[0].at(restored);
    node.ask(&["restore", &backup]).expect("restore");
    node.serve();
    (world, node, file, before)
}

/// Puts every file of a folder back where it was. The peer may have fetched some of them in the meantime: they are the same.
fn put_back(aside: &Path, place: &Path) {
    std::fs::create_dir_all(place).expect("a folder");
    for entry in std::fs::read_dir(aside).expect("a folder") {
        let entry = entry.expect("an entry");
        let there = place.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            put_back(&entry.path(), &there);
        } else {
            std::fs::rename(entry.path(), &there).expect("put back");
        }
    }
}

#[test]
fn what_nobody_has_of_own_records_is_said_and_never_stated_twice() {
    let (world, mut node, file, before) = restored_without_figures();
    let (blobs, aside) = (world.nodes[1].data.join("files/blob"), world.path("aside"));
    let code = "alarm-own-blob-missing".to_owned();
    until("an alarm says that nobody has it", || node.alarms().contains(&code).then_some(()));
    for more in [&[][..], &["--dry-run"]] {
        let refused = node.ask(&[&["import", "figures", &file], more].concat()).expect_err("not known");
        assert!(refused.contains("2 of our own records"), "{refused}");
    }
    node.kill();
    node.serve();
    put_back(&aside, &blobs);
    until("it is here again, also after a restart", || (stated(&node) == before).then_some(()));
    let again = until("it signs again", || node.ask(&["import", "figures", &file]).ok());
    assert_eq!((&again["new"], &again["same"]), (&0.into(), &2.into()), "{again}");
}

#[test]
fn what_nobody_has_any_more_is_given_up_and_imports_go_on() {
    let (_world, node, file, _) = restored_without_figures();
    until("it signs again", || node.release(&["--public"], "here again").ok());
    let list = node.ask(&["records", "list", "--kind", "situation.figures"]).expect("records");
    for record in list.as_array().expect("a list") {
        let name = record["name"].as_str().expect("a name");
        node.ask(&["import", "figures", &file]).expect_err("not all is known");
        node.ask(&["record", "erase", name]).expect("given up");
    }
    let again = node.ask(&["import", "figures", &file]).expect("stated anew");
    assert_eq!(again["new"], 2, "{again}");
}

#[test]
fn archived_cosignatures_of_an_own_log_that_were_lost_are_fetched_back() {
    let mut world = World::of_friends(&["a.example", "b.example"]);
    let (backup, restored) = (path_in(&world.path("backup")), world.path("restored"));
    world.nodes[0].say("in the backup");
    world.nodes[0].ask(&["backup", &backup]).expect("backup");
    let mut proven = Vec::new();
    for n in 0..3 {
        let name = world.nodes[0].say(&format!("after the backup, {n}"));
        let time = until("it is proven at both", || {
            let time = |node: &Authority| {
                let rows = node.records();
                rows.iter().find(|row| row["name"] == name.as_str())?["proven"].as_str().map(str::to_owned)
            };
            (time(&world.nodes[0])? == time(&world.nodes[1])?).then(|| time(&world.nodes[0]))?
        });
        proven.push((name, time));
    }
    world.nodes[0].stop();
    let mut node = world.nodes[0].at(restored);
    node.ask(&["restore", &backup]).expect("restore");
    node.serve();
    for (name, time) in &proven {
        until("what was proven before is proven at the same time again", || {
            let rows = node.records();
            let row = rows.into_iter().find(|row| row["name"] == name.as_str())?;
            (row["proven"] == time.as_str()).then_some(())
        });
    }
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
    // Its archived checkpoints were lost with it, which is said.
    assert_eq!(world.nodes[0].alarms(), ["alarm-log-damaged".to_owned()]);
    assert_eq!(world.nodes[1].alarms(), Vec::<String>::new());
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

/// A log was closed before the backup, and its successor had no entry yet: it waits like a log that has some.
#[test]
fn a_successor_that_was_not_opened_waits_for_its_operator_too() {
    let mut world = World::of_friends(&["a.example", "b.example"]);
    let backup = path_in(&world.path("backup"));
    let first = world.nodes[0].release(&["--public"], "in the backup").expect("release");
    let closed = first["origin"].as_str().expect("an origin").to_owned();
    let next = world.nodes[0].ask(&["log", "close", &closed]).expect("closed")["next"].clone();
    let next = next.as_str().expect("a successor").to_owned();
    world.nodes[0].ask(&["backup", &backup]).expect("backup");
    world.nodes[0].stop();
    world.nodes[1].stop();

    let mut node = world.nodes[0].at(world.path("restored"));
    node.ask(&["restore", &backup]).expect("restore");
    node.serve();
    let logs = node.ask(&["log", "list"]).expect("logs");
    let listed = logs.as_array().and_then(|logs| logs.iter().find(|log| log["origin"] == next.as_str()));
    assert_eq!(listed.map(|log| (&log["waits"], &log["size"])), Some((&true.into(), &0.into())), "{logs}");
    node.release(&["--public"], "too early").expect_err("it does not sign");
    node.ask(&["log", "resume", &next]).expect("resume");
    let again = node.release(&["--public"], "the operator said so").expect("it signs");
    assert_eq!(again["origin"], next.as_str());
    node.ask(&["log", "resume", "a.example/log/public/1999"]).expect_err("no log of this node");
}

/// A file that a disk loses is missed where it is read again: it comes back from its author, and an operator is told.
#[test]
fn a_file_of_a_record_that_the_disk_lost_is_fetched_again() {
    let mut world = World::of_friends(&["a.example", "b.example"]);
    let figures = table(&world, "table.csv", &[5]);
    world.nodes[0].ask(&["import", "figures", &figures]).expect("import");
    let stated_before = until("b states it", || Some(stated(&world.nodes[1])).filter(|all| !all.is_empty()));
    let b = &mut world.nodes[1];
    b.stop();
    let blobs = b.data.join("files/blob");
    std::fs::remove_dir_all(&blobs).expect("the disk loses them");
    b.serve();
    b.ask(&["rebuild"]).expect("rebuild");
    until("it comes back", || (stated(b) == stated_before).then_some(()));
    assert!(blobs.exists());
    let alarms = b.alarms();
    assert!(!alarms.is_empty() && alarms.iter().all(|code| code == "alarm-file-lost"), "{alarms:?}");
}

#[test]
fn half_a_copy_is_neither_restored_nor_used() {
    let world = World::new(&["a.example"]);
    let node = &world.nodes[0];
    node.say("something");
    let backup = world.path("backup");
    node.ask(&["backup", &path_in(&backup)]).expect("backup");
    assert!(!backup.join("unfinished").exists());
    std::fs::write(backup.join("unfinished"), b"").expect("as if the power went");
    let restored = node.at(world.path("restored"));
    let refused = restored.ask(&["restore", &path_in(&backup)]).expect_err("it is half a copy");
    assert!(refused.contains("broken off"), "{refused}");
    std::fs::remove_file(backup.join("unfinished")).expect("as it was");
    restored.ask(&["restore", &path_in(&backup)]).expect("restore");
    std::fs::write(restored.data.join("unfinished"), b"").expect("as if the power went");
    let refused = restored.ask(&["status"]).expect_err("it is half a copy");
    assert!(refused.contains("broken off"), "{refused}");
}
