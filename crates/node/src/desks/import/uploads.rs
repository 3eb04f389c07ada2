//! Uploaded tables between their check and their release: files of the operator alone, for at most an hour.
//!
//! They lie in `uploads/` of the data folder, under random names that only the page that made them knows. Nothing of
//! them is in a database or a backup.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::fault::{Coded, Fault};
use crate::identity;
use crate::operate::Report;

/// Files older than this are removed.
pub const KEPT: Duration = Duration::from_hours(1);
/// Tables that may wait at once; with [`crate::http::MAX_UPLOAD`], what uploads may take of the disk.
const MAX_WAITING: usize = 16;
const FOLDER: &str = "uploads";

/// The name of an upload: 32 random bytes, hex. Who knows it has been given it by this desk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadId(String);

impl UploadId {
    /// A name from an address or a form; anything else names no upload.
    pub fn parse(text: &str) -> Option<Self> {
        let hex = text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        hex.then(|| Self(text.to_owned()))
    }

    /// As addresses have it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What became of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// It waits for its release.
    Checked,
    /// It is being released.
    Releasing,
    /// All of it is released.
    Released,
    /// A release stopped; what the system said.
    Failed(Fault),
}

/// An upload and its report.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Upload {
    /// What the file is called where it came from.
    pub file_name: String,
    /// The reason of corrections that give none.
    pub reason: Option<String>,
    /// What the headers mean.
    pub map: Option<String>,
    /// For the readers of this mechanism instead of everybody.
    pub mechanism: Option<String>,
    /// What became of it.
    pub state: State,
    /// What was found in it.
    pub report: Report,
}

/// Why there is no upload.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// Too many tables wait.
    #[error("{MAX_WAITING} uploaded tables wait for their release already")]
    TooMany,
    /// The disk.
    #[error("uploads/: {0}")]
    Disk(#[from] io::Error),
    /// Randomness.
    #[error(transparent)]
    Identity(#[from] identity::IdentityError),
    /// The kept report cannot be read.
    #[error("uploads/: {0}")]
    Report(#[from] serde_json::Error),
}

impl Coded for UploadError {
    fn code(&self) -> &str {
        match self {
            Self::TooMany => "upload-too-many",
            Self::Disk(_) => "upload-disk",
            Self::Identity(error) => error.code(),
            Self::Report(_) => "upload-report",
        }
    }

    fn arguments(&self) -> Vec<(&str, String)> {
        match self {
            Self::Identity(error) => error.arguments(),
            Self::TooMany => vec![("limit", MAX_WAITING.to_string())],
            Self::Disk(why) => vec![("reason", why.to_string())],
            Self::Report(why) => vec![("reason", why.to_string())],
        }
    }
}

/// The folder of uploads.
#[derive(Debug, Clone)]
pub struct Uploads {
    folder: PathBuf,
}

/// A table that is being written; removed again unless it is kept.
#[derive(Debug)]
pub struct Arriving {
    /// Its name.
    pub id: UploadId,
    /// Where its bytes are.
    pub table: PathBuf,
    file: Option<tokio::fs::File>,
    kept: bool,
}

impl Arriving {
    /// Adds bytes.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.file {
            Some(file) => tokio::io::AsyncWriteExt::write_all(file, bytes).await,
            None => Err(io::Error::other("the table is complete")),
        }
    }

    /// The table is complete.
    pub async fn complete(&mut self) -> io::Result<()> {
        match self.file.take() {
            Some(mut file) => tokio::io::AsyncWriteExt::flush(&mut file).await,
            None => Ok(()),
        }
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        if !self.kept
            && let Err(error) = std::fs::remove_file(&self.table)
        {
            tracing::warn!(%error, "an upload that was not taken could not be removed; it is after an hour");
        }
    }
}

impl Uploads {
    /// Those of a data folder.
    pub fn of(data: &Path) -> Self {
        Self { folder: data.join(FOLDER) }
    }

    fn path(&self, id: &UploadId, ending: &str) -> PathBuf {
        self.folder.join(format!("{}.{ending}", id.0))
    }

    /// Begins a table: an empty file that only its owner can read.
    ///
    /// # Errors
    /// [`UploadError::TooMany`] if too many wait, and what the disk says.
    pub fn begin(&self) -> Result<Arriving, UploadError> {
        std::fs::create_dir_all(&self.folder)?;
        std::fs::set_permissions(&self.folder, std::fs::Permissions::from_mode(0o700))?;
        let mut waiting = 0;
        for entry in std::fs::read_dir(&self.folder)? {
            waiting += usize::from(entry?.path().extension().is_some_and(|ending| ending == "csv"));
        }
        if waiting >= MAX_WAITING {
            return Err(UploadError::TooMany);
        }
        let id = UploadId(hex::encode(identity::random::<32>()?));
        let table = self.path(&id, "csv");
        let file = owners_file(&table)?;
        Ok(Arriving { id, table, file: Some(tokio::fs::File::from_std(file)), kept: false })
    }

    /// Keeps a table with its report.
    pub async fn keep(&self, mut arriving: Arriving, upload: &Upload) -> Result<UploadId, UploadError> {
        self.write(&arriving.id, upload).await?;
        arriving.kept = true;
        Ok(arriving.id.clone())
    }

    /// Writes what became of a table, whole or not at all.
    pub async fn write(&self, id: &UploadId, upload: &Upload) -> Result<(), UploadError> {
        let bytes = serde_json::to_vec(upload)?;
        let (new, path) = (self.path(id, "new"), self.path(id, "json"));
        beside(move || {
            match std::fs::remove_file(&new) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            io::Write::write_all(&mut owners_file(&new)?, &bytes)?;
            std::fs::rename(&new, &path)
        })
        .await?;
        Ok(())
    }

    /// An upload; `None` if there is none of this name any more.
    pub async fn read(&self, id: &UploadId) -> Result<Option<Upload>, UploadError> {
        match tokio::fs::read(self.path(id, "json")).await {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes the table for its release; `None` if somebody else did, or it is gone.
    pub async fn claim(&self, id: &UploadId) -> Result<Option<PathBuf>, UploadError> {
        let taken = self.path(id, "taken");
        match tokio::fs::rename(self.path(id, "csv"), &taken).await {
            Ok(()) => Ok(Some(taken)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Gives a claimed table back, so that its release can be tried again.
    pub async fn give_back(&self, id: &UploadId) -> Result<(), UploadError> {
        Ok(tokio::fs::rename(self.path(id, "taken"), self.path(id, "csv")).await?)
    }

    /// Removes the table; its report stays, so that the page can be shown again.
    pub async fn remove_table(&self, id: &UploadId) -> Result<(), UploadError> {
        self.remove(id, &["csv", "taken"]).await
    }

    /// Removes everything of an upload.
    pub async fn discard(&self, id: &UploadId) -> Result<(), UploadError> {
        self.remove(id, &["csv", "json", "new"]).await
    }

    async fn remove(&self, id: &UploadId, endings: &[&str]) -> Result<(), UploadError> {
        for ending in endings {
            match tokio::fs::remove_file(self.path(id, ending)).await {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }

    /// Removes files that are older than an hour at `now`, seconds since 1970.
    pub fn sweep(&self, now: i64) -> io::Result<()> {
        let entries = match std::fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        let limit = Duration::from_secs(u64::try_from(now).unwrap_or(0)).saturating_sub(KEPT);
        for entry in entries {
            let entry = entry?;
            let modified = entry.metadata()?.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
            if modified < limit {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

/// A new file that only its owner can read.
fn owners_file(path: &Path) -> io::Result<std::fs::File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

async fn beside<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upload() -> Upload {
        Upload {
            file_name: "chn.csv".into(),
            reason: None,
            map: None,
            mechanism: None,
            state: State::Checked,
            report: Report::default(),
        }
    }

    fn files(uploads: &Uploads) -> usize {
        std::fs::read_dir(&uploads.folder).unwrap().count()
    }

    #[tokio::test]
    async fn a_table_is_its_owners_and_is_claimed_once() {
        let folder = tempfile::tempdir().unwrap();
        let uploads = Uploads::of(folder.path());
        let mut arriving = uploads.begin().unwrap();
        arriving.write(b"#date\n").await.unwrap();
        arriving.complete().await.unwrap();
        let mode = std::fs::metadata(&arriving.table).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let id = uploads.keep(arriving, &upload()).await.unwrap();
        assert_eq!(uploads.read(&id).await.unwrap().unwrap().state, State::Checked);
        let taken = uploads.claim(&id).await.unwrap().expect("the first who asks gets it");
        assert_eq!(std::fs::read(taken).unwrap(), b"#date\n");
        assert_eq!(uploads.claim(&id).await.unwrap(), None, "the second does not");
        uploads.remove_table(&id).await.unwrap();
        uploads.discard(&id).await.unwrap();
        assert!(uploads.read(&id).await.unwrap().is_none());
        assert_eq!(files(&uploads), 0);
    }

    #[tokio::test]
    async fn what_is_not_kept_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let uploads = Uploads::of(folder.path());
        drop(uploads.begin().unwrap());
        assert_eq!(files(&uploads), 0);
    }

    #[tokio::test]
    async fn only_so_many_wait_and_after_an_hour_none() {
        let folder = tempfile::tempdir().unwrap();
        let uploads = Uploads::of(folder.path());
        for _ in 0..MAX_WAITING {
            let arriving = uploads.begin().unwrap();
            uploads.keep(arriving, &upload()).await.unwrap();
        }
        assert!(matches!(uploads.begin(), Err(UploadError::TooMany)));
        let now = crate::clock::seconds();
        uploads.sweep(now).unwrap();
        assert_eq!(files(&uploads), 2 * MAX_WAITING, "none is an hour old");
        uploads.sweep(now + 3602).unwrap();
        assert_eq!(files(&uploads), 0);
    }

    #[test]
    fn a_path_is_no_name() {
        assert_eq!(UploadId::parse("../../../etc/passwd"), None);
        assert_eq!(UploadId::parse(&"A".repeat(64)), None);
        assert!(UploadId::parse(&"0a".repeat(32)).is_some());
    }
}
