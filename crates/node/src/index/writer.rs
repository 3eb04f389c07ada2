//! Who writes the index: one at a time, each for a turn.
//!
//! What is written in one turn is bounded. It reads no file and opens nothing: [`super::Follower`] brings it what is ready.

use std::collections::{BTreeMap, VecDeque};
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use record::Origin;
use tokio::sync::MutexGuard;

use super::proofs::{Proofs, Proven};
use super::source::Source;
use super::{Index, IndexError};

/// What is remembered of the replay, and follows from files.
#[derive(Default)]
pub(super) struct Replayed {
    /// Proven times of every log here.
    pub(super) proofs: BTreeMap<Origin, Proofs>,
    /// What of them is not written to the rows of entries yet, in its order.
    pub(super) unwritten: BTreeMap<Origin, VecDeque<Proven>>,
}

/// The right to write the index.
pub struct Writer<'a> {
    pub(super) index: &'a Index,
    pub(super) source: &'a dyn Source,
    pub(super) replayed: MutexGuard<'a, Replayed>,
}

impl Drop for Writer<'_> {
    fn drop(&mut self) {
        self.index.changes.fetch_add(1, Ordering::SeqCst);
    }
}

impl Writer<'_> {
    /// Something of an author's entries changes: what was computed from them before is not written.
    pub(super) fn moves(&self, author: &str) {
        let mut moved = self.index.moved.lock().unwrap_or_else(PoisonError::into_inner);
        *moved.entry(author.to_owned()).or_default() += 1;
    }

    /// How often that happened.
    pub(super) fn moved(&self, author: &str) -> u64 {
        let moved = self.index.moved.lock().unwrap_or_else(PoisonError::into_inner);
        moved.get(author).copied().unwrap_or(0)
    }

    /// Puts an index that was made anew in the place of this one, whole.
    pub(super) async fn take_over(&mut self, beside: Index) -> Result<(), IndexError> {
        beside.follower(self.source).reach_rest(self.index).await?;
        let replayed = std::mem::take(&mut *beside.replayed.lock().await);
        self.index.db().take_over(beside.db.clone()).await?;
        *self.replayed = replayed;
        self.index.built.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}
