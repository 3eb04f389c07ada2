//! Lines with bands: a reproduction number and its interval, countries side by side, the outcomes of a scenario.
//!
//! The numbers stand in a list beside the drawing, which the page makes of the same values; this only draws. What is
//! above the plot's end is drawn at its edge. Points up to a week apart are joined; a longer gap stays open.

use super::scale;
use crate::i18n::Locale;
use askama::Template;
use askama::filters::HtmlSafe;
use jiff::ToSpan;
use jiff::civil::Date;
use std::fmt::Write;

/// Units of the plot per day.
const DAY: usize = 10;
/// Units of the plot from its top to its bottom.
const PLOT: f64 = 1000.0;
/// Points further apart than this are not joined.
const JOINED_DAYS: usize = 7;
/// Lines beyond the fourth have no colour and no stroke of their own.
pub const MAX_LINES: usize = 4;
/// Labels below a plot whose days are counted.
const COUNTED_LABELS: usize = 8;

/// One line, a value per day from the chart's first on.
#[derive(Clone, Debug, Default)]
pub struct Line {
    /// What it is, in the reader's language.
    pub name: String,
    /// The values; `None` where there is none.
    pub values: Vec<Option<f64>>,
    /// Lower and upper end of the interval around each value; empty if there is none.
    pub band: Vec<Option<(f64, f64)>>,
}

impl Line {
    /// A line without intervals.
    pub fn new(name: impl Into<String>, values: Vec<Option<f64>>) -> Self {
        Self { name: name.into(), values, band: Vec::new() }
    }

    /// With an interval around each value.
    #[must_use]
    pub fn with_band(mut self, band: Vec<Option<(f64, f64)>>) -> Self {
        self.band = band;
        self
    }

    fn numbers(&self) -> impl Iterator<Item = f64> {
        let ends = self.band.iter().flatten().flat_map(|(low, high)| [*low, *high]);
        self.values.iter().flatten().copied().chain(ends).filter(|number| number.is_finite())
    }
}

/// What the days are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Across {
    /// Days of the calendar from this one on.
    From(Date),
    /// Days counted from the day on which something was reached.
    Counted,
}

/// Days that are marked behind the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ground {
    Hatched,
    Shaded,
}

/// A chart of lines: `{{ chart }}`.
#[derive(Clone, Debug, Template)]
#[template(path = "chart/templates/lines.html")]
pub struct LineChart {
    t: Locale,
    id: &'static str,
    title: String,
    summary: String,
    across: Across,
    lines: Vec<Line>,
    days: usize,
    places: usize,
    low: f64,
    high: f64,
    logarithmic: bool,
    reference: Option<f64>,
    band: Option<String>,
    grounds: Vec<(Ground, usize, usize)>,
    hatched: Option<String>,
    shaded: Option<String>,
}

impl HtmlSafe for LineChart {}

impl LineChart {
    /// A chart of at least one line; `None` if there is no value to draw. `summary` says in a sentence what is seen. At
    /// most four lines are drawn. `id` is unique in the page.
    pub fn new(
        t: &Locale,
        id: &'static str,
        title: impl Into<String>,
        summary: impl Into<String>,
        across: Across,
        lines: Vec<Line>,
    ) -> Option<Self> {
        let days = lines.iter().map(|line| line.values.len()).max().filter(|days| *days > 0)?;
        let high = lines.iter().flat_map(Line::numbers).reduce(f64::max)?;
        let low = lines.iter().flat_map(Line::numbers).fold(0.0, f64::min);
        Some(Self {
            t: t.clone(),
            id,
            title: title.into(),
            summary: summary.into(),
            across,
            lines,
            days,
            places: 0,
            low,
            high,
            logarithmic: false,
            reference: None,
            band: None,
            grounds: Vec::new(),
            hatched: None,
            shaded: None,
        })
    }

    /// Writes values with so many decimals.
    #[must_use]
    pub fn with_places(mut self, places: usize) -> Self {
        self.places = places;
        self
    }

    /// Ends the plot here, whatever is above.
    #[must_use]
    pub fn at_most(mut self, high: f64) -> Self {
        self.high = self.high.min(high);
        self
    }

    /// Equal distances are equal ratios. What is below 1 is drawn at the lower edge.
    #[must_use]
    pub fn logarithmic(mut self) -> Self {
        self.logarithmic = true;
        self
    }

    /// A line across, such as 1 below which an epidemic shrinks.
    #[must_use]
    pub fn with_reference(mut self, value: f64) -> Self {
        self.reference = Some(value);
        self.high = self.high.max(value);
        self
    }

    /// What the bands are, for the legend.
    #[must_use]
    pub fn with_band_of(mut self, text: impl Into<String>) -> Self {
        self.band = Some(text.into());
        self
    }

    /// Hatches days, by first and last place, for the reason given.
    #[must_use]
    pub fn with_hatched(mut self, ranges: &[(usize, usize)], reason: impl Into<String>) -> Self {
        self.grounds.extend(ranges.iter().map(|(first, last)| (Ground::Hatched, *first, *last)));
        self.hatched = (!ranges.is_empty()).then(|| reason.into());
        self
    }

    /// Shades the days from a place on, for the reason given.
    #[must_use]
    pub fn with_shaded_from(mut self, first: usize, reason: impl Into<String>) -> Self {
        if first < self.days {
            self.grounds.push((Ground::Shaded, first, self.days - 1));
            self.shaded = Some(reason.into());
        }
        self
    }

    fn drawn(&self) -> impl Iterator<Item = (usize, &Line)> {
        self.lines.iter().take(MAX_LINES).enumerate()
    }

    fn width(&self) -> usize {
        self.days * DAY
    }

    fn ticks(&self) -> Vec<f64> {
        if self.logarithmic { scale::powers(self.high) } else { scale::even(self.low, self.high) }
    }

    /// Distance from the top of the plot, of 1000.
    fn height_of(&self, value: f64) -> f64 {
        let ticks = self.ticks();
        let (Some(low), Some(high)) = (ticks.first(), ticks.last()) else { return PLOT };
        let share = if self.logarithmic {
            (value.max(1.0).log10() - low.log10()) / (high.log10() - low.log10())
        } else {
            (value - low) / (high - low)
        };
        PLOT - share.clamp(0.0, 1.0) * PLOT
    }

    /// A line, joined where its points are near.
    fn path(&self, line: &Line) -> String {
        let mut path = String::new();
        let mut before: Option<usize> = None;
        for (place, value) in line.values.iter().enumerate() {
            let Some(value) = value.filter(|value| value.is_finite()) else { continue };
            let joined = before.is_some_and(|before| place - before <= JOINED_DAYS);
            let command = if joined { 'L' } else { 'M' };
            let across = place * DAY + DAY / 2;
            write!(path, "{command}{across} {:.1}", self.height_of(value)).expect("writing to a string");
            if !joined {
                // A point that stands alone is seen, too.
                path.push_str("h.01");
            }
            before = Some(place);
        }
        path
    }

    /// The band around a line: there along its upper ends, back along the lower ones.
    fn band_of(&self, line: &Line) -> String {
        let known: Vec<(usize, (f64, f64))> =
            line.band.iter().enumerate().filter_map(|(place, ends)| Some((place, (*ends)?))).collect();
        let mut path = String::new();
        for run in known.chunk_by(|one, next| next.0 - one.0 <= JOINED_DAYS) {
            let point =
                |place: usize, value: f64| format!("{} {:.1}", place * DAY + DAY / 2, self.height_of(value));
            let there = run.iter().map(|(place, (_, high))| point(*place, *high));
            let back = run.iter().rev().map(|(place, (low, _))| point(*place, *low));
            let points: Vec<String> = there.chain(back).collect();
            write!(path, "M{}z", points.join("L")).expect("writing to a string");
        }
        path
    }

    /// Lines across: distance from the top in per cent, label, whether it is the reference or zero.
    fn across_lines(&self) -> Vec<(String, String, bool)> {
        let strong = self.reference.unwrap_or(0.0);
        let mut ticks = self.ticks();
        if let Some(value) = self.reference
            && !ticks.iter().any(|tick| (tick - value).abs() < 1e-9)
        {
            ticks.push(value);
        }
        let places = |value: f64| usize::from(value.fract().abs() > 1e-9) * self.places.max(1);
        ticks
            .into_iter()
            .map(|tick| {
                let label = self.t.decimal(tick, places(tick));
                (format!("{:.2}%", self.height_of(tick) / 10.0), label, (tick - strong).abs() < 1e-9)
            })
            .collect()
    }

    /// Marked days: class, where they begin and how wide they are, in per cent.
    fn marked(&self) -> Vec<(&'static str, String, String)> {
        let marked = |(ground, first, last): &(Ground, usize, usize)| {
            let class = if *ground == Ground::Hatched { "hatched" } else { "shaded" };
            let width = (last + 1).saturating_sub(*first) * DAY;
            (class, self.percent_of(first * DAY), self.percent_of(width))
        };
        self.grounds.iter().map(marked).collect()
    }

    #[allow(clippy::cast_precision_loss)] // a drawing
    fn percent_of(&self, units: usize) -> String {
        format!("{:.2}%", units as f64 * 100.0 / self.width() as f64)
    }

    /// Labels below: place in per cent, text.
    fn labels(&self) -> Vec<(String, String)> {
        let first = match self.across {
            Across::Counted => {
                let step = scale::step_of(self.days, COUNTED_LABELS);
                let days = (0..self.days).step_by(step);
                return days.map(|day| (self.percent_of(day * DAY), self.t.number(day))).collect();
            }
            Across::From(first) => first,
        };
        let label = |(place, month): (usize, &Date)| {
            let named = place == 0 || month.month() == 1;
            let text = if named { self.t.month_and_year_text(*month) } else { self.t.month_text(*month) };
            let days = usize::try_from(first.until(*month).ok()?.get_days()).ok()?;
            Some((self.percent_of(days * DAY), text))
        };
        let months = scale::months(first, self.days);
        let labels: Vec<(String, String)> = months.iter().enumerate().filter_map(label).collect();
        if !labels.is_empty() {
            return labels;
        }
        // A few days within a month: its first day and one further on say where we are; the last one's label would have no room.
        let later = self.days * 2 / 3;
        let named = |place: usize| {
            let day = first.checked_add(i64::try_from(place).ok()?.days()).ok()?;
            Some((self.percent_of(place * DAY), self.t.date_short_text(day)))
        };
        if later == 0 {
            named(0).into_iter().collect()
        } else {
            [0, later].into_iter().filter_map(named).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Lang;
    use jiff::civil::date;
    use jiff::tz::TimeZone;

    fn chart(lines: Vec<Line>) -> LineChart {
        let t = Locale::new(Lang::En, TimeZone::UTC);
        let across = Across::From(date(2020, 1, 22));
        LineChart::new(&t, "rt", "R", "It falls.", across, lines).expect("something to draw")
    }

    #[test]
    fn near_points_are_joined_and_far_ones_are_not() {
        let mut values = vec![Some(2.0); 3];
        values.extend([None; 8]);
        values.push(Some(1.0));
        let chart = chart(vec![Line::new("a", values)]);
        assert_eq!(chart.path(&chart.lines[0]).matches('M').count(), 2);
        assert_eq!(chart.ticks(), [0.0, 0.5, 1.0, 1.5, 2.0]);
    }

    #[test]
    fn a_band_goes_there_and_back_and_what_is_above_stands_at_the_edge() {
        let line =
            Line::new("a", vec![Some(1.0), Some(9.0)]).with_band(vec![Some((0.5, 2.0)), Some((3.0, 50.0))]);
        let chart = chart(vec![line]).at_most(4.0);
        assert_eq!(chart.band_of(&chart.lines[0]), "M5 500.0L15 0.0L15 250.0L5 875.0z");
    }

    #[test]
    fn the_drawing_has_title_and_summary_and_marks_days() {
        let html = chart(vec![Line::new("a", vec![Some(1.0); 20])])
            .with_reference(1.0)
            .with_hatched(&[(2, 5)], "after a correction")
            .with_shaded_from(15, "not yet complete")
            .render()
            .unwrap();
        for part in [
            "<desc id=\"rt-desc\">It falls.</desc>",
            "after a correction",
            "not yet complete",
            "x=\"10.00%\"",
        ] {
            assert!(html.contains(part), "{part}");
        }
        assert!(!html.contains("style="), "pages run without inline style");
    }

    #[test]
    fn a_few_days_are_labelled_where_they_are() {
        let t = Locale::new(Lang::En, TimeZone::UTC);
        let across = Across::From(date(2020, 6, 2));
        let chart =
            LineChart::new(&t, "rt", "R", "", across, vec![Line::new("a", vec![Some(1.0); 24])]).unwrap();
        let labels = chart.labels();
        let plain = |text: &str| text.replace(['\u{2068}', '\u{2069}'], "");
        assert_eq!((labels[0].0.as_str(), plain(&labels[0].1)), ("0.00%", "2 Jun 2020".to_owned()));
        // Sixteen of twenty-four days after it.
        assert_eq!((labels[1].0.as_str(), plain(&labels[1].1)), ("66.67%", "18 Jun 2020".to_owned()));
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        let t = Locale::new(Lang::En, TimeZone::UTC);
        assert!(
            LineChart::new(&t, "x", "", "", Across::Counted, vec![Line::new("a", vec![None; 9])]).is_none()
        );
    }
}
