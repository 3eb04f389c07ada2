//! Which shard owns a session, read from a STUN packet. It verifies nothing: ICE does, in the owner.

use crate::contract::ShardId;

/// RFC 8839's `ice-char`, in an order of our own: the n-th letter begins the ufrags of shard n.
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// RFC 8489, section 5.
const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xA4, 0x42];
/// RFC 8489, section 14.3.
const USERNAME: u16 = 0x0006;
const HEADER: usize = 20;

/// The letter with which ufrags of a shard begin.
pub(super) fn letter(shard: ShardId) -> char {
    char::from(LETTERS[usize::from(shard.0) % LETTERS.len()])
}

/// The shard that owns the session which a STUN request is for: by the first letter of the first half of its `USERNAME`.
/// `None` for whatever is not a STUN request with such a name; then the owner is the one to which this source's last STUN
/// request went.
pub fn owner_of(bytes: &[u8]) -> Option<ShardId> {
    let first = username(bytes)?.first()?;
    let place = LETTERS.iter().position(|letter| letter == first)?;
    u8::try_from(place).ok().map(ShardId)
}

/// The ufrag of the receiver of a STUN request.
pub(super) fn receiver(bytes: &[u8]) -> Option<&str> {
    let name = std::str::from_utf8(username(bytes)?).ok()?;
    name.split(':').next()
}

/// The `USERNAME` of a STUN packet: `ufrag of the receiver:ufrag of the sender`.
fn username(bytes: &[u8]) -> Option<&[u8]> {
    if bytes.first()? & 0xC0 != 0 || bytes.get(4..8)? != MAGIC_COOKIE {
        return None;
    }
    let mut rest = bytes.get(HEADER..)?;
    loop {
        let (kind, after) = rest.split_first_chunk::<2>()?;
        let (length, after) = after.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_be_bytes(*length));
        if u16::from_be_bytes(*kind) == USERNAME {
            return after.get(..length);
        }
        rest = after.get(length.next_multiple_of(4)..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut bytes = vec![0, 1, 0, 0];
        bytes.extend(MAGIC_COOKIE);
        bytes.extend([7; 12]);
        for (kind, value) in attributes {
            bytes.extend(kind.to_be_bytes());
            bytes.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
            bytes.extend(*value);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        }
        bytes
    }

    #[test]
    fn the_first_letter_of_the_name_is_the_shard() {
        for shard in 0..64 {
            let name = format!("{}xyz:abcd", letter(ShardId(shard)));
            let packet = request(&[(0x8022, b"an agent"), (USERNAME, name.as_bytes())]);
            assert_eq!(owner_of(&packet), Some(ShardId(shard)));
        }
    }

    #[test]
    fn whatever_else_has_no_owner() {
        assert_eq!(owner_of(&[]), None);
        assert_eq!(owner_of(&request(&[])), None);
        assert_eq!(owner_of(&request(&[(USERNAME, b"")])), None);
        assert_eq!(owner_of(&request(&[(USERNAME, b"-dash:x")])), None);
        let mut rtp = request(&[(USERNAME, b"Axyz:abcd")]);
        rtp[0] = 0x80;
        assert_eq!(owner_of(&rtp), None);
        let whole = request(&[(USERNAME, b"Axyz:abcd")]);
        for cut in 0..whole.len() - 3 {
            assert_eq!(owner_of(&whole[..cut]), None, "cut at {cut}");
        }
    }
}
