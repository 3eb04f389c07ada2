//! A mechanism's charter: who is a member, who observes, and how many members decide (protocol section 5).
//!
//! This file reads and writes the lines of a charter, and says what a record means to mechanisms; which
//! charter is in force is computed in [`replay`]. Nobody hosts a mechanism: nothing here is stored, and no
//! right to read follows from a charter, only from a log's `log.open`.

use std::collections::BTreeSet;
use std::sync::Arc;

use tlog::Hash;

use crate::encoding::{Authority, EncodingError, Fingerprint, Time, decimal};
use crate::header::{Header, MAX_MECHANISM_NAME, MechanismId, Relation, Status};
use crate::kind;
use crate::lines::{Line, LineError};
use crate::origin::Origin;
use crate::refusal::Refusal;

mod replay;

pub use replay::{Candidate, Mechanism, MechanismAlarm, Mechanisms, NotCounted};

/// An authority as a charter means it: its name and the fingerprint of its first root. The same name with
/// another fingerprint is another party.
pub type Party = (Authority, Fingerprint);

/// Why the lines of a charter are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CharterError {
    /// A required line is missing or stands twice.
    #[error("a charter has exactly one line `{key}`, found {found}")]
    Once {
        /// The key of the line.
        key: &'static str,
        /// How many there are.
        found: usize,
    },
    /// The name is empty, too long, or has other characters than lower-case letters, digits and hyphens.
    #[error("name {name:?}: 1 to {MAX_MECHANISM_NAME} lower-case letters, digits and hyphens")]
    Name {
        /// As written.
        name: String,
    },
    /// A `member` or `observer` line is not `<authority> <fingerprint>`.
    #[error("line `{key} {value}`: <authority> <fingerprint>")]
    Party {
        /// `member` or `observer`.
        key: &'static str,
        /// As written, cut.
        value: String,
    },
    /// An authority is named twice.
    #[error("authority {authority} is named twice")]
    Twice {
        /// Which one.
        authority: Authority,
    },
    /// The threshold is not more than half of the members, or more than there are.
    #[error("threshold {threshold} of {members} members: more than half, and at most all")]
    Threshold {
        /// As written.
        threshold: usize,
        /// How many members are named.
        members: usize,
    },
    /// The threshold is no decimal.
    #[error(transparent)]
    Field(#[from] EncodingError),
    /// A line that would break the grammar of texts.
    #[error(transparent)]
    Line(#[from] LineError),
    /// A `mechanism.leave` without a `mechanism` line, or a `mechanism.accept` without `ref accepts`.
    #[error("a record of kind {kind} needs a line `{line}`")]
    Missing {
        /// The kind of the record.
        kind: &'static str,
        /// The line that it lacks.
        line: &'static str,
    },
}

impl Refusal for CharterError {
    fn code(&self) -> &'static str {
        match self {
            Self::Once { .. } => "charter-line-once",
            Self::Name { .. } => "charter-name",
            Self::Party { .. } => "charter-party",
            Self::Twice { .. } => "charter-authority-twice",
            Self::Threshold { .. } => "charter-threshold",
            Self::Field(error) => error.code(),
            Self::Line(error) => error.code(),
            Self::Missing { .. } => "mechanism-line-missing",
        }
    }

    fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Once { key, found } => vec![("key", (*key).into()), ("found", found.to_string())],
            Self::Name { name } => vec![("name", name.clone())],
            Self::Party { key, value } => vec![("key", (*key).into()), ("value", value.clone())],
            Self::Twice { authority } => vec![("authority", authority.to_string())],
            Self::Threshold { threshold, members } => {
                vec![("threshold", threshold.to_string()), ("members", members.to_string())]
            }
            Self::Field(error) => error.arguments(),
            Self::Line(error) => error.arguments(),
            Self::Missing { kind, line } => vec![("kind", (*kind).into()), ("line", (*line).into())],
        }
    }
}

/// What a charter says. Members and observers keep the order of their lines.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Charter {
    /// The name, which is the second half of the mechanism's id if this is its first charter.
    pub name: String,
    /// Who reads and decides.
    pub members: Vec<Party>,
    /// Who reads.
    pub observers: Vec<Party>,
    /// How many members put the next charter in force: more than half.
    pub threshold: usize,
}

impl Charter {
    /// Reads the own lines of a record of kind `mechanism.charter`. Lines with other keys are not judged.
    ///
    /// # Errors
    /// A line is missing, stands twice or is malformed, or names and threshold are as [`Charter::check`] refuses.
    pub fn parse(own: &[Line]) -> Result<Self, CharterError> {
        let charter = Self {
            name: only(own, "name")?.into(),
            members: parties(own, "member")?,
            observers: parties(own, "observer")?,
            threshold: decimal(only(own, "threshold")?)?,
        };
        charter.check()?;
        Ok(charter)
    }

    /// The lines of this charter: name, members, observers, threshold.
    pub fn to_lines(&self) -> Result<Vec<Line>, CharterError> {
        self.check()?;
        let party = |(authority, fingerprint): &Party| format!("{authority} {fingerprint}");
        let mut lines = vec![Line::new("name", self.name.as_str())?];
        for member in &self.members {
            lines.push(Line::new("member", party(member))?);
        }
        for observer in &self.observers {
            lines.push(Line::new("observer", party(observer))?);
        }
        lines.push(Line::new("threshold", self.threshold.to_string())?);
        Ok(lines)
    }

    /// Whether names and threshold are as protocol section 5 has them: for a charter not made by [`Charter::parse`].
    pub fn check(&self) -> Result<(), CharterError> {
        if !is_name(&self.name) {
            return Err(CharterError::Name { name: self.name.chars().take(MAX_MECHANISM_NAME).collect() });
        }
        let mut seen = BTreeSet::new();
        for (authority, _) in self.members.iter().chain(&self.observers) {
            if !seen.insert(authority) {
                return Err(CharterError::Twice { authority: authority.clone() });
            }
        }
        let members = self.members.len();
        if self.threshold <= members / 2 || self.threshold > members {
            return Err(CharterError::Threshold { threshold: self.threshold, members });
        }
        Ok(())
    }

    /// Members and observers: whoever "to the mechanism" means under this charter.
    pub fn readers(&self) -> BTreeSet<Authority> {
        self.members.iter().chain(&self.observers).map(|(authority, _)| authority.clone()).collect()
    }

    /// To whom a charter and its `accepts` go: all members and observers, old and new.
    pub fn audience(&self, predecessor: Option<&Self>) -> BTreeSet<Authority> {
        let mut audience = self.readers();
        audience.extend(predecessor.into_iter().flat_map(Self::readers));
        audience
    }

    fn is_member(&self, party: &Party) -> bool {
        self.members.contains(party)
    }
}

fn is_name(name: &str) -> bool {
    (1..=MAX_MECHANISM_NAME).contains(&name.len())
        && !name.starts_with('-')
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn only<'l>(own: &'l [Line], key: &'static str) -> Result<&'l str, CharterError> {
    let mut values = own.iter().filter(|line| line.key() == key).map(Line::value);
    match (values.next(), values.count()) {
        (Some(value), 0) => Ok(value),
        (first, more) => Err(CharterError::Once { key, found: usize::from(first.is_some()) + more }),
    }
}

fn parties(own: &[Line], key: &'static str) -> Result<Vec<Party>, CharterError> {
    let party = |line: &Line| {
        let error = || CharterError::Party { key, value: line.value().chars().take(320).collect() };
        let (authority, fingerprint) = line.value().split_once(' ').ok_or_else(error)?;
        Ok((authority.parse().map_err(|_| error())?, fingerprint.parse().map_err(|_| error())?))
    };
    own.iter().filter(|line| line.key() == key).map(party).collect()
}

/// Where a record stands: what orders the records of one authority.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The first log of the chain of `previous` that holds it.
    pub chain: Origin,
    /// Which log of that chain, counted from 0.
    pub part: u32,
    /// The index of its entry.
    pub index: u64,
    /// When its author says that it was released; compares what stands in different chains.
    pub released: Time,
}

/// What a valid record means to mechanisms.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Act {
    /// It is a charter, and so also its author's acceptance of it.
    Charter {
        /// The name of the charter that it would follow.
        supersedes: Option<Hash>,
        /// Its `mechanism` line.
        mechanism: Option<MechanismId>,
        /// What it says.
        charter: Arc<Charter>,
    },
    /// It accepts the charter of this author and name.
    Accept {
        /// The charter's author.
        author: Authority,
        /// The charter's name.
        charter: Hash,
    },
    /// Its author leaves.
    Leave {
        /// What it leaves.
        mechanism: MechanismId,
    },
}

/// One record, as mechanisms see it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fact {
    /// The author, with the fingerprint of the pinned chain that verified it.
    pub by: Party,
    /// The record's name.
    pub name: Hash,
    /// Where it stands.
    pub place: Place,
    /// Exercises and tests never count for actual mechanisms.
    pub status: Status,
    /// What it does.
    pub act: Act,
}

impl Fact {
    /// What the header of a valid record (the inner header, if it was sealed) means to mechanisms. Empty for
    /// all kinds but `mechanism.charter`, `mechanism.accept` and `mechanism.leave`, and where a critical line
    /// stands: none is known here.
    ///
    /// # Errors
    /// The lines of the kind are not as they must be: the record counts for nothing.
    pub fn of(
        header: &Header,
        name: Hash,
        fingerprint: Fingerprint,
        place: &Place,
    ) -> Result<Vec<Self>, CharterError> {
        if header.critical_unknown(&[]) {
            return Ok(Vec::new());
        }
        let acts = match header.kind.as_str() {
            kind::CHARTER => vec![Act::Charter {
                supersedes: header.supersedes,
                mechanism: header.mechanism.clone(),
                charter: Charter::parse(&header.own)?.into(),
            }],
            kind::ACCEPT => accepted(header)?,
            kind::LEAVE => {
                let missing = CharterError::Missing { kind: kind::LEAVE, line: "mechanism" };
                vec![Act::Leave { mechanism: header.mechanism.clone().ok_or(missing)? }]
            }
            _ => Vec::new(),
        };
        let by = (header.author.clone(), fingerprint);
        let fact = |act| Self { by: by.clone(), name, place: place.clone(), status: header.status, act };
        Ok(acts.into_iter().map(fact).collect())
    }
}

fn accepted(header: &Header) -> Result<Vec<Act>, CharterError> {
    let accepts = header.refs_of(Relation::Accepts);
    let acts: Vec<Act> = accepts.map(|r| Act::Accept { author: r.author.clone(), charter: r.name }).collect();
    if acts.is_empty() {
        return Err(CharterError::Missing { kind: kind::ACCEPT, line: "ref accepts" });
    }
    Ok(acts)
}
