//! `concord log check`: reads every file of logs and records on this disk, and names those that are not what was signed, and those
//! that must be here and are not.
//!
//! What can be fetched back from peers is, where a server runs to do that.

use std::collections::{BTreeMap, BTreeSet};
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
pub(super) struct Found {
    rows: Vec<Value>,
    text: String,
    /// Every file that is damaged or missing, below the root of the files, and how it is shown.
    pub faults: BTreeMap<String, String>,
    /// Receipts of others that are damaged, which nobody else has.
    receipts: bool,
}

impl Found {
    fn row(&mut self, of: &str, mut row: Value, faults: Vec<(String, String)>) {
        let says = if faults.is_empty() { "whole" } else { "DAMAGED" };
        self.text.push_str(&format!("{says} {of}\n"));
        self.text.extend(faults.iter().map(|(_, shown)| format!("  {shown}\n")));
        row["damaged"] = faults.iter().map(|(_, shown)| shown.as_str()).collect();
        self.rows.push(row);
        self.faults.extend(faults);
    }
}

pub(super) async fn check(node: &Arc<Node>) -> Result<Outcome, OperateError> {
    let Found { rows, mut text, faults, receipts } = look(node).await?;
    if faults.is_empty() {
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
            "\nA receipt below held/ is with its reader alone, and there only the last one. Without a backup, remove the named file: \
             later receipts of that reader say the same, but for the time.",
        );
    }
    Ok(Outcome::new(rows, text).refusing())
}

/// Looks at everything, and has fetched again what is not as it should be.
pub(super) async fn look(node: &Arc<Node>) -> Result<Found, OperateError> {
    let mut found = Found::default();
    for (origin, _) in node.own_heads().await? {
        log(node, &origin, true, &mut found).await?;
    }
    let followed = node.engine().followed();
    for copy in followed.into_iter().filter(|copy| copy.size > 0) {
        log(node, &copy.origin, false, &mut found).await?;
    }
    files_of_records(node, &mut found).await?;
    Ok(found)
}

/// Tiles and entries of a log by its root, and what was archived of it by its signatures and numbers.
async fn log(node: &Arc<Node>, origin: &Origin, own: bool, found: &mut Found) -> Result<(), OperateError> {
    let (size, damaged) = damage_of(node, origin).await?;
    for path in &damaged {
        node.damage_found(origin, path).await;
    }
    if damaged.is_empty() {
        node.mark_damaged(origin, false).await;
    }
    let mut faults: Vec<(String, String)> =
        damaged.into_iter().map(|path| (path.clone(), node.shown_path(&path))).collect();
    // Only where all else is whole: what it is written from must lead to it.
    if faults.is_empty() && node.right_checkpoint(origin).await? {
        let path = format!("{}{}", node.prefix_of(origin), LogFile::Checkpoint.path());
        let shown = format!("{} (was missing or damaged, and is written again)", node.shown_path(&path));
        faults.push((path, shown));
    }
    let earlier = archived(node, origin, &mut faults, found).await?;
    let whose = if own { "own log" } else { "copy" };
    let mut row = json!({ "origin": origin, "own": own, "size": size });
    let mut of = format!("{whose} {origin}, {size} entries");
    if !earlier.is_empty() {
        of.push_str(&format!(
            "; {} earlier receipts are gone, of which later ones say the same, but for the time",
            earlier.len()
        ));
        row["earlier_receipts_gone"] = earlier.into();
    }
    found.row(&of, row, faults);
    Ok(())
}

/// What is wrong in a log's archive; answers which receipts are gone that later ones stand for.
async fn archived(
    node: &Node,
    origin: &Origin,
    faults: &mut Vec<(String, String)>,
    found: &mut Found,
) -> Result<Vec<String>, OperateError> {
    let prefix = node.prefix_of(origin);
    for folder in ["seen/", "held/"] {
        for path in node.files.list(&format!("{prefix}{folder}")).await? {
            let Some(file) = path.strip_prefix(&prefix).and_then(LogFile::parse) else { continue };
            let bytes = node.files.get(&path).await?.unwrap_or_default();
            let Some(fault) = node.fault_of_archived(origin, &file, &bytes) else { continue };
            let shown = format!("{} ({fault})", node.shown_path(&path));
            faults.push((path, shown));
            found.receipts |= matches!(file, LogFile::Held { .. });
            node.archived_damaged(origin, file).await;
        }
    }
    let mut earlier = Vec::new();
    for file in node.missing_archived(origin).await? {
        let path = format!("{prefix}{}", file.stored_path());
        if node.has_later_receipt(origin, &file) {
            earlier.push(node.shown_path(&path));
            continue;
        }
        let shown = format!("{} (is missing)", node.shown_path(&path));
        faults.push((path, shown));
        node.archived_damaged(origin, file).await;
    }
    Ok(earlier)
}

async fn files_of_records(node: &Arc<Node>, found: &mut Found) -> Result<(), OperateError> {
    let (mut count, mut faults) = (0_u64, Vec::new());
    for path in node.files.list("blob/").await? {
        let Some(hash) = path.rsplit('/').next().and_then(|name| Hash::from_hex(name).ok()) else { continue };
        let Some(size) = node.files.size(&path).await? else { continue };
        count += 1;
        if !node.is_whole(&hash, size).await? {
            let of = node.fetch_damaged(&hash).await.join(", ");
            let of = if of.is_empty() { "no record that is known here".to_owned() } else { of };
            let shown = format!("{} (of {of})", node.shown_path(&path));
            faults.push((path, shown));
        }
    }
    let (missing, awaited) = missing_files(node).await?;
    for (hash, of) in missing {
        let path = store::layout::blob(&hash);
        let shown = format!("{} (is missing; of {})", node.shown_path(&path), Vec::from_iter(of).join(", "));
        faults.push((path, shown));
    }
    let mut of = format!("{count} files of records");
    if awaited > 0 {
        of.push_str(&format!("; {awaited} of others are on their way"));
    }
    if count > 0 || awaited > 0 || !faults.is_empty() {
        found.row(&of, json!({ "files": count, "awaited": awaited }), faults);
    }
    Ok(())
}

/// The files that records name and that are not here, with their logs; and how many of others' are still being fetched. What an
/// own record names was here when it was released: it is named also while it is being fetched back.
async fn missing_files(node: &Node) -> Result<(BTreeMap<Hash, BTreeSet<String>>, usize), OperateError> {
    let here = node.files_here().await?;
    let mut found: BTreeMap<Hash, BTreeSet<String>> = BTreeMap::new();
    let mut awaited = BTreeSet::new();
    for origin in node.logs_here().await? {
        let missing = node.missing_files(&origin, Some(&here)).await?;
        node.fetch_missing(&origin, &missing).await?;
        let is_own = origin.authority == node.config.authority;
        awaited.extend(missing.awaited.iter().filter(|_| !is_own).map(|file| file.sha256));
        let named = missing.lost.iter().chain(missing.awaited.iter().filter(|_| is_own));
        for file in named {
            found.entry(file.sha256).or_default().insert(origin.to_string());
        }
    }
    Ok((found, awaited.len()))
}
