//! The headers of a signed request: see `signed_request.rs`, which the tests of seeds play too.
#![no_main]

#[path = "../../crates/federate/tests/seeds/signed_request.rs"]
mod signed_request;

libfuzzer_sys::fuzz_target!(|text: &str| drop(signed_request::verified(text)));
