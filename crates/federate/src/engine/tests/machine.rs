//! A reader under test, `b.example`, step by step: what its engine asks for is carried out when and how the test
//! says. Before each receipt it is checked that everything that the receipt says is stored.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use record::{BlobRef, Header, Line, MAX_BLOB, MAX_INNER_BLOB, MediaType, Record, Ref, Relation, Status};
use tlog::{Hash, sha256};

use super::*;
use crate::places;

/// A blob of a record to be released: its bytes, and what its record says of it if that is another thing.
#[derive(Debug, Clone)]
pub struct Part {
    pub bytes: Vec<u8>,
    pub said: Option<u64>,
    pub media_type: &'static str,
}

impl Part {
    pub fn new(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), said: None, media_type: "text/plain" }
    }

    pub fn json(bytes: &[u8]) -> Self {
        Self { media_type: "application/json;schema=fact-1", ..Self::new(bytes) }
    }

    pub fn saying(self, size: u64) -> Self {
        Self { said: Some(size), ..self }
    }
}

pub struct Machine {
    pub engine: Engine,
    cells: BTreeMap<(String, String), Vec<u8>>,
    pub files: BTreeMap<String, Vec<u8>>,
    /// The author's logs, as it serves them, and logs of this reader that it follows.
    pub logs: Vec<TestLog>,
    /// What this reader is told of its own logs at a start.
    pub own: Vec<OwnLog>,
    /// Heads of own logs that were fetched back.
    pub heads: BTreeMap<Origin, SignedCheckpoint>,
    /// The author's blobs.
    pub served: BTreeMap<Hash, Vec<u8>>,
    /// Whether the author answers for blobs.
    pub gives_blobs: bool,
    /// Logs that the author shows and does not give.
    pub withheld: BTreeSet<Origin>,
    /// Whether the author answers for heads.
    pub answers_heads: bool,
    /// What the author serves instead of some of them.
    pub spoiled: BTreeMap<Hash, Vec<u8>>,
    /// What the author serves as every `seen` file, if it shows that there is one.
    pub seen: Option<Vec<u8>>,
    /// The next store fails after so many of its writes.
    pub breaks_after: Option<usize>,
    waiting: VecDeque<Output>,
    /// Files that came and are not kept yet.
    pub beside: BTreeMap<Id, Vec<u8>>,
    /// A question for heads that waits for news, and until when at the latest.
    parked: Option<(Id, u64)>,
    /// Blobs asked for, in order.
    pub fetched: Vec<Hash>,
    /// Records of which a desk wanted all.
    pub asked_for: BTreeSet<Hash>,
    /// Erasures that were opened here.
    pub opened_erasures: BTreeSet<Hash>,
    pub events: Vec<Event>,
    pub alarms: Vec<Alarm>,
    pub receipts: Vec<SignedCheckpoint>,
    pub now: u64,
    /// How many inputs the engine took.
    pub steps: u64,
}

impl Machine {
    pub fn new(logs: Vec<TestLog>) -> Self {
        let mut machine = Self {
            engine: engine(Snapshot::default()),
            cells: BTreeMap::new(),
            files: BTreeMap::new(),
            beside: BTreeMap::new(),
            logs,
            own: vec![],
            heads: BTreeMap::new(),
            served: BTreeMap::new(),
            gives_blobs: true,
            withheld: BTreeSet::new(),
            answers_heads: true,
            spoiled: BTreeMap::new(),
            seen: None,
            alarms: vec![],
            breaks_after: None,
            waiting: VecDeque::new(),
            parked: None,
            fetched: vec![],
            asked_for: BTreeSet::new(),
            opened_erasures: BTreeSet::new(),
            events: vec![],
            receipts: vec![],
            now: NOW,
            steps: 0,
        };
        machine.begin();
        machine
    }

    fn begin(&mut self) {
        let chain_a = chain("a.example", 1);
        let (authority, fingerprint) = (authority("a.example"), chain_a.fingerprint());
        let peer = PeerConfig { authority, fingerprint, chain: chain_a, reachable: true };
        self.tell(Input::OwnRoots(chain("b.example", 1)));
        self.tell(Input::Peers(vec![peer]));
        for log in self.own.clone() {
            self.tell(Input::OwnLog(Box::new(log)));
        }
    }

    /// The machine dies, with everything that was under way, and comes back with what was stored.
    pub fn restart(&mut self) {
        self.waiting.clear();
        self.parked = None;
        let cells =
            self.cells.iter().map(|((space, key), value)| (space.clone(), key.clone(), value.clone()));
        self.engine = engine(Snapshot { cells: cells.collect() });
        self.begin();
    }

    pub fn tell(&mut self, input: Input) {
        self.steps += 1;
        let outputs = self.engine.handle(self.now, input);
        self.waiting.extend(outputs);
    }

    /// The author releases a record: clear, or sealed with its first part as the inner header.
    pub fn release(&mut self, log: usize, parts: &[Part], change: impl FnOnce(&mut Header)) -> Hash {
        let is_sealed = !self.logs[log].origin.audience.is_public();
        let blobs: Vec<BlobRef> = parts
            .iter()
            .map(|part| BlobRef {
                media_type: if is_sealed { MediaType::age() } else { part.media_type.parse().unwrap() },
                size: part.said.unwrap_or(part.bytes.len() as u64),
                sha256: sha256(&part.bytes),
                lang: None,
            })
            .collect();
        self.served.extend(parts.iter().map(|part| (sha256(&part.bytes), part.bytes.clone())));
        let name = self.append(log, blobs, is_sealed, change);
        self.tell_news();
        name
    }

    fn append(
        &mut self,
        log: usize,
        blobs: Vec<BlobRef>,
        is_sealed: bool,
        change: impl FnOnce(&mut Header),
    ) -> Hash {
        let commit = sha256(&(self.logs[log].entries.len() as u64).to_be_bytes()).to_hex();
        self.logs[log].record(7, |header| {
            header.blobs = blobs;
            if is_sealed {
                header.kind = "sealed".to_owned();
                header.own = vec![Line::new("commit", commit).unwrap()];
            }
            change(header);
        })
    }

    /// The author erases its copies of a record: it serves no blob of it any more that nothing else names.
    pub fn erase(&mut self, log: usize, name: Hash) {
        let reference = Ref { relation: Relation::Erases, author: authority("a.example"), name };
        self.logs[log].record(8, |header| {
            header.kind = record::kind::ERASURE.to_owned();
            header.refs = vec![reference];
        });
        let keeps: BTreeSet<Hash> = self
            .records()
            .filter(|record| record.name() != name)
            .flat_map(|record| hashes(&record))
            .collect();
        self.served.retain(|sha256, _| keeps.contains(sha256));
        self.tell_news();
    }

    fn records(&self) -> impl Iterator<Item = Record> {
        self.logs.iter().flat_map(|log| &log.entries).filter_map(|entry| Record::parse(entry).ok())
    }

    /// Carries out something that is waiting; stores in their order. False if nothing waits.
    pub fn step(&mut self, nth: usize) -> bool {
        let Some(nth) = nth.checked_rem(self.waiting.len()) else { return false };
        let is_store = |output: &Output| matches!(output, Output::Store { .. });
        let nth = if is_store(&self.waiting[nth]) {
            self.waiting.iter().position(is_store).unwrap_or(nth)
        } else {
            nth
        };
        let Some(output) = self.waiting.remove(nth) else { return false };
        self.carry_out(output);
        true
    }

    /// Lets time pass, and everything happen.
    pub fn pass(&mut self, milliseconds: u64) {
        let end = self.now + milliseconds;
        loop {
            while self.step(0) {}
            if let Some(id) = self.parked.take_if(|(_, at)| *at <= self.now).map(|(id, _)| id) {
                let etag = self.etag();
                self.tell_heads(id, Some(&etag));
                continue;
            }
            let poll = self.parked.map(|(_, at)| at);
            let deadline = self.engine.next_deadline().into_iter().chain(poll).min();
            let Some(deadline) = deadline.filter(|at| *at <= end) else { break };
            self.now = self.now.max(deadline);
            self.tell(Input::Tick);
        }
        self.now = end;
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Fetch { id, route: Route::Heads, .. } if !self.answers_heads => {
                self.tell(Input::Answer { id, answer: Answer::Failed });
            }
            Output::Fetch { id, route: Route::Heads, etag, long_poll, .. } => {
                if long_poll && etag == Some(self.etag()) {
                    self.parked = Some((id, self.now + 30_000));
                } else {
                    self.tell_heads(id, etag.as_ref());
                }
            }
            Output::Fetch { id, route, limit, to_disk, .. } => {
                let answer = match self.answer(&route, limit) {
                    Answer::Response { status, body, .. } if to_disk => {
                        let (sha256, bytes) = (sha256(&body), body.len() as u64);
                        self.beside.insert(id, body);
                        Answer::File { status, file: id, sha256, bytes }
                    }
                    answer => answer,
                };
                self.tell(Input::Answer { id, answer });
            }
            Output::Post { id, .. } => self.tell(Input::Answer { id, answer: Answer::Failed }),
            Output::Read { id, paths } => {
                let files = paths.iter().map(|path| self.files.get(path).cloned()).collect();
                self.tell(Input::Read { id, files });
            }
            Output::Store { id, writes, events } => self.store(id, writes, events),
            Output::Sign { id, what } => {
                let SignRequest::Holds(checkpoint) = what else { panic!("it is no witness") };
                self.check_receipt(&checkpoint);
                self.receipts.push(checkpoint.clone());
                let line = checkpoint.cosign(&signer("b.example", Role::Holds, 1), self.now / 1000).ok();
                self.tell(Input::Signed { id, line });
            }
            Output::Alarm(alarm) => self.alarms.push(alarm),
            Output::Discard { file } => drop(self.beside.remove(&file)),
            Output::GiveUp(id) => {
                self.beside.remove(&id);
                self.parked.take_if(|(parked, _)| *parked == id);
            }
            Output::Reply { .. } | Output::Signing { .. } | Output::HeadsChanged | Output::AlarmAgain(_) => {}
        }
    }

    fn store(&mut self, id: Id, writes: Vec<Write>, events: Vec<Event>) {
        let limit = self.breaks_after.take().filter(|limit| *limit < writes.len());
        for write in writes.into_iter().take(limit.unwrap_or(usize::MAX)) {
            match write {
                Write::File { path, bytes } => drop(self.files.insert(path, bytes)),
                Write::Keep { path, file } => {
                    let bytes = self.beside.remove(&file).expect("a file that was announced");
                    self.files.insert(path, bytes);
                }
                Write::Cell { space, key, value: Some(value) } => {
                    self.cells.insert((space.to_owned(), key), value);
                }
                Write::Cell { space, key, value: None } => drop(self.cells.remove(&(space.to_owned(), key))),
                Write::Head { origin, checkpoint } => drop(self.heads.insert(origin, checkpoint)),
                Write::Root { .. } => {}
            }
        }
        if limit.is_some() {
            return self.tell(Input::StoreFailed { id });
        }
        self.events.extend(events);
        self.tell(Input::Stored { id });
    }

    /// Signing costs time: it stands for the answer.
    fn etag(&self) -> String {
        self.logs.iter().fold(String::new(), |etag, log| format!("{etag} {}", log.entries.len()))
    }

    fn tell_heads(&mut self, id: Id, etag: Option<&String>) {
        let (now, date) = (Some(self.etag()), Some(self.now / 1000));
        let answer = if etag == now.as_ref() {
            Answer::Response { status: 304, etag: now, date, body: vec![] }
        } else {
            let mut heads = Heads::default();
            for log in self.logs.iter().filter(|log| !log.entries.is_empty()) {
                let seen = u64::from(self.seen.is_some());
                let head = Head { checkpoint: log.checkpoint(), seen, held: None };
                heads.logs.insert(log.origin.clone(), head);
            }
            Answer::Response { status: 200, etag: now, date, body: heads.to_bytes() }
        };
        self.tell(Input::Answer { id, answer });
    }

    /// Who waits for news hears of them.
    pub fn tell_news(&mut self) {
        if let Some((id, _)) = self.parked.take() {
            self.tell_heads(id, None);
        }
    }

    fn answer(&mut self, route: &Route, limit: usize) -> Answer {
        let found = match route {
            Route::Log { file: LogFile::Seen(_), .. } => self.seen.clone(),
            Route::Log { log: name, file } => {
                let log = self.logs.iter().find(|log| name.origin(&authority("a.example")) == log.origin);
                log.filter(|log| !self.withheld.contains(&log.origin)).and_then(|log| log.file(file))
            }
            Route::Mirror { origin, file: MirrorFile::Log(file) } => self
                .logs
                .iter()
                .find(|log| origin_hash(&log.origin) == *origin)
                .and_then(|log| log.file(file)),
            Route::Blob(sha256) | Route::Mirror { file: MirrorFile::Blob(sha256), .. } => {
                self.fetched.push(*sha256);
                let served = self.spoiled.get(sha256).or_else(|| self.served.get(sha256));
                served.filter(|_| self.gives_blobs).cloned()
            }
            _ => None,
        };
        if found.as_ref().is_some_and(|body| body.len() > limit) {
            return Answer::TooLarge;
        }
        let (status, body) = found.map_or((404, vec![]), |body| (200, body));
        Answer::Response { status, etag: None, date: Some(self.now / 1000), body }
    }

    /// What the protocol says of receipts, from the entries and files alone.
    fn check_receipt(&self, checkpoint: &SignedCheckpoint) {
        let log =
            self.logs.iter().find(|log| log.origin.to_string() == checkpoint.checkpoint.origin).unwrap();
        let today = record::Time::from_posix(i64::try_from(self.now / 1000).unwrap()).unwrap().date();
        let erased = self.erased();
        for entry in log.entries.iter().take(usize::try_from(checkpoint.checkpoint.size).unwrap()) {
            let record = Record::parse(entry).unwrap();
            let expires = record.header.expires;
            if expires.is_some_and(|day| day <= today) || erased.contains(&record.name()) {
                continue;
            }
            for (n, blob) in record.header.blobs.iter().enumerate() {
                let limit = if record.is_sealed() && n == 0 { MAX_INNER_BLOB } else { MAX_BLOB };
                let is_later = expires.is_some() && n > 0 && !self.asked_for.contains(&record.name());
                let is_stored = self.files.contains_key(&places::blob(&blob.sha256))
                    && self.files.contains_key(&places::blob_mark(&log.origin, &blob.sha256));
                assert!(is_later || blob.size > limit || is_stored, "a receipt for a blob that is not here");
            }
        }
    }

    fn erased(&self) -> BTreeSet<Hash> {
        let erased = self.records().filter(|record| {
            record.header.status == Status::Test && record.header.kind == record::kind::ERASURE
        });
        let names = erased.flat_map(|record| {
            record.header.refs_of(Relation::Erases).map(|reference| reference.name).collect::<Vec<_>>()
        });
        names.chain(self.opened_erasures.iter().copied()).collect()
    }

    pub fn followed(&self, log: usize) -> FollowedLog {
        let origin = &self.logs[log].origin;
        self.engine.followed().into_iter().find(|log| log.origin == *origin).unwrap()
    }

    /// Size, receipt, and blobs that are wanted.
    pub fn state(&self, log: usize) -> (u64, u64, u64) {
        let followed = self.followed(log);
        (followed.size, followed.held, followed.wanted_blobs)
    }

    pub fn unfetched(&self) -> Vec<&UnfetchedRecord> {
        let said = self.events.iter().filter_map(|event| match event {
            Event::Unfetched(record) => Some(record),
            _ => None,
        });
        said.collect()
    }

    /// How many cells a space has.
    pub fn cells_in(&self, space: &str) -> usize {
        self.cells.keys().filter(|(of, _)| of == space).count()
    }

    /// The wants of a record as they were kept before a record stood in their keys.
    pub fn older_cells(&mut self, name: &Hash) {
        let wants: Vec<(String, String)> = self
            .cells
            .keys()
            .filter(|(space, key)| space == WANT && key.ends_with(&name.to_hex()))
            .cloned()
            .collect();
        for cell in wants {
            let value = String::from_utf8(self.cells.remove(&cell).unwrap()).unwrap();
            let fields: Vec<&str> = value.split(' ').collect();
            let old = format!("{} {} {name} {}", fields[1], fields[2], fields[4]).into_bytes();
            self.cells.insert((cell.0, cell.1.rsplit_once('/').unwrap().0.to_owned()), old);
        }
    }

    pub fn has(&self, bytes: &[u8]) -> bool {
        self.files.contains_key(&places::blob(&sha256(bytes)))
    }
}

fn hashes(record: &Record) -> Vec<Hash> {
    record.header.blobs.iter().map(|blob| blob.sha256).collect()
}
