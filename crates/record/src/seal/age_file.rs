//! Binary age v1 files to and from X25519 keys: the only cipher of sealed records.
//!
//! It adds limits to the library: the header of a file is found and measured before it is parsed, so that a
//! hostile file costs no more than its length. It never sees passphrases, plugins or armor.

use std::fmt;
use std::io::{self, BufRead, Read, Write};
use std::str::FromStr;

use age::secrecy::ExposeSecret;
use age::{DecryptError, Decryptor, Encryptor, x25519};
use zeroize::{Zeroize, Zeroizing};

use crate::encoding::EncodingError;

/// Longest header of an age file, in bytes: stanzas for more than 2,000 recipients.
pub const MAX_AGE_HEADER: usize = 256 * 1024;

/// A private key of a reader. Never shown by `Debug`.
#[derive(Clone)]
pub struct Identity {
    key: x25519::Identity,
    recipient: String,
}

impl Identity {
    /// A new one, from the operating system's randomness.
    pub fn generate() -> Self {
        Self::of(x25519::Identity::generate())
    }

    /// The recipient that this identity opens, as an `age` line lists it.
    pub fn recipient(&self) -> &str {
        &self.recipient
    }

    /// `AGE-SECRET-KEY-1...`.
    pub fn to_secret_text(&self) -> Zeroizing<String> {
        Zeroizing::new(self.key.to_string().expose_secret().to_owned())
    }

    fn of(key: x25519::Identity) -> Self {
        Self { recipient: key.to_public().to_string(), key }
    }
}

impl FromStr for Identity {
    type Err = EncodingError;

    fn from_str(text: &str) -> Result<Self, EncodingError> {
        // The error must not repeat the text: it is a secret.
        let error = |_| EncodingError::new("age identity", "", "AGE-SECRET-KEY-1...");
        text.parse().map(Self::of).map_err(error)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity(of {}, redacted)", self.recipient)
    }
}

/// Why a file was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum AgeError {
    /// No stanza is for any of the identities.
    #[error("no stanza is for these keys")]
    NoKey,
    /// The header is malformed or too long, or a stanza that is ours is.
    #[error("the header is no age v1 header of at most {MAX_AGE_HEADER} bytes")]
    Header,
    /// The header was not made by who knew the file's key.
    #[error("the header is not authentic")]
    Mac,
    /// The payload is truncated, altered, or followed by other bytes.
    #[error("the payload is not authentic")]
    Payload,
}

/// A plaintext, and which of the identities opened it.
pub(super) struct Plaintext {
    pub(super) bytes: Vec<u8>,
    pub(super) identity: usize,
}

/// Parses an X25519 recipient, in its one spelling.
pub(super) fn recipient(text: &str) -> Option<x25519::Recipient> {
    text.parse::<x25519::Recipient>().ok().filter(|recipient| recipient.to_string() == text)
}

/// Seals to the recipients. `None` if there are none, or if the library cannot write to memory.
pub(super) fn encrypt(plaintext: &[u8], recipients: &[x25519::Recipient]) -> Option<Vec<u8>> {
    let recipients = recipients.iter().map(|recipient| recipient as &dyn age::Recipient);
    let encryptor = Encryptor::with_recipients(recipients).ok()?;
    let mut file = Vec::with_capacity(plaintext.len() + plaintext.len() / 4096 + 4096);
    let mut writer = encryptor.wrap_output(&mut file).ok()?;
    writer.write_all(plaintext).ok()?;
    writer.finish().ok()?;
    Some(file)
}

/// Opens a file with the first of the identities that it is for.
pub(super) fn decrypt(file: &[u8], identities: &[Identity]) -> Result<Plaintext, AgeError> {
    let (header, payload) = split(file).ok_or(AgeError::Header)?;
    // One identity at a time, to know which one it was: expiring keys are destroyed at the last day of what
    // they open.
    for (n, identity) in identities.iter().enumerate() {
        let decryptor =
            Decryptor::new_buffered(HeaderFirst { header, payload }).map_err(|_| AgeError::Header)?;
        if decryptor.is_scrypt() {
            return Err(AgeError::Header);
        }
        match decryptor.decrypt(std::iter::once(&identity.key as &dyn age::Identity)) {
            Ok(reader) => return Ok(Plaintext { bytes: read(reader, payload.len())?, identity: n }),
            Err(DecryptError::NoMatchingKeys) => {}
            Err(DecryptError::InvalidMac) => return Err(AgeError::Mac),
            Err(_) => return Err(AgeError::Header),
        }
    }
    Err(AgeError::NoKey)
}

fn read(mut reader: impl Read, size: usize) -> Result<Vec<u8>, AgeError> {
    let mut bytes = Vec::with_capacity(size);
    if reader.read_to_end(&mut bytes).is_err() {
        // What was decrypted before the fault is not to be used, nor to linger.
        bytes.zeroize();
        return Err(AgeError::Payload);
    }
    Ok(bytes)
}

/// Header, up to the end of its MAC line, and payload.
fn split(file: &[u8]) -> Option<(&[u8], &[u8])> {
    const MAC: &[u8] = b"\n--- ";
    let head = file.get(..MAX_AGE_HEADER).unwrap_or(file);
    let mac = head.windows(MAC.len()).position(|window| window == MAC)? + MAC.len();
    let end = mac + head.get(mac..)?.iter().position(|b| *b == b'\n')? + 1;
    file.split_at_checked(end)
}

/// Gives the library the whole header at its first request. It asks for lines, and parses all that it has
/// after each: line by line, the cost would be the square of the header's length.
struct HeaderFirst<'f> {
    header: &'f [u8],
    payload: &'f [u8],
}

impl Read for HeaderFirst<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let part = if self.header.is_empty() { &mut self.payload } else { &mut self.header };
        part.read(buffer)
    }
}

impl BufRead for HeaderFirst<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        Ok(if self.header.is_empty() { self.payload } else { self.header })
    }

    fn consume(&mut self, amount: usize) {
        let part = if self.header.is_empty() { &mut self.payload } else { &mut self.header };
        part.consume(amount);
    }

    fn read_until(&mut self, _: u8, buffer: &mut Vec<u8>) -> io::Result<usize> {
        let header = std::mem::take(&mut self.header);
        buffer.extend_from_slice(header);
        Ok(header.len())
    }
}
