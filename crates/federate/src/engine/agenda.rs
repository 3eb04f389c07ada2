//! When each log is looked at next, so that neither an input nor the next deadline goes through all of them.

use std::collections::{BTreeMap, BTreeSet};

use record::Origin;

/// Times by log, and logs by time.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    order: BTreeSet<(u64, Origin)>,
    of_log: BTreeMap<Origin, u64>,
}

impl Agenda {
    /// Looks at a log at this time and not before; `None`: not by time alone.
    pub fn plan(&mut self, origin: &Origin, at: Option<u64>) {
        if self.of_log.get(origin).copied() == at {
            return;
        }
        let before = match at {
            Some(at) => {
                self.order.insert((at, origin.clone()));
                self.of_log.insert(origin.clone(), at)
            }
            None => self.of_log.remove(origin),
        };
        if let Some(before) = before {
            self.order.remove(&(before, origin.clone()));
        }
    }

    /// A log that is due.
    pub fn pop(&mut self, now: u64) -> Option<Origin> {
        let (at, origin) = self.order.first().filter(|(at, _)| *at <= now).cloned()?;
        self.order.remove(&(at, origin.clone()));
        self.of_log.remove(&origin);
        Some(origin)
    }

    /// When the first one is due.
    pub fn first(&self) -> Option<u64> {
        self.order.first().map(|(at, _)| *at)
    }
}
