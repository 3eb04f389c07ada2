//! What the writer remembers of a log between two appends.

use super::batch::Growing;
use std::collections::BTreeSet;
use tlog::SignedCheckpoint;

/// Batches that may wait for one settling, unless the writer is told otherwise.
pub(super) const MAX_CHAIN: usize = 64;
/// Bytes of staged batches that may wait for one settling.
const MAX_CHAIN_BYTES: usize = 16 << 20;

/// A log that is open for appending.
#[derive(Debug, Clone)]
pub(super) struct OpenLog {
    pub(super) prefix: String,
    /// The head with its bytes in the cell; `None` while the log has no entry.
    pub(super) head: Option<(SignedCheckpoint, Vec<u8>)>,
    pub(super) growing: Growing,
    pub(super) waiting: Waiting,
}

/// What is written at its place but not durable there, and the staged batches that it can be made from.
#[derive(Debug, Clone, Default)]
pub(super) struct Waiting {
    /// Staged batches, oldest first; the first one is whole.
    pub(super) chain: Vec<String>,
    /// Bytes of the staged batches.
    pub(super) bytes: usize,
    /// Paths of the written files.
    pub(super) paths: BTreeSet<String>,
}

impl OpenLog {
    pub(super) fn new(prefix: &str, head: Option<(SignedCheckpoint, Vec<u8>)>, growing: Growing) -> Self {
        Self { prefix: prefix.to_owned(), head, growing, waiting: Waiting::default() }
    }

    pub(super) fn at_place(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }
}

impl Waiting {
    pub(super) fn add(&mut self, staged: String, bytes: usize) {
        self.chain.push(staged);
        self.bytes += bytes;
    }

    pub(super) fn is_due(&self, max_chain: usize) -> bool {
        self.chain.len() >= max_chain || self.bytes >= MAX_CHAIN_BYTES
    }
}
