//! What an operator must be told: each alarm has a machine code and arguments, for translation.
//!
//! Alarms are raised here and never cleared: clearing is a person's act. Whoever is to blame for one rings it once,
//! whatever it changes in what it shows: an alarm names the first case, and says when the last one was.

use std::collections::BTreeSet;

use record::{Authority, Origin};
use tlog::Hash;

/// Something that somebody did which nobody should do, or that needs a person's decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Alarm {
    /// One log has two views, both signed by its key.
    SplitView {
        /// The log.
        origin: Origin,
        /// The size of the smaller view.
        size: u64,
        /// The size of the larger view.
        other_size: u64,
        /// The file that proves it, below the root of the files.
        evidence: String,
    },
    /// A quoted or cosigned root that one's own copy contradicts, without a second signature by the log.
    Unreconciled {
        /// The log.
        origin: Origin,
        /// The quoted size.
        size: u64,
        /// The quoted root.
        root: Hash,
        /// Who quoted it.
        from: Authority,
    },
    /// An entry of a log is no valid record, the first one of that log.
    InvalidEntry {
        /// The log.
        origin: Origin,
        /// Its place.
        index: u64,
        /// Why, in English, for the operator's log.
        reason: String,
    },
    /// A checkpoint is signed by a key that is not in force at its last entry, or that is revoked.
    CheckpointKey {
        /// The log.
        origin: Origin,
        /// The checkpoint's size.
        size: u64,
        /// Who served it.
        from: Authority,
    },
    /// Somebody shows a head of an own log that this node did not sign, or has lost.
    ForeignHeadOfOwnLog {
        /// The log.
        origin: Origin,
        /// The head's size.
        size: u64,
        /// The head's root.
        root: Hash,
        /// Who showed it.
        from: Authority,
    },
    /// Two different roots of one version, both rightly signed.
    RootConflict {
        /// Whose roots.
        authority: Authority,
        /// The version.
        version: u64,
        /// SHA-256 of the text that stays, if one was taken.
        kept: Option<Hash>,
        /// SHA-256 of the other text.
        found: Hash,
        /// Who showed it.
        from: Authority,
    },
    /// Somebody shows a root of this authority that it did not make.
    ForeignOwnRoot {
        /// The version.
        version: u64,
        /// SHA-256 of its text.
        found: Hash,
        /// Who showed it.
        from: Authority,
    },
    /// A log of one's own audience that its author does not tell of.
    UnknownLogOfAudience {
        /// The log.
        origin: Origin,
        /// Who showed it.
        from: Authority,
    },
    /// An author has two open logs for one audience.
    TwoOpenLogs {
        /// One.
        origin: Origin,
        /// The other.
        other: Origin,
    },
    /// A successor log leaves out entries that this node holds.
    CutOff {
        /// The log.
        origin: Origin,
        /// How many entries this node holds.
        held: u64,
        /// How many the successor acknowledges.
        acknowledged: u64,
        /// The successor.
        successor: Origin,
    },
    /// A peer serves what does not verify.
    Misbehaves {
        /// The peer.
        peer: Authority,
        /// The log, if it concerns one.
        origin: Option<Origin>,
        /// Machine code of the fault.
        fault: &'static str,
    },
    /// A peer's clock and ours differ.
    ClockSkew {
        /// The peer.
        peer: Authority,
        /// How far the peer's clock is ahead, in seconds.
        seconds: i64,
    },
    /// A blob that an own record names is not here any more, and nobody who was asked gives it.
    OwnBlobMissing {
        /// The log.
        origin: Origin,
        /// The record's place: of the first that is found to lack one.
        index: u64,
    },
    /// A peer shows more of a log than comes from it.
    Behind {
        /// The log.
        origin: Origin,
        /// Who shows more.
        from: Authority,
    },
    /// A file that a record names was stored here, and is gone or changed on this disk.
    FileLost {
        /// The log.
        origin: Origin,
        /// The record's place: of the first that is found to lack one.
        index: u64,
    },
    /// What an author's logs and files take on this disk has reached its quota: nothing more of it is fetched.
    OverQuota {
        /// The author.
        peer: Authority,
        /// What it may take, in bytes.
        quota: u64,
    },
    /// Files of a log on this disk are not those of its newest checkpoint.
    LogDamaged {
        /// The log.
        origin: Origin,
        /// Where its files lie, below the root of the files.
        place: String,
    },
    /// The newest checkpoints of an own log have had no quorum for an hour: nothing in it is proven.
    NoQuorum {
        /// The log.
        origin: Origin,
        /// Its witnesses that cosigned nothing.
        witnesses: BTreeSet<Authority>,
    },
    /// A log of another audience was shown: this node is not among its readers.
    NotForUs {
        /// The log.
        origin: Origin,
        /// Who showed it.
        from: Authority,
    },
}

impl Alarm {
    /// A stable code, lower-case words joined by hyphens.
    pub fn code(&self) -> &'static str {
        match self {
            Self::SplitView { .. } => "alarm-split-view",
            Self::Unreconciled { .. } => "alarm-unreconciled",
            Self::InvalidEntry { .. } => "alarm-invalid-entry",
            Self::CheckpointKey { .. } => "alarm-checkpoint-key",
            Self::ForeignHeadOfOwnLog { .. } => "alarm-foreign-head",
            Self::RootConflict { .. } => "alarm-root-conflict",
            Self::ForeignOwnRoot { .. } => "alarm-foreign-root",
            Self::UnknownLogOfAudience { .. } => "alarm-unknown-log",
            Self::TwoOpenLogs { .. } => "alarm-two-open-logs",
            Self::CutOff { .. } => "alarm-cut-off",
            Self::Misbehaves { .. } => "alarm-misbehaves",
            Self::ClockSkew { .. } => "alarm-clock-skew",
            Self::OwnBlobMissing { .. } => "alarm-own-blob-missing",
            Self::Behind { .. } => "alarm-behind",
            Self::FileLost { .. } => "alarm-file-lost",
            Self::OverQuota { .. } => "alarm-over-quota",
            Self::LogDamaged { .. } => "alarm-log-damaged",
            Self::NoQuorum { .. } => "alarm-no-quorum",
            Self::NotForUs { .. } => "alarm-not-for-us",
        }
    }

    /// Named arguments of the message, in a fixed order.
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::SplitView { origin, size, other_size, evidence } => vec![
                ("origin", origin.to_string()),
                ("size", size.to_string()),
                ("other-size", other_size.to_string()),
                ("evidence", evidence.clone()),
            ],
            Self::Unreconciled { origin, size, root, from }
            | Self::ForeignHeadOfOwnLog { origin, size, root, from } => vec![
                ("origin", origin.to_string()),
                ("size", size.to_string()),
                ("root", root.to_base64()),
                ("from", from.to_string()),
            ],
            Self::InvalidEntry { origin, index, reason } => {
                vec![("origin", origin.to_string()), ("index", index.to_string()), ("reason", reason.clone())]
            }
            Self::OwnBlobMissing { origin, index } | Self::FileLost { origin, index } => {
                vec![("origin", origin.to_string()), ("index", index.to_string())]
            }
            Self::LogDamaged { origin, place } => {
                vec![("origin", origin.to_string()), ("place", place.clone())]
            }
            Self::CheckpointKey { origin, size, from } => {
                vec![("origin", origin.to_string()), ("size", size.to_string()), ("from", from.to_string())]
            }
            Self::RootConflict { authority, version, kept, found, from } => vec![
                ("authority", authority.to_string()),
                ("version", version.to_string()),
                ("kept", kept.map_or_else(String::new, |hash| hash.to_hex())),
                ("found", found.to_hex()),
                ("from", from.to_string()),
            ],
            Self::ForeignOwnRoot { version, found, from } => {
                vec![("version", version.to_string()), ("found", found.to_hex()), ("from", from.to_string())]
            }
            Self::UnknownLogOfAudience { origin, from }
            | Self::Behind { origin, from }
            | Self::NotForUs { origin, from } => {
                vec![("origin", origin.to_string()), ("from", from.to_string())]
            }
            Self::OverQuota { peer, quota } => {
                vec![("peer", peer.to_string()), ("quota", quota.to_string())]
            }
            Self::NoQuorum { origin, witnesses } => {
                let names: Vec<&str> = witnesses.iter().map(Authority::as_str).collect();
                vec![("origin", origin.to_string()), ("witnesses", names.join(", "))]
            }
            Self::TwoOpenLogs { origin, other } => {
                vec![("origin", origin.to_string()), ("other", other.to_string())]
            }
            Self::CutOff { origin, held, acknowledged, successor } => vec![
                ("origin", origin.to_string()),
                ("held", held.to_string()),
                ("acknowledged", acknowledged.to_string()),
                ("successor", successor.to_string()),
            ],
            Self::Misbehaves { peer, origin, fault } => vec![
                ("peer", peer.to_string()),
                ("origin", origin.as_ref().map_or_else(String::new, ToString::to_string)),
                ("fault", (*fault).to_owned()),
            ],
            Self::ClockSkew { peer, seconds } => {
                vec![("peer", peer.to_string()), ("seconds", seconds.to_string())]
            }
        }
    }

    /// Under which it is kept from ringing again: SHA-256 of its key, hex.
    pub fn name(&self) -> String {
        tlog::sha256(self.key().as_bytes()).to_hex()
    }

    /// What makes two alarms the same one, so that it is raised once. What a peer or an author can choose without end is left
    /// out: sizes, roots, and of what concerns somebody as a whole the names of logs.
    pub fn key(&self) -> String {
        let parts: Vec<String> = match self {
            Self::ClockSkew { peer, .. } | Self::OverQuota { peer, .. } => vec![peer.to_string()],
            Self::Misbehaves { peer, fault, .. } => vec![peer.to_string(), (*fault).to_owned()],
            Self::TwoOpenLogs { origin, .. } => {
                vec![origin.authority.to_string(), origin.audience.to_string()]
            }
            Self::UnknownLogOfAudience { origin, from }
            | Self::Behind { origin, from }
            | Self::CheckpointKey { origin, from, .. }
            | Self::Unreconciled { origin, from, .. } => {
                vec![origin.authority.to_string(), from.to_string()]
            }
            Self::NotForUs { from, .. } | Self::ForeignOwnRoot { from, .. } => vec![from.to_string()],
            Self::RootConflict { authority, version, .. } => vec![authority.to_string(), version.to_string()],
            Self::SplitView { origin, .. }
            | Self::CutOff { origin, .. }
            | Self::InvalidEntry { origin, .. } => {
                vec![origin.authority.to_string()]
            }
            Self::FileLost { origin, .. }
            | Self::LogDamaged { origin, .. }
            | Self::NoQuorum { origin, .. }
            | Self::OwnBlobMissing { origin, .. } => vec![origin.to_string()],
            Self::ForeignHeadOfOwnLog { origin, from, .. } => vec![origin.to_string(), from.to_string()],
        };
        format!("{}:{}", self.code(), parts.join(":"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_rings_once_for_one_cause() {
        let skew = |seconds| Alarm::ClockSkew { peer: "a.example".parse().unwrap(), seconds };
        assert_eq!(skew(40).key(), skew(41).key());
        let invalid = |index| Alarm::InvalidEntry {
            origin: "a.example/log/public/2020".parse().unwrap(),
            index,
            reason: String::new(),
        };
        assert_eq!(invalid(1).key(), invalid(20_000).key());
    }

    #[test]
    fn who_shows_always_something_else_rings_no_more_alarms_than_who_shows_one_thing() {
        let origin = |n: u64| format!("a.example/log/public/2026.{}", n + 2).parse::<Origin>().unwrap();
        let from: Authority = "c.example".parse().unwrap();
        let root = |n: u64| tlog::sha256(&n.to_be_bytes());
        let all = |n: u64| {
            let (of, from) = (origin(n), from.clone());
            [
                Alarm::Unreconciled { origin: of.clone(), size: n, root: root(n), from: from.clone() },
                Alarm::ForeignHeadOfOwnLog { origin: origin(1), size: n, root: root(n), from: from.clone() },
                Alarm::CheckpointKey { origin: of.clone(), size: n, from: from.clone() },
                Alarm::InvalidEntry { origin: of.clone(), index: n, reason: n.to_string() },
                Alarm::SplitView { origin: of.clone(), size: n, other_size: n, evidence: n.to_string() },
                Alarm::CutOff { origin: of, held: n, acknowledged: n, successor: origin(n + 1) },
                Alarm::Misbehaves { peer: from.clone(), origin: Some(origin(n)), fault: "follow-tile" },
                Alarm::NotForUs { origin: origin(n), from: from.clone() },
                Alarm::UnknownLogOfAudience { origin: origin(n), from: from.clone() },
                Alarm::Behind { origin: origin(n), from: from.clone() },
                Alarm::TwoOpenLogs { origin: origin(n), other: origin(n + 1) },
                Alarm::ForeignOwnRoot { version: n, found: root(n), from },
            ]
        };
        for (one, other) in all(1).iter().zip(&all(2)) {
            assert_eq!(one.key(), other.key());
        }
    }
}
