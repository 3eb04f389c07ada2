//! A record: a signed note whose text is a header, with the bytes that were signed and shipped.
//! It never says whether the signatures are good: that is judged in a log, against a trust root.

use tlog::{Hash, Note, NoteError, Signer, leaf_hash};

use crate::header::{COMMIT, Header, HeaderError, MAX_LINES};
use crate::kind;
use crate::refusal::Refusal;

/// Longest record, in bytes: what one entry of a log can hold.
pub const MAX_RECORD: usize = 65_535;
/// The largest blob that is released or fetched, in bytes (protocol section 2).
pub const MAX_BLOB: u64 = 48 << 20;
/// The largest first blob of a sealed record, its sealed inner header, in bytes (protocol section 2).
pub const MAX_INNER_BLOB: u64 = 128 << 10;

/// A parsed record and its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What it says.
    pub header: Header,
    /// Its text and signature lines.
    pub note: Note,
    /// The entry of the log, byte for byte.
    pub bytes: Vec<u8>,
    leaf: Hash,
}

/// Why bytes are no record, or a header was not signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// More bytes than an entry holds.
    #[error("a record of {bytes} bytes; at most {limit} are allowed")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// More lines, signatures included, than allowed.
    #[error("a record of more than {limit} lines")]
    TooManyLines {
        /// The limit.
        limit: usize,
    },
    /// Not a signed note.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Its text is no header.
    #[error(transparent)]
    Header(#[from] HeaderError),
}

impl Refusal for RecordError {
    fn code(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "record-too-long",
            Self::TooManyLines { .. } => "record-too-many-lines",
            Self::Note(error) => error.code(),
            Self::Header(error) => error.code(),
        }
    }

    fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::TooLong { bytes, limit } => {
                vec![("bytes", bytes.to_string()), ("limit", limit.to_string())]
            }
            Self::TooManyLines { limit } => vec![("limit", limit.to_string())],
            Self::Note(error) => vec![("detail", error.to_string())],
            Self::Header(error) => error.arguments(),
        }
    }
}

impl Record {
    /// Parses the bytes of an entry. Signatures are kept, not judged.
    ///
    /// # Errors
    /// They are no signed note, its text is no header, or a limit is broken.
    pub fn parse(bytes: &[u8]) -> Result<Self, RecordError> {
        if bytes.len() > MAX_RECORD {
            return Err(RecordError::TooLong { bytes: bytes.len(), limit: MAX_RECORD });
        }
        let note = Note::parse(bytes)?;
        let header = Header::parse_text(&note.text)?;
        // Text lines, one empty line, one line per signature.
        let lines = note.text.bytes().filter(|b| *b == b'\n').count() + 1 + note.signatures.len();
        if lines > MAX_LINES {
            return Err(RecordError::TooManyLines { limit: MAX_LINES });
        }
        Ok(Self { header, note, bytes: bytes.to_vec(), leaf: leaf_hash(bytes) })
    }

    /// Signs a header with `author` keys.
    ///
    /// # Errors
    /// The header may not be written ([`Header::check`]), a signer does not sign, or a limit is broken.
    pub fn sign(header: &Header, signers: &[&dyn Signer]) -> Result<Self, RecordError> {
        header.check()?;
        Self::parse(&Note::sign(&header.to_text(), signers)?.to_bytes())
    }

    /// The record's name: its leaf hash, or its commitment if it is sealed.
    pub fn name(&self) -> Hash {
        self.commit().unwrap_or(self.leaf)
    }

    /// The RFC 6962 leaf hash of its bytes.
    pub fn leaf(&self) -> Hash {
        self.leaf
    }

    /// Whether this is the outer header of a sealed record.
    pub fn is_sealed(&self) -> bool {
        self.header.kind == kind::SEALED
    }

    /// The commitment of a sealed record: SHA-256 of its inner header.
    pub fn commit(&self) -> Option<Hash> {
        // A sealed header parsed only with exactly one well-formed commitment.
        self.is_sealed().then(|| self.header.own_once(COMMIT))?.and_then(|hash| Hash::from_hex(hash).ok())
    }
}
