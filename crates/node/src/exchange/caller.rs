//! Who calls: a request's RFC 9421 signature, checked before anything is looked up.

use std::sync::{LazyLock, Mutex};

use axum::http::HeaderMap;
use federate::request::{self, Nonces, RequestError, Target};
use record::Authority;

use crate::clock;
use crate::node::Node;

/// What a request says of its sender.
pub enum Caller {
    /// No signature, or none that counts: a stranger.
    Stranger,
    /// A recognised authority.
    Known(Authority),
    /// A recognised authority whose clock is wrong: it is told the time.
    Skewed,
}

static NONCES: LazyLock<Mutex<Nonces>> = LazyLock::new(|| Mutex::new(Nonces::default()));

/// Reads and verifies the signature of a GET.
pub fn of(node: &Node, path: &str, query: Option<&str>, headers: &HeaderMap) -> Caller {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    let (Some(to), Some(input), Some(signature)) =
        (text(request::CONCORD_TO), text("signature-input"), text("signature"))
    else {
        return Caller::Stranger;
    };
    if to != node.config.authority.as_str() {
        return Caller::Stranger;
    }
    let target = Target { method: "GET", path, query, to: &node.config.authority };
    let now = u64::try_from(clock::seconds()).unwrap_or(0);
    match request::verify(target, input, signature, now) {
        Ok(claim) => {
            let Some(authority) = node.engine().recognise(&claim.vkey) else { return Caller::Stranger };
            let mut nonces = NONCES.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            match nonces.take(&claim, now) {
                Ok(()) => Caller::Known(authority),
                Err(_) => Caller::Stranger,
            }
        }
        Err(RequestError::Skewed { claim, .. }) if node.engine().recognise(&claim.vkey).is_some() => {
            Caller::Skewed
        }
        Err(_) => Caller::Stranger,
    }
}
