//! Keeping the state of a log: a text of lines, written and read by one node for itself.
//! It never travels: another node's state is never believed.

use std::str::FromStr;

use tlog::Hash;

use super::{LogState, Opened, Phase, Previous, Readers};
use crate::encoding::decimal;
use crate::lines::{Limits, LineError, RawLine, parse_text, push};
use crate::refusal::Refusal;

const TAG: &str = "concord.log-state/v1";
/// A `log.open` has at most 256 lines, and so has what is kept of it.
const LIMITS: Limits = Limits { bytes: 128 * 1024, lines: 300 };

/// Why bytes are no kept state of a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogStateError {
    /// The line grammar is broken.
    #[error(transparent)]
    Lines(#[from] LineError),
    /// Not ASCII.
    #[error("a log state is ASCII text")]
    Ascii,
    /// A line is missing, malformed or not at its place.
    #[error("the line `{key}` is missing, malformed or not at its place")]
    Line {
        /// Its key.
        key: &'static str,
    },
    /// More lines than the state has.
    #[error("line {line} is one too many")]
    Superfluous {
        /// Its number.
        line: usize,
    },
}

impl Refusal for LogStateError {
    fn code(&self) -> &'static str {
        match self {
            Self::Lines(error) => error.code(),
            Self::Ascii => "log-state-ascii",
            Self::Line { .. } => "log-state-line",
            Self::Superfluous { .. } => "log-state-superfluous",
        }
    }

    fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Lines(error) => error.arguments(),
            Self::Ascii => Vec::new(),
            Self::Line { key } => vec![("key", (*key).into())],
            Self::Superfluous { line } => vec![("line", line.to_string())],
        }
    }
}

pub(super) fn write(state: &LogState) -> String {
    let mut text = format!("{TAG}\n");
    push(&mut text, "origin", &state.origin);
    push(&mut text, "size", state.size);
    let phase = match &state.phase {
        Phase::Empty => "empty",
        Phase::Broken => "broken",
        Phase::Open(_) => "open",
        Phase::Closed(..) => "closed",
    };
    push(&mut text, "phase", phase);
    if let Some(next) = state.next() {
        push(&mut text, "next", next);
    }
    if let Some(Opened { readers, policy, previous, root }) = state.opened() {
        push(&mut text, "root", root);
        push(&mut text, "policy", policy.to_hex());
        if let Some(Previous { origin, size, root }) = previous {
            push(&mut text, "previous", format_args!("{origin} {size} {}", root.to_base64()));
        }
        match readers {
            Readers::Public => push(&mut text, "reader", "public"),
            Readers::Set(readers) => readers.iter().for_each(|reader| push(&mut text, "reader", reader)),
        }
    }
    text
}

pub(super) fn parse(bytes: &[u8]) -> Result<LogState, LogStateError> {
    let text = std::str::from_utf8(bytes).map_err(|_| LogStateError::Ascii)?;
    let lines = parse_text(text, TAG, LIMITS)?;
    let mut rest = lines.as_slice();
    let origin = required(&mut rest, "origin")?;
    let size = number(take(&mut rest, "size"), "size")?;
    let phase = take(&mut rest, "phase").ok_or(LogStateError::Line { key: "phase" })?;
    let phase = match phase {
        "empty" => Phase::Empty,
        "broken" => Phase::Broken,
        "open" => Phase::Open(opened(&mut rest)?),
        "closed" => {
            let next = required(&mut rest, "next")?;
            Phase::Closed(opened(&mut rest)?, next)
        }
        _ => return Err(LogStateError::Line { key: "phase" }),
    };
    match rest.first() {
        None => Ok(LogState { origin, size, phase }),
        Some(line) => Err(LogStateError::Superfluous { line: line.number }),
    }
}

fn opened(rest: &mut &[RawLine<'_>]) -> Result<Opened, LogStateError> {
    let root = number(take(rest, "root"), "root")?;
    let policy = take(rest, "policy").and_then(|hash| Hash::from_hex(hash).ok());
    let policy = policy.ok_or(LogStateError::Line { key: "policy" })?;
    let previous = take(rest, "previous")
        .map(|value| read_previous(value).ok_or(LogStateError::Line { key: "previous" }))
        .transpose()?;
    let mut listed = Vec::new();
    while let Some(reader) = take(rest, "reader") {
        listed.push(reader);
    }
    let readers = match listed.as_slice() {
        ["public"] => Some(Readers::Public),
        [] => None,
        _ => listed.iter().map(|reader| reader.parse().ok()).collect::<Option<_>>().map(Readers::Set),
    };
    let readers = readers.ok_or(LogStateError::Line { key: "reader" })?;
    Ok(Opened { readers, policy, previous, root })
}

fn read_previous(value: &str) -> Option<Previous> {
    let mut fields = value.split(' ');
    let origin = fields.next()?.parse().ok()?;
    let size = decimal(fields.next()?).ok()?;
    let root = Hash::from_base64(fields.next()?).ok()?;
    fields.next().is_none().then_some(Previous { origin, size, root })
}

fn take<'a>(rest: &mut &[RawLine<'a>], key: &str) -> Option<&'a str> {
    let (first, others) = rest.split_first()?;
    (first.key == key).then(|| {
        *rest = others;
        first.value
    })
}

fn required<T: FromStr>(rest: &mut &[RawLine<'_>], key: &'static str) -> Result<T, LogStateError> {
    take(rest, key).and_then(|value| value.parse().ok()).ok_or(LogStateError::Line { key })
}

fn number(value: Option<&str>, key: &'static str) -> Result<u64, LogStateError> {
    value.and_then(|value| decimal(value).ok()).ok_or(LogStateError::Line { key })
}
