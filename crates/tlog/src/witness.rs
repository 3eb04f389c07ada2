//! C2SP tlog-witness: the `add-checkpoint` request, and a witness's judgement of it.
//!
//! The witness's state is an argument: reading it, and writing it before the answer, in one step, is the
//! caller's duty. Nothing is cosigned here.

use crate::checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint};
use crate::hash::{EMPTY_ROOT, Hash};
use crate::key::VerifierKey;
use crate::note::Check;
use crate::proof::{MAX_PROOF, ProofError, verify_consistency};
use crate::text::parse_decimal;

/// The largest request, in bytes.
pub const MAX_ADD_CHECKPOINT: usize = 64 << 10;

/// Why a request could not be read; a witness answers 400.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WitnessRequestError {
    /// Larger than [`MAX_ADD_CHECKPOINT`].
    #[error("a request of {0} bytes: at most {MAX_ADD_CHECKPOINT}")]
    TooLarge(usize),
    /// Not UTF-8, or no empty line before the checkpoint.
    #[error("a request is UTF-8: the old size, hashes, an empty line, and a checkpoint")]
    Format,
    /// No old size line.
    #[error("line 1: old and a decimal without leading zeros")]
    OldSize,
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
}

impl WitnessRequestError {
    /// A stable name of the error, for translation.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge(_) => "add-checkpoint-too-large",
            Self::Format => "add-checkpoint-format",
            Self::OldSize => "add-checkpoint-old-size",
            Self::Hash { .. } => "add-checkpoint-hash",
            Self::TooManyHashes => "add-checkpoint-too-many-hashes",
            Self::Checkpoint(error) => error.code(),
        }
    }

    /// Named arguments of the message, in a fixed order.
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Format | Self::OldSize | Self::TooManyHashes => Vec::new(),
            Self::TooLarge(value) => vec![("bytes", value.to_string())],
            Self::Hash { line } => vec![("line", line.to_string())],
            Self::Checkpoint(error) => error.arguments(),
        }
    }
}

/// The body of `POST /add-checkpoint`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// The size that the witness saw last, as the sender believes.
    pub old: u64,
    /// The consistency proof from there.
    pub proof: Vec<Hash>,
    /// The new checkpoint.
    pub checkpoint: SignedCheckpoint,
}

impl AddCheckpoint {
    /// Reads a request; verifies nothing.
    pub fn parse(bytes: &[u8]) -> Result<Self, WitnessRequestError> {
        if bytes.len() > MAX_ADD_CHECKPOINT {
            return Err(WitnessRequestError::TooLarge(bytes.len()));
        }
        let body = std::str::from_utf8(bytes).map_err(|_| WitnessRequestError::Format)?;
        let (head, checkpoint) = body.split_once("\n\n").ok_or(WitnessRequestError::Format)?;
        let mut lines = head.split('\n').enumerate();
        let old = lines
            .next()
            .and_then(|(_, text)| text.strip_prefix("old "))
            .and_then(parse_decimal)
            .ok_or(WitnessRequestError::OldSize)?;
        let mut proof = Vec::new();
        for (n, text) in lines {
            if proof.len() == MAX_PROOF {
                return Err(WitnessRequestError::TooManyHashes);
            }
            proof.push(Hash::from_base64(text).map_err(|_| WitnessRequestError::Hash { line: n + 1 })?);
        }
        Ok(Self { old, proof, checkpoint: SignedCheckpoint::parse(checkpoint.as_bytes())? })
    }

    /// The body.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut body = format!("old {}\n", self.old);
        for hash in &self.proof {
            body += &hash.to_base64();
            body.push('\n');
        }
        body.push('\n');
        let mut body = body.into_bytes();
        body.extend_from_slice(&self.checkpoint.to_bytes());
        body
    }
}

/// Why a witness does not cosign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WitnessRefusal {
    /// No key is known for the origin.
    #[error("no log {origin} is known here")]
    UnknownOrigin {
        /// As in the checkpoint.
        origin: String,
    },
    /// No valid signature by a known key, or a line of one that fails.
    #[error("no valid signature of {origin} by a key known here")]
    BadSignature {
        /// As in the checkpoint.
        origin: String,
    },
    /// The old size is larger than the checkpoint's.
    #[error("old size {old} is larger than the checkpoint's {size}")]
    BadRequest {
        /// As requested.
        old: u64,
        /// The checkpoint's size.
        size: u64,
    },
    /// The old size is not the one last cosigned.
    #[error("the size last cosigned here is {size}")]
    Conflict {
        /// The size last cosigned, which the answer's body tells.
        size: u64,
    },
    /// The proof does not verify; the request may prove misbehaviour of the log and is worth keeping.
    #[error(transparent)]
    BadProof(#[from] ProofError),
}

impl WitnessRefusal {
    /// The HTTP status of the answer.
    pub fn status(&self) -> u16 {
        match self {
            Self::UnknownOrigin { .. } => 404,
            Self::BadSignature { .. } => 403,
            Self::BadRequest { .. } => 400,
            Self::Conflict { .. } => 409,
            Self::BadProof(_) => 422,
        }
    }

    /// A stable name of the error, for translation.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownOrigin { .. } => "witness-unknown-origin",
            Self::BadSignature { .. } => "witness-bad-signature",
            Self::BadRequest { .. } => "witness-old-size",
            Self::Conflict { .. } => "witness-conflict",
            Self::BadProof(error) => error.code(),
        }
    }

    /// Named arguments of the message, in a fixed order.
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::UnknownOrigin { origin } | Self::BadSignature { origin } => {
                vec![("origin", origin.clone())]
            }
            Self::BadRequest { old, size } => vec![("old", old.to_string()), ("size", size.to_string())],
            Self::Conflict { size } => vec![("size", size.to_string())],
            Self::BadProof(error) => error.arguments(),
        }
    }
}

/// Judges a request against the size and root last cosigned for its origin, and the keys that the witness
/// trusts for that origin (none: the origin is unknown). On `Ok` the caller makes the checkpoint its latest,
/// durably, and then cosigns.
pub fn judge(
    request: &AddCheckpoint,
    latest: Option<(u64, Hash)>,
    log_keys: &[VerifierKey],
) -> Result<Checkpoint, WitnessRefusal> {
    let checkpoint = &request.checkpoint.checkpoint;
    let origin = || checkpoint.origin.clone();
    if log_keys.is_empty() {
        return Err(WitnessRefusal::UnknownOrigin { origin: origin() });
    }
    let mut signed = false;
    for key in log_keys {
        match request.checkpoint.check(key) {
            Ok(Check::Valid) => signed = true,
            Ok(Check::Absent) => {}
            Ok(Check::Failed) | Err(_) => return Err(WitnessRefusal::BadSignature { origin: origin() }),
        }
    }
    if !signed {
        return Err(WitnessRefusal::BadSignature { origin: origin() });
    }
    if request.old > checkpoint.size {
        return Err(WitnessRefusal::BadRequest { old: request.old, size: checkpoint.size });
    }
    let (size, root) = latest.unwrap_or((0, EMPTY_ROOT));
    if request.old != size {
        return Err(WitnessRefusal::Conflict { size });
    }
    verify_consistency(size, root, checkpoint.size, checkpoint.root, &request.proof)?;
    Ok(checkpoint.clone())
}
