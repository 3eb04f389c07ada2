//! Scenarios: what follows if the reproduction number is this from that day on. A renewal process, run many times.
//!
//! λₜ = Σₛ wₛ Iₜ₋ₛ is what earlier cases pass on, w the serial interval. New cases are Poisson with mean Rₜ λₜ G, where G is 1 or, if people
//! differ in how many they infect, gamma with mean 1 and shape kλₜ: then the variance is Rλ(1 + R/k). With a population, cases are binomial
//! among the Sₜ who are still susceptible, each with probability 1 − exp(−Rₜ λₜ G / S₀), where S₀ are the susceptible on the first day: Rₜ
//! is what R would be with as many susceptible as at the start, and an epidemic that nobody stops ends at its final size.
//! (`EpiNow2` divides by Sₜ instead; there everybody is infected in the end whenever R stays above 1.)
//!
//! R of each step is log-normal with the mean and standard deviation given, drawn once a run with the same deviate for all steps: whoever has
//! R too low before has it too low after. An outcome happens to a share of cases after a delay, Poisson; who occupies a bed does so
//! for a stay. Cases are by date of report, as the history is, and so are delays.
//!
//! Assumes: the serial interval holds, reporting does not change, nobody comes or leaves, all are equally susceptible. It predicts
//! nothing: it says what the assumptions say. Source: Fraser 2007, doi 10.1371/journal.pone.0000758; Nouvellet et al., Epidemics 2018;22:3–11. Units:
//! cases, deaths, beds per day.
//!
//! Runs have streams of random numbers of their own ([`crate::random`]), so that two scenarios with one seed meet the same chance: the
//! difference of a run and its counterpart is that of the scenarios.

use jiff::civil::Date;

use crate::delay::Delay;
use crate::random::Stream;
use crate::serial_interval::SerialInterval;
use crate::series::{Series, Step};

/// From a day on, R has this value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reproduction {
    /// Days after the history's last; the first is 1.
    pub day: usize,
    /// Mean of R.
    pub mean: f64,
    /// Its standard deviation; 0 if it is taken as known.
    pub sd: f64,
}

/// What happens to a share of cases.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Its name in results.
    pub name: &'static str,
    /// To which share of cases, 0 to 1.
    pub share: f64,
    /// After how many days.
    pub delay: Delay,
    /// For how many days, if it lasts: then beds are counted, not events.
    pub stay: Option<Delay>,
}

/// A scenario.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// The steps of R, by day; the first holds from day 1.
    pub steps: Vec<Reproduction>,
    /// How many days.
    pub days: usize,
    /// How many runs.
    pub runs: u32,
    /// The seed.
    pub seed: u64,
    /// People who are susceptible on the first day, if that is to matter.
    pub susceptible: Option<f64>,
    /// How evenly people infect others: the size k of the negative binomial law; infinite if evenly.
    pub evenness: f64,
    /// What happens to cases.
    pub outcomes: Vec<Outcome>,
}

/// The most days.
pub const MAX_DAYS: usize = 3650;
/// The most runs.
pub const MAX_RUNS: u32 = 100_000;
/// The most numbers of one measure that are kept: days times runs.
const MAX_NUMBERS: usize = 50_000_000;
/// Cases a day beyond which a scenario without a population makes no sense.
const TOO_MANY: f64 = 1e10;
/// Days that pass on this share of infections must have figures; a gap before them adds nothing.
const MOST: f64 = 0.99;
/// Lags beyond this share are not looked at.
const ALL: f64 = 1.0 - 1e-9;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ScenarioError {
    /// Weekly figures.
    #[error("a scenario goes by days; the figures are weekly")]
    Weekly,
    /// Days of the last serial interval without a figure.
    #[error(
        "of the last {needed} days, which pass on infections, {points} are missing or negative, the first {first}"
    )]
    Missing {
        /// So many days are needed.
        needed: usize,
        /// So many of them are missing.
        points: usize,
        /// The first.
        first: Date,
    },
    /// A number out of range.
    #[error("{what} is {found}; it must be {wanted}")]
    Number {
        /// Which.
        what: &'static str,
        /// What was given.
        found: f64,
        /// What would be right.
        wanted: &'static str,
    },
    /// Nobody can be infected so often.
    #[error("more than 10¹⁰ cases on day {day}: give the population, of whom nobody is infected twice")]
    TooMany {
        /// The day.
        day: usize,
    },
}

impl ScenarioError {
    /// Machine code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Weekly => "epi-scenario-weekly",
            Self::Missing { .. } => "epi-scenario-missing",
            Self::Number { .. } => "epi-scenario-number",
            Self::TooMany { .. } => "epi-scenario-too-many",
        }
    }

    /// Named arguments, in a fixed order.
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Weekly => Vec::new(),
            Self::Missing { needed, points, first } => vec![
                ("needed", needed.to_string()),
                ("points", points.to_string()),
                ("first", first.to_string()),
            ],
            Self::Number { what, found, wanted } => vec![
                ("what", (*what).to_owned()),
                ("found", found.to_string()),
                ("wanted", (*wanted).to_owned()),
            ],
            Self::TooMany { day } => vec![("day", day.to_string())],
        }
    }
}

/// One measure in all runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    /// `cases`, or the outcome's name.
    pub name: &'static str,
    /// Whether it is a stock (beds), whose days cannot be added up.
    pub stock: bool,
    /// Run after run, day after day.
    numbers: Vec<f64>,
    days: usize,
}

/// How a number is distributed over the runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Band {
    /// Mean.
    pub mean: f64,
    /// Quantiles 0.025, 0.25, 0.5, 0.75, 0.975 (linear between runs).
    pub quantiles: [f64; 5],
}

/// The quantiles of a [`Band`].
pub const QUANTILES: [f64; 5] = [0.025, 0.25, 0.5, 0.75, 0.975];

impl Measure {
    /// The band of a day, from 0.
    pub fn day(&self, day: usize) -> Band {
        Band::of(self.numbers.iter().skip(day).step_by(self.days).copied().collect())
    }

    /// What each run comes to: the sum of a flow, the highest day of a stock.
    pub fn of_runs(&self) -> Vec<f64> {
        let come_to = |run: &[f64]| {
            if self.stock { run.iter().copied().fold(0.0, f64::max) } else { run.iter().sum() }
        };
        self.numbers.chunks(self.days).map(come_to).collect()
    }
}

impl Band {
    /// Of the numbers of all runs; there is at least one.
    pub fn of(mut numbers: Vec<f64>) -> Self {
        let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
        numbers.sort_by(f64::total_cmp);
        let quantile = |p: f64| {
            let place = p * (numbers.len() - 1) as f64;
            let low = place.floor();
            // Below the number of runs.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let i = low as usize;
            let next = numbers[(i + 1).min(numbers.len() - 1)];
            numbers[i] + (place - low) * (next - numbers[i])
        };
        Self { mean, quantiles: QUANTILES.map(quantile) }
    }

    /// Of the differences, run by run, between two scenarios with the same seed.
    pub fn of_difference(one: &[f64], other: &[f64]) -> Self {
        Self::of(one.iter().zip(other).map(|(a, b)| a - b).collect())
    }
}

impl Scenario {
    fn check(&self) -> Result<(), ScenarioError> {
        let number = |what, found: f64, wanted, fine: bool| {
            if fine { Ok(()) } else { Err(ScenarioError::Number { what, found, wanted }) }
        };
        number("days", self.days as f64, "1 to 3650", (1..=MAX_DAYS).contains(&self.days))?;
        number("runs", f64::from(self.runs), "1 to 100000", (1..=MAX_RUNS).contains(&self.runs))?;
        let numbers = self.days.saturating_mul(self.runs as usize);
        number("days × runs", numbers as f64, "at most 50000000", numbers <= MAX_NUMBERS)?;
        number("evenness", self.evenness, "above 0", self.evenness > 0.0)?;
        let people = self.susceptible.unwrap_or(1.0);
        number(
            "susceptible",
            people,
            "a whole number above 0",
            people >= 1.0 && people.is_finite() && people.fract() == 0.0,
        )?;
        let first = self.steps.first().map_or(0, |step| step.day);
        number("the first day of R", first as f64, "1", first == 1)?;
        for pair in self.steps.windows(2) {
            number("a day of R", pair[1].day as f64, "after the one before", pair[1].day > pair[0].day)?;
        }
        for step in &self.steps {
            number("R", step.mean, "above 0 and at most 100", step.mean > 0.0 && step.mean <= 100.0)?;
            let sd = step.sd;
            number("the standard deviation of R", sd, "0 to 100", (0.0..=100.0).contains(&sd))?;
        }
        for outcome in &self.outcomes {
            number("share", outcome.share, "0 to 1", (0.0..=1.0).contains(&outcome.share))?;
        }
        Ok(())
    }

    /// Runs it. `place` keeps the chance of one series apart from that of another.
    pub fn run(
        &self,
        history: &Series,
        interval: &SerialInterval,
        place: u32,
    ) -> Result<Vec<Measure>, ScenarioError> {
        self.check()?;
        if history.step() == Step::Week {
            return Err(ScenarioError::Weekly);
        }
        let before = history.len();
        let cumulative = interval.delay().cumulative();
        let within =
            |share: f64| cumulative.iter().position(|sum| *sum >= share).unwrap_or(cumulative.len() - 1);
        let from = before.saturating_sub(within(MOST));
        let missing: Vec<usize> = (from..before).filter(|day| history.reported(*day).is_none()).collect();
        if let Some(first) = missing.first() {
            let (needed, points, first) = (before - from, missing.len(), history.date(*first));
            return Err(ScenarioError::Missing { needed, points, first });
        }
        // Latest lag first, so that it is one product with the cases as they stand.
        let weights: Vec<f64> =
            interval.delay().probabilities()[1..=within(ALL).max(1)].iter().rev().copied().collect();
        let known = history.contributions();
        let mut all: Vec<Measure> = std::iter::once(("cases", false))
            .chain(self.outcomes.iter().map(|outcome| (outcome.name, outcome.stay.is_some())))
            .map(|(name, stock)| {
                let numbers = Vec::with_capacity(self.days * self.runs as usize);
                Measure { name, stock, numbers, days: self.days }
            })
            .collect();
        // What happens because of the cases that are known: the same in every run.
        let already: Vec<Vec<f64>> = self.outcomes.iter().map(|outcome| outcome.events(&known)).collect();
        let mut cases = Vec::with_capacity(before + self.days);
        for run in 0..self.runs {
            cases.clear();
            cases.extend_from_slice(&known);
            self.one(&weights, &mut cases, &mut Stream::new(self.seed, 0, place, run))?;
            all[0].numbers.extend_from_slice(&cases[before..]);
            for (i, (outcome, already)) in self.outcomes.iter().zip(&already).enumerate() {
                // A stream for each outcome, so that one more outcome changes no other.
                let purpose = u32::try_from(i).unwrap_or(u32::MAX - 1) + 1;
                let mut stream = Stream::new(self.seed, purpose, place, run);
                let numbers = outcome.happens(&cases, already, self.days, &mut stream);
                all[i + 1].numbers.extend(numbers);
            }
        }
        Ok(all)
    }

    /// One run: appends the days to the cases known before.
    fn one(&self, weights: &[f64], cases: &mut Vec<f64>, stream: &mut Stream) -> Result<(), ScenarioError> {
        let deviate = stream.normal();
        let values: Vec<(usize, f64)> =
            self.steps.iter().map(|step| (step.day, step.value(deviate))).collect();
        let start = self.susceptible.unwrap_or(f64::INFINITY);
        let mut left = start;
        let (mut next, mut r) = (0, 0.0);
        for day in 1..=self.days {
            while values.get(next).is_some_and(|(from, _)| *from <= day) {
                r = values[next].1;
                next += 1;
            }
            let passed = latest(weights, cases);
            let mut force = r * passed;
            if self.evenness.is_finite() && force > 0.0 {
                let shape = self.evenness * passed;
                force *= stream.gamma(shape) / shape;
            }
            let new = if start.is_finite() {
                stream.binomial(left, -libm::expm1(-force / start))
            } else if force <= TOO_MANY {
                stream.poisson(force)
            } else {
                return Err(ScenarioError::TooMany { day });
            };
            left -= new;
            cases.push(new);
        }
        Ok(())
    }

    /// Everything that the result depends on, but the history and the serial interval, in one canonical text: for the hash of the inputs.
    pub fn canonical(&self) -> String {
        let mut text = format!(
            "days {}\nruns {}\nseed {}\nsusceptible {:?}\nevenness {:?}\n",
            self.days, self.runs, self.seed, self.susceptible, self.evenness
        );
        for step in &self.steps {
            text.push_str(&format!("r {} {:?} {:?}\n", step.day, step.mean, step.sd));
        }
        for outcome in &self.outcomes {
            let stay = outcome.stay.as_ref().map(Delay::probabilities);
            let delay = outcome.delay.probabilities();
            text.push_str(&format!("outcome {} {:?} {delay:?} {stay:?}\n", outcome.name, outcome.share));
        }
        text
    }
}

/// The product of weights, latest lag first, with the last cases: in four sums, which is the same order on every machine.
fn latest(weights: &[f64], cases: &[f64]) -> f64 {
    let reach = weights.len().min(cases.len());
    let (weights, cases) = (&weights[weights.len() - reach..], &cases[cases.len() - reach..]);
    let mut sums = [0.0; 4];
    let (fours, rest) = weights.as_chunks::<4>();
    let (of_fours, of_rest) = cases.as_chunks::<4>();
    for (w, i) in fours.iter().zip(of_fours) {
        for lane in 0..4 {
            sums[lane] += w[lane] * i[lane];
        }
    }
    let tail: f64 = rest.iter().zip(of_rest).map(|(w, i)| w * i).sum();
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + tail
}

impl Reproduction {
    /// R at a standard normal deviate.
    fn value(&self, deviate: f64) -> f64 {
        if self.sd <= 0.0 {
            return self.mean;
        }
        let relative = self.sd / self.mean;
        let variance = libm::log1p(relative * relative);
        self.mean * libm::exp(variance.sqrt() * deviate - 0.5 * variance)
    }
}

impl Outcome {
    /// Expected events of each day of the cases known, as far as these days go.
    fn events(&self, cases: &[f64]) -> Vec<f64> {
        (0..cases.len()).map(|day| self.expected(cases, day)).collect()
    }

    fn expected(&self, cases: &[f64], day: usize) -> f64 {
        let earlier = cases[..=day].iter().rev();
        self.share * self.delay.probabilities().iter().zip(earlier).map(|(p, i)| p * i).sum::<f64>()
    }

    /// The days after those known: events drawn, or beds occupied by them.
    fn happens(&self, cases: &[f64], already: &[f64], days: usize, stream: &mut Stream) -> Vec<f64> {
        let before = cases.len() - days;
        let mut events = already.to_vec();
        for day in before..cases.len() {
            let drawn = stream.poisson(self.expected(cases, day));
            events.push(drawn);
        }
        let Some(stay) = &self.stay else { return events.split_off(before) };
        // Still there on the d-th day after coming: 1 − P(stay ≤ d).
        let still: Vec<f64> = stay.cumulative().iter().map(|gone| 1.0 - gone).collect();
        let occupied = |day: usize| -> f64 {
            let coming = events[..=day].iter().rev();
            still.iter().zip(coming).map(|(there, came)| there * came).sum()
        };
        (before..cases.len()).map(occupied).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::final_size::Population;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn plain(r: f64, days: usize, runs: u32) -> Scenario {
        Scenario {
            steps: vec![Reproduction { day: 1, mean: r, sd: 0.0 }],
            days,
            runs,
            seed: 2020,
            susceptible: None,
            evenness: f64::INFINITY,
            outcomes: Vec::new(),
        }
    }

    fn interval() -> SerialInterval {
        SerialInterval::cori(4.7, 2.9).unwrap()
    }

    fn history(cases: f64) -> Series {
        Series::of(date(2020, 3, 1), Step::Day, &[cases; 40]).unwrap()
    }

    /// The renewal equation without chance.
    fn expected(r: f64, days: usize, cases: f64) -> Vec<f64> {
        let interval = interval();
        let mut all = vec![cases; 40];
        for _ in 0..days {
            let weights = &interval.delay().probabilities()[1..];
            let passed: f64 = weights.iter().zip(all.iter().rev()).map(|(w, i)| w * i).sum();
            all.push(r * passed);
        }
        all.split_off(40)
    }

    #[test]
    fn the_mean_of_the_runs_is_the_renewal_equation() {
        for (r, evenness) in [(0.8, f64::INFINITY), (1.3, f64::INFINITY), (1.3, 0.5)] {
            let scenario = Scenario { evenness, ..plain(r, 40, 400) };
            let cases = scenario.run(&history(200.0), &interval(), 0).unwrap().remove(0);
            for (day, wanted) in expected(r, 40, 200.0).into_iter().enumerate() {
                let band = cases.day(day);
                assert!((band.mean / wanted - 1.0).abs() < 0.03, "{r} day {day}: {} {wanted}", band.mean);
                assert!(band.quantiles.is_sorted());
            }
        }
    }

    /// R falls with the susceptible, and the end is where the final size says.
    #[test]
    fn an_epidemic_that_nobody_stops_ends_at_its_final_size() {
        let scenario = Scenario { susceptible: Some(1e6), ..plain(1.5, 700, 40) };
        let seeds = Series::of(date(2020, 3, 1), Step::Day, &[50.0; 10]).unwrap();
        let cases = scenario.run(&seeds, &interval(), 0).unwrap().remove(0);
        let total = Band::of(cases.of_runs()).mean;
        let wanted = Population::mixed(1e6).final_size(1.5).unwrap().infected;
        assert!((total / wanted - 1.0).abs() < 0.01, "{total} {wanted}");
        assert!(cases.of_runs().iter().all(|n| *n <= 1e6));
    }

    #[test]
    fn deaths_and_beds_follow_cases_by_their_delays() {
        let outcome = |name, stay| Outcome {
            name,
            share: 0.1,
            delay: Delay::given(vec![0.0, 0.0, 0.5, 0.5]).unwrap(),
            stay,
        };
        let days = Delay::given(vec![0.0, 0.0, 0.0, 0.0, 1.0]).unwrap();
        let outcomes = vec![outcome("deaths", None), outcome("beds", Some(days))];
        let scenario = Scenario { outcomes, ..plain(1.0, 10, 2000) };
        let all = scenario.run(&history(100.0), &interval(), 0).unwrap();
        // 100 cases a day, 10 deaths a day, 40 beds: ten a day for four days.
        assert!((all[1].day(9).mean - 10.0).abs() < 0.3, "{}", all[1].day(9).mean);
        assert!((all[2].day(9).mean - 40.0).abs() < 1.0, "{}", all[2].day(9).mean);
        assert!(Band::of(all[2].of_runs()).mean >= all[2].day(9).mean);
        let without = plain(1.0, 10, 2000).run(&history(100.0), &interval(), 0).unwrap();
        assert_eq!(without[0], all[0], "one more outcome changes no cases");
    }

    #[test]
    fn lifting_in_steps_costs_what_the_runs_differ_by() {
        let r = |day, mean| Reproduction { day, mean, sd: 0.05 };
        let stay = Scenario { steps: vec![r(1, 0.75)], ..plain(1.0, 90, 300) };
        let lift = Scenario { steps: vec![r(1, 0.75), r(20, 0.9)], ..stay.clone() };
        let total = |scenario: &Scenario| scenario.run(&history(500.0), &interval(), 3).unwrap()[0].of_runs();
        let excess = Band::of_difference(&total(&lift), &total(&stay));
        assert!(excess.quantiles[0] > 0.0, "{excess:?}");
        // Until the step both meet the same chance.
        let until = |scenario: &Scenario| scenario.run(&history(500.0), &interval(), 3).unwrap()[0].day(18);
        assert_eq!(until(&lift), until(&stay));
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes_and_another_does_not() {
        let scenario = Scenario { evenness: 0.4, ..plain(1.1, 30, 50) };
        let run = |scenario: &Scenario, place| scenario.run(&history(20.0), &interval(), place).unwrap();
        assert_eq!(run(&scenario, 0), run(&scenario, 0));
        assert_ne!(run(&scenario, 0), run(&scenario, 1));
        assert_ne!(run(&scenario, 0), run(&Scenario { seed: 2021, ..scenario.clone() }, 0));
        let places: Vec<u32> = (0..8).collect();
        let one_by_one: Vec<_> = places.iter().map(|place| run(&scenario, *place)).collect();
        assert_eq!(crate::across::each(&places, |place| run(&scenario, *place)), one_by_one);
        // More runs only add runs.
        let more = run(&Scenario { runs: 60, ..scenario.clone() }, 0)[0].of_runs();
        assert_eq!(more[..50], run(&scenario, 0)[0].of_runs());
    }

    #[test]
    fn what_cannot_be_answered_is_refused_with_its_reason() {
        let refused =
            |scenario: Scenario, history: &Series| scenario.run(history, &interval(), 0).unwrap_err();
        let mut figures = [10.0; 40];
        figures[36] = -3.0;
        let gap = Series::of(date(2020, 3, 1), Step::Day, &figures).unwrap();
        assert!(
            matches!(refused(plain(1.0, 5, 5), &gap), ScenarioError::Missing { points: 1, first, .. } if first == date(2020, 4, 6))
        );
        let weekly = Series::of(date(2020, 3, 1), Step::Week, &[1.0; 9]).unwrap();
        assert_eq!(refused(plain(1.0, 5, 5), &weekly), ScenarioError::Weekly);
        assert!(matches!(refused(plain(9.0, 300, 5), &history(10.0)), ScenarioError::TooMany { .. }));
        assert_eq!(refused(plain(0.0, 5, 5), &history(1.0)).code(), "epi-scenario-number");
        assert_eq!(refused(plain(1.0, 0, 5), &history(1.0)).code(), "epi-scenario-number");
        let steps = vec![Reproduction { day: 2, mean: 1.0, sd: 0.0 }];
        assert_eq!(
            refused(Scenario { steps, ..plain(1.0, 5, 5) }, &history(1.0)).code(),
            "epi-scenario-number"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn nobody_is_infected_twice_and_nothing_is_negative(
            r in 0.1..8.0_f64, people in 1_u32..5000, cases in 0_u32..300, evenness in 0.05..5.0_f64,
        ) {
            let scenario = Scenario { susceptible: Some(f64::from(people)), evenness, ..plain(r, 60, 5) };
            let cases = scenario.run(&history(f64::from(cases)), &interval(), 0).unwrap().remove(0);
            for total in cases.of_runs() {
                prop_assert!((0.0..=f64::from(people)).contains(&total));
            }
            prop_assert!((0..60).all(|day| cases.day(day).quantiles[0] >= 0.0));
        }

        #[test]
        fn the_product_is_the_plain_sum(weights in prop::collection::vec(0.0..1.0_f64, 1..30), cases in prop::collection::vec(0.0..100.0_f64, 1..40)) {
            let plain: f64 = weights.iter().rev().zip(cases.iter().rev()).map(|(w, i)| w * i).sum();
            prop_assert!((latest(&weights, &cases) - plain).abs() < 1e-9);
        }
    }
}
