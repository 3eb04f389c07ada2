//! Packets on a byte stream: RFC 4571, two bytes of length before each. Bounded both ways; it has no socket.

use std::collections::VecDeque;

/// The most bytes of a packet on TCP. Media and DTLS stay below 1,500; what is longer is no client of ours.
pub(crate) const MAX_FRAME: usize = 4096;
/// The most bytes that wait to be written. Beyond it packets are dropped, as a full queue on the way would.
const MAX_WAITING: usize = 256 * 1024;

/// A frame is longer than [`MAX_FRAME`]: the connection is no use any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a frame of {0} bytes; {MAX_FRAME} is the most")]
pub(crate) struct Oversized(pub usize);

/// Bytes to packets.
#[derive(Debug, Default)]
pub(crate) struct Unframer {
    bytes: Vec<u8>,
    /// How many of `bytes` were given out.
    taken: usize,
}

impl Unframer {
    /// Takes what was read.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.taken);
        self.taken = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole packet.
    pub(crate) fn next(&mut self) -> Result<Option<&[u8]>, Oversized> {
        let rest = self.bytes.get(self.taken..).unwrap_or_default();
        let Some((length, after)) = rest.split_first_chunk::<2>() else { return Ok(None) };
        let length = usize::from(u16::from_be_bytes(*length));
        if length > MAX_FRAME {
            return Err(Oversized(length));
        }
        let Some(packet) = after.get(..length) else { return Ok(None) };
        self.taken += 2 + length;
        Ok(Some(packet))
    }
}

/// Packets to bytes.
#[derive(Debug, Default)]
pub(crate) struct Framer {
    waiting: VecDeque<u8>,
}

impl Framer {
    /// Queues a packet; false if it had to be dropped.
    pub(crate) fn push(&mut self, packet: &[u8]) -> bool {
        let Ok(length) = u16::try_from(packet.len()) else { return false };
        if self.waiting.len() + packet.len() + 2 > MAX_WAITING {
            return false;
        }
        self.waiting.extend(length.to_be_bytes());
        self.waiting.extend(packet);
        true
    }

    /// What is to be written next.
    pub(crate) fn head(&self) -> &[u8] {
        self.waiting.as_slices().0
    }

    /// So many bytes of it were written.
    pub(crate) fn written(&mut self, bytes: usize) {
        self.waiting.drain(..bytes.min(self.waiting.len()));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn packets_come_out_as_they_went_in_however_the_stream_is_cut(
            packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..20),
            cut in 1usize..97,
        ) {
            let mut framer = Framer::default();
            for packet in &packets {
                prop_assert!(framer.push(packet));
            }
            let mut stream = Vec::new();
            while !framer.head().is_empty() {
                stream.extend_from_slice(framer.head());
                framer.written(framer.head().len());
            }
            let (mut unframer, mut out) = (Unframer::default(), Vec::new());
            for piece in stream.chunks(cut) {
                unframer.feed(piece);
                while let Some(packet) = unframer.next().unwrap() {
                    out.push(packet.to_vec());
                }
            }
            prop_assert_eq!(out, packets);
        }
    }

    #[test]
    fn a_frame_that_is_too_long_ends_the_stream() {
        let mut unframer = Unframer::default();
        unframer.feed(&[0xFF, 0xFF, 1]);
        assert_eq!(unframer.next(), Err(Oversized(65_535)));
    }

    #[test]
    fn a_receiver_that_does_not_read_costs_no_more_than_its_queue() {
        let mut framer = Framer::default();
        let kept = (0..10_000).filter(|_| framer.push(&[0; 1200])).count();
        assert_eq!(kept, MAX_WAITING / 1202);
    }
}
