//! Evidence is checked by anybody, offline, against fingerprints they trust.

use e2e::{Authority, Forgery, World, path_in, until};
use federate::split::Split;
use serde_json::Value;
use tlog::SignedCheckpoint;

#[test]
fn evidence_holds_for_who_trusts_the_author_and_for_no_changed_byte() {
    let world = World::of_friends(&["a.example", "b.example"]);
    let [a, b] = &world.nodes[..] else { unreachable!("two") };
    let name = a.say("to be proven");
    until("it is proven", || {
        a.records().iter().find(|row| row["name"] == name.as_str())?["proven"].as_str().map(str::to_owned)
    });
    let file = world.path("evidence");
    a.ask(&["record", "evidence", &name, &path_in(&file)]).expect("evidence");
    let (author, witness) = (a.fingerprint(), b.fingerprint());

    let report = a.ask(&["verify", &path_in(&file), "--pin", &author, "--pin", &witness]).expect("it holds");
    assert_eq!((&report["name"], &report["author"]), (&name.as_str().into(), &"a.example".into()));
    assert!(report["proven"].is_string(), "{report}");
    assert_eq!(report["witnesses"][0]["authority"], "b.example");

    a.ask(&["verify", &path_in(&file), "--pin", &witness])
        .expect_err("the author's fingerprint is not trusted");

    let bytes = std::fs::read(&file).expect("the file");
    let text = b"to be proven";
    let content = bytes.windows(text.len()).position(|w| w == text);
    let changed = world.path("changed");
    for place in [Some(bytes.len() / 3), Some(bytes.len() / 2), content].into_iter().flatten() {
        let mut bytes = bytes.clone();
        bytes[place] ^= 1;
        std::fs::write(&changed, &bytes).expect("written");
        let report = a.ask(&["verify", &path_in(&changed), "--pin", &author, "--pin", &witness]);
        report.expect_err(&format!("byte {place} is changed"));
    }
}

#[test]
fn a_record_quotes_the_witnesses_that_its_author_had_seen() {
    let world = World::of_friends(&["a.example", "b.example", "c.example"]);
    let [a, b, c] = &world.nodes[..] else { unreachable!("three") };
    let show = |node: &Authority, name: &str| node.ask(&["record", "show", name]).expect("record show");
    let first = a.say("before anybody has seen anything");
    assert_eq!(show(a, &first)["signed_after"], Value::Null);
    let proven = until("its time is proven", || show(a, &first)["proven"].as_str().map(str::to_owned));

    let second = a.say("after that");
    let note = show(a, &second)["note"].as_str().expect("a note").to_owned();
    let anchors: Vec<&str> = note.lines().filter(|line| line.starts_with("anchor ")).collect();
    assert!(!anchors.is_empty(), "{note}");
    assert!(anchors.iter().all(|line| line.contains("/log/public/") && line.contains("/witness/")));
    assert!(!note.contains("a.example/witness/"), "nobody is a witness of what he says himself: {note}");
    for node in [a, b, c] {
        until("it is there", || node.knows(&second).then_some(()));
        let after = show(node, &second)["signed_after"].as_str().expect("its anchors are valid").to_owned();
        assert!(after >= proven, "{after} is before {proven}, which was proven before it was released");
    }

    // What is sealed quotes inside the seal.
    let sealed = a.release(&["--to", "b.example"], "for b").expect("release");
    let sealed = sealed["name"].as_str().expect("a name");
    assert!(!show(a, sealed)["note"].as_str().expect("a note").contains("anchor"));
    until("its reader opens it", || {
        b.ask(&["record", "show", sealed]).ok().filter(|shown| shown["signed_after"].is_string())
    });
}

#[test]
fn a_split_view_is_verified_offline_and_a_forged_one_proves_nothing() {
    let world = World::of_friends(&["a.example", "b.example"]);
    let [a, b] = &world.nodes[..] else { unreachable!("two") };
    let origin = a.release(&["--public"], "opens the log").expect("release")["origin"].clone();
    let origin = origin.as_str().expect("an origin");
    let path = format!("/{}/checkpoint", origin.split_once('/').expect("a path").1);
    let read = |bytes: &[u8]| SignedCheckpoint::parse(bytes).expect("a checkpoint");
    let mut forgery = Forgery::of(a, origin);
    a.say("what its peers are shown");
    let ours = read(&a.client().get(&path).body);
    forgery.push_record_like_the_last();
    let theirs = read(&forgery.files()[&path]);
    assert_eq!(ours.checkpoint.size, theirs.checkpoint.size);

    let folder = world.path("");
    let (root, other) = (path_in(&a.root_file(&folder)), path_in(&b.root_file(&folder)));
    let (author, stranger) = (a.fingerprint(), b.fingerprint());
    let file = world.path("split");
    let verify = |bytes: Vec<u8>, root: &str, pin: &str| {
        std::fs::write(&file, bytes).expect("written");
        let output = b.run(&["--json", "verify", &path_in(&file), "--pin", pin, "--root", root]);
        let said: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        (output.status.success(), said)
    };
    let split = Split::of_one_size(ours.clone(), theirs);
    let (holds, said) = verify(split.to_bytes(), &root, &author);
    assert!(holds && said["split_view"] == true && said["log"] == origin, "{said}");

    let not = |bytes: Vec<u8>, root: &str, pin: &str, code: &str| {
        let (holds, said) = verify(bytes, root, pin);
        let found = if said["why"].is_object() { &said["why"]["code"] } else { &said["error"]["code"] };
        assert!(!holds && found == code, "{code}: {said}");
    };
    not(Split::of_one_size(ours.clone(), ours.clone()).to_bytes(), &root, &author, "split-agree");
    let mut unsigned = split.clone();
    unsigned.larger.note.signatures[0].bytes[9] ^= 1;
    not(unsigned.to_bytes(), &root, &author, "split-not-signed");
    let mut unproven = split.clone();
    unproven.other_root = tlog::sha256(b"made up");
    not(unproven.to_bytes(), &root, &author, "split-proof");
    not(split.to_bytes(), &root, &stranger, "verify-not-pinned");
    not(split.to_bytes(), &other, &stranger, "verify-roots");
    let mut endless = split.to_bytes();
    endless.resize(300 << 10, b'x');
    not(endless, &root, &author, "split-form");
}
