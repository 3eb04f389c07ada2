//! For those who watch the engine: is it there, figures for Prometheus, and a report for `concord meet top`.
//!
//! Figures name rooms and participants; so they need a token that may list rooms.

use std::sync::Arc;

use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};

use super::Inner;
use super::knock::Query;
use crate::metrics::Sample;

pub(super) fn router(inner: Arc<Inner>) -> Router {
    Router::new()
        .route("/", get(health))
        .route("/metrics", get(metrics))
        .route("/meet/report", get(report))
        .with_state(inner)
}

/// `LiveKit`'s clients and load balancers ask whether somebody is there.
async fn health(State(inner): State<Arc<Inner>>) -> Response {
    let broken = *inner.broken.borrow() || inner.rooms.is_ended();
    if broken { (StatusCode::SERVICE_UNAVAILABLE, "broken").into_response() } else { "OK".into_response() }
}

async fn metrics(State(inner): State<Arc<Inner>>, parts: Parts) -> Response {
    match sample(&inner, &parts).await {
        Ok(sample) => {
            ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], sample.prometheus())
                .into_response()
        }
        Err(refused) => refused,
    }
}

async fn report(State(inner): State<Arc<Inner>>, parts: Parts) -> Response {
    match sample(&inner, &parts).await {
        Ok(sample) => Json(sample.json()).into_response(),
        Err(refused) => refused,
    }
}

async fn sample(inner: &Inner, parts: &Parts) -> Result<Sample, Response> {
    let query = Query::parse(parts.uri.query().unwrap_or_default());
    let grants = inner
        .admit(&parts.headers, &query, inner.source(parts))
        .map_err(|refused| (refused.status(), refused.to_string()).into_response())?;
    if !grants.may_list() {
        return Err((StatusCode::UNAUTHORIZED, "a token that may list rooms is needed").into_response());
    }
    inner.sample().await.map_err(|ended| (StatusCode::SERVICE_UNAVAILABLE, ended.to_string()).into_response())
}
