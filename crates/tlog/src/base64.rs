//! Standard base64 (RFC 4648 section 4), padded, in its one canonical form.
//!
//! It never accepts missing padding, white space, or non-zero trailing bits: two texts never decode to the
//! same bytes.

use base64ct::{Base64, Encoding};

/// The text is not canonical, padded, standard base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not canonical base64 with padding")]
pub struct Base64Error;

/// Standard base64 with padding.
pub fn encode(bytes: &[u8]) -> String {
    Base64::encode_string(bytes)
}

/// The bytes of a canonical base64 text.
pub fn decode(text: &str) -> Result<Vec<u8>, Base64Error> {
    let bytes = Base64::decode_vec(text).map_err(|_| Base64Error)?;
    // The decoder is strict already; this keeps the promise if it should ever become lenient.
    if Base64::encoded_len(&bytes) == text.len() { Ok(bytes) } else { Err(Base64Error) }
}

/// As [`decode`], for exactly `N` bytes.
pub fn decode_array<const N: usize>(text: &str) -> Result<[u8; N], Base64Error> {
    let mut buffer = [0_u8; N];
    if text.len() != N.div_ceil(3) * 4 {
        return Err(Base64Error);
    }
    let decoded = Base64::decode(text, &mut buffer).map_err(|_| Base64Error)?;
    if decoded.len() == N { Ok(buffer) } else { Err(Base64Error) }
}
