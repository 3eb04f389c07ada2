//! Sealed records: a salted inner header and its plaintexts, each in an age file to every reader, under an
//! outer header that commits to the inner one (protocol section 2).
//!
//! The outer header names nothing but author, log, times and sizes. Whoever opens verifies everything that
//! binds what it sees to the signed commitment, so that two readers are never shown two texts. Opened
//! content is returned, never kept; no clock is read, and randomness is drawn only by the age library for
//! its keys (salts and ids are arguments).

use std::fmt;

use tlog::{Check, Hash, sha256};

use crate::encoding::{MediaType, Time, Ulid};
use crate::header::{BlobRef, COMMIT, Header, HeaderError, MAX_EXPIRES_DAYS};
use crate::kind;
use crate::lines::Line;
use crate::origin::Origin;
use crate::record::{MAX_RECORD, Record};
use crate::root::{Role, RootChain};

mod age_file;
mod error;
mod recipients;

pub use age_file::{AgeError, Identity, MAX_AGE_HEADER};
pub use error::{OpenError, RecipientError, SealError};
pub use recipients::{InForce, Recipients, recipients_in_force};

/// An inner header: what a sealed record says. Its `log` is that of the outer header and has no line.
#[derive(Clone, PartialEq, Eq)]
pub struct Inner {
    /// Every line but `salt`; the `blob` lines describe the plaintexts.
    pub header: Header,
    /// 32 random bytes, so that the commitment cannot be tested against guesses.
    pub salt: [u8; 32],
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner").field("header", &self.header).finish_non_exhaustive()
    }
}

impl Inner {
    /// The text: what the commitment is the hash of.
    pub fn to_text(&self) -> String {
        self.header.to_inner_text(&self.salt)
    }

    /// SHA-256 of the text: the record's name.
    pub fn commit(&self) -> Hash {
        sha256(self.to_text().as_bytes())
    }

    /// Parses the text of an inner header of a record in `log`.
    ///
    /// # Errors
    /// It is not the one canonical text of an inner header, or of a kind that is never sealed.
    pub fn parse(text: &str, log: &Origin) -> Result<Self, HeaderError> {
        let (header, salt) = Header::parse_inner_text(text, log)?;
        Ok(Self { header, salt })
    }
}

/// What an outer header says that the inner one does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OuterParts {
    /// The log that it is appended to.
    pub log: Origin,
    /// Random: it must not tell which thing the record is about.
    pub id: Ulid,
    /// When this outer header is released; not before the inner one.
    pub released: Time,
}

/// An outer header to be signed, and its blobs in the order of its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// To be signed by a key that is allowed for the inner kind.
    pub outer: Header,
    /// age files, or clear bytes if published.
    pub blobs: Vec<Vec<u8>>,
}

/// Seals a record to all its readers, for a restricted log.
///
/// # Errors
/// The inner header may not be written, the plaintexts are not those that it describes, the recipients are
/// not of the right sort, or the outer parts contradict the inner header.
pub fn seal(
    inner: &Inner,
    plaintexts: &[&[u8]],
    recipients: &Recipients,
    parts: &OuterParts,
) -> Result<Sealed, SealError> {
    if parts.log.audience.is_public() {
        return Err(SealError::PublicLog);
    }
    let text = checked_text(inner, plaintexts, parts)?;
    if recipients.is_expiring() != inner.header.expires.is_some() {
        return Err(SealError::RecipientSort { expiring: recipients.is_expiring() });
    }
    if !recipients.includes(&inner.header.author) {
        return Err(SealError::AuthorNotReader);
    }
    let keys = recipients.keys().ok_or(SealError::NoRecipient)?;
    let clear = std::iter::once(text.as_bytes()).chain(plaintexts.iter().copied());
    let blobs = clear
        .map(|bytes| age_file::encrypt(bytes, &keys).ok_or(SealError::NoRecipient))
        .collect::<Result<Vec<_>, _>>()?;
    let lines = blobs.iter().map(|blob| blob_ref(MediaType::age(), blob)).collect();
    sealed(inner, sha256(text.as_bytes()), parts, lines, blobs)
}

/// Releases an opened record again to another audience: the same commitment, freshly sealed.
///
/// # Errors
/// As [`seal`]; also a critical line that is unknown here forbids it.
pub fn release_again(
    opened: &Opened,
    known_critical: &[&str],
    recipients: &Recipients,
    parts: &OuterParts,
) -> Result<Sealed, SealError> {
    if opened.inner.header.critical_unknown(known_critical) {
        return Err(SealError::Critical);
    }
    let plaintexts: Vec<&[u8]> = opened.plaintexts.iter().map(Vec::as_slice).collect();
    seal(&opened.inner, &plaintexts, recipients, parts)
}

/// Releases an opened record again to the public: the same commitment, with the inner header and the
/// plaintexts as clear blobs.
///
/// # Errors
/// It holds personal data or an unknown critical line, or the outer parts contradict the inner header.
pub fn publish(opened: &Opened, known_critical: &[&str], parts: &OuterParts) -> Result<Sealed, SealError> {
    let inner = &opened.inner;
    if !parts.log.audience.is_public() {
        return Err(SealError::RestrictedLog);
    }
    if inner.header.expires.is_some() {
        return Err(SealError::PersonalData);
    }
    if inner.header.critical_unknown(known_critical) {
        return Err(SealError::Critical);
    }
    let plaintexts: Vec<&[u8]> = opened.plaintexts.iter().map(Vec::as_slice).collect();
    let text = checked_text(inner, &plaintexts, parts)?;
    let first = blob_ref(MediaType::plain(), text.as_bytes());
    let lines = std::iter::once(first).chain(inner.header.blobs.iter().cloned()).collect();
    let blobs = std::iter::once(text.as_bytes().to_vec()).chain(opened.plaintexts.iter().cloned()).collect();
    sealed(inner, sha256(text.as_bytes()), parts, lines, blobs)
}

fn checked_text(inner: &Inner, plaintexts: &[&[u8]], parts: &OuterParts) -> Result<String, SealError> {
    let header = &inner.header;
    header.check_inner()?;
    if parts.log.authority != header.author {
        return Err(SealError::OtherAuthor);
    }
    if parts.released < header.released {
        return Err(SealError::ReleasedBefore { inner: header.released, outer: parts.released });
    }
    if plaintexts.len() != header.blobs.len() {
        return Err(SealError::Count { blobs: header.blobs.len(), plaintexts: plaintexts.len() });
    }
    for (n, (plaintext, blob)) in plaintexts.iter().zip(&header.blobs).enumerate() {
        if !is_of(plaintext, blob) {
            return Err(SealError::Plaintext { blob: n + 1 });
        }
    }
    Ok(inner.to_text())
}

fn sealed(
    inner: &Inner,
    commit: Hash,
    parts: &OuterParts,
    lines: Vec<BlobRef>,
    blobs: Vec<Vec<u8>>,
) -> Result<Sealed, SealError> {
    let outer = Header {
        author: inner.header.author.clone(),
        blobs: lines,
        expires: inner.header.expires,
        own: vec![Line::new(COMMIT, commit.to_hex()).map_err(HeaderError::from)?],
        ..Header::bare(&parts.log, kind::SEALED, parts.id, parts.released, inner.header.status)
    };
    outer.check()?;
    Ok(Sealed { outer, blobs })
}

fn blob_ref(media_type: MediaType, bytes: &[u8]) -> BlobRef {
    BlobRef { media_type, size: bytes.len() as u64, sha256: sha256(bytes), lang: None }
}

fn is_of(bytes: &[u8], blob: &BlobRef) -> bool {
    bytes.len() as u64 == blob.size && sha256(bytes) == blob.sha256
}

// ------------------------------------------------------------------------------------------------ opening

/// A sealed or published record whose header was verified; its contents may be opened one by one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedHeader {
    /// What it says.
    pub inner: Inner,
    /// Its text, byte for byte: with the salt, it proves later what was committed to.
    pub inner_text: String,
    /// The recipient whose key opened it; none if it was published or disclosed.
    pub opened_by: Option<String>,
    /// Whether the contents stand as clear blobs.
    pub published: bool,
    /// The further blobs of the outer header, in the order of the inner header's `blob` lines.
    pub content: Vec<BlobRef>,
}

/// A sealed or published record, all of it verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// What it says.
    pub inner: Inner,
    /// Its text, byte for byte.
    pub inner_text: String,
    /// In the order of the inner header's `blob` lines.
    pub plaintexts: Vec<Vec<u8>>,
    /// The recipients whose keys opened it, without repetition; none if it is published.
    pub opened_by: Vec<String>,
}

/// Opens a record of kind `sealed`, with all its contents, and verifies everything that protocol section 2
/// asks for. `root` is the version of the author's root in force at the record's place, as the log's judgement
/// gives it; `fetch` gives a blob by its hash.
///
/// # Errors
/// See [`OpenError`]: [`OpenError::is_refusal`] tells those that are an alarm from those that are not.
pub fn open(
    outer: &Record,
    chain: &RootChain,
    root: u64,
    fetch: impl Fn(&Hash) -> Option<Vec<u8>>,
    identities: &[Identity],
) -> Result<Opened, OpenError> {
    let opened = open_header(outer, chain, root, &fetch, identities)?;
    let mut plaintexts = Vec::with_capacity(opened.content.len());
    let mut opened_by: Vec<String> = opened.opened_by.iter().cloned().collect();
    for n in 0..opened.content.len() {
        let (plaintext, recipient) = opened.plaintext(n, &fetch, identities)?;
        plaintexts.push(plaintext);
        opened_by.extend(recipient);
    }
    opened_by.sort_unstable();
    opened_by.dedup();
    Ok(Opened { inner: opened.inner, inner_text: opened.inner_text, plaintexts, opened_by })
}

/// Opens and verifies only the inner header: for readers whose policy wants no contents.
///
/// # Errors
/// As [`open`].
pub fn open_header(
    outer: &Record,
    chain: &RootChain,
    root: u64,
    fetch: impl Fn(&Hash) -> Option<Vec<u8>>,
    identities: &[Identity],
) -> Result<OpenedHeader, OpenError> {
    let commit = outer.commit().ok_or(OpenError::NotSealed)?;
    let first = outer.header.blobs.first().ok_or(OpenError::NotSealed)?;
    let published = outer.header.log.audience.is_public();
    let (bytes, opened_by) = clear(0, first, published, fetch, identities)?;
    if bytes.len() > MAX_RECORD || sha256(&bytes) != commit {
        return Err(OpenError::Commitment);
    }
    let inner_text = String::from_utf8(bytes).map_err(|_| OpenError::NotText)?;
    disclosed(outer, chain, root, inner_text, opened_by)
}

/// Verifies an inner header that was shown by somebody who had opened it: all that [`open_header`] verifies,
/// without a key.
///
/// # Errors
/// As [`open`].
pub fn verify_disclosed(
    outer: &Record,
    chain: &RootChain,
    root: u64,
    inner_text: &str,
) -> Result<OpenedHeader, OpenError> {
    let commit = outer.commit().ok_or(OpenError::NotSealed)?;
    if sha256(inner_text.as_bytes()) != commit {
        return Err(OpenError::Commitment);
    }
    disclosed(outer, chain, root, inner_text.to_owned(), None)
}

/// Verifies an inner header whose commitment was verified.
fn disclosed(
    outer: &Record,
    chain: &RootChain,
    root: u64,
    inner_text: String,
    opened_by: Option<String>,
) -> Result<OpenedHeader, OpenError> {
    let Some((_, content)) = outer.header.blobs.split_first() else { return Err(OpenError::NotSealed) };
    let published = outer.header.log.audience.is_public();
    let inner = Inner::parse(&inner_text, &outer.header.log)?;
    let opened = OpenedHeader { inner, inner_text, opened_by, published, content: content.to_vec() };
    opened.check_against(outer)?;
    check_signer(outer, chain, root, &opened.inner.header.kind)?;
    Ok(opened)
}

impl OpenedHeader {
    /// Opens and verifies the `n`th content, counted from 0; also gives the recipient whose key opened it.
    ///
    /// # Errors
    /// As [`open`].
    pub fn plaintext(
        &self,
        n: usize,
        fetch: impl Fn(&Hash) -> Option<Vec<u8>>,
        identities: &[Identity],
    ) -> Result<(Vec<u8>, Option<String>), OpenError> {
        let (Some(blob), Some(described)) = (self.content.get(n), self.inner.header.blobs.get(n)) else {
            return Err(OpenError::Count { outer: self.content.len(), inner: self.inner.header.blobs.len() });
        };
        let (bytes, recipient) = clear(n + 1, blob, self.published, fetch, identities)?;
        if is_of(&bytes, described) {
            Ok((bytes, recipient))
        } else {
            Err(OpenError::Plaintext { blob: n + 1 })
        }
    }

    fn check_against(&self, outer: &Record) -> Result<(), OpenError> {
        let (inner, outer) = (&self.inner.header, &outer.header);
        let repeated = [
            ("author", inner.author == outer.author),
            ("status", inner.status == outer.status),
            ("expires", inner.expires == outer.expires),
        ];
        if let Some((key, _)) = repeated.iter().find(|(_, equal)| !equal) {
            return Err(OpenError::Repeated { key });
        }
        if inner.released > outer.released {
            return Err(OpenError::ReleasedLater { inner: inner.released, outer: outer.released });
        }
        if inner.blobs.len() != self.content.len() {
            return Err(OpenError::Count { outer: self.content.len(), inner: inner.blobs.len() });
        }
        if self.published && inner.expires.is_some() {
            return Err(OpenError::PersonalData);
        }
        // Clear blobs are the plaintexts, so their lines are the inner header's own.
        match inner
            .blobs
            .iter()
            .zip(&self.content)
            .position(|(inner, outer)| self.published && inner != outer)
        {
            Some(n) => Err(OpenError::Plaintext { blob: n + 1 }),
            None => Ok(()),
        }
    }
}

/// The clear bytes of the outer header's `n`th blob, and the recipient whose key opened them.
fn clear(
    n: usize,
    blob: &BlobRef,
    published: bool,
    fetch: impl Fn(&Hash) -> Option<Vec<u8>>,
    identities: &[Identity],
) -> Result<(Vec<u8>, Option<String>), OpenError> {
    let bytes = fetch(&blob.sha256).ok_or(OpenError::Missing { blob: blob.sha256 })?;
    if !is_of(&bytes, blob) {
        return Err(OpenError::Altered { blob: blob.sha256 });
    }
    if published {
        return Ok((bytes, None));
    }
    match age_file::decrypt(&bytes, identities) {
        Ok(plaintext) => {
            let recipient = identities.get(plaintext.identity).map(|i| i.recipient().to_owned());
            Ok((plaintext.bytes, recipient))
        }
        Err(AgeError::NoKey) if n == 0 => Err(OpenError::NotForMe),
        Err(reason) => Err(OpenError::Unreadable { blob: n, reason }),
    }
}

/// One of the author's keys that signed the outer header must be allowed for the inner kind too.
fn check_signer(outer: &Record, chain: &RootChain, root: u64, kind: &str) -> Result<(), OpenError> {
    let keys = chain.at(root).into_iter().flat_map(|root| root.keys_of(Role::Author));
    let mut allowed = keys
        .filter(|key| key.allows(kind) && key.allows(kind::SEALED))
        .filter(|key| !chain.revoked_before(root, &key.vkey));
    let signed = chain.authority() == &outer.header.author
        && allowed.any(|key| outer.note.check(&key.vkey) == Check::Valid);
    if signed { Ok(()) } else { Err(OpenError::Kind { kind: kind.into() }) }
}

/// The last day that personal data released at a time may be kept: 400 days after it.
pub fn latest_expiry(released: Time) -> crate::encoding::Date {
    released.saturating_add(i64::from(MAX_EXPIRES_DAYS) * 86_400).date()
}
