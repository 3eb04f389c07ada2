//! What each source may use up, in bounded memory.
//!
//! A budget is a bucket that fills up evenly. The block around a source has one too, some times as large, so that whoever
//! has many blocks of one network does not have as many budgets. Who is not heard of for longest is forgotten first, which
//! costs nobody anything: whoever was still that long has a full bucket again.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

use crate::source::{Block, Source};

/// What one source may use up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Allowance {
    /// At once, and in all after a long silence.
    pub burst: u32,
    /// In which time an empty bucket is full again.
    pub refill: Duration,
    /// How many times as much the block around it may use up.
    pub around: u32,
}

impl Allowance {
    /// So many in a minute, and a whole network eight times as many.
    pub const fn per_minute(burst: u32) -> Self {
        Self { burst, refill: Duration::from_mins(1), around: 8 }
    }

    /// So many in a second over a burst of ten seconds, and a whole network eight times as many.
    pub const fn per_second(count: u32) -> Self {
        Self { burst: count.saturating_mul(10), refill: Duration::from_secs(10), around: 8 }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Unreadable,
    One(Block),
    Around(Block),
}

/// A bucket: what is in it, and since when.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    since: Instant,
}

/// The budgets of all sources.
#[derive(Debug)]
pub struct Budgets {
    allowance: Allowance,
    buckets: Stillest<Key, Bucket>,
}

impl Budgets {
    /// Budgets of at most `sources` sources at a time.
    pub fn new(allowance: Allowance, sources: usize) -> Self {
        Self { allowance, buckets: Stillest::new(sources) }
    }

    /// Takes one of what `source` may use up. False, and nothing is taken, if it or the block around it has used it up.
    pub fn take(&mut self, source: Source, now: Instant) -> bool {
        let is_left = self.has(source, now);
        // Who is refused is noted too: a flood of others must not make it forgotten while it goes on.
        for key in keys(source).into_iter().flatten() {
            let tokens = self.left(key, now) - if is_left { 1.0 } else { 0.0 };
            let since = self.buckets.get(&key).map_or(now, |bucket| bucket.since.max(now));
            self.buckets.put(key, Bucket { tokens, since });
        }
        is_left
    }

    /// Could one be taken? Takes nothing.
    pub fn has(&self, source: Source, now: Instant) -> bool {
        keys(source).iter().flatten().all(|key| self.left(*key, now) >= 1.0)
    }

    fn left(&self, key: Key, now: Instant) -> f64 {
        let full = self.full(key);
        let Some(bucket) = self.buckets.get(&key) else { return full };
        let passed = now.saturating_duration_since(bucket.since).as_secs_f64();
        (bucket.tokens + passed / self.allowance.refill.as_secs_f64() * full).min(full)
    }

    fn full(&self, key: Key) -> f64 {
        let times = if matches!(key, Key::Around(_)) { self.allowance.around } else { 1 };
        f64::from(self.allowance.burst) * f64::from(times)
    }
}

fn keys(source: Source) -> [Option<Key>; 2] {
    match source {
        Source::Here => [None, None],
        Source::Unreadable => [Some(Key::Unreadable), None],
        Source::Block(block) => [Some(Key::One(block)), Some(Key::Around(block.around()))],
    }
}

/// A map of bounded size that forgets what was not touched for longest, within a factor of two: what was touched lies in
/// `young`; when that is full it grows old, and what was old already is forgotten.
#[derive(Debug)]
struct Stillest<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    half: usize,
}

impl<K: Hash + Eq, V> Stillest<K, V> {
    fn new(most: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), half: most.div_ceil(2).max(1) }
    }

    fn get(&self, key: &K) -> Option<&V> {
        self.young.get(key).or_else(|| self.old.get(key))
    }

    fn put(&mut self, key: K, value: V) {
        self.old.remove(&key);
        if self.young.len() >= self.half && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    fn v4(a: u8, b: u8, c: u8, d: u8) -> Source {
        Source::Block(Block::of(IpAddr::V4(Ipv4Addr::new(a, b, c, d))))
    }

    #[test]
    fn who_asks_too_often_waits_and_others_do_not() {
        let now = Instant::now();
        let mut budgets = Budgets::new(Allowance::per_minute(60), 1000);
        assert_eq!((0..10_000).filter(|_| budgets.take(v4(192, 0, 2, 1), now)).count(), 60);
        assert!(budgets.take(v4(192, 0, 2, 2), now) && budgets.take(v4(198, 51, 100, 1), now));
        assert!(!budgets.has(v4(192, 0, 2, 1), now));
        assert!(budgets.take(v4(192, 0, 2, 1), now + Duration::from_secs(1)));
    }

    #[test]
    fn who_has_many_addresses_of_one_network_has_eight_times_as_much() {
        let now = Instant::now();
        let mut budgets = Budgets::new(Allowance::per_minute(10), 100_000);
        assert_eq!((0..=255).filter(|d| budgets.take(v4(192, 0, 2, *d), now)).count(), 80);
        let of =
            |n: u16| Source::Block(Block::of(IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 1, n, 0, 0, 0, 1))));
        assert_eq!((0..1000).filter(|n| budgets.take(of(*n), now)).count(), 80);
        assert!(budgets.take(v4(192, 0, 3, 1), now), "another network is not hurt");
    }

    #[test]
    fn what_cannot_be_read_has_one_budget_and_this_machine_has_no_limit() {
        let now = Instant::now();
        let mut budgets = Budgets::new(Allowance::per_minute(5), 10);
        assert_eq!((0..100).filter(|_| budgets.take(Source::Unreadable, now)).count(), 5);
        assert!((0..100).all(|_| budgets.take(Source::Here, now)));
    }

    #[test]
    fn memory_is_bounded_and_a_flood_of_addresses_shuts_nobody_out() {
        let now = Instant::now();
        let mut budgets = Budgets::new(Allowance::per_minute(10), 1000);
        for n in 0..100_000_u32 {
            assert!(budgets.take(Source::Block(Block::of(IpAddr::V4(Ipv4Addr::from(n << 8)))), now));
        }
        assert!(budgets.buckets.young.len() + budgets.buckets.old.len() <= 1000);
        assert!(budgets.take(v4(192, 0, 2, 1), now));
    }

    #[test]
    fn who_goes_on_asking_is_remembered_through_a_flood() {
        let now = Instant::now();
        let mut budgets = Budgets::new(Allowance::per_minute(10), 1000);
        let taken = (0..10_000_u32)
            .filter(|n| {
                budgets.take(Source::Block(Block::of(IpAddr::V4(Ipv4Addr::from(n << 8)))), now);
                budgets.take(v4(203, 0, 113, 1), now)
            })
            .count();
        assert_eq!(taken, 10);
    }

    #[test]
    fn a_clock_that_stands_still_or_goes_back_gives_nothing() {
        let now = Instant::now();
        let later = now + Duration::from_mins(1);
        let mut budgets = Budgets::new(Allowance::per_minute(2), 10);
        assert!(budgets.take(v4(192, 0, 2, 1), later) && budgets.take(v4(192, 0, 2, 1), later));
        assert!(!budgets.take(v4(192, 0, 2, 1), now));
    }
}
