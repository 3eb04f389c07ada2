//! EARS, the Early Aberration Reporting System: a point against the week before it.
//!
//! *C1*: upper = m + z·max(s, σ₀), where m and s are mean and standard deviation (n − 1) of points t−7…t−1 and z = Φ⁻¹(1 − α).
//! *C2*: the same over t−9…t−3, so that a rise does not hide in its own baseline.
//! *C3*: with the C2 deviation dᵢ = (yᵢ − mᵢ)/sᵢ, the sum of max(0, dᵢ − 1) over t−2 and t−1 must exceed z; written as a
//! bound of the count: upper = max(0, yₜ + sₜ(z − sum)). Units: counts per point.
//!
//! Assumes: a level and spread that hold for ten points, near-normal counts; no day-of-week effect is removed. Source: Hutwagner
//! et al., J Urban Health 2003;80(2 Suppl 1):i89–96; Fricker, Hegler, Dunfee, Stat Med 2008;27:3407–29; bounds as in `surveillance`.
//!
//! A baseline that does not vary (s = 0 and σ₀ = 0) makes dᵢ infinite or 0/0. C3 then has the value that it tends to as σ₀ → 0,
//! where `surveillance` gives NA.

use super::tail::{normal_above, normal_exceeded};
use super::{ParameterError, Reason, Verdict, all_reported, check_alpha, place, reaching_back};
use crate::series::Series;

/// Which of the three.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// Against the seven points before.
    C1,
    /// Against seven points, with two left out between.
    C2,
    /// C2, gathered over three points.
    C3,
}

/// EARS with its parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ears {
    /// Which of the three.
    pub variant: Variant,
    /// The probability of a false alarm at one point.
    pub alpha: f64,
    /// The least standard deviation σ₀, in cases.
    pub min_sigma: f64,
}

/// Points in a baseline.
const BASELINE: usize = 7;
/// Points between a C2 baseline and the point judged.
const GAP: usize = 2;

impl Ears {
    /// As the method's authors and `surveillance` have it: α 0.001 (C1, C2) or 0.025 (C3), no least deviation.
    pub fn new(variant: Variant) -> Self {
        let alpha = if variant == Variant::C3 { 0.025 } else { 0.001 };
        Self { variant, alpha, min_sigma: 0.0 }
    }

    pub(super) fn check(&self) -> Result<(), ParameterError> {
        check_alpha(self.alpha)?;
        let fine = self.min_sigma.is_finite() && self.min_sigma >= 0.0;
        if fine { Ok(()) } else { Err(ParameterError::MinSigma { found: self.min_sigma }) }
    }

    pub(super) fn judge(&self, series: &Series, k: usize) -> Verdict {
        let reach = match self.variant {
            Variant::C1 => BASELINE,
            Variant::C2 => BASELINE + GAP,
            Variant::C3 => BASELINE + GAP + 2,
        };
        if k < reach {
            return Verdict::cannot_say(reaching_back(series, place(k) - place(reach)));
        }
        let judged = match self.variant {
            Variant::C1 => self.against_baseline(series, k, 0),
            Variant::C2 => self.against_baseline(series, k, GAP),
            Variant::C3 => self.gathered(series, k),
        };
        judged.unwrap_or_else(Verdict::cannot_say)
    }

    fn against_baseline(&self, series: &Series, k: usize, gap: usize) -> Result<Verdict, Reason> {
        let of = Baseline::before(series, k, gap, self.min_sigma)?;
        let upper = of.mean + normal_exceeded(self.alpha) * of.sd;
        let Some(observed) = series.reported(k) else {
            let reason = Some(Reason::NotReported);
            return Ok(Verdict { expected: Some(of.mean), upper: Some(upper), reason, ..Verdict::default() });
        };
        let alarm = observed > upper;
        let (from, to) = (series.date(of.first), series.date(of.first + BASELINE - 1));
        let why = Reason::AboveBaseline { mean: of.mean, sd: of.sd, from, to };
        Ok(Verdict {
            expected: Some(of.mean),
            upper: Some(upper),
            alarm: Some(alarm),
            p: Some(normal_above(of.deviation(observed))),
            reason: alarm.then_some(why),
        })
    }

    fn gathered(&self, series: &Series, k: usize) -> Result<Verdict, Reason> {
        let now = Baseline::before(series, k, GAP, self.min_sigma)?;
        let earlier = |lag: usize| {
            let of = Baseline::before(series, k - lag, GAP, self.min_sigma)?;
            Ok((all_reported(series, [k - lag])?[0], of))
        };
        let before = [earlier(2)?, earlier(1)?];
        let Some(observed) = series.reported(k) else {
            let reason = Some(Reason::NotReported);
            return Ok(Verdict { expected: Some(now.mean), reason, ..Verdict::default() });
        };
        let sum: f64 = before.iter().map(|(y, of)| (of.deviation(*y) - 1.0).max(0.0)).sum();
        let limit = normal_exceeded(self.alpha);
        let upper = if sum.is_finite() {
            observed + now.sd * (limit - sum)
        } else if now.sd > 0.0 {
            0.0
        } else {
            // The limit as the least deviation goes to nothing: what stood above flat baselines is taken off.
            let above: f64 =
                before.iter().filter(|(_, of)| of.sd <= 0.0).map(|(y, of)| (y - of.mean).max(0.0)).sum();
            observed - above
        };
        let upper = upper.max(0.0);
        let alarm = observed > upper;
        let why = Reason::AboveBaselineBefore {
            sum: sum.is_finite().then_some(sum),
            limit,
            from: series.date(k - BASELINE - GAP - 2),
            to: series.date(k - GAP - 1),
        };
        // Without cases, or without any variation in the last baseline, the bound says nothing of how surely.
        let p = if alarm || (now.sd > 0.0 && observed > 0.0) { normal_above(sum) } else { 1.0 };
        Ok(Verdict {
            expected: Some(now.mean),
            upper: Some(upper),
            alarm: Some(alarm),
            p: Some(p),
            reason: alarm.then_some(why),
        })
    }
}

struct Baseline {
    first: usize,
    mean: f64,
    sd: f64,
}

impl Baseline {
    /// The seven points that end `gap` points before `k`.
    fn before(series: &Series, k: usize, gap: usize, min_sigma: f64) -> Result<Self, Reason> {
        let first = k - gap - BASELINE;
        let points = all_reported(series, first..first + BASELINE)?;
        let mean = points.iter().sum::<f64>() / 7.0;
        let variance = points.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 6.0;
        Ok(Self { first, mean, sd: variance.sqrt().max(min_sigma) })
    }

    /// (y − m)/s. What equals a baseline without variation deviates by nothing.
    fn deviation(&self, y: f64) -> f64 {
        let above = y - self.mean;
        if above == 0.0 { 0.0 } else { above / self.sd }
    }
}
