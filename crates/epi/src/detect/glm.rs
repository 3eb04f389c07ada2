//! The regression behind Farrington's alarms: quasi-Poisson with logarithmic link, one level per group of points, and a common
//! linear trend if asked for: ln μᵢ = α₍g(i)₎ + β·tᵢ, Var yᵢ = φ μᵢ / ωᵢ.
//!
//! Fitted by iteratively reweighted least squares as `glm.fit` of R does it (start μ = y + 0.1, end when the deviance changes by less
//! than 10⁻⁸ of itself, at most 25 steps; Nelder & Wedderburn, J R Stat Soc A 1972;135:370–84), so that thresholds
//! equal those of `surveillance` to all digits. Each step has a closed form: within groups the trend is a regression through the
//! group's weighted mean, so nothing is factorised and a step costs one pass.
//!
//! It judges no point and draws no threshold.

/// One observation: a count, its group, its time (points) and its prior weight ω.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Observation {
    /// The count, at least 0.
    pub count: f64,
    /// The group whose level it shares.
    pub group: usize,
    /// When, in points of the series.
    pub time: f64,
    /// Prior weight ω; 1 at first.
    pub weight: f64,
}

/// A fitted regression.
#[derive(Debug, Clone)]
pub(super) struct Fit {
    /// Mean of each observation, in their order.
    pub means: Vec<f64>,
    /// Diagonal of the hat matrix: how much each observation pulls its own mean.
    pub leverages: Vec<f64>,
    /// Pearson's χ² per degree of freedom; not yet raised to 1.
    pub dispersion: f64,
    /// Observations less parameters.
    pub degrees: usize,
    /// The trend per point and its variance before dispersion, if there is one.
    pub trend: Option<(f64, f64)>,
    groups: Vec<Group>,
}

/// Weighted sums of one group at the last step.
#[derive(Debug, Clone, Copy, Default)]
struct Group {
    weight: f64,
    time: f64,
    response: f64,
    level: f64,
}

/// R's `glm.control`.
const TOLERANCE: f64 = 1e-8;
const MAX_STEPS: usize = 25;

impl Fit {
    /// Fits `observations`, whose groups are 0..`groups`; `None` if it does not converge or no degree of freedom is left.
    pub(super) fn new(observations: &[Observation], groups: usize, with_trend: bool) -> Option<Self> {
        let used = count_used(observations, groups);
        let degrees = observations.len().checked_sub(used + usize::from(with_trend)).filter(|n| *n > 0)?;
        let mut means: Vec<f64> = observations.iter().map(|o| o.count + 0.1).collect();
        let mut logs: Vec<f64> = means.iter().map(|m| libm::log(*m)).collect();
        let mut weights = vec![0.0; observations.len()];
        let mut deviance = deviance(observations, &means);
        for _ in 0..MAX_STEPS {
            let step = Step::new(observations, &means, &logs, &mut weights, groups, with_trend)?;
            for ((o, mean), log) in observations.iter().zip(&mut means).zip(&mut logs) {
                *log = step.log_mean(o.group, o.time)?;
                *mean = libm::exp(*log).max(f64::EPSILON);
            }
            let before = std::mem::replace(&mut deviance, self::deviance(observations, &means));
            if !deviance.is_finite() {
                return None;
            }
            if (deviance - before).abs() / (deviance.abs() + 0.1) < TOLERANCE {
                return Some(step.finish(observations, means, &weights, degrees));
            }
        }
        None
    }

    /// ln μ at a time, and its variance before dispersion; `None` for a group without observations.
    pub(super) fn predict(&self, group: usize, time: f64) -> Option<(f64, f64)> {
        let of = self.groups.get(group).filter(|g| g.weight > 0.0)?;
        let (slope, variance) = self.trend.unwrap_or((0.0, 0.0));
        let away = time - of.time;
        Some((of.level + slope * away, 1.0 / of.weight + away * away * variance))
    }
}

fn count_used(observations: &[Observation], groups: usize) -> usize {
    let mut seen = vec![false; groups];
    for o in observations {
        seen[o.group] = true;
    }
    seen.iter().filter(|s| **s).count()
}

/// One weighted least-squares step.
struct Step {
    groups: Vec<Group>,
    trend: Option<(f64, f64)>,
}

impl Step {
    fn new(
        observations: &[Observation],
        means: &[f64],
        logs: &[f64],
        weights: &mut [f64],
        groups: usize,
        with_trend: bool,
    ) -> Option<Self> {
        let mut sums = vec![Group::default(); groups];
        let response = |o: &Observation, mean: f64, log: f64| log + (o.count - mean) / mean;
        for (((o, mean), log), weight) in observations.iter().zip(means).zip(logs).zip(&mut *weights) {
            *weight = o.weight * mean;
            let of = &mut sums[o.group];
            of.weight += *weight;
            of.time += *weight * o.time;
            of.response += *weight * response(o, *mean, *log);
        }
        for of in sums.iter_mut().filter(|g| g.weight > 0.0) {
            of.time /= of.weight;
            of.response /= of.weight;
            of.level = of.response;
        }
        let mut trend = None;
        if with_trend {
            let (mut across, mut along) = (0.0, 0.0);
            for (((o, mean), log), weight) in observations.iter().zip(means).zip(logs).zip(&*weights) {
                let of = sums[o.group];
                let away = o.time - of.time;
                along += *weight * away * away;
                across += *weight * away * (response(o, *mean, *log) - of.response);
            }
            if along <= 0.0 {
                return None;
            }
            trend = Some((across / along, 1.0 / along));
        }
        Some(Self { groups: sums, trend })
    }

    fn log_mean(&self, group: usize, time: f64) -> Option<f64> {
        let of = self.groups[group];
        let log = of.level + self.trend.map_or(0.0, |(slope, _)| slope * (time - of.time));
        log.is_finite().then_some(log)
    }

    fn finish(self, observations: &[Observation], means: Vec<f64>, weights: &[f64], degrees: usize) -> Fit {
        let variance = self.trend.map_or(0.0, |(_, variance)| variance);
        let mut pearson = 0.0;
        let mut leverages = Vec::with_capacity(means.len());
        for ((o, mean), weight) in observations.iter().zip(&means).zip(weights) {
            let residual = (o.count - mean) / mean;
            pearson += weight * residual * residual;
            let of = self.groups[o.group];
            let away = o.time - of.time;
            leverages.push(weight * (1.0 / of.weight + away * away * variance));
        }
        // As a float: far below 2⁵² observations.
        #[allow(clippy::cast_precision_loss)]
        let dispersion = pearson / degrees as f64;
        Fit { means, leverages, dispersion, degrees, trend: self.trend, groups: self.groups }
    }
}

/// 2 Σ ω (y ln(y/μ) − (y − μ)).
fn deviance(observations: &[Observation], means: &[f64]) -> f64 {
    let mut sum = 0.0;
    for (o, mean) in observations.iter().zip(means) {
        let log = if o.count > 0.0 { o.count * libm::log(o.count / mean) } else { 0.0 };
        sum += 2.0 * o.weight * (log - (o.count - mean));
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn observe(counts: &[f64], groups: usize) -> Vec<Observation> {
        let at = |(i, count): (usize, &f64)| Observation {
            count: *count,
            group: i % groups,
            time: f64::from(u32::try_from(i).unwrap()),
            weight: 1.0,
        };
        counts.iter().enumerate().map(at).collect()
    }

    /// Without trend the likelihood has a closed answer: each group's mean.
    #[test]
    fn without_a_trend_each_group_has_its_mean() {
        let fit = Fit::new(&observe(&[4.0, 10.0, 6.0, 14.0, 8.0, 12.0], 2), 2, false).unwrap();
        assert!((fit.means[0] - 6.0).abs() < 1e-9 && (fit.means[1] - 12.0).abs() < 1e-9);
        assert!(fit.leverages.iter().all(|h| (h - 1.0 / 3.0).abs() < 1e-9));
    }

    #[test]
    fn a_pure_exponential_is_found() {
        let counts: Vec<f64> = (0..40).map(|i| 3.0 * libm::exp(0.05 * f64::from(i))).collect();
        let fit = Fit::new(&observe(&counts, 1), 1, true).unwrap();
        assert!((fit.trend.unwrap().0 - 0.05).abs() < 1e-9);
        let (log, _) = fit.predict(0, 50.0).unwrap();
        assert!((libm::exp(log) - 3.0 * libm::exp(2.5)).abs() < 1e-6);
    }

    #[test]
    fn nothing_is_left_to_judge_with() {
        assert!(Fit::new(&observe(&[4.0, 5.0], 2), 2, false).is_none());
        assert!(Fit::new(&[], 1, false).is_none());
    }

    proptest! {
        /// The score equations of the Poisson likelihood: in every group, and along time, residuals sum to nothing.
        #[test]
        fn the_score_is_zero(counts in prop::collection::vec(0_u32..40, 30..60), groups in 1_u32..4) {
            let counts: Vec<f64> = counts.into_iter().map(f64::from).collect();
            let count = groups as usize;
            let observations = observe(&counts, count);
            if let Some(fit) = Fit::new(&observations, count, true) {
                let residual = |o: &Observation, m: &f64| o.count - m;
                for group in 0..count {
                    let sum: f64 = observations.iter().zip(&fit.means).filter(|(o, _)| o.group == group)
                        .map(|(o, m)| residual(o, m)).sum();
                    prop_assert!(sum.abs() < 1e-2, "{sum}");
                }
                let along: f64 = observations.iter().zip(&fit.means).map(|(o, m)| o.time * residual(o, m)).sum();
                prop_assert!(along.abs() < 1.0, "{along}");
                let trace: f64 = fit.leverages.iter().sum();
                prop_assert!((trace - f64::from(groups + 1)).abs() < 1e-6, "{trace}");
            }
        }

        #[test]
        fn time_may_be_counted_from_anywhere(counts in prop::collection::vec(1_u32..40, 30..60), shift in -500.0..500.0_f64) {
            let counts: Vec<f64> = counts.into_iter().map(f64::from).collect();
            let here = observe(&counts, 2);
            let there: Vec<_> = here.iter().map(|o| Observation { time: o.time + shift, ..*o }).collect();
            let (here, there) = (Fit::new(&here, 2, true).unwrap(), Fit::new(&there, 2, true).unwrap());
            prop_assert!((here.predict(1, 70.0).unwrap().0 - there.predict(1, 70.0 + shift).unwrap().0).abs() < 1e-8);
        }
    }
}
