//! Who speaks, read from RFC 6464 levels in packet headers: nothing is decoded, so it works under end-to-end encryption.
//!
//! A track counts as loud if its level was 35 dB under overload or louder for at least 40 % of 400 ms; its level is smoothed over
//! two such windows. A track whose packets carry no level is silent.

use std::time::{Duration, Instant};

/// Decibel under overload; louder is smaller.
const LOUD: u8 = 35;
const WINDOW: Duration = Duration::from_millis(400);
/// Part of the window that must be loud, in percent.
const SHARE: u32 = 40;
/// The newest window's part of the smoothed level: an average over two windows.
const SMOOTHING: f32 = 2.0 / 3.0;
/// Longest time that one packet stands for: the first after a pause stands for some of the pause (discontinuous transmission), so that
/// a word after silence is speech at once, as in `LiveKit`.
const LONGEST: Duration = Duration::from_millis(200);
/// What a first packet stands for.
const USUAL: Duration = Duration::from_millis(20);
/// Smaller changes are not reported.
const STEP: f32 = 0.02;
/// Below this a track is silent.
const FLOOR: f32 = 0.005;

/// The loudness of one track.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Voice {
    begun: Option<Instant>,
    last: Option<Instant>,
    loud: Duration,
    loudest: Option<u8>,
    smoothed: f32,
    reported: f32,
    /// Decibel over silence, following within some packets.
    quick: f32,
}

impl Voice {
    /// A packet with this level came. True if it is loud.
    pub(super) fn note(&mut self, now: Instant, level: Option<u8>) -> bool {
        let stands_for = self.last.map_or(USUAL, |last| now.saturating_duration_since(last)).min(LONGEST);
        self.last = Some(now);
        self.begun.get_or_insert(now);
        let level = level.unwrap_or(127);
        self.quick += (f32::from(127 - level.min(127)) - self.quick) * 0.3;
        let loud = level <= LOUD;
        if loud {
            self.loud += stands_for;
            self.loudest = Some(self.loudest.map_or(level, |loudest| loudest.min(level)));
        }
        loud
    }

    /// Closes the window if it is over. The level, if it changed so that it is worth telling: 0 for silence, 1 for as loud as can be.
    pub(super) fn measure(&mut self, now: Instant) -> Option<f32> {
        if self.begun.is_none_or(|begun| now.saturating_duration_since(begun) < WINDOW) {
            return None;
        }
        let spoken = self.loud * 100 >= WINDOW * SHARE;
        let heard = match self.loudest.filter(|_| spoken) {
            // A window that was loud in part counts for less.
            Some(loudest) => {
                let part = (self.loud.as_secs_f32() / WINDOW.as_secs_f32()).min(1.0);
                10f32.powf(-f32::from(loudest) / 20.0) * part
            }
            None => 0.0,
        };
        self.smoothed += (heard - self.smoothed) * SMOOTHING;
        if self.smoothed < FLOOR {
            self.smoothed = 0.0;
        }
        let quiet = self.last.is_none_or(|last| now.saturating_duration_since(last) >= WINDOW);
        if quiet {
            self.quick = 0.0;
        }
        self.loud = Duration::ZERO;
        self.loudest = None;
        self.begun = (!quiet || self.smoothed > 0.0).then_some(now);
        let silence = (self.smoothed > 0.0) != (self.reported > 0.0);
        if silence || (self.smoothed - self.reported).abs() >= STEP {
            self.reported = self.smoothed;
            return Some(self.reported);
        }
        None
    }

    /// Whether it was said to be speaking.
    pub(super) fn speaks(&self) -> bool {
        self.reported > 0.0
    }

    /// Loudness for choosing whom to forward: decibel over silence, within some packets of the truth.
    pub(super) fn quick(&self) -> f32 {
        self.quick
    }

    /// Nothing comes any more.
    pub(super) fn silence(&mut self) {
        self.loud = Duration::ZERO;
        self.loudest = None;
        self.quick = 0.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One second of packets every 20 ms; the levels that were told.
    fn hear(voice: &mut Voice, start: Instant, level: impl Fn(u32) -> u8) -> Vec<f32> {
        let mut told = Vec::new();
        for n in 0..50 {
            let now = start + Duration::from_millis(20) * n;
            voice.note(now, Some(level(n)));
            told.extend(voice.measure(now));
        }
        told
    }

    #[test]
    fn speech_is_told_and_its_end_too() {
        let start = Instant::now();
        let mut voice = Voice::default();
        let told = hear(&mut voice, start, |_| 20);
        assert!(voice.speaks() && told[0] > 0.05, "{told:?}");
        let told = hear(&mut voice, start + Duration::from_secs(1), |_| 127);
        hear(&mut voice, start + Duration::from_secs(2), |_| 127);
        assert!(!voice.speaks(), "{told:?}");
    }

    #[test]
    fn a_cough_is_no_speech() {
        let mut voice = Voice::default();
        assert!(hear(&mut voice, Instant::now(), |n| if n % 20 < 6 { 10 } else { 80 }).is_empty());
        assert!(hear(&mut Voice::default(), Instant::now(), |n| if n % 20 < 10 { 10 } else { 80 })[0] > 0.0);
    }

    #[test]
    fn murmur_is_no_speech() {
        assert!(hear(&mut Voice::default(), Instant::now(), |_| 36).is_empty());
    }

    #[test]
    fn a_track_that_stops_falls_silent() {
        let start = Instant::now();
        let mut voice = Voice::default();
        hear(&mut voice, start, |_| 5);
        let told: Vec<_> =
            (10..40).filter_map(|n| voice.measure(start + Duration::from_millis(100) * n)).collect();
        assert_eq!(told.last(), Some(&0.0));
        assert_eq!(voice.quick().to_bits(), 0);
    }
}
