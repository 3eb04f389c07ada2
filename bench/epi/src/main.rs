//! How fast `epi` is on one thread, beside R's `EpiEstim` and `surveillance` and Python's `epyestim` in the same run on the same series, and how far
//! both answers are apart. Prints a table; asserts nothing.
//!
//!   epi-bench [--full] FOLDER      run by `bench/run epi`; FOLDER holds peers.R and peers.py
//!
//! A peer that is not installed is named as absent. Files are written to a new folder under the system's temporary one, and removed.

mod measures;
mod peer;
mod series;

use std::path::PathBuf;
use std::process::ExitCode;

/// Why a measurement has no result.
type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let mut full = false;
    let mut scripts = PathBuf::from("bench/epi");
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--full" => full = true,
            _ => scripts = argument.into(),
        }
    }
    match measured(full, &scripts) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("epi-bench: {why}");
            ExitCode::FAILURE
        }
    }
}

fn measured(full: bool, scripts: &std::path::Path) -> Result<(), Failure> {
    println!("{}\n", machine());
    let folder = peer::Folder::new()?;
    println!("| what | peer | ours, s | peer, s | times faster | largest difference |");
    println!("|---|---|---:|---:|---:|---:|");
    for row in [
        measures::reproduction(&folder, scripts)?,
        measures::uncertain(&folder, scripts, full)?,
        measures::case_reproduction(&folder, scripts)?,
        measures::ears(&folder, scripts)?,
        measures::farrington(&folder, scripts, full)?,
        measures::nowcasts(&folder, scripts, full)?,
        measures::scenario(&folder, scripts)?,
    ]
    .into_iter()
    .flatten()
    {
        row.print();
    }
    Ok(())
}

/// When, and on what.
fn machine() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let now = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC");
    let profile = if cfg!(debug_assertions) { ", WITHOUT OPTIMISATION" } else { "" };
    let model = model.map_or("an unknown processor", |(_, model)| model);
    format!(
        "{now}, {cores} × {model}, load {} before it began{profile}",
        load.split(' ').next().unwrap_or("?")
    )
}
