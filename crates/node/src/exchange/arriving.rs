//! Files of others while they arrive: they lie in a folder of their own, under the number of the request that asks for them,
//! until the engine keeps them or lets them go. Nothing is read from here, and a start begins with none.

use std::io;
use std::path::{Path, PathBuf};

use federate::engine::Id;
use store::FilesError;

/// The folder.
#[derive(Debug)]
pub struct Arriving {
    folder: PathBuf,
}

impl Arriving {
    /// In a data folder.
    pub fn within(data: &Path) -> Self {
        Self { folder: data.join("arriving") }
    }

    /// What a crash left is of no use to anybody: numbers begin anew.
    pub(super) async fn begin(&self) -> Result<(), FilesError> {
        let failed = |source| FilesError::Disk { path: self.folder.display().to_string(), source };
        match tokio::fs::remove_dir_all(&self.folder).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        // Its owner's alone, whatever the umask: what arrives may be sealed for others.
        tokio::fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder).await.map_err(failed)
    }

    /// Where the answer to a request is written.
    pub(super) fn file(&self, id: Id) -> PathBuf {
        self.folder.join(id.0.to_string())
    }

    /// Removes what came for a request, if something did.
    pub(super) async fn discard(&self, id: Id) {
        match tokio::fs::remove_file(self.file(id)).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, "a file that is not kept could not be removed; the next start does that");
            }
            _ => {}
        }
    }
}
