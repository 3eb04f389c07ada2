//! The C2SP specifications' own examples, read as they are printed there.

mod fixture;

use tlog::policy::Policy;
use tlog::tile::{index_path, parse_index_path, partial_width};
use tlog::{
    AddCheckpoint, Check, Edge, Note, ProofError, SignedCheckpoint, TileId, VerifierKey, verify_consistency,
};

#[test]
fn signed_note_example_is_valid_under_its_key() {
    let key: VerifierKey =
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k".parse().expect("the vkey");
    let bytes = "This is an example message.\n\n\
        — example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
    let note = Note::parse(bytes.as_bytes()).expect("the note");
    assert_eq!(note.text, "This is an example message.\n");
    assert_eq!(note.check(&key), Check::Valid);
    assert_eq!(note.to_bytes(), bytes.as_bytes());
    assert_eq!(key.to_string(), "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k");
}

#[test]
fn signed_note_poem_has_an_empty_line_in_its_text() {
    let text = "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n";
    let line = "— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n";
    let note = Note::parse(format!("{text}\n{line}").as_bytes()).expect("the note");
    assert_eq!(note.text, text);
    assert_eq!(note.signatures[0].name, "quasimodo.example/salvatore");
    assert_eq!(note.signatures[0].bytes.len(), 64);
}

const SOFA: &str = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
const SOFA_LOG: &str = "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n";
const SOFA_WITNESS: &str = "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";

#[test]
fn checkpoint_example() {
    let signed = SignedCheckpoint::parse(format!("{SOFA}\n{SOFA_LOG}").as_bytes()).expect("the checkpoint");
    assert_eq!(signed.checkpoint.origin, "example.com/behind-the-sofa");
    assert_eq!(signed.checkpoint.size, 20_852_163);
    assert_eq!(signed.checkpoint.to_text(), SOFA);
}

#[test]
fn cosignature_example_carries_its_time() {
    let bytes = format!("{SOFA}\n{SOFA_LOG}{SOFA_WITNESS}");
    let signed = SignedCheckpoint::parse(bytes.as_bytes()).expect("the cosigned checkpoint");
    let line = &signed.note.signatures[1];
    assert_eq!(line.name, "witness.example.com/w1");
    assert_eq!(line.bytes[..8], 1_679_315_147_u64.to_be_bytes());
    assert_eq!(
        tlog::signed_message(&signed.note.text, 1_679_315_147),
        format!("cosignature/v1\ntime 1679315147\n{SOFA}").as_bytes()
    );
    assert_eq!(signed.to_bytes(), bytes.as_bytes());
}

#[test]
fn witness_request_example_leads_to_the_checkpoints_root() {
    let body = format!(
        "old 20852014\n\
         PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n\
         jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n\
         5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n\
         /6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n\
         \n{SOFA}\n{SOFA_LOG}"
    );
    let request = AddCheckpoint::parse(body.as_bytes()).expect("the request");
    assert_eq!(request.old, 20_852_014);
    assert_eq!(request.proof.len(), 4);
    assert_eq!(request.to_bytes(), body.as_bytes());
    // The example shows four hashes; between these sizes a proof has more, so it is printed for its form only.
    let root = request.checkpoint.checkpoint.root;
    assert_eq!(
        verify_consistency(request.old, root, 20_852_163, root, &request.proof),
        Err(ProofError::Length { found: 4 })
    );
}

#[test]
fn witness_answer_example_is_a_sequence_of_lines() {
    let answer = "— witness.example/w1 CMp+6LWBU0anHGH5aNDTJkH/gj79sG+T6+iP2ThYN5krrDJbR1HDnucjL39QsZTSvVjyQLrdk3DXDqI5G2HgLatVs0pWh6Up69HVOw==\n\
        — witness.example/w1 I7rEps0pvK2UqkS2gSpVUDhrhVtQV9lgF6pRrWAvjJHjyWpW7VcE3SiOlVlbQNt64vWhO+DlkL0+UfzuOBMh9ChdMkP1vi/lCAsmlw==\n\
        — witness.example/w2 AWui8Sk55XjYLOijihBjhqEH6nS1ndDymE0a+6idX7pLcnoB+dhnz0854aLZgrrKbYKA7nC3HNJhm/kWl7oJlqU3rXXvpysAdyP3wQ==\n";
    let lines = tlog::note::parse_signature_lines(answer).expect("the answer");
    assert_eq!(lines.len(), 3);
    assert!(lines.iter().all(|line| line.bytes.len() == 72));
    assert_eq!(lines.iter().map(tlog::NoteSignature::to_line).collect::<String>(), answer);
}

#[test]
fn tile_index_example() {
    assert_eq!(index_path(1_234_067), "x001/x234/067");
    assert_eq!(parse_index_path("x001/x234/067"), Some(1_234_067));
    let tile = TileId { level: 0, index: 1_234_067, width: 5 };
    assert_eq!(tile.path(), "tile/0/x001/x234/067.p/5");
    assert_eq!(TileId::parse_path("tile/0/x001/x234/067.p/5"), Ok(tile));
}

#[test]
fn tree_of_70_000_has_the_tiles_that_the_specification_counts() {
    let tiles: Vec<TileId> = tlog::tile::tiles_between(0, 70_000).collect();
    let count =
        |level: u8, full: bool| tiles.iter().filter(|t| t.level == level && t.is_full() == full).count();
    assert_eq!((count(0, true), count(0, false)), (273, 1));
    assert_eq!((count(1, true), count(1, false)), (1, 1));
    assert_eq!((count(2, true), count(2, false)), (0, 1));
    assert_eq!(tiles.len(), 277);
    assert_eq!([0, 1, 2, 3].map(|level| partial_width(level, 70_000)), [112, 17, 1, 0]);
    assert_eq!(Edge::tiles(256), [TileId { level: 1, index: 0, width: 1 }]);
}

#[test]
fn policy_example_asks_for_both_organisations() {
    let mut text =
        format!("log {}\n\n", fixture::signer("log.example", tlog::KeyType::Ed25519, 9).key_text());
    for (n, name) in ["X1", "X2", "X3", "Y1", "Y2", "Y3"].into_iter().enumerate() {
        let key = fixture::witness(u8::try_from(n).expect("six")).key_text();
        text.extend(["witness ", name, " ", &key, "\n"]);
    }
    text += "group X-witnesses 2 X1 X2 X3\ngroup Y-witnesses any Y1 Y2 Y3\n\n\
             group X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n";
    let policy = Policy::parse(text.as_bytes()).expect("the policy");
    assert!(policy.has_logs());
    assert_eq!(policy.witnesses().count(), 6);
    let satisfied = |names: &[&str]| {
        let keys: Vec<_> = policy
            .witnesses()
            .filter(|(name, ..)| names.contains(name))
            .map(|(_, key, _)| key.clone())
            .collect();
        policy.satisfied_by(|key| keys.contains(key))
    };
    assert!(satisfied(&["X1", "X3", "Y2"]));
    assert!(!satisfied(&["X1", "X2", "X3"]));
    assert!(!satisfied(&["X1", "Y1", "Y2", "Y3"]));
}

trait KeyText {
    fn key_text(&self) -> String;
}

impl KeyText for tlog::LocalSigner {
    fn key_text(&self) -> String {
        tlog::Signer::key(self).to_string()
    }
}
