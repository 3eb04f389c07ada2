//! CUSUM: small excesses that add up. zₜ = (yₜ − m)/√m, Sₜ = max(0, Sₜ₋₁ + zₜ − k), alarm when S reaches h; S starts at 0.
//!
//! m is the mean of all points before those to be judged, in cases per point; k and h are in standard deviations of a Poisson law.
//! Assumes: a constant level, Poisson counts, no season. Source: Rossi, Lampugnani, Marchi, Stat Med 1999;18:2111–22; standard
//! transformation and defaults k 1.04, h 2.26 as in `algo.cusum` of `surveillance`.
//!
//! After an alarm S begins at 0 again. `surveillance` goes on from where it stood, and one week's outbreak then alarms for weeks
//! after it is over; `reset: false` does the same.
//!
//! The bound is what yₜ must reach: m + √m(h + k − Sₜ₋₁), rounded up to whole cases, at least 0, as `surveillance` prints it. Where a count
//! that alarms does not exceed the rounded bound, the bound is given as it is: an alarm always is a count above its bound.

use super::{ParameterError, Reason, Verdict, all_reported, check_positive};
use crate::series::Series;

/// CUSUM with its parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cusum {
    /// Reference value k: half the shift to be found, in standard deviations.
    pub reference: f64,
    /// Decision limit h, in standard deviations.
    pub limit: f64,
    /// The usual count m; the mean of all points before if not given.
    pub mean: Option<f64>,
    /// Whether the sum begins at 0 again after an alarm.
    pub reset: bool,
    /// Leave points out of the mean, and hold the sum over them, where they are missing or negative.
    pub leave_out_missing: bool,
}

impl Default for Cusum {
    fn default() -> Self {
        Self { reference: 1.04, limit: 2.26, mean: None, reset: true, leave_out_missing: false }
    }
}

impl Cusum {
    pub(super) fn check(&self) -> Result<(), ParameterError> {
        check_positive("reference", self.reference)?;
        check_positive("limit", self.limit)?;
        self.mean.map_or(Ok(()), |mean| check_positive("mean", mean))
    }

    pub(super) fn judge(&self, series: &Series, first: usize) -> Vec<Verdict> {
        let judged = first..series.len();
        let mean = match self.mean.map_or_else(|| self.usual(series, first), Ok) {
            Ok(mean) => mean,
            Err(reason) => return judged.map(|_| Verdict::cannot_say(reason.clone())).collect(),
        };
        let mut run = Run { sum: 0.0, since: None, lost: None };
        judged.map(|t| self.next(series, t, mean, &mut run)).collect()
    }

    fn usual(&self, series: &Series, first: usize) -> Result<f64, Reason> {
        let before = if self.leave_out_missing {
            (0..first).filter_map(|i| series.reported(i)).collect()
        } else {
            all_reported(series, 0..first)?
        };
        if before.is_empty() {
            return Err(Reason::NothingBefore);
        }
        // As a float: a series is far shorter than 2⁵².
        #[allow(clippy::cast_precision_loss)]
        let mean = before.iter().sum::<f64>() / before.len() as f64;
        if mean > 0.0 { Ok(mean) } else { Err(Reason::NoCaseBefore) }
    }

    fn next(&self, series: &Series, t: usize, mean: f64, run: &mut Run) -> Verdict {
        let date = series.date(t);
        if let Some(lost) = &run.lost {
            return Verdict { expected: Some(mean), reason: Some(lost.clone()), ..Verdict::default() };
        }
        let root = mean.sqrt();
        let bound = root * (self.limit + self.reference - run.sum) + mean;
        let Some(observed) = series.reported(t) else {
            if !self.leave_out_missing {
                run.lost = Some(Reason::Missing { points: 1, first: date });
            }
            let upper = Some(bound.ceil().max(0.0));
            return Verdict {
                expected: Some(mean),
                upper,
                reason: Some(Reason::NotReported),
                ..Verdict::default()
            };
        };
        run.sum = (run.sum + ((observed - mean) / root - self.reference)).max(0.0);
        if run.sum > 0.0 {
            run.since.get_or_insert(date);
        } else {
            run.since = None;
        }
        let alarm = run.sum >= self.limit;
        let since = run.since.unwrap_or(date);
        let why = Reason::SumReached { sum: run.sum, limit: self.limit, since, mean };
        if alarm && self.reset {
            *run = Run { sum: 0.0, since: None, lost: None };
        }
        let upper = shown(bound, observed, alarm);
        Verdict {
            expected: Some(mean),
            upper: Some(upper),
            alarm: Some(alarm),
            p: None,
            reason: alarm.then_some(why),
        }
    }
}

/// What is carried from point to point.
struct Run {
    sum: f64,
    since: Option<jiff::civil::Date>,
    lost: Option<Reason>,
}

/// The bound in whole cases, unless that hides an alarm.
fn shown(bound: f64, observed: f64, alarm: bool) -> f64 {
    let rounded = bound.ceil().max(0.0);
    if !alarm || observed > rounded {
        // Without an alarm the count lies below the bound; a rounding error must not turn that round.
        return if alarm { rounded } else { rounded.max(observed) };
    }
    bound.min(observed.next_down())
}
