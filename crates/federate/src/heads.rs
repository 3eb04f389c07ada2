//! The answer of `/heads`: every log that the caller may read, with its newest checkpoint, how many `seen`
//! files there are, and what the sender holds of it.
//!
//! ```text
//! concord.heads/v1
//! log <origin> <count of seen> <bytes>
//! <a signed checkpoint of that many bytes>
//! held <origin> <bytes>
//! <an older checkpoint with the sender's `holds` line>
//! ```
//!
//! Signatures are kept, not judged: who reads the answer verifies each checkpoint against the log's key.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use record::{Authority, Origin};
use tlog::{CheckpointError, SignedCheckpoint, sha256};

use crate::paths::{MAX_CHECKPOINT, MAX_HEADS};

/// First line of the answer.
pub const HEADS_TAG: &str = "concord.heads/v1";
/// The most logs of one authority in an answer.
pub const MAX_LOGS_PER_AUTHORITY: usize = 4096;
/// The most bytes of one author's logs in an answer of somebody else to somebody else. Who follows the author is shown all of them
/// by the author itself; who does not pays for them with its line.
pub const MAX_OF_ANOTHER: usize = 32 << 10;
/// Bytes. No checkpoint with its signature is shorter.
pub(crate) const SHORTER_THAN_A_HEAD: usize = 128;

/// In which order logs of an author are shown, if not all of them are.
pub(crate) fn newest_first(origin: &Origin) -> (Reverse<u16>, &Origin) {
    (Reverse(origin.year), origin)
}

/// One log in an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The newest checkpoint that the sender has verified, with the log's signature and, if the sender holds
    /// all of it, the sender's `holds` line.
    pub checkpoint: SignedCheckpoint,
    /// How many `seen` files the sender has.
    pub seen: u64,
    /// An older checkpoint with the sender's `holds` line, if it does not hold the newest yet.
    pub held: Option<SignedCheckpoint>,
}

impl Head {
    /// How many bytes it takes in an answer, at most.
    fn length(&self, origin: &Origin) -> usize {
        // The word, the origin, two numbers of at most twenty digits, and what stands between them.
        let line = origin.to_string().len() + 50;
        let held = self.held.as_ref().map_or(0, |held| line + held.to_bytes().len());
        line + self.checkpoint.to_bytes().len() + held
    }
}

/// An answer of `/heads`, by origin.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Heads {
    /// The logs.
    pub logs: BTreeMap<Origin, Head>,
}

/// Why an answer of `/heads` is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeadsError {
    /// More bytes than allowed.
    #[error("heads of {0} bytes: at most {MAX_HEADS}")]
    TooLarge(usize),
    /// Another first line.
    #[error("line 1: {HEADS_TAG}")]
    Tag,
    /// A line that is none of the two.
    #[error("at byte {at}: `log <origin> <count> <bytes>` or `held <origin> <bytes>`")]
    Line {
        /// Where the line begins.
        at: usize,
    },
    /// A checkpoint that is cut short or too long.
    #[error("at byte {at}: a checkpoint of at most {MAX_CHECKPOINT} bytes, whole")]
    Length {
        /// Where it begins.
        at: usize,
    },
    /// No checkpoint.
    #[error("at byte {at}: {source}")]
    Checkpoint {
        /// Where it begins.
        at: usize,
        /// What is wrong.
        source: CheckpointError,
    },
    /// A checkpoint of another log than its line names.
    #[error("a checkpoint of {found} under the line of {origin}")]
    Origin {
        /// The line's.
        origin: Origin,
        /// The checkpoint's.
        found: String,
    },
    /// Logs out of order, twice, or `held` without its log.
    #[error("{origin}: logs are in the order of their origins, each once, `held` after its log")]
    Order {
        /// The second one.
        origin: Origin,
    },
    /// Too many logs of one authority.
    #[error("more than {MAX_LOGS_PER_AUTHORITY} logs of {authority}")]
    TooMany {
        /// Whose.
        authority: Authority,
    },
}

impl HeadsError {
    /// A stable name of the error, for translation.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge(_) => "heads-too-large",
            Self::Tag => "heads-tag",
            Self::Line { .. } => "heads-line",
            Self::Length { .. } => "heads-length",
            Self::Checkpoint { .. } => "heads-checkpoint",
            Self::Origin { .. } => "heads-origin",
            Self::Order { .. } => "heads-order",
            Self::TooMany { .. } => "heads-too-many",
        }
    }

    /// Named arguments of the message, in a fixed order.
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Tag => Vec::new(),
            Self::TooLarge(value) => vec![("bytes", value.to_string())],
            Self::Line { at } | Self::Length { at } => vec![("at", at.to_string())],
            Self::Checkpoint { at, source } => vec![("at", at.to_string()), ("reason", source.to_string())],
            Self::Origin { origin, found } => vec![("origin", origin.to_string()), ("found", found.clone())],
            Self::Order { origin } => vec![("origin", origin.to_string())],
            Self::TooMany { authority } => vec![("authority", authority.to_string())],
        }
    }
}

impl Heads {
    /// The answer's bytes: one set of heads has one text.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = format!("{HEADS_TAG}\n").into_bytes();
        for (origin, head) in &self.logs {
            let checkpoint = head.checkpoint.to_bytes();
            out.extend_from_slice(format!("log {origin} {} {}\n", head.seen, checkpoint.len()).as_bytes());
            out.extend_from_slice(&checkpoint);
            if let Some(held) = &head.held {
                let held = held.to_bytes();
                out.extend_from_slice(format!("held {origin} {}\n", held.len()).as_bytes());
                out.extend_from_slice(&held);
            }
        }
        out
    }

    /// As many of them as an answer of `me` to `caller` may hold: its own logs and the caller's whole, and of every other author as
    /// much as of the others, at most `of_another` bytes, the newest. One author with very many logs makes nobody's answer
    /// unreadable, and nobody's line slow.
    #[must_use]
    pub fn within_limit(self, me: &Authority, caller: Option<&Authority>, of_another: usize) -> Self {
        let mut of_author: BTreeMap<&Authority, Vec<(&Origin, usize)>> = BTreeMap::new();
        for (origin, head) in &self.logs {
            of_author.entry(&origin.authority).or_default().push((origin, head.length(origin)));
        }
        let total = |logs: &[(&Origin, usize)]| logs.iter().map(|(_, bytes)| bytes).sum::<usize>();
        let is_whole = |author: &Authority| author == me || Some(author) == caller;
        let mut authors: Vec<_> = of_author.into_iter().collect();
        authors.sort_by_key(|(author, logs)| (*author != me, !is_whole(author), total(logs)));
        let (mut kept, count) = (BTreeSet::new(), authors.len());
        let mut left = MAX_HEADS - HEADS_TAG.len() - 1;
        for (n, (author, mut logs)) in authors.into_iter().enumerate() {
            let mut share = if is_whole(author) { left } else { of_another.min(left / (count - n)) };
            logs.sort_by_key(|(origin, _)| newest_first(origin));
            for (origin, bytes) in logs {
                if bytes <= share {
                    (share, left) = (share - bytes, left - bytes);
                    kept.insert(origin.clone());
                }
            }
        }
        Self { logs: self.logs.into_iter().filter(|(origin, _)| kept.contains(origin)).collect() }
    }

    /// The entity tag of an answer, with its quotes.
    pub fn etag(bytes: &[u8]) -> String {
        format!("\"{}\"", sha256(bytes))
    }

    /// Reads an answer; verifies no signature.
    pub fn parse(bytes: &[u8]) -> Result<Self, HeadsError> {
        if bytes.len() > MAX_HEADS {
            return Err(HeadsError::TooLarge(bytes.len()));
        }
        let mut reader = Reader { bytes, at: 0 };
        if reader.line() != Some(HEADS_TAG) {
            return Err(HeadsError::Tag);
        }
        let mut heads = Self::default();
        let mut per_authority: BTreeMap<Authority, usize> = BTreeMap::new();
        while reader.at < bytes.len() {
            let at = reader.at;
            match reader.section().ok_or(HeadsError::Line { at })? {
                Section::Log { origin, seen, length } => {
                    let checkpoint = reader.checkpoint(&origin, length)?;
                    let count = per_authority.entry(origin.authority.clone()).or_default();
                    *count += 1;
                    if *count > MAX_LOGS_PER_AUTHORITY {
                        return Err(HeadsError::TooMany { authority: origin.authority });
                    }
                    if heads.logs.last_key_value().is_some_and(|(last, _)| *last >= origin) {
                        return Err(HeadsError::Order { origin });
                    }
                    heads.logs.insert(origin, Head { checkpoint, seen, held: None });
                }
                Section::Held { origin, length } => {
                    let held = reader.checkpoint(&origin, length)?;
                    match heads.logs.last_entry() {
                        Some(mut last) if *last.key() == origin && last.get().held.is_none() => {
                            last.get_mut().held = Some(held);
                        }
                        _ => return Err(HeadsError::Order { origin }),
                    }
                }
            }
        }
        Ok(heads)
    }
}

enum Section {
    Log { origin: Origin, seen: u64, length: usize },
    Held { origin: Origin, length: usize },
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn line(&mut self) -> Option<&'a str> {
        let rest = self.bytes.get(self.at..)?;
        let end = rest.iter().take(1024).position(|b| *b == b'\n')?;
        self.at += end + 1;
        std::str::from_utf8(&rest[..end]).ok()
    }

    fn section(&mut self) -> Option<Section> {
        let fields: Vec<&str> = self.line()?.split(' ').collect();
        match fields.as_slice() {
            ["log", origin, seen, length] => Some(Section::Log {
                origin: origin.parse().ok()?,
                seen: record::encoding::decimal(seen).ok()?,
                length: record::encoding::decimal(length).ok()?,
            }),
            ["held", origin, length] => Some(Section::Held {
                origin: origin.parse().ok()?,
                length: record::encoding::decimal(length).ok()?,
            }),
            _ => None,
        }
    }

    fn checkpoint(&mut self, origin: &Origin, length: usize) -> Result<SignedCheckpoint, HeadsError> {
        let at = self.at;
        if length > MAX_CHECKPOINT {
            return Err(HeadsError::Length { at });
        }
        let bytes = self.bytes.get(at..at + length).ok_or(HeadsError::Length { at })?;
        self.at += length;
        let checkpoint =
            SignedCheckpoint::parse(bytes).map_err(|source| HeadsError::Checkpoint { at, source })?;
        if checkpoint.checkpoint.origin == origin.to_string() {
            Ok(checkpoint)
        } else {
            Err(HeadsError::Origin { origin: origin.clone(), found: checkpoint.checkpoint.origin })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tlog::{Checkpoint, KeyType, LocalSigner, SecretKey};

    fn checkpoint(origin: &str, size: u64) -> SignedCheckpoint {
        let signer = LocalSigner::new(origin, KeyType::Ed25519, SecretKey::from_seed([7; 32])).unwrap();
        let root = sha256(&size.to_be_bytes());
        SignedCheckpoint::sign(Checkpoint { origin: origin.to_owned(), size, root }, &signer).unwrap()
    }

    fn heads() -> Heads {
        let mut heads = Heads::default();
        for (origin, held) in [("a.example/log/public/2020", None), ("b.example/log/public/2020", Some(4))] {
            let head = Head {
                checkpoint: checkpoint(origin, 5),
                seen: 2,
                held: held.map(|size| checkpoint(origin, size)),
            };
            heads.logs.insert(origin.parse().unwrap(), head);
        }
        heads
    }

    #[test]
    fn heads_are_read_as_they_were_written() {
        let bytes = heads().to_bytes();
        assert_eq!(Heads::parse(&bytes), Ok(heads()));
        assert_eq!(Heads::parse(b"concord.heads/v1\n"), Ok(Heads::default()));
        assert_eq!(Heads::etag(b""), format!("\"{}\"", sha256(b"")));
    }

    /// As `docs/protocol.md` section 6 says: not in the order of their texts.
    #[test]
    fn logs_stand_in_the_order_of_the_parts_of_their_origins() {
        let in_order = [
            "a.example/log/public/2025.3",
            "a.example/log/public/2026",
            "a.example/log/public/2026.2",
            "a.example/log/public/2026.10",
            "a.example/log/abcdefghijklmnopqrstuvwxyz/2026",
            "a.example/log/bbcdefghijklmnopqrstuvwxyz/2025",
            "a.example.org/log/public/2026",
            "b.example/log/public/2026",
        ];
        let text = |origins: &[&str]| {
            let section = |origin: &&str| {
                let checkpoint = checkpoint(origin, 5).to_bytes();
                let line = format!("log {origin} 0 {}\n", checkpoint.len()).into_bytes();
                [line, checkpoint].concat()
            };
            let all = origins.iter().map(section).collect::<Vec<_>>().concat();
            [format!("{HEADS_TAG}\n").into_bytes(), all].concat()
        };
        assert_eq!(Heads::parse(&text(&in_order)).map(|heads| heads.to_bytes()), Ok(text(&in_order)));
        for pair in in_order.windows(2) {
            let refused = Heads::parse(&text(&[pair[1], pair[0]]));
            assert_eq!(refused.map_err(|error| error.code()), Err("heads-order"), "{pair:?}");
        }
    }

    /// So many logs of an author, by their years.
    fn logs_of(author: &str, years: std::ops::Range<u16>) -> impl Iterator<Item = (Origin, Head)> {
        years.map(move |year| {
            let origin = format!("{author}/log/public/{year}");
            let head = Head { checkpoint: checkpoint(&origin, 5), seen: 0, held: None };
            (origin.parse().unwrap(), head)
        })
    }

    #[test]
    fn of_another_author_with_very_many_logs_the_newest_are_shown_and_to_itself_all() {
        let (me, many, other) = ("b.example", "a.example", "c.example");
        let logs = [(me, 1900..2300), (many, 1900..2300), (other, 2020..2025)];
        let all =
            Heads { logs: logs.into_iter().flat_map(|(author, years)| logs_of(author, years)).collect() };
        let years = |heads: &Heads, author: &str| -> Vec<u16> {
            let of = heads.logs.keys().filter(|origin| origin.authority.as_str() == author);
            of.map(|origin| origin.year).collect()
        };
        let shown = |caller: Option<&str>| {
            let caller = caller.map(|caller| caller.parse().unwrap());
            all.clone().within_limit(&me.parse().unwrap(), caller.as_ref(), MAX_OF_ANOTHER)
        };
        for caller in [None, Some(other)] {
            let shown = shown(caller);
            assert_eq!((years(&shown, me).len(), years(&shown, other).len()), (400, 5));
            let newest = years(&shown, many);
            assert!(
                newest.len() > 50
                    && newest.iter().eq((1900..2300).skip(400 - newest.len()).collect::<Vec<_>>().iter())
            );
            let of_many = Heads {
                logs: shown
                    .logs
                    .into_iter()
                    .filter(|(origin, _)| origin.authority.as_str() == many)
                    .collect(),
            };
            assert!(of_many.to_bytes().len() <= MAX_OF_ANOTHER, "{}", of_many.to_bytes().len());
        }
        assert_eq!(
            all.clone().within_limit(&me.parse().unwrap(), None, MAX_HEADS),
            all,
            "in a file that is carried"
        );
        assert_eq!(shown(Some(many)), all, "its receipts, and what it lost, are in all of them");
    }

    #[test]
    fn an_answer_of_another_form_is_refused() {
        let text = String::from_utf8(heads().to_bytes()).unwrap();
        let cases = [
            (String::new(), "heads-tag"),
            (text.replace("heads/v1", "heads/v2"), "heads-tag"),
            (
                text.replace("log a.example/log/public/2020 2 ", "log a.example/log/public/2020 02 "),
                "heads-line",
            ),
            (text.replace("\nlog b", "\nlug b"), "heads-line"),
            (text[..text.len() - 1].to_owned(), "heads-length"),
            (
                text.replace("log b.example/log/public/2020 2 ", "log c.example/log/public/2020 2 "),
                "heads-origin",
            ),
            (text.replace("a.example", "z.example"), "heads-order"),
        ];
        for (text, code) in cases {
            assert_eq!(Heads::parse(text.as_bytes()).map_err(|error| error.code()), Err(code), "{text}");
        }
    }

    proptest! {
        #[test]
        fn foreign_bytes_never_panic(cut in 0_usize..2000, at in 0_usize..2000, byte: u8) {
            let mut bytes = heads().to_bytes();
            let at = at % bytes.len();
            bytes[at] = byte;
            bytes.truncate(cut);
            let _ = Heads::parse(&bytes);
        }
    }
}
