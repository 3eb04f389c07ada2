//! Followed logs: who shows what, how far each is, and when it is looked at. How it is fetched is in [`super::catching_up`].

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use record::{AudienceId, Authority, Origin, Readers};
use tlog::{Checkpoint, Hash, SignedCheckpoint};

use super::blobs::Note;
use super::copies::Copies;
use super::reconcile::Then;
use super::seen::SeenFiles;
use super::wants::Wants;
use super::{Engine, Event, FollowedLog, Write, log_keys, only_lines_of};
use crate::alarm::Alarm;
use crate::follow::Follow;
use crate::footprint;
use crate::heads::Head;
use crate::split::verify_by_one;

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
    pub current: Option<Authority>,
    pub attempt: u64,
    /// How copies of it go.
    pub copies: Copies,
    /// Since when it waits for a place at who shows it best.
    pub waits_since: Option<u64>,
    /// What is durable.
    pub stored: StoredState,
    /// Bytes of the batch that is being stored.
    pub storing: Option<usize>,
    /// Prepared while the batch before is being stored.
    pub ready: Option<Ready>,
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
    pub behind_since: Option<u64>,
    /// When, and by whom first, the log was told of.
    pub learnt: u64,
    pub told_by: Option<Authority>,
}

/// How far a log is durable.
#[derive(Debug, Clone)]
pub(super) struct StoredState {
    pub bytes: Vec<u8>,
    pub size: u64,
    pub root: Hash,
    pub verified: Option<SignedCheckpoint>,
    pub readers: Option<Readers>,
    /// What the entries that came with it say, as it is measured.
    pub came: u64,
}

impl StoredState {
    pub fn of(follow: &Follow) -> Self {
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
pub(super) struct Ready {
    pub writes: Vec<Write>,
    /// What its entries say of blobs, taken up when the store goes out: no earlier, or a blob could be stored
    /// before the record that names it.
    pub notes: Vec<Note>,
    pub events: Vec<Event>,
    pub state: StoredState,
}

impl Ready {
    pub fn bytes(&self) -> usize {
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
            copies: Copies::default(),
            waits_since: None,
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
        let log = if self.stored.size > 0 { footprint::PER_LOG } else { 0 };
        self.seen.bytes.saturating_add(footprint::entries(self.stored.size)).saturating_add(log)
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

    /// When something may be tried again that failed or had to wait; without room for it nothing is fetched, and entries only
    /// where their author's may be taken.
    pub fn deadline(&self, patience: u64, has_room: bool, takes_entries: bool) -> Option<u64> {
        let may_aim =
            takes_entries && !self.is_split && !self.follow.cannot_open() && self.follow.target().is_none();
        let wants = |source: &Source| may_aim && source.size() > self.follow.size();
        let sources = self.sources.iter().filter(|(_, source)| wants(source));
        let sources =
            sources.map(|(name, source)| source.not_before.max(self.copies.laggard(name).not_before));
        // Whoever could be asked when it began to wait has no place: it is told when there is one.
        let sources = sources.filter(|at| self.waits_since.is_none_or(|since| *at > since));
        let author = &self.follow.state().origin().authority;
        let seen = self.seen_deadline(author).filter(|_| has_room);
        let blobs = self.blobs.deadline(has_room && !self.sources.is_empty(), patience);
        let holds = self.holds_due().filter(|_| !self.is_split);
        let behind = self.behind_since.map(|since| since + patience);
        let overtaken = self.overtaken(author).filter(|_| takes_entries);
        let overtaken = overtaken.into_iter().chain(self.file_overtaken());
        sources.chain(overtaken).chain(seen).chain(holds).chain(blobs).chain(behind).min()
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
        for peer in gone {
            self.copies.forgive(peer);
        }
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

    /// Who shows more than we have, the best first: the author, then whoever copied best, then whoever shows most.
    pub fn best_sources(&self, author: &Authority, now: u64) -> Vec<(Authority, SignedCheckpoint)> {
        let lags = |name: &Authority| self.copies.laggard(name);
        let usable = |(name, source): &(&Authority, &Source)| {
            source.size() > self.follow.size() && source.not_before <= now && lags(name).not_before <= now
        };
        let mut all: Vec<(&Authority, &Source)> = self.sources.iter().filter(usable).collect();
        all.sort_by_key(|(name, source)| (*name != author, lags(name).count, Reverse(source.size())));
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

    /// Whether a peer showed exactly this before, and nothing is left to be compared with it.
    pub(super) fn is_shown_already(&self, peer: &Authority, origin: &Origin, head: &Head) -> bool {
        let Some(log) = self.logs.get(origin) else { return false };
        let shown = &head.checkpoint.checkpoint;
        let is_same = |source: &Source| source.checkpoint.checkpoint == *shown && source.seen == head.seen;
        let is_ahead = shown.size > log.follow.size();
        let is_ours = || {
            let newest = log.stored_verified().is_some_and(|newest| newest.checkpoint == *shown);
            newest || log.known.get(&shown.size) == Some(&shown.root)
        };
        log.sources.get(peer).is_some_and(is_same) && (log.is_split || is_ahead || is_ours())
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

    /// Whether entries of an author are taken: there is room for them on this disk, and not too much that is named by those
    /// before is awaited.
    pub(super) fn takes_entries(&self, author: &Authority) -> bool {
        self.has_room(author) && (*author == self.config.me || !self.backlog.is_full(author))
    }

    pub(super) fn run_log(&mut self, origin: &Origin) {
        #[cfg(test)]
        {
            self.looks += 1;
        }
        if !self.takes_entries(&origin.authority)
            && let Some(log) = self.logs.get_mut(origin)
        {
            // Its place is needed by others.
            log.let_go();
            self.break_off(origin);
        }
        self.aim(origin);
        self.advance(origin);
        self.fetch_wanted(origin);
        self.run_seen(origin);
        self.overtake_files(origin);
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
}

/// The followed logs of an author.
pub(super) fn logs_of<'a>(
    logs: &'a BTreeMap<Origin, Log>,
    author: &'a Authority,
) -> impl Iterator<Item = (&'a Origin, &'a Log)> {
    logs.range(first_of(author)..).take_while(move |(origin, _)| origin.authority == *author)
}

/// What the origins of an author's logs begin with, in their order.
pub(super) fn first_of(author: &Authority) -> Origin {
    Origin { authority: author.clone(), audience: AudienceId::Public, year: 0, n: None }
}
