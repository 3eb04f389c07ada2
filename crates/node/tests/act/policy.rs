//! The witness policy of new logs: no witness alone proves anything where two are known.

use node::own_log::Audience;
use node::release::witness_policy;
use record::provenance::{ProvenTimes, WitnessKeys};
use record::root::Role;
use tlog::{KeyType, LocalSigner, Policy, SecretKey, Signer as _, VerifierKey};

use crate::home::{Home, close, notice, only};

fn witness(authority: u8, n: u8) -> VerifierKey {
    let name = format!("w{authority}.example/witness/{n}");
    let secret = SecretKey::from_seed([authority * 16 + n; 32]);
    LocalSigner::new(&name, KeyType::Cosignature, secret).unwrap().key().clone()
}

#[test]
fn the_quorum_wants_two_authorities_where_two_are_known() {
    let keys = |of: &[(u8, u8)]| of.iter().map(|(a, n)| witness(*a, *n)).collect::<Vec<_>>();
    let policy = |authorities: &[Vec<VerifierKey>]| {
        let text = witness_policy(authorities.iter().map(Vec::as_slice));
        Policy::parse(text.as_bytes()).unwrap_or_else(|why| panic!("{why}: {text}"))
    };
    let enough = |policy: &Policy, signed: &[VerifierKey]| policy.satisfied_by(|key| signed.contains(key));
    let none = policy(&[]);
    assert!(enough(&none, &[]), "quorum none");
    let one = policy(&[keys(&[(1, 1)])]);
    assert!(enough(&one, &keys(&[(1, 1)])) && !enough(&one, &[]));
    let three = policy(&[keys(&[(1, 1), (1, 2)]), keys(&[(2, 1)]), keys(&[(3, 1)])]);
    for alone in [(1, 1), (1, 2), (2, 1), (3, 1)] {
        assert!(!enough(&three, &keys(&[alone])), "{alone:?} alone");
    }
    assert!(!enough(&three, &keys(&[(1, 1), (1, 2)])), "two keys of one authority are one witness");
    assert!(enough(&three, &keys(&[(1, 2), (3, 1)])));
    // One of three says that it saw it years ago, or that it never did: the time is that of the honest ones.
    let lies = |early: u64| {
        let times = [(witness(1, 1), early), (witness(2, 1), 1000), (witness(3, 1), 1001)];
        three.earliest(|key| times.iter().find(|(known, _)| known == key).map(|(_, time)| *time))
    };
    assert_eq!((lies(1), lies(9_000)), (Some(1000), Some(1001)));
}

/// The policy of a real log, measured as every node measures it: by what `seen` checkpoints prove.
#[tokio::test(flavor = "multi_thread")]
async fn one_lying_witness_of_three_proves_and_disproves_nothing() {
    let homes = [Home::of("a.example").await, Home::of("b.example").await, Home::of("c.example").await];
    let home = Home::of("x.example").await;
    for witness in &homes {
        home.confirm(witness).await;
    }
    let node = home.open().await;
    let released = only(node.release(&Audience::Public, vec![notice("in time")]).await.expect("released"));
    let log = node.own_logs().await.unwrap().remove(0);
    let text = node.files.get(&store::layout::blob(&log.policy_hash().unwrap())).await.unwrap().unwrap();
    let policy = Policy::parse(&text).unwrap();
    let mut chains = Vec::new();
    let mut signers = Vec::new();
    for witness in &homes {
        let other = witness.open().await;
        chains.push(other.own_chain());
        signers.push(other.identity().signer(Role::Witness, other.own_chain().latest()).unwrap());
        close(other).await;
    }
    let keys = WitnessKeys::new(&node.config.authority, chains.iter().map(AsRef::as_ref));
    let head = node.writer.head(&log.origin.to_string()).await.unwrap().unwrap();
    let proven = |times: [Option<u64>; 3]| {
        let mut seen = head.clone();
        for (signer, time) in signers.iter().zip(times) {
            if let Some(time) = time {
                seen.add_cosignature(head.cosign(signer, time).unwrap()).unwrap();
            }
        }
        let mut proofs = ProvenTimes::new(&log.origin.to_string(), policy.clone(), &keys);
        proofs.take(&seen).unwrap();
        proofs.proven_time(released.index).map(record::Time::posix)
    };
    let now = 1_800_000_000;
    assert_eq!(proven([Some(1_000_000_000), None, None]), None, "one alone proves nothing");
    assert_eq!(proven([Some(1_000_000_000), Some(now), Some(now + 1)]), Some(1_800_000_000), "nor earlier");
    assert_eq!(
        proven([None, Some(now), Some(now + 1)]),
        Some(1_800_000_001),
        "nor does its silence disprove"
    );
    close(node).await;
}
