//! A clock that was set back, and one that is a year ahead: nothing is lost, nothing forks, and it is said.

use std::path::{Path, PathBuf};

use e2e::{Authority, World, path_in, until};

const DAY: i64 = 86_400;

/// A library that moves the clock of a program before which it is loaded.
const MOVED_CLOCK: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, now);
    const char *ahead = getenv("TEST_CLOCK_AHEAD");
    if (result == 0 && clock == CLOCK_REALTIME && ahead) now->tv_sec += atol(ahead);
    return result;
}
"#;

/// Builds the library with the machine's C compiler, which building the program needs too.
fn moved_clock(folder: &Path) -> PathBuf {
    let (source, library) = (folder.join("clock.c"), folder.join("clock.so"));
    std::fs::write(&source, MOVED_CLOCK).expect("written");
    let built = std::process::Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&library)
        .arg(&source)
        .arg("-ldl")
        .output()
        .expect("a C compiler (cc) is needed to move a program's clock");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    library
}

fn set_clock(node: &mut Authority, library: &Path, ahead: i64) {
    node.environment =
        vec![("LD_PRELOAD".to_owned(), path_in(library)), ("TEST_CLOCK_AHEAD".to_owned(), ahead.to_string())];
}

#[test]
fn a_wrong_clock_loses_nothing_and_forks_nothing() {
    let mut world = World::of_friends(&["a.example", "b.example"]);
    let library = moved_clock(&world.path(""));
    let mut said = vec![world.nodes[0].say("by the right clock")];
    for (ahead, what) in [
        (365 * DAY, "a year ahead"),
        (-DAY, "a day back"),
        (-400 * DAY, "set back a year"),
        (0, "right again"),
    ] {
        world.nodes[0].stop();
        set_clock(&mut world.nodes[0], &library, ahead);
        world.nodes[0].serve();
        let [a, b] = &world.nodes[..] else { unreachable!("two") };
        let name = until(&format!("{what}: it releases"), || {
            let released = a.release(&["--public"], what).ok()?;
            released["name"].as_str().map(str::to_owned)
        });
        let shown = a.ask(&["record", "show", &name]).expect("show");
        assert!(shown["valid"] == true, "{what}: {shown}");
        until(&format!("{what}: the peer has it"), || b.knows(&name).then_some(()));
        let theirs = b.say(&format!("to a clock {what}"));
        until(&format!("{what}: it has the peer's"), || a.knows(&theirs).then_some(()));
        said.push(name);
        if ahead != 0 {
            until(&format!("{what}: the peer's operator is told"), || {
                b.alarms().contains(&"alarm-clock-skew".to_owned()).then_some(())
            });
            let doctor = a.run(&["doctor"]);
            assert_eq!(doctor.status.code(), Some(1), "{what}: the doctor sees it");
            let text = String::from_utf8_lossy(&doctor.stdout).into_owned();
            assert!(text.contains("clock") && text.contains("FAIL"), "{what}: {text}");
        }
    }
    let [a, b] = &world.nodes[..] else { unreachable!("two") };
    for name in &said {
        assert!(a.knows(name) && b.knows(name), "{name} is lost");
    }
    for node in [a, b] {
        let alarms = node.alarms();
        assert!(alarms.iter().all(|code| code == "alarm-clock-skew"), "{}: {alarms:?}", node.name);
    }
    // One log all the time: a clock alone opens no other year's.
    let origins: std::collections::BTreeSet<String> = said
        .iter()
        .map(|name| a.ask(&["record", "show", name]).expect("show")["origin"].to_string())
        .collect();
    assert_eq!(origins.len(), 1, "{origins:?}");
}

/// The year in a log's name stays for ever: a clock that every peer contradicts gives none.
#[test]
fn a_first_log_is_not_opened_under_the_year_of_a_clock_that_every_peer_contradicts() {
    let mut world = World::of_friends(&["a.example", "b.example", "c.example"]);
    let library = moved_clock(&world.path(""));
    world.nodes[0].stop();
    set_clock(&mut world.nodes[0], &library, 400 * DAY);
    world.nodes[0].serve();
    let refused =
        world.nodes[0].release(&["--public"], "in another year").expect_err("the peer knows better");
    assert!(refused.contains("Set the clock"), "{refused}");
    let logs = world.nodes[0].ask(&["log", "list"]).expect("logs");
    let own = logs.as_array().expect("a list").iter().filter(|log| log["own"] == true).count();
    assert_eq!(own, 0, "{logs}");

    world.nodes[0].stop();
    set_clock(&mut world.nodes[0], &library, 0);
    world.nodes[0].serve();
    let name = world.nodes[0].say("with the right clock");
    until("the peer has it", || world.nodes[1].knows(&name).then_some(()));
}

/// Of two clocks nobody can say which one is wrong.
#[test]
fn one_peer_with_a_wrong_clock_keeps_nobody_from_opening_a_log() {
    let mut world = World::of_friends(&["a.example", "b.example"]);
    let library = moved_clock(&world.path(""));
    world.nodes[0].stop();
    set_clock(&mut world.nodes[0], &library, 400 * DAY);
    world.nodes[0].serve();
    let b = &world.nodes[1];
    until("the peer's clock is known", || b.alarms().contains(&"alarm-clock-skew".to_owned()).then_some(()));
    b.say("the first of all");
}
