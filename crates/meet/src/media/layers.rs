//! Which layer of a track one subscriber gets, and when it may change: only at a key frame.
//!
//! [`Selector`] is one subscriber's choice, [`Streams`] what the publisher sends now. Neither sends anything: key frames that are
//! needed are asked for by [`Streams::due`], so often and no oftener.

use std::time::{Duration, Instant};

use super::packet::MediaPacket;
use crate::contract::{Layer, Quality, Wish};

/// All layers, smallest first.
pub(super) const LAYERS: [Quality; 3] = [Quality::Low, Quality::Medium, Quality::High];
/// A layer that was silent for so long is not sent any more.
const ALIVE: Duration = Duration::from_millis(1_500);
/// Key frames of one layer are asked for no oftener: many receivers that lost one packet make one request.
const BETWEEN_REQUESTS: Duration = Duration::from_millis(500);
/// Bit rates are measured over so long.
const WINDOW: Duration = Duration::from_millis(500);

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It continues what the subscriber has.
    Forward,
    /// The subscriber changes over to its layer with it.
    Switch,
    /// It is of another layer.
    Drop,
}

/// One subscriber's choice of layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Selector {
    target: Option<Quality>,
    current: Option<Quality>,
}

impl Selector {
    /// This layer is to be sent; `None` for nothing. True if the choice changed.
    pub(super) fn aim(&mut self, target: Option<Quality>) -> bool {
        let changed = self.target != target;
        self.target = target;
        if target.is_none() {
            self.current = None;
        }
        changed
    }

    /// The layer that is to be sent.
    pub(super) fn target(self) -> Option<Quality> {
        self.target
    }

    /// The layer that is sent.
    pub(super) fn current(self) -> Option<Quality> {
        self.current
    }

    /// Nothing may be sent before the next key frame.
    pub(super) fn lose(&mut self) {
        self.current = None;
    }

    /// The layer of which a key frame is waited for.
    pub(super) fn awaits(self) -> Option<Quality> {
        self.target.filter(|_| self.target != self.current)
    }

    /// What becomes of a packet of this layer.
    pub(super) fn admit(&mut self, layer: Quality, key: bool) -> Verdict {
        let Some(target) = self.target else {
            return Verdict::Drop;
        };
        if self.current == Some(layer) {
            return Verdict::Forward;
        }
        // A step on the way is welcome: something small at once rather than the right thing later.
        let better = match self.current {
            None => layer <= target,
            Some(current) => layer == target || (current < layer && layer < target),
        };
        if key && better {
            self.current = Some(layer);
            return Verdict::Switch;
        }
        Verdict::Drop
    }
}

/// One layer, as it comes in.
#[derive(Clone, Copy, Debug, Default)]
struct Stream {
    last: Option<Instant>,
    since: Option<Instant>,
    bytes: u64,
    rate: u64,
    asked: Option<Instant>,
    wanted: bool,
}

/// All layers of a track, as they come in.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Streams([Stream; 3]);

impl Streams {
    fn of(&mut self, layer: Quality) -> &mut Stream {
        &mut self.0[layer as usize]
    }

    /// A packet came.
    pub(super) fn note(&mut self, packet: &MediaPacket) {
        let stream = self.of(packet.layer);
        stream.last = Some(packet.arrival);
        stream.bytes += packet.payload.len() as u64;
        stream.since.get_or_insert(packet.arrival);
        if packet.key {
            // Whoever waited has it now; who lost even this one says so again.
            stream.wanted = false;
        }
    }

    /// Measures bit rates; to be called several times a second. True if what can be chosen from changed.
    pub(super) fn measure(&mut self, now: Instant) -> bool {
        let mut changed = false;
        for stream in &mut self.0 {
            let Some(since) = stream.since else { continue };
            let passed = now.saturating_duration_since(since);
            if passed < WINDOW {
                continue;
            }
            let measured = (stream.bytes * 8 * 1_000)
                .checked_div(u64::try_from(passed.as_millis()).unwrap_or(u64::MAX))
                .unwrap_or(0);
            let before = stream.rate;
            // Up at once, down slowly: key frames are far apart.
            stream.rate = if measured > before { measured } else { (before * 7 + measured) / 8 };
            if stream.last.is_none_or(|last| now.saturating_duration_since(last) > ALIVE) {
                stream.rate = 0;
                stream.since = None;
            } else {
                stream.since = Some(now);
            }
            stream.bytes = 0;
            changed |= before.abs_diff(stream.rate) * 5 > before;
        }
        changed
    }

    /// Whether this layer is sent.
    pub(super) fn alive(&self, layer: Quality) -> bool {
        self.0[layer as usize].since.is_some()
    }

    /// Layers that can be had: those that come in; before the first packet those that were declared.
    pub(super) fn available(&self, declared: &[Layer]) -> Vec<(Quality, u64)> {
        let any = LAYERS.iter().any(|layer| self.alive(*layer));
        let mut layers = Vec::with_capacity(3);
        for layer in LAYERS {
            let said = declared.iter().find(|of| of.quality == layer).map(|of| u64::from(of.bitrate));
            let rate = self.0[layer as usize].rate;
            if any && self.alive(layer) {
                layers.push((layer, if rate > 0 { rate } else { said.unwrap_or(0) }));
            } else if !any && let Some(said) = said {
                layers.push((layer, said));
            }
        }
        if layers.is_empty() {
            layers.push((Quality::High, 0));
        }
        layers
    }

    /// Somebody needs a key frame of this layer.
    pub(super) fn want_key(&mut self, layer: Quality) {
        self.of(layer).wanted = true;
    }

    /// The layers of which a key frame is to be asked for now.
    pub(super) fn due(&mut self, now: Instant) -> Vec<Quality> {
        let mut due = Vec::new();
        for layer in LAYERS {
            let stream = self.of(layer);
            let early = stream.asked.is_some_and(|at| now.saturating_duration_since(at) < BETWEEN_REQUESTS);
            if stream.wanted && !early {
                stream.wanted = false;
                stream.asked = Some(now);
                due.push(layer);
            }
        }
        due
    }

    /// Whether a request waits for its turn.
    pub(super) fn waiting(&self) -> bool {
        self.0.iter().any(|stream| stream.wanted)
    }
}

/// The largest layer that a wish allows, of those that were declared.
pub(super) fn largest(wish: &Wish, declared: &[Layer]) -> Quality {
    if wish.width == 0 || wish.height == 0 {
        return wish.quality;
    }
    let fits = declared.iter().find(|layer| layer.width >= wish.width && layer.height >= wish.height);
    fits.map_or(Quality::High, |layer| layer.quality).min(wish.quality)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn declared() -> Vec<Layer> {
        [(Quality::Low, 320, 180), (Quality::Medium, 640, 360), (Quality::High, 1280, 720)]
            .map(|(quality, width, height)| Layer { quality, width, height, bitrate: width * 1_000 })
            .to_vec()
    }

    fn wish(quality: Quality, width: u32, height: u32) -> Wish {
        Wish { enabled: true, quality, width, height, fps: 0, priority: 0, protected: false }
    }

    #[test]
    fn the_smallest_layer_that_fills_the_window_is_enough() {
        let declared = declared();
        assert_eq!(largest(&wish(Quality::High, 0, 0), &declared), Quality::High);
        assert_eq!(largest(&wish(Quality::High, 200, 100), &declared), Quality::Low);
        assert_eq!(largest(&wish(Quality::High, 640, 360), &declared), Quality::Medium);
        assert_eq!(largest(&wish(Quality::High, 641, 360), &declared), Quality::High);
        assert_eq!(largest(&wish(Quality::Low, 4_000, 4_000), &declared), Quality::Low);
        assert_eq!(largest(&wish(Quality::High, 4_000, 4_000), &declared), Quality::High);
    }

    #[test]
    fn a_new_subscriber_begins_with_whatever_key_frame_comes_first() {
        let mut selector = Selector::default();
        selector.aim(Some(Quality::High));
        assert_eq!(selector.admit(Quality::Low, false), Verdict::Drop);
        assert_eq!(selector.admit(Quality::Low, true), Verdict::Switch);
        assert_eq!(selector.admit(Quality::Low, false), Verdict::Forward);
        assert_eq!(selector.awaits(), Some(Quality::High));
        assert_eq!(selector.admit(Quality::Medium, true), Verdict::Switch);
        assert_eq!(selector.admit(Quality::High, true), Verdict::Switch);
        assert_eq!(selector.awaits(), None);
        assert_eq!(selector.admit(Quality::Medium, true), Verdict::Drop);
    }

    #[test]
    fn the_old_layer_goes_on_until_the_new_one_can_begin() {
        let mut selector = Selector::default();
        selector.aim(Some(Quality::High));
        selector.admit(Quality::High, true);
        selector.aim(Some(Quality::Low));
        assert_eq!(selector.admit(Quality::High, false), Verdict::Forward);
        assert_eq!(selector.admit(Quality::Low, false), Verdict::Drop);
        assert_eq!(selector.admit(Quality::Low, true), Verdict::Switch);
        assert_eq!(selector.admit(Quality::High, false), Verdict::Drop);
    }

    #[test]
    fn many_requests_are_one() {
        let start = Instant::now();
        let mut streams = Streams::default();
        for _ in 0..100 {
            streams.want_key(Quality::High);
        }
        assert_eq!(streams.due(start), [Quality::High]);
        streams.want_key(Quality::High);
        assert_eq!(streams.due(start + Duration::from_millis(499)), []);
        assert!(streams.waiting());
        assert_eq!(streams.due(start + Duration::from_millis(500)), [Quality::High]);
    }

    proptest! {
        #[test]
        fn a_layer_changes_at_key_frames_only(packets in proptest::collection::vec((0usize..3, any::<bool>(), 0usize..5), 0..200)) {
            let mut selector = Selector::default();
            for (layer, key, aim) in packets {
                if aim < 4 {
                    selector.aim(LAYERS.get(aim).copied());
                }
                let before = selector.current();
                let layer = LAYERS[layer];
                match selector.admit(layer, key) {
                    Verdict::Forward => prop_assert_eq!(before, Some(layer)),
                    Verdict::Switch => {
                        prop_assert!(key);
                        prop_assert!(Some(layer) <= selector.target() );
                    }
                    Verdict::Drop => prop_assert_eq!(selector.current(), before),
                }
            }
        }
    }
}
