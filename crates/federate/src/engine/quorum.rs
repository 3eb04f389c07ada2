//! Whether an own log comes to its quorum. Witnesses that a policy needs and that do not answer hold back every proof of that log,
//! and no other peer can make up for them: a person must know, since only a new log has another policy.

use std::collections::BTreeSet;

use record::{Authority, Origin};
use tlog::VerifierKey;

use super::Engine;
use super::own::Own;
use crate::alarm::Alarm;

/// Since when a log has had no quorum, and who of its witnesses cosigned meanwhile.
#[derive(Debug, Default)]
pub(super) struct Lacking {
    since: Option<u64>,
    cosigned: BTreeSet<VerifierKey>,
}

impl Lacking {
    /// When somebody is to be told.
    pub fn deadline(&self, patience: u64) -> Option<u64> {
        self.since.map(|since| since + patience)
    }

    pub fn cosigned(&mut self, key: &VerifierKey) {
        if self.since.is_some() {
            self.cosigned.insert(key.clone());
        }
    }
}

impl Engine {
    /// Rings for an open log whose newest checkpoints have had no quorum for an hour, and each hour again.
    pub(super) fn watch_quorum(&mut self, origin: &Origin) {
        let (now, patience) = (self.now, self.config.limits.hourly);
        let Some(own) = self.own.get_mut(origin) else { return };
        if !own.is_open || own.size() == 0 || own.round.has_quorum(&own.policy) {
            own.lacking = Lacking::default();
            return;
        }
        let since = *own.lacking.since.get_or_insert(now);
        if now < since + patience {
            return;
        }
        let silent = silent_of(own);
        own.lacking = Lacking { since: Some(now), cosigned: BTreeSet::new() };
        self.ring(Alarm::NoQuorum { origin: origin.clone(), witnesses: silent });
    }
}

/// The witnesses of a log that cosigned nothing of it; if each did, but not together, all of them.
fn silent_of(own: &Own) -> BTreeSet<Authority> {
    let of = |wanted: &dyn Fn(&VerifierKey) -> bool| -> BTreeSet<Authority> {
        let keys = own.policy.witnesses().map(|(_, key, _)| key).filter(|key| wanted(key));
        keys.filter_map(|key| Authority::of_key_name(key.name()).ok()).collect()
    };
    let silent = of(&|key| !own.lacking.cosigned.contains(key));
    if silent.is_empty() { of(&|_| true) } else { silent }
}
