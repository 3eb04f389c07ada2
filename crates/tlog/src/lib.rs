//! The verifiable log: C2SP signed notes, tiles, proofs, checkpoints, cosignatures, witness requests and policies.
//!
//! Everything here is a pure function of bytes. The crate never does I/O, never reads a clock and never
//! draws randomness: seeds and times are arguments. Every parser refuses what is not the one canonical
//! form, has a size limit, and never panics on foreign bytes.
//!
//! A log of three entries, its signed checkpoint, and a file that proves the second entry:
//!
//! ```
//! use tlog::*;
//!
//! let origin = "moh.chn.example/log/public/2020";
//! let entries = ["first", "second", "third"];
//! let mut edge = Edge::new();
//! for entry in entries {
//!     edge.append(leaf_hash(entry.as_bytes()), &mut |tile, _| panic!("{tile} is full at 256 entries only"));
//! }
//!
//! // The seed is an argument: nothing here is random.
//! let log = LocalSigner::new(origin, KeyType::Ed25519, SecretKey::from_seed([1; 32]))?;
//! let checkpoint = Checkpoint { origin: origin.to_owned(), size: edge.size(), root: edge.root() };
//! let checkpoint = SignedCheckpoint::sign(checkpoint, &log)?;
//!
//! let tiles = edge.partials();
//! let source = |asked: TileId| tiles.iter().find(|(tile, _)| *tile == asked).map(|(_, bytes)| bytes.clone());
//! let path = tree::prove_inclusion(1, edge.size(), source)?;
//! let file = ProofFile { extra: None, index: 1, path, checkpoint }.to_bytes();
//!
//! // The reader has the file, the entry, and the log's key.
//! ProofFile::parse(&file)?.verify(leaf_hash(b"second"), log.key())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

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
