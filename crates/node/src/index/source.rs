//! Where the index gets what it replays: logs, blobs, witness files, roots, keys.
//!
//! The index never asks who wants to know, keeps no handle on files or clocks of its own, and writes nothing here.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use record::{Authority, Origin, Record, RootChain, Time};
use tlog::checkpoint::SignedCheckpoint;
use tlog::hash::Hash;

use super::{Finding, IndexError, KnownAuthority, Receipt};

/// A log that is on this node, as far as it is verified and durable.
#[derive(Debug, Clone)]
pub struct LogHead {
    /// The log.
    pub origin: Origin,
    /// How many entries are here.
    pub size: u64,
    /// The newest verified checkpoint.
    pub checkpoint: Option<SignedCheckpoint>,
}

/// What the index is made of.
#[async_trait]
pub trait Source: Send + Sync {
    /// Every log that is here, own and copied.
    async fn logs(&self) -> Result<Vec<LogHead>, IndexError>;

    /// One of them.
    async fn log(&self, origin: &Origin) -> Result<Option<LogHead>, IndexError>;

    /// Entries of a log that is here.
    async fn entries(&self, origin: &Origin, range: Range<u64>) -> Result<Vec<Bytes>, IndexError>;

    /// When this node first verified entries of a range: (the entries before this size, seconds since 1970), in the
    /// order of sizes, the last one at or behind the end of the range.
    async fn first_seen(&self, origin: &Origin, range: Range<u64>) -> Result<Vec<(u64, i64)>, IndexError>;

    /// A blob, if it is here and whole.
    async fn blob(&self, sha256: &Hash) -> Result<Option<Bytes>, IndexError>;

    /// Whether a blob is here; it may be damaged.
    async fn has_blob(&self, sha256: &Hash) -> Result<bool, IndexError>;

    /// The `seen` file of a number, if it is here.
    async fn seen(&self, origin: &Origin, n: u64) -> Result<Option<SignedCheckpoint>, IndexError>;

    /// How many `seen` files of a log there are, as far as that is known: one before that which is not here is a gap.
    fn seen_count(&self, _origin: &Origin) -> u64 {
        0
    }

    /// The archived receipts of own logs: all, or of each reader the last few.
    async fn receipts(&self, all: bool) -> Result<Vec<(Origin, Receipt)>, IndexError>;

    /// The pinned roots of an authority, this one included.
    fn chain(&self, authority: &Authority) -> Option<Arc<RootChain>>;

    /// The pinned roots of everybody, this authority included.
    fn chains(&self) -> Vec<Arc<RootChain>>;

    /// Every known authority, this one included.
    fn authorities(&self) -> Vec<KnownAuthority>;

    /// The age identities whose keys were not destroyed: those for personal data, or the lasting ones.
    async fn identities(&self, expiring: bool) -> Result<Vec<record::seal::Identity>, IndexError>;

    /// Whether the private keys are here to which a record should have been sealed.
    fn holds_listed_keys(&self, record: &Record, identities: &[record::seal::Identity]) -> bool;

    /// The moment, for what expires.
    fn now(&self) -> Time;

    /// Tells the operator.
    async fn report(&self, findings: Vec<Finding>);
}
