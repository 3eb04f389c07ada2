//! `concord serve`: opens the node, starts the exchange, answers until it is told to stop.
//!
//! Stopping loses nothing: requests under way finish, what is appended is on disk before it is answered.

use std::sync::Arc;
use std::time::Duration;

use crate::config::Config;
use crate::node::{Node, OpenError};
use crate::{clock, control, exchange, http, identity, session};

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
    /// Sockets.
    #[error("the server broke off: {0}")]
    Io(#[from] std::io::Error),
}

/// Serves until `stop` says so.
///
/// # Errors
/// See [`ServeError`].
pub async fn serve(config: Config, stop: tokio::sync::watch::Receiver<bool>) -> Result<(), ServeError> {
    if !config.exchange.root_keys_inside {
        identity::refuse_root_keys(&config.folder)?;
    }
    let address = config.listen;
    let node = Arc::new(Node::open(config).await?);
    let listener =
        tokio::net::TcpListener::bind(address).await.map_err(|why| ServeError::Listen { address, why })?;
    let engine = exchange::run(&node).await?;
    let control = tokio::spawn(control::serve(node.clone(), stopped(stop.clone())));
    let sweeper = tokio::spawn(sweep(node.clone()));
    tracing::info!(%address, authority = %node.config.authority, url = node.config.public_url, "serving");
    let (ending, stop_polls) = (node.clone(), stop.clone());
    let served = http::serve(&node, listener, async move {
        stopped(stop_polls).await;
        ending.stopping.send_replace(true);
    })
    .await;
    tracing::info!("stopping: requests under way have finished");
    sweeper.abort();
    let _ = control.await;
    if let Some(inbox) = node.inbox.get() {
        inbox.send(exchange::Message::Stop);
    }
    let _ = engine.await;
    node.close().await;
    Ok(served?)
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
        if let Err(error) = crate::desks::import::Uploads::of(&node.config.folder).sweep(clock::seconds()) {
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
