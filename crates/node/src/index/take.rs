//! From judged entries to rows: one transaction per batch, the same rows whatever the batches were.
//!
//! A batch begins where the index ends, or is refused. What an entry changes elsewhere (what it supersedes or
//! withdraws, which line its log belongs to) is recomputed from rows by [`super::standing`] before the transaction
//! ends.

use record::{Header, Judged, LogState, Origin, Record, Verdict, kind};
use store::db::{Conflict, Tx, Value};
use tlog::checkpoint::SignedCheckpoint;
use tlog::hash::Hash;

use super::condition::{INSIDE, PUBLIC};
use super::finding::{awaits, lacks, refused, said};
use super::opening::{Opener, Opening};
use super::readers::readers_text;
use super::rows::{Known, Rows, int, show_inner, show_outer};
use super::standing::{Group, Touched};
use super::{Content, Finding, IndexError, Writer};
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
struct Ready<'a> {
    judged: &'a Judged,
    opening: Option<Opening>,
}

impl Ready<'_> {
    fn record(&self) -> Option<&Record> {
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

impl Writer<'_> {
    /// Takes a batch. What of it was taken before changes nothing; what is missing before it is read from the source.
    pub async fn take(&mut self, batch: &Batch<'_>) -> Result<(), IndexError> {
        let Some(first) = batch.judged.first().map(|judged| judged.index) else { return Ok(()) };
        if self.index.size_of(batch.origin).await? < first {
            self.read_up_to(batch.origin, first).await?;
        }
        self.take_next(batch).await
    }

    /// Takes a batch that begins where the index ends, or before.
    pub(super) async fn take_next(&mut self, batch: &Batch<'_>) -> Result<(), IndexError> {
        let done = self.index.size_of(batch.origin).await?;
        let judged: Vec<&Judged> = batch.judged.iter().filter(|judged| judged.index >= done).collect();
        let (Some(first), Some(last)) = (judged.first(), judged.last()) else { return Ok(()) };
        if first.index != done {
            let (origin, found) = (batch.origin.to_string(), first.index);
            return Err(IndexError::Gap { origin, wanted: done, found });
        }
        let (first, end) = (first.index, last.index + 1);
        let mut opener = Opener::new(self.source);
        let mut ready = Vec::with_capacity(judged.len());
        for judged in judged {
            ready.push(Ready { judged, opening: open(&mut opener, judged).await? });
        }
        let seen = self.source.first_seen(batch.origin, first..end).await?;
        let mut touched = Touched::default();
        let mut tx = self.index.db().begin().await?;
        let latest = insert(&mut tx, self, batch.origin, &seen, &ready).await?;
        let own = batch.origin.authority == self.index.own;
        let later = save_log(&mut tx, batch, own, latest, &mut touched).await?;
        touched.in_range(&mut tx, batch.origin, first, end).await?;
        if later {
            // Entries of other logs claim a later time than before, by which revocations go.
            self.disown(&mut tx, &batch.origin.authority, &mut touched).await?;
        } else {
            self.look_at_revoked(&mut tx, batch, first, end, &mut touched).await?;
        }
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
            return self.disown(tx, author, touched).await;
        }
        self.disown_range(tx, batch.origin, first, end, touched).await
    }

    /// Tries again the records that wait for the blob `hash` (or for any, if `None`): those whose inner header or
    /// content it is, and those of which it is a part that must be what was committed to. One that is a witness policy
    /// lets the witness files of its logs be read.
    pub async fn blob(&mut self, hash: Option<&Hash>) -> Result<(), IndexError> {
        let rows = if let Some(hash) = hash {
            let sql = "select distinct e.origin, e.pos from entry e join blob b on b.origin = e.origin and b.pos = e.pos
                           where b.sha256 = $1 and e.valid = 1 and (e.content in (0, 6) or (e.content = 1 and b.n > 1000))
                           order by e.origin, e.pos";
            self.index.db().rows(sql, &[hash.to_hex().into()]).await?
        } else {
            let sql = "select origin, pos from entry where content in (0, 6) order by origin, pos";
            self.index.db().rows(sql, &[]).await?
        };
        for row in rows {
            self.open_again(&row.text(0)?, row.uint(1)?).await?;
        }
        match hash {
            Some(hash) => self.policy_came(hash).await,
            None => Ok(()),
        }
    }

    /// Opens an entry that is here with what has come since.
    async fn open_again(&mut self, origin: &str, pos: u64) -> Result<(), IndexError> {
        let Some((record, row)) = self.entry(origin, pos).await? else { return Ok(()) };
        let opening = Opener::new(self.source).open(&record, row.root).await?;
        let mut touched = Touched::default();
        let mut findings = Vec::new();
        let mut tx = self.index.db().begin().await?;
        match &opening {
            // What has expired meanwhile is forgotten with all that has.
            Opening::Closed | Opening::Expired => return Ok(()),
            Opening::Open { inner, content } => {
                let header = inner.as_deref().unwrap_or(&record.header);
                let state = if content.is_some() { DONE } else { AWAITED };
                if content.is_none() {
                    findings.extend(awaits(&record, pos));
                }
                if row.content == CLOSED {
                    let faces = faces_of(&record.header.log);
                    show_inner(&mut tx, (origin, pos), header, state, faces).await?;
                    findings.extend(said(header, true));
                } else {
                    mark_content(&mut tx, origin, pos, state).await?;
                }
                if row.content != DONE {
                    give(
                        &mut tx,
                        &mut desks::Memory::default(),
                        (origin, pos),
                        &record,
                        header,
                        content.as_ref(),
                        (&row).into(),
                    )
                    .await?;
                }
                if row.content == CLOSED {
                    let end = pos + 1;
                    touched.in_range(&mut tx, &record.header.log, pos, end).await?;
                    findings.extend(self.settle(&mut tx, touched).await?);
                    self.keep_erased(&mut tx, &record.header.log, pos, end).await?;
                }
            }
            Opening::NotForUs => mark_content(&mut tx, origin, pos, NOT_FOR_US).await?,
            Opening::Refused(why) => {
                findings.push(refused(&record, pos, why));
                if row.faces != 0 {
                    touched.add(Group::of_row(&mut tx, origin, pos).await?);
                    touched.targets_of(&mut tx, origin, pos).await?;
                    desks::forget(&mut tx, record.header.author.as_str(), &record.name().to_hex()).await?;
                    show_outer(&mut tx, (origin, pos), &record.header).await?;
                    self.give_elsewhere(&mut tx, &record, (origin, pos)).await?;
                }
                mark_content(&mut tx, origin, pos, REFUSED).await?;
                findings.extend(self.settle(&mut tx, touched).await?);
            }
        }
        tx.commit().await?;
        self.source.report(findings).await;
        Ok(())
    }

    /// Gives a record to the desks again as it stands at its other places.
    async fn give_elsewhere(&self, tx: &mut Tx, record: &Record, but: (&str, u64)) -> Result<(), IndexError> {
        let sql = "select origin, pos from entry where author = $1 and name = $2 and valid = 1 and content in (1, 6)
                   and (origin <> $3 or pos <> $4) order by origin, pos";
        let author = record.header.author.as_str();
        let values = [author.into(), record.name().to_hex().into(), but.0.into(), int(but.1)];
        for row in tx.rows(sql, &values).await? {
            let (origin, pos) = (row.text(0)?, row.uint(1)?);
            let Some((record, row)) = self.entry(&origin, pos).await? else { continue };
            let opening = Opener::new(self.source).open(&record, row.root).await?;
            if let Opening::Open { inner, content } = &opening {
                let header = inner.as_deref().unwrap_or(&record.header);
                give(
                    tx,
                    &mut desks::Memory::default(),
                    (&origin, pos),
                    &record,
                    header,
                    content.as_ref(),
                    (&row).into(),
                )
                .await?;
            }
        }
        Ok(())
    }

    /// The record at a place, and what its row says.
    pub(super) async fn entry(&self, origin: &str, pos: u64) -> Result<Option<(Record, Row)>, IndexError> {
        let sql = "select root_version, rank, here, content, faces, proven, marked from entry
                   where origin = $1 and pos = $2 and valid = 1";
        let rows = self.index.db().rows(sql, &[origin.into(), int(pos)]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let (root, rank, here) = (row.uint(0)?, row.int(1)?, row.opt_int(2)?);
        let (proven, marked) = (row.opt_int(5)?, row.int(6)?);
        let row = Row { root, rank, here, content: row.int(3)?, faces: row.int(4)?, proven, marked };
        let Ok(log) = origin.parse::<Origin>() else { return Ok(None) };
        let entries = self.source.entries(&log, pos..pos + 1).await?;
        Ok(entries.first().and_then(|bytes| Record::parse(bytes).ok()).map(|record| (record, row)))
    }
}

/// What the row of a valid entry says.
pub(super) struct Row {
    pub root: u64,
    pub rank: i64,
    pub here: Option<i64>,
    pub content: i64,
    pub faces: i64,
    pub proven: Option<i64>,
    pub marked: i64,
}

/// What of the row of an entry the desks keep beside what it says.
#[derive(Clone, Copy)]
struct Standing {
    rank: i64,
    here: Option<i64>,
    proven: Option<i64>,
    marked: i64,
}

impl From<&Row> for Standing {
    fn from(row: &Row) -> Self {
        Self { rank: row.rank, here: row.here, proven: row.proven, marked: row.marked }
    }
}

/// Opens every record but those that speak of the log itself.
async fn open(opener: &mut Opener<'_>, judged: &Judged) -> Result<Option<Opening>, IndexError> {
    let Verdict::Valid { record, root, .. } = &judged.verdict else { return Ok(None) };
    if kind::is_log_kind(&record.header.kind) {
        return Ok(None);
    }
    Ok(Some(opener.open(record, *root).await?))
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
        give(tx, &mut memory, (&origin, item.judged.index), record, header, content.as_ref(), standing)
            .await?;
    }
    Ok(latest)
}

/// Gives a record to the desks.
async fn give(
    tx: &mut Tx,
    memory: &mut desks::Memory,
    (origin, pos): (&str, u64),
    record: &Record,
    header: &Header,
    content: Option<&Content>,
    standing: Standing,
) -> Result<(), IndexError> {
    if header.critical_unknown(&[]) {
        return Ok(()); // Shown, but neither acted on nor counted.
    }
    let entry = IndexedEntry {
        origin,
        pos: i64::try_from(pos).unwrap_or(i64::MAX),
        name: &record.name().to_hex(),
        public: record.header.log.audience.is_public(),
        released: record.header.released.posix(),
        rank: standing.rank,
        proven: standing.proven,
        here: standing.here,
        marked: standing.marked,
        header,
    };
    desks::take(tx, memory, &entry, content).await
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
            (Verdict::Valid { record, .. }, Some(Opening::Open { content: None, .. })) => {
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

/// Writes the row of a log. Answers whether entries of other logs claim a later time with it.
async fn save_log(
    tx: &mut Tx,
    batch: &Batch<'_>,
    own: bool,
    latest: Option<i64>,
    touched: &mut Touched,
) -> Result<bool, IndexError> {
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
    let later = carry(tx, &origin).await?;
    if kept.is_empty() && joins_others(tx, &origin).await? {
        // A log that joins others may change which of two twins comes first.
        touched.every_choice_of(tx, &batch.origin.authority).await?;
    }
    Ok(later)
}

/// Whether a log goes on from another one, or another one from it.
async fn joins_others(tx: &mut Tx, origin: &str) -> Result<bool, IndexError> {
    let sql = "select 1 from log where (origin = $1 and previous is not null) or previous = $1 limit 1";
    Ok(!tx.rows(sql, &[origin.into()]).await?.is_empty())
}

/// A log begins with the latest time that the log before it claims at the place where it goes on: so the order of
/// an author's records follows the line of logs, even where a clock was set back between two of them. Answers whether
/// that changed an entry.
async fn carry(tx: &mut Tx, origin: &str) -> Result<bool, IndexError> {
    let sql = "select s.origin, p.rank from log s join entry p on p.origin = s.previous and p.pos = s.previous_size - 1
               where (s.origin = $1 or s.previous = $1) and (s.before is null or s.before < p.rank)";
    let mut behind = tx.rows(sql, &[origin.into()]).await?;
    let (mut steps, mut later) = (0, false);
    while let Some(row) = behind.pop() {
        let (log, rank) = (row.text(0)?, row.int(1)?);
        let values = [log.as_str().into(), rank.into()];
        tx.run("update log set before = $2 where origin = $1", &values).await?;
        tx.run("update log set latest = $2 where origin = $1 and (latest is null or latest < $2)", &values)
            .await?;
        let changed = tx.run("update entry set rank = $2 where origin = $1 and rank < $2", &values).await?;
        if changed > 0 {
            later = true;
            desks::reranked(tx, &log, rank).await?;
        }
        steps += 1;
        // A ring of logs, which only a liar can make, ends somewhere.
        if steps < 64 {
            let sql = "select s.origin, p.rank from log s join entry p on p.origin = s.previous and p.pos = s.previous_size - 1
                       where s.previous = $1 and (s.before is null or s.before < p.rank)";
            behind.extend(tx.rows(sql, &[log.as_str().into()]).await?);
        }
    }
    Ok(later)
}
