//! A listener: connections beside each other, none of which costs the others more than its place.
//!
//! HTTP/1.1 alone is spoken; a proxy in front may speak more. What is asked is not its subject.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tower::ServiceExt as _;

use crate::paced::{Pace, Paced, Phase};
use crate::places::{Most, Places};
use crate::source::{Block, Proxies};

/// The most bytes of a request's head: an address of 64 KiB with a request to join a meeting, and headers. Whoever sends half of
/// one holds so much memory, for as long as a head may take.
const HEAD_BYTES: usize = 72 * 1024;
/// After a connection could not be accepted: most likely there are no descriptors, and some end soon.
const NOT_ACCEPTED: Duration = Duration::from_millis(100);

/// What connections may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How many there are.
    pub most: Most,
    /// How long the other side may take.
    pub pace: Pace,
    /// How long requests under way may take to their end, once no more are accepted.
    pub ending: Duration,
}

impl Limits {
    /// For a process that may have this many files open: half of them for connections. A quarter is for media by TCP, and the rest is
    /// the process's own: its databases, its files, its operator.
    pub fn for_files(files: usize) -> Self {
        let all = (files / 2).clamp(64, 16_384);
        Self {
            most: Most { all, of_block: 128, around: 512 },
            pace: Pace {
                head: Duration::from_secs(20),
                idle: Duration::from_mins(2),
                stall: Duration::from_secs(30),
                slowest: 4 << 10,
            },
            // An operator waits for it, and the system kills whoever takes long: no stranger's slow body is worth more.
            ending: Duration::from_secs(5),
        }
    }
}

/// Serves until `stop` resolves; then requests under way end, or are ended.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    proxies: &Proxies,
    limits: Limits,
    stop: impl Future<Output = ()>,
) {
    let places = Places::new(limits.most);
    let (closing, closed) = watch::channel(false);
    let mut connections = JoinSet::new();
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            () = &mut stop => break,
        };
        let (stream, from) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(NOT_ACCEPTED).await;
                continue;
            }
        };
        let block = (!proxies.trusts(from.ip())).then(|| Block::of(from.ip()));
        // Beyond its share a connection is closed at once, so that whoever asked learns it.
        let Some(place) = places.enter(block) else { continue };
        let _ = stream.set_nodelay(true);
        connections.spawn(connection(stream, Some(from), place, limits.pace, router.clone(), closed.clone()));
    }
    drop(listener);
    closing.send_replace(true);
    end(connections, limits.ending).await;
}

/// Serves whoever may open a socket of this machine: at most `most` connections at a time. Nobody is turned away: who comes later
/// waits until one of those ends, and none can be idle for longer than its pace allows.
pub async fn serve_here(
    listener: UnixListener,
    router: Router,
    most: usize,
    pace: Pace,
    ending: Duration,
    stop: impl Future<Output = ()>,
) {
    let places = Arc::new(Semaphore::new(most));
    let (closing, closed) = watch::channel(false);
    let mut connections = JoinSet::new();
    tokio::pin!(stop);
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            next = next => next,
            Some(_) = connections.join_next() => continue,
            () = &mut stop => break,
        };
        // It is never closed.
        let Ok(place) = place else { break };
        match accepted {
            Ok((stream, _)) => {
                connections.spawn(connection(stream, None, place, pace, router.clone(), closed.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection of this machine could not be accepted");
                tokio::time::sleep(NOT_ACCEPTED).await;
            }
        }
    }
    drop(listener);
    closing.send_replace(true);
    end(connections, ending).await;
}

async fn end(mut connections: JoinSet<()>, within: Duration) {
    let ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(within, ended).await.is_err() {
        tracing::warn!("requests under way did not end in time, and are broken off");
    }
}

/// One connection; `place` is held as long as it lasts.
async fn connection<S, P>(
    stream: S,
    from: Option<SocketAddr>,
    place: P,
    pace: Pace,
    router: Router,
    mut closed: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    P: Unpin + Send + 'static,
{
    let phase = Arc::new(Phase::default());
    let stream = Paced::new(stream, pace, Arc::clone(&phase), place);
    let now = Arc::clone(&phase);
    let service = service_fn(move |request: Request<Incoming>| {
        let (router, phase) = (router.clone(), Arc::clone(&phase));
        phase.begins();
        async move {
            let mut request = request.map(Body::new);
            if let Some(from) = from {
                request.extensions_mut().insert(ConnectInfo(from));
            }
            let answered = router.oneshot(request).await;
            // What is no more HTTP has a pace of its own.
            if answered.as_ref().is_ok_and(|answer| answer.status() != StatusCode::SWITCHING_PROTOCOLS) {
                phase.answered();
            }
            answered
        }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(served);
    let ended = tokio::select! {
        ended = &mut served => ended,
        () = told(&mut closed) => {
            // Half a request is not waited for.
            if !now.is_in_request() {
                return;
            }
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(?from, %error, "a connection ended");
    }
}

async fn told(closed: &mut watch::Receiver<bool>) {
    // Whoever tells lives as long as the connections.
    let _ = closed.wait_for(|closed| *closed).await;
}

/// Lets this process have as many files open as it may; how many it may have now.
pub fn raise_files() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "this process may not have more files open than it was started with");
    }
    let current = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(current).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
