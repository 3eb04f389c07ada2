//! Sockets, threads and clocks of the conference engine: what strangers can reach, and the tasks behind it.
//!
//! It decides nothing about rooms and looks into no media. The engine's only clock is read here and in media threads.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::Router;
use edge::Proxies;
use livekit_protocol::IceServer;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::config::{Admission, EngineConfig};
use crate::contract::Now;
use crate::driver::{Driver, Figures};
use crate::media::{MediaConfig, Place};
use crate::metrics::Sample;
use crate::room::Rooms;
use crate::token::Keys;

mod http;
mod knock;
mod rate;
mod relay;
mod serve;
mod socket;
mod task;
mod twirp;
mod watching;
mod webhook;

use rate::Rate;
pub use relay::{CoturnConfig, Credentials, LIFE as RELAY_LIFE, Relay};
pub use serve::{ServeError, serve};
use task::{Ask, RoomsHandle, Task};
use webhook::{Counts, Webhooks};

/// The most bytes of a call's body; metadata is at most 64,000 bytes.
const MAX_BODY: usize = 1 << 20;
/// Reports of media threads that wait for rooms; then threads keep them.
const REPORTS: usize = 8192;
/// How long clients have to go when the engine drains.
const DRAIN: Duration = Duration::from_secs(5);

/// The moment.
pub(crate) fn now() -> Now {
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Now { instant: Instant::now(), unix_ms: u64::try_from(unix.as_millis()).unwrap_or(u64::MAX) }
}

/// How many are inside.
#[derive(Debug, Default)]
pub(crate) struct Gauge(AtomicUsize);

/// One that is inside until this is dropped.
pub(crate) struct Inside<'a>(&'a Gauge);

impl Gauge {
    pub(crate) fn enter(&self) -> Inside<'_> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Inside(self)
    }

    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What every request sees.
pub(crate) struct Inner {
    keys: Arc<Keys>,
    rooms: RoomsHandle,
    joins: Rate,
    refusals: Rate,
    proxies: Proxies,
    admission: Option<Admission>,
    relay: Option<Relay>,
    stun: Vec<String>,
    open: Gauge,
    slow: Arc<AtomicU64>,
    webhooks: Arc<Counts>,
    threads: Vec<Arc<Figures>>,
    broken: watch::Receiver<bool>,
    started: Instant,
}

impl Inner {
    /// What a client that joins now is told of STUN and TURN.
    fn ice_servers(&self) -> Vec<IceServer> {
        let stun =
            (!self.stun.is_empty()).then(|| IceServer { urls: self.stun.clone(), ..IceServer::default() });
        let name = || format!("{:016x}", rand::random::<u64>());
        let turn = self.relay.as_ref().map(|relay| relay.server(&name(), now().unix_ms / 1000));
        stun.into_iter().chain(turn).collect()
    }

    /// Everything that is counted, now.
    async fn sample(&self) -> Result<Sample, task::Ended> {
        Ok(Sample {
            report: self.rooms.ask(|reply| Ask::Report { reply }).await?,
            threads: self.threads.clone(),
            sockets: self.open.get(),
            slow: self.slow.load(Ordering::Relaxed),
            webhooks: [&self.webhooks.delivered, &self.webhooks.failed, &self.webhooks.dropped]
                .map(|count| count.load(Ordering::Relaxed)),
            uptime: self.started.elapsed(),
        })
    }
}

/// A running engine. Dropping it ends it at once; [`Engine::stop`] lets clients go elsewhere first.
pub struct Engine {
    inner: Arc<Inner>,
    task: JoinHandle<()>,
    driver: Driver,
}

impl Engine {
    /// Binds the media sockets and starts threads and tasks; inside a tokio runtime.
    ///
    /// # Errors
    /// A media address cannot be bound, or none can be told to clients.
    pub fn start(config: EngineConfig) -> io::Result<Self> {
        let (reporter, reports) = mpsc::channel(REPORTS);
        let last_n = config.last_n;
        let driver = Driver::start(&config.media, &reporter, |media| MediaConfig { last_n, ..media })?;
        let keys = Arc::new(config.keys);
        let (slow, webhooks) = <(Arc<AtomicU64>, Arc<Counts>)>::default();
        let shards = u8::try_from(driver.threads.len()).unwrap_or(u8::MAX);
        let task = Task {
            token_life: config.rooms.token_life.as_secs(),
            rooms: Rooms::new(config.rooms, shards, rand::random()),
            threads: driver.threads.clone(),
            reports,
            keys: keys.clone(),
            webhooks: Webhooks::start(&config.webhooks, &keys, webhooks.clone()),
            slow: slow.clone(),
        };
        let (rooms, task) = task.start();
        let inner = Arc::new(Inner {
            keys,
            rooms,
            joins: Rate::new(config.limits.joins_per_second),
            refusals: Rate::new(config.limits.refusals_per_second),
            proxies: config.limits.proxies,
            admission: config.admission,
            relay: config.relay,
            stun: config.stun,
            open: Gauge::default(),
            slow,
            webhooks,
            threads: driver.figures(),
            broken: driver.broken.clone(),
            started: Instant::now(),
        });
        Ok(Self { inner, task, driver })
    }

    /// Who is believed to say for whom it asks.
    pub(crate) fn proxies(&self) -> Proxies {
        self.inner.proxies.clone()
    }

    /// Where media can be reached.
    pub fn places(&self) -> &[Place] {
        &self.driver.places
    }

    /// `/rtc`, `/rtc/v1`, their `/validate`, and `/twirp/livekit.RoomService/...`: to be merged or nested into a larger router.
    /// Requests should carry [`edge::Source`], or `ConnectInfo<SocketAddr>` to find it by; without either nobody is limited in how
    /// often they ask.
    pub fn router(&self) -> Router {
        http::router(self.inner.clone())
    }

    /// [`Engine::router`], and `GET /`, `/metrics` and `/meet/report`: a server that stands alone.
    pub fn alone(&self) -> Router {
        self.router().merge(watching::router(self.inner.clone())).fallback(http::nothing_here)
    }

    /// Resolves when the engine broke: a media thread or the rooms' task ended by itself.
    pub async fn broken(&self) {
        let mut broken = self.inner.broken.clone();
        let rooms = self.inner.rooms.clone();
        tokio::select! {
            _ = broken.wait_for(|broken| *broken) => {}
            () = rooms.ended() => {}
        }
    }

    /// Asks every client to begin anew, and waits for them to go, five seconds at most.
    pub async fn stop(self) {
        if self.inner.rooms.say(Ask::Drain).await.is_ok() {
            let gone = async {
                while self.inner.open.get() > 0 {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            };
            let _ = tokio::time::timeout(DRAIN, gone).await;
        }
        tracing::info!(left = self.inner.open.get(), "the conference engine has drained");
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.task.abort();
    }
}
