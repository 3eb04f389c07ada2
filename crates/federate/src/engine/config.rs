//! What an operator may tune, and the limits that keep a liar from filling this machine.

use record::Authority;

/// Who the engine is.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// This authority.
    pub me: Authority,
    /// Of the jitter of retries. Any number; the same one in a simulation that is repeated.
    pub seed: u64,
    /// The limits.
    pub limits: Limits,
}

/// Limits. Times are in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Fetches in flight per log.
    pub in_flight: usize,
    /// Bundles judged together.
    pub batch_bundles: usize,
    /// Bytes of logs in memory, from the question until they are stored: shared by the peers that something is being
    /// caught up from, and of each peer by its logs. One bundle is always asked for; one of more than 1 MiB of one log of a
    /// peer at a time.
    pub ahead_bytes: usize,
    /// Bytes of blobs that are being fetched or stored, over all logs, in each of three lanes: small ones, large
    /// ones that come first in their record, other large ones.
    pub blob_bytes: u64,
    /// What one author's logs and files may take on this disk, in bytes, as [`crate::footprint`] counts it.
    pub quota: u64,
    /// Files of one author that are known to be wanted: when there are more, nothing more of its entries is taken until half of
    /// them came. Each takes about 600 bytes of memory, and what comes with the entries under way is beyond it.
    pub wanted: usize,
    /// Records of somebody else of which he says that he erased his copies: so many are remembered, at about 60 bytes. Files of
    /// further ones are asked for in vain. What this authority erased is remembered, however much it is.
    pub erased: usize,
    /// Records of one log of which it is said that a file is too large for anybody: beyond that nobody is told.
    pub too_large: usize,
    /// Logs being caught up at the same time from each peer.
    pub logs_at_once: usize,
    /// `seen` files being fetched at the same time from each peer.
    pub seen_at_once: usize,
    /// Between two polls of a peer that answers at once, in the mean: the first few go together.
    pub poll: u64,
    /// The first wait after a failure; it doubles.
    pub retry_first: u64,
    /// The longest wait after failures.
    pub retry_longest: u64,
    /// Between two receipts, between two `seen` files, and between two times that readers are woken for an author whose logs
    /// change all the time.
    pub at_most_every: u64,
    /// Between two questions for next roots and one's own heads.
    pub hourly: u64,
    /// How long a start waits for witnesses and followers.
    pub start_wait: u64,
    /// After this long without a blob that it wants, a record of a restricted log is named as missing something.
    pub missing_after: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            in_flight: 32,
            batch_bundles: 8,
            ahead_bytes: 24 << 20,
            blob_bytes: 64 << 20,
            quota: 20 << 30,
            wanted: 32 << 10,
            erased: 200_000,
            too_large: 256,
            logs_at_once: 4,
            seen_at_once: 16,
            poll: 200,
            retry_first: 1_000,
            retry_longest: 300_000,
            at_most_every: 1_000,
            hourly: 3_600_000,
            start_wait: 10_000,
            missing_after: 900_000,
        }
    }
}
