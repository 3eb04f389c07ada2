//! The engine as a server of its own: one HTTP port, until it is told to stop.
//!
//! Connections that say nothing end after seconds, and all of them together cannot take more than their share.

use std::future::Future;
use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;

use super::Engine;
use crate::config::EngineConfig;

/// Why the server does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address.
    #[error("cannot listen on {address}: {why}; is another program there?")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        why: io::Error,
    },
    /// Media sockets.
    #[error("media: {0}")]
    Media(io::Error),
    /// A thread of the engine ended by itself.
    #[error("the conference engine broke; the log says why")]
    Broken,
}

impl ServeError {
    /// Lower-case words joined by hyphens; stable.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Listen { .. } => "meet-listen",
            Self::Media(_) => "meet-media-socket",
            Self::Broken => "meet-broken",
        }
    }

    /// Named arguments of the sentence.
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Listen { address, why } => {
                vec![("address", address.to_string()), ("reason", why.to_string())]
            }
            Self::Media(why) => vec![("reason", why.to_string())],
            Self::Broken => Vec::new(),
        }
    }
}

/// Serves on `bind` until `stop` resolves; then clients are asked to begin anew elsewhere.
///
/// # Errors
/// See [`ServeError`].
pub async fn serve(
    config: EngineConfig,
    bind: SocketAddr,
    stop: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let listener = TcpListener::bind(bind).await.map_err(|why| ServeError::Listen { address: bind, why })?;
    let engine = Engine::start(config).map_err(ServeError::Media)?;
    for place in engine.places() {
        tracing::info!(transport = ?place.transport, local = %place.local, public = %place.public, "media");
    }
    tracing::info!(address = %bind, threads = engine.driver.threads.len(), "the conference engine serves");
    let router = engine.alone();
    let limits = edge::Limits::for_files(edge::raise_files());
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let proxies = engine.proxies();
    // Nobody new, while those who are here are asked to go.
    let serving = edge::serve(listener, router, &proxies, limits, async { drop(ended.await) });
    let ending = async {
        let ended = tokio::select! {
            () = engine.broken() => Err(ServeError::Broken),
            () = stop => Ok(()),
        };
        let _ = end.send(());
        engine.stop().await;
        ended
    };
    tokio::join!(serving, ending).1
}
