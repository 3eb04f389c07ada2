//! What a note, a key, a checkpoint and a cosignature refuse, and why.

mod fixture;

use fixture::{Log, ORIGIN, log_signer, signer, witness};
use tlog::note::{MAX_NOTE, MAX_SIGNATURES};
use tlog::{
    Check, Checkpoint, CheckpointError, CosignatureError, EMPTY_ROOT, KeyError, KeyType, Note, NoteError,
    NoteSignature, SecretKey, SignedCheckpoint, Signer, VerifierKey,
};

const LINE: &str = "— a.example AAAAAAA=\n";

#[test]
fn notes_that_are_none() {
    let cases: [(Vec<u8>, NoteError); 10] = [
        (b"text\n".to_vec(), NoteError::NoSeparator),
        (b"".to_vec(), NoteError::NoSeparator),
        (b"text\n\n".to_vec(), NoteError::NoSignature),
        (b"te\xffxt\n\n".to_vec(), NoteError::NotUtf8(2)),
        (format!("te\txt\n\n{LINE}").into_bytes(), NoteError::Control),
        (format!("te\rxt\n\n{LINE}").into_bytes(), NoteError::Control),
        (format!("text\n\n{}", LINE.trim_end()).into_bytes(), NoteError::NoFinalNewline),
        (format!("text\n\n{LINE}text\n").into_bytes(), NoteError::SignatureLine { line: 2 }),
        (vec![b'a'; MAX_NOTE + 1], NoteError::TooLarge(MAX_NOTE + 1)),
        (
            format!("text\n\n{}", LINE.repeat(MAX_SIGNATURES + 1)).into_bytes(),
            NoteError::TooManySignatures { limit: MAX_SIGNATURES },
        ),
    ];
    for (bytes, error) in cases {
        assert_eq!(Note::parse(&bytes), Err(error));
    }
    assert!(Note::parse(format!("text\n\n{}", LINE.repeat(MAX_SIGNATURES)).as_bytes()).is_ok());
}

#[test]
fn signature_lines_that_are_none() {
    for line in [
        "- a.example AAAAAAA=",  // a hyphen
        "—a.example AAAAAAA=",   // no space
        "— a.example",           // no signature
        "—  AAAAAAA=",           // no name
        "— a+b AAAAAAA=",        // a plus
        "— a\u{a0}b AAAAAAA=",   // a Unicode space
        "— a.example AAAAAA==",  // an id and nothing else
        "— a.example AAAAAAA",   // no padding
        "— a.example AAAAAAB=",  // bits after the end
        "— a.example AAAAAAA= ", // a space at the end
        "— a.example  AAAAAAA=", // two spaces
    ] {
        assert_eq!(NoteSignature::parse_line(line), None, "{line}");
    }
    assert!(NoteSignature::parse_line("— a.example AAAAAAA=").is_some());
}

#[test]
fn lines_of_others_are_ignored_and_one_failing_line_of_ours_fails_the_note() {
    let signer = signer("a.example/author/1", KeyType::Ed25519, 1);
    let mut note = Note::sign("text\n", &[&signer]).expect("signed");
    assert_eq!(note.check(signer.key()), Check::Valid);
    let other = fixture::signer("b.example/author/1", KeyType::Ed25519, 2);
    assert_eq!(note.check(other.key()), Check::Absent);
    let key = signer.key();
    let bytes = vec![0; 64];
    note.add_signature(NoteSignature { name: key.name().to_owned(), id: key.id() ^ 1, bytes: bytes.clone() })
        .expect("room");
    note.add_signature(NoteSignature { name: "b.example".to_owned(), id: key.id(), bytes: bytes.clone() })
        .expect("room");
    assert_eq!(note.check(key), Check::Valid);
    note.add_signature(NoteSignature { name: key.name().to_owned(), id: key.id(), bytes }).expect("room");
    assert_eq!(note.check(key), Check::Failed);
}

#[test]
fn a_cosigner_key_neither_signs_nor_verifies_a_note() {
    let witness = witness(1);
    assert!(matches!(Note::sign("text\n", &[&witness]), Err(NoteError::SignerType { .. })));
    let bytes = SecretKey::from_seed([101; 32]).sign(b"text\n").to_vec();
    let line = NoteSignature { name: witness.key().name().to_owned(), id: witness.key().id(), bytes };
    assert_eq!(
        Note { text: "text\n".to_owned(), signatures: vec![line] }.check(witness.key()),
        Check::Failed
    );
    let signer = log_signer();
    assert_eq!(Note::sign("text", &[&signer]), Err(NoteError::TextEnd));
    assert_eq!(Note::sign("te\u{7}xt\n", &[&signer]), Err(NoteError::Control));
    assert_eq!(Note::sign("text\n", &[]), Err(NoteError::NoSignature));
}

#[test]
fn verifier_keys_that_are_none() {
    let key = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    assert!(key.parse::<VerifierKey>().is_ok());
    let parse = |text: String| text.parse::<VerifierKey>().expect_err("refused");
    assert_eq!(parse(key.replace("530d", "530e")).code(), "key-id-mismatch");
    assert_eq!(parse(key.replace("530d", "530D")), KeyError::Id("530D903a".to_owned()));
    assert_eq!(parse(key.replace("foo", "fo o")), KeyError::Name("example.com/fo o".to_owned()));
    assert_eq!(parse(key.replace("example.com/foo", "")), KeyError::Name(String::new()));
    assert_eq!(parse(key.replace("+530d903a", "")), KeyError::Format);
    assert_eq!(
        parse(key.replace("+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "+Aeky")),
        KeyError::Length(2)
    );
    assert_eq!(parse(key.replace("+Ae", "+Be")), KeyError::UnknownType(5));
    assert_eq!(parse(format!("{key}=")), KeyError::Base64);
    assert_eq!(parse(format!("{}{key}", "a".repeat(400))), KeyError::Format);
}

#[test]
fn secret_keys_have_gos_text_and_are_never_shown() {
    let secret = SecretKey::from_seed([7; 32]);
    let text = secret.to_text("a.example/log/1", KeyType::Ed25519).expect("a name");
    assert!(text.starts_with("PRIVATE+KEY+a.example/log/1+"));
    let (key, again) = SecretKey::from_text(&text).expect("as written");
    assert_eq!((key.public(), again.seed()), (&secret.public(), &[7; 32]));
    assert_eq!(format!("{secret:?}"), "SecretKey(redacted)");
    let signer = format!("{:?}", log_signer());
    assert!(signer.contains("redacted") && !signer.contains("[1, 1"), "{signer}");
    assert_eq!(SecretKey::from_text("a.example/log/1").expect_err("refused"), KeyError::Format);
}

#[test]
fn checkpoint_texts_that_are_none() {
    let root = EMPTY_ROOT.to_base64();
    let parse = |text: String| Checkpoint::parse_text(&text).expect_err("refused");
    assert_eq!(parse(format!("a b\n0\n{root}\n")), CheckpointError::Origin);
    assert_eq!(parse(format!("\n0\n{root}\n")), CheckpointError::Origin);
    for size in ["00", "01", "-1", "+1", "", "1 ", "9223372036854775808", "99999999999999999999"] {
        assert_eq!(parse(format!("a.example\n{size}\n{root}\n")), CheckpointError::Size, "{size}");
    }
    assert_eq!(parse(format!("a.example\n0\n{}\n", root.trim_end_matches('='))), CheckpointError::Root);
    assert_eq!(parse("a.example\n0\nAAAA\n".to_owned()), CheckpointError::Root);
    assert_eq!(parse(format!("a.example\n0\n{root}\nextension\n")), CheckpointError::Lines { found: 4 });
    assert_eq!(parse("a.example\n0\n".to_owned()), CheckpointError::Lines { found: 2 });
    assert_eq!(parse(format!("a.example\n0\n{root}")), CheckpointError::Note(NoteError::TextEnd));
}

#[test]
fn a_log_key_signs_as_its_origin_whatever_it_is_listed_as() {
    let signed = Log::of(3).signed();
    let listed = signer("moh.chn.example/log/1", KeyType::Ed25519, 1);
    assert_eq!(signed.verify(listed.key()), Ok(()));
    assert_eq!(signed.verify(log_signer().key()), Ok(()));
    let thief = signer("moh.chn.example/log/1", KeyType::Ed25519, 2);
    assert_eq!(signed.verify(thief.key()).expect_err("another key").code(), "checkpoint-not-signed");
    assert_eq!(signed.verify(witness(1).key()).expect_err("a witness").code(), "checkpoint-log-key");
    let error = SignedCheckpoint::sign(signed.checkpoint.clone(), &listed).expect_err("not the origin");
    assert_eq!(error.code(), "checkpoint-log-key");

    let mut forged = signed.clone();
    forged.checkpoint.size = 4;
    assert_eq!(forged.verify(listed.key()), Err(CheckpointError::TextMismatch));
    forged.note.text = forged.checkpoint.to_text();
    assert_eq!(forged.verify(listed.key()).expect_err("not signed").code(), "checkpoint-bad-signature");
}

#[test]
fn fifteen_cosignatures_and_no_more() {
    let mut signed = Log::of(3).signed();
    let keys: Vec<VerifierKey> = (0..16).map(|n| witness(n).key().clone()).collect();
    for n in 0..15 {
        let line = signed.cosign(&witness(n), 1_600_000_000 + u64::from(n)).expect("a witness");
        signed.add_cosignature(line.clone()).expect("room");
        signed.add_cosignature(line).expect("the same line once more is nothing new");
    }
    let line = signed.cosign(&witness(15), 1_600_000_000).expect("a witness");
    assert_eq!(signed.add_cosignature(line.clone()), Err(CheckpointError::TooManySignatures { found: 17 }));
    assert_eq!(signed.cosignatures(keys.iter()).expect("all valid").len(), 15);
    let bytes = [signed.to_bytes(), line.to_line().into_bytes()].concat();
    assert_eq!(SignedCheckpoint::parse(&bytes), Err(CheckpointError::TooManySignatures { found: 17 }));
}

#[test]
fn a_failing_cosignature_of_a_known_witness_refuses_the_checkpoint() {
    let (known, unknown) = (witness(1), witness(2));
    let mut signed = Log::of(3).signed();
    let mut line = signed.cosign(&known, 1_600_000_000).expect("a witness");
    line.bytes[7] ^= 1; // another time than the one signed
    signed.add_cosignature(line.clone()).expect("room");
    let error = CosignatureError::BadSignature { key: known.key().name().to_owned() };
    assert_eq!(signed.cosignatures([known.key()].into_iter()), Err(error));
    assert_eq!(signed.cosignatures([unknown.key()].into_iter()), Ok(Vec::new()));
}

#[test]
fn of_two_cosignatures_of_one_witness_the_earlier_counts() {
    let witness = witness(1);
    let mut signed = Log::of(3).signed();
    for time in [1_600_000_100, 1_600_000_000] {
        let line = signed.cosign(&witness, time).expect("a witness");
        signed.add_cosignature(line).expect("room");
    }
    let found = signed.cosignatures([witness.key()].into_iter());
    assert_eq!(found, Ok(vec![(witness.key().clone(), 1_600_000_000)]));
}

#[test]
fn cosignatures_that_are_none() {
    let witness = witness(1);
    let signed = Log::of(3).signed();
    let text = &signed.note.text;
    assert_eq!(signed.cosign(&witness, 0), Err(CosignatureError::Time(0)));
    assert_eq!(signed.cosign(&witness, 1 << 63), Err(CosignatureError::Time(1 << 63)));
    assert_eq!(signed.cosign(&log_signer(), 1).expect_err("a log").code(), "cosignature-key-type");
    assert_eq!(tlog::cosign("text\n", &witness, 1).expect_err("no checkpoint").code(), "checkpoint-lines");
    let line = signed.cosign(&witness, 5).expect("a witness");
    assert_eq!(tlog::verify_cosignature(text, &line, witness.key()), Ok(5));
    let short = NoteSignature { bytes: line.bytes[..71].to_vec(), ..line.clone() };
    let long = NoteSignature { bytes: [line.bytes.as_slice(), &[0]].concat(), ..line.clone() };
    for wrong in [short, long] {
        let error = tlog::verify_cosignature(text, &wrong, witness.key()).expect_err("length");
        assert_eq!(error.code(), "cosignature-length");
    }
    let other = fixture::witness(2);
    assert_eq!(
        tlog::verify_cosignature(text, &line, other.key()).expect_err("other").code(),
        "cosignature-other-key"
    );
    let another = Log::of(4).signed();
    assert_eq!(
        tlog::verify_cosignature(&another.note.text, &line, witness.key()).expect_err("another text").code(),
        "cosignature-bad-signature"
    );
    assert!(text.starts_with(ORIGIN));
}
