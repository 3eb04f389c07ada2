//! A bundle that is read is written back as the very same bytes. The input is a file without its last line, so that
//! the hash there does not stop the fuzzer.
#![no_main]

use federate::bundle::Bundle;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = Bundle::parse(bytes);
    let file = [bytes, format!("end {}\n", tlog::sha256(bytes).to_hex()).as_bytes()].concat();
    if let Ok(bundle) = Bundle::parse(&file) {
        assert_eq!(bundle.to_bytes(), file);
        let _ = bundle.heads();
    }
});
