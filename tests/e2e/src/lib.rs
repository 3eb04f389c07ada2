//! Nodes as an operator runs them: the program `concord`, a data folder, a port, commands.
//!
//! For tests only. It knows the command line and the exchange's addresses, and links nothing of the node:
//! what is tested is the program that is given away.

mod authority;
mod binary;
mod client;
mod clock;
mod forgery;
mod hostile;
mod impostor;
mod meeting;
mod memory;
mod wait;

pub use authority::{Authority, World, free_ports, path_in};
pub use binary::concord;
pub use client::{Answer, Client, raw};
pub use clock::Clock;
pub use forgery::Forgery;
pub use hostile::{ForgedLog, Forger, Hostile, Manner};
pub use impostor::Impostor;
pub use meeting::{Delegate, Line, join};
pub use memory::peak_memory;
pub use wait::{PATIENCE, until};
