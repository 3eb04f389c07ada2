//! The recordings that are played (`recorded/`, made by the script there), cut into the payloads of RTP packets.
//!
//! It never encodes: every client sends the same bytes. A picture is real VP8 (RFC 7741) and a tone real Opus, so that a browser can
//! show and play what a test counts.

use std::sync::Arc;

use crate::Failure;

/// The rids of the layers of a picture, smallest first, as `LiveKit`'s clients name them.
pub const RIDS: [&str; 3] = ["q", "h", "f"];

/// Pixels of the layers, smallest first.
pub const SIZES: [(u32, u32); 3] = [(320, 180), (640, 360), (1280, 720)];

/// Bits per second of the layers of the picture for load, smallest first.
pub const BITRATES: [u32; 3] = [130_000, 400_000, 1_200_000];

/// Pictures per second.
pub const RATE: u32 = 30;

/// The most bytes of a picture in one packet: with descriptor, mark, extensions and protection it stays below 1,200.
const CHUNK: usize = 1_100;

/// One picture of a layer, in pieces for one packet each.
#[derive(Debug)]
pub struct Frame {
    /// Depends on no other.
    pub key: bool,
    /// VP8 without payload descriptors.
    pub chunks: Vec<Vec<u8>>,
}

/// Three layers of the same moving picture; each begins with its only key frame.
#[derive(Debug, Clone)]
pub struct Picture {
    /// Smallest first.
    pub layers: [Arc<Vec<Frame>>; 3],
}

/// Opus packets of one duration.
#[derive(Debug, Clone)]
pub struct Sound {
    /// One after the other, again and again.
    pub packets: Arc<Vec<Vec<u8>>>,
    /// Frames of 20 ms in each.
    pub frames: u8,
}

/// The most frames of 20 ms in a packet (RFC 6716, section 3.2.5: 120 ms).
pub const MOST_FRAMES: u8 = 6;

impl Sound {
    /// The same sound with so many times the frames in a packet, all of one length (RFC 6716, section 3.2.5: code 3).
    pub fn gathered(&self, times: u8) -> Result<Self, Failure> {
        let frames = self.frames * times;
        if !(1..=MOST_FRAMES).contains(&frames) || self.frames != 1 {
            return Err("a packet has one to six frames of 20 ms".into());
        }
        if times == 1 {
            return Ok(self.clone());
        }
        let packets = self.packets.chunks_exact(usize::from(times)).map(|together| {
            let (toc, _) = together.first()?.split_first()?;
            let length = together.first()?.len();
            // Code 0 (the two lowest bits), one frame, becomes code 3 with a count; all frames have one length.
            let alike = |packet: &&Vec<u8>| {
                packet.len() == length && packet.first().is_some_and(|of| of.trailing_zeros() >= 2)
            };
            let bodies = together.iter().filter(alike).filter_map(|packet| packet.get(1..));
            let packet: Vec<u8> = [toc | 3, frames].into_iter().chain(bodies.flatten().copied()).collect();
            (packet.len() == 2 + usize::from(times) * (length - 1)).then_some(packet)
        });
        let packets: Option<Vec<_>> = packets.collect();
        Ok(Self {
            packets: Arc::new(packets.ok_or("the sound is not of packets of one frame and one length")?),
            frames,
        })
    }
}

macro_rules! picture {
    ($name:literal) => {
        [
            include_bytes!(concat!("../recorded/", $name, "-q.ivf")).as_slice(),
            include_bytes!(concat!("../recorded/", $name, "-h.ivf")).as_slice(),
            include_bytes!(concat!("../recorded/", $name, "-f.ivf")).as_slice(),
        ]
    };
}

const LOAD: [&[u8]; 3] = picture!("load");
const FACES: [[&[u8]; 3]; 6] = [
    picture!("face1"),
    picture!("face2"),
    picture!("face3"),
    picture!("face4"),
    picture!("face5"),
    picture!("face6"),
];
const TONE: &[u8] = include_bytes!("../recorded/tone.ogg");
const QUIET: &[u8] = include_bytes!("../recorded/quiet.ogg");

/// All of it, read once.
#[derive(Debug, Clone)]
pub struct Recordings {
    /// The picture for load, of realistic sizes.
    pub load: Picture,
    /// Heads and shoulders, for people to look at.
    pub faces: Vec<Picture>,
    /// A swelling tone.
    pub tone: Sound,
    /// Silence.
    pub quiet: Sound,
}

impl Recordings {
    /// Reads what is built in.
    pub fn read() -> Result<Self, Failure> {
        Ok(Self {
            load: read_picture(&LOAD)?,
            faces: FACES.iter().map(read_picture).collect::<Result<_, _>>()?,
            tone: read_sound(TONE)?,
            quiet: read_sound(QUIET)?,
        })
    }
}

fn read_sound(file: &[u8]) -> Result<Sound, Failure> {
    Ok(Sound { packets: Arc::new(read_ogg(file).ok_or("a sound is no Ogg file")?), frames: 1 })
}

fn read_picture(files: &[&[u8]; 3]) -> Result<Picture, Failure> {
    let [low, middle, high] = files.map(|file| read_ivf(file).ok_or("a picture is no IVF file"));
    Ok(Picture { layers: [Arc::new(low?), Arc::new(middle?), Arc::new(high?)] })
}

/// The frames of an IVF file.
fn read_ivf(file: &[u8]) -> Option<Vec<Frame>> {
    let length = u16::from_le_bytes(file.get(6..8)?.try_into().ok()?);
    if file.get(..4)? != b"DKIF" || file.get(8..12)? != b"VP80" {
        return None;
    }
    let mut rest = file.get(usize::from(length)..)?;
    let mut frames = Vec::new();
    while !rest.is_empty() {
        let size = u32::from_le_bytes(rest.get(..4)?.try_into().ok()?);
        let end = 12 + usize::try_from(size).ok()?;
        let bytes = rest.get(12..end)?;
        // RFC 6386, section 9.1: the first bit is 0 in a key frame.
        let key = bytes.first()? & 1 == 0;
        frames.push(Frame { key, chunks: bytes.chunks(CHUNK).map(<[u8]>::to_vec).collect() });
        rest = rest.get(end..)?;
    }
    frames.first()?.key.then_some(frames)
}

/// The packets of an Ogg file with one Opus stream (RFC 7845), without its two headers.
fn read_ogg(file: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut packets = Vec::new();
    let mut packet = Vec::new();
    let mut rest = file;
    while !rest.is_empty() {
        if rest.get(..4)? != b"OggS" {
            return None;
        }
        let segments = usize::from(*rest.get(26)?);
        let lengths = rest.get(27..27 + segments)?;
        let mut at = 27 + segments;
        for length in lengths {
            let end = at + usize::from(*length);
            packet.extend_from_slice(rest.get(at..end)?);
            at = end;
            if *length < 255 {
                packets.push(std::mem::take(&mut packet));
            }
        }
        rest = rest.get(at..)?;
    }
    (packets.len() > 2).then(|| packets.split_off(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recordings_are_one_group_of_pictures_each_and_sound_of_twenty_milliseconds() {
        let recordings = Recordings::read().unwrap();
        let faces = recordings.faces.iter().map(|face| (face, 4));
        for (picture, seconds) in faces.chain([(&recordings.load, 2)]) {
            for frames in &picture.layers {
                assert_eq!(frames.len(), seconds * 30);
                assert!(frames.iter().skip(1).all(|frame| !frame.key), "a second key frame");
            }
        }
        for sound in [&recordings.tone, &recordings.quiet] {
            let packets = &sound.packets;
            assert!((100..=102).contains(&packets.len()), "{} packets in 2 s", packets.len());
            assert!(packets.iter().all(|packet| packet.len() == 80), "32 kbit/s are 80 bytes in 20 ms");
        }
    }

    #[test]
    fn three_frames_make_one_packet_of_sixty_milliseconds() {
        let tone = Recordings::read().unwrap().tone;
        let three = tone.gathered(3).unwrap();
        assert_eq!((three.frames, three.packets.len()), (3, tone.packets.len() / 3));
        let (first, packet) = (&tone.packets[0], &three.packets[0]);
        assert_eq!(packet[..2], [first[0] | 3, 3]);
        let frames = [&first[1..], &tone.packets[1][1..], &tone.packets[2][1..]].concat();
        assert_eq!(packet[2..], frames);
        assert!(tone.gathered(7).is_err() && tone.gathered(0).is_err() && three.gathered(2).is_err());
    }

    #[test]
    fn the_layers_for_load_have_the_rates_that_are_announced() {
        let load = Recordings::read().unwrap().load;
        for (frames, announced) in load.layers.iter().zip(BITRATES) {
            let bytes: usize = frames.iter().flat_map(|frame| &frame.chunks).map(Vec::len).sum();
            let rate = u32::try_from(bytes * 8 / 2).unwrap();
            assert!(rate.abs_diff(announced) < announced / 5, "{rate} bit/s announced as {announced}");
        }
    }

    #[test]
    fn what_is_cut_short_is_refused() {
        assert!(read_ivf(&LOAD[0][..LOAD[0].len() - 1]).is_none());
        assert!(read_ogg(&TONE[..TONE.len() - 1]).is_none());
    }
}
