//! Which edition stands when there is more than one to choose from.

use std::sync::Arc;

use record::edition::{Conflict, EditionFact, Place, counts, editions, withdrawn};
use record::{Authority, Readers, Ref, Relation, Ulid};
use tlog::Hash;

fn authority(text: &str) -> Authority {
    text.parse().expect("an authority")
}

fn readers(list: &[&str]) -> Arc<Readers> {
    Arc::new(match list {
        ["public"] => Readers::Public,
        _ => Readers::Set(list.iter().map(|reader| authority(reader)).collect()),
    })
}

fn fact(edition: u32, name: u8, supersedes: Option<u8>, place: (u32, u64), list: &[&str]) -> EditionFact {
    EditionFact {
        author: authority("moh.chn.example"),
        id: Ulid::new(1, [0; 10]),
        edition,
        name: Hash([name; 32]),
        supersedes: supersedes.map(|name| Hash([name; 32])),
        place: Place { rank: place.0, index: place.1 },
        readers: readers(list),
    }
}

fn sorted_out(facts: &[EditionFact]) -> record::edition::Editions {
    let mut reversed = facts.to_vec();
    reversed.reverse();
    assert_eq!(editions(facts), editions(&reversed), "the order of facts does not matter");
    editions(facts).into_values().next().expect("one thing")
}

#[test]
fn editions_follow_each_other() {
    let facts = [fact(1, 1, None, (0, 3), &["public"]), fact(2, 2, Some(1), (1, 0), &["public"])];
    let sorted = sorted_out(&facts);
    assert_eq!(sorted.latest(), Some((2, Hash([2; 32]))));
    assert!(sorted.conflicts.is_empty());
}

#[test]
fn the_first_of_two_stands_and_the_other_is_marked() {
    let facts = [fact(1, 9, None, (0, 3), &["public"]), fact(1, 1, None, (0, 4), &["public"])];
    let sorted = sorted_out(&facts);
    assert_eq!(sorted.standing[&1], Hash([9; 32]));
    let second = Conflict::Second { edition: 1, kept: Hash([9; 32]), name: Hash([1; 32]) };
    assert_eq!(sorted.conflicts.into_iter().collect::<Vec<_>>(), [second]);
}

#[test]
fn an_edition_goes_only_to_readers_of_the_one_before() {
    let (two, three) = (["a.example", "moh.chn.example"], ["a.example", "b.example", "moh.chn.example"]);
    let first = fact(1, 1, None, (0, 1), &two);
    let second = fact(2, 2, Some(1), (0, 1), &three);
    let sorted = sorted_out(&[first.clone(), second.clone()]);
    assert_eq!(sorted.latest(), Some((1, Hash([1; 32]))));
    assert!(sorted.conflicts.contains(&Conflict::Audience { edition: 2, name: Hash([2; 32]) }));

    let again = fact(1, 1, None, (0, 0), &three);
    let sorted = sorted_out(&[first, again, second]);
    assert_eq!(sorted.latest(), Some((2, Hash([2; 32]))));
    assert!(sorted.conflicts.is_empty());
}

#[test]
fn an_edition_supersedes_the_one_that_stands() {
    let facts = [fact(1, 1, None, (0, 1), &["public"]), fact(2, 2, Some(7), (0, 2), &["public"])];
    assert!(matches!(sorted_out(&facts).conflicts.first(), Some(Conflict::Supersedes { edition: 2, .. })));
}

#[test]
fn an_edition_that_the_reader_cannot_see_is_no_error() {
    let sorted = sorted_out(&[fact(3, 3, Some(2), (0, 1), &["public"])]);
    assert_eq!(sorted.latest(), Some((3, Hash([3; 32]))));
    assert!(sorted.conflicts.is_empty());
}

#[test]
fn only_the_author_withdraws() {
    let (author, other) = (authority("moh.chn.example"), authority("who.example"));
    let withdraws = Ref { relation: Relation::Withdraws, author: author.clone(), name: Hash([1; 32]) };
    assert!(counts(&withdraws, &author));
    assert!(!counts(&withdraws, &other));
    assert!(withdrawn([(&other, &withdraws)].into_iter()).is_empty());
    assert_eq!(withdrawn([(&author, &withdraws)].into_iter()).len(), 1);
    let replies = Ref { relation: Relation::Replies, ..withdraws };
    assert!(counts(&replies, &other));
}
