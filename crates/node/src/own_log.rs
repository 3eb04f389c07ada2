//! This authority's own logs: one open log per audience, opened with its first record, moved to newer roots.
//!
//! It decides which log a record goes to and which `log.*` entries must come before it. It does not append.

use std::collections::BTreeSet;

use record::{AudienceId, Authority, LogState, Origin, Readers};
use serde::{Deserialize, Serialize};
use store::{Cells, Swap};
use tlog::Checkpoint;
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

impl From<Readers> for Audience {
    fn from(readers: Readers) -> Self {
        match readers {
            Readers::Public => Self::Public,
            Readers::Set(set) => Self::Readers(set),
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

    /// The log that goes on from this one at a size and root; not yet opened.
    #[must_use]
    pub fn successor(&self, origin: Origin, at: (u64, Hash)) -> Self {
        let previous = Some((self.origin.clone(), at.0, at.1.to_base64()));
        Self { origin, root: 0, started: false, open: true, previous, ..self.clone() }
    }

    /// Who it is for.
    pub fn audience(&self) -> Audience {
        self.readers.clone().map_or(Audience::Public, Audience::Readers)
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

/// The change of `state` by which a log is remembered as it is now; `None` if it is remembered so already. To be
/// committed together with what makes it true.
pub async fn note(cells: &dyn Cells, log: &OwnLog) -> Result<Option<Swap>, SavedError> {
    let key = log.origin.to_string();
    // The bytes that are there, not our own writing of them: an older version may have written them otherwise.
    let old = cells.get(SPACE, &key).await?;
    let new = Some(saved::encode(log));
    Ok((old != new).then(|| Swap::new(SPACE, &key, old, new)))
}

/// The change by which a log whose name was never used is remembered.
pub fn first_note(log: &OwnLog) -> Swap {
    Swap::new(SPACE, &log.origin.to_string(), None, Some(saved::encode(log)))
}

/// Remembers a log that was fetched back, or whose note was lost with an old state.
pub async fn save(cells: &dyn Cells, log: &OwnLog) -> Result<(), SavedError> {
    saved::put(cells, SPACE, &log.origin.to_string(), log).await
}

/// What is to be noted of a log with these entries and this head, and of its successor if it is closed: the
/// logs of `noted` that change, and those that are missing there.
pub fn noted_by(noted: &[OwnLog], state: &LogState, head: &Checkpoint) -> Vec<OwnLog> {
    let (Some(readers), Some(policy)) = (state.readers(), state.policy()) else { return Vec::new() };
    let origin = state.origin();
    let find = |wanted: &Origin| noted.iter().find(|log| log.origin == *wanted);
    let is_succeeded =
        noted.iter().any(|log| log.previous.as_ref().is_some_and(|(before, ..)| before == origin));
    let log = OwnLog {
        origin: origin.clone(),
        readers: match readers {
            Readers::Public => None,
            Readers::Set(set) => Some(set.clone()),
        },
        root: state.root_in_force(),
        policy: policy.to_hex(),
        open: !state.closed() && !is_succeeded,
        started: true,
        previous: state.previous().map(|p| (p.origin.clone(), p.size, p.root.to_base64())),
    };
    let mut changed = Vec::new();
    if let Some(next) = state.next().filter(|next| find(next).is_none()) {
        changed.push(log.successor(next.clone(), (head.size, head.root)));
    }
    // The log that this one goes on from is not open any more, however it ended.
    let before = log.previous.as_ref().and_then(|(before, ..)| find(before)).filter(|before| before.open);
    changed.extend(before.map(|before| OwnLog { open: false, ..before.clone() }));
    if find(origin) != Some(&log) {
        changed.push(log);
    }
    changed
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
