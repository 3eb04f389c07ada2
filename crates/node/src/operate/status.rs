//! `concord status` and `concord rebuild`.

use std::collections::BTreeSet;
use std::sync::Arc;

use record::Authority;
use serde_json::{Value, json};

use super::{OperateError, Outcome};
use crate::alarm;
use crate::index::IndexError;
use crate::leading::Standing;
use crate::node::Node;

/// The newest alarms, which `status` says itself.
const ALARMS: usize = 50;

pub(super) async fn status(node: &Arc<Node>) -> Result<Outcome, OperateError> {
    let mut alarms = alarm::list(&*node.cells).await?;
    alarms.retain(|alarm| alarm.settled.is_none());
    let more_alarms = alarms.len().saturating_sub(ALARMS);
    alarms.truncate(ALARMS);
    let logs = node
        .index
        .db()
        .rows("select own, count(*), cast(sum(size) as bigint) from log group by own order by own desc", &[])
        .await?;
    let chain = node.own_chain();
    let root = chain.latest();
    let standing = node.standing.borrow().clone();
    let serving = node.inbox.get().is_some();
    let does = match &standing {
        Standing::StandsBy { leader } => format!("stands by; the server at {leader} leads"),
        _ if serving => "is serving".to_owned(),
        _ => "is not serving".to_owned(),
    };
    let leader = match standing {
        Standing::StandsBy { leader } => Some(leader),
        Standing::Leads | Standing::Starting => None,
    };
    let mut text = format!("{} {does}\nroot {} until {}\n", node.config.authority, root.version, root.until);
    let counts = counts(&logs, &mut text)?;
    let (missing_keys, damaged_peers) = lacks(node, &mut text);
    let health = node.engine().peer_health();
    let lost = node.engine().lost_blobs();
    if lost > 0 {
        text.push_str(&format!("{lost} files of own records are lost here and are being fetched back\n"));
    }
    let followed = node.engine().followed();
    let waiting = node.following.waiting();
    let mut peers = Vec::new();
    for peer in &health {
        let last = peer.last_answer.map(|ms| ms / 1000);
        let spoiled = match peer.spoiled {
            0 => String::new(),
            count => format!(", {count} blobs that do not verify"),
        };
        let awaited: u64 = followed
            .iter()
            .filter(|log| log.origin.authority == peer.authority)
            .map(|log| log.wanted_blobs)
            .sum();
        let files =
            if awaited > 0 { format!(", {awaited} files of its records are awaited") } else { String::new() };
        // How far it has gone meanwhile nobody knows who does not reach it.
        let behind = match (peer.failures, peer.last_error) {
            (0, _) | (_, None) => {
                format!(
                    "{} of its entries are missing here, {}",
                    peer.behind,
                    peer.last_error.unwrap_or("answers")
                )
            }
            (_, Some(why)) => {
                format!(
                    "not reached ({why}), {} of the entries that it showed last are missing here",
                    peer.behind
                )
            }
        };
        let unconfirmed = unconfirmed(node, &peer.authority).await?;
        let receipts = unconfirmed.as_ref().map(|(count, oldest)| {
            format!(", no receipt for {count} of our entries, the oldest of {oldest}")
        });
        let receipts = receipts.unwrap_or_default();
        let waits = waiting.get(&peer.authority).copied().unwrap_or(0);
        let unread = match waits {
            0 => String::new(),
            count => format!(", {count} things of it are not on the pages yet"),
        };
        let disk = format!(", {} MiB on this disk", peer.used.div_ceil(1 << 20));
        text.push_str(&format!("{}: {behind}{files}{spoiled}{receipts}{unread}{disk}\n", peer.authority));
        peers.push(json!({
            "authority": peer.authority, "behind": peer.behind, "awaited_files": awaited,
            "unconfirmed": unconfirmed.map(|(count, oldest)| json!({ "entries": count, "oldest": oldest })), "spoiled_blobs": peer.spoiled, "failures": peer.failures,
            "last_error": peer.last_error, "last_answer": last, "skew": peer.skew, "disk_bytes": peer.used, "waiting_for_index": waits,
        }));
    }
    for alarm in &alarms {
        text.push_str(&super::alarm::line(alarm));
    }
    if more_alarms > 0 {
        text.push_str(&format!("and {more_alarms} earlier alarms: concord alarm list\n"));
    }
    Ok(Outcome::new(
        json!({
            "authority": node.config.authority, "serving": serving, "stands_by_for": leader, "fingerprint": chain.fingerprint(),
            "root": root.version, "root_until": root.until, "logs": counts, "lost_blobs": lost, "missing_keys": missing_keys,
            "damaged_peers": damaged_peers, "peers": peers, "alarms": alarms,
            "more_alarms": more_alarms,
        }),
        text,
    ))
}

/// How many logs there are, own and copied, and their entries.
fn counts(logs: &[store::db::Row], text: &mut String) -> Result<Vec<Value>, OperateError> {
    let mut counts = Vec::new();
    for row in logs {
        let (own, count, size) = (row.int(0)? == 1, row.int(1)?, row.opt_int(2)?.unwrap_or(0));
        let whose = if own { "own logs" } else { "copied logs" };
        text.push_str(&format!("{count} {whose}, {size} entries\n"));
        counts.push(json!({ "own": own, "logs": count, "entries": size }));
    }
    Ok(counts)
}

/// What all else goes on without: keys that the root lists, and peers whose roots are damaged.
fn lacks(node: &Node, text: &mut String) -> (Vec<String>, Vec<Authority>) {
    let keys: Vec<String> = node.missing_keys().iter().map(ToString::to_string).collect();
    for role in &keys {
        text.push_str(&format!("no {role} key is here that the root lists: what it signs is not done\n"));
    }
    let peers: Vec<Authority> = node.damaged_peers().into_keys().collect();
    for peer in &peers {
        text.push_str(&format!(
            "{peer} is left out: what state holds of its roots is damaged; concord peer add {peer}\n"
        ));
    }
    (keys, peers)
}

/// How many entries of own restricted logs a reader has given no receipt for, and since when the oldest is there. Public logs
/// are not counted: nobody need hold them.
async fn unconfirmed(node: &Node, peer: &Authority) -> Result<Option<(i64, record::Time)>, OperateError> {
    let sql = "select count(*), min(e.released) from entry e join log l on l.origin = e.origin
               where l.own = 1 and l.readers <> 'public' and ' ' || l.readers || ' ' like '% ' || $1 || ' %'
                 and e.pos >= coalesce((select max(r.size) from receipt r where r.origin = l.origin and r.authority = $1), 0)";
    let rows = node.index.db().rows(sql, &[peer.as_str().into()]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let oldest = row.opt_int(1)?.and_then(record::Time::from_posix);
    let count = row.int(0)?;
    Ok(oldest.map(|oldest| (count, oldest)))
}

/// What is damaged of copies is fetched back first: the new index must not be without what the old one has.
async fn rebuild_from_whole(node: &Arc<Node>) -> Result<(), OperateError> {
    let mut unmended = node.mend_copies().await;
    let mut met = BTreeSet::new();
    loop {
        // What is set aside would be missing.
        if let Some(origin) = unmended.iter().find(|origin| node.damaged.is_set_aside(origin)) {
            return Err(IndexError::Damaged { origin: origin.to_string(), index: 0 }.into());
        }
        match node.index.rebuild(&**node).await {
            Err(IndexError::DamagedFile { origin, index, path }) => {
                unmended = node.mend_copies().await;
                let is_mended = met.insert(origin.clone())
                    && !origin.starts_with(&format!("{}/", node.config.authority))
                    && unmended.iter().all(|left| left.to_string() != origin);
                if !is_mended {
                    return Err(IndexError::DamagedFile { origin, index, path }.into());
                }
            }
            done => return Ok(done?),
        }
    }
}

/// Makes the index anew beside the one in use, which goes on answering and taking what comes, and then puts it in its
/// place. One at a time: who asks meanwhile waits, and gets one that is newer than the question.
pub(super) async fn rebuild(node: &Arc<Node>) -> Result<Outcome, OperateError> {
    let one_at_a_time = node.rebuilding.lock().await;
    let started = std::time::Instant::now();
    rebuild_from_whole(node).await?;
    node.erase_overdue(crate::clock::now()).await?;
    drop(one_at_a_time);
    let rows = node.index.db().rows("select count(*) from entry", &[]).await?;
    let entries = rows.first().map(|row| row.int(0)).transpose()?.unwrap_or(0);
    let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let text = format!("{entries} entries replayed in {milliseconds} ms");
    Ok(Outcome::new(json!({ "entries": entries, "milliseconds": milliseconds }), text))
}
