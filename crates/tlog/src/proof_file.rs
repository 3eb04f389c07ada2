//! C2SP tlog-proof: one file that shows, offline, that an entry is in a log.
//!
//! It verifies inclusion and the log's signature. Whether witnesses are enough is the policy's matter, and
//! the extra data are never trusted.

use crate::base64;
use crate::checkpoint::{CheckpointError, SignedCheckpoint};
use crate::hash::Hash;
use crate::key::VerifierKey;
use crate::proof::{MAX_PROOF, ProofError, verify_inclusion};
use crate::text::parse_decimal;

/// The largest proof file, in bytes.
pub const MAX_PROOF_FILE: usize = 1 << 20;
/// The first line.
pub const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// Why a proof file was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofFileError {
    /// Larger than [`MAX_PROOF_FILE`].
    #[error("a proof file of {0} bytes: at most {MAX_PROOF_FILE}")]
    TooLarge(usize),
    /// Not UTF-8, or no empty line before the checkpoint.
    #[error("a proof file is UTF-8: header, index, hashes, an empty line, and a checkpoint")]
    Format,
    /// Another first line.
    #[error("line 1: {HEADER}")]
    Header,
    /// Extra data that are empty or not base64.
    #[error("line 2: extra and canonical base64 of at least one byte")]
    Extra,
    /// No index line.
    #[error("line {line}: index and a decimal without leading zeros")]
    Index {
        /// Counted from 1.
        line: usize,
    },
    /// A line that is no hash.
    #[error("line {line}: canonical base64 of 32 bytes")]
    Hash {
        /// Counted from 1.
        line: usize,
    },
    /// More than 63 hashes.
    #[error("more than {MAX_PROOF} hashes")]
    TooManyHashes,
    /// The checkpoint is refused.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The entry is not proven to be in the checkpoint's tree.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

impl ProofFileError {
    /// A stable name of the error, for translation.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge(_) => "proof-file-too-large",
            Self::Format => "proof-file-format",
            Self::Header => "proof-file-header",
            Self::Extra => "proof-file-extra",
            Self::Index { .. } => "proof-file-index",
            Self::Hash { .. } => "proof-file-hash",
            Self::TooManyHashes => "proof-file-too-many-hashes",
            Self::Checkpoint(error) => error.code(),
            Self::Proof(error) => error.code(),
        }
    }

    /// Named arguments of the message, in a fixed order.
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Format | Self::Header | Self::Extra | Self::TooManyHashes => Vec::new(),
            Self::TooLarge(value) => vec![("bytes", value.to_string())],
            Self::Index { line } | Self::Hash { line } => vec![("line", line.to_string())],
            Self::Checkpoint(error) => error.arguments(),
            Self::Proof(error) => error.arguments(),
        }
    }
}

/// An inclusion proof with the checkpoint that it leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofFile {
    /// Opaque, not authenticated; never empty.
    pub extra: Option<Vec<u8>>,
    /// The entry's place in the log, from 0.
    pub index: u64,
    /// From the leaf's sibling to the root's child.
    pub path: Vec<Hash>,
    /// The log's checkpoint, with cosignatures.
    pub checkpoint: SignedCheckpoint,
}

impl ProofFile {
    /// Reads a proof file; verifies nothing.
    pub fn parse(bytes: &[u8]) -> Result<Self, ProofFileError> {
        if bytes.len() > MAX_PROOF_FILE {
            return Err(ProofFileError::TooLarge(bytes.len()));
        }
        let file = std::str::from_utf8(bytes).map_err(|_| ProofFileError::Format)?;
        let (head, checkpoint) = file.split_once("\n\n").ok_or(ProofFileError::Format)?;
        let mut lines = head.split('\n').enumerate().map(|(n, text)| (n + 1, text)).peekable();
        if lines.next().is_none_or(|(_, text)| text != HEADER) {
            return Err(ProofFileError::Header);
        }
        let extra = match lines.next_if(|(_, text)| text.starts_with("extra")) {
            Some((_, text)) => Some(parse_extra(text).ok_or(ProofFileError::Extra)?),
            None => None,
        };
        let (line, text) =
            lines.next().ok_or(ProofFileError::Index { line: 2 + usize::from(extra.is_some()) })?;
        let index =
            text.strip_prefix("index ").and_then(parse_decimal).ok_or(ProofFileError::Index { line })?;
        let mut path = Vec::new();
        for (line, text) in lines {
            if path.len() == MAX_PROOF {
                return Err(ProofFileError::TooManyHashes);
            }
            path.push(Hash::from_base64(text).map_err(|_| ProofFileError::Hash { line })?);
        }
        Ok(Self { extra, index, path, checkpoint: SignedCheckpoint::parse(checkpoint.as_bytes())? })
    }

    /// The file. Empty extra data are the same as none.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut file = format!("{HEADER}\n");
        if let Some(extra) = self.extra.as_ref().filter(|extra| !extra.is_empty()) {
            file.extend(["extra ", &base64::encode(extra), "\n"]);
        }
        file.extend(["index ", &self.index.to_string(), "\n"]);
        for hash in &self.path {
            file += &hash.to_base64();
            file.push('\n');
        }
        file.push('\n');
        let mut file = file.into_bytes();
        file.extend_from_slice(&self.checkpoint.to_bytes());
        file
    }

    /// Verifies that the log with this key has the entry with this leaf hash. The caller decides whether the
    /// key may sign the checkpoint's origin, and applies its policy to the cosignatures.
    pub fn verify(&self, leaf: Hash, key: &VerifierKey) -> Result<(), ProofFileError> {
        self.checkpoint.verify(key)?;
        let checkpoint = &self.checkpoint.checkpoint;
        Ok(verify_inclusion(leaf, self.index, checkpoint.size, &self.path, checkpoint.root)?)
    }
}

fn parse_extra(line: &str) -> Option<Vec<u8>> {
    base64::decode(line.strip_prefix("extra ")?).ok().filter(|extra| !extra.is_empty())
}
