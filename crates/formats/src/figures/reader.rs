//! The streaming reader of a table of figures.
//!
//! Holds one row at a time. A row is read whole or refused whole; a refused row says everything that is wrong with it.

use std::collections::VecDeque;
use std::io::{Chain, Cursor, Read};

use super::columns::{HeaderMap, Layout};
use super::error::{LayoutError, Problem, RowError};
use super::figure::{DefinitionId, Figure, Text};
use super::interpret::{Interpreter, Wrong, column_at};
use super::layout::read_layout;
use super::period::DateOrder;
use super::value::Numerals;
use crate::places::{Place, PlaceNames};
use crate::rows::{Rows, RowsError};

/// How much of a table is looked at to understand it, in bytes.
const SAMPLE_BYTES: usize = 128 * 1024;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What a table may be, at most. Memory is bounded by these, whatever the file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one row.
    pub row_bytes: usize,
    /// Cells of one row.
    pub columns: usize,
    /// Bytes of one cell that is read as text.
    pub field_bytes: usize,
    /// Rows of figures.
    pub rows: u64,
    /// Figures in all rows.
    pub figures: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            row_bytes: 64 * 1024,
            columns: 1_024,
            field_bytes: 4_096,
            rows: 2_000_000,
            figures: 6_000_000,
        }
    }
}

/// How a table is to be read. The default refuses whatever can be read in two ways.
#[derive(Debug, Clone)]
pub struct ReadOptions {
    /// Names of places.
    pub places: PlaceNames,
    /// Take any code of three letters for a country without looking it up: its author did.
    pub any_code: bool,
    /// The order of day and month.
    pub dates: DateOrder,
    /// How numbers are written.
    pub numerals: Numerals,
    /// What parts the cells, if it is not to be found out.
    pub delimiter: Option<u8>,
    /// Which header stands for which tag.
    pub map: HeaderMap,
    /// Words that state nothing in a cell of values, such as `NA`. An empty cell always states nothing.
    pub not_stated: Vec<String>,
    /// The place of rows that name none.
    pub place: Option<Place>,
    /// The definition of rows that name none.
    pub definition: DefinitionId,
    /// The source of rows that name none.
    pub source: Option<Text>,
    /// Limits.
    pub limits: Limits,
}

impl Default for ReadOptions {
    fn default() -> ReadOptions {
        ReadOptions {
            places: PlaceNames::bundled(),
            any_code: false,
            dates: DateOrder::default(),
            numerals: Numerals::default(),
            delimiter: None,
            map: HeaderMap::default(),
            not_stated: Vec::new(),
            place: None,
            definition: DefinitionId::default(),
            source: None,
            limits: Limits::default(),
        }
    }
}

impl ReadOptions {
    /// For reading back what [`super::write_hxl`] wrote, here or on another node, and nothing else. What is read does not depend
    /// on this node's names: a code that only its author has declared stays a country.
    pub fn canonical(places: PlaceNames) -> ReadOptions {
        let numerals = Numerals { negative: true, ..Numerals::default() };
        ReadOptions { places, any_code: true, numerals, delimiter: Some(b','), ..ReadOptions::default() }
    }
}

/// One row that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The line on which it begins, from 1.
    pub number: u64,
    /// What it states: none, one or several figures.
    pub figures: Vec<Figure>,
}

/// Reads figures row by row. A row that is refused gives one error per problem, all with its number, and no [`Row`].
pub struct FigureReader<R> {
    rows: Rows<Chain<Cursor<Vec<u8>>, R>>,
    layout: Layout,
    interpreter: Interpreter,
    limits: Limits,
    read: u64,
    figures: u64,
    errors: VecDeque<RowError>,
    wrong: Vec<Wrong>,
    ended: bool,
}

impl<R: Read> FigureReader<R> {
    /// Looks at the beginning of the table and understands its columns.
    pub fn new(mut source: R, options: ReadOptions) -> Result<FigureReader<R>, LayoutError> {
        let mut sample = Vec::new();
        read_sample(&mut source, &mut sample)?;
        if sample.starts_with(BYTE_ORDER_MARK) {
            sample.drain(..BYTE_ORDER_MARK.len());
        }
        let limits = options.limits.clone();
        let (layout, plan) = read_layout(&sample, options.delimiter, &options.map, &limits)?;
        if options.place.is_none() && !plan.has_place() {
            return Err(LayoutError::NoPlace);
        }
        let delimiter = u8::try_from(layout.delimiter).unwrap_or(b',');
        let mut rows =
            Rows::new(Cursor::new(sample).chain(source), delimiter, limits.row_bytes, limits.columns);
        for _ in 0..layout.rows_above {
            rows.advance().map_err(|_| LayoutError::Unreadable)?;
        }
        let interpreter = Interpreter::new(plan, options, layout.columns.len());
        Ok(FigureReader {
            rows,
            layout,
            interpreter,
            limits,
            read: 0,
            figures: 0,
            errors: VecDeque::new(),
            wrong: Vec::new(),
            ended: false,
        })
    }

    /// How the table was understood.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    fn fatal(&mut self, problem: Problem) -> RowError {
        self.ended = true;
        RowError { row: self.rows.line(), column: None, problem }
    }

    fn next_row(&mut self) -> Option<Result<Row, RowError>> {
        loop {
            match self.rows.advance() {
                Ok(false) => {
                    self.ended = true;
                    return None;
                }
                Ok(true) if self.rows.is_blank() => {}
                Ok(true) => break,
                Err(error) => {
                    let problem = self.problem(&error);
                    return Some(Err(self.fatal(problem)));
                }
            }
        }
        self.read += 1;
        if self.read > self.limits.rows {
            return Some(Err(self.fatal(Problem::TooManyRows { limit: self.limits.rows })));
        }
        let number = self.rows.line();
        let figures = self.interpreter.row(&self.rows, &mut self.wrong);
        if self.wrong.is_empty() {
            self.figures += figures.len() as u64;
            if self.figures > self.limits.figures {
                return Some(Err(self.fatal(Problem::TooManyFigures { limit: self.limits.figures })));
            }
            return Some(Ok(Row { number, figures }));
        }
        let columns = &self.layout.columns;
        let errors = self.wrong.drain(..).map(|(column, problem)| RowError {
            row: number,
            column: column_at(column, columns),
            problem,
        });
        self.errors.extend(errors);
        self.errors.pop_front().map(Err)
    }

    fn problem(&self, error: &RowsError) -> Problem {
        match error {
            RowsError::TooLong => Problem::RowTooLong { limit: self.limits.row_bytes },
            RowsError::TooManyCells => Problem::TooManyColumns { limit: self.limits.columns },
            RowsError::QuoteNotClosed => Problem::QuoteNotClosed,
            RowsError::Io(kind) => Problem::Io { kind: kind.to_string() },
        }
    }
}

impl<R: Read> Iterator for FigureReader<R> {
    type Item = Result<Row, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(error) = self.errors.pop_front() {
            return Some(Err(error));
        }
        if self.ended { None } else { self.next_row() }
    }
}

/// Fills the sample from the source, as far as it goes.
fn read_sample<R: Read>(source: &mut R, sample: &mut Vec<u8>) -> Result<(), LayoutError> {
    let limit = u64::try_from(SAMPLE_BYTES).unwrap_or(u64::MAX);
    let read = source.take(limit).read_to_end(sample);
    read.map(|_| ()).map_err(|error| LayoutError::Io { kind: error.kind().to_string() })
}
