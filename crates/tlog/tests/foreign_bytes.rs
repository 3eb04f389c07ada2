//! Random and damaged bytes through every parser: each is refused or read, none panics, and what is read is
//! written back as the very same bytes.

mod fixture;

use fixture::{Log, log_signer, witness};
use proptest::prelude::*;
use tlog::tile::parse_bundle_path;
use tlog::tree::{prove_consistency, prove_inclusion};
use tlog::{
    AddCheckpoint, KeyType, Note, Policy, ProofFile, SecretKey, SignedCheckpoint, Signer, TileId,
    VerifierKey, bundle_path, read_bundle, write_bundle,
};

/// What every parser makes of the bytes. The fuzz targets ask the same.
fn parse_all(bytes: &[u8]) {
    if let Ok(note) = Note::parse(bytes) {
        assert_eq!(note.to_bytes(), bytes);
        note.check(log_signer().key());
    }
    if let Ok(checkpoint) = SignedCheckpoint::parse(bytes) {
        assert_eq!(checkpoint.to_bytes(), bytes);
        assert_eq!(checkpoint.checkpoint.to_text(), checkpoint.note.text);
        let _ = checkpoint.verify(log_signer().key());
        let _ = checkpoint.cosignatures([witness(1).key()].into_iter());
    }
    if let Ok(request) = AddCheckpoint::parse(bytes) {
        assert_eq!(request.to_bytes(), bytes);
        let _ = tlog::judge(&request, None, &[log_signer().key().clone()]);
    }
    if let Ok(file) = ProofFile::parse(bytes) {
        assert_eq!(file.to_bytes(), bytes);
        let _ = file.verify(fixture::leaf(0), log_signer().key());
    }
    if let Ok(policy) = Policy::parse(bytes) {
        assert_eq!(Policy::parse(policy.to_text().as_bytes()).as_ref(), Ok(&policy));
        assert!(policy.satisfied_by(|_| true));
    }
    for expected in [1, 2, 256] {
        if let Ok(entries) = read_bundle(bytes, expected) {
            assert_eq!(write_bundle(&entries).as_deref(), Ok(bytes));
        }
    }
    if let Ok(hashes) = tlog::tile::tile_hashes(bytes) {
        assert_eq!(tlog::tile::tile_bytes(&hashes), bytes);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        if let Ok(key) = text.parse::<VerifierKey>() {
            assert_eq!(key.to_string(), text);
        }
        if let Ok((key, secret)) = SecretKey::from_text(text) {
            assert_eq!(*secret.to_text(key.name(), key.key_type()).expect("as read"), text);
        }
        if let Ok(tile) = TileId::parse_path(text) {
            assert_eq!(tile.path(), text);
        }
        if let Ok((index, width)) = parse_bundle_path(text) {
            assert_eq!(bundle_path(index, width), text);
        }
    }
}

/// One valid file of each kind: also the seeds of the fuzz targets.
fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let log = Log::of(7);
    let mut checkpoint = log.signed();
    let line = checkpoint.cosign(&witness(1), 1_600_000_000).expect("a witness");
    checkpoint.add_cosignature(line).expect("room");
    let proof = prove_consistency(3, 7, log.source()).expect("tiles");
    let path = prove_inclusion(3, 7, log.source()).expect("tiles");
    let (w1, w2) = (witness(1), witness(2));
    let policy =
        format!("witness a {}\nwitness b {}\ngroup g any a b\nquorum g\n", w1.key(), w2.key()).into_bytes();
    let secret = SecretKey::from_seed([1; 32]).to_text("a.example", KeyType::Ed25519).expect("a name");
    vec![
        ("note/signed", Note::sign("text\n", &[&log_signer()]).expect("signed").to_bytes()),
        ("checkpoint/cosigned", checkpoint.to_bytes()),
        ("add_checkpoint/grown", AddCheckpoint { old: 3, proof, checkpoint: checkpoint.clone() }.to_bytes()),
        ("proof_file/extra", ProofFile { extra: Some(vec![1, 2, 3]), index: 3, path, checkpoint }.to_bytes()),
        ("policy/any", policy),
        // The fuzz target's first byte is the number of entries less one.
        ("bundle/two", [vec![1], write_bundle(&["one", "two"]).expect("small")].concat()),
        ("names/verifier", w1.key().to_string().into_bytes()),
        ("names/secret", secret.as_bytes().to_vec()),
        ("names/tile", b"tile/0/x001/x234/067.p/5".to_vec()),
        ("names/bundle", b"tile/entries/x001/x234/067".to_vec()),
    ]
}

/// The seeds of the fuzz targets are these files; where one differs, the format changed.
#[test]
fn seed_files_are_what_is_written_today() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    for (name, seed) in seeds() {
        let file = std::fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(file, seed, "{name}");
        parse_all(&seed);
    }
}

#[test]
fn seeds_cut_anywhere() {
    for (_, seed) in seeds() {
        (0..seed.len()).for_each(|end| parse_all(&seed[..end]));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        parse_all(&bytes);
    }

    #[test]
    fn random_lines(text in "([—a-z0-9 +=/.]{0,20}\n{0,2}){0,12}") {
        parse_all(text.as_bytes());
    }

    #[test]
    fn damaged_seeds(
        seed in prop::sample::select(seeds()),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 1..4),
    ) {
        let (_, mut bytes) = seed;
        for (place, byte, how) in damage {
            let at = place.index(bytes.len() + 1);
            match how {
                0 => bytes.insert(at, byte),
                1 if at < bytes.len() => { bytes.remove(at); }
                2 => bytes.insert(at, b'\n'),
                _ => if let Some(b) = bytes.get_mut(at) { *b = byte; },
            }
        }
        parse_all(&bytes);
    }
}
