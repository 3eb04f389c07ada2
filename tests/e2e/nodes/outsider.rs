//! Who is not a reader learns nothing: not that a log exists, not what is in it, not from any disk.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use e2e::{Answer, Authority, World, raw, until};
use federate::request::{self, SignedHeaders, Target};

const PLANTED: &str = "Zimtstern-4711-for-b-alone";

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

/// A GET signed with the caller key that lies in the asker's data folder, `ahead` seconds from now.
pub fn signed_get(asker: &Authority, of: &Authority, path: &str, nonce: &str, ahead: i64) -> Answer {
    signed(asker, &asker.name, of, path, nonce, ahead)
}

/// The same, under another authority's name.
pub fn signed_as(asker: &Authority, name: &str, of: &Authority, path: &str, nonce: &str) -> Answer {
    signed(asker, name, of, path, nonce, 0)
}

fn signed(asker: &Authority, name: &str, of: &Authority, path: &str, nonce: &str, ahead: i64) -> Answer {
    send(of, path, &signature(asker, name, of, ("GET", path), nonce, ahead))
}

/// The headers of a signed request.
fn signature(
    asker: &Authority,
    name: &str,
    of: &Authority,
    (method, path): (&str, &str),
    nonce: &str,
    ahead: i64,
) -> SignedHeaders {
    let text = std::fs::read_to_string(asker.data.join("keys/caller-1.key")).expect("the caller key");
    let (key, secret) = tlog::SecretKey::from_text(text.trim_end()).expect("a key");
    let signer =
        tlog::LocalSigner::new(&format!("{name}/caller/1"), key.key_type(), secret).expect("a signer");
    let to = of.name.parse().expect("a name");
    let target = Target { method, path, query: None, to: &to };
    let created = now().saturating_add_signed(ahead);
    request::sign(target, created, created + 120, nonce, &signer).expect("signed")
}

fn send(of: &Authority, path: &str, signed: &SignedHeaders) -> Answer {
    let headers = [
        (request::CONCORD_TO, signed.concord_to.as_str()),
        ("signature-input", signed.signature_input.as_str()),
        ("signature", signed.signature.as_str()),
    ];
    of.client().get_with(path, &headers)
}

/// Every file below a folder.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        // Files may be renamed or removed while we look: what is gone holds nothing.
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.is_file() {
                found.push(path);
            }
        }
    }
    found
}

/// Does a file hold these bytes?
pub fn holds(path: &Path, text: &[u8]) -> bool {
    std::fs::read(path).is_ok_and(|bytes| bytes.windows(text.len()).any(|w| w == text))
}

/// Names of the blobs of a record: the last word of each `blob` line that is a hash.
pub fn blobs(note: &str) -> Vec<String> {
    let is_hash = |word: &&str| word.len() == 64 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let lines = note.lines().filter(|line| line.starts_with("blob"));
    lines.flat_map(|line| line.split([' ', ':']).filter(is_hash)).map(str::to_owned).collect()
}

#[test]
fn what_is_sealed_is_for_its_readers_alone() {
    let world = World::of_friends(&["a.example", "b.example", "c.example"]);
    let [a, b, c] = &world.nodes[..] else { unreachable!("three") };
    let sealed = a.release(&["--to", "b.example"], PLANTED).expect("release");
    let (name, origin) =
        (sealed["name"].as_str().expect("a name"), sealed["origin"].as_str().expect("an origin"));
    let public = a.say("a notice for all");
    until("the reader has it", || b.knows(name).then_some(()));
    until("the outsider has the public notice", || c.knows(&public).then_some(()));
    let shown = until("the reader opens it", || {
        b.ask(&["record", "show", name]).ok().filter(|shown| shown["opened"] == true)
    });
    let outer = blobs(shown["note"].as_str().expect("a note"));
    assert!(!outer.is_empty(), "the sealed record names a blob: {shown}");

    // On no disk in clear, and the ciphertext on no outsider's.
    for node in [a, b, c] {
        for path in files_below(&node.data) {
            assert!(!holds(&path, PLANTED.as_bytes()), "{} holds what was sealed", path.display());
        }
        assert!(!holds(&node.log_file(), PLANTED.as_bytes()), "{} talks about what was sealed", node.name);
    }
    let lies_at = |node: &Authority, hash: &str| {
        files_below(&node.data).iter().any(|path| path.file_name().is_some_and(|file| file == hash))
    };
    for hash in &outer {
        assert!(lies_at(a, hash) && lies_at(b, hash), "{hash} is missing at its readers");
        assert!(!lies_at(c, hash), "{hash} lies at an outsider");
    }
    assert!(c.log(origin).is_none(), "the outsider knows of {origin}");

    // Over HTTP the log is what does not exist.
    let log = format!("/{}", origin.split_once('/').expect("a path").1);
    let missing = "/log/00000000000000000000000000/2026";
    let client = a.client();
    let mut nonce = 0;
    for file in ["checkpoint", "tile/0/000.p/1", "tile/entries/000.p/1", "seen/000"] {
        let there = client.get(&format!("{log}/{file}")).without_time();
        let absent = client.get(&format!("{missing}/{file}")).without_time();
        assert_eq!(there.status, 404, "{file}");
        assert_eq!(there, absent, "{file}: a stranger can tell what is there from what is not");
        nonce += 1;
        let there = signed_get(c, a, &format!("{log}/{file}"), &format!("outsider-nonce-{nonce:04}"), 0)
            .without_time();
        assert_eq!(there, absent, "{file}: an authority that is no reader can tell");
    }
    let absent = client.get(&format!("/blob/{}", "0".repeat(64))).without_time();
    for hash in &outer {
        let path = format!("/blob/{hash}");
        assert_eq!(client.get(&path).without_time(), absent);
        assert_eq!(signed_get(c, a, &path, &format!("outsider-{}", &hash[..20]), 0).without_time(), absent);
        assert_eq!(signed_get(b, a, &path, &format!("reader-{}", &hash[..20]), 0).status, 200);
    }
    // Not on a page, not in the API, not in the list of heads.
    for path in
        [format!("/record/{name}"), format!("/api/v1/records/{name}"), format!("/record/{name}/evidence")]
    {
        let never = path.replace(name, &"0".repeat(64));
        assert_eq!(client.get(&path).status, client.get(&never).status, "{path}");
        assert_eq!(client.get(&path).status, 404, "{path}");
    }
    assert!(!client.get("/heads").text().contains(origin));

    // Its reader gets it, once per signature, by the right clock.
    let path = format!("{log}/checkpoint");
    let got = signed_get(b, a, &path, "reader-nonce-0001", 0);
    assert_eq!(got.status, 200);
    assert!(got.text().starts_with(origin), "{}", got.text());
    assert_eq!(got.headers["cache-control"], "private, no-store");
    assert_eq!(signed_get(b, a, &path, "reader-nonce-0001", 0).status, 404, "a nonce is good once");
    for ahead in [-3600, 3600] {
        let skewed = signed_get(b, a, &path, &format!("reader-skewed-{}", ahead + 9000), ahead);
        assert_eq!(skewed.status, 401, "{ahead}");
        assert!(skewed.headers.contains_key("date"), "a caller whose clock is wrong is told the time");
    }
    assert_eq!(signed_get(b, a, &path, "reader-nonce-0002", 0).status, 200);
}

#[test]
fn a_signed_request_is_good_once_also_when_the_server_was_started_again() {
    let mut world = World::of_friends(&["a.example", "b.example"]);
    let sealed = world.nodes[0].release(&["--to", "b.example"], PLANTED).expect("release");
    let origin = sealed["origin"].as_str().expect("an origin").to_owned();
    let path = format!("/{}/checkpoint", origin.split_once('/').expect("a path").1);
    // By a clock that is right, by one that is behind and by one that is ahead.
    let signed = [("right", 0), ("behind", -5), ("ahead", 8)].map(|(name, ahead)| {
        let [a, b] = &world.nodes[..] else { unreachable!("two") };
        let nonce = format!("once-whatever-happens-{name}");
        until("it counts, once the server can tell", || {
            let signed = signature(b, "b.example", a, ("GET", &path), &format!("{nonce}-{}", now()), ahead);
            (send(a, &path, &signed).status == 200).then_some(signed)
        })
    });
    for kind in ["stopped", "killed"] {
        match kind {
            "stopped" => world.nodes[0].stop(),
            _ => world.nodes[0].kill(),
        }
        world.nodes[0].serve();
        let [a, b] = &world.nodes[..] else { unreachable!("two") };
        for signed in &signed {
            let again = send(a, &path, signed);
            assert!([401, 404].contains(&again.status), "{kind}: {}", again.status);
        }
        let mut tries = 0;
        until("an honest peer is known again", || {
            tries += 1;
            let nonce = format!("honest-nonce-{kind}-{tries:04}");
            (signed_get(b, a, &path, &nonce, 0).status == 200).then_some(())
        });
    }
}

/// How often each answer is timed.
const TIMED: usize = 400;

/// The time that most answers take, in microseconds: the median, which a busy machine hardly moves.
fn median(mut times: Vec<u128>) -> u128 {
    times.sort_unstable();
    times[times.len() / 2]
}

#[test]
fn what_is_restricted_and_what_is_missing_are_answered_in_the_same_time() {
    let world = World::of_friends(&["a.example", "b.example"]);
    let [a, b] = &world.nodes[..] else { unreachable!("two") };
    // So much that whoever read it before refusing would be slow.
    let big = world.path("big.txt");
    std::fs::write(&big, "x".repeat(4 << 20)).expect("written");
    let blob = format!("text/plain={}", e2e::path_in(&big));
    let mut sealed = a.ask(&["release", "--to", "b.example", "--blob", &blob]).expect("release")[0].take();
    for n in 0..30 {
        sealed = a.release(&["--to", "b.example"], &format!("number {n}")).expect("release");
    }
    let name = sealed["name"].as_str().expect("a name");
    until("the reader has it", || b.knows(name).then_some(()));
    let origin = sealed["origin"].as_str().expect("a log");
    let log = format!("/{}", origin.split_once('/').expect("a path").1);
    let note = b.ask(&["record", "show", name]).expect("show")["note"].to_string().replace("\\n", "\n");
    let hash = blobs(&note).pop().expect("a blob");
    let pairs = [
        (format!("{log}/checkpoint"), "/log/00000000000000000000000000/2026/checkpoint".to_owned()),
        (
            format!("{log}/tile/entries/000.p/32"),
            "/log/00000000000000000000000000/2026/tile/entries/000.p/32".to_owned(),
        ),
        (format!("/blob/{hash}"), format!("/blob/{}", "0".repeat(64))),
    ];
    let client = a.client();
    for (there, absent) in &pairs {
        assert_eq!((client.get(there).status, client.get(absent).status), (404, 404), "{there}");
        let mut times = [Vec::new(), Vec::new()];
        // In turns, so that whatever else the machine does falls on both.
        for n in 0..2 * TIMED {
            let path = if n % 2 == 0 { there } else { absent };
            let begun = std::time::Instant::now();
            assert_eq!(client.get(path).status, 404);
            times[n % 2].push(begun.elapsed().as_micros());
        }
        let [there_takes, absent_takes] = times.map(median);
        let (less, more) = (there_takes.min(absent_takes), there_takes.max(absent_takes));
        assert!(
            more <= less + less / 4 + 200,
            "{there} takes {there_takes} us, what is missing {absent_takes} us"
        );
    }
}

#[test]
fn a_head_is_answered_to_who_signed_a_head() {
    let world = World::of_friends(&["a.example", "b.example"]);
    let [a, b] = &world.nodes[..] else { unreachable!("two") };
    let sealed = a.release(&["--to", "b.example"], "for b").expect("release");
    let origin = sealed["origin"].as_str().expect("an origin");
    let path = format!("/{}/checkpoint", origin.split_once('/').expect("a log").1);
    let status = |signed_as: &str, nonce: &str| {
        let SignedHeaders { concord_to, signature_input, signature } =
            signature(b, &b.name, a, (signed_as, &path), nonce, 0);
        let head = format!(
            "HEAD {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nconcord-to: {concord_to}\r\n\
             signature-input: {signature_input}\r\nsignature: {signature}\r\nConnection: close\r\n\r\n"
        );
        raw(a.port, &head, 0).0
    };
    // What was signed in the second in which a server began may have been used before: it is to be signed again.
    let mut nonces = (0..).map(|n: u32| format!("{n:032}"));
    let answered = until("the server's first second is over", || {
        Some(status("HEAD", &nonces.next().expect("no end"))).filter(|status| *status != 401)
    });
    assert_eq!(answered, 200);
    assert_eq!(status("GET", &"2".repeat(32)), 404);
}
