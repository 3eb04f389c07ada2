//! A note that is read is written back as the very same bytes.
#![no_main]

use tlog::Note;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(note) = Note::parse(bytes) {
        assert_eq!(note.to_bytes(), bytes);
        assert!(note.text.ends_with('\n') && !note.signatures.is_empty());
    }
});
