//! The authorities of a run: their keys, trust roots, logs and records. Every key follows from its name.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use record::logstate::{LogOpen, Previous, log_close_header, log_open_header, log_root_header};
use record::root::announced;
use record::seal::Identity;
use record::{
    AgeRecipient, AudienceId, Authority, BlobRef, Header, ListedKey, MediaType, Origin, Readers, Record,
    Role, RootChain, SignedRoot, Status, Time, TrustRoot, Ulid, kind,
};
use tlog::{Hash, KeyType, LocalSigner, SecretKey, Signer, VerifierKey, sha256};

/// When every run begins: 22 November 2026, in milliseconds.
pub const BEGINNING: u64 = 1_795_305_600_000;

/// The authority of a number.
pub fn authority(n: usize) -> Authority {
    format!("a{n:02}.example").parse().expect("an authority")
}

thread_local! {
    /// Making a key costs as much as signing with it, and a run signs with few keys a hundred thousand times.
    static SIGNERS: RefCell<BTreeMap<(String, String), Rc<LocalSigner>>> = const { RefCell::new(BTreeMap::new()) };
    static CHAINS: RefCell<BTreeMap<(Authority, Versions), RootChain>> = const { RefCell::new(BTreeMap::new()) };
    static IDENTITIES: RefCell<BTreeMap<Authority, Identity>> = const { RefCell::new(BTreeMap::new()) };
}

/// Who opens what is sealed for an authority. Of a thread, not of a seed: age draws its own randomness.
pub fn identity(authority: &Authority) -> Identity {
    let made = |kept: &mut BTreeMap<Authority, Identity>| {
        kept.entry(authority.clone()).or_insert_with(Identity::generate).clone()
    };
    IDENTITIES.with_borrow_mut(made)
}

fn kept_signer(shown: &str, name: &str, key_type: KeyType) -> Rc<LocalSigner> {
    let make = || Rc::new(LocalSigner::new(shown, key_type, secret(name)).expect("a key"));
    SIGNERS
        .with_borrow_mut(|kept| kept.entry((shown.to_owned(), name.to_owned())).or_insert_with(make).clone())
}

/// A signer of `<authority>/<role>/<version>`.
pub fn signer(authority: &Authority, role: Role, version: u64) -> Rc<LocalSigner> {
    let name = format!("{authority}/{role}/{version}");
    kept_signer(&name, &name, role.key_type())
}

/// How many roots an authority made, and which of them revoked the log key or the author key before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Versions {
    /// The newest version.
    pub newest: u64,
    /// The version that revokes the log key of the one before, and since when, in milliseconds.
    pub revoking: Option<(u64, u64)>,
    /// The version that revokes the author key of the one before, and since when, in milliseconds.
    pub disowning: Option<(u64, u64)>,
}

impl Versions {
    /// The first root alone.
    pub const FIRST: Self = Self { newest: 1, revoking: None, disowning: None };

    /// The same chain when it ended earlier.
    #[must_use]
    pub fn up_to(self, newest: u64) -> Self {
        let until = |at: Option<(u64, u64)>| at.filter(|(version, _)| *version <= newest);
        Self { newest, revoking: until(self.revoking), disowning: until(self.disowning) }
    }
}

fn secret(name: &str) -> SecretKey {
    SecretKey::from_seed(sha256(name.as_bytes()).0)
}

/// The signer of a log's checkpoints: the log key of a root version, under the log's name.
pub fn log_signer(origin: &Origin, version: u64) -> Rc<LocalSigner> {
    let name = format!("{}/{}/{version}", origin.authority, Role::Log);
    kept_signer(&origin.to_string(), &name, KeyType::Ed25519)
}

fn vkey(authority: &Authority, role: Role, version: u64) -> VerifierKey {
    signer(authority, role, version).key().clone()
}

/// A time of a record.
pub fn time(ms: u64) -> Time {
    Time::from_posix(i64::try_from(ms / 1000).expect("a time")).expect("a time")
}

/// A root version: one key per role, numbered like the version; the witness key stays.
fn root(authority: &Authority, version: u64, versions: Versions, previous: Option<Hash>) -> TrustRoot {
    let listed = |role| ListedKey { role, vkey: vkey(authority, role, version), kinds: Vec::new() };
    let witness =
        ListedKey { role: Role::Witness, vkey: vkey(authority, Role::Witness, 1), kinds: Vec::new() };
    let roles = [Role::Log, Role::Author, Role::Caller, Role::Holds];
    TrustRoot {
        authority: authority.clone(),
        version,
        previous,
        from: time(BEGINNING - 1_000_000),
        until: time(BEGINNING + 30_000_000_000),
        threshold: 1,
        roots: vec![vkey(authority, Role::Root, version)],
        next: Some((1, vec![announced(&vkey(authority, Role::Root, version + 1))])),
        keys: roles.map(listed).into_iter().chain([witness]).collect(),
        age: vec![AgeRecipient {
            recipient: identity(authority).recipient().to_owned(),
            from: time(BEGINNING - 1_000_000_000),
            until: time(BEGINNING + 30_000_000_000),
            expiring: false,
        }],
        revoked: [(versions.revoking, Role::Log), (versions.disowning, Role::Author)]
            .into_iter()
            .filter_map(|(revoking, role)| Some((revoking?, role)))
            .filter(|((revoking, _), _)| *revoking == version)
            .map(|((_, since), role)| (vkey(authority, role, version - 1), time(since)))
            .collect(),
        endpoint: Some(format!("https://{authority}")),
        mirrors: Vec::new(),
        succession: Vec::new(),
        unknown: Vec::new(),
    }
}

/// The roots of an authority up to its newest.
pub fn chain(authority: &Authority, versions: Versions) -> RootChain {
    let key = (authority.clone(), versions);
    if let Some(chain) = CHAINS.with_borrow(|kept| kept.get(&key).cloned()) {
        return chain;
    }
    let signed = |root: &TrustRoot| {
        let signer = signer(authority, Role::Root, root.version);
        SignedRoot::sign(root, &[&*signer]).expect("a sound root").bytes
    };
    let mut chain = RootChain::accept_first(&signed(&root(authority, 1, versions, None))).expect("root 1");
    for version in 2..=versions.newest {
        let previous = chain.text_hash(version - 1);
        chain.extend(&signed(&root(authority, version, versions, previous))).expect("the next root");
    }
    CHAINS.with_borrow_mut(|kept| kept.insert(key, chain.clone()));
    chain
}

/// The public log of an authority.
pub fn public_log(authority: &Authority) -> Origin {
    Origin { authority: authority.clone(), audience: AudienceId::Public, year: 2026, n: None }
}

/// The restricted log of an authority: its name follows from its readers.
pub fn restricted_log(authority: &Authority, readers: &BTreeSet<Authority>) -> Origin {
    let all: String = readers.iter().map(Authority::to_string).collect();
    let mut random = [0; 16];
    random.copy_from_slice(&sha256(format!("{authority} {all}").as_bytes()).0[..16]);
    Origin { audience: AudienceId::random(random), ..public_log(authority) }
}

/// A witness policy: `quorum` of these authorities' witness keys.
pub fn policy(witnesses: &[Authority], quorum: usize) -> Vec<u8> {
    if witnesses.is_empty() {
        return b"quorum none\n".to_vec();
    }
    let mut text = String::new();
    for (n, witness) in witnesses.iter().enumerate() {
        let key = vkey(witness, Role::Witness, 1);
        text = format!("{text}witness w{n} {key}\n");
    }
    let names = (0..witnesses.len()).fold(String::new(), |names, n| format!("{names} w{n}"));
    (text + &format!("group g {quorum}{names}\nquorum g\n")).into_bytes()
}

/// The log of the same audience that comes after this one.
pub fn next_log(origin: &Origin) -> Origin {
    Origin { n: Some(origin.n.unwrap_or(1) + 1), ..origin.clone() }
}

/// The first entry of a log; `previous` is the head that it goes on from.
pub fn open(
    origin: &Origin,
    readers: &Readers,
    policy: &[u8],
    versions: Versions,
    previous: Option<&tlog::Checkpoint>,
    now: u64,
) -> Vec<u8> {
    let version = versions.newest;
    let text_hash = chain(&origin.authority, versions).text_hash(version).expect("in the chain");
    let previous = previous.map(|head| Previous {
        origin: head.origin.parse().expect("an origin"),
        size: head.size,
        root: head.root,
    });
    let open =
        LogOpen { readers: readers.clone(), root: (version, text_hash), policy: sha256(policy), previous };
    let mut header = log_open_header(origin, &open, Ulid::new(now, [1; 10]), time(now), Status::Test);
    header.blobs.push(blob_ref(MediaType::plain(), policy));
    sign(&header, version)
}

/// The entry that moves a log to a root version.
pub fn move_root(origin: &Origin, versions: Versions, now: u64) -> Vec<u8> {
    let (chain, version) = (chain(&origin.authority, versions), versions.newest);
    let text_hash = chain.text_hash(version).expect("in the chain");
    let note = if origin.audience.is_public() { chain.bytes(version) } else { None };
    let root = (version, text_hash);
    let header = log_root_header(origin, root, note, Ulid::new(now, [2; 10]), time(now), Status::Test);
    sign(&header, version)
}

/// The entry that ends a log.
pub fn close(origin: &Origin, version: u64, now: u64) -> Vec<u8> {
    let id = Ulid::new(now, [3; 10]);
    sign(&log_close_header(origin, &next_log(origin), id, time(now), Status::Test), version)
}

/// What a header says of a blob.
pub fn blob_ref(media_type: MediaType, bytes: &[u8]) -> BlobRef {
    BlobRef { media_type, size: bytes.len() as u64, sha256: sha256(bytes), lang: None }
}

/// A notice in a public log, with a blob if there is one. `salt` makes it unique.
pub fn record(origin: &Origin, version: u64, salt: u64, blob: Option<&[u8]>, now: u64) -> Vec<u8> {
    let mut random = [0; 10];
    random[..8].copy_from_slice(&salt.to_be_bytes());
    let header = Header {
        blobs: blob.into_iter().map(|bytes| blob_ref(MediaType::plain(), bytes)).collect(),
        ..Header::bare(origin, kind::NOTICE, Ulid::new(now, random), time(now), Status::Test)
    };
    sign(&header, version)
}

/// A header as an entry, signed by the author key of a root version.
pub fn sign(header: &Header, version: u64) -> Vec<u8> {
    let author = signer(&header.author, Role::Author, version);
    Record::sign(header, &[&*author]).expect("a sound header").bytes
}
