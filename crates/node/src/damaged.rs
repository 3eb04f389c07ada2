//! Logs of which a file on this disk is not what their signed roots say: found where entries are read, named, and fetched back.
//!
//! Nobody is blamed for it but the disk. Own logs are the engine's to fetch back; copies of others' are fetched here, file by
//! file, and stored when the signed root vouches for them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use federate::engine::Answer;
use federate::{LogFile, Route};
use record::{Authority, Origin};
use store::{LogError, LogReader};
use tlog::tile::FULL_WIDTH;
use tlog::{Hash, TileId};
use tokio::sync::Notify;

use crate::alarm::{self, Alarm};
use crate::exchange::fetch;
use crate::index::{IndexError, Source as _};
use crate::node::Node;

/// Peers who had nothing to give are asked again after this time, then after twice as long, and so on.
const SOON: Duration = Duration::from_secs(2);
const LATER: Duration = Duration::from_mins(10);
/// The most files of a log that are fetched back together, and their bytes: they are in memory until the root vouches for them.
const MOST: usize = 1024;
const MOST_BYTES: usize = 64 << 20;

/// The space of logs that are known to be damaged here: who opens the node next knows it too. Key: origin.
const SPACE: &str = "damaged";

/// Copies of others' logs that are damaged here.
#[derive(Default)]
pub struct Damaged {
    /// Each with whether it is set aside: the index goes on without what it has not read of it.
    copies: Mutex<BTreeMap<Origin, bool>>,
    /// Archived checkpoints that are damaged or missing, of any log.
    archived: Mutex<BTreeSet<(Origin, LogFile)>>,
    found: Notify,
}

impl Damaged {
    fn copies(&self) -> MutexGuard<'_, BTreeMap<Origin, bool>> {
        self.copies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn archived(&self) -> MutexGuard<'_, BTreeSet<(Origin, LogFile)>> {
        self.archived.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the index reads nothing of a log until it is whole again.
    pub fn is_set_aside(&self, origin: &Origin) -> bool {
        self.copies().get(origin) == Some(&true)
    }

    /// Sets a log aside; false if it is already.
    fn set_aside(&self, origin: &Origin) -> bool {
        self.copies().insert(origin.clone(), true) != Some(true)
    }

    /// Notes that an archived checkpoint must be fetched back; false if that is known.
    pub(crate) fn archive_found(&self, origin: &Origin, file: LogFile) -> bool {
        let is_new = self.archived().insert((origin.clone(), file));
        self.found.notify_one();
        is_new
    }

    /// Archived checkpoints that must be fetched back.
    pub(crate) fn archive(&self) -> BTreeSet<(Origin, LogFile)> {
        self.archived().clone()
    }

    /// One of them is as it should be, or nobody has it.
    pub(crate) fn archive_mended(&self, origin: &Origin, file: &LogFile) {
        self.archived().remove(&(origin.clone(), file.clone()));
    }

    fn found(&self, origin: &Origin) {
        self.copies().entry(origin.clone()).or_insert(false);
        self.found.notify_one();
    }
}

impl Node {
    /// Entries of a log, each of which its signed root vouches for. Beyond what is known to be stored it is only seen that
    /// entries and tiles say the same.
    pub(crate) async fn vouched_entries(
        &self,
        origin: &Origin,
        range: Range<u64>,
    ) -> Result<Vec<Bytes>, IndexError> {
        let first = range.start;
        let unreadable = || IndexError::Damaged { origin: origin.to_string(), index: first };
        let read = match self.tree_here(origin).await? {
            Some((size, root)) if range.end <= size => {
                self.reader_of(origin, size).read_vouched(range, root).await
            }
            _ => {
                return self.reader_of(origin, range.end).read_entries(range).await.map_err(|_| unreadable());
            }
        };
        match read {
            Err(error) if error.is_damage() => {
                let path = named(&error).map_or_else(|| self.prefix_of(origin), str::to_owned);
                self.damage_found(origin, &path).await;
                let path = self.shown_path(&path);
                Err(IndexError::DamagedFile { origin: origin.to_string(), index: first, path })
            }
            read => read.map_err(|error| IndexError::Source(error.into())),
        }
    }

    /// Size and root that the files of a log here must have: of an own one the newest that is published, of a copy what the
    /// exchange verified and stored.
    async fn tree_here(&self, origin: &Origin) -> Result<Option<(u64, Hash)>, IndexError> {
        if origin.authority != self.config.authority {
            return Ok(self.engine().stored_tree(origin));
        }
        let head = self.own_head(origin).await.map_err(|error| IndexError::Source(error.into()))?;
        let Some(head) = head.map(|head| head.checkpoint) else { return Ok(None) };
        // Its tiles are at their places a moment after it.
        let published =
            self.log(origin).await?.and_then(|log| log.checkpoint).map(|published| published.checkpoint);
        Ok(Some(match published {
            Some(published) if published.size < head.size => (published.size, published.root),
            _ => (head.size, head.root),
        }))
    }

    /// Where a file below the root of the files lies, as it is shown to an operator.
    pub(crate) fn shown_path(&self, path: &str) -> String {
        let files = self.config.resolve(&self.config.storage.files);
        let files = files.strip_prefix("file:").unwrap_or(&files).trim_end_matches('/');
        format!("{files}/{path}")
    }

    /// Says that a file of a log is damaged, and has it fetched back.
    pub(crate) async fn damage_found(&self, origin: &Origin, path: &str) {
        tracing::error!(%origin, path, "a file of a log is damaged on this disk");
        self.alarm_damaged(origin).await;
        self.mark_damaged(origin, true).await;
        if origin.authority == self.config.authority {
            self.tell(federate::Input::Damaged { origin: origin.clone() });
        } else {
            self.damaged.found(origin);
        }
    }

    /// Notes whether a log is damaged here.
    pub(crate) async fn mark_damaged(&self, origin: &Origin, is_damaged: bool) {
        let key = origin.to_string();
        let marked = async {
            let old = self.cells.get(SPACE, &key).await?;
            let new = is_damaged.then(Vec::new);
            if old != new {
                self.cells.swap(SPACE, &key, old, new).await?;
            }
            Ok::<_, store::CellsError>(())
        };
        if let Err(error) = marked.await {
            tracing::error!(%error, %origin, "whether a log is damaged could not be noted");
        }
    }

    /// Looks again at logs that were damaged when somebody looked last: in an own one that still is, nothing is signed.
    pub(crate) async fn look_at_damaged(&self) -> Result<(), LogError> {
        let marked = self.cells.scan(SPACE, "", None, crate::heads::PAGE).await?;
        for origin in marked.iter().filter_map(|(key, _)| key.parse::<Origin>().ok()) {
            if origin.authority != self.config.authority {
                self.damaged.found(&origin);
            } else if damage_of(self, &origin).await?.1.is_empty() {
                self.mark_damaged(&origin, false).await;
            } else {
                self.permits.set_damaged(&origin, true);
            }
        }
        Ok(())
    }

    pub(crate) async fn alarm_damaged(&self, origin: &Origin) {
        let place = self.prefix_of(origin);
        let alarm = Alarm::new("alarm-log-damaged").with("origin", &origin.to_string()).with("place", &place);
        alarm::raise(&*self.cells, alarm).await;
    }

    /// Brings the index up to what is here of an author. A log that is damaged is set aside until it is whole again: it holds
    /// up no start, and none of the others.
    pub async fn reach_whole(&self, author: &Authority) -> Result<(), IndexError> {
        loop {
            let error = match self.index.follower(self).reach_author(author).await {
                Err(error @ IndexError::DamagedFile { .. }) => error,
                done => return done,
            };
            let IndexError::DamagedFile { origin, .. } = &error else { return Err(error) };
            let Ok(origin) = origin.parse::<Origin>() else { return Err(error) };
            let is_new = if origin.authority == self.config.authority {
                let is_new = !self.permits.is_damaged(&origin);
                self.permits.set_damaged(&origin, true);
                is_new
            } else {
                self.damaged.set_aside(&origin)
            };
            if !is_new {
                return Err(error);
            }
            tracing::error!(%error, "the index goes on without what it has not read of this log");
        }
    }

    /// Fetches back what is damaged of copies; answers with those that still are.
    pub async fn mend_copies(&self) -> Vec<Origin> {
        let damaged: Vec<Origin> = self.damaged.copies().keys().cloned().collect();
        let mut left = Vec::new();
        for origin in damaged {
            match self.mend_copy(&origin).await {
                Ok(true) => {
                    tracing::info!(%origin, "what was damaged of a copy was fetched back");
                    self.damaged.copies().remove(&origin);
                    self.mark_damaged(&origin, false).await;
                    let follower = self.index.follower(self);
                    if let Err(error) = follower.reach_author(&origin.authority).await {
                        tracing::error!(%error, %origin, "the index could not go on in a copy that is whole again");
                    }
                }
                Ok(false) => left.push(origin),
                Err(error) => {
                    tracing::error!(%error, %origin, "a damaged copy could not be mended");
                    left.push(origin);
                }
            }
        }
        left
    }

    /// Whether every file of a copy is what its root says, after what is not was fetched from whoever has it.
    async fn mend_copy(&self, origin: &Origin) -> Result<bool, LogError> {
        let Some((size, root)) = self.engine().stored_tree(origin) else { return Ok(true) };
        let reader = self.reader_of(origin, size);
        let mut fetched: BTreeMap<String, Bytes> = BTreeMap::new();
        loop {
            let damaged = reader.with(fetched.clone()).damage(root).await?;
            if damaged.is_empty() {
                return self.store_mended(fetched).await.map(|()| true);
            }
            let wanted: Vec<String> =
                damaged.into_iter().filter(|path| !fetched.contains_key(path)).collect();
            let bytes: usize = fetched.values().map(Bytes::len).sum();
            if fetched.len() + wanted.len() > MOST || bytes > MOST_BYTES {
                tracing::error!(%origin, "so much of a copy is damaged that its folder must be put back from a backup");
                return Ok(false);
            }
            let before = fetched.len();
            for path in wanted {
                let file = path.strip_prefix(&self.prefix_of(origin)).and_then(|path| file_of(path, size));
                if let Some(file) = file
                    && let Some((_, bytes)) = self.fetch_file_from(origin, &file, false).await
                {
                    fetched.insert(path, bytes);
                }
            }
            if fetched.len() == before {
                return Ok(false);
            }
        }
    }

    /// The exchange may have written more of a file that grows meanwhile: that one stays.
    async fn store_mended(&self, files: BTreeMap<String, Bytes>) -> Result<(), LogError> {
        for (path, bytes) in files {
            let length = bytes.len();
            self.files.put_unless(&path, bytes, &|present| present.len() > length).await?;
        }
        Ok(())
    }

    /// A file of a log from its author, or from whoever else has it, with who that was.
    pub(crate) async fn fetch_file_from(
        &self,
        origin: &Origin,
        file: &LogFile,
        from_author: bool,
    ) -> Option<(Authority, Bytes)> {
        let health = self.engine().peer_health();
        let skew = |authority: &Authority| {
            health.iter().find(|peer| peer.authority == *authority).and_then(|peer| peer.skew).unwrap_or(0)
        };
        let known = self.confirmed_peers().into_iter().map(|known| known.peer.authority);
        let mut peers: Vec<(Authority, i64)> = known.map(|peer| (peer.clone(), skew(&peer))).collect();
        peers.retain(|(peer, _)| !from_author || *peer == origin.authority);
        peers.sort_by_key(|(peer, _)| *peer != origin.authority);
        for (peer, skew) in peers {
            for wanted in [Some(file.clone()), file.full()].into_iter().flatten() {
                let route = if peer == origin.authority {
                    Route::log(origin, wanted.clone())
                } else {
                    Route::mirror(origin, wanted.clone())
                };
                let answer = fetch(self, &peer, &route, None, false, Some(skew), wanted.limit()).await;
                if let Answer::Response { status: 200, body, .. } = answer
                    && let Some(cut) = federate::serve::Cut::of(file).apply(&body)
                {
                    return Some((peer, Bytes::copy_from_slice(cut)));
                }
            }
        }
        None
    }
}

/// Mends copies whenever damage is found, and later again where nobody had what is missing.
pub async fn mend(node: Arc<Node>) {
    let mut wait = SOON;
    loop {
        let is_left = node.mend_archived().await | !node.mend_copies().await.is_empty();
        let found = node.damaged.found.notified();
        if is_left {
            let _ = tokio::time::timeout(wait, found).await;
            wait = LATER.min(wait * 2);
        } else {
            found.await;
            wait = SOON;
        }
    }
}

/// The file that an error names.
fn named(error: &LogError) -> Option<&str> {
    match error {
        LogError::Damaged { path } | LogError::MissingFile { path } | LogError::Staging { path, .. } => {
            Some(path)
        }
        _ => None,
    }
}

/// The tile or bundle at a path below a log's prefix, as wide as it is in a log of a size.
fn file_of(path: &str, size: u64) -> Option<LogFile> {
    match LogFile::parse(path)? {
        LogFile::Tile(tile) => TileId::in_tree(tile.level, tile.index, size).map(LogFile::Tile),
        LogFile::Entries { index, .. } => {
            let entries =
                size.checked_sub(index.checked_mul(u64::from(FULL_WIDTH))?)?.min(u64::from(FULL_WIDTH));
            Some(LogFile::Entries { index, width: u16::try_from(entries).ok().filter(|width| *width > 0)? })
        }
        _ => None,
    }
}

/// A log whose files are all of the tree that is said of them here.
pub(crate) async fn damage_of(node: &Node, origin: &Origin) -> Result<(u64, Vec<String>), LogError> {
    if origin.authority == node.config.authority {
        return node.writer.damage(&origin.to_string(), &federate::places::own(origin)).await;
    }
    let Some((size, root)) = node.engine().stored_tree(origin) else { return Ok((0, Vec::new())) };
    let reader: LogReader = node.reader_of(origin, size);
    Ok((size, reader.damage(root).await?))
}
