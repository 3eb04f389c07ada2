//! A listener: connections beside each other, none of which costs the others more than its place, and not for longer than it
//! needs it.
//!
//! HTTP/1.1 alone is spoken; a proxy in front may speak more. What is asked is not its subject.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use axum::response::Response;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinSet;
use tower::ServiceExt as _;

use crate::crowd::{Crowd, Gone, Room};
use crate::paced::{Pace, Paced, Phase};
use crate::places::Most;
use crate::source::{Block, Proxies};

/// The most bytes of a request's head: an address of 64 KiB with a request to join a meeting, and headers. Whoever sends half of
/// one holds so much memory, for as long as a head may take, and no longer than there is room for it.
const HEAD_BYTES: usize = 72 * 1024;
/// Bytes of heads that are not whole yet, over all connections.
const HALF_HEADS: u64 = 8 << 20;
/// After a connection could not be accepted: most likely there are no descriptors, and some end soon.
const NOT_ACCEPTED: Duration = Duration::from_millis(100);

/// How long a program of this machine may have a connection without a whole request while others wait for one.
const QUIET: Duration = Duration::from_millis(500);

/// What connections may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How many there are, and how many bytes of heads that are not whole.
    pub room: Room,
    /// How long the other side may take.
    pub pace: Pace,
    /// How long a trusted proxy may be still between a request and the next one: it has no share of its own, and what it does not
    /// read of small answers is not seen here.
    pub proxy_idle: Duration,
    /// How long requests under way may take to their end, once no more are accepted.
    pub ending: Duration,
}

impl Limits {
    /// For a process that may have this many files open: half of them for connections. A quarter is for media by TCP, and the rest is
    /// the process's own: its databases, its files, its operator.
    pub fn for_files(files: usize) -> Self {
        let all = (files / 2).clamp(64, 16_384);
        Self {
            room: Room { most: Most { all, of_block: 128, around: 512 }, bytes: HALF_HEADS },
            pace: Pace {
                head: Duration::from_secs(20),
                idle: Duration::from_mins(2),
                stall: Duration::from_secs(30),
                slowest: 4 << 10,
            },
            proxy_idle: Duration::from_secs(20),
            // An operator waits for it, and the system kills whoever takes long: no stranger's slow body is worth more.
            ending: Duration::from_secs(5),
        }
    }
}

/// Ends the connection that a request came over, whatever else happens on it. Requests carry it.
#[derive(Debug, Clone, Default)]
pub struct Connection(Arc<Notify>);

impl Connection {
    /// Ends it.
    pub fn end(&self) {
        self.0.notify_one();
    }
}

/// Whoever is behind a connection, and what their place is held by.
struct Caller<P> {
    from: Option<SocketAddr>,
    phase: Phase,
    goes: Goes,
    place: P,
}

/// When whoever has a place has to give it up.
enum Goes {
    /// When it is told.
    Told(Gone),
    /// When others wait for a place and it asks nothing.
    IfWanted(watch::Receiver<bool>),
}

impl Goes {
    /// Waits until it has to.
    async fn goes(&mut self, phase: &Phase) {
        match self {
            Self::Told(gone) => {
                // It was left before: nobody tells any more.
                if !gone.is_told().await {
                    std::future::pending::<()>().await;
                }
            }
            Self::IfWanted(wanted) => loop {
                tokio::time::sleep(QUIET).await;
                told(wanted).await;
                if !phase.has_whole_request() {
                    return;
                }
            },
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
    let crowd = Crowd::new(limits.room, Instant::now());
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
        let Some((seat, gone)) = crowd.enter(block, Instant::now()) else { continue };
        let idle = if block.is_some() { limits.pace.idle } else { limits.pace.idle.min(limits.proxy_idle) };
        let _ = stream.set_nodelay(true);
        let caller = Caller { from: Some(from), phase: Phase::of(seat), goes: Goes::Told(gone), place: () };
        let pace = Pace { idle, ..limits.pace };
        connections.spawn(connection(stream, caller, pace, router.clone(), closed.clone()));
    }
    drop(listener);
    closing.send_replace(true);
    end(connections, limits.ending).await;
}

/// Serves whoever may open a socket of this machine: at most `most` connections at a time. Who comes later waits until one of those
/// ends, and whoever has not asked a whole question gives way to who waits. None can be idle for longer than its pace allows.
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
    let (want, wanted) = watch::channel(false);
    let mut connections = JoinSet::new();
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            () = &mut stop => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection of this machine could not be accepted");
                tokio::time::sleep(NOT_ACCEPTED).await;
                continue;
            }
        };
        want.send_replace(places.available_permits() == 0);
        let place = tokio::select! {
            place = Arc::clone(&places).acquire_owned() => place,
            () = &mut stop => break,
        };
        want.send_replace(false);
        // It is never closed.
        let Ok(place) = place else { break };
        let caller =
            Caller { from: None, phase: Phase::default(), goes: Goes::IfWanted(wanted.clone()), place };
        connections.spawn(connection(stream, caller, pace, router.clone(), closed.clone()));
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

/// One connection; its place is held as long as it lasts.
async fn connection<S, P>(
    stream: S,
    caller: Caller<P>,
    pace: Pace,
    router: Router,
    mut closed: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    P: Unpin + Send + 'static,
{
    let Caller { from, phase, mut goes, place } = caller;
    let phase = Arc::new(phase);
    let stream = Paced::new(stream, pace, Arc::clone(&phase), place);
    let now = Arc::clone(&phase);
    let this = Connection::default();
    let ending = this.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        phase.begins();
        answer(request, from, this.clone(), router.clone(), Arc::clone(&phase))
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
        () = goes.goes(&now) => return,
        () = ending.0.notified() => return,
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

async fn answer(
    request: Request<Incoming>,
    from: Option<SocketAddr>,
    over: Connection,
    router: Router,
    phase: Arc<Phase>,
) -> Result<Response, Infallible> {
    let body = |body: Incoming| {
        if body.is_end_stream() {
            phase.is_whole();
        }
        Body::new(Whole { body, phase: Arc::clone(&phase) })
    };
    let mut request = request.map(body);
    if let Some(from) = from {
        request.extensions_mut().insert(ConnectInfo(from));
    }
    request.extensions_mut().insert(over);
    let answer = router.oneshot(request).await?;
    // What is no more HTTP has a pace of its own.
    if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
        phase.is_switched();
    } else {
        phase.answered();
    }
    Ok(answer)
}

/// A request's body, which tells when it is complete.
struct Whole {
    body: Incoming,
    phase: Arc<Phase>,
}

impl HttpBody for Whole {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.body).poll_frame(cx);
        if this.body.is_end_stream() || matches!(polled, Poll::Ready(None)) {
            this.phase.is_whole();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
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
