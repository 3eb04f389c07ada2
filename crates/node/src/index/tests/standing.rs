//! What stands, from real records: what a page of either face shows, as of any moment.

use super::reader::Reader;
use super::world::{ME, Say, World};
use crate::asof::{AsOf, Basis};
use crate::desks::record::query::{self, Stands};
use crate::face::Face;
use crate::index::Forgettable;
use record::kind;

const CHINA: &str = "moh.chn.example";

fn as_of(basis: Basis, at: i64) -> AsOf {
    AsOf { basis, at: Some(at) }
}

pub async fn stands(reader: &Reader, face: Face, as_of: AsOf, name: tlog::Hash) -> Option<Stands> {
    let found = query::find(reader.index.db(), face, as_of, &name.to_hex()).await.expect("a record");
    found.first().map(|entry| entry.stands.clone())
}

#[tokio::test]
async fn a_withdrawal_in_another_log_ends_a_thing_whichever_comes_first() {
    let mut world = World::new(&[CHINA]);
    let notice = world.say(&Say::new(CHINA, kind::NOTICE, 1, 10_000));
    world.succeed(CHINA, None, 10_100);
    let refs = vec![notice.withdraw()];
    let end = world.say(&Say { refs, ..Say::new(CHINA, kind::WITHDRAWAL, 2, 10_200) });
    assert_ne!(notice.origin, end.origin, "at the year's end the author goes on in another log");
    let reader = Reader::new(&world).await;
    // The later log first, as for a peer that joins later.
    for origin in [&end.origin, &notice.origin] {
        let size = world.logs[origin].entries.len() as u64;
        reader.come().sizes.insert(origin.clone(), size);
        reader.index.follower(&reader).reach(origin).await.expect("a log");
    }
    let now = stands(&reader, Face::Public, AsOf::default(), notice.name).await;
    assert_eq!(now, Some(Stands::Withdrawn(end.name.to_hex())));
    let before = stands(&reader, Face::Public, as_of(Basis::Claimed, 10_199), notice.name).await;
    assert_eq!(before, Some(Stands::Speaks), "no mark of later shows in an earlier moment");
}

#[tokio::test]
async fn a_sealed_withdrawal_leaves_no_trace_on_the_public_face() {
    let mut world = World::new(&[CHINA]);
    let notice = world.say(&Say::new(CHINA, kind::NOTICE, 1, 10_000));
    let refs = vec![notice.withdraw()];
    let end = world.say(&Say { refs, to: Some(&[ME]), ..Say::new(CHINA, kind::WITHDRAWAL, 2, 10_200) });
    let reader = Reader::new(&world).await;
    reader.all_comes().await;
    let now = AsOf::default();
    assert_eq!(stands(&reader, Face::Public, now, notice.name).await, Some(Stands::Speaks));
    assert_eq!(
        stands(&reader, Face::Inside, now, notice.name).await,
        Some(Stands::Withdrawn(end.name.to_hex()))
    );
    assert_eq!(stands(&reader, Face::Public, now, end.name).await, None);
    let entry =
        query::find(reader.index.db(), Face::Public, now, &notice.name.to_hex()).await.expect("a record");
    let refers =
        query::referred_by(reader.index.db(), Face::Public, now, &entry[0]).await.expect("references");
    assert!(refers.is_empty(), "{refers:?}");
}

#[tokio::test]
async fn a_public_withdrawal_of_a_sealed_record_ends_nothing_on_the_public_face() {
    let mut world = World::new(&[CHINA]);
    let sealed = world.say(&Say { to: Some(&[ME]), ..Say::new(CHINA, kind::NOTICE, 1, 10_000) });
    let public = world.say(&Say::new(CHINA, kind::NOTICE, 1, 10_100));
    let refs = vec![sealed.withdraw()];
    let end = world.say(&Say { refs, ..Say::new(CHINA, kind::WITHDRAWAL, 2, 10_200) });
    let reader = Reader::new(&world).await;
    reader.all_comes().await;
    let now = AsOf::default();
    // Who reads the public log alone cannot know which thing it speaks of.
    assert_eq!(stands(&reader, Face::Public, now, public.name).await, Some(Stands::Speaks));
    let ended = Some(Stands::Withdrawn(end.name.to_hex()));
    assert_eq!(stands(&reader, Face::Inside, now, sealed.name).await, ended);
}

#[tokio::test]
async fn when_a_key_is_disowned_on_the_public_face_does_not_follow_from_sealed_logs() {
    let mut world = World::new(&[CHINA]);
    let public = world.say(&Say::new(CHINA, kind::NOTICE, 1, 20_000));
    world.say(&Say { to: Some(&[ME]), ..Say::new(CHINA, kind::NOTICE, 2, 20_000) });
    world.revoke(CHINA, 15_000);
    // The sealed log is the first that moves to the root.
    world.say(&Say { to: Some(&[ME]), ..Say::new(CHINA, kind::NOTICE, 3, 30_000) });
    let (all, some) = (Reader::new(&world).await, Reader::new(&world).await);
    all.all_comes().await;
    some.come().roots.insert(public.author.clone(), 2);
    some.come().sizes.insert(public.origin.clone(), 2);
    some.index.follower(&some).reach(&public.origin).await.expect("a log");

    let sql = "select name, start, stop, state from standing where face & 1 <> 0 and basis = 1 order by name, start";
    let mut rows = Vec::new();
    for reader in [&all, &some] {
        let found = reader.index.db().rows(sql, &[]).await.expect("rows");
        let row = |row: &store::db::Row| {
            (row.text(0).expect("a name"), row.int(1).ok(), row.opt_int(2).ok(), row.int(3).ok())
        };
        rows.push(found.iter().map(row).collect::<Vec<_>>());
    }
    assert!(!rows[1].is_empty());
    assert_eq!(rows[0], rows[1]);
}

#[tokio::test]
async fn what_was_sealed_and_is_published_is_on_the_public_face_from_then_on() {
    let mut world = World::new(&[CHINA]);
    let sealed = world.say(&Say { to: Some(&[ME]), ..Say::new(CHINA, kind::NOTICE, 1, 10_000) });
    let public = world.again(&sealed, None, 10_500);
    assert_eq!(sealed.name, public.name, "one record at two places");
    let reader = Reader::new(&world).await;
    reader.all_comes().await;
    let list = async |face, at| {
        let wanted = query::Wanted { limit: 10, ..query::Wanted::default() };
        let (entries, _) =
            query::list(reader.index.db(), face, as_of(Basis::Claimed, at), &wanted).await.expect("a list");
        entries
            .into_iter()
            .filter(|entry| entry.kind == kind::NOTICE)
            .map(|entry| entry.released)
            .collect::<Vec<_>>()
    };
    assert!(list(Face::Public, 10_499).await.is_empty());
    assert_eq!(list(Face::Public, 10_500).await, [10_500], "said to everybody when it was published");
    assert_eq!(list(Face::Inside, 10_600).await, [10_000], "one record, at the earliest of its places");
}

#[tokio::test]
async fn a_withdrawal_of_an_exercise_ends_nothing_actual() {
    let mut world = World::new(&[CHINA]);
    let notice = world.say(&Say::new(CHINA, kind::NOTICE, 1, 10_000));
    let refs = vec![notice.withdraw()];
    let status = record::Status::Exercise;
    world.say(&Say { status, refs, ..Say::new(CHINA, kind::WITHDRAWAL, 2, 10_200) });
    let reader = Reader::new(&world).await;
    reader.all_comes().await;
    assert_eq!(stands(&reader, Face::Inside, AsOf::default(), notice.name).await, Some(Stands::Speaks));
}

#[tokio::test]
async fn what_a_thief_signed_counts_for_nothing_once_its_key_is_revoked() {
    let mut world = World::new(&[CHINA]);
    let honest = world.say(&Say::new(CHINA, kind::NOTICE, 1, 10_000));
    world.witness(&honest.origin, honest.pos + 1, 10_010);
    let proven = world.say(&Say::new(CHINA, kind::NOTICE, 2, 10_200));
    world.witness(&honest.origin, proven.pos + 1, 10_210);
    let unproven = world.say(&Say::new(CHINA, kind::NOTICE, 3, 10_250));
    // It claims to be older than the theft, but its log had gone on.
    let backdated = world.say(&Say::new(CHINA, kind::NOTICE, 4, 10_050));
    let mut reader = Reader::new(&world).await;
    reader.all_comes().await;
    for one in [&honest, &proven, &unproven, &backdated] {
        assert_eq!(stands(&reader, Face::Public, AsOf::default(), one.name).await, Some(Stands::Speaks));
    }
    world.revoke(CHINA, 10_100);
    let after = world.say(&Say::new(CHINA, kind::NOTICE, 5, 10_300));
    world.witness(&honest.origin, after.pos + 1, 10_310);
    reader.world = world;
    reader.all_comes().await;
    for rebuilt in [false, true] {
        let now = AsOf::default();
        assert_eq!(stands(&reader, Face::Public, now, honest.name).await, Some(Stands::Speaks), "{rebuilt}");
        assert_eq!(
            stands(&reader, Face::Public, now, after.name).await,
            Some(Stands::Speaks),
            "by the next key"
        );
        for disowned in [&proven, &unproven, &backdated] {
            let state = stands(&reader, Face::Public, now, disowned.name).await;
            assert!(matches!(state, Some(Stands::Disowned(_))), "{state:?} at {}", disowned.pos);
        }
        let then = as_of(Basis::Proven, 10_220);
        assert_eq!(
            stands(&reader, Face::Public, then, proven.name).await,
            Some(Stands::Speaks),
            "what was proven before counts in every as-of before"
        );
        reader.index.rebuild(&reader).await.expect("a rebuild");
    }
}

#[tokio::test]
async fn what_a_thief_sealed_stays_disowned_when_its_copies_are_erased() {
    let mut world = World::new(&[CHINA]);
    world.say(&Say::new(CHINA, kind::NOTICE, 1, 10_000));
    let sealed = world.say(&Say { to: Some(&[ME]), ..Say::new(CHINA, kind::NOTICE, 2, 10_200) });
    world.revoke(CHINA, 10_100);
    world.say(&Say::new(CHINA, kind::NOTICE, 3, 10_300));
    let reader = Reader::new(&world).await;
    reader.all_comes().await;
    let record = Forgettable { author: CHINA.to_owned(), name: sealed.name.to_hex() };
    for rebuilt in [false, true] {
        let before = stands(&reader, Face::Inside, AsOf::default(), sealed.name).await;
        assert!(matches!(before, Some(Stands::Disowned(_))), "{before:?}, rebuilt: {rebuilt}");
        let mut writer = reader.index.writer(&reader).await;
        writer.to_forget(&record).await.expect("marked");
        writer.forget(&record).await.expect("forgotten");
        drop(writer);
        assert_eq!(stands(&reader, Face::Inside, AsOf::default(), sealed.name).await, before);
        reader.index.rebuild(&reader).await.expect("a rebuild");
    }
}

#[tokio::test]
async fn a_batch_that_does_not_follow_is_filled_from_the_source_or_refused() {
    use crate::index::{Batch, IndexError};
    let mut world = World::new(&[CHINA]);
    let placed: Vec<_> = (0..5).map(|n| world.say(&Say::new(CHINA, kind::NOTICE, n, 10_000))).collect();
    let origin = placed[0].origin.clone();
    let entries = world.logs[&origin].entries.clone();
    let bytes: Vec<&[u8]> = entries.iter().map(AsRef::as_ref).collect();
    let mut state = record::LogState::new(origin.clone());
    let judged = state.take_many(0, &bytes, world.chain(&origin.authority)).expect("judged");
    let reader = Reader::new(&world).await;
    let late = Batch { origin: &origin, judged: &judged[3..], state: &state, checkpoint: None };
    let refused = reader.index.follower(&reader).take(&late).await;
    assert!(matches!(refused, Err(IndexError::Gap { wanted: 0, found: 3, .. })), "{refused:?}");
    assert_eq!(reader.index.size_of(&origin).await.expect("a size"), 0, "nothing of it was taken");
    reader.come().sizes.insert(origin.clone(), 6);
    reader.index.follower(&reader).take(&late).await.expect("filled");
    assert_eq!(reader.index.size_of(&origin).await.expect("a size"), 6);
}

#[tokio::test]
async fn a_rebuild_that_is_cut_off_changes_nothing() {
    let mut world = World::new(&[CHINA]);
    for n in 0..50 {
        world.say(&Say::new(CHINA, kind::NOTICE, n, 10_000));
    }
    let reader = Reader::new(&world).await;
    reader.all_comes().await;
    let before = super::rows::rows(reader.index.db()).await;
    for polls in 1..30 {
        let rebuilding = reader.index.rebuild(&reader);
        let mut rebuilding = std::pin::pin!(rebuilding);
        for _ in 0..polls {
            tokio::select! {
                biased;
                ended = &mut rebuilding => { ended.expect("a rebuild"); break; }
                () = tokio::task::yield_now() => {}
            }
        }
        assert_eq!(super::rows::rows(reader.index.db()).await, before, "cut off after {polls}");
    }
    reader.index.rebuild(&reader).await.expect("a rebuild");
    assert_eq!(super::rows::rows(reader.index.db()).await, before);
}
