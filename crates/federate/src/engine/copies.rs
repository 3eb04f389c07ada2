//! What is fetched of a log from peers that copy it. Whoever copies may be slow or may wish to be: the author is asked instead
//! as soon as it shows what is wanted, and anybody else as soon as a copier gives nothing for a while. A copy that failed or
//! was too slow counts against whoever has it, of that log alone, until it gives one to its end.

use std::collections::{BTreeMap, BTreeSet};

use record::{Authority, Origin};
use tlog::Hash;

use super::logs::Log;
use super::pending::Pending;
use super::wants::Rank;
use super::{Answer, Engine, Id, Output};

/// How long a copier may give nothing of what it was asked for before others are asked, in milliseconds. It doubles with every
/// copy that was too slow: a slow line is no ill will.
const FIRST_PATIENCE: u64 = 2_000;
/// A file has as much more time as it takes at so many bytes in a millisecond.
const FILE_RATE: u64 = 64;
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
    /// Files of records that copiers were asked for.
    files: BTreeMap<Hash, FileCopy>,
}

/// A file of a record that a copier was asked for.
#[derive(Debug)]
struct FileCopy {
    id: Id,
    rank: Rank,
    peer: Authority,
    /// When it is too slow.
    until: u64,
    /// Its author did not show the log then.
    lacks_author: bool,
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

    /// A file was answered.
    pub fn file_answered(&mut self, sha256: Hash) {
        self.files.remove(&sha256);
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

    /// When the next file of a record may be asked for elsewhere.
    pub fn file_overtaken(&self) -> Option<u64> {
        let has_other = |copy: &&FileCopy| self.sources.keys().any(|name| *name != copy.peer);
        self.copies.files.values().filter(has_other).map(|copy| copy.until).min()
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
            // What was asked of it is broken off as soon as it is too slow with that, and only then counts against it.
            let at = stalls.max(now);
            let left: Vec<Id> = self.asked_now(origin).collect();
            self.late.extend(left.into_iter().map(|id| (at, id)));
        } else if is_slow {
            // Nobody else can be asked now: it has its time again.
            log.copies.since = now;
        }
    }

    /// What was asked for in the present attempt to catch up a log.
    fn asked_now<'a>(&'a self, origin: &'a Origin) -> impl Iterator<Item = Id> + 'a {
        let present = self.logs.get(origin).map(|log| log.attempt);
        let is_now = move |pending: &Pending| matches!(pending, Pending::File { origin: of, attempt, .. } if of == origin && Some(*attempt) == present);
        self.pending.iter().filter(move |(_, pending)| is_now(pending)).map(|(id, _)| *id)
    }

    /// An attempt to catch up a log is over: what it asked for is broken off, and counts against nobody.
    pub(super) fn break_off(&mut self, origin: &Origin) {
        let left: BTreeSet<Id> = self.asked_now(origin).collect();
        for id in left {
            self.pending.remove(&id);
            self.out.push(Output::GiveUp(id));
        }
    }

    /// Breaks off what copiers were asked for before others were, and did not give in their time.
    pub(super) fn run_late(&mut self) {
        while self.late.first().is_some_and(|(at, _)| *at <= self.now) {
            if let Some((_, id)) = self.late.pop_first() {
                self.give_up(id);
            }
        }
    }

    /// A copy failed or was too slow: counted once for each attempt, and whoever has it is asked later and later.
    pub(super) fn copy_failed(&mut self, origin: &Origin, peer: &Authority) {
        let Some(log) = self.logs.get(origin).filter(|_| *peer != origin.authority) else { return };
        let (attempt, before) = (log.attempt, log.copies.laggard(peer));
        if attempt > before.attempt {
            self.count_laggard(origin, peer, Laggard { attempt, ..before });
        }
    }

    fn count_laggard(&mut self, origin: &Origin, peer: &Authority, before: Laggard) {
        let count = before.count.saturating_add(1);
        let not_before = self.now + self.back_off(count);
        if let Some(log) = self.logs.get_mut(origin) {
            log.copies.laggards.insert(peer.clone(), Laggard { count, not_before, ..before });
        }
        // Whoever cannot be reached at all is no liar.
        let answers = self.peers.get(peer).is_some_and(super::Peer::is_well);
        if count >= SLOW_IS_ALARMING && answers {
            self.accuse(peer, Some(origin), TOO_SLOW);
        }
    }

    /// What was asked for before somebody else was asked: if it does not come at all, that counts too.
    pub(super) fn late_answer(&mut self, origin: &Origin, peer: &Authority, attempt: u64, answer: &Answer) {
        let Some(log) = self.logs.get(origin).filter(|_| *peer != origin.authority) else { return };
        let before = log.copies.laggard(peer);
        if matches!(answer, Answer::Failed) && attempt > before.attempt {
            self.count_laggard(origin, peer, Laggard { attempt, ..before });
        }
    }

    /// A file of a record was asked for: of a copier it is noted, so that it can be asked for elsewhere.
    pub(super) fn file_asked(&mut self, origin: &Origin, rank: Rank, peer: &Authority) {
        let (id, now) = (Id(self.next_id), self.now);
        // What own records name comes from copiers alone.
        if *peer == origin.authority || origin.authority == self.config.me {
            return;
        }
        let Some(log) = self.logs.get_mut(origin) else { return };
        let until = now + log.copies.patience(peer) + rank.size / FILE_RATE;
        let lacks_author = !log.sources.contains_key(&origin.authority);
        let copy = FileCopy { id, rank, peer: peer.clone(), until, lacks_author };
        log.copies.files.insert(rank.sha256, copy);
    }

    /// Files that a copier is too slow with are asked for elsewhere, and those of a log that its author shows now, of that.
    pub(super) fn overtake_files(&mut self, origin: &Origin) {
        let now = self.now;
        let Some(log) = self.logs.get(origin).filter(|log| !log.copies.files.is_empty()) else { return };
        let has_author = log.sources.contains_key(&origin.authority);
        let is_slow =
            |copy: &FileCopy| copy.until <= now && log.sources.keys().any(|name| *name != copy.peer);
        let is_due = |copy: &FileCopy| has_author && copy.lacks_author || is_slow(copy);
        let due = log.copies.files.iter().filter(|(_, copy)| is_due(copy));
        let due: Vec<(Hash, bool)> = due.map(|(sha256, copy)| (*sha256, copy.until <= now)).collect();
        for (sha256, is_slow) in due {
            self.overtake_file(origin, sha256, is_slow);
        }
    }

    fn overtake_file(&mut self, origin: &Origin, sha256: Hash, is_slow: bool) {
        let now = self.now;
        let Some(log) = self.logs.get_mut(origin) else { return };
        let Some(FileCopy { id, rank, peer, until, lacks_author }) = log.copies.files.remove(&sha256) else {
            return;
        };
        let is_for_author = lacks_author && log.sources.contains_key(&origin.authority);
        log.blobs.wait(sha256, now);
        if is_for_author {
            log.blobs.begin_anew(sha256);
        }
        // Whatever comes still is let go, and what does not come in time is broken off.
        let late = Pending::LateFile { origin: origin.clone(), peer: peer.clone(), is_counted: is_slow };
        self.pending.insert(id, late);
        self.late.insert((until, id));
        self.lanes.end(origin, &rank);
        self.room_came(&origin.authority, rank.takes(rank.size));
        if is_slow {
            self.file_copy_failed(origin, &peer);
        }
    }

    /// A copier did not give a file of a record: those that fail together are counted once.
    pub(super) fn file_copy_failed(&mut self, origin: &Origin, peer: &Authority) {
        let Some(log) = self.logs.get(origin).filter(|_| *peer != origin.authority) else { return };
        let before = log.copies.laggard(peer);
        if self.now >= before.not_before {
            self.count_laggard(origin, peer, before);
        }
    }

    pub(super) fn late_file(&mut self, origin: &Origin, peer: &Authority, is_counted: bool, answer: &Answer) {
        match answer {
            Answer::File { file, .. } => self.out.push(Output::Discard { file: *file }),
            Answer::Failed if !is_counted => self.file_copy_failed(origin, peer),
            _ => {}
        }
    }
}
