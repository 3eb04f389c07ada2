//! The log that is replicated: released through the author's own node, as an operator's records are.

use std::sync::Arc;
use std::time::Instant;

use node::node::Node;
use node::release::Draft;
use record::{Line, Origin, Status};

use crate::Failure;
use crate::authority::Authority;

/// Records of one append.
const BATCH: u64 = 4096;

/// What was released.
pub struct Released {
    /// The log.
    pub origin: Origin,
    /// Its entries: the records, and the one that opens it.
    pub entries: u64,
    /// Records per second.
    pub rate: f64,
}

/// Releases records in the name of an authority that does not serve.
#[allow(clippy::cast_precision_loss)] // Counts of records.
pub async fn release(author: &Authority, records: u64) -> Result<Released, Failure> {
    let node = Arc::new(Node::open(author.config()?).await?);
    let began = Instant::now();
    let mut last = None;
    for first in (0..records).step_by(usize::try_from(BATCH)?) {
        let drafts = (first..records.min(first + BATCH)).map(draft).collect::<Result<Vec<_>, Failure>>()?;
        last = node.release(&super::audience(), drafts).await?.pop();
    }
    let seconds = began.elapsed().as_secs_f64();
    node.close().await;
    let last = last.ok_or("nothing was released")?;
    Ok(Released { origin: last.origin, entries: last.index + 1, rate: records as f64 / seconds })
}

/// A record of about the size of one that names two blobs. It names none: blobs are fetched one by one.
fn draft(n: u64) -> Result<Draft, Failure> {
    let mut draft = Draft::new("notice", Status::Exercise);
    draft.about =
        vec![("event".to_owned(), "2020-01-08".parse()?), ("notified".to_owned(), "2020-01-09".parse()?)];
    for part in 0..4 {
        let text = format!(
            "notice {n}, part {part}: samples sent, results awaited, contacts followed, next report tomorrow"
        );
        draft.own.push(Line::new("summary", text)?);
    }
    Ok(draft)
}
