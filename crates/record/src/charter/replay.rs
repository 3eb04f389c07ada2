//! Which charter of a mechanism is in force: a pure function of the facts that one reader has, whatever the
//! order in which they arrived.
//!
//! The rules of protocol section 5, and how they are read here:
//!
//! - A **vote** on what follows a charter is a member's first acceptance of one of its successors, in the
//!   order of the member's log; releasing a charter is accepting it. Votes are never taken back, so more than
//!   half of the members can agree on one successor only.
//! - A **newcomer** is a member of the successor that the predecessor does not name as a member.
//! - A member that left keeps the vote it gave before, and no longer counts among those who are still awaited.
//!   Charters that go on naming it do not bring it back: it joins again as a newcomer, after a charter without it.
//! - **Removing** a member that had not left when the text was released needs the votes of all others.
//! - When no successor can reach the threshold any more, the text that *all* accept follows, whatever their
//!   votes were. The same holds for first charters, which have no predecessor. Should all accept two such
//!   texts, the one that was complete first by the claimed times is in force, where a member's acts count as
//!   later than those before them in its log: the last member to accept cannot turn an adopted text over.
//!
//! A fact of an exercise or a test never counts for an actual mechanism.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tlog::Hash;

use super::{Act, Charter, Fact, Party};
use crate::encoding::Authority;
use crate::header::{MechanismId, Status};
use crate::origin::Origin;

/// Every mechanism that the facts speak of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mechanisms {
    by_id: BTreeMap<(Status, MechanismId), Mechanism>,
}

/// One mechanism.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mechanism {
    /// Its id.
    pub id: MechanismId,
    /// The charters that came into force, oldest first: name, author and text.
    pub history: Vec<(Hash, Party, Arc<Charter>)>,
    /// What may follow the charter in force (or become the first one), by name.
    pub candidates: Vec<Candidate>,
    /// Members of the charter in force that left.
    pub left: BTreeSet<Party>,
    /// What an operator has to see.
    pub alarms: BTreeSet<MechanismAlarm>,
}

/// A charter that is not in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its name.
    pub name: Hash,
    /// Who released it.
    pub by: Party,
    /// What it says.
    pub charter: Arc<Charter>,
    /// Whose acceptance counts for it.
    pub accepted: BTreeSet<Party>,
    /// Whose acceptance it still needs in any case: newcomers, and where it must be unanimous everybody else.
    pub awaited: BTreeSet<Party>,
    /// Whether it can still come into force by the threshold.
    pub can_win: bool,
}

/// What an operator has to see.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum MechanismAlarm {
    /// One member accepted two texts to follow the same charter: only the first counts.
    TwoAccepted {
        /// The member.
        member: Party,
        /// The charter that both would follow; none for first charters.
        predecessor: Option<Hash>,
        /// What it accepted first.
        first: Hash,
        /// What it accepted besides.
        second: Hash,
    },
    /// A charter counts for nothing.
    NotCounted {
        /// Its name.
        charter: Hash,
        /// Who released it.
        by: Party,
        /// Why.
        reason: NotCounted,
    },
}

/// Why a charter counts for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NotCounted {
    /// Its author is no member of the charter that it would follow, or had left.
    NotAMember,
    /// Its `mechanism` line names another mechanism.
    OtherMechanism,
}

impl Mechanism {
    /// The charter in force.
    pub fn charter(&self) -> Option<&Charter> {
        self.history.last().map(|(_, _, charter)| charter.as_ref())
    }

    /// The name of the charter in force.
    pub fn in_force(&self) -> Option<Hash> {
        self.history.last().map(|(name, _, _)| *name)
    }

    /// Whom "to the mechanism" means now: members and observers of the charter in force, without who left.
    pub fn readers(&self) -> BTreeSet<Authority> {
        let mut readers = self.charter().map(Charter::readers).unwrap_or_default();
        for (authority, _) in &self.left {
            readers.remove(authority);
        }
        readers
    }
}

impl Mechanisms {
    /// Computes every mechanism from all facts that are known, in any order, repeated or not.
    pub fn replay(facts: impl IntoIterator<Item = Fact>) -> Self {
        let facts: BTreeSet<Fact> = facts.into_iter().collect();
        let mut by_id = BTreeMap::new();
        for status in Status::ALL {
            let table = Table::new(facts.iter().filter(|fact| fact.status == *status));
            for id in table.ids() {
                by_id.insert((*status, id.clone()), table.mechanism(id));
            }
        }
        Self { by_id }
    }

    /// One mechanism.
    pub fn get(&self, status: Status, id: &MechanismId) -> Option<&Mechanism> {
        self.by_id.get(&(status, id.clone()))
    }

    /// All of them, by status and id.
    pub fn iter(&self) -> impl Iterator<Item = (Status, &Mechanism)> {
        self.by_id.iter().map(|((status, _), mechanism)| (*status, mechanism))
    }
}

/// A charter with its author and the lines that place it.
#[derive(Debug)]
struct Released<'f> {
    by: &'f Party,
    supersedes: Option<Hash>,
    mechanism: Option<&'f MechanismId>,
    charter: &'f Arc<Charter>,
}

/// What a party did, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step<'f> {
    Accepts(Hash),
    Leaves(&'f MechanismId),
}

/// When a party did it: POSIX seconds, claimed, rising strictly along each of its logs.
type Moment = i64;

/// The facts of one status, by what is asked of them.
struct Table<'f> {
    charters: BTreeMap<Hash, Released<'f>>,
    steps: BTreeMap<&'f Party, Vec<(Moment, Step<'f>)>>,
    firsts: BTreeMap<MechanismId, Vec<Hash>>,
    successors: BTreeMap<Hash, Vec<Hash>>,
}

impl<'f> Table<'f> {
    fn new(facts: impl Iterator<Item = &'f Fact>) -> Self {
        let facts: Vec<&Fact> = facts.collect();
        let charters = charters(&facts);
        let (mut firsts, mut successors) = (BTreeMap::<_, Vec<Hash>>::new(), BTreeMap::<_, Vec<Hash>>::new());
        for (name, released) in &charters {
            match released.supersedes {
                Some(predecessor) => successors.entry(predecessor).or_default().push(*name),
                None => {
                    if let Ok(id) = MechanismId::new(&released.by.0, &released.charter.name) {
                        firsts.entry(id).or_default().push(*name);
                    }
                }
            }
        }
        Self { steps: steps(&facts, &charters), charters, firsts, successors }
    }

    fn ids(&self) -> impl Iterator<Item = &MechanismId> {
        self.firsts.keys()
    }

    fn mechanism(&self, id: &MechanismId) -> Mechanism {
        let mut mechanism = Mechanism {
            id: id.clone(),
            history: Vec::new(),
            candidates: Vec::new(),
            left: BTreeSet::new(),
            alarms: BTreeSet::new(),
        };
        // By which charter each member of the charter in force joined.
        let mut joined: BTreeMap<&Party, Hash> = BTreeMap::new();
        let mut following = Some(Following::first(self, id, &mut mechanism.alarms));
        while let Some(round) = following.take() {
            round.alarm(&mut mechanism.alarms);
            let winner = round.winner();
            mechanism.left = round.left();
            mechanism.candidates = round.candidates();
            // Names are hashes of what they name, so no charter can follow itself, not even by way of others.
            if let Some((name, released)) = winner.and_then(|name| self.charters.get_key_value(&name)) {
                mechanism.history.push((*name, released.by.clone(), Arc::clone(released.charter)));
                let before = |party: &Party| joined.get(party).copied().unwrap_or(*name);
                joined = released.charter.members.iter().map(|party| (party, before(party))).collect();
                following =
                    Some(Following::after(self, id, (*name, released), &joined, &mut mechanism.alarms));
            }
        }
        mechanism
    }

    /// When a party accepted a charter first.
    fn accepted(&self, party: &Party, charter: Hash) -> Option<Moment> {
        let accepts = |(_, step): &&(Moment, Step)| *step == Step::Accepts(charter);
        self.steps.get(party)?.iter().find(accepts).map(|(moment, _)| *moment)
    }

    /// The steps of a member up to its leaving, and when it left. A leaving before it accepted the charter by
    /// which it `joined` is over.
    fn until_left(
        &self,
        member: &Party,
        id: &MechanismId,
        joined: Hash,
    ) -> (&[(Moment, Step<'f>)], Option<Moment>) {
        let steps = self.steps.get(member).map_or(&[][..], Vec::as_slice);
        let accepts = |(_, step): &(Moment, Step)| *step == Step::Accepts(joined);
        let from = steps.iter().position(accepts).map_or(0, |at| at + 1);
        let leaves = |(_, step): &(Moment, Step)| *step == Step::Leaves(id);
        match steps.iter().skip(from).position(leaves) {
            Some(at) => (&steps[..from + at], steps.get(from + at).map(|(moment, _)| *moment)),
            None => (steps, None),
        }
    }
}

fn charters<'f>(facts: &[&'f Fact]) -> BTreeMap<Hash, Released<'f>> {
    let released = |fact: &&'f Fact| match &fact.act {
        Act::Charter { supersedes, mechanism, charter } => Some((
            fact.name,
            Released { by: &fact.by, supersedes: *supersedes, mechanism: mechanism.as_ref(), charter },
        )),
        Act::Accept { .. } | Act::Leave { .. } => None,
    };
    facts.iter().filter_map(released).collect()
}

/// The steps of each party in its order. Along a log that is the log's; between logs, that of the claimed times.
fn steps<'f>(
    facts: &[&'f Fact],
    charters: &BTreeMap<Hash, Released<'f>>,
) -> BTreeMap<&'f Party, Vec<(Moment, Step<'f>)>> {
    let mut logs: BTreeMap<(&Party, &Origin), Vec<&Fact>> = BTreeMap::new();
    for fact in facts {
        logs.entry((&fact.by, &fact.place.chain)).or_default().push(fact);
    }
    // A record that was released again stands in several logs: it was done at the earliest of its times.
    let mut first: BTreeMap<(&Party, Hash, &Act), Moment> = BTreeMap::new();
    for ((by, _), mut log) in logs {
        log.sort_by_key(|fact| (fact.place.part, fact.place.index));
        let mut last: Option<(u32, u64, Moment)> = None;
        for fact in log {
            let (part, index, released) = (fact.place.part, fact.place.index, fact.place.released.posix());
            let moment = match last {
                Some((p, i, moment)) if (p, i) == (part, index) => moment,
                Some((_, _, moment)) => released.max(moment + 1),
                None => released,
            };
            last = Some((part, index, moment));
            first.entry((by, fact.name, &fact.act)).and_modify(|m| *m = moment.min(*m)).or_insert(moment);
        }
    }
    let mut steps: BTreeMap<&Party, Vec<(Moment, Hash, Step)>> = BTreeMap::new();
    for ((by, name, act), moment) in first {
        let step = match act {
            Act::Charter { .. } => Some(Step::Accepts(name)),
            // An acceptance names the charter's author besides its name: both must be right.
            Act::Accept { author, charter } => charters
                .get(charter)
                .filter(|released| released.by.0 == *author)
                .map(|_| Step::Accepts(*charter)),
            Act::Leave { mechanism } => Some(Step::Leaves(mechanism)),
        };
        if let Some(step) = step {
            steps.entry(by).or_default().push((moment, name, step));
        }
    }
    let in_order = |mut steps: Vec<(Moment, Hash, Step<'f>)>| {
        steps.sort_by_key(|(moment, name, _)| (*moment, *name));
        steps.into_iter().map(|(moment, _, step)| (moment, step)).collect()
    };
    steps.into_iter().map(|(by, steps)| (by, in_order(steps))).collect()
}

/// The decision what follows a charter.
struct Following<'t, 'f> {
    table: &'t Table<'f>,
    predecessor: Option<(Hash, &'t Charter)>,
    candidates: Vec<(Hash, &'t Released<'f>)>,
    /// What each member of the predecessor accepted of the candidates, in its order, without repetition.
    accepted: BTreeMap<&'t Party, Vec<Hash>>,
    /// When members of the predecessor left.
    left: BTreeMap<&'t Party, Moment>,
}

impl<'t, 'f> Following<'t, 'f> {
    /// Which first charter comes into force.
    fn first(table: &'t Table<'f>, id: &MechanismId, alarms: &mut BTreeSet<MechanismAlarm>) -> Self {
        let mut candidates = table.released(table.firsts.get(id));
        candidates.retain(|(name, released)| released.is_of(id, *name, alarms));
        let members = candidates.iter().flat_map(|(_, released)| &released.charter.members);
        let of = |party: &'t Party| (party, table.steps.get(party).map_or(&[][..], Vec::as_slice));
        let accepted = accepted_of(members.map(of), &candidates);
        Self { table, predecessor: None, candidates, accepted, left: BTreeMap::new() }
    }

    /// Which charter follows one that is in force.
    fn after(
        table: &'t Table<'f>,
        id: &MechanismId,
        (name, predecessor): (Hash, &'t Released<'f>),
        joined: &BTreeMap<&'t Party, Hash>,
        alarms: &mut BTreeSet<MechanismAlarm>,
    ) -> Self {
        let mut candidates = table.released(table.successors.get(&name));
        candidates.retain(|(name, released)| released.is_of(id, *name, alarms));
        let (mut steps, mut left) = (BTreeMap::new(), BTreeMap::new());
        for (party, joined) in joined {
            let (before, moment) = table.until_left(party, id, *joined);
            steps.insert(*party, before);
            left.extend(moment.map(|moment| (*party, moment)));
        }
        let accepted = accepted_of(steps, &candidates);
        candidates.retain(|(name, released)| {
            let counts = accepted.get(released.by).is_some_and(|names| names.contains(name));
            if !counts {
                alarms.insert(released.not_counted(*name, NotCounted::NotAMember));
            }
            counts
        });
        Self { table, predecessor: Some((name, predecessor.charter.as_ref())), candidates, accepted, left }
    }

    fn left(&self) -> BTreeSet<Party> {
        self.left.keys().map(|party| (*party).clone()).collect()
    }

    /// The one charter that follows, if there is one yet.
    fn winner(&self) -> Option<Hash> {
        let Some((_, predecessor)) = self.predecessor else { return self.unanimous() };
        let wins = |(name, released): &&(Hash, &Released)| {
            self.votes(*name) >= predecessor.threshold
                && self.newcomers(released).all(|party| self.table.accepted(party, *name).is_some())
                && self.removal_awaits(*name, released).next().is_none()
        };
        let by_threshold = self.candidates.iter().find(wins).map(|(name, _)| *name);
        let deadlock =
            !self.candidates.iter().any(|(name, released)| self.can_win(*name, released, predecessor))
                && self.undecided() < predecessor.threshold;
        if deadlock { self.unanimous() } else { by_threshold }
    }

    /// The text that all accepted, and of several the one that was complete first.
    fn unanimous(&self) -> Option<Hash> {
        let complete = |(name, released): &(Hash, &Released)| Some((self.complete(*name, released)?, *name));
        self.candidates.iter().filter_map(complete).min().map(|(_, name)| name)
    }

    /// When the last one accepted it of those who must, or left.
    fn complete(&self, name: Hash, released: &Released) -> Option<Moment> {
        let voter = |party: &Party| {
            let accepted = self.accepted.get(party).is_some_and(|names| names.contains(&name));
            let moment = accepted.then(|| self.table.accepted(party, name)).flatten();
            moment.or_else(|| self.left.get(party).copied())
        };
        let members = self.predecessor.iter().flat_map(|(_, charter)| &charter.members).map(voter);
        let newcomers = self.newcomers(released).map(|party| self.table.accepted(party, name));
        let moments: Option<Vec<Moment>> = members.chain(newcomers).collect();
        moments?.into_iter().max()
    }

    fn vote(&self, party: &Party) -> Option<Hash> {
        self.accepted.get(party)?.first().copied()
    }

    fn votes(&self, name: Hash) -> usize {
        self.accepted.values().filter(|names| names.first() == Some(&name)).count()
    }

    /// Members that neither voted nor left.
    fn undecided(&self) -> usize {
        let Some((_, predecessor)) = self.predecessor else { return 0 };
        predecessor.members.iter().filter(|m| self.vote(m).is_none() && !self.left.contains_key(m)).count()
    }

    fn newcomers<'s>(&'s self, released: &'s Released) -> impl Iterator<Item = &'s Party> {
        let named = |party: &&Party| self.predecessor.is_none_or(|(_, charter)| !charter.is_member(party));
        released.charter.members.iter().filter(named)
    }

    /// Whose vote the removal of members still lacks. One that left without a vote is not awaited.
    fn removal_awaits<'s>(&'s self, name: Hash, released: &'s Released) -> impl Iterator<Item = &'s Party> {
        let members = self.predecessor.map_or(&[][..], |(_, charter)| charter.members.as_slice());
        // Fixed when the text is released: who leaves later must not make a text winnable that had lost.
        let at = self.table.accepted(released.by, name);
        let had_left = |party: &Party| self.left.get(party).is_some_and(|left| Some(*left) < at);
        let removed = |party: &&Party| !released.charter.is_member(party) && !had_left(party);
        let removed: Vec<&Party> = members.iter().filter(removed).collect();
        let others = move |party: &&Party| match removed.as_slice() {
            [] => false,
            [one] => one != party,
            _ => true,
        };
        let lacks = move |party: &&Party| match self.vote(party) {
            Some(vote) => vote != name,
            None => !self.left.contains_key(party),
        };
        members.iter().filter(others).filter(lacks)
    }

    fn can_win(&self, name: Hash, released: &Released, predecessor: &Charter) -> bool {
        self.votes(name) + self.undecided() >= predecessor.threshold
            && self.removal_awaits(name, released).all(|party| self.vote(party).is_none())
    }

    fn candidates(&self) -> Vec<Candidate> {
        self.candidates.iter().map(|(name, released)| self.candidate(*name, released)).collect()
    }

    fn candidate(&self, name: Hash, released: &Released) -> Candidate {
        let newcomers = || self.newcomers(released).cloned();
        let has = |party: &Party| self.table.accepted(party, name).is_some();
        let voters =
            self.accepted.keys().filter(|party| self.vote(party) == Some(name)).map(|p| (*p).clone());
        Candidate {
            name,
            by: released.by.clone(),
            charter: Arc::clone(released.charter),
            accepted: voters.chain(newcomers().filter(|party| has(party))).collect(),
            awaited: newcomers()
                .filter(|party| !has(party))
                .chain(self.removal_awaits(name, released).cloned())
                .collect(),
            can_win: self.predecessor.is_some_and(|(_, charter)| self.can_win(name, released, charter)),
        }
    }

    fn alarm(&self, alarms: &mut BTreeSet<MechanismAlarm>) {
        let predecessor = self.predecessor.map(|(name, _)| name);
        for (member, names) in &self.accepted {
            let [first, rest @ ..] = names.as_slice() else { continue };
            alarms.extend(rest.iter().map(|second| MechanismAlarm::TwoAccepted {
                member: (*member).clone(),
                predecessor,
                first: *first,
                second: *second,
            }));
        }
    }
}

impl<'f> Table<'f> {
    fn released(&self, names: Option<&Vec<Hash>>) -> Vec<(Hash, &Released<'f>)> {
        names.into_iter().flatten().filter_map(|name| Some((*name, self.charters.get(name)?))).collect()
    }
}

/// What members accepted of the candidates in these steps, each text once.
fn accepted_of<'t, 'f: 't>(
    members: impl IntoIterator<Item = (&'t Party, &'t [(Moment, Step<'f>)])>,
    candidates: &[(Hash, &Released)],
) -> BTreeMap<&'t Party, Vec<Hash>> {
    let of = |(member, steps): (&'t Party, &[(Moment, Step)])| {
        let mut names: Vec<Hash> = Vec::new();
        for (_, step) in steps {
            if let Step::Accepts(name) = step
                && candidates.iter().any(|(candidate, _)| candidate == name)
                && !names.contains(name)
            {
                names.push(*name);
            }
        }
        (member, names)
    };
    members.into_iter().map(of).collect()
}

impl Released<'_> {
    /// Whether it speaks of this mechanism, or of none in so many words.
    fn is_of(&self, id: &MechanismId, name: Hash, alarms: &mut BTreeSet<MechanismAlarm>) -> bool {
        let of = self.mechanism.is_none_or(|named| named == id);
        if !of {
            alarms.insert(self.not_counted(name, NotCounted::OtherMechanism));
        }
        of
    }

    fn not_counted(&self, charter: Hash, reason: NotCounted) -> MechanismAlarm {
        MechanismAlarm::NotCounted { charter, by: self.by.clone(), reason }
    }
}
