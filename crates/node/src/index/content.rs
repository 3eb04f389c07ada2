//! What a record's blobs hold, when a desk asks. Plaintexts of sealed records live in memory only.

use std::collections::BTreeMap;

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

    /// Adds a blob.
    pub(super) fn add(&mut self, hash: Hash, bytes: Vec<u8>) {
        self.blobs.insert(hash, bytes);
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
