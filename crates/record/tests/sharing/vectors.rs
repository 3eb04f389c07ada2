//! The test vectors for other implementations: how they are made of fixed keys, and that they are what this
//! implementation makes and reads. `cargo run -p record --example write_vectors` writes them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use record::charter::Charter;
use record::evidence::Evidence;
use record::{Anchor, BlobRef, Header, Record, Ref, Relation, Role, SignedRoot, Ulid};
use tlog::{Checkpoint, Hash, Signer, leaf_hash, sha256, write_bundle};

use crate::cast::{Log, Node, chn, jpn, kor, policy, seal_to};

/// Files by their path below `tests/vectors`.
pub type Files = BTreeMap<String, Vec<u8>>;

pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")
}

const NOTICE: &[u8] = b"Cluster of pneumonia cases of unknown cause.\n";
const FIGURES: &[u8] = b"#adm1+name,#affected+confirmed\nWuhan,41\n";
const CORRECTED: &[u8] = b"#adm1+name,#affected+confirmed\nWuhan,62\n";
/// Plaintexts of the sealed record.
const SEALED: [&[u8]; 2] = [FIGURES, b"For the response only.\n"];

/// All vectors. What age makes is random, so its files are taken as they are, if there are any.
pub fn files(existing: impl Fn(&str) -> Option<Vec<u8>>) -> Files {
    let (mut author, first, second) = (chn(), jpn(), kor());
    let mut root = author.ministry.root(2, author.chain.text_hash(1));
    root.age.clone_from(&author.chain.latest().age);
    author.chain.extend(&author.ministry.signed(&root).bytes).expect("root 2");
    let mut files = Files::new();
    let mut expected = String::from("concord.expected/v1\n");
    keys(&mut files, &[&author, &first, &second]);
    for node in [&author, &first, &second] {
        let name = node.ministry.name;
        for SignedRoot { root, bytes, .. } in node.chain.roots() {
            files.insert(format!("roots/{name}/{}", root.version), bytes.clone());
        }
        writeln!(expected, "fingerprint {name} {}", node.fingerprint()).expect("a String");
    }
    let policy = policy(&[&first, &second], "2");
    files.insert("policy".into(), policy.clone());
    public_log(&mut files, &mut expected, &policy, [&author, &first, &second]);
    sealed_log(&mut files, &mut expected, &policy, [&author, &first, &second], existing);
    refused(&mut files);
    files.insert("expected".into(), expected.into_bytes());
    files
}

/// Every private key: these are for tests and for nothing else.
fn keys(files: &mut Files, nodes: &[&Node]) {
    let mut text = String::from("concord.test-keys/v1\n");
    for node in nodes {
        let roots = (1..=3).flat_map(|version| node.ministry.root_keys(version));
        let others = [Role::Log, Role::Author, Role::Caller, Role::Witness, Role::Holds];
        let others = others.iter().flat_map(|role| [1, 2].map(|n| node.ministry.signer(*role, n)));
        for signer in roots.chain(others) {
            let key = signer.key();
            let seed = sha256(key.name().as_bytes());
            writeln!(text, "seed {} {seed} {key}", key.name()).expect("a String");
        }
        for (sort, identity) in [("lasting", &node.lasting), ("expiring", &node.expiring)] {
            let secret = identity.to_secret_text();
            let name = node.ministry.name;
            writeln!(text, "age {name} {sort} {} {}", identity.recipient(), *secret).expect("a String");
        }
    }
    files.insert("keys".into(), text.into_bytes());
}

fn blob(bytes: &[u8], media_type: &str, lang: Option<&str>) -> BlobRef {
    BlobRef {
        media_type: media_type.parse().expect("a media type"),
        size: bytes.len() as u64,
        sha256: sha256(bytes),
        lang: lang.map(|lang| lang.parse().expect("a language")),
    }
}

/// The public log: every common line somewhere, a charter, and a root that changes on the way.
fn public_log(files: &mut Files, expected: &mut String, policy: &[u8], nodes: [&Node; 3]) {
    let [author, first, second] = nodes;
    let origin = author.ministry.public_log();
    let mut log = Log::open(author, &origin, &["public"], policy);
    let mut notice = author.ministry.header(&origin, "notice", 1);
    notice.about = vec![("detected".into(), "2019-12-31".parse().expect("a date"))];
    notice.usage = Some("attribution".parse().expect("a use"));
    notice.blobs = vec![blob(NOTICE, "text/plain", Some("en"))];
    let notice = author.sign(&notice);
    let notice_at = log.append(&notice);
    let mut charter = author.ministry.header(&origin, "mechanism.charter", 2);
    let members = [author, first, second].map(|node| (node.authority(), node.fingerprint()));
    let text = Charter { name: "three".into(), members: members.to_vec(), observers: vec![], threshold: 2 };
    charter.own = text.to_lines().expect("sound");
    log.append(&author.sign(&charter));
    let early = log.checkpoint(3, &[(first, "2026-11-22T10:00:05Z")]);

    log.append(&author.ministry.sign(&author.ministry.move_root(&origin, &author.chain, 2), 2));
    log.key = 2;
    let mut figures = author.ministry.header(&origin, "situation.figures", 3);
    figures.mechanism = Some("moh.chn.example/three".parse().expect("an id"));
    figures.refs = vec![Ref { relation: Relation::Replies, author: author.authority(), name: notice.name() }];
    figures.anchors = vec![anchor(first, second)];
    figures.blobs = vec![blob(FIGURES, "text/csv;schema=hxl", None)];
    let figures = author.ministry.sign(&figures, 2);
    log.append(&figures);
    let corrected = Header {
        edition: 2,
        supersedes: Some(figures.name()),
        blobs: vec![blob(CORRECTED, "text/csv;schema=hxl", None)],
        ..figures.header.clone()
    };
    let corrected = author.ministry.sign(&corrected, 2);
    let corrected_at = log.append(&corrected);
    let late = log.checkpoint(6, &[(first, "2026-11-22T10:10:00Z"), (second, "2026-11-22T10:10:02Z")]);
    write_log(files, expected, "public", &log, &[&early, &late]);
    for bytes in [NOTICE, FIGURES, CORRECTED] {
        files.insert(format!("public/blob/{}", sha256(bytes)), bytes.to_vec());
    }
    let proof = log.proof(notice_at, &late);
    files.insert("public/notice.tlog-proof".into(), proof.to_bytes());
    let roots = |node: &Node| {
        let roots = node.chain.roots().map(|r| ((node.authority(), r.root.version), r.bytes.clone()));
        roots.collect::<Vec<_>>()
    };
    let evidence = Evidence {
        record: corrected.bytes.clone(),
        proofs: vec![log.proof(corrected_at, &late)],
        entries: vec![
            (log.entries[0].clone(), log.proof(0, &late)),
            (log.entries[3].clone(), log.proof(3, &late)),
        ],
        roots: [author, first, second].into_iter().flat_map(roots).collect(),
        policy: policy.to_vec(),
        inner: None,
        blobs: BTreeMap::from([(sha256(CORRECTED), CORRECTED.to_vec())]),
    };
    files.insert("public/corrected.evidence".into(), evidence.to_bytes());
    for (file, index, proven) in
        [("public", 1, "2026-11-22T10:10:02Z"), ("public", 5, "2026-11-22T10:10:02Z")]
    {
        writeln!(expected, "proven {file} {index} {proven}").expect("a String");
    }
}

/// A cosignature of the second ministry's log, quoted.
fn anchor(witness: &Node, of: &Node) -> Anchor {
    let origin = of.ministry.public_log();
    let (size, root) = (9, sha256(b"a root"));
    let checkpoint = Checkpoint { origin: origin.to_string(), size, root };
    let key = witness.ministry.signer(Role::Witness, 1);
    let line = tlog::cosign(&checkpoint.to_text(), &key, 1_795_341_599).expect("cosigned");
    let mut cosignature = [0; 76];
    cosignature[..4].copy_from_slice(&line.id.to_be_bytes());
    cosignature[4..].copy_from_slice(&line.bytes);
    Anchor { origin, size, root, witness: line.name, cosignature }
}

/// The restricted log of two readers, with one sealed record.
fn sealed_log(
    files: &mut Files,
    expected: &mut String,
    policy: &[u8],
    nodes: [&Node; 3],
    existing: impl Fn(&str) -> Option<Vec<u8>>,
) {
    let [author, first, second] = nodes;
    let mut inner = author.inner("situation.figures", &SEALED);
    inner.header.id = Ulid::new(7, [7; 10]);
    let mut sealed = seal_to(&inner, &SEALED, &[author, first]);
    for (n, bytes) in sealed.blobs.iter_mut().enumerate() {
        let path = format!("sealed/{n}.age");
        if let Some(existing) = existing(&path) {
            *bytes = existing;
        }
        let line = &mut sealed.outer.blobs[n];
        (line.size, line.sha256) = (bytes.len() as u64, sha256(bytes));
        files.insert(path, bytes.clone());
    }
    let outer = author.sign(&sealed.outer);
    let origin = author.ministry.restricted_log();
    let readers = [first.ministry.name, author.ministry.name];
    let mut log = Log::open(author, &origin, &readers, policy);
    let index = log.append(&outer);
    let early = log.checkpoint(2, &[(first, "2026-11-22T10:00:05Z")]);
    let late = log.checkpoint(2, &[(first, "2026-11-22T10:00:05Z"), (second, "2026-11-22T10:00:09Z")]);
    write_log(files, expected, "sealed", &log, &[&early, &late]);
    writeln!(expected, "proven sealed 1 2026-11-22T10:00:09Z").expect("a String");
    files.insert("sealed/inner".into(), inner.to_text().into_bytes());
    for (n, bytes) in SEALED.iter().enumerate() {
        files.insert(format!("sealed/{}.plaintext", n + 1), bytes.to_vec());
    }
    let roots = [author, first, second]
        .map(|node| ((node.authority(), 1), node.chain.bytes(1).expect("root 1").to_vec()));
    let evidence = Evidence {
        record: outer.bytes,
        proofs: vec![log.proof(index, &late)],
        entries: vec![(log.entries[0].clone(), log.proof(0, &late))],
        roots: BTreeMap::from(roots),
        policy: policy.to_vec(),
        inner: Some(inner.to_text()),
        blobs: SEALED.iter().map(|bytes| (sha256(bytes), bytes.to_vec())).collect(),
    };
    files.insert("sealed/figures.evidence".into(), evidence.to_bytes());
}

fn write_log(
    files: &mut Files,
    expected: &mut String,
    name: &str,
    log: &Log,
    seen: &[&tlog::SignedCheckpoint],
) {
    let width = log.entries.len();
    files.insert(format!("{name}/tile/entries/000.p/{width}"), write_bundle(&log.entries).expect("a bundle"));
    let leaves: Vec<Hash> = log.entries.iter().map(|entry| leaf_hash(entry)).collect();
    files.insert(format!("{name}/tile/0/000.p/{width}"), leaves.iter().flat_map(|leaf| leaf.0).collect());
    for (n, checkpoint) in seen.iter().enumerate() {
        files.insert(format!("{name}/seen/{n:03}"), checkpoint.to_bytes());
    }
    let head = seen.last().expect("one");
    files.insert(format!("{name}/checkpoint"), head.to_bytes());
    for (n, entry) in log.entries.iter().enumerate() {
        files.insert(format!("{name}/entry/{n}"), entry.clone());
        let record = Record::parse(entry).expect("a record");
        writeln!(expected, "record {name} {n} {} {}", record.header.kind, record.name()).expect("a String");
    }
}

/// What must be refused, each by the reason that its name gives.
fn refused(files: &mut Files) {
    let text = |files: &Files, path: &str| String::from_utf8(files[path].clone()).expect("text");
    let record = text(files, "public/entry/1");
    let root = text(files, "roots/moh.chn.example/2");
    let evidence = text(files, "public/corrected.evidence");
    let inner = text(files, "sealed/inner");
    let cases = [
        ("record/edition-with-leading-zero", record.replacen("edition 1", "edition 01", 1)),
        ("record/two-spaces", record.replacen("kind notice", "kind  notice", 1)),
        (
            "record/status-twice",
            record.replacen("status exercise\n", "status exercise\nstatus exercise\n", 1),
        ),
        ("record/log-after-kind", swapped(&record, "log ", "kind ")),
        ("record/unknown-relation", {
            let line = format!("ref likes moh.chn.example/{}\nblob ", sha256(b"x"));
            record.replacen("blob ", &line, 1)
        }),
        ("record/no-final-newline", record.trim_end().to_owned()),
        ("record/supersedes-in-edition-1", {
            let line = format!("edition 1\nsupersedes {}", sha256(b"x"));
            record.replacen("edition 1", &line, 1)
        }),
        ("root/previous-of-another-text", {
            let line = root.lines().find(|line| line.starts_with("previous ")).expect("root 2 has one");
            signed_root(&root.replacen(line, &format!("previous {}", sha256(b"another")), 1))
        }),
        ("root/critical-line", signed_root(&root.replacen("\n\n", "\n!unknown line\n\n", 1))),
        ("root/key-not-announced", {
            let key = |n| chn().ministry.signer(Role::Root, n).key().to_string();
            signed_root(&root.replacen(&key(23), &key(29), 1))
        }),
        ("root/one-signature", {
            let last = root.trim_end().rfind('\n').expect("two lines") + 1;
            root[..last].to_owned()
        }),
        ("inner/no-salt", inner[..inner.rfind("salt ").expect("a salt")].to_owned()),
        ("inner/of-a-log", inner.replacen("kind ", "log moh.chn.example/log/public/2026\nkind ", 1)),
        ("evidence/a-byte-changed", evidence.replacen("Wuhan,62", "Wuhan,63", 1)),
        ("evidence/no-end", evidence[..evidence.rfind("end ").expect("an end")].to_owned()),
    ];
    for (path, bytes) in cases {
        files.insert(format!("refused/{path}"), bytes.into_bytes());
    }
}

/// The text of a root 2, rightly signed: only what is wrong with the text refuses it.
fn signed_root(note: &str) -> String {
    let text = &note[..=note.find("\n\n").expect("signatures")];
    let keys = chn().ministry.root_keys(2);
    let note = tlog::Note::sign(text, &[&keys[0], &keys[1]]).expect("signed");
    String::from_utf8(note.to_bytes()).expect("text")
}

/// A text in which two lines changed places.
fn swapped(text: &str, a: &str, b: &str) -> String {
    let mut lines: Vec<&str> = text.split('\n').collect();
    let at = |start: &str| lines.iter().position(|line| line.starts_with(start)).expect("a line");
    let (a, b) = (at(a), at(b));
    lines.swap(a, b);
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use record::seal::{Identity, open};
    use record::{Authority, Fingerprint, LogState, Origin, RootChain, Verdict};
    use tlog::{Policy, ProofFile, SignedCheckpoint, read_bundle};

    use super::*;
    use crate::fixture::time;

    fn read(path: &str) -> Vec<u8> {
        std::fs::read(folder().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    fn text(path: &str) -> String {
        String::from_utf8(read(path)).expect("text")
    }

    #[test]
    fn the_files_are_what_this_implementation_makes() {
        let files = files(|path| Some(read(path)));
        for (path, bytes) in &files {
            assert_eq!(&read(path), bytes, "{path}");
        }
        assert_eq!(found(&folder()), files.len() + 2, "README.md and .gitattributes, and no other file");
    }

    fn found(folder: &std::path::Path) -> usize {
        let entries =
            std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
        entries.map(|path| if path.is_dir() { found(&path) } else { 1 }).sum()
    }

    /// The values of the lines of `expected` that begin with these fields.
    fn expected(begin: &str) -> Vec<Vec<String>> {
        let lines = text("expected");
        let fields = |line: &str| line.split(' ').map(str::to_owned).collect();
        lines.lines().filter_map(|line| line.strip_prefix(begin)).map(fields).collect()
    }

    fn chain(name: &str, versions: u64) -> RootChain {
        let [fingerprint] =
            expected(&format!("fingerprint {name} ")).remove(0).try_into().expect("one field");
        let fingerprint: Fingerprint = fingerprint.parse().expect("a fingerprint");
        let mut chain = RootChain::pin(&read(&format!("roots/{name}/1")), &fingerprint).expect("pinned");
        for version in 2..=versions {
            chain.extend(&read(&format!("roots/{name}/{version}"))).expect("the next root");
        }
        chain
    }

    const AUTHOR: &str = "moh.chn.example";

    #[test]
    fn the_logs_are_judged_as_expected() {
        let chain = chain(AUTHOR, 2);
        for (name, audience, size) in [("public", "public", 6), ("sealed", "abcdefghijklmnopqrstuvwxyz", 2)] {
            let bundle = read(&format!("{name}/tile/entries/000.p/{size}"));
            let entries = read_bundle(&bundle, size).expect("a bundle");
            let origin: Origin = format!("{AUTHOR}/log/{audience}/2026").parse().expect("an origin");
            let mut state = LogState::new(origin.clone());
            let judged = state.take_many(0, &entries, &chain).expect("no root is missing");
            let lines = expected(&format!("record {name} "));
            assert_eq!(lines.len(), size);
            for (judged, line) in judged.iter().zip(lines) {
                let Verdict::Valid { record, .. } = &judged.verdict else { panic!("{judged:?}") };
                let index = judged.index.to_string();
                assert_eq!(
                    [&index, &record.header.kind, &record.name().to_hex()],
                    [&line[0], &line[1], &line[2]]
                );
            }
            let head = SignedCheckpoint::parse(&read(&format!("{name}/checkpoint"))).expect("a checkpoint");
            let leaves: Vec<Hash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
            assert_eq!(head.checkpoint.root, tlog::root_of_leaves(&leaves));
            assert!(state.log_key_at_head(&chain).iter().any(|key| head.verify(key).is_ok()));
            assert_eq!(state.policy(), Some(sha256(&read("policy"))));
        }
        let proof = ProofFile::parse(&read("public/notice.tlog-proof")).expect("a proof");
        let leaf = leaf_hash(&read("public/entry/1"));
        let checkpoint = &proof.checkpoint.checkpoint;
        tlog::verify_inclusion(leaf, 1, checkpoint.size, &proof.path, checkpoint.root).expect("included");
    }

    #[test]
    fn the_sealed_record_opens_for_both_readers_and_no_other() {
        let (chain, outer) = (chain(AUTHOR, 1), Record::parse(&read("sealed/entry/1")).expect("a record"));
        let blobs: Vec<Vec<u8>> = (0..3).map(|n| read(&format!("sealed/{n}.age"))).collect();
        let fetch = |hash: &Hash| blobs.iter().find(|blob| sha256(blob) == *hash).cloned();
        for (reader, opens) in [(AUTHOR, true), ("mhlw.jpn.example", true), ("kdca.kor.example", false)] {
            let keys = text("keys");
            let line = keys.lines().find_map(|line| line.strip_prefix(&format!("age {reader} lasting ")));
            let secret = line.and_then(|line| line.split(' ').nth(1)).expect("a secret");
            let identity: Identity = secret.parse().expect("an identity");
            let opened = open(&outer, &chain, 1, fetch, &[identity]);
            assert_eq!(opened.is_ok(), opens, "{reader}: {opened:?}");
            if let Ok(opened) = opened {
                assert_eq!(opened.inner_text, text("sealed/inner"));
                assert_eq!(opened.plaintexts, [read("sealed/1.plaintext"), read("sealed/2.plaintext")]);
            }
        }
    }

    #[test]
    fn proven_times_and_evidence_are_as_expected() {
        let chains = [chain(AUTHOR, 2), chain("mhlw.jpn.example", 1), chain("kdca.kor.example", 1)];
        let pins: Vec<Fingerprint> = chains.iter().map(RootChain::fingerprint).collect();
        let author: Authority = AUTHOR.parse().expect("an authority");
        let keys = record::provenance::WitnessKeys::new(&author, &chains);
        let policy = Policy::parse(&read("policy")).expect("a policy");
        for (name, evidence, index) in
            [("public", "public/corrected.evidence", 5), ("sealed", "sealed/figures.evidence", 1)]
        {
            let seen = [0, 1].map(|n| SignedCheckpoint::parse(&read(&format!("{name}/seen/{n:03}"))));
            let seen = seen.map(|seen| seen.expect("a checkpoint"));
            let origin = &seen[0].checkpoint.origin;
            let mut times = record::provenance::ProvenTimes::new(origin, policy.clone(), &keys);
            for checkpoint in &seen {
                times.take(checkpoint).expect("taken");
            }
            for line in expected(&format!("proven {name} ")) {
                let index = line[0].parse().expect("an index");
                assert_eq!(times.proven_time(index), Some(time(&line[1])), "{name} {index}");
            }
            let report = Evidence::parse(&read(evidence)).expect("a file").verify(&pins);
            let proven = report.conclusion.unwrap_or_else(|| panic!("{:#?}", report.steps));
            assert_eq!((proven.index, proven.proven), (index, times.proven_time(index)));
        }
    }

    #[test]
    fn what_must_be_refused_is() {
        let refused = |folder: &str| {
            let path = super::folder().join("refused").join(folder);
            let files: Vec<_> =
                std::fs::read_dir(path).expect("a folder").map(|e| e.expect("an entry")).collect();
            assert!(files.len() > 1);
            files.into_iter().map(|file| (file.path(), std::fs::read(file.path()).expect("a file")))
        };
        for (path, bytes) in refused("record") {
            assert!(Record::parse(&bytes).is_err(), "{}", path.display());
        }
        for (path, bytes) in refused("root") {
            assert!(chain(AUTHOR, 1).extend(&bytes).is_err(), "{}", path.display());
        }
        let log: Origin = "moh.chn.example/log/public/2026".parse().expect("an origin");
        for (path, bytes) in refused("inner") {
            let inner = String::from_utf8(bytes).expect("text");
            assert!(record::seal::Inner::parse(&inner, &log).is_err(), "{}", path.display());
        }
        for (path, bytes) in refused("evidence") {
            assert!(Evidence::parse(&bytes).is_err(), "{}", path.display());
        }
    }
}
