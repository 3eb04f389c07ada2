//! What the core tables say of records, as far as a face may see it.
//!
//! On the public face that is records of public logs. Inside it is those, and sealed ones that this node could
//! open: what is sealed for others is nowhere.

use crate::asof::{AsOf, Basis};
use crate::face::Face;
use crate::fault::Fault;
use crate::index::{CONFLICTING, CROWDED, DISOWNED, SUPERSEDED, WITHDRAWN, author_of, joined, state};
use store::db::{Db, DbError, Row, Sql, Value};

/// Records counted for a list; beyond it says "more than".
pub const MAX_COUNTED: i64 = 10_000;
/// References shown in each direction.
const MAX_REFERENCES: i64 = 200;

/// One entry of a log.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The log.
    pub origin: String,
    /// Its place there.
    pub pos: i64,
    /// RFC 6962 leaf hash, hex.
    pub leaf: String,
    /// The record's name.
    pub name: String,
    /// Who says it.
    pub author: String,
    /// What is said.
    pub kind: String,
    /// The thing.
    pub id: String,
    /// Its edition.
    pub edition: i64,
    /// `actual`, `exercise` or `test`.
    pub status: String,
    /// In whose frame.
    pub mechanism: Option<String>,
    /// When its author says it was released.
    pub released: i64,
    /// When witnesses prove that it existed.
    pub proven: Option<i64>,
    /// When this node verified it.
    pub here: Option<i64>,
    /// Whether it was sealed.
    pub sealed: bool,
    /// Whether it is a valid record.
    pub valid: bool,
    /// Why not.
    pub reason: Option<String>,
    /// The author's key that signed it.
    pub signer: Option<String>,
    /// The version of the author's root that lists the key.
    pub root_version: Option<i64>,
    /// The edition before it.
    pub supersedes: Option<String>,
    /// What it is as of the moment, for this face.
    pub stands: Stands,
    /// Whether it has a critical line that is unknown here: it is shown, and neither acted on nor counted.
    pub critical: bool,
    /// Bytes of the record.
    pub bytes: i64,
    /// Readers of its log: `public`, or their names.
    pub readers: String,
    /// Personal data: when it is destroyed, at both ends.
    pub expires: Option<i64>,
    /// What became of its content here.
    pub copies: Copies,
}

/// What a record is as of a moment, for a face.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stands {
    /// It says what its author says.
    Speaks,
    /// The edition after it stands.
    Superseded(String),
    /// The withdrawal that ended it.
    Withdrawn(String),
    /// Another record of the same edition stands.
    Conflicting,
    /// Its author revoked the key that signed it; since when.
    Disowned(i64),
    /// Of its thing there are too many records: nothing of it stands.
    Crowded,
}

impl Stands {
    /// The edition after it.
    pub fn superseded_by(&self) -> Option<&str> {
        if let Self::Superseded(by) = self { Some(by) } else { None }
    }

    /// The withdrawal.
    pub fn withdrawn_by(&self) -> Option<&str> {
        if let Self::Withdrawn(by) = self { Some(by) } else { None }
    }

    fn why_without_effect(&self) -> Option<&'static str> {
        match self {
            Self::Conflicting => Some("conflicting"),
            Self::Disowned(_) => Some("disowned"),
            Self::Crowded => Some("crowded"),
            Self::Speaks | Self::Superseded(_) | Self::Withdrawn(_) => None,
        }
    }
}

/// What became of the copies of a record's content on this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copies {
    /// They were not destroyed.
    Kept,
    /// They are destroyed.
    Erased,
}

impl Entry {
    /// Why it has no effect, in one word for programs.
    pub fn why_without_effect(&self) -> Option<&'static str> {
        self.stands.why_without_effect().or(self.critical.then_some("unknown-line"))
    }

    /// Whether its content is destroyed on this node.
    pub fn is_erased(&self) -> bool {
        self.copies == Copies::Erased
    }
}

/// A blob that a record names.
#[derive(Clone, Debug)]
pub struct Blob {
    /// Media type.
    pub media_type: String,
    /// Bytes.
    pub size: i64,
    /// Its hash.
    pub sha256: String,
    /// Its language.
    pub lang: Option<String>,
}

/// A reference, seen from one of its ends.
#[derive(Clone, Debug)]
pub struct Reference {
    /// What is said.
    pub relation: String,
    /// Who wrote the other record.
    pub author: String,
    /// The other record.
    pub name: String,
    /// The other's kind and release, if the reader may see it.
    pub other: Option<(String, i64)>,
}

/// A witness that has seen a checkpoint that covers the record, or a reader that holds it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Who.
    pub authority: String,
    /// Under which key; empty for receipts.
    pub key: String,
    /// Since when.
    pub time: i64,
    /// By a checkpoint of how many entries.
    pub size: i64,
}

/// What a face may see of the entry e.
pub(crate) fn visible(face: Face) -> &'static str {
    match face {
        Face::Public => "(e.faces & 1) <> 0",
        Face::Inside => "(e.faces & 2) <> 0",
    }
}

/// What a face finds in lists: each record once, at its earliest place.
pub(crate) fn listed(face: Face) -> &'static str {
    match face {
        Face::Public => "(e.listed & 1) <> 0",
        Face::Inside => "(e.listed & 2) <> 0",
    }
}

/// Known as of the moment `$1`.
pub(crate) fn known(basis: Basis) -> Sql {
    let mut sql = Sql::from("");
    crate::index::since(&mut sql, "e", "released", basis);
    sql
}

/// Known as of the moment `$1` at whichever of its places: a record of several logs has the earliest of their times, and is
/// listed where it was released first, which need not be where it was proven or seen first.
fn known_anywhere(face: Face, basis: Basis) -> Sql {
    let mut sql = Sql::from("(");
    sql.append(&known(basis));
    if basis != Basis::Claimed {
        sql.push(" or exists (select 1").push(PLACES).push(face.bit_text()).push(") <> 0 and ");
        crate::index::since(&mut sql, "o", "released", basis);
        sql.push(")");
    }
    sql.push(")");
    sql
}

/// The value of `$1`.
pub(crate) fn moment(as_of: AsOf) -> Value {
    as_of.bound().into()
}

/// Whose times a row says.
#[derive(Clone, Copy)]
enum Times {
    /// Those of its place.
    Place,
    /// The earliest of the record, of all places that the face sees.
    Record,
}

const BEFORE_TIMES: &str = "select e.origin, e.pos, e.leaf, e.name, e.author, e.kind, e.id, e.edition, e.status, e.mechanism, e.released, ";
const AFTER_TIMES: &str = ", e.sealed, e.valid, e.reason, e.signer, e.root_version, e.supersedes, e.bytes, l.readers, e.expires, e.content, ";
const AFTER_STATE: &str = ", st.by_name, st.start, e.critical from entry e join log l on l.origin = e.origin";
const PLACES: &str =
    " from entry o where o.author = e.author and o.name = e.name and o.valid = 1 and (o.faces & ";

fn select(face: Face, basis: Basis, times: Times) -> Sql {
    let mut sql = Sql::from(BEFORE_TIMES);
    match times {
        Times::Place => sql.push("e.proven, e.here"),
        Times::Record => {
            sql.push("(select min(o.proven)").push(PLACES).push(face.bit_text());
            sql.push(") <> 0), (select min(o.here)").push(PLACES).push(face.bit_text()).push(") <> 0)")
        }
    };
    sql.push(AFTER_TIMES).append(&state("e", face)).push(AFTER_STATE);
    sql.append(&joined("e", face, basis)).push(" where ");
    sql
}

fn entry(row: &Row) -> Result<Entry, DbError> {
    Ok(Entry {
        origin: row.text(0)?,
        pos: row.int(1)?,
        leaf: row.text(2)?,
        name: row.text(3)?,
        author: row.text(4)?,
        kind: row.text(5)?,
        id: row.text(6)?,
        edition: row.int(7)?,
        status: row.text(8)?,
        mechanism: row.opt_text(9)?,
        released: row.int(10)?,
        proven: row.opt_int(11)?,
        here: row.opt_int(12)?,
        sealed: row.int(13)? != 0,
        valid: row.int(14)? != 0,
        reason: row.opt_text(15)?,
        signer: row.opt_text(16)?,
        root_version: row.opt_int(17)?,
        supersedes: row.opt_text(18)?,
        bytes: row.int(19)?,
        readers: row.text(20)?,
        expires: row.opt_int(21)?,
        copies: if matches!(row.int(22)?, 4 | 5) { Copies::Erased } else { Copies::Kept },
        stands: stands(row)?,
        critical: row.int(26)? != 0,
    })
}

fn stands(row: &Row) -> Result<Stands, DbError> {
    let by = || row.opt_text(24).map(Option::unwrap_or_default);
    Ok(match row.opt_int(23)? {
        Some(SUPERSEDED) => Stands::Superseded(by()?),
        Some(WITHDRAWN) => Stands::Withdrawn(by()?),
        Some(CONFLICTING) => Stands::Conflicting,
        Some(DISOWNED) => Stands::Disowned(row.int(25)?),
        Some(CROWDED) => Stands::Crowded,
        _ => Stands::Speaks,
    })
}

/// The entries that hold a record, the earliest first: usually one; several if it was released to several audiences. What
/// somebody else claims to be it under a seal is none of them.
pub async fn find(db: &Db, face: Face, as_of: AsOf, name: &str) -> Result<Vec<Entry>, DbError> {
    let mut sql = select(face, as_of.basis, Times::Place);
    sql.push("e.name = $2 and e.author = ").append(&author_of(2)).push(" and ").push(visible(face));
    sql.push(" order by e.released, e.origin, e.pos limit 20");
    db.rows(sql, &[moment(as_of), name.into()]).await?.iter().map(entry).collect()
}

/// The record that is at these places, as [`find`] gives them: where it was proven first, with the earliest of their times
/// (protocol section 4). A place where it is not valid says nothing of one where it is.
pub fn record_at(places: &[Entry]) -> Option<Entry> {
    let valid = places.iter().any(|place| place.valid);
    let places = || places.iter().filter(|place| place.valid == valid);
    let mut record = places().min_by_key(|place| place.proven.unwrap_or(i64::MAX))?.clone();
    record.released = places().map(|place| place.released).min()?;
    record.here = places().filter_map(|place| place.here).min();
    Some(record)
}

/// Blobs of an entry; of an opened sealed record those inside it.
pub async fn blobs(db: &Db, entry: &Entry) -> Result<Vec<Blob>, DbError> {
    let sql = "select media_type, size, sha256, lang from blob where origin = $1 and pos = $2 and n < 1000 order by n";
    let rows = db.rows(sql, &[entry.origin.as_str().into(), entry.pos.into()]).await?;
    rows.iter()
        .map(|row| {
            Ok(Blob {
                media_type: row.text(0)?,
                size: row.int(1)?,
                sha256: row.text(2)?,
                lang: row.opt_text(3)?,
            })
        })
        .collect()
}

/// Why an entry counts for nothing, with code and arguments.
pub async fn refusal(db: &Db, entry: &Entry) -> Result<Option<Fault>, DbError> {
    let sql = "select fault from refusal where origin = $1 and pos = $2";
    let rows = db.rows(sql, &[entry.origin.as_str().into(), entry.pos.into()]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    Ok(serde_json::from_str(&row.text(0)?).ok())
}

/// Times that the author claims.
pub async fn about(db: &Db, entry: &Entry) -> Result<Vec<(String, String)>, DbError> {
    let sql = "select what, at from about where origin = $1 and pos = $2 order by n";
    let rows = db.rows(sql, &[entry.origin.as_str().into(), entry.pos.into()]).await?;
    rows.iter().map(|row| Ok((row.text(0)?, row.text(1)?))).collect()
}

/// What the record says of others.
pub async fn refers_to(db: &Db, face: Face, entry: &Entry) -> Result<Vec<Reference>, DbError> {
    let sql =
        "select relation, to_author, to_name from ref where origin = $1 and pos = $2 order by n limit $3";
    let rows = db.rows(sql, &[entry.origin.as_str().into(), entry.pos.into(), MAX_REFERENCES.into()]).await?;
    let mut found = Vec::new();
    for row in rows {
        found.push(reference(db, face, row.text(0)?, row.text(1)?, row.text(2)?).await?);
    }
    if let Some(before) = &entry.supersedes {
        found.push(reference(db, face, "supersedes".into(), entry.author.clone(), before.clone()).await?);
    }
    Ok(found)
}

async fn reference(
    db: &Db,
    face: Face,
    relation: String,
    author: String,
    name: String,
) -> Result<Reference, DbError> {
    let mut sql =
        Sql::from("select e.kind, e.released from entry e join log l on l.origin = e.origin where ");
    sql.push("e.name = $1 and e.author = $2 and ").push(visible(face)).push(" order by e.released limit 1");
    let rows = db.rows(sql, &[name.as_str().into(), author.as_str().into()]).await?;
    let other = rows.first().map(|row| Ok::<_, DbError>((row.text(0)?, row.int(1)?))).transpose()?;
    Ok(Reference { relation, author, name, other })
}

/// What other records say of this one, as of the moment.
pub async fn referred_by(db: &Db, face: Face, as_of: AsOf, entry: &Entry) -> Result<Vec<Reference>, DbError> {
    let mut sql = Sql::from(
        "select r.relation, e.author, e.name, e.kind, e.released from ref r
         join entry e on e.origin = r.origin and e.pos = r.pos join log l on l.origin = e.origin
         where r.to_name = $2 and r.to_author = $3 and e.valid = 1 and ",
    );
    sql.push(listed(face))
        .push(" and ")
        .append(&known(as_of.basis))
        .push(" order by e.released, e.name limit $4");
    let values =
        [moment(as_of), entry.name.as_str().into(), entry.author.as_str().into(), MAX_REFERENCES.into()];
    let mut found = Vec::new();
    for row in db.rows(sql, &values).await? {
        let other = Some((row.text(3)?, row.int(4)?));
        found.push(Reference { relation: row.text(0)?, author: row.text(1)?, name: row.text(2)?, other });
    }
    if let Some(after) = entry.stands.superseded_by() {
        found.push(reference(db, face, "supersedes".into(), entry.author.clone(), after.to_owned()).await?);
    }
    Ok(found)
}

/// Witnesses that cosigned a checkpoint that covers the entry, each with its earliest.
pub async fn witnesses(db: &Db, origin: &str, pos: i64) -> Result<Vec<Seen>, DbError> {
    let sql =
        "select authority, key_name, min(time), min(size) from cosignature where origin = $1 and size > $2
               group by authority, key_name order by min(time), key_name";
    let rows = db.rows(sql, &[origin.into(), pos.into()]).await?;
    rows.iter()
        .map(|row| {
            Ok(Seen { authority: row.text(0)?, key: row.text(1)?, time: row.int(2)?, size: row.int(3)? })
        })
        .collect()
}

/// Readers whose receipts cover the entry, each with its earliest.
pub async fn holders(db: &Db, origin: &str, pos: i64) -> Result<Vec<Seen>, DbError> {
    let sql = "select authority, min(time), min(size) from receipt where origin = $1 and size > $2
               group by authority order by min(time), authority";
    let rows = db.rows(sql, &[origin.into(), pos.into()]).await?;
    rows.iter()
        .map(|row| {
            Ok(Seen { authority: row.text(0)?, key: String::new(), time: row.int(1)?, size: row.int(2)? })
        })
        .collect()
}

/// What a list asks for.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only this kind.
    pub kind: Option<String>,
    /// Only what this text begins or is part of: name, author, thing, kind.
    pub text: String,
    /// By which time.
    pub order: Order,
    /// Largest first.
    pub descending: bool,
    /// Rows to skip.
    pub offset: usize,
    /// Rows to read.
    pub limit: usize,
}

/// The order of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// When authors say they released.
    #[default]
    Released,
    /// By author.
    Author,
    /// By kind.
    Kind,
    /// When witnesses prove it.
    Proven,
}

impl Order {
    fn sql(self, descending: bool) -> &'static str {
        match (self, descending) {
            (Self::Released, true) => " order by e.released desc, e.origin, e.pos desc",
            (Self::Released, false) => " order by e.released, e.origin, e.pos",
            (Self::Author, true) => " order by e.author desc, e.released desc, e.origin, e.pos desc",
            (Self::Author, false) => " order by e.author, e.released desc, e.origin, e.pos desc",
            (Self::Kind, true) => " order by e.kind desc, e.released desc, e.origin, e.pos desc",
            (Self::Kind, false) => " order by e.kind, e.released desc, e.origin, e.pos desc",
            (Self::Proven, true) => {
                " order by coalesce(e.proven, 0) desc, e.released desc, e.origin, e.pos desc"
            }
            (Self::Proven, false) => {
                " order by coalesce(e.proven, 9223372036854775807), e.released, e.origin, e.pos"
            }
        }
    }
}

/// A page of a list, and how many there are up to [`MAX_COUNTED`] + 1.
pub async fn list(db: &Db, face: Face, as_of: AsOf, wanted: &Wanted) -> Result<(Vec<Entry>, i64), DbError> {
    let mut condition = Sql::from("e.valid = 1 and ");
    condition.push(listed(face)).push(" and ").append(&known_anywhere(face, as_of.basis));
    let mut values = vec![moment(as_of)];
    if let Some(kind) = &wanted.kind {
        values.push(kind.as_str().into());
        condition.push(" and e.kind = ").placeholder(values.len());
    }
    if !wanted.text.is_empty() {
        values.push(format!("%{}%", escaped(&wanted.text.to_lowercase())).into());
        let place = values.len();
        for (index, column) in ["lower(e.author)", "e.name", "lower(e.id)", "e.kind"].into_iter().enumerate()
        {
            condition.push(if index == 0 { " and (" } else { " or " });
            condition.push(column).push(" like ").placeholder(place).push(" escape '\\'");
        }
        condition.push(")");
    }
    let count = count(db, &condition, &values).await?;
    let mut sql = select(face, as_of.basis, Times::Record);
    sql.append(&condition);
    sql.push(wanted.order.sql(wanted.descending));
    values.push(i64::try_from(wanted.limit).unwrap_or(0).into());
    sql.push(" limit ").placeholder(values.len());
    values.push(i64::try_from(wanted.offset).unwrap_or(0).into());
    sql.push(" offset ").placeholder(values.len());
    let rows = db.rows(sql, &values).await?;
    Ok((rows.iter().map(entry).collect::<Result<_, _>>()?, count))
}

async fn count(db: &Db, condition: &Sql, values: &[Value]) -> Result<i64, DbError> {
    let mut sql =
        Sql::from("select count(*) from (select 1 from entry e join log l on l.origin = e.origin where ");
    sql.append(condition);
    sql.push(" limit 10001) counted");
    let rows = db.rows(sql, values).await?;
    rows.first().map_or(Ok(0), |row| row.int(0))
}

/// A text for `like`, taken as it is.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}
