//! *As of*: every page can be asked what was known at a moment, in one of three senses (protocol section 4).
//!
//! *Claimed* is what authors say of themselves, *proven* is what witnesses saw, *here* is when this node
//! first verified it. A page always names the sense it uses.

use std::fmt;
use std::str::FromStr;

/// In which sense a record existed at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Basis {
    /// The author's `released` is not later. The default.
    #[default]
    Claimed,
    /// Enough witnesses had cosigned a checkpoint that covers it.
    Proven,
    /// This node had verified it.
    Here,
}

impl Basis {
    /// The column of the table `entry` that holds this time, in seconds since 1970.
    pub const fn column(self) -> &'static str {
        match self {
            Self::Claimed => "released",
            Self::Proven => "proven",
            Self::Here => "here",
        }
    }
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Claimed => "claimed",
            Self::Proven => "proven",
            Self::Here => "here",
        })
    }
}

impl FromStr for Basis {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "claimed" => Ok(Self::Claimed),
            "proven" => Ok(Self::Proven),
            "here" => Ok(Self::Here),
            _ => Err(()),
        }
    }
}

/// The moment a page is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct AsOf {
    /// In which sense.
    pub basis: Basis,
    /// Seconds since 1970, inclusive; `None` is now, without a limit.
    pub at: Option<i64>,
}

impl AsOf {
    /// The moment as a bound for queries, seconds since 1970: what has no limit has the largest one.
    pub fn bound(self) -> i64 {
        self.at.unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_basis_is_a_word_in_addresses_and_a_column_in_the_index() {
        for basis in [Basis::Claimed, Basis::Proven, Basis::Here] {
            assert_eq!(basis.to_string().parse(), Ok(basis));
        }
        assert_eq!(Basis::Claimed.column(), "released");
        assert_eq!(AsOf::default().bound(), i64::MAX);
    }
}
