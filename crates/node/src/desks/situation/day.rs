//! `/situation/{place}/{day}`: everything that was stated about one day, in the order in which it was released;
//! and `/situation/corrections`: every value that its own author later stated otherwise.

use super::corrections::Correction;
use super::figure::date_of;
use super::names::{Names, place_path};
use super::parts::{
    author_cell, correction_columns, correction_rows, indicator_cell, proof_cell, value_cell,
};
use super::place;
use super::query::Statement;
use super::stated::{MOST_OF_AUTHOR, OfDay};
use crate::layout::component::{Tone, tag};
use crate::layout::{Cell, Column, Key, Lists, Markup, Page, Problem, Row, Table};
use askama::Template;
use std::collections::BTreeSet;

/// Corrections that one list holds; older ones stand on the pages of their places.
pub const LISTED: i64 = 1_000;

/// The page of a day.
#[derive(Template)]
#[template(path = "desks/situation/templates/day.html")]
pub struct DayPage {
    page: Page,
    before: String,
    after: String,
    notes: Vec<String>,
    table: Table,
}

impl Lists for DayPage {
    fn lists(&self) -> Vec<&Table> {
        vec![&self.table]
    }
}

/// Builds the page of a day.
pub fn day_page(
    page: Page,
    names: &Names<'_>,
    place: &str,
    day: i64,
    stated: &OfDay,
) -> Result<DayPage, Problem> {
    let t = &page.t;
    let statements = &*stated.statements;
    // A reason and a source are rarely given: a column that nobody fills says nothing.
    let reasons = statements.iter().any(|one| one.reason.is_some());
    let sources = statements.iter().any(|one| one.from.is_some());
    let mut columns = vec![
        Column::new("indicator", t.situation_indicators()),
        Column::new("value", t.situation_value()).numeric(),
        Column::new("state", t.situation_state()),
        Column::new("who", t.situation_who()),
    ];
    columns.extend(reasons.then(|| Column::new("reason", t.situation_reason())));
    columns.extend(sources.then(|| Column::new("source", t.situation_source())));
    columns.push(Column::new("proof", t.situation_proof()));
    let rows = statements
        .iter()
        .zip(replaced(statements))
        .map(|(one, replaced)| {
            let mut cells = cells(&page, names, one, replaced);
            cells.extend(reasons.then(|| words(one.reason.as_deref())));
            cells.extend(sources.then(|| words(one.from.as_deref())));
            cells.push(proof_cell(&page, &one.source));
            Row::new(cells)
        })
        .collect();
    let nothing = if page.as_of.is_some_and(|as_of| as_of.at.is_some()) {
        t.situation_empty_as_of()
    } else {
        t.situation_day_empty()
    };
    let table = Table::list(&page.asked, "statements", page.title.clone(), columns, rows)?
        .with_hidden_caption()
        .when_empty(nothing);
    let path = |day: i64| page.href(format!("{}/{}", place_path(place), date_of(day)));
    let more = |author: &String| t.situation_day_cut(names.author(author), t.number(MOST_OF_AUTHOR));
    let notes = place::crowded(names, &stated.crowded).chain(stated.more.iter().map(more)).collect();
    Ok(DayPage { before: path(day - 1), after: path(day + 1), notes, table, page })
}

/// Whether a later statement of the same figure by the same author stands after it, of each.
fn replaced(statements: &[Statement]) -> Vec<bool> {
    let mut standing = BTreeSet::new();
    let mut replaced: Vec<bool> = statements
        .iter()
        .rev()
        .map(|one| {
            let figure = (one.series.shelf, one.series.no, one.point.start, one.point.day);
            let is_replaced = standing.contains(&figure);
            if !one.point.ended {
                standing.insert(figure);
            }
            is_replaced
        })
        .collect();
    replaced.reverse();
    replaced
}

/// An author's own words, in the direction in which they are written.
fn words(text: Option<&str>) -> Cell {
    text.map_or_else(Cell::unknown, |text| Markup::element("span", &[("dir", "auto")], text).into())
}

fn cells(page: &Page, names: &Names<'_>, one: &Statement, replaced: bool) -> Vec<Cell> {
    let t = &page.t;
    let mut what = names.indicator(&one.series.indicator);
    if !one.series.disaggregation.is_empty() {
        what = format!("{what} · {}", one.series.disaggregation);
    }
    if one.series.definition != "as-reported" {
        what = format!("{what} · {}", one.series.definition);
    }
    if one.point.start != one.point.day {
        let (start, end) = (date_of(one.point.start), date_of(one.point.day));
        what = format!("{what} · {} – {}", t.date_short_text(start), t.date_short_text(end));
    }
    let (state, code) = if replaced {
        (tag(Tone::Plain, &t.situation_replaced()), "replaced")
    } else if one.point.ended {
        (tag(Tone::Wait, &t.situation_ended()), "withdrawn")
    } else {
        (tag(Tone::Sure, &t.situation_holds()), "stands")
    };
    vec![
        Cell::text(&what).keyed(indicator_cell(names, &one.series).key().clone()),
        value_cell(t, one.point.value),
        Cell::from(state).keyed(Key::text(code)),
        author_cell(page, names, &one.series.author),
    ]
}

/// The page of corrections.
#[derive(Template)]
#[template(path = "desks/situation/templates/corrections.html")]
pub struct CorrectionsPage {
    page: Page,
    table: Table,
}

impl Lists for CorrectionsPage {
    fn lists(&self) -> Vec<&Table> {
        vec![&self.table]
    }
}

/// Builds the page of corrections from the newest [`LISTED`].
pub fn corrections_page(
    page: Page,
    names: &Names<'_>,
    corrections: &[Correction],
) -> Result<CorrectionsPage, Problem> {
    let t = &page.t;
    let rows = correction_rows(&page, names, corrections, false);
    let table = Table::list(
        &page.asked,
        "corrections",
        t.situation_corrections(),
        correction_columns(t, false),
        rows,
    )?
    .with_hidden_caption()
    .when_empty(t.situation_corrections_none());
    Ok(CorrectionsPage { page, table })
}
