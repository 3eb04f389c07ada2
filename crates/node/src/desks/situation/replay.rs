//! From records to tables: called with each record of figures, in any order.
//!
//! A release adds statements, all that its table says. Nothing that another record says changes them: the core says
//! when a release counts. This module judges no signature and asks no clock.

use super::load::{Load, Memory, statements_of};
use super::schema::Shelf;
use crate::face::Face;
use formats::figures::Figure;
use store::db::{DbError, Tx, Value};

/// The record that is replayed, as far as this desk needs it.
#[derive(Clone, Copy, Debug)]
pub struct Release<'a> {
    /// Public or sealed.
    pub shelf: Shelf,
    /// Origin of its log.
    pub origin: &'a str,
    /// Its place in the log.
    pub pos: i64,
    /// Who says it.
    pub author: &'a str,
    /// Its name, lower-case hex.
    pub name: &'a str,
    /// The thing.
    pub id: &'a str,
    /// The thing's edition.
    pub edition: i64,
    /// `actual`, `exercise` or `test`.
    pub status: &'a str,
    /// The outer `released`, seconds since 1970.
    pub claimed: i64,
    /// When it is proven to have been there.
    pub proven: Option<i64>,
    /// When this node first verified it.
    pub here: Option<i64>,
    /// Its order among its author's records.
    pub rank: i64,
    /// On which faces the core's table says what it is; bits.
    pub marked: i64,
}

impl Release<'_> {
    /// What decides between two places of one record: the earliest counts.
    fn place(&self) -> (i64, &str, i64) {
        (self.claimed, self.origin, self.pos)
    }
}

/// What the file of a release holds.
#[derive(Clone, Debug, Default)]
pub struct Stated {
    /// Figures with the line of the file on which each stands, from 1.
    pub figures: Vec<(u64, Figure)>,
    /// Rows that cannot be read, and state nothing here.
    pub refused: usize,
}

/// What a record of figures gives.
#[derive(Debug)]
pub enum Giving {
    /// What its file holds, or the code of the fault for which it cannot be read: then the release is listed with its fault
    /// and states nothing.
    Stated(Result<Stated, String>),
    /// All statements are in their table already; and so many rows cannot be read.
    Loaded(Load, usize),
}

/// Takes a record of figures that stands at a place. `first_released` is when its author says it was first released;
/// what its file holds is not looked at if the record is here already, from another place.
pub async fn take_figures(
    tx: &mut Tx,
    memory: &mut Memory,
    release: &Release<'_>,
    first_released: i64,
    giving: Giving,
) -> Result<(), DbError> {
    let other = if release.shelf == Shelf::Public { Shelf::Sealed } else { Shelf::Public };
    let there = find(tx, other, release).await?;
    match find(tx, release.shelf, release).await? {
        Some(no) => {
            stand_at_earliest(tx, release.shelf, no, release).await?;
            if let Giving::Loaded(load, _) = giving {
                load.discard(tx).await?;
            }
        }
        None => give(tx, memory, release, first_released, giving).await?,
    }
    // For the inside face the earliest of all places counts, on the sealed shelf.
    if let Some(there) = there {
        match release.shelf {
            Shelf::Public => stand_at_earliest(tx, Shelf::Sealed, there, release).await?,
            Shelf::Sealed => {
                let Some(no) = find(tx, Shelf::Sealed, release).await? else { return Ok(()) };
                let public = place_of(tx, Shelf::Public, there).await?;
                stand_at_earliest(tx, Shelf::Sealed, no, &public.release(release)).await?;
            }
        }
        let sql = Shelf::Public.sql("update {release} set elsewhere = 1 where author = $1 and name = $2");
        tx.run(sql, &[release.author.into(), release.name.into()]).await?;
    }
    Ok(())
}

async fn give(
    tx: &mut Tx,
    memory: &mut Memory,
    release: &Release<'_>,
    first_released: i64,
    giving: Giving,
) -> Result<(), DbError> {
    let (load, refused) = match giving {
        Giving::Loaded(load, refused) => (load, refused),
        Giving::Stated(Ok(stated)) => {
            let mut load = Load::begin(tx, release, first_released).await?;
            load.put(tx, memory, release, stated.figures).await?;
            load.mark(tx, load.all()).await?;
            (load, stated.refused)
        }
        Giving::Stated(Err(fault)) => {
            let load = Load::begin(tx, release, first_released).await?;
            return load.finish(tx, release, Some(&fault), 0).await;
        }
    };
    load.finish(tx, release, None, refused).await
}

async fn find(tx: &mut Tx, shelf: Shelf, release: &Release<'_>) -> Result<Option<i64>, DbError> {
    let sql = shelf.sql("select no from {release} where author = $1 and name = $2");
    let rows = tx.rows(sql, &[release.author.into(), release.name.into()]).await?;
    rows.first().map(|row| row.int(0)).transpose()
}

/// Where a release stands.
struct Place {
    origin: String,
    pos: i64,
    claimed: i64,
    proven: Option<i64>,
    here: Option<i64>,
    rank: i64,
}

impl Place {
    /// The same record, at this place.
    fn release<'a>(&'a self, release: &Release<'a>) -> Release<'a> {
        Release {
            origin: &self.origin,
            pos: self.pos,
            claimed: self.claimed,
            proven: self.proven,
            here: self.here,
            rank: self.rank,
            ..*release
        }
    }
}

async fn place_of(tx: &mut Tx, shelf: Shelf, no: i64) -> Result<Place, DbError> {
    let sql = shelf.sql("select origin, pos, claimed, proven, here, rank from {release} where no = $1");
    let rows = tx.rows(sql, &[no.into()]).await?;
    let row = rows.first().ok_or(DbError::Column { column: 0, expected: "a release" })?;
    Ok(Place {
        origin: row.text(0)?,
        pos: row.int(1)?,
        claimed: row.int(2)?,
        proven: row.opt_int(3)?,
        here: row.opt_int(4)?,
        rank: row.int(5)?,
    })
}

/// A record that stands at several places is one, at the earliest of them.
async fn stand_at_earliest(tx: &mut Tx, shelf: Shelf, no: i64, release: &Release<'_>) -> Result<(), DbError> {
    let kept = place_of(tx, shelf, no).await?;
    if (kept.claimed, kept.origin.as_str(), kept.pos) <= release.place() {
        return Ok(());
    }
    let values = [
        no.into(),
        release.origin.into(),
        release.pos.into(),
        release.claimed.into(),
        release.proven.into(),
        release.here.into(),
        release.rank.into(),
    ];
    let sql = "update {release} set origin = $2, pos = $3, claimed = $4, proven = $5, here = $6, rank = $7 where no = $1";
    tx.run(shelf.sql(sql), &values).await?;
    let sql = "update {statement} set rank = $3, pos = $4 where no >= $1 and no < $2";
    let [first, end] = statements_of(no);
    tx.run(shelf.sql(sql), &[first, end, release.rank.into(), release.pos.into()]).await?;
    Ok(())
}

/// The releases of a thing stand as the core's table says, on the faces whose bits are `marked`.
pub async fn marked(tx: &mut Tx, author: &str, id: &str, status: &str, marked: i64) -> Result<(), DbError> {
    // Only the inside face reads the sealed shelf.
    for (shelf, marked) in [(Shelf::Public, marked), (Shelf::Sealed, marked & Face::Inside.bit())] {
        let sql = shelf.sql("update {release} set marked = $4 where author = $1 and id = $2 and status = $3");
        tx.run(sql, &[author.into(), id.into(), status.into(), marked.into()]).await?;
    }
    Ok(())
}

/// The releases of a record stand as the core's table says on these faces too.
pub async fn marked_too(tx: &mut Tx, author: &str, name: &str, faces: i64) -> Result<(), DbError> {
    for (shelf, faces) in [(Shelf::Public, faces), (Shelf::Sealed, faces & Face::Inside.bit())] {
        let sql = shelf.sql("update {release} set marked = marked | $3 where author = $1 and name = $2");
        tx.run(sql, &[author.into(), name.into(), faces.into()]).await?;
    }
    Ok(())
}

/// Releases of a log are proven at a time, or not any more.
pub async fn proven(
    tx: &mut Tx,
    origin: &str,
    first: u64,
    end: u64,
    time: Option<i64>,
) -> Result<(), DbError> {
    let int = |n: u64| Value::Int(i64::try_from(n).unwrap_or(i64::MAX));
    for shelf in [Shelf::Public, Shelf::Sealed] {
        let sql = shelf.sql("update {release} set proven = $4 where origin = $1 and pos >= $2 and pos < $3");
        tx.run(sql, &[origin.into(), int(first), int(end), time.into()]).await?;
    }
    Ok(())
}

/// Statements whose rank is changed in one turn.
const RERANKED: u64 = if cfg!(test) { 2 } else { 5_000 };

/// Releases at a range of places of a log claim at least this time, because the log before it does. Answers false if some of
/// their statements are left for another turn.
pub async fn reranked(
    tx: &mut Tx,
    origin: &str,
    (first, end): (i64, i64),
    rank: i64,
) -> Result<bool, DbError> {
    let mut left = RERANKED;
    for shelf in [Shelf::Public, Shelf::Sealed] {
        let sql = shelf.sql(
            "select no from {release} where origin = $1 and pos >= $2 and pos < $3 and rank < $4 order by no",
        );
        let place = [origin.into(), first.into(), end.into(), rank.into()];
        for row in tx.rows(sql, &place).await? {
            let no = row.int(0)?;
            let sql = "update {statement} set rank = $3 where no in (
                         select no from {statement} where no >= $1 and no < $2 and rank < $3 order by no limit $4)";
            let [from, to] = statements_of(no);
            let most = i64::try_from(left).unwrap_or(i64::MAX).into();
            left -= tx.run(shelf.sql(sql), &[from, to, rank.into(), most]).await?.min(left);
            if left == 0 {
                return Ok(false);
            }
            tx.run(shelf.sql("update {release} set rank = $2 where no = $1"), &[no.into(), rank.into()])
                .await?;
        }
    }
    Ok(true)
}

/// Forgets what a record said: personal data that expired, or copies that were erased here.
pub async fn forget(tx: &mut Tx, author: &str, name: &str) -> Result<(), DbError> {
    for shelf in [Shelf::Public, Shelf::Sealed] {
        let sql = shelf.sql("select no from {release} where author = $1 and name = $2");
        for row in tx.rows(sql, &[author.into(), name.into()]).await? {
            forget_release(tx, shelf, row.int(0)?).await?;
        }
    }
    Ok(())
}

pub(super) async fn forget_release(tx: &mut Tx, shelf: Shelf, no: i64) -> Result<(), DbError> {
    let statements = statements_of(no);
    let sql = shelf.sql("select distinct series from {statement} where no >= $1 and no < $2");
    let series = tx.rows(sql, &statements).await?;
    tx.run(shelf.sql("delete from {statement} where no >= $1 and no < $2"), &statements).await?;
    tx.run(shelf.sql("delete from {release} where no = $1"), &[no.into()]).await?;
    for row in series {
        for sql in [
            "delete from {series} where no = $1 and not exists (select 1 from {statement} x where x.series = $1)",
            "update {statement} set revised = 0 where series = $1 and revised = 1 and not exists (
               select 1 from {statement} o where o.series = $1 and o.day = {statement}.day
                 and o.start = {statement}.start and o.value <> {statement}.value)",
        ] {
            tx.run(shelf.sql(sql), &[row.int(0)?.into()]).await?;
        }
    }
    let sql = "update {release} set revised = 0 where revised = 1 and not exists (
                 select 1 from {statement} x where x.release = {release}.no and x.revised = 1)";
    tx.run(shelf.sql(sql), &[]).await.map(drop)
}
