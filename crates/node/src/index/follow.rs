//! Following what comes: entries, files, witness files, roots. Whoever learns that something has come says so, and this
//! reads it; a gap is filled from the source, and what was taken before changes nothing.
//!
//! What takes long happens outside of the writer's turn: verifying, opening what is sealed, reading tables. What is
//! written in one turn is bounded, so that nobody's records wait for more than a turn of each of the others. A rebuild
//! is a second index beside this one, brought up to everything in the same way.

use std::collections::BTreeSet;

use record::{Authority, LogState, Origin};
use tlog::hash::Hash;

use super::again::{Again, Place};
use super::large::{LARGE, Replaced};
use super::opening::{Opener, Opening, Part, SMALL, working};
use super::rows::OUTER;
use super::source::{LogHead, Source};
use super::take::{Batch, CLOSED, DONE, Ready};
use super::writer::Writer;
use super::{Index, IndexError};
use crate::desks;

/// The most entries that are read, judged and taken in one turn, and about how many bytes of them.
const ENTRIES: u64 = 2048;
const BYTES: usize = 1 << 20;
/// Entries in one file of a log.
const BUNDLE: u64 = 256;

/// Brings an index up to what its source has.
#[derive(Clone, Copy)]
pub struct Follower<'a> {
    pub(super) index: &'a Index,
    pub(super) source: &'a dyn Source,
    /// Somebody else settles what is too much for the turn that touched it.
    defers: bool,
}

impl Index {
    /// Follows what the source has.
    pub fn follower<'a>(&'a self, source: &'a dyn Source) -> Follower<'a> {
        Follower { index: self, source, defers: false }
    }

    /// Makes the index anew from what the source has, beside this one, which goes on meanwhile; then puts it in the
    /// place of this one. If it is cut off, nothing has changed.
    pub async fn rebuild(&self, source: &dyn Source) -> Result<(), IndexError> {
        let beside = Self::open(self.db.beside().await?, &self.own).await?;
        beside.follower(source).catch_up().await?;
        self.writer(source).await.take_over(beside).await?;
        // What came while it was put in its place was looked for in the index that is gone.
        self.follower(source).reach_authors().await
    }
}

impl<'a> Follower<'a> {
    /// The same, which leaves what is too much for one turn to a later [`Follower::settle_rest`].
    #[must_use]
    pub fn deferring(self) -> Self {
        Self { defers: true, ..self }
    }

    /// Settles what is left of an author, unless somebody else does.
    pub(super) async fn settled(&self, author: &Authority) -> Result<(), IndexError> {
        if self.defers { Ok(()) } else { self.settle_rest(author).await }
    }

    pub(super) async fn writer(&self) -> Writer<'a> {
        self.index.writer(self.source).await
    }

    /// Brings an index that was left at any moment up to everything that is here: who is known, logs, blobs, witness
    /// files, receipts, and roots that were pinned while it did not look.
    pub async fn catch_up(&self) -> Result<(), IndexError> {
        self.begin().await?;
        self.reach_authors().await?;
        self.receipts().await
    }

    async fn reach_authors(&self) -> Result<(), IndexError> {
        for author in self.authors().await? {
            self.reach_author(&author).await?;
        }
        Ok(())
    }

    /// Before anything else: who is known, and nothing of what was cut off.
    pub async fn begin(&self) -> Result<(), IndexError> {
        self.discard_unfinished().await?;
        self.writer().await.authorities().await
    }

    /// Discards what was being loaded and was cut off. Nothing may be loading meanwhile.
    pub async fn discard_unfinished(&self) -> Result<(), IndexError> {
        let writer = self.writer().await;
        let mut tx = writer.index.db().begin().await?;
        desks::discard_unfinished(&mut tx).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Everybody of whom something may be here.
    pub async fn authors(&self) -> Result<BTreeSet<Authority>, IndexError> {
        let logs = self.source.logs().await?.into_iter().map(|log| log.origin.authority);
        let chains = self.source.chains().into_iter().map(|chain| chain.authority().clone());
        Ok(logs.chain(chains).collect())
    }

    /// Brings the index up to everything of one author.
    pub async fn reach_author(&self, author: &Authority) -> Result<(), IndexError> {
        let logs = self.source.logs().await?;
        let logs: Vec<LogHead> = logs.into_iter().filter(|log| log.origin.authority == *author).collect();
        for log in &logs {
            self.read(log, log.size).await?;
        }
        self.open_what_waits(author).await?;
        for log in &logs {
            self.deferring().seen(&log.origin).await?;
        }
        self.writer().await.roots(author).await?;
        self.settled(author).await
    }

    /// Brings the index up to every receipt that is here.
    pub async fn receipts(&self) -> Result<(), IndexError> {
        // What a power cut took of the receipts are the last ones.
        let none = self.index.db().rows("select 1 from receipt limit 1", &[]).await?.is_empty();
        for (origin, receipt) in self.source.receipts(none).await? {
            self.writer().await.received(&origin, &receipt).await?;
        }
        Ok(())
    }

    /// Takes a batch of entries that follow each other in one log.
    pub async fn take(&self, batch: &Batch<'_>) -> Result<(), IndexError> {
        let Some(first) = batch.judged.first().map(|judged| judged.index) else { return Ok(()) };
        if self.index.size_of(batch.origin).await? < first
            && let Some(log) = self.source.log(batch.origin).await?
        {
            // The checkpoint comes with what follows.
            self.read(&LogHead { checkpoint: None, ..log }, first).await?;
        }
        self.take_next(batch).await?;
        self.settled(&batch.origin.authority).await
    }

    /// Brings the index up to what is here of a log.
    pub async fn reach(&self, origin: &Origin) -> Result<(), IndexError> {
        match self.source.log(origin).await? {
            Some(log) => self.reach_size(&log).await,
            None => Ok(()),
        }
    }

    /// Brings the index up to a size of a log, which is not beyond what is here.
    pub async fn reach_size(&self, log: &LogHead) -> Result<(), IndexError> {
        self.read(log, log.size).await?;
        self.settled(&log.origin.authority).await
    }

    /// Reads, judges and takes what the index does not have of a log.
    async fn read(&self, log: &LogHead, size: u64) -> Result<(), IndexError> {
        let origin = &log.origin;
        if self.index.size_of(origin).await? >= size {
            return Ok(());
        }
        let Some(chain) = self.source.chain(&origin.authority) else { return Ok(()) };
        let mut state = self.state(origin).await?;
        while state.size() < size {
            let (first, chain) = (state.size(), chain.clone());
            let entries = self.some_entries(origin, first, size).await?;
            let bytes = entries.iter().map(bytes::Bytes::len).sum();
            let (judged, needs, next) = working(bytes, move || {
                let entries: Vec<&[u8]> = entries.iter().map(AsRef::as_ref).collect();
                match state.take_many(first, &entries, &chain) {
                    Ok(judged) => (judged, None, state),
                    Err(needs) => (needs.taken, Some(needs.n), state),
                }
            })
            .await;
            state = next;
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

    async fn state(&self, origin: &Origin) -> Result<LogState, IndexError> {
        let state = self.index.state(origin).await?;
        Ok(state.unwrap_or_else(|| LogState::new(origin.clone())))
    }

    /// As many entries as one turn takes, and one at least.
    async fn some_entries(
        &self,
        origin: &Origin,
        first: u64,
        size: u64,
    ) -> Result<Vec<bytes::Bytes>, IndexError> {
        let end = size.min(first + ENTRIES);
        let (mut entries, mut bytes) = (Vec::new(), 0);
        let mut next = first;
        while next < end && bytes < BYTES {
            let until = end.min((next / BUNDLE + 1) * BUNDLE);
            for entry in self.source.entries(origin, next..until).await? {
                if bytes >= BYTES {
                    break;
                }
                bytes += entry.len();
                entries.push(entry);
            }
            next = until;
        }
        Ok(entries)
    }

    /// Takes a batch that begins where the index ends, or before.
    async fn take_next(&self, batch: &Batch<'_>) -> Result<(), IndexError> {
        let done = self.index.size_of(batch.origin).await?;
        let mut opener = Opener::new(self.source);
        let mut ready = Vec::with_capacity(batch.judged.len());
        for judged in batch.judged.iter().filter(|judged| judged.index >= done) {
            ready.push(Ready::open(&mut opener, judged).await?);
        }
        let (Some(first), Some(last)) = (ready.first(), ready.last()) else { return Ok(()) };
        let range = first.judged.index..last.judged.index + 1;
        let seen = self.source.first_seen(batch.origin, range).await?;
        let next = left_open(&ready);
        let is_measured = self.writer().await.take(batch, ready, &seen).await?;
        let origin = batch.origin.to_string();
        for (pos, lacks) in next {
            // What it lacked may have come while its row was not there to be found.
            let has_come = match lacks {
                Some(lacks) => self.source.has_blob(&lacks).await?,
                None => true,
            };
            if has_come {
                self.deferring().look_again((&origin, pos), None).await?;
            }
        }
        if is_measured { Ok(()) } else { self.deferring().seen(batch.origin).await }
    }

    /// A file has come: what waits for it is looked at again. One that is a witness policy lets the witness files of its
    /// logs be read.
    pub async fn blob(&self, hash: &Hash) -> Result<(), IndexError> {
        for (origin, pos) in self.index.waiting_for(hash).await? {
            self.look_again((&origin, pos), Some(hash)).await?;
        }
        self.policy_came(hash).await
    }

    /// Looks again at an entry of an author that waits, of which something is here.
    async fn open_what_waits(&self, author: &Authority) -> Result<(), IndexError> {
        let sql = "select e.origin, e.pos from entry e join log l on l.origin = e.origin
                   where e.content in (0, 6) and e.valid = 1 and l.authority = $1 order by e.origin, e.pos";
        for row in self.index.db().rows(sql, &[author.as_str().into()]).await? {
            let (origin, pos) = (row.text(0)?, row.uint(1)?);
            if self.has_any_file((&origin, pos)).await? {
                self.deferring().look_again((&origin, pos), None).await?;
            }
        }
        Ok(())
    }

    async fn has_any_file(&self, (origin, pos): Place<'_>) -> Result<bool, IndexError> {
        let sql = "select b.sha256 from blob b join entry e on e.origin = b.origin and e.pos = b.pos
                   where b.origin = $1 and b.pos = $2 and (e.sealed = 0 or b.n >= 1000) order by b.n";
        debug_assert_eq!(OUTER, 1000, "as the query says");
        for row in self.index.db().rows(sql, &[origin.into(), super::rows::int(pos)]).await? {
            if let Ok(hash) = Hash::from_hex(&row.text(0)?)
                && self.source.has_blob(&hash).await?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Opens an entry that is here with what has come since: with one file, or with all that are here.
    pub async fn look_again(&self, place: Place<'_>, came: Option<&Hash>) -> Result<(), IndexError> {
        let mut next = vec![(place.0.to_owned(), place.1)];
        let mut came = came;
        while let Some((origin, pos)) = next.pop() {
            next.extend(self.look_once((&origin, pos), came).await?);
            // Its other places are looked at whole.
            came = None;
        }
        match place.0.parse::<Origin>() {
            Ok(origin) => self.settled(&origin.authority).await,
            Err(_) => Ok(()),
        }
    }

    async fn look_once(
        &self,
        place: Place<'_>,
        came: Option<&Hash>,
    ) -> Result<Vec<(String, u64)>, IndexError> {
        loop {
            let built = self.index.built();
            let entry = self.index.entry(self.source, place).await?;
            let Some((record, row)) = entry.filter(|(_, row)| row.is_open()) else { return Ok(Vec::new()) };
            let part = match came {
                Some(hash) if row.content != CLOSED => Part::One(*hash),
                _ => Part::Whole,
            };
            let is_large = record.header.blobs.iter().any(|blob| blob.size > LARGE);
            // Nobody closes it.
            let _alone = if is_large { self.index.large.acquire().await.ok() } else { None };
            let opening = Opener::new(self.source).open(&record, row.root, part).await?;
            let mut loaded = None;
            if let Opening::Open { inner, content: Some(content), .. } = &opening
                && content.len() > SMALL
                && row.content != DONE
            {
                let header = inner.as_deref().unwrap_or(&record.header);
                loaded = match self.load(place, (&record, header), row.standing, content).await? {
                    Ok(loaded) => loaded,
                    Err(Replaced) => continue,
                };
            }
            let again = Again { record: &record, opening, loaded, is_whole: matches!(part, Part::Whole) };
            let mut writer = self.writer().await;
            if again.loaded.is_none() || self.index.built() == built {
                return writer.opened(place, again).await;
            }
        }
    }

    /// Brings the index up to what another one was told of others' logs: that is stored, though the source may say so
    /// only in a moment.
    async fn reach_told(&self, other: &Index) -> Result<(), IndexError> {
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
        for author in self.authors().await? {
            self.settled(&author).await?;
        }
        Ok(())
    }

    /// Brings an index that was made anew up to what came meanwhile, and to what the one was told that it replaces.
    pub(super) async fn reach_rest(&self, replaced: &Index) -> Result<(), IndexError> {
        self.reach_authors().await?;
        self.receipts().await?;
        self.reach_told(replaced).await
    }
}

/// Entries that are not done: files of them are here that were not looked at, or the one that is lacking was not here.
fn left_open(ready: &[Ready<'_>]) -> Vec<(u64, Option<Hash>)> {
    let mut next = Vec::new();
    for item in ready {
        let Some(record) = item.record() else { continue };
        let blobs = &record.header.blobs;
        let lacks = match &item.opening {
            Some(Opening::Open { has_more: true, .. }) => None,
            Some(Opening::Closed) => blobs.first().map(|blob| blob.sha256),
            Some(Opening::Open { inner: None, content: None, .. }) => {
                desks::wanted(&record.header).map(|blob| blob.sha256)
            }
            Some(Opening::Open { inner: Some(inner), content: None, .. }) => {
                // Behind the inner header, in the order of its lines.
                let place = desks::wanted(inner)
                    .and_then(|wanted| inner.blobs.iter().position(|blob| blob.sha256 == wanted.sha256));
                place.and_then(|place| blobs.get(place + 1)).map(|blob| blob.sha256)
            }
            _ => continue,
        };
        next.push((item.judged.index, lacks));
    }
    next
}
