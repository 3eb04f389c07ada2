//! `/situation/compare`: up to four places side by side, by the calendar or from the day on which each reached the same
//! number, in counts or per 100,000 people where somebody states a population.
//!
//! Each place is shown by one author: its own authority where it states the indicator, else the one with the longest
//! series. Nothing is averaged between authors.

use super::curve::{Day, Measure};
use super::figure::date_of;
use super::names::Names;
use super::parts::{author_cell, iso_day, place_cell, proof_cell, value_cell};
use super::place::{self, Shown};
use super::places;
use super::points::MOST_STATEMENTS;
use super::query::{self, Scope, Series, Source};
use crate::chart::{Across, Line, LineChart, MAX_LINES};
use crate::desks::shared::{Rows, Share};
use crate::layout::component::{Control, Field, empty};
use crate::layout::{Asked, Cell, Column, Key, Lists, Markup, Page, Problem, Row, Table};
use askama::Template;
use std::collections::BTreeSet;
use std::sync::Arc;
use store::db::{Db, DbError};

/// The number from which days are counted, where none is asked for.
const THRESHOLD: f64 = 100.0;
/// A rate is of so many people.
const PEOPLE: f64 = 100_000.0;
/// The parameters of the places.
const PLACES: [&str; MAX_LINES] = ["p1", "p2", "p3", "p4"];
/// Days that are drawn at most, the newest: more than three years say nothing more.
const MAX_DAYS: i64 = 1_200;

/// What is compared, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// The places, in the order asked for.
    pub places: Vec<String>,
    /// The number from which days are counted; by the calendar without one.
    pub threshold: Option<f64>,
    /// Per 100,000 people.
    pub per_people: bool,
    /// On a logarithmic scale.
    pub logarithmic: bool,
}

impl Wanted {
    /// Reads an address: `?p1=CHN&p2=JPN&align=threshold&threshold=100&per=people&scale=log`.
    pub fn read(asked: &Asked) -> Result<Self, Problem> {
        let get = |name: &str| asked.query.get(name);
        let one_of = |name: &'static str, known: [&str; 2]| match get(name) {
            None => Ok(false),
            Some(text) if text == known[0] => Ok(false),
            Some(text) if text == known[1] => Ok(true),
            Some(text) => Err(Problem::new("choice-unknown").with("name", name).with("value", text)),
        };
        let mut places: Vec<String> = Vec::new();
        for place in PLACES.iter().filter_map(|name| get(name)) {
            if !places.iter().any(|known| known == place) {
                places.push(place.to_owned());
            }
        }
        let number = match get("threshold") {
            None => THRESHOLD,
            Some(text) => text
                .parse::<f64>()
                .ok()
                .filter(|number| number.is_finite() && *number > 0.0)
                .ok_or_else(|| Problem::new("threshold-number").with("value", text))?,
        };
        Ok(Self {
            places,
            threshold: one_of("align", ["date", "threshold"])?.then_some(number),
            per_people: one_of("per", ["count", "people"])?,
            logarithmic: one_of("scale", ["linear", "log"])?,
        })
    }
}

/// A place in the comparison.
#[derive(Clone, Debug)]
pub struct Compared {
    /// Its code or text.
    pub place: String,
    /// The author's series that stands for it; `None` if nobody states the indicator.
    pub shown: Option<Shown>,
    /// The newest record of the series.
    pub source: Option<Source>,
    /// How many people live there, as somebody states it.
    pub people: Option<f64>,
    /// Who has so many series of it that they are left out.
    pub crowded: BTreeSet<String>,
}

/// Everything the page shows.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// What was asked for.
    pub wanted: Wanted,
    /// The indicator.
    pub indicator: String,
    /// Indicators that somebody states.
    pub indicators: Vec<String>,
    /// Places that can be chosen.
    pub known: Arc<Vec<String>>,
    /// The places.
    pub places: Vec<Arc<Compared>>,
}

impl Rows for Compared {
    fn rows(&self) -> usize {
        1 + self.shown.as_ref().map_or(0, Rows::rows)
    }
}

/// Reads what is compared.
pub async fn read(
    db: &Db,
    scope: Scope<'_>,
    names: &Names<'_>,
    indicator: Option<&str>,
    wanted: Wanted,
    share: Share<'_>,
) -> Result<Comparison, DbError> {
    let stated = query::indicators(db, scope).await?;
    let indicators: Vec<String> =
        stated.into_iter().filter(|code| Measure::of(code) != Measure::Standing).collect();
    let indicator = super::overview::chosen(&indicators, indicator);
    let read = places::known(db, scope, &indicator);
    let known = share.read(|reads| &reads.places, scope, &[&indicator], read).await?;
    let mut places = Vec::new();
    let most = MOST_STATEMENTS / i64::try_from(wanted.places.len().max(1)).unwrap_or(i64::MAX);
    for place in &wanted.places {
        let what = [&*indicator, place, &most.to_string()];
        let read = of_place(db, scope, names, (&indicator, place), most);
        places.push(share.read(|reads| &reads.compared, scope, &what, read).await?);
    }
    Ok(Comparison { wanted, indicator, indicators, known, places })
}

async fn of_place(
    db: &Db,
    scope: Scope<'_>,
    names: &Names<'_>,
    (indicator, place): (&str, &str),
    most: i64,
) -> Result<Compared, DbError> {
    let all = places::of_place(db, scope, place).await?;
    let shown = place::main(db, scope, names, &all.series, indicator, most).await?;
    let mut source = None;
    if let Some((one, day)) = shown.as_ref().and_then(|one| Some((one, one.days.last()?))) {
        source = query::sources(db, one.series.shelf, [day.release]).await?.remove(&day.release);
    }
    let people = people(db, scope, &all.series).await?.filter(|people| *people > 0.0);
    Ok(Compared { place: place.to_owned(), shown, source, people, crowded: all.crowded })
}

/// How many people live in a place: the newest figure of the first who states one.
async fn people(db: &Db, scope: Scope<'_>, all: &[Series]) -> Result<Option<f64>, DbError> {
    let of_all = |one: &&Series| one.indicator == "population" && one.disaggregation.is_empty();
    let mut stated: Vec<&Series> = all.iter().filter(of_all).collect();
    stated.sort_by_key(|one| (&one.author, &one.definition));
    for series in stated {
        if let Some(value) = query::newest(db, scope, series).await? {
            return Ok(Some(value.to_f64()));
        }
    }
    Ok(None)
}

/// New per day, as a mean of seven, by day; per 100,000 if asked for.
fn values(one: &Compared, per_people: bool) -> Vec<(i64, f64)> {
    let Some(shown) = &one.shown else { return Vec::new() };
    let factor = match (per_people, one.people) {
        (false, _) => 1.0,
        (true, Some(people)) => PEOPLE / people,
        (true, None) => return Vec::new(),
    };
    let newest = shown.days.last().map_or(0, |day| day.day);
    let days = shown.days.iter().filter(|day| day.day > newest - MAX_DAYS);
    days.filter_map(|day| Some((day.day, day.mean? * factor))).collect()
}

/// The first day on which the number is reached: by the stated total, or by what was new so far where new counts are
/// stated; `None` if it never is.
fn reached(measure: Measure, days: &[Day], threshold: f64) -> Option<i64> {
    let mut sum = 0.0;
    let total = |day: &Day| {
        sum += day.stated.to_f64();
        if measure == Measure::Cumulative { day.stated.to_f64() } else { sum }
    };
    days.iter().map(total).zip(days).find(|(total, _)| *total >= threshold).map(|(_, day)| day.day)
}

/// What the days of the chart are, and its lines with their places; places that have no line are left out.
pub fn lines(names: &Names<'_>, comparison: &Comparison) -> (Across, Vec<(String, Line)>) {
    let measure = Measure::of(&comparison.indicator);
    let mut found: Vec<(&Compared, Vec<(i64, f64)>)> = Vec::new();
    for one in &comparison.places {
        let values = values(one, comparison.wanted.per_people);
        let start = match comparison.wanted.threshold {
            None => Some(0),
            Some(threshold) => reached(measure, one.shown.as_ref().map_or(&[], |s| &s.days), threshold),
        };
        let Some(start) = start else { continue };
        found.push((one, values.into_iter().map(|(day, value)| (day - start, value)).collect()));
    }
    let by_date = comparison.wanted.threshold.is_none();
    let days = || found.iter().flat_map(|(_, values)| values.iter().map(|(day, _)| *day));
    let first = if by_date { days().min().unwrap_or(0) } else { 0 };
    let length = usize::try_from(days().max().unwrap_or(-1) - first + 1).unwrap_or(0);
    let lines = found
        .iter()
        .map(|(one, values)| {
            let mut line = vec![None; length];
            for (day, value) in values {
                if let Some(slot) = usize::try_from(day - first).ok().and_then(|at| line.get_mut(at)) {
                    *slot = Some(*value);
                }
            }
            (one.place.clone(), Line::new(names.place(&one.place), line))
        })
        .collect();
    (if by_date { Across::From(date_of(first)) } else { Across::Counted }, lines)
}

/// The page.
#[derive(Template)]
#[template(path = "desks/situation/templates/compare.html")]
pub struct ComparePage {
    page: Page,
    views: Vec<(String, String, bool)>,
    kept: Vec<(String, String)>,
    fields: Vec<Field>,
    nothing: Option<Markup>,
    title: String,
    notes: Vec<String>,
    chart: Option<LineChart>,
    places: Table,
    days: Table,
}

impl Lists for ComparePage {
    fn lists(&self) -> Vec<&Table> {
        vec![&self.places, &self.days]
    }
}

/// Builds the page.
pub fn page(page: Page, names: &Names<'_>, comparison: &Comparison) -> Result<ComparePage, Problem> {
    let t = page.t.clone();
    let (across, of_places) = lines(names, comparison);
    let lines: Vec<Line> = of_places.iter().map(|(_, line)| line.clone()).collect();
    let title = title(&page, names, comparison);
    let summary = summary(&page, comparison, &lines, across);
    let drawn = LineChart::new(&t, "compared", &title, summary, across, lines);
    let places = usize::from(comparison.wanted.per_people) * 2;
    let drawn = drawn.map(|chart| {
        let chart = chart.with_places(places);
        if comparison.wanted.logarithmic { chart.logarithmic() } else { chart }
    });
    let nothing =
        comparison.places.is_empty().then(|| empty(&t.compare_empty_title(), &t.compare_empty_text(), None));
    Ok(ComparePage {
        views: super::parts::views(&page, "/situation/compare"),
        kept: page
            .asked
            .query
            .only(|key| matches!(key, "lang" | "zone" | "as_of" | "basis"))
            .pairs()
            .to_vec(),
        fields: fields(&page, names, comparison),
        nothing,
        title,
        notes: notes(&page, names, comparison),
        chart: drawn,
        places: places_table(&page, names, comparison)?,
        days: days_table(&page, across, &of_places)?,
        page,
    })
}

fn title(page: &Page, names: &Names<'_>, comparison: &Comparison) -> String {
    let t = &page.t;
    let what = names.indicator(&comparison.indicator);
    if comparison.wanted.per_people { t.compare_title_people(what) } else { t.compare_title(what) }
}

/// What is seen: the newest value of each line.
fn summary(page: &Page, comparison: &Comparison, lines: &[Line], across: Across) -> String {
    let t = &page.t;
    let places = usize::from(comparison.wanted.per_people) * 2;
    let newest = lines.iter().filter_map(|line| {
        let value = line.values.iter().rev().flatten().next()?;
        let places = places.max(usize::from(*value < 10.0));
        // A list in a sentence is isolated as a whole: what stands in it must not be isolated again, or its direction is lost.
        Some(format!("{} {}", line.name, t.decimal(*value, places)))
    });
    let newest = t.list(&newest.collect::<Vec<_>>());
    match (across, comparison.wanted.threshold) {
        (Across::Counted, Some(threshold)) => t.compare_summary_threshold(t.decimal(threshold, 0), newest),
        _ => t.compare_summary(newest),
    }
}

/// Why a place has no line, and what of it is left out.
fn notes(page: &Page, names: &Names<'_>, comparison: &Comparison) -> Vec<String> {
    let t = &page.t;
    let measure = Measure::of(&comparison.indicator);
    let why = |one: &Compared| {
        let name = names.place(&one.place);
        let Some(shown) = &one.shown else { return Some(t.compare_not_stated(name)) };
        if comparison.wanted.per_people && one.people.is_none() {
            return Some(t.compare_no_people(name));
        }
        let threshold = comparison.wanted.threshold?;
        let reached = reached(measure, &shown.days, threshold);
        reached.is_none().then(|| t.compare_not_reached(name, t.decimal(threshold, 0)))
    };
    let of_place = |one: &Compared| {
        let name = names.place(&one.place);
        let crowded = place::crowded(names, &one.crowded);
        let more = crowded.chain(one.shown.as_ref().and_then(|shown| shown.cut(names)));
        let more = more.map(|text| format!("{name}: {text}"));
        why(one).into_iter().chain(more).collect::<Vec<_>>()
    };
    comparison.places.iter().map(AsRef::as_ref).flat_map(of_place).collect()
}

fn fields(page: &Page, names: &Names<'_>, comparison: &Comparison) -> Vec<Field> {
    let t = &page.t;
    let mut known: Vec<(String, String)> =
        comparison.known.iter().map(|place| (place.clone(), names.place(place))).collect();
    known.sort_by_key(|(_, name)| name.to_lowercase());
    known.insert(0, (String::new(), "–".to_owned()));
    let mut fields: Vec<Field> = PLACES
        .into_iter()
        .enumerate()
        .map(|(at, name)| {
            let chosen = comparison.wanted.places.get(at).cloned().unwrap_or_default();
            let field = Field::new(t, name, t.compare_place(at + 1), Control::Select(known.clone()));
            field.value(chosen).optional()
        })
        .collect();
    let indicators = comparison.indicators.iter().map(|code| (code.clone(), names.indicator(code))).collect();
    let choice = |name, label, choices: [(&str, String); 2], second: bool| {
        let value = choices[usize::from(second)].0;
        let choices = choices.iter().map(|(code, text)| ((*code).to_owned(), text.clone())).collect();
        Field::new(t, name, label, Control::Select(choices)).value(value)
    };
    let wanted = &comparison.wanted;
    fields.push(
        Field::new(t, "indicator", t.situation_indicators(), Control::Select(indicators))
            .value(&comparison.indicator),
    );
    fields.push(choice(
        "align",
        t.compare_align(),
        [("date", t.compare_by_date()), ("threshold", t.compare_by_threshold())],
        wanted.threshold.is_some(),
    ));
    fields.push(
        Field::new(t, "threshold", t.compare_threshold(), Control::Input("number"))
            .value(wanted.threshold.unwrap_or(THRESHOLD).to_string()),
    );
    fields.push(choice(
        "per",
        t.compare_per(),
        [("count", t.compare_per_count()), ("people", t.compare_per_people())],
        wanted.per_people,
    ));
    fields.push(choice(
        "scale",
        t.compare_scale(),
        [("linear", t.compare_linear()), ("log", t.compare_log())],
        wanted.logarithmic,
    ));
    fields
}

fn places_table(page: &Page, names: &Names<'_>, comparison: &Comparison) -> Result<Table, Problem> {
    let t = &page.t;
    let measure = Measure::of(&comparison.indicator);
    let mut columns = vec![
        Column::new("place", t.situation_place()),
        Column::new("who", t.situation_who()),
        Column::new("value", names.indicator(&comparison.indicator)).numeric(),
        Column::new("day", t.situation_day()),
    ];
    columns.extend(
        comparison
            .wanted
            .threshold
            .map(|number| Column::new("reached", t.compare_reached(t.decimal(number, 0)))),
    );
    columns.push(Column::new("proof", t.situation_proof()));
    let rows = comparison
        .places
        .iter()
        .map(|one| {
            let last = one.shown.as_ref().and_then(|shown| shown.days.last());
            let day_cell = |day: Option<i64>| {
                day.map_or_else(Cell::unknown, |day| {
                    Cell::from(t.date_short(date_of(day))).keyed(Key::whole(day).written(iso_day(day)))
                })
            };
            let author = one.shown.as_ref().map(|shown| author_cell(page, names, &shown.series.author));
            let mut cells = vec![
                place_cell(page, names, &one.place),
                author.unwrap_or_else(Cell::unknown),
                last.map_or_else(Cell::unknown, |day| value_cell(t, day.stated)),
                day_cell(last.map(|day| day.day)),
            ];
            cells.extend(comparison.wanted.threshold.map(|threshold| {
                day_cell(one.shown.as_ref().and_then(|shown| reached(measure, &shown.days, threshold)))
            }));
            cells.push(one.source.as_ref().map_or_else(Cell::unknown, |source| proof_cell(page, source)));
            Row::new(cells)
        })
        .collect();
    Table::list(&page.asked, "places", t.compare_places(), columns, rows)
}

/// The values of the chart, newest day first.
fn days_table(page: &Page, across: Across, lines: &[(String, Line)]) -> Result<Table, Problem> {
    let t = &page.t;
    let head = if across == Across::Counted { t.compare_day_counted() } else { t.situation_day() };
    let mut columns = vec![Column::new("day", head)];
    columns.extend(lines.iter().map(|(place, line)| Column::new(place.clone(), line.name.clone()).numeric()));
    let length = lines.iter().map(|(_, line)| line.values.len()).max().unwrap_or(0);
    let on = |line: &Line, at: usize| line.values.get(at).copied().flatten();
    let rows = (0..length)
        .rev()
        .filter(|at| lines.iter().any(|(_, line)| on(line, *at).is_some()))
        .map(|at| {
            let day = i64::try_from(at).unwrap_or(0);
            let mut cells = vec![match across {
                Across::Counted => Cell::number(t, day),
                Across::From(first) => {
                    let date = date_of(super::figure::day_number(first) + day);
                    Cell::from(t.date_short(date)).keyed(Key::whole(day).written(date.to_string()))
                }
            }];
            cells.extend(lines.iter().map(|(_, line)| {
                on(line, at).map_or_else(Cell::unknown, |value| {
                    let places = if value < 10.0 { 2 } else { 1 };
                    Cell::text(t.decimal(value, places)).keyed(Key::number(value, format!("{value:.4}")))
                })
            }));
            Row::new(cells)
        })
        .collect();
    Ok(Table::list(&page.asked, "days", t.situation_data_table(), columns, rows)?.in_columns())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Lang;
    use crate::layout::RequestParts;
    use jiff::tz::TimeZone;

    fn wanted(query: &str) -> Result<Wanted, Problem> {
        let parts = RequestParts { path: "/situation/compare", query, ..RequestParts::default() };
        Wanted::read(&Asked::new(parts, Lang::En, TimeZone::UTC))
    }

    #[test]
    fn an_address_says_what_is_compared_and_a_wrong_one_is_refused() {
        let read = wanted("p1=CHN&p2=JPN&p4=CHN&align=threshold&threshold=50").unwrap();
        assert_eq!(read.places, ["CHN", "JPN"]);
        assert_eq!((read.threshold, read.per_people), (Some(50.0), false));
        assert_eq!(wanted("").unwrap().threshold, None);
        assert_eq!(wanted("align=moon").unwrap_err().code(), "choice-unknown");
        for number in ["0", "-5", "x", "NaN"] {
            assert_eq!(wanted(&format!("threshold={number}")).unwrap_err().code(), "threshold-number");
        }
    }

    #[test]
    fn a_number_is_reached_by_the_total_or_by_the_sum_of_what_was_new() {
        let day = |day: i64, stated: &str| Day {
            day,
            stated: stated.parse().unwrap(),
            new: None,
            days: 1,
            mean: None,
            release: 1,
            corrections: 0,
        };
        let days = [day(1, "40"), day(2, "50"), day(3, "110")];
        assert_eq!(reached(Measure::Cumulative, &days, 100.0), Some(3));
        assert_eq!(reached(Measure::New, &days, 90.0), Some(2));
        assert_eq!(reached(Measure::Cumulative, &days, 1_000.0), None);
    }
}
