//! A checkpoint that is read is written back as the very same bytes, and is what its note signs.
#![no_main]

use tlog::SignedCheckpoint;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(checkpoint) = SignedCheckpoint::parse(bytes) {
        assert_eq!(checkpoint.to_bytes(), bytes);
        assert_eq!(checkpoint.checkpoint.to_text(), checkpoint.note.text);
    }
});
