//! Which logs are being caught up from whom. Every peer has places of its own, so that one that is slow, silent or has
//! very many logs holds up nothing but what is fetched from it. It fetches nothing and knows no times.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use record::{Authority, Origin};

/// The places of every peer.
#[derive(Debug, Default)]
pub(super) struct Slots {
    of_log: BTreeMap<Origin, Authority>,
    busy: BTreeMap<Authority, BTreeSet<Origin>>,
    waiting: BTreeMap<Authority, Queue>,
}

/// In the order in which they came.
#[derive(Debug, Default)]
struct Queue {
    order: VecDeque<Origin>,
    inside: BTreeSet<Origin>,
}

impl Slots {
    /// Is there a place at a peer that has so many?
    pub fn has_place(&self, peer: &Authority, places: usize) -> bool {
        self.busy(peer) < places
    }

    /// How many logs are being caught up from a peer.
    pub fn busy(&self, peer: &Authority) -> usize {
        self.busy.get(peer).map_or(0, BTreeSet::len)
    }

    /// The logs that are being caught up from a peer.
    pub fn logs(&self, peer: &Authority) -> impl Iterator<Item = &Origin> {
        self.busy.get(peer).into_iter().flatten()
    }

    /// The logs that are being caught up from the same peer as one that is.
    pub fn beside(&self, origin: &Origin) -> Vec<Origin> {
        let peer = self.of_log.get(origin);
        let all = peer.into_iter().flat_map(|peer| self.logs(peer));
        all.filter(|other| *other != origin).cloned().collect()
    }

    /// How many peers something is being caught up from.
    pub fn peers(&self) -> usize {
        self.busy.len()
    }

    /// A log takes a place; the one that waits longest for the place that it had at another peer.
    pub fn take(&mut self, peer: &Authority, origin: &Origin) -> Option<Origin> {
        let next = self.free(origin);
        self.of_log.insert(origin.clone(), peer.clone());
        self.busy.entry(peer.clone()).or_default().insert(origin.clone());
        next
    }

    /// A log needs its place no more; the one that waits for it longest.
    pub fn free(&mut self, origin: &Origin) -> Option<Origin> {
        let peer = self.of_log.remove(origin)?;
        if let Some(busy) = self.busy.get_mut(&peer) {
            busy.remove(origin);
            if busy.is_empty() {
                self.busy.remove(&peer);
            }
        }
        let queue = self.waiting.get_mut(&peer)?;
        let next = queue.order.pop_front()?;
        queue.inside.remove(&next);
        if queue.order.is_empty() {
            self.waiting.remove(&peer);
        }
        Some(next)
    }

    /// A log waits for a place at a peer; once, however often that is said.
    pub fn wait(&mut self, peer: &Authority, origin: &Origin) {
        let queue = self.waiting.entry(peer.clone()).or_default();
        if queue.inside.insert(origin.clone()) {
            queue.order.push_back(origin.clone());
        }
    }

    /// A peer is gone; the logs that waited for it.
    pub fn forget(&mut self, peer: &Authority) -> impl Iterator<Item = Origin> {
        self.waiting.remove(peer).into_iter().flat_map(|queue| queue.order)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(name: &str) -> Authority {
        name.parse().unwrap()
    }

    fn log(n: u8) -> Origin {
        format!("a.example/log/public/{}", 2000 + u16::from(n)).parse().unwrap()
    }

    #[test]
    fn the_places_of_one_peer_are_not_those_of_another() {
        let mut slots = Slots::default();
        slots.take(&peer("a.example"), &log(1));
        slots.take(&peer("a.example"), &log(2));
        assert!(!slots.has_place(&peer("a.example"), 2));
        assert!(slots.has_place(&peer("b.example"), 2));
    }

    #[test]
    fn who_waits_longest_is_next_and_waits_once() {
        let mut slots = Slots::default();
        let a = peer("a.example");
        slots.take(&a, &log(9));
        for n in [3, 1, 3, 2] {
            slots.wait(&a, &log(n));
        }
        let mut order = Vec::new();
        let mut last = log(9);
        while let Some(next) = slots.free(&last) {
            order.push(next.clone());
            slots.take(&a, &next);
            last = next;
        }
        assert_eq!(order, [log(3), log(1), log(2)]);
        assert_eq!(slots.busy(&a), 0);
    }

    #[test]
    fn a_log_that_is_taken_over_from_another_peer_frees_its_place_there() {
        let mut slots = Slots::default();
        slots.take(&peer("a.example"), &log(1));
        slots.take(&peer("b.example"), &log(1));
        assert_eq!((slots.busy(&peer("a.example")), slots.busy(&peer("b.example"))), (0, 1));
    }
}
