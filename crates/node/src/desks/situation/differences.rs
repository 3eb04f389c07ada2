//! `/situation/differences`: every figure of the last days that two authorities state differently, with both records.
//!
//! The same figure is the same place, period, indicator, definition and group. Neither statement is changed, weighed or
//! called wrong.

use super::curve::{self, Current};
use super::names::Names;
use super::overview;
use super::parts::{author_cell, indicator_links, period_cell, place_cell, proof_cell, value_cell, views};
use super::query::{self, Scope, Series, Source};
use super::recent::{self, MOST_STANDING, Recent};
use super::schema::Shelf;
use crate::desks::shared::{Rows, Share};
use crate::layout::component::{Control, Field};
use crate::layout::{Asked, Cell, Column, Key, Lists, Page, Problem, Row, Table};
use askama::Template;
use formats::figures::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::db::{Db, DbError};

/// How many days back from the newest figure are looked at; the first where none is asked for.
const DAYS: [i64; 4] = [14, 60, 180, 1_000];
/// More pairs than this are not listed: the newest are.
const LISTED: usize = 2_000;

/// Two statements of one figure.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The place.
    pub place: String,
    /// First and last day of the period.
    pub period: (i64, i64),
    /// Who says what, in which record; the place's own authority first.
    pub said: [(Series, Value, Option<Source>); 2],
}

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Differences {
    /// Indicators that somebody states.
    pub indicators: Vec<String>,
    /// The one shown.
    pub indicator: String,
    /// How many days back.
    pub days: i64,
    /// The pairs, newest day first, then by how far they are apart.
    pub pairs: Vec<Pair>,
    /// Whether there are more than are listed.
    pub more: bool,
    /// Who states so many figures of those days that they are left out.
    pub crowded: BTreeSet<String>,
}

impl Rows for Differences {
    fn rows(&self) -> usize {
        self.indicators.len() + 8 * self.pairs.len()
    }
}

/// Reads how many days back an address asks for.
pub fn days(asked: &Asked) -> Result<i64, Problem> {
    let Some(text) = asked.query.get("days") else { return Ok(DAYS[0]) };
    let known = text.parse().ok().filter(|days| DAYS.contains(days));
    known.ok_or_else(|| Problem::new("choice-unknown").with("name", "days").with("value", text))
}

/// Reads what authorities state differently, unless somebody else did.
pub async fn read(
    db: &Db,
    scope: Scope<'_>,
    names: &Names<'_>,
    wanted: Option<&str>,
    days: i64,
    share: Share<'_>,
) -> Result<Arc<Differences>, DbError> {
    let indicators: Vec<String> = query::indicators(db, scope).await?.into_iter().collect();
    let indicator = overview::chosen(&indicators, wanted);
    let what = [indicator.clone(), days.to_string()];
    let read = of_indicator(db, scope, names, (indicators, indicator), days);
    share.read(|reads| &reads.differences, scope, &what.each_ref().map(String::as_str), read).await
}

async fn of_indicator(
    db: &Db,
    scope: Scope<'_>,
    names: &Names<'_>,
    (indicators, indicator): (Vec<String>, String),
    days: i64,
) -> Result<Differences, DbError> {
    let latest = query::latest(db, scope, &indicator, None).await?;
    let newest = latest.iter().map(|one| one.point.day).max().unwrap_or_default();
    let Recent { series: recent, crowded } = recent::recent(db, scope, &indicator, newest - days + 1).await?;
    let mut by_place: BTreeMap<String, Vec<(Series, Vec<Current>)>> = BTreeMap::new();
    for (series, points) in recent {
        by_place.entry(series.place.clone()).or_default().push((series, curve::current(&points)));
    }
    let mut pairs = Vec::new();
    for (place, mut authors) in by_place.into_iter().filter(|(_, authors)| authors.len() > 1) {
        authors.sort_by_key(|(series, _)| !names.is_own(&series.author, &place));
        pairs.extend(pairs_of(&place, &authors));
    }
    pairs.sort_by(|(one, _), (other, _)| {
        other.period.1.cmp(&one.period.1).then(apart(other).total_cmp(&apart(one)))
    });
    let more = pairs.len() > LISTED;
    pairs.truncate(LISTED);
    with_sources(db, &mut pairs).await?;
    let pairs = pairs.into_iter().map(|(pair, _)| pair).collect();
    Ok(Differences { indicators, indicator, days, pairs, more, crowded })
}

/// A pair and the releases behind its statements.
type Found = (Pair, [i64; 2]);

fn pairs_of(place: &str, authors: &[(Series, Vec<Current>)]) -> Vec<Found> {
    let series: Vec<&Series> = authors.iter().map(|(series, _)| series).collect();
    let figures: Vec<&[Current]> = authors.iter().map(|(_, figures)| &**figures).collect();
    let release = |author: usize, (start, day): (i64, i64)| {
        let found = figures[author].iter().find(|figure| (figure.start, figure.day) == (start, day));
        found.map_or(-1, |figure| figure.release)
    };
    let mut pairs = Vec::new();
    for differs in curve::disagreements(&series, &figures) {
        let Some((first, value)) = differs.statements.first().copied() else { continue };
        for (other, second) in differs.statements.iter().copied().skip(1).filter(|(_, said)| *said != value) {
            let said = [(series[first].clone(), value, None), (series[other].clone(), second, None)];
            let releases = [release(first, differs.period), release(other, differs.period)];
            pairs.push((Pair { place: place.to_owned(), period: differs.period, said }, releases));
        }
    }
    pairs
}

async fn with_sources(db: &Db, pairs: &mut [Found]) -> Result<(), DbError> {
    for shelf in [Shelf::Public, Shelf::Sealed] {
        let wanted = pairs.iter().flat_map(|(pair, releases)| pair.said.iter().zip(releases));
        let wanted: Vec<i64> =
            wanted.filter(|((series, ..), _)| series.shelf == shelf).map(|(_, release)| *release).collect();
        if wanted.is_empty() {
            continue;
        }
        let found = query::sources(db, shelf, wanted).await?;
        for (pair, releases) in pairs.iter_mut() {
            for (said, release) in pair.said.iter_mut().zip(releases.iter()) {
                if said.0.shelf == shelf {
                    said.2 = found.get(release).cloned();
                }
            }
        }
    }
    Ok(())
}

/// How far two statements are apart, as a share of the larger one.
fn apart(pair: &Pair) -> f64 {
    let [one, other] = [pair.said[0].1.to_f64(), pair.said[1].1.to_f64()];
    let larger = one.abs().max(other.abs());
    if larger > 0.0 { (one - other).abs() / larger } else { 0.0 }
}

/// The page.
#[derive(Template)]
#[template(path = "desks/situation/templates/differences.html")]
pub struct DifferencesPage {
    page: Page,
    views: Vec<(String, String, bool)>,
    indicators: Vec<(String, String, bool)>,
    kept: Vec<(String, String)>,
    field: Field,
    notes: Vec<String>,
    table: Table,
}

impl Lists for DifferencesPage {
    fn lists(&self) -> Vec<&Table> {
        vec![&self.table]
    }
}

/// Builds the page.
pub fn page(page: Page, names: &Names<'_>, differences: &Differences) -> Result<DifferencesPage, Problem> {
    let t = page.t.clone();
    let columns = vec![
        Column::new("place", t.situation_place()),
        Column::new("period", t.situation_period()),
        Column::new("who", t.situation_who()),
        Column::new("value", t.situation_value()).numeric(),
        Column::new("proof", t.situation_proof()),
        Column::new("other_who", t.situation_other_who()),
        Column::new("other_value", t.situation_value()).numeric(),
        Column::new("other_proof", t.situation_proof()),
        Column::new("apart", t.situation_apart()).numeric(),
        Column::file_only("definition"),
    ];
    let rows = differences.pairs.iter().map(|pair| row(&page, names, pair)).collect();
    let table = Table::list(&page.asked, "differences", t.situation_differs(), columns, rows)?
        .with_hidden_caption()
        .when_empty(t.situation_differs_none());
    let choices = DAYS.iter().map(|days| (days.to_string(), t.situation_days_back(*days))).collect();
    Ok(DifferencesPage {
        views: views(&page, "/situation/differences"),
        indicators: indicator_links(&page, names, &differences.indicators, &differences.indicator),
        kept: page.asked.query.only(|key| key != "days" && !key.ends_with("page")).pairs().to_vec(),
        field: Field::new(&t, "days", t.situation_days(), Control::Select(choices))
            .value(differences.days.to_string()),
        notes: differences
            .more
            .then(|| t.situation_differs_more(LISTED))
            .into_iter()
            .chain(crowded(names, &differences.crowded))
            .collect(),
        table,
        page,
    })
}

/// Sentences that say who states too many figures of the days asked for.
pub fn crowded<'a>(names: &'a Names<'_>, authors: &'a BTreeSet<String>) -> impl Iterator<Item = String> + 'a {
    let t = names.t;
    authors.iter().map(|author| t.situation_crowded_days(names.author(author), t.number(MOST_STANDING)))
}

fn row(page: &Page, names: &Names<'_>, pair: &Pair) -> Row {
    let t = &page.t;
    let mut cells = vec![place_cell(page, names, &pair.place), period_cell(page, &pair.place, pair.period)];
    for (series, value, source) in &pair.said {
        cells.push(author_cell(page, names, &series.author));
        cells.push(value_cell(t, *value));
        cells.push(source.as_ref().map_or_else(Cell::unknown, |source| proof_cell(page, source)));
    }
    let share = apart(pair);
    let places = if share < 0.01 { 2 } else { 1 };
    cells.push(Cell::text(t.percent(share, places)).keyed(Key::number(share, format!("{share:.6}"))));
    cells.push(Cell::text(&pair.said[0].0.definition));
    Row::new(cells)
}
