//! Trust roots: which keys speak for an authority, from which version on, and which keys come next.
//! A root never expires into refusal (it warns), and nothing here decides whom an operator trusts.

use tlog::{Hash, KeyType, Note, NoteError, Signer, VerifierKey, sha256};

use crate::encoding::{Authority, EncodingError, Fingerprint, Time, decimal, serialize_as_text};
use crate::header::words;
use crate::lines::{Line, LineError};
use crate::origin::Origin;
use crate::refusal::Refusal;

mod chain;
mod text;

pub use chain::{Extended, RootChain};
pub use text::{MAX_ROOT_LINES, ROOT_TAG};

/// Largest signed trust root, in bytes.
pub const MAX_ROOT: usize = 64 * 1024;
/// Longest time that an `expiring` age recipient is in force, in days.
pub const MAX_EXPIRING_DAYS: i64 = 31;

/// A trust root's text, parsed. Its `to_text` is canonical: one root has one text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustRoot {
    /// Whose keys these are.
    pub authority: Authority,
    /// From 1, without gaps.
    pub version: u64,
    /// SHA-256 of the text of the version before; root 1 has none.
    pub previous: Option<Hash>,
    /// In force from.
    pub from: Time,
    /// Due to be replaced; an expired root warns.
    pub until: Time,
    /// How many root keys sign.
    pub threshold: u32,
    /// The root keys.
    pub roots: Vec<VerifierKey>,
    /// Threshold and SHA-256 of the vkeys of the next root's keys.
    pub next: Option<(u32, Vec<Hash>)>,
    /// Every other signing key.
    pub keys: Vec<ListedKey>,
    /// X25519 recipients of sealed blobs.
    pub age: Vec<AgeRecipient>,
    /// Keys that count no more, each with a time.
    pub revoked: Vec<(VerifierKey, Time)>,
    /// Where the node answers, without a slash at the end.
    pub endpoint: Option<String>,
    /// Where copies are served.
    pub mirrors: Vec<String>,
    /// Claims of following or being followed by another authority.
    pub succession: Vec<Succession>,
    /// Unknown lines, kept in order.
    pub unknown: Vec<Line>,
}

/// What a key may do; a key has one role only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Signs trust roots.
    Root,
    /// Signs checkpoints, under the log's origin as name.
    Log,
    /// Signs records.
    Author,
    /// Signs requests.
    Caller,
    /// Cosigns checkpoints of any log.
    Witness,
    /// Cosigns what this node holds: fetch receipts.
    Holds,
}

words!(Role, "role", "root, log, author, caller, witness or holds",
    Root => "root", Log => "log", Author => "author", Caller => "caller", Witness => "witness",
    Holds => "holds");

serialize_as_text!(Role);

impl Role {
    /// The signature type of this role's keys.
    pub fn key_type(self) -> KeyType {
        match self {
            Self::Root | Self::Log | Self::Author | Self::Caller => KeyType::Ed25519,
            Self::Witness | Self::Holds => KeyType::Cosignature,
        }
    }
}

/// `key <role> <vkey> [kind ...]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedKey {
    /// What it may do; never `root`.
    pub role: Role,
    /// Named `<authority>/<role>/<n>`.
    pub vkey: VerifierKey,
    /// The only kinds it may sign; empty: all.
    pub kinds: Vec<String>,
}

impl ListedKey {
    /// Whether the key may sign records of a kind.
    pub fn allows(&self, kind: &str) -> bool {
        self.role == Role::Author && (self.kinds.is_empty() || self.kinds.iter().any(|k| k == kind))
    }
}

/// `age <recipient> <from> <until> [expiring]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgeRecipient {
    /// `age1...`, an X25519 recipient.
    pub recipient: String,
    /// In force from.
    pub from: Time,
    /// In force before.
    pub until: Time,
    /// For personal data only: its private key is destroyed.
    pub expiring: bool,
}

/// `succeeds|succeeded-by <authority> <fingerprint>`: shown only if both roots say so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Succession {
    /// Which way.
    pub direction: Direction,
    /// The other authority.
    pub authority: Authority,
    /// Of the other's root 1.
    pub fingerprint: Fingerprint,
}

/// Which of two authorities follows the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// This one follows the named one.
    Succeeds,
    /// The named one follows this one.
    SucceededBy,
}

words!(Direction, "succession", "succeeds or succeeded-by",
    Succeeds => "succeeds", SucceededBy => "succeeded-by");

/// What an operator should be told of a root that is nevertheless taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RootWarning {
    /// `until` has passed.
    Expired,
    /// `from` is still to come.
    NotYet,
    /// There is no `next`: these keys can never be rotated.
    NoNext,
    /// A key of today is among the next ones: a thief of today's keys holds it already.
    NextReusesKey,
}

/// A trust root with its signatures and bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedRoot {
    /// The parsed text.
    pub root: TrustRoot,
    /// Text and signature lines.
    pub note: Note,
    /// As served and stored.
    pub bytes: Vec<u8>,
}

/// Why a trust root is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RootError {
    /// More bytes than allowed.
    #[error("a trust root of {bytes} bytes; at most {limit} are allowed")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// Not a signed note, or not signed.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The line grammar is broken.
    #[error(transparent)]
    Lines(#[from] LineError),
    /// A line is not of its form.
    #[error("line {line} ({key}) must be: {wanted}")]
    Shape {
        /// Number of the line.
        line: usize,
        /// Its key.
        key: String,
        /// The line's form.
        wanted: &'static str,
    },
    /// A field is not of its type.
    #[error("line {line} ({key}): {source}")]
    Field {
        /// Number of the line.
        line: usize,
        /// Its key.
        key: String,
        /// What is wrong with it.
        source: EncodingError,
    },
    /// A required line is absent or not at its place.
    #[error("the line `{key}` is missing or not at its place")]
    Missing {
        /// Its key.
        key: &'static str,
    },
    /// A known line is repeated or out of order.
    #[error("line {line} ({key}) is repeated or out of order")]
    Order {
        /// Number of the line.
        line: usize,
        /// Its key.
        key: String,
    },
    /// An unknown line whose key begins with `!`.
    #[error("line {line} ({key}) is critical and not known here")]
    Critical {
        /// Number of the line.
        line: usize,
        /// Its key.
        key: String,
    },
    /// A key is not named `<authority>/<role>/<n>` or is of the wrong signature type.
    #[error("key {name} must be named {authority}/{role}/<n> and be of its role's signature type")]
    KeyName {
        /// Its name.
        name: String,
        /// The root's authority.
        authority: Authority,
        /// The role it is listed under.
        role: Role,
    },
    /// A public key stands under two `root` or `key` lines.
    #[error("the public key of {name} is listed twice")]
    ListedTwice {
        /// The second name.
        name: String,
    },
    /// The threshold is zero or above the number of keys.
    #[error("threshold {threshold} of {keys} keys")]
    Threshold {
        /// The threshold.
        threshold: u32,
        /// How many keys there are.
        keys: usize,
    },
    /// `until` is not after `from`.
    #[error("`until` of `{key}` is not after its `from`")]
    Period {
        /// The line.
        key: &'static str,
    },
    /// An `expiring` recipient is in force for too long.
    #[error("an expiring recipient may be in force for at most {limit} days")]
    ExpiringTooLong {
        /// The limit.
        limit: i64,
    },
    /// A public field holds what the text cannot carry.
    #[error("the root has a field that its text cannot carry")]
    NotCanonical,
    /// Root 1 has `previous`, or a later one has none.
    #[error("version {version} and `previous` contradict each other")]
    Previous {
        /// The version.
        version: u64,
    },
    /// A chain begins with another version than 1.
    #[error("a chain begins with version 1, not {version}")]
    NotFirst {
        /// The version.
        version: u64,
    },
    /// Root 1 is not the one whose fingerprint was compared.
    #[error("the fingerprint is {found}, not {wanted}")]
    Fingerprint {
        /// Of the offered root.
        found: Fingerprint,
        /// The confirmed one.
        wanted: Fingerprint,
    },
    /// The offered root is of another authority.
    #[error("the root is of {found}, not of {wanted}")]
    Authority {
        /// Of the offered root.
        found: Authority,
        /// Of the chain.
        wanted: Authority,
    },
    /// The version is not the next one.
    #[error("version {found} offered; {wanted} comes next")]
    Version {
        /// Of the offered root.
        found: u64,
        /// The next one.
        wanted: u64,
    },
    /// `previous` is not the hash of the version before.
    #[error("`previous` of version {version} is not the hash of the text before it")]
    PreviousHash {
        /// The version.
        version: u64,
    },
    /// The version before names no next keys.
    #[error("version {version} ends its chain: it has no `next`")]
    NoNext {
        /// The version that has none.
        version: u64,
    },
    /// A root key was not announced in `next`.
    #[error("the root key {name} was not announced by the version before")]
    NotAnnounced {
        /// Its name.
        name: String,
    },
    /// The threshold is not the announced one.
    #[error("threshold {found}; the version before announced {wanted}")]
    ThresholdChanged {
        /// Of the offered root.
        found: u32,
        /// Announced.
        wanted: u32,
    },
    /// Too few different root keys signed.
    #[error("{signed} root keys signed; {wanted} must")]
    Signatures {
        /// How many different keys signed.
        signed: u32,
        /// The threshold.
        wanted: u32,
    },
    /// A signature of a root key is wrong.
    #[error("the signature of {name} is wrong")]
    BadSignature {
        /// The key's name.
        name: String,
    },
    /// Another root of the same version, rightly signed: an alarm; the first seen stays.
    #[error("another root of version {version} is signed: {found} beside {kept}")]
    Fork {
        /// The version.
        version: u64,
        /// Hash of the text kept.
        kept: Hash,
        /// Hash of the text offered.
        found: Hash,
    },
}

impl Refusal for RootError {
    fn code(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "root-too-long",
            Self::Note(error) => error.code(),
            Self::Lines(error) => error.code(),
            Self::Shape { .. } => "root-shape",
            Self::Field { .. } => "root-field",
            Self::Missing { .. } => "root-missing",
            Self::Order { .. } => "root-order",
            Self::Critical { .. } => "root-critical",
            Self::KeyName { .. } => "root-key-name",
            Self::ListedTwice { .. } => "root-listed-twice",
            Self::Threshold { .. } => "root-threshold",
            Self::Period { .. } => "root-period",
            Self::ExpiringTooLong { .. } => "root-expiring-too-long",
            Self::NotCanonical => "root-not-canonical",
            Self::Previous { .. } => "root-previous",
            Self::NotFirst { .. } => "root-not-first",
            Self::Fingerprint { .. } => "root-fingerprint",
            Self::Authority { .. } => "root-authority",
            Self::Version { .. } => "root-version",
            Self::PreviousHash { .. } => "root-previous-hash",
            Self::NoNext { .. } => "root-no-next",
            Self::NotAnnounced { .. } => "root-not-announced",
            Self::ThresholdChanged { .. } => "root-threshold-changed",
            Self::Signatures { .. } => "root-signatures",
            Self::BadSignature { .. } => "root-bad-signature",
            Self::Fork { .. } => "root-fork",
        }
    }

    fn arguments(&self) -> Vec<(&'static str, String)> {
        let line_key = |line: &usize, key: &str| vec![("line", line.to_string()), ("key", key.to_owned())];
        match self {
            Self::TooLong { bytes, limit } => {
                vec![("bytes", bytes.to_string()), ("limit", limit.to_string())]
            }
            Self::Note(error) => vec![("detail", error.to_string())],
            Self::Lines(error) => error.arguments(),
            Self::Shape { line, key, wanted } => {
                let mut arguments = line_key(line, key);
                arguments.push(("wanted", (*wanted).into()));
                arguments
            }
            Self::Field { line, key, source } => {
                let mut arguments = line_key(line, key);
                arguments.extend(source.arguments());
                arguments
            }
            Self::Order { line, key } | Self::Critical { line, key } => line_key(line, key),
            Self::Missing { key } | Self::Period { key } => vec![("key", (*key).into())],
            Self::KeyName { name, authority, role } => {
                vec![("name", name.clone()), ("authority", authority.to_string()), ("role", role.to_string())]
            }
            Self::ListedTwice { name } | Self::NotAnnounced { name } | Self::BadSignature { name } => {
                vec![("name", name.clone())]
            }
            Self::Threshold { threshold, keys } => {
                vec![("threshold", threshold.to_string()), ("keys", keys.to_string())]
            }
            Self::ExpiringTooLong { limit } => vec![("limit", limit.to_string())],
            Self::NotCanonical => Vec::new(),
            Self::Previous { version }
            | Self::NotFirst { version }
            | Self::PreviousHash { version }
            | Self::NoNext { version } => vec![("version", version.to_string())],
            Self::Fingerprint { found, wanted } => {
                vec![("found", found.to_string()), ("wanted", wanted.to_string())]
            }
            Self::Authority { found, wanted } => {
                vec![("found", found.to_string()), ("wanted", wanted.to_string())]
            }
            Self::Version { found, wanted } => {
                vec![("found", found.to_string()), ("wanted", wanted.to_string())]
            }
            Self::ThresholdChanged { found, wanted } => {
                vec![("found", found.to_string()), ("wanted", wanted.to_string())]
            }
            Self::Signatures { signed, wanted } => {
                vec![("signed", signed.to_string()), ("wanted", wanted.to_string())]
            }
            Self::Fork { version, kept, found } => {
                vec![("version", version.to_string()), ("kept", kept.to_hex()), ("found", found.to_hex())]
            }
        }
    }
}

/// Authority and number of a key name `<authority>/<role>/<n>` of the given role.
pub fn key_name(name: &str, role: Role) -> Option<(Authority, u32)> {
    let mut parts = name.split('/');
    let authority = parts.next()?.parse().ok()?;
    (parts.next()? == role.as_str()).then_some(())?;
    let n = decimal(parts.next()?).ok()?;
    parts.next().is_none().then_some((authority, n))
}

impl TrustRoot {
    /// The text, from tag to final newline: what is signed.
    pub fn to_text(&self) -> String {
        text::write(self)
    }

    /// Parses a root's text.
    ///
    /// # Errors
    /// It is not the one canonical text of a root, or breaks a rule that concerns one root alone.
    pub fn parse_text(text: &str) -> Result<Self, RootError> {
        text::parse(text)
    }

    /// SHA-256 of the text: what `previous`, `log.open` and `log.root` name.
    pub fn text_hash(&self) -> Hash {
        sha256(self.to_text().as_bytes())
    }

    /// The fingerprint that this text has if it is root 1's.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint(self.text_hash().0)
    }

    /// The keys listed under a role (other than `root`).
    pub fn keys_of(&self, role: Role) -> impl Iterator<Item = &ListedKey> {
        self.keys.iter().filter(move |key| key.role == role)
    }

    /// What an operator should be told of the root at a time.
    pub fn warnings(&self, now: Time) -> Vec<RootWarning> {
        let reuses = self.next.iter().flat_map(|(_, hashes)| hashes).any(|hash| {
            let today = self.roots.iter().chain(self.keys.iter().map(|key| &key.vkey));
            today.map(announced).any(|key| key == *hash)
        });
        let all = [
            (RootWarning::Expired, now >= self.until),
            (RootWarning::NotYet, now < self.from),
            (RootWarning::NoNext, self.next.is_none()),
            (RootWarning::NextReusesKey, reuses),
        ];
        all.into_iter().filter(|(_, holds)| *holds).map(|(warning, _)| warning).collect()
    }
}

/// The hash by which `next` announces a key: SHA-256 of its vkey's ASCII.
pub fn announced(key: &VerifierKey) -> Hash {
    sha256(key.to_string().as_bytes())
}

impl SignedRoot {
    /// Parses a signed root. Signatures are kept, not judged: that is the chain's.
    ///
    /// # Errors
    /// It is no signed note, its text is no root, or a limit is broken.
    pub fn parse(bytes: &[u8]) -> Result<Self, RootError> {
        if bytes.len() > MAX_ROOT {
            return Err(RootError::TooLong { bytes: bytes.len(), limit: MAX_ROOT });
        }
        let note = Note::parse(bytes)?;
        Ok(Self { root: TrustRoot::parse_text(&note.text)?, note, bytes: bytes.to_vec() })
    }

    /// Signs a root with `root` keys.
    ///
    /// # Errors
    /// The root may not be written, or a signer does not sign.
    pub fn sign(root: &TrustRoot, signers: &[&dyn Signer]) -> Result<Self, RootError> {
        let text = root.to_text();
        if &TrustRoot::parse_text(&text)? != root {
            return Err(RootError::NotCanonical);
        }
        Self::parse(&Note::sign(&text, signers)?.to_bytes())
    }
}

/// A `log` key as it stands in checkpoints of a log: named by its origin.
pub(crate) fn under_origin(key: &VerifierKey, origin: &Origin) -> Option<VerifierKey> {
    key.with_name(&origin.to_string()).ok()
}
