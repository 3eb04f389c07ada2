//! What is true in each room: participants, tracks, permissions, subscriptions. A state machine of (request, time) → (frames, orders).
//!
//! It never does I/O, reads no clock, holds no lock, sees no packet of media, verifies no signature and decodes no JSON: whoever
//! owns sockets gives it decoded requests and carries out its [`Output`]s in their order. After every call, [`Rooms::poll`] until
//! it is empty; call [`Rooms::tick`] when [`Rooms::deadline`] has come.

mod call;
pub mod config;
mod join;
mod output;
mod report;

use std::time::Instant;

use livekit_protocol::SignalRequest;

pub use self::call::{Call, CallAnswer, CallCode, CallError};
pub use self::config::RoomsConfig;
pub use self::join::{Join, Refusal};
pub use self::output::{CallId, Closing, ConnectionId, Output};
pub use self::report::{ParticipantReport, Report, RoomReport, Totals};
use crate::contract::{self, Now};
use crate::grants::Grants;

/// All rooms of one engine.
#[derive(Debug)]
pub struct Rooms {
    config: RoomsConfig,
    totals: Totals,
}

impl Rooms {
    /// No rooms yet. `shards` media shards serve sessions, numbered from 0; sids are drawn from `seed`, which is a secret.
    pub fn new(config: RoomsConfig, shards: u8, seed: [u8; 32]) -> Self {
        let _ = (shards, seed);
        Rooms { config, totals: Totals::default() }
    }

    /// Whether a client with these grants would be let in now: what `/validate` answers, and what is known before an upgrade.
    pub fn may_join(&self, now: Now, grants: &Grants) -> Result<(), Refusal> {
        let _ = (now, &self.config);
        join::judge(grants).map(|_| ())
    }

    /// A client on a new WebSocket. The first frame that it gets says that it is in, that it resumed, or that it must leave.
    pub fn join(&mut self, now: Now, connection: ConnectionId, join: Join) {
        let _ = (now, connection, join);
        self.totals.joins += 1;
    }

    /// A frame of a client.
    pub fn request(&mut self, now: Now, connection: ConnectionId, request: SignalRequest) {
        let _ = (now, connection, request);
        self.totals.requests += 1;
    }

    /// A WebSocket is gone. Its participant stays for as long as its media transport lives.
    pub fn disconnected(&mut self, now: Now, connection: ConnectionId) {
        let _ = (now, connection);
    }

    /// What a media shard reports.
    pub fn media(&mut self, now: Now, event: contract::Event) {
        let _ = (now, event);
    }

    /// A call of the room service, answered by [`Output::Reply`].
    pub fn call(&mut self, now: Now, call: CallId, grants: &Grants, method: Call) {
        let _ = (now, call, grants, method);
        self.totals.calls += 1;
    }

    /// Asks every client to begin anew elsewhere (or here, once this process was replaced), and admits nobody from now on.
    pub fn drain(&mut self, now: Now) {
        let _ = now;
    }

    /// The time has come that [`Rooms::deadline`] named.
    pub fn tick(&mut self, now: Now) {
        let _ = now;
    }

    /// When [`Rooms::tick`] is due.
    pub fn deadline(&self) -> Option<Instant> {
        None
    }

    /// What is to be done next.
    pub fn poll(&mut self) -> Option<Output> {
        None
    }

    /// Figures of all rooms.
    pub fn report(&self, now: Now) -> Report {
        let _ = now;
        Report { rooms: Vec::new(), totals: self.totals }
    }
}
