//! Figures of all rooms at one moment, for metrics and for people who watch.

use std::time::Duration;

use super::state::Room;
use crate::contract::{Health, Now, ShardId};

/// Everything, at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Every room.
    pub rooms: Vec<RoomReport>,
    /// What was counted since the engine started.
    pub totals: Totals,
}

/// One room.
#[derive(Clone, Debug, PartialEq)]
pub struct RoomReport {
    /// Its name.
    pub name: String,
    /// `RM_...`.
    pub sid: String,
    /// For how long it has been open.
    pub age: Duration,
    /// Everybody in it.
    pub participants: Vec<ParticipantReport>,
}

/// One participant.
#[derive(Clone, Debug, PartialEq)]
pub struct ParticipantReport {
    /// Who.
    pub identity: String,
    /// `PA_...`.
    pub sid: String,
    /// The media thread that serves it.
    pub shard: ShardId,
    /// Seen by nobody.
    pub hidden: bool,
    /// Whether its socket stands.
    pub connected: bool,
    /// Whether its media stands.
    pub active: bool,
    /// For how long it has been here.
    pub age: Duration,
    /// Tracks that it publishes.
    pub published: usize,
    /// Tracks that it receives.
    pub subscribed: usize,
    /// How well it is served, as its shard last said.
    pub health: Option<Health>,
}

/// What was counted since the engine started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Participants that joined.
    pub joins: u64,
    /// Participants that resumed.
    pub resumes: u64,
    /// Joins that were refused.
    pub refusals: u64,
    /// Participants that left or were sent out.
    pub leaves: u64,
    /// Requests of clients.
    pub requests: u64,
    /// Calls of the room service.
    pub calls: u64,
    /// Data packets that came in.
    pub data_in: u64,
    /// Data packets that went out, counted for each receiver.
    pub data_out: u64,
    /// Data packets that were dropped: too large, too many, not allowed, not understood.
    pub data_dropped: u64,
}

impl Room {
    /// The room's figures.
    pub(super) fn report(&self, now: Now) -> RoomReport {
        let since = |then| now.instant.saturating_duration_since(then);
        let participants = self.participants.values().map(|participant| ParticipantReport {
            identity: participant.identity().to_owned(),
            sid: participant.sid.clone(),
            shard: participant.shard,
            hidden: participant.hidden(),
            connected: participant.connection.is_some(),
            active: participant.active(),
            age: since(participant.joined),
            published: participant.published.len(),
            subscribed: participant.subscriptions.values().filter(|subscription| subscription.active).count(),
            health: participant.health,
        });
        RoomReport {
            name: self.info.name.clone(),
            sid: self.info.sid.clone(),
            age: since(self.opened),
            participants: participants.collect(),
        }
    }
}
