//! Editions and withdrawal: pure rules over facts of records that were judged valid. Every record is kept;
//! these rules only say which one stands and which are marked as conflicting. Charters have rules of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tlog::Hash;

use crate::encoding::{Authority, Ulid};
use crate::header::{Ref, Relation};
use crate::logstate::Readers;
use crate::refusal::Refusal;

/// One place at which a record stands. A record that was released again has one fact per place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditionFact {
    /// Who released it.
    pub author: Authority,
    /// The thing.
    pub id: Ulid,
    /// From 1.
    pub edition: u32,
    /// The record's name.
    pub name: Hash,
    /// Name of the edition before.
    pub supersedes: Option<Hash>,
    /// Where it stands.
    pub place: Place,
    /// Who was given it there.
    pub readers: Arc<Readers>,
}

/// The order of an author's records: the log's, then the chain of `previous`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// How many logs come before this one in its chain of `previous`.
    pub rank: u32,
    /// The entry.
    pub index: u64,
}

/// A record that does not stand: kept, marked, and an alarm.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Conflict {
    /// Another record of the same (author, id, edition) stands.
    #[error("edition {edition}: {kept} stands, {name} does not")]
    Second {
        /// The edition.
        edition: u32,
        /// The record that stands.
        kept: Hash,
        /// The one that does not.
        name: Hash,
    },
    /// Its `supersedes` does not name the edition before that stands.
    #[error("edition {edition}: {name} supersedes {found}, but {wanted} stands before it")]
    Supersedes {
        /// The edition.
        edition: u32,
        /// The record.
        name: Hash,
        /// What it names.
        found: Hash,
        /// What stands.
        wanted: Hash,
    },
    /// Its readers were not all given the edition before.
    #[error("edition {edition}: {name} stands where not every reader was given the edition before")]
    Audience {
        /// The edition.
        edition: u32,
        /// The record.
        name: Hash,
    },
}

impl Refusal for Conflict {
    fn code(&self) -> &'static str {
        match self {
            Self::Second { .. } => "edition-second",
            Self::Supersedes { .. } => "edition-supersedes",
            Self::Audience { .. } => "edition-audience",
        }
    }

    fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Second { edition, kept, name } => {
                vec![("edition", edition.to_string()), ("kept", kept.to_hex()), ("name", name.to_hex())]
            }
            Self::Supersedes { edition, name, found, wanted } => vec![
                ("edition", edition.to_string()),
                ("name", name.to_hex()),
                ("found", found.to_hex()),
                ("wanted", wanted.to_hex()),
            ],
            Self::Audience { edition, name } => {
                vec![("edition", edition.to_string()), ("name", name.to_hex())]
            }
        }
    }
}

/// The editions of one thing, as far as the facts show them. An edition that the reader cannot see is absent
/// and is no error.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Editions {
    /// The record that stands, by edition.
    pub standing: BTreeMap<u32, Hash>,
    /// The records that do not.
    pub conflicts: BTreeSet<Conflict>,
}

impl Editions {
    /// The newest edition that stands.
    pub fn latest(&self) -> Option<(u32, Hash)> {
        self.standing.last_key_value().map(|(edition, name)| (*edition, *name))
    }
}

/// Sorts out the editions of every (author, id) among the facts; their order does not matter.
pub fn editions(facts: &[EditionFact]) -> BTreeMap<(Authority, Ulid), Editions> {
    let mut things: BTreeMap<_, Vec<&EditionFact>> = BTreeMap::new();
    for fact in facts {
        things.entry((fact.author.clone(), fact.id)).or_default().push(fact);
    }
    things.into_iter().map(|(thing, facts)| (thing, of_one(facts))).collect()
}

fn of_one(mut facts: Vec<&EditionFact>) -> Editions {
    // The name breaks the tie of logs that no `previous` orders, so that every node decides alike.
    facts.sort_by_key(|fact| (fact.edition, fact.place, fact.name));
    let mut editions = Editions::default();
    for fact in &facts {
        let kept = editions.standing.get(&fact.edition).copied();
        match (kept, refuse(fact, &facts, &editions)) {
            (Some(kept), _) if kept == fact.name => (),
            (Some(kept), _) => {
                let (edition, name) = (fact.edition, fact.name);
                editions.conflicts.insert(Conflict::Second { edition, kept, name });
            }
            (None, Some(conflict)) => drop(editions.conflicts.insert(conflict)),
            (None, None) => drop(editions.standing.insert(fact.edition, fact.name)),
        }
    }
    // A record may fail at one place and stand at another: then it stands.
    let Editions { standing, conflicts } = &mut editions;
    conflicts.retain(|conflict| match conflict {
        Conflict::Audience { edition, name } => standing.get(edition) != Some(name),
        Conflict::Second { .. } | Conflict::Supersedes { .. } => true,
    });
    editions
}

/// Why a record does not follow the edition before it, if that one is seen.
fn refuse(fact: &EditionFact, facts: &[&EditionFact], editions: &Editions) -> Option<Conflict> {
    let (edition, name) = (fact.edition, fact.name);
    let before = edition.checked_sub(1)?;
    let wanted = *editions.standing.get(&before)?;
    if let Some(found) = fact.supersedes.filter(|found| *found != wanted) {
        return Some(Conflict::Supersedes { edition, name, found, wanted });
    }
    let given = facts.iter().filter(|other| other.name == wanted).map(|other| other.readers.as_ref());
    (!were_given(&fact.readers, given)).then_some(Conflict::Audience { edition, name })
}

/// Whether every one of `readers` may read one of the logs in `given`.
fn were_given<'a>(readers: &Readers, given: impl Iterator<Item = &'a Readers>) -> bool {
    let mut all = BTreeSet::new();
    for set in given {
        match set {
            Readers::Public => return true,
            Readers::Set(set) => all.extend(set),
        }
    }
    match readers {
        Readers::Public => false,
        Readers::Set(readers) => readers.iter().all(|reader| all.contains(reader)),
    }
}

/// Whether a reference counts, by who made it: `withdraws` and `releases-again` only from the target's author.
pub fn counts(reference: &Ref, by: &Authority) -> bool {
    match reference.relation {
        Relation::Withdraws | Relation::ReleasesAgain => reference.author == *by,
        _ => true,
    }
}

/// The records that are withdrawn by the references of valid records, given with their authors.
pub fn withdrawn<'a>(
    references: impl Iterator<Item = (&'a Authority, &'a Ref)>,
) -> BTreeSet<(Authority, Hash)> {
    references
        .filter(|(by, reference)| reference.relation == Relation::Withdraws && counts(reference, by))
        .map(|(_, reference)| (reference.author.clone(), reference.name))
        .collect()
}
