//! The engine as a server of its own: one HTTP port, until it is told to stop.
//!
//! Connections that say nothing end after seconds, and all of them together cannot take more than their share.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower::{ServiceBuilder, ServiceExt as _};

use super::Engine;
use crate::config::EngineConfig;

/// How long the head of a request may take.
const HEAD: Duration = Duration::from_secs(5);
/// The most bytes of it: an address of 64 KiB with a join request, and headers.
const HEAD_BYTES: usize = 128 * 1024;
/// Connections at the same time.
const CONNECTIONS: usize = 16_384;

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
    let ended = tokio::select! {
        () = accept(&listener, router) => Ok(()),
        () = engine.broken() => Err(ServeError::Broken),
        () = stop => Ok(()),
    };
    // Nobody new, while those who are here are asked to go.
    drop(listener);
    engine.stop().await;
    ended
}

async fn accept(listener: &TcpListener, router: Router) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        // Beyond the limit a connection is closed at once, so that a client learns it.
        let Ok(place) = places.clone().try_acquire_owned() else { continue };
        let router = router.clone();
        tokio::spawn(async move {
            connection(stream, peer, router).await;
            drop(place);
        });
    }
}

async fn connection(stream: TcpStream, peer: SocketAddr, router: Router) {
    let _ = stream.set_nodelay(true);
    let service = ServiceBuilder::new()
        .map_request(move |mut request: Request<_>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            request
        })
        .service(router)
        .boxed_clone();
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
        .with_upgrades()
        .await;
    if let Err(error) = served {
        tracing::debug!(%peer, %error, "a connection ended");
    }
}
