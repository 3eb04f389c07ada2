//! C2SP tlog-policy: which sets of witnesses are enough.
//!
//! Names and URLs must be UTF-8 (comments need not be), and names are compared byte for byte. A policy never
//! decides whose key a witness key is; only keys that the caller counts are counted.

use crate::key::{KeyError, KeyType, VerifierKey};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The largest policy file, in bytes.
pub const MAX_POLICY: usize = 256 << 10;
/// The most logs of a policy.
pub const MAX_LOGS: usize = 256;
/// The most witnesses of a policy.
pub const MAX_WITNESSES: usize = 256;
/// The most groups of a policy.
pub const MAX_GROUPS: usize = 256;

/// Why a policy was refused. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Larger than [`MAX_POLICY`].
    #[error("a policy of {0} bytes: at most {MAX_POLICY}")]
    TooLarge(usize),
    /// The last line does not end in a newline.
    #[error("a policy ends in a newline")]
    NoFinalNewline,
    /// A control character other than tab and newline.
    #[error("line {line}: no control characters other than tab")]
    Control {
        /// The line.
        line: usize,
    },
    /// A line that is not a comment is not UTF-8.
    #[error("line {line}: names and URLs are UTF-8")]
    NotUtf8 {
        /// The line.
        line: usize,
    },
    /// A line of no known form.
    #[error("line {line}: {form}")]
    Form {
        /// The line.
        line: usize,
        /// How it is written.
        form: &'static str,
    },
    /// A key that does not parse.
    #[error("line {line}: {error}")]
    Key {
        /// The line.
        line: usize,
        /// What is wrong.
        error: KeyError,
    },
    /// A key of the wrong type.
    #[error("line {line}: a key of type 0x{expected:02x}")]
    KeyType {
        /// The line.
        line: usize,
        /// The right type: 0x01 for logs, 0x04 for witnesses.
        expected: u8,
    },
    /// A public key that is there already.
    #[error("line {line}: this public key is listed already")]
    DuplicateKey {
        /// The line.
        line: usize,
    },
    /// A name that is there already, or `none`.
    #[error("line {line}: the name {name} is taken")]
    DuplicateName {
        /// The line.
        line: usize,
        /// The name.
        name: String,
    },
    /// A name that no line before defines.
    #[error("line {line}: no line before defines {name}")]
    UnknownName {
        /// The line.
        line: usize,
        /// The name.
        name: String,
    },
    /// A member of a group already.
    #[error("line {line}: {name} is a member of a group already")]
    MemberTwice {
        /// The line.
        line: usize,
        /// The name.
        name: String,
    },
    /// Neither `any`, `all`, nor a number from 1 to the number of members.
    #[error("line {line}: any, all, or a number from 1 to {members}")]
    Threshold {
        /// The line.
        line: usize,
        /// How many members the group has.
        members: usize,
    },
    /// Too many lines of one kind.
    #[error("line {line}: at most {limit} lines of this kind")]
    TooMany {
        /// The line.
        line: usize,
        /// The most allowed.
        limit: usize,
    },
    /// A second quorum line.
    #[error("line {line}: a second quorum")]
    SecondQuorum {
        /// The line.
        line: usize,
    },
    /// No quorum line.
    #[error("a policy has one quorum line")]
    NoQuorum,
}

impl PolicyError {
    /// A stable name of the error, for translation.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge(_) => "policy-too-large",
            Self::NoFinalNewline => "policy-final-newline",
            Self::Control { .. } => "policy-control",
            Self::NotUtf8 { .. } => "policy-utf8",
            Self::Form { .. } => "policy-form",
            Self::Key { error, .. } => error.code(),
            Self::KeyType { .. } => "policy-key-type",
            Self::DuplicateKey { .. } => "policy-duplicate-key",
            Self::DuplicateName { .. } => "policy-duplicate-name",
            Self::UnknownName { .. } => "policy-unknown-name",
            Self::MemberTwice { .. } => "policy-member-twice",
            Self::Threshold { .. } => "policy-threshold",
            Self::TooMany { .. } => "policy-too-many",
            Self::SecondQuorum { .. } => "policy-second-quorum",
            Self::NoQuorum => "policy-no-quorum",
        }
    }

    /// Named arguments of the message, in a fixed order.
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::NoFinalNewline | Self::NoQuorum => Vec::new(),
            Self::TooLarge(value) => vec![("bytes", value.to_string())],
            Self::Control { line }
            | Self::NotUtf8 { line }
            | Self::DuplicateKey { line }
            | Self::SecondQuorum { line } => vec![("line", line.to_string())],
            Self::Form { line, form } => vec![("line", line.to_string()), ("form", (*form).to_owned())],
            Self::Key { line, error } => vec![("line", line.to_string()), ("reason", error.to_string())],
            Self::KeyType { line, expected } => {
                vec![("line", line.to_string()), ("expected", format!("0x{expected:02x}"))]
            }
            Self::DuplicateName { line, name }
            | Self::UnknownName { line, name }
            | Self::MemberTwice { line, name } => vec![("line", line.to_string()), ("name", name.clone())],
            Self::Threshold { line, members } => {
                vec![("line", line.to_string()), ("members", members.to_string())]
            }
            Self::TooMany { line, limit } => vec![("line", line.to_string()), ("limit", limit.to_string())],
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Log {
    key: VerifierKey,
    url: Option<String>,
}

/// A witness or a group; groups refer to earlier nodes only.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    Witness { name: String, key: VerifierKey, url: Option<String> },
    Group { name: String, threshold: usize, members: Vec<usize> },
}

impl Node {
    fn name(&self) -> &str {
        match self {
            Self::Witness { name, .. } | Self::Group { name, .. } => name,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quorum {
    None,
    /// A place among the nodes.
    Node(usize),
}

/// A set of logs, a set of witnesses, and the quorum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    logs: Vec<Log>,
    nodes: Vec<Node>,
    quorum: Quorum,
}

impl Policy {
    /// Reads a policy file.
    pub fn parse(bytes: &[u8]) -> Result<Self, PolicyError> {
        if bytes.len() > MAX_POLICY {
            return Err(PolicyError::TooLarge(bytes.len()));
        }
        let lines = bytes.strip_suffix(b"\n").ok_or(PolicyError::NoFinalNewline)?;
        let mut parser = Parser::default();
        for (n, octets) in lines.split(|b| *b == b'\n').enumerate() {
            let line = n + 1;
            if octets.iter().any(|b| (*b < 0x20 && *b != b'\t') || *b == 0x7f) {
                return Err(PolicyError::Control { line });
            }
            let octets = octets.trim_ascii();
            if octets.is_empty() || octets.starts_with(b"#") {
                continue;
            }
            let text = std::str::from_utf8(octets).map_err(|_| PolicyError::NotUtf8 { line })?;
            let fields: Vec<&str> = text.split([' ', '\t']).filter(|field| !field.is_empty()).collect();
            parser.line(line, &fields)?;
        }
        parser.finish()
    }

    /// Whether there are `log` lines.
    pub fn has_logs(&self) -> bool {
        !self.logs.is_empty()
    }

    /// The logs: key and URL.
    pub fn logs(&self) -> impl Iterator<Item = (&VerifierKey, Option<&str>)> {
        self.logs.iter().map(|log| (&log.key, log.url.as_deref()))
    }

    /// The witnesses: name in the policy, key and URL.
    pub fn witnesses(&self) -> impl Iterator<Item = (&str, &VerifierKey, Option<&str>)> {
        self.nodes.iter().filter_map(|node| match node {
            Node::Witness { name, key, url } => Some((name.as_str(), key, url.as_deref())),
            Node::Group { .. } => None,
        })
    }

    /// Whether the quorum asks for any witness at all (it is not `none`).
    pub fn needs_witnesses(&self) -> bool {
        self.quorum != Quorum::None
    }

    /// Whether the witnesses that the closure affirms satisfy the quorum. `quorum none` always is satisfied.
    pub fn satisfied_by(&self, cosigned: impl Fn(&VerifierKey) -> bool) -> bool {
        !self.needs_witnesses() || self.earliest(|key| cosigned(key).then_some(0)).is_some()
    }

    /// The least t such that the witnesses whose time is t or earlier satisfy the quorum, if any does. Under
    /// `quorum none` no time is ever proven: `None`.
    pub fn earliest(&self, time: impl Fn(&VerifierKey) -> Option<u64>) -> Option<u64> {
        let mut times: Vec<Option<u64>> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            times.push(match node {
                Node::Witness { key, .. } => time(key),
                Node::Group { threshold, members, .. } => {
                    let mut known: Vec<u64> = members.iter().filter_map(|n| times[*n]).collect();
                    known.sort_unstable();
                    known.get(threshold - 1).copied()
                }
            });
        }
        match self.quorum {
            Quorum::None => None,
            Quorum::Node(place) => times[place],
        }
    }

    /// The policy in its plainest form: parsing it gives the same policy.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        let url = |url: &Option<String>| url.as_ref().map(|url| format!(" {url}")).unwrap_or_default();
        for log in &self.logs {
            let _ = writeln!(text, "log {}{}", log.key, url(&log.url));
        }
        for node in &self.nodes {
            let _ = match node {
                Node::Witness { name, key, url: at } => writeln!(text, "witness {name} {key}{}", url(at)),
                Node::Group { name, threshold, members } => {
                    let members: Vec<&str> = members.iter().map(|n| self.nodes[*n].name()).collect();
                    writeln!(text, "group {name} {threshold} {}", members.join(" "))
                }
            };
        }
        let quorum = match self.quorum {
            Quorum::None => NONE,
            Quorum::Node(place) => self.nodes[place].name(),
        };
        let _ = writeln!(text, "quorum {quorum}");
        text
    }
}

const NONE: &str = "none";

#[derive(Default)]
struct Parser {
    logs: Vec<Log>,
    nodes: Vec<Node>,
    names: BTreeMap<String, usize>,
    /// Whether the node of the same place is a member of a group.
    member: Vec<bool>,
    quorum: Option<Quorum>,
}

impl Parser {
    fn line(&mut self, line: usize, fields: &[&str]) -> Result<(), PolicyError> {
        match fields {
            ["log", key] => self.log(line, key, None),
            ["log", key, url] => self.log(line, key, Some(*url)),
            ["log", ..] => Err(PolicyError::Form { line, form: "log <vkey> [<url>]" }),
            ["witness", name, key] => self.witness(line, name, key, None),
            ["witness", name, key, url] => self.witness(line, name, key, Some(*url)),
            ["witness", ..] => Err(PolicyError::Form { line, form: "witness <name> <vkey> [<url>]" }),
            ["group", name, threshold, members @ ..] if !members.is_empty() => {
                self.group(line, name, threshold, members)
            }
            ["group", ..] => Err(PolicyError::Form { line, form: "group <name> all|any|<k> <name>..." }),
            ["quorum", name] => self.quorum(line, name),
            ["quorum", ..] => Err(PolicyError::Form { line, form: "quorum <name>|none" }),
            _ => Err(PolicyError::Form { line, form: "log, witness, group or quorum" }),
        }
    }

    fn log(&mut self, line: usize, key: &str, url: Option<&str>) -> Result<(), PolicyError> {
        let key = parse_key(line, key, KeyType::Ed25519)?;
        if self.logs.iter().any(|log| log.key.public() == key.public()) {
            return Err(PolicyError::DuplicateKey { line });
        }
        if self.logs.len() == MAX_LOGS {
            return Err(PolicyError::TooMany { line, limit: MAX_LOGS });
        }
        self.logs.push(Log { key, url: url.map(str::to_owned) });
        Ok(())
    }

    fn witness(&mut self, line: usize, name: &str, key: &str, url: Option<&str>) -> Result<(), PolicyError> {
        let key = parse_key(line, key, KeyType::Cosignature)?;
        let mut witnesses = 0;
        for node in &self.nodes {
            if let Node::Witness { key: other, .. } = node {
                if other.public() == key.public() {
                    return Err(PolicyError::DuplicateKey { line });
                }
                witnesses += 1;
            }
        }
        if witnesses == MAX_WITNESSES {
            return Err(PolicyError::TooMany { line, limit: MAX_WITNESSES });
        }
        self.define(line, Node::Witness { name: name.to_owned(), key, url: url.map(str::to_owned) })
    }

    fn group(
        &mut self,
        line: usize,
        name: &str,
        threshold: &str,
        members: &[&str],
    ) -> Result<(), PolicyError> {
        let groups = self.nodes.iter().filter(|node| matches!(node, Node::Group { .. })).count();
        if groups == MAX_GROUPS {
            return Err(PolicyError::TooMany { line, limit: MAX_GROUPS });
        }
        let threshold = match threshold {
            "any" => Some(1),
            "all" => Some(members.len()),
            number => crate::text::parse_decimal(number).and_then(|k| usize::try_from(k).ok()),
        };
        let threshold = threshold
            .filter(|k| (1..=members.len()).contains(k))
            .ok_or(PolicyError::Threshold { line, members: members.len() })?;
        let mut places = Vec::with_capacity(members.len());
        for member in members {
            let place = self.place(line, member)?;
            if std::mem::replace(&mut self.member[place], true) {
                return Err(PolicyError::MemberTwice { line, name: (*member).to_owned() });
            }
            places.push(place);
        }
        self.define(line, Node::Group { name: name.to_owned(), threshold, members: places })
    }

    fn quorum(&mut self, line: usize, name: &str) -> Result<(), PolicyError> {
        if self.quorum.is_some() {
            return Err(PolicyError::SecondQuorum { line });
        }
        self.quorum = Some(if name == NONE { Quorum::None } else { Quorum::Node(self.place(line, name)?) });
        Ok(())
    }

    fn place(&self, line: usize, name: &str) -> Result<usize, PolicyError> {
        self.names.get(name).copied().ok_or_else(|| PolicyError::UnknownName { line, name: name.to_owned() })
    }

    fn define(&mut self, line: usize, node: Node) -> Result<(), PolicyError> {
        let name = node.name().to_owned();
        if name == NONE || self.names.contains_key(&name) {
            return Err(PolicyError::DuplicateName { line, name });
        }
        self.names.insert(name, self.nodes.len());
        self.nodes.push(node);
        self.member.push(false);
        Ok(())
    }

    fn finish(self) -> Result<Policy, PolicyError> {
        let quorum = self.quorum.ok_or(PolicyError::NoQuorum)?;
        Ok(Policy { logs: self.logs, nodes: self.nodes, quorum })
    }
}

fn parse_key(line: usize, text: &str, key_type: KeyType) -> Result<VerifierKey, PolicyError> {
    let key: VerifierKey = text.parse().map_err(|error| match error {
        // A key of a type unknown here would be the wrong type all the same.
        KeyError::UnknownType(_) => PolicyError::KeyType { line, expected: key_type.byte() },
        error => PolicyError::Key { line, error },
    })?;
    if key.key_type() == key_type {
        Ok(key)
    } else {
        Err(PolicyError::KeyType { line, expected: key_type.byte() })
    }
}
