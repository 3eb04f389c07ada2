//! Runs seeds and tells of the first one that fails.

use std::process::ExitCode;

use clap::Parser;
use sim::{Plan, run};

/// Many nodes, one seed, faults.
#[derive(Parser)]
struct Arguments {
    /// How many seeds.
    #[arg(long, default_value_t = 20)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many nodes, 2 to 50; drawn from the seed if not given.
    #[arg(long, value_parser = clap::value_parser!(u64).range(2..=50))]
    nodes: Option<u64>,
}

fn main() -> ExitCode {
    let Arguments { seeds, seed, nodes } = Arguments::parse();
    let nodes = nodes.and_then(|nodes| usize::try_from(nodes).ok());
    for seed in seed..seed + seeds {
        match run(Plan { seed, nodes }) {
            Ok(outcome) => println!(
                "seed {seed}: {} nodes, {} records, {} alarms, agreed after {} s; {}",
                outcome.nodes,
                outcome.acknowledged,
                outcome.alarms,
                outcome.agreed_after / 1000,
                outcome.story.join(", ")
            ),
            Err(failure) => {
                for line in &failure.trace {
                    println!("{line}");
                }
                println!("seed {seed} FAILED; {}", failure.story.join(", "));
                for reason in &failure.reasons {
                    println!("  {reason}");
                }
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}
