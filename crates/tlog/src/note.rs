//! C2SP signed notes: a text and the lines that sign it.
//!
//! Lines of unknown keys are kept and never judged; a line of a known key that fails makes the note fail.
//! A note is never shown to be valid without naming the key.

use crate::base64;
use crate::key::{KeyType, PreparedKey, SignError, Signer, VerifierKey};
use crate::text::{has_control, is_key_name};

/// The largest note, in bytes.
pub const MAX_NOTE: usize = 1 << 20;
/// The most signature lines of a note.
pub const MAX_SIGNATURES: usize = 64;

/// Why a note was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Larger than [`MAX_NOTE`].
    #[error("a note of {0} bytes: at most {MAX_NOTE}")]
    TooLarge(usize),
    /// Not valid UTF-8.
    #[error("a note is UTF-8: byte {0} is not")]
    NotUtf8(usize),
    /// A control character other than newline.
    #[error("a note holds no control characters other than newline")]
    Control,
    /// No empty line between text and signatures.
    #[error("a note is a text, an empty line, and signature lines")]
    NoSeparator,
    /// The text does not end in a newline.
    #[error("the text of a note ends in a newline")]
    TextEnd,
    /// No signature line.
    #[error("a note has at least one signature line")]
    NoSignature,
    /// The last line does not end in a newline.
    #[error("the last signature line ends in a newline")]
    NoFinalNewline,
    /// More lines than allowed.
    #[error("more than {limit} signature lines")]
    TooManySignatures {
        /// The most allowed.
        limit: usize,
    },
    /// A line that is not `— name base64`.
    #[error("signature line {line}: a dash (U+2014), the key's name, and base64 of five bytes or more")]
    SignatureLine {
        /// Counted from 1.
        line: usize,
    },
    /// A signer of another type than 0x01.
    #[error("key {key}: a note is signed by Ed25519 keys (0x01)")]
    SignerType {
        /// The key's name.
        key: String,
    },
    /// The signer gave no signature.
    #[error(transparent)]
    Sign(#[from] SignError),
}

impl NoteError {
    /// A stable name of the error, for translation.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge(_) => "note-too-large",
            Self::NotUtf8(_) => "note-utf8",
            Self::Control => "note-control",
            Self::NoSeparator => "note-separator",
            Self::TextEnd => "note-text-end",
            Self::NoSignature => "note-no-signature",
            Self::NoFinalNewline => "note-final-newline",
            Self::TooManySignatures { .. } => "note-too-many-signatures",
            Self::SignatureLine { .. } => "note-signature-line",
            Self::SignerType { .. } => "note-signer-type",
            Self::Sign(error) => error.code(),
        }
    }

    /// Named arguments of the message, in a fixed order.
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Control | Self::NoSeparator | Self::TextEnd | Self::NoSignature | Self::NoFinalNewline => {
                Vec::new()
            }
            Self::TooLarge(value) => vec![("bytes", value.to_string())],
            Self::NotUtf8(value) => vec![("byte", value.to_string())],
            Self::TooManySignatures { limit } => vec![("limit", limit.to_string())],
            Self::SignatureLine { line } => vec![("line", line.to_string())],
            Self::SignerType { key } => vec![("key", key.clone())],
            Self::Sign(error) => error.arguments(),
        }
    }
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NoteSignature {
    /// The key's name.
    pub name: String,
    /// The key's id.
    pub id: u32,
    /// What follows the id: for type 0x01 the 64 bytes of the signature.
    pub bytes: Vec<u8>,
}

const DASH: &str = "— ";

impl NoteSignature {
    /// Whether name and id are those of the key.
    pub fn is_by(&self, key: &VerifierKey) -> bool {
        self.id == key.id() && self.name == key.name()
    }

    /// The line, with its final newline.
    pub fn to_line(&self) -> String {
        format!("{DASH}{} {}\n", self.name, self.encoded())
    }

    /// Reads one line, without its newline: what a witness answers is a sequence of such lines.
    pub fn parse_line(line: &str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix(DASH)?.split_once(' ')?;
        if !is_key_name(name) {
            return None;
        }
        let mut bytes = base64::decode(encoded).ok()?;
        let id = u32::from_be_bytes(*bytes.first_chunk()?);
        bytes.drain(..4);
        (!bytes.is_empty()).then(|| Self { name: name.to_owned(), id, bytes })
    }

    /// Base64 of id and signature.
    pub fn encoded(&self) -> String {
        let mut bytes = Vec::with_capacity(4 + self.bytes.len());
        bytes.extend_from_slice(&self.id.to_be_bytes());
        bytes.extend_from_slice(&self.bytes);
        base64::encode(&bytes)
    }
}

/// Reads a sequence of one or more signature lines, each ending in a newline.
pub fn parse_signature_lines(text: &str) -> Result<Vec<NoteSignature>, NoteError> {
    if text.len() > MAX_NOTE {
        return Err(NoteError::TooLarge(text.len()));
    }
    if text.is_empty() {
        return Err(NoteError::NoSignature);
    }
    let lines = text.strip_suffix('\n').ok_or(NoteError::NoFinalNewline)?;
    let mut signatures = Vec::new();
    for (n, line) in lines.split('\n').enumerate() {
        if n == MAX_SIGNATURES {
            return Err(NoteError::TooManySignatures { limit: MAX_SIGNATURES });
        }
        signatures.push(NoteSignature::parse_line(line).ok_or(NoteError::SignatureLine { line: n + 1 })?);
    }
    Ok(signatures)
}

/// What the lines of one key say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Check {
    /// No line has the key's name and id.
    Absent,
    /// Every line with the key's name and id is valid, and there is one.
    Valid,
    /// A line with the key's name and id is not valid.
    Failed,
}

/// A text and its signature lines.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Note {
    /// The text, with its final newline.
    pub text: String,
    /// The lines, in their order.
    pub signatures: Vec<NoteSignature>,
}

impl Note {
    /// Reads a note.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > MAX_NOTE {
            return Err(NoteError::TooLarge(bytes.len()));
        }
        let note = std::str::from_utf8(bytes).map_err(|e| NoteError::NotUtf8(e.valid_up_to()))?;
        if has_control(note) {
            return Err(NoteError::Control);
        }
        let separator = note.rfind("\n\n").ok_or(NoteError::NoSeparator)?;
        let (text, lines) = note.split_at(separator + 1);
        let signatures = parse_signature_lines(lines.strip_prefix('\n').unwrap_or(lines))?;
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// Signs a text with keys of type 0x01.
    pub fn sign(text: &str, signers: &[&dyn Signer]) -> Result<Self, NoteError> {
        check_text(text)?;
        if signers.is_empty() {
            return Err(NoteError::NoSignature);
        }
        let mut note = Self { text: text.to_owned(), signatures: Vec::with_capacity(signers.len()) };
        for signer in signers {
            let key = signer.key();
            if key.key_type() != KeyType::Ed25519 {
                return Err(NoteError::SignerType { key: key.name().to_owned() });
            }
            let bytes = signer.sign(text.as_bytes())?.to_vec();
            note.add_signature(NoteSignature { name: key.name().to_owned(), id: key.id(), bytes })?;
        }
        Ok(note)
    }

    /// Adds a line, unless the very same line is there already.
    pub fn add_signature(&mut self, signature: NoteSignature) -> Result<(), NoteError> {
        if self.signatures.contains(&signature) {
            return Ok(());
        }
        if self.signatures.len() >= MAX_SIGNATURES {
            return Err(NoteError::TooManySignatures { limit: MAX_SIGNATURES });
        }
        self.signatures.push(signature);
        Ok(())
    }

    /// The note as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut note = String::with_capacity(self.text.len() + 1 + self.signatures.len() * 160);
        note.push_str(&self.text);
        note.push('\n');
        for signature in &self.signatures {
            note.push_str(&signature.to_line());
        }
        note.into_bytes()
    }

    /// Verifies the lines of a key of type 0x01. A key of another type is never `Valid`.
    pub fn check(&self, key: &VerifierKey) -> Check {
        self.check_prepared(key, &PreparedKey::from(key))
    }

    /// As [`Note::check`], with the key decompressed before: for verifying many notes of one key.
    pub fn check_prepared(&self, key: &VerifierKey, prepared: &PreparedKey) -> Check {
        let mut check = Check::Absent;
        for signature in self.signatures.iter().filter(|s| s.is_by(key)) {
            let valid = key.key_type() == KeyType::Ed25519
                && <&[u8; 64]>::try_from(signature.bytes.as_slice())
                    .is_ok_and(|bytes| prepared.verify(self.text.as_bytes(), bytes));
            if !valid {
                return Check::Failed;
            }
            check = Check::Valid;
        }
        check
    }
}

/// Whether a text can be the text of a note.
pub fn check_text(text: &str) -> Result<(), NoteError> {
    if text.len() > MAX_NOTE {
        return Err(NoteError::TooLarge(text.len()));
    }
    if has_control(text) {
        return Err(NoteError::Control);
    }
    if text.ends_with('\n') { Ok(()) } else { Err(NoteError::TextEnd) }
}
