//! What an operator sets of the engine, put together from its parts. It reads no file: whoever embeds the engine does.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use edge::Proxies;
use futures::future::BoxFuture;

use crate::driver::{Addresses, DriverConfig};
use crate::grants::Grants;
use crate::room::RoomsConfig;
use crate::service::Relay;
use crate::token::Keys;

/// Everything that the engine needs to start.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// Keys of access tokens; the first also signs webhooks and refreshed tokens.
    pub keys: Keys,
    /// What rooms are like.
    pub rooms: RoomsConfig,
    /// Where media is received, and by how many threads.
    pub media: DriverConfig,
    /// Of how many loudest audio tracks of a room the packets are forwarded; 0 for all. Exempt tracks come on top.
    pub last_n: usize,
    /// TURN servers that clients are told, with credentials of their own.
    pub relay: Option<Relay>,
    /// STUN servers that clients are told, `stun:host:port`; none are needed to reach a server with a public address.
    pub stun: Vec<String>,
    /// Where events are posted, signed.
    pub webhooks: Vec<String>,
    /// What strangers may ask for.
    pub limits: Limits,
    /// Who is asked before somebody enters with a good token; nobody, unless whoever embeds the engine says so.
    pub admission: Option<Admission>,
}

/// A token says who somebody was when it was made. Whoever embeds the engine may know that this is over: it is asked before
/// each entry, and before each return.
#[derive(Clone)]
pub struct Admission(Arc<dyn Fn(Grants) -> BoxFuture<'static, bool> + Send + Sync>);

impl Admission {
    /// Asks this for the grants of each good token: whether its holder may still come in.
    pub fn by(admits: impl Fn(Grants) -> BoxFuture<'static, bool> + Send + Sync + 'static) -> Self {
        Self(Arc::new(admits))
    }

    pub(crate) async fn admits(&self, grants: &Grants) -> bool {
        (self.0)(grants.clone()).await
    }
}

impl fmt::Debug for Admission {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Admission")
    }
}

/// What strangers may ask for.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Joins and calls of one source per second, over a burst of ten seconds; a delegation behind one NAT enters together. 0 for any number.
    pub joins_per_second: u32,
    /// Refused tokens of one source per second, over a burst of ten seconds, which are told why; further ones are told to wait. 0 for any number.
    pub refusals_per_second: u32,
    /// Who is believed in `X-Forwarded-For`, unless whoever embeds the engine says with a request whose it is.
    pub proxies: Proxies,
}

impl Default for Limits {
    fn default() -> Self {
        Self { joins_per_second: 50, refusals_per_second: 5, proxies: Proxies::here() }
    }
}

impl EngineConfig {
    /// As `LiveKit` users know it: HTTP on `bind`, media by TCP on the next port and by UDP on the one after.
    pub fn beside(bind: SocketAddr, keys: Keys) -> Self {
        Self {
            keys,
            rooms: RoomsConfig::default(),
            media: DriverConfig { addresses: Addresses::after(bind), threads: 0, pinned: false },
            last_n: 0,
            relay: None,
            stun: Vec::new(),
            webhooks: Vec::new(),
            limits: Limits::default(),
            admission: None,
        }
    }
}
