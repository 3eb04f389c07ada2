//! What a record's blobs hold, when a desk asks. Plaintexts of sealed records live in memory only.

use std::collections::BTreeMap;

use bytes::Bytes;
use tlog::hash::Hash;

/// The content of one record.
#[derive(Default)]
pub struct Content {
    blobs: BTreeMap<Hash, Bytes>,
    inner_text: Option<String>,
}

impl Content {
    /// From the plaintexts of the record's blobs.
    pub fn new(blobs: impl IntoIterator<Item = (Hash, Bytes)>) -> Self {
        Self { blobs: blobs.into_iter().collect(), inner_text: None }
    }

    /// The same, with the inner header of a sealed record as it was written.
    #[must_use]
    pub fn with_inner_text(mut self, text: String) -> Self {
        self.inner_text = Some(text);
        self
    }

    /// Adds a blob.
    pub(super) fn add(&mut self, hash: Hash, bytes: Bytes) {
        self.blobs.insert(hash, bytes);
    }

    /// The inner header of a sealed record, byte for byte: what was committed to.
    pub fn inner_text(&self) -> Option<&str> {
        self.inner_text.as_deref()
    }

    /// A blob that the header names, to be kept without a copy.
    pub fn bytes(&self, hash: &Hash) -> Option<&Bytes> {
        self.blobs.get(hash)
    }

    /// How many bytes it is.
    pub(super) fn len(&self) -> u64 {
        self.blobs.values().map(|bytes| bytes.len() as u64).sum()
    }

    /// The bytes of a blob that the header names.
    pub fn blob(&self, hash: &Hash) -> Option<&[u8]> {
        self.blobs.get(hash).map(AsRef::as_ref)
    }
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Content({} blobs)", self.blobs.len())
    }
}

/// What a desk is given of a record.
#[derive(Debug)]
pub enum Given<'a> {
    /// What it says, and no file yet.
    Header,
    /// The files that the desk wants.
    Content(&'a Content),
    /// What the desk made of a large one.
    Loaded(crate::desks::Loaded),
}
