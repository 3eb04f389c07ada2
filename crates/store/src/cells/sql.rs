//! Cells in a table of `SQLite` or `PostgreSQL`.

use super::{Cells, CellsError, Swap, in_order};
use crate::db::{Conflict, Db, DbError, Migration, Sql, Tx, Value};
use async_trait::async_trait;

const MIGRATIONS: &[Migration] = &[Migration {
    name: "store/1-cells",
    sql: "create table cell (
        space {key} not null,
        key {key} not null,
        value {bytes} not null,
        primary key (space, key)
    )",
}];

/// Attempts at a change before a database that keeps answering "try again" is an error.
const MAX_ATTEMPTS: usize = 32;

const UPDATE: &str = "update cell set value = $4 where space = $1 and key = $2 and value = $3";
/// Cells per statement.
const ROWS: usize = 256;

/// Cells in the table `cell` of a database.
#[derive(Clone)]
pub struct SqlCells {
    db: Db,
}

impl SqlCells {
    /// Makes the table if it is not there.
    pub async fn open(db: Db) -> Result<Self, DbError> {
        db.migrate(MIGRATIONS).await?;
        Ok(Self { db })
    }

    /// The database that holds the cells.
    pub fn db(&self) -> &Db {
        &self.db
    }

    async fn attempt(&self, swaps: &[&Swap]) -> Result<bool, DbError> {
        // One statement is atomic by itself, and one way to the database instead of three.
        if let [swap] = swaps
            && let Some((sql, values)) = statement(swap)
        {
            return Ok(self.db.run(sql, &values).await? == 1);
        }
        let mut tx = self.db.begin_serializable().await?;
        if change(&mut tx, swaps).await? {
            tx.commit().await?;
            Ok(true)
        } else {
            tx.rollback().await?;
            Ok(false)
        }
    }
}

/// The statement that changes one cell; `None` for one that must be as it is and stay so.
fn statement(swap: &Swap) -> Option<(&'static str, Vec<Value>)> {
    let sql = match (&swap.old, &swap.new) {
        (None, None) => return None,
        (Some(old), Some(new)) if old == new => return None,
        (None, Some(_)) => "insert into cell (space, key, value) values ($1, $2, $3) on conflict do nothing",
        (Some(_), None) => "delete from cell where space = $1 and key = $2 and value = $3",
        (Some(_), Some(_)) => UPDATE,
    };
    Some((sql, values(swap)))
}

/// Space, key, and what is there of the old and the new value.
fn values(swap: &Swap) -> Vec<Value> {
    let mut values = vec![Value::from(swap.space.as_str()), Value::from(swap.key.as_str())];
    values.extend(swap.old.as_deref().map(Value::from));
    values.extend(swap.new.as_deref().map(Value::from));
    values
}

/// Makes all changes, or finds one that cannot be made. Cells of one kind of change share statements.
async fn change(tx: &mut Tx, swaps: &[&Swap]) -> Result<bool, DbError> {
    let (mut absent, mut held, mut inserts) = (vec![], vec![], vec![]);
    let (mut deletes, mut updates) = (vec![], vec![]);
    for swap in swaps {
        let row = values(swap);
        match (&swap.old, &swap.new) {
            (None, None) => absent.push(row),
            // Only read, so that changes which all demand the same cell do not wait for each other.
            (Some(old), Some(new)) if old == new => held.push(row),
            (None, Some(_)) => inserts.push(row),
            (Some(_), None) => deletes.push(row),
            (Some(_), Some(_)) => updates.push(row),
        }
    }
    // The head of a log is an update: a lost swap is found before anything else is written.
    for row in &updates {
        if tx.run(UPDATE, row).await? != 1 {
            return Ok(false);
        }
    }
    for row in &held {
        let sql = "select 1 from cell where space = $1 and key = $2 and value = $3";
        if tx.rows(sql, row.get(..3).unwrap_or(row)).await?.is_empty() {
            return Ok(false);
        }
    }
    for rows in absent.chunks(ROWS) {
        let sql = tuples("select 1 from cell where (space, key) in (values ", 2, rows.len(), ") limit 1");
        if !tx.rows(sql, &rows.concat()).await?.is_empty() {
            return Ok(false);
        }
    }
    for rows in deletes.chunks(ROWS) {
        let sql = tuples("delete from cell where (space, key, value) in (values ", 3, rows.len(), ")");
        if tx.run(sql, &rows.concat()).await? != rows.len() as u64 {
            return Ok(false);
        }
    }
    let columns = ["space", "key", "value"];
    let inserted = tx.insert_many("cell", &columns, &inserts, Conflict::Ignore).await?;
    Ok(inserted == inserts.len() as u64)
}

/// `($1, $2), ($3, $4)` between two parts of a statement.
fn tuples(before: &'static str, width: usize, count: usize, after: &'static str) -> Sql {
    let mut sql = Sql::from(before);
    for row in 0..count {
        sql.push(if row == 0 { "(" } else { ", (" });
        sql.placeholders(row * width + 1, width).push(")");
    }
    sql.push(after);
    sql
}

#[async_trait]
impl Cells for SqlCells {
    async fn get(&self, space: &str, key: &str) -> Result<Option<Vec<u8>>, CellsError> {
        let sql = "select value from cell where space = $1 and key = $2";
        let rows = self.db.rows(sql, &[Value::from(space), Value::from(key)]).await?;
        Ok(rows.first().map(|row| row.bytes(0)).transpose()?)
    }

    async fn swap_all(&self, swaps: &[Swap]) -> Result<bool, CellsError> {
        let ordered = in_order(swaps)?;
        for _ in 1..MAX_ATTEMPTS {
            match self.attempt(&ordered).await {
                Err(error) if error.is_retryable() => tokio::task::yield_now().await,
                other => return Ok(other?),
            }
        }
        Ok(self.attempt(&ordered).await?)
    }

    async fn scan(
        &self,
        space: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Vec<u8>)>, CellsError> {
        // No key holds a character above this one, so it closes the range of the prefix.
        let end = format!("{prefix}\u{10ffff}");
        let sql = "select key, value from cell
            where space = $1 and key >= $2 and key <= $3 and key > $4 order by key limit $5";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let values = [
            Value::from(space),
            Value::from(prefix),
            Value::from(end),
            Value::from(after.unwrap_or("")),
            Value::Int(limit),
        ];
        let rows = self.db.rows(sql, &values).await?;
        Ok(rows.iter().map(|row| Ok((row.text(0)?, row.bytes(1)?))).collect::<Result<_, DbError>>()?)
    }
}
