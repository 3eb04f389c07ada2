//! Pieces that this desk's pages share: values, proofs, corrections, small curves, and CSV.

use super::curve::Measure;
use super::figure::date_of;
use super::names::{Names, place_path};
use super::query::{Correction, Source};
use crate::i18n::Locale;
use crate::layout::component::{SLOT, Tone, hash_link, sentence, tag};
use crate::layout::{Asked, Cell, Column, Markup, Page, Row, Table};
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
    let difference = new.to_f64() - old.to_f64();
    let places = if old.is_fractional() || new.is_fractional() { 2 } else { 0 };
    let sign = if difference > 0.0 { "+" } else { "" };
    format!("{sign}{}", t.decimal(difference, places))
}

/// A table of corrections; `of_place` leaves out the place.
pub fn corrections_table(
    page: &Page,
    names: &Names<'_>,
    id: &'static str,
    corrections: &[Correction],
    of_place: bool,
) -> Table {
    let t = &page.t;
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
    ]);
    let rows = corrections.iter().map(|one| Row::new(correction_cells(page, names, one, of_place))).collect();
    Table::new(&page.asked, id, t.situation_corrections(), columns)
        .rows(rows)
        .with_hidden_caption()
        .when_empty(t.situation_corrections_none())
}

fn correction_cells(page: &Page, names: &Names<'_>, one: &Correction, of_place: bool) -> Vec<Cell> {
    let t = &page.t;
    let mut cells = Vec::new();
    if !of_place {
        let path = place_path(&one.series.place);
        cells.push(Cell::link(&page.href(path), &names.place(&one.series.place)));
    }
    let mut what = names.indicator(&one.series.indicator);
    if !one.series.disaggregation.is_empty() {
        what = format!("{what} · {}", one.series.disaggregation);
    }
    let reason = match &one.reason {
        Some(reason) => Markup::element("span", &[("dir", "auto")], reason),
        None => Markup::element("span", &[("class", "soft")], &t.situation_no_reason()),
    };
    cells.extend([
        Cell::text(what),
        day_link(page, &one.series.place, one.period.1, period_text(t, one.period)).into(),
        Cell::from(Markup::element("s", &[("class", "soft")], &value_text(t, one.old))),
        Cell::text(value_text(t, one.new)),
        Cell::text(change_text(t, one.old, one.new)),
        reason.into(),
        Cell::from(Markup::element("span", &[("dir", "auto")], names.author(&one.series.author))),
        proof(page, &one.source).into(),
    ]);
    cells
}

/// A link to everything that was stated about one day.
pub fn day_link(page: &Page, place: &str, day: i64, text: Markup) -> Markup {
    let href = page.href(format!("{}/{}", place_path(place), date_of(day)));
    Markup::of(&Link { href, text })
}

#[derive(Template)]
#[template(ext = "html", source = r#"<a href="{{ href }}">{{ text }}</a>"#)]
struct Link {
    href: String,
    text: Markup,
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

/// New per week, newest last, as a small line; weeks that are unknown break it.
pub fn weekly_new(measure: Measure, values: &[Option<f64>]) -> Vec<Option<f64>> {
    match measure {
        Measure::Cumulative => values.windows(2).map(|pair| Some((pair[1]? - pair[0]?).max(0.0))).collect(),
        Measure::New | Measure::Standing => values.iter().skip(1).copied().collect(),
    }
}

/// A file of comma-separated values. Texts that a spreadsheet would run as a formula are given an apostrophe.
pub struct Csv(csv::Writer<Vec<u8>>);

impl Csv {
    /// Begins with the names of the columns.
    pub fn new(columns: &[&str]) -> Self {
        let mut writer = Self(csv::Writer::from_writer(Vec::new()));
        writer.row(columns.iter().map(ToString::to_string));
        writer
    }

    /// Adds a row.
    pub fn row(&mut self, fields: impl IntoIterator<Item = String>) {
        let fields = fields.into_iter().map(|field| {
            let formula = field.starts_with(['=', '+', '@', '\t', '\r'])
                || (field.starts_with('-') && field.parse::<f64>().is_err());
            if formula { format!("'{field}") } else { field }
        });
        // Writing to memory cannot fail, and a row of another width would be ours.
        let written = self.0.write_record(fields);
        debug_assert!(written.is_ok(), "every row has a field for every column");
    }

    /// The bytes.
    pub fn finish(self) -> Vec<u8> {
        self.0.into_inner().unwrap_or_default()
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

    #[test]
    fn no_cell_of_a_csv_file_is_a_formula() {
        let mut csv = Csv::new(&["a", "b"]);
        csv.row(["=1+1".to_owned(), "-5".to_owned()]);
        assert_eq!(String::from_utf8(csv.finish()).unwrap(), "a,b\n'=1+1,-5\n");
    }
}
