//! Whatever a client sends for a session description: see `descriptions.rs`, which the tests of media play too.
#![no_main]

#[path = "../../crates/meet/tests/media/client.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod client;
#[path = "../../crates/meet/tests/media/descriptions.rs"]
mod descriptions;
#[path = "../../crates/meet/tests/media/network.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod network;

libfuzzer_sys::fuzz_target!(|input: &[u8]| descriptions::play(input));
