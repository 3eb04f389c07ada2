//! `concord log check`: reads every file of logs and records on this disk, and names those that are not what was signed.
//!
//! What can be fetched back from peers is, where a server runs to do that.

use std::sync::Arc;

use federate::LogFile;
use record::Origin;
use serde_json::{Value, json};
use tlog::hash::Hash;

use super::{OperateError, Outcome};
use crate::damaged::damage_of;
use crate::node::Node;

/// What was found, row by row.
#[derive(Default)]
struct Found {
    rows: Vec<Value>,
    text: String,
    is_damaged: bool,
    /// Receipts of others, which nobody else has.
    receipts: bool,
}

impl Found {
    fn row(&mut self, of: &str, mut row: Value, damaged: Vec<String>) {
        let says = if damaged.is_empty() { "whole" } else { "DAMAGED" };
        self.text.push_str(&format!("{says} {of}\n"));
        self.text.extend(damaged.iter().map(|line| format!("  {line}\n")));
        self.is_damaged |= !damaged.is_empty();
        row["damaged"] = damaged.into();
        self.rows.push(row);
    }
}

pub(super) async fn check(node: &Arc<Node>) -> Result<Outcome, OperateError> {
    let mut found = Found::default();
    for (origin, _) in node.own_heads().await? {
        log(node, &origin, true, &mut found).await?;
    }
    let followed = node.engine().followed();
    for copy in followed.into_iter().filter(|copy| copy.size > 0) {
        log(node, &copy.origin, false, &mut found).await?;
    }
    files_of_records(node, &mut found).await?;
    let Found { rows, mut text, is_damaged, receipts } = found;
    if !is_damaged {
        return Ok(Outcome::new(rows, text));
    }
    text.push_str(if node.inbox.get().is_some() {
        "Nothing is signed in a damaged log of our own until its files were fetched back from peers who hold it; copies of others' logs \
         and files of records are fetched again too. Check again in a minute. What does not come: put the named files back from a \
         backup, and restart."
    } else {
        "Put the named files back from a backup; or start the server and check again: it fetches them back from peers who have them."
    });
    if receipts {
        text.push_str(
            "\nA receipt below held/ is with nobody else: without a backup, remove the named file. What it said is in the index \
             until that is made anew, and the reader signs a new one with our next record.",
        );
    }
    Ok(Outcome::new(rows, text).refusing())
}

/// Tiles and entries of a log by its root, and what was archived of it by its signatures.
async fn log(node: &Arc<Node>, origin: &Origin, own: bool, found: &mut Found) -> Result<(), OperateError> {
    let (size, damaged) = damage_of(node, origin).await?;
    for path in &damaged {
        node.damage_found(origin, path).await;
    }
    let mut damaged: Vec<String> = damaged.iter().map(|path| node.shown_path(path)).collect();
    let prefix = node.prefix_of(origin);
    for folder in ["seen/", "held/"] {
        for path in node.files.list(&format!("{prefix}{folder}")).await? {
            let Some(file) = path.strip_prefix(&prefix).and_then(LogFile::parse) else { continue };
            let bytes = node.files.get(&path).await?.unwrap_or_default();
            let Some(fault) = node.fault_of_archived(origin, &file, &bytes) else { continue };
            damaged.push(format!("{} ({fault})", node.shown_path(&path)));
            found.receipts |= matches!(file, LogFile::Held { .. });
            node.archived_damaged(origin, file).await;
        }
    }
    let whose = if own { "own log" } else { "copy" };
    let row = json!({ "origin": origin, "own": own, "size": size });
    found.row(&format!("{whose} {origin}, {size} entries"), row, damaged);
    Ok(())
}

async fn files_of_records(node: &Arc<Node>, found: &mut Found) -> Result<(), OperateError> {
    let (mut count, mut damaged) = (0_u64, Vec::new());
    for path in node.files.list("blob/").await? {
        let Some(hash) = path.rsplit('/').next().and_then(|name| Hash::from_hex(name).ok()) else { continue };
        let Some(size) = node.files.size(&path).await? else { continue };
        count += 1;
        if !node.is_whole(&hash, size).await? {
            let of = node.fetch_damaged(&hash).await.join(", ");
            let of = if of.is_empty() { "no record that is known here".to_owned() } else { of };
            damaged.push(format!("{} (of {of})", node.shown_path(&path)));
        }
    }
    if count > 0 {
        found.row(&format!("{count} files of records"), json!({ "files": count }), damaged);
    }
    Ok(())
}
