//! How fast a log on this disk takes durable entries: `append_rate <folder> <entries> <callers> <bytes>`.
//!
//! Each caller appends one entry, waits until it is durable and published, and appends the next.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{Db, DbOptions, FolderLock, GroupCommit, Guard, LogWriter, ObjectFiles, SqlCells};
use tlog::{KeyType, LocalSigner, SecretKey};

const ORIGIN: &str = "bench.example/log/public/2020";
const PREFIX: &str = "log/public/2020/";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, entries, callers, bytes] = arguments.as_slice() else {
        return Err("append_rate <folder> <entries> <callers> <bytes>".into());
    };
    let (entries, callers, bytes): (usize, usize, usize) =
        (entries.parse()?, callers.parse()?, bytes.parse()?);
    let folder = PathBuf::from(folder);
    let _lock = FolderLock::acquire(&folder)?;
    let url = format!("sqlite:{}", folder.join("state.sqlite").display());
    let cells = SqlCells::open(Db::connect(&url, DbOptions::default()).await?).await?;
    let files = ObjectFiles::local(&folder.join("files"))?;
    let guard = Guard::create(&folder.join("guard"))?;
    let writer = Arc::new(LogWriter::new(Arc::new(cells), Arc::new(files), guard));
    let head = writer.open(ORIGIN, PREFIX).await?;
    let signer = LocalSigner::new(ORIGIN, KeyType::Ed25519, SecretKey::from_seed([1; 32]))?;
    let group = GroupCommit::new(Arc::clone(&writer), ORIGIN, PREFIX, Arc::new(signer));

    let start = Instant::now();
    let tasks: Vec<_> = (0..callers)
        .map(|caller| tokio::spawn(append_many(group.clone(), caller, entries / callers.max(1), bytes)))
        .collect();
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await??);
    }
    let elapsed = start.elapsed();
    writer.settle().await?;
    times.sort_unstable();
    let at = |part: usize| {
        times.get((times.len() * part / 1000).min(times.len() - 1)).copied().unwrap_or_default()
    };
    println!(
        "from {} on: {} entries of {bytes} bytes by {callers} callers in {:.2} s: {:.0}/s, p50 {:.2} ms, p99 {:.2} ms; settled {:.2} s later",
        head.map_or(0, |head| head.checkpoint.size),
        times.len(),
        elapsed.as_secs_f64(),
        f64::from(u32::try_from(times.len())?) / elapsed.as_secs_f64(),
        at(500).as_secs_f64() * 1000.0,
        at(990).as_secs_f64() * 1000.0,
        start.elapsed().saturating_sub(elapsed).as_secs_f64(),
    );
    Ok(())
}

async fn append_many(
    group: GroupCommit,
    caller: usize,
    count: usize,
    bytes: usize,
) -> Result<Vec<Duration>, Arc<store::LogError>> {
    let mut times = Vec::with_capacity(count);
    for n in 0..count {
        let mut entry = format!("caller {caller} entry {n} ").into_bytes();
        entry.resize(bytes, b'.');
        let start = Instant::now();
        group.append(entry).await?;
        times.push(start.elapsed());
    }
    Ok(times)
}
