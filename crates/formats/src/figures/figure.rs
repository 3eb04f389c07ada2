//! A figure and its key.
//!
//! The key is everything but the author and the value. Its text form is stable: it may be stored and compared.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use super::{Indicator, Period, Value};
use crate::hxl::is_word;
use crate::places::Place;

/// The longest name of a definition, in bytes.
const MAX_DEFINITION_BYTES: usize = 64;
/// The longest text (a reason, a source), in bytes.
const MAX_TEXT_BYTES: usize = 2_000;
/// The most pairs of a disaggregation.
const MAX_PAIRS: usize = 8;
/// The longest name or value in a disaggregation, in bytes.
const MAX_PAIR_BYTES: usize = 64;

/// Why a part of a figure is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FigureError {
    /// No code of an indicator.
    #[error("{text:?} is no indicator: lower-case letters, digits and -, at most 64")]
    Indicator {
        /// What stands there.
        text: String,
    },
    /// No name of a definition.
    #[error("{text:?} is no definition: lower-case letters, digits and - . _ /, at most 64")]
    Definition {
        /// What stands there.
        text: String,
    },
    /// No name or no value of a disaggregation, or one name twice, or too many.
    #[error("{text:?} is no part of a population: at most 64 bytes, without control characters and | , =")]
    Disaggregation {
        /// What stands there.
        text: String,
    },
    /// A text is empty, longer than 2,000 bytes or has control characters.
    #[error("a text has 1 to {MAX_TEXT_BYTES} bytes and no control characters but line ends")]
    Text,
    /// The text of a key has not its five fields.
    #[error("the key of a figure is place|period|definition|disaggregation|indicator")]
    Key,
    /// A place or a period in a key cannot be read.
    #[error("{text:?} cannot be read in the key of a figure")]
    KeyField {
        /// What stands there.
        text: String,
    },
}

/// The name of the text that says what exactly is counted, such as `who-2020-02-27`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DefinitionId(Arc<str>);

static AS_REPORTED: LazyLock<DefinitionId> = LazyLock::new(|| DefinitionId("as-reported".into()));

impl DefinitionId {
    /// Reads a name.
    pub fn new(text: &str) -> Result<DefinitionId, FigureError> {
        let good = (1..=MAX_DEFINITION_BYTES).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._/".contains(&b));
        if good {
            Ok(DefinitionId(text.into()))
        } else {
            Err(FigureError::Definition { text: shorten(text) })
        }
    }

    /// `as-reported`: the definition that the author applied at the time, whatever it was. Used where none is stated.
    pub fn as_reported() -> DefinitionId {
        AS_REPORTED.clone()
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for DefinitionId {
    fn default() -> DefinitionId {
        DefinitionId::as_reported()
    }
}

/// A text of people for people: a reason, a source. Trimmed, with `\n` as line end.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(Arc<str>);

impl Text {
    /// Reads a text.
    pub fn new(text: &str) -> Result<Text, FigureError> {
        let text = text.trim();
        let clean =
            if text.contains('\r') { text.replace("\r\n", "\n").into() } else { Arc::<str>::from(text) };
        let good = (1..=MAX_TEXT_BYTES).contains(&clean.len())
            && !clean.contains(|c: char| c.is_control() && c != '\n');
        if good { Ok(Text(clean)) } else { Err(FigureError::Text) }
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// Which part of the population: sorted pairs such as `age=0-4`, `sex=f`. Nothing means all of them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Disaggregation(Option<Arc<[Pair]>>);

/// A name and its value.
type Pair = (Arc<str>, Arc<str>);

impl Disaggregation {
    /// Takes pairs in any order. A name is a word of HXL (`age`, `sex`, `hcw_role`).
    pub fn new<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Disaggregation, FigureError> {
        let mut sorted: Vec<Pair> = Vec::new();
        for (name, value) in pairs {
            let value = value.trim();
            let bad = |c: char| c.is_control() || matches!(c, '|' | ',' | '=');
            let good = is_word(name)
                && name.len() <= MAX_PAIR_BYTES
                && (1..=MAX_PAIR_BYTES).contains(&value.len())
                && !value.contains(bad)
                && sorted.len() < MAX_PAIRS
                && sorted.iter().all(|(own, _)| **own != *name);
            if !good {
                return Err(FigureError::Disaggregation { text: shorten(&format!("{name}={value}")) });
            }
            sorted.push((name.into(), value.into()));
        }
        sorted.sort();
        Ok(Disaggregation((!sorted.is_empty()).then(|| sorted.into())))
    }

    /// The pairs, sorted by name.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(|pairs| pairs.iter()).map(|(name, value)| (&**name, &**value))
    }

    /// Whether the figure is of the whole population.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The value of one name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs().find(|(own, _)| *own == name).map(|(_, value)| value)
    }
}

/// Which figure it is, whoever states it: a figure without its author and its value.
///
/// The order is that of the canonical table: by place, period, definition, disaggregation, indicator.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FigureKey {
    /// Where it holds.
    pub place: Place,
    /// For which days.
    pub period: Period,
    /// By which definition.
    pub definition: DefinitionId,
    /// Of which part of the population.
    pub disaggregation: Disaggregation,
    /// What is counted.
    pub indicator: Indicator,
}

/// One statement: a key, its value, and what the author says about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// Which figure.
    pub key: FigureKey,
    /// Its value.
    pub value: Value,
    /// Why the value differs from an earlier one, if the author says so.
    pub reason: Option<Text>,
    /// Where the author has it from, if the author says so.
    pub source: Option<Text>,
}

/// `CHN|2020-04-16|as-reported||deaths-cumulative`: place, period, definition, disaggregation, indicator.
impl fmt::Display for FigureKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FigureKey { place, period, definition, disaggregation, indicator } = self;
        write!(f, "{place}|{period}|{definition}|{disaggregation}|{indicator}")
    }
}

impl FromStr for FigureKey {
    type Err = FigureError;

    fn from_str(text: &str) -> Result<FigureKey, FigureError> {
        let mut fields = text.split('|');
        let mut field = || fields.next().ok_or(FigureError::Key);
        let (place, period, definition, parts, indicator) =
            (field()?, field()?, field()?, field()?, field()?);
        if fields.next().is_some() {
            return Err(FigureError::Key);
        }
        let key = FigureKey {
            place: place.parse().map_err(|_| FigureError::KeyField { text: shorten(place) })?,
            period: period.parse().map_err(|_| FigureError::KeyField { text: shorten(period) })?,
            definition: DefinitionId::new(definition)?,
            disaggregation: parts.parse()?,
            indicator: Indicator::new(indicator)?,
        };
        // One key has one text.
        if key.to_string() == text { Ok(key) } else { Err(FigureError::KeyField { text: shorten(text) }) }
    }
}

/// `age=0-4,sex=f`; nothing for the whole population.
impl fmt::Display for Disaggregation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (name, value)) in self.pairs().enumerate() {
            write!(f, "{}{name}={value}", if at > 0 { "," } else { "" })?;
        }
        Ok(())
    }
}

impl FromStr for Disaggregation {
    type Err = FigureError;

    fn from_str(text: &str) -> Result<Disaggregation, FigureError> {
        if text.is_empty() {
            return Ok(Disaggregation::default());
        }
        let pairs: Option<Vec<_>> = text.split(',').map(|pair| pair.split_once('=')).collect();
        Disaggregation::new(pairs.ok_or_else(|| FigureError::Disaggregation { text: shorten(text) })?)
    }
}

/// The beginning of a text, for an error.
fn shorten(text: &str) -> String {
    text.chars().take(80).collect()
}

macro_rules! shown_as_text {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    )*};
}

shown_as_text!(DefinitionId, Text);

impl fmt::Debug for Disaggregation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{self}}}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_one_text() {
        let text = "CHN|2020-04-16|as-reported|age=0-4,sex=f|deaths-cumulative";
        let key: FigureKey = text.parse().expect("a key");
        assert_eq!(key.to_string(), text);
        assert_eq!(key.disaggregation.get("sex"), Some("f"));
        for bad in [
            "CHN|2020-04-16|as-reported||deaths-cumulative|",
            "CHN|2020-04-16|as-reported|sex=f,age=0-4|deaths-cumulative",
            "text: x|2020-04-16|as-reported||deaths-cumulative",
            "CHN|2020-4-16|as-reported||deaths-cumulative",
            "China|2020-04-16|as-reported||deaths-cumulative",
            "",
        ] {
            assert!(bad.parse::<FigureKey>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_disaggregation_is_sorted_and_says_a_thing_once() {
        let parts = Disaggregation::new([("sex", "f"), ("age", " 0-4 ")]).expect("two pairs");
        assert_eq!(parts.to_string(), "age=0-4,sex=f");
        assert!(Disaggregation::new([("sex", "f"), ("sex", "m")]).is_err());
        assert!(Disaggregation::new([("sex", "a,b")]).is_err());
        assert!(Disaggregation::new([("Sex", "f")]).is_err());
        assert!(Disaggregation::new([]).expect("nobody in particular").is_empty());
    }

    #[test]
    fn a_reason_is_a_text_and_not_a_blank() {
        assert_eq!(
            Text::new(" late reports\r\nchecked ").expect("a text").to_string(),
            "late reports\nchecked"
        );
        assert_eq!(Text::new(" \n "), Err(FigureError::Text));
        assert_eq!(Text::new("\u{1b}[31m"), Err(FigureError::Text));
        assert_eq!(Text::new(&"x".repeat(2001)), Err(FigureError::Text));
    }
}
