//! Rows of the tables of entries: what a header says, column by column.
//!
//! Nothing is decided here: not who may see an entry, not whether it stands.

use record::{Header, Judged, Origin, Record, Verdict};
use store::db::{Conflict, Tx, Value};

use super::IndexError;
use crate::fault::Fault;

/// Outer blobs of sealed records are numbered from here.
pub const OUTER: i64 = 1000;

/// What is known of an entry beside its own bytes.
pub(super) struct Known<'a> {
    /// The header that is shown: the inner one of a sealed record that could be opened.
    pub shown: &'a Header,
    /// The header was sealed, and is known.
    pub opened: bool,
    /// `entry.content`.
    pub content: i64,
    /// Who may see it: see [`super::standing`].
    pub faces: i64,
    /// The latest time that its log claims up to it.
    pub rank: i64,
    /// When this node first verified it.
    pub here: Option<i64>,
    /// The author revoked the key that signed it.
    pub revoked: bool,
}

/// The rows of some entries of one log.
#[derive(Default)]
pub(super) struct Rows {
    entries: Vec<Vec<Value>>,
    blobs: Vec<Vec<Value>>,
    refs: Vec<Vec<Value>>,
    abouts: Vec<Vec<Value>>,
    refusals: Vec<Vec<Value>>,
}

const ENTRY: [&str; 31] = [
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
    "first_released",
    "rank",
    "sealed",
    "opened",
    "valid",
    "reason",
    "here",
    "bytes",
    "signer",
    "root_version",
    "content",
    "proven",
    "expires",
    "critical",
    "revoked",
    "disowned",
    "faces",
    "listed",
    "marked",
];

impl Rows {
    /// Adds a valid record.
    pub(super) fn record(&mut self, judged: &Judged, record: &Record, known: &Known<'_>) {
        let (outer, shown) = (&record.header, known.shown);
        let Verdict::Valid { key, root, .. } = &judged.verdict else { return };
        let origin = outer.log.to_string();
        let pos = int(judged.index);
        self.entries.push(vec![
            origin.as_str().into(),
            pos.clone(),
            judged.leaf.to_hex().into(),
            record.name().to_hex().into(),
            shown.author.as_str().into(),
            shown.kind.as_str().into(),
            shown.id.to_string().into(),
            i64::from(shown.edition).into(),
            shown.supersedes.map(|h| h.to_hex()).into(),
            shown.status.as_str().into(),
            shown.mechanism.as_ref().map(|m| m.as_str().to_owned()).into(),
            outer.released.posix().into(),
            shown.released.posix().into(),
            known.rank.into(),
            i64::from(record.is_sealed()).into(),
            i64::from(known.opened).into(),
            1_i64.into(),
            Value::Null,
            known.here.into(),
            length(record.bytes.len()),
            key.name().into(),
            int(*root),
            known.content.into(),
            Value::Null,
            outer.expires.map(|day| day.start().posix()).into(),
            i64::from(shown.critical_unknown(&[])).into(),
            i64::from(known.revoked).into(),
            0_i64.into(),
            known.faces.into(),
            known.faces.into(),
            0_i64.into(),
        ]);
        self.parts(&origin, &pos, shown, record.is_sealed() && !known.opened);
        if record.is_sealed() {
            // The sealed files themselves, so that one that arrives later finds its record.
            self.blobs(&origin, &pos, outer, OUTER);
        }
    }

    /// Adds an entry that is no valid record.
    pub(super) fn invalid(
        &mut self,
        origin: &Origin,
        judged: &Judged,
        fault: &Fault,
        bytes: usize,
        known: (i64, i64, Option<i64>),
    ) {
        let (rank, faces, here) = known;
        let name = || Value::from(judged.leaf.to_hex());
        let empty = || Value::from("");
        let (origin_text, pos) = (origin.to_string(), int(judged.index));
        let text = serde_json::to_string(fault).unwrap_or_default();
        self.refusals.push(vec![origin_text.as_str().into(), pos.clone(), text.into()]);
        self.entries.push(vec![
            origin_text.into(),
            pos,
            name(),
            name(),
            origin.authority.as_str().into(),
            empty(),
            empty(),
            0_i64.into(),
            Value::Null,
            empty(),
            Value::Null,
            0_i64.into(),
            0_i64.into(),
            rank.into(),
            0_i64.into(),
            0_i64.into(),
            0_i64.into(),
            fault.to_string().into(),
            here.into(),
            length(bytes),
            Value::Null,
            Value::Null,
            1_i64.into(),
            Value::Null,
            Value::Null,
            0_i64.into(),
            0_i64.into(),
            0_i64.into(),
            faces.into(),
            faces.into(),
            0_i64.into(),
        ]);
    }

    /// What a header names. The blobs of a sealed header that is not open stand among the outer ones only.
    fn parts(&mut self, origin: &str, pos: &Value, header: &Header, is_closed: bool) {
        let numbered = |n: i64| vec![Value::from(origin), pos.clone(), n.into()];
        if !is_closed {
            self.blobs(origin, pos, header, 0);
        }
        for (n, reference) in (0..).zip(&header.refs) {
            let mut row = numbered(n);
            row.extend([
                reference.relation.as_str().into(),
                reference.author.as_str().into(),
                reference.name.to_hex().into(),
            ]);
            self.refs.push(row);
        }
        for (n, (what, at)) in (0..).zip(&header.about) {
            let mut row = numbered(n);
            row.extend([what.as_str().into(), at.to_string().into()]);
            self.abouts.push(row);
        }
    }

    fn blobs(&mut self, origin: &str, pos: &Value, header: &Header, first: i64) {
        for (n, blob) in (first..).zip(&header.blobs) {
            self.blobs.push(vec![
                Value::from(origin),
                pos.clone(),
                n.into(),
                blob.media_type.as_str().into(),
                int(blob.size),
                blob.sha256.to_hex().into(),
                blob.lang.as_ref().map(|l| l.as_str().to_owned()).into(),
            ]);
        }
    }

    /// Writes them.
    pub(super) async fn insert(self, tx: &mut Tx) -> Result<(), IndexError> {
        tx.insert_many("entry", &ENTRY, &self.entries, Conflict::Fail).await?;
        tx.insert_many("refusal", &["origin", "pos", "fault"], &self.refusals, Conflict::Fail).await?;
        insert_parts(tx, &self.blobs, &self.refs, &self.abouts).await
    }
}

async fn insert_parts(
    tx: &mut Tx,
    blobs: &[Vec<Value>],
    refs: &[Vec<Value>],
    abouts: &[Vec<Value>],
) -> Result<(), IndexError> {
    let key = &["origin", "pos", "n"];
    let columns = ["origin", "pos", "n", "media_type", "size", "sha256", "lang"];
    tx.insert_many("blob", &columns, blobs, Conflict::Replace(key)).await?;
    let columns = ["origin", "pos", "n", "relation", "to_author", "to_name"];
    tx.insert_many("ref", &columns, refs, Conflict::Replace(key)).await?;
    let columns = ["origin", "pos", "n", "what", "at"];
    tx.insert_many("about", &columns, abouts, Conflict::Replace(key)).await?;
    Ok(())
}

/// The row of a sealed record shows its inner header from here on.
pub(super) async fn show_inner(
    tx: &mut Tx,
    place: (&str, u64),
    inner: &Header,
    content: i64,
    faces: i64,
) -> Result<(), IndexError> {
    let (origin, pos) = (place.0, int(place.1));
    let values = [
        inner.kind.as_str().into(),
        inner.id.to_string().into(),
        i64::from(inner.edition).into(),
        inner.supersedes.map(|h| h.to_hex()).into(),
        inner.mechanism.as_ref().map(|m| m.as_str().to_owned()).into(),
        inner.released.posix().into(),
        i64::from(inner.critical_unknown(&[])).into(),
        content.into(),
        faces.into(),
        origin.into(),
        pos.clone(),
    ];
    tx.run(
        "update entry set kind = $1, id = $2, edition = $3, supersedes = $4, mechanism = $5, first_released = $6,
         critical = $7, content = $8, faces = $9, listed = $9, marked = 0, opened = 1 where origin = $10 and pos = $11",
        &values,
    )
    .await?;
    let mut rows = Rows::default();
    rows.parts(origin, &pos, inner, false);
    insert_parts(tx, &rows.blobs, &rows.refs, &rows.abouts).await
}

/// The row of a sealed record shows its outer header again, as if the inner one had never been seen. Whether it is disowned
/// follows from the outer one alone, and stays.
pub(super) async fn show_outer(tx: &mut Tx, place: (&str, u64), outer: &Header) -> Result<(), IndexError> {
    let here = [Value::from(place.0), int(place.1)];
    for sql in [
        "delete from blob where origin = $1 and pos = $2 and n < 1000",
        "delete from ref where origin = $1 and pos = $2",
        "delete from about where origin = $1 and pos = $2",
        "delete from refusal where origin = $1 and pos = $2",
    ] {
        tx.run(sql, &here).await?;
    }
    debug_assert_eq!(OUTER, 1000, "as the query says");
    let [origin, pos] = here;
    let values = [
        outer.kind.as_str().into(),
        outer.id.to_string().into(),
        i64::from(outer.edition).into(),
        outer.released.posix().into(),
        origin,
        pos,
    ];
    let sql = "update entry set kind = $1, id = $2, edition = $3, supersedes = null, mechanism = null,
               first_released = $4, critical = 0, opened = 0, faces = 0, listed = 0, marked = 0
               where origin = $5 and pos = $6";
    tx.run(sql, &values).await?;
    Ok(())
}

/// A whole number of ours as the databases take it.
pub(super) fn int(n: u64) -> Value {
    Value::Int(i64::try_from(n).unwrap_or(i64::MAX))
}

fn length(bytes: usize) -> Value {
    Value::Int(i64::try_from(bytes).unwrap_or(i64::MAX))
}
