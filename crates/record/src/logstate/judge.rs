//! Judging a run of entries: parse and verify them all in parallel by the root in force before them, then walk
//! them in order to find each one's root. Almost always it is that one; what comes after a `log.root` is
//! verified by the newer root, in parallel again. Only `log.*` records are verified on the walk itself.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use tlog::{Check, Hash, Note, PreparedKey, VerifierKey, leaf_hash, verify_cosignature};

use super::lines::{LogOpen, read_next, read_root};
use super::{InvalidReason, Judged, LogState, NeedsRoot, Opened, Phase, Verdict};
use crate::kind;
use crate::origin::Origin;
use crate::record::{Record, RecordError};
use crate::root::{ListedKey, Role, RootChain};

pub(super) fn take_many(
    state: &mut LogState,
    entries: &[&[u8]],
    chain: &RootChain,
) -> Result<Vec<Judged>, NeedsRoot> {
    let mut walk = Walk { chain, keys: BTreeMap::new() };
    let before = state.root_in_force();
    let keys = state.opened().is_some().then(|| walk.keys_of(before));
    let read: Vec<Read> = entries.par_iter().map(|bytes| Read::of(bytes, keys)).collect();
    let mut plans = Vec::with_capacity(entries.len());
    let mut needs = None;
    let first = state.size;
    for Read { record, .. } in &read {
        match walk.step(&state.origin, &state.phase, record) {
            Ok((plan, phase)) => {
                plans.push(plan);
                if let Some(phase) = phase {
                    state.phase = phase;
                }
                state.size += 1;
            }
            Err(Pause { version }) => {
                needs = Some(version);
                break;
            }
        }
    }
    let taken = finish(first, entries, read, plans, &walk.keys, before);
    match needs {
        None => Ok(taken),
        Some(n) => Err(NeedsRoot { n, taken }),
    }
}

/// A record is boxed at once: it is moved several times before its verdict.
type Parsed = Result<Box<Record>, RecordError>;

/// What reading an entry gives, before its place is known.
struct Read {
    record: Parsed,
    /// Its signer by the root in force before the run.
    signer: Option<Result<VerifierKey, InvalidReason>>,
}

impl Read {
    fn of(bytes: &[u8], keys: Option<&RootKeys>) -> Self {
        let record = Record::parse(bytes).map(Box::new);
        let signer = record.as_ref().ok().and_then(|record| keys.map(|keys| keys.judge(record)));
        Self { record, signer }
    }
}

/// The walk stops before this entry until the chain has a root.
struct Pause {
    version: u64,
}

/// What is known of an entry after the walk.
enum Plan {
    /// Decided, without or with its signatures.
    Decided(Result<(VerifierKey, u64), InvalidReason>),
    /// Valid if its signatures are, under the root of this version.
    Verify(u64),
}

impl From<InvalidReason> for Plan {
    fn from(reason: InvalidReason) -> Self {
        Self::Decided(Err(reason))
    }
}

/// Verifies what a newer root than `before` decides, in parallel, and puts the verdicts together.
fn finish(
    first: u64,
    entries: &[&[u8]],
    read: Vec<Read>,
    plans: Vec<Plan>,
    keys: &BTreeMap<u64, RootKeys>,
    before: u64,
) -> Vec<Judged> {
    let work: Vec<_> = plans.into_iter().zip(read).zip(entries).zip(first..).collect();
    work.into_par_iter()
        .map(|(((plan, Read { record, signer }), bytes), index)| {
            let decided = match (plan, &record, signer) {
                (Plan::Decided(decided), ..) => decided,
                (Plan::Verify(root), Ok(_), Some(signer)) if root == before => signer.map(|key| (key, root)),
                (Plan::Verify(root), Ok(record), _) => keys[&root].judge(record).map(|key| (key, root)),
                (Plan::Verify(_), Err(error), _) => Err(error.clone().into()),
            };
            verdict(index, bytes, record, decided)
        })
        .collect()
}

fn verdict(
    index: u64,
    bytes: &[u8],
    record: Parsed,
    decided: Result<(VerifierKey, u64), InvalidReason>,
) -> Judged {
    let invalid =
        |reason, leaf| Judged { index, leaf, verdict: Verdict::Invalid { reason, bytes: bytes.to_vec() } };
    match (record, decided) {
        (Ok(record), Ok((key, root))) => {
            let leaf = record.leaf();
            Judged { index, leaf, verdict: Verdict::Valid { record, key, root } }
        }
        (Ok(record), Err(reason)) => invalid(reason, record.leaf()),
        (Err(_), Err(reason)) => invalid(reason, leaf_hash(bytes)),
        (Err(error), Ok(_)) => invalid(error.into(), leaf_hash(bytes)),
    }
}

/// The walk in order.
struct Walk<'a> {
    chain: &'a RootChain,
    /// The keys of every root met in this run.
    keys: BTreeMap<u64, RootKeys>,
}

impl Walk<'_> {
    /// What an entry is, and the phase that it leads to, if another one.
    fn step(
        &mut self,
        origin: &Origin,
        phase: &Phase,
        record: &Parsed,
    ) -> Result<(Plan, Option<Phase>), Pause> {
        match phase {
            Phase::Empty => Ok(match self.open(origin, record)? {
                Ok((opened, key)) => (Plan::Decided(Ok((key, opened.root))), Some(Phase::Open(opened))),
                Err(reason) => (reason.into(), Some(Phase::Broken)),
            }),
            Phase::Broken => Ok((InvalidReason::NeverOpened.into(), None)),
            Phase::Closed(..) => Ok((InvalidReason::AfterClose.into(), None)),
            Phase::Open(opened) => match placed(origin, record) {
                Ok(record) => self.step_open(origin, opened, record),
                Err(reason) => Ok((reason.into(), None)),
            },
        }
    }

    fn step_open(
        &mut self,
        origin: &Origin,
        opened: &Opened,
        record: &Record,
    ) -> Result<(Plan, Option<Phase>), Pause> {
        let root = opened.root;
        let judged = match record.header.kind.as_str() {
            kind::LOG_OPEN => Err(InvalidReason::OpenedAgain),
            kind::LOG_ROOT => self.moved(root, record)?.map(|(key, root)| {
                let opened = Opened { root, ..opened.clone() };
                (Plan::Decided(Ok((key, root))), Some(Phase::Open(opened)))
            }),
            kind::LOG_CLOSE => self.closed(root, origin, record).map(|(key, next)| {
                (Plan::Decided(Ok((key, root))), Some(Phase::Closed(opened.clone(), next)))
            }),
            _ => {
                self.keys_of(root);
                Ok((Plan::Verify(root), None))
            }
        };
        Ok(judged.unwrap_or_else(|reason| (reason.into(), None)))
    }

    /// Judges a first entry.
    fn open(
        &mut self,
        origin: &Origin,
        record: &Parsed,
    ) -> Result<Result<(Opened, VerifierKey), InvalidReason>, Pause> {
        let open = placed(origin, record).and_then(|record| {
            if record.header.kind == kind::LOG_OPEN {
                LogOpen::read(&record.header, origin).map(|open| (record, open))
            } else {
                Err(InvalidReason::NotOpening { kind: record.header.kind.clone() })
            }
        });
        let (record, LogOpen { readers, root, policy, previous }) = match open {
            Ok(open) => open,
            Err(reason) => return Ok(Err(reason)),
        };
        let judged = self.judge_by_named(root, record)?;
        Ok(judged.map(|key| (Opened { readers, policy, previous, root: root.0 }, key)))
    }

    /// Judges a `log.root`; gives its signer and the new version.
    fn moved(
        &mut self,
        in_force: u64,
        record: &Record,
    ) -> Result<Result<(VerifierKey, u64), InvalidReason>, Pause> {
        let root = match read_root(&record.header) {
            Ok((found, _)) if found <= in_force => {
                return Ok(Err(InvalidReason::RootNotNewer { found, in_force }));
            }
            Ok(root) => root,
            Err(reason) => return Ok(Err(reason)),
        };
        Ok(self.judge_by_named(root, record)?.map(|key| (key, root.0)))
    }

    /// Judges a `log.close`; gives its signer and the successor.
    fn closed(
        &mut self,
        root: u64,
        origin: &Origin,
        record: &Record,
    ) -> Result<(VerifierKey, Origin), InvalidReason> {
        let next = read_next(&record.header, origin)?;
        Ok((self.keys_of(root).judge(record)?, next))
    }

    /// Judges a record by the root that it names itself.
    fn judge_by_named(
        &mut self,
        (version, hash): (u64, Hash),
        record: &Record,
    ) -> Result<Result<VerifierKey, InvalidReason>, Pause> {
        match self.chain.text_hash(version) {
            None => Err(Pause { version }),
            Some(known) if known != hash => Ok(Err(InvalidReason::RootHash { version })),
            Some(_) => Ok(self.keys_of(version).judge(record)),
        }
    }

    fn keys_of(&mut self, version: u64) -> &RootKeys {
        self.keys.entry(version).or_insert_with(|| RootKeys::new(self.chain, version))
    }
}

/// The record, if it may stand in the log as far as its lines say.
fn placed<'a>(origin: &Origin, record: &'a Parsed) -> Result<&'a Record, InvalidReason> {
    let record = record.as_ref().map_err(|error| InvalidReason::Record(error.clone()))?;
    let header = &record.header;
    if header.author != origin.authority {
        return Err(InvalidReason::OtherAuthor { found: header.author.clone() });
    }
    if header.log != *origin {
        return Err(InvalidReason::OtherLog { found: header.log.clone() });
    }
    // In a public log a record of kind `sealed` is one that was published: its blobs are clear.
    match (origin.audience.is_public(), record.is_sealed()) {
        (false, false) if !kind::is_log_kind(&header.kind) => {
            Err(InvalidReason::NotSealed { kind: header.kind.clone() })
        }
        _ => Ok(record),
    }
}

/// So many signatures of one key in a run are worth the tables that make further ones cheap.
const MANY: usize = 128;

/// Every key of one root, ready to verify.
struct RootKeys {
    version: u64,
    keys: Vec<RootKey>,
    /// The first key that signed many records of the run, with its tables. One of them at most: they are large,
    /// and a liar's root may list many keys.
    signs_many: OnceLock<(VerifierKey, PreparedKey)>,
}

struct RootKey {
    listed: ListedKey,
    /// Revoked by this root or one before it: its signatures must not fail, and do not count.
    revoked: bool,
    prepared: PreparedKey,
    /// How many records of the run it signed.
    signed: AtomicUsize,
}

impl RootKeys {
    fn new(chain: &RootChain, version: u64) -> Self {
        let root = chain.at(version);
        let roots = root.into_iter().flat_map(|root| &root.roots).map(|vkey| ListedKey {
            role: Role::Root,
            vkey: vkey.clone(),
            kinds: Vec::new(),
        });
        let listed = root.into_iter().flat_map(|root| root.keys.iter().cloned());
        let ready = |listed: ListedKey| RootKey {
            revoked: chain.revoked_before(version, &listed.vkey),
            prepared: PreparedKey::from(&listed.vkey),
            listed,
            signed: AtomicUsize::new(0),
        };
        Self { version, keys: listed.chain(roots).map(ready).collect(), signs_many: OnceLock::new() }
    }

    /// The first author key that is allowed for the record's kind and signed it, if no key of the root
    /// signed it wrongly.
    fn judge(&self, record: &Record) -> Result<VerifierKey, InvalidReason> {
        let mut signer = None;
        for key in &self.keys {
            match key.check(&record.note, &self.signs_many) {
                Check::Failed => {
                    return Err(InvalidReason::BadSignature { name: key.listed.vkey.name().to_owned() });
                }
                Check::Valid
                    if signer.is_none() && !key.revoked && key.listed.allows(&record.header.kind) =>
                {
                    signer = Some(&key.listed.vkey);
                }
                Check::Valid | Check::Absent => (),
            }
        }
        let kind = || record.header.kind.clone();
        signer.cloned().ok_or_else(|| InvalidReason::NotSigned { kind: kind(), root: self.version })
    }
}

impl RootKey {
    fn check(&self, note: &Note, signs_many: &OnceLock<(VerifierKey, PreparedKey)>) -> Check {
        let vkey = &self.listed.vkey;
        let lines = || note.signatures.iter().filter(|signature| signature.is_by(vkey));
        if lines().next().is_none() {
            return Check::Absent;
        }
        if self.listed.role.key_type() == tlog::KeyType::Ed25519 {
            return note.check_prepared(vkey, self.prepared(signs_many));
        }
        // A cosignature counts for nothing on a record, but one that fails makes the record invalid too.
        if lines().all(|line| verify_cosignature(&note.text, line, vkey).is_ok()) {
            Check::Valid
        } else {
            Check::Failed
        }
    }

    /// The key as it verifies best: after many signatures with tables, if no other key has them.
    fn prepared<'a>(&'a self, signs_many: &'a OnceLock<(VerifierKey, PreparedKey)>) -> &'a PreparedKey {
        if self.signed.fetch_add(1, Ordering::Relaxed) < MANY {
            return &self.prepared;
        }
        let (key, prepared) = signs_many.get_or_init(|| (self.listed.vkey.clone(), self.prepared.for_many()));
        if *key == self.listed.vkey { prepared } else { &self.prepared }
    }
}
