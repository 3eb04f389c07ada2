//! Uploaded tables between their check and their release: files that this process alone can read, for at most an hour.
//!
//! They lie in `uploads/` of the data folder, under random names that only the page that made them knows, and encrypted under a key
//! that is in no file: a disk that is taken out, copied or not erased well tells nothing of a table that nobody released yet. With
//! the process they are gone. Nothing of them is in a database or a backup.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::sealed::{CHUNK, Key, Opened};
use crate::fault::{Coded, Fault};
use crate::identity::{self, IdentityError};
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
    key: Arc<Key>,
}

/// A table that is being written; removed again unless it is kept.
#[derive(Debug)]
pub struct Arriving {
    /// Its name.
    pub id: UploadId,
    /// Where its bytes are; [`Uploads::open`] reads them.
    pub table: PathBuf,
    file: Option<tokio::fs::File>,
    key: Arc<Key>,
    /// What is not written yet: less than a chunk.
    rest: Vec<u8>,
    chunks: u64,
    kept: bool,
}

impl Arriving {
    /// Adds bytes.
    pub async fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            if self.rest.len() == CHUNK {
                self.write_rest(false).await?;
            }
            let (now, later) = bytes.split_at(bytes.len().min(CHUNK - self.rest.len()));
            self.rest.extend_from_slice(now);
            bytes = later;
        }
        Ok(())
    }

    /// The table is complete.
    pub async fn complete(&mut self) -> io::Result<()> {
        if self.file.is_none() {
            return Ok(());
        }
        self.write_rest(true).await?;
        match self.file.take() {
            Some(mut file) => tokio::io::AsyncWriteExt::flush(&mut file).await,
            None => Ok(()),
        }
    }

    async fn write_rest(&mut self, is_last: bool) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Err(io::Error::other("the table is complete")) };
        let sealed = self.key.seal(&table_name(&self.id), self.chunks, is_last, &self.rest)?;
        self.rest.clear();
        self.chunks += 1;
        tokio::io::AsyncWriteExt::write_all(file, &sealed).await
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

/// Under which name a table is encrypted, whatever it is called on the disk.
fn table_name(id: &UploadId) -> String {
    format!("table {}", id.0)
}

fn report_name(id: &UploadId) -> String {
    format!("report {}", id.0)
}

impl Uploads {
    /// Those of a data folder, which this process alone can read.
    ///
    /// # Errors
    /// There is no randomness.
    pub fn new(data: &Path) -> Result<Self, IdentityError> {
        Ok(Self { folder: data.join(FOLDER), key: Arc::new(Key::new()?) })
    }

    /// Opens a table: one that waits here, or any other file.
    pub fn open(&self, table: &Path) -> io::Result<Box<dyn Read + Send + '_>> {
        let file = File::open(table)?;
        let id = table.file_stem().and_then(|stem| UploadId::parse(stem.to_str()?));
        Ok(match id.filter(|_| table.parent() == Some(&self.folder)) {
            Some(id) => Box::new(Opened::new(io::BufReader::new(file), &self.key, &table_name(&id))),
            None => Box::new(file),
        })
    }

    /// Removes what an earlier process left: nobody can read it any more.
    pub fn clear(&self) -> io::Result<()> {
        self.remove_older_than(Duration::MAX)
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
        let (file, key) = (Some(tokio::fs::File::from_std(file)), Arc::clone(&self.key));
        Ok(Arriving { id, table, file, key, rest: Vec::new(), chunks: 0, kept: false })
    }

    /// Keeps a table with its report.
    pub async fn keep(&self, mut arriving: Arriving, upload: &Upload) -> Result<UploadId, UploadError> {
        self.write(&arriving.id, upload).await?;
        arriving.kept = true;
        Ok(arriving.id.clone())
    }

    /// Writes what became of a table, whole or not at all.
    pub async fn write(&self, id: &UploadId, upload: &Upload) -> Result<(), UploadError> {
        let report = serde_json::to_vec(upload)?;
        let (chunks, mut bytes) = (report.len() / CHUNK, Vec::new());
        for (place, chunk) in report.chunks(CHUNK).chain([&[][..]]).enumerate().take(chunks + 1) {
            let sealed = self.key.seal(&report_name(id), place as u64, place == chunks, chunk)?;
            bytes.extend(sealed);
        }
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
            Ok(bytes) => {
                let mut report = Vec::new();
                Opened::new(&bytes[..], &self.key, &report_name(id)).read_to_end(&mut report)?;
                Ok(Some(serde_json::from_slice(&report)?))
            }
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
        self.remove_older_than(Duration::from_secs(u64::try_from(now).unwrap_or(0)).saturating_sub(KEPT))
    }

    /// Removes files that were changed last before so long after 1970.
    fn remove_older_than(&self, limit: Duration) -> io::Result<()> {
        let entries = match std::fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
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
        let uploads = Uploads::new(folder.path()).unwrap();
        let mut arriving = uploads.begin().unwrap();
        arriving.write(b"#date\n").await.unwrap();
        arriving.complete().await.unwrap();
        let mode = std::fs::metadata(&arriving.table).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let id = uploads.keep(arriving, &upload()).await.unwrap();
        assert_eq!(uploads.read(&id).await.unwrap().unwrap().state, State::Checked);
        let taken = uploads.claim(&id).await.unwrap().expect("the first who asks gets it");
        let mut clear = Vec::new();
        uploads.open(&taken).unwrap().read_to_end(&mut clear).unwrap();
        assert_eq!(clear, b"#date\n");
        assert_eq!(uploads.claim(&id).await.unwrap(), None, "the second does not");
        uploads.remove_table(&id).await.unwrap();
        uploads.discard(&id).await.unwrap();
        assert!(uploads.read(&id).await.unwrap().is_none());
        assert_eq!(files(&uploads), 0);
    }

    #[tokio::test]
    async fn nothing_of_a_table_or_its_report_is_on_the_disk_in_clear_and_the_next_process_has_none() {
        let folder = tempfile::tempdir().unwrap();
        let uploads = Uploads::new(folder.path()).unwrap();
        let mut arriving = uploads.begin().unwrap();
        let table = b"planted-4711,12\n".repeat(20_000);
        for piece in table.chunks(1000) {
            arriving.write(piece).await.unwrap();
        }
        arriving.complete().await.unwrap();
        let found = Upload { file_name: "planted-4711.csv".repeat(10_000), ..upload() };
        let id = uploads.keep(arriving, &found).await.unwrap();
        for entry in std::fs::read_dir(&uploads.folder).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            assert!(!bytes.windows(7).any(|window| window == b"planted"));
        }
        assert_eq!(uploads.read(&id).await.unwrap().unwrap().file_name, found.file_name);
        let mut clear = Vec::new();
        uploads.open(&uploads.path(&id, "csv")).unwrap().read_to_end(&mut clear).unwrap();
        assert!(clear == table);

        let next = Uploads::new(folder.path()).unwrap();
        assert!(next.read(&id).await.is_err());
        next.clear().unwrap();
        assert!(next.read(&id).await.unwrap().is_none());
        assert_eq!(files(&next), 0);
    }

    #[tokio::test]
    async fn what_is_not_kept_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let uploads = Uploads::new(folder.path()).unwrap();
        drop(uploads.begin().unwrap());
        assert_eq!(files(&uploads), 0);
    }

    #[tokio::test]
    async fn only_so_many_wait_and_after_an_hour_none() {
        let folder = tempfile::tempdir().unwrap();
        let uploads = Uploads::new(folder.path()).unwrap();
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
