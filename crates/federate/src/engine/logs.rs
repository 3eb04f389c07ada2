//! Followed logs: who shows what, from whom it is fetched, and what becomes of verified entries.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use record::{Authority, Judged, Origin, Readers, Verdict};
use tlog::{Checkpoint, Hash, SignedCheckpoint};

use super::blobs::{Note, notes};
use super::kept::write_log;
use super::pending::Pending;
use super::reconcile::Then;
use super::seen::SeenFiles;
use super::wants::Wants;
use super::{
    Answer, Commit, Engine, Event, FOLLOW, FollowedLog, Limits, Output, Write, log_keys, only_lines_of,
};
use crate::alarm::Alarm;
use crate::follow::{Aim, Fault, Follow, Step, Verified, Wanted};
use crate::heads::Head;
use crate::paths::{LogFile, Route};
use crate::places;
use crate::serve::may_read;
use crate::split::{Split, verify_by_one};

/// After so many failures in a row a source is left for a while.
const PATIENCE: u32 = 3;
/// The most sizes of which the root is remembered per log.
const MAX_KNOWN: usize = 256;

/// Who shows a log, and how much of it.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub checkpoint: SignedCheckpoint,
    pub seen: u64,
    pub failures: u32,
    pub not_before: u64,
}

impl Source {
    pub fn size(&self) -> u64 {
        self.checkpoint.checkpoint.size
    }
}

/// One followed log.
// Each flag says of another kind of request whether one is under way.
#[allow(clippy::struct_excessive_bools)]
pub(super) struct Log {
    pub follow: Follow,
    pub sources: BTreeMap<Authority, Source>,
    /// From whom the goal is fetched, and which attempt it is.
    current: Option<Authority>,
    attempt: u64,
    /// What is durable.
    stored: StoredState,
    /// Bytes of the batch that is being stored.
    storing: Option<usize>,
    /// Prepared while the batch before is being stored.
    ready: Option<Ready>,
    /// Roots at sizes that were met, all of our tree.
    pub known: BTreeMap<u64, Hash>,
    pub seen: SeenFiles,
    /// The newest receipt signed here.
    pub held: Option<SignedCheckpoint>,
    pub is_holding: bool,
    pub hold_due: u64,
    pub blobs: Wants,
    pub is_split: bool,
    /// Since when nothing more of it was stored, though somebody shows more.
    behind_since: Option<u64>,
    /// When, and by whom first, the log was told of.
    pub learnt: u64,
    pub told_by: Option<Authority>,
}

/// How far a log is durable.
#[derive(Debug, Clone)]
pub(super) struct StoredState {
    bytes: Vec<u8>,
    size: u64,
    root: Hash,
    verified: Option<SignedCheckpoint>,
    readers: Option<Readers>,
    /// Bytes of the entries that came with it.
    came: u64,
}

impl StoredState {
    fn of(follow: &Follow) -> Self {
        Self {
            bytes: follow.to_bytes(),
            size: follow.size(),
            root: follow.root(),
            verified: follow.verified().cloned(),
            readers: follow.state().readers().cloned(),
            came: 0,
        }
    }
}

/// A store that waits for the one before it.
struct Ready {
    writes: Vec<Write>,
    /// What its entries say of blobs, taken up when the store goes out: no earlier, or a blob could be stored
    /// before the record that names it.
    notes: Vec<Note>,
    events: Vec<Event>,
    state: StoredState,
}

impl Ready {
    fn bytes(&self) -> usize {
        let sizes = self.writes.iter().map(|write| match write {
            Write::File { bytes, .. } => bytes.len(),
            _ => 0,
        });
        sizes.sum()
    }
}

impl Log {
    pub fn new(follow: Follow) -> Self {
        // Whoever publishes to everybody is not told by each of them.
        let names_missing = !follow.state().origin().audience.is_public();
        Self {
            stored: StoredState::of(&follow),
            follow,
            sources: BTreeMap::new(),
            current: None,
            attempt: 0,
            storing: None,
            ready: None,
            known: BTreeMap::new(),
            seen: SeenFiles::new(),
            held: None,
            is_holding: false,
            hold_due: 0,
            blobs: Wants::new(names_missing),
            is_split: false,
            behind_since: None,
            learnt: 0,
            told_by: None,
        }
    }

    /// Goes on from what was stored.
    pub fn take_up(&mut self, follow: Follow) {
        self.stored = StoredState::of(&follow);
        self.follow = follow;
    }

    /// Whether it is being caught up, until the last of it is stored.
    pub fn needs_place(&self) -> bool {
        self.follow.target().is_some() || self.storing.is_some()
    }

    /// What is kept of it beside its entries and their files.
    pub fn kept_bytes(&self) -> u64 {
        self.seen.bytes.saturating_add(self.stored.size.saturating_mul(Limits::PER_ENTRY))
    }

    /// Bytes of it that wait to be stored.
    pub fn storing_bytes(&self) -> usize {
        self.storing.unwrap_or(0) + self.ready.as_ref().map_or(0, Ready::bytes)
    }

    /// Bytes of it in memory, with those that may come.
    pub fn held_bytes(&self) -> usize {
        self.follow.held() + self.storing_bytes()
    }

    pub fn readers(&self) -> Option<&Readers> {
        self.stored.readers.as_ref()
    }

    pub fn stored_verified(&self) -> Option<&SignedCheckpoint> {
        self.stored.verified.as_ref()
    }

    /// A checkpoint of this text that somebody showed before and that the log's key signed.
    fn verified_before(&self, text: &Checkpoint) -> Option<&SignedCheckpoint> {
        self.sources.values().map(|source| &source.checkpoint).find(|known| known.checkpoint == *text)
    }

    pub fn stored_size(&self) -> u64 {
        self.stored.size
    }

    /// The size and root of what is stored.
    pub fn stored_tree(&self) -> (u64, Hash) {
        (self.stored.size, self.stored.root)
    }

    /// As it stands in `/heads`.
    pub fn head(&self) -> Option<Head> {
        let newest = self.stored_verified()?;
        let held = self.held.as_ref().filter(|held| held.checkpoint.size <= newest.checkpoint.size);
        let is_whole = held.is_some_and(|held| held.checkpoint == newest.checkpoint);
        let checkpoint = held.filter(|_| is_whole).unwrap_or(newest).clone();
        Some(Head { checkpoint, seen: self.seen.count, held: held.filter(|_| !is_whole).cloned() })
    }

    pub fn view(&self, origin: &Origin) -> FollowedLog {
        FollowedLog {
            origin: origin.clone(),
            size: self.stored.size,
            shown: self.sources.values().map(Source::size).max().unwrap_or(0).max(self.stored.size),
            readers: self.stored.readers.clone(),
            wanted_blobs: self.blobs.open() as u64,
            held: self.held.as_ref().map_or(0, |held| held.checkpoint.size),
            seen: self.seen.count,
            seen_told: self.seen.told,
            checkpoint: self.stored.verified.clone(),
            is_split: self.is_split,
        }
    }

    pub fn remember(&mut self, size: u64, root: Hash) {
        self.known.insert(size, root);
        while self.known.len() > MAX_KNOWN {
            self.known.pop_first();
        }
    }

    /// When something may be tried again that failed or had to wait; without room for it nothing is fetched.
    pub fn deadline(&self, patience: u64, has_room: bool) -> Option<u64> {
        let wants = |source: &&Source| source.size() > self.follow.size() && self.follow.target().is_none();
        let sources = self.sources.values().filter(wants).map(|source| source.not_before);
        let sources = sources.filter(|_| has_room && !self.is_split);
        let seen = self.seen_deadline(&self.follow.state().origin().authority).filter(|_| has_room);
        let blobs = self.blobs.deadline(has_room && !self.sources.is_empty(), patience);
        let holds = self.holds_due().filter(|_| !self.is_split);
        let behind = self.behind_since.map(|since| since + patience);
        sources.chain(seen).chain(holds).chain(blobs).chain(behind).min()
    }

    /// When the next `seen` file can be had, here or from somebody, if there is a tree by which it can be judged.
    pub fn seen_deadline(&self, author: &Authority) -> Option<u64> {
        let can_be_judged = self.stored.verified.is_some() && !self.is_split;
        can_be_judged.then(|| self.seen.deadline(author, &self.sources, self.stored.size)).flatten()
    }

    pub fn holds_due(&self) -> Option<u64> {
        let newest = self.stored.verified.as_ref()?.checkpoint.size;
        let held = self.held.as_ref().map_or(0, |held| held.checkpoint.size);
        (newest > held && !self.is_holding && self.blobs.open() == 0).then_some(self.hold_due)
    }

    /// Nothing is fetched any more from peers that are gone.
    pub fn leave(&mut self, gone: &BTreeSet<Authority>) {
        self.sources.retain(|source, _| !gone.contains(source));
        if self.current.as_ref().is_some_and(|current| gone.contains(current)) {
            self.let_go();
        }
    }

    /// What is being followed is given up; what was taken stays.
    pub fn let_go(&mut self) {
        self.follow.give_up();
        self.current = None;
    }

    /// Whether somebody shows more than is stored, and it could be had.
    fn is_behind(&self) -> bool {
        let is_shown = || self.sources.values().any(|source| source.size() > self.stored.size);
        !self.is_split && !self.follow.cannot_open() && is_shown()
    }

    /// Who shows more than we have, the best first: the author, then whoever shows most.
    fn best_sources(&self, author: &Authority, now: u64) -> Vec<(Authority, SignedCheckpoint)> {
        let usable = |(_, source): &(&Authority, &Source)| {
            source.size() > self.follow.size() && source.not_before <= now
        };
        let mut all: Vec<(&Authority, &Source)> = self.sources.iter().filter(usable).collect();
        all.sort_by_key(|(name, source)| Reverse((*name == author, source.size())));
        all.into_iter().map(|(name, source)| (name.clone(), source.checkpoint.clone())).collect()
    }
}

impl Engine {
    /// A peer shows a checkpoint of another authority's log. Answers whether it was one that nobody showed before, so that
    /// there was something to verify.
    pub(super) fn log_shown(&mut self, peer: &Authority, origin: &Origin, head: &Head) -> bool {
        let is_known = self.known_checkpoint(origin, &head.checkpoint).is_some();
        let Some(checkpoint) = self.verified_log(peer, origin, &head.checkpoint) else { return true };
        let now = self.now;
        let is_new = !self.logs.contains_key(origin);
        let log = self.log(origin);
        if is_new {
            log.learnt = now;
        }
        if *peer == origin.authority {
            log.seen.told = log.seen.told.max(head.seen);
        }
        if is_new || *peer == origin.authority {
            log.told_by = Some(peer.clone());
        }
        let source = Source { checkpoint: checkpoint.clone(), seen: head.seen, failures: 0, not_before: 0 };
        match log.sources.get_mut(peer) {
            Some(before) => (before.checkpoint, before.seen) = (source.checkpoint, source.seen),
            None => drop(log.sources.insert(peer.clone(), source)),
        }
        self.dirty.insert(origin.clone());
        let log = self.log(origin);
        if checkpoint.checkpoint.size <= log.follow.size() && !log.is_split {
            self.reconcile(origin, checkpoint, Then::Shown { peer: peer.clone() });
        }
        !is_known
    }

    /// Every peer shows the same text: it is verified once, whoever shows it.
    fn known_checkpoint(&self, origin: &Origin, shown: &SignedCheckpoint) -> Option<SignedCheckpoint> {
        self.logs.get(origin).and_then(|log| log.verified_before(&shown.checkpoint)).cloned()
    }

    /// The checkpoint with only the log's own line, if one of the author's log keys signed it.
    fn verified_log(
        &mut self,
        peer: &Authority,
        origin: &Origin,
        checkpoint: &SignedCheckpoint,
    ) -> Option<SignedCheckpoint> {
        let author = self.peers.get(&origin.authority)?;
        if let Some(known) = self.known_checkpoint(origin, checkpoint) {
            return Some(known);
        }
        let chain = &author.config.chain;
        let mut keys = log_keys(chain, origin, false);
        let mut is_by_one = verify_by_one(checkpoint, &keys).is_ok();
        if !is_by_one && self.is_acknowledged(origin, checkpoint) {
            keys = log_keys(chain, origin, true);
            is_by_one = verify_by_one(checkpoint, &keys).is_ok();
        }
        if is_by_one {
            return Some(only_lines_of(checkpoint, &keys));
        }
        // Perhaps by a key of a root that is not known yet.
        if let Some(peer) = self.peers.get_mut(peer) {
            peer.unverified.insert(origin.clone());
        }
        self.ask_next_root(&origin.authority, peer);
        None
    }

    pub(super) fn run_due_logs(&mut self) {
        while let Some(origin) = self.agenda.pop(self.now) {
            self.dirty.insert(origin);
        }
    }

    pub(super) fn run_log(&mut self, origin: &Origin) {
        if !self.has_room(&origin.authority)
            && let Some(log) = self.logs.get_mut(origin)
        {
            // Its place is needed by others.
            log.let_go();
        }
        self.aim(origin);
        self.advance(origin);
        self.fetch_wanted(origin);
        self.run_seen(origin);
        self.run_wants(origin);
        self.run_hold(origin);
        self.look_behind(origin);
    }

    /// Says once of a log that nothing more of it comes from somebody who answers, and shows more.
    fn look_behind(&mut self, origin: &Origin) {
        let (now, patience) = (self.now, self.config.limits.missing_after);
        let Some(log) = self.logs.get_mut(origin) else { return };
        if !log.is_behind() {
            log.behind_since = None;
            return;
        }
        let since = *log.behind_since.get_or_insert(now);
        if now < since + patience {
            return;
        }
        log.behind_since = Some(now);
        let stored = log.stored_size();
        let ahead = log.sources.iter().filter(|(_, source)| source.size() > stored);
        let is_well = |name: &&Authority| self.peers.get(*name).is_some_and(super::Peer::is_well);
        let from: Vec<Authority> = ahead.map(|(name, _)| name).filter(is_well).cloned().collect();
        for from in from {
            self.ring(Alarm::Behind { origin: origin.clone(), from });
        }
    }

    fn aim(&mut self, origin: &Origin) {
        let (now, places) = (self.now, self.config.limits.logs_at_once);
        let Some(log) = self.logs.get(origin) else { return };
        // What is being stored has its place still.
        let has_room = self.has_room(&origin.authority);
        if log.is_split || log.needs_place() || log.follow.cannot_open() || !has_room {
            return;
        }
        let sources = log.best_sources(&origin.authority, now);
        let Some((best, _)) = sources.first().cloned() else { return };
        let free = sources.into_iter().find(|(peer, _)| self.slots.has_place(peer, places));
        let Some((peer, checkpoint)) = free else { return self.slots.wait(&best, origin) };
        let pace = self.pace(origin, &peer);
        let Some(log) = self.logs.get_mut(origin) else { return };
        match log.follow.aim(&checkpoint, pace) {
            Aim::Begun => {
                log.attempt += 1;
                log.current = Some(peer.clone());
                self.dirty.extend(self.slots.take(&peer, origin));
            }
            Aim::Split(split) => self.split_found(origin, &split),
            Aim::Known | Aim::Older | Aim::Busy => {}
        }
    }

    fn fetch_wanted(&mut self, origin: &Origin) {
        let Some(peer) = self.logs.get(origin).and_then(|log| log.current.clone()) else { return };
        let pace = self.pace(origin, &peer);
        let Some(log) = self.logs.get_mut(origin) else { return };
        let (wanted, attempt) = (log.follow.wanted(pace), log.attempt);
        for Wanted { file, limit } in wanted {
            let route = Self::route_of(&peer, origin, file.clone());
            let pending = Pending::File { origin: origin.clone(), peer: peer.clone(), attempt, file };
            self.fetch_up_to(&peer, route, limit, pending);
        }
    }

    /// Where a peer has a file of a log: on its own node, or in its mirror.
    pub(super) fn route_of(peer: &Authority, origin: &Origin, file: LogFile) -> Route {
        if *peer == origin.authority { Route::log(origin, file) } else { Route::mirror(origin, file) }
    }

    pub(super) fn file_answered(
        &mut self,
        origin: &Origin,
        peer: &Authority,
        attempt: u64,
        file: &LogFile,
        answer: Answer,
    ) {
        let Some(log) = self.logs.get_mut(origin) else { return };
        if log.attempt != attempt || log.current.is_none() {
            return;
        }
        match answer {
            Answer::Response { status: 200, body, .. } if body.len() <= file.limit() => {
                log.follow.supply(file, body);
                if let Some(source) = log.sources.get_mut(peer) {
                    source.failures = 0;
                }
            }
            // It was allowed less than it may have.
            Answer::TooLarge if log.follow.too_large(file) => {}
            Answer::Response { status: 200, .. } | Answer::TooLarge => {
                self.source_faulty(origin, peer, Fault::TooLarge);
            }
            Answer::Response { status: 404, .. } if log.follow.gone(file) => {}
            Answer::Response { .. } | Answer::File { .. } | Answer::Failed => {
                // What it would have taken of the memory is free for those beside it.
                self.dirty.extend(self.slots.beside(origin));
                // One lost answer is no reason to begin anew; several are.
                let failures = log.sources.get_mut(peer).map_or(PATIENCE, |source| {
                    source.failures += 1;
                    source.failures
                });
                if failures < PATIENCE {
                    log.follow.failed(file);
                } else {
                    self.source_failed(origin, peer);
                }
            }
        }
        self.dirty.insert(origin.clone());
    }

    /// A source did not answer: another one, or the same later. What was verified stays.
    fn source_failed(&mut self, origin: &Origin, peer: &Authority) {
        let failures =
            self.logs.get(origin).and_then(|log| log.sources.get(peer)).map_or(1, |s| s.failures + 1);
        let wait = self.back_off(failures);
        let now = self.now;
        let Some(log) = self.logs.get_mut(origin) else { return };
        if let Some(source) = log.sources.get_mut(peer) {
            (source.failures, source.not_before) = (failures, now + wait);
        }
        log.follow.give_up();
        log.current = None;
    }

    fn source_faulty(&mut self, origin: &Origin, peer: &Authority, fault: Fault) {
        let target = self.logs.get(origin).and_then(|log| log.follow.target()).map(|t| t.checkpoint.clone());
        self.source_failed(origin, peer);
        self.fault_found(origin, peer, fault, target.map_or((0, tlog::EMPTY_ROOT), |t| (t.size, t.root)));
    }

    fn fault_found(&mut self, origin: &Origin, peer: &Authority, fault: Fault, target: (u64, Hash)) {
        let (size, root) = target;
        let from = peer.clone();
        match fault {
            Fault::Key => self.ring(Alarm::CheckpointKey { origin: origin.clone(), size, from }),
            Fault::NotOurs | Fault::Contradicts => {
                self.ring(Alarm::ForeignHeadOfOwnLog { origin: origin.clone(), size, root, from });
                self.stop_signing(origin);
            }
            _ => {
                self.ring(Alarm::Misbehaves {
                    peer: from,
                    origin: Some(origin.clone()),
                    fault: fault.code(),
                });
            }
        }
    }

    fn advance(&mut self, origin: &Origin) {
        let Some(from) = self.logs.get(origin).and_then(|log| log.current.clone()) else { return };
        let pace = self.pace(origin, &from);
        loop {
            let chain = match self.peers.get(&origin.authority) {
                Some(peer) => &peer.config.chain,
                None => match &self.own_chain {
                    Some(chain) if origin.authority == self.config.me => chain,
                    _ => return,
                },
            };
            let Some(log) = self.logs.get_mut(origin) else { return };
            let (Some(peer), false) = (log.current.clone(), log.ready.is_some()) else { return };
            let target = log.follow.target().map(|t| (t.checkpoint.size, t.checkpoint.root));
            match log.follow.advance(chain, pace) {
                Step::Idle => return,
                Step::NeedsRoot(version) => return self.need_root(&origin.authority, version, &peer),
                Step::Entries(verified) => self.entries_verified(origin, *verified),
                Step::Fault(fault) => {
                    self.source_failed(origin, &peer);
                    self.fault_found(origin, &peer, fault, target.unwrap_or((0, tlog::EMPTY_ROOT)));
                    self.dirty.insert(origin.clone());
                    return;
                }
                Step::Split(split) => return self.split_found(origin, &split),
            }
        }
    }

    fn entries_verified(&mut self, origin: &Origin, verified: Verified) {
        let me = self.config.me.clone();
        let is_own = origin.authority == me;
        let Some(log) = self.logs.get_mut(origin) else { return };
        if log.follow.target().is_none() {
            log.current = None;
        }
        if log.follow.cannot_open() && !is_own {
            // Whatever follows counts for nothing: nothing more of it is fetched.
            log.follow.give_up();
            log.current = None;
        }
        let came = verified.judged.iter().map(Judged::length).sum();
        let state = StoredState { came, ..StoredState::of(&log.follow) };
        // A restricted log that is not for us is not kept: whoever showed it gave away its readers.
        if !may_read(Some(&me), state.readers.as_ref()) && log.follow.state().root_in_force() != 0 {
            let from = log.sources.keys().next().cloned().unwrap_or_else(|| origin.authority.clone());
            self.logs.remove(origin);
            return self.ring(Alarm::NotForUs { origin: origin.clone(), from });
        }
        log.remember(log.follow.size(), log.follow.root());
        let prefix = if is_own { places::own(origin) } else { places::mirror(origin) };
        // The checkpoint of an own log is published only by whoever writes its head.
        let is_kept = |path: &str| !(is_own && path == LogFile::Checkpoint.path());
        let files = verified.files.into_iter().filter(|(path, _)| is_kept(path));
        let mut writes: Vec<Write> =
            files.map(|(path, bytes)| Write::File { path: format!("{prefix}{path}"), bytes }).collect();
        let commit = Commit {
            origin: origin.clone(),
            from: verified.from,
            to: verified.to,
            state: log.follow.state().clone(),
            checkpoint: verified.reached.clone(),
            judged: verified.judged,
        };
        // Whoever lost entries of its own log has perhaps lost the blobs that they name.
        let noted = notes(&commit.judged, self.now);
        if let Some(checkpoint) = verified.reached.filter(|_| is_own) {
            writes.push(Write::Head { origin: origin.clone(), checkpoint });
        }
        self.alarm_invalid(&commit);
        let ready = Ready { writes, notes: noted, events: vec![Event::Entries(Box::new(commit))], state };
        let Some(log) = self.logs.get_mut(origin) else { return };
        log.ready = Some(ready);
        self.store_ready(origin);
    }

    fn alarm_invalid(&mut self, commit: &Commit) {
        for judged in &commit.judged {
            if let Verdict::Invalid { reason, .. } = &judged.verdict {
                let (origin, index, reason) = (commit.origin.clone(), judged.index, reason.to_string());
                self.ring(Alarm::InvalidEntry { origin, index, reason });
            }
        }
    }

    /// Stores of one log go out one after the other, so that none is durable without those before it.
    fn store_ready(&mut self, origin: &Origin) {
        let Some(log) = self.logs.get_mut(origin) else { return };
        if log.storing.is_some() {
            return;
        }
        let Some(ready) = log.ready.take() else { return };
        log.storing = Some(ready.bytes());
        let Ready { mut writes, notes, mut events, state } = ready;
        let (wants, lacks) = self.take_notes(origin, notes);
        events.extend(lacks);
        // First what is wanted of the entries, then that they are here: no crash comes between.
        if origin.authority == self.config.me {
            writes.splice(0..0, wants);
        } else {
            writes.extend(wants);
            let (key, value) = (origin.to_string(), Some(state.bytes.clone()));
            writes.push(Write::Cell { space: FOLLOW, key, value });
        }
        self.store(writes, events, Pending::StoredBatch { origin: origin.clone(), state: Box::new(state) });
        self.dirty.insert(origin.clone());
    }

    pub(super) fn batch_stored(&mut self, origin: &Origin, state: StoredState, done: bool) {
        let is_own = origin.authority == self.config.me;
        let Some(log) = self.logs.get_mut(origin) else { return };
        log.storing = None;
        if !done {
            // Whatever went on in memory goes back to what is certain.
            log.ready = None;
            (log.current, log.attempt) = (None, log.attempt + 1);
            match Follow::from_bytes(&log.stored.bytes).filter(|_| !is_own) {
                Some(follow) => log.follow = follow,
                None => drop(self.logs.remove(origin)),
            }
            return self.source_waits(origin);
        }
        let (first, is_reached) = (log.stored.size == 0, state.verified.is_some());
        let (kept, came) = ((state.size - log.stored.size) * Limits::PER_ENTRY, state.came);
        (log.stored, log.behind_since) = (state, None);
        self.room_taken(&origin.authority, kept, came);
        // Memory that they share is free again.
        self.dirty.extend(self.slots.beside(origin));
        self.store_ready(origin);
        self.dirty.insert(origin.clone());
        if is_own {
            if is_reached {
                self.caught_up(origin);
            }
            return;
        }
        if first || is_reached {
            self.siblings_changed(&origin.authority);
        }
        self.out.push(Output::HeadsChanged);
    }

    /// After a failed store: not again at once.
    fn source_waits(&mut self, origin: &Origin) {
        let later = self.now + self.config.limits.retry_first;
        if let Some(log) = self.logs.get_mut(origin) {
            for source in log.sources.values_mut() {
                source.not_before = source.not_before.max(later);
            }
        }
        self.dirty.insert(origin.clone());
    }

    /// Two views of a log: the evidence is kept, and neither is followed any further.
    pub(super) fn split_found(&mut self, origin: &Origin, split: &Split) {
        let bytes = split.to_bytes();
        let evidence = places::evidence(&tlog::sha256(&bytes));
        let mut writes = vec![Write::File { path: evidence.clone(), bytes }];
        if let Some(log) = self.logs.get_mut(origin).filter(|_| origin.authority != self.config.me) {
            log.is_split = true;
            log.follow.give_up();
            log.current = None;
            writes.push(write_log(origin, &log.seen, true));
        }
        self.store(writes, Vec::new(), Pending::Unwatched);
        let (size, other_size) = (split.smaller.checkpoint.size, split.larger.checkpoint.size);
        self.ring(Alarm::SplitView { origin: origin.clone(), size, other_size, evidence });
        self.stop_signing(origin);
    }
}
