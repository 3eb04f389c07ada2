//! One node's part in the exchange, all of it: peers, followed logs, witnessing, receipts, own logs.
//!
//! The engine is deterministic: the same snapshot, seed and inputs give the same outputs. It holds no key, and
//! persists only through [`Output::Store`]: after a crash, [`Engine::new`] from what was stored goes on.
//! Every request gets exactly one answer, a failure at worst; whoever drives the engine sees to that.

use std::collections::{BTreeMap, BTreeSet};

use record::{Authority, Origin, Readers, RootChain, SignedRoot};
use tlog::{Hash, SignedCheckpoint, VerifierKey};

use crate::alarm::Alarm;
use crate::follow::Pace;
use crate::footprint;
use crate::paths::{LogFile, MirrorFile, Route, origin_hash};
use crate::places;
use crate::serve::{Cut, Served, is_within, may_read};
use crate::witness::Witness;

mod agenda;
mod archived;
mod backlog;
mod blobs;
mod catching_up;
mod config;
mod copies;
mod io;
mod kept;
mod lanes;
mod logs;
mod news;
mod own;
mod own_seen;
mod peers;
mod pending;
mod quorum;
mod receipts;
mod reconcile;
mod room;
mod roots;
mod seen;
mod showing;
mod siblings;
mod slots;
mod submit;
mod wants;
mod witnessing;

pub use archived::Archived;
pub use config::{EngineConfig, Limits};
pub use io::*;

use agenda::Agenda;
use backlog::Backlog;
use lanes::Lanes;
use logs::Log;
use news::News;
use own::Own;
use peers::Peer;
use pending::Pending;
use room::Room;
use roots::Roots;
use siblings::Siblings;
use slots::Slots;
use wants::Wants;

/// The shortest time to the next [`Input::Tick`], in milliseconds.
const STEP: u64 = 50;

/// The exchange of one node.
pub struct Engine {
    config: EngineConfig,
    now: u64,
    random: u64,
    next_id: u64,
    out: Vec<Output>,
    pending: BTreeMap<Id, Pending>,
    peers: BTreeMap<Authority, Peer>,
    own_chain: Option<RootChain>,
    logs: BTreeMap<Origin, Log>,
    own: BTreeMap<Origin, Own>,
    by_hash: BTreeMap<Hash, Origin>,
    witness: Witness,
    roots: Roots,
    /// Hashes of the keys of the alarms that rang, and when it was last said.
    rung: BTreeMap<String, u64>,
    /// Logs that have something to do.
    dirty: BTreeSet<Origin>,
    /// When logs have something to do by time alone.
    agenda: Agenda,
    /// Logs that are being caught up, and those that wait for a place.
    slots: Slots,
    /// Logs of which a `seen` file is being fetched, and those that wait for a place.
    seen_slots: Slots,
    /// When more is looked at of what peers showed.
    unread_due: Option<u64>,
    /// Authors whose logs are to be compared.
    siblings: Siblings,
    /// What each author takes on this disk.
    room: Room,
    /// Blobs that could be fetched now.
    lanes: Lanes,
    /// How many are known to be wanted.
    backlog: Backlog,
    /// When who waits for news is woken.
    news: News,
    /// Whether something was said of an own log since they were looked at, and when they are due by time alone.
    own_is_touched: bool,
    own_due: Option<u64>,
    /// Requests that somebody else was asked instead of, and when they are broken off.
    late: BTreeSet<(u64, Id)>,
    /// Requests to cosign that are being stored or signed, by whose log it is.
    cosigning: BTreeMap<Authority, usize>,
    /// Records of which their authors erased their own copies.
    erased: BTreeMap<Authority, blobs::Erased>,
    /// Since when it runs, and who told since then which of our logs it knows.
    started: Option<u64>,
    asked: BTreeSet<Authority>,
    /// Whom an operator removed: nobody waits for them.
    removed: BTreeSet<Authority>,
    /// How often a log was looked at, and how often all own ones.
    #[cfg(test)]
    looks: u64,
    #[cfg(test)]
    own_looks: u64,
}

impl Engine {
    /// An engine that goes on from what was persisted. A cell that cannot be read is an error.
    pub fn new(config: EngineConfig, snapshot: Snapshot) -> Result<Self, SnapshotError> {
        let (engine, unread) = Self::mended(config, snapshot);
        unread.into_iter().next().map_or(Ok(engine), Err)
    }

    /// An engine that goes on from what can be read of what was persisted, and the cells that cannot. What they said is learnt
    /// again; but whoever signs must not forget what was signed: of a log whose cosigned size is lost nothing is cosigned.
    pub fn mended(config: EngineConfig, snapshot: Snapshot) -> (Self, Vec<SnapshotError>) {
        let random = config.seed;
        let mut engine = Self {
            config,
            now: 0,
            random,
            next_id: 0,
            out: Vec::new(),
            pending: BTreeMap::new(),
            peers: BTreeMap::new(),
            own_chain: None,
            logs: BTreeMap::new(),
            own: BTreeMap::new(),
            by_hash: BTreeMap::new(),
            witness: Witness::default(),
            roots: Roots::default(),
            rung: BTreeMap::new(),
            dirty: BTreeSet::new(),
            agenda: Agenda::default(),
            slots: Slots::default(),
            seen_slots: Slots::default(),
            unread_due: None,
            siblings: Siblings::default(),
            room: Room::default(),
            lanes: Lanes::default(),
            backlog: Backlog::default(),
            news: News::default(),
            own_is_touched: true,
            own_due: None,
            late: BTreeSet::new(),
            cosigning: BTreeMap::new(),
            erased: BTreeMap::new(),
            started: None,
            asked: BTreeSet::new(),
            removed: BTreeSet::new(),
            #[cfg(test)]
            looks: 0,
            #[cfg(test)]
            own_looks: 0,
        };
        let mut unread = Vec::new();
        for (space, key, value) in snapshot.cells {
            if engine.restore(&space, &key, &value).is_none() {
                unread.push(SnapshotError { space, key });
            }
        }
        for cell in unread.iter().filter(|cell| cell.space == WITNESS) {
            if let Ok(origin) = cell.key.parse() {
                engine.witness.forget(origin);
            }
        }
        engine.room = Room::of(engine.logs.iter().map(|(origin, log)| (origin, log.kept_bytes())));
        engine.forget_erased();
        engine.dirty.extend(engine.logs.keys().chain(engine.own.keys()).cloned());
        (engine, unread)
    }

    /// Takes an input at a time in milliseconds since 1970.
    pub fn handle(&mut self, now: u64, input: Input) -> Vec<Output> {
        // A clock that steps back must not make deadlines of the past come again.
        self.now = self.now.max(now);
        self.started.get_or_insert(self.now);
        self.news.begin();
        self.own_is_touched |= self.touches_own(&input);
        match input {
            Input::Tick => {}
            Input::Peers(peers) => self.take_peers(peers),
            Input::Removed(peers) => self.removed = peers,
            Input::OwnRoots(chain) => self.take_own_roots(chain),
            Input::OwnLog(log) => self.take_own_log(*log),
            Input::Appending(origin, checkpoint) => self.take_appending(&origin, &checkpoint.checkpoint),
            Input::Answer { id, answer } => self.take_answer(id, answer),
            Input::Read { id, files } => self.take_read(id, &files),
            Input::Stored { id } => self.take_stored(id, true),
            Input::StoreFailed { id } => self.take_stored(id, false),
            Input::Nudge { request, body } => self.take_nudge(request, &body),
            Input::HeadsShown { request, peer, body } => self.take_shown_heads(request, &peer, &body),
            Input::RootShown { peer, bytes } => {
                if let Ok(root) = SignedRoot::parse(&bytes) {
                    self.root_offered(&peer, root);
                }
            }
            Input::AddCheckpoint { request, body } => self.take_add_checkpoint(request, &body),
            Input::Signed { id, line } => self.take_signed(id, line),
            Input::Quoted { by, anchors } => self.take_quoted(&by, anchors),
            Input::Resume { origin } => self.take_resume(&origin),
            Input::Damaged { origin } => self.take_damaged(&origin),
            Input::WantBlobs { origin, name } => self.take_want_blobs(&origin, name),
            Input::Settled { key } => self.take_settled(&key),
            Input::Used { author, bytes } => self.take_used(&author, bytes),
            Input::Space { is_low } => self.take_space(is_low),
            Input::Lost { origin, index, record, lost } => self.take_lost(&origin, index, &record, &lost),
            Input::Erased { by, status, names } => self.take_opened_erasure(&by, status, &names),
        }
        self.run();
        std::mem::take(&mut self.out)
    }

    /// Does everything that is due.
    fn run(&mut self) {
        self.run_peers();
        self.run_roots();
        self.run_own();
        self.run_late();
        self.run_due_logs();
        while let Some(origin) = self.dirty.pop_first() {
            self.run_log(&origin);
            self.plan(&origin);
        }
        self.run_siblings();
        self.run_room();
        self.run_blobs();
        self.run_news();
    }

    /// What the next inputs and deadlines need to know of a log that was looked at.
    fn plan(&mut self, origin: &Origin) {
        let patience = self.config.limits.missing_after;
        self.count_wants(origin);
        let log = self.logs.get(origin);
        if log.is_some_and(Log::needs_place) {
            self.dirty.extend(self.slots.decline(origin));
        } else {
            // Those that shared memory with it may go on, and one that waited for its place.
            self.dirty.extend(self.slots.beside(origin));
            self.dirty.extend(self.slots.free(origin));
        }
        if !log.is_some_and(|log| log.seen.is_asked()) {
            let next = self.seen_slots.free(origin);
            self.seen_may_go_on(next);
        }
        let log = self.logs.get(origin);
        let own = self.own.get(origin).and_then(|own| own.blobs.deadline(!own.shown_by.is_empty(), patience));
        let (has_room, takes_entries) =
            (self.has_room(&origin.authority), self.takes_entries(&origin.authority));
        let deadline = log.and_then(|log| log.deadline(patience, has_room, takes_entries));
        let deadline = deadline.into_iter().chain(own).min();
        // What is due and could not be done yet (nobody to ask) is looked at again soon, not at once.
        let is_overdue = |at: u64| if at <= self.now { self.now + STEP } else { at };
        let at = deadline.map(is_overdue);
        self.agenda.plan(origin, at);
        self.line_up(origin);
    }

    /// Notes how much of a log is wanted. When its author's share of that is free again, its logs go on.
    fn count_wants(&mut self, origin: &Origin) {
        if origin.authority == self.config.me {
            return;
        }
        let wants = self.logs.get(origin).map_or(0, |log| log.blobs.known());
        if self.backlog.set(origin, wants, self.config.limits.wanted) {
            let logs = logs::logs_of(&self.logs, &origin.authority);
            self.dirty.extend(logs.map(|(origin, _)| origin.clone()));
        }
    }

    /// When [`Input::Tick`] is due, in milliseconds since 1970.
    pub fn next_deadline(&self) -> Option<u64> {
        let peers = self.peers.values().filter_map(Peer::deadline);
        let own = self.own.values().filter_map(|own| own.deadline(self.now, self.config.limits.hourly));
        let roots = self.roots.deadline().filter(|_| !self.peers.is_empty());
        let roots = roots.into_iter().chain(self.root_told_deadline());
        let others = self.siblings.deadline().into_iter().chain(self.room.deadline()).chain(self.unread_due);
        let others = others.chain(self.news.deadline()).chain(self.late.first().map(|(at, _)| *at));
        let due = peers.chain(own).chain(self.agenda.first()).chain(roots).chain(others).min()?;
        // What is due and could not be done yet (nobody to ask) is looked at again soon, not at once.
        Some(due.max(self.now + STEP))
    }

    /// What is served at a path to a caller, or to a stranger. What may not be read is not there.
    pub fn serve(&self, route: &Route, caller: Option<&Authority>) -> Served {
        self.find(route, caller).unwrap_or(Served::NotFound)
    }

    fn find(&self, route: &Route, caller: Option<&Authority>) -> Option<Served> {
        match route {
            Route::WellKnownRoot => Some(Served::OwnRoot(None)),
            Route::Root(n) => Some(Served::OwnRoot(Some(*n))),
            Route::PeerRoot { authority, n } if *authority == self.config.me => {
                Some(Served::OwnRoot(Some(*n)))
            }
            Route::PeerRoot { authority, n } => {
                let body = self.peers.get(authority)?.config.chain.bytes(*n)?.to_vec();
                Some(Served::Bytes { body, public: true })
            }
            Route::Log { log, file } => {
                let origin = log.origin(&self.config.me);
                let own = self.own.get(&origin)?;
                may_read(caller, Some(&own.readers)).then_some(())?;
                let size = own.checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.checkpoint.size);
                let is_there = is_within(file, size) && own.has_archived(file);
                is_there.then(|| stored(&places::own(&origin), file, own.readers.is_public()))
            }
            Route::Blob(hash) => Some(Served::OwnBlob(*hash)),
            Route::Mirror { origin, file } => {
                let origin = self.by_hash.get(origin)?;
                let log = self.logs.get(origin)?;
                let readers = log.readers().filter(|readers| may_read(caller, Some(readers)))?;
                Self::mirrored(origin, log, file, readers)
            }
            Route::Heads => Some(Served::Bytes { body: self.heads(caller).0, public: caller.is_none() }),
            Route::Witness(origin) => {
                let (_, latest) = self.witness.all().find(|(o, _)| origin_hash(o) == *origin)?;
                // The size and root of a restricted log tell nothing of its entries, and who asks proves by
                // the hash that it knows the origin.
                Some(Served::Bytes { body: latest.checkpoint.to_bytes(), public: true })
            }
            Route::Holds(origin) => {
                let log = self.logs.get(self.by_hash.get(origin)?)?;
                let readers = log.readers().filter(|readers| may_read(caller, Some(readers)))?;
                Some(Served::Bytes { body: log.held.as_ref()?.to_bytes(), public: readers.is_public() })
            }
            Route::Nudge | Route::AddCheckpoint => None,
        }
    }

    fn mirrored(origin: &Origin, log: &Log, file: &MirrorFile, readers: &Readers) -> Option<Served> {
        match file {
            MirrorFile::Blob(hash) => {
                let (path, mark) = (places::blob(hash), Some(places::blob_mark(origin, hash)));
                Some(Served::File {
                    path,
                    mark,
                    cut: Cut::Whole,
                    public: readers.is_public(),
                    immutable: true,
                })
            }
            MirrorFile::Log(LogFile::Seen(n)) if *n >= log.seen.count => None,
            MirrorFile::Log(LogFile::Held { .. }) => None,
            MirrorFile::Log(file) => {
                let size = log.stored_verified().map_or(0, |checkpoint| checkpoint.checkpoint.size);
                is_within(file, size).then(|| stored(&places::mirror(origin), file, readers.is_public()))
            }
        }
    }

    /// The authority whose `caller` key in force this is: listed by the newest root known and not revoked.
    pub fn recognise(&self, key: &VerifierKey) -> Option<Authority> {
        let authority = Authority::of_key_name(key.name()).ok()?;
        let chain = &self.peers.get(&authority)?.config.chain;
        let is_listed = chain.latest().keys_of(record::Role::Caller).any(|listed| listed.vkey == *key);
        (is_listed && chain.revocation(key).is_none()).then_some(authority)
    }

    /// Whether an own log may sign; `Wait` for one that is not known.
    pub fn permission(&self, origin: &Origin) -> Permission {
        self.own.get(origin).map_or(Permission::Wait, |own| own.told)
    }

    /// Whether a log may be opened under a name that can be guessed: everybody told which of our logs it
    /// knows, or had as long as a start waits. Before that, a state that was restored could open one anew
    /// that it had opened before.
    pub fn may_open(&self, now: u64) -> bool {
        let everybody_told = self.reachable().all(|peer| self.asked.contains(peer));
        self.started.is_some_and(|at| everybody_told || now >= at + self.config.limits.start_wait)
    }

    /// Whom it makes sense to wait for.
    fn reachable(&self) -> impl Iterator<Item = &Authority> {
        self.peers.iter().filter(|(_, peer)| peer.config.reachable).map(|(name, _)| name)
    }

    /// Whether somebody shows an own log that was never given here: it is fetched back.
    pub fn fetches_back(&self, origin: &Origin) -> bool {
        self.own.get(origin).is_some_and(Own::is_only_shown)
    }

    /// How much of an own log is here.
    pub fn own_size(&self, origin: &Origin) -> u64 {
        self.own.get(origin).map_or(0, Own::size)
    }

    /// How many `seen` files of an own log are here.
    pub fn own_seen(&self, origin: &Origin) -> u64 {
        self.own.get(origin).map_or(0, |own| own.kept.seen)
    }

    /// Whether nothing is under way that a peer showed: no question to it, and nothing read, stored or signed.
    pub fn is_quiet_with(&self, peer: &Authority) -> bool {
        let is_read = self.peers.get(peer).is_none_or(|peer| !peer.has_unread());
        is_read && !self.pending.values().any(|pending| pending.is_of(peer))
    }

    /// How many blobs of own records are lost here and are being fetched back.
    pub fn lost_blobs(&self) -> u64 {
        self.own.values().map(|own| own.blobs.open() as u64).sum()
    }

    /// How far each followed log is.
    pub fn followed(&self) -> Vec<FollowedLog> {
        let others = self.logs.iter().filter(|(origin, _)| origin.authority != self.config.me);
        others.map(|(origin, log)| log.view(origin)).collect()
    }

    /// The log whose origin has this hash, if it is known here.
    pub fn origin_of(&self, hash: &Hash) -> Option<Origin> {
        self.by_hash.get(hash).cloned()
    }

    /// The size and root of a followed log, as far as it is stored.
    pub fn stored_tree(&self, origin: &Origin) -> Option<(u64, Hash)> {
        self.logs.get(origin).map(Log::stored_tree)
    }

    /// How fast a log may be followed that is caught up from a peer: the memory is shared by peers, of each its own logs and those
    /// that it copies, and each part by its logs, in the order in which they ask.
    fn pace(&self, origin: &Origin, peer: &Authority) -> Pace {
        let Limits { in_flight, batch_bundles, ahead_bytes, .. } = self.config.limits;
        let of_peer = ahead_bytes / self.slots.ways().max(1);
        let others = self.slots.others(peer, origin);
        let used: usize = others.filter_map(|other| self.logs.get(other)).map(Log::held_bytes).sum();
        let waits = self.logs.get(origin).map_or(0, Log::storing_bytes);
        let left = usize::try_from(self.room_left(&origin.authority)).unwrap_or(usize::MAX);
        let share = of_peer.min(left / footprint::MOST_OF_LINES);
        let may_be_large = used == 0 || used + tlog::tile::MAX_BUNDLE <= share;
        Pace { in_flight, batch_bundles, ahead_bytes: share.saturating_sub(used + waits), may_be_large }
    }

    fn ask(&mut self, pending: Pending) -> Id {
        self.next_id += 1;
        let id = Id(self.next_id);
        self.pending.insert(id, pending);
        id
    }

    fn fetch(&mut self, peer: &Authority, route: Route, pending: Pending) {
        let limit = route.limit();
        self.fetch_up_to(peer, route, limit, pending);
    }

    fn fetch_up_to(&mut self, peer: &Authority, route: Route, limit: usize, pending: Pending) {
        self.ask_for(peer, route, limit, false, pending);
    }

    fn ask_for(&mut self, peer: &Authority, route: Route, limit: usize, to_disk: bool, pending: Pending) {
        let ahead = self.peers.get(peer).map_or(0, Peer::ahead);
        let id = self.ask(pending);
        let signed = !matches!(route, Route::Root(_) | Route::PeerRoot { .. } | Route::Witness(_));
        let (peer, etag) = (peer.clone(), None);
        self.out.push(Output::Fetch {
            id,
            peer,
            route,
            etag,
            long_poll: false,
            signed,
            limit,
            to_disk,
            ahead,
        });
    }

    fn store(&mut self, writes: Vec<Write>, events: Vec<Event>, pending: Pending) {
        let id = self.ask(pending);
        self.out.push(Output::Store { id, writes, events });
    }

    fn ring(&mut self, alarm: Alarm) {
        let key = alarm.name();
        if let Some(said) = self.rung.get_mut(&key) {
            if self.now >= *said + self.config.limits.hourly {
                *said = self.now;
                self.out.push(Output::AlarmAgain(alarm));
            }
            return;
        }
        self.rung.insert(key.clone(), self.now);
        let arguments = alarm.arguments().into_iter().map(|(name, value)| format!("{name} {value}\n"));
        let text: String = std::iter::once(format!("{}\n", alarm.code())).chain(arguments).collect();
        let cell = Write::Cell { space: ALARM, key, value: Some(text.into_bytes()) };
        self.store(vec![cell], Vec::new(), Pending::Unwatched);
        self.out.push(Output::Alarm(alarm));
    }

    /// An operator settled an alarm: it rings again if its cause comes again.
    fn take_settled(&mut self, key: &str) {
        if self.rung.remove(key).is_some() {
            let cell = Write::Cell { space: ALARM, key: key.to_owned(), value: None };
            self.store(vec![cell], Vec::new(), Pending::Unwatched);
        }
    }

    /// A wait that grows with failures, with a quarter of jitter.
    fn back_off(&mut self, failures: u32) -> u64 {
        let Limits { retry_first, retry_longest, .. } = self.config.limits;
        let wait = retry_first.saturating_mul(1 << failures.saturating_sub(1).min(20)).min(retry_longest);
        wait - wait / 8 + self.draw() % (wait / 4).max(1)
    }

    /// The next number of `SplitMix64`.
    fn draw(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

fn stored(prefix: &str, file: &LogFile, public: bool) -> Served {
    let immutable = match file {
        LogFile::Checkpoint => false,
        LogFile::Tile(_) | LogFile::Entries { .. } | LogFile::Seen(_) | LogFile::Held { .. } => true,
    };
    Served::File { path: places::file(prefix, file), mark: None, cut: Cut::of(file), public, immutable }
}

/// Every key that a chain ever listed for a log, under the log's name, revoked ones apart; `acknowledged` are
/// checkpoints that a successor log names, which count though their key was revoked.
fn log_keys(chain: &RootChain, origin: &Origin, acknowledged: bool) -> Vec<VerifierKey> {
    let revoked = if acknowledged { BTreeMap::new() } else { chain.revoked_keys() };
    let name = origin.to_string();
    let listed = chain.roots().flat_map(|signed| signed.root.keys_of(record::Role::Log));
    let usable = listed.filter(|key| !revoked.contains_key(key.vkey.public()));
    let keys: BTreeSet<VerifierKey> = usable.filter_map(|key| key.vkey.with_name(&name).ok()).collect();
    keys.into_iter().collect()
}

/// A checkpoint with no signature lines but those of these keys.
fn only_lines_of(checkpoint: &SignedCheckpoint, keys: &[VerifierKey]) -> SignedCheckpoint {
    let mut kept = checkpoint.clone();
    kept.note.signatures.retain(|line| keys.iter().any(|key| line.is_by(key)));
    kept
}

#[cfg(test)]
mod tests;
