//! Rooms, driven as a service and media shards drive them: requests and events in, frames and orders out. No socket, no clock.
//!
//! Every output of every test goes through [`stage::Stage`], which knows what must always hold.

mod bytes;
mod data;
mod limits;
mod media;
mod moderation;
mod presence;
mod property;
mod publishing;
mod resuming;
mod stage;
mod subscribing;
