//! How a followed log is caught up: from whom it is fetched, and what becomes of what came. It is looked at in
//! [`super::logs`]; every byte is verified in [`crate::follow`].

use record::{Authority, Judged, Origin, Verdict};
use tlog::Hash;

use super::blobs::notes;
use super::kept::write_log;
use super::logs::{Ready, StoredState};
use super::pending::Pending;
use super::{Answer, Commit, Engine, Event, FOLLOW, Write};
use crate::alarm::Alarm;
use crate::follow::{Aim, Fault, Follow, Step, Verified, Wanted};
use crate::footprint;
use crate::paths::{LogFile, Route};
use crate::places;
use crate::serve::may_read;
use crate::split::Split;

/// After so many failures in a row a source is left for a while.
const PATIENCE: u32 = 3;

impl Engine {
    pub(super) fn aim(&mut self, origin: &Origin) {
        let (now, places) = (self.now, self.config.limits.logs_at_once);
        self.overtake(origin);
        let Some(log) = self.logs.get(origin) else { return };
        // What is being stored has its place still.
        let takes_entries = self.takes_entries(&origin.authority);
        if log.is_split || log.needs_place() || log.follow.cannot_open() || !takes_entries {
            return;
        }
        let sources = log.best_sources(&origin.authority, now);
        let best = sources.first().map(|(peer, _)| peer.clone());
        let free = sources.into_iter().find(|(peer, _)| self.slots.has_place(peer, origin, places));
        let waits_for = best.filter(|_| free.is_none());
        if let Some(log) = self.logs.get_mut(origin) {
            log.waits_since = waits_for.is_some().then_some(now);
        }
        if let Some(best) = waits_for {
            self.slots.wait(&best, origin);
        }
        let Some((peer, checkpoint)) = free else { return };
        let pace = self.pace(origin, &peer);
        let Some(log) = self.logs.get_mut(origin) else { return };
        match log.follow.aim(&checkpoint, pace) {
            Aim::Begun => {
                log.attempt += 1;
                log.copies.begin(now);
                log.current = Some(peer.clone());
                self.dirty.extend(self.slots.take(&peer, origin));
            }
            Aim::Split(split) => self.split_found(origin, &split),
            Aim::Known | Aim::Older | Aim::Busy => {}
        }
    }

    pub(super) fn fetch_wanted(&mut self, origin: &Origin) {
        let Some(peer) = self.logs.get(origin).and_then(|log| log.current.clone()) else { return };
        let pace = self.pace(origin, &peer);
        let Some(log) = self.logs.get_mut(origin) else { return };
        let (wanted, attempt) = (log.follow.wanted(pace), log.attempt);
        log.copies.asked(wanted.len(), self.now);
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
        let now = self.now;
        let Some(log) = self.logs.get_mut(origin) else { return };
        if log.attempt != attempt || log.current.is_none() {
            return self.late_answer(origin, peer, attempt, &answer);
        }
        log.copies.answered(matches!(answer, Answer::Response { status: 200, .. }), now);
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
                // One lost answer is no reason to begin anew; several are, and one of a copier if somebody else has it.
                let has_other = *peer != origin.authority && log.has_other(peer);
                let patience = if has_other { 1 } else { PATIENCE };
                let failures = log.sources.get_mut(peer).map_or(PATIENCE, |source| {
                    source.failures += 1;
                    source.failures
                });
                if failures < patience {
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
        self.copy_failed(origin, peer);
        let failures =
            self.logs.get(origin).and_then(|log| log.sources.get(peer)).map_or(1, |s| s.failures + 1);
        let wait = self.back_off(failures);
        let now = self.now;
        let Some(log) = self.logs.get_mut(origin) else { return };
        if let Some(source) = log.sources.get_mut(peer) {
            (source.failures, source.not_before) = (failures, now + wait);
        }
        log.let_go();
        self.break_off(origin);
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

    pub(super) fn advance(&mut self, origin: &Origin) {
        let Some(from) = self.logs.get(origin).and_then(|log| log.current.clone()) else { return };
        let pace = self.pace(origin, &from);
        // A batch that is verified may name so much that no more is taken.
        while self.takes_entries(&origin.authority) {
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
        if log.follow.target().is_none()
            && let Some(from) = log.current.take()
        {
            log.copies.forgive(&from);
        }
        if log.follow.cannot_open() && !is_own {
            // Whatever follows counts for nothing: nothing more of it is fetched.
            log.let_go();
            self.break_off(origin);
        }
        let Some(log) = self.logs.get_mut(origin) else { return };
        let said =
            |judged: &Judged| footprint::said(judged.length(), judged.record().map_or(0, footprint::lines));
        let came = verified.judged.iter().map(said).sum();
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
        let (before, came) = (log.kept_bytes(), state.came);
        (log.stored, log.behind_since) = (state, None);
        let kept = log.kept_bytes() - before;
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
        self.heads_changed(&origin.authority);
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
