//! A log put together by hand with an authority's own keys: what an author could publish whose program is not ours.

use std::collections::BTreeMap;
use std::path::Path;

use federate::{Head, Heads};
use record::{Origin, Record, Ulid};
use tlog::{
    Checkpoint, Edge, KeyType, LocalSigner, SecretKey, SignedCheckpoint, TileId, leaf_hash, write_bundle,
};

use crate::authority::Authority;

/// Entries of a log of fewer than 256, and the keys of its author.
pub struct Forgery {
    origin: Origin,
    entries: Vec<Vec<u8>>,
    author: LocalSigner,
    log: LocalSigner,
    root: Vec<u8>,
}

pub(crate) fn key(data: &Path, role: &str) -> (tlog::VerifierKey, SecretKey) {
    let path = data.join(format!("keys/{role}-1.key"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    SecretKey::from_text(text.trim_end()).expect("a key")
}

impl Forgery {
    /// Takes what a serving authority has published in a log so far.
    pub fn of(node: &Authority, origin: &str) -> Self {
        let client = node.client();
        let prefix = format!("/{}", origin.split_once('/').expect("an origin").1);
        let checkpoint = client.get(&format!("{prefix}/checkpoint")).body;
        let size = SignedCheckpoint::parse(&checkpoint).expect("a checkpoint").checkpoint.size;
        let width = u16::try_from(size).expect("a short log");
        let bundle = client.get(&format!("{prefix}/{}", tlog::bundle_path(0, width))).body;
        let entries = tlog::read_bundle(&bundle, usize::from(width)).expect("a bundle");
        let entries = entries.into_iter().map(<[u8]>::to_vec).collect();
        let (listed, secret) = key(&node.data, "author");
        let author = LocalSigner::new(listed.name(), listed.key_type(), secret).expect("a signer");
        let log = LocalSigner::new(origin, KeyType::Ed25519, key(&node.data, "log").1).expect("a signer");
        let root = client.get("/root/1").body;
        Self { origin: origin.parse().expect("an origin"), entries, author, log, root }
    }

    /// Appends bytes as they are.
    pub fn push(&mut self, entry: &[u8]) {
        self.entries.push(entry.to_vec());
    }

    /// Appends the last entry that is a record once more, as a new thing; gives its name.
    pub fn push_record_like_the_last(&mut self) -> String {
        let last = self.entries.iter().rev().find_map(|entry| Record::parse(entry).ok()).expect("a record");
        let mut header = last.header;
        header.id = Ulid::new(header.id.milliseconds() + 1, [7; 10]);
        let record = Record::sign(&header, &[&self.author]).expect("a record");
        self.entries.push(record.bytes.clone());
        record.name().to_hex()
    }

    /// The resources of a node that publishes this log and nothing else.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let (mut edge, mut files) = (Edge::new(), BTreeMap::new());
        for entry in &self.entries {
            edge.append(leaf_hash(entry), &mut |_: TileId, _| panic!("a short log has no full tile"));
        }
        let prefix = format!("/{}", self.origin.to_string().split_once('/').expect("an origin").1);
        for (tile, bytes) in edge.partials() {
            files.insert(format!("{prefix}/{}", tile.path()), bytes);
        }
        let width = u16::try_from(self.entries.len()).expect("a short log");
        let bundle = write_bundle(&self.entries).expect("fits");
        files.insert(format!("{prefix}/{}", tlog::bundle_path(0, width)), bundle);
        let checkpoint = Checkpoint { origin: self.origin.to_string(), size: edge.size(), root: edge.root() };
        let checkpoint = SignedCheckpoint::sign(checkpoint, &self.log).expect("signs");
        files.insert(format!("{prefix}/checkpoint"), checkpoint.to_bytes());
        let mut heads = Heads::default();
        heads.logs.insert(self.origin.clone(), Head { checkpoint, seen: 0, held: None });
        files.insert("/heads".to_owned(), heads.to_bytes());
        files.insert("/root/1".to_owned(), self.root.clone());
        files.insert("/.well-known/concord/root".to_owned(), self.root.clone());
        files
    }
}
