//! `/records`: every record that a reader may see, newest first.

use super::page::{kind_name, tags};
use super::query::{Entry, MAX_COUNTED, Order, Wanted};
use crate::desks::situation::names::Names;
use crate::desks::situation::parts::{Csv, author_cell, iso};
use crate::index::EVERYBODY;
use crate::layout::component::{empty, hash_link};
use crate::layout::{
    Asked, Cell, Column, Markup, Page, Paging, Problem, ROWS_PER_PAGE, Row, Sort, Table, TableQuery,
};
use askama::Template;

/// Kinds that are offered as links; others are found by the filter.
const KINDS: [&str; 8] = [
    "situation.figures",
    "notice",
    "acknowledgement",
    "withdrawal",
    "mechanism.charter",
    "mechanism.accept",
    "log.open",
    "log.root",
];
/// Rows of the CSV file.
const CSV_ROWS: usize = 10_000;

/// The page.
#[derive(Template)]
#[template(path = "desks/record/templates/list.html")]
pub struct ListPage {
    page: Page,
    kinds: Vec<(String, String, bool)>,
    nothing: Option<Markup>,
    more: Option<String>,
    table: Table,
}

/// What a request asks of the list.
pub fn wanted(asked: &Asked, for_file: bool) -> Result<(TableQuery, Wanted), Problem> {
    let sortable = ["released", "author", "kind", "proven"];
    let table = TableQuery::read(asked, "", &sortable, Sort::descending("released"))?;
    let order = match table.sort.key.as_str() {
        "author" => Order::Author,
        "kind" => Order::Kind,
        "proven" => Order::Proven,
        _ => Order::Released,
    };
    let wanted = Wanted {
        kind: asked.query.get("kind").map(str::to_owned),
        text: table.filter.clone(),
        order,
        descending: table.sort.descending,
        offset: if for_file { 0 } else { table.offset(ROWS_PER_PAGE) },
        limit: if for_file { CSV_ROWS } else { ROWS_PER_PAGE },
    };
    Ok((table, wanted))
}

/// Builds the page.
pub fn list_page(
    page: Page,
    names: &Names<'_>,
    asked: &TableQuery,
    entries: &[Entry],
    counted: i64,
) -> ListPage {
    let t = &page.t;
    let columns = vec![
        Column::new("kind", t.record_kind()).sortable(),
        Column::new("author", t.record_author()).sortable(),
        Column::new("released", t.record_column_released()).sortable(),
        Column::new("proven", t.record_proven()).sortable(),
        Column::new("readers", t.record_audience()),
        Column::new("name", t.record_name()),
    ];
    let rows = entries.iter().map(|entry| row(&page, names, entry)).collect();
    let total = usize::try_from(counted.min(MAX_COUNTED)).unwrap_or(0);
    let table = Table::new(&page.asked, "records", t.shell_records(), columns)
        .rows(rows)
        .with_hidden_caption()
        .stacked()
        .sorted_by(asked)
        .filterable()
        .paged(Paging { total, per_page: ROWS_PER_PAGE })
        .csv("/records.csv");
    let chosen = page.asked.query.get("kind").unwrap_or_default().to_owned();
    let plain = page.asked.query.only(|key| !matches!(key, "kind" | "page"));
    let link =
        |kind: &str, name: String| (plain.with("kind", kind).on(&page.asked.path), name, chosen == kind);
    let kinds = std::iter::once(link("", t.record_list_all()))
        .chain(KINDS.into_iter().map(|kind| link(kind, kind_name(t, kind))))
        .collect();
    let bare = asked.filter.is_empty() && chosen.is_empty();
    let nothing = (entries.is_empty() && bare && asked.page == 1)
        .then(|| empty(&t.record_empty_title(), &t.record_empty_text(), None));
    let more = (counted > MAX_COUNTED).then(|| t.record_at_least(t.number(MAX_COUNTED)));
    ListPage { page, kinds, nothing, more, table }
}

fn row(page: &Page, names: &Names<'_>, entry: &Entry) -> Row {
    let t = &page.t;
    let kind = Markup::link(&page.href(format!("/record/{}", entry.name)), &kind_name(t, &entry.kind));
    let edition = (entry.edition > 1).then(|| {
        Markup::element("span", &[("class", "soft small")], &format!("· {}", t.seal_edition(entry.edition)))
    });
    let marked = [kind].into_iter().chain(edition).chain(tags(t, entry, entry.sealed));
    let proven = match entry.proven {
        Some(at) => Cell::moment(t, at),
        None => Markup::element("span", &[("class", "seal claimed")], &t.seal_claimed()).into(),
    };
    let readers = if entry.readers == EVERYBODY { t.record_public() } else { t.record_restricted() };
    Row::new(vec![
        Markup::joined(marked, " ").into(),
        author_cell(page, names, &entry.author),
        Cell::moment(t, entry.released),
        proven,
        Cell::text(readers),
        hash_link(&page.href(format!("/record/{}", entry.name)), &entry.name).into(),
    ])
}

/// The same list as a file, up to its limit.
pub fn csv(names: &Names<'_>, entries: &[Entry]) -> Vec<u8> {
    let mut csv = Csv::new(&[
        "name",
        "kind",
        "author",
        "author_name",
        "log",
        "index",
        "id",
        "edition",
        "status",
        "released",
        "proven",
        "here",
        "sealed",
        "withdrawn_by",
        "superseded_by",
        "without_effect",
        "expires",
        "erased",
    ]);
    for entry in entries {
        csv.row([
            entry.name.clone(),
            entry.kind.clone(),
            entry.author.clone(),
            names.author(&entry.author).to_owned(),
            entry.origin.clone(),
            entry.pos.to_string(),
            entry.id.clone(),
            entry.edition.to_string(),
            entry.status.clone(),
            iso(Some(entry.released)),
            iso(entry.proven),
            iso(entry.here),
            entry.sealed.to_string(),
            entry.stands.withdrawn_by().unwrap_or_default().to_owned(),
            entry.stands.superseded_by().unwrap_or_default().to_owned(),
            entry.why_without_effect().unwrap_or_default().to_owned(),
            iso(entry.expires),
            entry.is_erased().to_string(),
        ]);
    }
    csv.finish()
}
