//! `concord serve`: opens the node, starts the exchange, answers until it is told to stop.
//!
//! Stopping loses nothing: requests under way finish, what is appended is on disk before it is answered.

use std::sync::Arc;
use std::time::{Duration, Instant};

use meet::service::Engine;

use crate::config::Config;
use crate::desks::meetings::carrier::CarrierError;
use crate::desks::meetings::{Carrier, departures};
use crate::fault::Coded;
use crate::node::{Node, OpenError};
use crate::{clock, control, erasure, exchange, http, identity, leading, session};

/// How often old links and sessions are removed.
const SWEEP: Duration = Duration::from_mins(10);

/// Why the server does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The node.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Root keys.
    #[error(transparent)]
    Identity(#[from] identity::IdentityError),
    /// The address.
    #[error("cannot listen on {address}: {why}; is another program there?")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// What the system said.
        why: std::io::Error,
    },
    /// The engine of meetings.
    #[error(transparent)]
    Carrier(#[from] CarrierError),
    /// Sockets.
    #[error("the server broke off: {0}")]
    Io(#[from] std::io::Error),
}

impl Coded for ServeError {
    fn code(&self) -> &str {
        match self {
            Self::Open(error) => error.code(),
            Self::Identity(error) => error.code(),
            Self::Carrier(error) => error.code(),
            Self::Listen { .. } => "serve-listen",
            Self::Io(_) => "serve-broke-off",
        }
    }

    fn arguments(&self) -> Vec<(&str, String)> {
        match self {
            Self::Open(error) => error.arguments(),
            Self::Identity(error) => error.arguments(),
            Self::Carrier(error) => error.arguments(),
            Self::Listen { address, why } => {
                vec![("address", address.to_string()), ("reason", why.to_string())]
            }
            Self::Io(why) => vec![("reason", why.to_string())],
        }
    }
}

/// How long a server waits for its folder.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(20);

/// Serves until `stop` says so.
///
/// # Errors
/// See [`ServeError`].
pub async fn serve(config: Config, stop: tokio::sync::watch::Receiver<bool>) -> Result<(), ServeError> {
    if !config.exchange.root_keys_inside {
        identity::refuse_root_keys(&config.folder)?;
    }
    identity::refuse_writable(&config.folder)?;
    identity::refuse_exposed(&config.folder)?;
    let address = config.listen;
    let node = Arc::new(open_when_free(config).await?);
    if node.lease.is_none() {
        node.take_lead(Some(leading::PATIENCE)).await?;
    }
    if let Err(error) = node.uploads.clear() {
        tracing::warn!(%error, "tables that were uploaded to an earlier process could not be removed");
    }
    let engine = Carrier::open(&node)?.and_then(|opened| {
        // This is the one place that sets it.
        let _ = node.carrier.set(opened.carrier);
        opened.engine
    });
    let listener =
        tokio::net::TcpListener::bind(address).await.map_err(|why| ServeError::Listen { address, why })?;
    tracing::info!(%address, authority = %node.config.authority, url = node.config.public_url, "serving");
    // One end for everything: told to stop, or the lead is lost.
    let (end, ended) = tokio::sync::watch::channel(false);
    let work = tokio::spawn(work(node.clone(), stop, end));
    let (ending, until_end) = (node.clone(), ended.clone());
    let control = tokio::spawn(control::serve(node.clone(), stopped(ended)));
    let meetings = engine.as_ref().map(Engine::router);
    let serving = http::serve(&node, listener, meetings, async move {
        stopped(until_end).await;
        ending.stopping.send_replace(true);
    });
    while_watching(engine.as_ref(), serving).await;
    tracing::info!("stopping: requests under way have finished");
    if let Some(engine) = engine {
        engine.stop().await;
    }
    let _ = control.await;
    let worked = work.await;
    node.close().await;
    worked.map_err(|error| ServeError::Io(std::io::Error::other(error)))?
}

/// Opens the node. Commands have its folder for a moment each: who is started beside them waits for its turn, but not for
/// another server.
async fn open_when_free(config: Config) -> Result<Node, OpenError> {
    let (socket, until) = (config.socket_path(), Instant::now() + PATIENCE);
    loop {
        let opened = Node::open_unled(config.clone()).await;
        let is_held = matches!(opened, Err(OpenError::Lock(store::LockError::Held { .. })));
        let is_served = || tokio::net::UnixStream::connect(&socket);
        if !is_held || Instant::now() >= until || is_served().await.is_ok() {
            return opened;
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Serves on when the engine of meetings broke: meetings end, everything else does not.
async fn while_watching<T>(engine: Option<&Engine>, serving: impl Future<Output = T>) -> T {
    let Some(engine) = engine else { return serving.await };
    tokio::pin!(serving);
    tokio::select! {
        served = &mut serving => return served,
        () = engine.broken() => tracing::error!("the conference engine broke: there are no meetings until this server is started again"),
    }
    serving.await
}

/// What a server does besides answering: it waits for the lead, and then runs the exchange and the sweeps until
/// it is told to stop. However that ends, `end` ends everything.
async fn work(
    node: Arc<Node>,
    stop: tokio::sync::watch::Receiver<bool>,
    end: tokio::sync::watch::Sender<bool>,
) -> Result<(), ServeError> {
    let mut eraser = None;
    let result = lead(&node, stop, &mut eraser).await;
    if let Err(error) = &result {
        tracing::error!(%error, "this server ends");
    }
    end.send_replace(true);
    if let Some(eraser) = eraser {
        // What it began it finishes: a release is not broken off.
        let _ = eraser.await;
    }
    result
}

async fn lead(
    node: &Arc<Node>,
    stop: tokio::sync::watch::Receiver<bool>,
    eraser: &mut Option<tokio::task::JoinHandle<()>>,
) -> Result<(), ServeError> {
    if node.lease.is_some() {
        leading::stand_by(node, stop.clone()).await?;
        if *stop.borrow() {
            return Ok(());
        }
    }
    let callers = exchange::Callers::open(&*node.cells, leading::now(), node.lease.is_some());
    let callers = callers.await.map_err(OpenError::from)?;
    // A server leads once.
    let _ = node.callers.set(callers);
    exchange::run_here(node).await?;
    *eraser = Some(tokio::spawn(erasure::run(node.clone(), node.stopping.subscribe())));
    tokio::spawn(go_on_from_revoked(node.clone()));
    tokio::spawn(crate::damaged::mend(node.clone()));
    tokio::spawn(crate::missing::watch(node.clone()));
    tokio::select! {
        () = sweep(node.clone()) => Ok(()),
        () = departures::watch(node.clone()) => Ok(()),
        () = crate::unread::run(node.clone(), node.stopping.subscribe()) => Ok(()),
        error = leading::keep_lead(node) => Err(OpenError::from(error).into()),
        () = stopped(stop) => Ok(()),
    }
}

/// Opens what goes on from logs whose keys are revoked, if the publication of the root was broken off before that.
async fn go_on_from_revoked(node: Arc<Node>) {
    const LATER: &str =
        "what goes on from a log whose key is revoked is opened with its audience's next record";
    match node.succeed_revoked().await {
        Ok(successors) => {
            for (origin, error) in successors.waiting {
                tracing::warn!(%error, %origin, "{LATER}");
            }
        }
        Err(error) => tracing::warn!(%error, "{LATER}"),
    }
}

async fn stopped(mut stop: tokio::sync::watch::Receiver<bool>) {
    // A sender that is gone is a stop too.
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn sweep(node: Arc<Node>) {
    let mut interval = tokio::time::interval(SWEEP);
    loop {
        interval.tick().await;
        if let Err(error) = session::sweep(&*node.cells, clock::seconds()).await {
            tracing::warn!(%error, "old sessions could not be removed");
        }
        if let Err(error) = crate::release::sweep_kept(&*node.cells, clock::now()).await {
            tracing::warn!(%error, "acts of long ago could not be forgotten");
        }
        if let Err(error) = node.uploads.sweep(clock::seconds()) {
            tracing::warn!(%error, "old uploads could not be removed");
        }
    }
}

/// Becomes true at SIGTERM or Ctrl-C.
pub fn stop_on_signal() -> tokio::sync::watch::Receiver<bool> {
    let (sender, receiver) = tokio::sync::watch::channel(false);
    tokio::spawn(async move {
        let mut terminate = match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(signal) => signal,
            Err(error) => {
                tracing::error!(%error, "signals cannot be received");
                return;
            }
        };
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        let _ = sender.send(true);
    });
    receiver
}
