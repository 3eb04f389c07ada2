//! Release: the act that turns content into a record, signs it and appends it to one of this authority's logs.
//!
//! The only place where an author key signs. What is answered has been appended and is on disk. Records for
//! a fixed set of readers are sealed here; their plaintext is never written down.

mod logs;

pub use logs::Closed;

use record::root::{Role, TrustRoot};
use record::{
    Anchor, Authority, BlobRef, Date, Header, Lang, Line, MechanismId, MediaType, Origin, Record, Ref,
    Relation, Status, Time, TimeOrDate, Ulid, Use, kind,
};
use serde::{Deserialize, Serialize};
use tlog::hash::{Hash, sha256};
use tlog::key::Signer;

use crate::clock;
use crate::fault::Coded;
use crate::identity::random;
use crate::node::Node;
use crate::own_log::{self, Audience, OwnLog};

/// Content of a record, before it is signed.
#[derive(Clone)]
pub struct Content {
    /// Media type.
    pub media_type: MediaType,
    /// Language, if it has one.
    pub lang: Option<Lang>,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Content({}, {} bytes)", self.media_type, self.bytes.len())
    }
}

/// A record to be released.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Its kind.
    pub kind: String,
    /// The thing of which it is an edition; a new one if absent.
    pub id: Option<Ulid>,
    /// Edition, from 1.
    pub edition: u32,
    /// The name of the edition before.
    pub supersedes: Option<Hash>,
    /// A time to claim; the clock's if absent. Only exercises and tests may claim another.
    pub released: Option<Time>,
    /// Real or not.
    pub status: Status,
    /// In whose frame.
    pub mechanism: Option<MechanismId>,
    /// Times the author claims.
    pub about: Vec<(String, TimeOrDate)>,
    /// What readers may do with it.
    pub usage: Option<Use>,
    /// References.
    pub refs: Vec<Ref>,
    /// Content.
    pub contents: Vec<Content>,
    /// Personal data: destroyed on this day.
    pub expires: Option<Date>,
    /// The kind's own lines.
    pub own: Vec<Line>,
}

impl Draft {
    /// A first edition without content.
    pub fn new(kind: &str, status: Status) -> Self {
        Self {
            kind: kind.to_owned(),
            id: None,
            edition: 1,
            supersedes: None,
            released: None,
            status,
            mechanism: None,
            about: Vec::new(),
            usage: None,
            refs: Vec::new(),
            contents: Vec::new(),
            expires: None,
            own: Vec::new(),
        }
    }
}

/// A released record.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Released {
    /// Its name, hex.
    pub name: String,
    /// The log.
    pub origin: Origin,
    /// Its place there.
    pub index: u64,
    /// Its id.
    pub id: Ulid,
    /// Its kind.
    pub kind: String,
}

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
    /// The log needs no successor, or can have none.
    #[error("{origin} gets no successor: {why}")]
    NoSuccessor {
        /// The log.
        origin: Origin,
        /// Why not, and what would be right.
        why: &'static str,
    },
    /// The header is not valid.
    #[error("the record is not valid: {0}")]
    Record(#[from] record::RecordError),
    /// Sealing failed.
    #[error("the record cannot be sealed: {0}")]
    Seal(String),
    /// The index did not follow; the record is released all the same.
    #[error("released, but the index could not take it: {0}; run `concord rebuild`")]
    Index(#[from] crate::index::IndexError),
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
            Self::NoSuccessor { .. } => "release-no-successor",
            Self::Record(error) => error.code(),
            Self::Seal(_) => "release-seal",
            Self::Index(_) => "release-index",
            Self::Underlying(error) => error.code(),
        }
    }

    fn arguments(&self) -> Vec<(&str, String)> {
        match self {
            Self::Record(error) => error.arguments(),
            Self::Underlying(error) => error.arguments(),
            Self::Expired(day) => vec![("day", day.to_string())],
            Self::Replay | Self::ExpiringPublic | Self::ExpiringLater => Vec::new(),
            Self::UnknownReader(authority) => vec![("authority", authority.to_string())],
            Self::NoRecipient(why) | Self::Seal(why) => vec![("reason", why.clone())],
            Self::Waits { origin, why } => vec![("origin", origin.to_string()), ("reason", why.clone())],
            Self::NoSuccessor { origin, why } => {
                vec![("origin", origin.to_string()), ("reason", (*why).to_owned())]
            }
            Self::Index(why) => vec![("reason", why.to_string())],
        }
    }
}

/// An entry that is ready to be appended.
struct Entry {
    bytes: Vec<u8>,
    released: Option<(Hash, Ulid, String)>,
}

impl Node {
    /// Releases `drafts` to one audience, in order, as one append: all of them or none.
    pub async fn release(
        &self,
        audience: &Audience,
        drafts: Vec<Draft>,
    ) -> Result<Vec<Released>, ReleaseError> {
        let one_at_a_time = self.releasing.lock().await;
        for draft in &drafts {
            self.check_draft(audience, draft)?;
        }
        let mut log = self.log_for(audience).await?;
        self.may_sign(&log.origin).await?;
        let mut entries = self.opening_entries(&mut log, audience).await?;
        let anchors = self.anchors().await;
        for draft in drafts {
            entries.push(self.prepare(&log, audience, draft, &anchors).await?);
        }
        let appended = self.append(&log, &entries).await?;
        own_log::save(&*self.cells, &log).await?;
        drop(one_at_a_time);
        let released = entries
            .into_iter()
            .zip(appended.first..)
            .filter_map(|(entry, index)| {
                let (name, id, kind) = entry.released?;
                Some(Released { name: name.to_hex(), origin: log.origin.clone(), index, id, kind })
            })
            .collect();
        self.own_log_grew(&log, &appended).await?;
        Ok(released)
    }

    fn check_draft(&self, audience: &Audience, draft: &Draft) -> Result<(), ReleaseError> {
        if draft.released.is_some() && (draft.status == Status::Actual || !self.config.exchange.replay) {
            return Err(ReleaseError::Replay);
        }
        if draft.expires.is_some() && *audience == Audience::Public {
            return Err(ReleaseError::ExpiringPublic);
        }
        if let Some(day) = draft.expires {
            let now = clock::now();
            if draft.released.is_some_and(|claimed| claimed > now) {
                return Err(ReleaseError::ExpiringLater);
            }
            if day.start() <= now {
                return Err(ReleaseError::Expired(day));
            }
        }
        Ok(())
    }

    async fn prepare(
        &self,
        log: &OwnLog,
        audience: &Audience,
        draft: Draft,
        anchors: &[Anchor],
    ) -> Result<Entry, ReleaseError> {
        let id = match draft.id {
            Some(id) => id,
            None => Self::new_id()?,
        };
        let kind = draft.kind.clone();
        let header = Header {
            author: self.config.authority.clone(),
            log: log.origin.clone(),
            kind: draft.kind,
            id,
            edition: draft.edition,
            supersedes: draft.supersedes,
            released: draft.released.unwrap_or_else(clock::now),
            status: draft.status,
            mechanism: draft.mechanism,
            about: draft.about,
            usage: draft.usage,
            refs: draft.refs,
            // An exercise that replays the past claims times long before what could be quoted now.
            anchors: if draft.released.is_none() { anchors.to_vec() } else { Vec::new() },
            blobs: draft
                .contents
                .iter()
                .map(|c| BlobRef {
                    media_type: c.media_type.clone(),
                    size: c.bytes.len() as u64,
                    sha256: sha256(&c.bytes),
                    lang: c.lang.clone(),
                })
                .collect(),
            expires: draft.expires,
            own: draft.own,
        };
        let record = match audience {
            Audience::Public => {
                for content in draft.contents {
                    self.put_blob(sha256(&content.bytes), content.bytes).await?;
                }
                self.sign(&header)?
            }
            Audience::Readers(readers) => {
                let plaintexts: Vec<Vec<u8>> = draft.contents.into_iter().map(|c| c.bytes).collect();
                self.seal(header, &plaintexts, readers.iter()).await?
            }
        };
        Ok(Entry { released: Some((record.name(), id, kind)), bytes: record.bytes })
    }

    /// Seals to the recipients in force of every reader and signs the outer header.
    async fn seal(
        &self,
        inner: Header,
        plaintexts: &[Vec<u8>],
        readers: impl Iterator<Item = &Authority>,
    ) -> Result<Record, ReleaseError> {
        let now = clock::now();
        let expiring = inner.expires.is_some();
        let mut roots = Vec::new();
        for reader in readers {
            roots.push(self.root_of(reader).ok_or_else(|| ReleaseError::UnknownReader(reader.clone()))?);
        }
        let recipients = record::seal::Recipients::of_readers(&roots, now, expiring)
            .map_err(|why| ReleaseError::NoRecipient(why.to_string()))?;
        for reader in recipients.outdated() {
            tracing::warn!(%reader, "no recipient of this reader is in force: sealed to its latest one");
        }
        let parts = record::seal::OuterParts {
            log: inner.log.clone(),
            id: Self::new_id()?,
            released: now.max(inner.released),
        };
        let inner = record::seal::Inner { header: inner, salt: random()? };
        let plaintexts: Vec<&[u8]> = plaintexts.iter().map(Vec::as_slice).collect();
        let sealed = record::seal::seal(&inner, &plaintexts, &recipients, &parts)
            .map_err(|e| ReleaseError::Seal(e.to_string()))?;
        for blob in sealed.blobs {
            self.put_blob_of(&blob).await?;
        }
        self.sign(&sealed.outer)
    }

    fn sign(&self, header: &Header) -> Result<Record, ReleaseError> {
        let chain = self.own_chain();
        let signer = self.identity().signer(Role::Author, chain.latest())?;
        Ok(Record::sign(header, &[&signer as &dyn Signer])?)
    }

    async fn append(&self, log: &OwnLog, entries: &[Entry]) -> Result<store::Appended, ReleaseError> {
        let chain = self.own_chain();
        let origin = log.origin.to_string();
        let signer = self.identity().key(Role::Log, chain.latest())?.signer_named(&origin)?;
        let bytes: Vec<Vec<u8>> = entries.iter().map(|e| e.bytes.clone()).collect();
        Ok(self.writer.append(&origin, &federate::places::own(&log.origin), bytes, &signer).await?)
    }

    fn new_id() -> Result<Ulid, crate::identity::IdentityError> {
        Ok(Ulid::new(clock::milliseconds(), random()?))
    }

    async fn put_blob_of(&self, bytes: &[u8]) -> Result<Hash, store::FilesError> {
        let hash = sha256(bytes);
        self.put_blob(hash, bytes.to_vec()).await?;
        Ok(hash)
    }

    /// Keeps a blob under its hash.
    pub async fn put_blob(&self, hash: Hash, bytes: Vec<u8>) -> Result<(), store::FilesError> {
        self.files.put_new(&store::layout::blob(&hash), bytes.into()).await.map(|_| ())
    }

    /// The newest root of this authority or of a confirmed peer.
    fn root_of(&self, authority: &Authority) -> Option<TrustRoot> {
        if *authority == self.config.authority {
            return Some(self.own_chain().latest().clone());
        }
        self.confirmed_peer(authority).map(|known| known.chain.latest().clone())
    }
}

fn blob_ref(media_type: &str, size: u64, sha256: Hash) -> BlobRef {
    BlobRef { media_type: media_type.parse().expect("a media type of ours"), size, sha256, lang: None }
}

/// The reference `relation` to a record.
pub fn reference(relation: Relation, author: &Authority, name: Hash) -> Ref {
    Ref { relation, author: author.clone(), name }
}

/// Kinds that only this module and the charter may release.
pub fn is_reserved(kind: &str) -> bool {
    kind::is_log_kind(kind) || kind == kind::SEALED
}
