//! What costs the index much holds up who released it, and nobody else; and nothing of it is left when it is cut off.

use std::pin::pin;
use std::sync::atomic::Ordering;

use super::reader::Reader;
use super::rows::{differences, rows};
use super::standing::stands;
use super::world::{ME, Placed, Say, World};
use crate::asof::AsOf;
use crate::desks::record::query::Stands;
use crate::face::Face;
use crate::index::Finding;
use record::kind;

const CHINA: &str = "moh.chn.example";
const KOREA: &str = "mohw.kor.example";
/// In 2025.
const AT: i64 = 1_750_000_000;

/// A table of so many figures of different days, in several pieces.
fn table(figures: i64, value: i64) -> Vec<u8> {
    let mut table = "#date,#country+code,#affected+infected+confirmed+cumulative\n".to_owned();
    for day in 0..figures {
        let date = crate::desks::situation::figure::date_of(day);
        table.push_str(&format!("{date},CHN,{value}\n"));
    }
    table.into_bytes()
}

fn figures(world: &mut World, to: Option<&[&str]>, id: u64, table: Vec<u8>) -> Placed {
    world.say(&Say { to, table: Some(table), ..Say::new(CHINA, kind::FIGURES, id, AT) })
}

async fn count(reader: &Reader, sql: &'static str) -> i64 {
    reader.index.db().rows(sql, &[]).await.expect("a number")[0].int(0).expect("a number")
}

/// Waits until some of a table is there, and not its release.
async fn is_half_there(reader: &Reader, before: i64) {
    while count(reader, "select count(*) from situation_statement").await <= before {
        tokio::task::yield_now().await;
    }
}

/// A reader to whom everything has come, which has indexed nothing.
async fn has_come(world: &World) -> Reader {
    let reader = Reader::new(world).await;
    let mut come = reader.come();
    for origin in world.logs_for(ME) {
        come.sizes.insert(origin.clone(), world.logs[&origin].entries.len() as u64);
    }
    come.blobs = world.blobs.keys().copied().collect();
    drop(come);
    reader
}

async fn is_as_fresh(reader: &Reader, world: &World) {
    let fresh = Reader::new(world).await;
    fresh.all_comes().await;
    let differ = differences(&rows(fresh.index.db()).await, &rows(reader.index.db()).await);
    assert!(differ.is_empty(), "{}", differ.join("\n"));
    let left = "select count(*) from situation_statement x
                where not exists (select 1 from situation_release r where r.no = x.release)";
    assert_eq!(count(reader, left).await, 0, "statements of no release");
}

#[tokio::test]
async fn a_record_gets_in_between_the_pieces_of_somebody_elses_large_table() {
    let mut world = World::new(&[CHINA, KOREA]);
    let large = figures(&mut world, None, 1, table(20_000, 7));
    let small = world.say(&Say::new(KOREA, kind::NOTICE, 2, AT));
    let reader = has_come(&world).await;
    let follower = reader.index.follower(&reader);
    let mut loading = pin!(follower.reach(&large.origin));
    tokio::select! {
        biased;
        _ = &mut loading => panic!("it was never half there"),
        () = is_half_there(&reader, 0) => {}
    }
    tokio::select! {
        biased;
        _ = &mut loading => panic!("the notice waited for the end of the table"),
        done = follower.reach(&small.origin) => done.expect("taken"),
    }
    assert_eq!(reader.index.size_of(&small.origin).await.expect("a size"), 2);
    assert_eq!(count(&reader, "select count(*) from situation_release").await, 0, "nobody sees half a table");
    loading.await.expect("the rest");
    assert_eq!(count(&reader, "select figures from situation_release").await, 20_000);
    is_as_fresh(&reader, &world).await;
}

#[tokio::test]
async fn a_large_table_that_was_cut_off_is_loaded_at_the_next_start_and_leaves_nothing() {
    let mut world = World::new(&[CHINA]);
    figures(&mut world, None, 1, table(6_000, 1));
    let placed = figures(&mut world, None, 2, table(9_000, 2));
    let reader = has_come(&world).await;
    let follower = reader.index.follower(&reader);
    {
        let mut loading = pin!(follower.reach(&placed.origin));
        tokio::select! {
            biased;
            _ = &mut loading => panic!("it was never half there"),
            () = is_half_there(&reader, 6_000) => {}
        }
    }
    follower.catch_up().await.expect("the next start");
    is_as_fresh(&reader, &world).await;
}

#[tokio::test]
async fn an_index_that_is_made_anew_while_a_large_table_is_loaded_has_it_once() {
    let mut world = World::new(&[CHINA]);
    let placed = figures(&mut world, None, 1, table(20_000, 1));
    let reader = has_come(&world).await;
    let follower = reader.index.follower(&reader);
    let mut loading = pin!(follower.reach(&placed.origin));
    tokio::select! {
        biased;
        _ = &mut loading => panic!("it was never half there"),
        () = is_half_there(&reader, 0) => {}
    }
    // It goes on while the other one is made: whichever is first, the table is there once.
    let (rebuilt, loaded) = tokio::join!(reader.index.rebuild(&reader), loading);
    rebuilt.expect("a rebuild");
    loaded.expect("loaded");
    is_as_fresh(&reader, &world).await;
}

/// As on a full disk: the database takes 9,000 figures and no more.
const FULL: &str = "create trigger full before insert on situation_statement
    when (select count(*) from situation_statement) >= 9000 begin select raise(abort, 'disk full'); end";

#[tokio::test]
async fn a_large_table_for_which_there_was_no_room_leaves_nothing_and_is_loaded_when_there_is() {
    let mut world = World::new(&[CHINA]);
    let placed = figures(&mut world, None, 1, table(20_000, 1));
    let reader = has_come(&world).await;
    let follower = reader.index.follower(&reader);
    reader.index.db().run(FULL, &[]).await.expect("a trigger");
    let why = follower.reach(&placed.origin).await.expect_err("no room");
    assert!(why.to_string().contains("disk full"), "{why}");
    assert_eq!(count(&reader, "select count(*) from situation_statement").await, 0, "nothing is half there");
    reader.index.db().run("drop trigger full", &[]).await.expect("room");
    follower.catch_up().await.expect("the next start");
    is_as_fresh(&reader, &world).await;
}

#[tokio::test]
async fn large_tables_are_corrected_and_have_faults_as_small_ones() {
    let mut world = World::new(&[CHINA]);
    figures(&mut world, None, 1, table(5_000, 1));
    figures(&mut world, None, 2, table(5_000, 2));
    figures(&mut world, Some(&[ME]), 3, table(5_000, 3));
    let mut faulty = table(5_000, 4);
    faulty.extend_from_slice(b"\xff\xff\n");
    figures(&mut world, None, 4, faulty);
    let placed =
        figures(&mut world, None, 5, b"#date,#nothing\n".iter().copied().cycle().take(70_000).collect());
    let reader = has_come(&world).await;
    reader.index.follower(&reader).reach(&placed.origin).await.expect("taken");
    let revised = "select count(*) from situation_statement where revised = 1";
    let good = count(&reader, "select sum(figures) from situation_release where fault is null").await;
    assert_eq!(count(&reader, revised).await, good, "each of them says something else");
    assert!(good >= 10_000, "{good}");
    assert!(count(&reader, "select count(*) from situation_release where fault is not null").await >= 1);
    reader.all_comes().await;
    is_as_fresh(&reader, &world).await;
    assert_eq!(count(&reader, "select count(*) from sealed_situation_statement").await, 5_000);
}

#[tokio::test]
async fn of_a_sealed_record_of_many_files_only_the_one_that_came_is_opened() {
    const FILES: usize = 40;
    let mut world = World::new(&[CHINA]);
    let files: Vec<Vec<u8>> = (0..FILES).map(|n| format!("file {n}").into_bytes()).collect();
    let placed = world.say(&Say { to: Some(&[ME]), files, ..Say::new(CHINA, kind::NOTICE, 1, AT) });
    let reader = Reader::new(&world).await;
    reader.come().sizes.insert(placed.origin.clone(), 2);
    let follower = reader.index.follower(&reader);
    follower.reach(&placed.origin).await.expect("taken");
    let entry = &world.logs[&placed.origin].entries[1];
    let record = record::Record::parse(entry).expect("a record");
    for blob in &record.header.blobs {
        reader.come().blobs.insert(blob.sha256);
        let before = reader.reads.load(Ordering::Relaxed);
        follower.blob(&blob.sha256).await.expect("looked at");
        let reads = reader.reads.load(Ordering::Relaxed) - before;
        assert!(reads <= FILES + 1, "{reads} files were read");
        assert!(reads <= 4 || blob == &record.header.blobs[0], "{reads} files were read");
    }
    assert_eq!(count(&reader, "select content from entry where pos = 1").await, 1);
    reader.all_comes().await;
    is_as_fresh(&reader, &world).await;
}

#[tokio::test]
async fn a_record_gets_in_between_while_very_many_contradictions_are_settled() {
    let mut world = World::new(&[CHINA, KOREA]);
    let mut last = None;
    for n in 0..60 {
        // Forty of one thing, and two each of ten others.
        let id = if n < 40 { 1 } else { n / 2 };
        last = Some(world.say(&Say::new(CHINA, kind::NOTICE, id, AT + i64::try_from(n).expect("small"))));
    }
    let last = last.expect("some");
    let next = world.go_on(CHINA, None, AT + 100);
    let small = world.say(&Say::new(KOREA, kind::NOTICE, 2, AT));
    let reader = has_come(&world).await;
    let follower = reader.index.follower(&reader);
    let mut settling = pin!(async {
        follower.reach(&last.origin).await?;
        follower.reach(&next).await
    });
    let is_noted = async {
        while count(&reader, "select count(*) from unsettled").await == 0
            || count(&reader, "select count(*) from standing").await == 0
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        _ = &mut settling => panic!("all of it was settled in one turn"),
        () = is_noted => {}
    }
    tokio::select! {
        biased;
        _ = &mut settling => panic!("the notice waited until all was settled"),
        done = follower.reach(&small.origin) => done.expect("taken"),
    }
    settling.await.expect("the rest");
    assert_eq!(count(&reader, "select count(*) from unsettled").await, 0);
    assert_eq!(count(&reader, "select count(*) from unsettled_all").await, 0);
    is_as_fresh(&reader, &world).await;
}

#[tokio::test]
async fn of_a_thing_of_more_records_than_are_compared_nothing_stands_whenever_they_came() {
    let mut world = World::new(&[CHINA]);
    let other = world.say(&Say::new(CHINA, kind::NOTICE, 9, AT));
    // Public and sealed in turns: on the public face there are no more than are compared.
    let few = crate::index::crowded::CROWD - 4;
    let all: Vec<Placed> = (0..2 * few)
        .map(|n| {
            let to: Option<&[&str]> = if n % 2 == 0 { None } else { Some(&[ME]) };
            let refs = if n == 1 { vec![other.withdraw()] } else { Vec::new() };
            let edition = u32::try_from(n / 2 + 1).expect("small");
            world.say(&Say { to, edition, refs, ..Say::new(CHINA, kind::WITHDRAWAL, 1, AT + n) })
        })
        .collect();
    let (public, sealed) = (&all[all.len() - 2], &all[all.len() - 1]);
    let reader = Reader::new(&world).await;
    let follower = reader.index.follower(&reader);
    let now = AsOf::default();
    for size in [3, 10, 20] {
        for origin in [&sealed.origin, &public.origin] {
            let size = size.min(world.logs[origin].entries.len() as u64);
            reader.come().sizes.insert(origin.clone(), size);
            follower.reach(origin).await.expect("taken");
        }
        if size == 10 {
            assert_ne!(stands(&reader, Face::Inside, now, all[0].name).await, Some(Stands::Crowded));
        }
    }
    reader.all_comes().await;
    for placed in &all {
        let on_inside = stands(&reader, Face::Inside, now, placed.name).await;
        assert_eq!(on_inside, Some(Stands::Crowded), "{}", placed.pos);
    }
    assert_eq!(stands(&reader, Face::Public, now, public.name).await, Some(Stands::Speaks));
    let older = stands(&reader, Face::Public, now, all[0].name).await;
    assert!(matches!(older, Some(Stands::Superseded(_))), "no trace of what is sealed: {older:?}");
    assert_eq!(stands(&reader, Face::Inside, now, other.name).await, Some(Stands::Crowded));
    let told = reader
        .findings
        .lock()
        .expect("no panics")
        .iter()
        .any(|finding| matches!(finding, Finding::Crowded { author, .. } if author == CHINA));
    assert!(told, "somebody must know");
    is_as_fresh(&reader, &world).await;
}

#[tokio::test]
async fn a_record_gets_in_between_while_a_log_learns_that_it_begins_later() {
    let mut world = World::new(&[CHINA, KOREA]);
    let first = world.say(&Say::new(CHINA, kind::NOTICE, 1, AT + 1_000));
    // Its clock is set back.
    let second = world.go_on(CHINA, None, AT);
    for n in 0..40 {
        let table = (n % 7 == 0).then(|| table(8, n));
        world.say(&Say { table, ..Say::new(CHINA, kind::FIGURES, 100 + n.unsigned_abs(), AT + n) });
    }
    let small = world.say(&Say::new(KOREA, kind::NOTICE, 2, AT));
    let reader = has_come(&world).await;
    let follower = reader.index.follower(&reader);
    follower.reach(&second).await.expect("taken");
    let later = "select count(*) from entry where rank > 1750000999";
    assert_eq!(count(&reader, later).await, 0);
    let mut ranking = pin!(follower.reach(&first.origin));
    let has_begun = async {
        while count(&reader, "select count(*) from situation_release where rank > 1750000999").await == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        _ = &mut ranking => panic!("all of it was changed in one turn"),
        () = has_begun => {}
    }
    tokio::select! {
        biased;
        _ = &mut ranking => panic!("the notice waited until all was changed"),
        done = follower.reach(&small.origin) => done.expect("taken"),
    }
    ranking.await.expect("the rest");
    assert_eq!(count(&reader, later).await, 43);
    is_as_fresh(&reader, &world).await;
}
