//! Several servers of one authority on one `PostgreSQL`: one leads, the others stand by and pass on what they
//! are asked. A node whose state is a file of its own leads from the start.
//!
//! Only the leader changes `state`: every change of it demands the term that the leader began with, so one that was
//! overtaken commits nothing more, and ends. What the leader does is not decided here.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use record::Origin;
use store::lease::{Holder, Lease, LeaseError};
use store::{Cells, GuardError};

use crate::clock;
use crate::config::Config;
use crate::node::{Node, OpenError};

/// How long a leader that does not say that it lives keeps the lead, in seconds.
const LEASE_SECONDS: u64 = 10;
/// How often it says so.
const RENEW: Duration = Duration::from_secs(3);
/// How long a server that begins to lead waits for its index, before it answers: what is not there then comes while it runs.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// How often a server that stands by looks whether the lead is free.
const WATCH: Duration = Duration::from_millis(500);
/// The file in the data folder that tells this server from the others of the authority.
const SERVER_FILE: &str = "server";

/// What a server does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It finds out.
    Starting,
    /// It leads.
    Leads,
    /// Another one leads.
    StandsBy {
        /// The leader's address for other servers.
        leader: String,
    },
}

/// What came of taking the lead.
#[derive(Debug)]
pub enum Lead {
    /// This server leads.
    Ours,
    /// Another one does.
    Other(Holder),
}

/// The lease of a node whose state is in a shared database.
pub fn lease(config: &Config, cells: &Arc<dyn Cells>) -> Result<Option<Lease>, OpenError> {
    if config.storage.state.starts_with("sqlite:") {
        return Ok(None);
    }
    let server = format!("{}@{}", server_name(&config.folder)?, config.address_for_servers());
    Ok(Some(Lease::new(Arc::clone(cells), &server, LEASE_SECONDS)))
}

/// Where the holder of the lead is reached by other servers.
pub fn address_of(holder: &Holder) -> &str {
    holder.server.split_once('@').map_or("", |(_, address)| address)
}

/// The clock of the lease.
pub(crate) fn now() -> u64 {
    u64::try_from(clock::seconds()).unwrap_or(0)
}

pub(crate) fn random() -> Result<u128, crate::identity::IdentityError> {
    Ok(u128::from_le_bytes(crate::identity::random()?))
}

/// A random name, made at the first start: two data folders have different ones, unless somebody copies the file.
fn server_name(folder: &Path) -> Result<String, OpenError> {
    let path = folder.join(SERVER_FILE);
    let failed = |why| OpenError::ServerName { path: path.clone(), why };
    match std::fs::File::open(&path) {
        Ok(file) => {
            let mut name = String::new();
            file.take(64).read_to_string(&mut name).map_err(failed)?;
            let name = name.trim().to_owned();
            let is_name = name.len() == 32 && name.bytes().all(|b| b.is_ascii_hexdigit());
            let wrong = || failed(std::io::Error::other("it holds no name of a server: remove it"));
            if is_name { Ok(name) } else { Err(wrong()) }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let name = format!("{:032x}", random()?);
            std::fs::write(&path, format!("{name}\n")).map_err(failed)?;
            Ok(name)
        }
        Err(error) => Err(failed(error)),
    }
}

/// Waits until this server leads; `stop` ends the wait. Meanwhile the guard learns what it sees signed.
///
/// # Errors
/// State cannot be read, or the lead was taken and what it needs is not there.
pub async fn stand_by(node: &Node, mut stop: tokio::sync::watch::Receiver<bool>) -> Result<(), OpenError> {
    let mut watch = Watch::new(node).await?;
    loop {
        let Lead::Other(holder) = node.take_lead(Some(PATIENCE)).await? else {
            tracing::info!("this server leads");
            return Ok(());
        };
        let leader = address_of(&holder).to_owned();
        let standing = Standing::StandsBy { leader };
        if *node.standing.borrow() != standing {
            tracing::info!(?standing, "another server of this authority leads");
            node.standing.send_replace(standing);
        }
        watch.look(node).await?;
        tokio::select! {
            () = tokio::time::sleep(WATCH) => {}
            _ = stop.wait_for(|stop| *stop) => return Ok(()),
        }
    }
}

/// Says again and again that this server leads; returns when it does not any more.
pub async fn keep_lead(node: &Node) -> LeaseError {
    let Some(lease) = &node.lease else { return std::future::pending().await };
    loop {
        tokio::time::sleep(RENEW).await;
        match lease.acquire(now(), 0).await {
            Ok(_) => {}
            Err(error @ (LeaseError::Lost | LeaseError::Form { .. })) => return error,
            // The database is away. Nothing can be changed meanwhile, by anybody.
            Err(error @ LeaseError::Cells(_)) => tracing::error!(%error, "the lead could not be extended"),
        }
    }
}

/// What a server that stands by sees its leader sign. A log that grows while somebody leads is no old state:
/// the guard takes note, so that this server need not ask about it when it leads itself.
struct Watch {
    sizes: BTreeMap<Origin, u64>,
}

impl Watch {
    async fn new(node: &Node) -> Result<Self, OpenError> {
        Ok(Self { sizes: sizes(node).await? })
    }

    async fn look(&mut self, node: &Node) -> Result<(), OpenError> {
        let now = sizes(node).await?;
        for (origin, size) in &now {
            if self.sizes.get(origin) != Some(size) {
                match node.writer.guard().raise(&origin.to_string(), *size).await {
                    // It is asked about when this server leads, like one that is missing.
                    Err(error @ GuardError::Damaged { .. }) => {
                        tracing::error!(%error, %origin, "a guard is no help");
                    }
                    raised => raised?,
                }
            }
        }
        self.sizes = now;
        Ok(())
    }
}

async fn sizes(node: &Node) -> Result<BTreeMap<Origin, u64>, OpenError> {
    let heads = node.own_heads().await?;
    Ok(heads.into_iter().map(|(origin, head)| (origin, head.checkpoint.size)).collect())
}
