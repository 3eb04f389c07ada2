//! Evidence is checked by anybody, offline, against fingerprints they trust.

use e2e::{Authority, World, path_in, until};
use serde_json::Value;

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
