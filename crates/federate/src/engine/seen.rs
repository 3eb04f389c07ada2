//! `seen` files of followed logs: archived checkpoints with their cosignatures, replicated in order.

use record::{Authority, Origin};
use tlog::SignedCheckpoint;

use super::kept::write_log;
use super::pending::Pending;
use super::reconcile::Then;
use super::{Answer, Engine, Event, Output, Write, log_keys};
use crate::paths::LogFile;
use crate::places;
use crate::split::verify_by_one;

impl Engine {
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
        let showing = log.sources.iter().filter(|(_, source)| source.seen > n);
        let best = showing.max_by_key(|(name, source)| (**name == origin.authority, source.seen));
        let Some(peer) = best.map(|(name, _)| name.clone()) else { return };
        log.seen_asked = true;
        let route = Self::route_of(&peer, origin, LogFile::Seen(n));
        let pending = Pending::Seen { origin: origin.clone(), peer: peer.clone(), n };
        self.fetch(&peer, route, pending);
    }

    pub(super) fn seen_answered(&mut self, origin: &Origin, peer: &Authority, n: u64, answer: Answer) {
        let Answer::Response { status: 200, body, .. } = answer else { return self.seen_failed(origin) };
        let checkpoint = SignedCheckpoint::parse(&body).ok();
        let checkpoint = checkpoint.filter(|checkpoint| checkpoint.checkpoint.origin == origin.to_string());
        let signed = checkpoint.filter(|checkpoint| {
            let Some(author) = self.peers.get(&origin.authority) else { return false };
            verify_by_one(checkpoint, &log_keys(&author.config.chain, origin, true)).is_ok()
        });
        let Some(checkpoint) = signed else {
            self.blame(peer, Some(origin), "seen-checkpoint");
            return self.seen_failed(origin);
        };
        let Some(log) = self.logs.get(origin) else { return };
        let size = checkpoint.checkpoint.size;
        if size < log.seen_size {
            self.blame(peer, Some(origin), "seen-falls");
            return self.seen_failed(origin);
        }
        if size > log.stored_size() {
            // Its entries come first.
            return self.seen_failed(origin);
        }
        self.reconcile(origin, checkpoint, Then::Seen { n });
    }

    /// Tried again soon: what is missing is mostly on its way.
    pub(super) fn seen_failed(&mut self, origin: &Origin) {
        let later = self.now + self.config.limits.at_most_every;
        let Some(log) = self.logs.get_mut(origin) else { return };
        (log.seen_asked, log.seen_not_before) = (false, later);
    }

    /// A `seen` file that is of our tree.
    pub(super) fn keep_seen(&mut self, origin: &Origin, n: u64, checkpoint: SignedCheckpoint) {
        let Some(log) = self.logs.get(origin) else { return };
        let size = checkpoint.checkpoint.size;
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
        (log.seen_asked, log.seen, log.seen_size) = (false, n + 1, size);
        self.dirty.insert(origin.clone());
        self.out.push(Output::HeadsChanged);
    }
}
