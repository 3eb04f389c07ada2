//! Verifying RFC 6962 inclusion and consistency proofs (the algorithms of RFC 9162 sections 2.1.3 and 2.1.4).
//!
//! Only verifies; making proofs out of tiles is in [`crate::tree`].

use crate::hash::{EMPTY_ROOT, Hash, node_hash};
use crate::text::MAX_TREE_SIZE;

/// The most hashes of a proof.
pub const MAX_PROOF: usize = 63;

/// Why a proof was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The entry is not in a tree of that size.
    #[error("entry {index} is not in a tree of {size}")]
    IndexOutside {
        /// The entry's place, from 0.
        index: u64,
        /// The size of the tree.
        size: u64,
    },
    /// Trees do not shrink.
    #[error("from {old} to {new} entries: a tree does not shrink")]
    Shrinks {
        /// The earlier size.
        old: u64,
        /// The later size.
        new: u64,
    },
    /// A size above 2^63 − 1.
    #[error("a tree of {0} entries: at most {MAX_TREE_SIZE}")]
    TooLarge(u64),
    /// More or fewer hashes than such a proof has.
    #[error("a proof of {found} hashes, which is not the length of this one")]
    Length {
        /// How many there are.
        found: usize,
    },
    /// The hashes do not lead to the (later) root.
    #[error("the proof leads to the root {computed}, not to {expected}")]
    Root {
        /// What the hashes give.
        computed: Hash,
        /// What the checkpoint says.
        expected: Hash,
    },
    /// The hashes do not lead to the earlier root.
    #[error("the proof leads to the earlier root {computed}, not to {expected}")]
    OldRoot {
        /// What the hashes give.
        computed: Hash,
        /// What the earlier checkpoint says.
        expected: Hash,
    },
}

impl ProofError {
    /// A stable name of the error, for translation.
    pub fn code(&self) -> &'static str {
        match self {
            Self::IndexOutside { .. } => "proof-index",
            Self::Shrinks { .. } => "proof-shrinks",
            Self::TooLarge(_) => "proof-tree-size",
            Self::Length { .. } => "proof-length",
            Self::Root { .. } => "proof-root",
            Self::OldRoot { .. } => "proof-old-root",
        }
    }

    /// Named arguments of the message, in a fixed order.
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::IndexOutside { index, size } => {
                vec![("index", index.to_string()), ("size", size.to_string())]
            }
            Self::Shrinks { old, new } => vec![("old", old.to_string()), ("new", new.to_string())],
            Self::TooLarge(value) => vec![("size", value.to_string())],
            Self::Length { found } => vec![("found", found.to_string())],
            Self::Root { computed, expected } | Self::OldRoot { computed, expected } => {
                vec![("computed", computed.to_string()), ("expected", expected.to_string())]
            }
        }
    }
}

/// Verifies that the entry with this leaf hash is at `index` in the tree of `size` and `root`.
pub fn verify_inclusion(
    leaf: Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: Hash,
) -> Result<(), ProofError> {
    if size > MAX_TREE_SIZE {
        return Err(ProofError::TooLarge(size));
    }
    if index >= size {
        return Err(ProofError::IndexOutside { index, size });
    }
    let length = ProofError::Length { found: proof.len() };
    let (mut node, mut last) = (index, size - 1);
    let mut computed = leaf;
    for sibling in proof {
        if last == 0 {
            return Err(length);
        }
        if node & 1 == 1 || node == last {
            computed = node_hash(*sibling, computed);
            // On the right edge: levels on which this node has no sibling are passed over.
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            computed = node_hash(computed, *sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(length);
    }
    same_root(computed, root)
}

/// Verifies that the tree of `new_size` and `new_root` begins with the tree of `old_size` and `old_root`.
/// The empty tree, and a tree and itself, are proven by no hashes.
pub fn verify_consistency(
    old_size: u64,
    old_root: Hash,
    new_size: u64,
    new_root: Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if new_size > MAX_TREE_SIZE {
        return Err(ProofError::TooLarge(new_size));
    }
    if old_size > new_size {
        return Err(ProofError::Shrinks { old: old_size, new: new_size });
    }
    let length = ProofError::Length { found: proof.len() };
    if old_size == 0 || old_size == new_size {
        if !proof.is_empty() {
            return Err(length);
        }
        if old_size == 0 {
            same_old_root(EMPTY_ROOT, old_root)?;
        }
        return if new_size == old_size { same_root(old_root, new_root) } else { Ok(()) };
    }
    let (mut node, mut last) = (old_size - 1, new_size - 1);
    let complete_levels = node.trailing_ones();
    node >>= complete_levels;
    last >>= complete_levels;
    // An old tree that is one complete subtree is its own first hash.
    let (first, rest) = if node == 0 {
        (old_root, proof)
    } else {
        proof.split_first().map(|(h, r)| (*h, r)).ok_or(length.clone())?
    };
    let (mut old, mut new) = (first, first);
    for sibling in rest {
        if last == 0 {
            return Err(length);
        }
        if node & 1 == 1 || node == last {
            old = node_hash(*sibling, old);
            new = node_hash(*sibling, new);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new = node_hash(new, *sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(length);
    }
    same_old_root(old, old_root)?;
    same_root(new, new_root)
}

fn same_root(computed: Hash, expected: Hash) -> Result<(), ProofError> {
    if computed == expected { Ok(()) } else { Err(ProofError::Root { computed, expected }) }
}

fn same_old_root(computed: Hash, expected: Hash) -> Result<(), ProofError> {
    if computed == expected { Ok(()) } else { Err(ProofError::OldRoot { computed, expected }) }
}
