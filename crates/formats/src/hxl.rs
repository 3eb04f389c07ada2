//! Hashtag specifications and tag rows of the Humanitarian Exchange Language, version 1.1
//! (<https://hxlstandard.org/standard/1-1final/tagging/>).
//!
//! A tag says what a column holds: `#affected+infected+confirmed`. The order of attributes means nothing, and a
//! tag row stands within the first rows of a table, below its human headers.
//!
//! This module reads tags. It never reads cells, and knows no indicator: that is `figures`.

use std::fmt;
use std::str::FromStr;

/// How many rows may stand above the tag row, the tag row included. HXL asks readers to look at the first 25.
pub const TAG_ROW_WITHIN: usize = 25;
/// The longest hashtag specification that is read, in bytes.
pub const MAX_TAG_BYTES: usize = 256;
/// The most attributes that one specification may carry.
pub const MAX_ATTRIBUTES: usize = 16;

/// One hashtag specification: a hashtag and its attributes, in lower case.
///
/// Two are equal if they have the same hashtag and the same set of attributes.
#[derive(Debug, Clone)]
pub struct Tag {
    name: String,
    attributes: Vec<String>,
}

/// Why a text is no hashtag specification.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    /// The text does not begin with `#`.
    #[error("a hashtag begins with #, such as #date or #country+code")]
    NoHash,
    /// A word is empty, does not begin with a letter, or has another character than letters, digits and `_`.
    #[error("{word:?} is no word of a hashtag: a letter, then letters, digits and _")]
    Word {
        /// The word as it stands.
        word: String,
    },
    /// The text is longer than [`MAX_TAG_BYTES`] or has more than [`MAX_ATTRIBUTES`] attributes.
    #[error("a hashtag has at most {MAX_TAG_BYTES} bytes and {MAX_ATTRIBUTES} attributes")]
    TooLong,
}

impl Tag {
    /// The hashtag with its `#`, such as `#affected`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The attributes without their `+`, in the order in which they were written, each once.
    pub fn attributes(&self) -> &[String] {
        &self.attributes
    }

    /// Whether the attribute is there.
    pub fn has(&self, attribute: &str) -> bool {
        self.attributes.iter().any(|own| own == attribute)
    }

    /// Whether this tag is what `pattern` asks for: the same hashtag, with at least the pattern's attributes.
    pub fn matches(&self, pattern: &Tag) -> bool {
        self.name == pattern.name && pattern.attributes.iter().all(|wanted| self.has(wanted))
    }
}

impl PartialEq for Tag {
    fn eq(&self, other: &Tag) -> bool {
        self.attributes.len() == other.attributes.len() && self.matches(other)
    }
}

impl Eq for Tag {}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.attributes.iter().try_for_each(|attribute| write!(f, "+{attribute}"))
    }
}

/// Whether the text, which is already in lower case, can be a hashtag's word.
pub(crate) fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

impl FromStr for Tag {
    type Err = TagError;

    fn from_str(text: &str) -> Result<Tag, TagError> {
        if text.len() > MAX_TAG_BYTES {
            return Err(TagError::TooLong);
        }
        let body = text.trim().strip_prefix('#').ok_or(TagError::NoHash)?.to_ascii_lowercase();
        let mut words = body.split('+').map(str::trim);
        let word = |word: &str| {
            if is_word(word) { Ok(word.to_owned()) } else { Err(TagError::Word { word: word.to_owned() }) }
        };
        let name = format!("#{}", word(words.next().unwrap_or_default())?);
        let mut attributes = Vec::new();
        for attribute in words {
            let attribute = word(attribute)?;
            if !attributes.contains(&attribute) {
                attributes.push(attribute);
            }
        }
        if attributes.len() > MAX_ATTRIBUTES {
            return Err(TagError::TooLong);
        }
        Ok(Tag { name, attributes })
    }
}

/// What one row is, when asked whether it is the tag row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagRow {
    /// Something else: a title, headers, data.
    No,
    /// The tag row: one entry per cell, nothing where the cell is empty.
    Tags(Vec<Option<Tag>>),
    /// A row that is mostly hashtags, but one cell cannot be read: refused, so that no column is lost silently.
    Broken {
        /// The cell's place in the row, from 0.
        column: usize,
        /// Its text.
        text: String,
        /// What is wrong with it.
        error: TagError,
    },
}

impl TagRow {
    /// Judges one row. A tag row has at least one hashtag and nothing but hashtags and empty cells.
    pub fn read<'a>(cells: impl IntoIterator<Item = &'a str>) -> TagRow {
        let mut tags = Vec::new();
        let (mut good, mut bad) = (0_usize, 0_usize);
        let mut first_bad = None;
        for (column, cell) in cells.into_iter().enumerate() {
            let text = cell.trim();
            if text.is_empty() {
                tags.push(None);
                continue;
            }
            match text.parse::<Tag>() {
                Ok(tag) => {
                    good += 1;
                    tags.push(Some(tag));
                }
                Err(error) => {
                    bad += 1;
                    tags.push(None);
                    first_bad.get_or_insert((column, text.to_owned(), error));
                }
            }
        }
        match first_bad {
            None if good > 0 => TagRow::Tags(tags),
            Some((column, text, error)) if good >= bad => TagRow::Broken { column, text, error },
            _ => TagRow::No,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(text: &str) -> Tag {
        text.parse().expect("a good tag")
    }

    #[test]
    fn case_spaces_and_order_mean_nothing() {
        assert_eq!(tag("#affected+infected+confirmed"), tag(" #Affected +CONFIRMED + infected"));
        assert_ne!(tag("#affected+infected"), tag("#affected+infected+confirmed"));
        assert_eq!(tag("#adm1 +name+name").to_string(), "#adm1+name");
    }

    #[test]
    fn a_pattern_asks_for_at_least_its_attributes() {
        assert!(tag("#country+name+i_en").matches(&tag("#country+name")));
        assert!(!tag("#country+name").matches(&tag("#country+code")));
        assert!(!tag("#region+name").matches(&tag("#country+name")));
    }

    #[test]
    fn what_is_no_tag_is_refused_with_its_word() {
        assert_eq!("date".parse::<Tag>(), Err(TagError::NoHash));
        assert_eq!("#1st".parse::<Tag>(), Err(TagError::Word { word: "1st".into() }));
        assert_eq!("#date+".parse::<Tag>(), Err(TagError::Word { word: String::new() }));
        assert_eq!(format!("#{}", "a".repeat(300)).parse::<Tag>(), Err(TagError::TooLong));
    }

    #[test]
    fn a_tag_row_has_only_tags_and_empty_cells() {
        assert_eq!(TagRow::read(["Date", "Country"]), TagRow::No);
        assert_eq!(TagRow::read(["", ""]), TagRow::No);
        assert_eq!(
            TagRow::read(["#date", "", "#country+code"]),
            TagRow::Tags(vec![Some(tag("#date")), None, Some(tag("#country+code"))])
        );
        assert!(matches!(TagRow::read(["#date", "#", "#adm1"]), TagRow::Broken { column: 1, .. }));
        assert_eq!(TagRow::read(["#1 in the region", "Total", "#date"]), TagRow::No);
    }
}
