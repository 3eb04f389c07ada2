//! What stands before an edition: its number, and whether its readers were all given the one before.
//!
//! Called while nothing else is released, with every own record in the index.

use std::collections::BTreeSet;

use record::{Date, Status, Time, Ulid};
use store::Sql;
use tlog::hash::Hash;

use super::ReleaseError;
use crate::asof::Basis;
use crate::face::Face;
use crate::index::{EVERYBODY, IndexError, WITHDRAWN, joined};
use crate::node::Node;
use crate::own_log::Audience;

/// The most places at which the editions of an own thing stand. Of a thing of more than 25,000 records nothing stands anywhere
/// ([`crate::index`]); the rest is for what withdraws them.
pub const MOST_PLACES: usize = 24_000;

/// Where an edition stands.
struct Row {
    edition: u32,
    name: String,
    status: String,
    readers: String,
    withdrawn: bool,
    expires: Option<Date>,
}

/// The edition before the next one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Before {
    pub(super) edition: u32,
    pub(super) name: Hash,
    /// The day on which it is destroyed.
    pub(super) expires: Option<Date>,
    /// Of all editions.
    pub(super) places: usize,
}

impl Before {
    /// Refuses one place more than a thing may have.
    pub(super) fn check_room(&self, id: Ulid) -> Result<(), ReleaseError> {
        if self.places < MOST_PLACES { Ok(()) } else { Err(ReleaseError::ThingFull(id)) }
    }

    /// Refuses an edition that would be destroyed before this one, which would then speak again.
    pub(super) fn check_expires(&self, next: Option<Date>) -> Result<(), ReleaseError> {
        match (self.expires, next) {
            (_, None) => Ok(()),
            (Some(before), Some(next)) if before <= next => Ok(()),
            (Some(before), _) => Err(ReleaseError::ExpiresBefore(before.to_string())),
            (None, _) => Err(ReleaseError::ExpiresBefore("∞".to_owned())),
        }
    }
}

impl Node {
    /// The newest edition of an own thing, which `audience` was given.
    pub(super) async fn edition_before(
        &self,
        id: Ulid,
        status: Status,
        audience: &Audience,
    ) -> Result<Before, ReleaseError> {
        let (newest, rows) = self.newest_edition(id, status).await?;
        let places = rows.iter().filter(|row| row.name == newest.name.to_hex());
        let given: BTreeSet<&str> = places.flat_map(|row| row.readers.split(' ')).collect();
        let (edition, name) = (newest.edition, newest.name.to_hex());
        if given.contains(EVERYBODY) {
            return Ok(newest);
        }
        match audience {
            Audience::Public => Err(ReleaseError::EditionPublic { id, edition, name }),
            Audience::Readers(readers) => {
                let lacking = readers.iter().map(record::Authority::as_str);
                let lacking: Vec<&str> = lacking.filter(|reader| !given.contains(reader)).collect();
                if lacking.is_empty() {
                    return Ok(newest);
                }
                Err(ReleaseError::EditionReaders { id, edition, name, readers: lacking.join(" ") })
            }
        }
    }

    /// Number and name of the newest edition of an own thing.
    ///
    /// # Errors
    /// There is none, it was withdrawn, or it is of another status.
    pub async fn newest_own_edition(&self, id: Ulid, status: Status) -> Result<(u32, Hash), ReleaseError> {
        let newest = self.newest_edition(id, status).await?.0;
        Ok((newest.edition, newest.name))
    }

    /// Refuses one place more of an own record whose thing has as many as it may have.
    ///
    /// # Errors
    /// It has, or is as [`Self::newest_own_edition`] says.
    pub async fn check_place_more(&self, id: Ulid, status: Status) -> Result<(), ReleaseError> {
        self.newest_edition(id, status).await?.0.check_room(id)
    }

    async fn newest_edition(&self, id: Ulid, status: Status) -> Result<(Before, Vec<Row>), ReleaseError> {
        let all = self.editions_of(id).await?;
        let is_known = !all.is_empty();
        let rows: Vec<Row> = all.into_iter().filter(|row| row.status == status.as_str()).collect();
        let Some(newest) = rows.first() else {
            let other = ReleaseError::OtherStatus { id, status };
            return Err(if is_known { other } else { ReleaseError::UnknownThing(id) });
        };
        if rows.iter().any(|row| row.withdrawn) {
            return Err(ReleaseError::Withdrawn(id));
        }
        let name = Hash::from_hex(&newest.name).map_err(|_| ReleaseError::UnknownThing(id))?;
        let (edition, expires, places) = (newest.edition, newest.expires, rows.len());
        Ok((Before { edition, name, expires, places }, rows))
    }

    /// Every place of every edition, the newest first; of twins the one that stands.
    async fn editions_of(&self, id: Ulid) -> Result<Vec<Row>, IndexError> {
        let mut sql = Sql::from(
            "select e.edition, e.name, e.status, l.readers, st.state, e.expires from entry e join log l on l.origin = e.origin",
        );
        sql.append(&joined("e", Face::Inside, Basis::Claimed)).push(
            " where e.author = $2 and e.id = $3 and e.valid = 1
              order by e.edition desc, case when st.state in (4, 5) then 1 else 0 end,
                e.released, e.name, e.origin, e.pos",
        );
        let values = [i64::MAX.into(), self.config.authority.as_str().into(), id.to_string().into()];
        let mut rows = Vec::new();
        for row in self.index.db().rows(sql, &values).await? {
            rows.push(Row {
                edition: u32::try_from(row.int(0)?).unwrap_or(u32::MAX),
                name: row.text(1)?,
                status: row.text(2)?,
                readers: row.text(3)?,
                withdrawn: row.opt_int(4)? == Some(WITHDRAWN),
                expires: row.opt_int(5)?.and_then(Time::from_posix).map(Time::date),
            });
        }
        Ok(rows)
    }
}
