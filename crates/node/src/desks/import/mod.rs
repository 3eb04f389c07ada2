//! The import desk, on the inside face alone: a table of figures is uploaded, checked row by row, and released.
//!
//! The public face has nothing at these addresses. Rows are read, checked and released by [`crate::operate`], as from
//! the command line; this desk keeps the upload for that time and shows what became of it.

mod form;
mod page;
pub mod pages;
mod sealed;
mod uploads;

pub use uploads::Uploads;
