//! What counts in a log, and under which root.

use proptest::prelude::*;
use record::logstate::{LogOpen, Previous, log_close_header, log_open_header};
use record::{
    Header, InvalidReason, Judged, Line, ListedKey, LogState, NeedsRoot, Origin, Readers, Record, Role,
    RootChain, Status, TrustRoot, Ulid, Verdict,
};
use tlog::{Hash, Signer, sha256};

use crate::fixture::{MOH, time, vkey};

fn judge(origin: &Origin, entries: &[Vec<u8>], chain: &RootChain) -> (LogState, Vec<Judged>) {
    let mut state = LogState::new(origin.clone());
    let borrowed: Vec<_> = entries.iter().map(Vec::as_slice).collect();
    let judged = state.take_many(0, &borrowed, chain).expect("the chain is long enough");
    (state, judged)
}

/// Why the last of these entries does not count; the log opens before them, under root 1.
fn refused_last(origin: &Origin, entries: &[Vec<u8>], chain: &RootChain) -> InvalidReason {
    let mut all = vec![opening(origin, chain)];
    all.extend_from_slice(entries);
    let (_, mut judged) = judge(origin, &all, chain);
    match judged.pop().expect("an entry").verdict {
        Verdict::Invalid { reason, bytes } => {
            assert_eq!(Some(&bytes), all.last(), "an invalid entry is kept as bytes");
            reason
        }
        Verdict::Valid { record, .. } => panic!("valid: {}", record.note.text),
    }
}

fn opening(origin: &Origin, chain: &RootChain) -> Vec<u8> {
    let readers: &[&str] =
        if origin.audience.is_public() { &["public"] } else { &["moh.chn.example", "who.example"] };
    MOH.sign(&MOH.open(origin, chain, 1, readers), 1).bytes
}

fn notice(n: u64, root: u32) -> Vec<u8> {
    MOH.sign(&MOH.header(&MOH.public_log(), "notice", n), root).bytes
}

fn valid(judged: &[Judged]) -> Vec<bool> {
    judged.iter().map(|entry| matches!(entry.verdict, Verdict::Valid { .. })).collect()
}

#[test]
fn a_public_log_opens_moves_and_closes() {
    let (log, chain) = (MOH.public_log(), MOH.chain(2));
    let next: Origin = "moh.chn.example/log/public/2027".parse().expect("an origin");
    let close =
        log_close_header(&log, &next, Ulid::new(9, [0; 10]), time("2026-12-31T23:00:00Z"), Status::Exercise);
    let entries = [
        opening(&log, &chain),
        notice(1, 1),
        MOH.sign(&MOH.move_root(&log, &chain, 2), 2).bytes,
        notice(2, 2),
        MOH.sign(&close, 2).bytes,
    ];
    let (state, judged) = judge(&log, &entries, &chain);
    assert_eq!(valid(&judged), [true; 5]);
    assert_eq!(judged.iter().map(|entry| entry.index).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    assert_eq!(judged[3].leaf, tlog::leaf_hash(&entries[3]));
    assert!(
        matches!(&judged[1].verdict, Verdict::Valid { root: 1, key, .. } if key.name().ends_with("/author/1"))
    );
    assert!(
        matches!(&judged[3].verdict, Verdict::Valid { root: 2, key, .. } if key.name().ends_with("/author/2"))
    );
    assert_eq!((state.size(), state.root_in_force(), state.closed()), (5, 2, true));
    assert_eq!(state.readers(), Some(&Readers::Public));
    assert_eq!(state.policy(), Some(sha256(b"policy")));
    assert_eq!(state.next(), Some(&next));
    let key = vkey(MOH.name, Role::Log, 2).with_name(&log.to_string()).expect("a name");
    assert_eq!(state.log_key_at_head(&chain), [key]);
}

#[test]
fn a_restricted_log_holds_sealed_records_for_its_readers() {
    let (log, chain) = (MOH.restricted_log(), MOH.chain(1));
    let entries = [opening(&log, &chain), MOH.sign(&MOH.sealed(&log, 1), 1).bytes];
    let (state, judged) = judge(&log, &entries, &chain);
    assert_eq!(valid(&judged), [true; 2]);
    let readers = state.readers().expect("opened");
    assert!(readers.includes(&"who.example".parse().expect("an authority")));
    assert!(!readers.includes(&"moh.jpn.example".parse().expect("an authority")));
    let clear = MOH.sign(&MOH.header(&log, "notice", 1), 1).bytes;
    assert_eq!(refused_last(&log, &[clear], &chain), InvalidReason::NotSealed { kind: "notice".into() });
    // In a public log such a record is one that was published: its blobs are clear.
    let published = MOH.public_log();
    assert!(Header { log: published.clone(), ..MOH.sealed(&log, 1) }.check().is_err());
    let mut clear = Header { log: published.clone(), ..MOH.sealed(&log, 1) };
    clear.blobs[0].media_type = record::MediaType::plain();
    let entries = [opening(&published, &chain), MOH.sign(&clear, 1).bytes];
    assert_eq!(valid(&judge(&published, &entries, &chain).1), [true; 2]);
}

#[test]
fn a_record_counts_only_in_its_own_log() {
    let (log, chain) = (MOH.public_log(), MOH.chain(1));
    let elsewhere: Origin = "moh.chn.example/log/public/2025".parse().expect("an origin");
    let record = MOH.sign(&MOH.header(&elsewhere, "notice", 1), 1).bytes;
    assert_eq!(refused_last(&log, &[record], &chain), InvalidReason::OtherLog { found: elsewhere });
    let author = "who.example".parse().expect("an authority");
    let foreign = Header { author, ..MOH.header(&log, "notice", 1) };
    let record = MOH.sign(&foreign, 1).bytes;
    assert_eq!(refused_last(&log, &[record], &chain), InvalidReason::OtherAuthor { found: foreign.author });
}

#[test]
fn a_key_signs_only_the_kinds_that_its_root_allows() {
    let log = MOH.public_log();
    let mut root = MOH.root(1, None);
    let figures = ListedKey {
        role: Role::Author,
        vkey: vkey(MOH.name, Role::Author, 50),
        kinds: vec!["situation.figures".into()],
    };
    root.keys.push(figures);
    let chain = RootChain::accept_first(&MOH.signed(&root).bytes).expect("root 1");
    let by = |kind: &str, signers: &[(Role, u32)]| {
        let signers: Vec<_> = signers.iter().map(|(role, n)| MOH.signer(*role, *n)).collect();
        let signers: Vec<&dyn Signer> = signers.iter().map(|s| s as &dyn Signer).collect();
        Record::sign(&MOH.header(&log, kind, 1), &signers).expect("a sound header").bytes
    };
    let not_signed = |kind: &str| InvalidReason::NotSigned { kind: kind.into(), root: 1 };
    let entries = [
        opening(&log, &chain),
        by("situation.figures", &[(Role::Author, 50)]),
        by("notice", &[(Role::Author, 50), (Role::Author, 1)]),
    ];
    assert_eq!(valid(&judge(&log, &entries, &chain).1), [true; 3]);
    for role in [Role::Log, Role::Caller, Role::Root] {
        assert_eq!(refused_last(&log, &[by("notice", &[(role, 1)])], &chain), not_signed("notice"), "{role}");
    }
    assert_eq!(refused_last(&log, &[by("notice", &[(Role::Author, 50)])], &chain), not_signed("notice"));
    assert_eq!(refused_last(&log, &[by("notice", &[(Role::Author, 2)])], &chain), not_signed("notice"));
}

#[test]
fn a_failing_signature_of_a_known_key_spoils_a_good_one() {
    let (log, chain) = (MOH.public_log(), MOH.chain(1));
    let good = Record::parse(&notice(1, 1)).expect("sound");
    for (role, length) in [(Role::Caller, 64), (Role::Root, 64), (Role::Witness, 72), (Role::Author, 3)] {
        let n = if role == Role::Root { 11 } else { 1 };
        let key = vkey(MOH.name, role, n);
        let mut note = good.note.clone();
        let line = tlog::NoteSignature { name: key.name().into(), id: key.id(), bytes: vec![1; length] };
        note.add_signature(line).expect("room");
        let reason = refused_last(&log, &[note.to_bytes()], &chain);
        assert_eq!(reason, InvalidReason::BadSignature { name: key.name().into() });
    }
    // A line of a key that the root does not know is kept and not judged.
    let mut note = good.note.clone();
    let line = tlog::NoteSignature { name: "moh.chn.example/sm2/1".into(), id: 7, bytes: vec![1; 64] };
    note.add_signature(line).expect("room");
    let (_, judged) = judge(&log, &[opening(&log, &chain), note.to_bytes()], &chain);
    assert_eq!(judged[1].record().map(|record| record.note.signatures.len()), Some(2));
}

#[test]
fn each_entry_is_judged_by_the_root_in_force_at_its_place() {
    let (log, chain) = (MOH.public_log(), MOH.chain(2));
    let moved = MOH.sign(&MOH.move_root(&log, &chain, 2), 2).bytes;
    let not_signed = |root| InvalidReason::NotSigned { kind: "notice".into(), root };
    assert_eq!(refused_last(&log, &[notice(1, 2)], &chain), not_signed(1));
    assert_eq!(refused_last(&log, &[moved, notice(1, 1)], &chain), not_signed(2));
    // `log.root` itself is judged by the root that it names.
    let by_old = MOH.sign(&MOH.move_root(&log, &chain, 2), 1).bytes;
    let reason = InvalidReason::NotSigned { kind: "log.root".into(), root: 2 };
    assert_eq!(refused_last(&log, &[by_old], &chain), reason);
}

#[test]
fn a_log_never_moves_back() {
    let (log, chain) = (MOH.public_log(), MOH.chain(3));
    let to = |version: u32| MOH.sign(&MOH.move_root(&log, &chain, version.into()), version).bytes;
    let back = |found, in_force| InvalidReason::RootNotNewer { found, in_force };
    assert_eq!(refused_last(&log, &[to(3), to(2)], &chain), back(2, 3));
    assert_eq!(refused_last(&log, &[to(3), to(3)], &chain), back(3, 3));
    assert_eq!(refused_last(&log, &[to(1)], &chain), back(1, 1));
    let (state, _) = judge(&log, &[opening(&log, &chain), to(3), to(2)], &chain);
    assert_eq!(state.root_in_force(), 3);
}

#[test]
fn a_root_of_another_hash_moves_nothing() {
    let (log, chain) = (MOH.public_log(), MOH.chain(2));
    let header = Header {
        own: vec![Line::new("root", format!("2 {}", "0".repeat(64))).expect("a line")],
        ..MOH.move_root(&log, &chain, 2)
    };
    let reason = refused_last(&log, &[MOH.sign(&header, 2).bytes], &chain);
    assert_eq!(reason, InvalidReason::RootHash { version: 2 });
}

#[test]
fn a_key_that_a_root_revokes_signs_nothing_under_it() {
    let log = MOH.public_log();
    let mut chain = MOH.chain(1);
    let old = MOH.root(1, None).keys[1].clone();
    let revoked = vec![(old.vkey.clone(), time("2026-11-10T00:00:00Z"))];
    let mut second = TrustRoot { revoked, ..MOH.root(2, chain.text_hash(1)) };
    second.keys.push(old);
    chain.extend(&MOH.signed(&second).bytes).expect("root 2");
    let moved = MOH.sign(&MOH.move_root(&log, &chain, 2), 2).bytes;
    assert_eq!(
        refused_last(&log, &[moved.clone(), notice(1, 1)], &chain),
        InvalidReason::NotSigned { kind: "notice".into(), root: 2 }
    );
    // Before that place the entry stands; "disowned since" is said where proven times are known.
    let entries = [opening(&log, &chain), notice(1, 1), moved];
    assert_eq!(valid(&judge(&log, &entries, &chain).1), [true; 3]);
}

#[test]
fn nothing_after_the_close_counts() {
    let (log, chain) = (MOH.public_log(), MOH.chain(1));
    let next: Origin = "moh.chn.example/log/public/2027".parse().expect("an origin");
    let close = |next: &Origin| {
        let released = time("2026-12-31T23:00:00Z");
        let header = log_close_header(&log, next, Ulid::new(9, [0; 10]), released, Status::Exercise);
        MOH.sign(&header, 1).bytes
    };
    assert_eq!(refused_last(&log, &[close(&next), notice(1, 1)], &chain), InvalidReason::AfterClose);
    assert_eq!(refused_last(&log, &[close(&next), close(&next)], &chain), InvalidReason::AfterClose);
    let not_closed = refused_last(&log, &[close(&log)], &chain);
    assert!(matches!(not_closed, InvalidReason::LogLine { key: "next", .. }));
}

#[test]
fn a_log_that_does_not_open_never_counts() {
    let (log, chain) = (MOH.public_log(), MOH.chain(1));
    let (state, judged) = judge(&log, &[notice(1, 1), opening(&log, &chain), notice(2, 1)], &chain);
    assert!(state.broken());
    assert_eq!(valid(&judged), [false; 3]);
    assert!(matches!(&judged[1].verdict, Verdict::Invalid { reason: InvalidReason::NeverOpened, .. }));
    assert_eq!((state.size(), state.root_in_force(), state.readers()), (3, 0, None));
    assert!(state.log_key_at_head(&chain).is_empty());
    assert_eq!(refused_last(&log, &[opening(&log, &chain)], &chain), InvalidReason::OpenedAgain);
}

/// A change to the own lines of a sound opening.
type Spoil<'a> = &'a dyn Fn(&mut Vec<String>);

#[test]
fn an_opening_names_sorted_readers_root_and_policy() {
    let chain = MOH.chain(1);
    let (public, restricted) = (MOH.public_log(), MOH.restricted_log());
    let opens = |origin: &Origin, change: Spoil| {
        let sound = if origin.audience.is_public() {
            MOH.open(origin, &chain, 1, &["public"])
        } else {
            MOH.open(origin, &chain, 1, &["a.example", "moh.chn.example"])
        };
        let mut own: Vec<String> = sound.own.iter().map(ToString::to_string).collect();
        change(&mut own);
        let line = |text: &String| {
            let (key, value) = text.split_once(' ').expect("a line");
            Line::new(key, value).expect("a line")
        };
        let header = Header { own: own.iter().map(line).collect(), ..sound };
        valid(&judge(origin, &[MOH.sign(&header, 1).bytes], &chain).1) == [true]
    };
    let previous = |log: &str| format!("previous {log} 5 {}", Hash([7; 32]).to_base64());
    assert!(opens(&public, &|_| ()));
    assert!(opens(&restricted, &|_| ()));
    assert!(opens(&public, &|own| own.push(previous("moh.chn.example/log/public/2025"))));
    assert!(opens(&public, &|own| own.push("note later versions may say more".into())));
    let broken: [(&Origin, Spoil); 14] = [
        (&public, &|own| own[0] = "reader moh.chn.example".into()),
        (&public, &|own| own.insert(1, "reader moh.chn.example".into())),
        (&public, &|own| own.remove(0).clear()),
        (&restricted, &|own| own[0] = "reader public".into()),
        (&restricted, &|own| own.swap(0, 1)),
        (&restricted, &|own| own[0] = own[1].clone()),
        (&restricted, &|own| own.remove(1).clear()),
        (&restricted, &|own| own[0] = "reader A.example".into()),
        (&public, &|own| own.remove(1).clear()),
        (&public, &|own| own.remove(2).clear()),
        (&public, &|own| own.push(own[2].clone())),
        (&public, &|own| own[1] = "root 0 ".to_owned() + &"0".repeat(64)),
        (&public, &|own| own.push(previous("who.example/log/public/2025"))),
        (&public, &|own| own.push(previous("moh.chn.example/log/public/2026"))),
    ];
    for (n, (origin, change)) in broken.into_iter().enumerate() {
        assert!(!opens(origin, change), "opening {n} must be refused");
    }
}

#[test]
fn a_new_year_follows_the_old_one() {
    let chain = MOH.chain(1);
    let log: Origin = "moh.chn.example/log/public/2027.2".parse().expect("an origin");
    let previous = Previous { origin: MOH.public_log(), size: 77, root: Hash([7; 32]) };
    let open = LogOpen {
        readers: Readers::Public,
        root: (1, chain.text_hash(1).expect("root 1")),
        policy: sha256(b"policy"),
        previous: Some(previous.clone()),
    };
    let released = time("2027-01-01T00:00:05Z");
    let header = log_open_header(&log, &open, Ulid::new(1, [0; 10]), released, Status::Exercise);
    let (state, _) = judge(&log, &[MOH.sign(&header, 1).bytes], &chain);
    assert_eq!(state.previous(), Some(&previous));
}

#[test]
fn replay_goes_on_past_what_is_no_record() {
    let (log, chain) = (MOH.public_log(), MOH.chain(1));
    let noise = [b"".to_vec(), b"no record at all".to_vec(), vec![0xff; 65_535]];
    let mut entries = vec![opening(&log, &chain)];
    entries.extend(noise.clone());
    entries.push(notice(1, 1));
    let (state, judged) = judge(&log, &entries, &chain);
    assert_eq!(valid(&judged), [true, false, false, false, true]);
    assert_eq!(state.size(), 5);
    for (entry, bytes) in judged[1..4].iter().zip(&noise) {
        assert_eq!(entry.leaf, tlog::leaf_hash(bytes));
        assert!(matches!(&entry.verdict, Verdict::Invalid { bytes: kept, .. } if kept == bytes));
    }
}

#[test]
fn unknown_kinds_and_lines_are_valid() {
    let (log, chain) = (MOH.public_log(), MOH.chain(1));
    let own = vec![Line::new("!seal", "red").expect("a line")];
    let header = Header { own, ..MOH.header(&log, "kind.of.tomorrow", 1) };
    let entries = [opening(&log, &chain), MOH.sign(&header, 1).bytes];
    assert_eq!(valid(&judge(&log, &entries, &chain).1), [true; 2]);
}

/// A log over three roots with noise, wrong signers, a close, and entries after it.
fn eventful(chain: &RootChain) -> Vec<Vec<u8>> {
    let log = MOH.public_log();
    let moved = |version: u32| MOH.sign(&MOH.move_root(&log, chain, version.into()), version).bytes;
    let next: Origin = "moh.chn.example/log/public/2027".parse().expect("an origin");
    let released = time("2026-12-31T23:00:00Z");
    let close = log_close_header(&log, &next, Ulid::new(9, [0; 10]), released, Status::Exercise);
    vec![
        opening(&log, chain),
        notice(1, 1),
        notice(2, 2),
        b"noise".to_vec(),
        moved(2),
        notice(3, 2),
        notice(4, 1),
        moved(3),
        moved(2),
        notice(5, 3),
        MOH.sign(&close, 3).bytes,
        notice(6, 3),
        moved(3),
    ]
}

/// Takes entries in runs, keeping and reading back the state between them, with a chain that is extended only
/// when it is asked for.
fn piecemeal(entries: &[Vec<u8>], runs: &[usize]) -> (LogState, Vec<Judged>) {
    let full = MOH.chain(3);
    let mut chain = MOH.chain(1);
    let mut state = LogState::new(MOH.public_log());
    let mut all = Vec::new();
    let mut runs = runs.iter().cycle();
    while usize::try_from(state.size()).expect("small") < entries.len() {
        state = LogState::from_bytes(&state.to_bytes()).expect("written by itself");
        let at = usize::try_from(state.size()).expect("small");
        let end = (at + runs.next().expect("endless")).min(entries.len());
        let run: Vec<_> = entries[at..end].iter().map(Vec::as_slice).collect();
        match state.take_many(state.size(), &run, &chain) {
            Ok(judged) => all.extend(judged),
            Err(NeedsRoot { n, taken }) => {
                all.extend(taken);
                chain.extend(full.bytes(n).expect("at most three")).expect("the next root");
            }
        }
    }
    (state, all)
}

/// After many signatures of one key they are verified in another way, which must come to the same.
#[test]
fn a_long_run_is_judged_as_short_ones_are() {
    let (log, chain) = (MOH.public_log(), MOH.chain(2));
    let mut entries = vec![opening(&log, &chain)];
    for n in 1..800 {
        let entry = String::from_utf8(notice(n, 1)).expect("text");
        // Every tenth says something that was not signed.
        let entry = if n % 10 == 0 { entry.replacen("status exercise", "status actual", 1) } else { entry };
        entries.push(entry.into_bytes());
    }
    let (_, at_once) = judge(&log, &entries, &chain);
    assert_eq!(at_once, piecemeal(&entries, &[100]).1);
    let expected: Vec<bool> = (0..800).map(|n| n == 0 || n % 10 != 0).collect();
    assert_eq!(valid(&at_once), expected);
}

#[test]
fn a_pause_names_the_root_that_is_needed() {
    let full = MOH.chain(3);
    let entries = eventful(&full);
    let borrowed: Vec<_> = entries.iter().map(Vec::as_slice).collect();
    let mut state = LogState::new(MOH.public_log());
    let NeedsRoot { n, taken } =
        state.take_many(0, &borrowed, &MOH.chain(1)).expect_err("root 2 is not there");
    assert_eq!((n, taken.len(), state.size()), (2, 4, 4));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn replay_in_pieces_is_replay_at_once(runs in proptest::collection::vec(1_usize..6, 1..6)) {
        let full = MOH.chain(3);
        let entries = eventful(&full);
        prop_assert_eq!(piecemeal(&entries, &runs), judge(&MOH.public_log(), &entries, &full));
    }

    #[test]
    fn a_changed_byte_never_counts(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let (log, chain) = (MOH.public_log(), MOH.chain(1));
        let mut entry = notice(1, 1);
        let at = at.index(entry.len());
        entry[at] ^= 1_u8 << bit;
        let (_, judged) = judge(&log, &[opening(&log, &chain), entry], &chain);
        prop_assert_eq!(valid(&judged), [true, false]);
    }
}

#[test]
fn every_state_comes_back_from_its_bytes() {
    let full = MOH.chain(3);
    let entries = eventful(&full);
    for size in 0..=entries.len() {
        let (state, _) = judge(&MOH.public_log(), &entries[..size], &full);
        assert_eq!(LogState::from_bytes(&state.to_bytes()), Ok(state));
    }
    let log = MOH.restricted_log();
    for entries in [vec![opening(&log, &full)], vec![b"noise".to_vec()]] {
        let (state, _) = judge(&log, &entries, &full);
        assert_eq!(LogState::from_bytes(&state.to_bytes()), Ok(state));
    }
}
