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
    holds(1..10, None);
}

#[test]
fn what_an_index_once_got_wrong() {
    // A sealed record is withdrawn in public; a sealed log is the first that moves to a root that revokes; a later
    // witness file proves an earlier entry sooner. A key is revoked while its authority's machine is down in seed 2.
    // An author restored from a backup read proofs that it showed to nobody.
    for seed in [12, 21, 60, 162, 2604] {
        holds(seed..seed + 1, None);
    }
}

#[test]
fn many_nodes_in_trouble() {
    holds(101..102, Some(12));
}

#[test]
fn a_region_in_trouble() {
    holds(401..402, Some(20));
}
