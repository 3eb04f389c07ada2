//! What a client says, and what a shard says about it: each message to where it belongs.

use livekit_protocol::request_response::{Reason, Request};
use livekit_protocol::signal_request::Message as Said;
use livekit_protocol::signal_response::Message;
use livekit_protocol::{
    DisconnectReason, MediaSectionsRequirement, Pong, RequestResponse, SessionDescription, SignalRequest,
    SignalTarget, TrickleRequest, participant_info,
};

use super::config;
use super::door::primary;
use super::effects::Effects;
use super::offer;
use super::output::Closing;
use super::presence::{Audience, Farewell};
use super::state::Room;
use super::{ConnectionId, Rooms};
use crate::contract::{Ending, Event, Now, Order, SessionId, Target};

impl Rooms {
    /// A frame of a client.
    pub fn request(&mut self, now: Now, connection: ConnectionId, request: SignalRequest) {
        let fx = &mut self.fx;
        let Some(seat) = fx.connections.get_mut(&connection) else { return };
        let (key, session) = (seat.room, seat.session);
        let flood = !seat.requests.take(now.instant, 1);
        let Some(room) = self.rooms.get_mut(&key) else { return };
        fx.totals.requests += 1;
        if flood {
            room.leave(fx, now, session, Farewell::for_good(DisconnectReason::StateMismatch, Closing::Flood));
        } else if let Some(said) = request.message {
            room.said(fx, now, session, said);
        }
    }

    /// What a media shard reports.
    pub fn media(&mut self, now: Now, event: Event) {
        let key = match &event {
            Event::Answer { session, .. }
            | Event::Offer { session, .. }
            | Event::Sections { session, .. }
            | Event::Connected { session, .. }
            | Event::Ended { session, .. }
            | Event::Refused { session, .. }
            | Event::Data { session, .. }
            | Event::Paused { session, .. }
            | Event::Health { session, .. } => self.fx.sessions.get(session).map(|(room, _)| *room),
            Event::Flowing { track, .. } => self.fx.tracks.get(track).copied(),
            Event::Levels { room, .. } => Some(*room),
        };
        if let Some(room) = key.and_then(|key| self.rooms.get_mut(&key)) {
            room.reported(&mut self.fx, now, event);
        }
    }
}

impl Room {
    fn said(&mut self, fx: &mut Effects, now: Now, session: SessionId, said: Said) {
        let Some(connection) = self.participants.get(&session).map(|participant| participant.connection)
        else {
            return;
        };
        match said {
            Said::Offer(offer) => self.offer(fx, now, session, offer),
            Said::Answer(answer) if answer.sdp.len() <= config::SDP => {
                fx.order(session, Order::Answer { session, id: answer.id, sdp: answer.sdp });
            }
            Said::Answer(_) => self.leave(
                fx,
                now,
                session,
                Farewell::for_good(DisconnectReason::StateMismatch, Closing::Flood),
            ),
            Said::Trickle(trickle) => candidate(fx, session, &trickle),
            Said::AddTrack(request) => self.add_track(fx, session, request),
            Said::Mute(request) => self.mute_own(fx, now, session, &request),
            Said::Subscription(wanted) => {
                let named = wanted.participant_tracks.iter().flat_map(|tracks| &tracks.track_sids);
                self.update_subscription(
                    fx,
                    now,
                    session,
                    wanted.track_sids.iter().chain(named),
                    wanted.subscribe,
                );
            }
            Said::TrackSetting(settings) => self.track_settings(fx, now, session, &settings),
            Said::Leave(_) => {
                let farewell = Farewell {
                    reason: DisconnectReason::ClientInitiated,
                    action: None,
                    closing: Closing::Left,
                };
                self.leave(fx, now, session, farewell);
            }
            Said::SubscriptionPermission(request) => self.set_audience(fx, now, session, request),
            Said::SyncState(state) => self.sync(fx, now, session, state),
            Said::Simulate(scenario) => self.simulate(fx, now, session, scenario),
            Said::Ping(_) => {
                fx.send(connection, Message::Pong(i64::try_from(now.unix_ms).unwrap_or(i64::MAX)));
            }
            Said::PingReq(ping) => {
                let timestamp = i64::try_from(now.unix_ms).unwrap_or(i64::MAX);
                fx.send(
                    connection,
                    Message::PongResp(Pong { last_ping_timestamp: ping.timestamp, timestamp }),
                );
            }
            Said::UpdateMetadata(update) => self.update_own(fx, now, session, update),
            Said::UpdateAudioTrack(update) => {
                let done = self.update_audio(fx, now, session, &update.track_sid, update.features.clone());
                respond_unless(fx, connection, done, Request::UpdateAudioTrack(update));
            }
            Said::UpdateVideoTrack(update) => {
                let size = (update.width, update.height);
                let done = self.update_video(fx, now, session, &update.track_sid, size);
                respond_unless(fx, connection, done, Request::UpdateVideoTrack(update));
            }
            Said::PublishDataTrackRequest(request) => self.publish_data_track(fx, now, session, request),
            Said::UnpublishDataTrackRequest(request) => self.unpublish_data_track(fx, now, session, request),
            Said::UpdateDataSubscription(request) => self.update_data_subscription(fx, session, &request),
            Said::StoreDataBlobRequest(request) => unsupported(fx, connection, request.request_id),
            Said::GetDataBlobRequest(request) => unsupported(fx, connection, request.request_id),
            #[allow(deprecated, reason = "the client says it all the same; nothing follows from it")]
            Said::UpdateLayers(_) => {}
        }
    }

    /// A client's offer: to its shard, and kept until it is answered, for what it says of tracks.
    pub fn offer(&mut self, fx: &mut Effects, now: Now, session: SessionId, offer: SessionDescription) {
        let Some(participant) = self.participants.get_mut(&session) else { return };
        if offer.sdp.len() > config::SDP || !participant.offer_rate.take(now.instant, 1) {
            self.leave(fx, now, session, Farewell::for_good(DisconnectReason::StateMismatch, Closing::Flood));
            return;
        }
        participant.offers.push_back((offer.id, offer::sections(&offer.sdp)));
        if participant.offers.len() > config::OFFERS_WAITING {
            participant.offers.pop_front();
        }
        if participant.state == participant_info::State::Joining {
            participant.state = participant_info::State::Joined;
            self.changed(fx, now, session, Audience::Others);
        }
        fx.order(session, Order::Offer { session, id: offer.id, sdp: offer.sdp });
    }

    fn reported(&mut self, fx: &mut Effects, now: Now, event: Event) {
        match event {
            Event::Answer { session, id, sdp, mids } => self.answered(fx, now, session, id, sdp, mids),
            Event::Offer { session, id, sdp, mids } => {
                let connection =
                    self.participants.get(&session).and_then(|participant| participant.connection);
                let mid_to_track_id = mids.into_iter().collect();
                let offer = SessionDescription { r#type: "offer".to_owned(), sdp, id, mid_to_track_id };
                fx.send(connection, Message::Offer(offer));
            }
            Event::Sections { session, audios, videos } => {
                let connection =
                    self.participants.get(&session).and_then(|participant| participant.connection);
                let requirement = MediaSectionsRequirement { num_audios: audios, num_videos: videos };
                fx.send(connection, Message::MediaSectionsRequirement(requirement));
            }
            Event::Connected { session, target } => self.connected(fx, now, session, target),
            Event::Ended { session, why } => self.ended(fx, now, session, why),
            Event::Flowing { track, mime, mid } => self.flowing(fx, now, track, &mime, mid),
            Event::Refused { session, track } => self.refused(fx, now, session, track),
            Event::Data { session, channel, bytes } => self.data(fx, now, session, channel, &bytes),
            Event::Levels { levels, .. } => self.levels(fx, &levels),
            Event::Paused { session, track, paused } => self.paused(fx, session, track, paused),
            Event::Health { session, health } => self.health(fx, session, health),
        }
    }

    fn answered(
        &mut self,
        fx: &mut Effects,
        now: Now,
        session: SessionId,
        id: u32,
        sdp: String,
        mids: Vec<(String, String)>,
    ) {
        let Some(participant) = self.participants.get_mut(&session) else { return };
        let mid_to_track_id = mids.into_iter().collect();
        let answer = SessionDescription { r#type: "answer".to_owned(), sdp, id, mid_to_track_id };
        fx.send(participant.connection, Message::Answer(answer));
        while let Some((offered, sections)) = participant.offers.pop_front() {
            if offered == id {
                self.negotiated(fx, now, session, &sections);
                return;
            }
        }
    }

    fn connected(&mut self, fx: &mut Effects, now: Now, session: SessionId, target: Target) {
        if self.participants.get(&session).is_some_and(|participant| primary(participant) == target) {
            self.activate(fx, now, session);
        }
    }

    /// A shard gave a session up: it is named no more, and its client must begin anew.
    fn ended(&mut self, fx: &mut Effects, now: Now, session: SessionId, why: Ending) {
        fx.forget_session(session);
        let reason = match why {
            Ending::Closed => DisconnectReason::ClientInitiated,
            Ending::Unreachable => DisconnectReason::ConnectionTimeout,
            Ending::Broken | Ending::TooSlow => DisconnectReason::MediaFailure,
            Ending::BadDescription => DisconnectReason::StateMismatch,
        };
        tracing::info!(?session, ?why, "media ended");
        self.leave(fx, now, session, Farewell::again(reason, Closing::Media));
    }
}

/// A remote candidate: JSON, as browsers make it. An empty one says that there are no more.
fn candidate(fx: &mut Effects, session: SessionId, trickle: &TrickleRequest) {
    #[derive(serde::Deserialize)]
    struct Candidate {
        candidate: String,
    }
    if trickle.candidate_init.len() > config::CANDIDATE {
        return;
    }
    let Ok(Candidate { candidate }) = serde_json::from_str(&trickle.candidate_init) else { return };
    let target = match trickle.target() {
        SignalTarget::Publisher => Target::Publisher,
        SignalTarget::Subscriber => Target::Subscriber,
    };
    if !candidate.is_empty() {
        fx.order(session, Order::Candidate { session, target, candidate });
    }
}

fn respond_unless(fx: &mut Effects, connection: Option<ConnectionId>, done: bool, request: Request) {
    if !done {
        let message = "no such track of this participant".to_owned();
        let response = RequestResponse {
            request_id: 0,
            reason: Reason::NotFound as i32,
            message,
            request: Some(request),
        };
        fx.send(connection, Message::RequestResponse(response));
    }
}

/// A request that this server knows by name only.
fn unsupported(fx: &mut Effects, connection: Option<ConnectionId>, request_id: u32) {
    let message = "this server does not support the request".to_owned();
    let response =
        RequestResponse { request_id, reason: Reason::UnsupportedType as i32, message, request: None };
    fx.send(connection, Message::RequestResponse(response));
}
