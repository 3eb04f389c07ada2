//! `concord restore`: a node from a backup, all of which is looked at before anything is put in its place. The guard is not in it: the node asks its peers before it signs.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use crate::config::{ConfigError, FILE_NAME, UNFINISHED};
use crate::fault::Fault;
use crate::operate::{Outcome, backup};

/// `concord restore`
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// The backup's folder
    backup: PathBuf,
}

pub(super) async fn run(args: &RestoreArgs, data: &Path) -> Result<Outcome, Fault> {
    if std::fs::read_dir(data).is_ok_and(|mut entries| entries.next().is_some()) {
        let message = format!("{} is not empty: restore into a new folder", data.display());
        return Err(Fault::new("restore-not-empty", message).with("path", data.display()));
    }
    for needed in [FILE_NAME, "state.db", "keys"] {
        if !args.backup.join(needed).exists() {
            let message = format!("{} is no backup: it has no {needed}", args.backup.display());
            return Err(Fault::new("restore-no-backup", message)
                .with("path", args.backup.display())
                .with("missing", needed));
        }
    }
    if args.backup.join(UNFINISHED).exists() {
        return Err(ConfigError::Unfinished(args.backup.clone()).into());
    }
    let files = backup::list_of(&args.backup)?;
    backup::check(&args.backup, files.as_ref()).await?;
    backup::make_private(data)?;
    let unfinished = backup::begin_copy(data)?;
    backup::copy_from(&args.backup, files.as_ref(), data)?;
    backup::end_copy(&unfinished)?;
    let unlisted = if files.is_none() {
        "\nIt was made by an older version and has no list of its files: its state is whole, the rest was not looked at."
    } else {
        ""
    };
    let text = format!(
        "{} is restored from {}{unlisted}\nconcord serve asks witnesses and followers how far its logs are, and signs once they answered.",
        data.display(),
        args.backup.display()
    );
    Ok(Outcome::new(json!({ "data": data, "backup": args.backup }), text))
}
