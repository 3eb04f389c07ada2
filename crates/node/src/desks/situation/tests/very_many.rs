//! Somebody states very many figures: pages stay bounded, say what they leave out, and lack nothing of anybody else's.

use super::*;
use crate::desks::shared::Share;
use crate::desks::signals::list as signals;
use crate::desks::situation::points::MOST_STATEMENTS;
use crate::desks::situation::query::Series;
use crate::desks::situation::{differences, recent};

/// China states twenty days, WHO whatever it is told to.
async fn beside_china(of_who: &[(String, i64)]) -> Desk {
    filled(Desk::new().await, of_who).await
}

async fn filled(mut desk: Desk, of_who: &[(String, i64)]) -> Desk {
    let china: Vec<(String, i64)> =
        (1..=20).map(|day| (format!("CHN 2020-03-{day:02}"), 100 + i64::from(day))).collect();
    for (author, id, figures) in [(CHINA, "A", &*china), (WHO, "B", of_who)] {
        let figures: Vec<(&str, i64)> = figures.iter().map(|(text, value)| (text.as_str(), *value)).collect();
        desk.release(&Made::new(author, id, "2020-04-01", &figures)).await;
    }
    desk
}

/// The page of China in a language.
async fn china(desk: &Desk, lang: Lang) -> (std::sync::Arc<place::Place>, String, String) {
    let (scope, authorities, places) = (scope(Face::Public), known(), PlaceNames::bundled());
    let t = Locale::new(lang, TimeZone::UTC);
    let names = Names { t: &t, places: &places, authorities: &authorities };
    let read =
        place::read(&desk.db, scope, &names, "CHN", (None, None), Share::nothing()).await.unwrap().unwrap();
    let shown = page("/situation/CHN", "", lang, scope);
    let html = place::page(&desk.db, &names, shown, &read).await.unwrap().unwrap().render().unwrap();
    let csv = String::from_utf8(place::csv(&desk.db, &names, &read).await.unwrap()).unwrap();
    (read, html, csv)
}

/// So many statements of each of some days of March, over periods that begin on different days.
fn periods(days: std::ops::RangeInclusive<i8>, each: i64) -> Vec<(String, i64)> {
    let mut figures = Vec::new();
    for day in days {
        let last = jiff::civil::date(2020, 3, day);
        for back in 0..each {
            let first = last.checked_sub(jiff::Span::new().days(back)).unwrap();
            let period = if back == 0 { last.to_string() } else { format!("{first}..{last}") };
            figures.push((format!("CHN|{period}|as-reported||{CASES}"), 1_000 + back));
        }
    }
    figures
}

#[tokio::test]
async fn an_author_of_very_many_series_is_left_out_of_the_page_of_their_place_which_says_so() {
    let series = |n: i64| (format!("CHN|2020-03-01|d{n}||{CASES}"), n);
    let most: Vec<(String, i64)> = (0..places::MOST_SERIES).map(series).collect();
    let mut desk = beside_china(&most).await;
    let public = scope(Face::Public);
    let read = places::of_place(&desk.db, public, "CHN").await.unwrap();
    assert_eq!((read.series.len(), read.crowded.len()), (most.len() + 1, 0), "so many are shown");
    // One more, whenever it comes.
    let (one, _) = series(places::MOST_SERIES);
    desk.release(&Made::new(WHO, "C", "2020-03-01", &[(&one, 1)])).await;
    for lang in Lang::ALL {
        let t = Locale::new(lang, TimeZone::UTC);
        let (read, html, csv) = china(&desk, lang).await;
        assert_eq!(read.all.iter().map(|one| &*one.author).collect::<Vec<_>>(), [CHINA]);
        assert_eq!(csv.lines().count(), 1 + 20, "{csv}");
        let said = t.situation_crowded_place("World Health Organization", t.number(places::MOST_SERIES));
        assert!(html.contains(&said), "{html}");
    }
    // Of another place nothing is left out.
    desk.release(&Made::new(WHO, "D", "2020-03-01", &[("JPN 2020-03-01", 7)])).await;
    assert_eq!(places::of_place(&desk.db, public, "JPN").await.unwrap().series.len(), 1);
}

#[tokio::test]
async fn a_place_of_which_only_somebody_with_very_many_series_speaks_has_a_page_that_says_so() {
    let series = |n: i64| (format!("JPN|2020-03-01|d{n}||{CASES}"), n);
    let desk = beside_china(&(0..=places::MOST_SERIES).map(series).collect::<Vec<_>>()).await;
    let (scope, authorities, places) = (scope(Face::Public), known(), PlaceNames::bundled());
    let t = Locale::new(Lang::En, TimeZone::UTC);
    let names = Names { t: &t, places: &places, authorities: &authorities };
    let read =
        place::read(&desk.db, scope, &names, "JPN", (None, None), Share::nothing()).await.unwrap().unwrap();
    let shown = page("/situation/JPN", "", Lang::En, scope);
    let html = place::page(&desk.db, &names, shown, &read).await.unwrap().unwrap().render().unwrap();
    assert!(html.contains(&t.situation_crowded_place("World Health Organization", "2,000")), "{html}");
}

#[tokio::test]
async fn of_who_states_more_than_a_page_reads_the_newest_days_stand_whole_and_all_of_everybody_elses() {
    // 31 days of 40: more than 580, which is what is left when China has what it needs.
    let desk = beside_china(&periods(1..=31, 40)).await;
    for lang in Lang::ALL {
        let t = Locale::new(lang, TimeZone::UTC);
        let (read, html, csv) = china(&desk, lang).await;
        let of = |author: &str| read.shown.iter().find(|one| one.series.author == author).unwrap();
        assert_eq!((of(CHINA).days.len(), of(CHINA).from), (20, None), "all of it");
        let days: std::collections::BTreeSet<i64> = of(WHO).points.iter().map(|one| one.day).collect();
        let first = super::super::figure::day_number(jiff::civil::date(2020, 3, 18));
        assert_eq!((days.first(), of(WHO).from), (Some(&first), Some(first)), "14 days of 40 are 560");
        assert_eq!(of(WHO).points.len(), 14 * 40, "each day whole");
        let said = t.situation_cut("World Health Organization", t.date_text(jiff::civil::date(2020, 3, 18)));
        assert!(html.contains(&said), "{html}");
        assert!(csv.starts_with("place,indicator,") && csv.lines().next().unwrap().ends_with(",shown_from"));
        let of_who = format!(",{WHO},");
        assert!(csv.lines().filter(|line| line.contains(&of_who)).all(|line| line.ends_with(",2020-03-18")));
        let of_china = csv.lines().filter(|line| line.contains(CHINA));
        assert!(of_china.clone().count() == 20 && of_china.clone().all(|line| line.ends_with(',')));
    }
}

#[tokio::test]
async fn a_single_day_that_is_more_than_a_page_reads_is_not_shown_in_part() {
    let desk = beside_china(&periods(31..=31, MOST_STATEMENTS)).await;
    let t = Locale::new(Lang::En, TimeZone::UTC);
    let (_, html, csv) = china(&desk, Lang::En).await;
    assert!(html.contains(&t.situation_cut_whole("World Health Organization")), "{html}");
    let who = format!("CHN,{CASES},as-reported,,{WHO},World Health Organization,,,,,,,,,,,,2020-04-01");
    assert!(csv.lines().count() == 1 + 20 + 1 && csv.contains(&who), "{csv}");
}

#[tokio::test]
async fn who_states_a_place_by_several_definitions_takes_one_share() {
    let mut desk = beside_china(&periods(1..=31, 40)).await;
    let others: Vec<(String, i64)> = periods(1..=5, 3)
        .into_iter()
        .map(|(key, value)| (key.replace("as-reported", "z-other"), value))
        .collect();
    let others: Vec<(&str, i64)> = others.iter().map(|(text, value)| (text.as_str(), *value)).collect();
    desk.release(&Made::new(WHO, "C", "2020-04-02", &others)).await;
    let (read, ..) = china(&desk, Lang::En).await;
    let whole = |series: &Series| read.shown.iter().find(|one| one.series == *series).unwrap().from.is_none();
    let looked_at: usize = read.shown.iter().map(|one| one.points.len()).sum();
    assert!(i64::try_from(looked_at).unwrap() <= MOST_STATEMENTS, "{looked_at}");
    assert_eq!(
        read.all.iter().map(|one| (&*one.author, whole(one))).collect::<Vec<_>>(),
        [(CHINA, true), (WHO, false), (WHO, true)]
    );
}

#[tokio::test]
async fn statements_read_in_pages_are_the_same_as_those_read_at_once() {
    let desk = beside_china(&periods(1..=10, 9)).await;
    let (read, ..) = china(&desk, Lang::En).await;
    let who = read.shown.iter().find(|one| one.series.author == WHO).unwrap();
    let mut figures: Vec<(i64, i64)> = who.figures.iter().map(|one| (one.day, one.start)).collect();
    figures.dedup();
    assert_eq!((who.points.len(), figures.len()), (90, 90), "each once");
    assert!(who.points.is_sorted_by_key(|point| (point.day, point.rank)));
}

#[tokio::test]
async fn of_a_day_about_which_somebody_states_very_much_the_newest_of_each_series_stand_and_the_page_says_so()
{
    let of_day = |n: i64, definition: &str, each: i64| -> Vec<(String, i64)> {
        let periods = periods(20..=20, each).into_iter();
        periods.map(|(key, value)| (key.replace("as-reported", definition), 10_000 * n + value)).collect()
    };
    let mut desk = beside_china(&of_day(0, "as-reported", 8)).await;
    // Sixteen and one of another definition are within the twenty of an author, and eight more of the first are not.
    desk.release(&Made::new(WHO, "C", "2020-04-02", &borrowed(&of_day(1, "as-reported", 8)))).await;
    desk.release(&Made::new(WHO, "D", "2020-04-02", &borrowed(&of_day(1, "z-other", 1)))).await;
    let day = super::super::figure::day_number(jiff::civil::date(2020, 3, 20));
    let public = scope(Face::Public);
    let whole = stated::of_day(&desk.db, public, "CHN", day).await.unwrap();
    assert_eq!((whole.statements.len(), whole.more.len()), (1 + 16 + 1, 0));
    desk.release(&Made::new(WHO, "E", "2020-04-03", &borrowed(&of_day(2, "as-reported", 8)))).await;
    let (authorities, places) = (known(), PlaceNames::bundled());
    for lang in Lang::ALL {
        let t = Locale::new(lang, TimeZone::UTC);
        let names = Names { t: &t, places: &places, authorities: &authorities };
        let read = stated::of_day(&desk.db, public, "CHN", day).await.unwrap();
        let of = |author: &str, definition: &str| {
            let of = |one: &&query::Statement| {
                (&*one.series.author, &*one.series.definition) == (author, definition)
            };
            read.statements.iter().filter(of).count()
        };
        assert_eq!((of(CHINA, "as-reported"), of(WHO, "as-reported"), of(WHO, "z-other")), (1, 10, 1));
        let newest = read.statements.iter().filter(|one| one.source.name == desk.name(4)).count();
        assert_eq!(newest, 8, "the newest release is whole");
        let shown = page("/situation/CHN/2020-03-20", "", lang, public);
        let html = day::day_page(shown, &names, "CHN", day, &read).unwrap().render().unwrap();
        let most = t.number(stated::MOST_OF_AUTHOR);
        assert!(html.contains(&t.situation_day_cut("World Health Organization", most)), "{html}");
    }
}

fn borrowed(figures: &[(String, i64)]) -> Vec<(&str, i64)> {
    figures.iter().map(|(text, value)| (text.as_str(), *value)).collect()
}

#[tokio::test]
async fn who_states_very_many_figures_of_the_last_days_is_left_out_of_differences_and_signals_and_named() {
    let most = recent::MOST_STANDING;
    let mut many = periods(1..=31, 10);
    many.truncate(most);
    let mut desk = beside_china(&many).await;
    let (public, authorities, places) = (scope(Face::Public), known(), PlaceNames::bundled());
    let since = super::super::figure::day_number(jiff::civil::date(2020, 3, 1));
    let read = recent::recent(&desk.db, public, CASES, since).await.unwrap();
    let counts: Vec<usize> = read.series.iter().map(|(_, points)| points.len()).collect();
    assert_eq!((counts, read.crowded.len()), (vec![20, most], 0));
    // Later days are fewer.
    desk.release(&Made::new(WHO, "C", "2020-04-02", &[("CHN 2020-03-31", 5), ("JPN 2020-03-31", 5)])).await;
    assert!(recent::recent(&desk.db, public, CASES, since + 20).await.unwrap().crowded.is_empty());
    for lang in Lang::ALL {
        let t = Locale::new(lang, TimeZone::UTC);
        let names = Names { t: &t, places: &places, authorities: &authorities };
        let said = t.situation_crowded_days("World Health Organization", t.number(recent::MOST_STANDING));
        let read = differences::read(&desk.db, public, &names, None, 60, Share::nothing()).await.unwrap();
        assert!(read.pairs.is_empty() && read.crowded.contains(WHO));
        let shown = page("/situation/differences", "days=60", lang, public);
        let html = differences::page(shown, &names, &read).unwrap().render().unwrap();
        assert!(html.contains(&said), "{html}");
        let wanted = signals::Wanted::read(&page("/signals", "", lang, public).asked).unwrap();
        let found =
            signals::read(&desk.db, public, &names, Some(CASES), wanted, Share::nothing()).await.unwrap();
        let shown = page("/signals", "", lang, public);
        let html = signals::page(shown, &names, &found, &BTreeMap::new()).unwrap().render().unwrap();
        assert!(html.contains(&said), "{html}");
    }
}

#[tokio::test]
async fn of_who_corrects_very_much_of_a_place_the_newest_corrections_stand_beside_all_of_everybody_elses() {
    let mut desk = beside_china(&periods(1..=1, 1)).await;
    desk.release(&Made::new(CHINA, "C", "2020-04-02", &[("CHN 2020-03-01", 7)])).await;
    let dates: Vec<String> = (3..=16).map(|day| format!("2020-04-{day:02}")).collect();
    for (n, on) in (0..).zip(&dates) {
        desk.release(&Made::new(WHO, &format!("W{n:02}"), on, &[("CHN 2020-03-01", 2_000 + n)])).await;
    }
    let found = corrections::corrections(&desk.db, scope(Face::Public), Some("CHN"), 200).await.unwrap();
    let of = |author: &str| found.iter().filter(|one| one.series.author == author).collect::<Vec<_>>();
    assert_eq!((of(CHINA).len(), of(WHO).len()), (1, 10));
    let changes: Vec<(String, String)> =
        of(WHO).iter().map(|one| (one.old.to_string(), one.new.to_string())).collect();
    assert_eq!((&*changes[0].0, &*changes[0].1), ("2012", "2013"), "{changes:?}");
    assert_eq!((&*changes[9].0, &*changes[9].1), ("2003", "2004"), "{changes:?}");
}

/// What the pages of China read: its file, and how much of everything else.
async fn all_read(mut desk: Desk) -> (String, Vec<usize>) {
    for (id, on, value) in [("C", "2020-04-02", 7), ("D", "2020-04-03", 8)] {
        desk.release(&Made::new(CHINA, id, on, &[("CHN 2020-03-20", value)])).await;
    }
    for n in 0..12 {
        let (id, on) = (format!("W{n:02}"), format!("2020-04-{:02}", n + 4));
        desk.release(&Made::new(WHO, &id, &on, &[("CHN 2020-03-20", 5_000 + n)])).await;
    }
    let population = "CHN|2020-01-01|as-reported||population";
    desk.release(&Made::new(WHO, "P", "2020-04-20", &[(population, 1_000)])).await;
    let (read, _, csv) = china(&desk, Lang::En).await;
    let (public, day) = (scope(Face::Public), jiff::civil::date(2020, 3, 20));
    let day = super::super::figure::day_number(day);
    let of_day = stated::of_day(&desk.db, public, "CHN", day).await.unwrap();
    let recent = recent::recent(&desk.db, public, CASES, day - 10).await.unwrap();
    let early = as_of(Basis::Proven, "2020-03-31");
    let unknown = places::of_place(&desk.db, early, "CHN").await.unwrap();
    let people = read.all.iter().find(|one| one.indicator == "population").unwrap();
    let people = query::newest(&desk.db, public, people).await.unwrap().unwrap();
    let records = csv.lines().map(|line| line.split(',').take(13).collect::<Vec<_>>().join(",") + "\n");
    let counts = vec![
        read.corrections.len(),
        of_day.statements.len(),
        of_day.more.len(),
        recent.series.iter().map(|(_, points)| points.len()).sum(),
        recent.crowded.len(),
        unknown.series.len(),
        people.to_string().len(),
    ];
    (records.collect(), counts)
}

/// The same on `PostgreSQL`, if `make test` started one.
#[tokio::test]
async fn pages_read_the_same_of_very_many_figures_on_postgresql() {
    let figures = periods(1..=31, 40);
    let (csv, counts) = all_read(beside_china(&figures).await).await;
    assert_eq!(counts, [12, 23, 1, 13, 1, 0, 4]);
    let Ok(url) = std::env::var("CONCORD_TEST_POSTGRES") else { return };
    let schema: &'static str = Box::leak(format!("very_many_{}", std::process::id()).into_boxed_str());
    let options = store::db::DbOptions { schema: Some(schema), ..store::db::DbOptions::default() };
    let db = store::db::Db::connect(&url, options).await.unwrap();
    assert_eq!(all_read(filled(Desk::on(db).await, &figures).await).await, (csv, counts));
}
