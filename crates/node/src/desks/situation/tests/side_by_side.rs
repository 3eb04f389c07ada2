//! Places side by side, groups added up, and what authorities state differently.

use super::*;
use crate::desks::shared::{Reads, Share};
use crate::desks::situation::{compare, differences, totals};
use crate::index::Index;
use formats::places::Groups;

/// China states 100 new a day from 1 March on, WHO 10 a day for Japan, and one day of China's otherwise.
async fn two_countries() -> Desk {
    let mut desk = Desk::new().await;
    let days = |place: &str, each: i64| -> Vec<(String, i64)> {
        (1..=20).map(|day| (format!("{place} 2020-03-{day:02}"), day * each)).collect()
    };
    let (china, mut japan) = (days("CHN", 100), days("JPN", 10));
    japan.push(("CHN 2020-03-20".to_owned(), 1_990));
    let china: Vec<(&str, i64)> = china.iter().map(|(text, value)| (text.as_str(), *value)).collect();
    let japan: Vec<(&str, i64)> = japan.iter().map(|(text, value)| (text.as_str(), *value)).collect();
    desk.release(&Made::new(CHINA, "A", "2020-03-20", &china)).await;
    desk.release(&Made::new(WHO, "B", "2020-03-21", &japan)).await;
    desk
}

fn asked(path: &str, query: &str, lang: Lang) -> Asked {
    Asked::new(RequestParts { path, query, ..RequestParts::default() }, lang, TimeZone::UTC)
}

#[tokio::test]
async fn places_are_aligned_by_the_day_on_which_each_reached_a_number() {
    let desk = two_countries().await;
    let (scope, authorities, places) = (scope(Face::Public), known(), PlaceNames::bundled());
    let query = "p1=CHN&p2=JPN&p3=FRA&align=threshold&threshold=150";
    for lang in Lang::ALL {
        let t = Locale::new(lang, TimeZone::UTC);
        let names = Names { t: &t, places: &places, authorities: &authorities };
        let wanted = compare::Wanted::read(&asked("/situation/compare", query, lang)).unwrap();
        let read = compare::read(&desk.db, scope, &names, None, wanted, Share::nothing()).await.unwrap();
        let (_, lines) = compare::lines(&names, &read);
        assert_eq!(lines.len(), 2, "nobody states anything of France");
        // China reaches 150 on 2 March, Japan on 15 March; means of seven days begin on 8 March.
        let first = |at: usize| lines[at].1.values.iter().position(Option::is_some);
        assert_eq!((first(0), first(1)), (Some(6), Some(0)));
        assert_eq!(lines[0].1.values[6], Some(100.0));
        let html = compare::page(page("/situation/compare", query, lang, scope), &names, &read).unwrap();
        let csv = String::from_utf8(html.lists()[1].to_csv()).unwrap();
        assert!(csv.starts_with("day,CHN,JPN\n18,100.0000,\n"), "{csv}");
        let html = html.render().unwrap();
        assert!(html.contains("<svg") && html.contains(&t.compare_not_stated(names.place("FRA"))), "{html}");
    }
}

#[tokio::test]
async fn a_rate_needs_a_population_that_somebody_states() {
    let mut desk = two_countries().await;
    let key = "JPN|2020-01-01|as-reported||population";
    desk.release(&Made::new(WHO, "P", "2020-03-01", &[(key, 1_000_000)])).await;
    let (scope, authorities, places) = (scope(Face::Public), known(), PlaceNames::bundled());
    let t = Locale::new(Lang::En, TimeZone::UTC);
    let names = Names { t: &t, places: &places, authorities: &authorities };
    let query = "p1=CHN&p2=JPN&per=people";
    let wanted = compare::Wanted::read(&asked("/situation/compare", query, Lang::En)).unwrap();
    let read = compare::read(&desk.db, scope, &names, None, wanted, Share::nothing()).await.unwrap();
    let (_, lines) = compare::lines(&names, &read);
    let newest = |at: usize| lines[at].1.values.iter().rev().flatten().next().copied();
    assert_eq!((newest(0), newest(1)), (None, Some(1.0)), "10 of a million are 1 of 100,000");
    let html = compare::page(page("/situation/compare", query, Lang::En, scope), &names, &read).unwrap();
    assert!(html.render().unwrap().contains(&t.compare_no_people("China")));
}

#[tokio::test]
async fn a_total_names_who_is_missing_and_takes_one_author_per_country() {
    let desk = two_countries().await;
    let (scope, authorities, places) = (scope(Face::Public), known(), PlaceNames::bundled());
    let day = crate::desks::situation::figure::day_number(jiff::civil::date(2020, 3, 21));
    let mechanisms = [("who.example/two".to_owned(), vec![CHINA.to_owned(), WHO.to_owned()])];
    for lang in Lang::ALL {
        let t = Locale::new(lang, TimeZone::UTC);
        let names = Names { t: &t, places: &places, authorities: &authorities };
        let basis = totals::read(&desk.db, scope, &names, None, Share::nothing()).await.unwrap();
        let wanted = |query: &str| {
            let asked = asked("/situation/totals", query, lang);
            totals::wanted(&asked, &names, &Groups::bundled(), &mechanisms, day)
        };
        let region = wanted("group=who:WPR").unwrap().unwrap();
        let total = totals::total(&basis, &region.members);
        assert_eq!((total.sum, total.known.len(), total.missing.len()), (Some(2_200.0), 2, 25));
        assert!(total.missing.contains(&"AUS".to_owned()));
        let own = wanted("places=CHN,JPN,FRA").unwrap().unwrap();
        assert_eq!(totals::total(&basis, &own.members).missing, ["FRA"]);
        let mechanism = wanted("mechanism=who.example/two").unwrap().unwrap();
        assert_eq!(
            (mechanism.members.len(), mechanism.others.len()),
            (1, 1),
            "an organisation is no country"
        );
        for (query, code) in [
            ("group=who:ZZZ", "group-unknown"),
            ("mechanism=who.example/three", "group-unknown"),
            ("places=CHN,XXX", "place-code"),
        ] {
            assert_eq!(wanted(query).unwrap_err().code(), code);
        }
        let shown = page("/situation/totals", "group=who:WPR", lang, scope);
        let html =
            totals::group_page(&desk.db, scope, shown, &names, &basis, &region).await.unwrap().unwrap();
        let csv = String::from_utf8(html.lists()[0].to_csv()).unwrap();
        assert!(csv.contains("AUS,missing,") && csv.contains("CHN,known,2000,"), "{csv}");
        let html = html.render().unwrap();
        assert!(html.contains(&t.totals_known_of(2, 27)) && html.contains(&names.place("AUS")), "{html}");
        let all = totals::all(&names, &Groups::bundled(), &mechanisms, day);
        let list =
            totals::list_page(page("/situation/totals", "", lang, scope), &names, &basis, &all).unwrap();
        let csv = String::from_utf8(list.lists()[0].to_csv()).unwrap();
        assert!(csv.contains("\nwho:WPR,2200,"), "{csv}");
    }
}

#[tokio::test]
async fn what_two_authorities_state_differently_stands_with_both_records() {
    let desk = two_countries().await;
    let (scope, authorities, places) = (scope(Face::Public), known(), PlaceNames::bundled());
    let t = Locale::new(Lang::En, TimeZone::UTC);
    let names = Names { t: &t, places: &places, authorities: &authorities };
    let read = differences::read(&desk.db, scope, &names, None, 14, Share::nothing()).await.unwrap();
    assert_eq!(read.pairs.len(), 1, "what both state alike, and what one alone states, is no difference");
    let html = differences::page(page("/situation/differences", "", Lang::En, scope), &names, &read).unwrap();
    let csv = String::from_utf8(html.lists()[0].to_csv()).unwrap();
    let records = [0, 1].map(|number| desk.name(number));
    let expected = format!(
        "CHN,2020-03-20,{CHINA},2000,{},{WHO},1990,{},0.005000,as-reported\n",
        records[0], records[1]
    );
    assert!(csv.ends_with(&expected), "{csv}");
    assert!(differences::days(&asked("/", "days=13", Lang::En)).is_err());
    assert_eq!(differences::days(&asked("/", "days=60", Lang::En)), Ok(60));
}

/// Of every page whose numbers a reader may choose, the figures are read once until the index changes.
#[tokio::test]
async fn who_varies_the_numbers_of_a_page_has_nothing_read_again() {
    let mut desk = two_countries().await;
    let index = Index::open(desk.db.clone(), &"moh.jpn.example".parse().unwrap()).await.unwrap();
    let (reads, authorities, places) = (Reads::default(), known(), PlaceNames::bundled());
    let t = Locale::new(Lang::En, TimeZone::UTC);
    let names = Names { t: &t, places: &places, authorities: &authorities };
    let newest = async |desk: &Desk, face: Face, threshold: u8| {
        let (db, scope, share) = (&desk.db, scope(face), Share::of(face, &reads, &index));
        let query = format!("p1=CHN&align=threshold&threshold={threshold}");
        let wanted = compare::Wanted::read(&asked("/situation/compare", &query, Lang::En)).unwrap();
        let compared = compare::read(db, scope, &names, None, wanted, share).await.unwrap();
        let differs = differences::read(db, scope, &names, None, 14, share).await.unwrap();
        let totals = totals::read(db, scope, &names, None, share).await.unwrap();
        let place = place::read(db, scope, &names, "CHN", (None, None), share).await.unwrap().unwrap();
        [
            compared.places[0].shown.as_ref().unwrap().days.last().unwrap().day,
            i64::try_from(differs.pairs.len()).unwrap(),
            totals.lines["CHN"].latest.point.day,
            place.shown[0].days.last().unwrap().day,
        ]
    };
    let first = newest(&desk, Face::Public, 1).await;
    // Nobody says that the index has changed.
    desk.release(&Made::new(
        CHINA,
        "Z",
        "2020-06-01",
        &[("CHN 2020-05-19", 800_000), ("CHN 2020-05-20", 900_000)],
    ))
    .await;
    desk.release(&Made::new(
        WHO,
        "Y",
        "2020-06-01",
        &[("CHN 2020-05-19", 800_001), ("CHN 2020-05-20", 900_001)],
    ))
    .await;
    for threshold in 2..20 {
        assert_eq!(newest(&desk, Face::Public, threshold).await, first, "nothing was read");
    }
    let inside = newest(&desk, Face::Inside, 1).await;
    assert!(inside.iter().zip(first).all(|(inside, first)| *inside > first), "{inside:?} after {first:?}");
}
