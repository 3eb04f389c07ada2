//! How nodes exchange logs: state machines that turn bytes and times into requests and writes.
//!
//! There are no sockets, clocks or disks here, and no keys: time is an argument (milliseconds since 1970),
//! bytes come in as [`engine::Input`], and whatever is to be fetched, stored, read or signed goes out as
//! [`engine::Output`]. A node and a simulation execute the outputs in the same way. Every foreign byte is
//! verified before it is stored, and nothing is believed because of who sent it.

pub mod alarm;
pub mod bundle;
pub mod engine;
pub mod follow;
pub mod footprint;
pub mod heads;
pub mod nudge;
pub mod paths;
pub mod places;
pub mod request;
pub mod serve;
pub mod split;
pub mod start;
pub mod witness;

#[cfg(test)]
mod testing;

pub use alarm::Alarm;
pub use engine::{Engine, EngineConfig, Input, Limits, Output, Snapshot};
pub use heads::{Head, Heads, HeadsError};
pub use paths::{LogFile, LogName, MirrorFile, Route, origin_hash};
pub use request::{CallerClaim, Nonces, RequestError, SignedHeaders, Target};
