//! A bundle: what one reader would have fetched from a node, in one file. The same bytes by another road.
//!
//! The file begins `concord.bundle/v1`, then `from <authority>`, `for <authority>` or `for public`, and
//! `created <time>`; then for each resource `file <path> <bytes>`, the bytes, and a line feed; at last
//! `end <sha256 of everything before this line>`, so that a file that was damaged on its way is told from one that its
//! sender made wrong. Nothing in it is believed for that: it is read by the same engine that reads peers over the network.

use std::collections::BTreeMap;

use record::{Authority, Time};
use tlog::{Hash, sha256};

use crate::engine::Answer;
use crate::heads::Heads;
use crate::paths::Route;

/// First line of a bundle.
pub const BUNDLE_TAG: &str = "concord.bundle/v1";
/// The largest bundle, in bytes.
pub const MAX_BUNDLE: u64 = 2 << 30;
/// The most resources in one.
pub const MAX_FILES: usize = 2_000_000;
/// The longest line of its own.
const MAX_LINE: usize = 1024;
/// `end `, 64 hex digits, a line feed.
const END_LINE: usize = 69;

/// A bundle in memory.
#[derive(Clone, PartialEq, Eq)]
pub struct Bundle {
    /// Whose node it is of.
    pub from: Authority,
    /// For whom; `None` is everybody.
    pub reader: Option<Authority>,
    /// When it was made.
    pub created: Time,
    /// Bodies of answers, by path.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl std::fmt::Debug for Bundle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bundle")
            .field("from", &self.from)
            .field("files", &self.files.len())
            .finish_non_exhaustive()
    }
}

/// Why bytes are no bundle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// The first line is another.
    #[error("this is not a bundle: its first line is not {BUNDLE_TAG}")]
    Tag,
    /// It has no last line: it was cut off on its way.
    #[error(
        "the bundle is cut off: its last line is not `end <sha256>`; copy it again, nothing of it was taken in"
    )]
    Cut,
    /// Its bytes are not those that were written.
    #[error(
        "the bundle was damaged on its way: its bytes have the hash {found}, not {wanted}; copy it again, nothing of it was taken in"
    )]
    Damaged {
        /// Of the bytes.
        found: Hash,
        /// In its last line.
        wanted: Hash,
    },
    /// A line is not what it should be.
    #[error("byte {at} of the bundle: wanted {wanted}; nothing of it was taken in")]
    Line {
        /// Where the line begins.
        at: usize,
        /// What would be right.
        wanted: &'static str,
    },
    /// Too many files.
    #[error("more than {MAX_FILES} files are in the bundle; nothing of it was taken in")]
    TooMany,
}

impl BundleError {
    /// A stable name of the error, for translation.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Tag => "bundle-tag",
            Self::Cut => "bundle-cut",
            Self::Damaged { .. } => "bundle-damaged",
            Self::Line { .. } => "bundle-line",
            Self::TooMany => "bundle-too-many",
        }
    }

    /// Named arguments of the message, in a fixed order.
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Tag | Self::Cut => Vec::new(),
            Self::Damaged { found, wanted } => vec![("found", found.to_hex()), ("wanted", wanted.to_hex())],
            Self::Line { at, wanted } => vec![("byte", at.to_string()), ("wanted", (*wanted).to_owned())],
            Self::TooMany => vec![("limit", MAX_FILES.to_string())],
        }
    }
}

impl Bundle {
    /// The file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let reader = self.reader.as_ref().map_or("public", Authority::as_str);
        let mut out = format!("{BUNDLE_TAG}\nfrom {}\nfor {reader}\ncreated {}\n", self.from, self.created)
            .into_bytes();
        for (path, bytes) in &self.files {
            out.extend_from_slice(format!("file {path} {}\n", bytes.len()).as_bytes());
            out.extend_from_slice(bytes);
            out.push(b'\n');
        }
        let end = format!("end {}\n", sha256(&out).to_hex());
        out.extend_from_slice(end.as_bytes());
        out
    }

    /// Reads a file: all of it, or nothing.
    pub fn parse(bytes: &[u8]) -> Result<Self, BundleError> {
        if !bytes.starts_with(format!("{BUNDLE_TAG}\n").as_bytes()) {
            return Err(BundleError::Tag);
        }
        let mut reader = Reader { bytes: whole(bytes)?, at: BUNDLE_TAG.len() + 1 };
        let from = reader.field("from ", "from <authority>")?;
        let at = reader.at;
        let name: String = reader.field("for ", "for <authority> or public")?;
        let audience = match name.as_str() {
            "public" => None,
            name => Some(name.parse().map_err(|_| BundleError::Line { at, wanted: "for <authority>" })?),
        };
        let created = reader.field("created ", "created <time>")?;
        let mut files = BTreeMap::new();
        while reader.at < reader.bytes.len() {
            let at = reader.at;
            let (path, body) = reader.file()?;
            if files.len() >= MAX_FILES {
                return Err(BundleError::TooMany);
            }
            if files.last_key_value().is_some_and(|(last, _)| *last >= path) {
                return Err(BundleError::Line { at, wanted: "files in the order of their paths, each once" });
            }
            files.insert(path, body);
        }
        Ok(Self { from, reader: audience, created, files })
    }

    /// Answers as the node would have.
    pub fn answer(&self, path: &str, etag: Option<&str>) -> Answer {
        let response = |status, etag, body| Answer::Response { status, etag, date: None, body };
        match self.files.get(path) {
            Some(body) if path == Route::Heads.path() => {
                let tag = Heads::etag(body);
                if etag == Some(tag.as_str()) {
                    return response(304, Some(tag), Vec::new());
                }
                response(200, Some(tag), body.clone())
            }
            Some(body) => response(200, None, body.clone()),
            None => response(404, None, Vec::new()),
        }
    }

    /// The heads in it.
    pub fn heads(&self) -> Heads {
        self.files.get(&Route::Heads.path()).and_then(|body| Heads::parse(body).ok()).unwrap_or_default()
    }
}

/// What stands before the last line, if its hash is the one that the last line names.
fn whole(bytes: &[u8]) -> Result<&[u8], BundleError> {
    let (content, end) = bytes.split_at(bytes.len().checked_sub(END_LINE).ok_or(BundleError::Cut)?);
    let wanted = std::str::from_utf8(end)
        .ok()
        .and_then(|end| end.strip_prefix("end ")?.strip_suffix('\n'))
        .and_then(|hex| Hash::from_hex(hex).ok())
        .ok_or(BundleError::Cut)?;
    let found = sha256(content);
    if found == wanted { Ok(content) } else { Err(BundleError::Damaged { found, wanted }) }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn line(&mut self, wanted: &'static str) -> Result<&'a str, BundleError> {
        let error = BundleError::Line { at: self.at, wanted };
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let end = rest.iter().take(MAX_LINE).position(|b| *b == b'\n').ok_or_else(|| error.clone())?;
        self.at += end + 1;
        std::str::from_utf8(&rest[..end]).map_err(|_| error)
    }

    fn field<T: std::str::FromStr>(&mut self, prefix: &str, wanted: &'static str) -> Result<T, BundleError> {
        let at = self.at;
        let value = self.line(wanted)?.strip_prefix(prefix).and_then(|value| value.parse().ok());
        value.ok_or(BundleError::Line { at, wanted })
    }

    fn file(&mut self) -> Result<(String, Vec<u8>), BundleError> {
        let (at, wanted) = (self.at, "file <path> <bytes>, the bytes, and a line feed");
        let error = || BundleError::Line { at, wanted };
        let (path, size) = self
            .line(wanted)?
            .strip_prefix("file ")
            .and_then(|rest| rest.rsplit_once(' '))
            .ok_or_else(error)?;
        let size: usize = record::encoding::decimal(size).map_err(|_| error())?;
        let end = self.at.checked_add(size).ok_or_else(error)?;
        let body = self.bytes.get(self.at..end).ok_or_else(error)?;
        if self.bytes.get(end) != Some(&b'\n') {
            return Err(error());
        }
        self.at = end + 1;
        Ok((path.to_owned(), body.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Bundle {
        Bundle {
            from: "a.example".parse().unwrap(),
            reader: Some("b.example".parse().unwrap()),
            created: "2026-11-22T00:00:00Z".parse().unwrap(),
            files: [("/root/1".to_owned(), b"text\nfile /x 3\n".to_vec()), ("/heads".to_owned(), Vec::new())]
                .into(),
        }
    }

    /// A bundle that its sender wrote so.
    fn ended(text: &str) -> Vec<u8> {
        format!("{text}end {}\n", sha256(text.as_bytes()).to_hex()).into_bytes()
    }

    const HEAD: &str = "concord.bundle/v1\nfrom a.example\nfor public\ncreated 2026-11-22T00:00:00Z\n";

    #[test]
    fn a_bundle_is_read_as_it_was_written() {
        let bytes = sample().to_bytes();
        let read = Bundle::parse(&bytes).unwrap();
        assert_eq!((&read, read.to_bytes()), (&sample(), bytes));
        let Answer::Response { status, body, .. } = read.answer("/root/1", None) else { panic!("an answer") };
        assert_eq!((status, body.as_slice()), (200, b"text\nfile /x 3\n".as_slice()));
        assert!(matches!(read.answer("/root/2", None), Answer::Response { status: 404, .. }));
    }

    #[test]
    fn no_cut_and_no_changed_byte_goes_unnoticed() {
        let bytes = sample().to_bytes();
        for place in 0..bytes.len() {
            assert!(Bundle::parse(&bytes[..place]).is_err(), "cut at {place}");
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            assert!(Bundle::parse(&changed).is_err(), "changed at {place}");
        }
        let mut longer = bytes;
        longer.push(b'\n');
        assert_eq!(Bundle::parse(&longer), Err(BundleError::Cut));
    }

    #[test]
    fn what_its_sender_wrote_wrong_is_named() {
        assert!(Bundle::parse(&ended(HEAD)).is_ok());
        assert_eq!(Bundle::parse(b"hello\n"), Err(BundleError::Tag));
        for file in
            ["file /x 18446744073709551615\n", "file /x 2\nabc\n", "file /x\n", "file /x 01\na\n", "x\n"]
        {
            let error = Bundle::parse(&ended(&format!("{HEAD}{file}"))).unwrap_err();
            assert!(matches!(error, BundleError::Line { at, .. } if at == HEAD.len()), "{file:?}: {error}");
        }
        let twice = Bundle::parse(&ended(&format!("{HEAD}file /x 1\na\nfile /x 1\nb\n")));
        assert!(matches!(twice, Err(BundleError::Line { .. })), "{twice:?}");
    }
}
