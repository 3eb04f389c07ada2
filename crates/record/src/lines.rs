//! The line grammar that every text of the protocol shares: `key SP value`, printable ASCII, one space
//! between fields, none at the end, no empty line, a final newline. It never knows what a key means.

use std::fmt;

use crate::refusal::Refusal;

/// One `key SP value` line of its own storage; always well formed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Line {
    key: String,
    value: String,
}

impl Line {
    /// A line of a key (printable ASCII without spaces) and a value (fields joined by single spaces).
    ///
    /// # Errors
    /// Either breaks the grammar; the line number in the error is 0.
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Result<Self, LineError> {
        let line = Self { key: key.into(), value: value.into() };
        let text = line.to_string();
        let measured = measure(text.as_bytes(), 0)?;
        if measured.length < text.len() {
            return Err(LineError::Character { line: 0 });
        }
        if measured.key < line.key.len() {
            return Err(LineError::Spacing { line: 0 });
        }
        Ok(line)
    }

    /// The key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Everything after the key and its space.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The value's fields.
    pub fn fields(&self) -> std::str::Split<'_, char> {
        self.value.split(' ')
    }

    /// Whether who does not know the key must not act on the text.
    pub fn is_critical(&self) -> bool {
        self.key.starts_with('!')
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.key, self.value)
    }
}

/// A well-formed line that borrows from its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawLine<'a> {
    /// Its number in the text, from 1; the tag is line 1.
    pub number: usize,
    /// The key.
    pub key: &'a str,
    /// Everything after the key and its space.
    pub value: &'a str,
}

impl RawLine<'_> {
    /// A copy with storage of its own.
    pub fn to_line(self) -> Line {
        Line { key: self.key.into(), value: self.value.into() }
    }
}

/// How long a text may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes, the final newline included.
    pub bytes: usize,
    /// Lines, the tag included.
    pub lines: usize,
}

/// How a text breaks the line grammar. Line numbers start at 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// Longer than the limit, in bytes.
    #[error("text has {bytes} bytes; at most {limit} are allowed")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// More lines than the limit.
    #[error("text has more than {limit} lines")]
    TooManyLines {
        /// The limit.
        limit: usize,
    },
    /// The first line is not the expected tag.
    #[error("line 1 must be {wanted:?}")]
    Tag {
        /// The tag.
        wanted: &'static str,
    },
    /// The text does not end in a newline.
    #[error("the last line does not end in a newline")]
    NoFinalNewline,
    /// A line without characters.
    #[error("line {line} is empty")]
    Empty {
        /// Its number.
        line: usize,
    },
    /// A character outside printable ASCII.
    #[error("line {line} has a character that is not printable ASCII")]
    Character {
        /// Its number.
        line: usize,
    },
    /// A space at the start or end, or two in a row.
    #[error("line {line} must have one space between fields and none at its ends")]
    Spacing {
        /// Its number.
        line: usize,
    },
    /// A key without a value.
    #[error("line {line} has a key without a value")]
    NoValue {
        /// Its number.
        line: usize,
    },
}

impl Refusal for LineError {
    fn code(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "text-too-long",
            Self::TooManyLines { .. } => "text-too-many-lines",
            Self::Tag { .. } => "text-tag",
            Self::NoFinalNewline => "text-no-final-newline",
            Self::Empty { .. } => "line-empty",
            Self::Character { .. } => "line-character",
            Self::Spacing { .. } => "line-spacing",
            Self::NoValue { .. } => "line-no-value",
        }
    }

    fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::TooLong { bytes, limit } => {
                vec![("bytes", bytes.to_string()), ("limit", limit.to_string())]
            }
            Self::TooManyLines { limit } => vec![("limit", limit.to_string())],
            Self::Tag { wanted } => vec![("wanted", (*wanted).into())],
            Self::NoFinalNewline => Vec::new(),
            Self::Empty { line }
            | Self::Character { line }
            | Self::Spacing { line }
            | Self::NoValue { line } => {
                vec![("line", line.to_string())]
            }
        }
    }
}

/// The lines of a text after its tag, which stands alone on line 1.
///
/// # Errors
/// The text breaks the grammar or a limit.
pub fn parse_text<'a>(
    text: &'a str,
    tag: &'static str,
    limits: Limits,
) -> Result<Vec<RawLine<'a>>, LineError> {
    if text.len() > limits.bytes {
        return Err(LineError::TooLong { bytes: text.len(), limit: limits.bytes });
    }
    let body = text.strip_suffix('\n').ok_or(LineError::NoFinalNewline)?;
    let rest = match body.strip_prefix(tag) {
        Some("") => return Ok(Vec::new()),
        Some(rest) => rest.strip_prefix('\n').ok_or(LineError::Tag { wanted: tag })?,
        None => return Err(LineError::Tag { wanted: tag }),
    };
    let mut lines = Vec::with_capacity(24);
    let mut begin = 0;
    while begin <= rest.len() {
        let number = lines.len() + 2;
        if number > limits.lines {
            return Err(LineError::TooManyLines { limit: limits.lines });
        }
        let line = &rest[begin..];
        let Measured { key, length } = measure(line.as_bytes(), number)?;
        lines.push(RawLine { number, key: &line[..key], value: &line[key + 1..length] });
        begin += length + 1;
    }
    Ok(lines)
}

/// Where a line's key and the line itself end.
struct Measured {
    key: usize,
    length: usize,
}

/// Checks the line that `bytes` begins with, in one pass: records by the million come this way.
fn measure(bytes: &[u8], number: usize) -> Result<Measured, LineError> {
    let mut key = None;
    let mut length = bytes.len();
    // A space counts as coming after a space at both ends, so that every misplaced one is found.
    let mut after_space = true;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'!'..=b'~' => after_space = false,
            b' ' if after_space => return Err(LineError::Spacing { line: number }),
            b' ' => {
                after_space = true;
                key = key.or(Some(at));
            }
            b'\n' => {
                length = at;
                break;
            }
            _ => return Err(LineError::Character { line: number }),
        }
    }
    match key {
        _ if length == 0 => Err(LineError::Empty { line: number }),
        _ if after_space => Err(LineError::Spacing { line: number }),
        Some(key) => Ok(Measured { key, length }),
        None => Err(LineError::NoValue { line: number }),
    }
}

/// Appends `key SP value NEWLINE`.
pub(crate) fn push(text: &mut String, key: &str, value: impl fmt::Display) {
    use fmt::Write;
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{key} {value}");
}
