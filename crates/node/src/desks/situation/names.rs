//! What a reader is shown instead of codes: names of places, authorities, indicators and definitions.

use crate::i18n::Locale;
use formats::places::{Place, PlaceNames};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use store::db::{Db, DbError};

/// An authority as this node's operator knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownAuthority {
    /// The name shown to readers of a language for which the operator gave none.
    pub name: String,
    /// Names by language.
    pub names: BTreeMap<String, String>,
    /// ISO 3166-1 alpha-3 or an organisation's code.
    pub code: Option<String>,
}

/// Every authority that this node knows.
pub async fn authorities(db: &Db) -> Result<BTreeMap<String, KnownAuthority>, DbError> {
    let mut known = BTreeMap::new();
    for row in db.rows("select authority, shown_name, code from authority", &[]).await? {
        let one = KnownAuthority { name: row.text(1)?, names: BTreeMap::new(), code: row.opt_text(2)? };
        known.insert(row.text(0)?, one);
    }
    for row in db.rows("select authority, lang, name from authority_name", &[]).await? {
        if let Some(one) = known.get_mut(&row.text(0)?) {
            one.names.insert(row.text(1)?, row.text(2)?);
        }
    }
    Ok(known)
}

/// Names in the reader's language.
#[derive(Clone, Debug)]
pub struct Names<'a> {
    /// The reader's language.
    pub t: &'a Locale,
    /// Names of places, with the node's own laid over.
    pub places: &'a PlaceNames,
    /// Authorities by their DNS name.
    pub authorities: &'a BTreeMap<String, KnownAuthority>,
}

impl Names<'_> {
    /// The name of a place from its code or text.
    pub fn place(&self, code: &str) -> String {
        match code.parse::<Place>() {
            Ok(place) => self.places.show(&place, self.t.lang().code()).to_owned(),
            Err(_) => code.to_owned(),
        }
    }

    /// The name of an authority in the reader's language, or else the one its operator gave for all; one that
    /// this node does not know is called by its DNS name.
    pub fn author<'b>(&'b self, authority: &'b str) -> &'b str {
        let Some(known) = self.authorities.get(authority) else { return authority };
        known.names.get(self.t.lang().code()).unwrap_or(&known.name)
    }

    /// The code of an authority, where its operator gave one.
    pub fn code(&self, authority: &str) -> Option<&str> {
        self.authorities.get(authority)?.code.as_deref()
    }

    /// Whether the authority is the place's own.
    pub fn is_own(&self, authority: &str, place: &str) -> bool {
        self.authorities.get(authority).and_then(|known| known.code.as_deref()) == Some(place)
    }

    /// The name of an indicator; an authority's own code is shown as it is.
    pub fn indicator(&self, code: &str) -> String {
        self.t.lookup(&format!("situation-indicator-{code}"), &[]).unwrap_or_else(|| code.to_owned())
    }

    /// The name of a definition.
    pub fn definition(&self, code: &str) -> String {
        if code == "as-reported" { self.t.situation_definition_as_reported() } else { code.to_owned() }
    }
}

/// Whether a place is a country by its code.
pub fn is_country(place: &str) -> bool {
    place.len() == 3 && place.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// The path of a place's page; names that are text are percent-encoded.
pub fn place_path(place: &str) -> String {
    let mut path = String::from("/situation/");
    for byte in place.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte) {
            path.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(path, "%{byte:02X}");
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_place_is_safe_whatever_its_name() {
        assert_eq!(place_path("CHN"), "/situation/CHN");
        assert_eq!(place_path("text:Curaçao / 1?"), "/situation/text:Cura%C3%A7ao%20%2F%201%3F");
        assert!(is_country("CHN") && !is_country("text:CHN") && !is_country("chn"));
    }

    #[test]
    fn an_authority_is_named_in_the_readers_language_or_as_its_operator_named_it() {
        let known = KnownAuthority {
            name: "Ministry of Health".into(),
            names: [("zh".to_owned(), "卫生部".to_owned())].into(),
            code: None,
        };
        let authorities = [("moh.example".to_owned(), known)].into();
        let places = PlaceNames::bundled();
        let named = |lang| {
            let t = Locale::new(lang, jiff::tz::TimeZone::UTC);
            Names { t: &t, places: &places, authorities: &authorities }.author("moh.example").to_owned()
        };
        assert_eq!(named(crate::i18n::Lang::Zh), "卫生部");
        assert_eq!(named(crate::i18n::Lang::Ru), "Ministry of Health");
    }
}
