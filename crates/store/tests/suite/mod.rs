//! What holds for every kind of cells and every database; each test program says on which it runs it.

#![allow(dead_code, reason = "each test program runs a part of it")]

pub mod cells;
pub mod db;
pub mod files;
pub mod lease;

use tlog::{KeyType, LocalSigner, SecretKey};

/// The origin of the log that is tested.
pub const ORIGIN: &str = "moh.chn.example/log/public/2020";
/// Where it lies.
pub const PREFIX: &str = "log/public/2020/";

/// The key of the log.
pub fn signer() -> LocalSigner {
    LocalSigner::new(ORIGIN, KeyType::Ed25519, SecretKey::from_seed([7; 32])).unwrap()
}
