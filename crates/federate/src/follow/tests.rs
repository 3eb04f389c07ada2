use super::*;
use crate::testing::{TestLog, chain};
use proptest::prelude::*;

const ORIGIN: &str = "a.example/log/public/2026";
const PACE: Pace = Pace { in_flight: 4, batch_bundles: 2, ahead_bytes: 1 << 20, may_be_large: true };

fn follow() -> Follow {
    Follow::new(ORIGIN.parse().unwrap())
}

/// Everything that following came to.
#[derive(Default)]
struct Came {
    judged: Vec<Judged>,
    files: BTreeMap<String, Vec<u8>>,
    most_in_flight: usize,
}

/// Follows to the end with a source that answers with what `serve` says.
fn go(
    follow: &mut Follow,
    checkpoint: &SignedCheckpoint,
    chain: &RootChain,
    serve: impl Fn(&LogFile) -> Option<Vec<u8>>,
) -> (Came, Option<Step>) {
    let mut came = Came::default();
    assert_eq!(follow.aim(checkpoint, PACE), Aim::Begun);
    let mut waiting: Vec<LogFile> = Vec::new();
    loop {
        waiting.extend(follow.wanted(PACE).into_iter().map(|wanted| wanted.file));
        came.most_in_flight = came.most_in_flight.max(waiting.len());
        // The last one first: answers come in any order.
        if let Some(file) = waiting.pop() {
            match serve(&file) {
                None if follow.gone(&file) => {}
                answer => follow.supply(&file, answer.unwrap_or_default()),
            }
        }
        loop {
            match follow.advance(chain, PACE) {
                Step::Idle => break,
                Step::Entries(verified) => {
                    came.files.extend(verified.files);
                    came.judged.extend(verified.judged);
                }
                other => return (came, Some(other)),
            }
        }
        if follow.target().is_none() {
            return (came, None);
        }
    }
}

fn honest(log: &TestLog) -> impl Fn(&LogFile) -> Option<Vec<u8>> {
    |file| log.file(file)
}

fn opened(records: u64) -> TestLog {
    let mut log = TestLog::opened(ORIGIN, &[]);
    log.grow(records, 0);
    log
}

#[test]
fn a_log_is_followed_from_its_beginning() {
    for records in [0, 1, 255, 256, 700] {
        let log = opened(records);
        let mut follow = follow();
        let (came, stopped) = go(&mut follow, &log.checkpoint(), &chain("a.example", 1), honest(&log));
        assert!(stopped.is_none(), "{records}: {stopped:?}");
        assert_eq!((follow.size(), follow.root()), (records + 1, log.root()));
        assert_eq!(came.judged.len() as u64, records + 1);
        assert!(came.judged.iter().all(|judged| judged.record().is_some()));
        assert_eq!(follow.verified(), Some(&log.checkpoint()));
        assert!(came.most_in_flight <= PACE.in_flight);
    }
}

#[test]
fn a_small_step_costs_one_bundle() {
    let mut log = opened(300);
    let mut follow = follow();
    go(&mut follow, &log.checkpoint(), &chain("a.example", 1), honest(&log));
    log.grow(1, 1);
    assert_eq!(follow.aim(&log.checkpoint(), PACE), Aim::Begun);
    assert_eq!(
        follow.wanted(PACE).into_iter().map(|wanted| wanted.file).collect::<Vec<_>>(),
        [LogFile::Entries { index: 1, width: 46 }]
    );
}

#[test]
fn what_is_stored_is_the_log_as_its_author_has_it() {
    let mut log = opened(300);
    let mut follow = follow();
    let chain = chain("a.example", 1);
    let (came, _) = go(&mut follow, &log.checkpoint(), &chain, honest(&log));
    let mut files = came.files;
    log.grow(900, 1);
    let (came, stopped) = go(&mut follow, &log.checkpoint(), &chain, honest(&log));
    assert!(stopped.is_none(), "{stopped:?}");
    files.extend(came.files);
    let size = follow.size();
    for tile in tlog::tile::tiles_between(0, size) {
        let file = LogFile::Tile(tile);
        assert_eq!(files.get(&file.stored_path()), log.file(&file).as_ref(), "{tile}");
    }
    for index in 0..size.div_ceil(256) {
        let width = u16::try_from((size - index * 256).min(256)).unwrap();
        let file = LogFile::Entries { index, width };
        assert_eq!(files.get(&file.stored_path()), log.file(&file).as_ref(), "bundle {index}");
    }
    assert_eq!(files.get("checkpoint"), Some(&log.checkpoint().to_bytes()));
}

#[test]
fn following_goes_on_from_what_was_kept() {
    let mut log = opened(300);
    let mut first = follow();
    let chain = chain("a.example", 1);
    go(&mut first, &log.checkpoint(), &chain, honest(&log));
    let mut second = Follow::from_bytes(&first.to_bytes()).unwrap();
    assert_eq!((second.size(), second.verified()), (first.size(), first.verified()));
    log.grow(5, 1);
    let (came, stopped) = go(&mut second, &log.checkpoint(), &chain, honest(&log));
    assert!(stopped.is_none());
    assert_eq!(came.judged.len(), 5);
    assert!(Follow::from_bytes(&first.to_bytes()[1..]).is_none());
    assert!(Follow::from_bytes(&[]).is_none());
}

#[test]
fn a_root_that_is_missing_is_asked_for_and_nothing_is_lost() {
    let mut log = opened(3);
    log.move_root().grow(3, 1);
    let mut follow = follow();
    let serve = honest(&log);
    let (_, stopped) = go(&mut follow, &log.checkpoint(), &chain("a.example", 1), &serve);
    assert!(matches!(stopped, Some(Step::NeedsRoot(2))), "{stopped:?}");
    let Step::Entries(verified) = follow.advance(&chain("a.example", 2), PACE) else { panic!("goes on") };
    assert_eq!(verified.judged.len(), 8);
    assert!(verified.judged.iter().all(|judged| judged.record().is_some()));
}

#[test]
fn a_checkpoint_by_a_key_of_another_root_is_refused() {
    let mut log = opened(3);
    log.move_root().grow(3, 1);
    let mut follow = follow();
    let (came, stopped) = go(&mut follow, &log.checkpoint_by(1), &chain("a.example", 2), honest(&log));
    assert!(matches!(stopped, Some(Step::Fault(Fault::Key))), "{stopped:?}");
    assert!(came.judged.is_empty());
}

#[test]
fn a_rewritten_log_is_proven_and_nothing_of_it_is_taken() {
    let shared = opened(300);
    for (ours, theirs) in [(3, 4), (3, 2000), (700, 900), (0, 1)] {
        let (mut one, mut other) = (shared.clone(), shared.clone());
        one.grow(ours, 1);
        other.grow(1, 2).grow(theirs, 3);
        let chain = chain("a.example", 1);
        let mut follow = follow();
        go(&mut follow, &one.checkpoint(), &chain, honest(&one));
        let before = follow.size();
        if ours == 0 {
            // The shared beginning is no fork.
            assert!(go(&mut follow, &other.checkpoint(), &chain, honest(&other)).1.is_none());
            continue;
        }
        let (came, stopped) = go(&mut follow, &other.checkpoint(), &chain, honest(&other));
        let Some(Step::Split(split)) = stopped else { panic!("{ours} {theirs}: {stopped:?}") };
        let keys = chain.log_keys(1, &one.origin);
        assert_eq!(split.verify(&keys), Ok(()));
        assert!(came.judged.is_empty());
        assert_eq!((follow.size(), follow.root()), (before, one.root()));
    }
}

#[test]
fn two_checkpoints_of_one_size_are_two_views() {
    let (mut one, mut other) = (opened(3), opened(3));
    one.grow(1, 1);
    other.grow(1, 2);
    let mut follow = follow();
    go(&mut follow, &one.checkpoint(), &chain("a.example", 1), honest(&one));
    let Aim::Split(split) = follow.aim(&other.checkpoint(), PACE) else { panic!("a split") };
    assert_eq!(split.verify(&chain("a.example", 1).log_keys(1, &one.origin)), Ok(()));
}

#[test]
fn an_entry_that_is_no_record_does_not_stop_the_log() {
    let mut log = opened(3);
    log.push_bytes(b"nonsense".to_vec());
    log.grow(3, 1);
    let (came, stopped) = go(&mut follow(), &log.checkpoint(), &chain("a.example", 1), honest(&log));
    assert!(stopped.is_none());
    let invalid: Vec<u64> =
        came.judged.iter().filter(|judged| judged.record().is_none()).map(|judged| judged.index).collect();
    assert_eq!(invalid, [4]);
}

#[test]
fn own_entries_that_were_never_signed_are_not_taken_back() {
    let mut log = opened(3);
    log.push_bytes(b"nonsense".to_vec());
    let mut own = Follow::own(log.origin.clone(), None);
    let (_, stopped) = go(&mut own, &log.checkpoint(), &chain("a.example", 1), honest(&log));
    assert!(matches!(stopped, Some(Step::Fault(Fault::NotOurs))), "{stopped:?}");
}

#[test]
fn own_entries_that_come_back_lead_through_the_own_head() {
    let (mut log, mut other) = (opened(3), opened(3));
    log.grow(2, 1);
    let head = (log.entries.len() as u64, log.root());
    log.grow(700, 2);
    other.grow(702, 3);
    let chain = chain("a.example", 1);
    let mut own = Follow::own(log.origin.clone(), Some(head));
    assert!(go(&mut own, &log.checkpoint(), &chain, honest(&log)).1.is_none());
    let mut own = Follow::own(log.origin.clone(), Some(head));
    let (_, stopped) = go(&mut own, &other.checkpoint(), &chain, honest(&other));
    assert!(matches!(stopped, Some(Step::Fault(Fault::Contradicts))), "{stopped:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever one byte of whatever file becomes, nothing forged is taken.
    #[test]
    fn a_wrong_byte_is_found(old in 0_u64..300, more in 1_u64..900, which in 0_usize..8, at: usize, bit in 0_u8..8) {
        let mut log = opened(old);
        let chain = chain("a.example", 1);
        let mut follow = follow();
        go(&mut follow, &log.checkpoint(), &chain, honest(&log));
        log.grow(more, 1);
        let served = std::cell::Cell::new(0);
        let lying = |file: &LogFile| {
            let mut bytes = log.file(file)?;
            if served.replace(served.get() + 1) == which && !bytes.is_empty() {
                let at = at % bytes.len();
                bytes[at] ^= 1 << bit;
            }
            Some(bytes)
        };
        let (came, stopped) = go(&mut follow, &log.checkpoint(), &chain, lying);
        for judged in &came.judged {
            prop_assert_eq!(judged.leaf, tlog::leaf_hash(&log.entries[usize::try_from(judged.index).unwrap()]));
        }
        match stopped {
            None => prop_assert_eq!(follow.root(), log.root()),
            Some(Step::Fault(_)) => {}
            Some(other) => prop_assert!(false, "{other:?}"),
        }
    }
}

/// C2SP tlog-tiles: partial files may go once the full one is there, also while somebody follows an older checkpoint.
#[test]
fn a_partial_file_that_is_gone_is_cut_from_the_full_one() {
    for (before, records) in [(0, 249), (100, 249), (0, 700), (300, 700)] {
        let mut log = opened(before);
        let mut follow = follow();
        go(&mut follow, &log.checkpoint(), &chain("a.example", 1), honest(&log));
        log.grow(records - before, 0);
        let older = log.clone();
        log.grow(65_536, 1);
        let without_partial = |file: &LogFile| if file.full().is_some() { None } else { log.file(file) };
        let (_, stopped) = go(&mut follow, &older.checkpoint(), &chain("a.example", 1), without_partial);
        assert!(stopped.is_none(), "{before} to {records}: {stopped:?}");
        assert_eq!((follow.size(), follow.root()), (records + 1, older.root()));
    }
}
