//! Carries out an operator's commands on an open node. What it answers is on disk.
//!
//! Each command gives one value, printed as JSON with `--json` and as text without.

mod again;
mod alarm;
pub mod backup;
mod bundle;
mod check;
mod figures;
mod key;
mod log;
mod mechanism;
mod peer;
mod record;
mod release;
mod root;
mod scenario;
mod session;
mod status;

use std::io::Read as _;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::command::{Command, LinkCommand};
use crate::fault::{Coded, Fault};
use crate::node::Node;
use crate::own_log::Audience;
use crate::release::{ActKey, Done};
use ::record::MechanismId;

pub use figures::{
    Listing, MAX_LISTED, Report, ReportRow, command_for, dry_run, release_figures, release_figures_as,
};
pub use release::{blob_parts, pair};

/// What a command did.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Outcome {
    /// For programs.
    pub json: Value,
    /// For people.
    pub text: String,
    /// Some of what was given was refused; the exit code says so too.
    #[serde(default)]
    pub refused: bool,
}

impl Outcome {
    /// A value and its text.
    pub fn new(json: impl Serialize, text: impl Into<String>) -> Self {
        Self { json: serde_json::to_value(json).unwrap_or(Value::Null), text: text.into(), refused: false }
    }

    /// The answer of an act.
    fn of(done: &Done) -> Self {
        let outcome: Self = serde_json::from_slice(&done.answer)
            .unwrap_or_else(|_| Self::new(&done.released, "done; its answer cannot be read"));
        if done.index_behind { outcome.behind() } else { outcome }
    }

    /// The same, where the index has it later: said in a field of each object.
    fn behind(mut self) -> Self {
        let objects = match &mut self.json {
            Value::Array(all) => all.iter_mut().collect(),
            one => vec![one],
        };
        for object in objects.into_iter().filter_map(Value::as_object_mut) {
            object.insert("index_behind".to_owned(), Value::Bool(true));
        }
        self.text.push_str(
            "\nreleased, and peers are told; the index is behind (see the alarms), so pages show it later",
        );
        self
    }

    /// The same, with an exit code that says that something was refused.
    #[must_use]
    pub fn refusing(mut self) -> Self {
        self.refused = true;
        self
    }
}

/// Why a command did nothing.
#[derive(Debug, thiserror::Error)]
pub enum OperateError {
    /// The argument cannot be.
    #[error("{0}")]
    Argument(Fault),
    /// There is no such thing.
    #[error("{0}")]
    NotFound(Fault),
    /// A file of the operator's.
    #[error("{path}: {why}")]
    File {
        /// The file.
        path: std::path::PathBuf,
        /// What the system said.
        why: String,
    },
    /// A table of figures, or the map of its headers, that cannot be read at all.
    #[error("{what}: {why}")]
    Table {
        /// The file or the flag.
        what: String,
        /// What is wrong, and what would be right.
        why: formats::figures::LayoutError,
    },
    /// The program ends before the command does.
    #[error("the program is stopping: run the command again")]
    Stopping,
    /// Peers.
    #[error(transparent)]
    Peer(#[from] crate::peers::PeerError),
    /// Requests.
    #[error(transparent)]
    Outbound(#[from] crate::outbound::OutboundError),
    /// Releases.
    #[error(transparent)]
    Release(#[from] crate::release::ReleaseError),
    /// The node.
    #[error(transparent)]
    Open(#[from] crate::node::OpenError),
    /// The index.
    #[error(transparent)]
    Index(#[from] crate::index::IndexError),
    /// Sessions.
    #[error(transparent)]
    Session(#[from] crate::session::SessionError),
    /// Erasure.
    #[error(transparent)]
    Erasure(#[from] crate::erasure::ErasureError),
    /// Bundles.
    #[error(transparent)]
    Bundle(#[from] crate::exchange::BundleError),
    /// Roots.
    #[error(transparent)]
    Root(#[from] ::record::RootError),
    /// What the layers below answer.
    #[error(transparent)]
    Underlying(crate::fault::Underlying),
}

crate::fault::stands_on_underlying!(OperateError);

impl Coded for OperateError {
    fn code(&self) -> &str {
        match self {
            Self::Argument(fault) | Self::NotFound(fault) => &fault.code,
            Self::File { .. } => "operate-file",
            Self::Table { why, .. } => why.code(),
            Self::Stopping => "operate-stopping",
            Self::Peer(error) => error.code(),
            Self::Outbound(error) => error.code(),
            Self::Release(error) => error.code(),
            Self::Erasure(error) => error.code(),
            Self::Open(error) => error.code(),
            Self::Index(error) => error.code(),
            Self::Session(error) => error.code(),
            Self::Bundle(error) => error.code(),
            Self::Root(error) => error.code(),
            Self::Underlying(error) => error.code(),
        }
    }

    fn arguments(&self) -> Vec<(&str, String)> {
        match self {
            Self::Table { what, why } => why.args().into_iter().chain([("at", what.clone())]).collect(),
            Self::Peer(error) => error.arguments(),
            Self::Outbound(error) => error.arguments(),
            Self::Release(error) => error.arguments(),
            Self::Erasure(error) => error.arguments(),
            Self::Open(error) => error.arguments(),
            Self::Index(error) => error.arguments(),
            Self::Session(error) => error.arguments(),
            Self::Bundle(error) => error.arguments(),
            Self::Root(error) => error.arguments(),
            Self::Underlying(error) => error.arguments(),
            Self::Argument(fault) | Self::NotFound(fault) => {
                fault.arguments.iter().map(|(name, value)| (name.as_str(), value.clone())).collect()
            }
            Self::File { path, why } => vec![("path", path.display().to_string()), ("reason", why.clone())],
            Self::Stopping => Vec::new(),
        }
    }
}

impl OperateError {
    /// A file that cannot be read or written.
    pub fn file(path: &std::path::Path, error: impl std::fmt::Display) -> Self {
        Self::File { path: path.to_path_buf(), why: error.to_string() }
    }

    /// An argument that cannot be, said by its own type; `place` is its flag.
    pub fn argument(place: &str, why: impl Into<Fault>) -> Self {
        Self::Argument(why.into().at(place))
    }

    /// A record that is not here.
    pub fn unknown_record(name: &tlog::Hash) -> Self {
        let message = format!("no record {name} is known here");
        Self::NotFound(Fault::new("record-unknown", message).with("name", name))
    }

    /// A key for a command whose answer is not kept.
    pub fn keeps_no_answer() -> Self {
        let message = "--act is for commands that release something; the answer of this one is not kept, and it can be repeated without";
        Self::Argument(Fault::new("act-keeps-no-answer", message))
    }

    /// A table that cannot be read.
    pub fn table(what: &str, why: formats::figures::LayoutError) -> Self {
        Self::Table { what: what.to_owned(), why }
    }
}

/// Carries out a command, whether or not its caller waits for the answer.
///
/// # Errors
/// Nothing was done, and why.
pub async fn run(node: &Arc<Node>, command: Command) -> Result<Outcome, OperateError> {
    run_as(node, command, None).await
}

/// The same, under a key of the caller's: repeated with it, a command that releases something answers what was done
/// the first time.
///
/// # Errors
/// Nothing was done, and why.
pub async fn run_as(node: &Arc<Node>, command: Command, key: Option<&str>) -> Result<Outcome, OperateError> {
    let key = match key {
        Some(_) if !command.keeps_answer() => return Err(OperateError::keeps_no_answer()),
        Some(name) => Some(key_of(name, &command)?),
        None => None,
    };
    let (node, under_way) = (node.clone(), node.releasing.begin());
    // A task of its own: a terminal or browser that goes away breaks nothing off.
    let task = tokio::spawn(async move {
        let _under_way = under_way;
        if let Some(answer) = node.done_before(key.as_ref()).await? {
            return Ok(Outcome::of(&answer));
        }
        carry_out(&node, command, key).await
    });
    joined(task.await)
}

/// The key of a command: for what is asked, and for the bytes of the files that it names, unless one cannot be read.
fn key_of(name: &str, command: &Command) -> Result<ActKey, OperateError> {
    let asked = serde_json::to_vec(command).unwrap_or_default();
    let files: Result<Vec<_>, _> = command.released_files().into_iter().map(digest_of).collect();
    Ok(ActKey::new(name, &asked, files.ok().map(|digests| digests.concat()).as_deref())?)
}

fn digest_of(path: &std::path::Path) -> std::io::Result<[u8; 32]> {
    let mut file = std::fs::File::open(path)?;
    let (mut digest, mut buffer) = (Sha256::new(), vec![0; 64 << 10]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(digest.finalize().into()),
            read => digest.update(&buffer[..read]),
        }
    }
}

/// What a task of ours answered; if it panicked, so does its caller.
fn joined<T>(ended: Result<Result<T, OperateError>, tokio::task::JoinError>) -> Result<T, OperateError> {
    match ended {
        Ok(result) => result,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(OperateError::Stopping),
    }
}

async fn carry_out(node: &Arc<Node>, command: Command, key: Option<ActKey>) -> Result<Outcome, OperateError> {
    if command.signs() {
        // A log signs only after those who may know more of it were asked.
        crate::exchange::run_here(node).await?;
    }
    match command {
        Command::Link(command) => new_link(node, command).await,
        Command::Session(command) => session::run(node, command).await,
        Command::Root(command) => root::run(node, command).await,
        Command::Key(command) => key::run(node, command).await,
        Command::Peer(command) => peer::run(node, command).await,
        Command::Mechanism(command) => mechanism::run(node, command, key).await,
        Command::Release(command) => release::run(node, command, key).await,
        Command::Import(crate::command::ImportCommand::Figures(command)) => {
            figures::run(node, command, key).await
        }
        Command::Record(command) => record::run(node, command, key).await,
        Command::Records(command) => record::list(node, command).await,
        Command::Scenario(command) => scenario::run(node, command).await,
        Command::Log(command) => log::run(node, command, key.as_ref()).await,
        Command::Bundle(command) => bundle::run(node, command).await,
        Command::Rebuild => status::rebuild(node).await,
        Command::Backup { folder } => backup::backup(node, &folder).await,
        Command::Alarm(command) => alarm::run(node, command).await,
        Command::Status => status::status(node).await,
    }
}

async fn new_link(node: &Arc<Node>, command: LinkCommand) -> Result<Outcome, OperateError> {
    let url = crate::desks::meetings::guest::new_link(node, command.bearer()).await?;
    Ok(Outcome::new(serde_json::json!({ "url": url }), url))
}

/// Who reads what is released: everybody, or those whom the charter in force of a mechanism names.
///
/// # Errors
/// What is no name of a mechanism; a mechanism without a charter in force here.
pub async fn audience(node: &Node, mechanism: Option<&str>) -> Result<Audience, OperateError> {
    match mechanism {
        Some(id) => mechanism::audience(node, &release::argument::<MechanismId>("--mechanism", id)?).await,
        None => Ok(Audience::Public),
    }
}

/// Reads a file of the operator's, up to `limit` bytes.
pub fn read_file(path: &std::path::Path, limit: u64) -> Result<Vec<u8>, OperateError> {
    let size = std::fs::metadata(path).map_err(|e| OperateError::file(path, e))?.len();
    if size > limit {
        return Err(OperateError::file(path, format!("{size} bytes; at most {limit} are read")));
    }
    std::fs::read(path).map_err(|e| OperateError::file(path, e))
}
