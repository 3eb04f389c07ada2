//! Erasure: what expired, and what this authority erases of its own accord, leaves this node at the right time.
//!
//! At 00:00 UTC of a record's `expires`, files, rows and then the private keys that open nothing else are
//! destroyed, by the running server, at every start, and by every command that opens the node. Afterwards an
//! `erases` tells the readers. What is left to do follows from the index and the keys that are here; no list
//! of it could be lost. It cannot reach backups, disks that keep what was overwritten, or other nodes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use record::{Ref, Relation, Status, Time, kind};
use tlog::hash::Hash;

use crate::age_keys::{AGE_SPACE, AgeSecret};
use crate::clock;
use crate::fault::{Coded, Underlying};
use crate::index::{Forgettable, IndexError, Unannounced, readers_of};
use crate::node::Node;
use crate::own_log::Audience;
use crate::release::{Draft, ReleaseError, Released};
use crate::saved;

/// However far the next expiry is, the server looks so often: clocks are set, and records arrive.
const LOOK: Duration = Duration::from_secs(15);
/// After a release of `erases` was refused (a log that waits, a reader that is no peer any more), it is tried again.
const TRY_AGAIN: Duration = Duration::from_mins(10);
/// Records that one `erases` names; a record has at most 256 lines.
const MAX_NAMED: usize = 100;
/// What of the index may hold something of a sealed record.
const TABLES: [&str; 9] = [
    "entry",
    "blob",
    "ref",
    "about",
    "standing",
    "sealed_mechanism_fact",
    "sealed_situation_release",
    "sealed_situation_series",
    "sealed_situation_statement",
];

/// Why something could not be erased. It is tried again; what was erased stays so.
#[derive(Debug, thiserror::Error)]
pub enum ErasureError {
    /// The index.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// Databases, files, state.
    #[error(transparent)]
    Underlying(#[from] Underlying),
}

crate::fault::stands_on_underlying!(ErasureError);

impl Coded for ErasureError {
    fn code(&self) -> &str {
        match self {
            Self::Index(error) => error.code(),
            Self::Underlying(error) => error.code(),
        }
    }

    fn arguments(&self) -> Vec<(&str, String)> {
        match self {
            Self::Index(error) => error.arguments(),
            Self::Underlying(error) => error.arguments(),
        }
    }
}

/// What was destroyed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Erased {
    /// Records forgotten.
    pub records: usize,
    /// Private keys destroyed.
    pub keys: usize,
}

/// What of the erasure is left to do in this process.
#[derive(Debug)]
pub struct Pending {
    /// Something was deleted, and the databases' files may still hold it.
    unwiped: AtomicBool,
    /// No private key is over before this time, seconds since 1970.
    keys_due: AtomicI64,
    /// Held by whoever tells readers of it.
    announcing: tokio::sync::Mutex<()>,
}

impl Default for Pending {
    fn default() -> Self {
        Self {
            unwiped: AtomicBool::new(false),
            keys_due: AtomicI64::new(i64::MIN),
            announcing: tokio::sync::Mutex::default(),
        }
    }
}

impl Node {
    /// Destroys what is overdue at `now`: files, rows, and keys that open nothing any more.
    pub async fn erase_overdue(&self, now: Time) -> Result<Erased, ErasureError> {
        let overdue = self.index.overdue(now.posix()).await?;
        for record in &overdue {
            self.forget(record, now).await?;
        }
        let keys = self.destroy_keys(now, !overdue.is_empty()).await?;
        if !overdue.is_empty() || keys > 0 {
            self.erasing.unwiped.store(true, Ordering::Relaxed);
            tracing::info!(records = overdue.len(), keys, "destroyed what has expired or was erased");
        }
        if self.erasing.unwiped.load(Ordering::Relaxed) {
            let index = self.index.db().forget_deleted(&TABLES).await?;
            let state = self.state.forget_deleted(&["cell"]).await?;
            if index && state {
                self.erasing.unwiped.store(false, Ordering::Relaxed);
            }
        }
        Ok(Erased { records: overdue.len(), keys })
    }

    /// Destroys this authority's copies of one record, whenever it expires.
    pub async fn erase_copies(&self, record: &Forgettable, now: Time) -> Result<(), ErasureError> {
        self.forget(record, now).await?;
        self.erasing.unwiped.store(true, Ordering::Relaxed);
        self.erase_overdue(now).await.map(drop)
    }

    /// Files first: a crash before the rows are gone leaves the record overdue.
    async fn forget(&self, record: &Forgettable, now: Time) -> Result<(), ErasureError> {
        let files = self.index.files_of(record).await?;
        self.index.writer(self).await.to_forget(record).await?;
        for (origin, sha256) in files {
            let Ok(hash) = Hash::from_hex(&sha256) else { continue };
            // Whoever names another record's file in one of his own does not destroy it, nor keep it for ever.
            let needed = self.index.needed_in(&sha256, now.posix()).await?;
            if let Ok(log) = origin.parse()
                && !needed.contains(&origin)
            {
                self.files.delete(&federate::places::blob_mark(&log, &hash)).await?;
            }
            if needed.is_empty() {
                self.files.delete(&store::layout::blob(&hash)).await?;
            }
        }
        self.index.writer(self).await.forget(record).await?;
        if let Ok(author) = record.author.parse() {
            self.index.follower(self).settle_rest(&author).await?;
        }
        Ok(())
    }

    /// A file arrived for a record that was forgotten while it was under way.
    pub async fn erase_late_file(&self, origin: &record::Origin, hash: &Hash) -> Result<(), ErasureError> {
        if self.index.is_forgotten(&hash.to_hex(), clock::seconds()).await? {
            self.files.delete(&federate::places::blob_mark(origin, hash)).await?;
            self.files.delete(&store::layout::blob(hash)).await?;
        }
        Ok(())
    }

    /// Destroys the private keys that open nothing any more, if some may be over or something `changed`.
    async fn destroy_keys(&self, now: Time, changed: bool) -> Result<usize, ErasureError> {
        let due = self.erasing.keys_due.load(Ordering::Relaxed);
        if due > now.posix() && !changed {
            return Ok(0);
        }
        let (mut destroyed, mut next) = (0, i64::MAX);
        for (recipient, secret) in saved::readable::<AgeSecret>(&*self.cells, AGE_SPACE).await?.0 {
            let last = if secret.expiring && secret.until <= now {
                self.index.last_expiry(secret.from.posix(), secret.until.posix()).await?
            } else {
                None
            };
            match secret.over(last.and_then(Time::from_posix)) {
                Some(over) if over <= now => {
                    let old = self.cells.get(AGE_SPACE, &recipient).await?;
                    destroyed += usize::from(self.cells.swap(AGE_SPACE, &recipient, old, None).await?);
                }
                over => next = next.min(over.map_or(i64::MAX, Time::posix)),
            }
        }
        self.erasing.keys_due.store(next, Ordering::Relaxed);
        Ok(destroyed)
    }

    /// When something is to be destroyed next, seconds since 1970.
    async fn next_erasure(&self) -> Result<i64, ErasureError> {
        let record = self.index.next_expiry().await?.unwrap_or(i64::MAX);
        Ok(record.min(self.erasing.keys_due.load(Ordering::Relaxed)))
    }

    /// Tells the readers of what was forgotten here that this authority's copies are gone; of several callers one at a time,
    /// so that each is told once.
    pub async fn announce_erasures(self: &Arc<Self>) -> Result<Vec<Released>, ReleaseError> {
        let _one_at_a_time = self.erasing.announcing.lock().await;
        // What was announced a moment ago is in the index before it is asked what was not.
        self.index_all_own().await?;
        let mut groups: BTreeMap<(String, String), Vec<Ref>> = BTreeMap::new();
        for Unannounced { record, readers, status } in self.index.unannounced().await? {
            let (Ok(author), Ok(name)) = (record.author.parse(), Hash::from_hex(&record.name)) else {
                continue;
            };
            let erases = Ref { relation: Relation::Erases, author, name };
            groups.entry((readers, status)).or_default().push(erases);
        }
        let mut released = Vec::new();
        for ((readers, status), refs) in groups {
            let audience = Audience::from(readers_of(&readers));
            let status = status.parse::<Status>().unwrap_or(self.config.status);
            let drafts = refs.chunks(MAX_NAMED).map(|refs| {
                let mut draft = Draft::new(kind::ERASURE, status);
                draft.refs = refs.to_vec();
                draft
            });
            released.extend(self.release(&audience, drafts.collect()).await?);
        }
        Ok(released)
    }
}

/// Destroys what is overdue and tells of it, until `stop` says that the server ends.
pub async fn run(node: Arc<Node>, mut stop: tokio::sync::watch::Receiver<bool>) {
    let mut announce_from = tokio::time::Instant::now();
    loop {
        let wait = match look(&node).await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::error!(%error, "what has expired could not be destroyed; it is tried again");
                LOOK
            }
        };
        if announce_from <= tokio::time::Instant::now()
            && let Err(error) = node.announce_erasures().await
        {
            tracing::warn!(%error, "readers could not be told that copies are erased; it is tried again");
            announce_from = tokio::time::Instant::now() + TRY_AGAIN;
        }
        // A sender that is gone is a stop too.
        if tokio::time::timeout(wait, stop.wait_for(|stop| *stop)).await.is_ok() {
            return;
        }
    }
}

/// Destroys what is overdue; how long nothing else will be.
async fn look(node: &Node) -> Result<Duration, ErasureError> {
    node.erase_overdue(clock::now()).await?;
    let seconds = node.next_erasure().await?.saturating_sub(clock::seconds());
    Ok(Duration::from_secs(u64::try_from(seconds).unwrap_or(1).max(1)).min(LOOK))
}
