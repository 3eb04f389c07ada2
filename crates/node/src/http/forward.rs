//! A server that stands by passes requests on to the one that leads, and its answers back, byte by byte.
//!
//! It looks into neither, and passes on as well what becomes of a connection that is no more HTTP: the meeting room's. Where the leader is comes from the shared database, never from a request.

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{CONNECTION, HeaderMap, HeaderName, RETRY_AFTER, TRANSFER_ENCODING, UPGRADE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hyper_util::rt::TokioIo;

use crate::leading::Standing;
use crate::node::Node;

/// Shows the leader that a request was passed on by a server that reads the same database.
const PASSED_ON: HeaderName = HeaderName::from_static("concord-passed-on");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// What belongs to one connection and is not passed on.
const HOP_BY_HOP: [HeaderName; 4] =
    [CONNECTION, TRANSFER_ENCODING, UPGRADE, HeaderName::from_static("keep-alive")];

static CLIENT: LazyLock<Option<reqwest::Client>> = LazyLock::new(|| {
    let builder = reqwest::Client::builder().no_gzip().no_proxy().redirect(reqwest::redirect::Policy::none());
    builder.connect_timeout(std::time::Duration::from_secs(3)).build().ok()
});

/// Answers here if this server leads, or if what is asked is about this process; otherwise the leader does.
pub async fn unless_leading(
    State(node): State<Arc<Node>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    if matches!(path, "/healthz" | "/metrics") || path.starts_with("/assets/") {
        return next.run(request).await;
    }
    let standing = node.standing.borrow().clone();
    match standing {
        Standing::Leads => next.run(request).await,
        // One that was passed on is not passed on again: two servers that each believe in the other would
        // never answer.
        Standing::StandsBy { leader } if !request.headers().contains_key(PASSED_ON) => {
            match pass_on(&node, &leader, from, request).await {
                Ok(response) => response,
                Err(why) => {
                    tracing::warn!(leader, why, "a request could not be passed on");
                    nobody_leads()
                }
            }
        }
        Standing::StandsBy { .. } | Standing::Starting => nobody_leads(),
    }
}

fn nobody_leads() -> Response {
    let why = "no server of this authority leads at the moment; try again in some seconds\n";
    (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "5")], why).into_response()
}

async fn pass_on(
    node: &Node,
    leader: &str,
    from: SocketAddr,
    mut request: Request,
) -> Result<Response, String> {
    let client = CLIENT.as_ref().ok_or("no client")?;
    let upgrade = request.headers().get(UPGRADE).cloned();
    let here = upgrade.is_some().then(|| hyper::upgrade::on(&mut request));
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut headers = end_to_end(&parts.headers);
    let proof = proof(node).await.ok_or("there is no term")?;
    headers.insert(PASSED_ON, HeaderValue::from_str(&proof).map_err(|e| e.to_string())?);
    if !from.ip().is_loopback() {
        // After whatever is said before: only the last one is somebody whom this server has seen.
        let seen = HeaderValue::from_str(&from.ip().to_string()).map_err(|e| e.to_string())?;
        headers.append(FORWARDED_FOR, seen);
    }
    if let Some(upgrade) = upgrade {
        headers.insert(UPGRADE, upgrade);
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    }
    let answer = client
        .request(parts.method, format!("{}{path}", leader.trim_end_matches('/')))
        .headers(headers)
        .body(reqwest::Body::wrap_stream(body.into_data_stream()))
        .send()
        .await
        .map_err(|error| error.to_string())?;
    let (status, mut headers) = (answer.status(), end_to_end(answer.headers()));
    if let Some(here) = here.filter(|_| status == StatusCode::SWITCHING_PROTOCOLS) {
        headers.extend(answer.headers().get(UPGRADE).map(|to| (UPGRADE, to.clone())));
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        tokio::spawn(join(here, answer));
        return Ok((status, headers).into_response());
    }
    Ok((status, headers, Body::from_stream(answer.bytes_stream())).into_response())
}

/// Carries bytes both ways until one side has no more.
async fn join(here: hyper::upgrade::OnUpgrade, answer: reqwest::Response) {
    let (Ok(here), Ok(mut there)) = (here.await, answer.upgrade().await) else {
        return tracing::debug!("a connection was to be more than HTTP, and did not become it");
    };
    // However it ends, it has ended for both.
    let _ = tokio::io::copy_bidirectional(&mut TokioIo::new(here), &mut there).await;
}

fn end_to_end(headers: &HeaderMap) -> HeaderMap {
    let mut kept = headers.clone();
    for name in &HOP_BY_HOP {
        kept.remove(name);
    }
    kept
}

/// What only a server that reads the same database can show.
async fn proof(node: &Node) -> Option<String> {
    let term = node.lease.as_ref()?.term().await.ok()??;
    let text = [b"concord passed on ".as_slice(), &term].concat();
    Some(tlog::sha256(&text).to_hex())
}

/// Was this request passed on by another server of this authority?
pub async fn is_passed_on(node: &Node, headers: &HeaderMap) -> bool {
    let Some(shown) = headers.get(PASSED_ON) else { return false };
    let Some(proof) = proof(node).await else { return false };
    let (shown, proof) = (shown.as_bytes(), proof.as_bytes());
    // Every byte is compared, wherever the first difference lies.
    shown.len() == proof.len() && shown.iter().zip(proof).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}
