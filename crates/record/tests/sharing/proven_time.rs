//! Proven times against their definition, for any history of `seen` files, and what never counts.

use std::fmt::Write as _;

use proptest::prelude::*;
use record::provenance::{
    AnchorError, ProvenTimes, SeenError, Span, WitnessKeys, check_anchor, signed_after,
};
use record::{Anchor, ListedKey, Role, RootChain, Time};
use tlog::{Checkpoint, LocalSigner, Policy, SignedCheckpoint, Signer, sha256};

use crate::cast::{Node, chn, jpn, kor};

fn witness(node: &Node) -> LocalSigner {
    node.ministry.signer(Role::Witness, 1)
}

/// A checkpoint of the first ministry's public log, cosigned at these POSIX seconds.
fn seen(size: u64, cosigned: &[(&LocalSigner, u64)]) -> SignedCheckpoint {
    let author = chn();
    let origin = author.ministry.public_log().to_string();
    let root = sha256(&size.to_be_bytes());
    let key = author.ministry.signer(Role::Log, 1).with_name(&origin).expect("a name");
    let mut signed = SignedCheckpoint::sign(Checkpoint { origin, size, root }, &key).expect("signed");
    for (witness, time) in cosigned {
        let line = signed.cosign(*witness as &dyn Signer, *time).expect("cosigned");
        signed.add_cosignature(line).expect("room");
    }
    signed
}

fn at(seconds: u64) -> Option<Time> {
    Time::from_posix(i64::try_from(seconds).ok()?)
}

fn fresh(policy: &Policy, chains: &[&RootChain]) -> ProvenTimes {
    let author = chn();
    let keys = WitnessKeys::new(&author.authority(), chains.iter().copied());
    ProvenTimes::new(&author.ministry.public_log().to_string(), policy.clone(), &keys)
}

/// Witnesses A to D are those of four authorities, X is the author's own.
fn policies() -> Vec<Policy> {
    let mut witnesses = String::new();
    for (name, signer) in ["A", "B", "C", "D", "X"].iter().zip(signers()) {
        writeln!(witnesses, "witness {name} {}", signer.key()).expect("a String");
    }
    let quorums = [
        "quorum A\n",
        "group Q any A B C D X\nquorum Q\n",
        "group Q 2 A B C D X\nquorum Q\n",
        "group Q all A B\nquorum Q\n",
        "group P 2 A B X\ngroup R any C D\ngroup Q all P R\nquorum Q\n",
        "group Q any X\nquorum Q\n",
        "quorum none\n",
    ];
    quorums.iter().map(|q| Policy::parse((witnesses.clone() + q).as_bytes()).expect("a policy")).collect()
}

fn nodes() -> [Node; 5] {
    [jpn(), kor(), Node::new("moh.sgp.example"), Node::new("moh.vnm.example"), chn()]
}

fn signers() -> [LocalSigner; 5] {
    nodes().map(|node| witness(&node))
}

/// A history: how much the log grew, and who cosigned when.
fn history() -> impl Strategy<Value = Vec<(u64, Vec<(usize, u64)>)>> {
    let cosigned = prop::collection::vec((0_usize..5, 1_u64..50), 0..4);
    prop::collection::vec((0_u64..4, cosigned), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_spans_are_what_the_definition_gives(history in history(), policy in 0_usize..7) {
        let (nodes, signers, policy) = (nodes(), signers(), &policies()[policy]);
        let chains: Vec<&RootChain> = nodes.iter().map(|node| &node.chain).collect();
        let mut times = fresh(policy, &chains);
        let (mut size, mut all, mut kept) = (0, Vec::new(), Vec::new());
        for (growth, cosigned) in &history {
            size += growth;
            let by: Vec<(&LocalSigner, u64)> = cosigned.iter().map(|(n, t)| (&signers[*n], *t)).collect();
            let before: Vec<Option<Time>> = (0..size).map(|index| times.proven_time(index)).collect();
            let changed = times.take(&seen(size, &by)).expect("taken");
            let after: Vec<Option<Time>> = (0..size).map(|index| times.proven_time(index)).collect();
            prop_assert_eq!(changed, before != after);
            // Who writes down no more than what is said to have changed has all times.
            for (first, Span { end, time }) in times.changes() {
                kept.resize(kept.len().max(usize::try_from(end).expect("small")), None);
                let range = usize::try_from(first).expect("small")..usize::try_from(end).expect("small");
                kept[range].fill(time);
            }
            if *growth != 1 {
                times.changes_are_known();
            }
            prop_assert_eq!(&kept, &after);
            // More evidence never takes a time away, nor makes it later.
            for (before, after) in before.iter().zip(&after) {
                prop_assert!(before.is_none() || (after.is_some() && after <= before));
            }
            all.push((size, cosigned));
        }
        // A few of the files prove the same: this is what goes into evidence.
        for index in 0..size {
            let files = times.seen_files(index);
            let mut few = fresh(policy, &chains);
            for n in &files {
                let (size, cosigned) = &all[usize::try_from(*n).expect("small")];
                let by: Vec<(&LocalSigner, u64)> = cosigned.iter().map(|(n, t)| (&signers[*n], *t)).collect();
                few.take(&seen(*size, &by)).expect("taken");
            }
            prop_assert_eq!(few.proven_time(index), times.proven_time(index));
            prop_assert_eq!(files.is_empty(), times.proven_time(index).is_none());
        }
        for index in 0..size + 2 {
            let earliest = policy.earliest(|key| {
                let n = signers.iter().position(|signer| signer.key() == key)?;
                let covering = all.iter().filter(|(size, _)| *size > index);
                let times = covering.flat_map(|(_, c)| c.iter()).filter(|(w, _)| *w == n && n != 4);
                times.map(|(_, time)| *time).min()
            });
            prop_assert_eq!(times.proven_time(index), earliest.and_then(at), "entry {}", index);
        }
        let spans: Vec<Span> = times.spans().collect();
        prop_assert_eq!(spans.last().map_or(0, |span| span.end), size);
        for (n, span) in spans.iter().enumerate() {
            let begin = n.checked_sub(1).map_or(0, |before| spans[before].end);
            prop_assert!(begin < span.end);
            prop_assert!((begin..span.end).all(|index| times.proven_time(index) == span.time));
        }
        for pair in spans.windows(2) {
            let rises = pair[1].time.is_none_or(|later| pair[0].time.is_some_and(|earlier| earlier < later));
            prop_assert!(pair[0].time.is_some() && rises, "{:?}", pair);
        }
    }
}

#[test]
fn cosignatures_on_different_checkpoints_make_a_quorum_together() {
    let policy = &policies()[3];
    let [a, b, ..] = signers();
    let nodes = nodes();
    let chains: Vec<&RootChain> = nodes.iter().map(|node| &node.chain).collect();
    let mut times = fresh(policy, &chains);
    times.take(&seen(5, &[(&a, 100)])).expect("taken");
    assert_eq!(times.proven_time(3), None, "claimed only");
    times.take(&seen(7, &[(&b, 200)])).expect("taken");
    assert_eq!(times.proven_time(3), at(200));
    assert_eq!(times.proven_time(6), None, "the first witness has not seen it");
    let witnessed: Vec<_> = times.witnesses(3).into_iter().map(|w| (w.time, w.authority)).collect();
    let expected = [(at(100), nodes[0].authority()), (at(200), nodes[1].authority())];
    assert_eq!(witnessed, expected.map(|(time, authority)| (time.expect("a time"), authority)));
    assert_eq!(
        times.spans().map(|span| (span.end, span.time)).collect::<Vec<_>>(),
        [(5, at(200)), (7, None)]
    );
}

#[test]
fn the_author_s_own_keys_never_count_whoever_else_lists_them() {
    let author = chn();
    let own = witness(&author);
    let other = jpn();
    // Another authority lists the author's public key as a witness of its own.
    let renamed = LocalSigner::new(
        "mhlw.jpn.example/witness/9",
        own.key().key_type(),
        tlog::SecretKey::from_seed(sha256(b"moh.chn.example/witness/1").0),
    )
    .expect("a key");
    assert_eq!(renamed.key().public(), own.key().public());
    let mut root = other.chain.latest().clone();
    root.keys.push(ListedKey { role: Role::Witness, vkey: renamed.key().clone(), kinds: vec![] });
    let chain = RootChain::accept_first(&other.ministry.signed(&root).bytes).expect("a sound root");
    for signer in [&own, &renamed] {
        let policy =
            Policy::parse(format!("witness W {}\nquorum W\n", signer.key()).as_bytes()).expect("a policy");
        let mut times = fresh(&policy, &[&author.chain, &chain]);
        times.take(&seen(1, &[(signer, 100)])).expect("taken");
        assert_eq!((times.proven_time(0), times.witnesses(0).len()), (None, 0));
    }
}

#[test]
fn only_witness_keys_of_pinned_chains_count_and_revoked_ones_no_more() {
    let other = jpn();
    let own = witness(&other);
    let holds = other.ministry.signer(Role::Holds, 1);
    let proven = |signer: &LocalSigner, chains: &[&RootChain]| {
        let policy =
            Policy::parse(format!("witness W {}\nquorum W\n", signer.key()).as_bytes()).expect("a policy");
        let mut times = fresh(&policy, chains);
        times.take(&seen(1, &[(signer, 100)])).expect("taken");
        times.proven_time(0)
    };
    assert_eq!(proven(&own, &[&other.chain]), at(100));
    assert_eq!(proven(&own, &[]), None, "its authority is not pinned");
    assert_eq!(proven(&holds, &[&other.chain]), None, "a receipt is no witness");
    let revoking = |time: &str, key: &LocalSigner| {
        let mut chain = other.chain.clone();
        let mut root = other.ministry.root(2, chain.text_hash(1));
        root.revoked = vec![(key.key().clone(), time.parse().expect("a time"))];
        chain.extend(&other.ministry.signed(&root).bytes).expect("the next root");
        chain
    };
    assert_eq!(
        proven(&own, &[&revoking("2027-01-01T00:00:00Z", &holds)]),
        at(100),
        "a former key still counts"
    );
    assert_eq!(proven(&own, &[&revoking("2027-01-01T00:00:00Z", &own)]), None);
}

#[test]
fn seen_files_of_other_logs_falling_sizes_and_forged_lines_are_not_taken() {
    let [a, ..] = signers();
    let nodes = nodes();
    let chains: Vec<&RootChain> = nodes.iter().map(|node| &node.chain).collect();
    let mut times = fresh(&policies()[0], &chains);
    times.take(&seen(5, &[])).expect("taken");
    assert_eq!(times.take(&seen(4, &[(&a, 9)])), Err(SeenError::SizeFell { n: 1, found: 4, before: 5 }));
    let mut forged = seen(6, &[(&a, 9)]);
    forged.note.signatures[1].bytes[10] ^= 1;
    assert!(matches!(times.take(&forged), Err(SeenError::Cosignature { n: 1, .. })));
    let mut other = seen(6, &[(&a, 9)]);
    other.checkpoint.origin = "other.example/log/public/2026".into();
    assert!(matches!(times.take(&other), Err(SeenError::Origin { .. })));
    assert_eq!((times.next(), times.proven_time(0)), (1, None), "nothing was taken");
    times.skip();
    assert_eq!(times.take(&seen(6, &[(&a, 9)])), Ok(true));
    assert_eq!((times.next(), times.proven_time(5)), (3, at(9)));
}

#[test]
fn a_million_entries_cost_no_more_than_their_seen_files() {
    let [a, b, c, ..] = signers();
    let nodes = nodes();
    let chains: Vec<&RootChain> = nodes.iter().map(|node| &node.chain).collect();
    let mut times = fresh(&policies()[2], &chains);
    for n in 1..=200_u64 {
        let by = [(&a, 1000 * n), (&b, 1000 * n + 1), (&c, 1000 * n + 2)];
        times.take(&seen(n * 5000, &by[..usize::try_from(n % 4).expect("small")])).expect("taken");
    }
    assert_eq!(times.proven_time(0), at(2001));
    assert_eq!(times.proven_time(999_999), None);
    // Two witnesses at n = 2 and 3 of each four: a quorum at once, and none at n = 0 and 1 alone.
    assert_eq!(times.spans().count(), 200 / 4 * 2 + 1);
    assert_eq!(times.spans().last().map(|span| span.end), Some(1_000_000));
}

#[test]
fn an_anchor_proves_after_which_time_a_record_was_signed() {
    let (author, other) = (chn(), jpn());
    let keys = WitnessKeys::new(&author.authority(), [&author.chain, &other.chain]);
    let anchor = |node: &Node, seconds: u64| {
        let origin = kor().ministry.public_log();
        let checkpoint = Checkpoint { origin: origin.to_string(), size: 9, root: sha256(b"root") };
        let line = tlog::cosign(&checkpoint.to_text(), &witness(node), seconds).expect("cosigned");
        let mut cosignature = [0; 76];
        cosignature[..4].copy_from_slice(&line.id.to_be_bytes());
        cosignature[4..].copy_from_slice(&line.bytes);
        Anchor { origin, size: 9, root: sha256(b"root"), witness: line.name, cosignature }
    };
    assert_eq!(check_anchor(&anchor(&other, 100), &keys).ok(), at(100));
    assert!(matches!(check_anchor(&anchor(&author, 100), &keys), Err(AnchorError::Witness { .. })));
    let mut forged = anchor(&other, 100);
    forged.size = 10;
    assert!(matches!(check_anchor(&forged, &keys), Err(AnchorError::Cosignature { .. })));
    let anchors = [anchor(&other, 100), anchor(&other, 300), forged, anchor(&author, 900)];
    assert_eq!(signed_after(&anchors, &keys), at(300));
}
