//! Signals: which countries report more than was to be expected, over all countries at once, each with its reason.
//!
//! Computed per request from the figures that the reader may see. With many countries some alarms come by chance: those
//! that stand out among all of their date (false discovery rate, Benjamini and Hochberg) are shown apart from the rest. An
//! officer dismisses a signal with a reason, which stays beside it; a dismissal is this authority's own note, kept in
//! `state`, and is shown inside alone. This desk releases nothing and decides nothing.

mod dismissal;
pub mod list;
pub mod pages;

#[cfg(test)]
mod tests;
