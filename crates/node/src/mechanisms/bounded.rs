//! Which facts are looked at: all of an author that states as much as a real one, and a bounded part of one that states more.
//!
//! It is a rule of what is held, whenever it came. Of an author's charters those come first that most others accept, then the
//! oldest by its own claim: nobody's flood, and not its author's either, takes away what others have joined. What an author
//! accepts of others' charters is always looked at, once; of all else that it accepts or leaves, the oldest.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use record::charter::{Act, Fact};
use record::{Ref, kind};
use store::db::{Db, DbError, Row, Value};
use tlog::hash::Hash;

use super::accepted;

/// The most charters of one author and status that are looked at, at all their places.
pub const MOST_CHARTERS: usize = 100;
/// The most acceptances, and the most leaves, of one author and status that are looked at besides the first acceptance of
/// each charter of another author.
pub const MOST_ANSWERS: usize = 1_000;
/// Rows read at once without what they say, and with it: a header may have 64 KiB.
const PAGE: usize = 1_000;
const PAGE_WHOLE: usize = 64;

/// Rows of a kind behind a place in the order of authors, statuses and claimed times.
macro_rules! in_order {
    ($columns:literal) => {
        concat!(
            "select f.origin, f.pos, f.name, f.author, f.kind, f.status, f.released",
            $columns,
            " from sealed_mechanism_fact f where f.kind = $1
                and not exists (
                  select 1 from entry e where e.origin = f.origin and e.pos = f.pos and e.disowned <> 0)
                and (f.author, f.status, f.released, f.origin, f.pos) > ($2, $3, $4, $5, $6)
              order by f.author, f.status, f.released, f.origin, f.pos limit $7"
        )
    };
}

const LIGHT: &str = in_order!("");
const WHOLE: &str = in_order!(", f.supersedes, f.mechanism, f.charter, f.accepts");
const ONE: &str =
    "select origin, pos, name, author, kind, status, released, supersedes, mechanism, charter, accepts
                   from sealed_mechanism_fact where origin = $1 and pos = $2";

/// How much of each author is left out.
type LeftOut = BTreeMap<String, u64>;

/// The facts that are looked at, and of which authors there are more.
pub(super) async fn facts(
    db: &Db,
    read: impl Fn(&Row) -> Result<Vec<Fact>, DbError>,
) -> Result<(Vec<Fact>, LeftOut), DbError> {
    let joined = joined(db).await?;
    let (chosen, mut left_out) = chosen(db, &joined).await?;
    let mut facts = Vec::new();
    for group in &chosen {
        group.read(db, &read, &mut facts).await?;
    }
    let names: BTreeSet<Hash> = facts.iter().map(|fact| fact.name).collect();
    for kind in [kind::ACCEPT, kind::LEAVE] {
        let mut answers = Answers::new(&names);
        let mut rows = Rows::of(kind, WHOLE, PAGE_WHOLE);
        while let Some(page) = rows.next(db).await? {
            for row in &page {
                answers.begin(row)?;
                facts.extend(read(row)?.into_iter().filter(|fact| answers.takes(fact)));
            }
        }
        for (author, count) in answers.left_out {
            *left_out.entry(author).or_default() += count;
        }
    }
    Ok((facts, left_out))
}

/// Rows of a kind by author, status and claimed time, a page at a time.
struct Rows {
    sql: &'static str,
    kind: &'static str,
    per_page: usize,
    after: Option<[Value; 5]>,
}

impl Rows {
    fn of(kind: &'static str, sql: &'static str, per_page: usize) -> Self {
        let after = Some(["".into(), "".into(), i64::MIN.into(), "".into(), (-1_i64).into()]);
        Self { sql, kind, per_page, after }
    }

    async fn next(&mut self, db: &Db) -> Result<Option<Vec<Row>>, DbError> {
        let Some(after) = self.after.take() else { return Ok(None) };
        let most = i64::try_from(self.per_page).unwrap_or(i64::MAX);
        let values: Vec<Value> = [self.kind.into()].into_iter().chain(after).chain([most.into()]).collect();
        let rows = db.rows(self.sql, &values).await?;
        if let Some(last) = rows.last().filter(|_| rows.len() >= self.per_page) {
            let (author, status, released) = (last.text(3)?, last.text(5)?, last.int(6)?);
            let (origin, pos) = (last.text(0)?, last.int(1)?);
            self.after = Some([author.into(), status.into(), released.into(), origin.into(), pos.into()]);
        }
        Ok(Some(rows))
    }
}

/// How many other authors accept each charter that is here.
async fn joined(db: &Db) -> Result<HashMap<Hash, u32>, DbError> {
    // By name: how many, and the last of them that was counted.
    let mut joined: HashMap<Hash, (u32, usize)> = HashMap::new();
    let mut charters = Rows::of(kind::CHARTER, LIGHT, PAGE);
    while let Some(page) = charters.next(db).await? {
        for row in &page {
            joined.extend(Hash::from_hex(&row.text(2)?).ok().map(|name| (name, (0, 0))));
        }
    }
    let mut accepts = Rows::of(kind::ACCEPT, WHOLE, PAGE_WHOLE);
    let (mut author, mut nth) = (String::new(), 0);
    while let Some(page) = accepts.next(db).await? {
        for row in &page {
            let by = row.text(3)?;
            if by != author {
                (author, nth) = (by, nth + 1);
            }
            let accepts = row.text(10)?;
            let others = |named: &Ref| named.author.as_str() != author;
            for named in accepts.split(' ').filter_map(accepted).filter(others) {
                if let Some((count, last)) = joined.get_mut(&named.name).filter(|(_, last)| *last != nth) {
                    (*count, *last) = (*count + 1, nth);
                }
            }
        }
    }
    Ok(joined
        .into_iter()
        .filter(|(_, (count, _))| *count > 0)
        .map(|(name, (count, _))| (name, count))
        .collect())
}

/// A charter's place in the order of its author's: by how many others accept it, then the oldest.
type Rank = (Reverse<u32>, i64, String, i64);

/// The charters of an author and status.
struct Group {
    author: String,
    status: String,
    first: BTreeSet<Rank>,
    left_out: u64,
}

impl Group {
    fn add(&mut self, rank: Rank) {
        self.first.insert(rank);
        if self.first.len() > MOST_CHARTERS {
            self.first.pop_last();
            self.left_out += 1;
        }
    }

    /// What they say, one at a time.
    async fn read(
        &self,
        db: &Db,
        read: &impl Fn(&Row) -> Result<Vec<Fact>, DbError>,
        facts: &mut Vec<Fact>,
    ) -> Result<(), DbError> {
        for (_, _, origin, pos) in &self.first {
            for row in db.rows(ONE, &[origin.as_str().into(), (*pos).into()]).await? {
                facts.extend(read(&row)?);
            }
        }
        Ok(())
    }
}

/// The charters that are looked at.
async fn chosen(db: &Db, joined: &HashMap<Hash, u32>) -> Result<(Vec<Group>, LeftOut), DbError> {
    let mut groups: Vec<Group> = Vec::new();
    let mut rows = Rows::of(kind::CHARTER, LIGHT, PAGE);
    while let Some(page) = rows.next(db).await? {
        for row in &page {
            let (author, status) = (row.text(3)?, row.text(5)?);
            let others = Hash::from_hex(&row.text(2)?).ok().and_then(|name| joined.get(&name)).copied();
            let rank = (Reverse(others.unwrap_or(0)), row.int(6)?, row.text(0)?, row.int(1)?);
            match groups.last_mut().filter(|last| (&last.author, &last.status) == (&author, &status)) {
                Some(group) => group.add(rank),
                None => groups.push(Group { author, status, first: BTreeSet::from([rank]), left_out: 0 }),
            }
        }
    }
    let mut left_out = LeftOut::new();
    for group in groups.iter().filter(|group| group.left_out > 0) {
        *left_out.entry(group.author.clone()).or_default() += group.left_out;
    }
    Ok((groups, left_out))
}

/// Chooses among what authors accept and leave, given in order.
struct Answers<'a> {
    /// The charters that are looked at.
    charters: &'a BTreeSet<Hash>,
    /// Whose answers these are, and their status.
    group: (String, String),
    /// Charters of others that it has accepted.
    accepted: BTreeSet<Hash>,
    besides: usize,
    left_out: LeftOut,
}

impl<'a> Answers<'a> {
    fn new(charters: &'a BTreeSet<Hash>) -> Self {
        let (group, accepted) = Default::default();
        Self { charters, group, accepted, besides: 0, left_out: LeftOut::new() }
    }

    fn begin(&mut self, row: &Row) -> Result<(), DbError> {
        let group = (row.text(3)?, row.text(5)?);
        if group != self.group {
            self.group = group;
            self.accepted.clear();
            self.besides = 0;
        }
        Ok(())
    }

    fn takes(&mut self, fact: &Fact) -> bool {
        if let Act::Accept { author, charter } = &fact.act
            && *author != fact.by.0
            && self.charters.contains(charter)
            && self.accepted.insert(*charter)
        {
            return true;
        }
        let takes = self.besides < MOST_ANSWERS;
        if takes {
            self.besides += 1;
        } else {
            *self.left_out.entry(self.group.0.clone()).or_default() += 1;
        }
        takes
    }
}
