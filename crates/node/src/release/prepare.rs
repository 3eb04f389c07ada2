//! From what is to be said to a signed entry. The only place where an author key signs.
//!
//! Records for a fixed set of readers are sealed here; their plaintext is never written down.

use std::collections::BTreeMap;
use std::sync::Arc;

use record::root::Role;
use record::seal::{Inner, Opened, OuterParts, Recipients, Sealed};
use record::{
    Anchor, Authority, BlobRef, Header, MAX_BLOB, MAX_INNER_BLOB, Record, Status, Time, Ulid, kind,
};
use tlog::hash::{Hash, sha256};
use tlog::key::Signer;

use super::act::Planned;
use super::editions::Before;
use super::{Draft, ReleaseError, Thing};
use crate::clock;
use crate::identity::random;
use crate::index::IndexError;
use crate::node::Node;
use crate::own_log::{Audience, OwnLog};

/// An entry that is ready to be appended.
pub(super) struct Entry {
    pub(super) bytes: Vec<u8>,
    pub(super) name: Hash,
    pub(super) id: Ulid,
    pub(super) kind: String,
}

impl Entry {
    fn new(record: Record, id: Ulid, kind: String) -> Self {
        Self { name: record.name(), bytes: record.bytes, id, kind }
    }
}

/// Blobs of a commit, which are on the disk before it.
#[derive(Default)]
pub(super) struct Blobs(BTreeMap<Hash, Vec<u8>>);

impl Blobs {
    /// Takes one, under its hash.
    pub(super) fn add(&mut self, bytes: Vec<u8>) -> Result<Hash, ReleaseError> {
        if bytes.len() as u64 > MAX_BLOB {
            return Err(ReleaseError::BlobTooLarge { bytes: bytes.len() as u64, limit: MAX_BLOB });
        }
        let hash = sha256(&bytes);
        self.0.insert(hash, bytes);
        Ok(hash)
    }
}

/// The newest edition of each thing that the act itself releases.
type Newest = BTreeMap<Ulid, Before>;

impl Node {
    /// Refuses what no record can be, before anything is looked up.
    pub(super) fn check_draft(&self, audience: &Audience, draft: &Draft) -> Result<(), ReleaseError> {
        if draft.released.is_some() && (draft.status == Status::Actual || !self.config.exchange.replay) {
            return Err(ReleaseError::Replay);
        }
        if let Some(line) = draft.own.iter().find(|line| matches!(line.key(), "salt" | "commit")) {
            return Err(ReleaseError::SealedLine(line.key().to_owned()));
        }
        if *audience == Audience::Public {
            if draft.expires.is_some() {
                return Err(ReleaseError::ExpiringPublic);
            }
            if draft.kind == kind::UNREAD || draft.kind.starts_with("disclosure.") {
                return Err(ReleaseError::NeverPublic(draft.kind.clone()));
            }
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
        match draft.contents.iter().map(|content| content.bytes.len() as u64).max() {
            Some(bytes) if bytes > MAX_BLOB => Err(ReleaseError::BlobTooLarge { bytes, limit: MAX_BLOB }),
            _ => Ok(()),
        }
    }

    /// Refuses to name in public what is known here as sealed only.
    pub(super) async fn check_names(&self, audience: &Audience, draft: &Draft) -> Result<(), ReleaseError> {
        if *audience != Audience::Public {
            return Ok(());
        }
        for named in &draft.refs {
            self.check_not_sealed(&named.author, &named.name).await?;
        }
        Ok(())
    }

    /// Refuses to make a sealed record public whose header names what stays sealed: its mechanism, the edition before it, or
    /// what it refers to.
    ///
    /// # Errors
    /// It names such a record; the index cannot be read.
    pub async fn check_published_names(&self, header: &Header) -> Result<(), ReleaseError> {
        if let Some(mechanism) = &header.mechanism {
            // Charters are sealed, and so is that there is such a mechanism.
            return Err(ReleaseError::NamesSealed(mechanism.to_string()));
        }
        if let Some(before) = &header.supersedes {
            self.check_not_sealed(&header.author, before).await?;
        }
        for named in &header.refs {
            self.check_not_sealed(&named.author, &named.name).await?;
        }
        Ok(())
    }

    async fn check_not_sealed(&self, author: &Authority, name: &Hash) -> Result<(), ReleaseError> {
        let sql = "select max(case when l.audience = 'public' then 1 else 0 end) from entry e
                   join log l on l.origin = e.origin where e.author = $1 and e.name = $2 and e.valid = 1";
        let values = [author.as_str().into(), name.to_hex().into()];
        let rows = self.index.db().rows(sql, &values).await.map_err(IndexError::from)?;
        let is_public = rows.first().map(|row| row.opt_int(0)).transpose().map_err(IndexError::from)?;
        if is_public.flatten() == Some(0) {
            return Err(ReleaseError::NamesSealed(name.to_hex()));
        }
        Ok(())
    }

    /// The signed entries of one act, in order.
    pub(super) async fn prepare(
        &self,
        log: &OwnLog,
        planned: Planned,
        anchors: &[Anchor],
        blobs: &mut Blobs,
    ) -> Result<Vec<Entry>, ReleaseError> {
        let mut entries = Vec::new();
        let mut newest = Newest::new();
        for draft in planned.drafts {
            let (entry, before_next) = self.prepare_draft(log, draft, anchors, &newest, blobs).await?;
            newest.insert(entry.id, before_next);
            entries.push(entry);
        }
        for opened in planned.again {
            entries.push(self.prepare_again(log, &opened, blobs)?);
        }
        Ok(entries)
    }

    async fn prepare_draft(
        &self,
        log: &OwnLog,
        mut draft: Draft,
        anchors: &[Anchor],
        newest: &Newest,
        blobs: &mut Blobs,
    ) -> Result<(Entry, Before), ReleaseError> {
        let (id, edition, supersedes, places) = match draft.thing {
            Thing::New => (Self::new_id()?, 1, None, 1),
            Thing::Replaces(name) => (Self::new_id()?, 1, name, 1),
            Thing::NextOf(id) => {
                let before = match newest.get(&id) {
                    Some(released_with_it) => *released_with_it,
                    None => self.edition_before(id, draft.status, &log.audience()).await?,
                };
                before.check_expires(draft.expires)?;
                before.check_room(id)?;
                (id, before.edition + 1, Some(before.name), before.places + 1)
            }
        };
        let (claimed, expires) = (draft.released, draft.expires);
        let contents = std::mem::take(&mut draft.contents);
        let header = Header {
            author: self.config.authority.clone(),
            log: log.origin.clone(),
            kind: draft.kind,
            id,
            edition,
            supersedes,
            released: claimed.unwrap_or_else(clock::now),
            status: draft.status,
            mechanism: draft.mechanism,
            about: draft.about,
            usage: draft.usage,
            refs: draft.refs,
            // An exercise that replays the past claims times long before what could be quoted now.
            anchors: if claimed.is_none() { anchors.to_vec() } else { Vec::new() },
            blobs: contents
                .iter()
                .map(|content| BlobRef {
                    media_type: content.media_type.clone(),
                    size: content.bytes.len() as u64,
                    sha256: sha256(&content.bytes),
                    lang: content.lang.clone(),
                })
                .collect(),
            expires,
            own: draft.own,
        };
        let kind = header.kind.clone();
        let record = match log.audience() {
            Audience::Public => {
                for content in contents {
                    blobs.add(content.bytes)?;
                }
                self.sign(&header)?
            }
            Audience::Readers(_) => {
                let plaintexts: Vec<Vec<u8>> = contents.into_iter().map(|content| content.bytes).collect();
                self.seal(log, header, claimed, &plaintexts, blobs)?
            }
        };
        let entry = Entry::new(record, id, kind);
        let before_next = Before { edition, name: entry.name, expires, places };
        Ok((entry, before_next))
    }

    /// Seals to the recipients in force of every reader and signs the outer header.
    fn seal(
        &self,
        log: &OwnLog,
        inner: Header,
        claimed: Option<Time>,
        plaintexts: &[Vec<u8>],
        blobs: &mut Blobs,
    ) -> Result<Record, ReleaseError> {
        let now = clock::now();
        let recipients = self.recipients(log, &inner)?;
        // A lasting record of a replayed exercise claims one time in both headers, as the time of an entry is that
        // of its outer one. What expires is released now, whatever it says: keys are chosen by it.
        let released = match claimed {
            Some(claimed) if inner.expires.is_none() => claimed,
            _ => now.max(inner.released),
        };
        let parts = OuterParts { log: log.origin.clone(), id: Self::new_id()?, released };
        let inner = Inner { header: inner, salt: random()? };
        let plaintexts: Vec<&[u8]> = plaintexts.iter().map(Vec::as_slice).collect();
        let sealed = record::seal::seal(&inner, &plaintexts, &recipients, &parts)
            .map_err(|why| ReleaseError::Seal(why.to_string()))?;
        self.sign_sealed(sealed, blobs)
    }

    /// A record released before gets one more place: sealed to the readers of another log, or clear in a public one.
    fn prepare_again(&self, log: &OwnLog, opened: &Opened, blobs: &mut Blobs) -> Result<Entry, ReleaseError> {
        let inner = &opened.inner.header;
        let released = clock::now().max(inner.released);
        let parts = OuterParts { log: log.origin.clone(), id: Self::new_id()?, released };
        let sealed = match log.audience() {
            Audience::Public => record::seal::publish(opened, &[], &parts),
            Audience::Readers(_) => {
                let recipients = self.recipients(log, inner)?;
                record::seal::release_again(opened, &[], &recipients, &parts)
            }
        };
        let sealed = sealed.map_err(|why| ReleaseError::Seal(why.to_string()))?;
        let record = self.sign_sealed(sealed, blobs)?;
        Ok(Entry::new(record, inner.id, inner.kind.clone()))
    }

    fn sign_sealed(&self, sealed: Sealed, blobs: &mut Blobs) -> Result<Record, ReleaseError> {
        let first = sealed.blobs.first().map_or(0, |blob| blob.len() as u64);
        if first > MAX_INNER_BLOB {
            return Err(ReleaseError::InnerTooLarge { bytes: first, limit: MAX_INNER_BLOB });
        }
        for blob in sealed.blobs {
            blobs.add(blob)?;
        }
        self.sign(&sealed.outer)
    }

    /// The recipients of every reader of a log. What ends a record goes to whoever was given it, also to somebody who is no
    /// peer any more: the others must not go without it, and who was removed fetches nothing.
    fn recipients(&self, log: &OwnLog, inner: &Header) -> Result<Recipients, ReleaseError> {
        let ends = [kind::WITHDRAWAL, kind::ERASURE].contains(&inner.kind.as_str());
        let mut roots = Vec::new();
        for reader in log.readers.iter().flatten() {
            let chain = if ends || *reader == self.config.authority {
                self.chain_of(reader)
            } else {
                self.confirmed_peer(reader).map(|known| Arc::new(known.chain))
            };
            let chain = chain.ok_or_else(|| ReleaseError::UnknownReader(reader.clone()))?;
            roots.push(chain.latest().clone());
        }
        let recipients = Recipients::of_readers(&roots, clock::now(), inner.expires.is_some())
            .map_err(|why| ReleaseError::NoRecipient(why.to_string()))?;
        for reader in recipients.outdated() {
            tracing::warn!(%reader, "no recipient of this reader is in force: sealed to its latest one");
        }
        Ok(recipients)
    }

    pub(super) fn sign(&self, header: &Header) -> Result<Record, ReleaseError> {
        let chain = self.own_chain();
        let signer = self.identity().signer(Role::Author, chain.latest())?;
        Ok(Record::sign(header, &[&signer as &dyn Signer])?)
    }

    pub(super) fn new_id() -> Result<Ulid, crate::identity::IdentityError> {
        Ok(Ulid::new(clock::milliseconds(), random()?))
    }

    /// Keeps blobs under their hashes; what is there already stays.
    pub(super) async fn put_blobs(&self, blobs: Blobs) -> Result<(), store::FilesError> {
        let (mut new, mut hashes) = (Vec::new(), Vec::new());
        for (hash, bytes) in blobs.0 {
            let path = store::layout::blob(&hash);
            if self.files.size(&path).await? != Some(bytes.len() as u64) {
                new.push((path, bytes.into()));
                hashes.push(hash);
            }
        }
        if !new.is_empty() {
            self.files.put_all(new).await?;
            self.releasing.wrote(&hashes);
        }
        Ok(())
    }
}
