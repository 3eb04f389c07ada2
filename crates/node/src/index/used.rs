//! What of an author lies on this disk, as the index knows it: entries, and the files that they name and that are here. It
//! looks at no file.

use record::Authority;
use store::db::DbError;

use super::{AWAITED, FORGOTTEN, Index};

/// What a stated figure takes in this database: a row, and its part of four indexes.
const STATEMENT: u64 = 256;

impl Index {
    /// Bytes of an author's entries and their files. Each file is counted once for each of its logs, by the size that a
    /// record gives; what a desk makes of it takes several times as much.
    pub async fn used_by(&self, author: &Authority) -> Result<u64, DbError> {
        let entries =
            "select cast(coalesce(sum(e.bytes), 0) as bigint) from entry e join log l on l.origin = e.origin
                       where l.authority = $1";
        let files = "select cast(coalesce(sum(size), 0) as bigint) from
                     (select distinct b.origin, b.sha256, b.size from blob b
                      join entry e on e.origin = b.origin and e.pos = b.pos
                      join log l on l.origin = b.origin
                      where l.authority = $1 and e.content not in (4, 6)) as here";
        debug_assert_eq!((FORGOTTEN, AWAITED), (4, 6), "as the query says");
        let stated = "select cast((select coalesce(sum(figures), 0) from situation_release where author = $1)
                        + (select coalesce(sum(figures), 0) from sealed_situation_release where author = $1) as bigint)";
        let mut bytes = 0_u64;
        for (sql, each) in [(entries, 1), (files, 1), (stated, STATEMENT)] {
            for row in self.db.rows(sql, &[author.as_str().into()]).await? {
                bytes = bytes.saturating_add(row.uint(0)?.saturating_mul(each));
            }
        }
        Ok(bytes)
    }
}
