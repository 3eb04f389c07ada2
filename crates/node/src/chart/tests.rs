//! What is drawn is what was given.

use super::*;
use crate::i18n::Lang;
use jiff::civil::date;
use jiff::tz::TimeZone;
use proptest::prelude::*;

fn chart(values: &[Option<i64>]) -> DailyChart {
    let t = Locale::new(Lang::En, TimeZone::UTC);
    let daily = Daily::new(date(2020, 1, 22), values.to_vec());
    let series = vec![Series { name: String::new(), daily }];
    DailyChart::new(&t, "cases", "New cases per day", Measure::Cases, series).expect("there are values")
}

/// Reads the bars' path back: day, value.
fn bars_of(chart: &DailyChart, incomplete: bool) -> Vec<(usize, f64)> {
    #[allow(clippy::cast_precision_loss)]
    let (low, high) = (chart.ticks[0] as f64, chart.ticks[chart.ticks.len() - 1] as f64);
    let path = chart.bars(incomplete);
    let bar = |text: &str| {
        let (left, rest) = text.split_once(' ').unwrap();
        let top: f64 = rest.split(['V', 'h']).nth(1).unwrap().parse().unwrap();
        (left.parse::<usize>().unwrap() / DAY, low + (PLOT - top) / PLOT * (high - low))
    };
    path.split('M').filter(|text| !text.is_empty()).map(bar).collect()
}

proptest! {
    #[test]
    fn bars_stand_for_the_values_given(values in proptest::collection::vec(proptest::option::of(-500_i64..5000), 1..90)) {
        prop_assume!(values.iter().any(Option::is_some));
        let chart = chart(&values);
        let expected: Vec<(usize, i64)> = values
            .iter()
            .enumerate()
            .filter_map(|(day, value)| value.filter(|value| *value != 0).map(|value| (day, value)))
            .collect();
        let drawn = bars_of(&chart, false);
        prop_assert_eq!(drawn.len(), expected.len());
        for ((day, value), (drawn_day, drawn_value)) in expected.into_iter().zip(drawn) {
            prop_assert_eq!(day, drawn_day);
            #[allow(clippy::cast_precision_loss)]
            let difference = (value as f64 - drawn_value).abs();
            prop_assert!(difference < 1.0, "{value} drawn as {drawn_value}");
        }
    }
}

#[test]
fn the_table_repeats_every_value_and_says_what_is_unknown() {
    let html = chart(&[Some(1), None, Some(12_345)]).to_string();
    assert!(html.contains("<td class=\"n\">12,345</td>"));
    assert!(
        html.contains("<time datetime=\"2020-01-23\">23 Jan 2020</time></th><td class=\"n\">–</td>"),
        "{html}"
    );
    assert_eq!(html.matches("<tr>").count(), 4);
}

#[test]
fn incomplete_days_are_drawn_apart_and_told() {
    let chart = chart(&[Some(5); 20]).with_incomplete_days(2);
    assert_eq!((bars_of(&chart, false).len(), bars_of(&chart, true).len()), (18, 2));
    assert!(chart.summary().contains("incomplete"));
}

#[test]
fn authors_who_state_other_values_stand_side_by_side() {
    let t = Locale::new(Lang::Ar, TimeZone::UTC);
    let series = |name: &str, first, values: &[i64]| Series {
        name: name.to_owned(),
        daily: Daily::new(first, values.iter().copied().map(Some).collect()),
    };
    let both = vec![series("A", date(2020, 3, 1), &[1; 10]), series("B", date(2020, 2, 27), &[2; 9])];
    let chart = DailyChart::new(&t, "cases", "x", Measure::Deaths, both).unwrap();
    assert_eq!(chart.days, 13);
    let html = chart.to_string();
    assert!(html.contains("class=\"average s2\""));
    assert!(!html.contains("style=\""));
}

#[test]
fn corrections_are_numbered_in_the_plot_and_explained_below() {
    let marker = Marker { day: date(2020, 1, 25), text: Markup::link("/record/1", "7 duplicates removed") };
    let outside = Marker { day: date(2021, 1, 1), text: Markup::text("later") };
    let html = chart(&[Some(3); 30]).with_markers(vec![marker, outside]).to_string();
    assert_eq!(html.matches("<g class=\"mark\">").count(), 1);
    assert!(html.contains("<a href=\"/record/1\">7 duplicates removed</a>") && html.contains("later"));
}

#[test]
fn nothing_known_draws_nothing() {
    let t = Locale::new(Lang::En, TimeZone::UTC);
    let daily = Daily::new(date(2020, 1, 22), vec![None, None]);
    let series = vec![Series { name: String::new(), daily }];
    assert!(DailyChart::new(&t, "x", "x", Measure::Cases, series).is_none());
    assert!(DailyChart::new(&t, "x", "x", Measure::Cases, Vec::new()).is_none());
}
