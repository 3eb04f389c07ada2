//! What stands: which record of a thing speaks, from when until when (protocol section 2, "Editions").
//!
//! One pure function, [`stands`], over the entries that a reader holds of one thing and the withdrawals that
//! name it, in any order. It answers for every moment at once, so that an *as of* shows what was so then and no
//! mark of later. Every record is kept; this only says which of them speaks. It never parses or judges a record,
//! knows no kinds, and reads no clock. Charters have rules of their own ([`crate::charter`]).

use std::collections::{BTreeMap, BTreeSet};

use tlog::Hash;

use crate::encoding::Authority;
use crate::header::{Ref, Relation};

mod disowned;
mod sweep;

pub use disowned::{Basis, Disowned, Revoked, Times, disowned};
pub use sweep::stands;

/// A stretch of time: from the first second on, up to but not including the second one; open if there is none.
/// Seconds since 1970, on one of the three bases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct During {
    /// From when.
    pub from: i64,
    /// Until when.
    pub until: Option<i64>,
}

impl During {
    /// From a moment on, for good.
    pub fn since(from: i64) -> Self {
        Self { from, until: None }
    }

    /// Whether nothing lies in it.
    pub fn is_empty(&self) -> bool {
        self.until.is_some_and(|until| until <= self.from)
    }

    /// Whether a moment lies in it.
    pub fn includes(&self, moment: i64) -> bool {
        self.from <= moment && self.until.is_none_or(|until| moment < until)
    }
}

/// A log in which entries of the thing stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Log {
    /// The line of logs that `previous` joins: equal for logs of one line, and only for them.
    pub line: u32,
    /// How many logs of the line come before this one.
    pub part: u32,
}

/// One place of a record. A record that was released again has several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Which of the logs.
    pub log: usize,
    /// Its place there.
    pub index: u64,
    /// The record's name.
    pub name: Hash,
    /// From 1.
    pub edition: u32,
    /// The outer `released`, seconds since 1970.
    pub released: i64,
    /// While it counts, on the basis that is asked for.
    pub during: During,
}

/// A withdrawal of the thing, by its author and of its status, whichever edition it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// The record that withdraws.
    pub by: Hash,
    /// While it counts, on the basis that is asked for.
    pub during: During,
}

/// What a record is at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It is the newest edition, and says what its author says.
    Speaks,
    /// A later edition stands.
    Superseded {
        /// The next one.
        by: Hash,
    },
    /// It stood, and the thing was withdrawn, whichever edition the withdrawal names.
    Withdrawn {
        /// The withdrawal.
        by: Hash,
    },
    /// Another record of the same edition stands. This one has no effect.
    Conflicting,
}

/// While a record is something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The record.
    pub name: Hash,
    /// When.
    pub during: During,
    /// What.
    pub state: State,
}

/// Whether a reference counts, by who made it: `withdraws` and `releases-again` only from the target's author.
pub fn counts(reference: &Ref, by: &Authority) -> bool {
    match reference.relation {
        Relation::Withdraws | Relation::ReleasesAgain => reference.author == *by,
        _ => true,
    }
}

/// The lines of an author's logs: for each log its line, named by its first log, and how many come before it.
///
/// Of several logs that name the same one as the one before them the first by its name goes on, and the others begin
/// a line of their own: a fork is an alarm elsewhere, and must not mix two orders here. Logs in a ring, and a log that
/// names another author's, begin lines of their own too.
pub fn lines<L: Ord + Clone>(
    logs: impl IntoIterator<Item = (L, Option<L>)>,
    same_author: impl Fn(&L, &L) -> bool,
) -> BTreeMap<L, (L, u32)> {
    let previous: BTreeMap<L, Option<L>> = logs.into_iter().collect();
    let mut next: BTreeMap<&L, &L> = BTreeMap::new();
    for (log, before) in &previous {
        if let Some(before) = before.as_ref().filter(|before| same_author(log, before) && *before != log) {
            next.entry(before).or_insert(log);
        }
    }
    let followers: BTreeSet<&L> = next.values().copied().collect();
    let all: BTreeSet<&L> = previous.keys().chain(next.keys().copied()).collect();
    let mut lines = BTreeMap::new();
    for first in all.iter().copied().filter(|log| !followers.contains(log)) {
        let parts = std::iter::successors(Some(first), |log| next.get(*log).copied());
        for (part, log) in (0..).zip(parts) {
            lines.insert(log.clone(), (first.clone(), part));
        }
    }
    for log in all {
        lines.entry(log.clone()).or_insert_with(|| (log.clone(), 0));
    }
    lines
}
