//! What a record's blobs hold, when a desk asks. Plaintexts of sealed records live in memory only.

use std::collections::BTreeMap;

use crate::fault::Fault;
use async_trait::async_trait;
use record::{Header, Record};
use tlog::hash::Hash;

/// The content of one record.
#[derive(Default)]
pub struct Content {
    blobs: BTreeMap<Hash, Vec<u8>>,
    inner_text: Option<String>,
}

impl Content {
    /// From the plaintexts of the record's blobs.
    pub fn new(blobs: impl IntoIterator<Item = (Hash, Vec<u8>)>) -> Self {
        Self { blobs: blobs.into_iter().collect(), inner_text: None }
    }

    /// The same, with the inner header of a sealed record as it was written.
    #[must_use]
    pub fn with_inner_text(mut self, text: String) -> Self {
        self.inner_text = Some(text);
        self
    }

    /// The inner header of a sealed record, byte for byte: what was committed to.
    pub fn inner_text(&self) -> Option<&str> {
        self.inner_text.as_deref()
    }

    /// The bytes of a blob that the header names.
    pub fn blob(&self, hash: &Hash) -> Option<&[u8]> {
        self.blobs.get(hash).map(Vec::as_slice)
    }
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Content({} blobs)", self.blobs.len())
    }
}

/// A record with what it holds.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // One at a time.
pub enum Opening {
    /// Everything is here. `inner` is the inner header of a sealed record.
    Whole {
        /// The inner header, of a sealed record.
        inner: Option<Header>,
        /// Its blobs.
        content: Content,
    },
    /// Some blob has not arrived.
    Waiting,
    /// Personal data whose day has come: nobody opens it any more.
    Expired,
    /// Sealed for others.
    NotForUs,
    /// Refused: the seal is broken. An alarm was raised.
    Refused(Fault),
}

/// Where content comes from.
#[async_trait]
pub trait ContentSource: Send + Sync {
    /// The valid record at a place of a log that is here.
    async fn record(&self, origin: &str, index: u64) -> Option<Record>;

    /// Gets (and opens) what a record holds; `root` is the version of its author's root in force at its place.
    async fn open(&self, record: &Record, root: u64) -> Result<Opening, store::FilesError>;
}
