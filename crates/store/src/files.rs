//! Named bytes: tiles, blobs, checkpoints, in a local folder, an S3 bucket or memory.
//!
//! A file is replaced whole or not at all, for readers and for crashes. Nothing is known here of what a
//! file holds. Paths are ours, never a caller's words: they are checked all the same.

use async_trait::async_trait;
use bytes::Bytes;
use std::ops::Range;

mod local;
mod memory;
mod object;

pub use memory::{Crash, FileWrite, MemoryFiles};
pub use object::{ObjectFiles, open_files, open_files_with};

/// The longest path, in bytes.
pub const MAX_PATH: usize = 512;
/// The longest segment of a path, in bytes.
pub const MAX_SEGMENT: usize = 200;
/// The most files that one `list` answers.
pub const MAX_LIST: usize = 10_000_000;

/// Why a file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// A path of another form.
    #[error(
        "path {path:?}: segments of a-z A-Z 0-9 . _ -, at most {MAX_SEGMENT} bytes, not beginning with a dot, \
         joined by one slash, at most {MAX_PATH} bytes"
    )]
    Path {
        /// The path.
        path: String,
    },
    /// A place that cannot be opened.
    #[error("files are kept in a folder, file:<folder> or s3://<bucket>/<prefix>: {reason}")]
    Url {
        /// What is wrong with it; without credentials.
        reason: String,
    },
    /// The disk, the bucket or the way to it failed.
    #[error("file {path}: {}", crate::disk::store_says(source))]
    Store {
        /// The path.
        path: String,
        /// What failed.
        source: object_store::Error,
    },
    /// The disk failed.
    #[error("file {path}: {}", crate::disk::says(source))]
    Disk {
        /// The path.
        path: String,
        /// What failed.
        source: std::io::Error,
    },
    /// More files than one answer may hold.
    #[error("folder {path} holds more than {MAX_LIST} files")]
    TooMany {
        /// The folder.
        path: String,
    },
    /// Other writers overtook a write again and again.
    #[error("file {path} is written by too many at once")]
    Contended {
        /// The path.
        path: String,
    },
    /// A fault hook refused the operation (tests and simulation).
    #[error("file {path}: the write was refused by a fault hook")]
    Fault {
        /// The path.
        path: String,
    },
}

impl FilesError {
    /// A stable name of the error, for translation.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Path { .. } => "files-path",
            Self::Url { .. } => "files-url",
            Self::Store { source, .. } if crate::disk::is_caused_by_full(source) => "disk-full",
            Self::Store { .. } => "files-store",
            Self::Disk { source, .. } if crate::disk::is_full(source) => "disk-full",
            Self::Disk { .. } => "files-disk",
            Self::TooMany { .. } => "files-too-many",
            Self::Contended { .. } => "files-contended",
            Self::Fault { .. } => "files-fault",
        }
    }

    /// Named arguments of the message, in a fixed order.
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Path { path }
            | Self::TooMany { path }
            | Self::Contended { path }
            | Self::Fault { path } => vec![("path", path.clone())],
            Self::Url { reason } => vec![("reason", reason.clone())],
            Self::Store { path, source } => {
                vec![("path", path.clone()), ("reason", source.to_string())]
            }
            Self::Disk { path, source } => {
                vec![("path", path.clone()), ("reason", source.to_string())]
            }
        }
    }
}

/// Refuses a path that is not plain.
pub fn check_path(path: &str) -> Result<(), FilesError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let segment = |text: &str| {
        (1..=MAX_SEGMENT).contains(&text.len()) && !text.starts_with('.') && text.bytes().all(plain)
    };
    if path.len() <= MAX_PATH && path.split('/').all(segment) {
        Ok(())
    } else {
        Err(FilesError::Path { path: path.chars().take(MAX_PATH).collect() })
    }
}

/// A folder as `list` and `delete_prefix` take it: with or without the last slash.
fn folder(prefix: &str) -> Result<&str, FilesError> {
    let folder = prefix.strip_suffix('/').unwrap_or(prefix);
    check_path(folder)?;
    Ok(folder)
}

/// Says of the present bytes of a file whether they shall stay.
pub type Keep<'k> = &'k (dyn for<'b> Fn(&'b [u8]) -> bool + Send + Sync);

/// Named bytes. Every method refuses a path that [`check_path`] refuses.
#[async_trait]
pub trait Files: Send + Sync {
    /// The whole file.
    async fn get(&self, path: &str) -> Result<Option<Bytes>, FilesError>;

    /// The bytes of a range, or as many of them as there are.
    async fn get_range(&self, path: &str, range: Range<u64>) -> Result<Option<Bytes>, FilesError>;

    /// The length in bytes.
    async fn size(&self, path: &str) -> Result<Option<u64>, FilesError>;

    /// Writes or replaces a file; durable when it returns.
    async fn put(&self, path: &str, bytes: Bytes) -> Result<(), FilesError>;

    /// Writes or replaces files, in the order given; all are durable when it returns. Each is whole or as it was
    /// before, but after a crash on the way a later one may be there without an earlier one.
    async fn put_all(&self, files: Vec<(String, Bytes)>) -> Result<(), FilesError> {
        for (path, bytes) in files {
            self.put(&path, bytes).await?;
        }
        Ok(())
    }

    /// Writes a file that is not there yet (true; durable), or leaves the one that is (false).
    async fn put_new(&self, path: &str, bytes: Bytes) -> Result<bool, FilesError>;

    /// Writes or replaces a file, unless `keep` says of the one that is there that it shall stay; answers
    /// whether it was written, durably. In a bucket no other writer comes between the look and the write; a
    /// folder belongs to one process, whose callers keep out of each other's way.
    async fn put_unless(&self, path: &str, bytes: Bytes, keep: Keep<'_>) -> Result<bool, FilesError>;

    /// All files under a folder, at any depth, sorted by their bytes.
    async fn list(&self, prefix: &str) -> Result<Vec<String>, FilesError>;

    /// Removes a file, if it is there; durable when it returns.
    async fn delete(&self, path: &str) -> Result<(), FilesError>;

    /// Removes all files under a folder; durable when it returns.
    async fn delete_prefix(&self, prefix: &str) -> Result<(), FilesError>;

    /// Writes a file, durably, as fast as the disk can: a crash before it returns may leave a part of it under
    /// its name. Only for files that carry their own digest.
    async fn stage(&self, path: &str, bytes: Bytes) -> Result<(), FilesError> {
        self.put(path, bytes).await
    }

    /// Writes or replaces files, in the order given: readers see each whole or not at all, at once, but after a crash any of
    /// them may be old, missing or damaged until [`Files::settle`] named it. Only for what can be written
    /// again from elsewhere. Where everything is durable at once, the same as `put`.
    async fn put_deferred(&self, files: Vec<(String, Bytes)>) -> Result<(), FilesError> {
        for (path, bytes) in files {
            self.put(&path, bytes).await?;
        }
        Ok(())
    }

    /// Moves a file that this process wrote, and nobody else knows, to a path; durable when it returns. It is gone from where
    /// it was.
    async fn take_in(&self, path: &str, from: &std::path::Path) -> Result<(), FilesError> {
        let failed = |source| FilesError::Disk { path: path.to_owned(), source };
        let bytes = tokio::fs::read(from).await.map_err(failed)?;
        self.put(path, bytes.into()).await?;
        tokio::fs::remove_file(from).await.map_err(failed)
    }

    /// Makes durable what `put_deferred` wrote at these paths.
    async fn settle(&self, _paths: &[String]) -> Result<(), FilesError> {
        Ok(())
    }

    /// Whether `put_deferred` is cheaper than `put` and therefore needs `settle`.
    fn defers(&self) -> bool {
        false
    }

    /// Removes files whose presence does no harm: after a crash they may be there again.
    async fn discard(&self, paths: &[String]) -> Result<(), FilesError> {
        for path in paths {
            self.delete(path).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_paths_pass() {
        for path in ["checkpoint", "log/public/2020/tile/0/x001/067", "mirror/00ff/held/moh.chn.example/x001"]
        {
            check_path(path).unwrap();
        }
    }

    #[test]
    fn paths_that_leave_the_folder_or_hide_in_it_are_refused() {
        let long = "a".repeat(MAX_SEGMENT + 1);
        for path in
            ["", "/a", "a/", "a//b", "..", "a/../b", ".", ".git/x", "a\\b", "a b", "a\0", "ä", "a#1", &long]
        {
            assert!(matches!(check_path(path), Err(FilesError::Path { .. })), "{path}");
        }
        assert!(check_path("ab/".repeat(200).trim_end_matches('/')).is_err());
    }
}
