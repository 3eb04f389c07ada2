//! Runs the engine: inputs in, outputs carried out, on a thread of its own because verification is work.
//!
//! A request that fails is told as failed; nothing is dropped silently. What is kept is carried out by [`super::stores`].

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use federate::engine::{Answer, Id, Permission, RequestId, SignRequest};
use federate::{Input, Output};
use record::root::Role;
use record::{Authority, Origin, Status};
use tokio::sync::{mpsc, oneshot};

use super::requests::Requests;
use super::stores::{self, Failure, StoreJob};
use super::transport;
use crate::alarm::{self, Alarm};
use crate::clock;
use crate::node::Node;

/// Deadlines further away than this are looked at again then.
const LONGEST_SLEEP: Duration = Duration::from_mins(1);

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
    requests: Requests,
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

/// Starts the engine's thread and the tasks that carry out what it asks for.
///
/// # Errors
/// State cannot be read.
pub async fn run(node: &Arc<Node>) -> Result<tokio::task::JoinHandle<()>, crate::node::OpenError> {
    node.arriving.begin().await?;
    let (sender, receiver) = mpsc::unbounded_channel();
    let inbox = Inbox {
        sender,
        replies: Arc::default(),
        next: Arc::new(AtomicU64::new(1)),
        requests: Requests::default(),
    };
    let _ = node.inbox.set(inbox.clone());
    let (stores, jobs) = mpsc::unbounded_channel();
    tokio::spawn(stores::carry_out(node.clone(), jobs));
    node.following.catch_up(node);
    tokio::spawn(super::space::watch(node.clone()));
    // Before anything else the engine learns whom and what it works for.
    inbox.send(Message::Input(Input::OwnRoots(node.own_chain().as_ref().clone())));
    inbox.send(Message::Input(Input::Peers(node.peer_configs())));
    inbox.send(Message::Input(Input::Removed(node.removed_peers())));
    for log in node.own_logs().await? {
        let head = node.own_head(&log.origin).await?;
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
            inbox.requests.clone().begin(runtime, id, async move {
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
            inbox.requests.clone().begin(runtime, id, async move {
                let got = transport::post(&node, &peer, &route, body).await;
                answer(inbox, id, got);
            });
        }
        Output::GiveUp(id) => {
            inbox.requests.give_up(id);
            runtime.spawn(async move { node.arriving.discard(id).await });
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
        Output::Sign { id, what: what @ SignRequest::Holds(_) } => {
            runtime.spawn(async move {
                let line = sign_receipt(&node, &what).await;
                inbox.send(Message::Input(Input::Signed { id, line }));
            });
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
    let mut alarm = arguments.fold(Alarm::new(found.code()), |alarm, (name, value)| alarm.with(name, &value));
    alarm.rung = Some(found.name());
    alarm
}

/// A log that may sign although its guard is missing: everybody who could know better has answered, and knows
/// of no larger head. Its guard is written from its head.
async fn make_guard_again(node: &Node, origin: &Origin, permission: Permission) -> Result<(), Failure> {
    let key = origin.to_string();
    let (Permission::May, Some(head)) = (permission, node.own_head(origin).await?) else { return Ok(()) };
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

/// A receipt vouches for what is on this disk now: what is not is fetched again first.
async fn sign_receipt(node: &Node, what: &SignRequest) -> Option<tlog::NoteSignature> {
    let SignRequest::Holds(checkpoint) = what else { return None };
    let origin = checkpoint.checkpoint.origin.parse().ok()?;
    match node.holds_all(&origin).await {
        Ok(true) => sign(node, what)
            .inspect_err(|error| tracing::error!(%error, "a cosignature could not be made"))
            .ok(),
        Ok(false) => None,
        Err(error) => {
            tracing::error!(%error, %origin, "whether all of a log is here cannot be seen: no receipt is signed");
            None
        }
    }
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
