//! Scenarios for a briefing: what follows from assumptions that are written down, in words, bands and differences.
//!
//! The outcome is computed from the figures that a reader may see and from the assumptions alone, by `epi::scenario`, and is
//! the same bytes on every machine. Released as a record of kind `scenario`, it carries its input, its assumptions and its
//! outcome, so that anybody runs it again and compares. It predicts nothing, and never says that a measure caused anything.

pub mod assumptions;
pub mod outcome;
mod page;
pub mod pages;
pub mod released;

/// The kind of record that this desk releases.
pub const KIND: &str = "scenario";
