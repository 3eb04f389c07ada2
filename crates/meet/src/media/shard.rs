//! One media thread's sessions, and the way packets take between them.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;

use super::{Body, Forwarded, MediaConfig, Output, Received, Transport, owner_of};
use crate::contract::{Order, ShardId};

/// Sources of packets for other shards that are remembered; the table is forgotten when it is full, and ICE's next check, within
/// seconds, fills it again.
const STRANGERS: usize = 10_000;

/// The sessions of one media thread.
#[derive(Debug)]
pub struct Shard {
    config: MediaConfig,
    id: ShardId,
    outputs: VecDeque<Output>,
    /// Packets that no session claimed.
    unclaimed: u64,
    /// Who owns the session behind a source whose packets come to this thread.
    strangers: HashMap<(Transport, SocketAddr), ShardId>,
}

impl Shard {
    /// A shard without sessions. `seed` is the source of ICE credentials: 256 bits of a good random number.
    pub fn new(config: MediaConfig, id: ShardId, seed: [u8; 32]) -> Self {
        let _ = seed;
        Self { config, id, outputs: VecDeque::new(), unclaimed: 0, strangers: HashMap::new() }
    }

    /// Does what the rooms say.
    pub fn order(&mut self, now: Instant, order: Order) {
        let _ = (now, order);
    }

    /// Takes a packet from a socket. One that belongs to another shard is handed to it by [`Output::Forward`]; a driver that
    /// knows the owner by [`owner_of`] saves the detour.
    pub fn receive(&mut self, now: Instant, packet: Received<'_>) {
        let from = (packet.transport, packet.source);
        match owner_of(packet.bytes) {
            Some(owner) if owner != self.id && owner.0 < self.config.shards => {
                if self.strangers.len() >= STRANGERS {
                    self.strangers.clear();
                }
                self.strangers.insert(from, owner);
                self.hand_over(owner, packet);
            }
            Some(_) => {
                self.strangers.remove(&from);
                self.deliver(now, packet);
            }
            None => match self.strangers.get(&from) {
                Some(&owner) => self.hand_over(owner, packet),
                None => self.deliver(now, packet),
            },
        }
    }

    fn hand_over(&mut self, to: ShardId, packet: Received<'_>) {
        let Received { transport, source, destination, bytes } = packet;
        let body = Body::Datagram { transport, source, destination, bytes: Bytes::copy_from_slice(bytes) };
        self.outputs.push_back(Output::Forward { to, packet: Forwarded { body } });
    }

    fn deliver(&mut self, now: Instant, packet: Received<'_>) {
        let _ = (now, packet);
        self.unclaimed += 1;
    }

    /// Takes what another shard sent.
    pub fn forwarded(&mut self, now: Instant, packet: Forwarded) {
        match packet.body {
            Body::Datagram { transport, source, destination, bytes } => {
                self.deliver(now, Received { transport, source, destination, bytes: &bytes });
            }
        }
    }

    /// Does what is due, and drains the sessions to which something came since the last tick.
    pub fn tick(&mut self, now: Instant) {
        let _ = now;
    }

    /// When [`tick`](Self::tick) is due next without anything coming in.
    pub fn deadline(&self) -> Option<Instant> {
        None
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }
}
