//! Any bytes as the first blob of a rightly signed outer header are refused, or are what the header commits to.
#![no_main]

use record::seal::{Identity, open};
use record::{BlobRef, MediaType, Record, RootChain};
use tlog::{KeyType, LocalSigner, SecretKey, sha256};

const ROOT: &[u8] = include_bytes!("../../crates/record/tests/vectors/roots/moh.chn.example/1");
const OUTER: &[u8] = include_bytes!("../../crates/record/tests/vectors/sealed/entry/1");
const KEYS: &str = include_str!("../../crates/record/tests/vectors/keys");
const AUTHOR: &str = "moh.chn.example/author/1";

libfuzzer_sys::fuzz_target!(|blob: &[u8]| {
    let chain = RootChain::accept_first(ROOT).expect("a sound root");
    let mut outer = Record::parse(OUTER).expect("a record").header;
    let line =
        BlobRef { media_type: MediaType::age(), size: blob.len() as u64, sha256: sha256(blob), lang: None };
    outer.blobs = vec![line];
    let secret = SecretKey::from_seed(sha256(AUTHOR.as_bytes()).0);
    let signer = LocalSigner::new(AUTHOR, KeyType::Ed25519, secret).expect("a key");
    let outer = Record::sign(&outer, &[&signer]).expect("a record");
    let line = KEYS.lines().find(|line| line.starts_with("age moh.chn.example lasting ")).expect("a line");
    let identity: Identity = line.rsplit(' ').next().expect("a secret").parse().expect("an identity");
    if let Ok(opened) = open(&outer, &chain, 1, |_| Some(blob.to_vec()), &[identity]) {
        assert_eq!(Some(sha256(opened.inner_text.as_bytes())), outer.commit());
    }
});
