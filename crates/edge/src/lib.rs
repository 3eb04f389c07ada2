//! Who asks, and how often they may: the same rules for pages, the exchange and meetings.
//!
//! [`Proxies::source`] finds the last address that somebody we trust has seen, and counts it by its block:
//! whoever is given a /64 is one asker, not 2⁶⁴. [`Budgets`] gives each block, and the wider one around it, what it may use
//! up, in bounded memory. [`serve`] gives each block its share of connections, and ends those that do not go on;
//! [`serve_here`] does the latter for a socket of this machine. When all places are taken, or too many bytes are half received,
//! a [`Crowd`] says who gives way.
//! Time is an argument but there. Nothing here answers anybody.

mod budget;
mod connections;
mod crowd;
mod paced;
mod places;
mod source;

pub use budget::{Allowance, Budgets};
pub use connections::{Connection, Limits, raise_files, serve, serve_here};
pub use crowd::{Crowd, Gone, Room, Seat};
pub use paced::Pace;
pub use places::{Full, Most, Place, Places};
pub use source::{Block, Network, NoNetwork, Proxies, Source};
