//! What is true in each room: participants, tracks, permissions, subscriptions. A state machine of (request, time) → (frames, orders).
//!
//! It never does I/O, reads no clock, holds no lock, sees no packet of media and verifies no signature: whoever owns sockets gives
//! it decoded requests and carries out its [`Output`]s in their order. After every call, [`Rooms::poll`] until it is empty; call
//! [`Rooms::tick`] when [`Rooms::deadline`] has come.
//!
//! Behaviour is `LiveKit`'s wherever a client could tell the difference, with these exceptions, each for a reason that stands
//! where it is decided: a removal lasts ([`Rooms::call`]); a hidden participant publishes nothing; data packets of hidden
//! participants carry no sid; nobody is believed to speak for another; every text, list and rate has a limit ([`config`]).

mod allowance;
mod call;
pub mod config;
mod data;
mod data_tracks;
mod door;
mod effects;
mod join;
mod levels;
mod moderation;
mod offer;
mod output;
mod permissions;
mod presence;
mod publishing;
mod removals;
mod report;
mod rpc;
mod signals;
mod state;
mod subscribing;

use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

use livekit_protocol::DisconnectReason;

pub use self::call::{Call, CallAnswer, CallCode, CallError};
pub use self::config::RoomsConfig;
use self::effects::{Effects, Timer};
pub use self::join::{Join, Refusal};
pub use self::output::{CallId, Closing, ConnectionId, Output};
use self::presence::Farewell;
use self::removals::Removals;
pub use self::report::{ParticipantReport, Report, RoomReport, Totals};
use self::state::Room;
use crate::contract::{Now, RoomKey};

/// All rooms of one engine.
#[derive(Debug)]
#[expect(clippy::struct_field_names, reason = "rooms are what there is in it")]
pub struct Rooms {
    fx: Effects,
    rooms: BTreeMap<RoomKey, Room>,
    names: HashMap<String, RoomKey>,
    removals: Removals,
    draining: bool,
}

impl Rooms {
    /// No rooms yet. `shards` media shards serve sessions, numbered from 0; sids are drawn from `seed`, which is a secret.
    pub fn new(config: RoomsConfig, shards: u8, seed: [u8; 32]) -> Self {
        Rooms {
            fx: Effects::new(config, shards, seed),
            rooms: BTreeMap::new(),
            names: HashMap::new(),
            removals: Removals::default(),
            draining: false,
        }
    }

    /// The time has come that [`Rooms::deadline`] named.
    pub fn tick(&mut self, now: Now) {
        while let Some(timer) = self.fx.due(now.instant) {
            self.fire(now, timer);
        }
    }

    /// When [`Rooms::tick`] is due.
    pub fn deadline(&self) -> Option<Instant> {
        self.fx.next_timer()
    }

    /// What is to be done next.
    pub fn poll(&mut self) -> Option<Output> {
        self.fx.pop()
    }

    /// Figures of all rooms.
    pub fn report(&self, now: Now) -> Report {
        Report { rooms: self.rooms.values().map(|room| room.report(now)).collect(), totals: self.fx.totals }
    }

    fn fire(&mut self, now: Now, timer: Timer) {
        let key = match timer {
            Timer::Empty(key)
            | Timer::Quiet(key)
            | Timer::Census(key)
            | Timer::Dynacast(key, _)
            | Timer::Connect(key, _)
            | Timer::Grace(key, _)
            | Timer::Refresh(key, _)
            | Timer::Rpc(key, _)
            | Timer::Hush(key, _) => key,
        };
        let Some(room) = self.rooms.get_mut(&key) else { return };
        let fx = &mut self.fx;
        match timer {
            Timer::Empty(_) if room.is_over(now) => {
                self.end_room(
                    now,
                    key,
                    Farewell::for_good(DisconnectReason::RoomClosed, Closing::RoomDeleted),
                );
            }
            Timer::Empty(_) => {}
            Timer::Quiet(_) => room.flush_quiet(fx),
            Timer::Census(_) => room.send_room_update(fx),
            Timer::Dynacast(_, track) => room.demand_is_due(fx, now, track),
            Timer::Connect(_, session) => {
                if room.participants.get(&session).is_some_and(|participant| !participant.active()) {
                    room.leave(
                        fx,
                        now,
                        session,
                        Farewell::again(DisconnectReason::JoinFailure, Closing::Media),
                    );
                }
            }
            Timer::Grace(_, session) => {
                let gone = |participant: &state::Participant| {
                    participant.connection.is_none() && !participant.active()
                };
                if room.participants.get(&session).is_some_and(gone) {
                    room.leave(
                        fx,
                        now,
                        session,
                        Farewell::again(DisconnectReason::SignalClose, Closing::Media),
                    );
                }
            }
            Timer::Refresh(_, session) => {
                if room
                    .participants
                    .get(&session)
                    .is_some_and(|participant| participant.refresh_at <= now.instant)
                {
                    room.refresh(fx, now, session);
                }
            }
            Timer::Rpc(_, number) => room.rpc_is_due(fx, now, number),
            Timer::Hush(_, session) => room.hush(fx, session),
        }
    }
}
