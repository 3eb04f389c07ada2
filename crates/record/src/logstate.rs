//! The judgement of one log, entry by entry in order: which entries are valid records, under which root,
//! who may read, and how the log goes on. It replays; it never fetches, stores or forgives.

use std::collections::BTreeSet;

use tlog::{Hash, VerifierKey};

use crate::encoding::Authority;
use crate::header::HeaderError;
use crate::origin::Origin;
use crate::record::{Record, RecordError};
use crate::refusal::Refusal;
use crate::root::RootChain;

/// Who may read a log: what its `log.open` says, alone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Readers {
    /// Everybody.
    Public,
    /// A fixed set, the author included.
    Set(BTreeSet<Authority>),
}

impl Readers {
    /// Whether an authority may read.
    pub fn includes(&self, reader: &Authority) -> bool {
        match self {
            Self::Public => true,
            Self::Set(readers) => readers.contains(reader),
        }
    }

    /// Whether everybody may read.
    pub fn is_public(&self) -> bool {
        matches!(self, Self::Public)
    }
}

/// Where a log goes on from: `previous <origin> <size> <root>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Previous {
    /// The log before.
    pub origin: Origin,
    /// How many of its entries count.
    pub size: u64,
    /// Its root at that size.
    pub root: Hash,
}

/// One entry, judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// Its place in the log, from 0.
    pub index: u64,
    /// The leaf hash of its bytes.
    pub leaf: Hash,
    /// What it is.
    pub verdict: Verdict,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// A valid record.
    Valid {
        /// The record.
        record: Box<Record>,
        /// The author key that signed it.
        key: VerifierKey,
        /// Version of the root that it was judged by.
        root: u64,
    },
    /// No valid record: kept as bytes, counts for nothing, raises an alarm.
    Invalid {
        /// Why.
        reason: InvalidReason,
        /// The entry.
        bytes: Vec<u8>,
    },
}

/// Why an entry is no valid record of its log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidReason {
    /// The bytes are no record.
    #[error(transparent)]
    Record(#[from] RecordError),
}

/// A log names a trust root that the chain does not have yet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("root {n} of the log's author is needed to go on")]
pub struct NeedsRoot {
    /// The version.
    pub n: u64,
    /// What was judged before; these entries are taken and are not to be given again.
    pub taken: Vec<Judged>,
}

/// The state of one log after its first entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogState {
    origin: Origin,
    size: u64,
}

impl LogState {
    /// A log of which no entry was seen.
    pub fn new(origin: Origin) -> Self {
        Self { origin, size: 0 }
    }

    /// Judges the next entries in order; `first_index` must be [`LogState::size`].
    ///
    /// # Errors
    /// An entry names a root that `chain` does not have: extend the chain, then give the entries from
    /// [`LogState::size`] on again. The result is the same as with the longer chain at once.
    pub fn take_many(
        &mut self,
        first_index: u64,
        entries: &[&[u8]],
        chain: &RootChain,
    ) -> Result<Vec<Judged>, NeedsRoot> {
        todo!("{first_index} {} {}", entries.len(), chain.authority())
    }

    /// The log's name.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// How many entries were taken.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Who may read; `None` before a valid `log.open`.
    pub fn readers(&self) -> Option<&Readers> {
        todo!()
    }

    /// SHA-256 of the log's witness policy; `None` before a valid `log.open`.
    pub fn policy(&self) -> Option<Hash> {
        todo!()
    }

    /// Version of the root in force; 0 before a valid `log.open`.
    pub fn root_in_force(&self) -> u64 {
        todo!()
    }

    /// What the log follows.
    pub fn previous(&self) -> Option<&Previous> {
        todo!()
    }

    /// Whether `log.close` was taken.
    pub fn closed(&self) -> bool {
        todo!()
    }

    /// The successor that `log.close` named.
    pub fn next(&self) -> Option<&Origin> {
        todo!()
    }

    /// The `log` keys of the root in force, under the origin as name: one must have signed the checkpoint.
    pub fn log_key_at_head(&self, chain: &RootChain) -> Vec<VerifierKey> {
        chain.log_keys(self.root_in_force(), &self.origin)
    }

    /// The state as text, for keeping.
    pub fn to_bytes(&self) -> Vec<u8> {
        todo!()
    }

    /// Reads what [`LogState::to_bytes`] wrote.
    ///
    /// # Errors
    /// It is not such a text.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, HeaderError> {
        todo!("{}", bytes.len())
    }
}

impl Refusal for NeedsRoot {
    fn code(&self) -> &'static str {
        "log-needs-root"
    }

    fn arguments(&self) -> Vec<(&'static str, String)> {
        vec![("version", self.n.to_string())]
    }
}
