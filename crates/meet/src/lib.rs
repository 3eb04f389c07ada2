//! The conference engine: a selective forwarding unit (RFC 7667, section 3.7) that speaks `LiveKit`'s protocol, so that stock
//! `LiveKit` clients join it unchanged and a `LiveKit` cluster can take its place.
//!
//! It is three parts, and only the last one does I/O:
//!
//! - `room`: what is true in each room - participants, tracks, permissions, subscriptions. A state machine of (request, time) → (answer, order).
//! - `media`: what becomes of packets - one shard per thread, `str0m` sessions inside. A state machine of (packet, time) → (packet, event).
//! - `service`: sockets, threads and clocks: WebSocket, Twirp, webhooks, UDP and TCP media, metrics.
//!
//! Rooms and shards talk only in the words of [`contract`]. It never decodes media, never records it, never knows what a meeting,
//! a delegation or an authority is: a track is a track.

#![forbid(unsafe_code)]

pub mod arguments;
pub mod config;
pub mod contract;
pub mod driver;
pub mod grants;
pub mod media;
mod metrics;
pub mod room;
pub mod service;
pub mod token;
