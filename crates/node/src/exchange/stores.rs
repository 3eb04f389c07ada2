//! Carries out what the engine wants kept: one store after the other in the order in which they were asked for, and durable
//! before the engine is told.
//!
//! What is true then goes to [`super::Following`], which nothing here waits for. A store that fails is told as failed;
//! nothing is dropped silently.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use federate::Input;
use federate::engine::{Event, Id, Write};
use store::Swap;
use tokio::sync::mpsc;

use crate::clock;
use crate::index_source::{HERE, here_key};
use crate::node::Node;

/// The most stores that go to the disk together, and their bytes: a blob alone would wait for the disk as long as many.
const TOGETHER: usize = 256;
const BYTES_TOGETHER: usize = 16 << 20;

/// The most writes of several stores that go together: fewer than cells are changed at once, so that what is wanted of
/// entries and that they are here is one change.
const WRITES_TOGETHER: usize = 8192;
/// Cells changed at once.
const CELLS_AT_ONCE: usize = 32_768;

/// Something to be kept, and what is true then.
pub(super) struct StoreJob {
    pub id: Id,
    pub writes: Vec<Write>,
    pub events: Vec<Event>,
}

impl StoreJob {
    /// Files and cells of several stores may become durable together, files first, as in each of them.
    fn is_plain(&self) -> bool {
        self.writes.iter().all(|write| matches!(write, Write::File { .. } | Write::Cell { .. }))
    }

    fn bytes(&self) -> usize {
        let sizes = self.writes.iter().map(|write| match write {
            Write::File { bytes, .. } => bytes.len(),
            _ => 0,
        });
        sizes.sum()
    }
}

pub(super) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The next store, and those that wait behind it and may go with it; `next` is one that may not.
async fn next_stores(
    jobs: &mut mpsc::UnboundedReceiver<StoreJob>,
    next: &mut Option<StoreJob>,
) -> Option<Vec<StoreJob>> {
    let first = match next.take() {
        Some(job) => job,
        None => jobs.recv().await?,
    };
    let (mut bytes, mut writes, mut group) = (first.bytes(), first.writes.len(), vec![first]);
    let may_join = group.iter().all(StoreJob::is_plain);
    while may_join && group.len() < TOGETHER && bytes < BYTES_TOGETHER {
        let Ok(job) = jobs.try_recv() else { break };
        writes += job.writes.len();
        if !job.is_plain() || writes > WRITES_TOGETHER {
            *next = Some(job);
            break;
        }
        bytes += job.bytes();
        group.push(job);
    }
    Some(group)
}

/// Carries stores out until nobody asks for any more.
pub(super) async fn carry_out(node: Arc<Node>, mut jobs: mpsc::UnboundedReceiver<StoreJob>) {
    let mut next = None;
    while let Some(mut group) = next_stores(&mut jobs, &mut next).await {
        let is_one = group.len() == 1;
        let mut writes: Vec<Write> =
            group.iter_mut().flat_map(|job| std::mem::take(&mut job.writes)).collect();
        // When they were first verified here is known as soon as they are.
        writes.extend(group.iter().flat_map(|job| &job.events).filter_map(first_seen));
        if !is_one {
            // Stable: files, then cells, each in their order.
            writes.sort_by_key(|write| !matches!(write, Write::File { .. }));
        }
        let files: Vec<Id> = writes.iter().filter_map(arrived).collect();
        let result = store(&node, writes).await;
        if result.is_err() {
            // It is fetched again.
            for file in files {
                node.arriving.discard(file).await;
            }
        }
        for job in group {
            node.tell(match &result {
                Ok(()) => Input::Stored { id: job.id },
                Err(error) => {
                    tracing::error!(%error, "what was verified could not be stored; it is tried again");
                    Input::StoreFailed { id: job.id }
                }
            });
            if result.is_err() {
                continue;
            }
            for event in job.events {
                match &event {
                    Event::Entries(commit) => {
                        node.metrics.verified_entries.fetch_add(commit.to - commit.from, Ordering::Relaxed);
                    }
                    Event::Root { authority, version } => {
                        tracing::info!(%authority, version, "a next trust root of a peer is in use");
                        node.tell_engine_of_peers();
                    }
                    _ => {}
                }
                node.following.push(&node, event);
            }
        }
    }
}

fn arrived(write: &Write) -> Option<Id> {
    match write {
        Write::Keep { file, .. } => Some(*file),
        _ => None,
    }
}

/// The cell that says since when entries are here.
fn first_seen(event: &Event) -> Option<Write> {
    let Event::Entries(commit) = event else { return None };
    let key = here_key(&commit.origin, commit.to);
    Some(Write::Cell { space: HERE, key, value: Some(clock::seconds().to_string().into_bytes()) })
}

async fn store(node: &Node, writes: Vec<Write>) -> Result<(), Failure> {
    let mut files: Vec<(String, bytes::Bytes)> = Vec::new();
    let mut cells: Vec<Swap> = Vec::new();
    let mut places: HashMap<(&'static str, String), usize> = HashMap::new();
    let mut written: HashMap<String, usize> = HashMap::new();
    for write in writes {
        // Order matters: what comes before something of another kind is durable before it.
        if !matches!(write, Write::Cell { .. }) {
            flush(node, &mut cells).await?;
            places.clear();
        }
        if !matches!(write, Write::File { .. }) && !files.is_empty() {
            node.files.put_all(std::mem::take(&mut files)).await?;
            written.clear();
        }
        match write {
            Write::File { path, bytes } => {
                let earlier = written.get(&path).and_then(|place| files.get_mut(*place));
                if let Some((_, earlier)) = earlier {
                    // A tile that grew meanwhile is written once.
                    *earlier = bytes.into();
                    continue;
                }
                written.insert(path.clone(), files.len());
                files.push((path, bytes.into()));
            }
            Write::Cell { space, key, value } => {
                let earlier = places.get(&(space, key.clone())).and_then(|place| cells.get_mut(*place));
                if let Some(earlier) = earlier {
                    earlier.new = value;
                    continue;
                }
                places.insert((space, key.clone()), cells.len());
                let old = node.cells.get(space, &key).await?;
                cells.push(Swap::new(space, &key, old, value));
            }
            other => store_one(node, other).await?,
        }
    }
    node.files.put_all(files).await?;
    flush(node, &mut cells).await
}

async fn flush(node: &Node, cells: &mut Vec<Swap>) -> Result<(), Failure> {
    if cells.is_empty() {
        return Ok(());
    }
    // In their order: that entries are here is said after what is wanted of them.
    for some in std::mem::take(cells).chunks(CELLS_AT_ONCE) {
        if !node.cells.swap_all(some).await? {
            return Err("a cell of the exchange was changed by somebody else".into());
        }
    }
    Ok(())
}

async fn store_one(node: &Node, write: Write) -> Result<(), Failure> {
    match write {
        Write::Root { authority, version, bytes } => {
            let known = node.peers().get(&authority).cloned().ok_or("the root of an unknown authority")?;
            let mut chain = known.chain.clone();
            if chain.latest().version < version {
                chain.extend(&bytes)?;
            }
            crate::peers::save_roots(&*node.cells, &chain).await?;
            // The index is told of it as of everything else.
            node.read_peers().await?;
        }
        Write::Head { origin, checkpoint } => {
            let key = origin.to_string();
            let old = node.cells.get(store::log::HEAD, &key).await?;
            let head = node.own_head(&origin).await?.map_or(0, |head| head.checkpoint.size);
            if checkpoint.checkpoint.size < head {
                return Err("what was fetched back of an own log ends before its head".into());
            }
            if !node.cells.swap(store::log::HEAD, &key, old, Some(checkpoint.to_bytes())).await? {
                return Err("the head of an own log moved while it was fetched back".into());
            }
            node.writer.guard().resume(&key, checkpoint.checkpoint.size).await?;
            // The writer opened the log at its old head; the next append starts from this one.
            node.writer.open(&key, &federate::places::own(&origin)).await?;
            node.permits.set_damaged(&origin, false);
            node.mark_damaged(&origin, false).await;
        }
        Write::Keep { path, file } => node.files.take_in(&path, &node.arriving.file(file)).await?,
        Write::File { .. } | Write::Cell { .. } => {}
    }
    Ok(())
}
