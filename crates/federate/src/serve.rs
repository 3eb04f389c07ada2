//! Who may have what: pure decisions. What may not be read and what does not exist are told apart by nobody.

use record::{Authority, Readers};

use crate::paths::LogFile;

/// What is served at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Served {
    /// A stored file below the root of the files, cut as said. It may turn out not to be there: 404.
    File {
        /// Where.
        path: String,
        /// Another file that must be there too, or it is as if this one were not.
        mark: Option<String>,
        /// How much of it.
        cut: Cut,
        /// Whether everybody may read it: `Cache-Control: private, no-store` if not.
        public: bool,
        /// Whether it never changes.
        immutable: bool,
    },
    /// These bytes.
    Bytes {
        /// The body.
        body: Vec<u8>,
        /// Whether everybody may read it.
        public: bool,
    },
    /// A blob of own records, to whoever may read one of the logs that name it: the index knows.
    OwnBlob(tlog::Hash),
    /// An own trust root; `None` is the newest.
    OwnRoot(Option<u64>),
    /// Not for this caller, or not there.
    NotFound,
}

/// How much of a stored file is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// All of it.
    Whole,
    /// The first bytes: so many hashes of a tile that may have grown since.
    Bytes(usize),
    /// The first entries of a bundle that may have grown since ([`tlog::tile::cut_bundle`]).
    Entries(usize),
}

impl Cut {
    /// How a stored file is cut to answer for a file of a log.
    pub fn of(file: &LogFile) -> Self {
        match file {
            LogFile::Tile(tile) => Self::Bytes(32 * usize::from(tile.width)),
            LogFile::Entries { width, .. } => Self::Entries(usize::from(*width)),
            LogFile::Checkpoint | LogFile::Seen(_) | LogFile::Held { .. } => Self::Whole,
        }
    }

    /// Cuts a stored file; `None` if it is too short.
    pub fn apply(self, stored: &[u8]) -> Option<&[u8]> {
        match self {
            Self::Whole => Some(stored),
            Self::Bytes(count) => stored.get(..count),
            Self::Entries(count) => tlog::tile::cut_bundle(stored, count),
        }
    }
}

/// Whether a caller, or a stranger, may read a log. Before its readers are known, nobody may.
pub fn may_read(caller: Option<&Authority>, readers: Option<&Readers>) -> bool {
    match (readers, caller) {
        (Some(Readers::Public), _) => true,
        (Some(readers), Some(caller)) => readers.includes(caller),
        _ => false,
    }
}

/// Whether a file of a log lies within the size that is published.
pub fn is_within(file: &LogFile, size: u64) -> bool {
    match file {
        LogFile::Tile(tile) => {
            let hashes = tlog::tile::hashes_at(tile.level, size);
            tile.index
                .checked_mul(256)
                .and_then(|first| first.checked_add(u64::from(tile.width)))
                .is_some_and(|end| end <= hashes)
        }
        LogFile::Entries { index, width } => index
            .checked_mul(256)
            .and_then(|first| first.checked_add(u64::from(*width)))
            .is_some_and(|end| end <= size),
        LogFile::Checkpoint => size > 0,
        LogFile::Seen(_) | LogFile::Held { .. } => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tlog::TileId;

    #[test]
    fn a_restricted_log_is_for_its_readers_only() {
        let a: Authority = "a.example".parse().unwrap();
        let b: Authority = "b.example".parse().unwrap();
        let set = Readers::Set([a.clone()].into());
        assert!(may_read(Some(&a), Some(&set)));
        assert!(!may_read(Some(&b), Some(&set)));
        assert!(!may_read(None, Some(&set)));
        assert!(!may_read(Some(&a), None));
        assert!(may_read(None, Some(&Readers::Public)));
    }

    #[test]
    fn nothing_beyond_the_published_size_is_served() {
        let tile = |level, index, width| LogFile::Tile(TileId { level, index, width });
        assert!(is_within(&tile(0, 0, 255), 300));
        assert!(is_within(&tile(0, 1, 44), 300));
        assert!(!is_within(&tile(0, 1, 45), 300));
        assert!(!is_within(&tile(1, 0, 2), 300));
        assert!(!is_within(&tile(0, u64::MAX, 1), 300));
        assert!(is_within(&LogFile::Entries { index: 1, width: 44 }, 300));
        assert!(!is_within(&LogFile::Entries { index: 1, width: 45 }, 300));
        assert!(!is_within(&LogFile::Checkpoint, 0));
    }

    #[test]
    fn a_grown_file_is_cut_to_what_was_asked() {
        assert_eq!(Cut::of(&LogFile::Tile(TileId { level: 0, index: 0, width: 2 })), Cut::Bytes(64));
        assert_eq!(Cut::Bytes(2).apply(b"abc"), Some(b"ab".as_slice()));
        assert_eq!(Cut::Bytes(4).apply(b"abc"), None);
        assert_eq!(Cut::Entries(1).apply(b"\0\x01a\0\x01b"), Some(b"\0\x01a".as_slice()));
    }
}
