//! Tables: sorting, filtering and paging by links and forms, without script.
//!
//! The desk reads [`TableQuery`], lets its database sort, filter and cut, and hands the rows of one page to
//! [`Table`]. Short lists that are in memory anyway are cut by [`TableQuery::cut`].

use super::{Asked, Markup, Problem};
use crate::i18n::{Count, Locale};
use askama::Template;
use askama::filters::HtmlSafe;

/// Rows on a page, where the desk has no reason for another number.
pub const ROWS_PER_PAGE: usize = 50;
/// A filter longer than this is cut: nobody types it.
const MAX_FILTER_CHARACTERS: usize = 100;
/// Pages beyond this are not counted.
const MAX_PAGE: usize = 1_000_000;

/// By which column, in which direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sort {
    /// A column's key.
    pub key: String,
    /// Largest first.
    pub descending: bool,
}

impl Sort {
    /// Smallest first.
    pub fn ascending(key: impl Into<String>) -> Self {
        Self { key: key.into(), descending: false }
    }

    /// Largest first.
    pub fn descending(key: impl Into<String>) -> Self {
        Self { key: key.into(), descending: true }
    }

    fn text(&self) -> String {
        if self.descending { format!("-{}", self.key) } else { self.key.clone() }
    }
}

/// What a reader asked of a table: `?sort=-cases&q=ja&page=2`.
///
/// With a prefix (for a second table on one page) the parameters are `<prefix>.sort` and so on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableQuery {
    prefix: &'static str,
    /// The order; one of the table's columns.
    pub sort: Sort,
    /// The filter, trimmed; empty if none.
    pub filter: String,
    /// The page, from 1.
    pub page: usize,
}

impl TableQuery {
    /// Reads a request. `sortable` are the keys of the columns that the desk can sort by, `usual` the order
    /// where none is asked for.
    pub fn read(
        asked: &Asked,
        prefix: &'static str,
        sortable: &[&str],
        usual: Sort,
    ) -> Result<Self, Problem> {
        let get = |name: &str| asked.query.get(&parameter(prefix, name));
        let sort = match get("sort") {
            None => usual,
            Some(text) => {
                let (key, descending) = text.strip_prefix('-').map_or((text, false), |key| (key, true));
                if !sortable.contains(&key) {
                    return Err(Problem::new("sort-column").with("value", key));
                }
                Sort { key: key.to_owned(), descending }
            }
        };
        let filter = get("q").unwrap_or_default().trim().chars().take(MAX_FILTER_CHARACTERS).collect();
        let page = get("page").and_then(|text| text.parse().ok()).unwrap_or(1).clamp(1, MAX_PAGE);
        Ok(Self { prefix, sort, filter, page })
    }

    /// Rows to skip, for `OFFSET`.
    pub fn offset(&self, per_page: usize) -> usize {
        (self.page - 1).saturating_mul(per_page)
    }

    /// The rows of this page, of all sorted and filtered rows.
    pub fn cut<T>(&self, rows: impl IntoIterator<Item = T>, per_page: usize) -> Vec<T> {
        rows.into_iter().skip(self.offset(per_page)).take(per_page).collect()
    }
}

fn parameter(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") }
}

/// A column's head.
#[derive(Clone, Debug)]
pub struct Column {
    key: &'static str,
    title: String,
    numeric: bool,
    sortable: bool,
}

impl Column {
    /// A column of text; `key` names it in `?sort=`.
    pub fn new(key: &'static str, title: impl Into<String>) -> Self {
        Self { key, title: title.into(), numeric: false, sortable: false }
    }

    /// Figures: aligned at the end, of equal width.
    #[must_use]
    pub fn numeric(mut self) -> Self {
        self.numeric = true;
        self
    }

    /// Offers to sort by it.
    #[must_use]
    pub fn sortable(mut self) -> Self {
        self.sortable = true;
        self
    }
}

/// What stands in a row and column.
#[derive(Clone, Debug)]
pub struct Cell(Markup);

impl Cell {
    /// Text.
    pub fn text(text: impl AsRef<str>) -> Self {
        Self(Markup::text(text))
    }

    /// A whole number, as the reader's language groups it.
    pub fn number(t: &Locale, number: impl Count) -> Self {
        Self(Markup::text(t.number(number)))
    }

    /// A link.
    pub fn link(href: &str, text: &str) -> Self {
        Self(Markup::link(href, text))
    }

    /// Where nothing is known: a dash, which is not a zero.
    pub fn unknown() -> Self {
        Self(Markup::text("–"))
    }
}

impl From<Markup> for Cell {
    fn from(markup: Markup) -> Self {
        Self(markup)
    }
}

/// One row; its first cell is its head.
#[derive(Clone, Debug)]
pub struct Row {
    cells: Vec<Cell>,
    alarm: bool,
}

impl Row {
    /// As many cells as the table has columns.
    pub fn new(cells: Vec<Cell>) -> Self {
        Self { cells, alarm: false }
    }

    /// Marks the row at its edge; the reason must also stand in it as text.
    #[must_use]
    pub fn in_alarm(mut self) -> Self {
        self.alarm = true;
        self
    }
}

/// Where a page stands among all pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paging {
    /// Rows of all pages.
    pub total: usize,
    /// Rows on one page.
    pub per_page: usize,
}

impl Paging {
    fn pages(self) -> usize {
        self.total.div_ceil(self.per_page.max(1)).max(1)
    }
}

/// A table, ready to be written into a page: `{{ table }}`.
#[derive(Clone, Debug, Template)]
#[template(path = "layout/templates/table.html")]
pub struct Table {
    t: Locale,
    asked: Asked,
    id: &'static str,
    caption: String,
    caption_hidden: bool,
    columns: Vec<Column>,
    rows: Vec<Row>,
    query: Option<TableQuery>,
    filterable: bool,
    paging: Option<Paging>,
    csv: Option<String>,
    empty: Option<String>,
}

impl HtmlSafe for Table {}

impl Table {
    /// A table with its caption; `id` is unique in the page.
    pub fn new(asked: &Asked, id: &'static str, caption: impl Into<String>, columns: Vec<Column>) -> Self {
        Self {
            t: asked.t.clone(),
            asked: asked.clone(),
            id,
            caption: caption.into(),
            caption_hidden: false,
            columns,
            rows: Vec::new(),
            query: None,
            filterable: false,
            paging: None,
            csv: None,
            empty: None,
        }
    }

    /// The rows of this page. Panics if one has another number of cells than there are columns.
    #[must_use]
    pub fn rows(mut self, rows: Vec<Row>) -> Self {
        assert!(rows.iter().all(|row| row.cells.len() == self.columns.len()), "a cell for every column");
        self.rows = rows;
        self
    }

    /// Makes the heads of sortable columns links, and marks the order in force.
    #[must_use]
    pub fn sorted_by(mut self, query: &TableQuery) -> Self {
        self.query = Some(query.clone());
        self
    }

    /// Shows a filter box (after [`Table::sorted_by`]).
    #[must_use]
    pub fn filterable(mut self) -> Self {
        self.filterable = true;
        self
    }

    /// Shows how many rows there are, and links to the other pages (after [`Table::sorted_by`]).
    #[must_use]
    pub fn paged(mut self, paging: Paging) -> Self {
        self.paging = Some(paging);
        self
    }

    /// Links the same rows as CSV; `path` keeps language and day.
    #[must_use]
    pub fn csv(mut self, path: &str) -> Self {
        self.csv = Some(self.asked.query.only(|key| !key.ends_with("page")).on(path));
        self
    }

    /// What to say if there are no rows at all.
    #[must_use]
    pub fn when_empty(mut self, text: impl Into<String>) -> Self {
        self.empty = Some(text.into());
        self
    }

    /// Leaves out the heading above the table, where the page has one already; the caption stays for screen readers.
    #[must_use]
    pub fn with_hidden_caption(mut self) -> Self {
        self.caption_hidden = true;
        self
    }

    fn filter(&self) -> &str {
        self.query.as_ref().map_or("", |query| &query.filter)
    }

    /// What stands in place of rows.
    fn nothing(&self) -> String {
        match (self.filter(), &self.empty) {
            ("", Some(text)) => text.clone(),
            ("", None) => self.t.table_empty(),
            (filter, _) => self.t.table_no_match(filter),
        }
    }

    fn parameter(&self, name: &str) -> String {
        parameter(self.query.as_ref().map_or("", |query| query.prefix), name)
    }

    /// `ascending` or `descending` if the rows are in the order of this column.
    fn order(&self, column: &Column) -> Option<&'static str> {
        let sort = &self.query.as_ref()?.sort;
        (sort.key == column.key).then_some(if sort.descending { "descending" } else { "ascending" })
    }

    /// The link of a column's head: figures begin with the largest, text with the first; again turns it round.
    fn sort_href(&self, column: &Column) -> String {
        let next = self.next_sort(column).text();
        self.asked
            .query
            .with(&self.parameter("page"), "")
            .with(&self.parameter("sort"), &next)
            .on(&self.asked.path)
    }

    fn sort_label(&self, column: &Column) -> String {
        if self.next_sort(column).descending {
            self.t.table_sort_descending(&column.title)
        } else {
            self.t.table_sort_ascending(&column.title)
        }
    }

    fn next_sort(&self, column: &Column) -> Sort {
        let descending = match self.order(column) {
            None => column.numeric,
            Some(order) => order == "ascending",
        };
        Sort { key: column.key.to_owned(), descending }
    }

    fn has_link(&self, column: &Column) -> bool {
        column.sortable && self.query.is_some()
    }

    /// Parameters that the filter form carries on.
    fn kept_by_filter(&self) -> Vec<(String, String)> {
        let dropped = [self.parameter("q"), self.parameter("page")];
        self.asked.query.only(|key| !dropped.iter().any(|name| name == key)).pairs().to_vec()
    }

    fn without_filter(&self) -> String {
        self.asked.query.with(&self.parameter("q"), "").with(&self.parameter("page"), "").on(&self.asked.path)
    }

    fn page(&self) -> usize {
        self.query.as_ref().map_or(1, |query| query.page)
    }

    fn page_links(&self, pages: usize) -> Vec<(String, String)> {
        let page = self.page();
        let to = |number: usize| {
            let number = if number == 1 { String::new() } else { number.to_string() };
            self.asked.here_with(&self.parameter("page"), &number)
        };
        let mut links = Vec::new();
        if page > 1 {
            links.push((to(1), self.t.table_first()));
            links.push((to((page - 1).min(pages)), self.t.table_previous()));
        }
        if page < pages {
            links.push((to(page + 1), self.t.table_next()));
            links.push((to(pages), self.t.table_last()));
        }
        links
    }
}
