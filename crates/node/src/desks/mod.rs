//! The desks: each one capability of the node, in a folder of its own with its records, index, pages and API.
//!
//! What the rest of the node needs of them is here: their tables, the records they read, their routes.

pub mod api;
mod api_page;
pub mod import;
pub mod meetings;
pub mod network;
pub mod record;
pub mod scenario;
pub mod shared;
pub mod signals;
pub mod situation;

use crate::index::{Given, IndexError, IndexedEntry};
use crate::mechanisms;
use crate::node::Node;
use axum::Router;
use std::sync::Arc;
use store::db::{DbError, Migration, Tx};

/// Every desk's tables, in an order that never changes.
pub fn migrations() -> impl Iterator<Item = &'static [Migration]> {
    [mechanisms::MIGRATIONS, situation::index::migrations()].into_iter()
}

/// The blob of a record that some desk reads into its tables.
pub fn wanted(header: &::record::Header) -> Option<&::record::BlobRef> {
    situation::index::wanted(header)
}

/// A large file of a record that a desk takes a piece at a time, and what came of it.
pub use situation::index::{Loaded, Loading};

/// Removes what was being loaded when the program was cut off.
pub async fn discard_unfinished(tx: &mut Tx) -> Result<(), DbError> {
    situation::load::discard_unfinished(tx).await
}

/// What desks remember of their own rows within one transaction.
#[derive(Debug, Default)]
pub struct Memory {
    situation: situation::load::Memory,
}

/// Gives one record to the desks that know its kind: when its header is known, and again, with content, if what they
/// want of it came later. Records come in any order.
pub async fn take(
    tx: &mut Tx,
    memory: &mut Memory,
    entry: &IndexedEntry<'_>,
    given: Given<'_>,
) -> Result<(), IndexError> {
    if mechanisms::is_fact(&entry.header.kind) {
        mechanisms::take(tx, entry).await?;
    }
    situation::index::take(tx, &mut memory.situation, entry, given).await
}

/// The rows of a thing's records stand as the table of what stands says, on the faces whose bits are `marked`.
pub async fn marked(tx: &mut Tx, author: &str, id: &str, status: &str, marked: i64) -> Result<(), DbError> {
    situation::replay::marked(tx, author, id, status, marked).await
}

/// The rows of one record stand as that table says on these faces too.
pub async fn marked_too(tx: &mut Tx, author: &str, name: &str, faces: i64) -> Result<(), DbError> {
    situation::replay::marked_too(tx, author, name, faces).await
}

/// Entries of a log, from the first up to but not including the second place, are proven at a time, or not any more.
pub async fn proven(
    tx: &mut Tx,
    origin: &str,
    first: u64,
    end: u64,
    time: Option<i64>,
) -> Result<(), DbError> {
    situation::replay::proven(tx, origin, first, end, time).await
}

/// Entries of a log, from the first up to but not including the second place, claim at least this time, because the log before
/// theirs does. Answers false if it is to be asked again, because that was too much for one turn.
pub async fn reranked(tx: &mut Tx, origin: &str, range: (i64, i64), rank: i64) -> Result<bool, DbError> {
    situation::replay::reranked(tx, origin, range, rank).await
}

/// Forgets what one record said, public or sealed: the desks' tables are as if it had never been opened.
pub async fn forget(tx: &mut Tx, author: &str, name: &str) -> Result<(), DbError> {
    mechanisms::forget(tx, author, name).await?;
    situation::replay::forget(tx, author, name).await
}

/// Every desk's pages and API.
pub fn routes() -> Router<Arc<Node>> {
    Router::new()
        .merge(situation::pages::routes())
        .merge(signals::pages::routes())
        .merge(scenario::pages::routes())
        .merge(record::pages::routes())
        .merge(network::pages::routes())
        .merge(import::pages::routes())
        .merge(api::routes())
}

/// The addresses of those pages for which nothing is read of the index.
pub fn light_routes() -> Router<Arc<Node>> {
    Router::new().merge(meetings::pages::routes()).merge(api_page::routes())
}
