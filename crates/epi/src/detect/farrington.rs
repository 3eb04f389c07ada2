//! Farrington's method: a week against the same weeks of earlier years.
//!
//! Quasi-Poisson regression on the reference points (2w + 1 in each of b years), with a linear trend if its p-value is below 0.05,
//! b ≥ 3 and the expectation is no larger than every reference count; points whose Anscombe residual exceeds 1 count less. On the scale
//! μ^⅔: upper = μ (1 + ⅔ z τ^½ μ^−½)^{3/2}, τ = φ + Var(μ)/μ, and z = Φ⁻¹(1 − α/2): the interval is two-sided, as in
//! `surveillance`, though only its upper end is looked at. Units: counts per point.
//!
//! Assumes: reference weeks are comparable, reporting did not change. Where fewer than 5 cases came in the last 4 points the method does
//! not speak. Source: Farrington, Andrews, Beale, Catchpole, J R Stat Soc A 1996;159:547–63.
//!
//! `surveillance` silently uses what history there is; here a point without all its reference points is not judged.

use super::glm::Observation;
use super::regression::{Expectation, Plan, expect};
use super::tail::{normal_above, normal_exceeded};
use super::{
    MAX_HALF_WINDOW, MAX_YEARS, ParameterError, Reason, Reference, Verdict, all_reported, check_alpha,
};
use crate::series::Series;

/// The parameters of Farrington's two methods, this one and [`super::flexible`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Farrington {
    /// The probability of a false alarm at one point: of both sides together here, of the upper side in the flexible method.
    pub alpha: f64,
    /// Years to look back, b.
    pub years: usize,
    /// Weeks to both sides, w.
    pub half_window: usize,
    /// How to find the same week of another year.
    pub reference: Reference,
    /// Leave points out of the regression where they are missing or negative, instead of not answering.
    pub leave_out_missing: bool,
}

impl Default for Farrington {
    fn default() -> Self {
        Self {
            alpha: 0.05,
            years: 5,
            half_window: 3,
            reference: Reference::Calendar,
            leave_out_missing: false,
        }
    }
}

/// So few cases ...
const LEAST_CASES: f64 = 5.0;
/// ... in so many points raise no alarm.
const LATELY: usize = 4;

impl Farrington {
    pub(super) fn check(&self) -> Result<(), ParameterError> {
        check_alpha(self.alpha)?;
        if self.years == 0 || self.years > MAX_YEARS {
            return Err(ParameterError::Years { found: self.years, most: MAX_YEARS });
        }
        if self.half_window > MAX_HALF_WINDOW {
            return Err(ParameterError::HalfWindow { found: self.half_window, most: MAX_HALF_WINDOW });
        }
        Ok(())
    }

    pub(super) fn judge(&self, series: &Series, k: usize) -> Verdict {
        self.compare(series, k).unwrap_or_else(Verdict::cannot_say)
    }

    fn compare(&self, series: &Series, k: usize) -> Result<Verdict, Reason> {
        let windows = self.reference.windows(series, k, self.years, self.half_window)?;
        let reach = self.half_window * windows.stride;
        let places = windows.middles.iter().rev().flat_map(|middle| {
            (middle - reach..=middle + reach).step_by(windows.stride).map(|index| (index, 0))
        });
        let observations = observations(series, places, self.leave_out_missing)?;
        let observed = lately(series, k)?;
        if let Observed::Few(verdict) = observed {
            return Ok(verdict);
        }
        let Observed::Enough(observed) = observed else { unreachable!() };
        let trend = self.years >= 3;
        let plan = Plan { groups: 1, reweight_above: 1.0, trend_below: Some(0.05), trend };
        let at = time(k);
        let found =
            expect(&observations, &plan, 0, at).ok_or(Reason::NotFitted { points: observations.len() })?;
        let (upper, p) = self.bound(&found, observed);
        Ok(conclude(series, self.years, &observations, &found, observed, upper, p))
    }

    /// The upper end, and the p-value on the same scale, both sides together.
    fn bound(&self, found: &Expectation, observed: f64) -> (f64, f64) {
        if found.mean <= 0.0 {
            return (0.0, if observed > 0.0 { 0.0 } else { 1.0 });
        }
        // Var(μ)/μ = μ Var(ln μ).
        let tau = found.dispersion + found.mean * found.variance;
        let centre = libm::pow(found.mean, 2.0 / 3.0);
        let deviation = (4.0 / 9.0 * libm::cbrt(found.mean) * tau).sqrt();
        let upper = libm::pow(centre + normal_exceeded(self.alpha / 2.0) * deviation, 1.5);
        let above = (libm::pow(observed, 2.0 / 3.0) - centre) / deviation;
        (upper, (2.0 * normal_above(above)).min(1.0))
    }
}

/// Points by index and group, as observations.
pub(super) fn observations(
    series: &Series,
    places: impl Iterator<Item = (usize, usize)>,
    leave_out_missing: bool,
) -> Result<Vec<Observation>, Reason> {
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for (index, group) in places {
        match series.reported(index) {
            Some(count) => found.push(Observation { count, group, time: time(index), weight: 1.0 }),
            None => missing.push(index),
        }
    }
    match missing.first() {
        Some(first) if !leave_out_missing => {
            Err(Reason::Missing { points: missing.len(), first: series.date(*first) })
        }
        _ => Ok(found),
    }
}

/// An index as a time.
pub(super) fn time(index: usize) -> f64 {
    // As a float: a series is far shorter than 2⁵².
    #[allow(clippy::cast_precision_loss)]
    let time = index as f64;
    time
}

/// What was observed, and whether it is enough to speak.
pub(super) enum Observed {
    /// Speak.
    Enough(f64),
    /// Do not.
    Few(Verdict),
}

pub(super) fn lately(series: &Series, k: usize) -> Result<Observed, Reason> {
    let observed = series.reported(k).ok_or(Reason::NotReported)?;
    let cases: f64 = all_reported(series, k.saturating_sub(LATELY - 1)..=k)?.iter().sum();
    if cases >= LEAST_CASES {
        return Ok(Observed::Enough(observed));
    }
    let reason = Some(Reason::FewCases { cases, points: LATELY, least: LEAST_CASES });
    Ok(Observed::Few(Verdict { alarm: Some(false), reason, ..Verdict::default() }))
}

pub(super) fn conclude(
    series: &Series,
    years: usize,
    observations: &[Observation],
    found: &Expectation,
    observed: f64,
    upper: f64,
    p: f64,
) -> Verdict {
    let alarm = observed > upper;
    // Times are indices.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let date = |o: Option<&Observation>| series.date(o.map_or(0, |o| o.time as usize));
    let reason = alarm.then(|| Reason::AboveReference {
        years,
        points: observations.len(),
        from: date(observations.first()),
        to: date(observations.last()),
        trend: found.trend.map(libm::exp),
        weighted_down: found.weighted_down,
    });
    Verdict { expected: Some(found.mean), upper: Some(upper), alarm: Some(alarm), p: Some(p), reason }
}
