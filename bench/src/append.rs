//! Durable appends: releases by our node, the same bytes with one fsync per batch, and Tessera's POSIX driver.
//!
//! Callers each append one entry, wait until it is durable, and append the next, so that as many entries as there
//! are callers become one batch.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use node::node::Node;
use node::own_log::Audience;
use node::release::{Draft, ReleaseError};
use record::{Line, Status};

use crate::authority::Authority;
use crate::table::{Table, median, thousands, times};
use crate::tessera::Tessera;
use crate::{Failure, Setting};

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
            let name = format!("ours-{callers}-{pass}.example");
            ours.push(rate(entries, Box::pin(append(setting, &name, entries, callers)).await?));
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
    table.note(
        "ours: Node::release, answered when signed, durable, committed with all of state, guarded, published and in the index.",
    );
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

/// Seconds to release records through a node, as an operator's are; the log is open.
async fn append(setting: &Setting, name: &str, entries: usize, callers: usize) -> Result<f64, Failure> {
    let author = Authority::make(setting, name, setting.port, &[]).await?;
    let node = Arc::new(Node::open(author.config()?).await?);
    node.release(&Audience::Public, vec![draft(0, 0)?]).await?;
    let mut drafts = Vec::new();
    for caller in 0..callers {
        drafts.push((0..entries / callers).map(|n| draft(caller, n)).collect::<Result<Vec<_>, _>>()?);
    }
    let began = Instant::now();
    let callers = drafts.into_iter().map(|drafts| {
        let node = Arc::clone(&node);
        tokio::spawn(async move {
            for draft in drafts {
                node.release(&Audience::Public, vec![draft]).await?;
            }
            Ok::<_, ReleaseError>(())
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await??;
    }
    // What was left for later counts too.
    node.writer.settle().await?;
    let seconds = began.elapsed().as_secs_f64();
    node.close().await;
    Ok(seconds)
}

/// A record of about as many bytes as the other entries have.
fn draft(caller: usize, n: usize) -> Result<Draft, Failure> {
    let mut draft = Draft::new("notice", Status::Exercise);
    for part in 0..3 {
        let text = format!("caller {caller} entry {n} part {part} {}", ".".repeat(170));
        draft.own.push(Line::new("summary", text)?);
    }
    Ok(draft)
}
