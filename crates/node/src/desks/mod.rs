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
pub mod signals;
pub mod situation;

use crate::index::{Content, IndexError, IndexedEntry};
use crate::mechanisms;
use crate::node::Node;
use axum::Router;
use std::sync::Arc;
use store::db::{DbError, Migration, Tx};

/// Every desk's tables, in an order that never changes.
pub fn migrations() -> impl Iterator<Item = &'static [Migration]> {
    [mechanisms::MIGRATIONS, situation::index::migrations()].into_iter()
}

/// Whether some desk needs the blobs of records of this kind.
pub fn reads_content(kind: &str) -> bool {
    situation::index::reads_content(kind)
}

/// Gives one valid record to the desks that know its kind, in the order of its log.
pub async fn replay(tx: &mut Tx, entry: &IndexedEntry<'_>, content: &Content) -> Result<(), IndexError> {
    if mechanisms::is_fact(&entry.header.kind) {
        mechanisms::replay(tx, entry, content).await?;
    }
    situation::index::replay(tx, entry, content).await
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
        .merge(meetings::pages::routes())
        .merge(api::routes())
        .merge(api_page::routes())
}
