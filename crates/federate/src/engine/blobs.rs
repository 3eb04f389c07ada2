//! Blobs that records of followed logs name: wanted from the moment that the record is stored, fetched a few
//! at a time, checked by their hash. A receipt waits for them.

use std::collections::{BTreeMap, BTreeSet};

use record::{Authority, Date, Judged, Origin, Relation};
use tlog::{Hash, sha256};

use super::logs::Log;
use super::pending::Pending;
use super::{Answer, Engine, Event, Output, WANT, Write};
use crate::paths::{MirrorFile, Route, origin_hash};
use crate::places;

/// Blobs of one log that are fetched at the same time.
const AT_ONCE: usize = 16;

/// A blob that is to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Want {
    pub origin: Origin,
    pub size: u64,
    /// The record that names it: if it is withdrawn or erased, the blob is wanted no more.
    pub name: Hash,
    pub expires: Option<Date>,
}

impl Want {
    fn has_expired(&self, today: Option<Date>) -> bool {
        self.expires.is_some_and(|day| Some(day) <= today)
    }

    fn to_text(&self) -> String {
        let expires = self.expires.map_or_else(|| "-".to_owned(), |date| date.to_string());
        format!("{} {} {} {expires}", self.origin, self.size, self.name)
    }

    pub fn from_text(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.split(' ').collect();
        let [origin, size, name, expires] = fields.as_slice() else { return None };
        let expires = if *expires == "-" { None } else { Some(expires.parse().ok()?) };
        let (origin, size) = (origin.parse().ok()?, size.parse().ok()?);
        Some(Self { origin, size, name: Hash::from_hex(name).ok()?, expires })
    }
}

/// The blobs of one log that are to be fetched.
#[derive(Debug, Default)]
pub(super) struct Blobs {
    wanted: BTreeMap<Hash, Want>,
    asked: BTreeSet<Hash>,
    /// Failures so far, and when to try again.
    waiting: BTreeMap<Hash, (u32, u64)>,
    bytes: u64,
}

impl Blobs {
    pub fn len(&self) -> usize {
        self.wanted.len()
    }

    pub fn is_complete(&self) -> bool {
        self.wanted.is_empty()
    }

    pub fn deadline(&self) -> Option<u64> {
        let is_free = |hash: &&Hash| !self.asked.contains(*hash);
        let waiting = self.waiting.iter().filter(|(hash, _)| is_free(hash)).map(|(_, (_, at))| *at).min();
        waiting.filter(|_| self.asked.len() < AT_ONCE)
    }

    fn next(&self, now: u64, limit: u64) -> Option<(Hash, Want)> {
        if self.asked.len() >= AT_ONCE {
            return None;
        }
        let is_free = |hash: &Hash| {
            !self.asked.contains(hash) && self.waiting.get(hash).is_none_or(|(_, at)| *at <= now)
        };
        let (hash, want) = self.wanted.iter().find(|(hash, _)| is_free(hash))?;
        let fits = self.asked.is_empty() || self.bytes + want.size <= limit;
        fits.then(|| (*hash, want.clone()))
    }

    /// Those that nobody needs any more; what is under way is dropped when it is answered.
    fn expired(&self, today: Option<Date>) -> Vec<Hash> {
        let is_free = |(hash, _): &(&Hash, &Want)| !self.asked.contains(*hash);
        let expired = self.wanted.iter().filter(is_free).filter(|(_, want)| want.has_expired(today));
        expired.map(|(hash, _)| *hash).collect()
    }

    fn drop_want(&mut self, hash: &Hash) {
        self.wanted.remove(hash);
        self.waiting.remove(hash);
    }
}

impl Log {
    pub fn want(&mut self, sha256: Hash, want: Want) {
        self.blobs.wanted.insert(sha256, want);
    }
}

fn key(origin: &Origin, sha256: &Hash) -> String {
    format!("{}/{sha256}", origin_hash(origin))
}

fn unwanted(origin: &Origin, sha256: &Hash) -> Write {
    Write::Cell { space: WANT, key: key(origin, sha256), value: None }
}

impl Engine {
    /// Notes the blobs of new records, and forgets those of records that are withdrawn or erased.
    pub(super) fn want_blobs(&mut self, origin: &Origin, judged: &[Judged]) -> Vec<Write> {
        let (max, today) = (self.config.limits.max_blob, self.today());
        let Some(log) = self.logs.get_mut(origin) else { return Vec::new() };
        let mut writes: BTreeMap<Hash, Write> = BTreeMap::new();
        for record in judged.iter().filter_map(Judged::record) {
            let header = &record.header;
            for blob in header.blobs.iter().filter(|blob| blob.size <= max) {
                if header.expires.is_some_and(|day| Some(day) <= today) {
                    continue;
                }
                let (size, name) = (blob.size, record.name());
                let want = Want { origin: origin.clone(), size, name, expires: header.expires };
                let value = Some(want.to_text().into_bytes());
                writes
                    .insert(blob.sha256, Write::Cell { space: WANT, key: key(origin, &blob.sha256), value });
                log.want(blob.sha256, want);
            }
            let gone: Vec<Hash> = [Relation::Withdraws, Relation::Erases]
                .into_iter()
                .flat_map(|relation| header.refs_of(relation))
                .filter(|reference| reference.author == header.author)
                .map(|reference| reference.name)
                .collect();
            let hashes = log.blobs.wanted.iter().filter(|(_, want)| gone.contains(&want.name));
            let hashes: Vec<Hash> = hashes.map(|(hash, _)| *hash).collect();
            for hash in hashes {
                log.blobs.drop_want(&hash);
                writes.insert(hash, unwanted(origin, &hash));
            }
        }
        writes.into_values().collect()
    }

    fn today(&self) -> Option<Date> {
        let seconds = i64::try_from(self.now / 1000).unwrap_or(0);
        // Beyond the year 9999 nothing has expired yet that matters.
        record::Time::from_posix(seconds).map(record::Time::date)
    }

    /// Wants of records that have expired meanwhile: they are neither fetched nor kept.
    fn drop_expired(&mut self, origin: &Origin) {
        let today = self.today();
        let Some(log) = self.logs.get_mut(origin) else { return };
        let expired = log.blobs.expired(today);
        if expired.is_empty() {
            return;
        }
        for hash in &expired {
            log.blobs.drop_want(hash);
        }
        let writes = expired.iter().map(|hash| unwanted(origin, hash)).collect();
        self.store(writes, Vec::new(), Pending::Unwatched);
        self.out.push(Output::HeadsChanged);
    }

    pub(super) fn run_blobs(&mut self, origin: &Origin) {
        self.drop_expired(origin);
        loop {
            let (now, limit) = (self.now, self.config.limits.blob_bytes);
            let Some(log) = self.logs.get_mut(origin) else { return };
            let Some((sha256, want)) = log.blobs.next(now, limit) else { return };
            let Some(peer) = self.blob_source(origin, &sha256) else { return };
            let Some(log) = self.logs.get_mut(origin) else { return };
            log.blobs.asked.insert(sha256);
            log.blobs.bytes += want.size;
            let route = if peer == origin.authority {
                Route::Blob(sha256)
            } else {
                Route::Mirror { origin: origin_hash(origin), file: MirrorFile::Blob(sha256) }
            };
            let limit = usize::try_from(want.size).unwrap_or(usize::MAX);
            let pending = Pending::Blob { origin: origin.clone(), peer: peer.clone(), sha256 };
            self.fetch_up_to(&peer, route, limit, pending);
        }
    }

    /// The author first, then, with every failure, the next one who shows the log.
    fn blob_source(&self, origin: &Origin, sha256: &Hash) -> Option<Authority> {
        let log = self.logs.get(origin)?;
        let failures = log.blobs.waiting.get(sha256).map_or(0, |(failures, _)| *failures);
        let author = Some(&origin.authority).filter(|author| log.sources.contains_key(*author));
        let others = log.sources.keys().filter(|name| **name != origin.authority);
        let all: Vec<&Authority> = author.into_iter().chain(others).collect();
        all.get(usize::try_from(failures).ok()?.checked_rem(all.len())?).map(|name| (*name).clone())
    }

    pub(super) fn blob_answered(&mut self, origin: &Origin, peer: &Authority, hash: &Hash, answer: Answer) {
        let Some(log) = self.logs.get_mut(origin) else { return };
        log.blobs.asked.remove(hash);
        let Some(want) = log.blobs.wanted.get(hash).cloned() else { return };
        log.blobs.bytes = log.blobs.bytes.saturating_sub(want.size);
        self.dirty.insert(origin.clone());
        if want.has_expired(self.today()) {
            return self.drop_expired(origin);
        }
        match answer {
            Answer::Response { status: 200, body, .. } => {
                if body.len() as u64 == want.size && sha256(&body) == *hash {
                    return self.keep_blob(origin, hash, body);
                }
                self.blame(peer, Some(origin), "blob-hash");
            }
            Answer::TooLarge => self.blame(peer, Some(origin), "blob-too-large"),
            Answer::Response { .. } | Answer::Failed => {}
        }
        self.blob_failed(origin, hash);
    }

    fn keep_blob(&mut self, origin: &Origin, sha256: &Hash, body: Vec<u8>) {
        let writes = vec![
            Write::File { path: places::blob(sha256), bytes: body },
            Write::File { path: places::blob_mark(origin, sha256), bytes: Vec::new() },
            unwanted(origin, sha256),
        ];
        if let Some(log) = self.logs.get_mut(origin) {
            log.blobs.asked.insert(*sha256);
        }
        let events = vec![Event::Blob { origin: origin.clone(), sha256: *sha256 }];
        self.store(writes, events, Pending::StoredBlob { origin: origin.clone(), sha256: *sha256 });
    }

    pub(super) fn blob_stored(&mut self, origin: &Origin, sha256: &Hash, done: bool) {
        let Some(log) = self.logs.get_mut(origin) else { return };
        log.blobs.asked.remove(sha256);
        if done {
            log.blobs.drop_want(sha256);
        } else {
            self.blob_failed(origin, sha256);
        }
        self.dirty.insert(origin.clone());
    }

    fn blob_failed(&mut self, origin: &Origin, sha256: &Hash) {
        let Some(log) = self.logs.get(origin) else { return };
        let failures = log.blobs.waiting.get(sha256).map_or(1, |(failures, _)| failures + 1);
        let wait = self.back_off(failures);
        let at = self.now + wait;
        let Some(log) = self.logs.get_mut(origin) else { return };
        log.blobs.waiting.insert(*sha256, (failures, at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_expires_is_wanted_until_its_day_begins() {
        let want = |expires: Option<&str>| Want {
            origin: "moh.chn.example/log/aaaaaaaaaaaaaaaaaaaaaaaaaa/2026".parse().unwrap(),
            size: 7,
            name: sha256(b"name"),
            expires: expires.map(|day| day.parse().unwrap()),
        };
        let (lasting, short, under_way) = (sha256(b"1"), sha256(b"2"), sha256(b"3"));
        let mut blobs = Blobs::default();
        for (hash, expires) in [(lasting, None), (short, Some("2026-12-01")), (under_way, Some("2026-12-01"))]
        {
            let want = want(expires);
            assert_eq!(Want::from_text(&want.to_text()), Some(want.clone()), "it survives a restart");
            blobs.wanted.insert(hash, want);
        }
        blobs.asked.insert(under_way);
        let on = |day: &str| blobs.expired(Some(day.parse().unwrap()));
        assert!(on("2026-11-30").is_empty());
        assert_eq!(on("2026-12-01"), [short]);
        assert_eq!(on("2027-12-01"), [short], "a lasting record's blob is wanted for ever");
    }
}
