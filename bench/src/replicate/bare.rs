//! The least that verifying costs: hash every record, verify one signature of each, on all cores, nothing parsed.

use std::time::{Duration, Instant};

use ed25519_dalek::{Signature, VerifyingKey};
use node::node::Node;
use rayon::prelude::*;
use record::{LogState, Origin, Record, Role, RootChain};
use store::{LogReader, ObjectFiles};
use tlog::leaf_hash;

use crate::authority::Authority;
use crate::table::median;
use crate::{Failure, machine};

/// Entries read at a time, and judged together.
const RUN: u64 = 2048;
/// How often the sample is gone through; the medians count.
const PASSES: usize = 5;

/// What records cost.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// Records per second of the clock.
    pub rate: f64,
    /// Microseconds of CPU per record, over all threads.
    pub cpu: f64,
}

impl Cost {
    /// Of so many records in this time.
    #[allow(clippy::cast_precision_loss)] // Counts of records.
    pub fn of(records: u64, time: Duration, cpu: Duration) -> Self {
        let records = records as f64;
        Self { rate: records / time.as_secs_f64(), cpu: cpu.as_secs_f64() * 1e6 / records }
    }

    /// Between two.
    pub fn mean(&self, other: &Self) -> Self {
        Self { rate: f64::midpoint(self.rate, other.rate), cpu: f64::midpoint(self.cpu, other.cpu) }
    }
}

/// The first entries of a log, in memory.
pub struct Sample {
    origin: Origin,
    chain: RootChain,
    key: VerifyingKey,
    entries: Vec<Vec<u8>>,
}

impl Sample {
    /// Reads them from the author's disk, while it does not serve.
    pub async fn read(author: &Authority, origin: &Origin, count: u64) -> Result<Self, Failure> {
        let config = author.config()?;
        let files = ObjectFiles::local(&author.data.join("files"))?;
        let node = Node::open(config).await?;
        let chain = node.own_chain().as_ref().clone();
        node.close().await;
        let listed = chain.latest().keys_of(Role::Author).next().ok_or("the root lists no author key")?;
        let key = VerifyingKey::from_bytes(listed.vkey.public())?;
        let reader = LogReader::new(std::sync::Arc::new(files), super::prefix(origin), count);
        let mut entries = Vec::new();
        for first in (0..count).step_by(usize::try_from(RUN)?) {
            let run = reader.read_entries(first..count.min(first + RUN)).await?;
            entries.extend(run.iter().map(|entry| entry.to_vec()));
        }
        Ok(Self { origin: origin.clone(), chain, key, entries })
    }

    /// The mean length of an entry.
    pub fn bytes_per_record(&self) -> usize {
        self.entries.iter().map(Vec::len).sum::<usize>() / self.entries.len().max(1)
    }

    /// Hashes and verifies; texts and signatures are found beforehand.
    pub fn bare(&self) -> Cost {
        let parsed: Vec<_> = self.entries.iter().filter_map(|bytes| Record::parse(bytes).ok()).collect();
        let work: Vec<_> = parsed
            .iter()
            .zip(&self.entries)
            .filter_map(|(record, bytes)| {
                let signature = record.note.signatures.first()?;
                Some((bytes, record.note.text.as_bytes(), Signature::from_slice(&signature.bytes).ok()?))
            })
            .collect();
        assert_eq!(work.len(), self.entries.len(), "every entry is a signed record");
        self.cost(|| {
            let good = work.par_iter().filter(|(bytes, text, signature)| {
                std::hint::black_box(leaf_hash(bytes));
                self.key.verify_strict(text, signature).is_ok()
            });
            assert_eq!(good.count(), self.entries.len(), "every signature is good");
        })
    }

    /// Parses, judges and verifies as a reader does, without disk or network.
    pub fn judged(&self) -> Result<Cost, Failure> {
        let entries: Vec<&[u8]> = self.entries.iter().map(Vec::as_slice).collect();
        let run = usize::try_from(RUN)?;
        Ok(self.cost(|| {
            let mut state = LogState::new(self.origin.clone());
            for run in entries.chunks(run) {
                let judged = state.take_many(state.size(), run, &self.chain).expect("its root is there");
                assert!(judged.iter().all(|entry| entry.record().is_some()), "every record is valid");
            }
        }))
    }

    fn cost(&self, work: impl Fn()) -> Cost {
        let cpu = || machine::cpu_of(std::process::id()).unwrap_or_default();
        let passes: Vec<Cost> = (0..PASSES)
            .map(|_| {
                let (began, before) = (Instant::now(), cpu());
                work();
                Cost::of(self.entries.len() as u64, began.elapsed(), cpu().saturating_sub(before))
            })
            .collect();
        let of = |part: fn(&Cost) -> f64| median(passes.iter().map(part).collect());
        Cost { rate: of(|cost| cost.rate), cpu: of(|cost| cost.cpu) }
    }
}
