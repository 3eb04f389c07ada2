//! What is written is read back, and foreign bytes never make the reader panic.

use formats::figures::{
    Date, DefinitionId, Disaggregation, Figure, FigureKey, FigureReader, HeaderMap, Indicator, Period,
    ReadOptions, Text, Value, WriteError, write_hxl,
};
use formats::places::{Place, PlaceNames};
use proptest::prelude::*;

fn read(table: &[u8]) -> Vec<Figure> {
    let options = ReadOptions::canonical(PlaceNames::bundled());
    let reader = FigureReader::new(table, options).expect("a layout");
    reader.flat_map(|row| row.expect("a good row").figures).collect()
}

fn place() -> impl Strategy<Value = Place> {
    let countries: Vec<Place> = PlaceNames::bundled().countries().map(Place::Country).collect();
    prop_oneof![
        3 => prop::sample::select(countries),
        1 => "[ -{}~\u{e0}-\u{ff}\u{4e00}-\u{4e20}]{0,20}[A-Za-z#=\"]".prop_map(|text| Place::named(&text).expect("a name")),
    ]
}

fn period() -> impl Strategy<Value = Period> {
    let date =
        || (1_u8..=12, 1_u8..=28).prop_map(|(month, day)| Date::new(2020, month, day).expect("a date"));
    prop_oneof![
        date().prop_map(Period::day),
        (date(), date()).prop_map(|(a, b)| Period::new(a.min(b), a.max(b)).expect("in order")),
    ]
}

/// An indicator with a value that it can have.
fn stated() -> impl Strategy<Value = (Indicator, Value)> {
    let code = |code: &str| Indicator::new(code).expect("a code");
    let people = prop::sample::select(vec![
        "cases-confirmed-cumulative",
        "deaths-cumulative",
        "recovered-new",
        "cases-active",
    ]);
    prop_oneof![
        (people, 0_i64..10_000_000).prop_map(move |(name, n)| (code(name), Value::whole(n).expect("short"))),
        ("[a-z0-9][a-z0-9-]{0,10}-rate", -1_000_000_i64..1_000_000).prop_map(move |(name, n)| {
            (
                code(&name),
                format!("{}{}.{:03}", if n < 0 { "-" } else { "" }, n.abs() / 1000, n.abs() % 1000)
                    .parse()
                    .expect("a number"),
            )
        }),
    ]
}

fn text() -> impl Strategy<Value = Option<Text>> {
    prop::option::weighted(
        0.3,
        "[ -~\n\u{410}-\u{44f}]{0,30}[a-z\",]".prop_map(|text| Text::new(&text).expect("a text")),
    )
}

fn parts() -> impl Strategy<Value = Disaggregation> {
    let age = prop::sample::select(vec!["0-4", "5-14", "65+", "<1"]);
    (prop::option::weighted(0.3, "[fm]"), prop::option::weighted(0.3, age)).prop_map(|(sex, age)| {
        let pairs = sex.iter().map(|sex| ("sex", sex.as_str())).chain(age.map(|age| ("age", age)));
        Disaggregation::new(pairs).expect("two parts")
    })
}

fn figure() -> impl Strategy<Value = Figure> {
    let definition = prop::sample::select(vec!["as-reported", "who-2020-02-27", "clinical"]);
    (place(), period(), definition, parts(), stated(), text(), text()).prop_map(
        |(place, period, definition, disaggregation, (indicator, value), reason, source)| Figure {
            key: FigureKey {
                place,
                period,
                definition: DefinitionId::new(definition).expect("a definition"),
                disaggregation,
                indicator,
            },
            value,
            reason,
            source,
        },
    )
}

fn figures() -> impl Strategy<Value = Vec<Figure>> {
    prop::collection::vec(figure(), 1..40).prop_map(|mut figures| {
        figures.sort_by(|a, b| a.key.cmp(&b.key));
        figures.dedup_by(|a, b| a.key == b.key);
        figures
    })
}

/// Rows whose cells are sometimes good and sometimes anything.
fn foreign_table() -> impl Strategy<Value = String> {
    let cell = |good: &'static [&'static str]| {
        prop_oneof![4 => prop::sample::select(good).prop_map(str::to_owned), 1 => "[ -~\u{a0}\u{e9}\u{4e2d}\t\r\n]{0,8}"]
            .prop_map(|text| format!("\"{}\"", text.replace('"', "\"\"")))
    };
    let row = (
        cell(&["2020-01-22", "2020-01-22..2020-02-01", "2020/1/3", "22.01.2020"]),
        cell(&["China", "Côte d'Ivoire", "Diamond  Princess", "CHN", "", "#date", "=1+1"]),
        cell(&["", "", "Hubei", "北京"]),
        cell(&["0", "17", "", "12.0", "-1", "1,000"]),
        cell(&["icu-beds", "deaths-new", "x", ""]),
        cell(&["3", "0.50", ""]),
        cell(&["", "f", "0-4", "a,b"]),
        cell(&["", "late reports", "two\nlines", "two\r\nlines"]),
    );
    let row = row.prop_map(|(a, b, c, d, e, f, g, h)| [a, b, c, d, e, f, g, h].join(","));
    prop::collection::vec(row, 1..20).prop_map(|rows| {
        let tags = "#date,#country,#adm1,#affected+killed+total,#indicator+code,#indicator+num,#group+age,#meta+reason";
        format!("{tags}\n{}\n", rows.join("\n"))
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(figures in figures()) {
        let table = write_hxl(&figures).expect("a table");
        prop_assert_eq!(&read(&table), &figures, "{}", String::from_utf8_lossy(&table));
    }

    #[test]
    fn one_set_of_figures_has_one_table(figures in figures()) {
        let table = write_hxl(&figures).expect("a table");
        let reversed: Vec<Figure> = figures.into_iter().rev().collect();
        prop_assert_eq!(write_hxl(&reversed).expect("a table"), table);
    }

    #[test]
    fn keys_are_read_from_their_text(figure in figure()) {
        prop_assert_eq!(figure.key.to_string().parse::<FigureKey>(), Ok(figure.key));
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes: Vec<u8>, rows in "[#a-z0-9,;\"\n\r+. -]{0,200}") {
        for table in [bytes.as_slice(), rows.as_bytes(), &[b"date,country,deaths\n", bytes.as_slice()].concat()] {
            if let Ok(reader) = FigureReader::new(table, ReadOptions::default()) {
                for row in reader {
                    let _ = row.map_err(|error| (error.to_string(), error.args()));
                }
            }
        }
    }

    #[test]
    fn what_is_read_from_a_foreign_table_can_be_written_and_read_back(table in foreign_table()) {
        let mut figures = Vec::new();
        for row in FigureReader::new(table.as_bytes(), ReadOptions::default()).expect("a layout").flatten() {
            figures.extend(row.figures);
        }
        figures.sort_by(|a, b| a.key.cmp(&b.key));
        figures.dedup_by(|a, b| a.key == b.key);
        if !figures.is_empty() {
            prop_assert_eq!(read(&write_hxl(&figures).expect("a table")), figures);
        }
    }

    #[test]
    fn no_text_makes_the_mapping_panic(text in "[a-z=#,+ -]{0,60}") {
        let _ = HeaderMap::read(&text);
    }
}

fn one(key: &str, value: &str) -> Figure {
    let (key, value) = (key.parse().expect("a key"), value.parse().expect("a value"));
    Figure { key, value, reason: None, source: None }
}

#[test]
fn the_table_is_as_small_as_its_figures_let_it_be() {
    let figures = [
        one("JPN|2020-01-22|as-reported||deaths-cumulative", "0"),
        one("CHN|2020-01-23|as-reported||cases-confirmed-cumulative", "643"),
        one("CHN|2020-01-22|as-reported||deaths-cumulative", "17"),
        one("CHN|2020-01-22|as-reported||cases-confirmed-cumulative", "548"),
    ];
    let table = String::from_utf8(write_hxl(&figures).expect("a table")).expect("text");
    assert_eq!(
        table,
        "#date,#country+code+v_iso3,#affected+infected+confirmed+cumulative,#affected+infected+killed+cumulative\n\
         2020-01-22,CHN,548,17\n\
         2020-01-23,CHN,643,\n\
         2020-01-22,JPN,,0\n"
    );
}

#[test]
fn a_figure_of_another_reason_stands_in_a_row_of_its_own() {
    let mut deaths = one("CHN|2020-04-16|as-reported||deaths-cumulative", "4636");
    deaths.reason = Some(Text::new("late, omitted and mistaken reports").expect("a text"));
    let cases = one("CHN|2020-04-16|as-reported||cases-confirmed-cumulative", "83728");
    let figures = [cases, deaths];
    let table = write_hxl(&figures).expect("a table");
    assert_eq!(String::from_utf8_lossy(&table).lines().count(), 3);
    assert_eq!(read(&table), figures);
}

#[test]
fn a_code_that_only_its_author_declared_is_read_back_as_a_country() {
    let figures = [one("XKX|2020-04-16|as-reported||cases-confirmed-cumulative", "449")];
    let table = write_hxl(&figures).expect("a table");
    assert_eq!(read(&table), figures);
    // In a table that is imported it must be declared here.
    let mut reader = FigureReader::new(&table[..], ReadOptions::default()).expect("a layout");
    let error = reader.next().expect("a row").expect_err("an unknown code");
    assert_eq!(error.code(), "country-code-unknown");
}

#[test]
fn figures_that_cannot_be_are_not_written() {
    let cases = one("CHN|2020-01-22|as-reported||cases-confirmed-cumulative", "548");
    let code = |figures: &[Figure]| write_hxl(figures).map_err(|error| error.code());
    assert_eq!(write_hxl(&[]), Err(WriteError::Empty));
    assert_eq!(code(&[cases.clone(), cases]), Err("figure-stated-twice"));
    assert_eq!(
        code(&[one("CHN|2020-01-22|as-reported||x-cumulative", "-1")]),
        Err("figure-value-impossible")
    );
    assert_eq!(code(&[one("CHN|2020-01-22|as-reported||deaths-new", "0.5")]), Err("figure-value-impossible"));
}
