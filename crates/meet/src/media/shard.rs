//! One media thread's sessions: whom packets are for, when sessions are drained and looked at, what becomes of one that fails.
//!
//! A packet in costs one look-up by its source, one drain of its session, and one write per receiver; receivers are drained once
//! per tick, however much was written to them. Sessions that nothing happens to cost nothing: timers lie in a heap.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use str0m::IceCreds;
use str0m::config::DtlsCert;

use super::elsewhere::Elsewhere;
use super::owner::{letter, receiver};
use super::peer::{PeerError, PeerEvent, certificate, public_of};
use super::session::Session;
use super::table::Table;
use super::track::Track;
use super::{Body, Forwarded, MediaConfig, Output, Received, Transport, owner_of};
use crate::contract::{Ending, Event, RoomKey, SessionId, ShardId, Target, TrackKey};

/// Sources of one session that are remembered.
pub(super) const ADDRESSES: usize = 8;
/// Names of one session under which ICE finds it: two at a time, and those of before its last restarts.
const NAMES: usize = 8;
/// How long packets of a picture wait for the rest of it: what a session is given at once costs little more than one packet.
pub(super) const GATHER: Duration = Duration::from_millis(1);
/// A session is woken no oftener.
const LEAST: Duration = Duration::from_millis(1);
/// What is done for all tracks is done so often.
pub(super) const BEAT: Duration = Duration::from_millis(100);

/// The sessions of one media thread.
pub struct Shard {
    pub(super) config: MediaConfig,
    pub(super) id: ShardId,
    pub(super) certificate: Option<DtlsCert>,
    random: StdRng,
    pub(super) outputs: VecDeque<Output>,
    pub(super) sessions: Table<Session>,
    pub(super) by_id: HashMap<SessionId, usize>,
    by_ufrag: HashMap<String, (usize, Target)>,
    by_source: HashMap<(Transport, SocketAddr), (usize, Target)>,
    pub(super) tracks: Table<Track>,
    pub(super) by_key: HashMap<TrackKey, usize>,
    /// Tracks of sound that may be withheld, by room.
    pub(super) rooms: HashMap<RoomKey, Vec<usize>>,
    timers: BinaryHeap<Reverse<(Instant, usize)>>,
    pub(super) dirty: Vec<usize>,
    /// When those are drained.
    pub(super) drain_by: Option<Instant>,
    pub(super) unsettled: Vec<usize>,
    pub(super) next_beat: Option<Instant>,
    /// The newest time that was told; none before the first order or packet.
    pub(super) now: Option<Instant>,
    events: Vec<PeerEvent>,
    /// Sessions of other shards whose packets come to this one.
    pub(super) elsewhere: Elsewhere,
}

impl std::fmt::Debug for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shard")
            .field("id", &self.id)
            .field("sessions", &self.by_id.len())
            .field("tracks", &self.by_key.len())
            .finish_non_exhaustive()
    }
}

impl Shard {
    /// A shard without sessions. `seed` is the source of ICE credentials: 256 bits of a good random number.
    pub fn new(config: MediaConfig, id: ShardId, seed: [u8; 32]) -> Self {
        Self {
            config,
            id,
            certificate: certificate(),
            random: StdRng::from_seed(seed),
            outputs: VecDeque::new(),
            sessions: Table::default(),
            by_id: HashMap::new(),
            by_ufrag: HashMap::new(),
            by_source: HashMap::new(),
            tracks: Table::default(),
            by_key: HashMap::new(),
            rooms: HashMap::new(),
            timers: BinaryHeap::new(),
            dirty: Vec::new(),
            drain_by: None,
            unsettled: Vec::new(),
            next_beat: None,
            now: None,
            events: Vec::new(),
            elsewhere: Elsewhere::default(),
        }
    }

    /// Credentials that nobody had before; the ufrag begins with this shard's letter.
    pub(super) fn credentials(&mut self) -> IceCreds {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let mut text = |length: usize| -> String {
            (0..length).map(|_| char::from(LETTERS[self.random.random_range(0..LETTERS.len())])).collect()
        };
        IceCreds { ufrag: format!("{}{}", letter(self.id), text(11)), pass: text(32) }
    }

    /// Takes a packet from a socket. One that belongs to another shard is handed to it by [`Output::Forward`]; a driver that
    /// knows the owner by [`owner_of`] saves the detour. A STUN request for a session that there is not, is dropped here.
    pub fn receive(&mut self, now: Instant, packet: Received<'_>) {
        let from = (packet.transport, packet.source);
        match owner_of(packet.bytes) {
            Some(owner) if owner != self.id => {
                let named = receiver(packet.bytes).and_then(|name| self.elsewhere.asked(name, from));
                if let Some(owner) = named {
                    self.hand_over(owner, packet);
                }
            }
            Some(_) => {
                if self.knows(packet.bytes) {
                    self.elsewhere.forget(from);
                    self.deliver(now, packet);
                }
            }
            None => match self.elsewhere.owner(from) {
                Some(owner) => self.hand_over(owner, packet),
                None => self.deliver(now, packet),
            },
        }
    }

    /// Whether these bytes are a STUN request for a session of this shard. Whether its sender may say so, ICE finds out.
    pub fn knows(&self, bytes: &[u8]) -> bool {
        receiver(bytes).is_some_and(|name| self.by_ufrag.contains_key(name))
    }

    fn hand_over(&mut self, to: ShardId, packet: Received<'_>) {
        let Received { transport, source, destination, bytes } = packet;
        self.tell(
            to,
            Body::Datagram { transport, source, destination, bytes: Bytes::copy_from_slice(bytes) },
        );
    }

    pub(super) fn tell(&mut self, to: ShardId, body: Body) {
        self.outputs.push_back(Output::Forward { to, packet: Forwarded { from: self.id, body } });
    }

    fn deliver(&mut self, now: Instant, packet: Received<'_>) {
        self.now = Some(now);
        let Some((at, target)) = self.find(&packet) else {
            return;
        };
        let public = public_of(&self.config.places, packet.transport, packet.destination);
        let Some(session) = self.sessions.get_mut(at) else { return };
        session.heard = now;
        session.link.heard = true;
        let Some(peer) = session.peer(target) else { return };
        let taken = guarded(|| peer.receive(now, packet.transport, packet.source, public, packet.bytes));
        match taken {
            // Each received packet is taken out before the next comes in.
            Ok(()) => self.drain(now, at, target),
            Err(error) => self.fail(at, &error),
        }
    }

    /// The session that a packet is for: by the name in a STUN request, otherwise by where it comes from.
    fn find(&mut self, packet: &Received<'_>) -> Option<(usize, Target)> {
        let from = (packet.transport, packet.source);
        let Some(name) = receiver(packet.bytes) else {
            return self.by_source.get(&from).copied();
        };
        let found = *self.by_ufrag.get(name)?;
        if self.by_source.insert(from, found) != Some(found) {
            let session = self.sessions.get_mut(found.0)?;
            session.addresses.retain(|known| *known != from);
            session.addresses.push(from);
            if session.addresses.len() > ADDRESSES {
                let oldest = session.addresses.remove(0);
                if self.by_source.get(&oldest).is_some_and(|(at, _)| *at == found.0) {
                    self.by_source.remove(&oldest);
                }
            }
        }
        Some(found)
    }

    /// Takes what another shard sent.
    pub fn forwarded(&mut self, now: Instant, packet: Forwarded) {
        self.now = Some(now);
        match packet.body {
            Body::Datagram { transport, source, destination, bytes } => {
                self.deliver(now, Received { transport, source, destination, bytes: &bytes });
            }
            body => self.hear(now, packet.from, body),
        }
    }

    /// Does what is due, and drains the sessions to which something came since the last tick, or, if that is part of a picture, soon.
    pub fn tick(&mut self, now: Instant) {
        self.now = Some(now);
        while let Some(Reverse((at, session))) = self.timers.peek().copied() {
            if at > now {
                break;
            }
            self.timers.pop();
            self.wake(now, at, session);
        }
        if self.next_beat.is_some_and(|next| next <= now) {
            self.beat(now);
        }
        self.settle();
        if self.drain_by.is_none_or(|by| by > now) {
            return;
        }
        while let Some(at) = self.dirty.pop() {
            let Some(session) = self.sessions.get_mut(at) else { continue };
            session.dirty = false;
            // Media was written to one of the peer connections; the other one has nothing to say, and a look at it costs as much.
            let written = session.outgoing_target();
            if std::mem::take(&mut session.touched) && written == Target::Subscriber {
                self.advance(now, at, Target::Publisher);
            }
            self.advance(now, at, written);
        }
        self.drain_by = None;
    }

    fn wake(&mut self, now: Instant, at: Instant, session: usize) {
        let Some(found) = self.sessions.get_mut(session) else { return };
        if found.scheduled != Some(at) {
            return;
        }
        found.scheduled = None;
        if found.deadline() > now {
            self.schedule(session);
            return;
        }
        let due = found.due;
        for (target, due) in [Target::Publisher, Target::Subscriber].into_iter().zip(due) {
            if due <= now {
                self.advance(now, session, target);
            }
        }
        self.look_after(now, session);
        self.schedule(session);
    }

    /// What a session needs every few seconds: its figures, and an end if it was silent too long.
    fn look_after(&mut self, now: Instant, at: usize) {
        let Some(session) = self.sessions.get_mut(at) else { return };
        if session.next_health > now {
            return;
        }
        session.next_health = now + self.config.health_every;
        let silent = now.saturating_duration_since(session.heard) > self.config.patience;
        let unborn = !session.connected[0]
            && !session.connected[1]
            && now.saturating_duration_since(session.opened) > self.config.setup;
        let connected = session.connected[0] || session.connected[1];
        if (connected && silent) || unborn {
            self.end(at, Some(Ending::Unreachable));
        } else if connected {
            let event = Event::Health { session: session.id, health: session.health() };
            self.outputs.push_back(Output::Event(event));
        }
    }

    /// Drives one peer connection's time forward, then drains it.
    pub(super) fn advance(&mut self, now: Instant, at: usize, target: Target) {
        let Some(peer) = self.sessions.get_mut(at).and_then(|session| session.peer(target)) else {
            return;
        };
        match guarded(|| peer.timeout(now)) {
            Ok(()) => self.drain(now, at, target),
            Err(error) => self.fail(at, &error),
        }
    }

    fn drain(&mut self, now: Instant, at: usize, target: Target) {
        let Some(session) = self.sessions.get_mut(at) else { return };
        let rest = session.rest(target);
        let Some(peer) = session.peer(target) else { return };
        let mut events = std::mem::take(&mut self.events);
        let (places, outputs) = (&self.config.places, &mut self.outputs);
        let drained = guarded(|| peer.drain(now, rest, places, outputs, &mut events));
        match drained {
            Ok(due) => {
                session.due[target as usize] = due;
                self.schedule(at);
                for event in events.drain(..) {
                    self.happened(now, at, target, event);
                }
            }
            Err(error) => self.fail(at, &error),
        }
        events.clear();
        self.events = events;
    }

    /// Sees to it that a session is woken when it wants to be.
    fn schedule(&mut self, at: usize) {
        let Some(session) = self.sessions.get_mut(at) else { return };
        // Not at once again, whatever an engine says: time must go on between two looks.
        let deadline = self.now.map_or(session.deadline(), |now| session.deadline().max(now + LEAST));
        // An earlier entry does no harm: it is put back when its time comes.
        if session.scheduled.is_none_or(|scheduled| deadline < scheduled) {
            session.scheduled = Some(deadline);
            self.timers.push(Reverse((deadline, at)));
        }
    }

    /// What was written is drained by then.
    pub(super) fn drain_by(&mut self, at: Instant) {
        if !self.dirty.is_empty() {
            self.drain_by = Some(self.drain_by.map_or(at, |before| before.min(at)));
        }
    }

    /// A session was changed: all of it is drained with this tick.
    pub(super) fn touch(&mut self, at: usize) {
        if let Some(session) = self.sessions.get_mut(at) {
            session.touched = true;
            if !session.dirty {
                session.dirty = true;
                self.dirty.push(at);
            }
        }
        if let Some(now) = self.now {
            self.drain_by(now);
        }
    }

    /// A session may have something to negotiate: it is looked at with this tick.
    pub(super) fn unsettle(&mut self, at: usize) {
        if let Some(session) = self.sessions.get_mut(at)
            && !session.unsettled
        {
            session.unsettled = true;
            self.unsettled.push(at);
        }
    }

    /// A new session.
    pub(super) fn enter(&mut self, session: Session) -> usize {
        let id = session.id;
        let at = self.sessions.insert(session);
        self.by_id.insert(id, at);
        self.name(at);
        self.touch(at);
        self.schedule(at);
        at
    }

    /// ICE finds it by its present names, and for a while by earlier ones.
    pub(super) fn name(&mut self, at: usize) {
        let Some(session) = self.sessions.get_mut(at) else { return };
        let (mut named, mut unnamed) = (Vec::new(), Vec::new());
        let present: Vec<(String, Target)> =
            session.ufrags().map(|(ufrag, target)| (ufrag.to_owned(), target)).collect();
        for (ufrag, target) in present {
            if !self.by_ufrag.contains_key(&ufrag) {
                self.by_ufrag.insert(ufrag.clone(), (at, target));
                session.names.push(ufrag.clone());
                named.push(ufrag);
            }
        }
        // Who restarts ICE again and again has no more names for it.
        while session.names.len() > NAMES {
            unnamed.push(session.names.remove(0));
        }
        for name in named {
            self.tell_others(|| Body::Named { name: name.clone() });
        }
        for name in unnamed {
            self.unname(&name);
        }
    }

    fn unname(&mut self, name: &str) {
        self.by_ufrag.remove(name);
        self.tell_others(|| Body::Unnamed { name: name.to_owned() });
    }

    /// The other shards hear of names, so that nothing is kept or passed on for one that nobody has.
    fn tell_others(&mut self, body: impl Fn() -> Body) {
        for shard in (0..self.config.shards).map(ShardId).filter(|shard| *shard != self.id) {
            self.outputs
                .push_back(Output::Forward { to: shard, packet: Forwarded { from: self.id, body: body() } });
        }
    }

    pub(super) fn fail(&mut self, at: usize, error: &PeerError) {
        tracing::debug!(shard = self.id.0, %error, "a session failed");
        self.end(at, Some(Ending::Broken));
    }

    /// Forgets a session and all that hangs on it; says so unless it was ordered.
    pub(super) fn end(&mut self, at: usize, why: Option<Ending>) {
        let Some(session) = self.sessions.remove(at) else { return };
        self.by_id.remove(&session.id);
        for name in &session.names {
            self.unname(name);
        }
        for address in &session.addresses {
            if self.by_source.get(address).is_some_and(|(of, _)| *of == at) {
                self.by_source.remove(address);
            }
        }
        self.leave(at, &session);
        if let Some(why) = why {
            self.outputs.push_back(Output::Event(Event::Ended { session: session.id, why }));
        }
        // A half-broken engine may panic once more when it is dropped.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(session)));
    }

    /// When [`tick`](Self::tick) is due next without anything coming in.
    pub fn deadline(&self) -> Option<Instant> {
        let timer = self.timers.peek().map(|Reverse((at, _))| *at);
        timer.into_iter().chain(self.next_beat).chain(self.drain_by).min()
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }
}

/// Runs what may fail or panic inside one session's engine.
pub(super) fn guarded<R>(run: impl FnOnce() -> Result<R, PeerError>) -> Result<R, PeerError> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| Err(PeerError::other("panicked")))
}
