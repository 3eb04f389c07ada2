//! A transaction: several statements, all or none.

use super::value::{postgres_arguments, sqlite_arguments};
use super::{At, DbError, Dialect, Row, Sql, Value};
use sqlx::{Postgres, Sqlite, Transaction};
use std::collections::HashMap;
use std::sync::Arc;

/// The most values in one statement: far below what either database takes (32,766 and 65,535), and
/// enough that the way to the database costs little per row.
const MAX_VALUES: usize = 8_192;

/// The lock that servers hold while they change the schema of one database.
const MIGRATION_LOCK: i64 = 0x636f_6e63_6f72_6400;

/// What happens to a row whose key is already there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conflict<'k> {
    /// The old row stays.
    Ignore,
    /// The new row takes the place of the one with the same values in these columns, which must be a
    /// primary or unique key; of two new ones the later counts.
    Replace(&'k [&'k str]),
    /// The insert fails.
    Fail,
}

#[derive(Debug)]
enum Inner {
    Sqlite(Transaction<'static, Sqlite>, Arc<At>),
    Postgres(Transaction<'static, Postgres>),
}

/// A transaction. Dropped without `commit`, it changes nothing; and where one of its statements failed, neither does
/// `commit`, on either database.
#[derive(Debug)]
pub struct Tx {
    inner: Inner,
    has_failed: bool,
}

impl Tx {
    pub(super) fn sqlite(tx: Transaction<'static, Sqlite>, at: Arc<At>) -> Self {
        Self { inner: Inner::Sqlite(tx, at), has_failed: false }
    }

    pub(super) fn postgres(tx: Transaction<'static, Postgres>) -> Self {
        Self { inner: Inner::Postgres(tx), has_failed: false }
    }

    /// Which database it is on.
    pub fn dialect(&self) -> Dialect {
        match self.inner {
            Inner::Sqlite(..) => Dialect::Sqlite,
            Inner::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Runs one statement; answers how many rows it changed.
    pub async fn run(&mut self, sql: impl Into<Sql>, values: &[Value]) -> Result<u64, DbError> {
        let done = self.execute(sql.into(), values.iter()).await;
        self.noting_failure(done)
    }

    async fn execute<'v>(
        &mut self,
        sql: Sql,
        values: impl Iterator<Item = &'v Value> + Clone,
    ) -> Result<u64, DbError> {
        let sql = sql.into_safe();
        Ok(match &mut self.inner {
            Inner::Sqlite(tx, at) => {
                let done = sqlx::query_with(sql, sqlite_arguments(values)).execute(&mut **tx).await;
                done.map_err(|error| at.met(error))?.rows_affected()
            }
            Inner::Postgres(tx) => {
                sqlx::query_with(sql, postgres_arguments(values)?).execute(&mut **tx).await?.rows_affected()
            }
        })
    }

    /// The rows of a query, or of a statement with `returning`.
    pub async fn rows(&mut self, sql: impl Into<Sql>, values: &[Value]) -> Result<Vec<Row>, DbError> {
        let read = self.fetch(sql.into(), values).await;
        self.noting_failure(read)
    }

    async fn fetch(&mut self, sql: Sql, values: &[Value]) -> Result<Vec<Row>, DbError> {
        let sql = sql.into_safe();
        Ok(match &mut self.inner {
            Inner::Sqlite(tx, at) => {
                let rows = sqlx::query_with(sql, sqlite_arguments(values)).fetch_all(&mut **tx).await;
                rows.map_err(|error| at.met(error))?.into_iter().map(Row::Sqlite).collect()
            }
            Inner::Postgres(tx) => {
                let rows = sqlx::query_with(sql, postgres_arguments(values)?).fetch_all(&mut **tx).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    /// Runs several statements without values, separated by semicolons.
    pub(super) async fn script(&mut self, sql: Sql) -> Result<(), DbError> {
        let sql = sqlx::raw_sql(sql.into_safe());
        let done = match &mut self.inner {
            Inner::Sqlite(tx, at) => sql.execute(&mut **tx).await.map(drop).map_err(|error| at.met(error)),
            Inner::Postgres(tx) => sql.execute(&mut **tx).await.map(drop).map_err(DbError::from),
        };
        self.noting_failure(done)
    }

    fn noting_failure<T>(&mut self, done: Result<T, DbError>) -> Result<T, DbError> {
        self.has_failed |= done.is_err();
        done
    }

    /// Waits until no other server changes the schema; until the end of the transaction.
    pub(super) async fn lock_for_migration(&mut self) -> Result<(), DbError> {
        if self.dialect() == Dialect::Postgres {
            self.rows("select pg_advisory_xact_lock($1)", &[Value::Int(MIGRATION_LOCK)]).await?;
        }
        Ok(())
    }

    /// Inserts rows, many per statement; answers how many were inserted or replaced.
    pub async fn insert_many(
        &mut self,
        table: &str,
        columns: &[&str],
        rows: &[Vec<Value>],
        on_conflict: Conflict<'_>,
    ) -> Result<u64, DbError> {
        if let Some((row, found)) = rows.iter().map(Vec::len).enumerate().find(|(_, n)| *n != columns.len()) {
            return Err(DbError::Width { row, found, columns: columns.len() });
        }
        let rows = match on_conflict {
            Conflict::Replace(keys) => last_of_each(columns, rows, keys)?,
            _ => rows.iter().collect(),
        };
        let per_statement = (MAX_VALUES / columns.len().max(1)).max(1);
        let mut changed = 0;
        for chunk in rows.chunks(per_statement) {
            let sql = insert_sql(self.dialect(), table, columns, chunk.len(), on_conflict)?;
            let done = self.execute(sql, chunk.iter().flat_map(|row| row.iter())).await;
            changed += self.noting_failure(done)?;
        }
        Ok(changed)
    }

    /// Makes all changes durable.
    ///
    /// # Errors
    /// The database cannot, or a statement failed before: then nothing is changed.
    pub async fn commit(self) -> Result<(), DbError> {
        if self.has_failed {
            self.rollback().await?;
            return Err(DbError::Failed);
        }
        match self.inner {
            Inner::Sqlite(tx, at) => tx.commit().await.map_err(|error| at.met(error))?,
            Inner::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }

    /// Undoes all changes.
    pub async fn rollback(self) -> Result<(), DbError> {
        match self.inner {
            Inner::Sqlite(tx, at) => tx.rollback().await.map_err(|error| at.met(error))?,
            Inner::Postgres(tx) => tx.rollback().await?,
        }
        Ok(())
    }
}

fn insert_sql(
    dialect: Dialect,
    table: &str,
    columns: &[&str],
    rows: usize,
    conflict: Conflict<'_>,
) -> Result<Sql, DbError> {
    // SQLite keeps the pages that a statement of many rows changes, in a file of its own, to undo half of it. A transaction with
    // a failed statement is undone as a whole, so `or fail` spares that: most of what an import would write.
    let mut sql = Sql::from(match dialect {
        Dialect::Sqlite => "insert or fail into ",
        Dialect::Postgres => "insert into ",
    });
    sql.identifier(table)?.push(" (");
    list(&mut sql, columns)?;
    sql.push(") values ");
    for row in 0..rows {
        sql.push(if row == 0 { "(" } else { ", (" });
        match dialect {
            Dialect::Sqlite => sql.next_values(columns.len()),
            Dialect::Postgres => sql.placeholders(row * columns.len() + 1, columns.len()),
        };
        sql.push(")");
    }
    match conflict {
        Conflict::Fail => {}
        Conflict::Ignore => {
            sql.push(" on conflict do nothing");
        }
        Conflict::Replace(keys) => replace_clause(&mut sql, columns, keys)?,
    }
    Ok(sql)
}

fn replace_clause(sql: &mut Sql, columns: &[&str], keys: &[&str]) -> Result<(), DbError> {
    sql.push(" on conflict (");
    list(sql, keys)?;
    let others: Vec<&str> = columns.iter().copied().filter(|column| !keys.contains(column)).collect();
    if others.is_empty() {
        sql.push(") do nothing");
        return Ok(());
    }
    for (index, column) in others.iter().enumerate() {
        sql.push(if index == 0 { ") do update set " } else { ", " });
        sql.identifier(column)?.push(" = excluded.").identifier(column)?;
    }
    Ok(())
}

fn list(sql: &mut Sql, names: &[&str]) -> Result<(), DbError> {
    for (index, name) in names.iter().enumerate() {
        sql.push(if index == 0 { "" } else { ", " }).identifier(name)?;
    }
    Ok(())
}

/// Of the rows that share a key the last one, because `PostgreSQL` refuses to replace a row twice in one
/// statement and `SQLite` does not.
fn last_of_each<'r>(
    columns: &[&str],
    rows: &'r [Vec<Value>],
    keys: &[&str],
) -> Result<Vec<&'r Vec<Value>>, DbError> {
    let places: Option<Vec<usize>> =
        keys.iter().map(|key| columns.iter().position(|column| column == key)).collect();
    let places = places.filter(|places| !places.is_empty()).ok_or(DbError::ReplaceKeys)?;
    let mut found: HashMap<String, usize> = HashMap::new();
    let mut kept: Vec<&Vec<Value>> = Vec::with_capacity(rows.len());
    for row in rows {
        let key: Vec<Option<&Value>> = places.iter().map(|place| row.get(*place)).collect();
        let place = *found.entry(format!("{key:?}")).or_insert(kept.len());
        match kept.get_mut(place) {
            Some(earlier) => *earlier = row,
            None => kept.push(row),
        }
    }
    Ok(kept)
}
