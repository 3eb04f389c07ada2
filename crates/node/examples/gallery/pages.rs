//! The gallery's pages, with made-up figures.

use askama::Template;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use node::asof::{AsOf, Basis};
use node::chart::{Daily, DailyChart, Marker, Measure, Series, sparkline};
use node::face::Face;
use node::i18n::{Lang, Locale};
use node::layout::component::{self, Control, Facts, Field, Figures, Standing, Tone};
use node::layout::{
    Asked, Cell, Column, Desk, Markup, Page, Paging, Problem, Refusal, RequestParts, Row, Shell, Sort, Table,
    TableQuery, error_page,
};
use node::map::{Borders, Symbol, WorldMap};

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"{% extends "layout/templates/base.html" %}
{% block lead %}<p>{{ lead }}</p>{% endblock %}
{% block main %}{% for part in parts %}{{ part }}
{% endfor %}{% endblock %}"#
)]
struct Gallery {
    page: Page,
    lead: String,
    parts: Vec<Markup>,
}

/// Every page of one language: name, HTML.
pub fn all(lang: Lang) -> Vec<(&'static str, String)> {
    vec![
        ("components", components(lang)),
        ("charts", charts(lang)),
        ("map", map(lang)),
        ("plain", plain(lang)),
        ("refusal", refusal(lang)),
    ]
}

fn asked(lang: Lang, query: &str) -> Asked {
    let query = format!("lang={}&{query}", lang.code());
    Asked::new(
        RequestParts { path: "/situation", query: &query, ..RequestParts::default() },
        lang,
        TimeZone::UTC,
    )
}

fn moment(text: &str) -> Timestamp {
    text.parse().expect("a moment of ours")
}

const HASH: &str = "4f2a9c1e77b0d3a58e6f12c490ab7d3355e1f08c2b9a6d4417e0c8f3b5a29d61";

fn panel(title: &str, inside: &Markup) -> Markup {
    let title = Markup::element("h2", &[], title);
    Markup::trusted(format!("<section class=\"panel\">{title}{inside}</section>"))
}

fn components(lang: Lang) -> String {
    let asked = asked(lang, "as_of=2020-05-31&sort=-cases");
    let t = &asked.t;
    let shell =
        Shell::new("Ministry of Health, Labour and Welfare", "mhlw.jp.example", Face::Inside).in_exercise();
    let page = Page::new(&shell, &asked, t.shell_situation())
        .on_desk(Desk::Situation)
        .below("/situation", t.shell_situation())
        .as_of(AsOf { basis: Basis::Claimed, at: asked.as_of().expect("ours").at })
        .with_badge(Desk::Network, "2")
        .for_person("Duty officer")
        .with_csrf("ours");
    let proven = Standing::Proven { at: moment("2020-05-31T14:02:00Z"), witnesses: 3 };
    let claimed = Standing::Claimed { at: moment("2020-05-31T09:40:00Z") };
    let parts = vec![
        Markup::of(
            &Figures::default()
                .with("Cases, cumulative", t.number(16_751_u32), component::seal(t, proven))
                .with("Last 7 days", t.number(254_u32), t.decimal(0.2, 1) + " / 100,000")
                .with("Fatality", t.percent(0.0533, 1), component::seal(t, claimed)),
        ),
        component::alarm_panel(
            &t.seal_alarm(),
            &[Markup::text(
                "moh.chn.example/log/public/2020: two checkpoints of size 4,096 do not reconcile.",
            )],
        ),
        Markup::of(&table(&asked)),
        panel("Tags", &tags(t)),
        panel("Facts", &Markup::of(&facts(t))),
        panel("Form", &form(t)),
    ];
    let lead = t.shell_footer();
    Gallery { page, lead, parts }.render().expect("renders")
}

fn tags(t: &Locale) -> Markup {
    let tags = [
        component::tag(Tone::Plain, &t.seal_edition(7)),
        component::tag(Tone::Notice, &t.seal_corrected()),
        component::tag(Tone::Sure, &t.seal_witnessed(3)),
        component::tag(Tone::Wait, &t.seal_claimed()),
        component::tag(Tone::Alarm, &t.seal_conflicting()),
        component::tag(Tone::Plain, &t.seal_withdrawn()),
        component::tag(Tone::Plain, &t.seal_sealed()),
    ];
    let tags = Markup::joined(tags.into_iter().chain(component::status_tag(t, "exercise")), " ");
    Markup::trusted(format!("<div class=\"links\">{tags}</div>"))
}

fn facts(t: &Locale) -> Facts {
    let proven = Standing::Proven { at: moment("2020-05-31T14:02:00Z"), witnesses: 11 };
    Facts::default()
        .with("Record", component::hash(t, HASH))
        .with("Supersedes", component::hash_link("#", HASH))
        .with(t.shell_records(), t.kind("situation.figures"))
        .with("Seal", component::seal(t, proven))
        .with("Claimed", component::seal(t, Standing::Claimed { at: moment("2020-05-31T09:40:00Z") }))
}

fn form(t: &Locale) -> Markup {
    let wrong = Problem::new("as-of-date").with("value", "31.5.2020");
    let choices = vec![("public".to_owned(), t.shell_face_public()), ("x".to_owned(), "ASEAN+3".to_owned())];
    let fields = [
        Field::new(t, "day", t.shell_as_of(), Control::Input("text")).value("31.5.2020").fault(Some(&wrong)),
        Field::new(t, "audience", "Audience", Control::Select(choices)).hint("Who may read it."),
        Field::new(t, "note", "Note", Control::TextArea).optional(),
        Field::new(t, "file", "File", Control::Input("file")),
    ];
    let fields: String = fields.iter().map(ToString::to_string).collect();
    let button = Markup::element("button", &[("class", "primary")], &t.shell_show());
    Markup::trusted(format!(
        "<form class=\"form\">{fields}<p>{button} <button>{}</button></p></form>",
        t.shell_sign_out()
    ))
}

fn table(asked: &Asked) -> Table {
    let t = &asked.t;
    let query =
        TableQuery::read(asked, "", &["place", "cases", "week"], Sort::descending("cases")).expect("ours");
    let columns = vec![
        Column::new("place", "Country").sortable(),
        Column::new("cases", "Cases").numeric().sortable(),
        Column::new("week", "7 days").numeric().sortable(),
        Column::new("author", "Who says so"),
        Column::new("standing", "Standing"),
        Column::new("record", "Record"),
    ];
    let row = |place: &str, cases: u32, week: u32, author: &str, standing: Markup| {
        Row::new(vec![
            Cell::link("#", place),
            Cell::number(t, cases),
            Cell::number(t, week),
            Cell::text(author),
            standing.into(),
            component::hash_link("#", HASH).into(),
        ])
    };
    let sure = component::tag(Tone::Sure, &t.seal_witnessed(3));
    let wait = component::tag(Tone::Wait, &t.seal_claimed());
    let rows = vec![
        row("China", 84_146, 51, "National Health Commission", sure.clone()),
        row("Japan", 16_751, 254, "Ministry of Health, Labour and Welfare", sure.clone()),
        row("Republic of Korea", 11_503, 297, "Ministry of Health and Welfare", sure),
        row("Serbia", 11_412, 253, "WHO/WPRO", wait).in_alarm(),
    ];
    Table::new(asked, "places", "Reported by authorities", columns)
        .rows(rows)
        .sorted_by(&query)
        .filterable()
        .paged(Paging { total: 1234, per_page: 4 })
        .csv("/situation.csv")
}

fn plain(lang: Lang) -> String {
    let asked = asked(lang, "");
    let t = &asked.t;
    let shell = Shell::new("World Health Organization", "who.example", Face::Public);
    let page = Page::new(&shell, &asked, t.shell_records()).on_desk(Desk::Records).as_of(AsOf::default());
    let none = Table::new(&asked, "records", t.shell_records(), vec![Column::new("a", "A")]);
    let parts = vec![
        Markup::of(&none),
        component::empty(
            &t.error_not_found_title(),
            &t.table_empty(),
            Some(Markup::link("#", &t.error_back())),
        ),
    ];
    Gallery { page, lead: t.table_empty(), parts }.render().expect("renders")
}

fn refusal(lang: Lang) -> String {
    let asked = asked(lang, "");
    let shell = Shell::new("World Health Organization", "who.example", Face::Public);
    let problem = Problem::new("as-of-date").with("value", "31.5.2020");
    error_page(&shell, &asked, Refusal::BadRequest, &[problem], Some("01JD7Z"))
}

/// A wave with fewer reports on Sundays.
fn wave(days: i32, height: f64, peak: f64) -> Vec<Option<i64>> {
    let value = |day: i32| {
        let distance = (f64::from(day) - peak) / 22.0;
        let sunday = if day % 7 == 4 { 0.45 } else { 1.0 };
        let jitter = 1.0 + 0.18 * f64::from((day * 37) % 11 - 5) / 5.0;
        #[allow(clippy::cast_possible_truncation)]
        Some((height * (-distance * distance).exp() * sunday * jitter) as i64)
    };
    (0..days).map(value).collect()
}

fn charts(lang: Lang) -> String {
    let asked = asked(lang, "");
    let t = &asked.t;
    let shell = Shell::new("Ministry of Health, Labour and Welfare", "mhlw.jp.example", Face::Public);
    let page =
        Page::new(&shell, &asked, "Japan").on_desk(Desk::Situation).below("/situation", t.shell_situation());
    let first = jiff::civil::date(2020, 1, 22);
    let series = |name: &str, values| Series { name: name.to_owned(), daily: Daily::new(first, values) };
    let one = DailyChart::new(
        t,
        "cases",
        "New cases per day",
        Measure::Cases,
        vec![series("", wave(131, 640.0, 84.0))],
    );
    let one = one.expect("has values").with_incomplete_days(2).with_markers(vec![
        Marker { day: jiff::civil::date(2020, 3, 2), text: Markup::text("Case definition changed") },
        Marker { day: jiff::civil::date(2020, 5, 9), text: Markup::link("#", "7 duplicates removed") },
    ]);
    let two = vec![
        series("MHLW", wave(131, 640.0, 84.0)),
        series("WHO/WPRO", wave(131, 600.0, 86.0)),
        series("ECDC", wave(131, 500.0, 88.0)),
    ];
    let two = DailyChart::new(t, "deaths", "New deaths per day", Measure::Deaths, two).expect("has values");
    #[allow(clippy::cast_precision_loss)]
    let line: Vec<Option<f64>> =
        wave(60, 40.0, 30.0).into_iter().map(|value| value.map(|value| value as f64)).collect();
    let lead = one.summary();
    let parts = vec![
        panel("New cases per day", &Markup::of(&one)),
        panel("New deaths per day", &Markup::of(&two)),
        panel("Sparkline", &sparkline(&line)),
        panel("Sentence", &Markup::text(two.summary())),
    ];
    Gallery { page, lead, parts }.render().expect("renders")
}

fn map(lang: Lang) -> String {
    let asked = asked(lang, "");
    let t = &asked.t;
    let shell = Shell::new("World Health Organization", "who.example", Face::Public).in_exercise();
    let page = Page::new(&shell, &asked, t.shell_situation()).on_desk(Desk::Situation).as_of(AsOf::default());
    let places = [
        ("CHN", "China", 84_146),
        ("JPN", "Japan", 16_751),
        ("KOR", "Republic of Korea", 11_503),
        ("SRB", "Serbia", 11_412),
        ("USA", "United States", 1_790_172),
        ("BRA", "Brazil", 514_849),
        ("GBR", "United Kingdom", 274_762),
        ("ITA", "Italy", 232_997),
        ("FRA", "France", 189_220),
        ("DEU", "Germany", 183_410),
        ("IND", "India", 190_609),
        ("RUS", "Russian Federation", 405_843),
        ("IRN", "Iran", 151_466),
        ("PER", "Peru", 164_476),
        ("ZAF", "South Africa", 32_683),
        ("AUS", "Australia", 7_202),
        ("NZL", "New Zealand", 1_504),
        ("FJI", "Fiji", 18),
        ("MEX", "Mexico", 90_664),
        ("NGA", "Nigeria", 10_162),
        ("EGY", "Egypt", 24_985),
        ("CPV", "Cabo Verde", 435),
        ("XDP", "Diamond Princess", 712),
    ];
    let symbol = |(alpha3, name, value): (&str, &str, i64)| Symbol {
        alpha3: alpha3.to_owned(),
        name: name.to_owned(),
        value,
        href: Some(asked.href(&format!("/situation/{alpha3}"))),
        claimed: matches!(alpha3, "BRA" | "SRB"),
    };
    let symbols: Vec<Symbol> = places.into_iter().map(symbol).collect();
    let world = WorldMap::new(t, "world", "Cases", "Cases, cumulative", symbols.clone());
    let file = br#"{"type":"MultiLineString","coordinates":[[[-10,20],[0,25],[10,20]],[[20,0],[30,5]]]}"#;
    let lined = WorldMap::new(t, "lined", "Cases", "Cases, cumulative", symbols[..5].to_vec())
        .with_borders(&Borders::parse(file).expect("ours"));
    let parts =
        vec![panel("Cases", &Markup::of(&world)), panel("With an operator's lines", &Markup::of(&lined))];
    Gallery { page, lead: String::new(), parts }.render().expect("renders")
}
