//! `concord backup`: a copy of what a new machine needs, and the list by which `concord restore` knows that it is whole.
//!
//! Everything in it is for its owner alone. The guard, keys for personal data, sessions and links are never in it.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use serde_json::json;
use store::Cells as _;
use tlog::hash::Hash;

use super::{OperateError, Outcome};
use crate::age_keys::{AGE_SPACE, AgeSecret};
use crate::fault::Fault;
use crate::node::Node;
use crate::{saved, session};

/// The list of a backup's files, as `sha256sum` writes it and checks it.
pub const LIST: &str = "SHA256SUMS";
/// The longest list, in bytes: some three million files.
const MAX_LIST: u64 = 512 << 20;

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
    // A damaged file would be in the list with the hash of its damage: it is left out, and named.
    let faults = super::check::look(node).await?.faults;
    // No release between the copy of the state and that of the logs: logs may be newer than state, never older.
    let one_at_a_time = node.releasing.lock().await;
    make_private(folder)?;
    let unfinished = begin_copy(folder)?;
    let state = folder.join("state.db");
    node.state.backup_to(&state).await?;
    remove_what_ends(&state).await?;
    copy_file(&node.config.folder.join(crate::config::FILE_NAME), &folder.join(crate::config::FILE_NAME))?;
    copy_folder(&node.config.keys_folder(), &folder.join("keys"))?;
    let files = copy_files(node, folder, &faults).await?;
    drop(one_at_a_time);
    write_list(folder)?;
    end_copy(&unfinished)?;
    let identity = node.identity();
    let keys = identity.damaged().map(|path| format!("{} (holds no key)", path.display()));
    let lacks: Vec<String> = keys.chain(faults.into_values()).collect();
    Ok(made(folder, files, &lacks))
}

/// What a backup says of itself: what it lacks makes it no less of a backup, and is no success.
fn made(folder: &Path, files: usize, lacks: &[String]) -> Outcome {
    let mut text = format!(
        "state, keys and {files} files are in {}\nKeep it as safe as the keys that are in it.",
        folder.display()
    );
    let says = json!({ "folder": folder, "files": files, "lacks": lacks });
    if lacks.is_empty() {
        return Outcome::new(says, text);
    }
    text.push_str("\nIt LACKS what is damaged or missing on this disk:\n");
    text.extend(lacks.iter().map(|path| format!("  {path}\n")));
    text.push_str(
        "Keep the backup before it. `concord log check` says what to do; make another one when all is whole. A node that is restored \
         from this one fetches what it lacks back from peers who have it.",
    );
    Outcome::new(says, text).refusing()
}

/// Keys for personal data, and sessions and links: what ended since must not come back with a backup.
async fn remove_what_ends(state: &Path) -> Result<(), OperateError> {
    let options = store::DbOptions { secure_delete: true, schema: Some("state"), ..Default::default() };
    let db = store::Db::connect(&format!("sqlite:{}", state.display()), options).await?;
    let cells = store::SqlCells::open(db.clone()).await?;
    let (secrets, unreadable) = saved::readable::<AgeSecret>(&cells, AGE_SPACE).await?;
    // What cannot be read could be one of them.
    let unreadable = unreadable.into_iter().map(|key| (key, true));
    for (key, ends) in secrets.into_iter().map(|(key, secret)| (key, secret.expiring)).chain(unreadable) {
        if ends {
            let old = cells.get(AGE_SPACE, &key).await?;
            cells.swap(AGE_SPACE, &key, old, None).await?;
        }
    }
    session::sweep(&cells, i64::MAX).await?;
    db.checkpoint_truncate().await?;
    db.close().await;
    match store::db::what_is_broken(state).await {
        None => Ok(()),
        Some(why) => Err(OperateError::file(state, why)),
    }
}

/// Own logs, and the copies of others' that `state` says are held: what it promised must be there after a restore.
async fn copy_files(
    node: &Node,
    folder: &Path,
    without: &BTreeMap<String, String>,
) -> Result<usize, OperateError> {
    let mut paths = Vec::new();
    for kind in ["log", "mirror", "evidence", "blob"] {
        paths.extend(node.files.list(kind).await?);
    }
    let target = store::open_files(&format!("file:{}", folder.join("files").display()))?;
    let mut copied = 0;
    for path in paths.into_iter().filter(|path| !without.contains_key(path)) {
        // Expired blobs may go while this runs.
        if let Some(bytes) = node.files.get(&path).await? {
            store::Files::put(&target, &path, bytes).await?;
            copied += 1;
        }
    }
    Ok(copied)
}

/// A folder that only its owner can enter, also where it was there and empty.
pub fn make_private(folder: &Path) -> Result<(), OperateError> {
    use std::os::unix::fs::PermissionsExt as _;
    crate::identity::create_private_folder(folder)?;
    let private = std::fs::Permissions::from_mode(0o700);
    std::fs::set_permissions(folder, private).map_err(|e| OperateError::file(folder, e))
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

/// Copies a file, for its owner alone, whoever may read the one that is copied.
pub fn copy_file(from: &Path, to: &Path) -> Result<(), OperateError> {
    use std::os::unix::fs::PermissionsExt as _;
    let private = std::fs::Permissions::from_mode(0o600);
    let copied = std::fs::copy(from, to)
        .and_then(|_| std::fs::set_permissions(to, private))
        .and_then(|()| std::fs::File::open(to)?.sync_all());
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

/// Lists every file of a backup with its hash.
fn write_list(folder: &Path) -> Result<(), OperateError> {
    let mut text = String::new();
    for path in files_below(folder, Path::new(""))? {
        let name = path.to_str().filter(|name| !name.contains(['\n', '\\']));
        let name = name.ok_or_else(|| OperateError::file(&path, "has a name that cannot be listed"))?;
        if name != crate::config::UNFINISHED {
            let hash = hash_of(&folder.join(&path)).map_err(|e| OperateError::file(&path, e))?;
            text.push_str(&format!("{hash}  {name}\n"));
        }
    }
    // By its last line a list is known to be whole.
    text.push_str(&end_of(text.lines().count()));
    let list = folder.join(LIST);
    let written = std::fs::write(&list, text).and_then(|()| std::fs::File::open(&list)?.sync_all());
    written.map_err(|e| OperateError::file(&list, e))
}

/// The files of a folder and its folders, by their paths below it, in order.
fn files_below(folder: &Path, below: &Path) -> Result<Vec<PathBuf>, OperateError> {
    let here = folder.join(below);
    let failed = |e| OperateError::file(&here, e);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&here).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = below.join(entry.file_name());
        if entry.file_type().map_err(failed)?.is_dir() {
            found.extend(files_below(folder, &path)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn hash_of(path: &Path) -> std::io::Result<Hash> {
    use sha2::Digest as _;
    let mut file = std::fs::File::open(path)?;
    let (mut hasher, mut buffer) = (sha2::Sha256::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(Hash(hasher.finalize().into())),
            read => hasher.update(&buffer[..read]),
        }
    }
}

/// The files that a backup says it has, each with its hash; `None` of one that an older version made, which has no list.
///
/// # Errors
/// The list cannot be read, or is none.
pub fn list_of(backup: &Path) -> Result<Option<BTreeMap<PathBuf, Hash>>, OperateError> {
    let list = backup.join(LIST);
    if !list.exists() {
        return Ok(None);
    }
    let bytes = super::read_file(&list, MAX_LIST)?;
    let text = String::from_utf8(bytes).map_err(|_| damaged(&list, "it is no text"))?;
    let mut lines: Vec<&str> = text.lines().collect();
    let end = lines.pop().unwrap_or_default();
    if !text.ends_with('\n') || format!("{end}\n") != end_of(lines.len()) {
        return Err(damaged(&list, "its end is missing"));
    }
    let mut files = BTreeMap::new();
    for (n, line) in lines.into_iter().enumerate() {
        let (hash, path) =
            parse_line(line).ok_or_else(|| damaged(&list, format!("line {} is no hash and path", n + 1)))?;
        files.insert(path, hash);
    }
    Ok(Some(files))
}

/// The last line of a list of so many files; a comment to `sha256sum`.
fn end_of(files: usize) -> String {
    format!("# {files} files\n")
}

/// A hash and the path of a file below the backup's folder: no line leads out of it.
fn parse_line(line: &str) -> Option<(Hash, PathBuf)> {
    let (hash, path) = line.split_once("  ")?;
    let path = PathBuf::from(path);
    let stays = path.components().all(|part| matches!(part, Component::Normal(_)));
    (stays && path.file_name().is_some()).then_some((Hash::from_hex(hash).ok()?, path))
}

/// Looks at everything in a backup before anything of it is put in its place.
///
/// # Errors
/// A file is missing, or is another one than the backup was made with; or its state is no whole database.
pub async fn check(backup: &Path, files: Option<&BTreeMap<PathBuf, Hash>>) -> Result<(), OperateError> {
    for (path, hash) in files.into_iter().flatten() {
        let file = backup.join(path);
        match hash_of(&file) {
            Ok(found) if found == *hash => {}
            Ok(_) => return Err(damaged(&file, "it is not the file that was backed up")),
            Err(why) => return Err(damaged(&file, why)),
        }
    }
    let state = backup.join("state.db");
    match store::db::what_is_broken(&state).await {
        None => Ok(()),
        Some(why) => Err(damaged(&state, why)),
    }
}

/// Copies the files of a backup into a new folder: those that it lists, or all of one that has no list.
///
/// # Errors
/// The disk.
pub fn copy_from(
    backup: &Path,
    files: Option<&BTreeMap<PathBuf, Hash>>,
    data: &Path,
) -> Result<(), OperateError> {
    let Some(files) = files else { return copy_folder(backup, data) };
    for path in files.keys() {
        let target = data.join(path);
        crate::identity::create_private_folder(target.parent().unwrap_or(data))?;
        copy_file(&backup.join(path), &target)?;
    }
    Ok(())
}

#[allow(clippy::needless_pass_by_value)] // Errors and texts alike.
fn damaged(path: &Path, why: impl ToString) -> OperateError {
    let why = why.to_string();
    let message = format!("{} is damaged ({why}): nothing was restored; take another backup", path.display());
    let fault = Fault::new("restore-damaged", message).with("path", path.display()).with("reason", why);
    OperateError::Argument(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_list_names_a_file_below_the_backup() {
        let hash = tlog::sha256(b"");
        assert_eq!(parse_line(&format!("{hash}  keys/log-1.key")), Some((hash, "keys/log-1.key".into())));
        for line in ["../x", "/etc/passwd", "a/../../b", "."] {
            assert_eq!(parse_line(&format!("{hash}  {line}")), None, "{line}");
        }
        for line in ["", "state.db", &format!("{hash} state.db"), "00  state.db"] {
            assert_eq!(parse_line(line), None, "{line}");
        }
    }
}
