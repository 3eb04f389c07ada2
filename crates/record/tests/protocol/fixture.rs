//! A ministry with keys from fixed seeds, its trust roots, and records of its logs.

use std::collections::BTreeSet;

use record::logstate::{LogOpen, log_open_header, log_root_header};
use record::root::announced;
use record::{
    Authority, Header, Line, ListedKey, Origin, Readers, Record, Role, RootChain, SignedRoot, Status, Time,
    TrustRoot, Ulid,
};
use tlog::{Hash, LocalSigner, SecretKey, Signer, VerifierKey, sha256};

pub fn time(text: &str) -> Time {
    text.parse().expect("a time")
}

/// A signer of `<authority>/<role>/<n>`; the seed follows from the name.
pub fn signer(authority: &str, role: Role, n: u32) -> LocalSigner {
    let name = format!("{authority}/{role}/{n}");
    let seed = sha256(name.as_bytes()).0;
    LocalSigner::new(&name, role.key_type(), SecretKey::from_seed(seed)).expect("a key")
}

pub fn vkey(authority: &str, role: Role, n: u32) -> VerifierKey {
    signer(authority, role, n).key().clone()
}

pub struct Ministry {
    pub name: &'static str,
}

pub const MOH: Ministry = Ministry { name: "moh.chn.example" };

impl Ministry {
    pub fn authority(&self) -> Authority {
        self.name.parse().expect("an authority")
    }

    pub fn signer(&self, role: Role, n: u32) -> LocalSigner {
        signer(self.name, role, n)
    }

    /// Root keys of version v are numbered 10 v + 1, 2, 3; two of them sign.
    pub fn root_keys(&self, version: u32) -> Vec<LocalSigner> {
        (1..=3).map(|n| self.signer(Role::Root, 10 * version + n)).collect()
    }

    /// A root as the ministry would write it: author and log key number `version`.
    pub fn root(&self, version: u32, previous: Option<Hash>) -> TrustRoot {
        let vkeys = |version| self.root_keys(version).iter().map(|s| s.key().clone()).collect::<Vec<_>>();
        let listed = |role| ListedKey { role, vkey: vkey(self.name, role, version), kinds: vec![] };
        TrustRoot {
            authority: self.authority(),
            version: version.into(),
            previous,
            from: time("2026-11-01T00:00:00Z"),
            until: time("2027-11-01T00:00:00Z"),
            threshold: 2,
            roots: vkeys(version),
            next: Some((2, vkeys(version + 1).iter().map(announced).collect())),
            keys: [Role::Log, Role::Author, Role::Caller, Role::Witness, Role::Holds].map(listed).to_vec(),
            age: vec![],
            revoked: vec![],
            endpoint: Some(format!("https://concord.{}", self.name)),
            mirrors: vec![],
            succession: vec![],
            unknown: vec![],
        }
    }

    /// Signed by the first two root keys of its version.
    pub fn signed(&self, root: &TrustRoot) -> SignedRoot {
        let keys = self.root_keys(u32::try_from(root.version).expect("small"));
        SignedRoot::sign(root, &[&keys[0], &keys[1]]).expect("a sound root")
    }

    /// The chain of roots 1 to `versions`.
    pub fn chain(&self, versions: u32) -> RootChain {
        let mut chain = RootChain::accept_first(&self.signed(&self.root(1, None)).bytes).expect("root 1");
        for version in 2..=versions {
            let previous = chain.text_hash(u64::from(version) - 1);
            chain.extend(&self.signed(&self.root(version, previous)).bytes).expect("the next root");
        }
        chain
    }

    pub fn public_log(&self) -> Origin {
        format!("{}/log/public/2026", self.name).parse().expect("an origin")
    }

    pub fn restricted_log(&self) -> Origin {
        format!("{}/log/abcdefghijklmnopqrstuvwxyz/2026", self.name).parse().expect("an origin")
    }

    /// A header of a kind in a log; `n` makes its id.
    pub fn header(&self, log: &Origin, kind: &str, n: u64) -> Header {
        Header {
            author: self.authority(),
            ..Header::bare(log, kind, Ulid::new(n, [7; 10]), time("2026-11-22T10:00:00Z"), Status::Exercise)
        }
    }

    /// An outer header, as far as a log can see.
    pub fn sealed(&self, log: &Origin, n: u64) -> Header {
        let blob = format!("application/age 1234 {}", sha256(b"ciphertext").to_hex());
        let header = self.header(log, "sealed", n);
        let own = [Line::new("commit", sha256(&n.to_be_bytes()).to_hex()).expect("a line")];
        let text = Header { own: vec![], ..header }.to_text() + &format!("blob {blob}\n");
        let commit = own[0].to_string();
        Header::parse_text(&format!("{text}{commit}\n")).expect("an outer header")
    }

    pub fn open(&self, log: &Origin, chain: &RootChain, version: u64, readers: &[&str]) -> Header {
        assert_eq!(log.authority, self.authority(), "a ministry opens its own logs");
        let readers = match readers {
            ["public"] => Readers::Public,
            _ => Readers::Set(
                readers.iter().map(|r| r.parse().expect("an authority")).collect::<BTreeSet<_>>(),
            ),
        };
        let open = LogOpen {
            readers,
            root: (version, chain.text_hash(version).expect("in the chain")),
            policy: sha256(b"policy"),
            previous: None,
        };
        log_open_header(log, &open, Ulid::new(1, [0; 10]), time("2026-11-22T09:00:00Z"), Status::Exercise)
    }

    pub fn move_root(&self, log: &Origin, chain: &RootChain, version: u64) -> Header {
        assert_eq!(chain.authority(), &self.authority(), "a ministry moves to its own roots");
        let root = (version, chain.text_hash(version).expect("in the chain"));
        let id = Ulid::new(2, [0; 10]);
        log_root_header(log, root, chain.bytes(version), id, time("2026-11-22T11:00:00Z"), Status::Exercise)
    }

    /// Signs with the author key of root `version`.
    pub fn sign(&self, header: &Header, version: u32) -> Record {
        Record::sign(header, &[&self.signer(Role::Author, version)]).expect("a sound header")
    }
}
