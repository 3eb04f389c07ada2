//! An authority as its operator runs it: a data folder, the program as a process, commands over its socket.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use node::command::{Command, PeerAdd, PeerCommand};
use node::config::{Config, Exchange};
use node::init::{Init, init};
use node::operate::Outcome;
use record::Authority as Name;
use tokio::process::{Child, Command as Process};

use crate::machine::{self, Memory};
use crate::{Failure, Setting};

/// A process must answer within this time of its start.
const START: Duration = Duration::from_mins(1);
/// How often it is looked whether it does.
const LOOK: Duration = Duration::from_millis(5);

/// An authority; its process, while it serves, ends with it.
pub struct Authority {
    /// Its DNS name.
    pub name: Name,
    /// Its fingerprint.
    pub fingerprint: String,
    /// Its data folder.
    pub data: PathBuf,
    /// Where it listens.
    pub port: u16,
    child: Option<Child>,
}

impl Authority {
    /// Makes an authority that listens on a port and reaches others at the addresses given.
    pub async fn make(
        setting: &Setting,
        name: &str,
        port: u16,
        dial: &[(&str, u16)],
    ) -> Result<Self, Failure> {
        let dial = dial
            .iter()
            .map(|(other, port)| Ok((other.parse()?, format!("http://127.0.0.1:{port}"))))
            .collect::<Result<BTreeMap<Name, String>, record::EncodingError>>()?;
        let data = setting.folder.join(name);
        let wanted = Init {
            authority: name.parse()?,
            code: "XTS".to_owned(),
            names: BTreeMap::from([("en".to_owned(), format!("Ministry of Health ({name})"))]),
            root_keys: setting.folder.join(format!("{name}-root-keys")),
            listen: SocketAddr::from(([127, 0, 0, 1], port)),
            public_url: format!("http://127.0.0.1:{port}"),
            endpoint: format!("https://concord.{name}"),
            status: record::Status::Exercise,
            state: None,
            index: None,
            files: None,
            exchange: Exchange { replay: true, ..Exchange::default() },
            dial,
            data,
        };
        let made = init(&wanted, node::clock::now()).await?;
        Ok(Self {
            name: made.authority,
            fingerprint: made.fingerprint.to_string(),
            data: made.data,
            port,
            child: None,
        })
    }

    /// Its configuration.
    pub fn config(&self) -> Result<Config, Failure> {
        Ok(Config::load(&self.data)?)
    }

    /// Starts the process and waits until it answers; says how long that took.
    pub async fn serve(&mut self) -> Result<Duration, Failure> {
        let log = std::fs::File::create(self.log())?;
        let began = Instant::now();
        let child = Process::new(machine::concord()?)
            .arg("--data")
            .arg(&self.data)
            .arg("serve")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        let child = self.child.insert(child);
        let client = client()?;
        let health = format!("http://127.0.0.1:{}/healthz", self.port);
        while !client.get(&health).send().await.is_ok_and(|answer| answer.status().is_success()) {
            if child.try_wait()?.is_some() || began.elapsed() > START {
                let said = std::fs::read_to_string(self.log()).unwrap_or_default();
                return Err(format!("the node of {} does not answer:\n{said}", self.name).into());
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(began.elapsed())
    }

    /// Asks the process to end, and waits until it has.
    pub async fn stop(&mut self) -> Result<(), Failure> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(rustix::process::Pid::from_raw);
        rustix::process::kill_process(
            pid.ok_or("the process ended by itself")?,
            rustix::process::Signal::TERM,
        )?;
        let status = child.wait().await?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("the node of {} ended with {status}", self.name).into())
        }
    }

    fn log(&self) -> PathBuf {
        self.data.with_extension("log")
    }

    /// Sends a command, as an operator would.
    pub async fn ask(&self, command: &Command) -> Result<Outcome, Failure> {
        let answer = node::control::send(&self.data.join("control.sock"), command).await?;
        let answer = answer.ok_or_else(|| format!("the node of {} does not answer", self.name))?;
        answer.outcome.ok_or_else(|| answer.error.map(|fault| fault.message).unwrap_or_default().into())
    }

    /// Adds another authority by its fingerprint and confirms it.
    pub async fn confirm(&self, other: &Self) -> Result<(), Failure> {
        let (authority, fingerprint) = (other.name.clone(), other.fingerprint.clone());
        let add = PeerAdd {
            authority: authority.clone(),
            fingerprint: fingerprint.clone(),
            code: Some("XTS".to_owned()),
            name: Vec::new(),
            role: "ministry".to_owned(),
            endpoint: None,
            root: None,
        };
        self.ask(&Command::Peer(PeerCommand::Add(add))).await?;
        self.ask(&Command::Peer(PeerCommand::Confirm { authority, fingerprint })).await?;
        Ok(())
    }

    /// The address of a path on it.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The process's id.
    pub fn pid(&self) -> Result<u32, Failure> {
        self.child.as_ref().and_then(Child::id).ok_or_else(|| format!("{} does not serve", self.name).into())
    }

    /// The process's memory.
    pub fn memory(&self) -> Result<Memory, Failure> {
        Ok(machine::memory_of(self.pid()?).ok_or("the system does not say how much memory a process uses")?)
    }

    /// The processor time that the process has used.
    pub fn cpu(&self) -> Result<Duration, Failure> {
        Ok(machine::cpu_of(self.pid()?).ok_or("the system does not say how much time a process has used")?)
    }
}

/// A client that goes through no proxy.
pub fn client() -> Result<reqwest::Client, Failure> {
    let builder = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    Ok(builder.timeout(Duration::from_mins(1)).build()?)
}

/// The bytes of all files below a folder.
pub fn size_of(folder: &Path) -> Result<u64, Failure> {
    let mut total = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let found = entry.metadata()?;
        total += if found.is_dir() { size_of(&entry.path())? } else { found.len() };
    }
    Ok(total)
}
