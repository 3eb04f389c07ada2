//! `unread`: tells the author of a record that was sealed for this authority that its node cannot read it.
//!
//! By the node alone, to the author alone, once per record and reason. What there is to tell is computed from the index
//! and the exchange; only that it was told is remembered, in the commit that tells it. It moves no clock, and never
//! speaks of records that themselves only answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use record::{Authority, Line, Ref, Relation, Status, kind};
use store::{Sql, Swap};
use tlog::hash::Hash;

use crate::clock;
use crate::index::IndexError;
use crate::node::Node;
use crate::own_log::Audience;
use crate::release::{Act, Draft, Planned, ReleaseError};

/// The space of what was told in `state`: key `<author> <name> <why>`, value seconds since 1970.
const SPACE: &str = "unread";
/// How often it is looked whether there is something to tell.
const LOOK: Duration = Duration::from_secs(30);
/// So many an author is told in an hour whatever others are told: a flood of one makes nobody else wait.
const OWN_PER_HOUR: usize = 3;
/// Beyond that at most so many are told in an hour, to all authors together and to each in turn: what is left over waits.
const PER_HOUR: usize = 60;
/// A record of a kind that is newer than this node is told of once in so many seconds per author and kind.
const NEWER_EVERY: i64 = 86_400;
/// Cells read at once.
const PAGE: usize = 512;
/// What is answered by none.
const NEVER_OF: [&str; 3] = [kind::UNREAD, kind::ACKNOWLEDGEMENT, kind::ERASURE];

/// Something that this node cannot read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Unread {
    author: String,
    /// When its author says that it was released: the oldest is told first.
    released: i64,
    name: String,
    why: &'static str,
    status: String,
    kind: String,
}

impl Unread {
    fn key(&self) -> String {
        format!("{} {} {}", self.author, self.name, self.why)
    }

    /// The day's is remembered under the kind in place of the name.
    fn day(&self) -> String {
        format!("{} {} newer", self.author, self.kind)
    }

    fn was_newer_told(&self, told: &BTreeMap<String, i64>, now: i64) -> bool {
        self.why == "newer" && told.get(&self.day()).is_some_and(|at| now - at < NEWER_EVERY)
    }
}

impl Node {
    /// Tells what is to be told; how many authors' records were told of.
    ///
    /// # Errors
    /// The index or `state` cannot be read. What cannot be released is told later.
    pub async fn tell_unread(self: &Arc<Self>) -> Result<usize, IndexError> {
        let due = self.unread().await?;
        if due.is_empty() {
            return Ok(0);
        }
        let told = self.told().await?;
        let now = clock::seconds();
        let mut done = 0;
        for one in now_told(due, &told, now) {
            match self.release_unread(&one, now).await {
                Ok(()) => done += 1,
                Err(error) => {
                    let key = one.key();
                    tracing::warn!(%error, key, "its author could not be told that a record is unread");
                }
            }
        }
        Ok(done)
    }

    async fn release_unread(self: &Arc<Self>, one: &Unread, now: i64) -> Result<(), ReleaseError> {
        let (Ok(author), Ok(name)) = (one.author.parse::<Authority>(), Hash::from_hex(&one.name)) else {
            return Ok(());
        };
        let mut draft = Draft::new(kind::UNREAD, one.status.parse::<Status>().unwrap_or(self.config.status));
        draft.refs = vec![Ref { relation: Relation::Replies, author: author.clone(), name }];
        draft.own = Line::new("why", one.why).into_iter().collect();
        let audience = Audience::of(&self.config.authority, [author]);
        let value = Some(now.to_string().into_bytes());
        let mut act = Act::of(Planned::new(audience, vec![draft]));
        act = act.with(Swap::new(SPACE, &one.key(), None, value.clone()));
        if one.why == "newer" {
            let day = one.day();
            let before = self.cells.get(SPACE, &day).await?;
            act = act.with(Swap::new(SPACE, &day, before, value));
        }
        self.act(act).await.map(drop)
    }

    /// What was told, and when.
    async fn told(&self) -> Result<BTreeMap<String, i64>, IndexError> {
        let mut told = BTreeMap::new();
        let mut after: Option<String> = None;
        loop {
            let page = self.cells.scan(SPACE, "", after.as_deref(), PAGE).await?;
            after = page.last().map(|(key, _)| key.clone());
            let full = page.len() == PAGE;
            told.extend(page.into_iter().map(|(key, value)| {
                let at = std::str::from_utf8(&value).ok().and_then(|at| at.parse().ok());
                (key, at.unwrap_or(0))
            }));
            if !full {
                return Ok(told);
            }
        }
    }

    /// Everything of others in restricted logs that cannot be read here, each once per reason.
    async fn unread(&self) -> Result<Vec<Unread>, IndexError> {
        // Two questions, each with an index of the few that it is about.
        let sql = "select e.author, e.name, e.status, e.kind, 'seal', e.released from entry e join log l on l.origin = e.origin
                   where e.content = 3 and e.valid = 1 and e.author <> $1 and l.audience <> 'public'
                   union
                   select e.author, e.name, e.status, e.kind, 'newer', e.released from entry e join log l on l.origin = e.origin
                   where e.critical = 1 and e.content <> 3 and e.faces <> 0 and e.valid = 1 and e.author <> $1
                     and l.audience <> 'public'";
        let mut found = BTreeSet::new();
        for row in self.index.db().rows(sql, &[self.config.authority.as_str().into()]).await? {
            let why = if row.text(4)? == "seal" { "seal" } else { "newer" };
            found.insert(Unread {
                author: row.text(0)?,
                name: row.text(1)?,
                why,
                status: row.text(2)?,
                kind: row.text(3)?,
                released: row.int(5)?,
            });
        }
        let unfetched = self.engine().unfetched();
        for record in unfetched {
            let sql = Sql::from(
                "select author, name, status, kind, released from entry where origin = $1 and pos = $2 and valid = 1",
            );
            let values = [
                record.origin.to_string().into(),
                store::Value::try_from(record.index).unwrap_or(store::Value::Null),
            ];
            for row in self.index.db().rows(sql, &values).await? {
                found.insert(Unread {
                    author: row.text(0)?,
                    name: row.text(1)?,
                    why: record.why.as_str(),
                    status: row.text(2)?,
                    kind: row.text(3)?,
                    released: row.int(4)?,
                });
            }
        }
        Ok(found.into_iter().filter(|one| !NEVER_OF.contains(&one.kind.as_str())).collect())
    }
}

/// What is told now of what is due: to each author its own share of an hour first, and then to each in turn of what all share.
fn now_told(due: Vec<Unread>, told: &BTreeMap<String, i64>, now: i64) -> Vec<Unread> {
    let mut within_hour: BTreeMap<&str, usize> = BTreeMap::new();
    for (key, _) in told.iter().filter(|(_, at)| now - **at < 3_600) {
        let mut words = key.split(' ');
        // A day's is remembered under the kind in place of the name, beside what it was told for.
        if let (Some(author), Some(Ok(_))) = (words.next(), words.next().map(Hash::from_hex)) {
            *within_hour.entry(author).or_default() += 1;
        }
    }
    let shared: usize = within_hour.values().map(|count| count.saturating_sub(OWN_PER_HOUR)).sum();
    let mut days = BTreeSet::new();
    let mut waiting: BTreeMap<String, Vec<Unread>> = BTreeMap::new();
    for one in due {
        let is_told = told.contains_key(&one.key()) || one.was_newer_told(told, now);
        // One of a kind that is newer is enough here too.
        if !is_told && (one.why != "newer" || days.insert(one.day())) {
            waiting.entry(one.author.clone()).or_default().push(one);
        }
    }
    let mut turns = BTreeMap::new();
    for (author, all) in waiting {
        let before = within_hour.get(author.as_str()).copied().unwrap_or(0);
        for (nth, one) in (before..before + OWN_PER_HOUR + PER_HOUR).zip(all) {
            turns.insert((nth, author.clone()), one);
        }
    }
    let mut left = PER_HOUR.saturating_sub(shared);
    let is_now = |((nth, _), one)| {
        if nth >= OWN_PER_HOUR {
            left = left.checked_sub(1)?;
        }
        Some(one)
    };
    turns.into_iter().map_while(is_now).collect()
}

/// Looks again and again, until `stop` says that the server ends.
pub async fn run(node: Arc<Node>, mut stop: tokio::sync::watch::Receiver<bool>) {
    loop {
        if let Err(error) = node.tell_unread().await {
            tracing::error!(%error, "it could not be read what authors are to be told");
        }
        // A sender that is gone is a stop too.
        if tokio::time::timeout(LOOK, stop.wait_for(|stop| *stop)).await.is_ok() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn sealed(author: &str, n: usize) -> Unread {
        Unread {
            author: author.into(),
            released: i64::try_from(n).unwrap(),
            name: tlog::hash::sha256(format!("{author} {n}").as_bytes()).to_hex(),
            why: "seal",
            status: "actual".into(),
            kind: "note".into(),
        }
    }

    fn all_of(author: &str, count: usize) -> Vec<Unread> {
        (0..count).map(|n| sealed(author, n)).collect()
    }

    /// How many each author is told, in the order of their names.
    fn counts(told: &[Unread]) -> Vec<(&str, usize)> {
        let mut counts = BTreeMap::new();
        for one in told {
            *counts.entry(one.author.as_str()).or_default() += 1;
        }
        counts.into_iter().collect()
    }

    #[test]
    fn thousands_of_one_author_make_no_other_author_wait() {
        let mut told = BTreeMap::new();
        let flood = all_of("a.example", 3_000);
        let first = now_told(flood.clone(), &told, NOW);
        assert_eq!(counts(&first), [("a.example", OWN_PER_HOUR + PER_HOUR)]);
        told.extend(first.iter().map(|one| (one.key(), NOW)));
        assert!(now_told(flood.clone(), &told, NOW).is_empty(), "what is left over waits");
        // The hour is full, and z is told at once; the oldest first.
        let with_z = [flood.clone(), all_of("z.example", 5)].concat();
        let second = now_told(with_z.clone(), &told, NOW + 30);
        assert_eq!(second, all_of("z.example", OWN_PER_HOUR));
        told.extend(second.iter().map(|one| (one.key(), NOW + 30)));
        assert!(now_told(with_z.clone(), &told, NOW + 60).is_empty());
        let third = now_told(with_z, &told, NOW + 3_700);
        assert_eq!(counts(&third), [("a.example", OWN_PER_HOUR + PER_HOUR), ("z.example", 2)]);
    }

    #[test]
    fn what_all_share_is_given_to_each_in_turn() {
        let due = [all_of("a.example", 3_000), all_of("m.example", 10), all_of("z.example", 3_000)].concat();
        let told = now_told(due, &BTreeMap::new(), NOW);
        let own = OWN_PER_HOUR;
        assert_eq!(told.len(), 3 * own + PER_HOUR);
        assert_eq!(counts(&told)[1], ("m.example", 10), "all of who has few");
        assert!(counts(&told)[0].1.abs_diff(counts(&told)[2].1) <= 1);
    }

    #[test]
    fn a_kind_that_is_newer_is_told_of_once_a_day() {
        let newer = |n| Unread { why: "newer", ..sealed("a.example", n) };
        let due = vec![newer(1), newer(2)];
        assert_eq!(now_told(due.clone(), &BTreeMap::new(), NOW), [newer(1)]);
        let told = BTreeMap::from([(newer(1).key(), NOW), (newer(1).day(), NOW)]);
        assert!(now_told(due.clone(), &told, NOW + 3_600).is_empty());
        assert_eq!(now_told(due, &told, NOW + NEWER_EVERY), [newer(2)]);
    }
}
