//! The four processes: made, started, asked, stopped.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command as Process};

use super::{Failure, PARTIES, Party};
use crate::command::Command;
use crate::config::{Config, Exchange, Meet};
use crate::init::{self, Init};
use crate::operate::Outcome;
use crate::{clock, control};

/// A node must answer within this time of its start.
const START: Duration = Duration::from_mins(1);
/// How often it is looked whether it does.
const LOOK: Duration = Duration::from_millis(50);

/// One of the four.
pub struct Running {
    /// Who it is.
    pub party: Party,
    /// Its data folder.
    pub data: PathBuf,
    port: u16,
    child: Child,
}

/// All four.
pub struct World {
    /// In the order of [`PARTIES`].
    pub nodes: Vec<Running>,
}

impl Running {
    /// Where browsers reach it. A host name of its own keeps its cookies apart from the others'.
    pub fn url(&self) -> String {
        format!("http://{}.localhost:{}", self.party.short, self.port)
    }

    /// Where programs reach it.
    pub fn local_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Sends a command, as an operator would.
    pub async fn ask(&self, command: &Command) -> Result<Outcome, Failure> {
        let answer = control::send(&self.data.join("control.sock"), command)
            .await?
            .ok_or_else(|| format!("the node of {} does not answer", self.party.authority))?;
        let why = || answer.error.map(|fault| fault.message).unwrap_or_default();
        answer.outcome.ok_or_else(|| format!("{}: {}", self.party.authority, why()).into())
    }
}

impl World {
    /// Makes what is not there yet and starts all four.
    pub async fn start(folder: &Path, port: u16, meet: &Meet) -> Result<Self, Failure> {
        std::fs::create_dir_all(folder)?;
        let folder = folder.canonicalize()?;
        let program = std::env::current_exe()?;
        let mut world = Self { nodes: Vec::new() };
        for (party, port) in PARTIES.into_iter().zip(port..) {
            let data = folder.join(party.short);
            if !data.join(crate::config::FILE_NAME).exists() {
                eprintln!("making {} in {}", party.authority, data.display());
                make(&folder, party, port, world_port(port, party)).await?;
            }
            configure_meetings(&data, meet)?;
            let log = std::fs::File::create(folder.join(format!("{}.log", party.short)))?;
            let child = Process::new(&program)
                .arg("--data")
                .arg(&data)
                .arg("serve")
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(log)
                .kill_on_drop(true)
                .spawn()?;
            world.nodes.push(Running { party, data, port, child });
        }
        for node in &mut world.nodes {
            wait_for(node, &folder).await?;
        }
        Ok(world)
    }

    /// The node of a party.
    pub fn node(&self, short: &str) -> Result<&Running, Failure> {
        self.nodes.iter().find(|n| n.party.short == short).ok_or_else(|| format!("no node {short}").into())
    }

    /// Resolves when a process ends by itself.
    pub async fn somebody_ended(&mut self) -> &'static str {
        loop {
            for node in &mut self.nodes {
                if !matches!(node.child.try_wait(), Ok(None)) {
                    return node.party.authority;
                }
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    /// Asks all to stop and waits for them.
    pub async fn stop(&mut self) {
        for node in &self.nodes {
            if let Some(pid) = node.child.id().and_then(|pid| i32::try_from(pid).ok())
                && let Some(pid) = rustix::process::Pid::from_raw(pid)
            {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
            }
        }
        for node in &mut self.nodes {
            let _ = tokio::time::timeout(START, node.child.wait()).await;
        }
    }
}

/// The first of the four ports, from a party's own.
fn world_port(port: u16, party: Party) -> u16 {
    let place = PARTIES.iter().position(|p| p.short == party.short).unwrap_or(0);
    port - u16::try_from(place).unwrap_or(0)
}

async fn make(folder: &Path, party: Party, port: u16, first: u16) -> Result<(), Failure> {
    let dial = PARTIES
        .into_iter()
        .zip(first..)
        .filter(|(other, _)| other.short != party.short)
        .map(|(other, port)| Ok((other.authority.parse()?, format!("http://127.0.0.1:{port}"))))
        .collect::<Result<_, record::EncodingError>>()?;
    let made = Init {
        authority: party.authority.parse()?,
        code: party.code.to_owned(),
        names: party.names.iter().map(|(l, n)| ((*l).to_owned(), (*n).to_owned())).collect(),
        data: folder.join(party.short),
        root_keys: folder.join(format!("{}-root-keys", party.short)),
        listen: std::net::SocketAddr::from(([127, 0, 0, 1], port)),
        public_url: format!("http://{}.localhost:{port}", party.short),
        endpoint: format!("https://concord.{}", party.authority),
        status: record::Status::Exercise,
        state: None,
        index: None,
        files: None,
        exchange: Exchange { replay: true, ..Exchange::default() },
        dial,
    };
    init::init(&made, clock::now()).await?;
    name_places(&made.data)
}

/// Writes into a node's configuration how the World Health Organization names countries, as an operator would.
fn name_places(data: &Path) -> Result<(), Failure> {
    let mut config = Config::load(data)?;
    config.places = toml::from_str(include_str!("../../../../demo/places.toml"))?;
    std::fs::write(data.join(crate::config::FILE_NAME), config.to_commented_toml())?;
    Ok(())
}

/// What carries meetings may be another at every start of the demonstration.
fn configure_meetings(data: &Path, meet: &Meet) -> Result<(), Failure> {
    let mut config = Config::load(data)?;
    // Each has a media port of its own, after the ports of all pages.
    let media = config.listen.port() + u16::try_from(PARTIES.len())?;
    config.meet = Meet { address: config.listen.ip(), udp_port: media, tcp_port: media, ..meet.clone() };
    std::fs::write(data.join(crate::config::FILE_NAME), config.to_commented_toml())?;
    Ok(())
}

async fn wait_for(node: &mut Running, folder: &Path) -> Result<(), Failure> {
    let deadline = tokio::time::Instant::now() + START;
    let socket = node.data.join("control.sock");
    loop {
        if tokio::net::UnixStream::connect(&socket).await.is_ok() {
            return Ok(());
        }
        let log = folder.join(format!("{}.log", node.party.short));
        if !matches!(node.child.try_wait(), Ok(None)) {
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            return Err(format!("the node of {} ended at its start:\n{said}", node.party.authority).into());
        }
        if tokio::time::Instant::now() > deadline {
            return Err(format!(
                "the node of {} does not answer; see {}",
                node.party.authority,
                log.display()
            )
            .into());
        }
        tokio::time::sleep(LOOK).await;
    }
}
