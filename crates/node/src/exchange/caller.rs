//! Who calls: a request's RFC 9421 signature, checked before anything is looked up.
//!
//! A signed request counts once, also across a restart, and where another server of this authority takes over. Nonces are
//! remembered in memory alone: to write each of them down would make every read of a peer wait for the disk. Instead,
//! what was signed before this server led may have been used before, and is refused. That would refuse an honest peer for
//! as long as its clock is behind; so it is told the time, as one whose clock is wrong, and signs with that at once. What is
//! left is a request that was signed by a clock ahead of ours: it would still be new after a restart. Only of those, which
//! are few, is noted in `state` up to when their key has signed, before they count.

use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::{HeaderMap, Method, Uri};
use federate::request::{self, CallerClaim, Nonces, RequestError, Target};
use record::Authority;
use store::Cells;

use crate::clock;
use crate::node::Node;
use crate::saved::{self, SavedError};

/// By caller key in hexadecimal digits: up to which second it has signed ahead of our clock.
const SPACE: &str = "caller-ahead";
/// The clocks of servers that share a database differ by less than this, in seconds.
const SERVERS_AGREE: u64 = 2;

/// What a request says of its sender.
pub enum Caller {
    /// No signature, or none that counts: a stranger.
    Stranger,
    /// A recognised authority.
    Known(Authority),
    /// A recognised authority that must sign by our clock: it is told the time.
    Skewed,
}

/// The signed requests that this server has seen since it leads.
#[derive(Debug)]
pub struct Callers {
    nonces: Mutex<Nonces>,
}

impl Callers {
    /// Nobody has called; from now on this server sees every request. Where others share its database, one of them may have
    /// led until now by a clock of its own.
    pub async fn open(cells: &dyn Cells, now: u64, is_shared: bool) -> Result<Self, SavedError> {
        let mut nonces = Nonces::since(now + if is_shared { SERVERS_AGREE } else { 0 });
        for (key, until) in saved::readable::<u64>(cells, SPACE).await?.0 {
            if until + request::MAX_LIFETIME < now {
                saved::take::<u64>(cells, SPACE, &key).await?;
            } else if let Some(key) = hex::decode(&key).ok().and_then(|key| key.try_into().ok()) {
                nonces.bar(key, until);
            }
        }
        Ok(Self { nonces: Mutex::new(nonces) })
    }

    /// Counts a claim of a recognised key, once.
    async fn take(&self, cells: &dyn Cells, claim: &CallerClaim, now: u64) -> Result<(), Uncounted> {
        let ahead = self.nonces().signs_ahead(claim, now);
        if let Some(until) = ahead {
            let key = claim.vkey.public();
            saved::put(cells, SPACE, &hex::encode(key), &until).await?;
            self.nonces().noted(*key, until);
        }
        Ok(self.nonces().take(claim, now)?)
    }

    fn nonces(&self) -> MutexGuard<'_, Nonces> {
        // Each change is whole: whoever panicked left it so.
        self.nonces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a claim does not count.
#[derive(Debug, thiserror::Error)]
enum Uncounted {
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error(transparent)]
    Saved(#[from] SavedError),
}

/// Reads and verifies the signature of a request that has no body: what is signed is the method that came, too.
pub async fn of(node: &Node, method: &Method, uri: &Uri, headers: &HeaderMap) -> Caller {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    let (Some(to), Some(input), Some(signature)) =
        (text(request::CONCORD_TO), text("signature-input"), text("signature"))
    else {
        return Caller::Stranger;
    };
    if to != node.config.authority.as_str() {
        return Caller::Stranger;
    }
    let (path, query) = (uri.path(), uri.query());
    let target = Target { method: method.as_str(), path, query, to: &node.config.authority };
    let now = u64::try_from(clock::seconds()).unwrap_or(0);
    let (claim, is_timely) = match request::verify(target, input, signature, now) {
        Ok(claim) => (claim, true),
        Err(RequestError::Skewed { claim, .. }) => (*claim, false),
        Err(_) => return Caller::Stranger,
    };
    let Some(authority) = node.engine().recognise(&claim.vkey) else { return Caller::Stranger };
    // Before this server leads it answers nobody; a request that comes in between is early.
    let Some(callers) = node.callers.get().filter(|_| is_timely) else { return Caller::Skewed };
    match callers.take(&*node.cells, &claim, now).await {
        Ok(()) => Caller::Known(authority),
        Err(Uncounted::Request(RequestError::Skewed { .. })) => Caller::Skewed,
        Err(Uncounted::Request(_)) => Caller::Stranger,
        Err(Uncounted::Saved(error)) => {
            tracing::error!(%error, "a request of a peer could not be noted, and is not answered");
            Caller::Skewed
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::MemoryCells;
    use tlog::{KeyType, LocalSigner, SecretKey, Signer as _};

    const NOW: u64 = 1_800_000_000;

    fn claim(created: u64, nonce: &str) -> CallerClaim {
        let secret = SecretKey::from_seed([3; 32]);
        let signer = LocalSigner::new("a.example/caller/1", KeyType::Ed25519, secret).unwrap();
        CallerClaim { vkey: signer.key().clone(), nonce: nonce.into(), created, expires: created + 120 }
    }

    async fn is_taken(callers: &Callers, cells: &MemoryCells, claim: &CallerClaim, now: u64) -> bool {
        callers.take(cells, claim, now).await.is_ok()
    }

    #[tokio::test]
    async fn what_was_used_before_a_restart_is_not_taken_after_it_whatever_its_clock() {
        for ahead in [-60, 0, 1, 29] {
            let cells = MemoryCells::new();
            let callers = Callers::open(&cells, NOW - 1000, false).await.unwrap();
            let used = claim(NOW.saturating_add_signed(ahead), "0123456789abcdef");
            assert!(is_taken(&callers, &cells, &used, NOW).await, "{ahead}");
            for later in [0, 1, 30, 59] {
                let callers = Callers::open(&cells, NOW, false).await.unwrap();
                assert!(
                    !is_taken(&callers, &cells, &used, NOW + later).await,
                    "{ahead} s ahead, {later} s later"
                );
            }
        }
    }

    #[tokio::test]
    async fn a_peer_with_a_right_clock_is_taken_a_second_after_the_start() {
        let cells = MemoryCells::new();
        let callers = Callers::open(&cells, NOW, false).await.unwrap();
        assert!(is_taken(&callers, &cells, &claim(NOW + 1, "0123456789abcdef"), NOW + 1).await);
        assert!(cells.scan(SPACE, "", None, 10).await.unwrap().is_empty(), "and costs no write");
    }

    #[tokio::test]
    async fn a_clock_that_is_ahead_costs_a_write_in_ten_seconds_and_is_refused_as_long() {
        let cells = MemoryCells::new();
        let callers = Callers::open(&cells, NOW - 1000, false).await.unwrap();
        let mut written = std::collections::BTreeSet::new();
        for second in 0..60 {
            let asked = claim(NOW + second + 5, &format!("0123456789abcdef-{second}"));
            assert!(is_taken(&callers, &cells, &asked, NOW + second).await);
            written
                .extend(cells.scan(SPACE, "", None, 10).await.unwrap().into_iter().map(|(_, until)| until));
        }
        assert!(written.len() <= 6, "{} writes in a minute", written.len());
        // The last was signed at NOW + 64.
        let callers = Callers::open(&cells, NOW + 60, false).await.unwrap();
        assert!(is_taken(&callers, &cells, &claim(NOW + 76, "fedcba9876543210"), NOW + 71).await);
    }

    #[tokio::test]
    async fn the_server_that_takes_over_allows_for_the_other_ones_clock() {
        let cells = MemoryCells::new();
        let first = Callers::open(&cells, NOW - 1000, true).await.unwrap();
        let used = claim(NOW, "0123456789abcdef");
        assert!(is_taken(&first, &cells, &used, NOW).await);
        let second = Callers::open(&cells, NOW - 1, true).await.unwrap();
        assert!(!is_taken(&second, &cells, &used, NOW).await);
    }

    #[tokio::test]
    async fn what_no_request_can_be_of_any_more_is_forgotten() {
        let cells = MemoryCells::new();
        let callers = Callers::open(&cells, NOW - 1000, false).await.unwrap();
        assert!(is_taken(&callers, &cells, &claim(NOW + 20, "0123456789abcdef"), NOW).await);
        Callers::open(&cells, NOW + 1000, false).await.unwrap();
        assert!(cells.scan(SPACE, "", None, 10).await.unwrap().is_empty());
    }
}
