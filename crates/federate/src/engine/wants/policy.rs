//! What of a record is wanted, and how soon. Withdrawals change nothing here: who looks at what was known before
//! one needs what it ended.

use record::{MAX_BLOB, MAX_INNER_BLOB, Record};
use tlog::Hash;

use super::{Class, Want};

/// What a record asks for.
pub struct Asked {
    /// Its blobs within the limits.
    pub wants: Vec<(Hash, Want)>,
    /// Whether it names a blob that is too large to be fetched.
    pub has_too_large: bool,
}

/// What the record at a place asks for from a time on, in milliseconds.
pub fn of_record(record: &Record, index: u64, now: u64) -> Asked {
    let header = &record.header;
    let mut asked = Asked { wants: Vec::new(), has_too_large: false };
    for (n, blob) in header.blobs.iter().enumerate() {
        let class = class(record.is_sealed(), n, blob.media_type.essence());
        let limit = if class == Class::Inner { MAX_INNER_BLOB } else { MAX_BLOB };
        if blob.size > limit {
            asked.has_too_large = true;
            continue;
        }
        let want = Want {
            size: blob.size,
            class,
            expires: header.expires,
            status: Some(header.status),
            noted: Some((index, now)),
            is_later: header.expires.is_some() && n > 0,
        };
        asked.wants.push((blob.sha256, want));
    }
    asked
}

fn class(is_sealed: bool, n: usize, essence: &str) -> Class {
    match (is_sealed, n) {
        (true, 0) => Class::Inner,
        (true, 1) | (false, 0) => Class::First,
        _ if essence == "application/json" => Class::Json,
        _ => Class::Rest,
    }
}
