//! One invalid entry, one hostile root, one peer that never answers: nobody else stalls.

use std::time::Instant;

use e2e::{Authority, Forgery, Impostor, PATIENCE, World, until};
use federate::nudge::{Nudge, NudgeNote};
use record::SignedRoot;

/// A notice of one arrives at the other, and the other's receipt comes back.
fn exchange_goes_on(from: &Authority, to: &Authority, text: &str) {
    let released = from.release(&["--public"], text).expect("release");
    let (name, origin) =
        (released["name"].as_str().expect("a name"), released["origin"].as_str().expect("a log"));
    until(&format!("{text}: {} has it", to.name), || to.knows(name).then_some(()));
    until(&format!("{text}: the receipt is there"), || {
        let log = from.log(origin)?;
        (log["held"][&to.name].as_u64()? > released["index"].as_u64()?).then_some(())
    });
}

#[test]
fn an_invalid_entry_counts_for_nothing_and_stops_nobody() {
    let mut world = World::of_friends(&["a.example", "b.example", "c.example"]);
    let first = world.nodes[2].release(&["--public"], "the last good one").expect("release");
    let name = first["name"].as_str().expect("a name").to_owned();
    until("its first notice is everywhere", || {
        world.nodes[..2].iter().all(|node| node.knows(&name)).then_some(())
    });
    let mut forgery = Forgery::of(&world.nodes[2], first["origin"].as_str().expect("a log"));
    world.nodes[2].stop();
    forgery.push(b"no record at all");
    let after = forgery.push_record_like_the_last();
    forgery.push(&[0xff; 300]);
    let impostor = Impostor::serving(world.nodes[2].port, forgery.files());

    let [a, b, _] = &world.nodes[..] else { unreachable!("three") };
    for node in [a, b] {
        until("the good record behind the bad entry counts", || node.knows(&after).then_some(()));
        until("the bad ones are one alarm of two", || {
            let status = node.ask(&["status"]).ok()?;
            let alarms = status["alarms"].as_array()?;
            let of_entries: Vec<_> = alarms.iter().filter(|alarm| alarm["code"] == "invalid-entry").collect();
            (of_entries.len() == 1 && of_entries[0]["count"] == 2).then_some(())
        });
        let origin = first["origin"].as_str().expect("a log");
        let log = node.log(origin).expect("it is followed");
        assert_eq!(log["size"], 5, "kept as bytes, for whoever replicates: {log}");
        assert_eq!(node.client().get("/situation").status, 200);
    }
    exchange_goes_on(a, b, "beside the bad entries");
    exchange_goes_on(b, a, "and back");
    assert!(impostor.asked() > 0);
}

#[test]
fn hostile_roots_change_nothing() {
    let mut world = World::of_friends(&["a.example", "b.example", "c.example"]);
    let [a, b, c] = &world.nodes[..] else { unreachable!("three") };
    let fingerprints = || b.ask(&["peer", "list"]).expect("peer list");
    let before = fingerprints();
    let first = SignedRoot::parse(&c.client().get("/root/1").body).expect("a root");
    // The next root, signed by who is nobody; and one of somebody else under this name.
    let mut next = first.root.clone();
    next.version = 2;
    next.previous = Some(tlog::sha256(first.note.text.as_bytes()));
    let thief = tlog::SecretKey::from_seed([9; 32]);
    let thief = tlog::LocalSigner::new("c.example/root/1", tlog::KeyType::Ed25519, thief).expect("a signer");
    let mut forged = vec![b"no root\n".to_vec(), vec![0; 60_000], first.bytes.clone()];
    forged.extend(SignedRoot::sign(&next, &[&thief]).map(|root| root.bytes));
    let other = SignedRoot::parse(&a.client().get("/root/1").body).expect("a root");
    forged.push(other.bytes.clone());
    let client = b.client();
    for body in &forged {
        let mut nudge = b"c.example\n".to_vec();
        nudge.extend_from_slice(body);
        let answer = client.post("/nudge", &[], nudge);
        assert!([202, 400, 404, 413, 422].contains(&answer.status), "{}", answer.status);
    }
    let root = Box::new(other);
    let nudge = Nudge { from: "c.example".parse().expect("a name"), note: NudgeNote::Root(root) };
    client.post("/nudge", &[], nudge.to_bytes());
    exchange_goes_on(a, b, "after the nudges");

    // And served by its own address, by somebody who took it over.
    let root = c.client().get("/root/1").body;
    world.nodes[2].kill();
    let mut files: std::collections::BTreeMap<_, _> = [("/root/1".to_owned(), root)].into();
    files.insert("/root/2".to_owned(), forged.pop().expect("one"));
    files.insert("/.well-known/concord/root".to_owned(), vec![b'x'; 60_000]);
    files.insert("/heads".to_owned(), b"concord.heads/v1\nlog nonsense\n".to_vec());
    let impostor = Impostor::serving(world.nodes[2].port, files);
    let [a, b, _] = &world.nodes[..] else { unreachable!("three") };
    until("the impostor is asked", || (impostor.asked() > 1).then_some(()));
    exchange_goes_on(a, b, "beside the impostor");
    assert_eq!(b.ask(&["peer", "list"]).expect("peer list"), before, "nobody's root was replaced");
}

#[test]
fn a_peer_that_never_answers_and_one_that_never_ends_stall_nobody() {
    let mut world = World::of_friends(&["a.example", "b.example", "c.example", "d.example"]);
    let first = world.nodes[0].say("while all are well");
    until("everybody has it", || world.nodes.iter().all(|node| node.knows(&first)).then_some(()));
    for silent in [2, 3] {
        world.nodes[silent].kill();
    }
    let mute = Impostor::silent(world.nodes[2].port);
    let endless = Impostor::endless(world.nodes[3].port);
    let [a, b, ..] = &world.nodes[..] else { unreachable!("four") };
    until("both are asked", || (mute.asked() > 0 && endless.asked() > 0).then_some(()));
    let begun = Instant::now();
    for round in 0..3 {
        exchange_goes_on(a, b, &format!("there {round}"));
        exchange_goes_on(b, a, &format!("back {round}"));
        assert_eq!(a.client().get("/healthz").status, 200);
    }
    assert!(begun.elapsed() < PATIENCE, "six notices took {:?}", begun.elapsed());
    let peak = e2e::peak_memory(a.pid().expect("it serves"));
    assert!(peak < 400 << 20, "{} MiB", peak >> 20);
}
