//! One guard file: two slots in blocks of their own, of which the valid one with the higher count holds.

use super::GuardError;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use tlog::sha256;

/// Where the second slot begins: far enough that no disk writes both at once.
const SECOND: u64 = 4096;
/// The length of a slot.
const SLOT: usize = 1024;
const MAGIC: &str = "concord.guard/v1";

/// An open guard file.
#[derive(Debug)]
pub(super) struct SlotFile {
    path: PathBuf,
    origin: String,
    file: File,
    count: u64,
    size: u64,
}

/// The guard file of a log.
pub(super) fn path(folder: &Path, origin: &str) -> PathBuf {
    folder.join(sha256(origin.as_bytes()).to_hex())
}

/// Moves away what lies in the place of a file, or of the folder.
pub(super) fn put_aside(path: &Path) -> io::Result<()> {
    let names = (1_u32..).map(|n| path.with_extension(format!("damaged-{n}")));
    let mut free = names.filter(|aside| aside.symlink_metadata().is_err());
    free.next().map_or(Ok(()), |aside| std::fs::rename(path, aside))
}

pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

impl SlotFile {
    /// Opens the file of a log, if it is there.
    pub(super) fn open(path: &Path, origin: &str) -> Result<Option<Self>, GuardError> {
        let disk = |source| GuardError::Disk { path: path.to_owned(), source };
        let mut file = match OpenOptions::new().read(true).write(true).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            // Something else lies in its place, or in that of the folder.
            Err(error) if matches!(error.kind(), ErrorKind::IsADirectory | ErrorKind::NotADirectory) => {
                return Err(GuardError::Damaged { path: path.to_owned() });
            }
            Err(error) => return Err(disk(error)),
        };
        let mut bytes = Vec::new();
        (&mut file).take(SECOND + SLOT as u64).read_to_end(&mut bytes).map_err(disk)?;
        let second = usize::try_from(SECOND).unwrap_or(usize::MAX);
        let slots = [bytes.get(..SLOT), bytes.get(second..)].into_iter().flatten();
        let newest = slots.filter_map(|slot| parse(slot, origin)).max();
        let Some((count, size)) = newest else { return Err(GuardError::Damaged { path: path.to_owned() }) };
        Ok(Some(Self { path: path.to_owned(), origin: origin.to_owned(), file, count, size }))
    }

    /// Makes the file of a log, both slots of it, beside its place and moves it there.
    pub(super) fn create(path: &Path, origin: &str, size: u64) -> Result<Self, GuardError> {
        let disk = |source| GuardError::Disk { path: path.to_owned(), source };
        if path.is_dir() {
            put_aside(path).map_err(disk)?;
        }
        let beside = path.with_extension("new");
        let made = File::create(&beside).and_then(|mut file| {
            let mut bytes = slot(origin, 0, size)?;
            bytes.resize(usize::try_from(SECOND).map_err(io::Error::other)?, 0);
            bytes.extend(slot(origin, 1, size)?);
            file.write_all(&bytes)?;
            file.sync_all()?;
            std::fs::rename(&beside, path)?;
            sync_folder(path.parent().unwrap_or(Path::new(".")))
        });
        made.map_err(disk)?;
        Self::open(path, origin)?.ok_or_else(|| GuardError::Damaged { path: path.to_owned() })
    }

    /// The noted size.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Writes the older slot and waits for the disk.
    pub(super) fn write(&mut self, size: u64) -> Result<(), GuardError> {
        let count = self.count + 1;
        let at = SECOND * (count % 2);
        let written = slot(&self.origin, count, size).and_then(|bytes| {
            self.file.seek(SeekFrom::Start(at))?;
            self.file.write_all(&bytes)?;
            self.file.sync_data()
        });
        written.map_err(|source| GuardError::Disk { path: self.path.clone(), source })?;
        (self.count, self.size) = (count, size);
        Ok(())
    }
}

fn slot(origin: &str, count: u64, size: u64) -> io::Result<Vec<u8>> {
    let text = format!("{MAGIC} {origin} {count} {size}");
    let mut bytes = format!("{text} {}\n", sha256(text.as_bytes())).into_bytes();
    if bytes.len() > SLOT {
        return Err(io::Error::new(ErrorKind::InvalidInput, "the log's origin is too long for a guard"));
    }
    bytes.resize(SLOT, b'\n');
    Ok(bytes)
}

/// Count and size of a slot, if it is whole and of this log.
fn parse(slot: &[u8], origin: &str) -> Option<(u64, u64)> {
    let line = std::str::from_utf8(slot).ok()?.lines().next()?;
    let (text, digest) = line.rsplit_once(' ')?;
    if sha256(text.as_bytes()).to_hex() != digest {
        return None;
    }
    let fields: Vec<&str> = text.split(' ').collect();
    match fields.as_slice() {
        [MAGIC, name, count, size] if *name == origin => Some((count.parse().ok()?, size.parse().ok()?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: &str = "a.example/log/public/2020";

    #[test]
    fn a_write_that_broke_off_leaves_the_size_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = path(folder.path(), ORIGIN);
        let mut file = SlotFile::create(&path, ORIGIN, 0).unwrap();
        for size in [3, 9, 20] {
            file.write(size).unwrap();
        }
        let newest = SECOND * (file.count % 2);
        drop(file);
        let mut raw = OpenOptions::new().write(true).open(&path).unwrap();
        raw.seek(SeekFrom::Start(newest + 30)).unwrap();
        raw.write_all(&[0; 40]).unwrap();
        assert_eq!(SlotFile::open(&path, ORIGIN).unwrap().unwrap().size(), 9);
    }

    #[test]
    fn a_folder_in_the_place_of_a_guard_is_damage_and_gives_way() {
        let folder = tempfile::tempdir().unwrap();
        let path = path(folder.path(), ORIGIN);
        std::fs::create_dir(&path).unwrap();
        assert!(matches!(SlotFile::open(&path, ORIGIN), Err(GuardError::Damaged { .. })));
        assert_eq!(SlotFile::create(&path, ORIGIN, 5).unwrap().size(), 5);
    }

    #[test]
    fn a_guard_of_another_log_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let path = path(folder.path(), ORIGIN);
        SlotFile::create(&path, ORIGIN, 5).unwrap();
        let opened = SlotFile::open(&path, "b.example/log/public/2020");
        assert!(matches!(opened, Err(GuardError::Damaged { .. })));
    }
}
