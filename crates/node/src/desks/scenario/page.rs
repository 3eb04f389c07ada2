//! A scenario as a page for a briefing: assumptions in words, bands, what the step and its delay change; to be printed.

use super::assumptions::{Assumptions, NUMBERS};
use super::outcome::{BandRow, DIFFERENCES, MEASURES, ScenarioOutcome};
use super::pages::PUBLIC;
use super::released::ListedScenario;
use crate::chart::{Across, Line, LineChart};
use crate::desks::situation::names::Names;
use crate::desks::situation::parts::{author_cell, iso};
use crate::layout::component::{Control, Field, Tone, hash, hash_link, tag};
use crate::layout::{Cell, Column, Key, Lists, Markup, Page, Problem, Row, Table};
use askama::Template;
use epi::series::Series;
use jiff::ToSpan as _;
use jiff::civil::Date;
use tlog::hash::sha256;

/// Whether a released outcome was found again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// The same bytes.
    Same,
    /// Other bytes.
    Other,
}

/// A scenario that was run.
pub struct Run<'a> {
    /// What it assumes.
    pub assumptions: &'a Assumptions,
    /// Its input, as it is released.
    pub input: &'a str,
    /// The last day of its history.
    pub last: Date,
    /// What it comes to.
    pub outcome: &'a ScenarioOutcome,
    /// If it was released: the record, and whether running it again gave the same bytes.
    pub released: Option<(&'a str, &'a str, Again)>,
}

/// The page.
#[derive(Template)]
#[template(path = "desks/scenario/templates/scenario.html")]
pub struct ScenarioPage {
    page: Page,
    shown: Option<Shown>,
    problem: Option<String>,
    kept: Vec<(String, String)>,
    fields: Vec<Field>,
    release: Option<Release>,
    listed: Option<Table>,
}

/// The form that releases it.
struct Release {
    action: String,
    csrf: String,
    audience: Field,
}

/// What is shown of a scenario that was run.
struct Shown {
    again: Option<Markup>,
    record: Option<Markup>,
    words: Vec<String>,
    costs: Vec<String>,
    cases: Option<LineChart>,
    beds: Option<LineChart>,
    totals: Table,
    days: Table,
    hashes: Vec<(String, Markup, String)>,
}

impl Lists for ScenarioPage {
    fn lists(&self) -> Vec<&Table> {
        let shown = self.shown.iter().flat_map(|shown| [&shown.totals, &shown.days]);
        shown.chain(&self.listed).collect()
    }
}

/// What the form offers.
pub struct Form {
    /// Places and their names.
    pub places: Vec<(String, String)>,
    /// The place chosen.
    pub place: String,
    /// The numbers chosen.
    pub assumptions: Option<Assumptions>,
    /// The mechanisms that it can be released to, besides everybody.
    pub audiences: Vec<String>,
}

/// Builds the page.
pub fn page(
    page: Page,
    names: &Names<'_>,
    run: Option<&Run<'_>>,
    problem: Option<&Problem>,
    form: &Form,
    listed: Option<&[ListedScenario]>,
) -> Result<ScenarioPage, Problem> {
    let t = &page.t;
    let shown = run.map(|run| shown(&page, names, run)).transpose()?;
    let offered = run.is_some_and(|run| run.released.is_none());
    let release = page.csrf.clone().filter(|_| offered).map(|csrf| {
        let action = page.asked.query.only(|key| key != "csv" && !key.contains('.')).on("/scenario/release");
        let mechanisms = form.audiences.iter().map(|id| (id.clone(), id.clone()));
        let choices = std::iter::once((PUBLIC.to_owned(), t.import_public())).chain(mechanisms).collect();
        let audience = Field::new(t, "audience", t.import_audience(), Control::Select(choices));
        Release { action, csrf, audience: audience.value(PUBLIC).hint(t.import_audience_hint()) }
    });
    Ok(ScenarioPage {
        shown,
        problem: problem.map(|problem| problem.text(t)),
        kept: page
            .asked
            .query
            .only(|key| matches!(key, "lang" | "zone" | "as_of" | "basis" | "indicator"))
            .pairs()
            .to_vec(),
        fields: fields(&page, form),
        release,
        listed: listed.map(|listed| listed_table(&page, names, listed)).transpose()?,
        page,
    })
}

fn fields(page: &Page, form: &Form) -> Vec<Field> {
    let t = &page.t;
    let mut places = vec![(String::new(), "–".to_owned())];
    places.extend(form.places.iter().cloned());
    let mut fields =
        vec![Field::new(t, "place", t.situation_place(), Control::Select(places)).value(&form.place)];
    for (key, usual, ..) in NUMBERS {
        let label =
            t.lookup(&format!("scenario-{}", key.replace('_', "-")), &[]).unwrap_or_else(|| key.to_owned());
        let value = form.assumptions.as_ref().map(|assumptions| assumptions.number(key).to_string());
        // Before a place is chosen R is not known: it is taken from its figures.
        let estimated = matches!(key, "r" | "r_sd");
        let value = value.or_else(|| (!estimated).then(|| usual.to_string())).unwrap_or_default();
        let field = Field::new(t, key, label, Control::Input("text")).value(value);
        fields.push(if estimated { field.optional() } else { field });
    }
    fields
}

fn shown(page: &Page, names: &Names<'_>, run: &Run<'_>) -> Result<Shown, Problem> {
    let t = &page.t;
    let again = run.released.map(|(_, _, again)| match again {
        Again::Same => tag(Tone::Sure, &t.scenario_same_bytes()),
        Again::Other => tag(Tone::Alarm, &t.scenario_other_bytes()),
    });
    let record = run.released.map(|(name, author, _)| {
        let link = hash_link(&page.href(format!("/record/{name}")), name);
        Markup::joined([Markup::text(names.author(author)), link], " ")
    });
    let here = page.asked.query.only(|key| key != "csv" && !key.contains('.'));
    let texts = [
        ("assumptions", t.scenario_assumptions(), run.assumptions.text()),
        ("input", t.scenario_input(), run.input.to_owned()),
        ("outcome", t.scenario_outcome(), run.outcome.csv()),
    ];
    let hashes = texts.into_iter().map(|(id, name, text)| {
        (name, hash(t, &sha256(text.as_bytes()).to_hex()), here.with("csv", id).on(&page.asked.path))
    });
    Ok(Shown {
        again,
        record,
        words: words(page, names, run),
        costs: costs(page, run),
        cases: chart(page, run, "cases", t.scenario_cases_title()),
        beds: chart(page, run, "beds", t.scenario_beds_title()),
        totals: totals_table(page, run)?,
        days: days_table(page, run)?,
        hashes: hashes.collect(),
    })
}

fn date_after(last: Date, days: usize) -> Date {
    i64::try_from(days).ok().and_then(|days| last.checked_add(days.days()).ok()).unwrap_or(last)
}

/// The assumptions, a sentence each.
fn words(page: &Page, names: &Names<'_>, run: &Run<'_>) -> Vec<String> {
    let t = &page.t;
    let a = run.assumptions;
    let n = |key: &str, places| t.decimal(a.number(key), places);
    let step = a.whole("step_day");
    let mut words = vec![
        t.scenario_words_history(
            names.indicator(&a.indicator),
            names.author(&a.author),
            names.place(&a.place),
            t.date_text(run.last),
        ),
        t.scenario_words_now(n("r", 2), n("r_sd", 2), t.date_text(date_after(run.last, a.whole("days")))),
        t.scenario_words_step(t.date_text(date_after(run.last, step)), n("step_r", 2)),
        t.scenario_words_later(t.date_text(date_after(run.last, step + a.whole("delay"))), a.whole("delay")),
        t.scenario_words_interval(n("si_mean", 1), n("si_sd", 2)),
        t.scenario_words_deaths(t.percent(a.number("death_share"), 1), n("death_mean", 1), n("death_sd", 1)),
        t.scenario_words_beds(t.percent(a.number("bed_share"), 1), n("bed_mean", 1), n("stay_mean", 1)),
    ];
    words.push(if a.number("people") >= 1.0 {
        t.scenario_words_people(t.decimal(a.number("people"), 0))
    } else {
        t.scenario_words_no_people()
    });
    words.push(t.scenario_words_runs(a.whole("runs"), a.number("seed").to_string()));
    words
}

fn measure_name(page: &Page, code: &str) -> String {
    page.t.lookup(&format!("scenario-measure-{code}"), &[]).unwrap_or_else(|| code.to_owned())
}

fn course_name(page: &Page, code: &str) -> String {
    let key = code.replace(' ', "-");
    page.t.lookup(&format!("scenario-course-{key}"), &[]).unwrap_or_else(|| code.to_owned())
}

fn band_text(page: &Page, row: &BandRow) -> (String, String, String) {
    let count = |value: f64| page.t.decimal(value, 0);
    let [low, _, median, _, high] = row.band.quantiles;
    (count(median), count(low), count(high))
}

/// What the step changes, and what a later step costs: a sentence for each measure.
fn costs(page: &Page, run: &Run<'_>) -> Vec<String> {
    let t = &page.t;
    let row = |course: &str, measure: &str| {
        run.outcome.totals.iter().find(|row| row.course == course && row.measure == measure)
    };
    let mut costs = Vec::new();
    for (course, ..) in DIFFERENCES {
        for row in MEASURES.iter().filter_map(|measure| row(course, measure)) {
            let (median, low, high) = band_text(page, row);
            let signed = t.signed(row.band.quantiles[2], 0);
            let median = if row.band.quantiles[2] > 0.0 { signed } else { median };
            let measure = measure_name(page, row.measure);
            costs.push(if course.starts_with("step-later") {
                t.scenario_cost_later(run.assumptions.whole("delay"), measure, median, low, high)
            } else {
                t.scenario_cost_step(measure, median, low, high)
            });
        }
    }
    costs
}

fn chart(page: &Page, run: &Run<'_>, measure: &str, title: String) -> Option<LineChart> {
    let t = &page.t;
    let id = if measure == "beds" { "beds" } else { "cases" };
    let lines: Vec<Line> = ["as-now", "step", "step-later"]
        .into_iter()
        .map(|course| {
            let rows: Vec<&BandRow> = run.outcome.of(course, measure).collect();
            let line = Line::new(
                course_name(page, course),
                rows.iter().map(|row| Some(row.band.quantiles[2])).collect(),
            );
            // Three bands over one another cannot be told apart: the third course has its numbers in the list.
            let band = rows.iter().map(|row| Some((row.band.quantiles[0], row.band.quantiles[4]))).collect();
            if course == "step-later" { line } else { line.with_band(band) }
        })
        .collect();
    let last: Vec<String> = lines
        .iter()
        .filter_map(|line| Some(format!("{} {}", line.name, t.decimal(line.values.last().copied()??, 0))))
        .collect();
    let end = date_after(run.last, run.assumptions.whole("days"));
    let summary = t.scenario_chart_summary(t.date_text(end), t.list(&last));
    let chart = LineChart::new(t, id, title, summary, Across::From(date_after(run.last, 1)), lines)?;
    Some(chart.with_band_of(t.scenario_band()))
}

fn band_columns(page: &Page) -> Vec<Column> {
    let t = &page.t;
    vec![
        Column::new("median", t.analysis_median()).numeric(),
        Column::new("q0.025", t.analysis_low()).numeric(),
        Column::new("q0.975", t.analysis_high()).numeric(),
        Column::file_only("mean"),
        Column::file_only("q0.25"),
        Column::file_only("q0.75"),
    ]
}

fn band_cells(page: &Page, row: &BandRow) -> Vec<Cell> {
    let [low, lower, median, upper, high] = row.band.quantiles;
    [median, low, high, row.band.mean, lower, upper]
        .into_iter()
        .map(|value| Cell::text(page.t.decimal(value, 0)).keyed(Key::number(value, value.to_string())))
        .collect()
}

fn totals_table(page: &Page, run: &Run<'_>) -> Result<Table, Problem> {
    let t = &page.t;
    let mut columns =
        vec![Column::new("measure", t.scenario_measure()), Column::new("course", t.scenario_course())];
    columns.extend(band_columns(page));
    let mut rows = Vec::new();
    for measure in MEASURES {
        for row in run.outcome.totals.iter().filter(|row| row.measure == measure) {
            let (name, course) = (measure_name(page, measure), course_name(page, row.course));
            let mut cells = vec![
                Cell::text(&name).keyed(Key::text(&name).written(measure)),
                Cell::text(&course).keyed(Key::text(&course).written(row.course)),
            ];
            cells.extend(band_cells(page, row));
            rows.push(Row::new(cells));
        }
    }
    Table::list(&page.asked, "totals", t.scenario_totals(), columns, rows)
}

fn days_table(page: &Page, run: &Run<'_>) -> Result<Table, Problem> {
    let t = &page.t;
    let mut columns = vec![
        Column::new("day", t.situation_day()),
        Column::new("measure", t.scenario_measure()),
        Column::new("course", t.scenario_course()),
    ];
    columns.extend(band_columns(page));
    let mut rows: Vec<&BandRow> = run.outcome.days.iter().collect();
    rows.sort_by_key(|row| row.day);
    let rows = rows
        .into_iter()
        .map(|row| {
            let date = date_after(run.last, row.day);
            let day = i64::try_from(row.day).unwrap_or(0);
            let mut cells = vec![
                Cell::from(t.date_short(date)).keyed(Key::whole(day).written(date.to_string())),
                Cell::text(measure_name(page, row.measure)).keyed(Key::text(row.measure)),
                Cell::text(course_name(page, row.course)).keyed(Key::text(row.course)),
            ];
            cells.extend(band_cells(page, row));
            Row::new(cells)
        })
        .collect();
    Ok(Table::list(&page.asked, "by-day", t.scenario_days_table(), columns, rows)?.in_columns())
}

fn listed_table(page: &Page, names: &Names<'_>, listed: &[ListedScenario]) -> Result<Table, Problem> {
    let t = &page.t;
    let columns = vec![
        Column::new("record", t.scenario_released()),
        Column::new("who", t.situation_who()),
        Column::new("claimed", t.scenario_claimed()),
        Column::file_only("proven"),
    ];
    let rows = listed
        .iter()
        .map(|one| {
            let link = hash_link(&page.href(format!("/scenario/{}", one.name)), &one.name);
            Row::new(vec![
                Cell::from(link).keyed(Key::text(&one.name)),
                author_cell(page, names, &one.author),
                Cell::moment(t, one.claimed),
                Cell::text(iso(one.proven)),
            ])
        })
        .collect();
    Ok(Table::list(&page.asked, "released", t.scenario_released_title(), columns, rows)?
        .when_empty(t.scenario_released_none()))
}

/// The last day of a history.
pub fn last_day(history: &Series) -> Date {
    history.date(history.len().saturating_sub(1))
}
