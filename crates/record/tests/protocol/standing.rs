//! What stands when there is more than one to choose from, at every moment.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use record::standing::{During, Ending, Entry, Log, Span, State, counts, lines, stands};
use record::{Authority, Ref, Relation};
use tlog::Hash;

fn authority(text: &str) -> Authority {
    text.parse().expect("an authority")
}

fn log(line: u32, part: u32) -> Log {
    Log { line, part }
}

fn name(n: u8) -> Hash {
    Hash([n; 32])
}

/// An entry at (log, index) that is released at a moment and counts from then on.
fn entry(n: u8, edition: u32, place: (usize, u64), released: i64) -> Entry {
    let (log, index) = place;
    Entry { log, index, name: name(n), edition, released, during: During::since(released) }
}

/// What each record is at a moment.
fn at(spans: &[Span], moment: i64) -> BTreeMap<u8, State> {
    let then = spans.iter().filter(|span| span.during.includes(moment));
    then.map(|span| (span.name.0[0], span.state)).collect()
}

/// The spans, which do not depend on the order of what they follow from.
fn sorted_out(logs: &[Log], entries: &[Entry], endings: &[Ending]) -> Vec<Span> {
    let spans = stands(logs, entries, endings);
    let (mut back, mut ends) = (entries.to_vec(), endings.to_vec());
    back.reverse();
    ends.reverse();
    assert_eq!(stands(logs, &back, &ends), spans, "the order of facts does not matter");
    spans
}

#[test]
fn the_newest_edition_speaks_and_the_one_before_did() {
    let logs = [log(0, 0), log(0, 1)];
    let spans = sorted_out(&logs, &[entry(1, 1, (0, 3), 10), entry(2, 2, (1, 0), 20)], &[]);
    assert!(at(&spans, 9).is_empty());
    assert_eq!(at(&spans, 10), BTreeMap::from([(1, State::Speaks)]));
    assert_eq!(at(&spans, 20), BTreeMap::from([(1, State::Superseded { by: name(2) }), (2, State::Speaks)]));
}

#[test]
fn of_twins_in_one_log_the_first_by_place_stands_whatever_it_claims() {
    let logs = [log(0, 0)];
    let spans = sorted_out(&logs, &[entry(9, 1, (0, 3), 30), entry(1, 1, (0, 4), 20)], &[]);
    assert_eq!(
        at(&spans, 29),
        BTreeMap::from([(1, State::Speaks)]),
        "the other claims not to have been there"
    );
    assert_eq!(at(&spans, 30), BTreeMap::from([(1, State::Conflicting), (9, State::Speaks)]));
}

#[test]
fn of_twins_in_logs_that_nothing_joins_the_earlier_stands_then_the_smaller_name() {
    let logs = [log(0, 0), log(1, 0)];
    let spans = sorted_out(&logs, &[entry(9, 1, (0, 30), 10), entry(1, 1, (1, 4), 20)], &[]);
    assert_eq!(at(&spans, 20), BTreeMap::from([(1, State::Conflicting), (9, State::Speaks)]));
    let spans = sorted_out(&logs, &[entry(9, 1, (0, 30), 20), entry(1, 1, (1, 4), 20)], &[]);
    assert_eq!(at(&spans, 20), BTreeMap::from([(1, State::Speaks), (9, State::Conflicting)]));
}

#[test]
fn who_was_given_the_edition_before_in_logs_of_others_is_not_for_a_reader_to_judge() {
    let logs = [log(0, 0), log(1, 0)];
    // The first edition was released again to b alone, in a log that this reader never sees.
    let spans = sorted_out(&logs, &[entry(1, 1, (0, 1), 10), entry(2, 2, (1, 1), 20)], &[]);
    assert_eq!(at(&spans, 20), BTreeMap::from([(1, State::Superseded { by: name(2) }), (2, State::Speaks)]));
}

#[test]
fn an_edition_that_the_reader_cannot_see_is_no_error() {
    let spans = sorted_out(&[log(0, 0)], &[entry(3, 3, (0, 1), 10)], &[]);
    assert_eq!(at(&spans, 10), BTreeMap::from([(3, State::Speaks)]));
}

#[test]
fn a_withdrawal_ends_the_thing_for_good_and_undoes_nothing_before() {
    let logs = [log(0, 0)];
    let entries = [entry(1, 1, (0, 1), 10), entry(2, 2, (0, 2), 20), entry(3, 3, (0, 4), 40)];
    let ending = |by: u8, from| Ending { by: name(by), during: During::since(from) };
    let spans = sorted_out(&logs, &entries, &[ending(8, 30), ending(7, 35)]);
    assert_eq!(at(&spans, 29)[&2], State::Speaks);
    assert_eq!(at(&spans, 29)[&1], State::Superseded { by: name(2) });
    assert_eq!(at(&spans, 36)[&2], State::Withdrawn { by: name(8) }, "the first one ends it");
    assert_eq!(at(&spans, 36)[&1], State::Withdrawn { by: name(8) }, "an older edition says so too");
    assert_eq!(at(&spans, 40)[&3], State::Withdrawn { by: name(8) }, "who goes on takes a new id");
}

#[test]
fn a_withdrawal_by_a_thief_ends_nothing_once_it_is_disowned() {
    let logs = [log(0, 0)];
    let ending = Ending { by: name(8), during: During { from: 30, until: Some(50) } };
    let spans = sorted_out(&logs, &[entry(1, 1, (0, 1), 10)], &[ending]);
    assert_eq!(at(&spans, 40)[&1], State::Withdrawn { by: name(8) });
    assert_eq!(at(&spans, 50)[&1], State::Speaks);
}

#[test]
fn only_the_author_withdraws() {
    let (author, other) = (authority("moh.chn.example"), authority("who.example"));
    let withdraws = Ref { relation: Relation::Withdraws, author: author.clone(), name: name(1) };
    assert!(counts(&withdraws, &author));
    assert!(!counts(&withdraws, &other));
    let replies = Ref { relation: Relation::Replies, ..withdraws };
    assert!(counts(&replies, &other));
}

#[test]
fn logs_that_previous_joins_are_one_line() {
    let joined = |pairs: &[(u8, Option<u8>)]| lines(pairs.iter().copied(), |_, before| *before < 100);
    let chain = joined(&[(2, Some(1)), (1, Some(0)), (3, Some(2)), (9, None)]);
    assert_eq!([0, 1, 2, 3].map(|log| chain[&log]), [(0, 0), (0, 1), (0, 2), (0, 3)]);
    assert_eq!(chain[&9], (9, 0), "a log of its own is its own line");
    let fork = joined(&[(1, Some(0)), (2, Some(0)), (3, Some(2))]);
    assert_eq!(
        (fork[&1], fork[&2], fork[&3]),
        ((0, 1), (2, 0), (2, 1)),
        "the other branch is a line of its own"
    );
    let ring = joined(&[(1, Some(0)), (0, Some(1))]);
    assert_eq!((ring[&0], ring[&1]), ((0, 0), (1, 0)), "a ring ends");
    assert_eq!(joined(&[(1, Some(200))])[&1], (1, 0), "nobody follows another's log");
}

// ------------------------------------------------------------------------------------------------ a second opinion

/// The rules once more, for one moment, word by word.
fn by_the_book(logs: &[Log], entries: &[Entry], endings: &[Ending], moment: i64) -> BTreeMap<u8, State> {
    let there: Vec<&Entry> = entries.iter().filter(|entry| entry.during.includes(moment)).collect();
    let mut standing: BTreeMap<u32, Hash> = BTreeMap::new();
    for edition in there.iter().map(|entry| entry.edition).collect::<BTreeSet<u32>>() {
        let candidates: Vec<&&Entry> = there.iter().filter(|entry| entry.edition == edition).collect();
        let lines: BTreeSet<u32> = candidates.iter().map(|entry| logs[entry.log].line).collect();
        let firsts = lines.into_iter().filter_map(|line| {
            let of_line = candidates.iter().filter(|entry| logs[entry.log].line == line);
            of_line.min_by_key(|entry| (logs[entry.log].part, entry.index))
        });
        if let Some(first) = firsts.min_by_key(|entry| (entry.released, entry.name)) {
            standing.insert(edition, first.name);
        }
    }
    let ended = endings.iter().filter(|ending| ending.during.includes(moment));
    let ended = ended.min_by_key(|ending| (ending.during.from, ending.by)).map(|ending| ending.by);
    let mut states = BTreeMap::new();
    for entry in &there {
        let next = standing.range(entry.edition + 1..).next().map(|(_, by)| State::Superseded { by: *by });
        let state = if standing.get(&entry.edition) == Some(&entry.name) {
            ended.map(|by| State::Withdrawn { by }).or(next).unwrap_or(State::Speaks)
        } else {
            State::Conflicting
        };
        states.insert(entry.name.0[0], state);
    }
    states
}

fn during() -> impl Strategy<Value = During> {
    (0_i64..12, prop_oneof![4 => Just(None), 1 => (0_i64..8).prop_map(Some)])
        .prop_map(|(from, length)| During { from, until: length.map(|length| from + length) })
}

fn facts() -> impl Strategy<Value = (Vec<Entry>, Vec<Ending>)> {
    let entry =
        (0_usize..5, 0_u64..4, 1_u8..8, 0_i64..6, during()).prop_map(|(log, index, n, released, during)| {
            // A record has one edition, wherever it stands.
            Entry { log, index, name: name(n), edition: u32::from(n % 4) + 1, released, during }
        });
    let ending = (100_u8..103, during()).prop_map(|(by, during)| Ending { by: name(by), during });
    (prop::collection::vec(entry, 0..10), prop::collection::vec(ending, 0..3))
}

fn cast() -> Vec<Log> {
    vec![log(0, 0), log(0, 1), log(1, 0), log(2, 0), log(2, 1)]
}

proptest! {
    #[test]
    fn at_every_moment_the_rules_hold_in_any_order((entries, endings) in facts(), shuffled in any::<u64>()) {
        // One place of a log holds one entry.
        let mut places = BTreeSet::new();
        let entries: Vec<Entry> =
            entries.into_iter().filter(|entry| places.insert((entry.log, entry.index))).collect();
        let spans = stands(&cast(), &entries, &endings);
        let mut turned = entries.clone();
        let at_place = usize::try_from(shuffled % 10).unwrap_or(0).min(turned.len());
        turned.rotate_left(at_place);
        prop_assert_eq!(&stands(&cast(), &turned, &endings), &spans);
        for moment in -1..24 {
            prop_assert_eq!(at(&spans, moment), by_the_book(&cast(), &entries, &endings, moment), "at {}", moment);
        }
        for pair in spans.windows(2).filter(|pair| pair[0].name == pair[1].name) {
            prop_assert!(pair[0].during.until.is_some_and(|until| until <= pair[1].during.from), "{:?}", pair);
            prop_assert!(!pair[0].during.is_empty());
        }
    }
}
