//! What authorities share under rules that hold between them: sealed records, charters, proven times and
//! evidence, with honest and with hostile authors. The files in `tests/vectors` are for other implementations.

mod cast;
mod charters;
mod evidence_files;
#[allow(dead_code)] // Shared with the other tests, which use the rest.
#[path = "../protocol/fixture.rs"]
mod fixture;
mod hostile_author;
mod proven_time;
mod sealed;
mod vectors;
