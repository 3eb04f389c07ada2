//! What it costs others that a log wants many witnesses, and that many logs want this one.

use super::*;
use tlog::Signer as _;

/// `b.example` with twenty witnesses, of which some never answer.
struct Witnesses {
    engine: Engine,
    silent: BTreeSet<Authority>,
    files: BTreeMap<String, Vec<u8>>,
    submitted: BTreeMap<Authority, u64>,
    alarms: Vec<Alarm>,
    now: u64,
}

fn witness(n: usize) -> String {
    format!("w{n}.example")
}

/// A policy that all of the first so many must meet.
fn all_of(count: usize) -> Vec<u8> {
    let names: Vec<String> = (0..count).map(|n| format!("w{n}")).collect();
    let lines = (0..count).map(|n| {
        let signer = signer(&witness(n), Role::Witness, 1);
        format!("witness w{n} {}\n", signer.key())
    });
    let group = format!("group all {count} {}\nquorum all\n", names.join(" "));
    lines.chain([group]).collect::<String>().into_bytes()
}

impl Witnesses {
    fn new() -> Self {
        let peer = |n: usize| PeerConfig {
            authority: authority(&witness(n)),
            fingerprint: chain(&witness(n), 1).fingerprint(),
            chain: chain(&witness(n), 1),
            reachable: true,
        };
        let mut all = Self {
            engine: engine(Snapshot::default()),
            silent: BTreeSet::new(),
            files: BTreeMap::new(),
            submitted: BTreeMap::new(),
            alarms: Vec::new(),
            now: NOW,
        };
        all.tell(Input::OwnRoots(chain("b.example", 1)));
        all.tell(Input::Peers((0..20).map(peer).collect()));
        all
    }

    fn wants(&mut self, log: &TestLog, policy: Vec<u8>) {
        self.given(log, policy, true);
    }

    fn given(&mut self, log: &TestLog, policy: Vec<u8>, is_open: bool) {
        let given = OwnLog {
            origin: log.origin.clone(),
            checkpoint: Some(log.checkpoint()),
            policy,
            readers: Readers::Public,
            is_open,
            standing: GuardStanding::InStep,
        };
        self.tell(Input::OwnLog(Box::new(given)));
    }

    fn tell(&mut self, input: Input) {
        for output in self.engine.handle(self.now, input) {
            self.carry_out(output);
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Post { id, peer, route: Route::AddCheckpoint, body } => {
                *self.submitted.entry(peer.clone()).or_default() += 1;
                let request = AddCheckpoint::parse(&body).unwrap();
                let key = signer(peer.as_str(), Role::Witness, 1);
                let line = request.checkpoint.cosign(&key, self.now / 1000).unwrap();
                let answer = if self.silent.contains(&peer) {
                    Answer::Failed
                } else {
                    let body = line.to_line().into_bytes();
                    Answer::Response { status: 200, etag: None, date: None, body }
                };
                self.tell(Input::Answer { id, answer });
            }
            Output::Fetch { id, .. } | Output::Post { id, .. } => {
                self.tell(Input::Answer { id, answer: Answer::Failed });
            }
            Output::Read { id, paths } => {
                let files = paths.iter().map(|path| self.files.get(path).cloned()).collect();
                self.tell(Input::Read { id, files });
            }
            Output::Store { id, writes, .. } => {
                for write in writes {
                    if let Write::File { path, bytes } = write {
                        self.files.insert(path, bytes);
                    }
                }
                self.tell(Input::Stored { id });
            }
            Output::Alarm(alarm) => self.alarms.push(alarm),
            _ => {}
        }
    }

    fn pass(&mut self, milliseconds: u64) {
        let end = self.now + milliseconds;
        while let Some(deadline) = self.engine.next_deadline().filter(|at| *at <= end) {
            self.now = self.now.max(deadline);
            self.tell(Input::Tick);
        }
        self.now = end;
    }

    /// Whose lines each `seen` file of a log has.
    fn seen(&self, log: &TestLog) -> Vec<BTreeSet<String>> {
        let files =
            (0..).map_while(|n| self.files.get(&places::file(&places::own(&log.origin), &LogFile::Seen(n))));
        let lines = files.map(|bytes| SignedCheckpoint::parse(bytes).unwrap().note.signatures);
        let own = log.origin.to_string();
        lines
            .map(|lines| lines.into_iter().map(|line| line.name).filter(|name| *name != own).collect())
            .collect()
    }
}

/// A checkpoint has fifteen cosignatures at most, and those on several count together.
#[test]
fn a_quorum_of_more_witnesses_than_a_checkpoint_has_lines_is_archived_in_several() {
    let mut witnesses = Witnesses::new();
    let log = TestLog::opened("b.example/log/public/2026", &[]);
    witnesses.wants(&log, all_of(20));
    witnesses.pass(4_000);
    let seen = witnesses.seen(&log);
    assert_eq!(seen.len(), 3, "the first line at once, and then all: {seen:?}");
    let together: BTreeSet<&String> = seen.iter().flatten().collect();
    assert_eq!(together.len(), 20, "{together:?}");
}

#[test]
fn a_log_that_wants_every_witness_there_is_holds_up_no_other_log_and_asks_nobody_too_often() {
    let mut witnesses = Witnesses::new();
    witnesses.silent.insert(authority("w7.example"));
    let greedy = TestLog::opened("b.example/log/public/2026", &[]);
    let modest = TestLog::opened("b.example/log/public/2027", &[]);
    witnesses.wants(&greedy, all_of(20));
    witnesses.wants(&modest, all_of(2));
    witnesses.pass(2_000);
    assert_eq!(witnesses.seen(&modest).last().map(BTreeSet::len), Some(2), "at once");
    witnesses.pass(3_600_000);
    assert!(witnesses.seen(&greedy).len() <= 3, "hourly, without quorum");
    let asked = &witnesses.submitted;
    assert!(asked[&authority("w7.example")] < 40, "{asked:?}");
    assert!(asked[&authority("w3.example")] < 5, "{asked:?}");
}

/// No other peer can make up for a witness that the policy needs; a new log has another policy.
#[test]
fn a_log_without_a_quorum_for_an_hour_rings_and_names_who_did_not_cosign() {
    let mut witnesses = Witnesses::new();
    witnesses.silent.insert(authority("w1.example"));
    let log = TestLog::opened("b.example/log/public/2026", &[]);
    witnesses.wants(&log, all_of(2));
    witnesses.pass(3_500_000);
    assert_eq!(witnesses.alarms, []);
    witnesses.pass(200_000);
    let origin = log.origin.clone();
    let silent = BTreeSet::from([authority("w1.example")]);
    assert_eq!(witnesses.alarms, [Alarm::NoQuorum { origin: origin.clone(), witnesses: silent }]);
    let settled = witnesses.alarms.remove(0).name();
    witnesses.tell(Input::Settled { key: settled.clone() });
    witnesses.pass(3_700_000);
    assert_eq!(witnesses.alarms.len(), 1, "it is so still");
    witnesses.tell(Input::Settled { key: settled });
    witnesses.given(&log, all_of(2), false);
    witnesses.pass(8_000_000);
    assert_eq!(witnesses.alarms.len(), 1, "its successor has a policy of its own");
}

/// A removed peer is asked nothing, and is a witness of the log all the same.
#[test]
fn a_witness_that_was_removed_is_named_as_one_that_is_needed() {
    let mut witnesses = Witnesses::new();
    witnesses.tell(Input::Peers(Vec::new()));
    let log = TestLog::opened("b.example/log/public/2026", &[]);
    witnesses.wants(&log, all_of(2));
    witnesses.pass(3_700_000);
    let names = ["w0.example", "w1.example"].map(authority);
    let [Alarm::NoQuorum { witnesses: named, .. }] = &witnesses.alarms[..] else {
        panic!("{:?}", witnesses.alarms)
    };
    assert_eq!(*named, BTreeSet::from(names));
}

/// What is fetched of others does not make this node go through its own logs and their witnesses.
#[test]
fn what_comes_of_followed_logs_costs_no_look_at_own_ones() {
    let mut node = Node::new(vec![public(2_000)]);
    node.pass(30_000);
    assert_eq!(node.followed(PUBLIC).size, 2_001);
    let looks = node.engine.own_looks;
    let own = TestLog::opened("b.example/log/public/2026", &[]);
    let given = OwnLog {
        origin: own.origin.clone(),
        checkpoint: Some(own.checkpoint()),
        policy: all_of(20),
        readers: Readers::Public,
        is_open: true,
        standing: GuardStanding::InStep,
    };
    node.tell(Input::OwnLog(Box::new(given)));
    assert!(node.engine.own_looks > looks);
    node.pass(20_000);
    let (looks, blob) = (node.engine.own_looks, node.engine.looks);
    let id = node.engine.ask(super::super::pending::Pending::Hold {
        origin: PUBLIC.parse().unwrap(),
        checkpoint: Box::new(public(1).checkpoint()),
    });
    node.tell(Input::Signed { id, line: None });
    assert!(node.engine.looks > blob, "the followed log is looked at");
    assert_eq!(node.engine.own_looks, looks);
}

fn request(author: &str, n: u32) -> (AddCheckpoint, Vec<u8>) {
    let log = TestLog::opened(&format!("{author}/log/public/{}", 2000 + n), &[]);
    let request = AddCheckpoint { old: 0, proof: vec![], checkpoint: log.checkpoint() };
    (request.clone(), request.to_bytes())
}

/// Each request costs a write, which others wait for.
#[test]
fn requests_to_cosign_of_one_author_leave_room_for_those_of_others() {
    let mut engine = engine(Snapshot::default());
    let peer = |name: &str| PeerConfig {
        authority: authority(name),
        fingerprint: chain(name, 1).fingerprint(),
        chain: chain(name, 1),
        reachable: true,
    };
    engine.handle(NOW, Input::Peers(vec![peer("a.example"), peer("c.example")]));
    let (mut stores, mut refused) = (Vec::new(), 0);
    for n in 0..100 {
        let body = request("a.example", n).1;
        for output in engine.handle(NOW, Input::AddCheckpoint { request: RequestId(n.into()), body }) {
            match output {
                Output::Store { id, .. } => stores.push(id),
                Output::Reply { status, .. } => refused += u32::from(status == 429),
                _ => {}
            }
        }
    }
    assert_eq!((stores.len(), refused), (16, 84));
    let body = request("c.example", 1).1;
    let outputs = engine.handle(NOW, Input::AddCheckpoint { request: RequestId(200), body });
    assert!(outputs.iter().any(|output| matches!(output, Output::Store { .. })), "another author's");
    // One that is answered, or fails, makes room.
    engine.handle(NOW, Input::StoreFailed { id: stores[0] });
    let body = request("a.example", 50).1;
    let outputs = engine.handle(NOW, Input::AddCheckpoint { request: RequestId(201), body });
    assert!(outputs.iter().any(|output| matches!(output, Output::Store { .. })));
}
