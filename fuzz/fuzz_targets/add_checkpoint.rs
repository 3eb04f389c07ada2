//! A request that is read is written back as the very same bytes, and is refused where no log is known.
#![no_main]

use tlog::{AddCheckpoint, WitnessRefusal, judge, verify_consistency};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(request) = AddCheckpoint::parse(bytes) {
        assert_eq!(request.to_bytes(), bytes);
        assert!(matches!(judge(&request, None, &[]), Err(WitnessRefusal::UnknownOrigin { .. })));
        let checkpoint = &request.checkpoint.checkpoint;
        let _ = verify_consistency(
            request.old,
            checkpoint.root,
            checkpoint.size,
            checkpoint.root,
            &request.proof,
        );
    }
});
