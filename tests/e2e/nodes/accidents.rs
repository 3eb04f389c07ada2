//! After an accident the program says what is so, and what it says to do works: a guard that was emptied, a bit that the disk
//! turned, a witness that never comes back, a backup that is not whole.

use std::path::{Path, PathBuf};

use e2e::{Authority, World, path_in, until};
use serde_json::Value;

const DAMAGED: &str = "alarm-log-damaged";

/// Releases something public; the log that it is in, once a peer witnesses and holds it.
fn opened(world: &World) -> String {
    let [a, b, ..] = &world.nodes[..] else { unreachable!("two at least") };
    let released = a.release(&["--public"], "opens the log").expect("release");
    let origin = released["origin"].as_str().expect("an origin").to_owned();
    until("the peer witnesses it", || {
        a.log(&origin).filter(|log| log["witnessed"] == log["size"] && log["held"][&b.name] == log["size"])
    });
    origin
}

/// Empties every guard file; their paths.
fn empty_guards(node: &Authority) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(node.data.join("guard")).expect("a guard");
    let paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    for path in &paths {
        std::fs::write(path, b"").expect("emptied");
    }
    assert!(!paths.is_empty());
    paths
}

fn signs(node: &Authority, origin: &str) -> Option<Value> {
    node.log(origin).filter(|log| log["waits"] == false)
}

/// The peer follows to a new record and has seen one view only.
fn goes_on(world: &World) {
    let name = world.nodes[0].say("it goes on");
    until("the peer follows", || world.nodes[1].knows(&name).then_some(()));
    assert_eq!(world.nodes[1].alarms(), Vec::<String>::new());
}

#[test]
fn an_emptied_guard_is_named_and_written_anew_once_the_witness_answered() {
    let mut world = World::of_friends(&["a.example", "b.example"]);
    let origin = opened(&world);
    world.nodes[0].stop();
    let guards = empty_guards(&world.nodes[0]);
    let status = world.nodes[0].ask(&["status"]).expect("a node that does not serve answers too");
    let alarm = &status["alarms"][0];
    assert_eq!(alarm["code"], "alarm-guard-damaged", "{status}");
    let named = alarm["arguments"]["path"].as_str().expect("the file");
    assert!(guards.iter().any(|path| path_in(path) == named), "{named}");

    world.nodes[0].serve();
    until("it signs again", || signs(&world.nodes[0], &origin));
    goes_on(&world);
    for guard in guards {
        assert!(std::fs::metadata(&guard).expect("a guard").len() > 0, "{} is written anew", guard.display());
    }
}

#[test]
fn an_emptied_guard_with_nobody_to_ask_says_what_to_do_and_that_works() {
    let mut world = World::of_friends(&["a.example", "b.example"]);
    let origin = opened(&world);
    world.nodes[1].stop();
    world.nodes[0].stop();
    empty_guards(&world.nodes[0]);
    world.nodes[0].serve();
    let refused =
        world.nodes[0].release(&["--public"], "too early").expect_err("it does not know how far it is");
    assert!(refused.contains("concord log resume"), "what to do is not said: {refused}");
    for command in
        [&["status"][..], &["log", "list"], &["peer", "list"], &["alarm", "list"], &["records", "list"]]
    {
        world.nodes[0].ask(command).expect("every command answers");
    }
    world.nodes[0].ask(&["log", "resume", &origin]).expect("what it said to do");
    world.nodes[0].say("the operator said so");
    world.nodes[0].stop();
    world.nodes[0].serve();
    world.nodes[1].serve();
    goes_on(&world);
}

/// Turns a bit in the middle of a file.
fn turn_a_bit(path: &Path) {
    let mut bytes = std::fs::read(path).expect("a file");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    std::fs::write(path, bytes).expect("written");
}

#[test]
fn a_bit_that_the_disk_turned_is_found_named_and_fetched_back() {
    let mut world = World::of_friends(&["a.example", "b.example"]);
    let origin = opened(&world);
    let place = origin.split_once('/').expect("an origin").1.to_owned();
    for file in ["tile/0/000", "tile/entries/000"] {
        let path = world.nodes[0].data.join("files").join(&place).join(file);
        let right = std::fs::read(&path).expect("the file");
        turn_a_bit(&path);
        let check = world.nodes[0].run(&["log", "check", "--json"]);
        assert_eq!(check.status.code(), Some(1), "{file}");
        let said: Value = serde_json::from_slice(&check.stdout).expect("JSON");
        assert_eq!(said[0]["damaged"], serde_json::json!([path_in(&path)]), "{said}");
        until("it is fetched back", || (std::fs::read(&path).ok()? == right).then_some(()));
        until("it signs again", || signs(&world.nodes[0], &origin));
        world.nodes[0].ask(&["log", "check"]).expect("all is whole");
        goes_on(&world);
        assert_eq!(world.nodes[0].alarms(), [DAMAGED.to_owned()], "{file}");
    }

    // Nobody can be asked: the file comes from a backup, as it says.
    let backup = world.path("backup");
    world.nodes[0].ask(&["backup", &path_in(&backup)]).expect("backup");
    world.nodes[1].stop();
    world.nodes[0].stop();
    let file = Path::new("files").join(&place).join("tile/entries/000");
    turn_a_bit(&world.nodes[0].data.join(&file));
    let doctor = world.nodes[0].run(&["doctor"]);
    let text = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(text.contains("FAIL own logs and files") && text.contains("tile/entries/000"), "{text}");
    std::fs::copy(backup.join(&file), world.nodes[0].data.join(&file)).expect("put back");
    world.nodes[0].ask(&["log", "check"]).expect("all is whole");
    world.nodes[0].serve();
    world.nodes[1].serve();
    goes_on(&world);
}

/// The log was opened when one witness was known. That one never comes back; another peer does.
#[test]
fn a_restored_node_waits_for_no_witness_that_was_removed() {
    let mut world = World::new(&["a.example", "b.example", "c.example"]);
    world.serve();
    let befriend = |x: usize, y: usize| {
        for (one, other) in [(x, y), (y, x)] {
            let (one, other) = (&world.nodes[one], &world.nodes[other]);
            let fingerprint = other.fingerprint();
            one.ask(&["peer", "add", &other.name, "--fingerprint", &fingerprint]).expect("peer add");
            one.ask(&["peer", "confirm", &other.name, "--fingerprint", &fingerprint]).expect("peer confirm");
        }
    };
    befriend(0, 1);
    let origin = opened(&world);
    befriend(0, 2);
    let name = world.nodes[0].say("for the second peer too");
    until("the second peer has it", || world.nodes[2].knows(&name).then_some(()));
    let backup = path_in(&world.path("backup"));
    world.nodes[0].ask(&["backup", &backup]).expect("backup");
    world.nodes[0].stop();
    world.nodes[1].kill();

    let mut node = world.nodes[0].at(world.path("restored"));
    node.ask(&["restore", &backup]).expect("restore");
    node.serve();
    node.release(&["--public"], "too early").expect_err("its witness may know more");
    node.ask(&["peer", "remove", "b.example"]).expect("remove");
    until("it waits for nobody any more", || signs(&node, &origin));
    let name = node.say("after the restore");
    until("the peer that is left follows", || world.nodes[2].knows(&name).then_some(()));
    assert_eq!(world.nodes[2].alarms(), Vec::<String>::new());
}

#[test]
fn a_backup_that_is_not_whole_is_refused_before_anything_is_in_place() {
    let world = World::new(&["a.example"]);
    let node = &world.nodes[0];
    let name = node.say("in the backup");
    let backup = world.path("backup");
    node.ask(&["backup", &path_in(&backup)]).expect("backup");
    let restored = node.at(world.path("restored"));
    let refused = |what: &str, file: &str| {
        let said = restored.ask(&["restore", &path_in(&backup)]).expect_err(what);
        assert!(said.contains(file), "{what}: {said}");
        assert!(!restored.data.exists(), "{what}: something was put in place");
    };
    let turn = |file: &str, what: &str| {
        let path = backup.join(file);
        let right = std::fs::read(&path).expect("a file");
        turn_a_bit(&path);
        refused(what, file);
        std::fs::remove_file(&path).expect("a file");
        refused("a file is missing", file);
        std::fs::write(&path, right).expect("as it was");
    };
    turn("state.db", "a bit of the state");
    turn("keys/log-1.key", "a bit of a key");
    turn("concord.toml", "a bit of the configuration");

    // As older versions made them: there is no list, and a state is whole or not by its own form.
    let list = std::fs::read(backup.join("SHA256SUMS")).expect("the list");
    std::fs::remove_file(backup.join("SHA256SUMS")).expect("the list");
    let state = backup.join("state.db");
    let right = std::fs::read(&state).expect("the state");
    let mut wrong = right.clone();
    for byte in &mut wrong[4096..8192] {
        *byte ^= 0x55;
    }
    std::fs::write(&state, wrong).expect("written");
    refused("a page of the state", "state.db");
    std::fs::write(&state, &right[..right.len() / 2]).expect("written");
    refused("half a state", "state.db");
    std::fs::write(&state, right).expect("as it was");
    std::fs::write(backup.join("SHA256SUMS"), list).expect("as it was");
    restored.ask(&["restore", &path_in(&backup)]).expect("restore");
    assert!(restored.knows(&name));
}

/// Everything below a folder that somebody else of this machine could read.
fn exposed(folder: &Path) -> Vec<PathBuf> {
    use std::os::unix::fs::PermissionsExt as _;
    let mut found = Vec::new();
    let is_open = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o077 != 0;
    if is_open(folder) {
        found.push(folder.to_owned());
    }
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(exposed(&path));
        } else if is_open(&path) {
            found.push(path);
        }
    }
    found
}

#[test]
fn a_backup_and_what_is_restored_from_it_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut world = World::new(&["a.example"]);
    world.serve();
    let node = &world.nodes[0];
    node.say("something");
    let open = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("changed");
    };
    open(&node.data.join("concord.toml"), 0o644);
    let (backup, restored) = (world.path("backup"), world.path("restored"));
    for folder in [&backup, &restored] {
        std::fs::create_dir(folder).expect("an empty folder");
        open(folder, 0o755);
    }
    node.ask(&["backup", &path_in(&backup)]).expect("backup, while it serves");
    assert_eq!(exposed(&backup), Vec::<PathBuf>::new());
    let node = node.at(restored.clone());
    node.ask(&["restore", &path_in(&backup)]).expect("restore");
    assert_eq!(exposed(&restored), Vec::<PathBuf>::new());
}

#[test]
fn init_judges_what_it_is_given_before_it_writes_anything() {
    let world = World::new(&[]);
    let init = |name: &str, authority: &str, endpoint: &str| {
        let (data, keys) = (world.path(name), world.path(&format!("{name}-keys")));
        let output = std::process::Command::new(e2e::concord())
            .arg("--data")
            .arg(&data)
            .args(["--json", "init", "--authority", authority, "--code", "XTS", "--name", "en=Health"])
            .args(["--endpoint", endpoint, "--root-keys"])
            .arg(&keys)
            .output()
            .expect("it runs");
        (output, data, keys)
    };
    for address in ["192.0.2.1", "10.1", "1.2.3.0x7f", "moh.123"] {
        let (output, data, keys) = init("address", address, "https://concord.example");
        assert!(!output.status.success(), "{address}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("DNS name"), "{address}");
        assert!(!data.exists() && !keys.exists(), "{address}: something was written");
    }
    let (output, data, keys) = init("url", "moh.example", "http://concord.example");
    assert!(!output.status.success());
    assert!(!data.exists() && !keys.exists(), "something was written");
    let (output, data, _) = init("url", "moh.example", "https://concord.example/");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let made: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(made["at"].is_string(), "the date is said: {made}");
    assert!(data.join("state.db").exists());
}
