//! What a room does outside itself: frames, orders, timers, numbers. One for all rooms, so that a room needs to know no other.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Instant;

use bytes::Bytes;
use livekit_protocol::signal_response::Message;
use livekit_protocol::{LeaveRequest, SignalResponse, leave_request};
use prost::Message as _;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::allowance::Allowance;
use super::call::{CallAnswer, CallError};
use super::config::RoomsConfig;
use super::output::{CallId, Closing, ConnectionId, Output};
use super::report::Totals;
use crate::contract::{Order, RoomKey, SessionId, ShardId, TrackKey};

/// Why a room is woken. Whoever is woken looks again whether it is time: a timer is a hint and never cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// Nobody may have come, or come back.
    Empty(RoomKey),
    /// Those who publish nothing are to be announced.
    Quiet(RoomKey),
    /// The number of participants is to be announced.
    Census(RoomKey),
    /// A publisher may stop layers that nobody wants any more.
    Dynacast(RoomKey, TrackKey),
    /// A participant should have connected.
    Connect(RoomKey, SessionId),
    /// A participant whose media never stood lost its socket.
    Grace(RoomKey, SessionId),
    /// A token is to be refreshed.
    Refresh(RoomKey, SessionId),
    /// An RPC was not answered; the room's own number of it.
    Rpc(RoomKey, u64),
    /// A simulated speaker falls silent.
    Hush(RoomKey, SessionId),
}

/// Who sits behind a WebSocket.
#[derive(Debug)]
pub(super) struct Seat {
    /// In which room.
    pub room: RoomKey,
    /// As whom.
    pub session: SessionId,
    /// How many more requests it may send.
    pub requests: Allowance,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Effects {
    pub config: RoomsConfig,
    pub totals: Totals,
    /// Every open WebSocket that got in.
    pub connections: HashMap<ConnectionId, Seat>,
    /// Every open session, and where.
    pub sessions: HashMap<SessionId, (RoomKey, ShardId)>,
    /// Every track, and where.
    pub tracks: HashMap<TrackKey, RoomKey>,
    out: VecDeque<Output>,
    timers: BTreeSet<(Instant, Timer)>,
    load: Vec<usize>,
    rng: StdRng,
    numbers: u64,
}

impl Effects {
    pub fn new(config: RoomsConfig, shards: u8, seed: [u8; 32]) -> Self {
        Effects {
            config,
            totals: Totals::default(),
            connections: HashMap::new(),
            sessions: HashMap::new(),
            tracks: HashMap::new(),
            out: VecDeque::new(),
            timers: BTreeSet::new(),
            load: vec![0; usize::from(shards.max(1))],
            rng: StdRng::from_seed(seed),
            numbers: 0,
        }
    }

    /// A number that was never given before.
    pub fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// A name that nobody guesses: the prefix and twelve letters and digits, as `LiveKit`'s.
    pub fn sid(&mut self, prefix: &str) -> String {
        const LETTERS: &[u8; 57] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
        let mut sid = prefix.to_owned();
        sid.extend((0..12).map(|_| char::from(LETTERS[self.rng.random_range(0..LETTERS.len())])));
        sid
    }

    /// A random UUID.
    pub fn uuid(&mut self) -> String {
        let mut bytes: [u8; 16] = self.rng.random();
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let hex = hex::encode(bytes);
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }

    /// The shard with the fewest sessions; of equals, the first.
    pub fn open_session(&mut self, room: RoomKey) -> (SessionId, ShardId) {
        let least = (0..self.load.len()).min_by_key(|&shard| self.load[shard]).unwrap_or(0);
        self.load[least] += 1;
        let session = SessionId(self.number());
        let shard = ShardId(u8::try_from(least).unwrap_or(0));
        self.sessions.insert(session, (room, shard));
        (session, shard)
    }

    /// The session is over, by us or by its shard: it is named no more.
    pub fn forget_session(&mut self, session: SessionId) {
        if let Some((_, shard)) = self.sessions.remove(&session) {
            self.load[usize::from(shard.0)] -= 1;
        }
    }

    /// An order about a session, to its shard. Nothing, if the session is over.
    pub fn order(&mut self, session: SessionId, order: Order) {
        if let Some(&(_, shard)) = self.sessions.get(&session) {
            self.out.push_back(Output::Media { shard, order });
        }
    }

    pub fn send(&mut self, connection: Option<ConnectionId>, message: Message) {
        if let Some(connection) = connection {
            self.send_frame(connection, frame(message));
        }
    }

    pub fn send_frame(&mut self, connection: ConnectionId, frame: Bytes) {
        debug_assert!(self.connections.contains_key(&connection), "a frame for a closed connection");
        self.out.push_back(Output::Send { connection, frame });
    }

    /// The last words to a connection that never got in, or is no longer anybody's.
    pub fn dismiss(&mut self, connection: ConnectionId, leave: LeaveRequest, reason: Closing) {
        self.connections.remove(&connection);
        self.out.push_back(Output::Send { connection, frame: frame(Message::Leave(leave)) });
        self.out.push_back(Output::Close { connection, reason });
    }

    /// Closes a connection without a word.
    pub fn close(&mut self, connection: ConnectionId, reason: Closing) {
        if self.connections.remove(&connection).is_some() {
            self.out.push_back(Output::Close { connection, reason });
        }
    }

    pub fn reply(&mut self, call: CallId, answer: Result<CallAnswer, CallError>) {
        self.out.push_back(Output::Reply { call, answer: Box::new(answer) });
    }

    pub fn push(&mut self, output: Output) {
        self.out.push_back(output);
    }

    pub fn pop(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    pub fn wake(&mut self, at: Instant, timer: Timer) {
        self.timers.insert((at, timer));
    }

    pub fn next_timer(&self) -> Option<Instant> {
        self.timers.first().map(|(at, _)| *at)
    }

    pub fn due(&mut self, now: Instant) -> Option<Timer> {
        if self.next_timer()? > now {
            return None;
        }
        self.timers.pop_first().map(|(_, timer)| timer)
    }
}

/// Encodes a message once, for all who get it.
pub(super) fn frame(message: Message) -> Bytes {
    SignalResponse { message: Some(message) }.encode_to_vec().into()
}

/// A request to leave. `can_reconnect` is what clients before protocol 13 read.
pub(super) fn leave(
    reason: livekit_protocol::DisconnectReason,
    action: leave_request::Action,
) -> LeaveRequest {
    LeaveRequest {
        can_reconnect: action != leave_request::Action::Disconnect,
        reason: reason as i32,
        action: action as i32,
        regions: None,
    }
}
