//! What is written is read again as it was, and a path or bundle has one form only.

mod fixture;

use fixture::{leaf, log_signer, signer, witness};
use proptest::prelude::*;
use tlog::tile::{MAX_ENTRY, cut_bundle, parse_bundle_path, parse_index_path};
use tlog::{
    AddCheckpoint, Checkpoint, Hash, KeyType, Note, NoteSignature, ProofFile, SecretKey, SignedCheckpoint,
    TileError, TileId, VerifierKey, bundle_path, index_path, read_bundle, write_bundle,
};

fn name() -> impl Strategy<Value = String> {
    "[^\\s+\\x00-\\x1f]{1,40}".prop_filter("a name", |name| !name.chars().any(char::is_whitespace))
}

fn hash() -> impl Strategy<Value = Hash> {
    any::<[u8; 32]>().prop_map(Hash)
}

fn signature() -> impl Strategy<Value = NoteSignature> {
    (name(), any::<u32>(), prop::collection::vec(any::<u8>(), 1..100))
        .prop_map(|(name, id, bytes)| NoteSignature { name, id, bytes })
}

fn checkpoint() -> impl Strategy<Value = SignedCheckpoint> {
    (name(), 0..=i64::MAX as u64, hash(), prop::collection::vec(signature(), 0..15)).prop_map(
        |(origin, size, root, lines)| {
            let log_key = signer(&origin, KeyType::Ed25519, 3);
            let checkpoint = Checkpoint { origin, size, root };
            let mut signed = SignedCheckpoint::sign(checkpoint, &log_key).expect("named by the origin");
            for line in lines {
                signed.add_cosignature(line).expect("at most fifteen");
            }
            signed
        },
    )
}

proptest! {
    #[test]
    fn hashes(hash in hash()) {
        prop_assert_eq!(Hash::from_hex(&hash.to_hex()), Ok(hash));
        prop_assert_eq!(Hash::from_base64(&hash.to_base64()), Ok(hash));
        prop_assert!(Hash::from_hex(&hash.to_hex().to_uppercase()).is_err() || !hash.to_hex().contains(char::is_alphabetic));
    }

    #[test]
    fn base64(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let text = tlog::base64::encode(&bytes);
        prop_assert_eq!(tlog::base64::decode(&text), Ok(bytes));
        if text.ends_with('=') {
            prop_assert!(tlog::base64::decode(text.trim_end_matches('=')).is_err());
        }
    }

    #[test]
    fn keys(name in name(), seed in any::<[u8; 32]>(), cosigner in any::<bool>()) {
        let key_type = if cosigner { KeyType::Cosignature } else { KeyType::Ed25519 };
        let secret = SecretKey::from_seed(seed);
        let key = secret.verifier(&name, key_type).expect("a valid name");
        prop_assert_eq!(key.to_string().parse::<VerifierKey>(), Ok(key.clone()));
        let text = secret.to_text(&name, key_type).expect("a valid name");
        let (read, again) = SecretKey::from_text(&text).expect("as written");
        prop_assert_eq!((read, *again.seed()), (key, seed));
    }

    #[test]
    fn notes(text in "([^\\x00-\\x09\\x0b-\\x1f]{0,60}\n){1,5}", lines in prop::collection::vec(signature(), 1..20)) {
        let note = Note { text, signatures: lines };
        prop_assert_eq!(Note::parse(&note.to_bytes()), Ok(note));
    }

    #[test]
    fn checkpoints_proof_files_and_requests(
        checkpoint in checkpoint(),
        number in 0..=i64::MAX as u64,
        path in prop::collection::vec(hash(), 0..=63),
        extra in prop::option::of(prop::collection::vec(any::<u8>(), 1..100)),
    ) {
        prop_assert_eq!(SignedCheckpoint::parse(&checkpoint.to_bytes()), Ok(checkpoint.clone()));
        let request = AddCheckpoint { old: number, proof: path.clone(), checkpoint: checkpoint.clone() };
        prop_assert_eq!(AddCheckpoint::parse(&request.to_bytes()), Ok(request));
        let file = ProofFile { extra, index: number, path, checkpoint };
        prop_assert_eq!(ProofFile::parse(&file.to_bytes()), Ok(file));
    }

    #[test]
    fn paths(level in 0..=63_u8, index in 0..=i64::MAX as u64, width in 1..=256_u16) {
        let tile = TileId { level, index, width };
        prop_assert_eq!(TileId::parse_path(&tile.path()), Ok(tile));
        prop_assert_eq!(parse_bundle_path(&bundle_path(index, width)), Ok((index, width)));
        prop_assert_eq!(parse_index_path(&index_path(index)), Some(index));
        prop_assert_eq!(parse_index_path(&format!("x000/{}", index_path(index))), None);
    }

    #[test]
    fn bundles(entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..=256)) {
        let bundle = write_bundle(&entries).expect("small entries");
        let read = read_bundle(&bundle, entries.len()).expect("as written");
        prop_assert_eq!(&read, &entries);
        prop_assert!(read_bundle(&bundle, entries.len() - 1).is_err());
        prop_assert!(read_bundle(&bundle, entries.len() + 1).is_err());
        prop_assert!(read_bundle(&bundle[..bundle.len() - 1], entries.len()).is_err());
        let half = entries.len() / 2;
        let cut = cut_bundle(&bundle, half).expect("so many are there");
        prop_assert_eq!(cut, write_bundle(&entries[..half]).unwrap_or_default());
        prop_assert_eq!(cut_bundle(&bundle, entries.len() + 1), None);
    }

    #[test]
    fn cosignatures(time in 1..=i64::MAX as u64, size in 0..1_000_u64) {
        let checkpoint = Checkpoint { origin: fixture::ORIGIN.to_owned(), size, root: leaf(size) };
        let mut signed = SignedCheckpoint::sign(checkpoint, &log_signer()).expect("the log's key");
        let witness = witness(1);
        let key = tlog::Signer::key(&witness).clone();
        let line = signed.cosign(&witness, time).expect("a witness key");
        signed.add_cosignature(line).expect("one line");
        let signed = SignedCheckpoint::parse(&signed.to_bytes()).expect("as written");
        prop_assert_eq!(signed.cosignatures([&key].into_iter()), Ok(vec![(key, time)]));
    }
}

#[test]
fn entries_of_every_size_up_to_the_limit() {
    let largest = vec![7; MAX_ENTRY];
    let bundle = write_bundle(&[&largest, &Vec::new()]).expect("the largest entry fits");
    assert_eq!(read_bundle(&bundle, 2), Ok(vec![largest.as_slice(), &[]]));
    assert_eq!(
        write_bundle(&[vec![], vec![7; MAX_ENTRY + 1]]),
        Err(TileError::EntryTooLarge { entry: 1, size: MAX_ENTRY + 1 })
    );
}

#[test]
fn paths_that_are_not_the_one_form_are_refused() {
    for path in [
        "tile/0/67",
        "tile/0/0067",
        "tile/0/x000/067",
        "tile/0/x01/067",
        "tile/0/001/067",
        "tile/0/x001/x067",
        "tile/00/067",
        "tile/64/067",
        "tile/-1/067",
        "tile/0/067.p/0",
        "tile/0/067.p/05",
        "tile/0/067.p/256",
        "tile/0/067.p/",
        "tile/0/067/",
        "/tile/0/067",
        "tile/0/+67",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
        "tile/entries/067",
        "",
    ] {
        assert_eq!(TileId::parse_path(path), Err(TileError::Path(path.to_owned())));
    }
}
