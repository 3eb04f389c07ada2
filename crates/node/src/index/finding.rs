//! What the index finds in what it takes, for others to act on: alarms, quoted witnesses, erasures elsewhere, parts
//! that a desk asks for.
//!
//! It says what was found, and does nothing about it: that is for who keeps the index ([`super::Source::report`]).

use record::{Anchor, Authority, Header, Origin, Record, Relation, Status, kind};
use tlog::hash::Hash;

use crate::fault::Fault;

/// What operators should know of what was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// An entry is no valid record.
    Invalid {
        /// The log.
        origin: String,
        /// Its place.
        index: u64,
        /// Why.
        why: Fault,
    },
    /// A sealed record that was for us is refused.
    SealRefused {
        /// Its log.
        origin: String,
        /// Its place there.
        index: u64,
        /// Its name.
        name: String,
        /// Why.
        why: Fault,
    },
    /// A record of somebody else quotes witnesses.
    Quotes {
        /// Its author.
        author: Authority,
        /// What it quotes.
        anchors: Vec<Anchor>,
    },
    /// An author says, sealed for us, that its own copies of records are gone.
    Erases {
        /// Who says so.
        by: Authority,
        /// Of what status.
        status: Status,
        /// The records, all of this author.
        names: Vec<Hash>,
    },
    /// A desk waits for a part of a record with `expires`, of which nothing but the first blob comes unasked.
    Awaits {
        /// A log that holds it.
        origin: Origin,
        /// The record.
        name: Hash,
    },
    /// Something of a record is not here. It may be on its way.
    Lacks {
        /// Its log.
        origin: Origin,
        /// Its place there.
        index: u64,
        /// Its name.
        name: Hash,
    },
    /// A record has no effect, because another one of the same edition stands.
    Conflict {
        /// Their author.
        author: String,
        /// The thing.
        id: String,
        /// The edition.
        edition: u32,
        /// Where it stands: logs and indices.
        places: Vec<(String, u64)>,
    },
    /// There are so many records of one thing that nothing of it stands.
    Crowded {
        /// Their author.
        author: String,
        /// The thing.
        id: String,
    },
}

/// What follows elsewhere from what a header says; `sealed` headers are known only here.
pub(super) fn said(header: &Header, sealed: bool) -> Vec<Finding> {
    let (author, anchors) = (header.author.clone(), header.anchors.clone());
    let mut findings = Vec::new();
    if !anchors.is_empty() {
        findings.push(Finding::Quotes { author: author.clone(), anchors });
    }
    let own = header.refs_of(Relation::Erases).filter(|erased| erased.author == author);
    let names: Vec<Hash> = own.map(|erased| erased.name).collect();
    // A reference in a record of another kind destroys nothing, and speaks for nobody's copies.
    if sealed && header.kind == kind::ERASURE && !names.is_empty() && !header.critical_unknown(&[]) {
        findings.push(Finding::Erases { by: author, status: header.status, names });
    }
    findings
}

/// What is asked for of a record whose content a desk lacks.
pub(super) fn awaits(record: &Record, index: u64) -> impl Iterator<Item = Finding> {
    let header = &record.header;
    let asked = header.expires.map(|_| Finding::Awaits { origin: header.log.clone(), name: record.name() });
    std::iter::once(lacks(record, index)).chain(asked)
}

/// Something of a record is not here.
pub(super) fn lacks(record: &Record, index: u64) -> Finding {
    Finding::Lacks { origin: record.header.log.clone(), index, name: record.name() }
}

pub(super) fn refused(record: &Record, index: u64, why: &Fault) -> Finding {
    let (origin, name) = (record.header.log.to_string(), record.name().to_hex());
    Finding::SealRefused { origin, index, name, why: why.clone() }
}
