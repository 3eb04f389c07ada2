//! What the reader asked for: an address, a language and a day.

use super::{Problem, Query};
use crate::asof::{AsOf, Basis};
use crate::i18n::{Lang, Locale, negotiate};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// One request, as far as every page needs it.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Language and zone of the answer.
    pub t: Locale,
    /// The path, percent-encoded as it came.
    pub path: String,
    /// The query.
    pub query: Query,
}

/// A zone's name is never longer.
const MAX_ZONE: usize = 64;

/// The parts of a request that [`Asked`] is read from, as the HTTP layer has them.
#[derive(Clone, Copy, Debug, Default)]
pub struct RequestParts<'a> {
    /// Path of the address, beginning with `/`.
    pub path: &'a str,
    /// What follows the question mark.
    pub query: &'a str,
    /// Value of the cookie `lang`; the public face has no cookies.
    pub lang_cookie: Option<&'a str>,
    /// Value of the cookie `zone`, likewise.
    pub zone_cookie: Option<&'a str>,
    /// Value of `Accept-Language`.
    pub accept_language: Option<&'a str>,
}

impl Asked {
    /// Reads a request; `lang` and `zone` are the node's own, for readers who say nothing.
    pub fn new(parts: RequestParts<'_>, lang: Lang, zone: TimeZone) -> Self {
        let query = Query::parse(parts.query);
        let lang = negotiate(query.get("lang"), parts.lang_cookie, parts.accept_language, lang);
        let chosen = [query.get("zone"), parts.zone_cookie].into_iter().flatten().find_map(zone_named);
        let zone = chosen.unwrap_or(zone);
        Self { t: Locale::new(lang, zone), path: parts.path.to_owned(), query }
    }

    /// Whether the zone asked for is one: an address that names another is refused, not read as if it named none.
    pub fn check_zone(&self) -> Result<(), Problem> {
        match self.query.get("zone") {
            Some(text) if zone_named(text).is_none() => Err(Problem::new("zone-unknown").with("value", text)),
            _ => Ok(()),
        }
    }

    /// The moment and the sense asked for: `?as_of=2020-05-31&basis=proven` is the end of that day, UTC.
    pub fn as_of(&self) -> Result<AsOf, Problem> {
        let at = match self.query.get("as_of") {
            None => None,
            Some(text) => {
                let second = text.parse::<Date>().ok().and_then(end_of);
                Some(second.ok_or_else(|| Problem::new("as-of-date").with("value", text))?)
            }
        };
        let basis = match self.query.get("basis") {
            None => Basis::default(),
            Some(text) => text.parse().map_err(|()| Problem::new("as-of-basis").with("value", text))?,
        };
        Ok(AsOf { basis, at })
    }

    /// A link to another page that keeps the language and the zone (if the link chose them) and the day.
    pub fn href(&self, path: &str) -> String {
        self.query.only(is_kept).on(path)
    }

    /// Like [`Asked::href`], with parameters.
    pub fn href_with(&self, path: &str, parameters: &[(&str, &str)]) -> String {
        let kept = self.query.only(is_kept);
        parameters.iter().fold(kept, |query, (key, value)| query.with(key, value)).on(path)
    }

    /// This page with one parameter changed; an empty value removes it.
    pub fn here_with(&self, key: &str, value: &str) -> String {
        self.query.with(key, value).on(&self.path)
    }
}

/// Parameters that follow the reader from page to page.
fn is_kept(key: &str) -> bool {
    matches!(key, "lang" | "zone" | "as_of" | "basis")
}

/// The zone of an IANA name, such as `Asia/Tokyo`.
fn zone_named(text: &str) -> Option<TimeZone> {
    if text.len() > MAX_ZONE { None } else { TimeZone::get(text).ok() }
}

/// What a basis is called where the reader chooses one.
pub(super) fn basis_label(basis: Basis, t: &Locale) -> String {
    match basis {
        Basis::Claimed => t.shell_basis_claimed(),
        Basis::Proven => t.shell_basis_proven(),
        Basis::Here => t.shell_basis_here(),
    }
}

/// The last second of a day, UTC: what was so at any time of the day counts.
fn end_of(day: Date) -> Option<i64> {
    let midnight = day.checked_add(1.day()).ok()?.to_zoned(TimeZone::UTC).ok()?;
    Some(midnight.timestamp().as_second() - 1)
}

/// The day, UTC, on which a moment lies.
pub(super) fn day_of(second: i64) -> Option<Date> {
    Some(Timestamp::from_second(second).ok()?.to_zoned(TimeZone::UTC).date())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn asked(query: &str) -> Asked {
        let parts = RequestParts { path: "/situation", query, ..RequestParts::default() };
        Asked::new(parts, Lang::En, TimeZone::UTC)
    }

    #[test]
    fn links_keep_language_and_day_but_not_the_pages_own_parameters() {
        let asked = asked("lang=ar&as_of=2020-05-31&sort=cases");
        assert_eq!(asked.href("/network"), "/network?lang=ar&as_of=2020-05-31");
        assert_eq!(asked.here_with("sort", ""), "/situation?lang=ar&as_of=2020-05-31");
    }

    #[test]
    fn as_of_is_a_day_and_a_basis() {
        let end: Timestamp = "2020-05-31T23:59:59Z".parse().unwrap();
        let day = AsOf { at: Some(end.as_second()), basis: Basis::Proven };
        assert_eq!(asked("as_of=2020-05-31&basis=proven").as_of().unwrap(), day);
        assert_eq!(day_of(end.as_second()), Some(date(2020, 5, 31)));
        assert_eq!(asked("").as_of().unwrap(), AsOf::default());
    }

    #[test]
    fn a_zone_is_taken_by_its_name_and_kept_in_links() {
        let chosen = asked("zone=Asia/Kolkata&page=2");
        let moment: Timestamp = "2020-05-31T14:02:00Z".parse().unwrap();
        assert_eq!(chosen.t.moment_text(moment), "31 May 2020, 19:32 UTC+5:30");
        assert_eq!(chosen.href("/network"), "/network?zone=Asia%2FKolkata");
        assert!(chosen.check_zone().is_ok());
        let parts = RequestParts { zone_cookie: Some("Asia/Tokyo"), ..RequestParts::default() };
        let remembered = Asked::new(parts, Lang::En, TimeZone::UTC);
        assert_eq!(remembered.t.zone().iana_name(), Some("Asia/Tokyo"));
        let unknown = asked("zone=Middle/Earth");
        assert_eq!(unknown.check_zone().unwrap_err().code(), "zone-unknown");
        assert_eq!(unknown.t.zone().iana_name(), Some("UTC"));
    }

    #[test]
    fn a_wrong_day_is_named() {
        let problem = asked("as_of=31.5.2020").as_of().unwrap_err();
        assert_eq!(problem.code(), "as-of-date");
        let text = problem.text(&Locale::new(Lang::En, TimeZone::UTC));
        assert!(text.contains("31.5.2020"), "{text}");
    }
}
