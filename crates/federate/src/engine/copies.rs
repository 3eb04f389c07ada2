//! What is fetched of a log from peers that copy it. Whoever copies may be slow or may wish to be: the author is asked instead
//! as soon as it shows what is wanted, and anybody else as soon as a copier gives nothing for a while. A copy that failed or
//! was too slow counts against whoever has it, of that log alone, until it gives one to its end.

use std::collections::BTreeMap;

use record::{Authority, Origin};

use super::logs::Log;
use super::{Answer, Engine};

/// How long a copier may give nothing of what it was asked for before others are asked, in milliseconds. It doubles with every
/// copy that was too slow: a slow line is no ill will.
const FIRST_PATIENCE: u64 = 2_000;
/// The most often that it doubles.
const MOST_DOUBLED: u32 = 5;
/// After so many copies of one log in a row that failed or were too slow it is an alarm.
const SLOW_IS_ALARMING: u32 = 3;

/// What a copier is said to have done.
pub(super) const TOO_SLOW: &str = "copy-too-slow";

/// A copier of which a copy of a log failed or was too slow.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Laggard {
    /// How many in a row.
    pub count: u32,
    /// It is asked no sooner.
    pub not_before: u64,
    /// The last attempt that was counted: all its answers fail together.
    attempt: u64,
}

/// How copies of one log go.
#[derive(Debug, Default)]
pub(super) struct Copies {
    laggards: BTreeMap<Authority, Laggard>,
    /// Files that were asked for and are not answered, and since when nothing came.
    awaited: usize,
    since: u64,
}

impl Copies {
    /// A new attempt begins.
    pub fn begin(&mut self, now: u64) {
        (self.awaited, self.since) = (0, now);
    }

    /// So many more files were asked for.
    pub fn asked(&mut self, files: usize, now: u64) {
        if self.awaited == 0 {
            self.since = now;
        }
        self.awaited += files;
    }

    /// One of them was answered, with the file or without.
    pub fn answered(&mut self, came: bool, now: u64) {
        self.awaited = self.awaited.saturating_sub(1);
        if came {
            self.since = now;
        }
    }

    pub fn laggard(&self, peer: &Authority) -> Laggard {
        self.laggards.get(peer).copied().unwrap_or_default()
    }

    /// Whoever gave a copy to its end, or is gone, is no laggard.
    pub fn forgive(&mut self, peer: &Authority) {
        self.laggards.remove(peer);
    }

    /// Whose copies failed or were too slow, as far as that is not long ago.
    pub fn laggards(&self, since: u64) -> impl Iterator<Item = &Authority> {
        self.laggards.iter().filter(move |(_, lag)| lag.not_before >= since).map(|(name, _)| name)
    }

    /// How long a copier may give nothing.
    pub fn patience(&self, peer: &Authority) -> u64 {
        FIRST_PATIENCE << self.laggard(peer).count.min(MOST_DOUBLED)
    }

    /// When who is being asked is too slow.
    fn stalls(&self, peer: &Authority) -> Option<u64> {
        (self.awaited > 0).then(|| self.since + self.patience(peer))
    }
}

impl Log {
    /// Whether somebody else than a peer shows more than is here.
    pub fn has_other(&self, peer: &Authority) -> bool {
        self.sources.iter().any(|(name, source)| name != peer && source.size() > self.follow.size())
    }

    /// When somebody else may be asked instead of the copier that gives nothing.
    pub fn overtaken(&self, author: &Authority) -> Option<u64> {
        let current = self.current.as_ref().filter(|current| *current != author)?;
        let stalls = self.copies.stalls(current)?;
        let others = self.sources.iter().filter(|(name, source)| {
            *name != current && source.size() > self.follow.size() && self.follow.target().is_some()
        });
        let free = others.map(|(name, source)| source.not_before.max(self.copies.laggard(name).not_before));
        free.min().map(|free| free.max(stalls))
    }
}

impl Engine {
    /// Gives up a copier for the author, if that shows what is wanted and did not fail before, and one that gives nothing for
    /// anybody.
    pub(super) fn overtake(&mut self, origin: &Origin) {
        let (now, places) = (self.now, self.config.limits.logs_at_once);
        let author = &origin.authority;
        let Some(log) = self.logs.get(origin).filter(|log| log.follow.target().is_some()) else { return };
        let Some(current) = log.current.clone().filter(|current| current != author) else { return };
        let Some(stalls) = log.copies.stalls(&current) else { return };
        let has_failed = |name: &Authority| log.sources.get(name).is_none_or(|source| source.failures > 0);
        let is_slow = now >= stalls;
        let mut others = log.best_sources(author, now).into_iter().filter(|(name, _)| *name != current);
        let next = others.find(|(name, _)| {
            (is_slow || name == author && !has_failed(name)) && self.slots.has_place(name, origin, places)
        });
        let is_taken_over = next.is_some();
        if is_taken_over && is_slow {
            self.copy_failed(origin, &current);
        }
        let Some(log) = self.logs.get_mut(origin) else { return };
        if is_taken_over {
            log.let_go();
        } else if is_slow {
            // Nobody else can be asked now: it has its time again.
            log.copies.since = now;
        }
    }

    /// A copy failed or was too slow: counted once for each attempt, and whoever has it is asked later and later.
    pub(super) fn copy_failed(&mut self, origin: &Origin, peer: &Authority) {
        let Some(log) = self.logs.get(origin).filter(|_| *peer != origin.authority) else { return };
        let (attempt, before) = (log.attempt, log.copies.laggard(peer));
        self.count_laggard(origin, peer, attempt, before);
    }

    fn count_laggard(&mut self, origin: &Origin, peer: &Authority, attempt: u64, before: Laggard) {
        if attempt <= before.attempt {
            return;
        }
        let count = before.count.saturating_add(1);
        let not_before = self.now + self.back_off(count);
        if let Some(log) = self.logs.get_mut(origin) {
            log.copies.laggards.insert(peer.clone(), Laggard { count, not_before, attempt });
        }
        if count == SLOW_IS_ALARMING {
            self.accuse(peer, Some(origin), TOO_SLOW);
        }
    }

    /// What was asked for before somebody else was asked: if it does not come at all, that counts too.
    pub(super) fn late_answer(&mut self, origin: &Origin, peer: &Authority, attempt: u64, answer: &Answer) {
        let Some(log) = self.logs.get(origin).filter(|_| *peer != origin.authority) else { return };
        if matches!(answer, Answer::Failed) {
            self.count_laggard(origin, peer, attempt, log.copies.laggard(peer));
        }
    }
}
