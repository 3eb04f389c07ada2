//! Who asks, and how often they may: the rules of [`edge`] with this node's configuration.
//!
//! It answers nobody. What a request costs beyond its being asked, and being open, is not counted here.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::http::{HeaderMap, HeaderValue};
use edge::{Allowance, Block, Budgets, Crowd, Gone, Most, Network, Proxies, Room, Seat, Source};

use crate::config::Exchange;

/// Sources remembered at once; beyond it those that have been still for longest are forgotten.
const SOURCES: usize = 65_536;

/// Requests that are open at a time, and bytes of their heads and bodies that are in memory before there is an answer. All of a
/// proxy's come over few connections, or over as many as there are people.
const OPEN: Room = Room { most: Most { all: 4_096, of_block: 128, around: 512 }, bytes: 16 << 20 };

/// What every request passes first.
#[derive(Debug)]
pub struct Gate {
    proxies: Proxies,
    budgets: Mutex<Budgets>,
    open: Arc<Crowd>,
}

impl Gate {
    /// As configured, for a server that has so many connections. A quarter of them is without a request: when requests have to
    /// give way, which are known by who asked, a proxy still has connections for those of others.
    pub fn new(config: &Exchange, connections: usize) -> Self {
        let allowance = Allowance::per_minute(config.requests_per_minute);
        let budgets = Mutex::new(Budgets::new(allowance, SOURCES));
        let most = Most { all: OPEN.most.all.min(connections / 4 * 3), ..OPEN.most };
        let open = Crowd::new(Room { most, ..OPEN }, Instant::now());
        Self { proxies: config.proxies(), budgets, open }
    }

    /// Whose request it is. One that another server of this authority passed on is that server's word.
    pub fn source(&self, from: IpAddr, headers: &HeaderMap, passed_on: bool) -> Source {
        let lines = headers.get_all("x-forwarded-for").iter().map(HeaderValue::as_bytes);
        if passed_on {
            return self.proxies.clone().and([Network::of(from)]).source(from, lines);
        }
        self.proxies.source(from, lines)
    }

    /// A place for one request until it is answered or has to give way; none for who has as many open as one may.
    pub fn enter(&self, source: Source, now: Instant) -> Option<(Seat, Gone)> {
        let block = match source {
            Source::Here => None,
            Source::Block(block) => Some(block),
            Source::Unreadable => Some(Block::of(Ipv4Addr::UNSPECIFIED.into())),
        };
        self.open.enter(block, now)
    }

    /// May it be answered? What comes from this machine itself always is.
    pub fn admit(&self, source: Source, now: Instant) -> bool {
        // Each change is whole: whoever panicked left it so.
        self.budgets.lock().unwrap_or_else(PoisonError::into_inner).take(source, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        headers
    }

    #[test]
    fn a_server_that_passes_requests_on_is_believed_and_nobody_else_who_is_not_configured() {
        let gate = Gate::new(&Exchange { proxies: vec!["10.0.0.0/8".into()], ..Exchange::default() }, 64);
        let of = |from: &str, lines: &[&str], passed_on| {
            gate.source(from.parse().unwrap(), &headers(lines), passed_on).to_string()
        };
        assert_eq!(of("192.0.2.7", &["203.0.113.9"], false), "192.0.2.7");
        assert_eq!(of("192.0.2.7", &["203.0.113.9"], true), "203.0.113.9");
        assert_eq!(of("10.1.1.1", &["203.0.113.9"], false), "203.0.113.9");
        assert_eq!(of("127.0.0.1", &["198.51.100.1", "203.0.113.9:4711"], false), "203.0.113.9");
        assert_eq!(gate.source("127.0.0.1".parse().unwrap(), &headers(&[]), false), Source::Here);
    }
}
