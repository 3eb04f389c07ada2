//! Who is there, and who is told: coming, going, and every change that others see.

use std::time::Duration;

use bytes::Bytes;
use livekit_protocol::signal_response::Message;
use livekit_protocol::{
    DisconnectReason, ParticipantInfo, ParticipantUpdate, RoomUpdate, WebhookEvent, leave_request,
    participant_info,
};

use super::config;
use super::effects::{Effects, Timer, frame, leave};
use super::output::{Closing, Output};
use super::state::{Participant, Room};
use crate::contract::{Now, Order, SessionId, TrackKey};

/// To whom a change is told, and how soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Audience {
    /// To others, soon: who publishes nothing is announced in batches in a large room.
    Others,
    /// To others and to itself, now.
    Everybody,
}

/// How a participant goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Farewell {
    /// What others and the client are told.
    pub reason: DisconnectReason,
    /// What the client is told to do; `None` if it said itself that it goes.
    pub action: Option<leave_request::Action>,
    /// Why its socket is closed.
    pub closing: Closing,
}

impl Farewell {
    /// Sent away for good.
    pub fn for_good(reason: DisconnectReason, closing: Closing) -> Self {
        Farewell { reason, action: Some(leave_request::Action::Disconnect), closing }
    }

    /// Asked to come again.
    pub fn again(reason: DisconnectReason, closing: Closing) -> Self {
        Farewell { reason, action: Some(leave_request::Action::Reconnect), closing }
    }
}

impl Room {
    /// Puts a participant in. Nobody is told yet.
    pub fn seat(&mut self, participant: Participant) {
        self.entered = true;
        self.empty_since = None;
        if !participant.hidden() {
            self.visible.insert(participant.session);
        }
        self.identities.insert(participant.identity().to_owned(), participant.session);
        self.sids.insert(participant.sid.clone(), participant.session);
        self.participants.insert(participant.session, participant);
    }

    /// Takes a participant out, with all that it publishes and receives, and tells whoever saw it.
    pub fn leave(&mut self, fx: &mut Effects, now: Now, session: SessionId, farewell: Farewell) {
        let Some(participant) = self.participants.get_mut(&session) else { return };
        if let Some(connection) = participant.connection.take() {
            match farewell.action {
                Some(action) => fx.dismiss(connection, leave(farewell.reason, action), farewell.closing),
                None => fx.close(connection, farewell.closing),
            }
        }
        let was_active = participant.active();
        // From here on nobody is told of what changes about it, but that it is gone.
        participant.state = participant_info::State::Disconnected;
        for track in participant.published.clone() {
            self.remove_track(fx, now, track);
        }
        self.remove_data_tracks_of(fx, session);
        self.unsubscribe_all(fx, now, session);
        self.fail_rpcs_to(fx, session);
        fx.order(session, Order::Close { session });
        fx.forget_session(session);
        let Some(mut participant) = self.participants.remove(&session) else { return };
        fx.totals.leaves += 1;
        if self.identities.get(participant.identity()) == Some(&session) {
            self.identities.remove(participant.identity());
        }
        self.sids.remove(&participant.sid);
        let was_seen = self.visible.remove(&session);
        participant.version += 1;
        let info = ParticipantInfo {
            disconnect_reason: farewell.reason as i32,
            ..self.participant_info(&participant)
        };
        if was_seen {
            self.publish_info(fx, now, &participant, info.clone(), Audience::Others);
            self.census(fx, now);
        }
        let event = if was_active { "participant_left" } else { "participant_connection_aborted" };
        self.webhook(fx, now, event, |webhook| webhook.participant = Some(info));
        self.recording(fx);
        if self.participants.values().all(Participant::dependent) {
            self.empty_since = Some(now.instant);
            fx.wake(now.instant + self.departure_timeout(), Timer::Empty(self.key));
        }
    }

    /// Tells of a change of a participant: a new version of it.
    pub fn changed(&mut self, fx: &mut Effects, now: Now, session: SessionId, audience: Audience) {
        let Some(participant) = self.participants.get_mut(&session) else { return };
        if participant.state == participant_info::State::Disconnected {
            return;
        }
        participant.version += 1;
        let participant = &self.participants[&session];
        let info = self.participant_info(participant);
        if participant.hidden() {
            if audience == Audience::Everybody {
                let update = ParticipantUpdate { participants: vec![info] };
                fx.send(participant.connection, Message::Update(update));
            }
            return;
        }
        let about = (participant.session, participant.identity().to_owned(), participant.is_publisher());
        self.tell(fx, now, about, info, audience);
    }

    /// Tells others of a participant that is no longer in the room.
    fn publish_info(
        &mut self,
        fx: &mut Effects,
        now: Now,
        about: &Participant,
        info: ParticipantInfo,
        to: Audience,
    ) {
        let about = (about.session, about.identity().to_owned(), about.is_publisher());
        self.tell(fx, now, about, info, to);
    }

    /// To others now, or with the next batch.
    pub fn tell(
        &mut self,
        fx: &mut Effects,
        now: Now,
        (session, identity, publishes): (SessionId, String, bool),
        info: ParticipantInfo,
        audience: Audience,
    ) {
        let at_once =
            audience == Audience::Everybody || publishes || self.visible.len() <= config::SMALL_ROOM;
        if !at_once {
            self.quiet.insert(session, info);
            if !self.quiet_due {
                self.quiet_due = true;
                fx.wake(now.instant + config::QUIET_UPDATES, Timer::Quiet(self.key));
            }
            return;
        }
        // What was held back of the same person goes first: an older session that ended, above all.
        let mut updates: Vec<ParticipantInfo> = Vec::new();
        self.quiet.retain(|held, info| {
            let keep = info.identity != identity;
            if !keep && *held != session {
                updates.push(info.clone());
            }
            keep
        });
        updates.push(info);
        let skip = (audience == Audience::Others).then_some(session);
        self.broadcast(fx, &frame(Message::Update(ParticipantUpdate { participants: updates })), skip);
    }

    /// Sends the batch.
    pub fn flush_quiet(&mut self, fx: &mut Effects) {
        self.quiet_due = false;
        let held: Vec<ParticipantInfo> = std::mem::take(&mut self.quiet).into_values().collect();
        for batch in held.chunks(config::UPDATE_BATCH) {
            self.broadcast(
                fx,
                &frame(Message::Update(ParticipantUpdate { participants: batch.to_vec() })),
                None,
            );
        }
    }

    /// The same frame to everybody whose socket stands.
    pub fn broadcast(&self, fx: &mut Effects, frame: &Bytes, skip: Option<SessionId>) {
        for participant in self.participants.values() {
            if let Some(connection) = participant.connection
                && Some(participant.session) != skip
            {
                fx.send_frame(connection, frame.clone());
            }
        }
    }

    /// The number of participants changed: everybody is told, but not often.
    pub fn census(&mut self, fx: &mut Effects, now: Now) {
        if !self.census_due {
            self.census_due = true;
            fx.wake(now.instant + config::ROOM_UPDATES, Timer::Census(self.key));
        }
    }

    /// Tells everybody what the room is now.
    pub fn send_room_update(&mut self, fx: &mut Effects) {
        self.census_due = false;
        let update = frame(Message::RoomUpdate(RoomUpdate { room: Some(self.info()) }));
        self.broadcast(fx, &update, None);
    }

    /// Whether somebody records: told at once.
    pub fn recording(&mut self, fx: &mut Effects) {
        let recording = self.participants.values().any(Participant::records);
        if recording != self.info.active_recording {
            self.info.active_recording = recording;
            self.send_room_update(fx);
        }
    }

    /// The media of a participant stands, or the better part of it.
    pub fn activate(&mut self, fx: &mut Effects, now: Now, session: SessionId) {
        let Some(participant) = self.participants.get_mut(&session) else { return };
        if participant.active() {
            return;
        }
        participant.state = participant_info::State::Active;
        self.changed(fx, now, session, Audience::Others);
        let info = self.participant_info(&self.participants[&session]);
        self.webhook(fx, now, "participant_joined", |webhook| webhook.participant = Some(info));
    }

    /// An event for webhooks.
    pub fn webhook(&self, fx: &mut Effects, now: Now, event: &str, fill: impl FnOnce(&mut WebhookEvent)) {
        let mut webhook = WebhookEvent {
            event: event.to_owned(),
            room: Some(self.info()),
            id: fx.sid("EV_"),
            created_at: i64::try_from(now.unix_ms / 1_000).unwrap_or(i64::MAX),
            ..WebhookEvent::default()
        };
        fill(&mut webhook);
        fx.push(Output::Webhook(Box::new(webhook)));
    }

    /// An event about a track.
    pub fn track_webhook(&self, fx: &mut Effects, now: Now, event: &str, track: TrackKey) {
        let Some(track) = self.tracks.get(&track) else { return };
        let publisher =
            self.participants.get(&track.publisher).map(|publisher| self.participant_info(publisher));
        self.webhook(fx, now, event, |webhook| {
            webhook.participant = publisher;
            webhook.track = Some(track.info.clone());
        });
    }

    pub fn departure_timeout(&self) -> Duration {
        Duration::from_secs(self.info.departure_timeout.into())
    }

    pub fn empty_timeout(&self) -> Duration {
        Duration::from_secs(self.info.empty_timeout.into())
    }

    /// Whether the room has been empty for as long as it may.
    pub fn is_over(&self, now: Now) -> bool {
        let patience = if self.entered { self.departure_timeout() } else { self.empty_timeout() };
        self.empty_since.is_some_and(|since| now.instant.saturating_duration_since(since) >= patience)
    }
}
