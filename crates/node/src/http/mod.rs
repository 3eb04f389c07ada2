//! HTTP: one listener for the exchange, the pages, the API and the assets.
//!
//! Routes are put together here; what they answer is decided in [`crate::exchange`] and in the desks. Every
//! answer passes the same layers: limits first, then counting, then headers that browsers need.

pub mod answer;
mod ending;
mod entrance;
mod forward;
mod hosts;
mod open;
mod rate;
mod ready;
mod system;
mod turns;
mod viewer;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::extract::{ConnectInfo, DefaultBodyLimit, Request, State};
use axum::http::header::{
    ACCEPT, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY,
    TRANSFER_ENCODING, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::RequestBodyTimeoutLayer;

pub use entrance::{same_site, sign_out, way_in};
pub use ready::Ready;
pub use turns::HeldTurn;
pub use viewer::{Viewer, cookie};

use crate::layout::{Problem, Refusal};
use crate::node::Node;
use rate::Gate;
use turns::Turns;

/// The largest body of all, with an uploaded table in it; only the route that takes tables reads so much.
pub const MAX_UPLOAD: usize = 64 << 20;
/// The largest body of a form without files.
const MAX_FORM: usize = 64 << 10;
/// The longest a request may take, besides what its body takes; the long poll of `/heads` is 30 s.
const TIMEOUT: Duration = Duration::from_mins(1);
/// A body may take as long as it takes at this rate, in bytes a second: 32 kbit/s.
const SLOWEST: u64 = 4 << 10;
/// The longest path of a page, and the longest query, in bytes.
const LONGEST_PATH: usize = 1 << 10;
const LONGEST_QUERY: usize = 8 << 10;
/// A body may pause this long.
const PAUSE: Duration = Duration::from_secs(30);

/// Every route of a node; `meetings` are those of the conference engine in this program, which brings limits and headers of its own.
/// There are so many connections.
pub fn router(node: &Arc<Node>, meetings: Option<Router>, connections: usize) -> Router {
    let gate = Arc::new(Gate::new(&node.config.exchange, connections));
    let turns = Turns::default();
    let pages = crate::desks::routes()
        // Whatever is added behind this takes no turn: nothing is read of the index for it.
        .route_layer(middleware::from_fn_with_state(turns.clone(), some_at_once))
        .merge(crate::desks::light_routes())
        .route("/", get(system::home))
        .route("/assets/{file}", get(system::asset))
        .route("/healthz", get(system::health))
        .route("/metrics", get(system::metrics))
        .merge(entrance::routes())
        .fallback(system::no_such_page)
        .layer(middleware::from_fn_with_state(node.clone(), in_words))
        .layer(middleware::from_fn(page_headers))
        .layer(CompressionLayer::new())
        .layer(middleware::from_fn_with_state((node.clone(), turns), ready::or_made))
        .layer(middleware::from_fn(head_as_get))
        .layer(middleware::from_fn_with_state(node.clone(), ending::or_later))
        .layer(middleware::from_fn_with_state(node.clone(), hosts::only_ours))
        .layer(middleware::from_fn_with_state(node.clone(), short_addresses));
    Router::new()
        .merge(pages)
        .merge(crate::exchange::routes(node))
        .layer(DefaultBodyLimit::max(MAX_FORM))
        // What says that it is larger than anything that is read here is not begun.
        .layer(RequestBodyLimitLayer::new(MAX_UPLOAD))
        .layer(RequestBodyTimeoutLayer::new(PAUSE))
        .layer(middleware::from_fn(end_in_time))
        .with_state(node.clone())
        .merge(meetings.unwrap_or_default())
        .layer(CatchPanicLayer::new())
        .layer(middleware::from_fn_with_state(node.clone(), forward::unless_leading))
        .layer(middleware::from_fn_with_state((node.clone(), gate), count_and_limit))
}

/// Pages repeat their address in their links: who asks by a long one must not be answered with megabytes.
async fn short_addresses(State(node): State<Arc<Node>>, request: Request, next: Next) -> Response {
    let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
    if path.len() > LONGEST_PATH || query.len() > LONGEST_QUERY {
        let problem = Problem::new("address-long").with("path", LONGEST_PATH).with("query", LONGEST_QUERY);
        let (status, headers) = (StatusCode::URI_TOO_LONG, request.headers());
        // The links of this page repeat nothing of the address but its language.
        let lang = answer::asked_without_database(&node, request.uri(), headers).t.lang().code();
        let uri = format!("/?lang={lang}").parse().unwrap_or_default();
        return answer::page_or_text(&node, &uri, headers, status, Refusal::AddressTooLong, problem);
    }
    next.run(request).await
}

async fn some_at_once(State(turns): State<Turns>, mut request: Request, next: Next) -> Response {
    // What is sent to this node is read as slowly as it comes: it takes nobody's turn.
    let has_turn = request.extensions().get::<turns::HeldTurn>().is_some();
    if has_turn || !request.method().is_safe() {
        return next.run(request).await;
    }
    let held = turns::HeldTurn::default();
    request.extensions_mut().insert(held.clone());
    match turns.take(turns::source(&request), turns::is_heavy(&request)).await {
        Some(turn) => {
            let _turn = held.by(turn);
            next.run(request).await
        }
        None => turns::busy(),
    }
}

/// `HEAD` is `GET` whose answer is not sent: whatever is done for one, and whatever it costs, is so for the other.
async fn head_as_get(mut request: Request, next: Next) -> Response {
    if request.method() != Method::HEAD {
        return next.run(request).await;
    }
    *request.method_mut() = Method::GET;
    let (mut head, body) = next.run(request).await.into_parts();
    if let Some(length) = body.size_hint().exact().filter(|_| !head.headers.contains_key(TRANSFER_ENCODING)) {
        head.headers.entry(CONTENT_LENGTH).or_insert(length.into());
    }
    Response::from_parts(head, Body::empty())
}

async fn page_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    // The meeting room also reaches the server that carries its sound and pictures, and says so itself.
    headers
        .entry(CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static(crate::layout::CONTENT_SECURITY_POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    );
    response
}

/// Is this somebody who is to be answered with a page?
fn reads_pages(headers: &HeaderMap) -> bool {
    headers
        .get(ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}

/// A refusal that the layers below gave without words becomes a page, for whoever reads pages. It is drawn without a
/// database: what broke may be the database.
async fn in_words(State(node): State<Arc<Node>>, request: Request, next: Next) -> Response {
    let reads_pages = reads_pages(request.headers());
    let (uri, headers) = (request.uri().clone(), request.headers().clone());
    let response = next.run(request).await;
    let has_words = response.headers().get(CONTENT_TYPE).is_some_and(|kind| {
        let kind = kind.as_bytes();
        kind.starts_with(b"text/html") || kind.starts_with(b"application/json")
    });
    match Refusal::of(response.status().as_u16()) {
        Some(refusal) if reads_pages && !has_words => {
            answer::without_database(&node, &uri, &headers, response.status(), refusal, &[])
        }
        _ => response,
    }
}

/// A request ends in time, but nobody is cut off for a slow line: the longer its body, the longer it may take.
async fn end_in_time(request: Request, next: Next) -> Response {
    let time = time_for(content_length(request.headers()));
    match tokio::time::timeout(time, next.run(request)).await {
        Ok(response) => response,
        Err(_) => StatusCode::REQUEST_TIMEOUT.into_response(),
    }
}

/// Bytes that a request says its body has; a body of unknown length may have as many as are read at all.
fn content_length(headers: &HeaderMap) -> u64 {
    let most = u64::try_from(MAX_UPLOAD).unwrap_or(u64::MAX);
    match headers.get(CONTENT_LENGTH) {
        Some(length) => length.to_str().ok().and_then(|l| l.parse::<u64>().ok()).unwrap_or(0).min(most),
        None if headers.contains_key(TRANSFER_ENCODING) => most,
        None => 0,
    }
}

fn time_for(length: u64) -> Duration {
    TIMEOUT + Duration::from_secs(length / SLOWEST)
}

async fn count_and_limit(
    State((node, gate)): State<(Arc<Node>, Arc<Gate>)>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Response {
    let passed_on = node.lease.is_some() && forward::is_passed_on(&node, request.headers()).await;
    let source = gate.source(from.ip(), request.headers(), passed_on);
    // Whoever may not ask pushes nobody out.
    let now = Instant::now();
    let entered = gate.admit(source, now).then(|| gate.enter(source, now)).flatten();
    let Some((seat, gone)) = entered else {
        node.metrics.throttled.fetch_add(1, Ordering::Relaxed);
        return too_many();
    };
    // The conference engine has limits of its own, and counts by the same source.
    request.extensions_mut().insert(source);
    let Some(response) = open::answer(seat, gone, request, next).await else {
        node.metrics.given_way.fetch_add(1, Ordering::Relaxed);
        return too_many();
    };
    node.metrics.answered(response.status().as_u16());
    response
}

fn too_many() -> Response {
    (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "60")], "").into_response()
}

/// Serves until `stop` resolves, then lets requests under way finish, if they do so within seconds.
pub async fn serve(
    node: &Arc<Node>,
    listener: tokio::net::TcpListener,
    meetings: Option<Router>,
    stop: impl Future<Output = ()> + Send + 'static,
) {
    let limits = edge::Limits::for_files(edge::raise_files());
    let router = router(node, meetings, limits.room.most.all);
    edge::serve(listener, router, &node.config.exchange.proxies(), limits, stop).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever asks by `HEAD` has pages made in turns, as whoever asks by `GET`.
    #[tokio::test]
    async fn head_takes_a_turn_and_says_how_long_the_page_is() {
        use std::sync::atomic::AtomicUsize;
        use tower::Service as _;
        let (turns, made) = (Turns::default(), Arc::new(AtomicUsize::new(0)));
        let slow = {
            let made = Arc::clone(&made);
            move || async move {
                made.fetch_add(1, Ordering::SeqCst);
                std::future::pending::<()>().await;
            }
        };
        let router = Router::new()
            .route("/slow", get(slow))
            .route("/page", get(|| async { "a page" }))
            .route_layer(middleware::from_fn_with_state(turns, some_at_once))
            .layer(middleware::from_fn(head_as_get));
        let ask = |path: &str| {
            let mut request = Request::head(path).body(Body::empty()).unwrap();
            request.extensions_mut().insert(edge::Source::Unreadable);
            router.clone().call(request)
        };
        let page = ask("/page").await.unwrap();
        assert_eq!((page.status(), &page.headers()[CONTENT_LENGTH]), (StatusCode::OK, &HeaderValue::from(6)));
        assert!(axum::body::to_bytes(page.into_body(), 1).await.unwrap().is_empty());
        let asked: Vec<_> = (0..20).map(|_| tokio::spawn(ask("/slow"))).collect();
        while made.load(Ordering::SeqCst) < 2 {
            tokio::task::yield_now().await;
        }
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert_eq!(made.load(Ordering::SeqCst), 2, "as many as one source may have made at the same time");
        asked.iter().for_each(tokio::task::JoinHandle::abort);
    }

    #[test]
    fn a_large_table_may_take_long_on_a_thin_line_and_nothing_else_may() {
        let with = |name: HeaderName, value: &'static str| {
            time_for(content_length(&HeaderMap::from_iter([(name, HeaderValue::from_static(value))])))
        };
        assert_eq!(time_for(content_length(&HeaderMap::new())), TIMEOUT);
        assert_eq!(with(CONTENT_LENGTH, "4096000"), TIMEOUT + Duration::from_secs(1000));
        let longest = TIMEOUT + Duration::from_secs(MAX_UPLOAD as u64 / SLOWEST);
        assert_eq!(with(CONTENT_LENGTH, "5368709120"), longest);
        assert_eq!(with(TRANSFER_ENCODING, "chunked"), longest);
        assert_eq!(with(CONTENT_LENGTH, "many"), TIMEOUT);
    }
}
