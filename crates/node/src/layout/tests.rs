//! What holds for every page, checked on rendered HTML.

use super::*;
use crate::face::Face;
use crate::i18n::Lang;
use jiff::tz::TimeZone;

fn asked(lang: Lang, query: &str) -> Asked {
    let parts = RequestParts { path: "/situation", query, ..RequestParts::default() };
    Asked::new(parts, lang, TimeZone::UTC)
}

fn shell(face: Face) -> Shell {
    Shell::new("Ministry of <Health>", "moh.jpn.example", face)
}

#[test]
fn every_refusal_is_a_page_in_every_language() {
    for lang in Lang::ALL {
        for refusal in Refusal::ALL {
            let problem = Problem::new("as-of-date").with("value", "<x>");
            let html = error_page(&shell(Face::Public), &asked(lang, ""), refusal, &[problem], Some("7f"));
            assert!(html.contains(&format!("<html lang=\"{}\" dir=\"{}\">", lang.code(), lang.dir())));
            assert!(html.contains("&#60;x&#62;") || html.contains("&lt;x&gt;"), "escaped");
            assert!(!html.contains("<x>") && !html.contains("<Health>"));
        }
    }
}

#[test]
fn a_code_without_a_sentence_is_said_by_its_family() {
    let t = asked(Lang::En, "").t;
    let text = Problem::new("db-column").with("number", "3").text(&t);
    assert!(text.starts_with("A database of this node"), "{text}");
    assert!(text.contains("db-column (number: 3)"), "{text}");
}

#[test]
fn an_unlisted_code_shows_itself_and_its_arguments() {
    let problem = Problem::new("odd.fault").with("path", "/srv").with("free", 0_u64);
    let text = problem.text(&asked(Lang::Fr, "").t).replace(['\u{2068}', '\u{2069}'], "");
    assert_eq!(text, "Refusé\u{a0}: odd.fault (path: /srv, free: 0)");
}

#[test]
fn a_problem_in_a_table_says_where() {
    let problem = Problem::of("date-invalid", [("text", "31.5.".to_owned())]);
    let plain =
        |problem: &Problem| problem.text(&asked(Lang::En, "").t).replace(['\u{2068}', '\u{2069}'], "");
    let cell = problem.clone().in_row(1207, Some((3, "Date")));
    assert_eq!(plain(&cell), "Row 1,207, column 3 (Date): “31.5.” is no date. Write YYYY-MM-DD.");
    assert_eq!(plain(&problem.in_row(8, None)), "Row 8: “31.5.” is no date. Write YYYY-MM-DD.");
}

#[test]
fn an_exercise_is_marked_on_the_page_and_in_its_title() {
    let html =
        error_page(&shell(Face::Public).in_exercise(), &asked(Lang::En, ""), Refusal::NotFound, &[], None);
    assert!(html.contains("<title>Exercise · "));
    assert!(html.contains("class=\"exercise\""));
    let actual = error_page(&shell(Face::Public), &asked(Lang::En, ""), Refusal::NotFound, &[], None);
    assert!(!actual.to_lowercase().contains("exercise"));
}

#[test]
fn import_is_on_the_inside_face_only() {
    let render = |face| error_page(&shell(face), &asked(Lang::En, ""), Refusal::NotFound, &[], None);
    assert!(render(Face::Inside).contains("href=\"/import\""));
    assert!(!render(Face::Public).contains("href=\"/import\""));
}

/// Everything this module and its neighbours can draw, in one language.
fn everything(lang: Lang) -> String {
    use crate::chart::{Daily, DailyChart, Marker, Measure, Series, sparkline};
    use crate::map::{Symbol, WorldMap};
    let asked = asked(lang, "q=x&sort=-a&as_of=2020-05-31");
    let t = &asked.t;
    let day = jiff::civil::date(2020, 1, 22);
    let query = TableQuery::read(&asked, "", &["a"], Sort::ascending("a")).unwrap();
    let table = Table::new(&asked, "t", "T", vec![Column::new("a", "A").sortable().numeric()])
        .rows(vec![Row::new(vec![Cell::number(t, 1_u8)]).in_alarm()])
        .sorted_by(&query)
        .filterable()
        .paged(Paging { total: 500, per_page: 50 });
    let series = Series { name: "A".to_owned(), daily: Daily::new(day, vec![Some(3); 40]) };
    let chart = DailyChart::new(t, "c", "C", Measure::Cases, vec![series.clone(), series]).unwrap();
    let chart = chart.with_incomplete_days(2).with_markers(vec![Marker { day, text: Markup::text("m") }]);
    let symbol =
        Symbol { alpha3: "JPN".to_owned(), name: "J".to_owned(), value: 3, href: None, claimed: true };
    let map = WorldMap::new(t, "m", "M", "M", vec![symbol]);
    let control = component::Control::Select(vec![("a".to_owned(), "A".to_owned())]);
    let field = component::Field::new(t, "f", "F", control).hint("h").fault(Some(&Problem::new("io")));
    let proven = component::Standing::Proven { at: jiff::Timestamp::UNIX_EPOCH, witnesses: 2 };
    let parts = [
        table.to_string(),
        chart.to_string(),
        map.to_string(),
        field.to_string(),
        sparkline(&[Some(1.0), None]).to_string(),
        component::seal(t, proven).to_string(),
        component::hash(t, &"0".repeat(64)).to_string(),
        component::alarm_panel("a", &[Markup::text("b")]).to_string(),
        error_page(&shell(Face::Inside).in_exercise(), &asked, Refusal::Internal, &[], Some("r")),
    ];
    parts.concat()
}

#[test]
fn pages_run_under_the_content_security_policy() {
    for lang in Lang::ALL {
        let html = everything(lang).to_lowercase();
        for forbidden in
            [" style=", "<style", "<script", "javascript:", " onclick", " onload", "http://", "https://"]
        {
            assert!(!html.contains(forbidden), "{forbidden} in {}", lang.code());
        }
    }
}

#[test]
fn ids_stand_once_and_what_refers_to_them_finds_them() {
    let html = everything(Lang::En);
    let values = |attribute: &str| -> Vec<String> {
        let opening = format!(" {attribute}=\"");
        let parts = html.split(&opening).skip(1);
        parts
            .filter_map(|part| part.split('"').next())
            .flat_map(str::split_whitespace)
            .map(str::to_owned)
            .collect()
    };
    let ids = values("id");
    for id in &ids {
        assert_eq!(ids.iter().filter(|other| *other == id).count(), 1, "{id}");
    }
    for attribute in ["for", "aria-labelledby", "aria-describedby"] {
        for target in values(attribute) {
            assert!(ids.contains(&target), "{attribute}={target}");
        }
    }
}

#[test]
fn links_carry_the_language_that_the_address_chose() {
    let html = error_page(&shell(Face::Public), &asked(Lang::En, "lang=ar"), Refusal::NotFound, &[], None);
    assert!(html.contains("href=\"/network?lang=ar\""));
    assert!(html.contains("href=\"/situation?lang=zh\""));
}

/// The names of the properties that a style sheet sets.
fn properties(css: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut start = 0;
    for (place, character) in css.char_indices() {
        match character {
            // What stands before an opening brace is a selector or a media query.
            '{' => start = place + 1,
            ';' | '}' => {
                names.extend(css[start..place].split_once(':').map(|(name, _)| name.trim()));
                start = place + 1;
            }
            _ => {}
        }
    }
    names
}

#[test]
fn the_style_sheet_knows_no_left_and_no_right() {
    let physical = [
        "left",
        "right",
        "top",
        "bottom",
        "width",
        "height",
        "min-width",
        "max-width",
        "min-height",
        "max-height",
        "float",
        "margin-left",
        "margin-right",
        "margin-top",
        "margin-bottom",
        "padding-left",
        "padding-right",
        "padding-top",
        "padding-bottom",
        "border-left",
        "border-right",
        "border-top",
        "border-bottom",
    ];
    let css = std::str::from_utf8(asset::APP_CSS.bytes).unwrap();
    let set = properties(css);
    assert!(set.contains(&"margin-inline-start") && set.len() > 300, "the sheet was read");
    for name in set {
        assert!(!physical.contains(&name), "physical property {name}");
    }
    assert!(!css.contains("text-align: left") && !css.contains("text-align: right"));
}

mod tables {
    use super::*;

    fn columns() -> Vec<Column> {
        vec![
            Column::new("place", "Place").sortable(),
            Column::new("cases", "Cases").numeric().sortable(),
            Column::new("by", "By"),
        ]
    }

    fn rows(t: &crate::i18n::Locale) -> Vec<Row> {
        vec![
            Row::new(vec![
                Cell::link("/situation/JPN", "Japan"),
                Cell::number(t, 16751_u32),
                Cell::text("MHLW"),
            ]),
            Row::new(vec![Cell::text("<b>"), Cell::unknown(), Cell::text("x")]).in_alarm(),
        ]
    }

    fn read(asked: &Asked) -> Result<TableQuery, Problem> {
        TableQuery::read(asked, "", &["place", "cases"], Sort::ascending("place"))
    }

    #[test]
    fn heads_link_to_the_order_they_would_give() {
        let asked = asked(Lang::En, "sort=-cases&page=2&lang=en");
        let query = read(&asked).unwrap();
        let paging = Paging { total: 120, per_page: 50 };
        let html = Table::new(&asked, "places", "Places", columns())
            .rows(rows(&asked.t))
            .sorted_by(&query)
            .filterable()
            .paged(paging)
            .csv("/situation.csv")
            .to_string();
        assert!(html.contains("aria-sort=\"descending\""));
        assert!(html.contains("href=\"/situation?lang=en&#38;sort=cases#places\""), "{html}");
        assert!(html.contains("href=\"/situation?lang=en&#38;sort=place#places\""));
        assert!(html.contains("href=\"/situation.csv?sort=-cases&#38;lang=en\""));
        assert!(html.contains("<td class=\"n\">16,751</td>"));
        assert!(html.contains("<th scope=\"row\">&lt;b&gt;</th>"));
        assert!(html.contains("Page \u{2068}2\u{2069} of \u{2068}3\u{2069}"));
        assert_eq!(html.matches("<th scope=\"col\"").count(), 3);
    }

    fn list(asked: &Asked) -> Result<Table, Problem> {
        let columns = vec![
            Column::new("place", "Place"),
            Column::new("cases", "Cases").numeric(),
            Column::new("download", ""),
            Column::file_only("code"),
        ];
        let row = |place: &str, cases: i64, code: &str| {
            Row::new(vec![
                Cell::text(place),
                Cell::number(&asked.t, cases),
                Cell::link("/x", "Download"),
                Cell::text(code),
            ])
        };
        let rows = vec![row("Japan", 16_751, "JPN"), row("Jordan", 800, "JOR"), row("Brazil", 9, "BRA")];
        Table::list(asked, "list", "Places", columns, rows)
    }

    #[test]
    fn a_list_in_memory_sorts_filters_and_is_a_file() {
        let asked = asked(Lang::En, "list.sort=-cases&list.q=J&lang=en");
        let table = list(&asked).unwrap();
        let html = table.to_string();
        let (first, second) = (html.find("Japan").unwrap(), html.find("Jordan").unwrap());
        assert!(first < second && !html.contains("Brazil") && !html.contains("JPN"), "{html}");
        assert!(html.contains("data-head=\"Cases\"") && html.contains("role=\"cell\""));
        assert!(
            html.contains("href=\"/situation?list.sort=-cases&#38;list.q=J&#38;lang=en&#38;csv=list\""),
            "{html}"
        );
        assert!(html.contains("href=\"/situation?list.q=J&#38;lang=en&#38;list.sort=cases#list\""), "{html}");
        let csv = String::from_utf8(table.to_csv()).unwrap();
        assert_eq!(csv, "place,cases,code\nJapan,16751,JPN\nJordan,800,JOR\n");
    }

    #[test]
    fn a_list_without_wishes_keeps_its_order_and_refuses_columns_that_are_not_read() {
        let csv = list(&asked(Lang::En, "")).unwrap().to_csv();
        assert!(String::from_utf8(csv).unwrap().starts_with("place,cases,code\nJapan,"));
        assert_eq!(list(&asked(Lang::En, "list.sort=code")).unwrap_err().code(), "sort-column");
        let none = list(&asked(Lang::En, "list.q=zz")).unwrap().to_string();
        assert!(
            none.contains("zz") && none.contains("type=\"search\""),
            "the filter can be taken away again"
        );
    }

    #[test]
    fn an_unknown_column_is_refused_by_name() {
        let problem = read(&asked(Lang::En, "sort=-password")).unwrap_err();
        assert_eq!(problem, Problem::new("sort-column").with("value", "password"));
    }

    #[test]
    fn no_rows_say_why() {
        let none = asked(Lang::En, "");
        let table = Table::new(&none, "t", "T", columns()).when_empty("No authority has reported yet.");
        assert!(table.to_string().contains("No authority has reported yet."));
        let filtered = asked(Lang::En, "q=zz");
        let query = read(&filtered).unwrap();
        let table = Table::new(&filtered, "t", "T", columns()).sorted_by(&query).filterable();
        assert!(table.to_string().contains("zz"));
    }

    #[test]
    fn pages_cut_the_rows_and_never_overflow() {
        let query = read(&asked(Lang::En, "page=2")).unwrap();
        assert_eq!(query.cut(0..7, 3), [3, 4, 5]);
        let far = read(&asked(Lang::En, "page=99999999999999999999999")).unwrap();
        assert_eq!(far.page, 1);
        assert!(read(&asked(Lang::En, "page=4000000")).unwrap().cut(0..7, usize::MAX).is_empty());
    }
}
