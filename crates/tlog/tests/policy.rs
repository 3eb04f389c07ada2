//! Policies: what is refused, what satisfies, and since when.

mod fixture;

use fixture::{log_signer, witness};
use proptest::prelude::*;
use tlog::policy::MAX_POLICY;
use tlog::{Policy, PolicyError, Signer, VerifierKey};

fn vkey(n: u8) -> String {
    witness(n).key().to_string()
}

/// Witnesses w1 to w4, and what the test adds.
fn text(rest: &str) -> String {
    let witnesses: Vec<String> = (1..=4).map(|n| format!("witness w{n} {}\n", vkey(n))).collect();
    format!("{}{rest}", witnesses.concat())
}

fn parse(rest: &str) -> Result<Policy, PolicyError> {
    Policy::parse(text(rest).as_bytes())
}

#[test]
fn two_of_four() {
    let policy = parse("group g 2 w1 w2 w3 w4\nquorum g\n").expect("a policy");
    let times = |times: &'static [(u8, u64)]| {
        move |key: &VerifierKey| times.iter().find(|(n, _)| witness(*n).key() == key).map(|(_, time)| *time)
    };
    assert_eq!(policy.earliest(times(&[(1, 30)])), None);
    assert_eq!(policy.earliest(times(&[(1, 30), (4, 20)])), Some(30));
    assert_eq!(policy.earliest(times(&[(1, 30), (2, 10), (4, 20)])), Some(20));
    assert!(policy.satisfied_by(|key| times(&[(1, 0), (3, 0)])(key).is_some()));
    assert!(!policy.has_logs());
    assert!(policy.needs_witnesses());
}

#[test]
fn without_witnesses_nothing_is_proven() {
    let policy = Policy::parse(b"quorum none\n").expect("a policy");
    assert!(policy.satisfied_by(|_| false));
    assert_eq!(policy.earliest(|_| Some(1)), None);
    assert!(!policy.needs_witnesses());
}

#[test]
fn a_single_witness_may_be_the_quorum() {
    let policy = parse("quorum w2\n").expect("a policy");
    assert!(policy.satisfied_by(|key| key == witness(2).key()));
    assert!(!policy.satisfied_by(|key| key != witness(2).key()));
}

#[test]
fn comments_tabs_and_urls() {
    let bytes = [
        b"  # caf\xe9 \n\n \t \n".as_slice(),
        format!("\twitness  a\t{} https://w.example/ \n", vkey(1)).as_bytes(),
        format!("log {} https://log.example\n", log_signer().key()).as_bytes(),
        b"quorum a\n",
    ]
    .concat();
    let policy = Policy::parse(&bytes).expect("a policy");
    assert_eq!(policy.witnesses().collect::<Vec<_>>(), [("a", witness(1).key(), Some("https://w.example/"))]);
    assert_eq!(policy.logs().collect::<Vec<_>>(), [(log_signer().key(), Some("https://log.example"))]);
    let plain = format!(
        "log {} https://log.example\nwitness a {} https://w.example/\nquorum a\n",
        log_signer().key(),
        vkey(1)
    );
    assert_eq!(policy.to_text(), plain);
}

#[test]
fn policies_that_are_none() {
    let name = |name: &str| name.to_owned();
    let log = log_signer().key().to_string();
    let cases = [
        ("", PolicyError::NoQuorum),
        ("quorum w1", PolicyError::NoFinalNewline),
        ("quorum w1\r\n", PolicyError::Control { line: 5 }),
        ("quorum w9\n", PolicyError::UnknownName { line: 5, name: name("w9") }),
        ("quorum w1\nquorum w1\n", PolicyError::SecondQuorum { line: 6 }),
        ("quorum g\ngroup g any w1\n", PolicyError::UnknownName { line: 5, name: name("g") }),
        ("group g any g\n", PolicyError::UnknownName { line: 5, name: name("g") }),
        ("group g any none\n", PolicyError::UnknownName { line: 5, name: name("none") }),
        ("group g 0 w1\n", PolicyError::Threshold { line: 5, members: 1 }),
        ("group g 3 w1 w2\n", PolicyError::Threshold { line: 5, members: 2 }),
        ("group g 01 w1 w2\n", PolicyError::Threshold { line: 5, members: 2 }),
        ("group g any w1 w1\n", PolicyError::MemberTwice { line: 5, name: name("w1") }),
        ("group g any w1\ngroup h any w1 w2\n", PolicyError::MemberTwice { line: 6, name: name("w1") }),
        ("group w1 any w2\n", PolicyError::DuplicateName { line: 5, name: name("w1") }),
        ("group none any w2\n", PolicyError::DuplicateName { line: 5, name: name("none") }),
        ("group g any\n", PolicyError::Form { line: 5, form: "group <name> all|any|<k> <name>..." }),
        ("quorum\n", PolicyError::Form { line: 5, form: "quorum <name>|none" }),
        ("nothing\n", PolicyError::Form { line: 5, form: "log, witness, group or quorum" }),
        (&format!("witness w9 {}\n", vkey(1)), PolicyError::DuplicateKey { line: 5 }),
        (&format!("witness w1 {}\n", vkey(9)), PolicyError::DuplicateName { line: 5, name: name("w1") }),
        (&format!("witness w9 {log}\n"), PolicyError::KeyType { line: 5, expected: 4 }),
        (&format!("log {}\n", vkey(9)), PolicyError::KeyType { line: 5, expected: 1 }),
        (&format!("log {log}\nlog {log}\n"), PolicyError::DuplicateKey { line: 6 }),
        ("log nothing\n", PolicyError::Key { line: 5, error: tlog::KeyError::Format }),
    ];
    for (rest, error) in cases {
        assert_eq!(parse(rest), Err(error), "{rest}");
    }
    assert_eq!(Policy::parse(b"quorum \xff\n"), Err(PolicyError::NotUtf8 { line: 1 }));
    assert_eq!(Policy::parse(&vec![b'\n'; MAX_POLICY + 1]), Err(PolicyError::TooLarge(MAX_POLICY + 1)));
}

/// One public key under two names is one witness: the second line is refused, whatever its name.
#[test]
fn a_public_key_counts_once() {
    let key = witness(1).key().with_name("other.example/witness/1").expect("a name");
    assert_ne!(key.id(), witness(1).key().id());
    assert_eq!(parse(&format!("witness w9 {key}\n")), Err(PolicyError::DuplicateKey { line: 5 }));
}

#[test]
fn thirty_two_witnesses_and_groups_and_more() {
    let lines = |n| format!("witness w{n} {}\ngroup g{n} all w{n}\n", vkey(n));
    let witnesses: Vec<String> = (0..100).map(lines).collect();
    let members: Vec<String> = (0..100).map(|n| format!("g{n}")).collect();
    let text = format!("{}group all 51 {}\nquorum all\n", witnesses.concat(), members.join(" "));
    let policy = Policy::parse(text.as_bytes()).expect("a policy");
    let first = |count: u8| {
        let keys: Vec<VerifierKey> = (0..count).map(|n| witness(n).key().clone()).collect();
        policy.satisfied_by(|key| keys.contains(key))
    };
    assert!(first(51));
    assert!(!first(50));
}

proptest! {
    /// The earliest time is the least at which the witnesses seen until then satisfy the quorum.
    #[test]
    fn earliest_is_the_least_time_that_satisfies(
        times in prop::collection::vec(prop::option::of(0..6_u64), 4),
        inner in 1..=2_usize,
        outer in 1..=3_usize,
    ) {
        let policy = parse(&format!("group g {inner} w1 w2\ngroup h {outer} g w3 w4\nquorum h\n")).expect("a policy");
        let time = |key: &VerifierKey| (1..=4).find(|n| witness(*n).key() == key).and_then(|n| times[usize::from(n) - 1]);
        let expected = (0..6).find(|t| policy.satisfied_by(|key| time(key).is_some_and(|seen| seen <= *t)));
        prop_assert_eq!(policy.earliest(time), expected);
        prop_assert_eq!(Policy::parse(policy.to_text().as_bytes()), Ok(policy));
    }
}
