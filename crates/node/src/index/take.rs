//! From judged entries to rows: one transaction per batch, the same rows whatever the batches were.

use record::{Anchor, Authority, Header, Judged, LogState, Origin, Readers, Record, Relation, Verdict, kind};
use store::db::{Conflict, Tx, Value};
use tlog::checkpoint::SignedCheckpoint;
use tlog::hash::Hash;

use super::content::{Content, ContentSource, Opening};
use super::{Index, IndexError};
use crate::desks;
use crate::fault::Fault;

/// Where a log comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// This authority's own log.
    Own,
    /// A verified copy.
    Mirror,
}

/// Judged entries that follow each other in one log.
pub struct Batch<'a> {
    /// The log.
    pub origin: &'a Origin,
    /// Own or copied.
    pub source: Source,
    /// The entries.
    pub judged: &'a [Judged],
    /// What is known of the log after them.
    pub log: &'a LogFacts,
    /// The newest verified checkpoint.
    pub checkpoint: Option<&'a SignedCheckpoint>,
    /// When this node first verified them, seconds since 1970.
    pub here: Option<i64>,
}

/// What is known of a log after some of its entries.
#[derive(Debug, Clone)]
pub struct LogFacts {
    /// How many entries.
    pub size: u64,
    /// Who may read it; `None` while it has no valid `log.open`.
    pub readers: Option<Readers>,
    /// SHA-256 of its witness policy.
    pub policy: Option<Hash>,
    /// Version of the author's root in force after the last entry.
    pub root: u64,
    /// Did a `log.close` end it?
    pub closed: bool,
    /// [`LogState::to_bytes`]: the replay goes on from here.
    pub state: Vec<u8>,
}

impl LogFacts {
    /// Of a state.
    pub fn of(state: &LogState) -> Self {
        Self {
            size: state.size(),
            readers: state.readers().cloned(),
            policy: state.policy(),
            root: state.root_in_force(),
            closed: state.closed(),
            state: state.to_bytes(),
        }
    }
}

/// A valid record, as desks get it.
#[derive(Debug)]
pub struct IndexedEntry<'a> {
    /// Origin of its log.
    pub origin: &'a str,
    /// Its place there.
    pub pos: i64,
    /// Its name, hex.
    pub name: &'a str,
    /// Was it sealed?
    pub sealed: bool,
    /// When this node first verified it.
    pub here: Option<i64>,
    /// The header; the inner one of a sealed record.
    pub header: &'a Header,
}

/// What operators should know of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// An entry is no valid record.
    Invalid {
        /// The log.
        origin: String,
        /// Its place.
        index: u64,
        /// Why.
        why: Fault,
    },
    /// A sealed record that was for us is refused.
    SealRefused {
        /// Its name.
        name: String,
        /// Why.
        why: Fault,
    },
    /// A record of somebody else quotes witnesses.
    Quotes {
        /// Its author.
        author: Authority,
        /// What it quotes.
        anchors: Vec<Anchor>,
    },
    /// Two records claim to be the same edition of one thing.
    Conflict {
        /// Their author.
        author: String,
        /// The thing.
        id: String,
        /// The edition.
        edition: i64,
    },
}

/// `entry.content`: blobs are missing.
const WAITING: i64 = 0;
/// `entry.content`: the desks had it, or none wants it.
const DONE: i64 = 1;
/// `entry.content`: sealed for others.
const NOT_FOR_US: i64 = 2;
/// `entry.content`: its seal is broken.
const REFUSED: i64 = 3;
/// `entry.content`: it expired, or this authority erased its copies: forgotten, here and in the desks.
pub const FORGOTTEN: i64 = 4;
/// `entry.content`: to be forgotten; files of it may still be here.
pub(super) const TO_FORGET: i64 = 5;

struct Ready<'a> {
    judged: &'a Judged,
    opening: Option<Opening>,
}

impl Index {
    /// Takes in a batch that begins where the index ends. A batch that was taken before changes nothing.
    pub async fn apply(
        &self,
        batch: &Batch<'_>,
        contents: &dyn ContentSource,
    ) -> Result<Vec<Finding>, IndexError> {
        let origin = batch.origin.to_string();
        let done = self.size_of(&origin).await?;
        let judged: Vec<&Judged> = batch.judged.iter().filter(|j| j.index >= done).collect();
        let mut ready = Vec::with_capacity(judged.len());
        for judged in judged {
            ready.push(Ready { judged, opening: open(judged, contents).await? });
        }
        let mut tx = self.db.begin().await?;
        let mut findings = insert_entries(&mut tx, &origin, batch.here, &ready).await?;
        for item in &ready {
            if let Some((header, content, sealed)) = item.whole() {
                let name = record_of(item.judged).map_or(item.judged.leaf, Record::name);
                settle(&mut tx, &origin, item.judged.index, name, sealed, batch.here, header, content)
                    .await?;
                findings.extend(quotes(header));
            }
        }
        if let (Some(first), Some(last)) = (ready.first(), ready.last()) {
            let (first, last) = (first.judged.index, last.judged.index);
            findings.extend(conflicts(&mut tx, &origin, first, last).await?);
            self.keep_erased(&mut tx, &origin, first, last).await?;
        }
        save_log(&mut tx, batch, &origin).await?;
        tx.commit().await?;
        Ok(findings)
    }

    /// Entries of a log that are replayed.
    pub async fn size_of(&self, origin: &str) -> Result<u64, IndexError> {
        let rows = self.db.rows("select size from log where origin = $1", &[origin.into()]).await?;
        Ok(rows.first().map(|row| row.uint(0)).transpose()?.unwrap_or(0))
    }

    /// Tries again the records that wait for the blob `hash` (or for any, if `None`).
    pub async fn blob_arrived(
        &self,
        hash: Option<&Hash>,
        contents: &dyn ContentSource,
    ) -> Result<Vec<Finding>, IndexError> {
        let waiting = match hash {
            Some(hash) => {
                let sql = "select e.origin, e.pos, e.here, e.root_version from entry e join blob b on b.origin = e.origin and b.pos = e.pos
                           where e.content = 0 and b.sha256 = $1";
                self.db.rows(sql, &[hash.to_hex().into()]).await?
            }
            None => {
                self.db
                    .rows("select origin, pos, here, root_version from entry where content = 0", &[])
                    .await?
            }
        };
        let mut findings = Vec::new();
        for row in waiting {
            let (origin, pos, here, root) = (row.text(0)?, row.uint(1)?, row.opt_int(2)?, row.uint(3)?);
            let Some(record) = contents.record(&origin, pos).await else { continue };
            let opening = contents.open(&record, root).await?;
            let mut tx = self.db.begin().await?;
            let sealed = record.is_sealed();
            match &opening {
                // What has expired meanwhile is forgotten with all that has.
                Opening::Waiting | Opening::Expired => continue,
                Opening::Whole { inner, content } => {
                    let header = inner.as_ref().unwrap_or(&record.header);
                    if let Some(inner) = inner {
                        overwrite_with_inner(&mut tx, &origin, pos, inner).await?;
                    }
                    settle(&mut tx, &origin, pos, record.name(), sealed, here, header, content).await?;
                    mark_content(&mut tx, &origin, pos, DONE).await?;
                    findings.extend(quotes(header));
                    findings.extend(conflicts(&mut tx, &origin, pos, pos).await?);
                    self.keep_erased(&mut tx, &origin, pos, pos).await?;
                }
                Opening::NotForUs => mark_content(&mut tx, &origin, pos, NOT_FOR_US).await?,
                Opening::Refused(why) => {
                    mark_content(&mut tx, &origin, pos, REFUSED).await?;
                    findings.push(Finding::SealRefused { name: record.name().to_hex(), why: why.clone() });
                }
            }
            tx.commit().await?;
        }
        Ok(findings)
    }
}

fn quotes(header: &Header) -> Option<Finding> {
    let (author, anchors) = (header.author.clone(), header.anchors.clone());
    (!anchors.is_empty()).then_some(Finding::Quotes { author, anchors })
}

impl Ready<'_> {
    fn whole(&self) -> Option<(&Header, &Content, bool)> {
        let record = record_of(self.judged)?;
        match self.opening.as_ref()? {
            Opening::Whole { inner, content } => {
                Some((inner.as_ref().unwrap_or(&record.header), content, record.is_sealed()))
            }
            _ => None,
        }
    }

    /// The header that the row shows.
    fn shown(&self) -> Option<&Header> {
        match self.whole() {
            Some((header, _, _)) => Some(header),
            None => record_of(self.judged).map(|r| &r.header),
        }
    }

    fn content(&self) -> i64 {
        match &self.opening {
            Some(Opening::Waiting) => WAITING,
            Some(Opening::Expired) => TO_FORGET,
            Some(Opening::NotForUs) => NOT_FOR_US,
            Some(Opening::Refused(_)) => REFUSED,
            _ => DONE,
        }
    }
}

fn record_of(judged: &Judged) -> Option<&Record> {
    match &judged.verdict {
        Verdict::Valid { record, .. } => Some(record),
        Verdict::Invalid { .. } => None,
    }
}

/// Opens what a desk wants to read, and every sealed record.
async fn open(judged: &Judged, contents: &dyn ContentSource) -> Result<Option<Opening>, IndexError> {
    let Verdict::Valid { record, root, .. } = &judged.verdict else { return Ok(None) };
    if kind::is_log_kind(&record.header.kind) {
        return Ok(None);
    }
    if !record.is_sealed() && !desks::reads_content(&record.header.kind) {
        return Ok(Some(Opening::Whole { inner: None, content: Content::default() }));
    }
    Ok(Some(contents.open(record, *root).await?))
}

const ENTRY: [&str; 25] = [
    "origin",
    "pos",
    "leaf",
    "name",
    "author",
    "kind",
    "id",
    "edition",
    "supersedes",
    "status",
    "mechanism",
    "released",
    "sealed",
    "opened",
    "valid",
    "reason",
    "here",
    "bytes",
    "conflicting",
    "signer",
    "root_version",
    "content",
    "proven",
    "expires",
    "sealed_at",
];

async fn insert_entries(
    tx: &mut Tx,
    origin: &str,
    here: Option<i64>,
    ready: &[Ready<'_>],
) -> Result<Vec<Finding>, IndexError> {
    let mut findings = Vec::new();
    let (mut entries, mut blobs, mut refs, mut abouts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut refusals = Vec::new();
    for item in ready {
        let pos = int(item.judged.index);
        match &item.judged.verdict {
            Verdict::Invalid { reason, bytes } => {
                let fault = Fault::from(reason.clone());
                findings.push(Finding::Invalid {
                    origin: origin.to_owned(),
                    index: item.judged.index,
                    why: fault.clone(),
                });
                let fault = serde_json::to_string(&fault).unwrap_or_default();
                refusals.push(vec![origin.into(), pos.clone(), fault.into()]);
                entries.push(invalid_row(origin, item.judged, &reason.to_string(), bytes.len(), here));
            }
            Verdict::Valid { record, key, root } => {
                let header = item.shown().unwrap_or(&record.header);
                if let Some(Opening::Refused(why)) = &item.opening {
                    findings.push(Finding::SealRefused { name: record.name().to_hex(), why: why.clone() });
                }
                entries.push(vec![
                    origin.into(),
                    pos.clone(),
                    item.judged.leaf.to_hex().into(),
                    record.name().to_hex().into(),
                    header.author.as_str().into(),
                    header.kind.as_str().into(),
                    header.id.to_string().into(),
                    i64::from(header.edition).into(),
                    header.supersedes.map(|h| h.to_hex()).into(),
                    header.status.as_str().into(),
                    header.mechanism.as_ref().map(|m| m.as_str().to_owned()).into(),
                    header.released.posix().into(),
                    i64::from(record.is_sealed()).into(),
                    i64::from(record.is_sealed() && item.whole().is_some()).into(),
                    1_i64.into(),
                    Value::Null,
                    here.into(),
                    length(record.bytes.len()),
                    0_i64.into(),
                    key.name().into(),
                    int(*root),
                    item.content().into(),
                    Value::Null,
                    record.header.expires.map(|day| day.start().posix()).into(),
                    record.is_sealed().then(|| record.header.released.posix()).into(),
                ]);
                name_parts(origin, &pos, header, 0, &mut blobs, &mut refs, &mut abouts);
                if record.is_sealed() {
                    // The sealed files themselves, so that one that arrives later finds its record.
                    outer_blobs(origin, &pos, &record.header, &mut blobs, item.whole().is_some());
                }
            }
        }
    }
    tx.insert_many("entry", &ENTRY, &entries, Conflict::Fail).await?;
    tx.insert_many("refusal", &["origin", "pos", "fault"], &refusals, Conflict::Fail).await?;
    insert_parts(tx, &blobs, &refs, &abouts).await?;
    Ok(findings)
}

async fn insert_parts(
    tx: &mut Tx,
    blobs: &[Vec<Value>],
    refs: &[Vec<Value>],
    abouts: &[Vec<Value>],
) -> Result<(), IndexError> {
    let columns = ["origin", "pos", "n", "media_type", "size", "sha256", "lang"];
    tx.insert_many("blob", &columns, blobs, Conflict::Replace(&["origin", "pos", "n"])).await?;
    let columns = ["origin", "pos", "n", "relation", "to_author", "to_name"];
    tx.insert_many("ref", &columns, refs, Conflict::Replace(&["origin", "pos", "n"])).await?;
    let columns = ["origin", "pos", "n", "what", "at"];
    tx.insert_many("about", &columns, abouts, Conflict::Replace(&["origin", "pos", "n"])).await?;
    Ok(())
}

fn length(bytes: usize) -> Value {
    Value::Int(i64::try_from(bytes).unwrap_or(i64::MAX))
}

fn int(n: u64) -> Value {
    Value::Int(i64::try_from(n).unwrap_or(i64::MAX))
}

fn invalid_row(origin: &str, judged: &Judged, reason: &str, bytes: usize, here: Option<i64>) -> Vec<Value> {
    let empty = || Value::from("");
    vec![
        origin.into(),
        int(judged.index),
        judged.leaf.to_hex().into(),
        judged.leaf.to_hex().into(),
        origin.split('/').next().unwrap_or_default().into(),
        empty(),
        empty(),
        0_i64.into(),
        Value::Null,
        empty(),
        Value::Null,
        0_i64.into(),
        0_i64.into(),
        0_i64.into(),
        0_i64.into(),
        reason.into(),
        here.into(),
        length(bytes),
        0_i64.into(),
        Value::Null,
        Value::Null,
        DONE.into(),
        Value::Null,
        Value::Null,
        Value::Null,
    ]
}

/// Outer blobs of sealed records are numbered from here.
const OUTER: i64 = 1000;

fn name_parts(
    origin: &str,
    pos: &Value,
    header: &Header,
    first: i64,
    blobs: &mut Vec<Vec<Value>>,
    refs: &mut Vec<Vec<Value>>,
    abouts: &mut Vec<Vec<Value>>,
) {
    let numbered = |n: i64| vec![Value::from(origin), pos.clone(), n.into()];
    for (n, blob) in (first..).zip(&header.blobs) {
        let mut row = numbered(n);
        row.extend([
            blob.media_type.as_str().into(),
            int(blob.size),
            blob.sha256.to_hex().into(),
            blob.lang.as_ref().map(|l| l.as_str().to_owned()).into(),
        ]);
        blobs.push(row);
    }
    for (n, reference) in (0..).zip(&header.refs) {
        let mut row = numbered(n);
        row.extend([
            reference.relation.as_str().into(),
            reference.author.as_str().into(),
            reference.name.to_hex().into(),
        ]);
        refs.push(row);
    }
    for (n, (what, at)) in (0..).zip(&header.about) {
        let mut row = numbered(n);
        row.extend([what.as_str().into(), at.to_string().into()]);
        abouts.push(row);
    }
}

fn outer_blobs(origin: &str, pos: &Value, outer: &Header, blobs: &mut Vec<Vec<Value>>, opened: bool) {
    let (mut refs, mut abouts, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    name_parts(origin, pos, outer, OUTER, &mut rows, &mut refs, &mut abouts);
    if !opened {
        // Until it is opened the shown header is the outer one, whose blobs are listed already.
        blobs.retain(|row| row[1] != *pos);
    }
    blobs.append(&mut rows);
}

async fn overwrite_with_inner(tx: &mut Tx, origin: &str, pos: u64, inner: &Header) -> Result<(), IndexError> {
    let values = [
        inner.kind.as_str().into(),
        inner.id.to_string().into(),
        i64::from(inner.edition).into(),
        inner.supersedes.map(|h| h.to_hex()).into(),
        inner.mechanism.as_ref().map(|m| m.as_str().to_owned()).into(),
        inner.released.posix().into(),
        origin.into(),
        int(pos),
    ];
    tx.run(
        "update entry set kind = $1, id = $2, edition = $3, supersedes = $4, mechanism = $5, released = $6,
         opened = 1 where origin = $7 and pos = $8",
        &values,
    )
    .await?;
    let (mut blobs, mut refs, mut abouts) = (Vec::new(), Vec::new(), Vec::new());
    name_parts(origin, &int(pos), inner, 0, &mut blobs, &mut refs, &mut abouts);
    insert_parts(tx, &blobs, &refs, &abouts).await
}

async fn mark_content(tx: &mut Tx, origin: &str, pos: u64, content: i64) -> Result<(), IndexError> {
    let values = [content.into(), origin.into(), int(pos)];
    tx.run("update entry set content = $1 where origin = $2 and pos = $3", &values).await?;
    Ok(())
}

/// What a whole record changes elsewhere: earlier editions, what it withdraws, and the desks.
#[allow(clippy::too_many_arguments)] // One row's columns; a struct of them would be built once, here.
pub(super) async fn settle(
    tx: &mut Tx,
    origin: &str,
    pos: u64,
    name: Hash,
    sealed: bool,
    here: Option<i64>,
    header: &Header,
    content: &Content,
) -> Result<(), IndexError> {
    let name = name.to_hex();
    let author = header.author.as_str();
    if let Some(before) = header.supersedes {
        let values = [name.as_str().into(), before.to_hex().into(), author.into()];
        tx.run("update entry set superseded_by = $1 where name = $2 and author = $3", &values).await?;
    }
    for target in header.refs_of(Relation::Withdraws) {
        // A withdrawal counts only from the target's author.
        let values = [name.as_str().into(), target.name.to_hex().into(), author.into()];
        tx.run("update entry set withdrawn_by = $1 where name = $2 and author = $3", &values).await?;
    }
    if header.critical_unknown(&[]) {
        return Ok(()); // Shown, but neither acted on nor counted.
    }
    let pos = i64::try_from(pos).unwrap_or(i64::MAX);
    let entry = IndexedEntry { origin, pos, name: &name, sealed, here, header };
    desks::replay(tx, &entry, content).await
}

/// Marks records of one (author, id, edition) that differ.
pub(super) async fn conflicts(
    tx: &mut Tx,
    origin: &str,
    first: u64,
    last: u64,
) -> Result<Vec<Finding>, IndexError> {
    let values = [origin.into(), int(first), int(last)];
    let rows = tx
        .rows(
            "select distinct a.author, a.id, a.edition from entry a join entry b
               on b.author = a.author and b.id = a.id and b.edition = a.edition and b.name <> a.name
             where a.origin = $1 and a.pos between $2 and $3 and a.valid = 1 and b.valid = 1
               and (a.sealed = 0 or a.opened = 1) and (b.sealed = 0 or b.opened = 1)",
            &values,
        )
        .await?;
    let mut findings = Vec::new();
    for row in rows {
        let (author, id, edition) = (row.text(0)?, row.text(1)?, row.int(2)?);
        let values = [author.as_str().into(), id.as_str().into(), edition.into()];
        tx.run("update entry set conflicting = 1 where author = $1 and id = $2 and edition = $3", &values)
            .await?;
        findings.push(Finding::Conflict { author, id, edition });
    }
    Ok(findings)
}

/// Readers as the table of logs has them.
pub fn readers_text(readers: &Readers) -> String {
    match readers {
        Readers::Set(set) => set.iter().map(Authority::as_str).collect::<Vec<_>>().join(" "),
        Readers::Public => "public".to_owned(),
    }
}

/// The origin that the batch's valid `log.open` names as the log before, if it has one.
fn previous(batch: &Batch<'_>) -> Option<String> {
    let open = batch.judged.iter().find(|judged| judged.index == 0).and_then(record_of)?;
    let line = open.header.own("previous").next().filter(|_| open.header.kind == kind::LOG_OPEN)?;
    line.split(' ').next().map(str::to_owned)
}

async fn save_log(tx: &mut Tx, batch: &Batch<'_>, origin: &str) -> Result<(), IndexError> {
    let log = batch.log;
    let readers = log.readers.as_ref().map(readers_text).unwrap_or_default();
    let kept =
        tx.rows("select root, checkpoint, previous from log where origin = $1", &[origin.into()]).await?;
    let previous = match previous(batch) {
        Some(previous) => Some(previous),
        None => kept.first().map(|row| row.opt_text(2)).transpose()?.flatten(),
    };
    let (root, checkpoint) = match (batch.checkpoint, kept.first()) {
        (Some(checkpoint), _) => (checkpoint.checkpoint.root.to_hex(), checkpoint.to_bytes()),
        (None, Some(row)) => (row.text(0)?, row.bytes(1)?),
        (None, None) => (String::new(), Vec::new()),
    };
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
    ];
    let row = vec![
        origin.into(),
        batch.origin.authority.as_str().into(),
        batch.origin.audience.to_string().into(),
        i64::from(batch.origin.year).into(),
        readers.into(),
        i64::from(batch.source == Source::Own).into(),
        int(log.size),
        root.into(),
        checkpoint.into(),
        i64::from(log.closed).into(),
        log.policy.map(|h| h.to_hex()).unwrap_or_default().into(),
        int(log.root),
        log.state.clone().into(),
        previous.into(),
    ];
    tx.insert_many("log", &columns, &[row], Conflict::Replace(&["origin"])).await?;
    Ok(())
}
