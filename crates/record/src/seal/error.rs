//! Why nothing was sealed, and why a sealed record is not shown.

use tlog::Hash;

use super::AgeError;
use crate::encoding::{Authority, Time};
use crate::header::HeaderError;
use crate::refusal::Refusal;

/// Why nothing was sealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The inner or outer header may not be written.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// Sealed blobs never stand in a public log.
    #[error("a record of a public log is not sealed")]
    PublicLog,
    /// Clear blobs never stand in a restricted log.
    #[error("a record of a restricted log is sealed")]
    RestrictedLog,
    /// Personal data are never published.
    #[error("a record with `expires` is never published")]
    PersonalData,
    /// A critical line that is unknown here.
    #[error("the record has a critical line that is not known here: it is not released again")]
    Critical,
    /// The log is another authority's.
    #[error("the log is not one of the author's")]
    OtherAuthor,
    /// The outer header would be released before the inner one.
    #[error("released {outer}, before the inner header's {inner}")]
    ReleasedBefore {
        /// The inner header's time.
        inner: Time,
        /// The outer header's time.
        outer: Time,
    },
    /// Not as many plaintexts as `blob` lines.
    #[error("{plaintexts} plaintexts for {blobs} blob lines")]
    Count {
        /// Lines of the inner header.
        blobs: usize,
        /// Plaintexts given.
        plaintexts: usize,
    },
    /// A plaintext is not the one that its line describes.
    #[error("blob {blob}: size or hash is not that of the plaintext")]
    Plaintext {
        /// Counted from 1.
        blob: usize,
    },
    /// Lasting recipients for personal data, or expiring ones for lasting records.
    #[error("a record with `expires` is sealed to expiring recipients, and no other record is")]
    RecipientSort {
        /// Which sort was given.
        expiring: bool,
    },
    /// The author's own recipients are not among them.
    #[error("the author is not among the readers")]
    AuthorNotReader,
    /// No recipient at all.
    #[error("there is no recipient")]
    NoRecipient,
}

impl Refusal for SealError {
    fn code(&self) -> &'static str {
        match self {
            Self::Header(error) => error.code(),
            Self::PublicLog => "seal-public-log",
            Self::RestrictedLog => "seal-restricted-log",
            Self::PersonalData => "seal-personal-data",
            Self::Critical => "seal-critical",
            Self::OtherAuthor => "seal-other-author",
            Self::ReleasedBefore { .. } => "seal-released-before",
            Self::Count { .. } => "seal-count",
            Self::Plaintext { .. } => "seal-plaintext",
            Self::RecipientSort { .. } => "seal-recipient-sort",
            Self::AuthorNotReader => "seal-author-not-reader",
            Self::NoRecipient => "seal-no-recipient",
        }
    }

    fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Header(error) => error.arguments(),
            Self::ReleasedBefore { inner, outer } => {
                vec![("inner", inner.to_string()), ("outer", outer.to_string())]
            }
            Self::Count { blobs, plaintexts } => {
                vec![("blobs", blobs.to_string()), ("plaintexts", plaintexts.to_string())]
            }
            Self::Plaintext { blob } => vec![("blob", blob.to_string())],
            Self::RecipientSort { expiring } => vec![("expiring", expiring.to_string())],
            Self::PublicLog
            | Self::RestrictedLog
            | Self::PersonalData
            | Self::Critical
            | Self::OtherAuthor
            | Self::AuthorNotReader
            | Self::NoRecipient => Vec::new(),
        }
    }
}

/// Why a record cannot be sealed to a reader.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecipientError {
    /// The reader lists no recipient that personal data may be sealed to now.
    #[error("{authority} has no expiring recipient in force at {at}")]
    NoneExpiring {
        /// The reader.
        authority: Authority,
        /// When.
        at: Time,
    },
    /// The reader lists no recipient that lasts.
    #[error("{authority} lists no lasting recipient")]
    NoneLasting {
        /// The reader.
        authority: Authority,
    },
    /// A listed recipient is no X25519 recipient.
    #[error("{authority} lists {recipient:?}, which is no X25519 recipient")]
    Malformed {
        /// The reader.
        authority: Authority,
        /// As listed, cut.
        recipient: String,
    },
}

impl Refusal for RecipientError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoneExpiring { .. } => "recipient-none-expiring",
            Self::NoneLasting { .. } => "recipient-none-lasting",
            Self::Malformed { .. } => "recipient-malformed",
        }
    }

    fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::NoneExpiring { authority, at } => {
                vec![("authority", authority.to_string()), ("at", at.to_string())]
            }
            Self::NoneLasting { authority } => vec![("authority", authority.to_string())],
            Self::Malformed { authority, recipient } => {
                vec![("authority", authority.to_string()), ("recipient", recipient.clone())]
            }
        }
    }
}

/// Why a sealed record is not shown. Blobs count from 0, the inner header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The record is of another kind.
    #[error("the record is not of kind `sealed`")]
    NotSealed,
    /// A blob has not been fetched yet.
    #[error("blob {blob} is not here")]
    Missing {
        /// Its hash.
        blob: Hash,
    },
    /// What was fetched is not what the outer header names.
    #[error("the bytes fetched as blob {blob} are others")]
    Altered {
        /// The hash that the outer header names.
        blob: Hash,
    },
    /// The inner header is sealed to none of the identities.
    #[error("the record is sealed to none of these keys")]
    NotForMe,
    /// A blob that must open does not.
    #[error("blob {blob} does not open: {reason}")]
    Unreadable {
        /// Which blob.
        blob: usize,
        /// Why.
        reason: AgeError,
    },
    /// The inner header is not the one that the outer header commits to.
    #[error("the inner header is not the one committed to")]
    Commitment,
    /// The inner header is not UTF-8.
    #[error("the inner header is no text")]
    NotText,
    /// The inner header does not parse.
    #[error("inner header: {0}")]
    Inner(#[from] HeaderError),
    /// A line that must be equal in both headers is not.
    #[error("the line `{key}` differs between inner and outer header")]
    Repeated {
        /// Its key.
        key: &'static str,
    },
    /// The inner header claims a later release than the outer one.
    #[error("the inner header is released {inner}, after the outer one's {outer}")]
    ReleasedLater {
        /// The inner header's time.
        inner: Time,
        /// The outer header's time.
        outer: Time,
    },
    /// Not as many further blobs as the inner header describes.
    #[error("{outer} further blobs; the inner header describes {inner}")]
    Count {
        /// Further blobs of the outer header.
        outer: usize,
        /// `blob` lines of the inner header.
        inner: usize,
    },
    /// A plaintext is not the one that the inner header describes.
    #[error("blob {blob} is not the one that the inner header describes")]
    Plaintext {
        /// Which blob.
        blob: usize,
    },
    /// No key that signed is allowed for the inner kind.
    #[error("no key that signed may sign records of kind {kind}")]
    Kind {
        /// The inner kind.
        kind: String,
    },
    /// Personal data were published.
    #[error("a record with `expires` is published")]
    PersonalData,
}

impl OpenError {
    /// Whether the record is refused: the evidence is kept and an alarm raised. `holds_listed_keys` says
    /// whether the reader holds the private keys of all recipients that it lists for the time of release; who
    /// does not may simply have lost the key.
    pub fn is_refusal(&self, holds_listed_keys: bool) -> bool {
        match self {
            Self::NotSealed | Self::Missing { .. } | Self::Altered { .. } => false,
            // Contents are sealed to whom the inner header is: for them, not having the key is no excuse.
            Self::NotForMe => holds_listed_keys,
            _ => true,
        }
    }
}

impl Refusal for OpenError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotSealed => "open-not-sealed",
            Self::Missing { .. } => "open-missing",
            Self::Altered { .. } => "open-altered",
            Self::NotForMe => "open-not-for-me",
            Self::Unreadable { .. } => "open-unreadable",
            Self::Commitment => "open-commitment",
            Self::NotText => "open-not-text",
            Self::Inner(error) => error.code(),
            Self::Repeated { .. } => "open-repeated",
            Self::ReleasedLater { .. } => "open-released-later",
            Self::Count { .. } => "open-count",
            Self::Plaintext { .. } => "open-plaintext",
            Self::Kind { .. } => "open-kind",
            Self::PersonalData => "open-personal-data",
        }
    }

    fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Missing { blob } | Self::Altered { blob } => vec![("blob", blob.to_hex())],
            Self::Unreadable { blob, reason } => {
                vec![("blob", blob.to_string()), ("reason", reason.to_string())]
            }
            Self::Inner(error) => error.arguments(),
            Self::Repeated { key } => vec![("key", (*key).into())],
            Self::ReleasedLater { inner, outer } => {
                vec![("inner", inner.to_string()), ("outer", outer.to_string())]
            }
            Self::Count { outer, inner } => vec![("outer", outer.to_string()), ("inner", inner.to_string())],
            Self::Plaintext { blob } => vec![("blob", blob.to_string())],
            Self::Kind { kind } => vec![("kind", kind.clone())],
            Self::NotSealed | Self::NotForMe | Self::Commitment | Self::NotText | Self::PersonalData => {
                Vec::new()
            }
        }
    }
}
