//! How often one source may ask: the budgets of [`edge`], or any number. It has no clock.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use edge::{Allowance, Budgets, Source};

/// Sources that are remembered; those that have been still for longest are forgotten first.
const SOURCES: usize = 10_000;

/// So many per second from each source, over a burst of ten seconds.
#[derive(Debug)]
pub(crate) struct Rate(Option<Mutex<Budgets>>);

impl Rate {
    /// 0 is any number.
    pub(crate) fn new(per_second: u32) -> Self {
        let limited = (per_second > 0).then(|| Budgets::new(Allowance::per_second(per_second), SOURCES));
        Self(limited.map(Mutex::new))
    }

    /// Whether there is one left; takes it.
    pub(crate) fn take(&self, source: Source, now: Instant) -> bool {
        // Each change is whole: whoever panicked left it so.
        let take = |budgets: &Mutex<Budgets>| {
            budgets.lock().unwrap_or_else(PoisonError::into_inner).take(source, now)
        };
        self.0.as_ref().is_none_or(take)
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::time::Duration;

    use edge::Block;

    use super::*;

    #[test]
    fn a_burst_passes_and_then_so_many_per_second() {
        let of = |last| Source::Block(Block::of(IpAddr::from([192, 0, 2, last])));
        let (rate, start) = (Rate::new(2), Instant::now());
        let passed = |at| (0..100).filter(|_| rate.take(of(1), at)).count();
        assert_eq!(passed(start), 20);
        assert_eq!(passed(start + Duration::from_secs(3)), 6);
        assert!(rate.take(of(2), start));
        assert!((0..1000).all(|_| Rate::new(0).take(of(1), start)));
    }
}
