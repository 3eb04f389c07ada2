//! Network: the authorities this node knows, what each log holds, who has seen it, who holds it since when, how far
//! behind this node is, mechanisms with their charters, and alarms.
//!
//! The public face shows public logs and pinned fingerprints. Mechanisms, health and alarms belong inside.

pub mod mechanism;
pub mod page;
pub mod pages;
pub mod query;
pub mod tables;
