//! Of which sound the packets are forwarded, when a room allows only so many at once: those of the loudest.
//!
//! Packets are withheld, subscriptions never: whoever becomes loud is heard with the next packet, without any signalling.

/// One track that may be withheld.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Candidate {
    /// Decibel over silence.
    pub(super) loudness: f32,
    /// Its packets are forwarded now.
    pub(super) heard: bool,
}

/// Who is heard stays heard unless another is so many decibel louder: two voices alike do not take turns.
const HYSTERESIS: f32 = 8.0;

/// Who is heard from now on.
pub(super) fn choose(n: usize, candidates: &[Candidate]) -> Vec<bool> {
    if n == 0 || candidates.len() <= n {
        return vec![true; candidates.len()];
    }
    let score = |at: usize| {
        let candidate = &candidates[at];
        candidate.loudness + if candidate.heard { HYSTERESIS } else { 0.0 }
    };
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    order.sort_by(|&a, &b| score(b).total_cmp(&score(a)));
    let mut heard = vec![false; candidates.len()];
    for at in order.into_iter().take(n) {
        heard[at] = true;
    }
    heard
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(loudness: f32, heard: bool) -> Candidate {
        Candidate { loudness, heard }
    }

    #[test]
    fn the_loudest_are_heard() {
        let all = [at(10.0, false), at(90.0, false), at(50.0, false), at(60.0, false)];
        assert_eq!(choose(2, &all), [false, true, false, true]);
        assert_eq!(choose(0, &all), [true; 4]);
    }

    #[test]
    fn a_voice_is_not_cut_off_by_one_a_little_louder() {
        assert_eq!(choose(1, &[at(60.0, true), at(65.0, false)]), [true, false]);
        assert_eq!(choose(1, &[at(60.0, true), at(75.0, false)]), [false, true]);
    }

    proptest! {
        #[test]
        fn never_more_than_allowed_never_fewer_than_possible(n in 1usize..5, all in proptest::collection::vec((0f32..127.0, any::<bool>()), 0..30)) {
            let candidates: Vec<_> = all.into_iter().map(|(loudness, heard)| at(loudness, heard)).collect();
            let heard = choose(n, &candidates).into_iter().filter(|heard| *heard).count();
            prop_assert_eq!(heard, n.min(candidates.len()));
        }
    }
}
