//! `/situation/{place}`: one place's curve, with the record behind every point, who states it, what was corrected
//! and where authorities differ.

use super::analysis::{self, Analysis, AnalysisPart};
use super::corrections::{self, Correction};
use super::curve::{self, Current, Day, Disagreement, Measure};
use super::figure::date_of;
use super::names::{Names, place_path};
use super::parts::{
    author_cell, correction_columns, correction_rows, count_text, day_link, indicator_links, period_cell,
    proof, proof_cell, value_cell, value_text,
};
use super::places::{self, MOST_SERIES, OfPlace};
use super::points::{MOST_STATEMENTS, Shares};
use super::query::{self, Scope, Series, Source};
use super::schema::Shelf;
use super::shown::{deaths_codes, deaths_of, shown};
use crate::asof::Basis;
use crate::chart::{self, Daily, DailyChart};
use crate::desks::shared::{Rows, Share};
use crate::layout::asset::{self, Asset};
use crate::layout::component::{Figures, Tone, empty, tag};
use crate::layout::{
    Asked, Cell, Column, Key, Lists, Markup, Page, Paging, Problem, ROWS_PER_PAGE, Row, Sort, Table,
    TableQuery,
};
use askama::Template;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::db::{Db, DbError};

pub use super::file::csv;
pub use super::shown::{Shown, main};

const USUAL: &str = "cases-confirmed-cumulative";
/// Authors whose values stand in columns of their own in the table of days.
const COLUMNS: usize = 4;
const CORRECTIONS: i64 = 200;
const SECONDS_PER_DAY: i64 = 86_400;

/// Everything that is shown of a place.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its code or text.
    pub place: String,
    /// The indicator shown.
    pub indicator: String,
    /// The group shown; empty for all.
    pub group: String,
    /// Every series of the place.
    pub all: Vec<Series>,
    /// Who has so many that they are left out.
    pub crowded: BTreeSet<String>,
    /// Series of the indicator and group: the place's own authority first.
    pub shown: Vec<Shown>,
    /// The day of each release of the first series, if later ones changed its figures.
    pub released: BTreeMap<i64, i64>,
    /// Deaths as the author of the first series states them, if that series counts cases.
    pub deaths: Option<Shown>,
    /// Corrections of any indicator, newest first.
    pub corrections: Vec<Correction>,
    /// Figures that authorities state differently.
    pub differs: Vec<Disagreement>,
    /// The newest records behind the shown series, in their order.
    pub newest: Vec<Option<Source>>,
}

impl Place {
    /// A place of which nothing is known.
    pub fn unknown(place: &str) -> Self {
        Self {
            place: place.to_owned(),
            indicator: USUAL.to_owned(),
            group: String::new(),
            all: Vec::new(),
            crowded: BTreeSet::new(),
            shown: Vec::new(),
            released: BTreeMap::new(),
            deaths: None,
            corrections: Vec::new(),
            differs: Vec::new(),
            newest: Vec::new(),
        }
    }
}

impl Rows for Place {
    fn rows(&self) -> usize {
        let shown = self.shown.iter().chain(&self.deaths).map(Rows::rows).sum::<usize>();
        shown + self.all.len() + self.released.len() + 2 * (self.corrections.len() + self.differs.len())
    }
}

/// Reads a place, unless somebody else did; `None` if nobody states anything about it.
pub async fn read(
    db: &Db,
    scope: Scope<'_>,
    names: &Names<'_>,
    place: &str,
    wanted: (Option<&str>, Option<&str>),
    share: Share<'_>,
) -> Result<Option<Arc<Place>>, DbError> {
    let of_place = places::of_place(db, scope, place).await?;
    if of_place.is_empty() {
        return Ok(None);
    }
    let stated: BTreeSet<&str> = of_place.series.iter().map(|series| &*series.indicator).collect();
    let indicator = wanted
        .0
        .filter(|code| stated.contains(code))
        .or_else(|| stated.contains(USUAL).then_some(USUAL))
        .or_else(|| stated.first().copied())
        .unwrap_or(USUAL)
        .to_owned();
    let group = wanted.1.unwrap_or_default().to_owned();
    let what = [place.to_owned(), indicator.clone(), group.clone()];
    let read = of_indicator(db, scope, names, place, of_place, (indicator, group));
    share.read(|reads| &reads.place, scope, &what.each_ref().map(String::as_str), read).await.map(Some)
}

async fn of_indicator(
    db: &Db,
    scope: Scope<'_>,
    names: &Names<'_>,
    place: &str,
    OfPlace { series: all, crowded }: OfPlace,
    (indicator, group): (String, String),
) -> Result<Place, DbError> {
    let counts_cases = analysis::counts_cases(&indicator);
    let deaths = if counts_cases { deaths_codes(&indicator) } else { [&*indicator; 2] };
    let read_of = |one: &&Series| {
        one.disaggregation == group && (one.indicator == indicator || deaths.contains(&&*one.indicator))
    };
    let to_read: Vec<&Series> = all.iter().filter(read_of).collect();
    let mut shares = Shares::of(db, scope, &to_read, MOST_STATEMENTS).await?;
    let shown = shown(db, scope, names, &mut shares, &all, (&indicator, &group)).await?;
    let (deaths, released) = match shown.first().filter(|_| counts_cases) {
        Some(main) => {
            (deaths_of(db, scope, &mut shares, &all, main).await?, released(db, scope, main).await?)
        }
        None => (None, BTreeMap::new()),
    };
    let corrections = corrections::corrections(db, scope, Some(place), CORRECTIONS).await?;
    let series: Vec<&Series> = shown.iter().map(|one| &one.series).collect();
    let figures: Vec<&[Current]> = shown.iter().map(|one| &*one.figures).collect();
    let differs = curve::disagreements(&series, &figures);
    let mut newest = Vec::new();
    for one in &shown {
        let release = one.days.last().map(|day| day.release);
        let found = query::sources(db, one.series.shelf, release).await?;
        newest.push(release.and_then(|no| found.get(&no).cloned()));
    }
    Ok(Place {
        place: place.to_owned(),
        indicator,
        group,
        all,
        crowded,
        shown,
        released,
        deaths,
        corrections,
        differs,
        newest,
    })
}

/// The day of each release of a series, in the sense of time that the reader asked for; none if no figure was ever changed, for then
/// they say nothing of delays.
async fn released(db: &Db, scope: Scope<'_>, main: &Shown) -> Result<BTreeMap<i64, i64>, DbError> {
    if !main.points.iter().any(|point| point.revised) {
        return Ok(BTreeMap::new());
    }
    let releases = main.points.iter().map(|point| point.release);
    let sources = query::sources(db, main.series.shelf, releases).await?;
    let day = |source: &Source| {
        let second = match scope.as_of.basis {
            Basis::Claimed => Some(source.claimed),
            Basis::Proven => source.proven,
            Basis::Here => source.here,
        };
        second.map(|second| second.div_euclid(SECONDS_PER_DAY))
    };
    Ok(sources.iter().filter_map(|(no, source)| Some((*no, day(source)?))).collect())
}

/// The page.
#[derive(Template)]
#[template(path = "desks/situation/templates/place.html")]
pub struct PlacePage {
    page: Page,
    script: &'static Asset,
    lead: Option<String>,
    indicators: Vec<(String, String, bool)>,
    groups: Vec<(String, String, bool)>,
    notes: Vec<String>,
    figures: Figures,
    chart: Option<DailyChart>,
    chart_title: String,
    csv: String,
    analysis: Option<AnalysisPart>,
    authors: Table,
    days: Table,
    corrections: Table,
    differs: Option<Table>,
}

impl Lists for PlacePage {
    fn lists(&self) -> Vec<&Table> {
        let analysis = self.analysis.iter().flat_map(AnalysisPart::lists);
        [&self.authors, &self.corrections].into_iter().chain(&self.differs).chain(analysis).collect()
    }
}

/// The lists of the page that are in memory.
struct InMemory {
    authors: Table,
    corrections: Table,
    differs: Option<Table>,
}

impl InMemory {
    fn of(page: &Page, names: &Names<'_>, place: &Place) -> Result<Self, Problem> {
        let t = &page.t;
        let rows = correction_rows(page, names, &place.corrections, true);
        let corrections = Table::list(
            &page.asked,
            "corrections",
            t.situation_corrections(),
            correction_columns(t, true),
            rows,
        )?;
        let differs = if place.differs.is_empty() { None } else { Some(differs_table(page, names, place)?) };
        Ok(Self {
            authors: authors_table(page, names, place)?,
            corrections: corrections.with_hidden_caption().when_empty(t.situation_corrections_none()),
            differs,
        })
    }
}

/// What the methods of epidemiology say of the first series shown, if it counts cases.
pub fn analyse(place: &Place, asked: &Asked) -> Result<Option<Analysis>, Problem> {
    let Some(main) = place.shown.first().filter(|_| analysis::counts_cases(&place.indicator)) else {
        return Ok(None);
    };
    let parameters = analysis::parameters::Parameters::read(asked)?;
    analysis::analyse(&place.indicator, main, place.deaths.as_ref(), &place.released, parameters)
}

/// The part of the page that says so.
fn analysis_part(page: &Page, names: &Names<'_>, place: &Place) -> Result<Option<AnalysisPart>, Problem> {
    let Some((main, analysed)) = place.shown.first().zip(analyse(place, &page.asked)?) else {
        return Ok(None);
    };
    let now = crate::clock::now().to_string();
    let today = now.split('T').next().unwrap_or_default();
    analysis::part(page, names, place, main, &analysed, today).map(Some)
}

/// Builds the page.
pub async fn page(
    db: &Db,
    names: &Names<'_>,
    page: Page,
    place: &Place,
) -> Result<Result<PlacePage, Problem>, DbError> {
    let asked = match TableQuery::read(&page.asked, "days", &["day"], Sort::descending("day")) {
        Ok(asked) => asked,
        Err(problem) => return Ok(Err(problem)),
    };
    let lists = match InMemory::of(&page, names, place) {
        Ok(lists) => lists,
        Err(problem) => return Ok(Err(problem)),
    };
    let analysis = match analysis_part(&page, names, place) {
        Ok(analysis) => analysis,
        Err(problem) => return Ok(Err(problem)),
    };
    let incomplete = analysis.as_ref().map_or(0, AnalysisPart::incomplete_days);
    let t = page.t.clone();
    let codes: BTreeSet<&String> = place.all.iter().map(|one| &one.indicator).collect();
    let codes: Vec<String> = codes.into_iter().cloned().collect();
    let main = place.shown.first();
    let measure = Measure::of(&place.indicator);
    let days = days_table(db, names, &page, place, &asked).await?;
    Ok(Ok(PlacePage {
        script: &asset::ANALYSIS_JS,
        lead: main.and_then(|main| lead(&page, &main.days)),
        indicators: indicator_links(&page, names, &codes, &place.indicator),
        groups: groups(&page, place),
        notes: notes(names, place),
        figures: tiles(&page, names, place),
        chart: draw(&page, names, place, measure).map(|chart| chart.with_incomplete_days(incomplete)),
        chart_title: if measure == Measure::Standing {
            names.indicator(&place.indicator)
        } else {
            t.situation_new_per_day()
        },
        csv: page
            .asked
            .query
            .only(|key| !key.ends_with("page"))
            .on(&format!("{}.csv", place_path(&place.place))),
        analysis,
        authors: lists.authors,
        days,
        corrections: lists.corrections,
        differs: lists.differs,
        page,
    }))
}

/// Who is left out, and of whom there is more.
fn notes(names: &Names<'_>, place: &Place) -> Vec<String> {
    let cut = place.shown.iter().chain(&place.deaths).filter_map(|one| one.cut(names));
    let mut notes: Vec<String> = crowded(names, &place.crowded).chain(cut).collect();
    notes.dedup();
    notes
}

/// Sentences that say who has too many series of a place.
pub fn crowded<'a>(names: &'a Names<'_>, authors: &'a BTreeSet<String>) -> impl Iterator<Item = String> + 'a {
    let t = names.t;
    authors.iter().map(|author| t.situation_crowded_place(names.author(author), t.number(MOST_SERIES)))
}

fn lead(page: &Page, days: &[Day]) -> Option<String> {
    let last = days.last()?;
    let new = curve::last_week(days)?;
    let week_before = days.iter().rev().find(|day| day.day == last.day - 7)?.mean? * 7.0;
    Some(page.t.situation_place_lead(count_text(&page.t, new), count_text(&page.t, week_before)))
}

/// Links to the groups of the indicator shown.
fn groups(page: &Page, place: &Place) -> Vec<(String, String, bool)> {
    let of_indicator = place.all.iter().filter(|one| one.indicator == place.indicator);
    let groups: BTreeSet<&str> = of_indicator.map(|one| &*one.disaggregation).collect();
    if groups.len() < 2 && place.group.is_empty() {
        return Vec::new();
    }
    let plain = page.asked.query.only(|key| !key.ends_with("page"));
    groups
        .into_iter()
        .map(|group| {
            let name = if group.is_empty() { page.t.situation_group_all() } else { group.to_owned() };
            (plain.with("group", group).on(&page.asked.path), name, group == place.group)
        })
        .collect()
}

fn tiles(page: &Page, names: &Names<'_>, place: &Place) -> Figures {
    let t = &page.t;
    let soft = |text: &str| Markup::element("span", &[("class", "soft")], text);
    let mut figures = Figures::default();
    if let Some((main, source)) = place.shown.iter().zip(&place.newest).next()
        && let Some(last) = main.days.last()
    {
        let note = source.as_ref().map_or_else(Markup::default, |source| proof(page, source));
        figures =
            figures.with(names.indicator(&place.indicator), Markup::text(value_text(t, last.stated)), note);
        figures = figures.with(
            t.situation_last_week(),
            Markup::text(
                curve::last_week(&main.days).map_or_else(|| "–".to_owned(), |new| count_text(t, new)),
            ),
            soft(&t.situation_latest_day(t.date_text(date_of(last.day)))),
        );
    }
    figures
        .with(
            t.situation_corrections(),
            Markup::text(t.number(place.corrections.len())),
            if place.corrections.is_empty() {
                soft(&t.situation_corrections_none())
            } else {
                Markup::link("#corrected", &t.situation_corrections_link())
            },
        )
        .with(
            t.situation_differs(),
            Markup::text(t.number(place.differs.len())),
            if place.differs.is_empty() {
                soft(&t.situation_differs_none())
            } else {
                Markup::link("#differs", &t.situation_differs_link())
            },
        )
}

/// The curve of every author that states the indicator; the first one's as bars.
fn draw(page: &Page, names: &Names<'_>, place: &Place, measure: Measure) -> Option<DailyChart> {
    let series: Vec<chart::Series> = place
        .shown
        .iter()
        .enumerate()
        .filter_map(|(index, one)| {
            let name = names.author(&one.series.author).to_owned();
            // Only the first is drawn day by day; of the others a step over several days is no day's count.
            let daily = daily(measure, &one.days, index == 0)?;
            daily.values().iter().any(Option::is_some).then_some(chart::Series { name, daily })
        })
        .collect();
    let what = match place.indicator.as_str() {
        code if code.starts_with("cases-confirmed") => chart::Measure::Cases,
        code if code.starts_with("deaths") => chart::Measure::Deaths,
        code => chart::Measure::Other(names.indicator(code)),
    };
    let title = format!("{}: {}", names.place(&place.place), names.indicator(&place.indicator));
    if series.is_empty() {
        return None;
    }
    DailyChart::new(&page.t, "curve", title, what, series)
}

/// Values per day, without what was not stated. What is new since several days stands on the day that states it.
fn daily(measure: Measure, days: &[Day], with_steps: bool) -> Option<Daily> {
    let (first, last) = (days.first()?.day, days.last()?.day);
    let mut values = vec![None; usize::try_from(last - first).ok()? + 1];
    for day in days {
        let new = day.new.filter(|_| with_steps || day.days == 1);
        let value = if measure == Measure::Standing { Some(day.stated.to_f64()) } else { new };
        let place = usize::try_from(day.day - first).ok()?;
        // Counts of people: far within what an i64 holds, and rounded to whole ones for drawing.
        #[allow(clippy::cast_possible_truncation)]
        if let Some(slot) = values.get_mut(place) {
            *slot = value.map(|value| value.round() as i64);
        }
    }
    Some(Daily::new(date_of(first), values))
}

fn authors_table(page: &Page, names: &Names<'_>, place: &Place) -> Result<Table, Problem> {
    let t = &page.t;
    let columns = vec![
        Column::new("who", t.situation_who()),
        Column::new("standing", t.situation_standing()),
        Column::new("value", t.situation_value()).numeric(),
        Column::new("day", t.situation_day()),
        Column::new("definition", t.situation_definition()),
        Column::new("proof", t.situation_proof()),
    ];
    let rows = place
        .shown
        .iter()
        .zip(&place.newest)
        .map(|(one, source)| {
            let author = &one.series.author;
            let standing = if one.own {
                tag(Tone::Sure, &t.situation_own())
            } else {
                tag(Tone::Plain, &t.situation_observed())
            };
            let last = one.days.last();
            let definition = Cell::text(names.definition(&one.series.definition));
            Row::new(vec![
                author_cell(page, names, author),
                standing.into(),
                last.map_or_else(Cell::unknown, |day| value_cell(t, day.stated)),
                last.map_or_else(Cell::unknown, |day| period_cell(page, &place.place, (day.day, day.day))),
                definition.keyed(Key::text(&one.series.definition)),
                source.as_ref().map_or_else(Cell::unknown, |source| proof_cell(page, source)),
            ])
        })
        .collect();
    Table::list(&page.asked, "authors", t.situation_authors(), columns, rows)
}

async fn days_table(
    db: &Db,
    names: &Names<'_>,
    page: &Page,
    place: &Place,
    asked: &TableQuery,
) -> Result<Table, DbError> {
    let t = &page.t;
    let main = place.shown.first();
    let others: Vec<&Shown> = place.shown.iter().skip(1).take(COLUMNS - 1).collect();
    let mut columns = vec![Column::new("day", t.situation_day()).sortable()];
    let author = |one: &Shown| names.author(&one.series.author).to_owned();
    columns.extend(main.map(|main| Column::new("value", author(main)).numeric()));
    columns.extend(others.iter().map(|one| Column::new("other", author(one)).numeric()));
    columns.extend([
        Column::new("new", t.situation_new()).numeric(),
        Column::new("mean", t.situation_mean()).numeric(),
        Column::new("proof", t.situation_proof()),
    ]);
    let days: &[Day] = main.map_or(&[], |main| &main.days);
    let ordered: Vec<&Day> =
        if asked.sort.descending { days.iter().rev().collect() } else { days.iter().collect() };
    let shown = asked.cut(ordered, ROWS_PER_PAGE);
    let shelf = main.map_or(Shelf::Public, |main| main.series.shelf);
    let sources = query::sources(db, shelf, shown.iter().map(|day| day.release)).await?;
    let by_day: Vec<BTreeMap<i64, &Day>> =
        others.iter().map(|one| one.days.iter().map(|day| (day.day, day)).collect()).collect();
    let rows = shown
        .iter()
        .map(|day| {
            let mut cells = vec![
                day_link(page, &place.place, day.day, &t.date_short(date_of(day.day))).into(),
                Markup::of(&Valued {
                    value: value_text(t, day.stated),
                    corrected: (day.corrections > 0).then(|| tag(Tone::Notice, &t.seal_corrected())),
                })
                .into(),
            ];
            cells.extend(by_day.iter().map(|days| {
                days.get(&day.day).map_or_else(Cell::unknown, |other| Cell::text(value_text(t, other.stated)))
            }));
            cells.push(day.new.map_or_else(Cell::unknown, |new| {
                let over = (day.days > 1).then(|| t.situation_new_over(day.days));
                Markup::of(&New { new: count_text(t, new), over }).into()
            }));
            cells.push(day.mean.map_or_else(Cell::unknown, |mean| Cell::text(t.decimal(mean, 1))));
            cells.push(
                sources.get(&day.release).map_or_else(Cell::unknown, |source| proof_cell(page, source)),
            );
            Row::new(cells)
        })
        .collect();
    Ok(Table::new(&page.asked, "days", t.situation_data_table(), columns)
        .rows(rows)
        .sorted_by(asked)
        .paged(Paging { total: days.len(), per_page: ROWS_PER_PAGE })
        .csv(&format!("{}.csv", place_path(&place.place))))
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"{% if let Some(corrected) = corrected %}{{ corrected }} {% endif %}{{ value }}"#
)]
struct Valued {
    value: String,
    corrected: Option<Markup>,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"{{ new }}{% if let Some(over) = over %} <span class="soft small">{{ over }}</span>{% endif %}"#
)]
struct New {
    new: String,
    over: Option<String>,
}

fn differs_table(page: &Page, names: &Names<'_>, place: &Place) -> Result<Table, Problem> {
    let t = &page.t;
    let mut columns = vec![Column::new("day", t.situation_period())];
    columns.extend(place.shown.iter().map(|one| {
        let author = &one.series.author;
        Column::new(author.clone(), names.author(author)).numeric()
    }));
    let rows = place
        .differs
        .iter()
        .map(|one| {
            let mut cells = vec![period_cell(page, &place.place, one.period)];
            cells.extend((0..place.shown.len()).map(|index| {
                let said = one.statements.iter().find(|(author, _)| *author == index);
                said.map_or_else(Cell::unknown, |(_, value)| value_cell(t, *value))
            }));
            Row::new(cells)
        })
        .collect();
    let table = Table::list(&page.asked, "differs-table", t.situation_differs(), columns, rows)?;
    Ok(table.with_hidden_caption().in_columns())
}

/// The page of a place of which nothing was known as of the moment asked for.
#[derive(Template)]
#[template(path = "desks/situation/templates/unknown.html")]
pub struct UnknownPage {
    page: Page,
    nothing: Markup,
}

/// Builds the page that says that nothing was known.
pub fn unknown_page(page: Page) -> UnknownPage {
    let t = &page.t;
    let now = Markup::element("a", &[("class", "button"), ("href", &page.now_href())], &t.shell_note_now());
    let others = Markup::link(&page.href("/situation"), &t.situation_all_places());
    let ways = Markup::joined([now, others], " ");
    let nothing = empty(&t.situation_empty_as_of(), &t.situation_place_unknown(&page.title), Some(ways));
    UnknownPage { page, nothing }
}
