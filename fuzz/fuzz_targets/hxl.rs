//! A table of figures is read or refused, and written back: see `hxl.rs`, which the tests of seeds play too.
#![no_main]

#[path = "../../crates/formats/tests/seeds/hxl.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod hxl;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| drop(hxl::read(bytes)));
