//! How often one outside address may ask: a token bucket per address, in bounded memory.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Mutex;
use std::time::Instant;

use axum::http::HeaderMap;

use crate::node::Node;

/// Addresses remembered at once; beyond it the longest idle are forgotten.
const MAX_ADDRESSES: usize = 65_536;

/// Buckets per address.
#[derive(Debug, Default)]
pub struct Buckets(Mutex<HashMap<IpAddr, (f64, Instant)>>);

impl Buckets {
    /// Takes a token of `address`; false if there is none. `per_minute` fill up in a minute.
    pub fn take(&self, address: IpAddr, per_minute: u32, now: Instant) -> bool {
        let full = f64::from(per_minute);
        let mut buckets = self.0.lock().expect("never poisoned: nothing here panics");
        if buckets.len() >= MAX_ADDRESSES {
            // A bucket that has had time to fill up again says nothing: forget it.
            buckets.retain(|_, (_, since)| now.duration_since(*since).as_secs() < 60);
            if buckets.len() >= MAX_ADDRESSES {
                return false;
            }
        }
        let (tokens, since) = buckets.entry(address).or_insert((full, now));
        *tokens = (*tokens + now.duration_since(*since).as_secs_f64() * full / 60.0).min(full);
        *since = now;
        if *tokens < 1.0 {
            return false;
        }
        *tokens -= 1.0;
        true
    }
}

static BUCKETS: std::sync::LazyLock<Buckets> = std::sync::LazyLock::new(Buckets::default);

/// May this request be answered? What comes through a proxy on this machine, or was passed on by another server
/// of this authority, is counted by the address named last; what comes from this machine itself is not counted.
pub fn admit(node: &Node, from: SocketAddr, headers: &HeaderMap, passed_on: bool) -> bool {
    let address = if from.ip().is_loopback() || passed_on {
        let named = headers
            .get("x-forwarded-for")
            .and_then(|v| v.to_str().ok())
            .and_then(|v| v.rsplit(',').next())
            .and_then(|v| v.trim().parse::<IpAddr>().ok());
        match named {
            Some(address) => address,
            None => return true,
        }
    } else {
        from.ip()
    };
    BUCKETS.take(address, node.config.exchange.requests_per_minute, Instant::now())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn an_address_that_asks_too_often_waits_and_others_do_not() {
        let buckets = Buckets::default();
        let now = Instant::now();
        let (one, other) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let admitted = (0..10_000).filter(|_| buckets.take(one, 60, now)).count();
        assert_eq!(admitted, 60);
        assert!(buckets.take(other, 60, now));
        assert!(buckets.take(one, 60, now + Duration::from_secs(1)));
    }
}
