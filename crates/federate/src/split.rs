//! Evidence of a split view: two checkpoints, both signed by one log, that cannot both be true. The file
//! proves it to anyone who has the log's key, offline, without either copy of the log.
//!
//! The larger view's own consistency proof shows which root it has at the smaller size; the smaller view
//! signs another one. Where both sizes are equal there is nothing to prove.

use tlog::tile::{FULL_WIDTH, TileId, tile_hashes};
use tlog::tree::{prove_consistency, tiles_for_consistency};
use tlog::{
    CheckpointError, Edge, Hash, ProofError, SignedCheckpoint, TreeError, VerifierKey, verify_consistency,
};

/// First line of an evidence file.
pub const SPLIT_TAG: &str = "concord.split/v1";
/// The largest evidence file, in bytes.
pub const MAX_SPLIT: usize = 256 << 10;

/// Two views of one log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// The checkpoint of the smaller view.
    pub smaller: SignedCheckpoint,
    /// The checkpoint of the larger view, or of the other one of the same size.
    pub larger: SignedCheckpoint,
    /// The root that the larger view has at the smaller size.
    pub other_root: Hash,
    /// The consistency proof from `other_root` to the larger root.
    pub proof: Vec<Hash>,
}

/// Why an evidence file proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// Not of the form.
    #[error("evidence of a split view: {SPLIT_TAG}, sizes, proof, and two checkpoints")]
    Form,
    /// The checkpoints are of different logs, or the first is the larger one.
    #[error("the checkpoints are not of one log in the order of their sizes")]
    Order,
    /// Both views agree.
    #[error("the two views agree")]
    Agree,
    /// A checkpoint is not signed by the log.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The proof does not verify.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

impl Split {
    /// Two checkpoints of one size, with different roots.
    pub fn of_one_size(one: SignedCheckpoint, other: SignedCheckpoint) -> Self {
        let other_root = other.checkpoint.root;
        Self { smaller: one, larger: other, other_root, proof: Vec::new() }
    }

    /// Two checkpoints of which the tiles of the larger tree are at hand.
    pub fn from_tiles(
        smaller: SignedCheckpoint,
        larger: SignedCheckpoint,
        source: impl Fn(TileId) -> Option<Vec<u8>>,
    ) -> Result<Self, TreeError> {
        let (old, new) = (smaller.checkpoint.size, larger.checkpoint.size);
        let other_root = Edge::from_tiles(old, &source)?.root();
        let proof = prove_consistency(old, new, &source)?;
        Ok(Self { smaller, larger, other_root, proof })
    }

    /// Verifies the evidence with the keys that may sign the log.
    pub fn verify(&self, keys: &[VerifierKey]) -> Result<(), SplitError> {
        let (smaller, larger) = (&self.smaller.checkpoint, &self.larger.checkpoint);
        if smaller.origin != larger.origin || smaller.size > larger.size {
            return Err(SplitError::Order);
        }
        verify_by_one(&self.smaller, keys)?;
        verify_by_one(&self.larger, keys)?;
        self.verify_proof()?;
        // Every tree begins with the empty one.
        if smaller.root == self.other_root || smaller.size == 0 { Err(SplitError::Agree) } else { Ok(()) }
    }

    /// Verifies that the larger view has `other_root` at the smaller size; signatures are not looked at.
    pub fn verify_proof(&self) -> Result<(), ProofError> {
        let (smaller, larger) = (&self.smaller.checkpoint, &self.larger.checkpoint);
        verify_consistency(smaller.size, self.other_root, larger.size, larger.root, &self.proof)
    }

    /// The file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (smaller, larger) = (self.smaller.to_bytes(), self.larger.to_bytes());
        let proof = self.proof.iter().fold(String::new(), |text, hash| text + " " + &hash.to_base64());
        let mut out = format!(
            "{SPLIT_TAG}\nroot {}\nproof{proof}\ncheckpoint {}\ncheckpoint {}\n\n",
            self.other_root.to_base64(),
            smaller.len(),
            larger.len()
        )
        .into_bytes();
        out.extend_from_slice(&smaller);
        out.extend_from_slice(&larger);
        out
    }

    /// Reads a file; verifies nothing.
    pub fn parse(bytes: &[u8]) -> Result<Self, SplitError> {
        parse(bytes).ok_or(SplitError::Form)
    }
}

fn parse(bytes: &[u8]) -> Option<Split> {
    if bytes.len() > MAX_SPLIT {
        return None;
    }
    let end = bytes.windows(2).position(|pair| pair == b"\n\n")?;
    let (head, rest) = bytes.split_at(end + 2);
    let head = std::str::from_utf8(head).ok()?;
    let mut lines = head.strip_suffix("\n\n")?.split('\n');
    let field = |line: Option<&str>, key: &str| Some(line?.strip_prefix(key)?.to_owned());
    if lines.next()? != SPLIT_TAG {
        return None;
    }
    let other_root = Hash::from_base64(&field(lines.next(), "root ")?).ok()?;
    let proof = field(lines.next(), "proof")?;
    let mut hashes = proof.split(' ');
    // Each hash has a space before it.
    if hashes.next() != Some("") {
        return None;
    }
    let proof = hashes.map(|text| Hash::from_base64(text).ok()).collect::<Option<Vec<_>>>()?;
    let smaller: usize = record::encoding::decimal(&field(lines.next(), "checkpoint ")?).ok()?;
    let larger: usize = record::encoding::decimal(&field(lines.next(), "checkpoint ")?).ok()?;
    if lines.next().is_some() || proof.len() > tlog::proof::MAX_PROOF {
        return None;
    }
    let (smaller, rest) = rest.split_at_checked(smaller)?;
    let smaller = SignedCheckpoint::parse(smaller).ok()?;
    let larger = (rest.len() == larger).then(|| SignedCheckpoint::parse(rest).ok())??;
    Some(Split { smaller, larger, other_root, proof })
}

/// Whether one of the keys signed, and which; an error if none did.
pub fn verify_by_one<'k>(
    checkpoint: &SignedCheckpoint,
    keys: &'k [VerifierKey],
) -> Result<&'k VerifierKey, CheckpointError> {
    let origin = || checkpoint.checkpoint.origin.clone();
    let mut last = CheckpointError::NotSigned { origin: origin(), public: String::new() };
    for key in keys {
        match checkpoint.verify(key) {
            Ok(()) => return Ok(key),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// The tiles of a tree of size `new` that [`Split::from_tiles`] asks for, beside the right edge: those that
/// show its root at an older size.
pub fn tiles_at(old: u64, new: u64) -> Vec<TileId> {
    let mut tiles: Vec<TileId> = Edge::tiles(old)
        .into_iter()
        .filter_map(|tile| TileId::in_tree(tile.level, tile.index, new))
        .chain(tiles_for_consistency(old, new).unwrap_or_default())
        .collect();
    tiles.sort_unstable();
    tiles.dedup();
    tiles
}

/// The root at a size, from tiles that may have grown since. `None` if a tile is missing or too short.
pub fn root_at(size: u64, source: impl Fn(TileId) -> Option<Vec<u8>>) -> Option<Hash> {
    let cut = |tile: TileId| {
        let bytes = source(TileId { width: FULL_WIDTH, ..tile })?;
        tile_hashes(&bytes).ok()?;
        Some(bytes)
    };
    Edge::from_tiles(size, cut).ok().map(|edge| edge.root())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use tlog::{Checkpoint, KeyType, LocalSigner, SecretKey, leaf_hash};

    const ORIGIN: &str = "a.example/log/public/2020";

    fn signer() -> LocalSigner {
        LocalSigner::new(ORIGIN, KeyType::Ed25519, SecretKey::from_seed([9; 32])).unwrap()
    }

    fn key() -> VerifierKey {
        use tlog::Signer;
        signer().key().clone()
    }

    /// A tree of numbered leaves of which those from `fork` on are different.
    fn tree(size: u64, fork: u64) -> (SignedCheckpoint, BTreeMap<(u8, u64), Vec<u8>>) {
        let mut edge = Edge::new();
        let mut tiles = BTreeMap::new();
        for n in 0..size {
            let leaf = leaf_hash(format!("{n} {}", n >= fork).as_bytes());
            edge.append(leaf, &mut |tile: TileId, bytes| drop(tiles.insert((tile.level, tile.index), bytes)));
        }
        tiles.extend(edge.partials().into_iter().map(|(tile, bytes)| ((tile.level, tile.index), bytes)));
        let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size, root: edge.root() };
        (SignedCheckpoint::sign(checkpoint, &signer()).unwrap(), tiles)
    }

    fn split(old: u64, new: u64, fork: u64) -> Split {
        let (smaller, _) = tree(old, u64::MAX);
        let (larger, tiles) = tree(new, fork);
        Split::from_tiles(smaller, larger, |tile| tiles.get(&(tile.level, tile.index)).cloned()).unwrap()
    }

    #[test]
    fn two_views_are_proven_by_one_file() {
        for (old, new) in [(1, 2), (3, 700), (256, 257), (300, 70_000), (600, 600)] {
            let evidence = split(old, new, old - 1);
            assert_eq!(evidence.verify(&[key()]), Ok(()), "{old} {new}");
            assert_eq!(Split::parse(&evidence.to_bytes()), Ok(evidence));
        }
    }

    #[test]
    fn one_view_that_grew_is_no_evidence() {
        assert_eq!(split(300, 700, 300).verify(&[key()]), Err(SplitError::Agree));
    }

    #[test]
    fn evidence_needs_the_signature_of_the_log() {
        let other = SecretKey::from_seed([1; 32]).verifier(ORIGIN, KeyType::Ed25519).unwrap();
        assert!(matches!(split(3, 7, 1).verify(&[other]), Err(SplitError::Checkpoint(_))));
        let mut forged = split(3, 700, 1);
        forged.other_root = leaf_hash(b"another");
        assert!(matches!(forged.verify(&[key()]), Err(SplitError::Proof(_))));
    }

    #[test]
    fn other_files_are_refused() {
        let text = String::from_utf8(split(3, 7, 1).to_bytes()).unwrap();
        let beside = text.replace("\nproof ", "\nproof, ");
        for broken in [&text[1..], &text[..text.len() - 1], "", "concord.split/v1\n\n", &beside] {
            assert_eq!(Split::parse(broken.as_bytes()), Err(SplitError::Form));
        }
    }
}
