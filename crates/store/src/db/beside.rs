//! A second database beside one, to be filled and then taken over whole: what is made anew stands beside what it
//! replaces, until all of it is there.

use super::{Db, DbError, DbOptions, Dialect, Pools, Sql, Tx, open_postgres, sqlite_file, sqlite_pools};
use sqlx::sqlite::SqliteSynchronous;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What the second one is called under `SQLite`, where it is attached.
const ATTACHED: &str = "beside";

impl Db {
    /// An empty database of the same sort, in a file or schema of its own. What is left of those that were begun before
    /// is removed. It need not be durable: it counts only once it is taken over.
    pub async fn beside(&self) -> Result<Self, DbError> {
        self.discard_beside().await?;
        let options = DbOptions { secure_delete: false, durable: false, ..DbOptions::default() };
        let pools = match &*self.pools {
            Pools::Sqlite { path, .. } => {
                // A name of its own: connections of one that was cut off may still be closing.
                let path = beside(path, NEXT.fetch_add(1, Ordering::Relaxed));
                let connect = sqlite_file(&path).synchronous(SqliteSynchronous::Off);
                sqlite_pools(connect, &path, &options, None).await?
            }
            Pools::Postgres { url, schema, .. } => {
                let schema = schema_beside(schema.as_deref());
                open_postgres(url, &options, Some(&schema)).await?
            }
        };
        Ok(Self { pools: Arc::new(pools) })
    }

    /// Replaces every row of every table by those of the database beside, in one transaction; then removes that
    /// one. Both have the same tables. If it breaks off, nothing has changed.
    pub async fn take_over(&self, beside: Self) -> Result<(), DbError> {
        if self.dialect() == Dialect::Sqlite {
            beside.checkpoint_truncate().await?;
            beside.close().await;
            self.attach(&beside).await?;
        }
        let copied = self.copy(&beside).await;
        if self.dialect() == Dialect::Sqlite {
            self.run("detach database beside", &[]).await?;
        }
        copied?;
        beside.close().await;
        self.discard_beside().await
    }

    /// Removes what is left of a database beside that was never taken over.
    pub async fn discard_beside(&self) -> Result<(), DbError> {
        match &*self.pools {
            Pools::Sqlite { path, .. } => {
                remove_beside(path).map_err(|error| DbError::Sqlx(sqlx::Error::Io(error)))
            }
            Pools::Postgres { schema, .. } => {
                let mut sql = Sql::from("drop schema if exists ");
                sql.identifier(&schema_beside(schema.as_deref()))?.push(" cascade");
                self.run(sql, &[]).await.map(drop)
            }
        }
    }

    async fn attach(&self, beside: &Self) -> Result<(), DbError> {
        let Pools::Sqlite { path, .. } = &*beside.pools else { return Ok(()) };
        let path = path.to_str().ok_or(DbError::BackupPath)?.to_owned();
        // One that was cut off while it was copied is still attached.
        let _ = self.run("detach database beside", &[]).await;
        self.run("attach database $1 as beside", &[path.into()]).await.map(drop)
    }

    async fn copy(&self, beside: &Self) -> Result<(), DbError> {
        let schema = match &*beside.pools {
            Pools::Sqlite { .. } => ATTACHED.to_owned(),
            Pools::Postgres { schema, .. } => schema.clone().unwrap_or_default(),
        };
        let mut tx = self.begin().await?;
        for table in tables(&mut tx).await? {
            let mut delete = Sql::from("delete from ");
            delete.identifier(&table)?;
            tx.run(delete, &[]).await?;
            let mut insert = Sql::from("insert into ");
            insert
                .identifier(&table)?
                .push(" select * from ")
                .identifier(&schema)?
                .push(".")
                .identifier(&table)?;
            tx.run(insert, &[]).await?;
        }
        tx.commit().await
    }
}

/// Every table but the one that says which migrations were applied.
async fn tables(tx: &mut Tx) -> Result<Vec<String>, DbError> {
    let sql = match tx.dialect() {
        Dialect::Sqlite => {
            "select name from main.sqlite_master where type = 'table' and name not like 'sqlite_%' and name <> 'migration'
             order by name"
        }
        Dialect::Postgres => {
            "select tablename from pg_tables where schemaname = current_schema() and tablename <> 'migration'
             order by tablename"
        }
    };
    tx.rows(sql, &[]).await?.iter().map(|row| row.text(0)).collect()
}

/// How many were begun by this process.
static NEXT: AtomicU64 = AtomicU64::new(0);

fn beside(path: &Path, number: u64) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!("{MARK}{number}"));
    beside.into()
}

/// What stands between the name of a database and the number of one beside it.
const MARK: &str = ".beside-";

/// Removes every file of every database beside one.
fn remove_beside(path: &Path) -> std::io::Result<()> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return Ok(());
    };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let is_beside = |file: &str| file.strip_prefix(name).is_some_and(|rest| rest.starts_with(MARK));
        if entry.file_name().to_str().is_some_and(is_beside) {
            match std::fs::remove_file(entry.path()) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
    }
    Ok(())
}

fn schema_beside(schema: Option<&str>) -> String {
    format!("{}_beside", schema.unwrap_or("public"))
}
