//! Who gets which layer when the way to a receiver does not carry everything: sound before pictures, then protected tracks (sign
//! language, the floor), then who speaks, then the others by the priority that the receiver declared.
//!
//! A pure function: it keeps nothing, and never decides how much the way carries.

use crate::contract::Quality;

/// Moving up needs this much more than a layer takes, in percent, so that a layer is not taken and lost every second.
const HEADROOM: u64 = 115;

/// One video track that a receiver wishes to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Demand {
    /// Kept before all that is not protected.
    pub(super) protected: bool,
    /// Its publisher speaks.
    pub(super) speaking: bool,
    /// Larger is more important.
    pub(super) priority: u32,
    /// No layer above this.
    pub(super) cap: Quality,
    /// Bits per second of each layer, smallest first; 0 where there is no such layer at present.
    pub(super) rates: [u64; 3],
    /// What it has now; `None` while it is paused.
    pub(super) now: Option<Quality>,
}

const LAYERS: [Quality; 3] = [Quality::Low, Quality::Medium, Quality::High];

impl Demand {
    fn rate(&self, layer: Quality) -> u64 {
        self.rates[layer as usize]
    }

    /// What must be free for it to have the layer: more than its rate if that is more than it has now.
    fn price(&self, layer: Quality) -> u64 {
        let rate = self.rate(layer);
        if self.now.is_none_or(|now| layer > now) { rate.saturating_mul(HEADROOM) / 100 } else { rate }
    }

    /// Layers that there are, up to the cap, smallest first; where there are only larger ones, the smallest of those.
    fn layers(&self) -> impl Iterator<Item = Quality> + '_ {
        let live = move |layer: &Quality| self.rate(*layer) > 0;
        let smallest = LAYERS.into_iter().find(live);
        LAYERS.into_iter().filter(live).filter(move |layer| *layer <= self.cap || Some(*layer) == smallest)
    }

    fn above(&self, layer: Option<Quality>) -> Option<Quality> {
        self.layers().find(|next| layer.is_none_or(|layer| *next > layer))
    }

    /// What it would take if the way carried everything, in bits per second.
    pub(super) fn desired(&self) -> u64 {
        self.layers().last().map_or(0, |layer| self.rate(layer))
    }
}

/// The layer of each demand, in the same order; `None` is a pause. `budget` is what is left of the estimate after sound, in bits per
/// second; `None` where nothing was estimated. Where the receiver does not let itself be paused, each has at least its smallest layer.
pub(super) fn allocate(budget: Option<u64>, may_pause: bool, demands: &[Demand]) -> Vec<Option<Quality>> {
    let mut grants = vec![None; demands.len()];
    let Some(mut left) = budget else {
        for (grant, demand) in grants.iter_mut().zip(demands) {
            *grant = demand.layers().last();
        }
        return grants;
    };
    let mut order: Vec<usize> = (0..demands.len()).collect();
    order.sort_by_key(|&at| {
        let demand = &demands[at];
        (!demand.protected, !demand.speaking, std::cmp::Reverse(demand.priority), at)
    });
    let protected = order.iter().take_while(|&&at| demands[at].protected).count();
    let (protected, others) = order.split_at(protected);
    for class in [protected, others] {
        // The smallest layer for everybody of the class, then a step for everybody, until nothing fits.
        while class.iter().filter(|&&at| step(&mut left, may_pause, &demands[at], &mut grants[at])).count()
            > 0
        {}
    }
    grants
}

/// One layer more, if there is one and it fits.
fn step(left: &mut u64, may_pause: bool, demand: &Demand, grant: &mut Option<Quality>) -> bool {
    let Some(next) = demand.above(*grant) else { return false };
    let paid = grant.map_or(0, |layer| demand.rate(layer));
    let first_is_due = grant.is_none() && !may_pause;
    if !first_is_due && demand.price(next).saturating_sub(paid) > *left {
        return false;
    }
    *left = left.saturating_sub(demand.rate(next).saturating_sub(paid));
    *grant = Some(next);
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use Quality::{High, Low, Medium};
    use proptest::prelude::*;

    /// A camera with three layers of 150, 500 and 1,700 kbit/s, not shown yet.
    const CAMERA: Demand = Demand {
        protected: false,
        speaking: false,
        priority: 0,
        cap: High,
        rates: [150_000, 500_000, 1_700_000],
        now: None,
    };

    #[test]
    fn without_an_estimate_everybody_has_what_was_asked_for() {
        let small = Demand { cap: Low, ..CAMERA };
        assert_eq!(allocate(None, true, &[CAMERA, small]), [Some(High), Some(Low)]);
    }

    #[test]
    fn everybody_has_the_smallest_layer_before_anybody_has_more() {
        assert_eq!(allocate(Some(400_000), true, &[CAMERA, CAMERA]), [Some(Low), Some(Low)]);
        assert_eq!(allocate(Some(900_000), true, &[CAMERA, CAMERA]), [Some(Medium), Some(Low)]);
    }

    #[test]
    fn the_speaker_comes_first_and_the_last_is_paused() {
        let speaker = Demand { speaking: true, ..CAMERA };
        assert_eq!(allocate(Some(200_000), true, &[CAMERA, speaker]), [None, Some(Low)]);
    }

    #[test]
    fn a_protected_track_has_its_large_layer_before_others_have_any() {
        let sign = Demand { protected: true, now: Some(High), ..CAMERA };
        let speaker = Demand { speaking: true, priority: 9, ..CAMERA };
        assert_eq!(allocate(Some(1_800_000), true, &[speaker, sign]), [None, Some(High)]);
    }

    #[test]
    fn who_declared_a_larger_priority_comes_first() {
        let shared = Demand { priority: 2, ..CAMERA };
        assert_eq!(allocate(Some(750_000), true, &[CAMERA, shared]), [Some(Low), Some(Medium)]);
        assert_eq!(allocate(Some(180_000), true, &[CAMERA, shared]), [None, Some(Low)]);
    }

    #[test]
    fn a_receiver_that_will_not_be_paused_has_the_smallest_layers() {
        assert_eq!(allocate(Some(0), false, &[CAMERA, CAMERA]), [Some(Low), Some(Low)]);
    }

    #[test]
    fn a_layer_is_kept_by_less_than_it_takes_to_get_it() {
        let shown = Demand { now: Some(Medium), ..CAMERA };
        assert_eq!(allocate(Some(510_000), true, &[shown]), [Some(Medium)]);
        assert_eq!(allocate(Some(510_000), true, &[CAMERA]), [Some(Low)]);
    }

    #[test]
    fn a_track_whose_small_layers_stopped_is_shown_as_it_comes() {
        let large_only = Demand { cap: Low, rates: [0, 0, 900_000], ..CAMERA };
        assert_eq!(allocate(Some(2_000_000), true, &[large_only]), [Some(High)]);
        let nothing = Demand { rates: [0; 3], ..CAMERA };
        assert_eq!(allocate(Some(2_000_000), true, &[nothing]), [None]);
    }

    fn demand() -> impl Strategy<Value = Demand> {
        (any::<[bool; 2]>(), 0u32..3, 0usize..3, [0u64..300_000, 0u64..900_000, 0u64..3_000_000], 0usize..4)
            .prop_map(|([protected, speaking], priority, cap, rates, now)| Demand {
                protected,
                speaking,
                priority,
                cap: LAYERS[cap],
                rates,
                now: LAYERS.get(now).copied(),
            })
    }

    proptest! {
        #[test]
        fn the_sum_stays_within_the_budget(budget in 0u64..5_000_000, demands in proptest::collection::vec(demand(), 0..12)) {
            let demands: Vec<_> = demands
                .into_iter()
                .map(|mut demand| {
                    demand.rates.sort_unstable();
                    demand
                })
                .collect();
            let grants = allocate(Some(budget), true, &demands);
            let sum: u64 = grants.iter().zip(&demands).filter_map(|(grant, demand)| Some(demand.rate((*grant)?))).sum();
            prop_assert!(sum <= budget);
        }

        #[test]
        fn what_is_granted_exists(budget in any::<Option<u64>>(), may_pause: bool, demands in proptest::collection::vec(demand(), 0..12)) {
            for (grant, demand) in allocate(budget, may_pause, &demands).into_iter().zip(&demands) {
                if let Some(layer) = grant {
                    prop_assert!(demand.rate(layer) > 0);
                }
                if !may_pause {
                    prop_assert_eq!(grant.is_some(), demand.rates.iter().any(|rate| *rate > 0));
                }
            }
        }

        #[test]
        fn a_protected_track_does_not_depend_on_the_others(budget in 0u64..5_000_000, demands in proptest::collection::vec(demand(), 1..8)) {
            let sign = Demand { protected: true, ..CAMERA };
            let others = demands.into_iter().map(|demand| Demand { protected: false, ..demand });
            let all: Vec<_> = std::iter::once(sign).chain(others).collect();
            prop_assert_eq!(allocate(Some(budget), true, &all)[0], allocate(Some(budget), true, &[sign])[0]);
        }
    }
}
