//! Whose page is made next. Who used the least making time of late goes first, so that whoever comes new waits for what is being
//! made and not for all that others asked before.
//!
//! Nobody waits here, no page is made, and no clock is read.

use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

use edge::Source;

use super::used::{Share, Used};

/// Pages being made at the same time.
pub(super) const OF_ALL: usize = 8;
/// Of them, those of one source, and of the wider block around it.
pub(super) const OF_ONE: usize = 2;
pub(super) const AROUND: usize = 4;
/// Of them, those that read very many figures or compute long: whoever asks for others does not wait behind them.
pub(super) const HEAVY: usize = 3;
/// Pages that may wait; of them, those that take long: they wait long, and would take all places from the others.
pub(super) const WAITING: usize = 128;
pub(super) const HEAVY_WAITING: usize = 48;

/// A second of making puts its source back by so many seconds of waiting: after a second and a half, behind whoever comes new
/// as long as anybody waits at all.
const WEIGHT: f64 = 10.0;
/// The wider block around a source may have used so many times as much, and that of its provider.
const TIMES_AROUND: f64 = 4.0;
const TIMES_FAR: f64 = 16.0;
/// What a source is taken to have used that was not here of late, in seconds: whoever read a few pages goes before the ever new
/// ones of a crowd.
const NEW: f64 = 0.3;
/// What a page is taken for that is not made yet, in seconds.
const EXPECTED: f64 = 1.0;

/// A page that is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    source: Source,
    is_heavy: bool,
    since: Instant,
}

/// Pages that wait, and how many are being made.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// In the order in which they came.
    waiting: BTreeMap<u64, Asked>,
    next: u64,
    made: usize,
    heavy: usize,
    used: Used,
}

impl Queue {
    /// One more waits: its number.
    pub fn come(&mut self, source: Source, is_heavy: bool, now: Instant) -> u64 {
        self.next += 1;
        self.waiting.insert(self.next, Asked { source, is_heavy, since: now });
        self.next
    }

    /// Who gives way if more wait than may. To be asked when all pages are begun that may be: nobody is refused a free turn.
    pub fn shed(&mut self, now: Instant) -> Option<u64> {
        let heavy = self.waiting.values().filter(|asked| asked.is_heavy).count();
        let is_one = |number: &u64| match self.waiting.get(number) {
            Some(asked) if heavy > HEAVY_WAITING => asked.is_heavy,
            asked => asked.is_some() && self.waiting.len() > WAITING,
        };
        let last = self.in_order(now).into_iter().rev().find(is_one)?;
        self.waiting.remove(&last);
        Some(last)
    }

    /// It waits no longer.
    pub fn leave(&mut self, number: u64) {
        self.waiting.remove(&number);
    }

    /// Begins the next page that may be made now.
    pub fn begin(&mut self, now: Instant) -> Option<(u64, Asked)> {
        if self.made >= OF_ALL || self.waiting.is_empty() {
            return None;
        }
        let may = |number: &u64| self.waiting.get(number).is_some_and(|asked| self.may_begin(asked));
        let number = self.in_order(now).into_iter().find(may)?;
        let asked = self.waiting.remove(&number)?;
        self.made += 1;
        self.heavy += usize::from(asked.is_heavy);
        Share::of(asked.source).for_each(|share| self.used.begins(share, now));
        Some((number, asked))
    }

    /// A page is made.
    pub fn end(&mut self, asked: Asked, now: Instant) {
        self.made -= 1;
        self.heavy -= usize::from(asked.is_heavy);
        Share::of(asked.source).for_each(|share| self.used.ends(share, now));
    }

    fn may_begin(&self, asked: &Asked) -> bool {
        let has_place = |share| match share {
            Share::One(_) => self.used.made(share) < OF_ONE,
            Share::Around(_) => self.used.made(share) < AROUND,
            Share::Far(_) => true,
        };
        (!asked.is_heavy || self.heavy < HEAVY) && Share::of(asked.source).all(has_place)
    }

    /// All that wait, those that go first first.
    fn in_order(&self, now: Instant) -> Vec<u64> {
        let mut ahead = HashMap::new();
        let mut order: Vec<(f64, u64)> = self
            .waiting
            .iter()
            .map(|(number, asked)| (self.place(asked, &mut ahead, now), *number))
            .collect();
        order.sort_by(|(one, first), (other, second)| one.total_cmp(other).then(first.cmp(second)));
        order.into_iter().map(|(_, number)| number).collect()
    }

    /// How far behind a page stands, in seconds; `ahead` counts those of the same source, and of the block around it, that came
    /// before. This machine itself stands before all.
    fn place(&self, asked: &Asked, ahead: &mut HashMap<Share, usize>, now: Instant) -> f64 {
        if asked.source == Source::Here {
            return f64::NEG_INFINITY;
        }
        let mut used: f64 = 0.0;
        for share in Share::of(asked.source) {
            let before = ahead.entry(share).or_default();
            #[allow(clippy::cast_precision_loss)] // A few.
            let expected = (self.used.made(share) + *before) as f64 * EXPECTED;
            let seconds = match share {
                Share::One(_) if !self.used.knows(share) => NEW,
                _ => self.used.seconds(share, now),
            };
            let times = match share {
                Share::One(_) => 1.0,
                Share::Around(_) => TIMES_AROUND,
                Share::Far(_) => TIMES_FAR,
            };
            used = used.max((seconds + expected) / times);
            *before += 1;
        }
        used * WEIGHT - now.saturating_duration_since(asked.since).as_secs_f64()
    }
}

#[cfg(test)]
mod tests;
