//! `/situation/{place}.csv`: what is stated of a place under one indicator, as a file.

use super::curve::Day;
use super::names::Names;
use super::parts::{Csv, iso, iso_day};
use super::place::Place;
use super::query::{self, Series, Source};
use std::collections::BTreeMap;
use store::db::{Db, DbError};

/// The columns of the file.
const CSV: [&str; 17] = [
    "place",
    "indicator",
    "definition",
    "disaggregation",
    "author",
    "author_name",
    "start",
    "end",
    "value",
    "new",
    "new_days",
    "mean_7_days",
    "corrections",
    "record",
    "edition",
    "claimed",
    "proven",
];
/// Days whose records are read together for it.
const TOGETHER: usize = 1_000;

/// Everything stated of the place under one indicator, by every author, as a file. Where somebody states more than is read,
/// a last column says from which day on.
pub async fn csv(db: &Db, names: &Names<'_>, place: &Place) -> Result<Vec<u8>, DbError> {
    let is_cut = place.shown.iter().any(|one| one.from.is_some());
    let columns: Vec<&str> = CSV.into_iter().chain(is_cut.then_some("shown_from")).collect();
    let mut csv = Csv::new(&columns);
    for one in &place.shown {
        let from = is_cut.then(|| one.from.map(iso_day).unwrap_or_default());
        let starts: BTreeMap<i64, i64> =
            one.figures.iter().map(|figure| (figure.day, figure.start)).collect();
        for days in one.days.chunks(TOGETHER) {
            let sources = query::sources(db, one.series.shelf, days.iter().map(|day| day.release)).await?;
            for day in days {
                let start = starts.get(&day.day).copied().unwrap_or(day.day);
                let fields = csv_fields(names, &one.series, (start, day), sources.get(&day.release));
                csv.row(fields.into_iter().chain(from.clone()));
            }
        }
        if let (true, Some(from)) = (one.days.is_empty(), from.filter(|from| !from.is_empty())) {
            let mut fields = [const { String::new() }; CSV.len() + 1];
            fields[..6].clone_from_slice(&csv_series(names, &one.series));
            fields[CSV.len()] = from;
            csv.row(fields);
        }
    }
    Ok(csv.finish())
}

fn csv_series(names: &Names<'_>, series: &Series) -> [String; 6] {
    [
        series.place.clone(),
        series.indicator.clone(),
        series.definition.clone(),
        series.disaggregation.clone(),
        series.author.clone(),
        names.author(&series.author).to_owned(),
    ]
}

fn csv_fields(
    names: &Names<'_>,
    series: &Series,
    (start, day): (i64, &Day),
    source: Option<&Source>,
) -> Vec<String> {
    let mut fields = csv_series(names, series).to_vec();
    fields.extend([
        iso_day(start),
        iso_day(day.day),
        day.stated.to_string(),
        day.new.map(|new| new.to_string()).unwrap_or_default(),
        day.new.map(|_| day.days.to_string()).unwrap_or_default(),
        day.mean.map(|mean| format!("{mean:.3}")).unwrap_or_default(),
        day.corrections.to_string(),
        source.map(|source| source.name.clone()).unwrap_or_default(),
        source.map(|source| source.edition.to_string()).unwrap_or_default(),
        iso(source.map(|source| source.claimed)),
        iso(source.and_then(|source| source.proven)),
    ]);
    fields
}
