//! Peers: programs that read the same files and answer with numbers and with the seconds they took.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::Failure;
use epi::series::Series;

/// A new folder that is removed with everything in it.
pub struct Folder(PathBuf);

impl Folder {
    /// Makes it.
    pub fn new() -> Result<Self, Failure> {
        let path = std::env::temp_dir().join(format!("epi-bench-{}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is in the system's temporary folder.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Writes series, one in each line.
pub fn write(path: &Path, series: &[Series]) -> Result<(), Failure> {
    let line = |one: &Series| {
        let counts: Vec<String> = one.contributions().iter().map(f64::to_string).collect();
        counts.join(",") + "\n"
    };
    Ok(std::fs::write(path, series.iter().map(line).collect::<String>())?)
}

/// What a peer answered.
pub struct Answer {
    /// Seconds, as the peer measured them without its start.
    pub seconds: f64,
    /// The most memory that it had, in MB, if it says so.
    pub megabytes: Option<f64>,
    /// Its numbers, row by row; NaN where it has none.
    pub rows: Vec<Vec<f64>>,
}

/// The most memory that this process has while something runs, in MB, with all that it had before.
pub fn memory<T>(run: impl FnOnce() -> T) -> Result<f64, Failure> {
    // From here on the most is counted anew (proc(5)).
    std::fs::write("/proc/self/clear_refs", "5")?;
    run();
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    let kilobytes: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kilobytes / 1024.0)
}

/// Asks a script. It prints the seconds and writes its rows to `answer`; `None` if the program or one of its packages is not there (exit
/// code 3).
pub fn ask(
    program: &str,
    script: &Path,
    arguments: &[&str],
    answer: &Path,
) -> Result<Option<Answer>, Failure> {
    let output = match Command::new(program).arg(script).args(arguments).arg(answer).output() {
        Ok(output) => output,
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(why) => return Err(why.into()),
    };
    if output.status.code() == Some(3) {
        return Ok(None);
    }
    if !output.status.success() {
        return Err(
            format!("{program} {}: {}", script.display(), String::from_utf8_lossy(&output.stderr)).into()
        );
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let mut said = text.trim().lines().last().unwrap_or_default().split_whitespace();
    let seconds = said.next().unwrap_or_default().parse()?;
    let megabytes = said.next().map(str::parse).transpose()?;
    let mut rows = Vec::new();
    for row in csv::ReaderBuilder::new().has_headers(false).from_path(answer)?.records() {
        rows.push(row?.iter().map(|cell| cell.parse().unwrap_or(f64::NAN)).collect());
    }
    Ok(Some(Answer { seconds, megabytes, rows }))
}

/// The shortest of three runs, and the result.
pub fn timed<T>(mut run: impl FnMut() -> T) -> (f64, T) {
    let mut best = Duration::MAX;
    let mut result = None;
    for _ in 0..3 {
        let start = Instant::now();
        let found = run();
        best = best.min(start.elapsed());
        result = Some(found);
    }
    (best.as_secs_f64(), result.expect("it ran three times"))
}
