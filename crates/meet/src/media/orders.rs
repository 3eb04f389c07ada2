//! What the rooms order, and what sessions and shards tell about tracks: who publishes, who subscribes, what is negotiated.

use std::time::Instant;

use str0m::media::Mid;

use super::channels::Sent;
use super::layers::largest;
use super::peer::{Measure, Peer};
use super::sdp::Face;
use super::session::Session;
use super::shard::{Shard, guarded};
use super::track::{Home, Subscription, Track};
use super::{Body, Output};
use crate::contract::{
    Ending, Event, Kind, Order, Peers, Publish, RoomKey, SessionId, ShardId, Subscribe, Target, TrackKey,
    Wish,
};

impl Shard {
    /// Does what the rooms say. An order for what is not there is dropped: ends are learned of at different times.
    pub fn order(&mut self, now: Instant, order: Order) {
        self.now = Some(now);
        match order {
            Order::Open { session, peers, may_pause, silent } => {
                self.open(now, session, peers, may_pause, silent);
            }
            Order::Offer { session, id, sdp } => self.offered(session, id, &sdp),
            Order::Answer { session, id, sdp } => self.answered(session, id, &sdp),
            Order::Candidate { session, target, candidate } => {
                let Some(at) = self.by_id.get(&session).copied() else { return };
                if let Some(peer) = self.sessions.get_mut(at).and_then(|session| session.peer(target)) {
                    peer.add_candidate(&candidate);
                    self.touch(at);
                }
            }
            Order::Restart { session } => {
                let Some(at) = self.by_id.get(&session).copied() else { return };
                if let Some(session) = self.sessions.get_mut(at) {
                    session.restart();
                    self.unsettle(at);
                }
            }
            Order::Publish(publish) => self.publish(publish),
            Order::Unpublish { track } => {
                if let Some(at) = self.by_key.get(&track).copied() {
                    self.unpublish(at);
                }
            }
            Order::Mute { track, muted } => {
                if let Some(at) = self.by_key.get(&track).copied() {
                    self.mute(at, muted);
                    self.tell_state(at, None);
                }
            }
            Order::Subscribe(subscribe) => self.subscribe(subscribe),
            Order::Unsubscribe { session, track } => self.unsubscribe(session, track),
            Order::Wish { session, track, wish } => self.wish(session, track, wish),
            Order::Data { session, channel, bytes } => {
                let Some(at) = self.by_id.get(&session).copied() else { return };
                let Some(found) = self.sessions.get_mut(at) else { return };
                let (channels, peer, target) = found.channels_and_peer();
                match channels.send(&self.config, peer, target, channel, &bytes) {
                    Sent::Yes => self.touch(at),
                    Sent::Dropped => {}
                    Sent::TooSlow => self.end(at, Some(Ending::TooSlow)),
                }
            }
            Order::Close { session } => self.close(now, session),
        }
    }

    fn open(&mut self, now: Instant, id: SessionId, peers: Peers, may_pause: bool, silent: bool) {
        if self.by_id.contains_key(&id) {
            return;
        }
        let measure = if silent { Measure::No } else { Measure::Yes };
        // On a connection of its own a publisher is sent nothing that could be measured.
        let publishing = if peers == Peers::Dual { Measure::No } else { measure };
        let credentials = self.credentials();
        let publisher = Peer::new(&self.config, self.certificate.as_ref(), credentials, publishing, now);
        let subscriber = (peers == Peers::Dual).then(|| {
            let credentials = self.credentials();
            Peer::new(&self.config, self.certificate.as_ref(), credentials, measure, now)
        });
        let every = self.config.health_every;
        let at = self.enter(Session::new(id, peers, may_pause, publisher, subscriber, now, every));
        self.unsettle(at);
    }

    fn close(&mut self, now: Instant, id: SessionId) {
        let Some(at) = self.by_id.get(&id).copied() else { return };
        for target in [Target::Publisher, Target::Subscriber] {
            if let Some(peer) = self.sessions.get_mut(at).and_then(|session| session.peer(target)) {
                peer.close();
                self.advance(now, at, target);
            }
        }
        self.end(at, None);
    }

    fn offered(&mut self, id: SessionId, number: u32, sdp: &str) {
        let Some(at) = self.by_id.get(&id).copied() else { return };
        let fresh = self.credentials();
        let Some(session) = self.sessions.get_mut(at) else { return };
        let answered = guarded(|| session.accept_offer(sdp, fresh));
        let answered = match answered {
            Ok(answered) => answered,
            Err(error) => {
                tracing::debug!(%error, "an offer was not understood");
                return self.end(at, Some(Ending::BadDescription));
            }
        };
        let mids = session.slots.mids();
        self.outputs.push_back(Output::Event(Event::Answer {
            session: id,
            id: number,
            sdp: answered.sdp,
            mids,
        }));
        self.name(at);
        self.touch(at);
        for (track, mid) in answered.claimed {
            self.claim(track, mid);
        }
        for (track, mid) in answered.assigned {
            self.bind(at, track, mid);
        }
        self.unsettle(at);
    }

    fn answered(&mut self, id: SessionId, number: u32, sdp: &str) {
        let Some(at) = self.by_id.get(&id).copied() else { return };
        let Some(session) = self.sessions.get_mut(at) else { return };
        match guarded(|| session.accept_answer(number, sdp)) {
            Ok(true) => {
                let assigned = session.slots.assigned();
                self.name(at);
                self.touch(at);
                for (track, mid) in assigned {
                    self.bind(at, track, mid);
                }
                self.unsettle(at);
            }
            Ok(false) => {}
            Err(error) => {
                tracing::debug!(%error, "an answer was not understood");
                self.end(at, Some(Ending::BadDescription));
            }
        }
    }

    /// Asks clients to offer, or offers to them, where something waits for an m-line.
    pub(super) fn settle(&mut self) {
        while let Some(at) = self.unsettled.pop() {
            let fresh = self.credentials();
            let Some(session) = self.sessions.get_mut(at) else { continue };
            session.unsettled = false;
            let id = session.id;
            if let Some((audios, videos)) = session.sections() {
                self.outputs.push_back(Output::Event(Event::Sections { session: id, audios, videos }));
            }
            match guarded(|| Ok(session.make_offer(|| fresh))) {
                Ok(Some((number, sdp))) => {
                    let mids = session.slots.mids();
                    self.outputs.push_back(Output::Event(Event::Offer {
                        session: id,
                        id: number,
                        sdp,
                        mids,
                    }));
                    self.touch(at);
                }
                Ok(None) => {}
                Err(error) => self.fail(at, &error),
            }
        }
    }

    fn publish(&mut self, publish: Publish) {
        let Some(session) = self.by_id.get(&publish.session).copied() else { return };
        let Publish { track: key, kind, room, exempt, muted, layers, .. } = publish;
        let at = self.track_of(key, kind);
        let Some(track) = self.tracks.get_mut(at) else { return };
        if matches!(track.home, Home::Here { .. }) {
            return;
        }
        track.home = Home::Here { session, mid: None };
        track.exempt = exempt;
        track.muted = muted;
        track.layers = layers;
        self.place(at, room);
        let face = match kind {
            Kind::Audio => Face::Hears { stereo: publish.stereo, dtx: !publish.no_dtx, red: !publish.no_red },
            Kind::Video => Face::Plain,
        };
        let claimed = self
            .sessions
            .get_mut(session)
            .map(|session| session.claims.publish(key, kind, publish.cid, face))
            .unwrap_or_default();
        for (track, mid) in claimed {
            self.claim(track, mid);
        }
        self.tell_state(at, None);
    }

    /// The track with this key; made if nobody spoke of it before.
    fn track_of(&mut self, key: TrackKey, kind: Kind) -> usize {
        if let Some(at) = self.by_key.get(&key) {
            return *at;
        }
        let at = self.tracks.insert(Track::new(key, kind, Home::Unknown));
        self.by_key.insert(key, at);
        at
    }

    /// Puts a track of sound among those of its room.
    pub(super) fn place(&mut self, at: usize, room: RoomKey) {
        let Some(track) = self.tracks.get_mut(at) else { return };
        if track.room == Some(room) {
            return;
        }
        track.room = Some(room);
        if track.kind == Kind::Audio {
            self.rooms.entry(room).or_default().push(at);
        }
    }

    /// A track found its m-line.
    fn claim(&mut self, key: TrackKey, at: Mid) {
        let track = self.by_key.get(&key).and_then(|at| self.tracks.get_mut(*at));
        if let Some(Track { home: Home::Here { mid, .. }, .. }) = track {
            *mid = Some(at);
        }
    }

    /// A track is gone: receivers are told by the rooms and by their m-lines.
    pub(super) fn unpublish(&mut self, at: usize) {
        let Some(track) = self.tracks.remove(at) else { return };
        self.by_key.remove(&track.key);
        if let Some(room) = track.room
            && let Some(tracks) = self.rooms.get_mut(&room)
        {
            tracks.retain(|of| *of != at);
            if tracks.is_empty() {
                self.rooms.remove(&room);
            }
        }
        for subscription in track.subscribers {
            self.release(&subscription, track.key);
        }
        match track.home {
            Home::Here { session, .. } => {
                if let Some(session) = self.sessions.get_mut(session) {
                    session.claims.unpublish(track.key);
                }
                for shard in track.shards {
                    self.tell(shard, Body::Gone { track: track.key });
                }
            }
            Home::There(home) => self.tell(home, Body::Detach { track: track.key }),
            Home::Unknown => {}
        }
    }

    /// A subscription ends; its m-line is not needed any more.
    fn release(&mut self, subscription: &Subscription, track: TrackKey) {
        let session = subscription.session;
        if let Some(found) = self.sessions.get_mut(session) {
            if let Some((mid, _)) = subscription.bound {
                found.stop(mid);
            }
            found.slots.drop(track);
            found.reallocate = true;
            self.unsettle(session);
        }
    }

    pub(super) fn mute(&mut self, at: usize, muted: bool) {
        let Some(track) = self.tracks.get_mut(at) else { return };
        if track.muted == muted {
            return;
        }
        track.muted = muted;
        if muted {
            track.interrupt();
            track.voice.silence();
        } else {
            track.want_keys();
        }
        self.ask_for_keys(at);
    }

    fn subscribe(&mut self, subscribe: Subscribe) {
        let Subscribe { session: id, track: key, home, kind, mime, layers, stream, sid, wish } = subscribe;
        let Some(session) = self.by_id.get(&id).copied() else { return };
        if let Some(found) = self.sessions.get_mut(session)
            && found.outgoing().takes(&mime) == Some(false)
            && !mime.is_empty()
            && !mime.ends_with("/red")
        {
            let event = Event::Refused { session: id, track: key };
            return self.outputs.push_back(Output::Event(event));
        }
        let at = self.track_of(key, kind);
        let Some(track) = self.tracks.get_mut(at) else { return };
        if track.layers.is_empty() {
            track.layers = layers;
        }
        if track.subscription(session).is_some() {
            return self.wish(id, key, wish);
        }
        let mut subscription = Subscription::new(session, wish);
        if kind == Kind::Video && wish.enabled {
            subscription.selector.aim(Some(largest(&wish, &track.layers)));
        }
        track.subscribers.push(subscription);
        if track.home == Home::Unknown && home != self.id {
            track.home = Home::There(home);
            self.tell(home, Body::Attach { track: key, kind });
        }
        if let Some(found) = self.sessions.get_mut(session) {
            found.slots.want(key, kind, stream, sid);
            found.reallocate = true;
        }
        self.unsettle(session);
    }

    /// A session's subscription has its m-line: packets may flow.
    fn bind(&mut self, session: usize, key: TrackKey, mid: Mid) {
        let Some(ssrc) = self.sessions.get_mut(session).and_then(|session| session.outgoing().sender(mid))
        else {
            return;
        };
        let Some(at) = self.by_key.get(&key).copied() else { return };
        let Some(track) = self.tracks.get_mut(at) else { return };
        let Some(subscription) = track.subscription(session) else { return };
        if subscription.bound == Some((mid, ssrc)) {
            return;
        }
        let Some(found) = self.sessions.get_mut(session) else { return };
        subscription.bind(mid, ssrc);
        found.reallocate = true;
        let limited = found.limited;
        found.outgoing().pace(ssrc, limited);
        if let Some(layer) = subscription.selector.awaits() {
            track.streams.want_key(layer);
        }
        self.ask_for_keys(at);
    }

    fn unsubscribe(&mut self, id: SessionId, key: TrackKey) {
        let Some(session) = self.by_id.get(&id).copied() else { return };
        let Some(at) = self.by_key.get(&key).copied() else { return };
        self.detach(at, session);
    }

    /// One subscriber less; the track is forgotten with the last one, if it is received elsewhere.
    pub(super) fn detach(&mut self, at: usize, session: usize) {
        let Some(track) = self.tracks.get_mut(at) else { return };
        let key = track.key;
        let Some(place) = track.subscribers.iter().position(|of| of.session == session) else { return };
        let subscription = track.subscribers.swap_remove(place);
        self.release(&subscription, key);
        let Some(track) = self.tracks.get(at) else { return };
        if track.subscribers.is_empty() && !matches!(track.home, Home::Here { .. }) {
            self.unpublish(at);
        }
    }

    fn wish(&mut self, id: SessionId, key: TrackKey, wish: Wish) {
        let Some(session) = self.by_id.get(&id).copied() else { return };
        let Some(at) = self.by_key.get(&key).copied() else { return };
        let Some(track) = self.tracks.get_mut(at) else { return };
        let largest = largest(&wish, &track.layers);
        let kind = track.kind;
        let Some(subscription) = track.subscription(session) else { return };
        subscription.wish = wish;
        if !wish.enabled {
            subscription.interrupt();
        }
        if kind == Kind::Video {
            let target = wish.enabled.then_some(largest).filter(|_| !subscription.paused);
            subscription.selector.aim(target);
            if let Some(layer) = subscription.selector.awaits() {
                track.streams.want_key(layer);
            }
        }
        if let Some(session) = self.sessions.get_mut(session) {
            session.reallocate = true;
        }
        self.ask_for_keys(at);
    }

    /// All that hung on a session that ended.
    pub(super) fn leave(&mut self, at: usize, session: &Session) {
        let published: Vec<_> = self
            .tracks
            .iter()
            .filter(|(_, track)| matches!(track.home, Home::Here { session, .. } if session == at))
            .map(|(track, _)| track)
            .collect();
        for track in published {
            self.unpublish(track);
        }
        let subscribed: Vec<_> =
            session.slots.tracks().filter_map(|key| self.by_key.get(&key).copied()).collect();
        for track in subscribed {
            self.detach(track, at);
        }
    }

    /// Tells shards what they must know of a track that is received here: one of them, or all with subscribers.
    pub(super) fn tell_state(&mut self, at: usize, only: Option<ShardId>) {
        let Some(track) = self.tracks.get(at) else { return };
        let (Home::Here { .. }, Some(room)) = (track.home, track.room) else { return };
        let &Track { key, exempt, muted, speaking, .. } = track;
        let body = Body::State { track: key, room, exempt, muted, speaking };
        let shards = only.map_or_else(|| track.shards.clone(), |shard| vec![shard]);
        for shard in shards {
            self.tell(shard, body.clone());
        }
    }

    /// Another shard says something about a track.
    pub(super) fn hear(&mut self, now: Instant, from: ShardId, body: Body) {
        match body {
            Body::Datagram { .. } => {}
            Body::Named { name } => self.elsewhere.named(&name, from),
            Body::Unnamed { name } => self.elsewhere.unnamed(&name),
            Body::Attach { track, kind } => {
                let at = self.track_of(track, kind);
                if let Some(found) = self.tracks.get_mut(at)
                    && !found.shards.contains(&from)
                {
                    found.shards.push(from);
                }
                self.tell_state(at, Some(from));
            }
            Body::Detach { track } => {
                let Some(at) = self.by_key.get(&track).copied() else { return };
                let Some(found) = self.tracks.get_mut(at) else { return };
                found.shards.retain(|shard| *shard != from);
                if found.home == Home::Unknown && found.shards.is_empty() && found.subscribers.is_empty() {
                    self.unpublish(at);
                }
            }
            Body::State { track, room, exempt, muted, speaking } => {
                let Some(at) = self.by_key.get(&track).copied() else { return };
                if let Some(found) = self.tracks.get_mut(at) {
                    found.exempt = exempt;
                }
                self.place(at, room);
                self.mute(at, muted);
                self.rank(at, speaking);
            }
            Body::Gone { track } => {
                if let Some(at) = self.by_key.get(&track).copied() {
                    self.unpublish(at);
                }
            }
            Body::Key { track, layer } => {
                let Some(at) = self.by_key.get(&track).copied() else { return };
                if let Some(found) = self.tracks.get_mut(at) {
                    found.streams.want_key(layer);
                }
                self.ask_for_keys(at);
            }
            Body::Media { track, packet } => {
                if let Some(at) = self.by_key.get(&track).copied() {
                    self.fan_out(now, at, &packet);
                }
            }
        }
    }
}
