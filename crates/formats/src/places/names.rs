//! The tables of names: what a text in a column of countries means, and how a country is called in a language.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock};

use super::{Iso3, MAX_PLACE_BYTES, Place, PlaceError, fold};

/// The six official languages of the United Nations, in the order of the columns of `names.tsv`.
pub const LANGUAGES: [&str; 6] = ["ar", "zh", "en", "fr", "ru", "es"];

const NAMES: &str = include_str!("../../../../data/places/names.tsv");
const ALIASES: &str = include_str!("../../../../data/places/aliases.tsv");

static BUNDLED: LazyLock<PlaceNames> = LazyLock::new(|| PlaceNames { tables: Arc::new(bundled_tables()) });

/// The most lines a node's own table may have.
const MAX_OVERRIDES: usize = 10_000;

#[derive(Debug, Clone, Default)]
struct Tables {
    by_name: HashMap<String, Iso3>,
    by_alpha2: HashMap<[u8; 2], Iso3>,
    /// The name to show, per language. A user-assigned code may have none.
    shown: BTreeMap<Iso3, [Option<Box<str>>; LANGUAGES.len()]>,
}

/// Names of places: matching and showing. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PlaceNames {
    tables: Arc<Tables>,
}

/// Why a node's own table of names was refused. Every error names the line, from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OverrideError {
    /// The line has not three fields parted by tabs.
    #[error("line {line}: write a code, a language or `match`, and a name, parted by tabs")]
    Fields {
        /// Line, from 1.
        line: usize,
    },
    /// The code is neither in ISO 3166-1 nor user-assigned.
    #[error(
        "line {line}: {code:?} is neither an ISO 3166-1 alpha-3 code nor a user-assigned one (such as XAA to XZZ)"
    )]
    Code {
        /// Line, from 1.
        line: usize,
        /// The code as written.
        code: String,
    },
    /// The second field is no language that names are kept in.
    #[error("line {line}: {language:?} is none of ar, zh, en, fr, ru, es, match")]
    Language {
        /// Line, from 1.
        line: usize,
        /// The field as written.
        language: String,
    },
    /// The name is empty, too long or has characters that names do not have.
    #[error("line {line}: {error}")]
    Name {
        /// Line, from 1.
        line: usize,
        /// What is wrong with it.
        error: PlaceError,
    },
    /// The table is longer than any table of names.
    #[error("a table of names has at most {MAX_OVERRIDES} lines")]
    TooLong,
}

impl PlaceNames {
    /// ISO 3166-1 with the names of the Unicode CLDR in six languages, and this project's aliases.
    pub fn bundled() -> PlaceNames {
        BUNDLED.clone()
    }

    /// Lays a node's own table over this one.
    ///
    /// A line is `<alpha-3> TAB <language> TAB <name>`: the country is shown under this name in that language, and
    /// matched by it; with `match` in place of the language it is only matched. A user-assigned code that is named
    /// here is accepted as a country from then on. Empty lines and lines that begin with `#` say nothing.
    pub fn with_overrides(&self, table: &str) -> Result<PlaceNames, OverrideError> {
        let mut tables = (*self.tables).clone();
        for (at, text) in
            table.lines().enumerate().filter(|(_, text)| !text.is_empty() && !text.starts_with('#'))
        {
            let line = at + 1;
            if line > MAX_OVERRIDES {
                return Err(OverrideError::TooLong);
            }
            let mut fields = text.split('\t').map(str::trim);
            let (Some(code), Some(language), Some(name), None) =
                (fields.next(), fields.next(), fields.next(), fields.next())
            else {
                return Err(OverrideError::Fields { line });
            };
            let iso3 = Iso3::new(code)
                .filter(|iso3| tables.shown.contains_key(iso3) || iso3.is_user_assigned())
                .ok_or_else(|| OverrideError::Code { line, code: code.to_owned() })?;
            let name = super::PlaceText::new(name).map_err(|error| OverrideError::Name { line, error })?;
            let shown = tables.shown.entry(iso3).or_default();
            match LANGUAGES.iter().position(|own| *own == language) {
                Some(column) => shown[column] = Some((&*name).into()),
                None if language == "match" => {}
                None => return Err(OverrideError::Language { line, language: language.to_owned() }),
            }
            tables.by_name.insert(fold(&name), iso3);
        }
        Ok(PlaceNames { tables: Arc::new(tables) })
    }

    /// The country that a name or an alpha-3 code in capitals means, if the tables know one.
    pub fn find(&self, text: &str) -> Option<Iso3> {
        let text = text.trim();
        // What is longer than any name is not folded, which costs time.
        if text.len() > MAX_PLACE_BYTES {
            return None;
        }
        if text.len() == 3
            && text.bytes().all(|byte| byte.is_ascii_uppercase())
            && let Some(code) = Iso3::new(text).filter(|code| self.contains(*code))
        {
            return Some(code);
        }
        self.tables.by_name.get(&fold(text)).copied()
    }

    /// The place that a text means: a country if the tables know it, else the text itself.
    pub fn place(&self, text: &str) -> Result<Place, PlaceError> {
        match self.find(text) {
            Some(code) => Ok(Place::Country(code)),
            None => Place::named(text),
        }
    }

    /// The country of a cell in a column of codes: alpha-3, or alpha-2 if it has two letters. Any case.
    pub fn find_code(&self, text: &str) -> Option<Iso3> {
        let text = text.trim();
        if let Ok(alpha2) = <[u8; 2]>::try_from(text.as_bytes()) {
            return self.tables.by_alpha2.get(&alpha2.map(|byte| byte.to_ascii_uppercase())).copied();
        }
        Iso3::new(text).filter(|code| self.contains(*code))
    }

    /// Whether the code is in ISO 3166-1, or a user-assigned one that the node has named.
    pub fn contains(&self, code: Iso3) -> bool {
        self.tables.shown.contains_key(&code)
    }

    /// How the country is called in a language (`zh`, `zh-Hans`, `fr-CA`: only the first part counts).
    pub fn name(&self, code: Iso3, language: &str) -> Option<&str> {
        let first = language.split('-').next().unwrap_or_default();
        let column = LANGUAGES.iter().position(|own| own.eq_ignore_ascii_case(first))?;
        self.tables.shown.get(&code)?[column].as_deref()
    }

    /// What to show for a place: the country's name in the language, its code if it has none there, or the text.
    pub fn show<'a>(&'a self, place: &'a Place, language: &str) -> &'a str {
        match place {
            Place::Country(code) => self.name(*code, language).unwrap_or_else(|| code.as_str()),
            Place::Named(text) => text,
        }
    }

    /// Every country, in the order of the codes.
    pub fn countries(&self) -> impl Iterator<Item = Iso3> {
        self.tables.shown.keys().copied()
    }
}

fn data_lines(table: &'static str) -> impl Iterator<Item = &'static str> {
    // The first line that is no comment has the columns' names.
    table.lines().filter(|line| !line.starts_with('#')).skip(1)
}

fn bundled_tables() -> Tables {
    let mut tables = Tables::default();
    for line in data_lines(NAMES) {
        let mut fields = line.split('\t');
        let iso3 = fields.next().and_then(Iso3::new).expect("names.tsv begins a line with an alpha-3 code");
        let alpha2 = fields.next().and_then(|code| code.as_bytes().try_into().ok());
        tables.by_alpha2.insert(alpha2.expect("names.tsv has alpha-2 codes"), iso3);
        let shown = tables.shown.entry(iso3).or_default();
        for (own, cell) in shown.iter_mut().zip(fields) {
            let mut names = cell.split('|');
            *own = names.next().map(Into::into);
            for name in cell.split('|') {
                let folded = fold(name);
                // Abbreviations of two letters would collide with codes: `RU` is also `Reino Unido`.
                if folded.chars().count() > 2 || !folded.is_ascii() {
                    tables.by_name.insert(folded, iso3);
                }
            }
        }
    }
    for line in data_lines(ALIASES) {
        let (iso3, aliases) = alias_line(line).expect("aliases.tsv has a code, a tab and names");
        tables.by_name.extend(aliases.map(|alias| (fold(alias), iso3)));
    }
    tables
}

fn alias_line(line: &'static str) -> Option<(Iso3, impl Iterator<Item = &'static str>)> {
    let (code, aliases) = line.split_once('\t')?;
    Some((Iso3::new(code)?, aliases.split('|')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> String {
        PlaceNames::bundled().find(text).map_or_else(|| "none".to_owned(), |iso3| iso3.to_string())
    }

    #[test]
    fn names_are_matched_in_six_languages() {
        for name in [
            "Republic of Korea",
            "韩国",
            "Corée du Sud",
            "Республика Корея",
            "Corea del Sur",
            "كوريا الجنوبية",
        ] {
            assert_eq!(code(name), "KOR", "{name}");
        }
        for name in ["China", "Chine", "中国", "الصين", "Китай", "CHN", "Mainland China"] {
            assert_eq!(code(name), "CHN", "{name}");
        }
    }

    #[test]
    fn names_as_tables_of_2020_spell_them_are_matched() {
        for (name, iso3) in [
            ("Korea, South", "KOR"),
            ("RepublicofKorea", "KOR"),
            ("Taiwan*", "TWN"),
            ("US", "USA"),
            ("Burma", "MMR"),
            ("Congo (Kinshasa)", "COD"),
            ("Congo (Brazzaville)", "COG"),
            ("DemocraticRepublicoftheCongo", "COD"),
            ("Cote d'Ivoire", "CIV"),
            ("CotedIvoire", "CIV"),
            ("West Bank and Gaza", "PSE"),
            ("OccupiedPalestinianTerritory", "PSE"),
            ("LaoPeoplesDemocraticRepublic", "LAO"),
            ("BosniaHerzegovina", "BIH"),
            ("TurksandCaicos", "TCA"),
            ("United_Kingdom", "GBR"),
            ("Bahamas (the)", "BHS"),
            ("Tchad (le)", "TCD"),
            ("Afghanistan (l')", "AFG"),
        ] {
            assert_eq!(code(name), iso3, "{name}");
        }
    }

    #[test]
    fn what_is_not_in_iso_3166_stays_text() {
        for name in
            ["Diamond Princess", "MS Zaandam", "International conveyance", "Kosovo", "RU", "Korea", "", "XXX"]
        {
            assert_eq!(code(name), "none", "{name}");
        }
        let ship = PlaceNames::bundled().place("Diamond  Princess").expect("text");
        assert_eq!(ship, Place::named("Diamond Princess").expect("text"));
    }

    #[test]
    fn every_country_has_a_name_in_every_language_and_is_found_by_it() {
        let names = PlaceNames::bundled();
        assert_eq!(names.countries().count(), 249);
        for country in names.countries() {
            for language in LANGUAGES {
                let name = names.name(country, language).expect("a name");
                assert_eq!(names.find(name), Some(country), "{language} {name}");
            }
        }
    }

    #[test]
    fn no_name_in_the_tables_means_two_countries() {
        let mut seen: HashMap<String, Iso3> = HashMap::new();
        let names = data_lines(NAMES).flat_map(|line| {
            let mut fields = line.split('\t');
            let iso3 = fields.next().and_then(Iso3::new).expect("a code");
            fields.skip(1).flat_map(|cell| cell.split('|')).map(move |name| (iso3, name))
        });
        let aliases = data_lines(ALIASES)
            .filter_map(alias_line)
            .flat_map(|(iso3, aliases)| aliases.map(move |alias| (iso3, alias)));
        for (iso3, name) in names.chain(aliases) {
            let other = *seen.entry(fold(name)).or_insert(iso3);
            assert_eq!(other, iso3, "{name}");
        }
    }

    #[test]
    fn codes_have_a_column_of_their_own() {
        let names = PlaceNames::bundled();
        assert_eq!(names.find_code("chn"), Iso3::new("CHN"));
        assert_eq!(names.find_code(" CN "), Iso3::new("CHN"));
        assert_eq!(names.find_code("RU"), Iso3::new("RUS"));
        assert_eq!(names.find_code("XKX"), None);
        assert_eq!(names.find_code("China"), None);
    }

    #[test]
    fn a_node_lays_its_own_names_over() {
        let own = PlaceNames::bundled()
            .with_overrides("# ours\nCZE\ten\tCzech Republic\nXKX\ten\tKosovo\nJPN\tmatch\tNippon\n")
            .expect("a good table");
        let country = |text: &str| Iso3::new(text).expect("a code");
        assert_eq!(own.name(country("CZE"), "en-GB"), Some("Czech Republic"));
        assert_eq!(own.name(country("CZE"), "fr"), Some("Tchéquie"));
        assert_eq!(own.find("Kosovo"), Some(country("XKX")));
        assert_eq!(own.find_code("XKX"), Some(country("XKX")));
        assert_eq!(own.find("nippon"), Some(country("JPN")));
        assert_eq!(own.show(&Place::Country(country("XKX")), "fr"), "XKX");
        assert_eq!(PlaceNames::bundled().find("Kosovo"), None);
    }

    #[test]
    fn a_wrong_line_in_a_nodes_table_is_named() {
        let names = PlaceNames::bundled();
        let error = |table: &str| names.with_overrides(table).expect_err("a bad table");
        assert_eq!(error("\nCHN China"), OverrideError::Fields { line: 2 });
        assert_eq!(error("CHA\ten\tx"), OverrideError::Code { line: 1, code: "CHA".into() });
        assert_eq!(error("CHN\tde\tx"), OverrideError::Language { line: 1, language: "de".into() });
        assert_eq!(error("CHN\ten\t"), OverrideError::Name { line: 1, error: PlaceError::Empty });
    }
}
