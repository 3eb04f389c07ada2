//! The desk from replay to pages, over a database in memory.

mod meaning;
mod side_by_side;
mod very_many;

use super::corrections;
use super::names::{KnownAuthority, Names};
use super::query::{self, Scope};
use super::replay;
use super::schema::Shelf;
use super::{day, overview, place, places, stated};
use crate::asof::{AsOf, Basis};
use crate::desks::shared::Share;
use crate::face::Face;
use crate::i18n::{Lang, Locale};
use crate::index::tests::reader::Reader;
use crate::index::tests::world::{ME, Placed, Say, World};
use crate::layout::{Asked, Lists as _, Page, RequestParts, Shell};
use crate::map::Borders;
use askama::Template as _;
use formats::figures::{Figure, FigureKey, Text};
use formats::places::PlaceNames;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use store::db::Db;

pub const CASES: &str = "cases-confirmed-cumulative";
pub const CHINA: &str = "moh.chn.example";
pub const WHO: &str = "who.example";

/// A reader of a few releases.
pub struct Desk {
    pub db: Db,
    reader: Reader,
    released: Vec<Placed>,
}

/// What a release is made of.
pub struct Made<'a> {
    shelf: Shelf,
    author: &'a str,
    id: &'a str,
    edition: i64,
    status: &'a str,
    /// `released`, as a day.
    on: &'a str,
    figures: &'a [(&'a str, i64)],
    reason: Option<&'a str>,
}

impl<'a> Made<'a> {
    pub fn new(author: &'a str, id: &'a str, on: &'a str, figures: &'a [(&'a str, i64)]) -> Self {
        Self { shelf: Shelf::Public, author, id, edition: 1, status: "actual", on, figures, reason: None }
    }
}

fn noon(day: &str) -> i64 {
    format!("{day}T12:00:00Z").parse::<jiff::Timestamp>().unwrap().as_second()
}

/// A figure from `CHN 2020-03-01` (confirmed cases, cumulative) or from a whole key.
fn figure(text: &str, value: i64, reason: Option<&str>) -> Figure {
    let key = match text.split_once(' ') {
        Some((place, day)) => format!("{place}|{day}|as-reported||{CASES}"),
        None => text.to_owned(),
    };
    Figure {
        key: key.parse::<FigureKey>().unwrap(),
        value: formats::figures::Value::whole(value).unwrap(),
        reason: reason.map(|reason| Text::new(reason).unwrap()),
        source: None,
    }
}

impl Desk {
    pub async fn new() -> Self {
        Self::over(Reader::new(&World::new(&[CHINA])).await)
    }

    /// On a database of one's own.
    async fn on(db: Db) -> Self {
        Self::over(Reader::with(&World::new(&[CHINA]), db).await)
    }

    fn over(reader: Reader) -> Self {
        Self { db: reader.index.db().clone(), reader, released: Vec::new() }
    }

    /// Releases figures and answers the record's name.
    pub async fn release(&mut self, made: &Made<'_>) -> String {
        let figures: Vec<Figure> =
            made.figures.iter().map(|(text, value)| figure(text, *value, made.reason)).collect();
        let table = Some(formats::figures::write_hxl(&figures).unwrap());
        let to: Option<&[&str]> = if made.shelf == Shelf::Sealed { Some(&[ME]) } else { None };
        let id = made.id.bytes().fold(0, |id, byte| id * 256 + u64::from(byte));
        let edition = u32::try_from(made.edition).unwrap();
        let status = made.status.parse().unwrap();
        let say = Say::new(made.author, ::record::kind::FIGURES, id, noon(made.on));
        let placed = self.reader.world.say(&Say { to, edition, status, table, ..say });
        self.reader.all_comes().await;
        self.released.push(placed.clone());
        placed.name.to_hex()
    }

    /// The name of a release, in the order in which they were made.
    pub fn name(&self, number: usize) -> String {
        self.released[number].name.to_hex()
    }

    fn placed(&self, name: &str) -> Placed {
        self.released.iter().find(|placed| placed.name.to_hex() == name).unwrap().clone()
    }

    async fn withdraw(&mut self, author: &str, target: &str, on: &str) {
        let refs = vec![self.placed(target).withdraw()];
        let say = Say::new(author, ::record::kind::WITHDRAWAL, 1 << 32, noon(on));
        self.reader.world.say(&Say { refs, ..say });
        self.reader.all_comes().await;
    }

    async fn prove(&mut self, name: &str, on: &str) {
        let placed = self.placed(name);
        self.reader.world.witness(&placed.origin, placed.pos + 1, noon(on));
        self.reader.all_comes().await;
    }

    /// The newest figures as `CHN 2020-03-02 80 moh.chn.example`.
    async fn newest(&self, scope: Scope<'_>) -> Vec<String> {
        let latest = query::latest(&self.db, scope, CASES, None).await.unwrap();
        latest
            .iter()
            .map(|one| {
                let day = super::figure::date_of(one.point.day);
                format!("{} {day} {} {}", one.series.place, one.point.value, one.series.author)
            })
            .collect()
    }
}

pub fn scope(face: Face) -> Scope<'static> {
    Scope { face, as_of: AsOf::default(), status: "actual" }
}

fn as_of(basis: Basis, day: &str) -> Scope<'static> {
    let at = format!("{day}T23:59:59Z").parse::<jiff::Timestamp>().unwrap().as_second();
    Scope { as_of: AsOf { basis, at: Some(at) }, ..scope(Face::Public) }
}

#[tokio::test]
async fn the_newest_day_counts_and_as_of_rewinds_to_what_was_released() {
    let mut desk = Desk::new().await;
    desk.release(&Made::new(CHINA, "A", "2020-03-01", &[("CHN 2020-03-01", 100)])).await;
    desk.release(&Made::new(CHINA, "B", "2020-03-02", &[("CHN 2020-03-02", 120)])).await;
    assert_eq!(desk.newest(scope(Face::Public)).await, ["CHN 2020-03-02 120 moh.chn.example"]);
    assert_eq!(
        desk.newest(as_of(Basis::Claimed, "2020-03-01")).await,
        ["CHN 2020-03-01 100 moh.chn.example"]
    );
    assert!(desk.newest(as_of(Basis::Claimed, "2020-02-29")).await.is_empty());
}

#[tokio::test]
async fn what_no_witness_has_seen_is_not_there_as_proven() {
    let mut desk = Desk::new().await;
    let first = desk.release(&Made::new(CHINA, "A", "2020-03-01", &[("CHN 2020-03-01", 100)])).await;
    desk.release(&Made::new(CHINA, "B", "2020-03-02", &[("CHN 2020-03-02", 120)])).await;
    desk.prove(&first, "2020-03-04").await;
    assert!(desk.newest(as_of(Basis::Proven, "2020-03-03")).await.is_empty());
    assert_eq!(desk.newest(as_of(Basis::Proven, "2020-03-05")).await, ["CHN 2020-03-01 100 moh.chn.example"]);
}

#[tokio::test]
async fn another_value_for_a_stated_figure_is_a_correction_with_its_reason() {
    let mut desk = Desk::new().await;
    desk.release(&Made::new(CHINA, "A", "2020-04-16", &[("CHN 2020-04-16", 82_367)])).await;
    let mut corrected =
        Made::new(CHINA, "B", "2020-04-17", &[("CHN 2020-04-16", 82_692), ("CHN 2020-04-17", 82_719)]);
    corrected.reason = Some("late reports from hospitals");
    let record = desk.release(&corrected).await;
    let found = corrections::corrections(&desk.db, scope(Face::Public), None, 10).await.unwrap();
    assert_eq!(found.len(), 1, "a new day is no correction");
    assert_eq!((found[0].old.to_string(), found[0].new.to_string()), ("82367".into(), "82692".into()));
    assert_eq!(found[0].reason.as_deref(), Some("late reports from hospitals"));
    assert_eq!(found[0].source.name, record);
    let before =
        corrections::corrections(&desk.db, as_of(Basis::Claimed, "2020-04-16"), None, 10).await.unwrap();
    assert!(before.is_empty(), "as of the day before there was nothing to correct");
}

#[tokio::test]
async fn a_new_edition_ends_what_it_no_longer_says_and_keeps_what_it_says_again() {
    let mut desk = Desk::new().await;
    let first = [("CHN 2020-03-01", 100), ("CHN 2020-03-02", 120), ("CHN 2020-03-03", 999)];
    let one = desk.release(&Made::new(CHINA, "A", "2020-03-03", &first)).await;
    let second = [("CHN 2020-03-01", 100), ("CHN 2020-03-02", 121)];
    let two = desk.release(&Made { edition: 2, ..Made::new(CHINA, "A", "2020-03-04", &second) }).await;
    assert_eq!(desk.newest(scope(Face::Public)).await, ["CHN 2020-03-02 121 moh.chn.example"]);
    assert_eq!(
        desk.newest(as_of(Basis::Claimed, "2020-03-03")).await,
        ["CHN 2020-03-03 999 moh.chn.example"]
    );
    let day = super::figure::day_number(jiff::civil::date(2020, 3, 1));
    let said = stated::of_day(&desk.db, scope(Face::Public), "CHN", day).await.unwrap().statements;
    let whose: Vec<(&str, bool)> =
        said.iter().map(|one| (one.source.name.as_str(), one.point.ended)).collect();
    assert_eq!(
        whose,
        [(one.as_str(), true), (two.as_str(), false)],
        "the newest edition says everything again"
    );
}

#[tokio::test]
async fn a_second_record_of_one_edition_counts_for_nothing() {
    let mut desk = Desk::new().await;
    desk.release(&Made::new(CHINA, "A", "2020-03-01", &[("CHN 2020-03-01", 100)])).await;
    desk.release(&Made::new(CHINA, "A", "2020-03-02", &[("CHN 2020-03-01", 1)])).await;
    assert_eq!(desk.newest(scope(Face::Public)).await, ["CHN 2020-03-01 100 moh.chn.example"]);
}

#[tokio::test]
async fn a_withdrawal_ends_figures_from_then_on_and_only_from_their_author() {
    let mut desk = Desk::new().await;
    let name = desk.release(&Made::new(CHINA, "A", "2020-03-01", &[("CHN 2020-03-01", 100)])).await;
    desk.withdraw(WHO, &name, "2020-03-02").await;
    assert_eq!(desk.newest(scope(Face::Public)).await.len(), 1, "not theirs to withdraw");
    desk.withdraw(CHINA, &name, "2020-03-03").await;
    assert!(desk.newest(scope(Face::Public)).await.is_empty());
    assert_eq!(desk.newest(as_of(Basis::Claimed, "2020-03-02")).await.len(), 1);
}

#[tokio::test]
async fn exercise_figures_are_never_among_actual_ones() {
    let mut desk = Desk::new().await;
    desk.release(&Made::new(CHINA, "A", "2020-03-01", &[("CHN 2020-03-01", 100)])).await;
    let exercise = Made::new(CHINA, "B", "2020-03-02", &[("CHN 2020-03-02", 5_000)]);
    desk.release(&Made { status: "exercise", ..exercise }).await;
    assert_eq!(desk.newest(scope(Face::Inside)).await, ["CHN 2020-03-01 100 moh.chn.example"]);
    let drill = Scope { status: "exercise", ..scope(Face::Inside) };
    assert_eq!(desk.newest(drill).await, ["CHN 2020-03-02 5000 moh.chn.example"]);
}

#[tokio::test]
async fn an_author_of_very_many_places_crowds_nobody_off_the_list_and_each_place_has_its_page() {
    let mut desk = Desk::new().await;
    desk.release(&Made::new(CHINA, "A", "2020-03-01", &[("CHN 2020-03-01", 100)])).await;
    let places: Vec<String> = (0..=query::MOST_PLACES).map(|n| format!("text:N{n:04} 2020-03-01")).collect();
    let many: Vec<(&str, i64)> = places.iter().map(|place| (place.as_str(), 1)).collect();
    desk.release(&Made::new(WHO, "B", "2020-03-01", &many[1..])).await;
    let public = scope(Face::Public);
    assert_eq!(desk.newest(public).await.len(), many.len(), "so many are listed");
    assert!(query::crowded(&desk.db, public, CASES).await.unwrap().is_empty());
    // One more, whenever it comes.
    desk.release(&Made::new(WHO, "C", "2020-02-01", &[("text:N9999 2020-02-01", 1)])).await;
    assert_eq!(desk.newest(public).await, ["CHN 2020-03-01 100 moh.chn.example"]);
    assert_eq!(query::crowded(&desk.db, public, CASES).await.unwrap().into_iter().collect::<Vec<_>>(), [WHO]);
    assert_eq!(places::of_place(&desk.db, public, "text:N9999").await.unwrap().series.len(), 1);
    assert_eq!(query::latest(&desk.db, public, CASES, Some("text:N9999")).await.unwrap().len(), 1);
}

#[tokio::test]
async fn whom_an_operator_left_out_speaks_on_no_page_until_taken_up_again() {
    let mut desk = Desk::new().await;
    desk.release(&Made::new(CHINA, "A", "2020-03-01", &[("CHN 2020-03-01", 100)])).await;
    desk.release(&Made::new(WHO, "B", "2020-03-02", &[("CHN 2020-03-02", 5)])).await;
    let leave_out = async |left_out: i64| {
        let sql = "update authority set left_out = $1 where authority = $2";
        let mut tx = desk.db.begin().await.unwrap();
        tx.run(sql, &[left_out.into(), WHO.into()]).await.unwrap();
        tx.commit().await.unwrap();
    };
    leave_out(1).await;
    assert_eq!(desk.newest(scope(Face::Inside)).await, ["CHN 2020-03-01 100 moh.chn.example"]);
    leave_out(0).await;
    assert_eq!(desk.newest(scope(Face::Inside)).await.len(), 2);
}

#[tokio::test]
async fn sealed_figures_are_nowhere_on_the_public_face() {
    let mut desk = Desk::new().await;
    let sealed = Made::new(CHINA, "A", "2020-03-01", &[("CHN 2020-03-01", 100), ("JPN 2020-03-01", 7)]);
    desk.release(&Made { shelf: Shelf::Sealed, ..sealed }).await;
    let public = scope(Face::Public);
    assert!(desk.newest(public).await.is_empty());
    assert!(places::of_place(&desk.db, public, "JPN").await.unwrap().is_empty());
    assert!(query::indicators(&desk.db, public).await.unwrap().is_empty());
    assert!(corrections::corrections(&desk.db, public, None, 10).await.unwrap().is_empty());
    assert_eq!(desk.newest(scope(Face::Inside)).await.len(), 2);
}

#[tokio::test]
async fn what_was_forgotten_leaves_no_row() {
    let mut desk = Desk::new().await;
    let made = Made::new(CHINA, "A", "2020-03-01", &[("CHN 2020-03-01", 100)]);
    let name = desk.release(&Made { shelf: Shelf::Sealed, ..made }).await;
    let mut tx = desk.db.begin().await.unwrap();
    replay::forget(&mut tx, CHINA, &name).await.unwrap();
    tx.commit().await.unwrap();
    for table in ["release", "series", "statement"] {
        let sql = match table {
            "release" => Shelf::Sealed.sql("select count(*) from {release}"),
            "series" => Shelf::Sealed.sql("select count(*) from {series}"),
            _ => Shelf::Sealed.sql("select count(*) from {statement}"),
        };
        assert_eq!(desk.db.rows(sql, &[]).await.unwrap()[0].int(0).unwrap(), 0, "{table}");
    }
}

fn page(path: &str, query: &str, lang: Lang, scope: Scope<'_>) -> Page {
    let parts = RequestParts { path, query, ..RequestParts::default() };
    let asked = Asked::new(parts, lang, TimeZone::UTC);
    let title = asked.t.shell_situation();
    let shell = Shell::new("Ministry of Health", "moh.jpn.example", scope.face);
    Page::new(&shell, &asked, title).as_of(scope.as_of)
}

pub fn known() -> BTreeMap<String, KnownAuthority> {
    let one = |name: &str, code: &str| KnownAuthority {
        name: name.into(),
        names: BTreeMap::new(),
        code: Some(code.into()),
    };
    [
        (CHINA.to_owned(), one("National Health Commission", "CHN")),
        (WHO.to_owned(), one("World Health Organization", "WHO")),
    ]
    .into()
}

async fn two_authorities() -> Desk {
    let mut desk = Desk::new().await;
    let own: Vec<(String, i64)> =
        (1..=20).map(|day| (format!("CHN 2020-03-{day:02}"), 80_000 + i64::from(day) * 10)).collect();
    let own: Vec<(&str, i64)> = own.iter().map(|(text, value)| (text.as_str(), *value)).collect();
    desk.release(&Made::new(CHINA, "A", "2020-03-20", &own)).await;
    desk.release(&Made::new(WHO, "B", "2020-03-21", &[("CHN 2020-03-20", 80_190), ("JPN 2020-03-20", 950)]))
        .await;
    desk
}

#[tokio::test]
async fn where_authorities_differ_both_stand_on_the_page() {
    let desk = two_authorities().await;
    let (scope, authorities, places) = (scope(Face::Public), known(), PlaceNames::bundled());
    for lang in Lang::ALL {
        let page = page("/situation", "", lang, scope);
        let t = Locale::new(lang, TimeZone::UTC);
        let names = Names { t: &t, places: &places, authorities: &authorities };
        let read = overview::read(&desk.db, scope, &names, None).await.unwrap();
        assert_eq!(read.differs.len(), 1);
        let html =
            overview::page(&desk.db, scope, &names, page, &read, &Borders::default()).await.unwrap().unwrap();
        let html = html.render().unwrap();
        for value in [80_200_i64, 80_190, 950] {
            assert!(html.contains(&t.number(value)), "{value} in {}", lang.code());
        }
        assert!(html.contains("id=\"differs\""));
        assert!(html.contains(&t.number(81_150_i64)), "the sum takes one authority per country: its own");
    }
}

#[tokio::test]
async fn the_page_of_a_place_has_its_curve_and_a_record_behind_every_point() {
    let desk = two_authorities().await;
    let (scope, authorities, places) = (scope(Face::Public), known(), PlaceNames::bundled());
    let t = Locale::new(Lang::En, TimeZone::UTC);
    let names = Names { t: &t, places: &places, authorities: &authorities };
    let read =
        place::read(&desk.db, scope, &names, "CHN", (None, None), Share::nothing()).await.unwrap().unwrap();
    assert!(read.shown[0].own, "the place's own authority comes first");
    let shown = page("/situation/CHN", "", Lang::En, scope);
    let html = place::page(&desk.db, &names, shown, &read).await.unwrap().unwrap().render().unwrap();
    assert!(html.contains("<svg"), "a curve");
    let record = format!("/record/{}", desk.name(0));
    assert!(html.matches(&record).count() >= 20, "every day names its record");
    let csv = String::from_utf8(place::csv(&desk.db, &names, &read).await.unwrap()).unwrap();
    assert_eq!(csv.lines().count(), 1 + 20 + 1);
    let last = format!("2020-03-20,2020-03-20,80200,10,1,10.000,0,{}", desk.name(0));
    assert!(csv.contains(&last), "{csv}");
    assert!(
        place::read(&desk.db, scope, &names, "FRA", (None, None), Share::nothing()).await.unwrap().is_none()
    );
}

#[tokio::test]
async fn one_day_shows_what_was_replaced_and_what_stands() {
    let mut desk = two_authorities().await;
    desk.release(&Made::new(CHINA, "C", "2020-03-22", &[("CHN 2020-03-20", 80_205)])).await;
    let (scope, authorities, places) = (scope(Face::Public), known(), PlaceNames::bundled());
    let t = Locale::new(Lang::En, TimeZone::UTC);
    let names = Names { t: &t, places: &places, authorities: &authorities };
    let day = super::figure::day_number(jiff::civil::date(2020, 3, 20));
    let said = stated::of_day(&desk.db, scope, "CHN", day).await.unwrap();
    let shown = page("/situation/CHN/2020-03-20", "", Lang::En, scope);
    let day_page = day::day_page(shown, &names, "CHN", day, &said).unwrap();
    let html = day_page.render().unwrap();
    assert_eq!(html.matches(&t.situation_replaced()).count(), 1);
    assert_eq!(html.matches(&format!(">{}<", t.situation_holds())).count(), 2);
    assert!(!html.contains(&t.situation_source()), "nobody names a source: there is no column for it");
    let csv = String::from_utf8(day_page.lists()[0].to_csv()).unwrap();
    assert!(csv.contains("cases-confirmed-cumulative,80200,replaced,moh.chn.example,"), "{csv}");
}

#[tokio::test]
async fn a_place_of_which_nothing_was_known_says_so_and_leads_back() {
    let scope = scope(Face::Public);
    for lang in Lang::ALL {
        let shown = page("/situation/CHN", "as_of=2020-02-15&lang=xx", lang, scope);
        let t = Locale::new(lang, TimeZone::UTC);
        let html = place::unknown_page(shown).render().unwrap();
        assert!(
            html.contains(&t.situation_empty_as_of()) && html.contains("/situation/CHN?lang=xx"),
            "{html}"
        );
    }
}

#[tokio::test]
async fn a_node_that_knows_nothing_says_so() {
    let desk = Desk::new().await;
    let (scope, authorities, places) = (scope(Face::Public), known(), PlaceNames::bundled());
    let t = Locale::new(Lang::Ar, TimeZone::UTC);
    let names = Names { t: &t, places: &places, authorities: &authorities };
    let read = overview::read(&desk.db, scope, &names, None).await.unwrap();
    let shown = page("/situation", "", Lang::Ar, scope);
    let html =
        overview::page(&desk.db, scope, &names, shown, &read, &Borders::default()).await.unwrap().unwrap();
    assert!(html.render().unwrap().contains(&t.situation_empty_title()));
}
