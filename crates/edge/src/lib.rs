//! Who asks, and how often they may: the same rules for pages, the exchange and meetings.
//!
//! [`Proxies::source`] finds the last address that somebody we trust has seen, and counts it by its block:
//! whoever is given a /64 is one asker, not 2⁶⁴. [`Budgets`] gives each block, and the wider one around it, what it may use
//! up, in bounded memory. Time is an argument. Nothing here reads a clock, opens a socket or answers anybody.

mod budget;
mod source;

pub use budget::{Allowance, Budgets};
pub use source::{Block, Network, NoNetwork, Proxies, Source};
