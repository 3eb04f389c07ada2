//! Alarms beside those of an implementation that is not ours (`vectors/alarms.R` says how the numbers were made), and beside the numbers
//! that were published with the series.

// Numbers stand as they were printed; some must be met exactly.
#![allow(clippy::unreadable_literal, clippy::float_cmp)]

use std::collections::BTreeMap;

use epi::detect::{Cusum, Ears, Farrington, Method, Reason, Reference, Variant, Verdict};
use epi::series::{Series, Step};
use jiff::civil::date;

const SERIES: &str = include_str!("vectors/alarms-series.csv");
const ALARMS: &str = include_str!("vectors/alarms.csv");

fn series() -> BTreeMap<String, Vec<f64>> {
    let mut found: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for row in csv::Reader::from_reader(SERIES.as_bytes()).deserialize::<(String, usize, f64)>() {
        let (name, _, count) = row.unwrap();
        found.entry(name).or_default().push(count);
    }
    found
}

/// One row of `alarms.csv`.
#[derive(Debug)]
struct Row {
    series: String,
    method: String,
    form: String,
    alpha: Option<f64>,
    years: Option<usize>,
    half: Option<usize>,
    point: usize,
    expected: Option<f64>,
    upper: Option<f64>,
    alarm: bool,
    p: Option<f64>,
}

fn rows() -> Vec<Row> {
    let mut reader = csv::Reader::from_reader(ALARMS.as_bytes());
    let number = |text: &str| if text == "NA" || text == "NaN" { None } else { Some(text.parse().unwrap()) };
    reader
        .records()
        .map(|row| {
            let row = row.unwrap();
            Row {
                series: row[0].to_owned(),
                method: row[1].to_owned(),
                form: row[2].to_owned(),
                alpha: number(&row[3]),
                years: row[4].parse().ok(),
                half: row[5].parse().ok(),
                point: row[6].parse().unwrap(),
                expected: number(&row[7]),
                upper: number(&row[8]),
                alarm: &row[9] == "1",
                p: number(&row[10]),
            }
        })
        .collect()
}

impl Row {
    fn reference(&self) -> Reference {
        if self.form == "calendar" { Reference::Calendar } else { Reference::Index }
    }

    /// Our verdict on the same point, with `points` that follow it cut off.
    fn ours(&self, counts: &[f64], method: &Method) -> Verdict {
        let weekly = Series::of(date(2014, 1, 6), Step::Week, &counts[..self.point]).unwrap();
        method.judge(&weekly, 1).unwrap().remove(0)
    }
}

fn close(found: f64, wanted: f64, relative: f64) -> bool {
    (found - wanted).abs() <= relative * wanted.abs().max(1.0)
}

#[test]
fn farringtons_methods_agree_with_surveillance() {
    let series = series();
    let (mut compared, mut few, mut alarms) = (0, 0, 0);
    for row in rows().iter().filter(|row| row.method.starts_with("farrington")) {
        let (alpha, years, half_window) = (row.alpha.unwrap(), row.years.unwrap(), row.half.unwrap());
        let reference = row.reference();
        let flexible = row.method == "farrington-flexible";
        let parameters = Farrington { alpha, years, half_window, reference, leave_out_missing: false };
        let method = if flexible { Method::Flexible(parameters) } else { Method::Farrington(parameters) };
        let ours = row.ours(&series[&row.series], &method);
        assert_eq!(ours.alarm, Some(row.alarm), "{row:?} {ours:?}");
        if let Some(Reason::FewCases { .. }) = ours.reason {
            // `surveillance` answers 0 (Farrington) or NA (flexible).
            assert_eq!(row.upper.unwrap_or(0.0), 0.0, "{row:?}");
            assert_eq!((ours.expected, ours.upper), (None, None));
            few += 1;
            continue;
        }
        if row.expected.unwrap() < 1e-9 {
            // No case in any reference week. R's iteration stops on its way to 0; we answer 0.
            assert_eq!((ours.expected, ours.upper), (Some(0.0), Some(0.0)));
            assert!(row.upper.unwrap() < 0.01);
            continue;
        }
        assert!(close(ours.expected.unwrap(), row.expected.unwrap(), 1e-9), "{row:?} {ours:?}");
        let exact = if flexible { 0.0 } else { 1e-9 };
        assert!(close(ours.upper.unwrap(), row.upper.unwrap(), exact), "{row:?} {ours:?}");
        // Ours is of both sides for the two-sided method.
        let p = row.p.map(|p| if flexible { p } else { (2.0 * p).min(1.0) }).unwrap();
        assert!(close(ours.p.unwrap(), p, 1e-9), "{row:?} {ours:?}");
        compared += 1;
        alarms += usize::from(row.alarm);
    }
    assert!(compared > 1500 && few > 50 && alarms > 50, "{compared} {few} {alarms}");
}

#[test]
fn ears_agrees_with_surveillance() {
    let series = series();
    let mut compared = 0;
    for row in rows().iter().filter(|row| row.method.starts_with("ears")) {
        let variant = match row.method.as_str() {
            "ears-c1" => Variant::C1,
            "ears-c2" => Variant::C2,
            _ => Variant::C3,
        };
        let ears = Ears { alpha: row.alpha.unwrap(), ..Ears::new(variant) };
        let ours = row.ours(&series[&row.series], &Method::Ears(ears));
        // Where a baseline does not vary `surveillance` has no C3.
        if let Some(upper) = row.upper {
            assert!(close(ours.upper.unwrap(), upper, 1e-10), "{row:?} {ours:?}");
            assert_eq!(ours.alarm, Some(row.alarm), "{row:?} {ours:?}");
            compared += 1;
        }
    }
    assert!(compared > 300, "{compared}");
}

#[test]
fn cusum_without_reset_agrees_with_surveillance() {
    let series = series();
    let mut verdicts: BTreeMap<String, Vec<Verdict>> = BTreeMap::new();
    let mut compared = 0;
    for row in rows().iter().filter(|row| row.method == "cusum") {
        let (last, counts) = match row.series.as_str() {
            "EARS20" => (13, series[&row.series].clone()),
            name => (40, series[name][..60].to_vec()),
        };
        let cusum = Cusum { mean: row.expected, reset: false, ..Cusum::default() };
        let ours = verdicts.entry(row.series.clone()).or_insert_with(|| {
            let daily = Series::of(date(2020, 1, 1), Step::Day, &counts).unwrap();
            Method::Cusum(cusum).judge(&daily, last).unwrap()
        });
        let first = counts.len() - last + 1;
        let (found, observed) = (&ours[row.point - first], counts[row.point - 1]);
        assert_eq!(found.alarm, Some(row.alarm), "{row:?} {found:?}");
        let upper = found.upper.unwrap();
        assert_eq!(found.alarm, Some(observed > upper));
        // A count that alarms without exceeding R's rounded bound has the bound before rounding.
        if row.alarm && observed <= row.upper.unwrap() {
            assert!(upper < observed);
        } else {
            assert_eq!(Some(upper), row.upper, "{row:?}");
        }
        compared += 1;
    }
    assert_eq!(compared, 13 + 40 + 40);
}

/// The series that the methods' numbers were published with.
const EARS20: [f64; 20] = [5., 4., 6., 7., 5., 3., 6., 8., 5., 4., 6., 5., 7., 20., 9., 6., 5., 15., 14., 6.];

fn of_ears20(method: &Method, last: usize) -> Vec<Verdict> {
    let daily = Series::of(date(2020, 3, 1), Step::Day, &EARS20).unwrap();
    method.judge(&daily, last).unwrap()
}

fn uppers(verdicts: &[Verdict]) -> Vec<f64> {
    verdicts.iter().filter_map(|v| v.upper).collect()
}

/// Days of the series, from 1, with an alarm.
fn alarms(verdicts: &[Verdict]) -> Vec<usize> {
    let first = EARS20.len() - verdicts.len() + 1;
    verdicts.iter().enumerate().filter(|(_, v)| v.alarm == Some(true)).map(|(i, _)| first + i).collect()
}

#[test]
fn ears_on_its_reference_series() {
    let all = |variant| of_ears20(&Method::Ears(Ears::new(variant)), 20);
    let c1 = [
        9.29979258,
        10.88121833,
        10.66968166,
        10.73836119,
        10.24111023,
        10.24111023,
        10.01407829,
        24.91684594,
        25.11293161,
        25.01493799,
        24.80370076,
        27.40014465,
        28.10242703,
    ];
    let c3 =
        [8.142934452, 10.36770691, 23.14293445, 0., 0., 8.553560986, 25.85378907, 23.25935995, 14.6760396];
    for (variant, wanted, days) in [
        (Variant::C1, &c1[..], &[14][..]),
        (Variant::C2, &c1[..11], &[14]),
        (Variant::C3, &c3[..], &[15, 16]),
    ] {
        let found = all(variant);
        assert_eq!(found.len(), 20);
        for (found, wanted) in uppers(&found).into_iter().zip(wanted) {
            assert!((found - wanted).abs() < 6e-9, "{found} {wanted}");
        }
        assert_eq!(uppers(&found).len(), wanted.len());
        assert_eq!(alarms(&found), days);
        let short = found.iter().filter(|v| matches!(v.reason, Some(Reason::HistoryShort { .. })));
        assert!(short.clone().all(|v| (v.expected, v.upper, v.alarm) == (None, None, None)));
        assert_eq!(short.count(), 20 - wanted.len());
    }
}

/// R goes on from where the sum stood, so that one outbreak alarms until the end of the series; we begin again.
#[test]
fn cusum_with_and_without_reset() {
    let cusum = Cusum { mean: Some(5.5), ..Cusum::default() };
    let as_r = of_ears20(&Method::Cusum(Cusum { reset: false, ..cusum }), 13);
    assert_eq!(uppers(&as_r), [14., 14., 14., 14., 14., 14., 14., 2., 1., 3., 5., 0., 0.]);
    assert_eq!(alarms(&as_r), [14, 15, 16, 17, 18, 19, 20]);
    let reset = of_ears20(&Method::Cusum(cusum), 13);
    assert_eq!(alarms(&reset), [14, 18, 19]);
    // Day 19 has 14 cases and the bound is 13.24: rounded up to whole cases it would hide its own alarm.
    let day_19 = &reset[11];
    assert!((day_19.upper.unwrap() - (5.5 + 5.5_f64.sqrt() * 3.3)).abs() < 1e-12);
    let others =
        reset.iter().enumerate().filter(|(i, _)| *i != 11).map(|(_, v)| v.clone()).collect::<Vec<_>>();
    assert_eq!(uppers(&others)[..7], [14.; 7]);
    // The mean of the eight days before is 5.5 as well.
    let own_mean = of_ears20(&Method::Cusum(Cusum::default()), 12);
    assert_eq!(own_mean[0].expected, Some(5.5));
    assert_eq!(alarms(&own_mean), [14, 18, 19]);
}

#[test]
fn farrington_flexible_on_its_reference_series() {
    let counts = series().remove("FARR364").unwrap();
    let weekly = Series::of(date(2014, 1, 6), Step::Week, &counts).unwrap();
    let judge = |reference| {
        let flexible = Farrington { alpha: 0.01, reference, ..Farrington::default() };
        Method::Flexible(flexible).judge(&weekly, 4).unwrap()
    };
    let index = judge(Reference::Index);
    let calendar = judge(Reference::Calendar);
    for (found, expected, digits, upper) in [
        (&index, [7.151_459_9, 7.854_663_2, 7.757_819_6, 7.870_905_5], 6e-8, [17., 18., 18., 18.]),
        (
            &calendar,
            [7.142_791_866, 7.415_469_764, 7.902_718_566, 7.862_342_343],
            6e-10,
            [17., 17., 18., 18.],
        ),
    ] {
        assert_eq!(uppers(found), upper);
        for (found, wanted) in found.iter().zip(expected) {
            assert!((found.expected.unwrap() - wanted).abs() < digits, "{found:?} {wanted}");
        }
        let alarms: Vec<_> = found.iter().map(|v| v.alarm.unwrap()).collect();
        assert_eq!(alarms, [false, false, true, false]);
    }
    for (found, p) in index.iter().zip([0.532_197_28, 0.997_285_76, 2.445_831_6e-8, 0.390_179_74]) {
        assert!(
            (found.p.unwrap() - p).abs() <= 6e-9 * p.max(1e-8) / 1e-8_f64.max(p).min(1.0),
            "{found:?} {p}"
        );
    }
}
