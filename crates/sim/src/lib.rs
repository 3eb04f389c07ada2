//! Many nodes, one seed, faults: the federation under test.
//!
//! Real engines, real logs over memory and real indexes over temporary databases, a network that loses, delays and splits, machines that crash at any
//! write and come back from what was stored, clocks that differ, backups that are too old, peers that lie, and
//! a stolen log key. What happens follows from one number; the bytes of age files
//! and of age keys do not, so that a seed repeats the story and not the bytes. Nothing here is ever shipped.

pub mod agree;
pub mod cast;
pub mod check;
pub mod dice;
pub mod indexed;
mod indexing;
pub mod liar;
pub mod network;
pub mod node;
pub mod plan;
mod releasing;
pub mod said;
pub mod serving;
pub mod source;
pub mod world;

pub use plan::{Plan, run};
