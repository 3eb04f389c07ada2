//! The writer dies at every single write, with and without the machine, and what was acknowledged is there.
//!
//! A world outlives its writers: cells, files and guard. Each life of a writer ends at its k-th write. If
//! the machine dies too, each file write that was not durable is lost, kept or torn by the seed.

use crate::suite::{ORIGIN, PREFIX, signer};
use bytes::Bytes;
use futures::FutureExt;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use store::files::{Crash, FileWrite};
use store::{CellFault, Cells, Files, Guard, LogError, LogReader, LogWriter, MemoryCells, MemoryFiles, Swap};
use tlog::tile::{TileId, parse_bundle_path};
use tlog::{Hash, SignedCheckpoint, leaf_hash, root_of_leaves};

/// What happens in one life of a writer.
#[derive(Debug, Clone)]
struct Life {
    /// The sizes of the batches it appends.
    batches: Vec<usize>,
    /// At which of its writes it dies; `usize::MAX` for never.
    dies_at: usize,
    /// Whether the write that kills it in the cells happens all the same.
    answer_is_lost: bool,
    /// Whether the machine dies with it, and what becomes of the files then.
    machine_dies: Option<u64>,
}

#[derive(Clone)]
struct World {
    cells: MemoryCells,
    files: MemoryFiles,
    guard: Guard,
    /// Every checkpoint that was ever visible, by size.
    published: Arc<Mutex<BTreeMap<u64, Hash>>>,
    acknowledged: Vec<(u64, Vec<u8>)>,
    next: usize,
}

/// Counts writes; says no to the k-th and to all after it.
#[derive(Clone)]
struct Fate {
    writes: Arc<AtomicUsize>,
    dies_at: usize,
}

impl Fate {
    fn next(&self) -> (bool, bool) {
        let write = self.writes.fetch_add(1, Ordering::SeqCst);
        (write < self.dies_at, write == self.dies_at)
    }
}

impl World {
    fn new(files: MemoryFiles) -> Self {
        Self {
            cells: MemoryCells::new(),
            files,
            guard: Guard::memory(),
            published: Arc::default(),
            acknowledged: Vec::new(),
            next: 0,
        }
    }

    /// A writer that dies as its life says, and whose writes are watched.
    fn writer(&self, life: &Life, fate: &Fate) -> LogWriter {
        let (in_cells, in_files, in_guard) = (fate.clone(), fate.clone(), fate.clone());
        let lost = life.answer_is_lost;
        let cells = self.cells.with_fault(move |_: &[Swap]| match in_cells.next() {
            (true, _) => CellFault::Go,
            (false, true) if lost => CellFault::LoseAnswer,
            (false, _) => CellFault::Refuse,
        });
        let watch = self.clone();
        let files = self.files.with_fault(move |write| {
            let (lives, _) = in_files.next();
            if lives {
                watch.check_write(write);
            }
            lives
        });
        let guard = self.guard.with_fault(move |_, _| in_guard.next().0);
        LogWriter::new(Arc::new(cells), Arc::new(files), guard).settling_after(3)
    }

    /// The order of an append, seen from outside: before each write, what must have happened has.
    fn check_write(&self, write: FileWrite<'_>) {
        let (FileWrite::Put(path, bytes) | FileWrite::Deferred(path, bytes)) = write else { return };
        let Some(path) = path.strip_prefix(PREFIX) else { return };
        let committed = self.committed();
        if path == "checkpoint" {
            let checkpoint = SignedCheckpoint::parse(bytes).unwrap().checkpoint;
            assert!(checkpoint.size <= committed, "published before the commit");
            assert!(self.guard.read(ORIGIN).unwrap() >= Some(checkpoint.size), "published before the guard");
            let before = self.published.lock().unwrap().insert(checkpoint.size, checkpoint.root);
            assert!(
                before.is_none_or(|root| root == checkpoint.root),
                "two roots for size {}",
                checkpoint.size
            );
        } else if let Ok((index, _)) = parse_bundle_path(path) {
            let entries = (1..=256).rev().find(|count| tlog::read_bundle(bytes, *count).is_ok());
            let end = index * 256 + entries.unwrap() as u64;
            assert!(end <= committed, "entries up to {end} at their place, committed {committed}");
        } else {
            let tile = TileId::parse_path(path).unwrap();
            let leaves_per_hash = 256_u64.pow(u32::from(tile.level));
            let end = (tile.index * 256 + bytes.len() as u64 / 32) * leaves_per_hash;
            assert!(end <= committed, "hashes up to {end} at their place, committed {committed}");
        }
    }

    fn committed(&self) -> u64 {
        let head = self.cells.get(store::log::HEAD, ORIGIN).now_or_never().unwrap().unwrap();
        head.map_or(0, |bytes| SignedCheckpoint::parse(&bytes).unwrap().checkpoint.size)
    }

    /// Lives one life; answers how many writes it made.
    async fn live(&mut self, life: &Life) -> usize {
        let fate = Fate { writes: Arc::default(), dies_at: life.dies_at };
        let writer = self.writer(life, &fate);
        let mut lives = writer.recover(store::layout::own_log_of).await.is_ok();
        for count in &life.batches {
            if !lives {
                break;
            }
            let batch: Vec<Vec<u8>> =
                (self.next..self.next + count).map(|n| format!("entry {n}").into_bytes()).collect();
            self.next += count;
            match writer.append(ORIGIN, PREFIX, batch.clone(), &signer()).await {
                Ok(appended) => self.acknowledged.extend((appended.first..).zip(batch)),
                // In the log, as the error says: the caller may count on it.
                Err(LogError::NotPublished { appended, .. }) => {
                    self.acknowledged.extend((appended.first..).zip(batch));
                    lives = false;
                }
                Err(_) => lives = false,
            }
        }
        drop(writer);
        if let Some(seed) = life.machine_dies {
            let mut seed = seed;
            self.files.crash(|_| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                [Crash::Lost, Crash::Kept, Crash::Torn][usize::try_from(seed >> 33).unwrap() % 3]
            });
        }
        fate.writes.load(Ordering::SeqCst)
    }

    /// After a last life without faults: the log is whole, and holds all that was ever said of it.
    async fn check(&mut self) {
        let last = Life { batches: vec![2], dies_at: usize::MAX, answer_is_lost: false, machine_dies: None };
        let before = self.acknowledged.len();
        self.live(&last).await;
        assert_eq!(self.acknowledged.len(), before + 2, "the log goes on");
        let size = self.committed();
        let files: Arc<dyn Files> = Arc::new(self.files.clone());
        let reader = LogReader::new(Arc::clone(&files), PREFIX, size);
        let entries = reader.read_entries(0..size).await.unwrap();
        for (index, entry) in &self.acknowledged {
            assert_eq!(&entries[usize::try_from(*index).unwrap()], entry, "acknowledged entry {index}");
        }
        let leaves: Vec<Hash> = entries.iter().map(|entry: &Bytes| leaf_hash(entry)).collect();
        assert_eq!(reader.edge().await.unwrap().root(), root_of_leaves(&leaves));
        for (size, root) in &*self.published.lock().unwrap() {
            let then = root_of_leaves(&leaves[..usize::try_from(*size).unwrap()]);
            assert_eq!(*root, then, "the checkpoint published at size {size} is of another log");
        }
        let published = files.get(&format!("{PREFIX}checkpoint")).await.unwrap().unwrap();
        assert_eq!(SignedCheckpoint::parse(&published).unwrap().checkpoint.size, size);
        for index in [0, size / 2, size - 1] {
            let path = reader.prove_inclusion(index).await.unwrap();
            let leaf = leaves[usize::try_from(index).unwrap()];
            tlog::verify_inclusion(leaf, index, size, &path, root_of_leaves(&leaves)).unwrap();
        }
    }
}

const BATCHES: [usize; 9] = [1, 2, 250, 4, 1, 300, 1, 1, 513];

/// Every k, for a process that dies alone and for machines that die in several ways.
async fn dies_at_every_write(new_files: fn() -> MemoryFiles) {
    let life = |dies_at, answer_is_lost, machine_dies| Life {
        batches: BATCHES.to_vec(),
        dies_at,
        answer_is_lost,
        machine_dies,
    };
    let writes = World::new(new_files()).live(&life(usize::MAX, false, None)).await;
    assert!(writes > BATCHES.len() * 6, "{writes} writes");
    for k in 0..=writes {
        for machine_dies in [None, Some(1), Some(2), Some(3)] {
            let answer_is_lost = machine_dies.is_some_and(|seed| seed % 2 == 1);
            let mut world = World::new(new_files());
            world.live(&life(k, answer_is_lost, machine_dies)).await;
            world.check().await;
        }
    }
}

#[tokio::test]
async fn a_writer_in_a_folder_dies_at_every_write() {
    dies_at_every_write(MemoryFiles::new).await;
}

#[tokio::test]
async fn a_writer_on_a_bucket_dies_at_every_write() {
    dies_at_every_write(MemoryFiles::durable).await;
}

/// The recovery itself dies at each of its writes, and the next one starts from what that left.
#[tokio::test]
async fn a_recovery_dies_at_every_write() {
    for first in [20, 30, 41] {
        for k in 0..24 {
            let life = |batches: &[usize], dies_at, seed| Life {
                batches: batches.to_vec(),
                dies_at,
                answer_is_lost: seed % 2 == 0,
                machine_dies: Some(seed),
            };
            let mut world = World::new(MemoryFiles::new());
            world.live(&life(&BATCHES, first, 5)).await;
            world.live(&life(&[3], k, 6)).await;
            world.live(&life(&[1], k / 2, 7)).await;
            world.check().await;
        }
    }
}

fn life() -> impl Strategy<Value = Life> {
    let batch = prop_oneof![4 => 1_usize..5, 1 => 200_usize..300, 1 => 500_usize..530];
    let dies_at = prop_oneof![4 => 0_usize..60, 1 => Just(usize::MAX)];
    (prop::collection::vec(batch, 0..7), dies_at, any::<bool>(), any::<Option<u64>>()).prop_map(
        |(batches, dies_at, answer_is_lost, machine_dies)| Life {
            batches,
            dies_at,
            answer_is_lost,
            machine_dies,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn many_lives_lose_nothing_and_never_fork(lives in prop::collection::vec(life(), 1..7), bucket: bool) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new(if bucket { MemoryFiles::durable() } else { MemoryFiles::new() });
            for life in &lives {
                world.live(life).await;
            }
            world.check().await;
        });
    }
}
