//! Situation: every country's figures known to this node, each with who said it, when, and its proof.
//!
//! A figure comes from a record of kind `situation.figures` ([`replay`]), is asked for as of a moment ([`query`])
//! and is shown with the record behind it. This desk computes sums and curves from what was stated; it never
//! corrects, guesses or merges what authorities say.

pub mod analysis;
pub mod compare;
pub mod corrections;
pub mod curve;
pub mod day;
pub mod differences;
pub mod figure;
mod file;
pub mod index;
pub mod load;
pub mod names;
pub mod overview;
pub mod pages;
pub mod parts;
pub mod place;
pub mod places;
pub mod points;
pub mod query;
pub mod recent;
pub mod replay;
pub mod schema;
mod shown;
pub mod stated;
mod table;
pub mod totals;

#[cfg(test)]
pub(in crate::desks) mod tests;
