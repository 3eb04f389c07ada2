//! The seeds of the fuzz target `hxl`, played through the target itself: each is a table that is read, written in the
//! canonical form and read again, so that what is made of it begins behind the first checks.

mod hxl;
mod weekly;

use std::collections::BTreeSet;
use std::path::Path;

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/hxl")
}

fn seed(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn every_table_is_read_and_written_again() {
    for file in std::fs::read_dir(folder()).expect("seeds") {
        let name = file.expect("a seed").file_name().into_string().expect("ASCII");
        let read = hxl::read(&seed(&name)).unwrap_or_else(|| panic!("{name}: no table"));
        assert!(!read.figures.is_empty(), "{name}: {:?}", read.problems);
        assert!(read.written.is_ok(), "{name}: {:?}", read.written);
    }
}

#[test]
fn small_tables_are_those_of_the_other_tests() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    for name in ["aggregated.csv", "long.tsv", "tagged.csv"] {
        assert!(std::fs::read(data.join(name)).expect(name) == seed(name), "{name}");
    }
}

/// With `WRITE_SEEDS=1` the file is written anew.
#[test]
fn the_weekly_table_has_hundreds_of_rows_and_many_kinds_of_dirt() {
    if std::env::var_os("WRITE_SEEDS").is_some() {
        std::fs::write(folder().join("weekly.csv"), weekly::table()).expect("a seed");
    }
    let table = seed("weekly.csv");
    assert!(table == weekly::table().as_bytes(), "weekly.csv is not what is made up today");
    let read = hxl::read(&table).expect("a table");
    assert!(read.figures.len() > 800, "{}", read.figures.len());
    let kinds: BTreeSet<_> = read.problems.iter().copied().collect();
    let dirt = [
        "cells-extra",
        "date-has-time",
        "date-invalid",
        "date-short-year",
        "date-unclear",
        "place-missing",
        "value-invalid",
        "value-negative",
        "value-separated",
        "value-too-long",
    ];
    assert_eq!(kinds, BTreeSet::from(dirt));
}
