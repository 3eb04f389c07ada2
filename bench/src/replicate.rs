//! A log copied from node to node: two processes of the real program, real disks, HTTP over loopback. The reader
//! is cold, and verifies the author's signature of every record.
//!
//! Beside it, in the same run: the rate at which all cores do nothing but hash the same records and call
//! `verify_strict` of `ed25519-dalek` for each. Both nodes share this machine, so the author's work to serve slows
//! the reader down; processor time per record, which other work on the machine disturbs less, is given too.

use std::time::{Duration, Instant};

use node::own_log::Audience;
use record::Origin;

use crate::authority::{Authority, client, size_of};
use crate::table::{Table, megabytes, percent, thousands};
use crate::{Failure, Setting};

mod author;
mod bare;

use bare::{Cost, Sample};

/// Records replicated, and with `--full`.
const RECORDS: (u64, u64) = (100_000, 1_000_000);
/// Records of the sample that is verified in memory.
const SAMPLE: u64 = 50_000;
/// How often it is looked how far the reader is.
const LOOK: Duration = Duration::from_millis(20);
/// If nothing arrives for so long, nothing will.
const PATIENCE: Duration = Duration::from_mins(2);
/// Parts after which the reader's memory is read.
const PARTS: u64 = 5;

/// How far the reader was at a moment.
struct Mark {
    entries: u64,
    after: Duration,
    resident: u64,
}

/// What was seen of the two nodes.
struct Seen {
    verified: Duration,
    indexed: Duration,
    reader_verified: Duration,
    reader: Duration,
    author: Duration,
    marks: Vec<Mark>,
    peak: u64,
    disk: u64,
}

/// Measures and prints.
pub async fn measure(setting: &Setting) -> Result<(), Failure> {
    let records = setting.records.unwrap_or(if setting.full { RECORDS.1 } else { RECORDS.0 });
    let mut author =
        Authority::make(setting, "a.example", setting.port, &[("b.example", setting.port + 1)]).await?;
    let mut reader =
        Authority::make(setting, "b.example", setting.port + 1, &[("a.example", setting.port)]).await?;
    let released = author::release(&author, records).await?;
    let sample = Box::pin(Sample::read(&author, &released.origin, SAMPLE.min(records))).await?;
    let before = sample.bare();
    let judged = sample.judged()?;
    author.serve().await?;
    reader.serve().await?;
    author.confirm(&reader).await?;
    let seen = replicate(&author, &reader, released.entries).await?;
    author.stop().await?;
    reader.stop().await?;
    let least = before.mean(&sample.bare());
    print(&released, &sample, &least, &judged, &seen);
    Ok(())
}

/// From the moment that the reader confirms the author until it has everything.
async fn replicate(author: &Authority, reader: &Authority, entries: u64) -> Result<Seen, Failure> {
    let http = client()?;
    let (author_before, reader_before) = (author.cpu()?, reader.cpu()?);
    let began = Instant::now();
    reader.confirm(author).await?;
    let (mut verified, mut marks, mut progress) = (None, Vec::<Mark>::new(), (0, Instant::now()));
    loop {
        let Progress { verified: now, indexed } = Progress::of(&http, reader).await?;
        let after = began.elapsed();
        if now > progress.0 {
            progress = (now, Instant::now());
        } else if progress.1.elapsed() > PATIENCE {
            return Err(format!("the reader stopped at {now} of {entries} entries").into());
        }
        if indexed >= entries * (marks.len() as u64 + 1) / PARTS {
            marks.push(Mark { entries: indexed, after, resident: reader.memory()?.now });
        }
        if now >= entries && verified.is_none() {
            verified = Some((after, reader.cpu()?.saturating_sub(reader_before)));
        }
        if let Some((verified, reader_verified)) = verified
            && indexed >= entries
        {
            return Ok(Seen {
                verified,
                indexed: after,
                reader_verified,
                reader: reader.cpu()?.saturating_sub(reader_before),
                author: author.cpu()?.saturating_sub(author_before),
                marks,
                peak: reader.memory()?.peak,
                disk: size_of(&reader.data)?,
            });
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// What a node's `/metrics` say of a replication.
struct Progress {
    /// Entries of others' logs that are verified and durable.
    verified: u64,
    /// Of these, in the index.
    indexed: u64,
}

impl Progress {
    async fn of(http: &reqwest::Client, node: &Authority) -> Result<Self, Failure> {
        let text = http.get(node.url("/metrics")).send().await?.error_for_status()?.text().await?;
        let value = |is_it: &dyn Fn(&str) -> bool| {
            let line = text.lines().find(|line| is_it(line));
            line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(0)
        };
        Ok(Self {
            verified: value(&|line| line.starts_with("concord_verified_entries_total ")),
            indexed: value(&|line| line.starts_with("concord_log_entries{") && line.contains("own=\"0\"")),
        })
    }
}

fn print(released: &author::Released, sample: &Sample, least: &Cost, judged: &Cost, seen: &Seen) {
    let entries = released.entries;
    let whole = |time: Duration, cpu: Duration| Cost::of(entries, time, cpu);
    let headings = ["what", "records/s", "of hash + verify", "CPU µs per record", "of hash + verify, CPU"];
    let mut table = Table::new(&format!("Replication of {} records", thousands_of(entries)), &headings);
    for (what, cost) in [
        ("hash + verify_strict, all cores, nothing else", *least),
        ("judged in memory (record::LogState)", *judged),
        ("replicated: verified and durable", whole(seen.verified, seen.reader_verified)),
        ("replicated, and in the index", whole(seen.indexed, seen.reader)),
    ] {
        table.row([
            what.to_owned(),
            thousands(cost.rate),
            percent(cost.rate, least.rate),
            format!("{:.1}", cost.cpu),
            percent(least.cpu, cost.cpu),
        ]);
    }
    table.note(format!(
        "The author's process, on the same cores, used {:.1} µs of CPU per record to serve them.",
        whole(seen.indexed, seen.author).cpu
    ));
    table.note(format!(
        "Records of {} bytes without blobs. Before: the author's node released {} a second, each signed, appended, judged and indexed.",
        sample.bytes_per_record(),
        thousands(released.rate),
    ));
    table.print();

    let mut table = Table::new("The reader's memory", &["in the index", "after s", "resident MB"]);
    for mark in &seen.marks {
        let after = format!("{:.1}", mark.after.as_secs_f64());
        table.row([thousands_of(mark.entries), after, megabytes(mark.resident)]);
    }
    table.note(format!(
        "Peak {} MB; its data folder is {} MB now.",
        megabytes(seen.peak),
        megabytes(seen.disk)
    ));
    table.print();
}

#[allow(clippy::cast_precision_loss)] // Counts of records.
fn thousands_of(count: u64) -> String {
    thousands(count as f64)
}

/// Everybody may read what is replicated.
fn audience() -> Audience {
    Audience::Public
}

/// The origin's place on the author's node.
fn prefix(origin: &Origin) -> String {
    federate::places::own(origin)
}
