//! An evidence file that is read is written back as the very same bytes, and proves nothing to whom pins nobody.
//! The input is a file without its last line, so that the hash there does not stop the fuzzer.
#![no_main]

use record::evidence::Evidence;
use tlog::sha256;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = Evidence::parse(bytes);
    let file = [bytes, format!("end {}\n", sha256(bytes)).as_bytes()].concat();
    if let Ok(evidence) = Evidence::parse(&file) {
        assert_eq!(evidence.to_bytes(), file);
        assert!(evidence.verify(&[]).conclusion.is_none());
        let pins: Vec<_> = evidence
            .roots
            .iter()
            .filter(|((_, version), _)| *version == 1)
            .filter_map(|(_, bytes)| record::SignedRoot::parse(bytes).ok())
            .map(|signed| signed.root.fingerprint())
            .collect();
        let report = evidence.verify(&pins);
        assert_eq!(report.conclusion.is_some(), report.steps.iter().all(|step| step.ok || !step.required));
    }
});
