//! SQL text: static, or put together from static parts, placeholders and checked identifiers.

use super::DbError;
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};
use std::borrow::Cow;
use std::fmt::Write;

/// SQL text that holds nothing from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sql(Cow<'static, str>);

impl From<&'static str> for Sql {
    fn from(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl Sql {
    /// Adds a static part.
    pub fn push(&mut self, part: &'static str) -> &mut Self {
        self.0.to_mut().push_str(part);
        self
    }

    /// Adds another text, which is made of the same kinds of parts.
    pub fn append(&mut self, other: &Sql) -> &mut Self {
        self.0.to_mut().push_str(&other.0);
        self
    }

    /// Adds the placeholder `$number` (from 1).
    pub fn placeholder(&mut self, number: usize) -> &mut Self {
        self.write(format_args!("${number}"))
    }

    /// Adds `count` placeholders from `$first`, with commas between them: the inside of `in (...)`.
    pub fn placeholders(&mut self, first: usize, count: usize) -> &mut Self {
        for number in first..first + count {
            let comma = if number == first { "" } else { ", " };
            self.write(format_args!("{comma}${number}"));
        }
        self
    }

    /// Adds `?, ?`: so many of the next values, in their order. Only `SQLite` takes them; it finds a numbered one
    /// by walking over all, which makes thousands of them slow.
    pub(super) fn next_values(&mut self, count: usize) -> &mut Self {
        for number in 0..count {
            self.push(if number == 0 { "?" } else { ", ?" });
        }
        self
    }

    /// Adds the name of a table or column.
    pub fn identifier(&mut self, name: &str) -> Result<&mut Self, DbError> {
        check_identifier(name)?;
        Ok(self.write(format_args!("\"{name}\"")))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn write(&mut self, part: std::fmt::Arguments<'_>) -> &mut Self {
        // Writing to a string cannot fail.
        let _ = self.0.to_mut().write_fmt(part);
        self
    }

    /// The text as the driver wants it. Sound because only the methods above make it.
    pub(super) fn into_safe(self) -> SqlStr {
        match self.0 {
            Cow::Borrowed(text) => text.into_sql_str(),
            Cow::Owned(text) => AssertSqlSafe(text).into_sql_str(),
        }
    }

    /// Text of a migration, whose parts are static and whose tokens are replaced by us.
    pub(super) fn of_migration(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}

/// Refuses what is no plain lower-case name.
pub(super) fn check_identifier(name: &str) -> Result<(), DbError> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let begins = name.bytes().next().is_some_and(|byte| !byte.is_ascii_digit());
    if begins && name.len() <= 63 && name.bytes().all(plain) {
        Ok(())
    } else {
        Err(DbError::Identifier { name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_put_together_from_static_parts() {
        let mut sql = Sql::from("select value from ");
        sql.identifier("cell").unwrap().push(" where key in (").placeholders(2, 3).push(") and space = ");
        sql.placeholder(1);
        assert_eq!(sql.as_str(), "select value from \"cell\" where key in ($2, $3, $4) and space = $1");
    }

    #[test]
    fn a_name_that_could_be_more_than_a_name_is_refused() {
        for name in ["", "1a", "a b", "a\"", "a;drop", "Ä", "A"] {
            assert!(matches!(Sql::from("").identifier(name), Err(DbError::Identifier { .. })), "{name}");
        }
    }
}
