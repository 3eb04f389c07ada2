//! Something of a running node's own is taken away from under it, or another thing lies in its place: it is said what happened,
//! nothing is answered that is not kept, and what it says to do works.

use std::os::unix::fs::PermissionsExt as _;

use e2e::{World, path_in, until};

use crate::damage::{copied, damaged, turn_a_bit};

#[test]
fn nothing_is_answered_that_a_removed_state_would_not_keep() {
    let mut world = World::new(&["a.example"]);
    world.serve();
    let kept = world.nodes[0].say("kept");
    let state = world.nodes[0].data.join("state.db");
    std::fs::remove_file(&state).expect("removed");
    let refused = world.nodes[0].release(&["--public"], "lost").expect_err("it would be lost");
    assert!(refused.contains(&path_in(&state)) && refused.contains("concord backup"), "{refused}");
    let backup = world.path("backup");
    world.nodes[0].run(&["backup", &path_in(&backup)]);
    world.nodes[0].stop();
    for part in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{part}", state.display()));
    }
    std::fs::copy(backup.join("state.db"), &state).expect("what it said to do");
    world.nodes[0].serve();
    assert!(world.nodes[0].knows(&kept));
    world.nodes[0].say("and on");
}

#[test]
fn a_control_socket_that_is_removed_is_made_again() {
    let mut world = World::new(&["a.example"]);
    world.serve();
    let node = &world.nodes[0];
    let socket = node.data.join("control.sock");
    std::fs::remove_file(&socket).expect("removed");
    until("it is there again", || socket.exists().then_some(()));
    until("commands reach it", || node.ask(&["status"]).ok());
    assert_eq!(std::fs::metadata(&socket).expect("there").permissions().mode() & 0o777, 0o600);
    world.nodes[0].stop();
    assert!(!socket.exists());
}

#[test]
fn what_an_offline_check_found_is_not_signed_over_by_the_next_command() {
    let (mut world, origin, _) = copied();
    // More than one bundle: a start looks at the last one alone. Each day is a record.
    let mut table = String::from("#date,#country+code,#affected+infected+confirmed+cumulative\n");
    for (month, day) in (1..=10).flat_map(|month| (1..=28).map(move |day| (month, day))) {
        table.push_str(&format!("2020-{month:02}-{day:02},KOR,{}\n", month * 28 + day));
    }
    let file = world.path("table.csv");
    std::fs::write(&file, table).expect("a table");
    world.nodes[0].ask(&["import", "figures", &path_in(&file)]).expect("import");
    for node in [0, 1] {
        world.nodes[node].stop();
    }
    let files = world.nodes[0].data.join("files").join(origin.split_once('/').expect("an origin").1);
    let tile = files.join("tile/0/000");
    assert_eq!(std::fs::metadata(&tile).expect("a tile").len(), 256 * 32, "it is full");
    let right = turn_a_bit(&tile);
    assert_eq!(damaged(&world.nodes[0]), [path_in(&tile)]);
    world.nodes[0].release(&["--public"], "over it").expect_err("it is damaged");
    let doctor = world.nodes[0].run(&["doctor"]);
    assert!(String::from_utf8_lossy(&doctor.stdout).contains("FAIL own logs and files"));
    std::fs::write(&tile, right).expect("put back");
    world.nodes[0].ask(&["log", "check"]).expect("all is whole");
    world.nodes[0].release(&["--public"], "it goes on").expect("release");
}

#[test]
fn other_things_in_the_places_of_guard_and_lock_are_named_with_what_to_do() {
    let (mut world, origin, _) = copied();
    world.nodes[0].stop();
    let guards: Vec<_> = std::fs::read_dir(world.nodes[0].data.join("guard"))
        .expect("a guard")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    for guard in &guards {
        std::fs::remove_file(guard).expect("removed");
        std::fs::create_dir(guard).expect("a folder in its place");
    }
    let doctor = String::from_utf8_lossy(&world.nodes[0].run(&["doctor"]).stdout).into_owned();
    assert!(doctor.contains(&format!("FAIL guard of {origin}")) && doctor.contains("log resume"), "{doctor}");
    world.nodes[0].serve();
    until("its witness answered", || world.nodes[0].log(&origin).filter(|log| log["waits"] == false));
    assert!(guards.iter().all(|guard| guard.is_file()), "they are written anew");
    world.nodes[0].say("it goes on");
    assert_eq!(world.nodes[1].alarms(), Vec::<String>::new());

    world.nodes[0].stop();
    let lock = world.nodes[0].data.join("lock");
    std::fs::remove_file(&lock).expect("removed");
    std::fs::create_dir(&lock).expect("a folder in its place");
    let (_, said) = world.nodes[0].fails_to_serve();
    assert!(said.contains(&path_in(&lock)) && said.contains("move it away"), "{said}");
    std::fs::remove_dir(&lock).expect("what it said to do");
    world.nodes[0].serve();
}

#[test]
fn the_folder_of_what_arrives_is_its_owners_alone() {
    let mut world = World::new(&["a.example"]);
    world.serve();
    let folder = world.nodes[0].data.join("arriving");
    until("it is made", || folder.exists().then_some(()));
    assert_eq!(std::fs::metadata(&folder).expect("there").permissions().mode() & 0o777, 0o700);
}
