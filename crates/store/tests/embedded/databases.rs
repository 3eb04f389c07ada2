//! Cells, databases and sequencing in memory and on `SQLite`.

use std::sync::Arc;
use store::{Cells, Db, DbError, DbOptions, MemoryCells, SqlCells};

async fn sqlite(folder: &std::path::Path, name: &str) -> Db {
    let url = format!("sqlite:{}", folder.join(name).display());
    Db::connect(&url, DbOptions::default()).await.unwrap()
}

async fn temporary() -> Db {
    Db::connect("sqlite::memory:", DbOptions::default()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn cells_in_memory() {
    crate::suite::cells::all(Arc::new(MemoryCells::new())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cells_in_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let cells = SqlCells::open(sqlite(folder.path(), "state").await).await.unwrap();
    crate::suite::cells::all(Arc::new(cells)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cells_in_a_temporary_sqlite() {
    crate::suite::cells::all(Arc::new(SqlCells::open(temporary().await).await.unwrap())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_in_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    crate::suite::db::all(&sqlite(folder.path(), "index").await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_in_a_temporary_sqlite() {
    crate::suite::db::all(&temporary().await).await;
}

#[tokio::test]
async fn temporary_databases_are_apart() {
    let (one, two) = (temporary().await, temporary().await);
    one.run("create table only_in_one (a integer)", &[]).await.unwrap();
    assert!(two.rows("select a from only_in_one", &[]).await.is_err());
}

#[tokio::test]
async fn a_lease_in_memory() {
    crate::suite::lease::all(Arc::new(MemoryCells::new())).await;
}

#[tokio::test]
async fn a_lease_in_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let cells = SqlCells::open(sqlite(folder.path(), "state").await).await.unwrap();
    crate::suite::lease::all(Arc::new(cells)).await;
}

#[tokio::test]
async fn what_is_deleted_leaves_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let db = sqlite(folder.path(), "state").await;
    let cells = SqlCells::open(db.clone()).await.unwrap();
    let secret = b"passport E12345678".to_vec();
    assert!(cells.swap("draft", "a", None, Some(secret.clone())).await.unwrap());
    assert!(cells.swap("draft", "a", Some(secret.clone()), None).await.unwrap());
    assert!(db.checkpoint_truncate().await.unwrap());
    for file in ["state", "state-wal"] {
        let bytes = std::fs::read(folder.path().join(file)).unwrap();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret), "{file}");
    }
    db.close().await;
}

#[tokio::test]
async fn a_backup_is_a_database_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let cells = SqlCells::open(sqlite(folder.path(), "state").await).await.unwrap();
    assert!(cells.swap("s", "k", None, Some(b"kept".to_vec())).await.unwrap());
    let backup = folder.path().join("backup");
    cells.db().backup_to(&backup).await.unwrap();
    assert!(cells.swap("s", "k", Some(b"kept".to_vec()), None).await.unwrap());
    let restored = SqlCells::open(sqlite(folder.path(), "backup").await).await.unwrap();
    assert_eq!(restored.get("s", "k").await.unwrap(), Some(b"kept".to_vec()));
    cells.db().backup_to(&backup).await.unwrap_err();
}

#[tokio::test]
async fn a_url_of_another_kind_is_refused_without_being_repeated() {
    for url in ["", "sqlite:", "mysql://user:secret@host/db", "postgres", "state.db"] {
        let error = Db::connect(url, DbOptions::default()).await.unwrap_err();
        assert!(matches!(error, DbError::Url), "{url}");
        assert!(!error.to_string().contains("secret"));
    }
}

/// On a full disk `SQLite` rolls back by itself. Once there is room again, the next transaction is as any other.
#[tokio::test]
async fn a_full_disk_leaves_no_transaction_open() {
    let folder = tempfile::tempdir().unwrap();
    let db = sqlite(folder.path(), "state").await;
    db.run("create table t (a blob)", &[]).await.unwrap();
    db.run("pragma max_page_count = 20", &[]).await.unwrap();
    let mut tx = db.begin().await.unwrap();
    let large = vec![7_u8; 1 << 20];
    assert!(tx.run("insert into t (a) values ($1)", &[large.into()]).await.is_err());
    assert!(tx.commit().await.is_err() || db.rows("select a from t", &[]).await.unwrap().is_empty());
    db.run("pragma max_page_count = 100000", &[]).await.unwrap();
    let mut tx = db.begin().await.expect("no transaction is open");
    tx.run("insert into t (a) values ($1)", &[vec![7_u8; 10].into()]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(db.rows("select a from t", &[]).await.unwrap().len(), 1);
}

/// Who must know which file it is: of what was asked the driver's own words say nothing.
#[tokio::test]
async fn a_damaged_file_is_named_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("some.db");
    let url = format!("sqlite:{}", path.display());
    let options = |durable| store::DbOptions { durable, ..store::DbOptions::default() };
    let db = store::Db::connect(&url, options(true)).await.unwrap();
    db.run("create table t (k text primary key, v text not null)", &[]).await.unwrap();
    for n in 0..2000_i64 {
        db.run("insert into t (k, v) values ($1, 'some text that fills pages')", &[n.to_string().into()])
            .await
            .unwrap();
    }
    db.checkpoint_truncate().await.unwrap();
    db.close().await;
    let right = std::fs::read(&path).unwrap();
    for (from, what) in [(4096, "every page but the first"), (0, "all of it")] {
        let mut wrong = right.clone();
        wrong[from..].fill(0x55);
        std::fs::write(&path, wrong).unwrap();
        for (durable, code, word) in
            [(true, "db-damaged", "backup"), (false, "db-damaged-derived", "concord rebuild")]
        {
            let met = async {
                let db = store::Db::connect(&url, options(durable)).await?;
                db.rows("select k, v from t order by k", &[]).await
            };
            let error = met.await.expect_err(what);
            assert_eq!(error.code(), code, "{what}: {error}");
            let said = error.to_string();
            assert!(said.contains(path.to_str().unwrap()) && said.contains(word), "{said}");
        }
    }
}
