//! The exchange with other nodes: HTTP in, HTTP out, and the engine between them.
//!
//! What is fetched, believed, served and alarmed about is decided in the crate `federate`; here are the
//! sockets, the disk and the keys that it does without.

mod archive;
mod arriving;
mod bundle;
mod caller;
mod driver;
mod following;
mod lost;
mod requests;
mod serving;
mod shown;
mod space;
mod stores;
mod transport;
mod whole;

pub use arriving::Arriving;
pub use bundle::BundleError;
pub use caller::Callers;
pub use driver::{Inbox, Message};
pub use following::Following;
pub use serving::routes;
pub use shown::ShownHeads;
pub(crate) use transport::fetch;
pub use whole::Whole;
pub(crate) use whole::keys_of;

use std::collections::BTreeSet;
use std::sync::{Arc, RwLockReadGuard};

use federate::engine::{GuardStanding, OwnLog as EngineLog, PeerConfig};
use federate::{Engine, Input};
use record::{Authority, Readers};
use store::Standing as GuardState;
use tlog::checkpoint::SignedCheckpoint;

use crate::node::{Node, OpenError};
use crate::own_log::OwnLog;
use crate::peers::Standing;

/// Runs the engine in this process, if it does not run yet; [`Node::close`] ends it.
///
/// # Errors
/// State cannot be read.
pub async fn run_here(node: &Arc<Node>) -> Result<(), OpenError> {
    // Held until it runs: two who ask at once start one.
    let mut task = node.engine_task.lock().await;
    if node.inbox.get().is_none() {
        *task = Some(driver::run(node).await?);
    }
    Ok(())
}

impl Node {
    /// The engine, for questions.
    pub fn engine(&self) -> RwLockReadGuard<'_, Engine> {
        self.engine.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Tells the engine of a change, if the server runs; otherwise it learns of it at the next start.
    pub fn tell(&self, input: Input) {
        if let Some(inbox) = self.inbox.get() {
            inbox.send(Message::Input(input));
        }
    }

    /// Confirmed peers, as the engine wants them.
    pub fn peer_configs(&self) -> Vec<PeerConfig> {
        self.confirmed_peers()
            .into_iter()
            .map(|known| PeerConfig {
                authority: known.peer.authority.clone(),
                fingerprint: known.peer.fingerprint,
                reachable: known.address(&self.config).is_some()
                    || self.bundle_of(&known.peer.authority).is_some(),
                chain: known.chain,
            })
            .collect()
    }

    /// After a change of peers.
    pub fn tell_engine_of_peers(&self) {
        self.tell(Input::Peers(self.peer_configs()));
        self.tell(Input::Removed(self.removed_peers()));
    }

    /// Those with whom an operator ended the exchange.
    pub fn removed_peers(&self) -> BTreeSet<Authority> {
        let peers = self.peers();
        let removed = peers.iter().filter(|(_, known)| known.peer.standing == Standing::Removed);
        removed.map(|(authority, _)| authority.clone()).collect()
    }

    /// After an append, or at the start.
    pub async fn tell_engine_of_own_log(&self, log: &OwnLog, checkpoint: Option<SignedCheckpoint>) {
        match self.engine_log(log, checkpoint).await {
            Ok(log) => self.tell(Input::OwnLog(Box::new(log))),
            Err(error) => {
                tracing::error!(%error, origin = %log.origin, "the engine could not be told of an own log");
            }
        }
    }

    /// An own log as the engine wants it.
    pub async fn engine_log(
        &self,
        log: &OwnLog,
        checkpoint: Option<SignedCheckpoint>,
    ) -> Result<EngineLog, OpenError> {
        let policy = match log.policy_hash() {
            Some(hash) => self.files.get(&store::layout::blob(&hash)).await?,
            None => None,
        };
        let origin = log.origin.to_string();
        let head = checkpoint.as_ref().map(|c| c.checkpoint.size);
        let is_lost = head.is_none() && self.has_damaged_head(&log.origin).await?;
        let standing = match self.writer.guard().standing(&origin, head)? {
            GuardState::Fresh if is_lost => GuardStanding::Missing,
            _ if self.permits.is_damaged(&log.origin) => GuardStanding::Damaged,
            GuardState::Fresh => GuardStanding::New,
            GuardState::InStep => GuardStanding::InStep,
            GuardState::Missing => GuardStanding::Missing,
            GuardState::Ahead { signed, .. } => GuardStanding::Ahead { signed },
        };
        Ok(EngineLog {
            origin: log.origin.clone(),
            checkpoint,
            policy: policy.map(|b| b.to_vec()).unwrap_or_default(),
            readers: log.readers.clone().map_or(Readers::Public, Readers::Set),
            is_open: log.open,
            standing,
        })
    }
}
