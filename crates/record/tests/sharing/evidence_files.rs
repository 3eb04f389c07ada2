//! Evidence files: what they prove to whom, and that no altered file proves anything else.

use std::collections::BTreeMap;

use proptest::prelude::*;
use record::evidence::{Conclusion, Evidence, EvidenceError, Report, Revocation};
use record::{Record, Time};
use tlog::sha256;

use crate::cast::{Log, Node, chn, jpn, kor, policy, seal_to};
use crate::fixture::time;

pub const FIRST: &str = "2026-11-22T10:00:05Z";
pub const SECOND: &str = "2026-11-22T10:00:09Z";

/// A sealed record among others in a restricted log, witnessed by two, with all that shows it.
pub fn sealed_evidence(author: &Node, first: &Node, second: &Node) -> Evidence {
    let contents: [&[u8]; 2] = [b"region,cases\nwuhan,41\n", b"no evidence of transmission"];
    let inner = author.inner("situation.figures", &contents);
    let sealed = seal_to(&inner, &contents, &[author, first]);
    let record = author.sign(&sealed.outer);
    let policy = policy(&[first, second], "2");
    let readers = ["mhlw.jpn.example", "moh.chn.example"];
    let mut log = Log::open(author, &author.ministry.restricted_log(), &readers, &policy);
    for n in 0..4 {
        log.append(&author.sign(&author.ministry.sealed(&log.origin, n)));
    }
    let index = log.append(&record);
    log.append(&author.sign(&author.ministry.sealed(&log.origin, 9)));
    let early = log.checkpoint(6, &[(first, FIRST)]);
    let late = log.checkpoint(7, &[(second, SECOND)]);
    let roots = [author, first, second]
        .map(|node| ((node.authority(), 1), node.chain.bytes(1).expect("root 1").to_vec()));
    Evidence {
        record: record.bytes,
        proofs: vec![log.proof(index, &early), log.proof(index, &late)],
        entries: vec![(log.entries[0].clone(), log.proof(0, &late))],
        roots: BTreeMap::from(roots),
        policy,
        inner: Some(inner.to_text()),
        blobs: contents.iter().map(|bytes| (sha256(bytes), bytes.to_vec())).collect(),
    }
}

fn file() -> Evidence {
    sealed_evidence(&chn(), &jpn(), &kor())
}

fn verify(evidence: &Evidence, pinned: &[&Node]) -> Report {
    let pins: Vec<_> = pinned.iter().map(|node| node.fingerprint()).collect();
    evidence.verify(&pins)
}

fn conclusion(report: &Report) -> &Conclusion {
    report.conclusion.as_ref().unwrap_or_else(|| panic!("{:#?}", report.steps))
}

/// The code of the first required step that did not hold.
fn failed(report: &Report) -> Option<&'static str> {
    assert!(report.conclusion.is_none());
    report.steps.iter().find(|step| step.required && !step.ok).map(|step| step.code)
}

#[test]
fn it_shows_who_said_what_and_since_when() {
    let evidence = file();
    let parsed = Evidence::parse(&evidence.to_bytes()).expect("a file");
    assert_eq!(parsed, evidence);
    let report = verify(&parsed, &[&chn(), &jpn(), &kor()]);
    let proven = conclusion(&report);
    assert!(report.steps.iter().all(|step| step.ok), "{:#?}", report.steps);
    assert_eq!(proven.record.header.author, chn().authority());
    assert_eq!(Some(proven.name), Record::parse(&evidence.record).expect("a record").commit());
    assert_eq!((proven.index, proven.size, proven.root), (5, 7, 1));
    assert_eq!(proven.key.name(), "moh.chn.example/author/1");
    assert_eq!(proven.proven, Some(time(SECOND)));
    let witnesses: Vec<(Time, &str)> =
        proven.witnesses.iter().map(|w| (w.time, w.authority.as_str())).collect();
    assert_eq!(witnesses, [(time(FIRST), "mhlw.jpn.example"), (time(SECOND), "kdca.kor.example")]);
    assert_eq!(proven.inner.as_ref().map(|inner| inner.header.kind.as_str()), Some("situation.figures"));
    assert_eq!(proven.blobs.len(), 2);
}

#[test]
fn without_a_witness_s_pin_the_time_is_claimed_only_and_without_the_author_s_nothing_is_proven() {
    let evidence = file();
    let report = verify(&evidence, &[&chn(), &jpn()]);
    let proven = conclusion(&report);
    assert_eq!((proven.proven, proven.witnesses.len()), (None, 1));
    let missing: Vec<_> = report.steps.iter().filter(|step| !step.ok).map(|step| step.code).collect();
    assert_eq!(missing, ["chain-pinned", "time-proven"]);
    assert_eq!(failed(&verify(&evidence, &[&jpn(), &kor()])), Some("chain-pinned"));
}

#[test]
fn undisclosed_it_still_proves_the_commitment() {
    let mut evidence = file();
    evidence.inner = None;
    evidence.blobs.clear();
    let report = verify(&evidence, &[&chn(), &jpn(), &kor()]);
    assert_eq!(conclusion(&report).inner, None);
    assert_eq!(conclusion(&report).proven, Some(time(SECOND)));
}

/// The file with a root of the author that revokes the key of the record.
fn with_revocation(since: Time) -> Evidence {
    let author = chn();
    let mut evidence = file();
    let mut root = author.ministry.root(2, author.chain.text_hash(1));
    let key = author.chain.latest().keys.iter().find(|k| k.vkey.name() == "moh.chn.example/author/1");
    root.revoked = vec![(key.expect("listed").vkey.clone(), since)];
    evidence.roots.insert((author.authority(), 2), author.ministry.signed(&root).bytes);
    evidence
}

/// What was proven before the theft stands; what is later, or claims to be, is disowned, whatever proves that it was there.
#[test]
fn a_later_root_that_revokes_the_key_says_what_becomes_of_the_record() {
    let (author, first, second) = (chn(), jpn(), kor());
    let witnesses = [&author, &first, &second];
    let told = |since: Time, pins: &[&Node]| {
        let report = verify(&with_revocation(since), pins);
        assert!(report.steps.iter().any(|step| step.code == "key-in-force" && !step.ok));
        conclusion(&report).revocation
    };
    let late = time("2026-12-01T00:00:00Z");
    assert_eq!(told(late, &witnesses), Some(Revocation::Later(late)));
    assert_eq!(told(late, &[&author]), Some(Revocation::OnlyClaimed(late)));
    assert_eq!(told(time(SECOND), &witnesses), Some(Revocation::Disowned(time(SECOND))));
    let early = time("2020-01-01T00:00:00Z");
    assert_eq!(told(early, &[&author]), Some(Revocation::Disowned(early)));
}

#[test]
fn the_root_in_force_is_the_one_that_the_shown_entries_say() {
    let (mut author, first, second) = (chn(), jpn(), kor());
    let bytes = author.ministry.signed(&author.ministry.root(2, author.chain.text_hash(1))).bytes;
    author.chain.extend(&bytes).expect("root 2");
    let policy = policy(&[&first, &second], "any");
    let origin = author.ministry.public_log();
    let mut log = Log::open(&author, &origin, &["public"], &policy);
    let moved = log.append(&author.ministry.sign(&author.ministry.move_root(&origin, &author.chain, 2), 2));
    let by_second = author.ministry.sign(&author.ministry.header(&origin, "notice", 3), 2);
    let index = log.append(&by_second);
    // The checkpoint must be signed by root 2's log key.
    let signer = author.ministry.signer(record::Role::Log, 2).with_name(&origin.to_string()).expect("a name");
    let signed_by_first = log.checkpoint(3, &[(&first, FIRST)]);
    let by_right_key =
        tlog::SignedCheckpoint::sign(signed_by_first.checkpoint.clone(), &signer).expect("signed");
    let evidence = |checkpoint: &tlog::SignedCheckpoint, entries: &[u64]| Evidence {
        record: by_second.bytes.clone(),
        proofs: vec![log.proof(index, checkpoint)],
        entries: entries
            .iter()
            .map(|n| (log.entries[usize::try_from(*n).expect("small")].clone(), log.proof(*n, checkpoint)))
            .collect(),
        roots: BTreeMap::from([
            ((author.authority(), 1), author.chain.bytes(1).expect("root 1").to_vec()),
            ((author.authority(), 2), bytes.clone()),
        ]),
        policy: policy.clone(),
        inner: None,
        blobs: BTreeMap::new(),
    };
    let report = verify(&evidence(&by_right_key, &[0, moved]), &[&author]);
    assert_eq!(conclusion(&report).root, 2);
    let report = verify(&evidence(&signed_by_first, &[0, moved]), &[&author]);
    assert_eq!(failed(&report), Some("checkpoint-signed"));
    // Without the `log.root` the record's key is not yet one of the author's.
    let report = verify(&evidence(&by_right_key, &[0]), &[&author]);
    assert_eq!(failed(&report), Some("record-valid"));
    let report = verify(&evidence(&by_right_key, &[moved]), &[&author]);
    assert_eq!(failed(&report), Some("entries-ordered"));
}

#[test]
fn parts_of_another_file_prove_nothing() {
    let evidence = file();
    let other = sealed_evidence(&jpn(), &chn(), &kor());
    let all = [&chn(), &jpn(), &kor()];
    let with = |change: &dyn Fn(&mut Evidence)| {
        let mut changed = evidence.clone();
        change(&mut changed);
        failed(&verify(&changed, &all))
    };
    assert_eq!(with(&|e| e.record = other.record.clone()), Some("record-included"));
    assert_eq!(with(&|e| e.proofs = other.proofs.clone()), Some("record-included"));
    assert_eq!(with(&|e| e.entries = other.entries.clone()), Some("entry-included"));
    assert_eq!(with(&|e| e.policy = other.policy.clone()), Some("policy-read"));
    assert_eq!(with(&|e| e.inner = other.inner.clone()), Some("inner-committed"));
    assert_eq!(with(&|e| e.blobs = BTreeMap::from([(sha256(b"x"), b"x".to_vec())])), Some("blob-named"));
    assert_eq!(with(&|e| e.proofs.reverse()), Some("record-included"));
    assert_eq!(with(&|e| e.entries.clear()), Some("entries-ordered"));
    assert_eq!(with(&|e| drop(e.roots.remove(&(chn().authority(), 1)))), Some("chain-pinned"));
}

#[test]
fn the_container_has_one_form() {
    let evidence = file();
    let bytes = evidence.to_bytes();
    let text = String::from_utf8(bytes.clone()).expect("these contents are text");
    let sealed = |body: String| {
        let end = format!("end {}\n", sha256(body.as_bytes()));
        Evidence::parse((body + &end).as_bytes()).expect_err("refused")
    };
    let body = text[..text.rfind("end ").expect("an end")].to_owned();
    assert!(matches!(Evidence::parse(b""), Err(EvidenceError::Tag)));
    assert!(matches!(Evidence::parse(body.as_bytes()), Err(EvidenceError::Section { .. })));
    assert!(matches!(sealed("concord.evidence/v2\n".into()), EvidenceError::Tag));
    assert!(
        matches!(sealed("concord.evidence/v1\n".into()), EvidenceError::Order { name } if name == "record")
    );
    let one_more = body.clone() + "section other 1\nx\n";
    assert!(matches!(sealed(one_more), EvidenceError::Order { name } if name == "other"));
    let policy_twice = body.clone() + "section policy 1\nx\n";
    assert!(matches!(sealed(policy_twice), EvidenceError::Order { .. }));
    assert!(matches!(
        sealed(body.replacen("section record ", "section record 0", 1)),
        EvidenceError::Section { at: 20 }
    ));
    assert!(matches!(sealed(body.clone() + "section other 5\nx\n"), EvidenceError::Section { .. }));
    let hash = sha256(b"no evidence of transmission").to_hex();
    let other_blob = body.replacen("no evidence of", "an evidence of", 1);
    assert!(matches!(sealed(other_blob), EvidenceError::Content { name } if name == hash));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_flipped_bit_is_refused(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let mut bytes = file().to_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(Evidence::parse(&bytes).is_err());
    }

    /// Whoever alters the file can also make its last line right. Then it may prove less, but nothing else.
    #[test]
    fn a_forger_without_keys_proves_nothing_else(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..3),
    ) {
        let honest = file();
        let mut bytes = honest.to_bytes();
        let end = bytes.len() - 69;
        for (at, byte) in changes {
            bytes[at.index(end)] = byte;
        }
        bytes.truncate(end);
        let hash = sha256(&bytes);
        bytes.extend_from_slice(format!("end {hash}\n").as_bytes());
        if let Ok(evidence) = Evidence::parse(&bytes) {
            let all = [&chn(), &jpn(), &kor()];
            if let Some(forged) = verify(&evidence, &all).conclusion {
                let report = verify(&honest, &all);
                let honest = conclusion(&report);
                prop_assert_eq!(&forged.record.header, &honest.record.header);
                prop_assert_eq!((forged.name, forged.index, &forged.key), (honest.name, honest.index, &honest.key));
                prop_assert_eq!((&forged.inner, &forged.blobs), (&honest.inner, &honest.blobs));
                prop_assert!(forged.proven.is_none() || forged.proven >= honest.proven);
            }
        }
    }

    #[test]
    fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let tagged = [b"concord.evidence/v1\n".as_slice(), &bytes].concat();
        let end = format!("end {}\n", sha256(&tagged));
        prop_assert!(Evidence::parse(&[tagged.as_slice(), end.as_bytes()].concat()).is_err());
    }
}
