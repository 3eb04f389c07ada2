//! Nudges, evidence of two views, requests of witnesses, addresses: see `exchange.rs`, which the tests of seeds play too.
#![no_main]

#[path = "../../crates/federate/tests/seeds/exchange.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod exchange;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| drop(exchange::read(bytes)));
