//! The one task that owns all rooms: what sockets and media threads say goes in, what rooms want done is done.
//!
//! It decides nothing itself. Nobody can make it wait but media threads, which never wait for it.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use bytes::Bytes;
use livekit_protocol::{SignalRequest, SignalResponse, signal_response};
use prost::Message as _;
use tokio::sync::{mpsc, oneshot};

use super::now;
use super::webhook::Webhooks;
use crate::contract::{Event, ShardId};
use crate::driver::Handle;
use crate::grants::Grants;
use crate::room::{
    Call, CallAnswer, CallCode, CallError, CallId, Closing, ConnectionId, Join, Output, Refusal, Report,
    Rooms,
};
use crate::token::Keys;

/// What waits for rooms; then sockets wait.
const ASKS: usize = 4096;
/// Frames that wait for one socket.
const FRAMES: usize = 2048;
/// Bytes that wait for one socket; a participant list of 2,000 fits several times.
const BYTES: usize = 8 << 20;
/// What is taken in before outputs are carried out.
const ROUND: usize = 256;

/// What goes to a socket.
pub(crate) enum Frame {
    /// A message.
    Bytes(Bytes),
    /// The end, and why.
    Close(Closing),
}

/// The way to one socket, bounded: a receiver that does not keep up is given up.
pub(crate) struct Outgoing {
    queue: mpsc::Sender<Frame>,
    waiting: Arc<AtomicUsize>,
}

/// The socket's end of it.
pub(crate) struct Incoming {
    queue: mpsc::Receiver<Frame>,
    waiting: Arc<AtomicUsize>,
}

/// The two ends of a socket's queue.
pub(crate) fn frames() -> (Outgoing, Incoming) {
    let (sender, receiver) = mpsc::channel(FRAMES);
    let waiting = Arc::new(AtomicUsize::new(0));
    (Outgoing { queue: sender, waiting: waiting.clone() }, Incoming { queue: receiver, waiting })
}

impl Outgoing {
    /// False if the receiver does not keep up, or is gone.
    fn push(&self, frame: Frame) -> bool {
        if let Frame::Bytes(bytes) = &frame
            && self.waiting.fetch_add(bytes.len(), Ordering::Relaxed) > BYTES
        {
            return false;
        }
        self.queue.try_send(frame).is_ok()
    }
}

impl Incoming {
    /// The next frame; `None` when rooms gave this socket up.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        let frame = self.queue.recv().await?;
        if let Frame::Bytes(bytes) = &frame {
            self.waiting.fetch_sub(bytes.len(), Ordering::Relaxed);
        }
        Some(frame)
    }
}

/// What rooms are asked.
pub(crate) enum Ask {
    /// Before the upgrade.
    MayJoin {
        grants: Box<Grants>,
        reply: oneshot::Sender<Result<(), Refusal>>,
    },
    /// After it.
    Join {
        connection: ConnectionId,
        join: Box<Join>,
        frames: Outgoing,
    },
    Request {
        connection: ConnectionId,
        request: Box<SignalRequest>,
    },
    Disconnected {
        connection: ConnectionId,
    },
    Call {
        grants: Box<Grants>,
        call: Call,
        reply: oneshot::Sender<Result<CallAnswer, CallError>>,
    },
    Report {
        reply: oneshot::Sender<Report>,
    },
    Drain,
}

/// The way to the rooms.
#[derive(Clone)]
pub(crate) struct RoomsHandle {
    asks: mpsc::Sender<Ask>,
    connections: Arc<AtomicU64>,
}

/// The rooms ended; only while the engine ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the engine has ended")]
pub(crate) struct Ended;

impl RoomsHandle {
    /// A number that no socket has had.
    pub(crate) fn connection(&self) -> ConnectionId {
        ConnectionId(self.connections.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) async fn say(&self, ask: Ask) -> Result<(), Ended> {
        self.asks.send(ask).await.map_err(|_| Ended)
    }

    /// Resolves when the task is gone.
    pub(crate) async fn ended(&self) {
        self.asks.closed().await;
    }

    /// Whether it is gone.
    pub(crate) fn is_ended(&self) -> bool {
        self.asks.is_closed()
    }

    /// Says it and waits for the answer.
    pub(crate) async fn ask<T>(&self, make: impl FnOnce(oneshot::Sender<T>) -> Ask) -> Result<T, Ended> {
        let (reply, answer) = oneshot::channel();
        self.say(make(reply)).await?;
        answer.await.map_err(|_| Ended)
    }
}

/// What the task is made of.
pub(crate) struct Task {
    pub(crate) rooms: Rooms,
    pub(crate) threads: Arc<[Handle]>,
    pub(crate) reports: mpsc::Receiver<(ShardId, Event)>,
    pub(crate) keys: Arc<Keys>,
    pub(crate) token_life: u64,
    pub(crate) webhooks: Webhooks,
    pub(crate) slow: Arc<AtomicU64>,
}

struct Working {
    task: Task,
    asks: mpsc::Receiver<Ask>,
    sockets: HashMap<ConnectionId, Outgoing>,
    calls: HashMap<CallId, oneshot::Sender<Result<CallAnswer, CallError>>>,
    next_call: u64,
}

impl Task {
    /// Runs until every handle is gone or a media thread's reports end.
    pub(crate) fn start(self) -> (RoomsHandle, tokio::task::JoinHandle<()>) {
        let (sender, asks) = mpsc::channel(ASKS);
        let working =
            Working { task: self, asks, sockets: HashMap::new(), calls: HashMap::new(), next_call: 0 };
        let handle = RoomsHandle { asks: sender, connections: Arc::default() };
        (handle, tokio::spawn(working.run()))
    }
}

impl Working {
    async fn run(mut self) {
        loop {
            let due = self.task.rooms.deadline();
            let timer = async move {
                match due {
                    Some(due) => tokio::time::sleep_until(due.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                ask = self.asks.recv() => match ask {
                    Some(ask) => self.take(ask),
                    None => return,
                },
                report = self.task.reports.recv() => match report {
                    Some((_, event)) => self.media(event),
                    None => return,
                },
                () = timer => {}
            }
            for _ in 0..ROUND {
                let mut none = true;
                if let Ok((_, event)) = self.task.reports.try_recv() {
                    self.media(event);
                    none = false;
                }
                if let Ok(ask) = self.asks.try_recv() {
                    self.take(ask);
                    none = false;
                }
                if none {
                    break;
                }
            }
            let now = now();
            if self.task.rooms.deadline().is_some_and(|due| due <= now.instant) {
                self.guarded("a deadline", |rooms| rooms.tick(now));
            }
            self.carry_out().await;
        }
    }

    /// A flaw in the handling of one request must not end everybody's meeting: it is logged, and its sender is cut off.
    fn guarded(&mut self, what: &str, work: impl FnOnce(&mut Rooms)) -> bool {
        let done = catch_unwind(AssertUnwindSafe(|| work(&mut self.task.rooms))).is_ok();
        if !done {
            tracing::error!(what, "the handling of a message panicked; its sender is cut off");
        }
        done
    }

    fn media(&mut self, event: Event) {
        self.guarded("a report of a media thread", |rooms| rooms.media(now(), event));
    }

    fn take(&mut self, ask: Ask) {
        match ask {
            Ask::MayJoin { grants, reply } => {
                let _ = reply.send(self.task.rooms.may_join(&grants));
            }
            Ask::Join { connection, join, frames } => {
                self.sockets.insert(connection, frames);
                if !self.guarded("a join", |rooms| rooms.join(now(), connection, *join)) {
                    self.sockets.remove(&connection);
                }
            }
            Ask::Request { connection, request } => {
                // A socket that was given up may have sent more before it learnt of it.
                if self.sockets.contains_key(&connection)
                    && !self.guarded("a request", |rooms| rooms.request(now(), connection, *request))
                {
                    self.sockets.remove(&connection);
                }
            }
            Ask::Disconnected { connection } => {
                self.sockets.remove(&connection);
                self.guarded("a lost socket", |rooms| rooms.disconnected(now(), connection));
            }
            Ask::Call { grants, call, reply } => {
                let id = CallId(self.next_call);
                self.next_call += 1;
                self.calls.insert(id, reply);
                if !self.guarded("a call", |rooms| rooms.call(now(), id, &grants, call)) {
                    self.calls.remove(&id);
                }
            }
            Ask::Report { reply } => {
                let _ = reply.send(self.task.rooms.report(now()));
            }
            Ask::Drain => {
                self.guarded("the drain", |rooms| rooms.drain(now()));
            }
        }
    }

    async fn carry_out(&mut self) {
        while let Some(output) = self.task.rooms.poll() {
            match output {
                Output::Send { connection, frame } => self.send(connection, frame),
                Output::Close { connection, reason } => {
                    if let Some(socket) = self.sockets.remove(&connection) {
                        socket.push(Frame::Close(reason));
                    }
                }
                Output::Media { shard, order } => {
                    if let Some(thread) = self.task.threads.get(usize::from(shard.0)) {
                        thread.order(order).await;
                    }
                }
                Output::Refresh { connection, grants } => {
                    let token = self.task.keys.mint(&grants, now().unix_ms / 1000, self.life(&grants));
                    let message = Some(signal_response::Message::RefreshToken(token));
                    self.send(connection, SignalResponse { message }.encode_to_vec().into());
                }
                Output::Webhook(event) => self.task.webhooks.send(*event),
                Output::Reply { call, answer } => {
                    if let Some(reply) = self.calls.remove(&call) {
                        // Who asked may have gone.
                        let _ = reply.send(*answer);
                    }
                }
            }
        }
        self.calls.retain(|_, reply| !reply.is_closed());
    }

    /// A refreshed token keeps the end that rooms gave it.
    fn life(&self, grants: &Grants) -> u64 {
        let now = now().unix_ms / 1000;
        grants.expires_at.map_or(self.task.token_life, |end| end.saturating_sub(now))
    }

    fn send(&mut self, connection: ConnectionId, frame: Bytes) {
        let Some(socket) = self.sockets.get(&connection) else { return };
        if !socket.push(Frame::Bytes(frame)) {
            // The socket's task sees its queue end, closes, and tells the rooms.
            self.task.slow.fetch_add(1, Ordering::Relaxed);
            self.sockets.remove(&connection);
        }
    }
}

/// What a call is answered with when the engine ends under it.
pub(crate) fn ended() -> CallError {
    CallError::new(CallCode::Unavailable, Ended.to_string())
}
