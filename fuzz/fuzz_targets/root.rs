//! A trust root that is read is written back as the very same text, and none continues a chain that did not announce it.
#![no_main]

use record::{RootChain, SignedRoot, TrustRoot};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(signed) = SignedRoot::parse(bytes) {
        assert_eq!((signed.bytes.as_slice(), &signed.root.to_text()), (bytes, &signed.note.text));
        if let Ok(mut chain) = RootChain::accept_first(bytes) {
            assert!(chain.extend(bytes).is_ok(), "it is known");
            assert_eq!((chain.latest().version, chain.roots().count()), (1, 1), "and does not follow itself");
        }
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(root) = TrustRoot::parse_text(text)
    {
        assert_eq!(root.to_text(), text);
    }
});
