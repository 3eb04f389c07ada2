//! Runs the engine: inputs in, outputs carried out, on a thread of its own because verification is work.
//!
//! Stores are carried out one after the other in the order in which they were asked for, and durable before
//! the engine is told. A request that fails is told as failed; nothing is dropped silently.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use federate::engine::{Answer, Commit, Event, Id, Permission, RequestId, SignRequest, Write};
use federate::{Input, Output};
use record::root::Role;
use record::{Authority, Origin, Status};
use store::Swap;
use tlog::hash::Hash;
use tokio::sync::{mpsc, oneshot};

use super::transport;
use crate::alarm::{self, Alarm};
use crate::clock;
use crate::index::{Batch, Receipt};
use crate::index_source::{HERE, here_key};
use crate::node::Node;

/// Deadlines further away than this are looked at again then.
const LONGEST_SLEEP: Duration = Duration::from_mins(1);

/// What is stored may be so many events ahead of the index. A batch of entries is one, and in memory until then.
const EVENTS_WAITING: usize = 2;

/// The most stores that go to the disk together, and their bytes: a blob alone would wait for the disk as long as many.
const TOGETHER: usize = 256;
const BYTES_TOGETHER: usize = 16 << 20;

/// The most writes of several stores that go together: fewer than cells are changed at once, so that what is wanted of
/// entries and that they are here is one change.
const WRITES_TOGETHER: usize = 8192;
/// Cells changed at once.
const CELLS_AT_ONCE: usize = 32_768;

/// A message to the engine's thread.
pub enum Message {
    /// For the engine.
    Input(Input),
    /// Told when everything before it was taken.
    Passed(oneshot::Sender<()>),
    /// The end.
    Stop,
}

/// An answer to somebody's POST.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Media type of the body.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
}

/// The way to the engine's thread.
#[derive(Clone, Debug)]
pub struct Inbox {
    sender: mpsc::UnboundedSender<Message>,
    replies: Arc<Mutex<BTreeMap<RequestId, oneshot::Sender<Reply>>>>,
    next: Arc<AtomicU64>,
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Message")
    }
}

impl Inbox {
    /// Sends a message. After the end nobody reads it, and nobody needs to.
    pub fn send(&self, message: Message) {
        let _ = self.sender.send(message);
    }

    /// Names a request and gives where its answer will come.
    pub fn expect_reply(&self) -> (RequestId, oneshot::Receiver<Reply>) {
        let request = RequestId(self.next.fetch_add(1, Ordering::Relaxed));
        let (sender, receiver) = oneshot::channel();
        let mut replies = self.replies.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // Askers that gave up are forgotten here.
        replies.retain(|_, waiting| !waiting.is_closed());
        replies.insert(request, sender);
        (request, receiver)
    }

    fn reply(&self, request: RequestId, reply: Reply) {
        let mut replies = self.replies.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(sender) = replies.remove(&request) {
            let _ = sender.send(reply);
        }
    }
}

struct StoreJob {
    id: Id,
    writes: Vec<Write>,
    events: Vec<Event>,
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

/// Starts the engine's thread and the tasks that carry out what it asks for.
///
/// # Errors
/// State cannot be read.
pub async fn run(node: &Arc<Node>) -> Result<tokio::task::JoinHandle<()>, crate::node::OpenError> {
    node.arriving.begin().await?;
    let (sender, receiver) = mpsc::unbounded_channel();
    let inbox = Inbox { sender, replies: Arc::default(), next: Arc::new(AtomicU64::new(1)) };
    let _ = node.inbox.set(inbox.clone());
    let (stores, jobs) = mpsc::unbounded_channel();
    let (stored, happenings) = mpsc::channel(EVENTS_WAITING);
    tokio::spawn(carry_out_stores(node.clone(), jobs, stored));
    tokio::spawn(follow_events(node.clone(), happenings));
    tokio::spawn(super::space::watch(node.clone()));
    // Before anything else the engine learns whom and what it works for.
    inbox.send(Message::Input(Input::OwnRoots(node.own_chain().as_ref().clone())));
    inbox.send(Message::Input(Input::Peers(node.peer_configs())));
    inbox.send(Message::Input(Input::Removed(node.removed_peers())));
    for log in node.own_logs().await? {
        let head = node.writer.head(&log.origin.to_string()).await?;
        let log = node.engine_log(&log, head).await?;
        inbox.send(Message::Input(Input::OwnLog(Box::new(log))));
    }
    for input in read_before(node).await {
        inbox.send(Message::Input(input));
    }
    let (passed, is_ready) = oneshot::channel();
    inbox.send(Message::Passed(passed));
    let (node, exchanging) = (node.clone(), node.clone());
    let runtime = tokio::runtime::Handle::current();
    let turning = tokio::task::spawn_blocking(move || turn(&node, &inbox, receiver, &stores, &runtime));
    let _ = is_ready.await;
    exchanging.exchanging.send_replace(true);
    Ok(turning)
}

/// What the index found while no exchange ran. Records are copied also where it cannot be read.
async fn read_before(node: &Node) -> Vec<Input> {
    let read = async {
        let mut inputs = erased_under_seal(node).await?;
        inputs.extend(awaited_by_desks(node).await?);
        inputs.extend(lost_before(node).await?);
        for author in node.peers().keys() {
            let (author, bytes) = (author.clone(), node.index.used_by(author).await?);
            inputs.push(Input::Used { author, bytes });
        }
        Ok::<_, store::db::DbError>(inputs)
    };
    read.await.unwrap_or_else(|error| {
        tracing::error!(%error, "what is erased elsewhere and what desks wait for is told to the exchange at the next start");
        Vec::new()
    })
}

/// Files of records that the index could not read, and for which the exchange does not wait: a disk lost them.
async fn lost_before(node: &Node) -> Result<Vec<Input>, store::db::DbError> {
    let sql =
        "select origin, pos, name from entry where content in (0, 6) and valid = 1 order by origin, pos";
    let mut inputs = Vec::new();
    for row in node.index.db().rows(sql, &[]).await? {
        let (origin, index, name) = (row.text(0)?, row.uint(1)?, row.text(2)?);
        let (Ok(origin), Ok(name)) = (origin.parse(), tlog::Hash::from_hex(&name)) else { continue };
        match node.lost_at(&origin, index, name).await {
            Ok(input) => inputs.extend(input),
            Err(error) => tracing::error!(%error, %origin, index, "whether a file was lost cannot be seen"),
        }
    }
    Ok(inputs)
}

/// What authors said under seal that they erased, and what we erased ourselves, however it was said: the exchange reads
/// only what it fetches.
async fn erased_under_seal(node: &Node) -> Result<Vec<Input>, store::db::DbError> {
    let sql = "select x.author, x.status, r.to_name from ref r join entry x on x.origin = r.origin and x.pos = r.pos
               where r.relation = 'erases' and x.kind = 'erasure' and r.to_author = x.author and x.critical = 0 and x.valid = 1
                 and ((x.sealed = 1 and x.opened = 1) or x.author = $1) order by x.author, x.status, r.to_name";
    let mut all: Vec<(Authority, Status, Vec<tlog::Hash>)> = Vec::new();
    for row in node.index.db().rows(sql, &[node.config.authority.as_str().into()]).await? {
        let (by, status) = (row.text(0)?.parse(), row.text(1)?.parse());
        let (Ok(by), Ok(status), Ok(name)) = (by, status, tlog::Hash::from_hex(&row.text(2)?)) else {
            continue;
        };
        match all.last_mut().filter(|last| last.0 == by && last.1 == status) {
            Some((_, _, names)) => names.push(name),
            None => all.push((by, status, vec![name])),
        }
    }
    Ok(all.into_iter().map(|(by, status, names)| Input::Erased { by, status, names }).collect())
}

/// The records with `expires` of which a desk waits for a part.
async fn awaited_by_desks(node: &Node) -> Result<Vec<Input>, store::db::DbError> {
    let sql = "select origin, name from entry where content in (0, 6) and content = 6 and expires is not null order by origin, pos";
    let rows = node.index.db().rows(sql, &[]).await?;
    let mut asked = Vec::with_capacity(rows.len());
    for row in rows {
        if let (Ok(origin), Ok(name)) = (row.text(0)?.parse(), tlog::Hash::from_hex(&row.text(1)?)) {
            asked.push(Input::WantBlobs { origin, name });
        }
    }
    Ok(asked)
}

fn turn(
    node: &Arc<Node>,
    inbox: &Inbox,
    mut receiver: mpsc::UnboundedReceiver<Message>,
    stores: &mpsc::UnboundedSender<StoreJob>,
    runtime: &tokio::runtime::Handle,
) {
    loop {
        let now = clock::milliseconds();
        let deadline = node.engine().next_deadline();
        let sleep = deadline.map_or(LONGEST_SLEEP, |at| Duration::from_millis(at.saturating_sub(now)));
        let message =
            runtime.block_on(async { tokio::time::timeout(sleep.min(LONGEST_SLEEP), receiver.recv()).await });
        let input = match message {
            Err(_) => Input::Tick,
            Ok(Some(Message::Input(input))) => input,
            Ok(Some(Message::Passed(asked))) => {
                let _ = asked.send(());
                continue;
            }
            Ok(Some(Message::Stop) | None) => return,
        };
        let outputs = {
            let mut engine = node.engine.write().unwrap_or_else(std::sync::PoisonError::into_inner);
            engine.handle(clock::milliseconds(), input)
        };
        for output in outputs {
            carry_out(node, inbox, output, stores, runtime);
        }
    }
}

fn carry_out(
    node: &Arc<Node>,
    inbox: &Inbox,
    output: Output,
    stores: &mpsc::UnboundedSender<StoreJob>,
    runtime: &tokio::runtime::Handle,
) {
    let (node, inbox) = (node.clone(), inbox.clone());
    let answer =
        move |inbox: Inbox, id: Id, answer: Answer| inbox.send(Message::Input(Input::Answer { id, answer }));
    match output {
        Output::Fetch { id, peer, route, etag, long_poll, signed, limit, to_disk, ahead } => {
            runtime.spawn(async move {
                let sign_ahead = signed.then_some(ahead);
                let got = if to_disk {
                    transport::fetch_to_file(&node, &peer, &route, sign_ahead, limit, id).await
                } else {
                    transport::fetch(&node, &peer, &route, etag, long_poll, sign_ahead, limit).await
                };
                answer(inbox, id, got);
            });
        }
        Output::Post { id, peer, route, body } => {
            runtime.spawn(async move {
                let got = transport::post(&node, &peer, &route, body).await;
                answer(inbox, id, got);
            });
        }
        Output::Discard { file } => {
            runtime.spawn(async move { node.arriving.discard(file).await });
        }
        Output::Read { id, paths } => {
            runtime.spawn(async move {
                let files = read(&node, &paths).await;
                inbox.send(Message::Input(Input::Read { id, files }));
            });
        }
        Output::Store { id, writes, events } => {
            let _ = stores.send(StoreJob { id, writes, events });
        }
        Output::Sign { id, what } => {
            let line = sign(&node, &what)
                .inspect_err(|error| tracing::error!(%error, "a cosignature could not be made"))
                .ok();
            inbox.send(Message::Input(Input::Signed { id, line }));
        }
        Output::Reply { request, status, content_type, body } => {
            inbox.reply(request, Reply { status, content_type, body });
        }
        Output::Alarm(found) | Output::AlarmAgain(found) => {
            // Of entries that are no records the index says which and why, in every language.
            if !matches!(found, federate::Alarm::InvalidEntry { .. }) {
                runtime.spawn(async move { alarm::raise(&*node.cells, alarm_of(&found)).await });
            }
        }
        Output::Signing { origin, permission } => {
            // Here and not in a task: what the engine says next must not be overtaken by this.
            match runtime.block_on(make_guard_again(&node, &origin, permission)) {
                Ok(()) => node.permits.set(&origin, permission.into()),
                Err(error) => {
                    tracing::error!(%error, %origin, "the guard could not be written: the log waits");
                }
            }
        }
        Output::HeadsChanged => node.tell_news(),
    }
}

fn alarm_of(found: &federate::Alarm) -> Alarm {
    let arguments = found.arguments().into_iter();
    let alarm = arguments.fold(Alarm::new(found.code()), |alarm, (name, value)| alarm.with(name, &value));
    Alarm { rung: Some(found.name()), ..alarm }
}

/// A log that may sign although its guard is missing: everybody who could know better has answered, and knows
/// of no larger head. Its guard is written from its head.
async fn make_guard_again(node: &Node, origin: &Origin, permission: Permission) -> Result<(), Failure> {
    let key = origin.to_string();
    let (Permission::May, Some(head)) = (permission, node.writer.head(&key).await?) else { return Ok(()) };
    let size = head.checkpoint.size;
    if node.writer.guard().standing(&key, Some(size))? == store::Standing::Missing {
        node.writer.guard().resume(&key, size).await?;
        node.writer.open(&key, &federate::places::own(origin)).await?;
    }
    Ok(())
}

async fn read(node: &Node, paths: &[String]) -> Vec<Option<Vec<u8>>> {
    let mut files = Vec::with_capacity(paths.len());
    for path in paths {
        match node.files.get(path).await {
            Ok(bytes) => files.push(bytes.map(|b| b.to_vec())),
            Err(error) => {
                tracing::error!(%error, path, "a file could not be read");
                files.push(None);
            }
        }
    }
    files
}

fn sign(
    node: &Node,
    what: &SignRequest,
) -> Result<tlog::NoteSignature, Box<dyn std::error::Error + Send + Sync>> {
    let (role, checkpoint, counter) = match what {
        SignRequest::Cosign(checkpoint) => (Role::Witness, checkpoint, &node.metrics.cosigned),
        SignRequest::Holds(checkpoint) => (Role::Holds, checkpoint, &node.metrics.held),
    };
    let chain = node.own_chain();
    let signer = node.identity().signer(role, chain.latest())?;
    let line = checkpoint.cosign(&signer, u64::try_from(clock::seconds())?)?;
    counter.fetch_add(1, Ordering::Relaxed);
    Ok(line)
}

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

async fn carry_out_stores(
    node: Arc<Node>,
    mut jobs: mpsc::UnboundedReceiver<StoreJob>,
    stored: mpsc::Sender<Event>,
) {
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
                if let Event::Entries(commit) = &event {
                    node.metrics.verified_entries.fetch_add(commit.to - commit.from, Ordering::Relaxed);
                }
                if stored.send(event).await.is_err() {
                    return; // The program ends.
                }
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

/// The index follows what is stored, in the same order, while more is being stored.
async fn follow_events(node: Arc<Node>, mut stored: mpsc::Receiver<Event>) {
    while let Some(event) = stored.recv().await {
        if let Err(error) = happened(&node, event).await {
            tracing::error!(%error, "the index could not follow; `concord rebuild` makes it anew");
        }
    }
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

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
            node.reload_peers().await?;
        }
        Write::Head { origin, checkpoint } => {
            let key = origin.to_string();
            let old = node.cells.get(store::log::HEAD, &key).await?;
            let head = node.writer.head(&key).await?.map_or(0, |head| head.checkpoint.size);
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
        }
        Write::Keep { path, file } => node.files.take_in(&path, &node.arriving.file(file)).await?,
        Write::File { .. } | Write::Cell { .. } => {}
    }
    Ok(())
}

/// What is true now: the index and the pages follow.
async fn happened(node: &Arc<Node>, event: Event) -> Result<(), Failure> {
    match event {
        Event::Entries(commit) => entries(node, &commit).await?,
        Event::Seen { origin, replaces, .. } => {
            let mut writer = node.index.writer(&**node).await;
            if replaces { writer.measure_again(&origin).await? } else { writer.seen(&origin).await? }
        }
        Event::Blob { origin, sha256 } => {
            node.index.writer(&**node).await.blob(Some(&sha256)).await?;
            node.erase_late_file(&origin, &sha256).await?;
            if origin.authority == node.config.authority {
                policy_is_back(node, &sha256).await?;
            }
        }
        Event::Receipt { origin, authority, size, time, .. } => {
            let receipt = Receipt { authority: authority.to_string(), size, time };
            node.index.writer(&**node).await.received(&origin, &receipt).await?;
        }
        Event::Measure { author } => {
            let bytes = node.index.used_by(&author).await?;
            node.tell(Input::Used { author, bytes });
        }
        Event::Unfetched(record) => {
            let (origin, index, why) = (record.origin, record.index, record.why.as_str());
            tracing::warn!(%origin, index, why, "something of a record cannot be had");
        }
        Event::Root { authority, version } => {
            tracing::info!(%authority, version, "a next trust root of a peer is in use");
            node.tell_engine_of_peers();
            node.roots_changed(&authority).await?;
        }
    }
    Ok(())
}

/// The witness policy of an own log that was fetched back: until now the engine asked no witness for that log.
async fn policy_is_back(node: &Arc<Node>, sha256: &Hash) -> Result<(), Failure> {
    for log in node.own_logs().await?.iter().filter(|log| log.policy_hash().as_ref() == Some(sha256)) {
        let head = node.writer.head(&log.origin.to_string()).await?;
        node.tell_engine_of_own_log(log, head).await;
    }
    Ok(())
}

async fn entries(node: &Arc<Node>, commit: &Commit) -> Result<(), Failure> {
    let own = commit.origin.authority == node.config.authority;
    let (origin, checkpoint) = (&commit.origin, commit.checkpoint.as_ref());
    let batch = Batch { origin, judged: &commit.judged, state: &commit.state, checkpoint };
    node.index.writer(&**node).await.take(&batch).await?;
    if own && commit.checkpoint.is_some() {
        node.own_log_follows(&commit.origin).await?;
        let logs = node.own_logs().await?;
        if let Some(log) = logs.iter().find(|log| log.origin == commit.origin) {
            node.tell_engine_of_own_log(log, commit.checkpoint.clone()).await;
        }
    }
    Ok(())
}
