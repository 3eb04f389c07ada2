//! The RFC 6962 tree over tiles: appending at its right edge, its root, and making proofs.
//!
//! Tiles come and go through closures; nothing is fetched or stored here, and what a source returns is not
//! trusted further than a proof made of it, which its reader verifies.

use crate::hash::{EMPTY_ROOT, Hash, node_hash};
use crate::proof::ProofError;
use crate::text::MAX_TREE_SIZE;
use crate::tile::{
    FULL_WIDTH, MAX_LEVEL, TILE_HEIGHT, TileError, TileId, partial_width, tile_bytes, tile_hashes,
};
use std::collections::{BTreeMap, BTreeSet};

/// Why a tree could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// The source does not have a tile.
    #[error("{0} is missing")]
    Missing(TileId),
    /// The source has fewer hashes of a tile than the tree.
    #[error("{tile} has {found} hashes only")]
    TooNarrow {
        /// What was asked for.
        tile: TileId,
        /// How many hashes came.
        found: usize,
    },
    /// The source's bytes are no tile.
    #[error("{tile}: {error}")]
    Tile {
        /// What was asked for.
        tile: TileId,
        /// What is wrong.
        error: TileError,
    },
    /// No such proof in a tree of that size.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

impl TreeError {
    /// A stable name of the error, for translation.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing(_) => "tree-missing-tile",
            Self::TooNarrow { .. } => "tree-narrow-tile",
            Self::Tile { error, .. } => error.code(),
            Self::Proof(error) => error.code(),
        }
    }

    /// Named arguments of the message, in a fixed order.
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Missing(value) => vec![("tile", value.to_string())],
            Self::TooNarrow { tile, found } => vec![("tile", tile.to_string()), ("found", found.to_string())],
            Self::Tile { tile, error } => vec![("tile", tile.to_string()), ("reason", error.to_string())],
            Self::Proof(error) => error.arguments(),
        }
    }
}

/// The right edge of a tree: its partial tiles. Enough to append and to compute the root.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Edge {
    size: u64,
    /// Per level the hashes of its partial tile, at most 255.
    levels: Vec<Vec<Hash>>,
}

impl Edge {
    /// The edge of the empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// The partial tiles of a tree of a size: what [`Edge::from_tiles`] asks for.
    pub fn tiles(size: u64) -> Vec<TileId> {
        (0..=MAX_LEVEL)
            .map(|level| (level, partial_width(level, size)))
            .filter(|(_, width)| *width > 0)
            .map(|(level, width)| TileId { level, index: tile_index(level, size), width })
            .collect()
    }

    /// The edge of a tree of a size. A source may return a tile that has grown since. The caller compares
    /// [`Edge::root`] with a checkpoint.
    pub fn from_tiles(size: u64, source: impl Fn(TileId) -> Option<Vec<u8>>) -> Result<Self, TreeError> {
        if size > MAX_TREE_SIZE {
            return Err(ProofError::TooLarge(size).into());
        }
        let mut levels = Vec::new();
        for tile in Self::tiles(size) {
            levels.resize(usize::from(tile.level), Vec::new());
            levels.push(load(tile, &source)?);
        }
        Ok(Self { size, levels })
    }

    /// How many entries.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree.
    pub fn root(&self) -> Hash {
        // Complete subtrees from the right, each the left neighbour of all that was taken before.
        let mut root = None;
        for level in &self.levels {
            let mut hashes = level.as_slice();
            while !hashes.is_empty() {
                let (left, subtree) = hashes.split_at(hashes.len() - (1 << hashes.len().trailing_zeros()));
                let subtree = complete_root(subtree);
                root = Some(root.map_or(subtree, |right| node_hash(subtree, right)));
                hashes = left;
            }
        }
        root.unwrap_or(EMPTY_ROOT)
    }

    /// The partial tiles with their bytes.
    pub fn partials(&self) -> Vec<(TileId, Vec<u8>)> {
        Self::tiles(self.size)
            .into_iter()
            .filter_map(|tile| Some((tile, tile_bytes(self.levels.get(usize::from(tile.level))?))))
            .collect()
    }

    /// Appends an entry by its leaf hash; hands over each tile that became full.
    pub fn append(&mut self, leaf: Hash, full: &mut impl FnMut(TileId, Vec<u8>)) {
        let (mut hash, mut level) = (leaf, 0_u8);
        loop {
            let slot = usize::from(level);
            if self.levels.len() == slot {
                self.levels.push(Vec::with_capacity(usize::from(FULL_WIDTH)));
            }
            let hashes = &mut self.levels[slot];
            hashes.push(hash);
            if hashes.len() < usize::from(FULL_WIDTH) {
                break;
            }
            full(
                TileId { level, index: tile_index(level, self.size), width: FULL_WIDTH },
                tile_bytes(hashes),
            );
            hash = complete_root(hashes);
            hashes.clear();
            level += 1;
        }
        self.size += 1;
    }
}

/// The index of the last tile of a level, in a tree of a size.
fn tile_index(level: u8, size: u64) -> u64 {
    size.checked_shr(TILE_HEIGHT * (u32::from(level) + 1)).unwrap_or(0)
}

/// The hash of a full tile, as it stands in its parent tile.
pub fn tile_root(hashes: &[Hash; 256]) -> Hash {
    complete_root(hashes)
}

/// The root of a complete subtree, whose leaves are a power of two.
fn complete_root(hashes: &[Hash]) -> Hash {
    debug_assert!(hashes.len().is_power_of_two(), "a complete subtree");
    let mut layer = hashes.to_vec();
    let mut width = layer.len();
    while width > 1 {
        width /= 2;
        for n in 0..width {
            layer[n] = node_hash(layer[2 * n], layer[2 * n + 1]);
        }
    }
    layer[0]
}

/// The root of a tree with these leaf hashes, by the definition of RFC 6962 section 2.1.
pub fn root_of_leaves(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => EMPTY_ROOT,
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(1 << (leaves.len() - 1).ilog2());
            node_hash(root_of_leaves(left), root_of_leaves(right))
        }
    }
}

/// Entries from `start` to before `end`, whose subtree is one node of the tree: `start` is a multiple of the
/// least power of two that is not below the length.
#[derive(Clone, Copy)]
struct Range {
    start: u64,
    end: u64,
}

impl Range {
    /// The largest power of two below the length, which must be at least 2.
    fn split(self) -> u64 {
        self.start + (1 << (self.end - self.start - 1).ilog2())
    }

    /// Complete subtrees that make up the range, from the left: their heights and places at that height.
    fn complete(self) -> impl Iterator<Item = (u32, u64)> {
        let mut start = self.start;
        std::iter::from_fn(move || {
            let height = (self.end - start).checked_ilog2()?;
            let subtree = (height, start >> height);
            start += 1 << height;
            Some(subtree)
        })
    }
}

/// The tile that holds or spans a complete subtree, and the hashes in it that make it up.
fn locate(height: u32, place: u64, size: u64) -> Option<(TileId, std::ops::Range<usize>)> {
    let level = u8::try_from(height / TILE_HEIGHT).ok()?;
    let count = 1_u64 << (height % TILE_HEIGHT);
    let first = place * count;
    let tile = TileId::in_tree(level, first / u64::from(FULL_WIDTH), size)?;
    let offset = usize::try_from(first % u64::from(FULL_WIDTH)).ok()?;
    Some((tile, offset..offset + usize::try_from(count).ok()?))
}

/// The ranges of an inclusion proof, from the leaf's sibling to the root's child.
fn inclusion_ranges(index: u64, size: u64) -> Result<Vec<Range>, ProofError> {
    if size > MAX_TREE_SIZE {
        return Err(ProofError::TooLarge(size));
    }
    if index >= size {
        return Err(ProofError::IndexOutside { index, size });
    }
    let mut ranges = Vec::new();
    let mut tree = Range { start: 0, end: size };
    while tree.end - tree.start > 1 {
        let split = tree.split();
        let (left, right) = (Range { end: split, ..tree }, Range { start: split, ..tree });
        let (inside, outside) = if index < split { (left, right) } else { (right, left) };
        ranges.push(outside);
        tree = inside;
    }
    ranges.reverse();
    Ok(ranges)
}

/// The ranges of a consistency proof, in the order of RFC 6962 section 2.1.2.
fn consistency_ranges(old: u64, new: u64) -> Result<Vec<Range>, ProofError> {
    if new > MAX_TREE_SIZE {
        return Err(ProofError::TooLarge(new));
    }
    if old > new {
        return Err(ProofError::Shrinks { old, new });
    }
    let mut ranges = Vec::new();
    if old == 0 || old == new {
        return Ok(ranges);
    }
    let mut tree = Range { start: 0, end: new };
    while tree.end != old {
        let split = tree.split();
        let (left, right) = (Range { end: split, ..tree }, Range { start: split, ..tree });
        let (inside, outside) = if old <= split { (left, right) } else { (right, left) };
        ranges.push(outside);
        tree = inside;
    }
    // The old root itself is known to who verifies.
    if tree.start != 0 {
        ranges.push(tree);
    }
    ranges.reverse();
    Ok(ranges)
}

fn tiles_for(ranges: &[Range], size: u64) -> Vec<TileId> {
    let tiles: BTreeSet<TileId> = ranges
        .iter()
        .flat_map(|range| range.complete())
        .filter_map(|(height, place)| locate(height, place, size))
        .map(|(tile, _)| tile)
        .collect();
    tiles.into_iter().collect()
}

fn hashes_of(
    ranges: &[Range],
    size: u64,
    source: impl Fn(TileId) -> Option<Vec<u8>>,
) -> Result<Vec<Hash>, TreeError> {
    let tiles: BTreeMap<TileId, Vec<Hash>> = tiles_for(ranges, size)
        .into_iter()
        .map(|tile| Ok((tile, load(tile, &source)?)))
        .collect::<Result<_, TreeError>>()?;
    let hash_of = |range: &Range| {
        let subtrees: Vec<Hash> = range
            .complete()
            .filter_map(|(height, place)| locate(height, place, size))
            .filter_map(|(tile, within)| Some(complete_root(tiles.get(&tile)?.get(within)?)))
            .collect();
        subtrees.into_iter().rev().reduce(|right, left| node_hash(left, right)).unwrap_or(EMPTY_ROOT)
    };
    Ok(ranges.iter().map(hash_of).collect())
}

/// The hashes of one tile, cut to the width asked for.
fn load(tile: TileId, source: impl Fn(TileId) -> Option<Vec<u8>>) -> Result<Vec<Hash>, TreeError> {
    let bytes = source(tile).ok_or(TreeError::Missing(tile))?;
    let mut hashes = tile_hashes(&bytes).map_err(|error| TreeError::Tile { tile, error })?;
    if hashes.len() < usize::from(tile.width) {
        return Err(TreeError::TooNarrow { tile, found: hashes.len() });
    }
    hashes.truncate(usize::from(tile.width));
    Ok(hashes)
}

/// The tiles that [`prove_inclusion`] asks for.
pub fn tiles_for_inclusion(index: u64, size: u64) -> Result<Vec<TileId>, ProofError> {
    Ok(tiles_for(&inclusion_ranges(index, size)?, size))
}

/// The RFC 6962 audit path of an entry in a tree of a size.
pub fn prove_inclusion(
    index: u64,
    size: u64,
    source: impl Fn(TileId) -> Option<Vec<u8>>,
) -> Result<Vec<Hash>, TreeError> {
    hashes_of(&inclusion_ranges(index, size)?, size, source)
}

/// The tiles that [`prove_consistency`] asks for.
pub fn tiles_for_consistency(old: u64, new: u64) -> Result<Vec<TileId>, ProofError> {
    Ok(tiles_for(&consistency_ranges(old, new)?, new))
}

/// The RFC 6962 consistency proof between two sizes of a tree.
pub fn prove_consistency(
    old: u64,
    new: u64,
    source: impl Fn(TileId) -> Option<Vec<u8>>,
) -> Result<Vec<Hash>, TreeError> {
    hashes_of(&consistency_ranges(old, new)?, new, source)
}
