//! A record that is read keeps its bytes, and its header is written back as the very same text; whatever an entry is,
//! a log that has it goes on.
#![no_main]

use record::{LogState, Origin, Record};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(record) = Record::parse(bytes) {
        assert_eq!(record.bytes, bytes);
        assert_eq!(record.header.to_text(), record.note.text);
        assert_eq!(record.is_sealed(), record.commit().is_some());
        let origin: Origin = record.header.log.clone();
        assert_eq!(origin.to_string().parse::<Origin>().as_ref(), Ok(&origin));
    }
    if let Ok(state) = LogState::from_bytes(bytes) {
        assert_eq!(LogState::from_bytes(&state.to_bytes()).as_ref(), Ok(&state));
    }
});
