//! The one place where this program reads the clock.

use record::Time;

/// Seconds since 1970.
pub fn seconds() -> i64 {
    i64::try_from(milliseconds() / 1000).unwrap_or(i64::MAX)
}

/// Milliseconds since 1970; 0 if the clock stands before that.
pub fn milliseconds() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
}

/// Now, as records write it.
pub fn now() -> Time {
    Time::from_posix(seconds()).expect("the clock shows a year between 0 and 9999")
}
