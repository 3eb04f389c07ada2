//! The index over real records: the same records give the same answers, whatever order they come in.

mod any_order;
mod catch_up;
pub(crate) mod reader;
mod rows;
mod standing;
mod turns;
pub(crate) mod world;
