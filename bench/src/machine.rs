//! What the figures were seen on, and what the kernel says of processes (Linux).

use std::time::Duration;

/// One line: when, and on what.
pub fn described() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("an unknown processor", |(_, model)| model);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("?").to_owned();
    let now = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC");
    let profile = if cfg!(debug_assertions) { ", WITHOUT OPTIMISATION" } else { "" };
    format!("{now}, {cores} × {model}, load {load} before it began{profile}")
}

/// The memory of a process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Memory {
    /// Resident now, in bytes.
    pub now: u64,
    /// The most that was resident at any time, in bytes.
    pub peak: u64,
    /// Of what is resident now, the part that is no file, in bytes.
    pub anonymous: u64,
}

/// The memory of a process, while it runs.
pub fn memory_of(pid: u32) -> Option<Memory> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib * 1024)
    };
    Some(Memory { now: field("VmRSS:")?, peak: field("VmHWM:")?, anonymous: field("RssAnon:")? })
}

/// User and system time that a process has used so far.
pub fn cpu_of(pid: u32) -> Option<Duration> {
    // Linux counts it in hundredths of a second.
    const TICK: u32 = 10;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name is in parentheses and may hold anything.
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks: Option<Vec<u32>> =
        fields.split_whitespace().skip(11).take(2).map(|field| field.parse().ok()).collect();
    Some(Duration::from_millis(u64::from(ticks?.into_iter().sum::<u32>()) * u64::from(TICK)))
}

/// The program that is measured: `CONCORD_BIN`, or `concord` beside this one.
pub fn concord() -> Result<std::path::PathBuf, crate::Failure> {
    let path = match std::env::var_os("CONCORD_BIN") {
        Some(path) => path.into(),
        None => std::env::current_exe()?.with_file_name("concord"),
    };
    if path.is_file() {
        return Ok(path);
    }
    Err(format!("the program is not at {}: build it, or name it in CONCORD_BIN", path.display()).into())
}
