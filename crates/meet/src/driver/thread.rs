//! One media thread: waits for sockets, orders and deadlines, and runs its shard on them. No lock, and nothing it waits for but
//! the one `poll`.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token};
use tokio::sync::mpsc;

use super::figures::Figures;
use super::places::arrived;
use super::tcp::{Arrival, Tcp};
use super::udp::{Buffers, Udp};
use super::{Bell, Neighbour};
use crate::contract::{Event, Order, ShardId};
use crate::media::{Forwarded, Output, Place, Received, Shard, Transport};

/// The token of the bell; UDP sockets have those after it.
pub(super) const BELL: Token = Token(0);
/// Looks at the stop flag at least so often.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// Batches of one UDP socket in one round, so that orders and deadlines have their turn.
const BATCHES: usize = 8;
/// Orders, or packets of other threads, in one round.
const ROUND: usize = 1024;
/// Reports that wait for rooms that do not keep up; beyond it those are dropped that the next one replaces.
const UNSENT: usize = 10_000;
/// What waits for another thread that does not keep up.
const OVERFLOW: usize = 65_536;

/// What a thread is made of.
pub(super) struct Thread {
    pub(super) id: ShardId,
    pub(super) shard: Shard,
    pub(super) poll: Poll,
    pub(super) bell: Arc<Bell>,
    pub(super) orders: mpsc::Receiver<Order>,
    pub(super) forwarded: Receiver<Forwarded>,
    pub(super) arrivals: Receiver<Arrival>,
    pub(super) neighbours: Vec<Neighbour>,
    pub(super) reports: mpsc::Sender<(ShardId, Event)>,
    pub(super) udp: Vec<Udp>,
    pub(super) places: Arc<[Place]>,
    pub(super) figures: Arc<Figures>,
}

/// What a round leaves for the next one.
struct Carried {
    tcp: Tcp,
    buffers: Buffers,
    /// By UDP socket: whether there may be more to read.
    unread: Vec<bool>,
    unsent: VecDeque<Event>,
    /// By neighbour.
    overflow: Vec<VecDeque<Forwarded>>,
    /// The queues had more than one round allowed.
    more: bool,
}

impl Thread {
    /// Runs until the bell says stop.
    pub(super) fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        let mut carried = Carried {
            tcp: Tcp::new(Instant::now()),
            buffers: Buffers::new(),
            unread: vec![true; self.udp.len()],
            unsent: VecDeque::new(),
            overflow: self.neighbours.iter().map(|_| VecDeque::new()).collect(),
            more: false,
        };
        for (index, udp) in self.udp.iter_mut().enumerate() {
            self.poll.registry().register(&mut udp.socket, Token(BELL.0 + 1 + index), Interest::READABLE)?;
        }
        while !self.bell.stopped() {
            if let Err(error) = self.poll.poll(&mut events, Some(self.wait(&carried)))
                && error.kind() != io::ErrorKind::Interrupted
            {
                return Err(error);
            }
            let now = Instant::now();
            self.wake(&events, &mut carried);
            self.take_in(now, &mut carried);
            self.shard.tick(now);
            self.give_out(&mut carried);
            self.figures.rounds.add(1);
            self.figures.busy_us.add(u64::try_from(now.elapsed().as_micros()).unwrap_or(u64::MAX));
        }
        Ok(())
    }

    fn wait(&self, carried: &Carried) -> Duration {
        if carried.more || carried.tcp.has_unread() || carried.unread.contains(&true) {
            return Duration::ZERO;
        }
        if !carried.unsent.is_empty() || carried.overflow.iter().any(|queue| !queue.is_empty()) {
            return Duration::from_millis(1);
        }
        let due = self.shard.deadline().map(|due| due.saturating_duration_since(Instant::now()));
        due.unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT)
    }

    fn wake(&mut self, events: &Events, carried: &mut Carried) {
        // Before the queues are read: who rings after that is heard in the next round.
        self.bell.heard();
        for event in events {
            let token = event.token();
            if token == BELL {
                continue;
            }
            match carried.unread.get_mut(token.0 - BELL.0 - 1) {
                Some(unread) => *unread = true,
                None => {
                    carried.tcp.ready(token, event.is_readable() || event.is_read_closed(), &self.figures);
                }
            }
        }
    }

    fn take_in(&mut self, now: Instant, carried: &mut Carried) {
        carried.more =
            self.take_orders(now) | self.take_forwarded(now) | self.take_arrivals(now, &mut carried.tcp);
        let Self { shard, udp, figures, places, .. } = self;
        for (udp, unread) in udp.iter().zip(&mut carried.unread) {
            let each = |source: SocketAddr, ip, bytes: &[u8]| {
                if let Some(destination) = arrived(places, Transport::Udp, ip, udp.v4) {
                    shard.receive(now, Received { transport: Transport::Udp, source, destination, bytes });
                }
            };
            let mut each = each;
            let mut batches = 0;
            while *unread && batches < BATCHES {
                *unread = udp.receive(&mut carried.buffers, figures, &mut each);
                batches += 1;
            }
        }
        carried.tcp.read(now, figures, |source, destination, bytes| {
            shard.receive(now, Received { transport: Transport::Tcp, source, destination, bytes });
        });
    }

    fn take_orders(&mut self, now: Instant) -> bool {
        for _ in 0..ROUND {
            match self.orders.try_recv() {
                Ok(order) => self.shard.order(now, order),
                Err(_) => return false,
            }
        }
        true
    }

    fn take_forwarded(&mut self, now: Instant) -> bool {
        for _ in 0..ROUND {
            match self.forwarded.try_recv() {
                Ok(packet) => self.shard.forwarded(now, packet),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => return false,
            }
        }
        true
    }

    fn take_arrivals(&mut self, now: Instant, tcp: &mut Tcp) -> bool {
        while let Ok(arrival) = self.arrivals.try_recv() {
            // Whoever names nobody takes no place.
            if !self.shard.knows(&arrival.first) {
                self.figures.tcp_drops.add(1);
                continue;
            }
            let (source, destination) = (arrival.peer, arrival.local);
            let first = arrival.first.clone();
            // Before its first packet: the answer needs the connection.
            tcp.adopt(arrival, self.poll.registry(), now, &self.figures);
            self.figures.received(first.len());
            self.shard
                .receive(now, Received { transport: Transport::Tcp, source, destination, bytes: &first });
        }
        false
    }

    fn give_out(&mut self, carried: &mut Carried) {
        while let Some(output) = self.shard.poll() {
            match output {
                Output::Transmit(packet) if packet.transport == Transport::Udp => {
                    let v4 = packet.destination.is_ipv4();
                    if let Some(udp) = self.udp.iter_mut().find(|udp| udp.v4 == v4) {
                        udp.send(packet.source.ip(), packet.destination, &packet.bytes, &self.figures);
                    }
                }
                Output::Transmit(packet) => {
                    carried.tcp.send(packet.destination, &packet.bytes, &self.figures);
                }
                Output::Event(event) => carried.unsent.push_back(event),
                Output::Forward { to, packet } => {
                    if let Some(queue) = carried.overflow.get_mut(usize::from(to.0)) {
                        queue.push_back(packet);
                    }
                }
            }
        }
        for udp in &mut self.udp {
            udp.flush(&self.figures);
        }
        self.report(&mut carried.unsent);
        self.pass_on(&mut carried.overflow);
    }

    fn report(&mut self, unsent: &mut VecDeque<Event>) {
        while !unsent.is_empty() {
            let Ok(place) = self.reports.try_reserve() else { break };
            if let Some(event) = unsent.pop_front() {
                place.send((self.id, event));
            }
        }
        if unsent.len() > UNSENT {
            let before = unsent.len();
            unsent.retain(|event| {
                !matches!(event, Event::Levels { .. } | Event::Health { .. } | Event::Data { .. })
            });
            self.figures.event_drops.add((before - unsent.len()) as u64);
        }
    }

    fn pass_on(&mut self, overflow: &mut [VecDeque<Forwarded>]) {
        for (neighbour, queue) in self.neighbours.iter().zip(overflow) {
            if queue.is_empty() {
                continue;
            }
            let mut passed = 0;
            while let Some(packet) = queue.pop_front() {
                if let Err(back) = neighbour.queue.try_send(packet) {
                    use std::sync::mpsc::TrySendError::{Disconnected, Full};
                    let (Full(packet) | Disconnected(packet)) = back;
                    queue.push_front(packet);
                    break;
                }
                passed += 1;
            }
            self.figures.forwarded.add(passed);
            if passed > 0 {
                neighbour.bell.ring();
            }
            if queue.len() > OVERFLOW {
                self.figures.forward_drops.add((queue.len() - OVERFLOW) as u64);
                queue.drain(..queue.len() - OVERFLOW);
            }
        }
    }
}
