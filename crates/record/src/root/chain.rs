//! The chain of one authority's trust roots. A root is taken only if the version before announced its keys:
//! whoever steals today's keys cannot rotate. The chain never forgets a root and never chooses between two.

use std::collections::{BTreeMap, HashSet};

use tlog::{Check, Hash, VerifierKey, sha256};

use super::{Role, RootError, SignedRoot, TrustRoot, announced, under_origin};
use crate::encoding::{Authority, Fingerprint, Time};
use crate::origin::Origin;

/// The roots 1, 2, ... of one authority, each verified against the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootChain {
    /// Never empty.
    roots: Vec<Link>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Link {
    signed: SignedRoot,
    text_hash: Hash,
}

/// What [`RootChain::extend`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Extended {
    /// The root is the newest one now.
    Taken,
    /// Its text is in the chain already.
    Known,
}

impl RootChain {
    /// Begins a chain with a root 1 whose fingerprint two operators compared.
    ///
    /// # Errors
    /// It is no root 1, has another fingerprint, or is not signed by its threshold.
    pub fn pin(first: &[u8], fingerprint: &Fingerprint) -> Result<Self, RootError> {
        let chain = Self::accept_first(first)?;
        let found = chain.fingerprint();
        if found == *fingerprint {
            Ok(chain)
        } else {
            Err(RootError::Fingerprint { found, wanted: *fingerprint })
        }
    }

    /// Begins a chain with a root 1 that nobody compared yet: a proposal only.
    ///
    /// # Errors
    /// It is no root 1, or is not signed by its threshold.
    pub fn accept_first(first: &[u8]) -> Result<Self, RootError> {
        let link = Link::parse(first)?;
        if link.root().version != 1 {
            return Err(RootError::NotFirst { version: link.root().version });
        }
        link.check_signatures()?;
        Ok(Self { roots: vec![link] })
    }

    /// Takes the next root, or says that it is known.
    ///
    /// # Errors
    /// The root breaks a rule of `docs/protocol.md` section 1. [`RootError::Fork`] is an alarm: another root of
    /// a version in the chain is rightly signed; the chain keeps the first seen.
    pub fn extend(&mut self, next: &[u8]) -> Result<Extended, RootError> {
        let link = Link::parse(next)?;
        let version = link.root().version;
        if let Some(kept) = self.link(version) {
            return self.compare(kept, &link);
        }
        let last = self.last();
        if version != last.root().version + 1 {
            return Err(RootError::Version { found: version, wanted: last.root().version + 1 });
        }
        link.check_follows(last)?;
        self.roots.push(link);
        Ok(Extended::Taken)
    }

    /// A root of a version that the chain has: the same, refused, or an alarm.
    fn compare(&self, kept: &Link, offered: &Link) -> Result<Extended, RootError> {
        if kept.text_hash == offered.text_hash {
            return Ok(Extended::Known);
        }
        let version = kept.root().version;
        match self.link(version - 1) {
            Some(before) => offered.check_follows(before)?,
            None if kept.root().authority != offered.root().authority => {
                return Err(offered.of_another(kept));
            }
            None => offered.check_signatures()?,
        }
        Err(RootError::Fork { version, kept: kept.text_hash, found: offered.text_hash })
    }

    /// Whose chain it is.
    pub fn authority(&self) -> &Authority {
        &self.first().root().authority
    }

    /// The fingerprint by which the authority is pinned.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint(self.first().text_hash.0)
    }

    /// The root of a version.
    pub fn at(&self, version: u64) -> Option<&TrustRoot> {
        self.link(version).map(Link::root)
    }

    /// The newest root.
    pub fn latest(&self) -> &TrustRoot {
        self.last().root()
    }

    /// The bytes of a root, as they were taken.
    pub fn bytes(&self, version: u64) -> Option<&[u8]> {
        self.link(version).map(|link| link.signed.bytes.as_slice())
    }

    /// SHA-256 of a root's text: what `log.open` and `log.root` name.
    pub fn text_hash(&self, version: u64) -> Option<Hash> {
        self.link(version).map(|link| link.text_hash)
    }

    /// All roots, oldest first.
    pub fn roots(&self) -> impl Iterator<Item = &SignedRoot> {
        self.roots.iter().map(|link| &link.signed)
    }

    /// The time from which a key counts no more, if any root of the chain revokes its public key with a time
    /// that is not after `at`.
    pub fn is_revoked(&self, key: &VerifierKey, at: Time) -> Option<Time> {
        self.revocation(key).filter(|time| *time <= at)
    }

    /// The earliest time at which any root of the chain revokes the public key.
    pub fn revocation(&self, key: &VerifierKey) -> Option<Time> {
        self.revoked_up_to(u64::MAX).filter(|(k, _)| k.public() == key.public()).map(|(_, time)| *time).min()
    }

    /// The first version that revokes the public key.
    pub fn revoked_by(&self, key: &VerifierKey) -> Option<u64> {
        let revokes = |link: &&Link| link.root().revoked.iter().any(|(k, _)| k.public() == key.public());
        self.roots.iter().find(revokes).map(|link| link.root().version)
    }

    /// Every public key that the chain revokes, with the earliest time of it and the first version that says so.
    pub fn revoked_keys(&self) -> BTreeMap<[u8; 32], (Time, u64)> {
        let mut revoked: BTreeMap<[u8; 32], (Time, u64)> = BTreeMap::new();
        for root in self.roots.iter().map(Link::root) {
            for (key, time) in &root.revoked {
                let (since, _) = revoked.entry(*key.public()).or_insert((*time, root.version));
                *since = (*since).min(*time);
            }
        }
        revoked
    }

    /// The `log` keys of a version under the name that they have in checkpoints of `origin`, without those that
    /// this version or an earlier one revokes. What later versions revoke is the caller's to ask.
    pub fn log_keys(&self, version: u64, origin: &Origin) -> Vec<VerifierKey> {
        let keys = self.at(version).into_iter().flat_map(|root| root.keys_of(Role::Log));
        keys.filter(|key| !self.revoked_before(version, &key.vkey))
            .filter_map(|key| under_origin(&key.vkey, origin))
            .collect()
    }

    /// Whether a version, or one before it, revokes the public key.
    pub(crate) fn revoked_before(&self, version: u64, key: &VerifierKey) -> bool {
        self.revoked_up_to(version).any(|(revoked, _)| revoked.public() == key.public())
    }

    fn revoked_up_to(&self, version: u64) -> impl Iterator<Item = &(VerifierKey, Time)> {
        let roots = self.roots.iter().map(Link::root);
        roots.take_while(move |root| root.version <= version).flat_map(|root| &root.revoked)
    }

    fn link(&self, version: u64) -> Option<&Link> {
        self.roots.get(usize::try_from(version.checked_sub(1)?).ok()?)
    }

    fn first(&self) -> &Link {
        self.roots.first().expect("a chain begins with a root")
    }

    fn last(&self) -> &Link {
        self.roots.last().expect("a chain begins with a root")
    }
}

impl Link {
    fn parse(bytes: &[u8]) -> Result<Self, RootError> {
        let signed = SignedRoot::parse(bytes)?;
        let text_hash = sha256(signed.note.text.as_bytes());
        Ok(Self { signed, text_hash })
    }

    fn root(&self) -> &TrustRoot {
        &self.signed.root
    }

    fn of_another(&self, kept: &Self) -> RootError {
        let (found, wanted) = (self.root().authority.clone(), kept.root().authority.clone());
        RootError::Authority { found, wanted }
    }

    /// The rules between a root and the one before it.
    fn check_follows(&self, before: &Self) -> Result<(), RootError> {
        let (root, last) = (self.root(), before.root());
        if root.authority != last.authority {
            return Err(self.of_another(before));
        }
        if root.previous != Some(before.text_hash) {
            return Err(RootError::PreviousHash { version: root.version });
        }
        let (threshold, hashes) = last.next.as_ref().ok_or(RootError::NoNext { version: last.version })?;
        if root.threshold != *threshold {
            return Err(RootError::ThresholdChanged { found: root.threshold, wanted: *threshold });
        }
        if let Some(key) = root.roots.iter().find(|key| !hashes.contains(&announced(key))) {
            return Err(RootError::NotAnnounced { name: key.name().to_owned() });
        }
        self.check_signatures()
    }

    /// That as many different root keys of this root signed as its threshold says, and none wrongly.
    fn check_signatures(&self) -> Result<(), RootError> {
        let mut signed = HashSet::new();
        for key in &self.root().roots {
            match self.signed.note.check(key) {
                Check::Valid => drop(signed.insert(key.public())),
                Check::Absent => (),
                Check::Failed => return Err(RootError::BadSignature { name: key.name().to_owned() }),
            }
        }
        let (signed, wanted) = (u32::try_from(signed.len()).unwrap_or(u32::MAX), self.root().threshold);
        if signed >= wanted { Ok(()) } else { Err(RootError::Signatures { signed, wanted }) }
    }
}
