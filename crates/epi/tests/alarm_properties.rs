//! What must hold for every alarm, whatever the series.

// What must not change at all is compared exactly.
#![allow(clippy::float_cmp)]

use epi::detect::{Cusum, Ears, Farrington, Method, RateThreshold, Reason, Variant, Verdict};
use epi::series::{Absence, Observation, Series, Step};
use jiff::civil::date;
use proptest::prelude::*;

fn methods() -> Vec<Method> {
    let short = Farrington { years: 2, half_window: 2, ..Farrington::default() };
    let classic = Farrington { years: 2, half_window: 2, ..Farrington::default() };
    vec![
        Method::Ears(Ears::new(Variant::C1)),
        Method::Ears(Ears::new(Variant::C2)),
        Method::Ears(Ears::new(Variant::C3)),
        Method::Cusum(Cusum::default()),
        Method::Cusum(Cusum { reset: false, ..Cusum::default() }),
        Method::Farrington(classic),
        Method::Flexible(short),
    ]
}

fn weekly(observations: Vec<Observation>) -> Series {
    Series::new(date(2018, 1, 1), Step::Week, observations).unwrap()
}

fn counts(figures: &[u32]) -> Series {
    Series::of(date(2018, 1, 1), Step::Week, &figures.iter().map(|n| f64::from(*n)).collect::<Vec<_>>())
        .unwrap()
}

fn dirty() -> impl Strategy<Value = Vec<Observation>> {
    let point = prop_oneof![
        40 => (0_u32..30).prop_map(|n| Observation::Reported(f64::from(n))),
        1 => (1_u32..30).prop_map(|n| Observation::Negative(-f64::from(n))),
        1 => Just(Observation::Missing(Absence::Empty)),
    ];
    prop::collection::vec(point, 100..150)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// An alarm is a count above its bound and has a reason; what cannot be judged has one too.
    #[test]
    fn verdicts_are_of_one_piece(points in dirty()) {
        let series = weekly(points);
        for method in methods() {
            let verdicts = method.judge(&series, 30).unwrap();
            prop_assert_eq!(verdicts.len(), 30);
            for (i, verdict) in verdicts.iter().enumerate() {
                let observed = series.reported(series.len() - 30 + i);
                match verdict.alarm {
                    None => prop_assert!(verdict.reason.is_some()),
                    Some(alarm) => {
                        prop_assert!(observed.is_some(), "a point that was not reported cannot be judged");
                        let above = verdict.upper.is_some_and(|upper| observed.unwrap() > upper);
                        prop_assert_eq!(alarm, above);
                        prop_assert_eq!(verdict.reason.is_some(), alarm || verdict.upper.is_none());
                    }
                }
                prop_assert!(verdict.upper.is_none_or(f64::is_finite));
                prop_assert!(verdict.p.is_none_or(|p| (0.0..=1.0).contains(&p)));
            }
        }
    }

    /// What comes later changes nothing of what was said before.
    #[test]
    fn later_points_are_not_looked_at(points in dirty(), cut in 1_usize..20) {
        let whole = weekly(points);
        let known_then = whole.part(0, whole.len() - cut);
        for method in methods().into_iter().filter(|m| !matches!(m, Method::Cusum(_))) {
            let with_hindsight = method.judge(&whole, 25 + cut).unwrap();
            prop_assert_eq!(&with_hindsight[..25], &method.judge(&known_then, 25).unwrap()[..]);
        }
    }

    /// EARS and CUSUM know no unit of cases but through their own spread; EARS does not care for the level either.
    #[test]
    fn ears_scales_and_shifts(figures in prop::collection::vec(0_u32..50, 30..60), factor in 2_u32..9, shift in 0_u32..1000) {
        for variant in [Variant::C1, Variant::C2, Variant::C3] {
            let ears = Method::Ears(Ears::new(variant));
            let plain = ears.judge(&counts(&figures), 15).unwrap();
            let scaled: Vec<u32> = figures.iter().map(|n| n * factor).collect();
            for (a, b) in plain.iter().zip(ears.judge(&counts(&scaled), 15).unwrap()) {
                let wanted = a.upper.unwrap() * f64::from(factor);
                prop_assert!((b.upper.unwrap() - wanted).abs() < 1e-9 * wanted.max(1.0));
            }
            if variant != Variant::C3 {
                let shifted: Vec<u32> = figures.iter().map(|n| n + shift).collect();
                for (a, b) in plain.iter().zip(ears.judge(&counts(&shifted), 15).unwrap()) {
                    prop_assert!((b.upper.unwrap() - a.upper.unwrap() - f64::from(shift)).abs() < 1e-9);
                    prop_assert_eq!(a.alarm, b.alarm);
                }
            }
        }
    }

    /// A more cautious α never alarms more, and the last count alone never lowers its own alarm.
    #[test]
    fn alarms_are_monotone(mut figures in prop::collection::vec(1_u32..30, 130..150), more in 1_u32..60) {
        let judge = |method: &Method, figures: &[u32]| method.judge(&counts(figures), 1).unwrap().remove(0);
        let of = |alpha: f64| [
            Method::Ears(Ears { alpha, ..Ears::new(Variant::C1) }),
            Method::Ears(Ears { alpha, ..Ears::new(Variant::C2) }),
            Method::Farrington(Farrington { alpha, years: 2, ..Farrington::default() }),
            Method::Flexible(Farrington { alpha, years: 2, ..Farrington::default() }),
        ];
        let before: Vec<Verdict> = of(0.05).iter().map(|m| judge(m, &figures)).collect();
        for (loose, strict) in before.iter().zip(of(0.001).iter().map(|m| judge(m, &figures))) {
            prop_assert!(strict.upper >= loose.upper);
            prop_assert!(strict.alarm <= loose.alarm);
            prop_assert_eq!(strict.p, loose.p);
        }
        *figures.last_mut().unwrap() += more;
        for (before, after) in before.iter().zip(of(0.05).iter().map(|m| judge(m, &figures))) {
            prop_assert_eq!(before.upper, after.upper);
            prop_assert!(after.alarm >= before.alarm);
            prop_assert!(after.p <= before.p);
        }
    }

    /// The p-value is below α where the method alarms, and only there.
    #[test]
    fn p_values_say_what_alarms_say(figures in prop::collection::vec(0_u32..12, 130..150)) {
        for method in methods() {
            let alpha = match &method {
                Method::Ears(m) => m.alpha,
                Method::Farrington(m) | Method::Flexible(m) => m.alpha,
                _ => continue,
            };
            for verdict in method.judge(&counts(&figures), 20).unwrap() {
                if let (Some(alarm), Some(p)) = (verdict.alarm, verdict.p) {
                    prop_assert_eq!(alarm, p <= alpha, "{:?} {:?}", &method, verdict);
                }
            }
        }
    }
}

/// `surveillance` has NA here; the value is what C3 tends to as the least deviation goes to nothing.
#[test]
fn a_flat_baseline_still_has_a_c3() {
    let mut figures = vec![0; 14];
    figures[12] = 2;
    let tends_to = |min_sigma: f64| {
        let ears = Ears { min_sigma, ..Ears::new(Variant::C3) };
        Method::Ears(ears).judge(&counts(&figures), 3).unwrap()
    };
    for (flat, nearly) in tends_to(0.0).iter().zip(tends_to(1e-12)) {
        assert!((flat.upper.unwrap() - nearly.upper.unwrap()).abs() < 1e-9, "{flat:?} {nearly:?}");
        assert!(flat.upper.unwrap().is_finite());
    }
    figures[13] = 3;
    let verdict = Method::Ears(Ears::new(Variant::C3)).judge(&counts(&figures), 1).unwrap().remove(0);
    assert_eq!((verdict.upper, verdict.alarm), (Some(1.0), Some(true)));
    assert!(matches!(verdict.reason, Some(Reason::AboveBaselineBefore { sum: None, .. })));
}

#[test]
fn a_baseline_without_cases_alarms_at_the_first() {
    let mut figures = vec![0; 8];
    figures[7] = 1;
    let verdict = Method::Ears(Ears::new(Variant::C1)).judge(&counts(&figures), 1).unwrap().remove(0);
    assert_eq!((verdict.upper, verdict.alarm), (Some(0.0), Some(true)));
    let careful = Ears { min_sigma: 0.5, ..Ears::new(Variant::C1) };
    let verdict = Method::Ears(careful).judge(&counts(&figures), 1).unwrap().remove(0);
    assert_eq!(verdict.alarm, Some(false));
}

#[test]
fn a_gap_silences_what_needs_it_and_no_more() {
    let mut points = vec![Observation::Reported(4.0); 30];
    points[10] = Observation::Negative(-3.0);
    let verdicts = Method::Ears(Ears::new(Variant::C1)).judge(&weekly(points), 30).unwrap();
    let silent: Vec<_> =
        verdicts.iter().enumerate().filter(|(_, v)| v.alarm.is_none()).map(|(i, _)| i).collect();
    assert_eq!(silent, [0, 1, 2, 3, 4, 5, 6, 10, 11, 12, 13, 14, 15, 16, 17]);
    assert_eq!(verdicts[10].reason, Some(Reason::NotReported));
    assert_eq!(verdicts[10].expected, Some(4.0));
    assert_eq!(verdicts[17].reason, Some(Reason::Missing { points: 1, first: date(2018, 3, 12) }));
}

#[test]
fn missing_reference_weeks_may_be_left_out_if_asked() {
    let mut points = vec![Observation::Reported(6.0); 140];
    points[60] = Observation::Missing(Absence::NotStated);
    let of = |leave_out_missing| {
        let flexible = Farrington { years: 2, leave_out_missing, ..Farrington::default() };
        Method::Flexible(flexible).judge(&weekly(points.clone()), 1).unwrap().remove(0)
    };
    assert!(matches!(of(false).reason, Some(Reason::Missing { points: 1, .. })));
    assert!((of(true).expected.unwrap() - 6.0).abs() < 1e-9);
}

#[test]
fn a_rate_above_its_threshold_says_since_when_and_when_it_is_over() {
    let figures = [1, 1, 1, 1, 1, 1, 1, 40, 30, 1, 1, 1, 1, 1, 1, 1, 1];
    let daily: Vec<f64> = figures.iter().map(|n| f64::from(*n)).collect();
    let series = Series::of(date(2020, 3, 1), Step::Day, &daily).unwrap();
    let rate = RateThreshold { days: 7, population: 200_000.0, threshold: 20.0 };
    let verdicts = Method::Rate(rate).judge(&series, 17).unwrap();
    assert!(matches!(verdicts[5].reason, Some(Reason::HistoryShort { .. })));
    assert_eq!(verdicts[6].alarm, Some(false));
    let alarms: Vec<_> = verdicts.iter().map(|v| v.alarm == Some(true)).collect();
    assert_eq!(alarms.iter().filter(|a| **a).count(), 7);
    assert!(
        matches!(verdicts[13].reason, Some(Reason::AboveRate { since, .. }) if since == date(2020, 3, 8))
    );
    assert!(
        matches!(verdicts[14].reason, Some(Reason::BelowRateAgain { since, .. }) if since == date(2020, 3, 8))
    );
    assert_eq!(verdicts[15].reason, None);
}

#[test]
fn parameters_that_make_no_sense_are_refused() {
    let series = counts(&[1, 2, 3]);
    let refused = |method: Method| method.judge(&series, 1).unwrap_err().code();
    assert_eq!(refused(Method::Ears(Ears { alpha: 1.0, ..Ears::new(Variant::C1) })), "epi-alpha");
    assert_eq!(refused(Method::Ears(Ears { min_sigma: -1.0, ..Ears::new(Variant::C1) })), "epi-min-sigma");
    assert_eq!(refused(Method::Flexible(Farrington { years: 0, ..Farrington::default() })), "epi-years");
    assert_eq!(
        refused(Method::Farrington(Farrington { half_window: 21, ..Farrington::default() })),
        "epi-half-window"
    );
    assert_eq!(
        refused(Method::Rate(RateThreshold { days: 7, population: 0.0, threshold: 1.0 })),
        "epi-not-positive"
    );
}
