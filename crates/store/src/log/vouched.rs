//! Entries as a signed root has them: what lies on this disk is believed no more than what somebody sent.
//!
//! Only what is read is hashed: the entries, their tiles of level 0, and the way up to the root.

use super::LogError;
use super::reader::{LogReader, WIDTH};
use crate::layout;
use bytes::Bytes;
use std::ops::Range;
use tlog::tile::{FULL_WIDTH, tile_hashes};
use tlog::{Hash, TileId, leaf_hash, verify_inclusion};

impl LogReader {
    /// The entries of a range of the tree with this root and this reader's size, at most 65,536 of them.
    ///
    /// # Errors
    /// [`LogError::Damaged`] names the file that is not of that tree.
    pub async fn read_vouched(&self, range: Range<u64>, root: Hash) -> Result<Vec<Bytes>, LogError> {
        let entries = match self.read_entries(range.clone()).await {
            Err(error) if error.is_damage() => return Err(self.which_is_damaged(error, root).await),
            read => read?,
        };
        let mut next = range.start;
        while next < range.end {
            let index = next / WIDTH;
            let until = range.end.min((index + 1) * WIDTH);
            let of = |at: u64| usize::try_from(at - range.start).unwrap_or(usize::MAX);
            let read = entries.get(of(next)..of(until)).unwrap_or_default();
            self.check(next, read, root).await?;
            next = until;
        }
        Ok(entries)
    }

    /// Checks entries of one bundle, the first of them at this place.
    async fn check(&self, first: u64, entries: &[Bytes], root: Hash) -> Result<(), LogError> {
        let index = first / WIDTH;
        let width = WIDTH.min(self.size() - index * WIDTH);
        let tile = TileId { level: 0, index, width: u16::try_from(width).unwrap_or(FULL_WIDTH) };
        let leaves = match self.tile(tile).await {
            Err(error) if error.is_damage() => Vec::new(),
            tile => tile?.map_or_else(|| Ok(Vec::new()), |bytes| tile_hashes(&bytes))?,
        };
        let at = usize::try_from(first % WIDTH).unwrap_or(usize::MAX);
        let said = leaves.get(at..).unwrap_or_default();
        let is_said = said.len() >= entries.len()
            && entries.iter().zip(said).all(|(entry, leaf)| leaf_hash(entry) == *leaf);
        match (self.is_tile_vouched(&leaves, index * WIDTH, root).await?, is_said) {
            (true, true) => Ok(()),
            (true, false) => Err(LogError::Damaged { path: self.named(&layout::bundle(index)) }),
            (false, _) => {
                let path = self.named(&layout::tile(tile));
                Err(self.which_is_damaged(LogError::Damaged { path }, root).await)
            }
        }
    }

    /// Whether the root vouches for a tile. The proof of one of its hashes is made of all the others too.
    async fn is_tile_vouched(&self, leaves: &[Hash], first: u64, root: Hash) -> Result<bool, LogError> {
        let proof = match self.prove_inclusion(first).await {
            Err(error) if error.is_damage() => return Ok(false),
            proof => proof?,
        };
        let is_proven = |leaf: &Hash| verify_inclusion(*leaf, first, self.size(), &proof, root).is_ok();
        Ok(leaves.first().is_some_and(is_proven))
    }

    /// Which file it is that keeps entries from the root: found by reading them all, which is done when one is wrong.
    async fn which_is_damaged(&self, met: LogError, root: Hash) -> LogError {
        match self.damage(root).await {
            Ok(found) => found.into_iter().next().map_or(met, |path| LogError::Damaged { path }),
            Err(error) => error,
        }
    }
}
