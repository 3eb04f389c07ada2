//! Consecutive bundles whose bytes are verified: judged, and turned into files.

use record::{Judged, LogState, RootChain};
use tlog::tile::{FULL_WIDTH, tile_bytes};
use tlog::{Edge, Hash, SignedCheckpoint, TileId, leaf_hash, read_bundle};

use super::Verified;
use crate::paths::LogFile;

/// Verified bundles and what becomes of the log with them.
#[derive(Debug, Clone)]
pub(super) struct Batch {
    bundles: Vec<(u64, Vec<u8>)>,
    /// The new leaves, those that we had left out.
    pub leaves: Vec<Hash>,
    /// The tree with them.
    pub edge: Edge,
    /// The log's state after as many of them as were judged.
    pub state: LogState,
    pub judged: Vec<Judged>,
    full: Vec<(TileId, Vec<u8>)>,
}

/// The leaf hashes of bundles (index, width, bytes), one list per bundle; `None` if one is no such bundle.
pub(super) fn leaves_of(bundles: &[(u64, u16, &[u8])]) -> Option<Vec<Vec<Hash>>> {
    bundles
        .iter()
        .map(|(_, width, bytes)| {
            let entries = read_bundle(bytes, usize::from(*width)).ok()?;
            Some(entries.into_iter().map(leaf_hash).collect())
        })
        .collect()
}

impl Batch {
    pub fn new(edge: &Edge, state: &LogState, bundles: Vec<(u64, Vec<u8>)>, leaves: Vec<Vec<Hash>>) -> Self {
        let known = usize::try_from(edge.size() % u64::from(FULL_WIDTH)).unwrap_or(0);
        let leaves: Vec<Hash> = leaves.into_iter().flatten().skip(known).collect();
        let (mut edge, mut full) = (edge.clone(), Vec::new());
        for leaf in &leaves {
            edge.append(*leaf, &mut |tile, bytes| full.push((tile, bytes)));
        }
        Self { bundles, leaves, edge, state: state.clone(), judged: Vec::new(), full }
    }

    /// How many bytes its bundles have.
    pub fn bytes(&self) -> usize {
        self.bundles.iter().map(|(_, bytes)| bytes.len()).sum()
    }

    pub fn holds(&self, bundle: u64) -> bool {
        self.bundles.iter().any(|(index, _)| *index == bundle)
    }

    /// Judges the entries that were not judged yet; an error names the root that is needed first.
    pub fn judge(&mut self, chain: &RootChain) -> Result<(), u64> {
        let from = self.state.size();
        let Some((first, _)) = self.bundles.first() else { return Ok(()) };
        let skip = usize::try_from(from - first * u64::from(FULL_WIDTH)).unwrap_or(usize::MAX);
        let mut entries: Vec<&[u8]> = Vec::with_capacity(self.leaves.len());
        for (index, bytes) in &self.bundles {
            let width = (self.edge.size() - index * u64::from(FULL_WIDTH)).min(u64::from(FULL_WIDTH));
            // The bundle was read before, when its leaves were checked.
            entries.extend(read_bundle(bytes, usize::try_from(width).unwrap_or(0)).unwrap_or_default());
        }
        match self.state.take_many(from, entries.get(skip..).unwrap_or_default(), chain) {
            Ok(judged) => {
                self.judged.extend(judged);
                Ok(())
            }
            Err(needs) => {
                self.judged.extend(needs.taken);
                Err(needs.n)
            }
        }
    }

    /// The files that keep the batch, with the tree and state after it.
    pub fn finish(self, from: u64, reached: Option<SignedCheckpoint>) -> (Verified, Edge, LogState) {
        let mut files: Vec<(String, Vec<u8>)> = Vec::new();
        for (index, bytes) in self.bundles {
            files.push((LogFile::Entries { index, width: FULL_WIDTH }.stored_path(), bytes));
        }
        let tiles = self.full.into_iter().chain(self.edge.partials());
        files.extend(tiles.map(|(tile, bytes)| (LogFile::Tile(tile).stored_path(), bytes)));
        if let Some(checkpoint) = &reached {
            files.push((LogFile::Checkpoint.stored_path(), checkpoint.to_bytes()));
        }
        let to = self.edge.size();
        (Verified { from, to, judged: self.judged, files, reached }, self.edge, self.state)
    }
}

/// The tiles of an edge as one run of bytes, by level.
pub(super) fn edge_bytes(edge: &Edge) -> Vec<u8> {
    edge.partials().into_iter().flat_map(|(_, bytes)| bytes).collect()
}

/// Reads what [`edge_bytes`] wrote.
pub(super) fn read_edge(size: u64, bytes: &[u8]) -> Option<Edge> {
    let mut rest = bytes;
    let mut tiles = std::collections::BTreeMap::new();
    for tile in Edge::tiles(size) {
        let (hashes, after) = rest.split_at_checked(32 * usize::from(tile.width))?;
        tiles.insert(tile, tile_bytes(&tlog::tile::tile_hashes(hashes).ok()?));
        rest = after;
    }
    if !rest.is_empty() {
        return None;
    }
    Edge::from_tiles(size, |tile| tiles.get(&tile).cloned()).ok()
}
