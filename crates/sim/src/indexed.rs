//! The index of a machine: over a database in a temporary folder that outlives a crash, fed as a node feeds it.
//!
//! It knows nothing of the world; what happened and what is here is given to it.

use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use federate::engine::Event;
use node::index::{Batch, Index, IndexError, Receipt};
use record::{Authority, RootChain};
use store::db::{Db, DbOptions};

use crate::source::View;

/// One machine's index.
pub struct Indexed {
    folder: tempfile::TempDir,
    /// Counts the databases: one that was lost is not used again.
    number: u32,
    /// While the machine is up.
    pub index: Option<Index>,
    /// What was stored and is not in the index yet.
    pub waiting: VecDeque<Event>,
    /// The roots that the machine pinned.
    pub chains: Arc<BTreeMap<Authority, Arc<RootChain>>>,
}

impl Default for Indexed {
    fn default() -> Self {
        Self::new()
    }
}

impl Indexed {
    /// Of a machine that was never started.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self { folder, number: 0, index: None, waiting: VecDeque::new(), chains: Arc::default() }
    }

    /// Opens the index as it was left, removes what a rebuild left behind, and catches up.
    pub async fn start(&mut self, view: &View) -> Result<(), IndexError> {
        let path = self.folder.path().join(format!("{}.db", self.number));
        // One connection that reads is enough for one task.
        let options = DbOptions { connections: 1, durable: false, ..DbOptions::default() };
        let db = Db::connect(&format!("sqlite:{}", path.display()), options).await?;
        let index = Index::open(db, &view.me).await?;
        index.db().discard_beside().await?;
        index.follower(view).catch_up().await?;
        self.index = Some(index);
        Ok(())
    }

    /// The machine is down. What was not indexed is not remembered; the database may be lost.
    pub async fn stop(&mut self, is_lost: bool) {
        self.waiting.clear();
        if let Some(index) = self.index.take() {
            index.db().close().await;
        }
        self.number += u32::from(is_lost);
    }
}

/// An index made from nothing but what a machine has.
pub async fn fresh(view: &View) -> Result<Index, IndexError> {
    let options = DbOptions { connections: 1, ..DbOptions::default() };
    let index = Index::open(Db::connect("sqlite::memory:", options).await?, &view.me).await?;
    index.follower(view).catch_up().await?;
    Ok(index)
}

/// The index learns what a store made true, as from a node.
pub async fn happened(index: &Index, view: &View, event: &Event) -> Result<(), IndexError> {
    let follower = index.follower(view);
    match event {
        Event::Entries(commit) => {
            let (origin, checkpoint) = (&commit.origin, commit.checkpoint.as_ref());
            follower.take(&Batch { origin, judged: &commit.judged, state: &commit.state, checkpoint }).await
        }
        Event::Seen { origin, replaces: true, .. } => follower.measure_again(origin).await,
        Event::Seen { origin, .. } => follower.seen(origin).await,
        Event::Blob { sha256, .. } => follower.blob(sha256).await,
        Event::Receipt { origin, authority, size, time, .. } => {
            let receipt = Receipt { authority: authority.to_string(), size: *size, time: *time };
            index.writer(view).await.received(origin, &receipt).await
        }
        Event::Unfetched(_) | Event::Measure { .. } => Ok(()),
        Event::Root { authority, .. } => roots(index, view, authority).await,
    }
}

/// A next root of an authority is pinned.
pub async fn roots(index: &Index, view: &View, authority: &Authority) -> Result<(), IndexError> {
    index.writer(view).await.authorities().await?;
    index.follower(view).roots(authority).await
}

/// Runs something for so many turns at most; `None` if it was cut off.
pub async fn cut<T>(turns: u64, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let mut left = turns;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match work.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}
