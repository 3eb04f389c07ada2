//! The blobs of one followed log that are to be fetched, per blob and record, and in which order: a blob is
//! wanted as long as one record wants it. What every record wants is decided elsewhere, and nothing is fetched,
//! stored or signed here; every step costs the logarithm of how many there are, never their number.

use std::collections::{BTreeMap, BTreeSet};

use record::{Authority, Date, Status};
use tlog::Hash;

use crate::footprint;

mod policy;
mod text;

pub use policy::of_record;
pub use text::{read_unfetched, read_want, unfetched_cell, want_cell, write_unfetched};

/// What is small enough never to wait behind anything that is not, in bytes.
const QUICK: u64 = 512 << 10;

/// How soon a blob is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::engine) enum Class {
    /// The sealed inner header: before it nothing of a sealed record is known.
    Inner,
    /// The first of a record's content.
    First,
    /// JSON: what a desk counts and asks.
    Json,
    /// Files of people.
    Rest,
}

/// What is fetched side by side: each lane has places of its own, so that none waits for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::engine) enum Lane {
    /// Small ones of every class.
    Quick,
    /// Large ones that come first in their record.
    First,
    /// Large ones that do not.
    Rest,
}

impl Lane {
    pub const ALL: [Self; 3] = [Self::Quick, Self::First, Self::Rest];

    /// How many are fetched of one log at the same time.
    pub const fn places(self) -> usize {
        match self {
            Self::Quick => 64,
            Self::First | Self::Rest => 4,
        }
    }
}

/// The place of a blob in its lane; smaller ones are fetched earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::engine) struct Rank {
    pub class: Class,
    /// The largest size that a record says, in bytes: no more is read.
    pub size: u64,
    pub sha256: Hash,
}

impl Rank {
    pub fn lane(&self) -> Lane {
        match self.class {
            _ if self.size <= QUICK => Lane::Quick,
            Class::Rest => Lane::Rest,
            Class::Inner | Class::First | Class::Json => Lane::First,
        }
    }

    /// What a blob takes on this disk, if so many bytes of it come; what desks make of it is measured afterwards.
    pub fn takes(&self, bytes: u64) -> u64 {
        match self.class {
            Class::First | Class::Json => footprint::read(bytes),
            Class::Inner | Class::Rest => footprint::file(bytes),
        }
    }
}

/// What one record says of a blob that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::engine) struct Want {
    pub size: u64,
    pub class: Class,
    pub expires: Option<Date>,
    /// The record's; unknown in cells of an earlier form.
    pub status: Option<Status>,
    /// The record's place in the log, and since when the blob is wanted, in milliseconds; unknown in cells of an
    /// earlier form, whose records are never named as missing something.
    pub noted: Option<(u64, u64)>,
    /// Only wanted once somebody asks for it.
    pub is_later: bool,
}

/// Why something of a record cannot be had.
pub use super::WhyUnfetched as Why;

/// A want that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::engine) struct Ended {
    pub sha256: Hash,
    pub name: Hash,
    /// Whether its cell may have the earlier form.
    pub is_old: bool,
}

/// What ended, as cells are concerned.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::engine) struct Gone {
    pub wants: Vec<Ended>,
    /// Records of which it was said that something cannot be had, and which lack nothing any more.
    pub unfetched: Vec<(Hash, Why)>,
}

/// Where a blob is that is wanted now.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// Wanted by nobody yet, or being fetched.
    Nowhere,
    Ready(Rank),
    Waiting(u64),
}

/// A blob that some records want.
#[derive(Debug)]
struct Blob {
    size: u64,
    /// How many want it now, by class.
    classes: [u32; 4],
    later: u32,
    failures: u32,
    place: Place,
}

impl Blob {
    fn rank(&self, sha256: Hash) -> Option<Rank> {
        let classes = [Class::Inner, Class::First, Class::Json, Class::Rest];
        let class = classes.into_iter().find(|class| self.classes[*class as usize] > 0)?;
        Some(Rank { class, size: self.size, sha256 })
    }

    fn is_wanted(&self) -> bool {
        self.classes.iter().any(|count| *count > 0)
    }

    fn count(&mut self, want: &Want) -> &mut u32 {
        if want.is_later { &mut self.later } else { &mut self.classes[want.class as usize] }
    }
}

/// The wants of one log.
#[derive(Debug, Default)]
pub(in crate::engine) struct Wants {
    /// By blob and record.
    by_blob: BTreeMap<(Hash, Hash), Want>,
    /// The same, by record and blob.
    of_record: BTreeSet<(Hash, Hash)>,
    blobs: BTreeMap<Hash, Blob>,
    /// How many blobs are wanted now.
    open: usize,
    ready: [BTreeSet<Rank>; 3],
    waiting: BTreeSet<(u64, Hash)>,
    in_flight: BTreeMap<Hash, Lane>,
    at_once: [usize; 3],
    expiries: BTreeSet<(Date, Hash)>,
    /// Records that will be named as missing something, by since when.
    overdue: BTreeSet<(u64, Hash)>,
    /// Records of which it was said that something cannot be had, with their places.
    unfetched: BTreeMap<(Hash, Why), u64>,
    /// Of which somebody served what is not it, and with which fault, the last time.
    spoiled: BTreeMap<Hash, (Authority, &'static str)>,
    /// Whether records are named as missing something.
    names_missing: bool,
}

impl Wants {
    /// None; `names_missing` says whether records will be named as missing something.
    pub fn new(names_missing: bool) -> Self {
        Self { names_missing, ..Self::default() }
    }

    /// How many wants are known, for now or later.
    pub fn known(&self) -> usize {
        self.by_blob.len()
    }

    /// What the blobs would take that are named and not here, as far as they are files.
    pub fn awaited(&self) -> u64 {
        self.blobs.values().map(|blob| footprint::file(blob.size)).sum()
    }

    /// How many blobs are wanted now.
    pub fn open(&self) -> usize {
        self.open
    }

    /// A record wants a blob. What it wanted before stays at least as long and as soon.
    pub fn add(&mut self, sha256: Hash, name: Hash, mut want: Want) {
        if let Some(before) = self.by_blob.get(&(sha256, name)).cloned() {
            want.size = want.size.max(before.size);
            want.class = want.class.min(before.class);
            want.expires = before.expires.zip(want.expires).map(|(one, other)| one.max(other));
            want.is_later &= before.is_later;
            want.noted = before.noted.or(want.noted);
            self.end(sha256, name);
        }
        if let Some(day) = want.expires {
            self.expiries.insert((day, name));
        }
        if let Some((_, since)) = want.noted.filter(|_| !want.is_later) {
            self.await_in_time(name, since);
        }
        let fresh = || Blob { size: 0, classes: [0; 4], later: 0, failures: 0, place: Place::Nowhere };
        let blob = self.blobs.entry(sha256).or_insert_with(fresh);
        self.open -= usize::from(blob.is_wanted());
        blob.size = blob.size.max(want.size);
        *blob.count(&want) += 1;
        self.open += usize::from(blob.is_wanted());
        self.by_blob.insert((sha256, name), want);
        self.of_record.insert((name, sha256));
        self.settle(sha256);
    }

    /// What a record of these wants: [`Wants::add`] may have changed it.
    pub fn get(&self, sha256: Hash, name: Hash) -> Option<&Want> {
        self.by_blob.get(&(sha256, name))
    }

    /// The records that want a blob, now or later.
    pub fn records_of(&self, sha256: Hash) -> Vec<Ended> {
        let all = self.by_blob.range((sha256, Hash([0; 32]))..=(sha256, Hash([255; 32])));
        all.map(|((_, name), want)| Ended { sha256, name: *name, is_old: want.noted.is_none() }).collect()
    }

    /// What a record wants, now or later.
    fn wants_of(&self, name: Hash) -> impl Iterator<Item = (Hash, &Want)> {
        let all = self.of_record.range((name, Hash([0; 32]))..=(name, Hash([255; 32])));
        all.filter_map(move |(_, sha256)| Some((*sha256, self.by_blob.get(&(*sha256, name))?)))
    }

    /// Whether a record wants something, now or later.
    pub fn is_named(&self, name: Hash) -> bool {
        self.wants_of(name).next().is_some()
    }

    /// The blob to be fetched next in a lane, if there is a place.
    pub fn head(&self, lane: Lane) -> Option<Rank> {
        let has_place = self.at_once[lane as usize] < lane.places();
        self.ready[lane as usize].first().copied().filter(|_| has_place)
    }

    /// A blob is being fetched from now on.
    pub fn begin(&mut self, rank: &Rank) {
        self.in_flight.insert(rank.sha256, rank.lane());
        self.at_once[rank.lane() as usize] += 1;
        self.settle(rank.sha256);
    }

    /// A blob is not being fetched any more: it is ready again, if it is still wanted.
    pub fn release(&mut self, sha256: Hash) {
        if let Some(lane) = self.in_flight.remove(&sha256) {
            self.at_once[lane as usize] -= 1;
        }
        self.settle(sha256);
    }

    /// Whether a blob is wanted now.
    pub fn is_wanted(&self, sha256: Hash) -> bool {
        self.blobs.get(&sha256).is_some_and(Blob::is_wanted)
    }

    /// How often a blob could not be had so far.
    pub fn failures(&self, sha256: Hash) -> u32 {
        self.blobs.get(&sha256).map_or(0, |blob| blob.failures)
    }

    /// A blob could not be had, and waits until this time.
    pub fn wait(&mut self, sha256: Hash, until: u64) {
        self.release(sha256);
        let Some(blob) = self.blobs.get_mut(&sha256) else { return };
        blob.failures = blob.failures.saturating_add(1);
        if let Place::Ready(rank) = blob.place {
            self.ready[rank.lane() as usize].remove(&rank);
            self.waiting.insert((until, sha256));
            blob.place = Place::Waiting(until);
        }
    }

    /// A blob is asked for as if it never failed.
    pub fn begin_anew(&mut self, sha256: Hash) {
        if let Some(blob) = self.blobs.get_mut(&sha256) {
            blob.failures = 0;
        }
    }

    /// Somebody served for a blob what is not it. It stays known until the blob is here, or wanted no more.
    pub fn spoil(&mut self, sha256: Hash, by: Authority, fault: &'static str) {
        if self.blobs.contains_key(&sha256) {
            self.spoiled.insert(sha256, (by, fault));
        }
    }

    /// Who served something else for a blob that is still wanted, and with which fault.
    pub fn spoiled(&self) -> impl Iterator<Item = &(Authority, &'static str)> {
        self.spoiled.values()
    }

    /// What waited long enough is ready.
    pub fn wake(&mut self, now: u64) {
        while let Some((at, sha256)) = self.waiting.first().copied().filter(|(at, _)| *at <= now) {
            self.waiting.remove(&(at, sha256));
            if let Some(blob) = self.blobs.get_mut(&sha256) {
                blob.place = Place::Nowhere;
            }
            self.settle(sha256);
        }
    }

    /// The blob is here: these records want it no more.
    pub fn stored(&mut self, records: &[Ended]) -> Gone {
        let mut gone = Gone::default();
        for ended in records {
            self.end_into(ended.sha256, ended.name, &mut gone);
        }
        gone
    }

    /// Nothing of a record can be had any more, or may be kept.
    pub fn drop_record(&mut self, name: Hash, is_meant: impl Fn(&Want) -> bool) -> Gone {
        let mut gone = Gone::default();
        let meant: Vec<Hash> = self.wants_of(name).filter(|(_, want)| is_meant(want)).map(|w| w.0).collect();
        for sha256 in meant {
            self.end_into(sha256, name, &mut gone);
        }
        if !self.is_named(name) && self.unfetched.remove(&(name, Why::Large)).is_some() {
            gone.unfetched.push((name, Why::Large));
        }
        gone
    }

    /// The records that want something.
    pub fn records(&self) -> impl Iterator<Item = Hash> {
        let mut last = None;
        let names = self.of_record.iter().map(|(name, _)| *name);
        names.filter(move |name| last.replace(*name) != Some(*name))
    }

    /// Nothing is wanted of the records from a place on: they are not of this log.
    pub fn drop_from(&mut self, place: u64) -> Gone {
        let is_beyond = |want: &Want| want.noted.is_some_and(|(index, _)| index >= place);
        let beyond = self.by_blob.iter().filter(|(_, want)| is_beyond(want)).map(|((_, name), _)| *name);
        let mut gone = Gone::default();
        for name in beyond.collect::<BTreeSet<Hash>>() {
            let of_one = self.drop_record(name, is_beyond);
            gone.wants.extend(of_one.wants);
            gone.unfetched.extend(of_one.unfetched);
        }
        gone
    }

    /// The first place of a record that wants a blob now.
    pub fn place_of(&self, sha256: Hash) -> Option<u64> {
        let all = self.by_blob.range((sha256, Hash([0; 32]))..=(sha256, Hash([255; 32])));
        all.filter(|(_, want)| !want.is_later).filter_map(|(_, want)| Some(want.noted?.0)).min()
    }

    /// What has expired on this day.
    pub fn expire(&mut self, today: Date) -> Gone {
        let mut gone = Gone::default();
        while let Some((day, name)) = self.expiries.first().copied().filter(|(day, _)| *day <= today) {
            self.expiries.remove(&(day, name));
            let of_one = self.drop_record(name, |want| want.expires.is_some_and(|day| day <= today));
            gone.wants.extend(of_one.wants);
            gone.unfetched.extend(of_one.unfetched);
        }
        gone
    }

    /// Somebody asks for all of a record: what waited for that is wanted from now on, and answered.
    pub fn ask_for(&mut self, name: Hash, now: u64) -> Vec<(Hash, Want)> {
        let asked: Vec<(Hash, Want)> = self
            .wants_of(name)
            .filter(|(_, want)| want.is_later)
            .map(|(sha256, want)| {
                let noted = want.noted.map(|(index, _)| (index, now));
                (sha256, Want { is_later: false, noted, ..want.clone() })
            })
            .collect();
        for (sha256, want) in &asked {
            self.end(*sha256, name);
            self.add(*sha256, name, want.clone());
        }
        asked
    }

    /// Something of a record cannot be had. Answers of which place that was said before.
    pub fn note_unfetched(&mut self, name: Hash, why: Why, index: u64, expires: Option<Date>) -> Option<u64> {
        if let Some(day) = expires {
            self.expiries.insert((day, name));
        }
        self.unfetched.insert((name, why), index)
    }

    /// It could not be noted durably: it is said again, when `patience` after `since` has passed.
    pub fn forget_unfetched(&mut self, name: Hash, why: Why, since: u64) {
        if self.unfetched.remove(&(name, why)).is_some() {
            self.await_in_time(name, since);
        }
    }

    /// Everything that cannot be had: name, why, and the record's place.
    pub fn unfetched(&self) -> impl Iterator<Item = (Hash, Why, u64)> {
        self.unfetched.iter().map(|((name, why), index)| (*name, *why, *index))
    }

    /// The next record that lacks something that it wanted `patience` ago, with its place and expiry; it is not
    /// named again.
    pub fn next_missing(&mut self, now: u64, patience: u64) -> Option<(Hash, u64, Option<Date>)> {
        while let Some((since, name)) = self.overdue.first().copied() {
            if since.saturating_add(patience) > now {
                return None;
            }
            self.overdue.remove(&(since, name));
            let late = self.wants_of(name).find_map(|(_, want)| {
                let (index, noted) = want.noted.filter(|_| !want.is_later)?;
                (noted <= since).then_some((index, want.expires))
            });
            if let Some((index, expires)) = late
                && self.note_unfetched(name, Why::Missing, index, expires).is_none()
            {
                return Some((name, index, expires));
            }
        }
        None
    }

    /// When something is due by time alone: what waits, if there is somebody to ask; what expires; what is late.
    pub fn deadline(&self, has_sources: bool, patience: u64) -> Option<u64> {
        let waiting = self.waiting.first().map(|(at, _)| *at).filter(|_| has_sources);
        let late = self.overdue.first().map(|(since, _)| since.saturating_add(patience));
        let expiry = self
            .expiries
            .first()
            .map(|(day, _)| u64::try_from(day.start().posix()).unwrap_or(0).saturating_mul(1000));
        waiting.into_iter().chain(late).chain(expiry).min()
    }

    fn await_in_time(&mut self, name: Hash, since: u64) {
        if self.names_missing && !self.unfetched.contains_key(&(name, Why::Missing)) {
            self.overdue.insert((since, name));
        }
    }

    fn end_into(&mut self, sha256: Hash, name: Hash, gone: &mut Gone) {
        let Some(want) = self.end(sha256, name) else { return };
        gone.wants.push(Ended { sha256, name, is_old: want.noted.is_none() });
        let since = want.noted.map(|(_, since)| since);
        let is_as_old = |of: &Want| !of.is_later && of.noted.map(|(_, since)| since) == since;
        if let Some(since) = since.filter(|_| !self.wants_of(name).any(|(_, of)| is_as_old(of))) {
            self.overdue.remove(&(since, name));
        }
        if self.wants_of(name).any(|(_, want)| !want.is_later) {
            return;
        }
        if self.unfetched.remove(&(name, Why::Missing)).is_some() {
            gone.unfetched.push((name, Why::Missing));
        }
        if !self.is_named(name)
            && !self.unfetched.contains_key(&(name, Why::Large))
            && let Some(day) = want.expires
        {
            self.expiries.remove(&(day, name));
        }
    }

    fn end(&mut self, sha256: Hash, name: Hash) -> Option<Want> {
        let want = self.by_blob.remove(&(sha256, name))?;
        self.of_record.remove(&(name, sha256));
        if let Some(blob) = self.blobs.get_mut(&sha256) {
            self.open -= usize::from(blob.is_wanted());
            *blob.count(&want) -= 1;
            self.open += usize::from(blob.is_wanted());
        }
        self.settle(sha256);
        Some(want)
    }

    /// Puts a blob where it belongs now.
    fn settle(&mut self, sha256: Hash) {
        let Some(blob) = self.blobs.get_mut(&sha256) else { return };
        let rank = blob.rank(sha256).filter(|_| !self.in_flight.contains_key(&sha256));
        if let (Place::Waiting(_), Some(_)) = (blob.place, rank) {
            return;
        }
        match blob.place {
            Place::Ready(rank) => drop(self.ready[rank.lane() as usize].remove(&rank)),
            Place::Waiting(at) => drop(self.waiting.remove(&(at, sha256))),
            Place::Nowhere => {}
        }
        blob.place = rank.map_or(Place::Nowhere, Place::Ready);
        if let Some(rank) = rank {
            self.ready[rank.lane() as usize].insert(rank);
        } else if !blob.is_wanted() && blob.later == 0 {
            self.blobs.remove(&sha256);
            self.spoiled.remove(&sha256);
        }
    }
}

#[cfg(test)]
mod tests;
