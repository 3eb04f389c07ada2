//! Who reads a made-up world: it holds as much of it as it is told to, and an index of that.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use bytes::Bytes;
use record::seal::Identity;
use record::{Authority, Origin, Record, RootChain, Time};
use store::db::{Db, DbOptions};
use tlog::checkpoint::SignedCheckpoint;
use tlog::{Hash, sha256};

use super::world::{ME, World, authority, time};
use crate::index::{Finding, Index, IndexError, KnownAuthority, LogHead, Receipt, Source};

/// What of the world has come to the reader.
#[derive(Clone, Default)]
pub struct Come {
    pub sizes: BTreeMap<Origin, u64>,
    pub blobs: BTreeSet<Hash>,
    pub seen: BTreeMap<Origin, usize>,
    pub roots: BTreeMap<Authority, u64>,
    /// What comes when receipts are asked for, a time each: files.
    pub late: VecDeque<Option<Hash>>,
}

/// Who holds a part of the world, and an index of it.
pub struct Reader {
    pub world: World,
    come: Arc<Mutex<Come>>,
    pub index: Index,
    pub findings: Mutex<Vec<Finding>>,
    /// How often a file was read.
    pub reads: AtomicUsize,
}

impl Reader {
    pub async fn new(world: &World) -> Self {
        let db = Db::connect("sqlite::memory:", DbOptions::default()).await.expect("a database");
        Self::with(world, db).await
    }

    pub async fn with(world: &World, db: Db) -> Self {
        let index = Index::open(db, &authority(ME)).await.expect("an index");
        let reader = Self {
            world: world.clone(),
            come: Arc::default(),
            index,
            findings: Mutex::default(),
            reads: AtomicUsize::new(0),
        };
        reader.index.writer(&reader).await.authorities().await.expect("authorities");
        reader
    }

    pub fn come(&self) -> MutexGuard<'_, Come> {
        self.come.lock().expect("no panics")
    }

    /// Everything that it may read comes, in the plainest order.
    pub async fn all_comes(&self) {
        {
            let mut come = self.come();
            come.roots = self
                .world
                .cast
                .iter()
                .map(|(name, cast)| (name.clone(), cast.chain.latest().version))
                .collect();
            for origin in self.world.logs_for(ME) {
                let log = &self.world.logs[&origin];
                come.seen.insert(origin.clone(), log.seen.len());
                come.sizes.insert(origin, log.entries.len() as u64);
            }
            come.blobs = self.world.blobs.keys().copied().collect();
        }
        let follower = self.index.follower(self);
        for author in self.world.cast.keys() {
            follower.roots(author).await.expect("roots");
        }
        for author in self.world.cast.keys() {
            follower.reach_author(author).await.expect("all of it");
        }
        follower.receipts().await.expect("receipts");
    }
}

#[async_trait]
impl Source for Reader {
    async fn logs(&self) -> Result<Vec<LogHead>, IndexError> {
        let sizes = self.come().sizes.clone();
        let head = |(origin, size)| LogHead { origin, size, checkpoint: None };
        Ok(sizes.into_iter().map(head).collect())
    }

    async fn log(&self, origin: &Origin) -> Result<Option<LogHead>, IndexError> {
        let size = self.come().sizes.get(origin).copied();
        Ok(size.map(|size| LogHead { origin: origin.clone(), size, checkpoint: None }))
    }

    async fn entries(&self, origin: &Origin, range: Range<u64>) -> Result<Vec<Bytes>, IndexError> {
        let range = usize::try_from(range.start).expect("small")..usize::try_from(range.end).expect("small");
        Ok(self.world.logs[origin].entries[range].to_vec())
    }

    /// As if each had come at a time of its own, whatever the schedule is.
    async fn first_seen(&self, origin: &Origin, range: Range<u64>) -> Result<Vec<(u64, i64)>, IndexError> {
        let at = |size: u64| {
            let hash = sha256(format!("{origin} {size}").as_bytes()).0;
            1_000_000 + i64::from(hash[0])
        };
        Ok((range.start + 1..=range.end).map(|size| (size, at(size))).collect())
    }

    async fn blob(&self, sha256: &Hash) -> Result<Option<Bytes>, IndexError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        let is_here = self.come().blobs.contains(sha256);
        Ok(self.world.blobs.get(sha256).filter(|_| is_here).cloned())
    }

    async fn has_blob(&self, sha256: &Hash) -> Result<bool, IndexError> {
        Ok(self.come().blobs.contains(sha256) && self.world.blobs.contains_key(sha256))
    }

    async fn seen(&self, origin: &Origin, n: u64) -> Result<Option<SignedCheckpoint>, IndexError> {
        let count = self.come().seen.get(origin).copied().unwrap_or(0);
        let n = usize::try_from(n).expect("small");
        Ok(self.world.logs[origin].seen.get(n).filter(|_| n < count).cloned())
    }

    async fn receipts(&self, _all: bool) -> Result<Vec<(Origin, Receipt)>, IndexError> {
        let late = self.come().late.pop_front().flatten();
        if let Some(hash) = late {
            self.come().blobs.insert(hash);
            self.index.follower(self).blob(&hash).await?;
        }
        Ok(Vec::new())
    }

    fn chain(&self, author: &Authority) -> Option<Arc<RootChain>> {
        let known = self.come().roots.get(author).copied().unwrap_or(1);
        let whole = &self.world.cast.get(author)?.chain;
        let mut chain = RootChain::accept_first(whole.bytes(1)?).ok()?;
        for version in 2..=known {
            chain.extend(whole.bytes(version)?).ok()?;
        }
        Some(Arc::new(chain))
    }

    fn chains(&self) -> Vec<Arc<RootChain>> {
        self.world.cast.keys().filter_map(|author| self.chain(author)).collect()
    }

    fn authorities(&self) -> Vec<KnownAuthority> {
        let known = |(name, code, shown): (&str, &str, &str)| KnownAuthority {
            authority: name.to_owned(),
            fingerprint: "x".to_owned(),
            code: Some(code.to_owned()),
            shown_name: shown.to_owned(),
            names: BTreeMap::new(),
            role: "peer".to_owned(),
            standing: "confirmed",
            left_out: false,
            endpoint: String::new(),
            root_version: 1,
            root_until: 0,
        };
        let all = [
            ("moh.chn.example", "CHN", "National Health Commission"),
            ("who.example", "WHO", "World Health Organization"),
        ];
        all.map(known).to_vec()
    }

    async fn identities(&self, _expiring: bool) -> Result<Vec<Identity>, IndexError> {
        Ok(vec![self.world.cast[&authority(ME)].identity.clone()])
    }

    fn holds_listed_keys(&self, _record: &Record, _identities: &[Identity]) -> bool {
        true
    }

    fn now(&self) -> Time {
        time(1_800_000_000)
    }

    async fn report(&self, findings: Vec<Finding>) {
        self.findings.lock().expect("no panics").extend(findings);
    }
}
