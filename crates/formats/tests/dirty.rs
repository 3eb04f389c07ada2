//! Tables as they really are: ships as countries, counts that fall, cells that are empty and not zero, two orders of
//! dates, titles above the tags, six languages.

use std::fmt::Write as _;

use formats::figures::{
    DateOrder, FigureReader, HeaderMap, ImportOptions, LayoutError, Meaning, Numerals, ReadOptions, dry_run,
};

const AGGREGATED: &str = include_str!("data/aggregated.csv");
const DAY_FIRST: &str = include_str!("data/day-first.csv");
const MONTH_FIRST: &str = include_str!("data/month-first.csv");
const TAGGED: &str = include_str!("data/tagged.csv");
const LONG: &str = include_str!("data/long.tsv");

/// Every figure as `key = value`, every problem as `row: code`.
fn told(table: &str, options: ReadOptions) -> String {
    let mut told = String::new();
    for row in FigureReader::new(table.as_bytes(), options).expect("a layout") {
        match row {
            Ok(row) => row.figures.iter().for_each(|figure| {
                let key = figure.key.to_string().replace("|as-reported", "");
                writeln!(told, "{key} = {}", figure.value).expect("a string");
            }),
            Err(error) => writeln!(told, "{}: {}", error.row, error.code()).expect("a string"),
        }
    }
    told
}

fn map(text: &str) -> HeaderMap {
    HeaderMap::read(text).expect("a mapping")
}

#[test]
fn a_table_of_countries_keeps_ships_as_text_and_empty_cells_empty() {
    let told = told(AGGREGATED, ReadOptions::default());
    for line in [
        "text:Diamond Princess|2020-02-07||cases-confirmed-cumulative = 61",
        "text:MS Zaandam|2020-03-27||cases-confirmed-cumulative = 2",
        "CHN|2020-04-16||deaths-cumulative = 3346",
        "KOR|2020-04-16||recovered-cumulative = 7757",
        "TWN|2020-04-16||deaths-cumulative = 6",
        "USA|2020-04-16||deaths-cumulative = 32916",
        "MMR|2020-04-16||deaths-cumulative = 4",
        "COD|2020-04-16||deaths-cumulative = 22",
        "text:Kosovo|2020-04-16||cases-confirmed-cumulative = 449",
        "ESH|2020-04-16||deaths-cumulative = 0",
    ] {
        assert!(told.contains(line), "{line} is not in\n{told}");
    }
    // Empty is not zero.
    assert!(!told.contains("MS Zaandam|2020-03-27||deaths"), "{told}");
    assert!(!told.contains("Kosovo|2020-04-16||recovered"), "{told}");
    assert_eq!(told.lines().count(), 14 * 3 - 4);
}

#[test]
fn a_count_that_falls_is_read_and_pointed_out() {
    let reader = FigureReader::new(AGGREGATED.as_bytes(), ReadOptions::default()).expect("a layout");
    let mut falls = Vec::new();
    let report = dry_run(reader, &|_: &_| None, &ImportOptions::default(), |row| {
        for figure in &row.figures {
            if let Some(fall) = &figure.fall {
                let (place, value) = (&figure.figure.key.place, figure.figure.value);
                falls.push(format!("{}: {place} {} since {} to {value}", row.row, fall.from, fall.since));
            }
        }
    });
    assert_eq!(
        falls,
        ["6: CHN 78401 since 2020-04-16 to 77552", "14: ESP 213024 since 2020-04-23 to 202990"]
    );
    assert!(report.is_accepted());
    assert_eq!((report.rows, report.figures, report.new, report.falls), (14, 38, 38, 2));
}

#[test]
fn what_was_guessed_is_shown() {
    let reader = FigureReader::new(AGGREGATED.as_bytes(), ReadOptions::default()).expect("a layout");
    let layout = reader.layout();
    assert_eq!((layout.delimiter, layout.rows_above), (',', 1));
    let assumed: Vec<&str> = layout
        .columns
        .iter()
        .filter(|column| matches!(column.meaning, Meaning::Values { assumed_cumulative: true, .. }))
        .map(|column| column.at.header.as_str())
        .collect();
    assert_eq!(assumed, ["Confirmed", "Recovered", "Deaths"]);
}

#[test]
fn day_first_dates_are_refused_until_the_order_is_said() {
    let columns = "Tag=#date,Land=#country+name,Fälle=#affected+infected+confirmed+total,Todesfälle=#affected+killed+total";
    let strict = ReadOptions { map: map(columns), ..ReadOptions::default() };
    let said = ReadOptions {
        dates: DateOrder::DayFirst,
        numerals: Numerals { decimal: ',', thousands: Some('.'), negative: false },
        ..strict.clone()
    };
    assert_eq!(
        told(DAY_FIRST, strict),
        "2: date-unclear\n3: date-unclear\n3: value-fractional\n4: date-unclear\n5: value-fractional\n"
    );
    assert_eq!(
        told(DAY_FIRST, said),
        "AUT|2020-03-14||cases-confirmed-cumulative = 655\n\
         AUT|2020-03-14||deaths-cumulative = 1\n\
         AUT|2020-03-15||cases-confirmed-cumulative = 1016\n\
         DEU|2020-03-04||cases-confirmed-cumulative = 262\n\
         DEU|2020-03-04||deaths-cumulative = 0\n\
         AUT|2020-03-16||cases-confirmed-cumulative = 1332\n\
         AUT|2020-03-16||deaths-cumulative = 3\n"
    );
}

#[test]
fn an_unclear_date_is_shown_in_both_readings() {
    let mut reader = FigureReader::new(MONTH_FIRST.as_bytes(), ReadOptions::default()).expect("a layout");
    let error = reader.next().expect("a row").expect_err("an unclear date");
    assert_eq!(
        error.to_string(),
        "row 2, column 1 (date): \"3/4/2020\": say whether the day or the month comes first, or write 2020-04-03 or 2020-03-04"
    );
    assert_eq!(
        error.args(),
        [
            ("row", "2".to_owned()),
            ("column", "1".to_owned()),
            ("header", "date".to_owned()),
            ("text", "3/4/2020".to_owned()),
            ("day-first", "2020-04-03".to_owned()),
            ("month-first", "2020-03-04".to_owned())
        ]
    );
}

#[test]
fn month_first_dates_and_separators_are_read_when_they_are_said() {
    let options = ReadOptions {
        dates: DateOrder::MonthFirst,
        numerals: Numerals { thousands: Some(','), ..Numerals::default() },
        ..ReadOptions::default()
    };
    assert_eq!(
        told(MONTH_FIRST, options),
        "ITA|2020-03-04||cases-confirmed-cumulative = 3089\n\
         ITA|2020-03-04||deaths-cumulative = 107\n\
         ITA|2020-03-13||cases-confirmed-cumulative = 17660\n\
         ITA|2020-03-13||deaths-cumulative = 1266\n\
         4: date-short-year\n\
         5: date-invalid\n"
    );
}

#[test]
fn a_tagged_table_below_titles_is_read_in_six_languages() {
    assert_eq!(
        told(TAGGED, ReadOptions::default()),
        "MAR|2020-05-13|sex=f|cases-confirmed-cumulative = 3100\n\
         MAR|2020-05-13|sex=m|cases-confirmed-cumulative = 3407\n\
         MAR|2020-05-13||deaths-cumulative = 190\n\
         CHN|2020-05-13|sex=f|cases-confirmed-cumulative = 41980\n\
         CHN|2020-05-13|sex=m|cases-confirmed-cumulative = 42044\n\
         CHN|2020-05-13||deaths-cumulative = 4637\n\
         FRA|2020-05-13||deaths-cumulative = 27074\n\
         CIV|2020-05-13|sex=f|cases-confirmed-cumulative = 900\n\
         CIV|2020-05-13|sex=m|cases-confirmed-cumulative = 1012\n\
         CIV|2020-05-13||deaths-cumulative = 24\n\
         10: place-contradiction\n\
         11: country-code-unknown\n\
         12: value-negative\n"
    );
}

#[test]
fn a_row_per_figure_holds_periods_provinces_and_codes_of_ones_own() {
    assert_eq!(
        told(LONG, ReadOptions::default()),
        "ITA|2020-03-02..2020-03-08||tests-new = 33000\n\
         text:Lombardia, ITA|2020-03-02..2020-03-08||tests-new = 12138\n\
         text:Lombardia, ITA|2020-03-02..2020-03-08||positive-share = 0.27\n\
         6: value-fractional\n\
         7: period-reversed\n"
    );
}

#[test]
fn every_problem_of_a_row_is_told_and_the_row_is_refused_whole() {
    let table = "date,iso3,deaths,confirmed,recovered\n2020-02-30,CHI,1,x,-1\n2020-02-28,CHN,1,2,3\n";
    assert_eq!(
        told(table, ReadOptions::default()),
        "2: date-invalid\n2: country-code-unknown\n2: value-invalid\n2: value-negative\n\
         CHN|2020-02-28||deaths-cumulative = 1\n\
         CHN|2020-02-28||cases-confirmed-cumulative = 2\n\
         CHN|2020-02-28||recovered-cumulative = 3\n"
    );
}

#[test]
fn rows_of_another_shape_are_refused() {
    let table = "date,country,deaths\n2020-02-28,China\n2020-02-28,China,1,,\n2020-02-28,Korea, South,1\n";
    assert_eq!(
        told(table, ReadOptions::default()),
        "2: cells-missing\nCHN|2020-02-28||deaths-cumulative = 1\n4: cells-extra\n"
    );
}

#[test]
fn words_for_nothing_must_be_declared() {
    let table = "date,country,deaths,confirmed\n2020-02-28,China,NA,5\n";
    assert_eq!(told(table, ReadOptions::default()), "2: value-invalid\n");
    let options = ReadOptions { not_stated: vec!["NA".to_owned()], ..ReadOptions::default() };
    assert_eq!(told(table, options), "CHN|2020-02-28||cases-confirmed-cumulative = 5\n");
}

#[test]
fn a_table_that_cannot_be_understood_says_why() {
    let error = |table: &[u8]| match FigureReader::new(table, ReadOptions::default()) {
        Ok(_) => "understood",
        Err(error) => error.code(),
    };
    assert_eq!(error(b""), "table-empty");
    assert_eq!(error(b"\n\n"), "table-empty");
    assert_eq!(error(b"\xff\xfeD\0a\0"), "table-not-utf8");
    assert_eq!(error(b"date,pa\xeds,deaths\n"), "table-not-utf8");
    assert_eq!(error(b"a,b\n1,2\n"), "column-date-missing");
    assert_eq!(error(b"date,deaths\n"), "column-place-missing");
    assert_eq!(error(b"date,country\n"), "column-indicator-missing");
    assert_eq!(error(b"start date,country,deaths\n"), "column-period-half");
    assert_eq!(error(b"date,country,deaths,total deaths\n"), "columns-twice");
    assert_eq!(error(b"#date,#country,#affected+infected+confirmed+hcw\n"), "tag-unclear");
    assert_eq!(error(b"#date,#country,# affected!\n"), "tag-invalid");
    assert_eq!(error(b"\"date,country\n2020"), "table-unreadable");
    let mapped = ReadOptions { map: map("Deaths=#affected+killed+total"), ..ReadOptions::default() };
    assert_eq!(
        FigureReader::new(&b"date,country\n"[..], mapped).err(),
        Some(LayoutError::HeaderMissing { header: "Deaths".to_owned() })
    );
}

#[test]
fn limits_end_the_reading_and_say_so() {
    let mut options = ReadOptions::default();
    options.limits.rows = 2;
    let table = "date,country,deaths\n2020-02-28,China,1\n2020-02-29,China,2\n2020-03-01,China,3\n";
    assert_eq!(told(table, options.clone()).lines().last(), Some("4: rows-too-many"));
    options.limits.rows = 10;
    options.limits.figures = 1;
    assert_eq!(told(table, options.clone()).lines().last(), Some("3: figures-too-many"));
    options.limits.figures = 10;
    options.limits.row_bytes = 64;
    let long = format!("{table}2020-03-02,{},4\n2020-03-03,China,5\n", "x".repeat(80));
    assert_eq!(told(&long, options.clone()).lines().last(), Some("5: row-too-long"));
    assert_eq!(
        told(&format!("{table}2020-03-02,\"China,4\n"), options).lines().last(),
        Some("5: quote-not-closed")
    );
}
