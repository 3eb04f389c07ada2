//! Data tracks: streams of small frames that others subscribe to, over the channel `_data_track`. Each receiver knows a track by
//! a handle of its own, which is the only thing that is changed in a packet.

use bytes::Bytes;
use livekit_protocol::data_track_frame_encoding::Value as FrameEncoding;
use livekit_protocol::data_track_schema_encoding::Value as SchemaEncoding;
use livekit_protocol::data_track_subscriber_handles::PublishedDataTrack;
use livekit_protocol::request_response::{Reason, Request};
use livekit_protocol::signal_response::Message;
use livekit_protocol::{
    DataTrackInfo, DataTrackSubscriberHandles, PublishDataTrackRequest, PublishDataTrackResponse,
    RequestResponse, UnpublishDataTrackRequest, UnpublishDataTrackResponse, UpdateDataSubscription,
};

use super::config;
use super::effects::Effects;
use super::presence::Audience;
use super::state::{DataTrack, Participant, Room};
use crate::contract::{Channel, Now, Order, SessionId};

/// Bytes of a packet's header: flags, reserved, handle, sequence, frame, timestamp. The handle is at 2 and 3.
const HEADER: usize = 12;

impl Room {
    pub fn publish_data_track(
        &mut self,
        fx: &mut Effects,
        now: Now,
        session: SessionId,
        request: PublishDataTrackRequest,
    ) {
        let Some(participant) = self.participants.get(&session) else { return };
        let named_alike =
            |sid| self.data_tracks.get(sid).is_some_and(|track: &DataTrack| track.info.name == request.name);
        let taken = participant.data_published.values().any(named_alike);
        let handle = match judge(participant, &request, taken) {
            Ok(handle) => handle,
            Err((reason, message)) => {
                let request = Some(Request::PublishDataTrack(request));
                respond(fx, participant, reason, message, request);
                return;
            }
        };
        let info = DataTrackInfo {
            pub_handle: u32::from(handle),
            sid: fx.sid("DTR_"),
            name: request.name,
            encryption: request.encryption,
            frame_encoding: request.frame_encoding,
            schema: request.schema,
        };
        let response = PublishDataTrackResponse { info: Some(info.clone()) };
        fx.send(participant.connection, Message::PublishDataTrackResponse(response));
        let sid = info.sid.clone();
        self.data_tracks
            .insert(sid.clone(), DataTrack { publisher: session, info, subscribers: Default::default() });
        if let Some(participant) = self.participants.get_mut(&session) {
            participant.data_published.insert(handle, sid.clone());
        }
        self.changed(fx, now, session, Audience::Others);
        let eager: Vec<SessionId> = self
            .participants
            .values()
            .filter(|other| other.auto_subscribe_data && other.session != session)
            .map(|other| other.session)
            .collect();
        for subscriber in eager {
            if self.subscribe_data(subscriber, &sid) {
                self.send_data_handles(fx, subscriber);
            }
        }
    }

    pub fn unpublish_data_track(
        &mut self,
        fx: &mut Effects,
        now: Now,
        session: SessionId,
        request: UnpublishDataTrackRequest,
    ) {
        let Some(participant) = self.participants.get(&session) else { return };
        let handle = u16::try_from(request.pub_handle).ok();
        let Some(sid) = handle.and_then(|handle| participant.data_published.get(&handle)).cloned() else {
            let request = Some(Request::UnpublishDataTrack(request));
            respond(fx, participant, Reason::NotFound, "no data track with this handle", request);
            return;
        };
        self.remove_data_track(fx, &sid);
        self.changed(fx, now, session, Audience::Others);
    }

    /// Ends a data track and tells its publisher and its receivers.
    pub fn remove_data_track(&mut self, fx: &mut Effects, sid: &str) {
        let Some(track) = self.data_tracks.remove(sid) else { return };
        for subscriber in track.subscribers.keys() {
            if let Some(participant) = self.participants.get_mut(subscriber) {
                participant.data_subscribed.remove(sid);
            }
            self.send_data_handles(fx, *subscriber);
        }
        let Some(publisher) = self.participants.get_mut(&track.publisher) else { return };
        publisher.data_published.retain(|_, published| published != sid);
        let response = UnpublishDataTrackResponse { info: Some(track.info) };
        fx.send(publisher.connection, Message::UnpublishDataTrackResponse(response));
    }

    /// Somebody goes, or may send data no more: what it publishes ends; if it goes, what it receives too.
    pub fn remove_data_tracks_of(&mut self, fx: &mut Effects, session: SessionId) {
        let Some(participant) = self.participants.get_mut(&session) else { return };
        for sid in std::mem::take(&mut participant.data_subscribed).into_keys() {
            if let Some(track) = self.data_tracks.get_mut(&sid) {
                track.subscribers.remove(&session);
            }
        }
        self.revoke_data_tracks(fx, session);
    }

    pub fn revoke_data_tracks(&mut self, fx: &mut Effects, session: SessionId) {
        let Some(participant) = self.participants.get(&session) else { return };
        for sid in participant.data_published.values().cloned().collect::<Vec<_>>() {
            self.remove_data_track(fx, &sid);
        }
    }

    /// A publisher narrowed its audience, or somebody may receive no more.
    pub fn revoke_data_subscribers(&mut self, fx: &mut Effects, publisher: SessionId) {
        let Some(participant) = self.participants.get(&publisher) else { return };
        for sid in participant.data_published.values().cloned().collect::<Vec<_>>() {
            let Some(track) = self.data_tracks.get(&sid) else { continue };
            for subscriber in track.subscribers.keys().copied().collect::<Vec<_>>() {
                if !self.may_receive_data(subscriber, &sid) {
                    self.unsubscribe_data(subscriber, &sid);
                    self.send_data_handles(fx, subscriber);
                }
            }
        }
    }

    /// A subscriber's permission changed.
    pub fn reconsider_data(&mut self, fx: &mut Effects, session: SessionId) {
        let Some(participant) = self.participants.get(&session) else { return };
        let auto = participant.auto_subscribe_data;
        let before = participant.data_subscribed.len();
        for sid in participant.data_subscribed.keys().cloned().collect::<Vec<_>>() {
            if !self.may_receive_data(session, &sid) {
                self.unsubscribe_data(session, &sid);
            }
        }
        if auto {
            self.subscribe_to_all_data(fx, session);
        }
        if self
            .participants
            .get(&session)
            .is_some_and(|participant| participant.data_subscribed.len() != before)
        {
            self.send_data_handles(fx, session);
        }
    }

    pub fn subscribe_to_all_data(&mut self, fx: &mut Effects, session: SessionId) {
        let mut any = false;
        for sid in self.data_tracks.keys().cloned().collect::<Vec<_>>() {
            any |= self.subscribe_data(session, &sid);
        }
        if any {
            self.send_data_handles(fx, session);
        }
    }

    pub fn update_data_subscription(
        &mut self,
        fx: &mut Effects,
        session: SessionId,
        request: &UpdateDataSubscription,
    ) {
        for update in request.updates.iter().take(config::SIDS) {
            if update.subscribe {
                self.subscribe_data(session, &update.track_sid);
            } else {
                self.unsubscribe_data(session, &update.track_sid);
            }
        }
        // Clients wait for the handles as for an answer, even if they had the track already.
        self.send_data_handles(fx, session);
    }

    fn may_receive_data(&self, session: SessionId, sid: &str) -> bool {
        let (Some(track), Some(participant)) = (self.data_tracks.get(sid), self.participants.get(&session))
        else {
            return false;
        };
        let Some(publisher) = self.participants.get(&track.publisher) else { return false };
        track.publisher != session
            && participant.permission.can_subscribe
            && !publisher.hidden()
            && publisher.admits(sid, participant)
    }

    /// Whether that changed anything.
    fn subscribe_data(&mut self, session: SessionId, sid: &str) -> bool {
        if !self.may_receive_data(session, sid) {
            return false;
        }
        let Some(participant) = self.participants.get_mut(&session) else { return false };
        if participant.data_subscribed.contains_key(sid)
            || participant.data_subscribed.len() >= config::SUBSCRIPTIONS
        {
            return false;
        }
        // Handles go round; 0 is none, and one in use is passed over. There are far fewer subscriptions than handles.
        let used: std::collections::BTreeSet<u16> = participant.data_subscribed.values().copied().collect();
        let mut handle = participant.data_handle;
        loop {
            handle = handle.wrapping_add(1).max(1);
            if !used.contains(&handle) {
                break;
            }
        }
        participant.data_handle = handle;
        participant.data_subscribed.insert(sid.to_owned(), handle);
        if let Some(track) = self.data_tracks.get_mut(sid) {
            track.subscribers.insert(session, handle);
        }
        true
    }

    fn unsubscribe_data(&mut self, session: SessionId, sid: &str) -> bool {
        if let Some(track) = self.data_tracks.get_mut(sid) {
            track.subscribers.remove(&session);
        }
        self.participants
            .get_mut(&session)
            .is_some_and(|participant| participant.data_subscribed.remove(sid).is_some())
    }

    /// Which handle is which track, all of them: a client replaces what it knew.
    pub fn send_data_handles(&self, fx: &mut Effects, session: SessionId) {
        let Some(participant) = self.participants.get(&session) else { return };
        if participant.data_handle == 0 {
            return;
        }
        let sub_handles = participant
            .data_subscribed
            .iter()
            .filter_map(|(sid, handle)| {
                let publisher = self.participants.get(&self.data_tracks.get(sid)?.publisher)?;
                let published = PublishedDataTrack {
                    publisher_identity: publisher.identity().to_owned(),
                    publisher_sid: publisher.sid.clone(),
                    track_sid: sid.clone(),
                };
                Some((u32::from(*handle), published))
            })
            .collect();
        fx.send(
            participant.connection,
            Message::DataTrackSubscriberHandles(DataTrackSubscriberHandles { sub_handles }),
        );
    }

    /// A packet of a data track: to each of its receivers under the handle that it knows. Whether there is such a track.
    pub fn data_track_packet(&self, fx: &mut Effects, session: SessionId, bytes: &Bytes) -> bool {
        let Some(&[high, low]) = bytes.get(2..4).filter(|_| bytes.len() >= HEADER) else { return false };
        let handle = u16::from_be_bytes([high, low]);
        let track =
            self.participants.get(&session).and_then(|publisher| publisher.data_published.get(&handle));
        let Some(track) = track.and_then(|sid| self.data_tracks.get(sid)) else { return false };
        for (&subscriber, handle) in &track.subscribers {
            if !self.participants.get(&subscriber).is_some_and(Participant::active) {
                continue;
            }
            let mut copy = bytes.to_vec();
            copy[2..4].copy_from_slice(&handle.to_be_bytes());
            fx.totals.data_out += 1;
            let order = Order::Data { session: subscriber, channel: Channel::DataTrack, bytes: copy.into() };
            fx.order(subscriber, order);
        }
        true
    }
}

/// The handle, if a data track may be published so.
fn judge(
    participant: &Participant,
    request: &PublishDataTrackRequest,
    name_taken: bool,
) -> Result<u16, (Reason, &'static str)> {
    if !participant.permission.can_publish_data || participant.hidden() {
        return Err((Reason::NotAllowed, "does not have permission to publish data"));
    }
    let handle = u16::try_from(request.pub_handle).ok().filter(|handle| *handle > 0);
    let handle = handle.ok_or((Reason::InvalidHandle, "handle should be > 0 AND < 65536"))?;
    if request.name.is_empty() || request.name.len() > config::TRACK_TEXT {
        return Err((Reason::InvalidName, "name should not be empty and should not exceed 256 characters"));
    }
    if !encodings_fit(request) {
        return Err((Reason::InvalidRequest, "encoding identifier is empty or exceeds the maximum length"));
    }
    if participant.data_published.contains_key(&handle) {
        return Err((Reason::DuplicateHandle, "a data track with same handle already exists"));
    }
    if name_taken {
        return Err((Reason::DuplicateName, "a data track with same name already exists"));
    }
    if participant.data_published.len() >= config::DATA_TRACKS {
        return Err((Reason::LimitExceeded, "a participant has at most 32 data tracks"));
    }
    Ok(handle)
}

fn encodings_fit(request: &PublishDataTrackRequest) -> bool {
    let short = |text: &str| !text.is_empty() && text.len() <= config::ENCODING_NAME;
    let frames = request.frame_encoding.as_ref().is_none_or(|encoding| match &encoding.value {
        Some(FrameEncoding::Custom(name)) => short(name),
        _ => true,
    });
    let schema = request.schema.as_ref().is_none_or(|schema| {
        let encoding = schema.encoding.as_ref().is_none_or(|encoding| match &encoding.value {
            Some(SchemaEncoding::Custom(name)) => short(name),
            _ => true,
        });
        encoding && !schema.name.is_empty() && schema.name.len() <= config::TRACK_TEXT
    });
    frames && schema
}

fn respond(
    fx: &mut Effects,
    participant: &Participant,
    reason: Reason,
    message: &str,
    request: Option<Request>,
) {
    let response =
        RequestResponse { request_id: 0, reason: reason as i32, message: message.to_owned(), request };
    fx.send(participant.connection, Message::RequestResponse(response));
}
