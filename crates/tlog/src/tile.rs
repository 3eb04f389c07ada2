//! C2SP tlog-tiles: how the hashes and entries of a log are cut into files, and what those are called.
//!
//! Never touches a file: it names paths and reads and writes their bytes.

use crate::hash::Hash;
use crate::text::{MAX_TREE_SIZE, parse_decimal};
use std::fmt;

/// Hashes in a full tile, entries in a full bundle.
pub const FULL_WIDTH: u16 = 256;
/// Levels of the tree that one tile spans.
pub const TILE_HEIGHT: u32 = 8;
/// The highest level of a tile.
pub const MAX_LEVEL: u8 = 63;
/// The largest entry, in bytes.
pub const MAX_ENTRY: usize = 65_535;
/// The largest bundle, in bytes.
pub const MAX_BUNDLE: usize = FULL_WIDTH as usize * (2 + MAX_ENTRY);
/// The longest tile path, in bytes.
const MAX_PATH: usize = 64;

/// Why a tile, a bundle or a path was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TileError {
    /// Not a tile's path.
    #[error("{0:?} is no path of a tile, as in tile/0/x001/234/067.p/5")]
    Path(String),
    /// Not a whole number of hashes from 1 to 256.
    #[error("a tile of {0} bytes: 32 to 8192, in steps of 32")]
    TileLength(usize),
    /// Larger than the largest bundle.
    #[error("a bundle of {0} bytes: at most {MAX_BUNDLE}")]
    BundleTooLarge(usize),
    /// Not from 1 to 256 entries.
    #[error("a bundle of {0} entries: 1 to 256")]
    BundleWidth(usize),
    /// The bundle ends within an entry.
    #[error("the bundle ends within entry {entry} of {expected}")]
    BundleTruncated {
        /// Counted from 0.
        entry: usize,
        /// How many entries there should be.
        expected: usize,
    },
    /// Bytes follow the last entry.
    #[error("{extra} bytes follow the last of {expected} entries")]
    BundleTrailing {
        /// How many bytes.
        extra: usize,
        /// How many entries there should be.
        expected: usize,
    },
    /// An entry that a bundle cannot hold.
    #[error("entry {entry} has {size} bytes: at most {MAX_ENTRY}")]
    EntryTooLarge {
        /// Counted from 0.
        entry: usize,
        /// Its size in bytes.
        size: usize,
    },
}

impl TileError {
    /// A stable name of the error, for translation.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Path(_) => "tile-path",
            Self::TileLength(_) => "tile-length",
            Self::BundleTooLarge(_) => "bundle-too-large",
            Self::BundleWidth(_) => "bundle-width",
            Self::BundleTruncated { .. } => "bundle-truncated",
            Self::BundleTrailing { .. } => "bundle-trailing",
            Self::EntryTooLarge { .. } => "bundle-entry-too-large",
        }
    }

    /// Named arguments of the message, in a fixed order.
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Path(value) => vec![("path", value.clone())],
            Self::TileLength(value) | Self::BundleTooLarge(value) => vec![("bytes", value.to_string())],
            Self::BundleWidth(value) => vec![("entries", value.to_string())],
            Self::BundleTruncated { entry, expected } => {
                vec![("entry", entry.to_string()), ("expected", expected.to_string())]
            }
            Self::BundleTrailing { extra, expected } => {
                vec![("extra", extra.to_string()), ("expected", expected.to_string())]
            }
            Self::EntryTooLarge { entry, size } => {
                vec![("entry", entry.to_string()), ("size", size.to_string())]
            }
        }
    }
}

/// One tile: where it is in the tree, and how many of its hashes exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileId {
    /// 0 holds leaf hashes; each higher level the roots of the full tiles below.
    pub level: u8,
    /// Its place in the level, from the left.
    pub index: u64,
    /// Hashes in it: 1 to 256, 256 being a full tile.
    pub width: u16,
}

impl TileId {
    /// Whether nothing can be added.
    pub fn is_full(self) -> bool {
        self.width == FULL_WIDTH
    }

    /// `tile/<level>/<index>[.p/<width>]`, below the log's prefix.
    pub fn path(self) -> String {
        format!("tile/{}/{}", self.level, place(self.index, self.width))
    }

    /// Reads what [`TileId::path`] wrote, and nothing else.
    pub fn parse_path(path: &str) -> Result<Self, TileError> {
        let refuse = || TileError::Path(path.chars().take(MAX_PATH).collect());
        let (level, rest) =
            path.strip_prefix("tile/").and_then(|rest| rest.split_once('/')).ok_or_else(refuse)?;
        let level = parse_decimal(level)
            .and_then(|level| u8::try_from(level).ok())
            .filter(|level| *level <= MAX_LEVEL)
            .ok_or_else(refuse)?;
        let (index, width) = parse_place(rest).ok_or_else(refuse)?;
        Ok(Self { level, index, width })
    }

    /// The tile of this level and index in a tree of a size; `None` if it is empty there.
    pub fn in_tree(level: u8, index: u64, size: u64) -> Option<Self> {
        let hashes = hashes_at(level, size);
        let start = index.checked_mul(u64::from(FULL_WIDTH)).filter(|start| *start < hashes)?;
        let width = u16::try_from((hashes - start).min(u64::from(FULL_WIDTH))).ok()?;
        Some(Self { level, index, width })
    }
}

impl fmt::Display for TileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path())
    }
}

/// `tile/entries/<index>[.p/<width>]`: the bundle of entries under the level 0 tile of the same place.
pub fn bundle_path(index: u64, width: u16) -> String {
    format!("tile/entries/{}", place(index, width))
}

/// Reads what [`bundle_path`] wrote: index and width.
pub fn parse_bundle_path(path: &str) -> Result<(u64, u16), TileError> {
    path.strip_prefix("tile/entries/")
        .and_then(parse_place)
        .ok_or_else(|| TileError::Path(path.chars().take(MAX_PATH).collect()))
}

/// A number as path elements of three digits, all but the last with an `x`: 1234067 is `x001/x234/067`.
pub fn index_path(mut index: u64) -> String {
    let mut path = format!("{:03}", index % 1000);
    while index >= 1000 {
        index /= 1000;
        path = format!("x{:03}/{path}", index % 1000);
    }
    path
}

/// Reads what [`index_path`] wrote, and nothing else.
pub fn parse_index_path(path: &str) -> Option<u64> {
    if path.len() > MAX_PATH {
        return None;
    }
    let mut index: u64 = 0;
    let mut elements = path.split('/').peekable();
    while let Some(element) = elements.next() {
        let digits = if elements.peek().is_some() { element.strip_prefix('x')? } else { element };
        if digits.len() != 3 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        index = index.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
    }
    // Leading elements of zeros would be a second name of the same tile.
    (index <= MAX_TREE_SIZE && index_path(index) == path).then_some(index)
}

fn place(index: u64, width: u16) -> String {
    let path = index_path(index);
    if width == FULL_WIDTH { path } else { format!("{path}.p/{width}") }
}

fn parse_place(place: &str) -> Option<(u64, u16)> {
    let (index, width) = match place.split_once(".p/") {
        None => (place, FULL_WIDTH),
        Some((index, width)) => {
            let width = u16::try_from(parse_decimal(width)?).ok()?;
            (index, Some(width).filter(|w| (1..FULL_WIDTH).contains(w))?)
        }
    };
    Some((parse_index_path(index)?, width))
}

/// The hashes of a tile.
pub fn tile_hashes(bytes: &[u8]) -> Result<Vec<Hash>, TileError> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    if hashes.is_empty() || !rest.is_empty() || hashes.len() > usize::from(FULL_WIDTH) {
        return Err(TileError::TileLength(bytes.len()));
    }
    Ok(hashes.iter().copied().map(Hash).collect())
}

/// The bytes of a tile.
pub fn tile_bytes(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

/// Entries with their lengths, as a bundle.
pub fn write_bundle<E: AsRef<[u8]>>(entries: &[E]) -> Result<Vec<u8>, TileError> {
    if entries.is_empty() || entries.len() > usize::from(FULL_WIDTH) {
        return Err(TileError::BundleWidth(entries.len()));
    }
    let mut bundle = Vec::with_capacity(entries.iter().map(|e| 2 + e.as_ref().len()).sum());
    for (n, entry) in entries.iter().enumerate() {
        append_entry(&mut bundle, entry.as_ref())
            .map_err(|size| TileError::EntryTooLarge { entry: n, size })?;
    }
    Ok(bundle)
}

/// Adds one entry to a growing bundle; refuses with its size one that is too large.
pub fn append_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), usize> {
    let length = u16::try_from(entry.len()).map_err(|_| entry.len())?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// The entries of a bundle: exactly so many, and nothing after them.
pub fn read_bundle(bundle: &[u8], expected: usize) -> Result<Vec<&[u8]>, TileError> {
    if bundle.len() > MAX_BUNDLE {
        return Err(TileError::BundleTooLarge(bundle.len()));
    }
    if !(1..=usize::from(FULL_WIDTH)).contains(&expected) {
        return Err(TileError::BundleWidth(expected));
    }
    let mut entries = Vec::with_capacity(expected);
    let mut rest = bundle;
    for entry in 0..expected {
        let truncated = TileError::BundleTruncated { entry, expected };
        let Some((length, after)) = rest.split_first_chunk::<2>() else { return Err(truncated) };
        let Some((bytes, after)) = after.split_at_checked(usize::from(u16::from_be_bytes(*length))) else {
            return Err(truncated);
        };
        entries.push(bytes);
        rest = after;
    }
    if rest.is_empty() { Ok(entries) } else { Err(TileError::BundleTrailing { extra: rest.len(), expected }) }
}

/// The first `count` entries of a bundle, as the bytes of a narrower one: partial bundles are served so.
pub fn cut_bundle(bundle: &[u8], count: usize) -> Option<&[u8]> {
    let mut end: usize = 0;
    for _ in 0..count {
        let length = bundle.get(end..)?.first_chunk::<2>()?;
        end += 2 + usize::from(u16::from_be_bytes(*length));
    }
    bundle.get(..end)
}

/// How many hashes of a level a tree of a size has.
pub fn hashes_at(level: u8, size: u64) -> u64 {
    size.checked_shr(TILE_HEIGHT * u32::from(level)).unwrap_or(0)
}

/// Hashes in the partial tile of a level, in a tree of a size; 0 if there is none.
pub fn partial_width(level: u8, size: u64) -> u16 {
    u16::from(hashes_at(level, size).to_le_bytes()[0])
}

/// The tiles of a tree of size `new` that one of size `old` does not have, by level and index: what a log
/// writes when it grows. A tile that grew is named with its new width only. Made one by one: a size said by
/// others may name more tiles than fit into memory.
pub fn tiles_between(old: u64, new: u64) -> impl Iterator<Item = TileId> {
    let width = u64::from(FULL_WIDTH);
    (0..=MAX_LEVEL)
        .map(move |level| (level, hashes_at(level, old), hashes_at(level, new)))
        .take_while(|(_, _, after)| *after > 0)
        .filter(|(_, before, after)| after > before)
        .flat_map(move |(level, before, after)| {
            (before / width..=(after - 1) / width).filter_map(move |index| TileId::in_tree(level, index, new))
        })
}
