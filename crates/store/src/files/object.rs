//! Files in an `object_store`: a local folder, an S3 bucket, or its memory store.

use super::local::LocalFolder;
use super::{Files, FilesError, Keep, MAX_LIST, check_path, folder};
use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutPayload, UpdateVersion};
use std::ops::Range;
use std::sync::Arc;

/// Attempts at a write that others keep overtaking.
const MAX_ATTEMPTS: usize = 16;
/// How many files are written to a bucket at a time.
const PUTS_AT_A_TIME: usize = 16;
/// How many files are removed at a time.
const DELETES_AT_A_TIME: usize = 16;

/// Files in an object store.
#[derive(Debug, Clone)]
pub struct ObjectFiles {
    store: Arc<dyn ObjectStore>,
    /// Of a local folder: the way to write files whose durability may wait.
    local: Option<LocalFolder>,
}

/// Opens a folder (`file:<folder>` or a plain path; made if it is not there) or `s3://<bucket>/<prefix>`.
/// S3 takes its credentials, region and endpoint from the `AWS_*` environment.
pub fn open_files(url: &str) -> Result<ObjectFiles, FilesError> {
    open_files_with(url, &[])
}

/// As [`open_files`], with S3 options such as `aws_endpoint` and `aws_region` that go before the environment.
pub fn open_files_with(url: &str, options: &[(&str, &str)]) -> Result<ObjectFiles, FilesError> {
    if url.starts_with("s3://") {
        return ObjectFiles::s3(url, options);
    }
    let path = url.strip_prefix("file://").or_else(|| url.strip_prefix("file:")).unwrap_or(url);
    if path.is_empty() || path.contains("://") {
        return Err(FilesError::Url { reason: "another scheme".to_owned() });
    }
    ObjectFiles::local(std::path::Path::new(path))
}

impl ObjectFiles {
    /// Files in a local folder, written with fsync of the file and of its folder.
    pub fn local(root: &std::path::Path) -> Result<Self, FilesError> {
        let folder = LocalFolder::open(root)?;
        let store = LocalFileSystem::new_with_prefix(folder.root())
            .map_err(|error| FilesError::Url { reason: error.to_string() })?
            .with_fsync(true);
        Ok(Self { store: Arc::new(store), local: Some(folder) })
    }

    /// Files in an S3 bucket, under a prefix.
    pub fn s3(url: &str, options: &[(&str, &str)]) -> Result<Self, FilesError> {
        let wrong = |error: object_store::Error| FilesError::Url { reason: error.to_string() };
        let rest = url.strip_prefix("s3://").unwrap_or(url);
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let mut builder = AmazonS3Builder::from_env().with_bucket_name(bucket);
        for (key, value) in options {
            builder = builder.with_config(key.parse().map_err(wrong)?, *value);
        }
        let s3 = builder.build().map_err(wrong)?;
        let prefix = prefix.trim_end_matches('/');
        let store: Arc<dyn ObjectStore> = if prefix.is_empty() {
            Arc::new(s3)
        } else {
            check_path(prefix)?;
            Arc::new(PrefixStore::new(s3, prefix))
        };
        Ok(Self { store, local: None })
    }

    /// Files in the memory of this process, without faults; [`super::MemoryFiles`] has them.
    pub fn memory() -> Self {
        Self { store: Arc::new(InMemory::new()), local: None }
    }

    async fn names(&self, folder: &str) -> Result<Vec<Path>, FilesError> {
        let listed = self.store.list(Some(&Path::from(folder))).map_ok(|meta| meta.location);
        let names: Vec<Path> = listed.take(MAX_LIST + 1).try_collect().await.map_err(failed(folder))?;
        if names.len() > MAX_LIST {
            return Err(FilesError::TooMany { path: folder.to_owned() });
        }
        Ok(names)
    }
}

fn object_path(path: &str) -> Result<Path, FilesError> {
    check_path(path)?;
    Ok(Path::from(path))
}

fn failed(path: &str) -> impl FnOnce(object_store::Error) -> FilesError {
    let path = path.to_owned();
    move |source| FilesError::Store { path, source }
}

/// "Not there" is an answer, not a failure.
fn found<T>(path: &str, answer: object_store::Result<T>) -> Result<Option<T>, FilesError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(failed(path)(error)),
    }
}

#[async_trait]
impl Files for ObjectFiles {
    async fn get(&self, path: &str) -> Result<Option<Bytes>, FilesError> {
        let Some(answer) = found(path, self.store.get(&object_path(path)?).await)? else { return Ok(None) };
        answer.bytes().await.map(Some).map_err(failed(path))
    }

    async fn get_range(&self, path: &str, range: Range<u64>) -> Result<Option<Bytes>, FilesError> {
        let Some(size) = self.size(path).await? else { return Ok(None) };
        let range = range.start.min(size)..range.end.min(size);
        if range.is_empty() {
            return Ok(Some(Bytes::new()));
        }
        found(path, self.store.get_range(&object_path(path)?, range).await)
    }

    async fn size(&self, path: &str) -> Result<Option<u64>, FilesError> {
        Ok(found(path, self.store.head(&object_path(path)?).await)?.map(|meta| meta.size))
    }

    async fn put(&self, path: &str, bytes: Bytes) -> Result<(), FilesError> {
        let put = self.store.put(&object_path(path)?, PutPayload::from_bytes(bytes)).await;
        put.map(drop).map_err(failed(path))
    }

    async fn put_all(&self, files: Vec<(String, Bytes)>) -> Result<(), FilesError> {
        for (path, _) in &files {
            check_path(path)?;
        }
        if let Some(folder) = &self.local {
            return folder.put_synced(files).await;
        }
        let puts = files.into_iter().map(|(path, bytes)| async move { self.put(&path, bytes).await });
        futures::stream::iter(puts).buffered(PUTS_AT_A_TIME).try_collect().await
    }

    async fn put_new(&self, path: &str, bytes: Bytes) -> Result<bool, FilesError> {
        let payload = PutPayload::from_bytes(bytes);
        match self.store.put_opts(&object_path(path)?, payload, PutMode::Create.into()).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(false),
            Err(error) => Err(failed(path)(error)),
        }
    }

    async fn put_unless(&self, path: &str, bytes: Bytes, keep: Keep<'_>) -> Result<bool, FilesError> {
        let at = object_path(path)?;
        for _ in 0..MAX_ATTEMPTS {
            let Some(present) = found(path, self.store.get(&at).await)? else {
                if self.put_new(path, bytes.clone()).await? {
                    return Ok(true);
                }
                continue;
            };
            let version =
                UpdateVersion { e_tag: present.meta.e_tag.clone(), version: present.meta.version.clone() };
            if keep(&present.bytes().await.map_err(failed(path))?) {
                return Ok(false);
            }
            if self.local.is_some() {
                return self.put(path, bytes).await.map(|()| true);
            }
            let payload = PutPayload::from_bytes(bytes.clone());
            match self.store.put_opts(&at, payload, PutMode::Update(version).into()).await {
                Ok(_) => return Ok(true),
                Err(object_store::Error::Precondition { .. } | object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(failed(path)(error)),
            }
        }
        Err(FilesError::Contended { path: path.to_owned() })
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, FilesError> {
        let names = self.names(folder(prefix)?).await?;
        let mut names: Vec<String> = names.into_iter().map(String::from).collect();
        names.sort_unstable();
        Ok(names)
    }

    async fn delete(&self, path: &str) -> Result<(), FilesError> {
        let at = object_path(path)?;
        match &self.local {
            Some(folder) => folder.delete(vec![path.to_owned()], true).await,
            None => found(path, self.store.delete(&at).await).map(drop),
        }
    }

    async fn delete_prefix(&self, prefix: &str) -> Result<(), FilesError> {
        let names = self.names(folder(prefix)?).await?;
        if let Some(folder) = &self.local {
            return folder.delete(names.into_iter().map(String::from).collect(), true).await;
        }
        let deletes = futures::stream::iter(
            names
                .into_iter()
                .map(|name| async move { found(name.as_ref(), self.store.delete(&name).await).map(drop) }),
        );
        deletes.buffer_unordered(DELETES_AT_A_TIME).try_collect().await
    }

    async fn stage(&self, path: &str, bytes: Bytes) -> Result<(), FilesError> {
        check_path(path)?;
        match &self.local {
            Some(folder) => folder.stage(path, bytes).await,
            None => self.put(path, bytes).await,
        }
    }

    async fn take_in(&self, path: &str, from: &std::path::Path) -> Result<(), FilesError> {
        check_path(path)?;
        if let Some(folder) = &self.local {
            return folder.take_in(path, from).await;
        }
        let failed = |source| FilesError::Disk { path: path.to_owned(), source };
        let bytes = tokio::fs::read(from).await.map_err(failed)?;
        self.put(path, bytes.into()).await?;
        tokio::fs::remove_file(from).await.map_err(failed)
    }

    async fn put_deferred(&self, files: Vec<(String, Bytes)>) -> Result<(), FilesError> {
        for (path, _) in &files {
            check_path(path)?;
        }
        if let Some(folder) = &self.local {
            return folder.put_unsynced(files).await;
        }
        for (path, bytes) in files {
            self.put(&path, bytes).await?;
        }
        Ok(())
    }

    async fn settle(&self, paths: &[String]) -> Result<(), FilesError> {
        for path in paths {
            check_path(path)?;
        }
        match &self.local {
            Some(folder) => folder.sync(paths.to_vec()).await,
            None => Ok(()),
        }
    }

    fn defers(&self) -> bool {
        self.local.is_some()
    }

    async fn discard(&self, paths: &[String]) -> Result<(), FilesError> {
        for path in paths {
            check_path(path)?;
        }
        if let Some(folder) = &self.local {
            return folder.delete(paths.to_vec(), false).await;
        }
        for path in paths {
            self.delete(path).await?;
        }
        Ok(())
    }
}
