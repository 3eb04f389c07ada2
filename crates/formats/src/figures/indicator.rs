//! Indicators: what is counted, as a code, and as HXL columns say it.
//!
//! The codes of the table below are this project's; any other code is an authority's own and is read and written
//! just the same. What exactly is counted is the definition, which is not said here.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use super::figure::FigureError;
use crate::hxl::Tag;

/// The longest code, in bytes.
const MAX_CODE_BYTES: usize = 64;
/// Before the code in the tag of an indicator that has none of its own.
const CODE_ATTRIBUTE: &str = "code_";

/// Code, and the tag under which it is written. All count people, and so are whole numbers.
const KNOWN: [(&str, &str); 13] = [
    ("cases-confirmed-cumulative", "#affected+infected+confirmed+cumulative"),
    ("cases-confirmed-new", "#affected+infected+confirmed+new"),
    ("cases-probable-cumulative", "#affected+infected+probable+cumulative"),
    ("cases-probable-new", "#affected+infected+probable+new"),
    ("cases-suspected-cumulative", "#affected+infected+suspected+cumulative"),
    ("cases-suspected-new", "#affected+infected+suspected+new"),
    ("deaths-cumulative", "#affected+infected+killed+cumulative"),
    ("deaths-new", "#affected+infected+killed+new"),
    ("recovered-cumulative", "#affected+infected+recovered+cumulative"),
    ("recovered-new", "#affected+infected+recovered+new"),
    ("cases-active", "#affected+infected+active"),
    ("hospitalised", "#affected+infected+hospitalised"),
    ("critical", "#affected+infected+critical"),
];

/// Attribute of `#affected`, in order of precedence: deaths among confirmed cases are deaths.
const MEASURES: [(&str, &str); 13] = [
    ("killed", "deaths"),
    ("dead", "deaths"),
    ("deaths", "deaths"),
    ("recovered", "recovered"),
    ("active", "cases-active"),
    ("critical", "critical"),
    ("severe", "critical"),
    ("hospitalised", "hospitalised"),
    ("hospitalized", "hospitalised"),
    ("suspected", "cases-suspected"),
    ("probable", "cases-probable"),
    ("confirmed", "cases-confirmed"),
    ("cases", "cases-confirmed"),
];

/// Attributes that are a part of the population: of which breakdown, and which part.
const PARTS: [(&str, &str); 8] = [
    ("f", "sex"),
    ("m", "sex"),
    ("i", "sex"),
    ("infants", "age"),
    ("children", "age"),
    ("adolescents", "age"),
    ("adults", "age"),
    ("elderly", "age"),
];

/// A code such as `deaths-cumulative`: lower-case letters, digits and `-`, at most 64.
#[derive(Clone)]
pub struct Indicator(Code);

#[derive(Clone)]
enum Code {
    Known(&'static str),
    Own(Arc<str>),
}

impl Indicator {
    /// Reads a code.
    pub fn new(code: &str) -> Result<Indicator, FigureError> {
        if let Some((known, _)) = KNOWN.iter().find(|(known, _)| *known == code) {
            return Ok(Indicator(Code::Known(known)));
        }
        let good = (1..=MAX_CODE_BYTES).contains(&code.len())
            && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if good {
            Ok(Indicator(Code::Own(code.into())))
        } else {
            Err(FigureError::Indicator { text: code.chars().take(MAX_CODE_BYTES).collect() })
        }
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Code::Known(code) => code,
            Code::Own(code) => code,
        }
    }

    /// Whether the value can be nothing but a whole number of people.
    pub fn counts_people(&self) -> bool {
        matches!(self.0, Code::Known(_))
    }

    /// Whether the value adds up everything until the end of the period.
    pub fn is_cumulative(&self) -> bool {
        self.as_str().ends_with("-cumulative")
    }

    /// The tag of the column in which the indicator is written.
    pub fn tag(&self) -> String {
        match KNOWN.iter().find(|(code, _)| *code == self.as_str()) {
            Some((_, tag)) => (*tag).to_owned(),
            None => format!("#indicator+num+{CODE_ATTRIBUTE}{}", self.as_str().replace('-', "_")),
        }
    }
}

/// What a column of an indicator holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Measure {
    pub(crate) indicator: Indicator,
    pub(crate) parts: Vec<(String, String)>,
    /// The tag says neither `+cumulative` nor `+new`, and is read as cumulative.
    pub(crate) assumed_cumulative: bool,
}

impl Measure {
    /// What an `#affected` tag means; nothing if it says something that is not understood. An attribute that is
    /// ignored would count a part of the people as all of them, so that none is.
    pub(crate) fn of_affected(tag: &Tag) -> Option<Measure> {
        let (base, attribute) = MEASURES
            .iter()
            .find(|(attribute, _)| tag.has(attribute))
            .map(|(attribute, base)| (*base, *attribute))?;
        let mut parts = Vec::new();
        let (mut cumulative, mut total, mut new) = (false, false, false);
        for own in tag.attributes() {
            match own.as_str() {
                "cumulative" => cumulative = true,
                "total" => total = true,
                "new" => new = true,
                "infected" | "num" | "cases" => {}
                // `+confirmed+killed`: the deaths of confirmed cases.
                "confirmed" if base == "deaths" || base == "recovered" || base == "cases-active" => {}
                other if other == attribute => {}
                other => parts.push(part(other)?),
            }
        }
        let standing = Indicator::new(base).ok().filter(Indicator::counts_people);
        let (indicator, assumed_cumulative) = match (standing, cumulative || total, new) {
            // A number of people at a time: `+total` adds nothing, the others would be another thing.
            (Some(indicator), _, false) if !cumulative => (indicator, false),
            (None, true, false) => (Indicator::new(&format!("{base}-cumulative")).ok()?, false),
            (None, false, true) => (Indicator::new(&format!("{base}-new")).ok()?, false),
            (None, false, false) => (Indicator::new(&format!("{base}-cumulative")).ok()?, true),
            _ => return None,
        };
        Some(Measure { indicator, parts, assumed_cumulative })
    }

    /// What `#indicator+num+code_icu_beds` means; nothing if the tag has no code or something not understood.
    pub(crate) fn of_code(tag: &Tag) -> Option<Measure> {
        let mut code = None;
        let mut parts = Vec::new();
        for own in tag.attributes() {
            match (own.as_str(), own.strip_prefix(CODE_ATTRIBUTE)) {
                (_, Some(own)) if code.is_none() => code = Some(own.replace('_', "-")),
                ("num" | "value", _) => {}
                (other, _) => parts.push(part(other)?),
            }
        }
        let indicator = Indicator::new(&code?).ok()?;
        Some(Measure { indicator, parts, assumed_cumulative: false })
    }

    pub(crate) fn has_code(tag: &Tag) -> bool {
        tag.attributes().iter().any(|own| own.starts_with(CODE_ATTRIBUTE))
    }
}

fn part(attribute: &str) -> Option<(String, String)> {
    let (part, of) = PARTS.iter().find(|(part, _)| *part == attribute)?;
    Some(((*of).to_owned(), (*part).to_owned()))
}

impl PartialEq for Indicator {
    fn eq(&self, other: &Indicator) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Indicator {}

impl PartialOrd for Indicator {
    fn partial_cmp(&self, other: &Indicator) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Indicator {
    fn cmp(&self, other: &Indicator) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Hash for Indicator {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Display for Indicator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Indicator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Indicator {
    type Err = FigureError;

    fn from_str(text: &str) -> Result<Indicator, FigureError> {
        Indicator::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn affected(tag: &str) -> Option<(String, bool)> {
        let measure = Measure::of_affected(&tag.parse().expect("a tag"))?;
        Some((measure.indicator.to_string(), measure.assumed_cumulative))
    }

    #[test]
    fn every_known_indicator_is_read_from_the_tag_under_which_it_is_written() {
        for (code, tag) in KNOWN {
            assert_eq!(affected(tag), Some((code.to_owned(), false)), "{tag}");
            assert_eq!(Indicator::new(code).expect("a code").tag(), tag);
        }
    }

    #[test]
    fn tags_of_2020_are_understood() {
        for (tag, code, assumed) in [
            ("#affected+infected+confirmed+total", "cases-confirmed-cumulative", false),
            ("#affected+infected+confirmed", "cases-confirmed-cumulative", true),
            ("#affected+infected+dead+new", "deaths-new", false),
            ("#affected+killed+total", "deaths-cumulative", false),
            ("#affected+deaths+confirmed+cumulative", "deaths-cumulative", false),
            ("#affected+infected+recovered", "recovered-cumulative", true),
            ("#affected+infected+active+total", "cases-active", false),
        ] {
            assert_eq!(affected(tag), Some((code.to_owned(), assumed)), "{tag}");
        }
    }

    #[test]
    fn a_tag_that_says_something_unknown_is_not_read_as_if_it_did_not() {
        for tag in [
            "#affected+infected+confirmed+hcw",
            "#affected+infected",
            "#affected+infected+confirmed+new+total",
            "#affected+infected+active+new",
            "#affected+infected+hospitalised+cumulative",
            "#affected+displaced",
            "#affected+infected+confirmed+suspected",
        ] {
            assert_eq!(affected(tag), None, "{tag}");
        }
    }

    #[test]
    fn codes_of_ones_own_have_tags_too() {
        let beds = Indicator::new("icu-beds-2").expect("a code");
        assert_eq!(beds.tag(), "#indicator+num+code_icu_beds_2");
        let tag: Tag = beds.tag().parse().expect("a tag");
        assert_eq!(Measure::of_code(&tag).map(|measure| measure.indicator), Some(beds));
        assert!(Indicator::new("ICU beds").is_err());
        assert!(Indicator::new("").is_err());
    }

    #[test]
    fn parts_of_the_population_are_disaggregation() {
        let tag = "#affected+infected+confirmed+cumulative+f+children".parse().expect("a tag");
        let measure = Measure::of_affected(&tag).expect("a measure");
        let pairs = [("sex".to_owned(), "f".to_owned()), ("age".to_owned(), "children".to_owned())];
        assert_eq!(measure.parts, pairs);
    }
}
