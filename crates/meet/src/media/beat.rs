//! What is done for all tracks several times a second: who speaks, who is heard, which layers there are, who gets which.
//!
//! Never per packet, and never for sessions that nothing changed for.

use std::collections::HashMap;
use std::time::Instant;

use super::Output;
use super::allocate::{Demand, allocate};
use super::lastn::{Candidate, choose};
use super::layers::largest;
use super::shard::{BEAT, Shard};
use super::track::Home;
use crate::contract::{Event, Kind, RoomKey, TrackKey, Wish};

/// What one track of sound is counted at, bits per second.
const SOUND: u64 = 48_000;

impl Shard {
    pub(super) fn beat(&mut self, now: Instant) {
        self.next_beat = (!self.by_key.is_empty()).then(|| now + BEAT);
        self.tell_levels(now);
        let rooms: Vec<_> = self.rooms.keys().copied().collect();
        for room in rooms {
            self.choose_heard(Some(room));
        }
        self.look_at_layers(now);
        let (mut unsettled, mut aimed) = (Vec::new(), Vec::new());
        for (at, session) in self.sessions.iter_mut() {
            session.settle_estimate(now);
            if session.reallocate {
                unsettled.push(at);
            } else if session.probe_for() {
                aimed.push(at);
            }
        }
        for session in aimed {
            self.touch(session);
        }
        for session in unsettled {
            self.share_out(session);
        }
    }

    fn tell_levels(&mut self, now: Instant) {
        let mut told: HashMap<RoomKey, Vec<(TrackKey, f32)>> = HashMap::new();
        let mut turned = Vec::new();
        for (_, track) in self.tracks.iter_mut() {
            if track.kind != Kind::Audio {
                continue;
            }
            let spoke = track.voice.speaks();
            if let (Some(level), Some(room), Home::Here { session, .. }) =
                (track.voice.measure(now), track.room, track.home)
            {
                if spoke != track.voice.speaks() {
                    turned.push((session, !spoke));
                }
                told.entry(room).or_default().push((track.key, level));
            }
        }
        for (session, speaks) in turned {
            self.turn(session, speaks);
        }
        for (room, levels) in told {
            self.outputs.push_back(Output::Event(Event::Levels { room, levels }));
        }
    }

    /// A publisher begins or ends to speak: its pictures count for more or less.
    fn turn(&mut self, publisher: usize, speaks: bool) {
        let mut pictures = Vec::new();
        for (at, track) in self.tracks.iter_mut() {
            if track.kind == Kind::Video
                && matches!(track.home, Home::Here { session, .. } if session == publisher)
            {
                pictures.push(at);
            }
        }
        for at in pictures {
            self.rank(at, speaks);
            self.tell_state(at, None);
        }
    }

    /// A track's publisher speaks, or no more: what its viewers have is shared out again.
    pub(super) fn rank(&mut self, at: usize, speaking: bool) {
        let Some(track) = self.tracks.get_mut(at).filter(|track| track.speaking != speaking) else { return };
        track.speaking = speaking;
        for subscription in &track.subscribers {
            if let Some(session) = self.sessions.get_mut(subscription.session) {
                session.reallocate = true;
            }
        }
    }

    /// Chooses of which sound of a room the packets are forwarded.
    pub(super) fn choose_heard(&mut self, room: Option<RoomKey>) {
        if self.config.last_n == 0 {
            return;
        }
        let Some(tracks) = room.and_then(|room| self.rooms.get(&room)) else { return };
        let (places, candidates): (Vec<_>, Vec<_>) = tracks
            .iter()
            .filter_map(|at| self.tracks.get(*at).map(|track| (*at, track)))
            .filter(|(_, track)| !track.exempt)
            .map(|(at, track)| {
                let loudness = if track.muted { 0.0 } else { track.voice.quick() };
                (at, Candidate { loudness, heard: !track.withheld })
            })
            .unzip();
        for (at, heard) in places.into_iter().zip(choose(self.config.last_n, &candidates)) {
            let Some(track) = self.tracks.get_mut(at) else { continue };
            if !heard && !track.withheld {
                track.interrupt();
            }
            track.withheld = !heard;
        }
    }

    fn look_at_layers(&mut self, now: Instant) {
        let mut changed = Vec::new();
        let mut waiting = Vec::new();
        for (at, track) in self.tracks.iter_mut() {
            if track.kind != Kind::Video {
                continue;
            }
            if track.streams.measure(now) {
                changed.extend(track.subscribers.iter().map(|subscription| subscription.session));
            }
            if track.streams.waiting() {
                waiting.push(at);
            }
        }
        for session in changed {
            if let Some(session) = self.sessions.get_mut(session) {
                session.reallocate = true;
            }
        }
        for track in waiting {
            self.ask_for_keys(track);
        }
    }

    /// Paces a session's pictures from now on, or no more: a key frame need not wait where there is room for it.
    fn pace(&mut self, at: usize, limited: bool) {
        let Some(session) = self.sessions.get_mut(at).filter(|session| session.limited != limited) else {
            return;
        };
        session.limited = limited;
        for key in session.slots.tracks().collect::<Vec<_>>() {
            let track = self.by_key.get(&key).and_then(|place| self.tracks.get_mut(*place));
            let Some(track) = track.filter(|track| track.kind == Kind::Video) else { continue };
            if let Some((_, ssrc)) = track.subscription(at).and_then(|subscription| subscription.bound) {
                session.outgoing().pace(ssrc, limited);
            }
        }
    }

    /// Shares out what the way to one session carries.
    fn share_out(&mut self, at: usize) {
        let Some(session) = self.sessions.get_mut(at) else { return };
        session.reallocate = false;
        let (id, may_pause, estimate) = (session.id, session.may_pause, session.budget);
        let tracks: Vec<_> =
            session.slots.tracks().filter_map(|key| self.by_key.get(&key).copied()).collect();
        let mut sound = 0;
        let mut places = Vec::new();
        let mut demands = Vec::new();
        for place in tracks {
            let Some(track) = self.tracks.get_mut(place) else { continue };
            if track.kind == Kind::Audio {
                sound += if track.silent() { 0 } else { SOUND };
                continue;
            }
            let mut rates = [0; 3];
            for (layer, rate) in track.streams.available(&track.layers) {
                // Where nobody said what it takes, it is there all the same.
                rates[layer as usize] = rate.max(1);
            }
            let Some(wish) = track.subscription(at).map(|subscription| subscription.wish) else { continue };
            if track.muted || !wish.enabled {
                continue;
            }
            let cap = largest(&wish, &track.layers);
            let now = track.subscription(at).and_then(|subscription| subscription.selector.current());
            let Wish { protected, priority, .. } = wish;
            demands.push(Demand { protected, speaking: track.speaking, priority, cap, rates, now });
            places.push(place);
        }
        let targets = allocate(estimate, may_pause, &demands);
        let spent: u64 = demands
            .iter()
            .zip(&targets)
            .filter_map(|(demand, target)| demand.rates.get((*target)? as usize))
            .sum();
        let desired: u64 = demands.iter().map(Demand::desired).sum();
        for (place, target) in places.into_iter().zip(targets) {
            let Some(track) = self.tracks.get_mut(place) else { continue };
            let key = track.key;
            let Some(subscription) = track.subscription(at) else { continue };
            let paused = target.is_none();
            if paused != subscription.paused {
                subscription.paused = paused;
                let event = Event::Paused { session: id, track: key, paused };
                self.outputs.push_back(Output::Event(event));
            }
            if subscription.selector.aim(target) {
                if paused {
                    subscription.interrupt();
                }
                if let Some(layer) = subscription.selector.awaits() {
                    track.streams.want_key(layer);
                    self.ask_for_keys(place);
                }
            }
        }
        // Sound is not measured: what is estimated is what is left beside it.
        let limited = estimate.is_some_and(|bits| desired > bits);
        self.pace(at, limited);
        let Some(session) = self.sessions.get_mut(at) else { return };
        session.spending = spent;
        session.desired = desired + sound;
        session.pictures = !demands.is_empty();
        if session.probe_for() {
            self.touch(at);
        }
    }
}
