//! What must be on this disk and is not: files of records by what the records say, archived checkpoints by their numbers.
//!
//! What expired, was erased, is too large or is on its way need not be here. Nothing is read through here, and nothing is blamed
//! but the disk.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use federate::{Input, LogFile};
use record::{MAX_BLOB, MAX_INNER_BLOB, Origin, Record};
use store::db::{DbError, Row};
use tlog::hash::Hash;

use crate::clock;
use crate::index::{IndexError, OUTER, Source as _};
use crate::node::Node;

/// Rows that are read at once.
const PAGE: usize = 4096;
/// How often the whole disk is looked at while the server runs.
const OFTEN: Duration = Duration::from_hours(1);
/// A log is looked at before a receipt is signed for it, but for no more than a fiftieth of the time.
const SHARE: u32 = 50;

/// When each log may be looked at again.
#[derive(Debug, Default)]
pub struct Missing(Mutex<BTreeMap<Origin, Instant>>);

/// A file that a record names and that is not here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MissingFile {
    /// Its hash.
    pub sha256: Hash,
    /// The log.
    pub origin: Origin,
    /// The record's place in it.
    pub index: u64,
}

/// What of the records of a log is not here.
#[derive(Debug, Default)]
pub(crate) struct MissingFiles {
    /// For which nobody waits: this disk lost them.
    pub lost: Vec<MissingFile>,
    /// Which are being fetched.
    pub awaited: Vec<MissingFile>,
    /// Which are here, and whose marks are not: without a mark a file is given to no reader of the copy.
    unmarked: Vec<Hash>,
}

/// A file that a record names.
struct Named {
    file: MissingFile,
    n: i64,
    size: u64,
    name: Hash,
    status: Option<record::Status>,
    sealed: bool,
}

impl Named {
    fn read(origin: &Origin, row: &Row) -> Result<Option<Self>, DbError> {
        let (Ok(sha256), Ok(name)) = (Hash::from_hex(&row.text(2)?), Hash::from_hex(&row.text(4)?)) else {
            return Ok(None);
        };
        Ok(Some(Self {
            file: MissingFile { sha256, origin: origin.clone(), index: row.uint(0)? },
            n: row.int(1)?,
            size: row.uint(3)?,
            name,
            status: row.text(5)?.parse().ok(),
            sealed: row.int(6)? == 1,
        }))
    }

    /// A larger one is not fetched (protocol section 2).
    fn is_within_limits(&self) -> bool {
        let is_inner = self.sealed && self.n == OUTER;
        self.size <= if is_inner { MAX_INNER_BLOB } else { MAX_BLOB }
    }
}

impl Node {
    /// What records of a log name and is not here. `here` is what lies on the disk, where that is known; each file is looked for
    /// otherwise.
    pub(crate) async fn missing_files(
        &self,
        origin: &Origin,
        here: Option<&HashSet<Hash>>,
    ) -> Result<MissingFiles, IndexError> {
        let marks = self.marks_of(origin, here.is_some()).await?;
        let (mut missing, mut after) = (MissingFiles::default(), (0_u64, -1_i64));
        loop {
            let rows = self.named_after(origin, after).await?;
            for row in &rows {
                after = (row.uint(0)?, row.int(1)?);
                let Some(named) = Named::read(origin, row)?.filter(Named::is_within_limits) else { continue };
                let sha256 = named.file.sha256;
                if here.is_none_or(|here| !here.contains(&sha256)) && !self.has_blob(&sha256).await? {
                    self.sort_missing(named, &mut missing).await?;
                } else if marks.as_ref().is_some_and(|marks| !marks.contains(&sha256)) {
                    missing.unmarked.push(sha256);
                }
            }
            if rows.len() < PAGE {
                return Ok(missing);
            }
        }
    }

    async fn named_after(&self, origin: &Origin, after: (u64, i64)) -> Result<Vec<Row>, DbError> {
        let sql = "select b.pos, b.n, b.sha256, b.size, e.name, e.status, e.sealed from blob b
                   join entry e on e.origin = b.origin and e.pos = b.pos
                   where b.origin = $1 and b.pos >= $2 and (b.pos > $2 or b.n > $3)
                     and e.valid = 1 and (e.sealed = 0 or b.n >= 1000) and e.content not in (4, 5)
                     and (e.expires is null or e.expires > $4) order by b.pos, b.n limit 4096";
        debug_assert_eq!((PAGE, OUTER), (4096, 1000), "as the query says");
        let pos = i64::try_from(after.0).unwrap_or(i64::MAX);
        let values = [origin.to_string().into(), pos.into(), after.1.into(), clock::seconds().into()];
        self.index.db().rows(sql, &values).await
    }

    async fn sort_missing(&self, named: Named, missing: &mut MissingFiles) -> Result<(), IndexError> {
        let Named { file, name, status, .. } = named;
        let (is_awaited, is_erased) = {
            let engine = self.engine();
            let is_erased = engine.is_erased(&file.origin.authority, name, status);
            (engine.waits_for_file(&file.origin, name, file.sha256), is_erased)
        };
        if is_awaited {
            missing.awaited.push(file);
        // It may have come, and be waited for no more, since it was looked for.
        } else if !is_erased && !self.has_blob(&file.sha256).await? {
            missing.lost.push(file);
        }
        Ok(())
    }

    /// The files of which a copy of a log says that they are here.
    async fn marks_of(&self, origin: &Origin, is_asked: bool) -> Result<Option<HashSet<Hash>>, IndexError> {
        if !is_asked || origin.authority == self.config.authority {
            return Ok(None);
        }
        let marks = self.files.list(&format!("{}blob/", self.prefix_of(origin))).await?;
        Ok(Some(hashes_of(&marks)))
    }

    /// Has what is missing fetched again, and puts marks back.
    pub(crate) async fn fetch_missing(
        &self,
        origin: &Origin,
        missing: &MissingFiles,
    ) -> Result<(), IndexError> {
        for hash in &missing.unmarked {
            self.files.put(&federate::places::blob_mark(origin, hash), bytes::Bytes::new()).await?;
        }
        let mut of_record: BTreeMap<u64, Vec<Hash>> = BTreeMap::new();
        for file in &missing.lost {
            of_record.entry(file.index).or_default().push(file.sha256);
        }
        for (index, lost) in of_record {
            let entries = self.entries(origin, index..index + 1).await?;
            let Some(record) = entries.first().and_then(|bytes| Record::parse(bytes).ok()) else { continue };
            tracing::error!(%origin, index, "files that a record names are gone from this disk");
            self.tell(Input::Lost { origin: origin.clone(), index, record: Box::new(record), lost });
        }
        Ok(())
    }

    /// Every log that is here, own and copied.
    pub(crate) async fn logs_here(&self) -> Result<Vec<Origin>, store::LogError> {
        let own = self.own_heads().await?.into_iter().map(|(origin, _)| origin);
        let copied = self.engine().followed();
        Ok(own.chain(copied.into_iter().filter(|log| log.size > 0).map(|log| log.origin)).collect())
    }

    /// The files of records that lie on the disk.
    pub(crate) async fn files_here(&self) -> Result<HashSet<Hash>, store::FilesError> {
        Ok(hashes_of(&self.files.list("blob/").await?))
    }

    /// Archived checkpoints of a log that are counted and are not here.
    pub(crate) async fn missing_archived(&self, origin: &Origin) -> Result<Vec<LogFile>, store::FilesError> {
        let counted = self.engine().archived(origin);
        let prefix = self.prefix_of(origin);
        let mut here = BTreeSet::new();
        for folder in ["seen/", "held/"] {
            here.extend(self.files.list(&format!("{prefix}{folder}")).await?);
        }
        let seen = (0..counted.seen).map(LogFile::Seen);
        let held = counted.held.into_iter().flat_map(|(authority, (count, _))| {
            (0..count).map(move |n| LogFile::Held { authority: authority.clone(), n })
        });
        let is_missing = |file: &LogFile| !here.contains(&format!("{prefix}{}", file.stored_path()));
        Ok(seen.chain(held).filter(is_missing).collect())
    }

    /// Whether a later receipt of the same reader is counted: it says all that the earlier ones said, but for their times.
    pub(crate) fn has_later_receipt(&self, origin: &Origin, file: &LogFile) -> bool {
        let LogFile::Held { authority, n } = file else { return false };
        self.engine().archived(origin).held.get(authority).is_some_and(|(count, _)| n + 1 < *count)
    }

    /// Whether all that a receipt for a log would vouch for is here; what is not is fetched again. Of a bucket that is not asked
    /// each time: it would be a request for every file.
    pub(crate) async fn holds_all(&self, origin: &Origin) -> Result<bool, IndexError> {
        let now = Instant::now();
        let is_too_soon = self.missing.not_before(origin).is_some_and(|at| now < at);
        if is_too_soon || !self.files.defers() {
            return Ok(true);
        }
        let missing = self.missing_files(origin, None).await?;
        self.missing.looked(origin, Instant::now() + now.elapsed() * SHARE);
        if missing.lost.is_empty() {
            return Ok(true);
        }
        self.missing.forget(origin);
        self.fetch_missing(origin, &missing).await?;
        Ok(false)
    }

    /// Looks for what is missing, and has it fetched back.
    async fn look_for_missing(&self) -> Result<(), IndexError> {
        let here = self.files_here().await?;
        for origin in self.logs_here().await.map_err(|error| IndexError::Source(error.into()))? {
            let missing = self.missing_files(&origin, Some(&here)).await?;
            self.fetch_missing(&origin, &missing).await?;
            for file in self.missing_archived(&origin).await? {
                self.archived_damaged(&origin, file).await;
            }
        }
        Ok(())
    }
}

impl Missing {
    fn not_before(&self, origin: &Origin) -> Option<Instant> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(origin).copied()
    }

    fn looked(&self, origin: &Origin, not_before: Instant) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(origin.clone(), not_before);
    }

    fn forget(&self, origin: &Origin) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(origin);
    }
}

/// Looks at the start and now and then: a file that nobody reads is missed by nobody else.
pub async fn watch(node: Arc<Node>) {
    let mut stopping = node.stopping.subscribe();
    loop {
        if let Err(error) = node.look_for_missing().await {
            tracing::error!(%error, "what is missing on this disk cannot be seen");
        }
        if tokio::time::timeout(OFTEN, stopping.wait_for(|stopping| *stopping)).await.is_ok() {
            return;
        }
    }
}

fn hashes_of(paths: &[String]) -> HashSet<Hash> {
    let names = paths.iter().filter_map(|path| path.rsplit('/').next());
    names.filter_map(|name| Hash::from_hex(name).ok()).collect()
}
