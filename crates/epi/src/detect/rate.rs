//! A rate that must not be passed: events per 100,000 people in 7 or 14 days (or any number of days), against a threshold that an
//! authority set. Says when it was passed, since when, and when it is over.
//!
//! rate = 100,000 × sum of the points of the last n days / population. Units: events per 100,000 people in n days. It assumes nothing;
//! thresholds are policy.

use super::{ParameterError, Reason, Verdict, all_reported, check_positive, place, reaching_back};
use crate::series::Series;

/// A threshold for the rate per population.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateThreshold {
    /// Days that are added up: 7 or 14 by custom. In a weekly series, a multiple of 7.
    pub days: usize,
    /// People among whom the events are counted.
    pub population: f64,
    /// Events per 100,000 people in the days; more than this is an alarm.
    pub threshold: f64,
}

/// Events per 100,000 people.
pub fn rate_per_100_000(events: f64, population: f64) -> f64 {
    events * 100_000.0 / population
}

impl RateThreshold {
    pub(super) fn check(&self) -> Result<(), ParameterError> {
        check_positive("threshold", self.threshold)?;
        check_positive("population", self.population)?;
        let days = if self.days == 0 { 0.0 } else { 1.0 };
        check_positive("days", days)
    }

    pub(super) fn judge(&self, series: &Series, k: usize) -> Verdict {
        let rate = match self.rate(series, k) {
            Ok(rate) => rate,
            Err(reason) => return Verdict::cannot_say(reason),
        };
        let upper = self.threshold * self.population / 100_000.0;
        let alarm = rate > self.threshold;
        let threshold = self.threshold;
        let reason = if alarm {
            Some(Reason::AboveRate { rate, threshold, days: self.days, since: self.since(series, k) })
        } else {
            let before = k.checked_sub(1).filter(|i| self.rate(series, *i).is_ok_and(|r| r > threshold));
            before.map(|i| Reason::BelowRateAgain { rate, threshold, since: self.since(series, i) })
        };
        Verdict { expected: None, upper: Some(upper), alarm: Some(alarm), p: None, reason }
    }

    /// The rate of the days that end with point `k`.
    pub fn rate(&self, series: &Series, k: usize) -> Result<f64, Reason> {
        let days = usize::try_from(series.step().days()).unwrap_or(1);
        let points = (self.days / days).max(1);
        let Some(first) = (k + 1).checked_sub(points) else {
            return Err(reaching_back(series, place(k + 1) - place(points)));
        };
        let events: f64 = all_reported(series, first..=k)?.iter().sum();
        Ok(rate_per_100_000(events, self.population))
    }

    /// The first point from which on the rate was above without interruption until `k`.
    fn since(&self, series: &Series, k: usize) -> jiff::civil::Date {
        let above = |i: &usize| self.rate(series, *i).is_ok_and(|rate| rate > self.threshold);
        let first = (0..=k).rev().take_while(above).last().unwrap_or(k);
        series.date(first)
    }
}
