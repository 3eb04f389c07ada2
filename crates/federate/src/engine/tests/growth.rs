//! What a record costs must not depend on how many there are. Work is counted in inputs that the engine took;
//! times are only printed: `GROWTH=100000 cargo test -p federate growth -- --nocapture` for larger ones.

use std::time::{Duration, Instant};

use super::machine::{Machine, Part};
use super::*;

struct Cost {
    steps: u64,
    time: Duration,
}

fn records() -> u64 {
    std::env::var("GROWTH").ok().and_then(|n| n.parse().ok()).unwrap_or(10_000)
}

/// So many records with a blob each, or without; blobs come only after all entries are here.
fn cost(count: u64, with_blobs: bool) -> Cost {
    let mut machine = Machine::new(vec![TestLog::opened(PUBLIC, &[])]);
    for n in 0..count {
        let part = Part::new(&n.to_be_bytes());
        machine.release(0, if with_blobs { std::slice::from_ref(&part) } else { &[] }, |_| ());
    }
    machine.gives_blobs = false;
    let (steps, began) = (machine.steps, Instant::now());
    machine.pass(2_000);
    assert_eq!(machine.state(0).0, count + 1);
    machine.gives_blobs = true;
    machine.pass(900_000);
    assert_eq!(machine.state(0), (count + 1, count + 1, 0));
    Cost { steps: machine.steps - steps, time: began.elapsed() }
}

fn compare(what: &str, with_blobs: bool) {
    let (few, many) = (cost(records() / 10, with_blobs), cost(records(), with_blobs));
    println!(
        "{what}: {} records in {} steps, {:?}; {} in {} steps, {:?}: {:.1} times the time",
        records() / 10,
        few.steps,
        few.time,
        records(),
        many.steps,
        many.time,
        many.time.as_secs_f64() / few.time.as_secs_f64(),
    );
    assert!(many.steps <= 11 * few.steps, "{} steps, then {}", few.steps, many.steps);
}

#[test]
fn ten_times_the_entries_take_ten_times_the_steps() {
    compare("entries", false);
}

#[test]
fn ten_times_the_blobs_take_ten_times_the_steps() {
    compare("blobs", true);
}
