//! No parser panics, whatever it is given; what it accepts it writes back byte for byte.

use proptest::prelude::*;
use record::{
    Fingerprint, Header, Line, LogState, Origin, Record, RootChain, SignedRoot, Time, TrustRoot, Ulid,
};

use crate::fixture::MOH;

/// Sound texts that mutations start from.
fn seeds() -> Vec<Vec<u8>> {
    let chain = MOH.chain(2);
    let log = MOH.public_log();
    let records = [
        MOH.open(&log, &chain, 1, &["public"]),
        MOH.open(&MOH.restricted_log(), &chain, 1, &["a.example", "moh.chn.example"]),
        MOH.move_root(&log, &chain, 2),
        MOH.sealed(&MOH.restricted_log(), 1),
    ];
    let mut seeds: Vec<_> = records.iter().map(|header| MOH.sign(header, 1).bytes).collect();
    seeds.extend(chain.roots().map(|root| root.bytes.clone()));
    let mut state = LogState::new(log.clone());
    state.take_many(0, &[&seeds[0]], &chain).expect("root 1 is there");
    seeds.push(state.to_bytes());
    seeds
}

fn feed(bytes: &[u8]) {
    if let Ok(record) = Record::parse(bytes) {
        assert_eq!(record.note.to_bytes(), bytes);
        assert_eq!(record.header.to_text(), record.note.text);
    }
    if let Ok(root) = SignedRoot::parse(bytes) {
        assert_eq!(root.root.to_text(), root.note.text);
    }
    if let Ok(state) = LogState::from_bytes(bytes) {
        assert_eq!(LogState::from_bytes(&state.to_bytes()), Ok(state));
    }
    let _ = RootChain::accept_first(bytes);
    let log = MOH.public_log();
    let chain = MOH.chain(1);
    let _ = LogState::new(log.clone()).take_many(0, &[bytes], &chain);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = Header::parse_inner_text(text, &log);
        let _ = TrustRoot::parse_text(text);
    }
}

proptest! {
    #[test]
    fn random_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        feed(&bytes);
    }

    #[test]
    fn random_texts_are_refused_or_come_back(text in "[ -~\n\r\té—]{0,200}") {
        let _ = text.parse::<Time>();
        let _ = text.parse::<Ulid>();
        let _ = Fingerprint::from_typed(&text);
        let _ = Line::new(text.clone(), text.clone());
        if let Ok(origin) = text.parse::<Origin>() {
            prop_assert_eq!(origin.to_string(), text.clone());
        }
        feed(text.as_bytes());
    }

    #[test]
    fn cut_and_spliced_texts_are_refused_or_come_back(
        seed in 0_usize..7,
        cuts in proptest::collection::vec((any::<prop::sample::Index>(), 0_usize..6, proptest::collection::vec(any::<u8>(), 0..6)), 1..4),
    ) {
        let seeds = seeds();
        let mut bytes = seeds[seed % seeds.len()].clone();
        for (at, removed, inserted) in cuts {
            let at = at.index(bytes.len() + 1);
            let end = (at + removed).min(bytes.len());
            bytes.splice(at..end, inserted);
        }
        feed(&bytes);
    }

    #[test]
    fn repeated_and_moved_lines_are_refused_or_come_back(
        seed in 0_usize..7,
        from in any::<prop::sample::Index>(),
        to in any::<prop::sample::Index>(),
        copy in any::<bool>(),
    ) {
        let seeds = seeds();
        let text = String::from_utf8(seeds[seed % seeds.len()].clone()).expect("UTF-8");
        let mut lines: Vec<_> = text.split_inclusive('\n').collect();
        let from = from.index(lines.len());
        let line = if copy { lines[from] } else { lines.remove(from) };
        lines.insert(to.index(lines.len() + 1), line);
        feed(lines.concat().as_bytes());
    }
}
