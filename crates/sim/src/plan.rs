//! What happens in one run: drawn from its seed, carried out, healed, and checked.

use std::collections::{BTreeMap, BTreeSet};

use federate::{Alarm, Limits};
use record::{Authority, Origin, Readers};
use store::Guard;

use crate::agree::index_differences;
use crate::cast::{self, Versions};
use crate::check::{differences, is_about};
use crate::dice::Dice;
use crate::liar::{Fork, Lie};
use crate::network::Network;
use crate::node::{Node, OwnPlan};
use crate::world::World;

/// How long faults go on, in milliseconds.
const TROUBLE: u64 = 90_000;
/// How long the healed world may take to agree, in milliseconds.
const PEACE: u64 = 1_800_000;

/// How often the indexes of a world that agrees are looked at before they must agree too.
const CHECKS: u32 = 4;

/// A run.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// From which everything follows.
    pub seed: u64,
    /// How many nodes; drawn if `None`.
    pub nodes: Option<usize>,
}

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// How many nodes took part.
    pub nodes: usize,
    /// What was tried, in words.
    pub story: Vec<&'static str>,
    /// How many records were acknowledged.
    pub acknowledged: u64,
    /// How many alarms rang.
    pub alarms: usize,
    /// How long the healed world took to agree, in milliseconds.
    pub agreed_after: u64,
}

/// Why a run failed.
#[derive(Debug)]
pub struct Failure {
    /// What went wrong.
    pub reasons: Vec<String>,
    /// What was tried, in words.
    pub story: Vec<&'static str>,
    /// The last happenings.
    pub trace: Vec<String>,
}

/// How many logs a peer shows that floods the others.
const FLOOD: u32 = 100;
/// How many roots a peer makes at once that makes very many: more than are taken of anybody in a day.
const ROOTS: u64 = 150;

/// Something that the plan does at its time.
#[derive(Debug, Clone)]
enum Act {
    Release { node: usize, origin: Origin, count: u64, blob: bool },
    Say { node: usize },
    Rebuild { node: usize, turns: Option<u64> },
    Disown { node: usize },
    Crash { node: usize },
    DieAtWrite { node: usize, writes: i64 },
    Split { side: Vec<usize> },
    Heal,
    Backup { node: usize },
    Restore { node: usize, guard: bool },
    Rotate { node: usize },
    Close { node: usize, origin: Origin },
    Revoke { node: usize },
    Lie { node: usize, kind: LieKind },
    SecondLog { node: usize },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LieKind {
    WrongBytes,
    Endless,
    NoBlobs,
    SpoiledBlobs,
    /// Who behaves so never stops.
    Drips,
    Junk,
    Floods,
    Roots,
    /// Its own log, another one for some.
    TwoViews,
    /// Its own log, rewritten for everybody.
    Rewritten,
    /// Another's log, signed with a stolen key.
    Theft,
}

struct Run {
    world: World,
    acts: Vec<Act>,
    story: Vec<&'static str>,
    lie: Option<(usize, LieKind, Origin)>,
    is_told: bool,
    /// Whose log key was stolen.
    victim: Option<usize>,
}

/// Carries one run out.
///
/// # Errors
/// Something that must hold does not.
pub fn run(plan: Plan) -> Result<Outcome, Box<Failure>> {
    let mut run = Run::prepare(plan);
    let count = run.world.nodes.len();
    for node in 0..count {
        run.world.start(node);
    }
    let end_of_trouble = run.world.now + TROUBLE;
    run.go_until(end_of_trouble);
    run.heal();
    let healed = run.world.now;
    let mut checks = 0;
    loop {
        run.go_until(run.world.now + 2_000);
        let mut open = run.open_ends();
        if open.is_empty() && run.world.violations.is_empty() {
            // What is under way between engine and index arrives in the next moment.
            checks += 1;
            open = index_differences(&mut run.world);
            if checks == CHECKS {
                run.world.violations.append(&mut open);
            }
        }
        let is_over = run.world.now > healed + PEACE;
        if !run.world.violations.is_empty() || (is_over && !open.is_empty()) {
            let reasons = run.world.violations.iter().cloned().chain(open).collect();
            let trace = run.world.trace.iter().cloned().collect();
            return Err(Box::new(Failure { reasons, story: run.story, trace }));
        }
        if open.is_empty() {
            break;
        }
    }
    Ok(Outcome {
        nodes: count,
        acknowledged: run.world.truth.origins().map(|origin| run.world.truth.acknowledged(origin)).sum(),
        alarms: run.world.alarms.iter().map(Vec::len).sum(),
        agreed_after: run.world.now - healed,
        story: run.story,
    })
}

/// The logs of a node: a public one, and sometimes one for some.
fn plans(n: usize, count: usize, dice: &mut Dice) -> BTreeMap<Origin, OwnPlan> {
    let me = cast::authority(n);
    let witnesses: Vec<Authority> =
        (1..=3.min(count - 1)).map(|k| cast::authority((n + k) % count)).collect();
    let policy = cast::policy(&witnesses, witnesses.len().div_ceil(2));
    let mut plans = BTreeMap::new();
    plans.insert(
        cast::public_log(&me),
        OwnPlan { readers: Readers::Public, policy: policy.clone(), previous: None, is_ended: false },
    );
    // In a large world many logs would only cost time.
    let chances: [u64; 2] = if count > 10 { [15, 5] } else { [60, 40] };
    for chance in chances {
        if !dice.percent(chance) {
            continue;
        }
        let others = (0..count).filter(|_| dice.percent(50)).map(cast::authority);
        let readers: BTreeSet<Authority> = others.chain([me.clone()]).collect();
        let origin = cast::restricted_log(&me, &readers);
        let plan = OwnPlan {
            readers: Readers::Set(readers),
            policy: policy.clone(),
            previous: None,
            is_ended: false,
        };
        plans.insert(origin, plan);
    }
    plans
}

impl Run {
    fn prepare(plan: Plan) -> Self {
        let mut dice = Dice::new(plan.seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
        let count = plan
            .nodes
            .unwrap_or_else(|| if dice.percent(90) { 2 + dice.index(3) } else { 5 + dice.index(5) });
        let nodes = (0..count).map(|n| Node::new(cast::authority(n), plans(n, count, &mut dice))).collect();
        let limits = Limits { logs_at_once: 4, in_flight: 8, batch_bundles: 2, ..Limits::default() };
        let world = World::new(plan.seed, nodes, limits);
        let mut run =
            Self { world, acts: Vec::new(), story: Vec::new(), lie: None, is_told: false, victim: None };
        run.draw_network(&mut dice);
        run.draw_releases(&mut dice);
        run.draw_story(&mut dice);
        run.draw_faults(&mut dice);
        run.draw_lie(&mut dice);
        run
    }

    fn plan(&mut self, at: u64, act: Act) {
        self.acts.push(act);
        self.world.act_after(at, self.acts.len() - 1);
    }

    fn draw_network(&mut self, dice: &mut Dice) {
        let network = &mut self.world.network;
        *network = Network { longest: dice.between(20, 800), ..Network::good() };
        if dice.percent(50) {
            (network.loss, network.twice) = (dice.below(20), dice.below(20));
            self.story.push("messages are lost and come twice");
        }
        for node in &mut self.world.nodes {
            node.skew = i64::try_from(dice.below(20_000)).unwrap_or(0) - 10_000;
        }
        if dice.percent(20) {
            let n = dice.index(self.world.nodes.len());
            self.world.nodes[n].skew = i64::try_from(dice.below(2_000_000)).unwrap_or(0) - 1_000_000;
            self.story.push("a clock is wrong");
        }
    }

    fn draw_releases(&mut self, dice: &mut Dice) {
        let logs: Vec<(usize, Origin)> = self
            .world
            .nodes
            .iter()
            .enumerate()
            .flat_map(|(n, node)| node.plans.keys().map(move |o| (n, o.clone())))
            .collect();
        for _ in 0..dice.between(4, 16) {
            let (node, origin) = logs[dice.index(logs.len())].clone();
            let count = match dice.below(40) {
                0 => dice.between(200, 400),
                1..=6 => dice.between(5, 40),
                _ => dice.between(1, 4),
            };
            let (at, blob) = (dice.below(TROUBLE), dice.percent(30));
            self.plan(at, Act::Release { node, origin, count, blob });
        }
        if dice.percent(3) {
            let (node, origin) = logs[dice.index(logs.len())].clone();
            self.plan(dice.below(TROUBLE), Act::Release { node, origin, count: 1500, blob: false });
            self.story.push("a log grows by many records at once");
        }
    }

    /// What is said, what is disowned of it, and rebuilds in between.
    fn draw_story(&mut self, dice: &mut Dice) {
        let count = self.world.nodes.len();
        for _ in 0..dice.between(8, 20 + 6 * count.min(6) as u64) {
            self.plan(dice.below(TROUBLE), Act::Say { node: dice.index(count) });
        }
        for _ in 0..dice.below(4) {
            let turns = dice.percent(50).then(|| dice.below(900));
            self.plan(dice.below(TROUBLE), Act::Rebuild { node: dice.index(count), turns });
            self.story.push(if turns.is_some() { "a rebuild is cut off" } else { "an index is rebuilt" });
        }
        if dice.percent(30) {
            self.plan(dice.between(20_000, TROUBLE), Act::Disown { node: dice.index(count) });
            self.story.push("an author key is revoked");
        }
    }

    fn draw_faults(&mut self, dice: &mut Dice) {
        let count = self.world.nodes.len();
        for _ in 0..dice.below(4) {
            let at = dice.below(TROUBLE - 20_000);
            let side = (0..count).filter(|_| dice.percent(40)).collect();
            self.plan(at, Act::Split { side });
            self.plan(at + dice.between(1_000, 20_000), Act::Heal);
            self.story.push("the network splits");
        }
        for _ in 0..dice.below(5) {
            let (at, node) = (dice.below(TROUBLE), dice.index(count));
            let writes = i64::try_from(dice.below(60)).unwrap_or(0) + 1;
            let act = if dice.percent(70) { Act::DieAtWrite { node, writes } } else { Act::Crash { node } };
            self.plan(at, act);
            self.story.push("a machine crashes");
        }
        if dice.percent(30) {
            let node = dice.index(count);
            let at = dice.between(10_000, 40_000);
            self.plan(at, Act::Backup { node });
            self.plan(at + dice.between(5_000, 40_000), Act::Restore { node, guard: dice.percent(50) });
            self.story.push("an old backup is restored");
        }
        if dice.percent(30) {
            let node = dice.index(count);
            self.plan(dice.below(TROUBLE), Act::Rotate { node });
            self.story.push("an authority makes its next root");
        }
        if dice.percent(45) {
            let node = dice.index(count);
            let origins: Vec<Origin> = self.world.nodes[node].plans.keys().cloned().collect();
            let origin = origins[dice.index(origins.len())].clone();
            self.plan(dice.between(20_000, TROUBLE), Act::Close { node, origin });
            self.story.push("a log is closed, and another one goes on");
        }
    }

    fn draw_lie(&mut self, dice: &mut Dice) {
        let count = self.world.nodes.len();
        if count < 3 || !dice.percent(60) {
            return;
        }
        let liar = count - 1;
        let kind = match dice.below(12) {
            0 => LieKind::WrongBytes,
            1 => LieKind::Endless,
            6 => LieKind::NoBlobs,
            7 => LieKind::SpoiledBlobs,
            8 => LieKind::Drips,
            9 => LieKind::Junk,
            10 => LieKind::Floods,
            11 => LieKind::Roots,
            2 => LieKind::TwoViews,
            3 => LieKind::Rewritten,
            4 => LieKind::Theft,
            _ => {
                self.world.nodes[liar].is_honest = false;
                self.story.push("an author opens a second log for one audience");
                return self.plan(dice.between(20_000, 60_000), Act::SecondLog { node: liar });
            }
        };
        self.story.push(match kind {
            LieKind::WrongBytes => "a peer serves wrong bytes",
            LieKind::Endless => "a peer serves endless streams",
            LieKind::NoBlobs => "the blobs of an author come late",
            LieKind::SpoiledBlobs => "the blobs of an author are spoiled for a while",
            LieKind::Drips => "a peer shows logs and gives nothing",
            LieKind::Junk => "a peer shows logs and gives junk",
            LieKind::Floods => "a peer floods the others with logs",
            LieKind::Roots => "a peer makes very many roots and gives nobody those of others",
            LieKind::TwoViews => "an author shows two views of its log",
            LieKind::Rewritten => "an author rewrites its log",
            LieKind::Theft => "a thief signs another's log with its key",
        });
        let lasts = matches!(kind, LieKind::Drips | LieKind::Junk | LieKind::Floods | LieKind::Roots);
        self.world.nodes[liar].is_honest = !(lasts || matches!(kind, LieKind::TwoViews | LieKind::Rewritten));
        self.world.spoils_proofs |= kind == LieKind::WrongBytes;
        if kind == LieKind::Theft {
            self.world.nodes[liar].is_honest = false;
        }
        let at = dice.between(10_000, 60_000);
        if kind == LieKind::Theft {
            let victim = dice.index(count - 1);
            self.victim = Some(victim);
            if dice.percent(70) {
                self.plan(at + dice.between(1_000, 20_000), Act::Revoke { node: victim });
                self.story.push("whose authority revokes it");
            }
        }
        self.plan(at, Act::Lie { node: liar, kind });
    }

    fn go_until(&mut self, until: u64) {
        while let Some(happened) = self.world.step(until) {
            if let Some(act) = happened {
                let act = self.acts[act].clone();
                self.act(act);
            }
            if !self.world.violations.is_empty() {
                return;
            }
        }
    }

    fn act(&mut self, act: Act) {
        self.world.note(|| format!("act {act:?}"));
        match act {
            Act::Release { node, origin, count, blob } => {
                let blob = blob.then(|| format!("{origin} {}", self.world.now).into_bytes());
                self.world.release(node, &origin, count, blob);
            }
            Act::Say { node } => self.world.say(node),
            Act::Rebuild { node, turns } => self.world.rebuild(node, turns),
            Act::Disown { node } => self.world.disown(node),
            Act::Crash { node } => {
                let down = self.world.dice.between(500, 20_000);
                self.world.crash(node, down);
            }
            Act::DieAtWrite { node, writes } => self.world.nodes[node].die_after(writes),
            Act::Split { side } => {
                let count = self.world.nodes.len();
                self.world.network.split(&side, count);
            }
            Act::Heal => self.world.network.cut.clear(),
            Act::Backup { node } => {
                let node = &mut self.world.nodes[node];
                node.backup = Some(node.cells.snapshot());
            }
            Act::Restore { node, guard } => self.restore(node, guard),
            Act::Rotate { node } => self.world.rotate(node),
            Act::Close { node, origin } => self.world.close(node, &origin),
            Act::Revoke { node } => self.world.revoke(node),
            Act::Lie { node, kind } => self.lie(node, kind),
            Act::SecondLog { node } => self.second_log(node),
        }
    }

    /// Puts an older state in place, if what was acknowledged since is somewhere else too: what only one
    /// machine had is lost with it, and no protocol brings it back.
    fn restore(&mut self, n: usize, keeps_guard: bool) {
        let origins: Vec<Origin> = self.world.nodes[n].plans.keys().cloned().collect();
        let is_elsewhere = |origin: &Origin| {
            let size = self.world.truth.size(origin);
            let others =
                self.world.nodes.iter().enumerate().filter(|(other, node)| *other != n && node.is_honest);
            let has = |node: &Node| {
                let followed = node.engine.as_ref().map(federate::Engine::followed).unwrap_or_default();
                followed.iter().any(|log| log.origin == *origin && log.held >= size)
            };
            let witnesses = self.witnesses(n);
            size == 0
                || others.filter(|(other, node)| has(node) && witnesses.contains(other)).count()
                    >= witnesses.len()
        };
        if self.world.nodes[n].engine.is_none() || !origins.iter().all(is_elsewhere) {
            return;
        }
        let Some(backup) = self.world.nodes[n].backup.take() else { return };
        // A backup is put in place on a machine that was stopped in order: its disk has all that was written.
        if let Some(writer) = &self.world.nodes[n].writer {
            let _ = futures::executor::block_on(writer.settle());
        }
        let down = self.world.dice.between(500, 5_000);
        self.world.crash(n, down);
        // Who restores a state makes the index anew.
        self.world.index_stops(n, true);
        let node = &mut self.world.nodes[n];
        node.cells = backup;
        if !keeps_guard {
            node.guard = Guard::memory_missing();
        }
        self.world.note(|| format!("{n} restored, guard kept: {keeps_guard}"));
    }

    /// The numbers of the witnesses of a node.
    fn witnesses(&self, n: usize) -> Vec<usize> {
        let count = self.world.nodes.len();
        (1..=3.min(count - 1)).map(|k| (n + k) % count).collect()
    }

    fn lie(&mut self, n: usize, kind: LieKind) {
        let count = self.world.nodes.len();
        let victim = self.victim.filter(|_| kind == LieKind::Theft).unwrap_or(n);
        let origin = cast::public_log(&self.world.nodes[victim].name.clone());
        self.world.nodes[n].lie = match kind {
            LieKind::WrongBytes => Lie::WrongBytes { percent: 30 },
            LieKind::Endless => Lie::Endless { percent: 30 },
            LieKind::NoBlobs => Lie::NoBlobs,
            LieKind::SpoiledBlobs => Lie::SpoiledBlobs,
            LieKind::Drips => Lie::Drips,
            LieKind::Junk => Lie::Junk,
            LieKind::Floods => Lie::Floods(flooding(&origin, self.world.now)),
            LieKind::Roots => {
                self.world.make_roots(n, ROOTS);
                Lie::Roots
            }
            _ => {
                let version = self.world.truth.root_of(&origin).max(1);
                let size = self.world.truth.size(&origin).max(3) + 2;
                let entries = forged(&origin, victim == n, size, version, self.world.now);
                let to = match kind {
                    LieKind::TwoViews => (0..count - 1).filter(|k| k % 2 == 0).map(cast::authority).collect(),
                    _ => Vec::new(),
                };
                Lie::Fork { fork: Box::new(Fork::new(&origin, &entries, version)), to }
            }
        };
        self.lie = Some((n, kind, origin));
    }

    fn second_log(&mut self, n: usize) {
        let name = self.world.nodes[n].name.clone();
        let first = cast::public_log(&name);
        if self.world.truth.size(&first) == 0 || self.world.nodes[n].engine.is_none() {
            return;
        }
        // Under a number that no successor takes.
        let second = Origin { n: Some(99), ..first.clone() };
        let plan = self.world.nodes[n].plans[&first].clone();
        self.world.nodes[n].plans.insert(second.clone(), plan);
        let log = self.world.nodes[n].own_log(&second);
        if let Some(engine) = &mut self.world.nodes[n].engine {
            engine.handle(self.world.now, federate::Input::OwnLog(Box::new(log)));
        }
        self.is_told = self.world.release(n, &second, 1, None);
    }

    /// All works again, and everybody tells of its logs once more.
    fn heal(&mut self) {
        self.world.network = Network::good();
        for node in 0..self.world.nodes.len() {
            self.world.nodes[node].die_after(-1);
            if matches!(
                self.world.nodes[node].lie,
                Lie::WrongBytes { .. } | Lie::Endless { .. } | Lie::NoBlobs | Lie::SpoiledBlobs
            ) {
                self.world.nodes[node].lie = Lie::None;
            }
            self.world.start(node);
        }
        self.world.note(|| "healed".to_owned());
    }

    /// What is not as it should be yet.
    fn open_ends(&self) -> Vec<String> {
        let mut open = differences(&self.world);
        if let Some((liar, kind, origin)) = &self.lie {
            open.extend(self.undetected(*liar, *kind, origin));
        }
        if self.is_told {
            let last = self.world.nodes.len() - 1;
            for (n, alarms) in self.world.alarms.iter().enumerate().take(last) {
                if !alarms.iter().any(|alarm| matches!(alarm, Alarm::TwoOpenLogs { .. })) {
                    open.push(format!("{n} did not notice two logs for one audience"));
                }
            }
        }
        open
    }

    /// Honest nodes that were shown two views and rang no alarm.
    fn undetected(&self, liar: usize, kind: LieKind, origin: &Origin) -> Vec<String> {
        if matches!(kind, LieKind::WrongBytes | LieKind::Endless | LieKind::NoBlobs) {
            return Vec::new();
        }
        let Lie::Fork { fork, .. } = &self.world.nodes[liar].lie else { return Vec::new() };
        let is_forked = |root: tlog::Hash, size: u64| {
            let forged = &fork.checkpoint.checkpoint;
            size == forged.size && root == forged.root
        };
        let honest: Vec<usize> =
            (0..self.world.nodes.len()).filter(|n| self.world.nodes[*n].is_honest).collect();
        let knows = |n: &&usize| {
            self.world.alarms[**n].iter().any(|alarm| is_about(alarm, origin) || is_foreign(alarm, origin))
        };
        // Of nodes that hold the forged view and nodes that hold the true one, at least one must know.
        let view = |n: &usize| {
            let followed = self.world.nodes[*n].engine.as_ref()?.followed();
            let log = followed.into_iter().find(|log| log.origin == *origin)?;
            let checkpoint = log.checkpoint?.checkpoint;
            Some(is_forked(checkpoint.root, checkpoint.size))
        };
        let views: BTreeSet<bool> = honest.iter().filter_map(view).collect();
        if views.len() == 2 && honest.iter().filter(knows).count() == 0 {
            return vec![format!("two views of {origin} are held and nobody noticed")];
        }
        Vec::new()
    }
}

/// Many logs of one author for one audience: each opens, and what follows in it is no record.
fn flooding(like: &Origin, now: u64) -> Vec<Fork> {
    let policy = cast::policy(&[], 0);
    let logs = (0..FLOOD).map(|n| {
        // Under numbers that no successor takes.
        let origin = Origin { n: Some(100 + n), ..like.clone() };
        let open = cast::open(&origin, &Readers::Public, &policy, Versions::FIRST, None, now);
        let entries = [vec![open], (0..5).map(|k| format!("no record {k}").into_bytes()).collect()].concat();
        Fork::new(&origin, &entries, 1)
    });
    logs.collect()
}

fn is_foreign(alarm: &Alarm, origin: &Origin) -> bool {
    matches!(alarm, Alarm::ForeignHeadOfOwnLog { origin: about, .. } if about == origin)
}

/// Entries of a forged view. Its author signs records of its own; a thief of the log key has only bytes.
fn forged(origin: &Origin, is_author: bool, size: u64, version: u64, now: u64) -> Vec<Vec<u8>> {
    let policy = cast::policy(&[], 0);
    let mut entries = vec![cast::open(origin, &Readers::Public, &policy, Versions::FIRST, None, now)];
    if !is_author {
        entries = vec![b"forged".to_vec()];
    }
    for n in 1..size {
        entries.push(if is_author {
            cast::record(origin, version.min(1), 1_000_000 + n, None, now)
        } else {
            format!("forged {n}").into_bytes()
        });
    }
    entries
}
