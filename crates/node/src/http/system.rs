//! What is not a desk: the way in, assets, health, metrics, and pages that are not there.

use std::sync::Arc;

use axum::extract::{OriginalUri, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};

use super::{Viewer, answer};
use crate::layout::asset;
use crate::node::Node;

/// `/`: the first desk.
pub async fn home(viewer: Viewer) -> Redirect {
    Redirect::to(&viewer.asked.href("/situation"))
}

/// `/assets/...`: compiled in, immutable.
pub async fn asset(OriginalUri(uri): OriginalUri, headers: HeaderMap) -> Response {
    let Some(asset) = asset::at(uri.path()) else { return answer::nothing() };
    let etag = format!("\"{}\"", asset.sha256);
    let known = headers.get(axum::http::header::IF_NONE_MATCH).and_then(|known| known.to_str().ok());
    if known.is_some_and(|known| answer::is_among(&etag, known)) {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    let headers =
        [(CONTENT_TYPE, asset.media_type), (CACHE_CONTROL, asset::CACHE_CONTROL), (ETAG, etag.as_str())];
    (headers, asset.bytes).into_response()
}

/// `/healthz`: can this process answer from its databases?
pub async fn health(State(node): State<Arc<Node>>) -> Response {
    let state = node.cells.get("health", "health").await.map(|_| ()).map_err(|e| e.to_string());
    let index = node.index.db().rows("select 1", &[]).await.map(|_| ()).map_err(|e| e.to_string());
    match state.and(index) {
        Ok(()) => ([(CACHE_CONTROL, "no-store")], "ok\n").into_response(),
        Err(why) => {
            tracing::error!(%why, "health check failed");
            (StatusCode::SERVICE_UNAVAILABLE, [(CACHE_CONTROL, "no-store")], "a database does not answer\n")
                .into_response()
        }
    }
}

/// Headers by which a proxy says that it passes on what somebody else asked.
const PASSED_ON: [&str; 4] = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

/// `/metrics`: for Prometheus. Only for this machine itself, since sizes of restricted logs are in it.
pub async fn metrics(
    State(node): State<Arc<Node>>,
    axum::extract::ConnectInfo(from): axum::extract::ConnectInfo<std::net::SocketAddr>,
    headers: HeaderMap,
) -> Response {
    if !from.ip().is_loopback() || PASSED_ON.iter().any(|name| headers.contains_key(*name)) {
        return answer::nothing();
    }
    let mut gauges = Vec::new();
    match node.index.db().rows("select origin, own, size from log order by origin", &[]).await {
        Ok(rows) => {
            for row in rows {
                let (Ok(origin), Ok(own), Ok(size)) = (row.text(0), row.int(1), row.int(2)) else { continue };
                let labels = format!("{{origin=\"{origin}\",own=\"{own}\"}}");
                #[allow(clippy::cast_precision_loss)] // Prometheus has only floats.
                gauges.push((
                    "concord_log_entries",
                    "Entries of a log that are verified here.",
                    labels,
                    size as f64,
                ));
            }
        }
        Err(error) => return answer::internal(&error),
    }
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], node.metrics.to_text(&gauges))
        .into_response()
}

/// Anything else.
pub async fn no_such_page(viewer: Viewer) -> Response {
    answer::not_found(&viewer)
}
