//! A bundle: what one reader would have fetched from a node, in one file. The same bytes by another road.
//!
//! The file begins `concord.bundle/v1`, then `from <authority>`, `for <authority>` or `for public`, and
//! `created <time>`; then for each resource `file <path> <bytes>`, the bytes, and a line feed. Nothing in it is
//! believed: it is read by the same engine that reads peers over the network.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

use federate::engine::Answer;
use federate::{Heads, LogFile, MirrorFile, Route, origin_hash};
use record::{Authority, Origin, Time};
use tlog::TileId;
use tlog::hash::Hash;
use tlog::tile::hashes_at;

use super::serving::find;
use crate::clock;
use crate::node::{Node, OpenError};

const TAG: &str = "concord.bundle/v1";
/// The largest bundle, in bytes.
pub const MAX_BUNDLE: u64 = 2 << 30;
/// The most resources in one.
const MAX_FILES: usize = 2_000_000;
/// The longest line of its own.
const MAX_LINE: usize = 1024;
/// Entries and hashes of a full tile.
const FULL: u64 = 256;

/// A bundle in memory.
#[derive(Clone)]
pub struct Bundle {
    /// Whose node it is of.
    pub from: Authority,
    /// For whom; `None` is everybody.
    pub reader: Option<Authority>,
    /// When it was made.
    pub created: Time,
    files: BTreeMap<String, Vec<u8>>,
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
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The first line is another.
    #[error("this is not a bundle: its first line is not {TAG}")]
    Tag,
    /// A line is not what it should be.
    #[error("byte {at} of the bundle: wanted {wanted}")]
    Line {
        /// Where.
        at: usize,
        /// What would be right.
        wanted: &'static str,
    },
    /// It ends in the middle of a file.
    #[error("the bundle ends in the middle of {path}: copy it again")]
    Cut {
        /// The resource.
        path: String,
    },
    /// Too many files.
    #[error("more than {MAX_FILES} files are in the bundle")]
    TooMany,
    /// It is of somebody who is not a confirmed peer.
    #[error(
        "the bundle is of {0}, who is not a confirmed peer: `concord peer add --root` and `confirm` come first"
    )]
    Stranger(Authority),
    /// It was made for somebody else.
    #[error("the bundle was made for {0}")]
    NotForUs(Authority),
    /// What is in it did not verify, or was incomplete.
    #[error("not all of the bundle could be taken in: {0}; see the alarms")]
    Incomplete(String),
}

impl Bundle {
    /// The file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let reader = self.reader.as_ref().map_or("public", Authority::as_str);
        let mut out =
            format!("{TAG}\nfrom {}\nfor {reader}\ncreated {}\n", self.from, self.created).into_bytes();
        for (path, bytes) in &self.files {
            out.extend_from_slice(format!("file {path} {}\n", bytes.len()).as_bytes());
            out.extend_from_slice(bytes);
            out.push(b'\n');
        }
        out
    }

    /// Reads a file.
    pub fn parse(bytes: &[u8]) -> Result<Self, BundleError> {
        let mut at = 0;
        if line(bytes, &mut at, "the tag")? != TAG {
            return Err(BundleError::Tag);
        }
        let from = field(bytes, &mut at, "from ", "from <authority>")?;
        let reader: String = field(bytes, &mut at, "for ", "for <authority> or public")?;
        let created = field(bytes, &mut at, "created ", "created <time>")?;
        let reader = match reader.as_str() {
            "public" => None,
            authority => {
                Some(authority.parse().map_err(|_| BundleError::Line { at, wanted: "an authority" })?)
            }
        };
        let mut files = BTreeMap::new();
        while at < bytes.len() {
            if files.len() >= MAX_FILES {
                return Err(BundleError::TooMany);
            }
            let wanted = "file <path> <bytes>";
            let text = line(bytes, &mut at, wanted)?;
            let (path, size) = text
                .strip_prefix("file ")
                .and_then(|rest| rest.rsplit_once(' '))
                .and_then(|(path, size)| Some((path.to_owned(), size.parse::<usize>().ok()?)))
                .ok_or(BundleError::Line { at, wanted })?;
            let end = at.checked_add(size).filter(|end| *end < bytes.len() && bytes[*end] == b'\n');
            let Some(end) = end else { return Err(BundleError::Cut { path }) };
            files.insert(path, bytes[at..end].to_vec());
            at = end + 1;
        }
        Ok(Self { from, reader, created, files })
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

fn line<'b>(bytes: &'b [u8], at: &mut usize, wanted: &'static str) -> Result<&'b str, BundleError> {
    let error = BundleError::Line { at: *at, wanted };
    let rest = &bytes[*at..];
    let Some(end) = rest.iter().take(MAX_LINE).position(|b| *b == b'\n') else { return Err(error) };
    *at += end + 1;
    std::str::from_utf8(&rest[..end]).map_err(|_| error)
}

fn field<T: std::str::FromStr>(
    bytes: &[u8],
    at: &mut usize,
    prefix: &str,
    wanted: &'static str,
) -> Result<T, BundleError> {
    let start = *at;
    line(bytes, at, wanted)?
        .strip_prefix(prefix)
        .and_then(|value| value.parse().ok())
        .ok_or(BundleError::Line { at: start, wanted })
}

impl Node {
    /// The file from which a peer is read at the moment.
    pub fn bundle_of(&self, peer: &Authority) -> Option<Arc<Bundle>> {
        self.bundles.read().unwrap_or_else(PoisonError::into_inner).get(peer).cloned()
    }

    /// Reads a peer from a file, or, with `None`, over the network again.
    pub fn set_bundle(&self, peer: &Authority, bundle: Option<Arc<Bundle>>) {
        let mut bundles = self.bundles.write().unwrap_or_else(PoisonError::into_inner);
        match bundle {
            Some(bundle) => bundles.insert(peer.clone(), bundle),
            None => bundles.remove(peer),
        };
    }

    /// What `reader` may have of this node, as one bundle.
    pub async fn make_bundle(&self, reader: Option<&Authority>) -> Result<Bundle, OpenError> {
        let mut routes: BTreeSet<Route> = BTreeSet::from([Route::Heads, Route::WellKnownRoot]);
        routes.extend((1..=self.own_chain().latest().version).map(Route::Root));
        for known in self.confirmed_peers() {
            let authority = known.peer.authority.clone();
            routes.extend(
                (1..=known.chain.latest().version)
                    .map(|n| Route::PeerRoot { authority: authority.clone(), n }),
            );
        }
        let (body, _) = self.engine().heads(reader);
        let heads = Heads::parse(&body).unwrap_or_default();
        for (origin, head) in &heads.logs {
            let own = origin.authority == self.config.authority;
            for file in log_files(head.checkpoint.checkpoint.size, head.seen) {
                routes.insert(if own { Route::log(origin, file) } else { Route::mirror(origin, file) });
            }
            for hash in self.blobs_of(origin).await? {
                routes.insert(if own {
                    Route::Blob(hash)
                } else {
                    Route::Mirror { origin: origin_hash(origin), file: MirrorFile::Blob(hash) }
                });
            }
        }
        let mut files = BTreeMap::from([(Route::Heads.path(), body)]);
        for route in routes {
            if route != Route::Heads
                && let Some(found) = find(self, &route, reader).await?
            {
                files.insert(route.path(), found.body);
            }
        }
        Ok(Bundle {
            from: self.config.authority.clone(),
            reader: reader.cloned(),
            created: clock::now(),
            files,
        })
    }

    /// The blobs that the records of a log name.
    async fn blobs_of(&self, origin: &Origin) -> Result<Vec<Hash>, OpenError> {
        let sql = "select distinct sha256 from blob where origin = $1";
        let mut hashes = Vec::new();
        for row in self.index.db().rows(sql, &[origin.to_string().into()]).await? {
            hashes.extend(Hash::from_hex(&row.text(0)?).ok());
        }
        Ok(hashes)
    }
}

/// Every file of a log of `size` entries.
fn log_files(size: u64, seen: u64) -> Vec<LogFile> {
    let mut files = vec![LogFile::Checkpoint];
    files.extend((0..seen).map(LogFile::Seen));
    let width = |count: u64, index: u64| u16::try_from((count - index * FULL).min(FULL)).unwrap_or(256);
    for index in 0..size.div_ceil(FULL) {
        files.push(LogFile::Entries { index, width: width(size, index) });
    }
    for level in 0..8 {
        let hashes = hashes_at(level, size);
        for index in 0..hashes.div_ceil(FULL) {
            files.push(LogFile::Tile(TileId { level, index, width: width(hashes, index) }));
        }
    }
    files
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

    #[test]
    fn a_bundle_is_read_as_it_was_written() {
        let bytes = sample().to_bytes();
        let read = Bundle::parse(&bytes).unwrap();
        assert_eq!(read.to_bytes(), bytes);
        let Answer::Response { status, body, .. } = read.answer("/root/1", None) else { panic!("an answer") };
        assert_eq!((status, body.as_slice()), (200, b"text\nfile /x 3\n".as_slice()));
        assert!(matches!(read.answer("/root/2", None), Answer::Response { status: 404, .. }));
    }

    #[test]
    fn a_bundle_that_was_cut_or_changed_in_its_lines_is_refused() {
        let bytes = sample().to_bytes();
        for end in 0..bytes.len() {
            let cut = Bundle::parse(&bytes[..end]);
            let whole_files = cut.as_ref().is_ok_and(|b| b.files.len() < 2);
            assert!(cut.is_err() || whole_files, "cut at {end}");
        }
        assert!(matches!(Bundle::parse(b"hello\n"), Err(BundleError::Tag)));
        assert!(Bundle::parse(b"concord.bundle/v1\nfrom a.example\nfor public\ncreated 2026-11-22T00:00:00Z\nfile /x 18446744073709551615\n").is_err());
    }

    #[test]
    fn every_file_of_a_log_is_named_once() {
        let files = log_files(70_000, 2);
        assert_eq!(files.iter().filter(|f| matches!(f, LogFile::Entries { .. })).count(), 274);
        assert_eq!(files.iter().filter(|f| matches!(f, LogFile::Tile(t) if t.level == 1)).count(), 2);
        assert_eq!(files.iter().filter(|f| matches!(f, LogFile::Tile(t) if t.level == 2)).count(), 1);
        let unique: BTreeSet<String> = files.iter().map(LogFile::path).collect();
        assert_eq!(unique.len(), files.len());
    }
}
