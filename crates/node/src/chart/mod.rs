//! Curves drawn on the server: bars per day, a seven-day average, months below, and what it says in a sentence.
//!
//! A chart is SVG without inline style. Its plot stretches with the page while its words keep their size, so it
//! reads the same on a telephone. Time runs from left to right in every language. The same numbers stand beside
//! it in a table. This module draws what it is given; it never fills a gap, smooths a value or guesses one.

mod daily;
mod lines;
pub mod scale;
mod spark;
mod trend;

pub use daily::Daily;
pub use lines::{Across, Line, LineChart, MAX_LINES};
pub use spark::sparkline;
pub use trend::{Direction, Measure, Trend, summary, trend};

use crate::i18n::Locale;
use crate::layout::Markup;
use askama::Template;
use askama::filters::HtmlSafe;
use jiff::civil::Date;
use std::fmt::Write;

/// Units of the plot per day; bars are a little narrower.
const DAY: usize = 10;
/// Units of the plot from its top to its bottom.
const PLOT: f64 = 1000.0;
/// Series beyond the fourth have no colour and no stroke of their own.
const MAX_SERIES: usize = 4;

/// One author's values.
#[derive(Clone, Debug)]
pub struct Series {
    /// Who states them, in the reader's language.
    pub name: String,
    /// The values.
    pub daily: Daily,
}

/// Something that happened on a day: a correction, a new case definition.
#[derive(Clone, Debug)]
pub struct Marker {
    /// When.
    pub day: Date,
    /// What, with a link to its record.
    pub text: Markup,
}

/// A curve of days: `{{ chart }}`.
#[derive(Clone, Debug, Template)]
#[template(path = "chart/templates/daily.html")]
pub struct DailyChart {
    t: Locale,
    id: &'static str,
    title: String,
    measure: Measure,
    series: Vec<Series>,
    incomplete: usize,
    markers: Vec<Marker>,
    first: Date,
    days: usize,
    ticks: Vec<i64>,
}

impl HtmlSafe for DailyChart {}

impl DailyChart {
    /// A chart of at least one author's values. The first series is drawn as bars and its average, the others
    /// as averages; at most four are drawn, the table has all. `id` is unique in the page. `None` if there is
    /// no day to draw.
    pub fn new(
        t: &Locale,
        id: &'static str,
        title: impl Into<String>,
        measure: Measure,
        series: Vec<Series>,
    ) -> Option<Self> {
        let first = series.iter().filter_map(|series| series.daily.day(0)).min()?;
        let last = series.iter().filter_map(|series| series.daily.last_day()).max()?;
        let days = usize::try_from(first.until(last).ok()?.get_days()).ok()? + 1;
        let values = || series.iter().flat_map(|series| series.daily.values().iter().flatten().copied());
        let ticks = scale::ticks(values().min()?, values().max()?);
        let (t, title) = (t.clone(), title.into());
        Some(Self { t, id, title, measure, series, incomplete: 0, markers: Vec::new(), first, days, ticks })
    }

    /// Marks the last days of the first series as not yet all reported.
    #[must_use]
    pub fn with_incomplete_days(mut self, days: usize) -> Self {
        self.incomplete = days;
        self
    }

    /// Marks days, numbered in the order given and explained below the plot.
    #[must_use]
    pub fn with_markers(mut self, markers: Vec<Marker>) -> Self {
        self.markers = markers;
        self
    }

    /// What the first series says, in a sentence.
    pub fn summary(&self) -> String {
        self.series.first().map_or_else(String::new, |series| {
            summary(&self.t, &self.measure, &series.daily, self.incomplete)
        })
    }

    fn drawn(&self) -> impl Iterator<Item = (usize, &Series)> {
        self.series.iter().take(MAX_SERIES).enumerate()
    }

    fn width(&self) -> usize {
        self.days * DAY
    }

    /// Distance from the top of the plot, of 1000.
    #[allow(clippy::cast_precision_loss)] // a drawing
    fn height_of(&self, value: f64) -> f64 {
        let (low, high) = (self.ticks[0] as f64, self.ticks[self.ticks.len() - 1] as f64);
        PLOT - (value - low) / (high - low) * PLOT
    }

    /// Where a day begins, from the left edge of the plot.
    fn left_of(&self, day: Date) -> Option<usize> {
        usize::try_from(self.first.until(day).ok()?.get_days())
            .ok()
            .filter(|days| *days < self.days)
            .map(|days| days * DAY)
    }

    /// The same in per cent, for what must not be stretched.
    #[allow(clippy::cast_precision_loss)]
    fn percent_of(&self, units: usize) -> String {
        format!("{:.2}%", units as f64 * 100.0 / self.width() as f64)
    }

    /// Bars of the first series, complete days or incomplete ones, as one path.
    #[allow(clippy::cast_precision_loss)]
    fn bars(&self, incomplete: bool) -> String {
        let Some(series) = self.series.first() else { return String::new() };
        let zero = self.height_of(0.0);
        let complete = series.daily.values().len().saturating_sub(self.incomplete);
        let mut path = String::new();
        for (place, value) in series.daily.values().iter().enumerate() {
            let Some(value) = value.filter(|value| *value != 0 && (place >= complete) == incomplete) else {
                continue;
            };
            let Some(left) = series.daily.day(place).and_then(|day| self.left_of(day)) else { continue };
            let top = self.height_of(value as f64);
            write!(path, "M{} {zero:.1}V{top:.1}h8V{zero:.1}z", left + 1).expect("writing to a string");
        }
        path
    }

    /// The average of a series over the seven days until each day, where all seven are known.
    fn average(&self, series: &Series) -> String {
        let mut path = String::new();
        let mut pen_down = false;
        for (place, value) in series.daily.weekly_average().iter().enumerate() {
            let left = series.daily.day(place).and_then(|day| self.left_of(day));
            let (Some(value), Some(left)) = (value, left) else {
                pen_down = false;
                continue;
            };
            let command = if pen_down { 'L' } else { 'M' };
            write!(path, "{command}{} {:.1}", left + DAY / 2, self.height_of(*value))
                .expect("writing to a string");
            pen_down = true;
        }
        path
    }

    /// Lines across: distance from the top in per cent, label, whether it is zero.
    #[allow(clippy::cast_precision_loss)]
    fn lines(&self) -> Vec<(String, String, bool)> {
        let line = |tick: &i64| {
            (format!("{:.2}%", self.height_of(*tick as f64) / 10.0), self.t.number(*tick), *tick == 0)
        };
        self.ticks.iter().map(line).collect()
    }

    /// Month labels: place in per cent, text. January carries its year, and so does the first label.
    fn months(&self) -> Vec<(String, String)> {
        let months = scale::months(self.first, self.days);
        let label = |(place, month): (usize, &Date)| {
            let named = place == 0 || month.month() == 1;
            let text = if named { self.t.month_and_year_text(*month) } else { self.t.month_text(*month) };
            Some((self.percent_of(self.left_of(*month)?), text))
        };
        months.iter().enumerate().filter_map(label).collect()
    }

    /// Markers within the plot: number, place in per cent.
    fn marks(&self) -> Vec<(usize, String)> {
        let place = |(number, marker): (usize, &Marker)| {
            Some((number + 1, self.percent_of(self.left_of(marker.day)? + DAY / 2)))
        };
        self.markers.iter().enumerate().filter_map(place).collect()
    }

    /// The table beside the chart, newest day first: day, a cell per series, the first one's average.
    fn rows(&self) -> Vec<(Markup, Vec<String>, String)> {
        let averages = self.series.first().map(|series| series.daily.weekly_average()).unwrap_or_default();
        let row = |back: usize| {
            let day = self.first.checked_add(jiff::Span::new().days(i64::try_from(back).ok()?)).ok()?;
            let cell = |series: &Series| {
                series.daily.on(day).map_or_else(|| "–".to_owned(), |value| self.t.number(value))
            };
            let place = self.series.first().and_then(|series| series.daily.place_of(day));
            let average = place.and_then(|place| *averages.get(place)?);
            let average = average.map_or_else(|| "–".to_owned(), |value| self.t.decimal(value, 1));
            Some((self.t.date_short(day), self.series.iter().map(cell).collect(), average))
        };
        (0..self.days).rev().filter_map(row).collect()
    }
}

#[cfg(test)]
mod tests;
