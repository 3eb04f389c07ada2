//! One file that shows, offline and for decades, that an authority released a record, and since when: what a
//! court, a journalist or another implementation verifies against fingerprints that it trusts.
//!
//! # The file, `concord.evidence/v1`
//!
//! A line `concord.evidence/v1`, then sections, then a last line. A section is the line
//! `section <name> <length>`, `<length>` bytes (a decimal), and a newline that is not counted. The last line is
//! `end <sha256>`: the hash, in lower-case hex, of every byte before this line. It finds damage; it proves
//! nothing. Sections stand in this order:
//!
//! | name | how many | content |
//! |---|---|---|
//! | `record` | 1 | the record, byte for byte as it is an entry of its log |
//! | `proof` | 1 to 16 | a C2SP `tlog-proof` of the record, with a cosigned checkpoint; sizes rise |
//! | `entry`, `entry.proof` | 1 to 64 pairs | `log.open`, then each `log.root` and `log.close` below the size of the last proof, in the log's order, each with a `tlog-proof` to the checkpoint of the last `proof` |
//! | `root/<authority>/<n>` | any number | trust roots, sorted by authority and number, from 1 without gaps |
//! | `policy` | 1 | the log's policy file |
//! | `inner` | 0 or 1 | a sealed record's inner header, disclosed |
//! | `blob/<sha256>` | any number | blobs that the record or its inner header names, sorted |
//!
//! All of it is text, blobs apart. No `tlog-proof` has an `extra` line.
//!
//! # What it proves, and what not
//!
//! That the author's key, listed by the root that the shown entries put in force, signed the record; that the
//! record is in the author's log; and since when witnesses of other pinned authorities have seen it there.
//! It cannot prove that a `log.root` between the entries shown was left out, nor that a root newer than those
//! shown revokes a key: whoever doubts that compares with the log. This module does no I/O and trusts nothing
//! in the file but what a pinned fingerprint leads to.

use std::collections::BTreeMap;

use tlog::{Hash, ProofFile, ProofFileError, sha256};

use crate::encoding::{Authority, decimal};
use crate::record::MAX_RECORD;
use crate::refusal::Refusal;
use crate::root::MAX_ROOT;

mod verify;

pub use verify::{Conclusion, Report, Revocation, Step};

/// First line.
pub const EVIDENCE_TAG: &str = "concord.evidence/v1";
/// Longest file, in bytes.
pub const MAX_EVIDENCE: usize = 256 << 20;
/// Most proofs of the record.
pub const MAX_PROOFS: usize = 16;
/// Most other entries of the log.
pub const MAX_ENTRIES: usize = 64;
/// Most trust roots.
pub const MAX_ROOTS: usize = 4096;
/// Most blobs.
pub const MAX_BLOBS: usize = 256;

/// The parts of an evidence file. Nothing is verified until [`Evidence::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The record's bytes.
    pub record: Vec<u8>,
    /// Proofs of the record; sizes rise.
    pub proofs: Vec<ProofFile>,
    /// `log.open` and what follows of `log.root` and `log.close`, each with its proof.
    pub entries: Vec<(Vec<u8>, ProofFile)>,
    /// Signed trust roots by authority and version.
    pub roots: BTreeMap<(Authority, u64), Vec<u8>>,
    /// The log's policy file.
    pub policy: Vec<u8>,
    /// A sealed record's inner header.
    pub inner: Option<String>,
    /// Blobs by their hash.
    pub blobs: BTreeMap<Hash, Vec<u8>>,
}

/// Why bytes are no evidence file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// More bytes than allowed.
    #[error("an evidence file of {bytes} bytes; at most {limit} are allowed")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The first line is another.
    #[error("line 1 must be {EVIDENCE_TAG}")]
    Tag,
    /// At this byte, neither a section nor the end.
    #[error("byte {at}: `section <name> <length>`, its bytes and a newline, or `end <sha256>`")]
    Section {
        /// Counted from 0.
        at: usize,
    },
    /// The file is damaged: the last line is not the hash of what is before it.
    #[error("the file is damaged: its bytes have the hash {found}, not {wanted}")]
    Damaged {
        /// Of the bytes.
        found: Hash,
        /// As the last line has it.
        wanted: Hash,
    },
    /// A section is missing, repeated, unknown or out of order.
    #[error("section {name:?} is missing, repeated, unknown or out of order")]
    Order {
        /// Its name, cut.
        name: String,
    },
    /// A section is longer than its content may be, or there are too many of its sort.
    #[error("section {name:?}: longer than, or more than, the limit of {limit}")]
    Limit {
        /// Its name, cut.
        name: String,
        /// Bytes or sections.
        limit: usize,
    },
    /// A proof does not parse, or has an `extra` line.
    #[error("section {name:?}: {reason}")]
    Proof {
        /// Its name.
        name: &'static str,
        /// What is wrong.
        reason: ProofFileError,
    },
    /// A section that must be text is not, or a blob has another hash than its name says.
    #[error("section {name:?} is not what its name says")]
    Content {
        /// Its name, cut.
        name: String,
    },
}

impl Refusal for EvidenceError {
    fn code(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "evidence-too-long",
            Self::Tag => "evidence-tag",
            Self::Section { .. } => "evidence-section",
            Self::Damaged { .. } => "evidence-damaged",
            Self::Order { .. } => "evidence-order",
            Self::Limit { .. } => "evidence-limit",
            Self::Proof { .. } => "evidence-proof",
            Self::Content { .. } => "evidence-content",
        }
    }

    fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::TooLong { bytes, limit } => {
                vec![("bytes", bytes.to_string()), ("limit", limit.to_string())]
            }
            Self::Tag => Vec::new(),
            Self::Section { at } => vec![("at", at.to_string())],
            Self::Damaged { found, wanted } => vec![("found", found.to_hex()), ("wanted", wanted.to_hex())],
            Self::Order { name } | Self::Content { name } => vec![("name", name.clone())],
            Self::Limit { name, limit } => vec![("name", name.clone()), ("limit", limit.to_string())],
            Self::Proof { name, reason } => vec![("name", (*name).into()), ("detail", reason.to_string())],
        }
    }
}

impl Evidence {
    /// The file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut file = format!("{EVIDENCE_TAG}\n").into_bytes();
        let mut section = |name: &str, bytes: &[u8]| {
            file.extend_from_slice(format!("section {name} {}\n", bytes.len()).as_bytes());
            file.extend_from_slice(bytes);
            file.push(b'\n');
        };
        section("record", &self.record);
        for proof in &self.proofs {
            section("proof", &proof.to_bytes());
        }
        for (entry, proof) in &self.entries {
            section("entry", entry);
            section("entry.proof", &proof.to_bytes());
        }
        for ((authority, version), root) in &self.roots {
            section(&format!("root/{authority}/{version}"), root);
        }
        section("policy", &self.policy);
        if let Some(inner) = &self.inner {
            section("inner", inner.as_bytes());
        }
        for (hash, blob) in &self.blobs {
            section(&format!("blob/{hash}"), blob);
        }
        let end = sha256(&file);
        file.extend_from_slice(format!("end {end}\n").as_bytes());
        file
    }

    /// Reads a file: its sections, their order and their hash. Verifies nothing that anybody claims.
    ///
    /// # Errors
    /// It is damaged, or not the one form of an evidence file.
    pub fn parse(file: &[u8]) -> Result<Self, EvidenceError> {
        if file.len() > MAX_EVIDENCE {
            return Err(EvidenceError::TooLong { bytes: file.len(), limit: MAX_EVIDENCE });
        }
        let mut sections = Sections::new(file)?;
        let record = sections.required("record", MAX_RECORD)?.to_vec();
        let mut proofs = vec![proof("proof", sections.required("proof", MAX_SECTION)?)?];
        while let Some(bytes) = sections.optional("proof", MAX_SECTION)? {
            limit("proof", proofs.len(), MAX_PROOFS)?;
            proofs.push(proof("proof", bytes)?);
        }
        let mut entries = Vec::new();
        while let Some(entry) = sections.optional("entry", MAX_RECORD)? {
            limit("entry", entries.len(), MAX_ENTRIES)?;
            let bytes = sections.required("entry.proof", MAX_SECTION)?;
            entries.push((entry.to_vec(), proof("entry.proof", bytes)?));
        }
        let roots = roots(&mut sections)?;
        let policy = sections.required("policy", tlog::policy::MAX_POLICY)?.to_vec();
        let inner = match sections.optional("inner", MAX_RECORD)? {
            Some(bytes) => Some(String::from_utf8(bytes.to_vec()).map_err(|_| content("inner"))?),
            None => None,
        };
        let blobs = blobs(&mut sections)?;
        sections.finish()?;
        Ok(Self { record, proofs, entries, roots, policy, inner, blobs })
    }
}

/// Longest section that has no limit of its own.
const MAX_SECTION: usize = tlog::proof_file::MAX_PROOF_FILE;

fn proof(name: &'static str, bytes: &[u8]) -> Result<ProofFile, EvidenceError> {
    let proof = ProofFile::parse(bytes).map_err(|reason| EvidenceError::Proof { name, reason })?;
    // Unauthenticated data have no place in evidence, and a file has one form.
    if proof.extra.is_some() {
        return Err(EvidenceError::Proof { name, reason: ProofFileError::Extra });
    }
    if proof.to_bytes() == bytes { Ok(proof) } else { Err(content(name)) }
}

fn roots(sections: &mut Sections) -> Result<BTreeMap<(Authority, u64), Vec<u8>>, EvidenceError> {
    let mut roots = BTreeMap::new();
    while let Some((rest, bytes)) = sections.prefixed("root/", MAX_ROOT)? {
        limit("root", roots.len(), MAX_ROOTS)?;
        let name = rest.split_once('/').and_then(|(a, n)| Some((a.parse().ok()?, decimal(n).ok()?)));
        let key: (Authority, u64) = name.ok_or_else(|| order(rest))?;
        if roots.last_key_value().is_some_and(|(last, _)| *last >= key) {
            return Err(order(rest));
        }
        roots.insert(key, bytes.to_vec());
    }
    Ok(roots)
}

fn blobs(sections: &mut Sections) -> Result<BTreeMap<Hash, Vec<u8>>, EvidenceError> {
    let mut blobs = BTreeMap::new();
    while let Some((rest, bytes)) = sections.prefixed("blob/", MAX_EVIDENCE)? {
        limit("blob", blobs.len(), MAX_BLOBS)?;
        let hash = Hash::from_hex(rest).map_err(|_| order(rest))?;
        if blobs.last_key_value().is_some_and(|(last, _)| *last >= hash) {
            return Err(order(rest));
        }
        if sha256(bytes) != hash {
            return Err(content(rest));
        }
        blobs.insert(hash, bytes.to_vec());
    }
    Ok(blobs)
}

fn limit(name: &str, count: usize, limit: usize) -> Result<(), EvidenceError> {
    if count < limit { Ok(()) } else { Err(EvidenceError::Limit { name: name.into(), limit }) }
}

fn order(name: &str) -> EvidenceError {
    EvidenceError::Order { name: name.chars().take(MAX_NAME).collect() }
}

fn content(name: &str) -> EvidenceError {
    EvidenceError::Content { name: name.chars().take(MAX_NAME).collect() }
}

/// Longest name of a section: `root/`, an authority and a number.
const MAX_NAME: usize = 300;
/// Longest line of the container.
const MAX_LINE: usize = MAX_NAME + 32;
/// Bytes of the last line.
const END: usize = 4 + 64 + 1;

/// The sections of a file whose hash is right, taken from the front.
struct Sections<'f> {
    left: std::collections::VecDeque<(&'f str, &'f [u8])>,
}

impl<'f> Sections<'f> {
    fn new(file: &'f [u8]) -> Result<Self, EvidenceError> {
        let tag = format!("{EVIDENCE_TAG}\n");
        if !file.starts_with(tag.as_bytes()) {
            return Err(EvidenceError::Tag);
        }
        let end = file.len().checked_sub(END).filter(|end| *end >= tag.len());
        let (body, last) = end.and_then(|end| file.split_at_checked(end)).ok_or(EvidenceError::Tag)?;
        let wanted = std::str::from_utf8(last).ok().and_then(|line| {
            let hash = line.strip_prefix("end ")?.strip_suffix('\n')?;
            Hash::from_hex(hash).ok()
        });
        let wanted = wanted.ok_or(EvidenceError::Section { at: body.len() })?;
        let found = sha256(body);
        if found != wanted {
            return Err(EvidenceError::Damaged { found, wanted });
        }
        let mut left = std::collections::VecDeque::new();
        let mut at = tag.len();
        while at < body.len() {
            let (name, bytes, next) = section(body, at).ok_or(EvidenceError::Section { at })?;
            left.push_back((name, bytes));
            at = next;
        }
        Ok(Self { left })
    }

    fn required(&mut self, name: &'static str, limit: usize) -> Result<&'f [u8], EvidenceError> {
        self.optional(name, limit)?.ok_or_else(|| order(name))
    }

    fn optional(&mut self, name: &str, limit: usize) -> Result<Option<&'f [u8]>, EvidenceError> {
        match self.left.front() {
            Some((found, _)) if *found == name => Ok(self.take(limit)?.map(|(_, bytes)| bytes)),
            _ => Ok(None),
        }
    }

    /// The next section, if its name begins so: the rest of its name, and its bytes.
    fn prefixed(&mut self, prefix: &str, limit: usize) -> Result<Option<(&'f str, &'f [u8])>, EvidenceError> {
        match self.left.front().and_then(|(found, _)| found.strip_prefix(prefix)) {
            Some(rest) => Ok(self.take(limit)?.map(|(_, bytes)| (rest, bytes))),
            None => Ok(None),
        }
    }

    fn take(&mut self, limit: usize) -> Result<Option<(&'f str, &'f [u8])>, EvidenceError> {
        match self.left.pop_front() {
            Some((name, bytes)) if bytes.len() > limit => {
                Err(EvidenceError::Limit { name: name.into(), limit })
            }
            section => Ok(section),
        }
    }

    fn finish(&self) -> Result<(), EvidenceError> {
        self.left.front().map_or(Ok(()), |(name, _)| Err(order(name)))
    }
}

/// The section that begins at a byte: its name, its bytes, and where the next begins.
fn section(body: &[u8], at: usize) -> Option<(&str, &[u8], usize)> {
    let rest = body.get(at..)?;
    let line_end = rest.iter().take(MAX_LINE).position(|b| *b == b'\n')?;
    let line = std::str::from_utf8(rest.get(..line_end)?).ok()?;
    let (name, length) = line.strip_prefix("section ")?.split_once(' ')?;
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_graphic()) {
        return None;
    }
    let length: usize = decimal(length).ok()?;
    let begin = line_end + 1;
    let end = begin.checked_add(length)?;
    let bytes = rest.get(begin..end)?;
    (rest.get(end) == Some(&b'\n')).then(|| (name, bytes, at + end + 1))
}
