use super::*;
use crate::examples::{FLU_2009, FLU_2009_SERIAL_INTERVAL};
use crate::finding::Flag;
use crate::instantaneous::{Cases, Estimate, Window, estimate};
use crate::series::Absence;
use jiff::civil::date;
use proptest::prelude::*;

/// SARS in Hong Kong 2003 by weeks from the first onset, and its serial interval: data of `EpiEstim`, `SARS2003`.
const SARS_2003: [f64; 15] =
    [4.0, 7.0, 24.0, 149.0, 158.0, 430.0, 225.0, 180.0, 105.0, 63.0, 47.0, 33.0, 23.0, 11.0, 6.0];
const SARS_2003_SERIAL_INTERVAL: [f64; 25] = [
    0.0, 0.001, 0.012, 0.043, 0.078, 0.104, 0.117, 0.116, 0.108, 0.094, 0.078, 0.063, 0.049, 0.038, 0.028,
    0.021, 0.015, 0.011, 0.008, 0.005, 0.004, 0.003, 0.002, 0.001, 0.001,
];

fn weekly(figures: &[f64]) -> Series {
    Series::of(date(2003, 2, 17), Step::Week, figures).unwrap()
}

fn sars() -> SerialInterval {
    SerialInterval::given(SARS_2003_SERIAL_INTERVAL.to_vec()).unwrap()
}

fn windows(weeks: &Series, imported: Option<&Series>, interval: &SerialInterval) -> Vec<Window> {
    let cases = Cases::of_weeks(weeks, imported, WeekDate::FirstDay, interval, Prior::default()).unwrap();
    estimate(&cases, interval, 7, Prior::default()).unwrap()
}

/// `first` is counted from 1, as in the source.
fn check(windows: &[Window], first: usize, theirs: [f64; 5], within: f64) {
    let window = windows.iter().find(|window| window.first + 1 == first).unwrap();
    let ours = Estimate::of(&window.posterior.unwrap());
    for (ours, theirs) in [ours.mean, ours.sd, ours.q025, ours.median, ours.q975].into_iter().zip(theirs) {
        assert!((ours / theirs - 1.0).abs() < within, "{first}: {ours} {theirs}");
    }
}

/// `estimate_R_agg` of `EpiEstim` 3.0.0 (4029826), `dt` 7, `dt_out` 7, 60 rounds, a grid of 1e-5. What is left is its formula of r, which
/// takes each serial interval for one of half a day less to half a day more: 0.08 % at most over all windows.
#[test]
fn sars_by_weeks_is_that_of_epiestim() {
    let windows = windows(&weekly(&SARS_2003), None, &sars());
    assert_eq!((windows.len(), windows[0].first), (92, 7));
    check(&windows, 8, [2.4677774053, 0.8724910689, 1.0654111255, 2.3657500612, 4.4489940477], 1e-3);
    check(&windows, 16, [3.7978464728, 0.6729547790, 2.5951734941, 3.7581737668, 5.2258872462], 1e-3);
    check(&windows, 36, [2.3862227339, 0.1149403046, 2.1662327318, 2.3843774946, 2.6166987709], 1e-3);
    check(&windows, 56, [0.5715879666, 0.0531263868, 0.4722149273, 0.5699428634, 0.6803089675], 1e-3);
    check(&windows, 99, [0.4959508119, 0.1874517873, 0.1993979486, 0.4725445603, 0.9252652492], 1e-3);
    assert!(windows.iter().all(|window| window.flags.contains(&Flag::Reconstructed)));
}

/// The same with its usual grid of 1e-3.
#[test]
fn flu_in_a_school_by_weeks_is_that_of_epiestim() {
    let weeks: Vec<f64> = FLU_2009.chunks_exact(WEEK).map(|week| week.iter().sum()).collect();
    let interval = SerialInterval::given(FLU_2009_SERIAL_INTERVAL.to_vec()).unwrap();
    let windows = windows(&weekly(&weeks), None, &interval);
    check(&windows, 8, [1.7393985145, 0.2435645098, 1.2950964431, 1.7280432018, 2.2482157806], 2e-3);
    check(&windows, 15, [0.9106668644, 0.1195764175, 0.6915075303, 0.9054385279, 1.1595318860], 2e-3);
    check(&windows, 22, [0.1774548639, 0.0887274320, 0.0483504779, 0.1629062601, 0.3889488124], 2e-3);
}

#[test]
fn a_week_that_ends_within_the_serial_interval_keeps_its_even_days_and_has_no_window() {
    let slow = SerialInterval::cori(15.3, 9.3).unwrap();
    let made = daily(&weekly(&[7.0, 14.0, 28.0, 56.0]), WeekDate::LastDay, &slow, Prior::default()).unwrap();
    assert_eq!(made.first, 14);
    assert_eq!(made.days.start(), date(2003, 2, 11));
    assert_eq!(made.days.contributions()[..14], [[1.0; 7], [2.0; 7]].concat());
    assert!(made.days.contributions()[14] < 4.0 && made.days.contributions()[20] > 4.0);
}

#[test]
fn a_week_without_a_figure_has_no_days_and_a_quiet_start_no_shape() {
    let mut observations: Vec<_> = [9.0, 20.0, 40.0, 0.0, 60.0].map(Observation::Reported).into();
    observations[2] = Observation::Missing(Absence::Empty);
    observations.push(Observation::Negative(-7.0));
    let weeks = Series::new(date(2003, 2, 17), Step::Week, observations).unwrap();
    let made = daily(&weeks, WeekDate::FirstDay, &sars(), Prior::default()).unwrap();
    assert_eq!(made.days.observations()[14..21], [Observation::Missing(Absence::Empty); 7]);
    assert_eq!(made.days.observations()[35..], [Observation::Negative(-1.0); 7]);
    let flagged = windows(&weeks, None, &sars());
    assert!(flagged[3].flags.contains(&Flag::Missing) && flagged[3].posterior.is_none());
    assert_eq!(flagged[14].flags, [Flag::Prior, Flag::AfterCorrection, Flag::Reconstructed]);
    // Nobody before them is known: they stay even.
    let late =
        daily(&weekly(&[0.0, 0.0, 70.0, 90.0]), WeekDate::FirstDay, &sars(), Prior::default()).unwrap();
    assert_eq!(late.days.contributions()[14..21], [10.0; 7]);
    assert!(late.days.contributions()[21] != late.days.contributions()[27]);
}

#[test]
fn imported_cases_are_the_same_share_of_every_day() {
    let (weeks, imported) = (weekly(&[10.0, 20.0, 40.0, 80.0]), weekly(&[0.0, 5.0, 10.0, 81.0]));
    let cases =
        Cases::of_weeks(&weeks, Some(&imported), WeekDate::FirstDay, &sars(), Prior::default()).unwrap();
    for day in 7..21 {
        let (local, all) = (cases.local()[day].unwrap(), cases.total().reported(day).unwrap());
        assert!((local / all - 0.75).abs() < 1e-12);
    }
    // More imported than there are.
    assert_eq!(cases.local()[21], None);
    let short = weekly(&[0.0, 5.0]);
    let refused = Cases::of_weeks(&weeks, Some(&short), WeekDate::FirstDay, &sars(), Prior::default());
    assert_eq!(refused.unwrap_err().code(), "epi-r-imported-dates");
}

#[test]
fn days_are_not_made_of_days_and_windows_are_not_shorter_than_weeks() {
    let days = Series::of(date(2003, 2, 17), Step::Day, &[1.0; 20]).unwrap();
    let refused = daily(&days, WeekDate::FirstDay, &sars(), Prior::default()).unwrap_err();
    assert_eq!(refused.code(), "epi-r-not-weekly");
    let cases =
        Cases::of_weeks(&weekly(&SARS_2003), None, WeekDate::FirstDay, &sars(), Prior::default()).unwrap();
    assert_eq!(estimate(&cases, &sars(), 6, Prior::default()).unwrap_err().code(), "epi-r-weekly-window");
    for few in [&[][..], &[5.0]] {
        let none = daily(&weekly(few), WeekDate::FirstDay, &sars(), Prior::default()).unwrap();
        assert_eq!(none.days.len(), few.len() * WEEK);
        assert!(windows(&weekly(few), None, &sars()).is_empty());
    }
}

/// Exact growth: the days are those that it was made of, whatever the serial interval.
#[test]
fn exact_growth_is_found_within_the_weeks() {
    let interval = SerialInterval::cori(4.0, 2.0).unwrap();
    let days: Vec<f64> = (0..140).map(|day| 1e6 * libm::exp(0.05 * f64::from(day))).collect();
    let weeks: Vec<f64> = days.chunks_exact(WEEK).map(|week| week.iter().sum()).collect();
    let made = daily(&weekly(&weeks), WeekDate::FirstDay, &interval, Prior::default()).unwrap();
    for (day, was) in days.iter().enumerate().skip(70) {
        let found = made.days.reported(day).unwrap();
        assert!((found / was - 1.0).abs() < 1e-5, "{day}: {found} {was}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn weeks_stay_as_reported(figures in prop::collection::vec(0u32..5000, 1..40)) {
        let figures: Vec<f64> = figures.into_iter().map(f64::from).collect();
        let made = daily(&weekly(&figures), WeekDate::FirstDay, &sars(), Prior::default()).unwrap();
        for (week, figure) in made.days.contributions().chunks_exact(WEEK).zip(&figures) {
            let sum: f64 = week.iter().sum();
            prop_assert!((sum - figure).abs() <= 1e-9 * figure.max(1.0), "{sum} {figure}");
            prop_assert!(week.iter().all(|day| *day >= 0.0));
        }
    }
}
