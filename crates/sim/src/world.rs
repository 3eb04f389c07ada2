//! The world: true time, the queue of what is going to happen, and the machines. It carries out what engines
//! ask for, with the delays and losses of the network, and notes what happened.

use std::collections::{BTreeMap, VecDeque};

use federate::engine::{Answer, Event, Id, Permission, RequestId, SignRequest, Write};
use federate::request::{Target, sign};
use federate::{Alarm, Input, Limits, Output, Route};
use futures::executor::block_on;
use record::{Authority, Origin, Role};
use store::LogError;

use crate::cast;
use crate::check::Truth;
use crate::dice::Dice;
use crate::network::Network;
use crate::node::{Node, OwnPlan};
use crate::serving::{Get, Outcome};

/// How long a client waits for an answer, in milliseconds.
const TIMEOUT: u64 = 10_000;
/// How long a server keeps a long poll, in milliseconds.
const LONG_POLL: u64 = 30_000;
/// How long news are gathered before who waits is told, in milliseconds.
const MOMENT: u64 = 20;
/// How many of the last happenings are kept for the trace.
const TRACE: usize = 400;

/// What is going to happen.
#[derive(Debug)]
enum Happening {
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
    limits: Limits,
    queue: BTreeMap<(u64, u64), Happening>,
    next: u64,
    parked: Vec<Vec<Parked>>,
    has_news: Vec<bool>,
    ticks: Vec<Option<u64>>,
    replies: BTreeMap<(usize, u64), (usize, u64, Id)>,
    next_request: u64,
    salt: u64,
}

impl World {
    /// A world of these machines, none of them up.
    pub fn new(seed: u64, nodes: Vec<Node>, limits: Limits) -> Self {
        let count = nodes.len();
        Self {
            now: cast::BEGINNING,
            dice: Dice::new(seed),
            nodes,
            network: Network::good(),
            truth: Truth::default(),
            alarms: vec![Vec::new(); count],
            trace: VecDeque::new(),
            violations: Vec::new(),
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

    fn after(&mut self, wait: u64, happening: Happening) {
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

    fn die_if_dying(&mut self, node: usize) {
        if self.nodes[node].is_dying() {
            let down = self.dice.between(500, 20_000);
            self.crash(node, down);
        }
    }

    fn tell(&mut self, node: usize, epoch: u64, input: Input) {
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
            Output::Fetch { id, peer, route, etag, long_poll, signed, limit, ahead } => {
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
                let done = self.nodes[node].store(writes);
                if done {
                    self.stored(node, &events);
                }
                if has_head {
                    self.observe_heads(node);
                }
                let input = if done { Input::Stored { id } } else { Input::StoreFailed { id } };
                let wait = self.dice.below(8);
                self.after(wait, Happening::Tell { node, epoch, input });
            }
            Output::Sign { id, what } => {
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
                Event::Blob { .. } | Event::Unfetched(_) => {}
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

    // ------------------------------------------------------------------------------------ releasing

    /// An authority releases records to an audience, in the log that now serves it, if it may sign. True if they
    /// were acknowledged.
    pub fn release(&mut self, node: usize, origin: &Origin, count: u64, blob: Option<Vec<u8>>) -> bool {
        let origin = &self.serving_now(node, origin);
        let machine = &self.nodes[node];
        let Some(engine) = &machine.engine else { return false };
        if engine.permission(origin) != Permission::May {
            self.note(|| format!("{node} may not sign {origin}"));
            return false;
        }
        let (versions, clock) = (machine.versions, machine.clock(self.now));
        let plan = machine.plans[origin].clone();
        let head = machine.head(origin).map_or(0, |head| head.checkpoint.size);
        let mut entries = Vec::new();
        if head == 0 {
            let previous = plan.previous.as_ref();
            entries.push(cast::open(origin, &plan.readers, &plan.policy, versions, previous, clock));
        } else if self.truth.root_of(origin) < versions.newest {
            entries.push(cast::move_root(origin, versions, clock));
        }
        for _ in 0..count {
            self.salt += 1;
            entries.push(cast::record(origin, versions.newest, self.salt, blob.as_deref(), clock));
        }
        let is_sealed = !origin.audience.is_public();
        let mut blobs: Vec<Vec<u8>> =
            blob.or_else(|| is_sealed.then(|| b"sealed".to_vec())).into_iter().collect();
        if head == 0 || self.truth.root_of(origin) < versions.newest {
            let chain = cast::chain(&origin.authority, versions);
            blobs.extend(chain.bytes(versions.newest).map(<[u8]>::to_vec));
        }
        self.append(node, origin, versions.newest, entries, blobs)
    }

    /// The log that serves the audience of this one now.
    fn serving_now(&self, node: usize, origin: &Origin) -> Origin {
        let mut now = origin.clone();
        while self.nodes[node].plans.get(&now).is_some_and(|plan| plan.is_ended) {
            now = cast::next_log(&now);
        }
        now
    }

    /// An authority closes a log; the audience's next record opens another one.
    pub fn close(&mut self, node: usize, origin: &Origin) {
        let origin = &self.serving_now(node, origin);
        let machine = &self.nodes[node];
        let may_sign =
            machine.engine.as_ref().is_some_and(|engine| engine.permission(origin) == Permission::May);
        let is_moved = self.truth.root_of(origin) == machine.versions.newest;
        if !may_sign || !is_moved || machine.head(origin).is_none() {
            return;
        }
        let (version, clock) = (machine.versions.newest, machine.clock(self.now));
        let entry = cast::close(origin, version, clock);
        let leaf = tlog::leaf_hash(&entry);
        self.append(node, origin, version, vec![entry], Vec::new());
        // Also if nobody said so because the machine died: what is closed is closed, as its log says.
        if self.truth.ends_with(origin, leaf) {
            self.go_on(node, origin);
        }
    }

    /// The next log goes on from the head of this one.
    fn go_on(&mut self, node: usize, origin: &Origin) {
        let head = self.nodes[node].head(origin).map(|head| head.checkpoint);
        let machine = &mut self.nodes[node];
        let Some(plan) = machine.plans.get_mut(origin) else { return };
        plan.is_ended = true;
        let next = cast::next_log(origin);
        let successor = OwnPlan { previous: head, is_ended: false, ..plan.clone() };
        machine.plans.insert(next.clone(), successor);
        self.note(|| format!("{node} goes on in {next}"));
        if self.nodes[node].engine.is_some() {
            let log = Box::new(self.nodes[node].own_log(&next));
            self.tell(node, self.nodes[node].epoch, Input::OwnLog(log));
        }
    }

    /// An authority notices that its log key was stolen: its next root revokes the key, and its logs end where
    /// they are.
    pub fn revoke(&mut self, node: usize) {
        if self.nodes[node].engine.is_none() || self.nodes[node].versions.revoking.is_some() {
            return;
        }
        // Who is still fetching its own entries back does not know where its logs are.
        let machine = &self.nodes[node];
        let is_whole = |origin: &Origin| {
            let permission = machine.engine.as_ref().map(|engine| engine.permission(origin));
            matches!(permission, Some(Permission::May | Permission::Stopped))
        };
        if !machine.plans.keys().filter(|origin| machine.head(origin).is_some()).all(is_whole) {
            return self.note(|| format!("{node} does not revoke: it is not whole"));
        }
        let now = self.now;
        let versions = &mut self.nodes[node].versions;
        versions.newest += 1;
        versions.revoking = Some((versions.newest, now));
        self.tell_roots(node);
        let ended: Vec<Origin> = self.nodes[node]
            .plans
            .iter()
            .filter(|(origin, plan)| !plan.is_ended && self.nodes[node].head(origin).is_some())
            .map(|(origin, _)| origin.clone())
            .collect();
        for origin in ended {
            self.go_on(node, &origin);
        }
    }

    fn append(
        &mut self,
        node: usize,
        origin: &Origin,
        version: u64,
        entries: Vec<Vec<u8>>,
        blobs: Vec<Vec<u8>>,
    ) -> bool {
        let name = origin.to_string();
        let machine = &mut self.nodes[node];
        for blob in blobs {
            let hash = tlog::sha256(&blob);
            let write = federate::engine::Write::File { path: store::layout::blob(&hash), bytes: blob };
            machine.blobs.entry(hash).or_default().insert(origin.clone());
            if !machine.store(vec![write]) {
                self.die_if_dying(node);
                return false;
            }
        }
        // Whoever lost the guard and was permitted all the same writes it anew.
        let head = machine.head(origin).map(|head| head.checkpoint.size);
        if machine
            .guard
            .standing(&name, head)
            .is_ok_and(|standing| standing == store::guard::Standing::Missing)
        {
            let _ = block_on(machine.guard.resume(&name, head.unwrap_or(0)));
        }
        let prefix = store::layout::own_log_of(&name).expect("an origin");
        let signer = cast::log_signer(origin, version);
        let Some(writer) = &machine.writer else { return false };
        self.truth.attempt(origin, version, &entries);
        let appended = block_on(writer.append(&name, &prefix, entries, &*signer));
        let is_acknowledged = match &appended {
            Ok(_) => true,
            Err(LogError::GuardMissing { .. } | LogError::GuardAhead { .. }) => {
                self.note(|| format!("{node} refused by its guard: {origin}"));
                false
            }
            Err(error) => {
                let error = error.to_string();
                self.note(|| format!("{node} append {origin}: {error}"));
                false
            }
        };
        self.observe_heads(node);
        if is_acknowledged {
            self.truth.acknowledge(origin);
            let size = self.truth.size(origin);
            self.note(|| format!("{node} released {origin} up to {size}"));
        }
        if self.nodes[node].is_dying() {
            self.die_if_dying(node);
        } else {
            let log = Box::new(self.nodes[node].own_log(origin));
            self.tell(node, self.nodes[node].epoch, Input::OwnLog(log));
        }
        is_acknowledged
    }

    /// Compares the heads of a machine with what it published before.
    fn observe_heads(&mut self, node: usize) {
        let machine = &self.nodes[node];
        let is_honest = machine.is_honest;
        let heads: Vec<_> =
            machine.plans.keys().filter_map(|origin| Some((origin.clone(), machine.head(origin)?))).collect();
        for (origin, head) in heads {
            let found = self.truth.observe(&origin, &head.checkpoint);
            self.violations.extend(found.filter(|_| is_honest));
        }
    }

    /// An authority makes its next root and uses it from its next record on.
    pub fn rotate(&mut self, node: usize) {
        self.nodes[node].versions.newest += 1;
        self.tell_roots(node);
    }

    fn tell_roots(&mut self, node: usize) {
        let (versions, name) = (self.nodes[node].versions, self.nodes[node].name.clone());
        self.note(|| format!("{node} makes root {versions:?}"));
        let epoch = self.nodes[node].epoch;
        self.tell(node, epoch, Input::OwnRoots(cast::chain(&name, versions)));
    }
}
