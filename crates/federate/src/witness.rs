//! This node as a C2SP witness: which checkpoint it cosigned last per log, and what it decides on the next.
//!
//! The size is raised durably before anything is signed: [`Witness::judge`] raises it in memory and says what
//! to store; only when that is durable may the cosignature be made. A later failure leaves it raised.

use std::collections::{BTreeMap, BTreeSet};

use record::Origin;
use tlog::witness::WitnessRequestError;
use tlog::{AddCheckpoint, Hash, SignedCheckpoint, VerifierKey, WitnessRefusal, judge};

/// The most logs of one authority that are cosigned.
pub const MAX_LOGS_PER_AUTHORITY: usize = 4096;

/// What was cosigned last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Latest {
    /// Its size.
    pub size: u64,
    /// Its root.
    pub root: Hash,
    /// The checkpoint, with this witness's cosignature once it is made.
    pub checkpoint: SignedCheckpoint,
}

/// Why a request is not granted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It cannot be read.
    #[error(transparent)]
    Request(#[from] WitnessRequestError),
    /// The specification refuses it.
    #[error(transparent)]
    Judged(#[from] WitnessRefusal),
    /// The authority has too many logs.
    #[error("more than {MAX_LOGS_PER_AUTHORITY} logs of one authority")]
    TooMany,
    /// What was cosigned last of the log is damaged here: another view could be cosigned.
    #[error("what was cosigned last of this log is damaged here: nothing of it is cosigned")]
    Forgotten,
    /// Requests for other logs of the authority are still under way.
    #[error("other requests for logs of this authority are under way; ask again later")]
    Busy,
}

impl Refused {
    /// The answer: status, media type and body.
    pub fn answer(&self) -> (u16, &'static str, Vec<u8>) {
        let text = "text/plain; charset=utf-8";
        match self {
            Self::Request(_) => (400, text, Vec::new()),
            Self::Judged(WitnessRefusal::Conflict { size }) => {
                (409, "text/x.tlog.size", format!("{size}\n").into_bytes())
            }
            Self::Judged(refusal) => (refusal.status(), text, Vec::new()),
            Self::TooMany => (403, text, Vec::new()),
            Self::Forgotten => (503, text, Vec::new()),
            Self::Busy => (429, text, Vec::new()),
        }
    }
}

/// The witness's memory.
#[derive(Debug, Clone, Default)]
pub struct Witness {
    latest: BTreeMap<Origin, Latest>,
    /// Logs of which it is not known any more what was cosigned.
    forgotten: BTreeSet<Origin>,
}

impl Witness {
    /// Reads a request, which names its log.
    pub fn read(body: &[u8]) -> Result<(Origin, AddCheckpoint), Refused> {
        let request = AddCheckpoint::parse(body)?;
        let name = request.checkpoint.checkpoint.origin.clone();
        let origin = name.parse().map_err(|_| WitnessRefusal::UnknownOrigin { origin: name })?;
        Ok((origin, request))
    }

    /// Judges a request against what was cosigned last, under the `log` keys of the newest root known (none:
    /// the authority is not recognised). On `Ok` the memory is raised; the value returned is to be stored.
    pub fn judge(
        &mut self,
        origin: &Origin,
        request: &AddCheckpoint,
        log_keys: &[VerifierKey],
    ) -> Result<Vec<u8>, Refused> {
        if self.forgotten.contains(origin) {
            return Err(Refused::Forgotten);
        }
        let latest = self.latest.get(origin).map(|latest| (latest.size, latest.root));
        let checkpoint = judge(request, latest, log_keys)?;
        if latest.is_none() && self.logs_of(origin) >= MAX_LOGS_PER_AUTHORITY {
            return Err(Refused::TooMany);
        }
        let mut kept = request.checkpoint.clone();
        // Only the log's own line is kept: foreign cosignatures are not this witness's to serve.
        kept.note.signatures.retain(|line| log_keys.iter().any(|key| line.is_by(key)));
        // A checkpoint that is cosigned again keeps the line that it has.
        if let Some(before) = self.latest.get(origin).filter(|l| l.checkpoint.checkpoint == kept.checkpoint) {
            kept = before.checkpoint.clone();
        }
        let latest = Latest { size: checkpoint.size, root: checkpoint.root, checkpoint: kept };
        let bytes = latest.checkpoint.to_bytes();
        self.latest.insert(origin.clone(), latest);
        Ok(bytes)
    }

    /// Adds this witness's line to the checkpoint cosigned last; the value to be stored, or `None` if a later
    /// one was judged meanwhile.
    pub fn cosigned(&mut self, cosigned: &SignedCheckpoint, line: tlog::NoteSignature) -> Option<Vec<u8>> {
        let origin: Origin = cosigned.checkpoint.origin.parse().ok()?;
        let latest = self.latest.get_mut(&origin)?;
        if latest.checkpoint.checkpoint != cosigned.checkpoint {
            return None;
        }
        // A newer line by the same key takes the place of the older one.
        latest.checkpoint.note.signatures.retain(|kept| (&kept.name, kept.id) != (&line.name, line.id));
        latest.checkpoint.add_cosignature(line).ok()?;
        Some(latest.checkpoint.to_bytes())
    }

    /// What was cosigned last for a log.
    pub fn latest(&self, origin: &Origin) -> Option<&Latest> {
        self.latest.get(origin)
    }

    /// All logs and what was cosigned last for each.
    pub fn all(&self) -> impl Iterator<Item = (&Origin, &Latest)> {
        self.latest.iter()
    }

    /// Takes up what was stored; `None` if it cannot be read.
    pub fn restore(&mut self, origin: &str, value: &[u8]) -> Option<()> {
        let origin: Origin = origin.parse().ok()?;
        let checkpoint = SignedCheckpoint::parse(value).ok()?;
        let (size, root) = (checkpoint.checkpoint.size, checkpoint.checkpoint.root);
        (checkpoint.checkpoint.origin == origin.to_string()).then_some(())?;
        self.latest.insert(origin, Latest { size, root, checkpoint });
        Some(())
    }

    /// What was stored cannot be read: nothing of the log is cosigned any more, or it could be a second view.
    pub fn forget(&mut self, origin: Origin) {
        self.latest.remove(&origin);
        self.forgotten.insert(origin);
    }

    fn logs_of(&self, origin: &Origin) -> usize {
        self.latest.keys().filter(|known| known.authority == origin.authority).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tlog::{Checkpoint, Edge, KeyType, LocalSigner, SecretKey, Signer, leaf_hash};

    const ORIGIN: &str = "a.example/log/public/2020";

    fn log() -> LocalSigner {
        LocalSigner::new(ORIGIN, KeyType::Ed25519, SecretKey::from_seed([9; 32])).unwrap()
    }

    fn request(old: u64, size: u64, salt: &str) -> AddCheckpoint {
        let mut edge = Edge::new();
        (0..size).for_each(|n| edge.append(leaf_hash(format!("{salt}{n}").as_bytes()), &mut |_, _| ()));
        let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size, root: edge.root() };
        let tiles: BTreeMap<_, _> = edge.partials().into_iter().collect();
        let proof = tlog::tree::prove_consistency(old, size, |tile| tiles.get(&tile).cloned()).unwrap();
        AddCheckpoint { old, proof, checkpoint: SignedCheckpoint::sign(checkpoint, &log()).unwrap() }
    }

    fn origin() -> Origin {
        ORIGIN.parse().unwrap()
    }

    #[test]
    fn a_log_that_grows_is_cosigned() {
        let keys = [log().key().clone()];
        let mut witness = Witness::default();
        witness.judge(&origin(), &request(0, 3, ""), &keys).unwrap();
        let stored = witness.judge(&origin(), &request(3, 5, ""), &keys).unwrap();
        assert_eq!(witness.latest(&origin()).unwrap().size, 5);
        let mut again = Witness::default();
        again.restore(ORIGIN, &stored).unwrap();
        assert_eq!(again.latest(&origin()), witness.latest(&origin()));
    }

    #[test]
    fn a_witness_signs_no_second_view() {
        let keys = [log().key().clone()];
        let mut witness = Witness::default();
        witness.judge(&origin(), &request(0, 5, ""), &keys).unwrap();
        let refused = witness.judge(&origin(), &request(5, 7, "other"), &keys).unwrap_err();
        assert_eq!(refused.answer().0, 422);
        let refused = witness.judge(&origin(), &request(0, 7, "other"), &keys).unwrap_err();
        assert_eq!(refused.answer(), (409, "text/x.tlog.size", b"5\n".to_vec()));
        assert_eq!(witness.latest(&origin()).unwrap().size, 5);
    }

    #[test]
    fn of_a_log_of_which_the_last_size_is_lost_nothing_is_cosigned() {
        let keys = [log().key().clone()];
        let mut witness = Witness::default();
        witness.forget(origin());
        for (old, size) in [(0, 3), (3, 5)] {
            let refused = witness.judge(&origin(), &request(old, size, ""), &keys).unwrap_err();
            assert_eq!(refused.answer().0, 503);
        }
    }

    #[test]
    fn strangers_and_wrong_keys_are_refused() {
        let mut witness = Witness::default();
        assert_eq!(witness.judge(&origin(), &request(0, 3, ""), &[]).unwrap_err().answer().0, 404);
        let other = SecretKey::from_seed([1; 32]).verifier(ORIGIN, KeyType::Ed25519).unwrap();
        assert_eq!(witness.judge(&origin(), &request(0, 3, ""), &[other]).unwrap_err().answer().0, 403);
        assert_eq!(Witness::read(b"nonsense").unwrap_err().answer().0, 400);
        assert!(witness.latest(&origin()).is_none());
    }
}
