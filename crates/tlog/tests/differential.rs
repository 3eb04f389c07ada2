//! The same questions to three implementations that were not written here: `signed_note` and `tlog_tiles`
//! (Cloudflare's ports of Go's sumdb) and `ct-merkle`.

mod fixture;

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use fixture::{Log, leaf, log_signer, signer};
use proptest::prelude::*;
use sha2::Sha256;
use signed_note::{StandardSigner, StandardVerifier, VerifierList};
use tlog::tree::{prove_consistency, prove_inclusion};
use tlog::{
    Check, Checkpoint, Hash, KeyType, Note, SecretKey, SignedCheckpoint, Signer, TileId, verify_consistency,
    verify_inclusion,
};
use tlog_tiles::{Error, Tile, TileHashReader, TileReader};

/// Our tiles, served to their reader.
struct Served<F>(F);

impl<F: Fn(TileId) -> Option<Vec<u8>>> TileReader for Served<F> {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, Error> {
        let read = |tile: &Tile| {
            let width = u16::try_from(tile.width()).expect("at most 256");
            let ours = TileId { level: tile.level(), index: tile.level_index(), width };
            // Their paths name the height of the tile, as Go's do.
            assert_eq!(tile.path().strip_prefix("tile/8/"), ours.path().strip_prefix("tile/"));
            (self.0)(ours).ok_or(Error::BadMath)
        };
        tiles.iter().map(read).collect()
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

fn theirs(hash: Hash) -> tlog_tiles::Hash {
    tlog_tiles::Hash(hash.0)
}

fn ours(hashes: &[tlog_tiles::Hash]) -> Vec<Hash> {
    hashes.iter().map(|hash| Hash(hash.0)).collect()
}

#[test]
fn tlog_tiles_reads_our_tiles_and_makes_the_same_proofs() {
    for (old, size) in [(1, 1), (1, 2), (77, 255), (200, 256), (256, 257), (300, 70_000), (65_536, 70_000)] {
        let old_root = Log::of(old).edge.root();
        let log = Log::of(size);
        let root = log.edge.root();
        let source = log.source();
        let served = Served(&source);
        let reader = TileHashReader::new(size, theirs(root), &served);
        assert_eq!(tlog_tiles::tree_hash(size, &reader).expect("our tiles"), theirs(root));
        for index in [0, old - 1, size / 3, size - 1] {
            let proof = prove_inclusion(index, size, &source).expect("tiles");
            let their_proof = tlog_tiles::prove_record(size, index, &reader).expect("our tiles");
            assert_eq!(ours(&their_proof), proof, "{index} of {size}");
            let hash = theirs(leaf(index));
            tlog_tiles::check_record(&their_proof, size, theirs(root), index, hash).expect("valid");
        }
        let proof = prove_consistency(old, size, &source).expect("tiles");
        let their_proof = tlog_tiles::prove_tree(size, old, &reader).expect("our tiles");
        assert_eq!(ours(&their_proof), proof, "{old} to {size}");
        tlog_tiles::check_tree(&their_proof, size, theirs(root), old, theirs(old_root)).expect("valid");
    }
}

#[test]
fn ct_merkle_has_the_same_roots_and_proofs() {
    let mut tree = MemoryBackedTree::<Sha256, [u8; 8]>::new();
    let mut log = Log::default();
    let chunks = |bytes: &[u8]| bytes.chunks(32).map(|c| Hash(c.try_into().expect("32"))).collect::<Vec<_>>();
    for size in 1..=600_u64 {
        tree.push((size - 1).to_be_bytes());
        log.grow(size);
        let root = log.edge.root();
        assert_eq!(tree.root().as_bytes().as_slice(), root.0);
        if size % 37 != 0 && size != 256 && size != 257 {
            continue;
        }
        let source = log.source();
        for index in 0..size {
            let at = usize::try_from(index).expect("small");
            let proof = chunks(tree.prove_inclusion(at).as_bytes());
            assert_eq!(prove_inclusion(index, size, &source), Ok(proof.clone()));
            assert_eq!(verify_inclusion(leaf(index), index, size, &proof, root), Ok(()));
            if index > 0 {
                let proof =
                    chunks(tree.prove_consistency(usize::try_from(size).expect("small") - at).as_bytes());
                assert_eq!(prove_consistency(index, size, &source), Ok(proof.clone()));
                let old_root = tlog::root_of_leaves(&log.leaves[..at]);
                assert_eq!(verify_consistency(index, old_root, size, root, &proof), Ok(()));
            }
        }
    }
}

fn their_verifiers(signer: &dyn Signer) -> VerifierList {
    let verifier = StandardVerifier::new(&signer.key().to_string()).expect("our vkey");
    VerifierList::new(vec![Box::new(verifier)])
}

#[test]
fn signed_note_verifies_our_notes_and_we_verify_its() {
    let secret = SecretKey::from_seed([9; 32]);
    let signer = signer("a.example/author/1", KeyType::Ed25519, 9);
    let note = Note::sign("first\n\nthird\n", &[&signer]).expect("signed");
    let read = signed_note::Note::from_bytes(&note.to_bytes()).expect("our note");
    let (verified, _) = read.verify(&their_verifiers(&signer)).expect("valid");
    assert_eq!(verified.len(), 1);

    let text = secret.to_text("a.example/author/1", KeyType::Ed25519).expect("a name");
    let their_signer = StandardSigner::new(&text).expect("our secret key's text");
    let mut theirs = signed_note::Note::new(b"first\n\nthird\n", &[]).expect("a text");
    theirs.add_sigs(&[&their_signer]).expect("signed");
    assert_eq!(theirs.to_bytes(), note.to_bytes());
    assert_eq!(Note::parse(&theirs.to_bytes()).expect("their note").check(signer.key()), Check::Valid);
}

#[test]
fn tlog_tiles_reads_our_checkpoints() {
    let signed = Log::of(300).signed();
    let note = signed_note::Note::from_bytes(&signed.to_bytes()).expect("our checkpoint");
    note.verify(&their_verifiers(&log_signer())).expect("valid");
    let read = tlog_tiles::Checkpoint::from_bytes(note.text()).expect("three lines");
    assert_eq!((read.origin(), read.size()), (fixture::ORIGIN, 300));
    assert_eq!(*read.hash(), theirs(signed.checkpoint.root));
    assert_eq!(read.extension(), "");
}

proptest! {
    #[test]
    fn tiles_of_a_growing_log_are_those_of_tlog_tiles(old in 0..200_000_u64, more in 0..200_000_u64) {
        let mut expected: Vec<TileId> = Tile::new_tiles(8, old, old + more)
            .iter()
            .map(|t| TileId { level: t.level(), index: t.level_index(), width: u16::try_from(t.width()).expect("256") })
            .collect();
        expected.sort();
        prop_assert_eq!(tlog::tile::tiles_between(old, old + more).collect::<Vec<_>>(), expected);
    }

    /// Whatever we read as a note, they read alike; they are more lenient only where the specification is not.
    #[test]
    fn notes_that_we_read_are_read_alike(
        bytes in "([a-z \n]{0,12}\n){0,2}\n(— [a-z+ ]{0,3} [A-Za-z0-9+/]{0,2}(AAAAAAA=|AAAAAAAAAAA=|AAAAAAAA)\n){0,3}",
    ) {
        let (ours, theirs) = (Note::parse(bytes.as_bytes()), signed_note::Note::from_bytes(bytes.as_bytes()));
        prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{:?}", ours);
        if let (Ok(ours), Ok(theirs)) = (ours, theirs) {
            prop_assert_eq!(ours.text.as_bytes(), theirs.text());
            prop_assert_eq!(ours.to_bytes(), theirs.to_bytes());
        }
    }

    #[test]
    fn checkpoints_that_we_read_are_read_alike(size in 0..=i64::MAX as u64, root in any::<[u8; 32]>()) {
        let checkpoint = Checkpoint { origin: fixture::ORIGIN.to_owned(), size, root: Hash(root) };
        let signed = SignedCheckpoint::sign(checkpoint, &log_signer()).expect("the log's key");
        let read = tlog_tiles::Checkpoint::from_bytes(signed.note.text.as_bytes()).expect("three lines");
        prop_assert_eq!((read.size(), read.hash().0), (size, root));
        prop_assert_eq!(read.to_bytes(), signed.note.text.as_bytes());
    }
}
