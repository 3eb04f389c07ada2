//! What the desk shows: the form, and the report on a table with what can be done next.

use askama::Template;
use formats::figures::FigureKey;

use super::form::Filled;
use super::uploads::{State, Upload, UploadId};
use crate::desks::situation::names::Names;
use crate::desks::situation::parts::Csv;
use crate::http::MAX_UPLOAD;
use crate::i18n::Locale;
use crate::layout::component::{Control, Facts, Field, Figures, Tone, alarm_panel, hash_link, tag};
use crate::layout::{
    Asked, Cell, Column, Key, Lists, Markup, Page, Paging, Problem, ROWS_PER_PAGE, Row, Sort, Table,
    TableQuery,
};
use crate::operate::{MAX_LISTED, Report, ReportRow};
use crate::release::Released;

/// The value of the audience that is everybody.
pub const PUBLIC: &str = "public";
const MAP_EXAMPLE: &str = "Date=#date, Country=#country+name, Notes=-";

/// The page with the form.
#[derive(Template)]
#[template(path = "desks/import/templates/form.html")]
pub struct FormPage {
    page: Page,
    fault: Option<Markup>,
    fields: Vec<Field>,
}

/// Builds the form; `mechanisms` are those that can be addressed, `faults` what was wrong with what was filled in.
pub fn form_page(page: Page, mechanisms: &[String], filled: &Filled, faults: &[String]) -> FormPage {
    let t = &page.t;
    let reasons: Vec<Markup> = faults.iter().map(Markup::text).collect();
    let fault = (!reasons.is_empty()).then(|| alarm_panel(&t.import_fault(), &reasons));
    let audiences = std::iter::once((PUBLIC.to_owned(), t.import_public()))
        .chain(mechanisms.iter().map(|id| (id.clone(), id.clone())))
        .collect();
    let audience = if filled.audience.is_empty() { PUBLIC } else { &filled.audience };
    let fields = vec![
        Field::new(t, "audience", t.import_audience(), Control::Select(audiences))
            .value(audience)
            .hint(t.import_audience_hint()),
        Field::new(t, "reason", t.import_reason(), Control::Input("text"))
            .value(&filled.reason)
            .hint(t.import_reason_hint())
            .optional(),
        Field::new(t, "map", t.import_map(), Control::Input("text"))
            .value(&filled.map)
            .hint(t.import_map_hint(MAP_EXAMPLE))
            .optional(),
        Field::new(t, "table", t.import_table(), Control::Input("file"))
            .hint(t.import_table_hint(t.number(MAX_UPLOAD >> 20))),
    ];
    FormPage { page, fault, fields }
}

/// What a reader asks of a report.
pub struct Wanted {
    table: TableQuery,
    show: Option<Sorting>,
}

/// The sorts of rows that a report can be narrowed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sorting {
    Refused,
    Corrections,
    Falls,
    New,
    Same,
}

impl Sorting {
    const ALL: [Self; 5] = [Self::Refused, Self::Corrections, Self::Falls, Self::New, Self::Same];

    fn code(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Corrections => "corrections",
            Self::Falls => "falls",
            Self::New => "new",
            Self::Same => "same",
        }
    }

    fn of(row: &ReportRow) -> Self {
        match row.code.as_str() {
            "figure-correction" => Self::Corrections,
            "figure-falls" => Self::Falls,
            "figure-new" => Self::New,
            "figure-same" => Self::Same,
            _ => Self::Refused,
        }
    }

    fn name(self, t: &Locale) -> String {
        match self {
            Self::Refused => t.import_refused(),
            Self::Corrections => t.import_corrections(),
            Self::Falls => t.import_falls(),
            Self::New => t.import_new(),
            Self::Same => t.import_same(),
        }
    }

    fn count(self, report: &Report) -> u64 {
        match self {
            Self::Refused => report.refused,
            Self::Corrections => report.corrections,
            Self::Falls => report.falls,
            Self::New => report.new,
            Self::Same => report.same,
        }
    }

    fn tag(self, t: &Locale) -> Markup {
        match self {
            Self::Refused => tag(Tone::Alarm, &t.import_outcome_refused()),
            Self::Corrections => tag(Tone::Notice, &t.import_outcome_correction()),
            Self::Falls => tag(Tone::Wait, &t.import_outcome_falls()),
            Self::New => tag(Tone::Sure, &t.import_outcome_new()),
            Self::Same => tag(Tone::Plain, &t.import_outcome_same()),
        }
    }
}

/// Reads what is asked of a report.
pub fn wanted(asked: &Asked) -> Result<Wanted, Problem> {
    let show = asked.query.get("show");
    Ok(Wanted {
        table: TableQuery::read(asked, "", &["row", "result", "where"], Sort::ascending("row"))?,
        show: Sorting::ALL.into_iter().find(|sorting| show == Some(sorting.code())),
    })
}

/// A row with everything in the reader's words.
struct Worded {
    row: u64,
    sorting: Sorting,
    place: String,
    what: String,
    period: String,
    says: String,
}

fn worded(names: &Names<'_>, row: &ReportRow) -> Worded {
    let t = names.t;
    let key: Option<FigureKey> = row.figure.parse().ok();
    let place = match (&row.column, &key) {
        (Some((number, header)), _) => t.import_column(t.number(*number), header),
        (None, Some(key)) => names.place(&key.place.to_string()),
        (None, None) => String::new(),
    };
    let what = key.as_ref().map(|key| what(names, key)).unwrap_or_default();
    let period = key.as_ref().map(|key| period(t, &key.period.to_string())).unwrap_or_default();
    Worded { row: row.row, sorting: Sorting::of(row), place, what, period, says: says(t, row) }
}

/// The indicator, and of whom where it is about a part of the people.
fn what(names: &Names<'_>, key: &FigureKey) -> String {
    let indicator = names.indicator(key.indicator.as_str());
    match key.disaggregation.to_string() {
        parts if parts.is_empty() => indicator,
        parts => format!("{indicator} · {parts}"),
    }
}

fn period(t: &Locale, period: &str) -> String {
    let day = |text: &str| {
        text.parse().map_or_else(|_| text.to_owned(), |day: jiff::civil::Date| t.date_short_text(day))
    };
    match period.split_once('/') {
        Some((start, end)) => format!("{} – {}", day(start), day(end)),
        None => day(period),
    }
}

fn says(t: &Locale, row: &ReportRow) -> String {
    let raw = |name: &str| {
        row.args.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let value = |name: &str| raw(name).parse::<i64>().map_or_else(|_| raw(name), |whole| t.number(whole));
    match row.code.as_str() {
        "figure-new" => t.import_says_new(value("value")),
        "figure-same" => t.import_says_same(value("value")),
        "figure-correction" => t.import_says_correction(value("old"), value("value"), raw("reason")),
        "figure-reason-missing" => t.import_says_reason_missing(value("old"), value("value")),
        "figure-stated-twice" => t.import_says_twice(),
        "figure-falls" => t.import_says_falls(value("value"), value("from"), period(t, &raw("since"))),
        code => {
            Problem::of(code, row.args.iter().map(|(name, value)| (name.as_str(), value.clone()))).text(t)
        }
    }
}

/// The page with the report.
#[derive(Template)]
#[template(path = "desks/import/templates/report.html")]
pub struct ReportPage {
    page: Page,
    id: String,
    again: bool,
    facts: Facts,
    counts: Figures,
    alarm: Option<Markup>,
    notice: Option<String>,
    release: Option<String>,
    released: Option<(String, Table)>,
    tabs: Vec<(String, String, bool)>,
    more: Option<String>,
    table: Table,
}

impl Lists for ReportPage {
    fn lists(&self) -> Vec<&Table> {
        self.released.iter().map(|(_, records)| records).collect()
    }
}

/// Builds the report on an upload.
pub fn report_page(
    page: Page,
    names: &Names<'_>,
    id: &UploadId,
    upload: &Upload,
    wanted: &Wanted,
) -> Result<ReportPage, Problem> {
    let t = &page.t;
    let report = &upload.report;
    let waits = matches!(upload.state, State::Checked | State::Failed(_));
    let to_release = report.new + report.corrections;
    let release =
        (waits && report.accepted && to_release > 0).then(|| t.import_release_text(t.number(to_release)));
    let notice = match upload.state {
        State::Releasing => Some(t.import_releasing()),
        State::Checked if report.accepted && to_release == 0 => Some(t.import_nothing()),
        _ => None,
    };
    let alarm = match &upload.state {
        State::Failed(cause) => {
            Some(alarm_panel(&t.import_failed(), &[t.import_failed_text(cause.said_in(t)).into()]))
        }
        State::Checked if !report.accepted => {
            let text = t.import_refused_text(t.number(report.refused));
            Some(alarm_panel(&t.import_refused_title(), &[text.into()]))
        }
        _ => None,
    };
    let released = match upload.state {
        State::Released => {
            let text = t.import_released_text(t.number(report.released.len()));
            Some((text, records(&page, &report.released)?))
        }
        _ => None,
    };
    let beyond = Sorting::ALL.into_iter().any(|sorting| {
        sorting.count(report) > report.listed.iter().filter(|row| Sorting::of(row) == sorting).count() as u64
    });
    Ok(ReportPage {
        id: id.as_str().to_owned(),
        again: upload.state == State::Releasing,
        facts: facts(t, upload),
        counts: counts(t, report),
        alarm,
        notice,
        release,
        released,
        tabs: tabs(&page, report, wanted),
        more: beyond.then(|| t.import_listed(t.number(MAX_LISTED))),
        table: rows_table(&page, names, id, report, wanted),
        page,
    })
}

fn facts(t: &Locale, upload: &Upload) -> Facts {
    let readers = match &upload.mechanism {
        Some(id) => Markup::element("code", &[], id),
        None => Markup::text(t.import_public()),
    };
    let mut facts = Facts::default().with(t.import_readers(), readers);
    if let Some(reason) = &upload.reason {
        facts = facts.with(t.import_reason(), Markup::element("bdi", &[], reason));
    }
    if let Some(map) = &upload.map {
        facts = facts.with(t.import_map(), Markup::element("code", &[], map));
    }
    facts
}

fn counts(t: &Locale, report: &Report) -> Figures {
    let rows = [
        (t.import_rows(), report.rows),
        (t.import_figures(), report.figures),
        (t.import_new(), report.new),
        (t.import_same(), report.same),
        (t.import_corrections(), report.corrections),
        (t.import_refused(), report.refused),
        (t.import_falls(), report.falls),
    ];
    rows.into_iter().fold(Figures::default(), |all, (name, count)| all.with(name, t.number(count), ""))
}

fn tabs(page: &Page, report: &Report, wanted: &Wanted) -> Vec<(String, String, bool)> {
    let t = &page.t;
    let plain = page.asked.query.only(|key| !matches!(key, "show" | "page"));
    let link = |code: &str| plain.with("show", code).on(&page.asked.path);
    std::iter::once((link(""), t.import_all(), wanted.show.is_none()))
        .chain(Sorting::ALL.into_iter().filter(|sorting| sorting.count(report) > 0).map(|sorting| {
            let name = format!("{} ({})", sorting.name(t), t.number(sorting.count(report)));
            (link(sorting.code()), name, wanted.show == Some(sorting))
        }))
        .collect()
}

/// The rows of a report that are asked for, in the order asked for.
fn chosen(names: &Names<'_>, report: &Report, wanted: &Wanted) -> Vec<Worded> {
    let filter = wanted.table.filter.to_lowercase();
    let mut rows: Vec<Worded> = report
        .listed
        .iter()
        .filter(|row| wanted.show.is_none_or(|show| show == Sorting::of(row)))
        .map(|row| worded(names, row))
        .filter(|row| {
            filter.is_empty()
                || [&row.place, &row.what, &row.says].iter().any(|text| text.to_lowercase().contains(&filter))
        })
        .collect();
    match wanted.table.sort.key.as_str() {
        "result" => rows.sort_by_key(|row| row.sorting.code()),
        "where" => rows.sort_by(|a, b| a.place.cmp(&b.place)),
        _ => rows.sort_by_key(|row| row.row),
    }
    if wanted.table.sort.descending {
        rows.reverse();
    }
    rows
}

fn rows_table(page: &Page, names: &Names<'_>, id: &UploadId, report: &Report, wanted: &Wanted) -> Table {
    let t = &page.t;
    let columns = vec![
        Column::new("row", t.import_row()).numeric().sortable(),
        Column::new("result", t.import_result()).sortable(),
        Column::new("where", t.import_where()).sortable(),
        Column::new("what", t.import_what()),
        Column::new("period", t.import_period()),
        Column::new("says", t.import_says()),
    ];
    let all = chosen(names, report, wanted);
    let total = all.len();
    let or_unknown = |text: &str| if text.is_empty() { Cell::unknown() } else { Cell::text(text) };
    let rows = wanted.table.cut(all, ROWS_PER_PAGE).into_iter().map(|row| {
        let cells = vec![
            Cell::number(t, row.row),
            row.sorting.tag(t).into(),
            or_unknown(&row.place),
            or_unknown(&row.what),
            or_unknown(&row.period),
            Cell::text(&row.says),
        ];
        let shown = Row::new(cells);
        if row.sorting == Sorting::Refused { shown.in_alarm() } else { shown }
    });
    Table::new(&page.asked, "rows", t.import_report_name(), columns)
        .rows(rows.collect())
        .stacked()
        .sorted_by(&wanted.table)
        .filterable()
        .paged(Paging { total, per_page: ROWS_PER_PAGE })
        .csv(&format!("/import/{}/report.csv", id.as_str()))
}

fn records(page: &Page, released: &[Released]) -> Result<Table, Problem> {
    let t = &page.t;
    let columns = vec![
        Column::new("record", t.import_record()),
        Column::new("index", t.import_index()).numeric(),
        Column::new("log", t.import_log()),
    ];
    let rows = released
        .iter()
        .map(|one| {
            let link = hash_link(&page.href(format!("/record/{}", one.name)), &one.name);
            Row::new(vec![
                Cell::from(link).keyed(Key::text(one.name.as_str())),
                Cell::number(t, one.index),
                Markup::element("code", &[], &one.origin.to_string()).into(),
            ])
        })
        .collect();
    Table::list(&page.asked, "records", t.import_released(), columns, rows)
}

/// The rows of a report as a file: codes for programs, sentences for people.
pub fn csv(names: &Names<'_>, upload: &Upload, wanted: &Wanted) -> Vec<u8> {
    let mut csv = Csv::new(&["row", "column", "header", "figure", "code", "refused", "text"]);
    let shown = |row: &&ReportRow| wanted.show.is_none_or(|show| show == Sorting::of(row));
    for row in upload.report.listed.iter().filter(shown) {
        let (number, header) = row
            .column
            .as_ref()
            .map(|(number, header)| (number.to_string(), header.clone()))
            .unwrap_or_default();
        csv.row([
            row.row.to_string(),
            number,
            header,
            row.figure.clone(),
            row.code.clone(),
            row.refused.to_string(),
            says(names.t, row),
        ]);
    }
    csv.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Lang;
    use jiff::tz::TimeZone;
    use std::collections::BTreeMap;

    fn row(code: &str, args: &[(&str, &str)]) -> ReportRow {
        ReportRow {
            row: 7,
            column: None,
            figure: "CHN|2020-04-16|as-reported||deaths-cumulative".into(),
            code: code.into(),
            refused: false,
            args: args.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            text: String::new(),
        }
    }

    #[test]
    fn a_correction_names_what_was_what_is_and_why() {
        let t = Locale::new(Lang::En, TimeZone::UTC);
        let (places, authorities) = (formats::places::PlaceNames::bundled(), BTreeMap::new());
        let names = Names { t: &t, places: &places, authorities: &authorities };
        let correction =
            row("figure-correction", &[("old", "3342"), ("value", "4632"), ("reason", "late reports")]);
        let shown = worded(&names, &correction);
        let plain: String = shown.says.chars().filter(|c| !matches!(c, '\u{2068}' | '\u{2069}')).collect();
        assert_eq!(plain, "From 3,342 to 4,632. Reason: late reports");
        assert_eq!((shown.place.as_str(), shown.period.as_str()), ("China", "16 Apr 2020"));
    }

    #[test]
    fn every_outcome_and_every_fault_of_a_row_has_a_sentence_in_every_language() {
        for lang in Lang::ALL {
            let t = Locale::new(lang, TimeZone::UTC);
            for code in ["new", "same", "correction", "reason-missing", "stated-twice", "falls"] {
                let said = says(&t, &row(&format!("figure-{code}"), &[("value", "1")]));
                assert!(!said.contains("figure-"), "{said}");
            }
            let said = says(&t, &row("date-invalid", &[("text", "soon")]));
            assert!(said.contains("soon") && !said.contains("date-invalid"), "{said}");
        }
    }
}
