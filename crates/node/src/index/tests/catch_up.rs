//! An index that was left at any moment, or that got logs before those that they go on from, is brought up to what is
//! here.

use super::reader::Reader;
use super::rows::{differences, rows};
use super::world::{Say, World, authority};
use record::kind;

const AUTHOR: &str = "moh.chn.example";

#[tokio::test]
async fn a_root_that_was_pinned_when_the_index_was_not_told_counts_from_the_next_start_on() {
    let mut world = World::new(&[AUTHOR]);
    for (id, at) in [(1, 10_000), (2, 20_000)] {
        world.say(&Say::new(AUTHOR, kind::NOTICE, id, at));
    }
    let mut reader = Reader::new(&world).await;
    reader.all_comes().await;
    // The root is durable, and the machine stops before the index hears of it.
    reader.world.revoke(AUTHOR, 15_000);
    reader.come().roots.insert(authority(AUTHOR), 2);

    reader.index.follower(&reader).catch_up().await.expect("caught up");

    let fresh = Reader::new(&reader.world).await;
    fresh.all_comes().await;
    let disowned = "select pos from entry where disowned <> 0";
    assert_eq!(fresh.index.db().rows(disowned, &[]).await.expect("rows").len(), 1);
    let differ = differences(&rows(fresh.index.db()).await, &rows(reader.index.db()).await);
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

#[tokio::test]
async fn a_log_before_another_one_that_comes_late_counts_for_what_is_disowned_in_the_other_one() {
    let mut world = World::new(&[AUTHOR]);
    let first = world.say(&Say::new(AUTHOR, kind::NOTICE, 1, 10_000)).origin;
    world.say(&Say::new(AUTHOR, kind::NOTICE, 2, 30_000));
    // Its clock is set back, and the log before has no end that would tell of it.
    let second = world.go_on(AUTHOR, None, 12_000);
    world.say(&Say::new(AUTHOR, kind::NOTICE, 3, 12_500));
    world.revoke(AUTHOR, 20_000);
    let reader = Reader::new(&world).await;
    reader.come().roots.insert(authority(AUTHOR), 2);
    for (log, size) in [(&second, 2), (&first, 1), (&first, 3)] {
        reader.come().sizes.insert(log.clone(), size);
        reader.index.follower(&reader).reach(log).await.expect("reached");
    }

    let fresh = Reader::new(&world).await;
    fresh.all_comes().await;
    let disowned = "select pos from entry where disowned <> 0 and origin = $1";
    let values = [second.to_string().into()];
    assert!(!fresh.index.db().rows(disowned, &values).await.expect("rows").is_empty());
    let differ = differences(&rows(fresh.index.db()).await, &rows(reader.index.db()).await);
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

#[tokio::test]
async fn a_rebuild_keeps_what_was_told_before_the_exchange_counts_it() {
    let mut world = World::new(&[AUTHOR]);
    let log = world.say(&Say::new(AUTHOR, kind::NOTICE, 1, 10_000)).origin;
    world.say(&Say::new(AUTHOR, kind::NOTICE, 2, 20_000));
    let reader = Reader::new(&world).await;
    reader.all_comes().await;
    let before = rows(reader.index.db()).await;
    // Its files and its rows are here; the engine is about to hear that they are stored.
    reader.come().sizes.insert(log, 2);

    reader.index.rebuild(&reader).await.expect("rebuilt");

    let differ = differences(&before, &rows(reader.index.db()).await);
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

#[tokio::test]
async fn a_file_that_comes_while_a_new_index_is_put_in_its_place_is_in_it() {
    let mut world = World::new(&[AUTHOR]);
    let table = b"#date,#country+code,#affected+infected+confirmed+cumulative\n2025-06-01,CHN,5\n".to_vec();
    let hash = tlog::sha256(&table);
    world.say(&Say { table: Some(table), ..Say::new(AUTHOR, kind::FIGURES, 1, 10_000) });
    let reader = Reader::new(&world).await;
    reader.all_comes().await;
    let before = rows(reader.index.db()).await;
    // The disk lost it, which the old index need not know. It is back when the new one has looked for it.
    reader.come().blobs.remove(&hash);
    reader.come().late = [None, Some(hash)].into();

    reader.index.rebuild(&reader).await.expect("rebuilt");

    let differ = differences(&before, &rows(reader.index.db()).await);
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}
