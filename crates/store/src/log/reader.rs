//! Reading a log of a known size: entries, tiles, bundles and proofs. The same for own logs and mirrors.
//!
//! A tile or bundle that grows is stored under the path of the full one and is cut to the size that is
//! asked about. What is read is not verified here: a reader of a foreign log verifies it before it is stored.

use super::LogError;
use crate::files::Files;
use crate::layout;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use tlog::tile::{FULL_WIDTH, TileId, cut_bundle, parse_bundle_path, read_bundle};
use tlog::{Edge, Hash, tree};

/// The most entries of one `read_entries`.
pub const MAX_READ: u64 = 65_536;

pub(super) const WIDTH: u64 = FULL_WIDTH as u64;

/// A log of a known size below a prefix.
#[derive(Clone)]
pub struct LogReader {
    files: Arc<dyn Files>,
    prefix: String,
    size: u64,
    /// Files that are read in the place of those that are stored, by their whole paths.
    instead: BTreeMap<String, Bytes>,
}

impl LogReader {
    /// A reader of the first `size` entries of the log below a prefix, which ends with a slash.
    pub fn new(files: Arc<dyn Files>, prefix: impl Into<String>, size: u64) -> Self {
        Self { files, prefix: prefix.into(), size, instead: BTreeMap::new() }
    }

    /// The same log, as if these files lay at their paths: whether they belong there is seen before they are stored.
    #[must_use]
    pub fn with(&self, instead: BTreeMap<String, Bytes>) -> Self {
        Self { instead, ..self.clone() }
    }

    /// How many entries there are to this reader.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The bytes of a tile, cut to its width; `None` if the log has no such tile or not so wide a one.
    pub async fn tile(&self, tile: TileId) -> Result<Option<Bytes>, LogError> {
        let Some(whole) = TileId::in_tree(tile.level, tile.index, self.size) else { return Ok(None) };
        if tile.width == 0 || tile.width > whole.width {
            return Ok(None);
        }
        let path = layout::tile(tile);
        let bytes = self.file(&path).await?;
        let length = usize::from(tile.width) * 32;
        if bytes.len() < length {
            return Err(LogError::MissingFile { path: format!("{}{path}", self.prefix) });
        }
        Ok(Some(bytes.slice(..length)))
    }

    /// The bytes of a bundle, cut to so many entries; `None` if the log has no such bundle or not so many.
    pub async fn bundle(&self, index: u64, width: u16) -> Result<Option<Bytes>, LogError> {
        let end = index.checked_mul(WIDTH).and_then(|start| start.checked_add(u64::from(width)));
        if width == 0 || width > FULL_WIDTH || end.is_none_or(|end| end > self.size) {
            return Ok(None);
        }
        let path = layout::bundle(index);
        let bytes = self.file(&path).await?;
        match cut_bundle(&bytes, usize::from(width)).map(<[u8]>::len) {
            Some(length) => Ok(Some(bytes.slice(..length))),
            None => Err(LogError::MissingFile { path: format!("{}{path}", self.prefix) }),
        }
    }

    /// The bytes of what a C2SP path below the prefix names: `tile/0/x001/067.p/5`, `tile/entries/067`.
    pub async fn by_path(&self, path: &str) -> Result<Option<Bytes>, LogError> {
        if let Ok((index, width)) = parse_bundle_path(path) {
            return self.bundle(index, width).await;
        }
        match TileId::parse_path(path) {
            Ok(tile) => self.tile(tile).await,
            Err(_) => Ok(None),
        }
    }

    /// One entry.
    pub async fn read_entry(&self, index: u64) -> Result<Bytes, LogError> {
        let entries = self.read_entries(index..index.saturating_add(1)).await?;
        let outside = LogError::Outside { start: index, end: index.saturating_add(1), size: self.size };
        entries.into_iter().next().ok_or(outside)
    }

    /// The entries of a range, at most [`MAX_READ`].
    pub async fn read_entries(&self, range: Range<u64>) -> Result<Vec<Bytes>, LogError> {
        let Range { start, end } = range;
        if start > end || end > self.size || end - start > MAX_READ {
            return Err(LogError::Outside { start, end, size: self.size });
        }
        let mut entries = Vec::new();
        let mut next = start;
        while next < end {
            let index = next / WIDTH;
            let (first, until) = (index * WIDTH, end.min((index + 1) * WIDTH));
            let bundle = self.entries_of(index, until - first).await?;
            entries.extend(bundle.into_iter().skip(usize::try_from(next - first).unwrap_or(usize::MAX)));
            next = until;
        }
        Ok(entries)
    }

    async fn entries_of(&self, index: u64, count: u64) -> Result<Vec<Bytes>, LogError> {
        let width = u16::try_from(count).unwrap_or(u16::MAX);
        let missing = || LogError::MissingFile { path: format!("{}{}", self.prefix, layout::bundle(index)) };
        let bundle = self.bundle(index, width).await?.ok_or_else(missing)?;
        let entries = read_bundle(&bundle, usize::from(width))?;
        Ok(entries.into_iter().map(|entry| bundle.slice_ref(entry)).collect())
    }

    /// The audit path of an entry.
    pub async fn prove_inclusion(&self, index: u64) -> Result<Vec<Hash>, LogError> {
        let wanted = tree::tiles_for_inclusion(index, self.size).map_err(tree::TreeError::from)?;
        let tiles = self.tiles(wanted).await?;
        Ok(tree::prove_inclusion(index, self.size, |tile| tiles.get(&tile).cloned())?)
    }

    /// The proof that the log of this size continues the one of an older size.
    pub async fn prove_consistency(&self, old: u64) -> Result<Vec<Hash>, LogError> {
        let wanted = tree::tiles_for_consistency(old, self.size).map_err(tree::TreeError::from)?;
        let tiles = self.tiles(wanted).await?;
        Ok(tree::prove_consistency(old, self.size, |tile| tiles.get(&tile).cloned())?)
    }

    /// The right edge of the tree: its root, and what is needed to append.
    pub async fn edge(&self) -> Result<Edge, LogError> {
        let tiles = self.tiles(Edge::tiles(self.size)).await?;
        Ok(Edge::from_tiles(self.size, |tile| tiles.get(&tile).cloned())?)
    }

    /// The path of a file of the log.
    pub(super) fn named(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    async fn tiles(&self, wanted: Vec<TileId>) -> Result<BTreeMap<TileId, Vec<u8>>, LogError> {
        let mut tiles = BTreeMap::new();
        for tile in wanted {
            if let Some(bytes) = self.tile(tile).await? {
                tiles.insert(tile, bytes.to_vec());
            }
        }
        Ok(tiles)
    }

    async fn file(&self, path: &str) -> Result<Bytes, LogError> {
        let path = format!("{}{path}", self.prefix);
        if let Some(bytes) = self.instead.get(&path) {
            return Ok(bytes.clone());
        }
        self.files.get(&path).await?.ok_or(LogError::MissingFile { path })
    }
}
