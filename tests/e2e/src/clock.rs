//! A wall clock that a test moves forward under running processes. The program knows nothing of it: it is
//! preloaded (`clock.c`), so that what is tested is the program that is given away. Linux with a C compiler,
//! which is there wherever Rust links.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

/// One clock for all nodes of a world.
#[derive(Debug)]
pub struct Clock {
    library: PathBuf,
    ahead: PathBuf,
}

impl Clock {
    /// A clock that shows the real time until it is moved; its files lie in `folder`.
    pub fn new(folder: &Path) -> Self {
        let (library, source) = (folder.join("clock.so"), folder.join("clock.c"));
        std::fs::write(&source, include_str!("clock.c")).expect("written");
        let made =
            Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(&source).status();
        assert!(made.expect("a C compiler, cc").success(), "clock.c does not compile");
        let clock = Self { library, ahead: folder.join("clock-ahead") };
        clock.set(0);
        clock
    }

    fn set(&self, seconds: i64) {
        use std::os::unix::fs::FileExt as _;
        let file = std::fs::File::options().write(true).create(true).truncate(false).open(&self.ahead);
        // In place: running processes look at this very file.
        file.and_then(|file| file.write_all_at(&seconds.to_ne_bytes(), 0)).expect("written");
    }

    fn seconds_ahead(&self) -> i64 {
        let bytes = std::fs::read(&self.ahead).expect("read");
        i64::from_ne_bytes(bytes.try_into().expect("eight bytes"))
    }

    /// Moves it forward by whole days, for every process at once.
    pub fn forward(&self, days: i64) {
        self.set(self.seconds_ahead() + days * 86_400);
    }

    /// What it shows.
    pub fn now(&self) -> record::Time {
        let real = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        let shown = i64::try_from(real).expect("a year of this age") + self.seconds_ahead();
        record::Time::from_posix(shown).expect("a year of four digits")
    }

    /// Gives a process this clock.
    pub(crate) fn give_to(&self, command: &mut Command) {
        command.env("LD_PRELOAD", &self.library).env("E2E_CLOCK", &self.ahead);
    }
}
