//! The verifiable log: C2SP signed notes, tiles, proofs, checkpoints, cosignatures, witness requests and policies.
//!
//! Everything here is a pure function of bytes. The crate never does I/O, never reads a clock and never
//! draws randomness: seeds and times are arguments. Every parser refuses what is not the one canonical
//! form, has a size limit, and never panics on foreign bytes.

pub mod base64;
pub mod checkpoint;
pub mod cosignature;
pub mod hash;
pub mod key;
pub mod note;
pub mod policy;
pub mod proof;
pub mod proof_file;
pub mod tile;
pub mod tree;
pub mod witness;

mod text;

pub use checkpoint::{Checkpoint, CheckpointError, MAX_COSIGNATURES, SignedCheckpoint};
pub use cosignature::{CosignatureError, cosign, signed_message, verify_cosignature};
pub use hash::{EMPTY_ROOT, Hash, HashError, leaf_hash, node_hash, sha256};
pub use key::{
    KeyError, KeyType, LocalSigner, PreparedKey, SecretKey, SignError, Signer, VerifierKey, verify_strict,
};
pub use note::{Check, Note, NoteError, NoteSignature};
pub use policy::{Policy, PolicyError};
pub use proof::{ProofError, verify_consistency, verify_inclusion};
pub use proof_file::{ProofFile, ProofFileError};
pub use tile::{TileError, TileId, bundle_path, index_path, read_bundle, write_bundle};
pub use tree::{Edge, TreeError, root_of_leaves};
pub use witness::{AddCheckpoint, WitnessRefusal, WitnessRequestError, judge};
