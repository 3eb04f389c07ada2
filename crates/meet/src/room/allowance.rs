//! How much somebody may still send: a bucket that fills with time.

use std::time::Instant;

/// A bucket of whole units, filled evenly.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    per_second: u32,
    burst: u32,
    /// Millionths of a unit.
    left: u64,
    at: Instant,
}

const UNIT: u64 = 1_000_000;

impl Allowance {
    /// Full.
    pub fn new(now: Instant, per_second: u32, burst: u32) -> Self {
        Allowance { per_second, burst, left: u64::from(burst) * UNIT, at: now }
    }

    /// Takes `cost` units if they are there.
    pub fn take(&mut self, now: Instant, cost: u32) -> bool {
        let passed = u64::try_from(now.saturating_duration_since(self.at).as_micros()).unwrap_or(u64::MAX);
        self.at = self.at.max(now);
        let full = u64::from(self.burst) * UNIT;
        self.left = self.left.saturating_add(passed.saturating_mul(u64::from(self.per_second))).min(full);
        let cost = u64::from(cost) * UNIT;
        if self.left < cost {
            return false;
        }
        self.left -= cost;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_and_then_a_rate() {
        let start = Instant::now();
        let mut allowance = Allowance::new(start, 10, 20);
        assert!((0..20).all(|_| allowance.take(start, 1)));
        assert!(!allowance.take(start, 1));
        let later = start + Duration::from_millis(100);
        assert!(allowance.take(later, 1) && !allowance.take(later, 1));
        let much_later = start + Duration::from_hours(1);
        assert!((0..20).all(|_| allowance.take(much_later, 1)) && !allowance.take(much_later, 1));
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing() {
        let earlier = Instant::now();
        let start = earlier + Duration::from_secs(10);
        let mut allowance = Allowance::new(start, 10, 1);
        assert!(allowance.take(start, 1));
        assert!(!allowance.take(earlier, 1));
        assert!(!allowance.take(start, 1));
    }
}
