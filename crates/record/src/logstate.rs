//! The judgement of one log, entry by entry in order: which entries are valid records, under which root,
//! who may read, and how the log goes on. It replays; it never fetches, stores or forgives, and it leaves
//! later revocations to whoever asks [`RootChain::revocation`], because they need proven times.

use std::collections::BTreeSet;

use tlog::{Hash, VerifierKey};

use crate::encoding::Authority;
use crate::origin::Origin;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::root::RootChain;

mod judge;
mod lines;
mod reason;
mod text;

pub use lines::{LogOpen, log_close_header, log_open_header, log_root_header};
pub use reason::InvalidReason;
pub use text::LogStateError;

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

    /// Whether whoever may read `other` may read this too.
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Public, _) => true,
            (Self::Set(_), Self::Public) => false,
            (Self::Set(readers), Self::Set(others)) => readers.is_superset(others),
        }
    }
}

/// Where a log goes on from: `previous <origin> <size> <root>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Previous {
    /// The log before, of the same author.
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

impl Judged {
    /// The record, if it is valid.
    pub fn record(&self) -> Option<&Record> {
        match &self.verdict {
            Verdict::Valid { record, .. } => Some(record),
            Verdict::Invalid { .. } => None,
        }
    }

    /// How many bytes the entry has.
    pub fn length(&self) -> u64 {
        match &self.verdict {
            Verdict::Valid { record, .. } => record.bytes.len() as u64,
            Verdict::Invalid { bytes, .. } => bytes.len() as u64,
        }
    }
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

impl Refusal for NeedsRoot {
    fn code(&self) -> &'static str {
        "log-needs-root"
    }

    fn arguments(&self) -> Vec<(&'static str, String)> {
        vec![("version", self.n.to_string())]
    }
}

/// The state of one log after its first entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogState {
    origin: Origin,
    size: u64,
    phase: Phase,
}

/// How far a log has come.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Phase {
    /// No entry yet.
    Empty,
    /// Its first entry was no valid `log.open`: nothing in it will ever count.
    Broken,
    Open(Opened),
    Closed(Opened, Origin),
}

/// What `log.open` and the `log.root` entries after it said.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Opened {
    readers: Readers,
    policy: Hash,
    previous: Option<Previous>,
    /// Version of the root in force.
    root: u64,
}

impl LogState {
    /// A log of which no entry was seen.
    pub fn new(origin: Origin) -> Self {
        Self { origin, size: 0, phase: Phase::Empty }
    }

    /// Judges the next entries in order. Signatures are verified on all threads of the rayon pool.
    ///
    /// # Errors
    /// An entry names a root that `chain` does not have: extend the chain, then give the entries from
    /// [`LogState::size`] on again. The result is the same as with the longer chain at once.
    ///
    /// # Panics
    /// `first_index` is not [`LogState::size`], or `chain` is not the author's: mistakes of the caller.
    pub fn take_many(
        &mut self,
        first_index: u64,
        entries: &[&[u8]],
        chain: &RootChain,
    ) -> Result<Vec<Judged>, NeedsRoot> {
        assert_eq!(first_index, self.size, "entries are taken in order");
        assert_eq!(chain.authority(), &self.origin.authority, "the chain is the author's");
        judge::take_many(self, entries, chain)
    }

    /// The log's name.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// How many entries were taken.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Whether the first entry was no valid `log.open`: an alarm; nothing in the log counts.
    pub fn broken(&self) -> bool {
        self.phase == Phase::Broken
    }

    /// Who may read; `None` before a valid `log.open`.
    pub fn readers(&self) -> Option<&Readers> {
        self.opened().map(|opened| &opened.readers)
    }

    /// SHA-256 of the log's witness policy; `None` before a valid `log.open`.
    pub fn policy(&self) -> Option<Hash> {
        self.opened().map(|opened| opened.policy)
    }

    /// Version of the root in force at the last entry; 0 before a valid `log.open`.
    pub fn root_in_force(&self) -> u64 {
        self.opened().map_or(0, |opened| opened.root)
    }

    /// What the log follows.
    pub fn previous(&self) -> Option<&Previous> {
        self.opened().and_then(|opened| opened.previous.as_ref())
    }

    /// Whether `log.close` was taken.
    pub fn closed(&self) -> bool {
        matches!(self.phase, Phase::Closed(..))
    }

    /// The successor that `log.close` named.
    pub fn next(&self) -> Option<&Origin> {
        match &self.phase {
            Phase::Closed(_, next) => Some(next),
            _ => None,
        }
    }

    /// The `log` keys of the root in force, under the origin as name: one must have signed the checkpoint.
    pub fn log_key_at_head(&self, chain: &RootChain) -> Vec<VerifierKey> {
        chain.log_keys(self.root_in_force(), &self.origin)
    }

    /// The state as text, for keeping.
    pub fn to_bytes(&self) -> Vec<u8> {
        text::write(self).into_bytes()
    }

    /// Reads what [`LogState::to_bytes`] wrote.
    ///
    /// # Errors
    /// It is not such a text.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LogStateError> {
        text::parse(bytes)
    }

    fn opened(&self) -> Option<&Opened> {
        match &self.phase {
            Phase::Open(opened) | Phase::Closed(opened, _) => Some(opened),
            Phase::Empty | Phase::Broken => None,
        }
    }
}
