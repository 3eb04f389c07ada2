//! Pieces that this desk's pages share: values, proofs, corrections, small curves, and CSV.

use super::corrections::Correction;
use super::curve::Measure;
use super::figure::date_of;
use super::names::{Names, place_path};
use super::query::{Series, Source};
use crate::i18n::Locale;
pub use crate::layout::Csv;
use crate::layout::component::{SLOT, Tone, hash_link, linked, sentence, tag};
use crate::layout::{Asked, Cell, Column, Key, Markup, Page, Row};
use askama::Template;
use formats::figures::Value;
use jiff::Timestamp;
use jiff::civil::Date;

/// A stated value as the reader's language writes it, with all its digits.
pub fn value_text(t: &Locale, value: Value) -> String {
    if let Some(whole) = value.as_whole() {
        return t.number(whole);
    }
    let places = value.to_string().split_once('.').map_or(0, |(_, after)| after.len());
    t.decimal(value.to_f64(), places)
}

/// A computed number of people: whole.
pub fn count_text(t: &Locale, number: f64) -> String {
    t.decimal(number, 0)
}

/// A moment in seconds since 1970.
pub fn moment(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The days of a period: one day, or from – to.
pub fn period_text(t: &Locale, (start, day): (i64, i64)) -> Markup {
    if start == day {
        return t.date_short(date_of(day));
    }
    Markup::joined([t.date_short(date_of(start)), t.date_short(date_of(day))], " – ")
}

/// The record behind something, and what proves when it was stated.
pub fn proof(page: &Page, source: &Source) -> Markup {
    let t = &page.t;
    let link = hash_link(&page.href(format!("/record/{}", source.name)), &source.name);
    let (class, text) = match source.proven {
        Some(at) => ("seal", sentence(&t.situation_proven_by(SLOT), &t.moment(moment(at)))),
        None => ("seal claimed", sentence(&t.situation_claimed_at(SLOT), &t.moment(moment(source.claimed)))),
    };
    let sealed = source.sealed.then(|| tag(Tone::Plain, &t.seal_sealed()));
    Markup::of(&Proof { class, link, text, sealed })
}

/// The same in a table: by the time that it shows, and taken away as the record's name.
pub fn proof_cell(page: &Page, source: &Source) -> Cell {
    let time = source.proven.unwrap_or(source.claimed);
    Cell::from(proof(page, source)).keyed(Key::moment(time).written(&source.name))
}

/// A stated value in a table.
pub fn value_cell(t: &Locale, value: Value) -> Cell {
    Cell::text(value_text(t, value)).keyed(Key::number(value.to_f64(), value.to_string()))
}

/// A place in a table, with a link to its page; taken away as its code.
pub fn place_cell(page: &Page, names: &Names<'_>, place: &str) -> Cell {
    let name = names.place(place);
    let key = Key::text(&name).written(place);
    Cell::link(&page.href(place_path(place)), &name).keyed(key)
}

/// An authority in a table, with a link to its page; taken away as its DNS name.
pub fn author_cell(page: &Page, names: &Names<'_>, authority: &str) -> Cell {
    let name = names.author(authority);
    let key = Key::text(name).written(authority);
    Cell::link(&page.href(format!("/network/{authority}")), name).keyed(key)
}

/// A period in a table, with a link to everything stated about its last day.
pub fn period_cell(page: &Page, place: &str, period: (i64, i64)) -> Cell {
    let text = period_text(&page.t, period);
    let (start, day) = period;
    let written = if start == day { iso_day(day) } else { format!("{}/{}", iso_day(start), iso_day(day)) };
    Cell::from(day_link(page, place, day, &text)).keyed(Key::whole(day).written(written))
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<span class="{{ class }}"><span>{{ link }}</span><span class="small">{{ text }}</span></span>{% if let Some(sealed) = sealed %} {{ sealed }}{% endif %}"#
)]
struct Proof {
    class: &'static str,
    link: Markup,
    text: Markup,
    sealed: Option<Markup>,
}

/// A difference with its sign.
pub fn change_text(t: &Locale, old: Value, new: Value) -> String {
    let places = if old.is_fractional() || new.is_fractional() { 2 } else { 0 };
    t.signed(new.to_f64() - old.to_f64(), places)
}

/// The columns of corrections; `of_place` leaves out the place.
pub fn correction_columns(t: &Locale, of_place: bool) -> Vec<Column> {
    let mut columns = Vec::new();
    if !of_place {
        columns.push(Column::new("place", t.situation_place()));
    }
    columns.extend([
        Column::new("indicator", t.situation_indicators()),
        Column::new("period", t.situation_period()),
        Column::new("old", t.situation_old()).numeric(),
        Column::new("new", t.situation_new_value()).numeric(),
        Column::new("change", t.situation_change()).numeric(),
        Column::new("reason", t.situation_reason()),
        Column::new("who", t.situation_who()),
        Column::new("proof", t.situation_proof()),
        Column::file_only("definition"),
        Column::file_only("old_record"),
        Column::file_only("claimed"),
        Column::file_only("proven"),
    ]);
    columns
}

/// A row for each correction.
pub fn correction_rows(
    page: &Page,
    names: &Names<'_>,
    corrections: &[Correction],
    of_place: bool,
) -> Vec<Row> {
    corrections.iter().map(|one| Row::new(correction_cells(page, names, one, of_place))).collect()
}

fn correction_cells(page: &Page, names: &Names<'_>, one: &Correction, of_place: bool) -> Vec<Cell> {
    let t = &page.t;
    let mut cells = Vec::new();
    if !of_place {
        cells.push(place_cell(page, names, &one.series.place));
    }
    let reason = match &one.reason {
        Some(reason) => Cell::from(Markup::element("span", &[("dir", "auto")], reason)),
        None => Cell::from(Markup::element("span", &[("class", "soft")], &t.situation_no_reason()))
            .keyed(Key::nothing()),
    };
    let old = Cell::from(Markup::element("s", &[("class", "soft")], &value_text(t, one.old)));
    let change = one.new.to_f64() - one.old.to_f64();
    cells.extend([
        indicator_cell(names, &one.series),
        period_cell(page, &one.series.place, one.period),
        old.keyed(Key::number(one.old.to_f64(), one.old.to_string())),
        value_cell(t, one.new),
        Cell::text(change_text(t, one.old, one.new)).keyed(Key::number(change, change.to_string())),
        reason,
        author_cell(page, names, &one.series.author),
        proof_cell(page, &one.source),
        Cell::text(&one.series.definition),
        Cell::text(&one.before.name),
        Cell::text(iso(Some(one.source.claimed))),
        Cell::text(iso(one.source.proven)),
    ]);
    cells
}

/// What is counted, and of whom where it is about a part of the people; taken away as codes.
pub fn indicator_cell(names: &Names<'_>, series: &Series) -> Cell {
    let (mut what, mut code) = (names.indicator(&series.indicator), series.indicator.clone());
    if !series.disaggregation.is_empty() {
        what = format!("{what} · {}", series.disaggregation);
        code = format!("{code}|{}", series.disaggregation);
    }
    Cell::text(&what).keyed(Key::text(&what).written(code))
}

/// A link to everything that was stated about one day.
pub fn day_link(page: &Page, place: &str, day: i64, text: &Markup) -> Markup {
    let href = page.href(format!("{}/{}", place_path(place), date_of(day)));
    linked(&href, text)
}

/// Links between the indicators that somebody states.
pub fn indicator_links(
    page: &Page,
    names: &Names<'_>,
    codes: &[String],
    chosen: &str,
) -> Vec<(String, String, bool)> {
    let asked: &Asked = &page.asked;
    let plain = asked.query.only(|key| !matches!(key, "sort" | "page" | "days.page" | "group"));
    codes
        .iter()
        .map(|code| (plain.with("indicator", code).on(&asked.path), names.indicator(code), code == chosen))
        .collect()
}

/// Links between the views of this desk, of which one is open.
pub fn views(page: &Page, open: &str) -> Vec<(String, String, bool)> {
    let t = &page.t;
    [
        ("/situation", t.situation_view_figures()),
        ("/situation/compare", t.compare_view()),
        ("/situation/totals", t.totals_view()),
        ("/situation/differences", t.situation_differs()),
        ("/situation/corrections", t.situation_corrections()),
    ]
    .into_iter()
    .map(|(path, name)| (page.href(path), name, path == open))
    .collect()
}

/// New per week, newest last, as a small line; weeks that are unknown break it.
pub fn weekly_new(measure: Measure, values: &[Option<f64>]) -> Vec<Option<f64>> {
    match measure {
        Measure::Cumulative => values.windows(2).map(|pair| Some((pair[1]? - pair[0]?).max(0.0))).collect(),
        Measure::New | Measure::Standing => values.iter().skip(1).copied().collect(),
    }
}

/// A moment as records write it, or nothing.
pub fn iso(second: Option<i64>) -> String {
    second.map(|second| moment(second).to_string()).unwrap_or_default()
}

/// A day as records write it.
pub fn iso_day(day: i64) -> String {
    let date: Date = date_of(day);
    date.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Lang;
    use jiff::tz::TimeZone;

    #[test]
    fn values_keep_their_digits_in_every_language() {
        let t = Locale::new(Lang::Es, TimeZone::UTC);
        assert_eq!(value_text(&t, "84146".parse().unwrap()), "84.146");
        assert_eq!(value_text(&t, "2.35".parse().unwrap()), "2,35");
        let t = Locale::new(Lang::En, TimeZone::UTC);
        assert_eq!(change_text(&t, "10".parse().unwrap(), "1300".parse().unwrap()), "+1,290");
    }

    #[test]
    fn weeks_that_are_unknown_break_the_line() {
        let new = weekly_new(Measure::Cumulative, &[Some(1.0), Some(4.0), None, Some(9.0), Some(8.0)]);
        assert_eq!(new, [Some(3.0), None, None, Some(0.0)]);
    }
}
