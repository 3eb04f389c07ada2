//! The conversation with each peer: its `/heads`, polled long, with waits that grow with failures.

use std::collections::{BTreeMap, BTreeSet};

use record::{Authority, Origin};
use tlog::{Hash, sha256};

use super::copies::TOO_SLOW;
use super::logs::logs_of;
use super::pending::Pending;
use super::{Answer, Engine, Output, PeerConfig, PeerHealth, RequestId};
use crate::alarm::Alarm;
use crate::heads::{Head, Heads, MAX_LOGS_PER_AUTHORITY};
use crate::nudge::{Nudge, NudgeNote};
use crate::paths::Route;

/// How far two clocks may differ before it is said, in seconds.
const TOLERATED_SKEW: i64 = 30;

/// A peer that was quiet is asked so often without a wait between: one release changes its heads more than once, and
/// the next release must not wait for that.
const AT_ONCE: u64 = 4;

/// A long poll that is answered sooner than this, in milliseconds, with nothing new was not held: something between the
/// two nodes, or the peer, does not do that.
const HELD: u64 = 5_000;
/// The longest wait between questions to somebody who answers at once with nothing new, in milliseconds.
const LONGEST_IDLE: u64 = 5_000;
/// So many checkpoints that were not shown before are verified of one peer's heads before anything else has its turn.
const VERIFIED_AT_ONCE: usize = 64;
/// Between two questions that come sooner because somebody said without proof that a peer has news, in milliseconds.
const NUDGED_AGAIN: u64 = 60_000;
/// After so many such answers in a row it is said.
const IDLE_IS_SAID: u32 = 8;

/// One peer.
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own, and any of them may hold")]
pub(super) struct Peer {
    pub config: PeerConfig,
    etag: Option<String>,
    is_asked: bool,
    /// When it is asked next.
    due: u64,
    /// When it would be asked next if it were asked at an even pace.
    paced: u64,
    /// When it may be nudged into being asked at once.
    nudge_due: u64,
    /// How many nudges to it are under way.
    pub nudges: u32,
    /// The newest root of ours that it took, and whether it is being told of one.
    pub root_taken: u64,
    pub is_told_root: bool,
    /// When it is told again, and how often in a row it did not take it.
    pub root_due: u64,
    pub root_refused: u32,
    /// It does not know us, as it says.
    is_unknown: bool,
    failures: u32,
    /// SHA-256 of the heads that it answered last.
    heads: Option<Hash>,
    /// How often in a row it answered at once with nothing new.
    idle: u32,
    last_answer: Option<u64>,
    last_error: Option<&'static str>,
    skew: Option<i64>,
    /// Whether it refuses our time: requests are signed with its own.
    uses_its_time: bool,
    /// The logs of its last answer, those of them that are not looked at yet, and when it was asked for it.
    shown: BTreeSet<Origin>,
    unread: BTreeMap<Origin, Head>,
    unread_of: Option<u64>,
    /// Logs with checkpoints under keys that are not known here (yet).
    pub unverified: BTreeSet<Origin>,
}

impl Peer {
    fn new(config: PeerConfig) -> Self {
        Self {
            config,
            etag: None,
            is_asked: false,
            due: 0,
            paced: 0,
            nudge_due: 0,
            nudges: 0,
            root_taken: 0,
            is_told_root: false,
            root_due: 0,
            root_refused: 0,
            is_unknown: false,
            failures: 0,
            heads: None,
            idle: 0,
            last_answer: None,
            last_error: None,
            skew: None,
            uses_its_time: false,
            shown: BTreeSet::new(),
            unread: BTreeMap::new(),
            unread_of: None,
            unverified: BTreeSet::new(),
        }
    }

    pub fn deadline(&self) -> Option<u64> {
        // What it showed is looked at to its end before it is asked again.
        (self.config.reachable && !self.is_asked && self.unread.is_empty()).then_some(self.due)
    }

    /// Whether something of what it showed is not looked at yet.
    pub fn has_unread(&self) -> bool {
        !self.unread.is_empty()
    }

    /// How far its clock is ahead, in seconds, if that must be minded.
    pub fn ahead(&self) -> i64 {
        self.skew.filter(|_| self.uses_its_time).unwrap_or(0)
    }

    /// Whether a log is among those that it told of last.
    pub fn shows(&self, origin: &Origin) -> bool {
        self.shown.contains(origin)
    }

    /// Whether it can be asked now with some hope.
    pub fn is_well(&self) -> bool {
        self.config.reachable && self.failures == 0
    }

    pub fn health(
        &self,
        name: &Authority,
        behind: u64,
        used: u64,
        spoiled: &[&'static str],
        is_slow: bool,
    ) -> PeerHealth {
        let slow = is_slow.then_some(TOO_SLOW);
        PeerHealth {
            authority: name.clone(),
            last_answer: self.last_answer,
            failures: self.failures,
            last_error: self.last_error.or(self.does_not_wait()).or(spoiled.first().copied()).or(slow),
            behind,
            spoiled: spoiled.len() as u64,
            skew: self.skew,
            used,
        }
    }

    fn does_not_wait(&self) -> Option<&'static str> {
        (self.idle >= IDLE_IS_SAID).then_some("peer-does-not-wait")
    }

    /// Notes an answer to a question that was asked at `sent`.
    fn heard(&mut self, now: u64, sent: u64, heads: Option<Hash>) {
        let is_new = heads.is_some() && heads != self.heads;
        self.heads = heads.or(self.heads);
        self.idle = if is_new || now >= sent + HELD { 0 } else { self.idle.saturating_add(1) };
    }

    /// Asks for everything again: what was refused may be understood now.
    pub fn ask_anew(&mut self, now: u64) {
        (self.etag, self.due) = (None, self.due.min(now));
        self.unverified.clear();
    }
}

impl Engine {
    /// How each peer is doing.
    pub fn peer_health(&self) -> Vec<PeerHealth> {
        let behind = |peer: &Authority| {
            let shown = self.logs.values().filter_map(|log| Some((log, log.sources.get(peer)?)));
            shown.map(|(log, source)| source.size().saturating_sub(log.stored_size())).sum()
        };
        let mut spoiled: BTreeMap<&Authority, Vec<&'static str>> = BTreeMap::new();
        let wants = self.logs.values().map(|log| &log.blobs).chain(self.own.values().map(|own| &own.blobs));
        for (by, fault) in wants.flat_map(super::Wants::spoiled) {
            spoiled.entry(by).or_default().push(fault);
        }
        let since = self.now.saturating_sub(self.config.limits.hourly);
        let slow: BTreeSet<&Authority> =
            self.logs.values().flat_map(|log| log.copies.laggards(since)).collect();
        let spoiled = |peer: &Authority| spoiled.get(peer).map_or(&[][..], Vec::as_slice);
        let health = |(name, peer): (&Authority, &Peer)| {
            peer.health(name, behind(name), self.used_by(name), spoiled(name), slow.contains(name))
        };
        self.peers.iter().map(health).collect()
    }

    pub(super) fn take_peers(&mut self, configs: Vec<PeerConfig>) {
        let mut before = std::mem::take(&mut self.peers);
        for config in configs.into_iter().filter(|config| config.authority != self.config.me) {
            let name = config.authority.clone();
            let peer = match before.remove(&name).filter(|p| p.config.fingerprint == config.fingerprint) {
                Some(mut peer) => {
                    // Never back to a shorter chain: a root that was taken here may not be given back yet.
                    let is_longer = config.chain.latest().version > peer.config.chain.latest().version;
                    let chain = if is_longer { config.chain.clone() } else { peer.config.chain.clone() };
                    if is_longer {
                        peer.ask_anew(self.now);
                        self.roots.chain_grew(&name);
                    }
                    peer.config = PeerConfig { chain, ..config };
                    peer
                }
                None => Peer::new(config),
            };
            self.peers.insert(name, peer);
        }
        let gone: BTreeSet<Authority> =
            before.into_keys().filter(|name| !self.peers.contains_key(name)).collect();
        for (origin, log) in &mut self.logs {
            log.leave(&gone);
            if gone.contains(&origin.authority) {
                // Whoever shows it still: nobody vouches for its roots any more.
                log.sources.clear();
                log.let_go();
            }
            self.dirty.insert(origin.clone());
        }
        for peer in &gone {
            self.dirty.extend(self.slots.forget(peer));
            let waiting = self.seen_slots.forget(peer);
            self.seen_may_go_on(waiting);
        }
        for (origin, own) in &mut self.own {
            own.shown_by.retain(|peer| !gone.contains(peer));
            self.dirty.insert(origin.clone());
        }
        self.give_up_asking(&gone);
    }

    pub(super) fn run_peers(&mut self) {
        let now = self.now;
        if self.unread_due.is_some_and(|at| at <= now) {
            self.unread_due = None;
            let all = self.peers.iter().filter(|(_, peer)| peer.has_unread());
            let names: Vec<Authority> = all.map(|(name, _)| name.clone()).collect();
            for name in &names {
                self.read_on(name);
            }
        }
        let due: Vec<Authority> = self
            .peers
            .iter()
            .filter(|(_, peer)| peer.deadline().is_some_and(|due| due <= now))
            .map(|(name, _)| name.clone())
            .collect();
        for name in due {
            let pending = Pending::Heads { peer: name.clone(), sent: now };
            let id = self.ask(pending);
            let Some(peer) = self.peers.get_mut(&name) else { continue };
            peer.is_asked = true;
            let (etag, ahead) = (peer.etag.clone(), peer.ahead());
            let (route, limit) = (Route::Heads, Route::Heads.limit());
            let long_poll = etag.is_some();
            self.out.push(Output::Fetch {
                id,
                peer: name,
                route,
                etag,
                long_poll,
                signed: true,
                limit,
                to_disk: false,
                ahead,
            });
        }
    }

    pub(super) fn heads_answered(&mut self, name: &Authority, sent: u64, answer: Answer) {
        let Some(peer) = self.peers.get_mut(name) else { return };
        peer.is_asked = false;
        if let Answer::Response { date: Some(date), .. } = &answer {
            let skew = date.cast_signed() - (self.now / 1000).cast_signed();
            peer.skew = Some(skew);
            if skew.abs() > TOLERATED_SKEW {
                self.ring(Alarm::ClockSkew { peer: name.clone(), seconds: skew });
            }
        }
        match answer {
            Answer::Response { status: 200, etag, body, .. } => match Heads::parse(&body) {
                Ok(heads) => {
                    self.peer_is_well(name, sent, Some(sha256(&body)));
                    self.keep_etag(name, etag);
                    self.take_heads(name, heads, Some(sent));
                    self.own_asked(name);
                }
                Err(error) => self.blame(name, error.code()),
            },
            Answer::Response { status: 304, .. } => {
                self.peer_is_well(name, sent, None);
                self.author_answered(name, sent);
            }
            Answer::Response { status: 401, .. } => {
                let Some(peer) = self.peers.get_mut(name) else { return };
                peer.uses_its_time = true;
                self.peer_failed(name, "peer-refuses-our-time");
            }
            Answer::Response { status: 404, .. } => {
                // Perhaps our caller key is of a root that it was never told of.
                let now = self.now;
                if let Some(peer) = self.peers.get_mut(name).filter(|peer| !peer.is_unknown) {
                    (peer.is_unknown, peer.root_taken, peer.root_due) = (true, 0, now);
                }
                self.peer_failed(name, "peer-does-not-know-us");
            }
            Answer::Response { .. } | Answer::File { .. } => self.peer_failed(name, "peer-status"),
            Answer::TooLarge => self.blame(name, "heads-too-large"),
            Answer::Failed => self.peer_failed(name, "peer-unreachable"),
        }
    }

    /// Heads from a file: what its sender knew when it was written. That is no answer to what it knows now, by which a log
    /// that was restored would sign. What the peer itself shows is asked for in full the next time.
    pub(super) fn take_shown_heads(&mut self, request: RequestId, name: &Authority, body: &[u8]) {
        let heads = Heads::parse(body).ok().filter(|_| self.peers.contains_key(name));
        let status = if heads.is_some() { 202 } else { 422 };
        if let Some(heads) = heads {
            self.keep_etag(name, None);
            self.take_heads(name, heads, None);
        }
        let (content_type, body) = ("text/plain; charset=utf-8", Vec::new());
        self.out.push(Output::Reply { request, status, content_type, body });
    }

    fn keep_etag(&mut self, name: &Authority, etag: Option<String>) {
        if let Some(peer) = self.peers.get_mut(name) {
            peer.etag = etag;
        }
    }

    fn peer_is_well(&mut self, name: &Authority, sent: u64, heads: Option<Hash>) {
        let (now, poll) = (self.now, self.config.limits.poll);
        let Some(peer) = self.peers.get_mut(name) else { return };
        peer.heard(now, sent, heads);
        (peer.failures, peer.last_answer, peer.last_error) = (0, Some(now), None);
        peer.is_unknown = false;
        peer.paced = peer.paced.max(now.saturating_sub(AT_ONCE * poll)) + poll;
        // The first question has no tag to wait by, so that one quick answer is nothing.
        let waits = poll.saturating_mul(1 << peer.idle.saturating_sub(1).min(10)).min(LONGEST_IDLE);
        peer.due = peer.paced.max(now + if peer.idle > 1 { waits } else { 0 });
    }

    fn peer_failed(&mut self, name: &Authority, code: &'static str) {
        let Some(peer) = self.peers.get_mut(name) else { return };
        peer.failures = peer.failures.saturating_add(1);
        (peer.etag, peer.last_error) = (None, Some(code));
        let failures = peer.failures;
        let wait = self.back_off(failures);
        if let Some(peer) = self.peers.get_mut(name) {
            peer.due = self.now + wait;
        }
    }

    /// A peer served what cannot be, in one place: whatever was asked there waits by itself, and everything else of
    /// the peer is read as before.
    pub(super) fn accuse(&mut self, name: &Authority, origin: Option<&Origin>, fault: &'static str) {
        self.ring(Alarm::Misbehaves { peer: name.clone(), origin: origin.cloned(), fault });
    }

    /// The heads of a peer are none: nothing else of it can be read, and it is left for a while.
    fn blame(&mut self, name: &Authority, fault: &'static str) {
        self.accuse(name, None, fault);
        self.peer_failed(name, fault);
    }

    /// Heads of a peer; `sent` is when it was asked for them.
    fn take_heads(&mut self, name: &Authority, heads: Heads, sent: Option<u64>) {
        let shown: BTreeSet<Origin> = heads.logs.keys().cloned().collect();
        let before = match self.peers.get_mut(name) {
            Some(peer) => std::mem::replace(&mut peer.shown, shown.clone()),
            None => return,
        };
        for origin in before.difference(&shown) {
            if let Some(log) = self.logs.get_mut(origin) {
                log.sources.remove(name);
                self.dirty.insert(origin.clone());
            }
            if let Some(own) = self.own.get_mut(origin) {
                own.shown_by.remove(name);
                self.dirty.insert(origin.clone());
            }
        }
        let (own, others): (BTreeMap<_, _>, BTreeMap<_, _>) =
            heads.logs.into_iter().partition(|(origin, _)| origin.authority == self.config.me);
        for (origin, head) in own {
            self.own_shown(name, &origin, &head);
        }
        // What it showed before is looked at no more, however much that is.
        let (before, news): (BTreeMap<_, _>, BTreeMap<_, _>) =
            others.into_iter().partition(|(origin, head)| self.is_shown_already(name, origin, head));
        if let Some(peer) = self.peers.get_mut(name) {
            peer.unread.retain(|origin, _| shown.contains(origin) && !before.contains_key(origin));
            peer.unread.extend(news);
            peer.unread_of = sent.or(peer.unread_of);
        }
        self.read_on(name);
    }

    /// Looks at some of what a peer showed. Whoever shows thousands of new logs at once is looked at bit by bit, so that
    /// others have their turn.
    fn read_on(&mut self, name: &Authority) {
        let mut verified = 0;
        let mut of_author: BTreeMap<Authority, usize> = BTreeMap::new();
        while verified < VERIFIED_AT_ONCE {
            let Some(peer) = self.peers.get_mut(name) else { return };
            let Some((origin, head)) = peer.unread.pop_first() else { break };
            if !self.peers.contains_key(&origin.authority) {
                continue;
            }
            let is_new = !self.logs.contains_key(&origin);
            if is_new && !self.may_have_another(&origin.authority, &mut of_author) {
                self.accuse(&origin.authority, Some(&origin), "author-too-many-logs");
                continue;
            }
            verified += usize::from(self.log_shown(name, &origin, &head));
        }
        let Some(peer) = self.peers.get_mut(name) else { return };
        if peer.has_unread() {
            self.unread_due = Some(self.now + super::STEP);
        } else if let Some(sent) = peer.unread_of.take() {
            self.author_answered(name, sent);
        }
    }

    /// Whether one more log of an author may be followed; `known` are those counted before.
    fn may_have_another(&self, author: &Authority, known: &mut BTreeMap<Authority, usize>) -> bool {
        let count = || logs_of(&self.logs, author).count();
        let count = known.entry(author.clone()).or_insert_with(count);
        *count += 1;
        *count <= MAX_LOGS_PER_AUTHORITY
    }

    /// An author told all its logs: those that only others told of are alarming.
    fn author_answered(&mut self, name: &Authority, sent: u64) {
        let Some(peer) = self.peers.get(name) else { return };
        let untold: BTreeMap<Origin, Authority> = logs_of(&self.logs, name)
            .filter(|(origin, log)| !peer.shown.contains(*origin) && log.learnt < sent)
            .filter_map(|(origin, log)| Some((origin.clone(), log.told_by.clone().filter(|by| by != name)?)))
            .collect();
        for (origin, from) in untold {
            self.ring(Alarm::UnknownLogOfAudience { origin, from });
        }
    }

    pub(super) fn take_nudge(&mut self, request: RequestId, body: &[u8]) {
        let status = self.nudged(body);
        let (content_type, body) = ("text/plain; charset=utf-8", Vec::new());
        self.out.push(Output::Reply { request, status, content_type, body });
    }

    fn nudged(&mut self, body: &[u8]) -> u16 {
        let Some(nudge) = Nudge::parse(body) else { return 400 };
        let now = self.now;
        let Some(peer) = self.peers.get_mut(&nudge.from) else { return 404 };
        match nudge.note {
            // Whose it is its signatures say, whoever sent it.
            NudgeNote::Root(root) => return self.root_offered(&nudge.from, *root),
            NudgeNote::Receipt(receipt) => {
                if self.receipt_offered(&nudge.from, &receipt) {
                    self.ask_now(&nudge.from);
                }
                return 202;
            }
            NudgeNote::None => {}
        }
        // Who says so is not proven: however often it is said, and by whom, one question comes sooner in that time, and if it
        // fails the next wait is longer than the one before. A long poll that is under way brings the news by itself.
        if now >= peer.nudge_due {
            (peer.due, peer.nudge_due) = (peer.due.min(now), now + NUDGED_AGAIN);
        }
        202
    }

    /// A peer proved by something new that it signed that it is there: it is asked now.
    pub(super) fn ask_now(&mut self, name: &Authority) {
        let now = self.now;
        if let Some(peer) = self.peers.get_mut(name) {
            peer.due = peer.due.min(now);
        }
    }
}
