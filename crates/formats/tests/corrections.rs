//! What an import would do to figures that are already stated.

use std::collections::HashMap;

use formats::figures::{
    Date, FigureKey, FigureReader, ImportOptions, ImportReport, Outcome, ReadOptions, RowError, Text, Value,
    dry_run,
};

/// What was stated before 17 April 2020, national figures of the announcement of that day.
fn ledger() -> HashMap<FigureKey, Value> {
    [
        ("CHN|2020-04-16|as-reported||cases-confirmed-cumulative", "82367"),
        ("CHN|2020-04-16|as-reported||deaths-cumulative", "3342"),
    ]
    .into_iter()
    .map(|(key, value)| (key.parse().expect("a key"), value.parse().expect("a value")))
    .collect()
}

fn import(table: &str, reason: Option<&str>) -> (ImportReport, Vec<(u64, Outcome)>) {
    let ledger = ledger();
    let stated = |key: &FigureKey| ledger.get(key).copied();
    let options =
        ImportOptions { reason: reason.map(|text| Text::new(text).expect("a reason")), last_day: None };
    let reader = FigureReader::new(table.as_bytes(), ReadOptions::default()).expect("a layout");
    let mut outcomes = Vec::new();
    let report = dry_run(reader, &stated, &options, |row| {
        outcomes.extend(row.figures.iter().map(|figure| (row.row, figure.outcome.clone())));
    });
    (report, outcomes)
}

fn number(text: &str) -> Value {
    text.parse().expect("a value")
}

const TAGS: &str =
    "#date,#country+code,#affected+infected+confirmed+total,#affected+infected+dead+total,#meta+reason\n";

#[test]
fn a_correction_without_a_reason_is_refused() {
    let (report, outcomes) = import(&format!("{TAGS}2020-04-16,CHN,82692,4632,\n"), None);
    assert_eq!(
        outcomes,
        [
            (2, Outcome::MissingReason { old: number("82367") }),
            (2, Outcome::MissingReason { old: number("3342") })
        ]
    );
    assert!(!report.is_accepted());
    assert_eq!((report.missing_reason, report.rows_refused), (2, 1));
}

#[test]
fn a_correction_takes_its_reason_from_the_row_and_else_from_the_import() {
    let table = format!("{TAGS}2020-04-16,CHN,82692,,late reports checked\n2020-04-16,CHN,,4632,\n");
    let (report, outcomes) = import(&table, Some("revised"));
    let reasons: Vec<String> = outcomes
        .iter()
        .map(|(_, outcome)| match outcome {
            Outcome::Correction { old, reason } => format!("{old}: {reason}"),
            other => other.code().to_owned(),
        })
        .collect();
    assert_eq!(reasons, ["82367: late reports checked", "3342: revised"]);
    assert!(report.is_accepted());
}

#[test]
fn a_new_period_is_new_and_the_same_value_says_nothing() {
    let table =
        format!("{TAGS}2020-04-16,CHN,82367.0,,\n2020-04-17,CHN,82719,4632,\n2020-04-16,JPN,8582,,\n");
    let (report, _) = import(&table, None);
    assert_eq!((report.same, report.new, report.corrections), (1, 3, 0));
    assert!(report.is_accepted());
}

#[test]
fn a_table_states_a_figure_once() {
    let (report, outcomes) = import(
        &format!("{TAGS}2020-04-18,CHN,1,,\n2020-04-18,China,2,,\n").replace("#country+code", "#country"),
        None,
    );
    assert_eq!(outcomes, [(2, Outcome::New), (3, Outcome::StatedTwice)]);
    assert_eq!((report.stated_twice, report.is_accepted()), (1, false));
}

#[test]
fn every_row_is_reported_in_order_refused_ones_with_all_their_problems() {
    let table = format!("{TAGS}x,CHN,1,2,\n2020-04-18,QQQ,y,2,\n2020-04-18,KOR,3,4,\n2020-04-19,KOR,-,4,\n");
    let reader = FigureReader::new(table.as_bytes(), ReadOptions::default()).expect("a layout");
    let mut rows = Vec::new();
    let report = dry_run(reader, &|_: &FigureKey| None, &ImportOptions::default(), |row| {
        rows.push((row.row, row.figures.len(), row.errors.iter().map(RowError::code).collect::<Vec<_>>()));
    });
    assert_eq!(
        rows,
        [
            (2, 0, vec!["date-invalid"]),
            (3, 0, vec!["country-code-unknown", "value-invalid"]),
            (4, 2, vec![]),
            (5, 0, vec!["value-invalid"]),
        ]
    );
    assert_eq!((report.rows, report.rows_refused, report.figures), (4, 3, 2));
}

#[test]
fn a_figure_of_a_day_that_is_too_far_ahead_is_refused() {
    let table = format!("{TAGS}2020-04-18,CHN,1,,\n2020-04-19,CHN,2,,\n");
    let reader = FigureReader::new(table.as_bytes(), ReadOptions::default()).expect("a layout");
    let options = ImportOptions { reason: None, last_day: Date::new(2020, 4, 18) };
    let mut outcomes = Vec::new();
    let report = dry_run(reader, &|_: &FigureKey| None, &options, |row| {
        outcomes.extend(row.figures.iter().map(|figure| figure.outcome.code()));
    });
    assert_eq!(outcomes, ["figure-new", "figure-too-far-ahead"]);
    assert_eq!((report.new, report.too_far_ahead, report.is_accepted()), (1, 1, false));
}
