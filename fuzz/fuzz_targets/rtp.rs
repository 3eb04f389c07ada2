//! Whatever packets come, from strangers and from a client that is connected: see `datagrams.rs`, which the tests of media play too.
#![no_main]

#[path = "../../crates/meet/tests/media/client.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod client;
#[path = "../../crates/meet/tests/media/datagrams.rs"]
mod datagrams;
#[path = "../../crates/meet/tests/media/network.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod network;
#[path = "../../crates/meet/tests/media/world.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod world;

libfuzzer_sys::fuzz_target!(|input: &[u8]| datagrams::play(input));
