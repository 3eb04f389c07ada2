//! `seen` files: archived checkpoints with their cosignatures. Those of followed logs are replicated in order; those
//! of own logs that were lost here are fetched back from whoever replicated them.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use record::root::Role;
use record::{Authority, Origin, RootChain};
use tlog::{NoteSignature, SignedCheckpoint, VerifierKey, verify_cosignature};

use super::kept::{write_log, write_own_seen};
use super::logs::Source;
use super::pending::Pending;
use super::reconcile::Then;
use super::{Answer, Engine, Event, Output, Write, log_keys};
use crate::paths::LogFile;
use crate::places;
use crate::split::verify_by_one;

/// Which `seen` files of an own log are beyond its count: on this disk, or with others.
#[derive(Debug)]
pub(super) struct LostSeen {
    /// The size of the tree from which on this disk is looked at; `None` when nothing more lies there.
    here: Option<u64>,
    /// How many each peer shows.
    shown: BTreeMap<Authority, u64>,
    pub is_asked: bool,
    not_before: u64,
}

impl LostSeen {
    pub fn new() -> Self {
        Self { here: Some(0), shown: BTreeMap::new(), is_asked: false, not_before: 0 }
    }

    pub fn shown(&mut self, peer: &Authority, count: u64) {
        self.shown.insert(peer.clone(), count);
    }

    fn may_be_here(&self, size: u64) -> bool {
        self.here.is_some_and(|at| at <= size)
    }

    /// Somebody who shows more than are counted.
    fn source(&self, count: u64) -> Option<&Authority> {
        self.shown.iter().find(|(_, shown)| **shown > count).map(|(peer, _)| peer)
    }

    /// When more can be had, by the count and the size of the log.
    pub fn deadline(&self, count: u64, size: u64) -> Option<u64> {
        let is_to_be_had = self.may_be_here(size) || self.source(count).is_some();
        (!self.is_asked && is_to_be_had).then_some(self.not_before)
    }

    /// Who did not give what it shows is not asked again before it shows it again.
    pub fn failed(&mut self, from: Option<&Authority>, not_before: u64) {
        (self.is_asked, self.not_before) = (false, not_before);
        if let Some(from) = from {
            self.shown.remove(from);
        }
    }
}

/// `seen` files beyond the count: a state that was restored, or a crash between a file and its count, leaves them here.
/// The index reads them, so they are counted, and shown to readers like the others.
impl Engine {
    fn read_seen_here(&mut self, origin: &Origin, path: String) {
        let id = self.ask(Pending::SeenHere { origin: origin.clone() });
        self.out.push(Output::Read { id, paths: vec![path] });
    }

    pub(super) fn seen_here_read(&mut self, origin: &Origin, file: Option<&[u8]>) {
        if origin.authority == self.config.me {
            return self.own_seen_here_read(origin, file);
        }
        let Some(log) = self.logs.get_mut(origin) else { return };
        (log.seen_asked, log.seen_here) = (false, None);
        self.dirty.insert(origin.clone());
        let (n, kept_size, size) = (log.seen, log.seen_size, log.stored_size());
        let there = file.and_then(|bytes| on_disk(origin, kept_size, bytes));
        let Some(there) = there.filter(|there| self.fault_of_seen(origin, there).is_none()) else { return };
        let Some(log) = self.logs.get_mut(origin) else { return };
        // Of entries that are not here, it waits for them.
        log.seen_here = Some(there.checkpoint.size);
        if there.checkpoint.size <= size {
            log.seen_asked = true;
            self.reconcile(origin, there, Then::Seen { n });
        }
    }

    fn own_seen_here_read(&mut self, origin: &Origin, file: Option<&[u8]>) {
        let Some(own) = self.own.get(origin) else { return };
        let (n, kept_size) = (own.kept.seen, own.kept.seen_size);
        let there = file.and_then(|bytes| on_disk(origin, kept_size, bytes));
        let there = there.filter(|there| self.is_own_seen(origin, there));
        let Some(own) = self.own.get_mut(origin) else { return };
        own.lost.here = there.as_ref().map(|there| there.checkpoint.size);
        match there.filter(|there| there.checkpoint.size <= own.size()) {
            Some(there) => self.reconcile(origin, there, Then::Seen { n }),
            None => own.lost.is_asked = false,
        }
    }
}

/// What lies at the next place of an archive, if it can be what belongs there: of this log, and not smaller than the one
/// before.
pub(super) fn on_disk(origin: &Origin, kept: u64, bytes: &[u8]) -> Option<SignedCheckpoint> {
    let there = SignedCheckpoint::parse(bytes).ok()?;
    (there.checkpoint.origin == origin.to_string() && there.checkpoint.size >= kept).then_some(there)
}

impl Engine {
    /// Asks this disk, then whoever shows it, for the next `seen` file of an own log.
    pub(super) fn fetch_lost_seen(&mut self, origin: &Origin) {
        let now = self.now;
        let Some(own) = self.own.get_mut(origin) else { return };
        let (n, size) = (own.kept.seen, own.size());
        if own.round.is_storing || own.lost.deadline(n, size).is_none_or(|due| now < due) {
            return;
        }
        own.lost.is_asked = true;
        if own.lost.may_be_here(size) {
            let path = places::file(&places::own(origin), &LogFile::Seen(n));
            return self.read_seen_here(origin, path);
        }
        let Some(peer) = own.lost.source(n).cloned() else { return };
        let route = Self::route_of(&peer, origin, LogFile::Seen(n));
        let pending = Pending::LostSeen { origin: origin.clone(), peer: peer.clone(), n };
        self.fetch(&peer, route, pending);
    }

    pub(super) fn lost_seen_answered(&mut self, origin: &Origin, peer: &Authority, n: u64, answer: Answer) {
        let later = self.now + self.config.limits.at_most_every;
        let body = match answer {
            Answer::Response { status: 200, body, .. } => body,
            _ => Vec::new(),
        };
        let checkpoint = SignedCheckpoint::parse(&body).ok().filter(|c| self.is_own_seen(origin, c));
        let Some(own) = self.own.get_mut(origin) else { return };
        let Some(checkpoint) = checkpoint.filter(|c| c.checkpoint.size >= own.kept.seen_size) else {
            return own.lost.failed(Some(peer), later);
        };
        if own.kept.seen != n || checkpoint.checkpoint.size > own.size() {
            // Its entries are fetched back first.
            return own.lost.failed(None, later);
        }
        self.reconcile(origin, checkpoint, Then::Seen { n });
    }

    /// Whether this node may have written this `seen` file: its own line, and besides it only valid ones of the
    /// policy's witnesses. Whoever replicated it cannot slip another line in.
    fn is_own_seen(&self, origin: &Origin, checkpoint: &SignedCheckpoint) -> bool {
        let (Some(own), Some(chain)) = (self.own.get(origin), &self.own_chain) else { return false };
        let keys = log_keys(chain, origin, true);
        let is_good = |line: &NoteSignature| {
            keys.iter().any(|key| line.is_by(key))
                || own.policy.witnesses().any(|(_, key, _)| {
                    line.is_by(key) && verify_cosignature(&checkpoint.note.text, line, key).is_ok()
                })
        };
        checkpoint.checkpoint.origin == origin.to_string()
            && verify_by_one(checkpoint, &keys).is_ok()
            && checkpoint.note.signatures.len() > 1
            && checkpoint.note.signatures.iter().all(is_good)
    }

    pub(super) fn run_seen(&mut self, origin: &Origin) {
        let now = self.now;
        let Some(log) = self.logs.get_mut(origin) else { return };
        if log.seen_asked || log.is_split || now < log.seen_not_before || !log.wants_seen() {
            return;
        }
        if origin.authority == self.config.me {
            return;
        }
        let n = log.seen;
        if log.looks_for_seen_here() {
            log.seen_asked = true;
            let path = places::file(&places::mirror(origin), &LogFile::Seen(n));
            return self.read_seen_here(origin, path);
        }
        let showing = log.sources.iter().filter(|(_, source)| source.seen > n);
        let mut showing: Vec<(&Authority, &Source)> = showing.collect();
        showing.sort_by_key(|(name, source)| Reverse((**name == origin.authority, source.seen)));
        // The author first, then, with every one that was none, the next who shows it.
        let turn = usize::try_from(log.seen_spoiled).unwrap_or(0).checked_rem(showing.len());
        let Some(peer) = turn.and_then(|turn| Some(showing.get(turn)?.0.clone())) else { return };
        log.seen_asked = true;
        let route = Self::route_of(&peer, origin, LogFile::Seen(n));
        let pending = Pending::Seen { origin: origin.clone(), peer: peer.clone(), n };
        self.fetch(&peer, route, pending);
    }

    pub(super) fn seen_answered(&mut self, origin: &Origin, peer: &Authority, n: u64, answer: Answer) {
        let Answer::Response { status: 200, body, .. } = answer else { return self.seen_failed(origin) };
        let checkpoint = SignedCheckpoint::parse(&body).ok();
        let checkpoint = checkpoint.filter(|checkpoint| checkpoint.checkpoint.origin == origin.to_string());
        let fault = checkpoint.as_ref().map_or(Some("seen-checkpoint"), |c| self.fault_of_seen(origin, c));
        let Some(checkpoint) = checkpoint.filter(|_| fault.is_none()) else {
            return self.seen_spoiled(origin, peer, fault.unwrap_or("seen-checkpoint"));
        };
        let Some(log) = self.logs.get(origin) else { return };
        let size = checkpoint.checkpoint.size;
        if size > log.stored_size() {
            // Its entries come first.
            return self.seen_failed(origin);
        }
        self.reconcile(origin, checkpoint, Then::Seen { n });
    }

    /// Why a checkpoint cannot be the next `seen` file of a followed log, whatever its tree is.
    fn fault_of_seen(&self, origin: &Origin, checkpoint: &SignedCheckpoint) -> Option<&'static str> {
        let (Some(author), Some(log)) = (self.peers.get(&origin.authority), self.logs.get(origin)) else {
            return Some("seen-checkpoint");
        };
        if verify_by_one(checkpoint, &log_keys(&author.config.chain, origin, true)).is_err() {
            return Some("seen-checkpoint");
        }
        if self.has_broken_cosignature(checkpoint) {
            return Some("seen-cosignature");
        }
        (checkpoint.checkpoint.size < log.seen_size).then_some("seen-falls")
    }

    /// Whether a line of a witness that is known here is not what that witness signed: kept, it would prove nothing, and
    /// nobody would ask for the file again. Lines of witnesses that are not known yet are kept for later.
    fn has_broken_cosignature(&self, checkpoint: &SignedCheckpoint) -> bool {
        let chains = self.peers.values().map(|peer| &peer.config.chain).chain(&self.own_chain);
        let roots = chains.flat_map(RootChain::roots);
        let keys: Vec<&VerifierKey> =
            roots.flat_map(|root| root.root.keys_of(Role::Witness)).map(|listed| &listed.vkey).collect();
        let text = &checkpoint.note.text;
        let is_broken = |line: &NoteSignature| {
            keys.iter().any(|key| line.is_by(key) && verify_cosignature(text, line, key).is_err())
        };
        checkpoint.note.signatures.iter().any(is_broken)
    }

    /// What came is no `seen` file, or not the next one. This log's wait for that, longer each time, and nothing else.
    fn seen_spoiled(&mut self, origin: &Origin, peer: &Authority, fault: &'static str) {
        self.accuse(peer, Some(origin), fault);
        let Some(log) = self.logs.get_mut(origin) else { return };
        log.seen_spoiled = log.seen_spoiled.saturating_add(1);
        let failures = log.seen_spoiled;
        let until = self.now + self.back_off(failures);
        if let Some(log) = self.logs.get_mut(origin) {
            (log.seen_asked, log.seen_not_before) = (false, until);
        }
        self.dirty.insert(origin.clone());
    }

    /// Tried again soon: what is missing is mostly on its way.
    pub(super) fn seen_failed(&mut self, origin: &Origin) {
        let later = self.now + self.config.limits.at_most_every;
        if let Some(own) = self.own.get_mut(origin) {
            return own.lost.failed(None, later);
        }
        let Some(log) = self.logs.get_mut(origin) else { return };
        (log.seen_asked, log.seen_not_before) = (false, later);
        self.dirty.insert(origin.clone());
    }

    /// A `seen` file that is of our tree.
    pub(super) fn keep_seen(&mut self, origin: &Origin, n: u64, checkpoint: SignedCheckpoint) {
        let size = checkpoint.checkpoint.size;
        if let Some(own) = self.own.get_mut(origin) {
            own.round.is_storing = true;
            let path = places::file(&places::own(origin), &LogFile::Seen(n));
            let writes = vec![
                Write::File { path, bytes: checkpoint.to_bytes() },
                write_own_seen(origin, (n + 1, size)),
            ];
            let events = vec![Event::Seen { origin: origin.clone(), n, checkpoint: Box::new(checkpoint) }];
            let pending = Pending::StoredOwnSeen { origin: origin.clone(), size, is_new: false };
            return self.store(writes, events, pending);
        }
        let Some(log) = self.logs.get(origin) else { return };
        let path = places::file(&places::mirror(origin), &LogFile::Seen(n));
        let writes = vec![
            Write::File { path, bytes: checkpoint.to_bytes() },
            write_log(origin, (n + 1, size), log.is_split),
        ];
        let events = vec![Event::Seen { origin: origin.clone(), n, checkpoint: Box::new(checkpoint) }];
        self.store(writes, events, Pending::StoredSeen { origin: origin.clone(), n, size });
    }

    pub(super) fn seen_stored(&mut self, origin: &Origin, n: u64, size: u64, done: bool) {
        if !done {
            return self.seen_failed(origin);
        }
        let Some(log) = self.logs.get_mut(origin) else { return };
        (log.seen_asked, log.seen_spoiled, log.seen, log.seen_size) = (false, 0, n + 1, size);
        self.dirty.insert(origin.clone());
        self.out.push(Output::HeadsChanged);
    }
}
