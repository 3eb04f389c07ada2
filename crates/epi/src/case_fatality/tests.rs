use super::*;
use crate::delay::Continuous;
use crate::distribution::gamma::Gamma;
use crate::examples::{EBOLA_1976_CASES, EBOLA_1976_DEATHS};
use crate::series::Absence;
use jiff::civil::date;
use proptest::prelude::*;

fn daily(figures: &[f64]) -> Series {
    Series::of(date(1976, 8, 25), Step::Day, figures).unwrap()
}

/// Barry et al. 2018, Lancet 392:213.
fn onset_to_death() -> Continuous {
    Continuous::Gamma(Gamma { shape: 2.40, scale: 3.33 })
}

/// As `cfr` does it: the density taken for probabilities.
fn of_density() -> Vec<CaseFatality> {
    let delay = Delay::of_density(&onset_to_death(), 80).unwrap();
    estimate(&daily(&EBOLA_1976_CASES), &daily(&EBOLA_1976_DEATHS), &delay).unwrap()
}

fn discretised() -> Vec<CaseFatality> {
    let delay = Delay::discretised(&onset_to_death()).unwrap();
    estimate(&daily(&EBOLA_1976_CASES), &daily(&EBOLA_1976_DEATHS), &delay).unwrap()
}

/// What `cfr` prints: outcomes rounded to whole ones, risks on a grid of 1e-4.
fn on_the_grid(deaths: f64, outcomes: f64) -> [f64; 3] {
    let trials = outcomes.round();
    let log = |risk: f64| deaths * libm::log(risk) + (trials - deaths) * libm::log(1.0 - risk);
    let risks: Vec<f64> = (1..10_000).map(|n| f64::from(n) / 10_000.0).collect();
    let best = risks.iter().copied().max_by(|a, b| log(*a).total_cmp(&log(*b))).unwrap();
    let likely: Vec<f64> = risks.into_iter().filter(|risk| log(*risk) >= log(best) - DROP).collect();
    [best, likely[0], *likely.last().unwrap()]
}

#[test]
fn ebola_1976_at_its_end() {
    let last = of_density().pop().unwrap();
    assert_eq!((last.cases, last.deaths), (Some(245.0), Some(234.0)));
    let naive = last.naive.unwrap().unwrap();
    assert!((naive.estimate - 0.9551020408).abs() < 1e-10);
    assert!((naive.low - 0.9210866437).abs() < 1e-10 && (naive.high - 0.9773770936).abs() < 1e-10);
    assert!((last.outcomes.unwrap() - 243.96027).abs() < 1e-5);
    let (adjusted, likelihood) = last.adjusted.unwrap().unwrap();
    assert_eq!(likelihood, Likelihood::Binomial);
    assert!((adjusted.estimate - 0.95917259).abs() < 1e-8);
}

/// On purpose continuous; both stand side by side here.
#[test]
fn ebola_1976_day_by_day_is_that_of_cfr_but_for_its_rounding() {
    let days = of_density();
    for (day, naive, theirs) in [
        (20, 0.1923, [0.7343, 0.4730, 0.9148]),
        (30, 0.4741, [0.9422, 0.8701, 0.9819]),
        (50, 0.8368, [0.9766, 0.9497, 0.9917]),
        (73, 0.9551, [0.9592, 0.9295, 0.9793]),
    ] {
        let answer = &days[day - 1];
        assert!((answer.naive.unwrap().unwrap().estimate - naive).abs() < 5e-5);
        let (ours, _) = answer.adjusted.unwrap().unwrap();
        let grid = on_the_grid(answer.deaths.unwrap(), answer.outcomes.unwrap());
        for ((ours, grid), theirs) in [ours.estimate, ours.low, ours.high].into_iter().zip(grid).zip(theirs) {
            assert!((ours - theirs).abs() < 0.04, "{day}: {ours} {theirs}");
            println!("{day}: {ours} {grid} {theirs}");
        }
    }
    let day_60 = &days[59];
    assert!((day_60.naive.unwrap().unwrap().estimate - 0.9344).abs() < 5e-5);
    assert!((day_60.adjusted.unwrap().unwrap().0.estimate - 0.9694).abs() < 5e-4);
}

#[test]
fn what_no_risk_explains_is_said_instead_of_a_number() {
    let day_40 = &of_density()[39];
    assert_eq!(day_40.deaths, Some(153.0));
    assert!((day_40.outcomes.unwrap() - 148.257).abs() < 1e-3);
    assert_eq!(day_40.adjusted, Some(Err(Unanswerable::MoreDeathsThanOutcomes)));
    assert_eq!(naive(0.0, 0.0), Err(Unanswerable::NoCases));
    assert_eq!(naive(3.0, 4.0), Err(Unanswerable::MoreDeathsThanCases));
    assert_eq!(adjusted(3.0, 0.0, 0.0), Err(Unanswerable::NoOutcomeExpected));
}

/// The guided example of the documents.
#[test]
fn on_day_30_half_the_truth_is_seen() {
    let day_30 = &discretised()[29];
    assert!((day_30.naive.unwrap().unwrap().estimate - 0.474).abs() < 5e-4);
    let adjusted = day_30.adjusted.unwrap().unwrap().0;
    assert!((0.93..0.95).contains(&adjusted.estimate), "{adjusted:?}");
    assert!(adjusted.low < 0.9551 && 0.9551 < adjusted.high);
}

#[test]
fn after_a_day_without_a_figure_there_is_no_total() {
    let mut cases: Vec<_> = vec![Observation::Reported(10.0); 20];
    cases[5] = Observation::Missing(Absence::Empty);
    let cases = Series::new(date(2020, 3, 1), Step::Day, cases).unwrap();
    let deaths = Series::of(date(2020, 3, 1), Step::Day, &[0.0; 20]).unwrap();
    let delay = Delay::discretised(&onset_to_death()).unwrap();
    let answers = estimate(&cases, &deaths, &delay).unwrap();
    assert!(answers[4].adjusted.is_some() && answers[4].flags.is_empty());
    assert!(answers[5].naive.is_none() && answers[5].adjusted.is_none());
    assert_eq!(answers[19].flags, [Flag::Missing]);
    let other = Series::of(date(2020, 3, 2), Step::Day, &[0.0; 20]).unwrap();
    assert_eq!(estimate(&cases, &other, &delay), Err(CaseFatalityError::Dates));
}

#[test]
fn of_many_cases_with_a_small_risk_the_likelihood_is_poisson() {
    let (risk, likelihood) = adjusted(20_000.0, 140.0, 10_000.0).unwrap();
    assert_eq!(likelihood, Likelihood::Poisson);
    assert!(risk.low < 0.014 && 0.014 < risk.high);
    let share = ascertainment(0.007, &risk).unwrap();
    assert!((share.estimate - 0.5).abs() < 1e-12 && share.low < 0.5 && share.high > 0.5);
    assert_eq!(ascertainment(0.02, &risk), None);
}

proptest! {
    #[test]
    fn the_interval_holds_the_estimate_and_narrows_with_more_data(
        outcomes in 1.0f64..5_000.0, share in 0.0f64..1.0, times in 2.0f64..50.0,
    ) {
        let (one, _) = adjusted(50.0, outcomes * share, outcomes).unwrap();
        let (more, _) = adjusted(50.0, outcomes * share * times, outcomes * times).unwrap();
        prop_assert!(one.low <= one.estimate && one.estimate <= one.high);
        prop_assert!(more.high - more.low <= one.high - one.low + 1e-9);
        prop_assert!((more.estimate - one.estimate).abs() < 1e-9);
    }

    /// Expected outcomes by brute force.
    #[test]
    fn outcomes_are_all_pairs_of_onset_and_delay(cases in prop::collection::vec(0u32..90, 2..40)) {
        let cases: Vec<f64> = cases.into_iter().map(f64::from).collect();
        let delay = Delay::discretised(&onset_to_death()).unwrap();
        let deaths = vec![0.0; cases.len()];
        let answers = estimate(&daily(&cases), &daily(&deaths), &delay).unwrap();
        for (day, answer) in answers.iter().enumerate() {
            let mut sum = 0.0;
            for (onset, count) in cases[..=day].iter().enumerate() {
                for until in onset..=day {
                    sum += count * delay.at(until - onset);
                }
            }
            prop_assert!((answer.outcomes.unwrap() - sum).abs() < 1e-6);
        }
    }
}
