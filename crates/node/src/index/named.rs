//! Whose a name is.
//!
//! The name of a record is a hash of what its author signed, its author included: no two authors have one name. But under a seal
//! anybody may claim any name, and what was not opened here claims it still. So a name is looked up with its author: whoever's
//! record of that name was read here, and only if nobody's was, the claim that is the oldest here.

use std::collections::BTreeMap;

use store::db::{Db, DbError, Sql};

/// A name was read, not only claimed: the record is in clear, or was opened.
const WAS_READ: &str = "valid = 1 and (sealed = 0 or opened = 1)";

/// SQL text: the author of the name in the placeholder of this number.
pub fn author_of(number: usize) -> Sql {
    let mut sql = Sql::from("(select author from entry where name = ");
    sql.placeholder(number).push(" order by case when ").push(WAS_READ);
    sql.push(
        " then 0 when valid = 1 then 1 else 2 end, coalesce(proven, 9223372036854775807),
         coalesce(here, 9223372036854775807), released, origin, pos limit 1)",
    );
    sql
}

/// Everybody whose record of this name is to go when it is erased, each with its kinds at all its places: whose name it is, or
/// all who claim it if nobody's was read here.
pub async fn claimed_by(db: &Db, name: &str) -> Result<Vec<(String, Vec<String>)>, DbError> {
    let mut sql = Sql::from("select author, kind, max(case when ");
    sql.push(WAS_READ).push(
        " then 1 else 0 end) from entry where name = $1 and valid = 1
                             group by author, kind order by author, kind",
    );
    let mut found: BTreeMap<String, (Vec<String>, bool)> = BTreeMap::new();
    for row in db.rows(sql, &[name.into()]).await? {
        let (kinds, was_read) = found.entry(row.text(0)?).or_default();
        kinds.push(row.text(1)?);
        *was_read |= row.int(2)? != 0;
    }
    let is_read = found.values().any(|(_, was_read)| *was_read);
    found.retain(|_, (_, was_read)| *was_read || !is_read);
    Ok(found.into_iter().map(|(author, (kinds, _))| (author, kinds)).collect())
}
