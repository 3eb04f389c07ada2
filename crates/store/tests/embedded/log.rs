//! Appending, reading, and what a writer refuses.

use crate::suite::{ORIGIN, PREFIX, signer};
use std::sync::Arc;
use store::{
    Cells, Files, Guard, LogError, LogReader, LogWriter, MemoryCells, MemoryFiles, ObjectFiles, Standing,
    Swap,
};
use tlog::{Hash, TileId, leaf_hash, root_of_leaves, verify_consistency, verify_inclusion};

struct Node {
    cells: Arc<dyn Cells>,
    files: Arc<dyn Files>,
    guard: Guard,
}

impl Node {
    fn new() -> Self {
        let files = Arc::new(MemoryFiles::new());
        Self { cells: Arc::new(MemoryCells::new()), files, guard: Guard::memory() }
    }

    fn writer(&self) -> LogWriter {
        LogWriter::new(Arc::clone(&self.cells), Arc::clone(&self.files), self.guard.clone())
    }
}

fn entries(from: usize, count: usize) -> Vec<Vec<u8>> {
    (from..from + count).map(|n| format!("entry {n}").into_bytes()).collect()
}

fn leaves(count: usize) -> Vec<Hash> {
    entries(0, count).iter().map(|entry| leaf_hash(entry)).collect()
}

#[tokio::test]
async fn what_is_appended_is_read_and_proven() {
    let node = Node::new();
    let writer = node.writer();
    let mut size = 0;
    for count in [1, 3, 252, 1, 255, 600, 70_000 - 1112, 5] {
        for batch in entries(size, count).chunks(store::log::MAX_BATCH) {
            let appended = writer.append(ORIGIN, PREFIX, batch.to_vec(), &signer()).await.unwrap();
            assert_eq!(appended.first, size as u64);
            size += batch.len();
            assert_eq!(appended.checkpoint.checkpoint.size, size as u64);
            let root = root_of_leaves(&leaves(size));
            assert_eq!(appended.checkpoint.checkpoint.root, root);
        }
    }
    let reader = writer.reader(ORIGIN, PREFIX).await.unwrap();
    assert_eq!(reader.read_entry(256).await.unwrap(), "entry 256");
    assert_eq!(reader.read_entries(250..1200).await.unwrap(), entries(250, 950));
    let (all, root) = (leaves(size), root_of_leaves(&leaves(size)));
    for index in [0, 255, 256, size - 1] {
        let path = reader.prove_inclusion(index as u64).await.unwrap();
        verify_inclusion(all[index], index as u64, size as u64, &path, root).unwrap();
    }
    for old in [1, 4, 256, 257, 1112, size] {
        let proof = reader.prove_consistency(old as u64).await.unwrap();
        verify_consistency(old as u64, root_of_leaves(&all[..old]), size as u64, root, &proof).unwrap();
    }
    for outside in [size as u64, u64::MAX] {
        assert!(matches!(reader.read_entry(outside).await, Err(LogError::Outside { .. })));
    }
}

#[tokio::test]
async fn partial_tiles_are_cut_from_the_growing_one() {
    let node = Node::new();
    let writer = node.writer();
    writer.append(ORIGIN, PREFIX, entries(0, 300), &signer()).await.unwrap();
    // A reader of an older size sees what that size had.
    let reader = LogReader::new(Arc::clone(&node.files), PREFIX, 260);
    let tile = reader.by_path("tile/0/001.p/4").await.unwrap().unwrap();
    let hashes: Vec<u8> = leaves(300)[256..260].iter().flat_map(|hash| hash.0).collect();
    assert_eq!(tile, hashes);
    let bundle = reader.by_path("tile/entries/001.p/2").await.unwrap().unwrap();
    assert_eq!(bundle, tlog::write_bundle(&entries(256, 2)).unwrap());
    assert_eq!(reader.by_path("tile/0/000").await.unwrap().unwrap().len(), 256 * 32);
    assert_eq!(reader.by_path("tile/1/000.p/1").await.unwrap().unwrap().len(), 32);
    for beyond in
        ["tile/0/001", "tile/0/001.p/5", "tile/0/002.p/1", "tile/1/000", "tile/entries/001", "other"]
    {
        assert_eq!(reader.by_path(beyond).await.unwrap(), None, "{beyond}");
    }
    let cut = TileId { level: 0, index: 1, width: 0 };
    assert_eq!(reader.tile(cut).await.unwrap(), None);
}

#[tokio::test]
async fn a_log_goes_on_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let files: Arc<dyn Files> = Arc::new(ObjectFiles::local(&folder.path().join("files")).unwrap());
    let guard = Guard::create(&folder.path().join("guard")).unwrap();
    let node = Node { cells: Arc::new(MemoryCells::new()), files, guard };
    for turn in 0..5 {
        let guard = Guard::open(&folder.path().join("guard")).unwrap();
        let writer = LogWriter::new(Arc::clone(&node.cells), Arc::clone(&node.files), guard);
        let heads = writer.recover(store::layout::own_log_of).await.unwrap();
        assert_eq!(heads.len(), usize::from(turn > 0));
        writer.append(ORIGIN, PREFIX, entries(turn * 200, 200), &signer()).await.unwrap();
        if turn == 2 {
            writer.settle().await.unwrap();
            assert_eq!(node.files.list("staging").await.unwrap(), Vec::<String>::new());
        }
    }
    let reader = node.writer().reader(ORIGIN, PREFIX).await.unwrap();
    assert_eq!(reader.read_entries(0..1000).await.unwrap(), entries(0, 1000));
    assert_eq!(reader.edge().await.unwrap().root(), root_of_leaves(&leaves(1000)));
}

#[tokio::test]
async fn whoever_loses_the_head_appends_nothing() {
    let node = Node::new();
    let (one, two) = (node.writer(), node.writer());
    one.append(ORIGIN, PREFIX, entries(0, 2), &signer()).await.unwrap();
    two.append(ORIGIN, PREFIX, entries(2, 2), &signer()).await.unwrap();
    let lost = one.append(ORIGIN, PREFIX, entries(9, 1), &signer()).await;
    assert!(matches!(lost, Err(LogError::LostHead { .. })), "{lost:?}");
    let appended = one.append(ORIGIN, PREFIX, entries(4, 300), &signer()).await.unwrap();
    assert_eq!(appended.first, 4);
    let reader = one.reader(ORIGIN, PREFIX).await.unwrap();
    assert_eq!(reader.read_entries(0..304).await.unwrap(), entries(0, 304));
}

#[tokio::test]
async fn cells_change_with_the_log_or_neither_does() {
    let node = Node::new();
    let writer = node.writer();
    let released = |old: Option<&str>, first: u64| {
        vec![Swap::new("draft", "a", old.map(Into::into), Some(format!("at {first}").into_bytes()))]
    };
    let key = signer();
    let first = |at: &store::Appended| released(None, at.first);
    writer.append_with(ORIGIN, PREFIX, entries(0, 1), first, &key).await.unwrap();
    assert_eq!(node.cells.get("draft", "a").await.unwrap(), Some(b"at 0".to_vec()));
    let refused = writer.append_with(ORIGIN, PREFIX, entries(1, 1), first, &key).await;
    assert!(matches!(refused, Err(LogError::Conflict { .. })), "{refused:?}");
    assert_eq!(writer.head(ORIGIN).await.unwrap().unwrap().checkpoint.size, 1);
    let again = |at: &store::Appended| released(Some("at 0"), at.first);
    let appended = writer.append_with(ORIGIN, PREFIX, entries(1, 1), again, &key).await;
    assert_eq!(appended.unwrap().first, 1);
}

#[tokio::test]
async fn a_batch_beyond_the_limits_is_refused() {
    let writer = Node::new().writer();
    let key = signer();
    let refuse = |batch| writer.append(ORIGIN, PREFIX, batch, &key);
    assert!(matches!(refuse(vec![]).await, Err(LogError::Empty { .. })));
    let large = refuse(vec![vec![0; 65_535], vec![0; 65_536]]).await;
    assert!(matches!(large, Err(LogError::EntryTooLarge { entry: 1, size: 65_536, .. })));
    let many = refuse(vec![vec![]; store::log::MAX_BATCH + 1]).await;
    assert!(matches!(many, Err(LogError::BatchTooLarge { .. })));
    assert_eq!(refuse(vec![vec![0; 65_535], vec![]]).await.unwrap().checkpoint.checkpoint.size, 2);
}

#[tokio::test]
async fn a_state_from_a_backup_does_not_sign() {
    let cells = MemoryCells::new();
    let node = Node { cells: Arc::new(cells.clone()), ..Node::new() };
    node.writer().append(ORIGIN, PREFIX, entries(0, 3), &signer()).await.unwrap();
    let backup = cells.snapshot();
    node.writer().append(ORIGIN, PREFIX, entries(3, 2), &signer()).await.unwrap();
    let restored =
        Node { cells: Arc::new(backup), files: Arc::clone(&node.files), guard: node.guard.clone() };
    let refused = restored.writer().append(ORIGIN, PREFIX, entries(3, 1), &signer()).await;
    assert!(matches!(refused, Err(LogError::GuardAhead { signed: 5, head: 3, .. })), "{refused:?}");
    // On another machine there is no guard; the caller decides when it may sign again.
    let moved = Node { guard: Guard::memory_missing(), ..restored };
    let refused = moved.writer().append(ORIGIN, PREFIX, entries(3, 1), &signer()).await;
    assert!(matches!(refused, Err(LogError::GuardMissing { .. })), "{refused:?}");
    moved.guard.resume(ORIGIN, 3).await.unwrap();
    assert_eq!(moved.guard.standing(ORIGIN, Some(3)).unwrap(), Standing::InStep);
    moved.writer().append(ORIGIN, PREFIX, entries(3, 1), &signer()).await.unwrap();
}

#[tokio::test]
async fn cosignatures_are_published_with_the_head_they_cover() {
    let node = Node::new();
    let writer = node.writer();
    let first = writer.append(ORIGIN, PREFIX, entries(0, 1), &signer()).await.unwrap().checkpoint;
    let secret = tlog::SecretKey::from_seed([9; 32]);
    let witness =
        tlog::LocalSigner::new("who.example/witness/1", tlog::KeyType::Cosignature, secret).unwrap();
    let mut cosigned = first.clone();
    cosigned.add_cosignature(first.cosign(&witness, 1_600_000_000).unwrap()).unwrap();
    assert!(writer.publish_cosigned(ORIGIN, PREFIX, &cosigned).await.unwrap());
    let path = format!("{PREFIX}checkpoint");
    assert_eq!(node.files.get(&path).await.unwrap().unwrap(), cosigned.to_bytes());
    node.writer().open(ORIGIN, PREFIX).await.unwrap();
    assert_eq!(node.files.get(&path).await.unwrap().unwrap(), cosigned.to_bytes(), "a restart keeps them");
    let second = writer.append(ORIGIN, PREFIX, entries(1, 1), &signer()).await.unwrap().checkpoint;
    assert!(!writer.publish_cosigned(ORIGIN, PREFIX, &cosigned).await.unwrap());
    assert_eq!(node.files.get(&path).await.unwrap().unwrap(), second.to_bytes());
}

#[tokio::test]
async fn a_damaged_tile_is_found_before_it_is_built_upon() {
    let node = Node::new();
    let writer = node.writer();
    writer.append(ORIGIN, PREFIX, entries(0, 300), &signer()).await.unwrap();
    writer.settle().await.unwrap();
    let path = format!("{PREFIX}tile/entries/001");
    let mut damaged = node.files.get(&path).await.unwrap().unwrap().to_vec();
    damaged[5] ^= 1;
    node.files.put(&path, damaged.into()).await.unwrap();
    let refused = node.writer().append(ORIGIN, PREFIX, entries(300, 1), &signer()).await;
    assert!(matches!(&refused, Err(LogError::Damaged { path: named }) if *named == path), "{refused:?}");
}

/// Bundle and tile of a growing end say different things: the signed root says which of them is wrong.
#[tokio::test]
async fn a_damaged_tile_of_the_end_is_named_and_not_its_bundle() {
    let node = Node::new();
    let writer = node.writer();
    writer.append(ORIGIN, PREFIX, entries(0, 3), &signer()).await.unwrap();
    writer.settle().await.unwrap();
    let path = format!("{PREFIX}tile/0/000");
    let right = node.files.get(&path).await.unwrap().unwrap();
    let mut turned = right.to_vec();
    turned[40] ^= 1;
    for damaged in [turned, right[..33].to_vec()] {
        node.files.put(&path, damaged.into()).await.unwrap();
        let refused = node.writer().open(ORIGIN, PREFIX).await.unwrap_err();
        let is_named = |named: &String| *named == path;
        assert!(
            matches!(&refused, LogError::Damaged { path } | LogError::MissingFile { path } if is_named(path)),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn what_is_read_is_of_the_signed_root_or_its_file_is_named() {
    for size in [5, 256, 300, 600] {
        let node = Node::new();
        let appended = node.writer().append(ORIGIN, PREFIX, entries(0, size), &signer()).await.unwrap();
        let root = appended.checkpoint.checkpoint.root;
        let reader = LogReader::new(Arc::clone(&node.files), PREFIX, size as u64);
        for range in [0..size, size - 1..size, 1..size - 1, 2..2] {
            let read = reader.read_vouched(range.start as u64..range.end as u64, root).await.unwrap();
            assert_eq!(read, entries(range.start, range.len()));
        }
        for path in node.files.list(&format!("{PREFIX}tile")).await.unwrap() {
            let right = node.files.get(&path).await.unwrap().unwrap();
            let mut wrong = right.to_vec();
            let middle = wrong.len() / 2;
            wrong[middle] ^= 4;
            for damaged in [wrong, right[..right.len() - 1].to_vec()] {
                node.files.put(&path, damaged.into()).await.unwrap();
                match reader.read_vouched(0..size as u64, root).await {
                    Err(LogError::Damaged { path: named }) => assert_eq!(named, path),
                    // A tile above one that is full and alone is not needed.
                    Ok(read) => assert!(size == 256 && path.contains("tile/1/") && read == entries(0, size)),
                    other => panic!("{path} of {size}: {other:?}"),
                }
            }
            node.files.put(&path, right).await.unwrap();
        }
    }
}

/// The next number of `SplitMix64`.
fn draw(state: &mut u64) -> usize {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    usize::try_from((z ^ (z >> 31)) >> 1).unwrap()
}

/// Hash tiles of every level, entries, full ones and those that grow: each of them, at bits drawn from a seed.
#[tokio::test]
async fn one_wrong_bit_in_any_file_of_a_log_is_found_where_it_is() {
    let mut seed = 20_261_130;
    for size in [5, 256, 300, 66_000] {
        let node = Node::new();
        let mut appended = None;
        for batch in entries(0, size).chunks(store::log::MAX_BATCH) {
            appended = Some(node.writer().append(ORIGIN, PREFIX, batch.to_vec(), &signer()).await.unwrap());
        }
        let root = appended.unwrap().checkpoint.checkpoint.root;
        let reader = LogReader::new(Arc::clone(&node.files), PREFIX, size as u64);
        assert_eq!(reader.damage(root).await.unwrap(), Vec::<String>::new(), "{size} whole");
        let mut files = node.files.list(&format!("{PREFIX}tile")).await.unwrap();
        // Of many alike some, and the first and last of each level.
        let is_edge =
            |path: &String| path.ends_with("/000") || path.contains("tile/1/") || path.contains("tile/2/");
        files.retain(|path| is_edge(path) || draw(&mut seed).is_multiple_of(if size > 300 { 60 } else { 1 }));
        for path in files {
            let right = node.files.get(&path).await.unwrap().unwrap();
            let at = draw(&mut seed) % (right.len() * 8);
            let mut wrong = right.to_vec();
            wrong[at / 8] ^= 1 << (at % 8);
            node.files.put(&path, wrong.into()).await.unwrap();
            assert_eq!(
                reader.damage(root).await.unwrap(),
                std::slice::from_ref(&path),
                "bit {at} of {size} entries"
            );
            node.files.delete(&path).await.unwrap();
            assert_eq!(
                reader.damage(root).await.unwrap(),
                std::slice::from_ref(&path),
                "missing, of {size} entries"
            );
            node.files.put(&path, right).await.unwrap();
        }
    }
}
