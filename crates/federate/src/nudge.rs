//! The body of `POST /nudge`: the sender's name on a line, then at most one self-verifying note.
//!
//! Nothing is believed because of the sender's name: it only says whom to ask.

use record::{Authority, SignedRoot};
use tlog::SignedCheckpoint;

use crate::paths::MAX_NUDGE;

/// What a nudge brings along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NudgeNote {
    /// Nothing: "ask me".
    None,
    /// The next root of a confirmed authority.
    Root(Box<SignedRoot>),
    /// A checkpoint with a `holds` line.
    Receipt(Box<SignedCheckpoint>),
}

/// "I have news."
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nudge {
    /// Who says so.
    pub from: Authority,
    /// What it brings along.
    pub note: NudgeNote,
}

impl Nudge {
    /// The body.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut body = format!("{}\n", self.from).into_bytes();
        match &self.note {
            NudgeNote::None => {}
            NudgeNote::Root(root) => body.extend_from_slice(&root.bytes),
            NudgeNote::Receipt(checkpoint) => body.extend_from_slice(&checkpoint.to_bytes()),
        }
        body
    }

    /// Reads a body; `None` if it is of another form.
    pub fn parse(body: &[u8]) -> Option<Self> {
        if body.len() > MAX_NUDGE {
            return None;
        }
        let end = body.iter().take(512).position(|b| *b == b'\n')?;
        let (from, note) = body.split_at(end);
        let note = note.get(1..)?;
        let from = std::str::from_utf8(from).ok()?.parse().ok()?;
        let note = if note.is_empty() {
            NudgeNote::None
        } else if note.starts_with(record::root::ROOT_TAG.as_bytes()) {
            NudgeNote::Root(Box::new(SignedRoot::parse(note).ok()?))
        } else {
            NudgeNote::Receipt(Box::new(SignedCheckpoint::parse(note).ok()?))
        };
        Some(Self { from, note })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tlog::{Checkpoint, EMPTY_ROOT, KeyType, LocalSigner, SecretKey};

    #[test]
    fn a_nudge_is_read_as_it_was_written() {
        let origin = "a.example/log/public/2020";
        let signer = LocalSigner::new(origin, KeyType::Ed25519, SecretKey::from_seed([1; 32])).unwrap();
        let checkpoint = Checkpoint { origin: origin.to_owned(), size: 0, root: EMPTY_ROOT };
        let receipt = SignedCheckpoint::sign(checkpoint, &signer).unwrap();
        for note in [NudgeNote::None, NudgeNote::Receipt(Box::new(receipt))] {
            let nudge = Nudge { from: "b.example".parse().unwrap(), note };
            assert_eq!(Nudge::parse(&nudge.to_bytes()), Some(nudge));
        }
    }

    #[test]
    fn other_bodies_are_no_nudge() {
        let long = vec![b'a'; MAX_NUDGE + 1];
        for body in [b"".as_slice(), b"b.example", b"B.example\n", b"b.example\nnonsense", &long] {
            assert_eq!(Nudge::parse(body), None);
        }
    }
}
