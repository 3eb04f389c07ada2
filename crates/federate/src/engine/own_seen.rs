//! `seen` files of own logs that this state does not count: they lie on this disk, or were lost here and are fetched back from
//! whoever replicated them. New ones are not its subject.

use std::collections::BTreeMap;

use record::{Authority, Origin};
use tlog::{NoteSignature, SignedCheckpoint, verify_cosignature};

use super::kept::write_own_seen;
use super::pending::Pending;
use super::reconcile::Then;
use super::seen::on_disk;
use super::{Answer, Engine, Event, Write, log_keys};
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
        self.reconcile(origin, checkpoint, Then::Seen { n, from: None });
    }

    /// Whether this node may have written this `seen` file: its own line, and besides it only valid ones of the
    /// policy's witnesses. Whoever replicated it cannot slip another line in.
    pub fn is_own_seen(&self, origin: &Origin, checkpoint: &SignedCheckpoint) -> bool {
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

    pub(super) fn own_seen_here_read(&mut self, origin: &Origin, file: Option<&[u8]>) {
        let Some(own) = self.own.get(origin) else { return };
        let (n, kept_size) = (own.kept.seen, own.kept.seen_size);
        let there = file.and_then(|bytes| on_disk(origin, kept_size, bytes));
        let there = there.filter(|there| self.is_own_seen(origin, there));
        let Some(own) = self.own.get_mut(origin) else { return };
        own.lost.here = there.as_ref().map(|there| there.checkpoint.size);
        match there.filter(|there| there.checkpoint.size <= own.size()) {
            Some(there) => self.reconcile(origin, there, Then::Seen { n, from: None }),
            None => own.lost.is_asked = false,
        }
    }

    /// A `seen` file that is of our own tree.
    pub(super) fn keep_own_seen(&mut self, origin: &Origin, n: u64, checkpoint: SignedCheckpoint) {
        let Some(own) = self.own.get_mut(origin) else { return };
        own.round.is_storing = true;
        let size = checkpoint.checkpoint.size;
        let path = places::file(&places::own(origin), &LogFile::Seen(n));
        let writes =
            vec![Write::File { path, bytes: checkpoint.to_bytes() }, write_own_seen(origin, (n + 1, size))];
        let checkpoint = Box::new(checkpoint);
        let events = vec![Event::Seen { origin: origin.clone(), n, checkpoint, replaces: false }];
        let pending = Pending::StoredOwnSeen { origin: origin.clone(), size, is_new: false };
        self.store(writes, events, pending);
    }
}
