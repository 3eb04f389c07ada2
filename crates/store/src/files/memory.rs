//! Files in memory that tell what is durable from what is only written, for tests and simulation: after a
//! [`MemoryFiles::crash`] whatever was not made durable may be old, new, missing or cut short.

use super::{Files, FilesError, Keep, check_path, folder};
use async_trait::async_trait;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a fault hook is asked about, before it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileWrite<'p> {
    /// A file is written durably.
    Put(&'p str, &'p Bytes),
    /// A file is written, not yet durably.
    Deferred(&'p str, &'p Bytes),
    /// Written files are made durable.
    Settle,
    /// A file is removed.
    Delete(&'p str),
}

/// What a crash makes of one write that was not durable yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crash {
    /// The file is as it last was durably.
    Lost,
    /// The write reached the disk.
    Kept,
    /// The file is there under its name, and only its first bytes reached the disk.
    Torn,
}

#[derive(Debug, Clone, Default)]
struct Versions {
    durable: Option<Bytes>,
    /// What was written since, oldest first; `None` is a removal.
    written: Vec<Option<Bytes>>,
}

impl Versions {
    fn visible(&self) -> Option<&Bytes> {
        self.written.last().unwrap_or(&self.durable).as_ref()
    }

    fn make_durable(&mut self) {
        if let Some(last) = self.written.drain(..).next_back() {
            self.durable = last;
        }
    }
}

type Hook = Arc<dyn Fn(FileWrite<'_>) -> bool + Send + Sync>;

/// Files in memory. Clones share the same files.
#[derive(Clone, Default)]
pub struct MemoryFiles {
    files: Arc<Mutex<BTreeMap<String, Versions>>>,
    hook: Option<Hook>,
    /// Whether every write is durable at once, as in a bucket.
    durable: bool,
}

impl MemoryFiles {
    /// No files, as in a local folder: what is deferred is durable when it is settled.
    pub fn new() -> Self {
        Self::default()
    }

    /// No files, as in a bucket: every write is durable at once.
    pub fn durable() -> Self {
        Self { durable: true, ..Self::default() }
    }

    /// The same files, through a hook that is asked before every write and refuses it with `false`.
    #[must_use]
    pub fn with_fault(&self, hook: impl Fn(FileWrite<'_>) -> bool + Send + Sync + 'static) -> Self {
        Self { files: Arc::clone(&self.files), hook: Some(Arc::new(hook)), durable: self.durable }
    }

    /// Plays a crash of the machine: `decide` says of each write that was not durable what became of it;
    /// of several writes of one file the last that is not `Lost` counts.
    pub fn crash(&self, mut decide: impl FnMut(&str) -> Crash) {
        let mut files = self.lock();
        for (path, versions) in files.iter_mut() {
            for version in std::mem::take(&mut versions.written) {
                match (decide(path), version) {
                    (Crash::Lost, _) => {}
                    (Crash::Torn, Some(bytes)) => versions.durable = Some(bytes.slice(..bytes.len() / 2)),
                    (_, version) => versions.durable = version,
                }
            }
        }
        files.retain(|_, versions| versions.visible().is_some());
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Versions>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&self, write: FileWrite<'_>) -> Result<(), FilesError> {
        let path = match write {
            FileWrite::Put(path, _) | FileWrite::Deferred(path, _) | FileWrite::Delete(path) => path,
            FileWrite::Settle => "",
        };
        match &self.hook {
            Some(hook) if !hook(write) => Err(FilesError::Fault { path: path.to_owned() }),
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl Files for MemoryFiles {
    async fn get(&self, path: &str) -> Result<Option<Bytes>, FilesError> {
        check_path(path)?;
        Ok(self.lock().get(path).and_then(Versions::visible).cloned())
    }

    async fn get_range(&self, path: &str, range: Range<u64>) -> Result<Option<Bytes>, FilesError> {
        let Some(bytes) = self.get(path).await? else { return Ok(None) };
        let end = usize::try_from(range.end).unwrap_or(usize::MAX).min(bytes.len());
        let start = usize::try_from(range.start).unwrap_or(usize::MAX).min(end);
        Ok(Some(bytes.slice(start..end)))
    }

    async fn size(&self, path: &str) -> Result<Option<u64>, FilesError> {
        Ok(self.get(path).await?.map(|bytes| bytes.len() as u64))
    }

    async fn put(&self, path: &str, bytes: Bytes) -> Result<(), FilesError> {
        check_path(path)?;
        self.ask(FileWrite::Put(path, &bytes))?;
        let durable = Versions { durable: Some(bytes), written: Vec::new() };
        self.lock().insert(path.to_owned(), durable);
        Ok(())
    }

    async fn put_new(&self, path: &str, bytes: Bytes) -> Result<bool, FilesError> {
        check_path(path)?;
        self.ask(FileWrite::Put(path, &bytes))?;
        let mut files = self.lock();
        let versions = files.entry(path.to_owned()).or_default();
        let is_new = versions.visible().is_none();
        if is_new {
            *versions = Versions { durable: Some(bytes), written: Vec::new() };
        }
        Ok(is_new)
    }

    async fn put_unless(&self, path: &str, bytes: Bytes, keep: Keep<'_>) -> Result<bool, FilesError> {
        check_path(path)?;
        self.ask(FileWrite::Put(path, &bytes))?;
        let mut files = self.lock();
        let versions = files.entry(path.to_owned()).or_default();
        if versions.visible().is_some_and(|present| keep(present)) {
            return Ok(false);
        }
        *versions = Versions { durable: Some(bytes), written: Vec::new() };
        Ok(true)
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, FilesError> {
        let inside = format!("{}/", folder(prefix)?);
        let files = self.lock();
        let found = files.range(inside.clone()..).take_while(|(path, _)| path.starts_with(&inside));
        Ok(found.filter(|(_, file)| file.visible().is_some()).map(|(path, _)| path.clone()).collect())
    }

    async fn delete(&self, path: &str) -> Result<(), FilesError> {
        check_path(path)?;
        self.ask(FileWrite::Delete(path))?;
        self.lock().remove(path);
        Ok(())
    }

    async fn delete_prefix(&self, prefix: &str) -> Result<(), FilesError> {
        for path in self.list(prefix).await? {
            self.delete(&path).await?;
        }
        Ok(())
    }

    async fn stage(&self, path: &str, bytes: Bytes) -> Result<(), FilesError> {
        check_path(path)?;
        let asked = self.ask(FileWrite::Put(path, &bytes));
        let written = if asked.is_ok() { bytes } else { bytes.slice(..bytes.len() / 2) };
        let durable = Versions { durable: Some(written), written: Vec::new() };
        self.lock().insert(path.to_owned(), durable);
        asked
    }

    async fn put_deferred(&self, files: Vec<(String, Bytes)>) -> Result<(), FilesError> {
        for (path, bytes) in files {
            check_path(&path)?;
            self.ask(FileWrite::Deferred(&path, &bytes))?;
            let mut files = self.lock();
            let versions = files.entry(path).or_default();
            versions.written.push(Some(bytes));
            if self.durable {
                versions.make_durable();
            }
        }
        Ok(())
    }

    async fn settle(&self, paths: &[String]) -> Result<(), FilesError> {
        self.ask(FileWrite::Settle)?;
        let mut files = self.lock();
        for path in paths {
            check_path(path)?;
            if let Some(versions) = files.get_mut(path) {
                versions.make_durable();
            }
        }
        Ok(())
    }

    fn defers(&self) -> bool {
        !self.durable
    }

    async fn discard(&self, paths: &[String]) -> Result<(), FilesError> {
        for path in paths {
            check_path(path)?;
            self.ask(FileWrite::Delete(path))?;
            if let Some(versions) = self.lock().get_mut(path) {
                versions.written.push(None);
                if self.durable {
                    versions.make_durable();
                }
            }
        }
        Ok(())
    }
}
