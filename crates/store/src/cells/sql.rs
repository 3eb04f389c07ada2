//! Cells in a table of SQLite or PostgreSQL.

use super::{Cells, CellsError, Swap, in_order};
use crate::db::{Db, DbError, Migration, Tx, Value};
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
        let mut tx = self.db.begin_serializable().await?;
        for swap in swaps {
            if !change(&mut tx, swap).await? {
                tx.rollback().await?;
                return Ok(false);
            }
        }
        tx.commit().await?;
        Ok(true)
    }
}

async fn change(tx: &mut Tx, swap: &Swap) -> Result<bool, DbError> {
    let name = [Value::from(swap.space.as_str()), Value::from(swap.key.as_str())];
    let [space, key] = name.clone();
    let changed = match (&swap.old, &swap.new) {
        (None, None) => {
            let found = tx.rows("select 1 from cell where space = $1 and key = $2", &name).await?;
            return Ok(found.is_empty());
        }
        (None, Some(new)) => {
            let sql = "insert into cell (space, key, value) values ($1, $2, $3) on conflict do nothing";
            tx.run(sql, &[space, key, Value::from(new.as_slice())]).await?
        }
        (Some(old), None) => {
            let sql = "delete from cell where space = $1 and key = $2 and value = $3";
            tx.run(sql, &[space, key, Value::from(old.as_slice())]).await?
        }
        (Some(old), Some(new)) => {
            let sql = "update cell set value = $4 where space = $1 and key = $2 and value = $3";
            tx.run(sql, &[space, key, Value::from(old.as_slice()), Value::from(new.as_slice())]).await?
        }
    };
    Ok(changed == 1)
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
