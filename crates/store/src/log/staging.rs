//! A staged batch as one file: everything from which the tiles and bundles of the batch are made again.
//!
//! The first batch after all files became durable is *whole*: it begins where the growing bundle begins and
//! carries the tree's edge there, so that it needs no other file. Each later one is *more*: its own entries
//! only, to be read after the one before it.

use super::LogError;
use super::batch::Growing;
use crate::layout;
use bytes::Bytes;
use tlog::{Edge, Hash, TileId, sha256};

const MAGIC: &str = "concord.staging/v1";
const DIGEST: usize = 32;

/// A staged batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Staged {
    pub(super) origin: String,
    /// Size and root that it continues.
    pub(super) old: (u64, Hash),
    /// Size and root that it leads to.
    pub(super) new: (u64, Hash),
    /// Of a whole one: the partial tiles at the size where its entries begin.
    pub(super) edge: Option<Vec<(TileId, Vec<u8>)>>,
    /// Of a whole one from the beginning of the growing bundle, else from `old`.
    pub(super) entries: Vec<Bytes>,
}

impl Staged {
    pub(super) fn path(&self) -> String {
        layout::staged(&self.origin, self.new.0, &self.new.1)
    }

    /// The size at which the entries begin.
    pub(super) fn start(&self) -> Option<u64> {
        self.new.0.checked_sub(self.entries.len() as u64)
    }

    pub(super) fn to_bytes(&self) -> Bytes {
        let kind = if self.edge.is_some() { "whole" } else { "more" };
        let edge = self.edge.as_deref().unwrap_or_default();
        let head = format!(
            "{MAGIC}\n{}\n{} {}\n{} {}\n{kind} {} {}\n",
            self.origin,
            self.old.0,
            self.old.1,
            self.new.0,
            self.new.1,
            edge.len(),
            self.entries.len()
        );
        let length: usize = self.entries.iter().map(|entry| entry.len() + 2).sum();
        let mut bytes = Vec::with_capacity(head.len() + edge.len() * 8256 + length + DIGEST);
        bytes.extend_from_slice(head.as_bytes());
        for (tile, hashes) in edge {
            bytes.extend_from_slice(format!("{} {}\n", tile.path(), hashes.len()).as_bytes());
            bytes.extend_from_slice(hashes);
        }
        for entry in &self.entries {
            bytes.extend_from_slice(&u16::try_from(entry.len()).unwrap_or(u16::MAX).to_be_bytes());
            bytes.extend_from_slice(entry);
        }
        let digest = sha256(&bytes);
        bytes.extend_from_slice(&digest.0);
        Bytes::from(bytes)
    }

    pub(super) fn parse(path: &str, bytes: &Bytes) -> Result<Self, LogError> {
        let refuse = |reason| LogError::Staging { path: path.to_owned(), reason };
        let end = bytes.len().checked_sub(DIGEST).ok_or_else(|| refuse("it is cut short"))?;
        if sha256(&bytes[..end]).0 != bytes[end..] {
            return Err(refuse("its digest is another"));
        }
        let staged =
            Cursor { bytes: bytes.slice(..end) }.staged().ok_or_else(|| refuse("it has another form"))?;
        if staged.start().is_none() || staged.path() != path {
            return Err(refuse("it is of another batch"));
        }
        Ok(staged)
    }

    /// The end of the log where the entries of a whole batch begin.
    pub(super) fn base(&self) -> Result<Growing, LogError> {
        let refuse = |reason| LogError::Staging { path: self.path(), reason };
        let (Some(tiles), Some(start)) = (&self.edge, self.start()) else {
            return Err(refuse("it needs the batch before it, which is missing"));
        };
        let source = |wanted: TileId| {
            let found = tiles.iter().find(|(tile, _)| *tile == wanted);
            found.map(|(_, bytes)| bytes.clone())
        };
        Ok(Growing::resume(Edge::from_tiles(start, source)?, Vec::new()))
    }
}

/// Reads from the front; `None` at anything unexpected.
struct Cursor {
    bytes: Bytes,
}

impl Cursor {
    fn staged(mut self) -> Option<Staged> {
        if self.line()? != MAGIC {
            return None;
        }
        let origin = self.line()?;
        let (old, new) = (self.tree()?, self.tree()?);
        let counts = self.line()?;
        let mut counts = counts.split(' ');
        let is_whole = match counts.next()? {
            "whole" => true,
            "more" => false,
            _ => return None,
        };
        let tiles: usize = counts.next()?.parse().ok()?;
        let count: usize = counts.next()?.parse().ok()?;
        let tiles: Vec<_> = (0..tiles).map(|_| self.tile()).collect::<Option<_>>()?;
        let entries: Vec<_> = (0..count).map(|_| self.entry()).collect::<Option<_>>()?;
        let edge = is_whole.then_some(tiles);
        self.bytes.is_empty().then_some(Staged { origin, old, new, edge, entries })
    }

    fn line(&mut self) -> Option<String> {
        let end = self.bytes.iter().position(|byte| *byte == b'\n')?;
        let line = String::from_utf8(self.take(end)?.to_vec()).ok()?;
        self.take(1)?;
        Some(line)
    }

    fn tree(&mut self) -> Option<(u64, Hash)> {
        let line = self.line()?;
        let (size, root) = line.split_once(' ')?;
        Some((size.parse().ok()?, Hash::from_hex(root).ok()?))
    }

    fn tile(&mut self) -> Option<(TileId, Vec<u8>)> {
        let line = self.line()?;
        let (path, length) = line.split_once(' ')?;
        let bytes = self.take(length.parse().ok()?)?;
        Some((TileId::parse_path(path).ok()?, bytes.to_vec()))
    }

    fn entry(&mut self) -> Option<Bytes> {
        let length = self.take(2)?;
        self.take(usize::from(u16::from_be_bytes([length[0], length[1]])))
    }

    fn take(&mut self, count: usize) -> Option<Bytes> {
        (count <= self.bytes.len()).then(|| self.bytes.split_to(count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Staged {
        let hash = |text: &str| sha256(text.as_bytes());
        Staged {
            origin: "a.example/log/public/2020".to_owned(),
            old: (257, hash("old")),
            new: (259, hash("new")),
            edge: Some(vec![(TileId { level: 1, index: 0, width: 1 }, vec![7; 32])]),
            entries: vec![Bytes::from_static(b"x"), Bytes::new(), Bytes::from_static(b"\n\n")],
        }
    }

    #[test]
    fn a_staged_batch_is_read_as_it_was_written() {
        let staged = sample();
        assert_eq!(Staged::parse(&staged.path(), &staged.to_bytes()).unwrap(), staged);
    }

    #[test]
    fn a_staged_batch_that_is_damaged_anywhere_is_refused() {
        let staged = sample();
        let bytes = staged.to_bytes();
        for end in 0..bytes.len() {
            assert!(Staged::parse(&staged.path(), &bytes.slice(..end)).is_err(), "cut at {end}");
        }
        for at in 0..bytes.len() {
            let mut damaged = bytes.to_vec();
            damaged[at] ^= 1;
            assert!(Staged::parse(&staged.path(), &Bytes::from(damaged)).is_err(), "damaged at {at}");
        }
    }
}
