//! How often one address may ask: a bucket of tokens each. It has no clock.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// How many seconds' worth may come at once.
const BURST: f64 = 10.0;
/// Addresses that are remembered; those that have been still for longest are forgotten first.
const ADDRESSES: usize = 10_000;

/// So many per second from each address, over a burst of ten seconds.
#[derive(Debug)]
pub(crate) struct Rate {
    per_second: f64,
    buckets: Mutex<Buckets>,
}

/// By address: what was left, and when.
type Buckets = HashMap<IpAddr, (f64, Instant)>;

impl Rate {
    /// 0 is any number.
    pub(crate) fn new(per_second: u32) -> Self {
        Self { per_second: f64::from(per_second), buckets: Mutex::default() }
    }

    /// Whether there is one left; takes it.
    pub(crate) fn take(&self, address: IpAddr, now: Instant) -> bool {
        let mut buckets = self.buckets();
        let left = self.left(&buckets, address, now);
        if left >= 1.0 && self.per_second > 0.0 {
            make_room(&mut buckets);
            buckets.insert(network(address), (left - 1.0, now));
        }
        left >= 1.0
    }

    /// Whether there is one left.
    pub(crate) fn allows(&self, address: IpAddr, now: Instant) -> bool {
        self.left(&self.buckets(), address, now) >= 1.0
    }

    fn left(&self, buckets: &Buckets, address: IpAddr, now: Instant) -> f64 {
        if self.per_second == 0.0 {
            return f64::INFINITY;
        }
        let full = self.per_second * BURST;
        buckets.get(&network(address)).map_or(full, |(left, since)| {
            (left + now.saturating_duration_since(*since).as_secs_f64() * self.per_second).min(full)
        })
    }

    fn buckets(&self) -> MutexGuard<'_, Buckets> {
        // Each change is one insertion: whoever panicked left it whole.
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets the stiller half when there are too many.
fn make_room(buckets: &mut Buckets) {
    if buckets.len() < ADDRESSES {
        return;
    }
    let mut stamps: Vec<_> = buckets.values().map(|(_, since)| *since).collect();
    let median = *stamps.select_nth_unstable(ADDRESSES / 2).1;
    buckets.retain(|_, (_, since)| *since > median);
}

/// One subscriber of IPv6 has 2^64 addresses.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.into(),
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            std::net::Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_passes_and_then_so_many_per_second() {
        let (rate, start, who) = (Rate::new(2), Instant::now(), IpAddr::from([192, 0, 2, 1]));
        let passed = |at| (0..100).filter(|_| rate.take(who, at)).count();
        assert_eq!(passed(start), 20);
        assert_eq!(passed(start + Duration::from_secs(3)), 6);
        assert!(rate.take(IpAddr::from([192, 0, 2, 2]), start));
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let (rate, now) = (Rate::new(1), Instant::now());
        let hosts = (0..100u16).map(|host| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, host]));
        assert_eq!(hosts.filter(|host| rate.take(*host, now)).count(), 10);
    }

    #[test]
    fn memory_is_bounded() {
        let (rate, start) = (Rate::new(1), Instant::now());
        for n in 0..30_000u32 {
            rate.take(IpAddr::from(n.to_be_bytes()), start + Duration::from_millis(n.into()));
        }
        assert!(rate.buckets().len() <= ADDRESSES);
    }
}
