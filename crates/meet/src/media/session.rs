//! One participant's session: its peer connections, and what is bound to their m-lines. It forwards nothing by itself.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use str0m::IceCreds;
use str0m::media::Mid;

use super::Transport;
use super::channels::{Channels, LABELS};
use super::claims::Claims;
use super::peer::{Change, Peer, PeerError};
use super::sdp::{self, Face};
use super::slots::Slots;
use crate::contract::{Health, Kind, Peers, SessionId, Target, TrackKey};

/// Congestion counts after so long.
const DROP: Duration = Duration::from_secs(1);
/// What an unknown way is believed to carry, bits per second.
const UNKNOWN: u64 = 6_000_000;

/// What the way carried is believed for so long while less is sent.
const PROOF: Duration = Duration::from_secs(30);

/// A falling estimate is taken for a little more: what is sent is not given up for what falls a little short of it. Congestion
/// lowers estimates by more.
fn lenient(bits: u64) -> u64 {
    bits.saturating_add(bits / 100 * 15)
}

/// One participant's connection to media.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a state of its own")]
pub(super) struct Session {
    pub(super) id: SessionId,
    pub(super) peers: Peers,
    pub(super) may_pause: bool,
    publisher: Peer,
    subscriber: Option<Peer>,
    pub(super) slots: Slots,
    pub(super) claims: Claims,
    pub(super) channels: Channels,
    /// A first description of the connection that sends was completed.
    pub(super) described: bool,
    /// The client was asked to offer, and has not yet.
    asked: bool,
    offer_id: u32,
    /// M-lines that only an offer without an answer knows.
    proposed: Vec<Mid>,
    /// Channels were part of an offer.
    channels_offered: bool,
    restart: bool,
    pub(super) connected: [bool; 2],
    pub(super) opened: Instant,
    pub(super) heard: Instant,
    /// What each peer connection asked to be called at.
    pub(super) due: [Instant; 2],
    /// The time at which the shard's clock has it.
    pub(super) scheduled: Option<Instant>,
    /// Written to since its last drain.
    pub(super) dirty: bool,
    /// Changed otherwise than by media that was written: then both peer connections are drained.
    pub(super) touched: bool,
    /// To be looked at for negotiation.
    pub(super) unsettled: bool,
    /// Bits per second to the client, where measured.
    pub(super) estimate: Option<u64>,
    /// The same as it is reckoned with: drops count once they last.
    pub(super) budget: Option<u64>,
    /// When that was found.
    proven: Option<Instant>,
    /// Since when the estimate is below what is sent and does not rise, and what it was then.
    lower: Option<(Instant, u64)>,
    /// What is sent, bits per second, as allocated.
    pub(super) spending: u64,
    /// Pictures are wanted, whether or not the way carries them.
    pub(super) pictures: bool,
    /// The way carries less than is wanted: pictures are paced to it. Otherwise they go out as they come.
    pub(super) limited: bool,
    pub(super) desired: u64,
    /// What probes look for now, bits per second.
    probing: u64,
    pub(super) reallocate: bool,
    /// Sources from which it is heard.
    pub(super) addresses: Vec<(Transport, SocketAddr)>,
    /// Names under which ICE finds it, oldest first.
    pub(super) names: Vec<String>,
    /// A moment on our clock and on its clock, since 1970.
    clock: Option<(Instant, Duration)>,
    pub(super) link: Link,
    pub(super) next_health: Instant,
}

/// What [`Health`] is made of.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Link {
    pub(super) loss_up: f32,
    pub(super) loss_down: f32,
    pub(super) round_trip: Option<Duration>,
    pub(super) heard: bool,
    pub(super) up: u64,
    pub(super) down: u64,
}

/// An offer that was answered.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) sdp: String,
    /// Tracks of the client that found their m-lines.
    pub(super) claimed: Vec<(TrackKey, Mid)>,
    /// Tracks towards the client that got theirs.
    pub(super) assigned: Vec<(TrackKey, Mid)>,
}

impl Session {
    pub(super) fn new(
        id: SessionId,
        peers: Peers,
        may_pause: bool,
        publisher: Peer,
        subscriber: Option<Peer>,
        now: Instant,
        health_every: Duration,
    ) -> Self {
        Self {
            id,
            peers,
            may_pause,
            publisher,
            subscriber,
            slots: Slots::default(),
            claims: Claims::default(),
            channels: Channels::default(),
            described: false,
            asked: false,
            offer_id: 0,
            proposed: Vec::new(),
            channels_offered: false,
            restart: false,
            connected: [false; 2],
            opened: now,
            heard: now,
            due: [now; 2],
            scheduled: None,
            dirty: false,
            touched: true,
            unsettled: false,
            estimate: None,
            budget: None,
            proven: None,
            lower: None,
            spending: 0,
            pictures: false,
            limited: false,
            desired: 0,
            probing: 0,
            reallocate: false,
            addresses: Vec::new(),
            names: Vec::new(),
            clock: None,
            link: Link::default(),
            next_health: now + health_every,
        }
    }

    /// The peer connection on which the client is sent media and data.
    pub(super) fn outgoing(&mut self) -> &mut Peer {
        self.subscriber.as_mut().unwrap_or(&mut self.publisher)
    }

    /// Which that is.
    pub(super) fn outgoing_target(&self) -> Target {
        match self.peers {
            Peers::Single => Target::Publisher,
            Peers::Dual => Target::Subscriber,
        }
    }

    /// A peer connection, if there is such a one.
    pub(super) fn peer(&mut self, target: Target) -> Option<&mut Peer> {
        match target {
            Target::Publisher => Some(&mut self.publisher),
            Target::Subscriber => self.subscriber.as_mut(),
        }
    }

    /// The channels, and the connection on which they send.
    pub(super) fn channels_and_peer(&mut self) -> (&mut Channels, &mut Peer, Target) {
        let target = self.outgoing_target();
        (&mut self.channels, self.subscriber.as_mut().unwrap_or(&mut self.publisher), target)
    }

    /// Names under which ICE finds it.
    pub(super) fn ufrags(&self) -> impl Iterator<Item = (&str, Target)> {
        std::iter::once((self.publisher.ufrag(), Target::Publisher))
            .chain(self.subscriber.iter().map(|peer| (peer.ufrag(), Target::Subscriber)))
    }

    /// When it is to be looked at.
    pub(super) fn deadline(&self) -> Instant {
        let due = if self.subscriber.is_some() { self.due[0].min(self.due[1]) } else { self.due[0] };
        due.min(self.next_health)
    }

    /// How long the estimator of a peer connection may wait to hear of the time. It asks every round trip, or 40 times a second, which for
    /// a listener of sound would be as much work as the sound; every packet tells it the time as well.
    pub(super) fn rest(&self, target: Target) -> Duration {
        match (self.connected[target as usize], self.pictures) {
            (false, _) => Duration::ZERO,
            (true, false) => Duration::from_millis(200),
            (true, true) => Duration::from_millis(10),
        }
    }

    /// Answers the client's offer.
    pub(super) fn accept_offer(&mut self, offer: &str, fresh: IceCreds) -> Result<Answered, PeerError> {
        let lines = sdp::lines(offer).map_err(PeerError::other)?;
        let answer = self.publisher.accept_offer(offer, fresh)?;
        let claimed = self.claims.offered(&lines);
        let mut assigned = Vec::new();
        let single = self.peers == Peers::Single;
        if single {
            self.described = true;
            self.asked = false;
            for line in &lines {
                match line.kind {
                    Some(kind) if line.receives && !line.sends => self.slots.add(line.mid, kind),
                    _ if self.slots.holds(line.mid) => self.slots.forget(line.mid),
                    _ => {}
                }
            }
            assigned = self.slots.assign();
        }
        let sdp = sdp::dress(&answer, |mid| match self.slots.face(mid) {
            Some((stream, track)) => Face::Sends { stream: stream.to_owned(), track: track.to_owned() },
            None if self.slots.holds(mid) => Face::Rests,
            None => self.claims.face(mid),
        });
        if single {
            self.slots.tell();
            self.slots.told();
            for mid in self.slots.resting() {
                self.publisher.rest(mid);
            }
        }
        Ok(Answered { sdp, claimed, assigned })
    }

    /// In the single mode: how many m-lines the client must add, if it must offer at all.
    pub(super) fn sections(&mut self) -> Option<(u32, u32)> {
        if self.peers != Peers::Single || !self.described || self.asked || !self.slots.unsettled() {
            return None;
        }
        self.asked = true;
        let count = |kind| u32::try_from(self.slots.missing(kind)).unwrap_or(u32::MAX);
        Some((count(Kind::Audio), count(Kind::Video)))
    }

    /// In the dual mode: the next offer is made with fresh ICE credentials, even if one waits for its answer.
    pub(super) fn restart(&mut self) {
        self.restart = self.described;
    }

    /// In the dual mode: our next offer, if there is something to offer and no offer waits for its answer.
    pub(super) fn make_offer(&mut self, fresh: impl FnOnce() -> IceCreds) -> Option<(u32, String)> {
        let peer = self.subscriber.as_mut()?;
        let first = !self.channels_offered;
        if peer.awaits_answer() && !self.restart {
            return None;
        }
        if !first && !self.restart && !self.slots.unsettled() {
            return None;
        }
        for mid in self.proposed.drain(..) {
            self.slots.forget(mid);
        }
        let mut changes: Vec<_> = self.slots.retiring().map(Change::Rest).collect();
        let resumed = self.slots.assign();
        changes.extend(resumed.iter().map(|(_, mid)| Change::Send(*mid)));
        let mut kinds = Vec::new();
        for kind in [Kind::Audio, Kind::Video] {
            let missing = self.slots.waiting(kind);
            kinds.extend(std::iter::repeat_n(kind, missing));
        }
        changes.extend(kinds.iter().map(|kind| Change::Add { kind: *kind }));
        let channels: Vec<_> =
            LABELS.iter().filter(|_| first).map(|(_, label, reliable)| (*label, *reliable)).collect();
        let restart = self.restart.then(fresh);
        let (sdp, added) = peer.offer(&changes, &channels, restart)?;
        for (mid, kind) in added.into_iter().zip(kinds) {
            self.slots.add(mid, kind);
            self.proposed.push(mid);
        }
        self.slots.assign();
        self.slots.tell();
        self.restart = false;
        self.channels_offered = true;
        self.offer_id += 1;
        let sdp = sdp::dress(&sdp, |mid| match self.slots.face(mid) {
            Some((stream, track)) => Face::Sends { stream: stream.to_owned(), track: track.to_owned() },
            None if self.slots.holds(mid) => Face::Rests,
            None => Face::Plain,
        });
        Some((self.offer_id, sdp))
    }

    /// Completes our offer. False if it is not the answer to our last one.
    pub(super) fn accept_answer(&mut self, id: u32, answer: &str) -> Result<bool, PeerError> {
        sdp::lines(answer).map_err(PeerError::other)?;
        // Some SDKs do not number their answers: they answer the only offer there is.
        if id != 0 && id != self.offer_id {
            return Ok(false);
        }
        let Some(peer) = self.subscriber.as_mut().filter(|peer| peer.awaits_answer()) else {
            return Ok(false);
        };
        peer.accept_answer(answer)?;
        self.described = true;
        self.proposed.clear();
        self.slots.told();
        Ok(true)
    }

    /// The stream on an m-line stops here; whatever comes next on it is another stream.
    pub(super) fn stop(&mut self, mid: Mid) {
        self.outgoing().renew(mid);
    }

    /// When a packet was captured, on our clock; its arrival where its sender did not tell.
    pub(super) fn wallclock(&mut self, arrival: Instant, captured: Option<Duration>) -> Instant {
        let Some(captured) = captured else {
            return arrival;
        };
        let told = match self.clock {
            Some((ours, theirs)) if captured >= theirs => ours.checked_add(captured.saturating_sub(theirs)),
            Some((ours, theirs)) => ours.checked_sub(theirs.saturating_sub(captured)),
            None => None,
        };
        match told {
            // The quickest packet is the truest; a clock that was set anew shows as packets from long ago.
            Some(told) if told <= arrival && arrival.duration_since(told) < Duration::from_secs(2) => told,
            _ => {
                self.clock = Some((arrival, captured));
                arrival
            }
        }
    }

    /// What the way to the client carries, as estimated now.
    ///
    /// An estimate that falls while little is sent is no news of the way: small probes measure too little. What was proven is
    /// reckoned with until estimates stay below what is sent without rising, which is congestion, or until the proof is old. Before
    /// anything was proven, the way is believed to carry a usual conversation.
    pub(super) fn estimated(&mut self, now: Instant, bits: u64) {
        self.estimate = Some(bits);
        let budget = self.budget.unwrap_or(UNKNOWN);
        if self.budget.is_none() || bits >= budget {
            self.lower = None;
            self.reckon(now, bits.max(budget));
        } else if lenient(bits) >= self.spending {
            self.lower = None;
        } else if self.lower.is_none_or(|(_, then)| bits > then + then / 20) {
            self.lower = Some((now, bits));
        }
    }

    /// Whether congestion lasted, or the proof is old: then the lower estimate counts.
    pub(super) fn settle_estimate(&mut self, now: Instant) {
        let (Some(bits), Some(budget)) = (self.estimate, self.budget) else { return };
        let congested = self.lower.is_some_and(|(since, _)| now.saturating_duration_since(since) >= DROP);
        if congested {
            self.lower = None;
            self.reckon(now, budget.min(lenient(bits)));
        } else if self.proven.is_some_and(|proven| now.saturating_duration_since(proven) >= PROOF) {
            self.reckon(now, budget.min(lenient(bits).max(self.spending)));
        }
    }

    /// Lets probes look for what is desired, but for no more than twice what is estimated: a probe for everything that everybody sends
    /// fills the queue of a narrow way, whose estimate then falls until the next probe. True if the aim changed.
    pub(super) fn probe_for(&mut self) -> bool {
        let aim = self.desired.min(self.estimate.map_or(u64::MAX, |bits| bits.saturating_mul(2)));
        // Small movements would be a probe each.
        if aim.abs_diff(self.probing) * 4 <= self.probing {
            return false;
        }
        self.probing = aim;
        self.outgoing().desire(aim);
        true
    }

    fn reckon(&mut self, now: Instant, bits: u64) {
        self.proven = Some(now);
        let before = self.budget.replace(bits).unwrap_or(0);
        // Small movements change no choice of layers.
        self.reallocate |= before.abs_diff(bits) * 50 > before;
    }

    /// The figures since the last call.
    pub(super) fn health(&mut self) -> Health {
        let link = std::mem::take(&mut self.link);
        self.link.round_trip = link.round_trip;
        Health {
            loss_up: link.loss_up,
            loss_down: link.loss_down,
            round_trip: link.round_trip,
            estimate: self.estimate,
            desired: self.desired,
            heard: link.heard,
            packets_up: link.up,
            packets_down: link.down,
        }
    }
}
