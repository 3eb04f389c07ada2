//! How far logs are, as `state` has it, looked at when the node opens: what the disk made of it must not be taken for a second
//! view that somebody signed.
//!
//! A head, or the state of a copy, that does not verify is made anew from the files of its log, each of which its signed root
//! vouches for; where they do not lead to one, it is fetched back. Nothing is signed anew here.

use std::collections::BTreeMap;

use federate::engine::{FOLLOW, HELD, WITNESS};
use federate::follow::{Aim, Follow, Pace, Step};
use federate::serve::Cut;
use federate::split::verify_by_one;
use federate::{LogFile, Snapshot};
use record::root::Role;
use record::{Authority, Origin, RootChain};
use store::log::HEAD;
use store::{Cells, Files, Swap};
use tlog::{SignedCheckpoint, VerifierKey, verify_cosignature};

use crate::alarm::{self, Alarm};
use crate::exchange::keys_of;
use crate::node::{Node, OpenError};

/// Cells read at once.
pub(crate) const PAGE: usize = 1024;
/// What is on this disk is read as it would be from a peer.
const PACE: Pace = Pace { in_flight: 64, batch_bundles: 16, ahead_bytes: 64 << 20, may_be_large: true };
/// In the place of a head that does not verify and cannot be made anew: it is no checkpoint, and nothing is appended to it.
const NO_HEAD: &[u8] = b"damaged";

/// A cell that was damaged, as it is put right: with another value, without one, or, where its loss must not be forgotten, not
/// at all.
pub(crate) struct Righted {
    space: String,
    key: String,
    change: Option<Swap>,
}

/// Every chain of roots that is known here.
pub(crate) type Chains = BTreeMap<Authority, RootChain>;

/// Looks through what is kept of logs; what is damaged is taken out of it, or made anew.
async fn look_through(
    snapshot: Snapshot,
    files: &dyn Files,
    me: &Authority,
    chains: &Chains,
) -> (Snapshot, Vec<Righted>) {
    let (mut kept, mut righted) = (Snapshot::default(), Vec::new());
    for (space, key, value) in snapshot.cells {
        if is_whole(&space, &key, &value, me, chains) {
            kept.cells.push((space, key, value));
            continue;
        }
        tracing::error!(space, key, "a cell of state is damaged");
        let (new, change) = match space.as_str() {
            // The engine must know that it does not know.
            WITNESS => (Some(Vec::new()), None),
            FOLLOW => {
                let new = follow_from_disk(&key, files, chains).await.map(|follow| follow.to_bytes());
                (new.clone(), Some(Swap::new(FOLLOW, &key, Some(value), new)))
            }
            _ => (None, Some(Swap::new(HELD, &key, Some(value), None))),
        };
        kept.cells.extend(new.map(|new| (space.clone(), key.clone(), new)));
        righted.push(Righted { space, key, change });
    }
    (kept, righted)
}

fn is_whole(space: &str, key: &str, value: &[u8], me: &Authority, chains: &Chains) -> bool {
    if ![FOLLOW, HELD, WITNESS].contains(&space) {
        return true;
    }
    let Ok(origin) = key.parse::<Origin>() else { return false };
    // Without its author's roots nobody can say.
    let Some(keys) = chains.get(&origin.authority).map(|chain| log_keys(chain, &origin)) else { return true };
    let is_signed =
        |kept: &SignedCheckpoint| kept.checkpoint.origin == key && verify_by_one(kept, &keys).is_ok();
    if space == FOLLOW {
        return Follow::from_bytes(value).is_some_and(|follow| {
            let vouched = follow.basis().into_iter().chain(follow.verified());
            *follow.state().origin() == origin && vouched.into_iter().all(is_signed)
        });
    }
    let Some(kept) = SignedCheckpoint::parse(value).ok().filter(is_signed) else { return false };
    let holds = chains.get(me).map(|chain| keys_of(chain, Role::Holds)).unwrap_or_default();
    space == WITNESS
        || kept.note.signatures.iter().any(|line| {
            let text = &kept.note.text;
            holds.iter().any(|key| line.is_by(key) && verify_cosignature(text, line, key).is_ok())
        })
}

/// How far a copied log is by its own files: read and judged like those of a peer, up to the checkpoint that lies beside them.
async fn follow_from_disk(key: &str, files: &dyn Files, chains: &Chains) -> Option<Follow> {
    let origin: Origin = key.parse().ok()?;
    let chain = chains.get(&origin.authority)?;
    let prefix = federate::places::mirror(&origin);
    let bytes = files.get(&federate::places::file(&prefix, &LogFile::Checkpoint)).await.ok()??;
    let checkpoint = signed_of(&bytes, &origin, chain)?;
    let mut follow = Follow::new(origin);
    if follow.aim(&checkpoint, PACE) != Aim::Begun {
        return None;
    }
    loop {
        let wanted = follow.wanted(PACE);
        for wanted in &wanted {
            let stored = files.get(&federate::places::file(&prefix, &wanted.file)).await.ok()??;
            follow.supply(&wanted.file, Cut::of(&wanted.file).apply(&stored)?.to_vec());
        }
        match follow.advance(chain, PACE) {
            Step::Entries(_) if follow.target().is_none() => return Some(follow),
            Step::Entries(_) => {}
            Step::Idle if !wanted.is_empty() => {}
            Step::Idle | Step::NeedsRoot(_) | Step::Fault(_) | Step::Split(_) => return None,
        }
    }
}

/// A checkpoint of a log with its own lines alone, if one of the author's log keys signed it.
fn signed_of(bytes: &[u8], origin: &Origin, chain: &RootChain) -> Option<SignedCheckpoint> {
    let mut signed = SignedCheckpoint::parse(bytes).ok()?;
    let keys = log_keys(chain, origin);
    signed.note.signatures.retain(|line| keys.iter().any(|key| line.is_by(key)));
    let is_its = signed.checkpoint.origin == origin.to_string() && verify_by_one(&signed, &keys).is_ok();
    is_its.then_some(signed)
}

/// Every log key that a chain ever listed, as it signs a log.
fn log_keys(chain: &RootChain, origin: &Origin) -> Vec<VerifierKey> {
    let keys = keys_of(chain, Role::Log);
    keys.iter().filter_map(|key| key.with_name(&origin.to_string()).ok()).collect()
}

pub(crate) fn chains_of(peers: &BTreeMap<Authority, crate::peers::Known>) -> Chains {
    peers.iter().map(|(authority, known)| (authority.clone(), known.chain.clone())).collect()
}

/// The engine, from what it persisted; what of that was damaged, and what cannot be read.
pub(crate) async fn open_engine(
    cells: &dyn Cells,
    files: &dyn Files,
    config: &crate::config::Config,
    chains: &Chains,
) -> Result<(federate::Engine, Vec<Righted>, Vec<federate::engine::SnapshotError>), OpenError> {
    let mut snapshot = federate::Snapshot::default();
    for space in federate::engine::SPACES {
        let mut after: Option<String> = None;
        loop {
            let page = cells.scan(space, "", after.as_deref(), PAGE).await?;
            after = page.last().map(|(key, _)| key.clone());
            let full = page.len() == PAGE;
            snapshot.cells.extend(page.into_iter().map(|(key, value)| (space.to_owned(), key, value)));
            if !full {
                break;
            }
        }
    }
    let seed = u64::from_le_bytes(crate::identity::random()?);
    let limits = federate::Limits { quota: config.exchange.peer_mib << 20, ..federate::Limits::default() };
    let (snapshot, righted) = look_through(snapshot, files, &config.authority, chains).await;
    let config = federate::EngineConfig { me: config.authority.clone(), seed, limits };
    let (engine, unread) = federate::Engine::mended(config, snapshot);
    Ok((engine, righted, unread))
}

impl Node {
    /// Makes durable what was put right, and says what was damaged.
    pub(crate) async fn keep_righted(&self, righted: Vec<Righted>) -> Result<(), OpenError> {
        for Righted { space, key, change } in righted {
            if let Some(change) = change {
                self.cells.swap_all(&[change]).await?;
            }
            let is_followed = space == FOLLOW;
            let alarm = if is_followed {
                Alarm::new("alarm-head-damaged").with("origin", &key)
            } else {
                Alarm::new("alarm-state-damaged").with("cell", &format!("{space}/{key}"))
            };
            alarm::raise(&*self.cells, alarm).await;
        }
        Ok(())
    }

    /// Cells of the exchange that cannot be read: what they said is learnt again, but for what was cosigned.
    pub(crate) async fn leave_out(
        &self,
        unread: Vec<federate::engine::SnapshotError>,
    ) -> Result<(), OpenError> {
        let mut righted = Vec::new();
        for cell in unread.into_iter().filter(|cell| cell.space != WITNESS) {
            let old = self.cells.get(&cell.space, &cell.key).await?;
            let change = Some(Swap::new(&cell.space, &cell.key, old, None));
            righted.push(Righted { space: cell.space, key: cell.key, change });
        }
        self.keep_righted(righted).await
    }

    /// Looks at the heads of own logs. One that this authority did not sign is damage: the checkpoint that was published last
    /// takes its place. Where that is an older one, the guard keeps the log from signing until the rest is fetched back.
    pub(crate) async fn look_at_heads(&self) -> Result<(), OpenError> {
        let chain = self.own_chain();
        let mut after: Option<String> = None;
        loop {
            let page = self.cells.scan(HEAD, "", after.as_deref(), PAGE).await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = Some(last.clone());
            for (key, bytes) in page {
                let Ok(origin) = key.parse::<Origin>() else { continue };
                if signed_of(&bytes, &origin, &chain).is_none() {
                    self.right_head(&origin, bytes).await?;
                }
            }
        }
    }

    async fn right_head(&self, origin: &Origin, damaged: Vec<u8>) -> Result<(), OpenError> {
        let text = String::from_utf8_lossy(&damaged);
        tracing::error!(%origin, %text, "the head of an own log in state is damaged");
        let path = federate::places::file(&federate::places::own(origin), &LogFile::Checkpoint);
        let published = self.files.get(&path).await?;
        let published = published.and_then(|bytes| signed_of(&bytes, origin, &self.own_chain()));
        let new = published.map_or_else(|| NO_HEAD.to_vec(), |published| published.to_bytes());
        self.cells.swap(HEAD, &origin.to_string(), Some(damaged), Some(new)).await?;
        alarm::raise(&*self.cells, Alarm::new("alarm-head-damaged").with("origin", &origin.to_string()))
            .await;
        Ok(())
    }

    /// Writes the checkpoint that lies beside a log's files again, if it is none of that log; answers whether it did.
    pub(crate) async fn right_checkpoint(&self, origin: &Origin) -> Result<bool, store::LogError> {
        let Some(chain) = self.chain_of(&origin.authority) else { return Ok(false) };
        let prefix = self.prefix_of(origin);
        let path = federate::places::file(&prefix, &LogFile::Checkpoint);
        let there = self.files.get(&path).await?;
        if there.is_some_and(|bytes| signed_of(&bytes, origin, &chain).is_some()) {
            return Ok(false);
        }
        if origin.authority == self.config.authority {
            self.writer.open(&origin.to_string(), &prefix).await?;
            return Ok(true);
        }
        let followed = self.engine().followed().into_iter().find(|log| log.origin == *origin);
        let Some(checkpoint) = followed.and_then(|log| log.checkpoint) else { return Ok(false) };
        self.files.put(&path, checkpoint.to_bytes().into()).await?;
        Ok(true)
    }

    /// The head of an own log; `None` also of one that is damaged.
    pub(crate) async fn own_head(
        &self,
        origin: &Origin,
    ) -> Result<Option<SignedCheckpoint>, store::LogError> {
        match self.writer.head(&origin.to_string()).await {
            Err(store::LogError::Head { .. }) => Ok(None),
            head => head,
        }
    }

    /// Whether something lies in the place of a head that is none.
    pub(crate) async fn has_damaged_head(&self, origin: &Origin) -> Result<bool, store::LogError> {
        let there = self.cells.get(HEAD, &origin.to_string()).await?;
        Ok(there.is_some() && self.own_head(origin).await?.is_none())
    }
}
