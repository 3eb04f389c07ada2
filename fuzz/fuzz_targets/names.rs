//! Keys and paths that are read are written back as the very same text.
#![no_main]

use tlog::tile::{index_path, parse_bundle_path, parse_index_path};
use tlog::{NoteSignature, SecretKey, TileId, VerifierKey, bundle_path};

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(key) = text.parse::<VerifierKey>() {
        assert_eq!(key.to_string(), text);
    }
    if let Ok((key, secret)) = SecretKey::from_text(text) {
        assert_eq!(secret.to_text(key.name(), key.key_type()).as_deref().map(String::as_str), Ok(text));
    }
    if let Ok(tile) = TileId::parse_path(text) {
        assert_eq!(tile.path(), text);
    }
    if let Ok((index, width)) = parse_bundle_path(text) {
        assert_eq!(bundle_path(index, width), text);
    }
    if let Some(index) = parse_index_path(text) {
        assert_eq!(index_path(index), text);
    }
    if let Some(line) = NoteSignature::parse_line(text) {
        assert_eq!(line.to_line().strip_suffix('\n'), Some(text));
    }
});
