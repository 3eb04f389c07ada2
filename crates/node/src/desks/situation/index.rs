//! From verified records to this desk's tables, and which kinds it reads.

use std::ops::Range;

use super::load::{Load, Memory};
use super::replay::{self, Giving, Release, Stated};
use super::schema::{self, Shelf};
use super::table::Table;
use crate::index::{Content, Given, IndexError, IndexedEntry};
use formats::figures::Figure;
use record::{BlobRef, Header, kind};
use store::db::{DbError, Migration, Tx};

/// The media type of a table of figures.
pub const MEDIA_TYPE: &str = "text/csv;schema=hxl";

/// This desk's tables.
pub fn migrations() -> &'static [Migration] {
    schema::MIGRATIONS
}

/// The table of a record of figures.
pub fn wanted(header: &Header) -> Option<&BlobRef> {
    let table = |blob: &&BlobRef| blob.media_type.as_str() == MEDIA_TYPE;
    header.blobs.iter().find(table).filter(|_| header.kind == kind::FIGURES)
}

/// Takes one record. Figures are counted from a table: not before it is here.
pub async fn take(
    tx: &mut Tx,
    memory: &mut Memory,
    entry: &IndexedEntry<'_>,
    given: Given<'_>,
) -> Result<(), IndexError> {
    if entry.header.kind != kind::FIGURES {
        return Ok(());
    }
    let giving = match given {
        Given::Header => return Ok(()),
        Given::Content(content) => {
            Giving::Stated(table(entry.header, content).and_then(|table| table.whole()))
        }
        Given::Loaded(Loaded(giving)) => giving,
    };
    let id = entry.header.id.to_string();
    let first_released = entry.header.released.posix();
    replay::take_figures(tx, memory, &release(entry, &id), first_released, giving).await?;
    Ok(())
}

fn release<'a>(entry: &'a IndexedEntry<'_>, id: &'a str) -> Release<'a> {
    Release {
        shelf: if entry.public { Shelf::Public } else { Shelf::Sealed },
        origin: entry.origin,
        pos: entry.pos,
        author: entry.header.author.as_str(),
        name: entry.name,
        id,
        edition: i64::from(entry.header.edition),
        status: entry.header.status.as_str(),
        claimed: entry.released,
        proven: entry.proven,
        here: entry.here,
        rank: entry.rank,
        marked: entry.marked,
    }
}

/// The table of a record, if it has one.
fn table(header: &Header, content: &Content) -> Result<Table, String> {
    let table = header.blobs.iter().find(|blob| blob.media_type.as_str() == MEDIA_TYPE);
    let bytes = table.and_then(|blob| content.bytes(&blob.sha256)).ok_or("no-table")?;
    Ok(Table(bytes.clone()))
}

/// A table whose statements are put into their table a piece at a time.
#[derive(Debug)]
pub struct Loading {
    table: Table,
    load: Option<Load>,
    memory: Memory,
}

/// What came of it: every statement is there, or the file has a fault.
#[derive(Debug)]
pub struct Loaded(Giving);

/// Statements that are marked together.
const MARKED: i64 = 4096;

impl Loading {
    /// Of a record's content. It keeps no other part of that.
    pub fn of(header: &Header, content: &Content) -> Option<Self> {
        let table = table(header, content).ok()?;
        Some(Self { table, load: None, memory: Memory::default() })
    }

    /// The table, to be read elsewhere.
    pub fn table(&self) -> Table {
        self.table.clone()
    }

    /// Puts a piece.
    pub async fn put(
        &mut self,
        tx: &mut Tx,
        entry: &IndexedEntry<'_>,
        piece: Vec<(u64, Figure)>,
    ) -> Result<(), DbError> {
        let id = entry.header.id.to_string();
        let release = release(entry, &id);
        let mut load = match self.load.take() {
            Some(load) => load,
            None => Load::begin(tx, &release, entry.header.released.posix()).await?,
        };
        let done = load.put(tx, &mut self.memory, &release, piece).await;
        self.load = Some(load);
        done
    }

    /// The parts in which what was put is to be marked.
    pub fn parts(&self) -> Vec<Range<i64>> {
        let Some(all) = self.load.as_ref().map(Load::all) else { return Vec::new() };
        let starts = (all.start..all.end).step_by(usize::try_from(MARKED).unwrap_or(1));
        starts.map(|start| start..all.end.min(start + MARKED)).collect()
    }

    /// Marks a part, when all is put.
    pub async fn mark(&self, tx: &mut Tx, part: Range<i64>) -> Result<(), DbError> {
        match &self.load {
            Some(load) => load.mark(tx, part).await,
            None => Ok(()),
        }
    }

    /// What came of it. `checked` is what [`Table::check`] said.
    pub fn loaded(self, checked: Result<usize, String>) -> Loaded {
        Loaded(match (self.load, checked) {
            (Some(load), Ok(refused)) => Giving::Loaded(load, refused),
            (_, checked) => Giving::Stated(checked.map(|refused| Stated { figures: Vec::new(), refused })),
        })
    }
}

impl Loaded {
    /// Nobody wants it any more: as if nothing had been put.
    pub async fn discard(self, tx: &mut Tx) -> Result<(), DbError> {
        match self.0 {
            Giving::Loaded(load, _) => load.discard(tx).await,
            Giving::Stated(_) => Ok(()),
        }
    }
}
