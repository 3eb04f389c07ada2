//! Cells, databases and the lease on a real `PostgreSQL` server, which `make test` starts.

#![allow(missing_docs)]

mod suite;

use std::sync::Arc;
use store::{Db, DbOptions, SqlCells};

/// A database of its own on the server. Each test has its own schema.
async fn postgres(schema: &'static str) -> Db {
    let url = std::env::var("CONCORD_TEST_POSTGRES").expect(
        "CONCORD_TEST_POSTGRES is not set: run `make test`, or \
         scripts/postgres-for-tests.sh run cargo test -p store --test postgres",
    );
    let options = DbOptions { schema: Some(schema), connections: 8, ..DbOptions::default() };
    let db = Db::connect(&url, options.clone()).await.unwrap();
    let mut drop_schema = store::Sql::from("drop schema ");
    drop_schema.identifier(schema).unwrap().push(" cascade");
    db.run(drop_schema, &[]).await.unwrap();
    Db::connect(&url, options).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_cells() {
    let cells = SqlCells::open(postgres("cells").await).await.unwrap();
    suite::cells::all(Arc::new(cells)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_database() {
    suite::db::all(&postgres("database").await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_lease() {
    let cells = SqlCells::open(postgres("lease").await).await.unwrap();
    suite::lease::all(Arc::new(cells)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_servers_that_start_together_migrate_once() {
    let db = postgres("together").await;
    let opened = (0..8).map(|_| tokio::spawn(SqlCells::open(db.clone())));
    for server in opened.collect::<Vec<_>>() {
        server.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn postgres_answers_after_the_commit_is_on_the_disk() {
    let rows = postgres("durable").await.rows("show synchronous_commit", &[]).await.unwrap();
    assert_eq!(rows[0].text(0).unwrap(), "on");
}
