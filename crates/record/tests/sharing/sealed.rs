//! Sealed records of honest authors: what is sealed opens for every reader, is released again and published
//! under one name, and each refusal names what is wrong.

use proptest::prelude::*;
use record::root::{AgeRecipient, ListedKey};
use record::seal::{
    AgeError, OpenError, RecipientError, Recipients, SealError, open, open_header, publish,
    recipients_in_force, release_again, seal, verify_disclosed,
};
use record::{Header, LogState, Role, RootChain, Verdict};
use tlog::{Signer, sha256};

use crate::cast::{Log, Node, chn, jpn, kor, parts, recipients, released, seal_to, store};
use crate::fixture::time;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn every_reader_opens_what_was_sealed(
        plaintexts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..4),
        chunks in 0_usize..3,
    ) {
        // Lengths at and around the 64 KiB chunks of age.
        let mut plaintexts = plaintexts;
        plaintexts.push(vec![5; chunks * 65_536]);
        plaintexts.push(vec![6; chunks * 65_536 + 1]);
        let plaintexts: Vec<&[u8]> = plaintexts.iter().map(Vec::as_slice).collect();
        let (chn, jpn, kor) = (chn(), jpn(), kor());
        let inner = chn.inner("situation.figures", &plaintexts);
        let sealed = seal_to(&inner, &plaintexts, &[&chn, &jpn]);
        let outer = chn.sign(&sealed.outer);
        for reader in [&chn, &jpn] {
            let opened = open(&outer, &chn.chain, 1, store(&sealed.blobs), &reader.identities()).expect("opened");
            prop_assert_eq!(&opened.inner, &inner);
            prop_assert_eq!(&opened.plaintexts, &plaintexts);
            prop_assert_eq!(&opened.opened_by, &[reader.lasting.recipient().to_owned()]);
        }
        let other = open(&outer, &chn.chain, 1, store(&sealed.blobs), &kor.identities());
        prop_assert_eq!(other, Err(OpenError::NotForMe));
        prop_assert_eq!(outer.name(), inner.commit());
    }
}

#[test]
fn the_outer_header_tells_nothing_but_sizes_and_times() {
    let (chn, jpn) = (chn(), jpn());
    let inner = chn.inner("situation.figures", &[b"23 cases"]);
    let sealed = seal_to(&inner, &[b"23 cases"], &[&chn, &jpn]);
    let text = sealed.outer.to_text();
    for secret in ["situation.figures", &inner.header.id.to_string(), "text/plain", jpn.ministry.name] {
        assert!(!text.contains(secret), "{secret} stands in\n{text}");
    }
    for blob in &sealed.blobs {
        assert!(blob.starts_with(b"age-encryption.org/v1\n-> X25519 "));
    }
}

#[test]
fn a_lost_or_altered_blob_is_no_alarm_but_what_the_author_did_is() {
    let (chn, jpn) = (chn(), jpn());
    let inner = chn.inner("notice", &[b"text"]);
    let sealed = seal_to(&inner, &[b"text"], &[&chn, &jpn]);
    let outer = chn.sign(&sealed.outer);
    let blob = sealed.outer.blobs[1].sha256;
    let only_first = &sealed.blobs[..1];
    let missing = open(&outer, &chn.chain, 1, store(only_first), &jpn.identities());
    assert_eq!(missing, Err(OpenError::Missing { blob }));
    let altered = open(&outer, &chn.chain, 1, |_| Some(sealed.blobs[0].clone()), &jpn.identities());
    assert_eq!(altered, Err(OpenError::Altered { blob }));
    assert!(!OpenError::Altered { blob }.is_refusal(true));
    assert!(!OpenError::NotForMe.is_refusal(false) && OpenError::NotForMe.is_refusal(true));
    assert!(OpenError::Commitment.is_refusal(false));
    assert!(OpenError::Unreadable { blob: 1, reason: AgeError::NoKey }.is_refusal(false));
    // The header alone is enough for whose policy wants no contents.
    let header = open_header(&outer, &chn.chain, 1, store(only_first), &jpn.identities()).expect("opened");
    assert_eq!((header.inner, header.content.len()), (inner, 1));
}

#[test]
fn released_again_and_published_it_keeps_its_name_and_text() {
    let (chn, jpn, kor) = (chn(), jpn(), kor());
    let inner = chn.inner("notice", &[b"text", b"figures"]);
    let sealed = seal_to(&inner, &[b"text", b"figures"], &[&chn, &jpn]);
    let first = chn.sign(&sealed.outer);
    let opened = open(&first, &chn.chain, 1, store(&sealed.blobs), &chn.identities()).expect("opened");

    let mut log = chn.ministry.restricted_log();
    log.n = Some(1);
    let all = recipients(&[&chn, &jpn, &kor], false);
    let again = release_again(&opened, &[], &all, &parts(&log)).expect("released again");
    let second = chn.sign(&again.outer);
    let by_kor = open(&second, &chn.chain, 1, store(&again.blobs), &kor.identities()).expect("opened");
    assert_eq!((second.name(), &by_kor.inner_text), (first.name(), &opened.inner_text));
    assert_eq!(by_kor.plaintexts, opened.plaintexts);
    assert_ne!(again.blobs[0], sealed.blobs[0]);

    let public = chn.ministry.public_log();
    let published = publish(&opened, &[], &parts(&public)).expect("published");
    let third = chn.sign(&published.outer);
    let by_anyone = open(&third, &chn.chain, 1, store(&published.blobs), &[]).expect("opened");
    assert_eq!((third.name(), &by_anyone.inner_text), (first.name(), &opened.inner_text));
    assert_eq!(by_anyone.plaintexts, opened.plaintexts);
    assert_eq!(published.blobs[0], opened.inner_text.as_bytes());
    // A public log takes it, and it is a valid record there.
    let mut entries = Log::open(&chn, &public, &["public"], b"policy");
    entries.append(&third);
    let bytes: Vec<&[u8]> = entries.entries.iter().map(Vec::as_slice).collect();
    let judged = LogState::new(public).take_many(0, &bytes, &chn.chain).expect("judged");
    assert!(judged.iter().all(|entry| matches!(entry.verdict, Verdict::Valid { .. })), "{judged:?}");
}

#[test]
fn what_may_not_be_sealed_is_refused_by_name() {
    let (chn, jpn) = (chn(), jpn());
    let text: &[u8] = b"text";
    let inner = chn.inner("notice", &[text]);
    let both = recipients(&[&chn, &jpn], false);
    let outer_parts = parts(&inner.header.log);
    let refused =
        |inner, plaintexts: &[&[u8]], to, parts| seal(inner, plaintexts, to, parts).expect_err("refused");
    assert_eq!(refused(&inner, &[], &both, &outer_parts), SealError::Count { blobs: 1, plaintexts: 0 });
    assert_eq!(refused(&inner, &[b"other"], &both, &outer_parts), SealError::Plaintext { blob: 1 });
    let without_author = recipients(&[&jpn], false);
    assert_eq!(refused(&inner, &[text], &without_author, &outer_parts), SealError::AuthorNotReader);
    let expiring = recipients(&[&chn, &jpn], true);
    assert_eq!(
        refused(&inner, &[text], &expiring, &outer_parts),
        SealError::RecipientSort { expiring: true }
    );
    let public = parts(&chn.ministry.public_log());
    assert_eq!(refused(&inner, &[text], &both, &public), SealError::PublicLog);
    let others = parts(&jpn.ministry.restricted_log());
    assert_eq!(refused(&inner, &[text], &both, &others), SealError::OtherAuthor);
    let mut early = outer_parts.clone();
    early.released = inner.header.released.saturating_add(-1);
    assert!(matches!(refused(&inner, &[text], &both, &early), SealError::ReleasedBefore { .. }));
    let mut of_log = inner.clone();
    of_log.header.kind = "log.open".into();
    assert!(matches!(refused(&of_log, &[text], &both, &outer_parts), SealError::Header(_)));
}

#[test]
fn personal_data_go_to_expiring_recipients_only_and_are_never_published() {
    let (chn, jpn) = (chn(), jpn());
    let mut inner = chn.inner("contacts.list", &[b"a name"]);
    inner.header.expires = Some("2027-01-01".parse().expect("a date"));
    let sealed = seal_to(&inner, &[b"a name"], &[&chn, &jpn]);
    let outer = chn.sign(&sealed.outer);
    let lasting = std::slice::from_ref(&jpn.lasting);
    assert_eq!(open(&outer, &chn.chain, 1, store(&sealed.blobs), lasting), Err(OpenError::NotForMe));
    let opened = open(&outer, &chn.chain, 1, store(&sealed.blobs), &jpn.identities()).expect("opened");
    assert_eq!(opened.opened_by, [jpn.expiring.recipient()]);
    let public = parts(&chn.ministry.public_log());
    assert_eq!(publish(&opened, &[], &public), Err(SealError::PersonalData));
    let to_lasting = seal(&inner, &[b"a name"], &recipients(&[&chn], false), &parts(&inner.header.log));
    assert_eq!(to_lasting, Err(SealError::RecipientSort { expiring: false }));
    // 400 days after `released` and no later.
    inner.header.expires = Some("2027-12-28".parse().expect("a date"));
    let to = recipients(&[&chn], true);
    let late = seal(&inner, &[b"a name"], &to, &parts(&inner.header.log));
    assert!(matches!(late, Err(SealError::Header(_))), "{late:?}");
}

#[test]
fn a_critical_line_that_is_unknown_here_is_not_released_again() {
    let (chn, jpn) = (chn(), jpn());
    let mut inner = chn.inner("notice", &[]);
    inner.header.own = vec![record::Line::new("!embargo", "strict").expect("a line")];
    let sealed = seal_to(&inner, &[], &[&chn, &jpn]);
    let outer = chn.sign(&sealed.outer);
    let opened =
        open(&outer, &chn.chain, 1, store(&sealed.blobs), &chn.identities()).expect("shown all the same");
    let to = recipients(&[&chn, &jpn], false);
    let outer_parts = parts(&inner.header.log);
    assert_eq!(release_again(&opened, &[], &to, &outer_parts), Err(SealError::Critical));
    assert!(release_again(&opened, &["!embargo"], &to, &outer_parts).is_ok());
    assert_eq!(publish(&opened, &[], &parts(&chn.ministry.public_log())), Err(SealError::Critical));
}

#[test]
fn the_signing_key_must_be_allowed_for_the_inner_kind() {
    let (chn, jpn) = (chn(), jpn());
    let mut root = chn.chain.latest().clone();
    let key = root.keys.iter_mut().find(|key| key.role == Role::Author).expect("an author key");
    key.kinds = vec!["notice".into(), "sealed".into()];
    let chain = RootChain::accept_first(&chn.ministry.signed(&root).bytes).expect("a sound root");
    for (kind, allowed) in [("notice", true), ("situation.figures", false)] {
        let sealed = seal_to(&chn.inner(kind, &[]), &[], &[&chn, &jpn]);
        let outer = chn.sign(&sealed.outer);
        let opened = open(&outer, &chain, 1, store(&sealed.blobs), &jpn.identities());
        let expected = if allowed { Ok(()) } else { Err(OpenError::Kind { kind: kind.into() }) };
        assert_eq!(opened.map(drop), expected);
    }
}

#[test]
fn a_second_signature_counts_by_the_kinds_of_its_own_key() {
    let (chn, jpn) = (chn(), jpn());
    let second = chn.ministry.signer(Role::Author, 77);
    let mut root = chn.chain.latest().clone();
    root.keys.iter_mut().find(|k| k.role == Role::Author).expect("an author key").kinds =
        vec!["sealed".into()];
    root.keys.push(ListedKey { role: Role::Author, vkey: second.key().clone(), kinds: vec![] });
    let chain = RootChain::accept_first(&chn.ministry.signed(&root).bytes).expect("a sound root");
    let sealed = seal_to(&chn.inner("notice", &[]), &[], &[&chn, &jpn]);
    let first = chn.ministry.signer(Role::Author, 1);
    let by_first = record::Record::sign(&sealed.outer, &[&first]).expect("signed");
    let by_both = record::Record::sign(&sealed.outer, &[&first, &second]).expect("signed");
    let result = |outer| open(outer, &chain, 1, store(&sealed.blobs), &jpn.identities()).map(drop);
    assert_eq!(result(&by_first), Err(OpenError::Kind { kind: "notice".into() }));
    assert_eq!(result(&by_both), Ok(()));
}

#[test]
fn who_was_shown_the_inner_header_verifies_it_without_a_key() {
    let (chn, jpn) = (chn(), jpn());
    let inner = chn.inner("notice", &[b"text"]);
    let sealed = seal_to(&inner, &[b"text"], &[&chn, &jpn]);
    let outer = chn.sign(&sealed.outer);
    let shown = verify_disclosed(&outer, &chn.chain, 1, &inner.to_text()).expect("committed to");
    assert_eq!(shown.inner, inner);
    let other = inner.to_text().replace("notice", "rumour");
    assert_eq!(verify_disclosed(&outer, &chn.chain, 1, &other).map(drop), Err(OpenError::Commitment));
}

#[test]
fn lasting_records_fall_back_to_the_latest_recipient_and_personal_data_never_do() {
    let node = chn();
    let mut root = node.chain.latest().clone();
    let listed = |node: &Node, from: &str, until: &str, expiring| AgeRecipient {
        recipient: if expiring { node.expiring.recipient() } else { node.lasting.recipient() }.into(),
        from: time(from),
        until: time(until),
        expiring,
    };
    root.age = vec![
        listed(&node, "2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z", false),
        listed(&jpn(), "2021-01-01T00:00:00Z", "2022-01-01T00:00:00Z", false),
        listed(&node, "2020-01-01T00:00:00Z", "2020-02-01T00:00:00Z", true),
    ];
    let lasting = |at| recipients_in_force(&root, time(at), false).expect("one");
    let first = lasting("2020-06-01T00:00:00Z");
    assert!(!first.outdated && first.recipients.contains(node.lasting.recipient()));
    assert!(!lasting("2021-12-31T23:59:59Z").outdated);
    let late = lasting("2022-01-01T00:00:00Z");
    assert!(
        late.outdated && late.recipients.contains(jpn().lasting.recipient()) && late.recipients.len() == 1
    );

    let expiring = |at| recipients_in_force(&root, time(at), true);
    assert!(expiring("2020-01-31T23:59:59Z").is_ok_and(|r| r.recipients.contains(node.expiring.recipient())));
    let at = time("2020-02-01T00:00:00Z");
    let refused = Err(RecipientError::NoneExpiring { authority: node.authority(), at });
    assert_eq!(expiring("2020-02-01T00:00:00Z"), refused);
    // 32 days are too long to be in force for personal data, whoever let such a line into the root.
    root.age[2].until = time("2020-02-02T00:00:00Z");
    assert!(recipients_in_force(&root, time("2020-01-10T00:00:00Z"), true).is_err());
    root.age.retain(|recipient| recipient.expiring);
    let refused = Err(RecipientError::NoneLasting { authority: node.authority() });
    assert_eq!(recipients_in_force(&root, time("2020-01-10T00:00:00Z"), false), refused);
    root.age[0].recipient = "age1nonsense".into();
    root.age[0].expiring = false;
    let malformed = Recipients::of_readers([&root], released(), false);
    assert!(matches!(malformed, Err(RecipientError::Malformed { .. })));
}

#[test]
fn an_identity_never_shows_its_secret() {
    let identity = chn().lasting;
    let secret = identity.to_secret_text();
    assert!(secret.starts_with("AGE-SECRET-KEY-1"));
    assert!(!format!("{identity:?}").contains(&secret[16..]));
    let error = "AGE-SECRET-KEY-1WRONG".parse::<record::seal::Identity>().expect_err("refused");
    assert!(!error.to_string().contains("WRONG"));
}

#[test]
fn an_age_header_without_end_costs_its_length_and_no_more() {
    let (chn, jpn) = (chn(), jpn());
    let inner = chn.inner("notice", &[]);
    let mut sealed = seal_to(&inner, &[], &[&chn, &jpn]);
    let mut endless = b"age-encryption.org/v1\n".to_vec();
    while endless.len() < 2 << 20 {
        endless.extend_from_slice(b"-> X\nAA\n");
    }
    let blob = &mut sealed.outer.blobs[0];
    (blob.sha256, blob.size) = (sha256(&endless), endless.len() as u64);
    sealed.blobs[0] = endless;
    let outer = chn.sign(&Header { ..sealed.outer.clone() });
    let refused = open(&outer, &chn.chain, 1, store(&sealed.blobs), &jpn.identities());
    assert_eq!(refused, Err(OpenError::Unreadable { blob: 0, reason: AgeError::Header }));
}
