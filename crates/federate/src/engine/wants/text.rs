//! Wants, and what is known not to come, as cells of one node. They never travel.

use record::{Date, MAX_BLOB, Origin, Status};
use tlog::Hash;

use super::{Class, Ended, Want, Why};
use crate::engine::{UNFETCHED, WANT, Write};
use crate::paths::origin_hash;

const CLASSES: [(Class, &str); 4] =
    [(Class::Inner, "inner"), (Class::First, "first"), (Class::Json, "json"), (Class::Rest, "rest")];

/// The key of a want: log, blob, record. Before there was a record in it, the first two.
fn want_key(origin: &Origin, ended: &Ended) -> String {
    let (log, Ended { sha256, name, is_old }) = (origin_hash(origin), ended);
    if *is_old { format!("{log}/{sha256}") } else { format!("{log}/{sha256}/{name}") }
}

/// The cell of a want, or its end.
pub fn want_cell(origin: &Origin, ended: &Ended, want: Option<&Want>) -> Write {
    let value = want.map(|want| write_want(origin, want).into_bytes());
    Write::Cell { space: WANT, key: want_key(origin, ended), value }
}

/// `2 <origin> <size> <class> <expires> <status> <index> <since> <now|later>`
pub fn write_want(origin: &Origin, want: &Want) -> String {
    let class = CLASSES.iter().find(|(class, _)| *class == want.class).map_or("rest", |(_, word)| word);
    let status = want.status.map_or("-", Status::as_str);
    let (index, since) = want.noted.unwrap_or((0, 0));
    let when = if want.is_later { "later" } else { "now" };
    format!("2 {origin} {} {class} {} {status} {index} {since} {when}", want.size, date(want.expires))
}

/// Reads a want: its log, which it is, and what it says; `Some(None)` for one that is beyond today's limits.
#[allow(clippy::option_option)] // Unreadable, of no use any more, a want.
pub fn read_want(key: &str, value: &str) -> Option<Option<(Origin, Hash, Hash, Want)>> {
    let fields: Vec<&str> = value.split(' ').collect();
    let keys: Vec<&str> = key.split('/').collect();
    let sha256 = Hash::from_hex(keys.get(1)?).ok()?;
    match fields.as_slice() {
        ["2", origin, size, class, expires, status, index, since, when] => {
            let want = Want {
                size: size.parse().ok()?,
                class: CLASSES.iter().find(|(_, word)| word == class)?.0,
                expires: read_date(expires)?,
                status: if *status == "-" { None } else { Some(status.parse().ok()?) },
                noted: Some((index.parse().ok()?, since.parse().ok()?)),
                is_later: *when == "later",
            };
            Some(Some((origin.parse().ok()?, sha256, Hash::from_hex(keys.get(2)?).ok()?, want)))
        }
        [origin, size, name, expires] => {
            let want = Want {
                size: size.parse().ok()?,
                class: Class::First,
                expires: read_date(expires)?,
                status: None,
                noted: None,
                is_later: false,
            };
            let (origin, name) = (origin.parse().ok()?, Hash::from_hex(name).ok()?);
            Some((want.size <= MAX_BLOB).then_some((origin, sha256, name, want)))
        }
        _ => None,
    }
}

/// The cell that says that something of a record cannot be had, or its end.
pub fn unfetched_cell(origin: &Origin, name: &Hash, why: Why, said: Option<String>) -> Write {
    let key = format!("{}/{name}/{}", origin_hash(origin), why.as_str());
    Write::Cell { space: UNFETCHED, key, value: said.map(String::into_bytes) }
}

/// `<origin> <index> <expires>`
pub fn write_unfetched(origin: &Origin, index: u64, expires: Option<Date>) -> String {
    format!("{origin} {index} {}", date(expires))
}

/// Reads what [`write_unfetched`] wrote: log, record, why, place, expiry.
pub fn read_unfetched(key: &str, value: &str) -> Option<(Origin, Hash, Why, u64, Option<Date>)> {
    let [_, name, why] = key.split('/').collect::<Vec<_>>().try_into().ok()?;
    let [origin, index, expires] = value.split(' ').collect::<Vec<_>>().try_into().ok()?;
    let why = [Why::Large, Why::Missing].into_iter().find(|known| known.as_str() == why)?;
    Some((origin.parse().ok()?, Hash::from_hex(name).ok()?, why, index.parse().ok()?, read_date(expires)?))
}

fn date(date: Option<Date>) -> String {
    date.map_or_else(|| "-".to_owned(), |date| date.to_string())
}

#[allow(clippy::option_option)] // Unreadable, none, one.
fn read_date(text: &str) -> Option<Option<Date>> {
    if text == "-" { Some(None) } else { text.parse().ok().map(Some) }
}
