//! Runs seeds, on as many threads as there are processors, and tells of the first one that fails.

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

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
    /// How many seeds at a time; as many as there are processors if not given.
    #[arg(long)]
    threads: Option<usize>,
    /// Go on after a seed that fails.
    #[arg(long)]
    all: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let (next, failed, done) = (AtomicU64::new(arguments.seed), AtomicBool::new(false), AtomicU64::new(0));
    let begun = Instant::now();
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..arguments.threads.unwrap_or(processors) {
            scope.spawn(|| {
                while !failed.load(Ordering::Relaxed) || arguments.all {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= arguments.seed + arguments.seeds {
                        return;
                    }
                    if !tell(seed, arguments.nodes) {
                        failed.store(true, Ordering::Relaxed);
                    }
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    let (done, seconds) = (done.into_inner(), begun.elapsed().as_secs_f64());
    println!(
        "{done} seeds in {seconds:.0} s, {:.2} seeds/s",
        f64::from(u32::try_from(done).unwrap_or(u32::MAX)) / seconds
    );
    if failed.into_inner() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Runs a seed and says what came of it; false if it failed.
fn tell(seed: u64, nodes: Option<u64>) -> bool {
    let nodes = nodes.and_then(|nodes| usize::try_from(nodes).ok());
    let begun = Instant::now();
    match run(Plan { seed, nodes }) {
        Ok(outcome) => {
            println!(
                "seed {seed}: {} nodes, {} records, {} alarms, agreed after {} s, took {} ms; {}",
                outcome.nodes,
                outcome.acknowledged,
                outcome.alarms,
                outcome.agreed_after / 1000,
                begun.elapsed().as_millis(),
                outcome.story.join(", ")
            );
            true
        }
        Err(failure) => {
            let trace = failure.trace.join("\n");
            let reasons = failure.reasons.join("\n  ");
            println!("{trace}\nseed {seed} FAILED; {}\n  {reasons}", failure.story.join(", "));
            false
        }
    }
}
