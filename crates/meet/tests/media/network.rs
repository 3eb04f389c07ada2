//! A network under one seed: delay, jitter that reorders, loss, and a bottleneck with a queue, for each way of each client.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use meet::media::Transport;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// One way between a client and the engine.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    pub delay: Duration,
    pub jitter: Duration,
    /// Of 1,000 packets.
    pub loss: u32,
    /// Bits per second.
    pub bandwidth: Option<u64>,
    pub free: Option<Instant>,
}

/// What a bottleneck holds before it drops.
const QUEUE: Duration = Duration::from_millis(300);

impl Link {
    pub const GOOD: Self = Self {
        delay: Duration::from_millis(10),
        jitter: Duration::ZERO,
        loss: 0,
        bandwidth: None,
        free: None,
    };
}

/// A packet on its way.
#[derive(Debug, PartialEq, Eq)]
pub struct Flight {
    pub transport: Transport,
    pub source: SocketAddr,
    pub destination: SocketAddr,
    pub bytes: Vec<u8>,
}

pub struct Network {
    random: StdRng,
    flights: BinaryHeap<Reverse<(Instant, u64, usize)>>,
    held: Vec<Option<Flight>>,
    count: u64,
}

impl Network {
    pub fn new(seed: u64) -> Self {
        Self { random: StdRng::seed_from_u64(seed), flights: BinaryHeap::new(), held: Vec::new(), count: 0 }
    }

    pub fn send(&mut self, now: Instant, link: &mut Link, flight: Flight) {
        if self.random.random_range(0..1_000) < link.loss {
            return;
        }
        let mut at = now;
        if let Some(bandwidth) = link.bandwidth {
            let from = link.free.unwrap_or(now).max(now);
            if from.duration_since(now) > QUEUE {
                return;
            }
            let takes =
                Duration::from_nanos((flight.bytes.len() as u64 + 28) * 8 * 1_000_000_000 / bandwidth);
            at = from + takes;
            link.free = Some(at);
        }
        let jitter = u64::try_from(link.jitter.as_micros()).unwrap();
        at += link.delay + Duration::from_micros(self.random.random_range(0..=jitter));
        self.count += 1;
        self.flights.push(Reverse((at, self.count, self.held.len())));
        self.held.push(Some(flight));
    }

    pub fn next(&self) -> Option<Instant> {
        self.flights.peek().map(|Reverse((at, ..))| *at)
    }

    pub fn arrived(&mut self, now: Instant) -> Option<Flight> {
        if self.next()? > now {
            return None;
        }
        let Reverse((_, _, place)) = self.flights.pop()?;
        self.held[place].take()
    }
}
