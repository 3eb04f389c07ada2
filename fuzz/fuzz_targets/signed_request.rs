//! The headers of a signed request: whatever they hold, nobody is recognised whose key did not sign.
//! The input is `Signature-Input`, a line feed, and `Signature`.
#![no_main]

use federate::request::{RequestError, Target, verify};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let Some((input, signature)) = text.split_once('\n') else { return };
    let to = "who.example".parse().expect("an authority");
    let target = Target { method: "GET", path: "/log/public/2026/checkpoint", query: None, to: &to };
    let claim = match verify(target, input, signature, 1_795_305_600) {
        Ok(claim) => claim,
        Err(RequestError::Skewed { claim, .. }) => *claim,
        Err(error) => return assert!(!error.code().is_empty()),
    };
    // Whoever signs: no signature is good for longer.
    assert!(claim.expires > claim.created && claim.expires - claim.created <= 300);
});
