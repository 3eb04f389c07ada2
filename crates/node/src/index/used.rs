//! What of an author lies on this disk, as the index knows it: entries, and the files that they name and that are here. It
//! looks at no file.

use record::Authority;
use store::db::DbError;

use super::{AWAITED, FORGOTTEN, Index};

impl Index {
    /// Bytes of an author's entries and their files. Each file is counted once for each of its logs, by the size that a
    /// record gives.
    pub async fn used_by(&self, author: &Authority) -> Result<u64, DbError> {
        let entries = "select coalesce(sum(e.bytes), 0) from entry e join log l on l.origin = e.origin
                       where l.authority = $1";
        let files = "select coalesce(sum(size), 0) from
                     (select distinct b.origin, b.sha256, b.size from blob b
                      join entry e on e.origin = b.origin and e.pos = b.pos
                      join log l on l.origin = b.origin
                      where l.authority = $1 and e.content not in ($2, $3)) as here";
        let author = author.to_string();
        let entries = self.db.rows(entries, &[author.clone().into()]).await?;
        let files = self.db.rows(files, &[author.into(), FORGOTTEN.into(), AWAITED.into()]).await?;
        let mut bytes = 0_u64;
        for row in entries.iter().chain(&files) {
            bytes = bytes.saturating_add(row.uint(0)?);
        }
        Ok(bytes)
    }
}
