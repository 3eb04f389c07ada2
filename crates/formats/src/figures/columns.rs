//! What a column of a table of figures holds: by its HXL tag, by the reader's mapping, or guessed from its header.
//!
//! Whatever was understood, and how, can be shown before anything is imported ([`Layout`]). A column that is not understood
//! is listed as unused; one that says something about people which is not understood is an error.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::error::{ColumnAt, LayoutError, shown};
use super::figure::Disaggregation;
use super::indicator::{Indicator, Measure};
use crate::hxl::Tag;
use crate::places::fold;

const HEADERS: &str = include_str!("../../data/headers.tsv");

static GUESSES: LazyLock<HashMap<String, Tag>> = LazyLock::new(|| {
    let lines = HEADERS.lines().filter(|line| !line.starts_with('#')).skip(1);
    lines
        .map(|line| {
            let (header, tag) = line.split_once('\t').expect("headers.tsv has a header, a tab and a tag");
            (fold(header), tag.parse().expect("headers.tsv has good tags"))
        })
        .collect()
});

/// How a table was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// What parts the cells: `,`, `;`, tab or `|`.
    pub delimiter: char,
    /// The rows above the first row of figures.
    pub rows_above: usize,
    /// Every column, in order.
    pub columns: Vec<ColumnUse>,
}

/// How one column was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnUse {
    /// Where it is, and its header.
    pub at: ColumnAt,
    /// Its tag: its own, or the one that the mapping or the guess gave it.
    pub tag: Option<Tag>,
    /// Where the tag comes from.
    pub how: How,
    /// What it holds.
    pub meaning: Meaning,
}

/// Where a column's tag comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// From the table's own tag row.
    Tagged,
    /// From the mapping that the reader was given.
    Mapped,
    /// Guessed from the header.
    Guessed,
    /// There is none.
    Untagged,
}

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// The day, or the period in one cell.
    Date,
    /// The first day of the period.
    PeriodStart,
    /// The last day of the period.
    PeriodEnd,
    /// ISO 3166-1 alpha-3 or alpha-2 codes.
    CountryCode,
    /// Names of countries, in any of the six languages.
    CountryName,
    /// Names of regions above countries.
    Region,
    /// Names, or codes, of places within a country; level 1 is the province.
    Subdivision {
        /// From 1 to 5.
        level: u8,
        /// Whether these are codes.
        code: bool,
    },
    /// Names of other places.
    Location,
    /// Values of one indicator.
    Values {
        /// Of which.
        indicator: Indicator,
        /// Of which part of the population.
        disaggregation: Disaggregation,
        /// Neither the tag nor the header says whether the values are cumulative: they are read as if.
        assumed_cumulative: bool,
    },
    /// Codes of indicators, one row per figure.
    IndicatorCode,
    /// The values to those codes.
    IndicatorValue,
    /// Values of one name of the disaggregation, such as `age`.
    Group(String),
    /// Names of definitions.
    Definition,
    /// Reasons of corrections.
    Reason,
    /// Sources.
    Source,
    /// Nothing that a figure needs.
    Unused,
}

impl Meaning {
    /// What a tag means; nothing if it says something about figures that is not understood.
    pub(crate) fn of_tag(tag: &Tag) -> Option<Meaning> {
        let meaning = match tag.name() {
            "#date" => Meaning::of_date(tag),
            "#country" => Meaning::of_country(tag),
            "#region" | "#loc" if tag.has("code") => Meaning::Unused,
            "#region" => Meaning::Region,
            "#loc" => Meaning::Location,
            "#affected" => Meaning::of_measure(&Measure::of_affected(tag)?)?,
            "#indicator" if Measure::has_code(tag) => Meaning::of_measure(&Measure::of_code(tag)?)?,
            "#indicator" if tag.has("code") => Meaning::IndicatorCode,
            "#indicator" if tag.has("num") || tag.has("value") => Meaning::IndicatorValue,
            "#group" => match tag.attributes() {
                [name] => Meaning::Group(name.clone()),
                _ => return None,
            },
            "#meta" if tag.has("definition") => Meaning::Definition,
            "#meta" if tag.has("reason") => Meaning::Reason,
            "#meta" if tag.has("source") => Meaning::Source,
            name => match name.strip_prefix("#adm").and_then(|level| level.parse().ok()) {
                Some(level @ 1..=5) => {
                    Meaning::Subdivision { level, code: tag.has("code") || tag.has("pcode") }
                }
                _ => Meaning::Unused,
            },
        };
        Some(meaning)
    }

    fn of_date(tag: &Tag) -> Meaning {
        let said = |word: &str| tag.has(word);
        let only_known = tag
            .attributes()
            .iter()
            .all(|own| matches!(own.as_str(), "reported" | "occurred" | "event" | "reference"));
        match (said("start"), said("end")) {
            (true, false) => Meaning::PeriodStart,
            (false, true) => Meaning::PeriodEnd,
            // `#date+updated`, `#date+published` are dates of the table, not of the figure.
            _ if only_known => Meaning::Date,
            _ => Meaning::Unused,
        }
    }

    fn of_country(tag: &Tag) -> Meaning {
        let vocabulary = tag.attributes().iter().find(|own| own.starts_with("v_"));
        let iso = tag.has("iso3") || tag.has("iso2");
        match vocabulary.map(String::as_str) {
            Some("v_iso3" | "v_iso2") => Meaning::CountryCode,
            Some(_) => Meaning::Unused,
            None if tag.has("code") || iso => Meaning::CountryCode,
            None => Meaning::CountryName,
        }
    }

    fn of_measure(measure: &Measure) -> Option<Meaning> {
        let pairs = measure.parts.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        Some(Meaning::Values {
            disaggregation: Disaggregation::new(pairs).ok()?,
            indicator: measure.indicator.clone(),
            assumed_cumulative: measure.assumed_cumulative,
        })
    }

    /// Whether several columns may say this: names in several languages, codes of two lengths.
    pub(crate) fn may_repeat(&self) -> bool {
        matches!(self, Meaning::Unused | Meaning::CountryCode | Meaning::CountryName)
    }
}

/// Which header stands for which tag: `Date=#date,Country=#country+name,Province=-`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HeaderMap {
    /// Header and tag; no tag for a column to leave out.
    entries: Vec<(String, Option<Tag>)>,
}

impl HeaderMap {
    /// Reads a mapping. A header may have commas and equals signs: an entry ends at the first comma behind its tag.
    pub fn read(text: &str) -> Result<HeaderMap, LayoutError> {
        let mut entries = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() {
            let bad = || LayoutError::Map { text: shown(rest) };
            let at = [rest.find("=#"), rest.find("=-")].into_iter().flatten().min().ok_or_else(bad)?;
            let (header, tail) = (&rest[..at], &rest[at + 1..]);
            let (tag, after) = tail.split_once(',').unwrap_or((tail, ""));
            let tag = match tag.trim() {
                "-" => None,
                tag => Some(tag.parse().map_err(|_| bad())?),
            };
            if header.trim().is_empty() {
                return Err(bad());
            }
            entries.push((header.trim().to_owned(), tag));
            rest = after.trim_start();
        }
        Ok(HeaderMap { entries })
    }

    /// Whether nothing is mapped.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn find(&self, header: &str) -> Option<&Option<Tag>> {
        let exact = self.entries.iter().find(|(own, _)| own == header.trim());
        let folded =
            || self.entries.iter().find(|(own, _)| !header.trim().is_empty() && fold(own) == fold(header));
        exact.or_else(folded).map(|(_, tag)| tag)
    }
}

/// Understands every column.
pub(crate) fn understand(
    headers: &[String],
    tags: Option<&[Option<Tag>]>,
    map: &HeaderMap,
) -> Result<Vec<ColumnUse>, LayoutError> {
    for (header, _) in &map.entries {
        if !headers.iter().any(|own| own.trim() == header || fold(own) == fold(header)) {
            return Err(LayoutError::HeaderMissing { header: header.clone() });
        }
    }
    let count = headers.len().max(tags.map_or(0, <[_]>::len));
    let mut columns: Vec<ColumnUse> = Vec::with_capacity(count);
    for column in 0..count {
        let header = headers.get(column).map_or("", |header| header.trim());
        let own = tags.and_then(|tags| tags.get(column)).and_then(Option::as_ref);
        let (how, tag) = match (map.find(header), own) {
            (Some(mapped), _) => (How::Mapped, mapped.clone()),
            (None, Some(own)) => (How::Tagged, Some(own.clone())),
            (None, None) if tags.is_none() && map.is_empty() => match GUESSES.get(&fold(header)) {
                Some(tag) => (How::Guessed, Some(tag.clone())),
                None => (How::Untagged, None),
            },
            (None, None) => (How::Untagged, None),
        };
        let shown_header =
            if header.is_empty() { own.map(Tag::to_string).unwrap_or_default() } else { shown(header) };
        let at = ColumnAt { number: column + 1, header: shown_header };
        let meaning = match &tag {
            Some(tag) => Meaning::of_tag(tag)
                .ok_or_else(|| LayoutError::TagUnclear { column: at.clone(), tag: tag.to_string() })?,
            None => Meaning::Unused,
        };
        let twin = columns.iter().find(|other| !meaning.may_repeat() && same(&other.meaning, &meaning));
        if let Some(twin) = twin {
            return Err(LayoutError::Twice { first: twin.at.clone(), second: at });
        }
        columns.push(ColumnUse { at, tag, how, meaning });
    }
    Ok(columns)
}

fn same(a: &Meaning, b: &Meaning) -> bool {
    match (a, b) {
        (
            Meaning::Values { indicator, disaggregation, .. },
            Meaning::Values { indicator: other, disaggregation: of, .. },
        ) => (indicator, disaggregation) == (other, of),
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meanings(headers: &[&str], map: &str) -> Result<Vec<Meaning>, LayoutError> {
        let headers: Vec<String> = headers.iter().map(|header| (*header).to_owned()).collect();
        let columns = understand(&headers, None, &HeaderMap::read(map)?)?;
        Ok(columns.into_iter().map(|column| column.meaning).collect())
    }

    #[test]
    fn every_header_of_the_table_of_guesses_is_read() {
        for line in HEADERS.lines().filter(|line| !line.starts_with('#')).skip(1) {
            let (header, tag) = line.split_once('\t').expect("two fields");
            let tag: Tag = tag.parse().expect("a tag");
            let meaning = Meaning::of_tag(&tag).expect("understood");
            assert_ne!(meaning, Meaning::Unused, "{header}");
            assert_eq!(meanings(&[&header.to_uppercase()], ""), Ok(vec![meaning]), "{header}");
        }
    }

    #[test]
    fn a_mapping_names_headers_with_commas_too() {
        let map = HeaderMap::read("Day=#date, Cases, all=#affected+infected+confirmed+total,Province=-")
            .expect("a map");
        let headers: Vec<&str> = map.entries.iter().map(|(header, _)| header.as_str()).collect();
        assert_eq!(headers, ["Day", "Cases, all", "Province"]);
        assert_eq!(map.entries[2].1, None);
        for bad in ["Date", "Date=date", "=#date", "Date=#da te"] {
            assert!(HeaderMap::read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn with_a_mapping_nothing_is_guessed() {
        assert_eq!(meanings(&["Date", "Deaths"], "Date=#date"), Ok(vec![Meaning::Date, Meaning::Unused]));
        let missing = LayoutError::HeaderMissing { header: "Tag".into() };
        assert_eq!(meanings(&["Date", "Deaths"], "Tag=#date"), Err(missing));
    }

    #[test]
    fn two_columns_of_one_thing_are_an_error() {
        assert!(matches!(meanings(&["Date", "Fecha"], ""), Err(LayoutError::Twice { .. })));
        assert!(matches!(meanings(&["Deaths", "Total deaths"], ""), Err(LayoutError::Twice { .. })));
        assert!(meanings(&["Country", "Pays"], "").is_ok());
    }

    #[test]
    fn dates_of_the_table_are_not_dates_of_figures() {
        let meaning = |tag: &str| Meaning::of_tag(&tag.parse().expect("a tag"));
        assert_eq!(meaning("#date+updated"), Some(Meaning::Unused));
        assert_eq!(meaning("#date+reported"), Some(Meaning::Date));
        assert_eq!(meaning("#country+code+v_m49"), Some(Meaning::Unused));
        assert_eq!(meaning("#affected+infected+confirmed+hcw"), None);
        assert_eq!(meaning("#adm2+pcode"), Some(Meaning::Subdivision { level: 2, code: true }));
    }
}
