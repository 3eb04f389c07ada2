//! The desks: each one capability of the node, in a folder of its own with its records, index, pages and API.

pub mod network;
pub mod record;
pub mod situation;
