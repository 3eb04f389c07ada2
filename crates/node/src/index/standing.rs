//! What stands, as rows: recomputed from the rows of entries, for the things that a batch touched.
//!
//! [`record::standing::stands`] decides; here it is asked for each face and each basis, because what a face does not
//! see does not exist for it, and an *as of* knows nothing of later. Most things are one record at one place that
//! nothing ends: they have no rows here, and stand from their own time on. A thing's entries are *marked*, by face,
//! where rows here say what they are.

use std::collections::{BTreeMap, BTreeSet};

use record::standing::{Basis, Disowned, During, Ending, Entry, Log, Revoked, Span, State, Times, stands};
use store::db::{Conflict, Row, Tx, Value};
use tlog::hash::Hash;

use super::condition::{CONFLICTING, DISOWNED, INSIDE, PUBLIC, SPEAKS, SUPERSEDED, WITHDRAWN};
use super::revocation::{Revocations, revocations};
use super::touched::{Group, Reads, Touched};
use super::{Finding, IndexError, Writer};
use crate::desks;

fn number(basis: Basis) -> i64 {
    match basis {
        Basis::Claimed => 1,
        Basis::Proven => 2,
        Basis::Here => 3,
    }
}

/// The logs of one author: of each its line and its part there.
pub(super) type Logs = BTreeMap<String, Log>;

pub(super) async fn logs_of<R: Reads>(rows: &mut R, author: &str) -> Result<Logs, IndexError> {
    let sql = "select origin, previous from log where authority = $1";
    let rows = rows.rows(sql.into(), &[author.into()]).await?;
    let mut previous = Vec::new();
    for row in &rows {
        previous.push((row.text(0)?, row.opt_text(1)?));
    }
    let author_of = |origin: &str| origin.split('/').next().unwrap_or_default().to_owned();
    let lines = record::standing::lines(previous, |log, before| author_of(log) == author_of(before));
    let mut numbers: BTreeMap<String, u32> = BTreeMap::new();
    let mut logs = Logs::new();
    for row in &rows {
        let origin = row.text(0)?;
        let (first, part) = lines.get(&origin).cloned().unwrap_or_else(|| (origin.clone(), 0));
        let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
        let line = *numbers.entry(first).or_insert(next);
        logs.insert(origin, Log { line, part });
    }
    Ok(logs)
}

/// An entry of a thing, as its row has it.
struct Fact {
    origin: String,
    pos: i64,
    name: Hash,
    edition: u32,
    times: Times,
    faces: i64,
    disowned: Disowned,
    revoked: Option<Revoked>,
    before: (i64, i64),
}

impl Fact {
    fn is_on(&self, face: i64) -> bool {
        self.faces & face != 0
    }

    fn during(&self, basis: Basis) -> Option<During> {
        self.disowned.during(self.times, basis, self.revoked.as_ref())
    }

    /// From when it is disowned, on a basis.
    fn disowned_from(&self, basis: Basis) -> Option<i64> {
        let from = self.times.on(basis)?;
        match self.disowned {
            Disowned::No => None,
            Disowned::Always => Some(from),
            Disowned::Since => self.during(basis).and_then(|during| during.until).or(Some(from)),
        }
    }
}

/// Everything that decides what a thing's records are.
pub(super) struct Facts {
    entries: Vec<Fact>,
    /// The things whose records withdraw one of these, each with the names that do, and the faces that see what they
    /// name: to whom that is sealed, a withdrawal says nothing of this thing.
    endings: Vec<(Vec<Fact>, BTreeMap<Hash, i64>)>,
    /// On which faces it is asked what they are.
    faces: i64,
}

const FACTS: &str = "select origin, pos, name, edition, released, proven, here, faces, disowned, root_version, signer, listed, marked
  from entry where author = $1 and id = $2 and status = $3 and valid = 1 and (faces & $7) <> 0
    and kind not in ('log.open', 'log.root', 'log.close') and (origin, pos) > ($4, $5) order by origin, pos limit $6";
/// Rows that are read together: of a thing there may be any number, and a row as it is read takes much memory.
const PAGE: i64 = if cfg!(test) { 4 } else { 2_000 };

async fn facts_of<R: Reads>(
    rows: &mut R,
    group: &Group,
    faces: i64,
    revocations: &Revocations,
) -> Result<Vec<Fact>, IndexError> {
    let mut facts: Vec<Fact> = Vec::new();
    loop {
        let (origin, pos) = facts.last().map_or(("", -1), |fact| (fact.origin.as_str(), fact.pos));
        let [author, id, status] = group.values();
        let values = [author, id, status, origin.into(), pos.into(), PAGE.into(), faces.into()];
        let page = rows.rows(FACTS.into(), &values).await?;
        for row in &page {
            facts.push(fact_of(row, revocations)?);
        }
        if i64::try_from(page.len()).unwrap_or(PAGE) < PAGE {
            return Ok(facts);
        }
    }
}

fn fact_of(row: &Row, revocations: &Revocations) -> Result<Fact, IndexError> {
    let (root, signer) = (row.uint(9)?, row.opt_text(10)?.unwrap_or_default());
    let disowned = match row.int(8)? {
        0 => Disowned::No,
        1 => Disowned::Since,
        _ => Disowned::Always,
    };
    // What is not remembered to have been seen first was here only now.
    let here = Some(row.opt_int(6)?.unwrap_or(i64::MAX));
    Ok(Fact {
        origin: row.text(0)?,
        pos: row.int(1)?,
        name: hash(&row.text(2)?),
        edition: u32::try_from(row.int(3)?).unwrap_or(u32::MAX),
        times: Times { claimed: row.int(4)?, proven: row.opt_int(5)?, here },
        faces: row.int(7)?,
        disowned,
        revoked: revocations.of(root, &signer),
        before: (row.int(11)?, row.int(12)?),
    })
}

/// What the rows of a thing say, in their order.
pub(super) async fn said_of<R: Reads>(rows: &mut R, group: &Group) -> Result<Vec<Said>, IndexError> {
    let sql = "select name, basis, face, start, stop, state, by_name from standing
               where author = $1 and id = $2 and status = $3 and (name, basis, face, start) > ($4, $5, $6, $7)
               order by name, basis, face, start limit $8";
    let mut said: Vec<Said> = Vec::new();
    let mut behind: (String, i64, i64, i64) = (String::new(), 0, 0, 0);
    loop {
        let [author, id, status] = group.values();
        let (name, basis, face, start) = &behind;
        let page = PAGE.into();
        let place = [name.as_str().into(), (*basis).into(), (*face).into(), (*start).into(), page];
        let values: Vec<Value> = [author, id, status].into_iter().chain(place).collect();
        let page = rows.rows(sql.into(), &values).await?;
        for row in &page {
            behind = (row.text(0)?, row.int(1)?, row.int(2)?, row.int(3)?);
            let by = row.opt_text(6)?.map(|by| hash(&by));
            let (name, basis, face, start) = (hash(&behind.0), small(behind.1), small(behind.2), behind.3);
            said.push(Said {
                name,
                basis,
                face,
                start,
                stop: row.opt_int(4)?,
                state: small(row.int(5)?),
                by,
            });
        }
        if i64::try_from(page.len()).unwrap_or(PAGE) < PAGE {
            said.sort_unstable();
            said.shrink_to_fit();
            return Ok(said);
        }
    }
}

/// Numbers of bases, faces and states fit into a byte; one that does not is none.
fn small(number: i64) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}

/// The names of the index are hashes; what is none equals no other.
fn hash(text: &str) -> Hash {
    Hash::from_hex(text).unwrap_or_else(|_| tlog::hash::sha256(text.as_bytes()))
}

impl Facts {
    pub(super) async fn load<R: Reads>(
        rows: &mut R,
        group: &Group,
        faces: i64,
        revocations: &Revocations,
    ) -> Result<Self, IndexError> {
        let entries = facts_of(rows, group, faces, revocations).await?;
        // Only the author withdraws, and records of another status do not.
        let sql = "select distinct x.author, x.id, x.status, x.name, t.faces from entry t
            join ref r on r.to_name = t.name
            join entry x on x.origin = r.origin and x.pos = r.pos
          where t.author = $1 and t.id = $2 and t.status = $3 and t.valid = 1 and (t.faces & $4) <> 0 and r.relation = 'withdraws'
            and r.to_author = $1 and x.author = $1 and x.status = $3 and x.valid = 1 and x.critical = 0 and (x.faces & $4) <> 0";
        let mut withdrawals: BTreeMap<Group, BTreeMap<Hash, i64>> = BTreeMap::new();
        let [author, id, status] = group.values();
        for row in rows.rows(sql.into(), &[author, id, status, faces.into()]).await? {
            let names = withdrawals.entry(Group::of(&row)?).or_default();
            *names.entry(hash(&row.text(3)?)).or_default() |= row.int(4)?;
        }
        let mut endings = Vec::new();
        for (by, names) in withdrawals {
            endings.push((facts_of(rows, &by, faces, revocations).await?, names));
        }
        Ok(Self { entries, endings, faces })
    }

    fn endings(&self, logs: &Logs, face: i64, basis: Basis) -> Vec<Ending> {
        let mut endings = Vec::new();
        for (facts, names) in &self.endings {
            let spans = spans(logs, facts, face, basis, &[]);
            // A withdrawal that stood once has ended the thing for good, even if a later edition stands.
            let acts = |span: &&Span| {
                names.get(&span.name).is_some_and(|faces| faces & face != 0)
                    && matches!(span.state, State::Speaks | State::Superseded { .. })
            };
            endings
                .extend(spans.iter().filter(acts).map(|span| Ending { by: span.name, during: span.during }));
        }
        endings
    }

    /// Whether the thing is one record at one place that nothing ends.
    fn is_plain(&self, face: i64) -> bool {
        let mut seen = self.entries.iter().filter(|fact| fact.is_on(face));
        let ends = self.endings.iter().any(|(facts, names)| {
            names.values().any(|faces| faces & face != 0) && facts.iter().any(|fact| fact.is_on(face))
        });
        match (seen.next(), seen.next()) {
            (Some(only), None) => only.disowned == Disowned::No && !ends,
            (first, _) => first.is_none(),
        }
    }

    /// Whether both faces see the same.
    fn is_one_for_all(&self) -> bool {
        let all = self.entries.iter().chain(self.endings.iter().flat_map(|(facts, _)| facts));
        all.map(|fact| fact.faces).all(|faces| faces == PUBLIC | INSIDE)
    }

    /// The rows of the thing, and on which faces they say what its records are.
    pub(super) fn standing(&self, logs: &Logs) -> (Vec<Said>, i64) {
        let mut marked = 0;
        let mut rows = Vec::new();
        let asked = [PUBLIC, INSIDE].into_iter().filter(|face| self.faces & face != 0);
        let faces = asked.filter(|face| !self.is_plain(*face));
        let faces: Vec<i64> = faces.inspect(|face| marked |= face).collect();
        match faces.as_slice() {
            [one, _] if self.is_one_for_all() => stands_of(self, logs, *one, PUBLIC | INSIDE, &mut rows),
            faces => faces.iter().for_each(|face| stands_of(self, logs, *face, *face, &mut rows)),
        }
        rows.sort_unstable();
        (rows, marked)
    }

    /// What is said of records that conflict with others.
    pub(super) fn conflicts(&self, group: &Group, names: &BTreeSet<Hash>) -> Vec<Finding> {
        let mut found: BTreeMap<Hash, (u32, Vec<(String, u64)>)> = BTreeMap::new();
        for fact in self.entries.iter().filter(|fact| names.contains(&fact.name)) {
            let (_, places) = found.entry(fact.name).or_insert((fact.edition, Vec::new()));
            places.push((fact.origin.clone(), u64::try_from(fact.pos).unwrap_or(0)));
        }
        let finding = |(edition, places)| {
            let (author, id) = (group.author.clone(), group.id.clone());
            Finding::Conflict { author, id, edition, places }
        };
        found.into_values().map(finding).collect()
    }

    /// How many entries decide it.
    pub(super) fn len(&self) -> usize {
        self.entries.len() + self.endings.iter().map(|(facts, _)| facts.len()).sum::<usize>()
    }

    /// Entries whose rows say otherwise where they are listed, or on which faces the rows here say what they are: place, and
    /// both as they should be; and whether the desks must know.
    pub(super) fn marks(&self, marked: i64) -> (Vec<(&str, i64, i64, i64)>, bool) {
        let listed = self.listed();
        let (mut marks, mut changed) = (Vec::new(), false);
        for fact in &self.entries {
            let of_place = listed.get(&(fact.origin.as_str(), fact.pos)).copied().unwrap_or(0);
            let others = !self.faces;
            let now = (
                (of_place & self.faces) | (fact.before.0 & others),
                (marked & fact.faces) | (fact.before.1 & others),
            );
            if now != fact.before {
                changed |= now.1 != fact.before.1;
                marks.push((fact.origin.as_str(), fact.pos, now.0, now.1));
            }
        }
        (marks, changed)
    }

    /// Where a record is listed: at the earliest of the places that the face sees.
    fn listed(&self) -> BTreeMap<(&str, i64), i64> {
        let mut listed: BTreeMap<(&str, i64), i64> = BTreeMap::new();
        for face in [PUBLIC, INSIDE] {
            let mut first: BTreeMap<Hash, (i64, &str, i64)> = BTreeMap::new();
            for fact in self.entries.iter().filter(|fact| fact.is_on(face)) {
                let place = (fact.times.claimed, fact.origin.as_str(), fact.pos);
                let known = first.entry(fact.name).or_insert(place);
                *known = (*known).min(place);
            }
            for (_, origin, pos) in first.into_values() {
                *listed.entry((origin, pos)).or_default() |= face;
            }
        }
        listed
    }
}

fn spans(logs: &Logs, facts: &[Fact], face: i64, basis: Basis, endings: &[Ending]) -> Vec<Span> {
    let order: BTreeMap<&str, usize> =
        logs.keys().enumerate().map(|(n, origin)| (origin.as_str(), n)).collect();
    let known: Vec<Log> = logs.values().copied().collect();
    let entry = |fact: &Fact| {
        Some(Entry {
            log: *order.get(fact.origin.as_str())?,
            index: u64::try_from(fact.pos).ok()?,
            name: fact.name,
            edition: fact.edition,
            released: fact.times.claimed,
            during: fact.during(basis)?,
        })
    };
    let entries: Vec<Entry> = facts.iter().filter(|fact| fact.is_on(face)).filter_map(entry).collect();
    stands(&known, &entries, endings)
}

/// A row of the table to be: the face, and what a record is when.
struct Stands {
    face: i64,
    basis: Basis,
    name: Hash,
    during: During,
    state: i64,
    by: Option<Hash>,
}

/// The columns of the table.
pub(super) const COLUMNS: [&str; 10] =
    ["author", "name", "id", "status", "face", "basis", "start", "stop", "state", "by_name"];

/// What a row says of a record of a thing. Of a large thing there are hundreds of thousands in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Said {
    pub name: Hash,
    basis: u8,
    face: u8,
    start: i64,
    stop: Option<i64>,
    state: u8,
    by: Option<Hash>,
}

impl Said {
    fn of(stands: &Stands) -> Self {
        let During { from: start, until: stop } = stands.during;
        let Stands { face, name, state, by, .. } = *stands;
        let (basis, face, state) = (small(number(stands.basis)), small(face), small(state));
        Self { name, basis, face, start, stop, state, by }
    }

    /// What tells it from all others of its author, as columns of the table say it.
    pub(super) fn key(&self) -> [Value; 4] {
        let [basis, face] = [self.basis, self.face].map(i64::from);
        [self.name.to_hex().into(), basis.into(), face.into(), self.start.into()]
    }

    /// The row.
    pub(super) fn row(&self, group: &Group) -> Vec<Value> {
        vec![
            group.author.as_str().into(),
            self.name.to_hex().into(),
            group.id.as_str().into(),
            group.status.as_str().into(),
            i64::from(self.face).into(),
            i64::from(self.basis).into(),
            self.start.into(),
            self.stop.into(),
            i64::from(self.state).into(),
            self.by.map(|by| by.to_hex()).into(),
        ]
    }
}

/// The records that conflict with another one by these rows, and did not by those before.
pub(super) fn newly_conflicting(rows: &[Said], before: &[Said]) -> BTreeSet<Hash> {
    let conflicting = |rows: &[Said]| -> BTreeSet<Hash> {
        rows.iter().filter(|said| i64::from(said.state) == CONFLICTING).map(|said| said.name).collect()
    };
    &conflicting(rows) - &conflicting(before)
}

fn stands_of(facts: &Facts, logs: &Logs, face: i64, shown_as: i64, all: &mut Vec<Said>) {
    for basis in Basis::ALL {
        let endings = facts.endings(logs, face, basis);
        let spans = spans(logs, &facts.entries, face, basis, &endings);
        all.reserve_exact(spans.len());
        for Span { name, during, state } in spans {
            let (state, by) = match state {
                State::Speaks => (SPEAKS, None),
                State::Superseded { by } => (SUPERSEDED, Some(by)),
                State::Withdrawn { by } => (WITHDRAWN, Some(by)),
                State::Conflicting => (CONFLICTING, None),
            };
            all.push(Said::of(&Stands { face: shown_as, basis, name, during, state, by }));
        }
        all.extend(disowned_of(facts, face, basis).map(|(name, from)| {
            let during = During::since(from);
            Said::of(&Stands { face: shown_as, basis, name, during, state: DISOWNED, by: None })
        }));
    }
}

/// Leaves of two sorted lists what the other one has not: hundreds of thousands of rows, of which no copy is made.
pub(super) fn leave_the_difference(these: &mut Vec<Said>, those: &mut Vec<Said>) {
    let in_both: Vec<bool> = these.iter().map(|said| those.binary_search(said).is_ok()).collect();
    those.retain(|said| these.binary_search(said).is_err());
    let mut in_both = in_both.into_iter();
    these.retain(|_| in_both.next() == Some(false));
    those.shrink_to_fit();
    these.shrink_to_fit();
}

/// Records of which every place is disowned, each from the moment at which the last one is.
fn disowned_of(facts: &Facts, face: i64, basis: Basis) -> impl Iterator<Item = (Hash, i64)> {
    let mut from: BTreeMap<Hash, Option<i64>> = BTreeMap::new();
    for fact in facts.entries.iter().filter(|fact| fact.is_on(face) && fact.times.on(basis).is_some()) {
        let this = fact.disowned_from(basis);
        let known = from.entry(fact.name).or_insert(this);
        *known = known.zip(this).map(|(known, this)| known.max(this));
    }
    from.into_iter().filter_map(|(name, from)| Some((name, from?)))
}

/// The most entries that are looked at in the turn that touched them: things with more, and things beyond that, are settled in
/// turns of their own.
const INLINE: i64 = if cfg!(test) { 6 } else { 200 };

impl Writer<'_> {
    /// Recomputes what stands of the things that were touched, and of those that theirs withdraw; what is too much for this
    /// turn is noted in it, and waits for [`super::Follower::settle_rest`].
    pub(super) async fn settle(&mut self, tx: &mut Tx, touched: Touched) -> Result<Vec<Finding>, IndexError> {
        let mut findings = Vec::new();
        let mut authors: BTreeMap<String, (Logs, Revocations)> = BTreeMap::new();
        let (mut left, mut later) = (INLINE, Vec::new());
        let Touched { changed, mut ended, all } = touched;
        for is_changed in [true, false] {
            let these = if is_changed { changed.clone() } else { &ended - &changed };
            for group in these {
                left -= size_of(tx, &group, INSIDE, left).await?;
                if left < 0 {
                    later.push(group);
                    continue;
                }
                if !authors.contains_key(&group.author) {
                    let logs = logs_of(tx, &group.author).await?;
                    let revocations = revocations(self.source, tx, &group.author).await?;
                    authors.insert(group.author.clone(), (logs, revocations));
                }
                let (logs, revocations) = &authors[&group.author];
                findings.extend(settle_one(tx, &group, logs, revocations).await?);
                if is_changed {
                    let mut targets = Touched::default();
                    targets.targets(tx, &group).await?;
                    ended.append(&mut targets.ended);
                }
            }
        }
        super::settling::note(tx, &later, &all).await?;
        Ok(findings)
    }
}

/// How many entries decide what a thing's records are, no more than one beyond `most`.
pub(super) async fn size_of<R: Reads>(
    rows: &mut R,
    group: &Group,
    face: i64,
    most: i64,
) -> Result<i64, IndexError> {
    let mut size = 0;
    for sql in [
        "select count(*) from (
           select 1 from entry where author = $1 and id = $2 and status = $3 and valid = 1 and (faces & $5) <> 0
             and kind not in ('log.open', 'log.root', 'log.close') limit $4) as found",
        "select count(*) from (
           select 1 from entry t join ref r on r.to_name = t.name
             join entry x on x.origin = r.origin and x.pos = r.pos
             join entry y on y.author = x.author and y.id = x.id and y.status = x.status
           where t.author = $1 and t.id = $2 and t.status = $3 and t.valid = 1 and (t.faces & $5) <> 0
             and r.relation = 'withdraws' and r.to_author = $1
             and x.author = $1 and x.status = $3 and x.valid = 1 and x.critical = 0 and (x.faces & $5) <> 0
             and y.valid = 1 and (y.faces & $5) <> 0 limit $4) as found",
    ] {
        let [author, id, status] = group.values();
        let found = rows.rows(sql.into(), &[author, id, status, (most.max(0) + 1).into(), face.into()]).await?;
        size += found.first().map(|row| row.int(0)).transpose()?.unwrap_or(0);
        if size > most {
            // What withdraws them is looked for one by one.
            break;
        }
    }
    Ok(size)
}

async fn settle_one(
    tx: &mut Tx,
    group: &Group,
    logs: &Logs,
    revocations: &Revocations,
) -> Result<Vec<Finding>, IndexError> {
    let facts = Facts::load(tx, group, PUBLIC | INSIDE, revocations).await?;
    let (rows, marked) = facts.standing(logs);
    let conflicting = write(tx, group, &rows).await?;
    mark(tx, group, &facts, marked).await?;
    Ok(facts.conflicts(group, &conflicting))
}

/// Replaces the rows of a thing; the records that conflict with another one now and did not before.
async fn write(tx: &mut Tx, group: &Group, rows: &[Said]) -> Result<BTreeSet<Hash>, IndexError> {
    let before = said_of(tx, group).await?;
    if before.as_slice() == rows {
        return Ok(BTreeSet::new());
    }
    tx.run("delete from standing where author = $1 and id = $2 and status = $3", &group.values()).await?;
    let values: Vec<Vec<Value>> = rows.iter().map(|said| said.row(group)).collect();
    tx.insert_many("standing", &COLUMNS, &values, Conflict::Fail).await?;
    Ok(newly_conflicting(rows, &before))
}

/// Tells entries and desks where the rows here say what they are, and lists each record once.
async fn mark(tx: &mut Tx, group: &Group, facts: &Facts, marked: i64) -> Result<(), IndexError> {
    let (marks, changed) = facts.marks(marked);
    for (origin, pos, listed, marked) in marks {
        mark_entry(tx, (origin, pos), listed, marked).await?;
    }
    if changed {
        desks::marked(tx, &group.author, &group.id, &group.status, marked).await?;
    }
    Ok(())
}

pub(super) async fn mark_entry(
    tx: &mut Tx,
    place: (&str, i64),
    listed: i64,
    marked: i64,
) -> Result<(), IndexError> {
    let values = [listed.into(), marked.into(), place.0.into(), place.1.into()];
    tx.run("update entry set listed = $1, marked = $2 where origin = $3 and pos = $4", &values).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn said(n: u8) -> Said {
        let name = tlog::hash::sha256(&[n]);
        Said { name, basis: 1, face: 1, start: 0, stop: None, state: 1, by: None }
    }

    proptest! {
        #[test]
        fn what_both_lists_have_is_left_in_neither(these: BTreeSet<u8>, those: BTreeSet<u8>) {
            let sorted = |numbers: &BTreeSet<u8>| {
                let mut all: Vec<Said> = numbers.iter().copied().map(said).collect();
                all.sort_unstable();
                all
            };
            let (mut one, mut other) = (sorted(&these), sorted(&those));
            leave_the_difference(&mut one, &mut other);
            prop_assert_eq!((one, other), (sorted(&(&these - &those)), sorted(&(&those - &these))));
        }
    }
}
