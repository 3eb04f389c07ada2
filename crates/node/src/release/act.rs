//! An act: what is released together, decided while nothing else is released.
//!
//! It says what is to be done and what its answer will be. It appends nothing itself.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use record::seal::Opened;
use store::Swap;

use super::kept::ActKey;
use super::{Draft, Released};
use crate::fault::Fault;
use crate::node::Node;
use crate::own_log::Audience;

/// How an act is answered, from what it released: kept with its key, so that a repeated act is answered alike.
pub type Answer = Arc<dyn Fn(&[Released]) -> Vec<u8> + Send + Sync>;

type Deciding = Pin<Box<dyn Future<Output = Result<Planned, Fault>> + Send>>;

/// Records of this authority that are released again, opened.
pub type Again = Vec<Opened>;

/// What goes to one audience as one commit.
pub struct Planned {
    /// Who reads it.
    pub audience: Audience,
    /// New records, in order.
    pub drafts: Vec<Draft>,
    /// Records released before, which get one more place.
    pub again: Again,
    /// Is nothing of the act left to do after this commit? The answer is kept with the last one.
    pub last: bool,
    /// The answer, if it is the last one.
    pub answer: Answer,
}

impl Planned {
    /// New records for an audience: all that the act does.
    pub fn new(audience: Audience, drafts: Vec<Draft>) -> Self {
        Self { audience, drafts, again: Vec::new(), last: true, answer: Arc::new(|_| Vec::new()) }
    }

    /// The same, answered with a value of ours.
    #[must_use]
    pub fn answered<T: serde::Serialize>(
        self,
        answer: impl Fn(&[Released]) -> T + Send + Sync + 'static,
    ) -> Self {
        Self { answer: Arc::new(move |released| crate::saved::encode(&answer(released))), ..self }
    }
}

/// Something to be released, whole or not at all.
pub struct Act {
    pub(super) key: Option<ActKey>,
    pub(super) also: Vec<Swap>,
    pub(super) plan: Plan,
}

pub(super) enum Plan {
    /// Nothing that stands before it matters, but for what its drafts say.
    Ready(Planned),
    /// Decided when its turn comes, from what stands then.
    Decided(Box<dyn FnOnce(Arc<Node>) -> Deciding + Send>),
}

impl Act {
    /// Of what is decided already.
    pub fn of(planned: Planned) -> Self {
        Self { key: None, also: Vec::new(), plan: Plan::Ready(planned) }
    }

    /// Of what is decided when nothing else is released, with every own record before it in the index.
    pub fn decided<F>(plan: impl FnOnce(Arc<Node>) -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<Planned, Fault>> + Send + 'static,
    {
        Self { key: None, also: Vec::new(), plan: Plan::Decided(Box::new(|node| Box::pin(plan(node)))) }
    }

    /// Under a key: done once, however often it is asked for.
    #[must_use]
    pub fn under(self, key: Option<ActKey>) -> Self {
        Self { key, ..self }
    }

    /// With a cell of the caller's that changes in the same commit.
    #[must_use]
    pub fn with(mut self, cell: Swap) -> Self {
        self.also.push(cell);
        self
    }

    /// Must everything before it be done and in the index?
    pub(super) fn looks_back(&self) -> bool {
        match &self.plan {
            Plan::Ready(planned) => planned.drafts.iter().any(Draft::looks_back),
            Plan::Decided(_) => true,
        }
    }

    /// May it share a commit with this one, which comes before it?
    pub(super) fn goes_with(&self, first: &Self) -> bool {
        match (&first.plan, &self.plan) {
            (Plan::Ready(one), Plan::Ready(other)) => {
                one.audience == other.audience && !first.looks_back() && !self.looks_back()
            }
            _ => false,
        }
    }

    /// How many entries it makes, as far as that is known.
    pub(super) fn len(&self) -> usize {
        match &self.plan {
            Plan::Ready(planned) => planned.drafts.len() + planned.again.len(),
            Plan::Decided(_) => 1,
        }
    }
}

/// What an act did.
#[derive(Debug, Clone)]
pub struct Done {
    /// What this commit released; nothing if the act had been done before.
    pub released: Vec<Released>,
    /// The act's answer, if it is done.
    pub answer: Vec<u8>,
    /// Is nothing of it left to do?
    pub last: bool,
    /// It is released, and pages and queries will show it later: the index is behind.
    pub index_behind: bool,
}

impl Done {
    /// Of an act that had been done before.
    pub(super) fn before(answer: Vec<u8>) -> Self {
        Self { released: Vec::new(), answer, last: true, index_behind: false }
    }
}
