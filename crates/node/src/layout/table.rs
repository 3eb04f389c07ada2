//! Tables: sorting, filtering and paging by links and forms, without script.
//!
//! A list that is in memory is a [`Table::list`]: it sorts, filters and pages itself, and all of it can be taken
//! away by `?csv=<id>`. Where a database sorts, filters and cuts, the desk reads [`TableQuery`] and hands the rows of
//! one page to [`Table::new`].

use super::{Asked, Csv, Key, Markup, Problem};
use crate::i18n::{Count, Locale};
use askama::Template;
use askama::filters::HtmlSafe;
use std::borrow::Cow;

/// Rows on a page, where the desk has no reason for another number.
pub const ROWS_PER_PAGE: usize = 50;
/// A list with fewer rows is read faster than it is filtered.
const FILTERED_FROM: usize = 10;
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

/// Keeps what the filter finds, in the order asked for; equal ones stay in the order given.
fn arrange(rows: &mut Vec<Row>, columns: &[Column], query: &TableQuery) {
    let filter = query.filter.to_lowercase();
    if !filter.is_empty() {
        rows.retain(|row| row.cells.iter().any(|cell| cell.holds(&filter)));
    }
    let Some(place) = columns.iter().position(|column| column.key == query.sort.key) else { return };
    rows.sort_by(|one, other| {
        let order = one.cells[place].key.compare(&other.cells[place].key);
        if query.sort.descending { order.reverse() } else { order }
    });
}

fn parameter(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") }
}

/// A column's head.
#[derive(Clone, Debug)]
pub struct Column {
    key: Cow<'static, str>,
    title: String,
    numeric: bool,
    sortable: bool,
    file_only: bool,
}

impl Column {
    /// A column of text; `key` names it in `?sort=` and in files.
    pub fn new(key: impl Into<Cow<'static, str>>, title: impl Into<String>) -> Self {
        Self { key: key.into(), title: title.into(), numeric: false, sortable: false, file_only: false }
    }

    /// A column that stands in files alone: what is exact, and too long to be read beside the others.
    pub fn file_only(key: impl Into<Cow<'static, str>>) -> Self {
        Self { key: key.into(), title: String::new(), numeric: false, sortable: false, file_only: true }
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
pub struct Cell {
    shown: Markup,
    key: Key,
}

impl Cell {
    /// Text.
    pub fn text(text: impl AsRef<str>) -> Self {
        Self { shown: Markup::text(text.as_ref()), key: Key::text(text.as_ref()) }
    }

    /// A whole number, as the reader's language groups it.
    pub fn number(t: &Locale, number: impl Count) -> Self {
        let key = match number.value() {
            crate::i18n::Value::Number(whole) => Key::whole(whole),
            crate::i18n::Value::Text(text) => Key::text(text),
        };
        Self { shown: Markup::text(t.number(number)), key }
    }

    /// A link.
    pub fn link(href: &str, text: &str) -> Self {
        Self { shown: Markup::link(href, text), key: Key::text(text) }
    }

    /// A moment in seconds since 1970, in the reader's zone.
    pub fn moment(t: &Locale, second: i64) -> Self {
        let at = jiff::Timestamp::from_second(second).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        Self { shown: t.moment(at), key: Key::moment(second) }
    }

    /// Where nothing is known: a dash, which is not a zero.
    pub fn unknown() -> Self {
        Self { shown: Markup::text("–"), key: Key::nothing() }
    }

    /// Sorted and taken away by something else than what is seen: the whole of a hash, the number behind a text.
    #[must_use]
    pub fn keyed(mut self, key: Key) -> Self {
        self.key = key;
        self
    }

    /// What it is sorted and taken away by.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Whether a filter, in lower case, finds it: in what is seen or in what a file has.
    fn holds(&self, filter: &str) -> bool {
        [self.shown.plain(), self.key.as_str().to_owned()]
            .iter()
            .any(|text| text.to_lowercase().contains(filter))
    }
}

impl From<Markup> for Cell {
    fn from(shown: Markup) -> Self {
        let key = Key::seen(&shown);
        Self { shown, key }
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
    stacked: bool,
    all: Vec<Row>,
}

impl HtmlSafe for Table {}

/// A page with lists in memory, each of which can be taken away as a file.
pub trait Lists {
    /// The lists, by their ids.
    fn lists(&self) -> Vec<&Table>;
}

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
            stacked: false,
            all: Vec::new(),
        }
    }

    /// A list that is in memory: sorted, filtered and cut as the reader asks, by parameters that begin with `id`. Every
    /// column with a title can be sorted by; without a wish the order is the one given. In a narrow window each row
    /// is a block of its own, where nothing is moved sideways.
    ///
    /// # Errors
    /// An order by a column that it does not have.
    pub fn list(
        asked: &Asked,
        id: &'static str,
        caption: impl Into<String>,
        mut columns: Vec<Column>,
        rows: Vec<Row>,
    ) -> Result<Self, Problem> {
        let sortable: Vec<&str> =
            columns.iter().filter(|column| !column.title.is_empty()).map(|column| &*column.key).collect();
        let query = TableQuery::read(asked, id, &sortable, Sort::ascending(""))?;
        for column in &mut columns {
            column.sortable = rows.len() > 2 && !column.title.is_empty();
        }
        let total = rows.len();
        let mut table = Self::new(asked, id, caption, columns).rows(rows);
        let mut all = std::mem::take(&mut table.rows);
        arrange(&mut all, &table.columns, &query);
        let paging = Paging { total: all.len(), per_page: ROWS_PER_PAGE };
        table.rows = query.cut(all.iter().cloned(), ROWS_PER_PAGE);
        table.filterable = total > FILTERED_FROM || !query.filter.is_empty();
        table.paging = (all.len() > FILTERED_FROM).then_some(paging);
        table.csv = (total > 0)
            .then(|| asked.query.only(|key| !key.ends_with("page")).with("csv", id).on(&asked.path));
        table.query = Some(query);
        table.stacked = true;
        table.all = all;
        Ok(table)
    }

    /// Its id, by which `?csv=` asks for it.
    pub fn id(&self) -> &'static str {
        self.id
    }

    /// A [`Table::list`] as a file: all of its rows that the filter leaves, in the order asked for. Columns without a
    /// title are for acting, not for reading, and are left out.
    pub fn to_csv(&self) -> Vec<u8> {
        let named: Vec<(usize, &str)> = self
            .columns
            .iter()
            .enumerate()
            .filter(|(_, column)| column.file_only || !column.title.is_empty())
            .map(|(place, column)| (place, &*column.key))
            .collect();
        let heads: Vec<&str> = named.iter().map(|(_, name)| *name).collect();
        let mut csv = Csv::new(&heads);
        for row in &self.all {
            csv.row(named.iter().map(|(place, _)| row.cells[*place].key.as_str().to_owned()));
        }
        csv.finish()
    }

    /// In a narrow window each row is a block of its own, with the heads beside its values.
    #[must_use]
    pub fn stacked(mut self) -> Self {
        self.stacked = true;
        self
    }

    /// Values are compared down a column: rows stay rows in a narrow window, and the table is moved sideways.
    #[must_use]
    pub fn in_columns(mut self) -> Self {
        self.stacked = false;
        self
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

    /// Links the list `id` of another page, of which this table has the beginning.
    #[must_use]
    pub fn csv_of(mut self, path: &str, id: &str) -> Self {
        self.csv = Some(self.asked.href_with(path, &[("csv", id)]));
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
        Sort { key: column.key.clone().into_owned(), descending }
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
