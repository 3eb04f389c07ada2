//! From verified records to this desk's tables, and which kinds it reads.

use super::replay::{self, Release, Stated};
use super::schema::{self, Shelf};
use crate::index::{Content, IndexError, IndexedEntry};
use formats::figures::{FigureReader, ReadOptions};
use formats::places::PlaceNames;
use record::{Relation, kind};
use store::db::{Migration, Tx};

/// The media type of a table of figures.
pub const MEDIA_TYPE: &str = "text/csv;schema=hxl";

/// This desk's tables.
pub fn migrations() -> &'static [Migration] {
    schema::MIGRATIONS
}

/// Whether this desk needs the blobs of records of this kind.
pub fn reads_content(kind: &str) -> bool {
    kind == kind::FIGURES
}

/// Takes in one valid record, in the order of its log.
pub async fn replay(tx: &mut Tx, entry: &IndexedEntry<'_>, content: &Content) -> Result<(), IndexError> {
    let header = entry.header;
    let id = header.id.to_string();
    let release = Release {
        shelf: if entry.sealed { Shelf::Sealed } else { Shelf::Public },
        origin: entry.origin,
        pos: entry.pos,
        author: header.author.as_str(),
        name: entry.name,
        kind: &header.kind,
        id: &id,
        edition: i64::from(header.edition),
        status: header.status.as_str(),
        claimed: header.released.posix(),
        here: entry.here,
    };
    if header.kind == kind::FIGURES {
        replay::release_figures(tx, &release, read(header, content)).await?;
    }
    for reference in &header.refs {
        if reference.author != header.author {
            continue; // Only who said something can take it back.
        }
        if reference.relation == Relation::Withdraws {
            replay::withdraw(tx, &release, &reference.name.to_hex()).await?;
        }
    }
    Ok(())
}

/// The figures of a record, or the code of what is wrong with its file.
fn read(header: &record::Header, content: &Content) -> Result<Stated, String> {
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
