//! How many will there be when all reports are in: completing the latest days from how late reports were so far.
//!
//! Both methods read a reporting triangle: for each day the counts reported 0, 1, 2... days later. Both assume that delays stay as they
//! were in the days of the triangle; a holiday or a new reporting system breaks that, and no method sees it from the triangle.

mod bayesian;
mod chain_ladder;
mod triangle;

pub use bayesian::bayesian;
pub use chain_ladder::{chain_ladder, delay, totals};
pub use triangle::{Triangle, TriangleError};

use jiff::civil::Date;

/// What is expected of one day.
#[derive(Debug, Clone, PartialEq)]
pub struct Nowcast {
    /// The day.
    pub date: Date,
    /// Reported so far.
    pub reported: f64,
    /// The share of its reports that is expected to be in.
    pub share: f64,
    /// All that will be reported.
    pub expected: f64,
    /// The ends of its 95 % prediction interval: none where there is too little to judge the method by.
    pub interval: Option<(f64, f64)>,
}
