//! C2SP tlog-cosignature, Ed25519 (`cosignature/v1`): "consistent, and seen at this time".
//!
//! Times are arguments: nothing here knows what time it is or judges whether a time is plausible.

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::key::{KeyType, SignError, Signer, VerifierKey, verify_strict};
use crate::note::NoteSignature;

/// The latest time of a cosignature, in POSIX seconds: 2^63 − 1.
pub const MAX_TIME: u64 = i64::MAX as u64;

/// Why a cosignature was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CosignatureError {
    /// Only checkpoints are cosigned.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A key of another type than 0x04.
    #[error("key {key}: a cosignature is by a key of type 0x04")]
    KeyType {
        /// The key's name.
        key: String,
    },
    /// Name or id of the line are not the key's.
    #[error("the line is not by {key}")]
    OtherKey {
        /// The key's name.
        key: String,
    },
    /// Not a time and a signature.
    #[error("a cosignature by {key} of {found} bytes: 72")]
    Length {
        /// The key's name.
        key: String,
        /// How many bytes there are.
        found: usize,
    },
    /// A time of zero or above 2^63 − 1.
    #[error("time {0}: POSIX seconds from 1 to {MAX_TIME}")]
    Time(u64),
    /// The signature is not valid.
    #[error("the cosignature by {key} is not valid")]
    BadSignature {
        /// The key's name.
        key: String,
    },
    /// The signer gave no signature.
    #[error(transparent)]
    Sign(#[from] SignError),
}

impl CosignatureError {
    /// A stable name of the error, for translation.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Checkpoint(error) => error.code(),
            Self::KeyType { .. } => "cosignature-key-type",
            Self::OtherKey { .. } => "cosignature-other-key",
            Self::Length { .. } => "cosignature-length",
            Self::Time(_) => "cosignature-time",
            Self::BadSignature { .. } => "cosignature-bad-signature",
            Self::Sign(error) => error.code(),
        }
    }

    /// Named arguments of the message, in a fixed order.
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Checkpoint(error) => error.arguments(),
            Self::Sign(error) => error.arguments(),
            Self::KeyType { key } | Self::OtherKey { key } | Self::BadSignature { key } => {
                vec![("key", key.clone())]
            }
            Self::Length { key, found } => vec![("key", key.clone()), ("found", found.to_string())],
            Self::Time(value) => vec![("time", value.to_string())],
        }
    }
}

/// What a cosigner signs: a header line, a time line, and the text of the checkpoint.
pub fn signed_message(text: &str, time: u64) -> Vec<u8> {
    format!("cosignature/v1\ntime {time}\n{text}").into_bytes()
}

/// Cosigns the text of a checkpoint at a time in POSIX seconds.
pub fn cosign(text: &str, signer: &dyn Signer, time: u64) -> Result<NoteSignature, CosignatureError> {
    let key = signer.key();
    check_type(key)?;
    check_time(time)?;
    Checkpoint::parse_text(text)?;
    let signature = signer.sign(&signed_message(text, time))?;
    let mut bytes = Vec::with_capacity(72);
    bytes.extend_from_slice(&time.to_be_bytes());
    bytes.extend_from_slice(&signature);
    Ok(NoteSignature { name: key.name().to_owned(), id: key.id(), bytes })
}

/// Verifies one cosignature line over the text of a checkpoint; gives its time in POSIX seconds.
pub fn verify_cosignature(
    text: &str,
    signature: &NoteSignature,
    key: &VerifierKey,
) -> Result<u64, CosignatureError> {
    check_type(key)?;
    let name = || key.name().to_owned();
    if !signature.is_by(key) {
        return Err(CosignatureError::OtherKey { key: name() });
    }
    let (time, ed25519) = split(&signature.bytes)
        .ok_or_else(|| CosignatureError::Length { key: name(), found: signature.bytes.len() })?;
    check_time(time)?;
    if verify_strict(key.public(), &signed_message(text, time), ed25519) {
        Ok(time)
    } else {
        Err(CosignatureError::BadSignature { key: name() })
    }
}

/// Time and signature of a `timestamped_signature`, exactly 72 bytes.
fn split(bytes: &[u8]) -> Option<(u64, &[u8; 64])> {
    let (time, signature) = bytes.split_first_chunk::<8>()?;
    Some((u64::from_be_bytes(*time), signature.try_into().ok()?))
}

fn check_type(key: &VerifierKey) -> Result<(), CosignatureError> {
    if key.key_type() == KeyType::Cosignature {
        Ok(())
    } else {
        Err(CosignatureError::KeyType { key: key.name().to_owned() })
    }
}

fn check_time(time: u64) -> Result<(), CosignatureError> {
    if (1..=MAX_TIME).contains(&time) { Ok(()) } else { Err(CosignatureError::Time(time)) }
}
