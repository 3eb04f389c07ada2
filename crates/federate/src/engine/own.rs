//! Own logs: whether each may sign, what others show of it, and fetching one's own entries back.

use std::collections::{BTreeMap, BTreeSet};

use record::{Authority, Origin, Readers};
use tlog::{Checkpoint, Hash, Policy, SignedCheckpoint};

use super::blobs::cells_of;
use super::logs::{Log, Source};
use super::own_seen::LostSeen;
use super::pending::Pending;
use super::quorum::Lacking;
use super::reconcile::Then;
use super::submit::Round;
use super::wants::{Gone, Wants};
use super::{Answer, Engine, GuardStanding, Output, OwnLog, Permission, log_keys, only_lines_of};
use crate::alarm::Alarm;
use crate::follow::Follow;
use crate::heads::Head;
use crate::paths::{LogFile, Route, origin_hash};
use crate::split::verify_by_one;
use crate::start::Start;

const MAX_KNOWN: usize = 256;

/// What is persisted of an own log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Kept {
    /// `seen` files, and the size of the last one.
    pub seen: u64,
    pub seen_size: u64,
    /// Archived receipts by authority: how many, and the size of the last one.
    pub receipts: BTreeMap<Authority, (u64, u64)>,
}

/// One own log.
pub(super) struct Own {
    pub checkpoint: Option<SignedCheckpoint>,
    pub policy: Policy,
    pub readers: Readers,
    pub is_open: bool,
    pub start: Start,
    /// What is about to be published.
    appending: Option<Checkpoint>,
    /// What was said last about its right to sign.
    pub told: Permission,
    pub known: BTreeMap<u64, Hash>,
    pub kept: Kept,
    pub is_archiving: BTreeSet<Authority>,
    pub round: Round,
    /// How long it has had no quorum.
    pub lacking: Lacking,
    /// `seen` files that were lost here, such as by an old backup, and are counted anew or fetched back.
    pub lost: LostSeen,
    /// Blobs of records that were fetched back, and that may be lost here as those were.
    pub blobs: Wants,
    /// Who shows the log, and may have them.
    pub shown_by: BTreeSet<Authority>,
    /// Witnesses that said since the start what they cosigned last. What they follow they say in their heads.
    witnesses_told: BTreeSet<Authority>,
    /// Witnesses that are asked what they cosigned last, and have not answered.
    witnesses_asked: BTreeSet<Authority>,
    /// Whether it was said that one of them does not come.
    is_lack_told: bool,
    /// When witnesses and followers are asked next.
    ask_due: u64,
    is_given: bool,
}

impl Own {
    fn new(kept: Kept) -> Self {
        Self {
            checkpoint: None,
            appending: None,
            policy: nobody(),
            readers: Readers::Set(BTreeSet::new()),
            is_open: true,
            start: Start::new(GuardStanding::Missing, 0),
            told: Permission::Wait,
            known: BTreeMap::new(),
            kept,
            is_archiving: BTreeSet::new(),
            round: Round::default(),
            lacking: Lacking::default(),
            lost: LostSeen::new(),
            blobs: Wants::new(true),
            shown_by: BTreeSet::new(),
            witnesses_told: BTreeSet::new(),
            witnesses_asked: BTreeSet::new(),
            is_lack_told: false,
            ask_due: 0,
            is_given: false,
        }
    }

    pub fn size(&self) -> u64 {
        self.checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.checkpoint.size)
    }

    /// Known only from what others show.
    pub fn is_only_shown(&self) -> bool {
        !self.is_given && self.start.is_shown_more_than(0)
    }

    /// Is a checkpoint known to be of our tree, and is that tree whole here?
    fn is_ours(&self, checkpoint: &Checkpoint) -> bool {
        !self.start.lacks_files()
            && checkpoint.size <= self.size()
            && self.known.get(&checkpoint.size) == Some(&checkpoint.root)
    }

    /// Whether it is what is being published here, of which the engine is told when that is done.
    fn is_appending(&self, checkpoint: &Checkpoint) -> bool {
        self.appending.as_ref() == Some(checkpoint) && checkpoint.size > self.size()
    }

    pub fn remember(&mut self, size: u64, root: Hash) {
        self.known.insert(size, root);
        while self.known.len() > MAX_KNOWN {
            self.known.pop_first();
        }
    }

    pub fn has_archived(&self, file: &LogFile) -> bool {
        match file {
            LogFile::Seen(n) => *n < self.kept.seen,
            LogFile::Held { authority, n } => {
                self.kept.receipts.get(authority).is_some_and(|(count, _)| n < count)
            }
            LogFile::Checkpoint | LogFile::Tile(_) | LogFile::Entries { .. } => true,
        }
    }

    /// When something is to be done; `patience` is how long it may be without a quorum.
    pub fn deadline(&self, now: u64, patience: u64) -> Option<u64> {
        let quorum = self.lacking.deadline(patience);
        let start = self.start.deadline().filter(|at| *at > now);
        let asks = self.is_given.then_some(self.ask_due);
        [
            start,
            self.round.deadline(self.size()),
            asks,
            quorum,
            self.lost.deadline(self.kept.seen, self.size()),
        ]
        .into_iter()
        .flatten()
        .min()
    }
}

/// A policy that no witness is needed for.
fn nobody() -> Policy {
    Policy::parse(b"quorum none\n").expect("a policy of one line")
}

impl Engine {
    /// An own log, to be filled at the start with what is kept of it.
    pub(super) fn own_at_start(&mut self, origin: Origin) -> &mut Own {
        self.own.entry(origin).or_insert_with(|| Own::new(Kept::default()))
    }

    pub(super) fn take_own_log(&mut self, given: OwnLog) {
        let (now, wait) = (self.now, self.config.limits.start_wait);
        self.by_hash.insert(origin_hash(&given.origin), given.origin.clone());
        let own = self.own.entry(given.origin.clone()).or_insert_with(|| Own::new(Kept::default()));
        if !own.is_given {
            own.start = own.start.begun(given.standing, now + wait);
            own.is_given = true;
        }
        own.policy = Policy::parse(&given.policy).unwrap_or_else(|_| nobody());
        (own.readers, own.is_open) = (given.readers, given.is_open);
        let is_newer = given.checkpoint.as_ref().is_some_and(|c| c.checkpoint.size > own.size())
            || own.checkpoint.is_none();
        if is_newer && let Some(checkpoint) = given.checkpoint {
            own.remember(checkpoint.checkpoint.size, checkpoint.checkpoint.root);
            own.checkpoint = Some(checkpoint);
            self.heads_changed(&self.config.me.clone());
        }
        self.tell_permission(&given.origin);
    }

    /// A checkpoint that this node signed and is about to publish.
    pub(super) fn take_appending(&mut self, origin: &Origin, checkpoint: &Checkpoint) {
        self.own_at_start(origin.clone()).appending = Some(checkpoint.clone());
    }

    /// Asks, submits, and says what changed, if something was said of an own log or time alone changes something: what else
    /// happens costs nothing here, however many own logs there are and however many witnesses they want.
    pub(super) fn run_own(&mut self) {
        let (now, hourly) = (self.now, self.config.limits.hourly);
        let is_due = self.own_due.is_some_and(|at| at <= now);
        if !std::mem::take(&mut self.own_is_touched) && !is_due {
            return;
        }
        #[cfg(test)]
        {
            self.own_looks += 1;
        }
        let origins: Vec<Origin> =
            self.own.iter().filter(|(_, own)| own.is_given).map(|(o, _)| o.clone()).collect();
        for origin in origins {
            if self.own.get(&origin).is_some_and(|own| own.ask_due <= now) {
                self.ask_witnesses(&origin);
            }
            self.tell_permission(&origin);
            self.fetch_lost_seen(&origin);
            self.run_round(&origin);
        }
        self.own_due = self.own.values().filter_map(|own| own.deadline(now, hourly)).min();
    }

    /// Asks the witnesses what they cosigned last: soon after each other at the start, then hourly.
    fn ask_witnesses(&mut self, origin: &Origin) {
        let (now, hourly, soon) = (self.now, self.config.limits.hourly, self.config.limits.retry_first);
        let Some(own) = self.own.get_mut(origin) else { return };
        let is_settled = own.told == Permission::May;
        own.ask_due = now + if is_settled { hourly } else { soon };
        let witnesses: BTreeSet<Authority> = own
            .policy
            .witnesses()
            .filter_map(|(_, key, _)| Authority::of_key_name(key.name()).ok())
            .filter(|witness| is_settled || !own.start.has_answered(witness))
            .collect();
        for peer in witnesses {
            let is_reachable = self.peers.get(&peer).is_some_and(|peer| peer.config.reachable);
            let Some(own) = self.own.get_mut(origin).filter(|_| is_reachable) else { continue };
            // Whoever answers late is not asked again meanwhile.
            if own.witnesses_asked.insert(peer.clone()) {
                let pending = Pending::WitnessLatest { origin: origin.clone(), peer: peer.clone() };
                self.fetch(&peer, Route::Witness(origin_hash(origin)), pending);
            }
        }
    }

    pub(super) fn witness_latest_answered(&mut self, origin: &Origin, peer: &Authority, answer: Answer) {
        if let Some(own) = self.own.get_mut(origin) {
            own.witnesses_asked.remove(peer);
        }
        let Answer::Response { status, body, .. } = answer else { return };
        if status == 404 {
            return self.answered_at_start(origin, peer);
        }
        let Some(checkpoint) = SignedCheckpoint::parse(&body).ok().filter(|_| status == 200) else { return };
        if checkpoint.checkpoint.origin == origin.to_string() {
            self.own_checkpoint_shown(peer, origin, &checkpoint);
            self.answered_at_start(origin, peer);
        }
    }

    fn answered_at_start(&mut self, origin: &Origin, peer: &Authority) {
        // A witness counts as having answered when it said both what it cosigned last and what it follows: it cosigns
        // less often than it follows.
        let has_shown_heads = self.asked.contains(peer);
        if let Some(own) = self.own.get_mut(origin) {
            own.witnesses_told.insert(peer.clone());
            if has_shown_heads {
                own.start.answered(peer);
            }
        }
        self.tell_permission(origin);
    }

    /// A follower answered for all own logs at once; one that is a witness of a log is asked as that, too.
    pub(super) fn own_asked(&mut self, peer: &Authority) {
        self.asked.insert(peer.clone());
        for own in self.own.values_mut() {
            let mut names = own.policy.witnesses().map(|(_, key, _)| Authority::of_key_name(key.name()));
            let is_witness = names.any(|name| name.as_ref() == Ok(peer));
            if !is_witness || own.witnesses_told.contains(peer) {
                own.start.answered(peer);
            }
        }
    }

    /// A peer shows an own log in its heads.
    pub(super) fn own_shown(&mut self, peer: &Authority, origin: &Origin, head: &Head) {
        self.own_checkpoint_shown(peer, origin, &head.checkpoint);
        for receipt in std::iter::once(&head.checkpoint).chain(&head.held) {
            self.receipt_offered(peer, receipt);
        }
        if let Some(own) = self.own.get_mut(origin) {
            own.lost.shown(peer, head.seen);
            own.shown_by.insert(peer.clone());
            self.dirty.insert(origin.clone());
        }
        if let Some(log) = self.logs.get_mut(origin)
            && let Some(source) = log.sources.get_mut(peer)
        {
            source.checkpoint = head.checkpoint.clone();
            self.dirty.insert(origin.clone());
        }
    }

    fn own_checkpoint_shown(&mut self, peer: &Authority, origin: &Origin, shown: &SignedCheckpoint) {
        // Shown by every peer again and again: what is of our tree needs no look at its signature.
        let is_ours = |own: &Own| own.is_ours(&shown.checkpoint) || own.is_appending(&shown.checkpoint);
        if self.own.get(origin).is_some_and(is_ours) {
            return;
        }
        let Some(chain) = &self.own_chain else { return };
        let keys = log_keys(chain, origin, true);
        if verify_by_one(shown, &keys).is_err() {
            return;
        }
        let shown = only_lines_of(shown, &keys);
        let (size, root) = (shown.checkpoint.size, shown.checkpoint.root);
        if size > self.own.get(origin).map_or(0, Own::size) && self.is_by_revoked_key(origin, &shown) {
            // A thief's: this node signs under that key no more, and a successor log says where the log ended.
            let (origin, from) = (origin.clone(), peer.clone());
            return self.ring(Alarm::ForeignHeadOfOwnLog { origin, size, root, from });
        }
        // A log that this state does not know was opened after it was saved: it is fetched back like any other.
        let own = self.own.entry(origin.clone()).or_insert_with(|| Own::new(Kept::default()));
        let is_at_head = size == own.size() && own.start.lacks_files();
        if size <= own.size() && !is_at_head {
            return self.reconcile(origin, shown, Then::Shown { peer: peer.clone() });
        }
        if size > own.size() {
            // What this node publishes it tells to this engine first: a state that does not know it is an old one.
            own.start.shown(size);
            // After a restore that is expected; without one, somebody else may have signed it.
            if !(own.is_given && own.start.may_be_old()) {
                let (origin, from) = (origin.clone(), peer.clone());
                self.ring(Alarm::ForeignHeadOfOwnLog { origin, size, root, from });
            }
        }
        self.tell_permission(origin);
        self.catch_up(origin, peer, shown);
    }

    /// Whether none of its lines is by a key that was not revoked.
    fn is_by_revoked_key(&self, origin: &Origin, shown: &SignedCheckpoint) -> bool {
        let in_force =
            self.own_chain.as_ref().map(|chain| log_keys(chain, origin, false)).unwrap_or_default();
        verify_by_one(shown, &in_force).is_err()
    }

    /// Fetches own entries back from whoever shows them.
    fn catch_up(&mut self, origin: &Origin, peer: &Authority, shown: SignedCheckpoint) {
        let Some(own) = self.own.get(origin) else { return };
        let head = own.checkpoint.as_ref().map(|c| (c.checkpoint.size, c.checkpoint.root));
        let source = Source { checkpoint: shown, seen: 0, failures: 0, not_before: 0 };
        self.by_hash.insert(origin_hash(origin), origin.clone());
        let begin = || Log::new(Follow::own(origin.clone(), head));
        let log = self.logs.entry(origin.clone()).or_insert_with(begin);
        log.sources.insert(peer.clone(), source);
        self.dirty.insert(origin.clone());
    }

    /// The own entries are back, and so is the head.
    pub(super) fn caught_up(&mut self, origin: &Origin) {
        let Some(checkpoint) = self.logs.get(origin).and_then(|log| log.stored_verified().cloned()) else {
            return;
        };
        let Some(own) = self.own.get_mut(origin) else { return };
        if checkpoint.checkpoint.size >= own.size() {
            own.start.mended();
            own.remember(checkpoint.checkpoint.size, checkpoint.checkpoint.root);
            own.checkpoint = Some(checkpoint);
        }
        let has_more = self
            .logs
            .get(origin)
            .is_some_and(|log| log.sources.values().any(|s| s.size() > log.stored_size()));
        if !has_more {
            self.logs.remove(origin);
        }
        self.tell_permission(origin);
        self.heads_changed(&self.config.me.clone());
    }

    /// What was fetched back beyond the head is not of this log: its blobs are waited for no more.
    fn forget_beyond(&mut self, origin: &Origin) {
        let Some(own) = self.own.get_mut(origin) else { return };
        let gone = own.blobs.drop_from(own.size());
        if gone != Gone::default() {
            let writes = cells_of(origin, &gone).collect();
            self.store(writes, Vec::new(), Pending::Unwatched);
        }
    }

    /// A blob of an own record that is lost here does not come: said once, until all are here again.
    pub(super) fn own_blob_lacks(&mut self, origin: &Origin, index: u64) {
        let Some(own) = self.own.get_mut(origin) else { return };
        if !std::mem::replace(&mut own.is_lack_told, true) {
            self.ring(Alarm::OwnBlobMissing { origin: origin.clone(), index });
        }
    }

    /// Whether the blobs of an own log are complete again.
    pub(super) fn own_blob_came(&mut self, origin: &Origin) {
        if let Some(own) = self.own.get_mut(origin).filter(|own| own.blobs.open() == 0) {
            own.is_lack_told = false;
        }
    }

    pub(super) fn stop_signing(&mut self, origin: &Origin) {
        let Some(own) = self.own.get_mut(origin) else { return };
        own.start.stop();
        self.logs.remove(origin);
        self.forget_beyond(origin);
        self.tell_permission(origin);
    }

    /// The files of an own log do not lead to its head: nothing is signed until they came back from who holds them.
    pub(super) fn take_damaged(&mut self, origin: &Origin) {
        let Some(own) = self.own.get_mut(origin).filter(|own| own.is_given && !own.start.lacks_files())
        else {
            return;
        };
        own.start.damaged();
        // Who shows the log at its head is asked for it; what they showed before was no news then.
        let now = self.now;
        for peer in self.peers.values_mut() {
            peer.ask_anew(now);
        }
        self.tell_permission(origin);
    }

    pub(super) fn take_resume(&mut self, origin: &Origin) {
        if let Some(own) = self.own.get_mut(origin) {
            own.start.resume();
            self.logs.remove(origin);
            self.forget_beyond(origin);
        }
        self.tell_permission(origin);
    }

    pub(super) fn tell_permission(&mut self, origin: &Origin) {
        let everybody: BTreeSet<Authority> = self.reachable().cloned().collect();
        let Some(own) = self.own.get_mut(origin).filter(|own| own.is_given) else { return };
        let permission = own.start.permission(self.now, own.size(), &own.policy, &everybody, &self.removed);
        if permission != own.told {
            own.told = permission;
            self.out.push(Output::Signing { origin: origin.clone(), permission });
        }
    }
}
