//! Many peers beside each other, of which some are silent, slow, or say what is not so.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::*;
use crate::paths::origin_hash;

/// A request that is not answered is told as failed after this time, as whoever drives the engine does.
const FAILS_AFTER: u64 = 45_000;

/// `b.example` among others.
pub struct Crowd {
    pub engine: Engine,
    /// The logs of each peer.
    pub logs: BTreeMap<Authority, Vec<TestLog>>,
    /// Peers that show their logs and answer for nothing else.
    pub silent: BTreeSet<Authority>,
    /// Peers that answer for their own logs and for nothing that they copy.
    pub silent_on_copies: BTreeSet<Authority>,
    /// Peers that never answer a nudge.
    pub silent_on_nudges: BTreeSet<Authority>,
    /// Peers that do not answer at all, and when who was asked for heads.
    pub dead: BTreeSet<Authority>,
    pub heads_asked: Vec<(Authority, u64)>,
    /// How often who waits for news was woken.
    pub news: u64,
    /// What everybody serves of blobs.
    pub blobs: BTreeMap<tlog::Hash, Vec<u8>>,
    /// Peers that answer everything but blobs, and what was asked for of those.
    pub drips_blobs: BTreeSet<Authority>,
    pub blobs_asked: BTreeSet<(Authority, tlog::Hash)>,
    /// How many times its length the rows of a file take.
    pub per_table: u64,
    /// How often the engine was told that time has passed.
    pub ticks: u64,
    /// What stands in the place of every answer for the next root of somebody, by who is asked.
    pub roots: BTreeMap<Authority, Vec<u8>>,
    /// The `seen` files that each peer shows, of its own logs and of others'.
    pub seen: BTreeMap<(Authority, Origin), Vec<Vec<u8>>>,
    waiting: VecDeque<Output>,
    /// Requests that nobody answers, and when they fail.
    pub unanswered: Vec<(Id, Authority, Route, usize, u64)>,
    pub parked: Vec<(Id, Authority, String)>,
    /// Requests that were broken off.
    pub given_up: Vec<Id>,
    pub files: BTreeMap<String, Vec<u8>>,
    pub alarms: Vec<Alarm>,
    /// Peers that answer nudges with "too many", and who was nudged.
    pub refuses_nudges: BTreeSet<Authority>,
    pub nudged: Vec<Authority>,
    replied: Vec<u16>,
    /// `seen` files that gave way to the author's.
    pub replaced: Vec<(Origin, u64)>,
    /// Files of logs that were asked for: of whom, and with which limit.
    pub asked: Vec<(Authority, usize)>,
    pub roots_stored: Vec<(Authority, u64, u64)>,
    pub now: u64,
}

impl Crowd {
    pub fn new(peers: &[&str]) -> Self {
        Self::with(peers, Limits::default())
    }

    pub fn with(peers: &[&str], limits: Limits) -> Self {
        let config = EngineConfig { me: authority("b.example"), seed: 7, limits };
        let mut crowd = Self {
            engine: Engine::new(config, Snapshot::default()).unwrap(),
            logs: peers.iter().map(|name| (authority(name), Vec::new())).collect(),
            silent: BTreeSet::new(),
            silent_on_copies: BTreeSet::new(),
            silent_on_nudges: BTreeSet::new(),
            dead: BTreeSet::new(),
            heads_asked: vec![],
            news: 0,
            blobs: BTreeMap::new(),
            drips_blobs: BTreeSet::new(),
            blobs_asked: BTreeSet::new(),
            per_table: 0,
            ticks: 0,
            roots: BTreeMap::new(),
            seen: BTreeMap::new(),
            waiting: VecDeque::new(),
            unanswered: vec![],
            parked: vec![],
            given_up: vec![],
            files: BTreeMap::new(),
            alarms: vec![],
            refuses_nudges: BTreeSet::new(),
            nudged: vec![],
            replied: vec![],
            replaced: vec![],
            asked: vec![],
            roots_stored: vec![],
            now: NOW,
        };
        crowd.tell(Input::OwnRoots(chain("b.example", 1)));
        crowd.tell_peers();
        crowd
    }

    pub fn tell_peers(&mut self) {
        let peer = |name: &Authority| PeerConfig {
            authority: name.clone(),
            fingerprint: chain(name.as_str(), 1).fingerprint(),
            chain: chain(name.as_str(), 1),
            reachable: true,
        };
        let peers = self.logs.keys().map(peer).collect();
        self.tell(Input::Peers(peers));
    }

    pub fn tell(&mut self, input: Input) {
        let outputs = self.engine.handle(self.now, input);
        self.waiting.extend(outputs);
    }

    /// Somebody sends a nudge; the status of the answer.
    pub fn nudge(&mut self, body: Vec<u8>) -> u16 {
        self.tell(Input::Nudge { request: RequestId(1), body });
        self.pass(0);
        self.replied.pop().expect("an answer")
    }

    /// A peer shows one more log.
    pub fn shows(&mut self, log: TestLog) {
        let name = log.origin.authority.clone();
        self.logs.get_mut(&name).expect("a peer").push(log);
        self.tell_heads_of(name.as_str());
    }

    pub fn pass(&mut self, milliseconds: u64) {
        let end = self.now + milliseconds;
        loop {
            while let Some(output) = self.waiting.pop_front() {
                self.carry_out(output);
            }
            let failing = self.unanswered.iter().map(|(.., at)| *at).min();
            let next = self.engine.next_deadline().into_iter().chain(failing).min();
            let Some(at) = next.filter(|at| *at <= end) else { break };
            self.now = self.now.max(at);
            let (failed, still) =
                std::mem::take(&mut self.unanswered).into_iter().partition(|(.., at)| *at <= self.now);
            self.unanswered = still;
            let failed: Vec<_> = failed;
            for (id, ..) in failed {
                self.tell(Input::Answer { id, answer: Answer::Failed });
            }
            self.ticks += 1;
            self.tell(Input::Tick);
        }
        self.now = end;
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Fetch { id, peer, route: Route::Heads, etag, long_poll, .. } => {
                self.heads_asked.push((peer.clone(), self.now));
                if self.dead.contains(&peer) {
                    self.tell(Input::Answer { id, answer: Answer::Failed });
                } else if long_poll && etag == Some(self.etag(&peer)) {
                    self.parked.push((id, peer, etag.unwrap_or_default()));
                } else {
                    self.answer_heads(id, &peer);
                }
            }
            Output::Fetch { id, peer, route, limit, .. } => self.fetch(id, peer, route, limit),
            Output::Post { id, peer, route: Route::Nudge, .. } if self.silent_on_nudges.contains(&peer) => {
                self.unanswered.push((id, peer, Route::Nudge, 0, self.now + FAILS_AFTER));
            }
            Output::Post { id, peer, route: Route::Nudge, .. } => {
                let status = if self.refuses_nudges.contains(&peer) { 429 } else { 202 };
                self.nudged.push(peer);
                let answer = Answer::Response { status, etag: None, date: None, body: vec![] };
                self.tell(Input::Answer { id, answer });
            }
            Output::Post { id, .. } => self.tell(Input::Answer { id, answer: Answer::Failed }),
            Output::Read { id, paths } => {
                let files = paths.iter().map(|path| self.files.get(path).cloned()).collect();
                self.tell(Input::Read { id, files });
            }
            Output::Store { id, writes, events } => {
                let measured = events.iter().find_map(|event| match event {
                    Event::Measure { author, .. } => Some(author.clone()),
                    _ => None,
                });
                self.replaced.extend(events.into_iter().filter_map(|event| match event {
                    Event::Seen { origin, n, replaces: true, .. } => Some((origin, n)),
                    _ => None,
                }));
                for write in writes {
                    match write {
                        Write::File { path, bytes } => drop(self.files.insert(path, bytes)),
                        Write::Root { authority, version, .. } => {
                            self.roots_stored.push((authority, version, self.now));
                        }
                        Write::Cell { .. } | Write::Head { .. } | Write::Keep { .. } => {}
                    }
                }
                self.tell(Input::Stored { id });
                if let Some(author) = measured {
                    self.tell(Input::Used { author, bytes: self.used() });
                }
            }
            Output::Sign { id, what } => {
                let SignRequest::Holds(checkpoint) = what else { panic!("it is no witness") };
                let line = checkpoint.cosign(&signer("b.example", Role::Holds, 1), self.now / 1000).ok();
                self.tell(Input::Signed { id, line });
            }
            Output::Alarm(alarm) => self.alarms.push(alarm),
            Output::Reply { status, .. } => self.replied.push(status),
            Output::HeadsChanged => self.news += 1,
            Output::GiveUp(id) => {
                self.unanswered.retain(|(asked, ..)| *asked != id);
                self.parked.retain(|(asked, ..)| *asked != id);
                self.given_up.push(id);
            }
            Output::Signing { .. } | Output::AlarmAgain(_) | Output::Discard { .. } => {}
        }
    }

    fn fetch(&mut self, id: Id, peer: Authority, route: Route, limit: usize) {
        let is_file = matches!(route, Route::Log { .. } | Route::Mirror { .. });
        if is_file {
            self.asked.push((peer.clone(), limit));
        }
        let found = match &route {
            Route::Log { log: name, file: LogFile::Seen(n) } => {
                self.seen_file(&peer, |origin| name.origin(&peer) == *origin, *n)
            }
            Route::Mirror { origin: hash, file: MirrorFile::Log(LogFile::Seen(n)) } => {
                self.seen_file(&peer, |origin| origin_hash(origin) == *hash, *n)
            }
            Route::Log { log: name, file } => {
                let log = self.logs[&peer].iter().find(|log| name.origin(&peer) == log.origin);
                log.and_then(|log| log.file(file))
            }
            Route::Mirror { origin: hash, file: MirrorFile::Log(file) } => {
                let log = self.logs.values().flatten().find(|log| origin_hash(&log.origin) == *hash);
                log.and_then(|log| log.file(file))
            }
            Route::Blob(sha256) | Route::Mirror { file: MirrorFile::Blob(sha256), .. } => {
                self.blobs.get(sha256).cloned()
            }
            Route::Root(_) | Route::PeerRoot { .. } => self.roots.get(&peer).cloned(),
            _ => None,
        };
        if let Route::Blob(sha256) = route {
            self.blobs_asked.insert((peer.clone(), sha256));
        }
        let is_blob = matches!(route, Route::Blob(_) | Route::Mirror { file: MirrorFile::Blob(_), .. });
        let drips = is_blob && self.drips_blobs.contains(&peer)
            || matches!(route, Route::Mirror { .. }) && self.silent_on_copies.contains(&peer);
        if drips || self.silent.contains(&peer) && !matches!(route, Route::Witness(_)) {
            self.unanswered.push((id, peer, route, limit, self.now + FAILS_AFTER));
            return;
        }
        let answer = match found {
            Some(body) if body.len() > limit => Answer::TooLarge,
            Some(body) => Answer::Response { status: 200, etag: None, date: None, body },
            None => Answer::Response { status: 404, etag: None, date: None, body: vec![] },
        };
        self.tell(Input::Answer { id, answer });
    }

    /// What lies here of entries and files, of whomever.
    fn used(&self) -> u64 {
        let takes = |(path, bytes): (&String, &Vec<u8>)| match bytes.len() as u64 {
            length if path.contains("/entries/") => length,
            length if path.starts_with("blob/") => crate::footprint::file(length) + self.per_table * length,
            _ => 0,
        };
        self.files.iter().map(takes).sum()
    }

    /// How many blobs are here.
    pub fn blobs_here(&self) -> usize {
        self.files.keys().filter(|path| path.starts_with("blob/")).count()
    }

    /// A peer has news of its logs: who waits for its heads is answered.
    pub fn tell_heads_of(&mut self, peer: &str) {
        for (id, name, etag) in std::mem::take(&mut self.parked) {
            if name.as_str() == peer {
                self.answer_heads(id, &name);
            } else {
                self.parked.push((id, name, etag));
            }
        }
    }

    fn seen_file(&self, peer: &Authority, is_it: impl Fn(&Origin) -> bool, n: u64) -> Option<Vec<u8>> {
        let mut files = self.seen.iter().filter(|((by, origin), _)| by == peer && is_it(origin));
        files.find_map(|(_, files)| files.get(usize::try_from(n).ok()?).cloned())
    }

    /// A peer shows `seen` files of a log, its own or another's.
    pub fn shows_seen(&mut self, peer: &str, origin: &Origin, files: &[SignedCheckpoint]) {
        let files = files.iter().map(SignedCheckpoint::to_bytes).collect();
        self.seen.insert((authority(peer), origin.clone()), files);
        for (id, peer, _) in std::mem::take(&mut self.parked) {
            self.answer_heads(id, &peer);
        }
    }

    /// A peer shows its copy of another's log, as that is now.
    pub fn copies(&mut self, peer: &str, origin: &Origin) {
        self.seen.entry((authority(peer), origin.clone())).or_default();
        self.tell_heads_of(peer);
    }

    /// Whoever was silent answers what it was asked meanwhile.
    pub fn answer_all(&mut self) {
        self.silent.clear();
        self.silent_on_copies.clear();
        for (id, peer, route, limit, _) in std::mem::take(&mut self.unanswered) {
            self.fetch(id, peer, route, limit);
        }
    }

    fn etag(&self, peer: &Authority) -> String {
        let sizes = self.logs.get(peer).into_iter().flatten().map(|log| log.entries.len().to_string());
        let seen =
            self.seen.iter().filter(|((by, _), _)| by == peer).map(|(_, files)| files.len().to_string());
        format!("{peer} {}", sizes.chain(seen).collect::<Vec<_>>().join(" "))
    }

    fn answer_heads(&mut self, id: Id, peer: &Authority) {
        let mut heads = Heads::default();
        for log in self.logs.get(peer).into_iter().flatten() {
            let head = Head { checkpoint: log.checkpoint(), seen: 0, held: None };
            heads.logs.insert(log.origin.clone(), head);
        }
        for ((by, origin), files) in &self.seen {
            let log = self.logs.values().flatten().find(|log| log.origin == *origin);
            if let Some(log) = log.filter(|_| by == peer) {
                let head = Head { checkpoint: log.checkpoint(), seen: files.len() as u64, held: None };
                heads.logs.insert(origin.clone(), head);
            }
        }
        let (etag, body) = (Some(self.etag(peer)), heads.to_bytes());
        self.tell(Input::Answer { id, answer: Answer::Response { status: 200, etag, date: None, body } });
    }

    /// What is here of a log.
    pub fn followed(&self, origin: &Origin) -> FollowedLog {
        self.engine.followed().into_iter().find(|log| log.origin == *origin).expect("a followed log")
    }

    /// How much of a log is here.
    pub fn size(&self, origin: &Origin) -> u64 {
        self.engine.followed().iter().find(|log| log.origin == *origin).map_or(0, |log| log.size)
    }

    /// Bytes that answers under way may have.
    pub fn under_way(&self, peer: &str) -> usize {
        let of_peer = self.unanswered.iter().filter(|(_, name, ..)| name.as_str() == peer);
        of_peer.map(|(.., limit, _)| *limit).sum()
    }
}

pub fn log_of(author: &str, n: u32, records: u64) -> TestLog {
    let mut log = TestLog::opened(&format!("{author}/log/public/{}", 2000 + n), &[]);
    log.grow(records, 1);
    log
}
