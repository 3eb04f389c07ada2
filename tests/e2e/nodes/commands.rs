//! The command line: what went wrong is said as code and arguments, and in the operator's language.

use e2e::World;
use serde_json::Value;

#[test]
fn a_failure_has_a_code_with_json_and_a_sentence_in_the_operators_language() {
    let world = World::new(&["a.example"]);
    let node = &world.nodes[0];
    let unknown = ["peer", "confirm", "b.example", "--fingerprint", &node.fingerprint()].map(str::to_owned);
    let unknown: Vec<&str> = unknown.iter().map(String::as_str).collect();
    let output = node.run(&[&unknown[..], &["--json"]].concat());
    assert_eq!(output.status.code(), Some(1));
    let said: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(said["error"]["code"], "peer-unknown", "{said}");
    assert_eq!(said["error"]["arguments"]["authority"], "b.example", "{said}");
    let sentence = |lang: &str| {
        let output = node.run(&[&unknown[..], &["--lang", lang]].concat());
        assert_eq!(output.status.code(), Some(1), "{lang}");
        String::from_utf8(output.stderr).expect("text")
    };
    let english = sentence("en");
    assert!(english.contains("b.example is not known here; `concord peer add` comes first"), "{english}");
    for lang in ["ar", "es", "fr", "ru", "zh"] {
        let said = sentence(lang);
        assert!(said.contains("b.example") && said != english, "{lang}: {said}");
    }
    assert_eq!(node.run(&["release", "--lang", "xx"]).status.code(), Some(2), "wrong usage");
    assert_eq!(node.run(&["no-such-command"]).status.code(), Some(2), "wrong usage");
}

#[test]
fn every_command_says_how_it_is_used_with_an_example() {
    let world = World::new(&["a.example"]);
    let node = &world.nodes[0];
    let commands: &[&[&str]] = &[
        &["init"],
        &["serve"],
        &["demo"],
        &["verify"],
        &["doctor"],
        &["restore"],
        &["link"],
        &["session", "list"],
        &["session", "end"],
        &["root", "show"],
        &["root", "draft"],
        &["root", "sign"],
        &["root", "keys"],
        &["root", "vkey"],
        &["root", "publish"],
        &["key", "rotate"],
        &["key", "revoke"],
        &["key", "list"],
        &["peer", "add"],
        &["peer", "confirm"],
        &["peer", "list"],
        &["peer", "remove"],
        &["mechanism", "propose"],
        &["mechanism", "accept"],
        &["mechanism", "leave"],
        &["mechanism", "list"],
        &["release"],
        &["import", "figures"],
        &["record", "show"],
        &["record", "evidence"],
        &["records", "list"],
        &["log", "list"],
        &["log", "check"],
        &["log", "resume"],
        &["log", "close"],
        &["bundle", "export"],
        &["bundle", "import"],
        &["rebuild"],
        &["backup"],
        &["status"],
    ];
    for command in commands {
        let output = node.run(&[*command, &["--help"]].concat());
        let help = String::from_utf8(output.stdout).expect("text");
        assert!(output.status.success(), "{command:?}");
        assert!(help.contains("Example:"), "{command:?} teaches nothing:\n{help}");
        assert!(help.contains("Exit codes:"), "{command:?} does not say how it ends:\n{help}");
    }
}

#[test]
fn a_command_without_a_server_says_that_nobody_was_asked() {
    let mut world = World::new(&["a.example"]);
    let alone = world.nodes[0].run(&["status", "--json"]);
    assert!(alone.status.success());
    let said = String::from_utf8(alone.stderr).expect("text");
    assert!(said.contains("no peer was asked"), "{said}");
    world.serve();
    let served = world.nodes[0].run(&["status", "--json"]);
    let said = String::from_utf8(served.stderr).expect("text");
    assert!(!said.contains("no peer was asked"), "{said}");
}

#[test]
fn a_table_of_figures_is_released_with_the_parameter_of_its_media_type() {
    let world = World::new(&["a.example"]);
    let node = &world.nodes[0];
    let file = world.path("f.csv");
    std::fs::write(&file, "#date,#country+code\n2020-01-22,CHN\n").expect("written");
    let blob = format!("text/csv;schema=hxl;en={}", e2e::path_in(&file));
    let released = node.ask(&["release", "--public", "--blob", &blob]).expect("release");
    let name = released[0]["name"].as_str().expect("a name");
    let note = node.ask(&["record", "show", name]).expect("show")["note"].to_string();
    assert!(note.contains("blob text/csv;schema=hxl ") && note.contains(" en"), "{note}");
}

#[test]
fn a_notice_without_words_or_with_two_texts_in_one_language_is_refused() {
    let world = World::new(&["a.example"]);
    let node = &world.nodes[0];
    let refused = |args: &[&str]| node.ask(&[&["release", "--public"], args].concat()).expect_err("refused");
    assert!(refused(&[]).contains("--text"));
    assert!(refused(&["--text", "en= "]).contains("<language>=<text>"));
    assert!(refused(&["--text", "en=one", "--text", "en=two"]).contains("two texts in en"));
    assert!(node.records().is_empty(), "nothing was released");
}

#[test]
fn a_record_with_a_line_that_must_be_understood_says_that_it_counts_for_nothing() {
    let mut world = World::new(&["a.example"]);
    world.serve();
    let node = &world.nodes[0];
    let released = node.release(&["--public", "--line", "!vow=1"], "of later").expect("release");
    let name = released["name"].as_str().expect("a name");
    assert_eq!(node.ask(&["record", "show", name]).expect("show")["unknown_line"], true);
    let answer = node.client().get(&format!("/api/v1/records/{name}")).body;
    let answer: serde_json::Value = serde_json::from_slice(&answer).expect("JSON");
    assert_eq!(answer["entries"][0]["without_effect"], "unknown-line", "{answer}");
    let csv = node.client().get("/records.csv").text();
    assert!(csv.contains("unknown-line"), "{csv}");
    let page = node.client().get(&format!("/record/{name}")).text();
    assert!(page.contains("neither acted on nor counted"));
}
