//! How fast a log is judged, beside the least that judging can cost: hash every entry, verify one signature
//! of each, on all cores, with nothing parsed. Prints records per second, and microseconds of CPU per record,
//! which other work on the machine disturbs less. The share is bare CPU of judging CPU.
//!
//! `cargo run --release -p record --example judge_bench [entries]`

use std::time::Instant;

use rayon::prelude::*;
use record::logstate::{LogOpen, log_open_header};
use record::root::announced;
use record::{
    Header, LogState, MediaType, Origin, Readers, Record, RootChain, SignedRoot, Status, Time, TrustRoot,
    Ulid,
};
use record::{ListedKey, Role};
use tlog::{KeyType, LocalSigner, PreparedKey, SecretKey, Signer, leaf_hash, sha256};

fn main() {
    let entries = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(20_480);
    let author = signer("author", 1);
    let chain = chain(&author);
    let origin: Origin = "moh.chn.example/log/public/2026".parse().expect("an origin");
    let (opening, records) = log(&origin, &chain, &author, entries);
    let bytes: usize = records.iter().map(Vec::len).sum();
    println!("{entries} records of {} bytes, {} threads", bytes / entries, rayon::current_num_threads());
    println!("| run of | bare hash + verify: records/s | CPU µs | judged: records/s | CPU µs | share |");
    println!("|---:|---:|---:|---:|---:|---:|");
    for run in [256, 1024, 4096] {
        let (mut least, mut judging) = (Cost::default(), Cost::default());
        // Alternating: the machine has other work. Rates are the best, CPU is the mean.
        for _ in 0..PASSES {
            least.add(&bare(&records, &author, run));
            judging.add(&judged(&origin, &chain, &opening, &records, run));
        }
        println!(
            "| {run} | {:.0} | {:.1} | {:.0} | {:.1} | {:.0} % |",
            least.rate,
            least.cpu,
            judging.rate,
            judging.cpu,
            100.0 * least.cpu / judging.cpu
        );
    }
}

/// How often each pass is made.
const PASSES: u32 = 8;

/// What passes over the records cost.
#[derive(Default)]
struct Cost {
    /// Records per second of the clock.
    rate: f64,
    /// Microseconds of CPU per record, over all threads.
    cpu: f64,
}

impl Cost {
    #[allow(clippy::cast_precision_loss)] // Counts of records and ticks are far below 2^52.
    fn of(records: &[Vec<u8>], work: impl FnOnce()) -> Self {
        let (begun, ticks) = (Instant::now(), cpu_ticks());
        work();
        let (seconds, ticks) = (begun.elapsed().as_secs_f64(), cpu_ticks() - ticks);
        let records = records.len() as f64;
        Self { rate: records / seconds, cpu: ticks as f64 * MICROSECONDS_PER_TICK / records }
    }

    fn add(&mut self, pass: &Self) {
        self.rate = self.rate.max(pass.rate);
        self.cpu += pass.cpu / f64::from(PASSES);
    }
}

/// Linux counts CPU time in hundredths of a second.
const MICROSECONDS_PER_TICK: f64 = 10_000.0;

/// User and system time of this process so far (Linux).
fn cpu_ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let after_name = stat.rsplit_once(')').expect("the name is in parentheses").1;
    after_name.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("a number")).sum()
}

fn signer(role: &str, n: u32) -> LocalSigner {
    let name = format!("moh.chn.example/{role}/{n}");
    let secret = SecretKey::from_seed(sha256(name.as_bytes()).0);
    LocalSigner::new(&name, KeyType::Ed25519, secret).expect("a key")
}

fn chain(author: &LocalSigner) -> RootChain {
    let (today, next) = (signer("root", 1), signer("root", 2));
    let listed = |role, signer: &LocalSigner| ListedKey { role, vkey: signer.key().clone(), kinds: vec![] };
    let root = TrustRoot {
        authority: "moh.chn.example".parse().expect("an authority"),
        version: 1,
        previous: None,
        from: time("2026-11-01T00:00:00Z"),
        until: time("2027-11-01T00:00:00Z"),
        threshold: 1,
        roots: vec![today.key().clone()],
        next: Some((1, vec![announced(next.key())])),
        keys: vec![listed(Role::Author, author), listed(Role::Log, &signer("log", 1))],
        age: vec![],
        revoked: vec![],
        endpoint: None,
        mirrors: vec![],
        succession: vec![],
        unknown: vec![],
    };
    RootChain::accept_first(&SignedRoot::sign(&root, &[&today]).expect("signed").bytes).expect("a root")
}

fn time(text: &str) -> Time {
    text.parse().expect("a time")
}

/// A log's opening and as many records after it.
fn log(origin: &Origin, chain: &RootChain, author: &LocalSigner, entries: usize) -> (Vec<u8>, Vec<Vec<u8>>) {
    let open = LogOpen {
        readers: Readers::Public,
        root: (1, chain.text_hash(1).expect("root 1")),
        policy: sha256(b"policy"),
        previous: None,
    };
    let released = time("2026-11-22T10:00:00Z");
    let opening = log_open_header(origin, &open, Ulid::new(0, [0; 10]), released, Status::Exercise);
    let sign = |header: &Header| Record::sign(header, &[author]).expect("signed").bytes;
    let records = (0..entries as u64).into_par_iter().map(|n| sign(&figures(origin, n, released))).collect();
    (sign(&opening), records)
}

/// A header like those of daily figures.
fn figures(origin: &Origin, n: u64, released: Time) -> Header {
    let blob = |name: &[u8], media_type: &str| record::BlobRef {
        media_type: media_type.parse::<MediaType>().expect("a media type"),
        size: 48_211,
        sha256: sha256(&[name, &n.to_be_bytes()].concat()),
        lang: "en".parse().ok(),
    };
    Header {
        author: origin.authority.clone(),
        log: origin.clone(),
        kind: "situation.figures".into(),
        id: Ulid::new(n, [3; 10]),
        edition: 2,
        supersedes: Some(sha256(&n.to_be_bytes())),
        released,
        status: Status::Exercise,
        mechanism: "moh.chn.example/trilateral".parse().ok(),
        about: vec![("event".into(), "2020-01-08".parse().expect("a date"))],
        usage: Some(record::Use::Attribution),
        refs: vec![record::Ref {
            relation: record::Relation::Replies,
            author: "who.example".parse().expect("an authority"),
            name: sha256(b"question"),
        }],
        anchors: vec![],
        blobs: vec![blob(b"csv", "text/csv;schema=hxl"), blob(b"note", "text/markdown")],
        expires: None,
        own: vec![],
    }
}

/// Hashes and verifies, nothing else; text and signature are found beforehand.
fn bare(records: &[Vec<u8>], author: &LocalSigner, run: usize) -> Cost {
    let key = PreparedKey::from(author.key());
    let parsed: Vec<_> = records.iter().map(|bytes| Record::parse(bytes).expect("sound").note).collect();
    let signatures: Vec<[u8; 64]> =
        parsed.iter().map(|note| note.signatures[0].bytes.as_slice().try_into().expect("64 bytes")).collect();
    let work: Vec<_> = records.iter().zip(&parsed).zip(&signatures).collect();
    Cost::of(records, || {
        for run in work.chunks(run) {
            let good: usize = run
                .par_iter()
                .map(|((bytes, note), signature)| {
                    std::hint::black_box(leaf_hash(bytes));
                    usize::from(key.verify(note.text.as_bytes(), signature))
                })
                .sum();
            assert_eq!(good, run.len(), "every signature is good");
        }
    })
}

fn judged(origin: &Origin, chain: &RootChain, opening: &[u8], records: &[Vec<u8>], run: usize) -> Cost {
    let mut state = LogState::new(origin.clone());
    state.take_many(0, &[opening], chain).expect("root 1 is there");
    Cost::of(records, || {
        for run in records.chunks(run) {
            let entries: Vec<&[u8]> = run.iter().map(Vec::as_slice).collect();
            let judged = state.take_many(state.size(), &entries, chain).expect("root 1 is there");
            assert!(judged.iter().all(|entry| entry.record().is_some()), "every record is valid");
        }
    })
}
