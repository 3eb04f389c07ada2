//! Three ministries with keys from fixed seeds and age identities, and the logs that they keep.

use record::root::AgeRecipient;
use record::seal::{Identity, Inner, OuterParts, Recipients, Sealed, seal};
use record::{Authority, BlobRef, Fingerprint, Header, Origin, Record, Role, RootChain, Time, Ulid};
use tlog::{Checkpoint, Hash, ProofFile, SignedCheckpoint, Signer, leaf_hash, root_of_leaves, sha256};

use crate::fixture::{Ministry, time};

/// A ministry, its roots, and the private keys of its age recipients.
pub struct Node {
    pub ministry: Ministry,
    pub chain: RootChain,
    pub lasting: Identity,
    pub expiring: Identity,
}

pub fn chn() -> Node {
    Node::new("moh.chn.example")
}

pub fn jpn() -> Node {
    Node::new("mhlw.jpn.example")
}

pub fn kor() -> Node {
    Node::new("kdca.kor.example")
}

impl Node {
    pub fn new(name: &'static str) -> Self {
        let ministry = Ministry { name };
        let lasting = identity(&format!("{name} lasting"));
        let expiring = identity(&format!("{name} expiring"));
        let mut root = ministry.root(1, None);
        let recipient = |identity: &Identity, until: &str, expiring| AgeRecipient {
            recipient: identity.recipient().into(),
            from: time("2026-11-01T00:00:00Z"),
            until: time(until),
            expiring,
        };
        root.age = vec![
            recipient(&lasting, "2027-11-01T00:00:00Z", false),
            recipient(&expiring, "2026-12-02T00:00:00Z", true),
        ];
        let chain = RootChain::accept_first(&ministry.signed(&root).bytes).expect("a sound root");
        Self { ministry, chain, lasting, expiring }
    }

    pub fn authority(&self) -> Authority {
        self.ministry.authority()
    }

    pub fn fingerprint(&self) -> Fingerprint {
        self.chain.fingerprint()
    }

    pub fn identities(&self) -> Vec<Identity> {
        vec![self.expiring.clone(), self.lasting.clone()]
    }

    /// A header of a kind in the ministry's restricted log, with these plaintexts as blobs.
    pub fn inner(&self, kind: &str, plaintexts: &[&[u8]]) -> Inner {
        let blob = |bytes: &&[u8]| BlobRef {
            media_type: "text/plain".parse().expect("a media type"),
            size: bytes.len() as u64,
            sha256: sha256(bytes),
            lang: Some("en".parse().expect("a language")),
        };
        let log = self.ministry.restricted_log();
        let header =
            Header { blobs: plaintexts.iter().map(blob).collect(), ..self.ministry.header(&log, kind, 7) };
        Inner { header, salt: [9; 32] }
    }

    pub fn sign(&self, header: &Header) -> Record {
        self.ministry.sign(header, 1)
    }
}

/// The outer parts of a record in a log.
pub fn parts(log: &Origin) -> OuterParts {
    OuterParts { log: log.clone(), id: Ulid::new(3, [1; 10]), released: released() }
}

/// Seals to the lasting (or expiring) recipients of these readers.
pub fn seal_to(inner: &Inner, plaintexts: &[&[u8]], readers: &[&Node]) -> Sealed {
    let recipients = recipients(readers, inner.header.expires.is_some());
    seal(inner, plaintexts, &recipients, &parts(&inner.header.log)).expect("sealed")
}

/// When the tests' outer headers are released.
pub fn released() -> Time {
    time("2026-11-22T10:00:00Z")
}

pub fn recipients(readers: &[&Node], expiring: bool) -> Recipients {
    let roots = readers.iter().map(|node| node.chain.latest());
    Recipients::of_readers(roots, released(), expiring).expect("recipients in force")
}

/// Gives blobs by their hash.
pub fn store(blobs: &[Vec<u8>]) -> impl Fn(&Hash) -> Option<Vec<u8>> + use<'_> {
    |hash| blobs.iter().find(|blob| sha256(blob) == *hash).cloned()
}

/// An age identity whose 32 bytes are the hash of a name: its Bech32 text, as age writes it.
pub fn identity(name: &str) -> Identity {
    bech32("age-secret-key-", &sha256(name.as_bytes()).0).to_uppercase().parse().expect("an identity")
}

/// BIP 173.
fn bech32(prefix: &str, bytes: &[u8]) -> String {
    const CHARACTERS: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    let mut data = Vec::new();
    let (mut held, mut bits) = (0_u32, 0);
    for byte in bytes {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            data.push(held >> bits & 31);
        }
    }
    if bits > 0 {
        data.push(held << (5 - bits) & 31);
    }
    let expanded = prefix.bytes().map(|b| u32::from(b) >> 5).chain([0]);
    let expanded = expanded.chain(prefix.bytes().map(|b| u32::from(b) & 31));
    let checksum = polymod(expanded.chain(data.iter().copied()).chain([0; 6])) ^ 1;
    data.extend((0..6).map(|n| checksum >> (5 * (5 - n)) & 31));
    let text: String = data.iter().map(|n| char::from(CHARACTERS[*n as usize])).collect();
    format!("{prefix}1{text}")
}

fn polymod(values: impl Iterator<Item = u32>) -> u32 {
    const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    values.fold(1, |checksum, value| {
        let top = checksum >> 25;
        let next = (checksum & 0x1ff_ffff) << 5 ^ value;
        GENERATOR.iter().enumerate().filter(|(n, _)| top >> n & 1 == 1).fold(next, |c, (_, g)| c ^ g)
    })
}

/// A log in memory.
pub struct Log<'n> {
    pub node: &'n Node,
    pub origin: Origin,
    pub entries: Vec<Vec<u8>>,
    /// Number of the log key that signs its checkpoints.
    pub key: u32,
}

impl<'n> Log<'n> {
    /// Opened under root 1, with this policy.
    pub fn open(node: &'n Node, origin: &Origin, readers: &[&str], policy: &[u8]) -> Self {
        let mut header = node.ministry.open(origin, &node.chain, 1, readers);
        let old = sha256(b"policy").to_hex();
        for line in &mut header.own {
            if line.key() == "policy" {
                assert_eq!(line.value(), old);
                *line = record::Line::new("policy", sha256(policy).to_hex()).expect("a line");
            }
        }
        let entries = vec![node.sign(&header).bytes];
        Self { node, origin: origin.clone(), entries, key: 1 }
    }

    /// Appends a record; gives its index.
    pub fn append(&mut self, record: &Record) -> u64 {
        self.entries.push(record.bytes.clone());
        self.entries.len() as u64 - 1
    }

    fn leaves(&self, size: u64) -> Vec<Hash> {
        self.entries.iter().take(usize::try_from(size).expect("small")).map(|e| leaf_hash(e)).collect()
    }

    /// The checkpoint of a size, cosigned by witnesses (number 1) of these nodes at these times.
    pub fn checkpoint(&self, size: u64, cosigned: &[(&Node, &str)]) -> SignedCheckpoint {
        let leaves = self.leaves(size);
        let origin = self.origin.to_string();
        let checkpoint = Checkpoint { origin: origin.clone(), size, root: root_of_leaves(&leaves) };
        let key = self.node.ministry.signer(Role::Log, self.key).with_name(&origin).expect("a name");
        let mut signed = SignedCheckpoint::sign(checkpoint, &key).expect("a checkpoint");
        for (node, at) in cosigned {
            let witness = node.ministry.signer(Role::Witness, 1);
            let seconds = u64::try_from(time(at).posix()).expect("after 1970");
            let line = signed.cosign(&witness as &dyn Signer, seconds).expect("a cosignature");
            signed.add_cosignature(line).expect("room");
        }
        signed
    }

    pub fn proof(&self, index: u64, checkpoint: &SignedCheckpoint) -> ProofFile {
        let leaves = self.leaves(checkpoint.checkpoint.size);
        let path = inclusion(usize::try_from(index).expect("small"), &leaves);
        ProofFile { extra: None, index, path, checkpoint: checkpoint.clone() }
    }
}

/// RFC 6962 section 2.1.1.
fn inclusion(index: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() <= 1 {
        return vec![];
    }
    let split = leaves.len().next_power_of_two() / 2;
    let (left, right) = leaves.split_at(split);
    let (mut path, sibling) = if index < split {
        (inclusion(index, left), root_of_leaves(right))
    } else {
        (inclusion(index - split, right), root_of_leaves(left))
    };
    path.push(sibling);
    path
}

/// What a tree of two leaves hashes to: guards the builder above against agreeing only with itself.
#[test]
fn the_builder_of_proofs_is_that_of_rfc_6962() {
    let leaves = [b"a", b"b", b"c"].map(|entry| leaf_hash(entry));
    let root = tlog::node_hash(tlog::node_hash(leaves[0], leaves[1]), leaves[2]);
    assert_eq!(root_of_leaves(&leaves), root);
    for index in 0..3 {
        let path = inclusion(usize::try_from(index).expect("small"), &leaves);
        tlog::verify_inclusion(leaves[usize::try_from(index).expect("small")], index, 3, &path, root)
            .expect("included");
    }
}

/// A policy in which two of the witnesses of these nodes are enough.
pub fn policy(nodes: &[&Node], quorum: &str) -> Vec<u8> {
    use std::fmt::Write as _;
    let mut text = String::new();
    let mut names = String::new();
    for (n, node) in nodes.iter().enumerate() {
        let vkey = node.ministry.signer(Role::Witness, 1).key().clone();
        writeln!(text, "witness W{n} {vkey}").expect("a String");
        write!(names, " W{n}").expect("a String");
    }
    writeln!(text, "group Q {quorum}{names}\nquorum Q").expect("a String");
    text.into_bytes()
}
