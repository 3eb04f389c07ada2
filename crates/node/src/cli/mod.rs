//! The command line: what can be asked, how answers are printed, how failures end.
//!
//! Results go to standard output, talk to standard error. Exit codes: 0 done, 1 refused or failed, 2 wrong usage.
//! A failure is said in the language of `--lang`, or of the terminal; with `--json` it is also on standard output,
//! as code and arguments.

mod demo;
mod doctor;
mod epi;
mod init;
mod meet;
mod restore;
mod root_keys;
mod verify;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};
use record::Ulid;

use crate::command::{Command, teach};
use crate::config::Config;
use crate::fault::Fault;
use crate::i18n::{Lang, Locale};
use crate::node::Node;
use crate::operate::{self, Outcome};
use crate::{clock, control, identity, serve};

/// The node that a health authority runs to work with other authorities in an epidemic.
///
/// An authority shares signed records in verifiable logs; its peers copy and verify them; anybody can check
/// them offline. Start with `concord init`, then `concord serve`; `concord demo` shows four authorities at work.
#[derive(Debug, Parser)]
#[command(
    name = "concord",
    version,
    max_term_width = 100,
    after_help = teach!("--data /srv/concord init --help", "demo")
)]
pub struct Cli {
    /// The data folder
    #[arg(long, global = true, env = "CONCORD_DATA", default_value = ".")]
    data: PathBuf,
    /// Print results as JSON
    #[arg(long, global = true)]
    json: bool,
    /// The language of failures: ar, en, es, fr, ru or zh; the terminal's (LANG and its like) if not given
    #[arg(long, global = true, value_parser = language)]
    lang: Option<Lang>,
    /// A key of your own for a command that releases something: repeated with it within 30 days, the command says what
    /// was done the first time
    #[arg(long, global = true, value_name = "KEY")]
    act: Option<String>,
    #[command(subcommand)]
    command: Top,
}

fn language(text: &str) -> Result<Lang, String> {
    Lang::from_code(text).ok_or_else(|| "ar, en, es, fr, ru or zh".to_owned())
}

/// The language of the terminal, as POSIX has it: `zh_CN.UTF-8` is Chinese. English if it is none of the six.
fn language_of_terminal() -> Lang {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let value = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(set).unwrap_or_default();
    Lang::from_code(value.split(['_', '.', '@']).next().unwrap_or_default()).unwrap_or(Lang::En)
}

#[derive(Debug, Subcommand)]
#[allow(clippy::large_enum_variant)] // Parsed once.
enum Top {
    /// Make a new authority: keys, first trust root, configuration
    #[command(after_help = teach!("--data /srv/concord init --authority moh.chn.example --code CHN --name en=\"National Health Commission\" --root-keys /media/safe/root-keys --endpoint https://concord.moh.chn.example"))]
    Init(init::InitArgs),
    /// Run the node: exchange, pages, API
    #[command(after_help = teach!("--data /srv/concord serve"))]
    Serve,
    /// Show four authorities at work on this machine: an exercise that replays 2020
    #[command(after_help = teach!("demo", "demo --check --json"))]
    Demo(demo::DemoArgs),
    /// Check an evidence file offline
    #[command(after_help = teach!("verify notice.evidence --pin \"abcd efgh ...\""))]
    Verify(verify::VerifyArgs),
    /// Is this machine fit: clock, disk, ports, peers
    #[command(after_help = teach!("--data /srv/concord doctor"))]
    Doctor,
    /// Make a node from a backup
    #[command(after_help = teach!("--data /srv/concord restore /mnt/usb/concord-2026-11-22"))]
    Restore(restore::RestoreArgs),
    /// The conference engine, by itself: serve, tokens, figures, relay
    #[command(subcommand)]
    Meet(meet::MeetCommand),
    /// Epidemiology on tables of figures, without a node: reproduction numbers, growth, case fatality, nowcast, alarms, scenarios
    #[command(after_help = teach!("epi rt --input cases.csv --si si.csv --format json", "epi rt --help"))]
    Epi(epi::EpiArgs),
    #[command(flatten)]
    Node(Command),
}

/// Talks to standard error. Where that takes nothing, such as a file on a full disk, what is done does not depend on it.
macro_rules! say {
    ($($text:tt)+) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($text)+);
    }};
}

pub use verify::verify as verify_evidence;

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let json = cli.json;
    let locale = Locale::new(cli.lang.unwrap_or_else(language_of_terminal), jiff::tz::TimeZone::UTC);
    if let Top::Epi(args) = &cli.command {
        return epi::main(args, json, &locale);
    }
    start_logging();
    crate::identity::keep_private();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            say!("concord: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(cli, &locale)) {
        Ok(Some(outcome)) => {
            print(&outcome, json);
            if outcome.refused { ExitCode::FAILURE } else { ExitCode::SUCCESS }
        }
        Ok(None) => ExitCode::SUCCESS,
        Err(fault) => {
            if json {
                print(&Outcome::new(serde_json::json!({ "error": fault }), ""), true);
            }
            say!("concord: {}", fault.said_in(&locale));
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
        say!("concord: standard output: {error}");
    }
}

async fn run(cli: Cli, locale: &Locale) -> Result<Option<Outcome>, Fault> {
    if cli.act.is_some() && !matches!(&cli.command, Top::Node(command) if command.keeps_answer()) {
        return Err(operate::OperateError::keeps_no_answer().into());
    }
    match cli.command {
        Top::Init(args) => init::run(args, &cli.data).await.map(Some),
        Top::Serve => {
            let config = Config::load(&cli.data)?;
            serve::serve(config, serve::stop_on_signal()).await?;
            Ok(None)
        }
        Top::Demo(args) => demo::run(args).await,
        Top::Verify(args) => verify::run(&args).map(Some),
        Top::Doctor => Box::pin(doctor::run(&cli.data)).await.map(Some),
        Top::Restore(args) => restore::run(&args, &cli.data).await.map(Some),
        Top::Meet(command) => meet::run(command, cli.json).await,
        Top::Epi(_) => unreachable!("answered before anything was started"),
        Top::Node(command) => match root_keys::run(command)? {
            Ok(outcome) => Ok(Some(outcome)),
            Err(command) => Box::pin(on_node(&cli.data, command, cli.act, locale)).await.map(Some),
        },
    }
}

/// Through the server that has the folder, or by opening it.
async fn on_node(
    data: &Path,
    command: Command,
    key: Option<String>,
    locale: &Locale,
) -> Result<Outcome, Fault> {
    let config = Config::load(data)?;
    let here = std::env::current_dir().map_err(|why| operate::OperateError::file(".".as_ref(), why))?;
    let command = command.seen_from(&here);
    let key = match key {
        Some(key) => Some(key),
        None if command.keeps_answer() => Some(new_key()?),
        None => None,
    };
    if let Some(answer) = through_server(&config, &command, key.as_deref()).await? {
        let unsaid =
            || Fault::new("control-answer", "the server's answer cannot be read: is it another version?");
        return answer.outcome.ok_or_else(|| answer.error.unwrap_or_else(unsaid));
    }
    let (node, outcome) = Box::pin(alone(config, command, key.as_deref())).await?;
    let alone = if node.inbox.get().is_some() {
        Fault::new(
            "server-absent-asked",
            "no server runs on this data folder: peers were asked while this command ran, and hear of its result at the next `concord serve`",
        )
    } else {
        Fault::new(
            "server-absent",
            "no server runs on this data folder: no peer was asked or told anything; that happens at the next `concord serve`",
        )
    };
    say!("concord: {}", alone.said_in(locale));
    Ok(outcome)
}

/// Carries a command out on the folder itself. Before a rebuild, a damaged index is moved aside.
async fn alone(config: Config, command: Command, key: Option<&str>) -> Result<(Arc<Node>, Outcome), Fault> {
    let makes_anew = matches!(command, Command::Rebuild);
    let mut aside = None;
    loop {
        let fault = match Node::open(config.clone()).await {
            Ok(node) => {
                let node = Arc::new(node);
                let outcome = operate::run_as(&node, command.clone(), key).await;
                node.close().await;
                match outcome {
                    Ok(outcome) => return Ok((node, outcome)),
                    Err(error) => Fault::from(error),
                }
            }
            Err(error) => Fault::from(error),
        };
        let damaged =
            fault.arguments.get("path").filter(|_| makes_anew && fault.code == "db-damaged-derived");
        let Some(path) = damaged.filter(|path| aside.as_ref() != Some(*path)) else { return Err(fault) };
        put_aside(Path::new(path))?;
        aside = Some(path.clone());
    }
}

/// Moves the files of a database out of its way.
fn put_aside(path: &Path) -> Result<(), Fault> {
    let at = clock::seconds();
    for part in ["", "-wal", "-shm"] {
        let file = PathBuf::from(format!("{}{part}", path.display()));
        let aside = PathBuf::from(format!("{}.damaged-{at}{part}", path.display()));
        match std::fs::rename(&file, &aside) {
            Ok(()) if part.is_empty() => {
                say!("concord: {} is damaged; it lies in {} now", file.display(), aside.display());
            }
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(operate::OperateError::file(&file, error).into());
            }
            _ => {}
        }
    }
    Ok(())
}

/// The server's answer; who presses Ctrl-C meanwhile is told that it goes on.
async fn through_server(
    config: &Config,
    command: &Command,
    key: Option<&str>,
) -> Result<Option<control::Answer>, Fault> {
    let socket = config.socket_path();
    let answer = control::send_as(&socket, key, command);
    let Some(key) = key else { return answer.await };
    tokio::select! {
        answer = answer => answer,
        _ = tokio::signal::ctrl_c() => {
            let message = format!(
                "not waited for: the server goes on with it; repeat the command with --act {key}, and it says what was done"
            );
            Err(Fault::new("control-not-awaited", message).with("key", key))
        }
    }
}

/// A key for one command.
fn new_key() -> Result<String, Fault> {
    Ok(Ulid::new(clock::milliseconds(), identity::random()?).to_string())
}

/// Talk goes to standard error: as text, or as JSON with `CONCORD_LOG_FORMAT=json`. `CONCORD_LOG` filters.
fn start_logging() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("CONCORD_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info,sqlx=warn"));
    let builder = tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(filter);
    // Where the journal's disk is full, the complaint about a lost line could not be written either, and would panic.
    let builder = builder.log_internal_errors(false);
    if std::env::var("CONCORD_LOG_FORMAT").is_ok_and(|f| f == "json") {
        builder.json().init();
    } else {
        builder.with_target(false).init();
    }
}
