//! This authority's own logs: one open log per audience, opened with its first record, moved to newer roots.
//!
//! It decides which log a record goes to and which `log.*` entries must come before it. It does not append.

use std::collections::BTreeSet;

use record::{AudienceId, Authority, Origin, Readers};
use serde::{Deserialize, Serialize};
use store::Cells;
use tlog::hash::Hash;

use crate::identity::{IdentityError, random};
use crate::saved::{self, SavedError};

const SPACE: &str = "own-log";

/// Who may read what is released.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// Anybody.
    Public,
    /// These authorities, the author included.
    Readers(BTreeSet<Authority>),
}

impl Audience {
    /// Authorities and the author itself.
    pub fn of(author: &Authority, readers: impl IntoIterator<Item = Authority>) -> Self {
        let mut set: BTreeSet<Authority> = readers.into_iter().collect();
        set.insert(author.clone());
        Self::Readers(set)
    }

    /// As `log.open` states them.
    pub fn readers(&self) -> Readers {
        match self {
            Self::Public => Readers::Public,
            Self::Readers(set) => Readers::Set(set.clone()),
        }
    }
}

/// An own log, as remembered in `state`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnLog {
    /// Its origin.
    pub origin: Origin,
    /// Its readers; `None` is everybody.
    pub readers: Option<BTreeSet<Authority>>,
    /// The root that its last `log.open` or `log.root` names.
    pub root: u64,
    /// SHA-256 of its witness policy, hex.
    pub policy: String,
    /// May entries still be added?
    pub open: bool,
    /// Has the first entry been appended?
    pub started: bool,
    /// The log before: origin, size, root in base64.
    #[serde(default)]
    pub previous: Option<(Origin, u64, String)>,
}

impl OwnLog {
    /// The hash of its policy.
    pub fn policy_hash(&self) -> Option<Hash> {
        Hash::from_hex(&self.policy).ok()
    }

    /// Is it for this audience?
    pub fn serves(&self, audience: &Audience) -> bool {
        match (&self.readers, audience) {
            (None, Audience::Public) => true,
            (Some(mine), Audience::Readers(theirs)) => mine == theirs,
            _ => false,
        }
    }
}

/// Every own log.
pub async fn list(cells: &dyn Cells) -> Result<Vec<OwnLog>, SavedError> {
    Ok(saved::list::<OwnLog>(cells, SPACE, "").await?.into_iter().map(|(_, log)| log).collect())
}

/// Remembers a log.
pub async fn save(cells: &dyn Cells, log: &OwnLog) -> Result<(), SavedError> {
    saved::put(cells, SPACE, &log.origin.to_string(), log).await
}

/// The origin of a new log: a name never used before by this authority.
pub fn new_origin(
    authority: &Authority,
    audience: &Audience,
    year: u16,
    used: &[OwnLog],
) -> Result<Origin, IdentityError> {
    let audience = match audience {
        Audience::Public => AudienceId::Public,
        Audience::Readers(_) => AudienceId::random(random()?),
    };
    let mut origin = Origin { authority: authority.clone(), audience, year, n: None };
    let mut n = 1;
    while used.iter().any(|log| log.origin == origin) {
        n += 1;
        origin.n = Some(n);
    }
    Ok(origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_never_used_twice() {
        let authority: Authority = "moh.chn.example".parse().unwrap();
        let first = new_origin(&authority, &Audience::Public, 2026, &[]).unwrap();
        assert_eq!(first.to_string(), "moh.chn.example/log/public/2026");
        let used = OwnLog {
            origin: first,
            readers: None,
            root: 1,
            policy: String::new(),
            open: false,
            started: true,
            previous: None,
        };
        let second = new_origin(&authority, &Audience::Public, 2026, &[used]).unwrap();
        assert_eq!(second.to_string(), "moh.chn.example/log/public/2026.2");
    }

    #[test]
    fn an_audience_is_its_set_of_readers_and_nothing_else() {
        let me: Authority = "a.example".parse().unwrap();
        let other: Authority = "b.example".parse().unwrap();
        let audience = Audience::of(&me, [other.clone()]);
        assert_eq!(audience, Audience::of(&me, [other, me.clone()]));
    }
}
