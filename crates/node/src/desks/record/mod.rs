//! Record: any record by its hash, with everything that proves it, and the list of all that a reader may see.
//!
//! It reads what the index and the logs say. It judges nothing again, and shows nothing that is sealed for others.

pub mod list;
pub mod page;
pub mod pages;
pub mod query;

#[cfg(test)]
mod tests;
