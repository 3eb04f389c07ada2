//! Releasing again what was released before: to later readers, to the public; and withdrawing it from all who have it.
//!
//! Only what this authority wrote. Nothing here decides who should get a record; it says who has it.

use std::collections::BTreeMap;

use record::seal::{Opened, open};
use record::{Authority, Date, Record, Ref, Relation, Status, Ulid, kind};
use tlog::hash::Hash;

use super::{Draft, ReleaseError};
use crate::index::{Source as _, readers_of};
use crate::node::Node;
use crate::own_log::Audience;

/// Where a record of this authority stands, and who was given it there.
#[derive(Debug, Clone)]
pub struct Places {
    /// The record.
    pub name: Hash,
    /// Its thing.
    pub id: Ulid,
    /// Its kind.
    pub kind: String,
    /// Its status.
    pub status: Status,
    /// The day on which it is destroyed.
    pub expires: Option<Date>,
    /// The day on which the last edition of its thing is destroyed, if all of them are.
    pub all_expired: Option<Date>,
    /// Log and entry of each place, the first one first.
    pub at: Vec<(String, u64)>,
    /// The readers of those of these logs in which it counts.
    pub audiences: Vec<Audience>,
    /// Was its thing withdrawn?
    pub withdrawn: bool,
}

/// Kinds that nobody but their first readers ever gets.
pub fn never_again(kind: &str) -> bool {
    kind == kind::UNREAD || kind.starts_with("disclosure.") || kind::is_log_kind(kind)
}

impl Places {
    /// Does every reader of an audience have it?
    pub fn covers(&self, audience: &Audience) -> bool {
        let was_given = |reader: &Authority| {
            let mut given = self.audiences.iter();
            given.any(|given| matches!(given, Audience::Readers(readers) if readers.contains(reader)))
        };
        self.audiences.contains(&Audience::Public)
            || matches!(audience, Audience::Readers(readers) if readers.iter().all(was_given))
    }

    /// Refuses what is not released again.
    ///
    /// # Errors
    /// It expires, is of a kind that goes to its first readers alone, or was withdrawn.
    pub fn check_again(&self) -> Result<(), ReleaseError> {
        let refused = |why| Err(ReleaseError::NotAgain { name: self.name.to_hex(), why });
        if self.expires.is_some() {
            return refused("it holds personal data, which goes to its first readers alone");
        }
        if never_again(&self.kind) {
            return refused("records of its kind go to their first readers alone");
        }
        if self.withdrawn {
            return refused("it was withdrawn");
        }
        Ok(())
    }
}

impl Node {
    /// Where an own record stands; `None` if there is none of this name, or it is somebody else's.
    ///
    /// # Errors
    /// The index cannot be read.
    pub async fn places_of(&self, name: &Hash) -> Result<Option<Places>, ReleaseError> {
        // A thing that was withdrawn, by whichever of its editions, is withdrawn for good.
        let sql = "select e.origin, e.pos, l.readers, e.id, e.kind, e.status, e.expires,
                     (select min(st.state) from standing st where st.author = e.author and st.id = e.id
                        and st.status = e.status and st.basis = 1 and (st.face & 2) <> 0 and st.state = 3
                        and st.stop is null), e.disowned,
                     (select case when count(*) = count(x.expires) then max(x.expires) end from entry x
                      where x.author = e.author and x.id = e.id and x.status = e.status and x.valid = 1)
                   from entry e join log l on l.origin = e.origin
                   where e.author = $1 and e.name = $2 and e.valid = 1 order by e.released, e.origin, e.pos";
        let values = [self.config.authority.as_str().into(), name.to_hex().into()];
        let rows = self.index.db().rows(sql, &values).await.map_err(crate::index::IndexError::from)?;
        let read = || -> Result<Option<Places>, store::DbError> {
            let Some(first) = rows.first() else { return Ok(None) };
            let (Ok(id), Ok(status)) = (first.text(3)?.parse(), first.text(5)?.parse()) else {
                return Ok(None);
            };
            let day = |at: Option<i64>| at.and_then(record::Time::from_posix).map(record::Time::date);
            let (expires, all_expired) = (day(first.opt_int(6)?), day(first.opt_int(9)?));
            let mut places = Places {
                name: *name,
                id,
                kind: first.text(4)?,
                status,
                expires,
                all_expired,
                at: Vec::new(),
                audiences: Vec::new(),
                withdrawn: false,
            };
            for row in &rows {
                places.at.push((row.text(0)?, row.uint(1)?));
                // What a revoked key did has no effect, and is done again.
                if row.int(8)? == 0 {
                    places.audiences.push(readers_of(&row.text(2)?).into());
                }
                places.withdrawn |= row.opt_int(7)?.is_some();
            }
            Ok(Some(places))
        };
        Ok(read()?)
    }

    /// Opens an own sealed record, with all its contents, to be released again.
    ///
    /// # Errors
    /// It is not sealed, or this node cannot open it.
    pub async fn open_own(&self, places: &Places) -> Result<Opened, ReleaseError> {
        let refused = |why| ReleaseError::NotAgain { name: places.name.to_hex(), why };
        let mut sealed: Option<Record> = None;
        for (origin, index) in &places.at {
            let record = self.record_at(origin, *index).await?;
            sealed = sealed.or(record.filter(Record::is_sealed));
        }
        let Some(record) = sealed else {
            return Err(refused("it is public: everybody can read it already"));
        };
        let mut files: BTreeMap<Hash, Vec<u8>> = BTreeMap::new();
        for blob in &record.header.blobs {
            if let Some(bytes) = self.blob(&blob.sha256).await? {
                files.insert(blob.sha256, bytes.to_vec());
            }
        }
        let identities = self.identities(record.header.expires.is_some()).await?;
        let chain = self.own_chain();
        // The key that signed it is judged where it stands; here it is our own, of whatever root.
        let roots: Vec<u64> = chain.roots().map(|root| root.root.version).collect();
        let fetch = |hash: &Hash| files.get(hash).cloned();
        let opened =
            roots.iter().rev().find_map(|root| open(&record, &chain, *root, fetch, &identities).ok());
        opened.ok_or_else(|| refused("its content is not here, or no key of this node opens it"))
    }

    /// What is left to be done so that everybody who was given an own thing hears of its withdrawal: for each
    /// audience the newest edition that it was given.
    ///
    /// # Errors
    /// The index cannot be read.
    pub async fn left_to_withdraw(&self, places: &Places) -> Result<Vec<(Audience, Hash)>, ReleaseError> {
        let index = crate::index::IndexError::from;
        let me = self.config.authority.as_str();
        let sql = "select l.readers, e.name from entry e join log l on l.origin = e.origin
                   where e.author = $1 and e.id = $2 and e.status = $3 and e.valid = 1
                   order by e.edition, e.released, e.name";
        let values = [me.into(), places.id.to_string().into(), places.status.as_str().into()];
        let rows = self.index.db().rows(sql, &values).await.map_err(index)?;
        let mut given: BTreeMap<String, Hash> = BTreeMap::new();
        for row in &rows {
            if let Ok(name) = Hash::from_hex(&row.text(1)?) {
                given.insert(row.text(0)?, name);
            }
        }
        let sql = "select distinct l.readers from ref r join entry w on w.origin = r.origin and w.pos = r.pos
                   join log l on l.origin = w.origin
                   join entry t on t.author = r.to_author and t.name = r.to_name
                   where r.relation = 'withdraws' and w.author = $1 and w.valid = 1 and w.disowned = 0 and t.author = $1
                     and t.id = $2 and w.status = $3";
        for row in self.index.db().rows(sql, &values).await.map_err(index)? {
            given.remove(&row.text(0)?);
        }
        Ok(given.into_iter().map(|(readers, name)| (readers_of(&readers).into(), name)).collect())
    }

    /// The withdrawal of an own record, for one audience.
    pub fn withdrawal(&self, places: &Places, name: Hash) -> Draft {
        let mut draft = Draft::new(kind::WITHDRAWAL, places.status);
        draft.refs = vec![Ref { relation: Relation::Withdraws, author: self.config.authority.clone(), name }];
        // As long as anything that it ends is kept, and no longer.
        draft.expires = places.all_expired;
        draft
    }
}
