//! The index follows what is stored: what came of one author in the order in which it came, all authors at the same time.
//!
//! Nothing waits for it but the pages. What costs the index much holds up who released it, and nobody else. Of entries it holds
//! no more than a fixed amount in memory, because they can be read from the disk again; of everything else a few words.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use federate::Input;
use federate::engine::{Commit, Event};
use record::{Authority, Origin};
use tlog::hash::Hash;
use tokio::task::JoinHandle;

use super::stores::Failure;
use crate::index::{Batch, LogHead, Receipt};
use crate::node::Node;

/// The most bytes of verified entries that are kept for the index, of all authors together. Others it reads again.
const CARRIED: usize = 8 << 20;
/// The most of one batch: more is taken in several turns.
const CARRIED_TOGETHER: usize = 1 << 20;

/// While something comes all the time, what stands is settled this often.
const AT_LEAST: Duration = Duration::from_secs(5);

/// What the index is to be told of one author.
#[derive(Debug)]
enum News {
    /// Something was stored.
    Stored(Event),
    /// A file has come that an entry of this author waits for. Another author's record named it too.
    Named { origin: String, pos: u64, sha256: Hash },
    /// Everything, of whatever was stored before.
    All,
}

/// What waits for the index of one author, and who takes it there.
#[derive(Debug, Default)]
struct Queue {
    news: VecDeque<News>,
    task: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Queues {
    of: BTreeMap<Authority, Queue>,
    /// Bytes of entries in them.
    carried: usize,
    /// Whom the index was not brought up to at the start.
    left: BTreeSet<Authority>,
    has_ended: bool,
}

/// What waits for the index.
#[derive(Debug, Default)]
pub struct Following(Mutex<Queues>);

impl Following {
    fn queues(&self) -> MutexGuard<'_, Queues> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many things of each author wait, for those of whom any does.
    pub fn waiting(&self) -> BTreeMap<Authority, usize> {
        let queues = self.queues();
        let waiting = queues.of.iter().map(|(author, queue)| (author.clone(), queue.news.len() + 1));
        waiting.collect()
    }

    /// Everything of an author is to be looked at as soon as the exchange runs.
    pub fn leave(&self, author: Authority) {
        self.queues().left.insert(author);
    }

    /// Looks at everything of those who were left at the start.
    pub(super) fn catch_up(&self, node: &Arc<Node>) {
        let left = std::mem::take(&mut self.queues().left);
        for author in left {
            self.tell(node, author, News::All);
        }
    }

    /// Something was stored.
    pub(super) fn push(&self, node: &Arc<Node>, mut event: Event) {
        let author = match &event {
            Event::Entries(commit) => commit.origin.authority.clone(),
            Event::Seen { origin, .. } | Event::Blob { origin, .. } => origin.authority.clone(),
            Event::Receipt { authority, .. } | Event::Root { authority, .. } => authority.clone(),
            Event::Measure { author, .. } => author.clone(),
            Event::Unfetched(record) => {
                let (origin, index, why) = (&record.origin, record.index, record.why.as_str());
                tracing::warn!(%origin, index, why, "something of a record cannot be had");
                return;
            }
        };
        if let Event::Entries(commit) = &mut event {
            let bytes = carried(commit);
            let mut queues = self.queues();
            if bytes > CARRIED_TOGETHER || queues.carried + bytes > CARRIED {
                commit.judged = Vec::new();
            } else {
                queues.carried += bytes;
            }
        }
        self.tell(node, author, News::Stored(event));
    }

    fn tell(&self, node: &Arc<Node>, author: Authority, news: News) {
        let mut queues = self.queues();
        if queues.has_ended {
            return;
        }
        let queue = queues.of.entry(author.clone()).or_default();
        // What revokes does not wait for what it revokes.
        if matches!(news, News::Stored(Event::Root { .. })) {
            queue.news.push_front(news);
        } else {
            queue.news.push_back(news);
        }
        // One that broke off is begun anew: with the next news.
        if queue.task.as_ref().is_none_or(JoinHandle::is_finished) {
            queue.task = Some(tokio::spawn(follow(node.clone(), author)));
        }
    }

    /// Whether nothing more of an author waits.
    fn has_none(&self, author: &Authority) -> bool {
        self.queues().of.get(author).is_none_or(|queue| queue.news.is_empty())
    }

    /// The next of an author; `None` ends its task.
    fn next(&self, author: &Authority) -> Option<News> {
        let mut queues = self.queues();
        let Some(news) = queues.of.get_mut(author).and_then(|queue| queue.news.pop_front()) else {
            queues.of.remove(author);
            return None;
        };
        if let News::Stored(Event::Entries(commit)) = &news {
            queues.carried = queues.carried.saturating_sub(carried(commit));
        }
        Some(news)
    }

    /// Stops at once. What the index was not told it reads at the next start.
    pub async fn end(&self) {
        let tasks: Vec<JoinHandle<()>> = {
            let mut queues = self.queues();
            queues.has_ended = true;
            let all = std::mem::take(&mut queues.of);
            all.into_values().filter_map(|queue| queue.task).collect()
        };
        for task in tasks {
            task.abort();
            let _ = task.await;
        }
    }
}

/// What the entries of a batch take in memory, about: their bytes, and what was read out of them.
fn carried(commit: &Commit) -> usize {
    let bytes = |judged: &record::Judged| 2 * judged.record().map_or(0, |record| record.bytes.len()) + 512;
    commit.judged.iter().map(bytes).sum()
}

async fn follow(node: Arc<Node>, author: Authority) {
    let mut settled = Instant::now();
    loop {
        // What takes long to settle is settled once for all that came together.
        if node.following.has_none(&author) || settled.elapsed() > AT_LEAST {
            let done = node.index.follower(&*node).settle_rest(&author).await;
            told(done.map_err(Failure::from));
            settled = Instant::now();
        }
        let Some(news) = node.following.next(&author) else { return };
        told(match news {
            News::Stored(event) => happened(&node, event).await,
            News::Named { origin, pos, sha256 } => {
                let follower = node.index.follower(&*node).deferring();
                follower.look_again((&origin, pos), Some(&sha256)).await.map_err(Failure::from)
            }
            News::All => node.reach_whole(&author).await.map_err(Failure::from),
        });
    }
}

fn told(done: Result<(), Failure>) {
    if let Err(error) = done {
        tracing::error!(%error, "the index could not follow; `concord rebuild` makes it anew");
    }
}

/// What is true now: the index and the pages follow.
async fn happened(node: &Arc<Node>, event: Event) -> Result<(), Failure> {
    let follower = node.index.follower(&**node).deferring();
    match event {
        Event::Entries(commit) => entries(node, &commit).await?,
        Event::Seen { origin, replaces: true, .. } => follower.measure_again(&origin).await?,
        Event::Seen { origin, .. } => follower.seen(&origin).await?,
        Event::Blob { origin, sha256 } => file(node, &origin, &sha256).await?,
        Event::Receipt { origin, authority, size, time, .. } => {
            let receipt = Receipt { authority: authority.to_string(), size, time };
            node.index.writer(&**node).await.received(&origin, &receipt).await?;
        }
        Event::Measure { author, awaited } => {
            let bytes = node.index.used_by(&author).await?.saturating_sub(awaited);
            node.tell(Input::Used { author, bytes });
        }
        Event::Root { authority, .. } => node.roots_changed(&authority).await?,
        Event::Unfetched(_) => {}
    }
    Ok(())
}

/// A file has come: what of its author waits for it is looked at, and that of others when it is their turn.
async fn file(node: &Arc<Node>, origin: &Origin, sha256: &Hash) -> Result<(), Failure> {
    let follower = node.index.follower(&**node).deferring();
    for (log, pos) in node.index.waiting_for(sha256).await? {
        let Ok(of) = log.parse::<Origin>() else { continue };
        if of.authority == origin.authority {
            follower.look_again((&log, pos), Some(sha256)).await?;
        } else {
            let news = News::Named { origin: log, pos, sha256: *sha256 };
            node.following.tell(node, of.authority, news);
        }
    }
    follower.policy_came(sha256).await?;
    node.erase_late_file(origin, sha256).await?;
    if origin.authority == node.config.authority {
        policy_is_back(node, sha256).await?;
    }
    Ok(())
}

/// The witness policy of an own log that was fetched back: until now the engine asked no witness for that log.
async fn policy_is_back(node: &Arc<Node>, sha256: &Hash) -> Result<(), Failure> {
    for log in node.own_logs().await?.iter().filter(|log| log.policy_hash().as_ref() == Some(sha256)) {
        let head = node.own_head(&log.origin).await?;
        node.tell_engine_of_own_log(log, head).await;
    }
    Ok(())
}

async fn entries(node: &Arc<Node>, commit: &Commit) -> Result<(), Failure> {
    let own = commit.origin.authority == node.config.authority;
    let (origin, checkpoint) = (&commit.origin, commit.checkpoint.as_ref());
    let follower = node.index.follower(&**node).deferring();
    if commit.judged.is_empty() {
        let log = LogHead { origin: origin.clone(), size: commit.to, checkpoint: commit.checkpoint.clone() };
        follower.reach_size(&log).await?;
    } else {
        let batch = Batch { origin, judged: &commit.judged, state: &commit.state, checkpoint };
        follower.take(&batch).await?;
    }
    if own && commit.checkpoint.is_some() {
        node.own_log_follows(&commit.origin).await?;
        let logs = node.own_logs().await?;
        if let Some(log) = logs.iter().find(|log| log.origin == commit.origin) {
            node.tell_engine_of_own_log(log, commit.checkpoint.clone()).await;
        }
    }
    Ok(())
}
