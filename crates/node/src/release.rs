//! Release: the act that turns content into a record, signs it and appends it to one of this authority's logs.
//!
//! What is answered has been appended and is on disk, with everything that `state` says of it. What is released is
//! told to peers and indexed; what stands before it is looked at while nothing else is released.

mod act;
mod after;
mod again;
mod commit;
mod editions;
mod error;
mod kept;
mod logs;
mod prepare;
mod turn;

pub use act::{Act, Done, Planned};
pub use again::{Places, never_again};
pub use editions::MOST_PLACES;
pub use error::ReleaseError;
pub use kept::{ActKey, DAYS as KEPT_DAYS, sweep as sweep_kept};
pub use logs::{Closed, witness_policy};
pub use turn::{Releases, UnderWay};

use std::sync::Arc;

use record::{
    Authority, Date, Lang, Line, MechanismId, MediaType, Origin, Ref, Relation, Status, Time, TimeOrDate,
    Ulid, Use, kind,
};
use serde::{Deserialize, Serialize};
use tlog::hash::Hash;

use crate::node::Node;
use crate::own_log::Audience;

/// Content of a record, before it is signed.
#[derive(Clone)]
pub struct Content {
    /// Media type.
    pub media_type: MediaType,
    /// Language, if it has one.
    pub lang: Option<Lang>,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Content({}, {} bytes)", self.media_type, self.bytes.len())
    }
}

/// What a record is an edition of. Numbers are given when its turn comes, not before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thing {
    /// Something new.
    New,
    /// A thing of this authority's, of which it is the next edition.
    NextOf(Ulid),
    /// Something new that takes the place of another record, of whomever: a charter.
    Replaces(Option<Hash>),
}

/// A record to be released.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Its kind.
    pub kind: String,
    /// What it is an edition of.
    pub thing: Thing,
    /// A time to claim; the clock's if absent. Only exercises and tests may claim another.
    pub released: Option<Time>,
    /// Real or not.
    pub status: Status,
    /// In whose frame.
    pub mechanism: Option<MechanismId>,
    /// Times the author claims.
    pub about: Vec<(String, TimeOrDate)>,
    /// What readers may do with it.
    pub usage: Option<Use>,
    /// References.
    pub refs: Vec<Ref>,
    /// Content.
    pub contents: Vec<Content>,
    /// Personal data: destroyed on this day.
    pub expires: Option<Date>,
    /// The kind's own lines.
    pub own: Vec<Line>,
}

impl Draft {
    /// A first edition without content.
    pub fn new(kind: &str, status: Status) -> Self {
        Self {
            kind: kind.to_owned(),
            thing: Thing::New,
            released: None,
            status,
            mechanism: None,
            about: Vec::new(),
            usage: None,
            refs: Vec::new(),
            contents: Vec::new(),
            expires: None,
            own: Vec::new(),
        }
    }

    /// Does its number depend on what stands before it?
    pub(crate) fn looks_back(&self) -> bool {
        matches!(self.thing, Thing::NextOf(_))
    }
}

/// A released record.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Released {
    /// Its name, hex.
    pub name: String,
    /// The log.
    pub origin: Origin,
    /// Its place there.
    pub index: u64,
    /// Its id.
    pub id: Ulid,
    /// Its kind.
    pub kind: String,
    /// It is released, and the index will have it later.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub index_behind: bool,
}

impl Node {
    /// Releases `drafts` to one audience, in order, as one append: all of them or none.
    ///
    /// # Errors
    /// Nothing was released, and why.
    pub async fn release(
        self: &Arc<Self>,
        audience: &Audience,
        drafts: Vec<Draft>,
    ) -> Result<Vec<Released>, ReleaseError> {
        let done = self.act(Act::of(Planned::new(audience.clone(), drafts))).await?;
        let index_behind = done.index_behind;
        Ok(done.released.into_iter().map(|one| Released { index_behind, ..one }).collect())
    }
}

/// The reference `relation` to a record.
pub fn reference(relation: Relation, author: &Authority, name: Hash) -> Ref {
    Ref { relation, author: author.clone(), name }
}

/// Kinds that only this module and the charter may release.
pub fn is_reserved(kind: &str) -> bool {
    kind::is_log_kind(kind) || [kind::SEALED, kind::UNREAD, kind::ERASURE].contains(&kind)
}
