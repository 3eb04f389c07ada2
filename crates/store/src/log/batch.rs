//! The growing end of a log in memory: entries go in, and the files that change come out.

use crate::layout;
use bytes::Bytes;
use std::collections::BTreeMap;
use tlog::tile::FULL_WIDTH;
use tlog::{Edge, Hash, leaf_hash, write_bundle};

use super::LogError;

/// A log's right edge and its growing bundle.
#[derive(Debug, Clone, Default)]
pub(super) struct Growing {
    edge: Edge,
    /// The edge where the growing bundle begins.
    base: Edge,
    /// The entries of the growing bundle: those from `base.size()`.
    entries: Vec<Bytes>,
}

/// The files of a log that a batch changes, by their path below its prefix.
pub(super) type Changed = BTreeMap<String, Content>;

/// What a file holds now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) bytes: Bytes,
    /// Whether it grows on: a longer version of it begins with these bytes.
    pub(super) grows: bool,
}

impl Content {
    fn new(bytes: Vec<u8>, grows: bool) -> Self {
        Self { bytes: Bytes::from(bytes), grows }
    }
}

impl Growing {
    /// The end of a log from its right edge at the last multiple of 256 and the entries since.
    pub(super) fn resume(base: Edge, entries: Vec<Bytes>) -> Self {
        let mut growing = Self { edge: base.clone(), base, entries: Vec::new() };
        // Less than a bundle: no file becomes full.
        let _ = growing.append(entries);
        growing
    }

    pub(super) fn size(&self) -> u64 {
        self.edge.size()
    }

    pub(super) fn root(&self) -> Hash {
        self.edge.root()
    }

    pub(super) fn base(&self) -> &Edge {
        &self.base
    }

    pub(super) fn entries(&self) -> &[Bytes] {
        &self.entries
    }

    /// Appends entries; answers the files that change: what became full and what grows on.
    pub(super) fn append(&mut self, entries: Vec<Bytes>) -> Result<Changed, LogError> {
        let mut changed = Changed::new();
        let before = self.edge.size();
        for entry in entries {
            let leaf = leaf_hash(&entry);
            self.edge.append(leaf, &mut |tile, bytes| {
                changed.insert(layout::tile(tile), Content::new(bytes, false));
            });
            self.entries.push(entry);
            if self.entries.len() == usize::from(FULL_WIDTH) {
                self.write_bundle(&mut changed)?;
                self.base = self.edge.clone();
                self.entries.clear();
            }
        }
        self.write_growing(before, &mut changed)?;
        Ok(changed)
    }

    fn write_growing(&self, before: u64, changed: &mut Changed) -> Result<(), LogError> {
        if self.edge.size() == before {
            return Ok(());
        }
        for (tile, bytes) in self.edge.partials() {
            if tlog::tile::hashes_at(tile.level, self.edge.size()) > tlog::tile::hashes_at(tile.level, before)
            {
                changed.insert(layout::tile(tile), Content::new(bytes, true));
            }
        }
        if self.entries.is_empty() { Ok(()) } else { self.write_bundle(changed) }
    }

    fn write_bundle(&self, changed: &mut Changed) -> Result<(), LogError> {
        let path = layout::bundle(self.base.size() / u64::from(FULL_WIDTH));
        let grows = self.entries.len() < usize::from(FULL_WIDTH);
        changed.insert(path, Content::new(write_bundle(&self.entries)?, grows));
        Ok(())
    }
}
