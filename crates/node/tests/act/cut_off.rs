//! Cut off at any write, a release is there whole or not at all, and repeated with its key it is there once.

use std::collections::BTreeMap;
use std::sync::Arc;

use node::command::{Command, RootCommand};
use node::node::Node;
use node::operate;
use node::own_log::Audience;
use node::release::{Act, ActKey, Done, Planned, ReleaseError, Thing};
use proptest::prelude::*;
use record::{LogState, Ulid};
use store::Swap;

use crate::home::{Fate, Home, close, crash, databases, notice};

/// What somebody does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    /// A new public notice.
    Public,
    /// One for this authority alone.
    Sealed,
    /// A further edition of the first public one.
    Next,
    /// Closes the public log.
    Close,
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        3 => Just(Deed::Public),
        2 => Just(Deed::Sealed),
        3 => Just(Deed::Next),
        1 => Just(Deed::Close),
    ]
}

async fn act(node: &Arc<Node>, n: usize, deed: Deed, first: Ulid) -> Result<Done, ReleaseError> {
    let key = ActKey::new(&format!("deed-{n}"), format!("{deed:?}").as_bytes(), None).unwrap();
    let mut draft = notice(&format!("deed {n}"));
    let audience = match deed {
        Deed::Public | Deed::Close => Audience::Public,
        Deed::Sealed => Audience::of(&node.config.authority, []),
        Deed::Next => {
            draft.thing = Thing::NextOf(first);
            Audience::Public
        }
    };
    if deed == Deed::Close {
        let logs = node.own_logs().await?;
        if let Some(log) = logs.iter().find(|log| log.open && log.started && log.readers.is_none()) {
            let closed = node.close_log(&log.origin, Some(key), |next| next.to_string().into_bytes()).await?;
            let answer = closed.next.to_string().into_bytes();
            return Ok(Done { released: Vec::new(), answer, last: true, index_behind: false });
        }
        return Ok(Done { released: Vec::new(), answer: Vec::new(), last: true, index_behind: false });
    }
    let cell = Swap::new("draft", &format!("{n}"), None, Some(b"ended".to_vec()));
    let planned = Planned::new(audience, vec![draft]).answered(<[node::release::Released]>::to_vec);
    node.act(Act::of(planned).under(Some(key)).with(cell)).await
}

/// What the entries of a log say of it, against what `state` says.
async fn check_notes(home: &Home) {
    let notes = home.notes().await;
    let node = home.open().await;
    let chain = node.own_chain();
    for (origin, head) in node.own_heads().await.unwrap() {
        let reader = node.own_reader(&origin).await.unwrap();
        let entries = reader.read_entries(0..head.checkpoint.size).await.unwrap();
        let entries: Vec<&[u8]> = entries.iter().map(AsRef::as_ref).collect();
        let mut state = LogState::new(origin.clone());
        let judged = state.take_many(0, &entries, &chain).unwrap();
        let opens = judged.iter().filter(|judged| match &judged.verdict {
            record::Verdict::Valid { record, .. } => record.header.kind == "log.open",
            record::Verdict::Invalid { reason, .. } => panic!("{origin}: {reason}"),
        });
        assert_eq!(opens.count(), 1, "{origin} is opened once");
        let changed = node::own_log::noted_by(&notes, &state, &head.checkpoint);
        assert!(changed.is_empty(), "state does not say what {origin} says: {changed:?}");
    }
    close(node).await;
}

/// Does deeds, several at once, cut off after some writes; opens again and repeats them all.
async fn live(home: &Home, deeds: &[Deed], fate: Fate) {
    let node = home.open().await;
    let started = act(&node, 999, Deed::Public, Ulid::new(0, [0; 10])).await;
    let first = started.expect("released").released[0].id;
    close(node).await;
    let node = home.open_with(fate).await;
    let mut tasks = Vec::new();
    for (n, deed) in deeds.iter().copied().enumerate() {
        let node = node.clone();
        tasks.push(tokio::spawn(async move { act(&node, n, deed, first).await.map(|done| done.answer) }));
    }
    let mut acknowledged = BTreeMap::new();
    for (n, task) in tasks.into_iter().enumerate() {
        if let Ok(answer) = task.await.expect("no panic") {
            acknowledged.insert(n, answer);
        }
    }
    crash(node).await;
    check_notes(home).await;
    let node = home.open().await;
    for (n, deed) in deeds.iter().copied().enumerate() {
        let done = act(&node, n, deed, first).await;
        if deed == Deed::Close {
            continue;
        }
        let done = done.unwrap_or_else(|why| panic!("deed {n} {deed:?}: {why}"));
        if let Some(before) = acknowledged.get(&n) {
            assert_eq!(*before, done.answer, "deed {n} {deed:?} is answered as before");
        }
        assert_eq!(node.cells.get("draft", &format!("{n}")).await.unwrap(), Some(b"ended".to_vec()));
    }
    let released = deeds.iter().filter(|deed| **deed != Deed::Close).count() + 1;
    let sql = "select count(*) from entry where kind = 'notice' and valid = 1";
    let counted = node.index.db().rows(sql, &[]).await.unwrap()[0].int(0).unwrap();
    assert_eq!(counted, i64::try_from(released).unwrap(), "each of {deeds:?} is there once");
    let numbers: Vec<i64> =
        crate::home::editions(&node, first).await.iter().map(|(edition, ..)| *edition).collect();
    let next = deeds.iter().filter(|deed| **deed == Deed::Next).count();
    let mut sorted = numbers.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (1..=i64::try_from(next).unwrap() + 1).collect::<Vec<_>>());
    close(node).await;
    check_notes(home).await;
}

fn block_on(work: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.unwrap().block_on(work);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, max_shrink_iters: 50, ..ProptestConfig::default() })]

    #[test]
    fn at_whatever_write_it_is_cut_off_every_deed_is_done_once(
        deeds in prop::collection::vec(deed(), 1..7),
        writes in 0_usize..40,
        answer_is_lost: bool,
    ) {
        block_on(async {
            let home = Home::of("a.example").await;
            live(&home, &deeds, Fate::after(writes).losing_answer(answer_is_lost)).await;
        });
    }
}

#[test]
fn a_first_release_is_cut_off_at_each_of_its_writes() {
    block_on(async {
        for database in databases("first") {
            for (writes, answer_is_lost) in (0..24).flat_map(|writes| [(writes, false), (writes, true)]) {
                if database.is_some() && writes > 0 {
                    break;
                }
                let home = Home::on("a.example", database.clone()).await;
                let writes_made = if database.is_some() { 4 } else { writes };
                let fate = Fate::after(writes_made).losing_answer(answer_is_lost);
                let node = home.open_with(fate.clone()).await;
                let id = Ulid::new(0, [0; 10]);
                let before = act(&node, 0, Deed::Public, id).await.ok().map(|done| done.answer);
                crash(node).await;
                check_notes(&home).await;
                let node = home.open().await;
                let after = act(&node, 0, Deed::Public, id).await.expect("released");
                assert!(before.is_none_or(|before| before == after.answer), "cut off after {writes}");
                let size = node.own_heads().await.unwrap()[0].1.checkpoint.size;
                assert_eq!(size, 2, "log.open and the notice, each once; cut off after {writes} writes");
                close(node).await;
                if !fate.is_over() || database.is_some() {
                    break;
                }
            }
        }
    });
}

/// The root is in force, or it is not; where it is, what was cut off is done at the next start.
#[test]
fn what_goes_on_from_a_revoked_log_is_opened_once_wherever_that_is_cut_off() {
    block_on(async {
        for (writes, answer_is_lost) in (0..40).flat_map(|writes| [(writes, false), (writes, true)]) {
            let home = Home::of("a.example").await;
            let node = home.open().await;
            let id = Ulid::new(0, [0; 10]);
            for (n, deed) in [Deed::Public, Deed::Sealed].into_iter().enumerate() {
                act(&node, n, deed, id).await.expect("released");
            }
            let file = home.next_root_without_log_key(&node).await;
            close(node).await;
            let publish = || Command::Root(RootCommand::Publish { file: file.clone() });
            let fate = Fate::after(writes).losing_answer(answer_is_lost);
            let node = home.open_with(fate.clone()).await;
            let _ = operate::run(&node, publish()).await;
            crash(node).await;
            check_notes(&home).await;
            let node = home.open().await;
            if node.own_chain().latest().version == 1 {
                operate::run(&node, publish()).await.expect("published");
            }
            let waiting = node.succeed_revoked().await.expect("opened").waiting;
            assert!(waiting.is_empty(), "{waiting:?}");
            assert_eq!(node.succeed_revoked().await.expect("nothing is left to do").opened, []);
            let logs = node.own_logs().await.unwrap();
            let (open, ended): (Vec<_>, Vec<_>) = logs.into_iter().partition(|log| log.open);
            assert_eq!((open.len(), ended.len()), (2, 2), "cut off after {writes}");
            assert!(open.iter().all(|log| log.started && log.previous.is_some()), "{open:?}");
            close(node).await;
            check_notes(&home).await;
            if !fate.is_over() {
                return;
            }
        }
        panic!("it is never done");
    });
}

/// The head of a log moves before its tiles are at their places. Whatever is between, the index reads no further than
/// what is published, and takes no log of its own for damaged.
#[test]
fn the_index_reads_own_logs_as_far_as_they_are_published() {
    block_on(async {
        for writes in 0..24 {
            let home = Home::of("a.example").await;
            let node = home.open().await;
            let released =
                act(&node, 0, Deed::Public, Ulid::new(0, [0; 10])).await.expect("released").released;
            close(node).await;
            let fate = Fate::after(writes);
            let node = home.open_with(fate.clone()).await;
            let _ = act(&node, 1, Deed::Public, Ulid::new(0, [0; 10])).await;
            node.releasing.ended().await;
            let reached = node.index.follower(&*node).reach(&released[0].origin).await;
            assert!(reached.is_ok(), "cut off after {writes} writes: {reached:?}");
            close(node).await;
            if !fate.is_over() {
                break;
            }
        }
    });
}
