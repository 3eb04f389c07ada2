//! The figures of the demo are in the canonical form, and tell the story that the demo shows.

use std::collections::HashMap;
use std::path::Path;

use formats::figures::{
    Figure, FigureKey, FigureReader, ImportOptions, ImportReport, Outcome, ReadOptions, Value, dry_run,
    write_hxl,
};
use formats::places::PlaceNames;

fn table(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../demo/figures").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn figures(name: &str) -> Vec<Figure> {
    let table = table(name);
    let reader =
        FigureReader::new(&table[..], ReadOptions::canonical(PlaceNames::bundled())).expect("a layout");
    reader.flat_map(|row| row.expect("a good row").figures).collect()
}

fn values(name: &str) -> HashMap<FigureKey, Value> {
    figures(name).into_iter().map(|figure| (figure.key, figure.value)).collect()
}

/// What importing the table would do to what is stated already.
fn import(name: &str, stated: &HashMap<FigureKey, Value>) -> (ImportReport, Vec<Outcome>) {
    let table = table(name);
    let reader = FigureReader::new(&table[..], ReadOptions::default()).expect("a layout");
    let mut outcomes = Vec::new();
    let ledger = |key: &FigureKey| stated.get(key).copied();
    let report = dry_run(reader, &ledger, &ImportOptions::default(), |row| {
        outcomes.extend(row.figures.iter().map(|figure| figure.outcome.clone()));
    });
    (report, outcomes)
}

fn value(text: &str) -> Value {
    text.parse().expect("a value")
}

#[test]
fn every_table_is_canonical_and_names_its_sources() {
    for name in ["chn.csv", "jpn.csv", "kor.csv", "chn-correction.csv", "who-weekly.csv"] {
        let figures = figures(name);
        assert!(figures.iter().all(|figure| figure.source.is_some()), "{name}");
        assert_eq!(write_hxl(&figures).expect("a table"), table(name), "{name}");
    }
}

#[test]
fn the_daily_tables_state_131_days() {
    for (name, falls) in [("chn.csv", 1), ("jpn.csv", 2), ("kor.csv", 1)] {
        let (report, _) = import(name, &HashMap::new());
        assert!(report.is_accepted(), "{name}");
        assert_eq!((report.rows, report.new, report.falls), (131, 393, falls), "{name}");
    }
}

#[test]
fn the_correction_restates_the_16th_of_april_with_the_announced_differences() {
    let stated = values("chn.csv");
    let (report, outcomes) = import("chn-correction.csv", &stated);
    assert_eq!((report.corrections, report.figures, report.is_accepted()), (2, 2, true));
    let old: Vec<Value> = outcomes
        .iter()
        .filter_map(|outcome| match outcome {
            Outcome::Correction { old, .. } => Some(*old),
            _ => None,
        })
        .collect();
    assert_eq!(old, [value("83403"), value("3346")]);
    let new: Vec<Value> = figures("chn-correction.csv").iter().map(|figure| figure.value).collect();
    assert_eq!(new, [value("83728"), value("4636")]);
    // The day after, the source counts the revised way already.
    let next: FigureKey = "CHN|2020-04-17|as-reported||deaths-cumulative".parse().expect("a key");
    assert_eq!(stated.get(&next), Some(&value("4636")));
}

#[test]
fn two_authors_state_china_differently_on_the_same_day() {
    let (china, who) = (values("chn.csv"), values("who-weekly.csv"));
    let both = who.iter().filter_map(|(key, who)| Some((who, china.get(key)?)));
    let (same, different): (Vec<_>, Vec<_>) = both.partition(|(who, china)| who == china);
    // 18 Tuesdays, cases and deaths.
    assert_eq!((same.len(), different.len()), (0, 36));
    let key: FigureKey = "CHN|2020-04-21|as-reported||cases-confirmed-cumulative".parse().expect("a key");
    assert_eq!((china.get(&key), who.get(&key)), (Some(&value("83853")), Some(&value("84250"))));
}
