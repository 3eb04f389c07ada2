//! Which blob is fetched next, over all logs: the first of each lane's heads. A lane never waits for another
//! one, and neither logs nor blobs are gone through to find it.

use std::collections::{BTreeMap, BTreeSet};

use record::Origin;

use super::wants::{Lane, Rank};

/// Every log that could fetch something now, with the first of it, by lane.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    lanes: [Heads; 3],
}

#[derive(Debug, Default)]
struct Heads {
    order: BTreeSet<(Rank, Origin)>,
    of_log: BTreeMap<Origin, Rank>,
    /// Bytes that are being fetched or stored.
    bytes: u64,
}

impl Lanes {
    /// What a log could fetch next.
    pub fn set(&mut self, lane: Lane, origin: &Origin, head: Option<Rank>) {
        let heads = &mut self.lanes[lane as usize];
        if heads.of_log.get(origin).copied() == head {
            return;
        }
        let before = match head {
            Some(rank) => {
                heads.order.insert((rank, origin.clone()));
                heads.of_log.insert(origin.clone(), rank)
            }
            None => heads.of_log.remove(origin),
        };
        if let Some(rank) = before {
            heads.order.remove(&(rank, origin.clone()));
        }
    }

    /// The next one of a lane that fits into so many bytes. One always does, or a large one would stand still.
    pub fn next(&self, lane: Lane, limit: u64) -> Option<(Rank, Origin)> {
        let heads = &self.lanes[lane as usize];
        let fits = |rank: &Rank| heads.bytes == 0 || heads.bytes.saturating_add(rank.size) <= limit;
        heads.order.first().filter(|(rank, _)| fits(rank)).cloned()
    }

    /// So many bytes will be in memory.
    pub fn begin(&mut self, rank: &Rank) {
        self.lanes[rank.lane() as usize].bytes += rank.size;
    }

    /// They are there no more.
    pub fn end(&mut self, rank: &Rank) {
        let bytes = &mut self.lanes[rank.lane() as usize].bytes;
        *bytes = bytes.saturating_sub(rank.size);
    }
}
