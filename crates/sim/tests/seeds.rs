//! A fixed set of seeds. `cargo run -p sim -- --seeds 1000` runs as many as one likes.

use sim::{Plan, run};

fn holds(seeds: std::ops::Range<u64>, nodes: Option<usize>) {
    for seed in seeds {
        if let Err(failure) = run(Plan { seed, nodes }) {
            for line in &failure.trace {
                println!("{line}");
            }
            panic!("seed {seed} ({nodes:?} nodes) failed; {:?}: {:#?}", failure.story, failure.reasons);
        }
    }
}

#[test]
fn few_nodes_in_trouble() {
    holds(1..13, None);
}

#[test]
fn other_nodes_in_trouble() {
    // In some of these a key is revoked while its authority's machine is down, a sealed record is withdrawn in public,
    // and a sealed log is the first that moves to a root that revokes.
    holds(13..23, None);
    holds(60..61, None);
}

#[test]
fn many_nodes_in_trouble() {
    holds(101..102, Some(16));
}

#[test]
fn a_region_in_trouble() {
    holds(401..402, Some(50));
}
