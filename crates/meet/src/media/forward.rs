//! The way of a packet from its publisher to all who receive it, and of what they say back. The hot path of the engine.

use std::sync::Arc;
use std::time::Instant;

use str0m::format::Codec;
use str0m::media::Mid;

use super::packet::{MediaPacket, primary};
use super::peer::{PeerEvent, Write};
use super::shard::{BEAT, GATHER, Shard, guarded};
use super::track::{Home, Way};
use super::{Body, Output};
use crate::contract::{Ending, Event, Kind, Quality, Target};

impl Shard {
    /// Something happened on a peer connection.
    pub(super) fn happened(&mut self, now: Instant, at: usize, target: Target, event: PeerEvent) {
        let Some(session) = self.sessions.get_mut(at) else { return };
        match event {
            PeerEvent::Connected => {
                session.connected[target as usize] = true;
                let event = Event::Connected { session: session.id, target };
                self.outputs.push_back(Output::Event(event));
            }
            PeerEvent::Closed => self.end(at, Some(Ending::Closed)),
            PeerEvent::Packet(mid, packet) => {
                session.link.up += 1;
                self.arrived(now, at, mid, packet);
            }
            PeerEvent::Keyframe(mid) => {
                if let Some(track) = session.slots.track(mid).and_then(|key| self.by_key.get(&key)).copied() {
                    self.key_needed(at, track);
                }
            }
            PeerEvent::Estimate(bits) => session.estimated(now, bits),
            PeerEvent::ChannelOpen(id, label) => {
                if session.channels.opened(target, id, &label) {
                    let (channels, peer, outgoing) = session.channels_and_peer();
                    if channels.flush(peer, outgoing) {
                        self.touch(at);
                    } else {
                        self.end(at, Some(Ending::TooSlow));
                    }
                }
            }
            PeerEvent::ChannelData(id, data) => {
                if let Some(channel) = session.channels.channel(target, id) {
                    let event = Event::Data { session: session.id, channel, bytes: data.into() };
                    self.outputs.push_back(Output::Event(event));
                }
            }
            PeerEvent::ChannelClosed(id) => session.channels.closed(target, id),
            PeerEvent::Link { round_trip, loss_down, loss_up } => {
                let link = &mut session.link;
                link.round_trip = round_trip.or(link.round_trip);
                // Of several m-lines the worst counts.
                link.loss_down = link.loss_down.max(loss_down.unwrap_or(0.0));
                link.loss_up = link.loss_up.max(loss_up.unwrap_or(0.0));
            }
        }
    }

    /// A packet came from a publisher.
    fn arrived(&mut self, now: Instant, session: usize, mid: Mid, packet: MediaPacket) {
        let Some(found) = self.sessions.get_mut(session) else { return };
        let Some(key) = found.claims.track(mid) else { return };
        let mut packet = packet;
        packet.wallclock = found.wallclock(packet.arrival, packet.captured);
        let Some(at) = self.by_key.get(&key).copied() else { return };
        let Some(track) = self.tracks.get_mut(at) else { return };
        if track.format != Some(packet.format) && !packet.payload.is_empty() {
            track.format = Some(packet.format);
            let event =
                Event::Flowing { track: key, mime: packet.format.mime().to_owned(), mid: mid.to_string() };
            self.outputs.push_back(Output::Event(event));
        }
        self.fan_out(now, at, &packet);
        let Some(track) = self.tracks.get(at) else { return };
        if !track.muted && !track.shards.is_empty() {
            // All but the last get a copy of the header; the payload is shared.
            for shard in track.shards.clone() {
                self.tell(shard, Body::Media { track: key, packet: packet.clone() });
            }
        }
    }

    /// Sends a packet to every subscriber on this shard.
    pub(super) fn fan_out(&mut self, now: Instant, at: usize, packet: &MediaPacket) {
        self.next_beat.get_or_insert(now + BEAT);
        let Some(track) = self.tracks.get_mut(at) else { return };
        track.streams.note(packet);
        if track.muted {
            return;
        }
        if track.kind == Kind::Audio {
            let loud = track.voice.note(now, packet.level);
            if track.withheld && loud {
                let room = track.room;
                self.choose_heard(room);
            }
        }
        let Some(track) = self.tracks.get_mut(at) else { return };
        if track.withheld {
            return;
        }
        let key = track.key;
        let more = track.kind == Kind::Video && !packet.marker;
        let mut plain: Option<Arc<[u8]>> = None;
        let mut keys: Option<Quality> = None;
        let (mut refused, mut failed) = (Vec::new(), Vec::new());
        for subscription in &mut track.subscribers {
            let to = subscription.session;
            let Some(session) = self.sessions.get_mut(to) else { continue };
            let way = subscription
                .way(track.kind, packet, |mid, format| session.outgoing().payload_type(mid, format));
            let (ssrc, pt, strip) = match way {
                Way::Send { ssrc, pt, plain } => (ssrc, pt, plain),
                Way::Drop => continue,
                Way::Wait(layer) => {
                    keys = Some(layer);
                    continue;
                }
                Way::Refuse => {
                    refused.push(to);
                    continue;
                }
            };
            let Some(rewritten) = subscription.rewriter.rewrite(packet) else { continue };
            let payload = if strip {
                match plain.clone().or_else(|| primary(&packet.payload).map(Arc::from)) {
                    Some(payload) => plain.insert(payload).clone(),
                    None => continue,
                }
            } else {
                packet.payload.clone()
            };
            let write = Write {
                pt,
                seq: rewritten.seq,
                time: rewritten.time,
                wallclock: packet.wallclock,
                patch: rewritten.patch,
                resend: packet.format.spec.codec != Codec::Opus,
                payload,
            };
            session.link.down += 1;
            if let Err(error) = guarded(|| {
                session.outgoing().write(ssrc, packet, write);
                Ok(())
            }) {
                failed.push((to, error));
            } else if !session.dirty {
                session.dirty = true;
                self.dirty.push(to);
            }
        }
        if let Some(layer) = keys {
            track.streams.want_key(layer);
            self.ask_for_keys(at);
        }
        // The rest of a picture is on its way; sound is not waited for.
        self.drain_by(if more { now + GATHER } else { now });
        for session in refused {
            self.refuse(session, at, key);
        }
        for (session, error) in failed {
            self.fail(session, &error);
        }
    }

    fn refuse(&mut self, session: usize, at: usize, key: crate::contract::TrackKey) {
        let Some(found) = self.sessions.get(session) else { return };
        let event = Event::Refused { session: found.id, track: key };
        self.outputs.push_back(Output::Event(event));
        self.detach(at, session);
    }

    /// A subscriber cannot go on without a key frame.
    fn key_needed(&mut self, session: usize, at: usize) {
        let Some(track) = self.tracks.get_mut(at) else { return };
        let Some(subscription) = track.subscription(session) else { return };
        if let Some(layer) = subscription.selector.current().or(subscription.selector.target()) {
            track.streams.want_key(layer);
            self.ask_for_keys(at);
        }
    }

    /// Asks the publisher for the key frames that are needed, no oftener than is good for it.
    pub(super) fn ask_for_keys(&mut self, at: usize) {
        let (Some(now), Some(track)) = (self.now, self.tracks.get_mut(at)) else { return };
        if track.muted || !track.streams.waiting() {
            return;
        }
        match track.home {
            Home::Here { session, mid: Some(mid) } => {
                let due = track.streams.due(now);
                let Some(found) = self.sessions.get_mut(session).filter(|_| !due.is_empty()) else { return };
                if let Some(peer) = found.peer(Target::Publisher) {
                    for layer in due {
                        peer.request_key(mid, layer);
                    }
                }
                self.touch(session);
            }
            Home::There(home) => {
                let key = track.key;
                for layer in track.streams.due(now) {
                    self.tell(home, Body::Key { track: key, layer });
                }
            }
            Home::Here { mid: None, .. } | Home::Unknown => {}
        }
        self.next_beat.get_or_insert(now + BEAT);
    }
}
