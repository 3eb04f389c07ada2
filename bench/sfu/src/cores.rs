//! Which core a thread runs on, so that a server and the generator do not take time from each other.

use rustix::thread::{CpuSet, sched_setaffinity};

/// Ties the calling thread, and those that it starts from now on, to a core.
pub fn stay_on(core: usize) -> std::io::Result<()> {
    let mut set = CpuSet::new();
    set.set(core);
    Ok(sched_setaffinity(None, &set)?)
}
