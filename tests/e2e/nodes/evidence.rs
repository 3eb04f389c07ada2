//! Evidence is checked by anybody, offline, against fingerprints they trust.

use e2e::{World, path_in, until};

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
