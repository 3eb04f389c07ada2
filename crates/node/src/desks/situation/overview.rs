//! `/situation`: every place's newest figure of one indicator, with who says it and its proof.

use super::corrections::{self, Correction};
use super::curve::Measure;
use super::figure::date_of;
use super::names::{Names, is_country, place_path};
use super::parts::{
    Csv, correction_columns, correction_rows, count_text, day_link, indicator_links, iso, iso_day,
    period_cell, place_cell, proof_cell, value_text, weekly_new,
};
use super::query::{self, Latest, MOST_PLACES, Scope, WEEKS};
use super::schema::Shelf;
use crate::chart;
use crate::layout::component::{Figures, Tone, empty, tag};
use crate::layout::{
    Cell, Column, Key, Lists, Markup, Page, Paging, Problem, ROWS_PER_PAGE, Row, Sort, Table, TableQuery,
};
use crate::map::{Borders, Symbol, WorldMap};
use askama::Template;
use formats::figures::Value;
use std::collections::{BTreeMap, BTreeSet};
use store::db::{Db, DbError};

/// What is shown where nothing else is asked for.
const USUAL: &str = "cases-confirmed-cumulative";
/// Corrections that are counted; more are shown as "at least".
const COUNTED_CORRECTIONS: i64 = 100;
/// Corrections and differences shown here; the rest has pages of its own.
const SHOWN: usize = 8;

/// The newest figure of a place by one author.
#[derive(Clone, Debug)]
pub struct Line {
    /// The figure.
    pub latest: Latest,
    /// New in the seven days before it.
    pub seven: Option<f64>,
    /// Whether its author is the place's own authority.
    pub own: bool,
}

/// A place for which authorities state the same figure differently.
#[derive(Clone, Debug)]
pub struct Differs {
    /// The place.
    pub place: String,
    /// The newest day that all of them state.
    pub day: i64,
    /// Who and what.
    pub statements: Vec<(String, Value)>,
}

/// Everything the page shows.
#[derive(Clone, Debug)]
pub struct Overview {
    /// Indicators that somebody states.
    pub indicators: Vec<String>,
    /// The one shown.
    pub indicator: String,
    /// Its newest figures, by place and author.
    pub lines: Vec<Line>,
    /// The newest corrections, of any indicator.
    pub corrections: Vec<Correction>,
    /// Where authorities differ.
    pub differs: Vec<Differs>,
    /// Who states it for so many places that they are not listed.
    pub crowded: BTreeSet<String>,
}

/// Reads what the page shows. `wanted` is the indicator asked for.
pub async fn read(
    db: &Db,
    scope: Scope<'_>,
    names: &Names<'_>,
    wanted: Option<&str>,
) -> Result<Overview, DbError> {
    let known = query::indicators(db, scope).await?;
    let indicators: Vec<String> = known.into_iter().collect();
    let indicator = chosen(&indicators, wanted);
    let lines = newest(db, scope, names, &indicator).await?;
    let differs = differs(db, scope, &lines).await?;
    let corrections = corrections::corrections(db, scope, None, COUNTED_CORRECTIONS).await?;
    let crowded = query::crowded(db, scope, &indicator).await?;
    Ok(Overview { indicators, indicator, lines, corrections, differs, crowded })
}

/// The indicator to show: the one asked for if somebody states it, else the usual one, else the first.
pub fn chosen(indicators: &[String], wanted: Option<&str>) -> String {
    let stated = |code: &&str| indicators.iter().any(|known| known == code);
    let usual = || Some(USUAL).filter(stated);
    let first = || indicators.first().map(String::as_str);
    wanted.filter(stated).or_else(usual).or_else(first).unwrap_or(USUAL).to_owned()
}

/// The newest figures of an indicator, with what was new in seven days before each.
pub async fn newest(
    db: &Db,
    scope: Scope<'_>,
    names: &Names<'_>,
    indicator: &str,
) -> Result<Vec<Line>, DbError> {
    let latest = query::latest(db, scope, indicator, None).await?;
    let sevens = sevens(db, scope, Measure::of(indicator), &latest).await?;
    let line = |(latest, seven): (Latest, Option<f64>)| {
        let own = names.is_own(&latest.series.author, &latest.series.place);
        Line { latest, seven, own }
    };
    Ok(latest.into_iter().zip(sevens).map(line).collect())
}

async fn sevens(
    db: &Db,
    scope: Scope<'_>,
    measure: Measure,
    latest: &[Latest],
) -> Result<Vec<Option<f64>>, DbError> {
    if measure != Measure::New {
        let difference = |one: &Latest| {
            let (_, before) = one.week_before.filter(|(day, _)| *day == one.point.day - 7)?;
            Some(one.point.value.to_f64() - before.to_f64())
        };
        return Ok(latest
            .iter()
            .map(|one| difference(one).filter(|_| measure == Measure::Cumulative))
            .collect());
    }
    let mut values = BTreeMap::new();
    for shelf in scope.shelves() {
        let pairs: Vec<(i64, i64)> = latest
            .iter()
            .filter(|one| one.series.shelf == *shelf)
            .flat_map(|one| (0..7).map(|back| (one.series.no, one.point.day - back)))
            .collect();
        let found = query::values_at(db, scope, *shelf, &pairs).await?;
        values
            .extend(found.into_iter().map(|((series, day), value)| ((*shelf, series, day), value.to_f64())));
    }
    let sum = |one: &Latest| -> Option<f64> {
        (0..7).map(|back| values.get(&(one.series.shelf, one.series.no, one.point.day - back)).copied()).sum()
    };
    Ok(latest.iter().map(sum).collect())
}

/// Compares the authors of each place on the newest day that all of them have reached.
async fn differs(db: &Db, scope: Scope<'_>, lines: &[Line]) -> Result<Vec<Differs>, DbError> {
    let mut groups: BTreeMap<(&str, &str), Vec<&Latest>> = BTreeMap::new();
    for one in lines.iter().map(|line| &line.latest) {
        groups.entry((&one.series.place, &one.series.definition)).or_default().push(one);
    }
    groups.retain(|_, group| group.len() > 1);
    let common = |group: &[&Latest]| group.iter().map(|one| one.point.day).min().unwrap_or_default();
    let mut values = BTreeMap::new();
    for shelf in scope.shelves() {
        let behind = groups.values().flat_map(|group| {
            let day = common(group);
            group
                .iter()
                .filter(move |one| one.point.day > day && one.series.shelf == *shelf)
                .map(move |one| (one, day))
        });
        let pairs: Vec<(i64, i64)> = behind.map(|(one, day)| (one.series.no, day)).collect();
        let found = query::values_at(db, scope, *shelf, &pairs).await?;
        values.extend(found.into_iter().map(|((series, day), value)| ((*shelf, series, day), value)));
    }
    let mut found = Vec::new();
    for ((place, _), group) in groups {
        let day = common(&group);
        let value = |one: &Latest| {
            if one.point.day == day {
                Some(one.point.value)
            } else {
                values.get(&(one.series.shelf, one.series.no, day)).copied()
            }
        };
        let statements: Vec<(String, Value)> =
            group.iter().filter_map(|one| Some((one.series.author.clone(), value(one)?))).collect();
        if statements.windows(2).any(|pair| pair[0].1 != pair[1].1) {
            found.push(Differs { place: place.to_owned(), day, statements });
        }
    }
    Ok(found)
}

/// The figure of each country that a sum takes: its own authority's, else the newest.
pub fn one_per_country(lines: &[Line]) -> Vec<&Line> {
    let mut chosen: BTreeMap<&str, &Line> = BTreeMap::new();
    for line in lines.iter().filter(|line| is_country(&line.latest.series.place)) {
        let better = |known: &&Line| (line.own, line.latest.point.day) > (known.own, known.latest.point.day);
        if chosen.get(&*line.latest.series.place).is_none_or(better) {
            chosen.insert(&line.latest.series.place, line);
        }
    }
    chosen.into_values().collect()
}

/// The page.
#[derive(Template)]
#[template(path = "desks/situation/templates/overview.html")]
pub struct OverviewPage {
    page: Page,
    lead: Option<Markup>,
    views: Vec<(String, String, bool)>,
    indicators: Vec<(String, String, bool)>,
    nothing: Option<Markup>,
    crowded: Vec<String>,
    figures: Figures,
    map: Option<WorldMap>,
    table: Table,
    corrections: Table,
    more_corrections: bool,
    differs: Option<Table>,
}

impl Lists for OverviewPage {
    fn lists(&self) -> Vec<&Table> {
        self.differs.iter().collect()
    }
}

/// Builds the page. `borders` are drawn on the map if the operator installed any.
pub async fn page(
    db: &Db,
    scope: Scope<'_>,
    names: &Names<'_>,
    page: Page,
    overview: &Overview,
    borders: &Borders,
) -> Result<Result<OverviewPage, Problem>, DbError> {
    let sortable = ["place", "value", "seven", "who", "day"];
    let asked = match TableQuery::read(&page.asked, "", &sortable, Sort::descending("value")) {
        Ok(asked) => asked,
        Err(problem) => return Ok(Err(problem)),
    };
    let differs = match differs_table(&page, names, &overview.differs) {
        Ok(differs) => differs,
        Err(problem) => return Ok(Err(problem)),
    };
    let t = page.t.clone();
    let lines = arranged(names, &overview.lines, &asked);
    let total = lines.len();
    let shown = asked.cut(lines, ROWS_PER_PAGE);
    let weeks = weeks(db, scope, &overview.indicator, &shown).await?;
    let rows = shown.iter().zip(&weeks).map(|(line, weeks)| row(&page, names, line, weeks)).collect();
    let columns = vec![
        Column::new("place", t.situation_place()).sortable(),
        Column::new("value", t.situation_value()).numeric().sortable(),
        Column::new("seven", t.situation_seven()).numeric().sortable(),
        Column::new("weeks", t.situation_weeks()),
        Column::new("day", t.situation_day()).sortable(),
        Column::new("who", t.situation_who()).sortable(),
        Column::new("standing", t.situation_standing()),
        Column::new("proof", t.situation_proof()),
    ];
    let table = Table::new(&page.asked, "figures", t.situation_table(), columns)
        .rows(rows)
        .sorted_by(&asked)
        .filterable()
        .paged(Paging { total, per_page: ROWS_PER_PAGE })
        .csv("/situation.csv");
    let nothing = overview.lines.is_empty().then(|| {
        let text =
            if scope.as_of.at.is_some() { t.situation_empty_as_of() } else { t.situation_empty_text() };
        empty(&t.situation_empty_title(), &text, None)
    });
    let shown_corrections = &overview.corrections[..overview.corrections.len().min(SHOWN)];
    Ok(Ok(OverviewPage {
        lead: lead(&page, overview),
        views: super::parts::views(&page, "/situation"),
        indicators: indicator_links(&page, names, &overview.indicators, &overview.indicator),
        nothing,
        crowded: overview
            .crowded
            .iter()
            .map(|author| t.situation_crowded(names.author(author), t.number(MOST_PLACES)))
            .collect(),
        figures: figures(&page, names, overview),
        map: (!overview.lines.is_empty()).then(|| map(&page, names, overview).with_borders(borders)),
        table,
        corrections: Table::new(
            &page.asked,
            "corrections",
            t.situation_corrections(),
            correction_columns(&t, false),
        )
        .rows(correction_rows(&page, names, shown_corrections, false))
        .with_hidden_caption()
        .stacked()
        .csv_of("/situation/corrections", "corrections")
        .when_empty(t.situation_corrections_none()),
        more_corrections: overview.corrections.len() > SHOWN,
        differs,
        page,
    }))
}

fn lead(page: &Page, overview: &Overview) -> Option<Markup> {
    let day = overview.lines.iter().map(|line| line.latest.point.day).max()?;
    let places: BTreeSet<&str> = overview.lines.iter().map(|line| &*line.latest.series.place).collect();
    let authors: BTreeSet<&str> = overview.lines.iter().map(|line| &*line.latest.series.author).collect();
    let text = page.t.situation_lead(places.len(), authors.len(), page.t.date_text(date_of(day)));
    Some(Markup::text(text))
}

fn figures(page: &Page, names: &Names<'_>, overview: &Overview) -> Figures {
    let t = &page.t;
    let countries = one_per_country(&overview.lines);
    let sum: f64 = countries.iter().map(|line| line.latest.point.value.to_f64()).sum();
    let weeks: Vec<f64> = countries.iter().filter_map(|line| line.seven).collect();
    let own: BTreeSet<&str> =
        overview.lines.iter().filter(|line| line.own).map(|line| &*line.latest.series.place).collect();
    let places: BTreeSet<&str> = overview.lines.iter().map(|line| &*line.latest.series.place).collect();
    let soft = |text: String| Markup::element("span", &[("class", "soft")], &text);
    let more = overview.corrections.len() >= usize::try_from(COUNTED_CORRECTIONS).unwrap_or(usize::MAX);
    let counted = overview.corrections.len();
    let corrections = if more { t.at_least(counted) } else { t.number(counted) };
    Figures::default()
        .with(
            names.indicator(&overview.indicator),
            Markup::text(count_text(t, sum)),
            soft(format!("{} · {}", t.situation_sum_of(countries.len()), t.situation_computed())),
        )
        .with(
            t.situation_last_week(),
            Markup::text(if weeks.is_empty() { "–".to_owned() } else { count_text(t, weeks.iter().sum()) }),
            soft(t.situation_week_known(weeks.len())),
        )
        .with(
            t.situation_reporting(),
            Markup::text(t.number(own.len())),
            soft(t.situation_reporting_of(places.len())),
        )
        .with(
            t.situation_corrections(),
            Markup::text(corrections),
            Markup::link(&page.href("/situation/corrections"), &t.situation_corrections_link()),
        )
        .with(
            t.situation_differs(),
            Markup::text(t.number(overview.differs.len())),
            if overview.differs.is_empty() {
                soft(t.situation_differs_none())
            } else {
                Markup::link("#differs", &t.situation_differs_link())
            },
        )
}

/// Filtered and in the order asked for; equal ones by place and author.
fn arranged<'l>(names: &Names<'_>, lines: &'l [Line], asked: &TableQuery) -> Vec<&'l Line> {
    let filter = asked.filter.to_lowercase();
    let matches = |line: &&Line| {
        let series = &line.latest.series;
        filter.is_empty()
            || [&*names.place(&series.place), &series.place, names.author(&series.author), &series.author]
                .iter()
                .any(|text| text.to_lowercase().contains(&filter))
    };
    let mut found: Vec<(String, &Line)> =
        lines.iter().filter(matches).map(|line| (names.place(&line.latest.series.place), line)).collect();
    found.sort_by(|(one_name, one), (other_name, other)| {
        let order = match asked.sort.key.as_str() {
            "value" => one.latest.point.value.cmp(&other.latest.point.value),
            // What is unknown is the least, in both directions last.
            "seven" => one.seven.unwrap_or(f64::MIN).total_cmp(&other.seven.unwrap_or(f64::MIN)),
            "who" => names.author(&one.latest.series.author).cmp(names.author(&other.latest.series.author)),
            "day" => one.latest.point.day.cmp(&other.latest.point.day),
            _ => one_name.cmp(other_name),
        };
        let order = if asked.sort.descending { order.reverse() } else { order };
        order.then_with(|| one_name.cmp(other_name)).then(other.own.cmp(&one.own))
    });
    found.into_iter().map(|(_, line)| line).collect()
}

/// New per week of each line, newest last.
pub async fn weeks(
    db: &Db,
    scope: Scope<'_>,
    indicator: &str,
    lines: &[&Line],
) -> Result<Vec<Vec<Option<f64>>>, DbError> {
    let mut values: BTreeMap<(Shelf, i64, usize), f64> = BTreeMap::new();
    for shelf in scope.shelves() {
        let on_shelf = lines.iter().filter(|line| line.latest.series.shelf == *shelf);
        let pairs: Vec<(i64, i64)> =
            on_shelf.map(|line| (line.latest.series.no, line.latest.point.day)).collect();
        if pairs.is_empty() {
            continue;
        }
        let found = query::weekly(db, scope, *shelf, &pairs).await?;
        values.extend(
            found.into_iter().map(|((series, week), value)| ((*shelf, series, week), value.to_f64())),
        );
    }
    let measure = Measure::of(indicator);
    let of_line = |line: &&Line| {
        let series = &line.latest.series;
        let newest_last: Vec<Option<f64>> =
            (0..=WEEKS).rev().map(|week| values.get(&(series.shelf, series.no, week)).copied()).collect();
        weekly_new(measure, &newest_last)
    };
    Ok(lines.iter().map(of_line).collect())
}

fn row(page: &Page, names: &Names<'_>, line: &Line, weeks: &[Option<f64>]) -> Row {
    let t = &page.t;
    let series = &line.latest.series;
    let point = &line.latest.point;
    let code = if is_country(&series.place) { series.place.as_str() } else { "" };
    let indicator = [("indicator", series.indicator.as_str())];
    let href = page.asked.href_with(&place_path(&series.place), &indicator);
    let place = Markup::of(&PlaceCell { href, name: names.place(&series.place), code });
    let standing = if line.own {
        tag(Tone::Sure, &t.situation_own())
    } else {
        tag(Tone::Plain, &t.situation_observed())
    };
    let known = weeks.iter().any(Option::is_some);
    Row::new(vec![
        place.into(),
        Cell::text(value_text(t, point.value)),
        line.seven.map_or_else(Cell::unknown, |seven| Cell::text(count_text(t, seven))),
        if known { chart::sparkline(weeks).into() } else { Cell::unknown() },
        day_link(page, &series.place, point.day, &t.date_short(date_of(point.day))).into(),
        said_by(page, names, line).into(),
        standing.into(),
        proof_cell(page, &line.latest.source),
    ])
}

fn said_by(page: &Page, names: &Names<'_>, line: &Line) -> Markup {
    let author = &line.latest.series.author;
    let href = page.href(format!("/network/{author}"));
    let edition = page.t.seal_edition(line.latest.source.edition);
    let definition = match line.latest.series.definition.as_str() {
        "as-reported" => None,
        other => Some(other),
    };
    Markup::of(&SaidBy { href, name: names.author(author), edition, definition })
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<a href="{{ href }}"><bdi>{{ name }}</bdi></a> <span class="soft small">{{ code }}</span>"#
)]
struct PlaceCell<'a> {
    href: String,
    name: String,
    code: &'a str,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<a class="quiet" href="{{ href }}"><bdi>{{ name }}</bdi></a> <span class="soft small">· {{ edition }}{% if let Some(definition) = definition %} · <bdi>{{ definition }}</bdi>{% endif %}</span>"#
)]
struct SaidBy<'a> {
    href: String,
    name: &'a str,
    edition: String,
    definition: Option<&'a str>,
}

fn differs_table(page: &Page, names: &Names<'_>, differs: &[Differs]) -> Result<Option<Table>, Problem> {
    if differs.is_empty() {
        return Ok(None);
    }
    let t = &page.t;
    let columns = vec![
        Column::new("place", t.situation_place()),
        Column::new("day", t.situation_period()),
        Column::new("who", t.situation_who()),
    ];
    let rows = differs
        .iter()
        .map(|one| {
            let said: Vec<(String, String)> = one
                .statements
                .iter()
                .map(|(author, value)| (names.author(author).to_owned(), value_text(t, *value)))
                .collect();
            let written: Vec<String> =
                one.statements.iter().map(|(author, value)| format!("{author}={value}")).collect();
            Row::new(vec![
                place_cell(page, names, &one.place),
                period_cell(page, &one.place, (one.day, one.day)),
                Cell::from(Markup::of(&Said { said })).keyed(Key::text(written.join(" "))),
            ])
        })
        .collect();
    Table::list(&page.asked, "differs-table", t.situation_differs(), columns, rows)
        .map(|table| Some(table.with_hidden_caption()))
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<ul class="said">{% for (who, value) in said %}<li><b class="num">{{ value }}</b> <bdi class="soft">{{ who }}</bdi></li>{% endfor %}</ul>"#
)]
struct Said {
    said: Vec<(String, String)>,
}

/// One circle per country, of the figure that the sum takes.
fn map(page: &Page, names: &Names<'_>, overview: &Overview) -> WorldMap {
    let symbol = |line: &Line| {
        let place = &line.latest.series.place;
        let indicator = [("indicator", overview.indicator.as_str())];
        Symbol {
            alpha3: place.clone(),
            name: names.place(place),
            value: line.latest.point.value.as_whole().unwrap_or(0),
            href: Some(page.asked.href_with(&place_path(place), &indicator)),
            claimed: line.latest.source.proven.is_none(),
        }
    };
    let symbols = one_per_country(&overview.lines).into_iter().map(symbol).collect();
    let measure = names.indicator(&overview.indicator);
    WorldMap::new(&page.t, "map", page.t.situation_map(), measure, symbols)
}

/// The same figures as a file, all pages of them, in the order and with the filter asked for.
pub fn csv(names: &Names<'_>, overview: &Overview, asked: &TableQuery) -> Vec<u8> {
    let mut csv = Csv::new(&[
        "place",
        "name",
        "indicator",
        "definition",
        "start",
        "end",
        "value",
        "last_7_days",
        "author",
        "author_name",
        "own_authority",
        "edition",
        "record",
        "claimed",
        "proven",
    ]);
    for line in arranged(names, &overview.lines, asked) {
        let (series, point, source) = (&line.latest.series, &line.latest.point, &line.latest.source);
        csv.row([
            series.place.clone(),
            names.place(&series.place),
            series.indicator.clone(),
            series.definition.clone(),
            iso_day(point.start),
            iso_day(point.day),
            point.value.to_string(),
            line.seven.map(|seven| seven.to_string()).unwrap_or_default(),
            series.author.clone(),
            names.author(&series.author).to_owned(),
            line.own.to_string(),
            source.edition.to_string(),
            source.name.clone(),
            iso(Some(source.claimed)),
            iso(source.proven),
        ]);
    }
    csv.finish()
}
