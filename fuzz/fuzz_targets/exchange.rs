//! Nudges, evidence of two views, requests of witnesses, addresses: each has one form.
#![no_main]

use federate::Route;
use federate::nudge::Nudge;
use federate::split::Split;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Some(nudge) = Nudge::parse(bytes) {
        assert_eq!(nudge.to_bytes(), bytes);
    }
    if let Ok(split) = Split::parse(bytes) {
        assert_eq!(split.to_bytes(), bytes);
        assert!(split.verify(&[]).is_err(), "without a key nothing is proven");
    }
    let _ = federate::witness::Witness::read(bytes);
    if let Ok(path) = std::str::from_utf8(bytes)
        && let Some(route) = Route::parse(path)
    {
        assert_eq!(route.path(), path);
    }
});
