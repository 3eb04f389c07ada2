//! Bodies that come packed (`content-encoding: gzip`), unpacked a little at a time.

use std::io::{self, Write as _};

use flate2::write::MultiGzDecoder;

/// So many packed bytes at a time: a thousandfold more at most comes of them.
const AT_A_TIME: usize = 1 << 10;

/// A body as it comes.
pub enum Unpacking {
    /// As it is.
    Plain,
    /// Packed.
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
}

impl Unpacking {
    /// By what the answer says of its encoding.
    pub fn of(encoding: Option<&str>) -> Self {
        match encoding {
            Some("gzip" | "x-gzip") => Self::Gzip(Box::new(MultiGzDecoder::new(Vec::new()))),
            _ => Self::Plain,
        }
    }

    /// What is in the next bytes; it is over as soon as that is more than `most`.
    pub fn take(&mut self, packed: bytes::Bytes, most: usize) -> io::Result<bytes::Bytes> {
        let Self::Gzip(decoder) = self else { return Ok(packed) };
        for piece in packed.chunks(AT_A_TIME) {
            decoder.write_all(piece)?;
            if decoder.get_ref().len() > most {
                break;
            }
        }
        Ok(std::mem::take(decoder.get_mut()).into())
    }

    /// What is left at the end, if it is the end of something whole.
    pub fn end(&mut self) -> io::Result<bytes::Bytes> {
        let Self::Gzip(decoder) = self else { return Ok(bytes::Bytes::new()) };
        decoder.try_finish()?;
        Ok(std::mem::take(decoder.get_mut()).into())
    }
}
