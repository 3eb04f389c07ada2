//! An inner header that is read is written back as the very same text; a charter in it reads and writes its lines.
#![no_main]

use record::Origin;
use record::charter::Charter;
use record::seal::Inner;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let log: Origin = "moh.chn.example/log/abcdefghijklmnopqrstuvwxyz/2026".parse().expect("an origin");
    if let Ok(inner) = Inner::parse(text, &log) {
        assert_eq!(inner.to_text(), text);
        if let Ok(charter) = Charter::parse(&inner.header.own) {
            let lines = charter.to_lines().expect("what is read can be written");
            assert_eq!(Charter::parse(&lines), Ok(charter));
        }
    }
});
