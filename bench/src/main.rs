//! How fast the program and its crates are, each figure beside a peer's of the same run, printed as tables.
//!
//! It asserts no speed and is no test: a busy machine gives other numbers, and the table says what machine it
//! was. It does stop with an error if what was measured is not what should have happened.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};

mod append;
mod arrival;
mod authority;
mod delay;
mod import;
mod machine;
mod pages;
mod program;
mod replicate;
mod table;
mod tessera;

/// Why a measurement has no result.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Name {
    /// Durable appends to a log, beside fsync alone and Tessera
    Append,
    /// From a release to the peer that shows it
    Arrival,
    /// A log copied from node to node, beside hashing and verifying alone
    Replicate,
    /// Tables of figures read and checked
    Import,
    /// Pages at a constant rate of requests
    Pages,
    /// Size, start and idle memory of the program
    Program,
}

/// Measures one thing and prints a table.
#[derive(Debug, Parser)]
struct Cli {
    /// What is measured
    name: Name,
    /// As large as the aims say: minutes instead of seconds
    #[arg(long)]
    full: bool,
    /// replicate: so many records
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    records: Option<u64>,
    /// Where files are written while measuring; a new folder inside it is removed afterwards
    #[arg(long, default_value_os_t = std::env::temp_dir())]
    folder: PathBuf,
    /// The first port of 127.0.0.1 to listen on, of at most four
    #[arg(long, default_value_t = 8440)]
    port: u16,
}

/// What every measurement is given.
struct Setting {
    /// As large as the aims say.
    full: bool,
    /// Records to be replicated, if not as many as usual.
    records: Option<u64>,
    /// An empty folder.
    folder: PathBuf,
    /// The first port.
    port: u16,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("bench: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(measure(&cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn measure(cli: &Cli) -> Result<(), Failure> {
    std::fs::create_dir_all(&cli.folder)?;
    let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(&cli.folder)?;
    let setting = Setting {
        full: cli.full,
        records: cli.records,
        folder: folder.path().canonicalize()?,
        port: cli.port,
    };
    println!("{}\n", machine::described());
    match cli.name {
        Name::Append => Box::pin(append::measure(&setting)).await,
        Name::Arrival => arrival::measure(&setting).await,
        Name::Replicate => Box::pin(replicate::measure(&setting)).await,
        Name::Import => import::measure(&setting).await,
        Name::Pages => pages::measure(&setting).await,
        Name::Program => program::measure(&setting).await,
    }
}
