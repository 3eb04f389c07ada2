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
    /// An SQL condition on the entry `alias`; true for everything when no moment is asked for.
    ///
    /// The moment is a number of ours, so it is written into the text and needs no parameter.
    pub fn condition(self, alias: &'static str) -> String {
        match self.at {
            None => "1 = 1".to_owned(),
            Some(at) => format!("{alias}.{} <= {at}", self.basis.column()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_becomes_a_condition_on_the_time_it_names() {
        let asof = AsOf { basis: Basis::Proven, at: Some(1_580_515_199) };
        assert_eq!(asof.condition("e"), "e.proven <= 1580515199");
        assert_eq!(AsOf::default().condition("e"), "1 = 1");
    }
}
