//! The own lines of `log.open`, `log.root` and `log.close`: reading and writing them.
//! It never decides whether a record that carries them is valid.

use tlog::{Hash, sha256};

use super::{InvalidReason, Previous, Readers};
use crate::encoding::{Authority, MediaType, Time, Ulid, decimal};
use crate::header::{BlobRef, Header, Status};
use crate::kind;
use crate::lines::Line;
use crate::origin::Origin;

const READERS: &str =
    "sorted authorities, each once, the author included; `public` if and only if the log is";
const ROOT: &str = "once: root <version> <sha256 of its text>";
const POLICY: &str = "once: policy <sha256>";
const PREVIOUS: &str = "at most once: previous <another origin of the author> <size> <root>";
const NEXT: &str = "once: next <another origin of the author>";

/// What a `log.open` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogOpen {
    /// Who may read.
    pub readers: Readers,
    /// Version and text hash of the author's root in force.
    pub root: (u64, Hash),
    /// SHA-256 of the witness policy.
    pub policy: Hash,
    /// What the log follows.
    pub previous: Option<Previous>,
}

impl LogOpen {
    /// Reads the own lines of a `log.open` header of `origin`.
    pub(crate) fn read(header: &Header, origin: &Origin) -> Result<Self, InvalidReason> {
        let policy = header.own_once("policy").and_then(|hash| Hash::from_hex(hash).ok());
        Ok(Self {
            readers: read_readers(header, origin)?,
            root: read_root(header)?,
            policy: policy.ok_or(line("policy", POLICY))?,
            previous: read_previous(header, origin)?,
        })
    }
}

fn line(key: &'static str, wanted: &'static str) -> InvalidReason {
    InvalidReason::LogLine { key, wanted }
}

fn read_readers(header: &Header, origin: &Origin) -> Result<Readers, InvalidReason> {
    let readers = || {
        if origin.audience.is_public() {
            return (header.own_once("reader")? == "public").then_some(Readers::Public);
        }
        let listed =
            header.own("reader").map(|reader| reader.parse().ok()).collect::<Option<Vec<Authority>>>()?;
        let ascending = listed.windows(2).all(|pair| pair[0] < pair[1]);
        (ascending && listed.contains(&origin.authority)).then(|| Readers::Set(listed.into_iter().collect()))
    };
    readers().ok_or(line("reader", READERS))
}

/// Version and text hash of a `root` line.
pub(super) fn read_root(header: &Header) -> Result<(u64, Hash), InvalidReason> {
    let root = || {
        let (version, hash) = header.own_once("root")?.split_once(' ')?;
        Some((decimal(version).ok().filter(|version| *version > 0)?, Hash::from_hex(hash).ok()?))
    };
    root().ok_or(line("root", ROOT))
}

fn read_previous(header: &Header, origin: &Origin) -> Result<Option<Previous>, InvalidReason> {
    if header.own("previous").next().is_none() {
        return Ok(None);
    }
    let previous = || {
        let mut fields = header.own_once("previous")?.split(' ');
        let before = another(fields.next()?, origin)?;
        let size = decimal(fields.next()?).ok()?;
        let root = Hash::from_base64(fields.next()?).ok()?;
        fields.next().is_none().then_some(Previous { origin: before, size, root })
    };
    previous().map(Some).ok_or(line("previous", PREVIOUS))
}

/// The successor that a `log.close` names.
pub(super) fn read_next(header: &Header, origin: &Origin) -> Result<Origin, InvalidReason> {
    header.own_once("next").and_then(|next| another(next, origin)).ok_or(line("next", NEXT))
}

fn another(text: &str, origin: &Origin) -> Option<Origin> {
    text.parse().ok().filter(|other: &Origin| other.authority == origin.authority && other != origin)
}

// ------------------------------------------------------------------------------------------------ writing

/// The header of a log's first entry.
pub fn log_open_header(origin: &Origin, open: &LogOpen, id: Ulid, released: Time, status: Status) -> Header {
    let readers = match &open.readers {
        Readers::Public => vec!["public".to_owned()],
        Readers::Set(readers) => readers.iter().map(ToString::to_string).collect(),
    };
    let mut own: Vec<Line> = readers.into_iter().map(|reader| own_line("reader", reader)).collect();
    own.push(root_line(open.root));
    own.push(own_line("policy", open.policy.to_hex()));
    if let Some(Previous { origin, size, root }) = &open.previous {
        own.push(own_line("previous", format!("{origin} {size} {}", root.to_base64())));
    }
    Header { own, ..Header::bare(origin, kind::LOG_OPEN, id, released, status) }
}

/// The header of an entry that moves a log to a newer root. In a public log `note`, the signed root's bytes,
/// is the record's blob; in a restricted one it is `None`.
pub fn log_root_header(
    origin: &Origin,
    root: (u64, Hash),
    note: Option<&[u8]>,
    id: Ulid,
    released: Time,
    status: Status,
) -> Header {
    let blob = |bytes: &[u8]| BlobRef {
        media_type: MediaType::plain(),
        size: bytes.len() as u64,
        sha256: sha256(bytes),
        lang: None,
    };
    let blobs = note.map(blob).into_iter().collect();
    Header { own: vec![root_line(root)], blobs, ..Header::bare(origin, kind::LOG_ROOT, id, released, status) }
}

/// The header of a log's last entry.
pub fn log_close_header(origin: &Origin, next: &Origin, id: Ulid, released: Time, status: Status) -> Header {
    let own = vec![own_line("next", next.to_string())];
    Header { own, ..Header::bare(origin, kind::LOG_CLOSE, id, released, status) }
}

fn own_line(key: &str, value: String) -> Line {
    Line::new(key, value).expect("hashes, numbers, authorities and origins are printable and without spaces")
}

fn root_line((version, hash): (u64, Hash)) -> Line {
    own_line("root", format!("{version} {}", hash.to_hex()))
}
