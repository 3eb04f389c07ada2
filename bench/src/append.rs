//! Durable appends: our log, the same bytes with one fsync per batch, and Tessera's POSIX driver.
//!
//! Callers each append one entry, wait until it is durable, and append the next, so that as many entries as there
//! are callers become one batch.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use store::{Db, DbOptions, FolderLock, GroupCommit, Guard, LogWriter, ObjectFiles, SqlCells};
use tlog::{KeyType, LocalSigner, SecretKey};

use crate::table::{Table, median, thousands, times};
use crate::tessera::Tessera;
use crate::{Failure, Setting};

const ORIGIN: &str = "bench.example/log/public/2020";
const PREFIX: &str = "log/public/2020/";
/// Bytes of an entry: about those of a record that names two blobs.
const BYTES: usize = 1024;
/// Callers, and batches that each number of callers makes.
const SIZES: [(usize, usize); 3] = [(1, 100), (16, 60), (256, 30)];
/// How often each is measured, in turn; the median counts.
const PASSES: usize = 3;

/// Measures and prints.
pub async fn measure(setting: &Setting) -> Result<(), Failure> {
    let headings = [
        "callers at once",
        "fsync alone: entries/s",
        "ours: entries/s",
        "of fsync",
        "Tessera: entries/s",
        "ours/Tessera",
    ];
    let mut table = Table::new("Durable appends", &headings);
    let tessera = Tessera::build(&setting.folder);
    let more = if setting.full { 4 } else { 1 };
    for (callers, batches) in SIZES {
        let entries = callers * batches * more;
        let (mut plain, mut ours, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
        for pass in 0..PASSES {
            let folder = |what: &str| setting.folder.join(format!("{what}-{callers}-{pass}"));
            plain.push(rate(entries, fsync_alone(&folder("plain"), entries, callers)?));
            ours.push(rate(entries, append(&folder("ours"), entries, callers).await?));
            if let Ok(tessera) = &tessera {
                theirs.push(rate(entries, tessera.run(&folder("tessera"), entries, callers, BYTES)?.seconds));
            }
        }
        let (plain, ours) = (median(plain), median(ours));
        let theirs = tessera.is_ok().then(|| median(theirs));
        table.row([
            callers.to_string(),
            thousands(plain),
            thousands(ours),
            times(ours, plain),
            theirs.map_or_else(|| "–".to_owned(), thousands),
            times(ours, theirs.unwrap_or(0.0)),
        ]);
    }
    table.note(format!(
        "Entries of {BYTES} bytes, median of {PASSES} runs in turn, each to a new log in a new folder."
    ));
    table.note("ours: answered when durable, committed, guarded and published (three waits for the disk).");
    table.note(tessera.err().unwrap_or_else(|| {
        "Tessera: answered when durable and integrated; its checkpoint follows within 100 ms.".to_owned()
    }));
    table.print();
    Ok(())
}

#[allow(clippy::cast_precision_loss)] // Counts of entries.
fn rate(entries: usize, seconds: f64) -> f64 {
    entries as f64 / seconds
}

fn entry(caller: usize, n: usize) -> Vec<u8> {
    let mut entry = format!("caller {caller} entry {n} ").into_bytes();
    entry.resize(BYTES, b'.');
    entry
}

/// Seconds to write the same bytes to one file, flushed after as many entries as there are callers.
fn fsync_alone(path: &Path, entries: usize, callers: usize) -> Result<f64, Failure> {
    let mut file = File::create(path)?;
    let began = Instant::now();
    for n in 0..entries / callers {
        let batch: Vec<u8> = (0..callers).flat_map(|caller| entry(caller, n)).collect();
        file.write_all(&batch)?;
        file.sync_all()?;
    }
    Ok(began.elapsed().as_secs_f64())
}

/// Seconds to append to a log of ours.
async fn append(folder: &Path, entries: usize, callers: usize) -> Result<f64, Failure> {
    std::fs::create_dir_all(folder)?;
    let _lock = FolderLock::acquire(folder)?;
    let url = format!("sqlite:{}", folder.join("state.sqlite").display());
    let cells = SqlCells::open(Db::connect(&url, DbOptions::default()).await?).await?;
    let files = ObjectFiles::local(&folder.join("files"))?;
    let guard = Guard::create(&folder.join("guard"))?;
    let writer = Arc::new(LogWriter::new(Arc::new(cells), Arc::new(files), guard));
    writer.open(ORIGIN, PREFIX).await?;
    let signer = LocalSigner::new(ORIGIN, KeyType::Ed25519, SecretKey::from_seed([1; 32]))?;
    let group = GroupCommit::new(Arc::clone(&writer), ORIGIN, PREFIX, Arc::new(signer));
    let began = Instant::now();
    let tasks: Vec<_> = (0..callers)
        .map(|caller| {
            let group = group.clone();
            tokio::spawn(async move {
                for n in 0..entries / callers {
                    group.append(entry(caller, n)).await?;
                }
                Ok::<_, Arc<store::LogError>>(())
            })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    // What was left for later counts too.
    writer.settle().await?;
    Ok(began.elapsed().as_secs_f64())
}
