//! The list of signals, over what `judge` was given.

use super::list::{self, Wanted};
use crate::desks::shared::{Reads, Share};
use crate::desks::situation::names::{KnownAuthority, Names};
use crate::desks::situation::tests::{CASES, CHINA, Desk, Made, WHO, known, scope};
use crate::face::Face;
use crate::i18n::{Lang, Locale};
use crate::index::Index;
use crate::layout::{Asked, Lists as _, Page, RequestParts, Shell};
use askama::Template as _;
use formats::places::PlaceNames;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// China states 10 to 12 new a day for 30 days and then 80; WHO states the same level of Japan without a rise, and two days of France.
async fn one_rise() -> Desk {
    let mut desk = Desk::new().await;
    let (mut china, mut japan) = (Vec::new(), Vec::new());
    let (mut of_china, mut of_japan) = (0, 0);
    for day in 1..=31 {
        of_china += if day == 31 { 80 } else { 10 + day % 3 };
        of_japan += 10 + day % 3;
        china.push((format!("CHN 2020-03-{day:02}"), of_china));
        japan.push((format!("JPN 2020-03-{day:02}"), of_japan));
    }
    japan.extend([("FRA 2020-03-30".to_owned(), 5), ("FRA 2020-03-31".to_owned(), 9)]);
    for (author, id, days) in [(CHINA, "A", &china), (WHO, "B", &japan)] {
        let days: Vec<(&str, i64)> = days.iter().map(|(text, value)| (text.as_str(), *value)).collect();
        desk.release(&Made::new(author, id, "2020-04-01", &days)).await;
    }
    desk
}

fn asked(query: &str, lang: Lang) -> Asked {
    Asked::new(RequestParts { path: "/signals", query, ..RequestParts::default() }, lang, TimeZone::UTC)
}

#[tokio::test]
async fn a_rise_is_a_signal_with_its_reason_and_who_could_not_be_judged_is_named() {
    let desk = one_rise().await;
    let (scope, authorities, places): (_, BTreeMap<String, KnownAuthority>, _) =
        (scope(Face::Public), known(), PlaceNames::bundled());
    for lang in Lang::ALL {
        let t = Locale::new(lang, TimeZone::UTC);
        let names = Names { t: &t, places: &places, authorities: &authorities };
        let asked = asked("", lang);
        let wanted = Wanted::read(&asked).unwrap();
        let found = list::read(&desk.db, scope, &names, Some(CASES), wanted, Share::nothing()).await.unwrap();
        assert_eq!((found.found.len(), found.judged, found.unjudged.len()), (1, 2, 1));
        let signal = &found.found[0];
        assert_eq!((&*signal.series.place, signal.observed, signal.judged), ("CHN", 80.0, 2));
        assert!(signal.stands_out() && signal.adjusted.unwrap() < 1e-6);
        let shell = Shell::new("Ministry of Health", "moh.jpn.example", scope.face);
        let page = Page::new(&shell, &asked, t.signals_title());
        let built = list::page(page, &names, &found, &BTreeMap::new()).unwrap();
        let csv = String::from_utf8(built.lists()[0].to_csv()).unwrap();
        assert!(csv.contains("CHN,2020-03-31,80,11,"), "{csv}");
        let html = built.render().unwrap();
        let (from, to) = (jiff::civil::date(2020, 3, 22), jiff::civil::date(2020, 3, 28));
        let reason = t.analysis_reason_above_baseline(
            t.date_text(from),
            t.date_text(to),
            t.decimal(11.0, 1),
            t.decimal(0.8, 1),
        );
        assert!(html.contains(&reason), "{html}");
        assert!(html.contains(&t.signals_stands_out(2)), "{html}");
        assert!(!html.contains("<form method=\"post\""), "nobody dismisses anything on the public face");
    }
}

/// Whatever is made of them, the figures are read once until the index changes.
#[tokio::test]
async fn who_varies_the_numbers_of_the_method_has_nothing_read_again() {
    let mut desk = one_rise().await;
    let index = Index::open(desk.db.clone(), &"moh.jpn.example".parse().unwrap()).await.unwrap();
    let (reads, authorities, places) = (Reads::default(), known(), PlaceNames::bundled());
    let t = Locale::new(Lang::En, TimeZone::UTC);
    let names = Names { t: &t, places: &places, authorities: &authorities };
    let judged = async |desk: &Desk, query: &str, face| {
        let (scope, share) = (scope(face), Share::of(face, &reads, &index));
        let wanted = Wanted::read(&asked(query, Lang::En)).unwrap();
        list::read(&desk.db, scope, &names, Some(CASES), wanted, share).await.unwrap()
    };
    assert_eq!(judged(&desk, "", Face::Public).await.judged, 2);
    let korea: Vec<(String, i64)> = (1..=31).map(|day| (format!("KOR 2020-03-{day:02}"), 10 * day)).collect();
    let korea: Vec<(&str, i64)> = korea.iter().map(|(text, value)| (text.as_str(), *value)).collect();
    // Nobody says that the index has changed.
    desk.release(&Made::new(WHO, "C", "2020-04-01", &korea)).await;
    for n in 1..50 {
        let found = judged(&desk, &format!("alpha=0.0{n:02}&show=all"), Face::Public).await;
        assert_eq!((found.judged, found.unjudged.len()), (2, 1), "nothing was read");
        assert!(!found.found.is_empty());
    }
    assert_eq!(judged(&desk, "alpha=0.01", Face::Inside).await.judged, 3, "nothing of the inside is kept");
}

#[tokio::test]
async fn inside_a_dismissal_stays_beside_its_signal() {
    let desk = one_rise().await;
    let (scope, authorities, places) = (scope(Face::Inside), known(), PlaceNames::bundled());
    let t = Locale::new(Lang::En, TimeZone::UTC);
    let names = Names { t: &t, places: &places, authorities: &authorities };
    let asked = asked("alarm=ears-c1&show=all", Lang::En);
    let found = list::read(&desk.db, scope, &names, None, Wanted::read(&asked).unwrap(), Share::nothing())
        .await
        .unwrap();
    let name = found.found[0].name.clone();
    let dismissal = super::dismissal::Dismissal { reason: "late reports of <one> province".into(), at: 0 };
    let shell = Shell::new("Ministry of Health", "moh.jpn.example", scope.face);
    let page = |dismissed: &BTreeMap<_, _>| {
        let page = Page::new(&shell, &asked, t.signals_title()).with_csrf("secret");
        list::page(page, &names, &found, dismissed).unwrap()
    };
    let open = page(&BTreeMap::new()).render().unwrap();
    assert!(open.contains("action=\"/signals/dismiss?alarm=ears-c1&#38;show=all\""), "{open}");
    let built = page(&[(name, dismissal)].into());
    let csv = String::from_utf8(built.lists()[0].to_csv()).unwrap();
    assert!(csv.contains("dismissed: late reports of <one> province"), "{csv}");
    let html = built.render().unwrap();
    assert!(
        html.contains("late reports of &lt;one&gt; province") && html.contains("/signals/restore"),
        "{html}"
    );
}

#[test]
fn what_is_asked_for_wrongly_is_refused() {
    for query in ["alarm=cusum", "show=none", "alpha=2"] {
        assert!(Wanted::read(&asked(query, Lang::En)).is_err(), "{query}");
    }
}
