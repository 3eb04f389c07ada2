//! Many nodes, one seed, faults: the federation under test.
//!
//! Real engines and real logs over memory, a network that loses, delays and splits, machines that crash at any
//! write and come back from what was stored, clocks that differ, backups that are too old, peers that lie, and
//! a stolen log key. Everything follows from one number; nothing here is ever shipped.

pub mod cast;
pub mod check;
pub mod dice;
pub mod liar;
pub mod network;
pub mod node;
pub mod plan;
pub mod serving;
pub mod world;

pub use plan::{Plan, run};
