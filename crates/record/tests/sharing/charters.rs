//! Which charter is in force: examples of protocol section 5, and its promises as properties of any set of
//! facts in any order of arrival.

use std::sync::Arc;

use proptest::prelude::*;
use record::charter::{
    Act, Charter, CharterError, Fact, Mechanism, MechanismAlarm, Mechanisms, NotCounted, Party, Place,
};
use record::{Fingerprint, Line, MechanismId, Ref, Relation, Status, Time};
use tlog::{Hash, sha256};

use crate::cast::chn;
use crate::fixture::time;

const NAMES: [&str; 6] = [
    "moh.chn.example",
    "mhlw.jpn.example",
    "kdca.kor.example",
    "moh.sgp.example",
    "moh.vnm.example",
    "who.example",
];

fn party(n: usize) -> Party {
    let name = NAMES[n % NAMES.len()];
    (name.parse().expect("an authority"), Fingerprint(sha256(name.as_bytes()).0))
}

fn charter(members: &[usize], threshold: usize) -> Charter {
    Charter {
        name: "three".into(),
        members: members.iter().map(|n| party(*n)).collect(),
        observers: vec![],
        threshold,
    }
}

fn id() -> MechanismId {
    MechanismId::new(&party(0).0, "three").expect("an id")
}

/// What happened, second after second; every authority has one log.
#[derive(Default)]
struct Story {
    facts: Vec<Fact>,
}

impl Story {
    fn fact(&mut self, by: usize, name: Hash, act: Act) {
        let index = self.facts.len() as u64;
        let chain = format!("{}/log/public/2026", party(by).0).parse().expect("an origin");
        let released =
            Time::from_posix(1_800_000_000 + i64::try_from(index).expect("small")).expect("a time");
        let place = Place { chain, part: 0, index, released };
        self.facts.push(Fact { by: party(by), name, place, status: Status::Actual, act });
    }

    fn name(&self) -> Hash {
        sha256(&(self.facts.len() as u64).to_be_bytes())
    }

    fn charter(&mut self, by: usize, supersedes: Option<Hash>, charter: Charter) -> Hash {
        let name = self.name();
        let mechanism = supersedes.map(|_| id());
        self.fact(by, name, Act::Charter { supersedes, mechanism, charter: Arc::new(charter) });
        name
    }

    fn accept(&mut self, by: usize, charter: Hash) {
        let released = |fact: &&Fact| fact.name == charter && matches!(fact.act, Act::Charter { .. });
        let author = self.facts.iter().find(released).expect("released").by.0.clone();
        self.fact(by, self.name(), Act::Accept { author, charter });
    }

    fn leave(&mut self, by: usize) {
        self.fact(by, self.name(), Act::Leave { mechanism: id() });
    }

    fn mechanism(&self) -> Mechanism {
        let mechanisms = Mechanisms::replay(self.facts.clone());
        mechanisms.get(Status::Actual, &id()).expect("a first charter").clone()
    }

    fn in_force(&self) -> Option<Hash> {
        self.mechanism().in_force()
    }

    /// Three members, two of whom decide; in force.
    fn of_three() -> (Self, Hash) {
        let mut story = Self::default();
        let first = story.charter(0, None, charter(&[0, 1, 2], 2));
        story.accept(1, first);
        assert_eq!(story.in_force(), None);
        story.accept(2, first);
        assert_eq!(story.in_force(), Some(first));
        (story, first)
    }
}

#[test]
fn the_threshold_and_every_newcomer_put_the_next_charter_in_force() {
    let (mut story, first) = Story::of_three();
    let next = story.charter(1, Some(first), charter(&[0, 1, 2, 3], 3));
    story.accept(2, next);
    assert_eq!(story.in_force(), Some(first), "the newcomer has not accepted");
    let mechanism = story.mechanism();
    assert_eq!(mechanism.candidates[0].awaited.iter().collect::<Vec<_>>(), [&party(3)]);
    assert!(mechanism.candidates[0].can_win);
    story.accept(3, next);
    assert_eq!(story.in_force(), Some(next));
    assert_eq!(story.mechanism().history.len(), 2);
    assert!(story.mechanism().alarms.is_empty());
}

#[test]
fn only_the_first_acceptance_counts_and_two_raise_an_alarm() {
    let (mut story, first) = Story::of_three();
    let a = story.charter(0, Some(first), charter(&[0, 1, 2], 3));
    let b = story.charter(1, Some(first), charter(&[0, 1, 2], 2));
    // Member 0 voted for its own text by releasing it.
    story.accept(0, b);
    let alarm =
        MechanismAlarm::TwoAccepted { member: party(0), predecessor: Some(first), first: a, second: b };
    assert_eq!(story.mechanism().alarms.into_iter().collect::<Vec<_>>(), [alarm]);
    assert_eq!(story.in_force(), Some(first));
    story.accept(2, b);
    assert_eq!(story.in_force(), Some(b));
    story.accept(2, a);
    assert_eq!(story.in_force(), Some(b), "a late second acceptance changes nothing");
}

#[test]
fn when_none_can_win_only_a_text_that_all_accept_follows() {
    let (mut story, first) = Story::of_three();
    let texts = [0, 1, 2].map(|by| story.charter(by, Some(first), charter(&[0, 1, 2], 2)));
    assert_eq!(story.in_force(), Some(first));
    assert!(story.mechanism().candidates.iter().all(|candidate| !candidate.can_win));
    story.accept(1, texts[0]);
    assert_eq!(story.in_force(), Some(first), "two of three are no longer enough");
    story.accept(2, texts[0]);
    assert_eq!(story.in_force(), Some(texts[0]));
    // All accept a second text as well: the one that was complete first stays.
    story.accept(0, texts[2]);
    story.accept(1, texts[2]);
    assert_eq!(story.in_force(), Some(texts[0]));
}

#[test]
fn removing_a_member_needs_all_others_but_not_the_member() {
    let mut story = Story::default();
    let first = story.charter(0, None, charter(&[0, 1, 2, 3], 3));
    for member in 1..4 {
        story.accept(member, first);
    }
    let without = story.charter(0, Some(first), charter(&[0, 1, 2], 2));
    story.accept(1, without);
    assert_eq!(story.mechanism().candidates[0].awaited.iter().collect::<Vec<_>>(), [&party(2)]);
    story.accept(2, without);
    assert_eq!(story.in_force(), Some(without));
}

#[test]
fn who_leaves_is_not_removed_and_joins_again_as_a_newcomer() {
    let (mut story, first) = Story::of_three();
    story.leave(2);
    story.accept(2, first);
    let mechanism = story.mechanism();
    assert_eq!(mechanism.left.into_iter().collect::<Vec<_>>(), [party(2)]);
    let two = charter(&[0, 1], 2);
    let without = story.charter(0, Some(first), two);
    story.accept(1, without);
    assert_eq!(story.in_force(), Some(without));
    let again = story.charter(1, Some(without), charter(&[0, 1, 2], 2));
    story.accept(0, again);
    assert_eq!(story.in_force(), Some(without));
    story.accept(2, again);
    let mechanism = story.mechanism();
    assert_eq!((mechanism.in_force(), mechanism.left.len()), (Some(again), 0));
    assert!(mechanism.readers().contains(&party(2).0));
    story.leave(2);
    assert!(!story.mechanism().readers().contains(&party(2).0));
}

#[test]
fn a_vote_stays_when_the_voter_leaves() {
    let (mut story, first) = Story::of_three();
    let next = story.charter(0, Some(first), charter(&[0, 1, 2], 2));
    story.accept(2, next);
    assert_eq!(story.in_force(), Some(next));
    story.leave(2);
    assert_eq!(story.in_force(), Some(next));
}

#[test]
fn strangers_other_mechanisms_and_exercises_count_for_nothing() {
    let (mut story, first) = Story::of_three();
    let stranger = story.charter(5, Some(first), charter(&[0, 1, 2, 5], 3));
    for member in 0..3 {
        story.accept(member, stranger);
    }
    assert_eq!(story.in_force(), Some(first));
    let alarm =
        MechanismAlarm::NotCounted { charter: stranger, by: party(5), reason: NotCounted::NotAMember };
    assert!(story.mechanism().alarms.contains(&alarm));

    let (mut story, first) = Story::of_three();
    let next = story.charter(1, Some(first), charter(&[0, 1, 2], 2));
    story.accept(2, next);
    for fact in &mut story.facts[3..] {
        fact.status = Status::Exercise;
    }
    assert_eq!(story.in_force(), Some(first));
    if let Act::Charter { mechanism, .. } = &mut story.facts[3].act {
        *mechanism = Some("moh.chn.example/other".parse().expect("an id"));
    }
    story.facts.iter_mut().for_each(|fact| fact.status = Status::Actual);
    assert_eq!(story.in_force(), Some(first));
    let reason = NotCounted::OtherMechanism;
    let alarm = MechanismAlarm::NotCounted { charter: next, by: party(1), reason };
    assert_eq!(story.mechanism().alarms.into_iter().collect::<Vec<_>>(), [alarm]);
}

#[test]
fn the_same_name_with_another_fingerprint_is_another_party() {
    let mut story = Story::default();
    let first = story.charter(0, None, charter(&[0, 1], 2));
    story.accept(1, first);
    story.facts[1].by.1 = Fingerprint([0; 32]);
    assert_eq!(story.in_force(), None);
}

#[test]
fn a_record_in_several_logs_was_done_at_the_earliest_of_its_times() {
    let (mut story, first) = Story::of_three();
    let a = story.charter(0, Some(first), charter(&[0, 1, 2], 2));
    let b = story.charter(1, Some(first), charter(&[0, 1, 2], 2));
    story.accept(2, a);
    story.accept(2, b);
    assert_eq!(story.in_force(), Some(a));
    // The acceptance of b had been released before, in a log for another audience.
    let mut earlier = story.facts[6].clone();
    earlier.place.chain = "kdca.kor.example/log/abcdefghijklmnopqrstuvwxyz/2026".parse().expect("an origin");
    earlier.place.released = story.facts[3].place.released;
    story.facts.push(earlier);
    assert_eq!(story.in_force(), Some(b));
}

#[test]
fn a_charter_reads_and_writes_its_lines() {
    let mut text = charter(&[0, 1, 2], 2);
    text.observers = vec![party(5)];
    let lines = text.to_lines().expect("sound");
    assert_eq!(Charter::parse(&lines), Ok(text.clone()));
    assert_eq!(text.readers().len(), 4);
    assert_eq!(text.audience(Some(&charter(&[3], 1))).len(), 5);
    let with = |n: usize, key: &str, value: &str| {
        let mut lines = lines.clone();
        lines[n] = Line::new(key, value).expect("a line");
        Charter::parse(&lines)
    };
    assert_eq!(with(5, "threshold", "1"), Err(CharterError::Threshold { threshold: 1, members: 3 }));
    assert_eq!(with(5, "threshold", "4"), Err(CharterError::Threshold { threshold: 4, members: 3 }));
    assert!(matches!(with(5, "threshold", "02"), Err(CharterError::Field(_))));
    assert_eq!(with(5, "other", "2"), Err(CharterError::Once { key: "threshold", found: 0 }));
    assert_eq!(with(5, "name", "three"), Err(CharterError::Once { key: "name", found: 2 }));
    assert!(matches!(with(0, "name", "Three"), Err(CharterError::Name { .. })));
    assert!(matches!(with(1, "member", "moh.chn.example"), Err(CharterError::Party { key: "member", .. })));
    let twice = lines[1].value().to_owned();
    assert!(matches!(with(4, "observer", &twice), Err(CharterError::Twice { .. })));
}

#[test]
fn headers_of_the_three_kinds_become_facts() {
    let node = chn();
    let log = node.ministry.public_log();
    let place = Place { chain: log.clone(), part: 0, index: 4, released: time("2026-11-22T10:00:00Z") };
    let of = |header: &record::Header| Fact::of(header, sha256(b"record"), node.fingerprint(), &place);
    let mut header = node.ministry.header(&log, "mechanism.charter", 1);
    header.own = charter(&[0, 1], 2).to_lines().expect("sound");
    header.supersedes = Some(sha256(b"before"));
    let facts = of(&header).expect("a charter");
    let [Fact { act: Act::Charter { supersedes, charter: read, .. }, .. }] = &facts[..] else {
        panic!("{facts:?}")
    };
    assert_eq!((supersedes, read.as_ref()), (&header.supersedes, &charter(&[0, 1], 2)));

    let mut header = node.ministry.header(&log, "mechanism.accept", 2);
    assert!(matches!(of(&header), Err(CharterError::Missing { line: "ref accepts", .. })));
    let author = party(1).0;
    header.refs = vec![Ref { relation: Relation::Accepts, author: author.clone(), name: sha256(b"charter") }];
    let act = Act::Accept { author, charter: sha256(b"charter") };
    assert_eq!(of(&header).expect("an acceptance")[0].act, act);

    let mut header = node.ministry.header(&log, "mechanism.leave", 3);
    assert!(matches!(of(&header), Err(CharterError::Missing { line: "mechanism", .. })));
    header.mechanism = Some(id());
    assert_eq!(of(&header).expect("a leaving")[0].act, Act::Leave { mechanism: id() });
    header.own = vec![Line::new("!only-if", "unknown").expect("a line")];
    assert_eq!(of(&header), Ok(vec![]), "who does not know a critical line does not act on it");
    assert_eq!(of(&node.ministry.header(&log, "notice", 4)), Ok(vec![]));
}

/// A deed in a random story; charters are named by their number, modulo how many there are.
#[derive(Debug, Clone)]
enum Deed {
    Charter { by: usize, after: usize, members: Vec<usize>, more: usize },
    Accept { by: usize, charter: usize },
    Leave { by: usize },
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let by = 0_usize..5;
    let members = prop::sample::subsequence((0_usize..5).collect::<Vec<_>>(), 2..5);
    prop::collection::vec(
        prop_oneof![
            2 => (by.clone(), any::<usize>(), members, 0_usize..3)
                .prop_map(|(by, after, members, more)| Deed::Charter { by, after, members, more }),
            8 => (by.clone(), any::<usize>()).prop_map(|(by, charter)| Deed::Accept { by, charter }),
            1 => by.prop_map(|by| Deed::Leave { by }),
        ],
        0..50,
    )
}

fn story(deeds: &[Deed]) -> Story {
    let mut story = Story::default();
    let mut charters = vec![story.charter(0, None, charter(&[0, 1, 2], 2))];
    // Half of the stories begin with a charter in force.
    if deeds.len().is_multiple_of(2) {
        story.accept(1, charters[0]);
        story.accept(2, charters[0]);
    }
    for deed in deeds {
        match deed {
            Deed::Charter { by, after, members, more } => {
                let text = charter(members, (members.len() / 2 + 1 + more).min(members.len()));
                // The newest charters are superseded most often, as in life.
                let back = (after % 3).min(charters.len() - 1);
                let before = charters[charters.len() - 1 - back];
                // Now and then the author of the mechanism proposes another first charter.
                let first = *by == 0 && after % 5 == 0;
                charters.push(story.charter(*by, (!first).then_some(before), text));
            }
            Deed::Accept { by, charter } => {
                let back = (charter % 3).min(charters.len() - 1);
                story.accept(*by, charters[charters.len() - 1 - back]);
            }
            Deed::Leave { by } => story.leave(*by),
        }
    }
    story
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_order_of_arrival_makes_no_difference(
        deeds in deeds(),
        order in any::<prop::sample::Selector>(),
    ) {
        let story = story(&deeds);
        let mut shuffled = story.facts.clone();
        for end in (1..shuffled.len()).rev() {
            let other = *order.select(&(0..=end).collect::<Vec<_>>());
            shuffled.swap(end, other);
        }
        // What arrives twice, over two peers, counts once.
        shuffled.extend(story.facts.first().cloned());
        prop_assert_eq!(Mechanisms::replay(story.facts), Mechanisms::replay(shuffled));
    }

    #[test]
    fn what_came_into_force_is_never_undone_by_what_is_done_later(deeds in deeds()) {
        let story = story(&deeds);
        let mut before: Vec<Hash> = Vec::new();
        for end in 1..=story.facts.len() {
            let mechanisms = Mechanisms::replay(story.facts[..end].iter().cloned());
            let mechanism = mechanisms.get(Status::Actual, &id()).expect("a first charter");
            let now: Vec<Hash> = mechanism.history.iter().map(|(name, _, _)| *name).collect();
            prop_assert!(now.starts_with(&before), "{:?} after {:?}", now, before);
            before = now;
        }
    }

    #[test]
    fn each_successor_has_the_votes_of_its_predecessor_and_is_the_only_one(deeds in deeds()) {
        let story = story(&deeds);
        let mechanism = story.mechanism();
        for pair in mechanism.history.windows(2) {
            let (before, (name, by, text)) = (&pair[0], &pair[1]);
            let supersedes = superseded(&story, *name).expect("a successor supersedes");
            prop_assert_eq!(supersedes, before.0);
            prop_assert!(before.2.members.contains(by), "released by a member");
            let accepted = |party: &Party| story.facts.iter().any(|fact| fact.by == *party && accepts(fact, *name));
            let left = |party: &Party| story.facts.iter().any(|f| f.by == *party && matches!(f.act, Act::Leave { .. }));
            let votes = before.2.members.iter().filter(|member| accepted(member)).count();
            let all = before.2.members.iter().all(|member| accepted(member) || left(member));
            prop_assert!(votes >= before.2.threshold || all);
            let mut newcomers = text.members.iter().filter(|member| !before.2.members.contains(member));
            prop_assert!(newcomers.all(accepted));
        }
    }
}

fn accepts(fact: &Fact, name: Hash) -> bool {
    match &fact.act {
        Act::Charter { .. } => fact.name == name,
        Act::Accept { charter, .. } => *charter == name,
        Act::Leave { .. } => false,
    }
}

fn superseded(story: &Story, name: Hash) -> Option<Hash> {
    story.facts.iter().find(|fact| fact.name == name).and_then(|fact| match &fact.act {
        Act::Charter { supersedes, .. } => *supersedes,
        _ => None,
    })
}
