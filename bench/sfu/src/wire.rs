//! The one thread that moves packets: all peer connections of all clients, their sockets and timers.
//!
//! Others ask it to do something with a peer connection, and wait. It never blocks on anything but its sockets.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::IoSliceMut;
use std::net::IpAddr;
use std::sync::mpsc;
use std::time::{Duration, Instant, SystemTime};

use quinn_udp::{RecvMeta, UdpSockRef};
use rustix::event::epoll;
use tokio::sync::{mpsc::UnboundedReceiver, mpsc::unbounded_channel, oneshot};

use crate::Failure;
use crate::leg::{Happened, Leg};
use crate::tally::{Fault, Tally};

/// Buffers of one call to the kernel.
const BUFFERS: usize = 16;
/// The longest wait: what is asked of the thread is looked at as often.
const WAIT: Duration = Duration::from_millis(1);

/// Numbers peer connections; none is used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LegId(usize);

type Job = Box<dyn FnOnce(&mut Legs) + Send>;

/// The way to the thread.
#[derive(Clone, Debug)]
pub struct Wire {
    jobs: mpsc::Sender<Job>,
}

/// What the thread owns.
#[derive(Debug)]
pub struct Legs {
    address: IpAddr,
    numbered: Vec<Option<Box<Leg>>>,
    timers: BinaryHeap<Reverse<(Instant, LegId)>>,
    epoll: rustix::fd::OwnedFd,
    /// Counted since it was taken last.
    pub tally: Tally,
}

impl Wire {
    /// Starts the thread; `core` is the one that it stays on, `address` the one that sockets are bound to. It ends when the last `Wire`
    /// is dropped.
    pub fn start(core: Option<usize>, address: IpAddr) -> Result<Self, Failure> {
        let (jobs, asked) = mpsc::channel();
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let legs =
            Legs { address, numbered: Vec::new(), timers: BinaryHeap::new(), epoll, tally: Tally::default() };
        std::thread::Builder::new().name("wire".to_owned()).spawn(move || {
            if let Some(core) = core
                && let Err(error) = crate::cores::stay_on(core)
            {
                eprintln!("sfu-bench: the thread cannot be tied to core {core}: {error}");
            }
            run(legs, &asked);
        })?;
        Ok(Self { jobs })
    }

    /// Does something on the thread.
    pub async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Legs) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |legs| {
            let _ = answer.send(work(legs));
        });
        self.jobs.send(job).map_err(|_| "the wire has ended")?;
        Ok(answered.await?)
    }

    /// Opens a peer connection.
    pub async fn open(&self) -> Result<(LegId, UnboundedReceiver<Happened>), Failure> {
        let (tell, told) = unbounded_channel();
        let leg = self.ask(move |legs| legs.open(tell)).await??;
        Ok((leg, told))
    }

    /// Does something with a peer connection.
    pub async fn with<T: Send + 'static>(
        &self,
        leg: LegId,
        work: impl FnOnce(&mut Leg, &mut Tally) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        self.ask(move |legs| legs.with(leg, work)).await?
    }

    /// Lets a peer connection read headers only; see [`Leg::light`].
    pub async fn lighten(&self, leg: LegId, light: bool) -> Result<(), Failure> {
        self.with(leg, move |leg, _| {
            leg.light = light;
            Ok(())
        })
        .await
    }

    /// Ends one.
    pub async fn close(&self, leg: LegId) -> Result<(), Failure> {
        self.ask(move |legs| legs.close(leg)).await
    }
}

impl Legs {
    fn open(&mut self, tell: tokio::sync::mpsc::UnboundedSender<Happened>) -> Result<LegId, Failure> {
        let leg = Box::new(Leg::open(self.address, tell, Instant::now())?);
        let id = LegId(self.numbered.len());
        epoll::add(&self.epoll, &leg.socket, epoll::EventData::new_u64(id.0 as u64), epoll::EventFlags::IN)?;
        self.numbered.push(Some(leg));
        self.schedule(id);
        Ok(id)
    }

    fn with<T>(
        &mut self,
        id: LegId,
        work: impl FnOnce(&mut Leg, &mut Tally) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let leg =
            self.numbered.get_mut(id.0).and_then(Option::as_mut).ok_or("the peer connection has ended")?;
        let done = work(leg, &mut self.tally);
        leg.changed(Instant::now());
        self.schedule(id);
        done
    }

    /// The peer connection, if it has not ended.
    pub fn get(&self, id: LegId) -> Option<&Leg> {
        self.numbered.get(id.0)?.as_deref()
    }

    fn close(&mut self, id: LegId) {
        if let Some(slot) = self.numbered.get_mut(id.0) {
            // The kernel forgets the socket with its last descriptor.
            *slot = None;
        }
    }

    fn schedule(&mut self, id: LegId) {
        let Some(leg) = self.numbered.get_mut(id.0).and_then(Option::as_mut) else { return };
        if leg.scheduled.is_none_or(|scheduled| leg.next < scheduled) {
            leg.scheduled = Some(leg.next);
            self.timers.push(Reverse((leg.next, id)));
        }
    }

    /// Does something with a leg that may fail: then the leg is gone, and that is counted.
    fn attempt(&mut self, id: LegId, work: impl FnOnce(&mut Leg, &mut Tally) -> Result<(), Failure>) {
        let Some(leg) = self.numbered.get_mut(id.0).and_then(Option::as_mut) else { return };
        if let Err(error) = work(leg, &mut self.tally) {
            self.tally.fault(Fault::Dropped, || format!("{leg:?}: {error}"));
            self.close(id);
        }
        self.schedule(id);
    }

    fn fire(&mut self, now: Instant) {
        while let Some(&Reverse((at, id))) = self.timers.peek()
            && at <= now
        {
            self.timers.pop();
            let Some(leg) = self.numbered.get_mut(id.0).and_then(Option::as_mut) else { continue };
            if leg.scheduled != Some(at) {
                continue;
            }
            leg.scheduled = None;
            if leg.next <= now {
                self.attempt(id, |leg, tally| leg.tick(now, tally));
            } else {
                self.schedule(id);
            }
        }
    }

    /// How long until a timer is due; at least nothing, at most [`WAIT`].
    fn wait(&self) -> Duration {
        let due = self.timers.peek().map(|Reverse((at, _))| at.saturating_duration_since(Instant::now()));
        due.map_or(WAIT, |due| due.min(WAIT))
    }
}

fn run(mut legs: Legs, asked: &mpsc::Receiver<Job>) {
    let mut buffers: Vec<Vec<u8>> = (0..BUFFERS).map(|_| vec![0; 1 << 16]).collect();
    let mut ready = Vec::with_capacity(256);
    loop {
        loop {
            match asked.try_recv() {
                Ok(job) => job(&mut legs),
                Err(mpsc::TryRecvError::Empty) => break,
                Err(mpsc::TryRecvError::Disconnected) => return,
            }
        }
        legs.fire(Instant::now());
        let wait = legs.wait();
        let timeout = rustix::event::Timespec { tv_sec: 0, tv_nsec: wait.subsec_nanos().into() };
        ready.clear();
        if epoll::wait(&legs.epoll, rustix::buffer::spare_capacity(&mut ready), Some(&timeout)).is_err() {
            continue;
        }
        for event in &ready {
            let id = LegId(usize::try_from(event.data.u64()).unwrap_or(usize::MAX));
            legs.attempt(id, |leg, tally| receive(leg, &mut buffers, tally));
        }
    }
}

fn receive(leg: &mut Leg, buffers: &mut [Vec<u8>], tally: &mut Tally) -> Result<(), Failure> {
    let mut meta = [RecvMeta::default(); BUFFERS];
    let mut slices: Vec<IoSliceMut<'_>> = buffers.iter_mut().map(|buffer| IoSliceMut::new(buffer)).collect();
    let many = match leg.state.recv(UdpSockRef::from(&leg.socket), &mut slices, &mut meta) {
        Ok(many) => many,
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(()),
        // An ICMP answer to something that was sent to a server that has ended.
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let now = Instant::now();
    for (meta, buffer) in meta.iter().zip(buffers.iter()).take(many) {
        let arrived = meta
            .timestamp
            .unwrap_or_else(|| SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default());
        let arrived = u64::try_from(arrived.as_micros()).unwrap_or_default();
        let bytes = buffer.get(..meta.len).unwrap_or_default();
        for datagram in bytes.chunks(meta.stride.max(1)) {
            leg.receive(meta.addr, datagram, now, arrived, tally)?;
        }
    }
    Ok(())
}
