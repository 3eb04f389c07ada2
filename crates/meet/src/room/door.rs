//! Coming in: who is let in, what the first frame says, and what happens when a lost socket comes back.

use livekit_protocol::signal_response::Message;
use livekit_protocol::{
    ClientInfo, DataChannelReceiveState, DisconnectReason, JoinResponse, ParticipantUpdate,
    ReconnectResponse, RoomConfiguration, RoomUpdate, ServerInfo, SyncState, leave_request,
};

use super::allowance::Allowance;
use super::config;
use super::effects::{Effects, Seat, Timer, leave};
use super::join::{self, Join, Refusal};
use super::output::{Closing, ConnectionId, Output};
use super::presence::{Audience, Farewell};
use super::state::{Participant, Room};
use super::{Rooms, data};
use crate::contract::{Channel, Now, Order, Peers, RoomKey, SessionId};
use crate::grants::Grants;

impl Rooms {
    /// Whether a client with these grants would be let in now: what `/validate` answers, and what is known before an upgrade.
    pub fn may_join(&self, grants: &Grants) -> Result<(), Refusal> {
        let name = join::judge(grants)?;
        if self.removals.refuses(name, grants) {
            return Err(Refusal::Removed);
        }
        if self.draining {
            return Err(Refusal::Draining);
        }
        let room = self.names.get(name).and_then(|key| self.rooms.get(key));
        let again = room.is_some_and(|room| room.identities.contains_key(&grants.identity));
        let (sessions, limit) = (self.fx.sessions.len(), self.fx.config.max_sessions);
        if limit > 0 && sessions >= limit && !again {
            return Err(Refusal::Full { limit });
        }
        let Some(room) = room else {
            if !self.fx.config.auto_create && !grants.may_create() {
                return Err(Refusal::RoomNotFound);
            }
            let limit = config::ROOMS;
            return if self.rooms.len() >= limit { Err(Refusal::TooManyRooms { limit }) } else { Ok(()) };
        };
        let limit = room.info.max_participants;
        if limit > 0 && !again {
            let people = room.participants.values().filter(|participant| !participant.dependent()).count();
            if people >= usize::try_from(limit).unwrap_or(usize::MAX) {
                return Err(Refusal::RoomFull { limit });
            }
        }
        Ok(())
    }

    /// As [`Rooms::may_join`], with all that the client asks for.
    pub fn admits(&self, join: &Join) -> Result<(), Refusal> {
        self.may_join(&join.grants)?;
        let changes_itself = !join.metadata.is_empty() || !join.attributes.is_empty();
        if changes_itself && !join.grants.permission().can_update_metadata {
            return Err(Refusal::NotAllowed);
        }
        join::fits("metadata", join.metadata.len(), config::METADATA)?;
        let own = join.grants.attributes.iter().map(|(name, value)| name.len() + value.len());
        let added = join.attributes.iter().map(|(name, value)| name.len() + value.len());
        join::fits("attributes", own.chain(added).sum(), config::ATTRIBUTES)?;
        join::fits(
            "publisher offer",
            join.publisher_offer.as_ref().map_or(0, |offer| offer.sdp.len()),
            config::SDP,
        )?;
        Ok(())
    }

    /// A client on a new WebSocket. The first frame that it gets says that it is in, that it resumed, or that it must leave.
    pub fn join(&mut self, now: Now, connection: ConnectionId, join: Join) {
        let resuming = join.reconnect;
        if let Err(refusal) = self.admits(&join) {
            self.fx.totals.refusals += 1;
            tracing::info!(%refusal, identity = join.grants.identity, "join refused");
            let farewell = match refusal {
                Refusal::Draining => {
                    leave(DisconnectReason::ServerShutdown, leave_request::Action::Reconnect)
                }
                Refusal::Removed => {
                    leave(DisconnectReason::ParticipantRemoved, leave_request::Action::Disconnect)
                }
                _ => leave(DisconnectReason::JoinFailure, leave_request::Action::Disconnect),
            };
            self.fx.dismiss(connection, farewell, Closing::Refused);
        } else if resuming {
            self.resume(now, connection, join);
        } else {
            self.enter(now, connection, join);
        }
    }

    fn enter(&mut self, now: Now, connection: ConnectionId, mut join: Join) {
        if !join.metadata.is_empty() {
            join.grants.metadata = std::mem::take(&mut join.metadata);
        }
        // An empty value deletes nothing that the token says, as in `LiveKit`.
        join.grants.attributes.extend(join.attributes.drain().filter(|(_, value)| !value.is_empty()));
        let name = join.grants.may_enter().unwrap_or_default().to_owned();
        let settings = join.grants.room_config.clone().unwrap_or_default();
        let key = self.open_room(now, &name, &settings);
        let Some(room) = self.rooms.get_mut(&key) else { return };
        let fx = &mut self.fx;
        if let Some(&before) = room.identities.get(&join.grants.identity) {
            let farewell =
                Farewell::for_good(DisconnectReason::DuplicateIdentity, Closing::DuplicateIdentity);
            room.leave(fx, now, before, farewell);
        }
        fx.totals.joins += 1;
        let (session, shard) = fx.open_session(key);
        let sid = fx.sid("PA_");
        let mut participant = Participant::new(now, session, shard, sid, join.grants, join.peers);
        participant.client = short_client(join.client);
        participant.auto_subscribe = join.auto_subscribe;
        participant.auto_subscribe_data = join.auto_subscribe_data_track;
        participant.adaptive_stream = join.adaptive_stream;
        participant.connection = Some(connection);
        let silent = participant.hidden() && !participant.permission.can_publish_data;
        fx.connections.insert(connection, seat(key, session, now));
        fx.order(session, Order::Open { session, peers: join.peers, may_pause: join.may_pause, silent });
        room.seat(participant);
        room.greet(fx, session, join.ice_servers);
        room.changed(fx, now, session, Audience::Others);
        if room.visible.contains(&session) {
            room.census(fx, now);
        }
        room.recording(fx);
        room.send_speakers(fx, session);
        fx.wake(now.instant + config::CONNECT_TIMEOUT, Timer::Connect(key, session));
        room.refresh(fx, now, session);
        for request in join.add_track_requests.into_iter().take(config::TRACKS) {
            room.add_track(fx, session, request);
        }
        if join.auto_subscribe {
            room.subscribe_to_all(fx, now, session);
        }
        if join.auto_subscribe_data_track {
            room.subscribe_to_all_data(fx, session);
        }
        if let Some(offer) = join.publisher_offer {
            room.offer(fx, now, session, offer);
        }
    }

    /// The room of this name, made now if there is none.
    pub(super) fn open_room(&mut self, now: Now, name: &str, settings: &RoomConfiguration) -> RoomKey {
        if let Some(&key) = self.names.get(name) {
            return key;
        }
        let fx = &mut self.fx;
        let key = RoomKey(fx.number());
        let sid = fx.sid("RM_");
        let room = Room::new(key, now, name, sid, settings, &fx.config);
        fx.wake(now.instant + room.empty_timeout(), Timer::Empty(key));
        room.webhook(fx, now, "room_started", |_| {});
        self.removals.room_opened(name);
        self.names.insert(name.to_owned(), key);
        self.rooms.insert(key, room);
        key
    }

    fn resume(&mut self, now: Now, connection: ConnectionId, join: Join) {
        let name = join.grants.may_enter().unwrap_or_default();
        let found = self.names.get(name).and_then(|key| self.rooms.get_mut(key)).and_then(|room| {
            let session = *room.identities.get(&join.grants.identity)?;
            let participant = room.participants.get(&session)?;
            let same = join.participant_sid.is_empty() || participant.sid == join.participant_sid;
            // A client that changes the number of its peer connections cannot go on with them.
            (same && participant.peers == join.peers).then_some((room, session))
        });
        let fx = &mut self.fx;
        let Some((room, session)) = found else {
            let farewell = leave(DisconnectReason::StateMismatch, leave_request::Action::Reconnect);
            fx.dismiss(connection, farewell, Closing::Reconnect);
            return;
        };
        fx.totals.resumes += 1;
        let key = room.key;
        let Some(participant) = room.participants.get_mut(&session) else { return };
        if let Some(before) = participant.connection.replace(connection) {
            fx.close(before, Closing::Superseded);
        }
        fx.connections.insert(connection, seat(key, session, now));
        if room.cut_on_resume(fx, now, session, true) {
            return;
        }
        room.greet_again(fx, session, join.ice_servers);
        room.refresh(fx, now, session);
        room.found(fx, session);
        fx.order(session, Order::Restart { session });
        if let Some(state) = join.sync_state {
            room.sync(fx, now, session, state);
        }
        if let Some(offer) = join.publisher_offer {
            room.offer(fx, now, session, offer);
        }
        room.cut_on_resume(fx, now, session, false);
    }

    /// A WebSocket is gone. Its participant stays for as long as its media transport lives.
    pub fn disconnected(&mut self, now: Now, connection: ConnectionId) {
        let Some(seat) = self.fx.connections.remove(&connection) else { return };
        let Some(room) = self.rooms.get_mut(&seat.room) else { return };
        room.unplugged(&mut self.fx, now, seat.session);
    }

    /// Asks every client to begin anew elsewhere (or here, once this process was replaced), and admits nobody from now on.
    pub fn drain(&mut self, now: Now) {
        self.draining = true;
        for key in self.rooms.keys().copied().collect::<Vec<_>>() {
            self.end_room(now, key, Farewell::again(DisconnectReason::ServerShutdown, Closing::Reconnect));
        }
    }

    /// Sends everybody out and forgets the room.
    pub(super) fn end_room(&mut self, now: Now, key: RoomKey, farewell: Farewell) {
        let Some(mut room) = self.rooms.remove(&key) else { return };
        self.names.remove(&room.info.name);
        self.removals.room_ended(now, &room.info.name);
        let fx = &mut self.fx;
        // Nobody stays who would have to be told of the others.
        let everybody: Vec<SessionId> = room.participants.keys().copied().collect();
        for participant in room.participants.values_mut() {
            if let Some(connection) = participant.connection.take() {
                match farewell.action {
                    Some(action) => fx.dismiss(connection, leave(farewell.reason, action), farewell.closing),
                    None => fx.close(connection, farewell.closing),
                }
            }
        }
        for session in everybody {
            room.leave(fx, now, session, farewell);
        }
        room.webhook(fx, now, "room_finished", |_| {});
    }
}

impl Room {
    /// The first frame.
    fn greet(&self, fx: &mut Effects, session: SessionId, ice_servers: Vec<livekit_protocol::IceServer>) {
        let Some(participant) = self.participants.get(&session) else { return };
        let info = server_info(&fx.config);
        let response = JoinResponse {
            room: Some(self.info()),
            participant: Some(self.participant_info(participant)),
            other_participants: self.others(session),
            server_version: info.version.clone(),
            server_region: info.region.clone(),
            ice_servers,
            subscriber_primary: participant.subscriber_primary,
            ping_interval: seconds(config::PING_INTERVAL),
            ping_timeout: seconds(config::PING_TIMEOUT),
            server_info: Some(info),
            enabled_publish_codecs: fx.config.codecs.clone(),
            fast_publish: participant.permission.can_publish,
            ..JoinResponse::default()
        };
        fx.send(participant.connection, Message::Join(response));
    }

    /// The first frame of a resumed session, and all that may have changed meanwhile.
    fn greet_again(
        &mut self,
        fx: &mut Effects,
        session: SessionId,
        ice_servers: Vec<livekit_protocol::IceServer>,
    ) {
        let Some(participant) = self.participants.get(&session) else { return };
        let connection = participant.connection;
        let response = ReconnectResponse {
            ice_servers,
            client_configuration: None,
            server_info: Some(server_info(&fx.config)),
            last_message_seq: participant.sequence,
        };
        fx.send(connection, Message::Reconnect(response));
        let mut participants = self.others(session);
        participants.push(self.participant_info(participant));
        for batch in participants.chunks(config::UPDATE_BATCH) {
            fx.send(connection, Message::Update(ParticipantUpdate { participants: batch.to_vec() }));
        }
        fx.send(connection, Message::RoomUpdate(RoomUpdate { room: Some(self.info()) }));
        self.send_speakers(fx, session);
        self.send_data_handles(fx, session);
    }

    /// A new token for whoever is here, and again after a while.
    pub fn refresh(&mut self, fx: &mut Effects, now: Now, session: SessionId) {
        let Some(participant) = self.participants.get_mut(&session) else { return };
        let Some(connection) = participant.connection else { return };
        participant.refresh_at = now.instant + config::TOKEN_REFRESH;
        let mut grants = participant.grants.clone();
        let seconds = now.unix_ms / 1_000;
        let fresh = seconds + fx.config.token_life.as_secs();
        grants.issued_at = Some(seconds);
        grants.not_before = Some(seconds);
        grants.expires_at = Some(grants.expires_at.unwrap_or(0).max(fresh));
        fx.push(Output::Refresh { connection, grants: Box::new(grants) });
        fx.wake(participant.refresh_at, Timer::Refresh(self.key, session));
    }

    /// A socket was lost: its participant stays while its media stands, or may come to stand.
    pub fn unplugged(&mut self, fx: &mut Effects, now: Now, session: SessionId) {
        let Some(participant) = self.participants.get_mut(&session) else { return };
        participant.connection = None;
        if !participant.active() {
            fx.wake(now.instant + config::UNCONNECTED_GRACE, Timer::Grace(self.key, session));
        }
        self.lost(fx, session);
    }

    /// What a client believes after it resumed. If it believes in tracks that are not there, it must begin anew.
    pub fn sync(&mut self, fx: &mut Effects, now: Now, session: SessionId, state: SyncState) {
        let known = |sid: &str| {
            let track = self.track_sids.get(sid).and_then(|key| self.tracks.get(key));
            track.is_some_and(|track| track.publisher == session)
        };
        let known_data =
            |sid: &str| self.data_tracks.get(sid).is_some_and(|track| track.publisher == session);
        let tracks = state
            .publish_tracks
            .iter()
            .all(|published| published.track.as_ref().is_some_and(|track| known(&track.sid)));
        let data = state
            .publish_data_tracks
            .iter()
            .all(|published| published.info.as_ref().is_some_and(|info| known_data(&info.sid)));
        if !(tracks && data) {
            self.leave(
                fx,
                now,
                session,
                Farewell::again(DisconnectReason::StateMismatch, Closing::Reconnect),
            );
            return;
        }
        self.disable(fx, now, session, &state.track_sids_disabled);
        if let Some(wanted) = state.subscription {
            // What is gone meanwhile is no error: the update told.
            let named = wanted
                .track_sids
                .iter()
                .chain(wanted.participant_tracks.iter().flat_map(|tracks| &tracks.track_sids));
            let sids: Vec<String> = named.filter(|sid| self.track_sids.contains_key(*sid)).cloned().collect();
            self.update_subscription(fx, now, session, sids.iter(), wanted.subscribe);
        }
        self.send_missed(fx, session, &state.datachannel_receive_states);
    }

    /// Reliable packets that came while a client was away.
    fn send_missed(&self, fx: &mut Effects, session: SessionId, states: &[DataChannelReceiveState]) {
        let Some(participant) = self.participants.get(&session) else { return };
        for sent in &self.sent {
            let state =
                states.iter().take(config::DESTINATIONS).find(|state| state.publisher_sid == sent.from);
            let missed = state.is_some_and(|state| sent.sequence > state.last_seq);
            if missed && data::is_addressed(&sent.to, &[], participant) {
                let bytes = sent.bytes.clone();
                fx.order(session, Order::Data { session, channel: Channel::Reliable, bytes });
            }
        }
    }

    fn new(
        key: RoomKey,
        now: Now,
        name: &str,
        sid: String,
        settings: &RoomConfiguration,
        config: &config::RoomsConfig,
    ) -> Self {
        let or = |set: u32, default: u32| if set > 0 { set } else { default };
        let whole = |time: std::time::Duration| u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
        let milliseconds = i64::try_from(now.unix_ms).unwrap_or(i64::MAX);
        let info = livekit_protocol::Room {
            sid,
            name: name.to_owned(),
            empty_timeout: or(settings.empty_timeout, whole(config.empty_timeout)),
            departure_timeout: or(settings.departure_timeout, whole(config.departure_timeout)),
            max_participants: or(settings.max_participants, config.max_participants),
            creation_time: milliseconds / 1_000,
            creation_time_ms: milliseconds,
            enabled_codecs: config.codecs.clone(),
            metadata: Some(&settings.metadata)
                .filter(|text| text.len() <= config::METADATA)
                .cloned()
                .unwrap_or_default(),
            ..livekit_protocol::Room::default()
        };
        Room {
            key,
            info,
            opened: now.instant,
            empty_since: Some(now.instant),
            entered: false,
            participants: Default::default(),
            identities: Default::default(),
            sids: Default::default(),
            visible: Default::default(),
            tracks: Default::default(),
            track_sids: Default::default(),
            data_tracks: Default::default(),
            quiet: Default::default(),
            quiet_due: false,
            census_due: false,
            speakers: Default::default(),
            rpcs: Default::default(),
            nonces: Default::default(),
            sent: Default::default(),
            sent_bytes: 0,
        }
    }
}

fn seat(room: RoomKey, session: SessionId, now: Now) -> Seat {
    let requests = Allowance::new(now.instant, config::REQUESTS_PER_SECOND, config::REQUEST_BURST);
    Seat { room, session, requests }
}

fn server_info(config: &config::RoomsConfig) -> ServerInfo {
    ServerInfo {
        version: config::SERVER_VERSION.to_owned(),
        protocol: config::PROTOCOL,
        region: config.region.clone(),
        node_id: config.node_id.clone(),
        ..ServerInfo::default()
    }
}

/// Only what others are told and what a browser is known by; a client cannot make it long.
fn short_client(client: ClientInfo) -> ClientInfo {
    let mut capabilities = client.capabilities;
    capabilities.sort_unstable();
    capabilities.dedup();
    capabilities.truncate(config::FEATURES);
    let short = |text: String| text.chars().take(64).collect::<String>();
    ClientInfo {
        sdk: client.sdk,
        protocol: client.protocol,
        client_protocol: client.client_protocol,
        version: short(client.version),
        browser: short(client.browser),
        browser_version: short(client.browser_version),
        os: short(client.os),
        capabilities,
        ..ClientInfo::default()
    }
}

fn seconds(time: std::time::Duration) -> i32 {
    i32::try_from(time.as_secs()).unwrap_or(i32::MAX)
}

/// Whether media towards the client comes on a peer connection of its own.
pub(super) fn primary(participant: &Participant) -> crate::contract::Target {
    if participant.peers == Peers::Dual && participant.subscriber_primary {
        crate::contract::Target::Subscriber
    } else {
        crate::contract::Target::Publisher
    }
}
