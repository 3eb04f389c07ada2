//! The seeds of the fuzz targets `exchange` and `signed_request`, played through the targets themselves: each is taken as
//! far as it is meant to be, so that what is made of it begins behind the first checks.

mod exchange;
mod signed_request;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use federate::nudge::{Nudge, NudgeNote};
use federate::request::sign;
use federate::split::Split;
use federate::witness::Witness;
use federate::{RequestError, Route};
use signed_request::NOW;
use tlog::tree::prove_consistency;
use tlog::{
    AddCheckpoint, Checkpoint, Edge, KeyType, LocalSigner, SecretKey, SignedCheckpoint, Signer, TileId,
    leaf_hash,
};

const ORIGIN: &str = "moh.chn.example/log/public/2026";
const CALLER: &str = "moh.ita.example/caller/1";

/// Written here: where such a file differs, the format changed. With `WRITE_SEEDS=1` the files are written anew.
type Written = Vec<(&'static str, Vec<u8>)>;

fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target)
}

fn seed(target: &str, name: &str) -> Vec<u8> {
    std::fs::read(folder(target).join(name)).unwrap_or_else(|error| panic!("{target}/{name}: {error}"))
}

/// The files are those that are written today, and no others but `found`, which were found elsewhere.
fn check_files(target: &str, written: &Written, found: &[&str]) {
    for (name, bytes) in written {
        if std::env::var_os("WRITE_SEEDS").is_some() {
            std::fs::write(folder(target).join(name), bytes).expect("a seed");
        }
        assert!(&seed(target, name) == bytes, "{target}/{name} is not what is written today");
    }
    let files = std::fs::read_dir(folder(target)).expect("seeds");
    let files: BTreeSet<_> =
        files.map(|file| file.expect("a seed").file_name().into_string().expect("ASCII")).collect();
    let names = written.iter().map(|(name, _)| *name).chain(found.iter().copied());
    assert_eq!(files, names.map(str::to_owned).collect());
}

fn signer(name: &str, key_type: KeyType) -> LocalSigner {
    LocalSigner::new(name, key_type, SecretKey::from_seed([9; 32])).expect("a name")
}

fn log() -> LocalSigner {
    signer(ORIGIN, KeyType::Ed25519)
}

/// A log of numbered entries of which those from `fork` on are different.
struct Log {
    checkpoint: SignedCheckpoint,
    tiles: BTreeMap<(u8, u64), Vec<u8>>,
}

impl Log {
    fn of(size: u64, fork: u64) -> Self {
        let (mut edge, mut tiles) = (Edge::new(), BTreeMap::new());
        for n in 0..size {
            let leaf = leaf_hash(format!("{n} {}", n >= fork).as_bytes());
            edge.append(leaf, &mut |tile: TileId, bytes| drop(tiles.insert((tile.level, tile.index), bytes)));
        }
        tiles.extend(edge.partials().into_iter().map(|(tile, bytes)| ((tile.level, tile.index), bytes)));
        let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size, root: edge.root() };
        Self { checkpoint: SignedCheckpoint::sign(checkpoint, &log()).expect("a log key"), tiles }
    }

    fn one_view(size: u64) -> Self {
        Self::of(size, u64::MAX)
    }

    fn source(&self) -> impl Fn(TileId) -> Option<Vec<u8>> {
        |tile| self.tiles.get(&(tile.level, tile.index)).cloned()
    }
}

/// Two views, of which the larger one differs from the last entry of the smaller one on.
fn split(old: u64, new: u64) -> Vec<u8> {
    let (smaller, larger) = (Log::one_view(old), Log::of(new, old - 1));
    let split = Split::from_tiles(smaller.checkpoint, larger.checkpoint.clone(), larger.source());
    split.expect("all tiles").to_bytes()
}

/// Evidence with something between the word and the hashes of its proof.
fn split_with_more() -> Vec<u8> {
    String::from_utf8(split(3, 7)).expect("text").replace("\nproof ", "\nproof, ").into_bytes()
}

/// A log that grew, shown to a witness.
fn add_checkpoint(old: u64, new: u64) -> Vec<u8> {
    let log = Log::one_view(new);
    let proof = prove_consistency(old, new, log.source()).expect("all tiles");
    AddCheckpoint { old, proof, checkpoint: log.checkpoint }.to_bytes()
}

/// What somebody held of a log, told to its author.
fn receipt() -> Vec<u8> {
    let mut checkpoint = Log::one_view(7).checkpoint;
    let holder = signer("moh.ita.example/holds/1", KeyType::Cosignature);
    let line = checkpoint.cosign(&holder, NOW).expect("a cosigner's key");
    checkpoint.add_cosignature(line).expect("room");
    let note = NudgeNote::Receipt(Box::new(checkpoint));
    Nudge { from: "moh.ita.example".parse().expect("an authority"), note }.to_bytes()
}

fn exchanged() -> Written {
    vec![
        ("add_checkpoint", add_checkpoint(300, 700)),
        ("add_first_checkpoint", add_checkpoint(0, 7)),
        ("nudge", b"moh.ita.example\n".to_vec()),
        ("receipt_nudge", receipt()),
        ("split", split(300, 700)),
        ("split_of_one_size", split(7, 7)),
        ("split_with_more", split_with_more()),
    ]
}

#[test]
fn what_is_exchanged_is_what_is_written_today() {
    check_files("exchange", &exchanged(), &["path", "root_nudge"]);
}

#[test]
fn evidence_of_two_views_is_read_and_proves_them() {
    for name in ["split", "split_of_one_size"] {
        let split = exchange::read(&seed("exchange", name)).split.expect(name);
        assert_eq!(split.verify(&[log().key().clone()]), Ok(()), "{name}");
    }
}

#[test]
fn evidence_has_one_form() {
    assert_eq!(exchange::read(&seed("exchange", "split_with_more")).split, None);
}

#[test]
fn requests_of_witnesses_are_read_and_granted() {
    let keys = [log().key().clone()];
    let granted = |witness: &mut Witness, name| {
        let (origin, request) = exchange::read(&seed("exchange", name)).request.expect(name);
        witness.judge(&origin, &request, &keys).expect(name)
    };
    let mut witness = Witness::default();
    granted(&mut witness, "add_first_checkpoint");

    let mut witness = Witness::default();
    let before = Log::one_view(300).checkpoint;
    witness.restore(ORIGIN, &before.to_bytes()).expect("a checkpoint");
    granted(&mut witness, "add_checkpoint");
    assert_eq!(witness.latest(&ORIGIN.parse().expect("an origin")).expect("cosigned").size, 700);
}

#[test]
fn nudges_and_addresses_are_read() {
    let note = |name| exchange::read(&seed("exchange", name)).nudge.expect(name).note;
    assert_eq!(note("nudge"), NudgeNote::None);
    assert!(matches!(note("receipt_nudge"), NudgeNote::Receipt(_)));
    assert!(matches!(note("root_nudge"), NudgeNote::Root(_)));
    let route = exchange::read(&seed("exchange", "path")).route;
    assert!(matches!(route, Some(Route::Log { .. })), "{route:?}");
}

/// A request signed at this second and good for two minutes, and what a proxy on the way adds to both headers.
fn signed_at(created: u64, proxy: Option<(&str, &str)>) -> Vec<u8> {
    let (to, caller) = (signed_request::to(), signer(CALLER, KeyType::Ed25519));
    let headers = sign(signed_request::target(&to), created, created + 120, "0123456789abcdef", &caller);
    let headers = headers.expect("a caller's key");
    let (input, signature) = (headers.signature_input, headers.signature);
    match proxy {
        Some((theirs, signed)) => format!("{theirs}, {input}\n{signed}, {signature}").into_bytes(),
        None => format!("{input}\n{signature}").into_bytes(),
    }
}

fn requested() -> Written {
    let proxy =
        (r#"proxy=("@authority");created=1795305600;keyid="p, \" q";alg="rsa-pss-sha512""#, "proxy=:AAAA:");
    vec![
        ("beside_a_proxy", signed_at(NOW - 5, Some(proxy))),
        ("checkpoint", signed_at(NOW - 5, None)),
        ("expired", signed_at(NOW - 120, None)),
    ]
}

#[test]
fn signed_requests_are_what_is_signed_today() {
    check_files("signed_request", &requested(), &[]);
}

#[test]
fn signed_requests_are_verified_to_the_end() {
    let verified = |name| {
        let bytes = seed("signed_request", name);
        signed_request::verified(std::str::from_utf8(&bytes).expect("ASCII")).expect("two lines")
    };
    for name in ["checkpoint", "beside_a_proxy"] {
        let claim = verified(name).expect(name);
        assert_eq!((claim.vkey.name(), claim.created, claim.expires), (CALLER, NOW - 5, NOW + 115));
    }
    let refused = verified("expired");
    assert!(matches!(refused, Err(RequestError::Skewed { now: NOW, .. })), "{refused:?}");
}
