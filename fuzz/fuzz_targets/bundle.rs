//! Bundles and tiles have one form for their content. The first byte chooses how many entries there are.
#![no_main]

use tlog::tile::{cut_bundle, tile_bytes, tile_hashes};
use tlog::{read_bundle, write_bundle};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(hashes) = tile_hashes(bytes) {
        assert_eq!(tile_bytes(&hashes), bytes);
    }
    let Some((count, bundle)) = bytes.split_first() else { return };
    let count = usize::from(*count) + 1;
    if let Ok(entries) = read_bundle(bundle, count) {
        assert_eq!(write_bundle(&entries).as_deref(), Ok(bundle));
        assert_eq!(cut_bundle(bundle, count), Some(bundle));
    } else {
        let _ = cut_bundle(bundle, count);
    }
});
