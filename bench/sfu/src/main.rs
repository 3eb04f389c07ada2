//! Clients of a conference engine, without screens, cameras or decoders, many in one process.
//!
//! They measure what the engine costs beside its peers (Janus, `LiveKit`), watch every packet that it forwards for faults, or play
//! the crowd in a room that somebody looks at. Speed is printed, never asserted; faults are an error in `--check`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod client;
mod compare;
mod cores;
mod crowd;
mod inbound;
mod janus;
mod leg;
mod livekit;
#[allow(dead_code)] // Shared with the other benches, which use all of it.
#[path = "../../src/machine.rs"]
mod machine;
mod mark;
mod outbound;
mod recorded;
mod scene;
mod server;
mod soak;
#[allow(dead_code)] // As above.
#[path = "../../src/table.rs"]
mod table;
mod tally;
mod wire;

/// Why there is no result.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Clients of a conference engine, without screens.
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Fill a room with named participants whose pictures and tones a browser can show and play
    Crowd(crowd::Crowd),
    /// Measure scenarios on each server that is there, and print one table
    Compare(compare::Compare),
    /// Let people come and go, and watch the server's memory
    Soak(soak::Soak),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("sfu-bench: {error}");
            return ExitCode::FAILURE;
        }
    };
    let done = runtime.block_on(async {
        match cli.command {
            Command::Crowd(crowd) => crowd::play(crowd).await,
            Command::Soak(options) => soak::soak(options).await,
            Command::Compare(options) => compare::compare(options).await,
        }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sfu-bench: {error}");
            ExitCode::FAILURE
        }
    }
}
