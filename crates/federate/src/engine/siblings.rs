//! The logs of one author beside each other: one open log per audience, and what successors acknowledge.

use std::collections::{BTreeMap, BTreeSet};

use record::{Authority, Origin};
use tlog::SignedCheckpoint;

use super::Engine;
use super::logs::logs_of;
use crate::alarm::Alarm;

/// Whose logs are to be compared, and when. However many logs an author has, and however often they grow, they are compared
/// once in a while.
#[derive(Debug, Default)]
pub(super) struct Siblings {
    due: BTreeMap<Authority, u64>,
    compared: BTreeMap<Authority, u64>,
}

impl Siblings {
    pub fn deadline(&self) -> Option<u64> {
        self.due.values().min().copied()
    }
}

impl Engine {
    /// The logs of an author are compared soon: something of them is new.
    pub(super) fn siblings_changed(&mut self, author: &Authority) {
        let Siblings { due, compared } = &mut self.siblings;
        let again = compared.get(author).map_or(0, |at| at + self.config.limits.at_most_every);
        due.entry(author.clone()).or_insert(again);
    }

    pub(super) fn run_siblings(&mut self) {
        let now = self.now;
        let due: Vec<Authority> = self
            .siblings
            .due
            .iter()
            .filter(|(_, at)| **at <= now)
            .map(|(author, _)| author.clone())
            .collect();
        for author in due {
            self.siblings.due.remove(&author);
            self.siblings.compared.insert(author.clone(), now);
            self.compare_siblings(&author);
        }
    }

    /// Compares the followed logs of an author.
    fn compare_siblings(&mut self, author: &Authority) {
        let mut alarms = Vec::new();
        let logs: BTreeMap<&Origin, &super::Log> = logs_of(&self.logs, author).collect();
        for (origin, log) in &logs {
            let Some(previous) = log.follow.state().previous() else { continue };
            let before = logs.get_key_value(&previous.origin);
            // A `log.close` that came after the successor was opened is no entry that is left out.
            let left_out = |before: &super::Log| {
                let closing = u64::from(before.follow.state().closed());
                before.stored_size() > previous.size + closing
            };
            if let Some((cut, before)) = before.filter(|(_, before)| left_out(before)) {
                alarms.push(Alarm::CutOff {
                    origin: (*cut).clone(),
                    held: before.stored_size(),
                    acknowledged: previous.size,
                    successor: (*origin).clone(),
                });
            }
        }
        let followed: BTreeSet<&Origin> =
            logs.values().filter_map(|log| Some(&log.follow.state().previous()?.origin)).collect();
        let mut known = BTreeMap::new();
        let open = logs.iter().filter(|(origin, log)| {
            // Of a log that is still being fetched it is not known whether it was closed.
            let may_be_open = is_whole(log) && !log.follow.state().closed() && !followed.contains(*origin);
            may_be_open && self.is_lineage_known(&logs, origin, &mut known)
        });
        // Who reads a log is in its name: those of one audience have the same readers.
        let mut first_open: BTreeMap<String, &Origin> = BTreeMap::new();
        for (origin, _) in open {
            if let Some(first) = first_open.get(&origin.audience.to_string()) {
                alarms.push(Alarm::TwoOpenLogs { origin: (*first).clone(), other: (*origin).clone() });
            } else {
                first_open.insert(origin.audience.to_string(), origin);
            }
        }
        for alarm in alarms {
            self.ring(alarm);
        }
    }

    /// Whether everything that a log goes on from is here, back to the first: what is not may be the successor of another one
    /// that is here. What the author itself does not show is not waited for. Of every log that is passed it is `known` then: logs
    /// that go on from each other are gone through once.
    fn is_lineage_known<'a>(
        &self,
        logs: &BTreeMap<&'a Origin, &'a super::Log>,
        last: &'a Origin,
        known: &mut BTreeMap<&'a Origin, bool>,
    ) -> bool {
        let (mut passed, mut origin) = (Vec::new(), last);
        let is_known = loop {
            if let Some(is_known) = known.get(origin) {
                break *is_known;
            }
            // Where they name each other in a circle nothing is missing.
            known.insert(origin, true);
            passed.push(origin);
            let Some(previous) = logs.get(origin).and_then(|log| log.follow.state().previous()) else {
                break true;
            };
            match logs.get_key_value(&previous.origin) {
                Some((before, there)) if is_whole(there) => origin = before,
                Some(_) => break false,
                // Who shows one of the two shows both, if there are both.
                None => break self.peers.get(&origin.authority).is_some_and(|author| author.shows(origin)),
            }
        };
        known.extend(passed.into_iter().map(|origin| (origin, is_known)));
        is_known
    }

    /// Whether a successor log of the author names exactly this checkpoint as what it continues: it then
    /// counts though the key that signed it was revoked.
    pub(super) fn is_acknowledged(&self, origin: &Origin, checkpoint: &SignedCheckpoint) -> bool {
        let shown = &checkpoint.checkpoint;
        let siblings = logs_of(&self.logs, &origin.authority);
        siblings.filter_map(|(_, log)| log.follow.state().previous()).any(|previous| {
            previous.origin == *origin && (previous.size, previous.root) == (shown.size, shown.root)
        })
    }
}

/// Whether all entries that are verified are stored, with the first, which says who reads it.
fn is_whole(log: &super::Log) -> bool {
    let is_stored = log.stored_verified().is_some_and(|c| c.checkpoint.size == log.stored_size());
    is_stored && log.follow.state().readers().is_some()
}
