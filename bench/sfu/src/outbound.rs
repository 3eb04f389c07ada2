//! One layer of a published track: which packet is sent when.
//!
//! It plays a recording from its start to its end and again, at its own pace, and from its start at once when a key frame is asked for.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use str0m::media::{Mid, Rid};

use crate::mark::Mark;
use crate::recorded::{Frame, RATE, Sound};

/// Packets of one picture that leave in one millisecond, as a pacer would have it: a key frame of 40 packets takes 7 ms.
const BURST: usize = 6;
const TICK: Duration = Duration::from_millis(1);
/// Pictures between two key frames at least: 300 ms.
const KEY_FRAMES_APART: usize = 9;
/// One frame of Opus.
const SOUND: Duration = Duration::from_millis(20);

/// What is played.
#[derive(Debug, Clone)]
pub enum Played {
    /// Opus, 48 kHz.
    Sound(Sound),
    /// VP8, 90 kHz.
    Picture(Arc<Vec<Frame>>),
}

/// A packet that is ready to be written.
#[derive(Debug)]
pub struct Ready {
    /// Extended sequence number.
    pub sequence: u64,
    /// RTP time.
    pub time: u32,
    /// Last of its picture.
    pub marker: bool,
    /// Everything behind the header.
    pub payload: Vec<u8>,
}

/// One stream of packets.
#[derive(Debug)]
pub struct Outbound {
    /// Its m-line.
    pub mid: Mid,
    /// Its layer, if there are several.
    pub rid: Option<Rid>,
    /// Said in the header extension of RFC 6464, in -dB; sound only.
    pub level: i8,
    /// When the next packet is due.
    pub due: Instant,
    /// Nothing is sent.
    pub muted: bool,
    played: Played,
    source: u16,
    layer: u8,
    marked: bool,
    at: usize,
    next_frame: Instant,
    time: u32,
    sequence: u64,
    counter: u32,
    frame: u32,
    picture_id: u16,
    waiting: VecDeque<Ready>,
}

impl Outbound {
    /// Begins at `start`. `source` numbers published tracks of a run; its sequence numbers and times start anywhere, but the
    /// same in every run.
    pub fn new(
        mid: Mid,
        rid: Option<Rid>,
        source: u16,
        layer: u8,
        played: Played,
        marked: bool,
        start: Instant,
    ) -> Self {
        let seed =
            u32::from(source).wrapping_mul(2_654_435_761) ^ (u32::from(layer) + 1).wrapping_mul(0x9e37_79b9);
        Self {
            mid,
            rid,
            level: -30,
            due: start,
            muted: false,
            played,
            source,
            layer,
            marked,
            at: 0,
            next_frame: start,
            time: seed,
            sequence: u64::from(seed >> 17),
            counter: 0,
            frame: 0,
            picture_id: u16::try_from(seed & 0x7fff).unwrap_or_default(),
            waiting: VecDeque::new(),
        }
    }

    /// A key frame is asked for: the next picture is one, unless there was one just now (encoders do not follow quicker requests).
    pub fn restart(&mut self) {
        if self.at > KEY_FRAMES_APART {
            self.at = 0;
        }
    }

    /// Sound, not pictures.
    pub fn is_sound(&self) -> bool {
        matches!(self.played, Played::Sound(_))
    }

    /// Plays something else from now on.
    pub fn play(&mut self, played: Played) {
        self.played = played;
        self.at = 0;
    }

    /// What is to be sent now; says when to ask again in `due`.
    pub fn ready(&mut self, now: Instant, into: &mut Vec<Ready>) {
        if now >= self.next_frame && self.waiting.is_empty() {
            self.cut();
            let step = match &self.played {
                Played::Sound(sound) => SOUND * u32::from(sound.frames),
                Played::Picture(_) => Duration::from_secs(1) / RATE,
            };
            self.next_frame += step;
            // After a stall nothing is made up for: a microphone does not speak faster either.
            if self.next_frame + 5 * step < now {
                self.next_frame = now + step;
            }
        }
        let many = self.waiting.len().min(BURST);
        into.extend(self.waiting.drain(..many));
        self.due = if self.waiting.is_empty() { self.next_frame } else { now + TICK };
    }

    /// Cuts the next picture or sound into packets.
    fn cut(&mut self) {
        let played = self.played.clone();
        match &played {
            Played::Sound(sound) => {
                let packet = sound.packets.get(self.at).map(Vec::as_slice).unwrap_or_default();
                self.at = (self.at + 1) % sound.packets.len().max(1);
                if !self.muted {
                    let mut payload = packet.to_vec();
                    self.seal(&mut payload, true, false);
                    self.push(payload, false);
                }
                self.time = self.time.wrapping_add(960 * u32::from(sound.frames));
                // The mark counts frames, so that the time that is due can be told from it.
                self.frame = self.frame.wrapping_add(u32::from(sound.frames) - 1);
            }
            Played::Picture(frames) => {
                if let Some(frame) = frames.get(self.at).filter(|_| !self.muted) {
                    self.cut_picture(frame);
                    self.picture_id = (self.picture_id + 1) & 0x7fff;
                }
                self.at = (self.at + 1) % frames.len().max(1);
                self.time = self.time.wrapping_add(90_000 / RATE);
            }
        }
        self.frame += 1;
    }

    fn cut_picture(&mut self, frame: &Frame) {
        let last = frame.chunks.len().saturating_sub(1);
        // One temporal layer: TL0PICIDX counts every picture (RFC 7741, section 4.2).
        let [high, low] = (self.picture_id | 0x8000).to_be_bytes();
        for (index, chunk) in frame.chunks.iter().enumerate() {
            let start = if index == 0 { 0x10 } else { 0 };
            let mut payload = Vec::with_capacity(chunk.len() + 6 + crate::mark::LENGTH);
            payload.extend_from_slice(&[0x80 | start, 0xe0, high, low, low, 0]);
            payload.extend_from_slice(chunk);
            self.seal(&mut payload, index == 0, frame.key);
            self.push(payload, index == last);
        }
    }

    fn seal(&self, payload: &mut Vec<u8>, begins: bool, key: bool) {
        if self.marked {
            let Self { source, layer, counter, frame, .. } = *self;
            Mark { source, layer, begins, key, counter, frame, sent: 0 }.append(payload);
        }
    }

    fn push(&mut self, payload: Vec<u8>, marker: bool) {
        self.waiting.push_back(Ready { sequence: self.sequence, time: self.time, marker, payload });
        self.sequence += 1;
        self.counter = self.counter.wrapping_add(1);
    }
}

/// Writes the time into the mark of a packet that leaves now.
pub fn stamp(payload: &mut [u8]) {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let micros = u64::try_from(now.as_micros()).unwrap_or_default();
    if Mark::read(payload).is_some()
        && let Some(at) = payload.last_chunk_mut()
    {
        *at = micros.to_be_bytes();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorded::Recordings;

    fn played(outbound: &mut Outbound, start: Instant, milliseconds: u64) -> Vec<Ready> {
        let mut ready = Vec::new();
        for millisecond in 0..milliseconds {
            outbound.ready(start + Duration::from_millis(millisecond), &mut ready);
        }
        ready
    }

    #[test]
    fn sound_is_a_packet_every_twenty_milliseconds() {
        let start = Instant::now();
        let tone = Played::Sound(Recordings::read().unwrap().tone);
        let ready = played(&mut Outbound::new("0".into(), None, 1, 0, tone, true, start), start, 1_000);
        assert_eq!(ready.len(), 50);
        assert!(ready.windows(2).all(|pair| pair[1].time.wrapping_sub(pair[0].time) == 960));
        assert!(ready.iter().all(|packet| packet.payload.len() == 80 + crate::mark::LENGTH));
        let three = Played::Sound(Recordings::read().unwrap().tone.gathered(3).unwrap());
        let ready = played(&mut Outbound::new("0".into(), None, 1, 0, three, true, start), start, 1_020);
        assert_eq!(ready.len(), 17);
        assert!(ready.windows(2).all(|pair| pair[1].time.wrapping_sub(pair[0].time) == 2_880));
    }

    #[test]
    fn a_request_for_a_key_frame_is_answered_by_the_next_picture() {
        let start = Instant::now();
        let picture = Played::Picture(Recordings::read().unwrap().load.layers[0].clone());
        let mut outbound = Outbound::new("0".into(), Some("q".into()), 1, 0, picture, true, start);
        played(&mut outbound, start, 500);
        outbound.restart();
        let ready = played(&mut outbound, start + Duration::from_millis(500), 40);
        let first = Mark::read(&ready[0].payload).unwrap();
        assert!(first.key && first.begins);
        let descriptor = str0m::rtp::Vp8Descriptor::parse(&ready[0].payload).unwrap();
        assert!(descriptor.starts_keyframe(&ready[0].payload));
    }

    #[test]
    fn sequence_numbers_have_no_holes_and_each_picture_one_time_and_one_end() {
        let start = Instant::now();
        let picture = Played::Picture(Recordings::read().unwrap().load.layers[2].clone());
        let ready = played(&mut Outbound::new("0".into(), None, 9, 2, picture, true, start), start, 3_000);
        for pair in ready.windows(2) {
            assert_eq!(pair[1].sequence, pair[0].sequence + 1);
            assert_eq!(pair[0].marker, pair[1].time != pair[0].time, "the marker ends a picture");
        }
    }
}
