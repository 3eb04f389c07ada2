//! What `state` holds of how far a log is was turned on this disk: nobody is accused, and the log goes on.

use std::path::Path;

use e2e::{Authority, World, until};

use crate::damage::{copied, copy_of, damaged, turn_a_bit};

const HEAD: &str = "alarm-head-damaged";

/// Turns another character into a file wherever this stands, so many bytes behind its end; how often.
fn spoil(path: &Path, what: &[u8], behind: usize) -> usize {
    let mut bytes = std::fs::read(path).expect("a file");
    let places: Vec<usize> =
        (0..bytes.len() - what.len()).filter(|at| bytes[*at..].starts_with(what)).collect();
    for place in &places {
        let character = &mut bytes[place + what.len() + behind];
        *character = if *character == b'Q' { b'R' } else { b'Q' };
    }
    std::fs::write(path, bytes).expect("written");
    places.len()
}

/// The root of a log's checkpoints, in `state`.
fn spoil_root(node: &Authority, origin: &str) {
    let begins = format!("{origin}\n");
    let size = "2\n".len();
    assert!(spoil(&node.data.join("state.db"), begins.as_bytes(), size) > 0, "there is no checkpoint");
}

fn settled(world: &World, origin: &str) {
    let b = &world.nodes[1].name;
    until("it is witnessed and held", || {
        let log = world.nodes[0].log(origin)?;
        (log["waits"] == false && log["witnessed"] == log["size"] && log["held"][b] == log["size"])
            .then_some(())
    });
}

/// The peer follows to a new record, and has nothing to say against it.
fn goes_on(world: &World) {
    until("it signs", || world.nodes[0].release(&["--public"], "it goes on").ok());
    let name = world.nodes[0].say("and on");
    until("the peer follows", || world.nodes[1].knows(&name).then_some(()));
}

#[test]
fn a_damaged_head_of_an_own_log_is_made_anew_and_accuses_nobody() {
    let (mut world, origin, _) = copied();
    settled(&world, &origin);
    world.nodes[0].stop();
    spoil_root(&world.nodes[0], &origin);
    world.nodes[0].serve();
    goes_on(&world);
    assert_eq!(world.nodes[0].alarms(), [HEAD.to_owned()]);
    assert_eq!(world.nodes[1].alarms(), Vec::<String>::new());
    assert_eq!(damaged(&world.nodes[0]), Vec::<String>::new());
}

#[test]
fn a_head_that_nothing_here_leads_to_is_fetched_back() {
    let (mut world, origin, _) = copied();
    settled(&world, &origin);
    world.nodes[0].stop();
    spoil_root(&world.nodes[0], &origin);
    let published = world.nodes[0].data.join("files").join(origin.split_once('/').expect("an origin").1);
    turn_a_bit(&published.join("checkpoint"));
    world.nodes[1].stop();
    world.nodes[0].serve();
    world.nodes[0].release(&["--public"], "too early").expect_err("it does not know how far it is");
    world.nodes[1].serve();
    goes_on(&world);
    assert_eq!(world.nodes[0].alarms(), [HEAD.to_owned()]);
    assert_eq!(world.nodes[1].alarms(), Vec::<String>::new());
    assert_eq!(damaged(&world.nodes[0]), Vec::<String>::new());
}

#[test]
fn what_is_kept_of_a_copy_is_made_anew_from_its_files() {
    let (mut world, origin, name) = copied();
    settled(&world, &origin);
    for node in [1, 0] {
        world.nodes[node].stop();
    }
    let state = world.nodes[1].data.join("state.db");
    assert!(spoil(&state, b"concord.follow/v2\n", 100) > 0);
    world.nodes[1].serve();
    assert_eq!(world.nodes[1].alarms(), [HEAD.to_owned()]);
    world.nodes[1].ask(&["rebuild"]).expect("with nobody to ask");
    assert!(world.nodes[1].knows(&name));
    assert_eq!(damaged(&world.nodes[1]), Vec::<String>::new());

    // With its files gone too, it is fetched back.
    world.nodes[1].stop();
    assert!(spoil(&state, b"concord.follow/v2\n", 100) > 0);
    std::fs::remove_dir_all(copy_of(&world.nodes[1], &origin)).expect("removed");
    world.nodes[1].serve();
    world.nodes[0].serve();
    goes_on(&world);
    until("it is held", || {
        let log = world.nodes[0].log(&origin)?;
        (log["held"][&world.nodes[1].name] == log["size"]).then_some(())
    });
    let mut alarms = world.nodes[1].alarms();
    alarms.sort();
    assert_eq!(alarms, [HEAD, "alarm-log-damaged"], "its archived checkpoints were gone too");
    assert_eq!(world.nodes[0].alarms(), Vec::<String>::new());
}

#[test]
fn damaged_cells_of_the_exchange_stop_nothing_but_what_they_must() {
    let (mut world, origin, _) = copied();
    settled(&world, &origin);
    world.nodes[1].stop();
    // In all that is kept of it: how far it is followed, the last receipt, and what was cosigned last.
    spoil_root(&world.nodes[1], &origin);
    world.nodes[1].serve();
    goes_on(&world);
    until("it is held", || {
        let log = world.nodes[0].log(&origin)?;
        (log["held"][&world.nodes[1].name] == log["size"]).then_some(())
    });
    let log = world.nodes[0].log(&origin).expect("the log");
    assert_eq!(log["witnessed"], 2, "it would not know a second view");
    let mut alarms = world.nodes[1].alarms();
    alarms.sort();
    assert_eq!(alarms, [HEAD, "alarm-state-damaged", "alarm-state-damaged"]);
    assert_eq!(world.nodes[0].alarms(), Vec::<String>::new());
}
