//! The paths of the exchange's resources, and how large an answer may be: the one place that knows them.
//!
//! Paths are parsed strictly: one resource has one path. Nothing here decides who may read.

use record::{AudienceId, Authority, Origin};
use tlog::tile::{FULL_WIDTH, MAX_BUNDLE, parse_bundle_path, parse_index_path};
use tlog::{Hash, TileId, bundle_path, index_path, sha256};

/// The longest path, in bytes.
pub const MAX_PATH: usize = 512;
/// The largest tile: 256 hashes.
pub const MAX_TILE: usize = 8192;
/// The largest checkpoint, `seen` file or receipt.
pub const MAX_CHECKPOINT: usize = 64 << 10;
/// The largest answer of `/heads`.
pub const MAX_HEADS: usize = 4 << 20;
/// The largest body of `POST /nudge`: the sender's name and one note of 64 KiB.
pub const MAX_NUDGE: usize = (64 << 10) + 1024;
/// The largest answer to a posted request: signature lines, or a size.
pub const MAX_POST_ANSWER: usize = 16 << 10;

/// A file of a log, below the log's prefix.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogFile {
    /// The newest checkpoint.
    Checkpoint,
    /// A tile of hashes.
    Tile(TileId),
    /// A bundle of entries.
    Entries {
        /// Its place.
        index: u64,
        /// Entries in it: 1 to 256.
        width: u16,
    },
    /// An archived checkpoint with its cosignatures.
    Seen(u64),
    /// An archived fetch receipt.
    Held {
        /// Whose receipt.
        authority: Authority,
        /// Its number, from 0.
        n: u64,
    },
}

impl LogFile {
    /// Of a partial tile or bundle, the full one.
    pub fn full(&self) -> Option<Self> {
        match self {
            Self::Tile(tile) if !tile.is_full() => Some(Self::Tile(TileId { width: FULL_WIDTH, ..*tile })),
            Self::Entries { index, width } if *width < FULL_WIDTH => {
                Some(Self::Entries { index: *index, width: FULL_WIDTH })
            }
            _ => None,
        }
    }

    /// The path below the log's prefix.
    pub fn path(&self) -> String {
        match self {
            Self::Checkpoint => "checkpoint".to_owned(),
            Self::Tile(tile) => tile.path(),
            Self::Entries { index, width } => bundle_path(*index, *width),
            Self::Seen(n) => format!("seen/{}", index_path(*n)),
            Self::Held { authority, n } => format!("held/{authority}/{}", index_path(*n)),
        }
    }

    /// Reads what [`LogFile::path`] wrote, and nothing else.
    pub fn parse(path: &str) -> Option<Self> {
        if path == "checkpoint" {
            return Some(Self::Checkpoint);
        }
        if let Some(n) = path.strip_prefix("seen/") {
            return parse_index_path(n).map(Self::Seen);
        }
        if let Some(held) = path.strip_prefix("held/") {
            let (authority, n) = held.split_once('/')?;
            return Some(Self::Held { authority: authority.parse().ok()?, n: parse_index_path(n)? });
        }
        if path.starts_with("tile/entries/") {
            let (index, width) = parse_bundle_path(path).ok()?;
            return Some(Self::Entries { index, width });
        }
        TileId::parse_path(path).ok().map(Self::Tile)
    }

    /// The path of the stored file, below the log's prefix: a tile or bundle that grows is stored under the
    /// path of the full one and is served by cutting it.
    pub fn stored_path(&self) -> String {
        match self {
            Self::Tile(tile) => TileId { width: tlog::tile::FULL_WIDTH, ..*tile }.path(),
            Self::Entries { index, .. } => bundle_path(*index, tlog::tile::FULL_WIDTH),
            _ => self.path(),
        }
    }

    /// The largest answer, in bytes.
    pub fn limit(&self) -> usize {
        match self {
            Self::Tile(tile) => 32 * usize::from(tile.width),
            Self::Entries { width, .. } => (MAX_BUNDLE / 256) * usize::from(*width),
            Self::Checkpoint | Self::Seen(_) | Self::Held { .. } => MAX_CHECKPOINT,
        }
    }
}

/// The name of a log without its authority: what stands in its path on its own node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogName {
    /// For whom.
    pub audience: AudienceId,
    /// The label.
    pub year: u16,
    /// The second and further logs of a year.
    pub n: Option<u32>,
}

impl LogName {
    /// The name of a log.
    pub fn of(origin: &Origin) -> Self {
        Self { audience: origin.audience.clone(), year: origin.year, n: origin.n }
    }

    /// The log of this name that an authority keeps.
    pub fn origin(&self, authority: &Authority) -> Origin {
        let Self { audience, year, n } = self.clone();
        Origin { authority: authority.clone(), audience, year, n }
    }

    fn path(&self) -> String {
        let Self { audience, year, .. } = self;
        self.n.map_or_else(|| format!("/log/{audience}/{year}"), |n| format!("/log/{audience}/{year}.{n}"))
    }
}

/// A verified copy's file, below the mirror of one log.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MirrorFile {
    /// A file of the log.
    Log(LogFile),
    /// A blob that one of its records names.
    Blob(Hash),
}

/// A resource of the exchange.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Route {
    /// `/.well-known/concord/root`: the newest own trust root.
    WellKnownRoot,
    /// `/root/<n>`: an own trust root.
    Root(u64),
    /// `/roots/<authority>/<n>`: another's trust root, as known there.
    PeerRoot {
        /// Whose root.
        authority: Authority,
        /// Its version.
        n: u64,
    },
    /// `/log/<audience>/<year>/...`: an own log.
    Log {
        /// Which log.
        log: LogName,
        /// Which file.
        file: LogFile,
    },
    /// `/blob/<sha256>`: a blob of an own record.
    Blob(Hash),
    /// `/mirror/<sha256(origin)>/...`: a verified copy.
    Mirror {
        /// SHA-256 of the log's origin.
        origin: Hash,
        /// Which file.
        file: MirrorFile,
    },
    /// `/heads`.
    Heads,
    /// `POST /nudge`.
    Nudge,
    /// `POST /add-checkpoint`.
    AddCheckpoint,
    /// `/witness/<sha256(origin)>/checkpoint`: the checkpoint cosigned last.
    Witness(Hash),
    /// `/holds/<sha256(origin)>/checkpoint`: the newest fetch receipt.
    Holds(Hash),
}

/// How a log is named in paths of mirrors, witnesses and receipts.
pub fn origin_hash(origin: &Origin) -> Hash {
    sha256(origin.to_string().as_bytes())
}

impl Route {
    /// A file of a log on its own node.
    pub fn log(origin: &Origin, file: LogFile) -> Self {
        Self::Log { log: LogName::of(origin), file }
    }

    /// A file of a log on a node that has a copy.
    pub fn mirror(origin: &Origin, file: LogFile) -> Self {
        Self::Mirror { origin: origin_hash(origin), file: MirrorFile::Log(file) }
    }

    /// The path, from its first slash.
    pub fn path(&self) -> String {
        match self {
            Self::WellKnownRoot => "/.well-known/concord/root".to_owned(),
            Self::Root(n) => format!("/root/{n}"),
            Self::PeerRoot { authority, n } => format!("/roots/{authority}/{n}"),
            Self::Log { log, file } => format!("{}/{}", log.path(), file.path()),
            Self::Blob(hash) => format!("/blob/{hash}"),
            Self::Mirror { origin, file: MirrorFile::Log(file) } => {
                format!("/mirror/{origin}/{}", file.path())
            }
            Self::Mirror { origin, file: MirrorFile::Blob(hash) } => format!("/mirror/{origin}/blob/{hash}"),
            Self::Heads => "/heads".to_owned(),
            Self::Nudge => "/nudge".to_owned(),
            Self::AddCheckpoint => "/add-checkpoint".to_owned(),
            Self::Witness(origin) => format!("/witness/{origin}/checkpoint"),
            Self::Holds(origin) => format!("/holds/{origin}/checkpoint"),
        }
    }

    /// Reads what [`Route::path`] wrote, and nothing else.
    pub fn parse(path: &str) -> Option<Self> {
        if path.len() > MAX_PATH {
            return None;
        }
        match path {
            "/.well-known/concord/root" => return Some(Self::WellKnownRoot),
            "/heads" => return Some(Self::Heads),
            "/nudge" => return Some(Self::Nudge),
            "/add-checkpoint" => return Some(Self::AddCheckpoint),
            _ => {}
        }
        let (resource, rest) = path.strip_prefix('/')?.split_once('/')?;
        match resource {
            "root" => version(rest).map(Self::Root),
            "roots" => {
                let (authority, n) = rest.split_once('/')?;
                Some(Self::PeerRoot { authority: authority.parse().ok()?, n: version(n)? })
            }
            "blob" => Hash::from_hex(rest).ok().map(Self::Blob),
            "log" => parse_log(rest),
            "mirror" => parse_mirror(rest),
            "witness" => latest(rest).map(Self::Witness),
            "holds" => latest(rest).map(Self::Holds),
            _ => None,
        }
    }

    /// The largest answer, in bytes; a blob's is its declared size, which the caller knows.
    pub fn limit(&self) -> usize {
        match self {
            Self::WellKnownRoot | Self::Root(_) | Self::PeerRoot { .. } => record::root::MAX_ROOT,
            Self::Log { file, .. } | Self::Mirror { file: MirrorFile::Log(file), .. } => file.limit(),
            Self::Blob(_) | Self::Mirror { file: MirrorFile::Blob(_), .. } => usize::MAX,
            Self::Heads => MAX_HEADS,
            Self::Nudge | Self::AddCheckpoint => MAX_POST_ANSWER,
            Self::Witness(_) | Self::Holds(_) => MAX_CHECKPOINT,
        }
    }
}

fn version(text: &str) -> Option<u64> {
    record::encoding::decimal(text).ok().filter(|n: &u64| *n > 0)
}

fn latest(rest: &str) -> Option<Hash> {
    Hash::from_hex(rest.strip_suffix("/checkpoint")?).ok()
}

fn parse_log(rest: &str) -> Option<Route> {
    let (audience, rest) = rest.split_once('/')?;
    let (label, file) = rest.split_once('/')?;
    // Any authority makes an origin of it; the origin's own grammar decides.
    let origin: Origin = format!("a.example/log/{audience}/{label}").parse().ok()?;
    Some(Route::Log { log: LogName::of(&origin), file: LogFile::parse(file)? })
}

fn parse_mirror(rest: &str) -> Option<Route> {
    let (origin, file) = rest.split_once('/')?;
    let origin = Hash::from_hex(origin).ok()?;
    let file = match file.strip_prefix("blob/") {
        Some(hash) => MirrorFile::Blob(Hash::from_hex(hash).ok()?),
        None => MirrorFile::Log(LogFile::parse(file)?),
    };
    Some(Route::Mirror { origin, file })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn origin(text: &str) -> Origin {
        text.parse().unwrap()
    }

    #[test]
    fn every_resource_has_one_path() {
        let log = origin("moh.chn.example/log/public/2020.1");
        let hash = origin_hash(&log);
        let tile = LogFile::Tile(TileId { level: 1, index: 1_234_067, width: 5 });
        let cases = [
            (Route::WellKnownRoot, "/.well-known/concord/root".to_owned()),
            (Route::Root(2), "/root/2".to_owned()),
            (
                Route::PeerRoot { authority: "who.example".parse().unwrap(), n: 1 },
                "/roots/who.example/1".to_owned(),
            ),
            (Route::log(&log, tile.clone()), "/log/public/2020.1/tile/1/x001/x234/067.p/5".to_owned()),
            (
                Route::log(&log, LogFile::Entries { index: 3, width: 256 }),
                "/log/public/2020.1/tile/entries/003".to_owned(),
            ),
            (Route::mirror(&log, LogFile::Seen(1000)), format!("/mirror/{hash}/seen/x001/000")),
            (
                Route::mirror(&log, LogFile::Held { authority: "who.example".parse().unwrap(), n: 0 }),
                format!("/mirror/{hash}/held/who.example/000"),
            ),
            (
                Route::Mirror { origin: hash, file: MirrorFile::Blob(hash) },
                format!("/mirror/{hash}/blob/{hash}"),
            ),
            (Route::Blob(hash), format!("/blob/{hash}")),
            (Route::Witness(hash), format!("/witness/{hash}/checkpoint")),
            (Route::Holds(hash), format!("/holds/{hash}/checkpoint")),
            (Route::Heads, "/heads".to_owned()),
            (Route::Nudge, "/nudge".to_owned()),
            (Route::AddCheckpoint, "/add-checkpoint".to_owned()),
        ];
        for (route, path) in cases {
            assert_eq!(route.path(), path);
            assert_eq!(Route::parse(&path), Some(route), "{path}");
        }
    }

    #[test]
    fn a_growing_tile_is_stored_as_the_full_one() {
        let tile = LogFile::Tile(TileId { level: 0, index: 7, width: 5 });
        assert_eq!((tile.path(), tile.stored_path()), ("tile/0/007.p/5".into(), "tile/0/007".into()));
        assert_eq!(LogFile::Entries { index: 7, width: 5 }.stored_path(), "tile/entries/007");
    }

    #[test]
    fn other_spellings_are_no_resource() {
        for path in [
            "",
            "/",
            "heads",
            "/heads/",
            "/root/0",
            "/root/01",
            "/root/+1",
            "/roots/who.example",
            "/roots/WHO.example/1",
            "/log/public/2020",
            "/log/public/2020/",
            "/log/public/20/checkpoint",
            "/log/public/2020.0/checkpoint",
            "/log/secret/2020/checkpoint",
            "/log/public/2020/../checkpoint",
            "/log/public/2020/tile/entries/003.p/256",
            "/log/public/2020/seen/1",
            "/blob/00",
            "/witness/00/checkpoint",
        ] {
            assert_eq!(Route::parse(path), None, "{path}");
        }
    }

    proptest! {
        #[test]
        fn what_parses_writes_itself(path in "/[a-z/.0-9]{0,60}") {
            if let Some(route) = Route::parse(&path) {
                prop_assert_eq!(route.path(), path);
            }
        }
    }
}
