//! What is free on the disk, looked at every few seconds: of the last share of it nothing is taken for others. What this
//! authority itself releases goes on as long as there is a byte. It deletes nothing.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use federate::Input;

use crate::alarm::{self, Alarm};
use crate::node::Node;

/// How often it is looked at: less than what a fast line brings in that time is no reserve.
const EVERY: Duration = Duration::from_secs(2);
/// The reserve where the operator says nothing: this part of the disk, at most the second, at least the third.
const PART: u64 = 20;
const MOST: u64 = 10 << 30;
const LEAST: u64 = 256 << 20;

/// What is there and what is free, in bytes.
#[derive(Debug, Clone, Copy)]
struct Space {
    all: u64,
    free: u64,
}

impl Space {
    fn of(folder: &Path) -> std::io::Result<Self> {
        let found = rustix::fs::statvfs(folder)?;
        let bytes = |blocks: u64| blocks.saturating_mul(found.f_frsize);
        Ok(Self { all: bytes(found.f_blocks), free: bytes(found.f_bavail) })
    }

    fn reserve(self, configured: Option<u64>) -> u64 {
        configured.unwrap_or((self.all / PART).clamp(LEAST, MOST))
    }

    /// Whether it is low now, if it was or was not before: a tenth more must be free than made it low.
    fn is_low(self, reserve: u64, was_low: bool) -> bool {
        self.free < if was_low { reserve.saturating_add(reserve / 10) } else { reserve }
    }
}

/// Tells the engine when little is free, and when there is more again, until the node ends.
pub async fn watch(node: Arc<Node>) {
    let mut stopping = node.stopping.subscribe();
    let configured = node.config.exchange.reserve_mib.map(|mib| mib << 20);
    let mut was_low = false;
    // A command that is done closes its node, and waits for nobody who only looks.
    let looked_at = Arc::downgrade(&node);
    drop(node);
    while let Some(node) = looked_at.upgrade() {
        match Space::of(&node.config.folder) {
            Ok(space) => {
                let reserve = space.reserve(configured);
                let is_low = space.is_low(reserve, was_low);
                if is_low != was_low {
                    node.tell(Input::Space { is_low });
                }
                if is_low && !was_low {
                    let mib = (reserve >> 20).to_string();
                    alarm::raise(&*node.cells, Alarm::new("alarm-disk-low").with("mib", &mib)).await;
                }
                was_low = is_low;
            }
            Err(error) => tracing::error!(%error, "what is free on the disk cannot be seen"),
        }
        drop(node);
        // A sender that is gone is a stop too.
        if tokio::time::timeout(EVERY, stopping.wait_for(|stopping| *stopping)).await.is_ok() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserve_is_a_part_of_the_disk_within_bounds_or_what_the_operator_says() {
        let reserve = |all, said| Space { all, free: 0 }.reserve(said);
        assert_eq!(reserve(100 << 30, None), 5 << 30);
        assert_eq!(reserve(1 << 30, None), LEAST);
        assert_eq!(reserve(4 << 40, None), MOST);
        assert_eq!(reserve(100 << 30, Some(7 << 20)), 7 << 20);
    }

    #[test]
    fn what_is_low_stays_so_until_a_tenth_more_is_free() {
        let is_low = |free, was| Space { all: 10_000, free }.is_low(1_000, was);
        assert!(is_low(999, false) && is_low(1_099, true));
        assert!(!is_low(1_000, false) && !is_low(1_100, true));
    }
}
