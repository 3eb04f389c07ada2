//! Next trust roots: asked for when needed and hourly, compared with what other peers know, and only then
//! taken. Two different ones of one version raise an alarm, and neither is taken here.

use std::collections::{BTreeMap, BTreeSet};

use record::root::Extended;
use record::{Authority, Origin, RootChain, RootError, SignedRoot};
use tlog::{Hash, sha256};

use super::logs::logs_of;
use super::pending::Pending;
use super::{Answer, Engine, Event, Output, Write};
use crate::alarm::Alarm;
use crate::nudge::{Nudge, NudgeNote};
use crate::paths::Route;

/// What is under way about roots.
#[derive(Debug, Default)]
pub(super) struct Roots {
    /// Authorities whose next root is being asked for.
    asked: BTreeSet<Authority>,
    /// Not before this time again.
    not_before: BTreeMap<Authority, u64>,
    /// A root that would be taken, while others are asked what they know.
    candidates: BTreeMap<Authority, Candidate>,
    /// Authorities of which two roots of one version are known.
    conflicts: BTreeSet<Authority>,
    /// Roots that something waits for, with a peer that has it.
    wanted: BTreeMap<Authority, Authority>,
    /// How many were taken of an authority, since when.
    taken: BTreeMap<Authority, (u64, u32)>,
    hourly_due: u64,
}

/// How long others are asked about a root before it is taken, in milliseconds. They go on being compared after that.
const COMPARE: u64 = 10_000;
/// Roots of one authority taken in a day: nobody needs more, and each is kept for good.
const A_DAY: u32 = 100;
const DAY: u64 = 86_400_000;

#[derive(Debug)]
struct Candidate {
    version: u64,
    /// When it is taken, whoever has not answered.
    due: u64,
    bytes: Vec<u8>,
    from: Authority,
    unanswered: BTreeSet<Authority>,
    is_storing: bool,
}

impl Roots {
    pub fn deadline(&self) -> Option<u64> {
        let wanted = self.wanted.keys().map(|authority| self.not_before.get(authority).copied().unwrap_or(0));
        let candidates = self.candidates.values().filter(|candidate| !candidate.is_storing);
        wanted.chain(candidates.map(|candidate| candidate.due)).chain([self.hourly_due]).min()
    }

    /// Whether so many roots of an authority were taken that the next one waits; then it is asked for again later.
    fn has_enough(&mut self, authority: &Authority, now: u64) -> bool {
        let enough = self.taken.get(authority).filter(|(since, count)| *count >= A_DAY && now < since + DAY);
        let until = enough.map(|(since, _)| since + DAY);
        if let Some(until) = until {
            self.not_before.insert(authority.clone(), until);
        }
        until.is_some()
    }

    fn count(&mut self, authority: &Authority, now: u64) {
        self.not_before.remove(authority);
        let (since, count) = self.taken.entry(authority.clone()).or_insert((now, 0));
        if now >= *since + DAY {
            (*since, *count) = (now, 0);
        }
        *count += 1;
    }

    /// An operator gave a longer chain: what was undecided is decided.
    pub fn chain_grew(&mut self, authority: &Authority) {
        self.conflicts.remove(authority);
        self.candidates.remove(authority);
        self.not_before.remove(authority);
    }
}

impl Engine {
    /// The hourly questions: next roots of every peer, and what peers know of our own.
    pub(super) fn run_roots(&mut self) {
        let is_due = |(authority, _): &(&Authority, &Authority)| {
            self.roots.not_before.get(*authority).is_none_or(|at| *at <= self.now)
        };
        let due = self.roots.wanted.iter().filter(is_due).map(|(a, peer)| (a.clone(), peer.clone()));
        for (authority, peer) in due.collect::<Vec<_>>() {
            self.roots.wanted.remove(&authority);
            self.ask_next_root(&authority, &peer);
        }
        let candidates = self.roots.candidates.iter().filter(|(_, candidate)| candidate.due <= self.now);
        for authority in candidates.map(|(authority, _)| authority.clone()).collect::<Vec<_>>() {
            self.take_candidate(&authority);
        }
        self.tell_own_root();
        if self.now < self.roots.hourly_due || self.peers.is_empty() {
            return;
        }
        self.roots.hourly_due = self.now + self.config.limits.hourly;
        let names: Vec<Authority> = self.peers.keys().cloned().collect();
        let own = self.own_chain.as_ref().map(|chain| chain.latest().version + 1);
        for name in names {
            self.ask_next_root(&name, &name.clone());
            if let Some(version) = own.filter(|_| self.peers.get(&name).is_some_and(super::Peer::is_well)) {
                let route = Route::PeerRoot { authority: self.config.me.clone(), n: version };
                self.fetch(&name, route, Pending::OwnRoot { version, peer: name.clone() });
            }
        }
    }

    /// A log names a root that is not here: without it nothing of that log goes on.
    pub(super) fn need_root(&mut self, authority: &Authority, version: u64, peer: &Authority) {
        let known = self.peers.get(authority).map_or(0, |author| author.config.chain.latest().version);
        if version > known {
            self.ask_next_root(authority, peer);
        }
    }

    /// Asks a peer for the root after the newest one known of an authority.
    pub(super) fn ask_next_root(&mut self, authority: &Authority, peer: &Authority) {
        let Some(author) = self.peers.get(authority) else { return };
        let is_waiting = self.roots.not_before.get(authority).is_some_and(|at| self.now < *at);
        let is_busy = self.roots.asked.contains(authority) || self.roots.candidates.contains_key(authority);
        let is_reachable = self.peers.get(peer).is_some_and(|peer| peer.config.reachable);
        if is_busy || !is_reachable || self.roots.conflicts.contains(authority) {
            return;
        }
        if is_waiting || self.roots.has_enough(authority, self.now) {
            self.roots.wanted.insert(authority.clone(), peer.clone());
            return;
        }
        let version = author.config.chain.latest().version + 1;
        self.roots.asked.insert(authority.clone());
        self.roots.not_before.insert(authority.clone(), self.now + self.config.limits.at_most_every);
        let route = if peer == authority {
            Route::Root(version)
        } else {
            Route::PeerRoot { authority: authority.clone(), n: version }
        };
        let pending = Pending::NextRoot { authority: authority.clone(), version, peer: peer.clone() };
        self.fetch(peer, route, pending);
    }

    pub(super) fn next_root_answered(
        &mut self,
        authority: &Authority,
        version: u64,
        peer: &Authority,
        answer: Answer,
    ) {
        self.roots.asked.remove(authority);
        if let Answer::Response { status: 200, body, .. } = answer {
            if !self.is_root_taken(authority, version, peer, body) {
                self.accuse(peer, None, "root-refused");
            }
            return;
        }
        // There is no newer root: what stood under unknown keys stands under none.
        if matches!(answer, Answer::Response { status: 404, .. }) && peer == authority {
            self.blame_unverified(authority);
        }
        let waits_for = |origin: &Origin| origin.authority == *authority;
        let is_needed = self.peers.values().any(|peer| peer.unverified.iter().any(waits_for))
            || self.logs.iter().any(|(origin, log)| waits_for(origin) && log.follow.target().is_some());
        if is_needed {
            self.roots.not_before.insert(authority.clone(), self.now + self.config.limits.retry_first * 10);
            self.roots.wanted.insert(authority.clone(), authority.clone());
        }
    }

    fn blame_unverified(&mut self, author: &Authority) {
        let mut blamed: Vec<(Authority, Origin)> = Vec::new();
        for (name, peer) in &mut self.peers {
            let (theirs, others) =
                std::mem::take(&mut peer.unverified).into_iter().partition(|o| o.authority == *author);
            peer.unverified = others;
            let theirs: BTreeSet<Origin> = theirs;
            blamed.extend(theirs.into_iter().map(|origin| (name.clone(), origin)));
        }
        for (peer, origin) in blamed {
            self.ring(Alarm::Misbehaves { peer, origin: Some(origin), fault: "heads-signature" });
        }
    }

    /// A root came with a nudge: the status of the answer. Who sends one is not proven, so what is no root is nobody's
    /// fault, and costs whose name it bears nothing.
    pub(super) fn root_offered(&mut self, peer: &Authority, root: SignedRoot) -> u16 {
        let authority = root.root.authority.clone();
        if authority == self.config.me {
            self.own_root_shown(peer, &root.bytes);
            return 202;
        }
        if !self.peers.contains_key(&authority) {
            return 404;
        }
        if self.roots.conflicts.contains(&authority) {
            return 409;
        }
        let is_under_way = self.roots.candidates.contains_key(&authority);
        let is_root = is_under_way || self.is_root_taken(&authority, root.root.version, peer, root.bytes);
        if is_root { 202 } else { 422 }
    }

    /// Goes on with a root that was shown; false if its signatures do not make it one.
    fn is_root_taken(
        &mut self,
        authority: &Authority,
        version: u64,
        peer: &Authority,
        bytes: Vec<u8>,
    ) -> bool {
        let Some(author) = self.peers.get(authority) else { return true };
        match author.config.chain.clone().extend(&bytes) {
            // Those between come first.
            Err(RootError::Version { found, wanted }) if found > wanted => {
                self.ask_next_root(authority, peer);
            }
            // A version that is known, or long past, is nothing.
            Ok(Extended::Known) | Err(RootError::Version { .. }) => {}
            Ok(Extended::Taken) if self.roots.has_enough(authority, self.now) => {
                self.roots.wanted.insert(authority.clone(), peer.clone());
            }
            Ok(Extended::Taken) => self.compare_root(authority, version, peer, bytes),
            Err(RootError::Fork { version, kept, found }) => {
                self.root_conflict(authority, version, Some(kept), found, peer);
            }
            Err(_) => return false,
        }
        true
    }

    /// Before a root is taken, the other peers tell what they know.
    fn compare_root(&mut self, authority: &Authority, version: u64, from: &Authority, bytes: Vec<u8>) {
        let others =
            self.peers.iter().filter(|(name, peer)| *name != authority && *name != from && peer.is_well());
        let unanswered: BTreeSet<Authority> = others.map(|(name, _)| name.clone()).collect();
        let asked: Vec<Authority> = unanswered.iter().cloned().collect();
        let due = self.now + COMPARE;
        let candidate = Candidate { version, due, bytes, from: from.clone(), unanswered, is_storing: false };
        self.roots.candidates.insert(authority.clone(), candidate);
        self.ask_now(authority);
        for peer in asked {
            let route = Route::PeerRoot { authority: authority.clone(), n: version };
            let pending = Pending::CompareRoot { authority: authority.clone(), version, peer: peer.clone() };
            self.fetch(&peer, route, pending);
        }
        self.take_candidate(authority);
    }

    pub(super) fn compared_root_answered(
        &mut self,
        authority: &Authority,
        version: u64,
        peer: &Authority,
        answer: Answer,
    ) {
        let body = match answer {
            Answer::Response { status: 200, body, .. } => Some(body),
            _ => None,
        };
        let candidate = self.roots.candidates.get_mut(authority).filter(|c| c.version == version);
        let Some(candidate) = candidate else {
            // It was taken meanwhile.
            return body
                .into_iter()
                .for_each(|body| self.compare_with_taken(authority, version, peer, &body));
        };
        candidate.unanswered.remove(peer);
        if let Some((body, author)) = body.zip(self.peers.get(authority)) {
            let (here, there) = (text_hash(&candidate.bytes), text_hash(&body));
            let is_sound = author.config.chain.clone().extend(&body) == Ok(Extended::Taken);
            if is_sound && here != there {
                let found = there.unwrap_or(tlog::EMPTY_ROOT);
                return self.root_conflict(authority, version, None, found, peer);
            }
        }
        self.take_candidate(authority);
    }

    /// A peer answered after the root was taken that it was asked about.
    fn compare_with_taken(&mut self, authority: &Authority, version: u64, peer: &Authority, body: &[u8]) {
        let Some(author) = self.peers.get(authority) else { return };
        if let Err(RootError::Fork { version: forked, kept, found }) =
            author.config.chain.clone().extend(body)
            && forked == version
        {
            self.root_conflict(authority, version, Some(kept), found, peer);
        }
    }

    fn take_candidate(&mut self, authority: &Authority) {
        let Some(candidate) = self.roots.candidates.get_mut(authority) else { return };
        let waits = !candidate.unanswered.is_empty() && self.now < candidate.due;
        if waits || candidate.is_storing {
            return;
        }
        candidate.is_storing = true;
        let (version, bytes) = (candidate.version, candidate.bytes.clone());
        let writes = vec![Write::Root { authority: authority.clone(), version, bytes: bytes.clone() }];
        let events = vec![Event::Root { authority: authority.clone(), version }];
        self.store(writes, events, Pending::StoredRoot { authority: authority.clone(), version, bytes });
    }

    pub(super) fn root_stored(&mut self, authority: &Authority, _version: u64, bytes: &[u8], done: bool) {
        let from = self.roots.candidates.remove(authority).map(|candidate| candidate.from);
        let Some(author) = self.peers.get_mut(authority).filter(|_| done) else { return };
        if author.config.chain.extend(bytes).is_err() {
            return;
        }
        let now = self.now;
        self.roots.count(authority, now);
        for peer in self.peers.values_mut() {
            if peer.unverified.iter().any(|origin| origin.authority == *authority) {
                peer.ask_anew(now);
            }
        }
        self.dirty.extend(logs_of(&self.logs, authority).map(|(origin, _)| origin.clone()));
        // Perhaps there is one more.
        self.ask_next_root(authority, &from.unwrap_or_else(|| authority.clone()));
    }

    fn root_conflict(
        &mut self,
        authority: &Authority,
        version: u64,
        kept: Option<Hash>,
        found: Hash,
        from: &Authority,
    ) {
        self.roots.candidates.remove(authority);
        if kept.is_none() {
            self.roots.conflicts.insert(authority.clone());
        }
        let (authority, from) = (authority.clone(), from.clone());
        self.ring(Alarm::RootConflict { authority, version, kept, found, from });
    }

    // ----------------------------------------------------------------------------------------- own roots

    pub(super) fn take_own_roots(&mut self, chain: RootChain) {
        let before = self.own_chain.as_ref().map(|chain| chain.latest().version);
        let version = chain.latest().version;
        self.own_chain = Some(chain);
        // A root made now is told to all before its keys are used, however often they refused the one before.
        if before.is_some_and(|before| before < version) {
            for peer in self.peers.values_mut() {
                (peer.root_due, peer.root_refused) = (self.now, 0);
            }
            self.tell_own_root();
        }
    }

    /// Our newest root that peers are told of; not the first one, which operators compared.
    fn root_to_tell(&self) -> Option<&SignedRoot> {
        self.own_chain.as_ref()?.roots().last().filter(|root| root.root.version > 1)
    }

    /// When the next peer is told of our newest root: until it has taken it.
    pub(super) fn root_told_deadline(&self) -> Option<u64> {
        let version = self.root_to_tell()?.root.version;
        let waits =
            |peer: &&super::Peer| peer.config.reachable && peer.root_taken < version && !peer.is_told_root;
        self.peers.values().filter(waits).map(|peer| peer.root_due).min()
    }

    fn tell_own_root(&mut self) {
        let now = self.now;
        if self.root_told_deadline().is_none_or(|due| now < due) {
            return;
        }
        let Some(root) = self.root_to_tell().cloned() else { return };
        let version = root.root.version;
        let body = Nudge { from: self.config.me.clone(), note: NudgeNote::Root(Box::new(root)) }.to_bytes();
        let mut told = Vec::new();
        for (name, peer) in &mut self.peers {
            let is_due = peer.config.reachable && peer.root_taken < version && peer.root_due <= now;
            if is_due && !std::mem::replace(&mut peer.is_told_root, true) {
                told.push(name.clone());
            }
        }
        for peer in told {
            let id = self.ask(Pending::RootTold { version, peer: peer.clone() });
            self.out.push(Output::Post { id, peer, route: Route::Nudge, body: body.clone() });
        }
    }

    pub(super) fn root_told(&mut self, version: u64, name: &Authority, answer: &Answer) {
        let Some(peer) = self.peers.get_mut(name) else { return };
        peer.is_told_root = false;
        if matches!(answer, Answer::Response { status: 200..=299, .. }) {
            (peer.root_taken, peer.root_refused) = (peer.root_taken.max(version), 0);
            return;
        }
        peer.root_refused = peer.root_refused.saturating_add(1);
        let refused = peer.root_refused;
        let due = self.now + self.back_off(refused);
        if let Some(peer) = self.peers.get_mut(name) {
            peer.root_due = due;
        }
    }

    pub(super) fn own_root_answered(&mut self, _version: u64, peer: &Authority, answer: Answer) {
        if let Answer::Response { status: 200, body, .. } = answer {
            self.own_root_shown(peer, &body);
        }
    }

    /// A root of ours that we did not make, and that is rightly signed.
    fn own_root_shown(&mut self, peer: &Authority, bytes: &[u8]) {
        let Some(chain) = &self.own_chain else { return };
        let version = SignedRoot::parse(bytes).map_or(0, |signed| signed.root.version);
        let found = match chain.clone().extend(bytes) {
            Ok(Extended::Taken) => text_hash(bytes),
            Err(RootError::Fork { found, .. }) => Some(found),
            Ok(Extended::Known) | Err(_) => None,
        };
        if let Some(found) = found {
            self.ring(Alarm::ForeignOwnRoot { version, found, from: peer.clone() });
        }
    }
}

fn text_hash(bytes: &[u8]) -> Option<Hash> {
    SignedRoot::parse(bytes).ok().map(|signed| sha256(signed.note.text.as_bytes()))
}
