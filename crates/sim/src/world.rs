//! The world: true time, the queue of what is going to happen, and the machines. It carries out what engines
//! ask for, with the delays and losses of the network, and notes what happened.

use std::collections::{BTreeMap, VecDeque};

use federate::engine::{Answer, Event, Id, RequestId, SignRequest, Write};
use federate::request::{Target, sign};
use federate::{Alarm, Input, Limits, Output, Route};
use record::{Authority, Origin, Role};

use crate::cast;
use crate::check::Truth;
use crate::dice::Dice;
use crate::indexed::Indexed;
use crate::network::Network;
use crate::node::Node;
use crate::said::Said;
use crate::serving::{Get, Outcome};

/// How long a client waits for an answer, in milliseconds.
const TIMEOUT: u64 = 10_000;
/// How long a server keeps a long poll, in milliseconds.
const LONG_POLL: u64 = 30_000;
/// How long news are gathered before who waits is told, in milliseconds.
const MOMENT: u64 = 20;
/// In a world of more machines than this only a few have an index.
const ALL_INDEXED: usize = 10;
/// How many.
const FEW: usize = 3;
/// How many of the last happenings are kept for the trace.
const TRACE: usize = 400;

/// What is going to happen.
#[derive(Debug)]
pub(crate) enum Happening {
    /// An engine is told something.
    Tell { node: usize, epoch: u64, input: Input },
    /// A deadline of an engine.
    Tick { node: usize, epoch: u64 },
    /// A `GET` arrives.
    Get { server: usize, client: usize, epoch: u64, id: Id, get: Box<Get> },
    /// A `POST` arrives; `id` is `None` for one that arrives a second time.
    Post { server: usize, client: usize, epoch: u64, id: Option<Id>, route: Route, body: Vec<u8> },
    /// Whoever waits for news of a machine hears of it.
    News { server: usize },
    /// A long poll has waited long enough.
    PollOver { server: usize, ticket: u64 },
    /// A machine comes up.
    Start { node: usize },
    /// The index of a machine follows what was stored.
    Index { node: usize, epoch: u64 },
    /// The plan does its next thing.
    Act(usize),
}

struct Parked {
    ticket: u64,
    client: usize,
    epoch: u64,
    id: Id,
    get: Box<Get>,
    caller: Option<Authority>,
}

/// Everything.
pub struct World {
    /// True time, in milliseconds since 1970.
    pub now: u64,
    /// Where all chance comes from.
    pub dice: Dice,
    /// The machines.
    pub nodes: Vec<Node>,
    /// The network.
    pub network: Network,
    /// What honest authors committed, signed and were acknowledged.
    pub truth: Truth,
    /// Alarms by machine.
    pub alarms: Vec<Vec<Alarm>>,
    /// The last happenings.
    pub trace: VecDeque<String>,
    /// Things that must never happen and did.
    pub violations: Vec<String>,
    /// Whether somebody served wrong bytes for a while. A cosignature whose name was spoiled is one of a witness that nobody
    /// knows: what it proves, it proves to all but one reader.
    pub spoils_proofs: bool,
    /// What was said, whether or not it was acknowledged.
    pub said: Vec<Said>,
    /// The indexes, by machine; in a large world some machines have none.
    pub indexes: Vec<Option<Indexed>>,
    /// How far the receipts that a machine signed are known to be backed.
    pub backed: BTreeMap<(usize, Origin), u64>,
    /// For databases, which know nothing of the simulated time.
    pub(crate) runtime: tokio::runtime::Runtime,
    limits: Limits,
    queue: BTreeMap<(u64, u64), Happening>,
    next: u64,
    parked: Vec<Vec<Parked>>,
    has_news: Vec<bool>,
    ticks: Vec<Option<u64>>,
    replies: BTreeMap<(usize, u64), (usize, u64, Id)>,
    next_request: u64,
    pub(crate) salt: u64,
}

impl World {
    /// A world of these machines, none of them up.
    pub fn new(seed: u64, nodes: Vec<Node>, limits: Limits) -> Self {
        let count = nodes.len();
        let indexed = if count > ALL_INDEXED { FEW } else { count };
        Self {
            now: cast::BEGINNING,
            dice: Dice::new(seed),
            nodes,
            network: Network::good(),
            truth: Truth::default(),
            spoils_proofs: false,
            alarms: vec![Vec::new(); count],
            trace: VecDeque::new(),
            violations: Vec::new(),
            said: Vec::new(),
            indexes: (0..count).map(|n| (n < indexed).then(Indexed::new)).collect(),
            backed: BTreeMap::new(),
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime"),
            limits,
            queue: BTreeMap::new(),
            next: 0,
            parked: (0..count).map(|_| Vec::new()).collect(),
            has_news: vec![false; count],
            ticks: vec![None; count],
            replies: BTreeMap::new(),
            next_request: 0,
            salt: 0,
        }
    }

    pub(crate) fn after(&mut self, wait: u64, happening: Happening) {
        self.next += 1;
        self.queue.insert((self.now + wait, self.next), happening);
    }

    /// Plans an act of the plan.
    pub fn act_after(&mut self, wait: u64, act: usize) {
        self.after(wait, Happening::Act(act));
    }

    /// Notes something for the trace.
    pub fn note(&mut self, text: impl FnOnce() -> String) {
        if self.trace.len() == TRACE {
            self.trace.pop_front();
        }
        let line = format!("{:>9} {}", self.now - cast::BEGINNING, text());
        if std::env::var_os("SIM_TRACE").is_some() {
            eprintln!("{line}");
        }
        self.trace.push_back(line);
    }

    /// Lets the next thing happen; an act is handed to the caller. False at the end.
    pub fn step(&mut self, until: u64) -> Option<Option<usize>> {
        let ((at, _), _) = self.queue.first_key_value()?;
        if *at > until {
            self.now = until;
            return None;
        }
        let ((at, _), happening) = self.queue.pop_first()?;
        self.now = at;
        match happening {
            Happening::Act(act) => return Some(Some(act)),
            Happening::Tell { node, epoch, input } => self.tell(node, epoch, input),
            Happening::Tick { node, epoch } => {
                if self.nodes[node].epoch == epoch {
                    self.ticks[node] = None;
                }
                self.tell(node, epoch, Input::Tick);
            }
            Happening::Get { server, client, epoch, id, get } => self.get(server, client, epoch, id, get),
            Happening::Post { server, client, epoch, id, route, body } => {
                self.post(server, client, epoch, id, &route, body);
            }
            Happening::News { server } => {
                self.has_news[server] = false;
                self.unpark(server, None);
            }
            Happening::PollOver { server, ticket } => self.unpark(server, Some(ticket)),
            Happening::Start { node } => self.start(node),
            Happening::Index { node, epoch } => self.index_follows(node, epoch),
        }
        Some(None)
    }

    // -------------------------------------------------------------------------------------- machines

    /// Brings a machine up.
    pub fn start(&mut self, node: usize) {
        if self.nodes[node].engine.is_some() {
            return;
        }
        let peers: Vec<Authority> = self.others(node);
        let seed = self.dice.draw();
        match self.nodes[node].start(&peers, seed, self.limits) {
            Ok(inputs) => {
                self.note(|| format!("{node} up"));
                self.index_starts(node);
                let epoch = self.nodes[node].epoch;
                for input in inputs {
                    self.tell(node, epoch, input);
                }
                self.observe_heads(node);
            }
            // It dies in the middle of its recovery.
            Err(_) if self.nodes[node].is_dying() => self.die_if_dying(node),
            Err(error) => self.violations.push(error),
        }
    }

    /// All other authorities.
    pub fn others(&self, node: usize) -> Vec<Authority> {
        let others = self.nodes.iter().enumerate().filter(|(n, _)| *n != node);
        others.map(|(_, other)| other.name.clone()).collect()
    }

    /// Takes a machine down, to come up again later.
    pub fn crash(&mut self, node: usize, down: u64) {
        self.note(|| format!("{node} crashes"));
        self.index_crashes(node);
        let machine = &mut self.nodes[node];
        machine.crash(&mut self.dice);
        self.ticks[node] = None;
        // Whoever waits for it hears nothing.
        let parked = std::mem::take(&mut self.parked[node]);
        for Parked { client, epoch, id, .. } in parked {
            let input = Input::Answer { id, answer: Answer::Failed };
            self.after(TIMEOUT / 10, Happening::Tell { node: client, epoch, input });
        }
        self.after(down, Happening::Start { node });
    }

    pub(crate) fn die_if_dying(&mut self, node: usize) {
        if self.nodes[node].is_dying() {
            let down = self.dice.between(500, 20_000);
            self.crash(node, down);
        }
    }

    pub(crate) fn tell(&mut self, node: usize, epoch: u64, input: Input) {
        let machine = &mut self.nodes[node];
        if machine.epoch != epoch {
            return;
        }
        let clock = machine.clock(self.now);
        let Some(engine) = &mut machine.engine else { return };
        let outputs = engine.handle(clock, input);
        for output in outputs {
            self.carry_out(node, epoch, output);
        }
        self.die_if_dying(node);
        self.plan_tick(node);
    }

    fn plan_tick(&mut self, node: usize) {
        let machine = &self.nodes[node];
        let Some(deadline) = machine.engine.as_ref().and_then(federate::Engine::next_deadline) else {
            return;
        };
        let wait = deadline.saturating_sub(machine.clock(self.now)).max(1);
        let at = self.now + wait;
        if self.ticks[node].is_some_and(|planned| planned <= at && planned > self.now) {
            return;
        }
        self.ticks[node] = Some(at);
        let epoch = machine.epoch;
        self.after(wait, Happening::Tick { node, epoch });
    }

    // ------------------------------------------------------------------------- what engines ask for

    fn carry_out(&mut self, node: usize, epoch: u64, output: Output) {
        if self.nodes[node].epoch != epoch {
            return;
        }
        match output {
            // Whatever is large is told in memory here.
            Output::Fetch { id, peer, route, etag, long_poll, signed, limit, to_disk: _, ahead } => {
                let headers = signed.then(|| self.signed(node, &peer, &route, ahead));
                let get = Box::new(Get { route, etag, long_poll, limit, headers });
                self.send_get(node, epoch, &peer, id, get);
            }
            Output::Post { id, peer, route, body } => self.send_post(node, epoch, &peer, id, route, body),
            Output::Read { id, paths } => {
                let files = paths.iter().map(|path| self.nodes[node].file(path)).collect();
                let wait = self.dice.below(3);
                self.after(wait, Happening::Tell { node, epoch, input: Input::Read { id, files } });
            }
            Output::Store { id, writes, events } => {
                let has_head = writes.iter().any(|write| matches!(write, Write::Head { .. }));
                let has_root = writes.iter().any(|write| matches!(write, Write::Root { .. }));
                let here = self.first_seen(node, &events);
                let done = self.nodes[node].store(writes, here);
                if has_root {
                    self.pin(node);
                }
                if done {
                    self.stored(node, &events);
                    self.index_later(node, events);
                }
                if has_head {
                    self.observe_heads(node);
                }
                let input = if done { Input::Stored { id } } else { Input::StoreFailed { id } };
                let wait = self.dice.below(8);
                self.after(wait, Happening::Tell { node, epoch, input });
            }
            Output::Sign { id, what } => {
                if let SignRequest::Holds(checkpoint) = &what {
                    self.check_receipt(node, checkpoint);
                }
                let line = self.sign(node, &what);
                self.after(1, Happening::Tell { node, epoch, input: Input::Signed { id, line } });
            }
            Output::Reply { request, status, body, .. } => self.reply(node, request, status, body),
            Output::Alarm(alarm) => {
                self.note(|| format!("{node} ALARM {alarm:?}"));
                self.alarms[node].push(alarm);
            }
            Output::Signing { origin, permission } => {
                self.note(|| format!("{node} signing {origin}: {permission:?}"));
            }
            Output::HeadsChanged => self.news(node),
            // What is broken off may have been answered: the engine must bear both.
            Output::AlarmAgain(_) | Output::Discard { .. } | Output::GiveUp(_) => {}
        }
    }

    fn stored(&mut self, node: usize, events: &[Event]) {
        for event in events {
            match event {
                Event::Entries(commit) => {
                    let found = self.truth.judge(node, commit, &self.nodes);
                    self.violations.extend(found);
                    self.note(|| format!("{node} has {} {}..{}", commit.origin, commit.from, commit.to));
                }
                Event::Seen { origin, n, .. } => self.note(|| format!("{node} seen {origin} {n}")),
                Event::Receipt { origin, authority, size, .. } => {
                    self.note(|| format!("{node} receipt of {authority} for {origin} {size}"));
                }
                Event::Blob { .. } | Event::Unfetched(_) | Event::Measure { .. } => {}
                Event::Root { authority, version } => {
                    self.note(|| format!("{node} root {version} of {authority}"));
                }
            }
        }
    }

    fn sign(&mut self, node: usize, what: &SignRequest) -> Option<tlog::NoteSignature> {
        let machine = &self.nodes[node];
        let seconds = machine.clock(self.now) / 1000;
        let (role, version, checkpoint) = match what {
            SignRequest::Cosign(checkpoint) => (Role::Witness, 1, checkpoint),
            SignRequest::Holds(checkpoint) => (Role::Holds, machine.versions.newest, checkpoint),
        };
        checkpoint.cosign(&*cast::signer(&machine.name, role, version), seconds).ok()
    }

    fn signed(
        &mut self,
        node: usize,
        peer: &Authority,
        route: &Route,
        ahead: i64,
    ) -> federate::SignedHeaders {
        let machine = &self.nodes[node];
        let seconds = (machine.clock(self.now) / 1000).saturating_add_signed(ahead);
        let (path, nonce) = (route.path(), format!("{:016x}{:016x}", self.dice.draw(), self.dice.draw()));
        let target = Target { method: "GET", path: &path, query: None, to: peer };
        let caller = cast::signer(&machine.name, Role::Caller, machine.versions.newest);
        sign(target, seconds, seconds + 60, &nonce, &*caller).expect("signs")
    }

    // ---------------------------------------------------------------------------------- the network

    fn number(&self, authority: &Authority) -> usize {
        self.nodes.iter().position(|node| node.name == *authority).expect("a node")
    }

    fn answer_after(&mut self, wait: u64, client: usize, epoch: u64, id: Id, answer: Answer) {
        self.after(wait, Happening::Tell { node: client, epoch, input: Input::Answer { id, answer } });
    }

    fn send_get(&mut self, client: usize, epoch: u64, peer: &Authority, id: Id, get: Box<Get>) {
        let server = self.number(peer);
        match self.network.way(client, server, &mut self.dice) {
            Some(wait) => self.after(wait, Happening::Get { server, client, epoch, id, get }),
            None => self.answer_after(TIMEOUT, client, epoch, id, Answer::Failed),
        }
    }

    fn send_post(
        &mut self,
        client: usize,
        epoch: u64,
        peer: &Authority,
        id: Id,
        route: Route,
        body: Vec<u8>,
    ) {
        let server = self.number(peer);
        let Some(wait) = self.network.way(client, server, &mut self.dice) else {
            return self.answer_after(TIMEOUT, client, epoch, id, Answer::Failed);
        };
        if self.dice.percent(self.network.twice) {
            let (route, body) = (route.clone(), body.clone());
            self.after(wait + 7, Happening::Post { server, client, epoch, id: None, route, body });
        }
        self.after(wait, Happening::Post { server, client, epoch, id: Some(id), route, body });
    }

    /// An answer on its way back: lost answers are timeouts too.
    fn send_back(&mut self, server: usize, client: usize, epoch: u64, id: Id, answer: Answer) {
        match self.network.way(server, client, &mut self.dice) {
            Some(wait) => self.answer_after(wait, client, epoch, id, answer),
            None => self.answer_after(TIMEOUT, client, epoch, id, Answer::Failed),
        }
    }

    fn get(&mut self, server: usize, client: usize, epoch: u64, id: Id, get: Box<Get>) {
        if self.nodes[server].engine.is_none() {
            return self.answer_after(100, client, epoch, id, Answer::Failed);
        }
        match self.nodes[server].answer(&get, self.now, &mut self.dice) {
            Outcome::Now(Answer::Failed) => self.answer_after(TIMEOUT, client, epoch, id, Answer::Failed),
            Outcome::Now(answer) => self.send_back(server, client, epoch, id, answer),
            Outcome::Parked { caller } => {
                self.next_request += 1;
                let ticket = self.next_request;
                self.parked[server].push(Parked { ticket, client, epoch, id, get, caller });
                self.after(LONG_POLL, Happening::PollOver { server, ticket });
            }
        }
    }

    /// What changes within a moment is told at once: with many peers, telling costs more than changing.
    fn news(&mut self, server: usize) {
        if !std::mem::replace(&mut self.has_news[server], true) {
            self.after(MOMENT, Happening::News { server });
        }
    }

    /// Answers the parked polls for which there is news, or the one whose time is over.
    fn unpark(&mut self, server: usize, over: Option<u64>) {
        for parked in std::mem::take(&mut self.parked[server]) {
            let is_over = over == Some(parked.ticket);
            let looked_at = over.is_none() || is_over;
            let caller = parked.caller.as_ref();
            let answer = looked_at
                .then(|| self.nodes[server].unpark(&parked.get, caller, self.now, &mut self.dice, is_over))
                .flatten();
            match answer {
                Some(answer) => self.send_back(server, parked.client, parked.epoch, parked.id, answer),
                None => self.parked[server].push(parked),
            }
        }
    }

    fn post(
        &mut self,
        server: usize,
        client: usize,
        epoch: u64,
        id: Option<Id>,
        route: &Route,
        body: Vec<u8>,
    ) {
        if self.nodes[server].engine.is_none() {
            if let Some(id) = id {
                self.answer_after(100, client, epoch, id, Answer::Failed);
            }
            return;
        }
        self.next_request += 1;
        let number = self.next_request;
        if let Some(id) = id {
            self.replies.insert((server, number), (client, epoch, id));
            // Should the server die before it replies.
            self.answer_after(TIMEOUT, client, epoch, id, Answer::Failed);
        }
        let request = RequestId(number);
        let input = match route {
            Route::Nudge => Input::Nudge { request, body },
            _ => Input::AddCheckpoint { request, body },
        };
        self.tell(server, self.nodes[server].epoch, input);
    }

    fn reply(&mut self, server: usize, request: RequestId, status: u16, body: Vec<u8>) {
        if let Some((client, epoch, id)) = self.replies.remove(&(server, request.0)) {
            let date = Some(self.nodes[server].clock(self.now) / 1000);
            self.send_back(server, client, epoch, id, Answer::Response { status, etag: None, date, body });
        }
    }
}
