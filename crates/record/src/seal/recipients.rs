//! To whom a record is sealed: the age recipients in force of every reader (protocol section 2).
//! Personal data go only to expiring recipients, everything else only to lasting ones.

use std::collections::BTreeSet;

use age::x25519;

use super::age_file;
use super::error::RecipientError;
use crate::encoding::{Authority, Time};
use crate::root::{AgeRecipient, MAX_EXPIRING_DAYS, TrustRoot};

/// The recipients of one reader at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InForce {
    /// `age1...`, without repetition.
    pub recipients: BTreeSet<String>,
    /// None was in force, so the latest one is used: to be shown as a warning.
    pub outdated: bool,
}

/// The recipients of a reader that are in force at a time. For lasting records the latest one stands in where
/// none is in force; for personal data (`expiring`) nothing does.
///
/// # Errors
/// There is none to seal to.
pub fn recipients_in_force(root: &TrustRoot, at: Time, expiring: bool) -> Result<InForce, RecipientError> {
    let authority = || root.authority.clone();
    let listed = || root.age.iter().filter(|recipient| recipient.expiring == expiring);
    let in_force = |recipient: &&AgeRecipient| {
        let short = recipient.until <= recipient.from.saturating_add(MAX_EXPIRING_DAYS * 86_400);
        recipient.from <= at && at < recipient.until && (short || !expiring)
    };
    let recipients: BTreeSet<String> = listed().filter(in_force).map(|r| r.recipient.clone()).collect();
    if !recipients.is_empty() {
        return Ok(InForce { recipients, outdated: false });
    }
    if expiring {
        return Err(RecipientError::NoneExpiring { authority: authority(), at });
    }
    let latest = listed().max_by_key(|recipient| (recipient.until, recipient.from, &recipient.recipient));
    let latest = latest.ok_or_else(|| RecipientError::NoneLasting { authority: authority() })?;
    Ok(InForce { recipients: BTreeSet::from([latest.recipient.clone()]), outdated: true })
}

/// The recipients of all readers of one record, all expiring or all lasting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipients {
    texts: BTreeSet<String>,
    readers: BTreeSet<Authority>,
    outdated: BTreeSet<Authority>,
    expiring: bool,
}

impl Recipients {
    /// Of every reader, the author included, by the newest root that is known of each.
    ///
    /// # Errors
    /// A reader has none to seal to.
    pub fn of_readers<'r>(
        roots: impl IntoIterator<Item = &'r TrustRoot>,
        at: Time,
        expiring: bool,
    ) -> Result<Self, RecipientError> {
        let empty = BTreeSet::new();
        let mut all = Self { texts: empty, readers: BTreeSet::new(), outdated: BTreeSet::new(), expiring };
        for root in roots {
            let of_reader = recipients_in_force(root, at, expiring)?;
            if let Some(text) = of_reader.recipients.iter().find(|text| age_file::recipient(text).is_none()) {
                let recipient = text.chars().take(80).collect();
                return Err(RecipientError::Malformed { authority: root.authority.clone(), recipient });
            }
            if of_reader.outdated {
                all.outdated.insert(root.authority.clone());
            }
            all.readers.insert(root.authority.clone());
            all.texts.extend(of_reader.recipients);
        }
        Ok(all)
    }

    /// Whether they are for personal data.
    pub fn is_expiring(&self) -> bool {
        self.expiring
    }

    /// Readers of whom none was in force, so that the latest one is used: to be shown as a warning.
    pub fn outdated(&self) -> &BTreeSet<Authority> {
        &self.outdated
    }

    /// Whether an authority is one of the readers.
    pub fn includes(&self, reader: &Authority) -> bool {
        self.readers.contains(reader)
    }

    /// The recipients' texts.
    pub fn texts(&self) -> &BTreeSet<String> {
        &self.texts
    }

    pub(super) fn keys(&self) -> Option<Vec<x25519::Recipient>> {
        let keys: Option<Vec<_>> = self.texts.iter().map(|text| age_file::recipient(text)).collect();
        keys.filter(|keys| !keys.is_empty())
    }
}
