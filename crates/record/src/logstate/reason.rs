//! Why an entry of a log counts for nothing.

use crate::encoding::Authority;
use crate::origin::Origin;
use crate::record::RecordError;
use crate::refusal::Refusal;

/// Why an entry is no valid record of its log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidReason {
    /// The bytes are no record.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The record says that it belongs to another log.
    #[error("the record belongs to the log {found}")]
    OtherLog {
        /// Its `log` line.
        found: Origin,
    },
    /// The record is of another author than the log.
    #[error("the record is of {found}")]
    OtherAuthor {
        /// Its `author` line.
        found: Authority,
    },
    /// A clear record in a restricted log.
    #[error("a record of kind {kind} stands unsealed in a restricted log")]
    NotSealed {
        /// Its kind.
        kind: String,
    },
    /// No author key of the root in force that is allowed for the kind signed it.
    #[error("no author key that root {root} allows for {kind} signed the record")]
    NotSigned {
        /// Its kind.
        kind: String,
        /// Version of the root that it was judged by.
        root: u64,
    },
    /// A signature of a key of the root in force is wrong.
    #[error("the signature of {name} is wrong")]
    BadSignature {
        /// The key's name.
        name: String,
    },
    /// The first entry is another record than `log.open`.
    #[error("a log begins with log.open, not with {kind}")]
    NotOpening {
        /// Its kind.
        kind: String,
    },
    /// The log never began with a valid `log.open`.
    #[error("the log has no valid log.open")]
    NeverOpened,
    /// A second `log.open`.
    #[error("log.open stands only at the beginning")]
    OpenedAgain,
    /// An entry after `log.close`.
    #[error("the log was closed before")]
    AfterClose,
    /// A line of `log.open`, `log.root` or `log.close` is missing, repeated or malformed.
    #[error("the line `{key}` must be: {wanted}")]
    LogLine {
        /// Its key.
        key: &'static str,
        /// Its form.
        wanted: &'static str,
    },
    /// `log.root` names the root in force or an older one.
    #[error("root {found} is named; root {in_force} is in force")]
    RootNotNewer {
        /// The version that it names.
        found: u64,
        /// The version in force.
        in_force: u64,
    },
    /// The named root has another hash.
    #[error("root {version} of the author has another hash")]
    RootHash {
        /// The version.
        version: u64,
    },
}

impl Refusal for InvalidReason {
    fn code(&self) -> &'static str {
        match self {
            Self::Record(error) => error.code(),
            Self::OtherLog { .. } => "entry-other-log",
            Self::OtherAuthor { .. } => "entry-other-author",
            Self::NotSealed { .. } => "entry-not-sealed",
            Self::NotSigned { .. } => "entry-not-signed",
            Self::BadSignature { .. } => "entry-bad-signature",
            Self::NotOpening { .. } => "log-not-opening",
            Self::NeverOpened => "log-never-opened",
            Self::OpenedAgain => "log-opened-again",
            Self::AfterClose => "log-after-close",
            Self::LogLine { .. } => "log-line",
            Self::RootNotNewer { .. } => "log-root-not-newer",
            Self::RootHash { .. } => "log-root-hash",
        }
    }

    fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Record(error) => error.arguments(),
            Self::OtherLog { found } => vec![("found", found.to_string())],
            Self::OtherAuthor { found } => vec![("found", found.to_string())],
            Self::NotSealed { kind } | Self::NotOpening { kind } => vec![("kind", kind.clone())],
            Self::NotSigned { kind, root } => vec![("kind", kind.clone()), ("root", root.to_string())],
            Self::BadSignature { name } => vec![("name", name.clone())],
            Self::NeverOpened | Self::OpenedAgain | Self::AfterClose => Vec::new(),
            Self::LogLine { key, wanted } => vec![("key", (*key).into()), ("wanted", (*wanted).into())],
            Self::RootNotNewer { found, in_force } => {
                vec![("found", found.to_string()), ("inForce", in_force.to_string())]
            }
            Self::RootHash { version } => vec![("version", version.to_string())],
        }
    }
}
