//! One file on the disk of a node that runs well otherwise is not what it was: it is named, nobody else is blamed for it, nothing
//! wrong is given to others, and what it says to do works.

use std::path::{Path, PathBuf};

use e2e::{Authority, World, path_in, until};
use serde_json::Value;

const DAMAGED: &str = "alarm-log-damaged";

/// Turns a bit in the middle of a file; answers with what was there.
pub fn turn_a_bit(path: &Path) -> Vec<u8> {
    let right = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut bytes = right.clone();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    std::fs::write(path, bytes).expect("written");
    right
}

/// The folder of a node's copy of a log.
pub fn copy_of(node: &Authority, origin: &str) -> PathBuf {
    node.data.join("files/mirror").join(tlog::sha256(origin.as_bytes()).to_hex())
}

/// The paths that `log check` names as damaged, with what it says of them.
pub fn damaged(node: &Authority) -> Vec<String> {
    let said: Value = serde_json::from_slice(&node.run(&["log", "check", "--json"]).stdout).expect("JSON");
    let rows = said.as_array().expect("rows").iter();
    let named = rows.flat_map(|row| row["damaged"].as_array().cloned().unwrap_or_default());
    named.filter_map(|path| path.as_str().map(str::to_owned)).collect()
}

/// Two friends; the second has the first one's log and its record.
pub fn copied() -> (World, String, String) {
    let world = World::of_friends(&["a.example", "b.example"]);
    let released = world.nodes[0].release(&["--public"], "copied by the other").expect("release");
    let origin = released["origin"].as_str().expect("an origin").to_owned();
    let name = released["name"].as_str().expect("a name").to_owned();
    until("the other has it", || world.nodes[1].knows(&name).then_some(()));
    (world, origin, name)
}

#[test]
fn damage_of_a_copy_is_this_disks_and_not_its_authors() {
    let (mut world, origin, name) = copied();
    let copy = copy_of(&world.nodes[1], &origin);
    for file in ["tile/entries/000", "tile/0/000"] {
        let path = copy.join(file);
        // Nobody can be asked: the index in use stays, and what to do is said.
        world.nodes[0].stop();
        let right = turn_a_bit(&path);
        let refused = world.nodes[1].ask(&["rebuild"]).expect_err("it cannot be read");
        assert!(refused.contains(&path_in(&path)) && refused.contains("backup"), "{refused}");
        assert!(world.nodes[1].knows(&name), "the index in use is as it was");
        assert_eq!(damaged(&world.nodes[1]), [path_in(&path)]);

        // Not even an index that is lost too makes it the author's fault, or keeps the node from starting.
        world.nodes[1].stop();
        for index in ["index.db", "index.db-wal", "index.db-shm"] {
            let _ = std::fs::remove_file(world.nodes[1].data.join(index));
        }
        world.nodes[1].serve();
        assert_eq!(world.nodes[1].alarms(), [DAMAGED.to_owned()], "{file}");
        assert!(!world.nodes[1].knows(&name), "what cannot be read is not shown");
        world.nodes[1].stop();
        world.nodes[0].serve();
        world.nodes[1].serve();
        until("it is fetched back", || (std::fs::read(&path).ok()? == right).then_some(()));
        until("it is read", || world.nodes[1].knows(&name).then_some(()));

        // With somebody to ask, a rebuild fetches it back itself.
        turn_a_bit(&path);
        world.nodes[1].ask(&["rebuild"]).expect("it is fetched back first");
        assert_eq!(std::fs::read(&path).expect("the file"), right);
        assert!(world.nodes[1].knows(&name));
        assert_eq!(damaged(&world.nodes[1]), Vec::<String>::new());
        assert_eq!(world.nodes[1].alarms(), [DAMAGED.to_owned()], "{file}");
    }
}

/// Every file below a folder.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

#[test]
fn a_damaged_file_of_a_record_is_named_not_sent_and_fetched_again() {
    let mut world = World::of_friends(&["a.example", "b.example"]);
    let text = world.path("large");
    std::fs::write(&text, vec![b'x'; 700 << 10]).expect("a file");
    let scan = format!("text/plain;role=scan={}", path_in(&text));
    for content in [["--text", "en=small"], ["--blob", &scan]] {
        let released = world.nodes[0].ask(&["release", "--public", content[0], content[1]]).expect("release");
        let name = released[0]["name"].as_str().expect("a name").to_owned();
        until("the other has it", || world.nodes[1].knows(&name).then_some(()));
    }
    let blobs = files_below(&world.nodes[0].data.join("files/blob"));
    let largest = |path: &&PathBuf| std::fs::metadata(path).expect("a file").len();
    for path in
        [blobs.iter().max_by_key(largest).expect("one"), blobs.iter().min_by_key(largest).expect("one")]
    {
        let hash = path.file_name().expect("a hash").to_string_lossy().into_owned();
        let there = world.nodes[1].data.join(format!("files/blob/{}/{hash}", &hash[..2]));
        until("the other has the file", || there.exists().then_some(()));
        let right = turn_a_bit(path);
        // With nobody to fetch it from.
        world.nodes[1].stop();
        let named = damaged(&world.nodes[0]);
        assert!(
            matches!(&named[..], [one] if one.starts_with(&path_in(path)) && one.contains("a.example")),
            "{named:?}"
        );
        let client = world.nodes[0].client();
        assert_eq!(client.get(&format!("/blob/{hash}")).status, 404, "it is not given away");
        world.nodes[1].serve();
        until("it is fetched again", || (std::fs::read(path).ok()? == right).then_some(()));
        assert_eq!(client.get(&format!("/blob/{hash}")).status, 200);
    }
    assert_eq!(damaged(&world.nodes[0]), Vec::<String>::new());
}

#[test]
fn a_damaged_archived_checkpoint_is_named_and_not_sent() {
    let (mut world, origin, _) = copied();
    until("it is witnessed and held", || {
        let [a, b] = &world.nodes[..] else { unreachable!("two") };
        a.log(&origin).filter(|log| log["witnessed"] == log["size"] && log["held"][&b.name] == log["size"])
    });
    let place = origin.split_once('/').expect("an origin").1;
    let own = world.nodes[0].data.join("files").join(place);
    let copy = copy_of(&world.nodes[1], &origin);
    until("the copy has it too", || copy.join("seen/000").exists().then_some(()));

    // The last receipt is with its reader, and nobody else.
    world.nodes[1].stop();
    let receipt = format!("held/{}/000", world.nodes[1].name);
    let right = turn_a_bit(&own.join(&receipt));
    let named = damaged(&world.nodes[0]);
    assert!(matches!(&named[..], [one] if one.starts_with(&path_in(&own.join(&receipt)))), "{named:?}");
    let client = world.nodes[0].client();
    assert_eq!(client.get(&format!("/{place}/{receipt}")).status, 404);
    world.nodes[1].serve();
    until("it is fetched back", || (std::fs::read(own.join(&receipt)).ok()? == right).then_some(()));
    assert_eq!(client.get(&format!("/{place}/{receipt}")).status, 200);

    let [a, b] = &world.nodes[..] else { unreachable!("two") };
    for (node, seen, path) in [
        (a, own.join("seen/000"), format!("/{place}/seen/000")),
        (b, copy.join("seen/000"), format!("/mirror/{}/seen/000", tlog::sha256(origin.as_bytes()).to_hex())),
    ] {
        let right = turn_a_bit(&seen);
        assert_eq!(node.client().get(&path).status, 404, "it is not given away");
        until("it is fetched back", || (std::fs::read(&seen).ok()? == right).then_some(()));
        assert_eq!(node.client().get(&path).status, 200);
        assert_eq!(damaged(node), Vec::<String>::new());
        assert_eq!(node.alarms(), [DAMAGED.to_owned()]);
    }
}

/// Every page of a database but the first.
fn spoil(path: &Path) {
    let mut bytes = std::fs::read(path).expect("a database");
    bytes[4096..].fill(0x55);
    std::fs::write(path, bytes).expect("written");
}

#[test]
fn a_damaged_database_is_named_with_what_to_do_and_that_works() {
    let mut world = World::new(&["a.example"]);
    world.serve();
    let name = world.nodes[0].say("in the index");
    let node = &mut world.nodes[0];
    node.stop();
    let index = node.data.join("index.db");
    spoil(&index);
    let (_, said) = node.fails_to_serve();
    assert!(said.contains(&path_in(&index)) && said.contains("concord rebuild"), "{said}");
    node.ask(&["rebuild"]).expect("what it said to do");
    assert!(node.knows(&name));
    let aside =
        std::fs::read_dir(&node.data).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    let aside: Vec<_> = aside.map(|name| name.to_string_lossy().into_owned()).collect();
    assert!(aside.iter().any(|name| name.starts_with("index.db.damaged-")), "{aside:?}");
    node.serve();
    assert!(node.knows(&name));
    node.stop();

    let state = node.data.join("state.db");
    spoil(&state);
    let (_, said) = node.fails_to_serve();
    assert!(said.contains(&path_in(&state)) && said.contains("backup"), "{said}");
}

#[test]
fn an_age_key_with_one_wrong_character_is_told() {
    let mut world = World::of_friends(&["a.example", "b.example"]);
    let node = &mut world.nodes[0];
    node.stop();
    let path = node.data.join("state.db");
    let mut state = std::fs::read(&path).expect("a database");
    let key = b"AGE-SECRET-KEY-1";
    let places: Vec<usize> =
        (0..state.len() - key.len()).filter(|at| state[*at..].starts_with(key)).collect();
    for place in places {
        let character = &mut state[place + key.len() + 20];
        *character = if *character == b'Q' { b'P' } else { b'Q' };
    }
    std::fs::write(&path, state).expect("written");
    node.serve();
    assert!(node.alarms().contains(&"alarm-age-key-damaged".to_owned()), "{:?}", node.alarms());
}

#[test]
fn an_empty_key_file_is_named_and_everything_else_goes_on() {
    let (mut world, origin, _) = copied();
    for role in ["caller", "holds"] {
        let node = &mut world.nodes[1];
        node.stop();
        let key = node.data.join(format!("keys/{role}-1.key"));
        let right = std::fs::read(&key).expect("a key");
        std::fs::write(&key, b"").expect("emptied");
        node.serve();
        let status = node.ask(&["status"]).expect("status");
        assert_eq!(status["missing_keys"], serde_json::json!([role]));
        let alarms = status["alarms"].as_array().expect("alarms").iter();
        let mut paths = alarms.map(|alarm| alarm["arguments"]["path"].as_str().unwrap_or_default());
        assert!(paths.any(|path| path.ends_with(&format!("{role}-1.key"))), "{status}");
        let doctor = String::from_utf8_lossy(&node.run(&["doctor"]).stdout).into_owned();
        let remedy = format!("concord key rotate {role}");
        assert!(doctor.contains(&path_in(&key)) && doctor.contains(&remedy), "{doctor}");
        // What it says itself goes out all the same; without a key to call with it asks nobody.
        let name = world.nodes[1].say("goes on");
        until("the other has it", || world.nodes[0].knows(&name).then_some(()));
        if role == "holds" {
            let name = world.nodes[0].say("goes on");
            until("it follows", || world.nodes[1].knows(&name).then_some(()));
        }
        let node = &mut world.nodes[1];
        let made = node.ask(&["key", "rotate", role]).expect("what it said to do");
        assert!(made["made"].as_str().expect("a key").contains(&format!("/{role}/2+")), "{made}");
        std::fs::remove_file(node.data.join(format!("keys/{role}-2.key"))).expect("the other remedy");
        node.stop();
        std::fs::write(&key, right).expect("put back");
        node.serve();
        assert_eq!(node.ask(&["status"]).expect("status")["missing_keys"], serde_json::json!([]));
    }
    until("the receipt comes", || {
        world.nodes[0].log(&origin).filter(|log| log["held"][&world.nodes[1].name] == log["size"])
    });
}

/// Turns a character of the hash that a database's table of migrations has beside a name.
fn spoil_migration(path: &Path, name: &[u8]) {
    let mut bytes = std::fs::read(path).expect("a database");
    let is_hash = |part: &[u8]| part.len() == 64 && part.iter().all(u8::is_ascii_hexdigit);
    let places = 0..bytes.len() - name.len() - 64;
    let mut rows = places.filter(|at| {
        let behind = at + name.len();
        bytes[*at..].starts_with(name) && is_hash(&bytes[behind..behind + 64])
    });
    let place = rows.next().expect("a row") + name.len();
    bytes[place] = if bytes[place] == b'0' { b'1' } else { b'0' };
    std::fs::write(path, bytes).expect("written");
}

#[test]
fn a_turned_bit_among_the_migrations_is_named_with_what_to_do_and_that_works() {
    let mut world = World::new(&["a.example"]);
    world.serve();
    let name = world.nodes[0].say("in the index");
    let node = &mut world.nodes[0];
    node.stop();
    let index = node.data.join("index.db");
    spoil_migration(&index, b"index-10-core");
    let (_, said) = node.fails_to_serve();
    assert!(said.contains(&path_in(&index)) && said.contains("concord rebuild"), "{said}");
    node.ask(&["rebuild"]).expect("what it said to do");
    node.serve();
    assert!(node.knows(&name));
    node.stop();
    let state = node.data.join("state.db");
    spoil_migration(&state, b"store/1-cells");
    let (_, said) = node.fails_to_serve();
    assert!(said.contains(&path_in(&state)) && said.contains("backup"), "{said}");
}

#[test]
fn a_caller_key_that_is_gone_is_told_everywhere() {
    let mut world = World::of_friends(&["a.example", "b.example"]);
    let node = &mut world.nodes[0];
    node.stop();
    let key = node.data.join("keys/caller-1.key");
    let aside = node.data.join("caller-1.aside");
    std::fs::rename(&key, &aside).expect("moved");
    node.serve();
    assert_eq!(node.alarms(), ["alarm-key-missing".to_owned()]);
    assert_eq!(node.ask(&["status"]).expect("status")["missing_keys"], serde_json::json!(["caller"]));
    let doctor = String::from_utf8_lossy(&node.run(&["doctor"]).stdout).into_owned();
    assert!(doctor.contains("FAIL keys: no caller key"), "{doctor}");
    std::fs::rename(&aside, &key).expect("moved back");
    assert_eq!(node.ask(&["status"]).expect("status")["missing_keys"], serde_json::json!([]));
}

#[test]
fn a_stop_waits_for_no_stranger_who_sends_slowly() {
    use std::io::Write as _;
    let mut world = World::new(&["a.example"]);
    world.serve();
    let node = &mut world.nodes[0];
    let mut slow = std::net::TcpStream::connect(("127.0.0.1", node.port)).expect("connected");
    let host = format!("127.0.0.1:{}", node.port);
    write!(slow, "POST /nudge HTTP/1.1\r\nhost: {host}\r\ncontent-length: 1000\r\n\r\nhalf").expect("sent");
    // It is being answered when a whole request behind it on another connection was.
    assert_eq!(node.client().get("/healthz").status, 200);
    let begun = std::time::Instant::now();
    node.stop();
    assert!(begun.elapsed() < std::time::Duration::from_secs(15), "{:?}", begun.elapsed());
}
