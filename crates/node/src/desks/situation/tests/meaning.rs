//! What a place's figures mean, on its page.

use super::*;
use crate::desks::shared::Share;
use crate::desks::situation::analysis;

/// China states totals for 60 days: none for ten, then 20 to 60 new a day, with a fall on one day.
async fn an_epidemic() -> Desk {
    let mut desk = Desk::new().await;
    let mut total = 0;
    let mut days = Vec::new();
    for day in 0..60_i64 {
        total += if day < 10 { i64::from(day == 9) } else { 20 + (day % 5) * 8 };
        let stated = if day == 45 { total - 500 } else { total };
        let date = jiff::civil::date(2020, 1, 22).checked_add(jiff::Span::new().days(day)).unwrap();
        days.push((format!("CHN {date}"), stated));
    }
    let days: Vec<(&str, i64)> = days.iter().map(|(text, value)| (text.as_str(), *value)).collect();
    desk.release(&Made::new(CHINA, "A", "2020-03-22", &days)).await;
    desk
}

#[tokio::test]
async fn r_stands_with_its_interval_its_givens_and_what_is_doubtful() {
    let desk = an_epidemic().await;
    let (scope, authorities, places) = (scope(Face::Public), known(), PlaceNames::bundled());
    for lang in Lang::ALL {
        let t = Locale::new(lang, TimeZone::UTC);
        let names = Names { t: &t, places: &places, authorities: &authorities };
        let read = place::read(&desk.db, scope, &names, "CHN", (None, None), Share::nothing())
            .await
            .unwrap()
            .unwrap();
        let shown = page("/situation/CHN", "window=10", lang, scope);
        let built = place::page(&desk.db, &names, shown, &read).await.unwrap().unwrap();
        let lists = built.lists();
        let windows = lists.iter().find(|list| list.id() == "windows").expect("every window");
        let csv = String::from_utf8(windows.to_csv()).unwrap();
        assert!(csv.starts_with("end,start,median,q025,q975,flags,mean,sd\n2020-03-21,2020-03-12,"), "{csv}");
        assert!(csv.contains(",negative,,\n"), "the fall is no zero: windows with it have no value");
        assert!(csv.contains("after-correction"), "{csv}");
        let html = built.render().unwrap();
        for text in [t.analysis_by_report("10"), t.analysis_hatched(), t.analysis_interval_95()] {
            assert!(html.contains(&text), "{} lacks {text}", lang.code());
        }
        assert!(html.contains("id=\"rt-hatch\"") && html.contains("name=\"si_mean\""), "{html}");
    }
}

#[tokio::test]
async fn the_input_is_a_file_of_new_cases_and_a_wrong_parameter_is_refused() {
    let desk = an_epidemic().await;
    let (scope, authorities, places) = (scope(Face::Public), known(), PlaceNames::bundled());
    let t = Locale::new(Lang::En, TimeZone::UTC);
    let names = Names { t: &t, places: &places, authorities: &authorities };
    let read =
        place::read(&desk.db, scope, &names, "CHN", (None, None), Share::nothing()).await.unwrap().unwrap();
    let asked = |query| page("/situation/CHN", query, Lang::En, scope).asked;
    let analysed = place::analyse(&read, &asked("")).unwrap().expect("cases are counted");
    let input = analysis::file(&analysed, "input").unwrap();
    assert!(input.starts_with("date,cases\n2020-01-23,0\n"), "{input}");
    assert!(input.contains("\n2020-03-07,-") && input.lines().count() == 60, "{input}");
    assert!(analysis::file(&analysed, "si").unwrap().starts_with("lag,probability\n0,0\n1,"));
    assert_eq!(place::analyse(&read, &asked("window=99")).unwrap_err().code(), "number-range");
}

/// Thirty days of new cases, each stated on its day with 60 per cent of what is to come, and changed by an edition on each of the two
/// days after: to 90 and to 100 per cent.
async fn revised() -> Desk {
    let mut desk = Desk::new().await;
    let day = |number: i64| {
        jiff::civil::date(2020, 3, 1).checked_add(jiff::Span::new().days(number)).unwrap().to_string()
    };
    for release in 0..30_i64 {
        for (edition, percent) in
            [(1, 60), (2, 90), (3, 100)].into_iter().filter(|(edition, _)| *edition <= release + 1)
        {
            let stated = release + 1 - edition;
            let key = format!("CHN|{}|as-reported||cases-confirmed-new", day(stated));
            let value = (100 + 10 * ((stated * 7) % 11)) * percent / 100;
            let (id, on) = (format!("D{stated}"), day(release));
            desk.release(&Made { edition, ..Made::new(CHINA, &id, &on, &[(&key, value)]) }).await;
        }
    }
    desk
}

#[tokio::test]
async fn the_incomplete_end_is_estimated_from_editions_and_shaded() {
    let desk = revised().await;
    let (scope, authorities, places) = (scope(Face::Public), known(), PlaceNames::bundled());
    for lang in Lang::ALL {
        let t = Locale::new(lang, TimeZone::UTC);
        let names = Names { t: &t, places: &places, authorities: &authorities };
        let read = place::read(&desk.db, scope, &names, "CHN", (None, None), Share::nothing())
            .await
            .unwrap()
            .unwrap();
        let shown = page("/situation/CHN", "", lang, scope);
        let built = place::page(&desk.db, &names, shown, &read).await.unwrap().unwrap();
        let lists = built.lists();
        let days = lists.iter().find(|list| list.id() == "nowcast-days").expect("days that are not all in");
        let csv = String::from_utf8(days.to_csv()).unwrap();
        let newest: Vec<&str> = csv.lines().nth(1).unwrap().split(',').collect();
        assert_eq!(newest[..2], ["2020-03-30", "90"], "{csv}");
        let number = |column: usize| newest[column].parse::<f64>().unwrap();
        assert!((number(2) - 0.6).abs() < 0.01 && (number(3) - 150.0).abs() < 5.0, "{csv}");
        assert!(number(4) < number(3) && number(3) < number(5), "{csv}");
        let html = built.render().unwrap();
        let shaded = t.nowcast_shaded(t.percent(0.95, 0));
        assert_eq!(html.matches(&shaded).count(), 2, "{}: in both plots", lang.code());
        assert!(html.contains(&t.chart_incomplete(2_usize)), "{}: the trend leaves them out", lang.code());
        assert!(html.contains("csv=reports") && html.contains("id=\"nowcast-desc\""), "{html}");
    }
    let t = Locale::new(Lang::En, TimeZone::UTC);
    let names = Names { t: &t, places: &places, authorities: &authorities };
    let read =
        place::read(&desk.db, scope, &names, "CHN", (None, None), Share::nothing()).await.unwrap().unwrap();
    let asked = page("/situation/CHN", "", Lang::En, scope).asked;
    let analysed = place::analyse(&read, &asked).unwrap().unwrap();
    let reports = analysis::file(&analysed, "reports").unwrap();
    assert!(
        reports.starts_with("date,report_date,cases\n2020-03-01,2020-03-01,60\n2020-03-01,2020-03-02,30\n")
    );
    // Five days in, nobody can know: as of then the page says so, and has no such file.
    let early = as_of(Basis::Claimed, "2020-03-05");
    let read =
        place::read(&desk.db, early, &names, "CHN", (None, None), Share::nothing()).await.unwrap().unwrap();
    let analysed = place::analyse(&read, &asked).unwrap().unwrap();
    assert_eq!(analysis::file(&analysed, "reports"), None);
    let shown = page("/situation/CHN", "", Lang::En, early);
    let html = place::page(&desk.db, &names, shown, &read).await.unwrap().unwrap().render().unwrap();
    assert!(html.contains("Completeness unknown") && !html.contains("still-to-come"), "{html}");
}
