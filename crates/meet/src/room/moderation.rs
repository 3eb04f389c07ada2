//! The room service: making and ending rooms, looking into them, moderating who is in them.

use livekit_protocol as proto;
use livekit_protocol::signal_response::Message;
use livekit_protocol::{DisconnectReason, MuteTrackRequest};

use super::call::{Call, CallAnswer, CallCode, CallError};
use super::config;
use super::output::{CallId, Closing};
use super::presence::Farewell;
use super::state::Room;
use super::{Rooms, Timer};
use crate::contract::{Now, SessionId};
use crate::grants::Grants;

type Answer = Result<CallAnswer, CallError>;

impl Rooms {
    /// A call of the room service, answered by an [`Output::Reply`](super::Output::Reply).
    pub fn call(&mut self, now: Now, call: CallId, grants: &Grants, method: Call) {
        self.fx.totals.calls += 1;
        if let Call::PerformRpc(request) = method {
            match self.moderated(grants, &request.room) {
                Ok((room, fx)) if !request.destination_identity.is_empty() => {
                    room.perform_rpc(fx, now, call, request);
                }
                Ok((_, fx)) => fx.reply(call, Err(invalid("destination identity is required"))),
                Err(error) => self.fx.reply(call, Err(error)),
            }
            return;
        }
        let answer = self.answer(now, grants, method);
        self.fx.reply(call, answer);
    }

    fn answer(&mut self, now: Now, grants: &Grants, method: Call) -> Answer {
        match method {
            Call::CreateRoom(request) => self.create_room(now, grants, &request),
            Call::ListRooms(request) => self.list_rooms(grants, &request),
            Call::DeleteRoom(request) => self.delete_room(now, grants, &request.room),
            Call::ListParticipants(request) => {
                let (room, _) = self.moderated(grants, &request.room)?;
                let participants = room
                    .participants
                    .values()
                    .map(|participant| room.participant_info(participant))
                    .collect();
                Ok(CallAnswer::Participants(proto::ListParticipantsResponse { participants }))
            }
            Call::GetParticipant(request) => {
                let (room, _) = self.moderated(grants, &request.room)?;
                let participant = room.by_identity(&request.identity).ok_or_else(no_participant)?;
                Ok(CallAnswer::Participant(room.participant_info(participant)))
            }
            Call::RemoveParticipant(request) => self.remove_participant(now, grants, &request),
            Call::MutePublishedTrack(request) => self.mute_published_track(now, grants, &request),
            Call::UpdateParticipant(request) => self.update_participant(now, grants, request),
            Call::UpdateSubscriptions(request) => {
                let (room, fx) = self.moderated(grants, &request.room)?;
                let session = session_of(room, &request.identity)?;
                let named = request.participant_tracks.iter().flat_map(|tracks| &tracks.track_sids);
                room.update_subscription(
                    fx,
                    now,
                    session,
                    request.track_sids.iter().chain(named),
                    request.subscribe,
                );
                Ok(CallAnswer::Subscriptions(proto::UpdateSubscriptionsResponse {}))
            }
            Call::SendData(request) => self.send_data(grants, request),
            Call::UpdateRoomMetadata(request) => self.update_room_metadata(grants, request),
            Call::ForwardParticipant(_) | Call::MoveParticipant(_) => {
                Err(CallError::new(CallCode::Unimplemented, "not implemented"))
            }
            Call::PerformRpc(_) => Err(CallError::new(CallCode::Unimplemented, "answered elsewhere")),
        }
    }

    /// The room that these grants moderate.
    fn moderated(
        &mut self,
        grants: &Grants,
        name: &str,
    ) -> Result<(&mut Room, &mut super::Effects), CallError> {
        if !grants.may_moderate(name) {
            return Err(forbidden());
        }
        let room = self.names.get(name).and_then(|key| self.rooms.get_mut(key)).ok_or_else(no_room)?;
        Ok((room, &mut self.fx))
    }

    fn create_room(&mut self, now: Now, grants: &Grants, request: &proto::CreateRoomRequest) -> Answer {
        if !grants.may_create() {
            return Err(forbidden());
        }
        if request.name.is_empty() {
            return Err(invalid("no room name"));
        }
        if request.name.len() > config::ROOM_NAME {
            return Err(invalid(&format!(
                "room name length exceeds limits: max length {}",
                config::ROOM_NAME
            )));
        }
        if request.metadata.len() > config::METADATA {
            return Err(invalid("metadata size exceeds limits"));
        }
        if self.draining {
            return Err(CallError::new(
                CallCode::Unavailable,
                "this server is about to stop; try again in a moment",
            ));
        }
        if self.rooms.len() >= config::ROOMS && !self.names.contains_key(&request.name) {
            let message = format!("this server is full: it serves at most {} rooms", config::ROOMS);
            return Err(CallError::new(CallCode::ResourceExhausted, message));
        }
        let key = self.open_room(now, &request.name, &proto::RoomConfiguration::default());
        let room = self.rooms.get_mut(&key).ok_or_else(no_room)?;
        // Of a room that exists, what is said changes, as in `LiveKit`.
        let set = |value: &mut u32, said: u32| {
            if said > 0 {
                *value = said;
            }
        };
        set(&mut room.info.empty_timeout, request.empty_timeout);
        set(&mut room.info.departure_timeout, request.departure_timeout);
        set(&mut room.info.max_participants, request.max_participants);
        let news = !request.metadata.is_empty() && room.info.metadata != request.metadata;
        if news {
            room.info.metadata.clone_from(&request.metadata);
            room.send_room_update(&mut self.fx);
        }
        let patience = if room.entered { room.departure_timeout() } else { room.empty_timeout() };
        self.fx.wake(room.empty_since.unwrap_or(now.instant) + patience, Timer::Empty(key));
        Ok(CallAnswer::Room(room.info()))
    }

    fn list_rooms(&self, grants: &Grants, request: &proto::ListRoomsRequest) -> Answer {
        if !grants.may_list() {
            return Err(forbidden());
        }
        let rooms = if request.names.is_empty() {
            self.rooms.values().map(Room::info).collect()
        } else {
            let named = request.names.iter().take(config::ROOMS).filter_map(|name| self.names.get(name));
            let keys: std::collections::BTreeSet<_> = named.copied().collect();
            keys.iter().filter_map(|key| self.rooms.get(key)).map(Room::info).collect()
        };
        Ok(CallAnswer::Rooms(proto::ListRoomsResponse { rooms }))
    }

    fn delete_room(&mut self, now: Now, grants: &Grants, name: &str) -> Answer {
        if !grants.may_create() {
            return Err(forbidden());
        }
        let key = *self.names.get(name).ok_or_else(no_room)?;
        self.end_room(now, key, Farewell::for_good(DisconnectReason::RoomDeleted, Closing::RoomDeleted));
        Ok(CallAnswer::RoomDeleted(proto::DeleteRoomResponse {}))
    }

    /// Sends a participant out. That it is not there now is an error, as in `LiveKit`; its older tokens are refused all the same,
    /// because it may be on its way.
    fn remove_participant(
        &mut self,
        now: Now,
        grants: &Grants,
        request: &proto::RoomParticipantIdentity,
    ) -> Answer {
        if !grants.may_moderate(&request.room) {
            return Err(forbidden());
        }
        if request.identity.is_empty() || request.identity.len() > config::IDENTITY {
            return Err(invalid("identity cannot be empty"));
        }
        let second = now.unix_ms / 1_000;
        // A caller may say another moment: tokens from before it are refused.
        let until = match u64::try_from(request.revoke_token_ts) {
            Ok(said) if said > 0 => said - 1,
            _ => second,
        };
        let exists = self.names.contains_key(&request.room);
        self.removals.remember(now, &request.room, &request.identity, until, exists);
        let (room, fx) = self.moderated(grants, &request.room)?;
        let session = session_of(room, &request.identity)?;
        room.leave(
            fx,
            now,
            session,
            Farewell::for_good(DisconnectReason::ParticipantRemoved, Closing::Removed),
        );
        Ok(CallAnswer::Removed(proto::RemoveParticipantResponse {}))
    }

    fn mute_published_track(
        &mut self,
        now: Now,
        grants: &Grants,
        request: &proto::MuteRoomTrackRequest,
    ) -> Answer {
        let remote_unmute = self.fx.config.remote_unmute;
        let (room, fx) = self.moderated(grants, &request.room)?;
        let session = session_of(room, &request.identity)?;
        if !request.muted && !remote_unmute {
            return Err(CallError::new(CallCode::FailedPrecondition, "remote unmute not enabled"));
        }
        let own = room.track_sids.get(&request.track_sid).copied();
        let own = own.filter(|key| room.tracks.get(key).is_some_and(|track| track.publisher == session));
        let key = own.ok_or_else(|| CallError::new(CallCode::NotFound, "track is not found"))?;
        if room.set_muted(fx, now, key, request.muted) {
            // The client mutes itself too, so that what its user sees is true.
            let connection = room.participants.get(&session).and_then(|participant| participant.connection);
            let mute = MuteTrackRequest { sid: request.track_sid.clone(), muted: request.muted };
            fx.send(connection, Message::Mute(mute));
        }
        let track = room.tracks.get(&key).map(|track| track.info.clone());
        Ok(CallAnswer::Muted(proto::MuteRoomTrackResponse { track }))
    }

    fn update_participant(
        &mut self,
        now: Now,
        grants: &Grants,
        request: proto::UpdateParticipantRequest,
    ) -> Answer {
        let (room, fx) = self.moderated(grants, &request.room)?;
        let session = session_of(room, &request.identity)?;
        room.describe(fx, now, session, &request.name, &request.metadata, &request.attributes)
            .map_err(|what| invalid(what.as_str()))?;
        if let Some(permission) = request.permission {
            room.set_permission(fx, now, session, permission);
        }
        let participant = room.participants.get(&session).ok_or_else(no_participant)?;
        Ok(CallAnswer::Participant(room.participant_info(participant)))
    }

    fn send_data(&mut self, grants: &Grants, request: proto::SendDataRequest) -> Answer {
        let (room, fx) = self.moderated(grants, &request.room)?;
        if !matches!(request.nonce.len(), 0 | 16) {
            return Err(invalid("nonce should be 16-bytes or not present"));
        }
        // A little less than a packet may have, for what is written around the payload.
        if request.data.len() > config::DATA_PACKET - 2_048
            || request.topic.as_ref().is_some_and(|topic| topic.len() > 1_024)
        {
            return Err(invalid("data exceeds 61952 bytes, or topic 1024"));
        }
        #[allow(deprecated, reason = "old server SDKs name sids")]
        let named = request.destination_identities.len().max(request.destination_sids.len());
        if named > config::DESTINATIONS {
            return Err(invalid("too many destinations: at most 1000"));
        }
        room.send_data(fx, request);
        Ok(CallAnswer::Sent(proto::SendDataResponse {}))
    }

    fn update_room_metadata(&mut self, grants: &Grants, request: proto::UpdateRoomMetadataRequest) -> Answer {
        let (room, fx) = self.moderated(grants, &request.room)?;
        if request.metadata.len() > config::METADATA {
            return Err(invalid("metadata size exceeds limits"));
        }
        room.info.metadata = request.metadata;
        room.send_room_update(fx);
        Ok(CallAnswer::Room(room.info()))
    }
}

fn session_of(room: &Room, identity: &str) -> Result<SessionId, CallError> {
    room.identities.get(identity).copied().ok_or_else(no_participant)
}

fn forbidden() -> CallError {
    CallError::new(CallCode::Unauthenticated, "permissions denied")
}

fn no_room() -> CallError {
    CallError::new(CallCode::NotFound, "requested room does not exist")
}

fn no_participant() -> CallError {
    CallError::new(CallCode::NotFound, "participant does not exist")
}

fn invalid(message: &str) -> CallError {
    CallError::new(CallCode::InvalidArgument, message)
}
