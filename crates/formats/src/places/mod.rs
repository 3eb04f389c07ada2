//! Places: ISO 3166-1 alpha-3 keys, and everything else kept as the text that was stated.
//!
//! A country is keyed by its ISO 3166-1 alpha-3 code. A cruise ship, a province, a region or a place that no table
//! names stays text: it is never guessed, never dropped and never counted as a country. Names come from tables
//! (`data/places`), which a node can lay its own over; this code holds no name of any place.

mod fold;
mod groups;
mod names;

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;
use std::sync::Arc;

pub use fold::fold;
pub use groups::{Group, Groups, GroupsError, Member};
pub use names::{LANGUAGES, OverrideError, PlaceNames};

/// The longest name of a place that is kept, in bytes.
pub const MAX_PLACE_BYTES: usize = 200;

/// A code of the form of ISO 3166-1 alpha-3: three letters `A` to `Z`.
///
/// The form is checked here; whether it is listed is asked of [`PlaceNames::contains`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Iso3([u8; 3]);

impl Iso3 {
    /// Reads three ASCII letters of any case.
    pub fn new(text: &str) -> Option<Iso3> {
        let bytes: [u8; 3] = text.as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_alphabetic).then(|| Iso3(bytes.map(|byte| byte.to_ascii_uppercase())))
    }

    /// The code in upper case.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("three ASCII letters")
    }

    /// Whether ISO 3166-1 leaves this code to its users: `AAA`–`AAZ`, `QMA`–`QZZ`, `XAA`–`XZZ`, `ZZA`–`ZZZ`.
    pub fn is_user_assigned(&self) -> bool {
        matches!(self.0, [b'A', b'A', _] | [b'Q', b'M'..=b'Z', _] | [b'X', ..] | [b'Z', b'Z', _])
    }
}

impl fmt::Display for Iso3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Iso3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Iso3 {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Iso3, PlaceError> {
        Iso3::new(text).ok_or_else(|| PlaceError::Code { text: text.to_owned() })
    }
}

/// Why a text can be no place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// Nothing is left when blanks are taken away.
    #[error("a place needs a name")]
    Empty,
    /// Longer than [`MAX_PLACE_BYTES`].
    #[error("the name of a place has at most {MAX_PLACE_BYTES} bytes")]
    TooLong,
    /// A control character, or `|`, which parts the fields of a figure's key.
    #[error("the name of a place has no control characters and no |")]
    Character,
    /// No code of three letters.
    #[error("{text:?} is no code of three letters")]
    Code {
        /// The text as it stands.
        text: String,
    },
}

/// A place as text: trimmed, with single blanks, without control characters and `|`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlaceText(Arc<str>);

impl PlaceText {
    /// Takes the text as it was stated; only blanks are made single.
    pub fn new(text: &str) -> Result<PlaceText, PlaceError> {
        let mut words = text.split_whitespace();
        let mut clean = words.next().ok_or(PlaceError::Empty)?.to_owned();
        for word in words {
            clean.push(' ');
            clean.push_str(word);
        }
        if clean.len() > MAX_PLACE_BYTES {
            return Err(PlaceError::TooLong);
        }
        if clean.contains(|c: char| c.is_control() || c == '|') {
            return Err(PlaceError::Character);
        }
        Ok(PlaceText(clean.into()))
    }
}

impl Deref for PlaceText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PlaceText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for PlaceText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Where a figure holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// An entry of ISO 3166-1, or a user-assigned code that the node has declared.
    Country(Iso3),
    /// Everything else, as text: `Diamond Princess`, `Hubei, CHN`, `African Region`.
    Named(PlaceText),
}

impl Place {
    /// A place that is text.
    pub fn named(text: &str) -> Result<Place, PlaceError> {
        PlaceText::new(text).map(Place::Named)
    }

    /// The country's code, if the place is a country.
    pub fn country(&self) -> Option<Iso3> {
        match self {
            Place::Country(code) => Some(*code),
            Place::Named(_) => None,
        }
    }
}

const TEXT_PREFIX: &str = "text:";

/// `CHN`, or `text:Diamond Princess`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Country(code) => code.fmt(f),
            Place::Named(text) => write!(f, "{TEXT_PREFIX}{text}"),
        }
    }
}

impl FromStr for Place {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Place, PlaceError> {
        match text.strip_prefix(TEXT_PREFIX) {
            Some(name) => Place::named(name),
            None if text.bytes().all(|byte| byte.is_ascii_uppercase()) => text.parse().map(Place::Country),
            None => Err(PlaceError::Code { text: text.to_owned() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_code_or_a_text_and_its_text_form_says_which() {
        let china: Place = "CHN".parse().expect("a code");
        assert_eq!(china.country(), Iso3::new("chn"));
        let ship = Place::named("  Diamond \t Princess ").expect("a ship");
        assert_eq!(ship.to_string(), "text:Diamond Princess");
        assert_eq!(ship.to_string().parse(), Ok(ship));
        assert_ne!(Place::named("CHN").expect("a text"), china);
        assert!("chn".parse::<Place>().is_err());
    }

    #[test]
    fn what_would_break_a_key_is_refused() {
        assert_eq!(Place::named(" "), Err(PlaceError::Empty));
        assert_eq!(Place::named("a|b"), Err(PlaceError::Character));
        assert_eq!(Place::named("a\u{7}b"), Err(PlaceError::Character));
        assert_eq!(Place::named(&"x".repeat(201)), Err(PlaceError::TooLong));
    }

    #[test]
    fn user_assigned_codes_are_those_of_the_standard() {
        for (code, user) in
            [("XKX", true), ("QMA", true), ("QAT", false), ("ZZZ", true), ("AAZ", true), ("ABW", false)]
        {
            assert_eq!(Iso3::new(code).expect("a code").is_user_assigned(), user, "{code}");
        }
    }
}
