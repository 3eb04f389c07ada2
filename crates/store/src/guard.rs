//! The guard: what this machine remembers, outside `state` and in no backup, of the largest size it signed
//! in each log. A `state` restored from a backup is thereby found out before it signs a second time.
//!
//! One small file per log with two slots, written in turn and in place: one flush of the disk per
//! signature, and a crash while one slot is written leaves the other. What follows from a standing is
//! decided by the caller.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

mod slots;

use slots::SlotFile;

/// Why the guard could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    /// The disk failed.
    #[error("guard {path}: {}", crate::disk::says(source))]
    Disk {
        /// The file or folder.
        path: PathBuf,
        /// What failed.
        source: io::Error,
    },
    /// A guard file that is none: neither slot can be read, or it is of another log.
    #[error(
        "guard {path} is damaged or of another log: it says nothing, and its log waits until its witnesses answered, or is resumed"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The guard is missing and is written only by `create` or `resume`.
    #[error(
        "log {origin}: the guard is missing; it may sign only after its witnesses answered, or once resumed"
    )]
    Missing {
        /// The log.
        origin: String,
    },
    /// A fault hook refused the write (tests and simulation).
    #[error("guard of {origin}: the write was refused by a fault hook")]
    Fault {
        /// The log.
        origin: String,
    },
}

impl GuardError {
    /// A stable name of the error, for translation.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Disk { source, .. } if crate::disk::is_full(source) => "disk-full",
            Self::Disk { .. } => "guard-disk",
            Self::Damaged { .. } => "guard-damaged",
            Self::Missing { .. } => "guard-missing",
            Self::Fault { .. } => "guard-fault",
        }
    }

    /// Named arguments of the message, in a fixed order.
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Disk { path, source } => {
                vec![("path", path.display().to_string()), ("reason", source.to_string())]
            }
            Self::Damaged { path } => vec![("path", path.display().to_string())],
            Self::Missing { origin } | Self::Fault { origin } => vec![("origin", origin.clone())],
        }
    }
}

/// How the guard and the head of a log in `state` stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Neither knows the log: it is new here.
    Fresh,
    /// The guard is not ahead of the head.
    InStep,
    /// There is no guard, none of a log that has a head, or one that cannot be read: another machine, or one that
    /// lost what it knew.
    Missing,
    /// This machine signed a larger size than the head: `state` is older than what was published.
    Ahead {
        /// The largest size signed.
        signed: u64,
    },
}

type Hook = Arc<dyn Fn(&str, u64) -> bool + Send + Sync>;

enum Place {
    Folder(PathBuf),
    Memory(Arc<Mutex<BTreeMap<String, u64>>>),
}

struct Inner {
    place: Place,
    /// Slot files that were opened, and whether the guard as a whole is there.
    open: Mutex<Open>,
    hook: Option<Hook>,
}

#[derive(Default)]
struct Open {
    present: bool,
    logs: BTreeMap<String, SlotFile>,
}

/// The guard of one server. Clones are the same guard.
#[derive(Clone)]
pub struct Guard {
    inner: Arc<Inner>,
}

impl Guard {
    /// Makes the guard of a new node; called once, by `init`. One that is there stays.
    pub fn create(folder: &Path) -> Result<Self, GuardError> {
        make_folder(folder)?;
        Self::open(folder)
    }

    /// Opens the guard in a folder. If it is not there, every standing is `Missing`.
    pub fn open(folder: &Path) -> Result<Self, GuardError> {
        let open = Open { present: folder.is_dir(), logs: BTreeMap::new() };
        let place = Place::Folder(folder.to_owned());
        Ok(Self { inner: Arc::new(Inner { place, open: Mutex::new(open), hook: None }) })
    }

    /// A guard in memory, for tests and simulation: present, and knowing no log.
    pub fn memory() -> Self {
        let open = Open { present: true, logs: BTreeMap::new() };
        let place = Place::Memory(Arc::default());
        Self { inner: Arc::new(Inner { place, open: Mutex::new(open), hook: None }) }
    }

    /// A guard in memory that is missing, as on a machine that was set up from a backup.
    pub fn memory_missing() -> Self {
        let place = Place::Memory(Arc::default());
        Self { inner: Arc::new(Inner { place, open: Mutex::default(), hook: None }) }
    }

    /// The same guard in memory through a hook that is asked before every write and refuses it with `false`.
    #[must_use]
    pub fn with_fault(&self, hook: impl Fn(&str, u64) -> bool + Send + Sync + 'static) -> Self {
        let place = match &self.inner.place {
            Place::Folder(folder) => Place::Folder(folder.clone()),
            Place::Memory(sizes) => Place::Memory(Arc::clone(sizes)),
        };
        let present = self.inner.open.lock().unwrap_or_else(PoisonError::into_inner).present;
        let open = Mutex::new(Open { present, logs: BTreeMap::new() });
        Self { inner: Arc::new(Inner { place, open, hook: Some(Arc::new(hook)) }) }
    }

    /// The largest size signed in a log, if the guard knows the log.
    pub fn read(&self, origin: &str) -> Result<Option<u64>, GuardError> {
        let mut open = self.inner.open.lock().unwrap_or_else(PoisonError::into_inner);
        match &self.inner.place {
            Place::Memory(sizes) => {
                Ok(sizes.lock().unwrap_or_else(PoisonError::into_inner).get(origin).copied())
            }
            Place::Folder(folder) => {
                if let Some(file) = open.logs.get(origin) {
                    return Ok(Some(file.size()));
                }
                let Some(file) = SlotFile::open(&slots::path(folder, origin), origin)? else {
                    return Ok(None);
                };
                let size = file.size();
                open.logs.insert(origin.to_owned(), file);
                Ok(Some(size))
            }
        }
    }

    /// How the guard stands to the head of a log in `state`: its size, or `None` if there is no such log. A file that
    /// cannot be read says no more than one that is gone, also of a log without a head.
    pub fn standing(&self, origin: &str, head: Option<u64>) -> Result<Standing, GuardError> {
        let signed = match self.read(origin) {
            Err(GuardError::Damaged { .. }) => return Ok(Standing::Missing),
            read => read?,
        };
        if !self.is_present() {
            return Ok(Standing::Missing);
        }
        Ok(match (signed, head) {
            (None, None) => Standing::Fresh,
            (None, Some(_)) => Standing::Missing,
            (Some(signed), head) if signed > head.unwrap_or(0) => Standing::Ahead { signed },
            (Some(_), _) => Standing::InStep,
        })
    }

    /// The standings of all logs that have a head: origin and size.
    pub fn standings(&self, heads: &[(String, u64)]) -> Result<Vec<(String, Standing)>, GuardError> {
        heads.iter().map(|(origin, size)| Ok((origin.clone(), self.standing(origin, Some(*size))?))).collect()
    }

    /// Notes that a log exists, before its first size is signed: a head of a log that the guard does not
    /// know then always means that the guard was lost.
    pub async fn register(&self, origin: &str) -> Result<(), GuardError> {
        self.write(origin, 0, Rule::Raise).await
    }

    /// Notes that a size was signed; durable when it returns. A smaller size than the noted one changes nothing.
    pub async fn raise(&self, origin: &str, size: u64) -> Result<(), GuardError> {
        self.write(origin, size, Rule::Raise).await
    }

    /// Sets the noted size of a log, making the guard if it is missing: after its witnesses answered, its own
    /// entries were fetched back, or an operator took the responsibility.
    pub async fn resume(&self, origin: &str, size: u64) -> Result<(), GuardError> {
        self.write(origin, size, Rule::Set).await
    }

    fn is_present(&self) -> bool {
        self.inner.open.lock().unwrap_or_else(PoisonError::into_inner).present
    }

    async fn write(&self, origin: &str, size: u64, rule: Rule) -> Result<(), GuardError> {
        if self.inner.hook.as_ref().is_some_and(|hook| !hook(origin, size)) {
            return Err(GuardError::Fault { origin: origin.to_owned() });
        }
        if matches!(self.inner.place, Place::Memory(_)) {
            return self.inner.write(origin, size, rule);
        }
        let (inner, name) = (Arc::clone(&self.inner), origin.to_owned());
        let written = tokio::task::spawn_blocking(move || inner.write(&name, size, rule)).await;
        let path = PathBuf::from(origin);
        written.map_err(|error| GuardError::Disk { path, source: io::Error::other(error) })?
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// Only upwards, and only if the guard is there.
    Raise,
    /// Whatever was there.
    Set,
}

impl Inner {
    fn write(&self, origin: &str, size: u64, rule: Rule) -> Result<(), GuardError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if rule == Rule::Raise && !open.present {
            return Err(GuardError::Missing { origin: origin.to_owned() });
        }
        match &self.place {
            Place::Memory(sizes) => {
                let mut sizes = sizes.lock().unwrap_or_else(PoisonError::into_inner);
                let noted = sizes.entry(origin.to_owned()).or_insert(size);
                *noted = if rule == Rule::Set { size } else { size.max(*noted) };
            }
            Place::Folder(folder) => write_slot(folder, &mut open, origin, size, rule)?,
        }
        open.present = true;
        Ok(())
    }
}

fn write_slot(folder: &Path, open: &mut Open, origin: &str, size: u64, rule: Rule) -> Result<(), GuardError> {
    let path = slots::path(folder, origin);
    if !open.logs.contains_key(origin) {
        if rule == Rule::Set {
            make_folder(folder)?;
        }
        let found = match SlotFile::open(&path, origin) {
            // Who resumes a log takes the responsibility also for a guard that cannot be read.
            Err(GuardError::Damaged { .. }) if rule == Rule::Set => None,
            found => found?,
        };
        let file = match found {
            Some(file) => file,
            None => SlotFile::create(&path, origin, size)?,
        };
        open.logs.insert(origin.to_owned(), file);
    }
    match open.logs.get_mut(origin) {
        Some(file) if rule == Rule::Set || size > file.size() => {
            let written = file.write(size);
            if written.is_err() {
                // What is on the disk is unknown now: read it again before the next word.
                open.logs.remove(origin);
            }
            written
        }
        _ => Ok(()),
    }
}

fn make_folder(folder: &Path) -> Result<(), GuardError> {
    let disk = |source| GuardError::Disk { path: folder.to_owned(), source };
    if folder.is_file() {
        slots::put_aside(folder).map_err(disk)?;
    }
    std::fs::create_dir_all(folder).map_err(disk)?;
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
    slots::sync_folder(parent.unwrap_or(Path::new("."))).map_err(disk)
}
