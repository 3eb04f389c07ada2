//! What is counted as archived of a log, own or followed: whoever has the disk compares it with what lies there.

use std::collections::BTreeMap;

use record::{Authority, Origin, Status};
use tlog::Hash;

use super::Engine;

/// How many files of an archive there must be: they are numbered from 0, without gaps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Archived {
    /// `seen` files.
    pub seen: u64,
    /// Receipts of each reader of an own log, and the size of the last one.
    pub held: BTreeMap<Authority, (u64, u64)>,
}

impl Engine {
    /// What is counted of a log's archive.
    pub fn archived(&self, origin: &Origin) -> Archived {
        if let Some(own) = self.own.get(origin) {
            return Archived { seen: own.kept.seen, held: own.kept.receipts.clone() };
        }
        let seen = self.logs.get(origin).map_or(0, |log| log.seen.count);
        Archived { seen, held: BTreeMap::new() }
    }

    /// Whether this very file of a record is waited for, now or once somebody asks for it.
    pub fn waits_for_file(&self, origin: &Origin, name: Hash, sha256: Hash) -> bool {
        self.wants(origin).is_some_and(|blobs| blobs.get(sha256, name).is_some())
    }

    /// Whether an author said that it erased its copies of a record: nobody need have them any more.
    pub fn is_erased(&self, author: &Authority, name: Hash, status: Option<Status>) -> bool {
        let erased = self.erased.get(author);
        status.is_some_and(|status| erased.is_some_and(|erased| erased.contains(&(name, status))))
    }
}
