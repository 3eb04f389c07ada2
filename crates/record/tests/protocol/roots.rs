//! Trust roots: what the next one must be, and what a thief can not do.

use proptest::prelude::*;
use record::encoding::Fingerprint;
use record::root::{Direction, Extended, RootWarning, Succession};
use record::{AgeRecipient, Line, ListedKey, Role, RootChain, RootError, SignedRoot, Time, TrustRoot};
use tlog::{Hash, Signer};

use crate::fixture::{MOH, Ministry, signer, time, vkey};

const RECIPIENT: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";

/// Root 2 as it should be, for a test to spoil.
fn second(chain: &RootChain) -> TrustRoot {
    MOH.root(2, chain.text_hash(1))
}

/// Root 2 spoiled, signed by the announced keys, offered to a chain of root 1.
fn offered(spoil: impl FnOnce(&mut TrustRoot)) -> Result<Extended, RootError> {
    let mut chain = MOH.chain(1);
    let mut root = second(&chain);
    spoil(&mut root);
    let keys = MOH.root_keys(2);
    let note = tlog::Note::sign(&root.to_text(), &[&keys[0], &keys[1]]).expect("signed");
    let before = chain.clone();
    let result = chain.extend(&note.to_bytes());
    assert_eq!(result.is_ok(), chain != before, "a refused root leaves the chain as it was");
    result
}

#[test]
fn a_root_follows_the_one_before() {
    assert_eq!(offered(|_| ()), Ok(Extended::Taken));
    let mut chain = MOH.chain(3);
    assert_eq!(chain.latest().version, 3);
    assert_eq!(chain.at(2).map(|root| root.version), Some(2));
    assert_eq!(chain.at(0), None);
    assert_eq!(chain.at(4), None);
    let second = chain.bytes(2).expect("there").to_vec();
    assert_eq!(chain.extend(&second), Ok(Extended::Known));
}

#[test]
fn a_thief_of_todays_keys_cannot_rotate() {
    let mut chain = MOH.chain(1);
    let stolen = MOH.root_keys(1);
    let own: Vec<_> = (91..=93).map(|n| MOH.signer(Role::Root, n)).collect();
    let attempt = |roots: &[tlog::LocalSigner], signers: &[tlog::LocalSigner]| {
        let vkeys = roots.iter().map(|s| s.key().clone()).collect();
        let root = TrustRoot { roots: vkeys, ..second(&chain) };
        let signers: Vec<&dyn Signer> = signers.iter().map(|s| s as &dyn Signer).collect();
        tlog::Note::sign(&root.to_text(), &signers).expect("signed").to_bytes()
    };
    let with_own = attempt(&own, &[own.clone(), stolen.clone()].concat());
    let with_stolen = attempt(&stolen, &stolen);
    let announced_unsigned = attempt(&MOH.root_keys(2), &[stolen.clone(), own].concat());
    assert!(matches!(chain.extend(&with_own), Err(RootError::NotAnnounced { .. })));
    assert!(matches!(chain.extend(&with_stolen), Err(RootError::NotAnnounced { .. })));
    assert_eq!(chain.extend(&announced_unsigned), Err(RootError::Signatures { signed: 0, wanted: 2 }));
    assert_eq!(chain.latest().version, 1);
}

#[test]
fn one_announced_key_beside_a_foreign_one_is_not_enough() {
    let foreign = MOH.signer(Role::Root, 99).key().clone();
    let error = offered(|root| root.roots[2] = foreign.clone()).expect_err("refused");
    assert_eq!(error, RootError::NotAnnounced { name: "moh.chn.example/root/99".into() });
}

#[test]
fn the_announced_threshold_stays() {
    assert_eq!(offered(|root| root.threshold = 1), Err(RootError::ThresholdChanged { found: 1, wanted: 2 }));
    assert_eq!(offered(|root| root.threshold = 3), Err(RootError::ThresholdChanged { found: 3, wanted: 2 }));
}

#[test]
fn versions_and_hashes_leave_no_gap() {
    assert_eq!(offered(|root| root.version = 3), Err(RootError::Version { found: 3, wanted: 2 }));
    assert_eq!(
        offered(|root| root.previous = Some(Hash([9; 32]))),
        Err(RootError::PreviousHash { version: 2 })
    );
    assert_eq!(offered(|root| root.previous = None), Err(RootError::Previous { version: 2 }));
    assert_eq!(offered(|root| root.version = 0), Err(RootError::Previous { version: 0 }));
}

#[test]
fn a_key_that_signs_twice_counts_once() {
    let mut chain = MOH.chain(1);
    let key = &MOH.root_keys(2)[0];
    let text = second(&chain).to_text();
    let once = tlog::Note::sign(&text, &[key]).expect("signed");
    let mut twice = once.to_bytes();
    twice.extend_from_slice(once.signatures[0].to_line().as_bytes());
    let few = Err(RootError::Signatures { signed: 1, wanted: 2 });
    assert_eq!(chain.extend(&once.to_bytes()), few);
    assert_eq!(chain.extend(&twice), few);
}

#[test]
fn a_wrong_signature_of_a_root_key_refuses_the_root() {
    let mut chain = MOH.chain(1);
    let keys = MOH.root_keys(2);
    let mut note =
        tlog::Note::sign(&second(&chain).to_text(), &[&keys[0], &keys[1], &keys[2]]).expect("signed");
    note.signatures[2].bytes[40] ^= 1;
    let error = chain.extend(&note.to_bytes()).expect_err("refused");
    assert_eq!(error, RootError::BadSignature { name: "moh.chn.example/root/23".into() });
}

#[test]
fn a_chain_without_next_ends() {
    let last = MOH.signed(&TrustRoot { next: None, ..MOH.root(1, None) });
    let mut chain = RootChain::accept_first(&last.bytes).expect("root 1");
    let next = MOH.signed(&MOH.root(2, chain.text_hash(1)));
    assert_eq!(chain.extend(&next.bytes), Err(RootError::NoNext { version: 1 }));
}

#[test]
fn a_public_key_is_listed_once() {
    let author = vkey(MOH.name, Role::Author, 2);
    let twice = |role: Role| {
        let name = format!("{}/{role}/7", MOH.name);
        tlog::VerifierKey::new(&name, role.key_type(), *author.public()).expect("a key")
    };
    for role in [Role::Author, Role::Log, Role::Caller, Role::Witness, Role::Holds] {
        let listed = ListedKey { role, vkey: twice(role), kinds: vec![] };
        let error = offered(|root| root.keys.push(listed)).expect_err("refused");
        assert!(matches!(error, RootError::ListedTwice { .. }), "{role}: {error}");
    }
    let error = offered(|root| root.roots.push(twice(Role::Root))).expect_err("refused");
    assert!(matches!(error, RootError::ListedTwice { .. }), "{error}");
}

#[test]
fn keys_are_named_by_authority_role_and_number() {
    let keys = [
        vkey("who.example", Role::Author, 1),
        vkey(MOH.name, Role::Log, 8),
        signer(MOH.name, Role::Author, 8).with_name("moh.chn.example/author/x").expect("a key").key().clone(),
        signer(MOH.name, Role::Author, 8)
            .with_name("moh.chn.example/author/01")
            .expect("a key")
            .key()
            .clone(),
        signer(MOH.name, Role::Author, 8).with_name("moh.chn.example/author").expect("a key").key().clone(),
        signer(MOH.name, Role::Witness, 8)
            .with_name("moh.chn.example/author/8")
            .expect("a key")
            .key()
            .clone(),
    ];
    for vkey in keys {
        let listed = ListedKey { role: Role::Author, vkey, kinds: vec![] };
        let error = offered(|root| root.keys.push(listed.clone())).expect_err("refused");
        assert!(matches!(error, RootError::KeyName { .. }), "{listed:?}: {error}");
    }
}

#[test]
fn unknown_lines_are_kept_and_critical_ones_refuse() {
    let unknown = Line::new("colour", "blue on white").expect("a line");
    assert_eq!(offered(|root| root.unknown.push(unknown)), Ok(Extended::Taken));
    let critical = Line::new("!quorum", "3").expect("a line");
    let error = offered(|root| root.unknown.push(critical)).expect_err("refused");
    assert!(matches!(error, RootError::Critical { key, .. } if key == "!quorum"));
    let late = Line::new("threshold", "1").expect("a line");
    let error = offered(|root| root.unknown.push(late)).expect_err("refused");
    assert!(matches!(error, RootError::Order { .. }));
}

#[test]
fn another_authority_has_its_own_chain() {
    let other = Ministry { name: "moh.jpn.example" };
    let mut chain = MOH.chain(1);
    let offered = chain.extend(&other.signed(&other.root(1, None)).bytes);
    assert!(matches!(offered, Err(RootError::Authority { .. })), "{offered:?}");
    let offered = chain.extend(&other.signed(&other.root(2, chain.text_hash(1))).bytes);
    assert!(matches!(offered, Err(RootError::Authority { .. })), "{offered:?}");
}

#[test]
fn two_roots_of_one_version_are_an_alarm_and_the_first_stays() {
    let mut chain = MOH.chain(2);
    let kept = chain.text_hash(2).expect("there");
    let other = TrustRoot { endpoint: None, ..second(&chain) };
    let forked = chain.extend(&MOH.signed(&other).bytes);
    assert_eq!(forked, Err(RootError::Fork { version: 2, kept, found: other.text_hash() }));
    assert_eq!(chain.text_hash(2), Some(kept));
    // Noise that nobody signed is no alarm.
    let key = &MOH.root_keys(2)[0];
    let noise = tlog::Note::sign(&other.to_text(), &[key]).expect("signed");
    assert!(matches!(chain.extend(&noise.to_bytes()), Err(RootError::Signatures { .. })));
}

#[test]
fn only_the_compared_fingerprint_is_pinned() {
    let first = MOH.signed(&MOH.root(1, None));
    let fingerprint = first.root.fingerprint();
    assert!(RootChain::pin(&first.bytes, &fingerprint).is_ok());
    let other = Fingerprint([7; 32]);
    assert_eq!(
        RootChain::pin(&first.bytes, &other),
        Err(RootError::Fingerprint { found: fingerprint, wanted: other })
    );
    let second = MOH.chain(2).bytes(2).expect("there").to_vec();
    assert_eq!(RootChain::accept_first(&second), Err(RootError::NotFirst { version: 2 }));
    let keys = MOH.root_keys(1);
    let few = SignedRoot::sign(&first.root, &[&keys[0]]).expect("signed");
    assert_eq!(RootChain::accept_first(&few.bytes), Err(RootError::Signatures { signed: 1, wanted: 2 }));
}

#[test]
fn an_expired_root_warns_and_is_taken() {
    let old = |root: &mut TrustRoot| root.until = time("2026-11-02T00:00:00Z");
    assert_eq!(offered(old), Ok(Extended::Taken));
    let root = MOH.root(1, None);
    assert_eq!(root.warnings(time("2027-10-31T23:59:59Z")), []);
    assert_eq!(root.warnings(time("2027-11-01T00:00:00Z")), [RootWarning::Expired]);
    assert_eq!(root.warnings(time("2026-10-31T23:59:59Z")), [RootWarning::NotYet]);
    let reusing =
        TrustRoot { next: Some((1, vec![record::root::announced(&root.roots[0])])), ..root.clone() };
    assert_eq!(reusing.warnings(root.from), [RootWarning::NextReusesKey]);
}

#[test]
fn a_revoked_public_key_is_revoked_under_every_name() {
    let mut chain = MOH.chain(1);
    let key = vkey(MOH.name, Role::Author, 1);
    let since = time("2026-11-10T00:00:00Z");
    let root = TrustRoot { revoked: vec![(key.clone(), since)], ..second(&chain) };
    assert_eq!(chain.revocation(&key), None);
    assert_eq!(chain.extend(&MOH.signed(&root).bytes), Ok(Extended::Taken));
    assert_eq!(chain.is_revoked(&key, since), Some(since));
    assert_eq!(chain.is_revoked(&key, since.saturating_add(-1)), None);
    assert_eq!(chain.revoked_by(&key), Some(2));
    let renamed = key.with_name("moh.chn.example/author/77").expect("a name");
    assert_eq!(chain.is_revoked(&renamed, since), Some(since));
    assert_eq!(chain.revocation(&vkey(MOH.name, Role::Author, 2)), None);
}

#[test]
fn expiring_recipients_are_in_force_at_most_31_days() {
    let recipient = |until: &str, expiring| AgeRecipient {
        recipient: RECIPIENT.into(),
        from: time("2026-11-01T00:00:00Z"),
        until: time(until),
        expiring,
    };
    assert_eq!(offered(|root| root.age = vec![recipient("2026-12-02T00:00:00Z", true)]), Ok(Extended::Taken));
    let long = recipient("2026-12-02T00:00:01Z", true);
    assert_eq!(offered(|root| root.age = vec![long]), Err(RootError::ExpiringTooLong { limit: 31 }));
    assert_eq!(
        offered(|root| root.age = vec![recipient("2027-12-02T00:00:01Z", false)]),
        Ok(Extended::Taken)
    );
    let both = vec![recipient("2026-12-02T00:00:00Z", false), recipient("2026-12-03T00:00:00Z", false)];
    assert!(matches!(offered(|root| root.age = both), Err(RootError::ListedTwice { .. })));
    let typo =
        AgeRecipient { recipient: RECIPIENT.replace("pa", "pq"), ..recipient("2026-12-02T00:00:00Z", true) };
    assert!(matches!(offered(|root| root.age = vec![typo]), Err(RootError::Shape { .. })));
}

#[test]
fn endpoints_are_https() {
    let endpoint = |url: &str| offered(|root| root.endpoint = Some(url.into()));
    for url in
        ["https://concord.moh.chn.example", "https://moh.example:8443/concord", "http://127.0.0.1:8080"]
    {
        assert_eq!(endpoint(url), Ok(Extended::Taken), "{url}");
    }
    for url in [
        "http://concord.moh.chn.example",
        "https://concord.moh.chn.example/",
        "https://",
        "https://a?b",
        "https://u@h",
        "http://127.0.0.1.evil.example",
        "ftp://a",
    ] {
        assert!(matches!(endpoint(url), Err(RootError::Shape { .. })), "{url}");
    }
}

#[test]
fn fingerprints_are_typed_as_people_type() {
    let fingerprint = MOH.root(1, None).fingerprint();
    assert_eq!(fingerprint.to_string().len(), 52);
    assert_eq!(fingerprint.grouped().split(' ').count(), 13);
    let typed = fingerprint.grouped().to_uppercase().replace(' ', " - ");
    assert_eq!(Fingerprint::from_typed(&typed), Ok(fingerprint));
    assert!(typed.parse::<Fingerprint>().is_err());
    // The last character holds four bits that are not the hash's.
    let text = Fingerprint([0; 32]).to_string();
    assert!(format!("{}b", &text[..51]).parse::<Fingerprint>().is_err());
}

prop_compose! {
    fn root()(
        version in 1_u64.., previous in any::<[u8; 32]>(),
        from in -2_000_000_000_i64..100_000_000_000, life in 1_i64..1_000_000_000,
        threshold in 1_u32..=3, next in proptest::option::of((1_u32..=2, any::<([u8; 32], [u8; 32])>())),
        kinds in proptest::collection::btree_set("[a-z]{1,8}\\.[a-z]{1,8}", 0..3),
        age in any::<bool>(), expiring in any::<bool>(),
        endpoint in proptest::option::of("https://[a-z]{1,10}(:[0-9]{1,4})?(/[a-z]{1,5})?"),
        mirrors in proptest::collection::vec("https://[a-z]{1,10}", 0..3),
        directions in proptest::collection::vec((proptest::sample::select(Direction::ALL), any::<[u8; 32]>()), 0..3),
        unknown in proptest::collection::vec(("x-[a-z]{1,5}", "[!-~]{1,9}( [!-~]{1,9})?"), 0..3),
        revoked in proptest::option::of(-2_000_000_000_i64..100_000_000_000),
    ) -> TrustRoot {
        let at = |seconds| Time::from_posix(seconds).expect("in range");
        let mut root = MOH.root(1, (version > 1).then_some(Hash(previous)));
        root.keys[1].kinds = kinds.into_iter().collect();
        let recipient = AgeRecipient { recipient: RECIPIENT.into(), from: at(from), until: at(from + 60), expiring };
        TrustRoot {
            version, threshold,
            from: at(from),
            until: at(from + life),
            next: next.map(|(threshold, (a, b))| (threshold, vec![Hash(a), Hash(b)])),
            age: age.then_some(recipient).into_iter().collect(),
            endpoint, mirrors,
            succession: directions.into_iter().map(|(direction, bytes)| Succession {
                direction, authority: "who.example".parse().expect("an authority"), fingerprint: Fingerprint(bytes),
            }).collect(),
            unknown: unknown.into_iter().map(|(k, v)| Line::new(k, v).expect("a line")).collect(),
            revoked: revoked.map(|t| (vkey(MOH.name, Role::Author, 5), at(t))).into_iter().collect(),
            ..root
        }
    }
}

proptest! {
    #[test]
    fn a_root_comes_back_from_its_text(root in root()) {
        prop_assert_eq!(TrustRoot::parse_text(&root.to_text()), Ok(root));
    }

    #[test]
    fn two_roots_never_share_a_text(one in root(), other in root()) {
        prop_assert_eq!(one == other, one.to_text() == other.to_text());
    }

    #[test]
    fn a_fingerprint_comes_back(bytes in any::<[u8; 32]>()) {
        let fingerprint = Fingerprint(bytes);
        prop_assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
        prop_assert_eq!(Fingerprint::from_typed(&fingerprint.grouped()), Ok(fingerprint));
    }

    #[test]
    fn a_changed_byte_never_makes_a_root(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let mut chain = MOH.chain(1);
        let mut bytes = MOH.signed(&second(&chain)).bytes;
        let at = at.index(bytes.len());
        bytes[at] ^= 1_u8 << bit;
        prop_assert!(chain.extend(&bytes).is_err());
    }
}
