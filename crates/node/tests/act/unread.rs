//! `unread`: the author of what cannot be read here is told, by the node alone, once.

use record::Header;

use crate::home::{Home, close};

/// Rows as a record of `b.example` would have left them whose seal is broken; `kind` is what the row shows.
async fn a_broken_seal(node: &node::node::Node, number: u8, kind: &str) -> String {
    let (origin, name) = ("b.example/log/aaaaaaaaaaaaaaaaaaaaaaaaaa/2026", format!("{number:064x}"));
    let db = node.index.db();
    db.run(
        "insert into log (origin, authority, audience, year, readers, own, size, root, checkpoint, closed, policy,
           root_version, state) values ($1, 'b.example', 'aaaaaaaaaaaaaaaaaaaaaaaaaa', 2026, 'a.example b.example', 0, 9, '',
           $2, 0, '', 1, $2) on conflict do nothing",
        &[origin.into(), store::Value::Bytes(Vec::new())],
    )
    .await
    .unwrap();
    db.run(
        "insert into entry (origin, pos, leaf, name, author, kind, id, edition, status, released, first_released, rank,
           sealed, opened, valid, bytes, content, critical, revoked, disowned, faces, listed, marked)
         values ($1, $2, $3, $3, 'b.example', $4, $3, 1, 'exercise', 0, 0, 0, 1, 0, 1, 0, 3, 0, 0, 0, 0, 0, 0)",
        &[origin.into(), i64::from(number).into(), name.as_str().into(), kind.into()],
    )
    .await
    .unwrap();
    name
}

async fn said(node: &node::node::Node) -> Vec<(String, u64)> {
    let sql = "select origin, pos from entry where kind = 'unread' and author = $1 order by pos";
    let rows = node.index.db().rows(sql, &[node.config.authority.as_str().into()]).await.unwrap();
    rows.iter().map(|row| (row.text(0).unwrap(), row.uint(1).unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_author_is_told_once_of_what_cannot_be_read_and_never_of_an_answer() {
    let home = Home::of("a.example").await;
    home.confirm(&Home::of("b.example").await).await;
    let node = home.open().await;
    let name = a_broken_seal(&node, 1, "sealed").await;
    for answer in ["unread", "acknowledgement", "erasure"] {
        a_broken_seal(&node, 2 + u8::try_from(answer.len()).unwrap(), answer).await;
    }
    assert_eq!(node.tell_unread().await.unwrap(), 1);
    assert_eq!(node.tell_unread().await.unwrap(), 0, "once per record and reason");
    let told = said(&node).await;
    assert_eq!(told.len(), 1);
    let (origin, pos) = &told[0];
    let record = node.record_at(origin, *pos).await.unwrap().expect("a record");
    let opened = node::index::open(&*node, &record, 1).await.unwrap().expect("one's own");
    let header: Header = opened.inner.expect("sealed to its author alone");
    assert_eq!(header.own("why").collect::<Vec<_>>(), ["seal"]);
    assert_eq!(header.refs[0].name.to_hex(), name);
    assert_eq!(header.status.as_str(), "exercise", "as the record that it answers");
    close(node).await;
    let node = home.open().await;
    assert_eq!(node.tell_unread().await.unwrap(), 0, "and not again after a restart");
    close(node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_one_author_no_more_than_its_three_and_the_sixty_of_all_are_told_in_an_hour() {
    let home = Home::of("a.example").await;
    home.confirm(&Home::of("b.example").await).await;
    let node = home.open().await;
    for number in 1..=70 {
        a_broken_seal(&node, number, "sealed").await;
    }
    assert_eq!(node.tell_unread().await.unwrap(), 63);
    assert_eq!(node.tell_unread().await.unwrap(), 0, "the rest waits");
    close(node).await;
}
