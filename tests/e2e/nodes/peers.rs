//! An authority with whom the exchange ends: what it shared and witnessed stays, and what was said to it can be taken back.

use e2e::{Authority, World, path_in, until};

/// Author, kind, name and whether it is proven, of every record.
fn shown(node: &Authority) -> Vec<(String, String, String, bool)> {
    let text = |row: &serde_json::Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let rows = node.records();
    let mut all: Vec<_> = rows
        .iter()
        .map(|row| (text(row, "author"), text(row, "kind"), text(row, "name"), row["proven"].is_string()))
        .collect();
    all.sort();
    all
}

fn figures(node: &Authority) -> String {
    node.client().get("/api/v1/situation/figures").text()
}

#[test]
fn what_a_removed_peer_shared_and_witnessed_stays() {
    let mut world = World::of_friends(&["a.example", "b.example", "c.example"]);
    let table = world.path("table.csv");
    let rows = "#date,#country+code,#affected+infected+confirmed+cumulative\n2026-11-01,KOR,5\n";
    std::fs::write(&table, rows).expect("written");
    world.nodes[0].ask(&["import", "figures", &path_in(&table)]).expect("import");
    let names = [world.nodes[0].say("of a"), world.nodes[1].say("of b"), world.nodes[2].say("of c")];
    until("all is at b, and proven", || {
        let shown = shown(&world.nodes[1]);
        let all = names.iter().all(|name| shown.iter().any(|(_, _, there, _)| there == name));
        (all && shown.len() >= 7 && shown.iter().all(|(.., proven)| *proven)).then_some(())
    });
    let fingerprint = world.nodes[0].fingerprint();
    let b = &mut world.nodes[1];
    until("the figures are at b", || figures(b).contains("KOR").then_some(()));
    let (before, stated) = (shown(b), figures(b));
    b.ask(&["peer", "remove", "a.example"]).expect("remove");
    assert_eq!((shown(b), figures(b)), (before.clone(), stated.clone()), "once it is removed");
    b.ask(&["rebuild"]).expect("rebuild");
    assert_eq!((shown(b), figures(b)), (before.clone(), stated.clone()), "after a rebuild");
    b.stop();
    b.serve();
    assert_eq!((shown(b), figures(b)), (before.clone(), stated.clone()), "after a restart");
    assert!(b.alarms().is_empty(), "{:?}", b.alarms());
    let refused = b.ask(&["peer", "confirm", "a.example", "--fingerprint", &fingerprint]);
    assert!(refused.expect_err("two operators decide anew").contains("peer add"));

    b.ask(&["peer", "add", "a.example", "--fingerprint", &fingerprint]).expect("add");
    b.ask(&["peer", "confirm", "a.example", "--fingerprint", &fingerprint]).expect("confirm");
    let refused = b.ask(&["peer", "add", "a.example", "--fingerprint", &fingerprint]);
    assert!(refused.expect_err("it is confirmed").contains("peer remove"));
    let next = world.nodes[0].say("after it came back");
    until("the exchange goes on", || world.nodes[1].knows(&next).then_some(()));
}

/// With two witnesses known a log's policy needs both.
#[test]
fn who_removes_a_witness_that_a_log_needs_is_told_so_and_the_next_log_does_without() {
    let mut world = World::of_friends(&["a.example", "b.example", "c.example"]);
    world.nodes[2].stop();
    let a = &world.nodes[0];
    let held_back = a.say("held back");
    let is_proven = |name: &str| shown(a).iter().any(|(_, _, there, proven)| there == name && *proven);
    let removed = a.ask(&["peer", "remove", "c.example"]).expect("remove");
    let [origin] = &removed["unproven"].as_array().expect("logs")[..] else { panic!("{removed}") };
    assert!(!is_proven(&held_back));
    a.ask(&["log", "close", origin.as_str().expect("an origin")]).expect("close");
    let next = a.say("in the next log");
    until("it is proven", || is_proven(&next).then_some(()));
    assert!(!is_proven(&held_back), "its log's policy counts for it still");
    let removed = a.ask(&["peer", "remove", "b.example"]).expect("remove");
    assert_eq!(removed["unproven"].as_array().expect("logs").len(), 1, "the next one needs it: {removed}");
}

/// What was said to somebody who was removed is withdrawn and erased like everything else, for all others.
#[test]
fn what_a_removed_peer_was_given_is_withdrawn_and_erased_for_the_others() {
    let world = World::of_friends(&["a.example", "b.example", "c.example"]);
    let [a, _, c] = &world.nodes[..] else { unreachable!("three") };
    let both = ["--to", "b.example", "--to", "c.example"];
    let said =
        a.release(&both, "to be taken back").expect("release")["name"].as_str().expect("a name").to_owned();
    let kept =
        a.release(&both, "to be erased").expect("release")["name"].as_str().expect("a name").to_owned();
    until("c has both", || (c.knows(&said) && c.knows(&kept)).then_some(()));
    a.ask(&["peer", "remove", "b.example"]).expect("remove");
    a.release(&both, "something new").expect_err("nothing new goes to it");
    a.ask(&["record", "withdraw", &said]).expect("withdraw");
    until("c knows", || {
        let shown = c.ask(&["record", "show", &said]).ok()?;
        (shown["stands"] == "withdrawn").then_some(())
    });
    a.ask(&["record", "erase", &kept]).expect("erase");
    until("c is told", || {
        let shown = c.ask(&["record", "show", &kept]).ok()?;
        (shown["erased_by"] == serde_json::json!(["a.example"])).then_some(())
    });
}
