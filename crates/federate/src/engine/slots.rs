//! Which logs are being caught up from whom. Every peer has places of its own, so that one that is slow, silent or has
//! very many logs holds up nothing but what is fetched from it; and places for its own logs beside those for others' that it
//! shows, so that nobody's logs take the places of whoever copies them. It fetches nothing and knows no times.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use record::{Authority, Origin};

/// From whom something is fetched, and whether from its author. What is fetched one way holds up nothing that is fetched another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Way {
    peer: Authority,
    is_author: bool,
}

impl Way {
    /// How a log, or what it names, comes from a peer.
    pub fn of(peer: &Authority, origin: &Origin) -> Self {
        Self { peer: peer.clone(), is_author: *peer == origin.authority }
    }
}

/// The places of every peer.
#[derive(Debug, Default)]
pub(super) struct Slots {
    of_log: BTreeMap<Origin, Way>,
    busy: BTreeMap<Way, BTreeSet<Origin>>,
    waiting: BTreeMap<Way, Queue>,
    /// Logs that waited, with the place that they were offered.
    offered: BTreeMap<Origin, Way>,
}

/// Authors in turn, and the logs of each in the order in which they came.
#[derive(Debug, Default)]
struct Queue {
    turns: VecDeque<Authority>,
    logs: BTreeMap<Authority, VecDeque<Origin>>,
    inside: BTreeSet<Origin>,
}

impl Queue {
    fn push(&mut self, origin: &Origin) {
        if self.inside.insert(origin.clone()) {
            let logs = self.logs.entry(origin.authority.clone()).or_default();
            if logs.is_empty() {
                self.turns.push_back(origin.authority.clone());
            }
            logs.push_back(origin.clone());
        }
    }

    fn pop(&mut self) -> Option<Origin> {
        let author = self.turns.pop_front()?;
        let logs = self.logs.get_mut(&author)?;
        let next = logs.pop_front()?;
        if logs.is_empty() {
            self.logs.remove(&author);
        } else {
            self.turns.push_back(author);
        }
        self.inside.remove(&next);
        Some(next)
    }
}

impl Slots {
    /// Is there a place for a log at a peer that has so many?
    pub fn has_place(&self, peer: &Authority, origin: &Origin, places: usize) -> bool {
        self.busy.get(&Way::of(peer, origin)).map_or(0, BTreeSet::len) < places
    }

    /// The other logs that are being caught up in the same way as one is, or would be, from a peer.
    pub fn others<'a>(&'a self, peer: &Authority, origin: &'a Origin) -> impl Iterator<Item = &'a Origin> {
        let all = self.busy.get(&Way::of(peer, origin)).into_iter().flatten();
        all.filter(move |other| *other != origin)
    }

    /// The logs that are being caught up in the same way as one that is.
    pub fn beside(&self, origin: &Origin) -> Vec<Origin> {
        let way = self.of_log.get(origin);
        let all = way.and_then(|way| self.busy.get(way)).into_iter().flatten();
        all.filter(|other| *other != origin).cloned().collect()
    }

    /// In how many ways something is being caught up.
    pub fn ways(&self) -> usize {
        self.busy.len()
    }

    /// A log takes a place; the one that is next for the place that it had at another peer.
    pub fn take(&mut self, peer: &Authority, origin: &Origin) -> Option<Origin> {
        let (before, way) = (self.leave(origin), Way::of(peer, origin));
        if self.offered.get(origin) == Some(&way) {
            self.offered.remove(origin);
        }
        self.of_log.insert(origin.clone(), way.clone());
        self.busy.entry(way).or_default().insert(origin.clone());
        self.offer(&before?)
    }

    /// A log needs its place no more, or did not take the one that it was offered; the one that is next for it.
    pub fn free(&mut self, origin: &Origin) -> Option<Origin> {
        let way = self.leave(origin).or_else(|| self.offered.remove(origin))?;
        self.offer(&way)
    }

    /// A log has a place elsewhere: the one that is next for what it was offered.
    pub fn decline(&mut self, origin: &Origin) -> Option<Origin> {
        let way = self.offered.remove(origin)?;
        self.offer(&way)
    }

    fn leave(&mut self, origin: &Origin) -> Option<Way> {
        let way = self.of_log.remove(origin)?;
        if let Some(busy) = self.busy.get_mut(&way) {
            busy.remove(origin);
            if busy.is_empty() {
                self.busy.remove(&way);
            }
        }
        Some(way)
    }

    fn offer(&mut self, way: &Way) -> Option<Origin> {
        let queue = self.waiting.get_mut(way)?;
        let next = queue.pop();
        if queue.turns.is_empty() {
            self.waiting.remove(way);
        }
        self.offered.extend(next.clone().map(|next| (next, way.clone())));
        next
    }

    /// A log waits for a place at a peer; once, however often that is said.
    pub fn wait(&mut self, peer: &Authority, origin: &Origin) {
        self.offered.remove(origin);
        self.waiting.entry(Way::of(peer, origin)).or_default().push(origin);
    }

    /// A peer is gone; the logs that waited for it.
    pub fn forget(&mut self, peer: &Authority) -> Vec<Origin> {
        let ways = [true, false].map(|is_author| Way { peer: peer.clone(), is_author });
        let gone = ways.iter().filter_map(|way| self.waiting.remove(way));
        gone.flat_map(|queue| queue.logs.into_values().flatten()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{authority, origin};

    fn log(n: u32) -> Origin {
        origin("a.example", n)
    }

    #[test]
    fn the_places_of_one_peer_are_not_those_of_another() {
        let mut slots = Slots::default();
        slots.take(&authority("a.example"), &log(1));
        slots.take(&authority("a.example"), &log(2));
        assert!(!slots.has_place(&authority("a.example"), &log(3), 2));
        assert!(slots.has_place(&authority("b.example"), &log(3), 2));
    }

    #[test]
    fn the_logs_of_others_that_a_peer_copies_take_no_place_of_its_own() {
        let mut slots = Slots::default();
        let c = authority("c.example");
        for n in 0..4 {
            slots.take(&c, &log(n));
        }
        assert!(!slots.has_place(&c, &log(9), 4));
        assert!(slots.has_place(&c, &origin("c.example", 1), 4));
    }

    #[test]
    fn who_waits_longest_is_next_and_waits_once() {
        let mut slots = Slots::default();
        let a = authority("a.example");
        slots.take(&a, &log(9));
        for n in [3, 1, 3, 2] {
            slots.wait(&a, &log(n));
        }
        assert_eq!(in_turn(&mut slots, &a, log(9)), [log(3), log(1), log(2)]);
        assert_eq!(slots.ways(), 0);
    }

    #[test]
    fn authors_whose_copies_are_fetched_from_one_peer_take_turns() {
        let mut slots = Slots::default();
        let (c, other) = (authority("c.example"), origin("d.example", 1));
        slots.take(&c, &log(0));
        for n in 1..4 {
            slots.wait(&c, &log(n));
        }
        slots.wait(&c, &other);
        assert_eq!(in_turn(&mut slots, &c, log(0)), [log(1), other, log(2), log(3)]);
    }

    /// Each takes the place of the one before.
    fn in_turn(slots: &mut Slots, peer: &Authority, mut last: Origin) -> Vec<Origin> {
        let mut order = Vec::new();
        while let Some(next) = slots.free(&last) {
            order.push(next.clone());
            slots.take(peer, &next);
            last = next;
        }
        order
    }

    #[test]
    fn a_place_that_one_log_does_not_take_is_offered_to_the_next() {
        let mut slots = Slots::default();
        let a = authority("a.example");
        slots.take(&a, &log(0));
        for n in 1..3 {
            slots.wait(&a, &log(n));
        }
        assert_eq!(slots.free(&log(0)), Some(log(1)));
        assert_eq!(slots.free(&log(1)), Some(log(2)), "the first needs nothing any more");
        assert_eq!(slots.take(&a, &log(2)), None);
        assert_eq!(slots.decline(&log(2)), None, "it took it");
    }

    #[test]
    fn a_log_that_is_taken_over_from_another_peer_frees_its_place_there() {
        let mut slots = Slots::default();
        slots.take(&authority("a.example"), &log(1));
        slots.take(&authority("b.example"), &log(1));
        assert!(slots.has_place(&authority("a.example"), &log(2), 1));
        assert!(!slots.has_place(&authority("b.example"), &log(2), 1));
    }
}
