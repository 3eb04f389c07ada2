//! The beginning of a table: its delimiter, its headers, its tag row, and where everything stands.
//!
//! Looks at a bounded sample only, before the first row of figures is read.

use super::columns::{ColumnUse, HeaderMap, Layout, Meaning, understand};
use super::error::{ColumnAt, LayoutError};
use super::figure::Disaggregation;
use super::indicator::Indicator;
use super::reader::Limits;
use crate::hxl::{TAG_ROW_WITHIN, Tag, TagRow};
use crate::rows::{Rows, RowsError};

/// In order of preference, should two fit equally well.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// What a spreadsheet on some systems writes for a character that it cannot read, and we for bytes that are no UTF-8.
const REPLACEMENT: char = '\u{fffd}';

/// What the beginning of the file says.
struct Beginning {
    delimiter: u8,
    rows_above: usize,
    headers: Vec<String>,
    tags: Option<Vec<Option<Tag>>>,
}

/// Where each part of a figure is found in a row: columns from 0.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) date: Option<usize>,
    pub(crate) start_end: Option<(usize, usize)>,
    pub(crate) country_codes: Vec<usize>,
    pub(crate) country_names: Vec<usize>,
    /// Finer places first; a name before a code.
    pub(crate) within: Vec<Vec<usize>>,
    pub(crate) region: Option<usize>,
    pub(crate) values: Vec<(usize, Indicator, Disaggregation)>,
    pub(crate) code_value: Option<(usize, usize)>,
    pub(crate) groups: Vec<(String, usize)>,
    pub(crate) definition: Option<usize>,
    pub(crate) reason: Option<usize>,
    pub(crate) source: Option<usize>,
}

/// Understands the table from its first bytes.
pub(crate) fn read_layout(
    sample: &[u8],
    delimiter: Option<u8>,
    map: &HeaderMap,
    limits: &Limits,
) -> Result<(Layout, Plan), LayoutError> {
    let beginning = read_beginning(sample, delimiter, limits)?;
    let columns = understand(&beginning.headers, beginning.tags.as_deref(), map)?;
    let plan = Plan::new(&columns)?;
    let layout =
        Layout { delimiter: char::from(beginning.delimiter), rows_above: beginning.rows_above, columns };
    Ok((layout, plan))
}

fn read_beginning(sample: &[u8], delimiter: Option<u8>, limits: &Limits) -> Result<Beginning, LayoutError> {
    // UTF-16 begins so; as UTF-8 it would be one long unreadable row.
    if sample.starts_with(&[0xff, 0xfe]) || sample.starts_with(&[0xfe, 0xff]) {
        return Err(LayoutError::NotUtf8);
    }
    let candidates = delimiter.map_or(DELIMITERS.to_vec(), |delimiter| vec![delimiter]);
    let mut tables = Vec::new();
    let mut error = LayoutError::Empty;
    for delimiter in candidates {
        match first_rows(sample, delimiter, limits) {
            Ok(rows) if rows.is_empty() => {}
            Ok(rows) => tables.push((delimiter, rows)),
            Err(refused) => error = refused,
        }
    }
    if tables.is_empty() {
        return Err(error);
    }
    if let Some(tagged) = tagged_beginning(&tables)? {
        return Ok(tagged);
    }
    // Without tags the first row has the headers; the delimiter is the one that parts it most.
    let widest = tables.iter().map(|(_, rows)| rows[0].len()).max().unwrap_or_default();
    let (delimiter, rows) =
        tables.into_iter().find(|(_, rows)| rows[0].len() == widest).ok_or(LayoutError::Empty)?;
    let headers = rows.into_iter().next().unwrap_or_default();
    utf8(&headers)?;
    Ok(Beginning { delimiter, rows_above: 1, headers, tags: None })
}

fn tagged_beginning(tables: &[(u8, Vec<Vec<String>>)]) -> Result<Option<Beginning>, LayoutError> {
    let mut broken = None;
    for (delimiter, rows) in tables {
        for (at, row) in rows.iter().enumerate() {
            match TagRow::read(row.iter().map(String::as_str)) {
                TagRow::No => {}
                TagRow::Tags(tags) => {
                    let headers = at.checked_sub(1).map(|above| rows[above].clone()).unwrap_or_default();
                    utf8(&headers)?;
                    // Tags behind the last header count, headers behind the last tag are no columns of figures.
                    let headers = headers.into_iter().take(tags.len()).collect();
                    let beginning =
                        Beginning { delimiter: *delimiter, rows_above: at + 1, headers, tags: Some(tags) };
                    return Ok(Some(beginning));
                }
                TagRow::Broken { column, text, .. } => {
                    let column = ColumnAt { number: column + 1, header: String::new() };
                    broken.get_or_insert(LayoutError::TagInvalid { column, text });
                }
            }
        }
    }
    broken.map_or(Ok(None), Err)
}

fn utf8(cells: &[String]) -> Result<(), LayoutError> {
    if cells.iter().any(|cell| cell.contains(REPLACEMENT)) { Err(LayoutError::NotUtf8) } else { Ok(()) }
}

fn first_rows(sample: &[u8], delimiter: u8, limits: &Limits) -> Result<Vec<Vec<String>>, LayoutError> {
    let mut rows = Rows::new(sample, delimiter, limits.row_bytes, limits.columns);
    let mut found: Vec<Vec<String>> = Vec::new();
    while found.len() < TAG_ROW_WITHIN {
        match rows.advance() {
            Ok(true) => {
                found.push(rows.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect());
            }
            Err(RowsError::Io(kind)) => return Err(LayoutError::Io { kind: kind.to_string() }),
            Err(_) if found.is_empty() => return Err(LayoutError::Unreadable),
            // The sample may end anywhere, inside a quote too; the reader will come to a bad row, and name it.
            Ok(false) | Err(_) => break,
        }
    }
    Ok(found)
}

impl Plan {
    fn new(columns: &[ColumnUse]) -> Result<Plan, LayoutError> {
        let mut plan = Plan::default();
        let (mut start, mut end, mut code, mut value) = (None, None, None, None);
        let mut within: Vec<(u8, bool, usize)> = Vec::new();
        for (column, used) in columns.iter().enumerate() {
            match &used.meaning {
                Meaning::Date => plan.date = Some(column),
                Meaning::PeriodStart => start = Some(column),
                Meaning::PeriodEnd => end = Some(column),
                Meaning::CountryCode => plan.country_codes.push(column),
                Meaning::CountryName => plan.country_names.push(column),
                Meaning::Region => plan.region = Some(column),
                Meaning::Location => within.push((u8::MAX, false, column)),
                Meaning::Subdivision { level, code } => within.push((*level, *code, column)),
                Meaning::Values { indicator, disaggregation, .. } => {
                    plan.values.push((column, indicator.clone(), disaggregation.clone()));
                }
                Meaning::IndicatorCode => code = Some(column),
                Meaning::IndicatorValue => value = Some(column),
                Meaning::Group(name) => plan.groups.push((name.clone(), column)),
                Meaning::Definition => plan.definition = Some(column),
                Meaning::Reason => plan.reason = Some(column),
                Meaning::Source => plan.source = Some(column),
                Meaning::Unused => {}
            }
        }
        within.sort_by_key(|(level, is_code, _)| (u8::MAX - level, *is_code));
        for level in within.chunk_by(|a, b| a.0 == b.0) {
            plan.within.push(level.iter().map(|(_, _, column)| *column).collect());
        }
        plan.code_value = code.zip(value);
        plan.start_end = start.zip(end);
        match (plan.date, start, end) {
            (None, None, None) => return Err(LayoutError::NoDate),
            (None, None, Some(_)) | (None, Some(_), None) => return Err(LayoutError::HalfPeriod),
            _ => {}
        }
        if plan.values.is_empty() && plan.code_value.is_none() {
            return Err(LayoutError::NoIndicator);
        }
        Ok(plan)
    }

    /// Whether a row can say where its figures hold.
    pub(crate) fn has_place(&self) -> bool {
        let countries = self.country_codes.len() + self.country_names.len();
        countries + self.within.len() > 0 || self.region.is_some()
    }
}
