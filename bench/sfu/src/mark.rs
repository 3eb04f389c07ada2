//! The last bytes of each payload: who sent it, as which of its packets, and when. A decoder would stumble over them, so they are
//! left out when a person is to look.
//!
//! A forwarding unit may rewrite headers and the VP8 payload descriptor, never what comes after it: the mark tells what was
//! sent from what was received.

/// Bytes of a mark.
pub const LENGTH: usize = 24;

const MAGIC: [u8; 4] = [0xc0, 0x4e, 0xc0, 0x7d];

/// What is written behind a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Which published track.
    pub source: u16,
    /// Which of its layers: 0 is the smallest.
    pub layer: u8,
    /// Begins a picture.
    pub begins: bool,
    /// Belongs to a key frame.
    pub key: bool,
    /// Packets of this layer before it.
    pub counter: u32,
    /// Pictures (or sounds) of this layer before it.
    pub frame: u32,
    /// Microseconds since 1970 at which it was handed over.
    pub sent: u64,
}

impl Mark {
    /// Writes it behind a payload.
    pub fn append(&self, payload: &mut Vec<u8>) {
        payload.extend_from_slice(&MAGIC);
        payload.extend_from_slice(&self.source.to_be_bytes());
        payload.push(self.layer);
        payload.push(u8::from(self.begins) | u8::from(self.key) << 1);
        payload.extend_from_slice(&self.counter.to_be_bytes());
        payload.extend_from_slice(&self.frame.to_be_bytes());
        payload.extend_from_slice(&self.sent.to_be_bytes());
    }

    /// Reads it from the end of a payload.
    pub fn read(payload: &[u8]) -> Option<Self> {
        let (_, mark) = payload.split_last_chunk::<LENGTH>()?;
        let (magic, rest) = mark.split_first_chunk::<4>()?;
        let (source, rest) = rest.split_first_chunk()?;
        let (&[layer, flags], rest) = rest.split_first_chunk()?;
        let (counter, rest) = rest.split_first_chunk()?;
        let (frame, rest) = rest.split_first_chunk()?;
        let (_, sent) = rest.split_last_chunk()?;
        (*magic == MAGIC).then_some(Self {
            source: u16::from_be_bytes(*source),
            layer,
            begins: flags & 1 != 0,
            key: flags & 2 != 0,
            counter: u32::from_be_bytes(*counter),
            frame: u32::from_be_bytes(*frame),
            sent: u64::from_be_bytes(*sent),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_other_payloads_have_none() {
        let mark =
            Mark { source: 7, layer: 2, begins: true, key: false, counter: 99, frame: 12, sent: 1 << 50 };
        let mut payload = vec![1, 2, 3];
        mark.append(&mut payload);
        assert_eq!(Mark::read(&payload), Some(mark));
        payload.push(0);
        assert_eq!(Mark::read(&payload), None, "a byte too many");
        assert_eq!(Mark::read(&[0; 10]), None);
    }
}
