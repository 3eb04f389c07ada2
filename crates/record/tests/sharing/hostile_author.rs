//! Sealed records of an author that holds its keys and means to deceive: whatever it builds, two readers of
//! one record are never shown two texts.

use std::io::Write;

use age_core::format::{FileKey, Stanza};
use proptest::prelude::*;
use record::seal::{AgeError, OpenError, Opened, open};
use record::{Line, Record, Status};
use tlog::sha256;

use crate::cast::{Node, chn, jpn, kor, released, seal_to, store};

/// A stanza for a reader that wraps another key than the file's.
struct OtherKey(age::x25519::Recipient);

impl age::Recipient for OtherKey {
    fn wrap_file_key(
        &self,
        _: &FileKey,
    ) -> Result<(Vec<Stanza>, std::collections::HashSet<String>), age::EncryptError> {
        self.0.wrap_file_key(&FileKey::new(Box::new([0x42; 16])))
    }
}

/// How the blob is sealed to a reader.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Stanzas {
    Honest,
    /// Not at all.
    None,
    /// With a stanza of another file key.
    Wrong,
    /// With a wrong stanza before the right one.
    WrongThenRight,
}

fn encrypt(plaintext: &[u8], readers: &[(&Node, Stanzas)]) -> Vec<u8> {
    let mut to: Vec<Box<dyn age::Recipient>> = Vec::new();
    for (reader, stanzas) in readers {
        let key: age::x25519::Recipient = reader.lasting.recipient().parse().expect("a recipient");
        match stanzas {
            Stanzas::Honest => to.push(Box::new(key)),
            Stanzas::None => {}
            Stanzas::Wrong => to.push(Box::new(OtherKey(key))),
            Stanzas::WrongThenRight => {
                to.push(Box::new(OtherKey(key.clone())));
                to.push(Box::new(key));
            }
        }
    }
    if to.is_empty() {
        return plaintext.to_vec();
    }
    let encryptor = age::Encryptor::with_recipients(to.iter().map(AsRef::as_ref)).expect("recipients");
    let mut file = Vec::new();
    let mut writer = encryptor.wrap_output(&mut file).expect("memory");
    writer.write_all(plaintext).expect("memory");
    writer.finish().expect("memory");
    file
}

/// One thing that the author does otherwise than it should.
#[derive(Debug, Clone)]
enum Deceit {
    /// How a blob is sealed to the first and to the second reader.
    Stanzas(usize, Stanzas, Stanzas),
    /// The plaintext of a content is another one.
    OtherContent(usize),
    /// Two blob lines of the outer header change places.
    Swap(usize, usize),
    /// A blob stands twice.
    Twice(usize),
    /// A blob is left out.
    Without(usize),
    /// The commitment is to another text.
    OtherCommitment,
    /// The sealed inner header is another than the one committed to.
    OtherInner,
    /// The inner header claims another author, status, release or log kind, or repeats a line.
    InnerLine(&'static str, &'static str),
    /// A byte of a blob is turned over, counted from its end.
    Flip(usize, usize),
    /// A blob goes on after its end, or ends before it.
    Cut(usize, bool),
}

struct Forged {
    outer: Record,
    blobs: Vec<Vec<u8>>,
}

const CONTENTS: [&[u8]; 2] = [b"23 cases", b"no cases"];

fn forge(deceits: &[Deceit], first: &Node, second: &Node) -> Forged {
    let author = chn();
    let honest = author.inner("situation.figures", &CONTENTS);
    let mut inner = honest.to_text();
    let mut clear: Vec<Vec<u8>> = CONTENTS.iter().map(|bytes| bytes.to_vec()).collect();
    for deceit in deceits {
        match deceit {
            Deceit::InnerLine(line, by) => inner = inner.replacen(line, by, 1),
            Deceit::OtherContent(n) => clear[n % 2] = b"other content".to_vec(),
            _ => {}
        }
    }
    let mut commit = sha256(inner.as_bytes());
    for deceit in deceits {
        match deceit {
            Deceit::OtherCommitment => commit = sha256(b"another text"),
            Deceit::OtherInner => inner = inner.replacen("kind situation.figures", "kind notice", 1),
            _ => {}
        }
    }
    clear.insert(0, inner.into_bytes());
    let mut blobs: Vec<Vec<u8>> = clear
        .iter()
        .enumerate()
        .map(|(n, bytes)| {
            let stanzas = deceits.iter().rev().find_map(|deceit| match deceit {
                Deceit::Stanzas(at, a, b) if at % 3 == n => Some((*a, *b)),
                _ => None,
            });
            let (a, b) = stanzas.unwrap_or((Stanzas::Honest, Stanzas::Honest));
            encrypt(bytes, &[(&author, Stanzas::Honest), (first, a), (second, b)])
        })
        .collect();
    for deceit in deceits {
        let n = blobs.len().max(1);
        match deceit {
            Deceit::Swap(a, b) => blobs.swap(a % n, b % n),
            Deceit::Twice(at) => blobs.insert(at % n, blobs[at % n].clone()),
            Deceit::Without(at) if n > 1 => drop(blobs.remove(at % n)),
            Deceit::Flip(at, back) => {
                let blob = &mut blobs[at % n];
                let byte = blob.len() - 1 - back % blob.len();
                blob[byte] ^= 1;
            }
            Deceit::Cut(at, true) => blobs[at % n].push(0),
            Deceit::Cut(at, false) => drop(blobs[at % n].pop()),
            _ => {}
        }
    }
    let mut header = seal_to(&honest, &CONTENTS, &[&author]).outer;
    header.blobs = blobs
        .iter()
        .map(|blob| record::BlobRef {
            media_type: record::MediaType::age(),
            size: blob.len() as u64,
            sha256: sha256(blob),
            lang: None,
        })
        .collect();
    header.own = vec![Line::new("commit", commit.to_hex()).expect("a line")];
    Forged { outer: author.sign(&header), blobs }
}

fn open_as(forged: &Forged, reader: &Node) -> Result<Opened, OpenError> {
    open(&forged.outer, &chn().chain, 1, store(&forged.blobs), &reader.identities())
}

fn stanzas() -> impl Strategy<Value = Stanzas> {
    prop_oneof![
        Just(Stanzas::Honest),
        Just(Stanzas::None),
        Just(Stanzas::Wrong),
        Just(Stanzas::WrongThenRight)
    ]
}

fn deceit() -> impl Strategy<Value = Deceit> {
    let lines: Vec<(&'static str, &'static str)> = vec![
        ("author moh.chn.example", "author mhlw.jpn.example"),
        ("status exercise", "status actual"),
        ("status exercise", "status exercise\nstatus exercise"),
        ("edition 1", "edition 1\nedition 1"),
        ("kind situation.figures", "kind sealed"),
        ("released 2026-11-22T10:00:00Z", "released 2026-11-22T10:00:01Z"),
        ("salt 09", "salt 08"),
        ("blob text/plain 8", "blob text/plain 9"),
        ("en\nsalt", "en\nexpires 2027-01-01\nsalt"),
        ("concord.inner/v1", "concord.record/v1"),
    ];
    prop_oneof![
        (0_usize..3, stanzas(), stanzas()).prop_map(|(n, a, b)| Deceit::Stanzas(n, a, b)),
        (0_usize..2).prop_map(Deceit::OtherContent),
        (0_usize..3, 0_usize..3).prop_map(|(a, b)| Deceit::Swap(a, b)),
        (0_usize..3).prop_map(Deceit::Twice),
        (0_usize..3).prop_map(Deceit::Without),
        Just(Deceit::OtherCommitment),
        Just(Deceit::OtherInner),
        prop::sample::select(lines).prop_map(|(line, by)| Deceit::InnerLine(line, by)),
        (0_usize..3, any::<prop::sample::Index>()).prop_map(|(n, at)| Deceit::Flip(n, at.index(4096))),
        (0_usize..3, any::<bool>()).prop_map(|(n, more)| Deceit::Cut(n, more)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn two_readers_get_the_same_text_or_an_error(deceits in prop::collection::vec(deceit(), 0..4)) {
        let (first, second) = (jpn(), kor());
        let forged = forge(&deceits, &first, &second);
        let opened = [open_as(&forged, &first), open_as(&forged, &second), open_as(&forged, &chn())];
        let shown: Vec<&Opened> = opened.iter().flatten().collect();
        for pair in shown.windows(2) {
            prop_assert_eq!(&pair[0].inner_text, &pair[1].inner_text);
            prop_assert_eq!(&pair[0].plaintexts, &pair[1].plaintexts);
        }
        for opened in shown {
            prop_assert_eq!(Some(sha256(opened.inner_text.as_bytes())), forged.outer.commit());
            for (plaintext, blob) in opened.plaintexts.iter().zip(&opened.inner.header.blobs) {
                prop_assert_eq!(sha256(plaintext), blob.sha256);
            }
        }
        if deceits.is_empty() {
            prop_assert!(opened.iter().all(Result::is_ok), "{:?}", opened);
        }
        // What an honest reader cannot open is an alarm, never mere bad luck.
        for error in opened.iter().filter_map(|opened| opened.as_ref().err()) {
            prop_assert!(error.is_refusal(true), "{}", error);
        }
    }
}

#[test]
fn each_deceit_is_named() {
    use Deceit::{Cut, Flip, InnerLine, OtherCommitment, OtherContent, OtherInner, Swap, Twice, Without};
    let unreadable = |blob, reason| OpenError::Unreadable { blob, reason };
    let cases = [
        (Deceit::Stanzas(0, Stanzas::None, Stanzas::Honest), OpenError::NotForMe),
        (Deceit::Stanzas(2, Stanzas::None, Stanzas::Honest), unreadable(2, AgeError::NoKey)),
        (Deceit::Stanzas(0, Stanzas::Wrong, Stanzas::Honest), unreadable(0, AgeError::Mac)),
        (Deceit::Stanzas(1, Stanzas::WrongThenRight, Stanzas::Honest), unreadable(1, AgeError::Mac)),
        (OtherContent(1), OpenError::Plaintext { blob: 2 }),
        (Swap(0, 1), OpenError::Commitment),
        (Swap(1, 2), OpenError::Plaintext { blob: 1 }),
        (Twice(2), OpenError::Count { outer: 3, inner: 2 }),
        (Without(1), OpenError::Count { outer: 1, inner: 2 }),
        (OtherCommitment, OpenError::Commitment),
        (OtherInner, OpenError::Commitment),
        (Flip(0, 0), unreadable(0, AgeError::Payload)),
        (Cut(1, true), unreadable(1, AgeError::Payload)),
        (Cut(1, false), unreadable(1, AgeError::Payload)),
        (
            InnerLine("author moh.chn.example", "author mhlw.jpn.example"),
            OpenError::Repeated { key: "author" },
        ),
        (InnerLine("status exercise", "status actual"), OpenError::Repeated { key: "status" }),
        (InnerLine("en\nsalt", "en\nexpires 2027-01-01\nsalt"), OpenError::Repeated { key: "expires" }),
        (
            InnerLine("released 2026-11-22T10:00:00Z", "released 2026-11-22T10:00:01Z"),
            OpenError::ReleasedLater { inner: released().saturating_add(1), outer: released() },
        ),
    ];
    let (first, second) = (jpn(), kor());
    for (deceit, expected) in cases {
        let forged = forge(std::slice::from_ref(&deceit), &first, &second);
        assert_eq!(open_as(&forged, &first), Err(expected), "{deceit:?}");
    }
    for (line, by) in [
        ("kind situation.figures", "kind sealed"),
        ("kind situation.figures", "kind log.root"),
        ("status exercise", "status exercise\nstatus exercise"),
        ("id ", "log moh.chn.example/log/public/2026\nid "),
        ("concord.inner/v1", "concord.record/v1"),
    ] {
        let forged = forge(&[Deceit::InnerLine(line, by)], &first, &second);
        let opened = open_as(&forged, &first);
        assert!(matches!(opened, Err(OpenError::Inner(_))), "{by}: {opened:?}");
    }
}

#[test]
fn an_outer_header_that_leaks_or_contradicts_is_refused() {
    let (author, reader) = (chn(), jpn());
    let inner = author.inner("notice", &[]);
    let sealed = seal_to(&inner, &[], &[&author, &reader]);
    let text = sealed.outer.to_text();
    assert!(record::Header::parse_text(&text.replace("edition 1", "edition 2")).is_err());
    for leak in ["mechanism moh.chn.example/three", "use attribution", "about event 2020-01-08"] {
        let leaking = text.replacen("blob ", &format!("{leak}\nblob "), 1);
        assert!(record::Header::parse_text(&leaking).is_err(), "{leak}");
    }
    let mut status = sealed.outer.clone();
    status.status = Status::Actual;
    let outer = author.sign(&status);
    let opened = open(&outer, &author.chain, 1, store(&sealed.blobs), &reader.identities());
    assert_eq!(opened, Err(OpenError::Repeated { key: "status" }));
}

#[test]
fn another_author_s_root_opens_nothing() {
    let (author, reader) = (chn(), jpn());
    let sealed = seal_to(&author.inner("notice", &[]), &[], &[&author, &reader]);
    let outer = author.sign(&sealed.outer);
    let opened = open(&outer, &reader.chain, 1, store(&sealed.blobs), &reader.identities());
    assert_eq!(opened, Err(OpenError::Kind { kind: "notice".into() }));
}
