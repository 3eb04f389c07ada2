//! What follows from new entries: the index takes them, the engine and waiting peers are told.

use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use record::{Authority, Origin, Record};
use store::LogReader;
use tokio::time::Instant;

use crate::alarm::{self, Alarm};
use crate::fault::Fault;

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

    /// Brings the index up to everything that is on this disk, and to who is known: own records first, those of all others
    /// at the same time. Whose are not there after `patience` are left to the exchange, which goes on with them.
    pub async fn catch_up(&self, patience: Option<Duration>) -> Result<(), IndexError> {
        let follower = self.index.follower(self);
        follower.begin().await?;
        self.reach_whole(&self.config.authority).await?;
        follower.receipts().await?;
        let mut left = follower.authors().await?;
        left.remove(&self.config.authority);
        let authors = left.clone();
        let others = authors.iter().map(|author| async move { (author, self.reach_whole(author).await) });
        let mut others: FuturesUnordered<_> = others.collect();
        let until = patience.map(|patience| Instant::now() + patience);
        while !left.is_empty() {
            let next = match until {
                Some(until) => tokio::time::timeout_at(until, others.next()).await.ok().flatten(),
                None => others.next().await,
            };
            let Some((author, done)) = next else { break };
            left.remove(author);
            if let Err(error) = done {
                self.index_is_behind(author, error).await;
            }
        }
        // What is cut off here is begun anew by the exchange.
        drop(others);
        if !left.is_empty() {
            follower.discard_unfinished().await?;
        }
        for author in left {
            self.following.leave(author);
        }
        Ok(())
    }

    /// What of an author cannot be read does not stop this node: all else is shown.
    async fn index_is_behind(&self, author: &Authority, error: IndexError) {
        tracing::error!(%error, %author, "not everything of this author is in the index");
        let alarm = Alarm::new("index-behind").with("origin", author.as_str());
        alarm::raise(&*self.cells, alarm.because(&Fault::from(error))).await;
    }

    /// A next root of an authority is pinned: what it revokes, and whose witnesses count, follows.
    pub async fn roots_changed(&self, authority: &Authority) -> Result<(), IndexError> {
        self.index.writer(self).await.authorities().await?;
        self.index.follower(self).roots(authority).await
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
