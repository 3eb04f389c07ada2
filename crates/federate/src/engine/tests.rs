use super::*;
use crate::heads::{Head, Heads};
use crate::paths::LogFile;
use crate::testing::{TestLog, authority, chain, signer};
use record::Role;
use tlog::AddCheckpoint;

mod blobs;
mod copies;
mod crowd;
mod growth;
mod lost;
mod machine;
mod many;
mod schedules;
mod seen;
mod shares;
mod siblings;
mod witnesses;

const NOW: u64 = 1_795_305_600_000;
const PUBLIC: &str = "a.example/log/public/2026";
const RESTRICTED: &str = "a.example/log/abcdefghijklmnopqrstuvwxyz/2026";

/// `b.example` with one peer, `a.example`, whose logs are served as the test says.
struct Node {
    engine: Engine,
    cells: BTreeMap<(String, String), Vec<u8>>,
    files: BTreeMap<String, Vec<u8>>,
    logs: Vec<TestLog>,
    alarms: Vec<Alarm>,
    replies: Vec<(u16, Vec<u8>)>,
    /// How often the peer was asked for its heads.
    asked_heads: u64,
    now: u64,
}

impl Node {
    fn new(logs: Vec<TestLog>) -> Self {
        let (cells, files) = (BTreeMap::new(), BTreeMap::new());
        let mut node = Self {
            engine: engine(Snapshot::default()),
            cells,
            files,
            logs,
            alarms: vec![],
            replies: vec![],
            asked_heads: 0,
            now: NOW,
        };
        node.begin();
        node
    }

    fn begin(&mut self) {
        let chain_a = chain("a.example", 1);
        let peer = PeerConfig {
            authority: authority("a.example"),
            fingerprint: chain_a.fingerprint(),
            chain: chain_a,
            reachable: true,
        };
        self.tell(Input::OwnRoots(chain("b.example", 1)));
        self.tell(Input::Peers(vec![peer]));
    }

    /// The machine dies and comes back with what was stored.
    fn restart(&mut self) {
        let cells =
            self.cells.iter().map(|((space, key), value)| (space.clone(), key.clone(), value.clone()));
        self.engine = engine(Snapshot { cells: cells.collect() });
        self.begin();
    }

    fn tell(&mut self, input: Input) {
        let outputs = self.engine.handle(self.now, input);
        for output in outputs {
            self.carry_out(output);
        }
    }

    /// Ticks until the time has passed.
    fn pass(&mut self, milliseconds: u64) {
        let end = self.now + milliseconds;
        while let Some(deadline) = self.engine.next_deadline().filter(|at| *at <= end) {
            self.now = self.now.max(deadline);
            self.tell(Input::Tick);
        }
        self.now = end;
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Fetch { id, route, .. } => {
                self.asked_heads += u64::from(route == Route::Heads);
                let answer = self.answer(&route);
                self.tell(Input::Answer { id, answer });
            }
            Output::Post { id, .. } => self.tell(Input::Answer { id, answer: Answer::Failed }),
            Output::Read { id, paths } => {
                let files = paths.iter().map(|path| self.files.get(path).cloned()).collect();
                self.tell(Input::Read { id, files });
            }
            Output::Store { id, writes, .. } => {
                for write in writes {
                    match write {
                        Write::File { path, bytes } => drop(self.files.insert(path, bytes)),
                        Write::Cell { space, key, value: Some(value) } => {
                            self.cells.insert((space.to_owned(), key), value);
                        }
                        Write::Cell { space, key, value: None } => {
                            self.cells.remove(&(space.to_owned(), key));
                        }
                        Write::Root { .. } | Write::Head { .. } | Write::Keep { .. } => {}
                    }
                }
                self.tell(Input::Stored { id });
            }
            Output::Sign { id, what } => {
                let (role, checkpoint) = match what {
                    SignRequest::Holds(checkpoint) => (Role::Holds, checkpoint),
                    SignRequest::Cosign(checkpoint) => (Role::Witness, checkpoint),
                };
                let line = checkpoint.cosign(&signer("b.example", role, 1), self.now / 1000).ok();
                self.tell(Input::Signed { id, line });
            }
            Output::Reply { status, body, .. } => self.replies.push((status, body)),
            Output::Alarm(alarm) => self.alarms.push(alarm),
            Output::Signing { .. }
            | Output::HeadsChanged
            | Output::AlarmAgain(_)
            | Output::GiveUp(_)
            | Output::Discard { .. } => {}
        }
    }

    fn answer(&self, route: &Route) -> Answer {
        let found = match route {
            Route::Heads => {
                let mut heads = Heads::default();
                for log in self.logs.iter().filter(|log| !log.entries.is_empty()) {
                    let head = Head { checkpoint: log.checkpoint(), seen: 0, held: None };
                    heads.logs.insert(log.origin.clone(), head);
                }
                Some(heads.to_bytes())
            }
            Route::Log { log: name, file } => {
                let log = self.logs.iter().find(|log| name.origin(&authority("a.example")) == log.origin);
                log.and_then(|log| log.file(file))
            }
            _ => None,
        };
        let (status, body) = found.map_or((404, vec![]), |body| (200, body));
        Answer::Response { status, etag: None, date: Some(self.now / 1000), body }
    }

    fn followed(&self, origin: &str) -> FollowedLog {
        let origin: Origin = origin.parse().unwrap();
        self.engine.followed().into_iter().find(|log| log.origin == origin).unwrap()
    }
}

fn engine(snapshot: Snapshot) -> Engine {
    let config = EngineConfig { me: authority("b.example"), seed: 7, limits: Limits::default() };
    Engine::new(config, snapshot).unwrap()
}

fn public(records: u64) -> TestLog {
    let mut log = TestLog::opened(PUBLIC, &[]);
    log.grow(records, 0);
    log
}

#[test]
fn a_peers_log_is_followed_held_and_shown() {
    let mut node = Node::new(vec![public(300)]);
    node.pass(2_000);
    let log = node.followed(PUBLIC);
    assert_eq!((log.size, log.held, log.wanted_blobs), (301, 301, 0));
    let heads = Heads::parse(&node.engine.heads(None).0).unwrap();
    let head = &heads.logs[&PUBLIC.parse().unwrap()];
    let key = signer("b.example", Role::Holds, 1);
    let lines = head.checkpoint.cosignatures([tlog::Signer::key(&key)].into_iter()).unwrap();
    assert_eq!(lines.len(), 1, "the receipt is shown in the heads");
    assert!(node.alarms.is_empty(), "{:?}", node.alarms);
}

#[test]
fn a_copy_is_served_as_it_was_fetched() {
    let log = public(300);
    let mut node = Node::new(vec![log.clone()]);
    node.pass(2_000);
    for file in [
        LogFile::Checkpoint,
        LogFile::Entries { index: 0, width: 256 },
        LogFile::Entries { index: 1, width: 20 },
        LogFile::Tile(tlog::TileId { level: 0, index: 1, width: 20 }),
    ] {
        let served = node.engine.serve(&Route::mirror(&log.origin, file.clone()), None);
        let Served::File { path, cut, .. } = served else { panic!("{file:?} is served") };
        assert_eq!(cut.apply(&node.files[&path]).map(<[u8]>::to_vec), log.file(&file), "{file:?}");
    }
    let beyond = LogFile::Entries { index: 1, width: 46 };
    assert_eq!(node.engine.serve(&Route::mirror(&log.origin, beyond), None), Served::NotFound);
}

#[test]
fn a_restricted_log_is_shown_to_its_readers_only() {
    let log = TestLog::opened(RESTRICTED, &["a.example", "b.example"]);
    let mut node = Node::new(vec![log.clone()]);
    node.pass(2_000);
    assert_eq!(node.followed(RESTRICTED).size, 1);
    let route = Route::mirror(&log.origin, LogFile::Checkpoint);
    let a = authority("a.example");
    assert!(matches!(node.engine.serve(&route, Some(&a)), Served::File { public: false, .. }));
    for stranger in [None, Some(&authority("c.example"))] {
        assert_eq!(node.engine.serve(&route, stranger), Served::NotFound);
        assert_eq!(Heads::parse(&node.engine.heads(stranger).0), Ok(Heads::default()));
    }
}

#[test]
fn a_restricted_log_of_others_is_not_kept() {
    let mut node = Node::new(vec![TestLog::opened(RESTRICTED, &["a.example", "c.example"])]);
    node.pass(2_000);
    assert!(node.engine.followed().iter().all(|log| log.size == 0));
    assert!(node.alarms.iter().any(|alarm| matches!(alarm, Alarm::NotForUs { .. })));
    assert!(node.files.is_empty());
}

#[test]
fn after_a_crash_it_goes_on_from_what_was_stored() {
    let mut node = Node::new(vec![public(300)]);
    node.pass(2_000);
    node.logs[0].grow(5, 1);
    node.restart();
    assert_eq!(node.followed(PUBLIC).size, 306, "fetched at once");
    node.pass(2_000);
    assert_eq!((node.followed(PUBLIC).size, node.followed(PUBLIC).held), (306, 306));
}

#[test]
fn a_log_that_is_rewritten_is_frozen_with_evidence() {
    let mut node = Node::new(vec![public(300)]);
    node.pass(2_000);
    let mut other = public(100);
    other.grow(300, 9);
    node.logs = vec![other];
    node.pass(60_000);
    let split = node.alarms.iter().find_map(|alarm| match alarm {
        Alarm::SplitView { evidence, .. } => Some(evidence.clone()),
        _ => None,
    });
    let evidence = &node.files[&split.expect("an alarm")];
    let keys = chain("a.example", 1).log_keys(1, &PUBLIC.parse().unwrap());
    assert_eq!(crate::split::Split::parse(evidence).unwrap().verify(&keys), Ok(()));
    let log = node.followed(PUBLIC);
    assert!(log.is_split && log.size == 301);
    node.restart();
    assert!(node.followed(PUBLIC).is_split, "it stays frozen");
}

#[test]
fn a_record_that_quotes_another_tree_raises_an_alarm() {
    let log = public(300);
    let mut node = Node::new(vec![log.clone()]);
    node.pass(2_000);
    let witness = signer("c.example", Role::Witness, 1);
    let quote = |log: &TestLog| {
        let line = log.checkpoint().cosign(&witness, NOW / 1000).unwrap();
        let cosignature = [&line.id.to_be_bytes()[..], &line.bytes].concat().try_into().unwrap();
        let (size, root) = (log.checkpoint().checkpoint.size, log.root());
        record::Anchor { origin: log.origin.clone(), size, root, witness: line.name, cosignature }
    };
    let by = authority("d.example");
    let (mut earlier, mut other) = (public(100), TestLog::opened(PUBLIC, &[]));
    other.grow(100, 9);
    node.tell(Input::Quoted { by: by.clone(), anchors: vec![quote(&log), quote(&earlier)] });
    assert!(node.alarms.is_empty(), "both are of the tree that is here: {:?}", node.alarms);
    earlier.grow(900, 9);
    node.tell(Input::Quoted { by: by.clone(), anchors: vec![quote(&earlier)] });
    assert!(node.alarms.is_empty(), "nothing is known yet of a later one: {:?}", node.alarms);
    node.tell(Input::Quoted { by: by.clone(), anchors: vec![quote(&other)] });
    let [Alarm::Unreconciled { size: 101, from, .. }] = &node.alarms[..] else { panic!("{:?}", node.alarms) };
    assert_eq!(*from, by);
    assert!(!node.followed(PUBLIC).is_split, "one who quotes does not freeze the log of another");
}

#[test]
fn a_witness_stores_before_it_signs() {
    let mut engine = Node::new(vec![]).engine;
    let mut log = TestLog::opened(PUBLIC, &[]);
    log.grow(2, 0);
    let body = AddCheckpoint { old: 0, proof: vec![], checkpoint: log.checkpoint() }.to_bytes();
    let request = RequestId(1);
    let outputs = engine.handle(NOW, Input::AddCheckpoint { request, body: body.clone() });
    let store = outputs.iter().find_map(|output| match output {
        Output::Store { id, writes, .. } => Some((*id, writes.clone())),
        _ => None,
    });
    let (id, writes) = store.expect("the size is stored");
    assert!(matches!(writes.as_slice(), [Write::Cell { space: WITNESS, .. }]));
    assert!(!outputs.iter().any(|output| matches!(output, Output::Sign { .. } | Output::Reply { .. })));
    let outputs = engine.handle(NOW, Input::Stored { id });
    assert!(outputs.iter().any(|output| matches!(output, Output::Sign { what: SignRequest::Cosign(_), .. })));
    // A store that failed signs nothing, and the size stays raised.
    let mut engine = Node::new(vec![]).engine;
    let outputs = engine.handle(NOW, Input::AddCheckpoint { request, body: body.clone() });
    let id = outputs.iter().find_map(|output| match output {
        Output::Store { id, .. } => Some(*id),
        _ => None,
    });
    let outputs = engine.handle(NOW, Input::StoreFailed { id: id.unwrap() });
    assert!(outputs.iter().any(|output| matches!(output, Output::Reply { status: 500, .. })));
    let outputs = engine.handle(NOW, Input::AddCheckpoint { request, body });
    assert!(outputs.iter().any(|output| matches!(output, Output::Reply { status: 409, .. })));
}

#[test]
fn a_witness_answers_with_its_line() {
    let mut node = Node::new(vec![]);
    let log = TestLog::opened(PUBLIC, &[]);
    let body = AddCheckpoint { old: 0, proof: vec![], checkpoint: log.checkpoint() }.to_bytes();
    node.tell(Input::AddCheckpoint { request: RequestId(1), body });
    let (status, body) = node.replies.pop().unwrap();
    assert_eq!(status, 200);
    let lines = tlog::note::parse_signature_lines(std::str::from_utf8(&body).unwrap()).unwrap();
    let key = tlog::Signer::key(&signer("b.example", Role::Witness, 1)).clone();
    assert!(tlog::verify_cosignature(&log.checkpoint().note.text, &lines[0], &key).is_ok());
    node.restart();
    let served = node.engine.serve(&Route::Witness(origin_hash(&log.origin)), None);
    let Served::Bytes { body, .. } = served else { panic!("the latest is served") };
    assert_eq!(SignedCheckpoint::parse(&body).unwrap().cosignatures([&key].into_iter()).unwrap().len(), 1);
}

#[test]
fn an_own_log_stops_signing_when_a_larger_head_is_shown() {
    let mut node = Node::new(vec![]);
    let mut own = TestLog::opened("b.example/log/public/2026", &[]);
    let log = |own: &TestLog| OwnLog {
        origin: own.origin.clone(),
        checkpoint: Some(own.checkpoint()),
        policy: b"quorum none\n".to_vec(),
        readers: Readers::Public,
        is_open: true,
        standing: GuardStanding::InStep,
    };
    node.tell(Input::OwnLog(Box::new(log(&own))));
    node.pass(11_000);
    assert_eq!(node.engine.permission(&own.origin), Permission::May);
    // The peer holds more than the (restored) state knows.
    own.grow(2, 0);
    node.logs = vec![own.clone()];
    // It answers at once, whether there is news or not, and is asked more seldom for that.
    node.pass(6_000);
    assert_eq!(node.engine.permission(&own.origin), Permission::CatchUp { size: 3 });
    assert!(node.alarms.iter().any(|alarm| matches!(alarm, Alarm::ForeignHeadOfOwnLog { .. })));
}

/// A published checkpoint can be fetched before whoever published it has told the engine that it is done.
#[test]
fn an_own_head_that_is_shown_while_it_is_published_accuses_nobody() {
    let mut node = Node::new(vec![]);
    let mut own = TestLog::opened("b.example/log/public/2026", &[]);
    let given = |own: &TestLog| OwnLog {
        origin: own.origin.clone(),
        checkpoint: Some(own.checkpoint()),
        policy: b"quorum none\n".to_vec(),
        readers: Readers::Public,
        is_open: true,
        standing: GuardStanding::InStep,
    };
    node.tell(Input::OwnLog(Box::new(given(&own))));
    node.pass(11_000);
    own.grow(2, 0);
    node.tell(Input::Appending(own.origin.clone(), Box::new(own.checkpoint())));
    node.logs = vec![own.clone()];
    node.pass(6_000);
    assert_eq!(node.engine.permission(&own.origin), Permission::May);
    node.tell(Input::OwnLog(Box::new(given(&own))));
    node.pass(6_000);
    assert_eq!(node.engine.permission(&own.origin), Permission::May);
    assert!(node.alarms.is_empty(), "{:?}", node.alarms);
    // Another one of the same size is somebody else's.
    let mut other = own.clone();
    other.grow(1, 7);
    own.grow(1, 0);
    node.tell(Input::Appending(own.origin.clone(), Box::new(own.checkpoint())));
    node.logs = vec![other];
    node.pass(6_000);
    assert!(matches!(node.alarms[..], [Alarm::ForeignHeadOfOwnLog { size: 4, .. }]), "{:?}", node.alarms);
}

#[test]
fn a_stranger_is_not_recognised() {
    let node = Node::new(vec![]);
    let key = |name: &str, role| tlog::Signer::key(&signer(name, role, 1)).clone();
    assert_eq!(node.engine.recognise(&key("a.example", Role::Caller)), Some(authority("a.example")));
    assert_eq!(node.engine.recognise(&key("a.example", Role::Author)), None);
    assert_eq!(node.engine.recognise(&key("c.example", Role::Caller)), None);
}
