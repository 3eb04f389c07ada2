//! From judged entries to rows: one transaction per batch, the same rows whatever the batches were.
//!
//! A batch begins where the index ends, or is refused. What an entry changes elsewhere (what it supersedes or
//! withdraws, which line its log belongs to) is recomputed from rows by [`super::standing`] before the transaction
//! ends.

use record::{Header, Judged, LogState, Origin, Record, Verdict, kind};
use store::db::{Conflict, Tx, Value};
use tlog::checkpoint::SignedCheckpoint;

use super::condition::{INSIDE, PUBLIC};
use super::finding::{awaits, lacks, refused, said};
use super::opening::{Opener, Opening, Part};
use super::ranks::carry;
use super::readers::readers_text;
use super::rows::{Known, Rows, int};
use super::touched::{All, Touched};
use super::{Finding, Given, IndexError, Writer};
use crate::desks;
use crate::fault::Fault;

/// Judged entries that follow each other in one log.
#[derive(Debug)]
pub struct Batch<'a> {
    /// The log.
    pub origin: &'a Origin,
    /// The entries.
    pub judged: &'a [Judged],
    /// The log's state after them.
    pub state: &'a LogState,
    /// The newest verified checkpoint.
    pub checkpoint: Option<&'a SignedCheckpoint>,
}

/// A record whose header is known, as desks get it.
#[derive(Debug)]
pub struct IndexedEntry<'a> {
    /// Origin of its log.
    pub origin: &'a str,
    /// Its place there.
    pub pos: i64,
    /// Its name, hex.
    pub name: &'a str,
    /// Whether everybody may read its log.
    pub public: bool,
    /// The outer `released`: when it was said to these readers.
    pub released: i64,
    /// The latest time that its log claims up to it: what orders the records of one author.
    pub rank: i64,
    /// When it is proven to have been there, if it is.
    pub proven: Option<i64>,
    /// When this node first verified it.
    pub here: Option<i64>,
    /// On which faces the table of what stands says what it is; bits.
    pub marked: i64,
    /// The header; the inner one of a sealed record.
    pub header: &'a Header,
}

/// `entry.content`: sealed, and the inner header is missing.
pub(super) const CLOSED: i64 = 0;
/// `entry.content`: the desks had it, or none wants it.
pub(super) const DONE: i64 = 1;
/// `entry.content`: sealed for others.
pub(super) const NOT_FOR_US: i64 = 2;
/// `entry.content`: its seal is broken.
pub(super) const REFUSED: i64 = 3;
/// `entry.content`: it expired, or this authority erased its copies: forgotten, here and in the desks.
pub const FORGOTTEN: i64 = 4;
/// `entry.content`: to be forgotten; files of it may still be here.
pub(super) const TO_FORGET: i64 = 5;
/// `entry.content`: the header is known, and what the desks want is missing.
pub const AWAITED: i64 = 6;

/// An entry, opened as far as it can be.
pub(super) struct Ready<'a> {
    pub(super) judged: &'a Judged,
    pub(super) opening: Option<Opening>,
}

impl Ready<'_> {
    pub(super) fn record(&self) -> Option<&Record> {
        self.judged.record()
    }

    /// The header that the row shows, and whether it was sealed.
    fn shown(&self) -> Option<(&Header, bool)> {
        let outer = &self.record()?.header;
        match &self.opening {
            Some(Opening::Open { inner: Some(inner), .. }) => Some((inner, true)),
            _ => Some((outer, false)),
        }
    }

    /// `entry.content`.
    fn content(&self) -> i64 {
        match &self.opening {
            None | Some(Opening::Open { content: Some(_), .. }) => DONE,
            Some(Opening::Open { content: None, .. }) => AWAITED,
            Some(Opening::Closed) => CLOSED,
            Some(Opening::Expired) => TO_FORGET,
            Some(Opening::NotForUs) => NOT_FOR_US,
            Some(Opening::Refused(_)) => REFUSED,
        }
    }
}

/// Who may see what is in a log: everybody, or who reads it here.
pub(super) fn faces_of(origin: &Origin) -> i64 {
    if origin.audience.is_public() { PUBLIC | INSIDE } else { INSIDE }
}

impl<'a> Ready<'a> {
    /// Opens every record but those that speak of the log itself.
    pub(super) async fn open(opener: &mut Opener<'_>, judged: &'a Judged) -> Result<Self, IndexError> {
        let opening = match &judged.verdict {
            Verdict::Valid { record, root, .. } if !kind::is_log_kind(&record.header.kind) => {
                Some(opener.open(record, *root, Part::Small).await?)
            }
            _ => None,
        };
        Ok(Self { judged, opening })
    }
}

impl Writer<'_> {
    /// Takes entries of a batch that begin where the index ends, or before: what was taken before changes nothing. Answers
    /// whether the log's proven times are known.
    pub(super) async fn take(
        &mut self,
        batch: &Batch<'_>,
        mut ready: Vec<Ready<'_>>,
        seen: &[(u64, i64)],
    ) -> Result<bool, IndexError> {
        let done = self.index.size_of(batch.origin).await?;
        ready.retain(|ready| ready.judged.index >= done);
        let (Some(first), Some(last)) = (ready.first(), ready.last()) else { return Ok(true) };
        let (first, end) = (first.judged.index, last.judged.index + 1);
        if first != done {
            let (origin, found) = (batch.origin.to_string(), first);
            return Err(IndexError::Gap { origin, wanted: done, found });
        }
        let mut touched = Touched::default();
        self.moves(batch.origin.authority.as_str());
        let mut tx = self.index.db().begin().await?;
        let latest = insert(&mut tx, self, batch.origin, seen, &ready).await?;
        let own = batch.origin.authority == self.index.own;
        save_log(&mut tx, batch, own, latest, &mut touched).await?;
        touched.in_range(&mut tx, batch.origin, first, end).await?;
        self.look_at_revoked(&mut tx, batch, first, end, &mut touched).await?;
        let mut findings = self.settle(&mut tx, touched).await?;
        self.keep_erased(&mut tx, batch.origin, first, end).await?;
        tx.commit().await?;
        findings.extend(found(batch.origin, &ready));
        self.source.report(findings).await;
        self.prove_entries(batch.origin, first, end).await
    }

    /// What of a batch its author's revocations speak of, and what it says of when they were known.
    async fn look_at_revoked(
        &self,
        tx: &mut Tx,
        batch: &Batch<'_>,
        first: u64,
        end: u64,
        touched: &mut Touched,
    ) -> Result<(), IndexError> {
        let author = &batch.origin.authority;
        if self.revoked_keys(author).is_empty() {
            return Ok(());
        }
        let is_of_log =
            |judged: &Judged| judged.record().is_some_and(|record| kind::is_log_kind(&record.header.kind));
        if batch.judged.iter().any(is_of_log) {
            touched.add_all(author, All::Revoked);
        }
        self.disown_range(tx, batch.origin, first, end, touched).await
    }
}

/// What of the row of an entry the desks keep beside what it says.
#[derive(Clone, Copy)]
pub(super) struct Standing {
    pub rank: i64,
    pub here: Option<i64>,
    pub proven: Option<i64>,
    pub marked: i64,
}

/// Writes the rows of entries, and gives them to the desks. Answers the latest time that the log claims after them.
async fn insert(
    tx: &mut Tx,
    writer: &Writer<'_>,
    origin: &Origin,
    seen: &[(u64, i64)],
    ready: &[Ready<'_>],
) -> Result<Option<i64>, IndexError> {
    let revoked = writer.revoked_keys(&origin.authority);
    let mut latest = latest_of(tx, origin).await?;
    let mut rows = Rows::default();
    let mut ranks = Vec::with_capacity(ready.len());
    for item in ready {
        let index = item.judged.index;
        let here = seen.get(seen.partition_point(|(size, _)| *size <= index)).map(|(_, time)| *time);
        match &item.judged.verdict {
            Verdict::Invalid { reason, bytes } => {
                let known = (latest.unwrap_or(i64::MIN), faces_of(origin), here);
                rows.invalid(origin, item.judged, &Fault::from(reason.clone()), bytes.len(), known);
                ranks.push((i64::MIN, here));
            }
            Verdict::Valid { record, key, .. } => {
                let rank = latest.unwrap_or(i64::MIN).max(record.header.released.posix());
                latest = Some(rank);
                let Some((shown, opened)) = item.shown() else { continue };
                let known = Known {
                    shown,
                    opened,
                    content: item.content(),
                    faces: if record.is_sealed() && !opened { 0 } else { faces_of(origin) },
                    rank,
                    here,
                    revoked: revoked.contains(key.public()),
                };
                rows.record(item.judged, record, &known);
                ranks.push((rank, here));
            }
        }
    }
    rows.insert(tx).await?;
    let origin = origin.to_string();
    let mut memory = desks::Memory::default();
    for (item, place) in ready.iter().zip(ranks) {
        let (Some(record), Some(Opening::Open { content, .. }), Some((header, _))) =
            (item.record(), &item.opening, item.shown())
        else {
            continue;
        };
        let (rank, here) = place;
        let standing = Standing { rank, here, proven: None, marked: 0 };
        let given = content.as_ref().map_or(Given::Header, Given::Content);
        give(tx, &mut memory, (&origin, item.judged.index), record, header, given, standing).await?;
    }
    Ok(latest)
}

/// Gives a record to the desks.
pub(super) async fn give(
    tx: &mut Tx,
    memory: &mut desks::Memory,
    place: (&str, u64),
    record: &Record,
    header: &Header,
    given: Given<'_>,
    standing: Standing,
) -> Result<(), IndexError> {
    if header.critical_unknown(&[]) {
        return Ok(()); // Shown, but neither acted on nor counted.
    }
    let name = record.name().to_hex();
    desks::take(tx, memory, &standing.entry(place, record, &name, header), given).await
}

impl Standing {
    /// A record as desks get it.
    pub(super) fn entry<'a>(
        self,
        (origin, pos): (&'a str, u64),
        record: &Record,
        name: &'a str,
        header: &'a Header,
    ) -> IndexedEntry<'a> {
        IndexedEntry {
            origin,
            pos: i64::try_from(pos).unwrap_or(i64::MAX),
            name,
            public: record.header.log.audience.is_public(),
            released: record.header.released.posix(),
            rank: self.rank,
            proven: self.proven,
            here: self.here,
            marked: self.marked,
            header,
        }
    }
}

/// What operators should know of entries that are new.
fn found(origin: &Origin, ready: &[Ready<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for item in ready {
        let index = item.judged.index;
        match (&item.judged.verdict, &item.opening) {
            (Verdict::Invalid { reason, .. }, _) => {
                let (origin, why) = (origin.to_string(), Fault::from(reason.clone()));
                findings.push(Finding::Invalid { origin, index, why });
            }
            (Verdict::Valid { record, .. }, Some(Opening::Refused(why))) => {
                findings.push(refused(record, index, why));
            }
            (Verdict::Valid { record, .. }, Some(Opening::Open { content: None, has_more: false, .. })) => {
                findings.extend(awaits(record, index));
                findings.extend(item.shown().into_iter().flat_map(|(header, sealed)| said(header, sealed)));
            }
            (Verdict::Valid { record, .. }, Some(Opening::Closed)) => {
                findings.push(lacks(record, index));
                findings.extend(item.shown().into_iter().flat_map(|(header, sealed)| said(header, sealed)));
            }
            _ => findings.extend(item.shown().into_iter().flat_map(|(header, sealed)| said(header, sealed))),
        }
    }
    findings
}

pub(super) async fn mark_content(
    tx: &mut Tx,
    origin: &str,
    pos: u64,
    content: i64,
) -> Result<(), IndexError> {
    let values = [content.into(), origin.into(), int(pos)];
    tx.run("update entry set content = $1 where origin = $2 and pos = $3", &values).await?;
    Ok(())
}

/// The latest time that a log claims so far; of a log that goes on from another one at least that one's.
async fn latest_of(tx: &mut Tx, origin: &Origin) -> Result<Option<i64>, IndexError> {
    let sql = "select latest from log where origin = $1";
    let rows = tx.rows(sql, &[origin.to_string().into()]).await?;
    Ok(rows.first().map(|row| row.opt_int(0)).transpose()?.flatten())
}

/// Writes the row of a log.
async fn save_log(
    tx: &mut Tx,
    batch: &Batch<'_>,
    own: bool,
    latest: Option<i64>,
    touched: &mut Touched,
) -> Result<(), IndexError> {
    let (origin, state) = (batch.origin.to_string(), batch.state);
    let kept = tx
        .rows("select root, checkpoint, before from log where origin = $1", &[origin.as_str().into()])
        .await?;
    let (root, checkpoint) = match (batch.checkpoint, kept.first()) {
        (Some(checkpoint), _) => (checkpoint.checkpoint.root.to_hex(), checkpoint.to_bytes()),
        (None, Some(row)) => (row.text(0)?, row.bytes(1)?),
        (None, None) => (String::new(), Vec::new()),
    };
    let before = kept.first().map(|row| row.opt_int(2)).transpose()?.flatten();
    let columns = [
        "origin",
        "authority",
        "audience",
        "year",
        "readers",
        "own",
        "size",
        "root",
        "checkpoint",
        "closed",
        "policy",
        "root_version",
        "state",
        "previous",
        "previous_size",
        "before",
        "latest",
    ];
    let row = vec![
        origin.as_str().into(),
        batch.origin.authority.as_str().into(),
        batch.origin.audience.to_string().into(),
        i64::from(batch.origin.year).into(),
        state.readers().map(readers_text).unwrap_or_default().into(),
        i64::from(own).into(),
        int(state.size()),
        root.into(),
        checkpoint.into(),
        i64::from(state.closed()).into(),
        state.policy().map(|h| h.to_hex()).unwrap_or_default().into(),
        int(state.root_in_force()),
        state.to_bytes().into(),
        state.previous().map(|previous| previous.origin.to_string()).into(),
        state.previous().map_or(Value::Null, |previous| int(previous.size)),
        before.into(),
        latest.into(),
    ];
    tx.insert_many("log", &columns, &[row], Conflict::Replace(&["origin"])).await?;
    if carry(tx, &origin).await? {
        touched.add_all(&batch.origin.authority, All::Ranks);
    }
    if kept.is_empty() && joins_others(tx, &origin).await? {
        // A log that joins others may change which of two twins comes first.
        touched.add_all(&batch.origin.authority, All::Choices);
    }
    Ok(())
}

/// Whether a log goes on from another one, or another one from it.
async fn joins_others(tx: &mut Tx, origin: &str) -> Result<bool, IndexError> {
    let sql = "select 1 from log where (origin = $1 and previous is not null) or previous = $1 limit 1";
    Ok(!tx.rows(sql, &[origin.into()]).await?.is_empty())
}
