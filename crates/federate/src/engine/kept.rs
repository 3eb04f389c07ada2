//! Taking up what was persisted, and writing the small cells. The texts never travel.

use record::{Authority, Origin};
use tlog::{Hash, SignedCheckpoint};

use super::logs::Log;
use super::own::Kept;
use super::seen::SeenFiles;
use super::wants::{Wants, read_unfetched, read_want};
use super::{ALARM, ERASED, Engine, FOLLOW, HELD, LOG, OWN, UNFETCHED, WANT, WITNESS, Write};
use crate::follow::Follow;
use crate::paths::origin_hash;

impl Engine {
    /// Takes one cell up; `None` if it cannot be read.
    pub(super) fn restore(&mut self, space: &str, key: &str, value: &[u8]) -> Option<()> {
        match space {
            ALARM => drop(self.rung.insert(key.to_owned(), 0)),
            WITNESS => self.witness.restore(key, value)?,
            FOLLOW => {
                let origin: Origin = key.parse().ok()?;
                let follow = Follow::from_bytes(value)?;
                self.log(&origin).take_up(follow);
            }
            LOG => {
                let origin: Origin = key.parse().ok()?;
                read_log(value, self.log(&origin))?;
            }
            HELD => {
                let origin: Origin = key.parse().ok()?;
                self.log(&origin).held = Some(SignedCheckpoint::parse(value).ok()?);
            }
            OWN => {
                let origin: Origin = key.split(' ').next()?.parse().ok()?;
                read_own(key, value, &mut self.own_at_start(origin).kept)?;
            }
            WANT => {
                if let Some((origin, sha256, name, want)) = read_want(key, std::str::from_utf8(value).ok()?)?
                {
                    self.wants_at_start(&origin).add(sha256, name, want);
                }
            }
            UNFETCHED => {
                let (origin, name, why, index, expires) =
                    read_unfetched(key, std::str::from_utf8(value).ok()?)?;
                self.wants_at_start(&origin).note_unfetched(name, why, index, expires);
            }
            ERASED => {
                let [author, name, status] = key.split('/').collect::<Vec<_>>().try_into().ok()?;
                let erased = (Hash::from_hex(name).ok()?, status.parse().ok()?);
                self.erased.entry(author.parse().ok()?).or_default().insert(erased);
            }
            // A space of another time: nothing is known of it, and nothing depends on it.
            _ => {}
        }
        Some(())
    }

    fn wants_at_start(&mut self, origin: &Origin) -> &mut Wants {
        let is_own = origin.authority == self.config.me;
        if is_own { &mut self.own_at_start(origin.clone()).blobs } else { &mut self.log(origin).blobs }
    }

    /// The log of an origin, begun if it is new.
    pub(super) fn log(&mut self, origin: &Origin) -> &mut Log {
        self.by_hash.insert(origin_hash(origin), origin.clone());
        self.logs.entry(origin.clone()).or_insert_with(|| Log::new(Follow::new(origin.clone())))
    }
}

/// The cell of a followed log.
pub(super) fn write_log(origin: &Origin, seen: &SeenFiles, is_split: bool) -> Write {
    let SeenFiles { count, size, told, sure, bytes, .. } = seen;
    let split = u8::from(is_split);
    let value =
        format!("seen {count} {size}\nsplit {split}\nauthor {told} {sure}\nbytes {bytes}\n").into_bytes();
    Write::Cell { space: LOG, key: origin.to_string(), value: Some(value) }
}

fn read_log(value: &[u8], log: &mut Log) -> Option<()> {
    let mut lines = std::str::from_utf8(value).ok()?.lines();
    (log.seen.count, log.seen.size) = pair(lines.next()?.strip_prefix("seen ")?)?;
    log.is_split = lines.next()?.strip_prefix("split ")? == "1";
    // Who noted nothing of the author compares everything with it.
    if let Some(line) = lines.next() {
        (log.seen.told, log.seen.sure) = pair(line.strip_prefix("author ")?)?;
    }
    if let Some(line) = lines.next() {
        log.seen.bytes = line.strip_prefix("bytes ")?.parse().ok()?;
    }
    Some(())
}

/// The cell of a receipt signed here.
pub(super) fn write_held(origin: &Origin, held: &SignedCheckpoint) -> Write {
    Write::Cell { space: HELD, key: origin.to_string(), value: Some(held.to_bytes()) }
}

/// The cell of an own log's `seen` files: how many, and the size of the last one.
pub(super) fn write_own_seen(origin: &Origin, seen: (u64, u64)) -> Write {
    let value = format!("{} {}", seen.0, seen.1).into_bytes();
    Write::Cell { space: OWN, key: origin.to_string(), value: Some(value) }
}

/// The cell of one authority's archived receipts for an own log: how many, and the size of the last one.
pub(super) fn write_receipt(origin: &Origin, authority: &Authority, receipts: (u64, u64)) -> Write {
    let value = format!("{} {}", receipts.0, receipts.1).into_bytes();
    Write::Cell { space: OWN, key: format!("{origin} {authority}"), value: Some(value) }
}

fn read_own(key: &str, value: &[u8], kept: &mut Kept) -> Option<()> {
    let counts = pair(std::str::from_utf8(value).ok()?)?;
    if let Some((_, authority)) = key.split_once(' ') {
        kept.receipts.insert(authority.parse().ok()?, counts);
    } else {
        (kept.seen, kept.seen_size) = counts;
    }
    Some(())
}

fn pair(text: &str) -> Option<(u64, u64)> {
    let (one, other) = text.split_once(' ')?;
    Some((one.parse().ok()?, other.parse().ok()?))
}
