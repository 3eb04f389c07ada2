//! Two authorities between whom there never was a network: they exchange by file.

use e2e::{Authority, World, path_in};
use serde_json::Value;

/// Two worlds of one authority each: neither knows an address of the other.
fn strangers() -> (World, World) {
    (World::new(&["a.example"]), World::new(&["b.example"]))
}

/// Each is given the other's root as a file, and its fingerprint by telephone.
fn introduce(to: &Authority, who: &Authority, world: &World) {
    let (root, fingerprint) = (path_in(&who.root_file(&world.path(""))), who.fingerprint());
    let add = ["peer", "add", &who.name, "--root", &root, "--fingerprint", &fingerprint];
    to.ask(&add).expect("peer add");
    to.ask(&["peer", "confirm", &who.name, "--fingerprint", &fingerprint]).expect("peer confirm");
}

/// Everything that a reader of the command line and of the disk could tell apart.
fn all_of(node: &Authority) -> (Vec<Value>, Value, Value) {
    let (logs, status) = (node.ask(&["log", "list"]), node.ask(&["status"]));
    (node.records(), logs.expect("log list"), status.expect("status")["alarms"].clone())
}

#[test]
fn two_that_never_had_a_network_exchange_by_file() {
    let (one, mut other) = strangers();
    // One without a server, as on a machine that is started for this; one that serves its own people.
    other.serve();
    let (a, b) = (&one.nodes[0], &other.nodes[0]);
    introduce(a, b, &one);
    introduce(b, a, &other);
    let public = a.say("for everybody");
    let sealed = a.release(&["--to", "b.example"], "for b alone").expect("release");
    let sealed = sealed["name"].as_str().expect("a name").to_owned();

    let file = path_in(&one.path("to-b.bundle"));
    a.ask(&["bundle", "export", &file, "--for", "b.example"]).expect("export");
    let imported = b.ask(&["bundle", "import", &file]).expect("import");
    assert_eq!((&imported["from"], &imported["logs"]), (&"a.example".into(), &2.into()), "{imported}");
    assert!(b.knows(&public) && b.knows(&sealed));
    let shown = b.ask(&["record", "show", &sealed]).expect("show");
    assert_eq!((&shown["valid"], &shown["opened"]), (&true.into(), &true.into()), "{shown}");

    // What b says of it can be checked by anybody who has the fingerprints, without either of them.
    let evidence = path_in(&other.path("evidence"));
    b.ask(&["record", "evidence", &public, &evidence]).expect("evidence");
    let report = b.ask(&["verify", &evidence, "--pin", &a.fingerprint()]).expect("it holds");
    assert_eq!(report["name"], public.as_str());

    let before = all_of(b);
    b.ask(&["bundle", "import", &file]).expect("import again");
    assert_eq!(all_of(b), before, "importing twice changes nothing");

    // And back: b's answer, its receipt for a's logs, its cosignature.
    let answer = b.release(&["--to", "a.example"], "received").expect("release");
    let back = path_in(&other.path("to-a.bundle"));
    let origin = a.ask(&["record", "show", &public]).expect("show")["origin"].clone();
    b.ask(&["bundle", "export", &back, "--for", "a.example"]).expect("export");
    a.ask(&["bundle", "import", &back]).expect("import");
    let log = a.log(origin.as_str().expect("an origin")).expect("a log");
    assert_eq!(log["held"]["b.example"], log["size"], "b's receipt comes back with the file");
    assert!(a.knows(answer["name"].as_str().expect("a name")));
}

#[test]
fn a_damaged_bundle_is_refused_whole() {
    let (one, other) = strangers();
    let (a, b) = (&one.nodes[0], &other.nodes[0]);
    introduce(a, b, &one);
    introduce(b, a, &other);
    for n in 0..5 {
        a.say(&format!("notice {n}"));
    }
    let file = one.path("bundle");
    a.ask(&["bundle", "export", &path_in(&file), "--for", "b.example"]).expect("export");
    let bytes = std::fs::read(&file).expect("the bundle");
    let before = all_of(b);
    let damaged = one.path("damaged");
    let refused = |bytes: &[u8], code: &str, what: &str| {
        std::fs::write(&damaged, bytes).expect("written");
        let output = b.run(&["bundle", "import", &path_in(&damaged), "--json"]);
        assert_eq!(output.status.code(), Some(1), "{what}");
        let said: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(said["error"]["code"], code, "{what}: {said}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("nothing of it was taken in"), "{what}: {said}");
        assert_eq!(all_of(b), before, "{what}: something was taken in");
    };
    for part in 1..6 {
        let mut changed = bytes.clone();
        changed[bytes.len() * part / 6] ^= 0x10;
        refused(&changed, "bundle-damaged", &format!("a byte changed at {part}/6"));
    }
    refused(&bytes[..bytes.len() / 2], "bundle-cut", "half of it");
    let output = b.run(&["bundle", "import", &path_in(&b.data.join("concord.toml")), "--json"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("not a bundle"), "{output:?}");
    b.ask(&["bundle", "import", &path_in(&file)]).expect("the undamaged one");
    assert_eq!(b.records().iter().filter(|row| row["kind"] == "notice").count(), 5);
}

#[test]
fn a_bundle_of_a_stranger_or_for_somebody_else_is_refused() {
    let (one, other) = strangers();
    let (a, b) = (&one.nodes[0], &other.nodes[0]);
    a.say("something");
    let file = path_in(&one.path("bundle"));
    a.ask(&["bundle", "export", &file]).expect("export");
    let refused = b.ask(&["bundle", "import", &file]).expect_err("a is not confirmed");
    assert!(refused.contains("peer add --root"), "what to do is not said: {refused}");
    introduce(a, b, &one);
    introduce(b, a, &other);
    let mine = path_in(&one.path("for-a"));
    b.ask(&["bundle", "export", &mine, "--for", "a.example"]).expect("export");
    a.ask(&["bundle", "import", &mine]).expect("for a");
    let third = World::new(&["c.example"]);
    let c = &third.nodes[0];
    introduce(c, b, &third);
    let refused = c.ask(&["bundle", "import", &mine]).expect_err("it is for a");
    assert!(refused.contains("a.example"), "{refused}");
}

/// A root comes before anything that is said under it: no log need speak of it yet.
#[test]
fn a_root_comes_by_file_too() {
    let (one, other) = strangers();
    let (a, b) = (&one.nodes[0], &other.nodes[0]);
    introduce(a, b, &one);
    introduce(b, a, &other);
    assert_eq!(crate::ceremony::next_root(&one, a, [4, 5, 6], [1, 2, 3]), 2);
    let file = path_in(&one.path("to-b.bundle"));
    a.ask(&["bundle", "export", &file, "--for", "b.example"]).expect("export");
    b.ask(&["bundle", "import", &file]).expect("import");
    let listed = b.run(&["peer", "list"]).stdout;
    let listed = String::from_utf8_lossy(&listed);
    assert!(listed.lines().any(|line| line.starts_with("a.example") && line.ends_with("root 2")), "{listed}");
}

/// What the other side says of one's own logs is all that such a file may have: it has released nothing.
#[test]
fn a_receipt_comes_back_from_who_has_nothing_to_say() {
    let (one, mut other) = strangers();
    other.serve();
    let (a, b) = (&one.nodes[0], &other.nodes[0]);
    introduce(a, b, &one);
    introduce(b, a, &other);
    let (there, back) = (path_in(&one.path("to-b")), path_in(&other.path("to-a")));
    for n in 0..3 {
        let released = a.release(&["--public"], &format!("number {n}")).expect("release");
        a.ask(&["bundle", "export", &there, "--for", "b.example"]).expect("export");
        b.ask(&["bundle", "import", &there]).expect("import");
        b.ask(&["bundle", "export", &back, "--for", "a.example"]).expect("export");
        a.ask(&["bundle", "import", &back]).expect("import");
        let log = a.log(released["origin"].as_str().expect("an origin")).expect("a log");
        assert_eq!(log["held"]["b.example"], log["size"], "after round {n}");
    }
}

/// A backup is older than what left in a file: that file leads the restored node back, and it forks nothing.
#[test]
fn a_restored_node_has_its_own_entries_back_from_a_file() {
    let (mut one, other) = strangers();
    introduce(&one.nodes[0], &other.nodes[0], &one);
    introduce(&other.nodes[0], &one.nodes[0], &other);
    let (backup, there, back) =
        (one.path("backup"), path_in(&one.path("to-b")), path_in(&other.path("to-a")));
    let first = one.nodes[0].release(&["--public"], "in the backup").expect("release");
    one.nodes[0].ask(&["backup", &path_in(&backup)]).expect("backup");
    let later = one.nodes[0].say("after the backup");
    let b = &other.nodes[0];
    one.nodes[0].ask(&["bundle", "export", &there, "--for", "b.example"]).expect("export");
    b.ask(&["bundle", "import", &there]).expect("import");
    b.ask(&["bundle", "export", &back, "--for", "a.example"]).expect("export");

    let mut a = one.nodes[0].at(one.path("restored"));
    a.ask(&["restore", &path_in(&backup)]).expect("restore");
    a.serve();
    a.ask(&["bundle", "import", &back]).expect("import");
    assert!(a.knows(&later), "its own entry is back when the import ends");
    let origin = first["origin"].as_str().expect("an origin");
    assert_eq!(a.log(origin).expect("a log")["size"], 3);
    a.ask(&["log", "resume", origin]).expect("resume");
    let next = a.release(&["--public"], "after the restore").expect("release");
    assert_eq!(next["index"], 3);
    a.ask(&["bundle", "export", &there, "--for", "b.example"]).expect("export");
    b.ask(&["bundle", "import", &there]).expect("import");
    assert!(b.knows(next["name"].as_str().expect("a name")));
    assert_eq!(b.alarms(), Vec::<String>::new());
    one.nodes[0].kill();
}

/// Two views of one log, of the same size: whoever holds one is told when a file brings the other.
#[test]
fn a_file_with_another_view_of_a_log_raises_an_alarm() {
    let (mut one, other) = strangers();
    introduce(&one.nodes[0], &other.nodes[0], &one);
    introduce(&other.nodes[0], &one.nodes[0], &other);
    let b = &other.nodes[0];
    let (backup, there) = (one.path("backup"), path_in(&one.path("to-b")));
    let first = one.nodes[0].release(&["--public"], "in the backup").expect("release");
    one.nodes[0].ask(&["backup", &path_in(&backup)]).expect("backup");
    one.nodes[0].say("the one view");
    one.nodes[0].ask(&["bundle", "export", &there, "--for", "b.example"]).expect("export");
    b.ask(&["bundle", "import", &there]).expect("import");

    let mut a = one.nodes[0].at(one.path("restored"));
    a.ask(&["restore", &path_in(&backup)]).expect("restore");
    a.serve();
    a.ask(&["log", "resume", first["origin"].as_str().expect("an origin")])
        .expect("an operator who is wrong");
    a.say("the other view");
    a.ask(&["bundle", "export", &there, "--for", "b.example"]).expect("export");
    let _ = b.ask(&["bundle", "import", &there]);
    assert_eq!(b.alarms(), ["alarm-split-view"]);
    one.nodes[0].kill();
}
