//! Which blob is fetched next, over all logs: of each lane the first of the heads of those peers whose share is not used
//! up. A lane never waits for another one, nor a peer for another one, nor a peer's own for what it copies; and neither logs nor
//! blobs are gone through to find it.

use std::collections::{BTreeMap, BTreeSet};

use record::{Authority, Origin};
use tlog::Hash;

use super::slots::Way;
use super::wants::{Lane, Rank};

/// Every log that could fetch something now, with the first of it, by lane and by how it would be asked for.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    lanes: [Heads; 3],
}

#[derive(Debug, Default)]
struct Heads {
    by_way: BTreeMap<Way, BTreeSet<(Rank, Origin)>>,
    of_log: BTreeMap<Origin, (Rank, Way)>,
    busy: BTreeMap<Way, Busy>,
    /// How what is being fetched was asked for.
    asked: BTreeMap<(Origin, Hash), Way>,
}

/// What is being fetched or stored.
#[derive(Debug, Default)]
struct Busy {
    bytes: u64,
    files: usize,
}

impl Lanes {
    /// What a log could fetch next, and of whom.
    pub fn set(&mut self, lane: Lane, origin: &Origin, head: Option<(Rank, Authority)>) {
        let heads = &mut self.lanes[lane as usize];
        let head = head.map(|(rank, peer)| (rank, Way::of(&peer, origin)));
        if heads.of_log.get(origin) == head.as_ref() {
            return;
        }
        if let Some((rank, way)) = heads.of_log.remove(origin) {
            let order = heads.by_way.get_mut(&way);
            if order.is_some_and(|order| order.remove(&(rank, origin.clone())) && order.is_empty()) {
                heads.by_way.remove(&way);
            }
        }
        if let Some((rank, way)) = head {
            heads.by_way.entry(way.clone()).or_default().insert((rank, origin.clone()));
            heads.of_log.insert(origin.clone(), (rank, way));
        }
    }

    /// The next one of a lane that fits into so many bytes, which those share of whom something is being fetched, and into the
    /// places of each. One of each always does, or a large one would stand still.
    pub fn next(&self, lane: Lane, limit: u64) -> Option<(Rank, Origin)> {
        let heads = &self.lanes[lane as usize];
        let fits = |way: &Way, rank: &Rank| {
            let Some(busy) = heads.busy.get(way) else { return true };
            let share = limit / heads.busy.len() as u64;
            busy.files < lane.places() && busy.bytes.saturating_add(rank.size) <= share
        };
        let firsts = heads.by_way.iter().filter_map(|(way, order)| Some((way, order.first()?)));
        firsts.filter(|(way, (rank, _))| fits(way, rank)).map(|(_, first)| first).min().cloned()
    }

    /// A blob is fetched of whom its log would ask: so many bytes will be here.
    pub fn begin(&mut self, origin: &Origin, rank: &Rank) {
        let heads = &mut self.lanes[rank.lane() as usize];
        let Some((_, way)) = heads.of_log.get(origin) else { return };
        let busy = heads.busy.entry(way.clone()).or_default();
        (busy.bytes, busy.files) = (busy.bytes + rank.size, busy.files + 1);
        heads.asked.insert((origin.clone(), rank.sha256), way.clone());
    }

    /// They are here no more.
    pub fn end(&mut self, origin: &Origin, rank: &Rank) {
        let heads = &mut self.lanes[rank.lane() as usize];
        let Some(way) = heads.asked.remove(&(origin.clone(), rank.sha256)) else { return };
        if let Some(busy) = heads.busy.get_mut(&way) {
            (busy.bytes, busy.files) = (busy.bytes.saturating_sub(rank.size), busy.files - 1);
            if busy.files == 0 {
                heads.busy.remove(&way);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::wants::Class;
    use super::*;
    use crate::testing::{authority as peer, origin};

    fn log(n: u32) -> Origin {
        origin("a.example", n)
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

    #[test]
    fn however_many_logs_name_small_files_one_peer_is_asked_for_so_many_at_once() {
        let mut lanes = Lanes::default();
        let places = Lane::Quick.places() as u64;
        let mut asked = 0;
        for n in 0..3 * places {
            let log = log(u32::try_from(n).unwrap());
            lanes.set(Lane::Quick, &log, Some((rank(1), peer("a.example"))));
            if let Some((rank, origin)) = lanes.next(Lane::Quick, 1 << 20) {
                lanes.begin(&origin, &rank);
                lanes.set(Lane::Quick, &origin, None);
                asked += 1;
            }
        }
        assert_eq!(asked, places);
        // Another's log that the same peer copies, and its own, have places of their own.
        let other = origin("c.example", 1);
        lanes.set(Lane::Quick, &other, Some((rank(1), peer("a.example"))));
        assert_eq!(lanes.next(Lane::Quick, 1 << 20), Some((rank(1), other)));
    }
}
