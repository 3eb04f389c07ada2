//! A made-up world: authorities with keys from their names, and their logs with real records.

use std::collections::BTreeMap;

use bytes::Bytes;
use record::logstate::{LogOpen, Previous, log_close_header, log_open_header, log_root_header};
use record::root::{Role, announced};
use record::seal::{self, Identity, Inner, OuterParts, Recipients};
use record::{
    AgeRecipient, AudienceId, Authority, BlobRef, Header, ListedKey, MediaType, Origin, Readers, Record, Ref,
    Relation, RootChain, SignedRoot, Status, Time, TrustRoot, Ulid, kind,
};
use tlog::checkpoint::{Checkpoint, SignedCheckpoint};
use tlog::{Edge, Hash, LocalSigner, SecretKey, Signer, leaf_hash, sha256};

/// Who reads, in every world.
pub const ME: &str = "moh.jpn.example";
/// Whose witness counts, in every world.
pub const WITNESS: &str = "who.example";

pub fn authority(name: &str) -> Authority {
    name.parse().expect("an authority")
}

pub fn time(seconds: i64) -> Time {
    Time::from_posix(seconds).expect("a time")
}

fn signer_named(shown: &str, name: &str, role: Role) -> LocalSigner {
    LocalSigner::new(shown, role.key_type(), SecretKey::from_seed(sha256(name.as_bytes()).0)).expect("a key")
}

fn signer(author: &Authority, role: Role, version: u64) -> LocalSigner {
    let name = format!("{author}/{role}/{version}");
    signer_named(&name, &name, role)
}

/// An authority: its roots, and who opens what is sealed for it.
#[derive(Clone)]
pub(super) struct Cast {
    pub(super) chain: RootChain,
    pub(super) identity: Identity,
    /// By version: since when the author key before it is revoked.
    revoked: BTreeMap<u64, Time>,
}

/// A log as its author has it.
#[derive(Clone)]
pub struct MadeLog {
    pub entries: Vec<Bytes>,
    pub seen: Vec<SignedCheckpoint>,
    pub readers: Readers,
    edge: Edge,
    root: u64,
    ended: bool,
}

/// What is said.
#[derive(Clone)]
pub struct Say<'a> {
    pub author: &'a str,
    /// Everybody, or these and the author.
    pub to: Option<&'a [&'a str]>,
    pub kind: &'a str,
    pub id: u64,
    pub edition: u32,
    pub status: Status,
    pub at: i64,
    pub refs: Vec<Ref>,
    pub table: Option<Vec<u8>>,
    /// Further files.
    pub files: Vec<Vec<u8>>,
}

impl<'a> Say<'a> {
    pub fn new(author: &'a str, kind: &'a str, id: u64, at: i64) -> Self {
        let status = Status::Actual;
        Self {
            author,
            to: None,
            kind,
            id,
            edition: 1,
            status,
            at,
            refs: Vec::new(),
            table: None,
            files: Vec::new(),
        }
    }
}

/// Where a record went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    pub origin: Origin,
    pub pos: u64,
    pub name: Hash,
    pub author: Authority,
}

impl Placed {
    pub fn withdraw(&self) -> Ref {
        Ref { relation: Relation::Withdraws, author: self.author.clone(), name: self.name }
    }
}

#[derive(Clone, Default)]
pub struct World {
    pub(super) cast: BTreeMap<Authority, Cast>,
    pub logs: BTreeMap<Origin, MadeLog>,
    pub blobs: BTreeMap<Hash, Bytes>,
    salt: u64,
}

impl World {
    pub fn new(authors: &[&str]) -> Self {
        let mut world = Self::default();
        for name in authors.iter().copied().chain([ME, WITNESS]) {
            let author = authority(name);
            let identity = Identity::generate();
            let first = signed(&author, &root(&author, 1, None, &identity, None));
            let chain = RootChain::accept_first(&first).expect("root 1");
            world.cast.insert(author, Cast { chain, identity, revoked: BTreeMap::new() });
        }
        world
    }

    pub fn chain(&self, author: &Authority) -> &RootChain {
        &self.cast[author].chain
    }

    fn random(&mut self) -> [u8; 32] {
        self.salt += 1;
        sha256(&self.salt.to_be_bytes()).0
    }

    fn readers(author: &Authority, to: Option<&[&str]>) -> Readers {
        match to {
            None => Readers::Public,
            Some(to) => {
                Readers::Set(to.iter().map(|reader| authority(reader)).chain([author.clone()]).collect())
            }
        }
    }

    /// The open log of an audience; opened if there is none.
    fn log_for(&mut self, author: &Authority, readers: &Readers, at: i64) -> Origin {
        let newest = self.cast[author].chain.latest().version;
        let of = |(origin, log): &(&Origin, &MadeLog)| {
            origin.authority == *author && log.readers == *readers && !log.ended
        };
        let open = self.logs.iter().find(of).map(|(origin, log)| (origin.clone(), log.root));
        match open {
            Some((origin, root)) if root == newest => origin,
            Some((origin, _)) => {
                let text = self.cast[author].chain.text_hash(newest).expect("in the chain");
                let note = self.cast[author].chain.bytes(newest).map(<[u8]>::to_vec);
                let note = note.as_deref().filter(|_| readers.is_public());
                let id = self.ulid();
                let header = log_root_header(&origin, (newest, text), note, id, time(at), Status::Actual);
                self.blobs.extend(note.map(|note| (sha256(note), Bytes::copy_from_slice(note))));
                self.logs.get_mut(&origin).expect("open").root = newest;
                self.append(&header);
                origin
            }
            None => self.open(author, readers, at, None),
        }
    }

    fn ulid(&mut self) -> Ulid {
        let random = self.random();
        Ulid::new(1, random[..10].try_into().expect("ten"))
    }

    fn policy() -> Vec<u8> {
        let witness = signer(&authority(WITNESS), Role::Witness, 1);
        format!("witness w {}\nquorum w\n", witness.key()).into_bytes()
    }

    fn open(&mut self, author: &Authority, readers: &Readers, at: i64, previous: Option<&Origin>) -> Origin {
        let random = self.random();
        let audience = match readers {
            Readers::Public => AudienceId::Public,
            Readers::Set(_) => AudienceId::random(random[..16].try_into().expect("sixteen")),
        };
        let taken = |origin: &Origin| self.logs.contains_key(origin);
        let mut origin = Origin { authority: author.clone(), audience, year: 2026, n: None };
        while taken(&origin) {
            origin.n = Some(origin.n.unwrap_or(1) + 1);
        }
        let chain = &self.cast[author].chain;
        let version = chain.latest().version;
        let root = (version, chain.text_hash(version).expect("in the chain"));
        let previous = previous.map(|before| {
            let edge = &self.logs[before].edge;
            Previous { origin: before.clone(), size: edge.size(), root: edge.root() }
        });
        let policy = Self::policy();
        let open = LogOpen { readers: readers.clone(), root, policy: sha256(&policy), previous };
        self.blobs.insert(sha256(&policy), policy.into());
        let id = self.ulid();
        let header = log_open_header(&origin, &open, id, time(at), Status::Actual);
        let log = MadeLog {
            entries: Vec::new(),
            seen: Vec::new(),
            readers: readers.clone(),
            edge: Edge::new(),
            root: version,
            ended: false,
        };
        self.logs.insert(origin.clone(), log);
        self.append(&header);
        origin
    }

    fn append(&mut self, header: &Header) -> (u64, Record) {
        let version = self.logs[&header.log].root;
        let author = signer(&header.author, Role::Author, version);
        let record = Record::sign(header, &[&author]).expect("a sound header");
        let log = self.logs.get_mut(&header.log).expect("open");
        log.edge.append(leaf_hash(&record.bytes), &mut |_, _| ());
        log.entries.push(record.bytes.clone().into());
        (log.edge.size() - 1, record)
    }

    /// Says something.
    pub fn say(&mut self, say: &Say<'_>) -> Placed {
        let author = authority(say.author);
        let readers = Self::readers(&author, say.to);
        let origin = self.log_for(&author, &readers, say.at);
        let media_type: MediaType = "text/csv;schema=hxl".parse().expect("a media type");
        let blob = |media_type: MediaType, bytes: &Vec<u8>| BlobRef {
            media_type,
            size: bytes.len() as u64,
            sha256: sha256(bytes),
            lang: None,
        };
        let tables = say.table.iter().map(|table| blob(media_type.clone(), table));
        let blobs = tables.chain(say.files.iter().map(|file| blob(MediaType::plain(), file)));
        let header = Header {
            author: author.clone(),
            log: origin,
            kind: say.kind.to_owned(),
            id: Ulid::new(say.id, [9; 10]),
            edition: say.edition,
            supersedes: (say.edition > 1).then(|| sha256(b"the one before")),
            released: time(say.at),
            status: say.status,
            mechanism: None,
            about: Vec::new(),
            usage: None,
            refs: say.refs.clone(),
            anchors: Vec::new(),
            blobs: blobs.collect(),
            expires: None,
            own: Vec::new(),
        };
        if readers.is_public() {
            let files = say.table.iter().chain(&say.files);
            self.blobs.extend(files.map(|file| (sha256(file), Bytes::from(file.clone()))));
            let (pos, record) = self.append(&header);
            return Placed { origin: header.log, pos, name: record.name(), author };
        }
        let inner = Inner { salt: self.random(), header };
        let plaintexts: Vec<&[u8]> = say.table.iter().chain(&say.files).map(Vec::as_slice).collect();
        self.seal(&inner, &plaintexts, &readers, say.at)
    }

    fn seal(&mut self, inner: &Inner, plaintexts: &[&[u8]], readers: &Readers, at: i64) -> Placed {
        let author = inner.header.author.clone();
        let log = self.log_for(&author, readers, at);
        let inner = Inner { header: Header { log: log.clone(), ..inner.header.clone() }, salt: inner.salt };
        let parts = OuterParts { log, id: self.ulid(), released: time(at).max(inner.header.released) };
        let sealed = match readers {
            Readers::Public => {
                let opened = seal::Opened {
                    inner_text: inner.to_text(),
                    inner: inner.clone(),
                    plaintexts: plaintexts.iter().map(|text| text.to_vec()).collect(),
                    opened_by: Vec::new(),
                };
                seal::publish(&opened, &[], &parts).expect("may be published")
            }
            Readers::Set(set) => {
                let roots: Vec<TrustRoot> =
                    set.iter().map(|reader| self.cast[reader].chain.latest().clone()).collect();
                let recipients = Recipients::of_readers(&roots, time(at), false).expect("recipients");
                seal::seal(&inner, plaintexts, &recipients, &parts).expect("may be sealed")
            }
        };
        for blob in sealed.blobs {
            self.blobs.insert(sha256(&blob), blob.into());
        }
        let (pos, record) = self.append(&sealed.outer);
        Placed { origin: sealed.outer.log, pos, name: record.name(), author }
    }

    /// Releases a sealed record again, to others or to everybody.
    pub fn again(&mut self, placed: &Placed, to: Option<&[&str]>, at: i64) -> Placed {
        let entry = &self.logs[&placed.origin].entries[usize::try_from(placed.pos).expect("small")];
        let record = Record::parse(entry).expect("a record");
        let cast = &self.cast[&placed.author];
        let root = self.root_at(&placed.origin, placed.pos);
        let fetch = |hash: &Hash| self.blobs.get(hash).map(|bytes| bytes.to_vec());
        let opened = seal::open(&record, &cast.chain, root, fetch, std::slice::from_ref(&cast.identity))
            .expect("one's own");
        let plaintexts: Vec<&[u8]> = opened.plaintexts.iter().map(Vec::as_slice).collect();
        let readers = Self::readers(&placed.author, to);
        self.seal(&opened.inner, &plaintexts, &readers, at)
    }

    /// The root in force at a place: the last that an entry before it names.
    fn root_at(&self, origin: &Origin, pos: u64) -> u64 {
        let entries = self.logs[origin].entries.iter().take(usize::try_from(pos).expect("small"));
        let roots = entries
            .filter_map(|bytes| Record::parse(bytes).ok())
            .filter(|r| kind::is_log_kind(&r.header.kind));
        let named = roots.filter_map(|r| r.header.own("root").next()?.split(' ').next()?.parse().ok());
        named.last().unwrap_or(1)
    }

    /// Goes on in another log where the one of an audience cannot be extended any more.
    pub fn go_on(&mut self, author: &str, to: Option<&[&str]>, at: i64) -> Origin {
        let author = authority(author);
        let readers = Self::readers(&author, to);
        let origin = self.log_for(&author, &readers, at);
        self.logs.get_mut(&origin).expect("open").ended = true;
        self.open(&author, &readers, at, Some(&origin))
    }

    /// Ends the log of an audience and goes on in another one.
    pub fn succeed(&mut self, author: &str, to: Option<&[&str]>, at: i64) {
        let author = authority(author);
        let readers = Self::readers(&author, to);
        let origin = self.log_for(&author, &readers, at);
        let next = Origin { n: Some(origin.n.unwrap_or(1) + 1), ..origin.clone() };
        let id = self.ulid();
        self.append(&log_close_header(&origin, &next, id, time(at), Status::Actual));
        self.logs.get_mut(&origin).expect("open").ended = true;
        self.open(&author, &readers, at, Some(&origin));
    }

    /// The next root of an author, which revokes the author key of the one before; its logs move to it with their next
    /// records.
    pub fn revoke(&mut self, author: &str, since: i64) {
        let author = authority(author);
        let cast = self.cast.get_mut(&author).expect("in the cast");
        let version = cast.chain.latest().version + 1;
        let previous = cast.chain.text_hash(version - 1);
        cast.revoked.insert(version, time(since));
        let next = root(&author, version, previous, &cast.identity, Some(time(since)));
        cast.chain.extend(&signed(&author, &next)).expect("the next root");
    }

    /// The witness sees a log up to a size.
    pub fn witness(&mut self, origin: &Origin, size: u64, at: i64) {
        let entries = &self.logs[origin].entries;
        let mut edge = Edge::new();
        let seen = entries.iter().take(usize::try_from(size).expect("small"));
        seen.for_each(|entry| edge.append(leaf_hash(entry), &mut |_, _| ()));
        let text = Checkpoint { origin: origin.to_string(), size: edge.size(), root: edge.root() };
        let log = signer_named(&origin.to_string(), &format!("{}/log/1", origin.authority), Role::Log);
        let mut checkpoint = SignedCheckpoint::sign(text, &log).expect("a checkpoint");
        let witness = signer(&authority(WITNESS), Role::Witness, 1);
        let line = checkpoint.cosign(&witness, u64::try_from(at).expect("after 1970")).expect("a line");
        checkpoint.add_cosignature(line).expect("room");
        self.logs.get_mut(origin).expect("there").seen.push(checkpoint);
    }

    /// Logs that somebody may read.
    pub fn logs_for(&self, reader: &str) -> Vec<Origin> {
        let reader = authority(reader);
        let mine = self.logs.iter().filter(|(_, log)| log.readers.includes(&reader));
        mine.map(|(origin, _)| origin.clone()).collect()
    }
}

fn root(
    author: &Authority,
    version: u64,
    previous: Option<Hash>,
    identity: &Identity,
    revokes: Option<Time>,
) -> TrustRoot {
    let vkey = |role, version| signer(author, role, version).key().clone();
    let listed = |role| ListedKey { role, vkey: vkey(role, version), kinds: vec![] };
    let kept = |role| ListedKey { role, vkey: vkey(role, 1), kinds: vec![] };
    TrustRoot {
        authority: author.clone(),
        version,
        previous,
        from: time(1_000),
        until: time(4_000_000_000),
        threshold: 1,
        roots: vec![vkey(Role::Root, version)],
        next: Some((1, vec![announced(&vkey(Role::Root, version + 1))])),
        keys: vec![
            listed(Role::Author),
            kept(Role::Log),
            kept(Role::Caller),
            kept(Role::Witness),
            kept(Role::Holds),
        ],
        age: vec![AgeRecipient {
            recipient: identity.recipient().to_owned(),
            from: time(1_000),
            until: time(4_000_000_000),
            expiring: false,
        }],
        revoked: revokes.map(|since| (vkey(Role::Author, version - 1), since)).into_iter().collect(),
        endpoint: None,
        mirrors: vec![],
        succession: vec![],
        unknown: vec![],
    }
}

fn signed(author: &Authority, root: &TrustRoot) -> Vec<u8> {
    SignedRoot::sign(root, &[&signer(author, Role::Root, root.version)]).expect("a sound root").bytes
}
