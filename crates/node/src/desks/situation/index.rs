//! From verified records to this desk's tables, and which kinds it reads.

use super::replay::{self, Release, Stated};
use super::schema::{self, Shelf};
use crate::index::{Content, IndexError, IndexedEntry};
use formats::figures::{FigureReader, ReadOptions};
use formats::places::PlaceNames;
use record::{BlobRef, Header, kind};
use store::db::{Migration, Tx};

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
    memory: &mut replay::Memory,
    entry: &IndexedEntry<'_>,
    content: Option<&Content>,
) -> Result<(), IndexError> {
    let (header, Some(content)) = (entry.header, content) else { return Ok(()) };
    if header.kind != kind::FIGURES {
        return Ok(());
    }
    let id = header.id.to_string();
    let release = Release {
        shelf: if entry.public { Shelf::Public } else { Shelf::Sealed },
        origin: entry.origin,
        pos: entry.pos,
        author: header.author.as_str(),
        name: entry.name,
        id: &id,
        edition: i64::from(header.edition),
        status: header.status.as_str(),
        claimed: entry.released,
        proven: entry.proven,
        here: entry.here,
        rank: entry.rank,
        marked: entry.marked,
    };
    replay::take_figures(tx, memory, &release, header.released.posix(), || read(header, content)).await?;
    Ok(())
}

/// The figures of a record, or the code of what is wrong with its file.
fn read(header: &Header, content: &Content) -> Result<Stated, String> {
    let table = header.blobs.iter().find(|blob| blob.media_type.as_str() == MEDIA_TYPE);
    let bytes = table.and_then(|blob| content.blob(&blob.sha256)).ok_or("no-table")?;
    // The bundled names only: what a record says may not depend on the node that reads it.
    let options = ReadOptions::canonical(PlaceNames::bundled());
    let reader = FigureReader::new(bytes, options).map_err(|error| error.code().to_owned())?;
    let mut stated = Stated::default();
    for row in reader {
        match row {
            Ok(row) => stated.figures.extend(row.figures.into_iter().map(|figure| (row.number, figure))),
            Err(error) if error.is_fatal() => return Err(error.code().to_owned()),
            Err(_) => stated.refused += 1,
        }
    }
    Ok(stated)
}
