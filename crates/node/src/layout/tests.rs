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
fn an_unlisted_code_shows_itself_and_its_arguments() {
    let problem = Problem::new("disk.full").with("path", "/srv").with("free", 0_u64);
    let text = problem.text(&asked(Lang::Fr, "").t).replace(['\u{2068}', '\u{2069}'], "");
    assert_eq!(text, "Refusé\u{a0}: disk.full (path: /srv, free: 0)");
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
