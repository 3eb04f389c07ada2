//! Looking again at an entry of which something has come: its inner header, or a file that a desk wants.
//!
//! What was opened, outside of the writer's turn, is written here in one; what changed meanwhile decides. It reads no file
//! but the entry itself.

use record::{Origin, Record};

use super::finding::{awaits, refused, said};
use super::opening::Opening;
use super::rows::{int, show_inner, show_outer};
use super::take::{AWAITED, CLOSED, DONE, NOT_FOR_US, REFUSED, Standing, faces_of, give, mark_content};
use super::touched::{Group, Touched};
use super::{Finding, Given, Index, IndexError, Source, Writer};
use crate::desks;

/// What the row of a valid entry says.
pub(super) struct Row {
    pub root: u64,
    pub content: i64,
    pub faces: i64,
    pub standing: Standing,
}

impl Row {
    /// Whether anything that comes of the record may change what is known of it.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.content, CLOSED | AWAITED | DONE)
    }
}

/// The place of an entry: origin and index.
pub(super) type Place<'a> = (&'a str, u64);

/// What was opened of an entry that was here already.
pub(super) struct Again<'r> {
    pub record: &'r Record,
    pub opening: Opening,
    /// What a desk made of a large file of it.
    pub loaded: Option<desks::Loaded>,
    /// Whether all its files were looked at, and not only the one that came.
    pub is_whole: bool,
}

impl Index {
    /// The record at a place, and what its row says.
    pub(super) async fn entry(
        &self,
        source: &dyn Source,
        (origin, pos): Place<'_>,
    ) -> Result<Option<(Record, Row)>, IndexError> {
        let Some(row) = self.row((origin, pos)).await? else { return Ok(None) };
        let Ok(log) = origin.parse::<Origin>() else { return Ok(None) };
        let entries = source.entries(&log, pos..pos + 1).await?;
        Ok(entries.first().and_then(|bytes| Record::parse(bytes).ok()).map(|record| (record, row)))
    }

    async fn row(&self, (origin, pos): Place<'_>) -> Result<Option<Row>, IndexError> {
        let sql = "select root_version, rank, here, content, faces, proven, marked from entry
                   where origin = $1 and pos = $2 and valid = 1";
        let rows = self.db().rows(sql, &[origin.into(), int(pos)]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let standing = Standing {
            rank: row.int(1)?,
            here: row.opt_int(2)?,
            proven: row.opt_int(5)?,
            marked: row.int(6)?,
        };
        Ok(Some(Row { root: row.uint(0)?, content: row.int(3)?, faces: row.int(4)?, standing }))
    }

    /// Entries that wait for a file, or are checked against it: those whose inner header or content it is, and those of
    /// which it is a part that must be what was committed to.
    pub async fn waiting_for(&self, hash: &tlog::Hash) -> Result<Vec<(String, u64)>, IndexError> {
        let sql = "select distinct e.origin, e.pos from entry e join blob b on b.origin = e.origin and b.pos = e.pos
                   where b.sha256 = $1 and e.valid = 1
                     and (e.content in (0, 6) or (e.content = 1 and b.n > 1000))
                   order by e.origin, e.pos";
        let rows = self.db().rows(sql, &[hash.to_hex().into()]).await?;
        rows.iter().map(|row| Ok((row.text(0)?, row.uint(1)?))).collect()
    }
}

impl Writer<'_> {
    /// Writes what was opened. Answers the places that are to be looked at next.
    pub(super) async fn opened(
        &mut self,
        place: Place<'_>,
        again: Again<'_>,
    ) -> Result<Vec<(String, u64)>, IndexError> {
        let row = self.index.row(place).await?.filter(Row::is_open);
        self.moves(again.record.header.author.as_str());
        let Again { record, opening, loaded, is_whole } = again;
        match (row, opening) {
            (Some(row), Opening::Open { inner, content, .. }) => {
                let header = inner.as_deref().unwrap_or(&record.header);
                let given = match (loaded, &content) {
                    (Some(loaded), _) => Given::Loaded(loaded),
                    (None, Some(content)) => Given::Content(content),
                    (None, None) => Given::Header,
                };
                self.know(place, record, header, &row, given, is_whole).await?;
                Ok(Vec::new())
            }
            (Some(row), Opening::Refused(why)) => {
                let finding = refused(record, place.1, &why);
                self.refuse(place, record, &row, finding).await
            }
            (row, opening) => {
                if let Some(loaded) = loaded {
                    let mut tx = self.index.db().begin().await?;
                    loaded.discard(&mut tx).await?;
                    tx.commit().await?;
                }
                // What has expired meanwhile is forgotten with all that has.
                if let (Some(_), Opening::NotForUs) = (row, opening) {
                    let mut tx = self.index.db().begin().await?;
                    mark_content(&mut tx, place.0, place.1, NOT_FOR_US).await?;
                    tx.commit().await?;
                }
                Ok(Vec::new())
            }
        }
    }

    /// The header is known, and perhaps the content.
    async fn know(
        &mut self,
        place: Place<'_>,
        record: &Record,
        header: &record::Header,
        row: &Row,
        given: Given<'_>,
        is_whole: bool,
    ) -> Result<(), IndexError> {
        let (origin, pos) = place;
        let is_new = row.content == CLOSED;
        let is_complete = !matches!(given, Given::Header);
        let state = match row.content {
            _ if is_complete => DONE,
            CLOSED => AWAITED,
            as_before => as_before,
        };
        let mut findings = Vec::new();
        if state == AWAITED && (is_new || is_whole) {
            findings.extend(awaits(record, pos));
        }
        let mut tx = self.index.db().begin().await?;
        if is_new {
            show_inner(&mut tx, place, header, state, faces_of(&record.header.log)).await?;
            findings.extend(said(header, true));
        } else if state != row.content {
            mark_content(&mut tx, origin, pos, state).await?;
        }
        match given {
            Given::Loaded(loaded) if row.content == DONE => loaded.discard(&mut tx).await?,
            given if is_new || (is_complete && row.content != DONE) => {
                give(&mut tx, &mut desks::Memory::default(), place, record, header, given, row.standing)
                    .await?;
            }
            _ => {}
        }
        if is_new {
            let mut touched = Touched::default();
            touched.in_range(&mut tx, &record.header.log, pos, pos + 1).await?;
            findings.extend(self.settle(&mut tx, touched).await?);
            self.keep_erased(&mut tx, &record.header.log, pos, pos + 1).await?;
        }
        tx.commit().await?;
        self.source.report(findings).await;
        Ok(())
    }

    /// The seal is broken: the record is not shown here. As it stands at other places it is looked at next.
    async fn refuse(
        &mut self,
        place: Place<'_>,
        record: &Record,
        row: &Row,
        finding: Finding,
    ) -> Result<Vec<(String, u64)>, IndexError> {
        let (origin, pos) = place;
        let mut findings = vec![finding];
        let mut elsewhere = Vec::new();
        let mut touched = Touched::default();
        let mut tx = self.index.db().begin().await?;
        if row.faces != 0 {
            touched.add(Group::of_row(&mut tx, origin, pos).await?);
            touched.targets_of(&mut tx, origin, pos).await?;
            let (author, name) = (record.header.author.as_str(), record.name().to_hex());
            desks::forget(&mut tx, author, &name).await?;
            show_outer(&mut tx, place, &record.header).await?;
            let sql = "update entry set content = 6 where author = $1 and name = $2 and valid = 1
                       and content in (1, 6) and (origin <> $3 or pos <> $4) returning origin, pos";
            let values = [author.into(), name.into(), origin.into(), int(pos)];
            for row in tx.rows(sql, &values).await? {
                elsewhere.push((row.text(0)?, row.uint(1)?));
            }
        }
        mark_content(&mut tx, origin, pos, REFUSED).await?;
        findings.extend(self.settle(&mut tx, touched).await?);
        tx.commit().await?;
        self.source.report(findings).await;
        elsewhere.sort();
        Ok(elsewhere)
    }
}
