//! Media threads with their sockets: one operating-system thread per shard, each with UDP sockets of its own on the shared port
//! (`SO_REUSEPORT`), and TCP connections that a door-keeper hands to them.
//!
//! A packet that the kernel gives to another thread than its session's is passed on by a bounded queue. It never looks into
//! media and decides nothing: shards do.

use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use mio::{Poll, Waker};
use tokio::sync::{mpsc, watch};

use crate::contract::{Event, Order, ShardId};
use crate::media::{Forwarded, MediaConfig, Place, Shard};

mod accept;
mod figures;
mod framing;
mod places;
mod tcp;
mod thread;
mod udp;

pub use figures::{Count, Figures};
pub use places::Addresses;
use tcp::Arrival;
use thread::Thread;

/// Shards are told apart by one letter of 64.
pub const MAX_THREADS: usize = 64;
/// Orders that wait for one thread; then rooms wait.
const ORDERS: usize = 8192;
/// Packets that wait for one thread from each other.
const FORWARDED: usize = 16_384;
/// TCP connections that wait to be taken over.
const ARRIVALS: usize = 256;

/// How media threads run.
#[derive(Clone, Debug)]
pub struct DriverConfig {
    /// Where media can be reached.
    pub addresses: Addresses,
    /// How many threads; 0 for one less than this machine has cores, and at least one.
    pub threads: usize,
    /// Whether each thread keeps to one core.
    pub pinned: bool,
}

/// Wakes a thread from its wait; ringing twice costs once.
pub(crate) struct Bell {
    waker: Waker,
    rung: AtomicBool,
    stop: AtomicBool,
}

impl Bell {
    fn ring(&self) {
        if !self.rung.swap(true, Ordering::AcqRel)
            && let Err(error) = self.waker.wake()
        {
            tracing::error!(%error, "a media thread cannot be woken");
        }
    }

    fn heard(&self) {
        self.rung.store(false, Ordering::Release);
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// The way to another thread.
pub(crate) struct Neighbour {
    queue: SyncSender<Forwarded>,
    bell: Arc<Bell>,
}

/// The way to one media thread.
pub(crate) struct Handle {
    orders: mpsc::Sender<Order>,
    arrivals: SyncSender<Arrival>,
    bell: Arc<Bell>,
    figures: Arc<Figures>,
}

impl Handle {
    /// Gives an order; waits while the thread has too many.
    pub(crate) async fn order(&self, order: Order) {
        // A thread that is gone has ended the engine already.
        let _ = self.orders.send(order).await;
        self.bell.ring();
    }

    fn adopt(&self, arrival: Arrival) {
        if self.arrivals.try_send(arrival).is_ok() {
            self.bell.ring();
        }
    }
}

/// All media threads. They end when this is dropped.
pub(crate) struct Driver {
    pub(crate) threads: Arc<[Handle]>,
    pub(crate) places: Arc<[Place]>,
    joins: Vec<JoinHandle<()>>,
    acceptors: Vec<tokio::task::JoinHandle<()>>,
    /// Becomes true when a thread ended that was not told to.
    pub(crate) broken: watch::Receiver<bool>,
}

impl Driver {
    /// Binds the sockets and starts the threads; must be called inside a tokio runtime. `tune` completes the configuration.
    pub(crate) fn start(
        config: &DriverConfig,
        reports: &mpsc::Sender<(ShardId, Event)>,
        tune: impl FnOnce(MediaConfig) -> MediaConfig,
    ) -> io::Result<Self> {
        let places: Arc<[Place]> = config.addresses.places()?.into();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let count = if config.threads == 0 { cores.saturating_sub(1) } else { config.threads };
        let count = count.clamp(1, MAX_THREADS);
        let shards = u8::try_from(count).unwrap_or(1);
        let media = MediaConfig { shards, ..tune(MediaConfig::at(places.to_vec())) };
        let listeners = listeners(&config.addresses.tcp)?;
        let (broke, broken) = watch::channel(false);

        let mut made = Vec::new();
        for id in (0..shards).map(ShardId) {
            made.push(Made::new(id, &config.addresses.udp, count > 1)?);
        }
        let threads: Arc<[Handle]> = made.iter().map(Made::handle).collect();
        let neighbours = || -> Vec<Neighbour> { made.iter().map(Made::neighbour).collect() };
        let all: Vec<_> = made.iter().map(|_| neighbours()).collect();
        let mut joins = Vec::new();
        for (made, neighbours) in made.into_iter().zip(all) {
            let core = config.pinned.then_some(usize::from(made.id.0) % cores);
            let thread = made.thread(&media, neighbours, reports.clone(), places.clone());
            joins.push(spawn(thread, core, broke.clone())?);
        }
        let shares = accept::Shares::new(count, edge::raise_files());
        let accept = |listener| {
            tokio::spawn(accept::accept(listener, places.clone(), threads.clone(), shares.clone()))
        };
        let acceptors = listeners.into_iter().map(accept).collect();
        Ok(Self { threads, places, joins, acceptors, broken })
    }

    /// What each thread counted.
    pub(crate) fn figures(&self) -> Vec<Arc<Figures>> {
        self.threads.iter().map(|thread| thread.figures.clone()).collect()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.acceptors.iter().for_each(tokio::task::JoinHandle::abort);
        for thread in self.threads.iter() {
            thread.bell.stop.store(true, Ordering::Relaxed);
            thread.bell.ring();
        }
        for join in self.joins.drain(..) {
            // It was caught inside.
            let _ = join.join();
        }
    }
}

fn listeners(addresses: &[SocketAddr]) -> io::Result<Vec<tokio::net::TcpListener>> {
    let listen = |address: &SocketAddr| {
        let socket =
            socket2::Socket::new(socket2::Domain::for_address(*address), socket2::Type::STREAM, None)?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&(*address).into())?;
        socket.listen(1024)?;
        tokio::net::TcpListener::from_std(socket.into())
    };
    addresses.iter().map(|address| listen(address).map_err(|error| at(*address, "TCP", &error))).collect()
}

/// An error of a socket with its address, because the system does not say it.
fn at(address: SocketAddr, transport: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("media on {transport} {address}: {error}"))
}

/// A thread that was made and not started: the ends of its queues.
struct Made {
    id: ShardId,
    poll: Poll,
    udp: Vec<udp::Udp>,
    handle: (mpsc::Sender<Order>, SyncSender<Arrival>),
    orders: mpsc::Receiver<Order>,
    arrivals: std::sync::mpsc::Receiver<Arrival>,
    queue: SyncSender<Forwarded>,
    forwarded: std::sync::mpsc::Receiver<Forwarded>,
    bell: Arc<Bell>,
    figures: Arc<Figures>,
}

impl Made {
    fn new(id: ShardId, addresses: &[SocketAddr], shared: bool) -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), thread::BELL)?;
        let bell = Arc::new(Bell { waker, rung: AtomicBool::new(false), stop: AtomicBool::new(false) });
        let bind = |address: &SocketAddr| udp::bind(*address, shared).and_then(udp::Udp::new);
        let udp = addresses.iter().map(|address| bind(address).map_err(|error| at(*address, "UDP", &error)));
        let udp = udp.collect::<io::Result<_>>()?;
        let (to_orders, orders) = mpsc::channel(ORDERS);
        let (to_arrivals, arrivals) = sync_channel(ARRIVALS);
        let (queue, forwarded) = sync_channel(FORWARDED);
        let handle = (to_orders, to_arrivals);
        Ok(Self { id, poll, udp, handle, orders, arrivals, queue, forwarded, bell, figures: Arc::default() })
    }

    fn handle(&self) -> Handle {
        let (orders, arrivals) = self.handle.clone();
        Handle { orders, arrivals, bell: self.bell.clone(), figures: self.figures.clone() }
    }

    fn neighbour(&self) -> Neighbour {
        Neighbour { queue: self.queue.clone(), bell: self.bell.clone() }
    }

    fn thread(
        self,
        media: &MediaConfig,
        neighbours: Vec<Neighbour>,
        reports: mpsc::Sender<(ShardId, Event)>,
        places: Arc<[Place]>,
    ) -> Thread {
        let Self { id, poll, udp, orders, arrivals, forwarded, bell, figures, .. } = self;
        let shard = Shard::new(media.clone(), id, rand::random());
        Thread {
            id,
            shard,
            poll,
            bell,
            orders,
            forwarded,
            arrivals,
            neighbours,
            reports,
            udp,
            places,
            figures,
        }
    }
}

fn spawn(thread: Thread, core: Option<usize>, broke: watch::Sender<bool>) -> io::Result<JoinHandle<()>> {
    let name = format!("media-{}", thread.id.0);
    std::thread::Builder::new().name(name.clone()).spawn(move || {
        if let Some(core) = core {
            keep_to(core);
        }
        // Sessions are caught one by one inside; what comes here is a flaw of the thread itself, and ends the engine.
        match catch_unwind(AssertUnwindSafe(|| thread.run())) {
            Ok(Ok(())) => return,
            Ok(Err(error)) => tracing::error!(%error, thread = name, "a media thread ended"),
            Err(_) => tracing::error!(thread = name, "a media thread panicked"),
        }
        broke.send_replace(true);
    })
}

#[cfg(target_os = "linux")]
fn keep_to(core: usize) {
    let mut set = rustix::thread::CpuSet::new();
    set.set(core);
    if let Err(error) = rustix::thread::sched_setaffinity(None, &set) {
        tracing::warn!(%error, core, "a media thread cannot be kept to one core");
    }
}

#[cfg(not(target_os = "linux"))]
fn keep_to(core: usize) {
    tracing::warn!(core, "media threads are kept to cores on Linux only");
}

#[cfg(test)]
mod tests;
