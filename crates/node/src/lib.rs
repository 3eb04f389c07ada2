//! The program an authority runs: command line, HTTP, jobs, and one folder per desk.
//!
//! It is the only crate with sockets and clocks. What every page shares lies in [`layout`], its words in
//! [`i18n`], what is drawn in [`chart`] and [`map`]; none of these four opens a socket or reads a clock.

mod age_keys;
pub mod alarm;
mod anchors;
mod archived;
pub mod asof;
pub mod chart;
pub mod cli;
pub mod clock;
pub mod command;
pub mod config;
pub mod control;
pub mod damaged;
pub mod demo;
pub mod desks;
pub mod erasure;
mod evidence;
pub mod exchange;
pub mod face;
pub mod fault;
mod follow_up;
mod heads;
pub mod http;
pub mod i18n;
pub mod identity;
pub mod index;
mod index_source;
pub mod init;
pub mod layout;
pub mod leading;
pub mod map;
pub mod mechanisms;
pub mod metrics;
pub mod missing;
pub mod node;
pub mod operate;
pub mod outbound;
pub mod own_log;
pub mod peers;
pub mod release;
pub mod saved;
pub mod serve;
pub mod session;
pub mod signing;
pub mod unread;
