//! What `object_store` does not do in a local folder: writes whose durability waits for one later
//! `sync`, and removals that are durable.

use super::FilesError;
use bytes::Bytes;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How many files are flushed at a time.
const FLUSHES_AT_A_TIME: usize = 8;

/// A local folder.
#[derive(Debug, Clone)]
pub(super) struct LocalFolder {
    root: Arc<PathBuf>,
    /// Folders whose way from the root this process has flushed: their own entry is durable.
    durable: Arc<Mutex<BTreeSet<PathBuf>>>,
}

impl LocalFolder {
    /// Opens a folder, making it and what leads to it.
    pub(super) fn open(root: &Path) -> Result<Self, FilesError> {
        let opened = fs::create_dir_all(root).and_then(|()| root.canonicalize());
        let root = opened.map_err(|source| FilesError::Disk { path: root.display().to_string(), source })?;
        Ok(Self { root: Arc::new(root), durable: Arc::default() })
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Writes files beside their places and moves them there, without waiting for the disk.
    pub(super) async fn put_unsynced(&self, files: Vec<(String, Bytes)>) -> Result<(), FilesError> {
        self.blocking(move |root| {
            files.iter().try_for_each(|(path, bytes)| replace(&root.join(path), bytes).map_err(at(path)))
        })
        .await
    }

    /// Writes files beside their places, waits for the disk once for all of them, moves them to their places in
    /// the order given, and waits for the folders.
    pub(super) async fn put_synced(&self, files: Vec<(String, Bytes)>) -> Result<(), FilesError> {
        let durable = Arc::clone(&self.durable);
        self.blocking(move |root| {
            let places: Vec<PathBuf> = files.iter().map(|(path, _)| root.join(path)).collect();
            let besides: Vec<PathBuf> = places.iter().map(|place| beside(place)).collect();
            let put = || {
                for (((path, bytes), place), beside) in files.iter().zip(&places).zip(&besides) {
                    create(beside, place).and_then(|mut made| made.write_all(bytes)).map_err(at(path))?;
                }
                sync_all(&besides.iter().cloned().collect())?;
                for (((path, _), place), beside) in files.iter().zip(&places).zip(&besides) {
                    fs::rename(beside, place).map_err(at(path))?;
                }
                // Whoever stages at the same time does not wait for these folders.
                let known = || durable.lock().unwrap_or_else(PoisonError::into_inner);
                let folders = {
                    let known = known();
                    places.iter().flat_map(|place| new_folders(root, place, &known)).collect()
                };
                sync_all(&folders)?;
                known().extend(places.iter().filter_map(|place| place.parent()).map(Path::to_owned));
                Ok(())
            };
            // A full disk must not fill up with what lies beside.
            put().inspect_err(|_| besides.iter().for_each(|beside| drop(fs::remove_file(beside))))
        })
        .await
    }

    /// Writes a file under its name and waits for the disk, once: what `object_store` does with a second name
    /// and a move costs a second wait.
    pub(super) async fn stage(&self, path: &str, bytes: Bytes) -> Result<(), FilesError> {
        let (path, durable) = (path.to_owned(), Arc::clone(&self.durable));
        self.blocking(move |root| {
            let file = root.join(&path);
            let written = create(&file, &file).and_then(|mut made| {
                made.write_all(&bytes)?;
                made.sync_all()
            });
            written.map_err(at(&path))?;
            let mut durable = durable.lock().unwrap_or_else(PoisonError::into_inner);
            sync_all(&new_folders(root, &file, &durable).into_iter().collect())?;
            durable.extend(file.parent().map(Path::to_owned));
            Ok(())
        })
        .await
    }

    /// Moves a file here. One that lies on another disk is copied beside its place first.
    pub(super) async fn take_in(&self, path: &str, from: &Path) -> Result<(), FilesError> {
        let (path, from) = (path.to_owned(), from.to_owned());
        self.blocking(move |root| {
            let place = root.join(&path);
            let take = || {
                place.parent().map_or(Ok(()), fs::create_dir_all)?;
                File::open(&from)?.sync_all()?;
                match fs::rename(&from, &place) {
                    Err(error) if error.kind() == ErrorKind::CrossesDevices => {
                        let beside = beside(&place);
                        fs::copy(&from, &beside)?;
                        File::open(&beside)?.sync_all()?;
                        fs::rename(&beside, &place)?;
                        fs::remove_file(&from)
                    }
                    moved => moved,
                }
            };
            take().map_err(at(&path))?;
            sync_all(&folders_of(root, &place).into_iter().collect())
        })
        .await
    }

    /// Waits until files, and the folders that lead to them, are on the disk. A file that is not there any
    /// more needs only its folders.
    pub(super) async fn sync(&self, paths: Vec<String>) -> Result<(), FilesError> {
        self.blocking(move |root| {
            let files: BTreeSet<PathBuf> = paths.iter().map(|path| root.join(path)).collect();
            let folders = files.iter().flat_map(|file| folders_of(root, file)).collect();
            sync_all(&files)?;
            sync_all(&folders)
        })
        .await
    }

    /// Removes files; `durably` waits for the disk.
    pub(super) async fn delete(&self, paths: Vec<String>, durably: bool) -> Result<(), FilesError> {
        self.blocking(move |root| {
            let mut folders = BTreeSet::new();
            for path in &paths {
                let file = root.join(path);
                match fs::remove_file(&file) {
                    Ok(()) => folders.extend(file.parent().map(Path::to_owned)),
                    Err(error) if is_absent(&error) => {}
                    Err(error) => return Err(at(path)(error)),
                }
            }
            if durably { sync_all(&folders) } else { Ok(()) }
        })
        .await
    }

    async fn blocking(
        &self,
        work: impl FnOnce(&Path) -> Result<(), FilesError> + Send + 'static,
    ) -> Result<(), FilesError> {
        let root = Arc::clone(&self.root);
        let done = tokio::task::spawn_blocking(move || work(&root)).await;
        done.map_err(|error| at("")(io::Error::other(error)))?
    }
}

fn at(path: &str) -> impl FnOnce(io::Error) -> FilesError {
    let path = path.to_owned();
    move |source| FilesError::Disk { path, source }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn replace(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = beside(file);
    create(&beside, file)?.write_all(bytes)?;
    fs::rename(&beside, file)
}

/// A name beside a file that nobody else uses.
fn beside(file: &Path) -> PathBuf {
    // `object_store` skips names that end in # and digits when it lists; its own count from 1.
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut beside = file.as_os_str().to_owned();
    beside.push(format!("#9{:08}", NEXT.fetch_add(1, Ordering::Relaxed)));
    PathBuf::from(beside)
}

/// Creates a file, and the folder of `place` if it is not there.
fn create(file: &Path, place: &Path) -> io::Result<File> {
    match File::create(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            place.parent().map_or(Ok(()), fs::create_dir_all)?;
            File::create(file)
        }
        made => made,
    }
}

fn sync_if_there(file: &Path) -> io::Result<()> {
    match File::open(file) {
        Ok(file) => file.sync_all(),
        Err(error) if is_absent(&error) => Ok(()),
        Err(error) => Err(error),
    }
}

/// The folders from the one that holds a file up to the root, any of which may be new.
fn folders_of(root: &Path, file: &Path) -> Vec<PathBuf> {
    file.ancestors().skip(1).take_while(|folder| folder.starts_with(root)).map(Path::to_owned).collect()
}

/// Of these folders those that must be flushed: the one that holds the file, and what leads to it if it may be new.
fn new_folders(root: &Path, file: &Path, durable: &BTreeSet<PathBuf>) -> Vec<PathBuf> {
    let is_known = file.parent().is_some_and(|folder| durable.contains(folder));
    folders_of(root, file).into_iter().take(if is_known { 1 } else { usize::MAX }).collect()
}

/// Flushes files or folders, several at a time: the file system joins their waits.
fn sync_all(paths: &BTreeSet<PathBuf>) -> Result<(), FilesError> {
    let paths: Vec<&PathBuf> = paths.iter().collect();
    let sync = |chunk: &[&PathBuf]| {
        chunk.iter().try_for_each(|path| sync_if_there(path).map_err(at(&path.display().to_string())))
    };
    if paths.len() <= 1 {
        return sync(&paths);
    }
    std::thread::scope(|scope| {
        let chunks = paths.chunks(paths.len().div_ceil(FLUSHES_AT_A_TIME));
        let threads: Vec<_> = chunks.map(|chunk| scope.spawn(move || sync(chunk))).collect();
        let panicked = |_| Err(at("")(io::Error::other("a flush panicked")));
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(panicked))
    })
}
