//! One process per data folder: an exclusive lock on a file in it, which names the holder.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

/// The name of the lock file.
pub const LOCK_FILE: &str = "lock";

/// Why a folder could not be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process holds it.
    #[error("folder {folder} is in use by process {}", pid.map_or_else(|| "unknown".to_owned(), |pid| pid.to_string()))]
    Held {
        /// The folder.
        folder: PathBuf,
        /// The holder, if it could be read.
        pid: Option<u32>,
    },
    /// Something else lies in the place of the lock.
    #[error(
        "{path} is no file, so that the folder cannot be locked: move it away, if no server uses the folder, and try again"
    )]
    NoFile {
        /// Its place.
        path: PathBuf,
    },
    /// The disk failed.
    #[error("folder {folder}: {}", crate::disk::says(source))]
    Disk {
        /// The folder.
        folder: PathBuf,
        /// What failed.
        source: io::Error,
    },
}

impl LockError {
    /// A stable name of the error, for translation.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Held { .. } => "lock-held",
            Self::NoFile { .. } => "lock-no-file",
            Self::Disk { source, .. } if crate::disk::is_full(source) => "disk-full",
            Self::Disk { .. } => "lock-disk",
        }
    }

    /// Named arguments of the message, in a fixed order.
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Held { folder, pid } => vec![
                ("folder", folder.display().to_string()),
                ("pid", pid.map_or_else(String::new, |pid| pid.to_string())),
            ],
            Self::NoFile { path } => vec![("path", path.display().to_string())],
            Self::Disk { folder, source } => {
                vec![("folder", folder.display().to_string()), ("reason", source.to_string())]
            }
        }
    }
}

/// A data folder that no other process may use. Dropped, it is free again, as when the process ends.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
    /// The folder itself: whoever removes the file lets nobody else in.
    _folder: File,
}

impl FolderLock {
    /// Locks a folder (made if it is not there), or says who has it. The folder must be on a disk of this
    /// machine: network file systems do not all keep such locks.
    pub fn acquire(folder: &Path) -> Result<Self, LockError> {
        let disk = |source| LockError::Disk { folder: folder.to_owned(), source };
        std::fs::create_dir_all(folder).map_err(disk)?;
        let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).to_owned();
        let path = folder.join(LOCK_FILE);
        let mut file = match options.open(&path) {
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => {
                return Err(LockError::NoFile { path });
            }
            opened => opened.map_err(disk)?,
        };
        let itself = File::open(folder).map_err(disk)?;
        match itself.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LockError::Held { folder: folder.to_owned(), pid: holder(&mut file) });
            }
            Err(TryLockError::Error(error)) => return Err(disk(error)),
        }
        match file.try_lock() {
            // On a full disk it is locked all the same: only its holder is not named.
            Ok(()) => match name_holder(&mut file) {
                Err(error) if crate::disk::is_full(&error) => {}
                named => named.map_err(disk)?,
            },
            Err(TryLockError::WouldBlock) => {
                return Err(LockError::Held { folder: folder.to_owned(), pid: holder(&mut file) });
            }
            Err(TryLockError::Error(error)) => return Err(disk(error)),
        }
        Ok(Self { _file: file, _folder: itself })
    }
}

fn name_holder(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_learns_who_is_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let held = FolderLock::acquire(folder.path()).unwrap();
        let Err(LockError::Held { pid, .. }) = FolderLock::acquire(folder.path()) else {
            panic!("the folder was locked twice");
        };
        assert_eq!(pid, Some(std::process::id()));
        std::fs::remove_file(folder.path().join(LOCK_FILE)).unwrap();
        assert!(
            FolderLock::acquire(folder.path()).is_err(),
            "the file was removed, and the holder is still there"
        );
        drop(held);
        FolderLock::acquire(folder.path()).unwrap();
    }
}
