//! The command line: what can be asked, how answers are printed, how failures end.
//!
//! Results go to standard output, talk to standard error. Exit codes: 0 done, 1 refused or failed, 2 wrong usage.

mod demo;
mod doctor;
mod init;
mod restore;
mod root_keys;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};

use crate::command::Command;
use crate::config::Config;
use crate::node::Node;
use crate::operate::{self, Outcome};
use crate::{control, serve};

/// The node that a health authority runs to work with other authorities in an epidemic.
///
/// An authority shares signed records in verifiable logs; its peers copy and verify them; anybody can check
/// them offline. Start with `concord init`, then `concord serve`; `concord demo` shows four authorities at work.
#[derive(Debug, Parser)]
#[command(name = "concord", version, max_term_width = 100)]
pub struct Cli {
    /// The data folder
    #[arg(long, global = true, env = "CONCORD_DATA", default_value = ".")]
    data: PathBuf,
    /// Print results as JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Top,
}

#[derive(Debug, Subcommand)]
#[allow(clippy::large_enum_variant)] // Parsed once.
enum Top {
    /// Make a new authority: keys, first trust root, configuration
    Init(init::InitArgs),
    /// Run the node: exchange, pages, API
    Serve,
    /// Show four authorities at work on this machine: an exercise that replays 2020
    Demo(demo::DemoArgs),
    /// Check an evidence file offline
    Verify(verify::VerifyArgs),
    /// Is this machine fit: clock, disk, ports, peers
    Doctor,
    /// Make a node from a backup
    Restore(restore::RestoreArgs),
    #[command(flatten)]
    Node(Command),
}

pub use verify::verify as verify_evidence;

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    start_logging();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("concord: {error}");
            return ExitCode::FAILURE;
        }
    };
    let json = cli.json;
    match runtime.block_on(run(cli)) {
        Ok(Some(outcome)) => {
            print(&outcome, json);
            if outcome.refused { ExitCode::FAILURE } else { ExitCode::SUCCESS }
        }
        Ok(None) => ExitCode::SUCCESS,
        Err(error) => {
            if json {
                println!("{}", serde_json::json!({ "error": error.to_string() }));
            }
            eprintln!("concord: {error}");
            ExitCode::FAILURE
        }
    }
}

fn print(outcome: &Outcome, json: bool) {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    let written =
        if json { writeln!(out, "{:#}", outcome.json) } else { writeln!(out, "{}", outcome.text.trim_end()) };
    // Whoever reads may have read enough (`| head`).
    if let Err(error) = written
        && error.kind() != std::io::ErrorKind::BrokenPipe
    {
        eprintln!("concord: standard output: {error}");
    }
}

type Failure = Box<dyn std::error::Error>;

async fn run(cli: Cli) -> Result<Option<Outcome>, Failure> {
    match cli.command {
        Top::Init(args) => init::run(args, &cli.data).await.map(Some),
        Top::Serve => {
            let config = Config::load(&cli.data)?;
            serve::serve(config, serve::stop_on_signal()).await?;
            Ok(None)
        }
        Top::Demo(args) => demo::run(args).await,
        Top::Verify(args) => verify::run(&args).map(Some),
        Top::Doctor => doctor::run(&cli.data).await.map(Some),
        Top::Restore(args) => restore::run(&args, &cli.data).map(Some),
        Top::Node(command) => match root_keys::run(command)? {
            Ok(outcome) => Ok(Some(outcome)),
            Err(command) => on_node(&cli.data, command).await.map(Some),
        },
    }
}

/// Through the server that has the folder, or by opening it.
async fn on_node(data: &std::path::Path, command: Command) -> Result<Outcome, Failure> {
    let config = Config::load(data)?;
    let command = command.seen_from(&std::env::current_dir()?);
    if let Some(answer) = control::send(&config.socket_path(), &command).await? {
        return answer.outcome.ok_or_else(|| answer.error.unwrap_or_default().into());
    }
    let node = Arc::new(Node::open(config).await?);
    let outcome = operate::run(&node, command).await;
    node.close().await;
    Ok(outcome?)
}

/// Talk goes to standard error: as text, or as JSON with `CONCORD_LOG_FORMAT=json`. `CONCORD_LOG` filters.
fn start_logging() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("CONCORD_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info,sqlx=warn"));
    let builder = tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(filter);
    if std::env::var("CONCORD_LOG_FORMAT").is_ok_and(|f| f == "json") {
        builder.json().init();
    } else {
        builder.with_target(false).init();
    }
}
