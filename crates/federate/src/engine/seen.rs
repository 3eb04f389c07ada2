//! `seen` files of followed logs: archived checkpoints with their cosignatures, replicated in order.
//!
//! Only the author numbers them (protocol section 4): no more are taken, from anybody, than the author itself has shown,
//! and what came from somebody else is compared with the author's and gives way to it. What others may add without a
//! number is not taken here.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use record::root::Role;
use record::{Authority, Origin, RootChain};
use tlog::{NoteSignature, SignedCheckpoint, verify_cosignature};

use super::kept::write_log;
use super::logs::Source;
use super::pending::Pending;
use super::reconcile::Then;
use super::{Answer, Engine, Event, Output, Write, log_keys};
use crate::footprint;
use crate::paths::LogFile;
use crate::places;
use crate::split::verify_by_one;

/// So many times in a row a file that does not come is asked for again soon.
const SOON: u32 = 5;

/// The `seen` files of one followed log.
#[derive(Debug, Clone)]
pub(super) struct SeenFiles {
    /// How many are here, and the size of the last one.
    pub count: u64,
    pub size: u64,
    /// How many the author itself has shown.
    pub told: u64,
    /// How many of those that are here are as the author gave them, counted from the first.
    pub sure: u64,
    /// What they take on this disk.
    pub bytes: u64,
    /// Whether one is being fetched, read or stored.
    is_asked: bool,
    /// Whether it waits for a place at a peer.
    is_waiting: bool,
    not_before: u64,
    /// The size of the tree from which on this disk is asked for one beyond the count; `None` when there is none.
    here: Option<u64>,
    /// How often in a row none came, or something else.
    failures: u32,
}

/// Which file is asked for next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// One that came from somebody else, as its author has it.
    Compared(u64),
    /// The one behind those that are here.
    Further(u64),
}

impl SeenFiles {
    pub fn new() -> Self {
        Self {
            count: 0,
            size: 0,
            told: 0,
            sure: 0,
            bytes: 0,
            is_asked: false,
            is_waiting: false,
            not_before: 0,
            here: Some(0),
            failures: 0,
        }
    }

    /// Whether one is being fetched, read or stored.
    pub fn is_asked(&self) -> bool {
        self.is_asked
    }

    fn looks_here(&self, size: u64) -> bool {
        self.here.is_some_and(|at| at <= size)
    }

    fn next(&self, author: &Authority, sources: &BTreeMap<Authority, Source>) -> Option<Next> {
        let by_author = sources.get(author).map_or(0, |source| source.seen);
        let is_unsure = self.sure < self.count.min(self.told) && by_author > self.sure;
        let is_shown = self.count < self.told && sources.values().any(|source| source.seen > self.count);
        // Where the author does not answer, others go on.
        if is_unsure && !(is_shown && self.failures % 2 == 1) {
            return Some(Next::Compared(self.sure));
        }
        is_shown.then_some(Next::Further(self.count))
    }

    /// When the next one can be had, by the entries that are here.
    pub fn deadline(
        &self,
        author: &Authority,
        sources: &BTreeMap<Authority, Source>,
        size: u64,
    ) -> Option<u64> {
        let is_to_be_had = self.looks_here(size) || self.next(author, sources).is_some();
        (!self.is_asked && !self.is_waiting && is_to_be_had).then_some(self.not_before)
    }

    /// Whom to ask: the author, then, each time that nothing comes, the next who shows it.
    fn whom(&self, n: u64, author: &Authority, sources: &BTreeMap<Authority, Source>) -> Option<Authority> {
        let mut showing: Vec<(&Authority, &Source)> =
            sources.iter().filter(|(_, source)| source.seen > n).collect();
        showing.sort_by_key(|(name, source)| Reverse((*name == author, source.seen)));
        let turn = usize::try_from(self.failures).unwrap_or(0).checked_rem(showing.len())?;
        Some(showing.get(turn)?.0.clone())
    }
}

impl Engine {
    pub(super) fn read_seen_here(&mut self, origin: &Origin, path: String) {
        let id = self.ask(Pending::SeenHere { origin: origin.clone() });
        self.out.push(Output::Read { id, paths: vec![path] });
    }

    /// Files beyond the count: a state that was restored, or a crash between a file and its count, leaves them here. The
    /// index reads them, so they are counted, and shown to readers like the others.
    pub(super) fn seen_here_read(&mut self, origin: &Origin, file: Option<&[u8]>) {
        if origin.authority == self.config.me {
            return self.own_seen_here_read(origin, file);
        }
        let Some(log) = self.logs.get_mut(origin) else { return };
        (log.seen.is_asked, log.seen.here) = (false, None);
        self.dirty.insert(origin.clone());
        let (n, kept_size, size) = (log.seen.count, log.seen.size, log.stored_size());
        let there = file.and_then(|bytes| on_disk(origin, kept_size, bytes));
        let Some(there) = there.filter(|there| self.fault_of_seen(origin, there).is_none()) else { return };
        let Some(log) = self.logs.get_mut(origin) else { return };
        // Of entries that are not here, it waits for them.
        log.seen.here = Some(there.checkpoint.size);
        if there.checkpoint.size <= size {
            log.seen.is_asked = true;
            self.reconcile(origin, there, Then::Seen { n, from: None });
        }
    }

    pub(super) fn run_seen(&mut self, origin: &Origin) {
        let (now, author) = (self.now, &origin.authority);
        let has_room = self.has_room(author);
        let Some(log) = self.logs.get_mut(origin) else { return };
        let is_due = log.seen_deadline(author).is_some_and(|due| due <= now);
        if !is_due || *author == self.config.me || !has_room {
            return;
        }
        if log.seen.looks_here(log.stored_size()) {
            log.seen.is_asked = true;
            let path = places::file(&places::mirror(origin), &LogFile::Seen(log.seen.count));
            return self.read_seen_here(origin, path);
        }
        let (n, peer) = match log.seen.next(author, &log.sources) {
            Some(Next::Compared(n)) => (n, Some(author.clone())),
            Some(Next::Further(n)) => (n, log.seen.whom(n, author, &log.sources)),
            None => return,
        };
        let Some(peer) = peer else { return };
        if !self.seen_slots.has_place(&peer, origin, self.config.limits.seen_at_once) {
            log.seen.is_waiting = true;
            return self.seen_slots.wait(&peer, origin);
        }
        log.seen.is_asked = true;
        let next = self.seen_slots.take(&peer, origin);
        self.seen_may_go_on(next);
        let route = Self::route_of(&peer, origin, LogFile::Seen(n));
        let pending = Pending::Seen { origin: origin.clone(), peer: peer.clone(), n };
        self.fetch(&peer, route, pending);
    }

    /// Logs that waited for a place look again.
    pub(super) fn seen_may_go_on(&mut self, logs: impl IntoIterator<Item = Origin>) {
        for origin in logs {
            if let Some(log) = self.logs.get_mut(&origin) {
                log.seen.is_waiting = false;
            }
            self.dirty.insert(origin);
        }
    }

    pub(super) fn seen_answered(&mut self, origin: &Origin, peer: &Authority, n: u64, answer: Answer) {
        let next = self.seen_slots.free(origin);
        self.seen_may_go_on(next);
        let Answer::Response { status: 200, body, .. } = answer else { return self.seen_failed(origin) };
        let checkpoint = SignedCheckpoint::parse(&body).ok();
        let checkpoint = checkpoint.filter(|checkpoint| checkpoint.checkpoint.origin == origin.to_string());
        let fault = checkpoint.as_ref().map_or(Some("seen-checkpoint"), |c| self.fault_of_seen(origin, c));
        let Some(log) = self.logs.get(origin) else { return };
        let size = checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.checkpoint.size);
        let falls = n >= log.seen.count && size < log.seen.size;
        let fault = fault.or(falls.then_some("seen-falls"));
        let Some(checkpoint) = checkpoint.filter(|_| fault.is_none()) else {
            return self.seen_spoiled(origin, peer, fault.unwrap_or("seen-checkpoint"));
        };
        if size > log.stored_size() {
            // Its entries come first.
            return self.seen_failed(origin);
        }
        self.reconcile(origin, checkpoint, Then::Seen { n, from: Some(peer.clone()) });
    }

    /// Why a checkpoint cannot be a `seen` file of a followed log, whatever its tree is.
    fn fault_of_seen(&self, origin: &Origin, checkpoint: &SignedCheckpoint) -> Option<&'static str> {
        let Some(author) = self.peers.get(&origin.authority) else { return Some("seen-checkpoint") };
        if verify_by_one(checkpoint, &log_keys(&author.config.chain, origin, true)).is_err() {
            return Some("seen-checkpoint");
        }
        self.has_broken_cosignature(checkpoint).then_some("seen-cosignature")
    }

    /// Whether a line of a witness that is known here is not what that witness signed: kept, it would prove nothing, and
    /// nobody would ask for the file again. Lines of witnesses that are not known yet are kept for later.
    fn has_broken_cosignature(&self, checkpoint: &SignedCheckpoint) -> bool {
        let text = &checkpoint.note.text;
        let is_broken = |line: &NoteSignature| {
            // Its name says whose chain would list the key; nobody else's is looked at.
            let Ok(witness) = Authority::of_key_name(&line.name) else { return false };
            let is_me = witness == self.config.me;
            let chain = self.peers.get(&witness).map(|peer| &peer.config.chain);
            let chain = chain.or(self.own_chain.as_ref().filter(|_| is_me));
            let roots = chain.into_iter().flat_map(RootChain::roots);
            let mut keys = roots.flat_map(|root| root.root.keys_of(Role::Witness)).map(|listed| &listed.vkey);
            keys.any(|key| line.is_by(key) && verify_cosignature(text, line, key).is_err())
        };
        checkpoint.note.signatures.iter().any(is_broken)
    }

    /// What came is no `seen` file, or not the next one. This log's wait for that, longer each time, and nothing else.
    fn seen_spoiled(&mut self, origin: &Origin, peer: &Authority, fault: &'static str) {
        self.accuse(peer, Some(origin), fault);
        let failures = self.logs.get(origin).map_or(0, |log| log.seen.failures.saturating_add(1));
        let until = self.now + self.back_off(failures);
        self.seen_put_off(origin, until);
    }

    /// Tried again soon, for what is missing is mostly on its way; later and later if it does not come.
    pub(super) fn seen_failed(&mut self, origin: &Origin) {
        let soon = self.config.limits.at_most_every;
        if let Some(own) = self.own.get_mut(origin) {
            return own.lost.failed(None, self.now + soon);
        }
        let failures = self.logs.get(origin).map_or(0, |log| log.seen.failures);
        let wait = if failures < SOON { soon } else { self.back_off(failures - SOON + 1) };
        self.seen_put_off(origin, self.now + wait);
    }

    fn seen_put_off(&mut self, origin: &Origin, until: u64) {
        let Some(log) = self.logs.get_mut(origin) else { return };
        log.seen.failures = log.seen.failures.saturating_add(1);
        (log.seen.is_asked, log.seen.not_before) = (false, until);
        self.dirty.insert(origin.clone());
    }

    /// A `seen` file that is of our tree; `from` nobody if it lay on this disk.
    pub(super) fn keep_seen(
        &mut self,
        origin: &Origin,
        n: u64,
        from: Option<&Authority>,
        checkpoint: SignedCheckpoint,
    ) {
        if self.own.contains_key(origin) {
            return self.keep_own_seen(origin, n, checkpoint);
        }
        let Some(log) = self.logs.get(origin) else { return };
        if n < log.seen.count {
            let path = places::file(&places::mirror(origin), &LogFile::Seen(n));
            let pending =
                Pending::SeenCompared { origin: origin.clone(), n, checkpoint: Box::new(checkpoint) };
            let id = self.ask(pending);
            return self.out.push(Output::Read { id, paths: vec![path] });
        }
        let is_authors = from == Some(&origin.authority);
        self.store_seen(origin, n, is_authors, checkpoint);
    }

    /// What lies here in the place of a file as its author has it.
    pub(super) fn seen_compared(
        &mut self,
        origin: &Origin,
        n: u64,
        checkpoint: SignedCheckpoint,
        here: Option<&[u8]>,
    ) {
        if here != Some(&checkpoint.to_bytes()[..]) {
            return self.store_seen(origin, n, true, checkpoint);
        }
        let size = checkpoint.checkpoint.size;
        self.seen_stored(origin, (n, size, 0), true, true);
    }

    fn store_seen(&mut self, origin: &Origin, n: u64, is_authors: bool, checkpoint: SignedCheckpoint) {
        let Some(log) = self.logs.get(origin) else { return };
        let (size, replaces) = (checkpoint.checkpoint.size, n < log.seen.count);
        let file = checkpoint.to_bytes();
        let bytes = footprint::file(file.len() as u64);
        let seen = log.seen.with(n, size, bytes, is_authors);
        let path = places::file(&places::mirror(origin), &LogFile::Seen(n));
        let writes = vec![Write::File { path, bytes: file }, write_log(origin, &seen, log.is_split)];
        let checkpoint = Box::new(checkpoint);
        let events = vec![Event::Seen { origin: origin.clone(), n, checkpoint, replaces }];
        self.store(
            writes,
            events,
            Pending::StoredSeen { origin: origin.clone(), n, size, bytes, is_authors },
        );
    }

    pub(super) fn seen_stored(
        &mut self,
        origin: &Origin,
        (n, size, bytes): (u64, u64, u64),
        is_authors: bool,
        done: bool,
    ) {
        if !done {
            return self.seen_failed(origin);
        }
        let Some(log) = self.logs.get_mut(origin) else { return };
        log.seen = log.seen.with(n, size, bytes, is_authors);
        (log.seen.is_asked, log.seen.failures) = (false, 0);
        self.dirty.insert(origin.clone());
        self.room_taken(&origin.authority, bytes, 0);
        self.heads_changed(&origin.authority);
    }
}

impl SeenFiles {
    /// With one more, or with one that gave way to the author's.
    fn with(&self, n: u64, size: u64, bytes: u64, is_authors: bool) -> Self {
        let mut seen = self.clone();
        seen.bytes += bytes;
        seen.count = seen.count.max(n + 1);
        if n + 1 == seen.count {
            seen.size = size;
        }
        if is_authors && n == seen.sure {
            seen.sure = n + 1;
        }
        seen
    }
}

/// What lies at the next place of an archive, if it can be what belongs there: of this log, and not smaller than the one
/// before.
pub(super) fn on_disk(origin: &Origin, kept: u64, bytes: &[u8]) -> Option<SignedCheckpoint> {
    let there = SignedCheckpoint::parse(bytes).ok()?;
    (there.checkpoint.origin == origin.to_string() && there.checkpoint.size >= kept).then_some(there)
}
