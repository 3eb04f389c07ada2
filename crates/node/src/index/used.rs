//! What of an author lies on this disk, as the index knows it: entries, the files that they name, and what desks made of
//! these. It looks at no file: the exchange knows which of them are not here.

use federate::footprint::{BLOCK, PER_FIGURE, PER_FILE, PER_LINE};
use record::{Authority, MAX_BLOB};
use store::db::DbError;

use super::{FORGOTTEN, Index, OUTER};

impl Index {
    /// What an author's entries and the files that they name take, in bytes, counted as the exchange counts it while they come. Each file is
    /// counted once for each of its logs, by the size that a record gives.
    pub async fn used_by(&self, author: &Authority) -> Result<u64, DbError> {
        let entries =
            "select cast(coalesce(sum(e.bytes), 0) as bigint) from entry e join log l on l.origin = e.origin
                       where l.authority = $1";
        let lines = "select (select count(*) from ref r join log l on l.origin = r.origin where l.authority = $1)
                          + (select count(*) from about a join log l on l.origin = a.origin where l.authority = $1)
                          + (select count(*) from blob b join log l on l.origin = b.origin where l.authority = $1)";
        let named = "from (select distinct b.origin, b.sha256, b.size from blob b
                      join entry e on e.origin = b.origin and e.pos = b.pos
                      join log l on l.origin = b.origin
                      where l.authority = $1 and e.content <> 4 and (e.sealed = 0 or b.n >= 1000)
                        and b.size <= 50331648) as named";
        debug_assert_eq!((FORGOTTEN, OUTER, MAX_BLOB), (4, 1000, 50_331_648), "as the query says");
        let mut blocks =
            store::db::Sql::from("select cast(coalesce(sum((size + 4095) / 4096), 0) as bigint) ");
        blocks.push(named);
        debug_assert_eq!(BLOCK, 4096, "as the query says");
        let mut files = store::db::Sql::from("select count(*) ");
        files.push(named);
        let stated = "select cast((select coalesce(sum(figures), 0) from situation_release where author = $1)
                        + (select coalesce(sum(figures), 0) from sealed_situation_release where author = $1) as bigint)";
        let all = [
            (entries.into(), 1),
            (lines.into(), PER_LINE),
            (blocks, BLOCK),
            (files, PER_FILE),
            (stated.into(), PER_FIGURE),
        ];
        let mut bytes = 0_u64;
        for (sql, each) in all {
            for row in self.db.rows(sql, &[author.as_str().into()]).await? {
                bytes = bytes.saturating_add(row.uint(0)?.saturating_mul(each));
            }
        }
        Ok(bytes)
    }
}
