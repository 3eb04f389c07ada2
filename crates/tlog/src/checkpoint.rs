//! C2SP checkpoints: a log's origin, size and root, signed by the log.
//!
//! Extension lines are refused, and an origin must be a key name, because a log signs as its origin.

use crate::cosignature::{self, CosignatureError};
use crate::hash::Hash;
use crate::key::{KeyError, KeyType, Signer, VerifierKey};
use crate::note::{Check, Note, NoteError, NoteSignature};
use crate::text::{is_key_name, parse_decimal};
use std::collections::BTreeMap;

pub use crate::text::MAX_TREE_SIZE;

/// The most cosignatures of a checkpoint, beside the log's own line.
pub const MAX_COSIGNATURES: usize = 15;

/// Why a checkpoint was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Not a note.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Not exactly three lines.
    #[error("a checkpoint is three lines (origin, size, root): {found} found")]
    Lines {
        /// How many there are.
        found: usize,
    },
    /// The origin is no key name.
    #[error("line 1, origin: not empty, without spaces or plus signs")]
    Origin,
    /// The size is no decimal, or too large.
    #[error("line 2, size: a decimal without leading zeros, at most {MAX_TREE_SIZE}")]
    Size,
    /// The root is not the base64 of 32 bytes.
    #[error("line 3, root: canonical base64 of 32 bytes")]
    Root,
    /// More lines than the log's own and fifteen cosignatures.
    #[error("{found} signature lines: the log's own and at most {MAX_COSIGNATURES} cosignatures")]
    TooManySignatures {
        /// How many there are.
        found: usize,
    },
    /// A key that cannot sign checkpoints.
    #[error("key {key}: a log signs with an Ed25519 key (0x01) named by its origin {origin}")]
    LogKey {
        /// The key's name.
        key: String,
        /// The log's origin.
        origin: String,
    },
    /// The note's text is not that of the checkpoint.
    #[error("the signed text is not that of the checkpoint")]
    TextMismatch,
    /// No line by the log's key.
    #[error("no signature of {origin} by the key {public}")]
    NotSigned {
        /// The log's origin.
        origin: String,
        /// The public key, base64.
        public: String,
    },
    /// A line by the log's key that is not valid.
    #[error("a signature of {origin} by the key {public} is not valid")]
    BadSignature {
        /// The log's origin.
        origin: String,
        /// The public key, base64.
        public: String,
    },
    /// A key that cannot be named by the origin.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl CheckpointError {
    /// A stable name of the error, for translation.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Note(error) => error.code(),
            Self::Lines { .. } => "checkpoint-lines",
            Self::Origin => "checkpoint-origin",
            Self::Size => "checkpoint-size",
            Self::Root => "checkpoint-root",
            Self::TooManySignatures { .. } => "checkpoint-too-many-signatures",
            Self::LogKey { .. } => "checkpoint-log-key",
            Self::TextMismatch => "checkpoint-text",
            Self::NotSigned { .. } => "checkpoint-not-signed",
            Self::BadSignature { .. } => "checkpoint-bad-signature",
            Self::Key(error) => error.code(),
        }
    }

    /// Named arguments of the message, in a fixed order.
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Origin | Self::Size | Self::Root | Self::TextMismatch => Vec::new(),
            Self::Note(error) => error.arguments(),
            Self::Key(error) => error.arguments(),
            Self::Lines { found } | Self::TooManySignatures { found } => vec![("found", found.to_string())],
            Self::LogKey { key, origin } => vec![("key", key.clone()), ("origin", origin.clone())],
            Self::NotSigned { origin, public } | Self::BadSignature { origin, public } => {
                vec![("origin", origin.clone()), ("public", public.clone())]
            }
        }
    }
}

/// What a log says of itself: so many entries, this root.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Checkpoint {
    /// The log's identity.
    pub origin: String,
    /// How many entries.
    pub size: u64,
    /// The RFC 6962 root of the tree of that size.
    pub root: Hash,
}

impl Checkpoint {
    /// Reads the three lines.
    pub fn parse_text(text: &str) -> Result<Self, CheckpointError> {
        let found = text.bytes().filter(|b| *b == b'\n').count();
        let mut lines = text.strip_suffix('\n').ok_or(NoteError::TextEnd)?.split('\n');
        let (Some(origin), Some(size), Some(root), None) =
            (lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(CheckpointError::Lines { found });
        };
        if !is_key_name(origin) {
            return Err(CheckpointError::Origin);
        }
        Ok(Self {
            origin: origin.to_owned(),
            size: parse_decimal(size).ok_or(CheckpointError::Size)?,
            root: Hash::from_base64(root).map_err(|_| CheckpointError::Root)?,
        })
    }

    /// The three lines, which are what is signed.
    pub fn to_text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, self.root.to_base64())
    }
}

/// A checkpoint with its signature lines.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SignedCheckpoint {
    /// What is signed.
    pub checkpoint: Checkpoint,
    /// The note that signs it.
    pub note: Note,
}

impl SignedCheckpoint {
    /// Reads a checkpoint; verifies nothing.
    pub fn parse(bytes: &[u8]) -> Result<Self, CheckpointError> {
        let note = Note::parse(bytes)?;
        if note.signatures.len() > 1 + MAX_COSIGNATURES {
            return Err(CheckpointError::TooManySignatures { found: note.signatures.len() });
        }
        Ok(Self { checkpoint: Checkpoint::parse_text(&note.text)?, note })
    }

    /// Signs a checkpoint with a key named by its origin.
    pub fn sign(checkpoint: Checkpoint, signer: &dyn Signer) -> Result<Self, CheckpointError> {
        let key = signer.key();
        if key.name() != checkpoint.origin || key.key_type() != KeyType::Ed25519 {
            return Err(CheckpointError::LogKey { key: key.name().to_owned(), origin: checkpoint.origin });
        }
        let text = checkpoint.to_text();
        // Nothing is signed that would not be read again.
        let checkpoint = Checkpoint::parse_text(&text)?;
        let note = Note::sign(&text, &[signer])?;
        Ok(Self { checkpoint, note })
    }

    /// Whether a line by the key is there and valid.
    pub fn check(&self, key: &VerifierKey) -> Result<Check, CheckpointError> {
        if key.key_type() != KeyType::Ed25519 {
            return Err(CheckpointError::LogKey {
                key: key.name().to_owned(),
                origin: self.checkpoint.origin.clone(),
            });
        }
        if self.note.text != self.checkpoint.to_text() {
            return Err(CheckpointError::TextMismatch);
        }
        Ok(self.note.check(&key.with_name(&self.checkpoint.origin)?))
    }

    /// Verifies the log's signature. The key's public part counts: it is named here by the checkpoint's
    /// origin, whatever name it is listed under. Which origins the key may sign is the caller's matter.
    pub fn verify(&self, key: &VerifierKey) -> Result<(), CheckpointError> {
        let origin = || self.checkpoint.origin.clone();
        let public = || crate::base64::encode(key.public());
        match self.check(key)? {
            Check::Valid => Ok(()),
            Check::Absent => Err(CheckpointError::NotSigned { origin: origin(), public: public() }),
            Check::Failed => Err(CheckpointError::BadSignature { origin: origin(), public: public() }),
        }
    }

    /// The note as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.note.to_bytes()
    }

    /// Cosigns this checkpoint; the line is not added.
    pub fn cosign(&self, signer: &dyn Signer, time: u64) -> Result<NoteSignature, CosignatureError> {
        cosignature::cosign(&self.note.text, signer, time)
    }

    /// Adds a cosignature, unless the same line is there or fifteen are.
    pub fn add_cosignature(&mut self, signature: NoteSignature) -> Result<(), CheckpointError> {
        let lines = &self.note.signatures;
        if !lines.contains(&signature) && lines.len() > MAX_COSIGNATURES {
            return Err(CheckpointError::TooManySignatures { found: lines.len() + 1 });
        }
        Ok(self.note.add_signature(signature)?)
    }

    /// The valid cosignatures of known keys, each key once, with its earliest time in POSIX seconds, in the
    /// order of the keys. A line of a known key that fails refuses the checkpoint.
    pub fn cosignatures<'k>(
        &self,
        keys: impl Iterator<Item = &'k VerifierKey>,
    ) -> Result<Vec<(VerifierKey, u64)>, CosignatureError> {
        let mut earliest: BTreeMap<VerifierKey, u64> = BTreeMap::new();
        for key in keys {
            for line in self.note.signatures.iter().filter(|line| line.is_by(key)) {
                let time = cosignature::verify_cosignature(&self.note.text, line, key)?;
                earliest.entry(key.clone()).and_modify(|t| *t = time.min(*t)).or_insert(time);
            }
        }
        Ok(earliest.into_iter().collect())
    }
}
