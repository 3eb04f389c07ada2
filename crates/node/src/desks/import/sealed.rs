//! Bytes on the disk that only this process can read: encrypted under a key that lies in its memory and nowhere else.
//!
//! A file is a row of chunks, each with its length, a flag on the last one, a nonce and the ciphertext (AES-256-GCM). The chunk's place,
//! the flag and the file's name are authenticated with it, so that chunks of another file, another order or a missing end are found
//! out. It knows no folder.

use std::io::{self, Read};

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use zeroize::Zeroizing;

use crate::identity::{self, IdentityError};

/// Bytes in clear of one chunk.
pub(super) const CHUNK: usize = 64 << 10;
/// What authenticates a chunk.
const TAG: usize = 16;
const HEAD: usize = 4 + 1 + NONCE_LEN;

/// The key of one process. What it encrypted nobody can read after the process.
pub(super) struct Key(RandomizedNonceKey);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key")
    }
}

impl Key {
    /// A new one.
    pub(super) fn new() -> Result<Self, IdentityError> {
        let bytes = Zeroizing::new(identity::random::<32>()?);
        // The only fault that it knows is another length.
        Ok(Self(RandomizedNonceKey::new(&AES_256_GCM, &*bytes).expect("32 bytes are a key")))
    }

    /// One chunk of the file `name` as it is written.
    pub(super) fn seal(&self, name: &str, place: u64, is_last: bool, chunk: &[u8]) -> io::Result<Vec<u8>> {
        let mut sealed = chunk.to_vec();
        let nonce = self
            .0
            .seal_in_place_append_tag(Aad::from(about(name, place, is_last)), &mut sealed)
            .map_err(|_| io::Error::other("a chunk could not be encrypted"))?;
        let length = u32::try_from(sealed.len()).map_err(io::Error::other)?;
        let mut bytes = Vec::with_capacity(HEAD + sealed.len());
        bytes.extend(length.to_le_bytes());
        bytes.push(u8::from(is_last));
        bytes.extend(nonce.as_ref());
        bytes.append(&mut sealed);
        Ok(bytes)
    }
}

fn about(name: &str, place: u64, is_last: bool) -> Vec<u8> {
    [name.as_bytes(), &place.to_le_bytes(), &[u8::from(is_last)]].concat()
}

/// Reads what [`Key::seal`] wrote, to its end.
pub(super) struct Opened<'k, R> {
    from: R,
    key: &'k Key,
    name: String,
    place: u64,
    clear: io::Cursor<Vec<u8>>,
    is_over: bool,
}

impl<'k, R: Read> Opened<'k, R> {
    /// The file `name`, whose bytes come from there.
    pub(super) fn new(from: R, key: &'k Key, name: &str) -> Self {
        Self { from, key, name: name.to_owned(), place: 0, clear: io::Cursor::default(), is_over: false }
    }

    fn chunk(&mut self) -> io::Result<()> {
        let wrong =
            || io::Error::new(io::ErrorKind::InvalidData, "it was written by another process, or changed");
        let mut head = [0; HEAD];
        self.from.read_exact(&mut head)?;
        let (length, rest) = head.split_first_chunk::<4>().ok_or_else(wrong)?;
        let (is_last, nonce) = rest.split_first().ok_or_else(wrong)?;
        let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| wrong())?;
        if length > CHUNK + TAG || *is_last > 1 {
            return Err(wrong());
        }
        let (is_last, nonce) = (*is_last == 1, Nonce::try_assume_unique_for_key(nonce).map_err(|_| wrong())?);
        let mut sealed = vec![0; length];
        self.from.read_exact(&mut sealed)?;
        let about = Aad::from(about(&self.name, self.place, is_last));
        let clear = self.key.0.open_in_place(nonce, about, &mut sealed).map_err(|_| wrong())?.len();
        sealed.truncate(clear);
        self.clear = io::Cursor::new(sealed);
        (self.place, self.is_over) = (self.place + 1, is_last);
        Ok(())
    }
}

impl<R: Read> Read for Opened<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.clear.read(buffer)?;
            if read > 0 || self.is_over || buffer.is_empty() {
                return Ok(read);
            }
            self.chunk()?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(key: &Key, name: &str, chunks: &[&[u8]]) -> Vec<Vec<u8>> {
        let last = chunks.len() - 1;
        (0..)
            .zip(chunks)
            .map(|(place, chunk)| key.seal(name, place, place == last as u64, chunk).unwrap())
            .collect()
    }

    fn opened(key: &Key, name: &str, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut clear = Vec::new();
        Opened::new(bytes, key, name).read_to_end(&mut clear).map(|_| clear)
    }

    #[test]
    fn what_was_written_is_read_and_is_nowhere_in_clear() {
        let key = Key::new().unwrap();
        let long = vec![b'x'; CHUNK];
        let bytes = sealed(&key, "a", &[&long, b"planted-4711", b""]).concat();
        assert!(!bytes.windows(7).any(|window| window == b"planted" || window == b"xxxxxxx"));
        assert_eq!(opened(&key, "a", &bytes).unwrap(), [&long[..], b"planted-4711"].concat());
        assert_eq!(opened(&key, "a", &sealed(&key, "a", &[b""]).concat()).unwrap(), b"");
    }

    #[test]
    fn another_process_another_file_another_order_and_half_a_file_are_refused() {
        let key = Key::new().unwrap();
        let chunks = sealed(&key, "a", &[b"one", b"two", b"three"]);
        let whole = chunks.concat();
        assert!(opened(&Key::new().unwrap(), "a", &whole).is_err());
        assert!(opened(&key, "b", &whole).is_err());
        let turned = [&chunks[1][..], &chunks[0], &chunks[2]].concat();
        assert!(opened(&key, "a", &turned).is_err());
        for cut in [0, HEAD, chunks[0].len(), whole.len() - 1] {
            assert!(opened(&key, "a", &whole[..cut]).is_err(), "cut at {cut}");
        }
        let mut changed = whole.clone();
        changed[HEAD] ^= 1;
        assert!(opened(&key, "a", &changed).is_err());
        let mut long = whole;
        long[..4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(opened(&key, "a", &long).is_err());
    }
}
