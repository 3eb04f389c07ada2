//! HTTP: one listener for the exchange, the pages, the API and the assets.
//!
//! Routes are put together here; what they answer is decided in [`crate::exchange`] and in the desks. Every
//! answer passes the same layers: limits first, then counting, then headers that browsers need.

pub mod answer;
mod entrance;
mod forward;
mod rate;
mod system;
mod viewer;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Request, State};
use axum::http::header::{
    ACCEPT, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::timeout::TimeoutLayer;

pub use entrance::same_site;
pub use viewer::{Viewer, cookie};

use crate::layout::Refusal;
use crate::node::Node;

/// The largest body of a page's form (an uploaded table); smaller ones are set per route.
pub const MAX_UPLOAD: usize = 64 << 20;
/// The longest a request may take; the long poll of `/heads` is 30 s.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Every route of a node.
pub fn router(node: &Arc<Node>) -> Router {
    let pages = Router::new()
        .route("/", get(system::home))
        .route("/assets/{file}", get(system::asset))
        .route("/healthz", get(system::health))
        .route("/metrics", get(system::metrics))
        .merge(entrance::routes())
        .merge(crate::desks::routes())
        .fallback(system::no_such_page)
        .layer(middleware::from_fn_with_state(node.clone(), in_words))
        .layer(middleware::from_fn(page_headers))
        .layer(CompressionLayer::new());
    Router::new()
        .merge(pages)
        .merge(crate::exchange::routes())
        .layer(DefaultBodyLimit::max(MAX_UPLOAD))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, TIMEOUT))
        .layer(CatchPanicLayer::new())
        .layer(middleware::from_fn_with_state(node.clone(), forward::unless_leading))
        .layer(middleware::from_fn_with_state(node.clone(), count_and_limit))
        .with_state(node.clone())
}

async fn page_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(crate::layout::CONTENT_SECURITY_POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    );
    response
}

/// A refusal that the layers below gave without words becomes a page, for whoever reads pages. It is drawn without a
/// database: what broke may be the database.
async fn in_words(State(node): State<Arc<Node>>, request: Request, next: Next) -> Response {
    let reads_pages = request
        .headers()
        .get(ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"));
    let (uri, headers) = (request.uri().clone(), request.headers().clone());
    let response = next.run(request).await;
    let has_words = response.headers().get(CONTENT_TYPE).is_some_and(|kind| {
        let kind = kind.as_bytes();
        kind.starts_with(b"text/html") || kind.starts_with(b"application/json")
    });
    match Refusal::of(response.status().as_u16()) {
        Some(refusal) if reads_pages && !has_words => {
            answer::without_database(&node, &uri, &headers, response.status(), refusal)
        }
        _ => response,
    }
}

async fn count_and_limit(
    State(node): State<Arc<Node>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let passed_on = node.lease.is_some() && forward::is_passed_on(&node, request.headers()).await;
    if !rate::admit(&node, from, request.headers(), passed_on) {
        node.metrics.throttled.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        return (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "60")], "").into_response();
    }
    let response = next.run(request).await;
    node.metrics.answered(response.status().as_u16());
    response
}

/// Serves until `stop` resolves, then lets requests under way finish.
pub async fn serve(
    node: &Arc<Node>,
    listener: tokio::net::TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let service = router(node).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).with_graceful_shutdown(stop).await
}
