//! What Farrington's two methods have in common: a regression on reference points in which points that were unusual themselves count
//! less, and in which a trend stays only where it may.
//!
//! Anscombe residual of point i: sᵢ = 1.5 (yᵢ^⅔ μᵢ^−⅙ − μᵢ^½) / √(φ(1 − hᵢ)), with leverage hᵢ and φ raised to at least 1. Points with
//! sᵢ above a threshold get weight γ sᵢ⁻², the others γ, so that weights add up to the number of points; then it is fitted again.

use super::glm::{Fit, Observation};
use super::tail::student_both_sides;

/// How a method wants it fitted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// Groups that observations may belong to.
    pub groups: usize,
    /// Standardised residual from which on a point counts less.
    pub reweight_above: f64,
    /// A trend stays if its p-value is below this; `None`: whatever its p-value.
    pub trend_below: Option<f64>,
    /// A trend is tried at all.
    pub trend: bool,
}

/// What is expected at the point judged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expectation {
    /// Mean count μ.
    pub mean: f64,
    /// Variance of ln μ, with dispersion.
    pub variance: f64,
    /// φ, at least 1.
    pub dispersion: f64,
    /// ln of the change per point, if the trend stays.
    pub trend: Option<f64>,
    /// Points with less weight.
    pub weighted_down: usize,
}

/// Fits the reference points and predicts `group` at `time`; `None` where the regression has no answer.
pub(super) fn expect(
    observations: &[Observation],
    plan: &Plan,
    group: usize,
    time: f64,
) -> Option<Expectation> {
    if !observations.is_empty() && observations.iter().all(|o| o.count == 0.0) {
        // The likelihood is highest at no cases at all, which no iteration reaches.
        return Some(Expectation {
            mean: 0.0,
            variance: 0.0,
            dispersion: 1.0,
            trend: None,
            weighted_down: 0,
        });
    }
    if plan.trend
        && let Some((fit, weighted_down)) = fit_twice(observations, plan, true)
    {
        let found = predict(&fit, group, time, weighted_down)?;
        let most = observations.iter().map(|o| o.count).fold(0.0, f64::max);
        if found.mean <= most && plan.trend_below.is_none_or(|limit| trend_p(&fit) < limit) {
            return Some(found);
        }
    }
    let (fit, weighted_down) = fit_twice(observations, plan, false)?;
    predict(&fit, group, time, weighted_down)
}

fn fit_twice(observations: &[Observation], plan: &Plan, with_trend: bool) -> Option<(Fit, usize)> {
    let first = Fit::new(observations, plan.groups, with_trend)?;
    let mut weighted = observations.to_vec();
    let weighted_down = reweight(&mut weighted, &first, plan.reweight_above);
    Some((Fit::new(&weighted, plan.groups, with_trend)?, weighted_down))
}

/// Sets the weights; how many points have less than the others.
fn reweight(observations: &mut [Observation], fit: &Fit, above: f64) -> usize {
    let dispersion = fit.dispersion.max(1.0);
    let mut weighted_down = 0;
    let mut sum = 0.0;
    for ((o, mean), leverage) in observations.iter_mut().zip(&fit.means).zip(&fit.leverages) {
        let raw = 1.5 * (libm::pow(o.count, 2.0 / 3.0) * libm::pow(*mean, -1.0 / 6.0) - mean.sqrt());
        let free = 1.0 - leverage;
        // A point that alone decides its mean has no residual.
        let residual = if free > 1e-12 { raw / (dispersion * free).sqrt() } else { 0.0 };
        o.weight = if residual > above { 1.0 / (residual * residual) } else { 1.0 };
        weighted_down += usize::from(residual > above);
        sum += o.weight;
    }
    // As a float: far below 2⁵² observations.
    #[allow(clippy::cast_precision_loss)]
    let scale = observations.len() as f64 / sum;
    for o in observations {
        o.weight *= scale;
    }
    weighted_down
}

fn predict(fit: &Fit, group: usize, time: f64, weighted_down: usize) -> Option<Expectation> {
    let (log, variance) = fit.predict(group, time)?;
    let dispersion = fit.dispersion.max(1.0);
    let mean = libm::exp(log);
    let trend = fit.trend.map(|(slope, _)| slope);
    let found = Expectation { mean, variance: variance * dispersion, dispersion, trend, weighted_down };
    (mean.is_finite() && dispersion.is_finite()).then_some(found)
}

/// p-value of the trend by Student's law, with the dispersion as estimated.
fn trend_p(fit: &Fit) -> f64 {
    let Some((slope, variance)) = fit.trend else { return 1.0 };
    // As a float: far below 2⁵² observations.
    #[allow(clippy::cast_precision_loss)]
    let degrees = fit.degrees as f64;
    student_both_sides(slope / (variance * fit.dispersion).sqrt(), degrees)
}
