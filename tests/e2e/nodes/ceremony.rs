//! The root ceremony: keys are replaced and revoked by a root that the old root's keys sign.

use e2e::{Authority, World, path_in, until};

/// The verifier key in a secret key's file.
fn vkey(node: &Authority, n: u32) -> String {
    let text = std::fs::read_to_string(node.root_keys.join(format!("root-{n}.key"))).expect("a root key");
    tlog::SecretKey::from_text(text.trim_end()).expect("a key").0.to_string()
}

/// Draft, two signatures on one file, publication. `keys` sign; `next` are named for the time after.
pub(crate) fn next_root(world: &World, node: &Authority, keys: [u32; 3], next: [u32; 3]) -> u64 {
    let published = next_root_after(world, node, keys, next, || ());
    assert_eq!(published["waiting"], 0);
    published["version"].as_u64().expect("a version")
}

/// The same; something else is done between the draft and its publication.
fn next_root_after(
    world: &World,
    node: &Authority,
    keys: [u32; 3],
    next: [u32; 3],
    meanwhile: impl FnOnce(),
) -> serde_json::Value {
    let file = path_in(&world.path(&format!("root-with-{}", keys[0])));
    let mut draft = vec!["root".to_owned(), "draft".to_owned(), file.clone()];
    for n in keys {
        draft.extend(["--root-key".to_owned(), vkey(node, n)]);
    }
    for n in next {
        draft.extend(["--next-key".to_owned(), vkey(node, n)]);
    }
    let draft: Vec<&str> = draft.iter().map(String::as_str).collect();
    node.ask(&draft).expect("draft");
    meanwhile();
    node.ask(&["root", "publish", &file]).expect_err("nobody has signed it");
    for n in &keys[..2] {
        let key = path_in(&node.root_keys.join(format!("root-{n}.key")));
        node.ask(&["root", "sign", &file, "--key", &key]).expect("sign");
    }
    node.ask(&["root", "publish", &file]).expect("publish")
}

/// The newest key of a role.
fn key_of(node: &Authority, role: &str) -> String {
    let keys = node.ask(&["key", "list"]).expect("key list");
    let rows = keys.as_array().expect("a list");
    let key = rows.iter().rev().find(|key| key["role"] == role).expect("a key of the role");
    key["vkey"].as_str().expect("a key").to_owned()
}

#[test]
fn a_new_author_key_is_trusted_by_the_peer_and_a_revoked_one_is_not_used() {
    let world = World::of_friends(&["a.example", "b.example"]);
    let [a, b] = &world.nodes[..] else { unreachable!("two") };
    let before = a.say("with the first key");
    until("it is at the peer", || b.knows(&before).then_some(()));

    let made = a.ask(&["key", "rotate", "author"]).expect("rotate")["made"].clone();
    let authority = ["--authority", "a.example", "--first", "7", "--folder"];
    let folder = path_in(&a.root_keys);
    let mut keys = vec!["root", "keys"];
    keys.extend(authority);
    keys.push(&folder);
    a.ask(&keys).expect("root keys");
    assert_eq!(next_root(&world, a, [4, 5, 6], [7, 8, 9]), 2);
    assert_eq!(key_of(a, "author"), made.as_str().expect("a key"));
    let after = a.say("with the second key");
    until("it is valid at the peer", || b.knows(&after).then_some(()));
    assert!(b.knows(&before), "what the first key signed stays valid");
    let shown = b.ask(&["record", "show", &after]).expect("show");
    assert!(shown["note"].as_str().expect("a note").contains("a.example/author/2"), "{shown}");

    // Whoever stole the second key withdraws what the first one signed.
    let withdraw = || a.ask(&["record", "withdraw", &before, "--text", "en=not ours"]).expect("withdraw");
    let count = |withdrawn: &serde_json::Value| withdrawn["released"].as_array().expect("a list").len();
    assert_eq!((count(&withdraw()), count(&withdraw())), (1, 0));
    let since =
        shown["note"].as_str().and_then(|note| note.lines().find_map(|line| line.strip_prefix("released ")));
    let since = since.expect("a time");
    let stolen = key_of(a, "author");
    a.ask(&["key", "rotate", "author"]).expect("rotate");
    a.ask(&["key", "revoke", &stolen, "--since", since]).expect("revoke");
    let mut keys = vec!["root", "keys", "--authority", "a.example", "--first", "10", "--folder"];
    keys.push(&folder);
    a.ask(&keys).expect("root keys");
    assert_eq!(next_root(&world, a, [7, 8, 9], [10, 11, 12]), 3);
    assert_eq!((count(&withdraw()), count(&withdraw())), (1, 0), "what is disowned withdrew nothing");
    let third = a.say("with the third key");
    until("it is valid at the peer", || b.knows(&third).then_some(()));
    let shown = b.ask(&["record", "show", &third]).expect("show");
    assert!(shown["note"].as_str().expect("a note").contains("a.example/author/3"), "{shown}");

    // A key that is declared stolen after the root was drafted is revoked by the next one, not forgotten.
    let keys = ["root", "keys", "--authority", "a.example", "--first", "13", "--folder", &folder];
    a.ask(&keys).expect("root keys");
    let caller = key_of(a, "caller");
    let late = || drop(a.ask(&["key", "revoke", &caller]).expect("revoke"));
    let published = next_root_after(&world, a, [10, 11, 12], [13, 14, 15], late);
    assert_eq!((&published["version"], &published["waiting"]), (&4.into(), &1.into()));
}

#[test]
fn a_log_whose_key_was_revoked_ends_at_its_head_and_goes_on_in_a_successor() {
    let world = World::of_friends(&["a.example", "b.example"]);
    let [a, b] = &world.nodes[..] else { unreachable!("two") };
    let before = a.release(&["--public"], "under the first log key").expect("release");
    let (origin, name) =
        (before["origin"].as_str().expect("an origin"), before["name"].as_str().expect("a name"));
    until("it is at the peer", || b.knows(name).then_some(()));
    let refused = a.ask(&["log", "succeed", origin]).expect_err("it can go on");
    assert!(refused.contains("log close"), "{refused}");

    let stolen = key_of(a, "log");
    a.ask(&["key", "rotate", "log"]).expect("rotate");
    a.ask(&["key", "revoke", &stolen]).expect("revoke");
    let folder = path_in(&a.root_keys);
    a.ask(&["root", "keys", "--authority", "a.example", "--first", "7", "--folder", &folder])
        .expect("root keys");
    let published = next_root_after(&world, a, [4, 5, 6], [7, 8, 9], || ());
    let next = published["opened"][0].as_str().expect("a successor");
    until("the successor is at the peer before anything is said in it", || {
        b.log(next).filter(|log| log["size"] == 1).map(drop)
    });
    let refused = a.ask(&["log", "succeed", origin]).expect_err("it has ended");
    assert!(refused.contains("no open log"), "{refused}");

    let after = a.release(&["--public"], "under the second log key").expect("release");
    assert_eq!(after["origin"], *next);
    assert_ne!(after["origin"], before["origin"], "nothing is appended to a log whose key was stolen");
    let name = after["name"].as_str().expect("a name");
    until("the peer follows into the successor", || b.knows(name).then_some(()));
    let shown = a.ask(&["record", "show", name]).expect("shown");
    assert_eq!(shown["origin"], after["origin"]);
    let status = b.ask(&["status"]).expect("status");
    assert_eq!(status["alarms"], serde_json::json!([]), "what the author acknowledges is no surprise");
}

/// `log.close` is signed like every other entry: the log moves to the root that lists its keys first.
#[test]
fn a_log_is_closed_under_the_keys_of_the_newest_root() {
    let world = World::of_friends(&["a.example", "b.example"]);
    let [a, b] = &world.nodes[..] else { unreachable!("two") };
    let public = a.release(&["--public"], "under the first keys").expect("release");
    let sealed = a.release(&["--to", "b.example"], "idle since then").expect("release");
    for role in ["log", "author"] {
        a.ask(&["key", "rotate", role]).expect("rotate");
    }
    assert_eq!(next_root(&world, a, [4, 5, 6], [1, 2, 3]), 2);
    for record in [&public, &sealed] {
        let origin = record["origin"].as_str().expect("an origin");
        a.ask(&["log", "close", origin]).expect("close");
        until("the peer holds all of it, closed", || {
            let (here, there) = (a.log(origin)?, b.log(origin)?);
            (there["closed"] == true && there["size"] == 4 && here["held"]["b.example"] == 4).then_some(())
        });
    }
    let next = a.release(&["--public"], "in the successor").expect("release");
    assert_ne!(next["origin"], public["origin"]);
    until("the peer follows", || b.knows(next["name"].as_str()?).then_some(()));
    assert_eq!((a.alarms(), b.alarms()), (vec![], vec![]));
}

#[test]
fn nothing_is_appended_to_a_log_whose_key_was_revoked_not_even_its_end() {
    let world = World::of_friends(&["a.example", "b.example"]);
    let [a, b] = &world.nodes[..] else { unreachable!("two") };
    let public = a.release(&["--public"], "under a key that is stolen").expect("release");
    a.release(&["--to", "b.example"], "under the same key").expect("release");
    let (stolen, origin) = (key_of(a, "log"), public["origin"].as_str().expect("an origin"));
    a.ask(&["key", "rotate", "log"]).expect("rotate");
    a.ask(&["key", "revoke", &stolen]).expect("revoke");
    let published = next_root_after(&world, a, [4, 5, 6], [1, 2, 3], || ());
    let opened = published["opened"].as_array().expect("successors");
    assert_eq!(opened.len(), 2, "of the public log and of the sealed one: {published}");
    for next in opened.iter().filter_map(|next| next.as_str()) {
        until("the peer has the successor", || b.log(next).filter(|log| log["size"] == 1).map(drop));
    }
    let size = a.log(origin).expect("a log")["size"].clone();
    let refused = a.ask(&["log", "close", origin]).expect_err("it has ended");
    assert!(refused.contains("no open log"), "{refused}");
    assert_eq!(a.log(origin).expect("a log")["size"], size);
}
