//! A map of the world, drawn on the server: a coastline, and one circle per place.
//!
//! It draws no border and colours no area. A circle's area stands for a number of people, so that a small island
//! with many cases is not hidden behind an empty desert; where it stands says nothing about where a place ends.
//! Lines are drawn only if an operator installed them ([`Borders`]). The numbers must also stand in a table on the
//! page: the map is an image to screen readers.

mod borders;
mod ground;
mod projection;

pub use borders::{Borders, BordersError};

use crate::chart::scale;
use crate::i18n::Locale;
use askama::Template;
use askama::filters::HtmlSafe;
use projection::{HEIGHT, WIDTH};

/// Radius of the largest circle, in pixels.
const LARGEST: f64 = 26.0;
/// Radius below which a circle cannot be seen.
const SMALLEST: f64 = 1.5;
/// Places named in the description for who cannot see the map.
const NAMED: usize = 5;

/// One place's circle.
#[derive(Clone, Debug)]
pub struct Symbol {
    /// ISO 3166-1 alpha-3, or a user-assigned code.
    pub alpha3: String,
    /// The place's name in the reader's language.
    pub name: String,
    /// What the circle's area stands for; below one no circle is drawn.
    pub value: i64,
    /// Where the place's page is.
    pub href: Option<String>,
    /// Whether the value is only claimed, not proven: drawn with a dashed edge.
    pub claimed: bool,
}

/// A map: `{{ map }}`.
#[derive(Clone, Debug, Template)]
#[template(path = "map/templates/world.html")]
pub struct WorldMap {
    t: Locale,
    id: &'static str,
    title: String,
    measure: String,
    borders: Borders,
    circles: Vec<Circle>,
    elsewhere: Vec<Symbol>,
    largest: i64,
}

impl HtmlSafe for WorldMap {}

#[derive(Clone, Debug)]
struct Circle {
    x: String,
    y: String,
    radius: String,
    symbol: Symbol,
}

impl WorldMap {
    /// A map of what `measure` counts ("Cases in the last seven days"). Places that have no point on the map are
    /// listed below it. `id` is unique in the page.
    pub fn new(
        t: &Locale,
        id: &'static str,
        title: impl Into<String>,
        measure: impl Into<String>,
        mut symbols: Vec<Symbol>,
    ) -> Self {
        symbols.retain(|symbol| symbol.value > 0);
        // Small circles are drawn over large ones.
        symbols.sort_by(|a, b| b.value.cmp(&a.value).then_with(|| a.alpha3.cmp(&b.alpha3)));
        let largest = symbols.first().map_or(1, |symbol| symbol.value);
        let (mut circles, mut elsewhere) = (Vec::new(), Vec::new());
        for symbol in symbols {
            match ground::point(&symbol.alpha3) {
                Some((x, y)) => circles.push(Circle {
                    x: format!("{:.2}%", x / WIDTH * 100.0),
                    y: format!("{:.2}%", y / HEIGHT * 100.0),
                    radius: radius(symbol.value, largest),
                    symbol,
                }),
                None => elsewhere.push(symbol),
            }
        }
        let (title, measure) = (title.into(), measure.into());
        Self { t: t.clone(), id, title, measure, borders: Borders::default(), circles, elsewhere, largest }
    }

    /// Draws the lines that the operator installed.
    #[must_use]
    pub fn with_borders(mut self, borders: &Borders) -> Self {
        self.borders = borders.clone();
        self
    }

    /// The map in words: how many places, and the largest.
    fn description(&self) -> String {
        let largest: Vec<String> =
            self.circles.iter().take(NAMED).map(|circle| self.named(&circle.symbol)).collect();
        if largest.is_empty() {
            return self.t.map_nothing();
        }
        self.t.map_description(self.circles.len(), self.t.list(&largest))
    }

    fn named(&self, symbol: &Symbol) -> String {
        self.t.map_symbol(&symbol.name, symbol.value)
    }

    /// Values without a place on the map, in one line.
    fn elsewhere(&self) -> String {
        let named: Vec<String> = self.elsewhere.iter().map(|symbol| self.named(symbol)).collect();
        self.t.list(&named)
    }

    fn any_claimed(&self) -> bool {
        self.circles.iter().any(|circle| circle.symbol.claimed)
    }

    /// Round values with their circles, the largest first: label, radius, width of the box around it.
    fn legend(&self) -> Vec<(String, String, String)> {
        let ticks = scale::ticks(0, self.largest);
        let top =
            ticks.iter().rev().copied().find(|tick| *tick <= self.largest).unwrap_or(self.largest).max(1);
        let mut values = vec![top, top / 10, top / 100];
        values.retain(|value| *value > 0);
        values
            .into_iter()
            .map(|value| {
                let radius = radius(value, self.largest);
                let side = format!("{:.1}", radius.parse::<f64>().unwrap_or(SMALLEST) * 2.0 + 3.0);
                (self.t.number(value), radius, side)
            })
            .collect()
    }
}

/// The radius of a circle whose area stands for `value`.
#[allow(clippy::cast_precision_loss)] // a drawing
fn radius(value: i64, largest: i64) -> String {
    let radius = (value as f64 / largest.max(1) as f64).sqrt() * LARGEST;
    format!("{:.1}", radius.max(SMALLEST))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Lang;
    use jiff::tz::TimeZone;

    fn symbol(alpha3: &str, value: i64) -> Symbol {
        Symbol { alpha3: alpha3.to_owned(), name: format!("<{alpha3}>"), value, href: None, claimed: false }
    }

    fn map(symbols: Vec<Symbol>) -> WorldMap {
        WorldMap::new(&Locale::new(Lang::En, TimeZone::UTC), "world", "Cases", "Cases", symbols)
    }

    #[test]
    fn areas_and_not_radii_stand_for_people() {
        let map = map(vec![symbol("JPN", 400), symbol("FRA", 100), symbol("TUV", 0), symbol("KOR", 1)]);
        let radii: Vec<&str> = map.circles.iter().map(|circle| circle.radius.as_str()).collect();
        assert_eq!(radii, ["26.0", "13.0", "1.5"]);
    }

    #[test]
    fn places_without_a_point_are_told_and_not_dropped() {
        let html = map(vec![symbol("JPN", 4), symbol("XDP", 712)]).to_string();
        assert!(html.contains("&lt;XDP&gt;") || html.contains("&#60;XDP&#62;"), "{html}");
        assert!(html.contains("712"));
        assert!(!html.contains("<XDP>") && !html.contains("style=\""));
    }

    #[test]
    fn borders_are_drawn_only_if_given() {
        let lines = Borders::parse(br#"{"type":"LineString","coordinates":[[0,0],[10,10]]}"#).unwrap();
        assert!(!map(vec![]).to_string().contains("class=\"borders\""));
        assert!(map(vec![]).with_borders(&lines).to_string().contains("class=\"borders\""));
    }

    #[test]
    fn a_full_map_is_light() {
        let codes = ["JPN", "CHN", "KOR", "FRA", "ITA", "DEU", "USA", "BRA", "IND", "RUS", "ZAF", "AUS"];
        let symbols = (0..200).map(|place| Symbol {
            href: Some(format!("/situation/{}?lang=ar", codes[place % 12])),
            ..symbol(codes[place % 12], 1 + i64::try_from(place * place).unwrap())
        });
        let html = map(symbols.collect()).to_string();
        assert!(html.len() < 90_000, "{} bytes before compression", html.len());
    }
}
