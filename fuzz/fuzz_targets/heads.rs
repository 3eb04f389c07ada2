//! What another node says of its logs is written back as the very same bytes.
#![no_main]

use federate::Heads;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(heads) = Heads::parse(bytes) {
        assert_eq!(heads.to_bytes(), bytes);
    }
});
