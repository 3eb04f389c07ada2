//! This authority's age keys: a lasting recipient, and for personal data a row of short-lived ones.
//!
//! Roots are signed by hand about once a year, so that a root lists the short-lived recipients of its whole
//! time in advance, each in force for four weeks, a new one every two. A record is sealed to the one or two
//! in force when it is released: what travels for less than two weeks still finds a key. Here it is said which
//! keys there are to be and when one is over; [`crate::erasure`] destroys them. Nothing here reads a clock.

use record::Time;
use serde::{Deserialize, Serialize};

const DAY: i64 = 86_400;
/// A recipient for personal data is in force this long. The protocol allows 31 days.
const EXPIRING_DAYS: i64 = 28;
/// A recipient for personal data begins so long after the one before.
const EXPIRING_STEP_DAYS: i64 = 14;
/// So long after the end of its root there are still recipients in force, in case that the next one is late.
const SPARE_DAYS: i64 = 28;

/// No root lists more of them: about three years, well within the limits of a root.
const MAX_EXPIRING: usize = 80;

/// The space of age secrets in `state`, by recipient.
pub const AGE_SPACE: &str = "age";

/// A secret age identity, as kept in `state`.
#[derive(Clone, Serialize, Deserialize)]
pub struct AgeSecret {
    /// `AGE-SECRET-KEY-1...`
    pub identity: String,
    /// In force from.
    pub from: Time,
    /// In force until.
    pub until: Time,
    /// Only for personal data, and destroyed after it.
    pub expiring: bool,
}

impl std::fmt::Debug for AgeSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AgeSecret").field("until", &self.until).finish_non_exhaustive()
    }
}

impl AgeSecret {
    /// When it is destroyed: at `last`, the last `expires` of what it opens, but not while it is in force,
    /// since more may be sealed to it. A lasting one never.
    pub fn over(&self, last: Option<Time>) -> Option<Time> {
        self.expiring.then(|| last.map_or(self.until, |last| last.max(self.until)))
    }
}

/// A new age recipient and its secret.
pub fn generate(from: Time, until: Time, expiring: bool) -> (String, AgeSecret) {
    let identity = record::seal::Identity::generate();
    let secret = AgeSecret { identity: identity.to_secret_text().to_string(), from, until, expiring };
    (identity.recipient().to_owned(), secret)
}

/// The times of the short-lived recipients that a root until `root_until` needs besides those that exist, of
/// which `newest` begins last.
pub fn missing_windows(newest: Option<Time>, now: Time, root_until: Time) -> Vec<(Time, Time)> {
    let step = |from: Time| from.saturating_add(EXPIRING_STEP_DAYS * DAY);
    let end = root_until.saturating_add(SPARE_DAYS * DAY);
    let first = newest.map_or(now, |newest| step(newest).max(now));
    std::iter::successors(Some(first), |from| Some(step(*from)))
        .take(MAX_EXPIRING)
        .take_while(|from| from.saturating_add(EXPIRING_DAYS * DAY) <= end)
        .map(|from| (from, from.saturating_add(EXPIRING_DAYS * DAY)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Time {
        text.parse().unwrap()
    }

    #[test]
    fn at_every_moment_of_a_root_some_recipient_for_personal_data_is_in_force() {
        let (now, until) = (at("2026-11-22T08:00:00Z"), at("2027-11-22T08:00:00Z"));
        let windows = missing_windows(None, now, until);
        let mut moment = now;
        while moment < until {
            let in_force = windows.iter().filter(|(from, until)| *from <= moment && moment < *until).count();
            assert!((1..=2).contains(&in_force), "{in_force} at {moment}");
            moment = moment.saturating_add(DAY);
        }
        assert!(windows.iter().all(|(from, until)| until.posix() - from.posix() <= 31 * DAY));
    }

    #[test]
    fn the_next_root_goes_on_where_the_last_one_ended() {
        let (now, until) = (at("2026-11-22T08:00:00Z"), at("2027-11-22T08:00:00Z"));
        let first = missing_windows(None, now, until);
        let newest = first.last().unwrap().0;
        let next = missing_windows(Some(newest), at("2027-10-01T08:00:00Z"), at("2028-10-01T08:00:00Z"));
        assert_eq!(next[0].0.posix() - newest.posix(), EXPIRING_STEP_DAYS * DAY);
        assert!(missing_windows(Some(next.last().unwrap().0), now, until).is_empty(), "there are enough");
        let late = at("2030-01-01T00:00:00Z");
        assert_eq!(missing_windows(Some(newest), late, late.saturating_add(365 * DAY))[0].0, late);
        assert_eq!(missing_windows(None, now, at("9999-12-31T23:59:59Z")).len(), MAX_EXPIRING);
    }

    #[test]
    fn a_key_for_personal_data_is_over_at_the_last_day_of_what_it_opens_and_not_before_its_end() {
        let (_, secret) = generate(at("2026-11-22T00:00:00Z"), at("2026-12-20T00:00:00Z"), true);
        assert_eq!(secret.over(None), Some(at("2026-12-20T00:00:00Z")));
        assert_eq!(secret.over(Some(at("2026-12-01T00:00:00Z"))), Some(at("2026-12-20T00:00:00Z")));
        assert_eq!(secret.over(Some(at("2027-03-01T00:00:00Z"))), Some(at("2027-03-01T00:00:00Z")));
        let (_, lasting) = generate(at("2026-11-22T00:00:00Z"), at("2026-12-20T00:00:00Z"), false);
        assert_eq!(lasting.over(None), None);
    }
}
