//! Who receives what: what somebody asked for, what they may have, and how much of it.

use livekit_protocol::signal_response::Message;
use livekit_protocol::{
    SubscribedCodec, SubscribedQuality, SubscribedQualityUpdate, SubscriptionError, SubscriptionPermission,
    SubscriptionPermissionUpdate, SubscriptionResponse, TrackSubscribed, UpdateTrackSettings, VideoQuality,
};

use super::config;
use super::effects::Effects;
use super::publishing::{has_layers, quality_of};
use super::state::{Room, Subscription, Track, TrackSet};
use crate::contract::{Kind, Now, Order, Quality, SessionId, Subscribe, TrackKey, Wish};

impl Room {
    /// Somebody asks for tracks, or for no more of them.
    pub fn update_subscription<'a>(
        &mut self,
        fx: &mut Effects,
        now: Now,
        session: SessionId,
        sids: impl Iterator<Item = &'a String>,
        wanted: bool,
    ) {
        for sid in sids.take(config::SIDS) {
            match self.track_for(session, sid) {
                Some(track) if wanted => self.subscribe(fx, now, session, track),
                Some(track) => self.unsubscribe(fx, now, session, track),
                None if wanted => {
                    self.subscription_failed(fx, session, sid, SubscriptionError::SeTrackNotfound);
                }
                None => {}
            }
        }
    }

    /// The track of this sid, if this participant can know of it.
    fn track_for(&self, session: SessionId, sid: &str) -> Option<TrackKey> {
        let track = self.tracks.get(self.track_sids.get(sid)?)?;
        (track.announced && track.publisher != session && self.visible.contains(&track.publisher))
            .then_some(track.key)
    }

    fn subscription_failed(&self, fx: &mut Effects, session: SessionId, sid: &str, error: SubscriptionError) {
        let connection = self.participants.get(&session).and_then(|participant| participant.connection);
        let response = SubscriptionResponse { track_sid: sid.to_owned(), err: error as i32 };
        fx.send(connection, Message::SubscriptionResponse(response));
    }

    /// Somebody who wants everything gets everything.
    pub fn subscribe_to_all(&mut self, fx: &mut Effects, now: Now, session: SessionId) {
        let tracks: Vec<TrackKey> = self
            .tracks
            .values()
            .filter(|track| {
                track.announced && track.publisher != session && self.visible.contains(&track.publisher)
            })
            .map(|track| track.key)
            .collect();
        for track in tracks {
            self.subscribe(fx, now, session, track);
        }
    }

    pub fn subscribe(&mut self, fx: &mut Effects, now: Now, session: SessionId, key: TrackKey) {
        let Some(participant) = self.participants.get_mut(&session) else { return };
        let Some(track) = self.tracks.get_mut(&key) else { return };
        if participant.subscriptions.contains_key(&key)
            || participant.subscriptions.len() >= config::SUBSCRIPTIONS
        {
            return;
        }
        // A client that tells sizes has not told this one yet: a small picture until then.
        let quality = if participant.adaptive_stream && track.video() { Quality::Low } else { Quality::High };
        let wish =
            Wish { enabled: true, quality, width: 0, height: 0, fps: 0, priority: 0, protected: false };
        let subscription = Subscription { wish, active: false, refused: false, told_forbidden: false };
        participant.subscriptions.insert(key, subscription);
        track.wanted_by.insert(session);
        self.reconsider(fx, now, session, key);
    }

    pub fn unsubscribe(&mut self, fx: &mut Effects, now: Now, session: SessionId, key: TrackKey) {
        let Some(participant) = self.participants.get_mut(&session) else { return };
        let Some(subscription) = participant.subscriptions.remove(&key) else { return };
        if let Some(track) = self.tracks.get_mut(&key) {
            track.wanted_by.remove(&session);
        }
        if subscription.active {
            fx.order(session, Order::Unsubscribe { session, track: key });
            self.count(fx, now, key, Some(subscription.wish), None);
        }
    }

    /// Somebody goes.
    pub fn unsubscribe_all(&mut self, fx: &mut Effects, now: Now, session: SessionId) {
        let Some(participant) = self.participants.get(&session) else { return };
        for key in participant.subscriptions.keys().copied().collect::<Vec<_>>() {
            self.unsubscribe(fx, now, session, key);
        }
    }

    /// What somebody may have changed.
    pub fn reconsider_participant(&mut self, fx: &mut Effects, now: Now, session: SessionId) {
        let Some(participant) = self.participants.get(&session) else { return };
        for key in participant.subscriptions.keys().copied().collect::<Vec<_>>() {
            self.reconsider(fx, now, session, key);
        }
    }

    /// Who may have a track, or what it is, changed.
    pub fn reconsider_track(&mut self, fx: &mut Effects, now: Now, key: TrackKey) {
        let Some(track) = self.tracks.get(&key) else { return };
        for session in track.wanted_by.clone() {
            if let Some(subscription) = self.subscription_mut(session, key) {
                subscription.refused = false;
            }
            self.reconsider(fx, now, session, key);
        }
    }

    fn subscription_mut(&mut self, session: SessionId, key: TrackKey) -> Option<&mut Subscription> {
        self.participants.get_mut(&session)?.subscriptions.get_mut(&key)
    }

    /// Brings what is forwarded in line with what is asked for and allowed. The one place that orders it.
    fn reconsider(&mut self, fx: &mut Effects, now: Now, session: SessionId, key: TrackKey) {
        let (Some(track), Some(participant)) = (self.tracks.get(&key), self.participants.get(&session))
        else {
            return;
        };
        let Some(publisher) = self.participants.get(&track.publisher) else { return };
        let Some(subscription) = participant.subscriptions.get(&key).copied() else { return };
        let admitted = publisher.admits(track.sid(), participant);
        let may = admitted
            && participant.permission.can_subscribe
            && !subscription.refused
            && !track.mime.is_empty();
        let connection = participant.connection;
        if admitted == subscription.told_forbidden {
            let update = SubscriptionPermissionUpdate {
                participant_sid: publisher.sid.clone(),
                track_sid: track.sid().to_owned(),
                allowed: admitted,
            };
            fx.send(connection, Message::SubscriptionPermissionUpdate(update));
        }
        let (home, order) = (
            publisher.shard,
            (may && !subscription.active).then(|| subscribe_order(session, track, subscription.wish)),
        );
        if let Some(stored) = self.subscription_mut(session, key) {
            stored.told_forbidden = !admitted;
            stored.active = may;
        }
        if let Some(mut subscribe) = order {
            subscribe.home = home;
            fx.order(session, Order::Subscribe(subscribe));
            self.count(fx, now, key, None, Some(subscription.wish));
            self.first_received(fx, key);
            self.send_quality_to(fx, session, key);
        } else if !may && subscription.active {
            fx.order(session, Order::Unsubscribe { session, track: key });
            self.count(fx, now, key, Some(subscription.wish), None);
        }
    }

    /// The publisher learns that somebody receives a track, once.
    fn first_received(&mut self, fx: &mut Effects, key: TrackKey) {
        let Some(track) = self.tracks.get_mut(&key).filter(|track| !track.received) else { return };
        track.received = true;
        let track_sid = track.sid().to_owned();
        let publisher = track.publisher;
        let connection = self.participants.get(&publisher).and_then(|publisher| publisher.connection);
        fx.send(connection, Message::TrackSubscribed(TrackSubscribed { track_sid }));
    }

    /// A shard found no codec that both know.
    pub fn refused(&mut self, fx: &mut Effects, now: Now, session: SessionId, key: TrackKey) {
        let Some(subscription) =
            self.subscription_mut(session, key).filter(|subscription| subscription.active)
        else {
            return;
        };
        subscription.active = false;
        subscription.refused = true;
        let wish = subscription.wish;
        self.count(fx, now, key, Some(wish), None);
        if let Some(sid) = self.tracks.get(&key).map(|track| track.sid().to_owned()) {
            self.subscription_failed(fx, session, &sid, SubscriptionError::SeCodecUnsupported);
        }
    }

    /// A subscriber says how it shows tracks.
    pub fn track_settings(
        &mut self,
        fx: &mut Effects,
        now: Now,
        session: SessionId,
        settings: &UpdateTrackSettings,
    ) {
        for sid in settings.track_sids.iter().take(config::SIDS) {
            let Some(key) = self.track_sids.get(sid).copied() else { continue };
            let Some(track) = self.tracks.get(&key) else { continue };
            let wish = wish_of(track, settings);
            self.set_wish(fx, now, session, key, wish);
        }
    }

    /// Tracks that a subscriber had switched off before it resumed.
    pub fn disable(&mut self, fx: &mut Effects, now: Now, session: SessionId, sids: &[String]) {
        for sid in sids.iter().take(config::SIDS) {
            let Some(key) = self.track_sids.get(sid).copied() else { continue };
            let Some(subscription) = self.subscription_mut(session, key) else { continue };
            let wish = Wish { enabled: false, ..subscription.wish };
            self.set_wish(fx, now, session, key, wish);
        }
    }

    fn set_wish(&mut self, fx: &mut Effects, now: Now, session: SessionId, key: TrackKey, wish: Wish) {
        let Some(subscription) = self.subscription_mut(session, key) else { return };
        let before = std::mem::replace(&mut subscription.wish, wish);
        if before != wish && subscription.active {
            fx.order(session, Order::Wish { session, track: key, wish });
            self.count(fx, now, key, Some(before), Some(wish));
        }
    }

    /// Keeps up how many want which quality of a track.
    fn count(&mut self, fx: &mut Effects, now: Now, key: TrackKey, less: Option<Wish>, more: Option<Wish>) {
        let Some(track) = self.tracks.get_mut(&key) else { return };
        if let Some(wish) = less.filter(|wish| wish.enabled) {
            track.demand[wish.quality as usize] = track.demand[wish.quality as usize].saturating_sub(1);
        }
        if let Some(wish) = more.filter(|wish| wish.enabled) {
            track.demand[wish.quality as usize] += 1;
        }
        self.demand_changed(fx, now, key);
    }

    /// A publisher says who may receive its tracks. One list for all of them, as in `LiveKit`.
    pub fn set_audience(
        &mut self,
        fx: &mut Effects,
        now: Now,
        session: SessionId,
        request: SubscriptionPermission,
    ) {
        let audience = (!request.all_participants).then(|| {
            let mut audience = std::collections::HashMap::new();
            for permission in request.track_permissions.into_iter().take(config::DESTINATIONS) {
                let identity = if permission.participant_identity.is_empty() {
                    let named = self
                        .sids
                        .get(&permission.participant_sid)
                        .and_then(|named| self.participants.get(named));
                    let Some(named) = named else { continue };
                    named.identity().to_owned()
                } else {
                    permission.participant_identity
                };
                let tracks = if permission.all_tracks {
                    TrackSet::All
                } else {
                    TrackSet::Some(permission.track_sids.into_iter().take(config::TRACKS).collect())
                };
                audience.insert(identity, tracks);
            }
            audience
        });
        let Some(participant) = self.participants.get_mut(&session) else { return };
        participant.audience = audience;
        for key in participant.published.clone() {
            self.reconsider_audience(fx, now, key);
        }
        self.revoke_data_subscribers(fx, session);
    }

    fn reconsider_audience(&mut self, fx: &mut Effects, now: Now, key: TrackKey) {
        let Some(track) = self.tracks.get(&key) else { return };
        for session in track.wanted_by.clone() {
            self.reconsider(fx, now, session, key);
        }
    }
}

impl Track {
    /// The largest quality that anybody wants; `None` if nobody wants any.
    pub fn largest_wanted(&self) -> Option<Quality> {
        let wanted =
            [Quality::High, Quality::Medium, Quality::Low].into_iter().find(|&q| self.demand[q as usize] > 0);
        // What has one layer is wanted or not.
        if has_layers(&self.info) { wanted } else { wanted.map(|_| Quality::High) }
    }

    /// What the publisher is told to send.
    #[allow(deprecated, reason = "old clients read the qualities outside of the codec")]
    pub fn quality_update(&self) -> SubscribedQualityUpdate {
        let levels = [
            (VideoQuality::Low, Quality::Low),
            (VideoQuality::Medium, Quality::Medium),
            (VideoQuality::High, Quality::High),
        ];
        let qualities: Vec<SubscribedQuality> = levels
            .into_iter()
            .map(|(named, quality)| SubscribedQuality {
                quality: named as i32,
                enabled: self.told >= Some(quality),
            })
            .collect();
        let codec = self.mime.rsplit('/').next().unwrap_or_default().to_owned();
        SubscribedQualityUpdate {
            track_sid: self.sid().to_owned(),
            subscribed_qualities: qualities.clone(),
            subscribed_codecs: vec![SubscribedCodec { codec, qualities }],
        }
    }
}

fn subscribe_order(session: SessionId, track: &Track, wish: Wish) -> Subscribe {
    Subscribe {
        session,
        track: track.key,
        home: crate::contract::ShardId(0),
        kind: if track.video() { Kind::Video } else { Kind::Audio },
        mime: track.mime.clone(),
        layers: track.layers.clone(),
        stream: track.stream.clone(),
        sid: track.sid().to_owned(),
        wish,
    }
}

/// What a subscriber's settings mean for a track. A size says more than a quality.
fn wish_of(track: &Track, settings: &UpdateTrackSettings) -> Wish {
    let sized = settings.width > 0 && settings.height > 0;
    let by_size = sized.then(|| {
        let size = settings.width.max(settings.height);
        let enough = track.layers.iter().find(|layer| layer.width.max(layer.height) >= size);
        enough.map_or(Quality::High, |layer| layer.quality)
    });
    let named = quality_of(settings.quality());
    Wish {
        enabled: !settings.disabled && (sized || named.is_some()),
        quality: if track.video() { by_size.or(named).unwrap_or(Quality::Low) } else { Quality::High },
        width: settings.width,
        height: settings.height,
        fps: settings.fps,
        // For clients 1 is the most important and 0 is nothing said.
        priority: if settings.priority == 0 { 0 } else { u32::MAX - settings.priority },
        protected: settings.priority == 1,
    }
}
