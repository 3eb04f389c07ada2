//! Opening a log: what was committed is put in its place, whatever a crash left undone.

use super::batch::{Changed, Growing};
use super::open::OpenLog;
use super::reader::LogReader;
use super::staging::Staged;
use super::{HEAD, LogError, LogWriter};
use crate::guard::Standing;
use crate::layout;
use std::sync::Arc;
use tlog::tile::FULL_WIDTH;
use tlog::{Checkpoint, Edge, SignedCheckpoint, TileId};

impl LogWriter {
    /// Reads the head of a log from its cell: the checkpoint and the cell's bytes.
    pub(super) async fn load_head(
        &self,
        origin: &str,
    ) -> Result<Option<(SignedCheckpoint, Vec<u8>)>, LogError> {
        let Some(bytes) = self.cells.get(HEAD, origin).await? else { return Ok(None) };
        let wrong = |reason: String| LogError::Head { origin: origin.to_owned(), reason };
        let head = SignedCheckpoint::parse(&bytes).map_err(|error| wrong(error.to_string()))?;
        if head.checkpoint.origin != origin {
            return Err(wrong(format!("it is of {}", head.checkpoint.origin)));
        }
        Ok(Some((head, bytes)))
    }

    /// Opens a log: replays its staged batches to their places, publishes its head, and makes all of it
    /// durable. Doing it again changes nothing.
    pub(super) async fn open_log(&self, origin: &str, prefix: &str) -> Result<OpenLog, LogError> {
        let Some((head, bytes)) = self.load_head(origin).await? else {
            return Ok(OpenLog::new(prefix, None, Growing::default()));
        };
        let chain = self.staged_chain(&head).await?;
        let growing = match chain.first() {
            Some(whole) => self.replay(prefix, whole.base()?, &chain).await?,
            None => self.load_growing(prefix, &head.checkpoint).await?,
        };
        if growing.root() != head.checkpoint.root {
            return Err(LogError::RootMismatch { origin: origin.to_owned(), size: head.checkpoint.size });
        }
        self.publish_recovered(prefix, &head).await?;
        self.remove_staged(origin, head.checkpoint.size, chain.last()).await?;
        Ok(OpenLog::new(prefix, Some((head, bytes)), growing))
    }

    /// The staged batches that lead to the head, oldest first and the first one whole; none if all that
    /// they held is durable at its place.
    async fn staged_chain(&self, head: &SignedCheckpoint) -> Result<Vec<Staged>, LogError> {
        let origin = &head.checkpoint.origin;
        let mut tree = (head.checkpoint.size, head.checkpoint.root);
        let mut chain: Vec<Staged> = Vec::new();
        loop {
            let path = layout::staged(origin, tree.0, &tree.1);
            let Some(bytes) = self.files.get(&path).await? else { break };
            let staged = Staged::parse(&path, &bytes)?;
            if staged.old.0 >= staged.new.0 {
                return Err(LogError::Staging { path, reason: "it does not grow" });
            }
            tree = staged.old;
            let is_whole = staged.edge.is_some();
            chain.push(staged);
            if is_whole {
                break;
            }
        }
        chain.reverse();
        Ok(chain)
    }

    async fn replay(&self, prefix: &str, base: Growing, chain: &[Staged]) -> Result<Growing, LogError> {
        let mut growing = base;
        let mut changed = Changed::new();
        for staged in chain {
            changed.extend(growing.append(staged.entries.clone())?);
        }
        let changed: Vec<_> =
            changed.into_iter().map(|(path, content)| (format!("{prefix}{path}"), content)).collect();
        let paths: Vec<String> = changed.iter().map(|(path, _)| path.clone()).collect();
        self.put_at_place(changed).await?;
        self.files.settle(&paths).await?;
        Ok(growing)
    }

    /// The end of a log from its tiles and its growing bundle.
    async fn load_growing(&self, prefix: &str, head: &Checkpoint) -> Result<Growing, LogError> {
        let start = head.size - head.size % u64::from(FULL_WIDTH);
        let reader = LogReader::new(Arc::clone(&self.files), prefix, head.size);
        let entries = reader.read_entries(start..head.size).await?;
        let base = LogReader::new(Arc::clone(&self.files), prefix, start).edge().await?;
        let growing = Growing::resume(base, entries);
        // The level 0 tile was not needed so far; a damaged one must be found before it is built upon.
        let edge: Edge = reader.edge().await?;
        if edge.root() == growing.root() {
            return Ok(growing);
        }
        let index = start / u64::from(FULL_WIDTH);
        // The one that leads to the signed root is right.
        let damaged = if growing.root() == head.root {
            layout::tile(TileId { level: 0, index, width: FULL_WIDTH })
        } else {
            layout::bundle(index)
        };
        Err(LogError::Damaged { path: format!("{prefix}{damaged}") })
    }

    async fn publish_recovered(&self, prefix: &str, head: &SignedCheckpoint) -> Result<(), LogError> {
        let path = format!("{prefix}{}", layout::CHECKPOINT);
        let published = self.files.get(&path).await?;
        // One with cosignatures of the same text is better than the head's own.
        let is_published = published
            .and_then(|bytes| SignedCheckpoint::parse(&bytes).ok())
            .is_some_and(|published| published.checkpoint == head.checkpoint);
        if is_published {
            return Ok(());
        }
        // What is published was signed here; a guard that does not know the log must not learn of it from `state` alone.
        let Checkpoint { origin, size, .. } = &head.checkpoint;
        if self.guard().standing(origin, Some(*size))? == Standing::Missing {
            return Err(LogError::GuardMissing { origin: origin.clone() });
        }
        self.note_signed(head).await?;
        self.put_checkpoint(&path, head).await?;
        Ok(self.files.settle(&[path]).await?)
    }

    /// Removes the staged batches that a log has grown past. Larger ones stay: another server may be about
    /// to commit them. The head's own goes first, durably: while it is there, the others are needed.
    async fn remove_staged(&self, origin: &str, size: u64, last: Option<&Staged>) -> Result<(), LogError> {
        if let Some(last) = last {
            self.files.delete(&last.path()).await?;
        }
        let staged = self.files.list(&layout::staging(origin)).await?;
        let past = |path: &String| layout::parse_staged(path).is_some_and(|(staged, _)| staged <= size);
        let old: Vec<String> = staged.into_iter().filter(past).collect();
        Ok(self.files.discard(&old).await?)
    }
}
