//! Whatever bytes two clients send to rooms: see `bytes.rs`, which the tests of rooms play too.
#![no_main]

#[path = "../../crates/meet/tests/rooms/bytes.rs"]
mod bytes;

libfuzzer_sys::fuzz_target!(|input: &[u8]| bytes::play(input));
