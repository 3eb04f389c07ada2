//! `unread`: tells the author of a record that was sealed for this authority that its node cannot read it.
//!
//! By the node alone, to the author alone, once per record and reason. What there is to tell is computed from the index
//! and the exchange; only that it was told is remembered, in the commit that tells it. It moves no clock, and never
//! speaks of records that themselves only answer.

use std::collections::BTreeSet;
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
/// At most so many are told in an hour, to all authors together: what is left over waits.
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
    name: String,
    why: &'static str,
    status: String,
    kind: String,
}

impl Unread {
    fn key(&self) -> String {
        format!("{} {} {}", self.author, self.name, self.why)
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
        let keys: BTreeSet<&str> = told.iter().map(|(key, _)| key.as_str()).collect();
        let now = clock::seconds();
        let mut left = PER_HOUR.saturating_sub(told.iter().filter(|(_, at)| now - at < 3_600).count());
        let mut done = 0;
        for one in due {
            let key = one.key();
            if left == 0 {
                break;
            }
            if keys.contains(key.as_str()) || Self::was_newer_told(&one, &told, now) {
                continue;
            }
            match self.release_unread(&one, now).await {
                Ok(()) => (left, done) = (left - 1, done + 1),
                Err(error) => {
                    tracing::warn!(%error, key, "its author could not be told that a record is unread");
                }
            }
        }
        Ok(done)
    }

    fn was_newer_told(one: &Unread, told: &[(String, i64)], now: i64) -> bool {
        // The day's is remembered under the kind in place of the name.
        let day = format!("{} {} newer", one.author, one.kind);
        one.why == "newer" && told.iter().any(|(key, at)| *key == day && now - at < NEWER_EVERY)
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
            let day = format!("{} {} newer", one.author, one.kind);
            let before = self.cells.get(SPACE, &day).await?;
            act = act.with(Swap::new(SPACE, &day, before, value));
        }
        self.act(act).await.map(drop)
    }

    /// What was told, and when.
    async fn told(&self) -> Result<Vec<(String, i64)>, IndexError> {
        let mut told = Vec::new();
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
        let sql = "select e.author, e.name, e.status, e.kind, 'seal' from entry e join log l on l.origin = e.origin
                   where e.content = 3 and e.valid = 1 and e.author <> $1 and l.audience <> 'public'
                   union
                   select e.author, e.name, e.status, e.kind, 'newer' from entry e join log l on l.origin = e.origin
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
            });
        }
        let unfetched = self.engine().unfetched();
        for record in unfetched {
            let sql = Sql::from(
                "select author, name, status, kind from entry where origin = $1 and pos = $2 and valid = 1",
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
                });
            }
        }
        Ok(found.into_iter().filter(|one| !NEVER_OF.contains(&one.kind.as_str())).collect())
    }
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
