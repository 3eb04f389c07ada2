//! The world's file formats in and out.
//!
//! What an authority shares is kept in the standard that the field already uses; this crate reads and writes those
//! standards. It turns bytes into typed statements and back, and says exactly what is wrong where it cannot.
//!
//! It never opens a file, a socket or a database, never asks for the time, and never decides what a statement
//! means for anybody: it knows no records, no logs and no people.

pub mod figures;
pub mod hxl;
pub mod places;
mod rows;
