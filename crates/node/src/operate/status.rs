//! `concord status`, `concord rebuild`, `concord backup`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use record::Authority;
use serde_json::json;
use store::Cells as _;

use super::{OperateError, Outcome};
use crate::age_keys::{AGE_SPACE, AgeSecret};
use crate::alarm;
use crate::fault::Fault;
use crate::leading::Standing;
use crate::node::Node;
use crate::saved;

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
    let mut counts = Vec::new();
    for row in logs {
        let (own, count, size) = (row.int(0)? == 1, row.int(1)?, row.opt_int(2)?.unwrap_or(0));
        let whose = if own { "own logs" } else { "copied logs" };
        text.push_str(&format!("{count} {whose}, {size} entries\n"));
        counts.push(json!({ "own": own, "logs": count, "entries": size }));
    }
    let health = node.engine().peer_health();
    let lost = node.engine().lost_blobs();
    if lost > 0 {
        text.push_str(&format!("{lost} files of own records are lost here and are being fetched back\n"));
    }
    let followed = node.engine().followed();
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
        let disk = format!(", {} MiB on this disk", peer.used.div_ceil(1 << 20));
        text.push_str(&format!("{}: {behind}{files}{spoiled}{receipts}{disk}\n", peer.authority));
        peers.push(json!({
            "authority": peer.authority, "behind": peer.behind, "awaited_files": awaited,
            "unconfirmed": unconfirmed.map(|(count, oldest)| json!({ "entries": count, "oldest": oldest })), "spoiled_blobs": peer.spoiled, "failures": peer.failures,
            "last_error": peer.last_error, "last_answer": last, "skew": peer.skew, "disk_bytes": peer.used,
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
            "root": root.version, "root_until": root.until, "logs": counts, "lost_blobs": lost, "peers": peers, "alarms": alarms,
            "more_alarms": more_alarms,
        }),
        text,
    ))
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

/// Makes the index anew beside the one in use, which goes on answering and taking what comes, and then puts it in its
/// place. One at a time: who asks meanwhile waits, and gets one that is newer than the question.
pub(super) async fn rebuild(node: &Arc<Node>) -> Result<Outcome, OperateError> {
    let one_at_a_time = node.rebuilding.lock().await;
    let started = std::time::Instant::now();
    node.index.rebuild(&**node).await?;
    node.erase_overdue(crate::clock::now()).await?;
    drop(one_at_a_time);
    let rows = node.index.db().rows("select count(*) from entry", &[]).await?;
    let entries = rows.first().map(|row| row.int(0)).transpose()?.unwrap_or(0);
    let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let text = format!("{entries} entries replayed in {milliseconds} ms");
    Ok(Outcome::new(json!({ "entries": entries, "milliseconds": milliseconds }), text))
}

/// Copies what a new machine needs. The guard stays out, so that who restores it is asked to be careful; keys
/// for personal data stay out, so that what expired stays unreadable.
pub(super) async fn backup(node: &Arc<Node>, folder: &Path) -> Result<Outcome, OperateError> {
    if std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(OperateError::file(folder, "is not empty: a backup is written into a new folder"));
    }
    if !node.config.storage.state.starts_with("sqlite:") {
        return Err(OperateError::Argument(Fault::new(
            "backup-postgresql",
            "state is in PostgreSQL: back it up with pg_dump, and copy keys, configuration and files beside it",
        )));
    }
    // No release between the copy of the state and that of the logs: logs may be newer than state, never older.
    let one_at_a_time = node.releasing.lock().await;
    crate::identity::create_private_folder(folder)?;
    let unfinished = begin_copy(folder)?;
    let state = folder.join("state.db");
    node.state.backup_to(&state).await?;
    remove_expiring_keys(&state).await?;
    copy_file(&node.config.folder.join(crate::config::FILE_NAME), &folder.join(crate::config::FILE_NAME))?;
    copy_folder(&node.config.keys_folder(), &folder.join("keys"))?;
    let files = copy_files(node, folder).await?;
    drop(one_at_a_time);
    end_copy(&unfinished)?;
    let text = format!(
        "state, keys and {files} files are in {}\nKeep it as safe as the keys that are in it.",
        folder.display()
    );
    Ok(Outcome::new(json!({ "folder": folder, "files": files }), text))
}

async fn remove_expiring_keys(state: &Path) -> Result<(), OperateError> {
    let options = store::DbOptions { secure_delete: true, schema: Some("state"), ..Default::default() };
    let db = store::Db::connect(&format!("sqlite:{}", state.display()), options).await?;
    let cells = store::SqlCells::open(db.clone()).await?;
    for (key, secret) in saved::list::<AgeSecret>(&cells, AGE_SPACE, "").await? {
        if secret.expiring {
            let old = cells.get(AGE_SPACE, &key).await?;
            cells.swap(AGE_SPACE, &key, old, None).await?;
        }
    }
    db.checkpoint_truncate().await?;
    db.close().await;
    Ok(())
}

/// Own logs, and the copies of others' that `state` says are held: what it promised must be there after a restore.
async fn copy_files(node: &Node, folder: &Path) -> Result<usize, OperateError> {
    let mut paths = Vec::new();
    for kind in ["log", "mirror", "evidence", "blob"] {
        paths.extend(node.files.list(kind).await?);
    }
    let target = store::open_files(&format!("file:{}", folder.join("files").display()))?;
    let mut copied = 0;
    for path in paths {
        // Expired blobs may go while this runs.
        if let Some(bytes) = node.files.get(&path).await? {
            store::Files::put(&target, &path, bytes).await?;
            copied += 1;
        }
    }
    Ok(copied)
}

/// Marks a folder as half a copy, whatever happens next; the mark.
pub fn begin_copy(folder: &Path) -> Result<PathBuf, OperateError> {
    let mark = folder.join(crate::config::UNFINISHED);
    let failed = |e| OperateError::file(&mark, e);
    std::fs::File::create(&mark).and_then(|file| file.sync_all()).map_err(failed)?;
    Ok(mark)
}

/// All of it is there, and on disk.
pub fn end_copy(mark: &Path) -> Result<(), OperateError> {
    let folder = mark.parent().unwrap_or(mark);
    let failed = |e| OperateError::file(folder, e);
    std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
    std::fs::remove_file(mark).map_err(|e| OperateError::file(mark, e))
}

/// Copies a file, for its owner alone.
pub fn copy_file(from: &Path, to: &Path) -> Result<(), OperateError> {
    let copied = std::fs::copy(from, to).and_then(|_| std::fs::File::open(to)?.sync_all());
    copied.map_err(|e| OperateError::file(from, e))
}

/// Copies the files of a folder, for their owner alone.
pub fn copy_folder(from: &Path, to: &Path) -> Result<(), OperateError> {
    crate::identity::create_private_folder(to)?;
    for entry in std::fs::read_dir(from).map_err(|e| OperateError::file(from, e))? {
        let entry = entry.map_err(|e| OperateError::file(from, e))?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            copy_file(&entry.path(), &target)?;
        }
    }
    Ok(())
}
