//! `/situation/{place}/{day}`: everything that was stated about one day, in the order in which it was released;
//! and `/situation/corrections`: every value that its own author later stated otherwise.

use super::figure::date_of;
use super::names::{Names, place_path};
use super::parts::{Csv, corrections_table, iso, iso_day, proof, value_text};
use super::query::{Correction, Statement};
use crate::layout::component::{Tone, tag};
use crate::layout::{
    Cell, Column, Markup, Page, Paging, Problem, ROWS_PER_PAGE, Row, Sort, Table, TableQuery,
};
use askama::Template;

/// Corrections that one list holds; older ones stand on the pages of their places.
pub const LISTED: i64 = 1_000;

/// The page of a day.
#[derive(Template)]
#[template(path = "desks/situation/templates/day.html")]
pub struct DayPage {
    page: Page,
    before: String,
    after: String,
    table: Table,
}

/// Builds the page of a day.
pub fn day_page(page: Page, names: &Names<'_>, place: &str, day: i64, statements: &[Statement]) -> DayPage {
    let t = &page.t;
    let columns = vec![
        Column::new("indicator", t.situation_indicators()),
        Column::new("value", t.situation_value()).numeric(),
        Column::new("state", t.situation_state()),
        Column::new("who", t.situation_who()),
        Column::new("reason", t.situation_reason()),
        Column::new("proof", t.situation_proof()),
    ];
    let rows = statements
        .iter()
        .enumerate()
        .map(|(index, one)| row(&page, names, one, is_replaced(statements, index)))
        .collect();
    let table = Table::new(&page.asked, "statements", page.title.clone(), columns)
        .rows(rows)
        .with_hidden_caption()
        .when_empty(if page.as_of.is_some_and(|as_of| as_of.at.is_some()) {
            t.situation_empty_as_of()
        } else {
            t.situation_empty_title()
        });
    let path = |day: i64| page.href(format!("{}/{}", place_path(place), date_of(day)));
    DayPage { before: path(day - 1), after: path(day + 1), table, page }
}

/// Whether a later statement of the same figure by the same author stands after this one.
fn is_replaced(statements: &[Statement], index: usize) -> bool {
    let same = |one: &Statement, other: &Statement| {
        one.series == other.series && one.point.start == other.point.start && one.point.day == other.point.day
    };
    statements[index + 1..].iter().any(|later| same(&statements[index], later) && !later.point.ended)
}

fn row(page: &Page, names: &Names<'_>, one: &Statement, replaced: bool) -> Row {
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
    let state = if replaced {
        tag(Tone::Plain, &t.situation_replaced())
    } else if one.point.ended {
        tag(Tone::Wait, &t.situation_ended())
    } else {
        tag(Tone::Sure, &t.situation_holds())
    };
    let reason = one.reason.as_deref().map(|reason| Markup::element("span", &[("dir", "auto")], reason));
    let from = one.from.as_deref().map(|from| {
        Markup::element("span", &[("class", "soft small"), ("dir", "auto")], &t.situation_said_source(from))
    });
    let reason = Markup::joined(reason.into_iter().chain(from), " ");
    Row::new(vec![
        Cell::text(what),
        Cell::text(value_text(t, one.point.value)),
        state.into(),
        Cell::link(&page.href(format!("/network/{}", one.series.author)), names.author(&one.series.author)),
        reason.into(),
        proof(page, &one.source).into(),
    ])
}

/// The page of corrections.
#[derive(Template)]
#[template(path = "desks/situation/templates/corrections.html")]
pub struct CorrectionsPage {
    page: Page,
    table: Table,
}

/// Builds the page of corrections from the newest [`LISTED`].
pub fn corrections_page(
    page: Page,
    names: &Names<'_>,
    corrections: &[Correction],
) -> Result<CorrectionsPage, Problem> {
    let asked = TableQuery::read(&page.asked, "", &[], Sort::descending("corrected"))?;
    let found = filtered(names, corrections, &asked);
    let total = found.len();
    let shown: Vec<Correction> = asked.cut(found.into_iter().cloned(), ROWS_PER_PAGE);
    let table = corrections_table(&page, names, "corrections", &shown, false)
        .sorted_by(&asked)
        .filterable()
        .paged(Paging { total, per_page: ROWS_PER_PAGE })
        .csv("/situation/corrections.csv");
    Ok(CorrectionsPage { page, table })
}

fn filtered<'c>(names: &Names<'_>, corrections: &'c [Correction], asked: &TableQuery) -> Vec<&'c Correction> {
    let filter = asked.filter.to_lowercase();
    corrections
        .iter()
        .filter(|one| {
            let texts =
                [&*names.place(&one.series.place), &one.series.place, names.author(&one.series.author)];
            filter.is_empty() || texts.iter().any(|text| text.to_lowercase().contains(&filter))
        })
        .collect()
}

/// Corrections as a file.
pub fn corrections_csv(names: &Names<'_>, corrections: &[Correction], asked: &TableQuery) -> Vec<u8> {
    let mut csv = Csv::new(&[
        "place",
        "name",
        "indicator",
        "definition",
        "disaggregation",
        "author",
        "start",
        "end",
        "old",
        "new",
        "reason",
        "old_record",
        "new_record",
        "claimed",
        "proven",
    ]);
    for one in filtered(names, corrections, asked) {
        csv.row([
            one.series.place.clone(),
            names.place(&one.series.place),
            one.series.indicator.clone(),
            one.series.definition.clone(),
            one.series.disaggregation.clone(),
            one.series.author.clone(),
            iso_day(one.period.0),
            iso_day(one.period.1),
            one.old.to_string(),
            one.new.to_string(),
            one.reason.clone().unwrap_or_default(),
            one.before.name.clone(),
            one.source.name.clone(),
            iso(Some(one.source.claimed)),
            iso(one.source.proven),
        ]);
    }
    csv.finish()
}
