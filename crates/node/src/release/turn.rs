//! Whose turn it is: one commit after the other, and what waits for the same log shares one.
//!
//! There is no timer: who is alone waits for nothing, and under load commits grow by themselves. What looks back
//! at what stands (numbers of editions, figures stated before) has a commit of its own, with everything before it
//! in the index. An act goes on in a task of its own, whether or not its caller waits for it.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use tlog::hash::Hash;
use tokio::sync::{MutexGuard, oneshot, watch};

use super::ReleaseError;
use super::act::{Act, Done};
use crate::node::Node;

/// Entries of several callers in one commit: with the largest entries, as many bytes as a batch may have.
const MAX_SHARED: usize = 1000;

/// The order of releases of one node.
#[derive(Default)]
pub struct Releases {
    waiting: Mutex<VecDeque<Waiting>>,
    turn: tokio::sync::Mutex<()>,
    under_way: watch::Sender<usize>,
    written: Mutex<Vec<Hash>>,
}

pub(super) struct Waiting {
    pub(super) act: Act,
    pub(super) caller: oneshot::Sender<Result<Done, ReleaseError>>,
}

/// Held by what must not be broken off when the node is closed.
pub struct UnderWay(watch::Sender<usize>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

impl Releases {
    /// Holds releases up.
    pub async fn lock(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// Something begins that the end of the program waits for.
    pub fn begin(&self) -> UnderWay {
        self.under_way.send_modify(|count| *count += 1);
        UnderWay(self.under_way.clone())
    }

    /// Waits for the end of everything that is under way.
    pub async fn ended(&self) {
        let mut under_way = self.under_way.subscribe();
        // Whoever tells lives as long as this.
        let _ = under_way.wait_for(|count| *count == 0).await;
    }

    /// Whether something is released, or was and is not in the index yet.
    pub fn is_under_way(&self) -> bool {
        *self.under_way.borrow() > 0
    }

    /// Blobs were written that were not here: the index is told of them, whatever becomes of their release.
    pub(super) fn wrote(&self, blobs: &[Hash]) {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).extend(blobs);
    }

    /// What was written since this was asked last.
    pub(super) fn written(&self) -> Vec<Hash> {
        std::mem::take(&mut *self.written.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, VecDeque<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What comes next: the oldest act, and with it those that can share its commit.
    fn next(&self) -> Vec<Waiting> {
        let mut waiting = self.waiting();
        let Some(first) = waiting.pop_front() else { return Vec::new() };
        let mut entries = first.act.len();
        let mut cells = Named::default();
        cells.add(&first.act);
        let mut batch = vec![first];
        let mut later = VecDeque::with_capacity(waiting.len());
        for one in waiting.drain(..) {
            let fits = entries + one.act.len() <= MAX_SHARED && one.act.goes_with(&batch[0].act);
            if fits && cells.add(&one.act) {
                entries += one.act.len();
                batch.push(one);
            } else {
                later.push_back(one);
            }
        }
        *waiting = later;
        batch
    }
}

/// What the acts of a commit name. Of two with one key, the second is told what the first did; of two that change
/// one cell, the second finds what the first made of it.
#[derive(Default)]
struct Named(BTreeSet<(String, String)>);

impl Named {
    /// Adds what an act names, if nothing of it is there.
    fn add(&mut self, act: &Act) -> bool {
        let key = act.key.iter().map(|key| (String::new(), key.name().to_owned()));
        let cells = act.also.iter().map(|cell| (cell.space.clone(), cell.key.clone()));
        let names: Vec<_> = key.chain(cells).collect();
        if names.iter().any(|name| self.0.contains(name)) {
            return false;
        }
        self.0.extend(names);
        true
    }
}

impl Node {
    /// Does an act: when it returns, what was released is durable, its cells are changed, and peers are told.
    ///
    /// # Errors
    /// Nothing was released, and why.
    pub async fn act(self: &Arc<Self>, act: Act) -> Result<Done, ReleaseError> {
        let (caller, answer) = oneshot::channel();
        self.releasing.waiting().push_back(Waiting { act, caller });
        let (node, under_way) = (Arc::clone(self), self.releasing.begin());
        // A task of its own: a caller may go away while it carries the acts of others.
        tokio::spawn(async move {
            node.take_turn().await;
            drop(under_way);
        });
        answer.await.unwrap_or(Err(ReleaseError::BrokenOff))
    }

    /// Does what waits when its turn comes; nothing, if an earlier turn took it along.
    async fn take_turn(self: &Arc<Self>) {
        let turn = self.releasing.lock().await;
        let batch = self.releasing.next();
        if batch.is_empty() {
            return;
        }
        let committed = self.carry_out(batch).await;
        drop(turn);
        let index_behind = self.index_follows(committed.as_ref().map(|committed| &committed.origin)).await;
        if let Some(committed) = committed {
            for (done, caller) in committed.callers {
                // Who went away does not hear it.
                let _ = caller.send(Ok(Done { index_behind, ..done }));
            }
        }
    }
}
