//! Which files of a log on this disk are not those of its head: read through, from the entries up, against the signed root.
//!
//! Every leaf is here twice, in its bundle and in its tile; where the two differ, the tile above says which one is right.
//! Nothing is written here, and nothing is fetched.

use super::LogError;
use super::reader::{LogReader, WIDTH};
use crate::layout;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use tlog::tile::{FULL_WIDTH, tile_hashes};
use tlog::tree::tile_root;
use tlog::{Edge, Hash, TileId, leaf_hash};

impl LogReader {
    /// The files of the log, by their paths, that are missing or not those of the tree with this root; none if all is well.
    /// All of them are read. Where so much is damaged that the root cannot be reached, the whole folder is named.
    pub async fn damage(&self, root: Hash) -> Result<Vec<String>, LogError> {
        let mut found = BTreeSet::new();
        let mut edge = Edge::new();
        for index in 0..self.size().div_ceil(WIDTH) {
            let width = WIDTH.min(self.size() - index * WIDTH);
            let leaves = self.leaves(index, width, &edge, root, &mut found).await?;
            if leaves.is_empty() {
                break; // Neither can be read: what follows has no place in the tree.
            }
            let mut full = BTreeMap::new();
            for leaf in leaves {
                edge.append(leaf, &mut |tile, bytes| drop(full.insert(tile, bytes)));
            }
            self.compare(full, &mut found).await?;
        }
        if edge.size() == self.size() {
            self.compare(edge.partials().into_iter().collect(), &mut found).await?;
        }
        if edge.root() != root {
            found.insert(self.named(""));
        }
        Ok(found.into_iter().collect())
    }

    /// The leaves of a bundle: as the bundle and the tile say, or, where they differ, as the one that the tree vouches for.
    async fn leaves(
        &self,
        index: u64,
        width: u64,
        edge: &Edge,
        root: Hash,
        found: &mut BTreeSet<String>,
    ) -> Result<Vec<Hash>, LogError> {
        let tile = TileId { level: 0, index, width: u16::try_from(width).unwrap_or(FULL_WIDTH) };
        let of_bundle = damaged_as_none(self.bundle_leaves(index, width).await)?;
        let bytes = damaged_as_none(self.tile(tile).await)?.flatten();
        let of_tile = bytes.as_deref().and_then(|bytes| tile_hashes(bytes).ok());
        let is_right = match &of_tile {
            None => true,
            Some(leaves) if of_bundle.as_ref() == Some(leaves) => true,
            Some(_) => match &of_bundle {
                Some(leaves) => self.is_vouched(index, leaves, edge, root).await?,
                None => false,
            },
        };
        if !is_right || of_bundle.is_none() {
            found.insert(self.named(&layout::bundle(index)));
        }
        // A tile that differs is found when it is compared with what these leaves make.
        Ok(if is_right { of_bundle } else { of_tile }.unwrap_or_default())
    }

    async fn bundle_leaves(&self, index: u64, width: u64) -> Result<Vec<Hash>, LogError> {
        let start = index * WIDTH;
        let entries = self.read_entries(start..start + width).await?;
        Ok(entries.iter().map(|entry| leaf_hash(entry)).collect())
    }

    /// Whether the tile above says so of a full bundle, or the root of one that grows.
    async fn is_vouched(
        &self,
        index: u64,
        leaves: &[Hash],
        edge: &Edge,
        root: Hash,
    ) -> Result<bool, LogError> {
        let Ok(full) = <&[Hash; 256]>::try_from(leaves) else {
            let mut edge = edge.clone();
            for leaf in leaves {
                edge.append(*leaf, &mut |_, _| ());
            }
            return Ok(edge.root() == root);
        };
        let Some(above) = TileId::in_tree(1, index / WIDTH, self.size()) else { return Ok(true) };
        let above = damaged_as_none(self.tile(above).await)?.flatten();
        let above = above.as_deref().and_then(|bytes| tile_hashes(bytes).ok());
        let said = above.and_then(|hashes| hashes.get(usize::try_from(index % WIDTH).ok()?).copied());
        Ok(said == Some(tile_root(full)))
    }

    /// Names the tiles on the disk that are not these.
    async fn compare(
        &self,
        tiles: BTreeMap<TileId, Vec<u8>>,
        found: &mut BTreeSet<String>,
    ) -> Result<(), LogError> {
        for (tile, bytes) in tiles {
            let wanted = TileId { width: u16::try_from(bytes.len() / 32).unwrap_or(FULL_WIDTH), ..tile };
            let there: Option<Bytes> = damaged_as_none(self.tile(wanted).await)?.flatten();
            if there.as_deref() != Some(&bytes) {
                found.insert(self.named(&layout::tile(tile)));
            }
        }
        Ok(())
    }
}

/// What is wrong with a file, and not with the disk or the moment, is what is looked for.
fn damaged_as_none<T>(read: Result<T, LogError>) -> Result<Option<T>, LogError> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error) if error.is_damage() => Ok(None),
        Err(error) => Err(error),
    }
}
