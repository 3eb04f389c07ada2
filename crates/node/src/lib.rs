//! The program an authority runs: command line, HTTP, jobs, and one folder per desk.
//!
//! It is the only crate with sockets and clocks. What every page shares lies in [`layout`], its words in
//! [`i18n`], what is drawn in [`chart`] and [`map`]; none of these four opens a socket or reads a clock.

pub mod asof;
pub mod chart;
pub mod face;
pub mod i18n;
pub mod layout;
pub mod map;
