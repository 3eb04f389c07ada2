//! The verification of an evidence file, step by step: each step says what it looked at and whether it held,
//! and a conclusion is drawn only if all that it rests on held.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use tlog::{Hash, Policy, ProofFile, VerifierKey, leaf_hash, sha256};

use super::Evidence;
use crate::encoding::{Authority, Fingerprint, Time};
use crate::kind;
use crate::logstate::{LogState, Verdict};
use crate::origin::Origin;
use crate::provenance::{ProvenTimes, WitnessKeys, Witnessed, signed_after};
use crate::record::Record;
use crate::root::RootChain;
use crate::seal::{Inner, verify_disclosed};

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// A stable code, for translation, e.g. `record-included`.
    pub code: &'static str,
    /// Whether it held.
    pub ok: bool,
    /// Whether the conclusion rests on it.
    pub required: bool,
    /// What was looked at; `reason` if it did not hold.
    pub arguments: Vec<(&'static str, String)>,
}

/// What the verification of an evidence file found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// In the order in which they were taken; after a required step that failed there may be no more.
    pub steps: Vec<Step>,
    /// What is proven, if every required step held.
    pub conclusion: Option<Conclusion>,
}

/// What its author's revocation of the key says of a record: the rule of [`crate::standing::disowned`], as far as a file can
/// show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revocation {
    /// It is proven to be older than the revocation says: it stands.
    Later(Time),
    /// It claims to be older, and no proof says so: whoever has the key can claim that.
    OnlyClaimed(Time),
    /// It is not older: its author disowns it.
    Disowned(Time),
}

impl Revocation {
    fn of(since: Time, record: &Record, proven: Option<Time>) -> Self {
        match proven {
            _ if record.header.released >= since => Self::Disowned(since),
            Some(proven) if proven < since => Self::Later(since),
            Some(_) => Self::Disowned(since),
            None => Self::OnlyClaimed(since),
        }
    }

    /// Since when the key is not its author's alone, if the record is disowned for that.
    pub fn disowned_since(self) -> Option<Time> {
        if let Self::Disowned(since) = self { Some(since) } else { None }
    }
}

impl fmt::Display for Revocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Later(since) => {
                write!(f, "revoked since {since}; the record is proven to be older, and stands")
            }
            Self::OnlyClaimed(since) => {
                write!(f, "revoked since {since}; the record claims to be older, which nobody has proven")
            }
            Self::Disowned(since) => {
                write!(f, "revoked since {since}, before the record was there: its author disowns it")
            }
        }
    }
}

/// What an evidence file proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conclusion {
    /// The record as it stands in the log.
    pub record: Record,
    /// Its name.
    pub name: Hash,
    /// Fingerprint of the author.
    pub fingerprint: Fingerprint,
    /// The author's key that signed it.
    pub key: VerifierKey,
    /// Version of the author's root that allowed it.
    pub root: u64,
    /// The log.
    pub log: Origin,
    /// The record's place in it.
    pub index: u64,
    /// The size of the largest checkpoint shown.
    pub size: u64,
    /// When it is proven to have been there; `None`: claimed only.
    pub proven: Option<Time>,
    /// It was signed after this, as its anchors prove.
    pub signed_after: Option<Time>,
    /// The pinned witnesses that had seen it, earliest first.
    pub witnesses: Vec<Witnessed>,
    /// What a root in the file that revokes the key says of the record.
    pub revocation: Option<Revocation>,
    /// What a sealed record says, if it was disclosed.
    pub inner: Option<Inner>,
    /// The blobs in the file, all named by the record.
    pub blobs: Vec<Hash>,
}

impl Evidence {
    /// Verifies everything against the fingerprints that the verifier trusts: the author's, and those of the
    /// authorities whose witnesses are to count.
    pub fn verify(&self, pins: &[Fingerprint]) -> Report {
        let mut steps = Steps(Vec::new());
        let conclusion = self.conclude(pins, &mut steps);
        let held = steps.0.iter().all(|step| step.ok || !step.required);
        Report { conclusion: conclusion.filter(|_| held), steps: steps.0 }
    }

    fn conclude(&self, pins: &[Fingerprint], steps: &mut Steps) -> Option<Conclusion> {
        let record = steps.required("record-read", vec![], Record::parse(&self.record))?;
        let author = record.header.author.clone();
        let chains = self.chains(pins, &author, steps);
        let chain = chains.iter().find(|chain| *chain.authority() == author)?;
        let (index, size) = self.included(&record, steps)?;
        let log = self.replay(&record, index, chain, steps)?;
        for proof in &self.proofs {
            log.signed(proof, chain, &record.header.log, steps)?;
        }
        let policy = self.policy(log.policy, steps)?;
        let keys = WitnessKeys::new(&author, &chains);
        let times = self.times(&record, policy, &keys, steps)?;
        let proven = times.proven_time(index);
        let time = vec![("time", proven.map_or_else(String::new, |time| time.to_string()))];
        steps.optional("time-proven", time, proven.ok_or("no quorum of pinned witnesses").map(drop));
        let after = signed_after(&record.header.anchors, &keys);
        let revoked = chain.revocation(&log.key);
        let at = vec![("key", log.key.name().to_owned())];
        let revocation = revoked.map(|since| Revocation::of(since, &record, proven));
        steps.optional(
            "key-in-force",
            at,
            revocation.map_or(Ok(()), |revocation| Err(revocation.to_string())),
        );
        let inner = match &self.inner {
            Some(text) => Some(disclosed(&record, chain, log.root, text, steps)?),
            None => None,
        };
        let blobs = self.named_blobs(&record, inner.as_ref(), steps)?;
        Some(Conclusion {
            name: record.name(),
            fingerprint: chain.fingerprint(),
            log: record.header.log.clone(),
            witnesses: times.witnesses(index),
            key: log.key,
            root: log.root,
            signed_after: after,
            record,
            index,
            size,
            proven,
            revocation,
            inner,
            blobs,
        })
    }

    /// The chains of the file that a pin leads to. The author's is required.
    fn chains(&self, pins: &[Fingerprint], author: &Authority, steps: &mut Steps) -> Vec<RootChain> {
        let mut by_authority: BTreeMap<&Authority, Vec<(u64, &[u8])>> = BTreeMap::new();
        for ((authority, version), bytes) in &self.roots {
            by_authority.entry(authority).or_default().push((*version, bytes));
        }
        if !by_authority.contains_key(author) {
            let missing: Result<(), _> = Err("its roots are not in the file");
            steps.required("chain-pinned", vec![("authority", author.to_string())], missing);
        }
        let mut chains = Vec::new();
        for (authority, roots) in by_authority {
            let arguments = vec![("authority", authority.to_string()), ("roots", roots.len().to_string())];
            let chain = chain(authority, &roots, pins);
            let taken = if authority == author {
                steps.required("chain-pinned", arguments, chain)
            } else {
                steps.optional("chain-pinned", arguments, chain)
            };
            chains.extend(taken);
        }
        chains
    }

    /// The record's place, and the size of the largest checkpoint, after all proofs were followed.
    fn included(&self, record: &Record, steps: &mut Steps) -> Option<(u64, u64)> {
        let origin = record.header.log.to_string();
        let (first, last) = (self.proofs.first()?, self.proofs.last()?);
        let mut before = 0;
        for proof in &self.proofs {
            let checkpoint = &proof.checkpoint.checkpoint;
            let arguments = vec![("index", proof.index.to_string()), ("size", checkpoint.size.to_string())];
            let rises = checkpoint.size > before && proof.index == first.index;
            before = checkpoint.size;
            let included = if rises {
                included(proof, record.leaf(), &origin)
            } else {
                Err("sizes must rise, for one index".into())
            };
            steps.required("record-included", arguments, included)?;
        }
        let head = &last.checkpoint.checkpoint;
        for (entry, proof) in &self.entries {
            let checkpoint = &proof.checkpoint.checkpoint;
            let arguments = vec![("index", proof.index.to_string()), ("size", checkpoint.size.to_string())];
            let included = if checkpoint == head {
                included(proof, leaf_hash(entry), &origin)
            } else {
                Err("it must lead to the last proof's checkpoint".into())
            };
            steps.required("entry-included", arguments, included)?;
        }
        Some((first.index, head.size))
    }

    /// Judges the shown entries and the record in the log's order.
    fn replay(&self, record: &Record, index: u64, chain: &RootChain, steps: &mut Steps) -> Option<Log> {
        let origin = &record.header.log;
        let order = self.order(record, index);
        let entries = steps.required("entries-ordered", vec![("log", origin.to_string())], order)?;
        let mut state = LogState::new(origin.clone());
        let (mut in_force, mut signed) = (Vec::new(), None);
        for (n, (at, bytes)) in entries.into_iter().enumerate() {
            let code = if at == index { "record-valid" } else { "entry-valid" };
            let judged = judge(&mut state, n as u64, bytes, chain);
            let (key, root) = steps.required(code, vec![("index", at.to_string())], judged)?;
            if at == index {
                signed = Some((key, root));
            }
            in_force.push((at, state.root_in_force()));
        }
        let (key, root) = signed?;
        let policy = state.policy().ok_or("the log does not open");
        let policy = steps.required("log-open", vec![("log", origin.to_string())], policy)?;
        Some(Log { key, root, in_force, policy })
    }

    /// All shown entries by index: `log.open` at 0, then others of the log itself, and the record.
    fn order(&self, record: &Record, index: u64) -> Result<Vec<(u64, &[u8])>, String> {
        if kind::is_log_kind(&record.header.kind) {
            return Err("a record of the log itself is no subject of evidence".into());
        }
        let mut last = None;
        let mut entries = Vec::with_capacity(self.entries.len() + 1);
        for (bytes, proof) in &self.entries {
            if last.is_some_and(|last| last >= proof.index) || proof.index == index {
                return Err(format!("entry {} is repeated or out of order", proof.index));
            }
            let entry = Record::parse(bytes).map_err(|error| error.to_string())?;
            if !kind::is_log_kind(&entry.header.kind) {
                return Err(format!("entry {} is of kind {}", proof.index, entry.header.kind));
            }
            last = Some(proof.index);
            entries.push((proof.index, bytes.as_slice()));
        }
        if self.entries.first().is_none_or(|(_, proof)| proof.index != 0) {
            return Err("the first entry shown is not the log's first".into());
        }
        entries.push((index, &self.record));
        entries.sort_by_key(|(at, _)| *at);
        Ok(entries)
    }

    fn policy(&self, wanted: Hash, steps: &mut Steps) -> Option<Policy> {
        let parsed = if sha256(&self.policy) == wanted {
            Policy::parse(&self.policy).map_err(|error| error.to_string())
        } else {
            Err("it is not the policy that the log's first entry names".into())
        };
        let parsed = parsed.and_then(|policy| {
            if policy.has_logs() { Err("a policy has no `log` lines".to_owned()) } else { Ok(policy) }
        });
        steps.required("policy-read", vec![("sha256", wanted.to_hex())], parsed)
    }

    fn times(
        &self,
        record: &Record,
        policy: Policy,
        keys: &WitnessKeys,
        steps: &mut Steps,
    ) -> Option<ProvenTimes> {
        let mut times = ProvenTimes::new(&record.header.log.to_string(), policy, keys);
        for proof in &self.proofs {
            let size = vec![("size", proof.checkpoint.checkpoint.size.to_string())];
            steps.required("cosignatures", size, times.take(&proof.checkpoint))?;
        }
        Some(times)
    }

    fn named_blobs(&self, record: &Record, inner: Option<&Inner>, steps: &mut Steps) -> Option<Vec<Hash>> {
        let lines = record.header.blobs.iter().chain(inner.iter().flat_map(|inner| &inner.header.blobs));
        let named: BTreeSet<(Hash, u64)> = lines.map(|blob| (blob.sha256, blob.size)).collect();
        for (hash, bytes) in &self.blobs {
            let is_named = named.contains(&(*hash, bytes.len() as u64));
            let is_named = if is_named { Ok(()) } else { Err("the record does not name it") };
            steps.required("blob-named", vec![("sha256", hash.to_hex())], is_named)?;
        }
        Some(self.blobs.keys().copied().collect())
    }
}

fn disclosed(record: &Record, chain: &RootChain, root: u64, text: &str, steps: &mut Steps) -> Option<Inner> {
    let commit = record.commit().map_or_else(String::new, |commit| commit.to_hex());
    let opened = verify_disclosed(record, chain, root, text);
    steps.required("inner-committed", vec![("commit", commit)], opened).map(|opened| opened.inner)
}

/// What the shown entries say of the log.
struct Log {
    key: VerifierKey,
    root: u64,
    /// Root version in force after each shown entry, by index.
    in_force: Vec<(u64, u64)>,
    policy: Hash,
}

impl Log {
    /// A checkpoint is signed by a `log` key of the root in force at its last entry.
    fn signed(&self, proof: &ProofFile, chain: &RootChain, origin: &Origin, steps: &mut Steps) -> Option<()> {
        let size = proof.checkpoint.checkpoint.size;
        let root = self.in_force.iter().take_while(|(index, _)| *index < size).last().map_or(0, |(_, n)| *n);
        let keys = chain.log_keys(root, origin);
        let signer = keys.iter().find(|key| proof.checkpoint.verify(key).is_ok());
        let signer = signer.ok_or("no `log` key of the root in force signed it");
        let arguments = vec![("size", size.to_string()), ("root", root.to_string())];
        let key = steps.required("checkpoint-signed", arguments, signer)?;
        let not_revoked = chain.revocation(key).map_or(Ok(()), |since| Err(format!("revoked since {since}")));
        steps.optional("log-key-in-force", vec![("size", size.to_string())], not_revoked);
        Some(())
    }
}

fn chain(authority: &Authority, roots: &[(u64, &[u8])], pins: &[Fingerprint]) -> Result<RootChain, String> {
    let ((_, first), rest) = roots.split_first().ok_or("no root")?;
    let mut chain = RootChain::accept_first(first).map_err(|error| error.to_string())?;
    if chain.authority() != authority {
        return Err(format!("root 1 is of {}", chain.authority()));
    }
    if !pins.contains(&chain.fingerprint()) {
        return Err(format!("its fingerprint {} is not pinned", chain.fingerprint()));
    }
    for (version, bytes) in rest {
        chain.extend(bytes).map_err(|error| error.to_string())?;
        if chain.latest().version != *version {
            return Err(format!("section {version} holds version {}", chain.latest().version));
        }
    }
    Ok(chain)
}

fn included(proof: &ProofFile, leaf: Hash, origin: &str) -> Result<(), String> {
    let checkpoint = &proof.checkpoint.checkpoint;
    if checkpoint.origin != origin {
        return Err(format!("the checkpoint is of {}", checkpoint.origin));
    }
    tlog::verify_inclusion(leaf, proof.index, checkpoint.size, &proof.path, checkpoint.root)
        .map_err(|error| error.to_string())
}

/// Judges one entry; gives the key that signed it and the root that allows the key.
fn judge(
    state: &mut LogState,
    n: u64,
    bytes: &[u8],
    chain: &RootChain,
) -> Result<(VerifierKey, u64), String> {
    let judged = state.take_many(n, &[bytes], chain).map_err(|error| error.to_string())?;
    match judged.into_iter().next().map(|judged| judged.verdict) {
        Some(Verdict::Valid { key, root, .. }) => Ok((key, root)),
        Some(Verdict::Invalid { reason, .. }) => Err(reason.to_string()),
        None => Err("it was not judged".into()),
    }
}

/// The steps so far.
struct Steps(Vec<Step>);

impl Steps {
    fn required<T, E: ToString>(
        &mut self,
        code: &'static str,
        arguments: Vec<(&'static str, String)>,
        result: Result<T, E>,
    ) -> Option<T> {
        self.push(code, true, arguments, result)
    }

    fn optional<T, E: ToString>(
        &mut self,
        code: &'static str,
        arguments: Vec<(&'static str, String)>,
        result: Result<T, E>,
    ) -> Option<T> {
        self.push(code, false, arguments, result)
    }

    fn push<T, E: ToString>(
        &mut self,
        code: &'static str,
        required: bool,
        mut arguments: Vec<(&'static str, String)>,
        result: Result<T, E>,
    ) -> Option<T> {
        let (value, reason) = match result {
            Ok(value) => (Some(value), None),
            Err(error) => (None, Some(error.to_string())),
        };
        arguments.extend(reason.map(|reason| ("reason", reason)));
        self.0.push(Step { code, ok: value.is_some(), required, arguments });
        value
    }
}
