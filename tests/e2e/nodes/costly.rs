//! Records that are cheap to make and dear to read: files sealed to thousands, tables that say the same figures again and
//! again, hundreds of references, thousands of tiny files, thousands of contradictions, and logs that make each of them be looked at again.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Arc;

use age::x25519;
use e2e::{Authority, ForgedLog, Forger, Hostile, Manner};
use record::lines::Line;
use record::seal::Inner;
use record::{BlobRef, Header, Ref, Relation, SignedRoot, Status, Ulid};
use tlog::sha256;

/// Whom a file is sealed to beside its reader.
const STRANGERS: usize = 2_500;
/// Files of one record that is sealed so.
const SEALED: usize = 16;
/// Lines of a table, and how many tables say its figures.
const FIGURES: i64 = 200_000;
const TABLES: i64 = 3;
/// Records with references, and how many of these each has.
const RECORDS: u64 = 2_000;
const REFERENCES: u64 = 101;
/// Records with tiny files, and how many of these each has.
const NAMING: u64 = 30;
const TINY: u64 = 100;

/// Things of two records that contradict each other, and records that are all one thing.
const TWINS: u64 = 3_000;
const ALIKE: u64 = 3_000;

type Blobs = BTreeMap<String, Arc<[u8]>>;

/// All of them, for one reader.
pub fn costly(node: &Authority, reader: &Authority) -> Hostile {
    let forger = Forger::of(node);
    let mut blobs = Blobs::new();
    let mut log = forger.log(0);
    for value in 0..TABLES {
        tables(&forger, &mut log, &mut blobs, value);
    }
    for n in 0..RECORDS {
        forger.record(&mut log, |header| {
            header.refs = (0..REFERENCES).map(|k| reference(header, n, k)).collect();
        });
    }
    for n in 0..NAMING {
        tiny(&forger, &mut log, &mut blobs, n);
    }
    let mut contradicting = forger.log(1);
    for n in 0..2 * TWINS + ALIKE {
        let id = if n < 2 * TWINS { n / 2 } else { TWINS };
        forger.record(&mut contradicting, |header| {
            header.id = Ulid::new(id, [9; 10]);
            // Each says something else: a record that stands at many places is one.
            let released = header.released.posix() + i64::try_from(n).expect("small");
            header.released = record::Time::from_posix(released).expect("a time");
        });
    }
    let joining = (2..6).map(|n| forger.log_behind(n, &contradicting).done()).collect::<Vec<_>>();
    let mut restricted = forger.log_for(&reader.name);
    sealed(&forger, &mut restricted, &mut blobs, reader);
    let mut logs = vec![log.done(), contradicting.done(), restricted.done()];
    logs.extend(joining);
    let mut files = forger.files(&logs, 0);
    files.extend(blobs);
    Hostile::serving(node.port, files, |_| Manner::Plainly)
}

/// Things of so many editions each, one behind the other; and of each the last one that another one follows.
pub fn editions(node: &Authority, things: u64, editions: u32) -> (Hostile, Vec<tlog::Hash>) {
    let mut superseded = Vec::new();
    let forger = Forger::of(node);
    let mut log = forger.log(0);
    for thing in 0..things {
        for edition in 1..=editions {
            forger.record(&mut log, |header| {
                (header.id, header.edition) = (Ulid::new(thing + 1, [9; 10]), edition);
                header.supersedes = (edition > 1).then(|| sha256(&edition.to_be_bytes()));
                let released = header.released.posix() + i64::from(edition);
                header.released = record::Time::from_posix(released).expect("a time");
            });
        }
        superseded.push(log.name(1));
    }
    (Hostile::serving(node.port, forger.files(&[log.done()], 0), |_| Manner::Plainly), superseded)
}

fn keep(blobs: &mut Blobs, media_type: &str, bytes: Vec<u8>) -> BlobRef {
    let (size, hash) = (bytes.len() as u64, sha256(&bytes));
    blobs.insert(format!("/blob/{hash}"), bytes.into());
    BlobRef { media_type: media_type.parse().expect("a media type"), size, sha256: hash, lang: None }
}

fn tables(forger: &Forger, log: &mut ForgedLog, blobs: &mut Blobs, value: i64) {
    let mut table = "#date,#country+code,#adm1+code,#affected+infected+confirmed+cumulative\n".to_owned();
    for n in 0..FIGURES {
        let (day, place) = (n % 28 + 1, n / 28);
        table.push_str(&format!("2020-01-{day:02},CHN,CHN-{place},{value}\n"));
    }
    let blob = keep(blobs, "text/csv;schema=hxl", table.into_bytes());
    forger.record(log, |header| {
        "situation.figures".clone_into(&mut header.kind);
        header.blobs = vec![blob];
    });
}

fn reference(header: &Header, n: u64, k: u64) -> Ref {
    let name = sha256(format!("{n} {k}").as_bytes());
    Ref { relation: Relation::Replies, author: header.author.clone(), name }
}

fn tiny(forger: &Forger, log: &mut ForgedLog, blobs: &mut Blobs, n: u64) {
    let some = (0..TINY).map(|k| keep(blobs, "text/plain", format!("{n} {k}").into_bytes()));
    let some = some.collect();
    forger.record(log, |header| header.blobs = some);
}

/// A record of many files, each sealed to its reader behind thousands of others.
fn sealed(forger: &Forger, log: &mut ForgedLog, blobs: &mut Blobs, reader: &Authority) {
    let root = reader.ask(&["root", "show"]).expect("root show");
    let root = SignedRoot::parse(root["root"].as_str().expect("a root").as_bytes()).expect("a root");
    let listed = root.root.age.iter().filter(|listed| !listed.expiring);
    let mut recipients: Vec<x25519::Recipient> =
        (0..STRANGERS).map(|_| x25519::Identity::generate().to_public()).collect();
    recipients.extend(listed.map(|listed| listed.recipient.parse().expect("a recipient")));
    let texts: Vec<Vec<u8>> = (0..SEALED).map(|n| format!("file {n}").into_bytes()).collect();
    let mut plain = Blobs::new();
    let released = "2026-11-22T10:00:00Z".parse().expect("a time");
    let mut header = Header::bare(&log.origin, "notice", Ulid::new(1, [8; 10]), released, Status::Exercise);
    header.blobs = texts.iter().map(|text| keep(&mut plain, "text/plain", text.clone())).collect();
    let inner = Inner { header, salt: [3; 32] };
    let text = inner.to_text();
    let all = std::iter::once(text.as_bytes()).chain(texts.iter().map(Vec::as_slice));
    let sealed: Vec<BlobRef> =
        all.map(|clear| keep(blobs, "application/age", encrypted(clear, &recipients))).collect();
    forger.record(log, |header| {
        "sealed".clone_into(&mut header.kind);
        header.blobs = sealed;
        header.own = vec![Line::new("commit", inner.commit().to_hex()).expect("a line")];
    });
}

fn encrypted(clear: &[u8], recipients: &[x25519::Recipient]) -> Vec<u8> {
    let recipients = recipients.iter().map(|recipient| recipient as &dyn age::Recipient);
    let encryptor = age::Encryptor::with_recipients(recipients).expect("recipients");
    let mut file = Vec::new();
    let mut writer = encryptor.wrap_output(&mut file).expect("memory");
    writer.write_all(clear).and_then(|()| writer.finish()).expect("memory");
    file
}
