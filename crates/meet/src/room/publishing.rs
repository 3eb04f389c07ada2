//! Tracks: asking to publish one, its m-line, what it turns out to be, mute, the end.

use livekit_protocol::request_response::{Reason, Request};
use livekit_protocol::signal_response::Message;
use livekit_protocol::{
    AddTrackRequest, AudioTrackFeature, MuteTrackRequest, RequestResponse, SimulcastCodecInfo, TrackInfo,
    TrackPublishedResponse, TrackSource, TrackType, TrackUnpublishedResponse, VideoLayer, VideoQuality,
    video_layer,
};

use super::config;
use super::effects::{Effects, Timer};
use super::offer::Section;
use super::presence::Audience;
use super::state::{Participant, Room, Track};
use crate::contract::{Kind, Layer, Now, Order, Publish, Quality, SessionId, TrackKey};

impl Room {
    /// A client asks to publish a track; answered at once, the m-line comes later.
    pub fn add_track(&mut self, fx: &mut Effects, session: SessionId, request: AddTrackRequest) {
        let Some(participant) = self.participants.get_mut(&session) else { return };
        if let Err((reason, message)) = judge(participant, &request) {
            let request = Some(Request::AddTrack(request));
            let response = RequestResponse {
                request_id: 0,
                reason: reason as i32,
                message: message.to_owned(),
                request,
            };
            fx.send(participant.connection, Message::RequestResponse(response));
            return;
        }
        let taken = participant
            .published
            .iter()
            .any(|key| self.tracks.get(key).is_some_and(|other| other.cid == request.cid));
        if taken {
            // The client publishes again what its next offer ends: it is answered then.
            participant.queued.push_back(request);
            return;
        }
        self.allocate(fx, session, request);
    }

    fn allocate(&mut self, fx: &mut Effects, session: SessionId, request: AddTrackRequest) {
        let Some(participant) = self.participants.get(&session) else { return };
        let stream = stream_of(&request);
        // Browsers keep sound and pictures of one stream together. A second track of a kind in it would confuse them.
        let alone = stream.is_empty()
            || stream.len() > config::STREAM_SHOWN
            || participant
                .published
                .iter()
                .filter_map(|key| self.tracks.get(key))
                .any(|other| other.info.r#type == request.r#type && other.info.stream == stream);
        let sid = fx.sid("TR_");
        let shown = if alone { &sid } else { &stream };
        let stream_seen = format!("{}|{shown}", participant.sid);
        let info = track_info(&request, &sid, stream);
        let key = TrackKey(fx.number());
        let track = Track {
            key,
            publisher: session,
            cid: request.cid.clone(),
            stream: stream_seen,
            layers: contract_layers(&info),
            announced: false,
            mime: info.mime_type.to_lowercase(),
            wanted_by: Default::default(),
            demand: [0; 3],
            told: Some(Quality::High),
            lower_at: None,
            level: 0.0,
            received: false,
            info,
        };
        let no_dtx = track.info.audio_features.contains(&(AudioTrackFeature::TfNoDtx as i32));
        let stereo = track.info.audio_features.contains(&(AudioTrackFeature::TfStereo as i32));
        let publish = Publish {
            session,
            room: self.key,
            track: key,
            cid: track.cid.clone(),
            kind: if track.video() { Kind::Video } else { Kind::Audio },
            mime: track.mime.clone(),
            layers: track.layers.clone(),
            stereo,
            no_dtx,
            no_red: track.info.disable_red,
            exempt: fx.config.exempt_tracks.iter().any(|prefix| track.info.name.starts_with(prefix.as_str())),
            muted: track.info.muted,
        };
        let answer = TrackPublishedResponse { cid: request.cid, track: Some(track.info.clone()) };
        fx.send(participant.connection, Message::TrackPublished(answer));
        fx.order(session, Order::Publish(publish));
        fx.tracks.insert(key, self.key);
        self.track_sids.insert(sid, key);
        self.tracks.insert(key, track);
        if let Some(participant) = self.participants.get_mut(&session) {
            participant.published.insert(key);
        }
    }

    /// An offer was answered: tracks have m-lines, or have them no more.
    pub fn negotiated(&mut self, fx: &mut Effects, now: Now, session: SessionId, sections: &[Section]) {
        let Some(participant) = self.participants.get(&session) else { return };
        let published: Vec<TrackKey> = participant.published.iter().copied().collect();
        let mut ended = Vec::new();
        let mut carried: Vec<(TrackKey, String)> = Vec::new();
        for &key in &published {
            let Some(track) = self.tracks.get(&key) else { continue };
            let by_cid =
                sections.iter().find(|section| section.sending && section.track.as_ref() == Some(&track.cid));
            let by_mid =
                sections.iter().find(|section| !track.info.mid.is_empty() && section.mid == track.info.mid);
            match (by_cid, by_mid) {
                (Some(section), _) => carried.push((key, section.mid.clone())),
                // An m-line that is missing from an offer is a broken offer, not the end of a track. One that stopped, or that
                // carries another track of this client now, is the end.
                (None, Some(section)) if !section.sending || self.is_another(&published, key, section) => {
                    ended.push(key);
                }
                _ => {}
            }
        }
        for key in ended {
            self.remove_track(fx, now, key);
        }
        // A browser may name a track otherwise in its offer than when it asked: the next m-line of the kind is meant.
        for key in published {
            let Some(track) = self.tracks.get(&key).filter(|track| track.info.mid.is_empty()) else {
                continue;
            };
            if carried.iter().any(|(other, _)| *other == key) {
                continue;
            }
            let free = sections.iter().find(|section| {
                section.sending
                    && section.audio != track.video()
                    && !carried.iter().any(|(_, mid)| *mid == section.mid)
                    && !self.carries_another(session, &section.mid)
            });
            if let Some(section) = free {
                carried.push((key, section.mid.clone()));
            }
        }
        for (key, mid) in carried {
            self.announce(fx, now, key, mid);
        }
        self.publish_queued(fx, session);
    }

    /// Whether an m-line names a track of the same client that is not this one.
    fn is_another(&self, published: &[TrackKey], key: TrackKey, section: &Section) -> bool {
        let named = |other: &TrackKey| {
            self.tracks.get(other).is_some_and(|other| Some(&other.cid) == section.track.as_ref())
        };
        published.iter().any(|other| *other != key && named(other))
    }

    fn carries_another(&self, session: SessionId, mid: &str) -> bool {
        let published = self.participants.get(&session).map(|participant| &participant.published);
        published.is_some_and(|keys| {
            keys.iter().filter_map(|key| self.tracks.get(key)).any(|track| track.info.mid == mid)
        })
    }

    /// Packets of a track came.
    pub fn flowing(&mut self, fx: &mut Effects, now: Now, key: TrackKey, mime: &str, mid: String) {
        let Some(track) = self.tracks.get_mut(&key) else { return };
        let publisher = track.publisher;
        let known = track.mime == mime;
        if !known && !mime.is_empty() {
            mime.clone_into(&mut track.mime);
            mime.clone_into(&mut track.info.mime_type);
            if let Some(codec) = track.info.codecs.first_mut() {
                mime.clone_into(&mut codec.mime_type);
            }
        }
        if !track.announced {
            self.announce(fx, now, key, mid);
        } else if !known {
            self.changed(fx, now, publisher, Audience::Others);
            // Whoever could not receive the codec that was declared may receive this one.
            self.reconsider_track(fx, now, key);
        }
    }

    /// Others learn of a track, and those who want everything get it.
    fn announce(&mut self, fx: &mut Effects, now: Now, key: TrackKey, mid: String) {
        let Some(track) = self.tracks.get_mut(&key) else { return };
        if let Some(codec) = track.info.codecs.first_mut() {
            codec.mid.clone_from(&mid);
        }
        track.info.mid = mid;
        if std::mem::replace(&mut track.announced, true) {
            return;
        }
        let (publisher, video) = (track.publisher, track.video());
        if video {
            self.demand_changed(fx, now, key);
        }
        self.changed(fx, now, publisher, Audience::Others);
        self.track_webhook(fx, now, "track_published", key);
        let eager: Vec<SessionId> = self
            .participants
            .values()
            .filter(|other| other.auto_subscribe && other.session != publisher)
            .map(|other| other.session)
            .collect();
        for subscriber in eager {
            self.subscribe(fx, now, subscriber, key);
        }
    }

    /// A track is no more.
    pub fn remove_track(&mut self, fx: &mut Effects, now: Now, key: TrackKey) {
        let Some(track) = self.tracks.get(&key) else { return };
        let (publisher, announced) = (track.publisher, track.announced);
        for subscriber in track.wanted_by.clone() {
            self.unsubscribe(fx, now, subscriber, key);
        }
        fx.order(publisher, Order::Unpublish { track: key });
        if announced {
            self.track_webhook(fx, now, "track_unpublished", key);
        }
        fx.tracks.remove(&key);
        if let Some(track) = self.tracks.remove(&key) {
            self.track_sids.remove(track.sid());
        }
        let Some(participant) = self.participants.get_mut(&publisher) else { return };
        participant.published.remove(&key);
        if announced {
            self.changed(fx, now, publisher, Audience::Others);
        }
        self.speakers_changed(fx, std::iter::once(publisher));
    }

    /// A track is taken from its publisher: it may no longer send it.
    pub fn revoke_track(&mut self, fx: &mut Effects, now: Now, key: TrackKey) {
        let Some(track) = self.tracks.get(&key) else { return };
        let (sid, publisher) = (track.sid().to_owned(), track.publisher);
        self.remove_track(fx, now, key);
        let connection = self.participants.get(&publisher).and_then(|participant| participant.connection);
        fx.send(connection, Message::TrackUnpublished(TrackUnpublishedResponse { track_sid: sid }));
    }

    /// Tracks that waited for one with the same client's id to end.
    pub fn publish_queued(&mut self, fx: &mut Effects, session: SessionId) {
        let Some(participant) = self.participants.get_mut(&session) else { return };
        for request in std::mem::take(&mut participant.queued) {
            self.add_track(fx, session, request);
        }
    }

    /// A publisher mutes or unmutes its own track; others' are none of its affair.
    pub fn mute_own(&mut self, fx: &mut Effects, now: Now, session: SessionId, request: &MuteTrackRequest) {
        let own =
            self.track_sids.get(&request.sid).filter(|key| self.tracks[key].publisher == session).copied();
        if let Some(key) = own {
            self.set_muted(fx, now, key, request.muted);
        }
    }

    /// Mutes or unmutes; whether that was a change.
    pub fn set_muted(&mut self, fx: &mut Effects, now: Now, key: TrackKey, muted: bool) -> bool {
        let Some(track) = self.tracks.get_mut(&key) else { return false };
        if track.info.muted == muted {
            return false;
        }
        track.info.muted = muted;
        let (publisher, announced) = (track.publisher, track.announced);
        if muted {
            track.level = 0.0;
        }
        fx.order(publisher, Order::Mute { track: key, muted });
        if announced {
            self.changed(fx, now, publisher, Audience::Everybody);
        }
        self.speakers_changed(fx, std::iter::once(publisher));
        true
    }

    /// What a publisher says of its microphone's processing.
    pub fn update_audio(
        &mut self,
        fx: &mut Effects,
        now: Now,
        session: SessionId,
        sid: &str,
        features: Vec<i32>,
    ) -> bool {
        let Some(track) = self.own_track(session, sid).filter(|track| !track.video()) else { return false };
        track.info.audio_features = short(features);
        self.changed(fx, now, session, Audience::Others);
        true
    }

    /// What a publisher says of the size of its pictures.
    pub fn update_video(
        &mut self,
        fx: &mut Effects,
        now: Now,
        session: SessionId,
        sid: &str,
        size: (u32, u32),
    ) -> bool {
        let Some(track) = self.own_track(session, sid).filter(|track| track.video()) else { return false };
        (track.info.width, track.info.height) = size;
        self.changed(fx, now, session, Audience::Others);
        true
    }

    fn own_track(&mut self, session: SessionId, sid: &str) -> Option<&mut Track> {
        let key = self.track_sids.get(sid)?;
        self.tracks.get_mut(key).filter(|track| track.publisher == session)
    }

    /// Ends every track that its publisher may no longer send.
    pub fn revoke_forbidden(&mut self, fx: &mut Effects, now: Now, session: SessionId) {
        let Some(participant) = self.participants.get_mut(&session) else { return };
        let mut queued = std::mem::take(&mut participant.queued);
        queued.retain(|request| participant.may_publish(request.source));
        participant.queued = queued;
        let forbidden: Vec<TrackKey> = participant
            .published
            .iter()
            .filter(|key| {
                self.tracks.get(key).is_some_and(|track| !participant.may_publish(track.info.source))
            })
            .copied()
            .collect();
        for key in forbidden {
            self.revoke_track(fx, now, key);
        }
    }

    /// How many want which quality changed: the publisher is told, at once if more, after a while if less.
    pub fn demand_changed(&mut self, fx: &mut Effects, now: Now, key: TrackKey) {
        let Some(track) = self.tracks.get_mut(&key).filter(|track| track.video() && track.announced) else {
            return;
        };
        let wanted = track.largest_wanted();
        if wanted == track.told {
            track.lower_at = None;
        } else if wanted > track.told {
            self.tell_demand(fx, key);
        } else if track.lower_at.is_none() {
            let at = now.instant + config::DYNACAST_PAUSE;
            track.lower_at = Some(at);
            fx.wake(at, Timer::Dynacast(self.key, key));
        }
    }

    /// The while has passed.
    pub fn demand_is_due(&mut self, fx: &mut Effects, now: Now, key: TrackKey) {
        if self.tracks.get(&key).and_then(|track| track.lower_at).is_some_and(|at| at <= now.instant) {
            self.tell_demand(fx, key);
        }
    }

    fn tell_demand(&mut self, fx: &mut Effects, key: TrackKey) {
        let Some(track) = self.tracks.get_mut(&key) else { return };
        track.lower_at = None;
        track.told = track.largest_wanted();
        let update = track.quality_update();
        let connection = self.participants.get(&track.publisher).and_then(|publisher| publisher.connection);
        fx.send(connection, Message::SubscribedQualityUpdate(update));
    }
}

/// Whether a track may be published so.
fn judge(participant: &Participant, request: &AddTrackRequest) -> Result<(), (Reason, &'static str)> {
    if !participant.may_publish(request.source) {
        return Err((Reason::NotAllowed, "does not have permission to publish this source"));
    }
    if !matches!(request.r#type(), TrackType::Audio | TrackType::Video)
        || TrackType::try_from(request.r#type).is_err()
    {
        return Err((Reason::UnsupportedType, "a track is audio or video"));
    }
    if !request.sid.is_empty() {
        return Err((Reason::UnsupportedType, "a second codec for a published track is not supported"));
    }
    if request.cid.is_empty() {
        return Err((Reason::InvalidRequest, "cid is missing"));
    }
    let longest = [&request.cid, &request.name, &request.stream].into_iter().map(String::len).max();
    if longest > Some(config::TRACK_TEXT) {
        return Err((Reason::LimitExceeded, "cid, name and stream have at most 256 bytes"));
    }
    let layers =
        request.simulcast_codecs.iter().map(|codec| codec.layers.len()).chain([request.layers.len()]).max();
    if layers > Some(config::LAYERS) || request.simulcast_codecs.len() > config::TRACK_CODECS {
        return Err((Reason::LimitExceeded, "a track has at most 3 layers and 4 codecs"));
    }
    if participant.published.len() + participant.queued.len() >= config::TRACKS {
        return Err((Reason::LimitExceeded, "a participant has at most 32 tracks"));
    }
    Ok(())
}

/// The stream that a track belongs to: as the client says, else camera and microphone together, screen and its sound together.
fn stream_of(request: &AddTrackRequest) -> String {
    if !request.stream.is_empty() {
        return request.stream.clone();
    }
    match request.source() {
        TrackSource::Camera | TrackSource::Microphone => "camera".to_owned(),
        TrackSource::ScreenShare | TrackSource::ScreenShareAudio => "screenshare".to_owned(),
        TrackSource::Unknown => String::new(),
    }
}

/// No feature is named twice, and there are few.
fn short(mut features: Vec<i32>) -> Vec<i32> {
    features.sort_unstable();
    features.dedup();
    features.truncate(config::FEATURES);
    features
}

#[allow(deprecated, reason = "old clients read these fields")]
fn track_info(request: &AddTrackRequest, sid: &str, stream: String) -> TrackInfo {
    let video = request.r#type() == TrackType::Video;
    let codec = request.simulcast_codecs.first();
    let mut features = request.audio_features.clone();
    if request.stereo {
        features.push(AudioTrackFeature::TfStereo as i32);
    }
    if request.disable_dtx {
        features.push(AudioTrackFeature::TfNoDtx as i32);
    }
    let features = if video { Vec::new() } else { short(features) };
    let mut layers = codec.map(|codec| codec.layers.clone()).filter(|layers| !layers.is_empty());
    if layers.is_none() && !request.layers.is_empty() {
        layers = Some(request.layers.clone());
    }
    let layers = if video { layers.unwrap_or_else(|| vec![only_layer(request)]) } else { Vec::new() };
    let mime_type = mime_of(video, codec.map_or("", |codec| codec.codec.as_str()));
    let mode = codec.map_or(0, |codec| codec.video_layer_mode);
    TrackInfo {
        sid: sid.to_owned(),
        r#type: request.r#type,
        name: request.name.clone(),
        muted: request.muted,
        width: request.width,
        height: request.height,
        simulcast: layers.len() > 1,
        disable_dtx: features.contains(&(AudioTrackFeature::TfNoDtx as i32)),
        source: request.source,
        codecs: vec![SimulcastCodecInfo {
            mime_type: mime_type.clone(),
            mid: String::new(),
            cid: request.cid.clone(),
            layers: layers.clone(),
            video_layer_mode: mode,
            sdp_cid: String::new(),
        }],
        layers,
        mime_type,
        stereo: features.contains(&(AudioTrackFeature::TfStereo as i32)),
        disable_red: request.disable_red,
        encryption: request.encryption,
        stream,
        audio_features: features,
        backup_codec_policy: request.backup_codec_policy,
        packet_trailer_features: request
            .packet_trailer_features
            .iter()
            .copied()
            .take(config::FEATURES)
            .collect(),
        ..TrackInfo::default()
    }
}

/// `vp8` and `video/VP8` alike; a video codec that was not named is not known before its packets come.
fn mime_of(video: bool, codec: &str) -> String {
    let codec: String = codec.to_lowercase().chars().take(32).collect();
    match (video, codec.split_once('/')) {
        (_, Some(("audio" | "video", _))) => codec,
        (true, _) if codec.is_empty() => String::new(),
        (true, _) => format!("video/{codec}"),
        (false, _) if codec.is_empty() => "audio/opus".to_owned(),
        (false, _) => format!("audio/{codec}"),
    }
}

/// A track without simulcast.
fn only_layer(request: &AddTrackRequest) -> VideoLayer {
    VideoLayer {
        quality: VideoQuality::High as i32,
        width: request.width,
        height: request.height,
        ..VideoLayer::default()
    }
}

#[allow(deprecated, reason = "the layers of the only codec that there is")]
fn contract_layers(info: &TrackInfo) -> Vec<Layer> {
    let mut layers: Vec<Layer> = info
        .layers
        .iter()
        .filter_map(|layer| {
            let quality = quality_of(layer.quality())?;
            Some(Layer { quality, width: layer.width, height: layer.height, bitrate: layer.bitrate })
        })
        .collect();
    layers.sort_by_key(|layer| layer.quality);
    layers.dedup_by_key(|layer| layer.quality);
    layers
}

/// `None` is `OFF`.
pub(super) fn quality_of(quality: VideoQuality) -> Option<Quality> {
    match quality {
        VideoQuality::Low => Some(Quality::Low),
        VideoQuality::Medium => Some(Quality::Medium),
        VideoQuality::High => Some(Quality::High),
        VideoQuality::Off => None,
    }
}

/// Whether the encoder makes layers that can be stopped one by one.
pub(super) fn has_layers(info: &TrackInfo) -> bool {
    let scalable = info.codecs.first().is_some_and(|codec| {
        codec.video_layer_mode == video_layer::Mode::MultipleSpatialLayersPerStream as i32
    });
    scalable || info.codecs.first().is_some_and(|codec| codec.layers.len() > 1)
}
