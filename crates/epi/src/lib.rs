//! Epidemiology: pure functions over series of figures. The same inputs give the same bytes on every machine and with any number
//! of threads: transcendental functions are those of `libm`, threads share out series and never a sum.
//!
//! It never reads a file, a clock or a source of randomness, never fills a gap in silence, and never turns a missing or negative
//! figure into a zero.
//!
//! One file per method. What several methods stand on:
//!
//! | module | subject |
//! |---|---|
//! | [`series`] | a figure for every day or week, or why there is none; differences; corrections spread back |
//! | [`finding`] | what is wrong with a series; spikes; the flags that results carry |
//! | [`distribution`] | probabilities and quantiles |
//! | [`delay`] | delays in whole days: given, or made of a continuous distribution |
//! | [`serial_interval`] | the delay from one onset to those that it caused; infectiousness |
//! | [`published`] | a library of published delays, with citations |
//! | [`across`] | many series on many threads |
//! | [`digest`] | the hash of inputs |
//!
//! The methods:
//!
//! | module | question |
//! |---|---|
//! | [`instantaneous`] | how many does a case infect now (Cori)? |
//! | [`reconstruction`] | the days of weekly figures, for that question alone |
//! | [`uncertain_interval`] | the same, where the serial interval is uncertain |
//! | [`case_reproduction`] | how many did the cases of a day infect (Wallinga and Teunis)? |
//! | [`growth`] | how fast does it grow, and which reproduction number is that? |
//! | [`day_of_week`] | how much less is reported on Sundays? |
//! | [`nowcast`] | how many will there be when all reports are in? |
//! | [`case_fatality`] | how many of the ill die, known outcomes or not? |

#![forbid(unsafe_code)]
// Numbers of days and of series are far below 2^53.
#![allow(clippy::cast_precision_loss)]
// That two floats are the same is what is promised.
#![allow(clippy::float_cmp)]
#![cfg_attr(
    test,
    allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::unreadable_literal)
)]

pub mod across;
pub mod case_fatality;
pub mod case_reproduction;
pub mod day_of_week;
pub mod delay;
pub mod detect;
pub mod digest;
pub mod distribution;
pub mod establishment;
#[cfg(test)]
mod examples;
pub mod final_size;
pub mod finding;
pub mod growth;
pub mod importation;
pub mod instantaneous;
pub mod metapopulation;
pub mod nowcast;
pub mod published;
pub mod random;
pub mod reconstruction;
pub mod scenario;
pub mod serial_interval;
pub mod series;
pub mod uncertain_interval;
pub mod weeks;
