//! Which blob is fetched next, over all logs: of each lane the first of the heads of those peers whose share is not used
//! up. A lane never waits for another one, nor a peer for another one, and neither logs nor blobs are gone through to find it.

use std::collections::{BTreeMap, BTreeSet};

use record::{Authority, Origin};
use tlog::Hash;

use super::wants::{Lane, Rank};

/// Every log that could fetch something now, with the first of it, by lane and by whom it would be asked of.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    lanes: [Heads; 3],
}

#[derive(Debug, Default)]
struct Heads {
    of_peer: BTreeMap<Authority, BTreeSet<(Rank, Origin)>>,
    of_log: BTreeMap<Origin, (Rank, Authority)>,
    /// Bytes that are being fetched or stored.
    bytes: BTreeMap<Authority, u64>,
    /// Of whom what is being fetched was asked.
    asked: BTreeMap<(Origin, Hash), Authority>,
}

impl Lanes {
    /// What a log could fetch next, and of whom.
    pub fn set(&mut self, lane: Lane, origin: &Origin, head: Option<(Rank, Authority)>) {
        let heads = &mut self.lanes[lane as usize];
        if heads.of_log.get(origin) == head.as_ref() {
            return;
        }
        if let Some((rank, peer)) = heads.of_log.remove(origin) {
            let of_peer = heads.of_peer.get_mut(&peer);
            if of_peer.is_some_and(|order| order.remove(&(rank, origin.clone())) && order.is_empty()) {
                heads.of_peer.remove(&peer);
            }
        }
        if let Some((rank, peer)) = head {
            heads.of_peer.entry(peer.clone()).or_default().insert((rank, origin.clone()));
            heads.of_log.insert(origin.clone(), (rank, peer));
        }
    }

    /// The next one of a lane that fits into so many bytes, which those share of whom something is being fetched. One of
    /// each always does, or a large one would stand still.
    pub fn next(&self, lane: Lane, limit: u64) -> Option<(Rank, Origin)> {
        let heads = &self.lanes[lane as usize];
        let fits = |peer: &Authority, rank: &Rank| {
            let used = heads.bytes.get(peer).copied().unwrap_or(0);
            let others = heads.bytes.len() - usize::from(used > 0);
            used == 0 || used.saturating_add(rank.size) <= limit / (others as u64 + 1)
        };
        let firsts = heads.of_peer.iter().filter_map(|(peer, order)| Some((peer, order.first()?)));
        firsts.filter(|(peer, (rank, _))| fits(peer, rank)).map(|(_, first)| first).min().cloned()
    }

    /// A blob is fetched of whom its log would ask: so many bytes will be here.
    pub fn begin(&mut self, origin: &Origin, rank: &Rank) {
        let heads = &mut self.lanes[rank.lane() as usize];
        let Some((_, peer)) = heads.of_log.get(origin) else { return };
        *heads.bytes.entry(peer.clone()).or_default() += rank.size.max(1);
        heads.asked.insert((origin.clone(), rank.sha256), peer.clone());
    }

    /// They are here no more.
    pub fn end(&mut self, origin: &Origin, rank: &Rank) {
        let heads = &mut self.lanes[rank.lane() as usize];
        let Some(peer) = heads.asked.remove(&(origin.clone(), rank.sha256)) else { return };
        if let Some(bytes) = heads.bytes.get_mut(&peer) {
            *bytes = bytes.saturating_sub(rank.size.max(1));
            if *bytes == 0 {
                heads.bytes.remove(&peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::wants::Class;
    use super::*;

    fn peer(name: &str) -> Authority {
        name.parse().unwrap()
    }

    fn log(n: u8) -> Origin {
        format!("a.example/log/public/{}", 2000 + u16::from(n)).parse().unwrap()
    }

    fn rank(size: u64) -> Rank {
        Rank { class: Class::First, size, sha256: Hash([size.to_be_bytes()[7]; 32]) }
    }

    #[test]
    fn what_is_fetched_of_one_peer_leaves_a_share_to_every_other() {
        let mut lanes = Lanes::default();
        lanes.set(Lane::Quick, &log(1), Some((rank(60), peer("a.example"))));
        assert_eq!(lanes.next(Lane::Quick, 100), Some((rank(60), log(1))));
        lanes.begin(&log(1), &rank(60));
        lanes.set(Lane::Quick, &log(1), Some((rank(61), peer("a.example"))));
        assert_eq!(lanes.next(Lane::Quick, 100), None, "its share is used up");
        lanes.set(Lane::Quick, &log(2), Some((rank(99), peer("b.example"))));
        assert_eq!(lanes.next(Lane::Quick, 100), Some((rank(99), log(2))), "one of each always fits");
        lanes.set(Lane::Quick, &log(2), None);
        lanes.end(&log(1), &rank(60));
        assert_eq!(lanes.next(Lane::Quick, 100), Some((rank(61), log(1))));
    }

    #[test]
    fn of_those_that_may_the_one_that_is_needed_soonest_is_next() {
        let mut lanes = Lanes::default();
        lanes.set(Lane::Quick, &log(1), Some((rank(9), peer("a.example"))));
        lanes.set(Lane::Quick, &log(2), Some((rank(3), peer("b.example"))));
        lanes.set(Lane::Quick, &log(3), Some((rank(5), peer("a.example"))));
        assert_eq!(lanes.next(Lane::Quick, 100), Some((rank(3), log(2))));
    }
}
