//! A witness's answers to `add-checkpoint`, status by status, and proof files.

mod fixture;

use fixture::{Log, ORIGIN, leaf, log_signer, signer, witness};
use tlog::tree::{prove_consistency, prove_inclusion};
use tlog::witness::MAX_ADD_CHECKPOINT;
use tlog::{
    AddCheckpoint, Checkpoint, EMPTY_ROOT, Hash, KeyType, ProofFile, ProofFileError, SignedCheckpoint,
    Signer, VerifierKey, WitnessRefusal, WitnessRequestError, judge,
};

fn keys() -> Vec<VerifierKey> {
    vec![signer("moh.chn.example/log/1", KeyType::Ed25519, 1).key().clone()]
}

/// The request of a log that grew from `old` to `new`.
fn request(old: u64, new: u64) -> AddCheckpoint {
    let log = Log::of(new);
    let proof = prove_consistency(old, new, log.source()).expect("tiles");
    AddCheckpoint { old, proof, checkpoint: log.signed() }
}

/// Size and root of the log as a witness saw it.
fn seen(size: u64) -> (u64, Hash) {
    (size, Log::of(size).edge.root())
}

fn status(request: &AddCheckpoint, latest: Option<(u64, Hash)>) -> u16 {
    judge(request, latest, &keys()).map_or_else(|refusal| refusal.status(), |_| 200)
}

#[test]
fn a_log_that_grows_is_cosigned() {
    for (old, new) in [(0, 0), (0, 7), (7, 7), (7, 300), (256, 300), (300, 600)] {
        let request = request(old, new);
        let latest = (old != 0).then(|| seen(old));
        assert_eq!(
            judge(&request, latest, &keys()),
            Ok(request.checkpoint.checkpoint.clone()),
            "{old} to {new}"
        );
    }
    assert_eq!(status(&request(0, 7), Some(seen(0))), 200);
}

#[test]
fn unknown_origin_is_404() {
    let refusal = judge(&request(0, 7), None, &[]).expect_err("no keys");
    assert_eq!(refusal, WitnessRefusal::UnknownOrigin { origin: ORIGIN.to_owned() });
    assert_eq!(refusal.status(), 404);
}

#[test]
fn no_signature_by_a_known_key_or_a_failing_one_is_403() {
    let request = request(0, 7);
    let other = signer("moh.chn.example/log/2", KeyType::Ed25519, 2).key().clone();
    assert_eq!(judge(&request, None, std::slice::from_ref(&other)).expect_err("unsigned").status(), 403);
    assert!(judge(&request, None, &[other, keys()[0].clone()]).is_ok(), "one of two keys is enough");

    let mut failing = request;
    let line = &mut failing.checkpoint.note.signatures[0];
    line.bytes[0] ^= 1;
    assert_eq!(status(&failing, None), 403);
}

#[test]
fn a_valid_and_a_failing_line_are_403() {
    let mut request = request(0, 7);
    let mut line = request.checkpoint.note.signatures[0].clone();
    line.bytes[0] ^= 1;
    request.checkpoint.note.add_signature(line).expect("room");
    assert_eq!(status(&request, None), 403);
}

#[test]
fn an_old_size_above_the_checkpoints_is_400_even_if_it_is_not_the_latest() {
    let mut request = request(0, 7);
    request.old = 8;
    assert_eq!(status(&request, Some(seen(5))), 400);
}

#[test]
fn another_old_size_than_the_latest_is_409_and_tells_the_latest() {
    let refusal = judge(&request(5, 7), Some(seen(6)), &keys()).expect_err("not the latest");
    assert_eq!(refusal, WitnessRefusal::Conflict { size: 6 });
    assert_eq!(refusal.status(), 409);
    assert_eq!(judge(&request(5, 7), None, &keys()), Err(WitnessRefusal::Conflict { size: 0 }));
    assert_eq!(judge(&request(0, 7), Some(seen(9)), &keys()), Err(WitnessRefusal::Conflict { size: 9 }));
}

#[test]
fn proofs_that_do_not_verify_are_422() {
    let mut from_empty = request(0, 7);
    from_empty.proof.push(leaf(1));
    assert_eq!(status(&from_empty, None), 422);

    let mut wrong = request(5, 7);
    wrong.proof[0] = leaf(1000);
    assert_eq!(status(&wrong, Some(seen(5))), 422);

    let mut missing = request(5, 7);
    missing.proof.clear();
    assert_eq!(status(&missing, Some(seen(5))), 422);

    // The same size with another root: the log shows two trees.
    assert_eq!(status(&request(7, 7), Some((7, leaf(1)))), 422);

    // The empty tree has one root.
    let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size: 0, root: leaf(0) };
    let checkpoint = SignedCheckpoint::sign(checkpoint, &log_signer()).expect("the log's key");
    assert_eq!(status(&AddCheckpoint { old: 0, proof: Vec::new(), checkpoint }, None), 422);
}

#[test]
fn requests_that_are_none() {
    let text = String::from_utf8(request(5, 7).to_bytes()).expect("UTF-8");
    let parse = |text: String| AddCheckpoint::parse(text.as_bytes()).expect_err("refused");
    assert_eq!(parse(text.replace("old 5", "old 05")), WitnessRequestError::OldSize);
    assert_eq!(parse(text.replace("old 5", "new 5")), WitnessRequestError::OldSize);
    assert_eq!(parse(text.replacen('=', "", 1)), WitnessRequestError::Hash { line: 2 });
    assert_eq!(parse("old 5\n".to_owned()), WitnessRequestError::Format);
    let line = format!("{}\n", leaf(0).to_base64());
    assert_eq!(
        parse(text.replace("old 5\n", &format!("old 5\n{}", line.repeat(63)))),
        WitnessRequestError::TooManyHashes
    );
    let large = format!("old 5\n\n{}", "a".repeat(MAX_ADD_CHECKPOINT));
    assert_eq!(parse(large.clone()), WitnessRequestError::TooLarge(large.len()));
    assert_eq!(parse("old 5\n\nno checkpoint".to_owned()).code(), "note-separator");
}

#[test]
fn a_proof_file_shows_one_entry_under_the_logs_key() {
    let log = Log::of(300);
    let mut checkpoint = log.signed();
    let line = checkpoint.cosign(&witness(1), 1_600_000_000).expect("a witness");
    checkpoint.add_cosignature(line).expect("room");
    let path = prove_inclusion(137, 300, log.source()).expect("tiles");
    let file = ProofFile { extra: Some(b"for the reader".to_vec()), index: 137, path, checkpoint };
    let read = ProofFile::parse(&file.to_bytes()).expect("as written");
    assert_eq!(read.verify(leaf(137), &keys()[0]), Ok(()));
    assert_eq!(read.verify(leaf(136), &keys()[0]).expect_err("another entry").code(), "proof-root");
    let thief = signer("moh.chn.example/log/1", KeyType::Ed25519, 2);
    assert_eq!(read.verify(leaf(137), thief.key()).expect_err("another key").code(), "checkpoint-not-signed");
}

#[test]
fn proof_files_that_are_none() {
    let log = Log::of(3);
    let path = prove_inclusion(1, 3, log.source()).expect("tiles");
    let file = ProofFile { extra: Some(vec![1]), index: 1, path, checkpoint: log.signed() };
    let text = String::from_utf8(file.to_bytes()).expect("UTF-8");
    let parse = |text: String| ProofFile::parse(text.as_bytes()).expect_err("refused");
    assert_eq!(parse(text.replace("proof@v1", "proof@v2")), ProofFileError::Header);
    assert_eq!(parse(text.replace("extra AQ==", "extra ")), ProofFileError::Extra);
    assert_eq!(parse(text.replace("extra AQ==", "extra AQ")), ProofFileError::Extra);
    assert_eq!(parse(text.replace("index 1", "index 01")), ProofFileError::Index { line: 3 });
    assert_eq!(parse(text.replace("extra AQ==\nindex 1", "index x")), ProofFileError::Index { line: 2 });
    assert_eq!(parse(text.replace("index 1\n", "index 1\nAAAA\n")), ProofFileError::Hash { line: 4 });
    let line = format!("{}\n", EMPTY_ROOT.to_base64());
    let many = format!("index 1\n{}", line.repeat(63));
    assert_eq!(parse(text.replace("index 1\n", &many)), ProofFileError::TooManyHashes);
    assert_eq!(parse(text.replace("\n\n", "\n")), ProofFileError::Format);
}
