//! When a record was there: its proven time, from archived witness cosignatures and the log's policy
//! (protocol section 4), and the time after which it was signed, from its anchors.
//!
//! A witness counts only as a key that the pinned root chain of an authority other than the author lists.
//! Nothing here reads a clock or believes `released`; without proof the answer is `None`: claimed only.

use std::collections::{BTreeMap, BTreeSet};

use tlog::{
    Checkpoint, CosignatureError, NoteSignature, Policy, SignedCheckpoint, VerifierKey, verify_cosignature,
};

use crate::encoding::{Authority, Time};
use crate::header::Anchor;
use crate::refusal::Refusal;
use crate::root::{Role, RootChain};

/// The witness keys that count for the records of one author, each with the authority that lists it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WitnessKeys {
    listed: BTreeMap<VerifierKey, Authority>,
}

impl WitnessKeys {
    /// Of the pinned chains of all authorities; the author's own chain may be among them and counts for nothing.
    ///
    /// A key that a root of its chain revokes counts no more, nor does a public key that the author's chain
    /// lists in any role. That a public key counts once is the policy's rule, which lists it once.
    pub fn new<'c>(author: &Authority, pinned: impl IntoIterator<Item = &'c RootChain>) -> Self {
        let (own, others): (Vec<&RootChain>, Vec<&RootChain>) =
            pinned.into_iter().partition(|chain| chain.authority() == author);
        let mut of_author: BTreeSet<[u8; 32]> = BTreeSet::new();
        for root in own.iter().flat_map(|chain| chain.roots()).map(|signed| &signed.root) {
            let keys = root.keys.iter().map(|key| &key.vkey).chain(&root.roots);
            of_author.extend(keys.map(|key| *key.public()));
        }
        let mut listed = BTreeMap::new();
        for chain in others {
            for key in chain.roots().flat_map(|signed| signed.root.keys_of(Role::Witness)) {
                if !of_author.contains(key.vkey.public()) && chain.revocation(&key.vkey).is_none() {
                    listed.insert(key.vkey.clone(), chain.authority().clone());
                }
            }
        }
        Self { listed }
    }

    /// The authority for which a key counts, if it counts.
    pub fn authority_of(&self, key: &VerifierKey) -> Option<&Authority> {
        self.listed.get(key)
    }

    /// Every key that counts.
    pub fn iter(&self) -> impl Iterator<Item = &VerifierKey> {
        self.listed.keys()
    }
}

/// Why a `seen` file is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SeenError {
    /// It is a checkpoint of another log.
    #[error("a checkpoint of {found}, not of {wanted}")]
    Origin {
        /// As written.
        found: String,
        /// The log's.
        wanted: String,
    },
    /// Its size is below that of the one before.
    #[error("seen/{n}: size {found} after {before}: sizes never fall")]
    SizeFell {
        /// Its number.
        n: u64,
        /// Its size.
        found: u64,
        /// The size before.
        before: u64,
    },
    /// A cosignature by a key that counts is wrong.
    #[error("seen/{n}: {source}")]
    Cosignature {
        /// Its number.
        n: u64,
        /// What is wrong.
        source: CosignatureError,
    },
}

impl Refusal for SeenError {
    fn code(&self) -> &'static str {
        match self {
            Self::Origin { .. } => "seen-origin",
            Self::SizeFell { .. } => "seen-size-fell",
            Self::Cosignature { .. } => "seen-cosignature",
        }
    }

    fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Origin { found, wanted } => vec![("found", found.clone()), ("wanted", wanted.clone())],
            Self::SizeFell { n, found, before } => {
                vec![("n", n.to_string()), ("found", found.to_string()), ("before", before.to_string())]
            }
            Self::Cosignature { n, source } => vec![("n", n.to_string()), ("detail", source.to_string())],
        }
    }
}

/// A witness whose cosignature covers an entry, and when.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Witnessed {
    /// When, as the witness says.
    pub time: Time,
    /// The key, as the policy names it.
    pub key: VerifierKey,
    /// Whose it is.
    pub authority: Authority,
}

/// The entries from the end of the span before, up to `end`, share one proven time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Index of the first entry that is not in the span.
    pub end: u64,
    /// When its entries are proven to have been in the log; `None`: claimed only.
    pub time: Option<Time>,
}

/// The proven times of one log. It grows with each `seen` file, whose cost does not depend on the number of
/// entries: what is kept are the sizes at which something changes.
#[derive(Debug, Clone)]
pub struct ProvenTimes {
    origin: String,
    policy: Policy,
    /// The policy's witnesses that count.
    witnesses: Vec<(VerifierKey, Authority)>,
    next: u64,
    steps: Vec<Step>,
    /// The first entry whose time may have changed since somebody learnt of all changes.
    changed: Option<u64>,
}

/// A size that was seen. Entries below it, down to the size before, were cosigned first at these times.
#[derive(Debug, Clone)]
struct Step {
    size: u64,
    first: Vec<Option<First>>,
    proven: Option<Time>,
}

/// When a witness first cosigned: POSIX seconds, and the number of the `seen` file that shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct First {
    time: u64,
    seen: u64,
}

impl ProvenTimes {
    /// Of a log of which no `seen` file is known. Witnesses of the policy that are not among `keys` never count.
    pub fn new(origin: &str, policy: Policy, keys: &WitnessKeys) -> Self {
        let counted = |key: &VerifierKey| Some((key.clone(), keys.authority_of(key)?.clone()));
        let witnesses = policy.witnesses().filter_map(|(_, key, _)| counted(key)).collect();
        Self { origin: origin.into(), policy, witnesses, next: 0, steps: Vec::new(), changed: None }
    }

    /// Number of the `seen` file that comes next.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Takes the next `seen` file, whose log signature was verified before. True if a proven time changed.
    ///
    /// # Errors
    /// It is of another log, its size is below the one before, or a witness that counts signed wrongly; then
    /// nothing is taken.
    pub fn take(&mut self, seen: &SignedCheckpoint) -> Result<bool, SeenError> {
        let Checkpoint { origin, size, .. } = &seen.checkpoint;
        if *origin != self.origin {
            return Err(SeenError::Origin { found: origin.clone(), wanted: self.origin.clone() });
        }
        let before = self.steps.last().map_or(0, |step| step.size);
        if *size < before {
            return Err(SeenError::SizeFell { n: self.next, found: *size, before });
        }
        let times = self.times(seen).map_err(|source| SeenError::Cosignature { n: self.next, source })?;
        self.next += 1;
        if *size > before {
            self.steps.push(Step { size: *size, first: vec![None; self.witnesses.len()], proven: None });
            self.note_change(before);
        }
        Ok(self.improve(&times, self.next - 1))
    }

    /// Goes on past a `seen` file that is refused: it proves nothing, those after it may.
    pub fn skip(&mut self) {
        self.next += 1;
    }

    /// When the entry is proven to have been in the log; `None`: claimed only.
    pub fn proven_time(&self, index: u64) -> Option<Time> {
        self.step(index)?.proven
    }

    /// The witnesses that count and whose cosignatures cover the entry, earliest first.
    pub fn witnesses(&self, index: u64) -> Vec<Witnessed> {
        let first = self.step(index).map_or(&[][..], |step| step.first.as_slice());
        let witnessed = first.iter().zip(&self.witnesses).filter_map(|(time, (key, authority))| {
            Some(Witnessed { time: time_of((*time)?.time)?, key: key.clone(), authority: authority.clone() })
        });
        let mut witnessed: Vec<Witnessed> = witnessed.collect();
        witnessed.sort();
        witnessed
    }

    /// Numbers of `seen` files that prove the entry's time, ascending; no more than are needed. Empty if it is
    /// claimed only.
    pub fn seen_files(&self, index: u64) -> Vec<u64> {
        let Some(Step { first, proven: Some(time), .. }) = self.step(index) else { return Vec::new() };
        let mut needed = first.clone();
        for n in 0..needed.len() {
            let mut fewer = needed.clone();
            fewer[n] = None;
            if proven(&self.policy, &self.witnesses, &fewer) == Some(*time) {
                needed = fewer;
            }
        }
        let files: BTreeSet<u64> = needed.iter().flatten().map(|first| first.seen).collect();
        files.into_iter().collect()
    }

    /// All entries that a `seen` file covers, as spans of equal proven time. Times never fall from span to
    /// span, and `None` comes last.
    pub fn spans(&self) -> impl Iterator<Item = Span> {
        let last_of_its_time = |pair: &[Step]| match pair {
            [step, next] => step.proven != next.proven,
            _ => true,
        };
        (0..self.steps.len())
            .filter_map(move |n| self.steps.get(n..self.steps.len().min(n + 2)))
            .filter(move |pair| last_of_its_time(pair))
            .filter_map(|pair| pair.first().map(|step| Span { end: step.size, time: step.proven }))
    }

    /// Spans in which times changed, or became known not to be proven, since the last [`Self::changes_are_known`]: from the
    /// newest to the oldest, each with the index of its first entry. A later entry's time may be what it was while an
    /// earlier one's changed.
    pub fn changes(&self) -> impl Iterator<Item = (u64, Span)> {
        let from = self.changed.unwrap_or(u64::MAX);
        let changed = self.spans_back().take_while(move |(_, span)| span.end > from);
        changed.map(move |(first, span)| (first.max(from), span))
    }

    /// Whoever keeps the times has all changes so far.
    pub fn changes_are_known(&mut self) {
        self.changed = None;
    }

    fn note_change(&mut self, first: u64) {
        self.changed = Some(self.changed.map_or(first, |before| before.min(first)));
    }

    /// The same as [`Self::spans`] from the newest to the oldest, each with the index of its first entry.
    pub fn spans_back(&self) -> impl Iterator<Item = (u64, Span)> {
        let mut end = self.steps.len();
        std::iter::from_fn(move || {
            let last = self.steps.get(end.checked_sub(1)?)?;
            let same =
                self.steps.get(..end)?.iter().rev().take_while(|step| step.proven == last.proven).count();
            end -= same;
            let first =
                end.checked_sub(1).and_then(|before| self.steps.get(before)).map_or(0, |step| step.size);
            Some((first, Span { end: last.size, time: last.proven }))
        })
    }

    /// How many entries the largest `seen` file covers.
    pub fn covered(&self) -> u64 {
        self.steps.last().map_or(0, |step| step.size)
    }

    fn step(&self, index: u64) -> Option<&Step> {
        self.steps.get(self.steps.partition_point(|step| step.size <= index))
    }

    /// The time of each witness on one checkpoint.
    fn times(&self, seen: &SignedCheckpoint) -> Result<Vec<Option<u64>>, CosignatureError> {
        let cosigned = seen.cosignatures(self.witnesses.iter().map(|(key, _)| key))?;
        let time = |key: &VerifierKey| cosigned.iter().find(|(k, _)| k == key).map(|(_, time)| *time);
        Ok(self.witnesses.iter().map(|(key, _)| time(key)).collect())
    }

    /// Lowers the first times of all covered steps, from the newest back. Whoever covers a step covers those
    /// before it, so the first times only rise along the steps, and the walk ends at the first without change.
    fn improve(&mut self, times: &[Option<u64>], seen: u64) -> bool {
        let mut changed = None;
        for n in (0..self.steps.len()).rev() {
            let before =
                n.checked_sub(1).and_then(|before| self.steps.get(before)).map_or(0, |step| step.size);
            let Some(step) = self.steps.get_mut(n) else { break };
            let mut earlier = false;
            for (first, time) in step.first.iter_mut().zip(times) {
                if let Some(time) = *time
                    && first.is_none_or(|first| time < first.time)
                {
                    *first = Some(First { time, seen });
                    earlier = true;
                }
            }
            if !earlier {
                break;
            }
            let proven = proven(&self.policy, &self.witnesses, &step.first);
            if proven != step.proven {
                changed = Some(before);
            }
            step.proven = proven;
        }
        changed.inspect(|first| self.note_change(*first)).is_some()
    }
}

fn proven(policy: &Policy, witnesses: &[(VerifierKey, Authority)], first: &[Option<First>]) -> Option<Time> {
    let time = |key: &VerifierKey| {
        let n = witnesses.iter().position(|(witness, _)| witness == key)?;
        first.get(n).copied().flatten().map(|first| first.time)
    };
    policy.earliest(time).and_then(time_of)
}

fn time_of(seconds: u64) -> Option<Time> {
    Time::from_posix(i64::try_from(seconds).ok()?)
}

// ------------------------------------------------------------------------------------------------ anchors

/// Why an anchor proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnchorError {
    /// No witness key of that name and id counts.
    #[error("{witness} is no witness key of an authority other than the author")]
    Witness {
        /// The key's name.
        witness: String,
    },
    /// The cosignature is not that witness's on that checkpoint.
    #[error("anchor of {origin}: {source}")]
    Cosignature {
        /// The quoted log.
        origin: String,
        /// What is wrong.
        source: CosignatureError,
    },
    /// The quoted time is none that can be written.
    #[error("anchor of {origin}: the time is not one of the years 1900 to 9999")]
    Time {
        /// The quoted log.
        origin: String,
    },
}

impl Refusal for AnchorError {
    fn code(&self) -> &'static str {
        match self {
            Self::Witness { .. } => "anchor-witness",
            Self::Cosignature { .. } => "anchor-cosignature",
            Self::Time { .. } => "anchor-time",
        }
    }

    fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Witness { witness } => vec![("witness", witness.clone())],
            Self::Cosignature { origin, source } => {
                vec![("origin", origin.clone()), ("detail", source.to_string())]
            }
            Self::Time { origin } => vec![("origin", origin.clone())],
        }
    }
}

/// The time after which whoever quotes this anchor signed. `keys` are those that count for the author of
/// the record that quotes it.
///
/// # Errors
/// The quoted cosignature is not that of a witness that counts.
pub fn check_anchor(anchor: &Anchor, keys: &WitnessKeys) -> Result<Time, AnchorError> {
    let [a, b, c, d, rest @ ..] = &anchor.cosignature;
    let line = NoteSignature {
        name: anchor.witness.clone(),
        id: u32::from_be_bytes([*a, *b, *c, *d]),
        bytes: rest.to_vec(),
    };
    let key = keys
        .iter()
        .find(|key| line.is_by(key))
        .ok_or_else(|| AnchorError::Witness { witness: anchor.witness.clone() })?;
    let origin = anchor.origin.to_string();
    let quoted = Checkpoint { origin: origin.clone(), size: anchor.size, root: anchor.root };
    match verify_cosignature(&quoted.to_text(), &line, key) {
        Ok(seconds) => time_of(seconds).ok_or(AnchorError::Time { origin }),
        Err(source) => Err(AnchorError::Cosignature { origin, source }),
    }
}

/// The latest of the times that the valid anchors of a record prove: it was signed after that.
pub fn signed_after(anchors: &[Anchor], keys: &WitnessKeys) -> Option<Time> {
    anchors.iter().filter_map(|anchor| check_anchor(anchor, keys).ok()).max()
}
