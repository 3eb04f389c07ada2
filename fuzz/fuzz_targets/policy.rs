//! A policy's plain text is the same policy; everybody satisfies it; nobody does, unless it asks for nobody.
#![no_main]

use tlog::Policy;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(policy) = Policy::parse(bytes) {
        assert_eq!(Policy::parse(policy.to_text().as_bytes()).as_ref(), Ok(&policy));
        assert!(policy.satisfied_by(|_| true));
        assert_eq!(policy.satisfied_by(|_| false), !policy.needs_witnesses());
        assert_eq!(policy.earliest(|_| Some(7)), policy.needs_witnesses().then_some(7));
    }
});
