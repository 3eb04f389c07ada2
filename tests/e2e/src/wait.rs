//! Waiting for what a process answers, never for time to pass.

use std::time::{Duration, Instant};

/// What has not happened after this time does not happen. Machines that run tests are often busy.
pub const PATIENCE: Duration = Duration::from_mins(1);
/// How often is asked.
const LOOK: Duration = Duration::from_millis(50);

/// Asks again until there is an answer; after [`PATIENCE`] the test fails and says what was waited for.
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited {} s, but not yet: {what}", PATIENCE.as_secs());
        std::thread::sleep(LOOK);
    }
}
