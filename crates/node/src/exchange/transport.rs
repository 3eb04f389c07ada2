//! Requests to peers: signed where the resource may be restricted, cut off at their limit.

use federate::Route;
use federate::engine::{Answer, Id};
use federate::request::{self, Target};
use record::Authority;
use record::root::Role;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH};

use crate::clock;
use crate::identity::random;
use crate::node::Node;
use crate::outbound::{self, Filed, OutboundError};

/// A signed request is good for this long, in seconds.
const LIFETIME: u64 = 120;

/// Fetches of a peer; never fails, since the engine wants to know how it failed. A restricted resource is asked
/// for with a signature that says the peer's time, which is `sign_ahead` seconds ahead of ours.
pub async fn fetch(
    node: &Node,
    peer: &Authority,
    route: &Route,
    etag: Option<String>,
    long_poll: bool,
    sign_ahead: Option<i64>,
    limit: usize,
) -> Answer {
    node.metrics.fetched.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let path = route.path();
    if let Some(bundle) = node.bundle_of(peer) {
        // What its sender knows now, a file cannot say; its heads are shown to the engine as those of a file.
        let is_of_now = matches!(route, Route::Heads | Route::Witness(_));
        return if is_of_now { Answer::Failed } else { bundle.answer(&path, etag.as_deref()) };
    }
    let Some(address) = node.address_of(peer) else { return Answer::Failed };
    let Some(headers) = headers_of(node, peer, &path, etag, long_poll, sign_ahead) else {
        return Answer::Failed;
    };
    answer(node, node.outbound.get(&address, &path, headers, limit).await, peer, &path)
}

/// The same, of something large: it is written to a file as it comes. What lies in a bundle is in memory already.
pub async fn fetch_to_file(
    node: &Node,
    peer: &Authority,
    route: &Route,
    sign_ahead: Option<i64>,
    limit: usize,
    id: Id,
) -> Answer {
    let path = route.path();
    let Some(address) = node.address_of(peer).filter(|_| node.bundle_of(peer).is_none()) else {
        return fetch(node, peer, route, None, false, sign_ahead, limit).await;
    };
    node.metrics.fetched.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let Some(headers) = headers_of(node, peer, &path, None, false, sign_ahead) else { return Answer::Failed };
    let file = node.arriving.file(id);
    match node.outbound.get_to_file(&address, &path, headers, limit, &file).await {
        Ok(Filed { status, sha256, bytes }) => Answer::File { status, file: id, sha256, bytes },
        Err(error) => {
            node.arriving.discard(id).await;
            answer(node, Err(error), peer, &path)
        }
    }
}

fn headers_of(
    node: &Node,
    peer: &Authority,
    path: &str,
    etag: Option<String>,
    long_poll: bool,
    sign_ahead: Option<i64>,
) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    if let Some(value) = etag.and_then(|e| HeaderValue::from_str(&e).ok()) {
        headers.insert(IF_NONE_MATCH, value);
    }
    if long_poll {
        headers.insert(HeaderName::from_static("prefer"), HeaderValue::from_static("wait=30"));
    }
    if let Some(ahead) = sign_ahead
        && let Err(error) = sign(node, peer, path, ahead, &mut headers)
    {
        tracing::error!(%error, "a request could not be signed");
        return None;
    }
    Some(headers)
}

/// Posts to a peer.
pub async fn post(node: &Node, peer: &Authority, route: &Route, body: Vec<u8>) -> Answer {
    if node.bundle_of(peer).is_some() {
        return Answer::Failed; // A file takes nothing.
    }
    let Some(address) = node.address_of(peer) else { return Answer::Failed };
    let path = route.path();
    answer(node, node.outbound.post(&address, &path, body, route.limit()).await, peer, &path)
}

fn answer(
    node: &Node,
    result: Result<outbound::Answer, OutboundError>,
    peer: &Authority,
    path: &str,
) -> Answer {
    match result {
        Ok(answer) => Answer::Response {
            status: answer.status,
            etag: answer.etag,
            date: answer.date,
            body: answer.body.to_vec(),
        },
        Err(OutboundError::TooLong { .. }) => Answer::TooLarge,
        Err(error) => {
            node.metrics.fetch_failed.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            tracing::debug!(%error, %peer, path, "no answer from a peer");
            Answer::Failed
        }
    }
}

fn sign(
    node: &Node,
    peer: &Authority,
    path: &str,
    ahead: i64,
    headers: &mut HeaderMap,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let chain = node.own_chain();
    let signer = node.identity().signer(Role::Caller, chain.latest())?;
    let created = u64::try_from(clock::seconds().saturating_add(ahead))?;
    let nonce = hex::encode(random::<16>()?);
    let target = Target { method: "GET", path, query: None, to: peer };
    let signed = request::sign(target, created, created + LIFETIME, &nonce, &signer)?;
    for (name, value) in [
        (request::CONCORD_TO, signed.concord_to),
        ("signature-input", signed.signature_input),
        ("signature", signed.signature),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_str(&value)?);
    }
    Ok(())
}
