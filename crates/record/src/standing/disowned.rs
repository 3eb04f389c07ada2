//! Disowned: what becomes of records whose signing key their author revoked later (protocol sections 1 and 3).
//!
//! A time that the author claims proves nothing here, because a thief claims what he likes. What decides is when a
//! record is proven to have existed, and, where nothing is proven, the latest time that its log claims up to it.

use super::During;
use crate::encoding::Time;

/// In which sense something was known at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Basis {
    /// As its author claims.
    Claimed,
    /// As witnesses prove.
    Proven,
    /// Since this node first verified it.
    Here,
}

impl Basis {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Claimed, Self::Proven, Self::Here];
}

/// When something was known, on each basis; seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Times {
    /// The outer `released`.
    pub claimed: i64,
    /// Its proven time, if it is proven.
    pub proven: Option<i64>,
    /// When this node first verified it, if that is remembered.
    pub here: Option<i64>,
}

impl Times {
    /// On one basis.
    pub fn on(&self, basis: Basis) -> Option<i64> {
        match basis {
            Basis::Claimed => Some(self.claimed),
            Basis::Proven => self.proven,
            Basis::Here => self.here,
        }
    }
}

/// A key that its author revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revoked {
    /// The time in the root's `revoke` line: from then on the key was not the author's alone.
    pub since: Time,
    /// When the revoking root was made known: the times of the first entry that names it, or a newer one.
    pub known: Times,
}

/// What a revocation does to an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Disowned {
    /// Nothing: it is older than the theft.
    No,
    /// It was proven before the revocation was: it is shown, and counts until that was known.
    Since,
    /// It counts for nothing, at no time.
    Always,
}

/// What a revocation does to an entry with these times; `latest` is the latest time that its log claims up to it.
pub fn disowned(times: Times, latest: i64, revoked: &Revoked) -> Disowned {
    let existed = times.proven.unwrap_or(latest.max(times.claimed));
    if existed.max(times.claimed) < revoked.since.posix() {
        return Disowned::No;
    }
    let was_proven_first =
        times.proven.is_some_and(|proven| revoked.known.proven.is_none_or(|known| proven < known));
    if was_proven_first { Disowned::Since } else { Disowned::Always }
}

impl Disowned {
    /// While an entry with these times counts on a basis; `None` if it never does.
    pub fn during(self, times: Times, basis: Basis, revoked: Option<&Revoked>) -> Option<During> {
        let from = times.on(basis)?;
        let until = match (self, revoked) {
            (Self::Always, _) => return None,
            (Self::No, _) | (Self::Since, None) => None,
            // Where it is not known when it was revoked, it is not known now either.
            (Self::Since, Some(revoked)) => Some(revoked.known.on(basis).unwrap_or(i64::MAX)),
        };
        Some(During { from, until }).filter(|during| !during.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(claimed: i64, proven: Option<i64>) -> Times {
        Times { claimed, proven, here: Some(claimed) }
    }

    /// Stolen at 100, revoked by a root that was claimed at 200 and proven at 210.
    fn theft() -> Revoked {
        Revoked { since: Time::from_posix(100).unwrap(), known: times(200, Some(210)) }
    }

    #[test]
    fn what_is_older_than_the_theft_is_not_touched() {
        assert_eq!(disowned(times(50, Some(60)), 50, &theft()), Disowned::No);
        assert_eq!(
            disowned(times(50, None), 50, &theft()),
            Disowned::No,
            "nothing but claims, and all are older"
        );
    }

    #[test]
    fn a_thief_gains_nothing_by_an_older_claim() {
        assert_eq!(disowned(times(50, None), 150, &theft()), Disowned::Always, "its log had gone on");
        assert_eq!(
            disowned(times(50, Some(250)), 50, &theft()),
            Disowned::Always,
            "proven after the revocation"
        );
    }

    #[test]
    fn what_was_proven_first_counts_in_every_as_of_before() {
        let entry = times(150, Some(160));
        assert_eq!(disowned(entry, 150, &theft()), Disowned::Since);
        let during = |basis| Disowned::Since.during(entry, basis, Some(&theft())).unwrap();
        assert_eq!(during(Basis::Claimed), During { from: 150, until: Some(200) });
        assert_eq!(during(Basis::Proven), During { from: 160, until: Some(210) });
    }

    #[test]
    fn a_revocation_that_nobody_proved_yet_counts_now() {
        let revoked = Revoked { known: times(200, None), ..theft() };
        let entry = times(150, Some(160));
        assert_eq!(disowned(entry, 150, &revoked), Disowned::Since);
        let during = Disowned::Since.during(entry, Basis::Proven, Some(&revoked)).unwrap();
        assert!(during.includes(i64::MAX - 1) && !during.includes(i64::MAX));
    }
}
