use super::*;
use crate::examples::{FLU_2009, FLU_2009_SERIAL_INTERVAL};
use crate::series::Absence;
use jiff::civil::date;
use proptest::prelude::*;

fn daily(figures: &[f64]) -> Series {
    Series::of(date(2009, 4, 27), Step::Day, figures).unwrap()
}

fn school() -> SerialInterval {
    SerialInterval::given(FLU_2009_SERIAL_INTERVAL.to_vec()).unwrap()
}

fn estimates(figures: &[f64], imported: Option<&[f64]>, si: &SerialInterval) -> Vec<Window> {
    let imported = imported.map(daily);
    let cases = Cases::new(daily(figures), imported.as_ref()).unwrap();
    estimate(&cases, si, 7, Prior::default()).unwrap()
}

/// `first` is counted from 1, as in the sources.
fn check(windows: &[Window], first: usize, theirs: [f64; 5]) {
    let window = windows.iter().find(|w| w.first + 1 == first).unwrap();
    let ours = Estimate::of(&window.posterior.unwrap());
    for (ours, theirs) in [ours.mean, ours.sd, ours.q025, ours.median, ours.q975].into_iter().zip(theirs) {
        assert!((ours - theirs).abs() < 1e-10, "{first}: {ours} {theirs}");
    }
}

#[test]
fn flu_in_a_school_is_that_of_epiestim() {
    let windows = estimates(&FLU_2009, None, &school());
    check(&windows, 2, [1.7356089095, 0.4090869431, 1.0286318369, 1.7035759732, 2.6244958843]);
    check(&windows, 3, [1.7490494297, 0.3647020170, 1.1087473032, 1.7237672379, 2.5329478621]);
    check(&windows, 6, [1.4223486532, 0.2514380945, 0.9728854259, 1.4075602725, 1.9558194285]);
    check(&windows, 11, [1.4083724033, 0.1615513942, 1.1096372677, 1.4022001710, 1.7421779636]);
    check(&windows, 16, [0.6908047876, 0.1018536092, 0.5057559268, 0.6858054558, 0.9042565664]);
    check(&windows, 21, [0.2976949902, 0.1125181301, 0.1196888259, 0.2836453634, 0.5553914273]);
    check(&windows, 26, [1.0040160643, 0.4490096340, 0.3260012832, 0.9379335106, 2.0565439107]);
    let means = [
        1.7356089, 1.7490494, 1.5370427, 1.4316392, 1.4223487, 1.6349410, 1.6636221, 1.6156800, 1.4340033,
        1.4083724, 1.2477516, 1.0819346, 0.9369319, 0.8194289, 0.6908048, 0.5894141, 0.4989223, 0.4726133,
        0.4173489, 0.2976950, 0.2400240, 0.4577916, 0.6754931, 0.8634087, 1.0040161,
    ];
    assert_eq!(windows.len(), means.len());
    for (window, mean) in windows.iter().zip(means) {
        assert!((window.posterior.unwrap().mean() - mean).abs() < 5e-8);
    }
}

#[test]
fn a_serial_interval_by_mean_and_deviation_is_that_of_epiestim() {
    let windows = estimates(&FLU_2009, None, &SerialInterval::cori(2.6, 1.5).unwrap());
    check(&windows, 2, [1.7357976637, 0.4091314329, 1.0287437046, 1.7037612437, 2.6247813084]);
    check(&windows, 26, [0.9975351942, 0.4461113008, 0.3238969623, 0.9318791999, 2.0432690297]);
}

/// The second example of `EpiEstim`'s own tests: 27 days with few cases, most of them imported.
#[test]
fn few_local_cases_among_imported_ones_are_that_of_epiestim() {
    let (mut local, mut imported) = ([0.0; 27], [0.0; 27]);
    for (day, count) in [(1, 2.0), (4, 1.0), (5, 2.0), (7, 1.0), (26, 1.0)] {
        local[day] = count;
    }
    for (day, count) in [(0, 1.0), (1, 1.0), (2, 1.0), (3, 1.0), (4, 2.0), (5, 2.0), (6, 1.0), (9, 1.0)] {
        imported[day] = count;
    }
    let all: Vec<f64> = local.iter().zip(&imported).map(|(local, imported)| local + imported).collect();
    let windows = estimates(&all, Some(&imported), &SerialInterval::cori(2.6, 1.5).unwrap());
    for (first, mean) in [(2, 0.6413590496), (6, 0.3515431556), (13, 1.0775772277), (21, 9.8571825466)] {
        let window = windows.iter().find(|window| window.first + 1 == first).unwrap();
        assert!((window.posterior.unwrap().mean() - mean).abs() < 5e-10, "{first}: {window:?}");
        // All of them say hardly more than the prior, the last most of all.
        assert!(window.flags.contains(&Flag::Prior));
    }
}

#[test]
fn imported_cases_infect_and_were_not_infected_here() {
    let mut imported = [0.0; 32];
    for day in [1, 2, 5, 10] {
        imported[day - 1] = 1.0;
    }
    imported[19] = 2.0;
    let windows = estimates(&FLU_2009, Some(&imported), &school());
    check(&windows, 2, [1.5427634751, 0.3856908688, 0.8818226259, 1.5107443394, 2.3855191275]);
    check(&windows, 6, [1.3779002578, 0.2474781920, 0.9362163739, 1.3631127828, 1.9035854474]);
    check(&windows, 16, [0.6607697968, 0.0996147950, 0.4801163459, 0.6557707629, 0.8698241122]);
}

#[test]
fn windows_are_named_by_their_days_and_only_those_that_hardly_inform_are_marked() {
    let windows = estimates(&FLU_2009, None, &school());
    assert_eq!((windows[0].start, windows[0].end), (date(2009, 4, 28), date(2009, 5, 4)));
    for window in &windows {
        let cases: f64 = FLU_2009[window.first..=window.last].iter().sum();
        assert_eq!(window.flags.contains(&Flag::Prior), cases < 11.0, "{window:?}");
    }
    assert!(estimates(&FLU_2009[..7], None, &school()).is_empty());
    assert_eq!(estimates(&FLU_2009[..8], None, &school()).len(), 1);
}

/// Where nobody is infectious, `EpiEstim` prints the prior: 5 (0.13 to 18.4). So do we, marked.
#[test]
fn where_nothing_informs_it_the_posterior_is_the_prior() {
    let mut figures = vec![0.0; 40];
    figures[0] = 3.0;
    let windows = estimates(&figures, None, &school());
    let last = windows.last().unwrap();
    let estimate = Estimate::of(&last.posterior.unwrap());
    assert!((estimate.mean - 5.0).abs() < 1e-12);
    assert!((estimate.q025 - 0.126_589_1).abs() < 1e-6 && (estimate.q975 - 18.444_397).abs() < 1e-5);
    assert_eq!(last.flags, [Flag::Prior]);
}

#[test]
fn a_window_that_ends_within_the_mean_serial_interval_has_no_value() {
    let si = SerialInterval::given([vec![0.0; 9], vec![1.0]].concat()).unwrap();
    let cases = Cases::new(daily(&FLU_2009), None).unwrap();
    let windows = estimate(&cases, &si, 2, Prior::default()).unwrap();
    for window in &windows {
        assert_eq!(window.posterior.is_none(), window.last < 9, "{window:?}");
        assert_eq!(window.flags.contains(&Flag::BeforeSerialInterval), window.last < 9);
    }
}

#[test]
fn a_correction_has_no_value_adds_nothing_and_marks_one_serial_interval() {
    let mut observations: Vec<_> = vec![Observation::Reported(20.0); 60];
    observations[20] = Observation::Negative(-100.0);
    observations[40] = Observation::Missing(Absence::Empty);
    let series = Series::new(date(2020, 3, 1), Step::Day, observations).unwrap();
    let windows = estimate(&Cases::new(series, None).unwrap(), &school(), 7, Prior::default()).unwrap();
    for window in &windows {
        let holds = |day| (window.first..=window.last).contains(&day);
        assert_eq!(window.flags.contains(&Flag::Negative), holds(20));
        assert_eq!(window.flags.contains(&Flag::Missing), holds(40));
        assert_eq!(window.posterior.is_none(), holds(20) || holds(40));
        // The serial interval has 11 days.
        let after = [20, 40].iter().any(|bad| window.first > *bad && window.first - bad <= 11);
        assert_eq!(window.flags.contains(&Flag::AfterCorrection), after, "{window:?}");
    }
    // On the day after, the gap of one day lowers infectiousness by the probability of one day: 0.233 of 20.
    let first_after = windows.iter().find(|w| w.first == 21).unwrap();
    let lambda = 1.0 / first_after.posterior.unwrap().scale - 1.0 / Prior::default().gamma().scale;
    let whole = 7.0 * 20.0;
    let lost: f64 = 20.0 * FLU_2009_SERIAL_INTERVAL[1..8].iter().sum::<f64>();
    assert!((lambda - (whole - lost)).abs() < 1e-9, "{lambda}");
}

#[test]
fn more_imported_than_there_are_have_no_value() {
    let mut imported = [0.0; 32];
    imported[9] = 3.0;
    let windows = estimates(&FLU_2009, Some(&imported), &school());
    let holding = windows.iter().filter(|w| (w.first..=w.last).contains(&9));
    assert!(holding.clone().all(|w| w.posterior.is_none() && w.flags.contains(&Flag::Missing)));
    assert_eq!(holding.count(), 7);
}

fn brute_force(figures: &[f64], si: &[f64], first: usize, last: usize) -> (f64, f64) {
    let mut lambda = 0.0;
    for day in first..=last {
        for (earlier, cases) in figures[..day].iter().enumerate() {
            lambda += cases * si.get(day - earlier).copied().unwrap_or(0.0);
        }
    }
    (1.0 + figures[first..=last].iter().sum::<f64>(), 1.0 / (0.2 + lambda))
}

proptest! {
    #[test]
    fn it_agrees_with_brute_force(figures in prop::collection::vec(0u32..300, 9..60)) {
        let figures: Vec<f64> = figures.into_iter().map(f64::from).collect();
        for window in estimates(&figures, None, &school()) {
            let Some(posterior) = window.posterior else { continue };
            let (shape, scale) = brute_force(&figures, &FLU_2009_SERIAL_INTERVAL, window.first, window.last);
            prop_assert!((posterior.shape - shape).abs() < 1e-9);
            prop_assert!((posterior.scale / scale - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn a_shift_in_time_changes_dates_only(figures in prop::collection::vec(0u32..300, 9..40), days in 1i64..400) {
        use jiff::ToSpan as _;
        let figures: Vec<f64> = figures.into_iter().map(f64::from).collect();
        let moved = Series::of(date(2009, 4, 27) + days.days(), Step::Day, &figures).unwrap();
        let moved = estimate(&Cases::new(moved, None).unwrap(), &school(), 7, Prior::default()).unwrap();
        for (a, b) in estimates(&figures, None, &school()).iter().zip(&moved) {
            prop_assert_eq!(a.posterior, b.posterior);
            prop_assert_eq!(a.start + days.days(), b.start);
        }
    }

    /// Of many cases the prior says nothing, and so a constant share of them gives the same R.
    #[test]
    fn r_of_many_cases_does_not_depend_on_the_share_that_is_reported(
        figures in prop::collection::vec(5_000u32..90_000, 12..40),
    ) {
        let figures: Vec<f64> = figures.into_iter().map(f64::from).collect();
        let half: Vec<f64> = figures.iter().map(|n| n / 2.0).collect();
        for (all, some) in estimates(&figures, None, &school()).iter().zip(estimates(&half, None, &school())) {
            let (all, some) = (all.posterior.unwrap().mean(), some.posterior.unwrap().mean());
            prop_assert!((all / some - 1.0).abs() < 1e-3);
        }
    }

    #[test]
    fn a_further_case_in_the_window_never_lowers_r_of_a_window_of_one_day(
        figures in prop::collection::vec(0u32..300, 9..40), at in 2usize..39,
    ) {
        let mut figures: Vec<f64> = figures.into_iter().map(f64::from).collect();
        let at = at.min(figures.len() - 1);
        let mean = |figures: &[f64]| {
            let cases = Cases::new(daily(figures), None).unwrap();
            let windows = estimate(&cases, &school(), 1, Prior::default()).unwrap();
            windows[at - 1].posterior.map(|p| p.mean())
        };
        let before = mean(&figures);
        figures[at] += 1.0;
        prop_assert!(mean(&figures) >= before);
    }
}
