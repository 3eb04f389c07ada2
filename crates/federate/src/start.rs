//! Whether an own log may sign after a start: a node that was set up from an old backup must not sign a
//! second view of what it published before (`docs/protocol.md` section 3, "Start").
//!
//! Who answers, and with what, comes from outside. A larger head stops signing whenever it is learnt.

use std::collections::BTreeSet;

use record::Authority;
use tlog::{Policy, VerifierKey};

use crate::engine::{GuardStanding, Permission};

/// What is known about the right of one own log to sign.
#[derive(Debug, Clone)]
pub struct Start {
    /// The guard's word at the start.
    standing: GuardStanding,
    /// When waiting ends if the guard is in step.
    wait_until: u64,
    /// Who answered since the start, with or without a checkpoint.
    answered: BTreeSet<Authority>,
    /// The largest head that somebody showed beyond our own.
    shown: u64,
    /// A person took the responsibility.
    is_resumed: bool,
    /// A head was shown that does not reconcile with our own entries.
    is_stopped: bool,
}

impl Start {
    /// A log at the start; `wait_until` is in the engine's milliseconds.
    pub fn new(standing: GuardStanding, wait_until: u64) -> Self {
        let (answered, shown) = (BTreeSet::new(), 0);
        Self { standing, wait_until, answered, shown, is_resumed: false, is_stopped: false }
    }

    /// The log is given, of which only what others show was known: that stays known. Who answered is asked again, by its
    /// policy.
    #[must_use]
    pub fn begun(&self, standing: GuardStanding, wait_until: u64) -> Self {
        Self { shown: self.shown, ..Self::new(standing, wait_until) }
    }

    /// A witness or follower told what it knows of the log, or that it knows nothing.
    pub fn answered(&mut self, by: &Authority) {
        self.answered.insert(by.clone());
    }

    /// Whether somebody answered already.
    pub fn has_answered(&self, by: &Authority) -> bool {
        self.answered.contains(by)
    }

    /// Somebody showed a head, signed by the log's key, that is larger than ours.
    pub fn shown(&mut self, size: u64) {
        self.shown = self.shown.max(size);
    }

    /// Whether somebody showed a head beyond this size.
    pub fn is_shown_more_than(&self, size: u64) -> bool {
        self.shown > size
    }

    /// Whether the log's own files have to be fetched back.
    pub fn lacks_files(&self) -> bool {
        self.standing == GuardStanding::Damaged
    }

    /// The log's own files are found to be damaged while it runs.
    pub fn damaged(&mut self) {
        self.standing = GuardStanding::Damaged;
    }

    /// The log's own files are back, up to its head at least.
    pub fn mended(&mut self) {
        if self.lacks_files() {
            self.standing = GuardStanding::InStep;
        }
    }

    /// Whether this state may be an old one, as the guard says: that others know more is then no surprise.
    pub fn may_be_old(&self) -> bool {
        matches!(self.standing, GuardStanding::Missing | GuardStanding::Ahead { .. })
    }

    /// A head was shown that contradicts our own entries, or whose entries are not ours.
    pub fn stop(&mut self) {
        self.is_stopped = true;
    }

    /// An operator takes the responsibility.
    pub fn resume(&mut self) {
        (self.is_resumed, self.is_stopped, self.shown) = (true, false, 0);
    }

    /// Whether the log of a size may sign now. `policy` tells whose silence could hide a quorum; an operator ended the
    /// exchange with those who are `removed`, so nobody waits for them.
    pub fn permission(
        &self,
        now: u64,
        size: u64,
        policy: &Policy,
        everybody: &BTreeSet<Authority>,
        removed: &BTreeSet<Authority>,
    ) -> Permission {
        if self.is_stopped {
            return Permission::Stopped;
        }
        if self.shown > size {
            return Permission::CatchUp { size: self.shown };
        }
        if self.lacks_files() {
            return Permission::CatchUp { size };
        }
        if let GuardStanding::Ahead { signed } = self.standing
            && signed > size
            && !self.is_resumed
        {
            return Permission::CatchUp { size: signed };
        }
        let all_answered = everybody.iter().all(|peer| self.answered.contains(peer));
        let may = self.is_resumed
            || match self.standing {
                GuardStanding::New => true,
                GuardStanding::InStep => now >= self.wait_until || all_answered,
                GuardStanding::Missing | GuardStanding::Ahead { .. } => {
                    self.silence_is_harmless(policy, removed)
                }
                GuardStanding::Damaged => false,
            };
        if may { Permission::May } else { Permission::Wait }
    }

    /// When the permission may change by time alone.
    pub fn deadline(&self) -> Option<u64> {
        (self.standing == GuardStanding::InStep && !self.is_resumed).then_some(self.wait_until)
    }

    /// Whether the witnesses that did not answer could not form the log's quorum. With a policy that needs no witness, or
    /// where nobody at all answered, silence is never harmless: only a person can say so. Who was removed is not
    /// waited for, and its removal is no answer either.
    fn silence_is_harmless(&self, policy: &Policy, removed: &BTreeSet<Authority>) -> bool {
        let is_silent = |key: &VerifierKey| {
            Authority::of_key_name(key.name())
                .map_or(true, |witness| !self.answered.contains(&witness) && !removed.contains(&witness))
        };
        let somebody_answered = self.answered.iter().any(|peer| !removed.contains(peer));
        somebody_answered && policy.needs_witnesses() && !policy.satisfied_by(is_silent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tlog::{KeyType, SecretKey};

    fn authority(name: &str) -> Authority {
        format!("{name}.example").parse().unwrap()
    }

    /// Two of three witnesses make a quorum.
    fn policy() -> Policy {
        let mut text = String::new();
        for (seed, name) in [(1, "a"), (2, "b"), (3, "c")] {
            let key = SecretKey::from_seed([seed; 32])
                .verifier(&format!("{name}.example/witness/1"), KeyType::Cosignature)
                .unwrap();
            text = text + "witness " + name + " " + &key.to_string() + "\n";
        }
        Policy::parse((text + "group g 2 a b c\nquorum g\n").as_bytes()).unwrap()
    }

    fn everybody() -> BTreeSet<Authority> {
        ["a", "b", "c"].map(authority).into()
    }

    fn nobody() -> BTreeSet<Authority> {
        BTreeSet::new()
    }

    #[test]
    fn a_new_log_asks_nobody() {
        let start = Start::new(GuardStanding::New, 10_000);
        assert_eq!(start.permission(0, 0, &policy(), &everybody(), &nobody()), Permission::May);
    }

    #[test]
    fn a_guard_in_step_waits_ten_seconds_at_most() {
        let mut start = Start::new(GuardStanding::InStep, 10_000);
        assert_eq!(start.permission(9_999, 5, &policy(), &everybody(), &nobody()), Permission::Wait);
        assert_eq!(start.permission(10_000, 5, &policy(), &everybody(), &nobody()), Permission::May);
        ["a", "b", "c"].map(authority).iter().for_each(|peer| start.answered(peer));
        assert_eq!(start.permission(1, 5, &policy(), &everybody(), &nobody()), Permission::May);
    }

    #[test]
    fn without_a_guard_the_silent_ones_must_be_too_few() {
        let mut start = Start::new(GuardStanding::Missing, 10_000);
        assert_eq!(start.permission(99_999, 5, &policy(), &everybody(), &nobody()), Permission::Wait);
        start.answered(&authority("a"));
        assert_eq!(start.permission(99_999, 5, &policy(), &everybody(), &nobody()), Permission::Wait);
        start.answered(&authority("b"));
        assert_eq!(start.permission(0, 5, &policy(), &everybody(), &nobody()), Permission::May);
        let open = Policy::parse(b"quorum none\n").unwrap();
        assert_eq!(start.permission(0, 5, &open, &everybody(), &nobody()), Permission::Wait);
        start.resume();
        assert_eq!(start.permission(0, 5, &open, &everybody(), &nobody()), Permission::May);
    }

    /// The only witness of a log, and two of three: neither comes back, and an operator said so.
    #[test]
    fn who_was_removed_is_not_waited_for() {
        let gone: BTreeSet<Authority> = ["b", "c"].map(authority).into();
        let mut start = Start::new(GuardStanding::Missing, 10_000);
        assert_eq!(
            start.permission(99_999, 5, &policy(), &nobody(), &gone),
            Permission::Wait,
            "nobody answered"
        );
        start.answered(&authority("c"));
        assert_eq!(
            start.permission(99_999, 5, &policy(), &nobody(), &gone),
            Permission::Wait,
            "who is gone answers for nobody"
        );
        start.answered(&authority("a"));
        assert_eq!(
            start.permission(0, 5, &policy(), &nobody(), &nobody()),
            Permission::May,
            "one of three cannot hide a quorum"
        );

        let mut alone = Start::new(GuardStanding::Missing, 10_000);
        let key =
            SecretKey::from_seed([1; 32]).verifier("b.example/witness/1", KeyType::Cosignature).unwrap();
        let only = Policy::parse(format!("witness b {key}\nquorum b\n").as_bytes()).unwrap();
        alone.answered(&authority("follower"));
        assert_eq!(alone.permission(99_999, 5, &only, &nobody(), &nobody()), Permission::Wait);
        assert_eq!(alone.permission(99_999, 5, &only, &nobody(), &gone), Permission::May);
    }

    #[test]
    fn a_larger_head_stops_signing_at_once() {
        let mut start = Start::new(GuardStanding::InStep, 0);
        assert_eq!(start.permission(1, 5, &policy(), &everybody(), &nobody()), Permission::May);
        start.shown(7);
        assert_eq!(
            start.permission(1, 5, &policy(), &everybody(), &nobody()),
            Permission::CatchUp { size: 7 }
        );
        assert_eq!(start.permission(1, 7, &policy(), &everybody(), &nobody()), Permission::May);
        start.stop();
        assert_eq!(start.permission(1, 7, &policy(), &everybody(), &nobody()), Permission::Stopped);
    }

    #[test]
    fn damaged_files_are_fetched_back_whatever_an_operator_says() {
        let mut start = Start::new(GuardStanding::Damaged, 0);
        start.resume();
        assert_eq!(
            start.permission(99_999, 5, &policy(), &everybody(), &nobody()),
            Permission::CatchUp { size: 5 }
        );
        start.mended();
        assert_eq!(start.permission(99_999, 5, &policy(), &everybody(), &nobody()), Permission::May);
    }

    #[test]
    fn a_guard_that_is_ahead_wants_its_entries_back() {
        let mut start = Start::new(GuardStanding::Ahead { signed: 9 }, 0);
        assert_eq!(
            start.permission(99_999, 5, &policy(), &everybody(), &nobody()),
            Permission::CatchUp { size: 9 }
        );
        ["a", "b"].map(authority).iter().for_each(|peer| start.answered(peer));
        assert_eq!(start.permission(99_999, 9, &policy(), &everybody(), &nobody()), Permission::May);
    }
}
