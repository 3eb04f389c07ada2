//! The header of a record: the closed list of common lines in their order, then the kind's own lines.
//! One header has one text and one text one header. It never judges signatures or logs.

use std::fmt;
use std::str::FromStr;

use tlog::Hash;

use crate::encoding::{Authority, Date, EncodingError, Lang, MediaType, Time, Ulid, serialize_as_text};
use crate::lines::{Limits, Line, LineError};
use crate::origin::Origin;
use crate::refusal::Refusal;

mod text;

/// First line of a record's header.
pub const RECORD_TAG: &str = "concord.record/v1";
/// First line of an inner header.
pub const INNER_TAG: &str = "concord.inner/v1";
/// Most lines of a record.
pub const MAX_LINES: usize = 256;
/// Longest life of personal data after `released`, in days.
pub const MAX_EXPIRES_DAYS: i32 = 400;

pub(crate) const LIMITS: Limits = Limits { bytes: crate::record::MAX_RECORD, lines: MAX_LINES };

/// A record's header. [`Header::to_text`] of a header that [`Header::check`] accepts parses back to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Who says it.
    pub author: Authority,
    /// Exactly the log that it is appended to.
    pub log: Origin,
    /// What is said, e.g. `situation.figures`.
    pub kind: String,
    /// The thing it is about; editions share it.
    pub id: Ulid,
    /// From 1.
    pub edition: u32,
    /// Name of the edition before this one.
    pub supersedes: Option<Hash>,
    /// The node's clock at release: a claim.
    pub released: Time,
    /// Real, exercise or test.
    pub status: Status,
    /// In whose frame, if any.
    pub mechanism: Option<MechanismId>,
    /// Times that the author claims, by label (`event`, `detected`, `assessed`).
    pub about: Vec<(String, TimeOrDate)>,
    /// What readers may do with it.
    pub usage: Option<Use>,
    /// References to other records.
    pub refs: Vec<Ref>,
    /// Witness cosignatures seen before it was signed.
    pub anchors: Vec<Anchor>,
    /// The content.
    pub blobs: Vec<BlobRef>,
    /// Personal data only: 00:00 UTC of this day.
    pub expires: Option<Date>,
    /// The kind's own lines, then unknown ones, in order.
    pub own: Vec<Line>,
}

/// Whether a record counts as real.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Real.
    Actual,
    /// Routine practice: marked, never counted with actual ones.
    Exercise,
    /// A technical test.
    Test,
}

/// A mechanism's id: `<author>/<name>` of its first charter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MechanismId(String);

/// A claimed time: to the second or to the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimeOrDate {
    /// A second.
    Time(Time),
    /// A day.
    Date(Date),
}

/// What readers may do with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Use {
    /// Pass on, naming the author.
    Attribution,
    /// Not before this day.
    NoRedistributionUntil(Date),
    /// Only for the response.
    ForResponseOnly,
}

/// What a reference says of its target. The list is closed for v1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)] // The protocol's own words.
pub enum Relation {
    Replies,
    Acknowledges,
    Accepts,
    Declines,
    Revokes,
    Withdraws,
    Signs,
    Answers,
    Evidence,
    PartOf,
    Translates,
    Publishes,
    ReleasesAgain,
    Erases,
}

/// `ref <relation> <author>/<name>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ref {
    /// What it says of the target.
    pub relation: Relation,
    /// The target's author.
    pub author: Authority,
    /// The target's name: leaf hash or commitment.
    pub name: Hash,
}

/// `anchor <origin> <size> <root> <witness key name> <base64 cosignature>`: quotes a cosignature line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Anchor {
    /// The cosigned log.
    pub origin: Origin,
    /// Its size then.
    pub size: u64,
    /// Its root then.
    pub root: Hash,
    /// The witness key's name, `<authority>/witness/<n>`.
    pub witness: String,
    /// The signature line's bytes: key id (4), timestamp (8), Ed25519 signature (64).
    pub cosignature: [u8; COSIGNATURE],
}

/// Bytes of a quoted cosignature.
pub const COSIGNATURE: usize = 76;

/// `blob <media type> <size> <sha256> [language]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobRef {
    /// Of the bytes.
    pub media_type: MediaType,
    /// In bytes.
    pub size: u64,
    /// Of the bytes.
    pub sha256: Hash,
    /// Of the content, if it has one.
    pub lang: Option<Lang>,
}

/// Why a text is no header, or a header may not be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// The line grammar is broken.
    #[error(transparent)]
    Lines(#[from] LineError),
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
    /// A line has too few or too many fields.
    #[error("line {line} ({key}) must be: {wanted}")]
    Shape {
        /// Number of the line.
        line: usize,
        /// Its key.
        key: String,
        /// The line's form.
        wanted: &'static str,
    },
    /// A required line is absent.
    #[error("the line `{key}` is missing")]
    Missing {
        /// Its key.
        key: &'static str,
    },
    /// A common line stands twice, or not at its place in the order.
    #[error("line {line} ({key}) is repeated or out of order")]
    Order {
        /// Number of the line.
        line: usize,
        /// Its key.
        key: String,
    },
    /// A line that this text must not have.
    #[error("the line `{key}` must not stand in {place}")]
    Forbidden {
        /// Its key.
        key: String,
        /// Where.
        place: &'static str,
    },
    /// `supersedes` stands if and only if the edition is above 1 (charters apart).
    #[error("edition {edition} and `supersedes` contradict each other")]
    Supersedes {
        /// The edition.
        edition: u32,
    },
    /// `expires` is more than 400 days after `released`, or not after it.
    #[error("`expires` must be after `released` and at most {limit} days later")]
    Expires {
        /// The limit in days.
        limit: i32,
    },
    /// What would be written does not parse back to the same header.
    #[error("the header has a field that its text cannot carry")]
    NotCanonical,
}

impl Refusal for HeaderError {
    fn code(&self) -> &'static str {
        match self {
            Self::Lines(error) => error.code(),
            Self::Field { .. } => "header-field",
            Self::Shape { .. } => "header-shape",
            Self::Missing { .. } => "header-missing",
            Self::Order { .. } => "header-order",
            Self::Forbidden { .. } => "header-forbidden",
            Self::Supersedes { .. } => "header-supersedes",
            Self::Expires { .. } => "header-expires",
            Self::NotCanonical => "header-not-canonical",
        }
    }

    fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Lines(error) => error.arguments(),
            Self::Field { line, key, source } => {
                let mut arguments = vec![("line", line.to_string()), ("key", key.clone())];
                arguments.extend(source.arguments());
                arguments
            }
            Self::Shape { line, key, wanted } => {
                vec![("line", line.to_string()), ("key", key.clone()), ("wanted", (*wanted).into())]
            }
            Self::Missing { key } => vec![("key", (*key).into())],
            Self::Order { line, key } => vec![("line", line.to_string()), ("key", key.clone())],
            Self::Forbidden { key, place } => vec![("key", key.clone()), ("place", (*place).into())],
            Self::Supersedes { edition } => vec![("edition", edition.to_string())],
            Self::Expires { limit } => vec![("limit", limit.to_string())],
            Self::NotCanonical => Vec::new(),
        }
    }
}

serialize_as_text!(Status, MechanismId, TimeOrDate, Use, Relation);

impl Header {
    /// The header of a record in a log of its author that says nothing but what every one must.
    pub fn bare(log: &Origin, kind: &str, id: Ulid, released: Time, status: Status) -> Self {
        Self {
            author: log.authority.clone(),
            log: log.clone(),
            kind: kind.to_owned(),
            id,
            edition: 1,
            supersedes: None,
            released,
            status,
            mechanism: None,
            about: Vec::new(),
            usage: None,
            refs: Vec::new(),
            anchors: Vec::new(),
            blobs: Vec::new(),
            expires: None,
            own: Vec::new(),
        }
    }

    /// The header's text, from tag to final newline: what is signed.
    pub fn to_text(&self) -> String {
        text::write(self, text::Form::Record)
    }

    /// Parses a record's text.
    ///
    /// # Errors
    /// It is not the one canonical text of a header, or breaks a limit or a rule between lines.
    pub fn parse_text(text: &str) -> Result<Self, HeaderError> {
        text::parse_record(text)
    }

    /// The text of an inner header: every common line except `log`, the kind's own lines, `salt` last.
    pub fn to_inner_text(&self, salt: &[u8; 32]) -> String {
        let mut inner = text::write(self, text::Form::Inner);
        crate::lines::push(&mut inner, SALT, Hash(*salt).to_hex());
        inner
    }

    /// Parses an inner header, which takes the place of one in `log`; returns it with its salt.
    ///
    /// # Errors
    /// As [`Header::parse_text`]; also if the last line is not `salt`.
    pub fn parse_inner_text(text: &str, log: &Origin) -> Result<(Self, [u8; 32]), HeaderError> {
        text::parse_inner(text, log)
    }

    /// Checks that the header may be written as a record: that its text parses back to it.
    ///
    /// # Errors
    /// A rule between lines is broken, or a public field holds what its line cannot carry.
    pub fn check(&self) -> Result<(), HeaderError> {
        if &Self::parse_text(&self.to_text())? == self { Ok(()) } else { Err(HeaderError::NotCanonical) }
    }

    /// Checks that the header may be written as an inner header: that its text parses back to it.
    ///
    /// # Errors
    /// As [`Header::check`].
    pub fn check_inner(&self) -> Result<(), HeaderError> {
        let (parsed, _) = Self::parse_inner_text(&self.to_inner_text(&[0; 32]), &self.log)?;
        if &parsed == self { Ok(()) } else { Err(HeaderError::NotCanonical) }
    }

    /// The values of the kind's own (or unknown) lines of a key, in order.
    pub fn own<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.own.iter().filter(move |line| line.key() == key).map(Line::value)
    }

    /// The single value of an own line, if it stands exactly once.
    pub fn own_once(&self, key: &str) -> Option<&str> {
        let mut values = self.own.iter().filter(|line| line.key() == key);
        let first = values.next()?;
        values.next().is_none().then(|| first.value())
    }

    /// Whether a critical line (`!...`) stands here that is none of `known`: then the record is shown, but
    /// neither acted on, nor counted, nor released again.
    pub fn critical_unknown(&self, known: &[&str]) -> bool {
        self.own.iter().any(|line| line.is_critical() && !known.contains(&line.key()))
    }

    /// The references of a relation.
    pub fn refs_of(&self, relation: Relation) -> impl Iterator<Item = &Ref> {
        self.refs.iter().filter(move |r| r.relation == relation)
    }
}

/// Key of the last line of an inner header.
const SALT: &str = "salt";
/// Key of a sealed record's commitment line.
pub(crate) const COMMIT: &str = "commit";

/// Gives an enum of unit variants its words: `Display`, `FromStr` and `ALL`.
macro_rules! words {
    ($type:ident, $what:literal, $wanted:literal, $($variant:ident => $word:literal),+ $(,)?) => {
        impl $type {
            /// Every value, in the protocol's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word that stands in a line.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::encoding::EncodingError;

            fn from_str(text: &str) -> Result<Self, $crate::encoding::EncodingError> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err($crate::encoding::EncodingError::new($what, text, $wanted)),
                }
            }
        }
    };
}
pub(crate) use words;

words!(Status, "status", "actual, exercise or test", Actual => "actual", Exercise => "exercise", Test => "test");

words!(Relation, "relation", "a relation of protocol section 2",
    Replies => "replies", Acknowledges => "acknowledges", Accepts => "accepts", Declines => "declines",
    Revokes => "revokes", Withdraws => "withdraws", Signs => "signs", Answers => "answers",
    Evidence => "evidence", PartOf => "part-of", Translates => "translates", Publishes => "publishes",
    ReleasesAgain => "releases-again", Erases => "erases");

/// Longest name of a mechanism, in bytes.
pub const MAX_MECHANISM_NAME: usize = 64;

impl MechanismId {
    /// Of the author and the `name` line of a mechanism's first charter.
    ///
    /// # Errors
    /// The name is not lower-case letters, digits and hyphens.
    pub fn new(author: &Authority, name: &str) -> Result<Self, EncodingError> {
        format!("{author}/{name}").parse()
    }

    /// The whole id.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Author of the first charter.
    pub fn author(&self) -> &str {
        self.0.split('/').next().unwrap_or_default()
    }

    /// The mechanism's name.
    pub fn name(&self) -> &str {
        self.0.split('/').nth(1).unwrap_or_default()
    }
}

impl FromStr for MechanismId {
    type Err = EncodingError;

    fn from_str(text: &str) -> Result<Self, EncodingError> {
        let name = |name: &str| {
            (1..=MAX_MECHANISM_NAME).contains(&name.len())
                && !name.starts_with('-')
                && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        match text.split_once('/') {
            Some((author, rest)) if author.parse::<Authority>().is_ok() && name(rest) => {
                Ok(Self(text.into()))
            }
            _ => Err(EncodingError::new("mechanism", text, "<authority>/<name of a-z, 0-9 and hyphens>")),
        }
    }
}

impl fmt::Display for MechanismId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for TimeOrDate {
    type Err = EncodingError;

    fn from_str(text: &str) -> Result<Self, EncodingError> {
        if text.len() == 10 { text.parse().map(Self::Date) } else { text.parse().map(Self::Time) }
    }
}

impl fmt::Display for TimeOrDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(time) => time.fmt(f),
            Self::Date(date) => date.fmt(f),
        }
    }
}

impl fmt::Display for Use {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attribution => f.write_str("attribution"),
            Self::NoRedistributionUntil(date) => write!(f, "no-redistribution-until {date}"),
            Self::ForResponseOnly => f.write_str("for-response-only"),
        }
    }
}

impl FromStr for Use {
    type Err = EncodingError;

    fn from_str(text: &str) -> Result<Self, EncodingError> {
        match text.split_once(' ') {
            None if text == "attribution" => Ok(Self::Attribution),
            None if text == "for-response-only" => Ok(Self::ForResponseOnly),
            Some(("no-redistribution-until", date)) => date.parse().map(Self::NoRedistributionUntil),
            _ => Err(EncodingError::new(
                "use",
                text,
                "attribution, no-redistribution-until <date> or for-response-only",
            )),
        }
    }
}

impl fmt::Display for Ref {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.relation, self.author, self.name.to_hex())
    }
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, size, root, witness, cosignature } = self;
        write!(f, "{origin} {size} {} {witness} {}", root.to_base64(), tlog::base64::encode(cosignature))
    }
}

impl fmt::Display for BlobRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.media_type, self.size, self.sha256.to_hex())?;
        self.lang.as_ref().map_or(Ok(()), |lang| write!(f, " {lang}"))
    }
}
