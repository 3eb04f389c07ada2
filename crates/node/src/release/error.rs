//! Why nothing was released, with what the operator can do.

use std::sync::Arc;

use record::{Authority, Date, Origin, Status, Time, Ulid};

use crate::fault::{Coded, Fault};

/// Why nothing was released.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// Claimed times are for exercises.
    #[error(
        "a record of status actual is released now; only an exercise or a test may claim another time, and only where `replay = true`"
    )]
    Replay,
    /// Personal data in the open.
    #[error("a record that expires holds personal data: it must go to named readers, never to the public")]
    ExpiringPublic,
    /// Personal data that would have to be destroyed before it is released.
    #[error("it would expire on {0}, 00:00 UTC, which is not after its release: choose a later day")]
    Expired(Date),
    /// Personal data under a claimed time.
    #[error("a record that expires is released now: it cannot claim a time that has not come")]
    ExpiringLater,
    /// A reader is not known.
    #[error(
        "{0} is not a confirmed peer, so nothing can be sealed to it: `concord peer add` and `confirm` come first"
    )]
    UnknownReader(Authority),
    /// A reader has no key to seal to.
    #[error("a reader has no key that could be sealed to: {0}")]
    NoRecipient(String),
    /// The log waits.
    #[error("{origin} does not sign yet: {why}")]
    Waits {
        /// The log.
        origin: Origin,
        /// What it waits for and what the operator can do.
        why: String,
    },
    /// A log would be opened under the year of a clock that every peer contradicts.
    #[error(
        "this machine says that it is {ours}, and every peer that tells its time says about {theirs}: a new log would have a wrong year in its name, for ever. Set the clock, restart, and release it again"
    )]
    Year {
        /// By this machine's clock.
        ours: Time,
        /// By a peer's.
        theirs: Time,
    },
    /// The log needs no successor, or can have none.
    #[error("{origin} gets no successor: {why}")]
    NoSuccessor {
        /// The log.
        origin: Origin,
        /// Why not, and what would be right.
        why: &'static str,
    },
    /// The key of the log was revoked: nothing is appended to it.
    #[error(
        "the key of {origin} was revoked, so nothing is appended to it: `concord log succeed {origin}` goes on from its head"
    )]
    NotClosed {
        /// The log.
        origin: Origin,
    },
    /// There is no such thing.
    #[error("this authority has released nothing with id {0}")]
    UnknownThing(Ulid),
    /// The thing was withdrawn.
    #[error("{0} was withdrawn, which ends it for good: release what goes on under a new id")]
    Withdrawn(Ulid),
    /// As many editions stand as count.
    #[error(
        "{0} has as many editions as are ever compared: of one with more, nothing would count any more. Release what goes on under a new id"
    )]
    ThingFull(Ulid),
    /// The thing is of another status.
    #[error("{id} is not of status {status}: records of different status never follow each other")]
    OtherStatus {
        /// The thing.
        id: Ulid,
        /// The status of what was to be released.
        status: Status,
    },
    /// Some readers were not given the edition before.
    #[error(
        "edition {edition} of {id} was not given to {readers}: release it to them first, with `concord record again {name}`"
    )]
    EditionReaders {
        /// The thing.
        id: Ulid,
        /// The edition before.
        edition: u32,
        /// Its name, hex.
        name: String,
        /// Who lacks it.
        readers: String,
    },
    /// The edition before is not public.
    #[error(
        "edition {edition} of {id} is not public: publish it first, with `concord record publish {name}`"
    )]
    EditionPublic {
        /// The thing.
        id: Ulid,
        /// The edition before.
        edition: u32,
        /// Its name, hex.
        name: String,
    },
    /// A kind that is never for everybody.
    #[error("a record of kind {0} is never public")]
    NeverPublic(String),
    /// What everybody reads would name what is sealed.
    #[error("{0} is sealed: a public record that names it would tell everybody that it exists")]
    NamesSealed(String),
    /// A line that only a sealed record has.
    #[error("the line {0} belongs to sealed records, and the node writes it")]
    SealedLine(String),
    /// A blob that no reader would fetch.
    #[error("a content of {bytes} bytes: at most {limit}; divide it, or name where it can be had")]
    BlobTooLarge {
        /// Its length.
        bytes: u64,
        /// The most allowed.
        limit: u64,
    },
    /// An inner header that no reader would fetch.
    #[error("a sealed header of {bytes} bytes: at most {limit}; it has fewer lines, or fewer readers")]
    InnerTooLarge {
        /// The length of its sealed form.
        bytes: u64,
        /// The most allowed.
        limit: u64,
    },
    /// An edition that ends before the one that it replaces.
    #[error(
        "the edition before it is kept longer ({0}): this one must be kept at least as long, or the earlier one would speak again"
    )]
    ExpiresBefore(String),
    /// It cannot be released again.
    #[error("{name} is not released again: {why}")]
    NotAgain {
        /// The record, hex.
        name: String,
        /// Why not, and what would be right.
        why: &'static str,
    },
    /// A key of an act that is none.
    #[error("{0:?} is no key of an act: 1 to 64 letters, digits, dots, hyphens and underscores")]
    KeyForm(String),
    /// A key that was used for something else.
    #[error("the key {0} was used for another act: choose a new one")]
    KeyReused(String),
    /// What was to change in the same commit had been changed before.
    #[error("what was to change together with this release was changed before: look at it again")]
    Changed,
    /// The program ends.
    #[error("the release was broken off; repeated with the same key, it says what was done")]
    BrokenOff,
    /// The header is not valid.
    #[error("the record is not valid: {0}")]
    Record(#[from] record::RecordError),
    /// Sealing failed.
    #[error("the record cannot be sealed: {0}")]
    Seal(String),
    /// What stands before it cannot be read.
    #[error("what stands before it cannot be read in the index: {0}")]
    Index(#[from] crate::index::IndexError),
    /// What was to be released could not be decided.
    #[error("{0}")]
    Plan(Fault),
    /// The error of a batch of several callers.
    #[error(transparent)]
    Together(Arc<ReleaseError>),
    /// What the layers below answer.
    #[error(transparent)]
    Underlying(crate::fault::Underlying),
}

crate::fault::stands_on_underlying!(ReleaseError);

impl Coded for ReleaseError {
    fn code(&self) -> &str {
        match self {
            Self::Replay => "release-replay",
            Self::ExpiringPublic => "release-expiring-public",
            Self::Expired(_) => "release-expired",
            Self::ExpiringLater => "release-expiring-later",
            Self::UnknownReader(_) => "release-unknown-reader",
            Self::NoRecipient(_) => "release-no-recipient",
            Self::Waits { .. } => "release-waits",
            Self::Year { .. } => "release-year",
            Self::NoSuccessor { .. } => "release-no-successor",
            Self::NotClosed { .. } => "log-key-revoked",
            Self::UnknownThing(_) => "id-unknown",
            Self::Withdrawn(_) => "release-withdrawn",
            Self::ThingFull(_) => "release-thing-full",
            Self::OtherStatus { .. } => "release-other-status",
            Self::EditionReaders { .. } => "release-edition-readers",
            Self::EditionPublic { .. } => "release-edition-public",
            Self::NeverPublic(_) => "release-never-public",
            Self::NamesSealed(_) => "release-names-sealed",
            Self::SealedLine(_) => "release-sealed-line",
            Self::BlobTooLarge { .. } => "release-blob-too-large",
            Self::InnerTooLarge { .. } => "release-inner-too-large",
            Self::ExpiresBefore(_) => "release-expires-before",
            Self::NotAgain { .. } => "release-not-again",
            Self::KeyForm(_) => "release-key-form",
            Self::KeyReused(_) => "release-key-reused",
            Self::Changed => "release-changed",
            Self::BrokenOff => "release-broken-off",
            Self::Record(error) => error.code(),
            Self::Seal(_) => "release-seal",
            Self::Index(_) => "release-index",
            Self::Plan(fault) => &fault.code,
            Self::Together(error) => error.code(),
            Self::Underlying(error) => error.code(),
        }
    }

    fn arguments(&self) -> Vec<(&str, String)> {
        match self {
            Self::Replay | Self::ExpiringPublic | Self::ExpiringLater | Self::Changed | Self::BrokenOff => {
                Vec::new()
            }
            Self::Expired(day) => vec![("day", day.to_string())],
            Self::UnknownReader(authority) => vec![("authority", authority.to_string())],
            Self::NoRecipient(why) | Self::Seal(why) => vec![("reason", why.clone())],
            Self::Waits { origin, why } => vec![("origin", origin.to_string()), ("reason", why.clone())],
            Self::Year { ours, theirs } => vec![("ours", ours.to_string()), ("theirs", theirs.to_string())],
            Self::NoSuccessor { origin, why } => {
                vec![("origin", origin.to_string()), ("reason", (*why).to_owned())]
            }
            Self::NotClosed { origin } => vec![("origin", origin.to_string())],
            Self::UnknownThing(id) | Self::Withdrawn(id) | Self::ThingFull(id) => {
                vec![("id", id.to_string())]
            }
            Self::OtherStatus { id, status } => vec![("id", id.to_string()), ("status", status.to_string())],
            Self::EditionReaders { id, edition, name, readers } => vec![
                ("id", id.to_string()),
                ("edition", edition.to_string()),
                ("name", name.clone()),
                ("readers", readers.clone()),
            ],
            Self::EditionPublic { id, edition, name } => {
                vec![("id", id.to_string()), ("edition", edition.to_string()), ("name", name.clone())]
            }
            Self::BlobTooLarge { bytes, limit } | Self::InnerTooLarge { bytes, limit } => {
                vec![("bytes", bytes.to_string()), ("limit", limit.to_string())]
            }
            Self::NotAgain { name, why } => vec![("name", name.clone()), ("reason", (*why).to_owned())],
            Self::KeyForm(key) | Self::KeyReused(key) => vec![("key", key.clone())],
            Self::NeverPublic(kind) => vec![("kind", kind.clone())],
            Self::NamesSealed(name) => vec![("name", name.clone())],
            Self::SealedLine(line) => vec![("line", line.clone())],
            Self::ExpiresBefore(until) => vec![("until", until.clone())],
            Self::Index(why) => vec![("reason", why.to_string())],
            Self::Record(error) => error.arguments(),
            Self::Plan(fault) => {
                fault.arguments.iter().map(|(name, value)| (name.as_str(), value.clone())).collect()
            }
            Self::Together(error) => error.arguments(),
            Self::Underlying(error) => error.arguments(),
        }
    }
}
