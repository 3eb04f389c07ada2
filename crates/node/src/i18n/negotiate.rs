//! Which language a reader gets: what the link says, else what they chose before, else what their browser
//! asks for, else the node's own.

use super::Lang;

/// Longer headers are cut here; no browser sends more.
const MAX_HEADER: usize = 512;

/// `link` is the value of `?lang=`, `cookie` that of the cookie `lang`, `accept` the `Accept-Language` header
/// (RFC 9110, 12.5.4). Unknown or malformed values count as absent.
pub fn negotiate(link: Option<&str>, cookie: Option<&str>, accept: Option<&str>, node: Lang) -> Lang {
    link.and_then(Lang::from_code)
        .or_else(|| cookie.and_then(Lang::from_code))
        .or_else(|| accept.and_then(accepted))
        .unwrap_or(node)
}

/// The best of our languages in an `Accept-Language` header; a region (`zh-CN`) does not matter.
fn accepted(header: &str) -> Option<Lang> {
    let header = header.get(..MAX_HEADER.min(header.len()))?;
    let mut best: Option<(u32, Lang)> = None;
    for range in header.split(',') {
        let mut parts = range.split(';');
        let tag = parts.next().unwrap_or_default().trim();
        let primary = tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
        let Some(lang) = Lang::from_code(&primary) else { continue };
        let quality = parts.find_map(|part| part.trim().strip_prefix("q=")).map_or(Some(1000), thousandths);
        let Some(quality @ 1..) = quality else { continue };
        // Of two equal ones the first written wins.
        if best.is_none_or(|(known, _)| quality > known) {
            best = Some((quality, lang));
        }
    }
    best.map(|(_, lang)| lang)
}

/// `0.8` as 800. `None` for what is no quality value.
fn thousandths(text: &str) -> Option<u32> {
    let value: f32 = text.trim().parse().ok()?;
    // In 0..=1 the product is a small whole number.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    (0.0..=1.0).contains(&value).then(|| (value * 1000.0).round() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_beats_a_cookie_beats_the_browser_beats_the_node() {
        assert_eq!(negotiate(Some("ar"), Some("ru"), Some("fr"), Lang::En), Lang::Ar);
        assert_eq!(negotiate(None, Some("ru"), Some("fr"), Lang::En), Lang::Ru);
        assert_eq!(negotiate(None, None, Some("fr"), Lang::En), Lang::Fr);
        assert_eq!(negotiate(None, None, None, Lang::Es), Lang::Es);
    }

    #[test]
    fn the_browser_is_read_by_quality_and_without_regions() {
        assert_eq!(accepted("de-DE,de;q=0.9,zh-Hans-CN;q=0.8,en;q=0.7"), Some(Lang::Zh));
        assert_eq!(accepted("en;q=0.5, ES-mx"), Some(Lang::Es));
        assert_eq!(accepted("fr;q=0, ru;q=0.001"), Some(Lang::Ru));
        assert_eq!(accepted("de, *;q=0.5"), None);
    }

    #[test]
    fn nonsense_counts_as_absent() {
        assert_eq!(negotiate(Some("xx"), Some(""), Some("fr;q=9, ;;;"), Lang::En), Lang::En);
        assert_eq!(accepted(&"é".repeat(400)), None);
    }
}
