//! What a participant may do and how it is called, and the change of both while it is here.

use std::collections::{BTreeMap, HashMap};

use livekit_protocol::request_response::{Reason, Request};
use livekit_protocol::signal_response::Message;
use livekit_protocol::simulate_scenario::Scenario;
use livekit_protocol::{
    DisconnectReason, ParticipantPermission, ParticipantUpdate, RequestResponse, SimulateScenario,
    SpeakerInfo, SpeakersChanged, UpdateParticipantMetadata, participant_info,
};

use super::config;
use super::effects::{Effects, Timer, frame};
use super::output::Closing;
use super::presence::{Audience, Farewell};
use super::state::Room;
use crate::contract::{Now, Order, SessionId};

/// What is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TooLong {
    Name,
    Metadata,
    Attributes,
}

impl TooLong {
    /// As `LiveKit` says it.
    pub fn as_str(self) -> &'static str {
        match self {
            TooLong::Name => "exceeds name length limit",
            TooLong::Metadata => "exceeds metadata size limit",
            TooLong::Attributes => "exceeds attributes size limit",
        }
    }
}

impl Room {
    /// A client changes its own name, metadata or attributes.
    pub fn update_own(
        &mut self,
        fx: &mut Effects,
        now: Now,
        session: SessionId,
        update: UpdateParticipantMetadata,
    ) {
        let Some(participant) = self.participants.get(&session) else { return };
        let connection = participant.connection;
        let (reason, message) = if participant.permission.can_update_metadata {
            match self.describe(fx, now, session, &update.name, &update.metadata, &update.attributes) {
                Ok(()) => (Reason::Ok, ""),
                Err(what) => (Reason::LimitExceeded, what.as_str()),
            }
        } else {
            (Reason::NotAllowed, "does not have permission to update own metadata")
        };
        let response = RequestResponse {
            request_id: update.request_id,
            reason: reason as i32,
            message: message.to_owned(),
            request: Some(Request::UpdateMetadata(update)),
        };
        fx.send(connection, Message::RequestResponse(response));
    }

    /// Changes what is not empty. An attribute with an empty value is deleted.
    pub fn describe(
        &mut self,
        fx: &mut Effects,
        now: Now,
        session: SessionId,
        name: &str,
        metadata: &str,
        attributes: &HashMap<String, String>,
    ) -> Result<(), TooLong> {
        let Some(participant) = self.participants.get_mut(&session) else { return Ok(()) };
        if name.len() > config::PARTICIPANT_NAME {
            return Err(TooLong::Name);
        }
        if metadata.len() > config::METADATA {
            return Err(TooLong::Metadata);
        }
        let mut merged: BTreeMap<String, String> = participant.grants.attributes.clone();
        merged.extend(attributes.iter().map(|(name, value)| (name.clone(), value.clone())));
        merged.retain(|_, value| !value.is_empty());
        if merged.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() > config::ATTRIBUTES {
            return Err(TooLong::Attributes);
        }
        let before = participant.grants.clone();
        if !name.is_empty() {
            name.clone_into(&mut participant.grants.name);
        }
        if !metadata.is_empty() {
            metadata.clone_into(&mut participant.grants.metadata);
        }
        participant.grants.attributes = merged;
        if participant.grants != before {
            self.changed(fx, now, session, Audience::Everybody);
            self.refresh(fx, now, session);
        }
        Ok(())
    }

    /// A moderator changes what a participant may do. What it may no longer do ends at once.
    pub fn set_permission(
        &mut self,
        fx: &mut Effects,
        now: Now,
        session: SessionId,
        permission: ParticipantPermission,
    ) {
        let Some(participant) = self.participants.get_mut(&session) else { return };
        let permission = short_sources(permission);
        if participant.permission == permission {
            return;
        }
        let before = std::mem::replace(&mut participant.permission, permission);
        let permission = participant.permission.clone();
        participant.grants.set_permission(&permission);
        self.revoke_forbidden(fx, now, session);
        if !permission.can_publish_data || permission.hidden {
            self.revoke_data_tracks(fx, session);
        }
        if before.can_subscribe != permission.can_subscribe {
            if permission.can_subscribe
                && self.participants.get(&session).is_some_and(|participant| participant.auto_subscribe)
            {
                self.subscribe_to_all(fx, now, session);
            }
            self.reconsider_participant(fx, now, session);
            self.reconsider_data(fx, session);
        }
        if before.hidden != permission.hidden {
            self.set_hidden(fx, now, session, permission.hidden);
        }
        self.changed(fx, now, session, Audience::Everybody);
        self.recording(fx);
        self.refresh(fx, now, session);
    }

    /// Others lose sight of somebody, or catch it.
    fn set_hidden(&mut self, fx: &mut Effects, now: Now, session: SessionId, hidden: bool) {
        let Some(participant) = self.participants.get_mut(&session) else { return };
        if hidden {
            participant.version += 1;
            let participant = &self.participants[&session];
            let mut info = self.participant_info(participant);
            info.state = participant_info::State::Disconnected as i32;
            self.quiet.remove(&session);
            self.visible.remove(&session);
            let update = frame(Message::Update(ParticipantUpdate { participants: vec![info] }));
            self.broadcast(fx, &update, Some(session));
        } else {
            self.visible.insert(session);
        }
        self.census(fx, now);
    }

    /// Faults that clients ask for in tests, where the configuration allows it.
    pub fn simulate(&mut self, fx: &mut Effects, now: Now, session: SessionId, request: SimulateScenario) {
        let Some(participant) = self.participants.get_mut(&session) else { return };
        if !fx.config.simulate {
            return;
        }
        match request.scenario {
            Some(Scenario::SpeakerUpdate(seconds)) => {
                let speaking = SpeakerInfo { sid: participant.sid.clone(), level: 0.9, active: true };
                let message = frame(Message::SpeakersChanged(SpeakersChanged { speakers: vec![speaking] }));
                self.broadcast(fx, &message, None);
                let wait = std::time::Duration::from_secs(u64::try_from(seconds.clamp(0, 60)).unwrap_or(0));
                fx.wake(now.instant + wait, Timer::Hush(self.key, session));
            }
            Some(Scenario::NodeFailure(_) | Scenario::Migration(_)) => {
                // As if this process were gone: no word, and nothing is known of the session when it comes back.
                let farewell = Farewell {
                    reason: DisconnectReason::ServerShutdown,
                    action: None,
                    closing: Closing::Simulated,
                };
                self.leave(fx, now, session, farewell);
            }
            Some(Scenario::ServerLeave(_)) => {
                let farewell = Farewell::for_good(DisconnectReason::ServerShutdown, Closing::Simulated);
                self.leave(fx, now, session, farewell);
            }
            Some(Scenario::LeaveRequestFullReconnect(_)) => {
                let farewell = Farewell::again(DisconnectReason::ClientInitiated, Closing::Simulated);
                self.leave(fx, now, session, farewell);
            }
            Some(Scenario::DisconnectSignalOnResume(_)) => participant.cut_on_resume = Some((1, false)),
            Some(Scenario::DisconnectSignalOnResumeNoMessages(_)) => {
                participant.cut_on_resume = Some((3, true));
            }
            Some(Scenario::SwitchCandidateProtocol(_)) => fx.order(session, Order::Restart { session }),
            Some(Scenario::SubscriberBandwidth(_)) | None => {}
        }
    }

    /// A simulated speaker falls silent, unless it really speaks.
    pub fn hush(&mut self, fx: &mut Effects, session: SessionId) {
        let Some(participant) =
            self.participants.get(&session).filter(|_| !self.speakers.contains_key(&session))
        else {
            return;
        };
        let silent = SpeakerInfo { sid: participant.sid.clone(), level: 0.0, active: false };
        let message = frame(Message::SpeakersChanged(SpeakersChanged { speakers: vec![silent] }));
        self.broadcast(fx, &message, None);
    }

    /// Whether a resumed socket is cut again, because its client asked for that.
    pub fn cut_on_resume(
        &mut self,
        fx: &mut Effects,
        now: Now,
        session: SessionId,
        before_first_word: bool,
    ) -> bool {
        let Some(participant) = self.participants.get_mut(&session) else { return false };
        let Some((times, silently)) =
            participant.cut_on_resume.filter(|(_, silently)| *silently == before_first_word)
        else {
            return false;
        };
        participant.cut_on_resume = (times > 1).then_some((times - 1, silently));
        if let Some(connection) = participant.connection {
            fx.close(connection, Closing::Simulated);
        }
        self.unplugged(fx, now, session);
        true
    }
}

/// No source is named twice, so that equal permissions are equal.
fn short_sources(mut permission: ParticipantPermission) -> ParticipantPermission {
    permission.can_publish_sources.sort_unstable();
    permission.can_publish_sources.dedup();
    permission.can_publish_sources.truncate(config::FEATURES);
    permission
}
