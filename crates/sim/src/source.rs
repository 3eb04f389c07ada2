//! What the index of a machine is replayed from: its logs, blobs, witness files and pinned roots, as a node hands them
//! out. It writes nothing and keeps what the index reports.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use node::index::{Finding, IndexError, KnownAuthority, LogHead, Receipt, Source};
use record::seal::Identity;
use record::{Authority, Origin, Record, RootChain, Time};
use store::{Cells, Files, LogReader, MemoryCells, MemoryFiles, Swap};
use tlog::{Hash, SignedCheckpoint, sha256};

use crate::cast;

/// The space of first-seen times, as a node has it.
pub const HERE: &str = "here";

/// The key of the cell that says when entries up to a size were verified here.
pub fn here_key(origin: &Origin, size: u64) -> String {
    format!("{origin} {size:020}")
}

/// That cell, for entries that are verified at a time, in seconds since 1970.
pub fn here_cell(origin: &Origin, size: u64, time: u64) -> Swap {
    Swap::new(HERE, &here_key(origin, size), None, Some(time.to_string().into_bytes()))
}

/// A machine at a moment.
pub struct View {
    /// Whose.
    pub me: Authority,
    /// Its files.
    pub files: MemoryFiles,
    /// Its state.
    pub cells: MemoryCells,
    /// Its logs.
    pub logs: Vec<LogHead>,
    /// The roots that it pinned.
    pub chains: Arc<BTreeMap<Authority, Arc<RootChain>>>,
    /// Its clock.
    pub now: Time,
    /// What the index reported.
    pub findings: Mutex<Vec<Finding>>,
}

impl View {
    /// Where the files of a log lie.
    fn prefix(&self, origin: &Origin) -> String {
        if origin.authority == self.me {
            federate::places::own(origin)
        } else {
            federate::places::mirror(origin)
        }
    }

    /// What the index reported since the last question.
    pub fn take_findings(&self) -> Vec<Finding> {
        std::mem::take(&mut *self.findings.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Source for View {
    async fn logs(&self) -> Result<Vec<LogHead>, IndexError> {
        Ok(self.logs.clone())
    }

    async fn log(&self, origin: &Origin) -> Result<Option<LogHead>, IndexError> {
        Ok(self.logs.iter().find(|log| log.origin == *origin).cloned())
    }

    async fn entries(&self, origin: &Origin, range: Range<u64>) -> Result<Vec<Bytes>, IndexError> {
        let index = range.start;
        let reader = LogReader::new(Arc::new(self.files.clone()), self.prefix(origin), range.end);
        let damaged = |_| IndexError::Damaged { origin: origin.to_string(), index };
        reader.read_entries(range).await.map_err(damaged)
    }

    async fn first_seen(&self, origin: &Origin, range: Range<u64>) -> Result<Vec<(u64, i64)>, IndexError> {
        let prefix = format!("{origin} ");
        let cells = self.cells.scan(HERE, &prefix, Some(&here_key(origin, range.start)), usize::MAX).await?;
        let mut seen = Vec::new();
        for (key, value) in cells {
            let size = key.strip_prefix(&prefix).and_then(|size| size.parse::<u64>().ok());
            let time = std::str::from_utf8(&value).ok().and_then(|time| time.parse().ok());
            seen.extend(size.zip(time));
            if size.is_some_and(|size| size >= range.end) {
                break;
            }
        }
        Ok(seen)
    }

    async fn blob(&self, hash: &Hash) -> Result<Option<Bytes>, IndexError> {
        let bytes = self.files.get(&store::layout::blob(hash)).await?;
        Ok(bytes.filter(|bytes| sha256(bytes) == *hash))
    }

    async fn has_blob(&self, hash: &Hash) -> Result<bool, IndexError> {
        Ok(self.files.size(&store::layout::blob(hash)).await?.is_some())
    }

    async fn seen(&self, origin: &Origin, n: u64) -> Result<Option<SignedCheckpoint>, IndexError> {
        let path = format!("{}{}", self.prefix(origin), store::layout::seen(n));
        Ok(self.files.get(&path).await?.and_then(|bytes| SignedCheckpoint::parse(&bytes).ok()))
    }

    async fn receipts(&self, _all: bool) -> Result<Vec<(Origin, Receipt)>, IndexError> {
        Ok(Vec::new())
    }

    fn chain(&self, authority: &Authority) -> Option<Arc<RootChain>> {
        self.chains.get(authority).cloned()
    }

    fn chains(&self) -> Vec<Arc<RootChain>> {
        self.chains.values().cloned().collect()
    }

    fn authorities(&self) -> Vec<KnownAuthority> {
        let known = |(authority, chain): (&Authority, &Arc<RootChain>)| KnownAuthority {
            authority: authority.to_string(),
            fingerprint: chain.fingerprint().to_string(),
            code: None,
            shown_name: authority.to_string(),
            names: BTreeMap::new(),
            role: "peer".to_owned(),
            standing: if *authority == self.me { "self" } else { "confirmed" },
            left_out: false,
            endpoint: String::new(),
            root_version: chain.latest().version,
            root_until: chain.latest().until.posix(),
        };
        self.chains.iter().map(known).collect()
    }

    async fn identities(&self, _expiring: bool) -> Result<Vec<Identity>, IndexError> {
        Ok(vec![cast::identity(&self.me)])
    }

    fn holds_listed_keys(&self, _record: &Record, _identities: &[Identity]) -> bool {
        true
    }

    fn now(&self) -> Time {
        self.now
    }

    async fn report(&self, findings: Vec<Finding>) {
        self.findings.lock().unwrap_or_else(PoisonError::into_inner).extend(findings);
    }
}
