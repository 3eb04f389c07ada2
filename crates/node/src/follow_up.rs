//! What follows from new entries: the index takes them, the engine and waiting peers are told.

use record::{Authority, Origin, Record};
use store::LogReader;

use crate::index::IndexError;
use crate::node::{Node, OpenError};
use crate::own_log;

impl Node {
    /// Brings what `state` says of every own log to what its entries say.
    pub async fn own_logs_follow(&self) -> Result<(), OpenError> {
        for (origin, _) in self.own_heads().await? {
            self.own_log_follows(&origin).await?;
        }
        Ok(())
    }

    /// The same for one: a crash between an append and the note of it, or a log that was fetched back.
    pub async fn own_log_follows(&self, origin: &Origin) -> Result<(), OpenError> {
        let Some(head) = self.writer.head(&origin.to_string()).await? else { return Ok(()) };
        let state = self.index.state(origin).await?;
        let Some(state) = state.filter(|state| state.size() == head.checkpoint.size) else { return Ok(()) };
        let noted = self.own_logs().await?;
        for log in own_log::noted_by(&noted, &state, &head.checkpoint) {
            own_log::save(&*self.cells, &log).await?;
        }
        Ok(())
    }

    /// Brings the index up to everything that is on this disk, and to who is known.
    pub async fn catch_up(&self) -> Result<(), IndexError> {
        self.index.writer(self).await.catch_up().await
    }

    /// A next root of an authority is pinned: what it revokes, and whose witnesses count, follows.
    pub async fn roots_changed(&self, authority: &Authority) -> Result<(), IndexError> {
        let mut writer = self.index.writer(self).await;
        writer.authorities().await?;
        writer.roots(authority).await
    }

    /// Reads of a log up to a size.
    pub(crate) fn reader_of(&self, origin: &Origin, size: u64) -> LogReader {
        LogReader::new(self.files.clone(), self.prefix_of(origin), size)
    }

    /// The record at a place of a log, own or copied; `None` if it is not valid.
    pub async fn record_at(&self, origin: &str, index: u64) -> Result<Option<Record>, IndexError> {
        let damaged = || IndexError::Damaged { origin: origin.to_owned(), index };
        let bytes = self.entry_at(origin, index).await.map_err(|_| damaged())?;
        Ok(Record::parse(&bytes).ok())
    }

    /// The entry at a place of a log, own or copied.
    pub async fn entry_at(&self, origin: &str, index: u64) -> Result<bytes::Bytes, store::LogError> {
        let parsed: Origin =
            origin.parse().map_err(|_| store::LogError::Outside { start: index, end: index, size: 0 })?;
        if parsed.authority == self.config.authority {
            return self.own_reader(&parsed).await?.read_entry(index).await;
        }
        self.mirror_reader(&parsed, index + 1).read_entry(index).await
    }
}
