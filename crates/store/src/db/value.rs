//! Values that go into statements and rows that come out.

use super::DbError;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgArguments, PgRow, PgTypeInfo};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments, Decode, Encode, Postgres, Row as _, Sqlite, Type, TypeInfo, ValueRef};

/// A value of a statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// A whole number; the column must be `{bigint}` on `PostgreSQL`.
    Int(i64),
    /// A binary fraction.
    Real(f64),
    /// Text without NUL.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A truth value; 0 or 1 on `SQLite`.
    Bool(bool),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}
impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Int(i64::from(value))
    }
}
impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}
impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}
impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}
impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}
impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Self {
        Self::Bytes(value.to_vec())
    }
}
impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}
impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
impl TryFrom<u64> for Value {
    type Error = std::num::TryFromIntError;
    fn try_from(value: u64) -> Result<Self, Self::Error> {
        i64::try_from(value).map(Self::Int)
    }
}

/// A null whose type the server works out from the statement.
struct UntypedNull;

impl Type<Postgres> for UntypedNull {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(0))
    }
}

impl Encode<'_, Postgres> for UntypedNull {
    fn encode_by_ref(&self, _: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Ok(IsNull::Yes)
    }
}

pub(super) fn sqlite_arguments<'v>(values: impl IntoIterator<Item = &'v Value>) -> SqliteArguments {
    let values = values.into_iter();
    let mut arguments = SqliteArguments::default();
    arguments.reserve(values.size_hint().0, 0);
    for value in values {
        let added = match value {
            Value::Null => arguments.add(None::<i64>),
            Value::Int(value) => arguments.add(*value),
            Value::Real(value) => arguments.add(*value),
            Value::Text(value) => arguments.add(value.clone()),
            Value::Bytes(value) => arguments.add(value.clone()),
            Value::Bool(value) => arguments.add(*value),
        };
        debug_assert!(added.is_ok(), "these types always encode for SQLite");
    }
    arguments
}

pub(super) fn postgres_arguments<'v>(
    values: impl IntoIterator<Item = &'v Value>,
) -> Result<PgArguments, DbError> {
    let values = values.into_iter();
    let mut arguments = PgArguments::default();
    arguments.reserve(values.size_hint().0, 0);
    for (index, value) in values.enumerate() {
        let added = match value {
            Value::Null => arguments.add(UntypedNull),
            Value::Int(value) => arguments.add(*value),
            Value::Real(value) => arguments.add(*value),
            Value::Text(value) => arguments.add(value.as_str()),
            Value::Bytes(value) => arguments.add(value.as_slice()),
            Value::Bool(value) => arguments.add(*value),
        };
        added.map_err(|error| DbError::Value { index: index + 1, reason: error.to_string() })?;
    }
    Ok(arguments)
}

/// A row of an answer; columns are numbered from 0.
#[derive(Debug)]
pub enum Row {
    /// Of `SQLite`.
    #[doc(hidden)]
    Sqlite(SqliteRow),
    /// Of `PostgreSQL`.
    #[doc(hidden)]
    Postgres(PgRow),
}

impl Row {
    /// How many columns there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Sqlite(row) => row.len(),
            Self::Postgres(row) => row.len(),
        }
    }

    /// Whether there is no column.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A whole number, or null. (`PostgreSQL`'s `sum` of whole numbers is no whole number: cast it.)
    pub fn opt_int(&self, column: usize) -> Result<Option<i64>, DbError> {
        let found = match self {
            Self::Sqlite(row) => sqlite(row, column, &["INTEGER", "BOOLEAN"]),
            Self::Postgres(row) => match postgres_type(row, column).as_deref() {
                Some("INT8") => row.try_get(column).ok(),
                Some("INT4") => row.try_get(column).ok().map(|int: Option<i32>| int.map(i64::from)),
                Some("INT2") => row.try_get(column).ok().map(|int: Option<i16>| int.map(i64::from)),
                _ => None,
            },
        };
        found.ok_or(DbError::Column { column, expected: "whole number" })
    }

    /// A number, or null.
    pub fn opt_real(&self, column: usize) -> Result<Option<f64>, DbError> {
        let found = match self {
            Self::Sqlite(row) => sqlite(row, column, &["REAL", "INTEGER"]),
            Self::Postgres(row) => match postgres_type(row, column).as_deref() {
                Some("FLOAT4") => row.try_get(column).ok().map(|real: Option<f32>| real.map(f64::from)),
                _ => row.try_get(column).ok(),
            },
        };
        found.ok_or(DbError::Column { column, expected: "number" })
    }

    /// Text, or null.
    pub fn opt_text(&self, column: usize) -> Result<Option<String>, DbError> {
        let found = match self {
            Self::Sqlite(row) => sqlite(row, column, &["TEXT"]),
            Self::Postgres(row) => row.try_get(column).ok(),
        };
        found.ok_or(DbError::Column { column, expected: "text" })
    }

    /// Bytes, or null.
    pub fn opt_bytes(&self, column: usize) -> Result<Option<Vec<u8>>, DbError> {
        let found = match self {
            Self::Sqlite(row) => sqlite(row, column, &["BLOB"]),
            Self::Postgres(row) => row.try_get(column).ok(),
        };
        found.ok_or(DbError::Column { column, expected: "bytes" })
    }

    /// A truth value, or null.
    pub fn opt_bool(&self, column: usize) -> Result<Option<bool>, DbError> {
        let found = match self {
            Self::Sqlite(row) => sqlite(row, column, &["INTEGER", "BOOLEAN"]),
            Self::Postgres(row) => row.try_get(column).ok(),
        };
        found.ok_or(DbError::Column { column, expected: "truth value" })
    }

    /// A whole number.
    pub fn int(&self, column: usize) -> Result<i64, DbError> {
        self.opt_int(column)?.ok_or(DbError::Column { column, expected: "whole number" })
    }

    /// A whole number that is not negative.
    pub fn uint(&self, column: usize) -> Result<u64, DbError> {
        let expected = "whole number from 0";
        u64::try_from(self.int(column)?).map_err(|_| DbError::Column { column, expected })
    }

    /// A number.
    pub fn real(&self, column: usize) -> Result<f64, DbError> {
        self.opt_real(column)?.ok_or(DbError::Column { column, expected: "number" })
    }

    /// Text.
    pub fn text(&self, column: usize) -> Result<String, DbError> {
        self.opt_text(column)?.ok_or(DbError::Column { column, expected: "text" })
    }

    /// Bytes.
    pub fn bytes(&self, column: usize) -> Result<Vec<u8>, DbError> {
        self.opt_bytes(column)?.ok_or(DbError::Column { column, expected: "bytes" })
    }

    /// A truth value.
    pub fn bool(&self, column: usize) -> Result<bool, DbError> {
        self.opt_bool(column)?.ok_or(DbError::Column { column, expected: "truth value" })
    }
}

/// The value, or null, if it is stored as one of these types: `SQLite` types values, not columns, and would
/// turn any of them into any other.
#[expect(clippy::option_option, reason = "the outer one is a wrong type, the inner one null")]
fn sqlite<'r, T>(row: &'r SqliteRow, column: usize, types: &[&str]) -> Option<Option<T>>
where
    T: Decode<'r, Sqlite>,
{
    let raw = row.try_get_raw(column).ok()?;
    if raw.is_null() {
        return Some(None);
    }
    if !types.contains(&raw.type_info().name()) {
        return None;
    }
    T::decode(raw).ok().map(Some)
}

fn postgres_type(row: &PgRow, column: usize) -> Option<String> {
    row.try_get_raw(column).ok().map(|raw| raw.type_info().name().to_owned())
}
