//! A proof file that is read is written back as the very same bytes, and proves nothing about a made-up leaf.
#![no_main]

use tlog::{ProofFile, sha256, verify_inclusion};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(file) = ProofFile::parse(bytes) {
        assert_eq!(file.to_bytes(), bytes);
        let checkpoint = &file.checkpoint.checkpoint;
        let leaf = sha256(bytes);
        assert!(verify_inclusion(leaf, file.index, checkpoint.size, &file.path, checkpoint.root).is_err());
    }
});
