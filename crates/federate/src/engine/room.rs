//! What each author's logs and files take on this disk: no more than its quota, and nothing at all when little is free. What
//! this authority itself releases, and fetches back, is never held up. It deletes nothing, and measures nothing itself; what
//! takes how much stands in [`crate::footprint`].

use std::collections::{BTreeMap, BTreeSet};

use record::{Authority, Origin};

use super::logs::logs_of;
use super::pending::Pending;
use super::{Engine, Event, Limits};
use crate::alarm::Alarm;

/// How long after an author was found to be over its quota it is measured again, in milliseconds: what expired may be gone.
const AGAIN: u64 = 3_600_000;

/// What is taken.
#[derive(Debug, Default)]
pub(super) struct Room {
    is_low: bool,
    of_author: BTreeMap<Authority, Used>,
    /// How much must be free until the next file of a log fits, for those that wait for that.
    waits: BTreeMap<Origin, u64>,
}

/// What one author takes.
#[derive(Debug, Default)]
struct Used {
    /// Entries of which something is kept beside the files, and `seen` files.
    kept: u64,
    /// As it was measured last, and what was stored since.
    measured: u64,
    since: u64,
    is_measuring: bool,
    /// Files that are being fetched.
    coming: u64,
    /// Logs that wait until so much is free, those that need least first.
    waiting: BTreeSet<(u64, Origin)>,
    /// When it is measured again, if it is over.
    again: Option<u64>,
}

impl Used {
    fn bytes(&self) -> u64 {
        self.kept.saturating_add(self.measured).saturating_add(self.since)
    }
}

impl Room {
    /// What logs take by what is known at a start; what is in files is told by measuring.
    pub fn of<'a>(logs: impl Iterator<Item = (&'a Origin, u64)>) -> Self {
        let mut room = Self::default();
        for (origin, kept) in logs {
            room.of_author.entry(origin.authority.clone()).or_default().kept += kept;
        }
        room
    }

    pub fn deadline(&self) -> Option<u64> {
        self.of_author.values().filter_map(|used| used.again).min()
    }
}

impl Engine {
    /// Whether something more of an author may be taken.
    pub(super) fn has_room(&self, author: &Authority) -> bool {
        if *author == self.config.me {
            return true;
        }
        let used = self.room.of_author.get(author);
        !self.room.is_low && used.is_none_or(|used| used.bytes() < self.config.limits.quota)
    }

    /// How much more of an author may be taken, in bytes, with what is being fetched of files.
    pub(super) fn room_left(&self, author: &Authority) -> u64 {
        if *author == self.config.me {
            return u64::MAX;
        }
        let used = self.room.of_author.get(author).map_or(0, |used| used.bytes().saturating_add(used.coming));
        if self.room.is_low { 0 } else { self.config.limits.quota.saturating_sub(used) }
    }

    /// Whether a file of an author will ever fit, if nothing is deleted.
    pub(super) fn fits_quota(&self, author: &Authority, bytes: u64) -> bool {
        *author == self.config.me || self.used_by(author).saturating_add(bytes) <= self.config.limits.quota
    }

    /// A file of an author will come.
    pub(super) fn room_coming(&mut self, author: &Authority, bytes: u64) {
        let coming = &mut self.room.of_author.entry(author.clone()).or_default().coming;
        *coming = coming.saturating_add(bytes);
    }

    /// It came, or will not come any more: others may fit now. No more of them are looked at than there is room for.
    pub(super) fn room_came(&mut self, author: &Authority, bytes: u64) {
        let coming = &mut self.room.of_author.entry(author.clone()).or_default().coming;
        *coming = coming.saturating_sub(bytes);
        let mut left = self.room_left(author);
        let Room { of_author, waits, .. } = &mut self.room;
        let Some(used) = of_author.get_mut(author) else { return };
        while let Some((needs, origin)) = used.waiting.first().filter(|(needs, _)| *needs <= left).cloned() {
            left -= needs;
            waits.remove(&origin);
            used.waiting.remove(&(needs, origin.clone()));
            self.dirty.insert(origin);
        }
    }

    /// The next file of a log fits only when so much is free; `None`: it waits for no room.
    pub(super) fn wait_for_room(&mut self, origin: &Origin, needs: Option<u64>) {
        let Room { of_author, waits, .. } = &mut self.room;
        let before = match needs {
            Some(needs) => waits.insert(origin.clone(), needs),
            None => waits.remove(origin),
        };
        if before == needs {
            return;
        }
        let used = of_author.entry(origin.authority.clone()).or_default();
        if let Some(before) = before {
            used.waiting.remove(&(before, origin.clone()));
        }
        used.waiting.extend(needs.map(|needs| (needs, origin.clone())));
    }

    /// Something of an author does not fit any more.
    pub(super) fn over_quota(&mut self, author: &Authority) {
        let Limits { quota, .. } = self.config.limits;
        self.ring(Alarm::OverQuota { peer: author.clone(), quota });
        let used = self.room.of_author.entry(author.clone()).or_default();
        used.again.get_or_insert(self.now + AGAIN);
    }

    /// What is taken of an author on this disk, in bytes.
    pub(super) fn used_by(&self, author: &Authority) -> u64 {
        self.room.of_author.get(author).map_or(0, Used::bytes)
    }

    /// More of an author was stored: `kept` of it beside its files, `bytes` of files that are measured.
    pub(super) fn room_taken(&mut self, author: &Authority, kept: u64, bytes: u64) {
        let used = self.room.of_author.entry(author.clone()).or_default();
        (used.kept, used.since) = (used.kept.saturating_add(kept), used.since.saturating_add(bytes));
        if used.bytes() >= self.config.limits.quota && used.again.is_none() {
            self.measure(&author.clone());
        }
    }

    fn measure(&mut self, author: &Authority) {
        if *author == self.config.me {
            return;
        }
        let used = self.room.of_author.entry(author.clone()).or_default();
        if !std::mem::replace(&mut used.is_measuring, true) {
            (used.measured, used.since) = (used.measured.saturating_add(used.since), 0);
            let events = vec![Event::Measure { author: author.clone() }];
            self.store(Vec::new(), events, Pending::Unwatched);
        }
    }

    pub(super) fn take_used(&mut self, author: &Authority, bytes: u64) {
        let (now, Limits { quota, .. }) = (self.now, self.config.limits);
        let used = self.room.of_author.entry(author.clone()).or_default();
        (used.measured, used.is_measuring) = (bytes, false);
        let is_over = used.bytes() >= quota;
        used.again = is_over.then_some(now + AGAIN);
        if is_over {
            self.over_quota(author);
        }
        self.room_changed(Some(author));
    }

    pub(super) fn take_space(&mut self, is_low: bool) {
        if std::mem::replace(&mut self.room.is_low, is_low) != is_low {
            self.room_changed(None);
        }
    }

    /// Measures again those that were over.
    pub(super) fn run_room(&mut self) {
        let now = self.now;
        let all = self.room.of_author.iter_mut();
        let due: Vec<Authority> = all
            .filter(|(_, used)| used.again.is_some_and(|at| at <= now))
            .map(|(author, used)| {
                used.again = Some(now + AGAIN);
                author.clone()
            })
            .collect();
        for author in due {
            self.measure(&author);
        }
    }

    fn room_changed(&mut self, author: Option<&Authority>) {
        match author {
            Some(author) => self.dirty.extend(logs_of(&self.logs, author).map(|(origin, _)| origin.clone())),
            None => self.dirty.extend(self.logs.keys().cloned()),
        }
    }
}
