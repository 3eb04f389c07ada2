//! The incomplete end of a series as it is shown: what is reported by now, what is expected in all, and how much of it is in.

use super::completeness::{COMPLETE, Reports};
use crate::asof::Basis;
use crate::chart::{Across, Line, LineChart};
use crate::desks::situation::figure::day_number;
use crate::layout::{Cell, Column, Key, Page, Problem, Row, Table};
use epi::nowcast::Nowcast;

/// Complete days that are drawn before the incomplete ones.
const BEFORE: usize = 21;

/// What stands on the page.
pub struct StillToCome {
    /// Reported and expected.
    pub chart: Option<LineChart>,
    /// Days whose reports are not all in, newest first.
    pub table: Table,
    /// What it was made of.
    pub notes: Vec<String>,
    /// Where the triangle is to be had.
    pub reports_href: String,
}

/// Builds it.
pub fn build(page: &Page, title: &str, author: &str, reports: &Reports) -> Result<StillToCome, Problem> {
    let t = &page.t;
    let basis = page.as_of.map(|as_of| as_of.basis).unwrap_or_default();
    let basis = match basis {
        Basis::Claimed => t.shell_basis_claimed(),
        Basis::Proven => t.shell_basis_proven(),
        Basis::Here => t.shell_basis_here(),
    };
    let here = page.asked.query.only(|key| !key.ends_with("page") && key != "csv");
    Ok(StillToCome {
        chart: chart(page, title, reports),
        table: table(page, reports)?,
        notes: vec![
            t.nowcast_note_triangle(
                reports.days.len(),
                reports.releases,
                author,
                basis,
                reports.triangle.longest() + reports.first,
            ),
            t.nowcast_note_method(),
        ],
        reports_href: here.with("csv", "reports").on(&page.asked.path),
    })
}

/// What is said of the newest day.
fn summary(page: &Page, newest: &Nowcast) -> String {
    let t = &page.t;
    let (low, high) = newest.interval.unwrap_or((newest.expected, newest.expected));
    t.nowcast_summary(
        t.date_text(newest.date),
        t.decimal(newest.reported, 0),
        t.decimal(newest.expected, 0),
        t.decimal(low, 0),
        t.decimal(high, 0),
        t.percent(newest.share, 0),
    )
}

/// Both lines meet where a day is complete; from where it is not, the ground is shaded.
fn chart(page: &Page, title: &str, reports: &Reports) -> Option<LineChart> {
    let t = &page.t;
    let newest = reports.days.last()?;
    let longest = reports.triangle.longest();
    let drawn = &reports.days[reports.days.len().saturating_sub(longest + BEFORE)..];
    let open = |day: &&Nowcast| day.share < 1.0;
    let reported = drawn.iter().map(|day| Some(day.reported)).collect();
    // It begins at the last complete day, so that it is seen to part from what is reported.
    let from = drawn.iter().position(|day| open(&day)).map_or(drawn.len(), |place| place.saturating_sub(1));
    let behind = |place: usize, day: &Nowcast| (place >= from).then_some((day.expected, day.interval));
    let expected: Vec<_> = drawn.iter().enumerate().map(|(place, day)| behind(place, day)).collect();
    let lines = vec![
        Line::new(
            t.nowcast_expected(),
            expected.iter().map(|one| one.map(|(expected, _)| expected)).collect(),
        )
        .with_band(expected.iter().map(|one| one.and_then(|(_, interval)| interval)).collect()),
        Line::new(t.nowcast_reported(), reported),
    ];
    let across = Across::From(drawn.first()?.date);
    let chart = LineChart::new(t, "nowcast", title, summary(page, newest), across, lines)?;
    let chart = chart.with_band_of(t.analysis_interval_95());
    let incomplete =
        reports.incomplete().and_then(|first| drawn.iter().position(|day| day.date == first.date));
    Some(match incomplete {
        Some(place) => chart.with_shaded_from(place, shaded_text(page)),
        None => chart,
    })
}

/// Why a day is shaded.
pub fn shaded_text(page: &Page) -> String {
    page.t.nowcast_shaded(page.t.percent(COMPLETE, 0))
}

fn table(page: &Page, reports: &Reports) -> Result<Table, Problem> {
    let t = &page.t;
    let columns = vec![
        Column::new("date", t.situation_day()),
        Column::new("reported", t.nowcast_reported()).numeric(),
        Column::new("share", t.nowcast_share()).numeric(),
        Column::new("expected", t.nowcast_expected()).numeric(),
        Column::new("low", t.analysis_low()).numeric(),
        Column::new("high", t.analysis_high()).numeric(),
    ];
    let count = |value: f64| Cell::text(t.decimal(value, 0)).keyed(Key::number(value, value.to_string()));
    let rows = reports.days.iter().rev().take(reports.triangle.longest()).map(|day| {
        let share = Cell::text(t.percent(day.share, 0)).keyed(Key::number(day.share, day.share.to_string()));
        let date = Key::whole(day_number(day.date)).written(day.date.to_string());
        Row::new(vec![
            Cell::from(t.date_short(day.date)).keyed(date),
            count(day.reported),
            share,
            count(day.expected),
            day.interval.map_or_else(Cell::unknown, |(low, _)| count(low)),
            day.interval.map_or_else(Cell::unknown, |(_, high)| count(high)),
        ])
    });
    Ok(Table::list(&page.asked, "nowcast-days", t.nowcast_table(), columns, rows.collect())?.in_columns())
}
