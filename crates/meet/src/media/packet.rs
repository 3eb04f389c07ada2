//! A media packet between its receipt and its sending: what forwarding has to know of it, and its payload, shared by all
//! receivers. Nothing in it is a promise: every field came from a client.

use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::format::{
    Codec, CodecSpec, detect_av1_keyframe, detect_h264_keyframe, detect_vp8_keyframe, detect_vp9_keyframe,
};
use str0m::rtp::{ExtensionValues, Vp8Descriptor};

use crate::contract::Quality;

/// One packet of one layer of one track.
#[derive(Clone, Debug)]
pub(super) struct MediaPacket {
    /// What its payload is.
    pub(super) format: Format,
    /// Its layer; [`Quality::High`] for sound and for video without simulcast.
    pub(super) layer: Quality,
    /// The stream of its numbers: a change means that they begin anew.
    pub(super) ssrc: u32,
    /// RTP sequence number with its roll-overs.
    pub(super) seq: u64,
    /// RTP timestamp.
    pub(super) time: u32,
    /// RTP marker.
    pub(super) marker: bool,
    /// Whether a decoder can begin with it.
    pub(super) key: bool,
    /// RFC 6464: decibel under overload, 0 to 127.
    pub(super) level: Option<u8>,
    /// RFC 6464: the sender believes that it is a voice.
    pub(super) voice: bool,
    /// VP8's payload descriptor, where it could be read.
    pub(super) vp8: Option<Vp8Descriptor>,
    /// Which way is up, as it came.
    pub(super) orientation: Option<str0m::rtp::VideoOrientation>,
    /// When it came in.
    pub(super) arrival: Instant,
    /// When it was captured, on the publisher's clock, since 1970, where a sender report told.
    pub(super) captured: Option<Duration>,
    /// When it was captured, on our clock, as well as is known.
    pub(super) wallclock: Instant,
    /// The same for all receivers.
    pub(super) payload: Arc<[u8]>,
}

/// What a payload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Format {
    /// Codec with its parameters.
    pub(super) spec: CodecSpec,
    /// Wrapped with earlier frames (RFC 2198).
    pub(super) red: bool,
}

impl Format {
    /// As a media type, in lower case.
    pub(super) fn mime(self) -> &'static str {
        match self.spec.codec {
            Codec::Opus if self.red => "audio/red",
            Codec::Opus => "audio/opus",
            Codec::Vp8 => "video/vp8",
            Codec::Vp9 => "video/vp9",
            Codec::H264 => "video/h264",
            Codec::H265 => "video/h265",
            Codec::Av1 => "video/av1",
            _ => "application/octet-stream",
        }
    }

    /// RTP ticks per second.
    pub(super) fn clock(self) -> u32 {
        self.spec.clock_rate.get()
    }

    /// Whether a decoder can begin with this payload.
    pub(super) fn begins(self, payload: &[u8]) -> bool {
        match self.spec.codec {
            Codec::Vp8 => detect_vp8_keyframe(payload),
            Codec::Vp9 => detect_vp9_keyframe(payload),
            Codec::H264 => detect_h264_keyframe(payload),
            Codec::Av1 => detect_av1_keyframe(payload),
            _ => true,
        }
    }
}

impl MediaPacket {
    /// Header extensions for a receiver.
    pub(super) fn extensions(&self) -> ExtensionValues {
        ExtensionValues {
            audio_level: self.level.map(|level| -i8::try_from(level.min(127)).unwrap_or(127)),
            // Written only together with the level.
            voice_activity: Some(self.voice),
            video_orientation: self.orientation,
            ..ExtensionValues::default()
        }
    }
}

/// The primary block of a RED payload (RFC 2198), without copying; `None` if it is malformed.
pub(super) fn primary(red: &[u8]) -> Option<&[u8]> {
    let mut headers = red;
    let mut before = 0usize;
    loop {
        let first = *headers.first()?;
        if first & 0x80 == 0 {
            return headers.get(1..)?.get(before..).filter(|payload| !payload.is_empty());
        }
        let header = headers.get(..4)?;
        before += usize::from(header[2] & 0x03) << 8 | usize::from(header[3]);
        headers = headers.get(4..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use str0m::rtp::{RedEncoder, RedundantBlock};

    proptest! {
        #[test]
        fn the_newest_frame_comes_out_of_red(
            newest in proptest::collection::vec(any::<u8>(), 1..200),
            older in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 0..4),
        ) {
            let blocks: Vec<_> = older
                .iter()
                .map(|payload| RedundantBlock { pt: 111, timestamp_offset: 960, payload: payload.clone() })
                .collect();
            let red = RedEncoder::encode(111, &newest, &blocks);
            prop_assert_eq!(primary(&red), Some(&newest[..]));
        }

        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = primary(&bytes);
        }
    }
}
