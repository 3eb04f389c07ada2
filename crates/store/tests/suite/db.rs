//! The contract of a database.

use store::{Conflict, Db, DbError, Migration, Value};

const FIRST: Migration = Migration {
    name: "suite/1",
    sql: "create table sample (
        id {serial},
        name {key} not null unique,
        amount {bigint},
        part {real},
        content {bytes},
        flag {bool}
    );
    create table pair (a {key} not null, b {bigint} not null, note text, primary key (a, b))",
};
const SECOND: Migration =
    Migration { name: "suite/2", sql: "alter table sample add column added {bigint} not null default 5" };

pub async fn all(db: &Db) {
    migrations(db).await;
    values(db).await;
    many(db).await;
    conflicts(db).await;
    transactions(db).await;
    typed_errors(db).await;
    forgetting(db).await;
}

async fn migrations(db: &Db) {
    db.migrate(&[FIRST]).await.unwrap();
    db.migrate(&[FIRST, SECOND]).await.unwrap();
    db.migrate(&[FIRST, SECOND]).await.unwrap();
    let changed = Migration { name: "suite/1", sql: "create table other (a {bigint})" };
    // On the disk of this machine it is what a disk does, too: the file is named, and what to do.
    assert!(matches!(
        db.migrate(&[changed]).await,
        Err(DbError::MigrationChanged { .. } | DbError::Damaged { .. } | DbError::DamagedDerived { .. })
    ));
    assert!(matches!(db.migrate(&[FIRST, FIRST]).await, Err(DbError::MigrationTwice { .. })));
    let broken = Migration { name: "suite/3", sql: "create table half (a {bigint}); create nonsense" };
    db.migrate(&[broken]).await.unwrap_err();
    assert!(db.rows("select a from half", &[]).await.is_err(), "a migration is applied whole or not at all");
}

async fn values(db: &Db) {
    let insert = "insert into sample (name, amount, part, content, flag) values ($1, $2, $3, $4, $5)";
    let full = ["full".into(), Value::Int(i64::MAX), 0.5.into(), vec![0_u8, 255].into(), true.into()];
    assert_eq!(db.run(insert, &full).await.unwrap(), 1);
    // The same statement with nulls, whose types only the table knows.
    let empty = ["empty".into(), Value::Null, Value::Null, Value::Null, Value::Null];
    assert_eq!(db.run(insert, &empty).await.unwrap(), 1);
    let select = "select name, amount, part, content, flag, added from sample where name = $1";
    let rows = db.rows(select, &["full".into()]).await.unwrap();
    let [row] = rows.as_slice() else { panic!("one row") };
    assert_eq!(row.text(0).unwrap(), "full");
    assert_eq!(row.int(1).unwrap(), i64::MAX);
    assert!((row.real(2).unwrap() - 0.5).abs() < f64::EPSILON);
    assert_eq!(row.bytes(3).unwrap(), [0, 255]);
    assert!(row.bool(4).unwrap());
    assert_eq!(row.uint(5).unwrap(), 5);
    let rows = db.rows(select, &["empty".into()]).await.unwrap();
    let [row] = rows.as_slice() else { panic!("one row") };
    assert_eq!(row.opt_int(1).unwrap(), None);
    assert_eq!(row.opt_real(2).unwrap(), None);
    assert_eq!(row.opt_bytes(3).unwrap(), None);
    assert_eq!(row.opt_bool(4).unwrap(), None);
    // A null before any value of its column was seen, and a limit.
    let sql = "select count(*) from sample where amount is not distinct from $1 limit $2";
    let rows = db.rows(sql, &[Value::Null, Value::Int(3)]).await.unwrap();
    assert_eq!(rows[0].int(0).unwrap(), 1);
    let delete = "delete from sample where name = $1 returning id";
    let returned = db.run_returning(delete, &["empty".into()]).await.unwrap();
    assert!(returned[0].int(0).unwrap() > 0);
}

async fn many(db: &Db) {
    let rows: Vec<Vec<Value>> =
        (0..20_000).map(|n| vec!["many".into(), Value::Int(n), format!("n{n}").into()]).collect();
    let mut tx = db.begin().await.unwrap();
    let inserted = tx.insert_many("pair", &["a", "b", "note"], &rows, Conflict::Fail).await.unwrap();
    assert_eq!(inserted, 20_000);
    assert_eq!(tx.insert_many("pair", &["a", "b"], &[], Conflict::Fail).await.unwrap(), 0);
    tx.commit().await.unwrap();
    let sql = "select count(*), min(note), max(b) from pair where a = $1";
    let rows = db.rows(sql, &["many".into()]).await.unwrap();
    assert_eq!((rows[0].int(0).unwrap(), rows[0].int(2).unwrap()), (20_000, 19_999));
    assert_eq!(rows[0].text(1).unwrap(), "n0");
}

async fn conflicts(db: &Db) {
    let columns = ["a", "b", "note"];
    let row = |b: i64, note: &str| vec![Value::from("conflict"), Value::Int(b), note.into()];
    let notes = || async {
        let rows =
            db.rows("select note from pair where a = $1 order by b", &["conflict".into()]).await.unwrap();
        rows.iter().map(|row| row.text(0).unwrap()).collect::<Vec<_>>()
    };
    let mut tx = db.begin().await.unwrap();
    tx.insert_many("pair", &columns, &[row(1, "first"), row(2, "first")], Conflict::Fail).await.unwrap();
    let second = [row(2, "second"), row(3, "second")];
    assert_eq!(tx.insert_many("pair", &columns, &second, Conflict::Ignore).await.unwrap(), 1);
    tx.commit().await.unwrap();
    assert_eq!(notes().await, ["first", "first", "second"]);
    let mut tx = db.begin().await.unwrap();
    let new = [row(1, "third"), row(4, "third"), row(4, "fourth")];
    tx.insert_many("pair", &columns, &new, Conflict::Replace(&["a", "b"])).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(notes().await, ["third", "first", "second", "fourth"]);
    let mut tx = db.begin().await.unwrap();
    let error = tx.insert_many("pair", &columns, &[row(1, "x")], Conflict::Fail).await.unwrap_err();
    assert!(error.is_duplicate());
    tx.rollback().await.unwrap();
    let mut tx = db.begin().await.unwrap();
    let error = tx.insert_many("pair", &columns, &new, Conflict::Replace(&["c"])).await.unwrap_err();
    assert!(matches!(error, DbError::ReplaceKeys));
    let error = tx.insert_many("pair", &columns, &[vec![Value::Null]], Conflict::Fail).await.unwrap_err();
    assert!(matches!(error, DbError::Width { row: 0, found: 1, columns: 3 }));
    let error = tx.insert_many("pair; --", &columns, &new, Conflict::Fail).await.unwrap_err();
    assert!(matches!(error, DbError::Identifier { .. }));
}

async fn transactions(db: &Db) {
    let count = || async {
        db.rows("select count(*) from pair where a = $1", &["tx".into()]).await.unwrap()[0].int(0).unwrap()
    };
    let mut tx = db.begin().await.unwrap();
    tx.run("insert into pair (a, b) values ($1, $2)", &["tx".into(), Value::Int(1)]).await.unwrap();
    assert_eq!(tx.rows("select b from pair where a = $1", &["tx".into()]).await.unwrap().len(), 1);
    assert_eq!(count().await, 0, "a reader does not see it, nor wait for it");
    drop(tx);
    assert_eq!(count().await, 0);
    let mut tx = db.begin().await.unwrap();
    tx.run("insert into pair (a, b) values ($1, $2)", &["tx".into(), Value::Int(2)]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(count().await, 1);
    // A statement fails at its third row: neither the two before it nor anything else is kept, whatever the caller does.
    let mut tx = db.begin().await.unwrap();
    tx.run("insert into pair (a, b) values ($1, $2)", &["tx".into(), Value::Int(3)]).await.unwrap();
    let rows = [4, 5, 2].map(|b| vec!["tx".into(), Value::Int(b)]);
    assert!(tx.insert_many("pair", &["a", "b"], &rows, Conflict::Fail).await.unwrap_err().is_duplicate());
    assert!(matches!(tx.commit().await, Err(DbError::Failed)));
    assert_eq!(count().await, 1);
}

async fn typed_errors(db: &Db) {
    let rows = db.rows("select name, amount, content from sample", &[]).await.unwrap();
    assert!(matches!(rows[0].int(0), Err(DbError::Column { column: 0, .. })));
    assert!(matches!(rows[0].text(1), Err(DbError::Column { column: 1, .. })));
    assert!(matches!(rows[0].text(2), Err(DbError::Column { column: 2, .. })));
    assert!(matches!(rows[0].int(9), Err(DbError::Column { column: 9, .. })));
}

async fn forgetting(db: &Db) {
    let before = db.rows("select count(*) from pair", &[]).await.unwrap()[0].int(0).unwrap();
    let gone = db.run("delete from pair where a = $1 and b < $2", &["many".into(), Value::Int(10_000)]).await;
    assert_eq!(gone.unwrap(), 10_000);
    assert!(db.forget_deleted(&["pair", "sample"]).await.unwrap());
    let after = db.rows("select count(*) from pair", &[]).await.unwrap()[0].int(0).unwrap();
    assert_eq!(after, before - 10_000, "what was not deleted stays");
    if db.dialect() == store::db::Dialect::Postgres {
        db.forget_deleted(&["no_such_table"]).await.unwrap_err();
    }
}
