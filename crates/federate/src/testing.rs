//! For tests: an authority with keys from its name, and a log of it as a source serves it.

use std::collections::BTreeMap;

use record::logstate::{LogOpen, Previous, log_open_header, log_root_header};
use record::root::announced;
use record::{
    Authority, Header, ListedKey, Origin, Readers, Record, Role, RootChain, SignedRoot, Status, Time,
    TrustRoot, Ulid,
};
use tlog::{
    Checkpoint, Edge, Hash, KeyType, LocalSigner, SecretKey, SignedCheckpoint, Signer, TileId, leaf_hash,
    sha256, write_bundle,
};

use crate::paths::LogFile;
use crate::serve::Cut;

pub(crate) fn authority(name: &str) -> Authority {
    name.parse().unwrap()
}

/// One of an author's public logs.
pub(crate) fn origin(author: &str, n: u32) -> Origin {
    format!("{author}/log/public/2026.{}", n + 1).parse().unwrap()
}

pub(crate) fn signer(authority: &str, role: Role, n: u64) -> LocalSigner {
    let name = format!("{authority}/{role}/{n}");
    LocalSigner::new(&name, role.key_type(), SecretKey::from_seed(sha256(name.as_bytes()).0)).unwrap()
}

fn time(text: &str) -> Time {
    text.parse().unwrap()
}

/// Roots 1 to `versions`; the keys of each are numbered like it.
pub(crate) fn chain(authority: &str, versions: u64) -> RootChain {
    let mut chain: Option<RootChain> = None;
    for version in 1..=versions {
        let vkey = |role, n| signer(authority, role, n).key().clone();
        let roles = [Role::Log, Role::Author, Role::Caller, Role::Witness, Role::Holds];
        let listed = |role| ListedKey { role, vkey: vkey(role, version), kinds: vec![] };
        let root = TrustRoot {
            authority: authority.parse().unwrap(),
            version,
            previous: chain.as_ref().and_then(|chain| chain.text_hash(version - 1)),
            from: time("2026-11-01T00:00:00Z"),
            until: time("2027-11-01T00:00:00Z"),
            threshold: 1,
            roots: vec![vkey(Role::Root, version)],
            next: Some((1, vec![announced(&vkey(Role::Root, version + 1))])),
            keys: roles.map(listed).to_vec(),
            age: vec![],
            revoked: vec![],
            endpoint: None,
            mirrors: vec![],
            succession: vec![],
            unknown: vec![],
        };
        let bytes = SignedRoot::sign(&root, &[&signer(authority, Role::Root, version)]).unwrap().bytes;
        match &mut chain {
            Some(chain) => drop(chain.extend(&bytes).unwrap()),
            None => chain = Some(RootChain::accept_first(&bytes).unwrap()),
        }
    }
    chain.unwrap()
}

/// A log and the files that a source serves of it.
#[derive(Clone)]
pub(crate) struct TestLog {
    pub origin: Origin,
    pub entries: Vec<Vec<u8>>,
    pub version: u64,
    edge: Edge,
    tiles: BTreeMap<(u8, u64), Vec<u8>>,
}

impl TestLog {
    /// A log of which nothing is written.
    pub fn new(origin: &str) -> Self {
        let origin = origin.parse().unwrap();
        Self { origin, entries: vec![], version: 1, edge: Edge::new(), tiles: BTreeMap::new() }
    }

    /// Opened for these readers (none: the public).
    pub fn opened(origin: &str, readers: &[&str]) -> Self {
        Self::opened_from(origin, readers, None)
    }

    /// Opened for the public, and going on from the head of another one.
    pub fn opened_after(origin: &str, before: &Self) -> Self {
        let head = before.checkpoint().checkpoint;
        let previous = Previous { origin: before.origin.clone(), size: head.size, root: head.root };
        Self::opened_from(origin, &[], Some(previous))
    }

    fn opened_from(origin: &str, readers: &[&str], previous: Option<Previous>) -> Self {
        let mut log = Self::new(origin);
        let readers = match readers {
            [] => Readers::Public,
            _ => Readers::Set(readers.iter().map(|reader| reader.parse::<Authority>().unwrap()).collect()),
        };
        let hash = chain(log.author(), 1).text_hash(1).unwrap();
        let open = LogOpen { readers, root: (1, hash), policy: sha256(b"quorum none\n"), previous };
        let id = Ulid::new(1, [0; 10]);
        let header = log_open_header(&log.origin, &open, id, time("2026-11-22T09:00:00Z"), Status::Test);
        log.push(&header);
        log
    }

    fn author(&self) -> &str {
        self.origin.authority.as_str()
    }

    fn push(&mut self, header: &Header) -> Hash {
        let author = signer(self.author(), Role::Author, self.version);
        let record = Record::sign(header, &[&author]).unwrap();
        let name = record.name();
        self.push_bytes(record.bytes);
        name
    }

    /// Whatever bytes.
    pub fn push_bytes(&mut self, entry: Vec<u8>) {
        let tiles = &mut self.tiles;
        self.edge.append(leaf_hash(&entry), &mut |tile: TileId, bytes| {
            tiles.insert((tile.level, tile.index), bytes);
        });
        for (tile, bytes) in self.edge.partials() {
            tiles.insert((tile.level, tile.index), bytes);
        }
        self.entries.push(entry);
    }

    /// So many notices, told apart by `salt`.
    pub fn grow(&mut self, count: u64, salt: u8) -> &mut Self {
        for _ in 0..count {
            self.record(salt, |_| ());
        }
        self
    }

    /// One record, a notice but for what is changed. Answers its name.
    pub fn record(&mut self, salt: u8, change: impl FnOnce(&mut Header)) -> Hash {
        let id = Ulid::new(self.entries.len() as u64, [salt; 10]);
        let mut header = Header::bare(&self.origin, "notice", id, time("2026-11-22T10:00:00Z"), Status::Test);
        change(&mut header);
        self.push(&header)
    }

    /// Moves the log to its author's next root.
    pub fn move_root(&mut self) -> &mut Self {
        self.version += 1;
        let chain = chain(self.author(), self.version);
        let root = (self.version, chain.text_hash(self.version).unwrap());
        let (note, id) = (chain.bytes(self.version), Ulid::new(self.version, [9; 10]));
        let header =
            log_root_header(&self.origin, root, note, id, time("2026-11-22T11:00:00Z"), Status::Test);
        self.push(&header);
        self
    }

    pub fn root(&self) -> Hash {
        self.edge.root()
    }

    /// Signed by the log key of the root in force.
    pub fn checkpoint(&self) -> SignedCheckpoint {
        self.checkpoint_by(self.version)
    }

    pub fn checkpoint_by(&self, version: u64) -> SignedCheckpoint {
        let origin = self.origin.to_string();
        let name = format!("{}/log/{version}", self.author());
        let secret = SecretKey::from_seed(sha256(name.as_bytes()).0);
        let signer = LocalSigner::new(&origin, KeyType::Ed25519, secret).unwrap();
        let checkpoint = Checkpoint { origin, size: self.edge.size(), root: self.edge.root() };
        SignedCheckpoint::sign(checkpoint, &signer).unwrap()
    }

    /// What an honest source answers.
    pub fn file(&self, file: &LogFile) -> Option<Vec<u8>> {
        let stored = match file {
            LogFile::Tile(tile) => self.tiles.get(&(tile.level, tile.index))?.clone(),
            LogFile::Entries { index, .. } => {
                write_bundle(self.entries.chunks(256).nth(usize::try_from(*index).ok()?)?).ok()?
            }
            LogFile::Checkpoint => self.checkpoint().to_bytes(),
            LogFile::Seen(_) | LogFile::Held { .. } => return None,
        };
        Cut::of(file).apply(&stored).map(<[u8]>::to_vec)
    }
}
