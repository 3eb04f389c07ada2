//! The names of logs: `<authority>/log/public/<year>[.<n>]` and `<authority>/log/<audience>/<year>[.<n>]`.
//! A name says which authority and audience a log serves; who may read is only in its `log.open`.

use std::fmt;
use std::str::FromStr;

use crate::encoding::{Authority, EncodingError, base32, decimal, is_base32, serialize_as_text};

/// Characters of a restricted audience's random name.
pub const AUDIENCE_CHARACTERS: usize = 26;

/// Which audience a log's name speaks of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AudienceId {
    /// Everybody.
    Public,
    /// A fixed set of authorities, under 26 random base32 characters.
    Restricted(String),
}

impl AudienceId {
    /// A restricted audience's name of 16 random bytes.
    pub fn random(random: [u8; 16]) -> Self {
        Self::Restricted(base32(&random))
    }

    /// Whether everybody may read.
    pub fn is_public(&self) -> bool {
        matches!(self, Self::Public)
    }
}

impl fmt::Display for AudienceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "public",
            Self::Restricted(name) => name,
        })
    }
}

impl FromStr for AudienceId {
    type Err = EncodingError;

    fn from_str(text: &str) -> Result<Self, EncodingError> {
        match text {
            "public" => Ok(Self::Public),
            _ if text.len() == AUDIENCE_CHARACTERS && is_base32(text) => Ok(Self::Restricted(text.into())),
            _ => Err(EncodingError::new("audience", text, "public, or 26 lower-case base32 characters")),
        }
    }
}

/// The origin of a log, as it stands in its checkpoints and in every record's `log` line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// Whose log.
    pub authority: Authority,
    /// For whom.
    pub audience: AudienceId,
    /// A label; order is `previous`. 1900 to 9999.
    pub year: u16,
    /// The second and further logs of a year, from 1.
    pub n: Option<u32>,
}

serialize_as_text!(Origin, AudienceId);

impl Origin {
    /// The path under the authority's endpoint: `log/public/2020`.
    pub fn prefix(&self) -> String {
        let Self { audience, year, .. } = self;
        match self.n {
            Some(n) => format!("log/{audience}/{year}.{n}"),
            None => format!("log/{audience}/{year}"),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/log/{}/{}", self.authority, self.audience, self.year)?;
        self.n.map_or(Ok(()), |n| write!(f, ".{n}"))
    }
}

impl FromStr for Origin {
    type Err = EncodingError;

    fn from_str(text: &str) -> Result<Self, EncodingError> {
        let (authority, rest) = text.split_once('/').ok_or_else(|| malformed(text))?;
        after_authority(authority.parse()?, rest).ok_or_else(|| malformed(text))
    }
}

fn malformed(text: &str) -> EncodingError {
    EncodingError::new("origin", text, "<authority>/log/public|<26 base32>/<year>[.<n>]")
}

/// Parses an origin that is most likely of `known`, whose name is then shared and not checked again.
pub(crate) fn parse_likely_of(text: &str, known: &Authority) -> Result<Origin, EncodingError> {
    match text.strip_prefix(known.as_str()).and_then(|rest| rest.strip_prefix('/')) {
        Some(rest) => after_authority(known.clone(), rest).ok_or_else(|| malformed(text)),
        None => text.parse(),
    }
}

fn after_authority(authority: Authority, rest: &str) -> Option<Origin> {
    let mut parts = rest.split('/');
    if parts.next()? != "log" {
        return None;
    }
    let audience = parts.next()?.parse().ok()?;
    let label = parts.next()?;
    if parts.next().is_some() {
        return None;
    }
    let (year, n) = match label.split_once('.') {
        Some((year, n)) => (year, Some(decimal::<u32>(n).ok().filter(|n| *n > 0)?)),
        None => (label, None),
    };
    let year = decimal::<u16>(year).ok().filter(|y| (1900..=9999).contains(y))?;
    Some(Origin { authority, audience, year, n })
}
