//! Ed25519 keys of notes: verifier keys, secret keys, signers, and the one strict verification.
//!
//! A signature is valid here only if the public key and R are canonical encodings of points that are not of
//! small order, s is less than the group order, and the equation holds without the cofactor. Different
//! verifiers therefore never disagree. Nothing here draws randomness: secret keys come from seeds.

use crate::base64;
use crate::hash::sha256;
use crate::text::is_key_name;
use curve25519_dalek::scalar::Scalar;
use ed25519_dalek::{Signature, Signer as _, SigningKey, Verifier as _, VerifyingKey};
use multiples::Multiples;
use sha2::{Digest as _, Sha512};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use zeroize::Zeroizing;

mod multiples;

/// The longest key name, in bytes (that of C2SP cosigner names).
pub const MAX_NAME: usize = 255;
/// The longest text of a verifier or secret key, in bytes.
const MAX_TEXT: usize = MAX_NAME + 128;

/// Why a key was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The name is empty, too long, or holds a space, a plus or a control character.
    #[error("key name {0:?}: 1 to {MAX_NAME} bytes without spaces, plus signs or control characters")]
    Name(String),
    /// The text is not `name+id+base64`.
    #[error("a key is written name+id+base64")]
    Format,
    /// The id is not eight lower-case hexadecimal digits.
    #[error("key id {0:?}: eight lower-case hexadecimal digits")]
    Id(String),
    /// The id is not the one computed of name, type and public key.
    #[error("key id {found:08x}: name and public key give {computed:08x}")]
    IdMismatch {
        /// As written.
        found: u32,
        /// As it would be right.
        computed: u32,
    },
    /// The key material is not canonical base64.
    #[error("key material: canonical base64 with padding")]
    Base64,
    /// A signature type that this crate does not verify.
    #[error("key type 0x{0:02x}: 0x01 (Ed25519) or 0x04 (Ed25519 cosignature)")]
    UnknownType(u8),
    /// Not 32 bytes after the type.
    #[error("key material of {0} bytes: 32")]
    Length(usize),
    /// Not the canonical encoding of a point, or a point of small order.
    #[error("public key: a canonical point that is not of small order")]
    Point,
}

impl KeyError {
    /// A stable name of the error, for translation.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Name(_) => "key-name",
            Self::Format => "key-format",
            Self::Id(_) => "key-id",
            Self::IdMismatch { .. } => "key-id-mismatch",
            Self::Base64 => "key-base64",
            Self::UnknownType(_) => "key-type",
            Self::Length(_) => "key-length",
            Self::Point => "key-point",
        }
    }

    /// Named arguments of the message, in a fixed order.
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Format | Self::Base64 | Self::Point => Vec::new(),
            Self::Name(value) => vec![("name", value.clone())],
            Self::Id(value) => vec![("id", value.clone())],
            Self::IdMismatch { found, computed } => {
                vec![("found", format!("{found:08x}")), ("computed", format!("{computed:08x}"))]
            }
            Self::UnknownType(value) => vec![("type", format!("0x{value:02x}"))],
            Self::Length(value) => vec![("bytes", value.to_string())],
        }
    }
}

/// The signature types of C2SP signed-note that this crate signs and verifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum KeyType {
    /// Ed25519 over the text of a note.
    Ed25519 = 0x01,
    /// Ed25519 over a timestamped checkpoint (C2SP tlog-cosignature, `cosignature/v1`).
    Cosignature = 0x04,
}

impl KeyType {
    /// The signature type identifier byte.
    pub const fn byte(self) -> u8 {
        self as u8
    }
}

impl TryFrom<u8> for KeyType {
    type Error = KeyError;

    fn try_from(byte: u8) -> Result<Self, KeyError> {
        match byte {
            0x01 => Ok(Self::Ed25519),
            0x04 => Ok(Self::Cosignature),
            other => Err(KeyError::UnknownType(other)),
        }
    }
}

/// A public key with its name and type; its text is the C2SP vkey.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VerifierKey {
    name: String,
    id: u32,
    key_type: KeyType,
    public: [u8; 32],
}

impl VerifierKey {
    /// A key; checks the name and that the point is canonical and not of small order.
    pub fn new(name: &str, key_type: KeyType, public: [u8; 32]) -> Result<Self, KeyError> {
        strict_point(&public).ok_or(KeyError::Point)?;
        Self::named(name, key_type, public)
    }

    /// The same public key under another name, with the id of that name: a log key under its origin.
    pub fn with_name(&self, name: &str) -> Result<Self, KeyError> {
        Self::named(name, self.key_type, self.public)
    }

    fn named(name: &str, key_type: KeyType, public: [u8; 32]) -> Result<Self, KeyError> {
        if !is_key_name(name) {
            return Err(KeyError::Name(name.chars().take(MAX_NAME).collect()));
        }
        Ok(Self { id: key_id(name, key_type, &public), name: name.to_owned(), key_type, public })
    }

    /// The key's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first four bytes of SHA-256 of name, newline, type and public key, big-endian.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// What the key signs.
    pub fn key_type(&self) -> KeyType {
        self.key_type
    }

    /// The Ed25519 public key.
    pub fn public(&self) -> &[u8; 32] {
        &self.public
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut material = [0; 33];
        material[0] = self.key_type.byte();
        material[1..].copy_from_slice(&self.public);
        write!(f, "{}+{:08x}+{}", self.name, self.id, base64::encode(&material))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({self})")
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let KeyText { name, id, key_type, material } = parse_key_text(text)?;
        let key = Self::new(name, key_type, *material)?;
        if key.id == id { Ok(key) } else { Err(KeyError::IdMismatch { found: id, computed: key.id }) }
    }
}

/// The fields of `name+id+base64(type || 32 bytes)`.
struct KeyText<'a> {
    name: &'a str,
    id: u32,
    key_type: KeyType,
    /// A public key or a seed.
    material: Zeroizing<[u8; 32]>,
}

fn parse_key_text(text: &str) -> Result<KeyText<'_>, KeyError> {
    if text.len() > MAX_TEXT {
        return Err(KeyError::Format);
    }
    let (name, rest) = text.split_once('+').ok_or(KeyError::Format)?;
    let (id, material) = rest.split_once('+').ok_or(KeyError::Format)?;
    let id = parse_id(id).ok_or_else(|| KeyError::Id(id.to_owned()))?;
    let material = Zeroizing::new(base64::decode(material).map_err(|_| KeyError::Base64)?);
    let (key_type, key) = material.split_first().ok_or(KeyError::Length(0))?;
    let key_type = KeyType::try_from(*key_type)?;
    let key: [u8; 32] = key.try_into().map_err(|_| KeyError::Length(key.len()))?;
    Ok(KeyText { name, id, key_type, material: Zeroizing::new(key) })
}

fn parse_id(text: &str) -> Option<u32> {
    let canonical = text.len() == 8 && text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
    canonical.then(|| u32::from_str_radix(text, 16).ok()).flatten()
}

fn key_id(name: &str, key_type: KeyType, public: &[u8; 32]) -> u32 {
    let mut bytes = Vec::with_capacity(name.len() + 34);
    bytes.extend_from_slice(name.as_bytes());
    bytes.push(b'\n');
    bytes.push(key_type.byte());
    bytes.extend_from_slice(public);
    let [a, b, c, d, ..] = sha256(&bytes).0;
    u32::from_be_bytes([a, b, c, d])
}

/// An Ed25519 seed. Overwritten when dropped, never shown by `Debug`.
#[derive(Clone)]
pub struct SecretKey(SigningKey);

impl SecretKey {
    /// The key of a 32-byte seed (RFC 8032).
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(SigningKey::from_bytes(&Zeroizing::new(seed)))
    }

    /// The seed.
    pub fn seed(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// The public key.
    pub fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    /// Signs; deterministic.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }

    /// The verifier key of this key under a name.
    pub fn verifier(&self, name: &str, key_type: KeyType) -> Result<VerifierKey, KeyError> {
        VerifierKey::new(name, key_type, self.public())
    }

    /// `PRIVATE+KEY+name+id+base64(type || seed)`, as Go's note package writes it.
    pub fn to_text(&self, name: &str, key_type: KeyType) -> Result<Zeroizing<String>, KeyError> {
        let key = self.verifier(name, key_type)?;
        let mut material = Zeroizing::new([0; 33]);
        material[0] = key_type.byte();
        material[1..].copy_from_slice(self.seed());
        let material = Zeroizing::new(base64::encode(&*material));
        Ok(Zeroizing::new(format!("{PRIVATE}{name}+{:08x}+{}", key.id, *material)))
    }

    /// Reads what [`SecretKey::to_text`] wrote.
    pub fn from_text(text: &str) -> Result<(VerifierKey, Self), KeyError> {
        let text = text.strip_prefix(PRIVATE).ok_or(KeyError::Format)?;
        let KeyText { name, id, key_type, material } = parse_key_text(text)?;
        let secret = Self(SigningKey::from_bytes(&material));
        let key = secret.verifier(name, key_type)?;
        if key.id == id {
            Ok((key, secret))
        } else {
            Err(KeyError::IdMismatch { found: id, computed: key.id })
        }
    }
}

const PRIVATE: &str = "PRIVATE+KEY+";

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(redacted)")
    }
}

/// Why nothing was signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The process or device that holds the key did not answer.
    #[error("the signer of {key} did not answer: {reason}")]
    Unavailable {
        /// The key's name.
        key: String,
        /// What the signer's transport said.
        reason: String,
    },
    /// The process or device that holds the key answered that it will not sign.
    #[error("the signer of {key} refused: {reason}")]
    Refused {
        /// The key's name.
        key: String,
        /// What the signer said.
        reason: String,
    },
}

impl SignError {
    /// A stable name of the error, for translation.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unavailable { .. } => "sign-unavailable",
            Self::Refused { .. } => "sign-refused",
        }
    }

    /// Named arguments of the message, in a fixed order.
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Unavailable { key, reason } | Self::Refused { key, reason } => {
                vec![("key", key.clone()), ("reason", reason.clone())]
            }
        }
    }
}

/// What holds a secret key: a file, or a process or device that signs on request.
pub trait Signer: Send + Sync {
    /// The key that it signs with.
    fn key(&self) -> &VerifierKey;
    /// The Ed25519 signature of a message.
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError>;
}

impl<S: Signer + ?Sized> Signer for Arc<S> {
    fn key(&self) -> &VerifierKey {
        (**self).key()
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        (**self).sign(message)
    }
}

/// A signer whose key is in memory.
#[derive(Debug, Clone)]
pub struct LocalSigner {
    key: VerifierKey,
    secret: SecretKey,
}

impl LocalSigner {
    /// A signer under a name.
    pub fn new(name: &str, key_type: KeyType, secret: SecretKey) -> Result<Self, KeyError> {
        Ok(Self { key: secret.verifier(name, key_type)?, secret })
    }

    /// The same key under another name: a log key under its origin.
    pub fn with_name(&self, name: &str) -> Result<Self, KeyError> {
        Ok(Self { key: self.key.with_name(name)?, secret: self.secret.clone() })
    }
}

impl Signer for LocalSigner {
    fn key(&self) -> &VerifierKey {
        &self.key
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        Ok(self.secret.sign(message))
    }
}

/// Whether an Ed25519 signature is valid under the strict rules of this module.
pub fn verify_strict(public: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    PreparedKey::new(public).is_some_and(|key| key.verify(message, signature))
}

/// A public key, decompressed and checked once, for verifying many signatures.
#[derive(Debug, Clone)]
pub struct PreparedKey {
    key: VerifyingKey,
    /// Of the negated point.
    multiples: Option<Arc<Multiples>>,
}

impl PreparedKey {
    /// `None` if the encoding is not canonical, not of a point, or of a point of small order.
    pub fn new(public: &[u8; 32]) -> Option<Self> {
        strict_point(public).map(|key| Self { key, multiples: None })
    }

    /// The same key, with tables that halve the time of a verification. They cost as much as some eighty
    /// verifications, and 1.3 MB of memory.
    #[must_use]
    pub fn for_many(&self) -> Self {
        Self { key: self.key, multiples: Some(Arc::new(Multiples::of(-self.key.to_edwards()))) }
    }

    /// Whether the signature is valid under the strict rules of this module.
    pub fn verify(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        let (r, _) = signature.split_at(32);
        // The library refuses s >= L, recomputes R and compares its canonical encoding with the bytes given;
        // so R need not be decompressed, only checked against the few encodings of small order.
        if !is_canonical_y(r) || is_small_order(r) {
            return false;
        }
        let signature = Signature::from_bytes(signature);
        match &self.multiples {
            None => self.key.verify(message, &signature).is_ok(),
            Some(multiples) => self.verify_with(multiples, message, &signature),
        }
    }

    /// The same, step by step (RFC 8032 section 5.1.7, without the cofactor).
    fn verify_with(&self, multiples: &Multiples, message: &[u8], signature: &Signature) -> bool {
        let Some(s) = Option::from(Scalar::from_canonical_bytes(*signature.s_bytes())) else { return false };
        let hash = Sha512::new()
            .chain_update(signature.r_bytes())
            .chain_update(self.key.as_bytes())
            .chain_update(message)
            .finalize();
        let k = Scalar::from_bytes_mod_order_wide(&hash.into());
        multiples.combined(&s, &k) == *signature.r_bytes()
    }
}

impl From<&VerifierKey> for PreparedKey {
    fn from(key: &VerifierKey) -> Self {
        Self::new(&key.public).expect("a verifier key was checked when it was made")
    }
}

fn strict_point(public: &[u8; 32]) -> Option<VerifyingKey> {
    if !is_canonical_y(public) || is_small_order(public) {
        return None;
    }
    VerifyingKey::from_bytes(public).ok().filter(|key| !key.is_weak())
}

/// Whether the y of an encoded point, its sign bit apart, is less than p = 2^255 − 19.
fn is_canonical_y(encoded: &[u8]) -> bool {
    let [low, middle @ .., high] = encoded else { return false };
    !(high & 0x7f == 0x7f && *low >= 0xed && middle.iter().all(|b| *b == 0xff))
}

/// Whether a canonical encoding is one of a point of order 1, 2, 4 or 8.
fn is_small_order(encoded: &[u8]) -> bool {
    let [rest @ .., high] = encoded else { return true };
    SMALL_ORDER_Y.iter().any(|y| y[..31] == *rest && y[31] == high & 0x7f)
}

/// The y coordinates of the eight points of small order; x is either sign.
const SMALL_ORDER_Y: [[u8; 32]; 5] = [
    // y = 0, order 4
    [0; 32],
    // y = 1, the identity
    [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    // y = −1, order 2
    [
        0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
    ],
    // order 8
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5,
        0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a,
        0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
];
