//! From the cells of one row to figures, or to everything that is wrong with the row.
//!
//! Tables repeat themselves: the last date and every place that was looked up are remembered, within bounds, so that a
//! cell is understood once.

use std::collections::HashMap;
use std::io::Read;

use super::error::{ColumnAt, Problem, shown};
use super::figure::{DefinitionId, Disaggregation, Figure, FigureKey, Text};
use super::indicator::Indicator;
use super::layout::Plan;
use super::period::{Date, Period};
use super::reader::ReadOptions;
use super::value::{Value, ValueError};
use crate::places::{Iso3, Place};
use crate::rows::Rows;

/// How many different cells are remembered. More than there are countries, cruise ships and spellings of them.
const REMEMBERED: usize = 4_096;

/// What was wrong, and in which column from 0.
pub(crate) type Wrong = (Option<usize>, Problem);

pub(crate) struct Interpreter {
    plan: Plan,
    options: ReadOptions,
    columns: usize,
    day: (Vec<u8>, Option<Period>),
    codes: HashMap<Box<[u8]>, Iso3>,
    names: HashMap<Box<[u8]>, Place>,
    definition: (Vec<u8>, DefinitionId),
    source: (Vec<u8>, Option<Text>),
    reason: (Vec<u8>, Option<Text>),
}

/// What all figures of one row share.
struct Shared {
    place: Place,
    period: Period,
    definition: DefinitionId,
    groups: Disaggregation,
    reason: Option<Text>,
    source: Option<Text>,
}

/// Checks a value against what its indicator can be.
pub(crate) fn check_value(indicator: &Indicator, value: Value) -> Result<(), ValueRule> {
    if value.is_negative() && indicator.is_cumulative() {
        Err(ValueRule::Negative)
    } else if value.is_fractional() && indicator.counts_people() {
        Err(ValueRule::Fractional)
    } else {
        Ok(())
    }
}

/// Which rule a value breaks.
pub(crate) enum ValueRule {
    Negative,
    Fractional,
}

impl Interpreter {
    pub(crate) fn new(plan: Plan, options: ReadOptions, columns: usize) -> Interpreter {
        let definition = (Vec::new(), options.definition.clone());
        Interpreter {
            plan,
            options,
            columns,
            day: (Vec::new(), None),
            codes: HashMap::new(),
            names: HashMap::new(),
            definition,
            source: (Vec::new(), None),
            reason: (Vec::new(), None),
        }
    }

    /// Reads the row in hand. Figures are good only if nothing is wrong.
    pub(crate) fn row<R: Read>(&mut self, rows: &Rows<R>, wrong: &mut Vec<Wrong>) -> Vec<Figure> {
        let found = rows.len();
        if found < self.columns {
            wrong.push((None, Problem::CellsMissing { found, expected: self.columns }));
            return Vec::new();
        }
        if (self.columns..found).any(|column| !rows.cell(column).trim_ascii().is_empty()) {
            wrong.push((None, Problem::CellsExtra { found, expected: self.columns }));
            return Vec::new();
        }
        let shared = self.shared(rows, wrong);
        let mut figures = Vec::with_capacity(self.plan.values.len() + 1);
        for (column, indicator, own) in &self.plan.values {
            match self.value(rows, *column, indicator) {
                Ok(None) => {}
                Ok(Some(value)) => {
                    if let Some(shared) = &shared {
                        match shared.figure(indicator, own, value) {
                            Ok(figure) => figures.push(figure),
                            Err(problem) => wrong.push((Some(*column), problem)),
                        }
                    }
                }
                Err(problem) => wrong.push((Some(*column), problem)),
            }
        }
        if let Some((code, value)) = self.plan.code_value {
            match self.coded(rows, code, value) {
                Ok(None) => {}
                Ok(Some((indicator, value))) => {
                    if let Some(shared) = &shared {
                        figures.extend(shared.figure(&indicator, &Disaggregation::default(), value));
                    }
                }
                Err(it) => wrong.push(it),
            }
        }
        figures
    }

    fn shared<R: Read>(&mut self, rows: &Rows<R>, wrong: &mut Vec<Wrong>) -> Option<Shared> {
        // Every part is read before the first missing one gives up, so that all problems are told.
        let period = told(self.period(rows), wrong);
        let place = told(self.place(rows), wrong);
        let groups = told(self.groups(rows), wrong);
        let definition = told(self.definition(rows), wrong);
        let reason = told(self.text(rows, self.plan.reason, Which::Reason), wrong);
        let source = told(self.text(rows, self.plan.source, Which::Source), wrong);
        let source = source?.or_else(|| self.options.source.clone());
        Some(Shared {
            place: place?,
            period: period?,
            definition: definition?,
            groups: groups?,
            reason: reason?,
            source,
        })
    }

    fn cell<'a, R: Read>(&self, rows: &'a Rows<R>, column: usize) -> Result<&'a str, Wrong> {
        let cell = rows.cell(column);
        let limit = self.options.limits.field_bytes;
        if cell.len() > limit {
            return Err((Some(column), Problem::FieldTooLong { limit }));
        }
        std::str::from_utf8(cell).map(str::trim).map_err(|_| (Some(column), Problem::NotUtf8))
    }

    fn period<R: Read>(&mut self, rows: &Rows<R>) -> Result<Period, Wrong> {
        let order = self.options.dates;
        if let Some(column) = self.plan.date {
            if let (bytes, Some(period)) = &self.day
                && bytes == rows.cell(column)
            {
                return Ok(*period);
            }
            let text = self.cell(rows, column)?;
            if !text.is_empty() {
                let period = Period::read(text, order)
                    .map_err(|error| (Some(column), Problem::of_period(error, text)))?;
                self.day = (rows.cell(column).to_vec(), Some(period));
                return Ok(period);
            }
        }
        let Some((start, end)) = self.plan.start_end else {
            return Err((self.plan.date, Problem::DateMissing));
        };
        let date = |column| {
            let text = self.cell(rows, column)?;
            if text.is_empty() {
                return Err((Some(column), Problem::DateMissing));
            }
            Date::read(text, order).map_err(|error| (Some(column), Problem::of_period(error, text)))
        };
        let (from, to) = (date(start)?, date(end)?);
        Period::new(from, to)
            .map_err(|error| (Some(end), Problem::of_period(error, &format!("{from}..{to}"))))
    }

    fn place<R: Read>(&mut self, rows: &Rows<R>) -> Result<Place, Wrong> {
        let country = self.country(rows)?;
        let mut within: Option<(usize, String)> = None;
        for level in &self.plan.within {
            for column in level {
                let text = self.cell(rows, *column)?;
                if !text.is_empty() {
                    match &mut within {
                        None => within = Some((*column, text.to_owned())),
                        Some((_, finer)) => *finer = format!("{finer}, {text}"),
                    }
                    // A level's code says nothing that its name did not say.
                    break;
                }
            }
        }
        let around = match (country, self.plan.region) {
            (Some(country), _) => Some(country),
            (None, Some(region)) => match self.cell(rows, region)? {
                "" => None,
                text => Some(named(region, text)?),
            },
            (None, None) => None,
        };
        match (within, around) {
            (None, Some(around)) => Ok(around),
            (None, None) => self.options.place.clone().ok_or((None, Problem::PlaceMissing)),
            (Some((column, text)), None) => named(column, &text),
            (Some((column, text)), Some(Place::Country(code))) => named(column, &format!("{text}, {code}")),
            (Some((column, text)), Some(Place::Named(name))) => named(column, &format!("{text}, {name}")),
        }
    }

    /// The country that codes and names agree on, or the name as text if it is none and there is no code.
    fn country<R: Read>(&mut self, rows: &Rows<R>) -> Result<Option<Place>, Wrong> {
        let stated =
            |columns: &[usize]| columns.iter().copied().find(|c| !rows.cell(*c).trim_ascii().is_empty());
        let (code, name) = (stated(&self.plan.country_codes), stated(&self.plan.country_names));
        let code = match code {
            Some(column) => Some(self.code(rows, column)?),
            None => None,
        };
        let name = match name {
            Some(column) => Some((column, self.name(rows, column)?)),
            None => None,
        };
        match (code, name) {
            (Some(code), Some((column, Place::Country(named)))) if named != code => {
                let (code, name) = (code.to_string(), named.to_string());
                Err((Some(column), Problem::PlaceContradiction { code, name }))
            }
            (Some(code), _) => Ok(Some(Place::Country(code))),
            (None, Some((_, place))) => Ok(Some(place)),
            (None, None) => Ok(None),
        }
    }

    fn code<R: Read>(&mut self, rows: &Rows<R>, column: usize) -> Result<Iso3, Wrong> {
        let bytes = rows.cell(column);
        if let Some(code) = self.codes.get(bytes) {
            return Ok(*code);
        }
        let text = self.cell(rows, column)?;
        let unknown = || (Some(column), Problem::CountryCodeUnknown { text: shown(text) });
        let stated = || Iso3::new(text).filter(|_| self.options.any_code);
        let code = self.options.places.find_code(text).or_else(stated).ok_or_else(unknown)?;
        remember(&mut self.codes, bytes, code);
        Ok(code)
    }

    fn name<R: Read>(&mut self, rows: &Rows<R>, column: usize) -> Result<Place, Wrong> {
        let bytes = rows.cell(column);
        if let Some(place) = self.names.get(bytes) {
            return Ok(place.clone());
        }
        let text = self.cell(rows, column)?;
        let invalid = |_| (Some(column), Problem::PlaceInvalid { text: shown(text) });
        let place = self.options.places.place(text).map_err(invalid)?;
        remember(&mut self.names, bytes, place.clone());
        Ok(place)
    }

    fn groups<R: Read>(&self, rows: &Rows<R>) -> Result<Disaggregation, Wrong> {
        if self.plan.groups.is_empty() {
            return Ok(Disaggregation::default());
        }
        let mut pairs = Vec::with_capacity(self.plan.groups.len());
        for (name, column) in &self.plan.groups {
            let text = self.cell(rows, *column)?;
            if !text.is_empty() {
                Disaggregation::new([(name.as_str(), text)])
                    .map_err(|_| (Some(*column), Problem::DisaggregationInvalid { text: shown(text) }))?;
                pairs.push((name.as_str(), text));
            }
        }
        Disaggregation::new(pairs).map_err(|_| (None, Problem::DisaggregationInvalid { text: String::new() }))
    }

    fn definition<R: Read>(&mut self, rows: &Rows<R>) -> Result<DefinitionId, Wrong> {
        let Some(column) = self.plan.definition else {
            return Ok(self.options.definition.clone());
        };
        let bytes = rows.cell(column);
        if self.definition.0 != bytes {
            let definition = match self.cell(rows, column)? {
                "" => self.options.definition.clone(),
                text => DefinitionId::new(text)
                    .map_err(|_| (Some(column), Problem::DefinitionInvalid { text: shown(text) }))?,
            };
            self.definition = (bytes.to_vec(), definition);
        }
        Ok(self.definition.1.clone())
    }

    fn text<R: Read>(
        &mut self,
        rows: &Rows<R>,
        column: Option<usize>,
        which: Which,
    ) -> Result<Option<Text>, Wrong> {
        let Some(column) = column else {
            return Ok(None);
        };
        let bytes = rows.cell(column);
        let known = match which {
            Which::Reason => &self.reason,
            Which::Source => &self.source,
        };
        if known.0 == bytes {
            return Ok(known.1.clone());
        }
        let text = match self.cell(rows, column)? {
            "" => None,
            text => Some(Text::new(text).map_err(|_| (Some(column), Problem::TextInvalid))?),
        };
        let known = match which {
            Which::Reason => &mut self.reason,
            Which::Source => &mut self.source,
        };
        *known = (bytes.to_vec(), text.clone());
        Ok(text)
    }

    /// The value in a cell; nothing if nothing is stated there.
    fn value<R: Read>(
        &self,
        rows: &Rows<R>,
        column: usize,
        indicator: &Indicator,
    ) -> Result<Option<Value>, Problem> {
        let cell = rows.cell(column).trim_ascii();
        if cell.is_empty() || self.options.not_stated.iter().any(|word| word.as_bytes() == cell) {
            return Ok(None);
        }
        let text = || shown(&String::from_utf8_lossy(cell));
        let value = self.options.numerals.read(cell).map_err(|error| match error {
            ValueError::Negative => Problem::ValueNegative { text: text() },
            ValueError::Separated => Problem::ValueSeparated { text: text() },
            ValueError::NotANumber => Problem::ValueInvalid { text: text() },
            ValueError::TooLong => Problem::ValueTooLong { text: text() },
        })?;
        check_value(indicator, value).map_err(|rule| match rule {
            ValueRule::Negative => Problem::ValueNegative { text: text() },
            ValueRule::Fractional => Problem::ValueFractional { text: text() },
        })?;
        Ok(Some(value))
    }

    /// Indicator and value of a row that states one figure by its code.
    fn coded<R: Read>(
        &self,
        rows: &Rows<R>,
        code: usize,
        value: usize,
    ) -> Result<Option<(Indicator, Value)>, Wrong> {
        if rows.cell(value).trim_ascii().is_empty() {
            return Ok(None);
        }
        let text = self.cell(rows, code)?;
        if text.is_empty() {
            return Err((Some(code), Problem::IndicatorMissing));
        }
        let invalid = |_| (Some(code), Problem::IndicatorInvalid { text: shown(text) });
        let indicator = Indicator::new(text).map_err(invalid)?;
        let number = self.value(rows, value, &indicator).map_err(|problem| (Some(value), problem))?;
        Ok(number.map(|number| (indicator, number)))
    }
}

#[derive(Clone, Copy)]
enum Which {
    Reason,
    Source,
}

impl Shared {
    fn figure(&self, indicator: &Indicator, own: &Disaggregation, value: Value) -> Result<Figure, Problem> {
        let disaggregation = match (own.is_empty(), self.groups.is_empty()) {
            (true, _) => self.groups.clone(),
            (false, true) => own.clone(),
            (false, false) => Disaggregation::new(own.pairs().chain(self.groups.pairs()))
                .map_err(|_| Problem::DisaggregationInvalid { text: format!("{own},{}", self.groups) })?,
        };
        let key = FigureKey {
            place: self.place.clone(),
            period: self.period,
            definition: self.definition.clone(),
            disaggregation,
            indicator: indicator.clone(),
        };
        Ok(Figure { key, value, reason: self.reason.clone(), source: self.source.clone() })
    }
}

fn named(column: usize, text: &str) -> Result<Place, Wrong> {
    Place::named(text).map_err(|_| (Some(column), Problem::PlaceInvalid { text: shown(text) }))
}

fn told<T>(part: Result<T, Wrong>, wrong: &mut Vec<Wrong>) -> Option<T> {
    part.map_err(|it| wrong.push(it)).ok()
}

fn remember<T>(known: &mut HashMap<Box<[u8]>, T>, cell: &[u8], meaning: T) {
    if known.len() >= REMEMBERED {
        known.clear();
    }
    known.insert(cell.into(), meaning);
}

pub(crate) fn column_at(column: Option<usize>, columns: &[super::ColumnUse]) -> Option<ColumnAt> {
    column.and_then(|column| columns.get(column)).map(|column| column.at.clone())
}
