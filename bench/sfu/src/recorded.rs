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

/// Opus packets of 20 ms each.
pub type Sound = Arc<Vec<Vec<u8>>>;

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
            tone: Arc::new(read_ogg(TONE).ok_or("the tone is no Ogg file")?),
            quiet: Arc::new(read_ogg(QUIET).ok_or("the silence is no Ogg file")?),
        })
    }
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
            assert!((100..=102).contains(&sound.len()), "{} packets in 2 s", sound.len());
            assert!(sound.iter().all(|packet| packet.len() == 80), "32 kbit/s are 80 bytes in 20 ms");
        }
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
