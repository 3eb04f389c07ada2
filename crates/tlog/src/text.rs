//! What the line formats of this crate share: decimals, names, and the characters a note may hold.

/// The largest tree that this crate handles: 2^63 − 1 entries, as in the other implementations.
pub const MAX_TREE_SIZE: u64 = i64::MAX as u64;

/// A decimal without leading zeros, at most [`MAX_TREE_SIZE`].
pub fn parse_decimal(text: &str) -> Option<u64> {
    let canonical = match text.as_bytes() {
        [b'0'] => true,
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    if !canonical {
        return None;
    }
    text.parse().ok().filter(|n| *n <= MAX_TREE_SIZE)
}

/// C2SP signed-note: key names are non-empty and hold neither Unicode spaces nor plus.
pub fn is_key_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= crate::key::MAX_NAME
        && !name.chars().any(|c| c.is_whitespace() || c == '+' || c < ' ')
}

/// C2SP signed-note: no ASCII control characters other than newline.
pub fn has_control(text: &str) -> bool {
    text.bytes().any(|b| b < 0x20 && b != b'\n')
}
