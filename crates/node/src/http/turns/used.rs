//! How much making time each source used of late. It knows who is being served, and no clock.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use edge::{Block, Source};

/// In this time, what was used counts for e times less: after some minutes for nothing.
const MEMORY: Duration = Duration::from_mins(1);
/// Sources and wider blocks remembered at a time.
const MOST: usize = 8192;

/// Whose time is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Share {
    /// A source.
    One(Source),
    /// The wider block around one.
    Around(Block),
    /// The block of a provider around that.
    Far(Block),
}

impl Share {
    /// Those that a page of a source is counted for; none for this machine itself.
    pub fn of(source: Source) -> impl Iterator<Item = Self> {
        let (one, block) = match source {
            Source::Here => (None, None),
            Source::Unreadable => (Some(source), None),
            Source::Block(block) => (Some(source), Some(block)),
        };
        let wider = block.into_iter().flat_map(|b| [Self::Around(b.around()), Self::Far(b.far_around())]);
        one.map(Self::One).into_iter().chain(wider)
    }
}

/// What was used, in seconds, at a moment; and how many pages are being made since then.
#[derive(Debug, Clone, Copy)]
struct Account {
    seconds: f64,
    at: Instant,
    made: usize,
}

impl Account {
    fn at(self, now: Instant) -> Self {
        let memory = MEMORY.as_secs_f64();
        let left = (-now.saturating_duration_since(self.at).as_secs_f64() / memory).exp();
        #[allow(clippy::cast_precision_loss)] // A few.
        let made = self.made as f64;
        let seconds = self.seconds * left + made * memory * (1.0 - left);
        Self { seconds, at: self.at.max(now), made: self.made }
    }
}

/// What everybody used.
#[derive(Debug, Default)]
pub(super) struct Used(HashMap<Share, Account>);

impl Used {
    /// Seconds of making that count for it now, what is being made included.
    pub fn seconds(&self, share: Share, now: Instant) -> f64 {
        self.0.get(&share).map_or(0.0, |account| account.at(now).seconds)
    }

    /// Whether it had a page made of late.
    pub fn knows(&self, share: Share) -> bool {
        self.0.contains_key(&share)
    }

    /// How many pages are being made for it.
    pub fn made(&self, share: Share) -> usize {
        self.0.get(&share).map_or(0, |account| account.made)
    }

    /// One more page is being made for it.
    pub fn begins(&mut self, share: Share, now: Instant) {
        if self.0.len() >= MOST && !self.0.contains_key(&share) {
            self.forget(now);
        }
        let account = self.0.entry(share).or_insert(Account { seconds: 0.0, at: now, made: 0 });
        *account = account.at(now);
        account.made += 1;
    }

    /// One of them is made.
    pub fn ends(&mut self, share: Share, now: Instant) {
        if let Some(account) = self.0.get_mut(&share) {
            *account = account.at(now);
            account.made = account.made.saturating_sub(1);
        }
    }

    /// Forgets the half that used the least: they are as good as newcomers.
    fn forget(&mut self, now: Instant) {
        let mut all: Vec<f64> = self.0.values().map(|account| account.at(now).seconds).collect();
        let middle = all.len() / 2;
        let (_, middle, _) = all.select_nth_unstable_by(middle, f64::total_cmp);
        let middle = *middle;
        self.0.retain(|_, account| account.made > 0 || account.at(now).seconds > middle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn share(n: u32) -> Share {
        Share::One(Source::Block(Block::of(Ipv4Addr::from(n).into())))
    }

    #[test]
    fn what_is_being_made_counts_as_it_is_made_and_then_for_less_and_less() {
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        let mut used = Used::default();
        used.begins(share(1), start);
        used.begins(share(1), start + second);
        let both = used.seconds(share(1), start + 2 * second);
        assert!((2.9..3.0).contains(&both), "{both}");
        used.ends(share(1), start + 2 * second);
        used.ends(share(1), start + 2 * second);
        let later = used.seconds(share(1), start + 62 * second);
        assert!((1.0..1.2).contains(&later), "{later}");
        assert!(used.seconds(share(1), start + 600 * second) < 0.001);
        assert!(used.seconds(share(2), start).abs() < f64::EPSILON, "a newcomer used nothing");
    }

    #[test]
    fn a_flood_of_small_users_makes_no_large_one_forgotten() {
        let (start, moment) = (Instant::now(), Duration::from_millis(1));
        let mut used = Used::default();
        used.begins(share(0), start);
        used.begins(share(1), start);
        used.ends(share(0), start + Duration::from_secs(5));
        for n in 2..50_000 {
            used.begins(share(n), start + Duration::from_secs(5));
            used.ends(share(n), start + Duration::from_secs(5) + moment);
        }
        assert!(used.0.len() <= MOST);
        assert!(used.seconds(share(0), start + Duration::from_secs(5)) > 4.0);
        assert_eq!(used.made(share(1)), 1, "who is being served is known");
    }
}
