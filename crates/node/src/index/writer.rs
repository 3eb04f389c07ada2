//! Who writes the index: one at a time, from what its source has.
//!
//! Whoever learns that something has come says so, and this reads it; a gap is filled from the source, and what was
//! taken before changes nothing. A rebuild is a second index beside this one, taken over whole.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use record::{LogState, Origin};
use tokio::sync::MutexGuard;

use super::proofs::Proofs;
use super::source::{LogHead, Source};
use super::{Batch, Index, IndexError};

/// Entries judged and indexed at once when the index catches up.
const CATCH_UP: u64 = 4096;

/// What is remembered of the replay, and follows from files.
#[derive(Default)]
pub(super) struct Replayed {
    /// Proven times of every log here.
    pub(super) proofs: BTreeMap<Origin, Proofs>,
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
    /// Brings an index that was left at any moment up to everything that is here: who is known, logs, blobs, witness
    /// files, receipts, and roots that were pinned while it did not look.
    pub async fn catch_up(&mut self) -> Result<(), IndexError> {
        self.authorities().await?;
        self.reach_all().await?;
        for chain in self.source.chains() {
            self.roots(&chain.latest().authority).await?;
        }
        Ok(())
    }

    /// Brings the index up to every log, blob, witness file and receipt that is here.
    pub async fn reach_all(&mut self) -> Result<(), IndexError> {
        for log in self.source.logs().await? {
            self.reach_log(&log).await?;
        }
        self.blob(None).await?;
        for log in self.source.logs().await? {
            self.seen(&log.origin).await?;
        }
        // What a power cut took of the receipts are the last ones.
        let none = self.index.db().rows("select 1 from receipt limit 1", &[]).await?.is_empty();
        for (origin, receipt) in self.source.receipts(none).await? {
            self.received(&origin, &receipt).await?;
        }
        Ok(())
    }

    /// Brings the index up to what is here of a log.
    pub async fn reach(&mut self, origin: &Origin) -> Result<(), IndexError> {
        match self.source.log(origin).await? {
            Some(log) => self.reach_log(&log).await,
            None => Ok(()),
        }
    }

    async fn reach_log(&mut self, log: &LogHead) -> Result<(), IndexError> {
        self.read(log, log.size).await
    }

    /// The same up to a size, which is not beyond what is here.
    pub(super) async fn read_up_to(&mut self, origin: &Origin, size: u64) -> Result<(), IndexError> {
        match self.source.log(origin).await? {
            // The checkpoint comes with what follows.
            Some(log) => self.read(&LogHead { checkpoint: None, ..log }, size).await,
            None => Ok(()),
        }
    }

    /// Judges and takes what the index does not have of a log.
    async fn read(&mut self, log: &LogHead, size: u64) -> Result<(), IndexError> {
        let origin = &log.origin;
        if self.index.size_of(origin).await? >= size {
            return Ok(());
        }
        let Some(chain) = self.source.chain(&origin.authority) else { return Ok(()) };
        let mut state = self.index.state(origin).await?.unwrap_or_else(|| LogState::new(origin.clone()));
        while state.size() < size {
            let first = state.size();
            let end = size.min(first + CATCH_UP);
            let entries = self.source.entries(origin, first..end).await?;
            let entries: Vec<&[u8]> = entries.iter().map(AsRef::as_ref).collect();
            let (judged, needs) = match state.take_many(first, &entries, &chain) {
                Ok(judged) => (judged, None),
                Err(needs) => (needs.taken, Some(needs.n)),
            };
            let checkpoint = log.checkpoint.as_ref();
            self.take_next(&Batch { origin, judged: &judged, state: &state, checkpoint }).await?;
            if let Some(version) = needs {
                // It goes on when the root comes.
                tracing::warn!(%origin, version, "a log waits for a root of its author");
                return Ok(());
            }
        }
        Ok(())
    }

    /// Brings the index up to what another one was told of others' logs: that is stored, though the source may say so
    /// only in a moment.
    async fn reach_told(&mut self, other: &Index) -> Result<(), IndexError> {
        for row in other.db().rows("select origin, size from log order by origin", &[]).await? {
            let (Ok(origin), size) = (row.text(0)?.parse::<Origin>(), row.uint(1)?) else { continue };
            if origin.authority == self.index.own {
                continue;
            }
            match self.read(&LogHead { origin, size, checkpoint: None }, size).await {
                // It is fetched again, and told of then.
                Err(IndexError::Damaged { origin, index }) => {
                    tracing::warn!(origin, index, "what was indexed cannot be read any more");
                }
                done => done?,
            }
        }
        Ok(())
    }

    /// Puts an index that was made anew in the place of this one, whole.
    async fn take_over(&mut self, mut beside: Writer<'_>) -> Result<(), IndexError> {
        // What came meanwhile.
        beside.reach_all().await?;
        beside.reach_told(self.index).await?;
        let proofs = std::mem::take(&mut beside.replayed.proofs);
        let db = beside.index.db().clone();
        drop(beside);
        self.index.db().take_over(db).await?;
        self.replayed.proofs = proofs;
        Ok(())
    }
}

impl Index {
    /// Makes the index anew from what the source has, beside this one, which goes on meanwhile; then puts it in the
    /// place of this one. If it is cut off, nothing has changed.
    pub async fn rebuild(&self, source: &dyn Source) -> Result<(), IndexError> {
        let beside = Self::open(self.db.beside().await?, &self.own).await?;
        let mut writer = beside.writer(source).await;
        writer.catch_up().await?;
        self.writer(source).await.take_over(writer).await
    }
}
