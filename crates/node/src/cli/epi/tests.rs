//! From files to answers, as the command line does it.

use std::path::{Path, PathBuf};

use clap::Parser;

use super::*;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    epi: EpiArgs,
}

fn english() -> Locale {
    Locale::new(crate::i18n::Lang::En, jiff::tz::TimeZone::UTC)
}

fn file(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn asked(line: &str) -> Result<Answered, Fault> {
    Line::try_parse_from(std::iter::once("epi").chain(line.split_whitespace()))
        .unwrap()
        .epi
        .question
        .answer(&english())
}

fn findings(answered: &Answered) -> Vec<(Option<&str>, &str)> {
    answered.report.entries.iter().map(|e| (e.series.as_deref(), e.finding.as_str())).collect()
}

#[test]
fn a_gap_a_fall_an_empty_cell_and_a_contradiction_are_found_and_other_series_are_answered() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = "date,place,cases\n".to_owned();
    for day in 1..=20 {
        // The fifth is not there.
        let cases = match day {
            5 => continue,
            8 => "-3",
            11 => "",
            14 => "1,000",
            _ => "20",
        };
        text.push_str(&format!("2020-03-{day:02},\"dirty\",\"{cases}\"\n2020-03-{day:02},clean,20\n"));
    }
    text.push_str("2020-03-20,dirty,21\n2020-03-19,clean,20\n17.3.2020,clean,1\n2020-03-05,clean,20\n");
    let path = file(folder.path(), "cases.csv", &text);
    let answered = asked(&format!("rt --input {} --by place --si-mean 4 --si-sd 2", path.display())).unwrap();
    assert_eq!(
        findings(&answered),
        [
            (Some("dirty"), "figure-unreadable"),
            (Some("clean"), "date-unreadable"),
            (Some("dirty"), "stated-again-otherwise"),
            (Some("dirty"), "not-stated"),
            (Some("dirty"), "negative"),
            (Some("dirty"), "empty"),
            (Some("dirty"), "unreadable"),
            (Some("dirty"), "contradictory"),
            (Some("clean"), "stated-again"),
        ]
    );
    let mean = |name: &str| {
        let of = |row: &&Vec<cell::Cell>| row[0] == cell::Cell::from(name) && row[3] != cell::Cell::Nothing;
        answered.answers.rows.iter().filter(of).count()
    };
    // Twenty days are thirteen windows; of the dirty series each holds one of the days without a figure.
    assert_eq!((mean("clean"), mean("dirty")), (13, 0));
}

#[test]
fn totals_begin_at_the_second_date_and_falls_can_be_spread() {
    let folder = tempfile::tempdir().unwrap();
    let totals = [100, 110, 130, 160, 150, 180, 210, 240, 270, 300];
    let rows: Vec<String> =
        totals.iter().enumerate().map(|(i, n)| format!("2020-03-{:02},{n}\n", i + 1)).collect();
    let rows = rows.concat();
    let path = file(folder.path(), "totals.csv", &format!("date,cases\n{rows}"));
    let line = format!("rt --input {} --cumulative --window 3 --si-mean 2 --si-sd 1", path.display());
    let kept = asked(&line).unwrap();
    assert_eq!(findings(&kept), [(None, "negative")]);
    // Nine new figures: the first window is that of the second to the fourth of them.
    assert_eq!(kept.answers.rows.len(), 6);
    assert_eq!(kept.answers.rows[0][0].csv(), "2020-03-03");
    assert_eq!(kept.answers.rows[0][7].csv(), "negative");
    let spread = asked(&format!("{line} --negative spread")).unwrap();
    assert!(spread.answers.rows.iter().all(|row| row[2] != cell::Cell::Nothing));
    assert_eq!(spread.answers.rows[0][7].csv(), "spread");
    assert_eq!(findings(&spread).iter().filter(|(_, finding)| *finding == "spread").count(), 4);
}

#[test]
fn one_series_that_cannot_be_answered_stops_no_other_and_alone_it_is_the_fault() {
    let folder = tempfile::tempdir().unwrap();
    let daily: Vec<String> = (1..=12).map(|day| format!("2020-03-{day:02},daily,9\n")).collect();
    let daily = daily.concat();
    let weekly = "2020-03-02,weekly,70\n2020-03-09,weekly,80\n";
    let both = file(
        folder.path(),
        "both.csv",
        &format!("date,place,cases\n{daily}{weekly}2920-03-09,late,1\n2020-03-09,late,1\n"),
    );
    let answered = asked(&format!("rt --input {} --by place --si-mean 4 --si-sd 2", both.display())).unwrap();
    assert_eq!(answered.answers.rows.len(), 5);
    let refused: Vec<_> = answered
        .report
        .refused
        .iter()
        .map(|(name, fault)| (name.as_deref().unwrap(), &*fault.code))
        .collect();
    assert_eq!(refused, [("late", "epi-series-too-long"), ("weekly", "epi-r-weekly")]);
    let alone = file(folder.path(), "alone.csv", &format!("date,place,cases\n{weekly}"));
    let fault = asked(&format!("rt --input {} --si-mean 4 --si-sd 2", alone.display())).unwrap_err();
    assert_eq!(fault.code, "epi-r-weekly");
}

#[test]
fn days_are_made_of_weeks_only_when_it_is_said_which_day_a_date_is() {
    let folder = tempfile::tempdir().unwrap();
    let weeks = [4, 7, 24, 149, 158, 430, 225, 180];
    let start = jiff::civil::date(2003, 3, 2);
    let dated = |i: usize| start.saturating_add(jiff::Span::new().days(7 * i64::try_from(i).unwrap()));
    let rows: Vec<String> = weeks.iter().enumerate().map(|(i, n)| format!("{},{n}\n", dated(i))).collect();
    let path = file(folder.path(), "weeks.csv", &format!("date,cases\n{}", rows.concat()));
    let line = format!("rt --input {} --si-mean 8.4 --si-sd 3.8", path.display());
    assert_eq!(asked(&line).unwrap_err().code, "epi-r-weekly");
    let first = asked(&format!("{line} --weekly first-day")).unwrap().answers.rows;
    let last = asked(&format!("{line} --weekly last-day")).unwrap().answers.rows;
    // Eight weeks are 56 days; the first week has no window.
    assert_eq!((first.len(), last.len()), (43, 43));
    assert_eq!((first[0][0].csv(), last[0][0].csv()), ("2003-03-09".to_owned(), "2003-03-03".to_owned()));
    assert_eq!(first[0][2..], last[0][2..]);
    assert!(first.iter().all(|row| row[7].csv().split(' ').any(|flag| flag == "reconstructed")));
    assert_eq!(
        asked(&format!("{line} --weekly last-day --window 6")).unwrap_err().code,
        "epi-r-weekly-window"
    );
    // Who infected whom, of the same days.
    let case = format!("{line} --method wallinga-teunis");
    assert_eq!(asked(&case).unwrap_err().code, "epi-r-weekly");
    let case = asked(&format!("{case} --weekly first-day")).unwrap().answers.rows;
    assert!(case.iter().all(|row| row[7].csv().ends_with("reconstructed")));
    // Days are not weeks.
    let days: Vec<String> = (1..=20).map(|day| format!("2020-03-{day:02},20\n")).collect();
    let days = file(folder.path(), "days.csv", &format!("date,cases\n{}", days.concat()));
    let refused = asked(&format!("rt --input {} --si-mean 4 --si-sd 2 --weekly first-day", days.display()));
    assert_eq!(refused.unwrap_err().code, "epi-r-not-weekly");
}

#[test]
fn an_uncertain_serial_interval_widens_the_answer() {
    let folder = tempfile::tempdir().unwrap();
    let days: Vec<String> = (1..=28).map(|day| format!("2020-03-{day:02},{}\n", 10 << (day / 7))).collect();
    let path = file(folder.path(), "days.csv", &format!("date,cases\n{}", days.concat()));
    let line = format!("rt --input {} --si-mean 4 --si-sd 2", path.display());
    let number = |row: &[cell::Cell], column: usize| match row[column] {
        cell::Cell::Number(number) => number,
        ref other => panic!("{other:?}"),
    };
    let fixed = asked(&line).unwrap().answers.rows;
    let wide = asked(&format!("{line} --si-mean-uncertain 1,2,6 --si-sd-uncertain 0.5,1,3")).unwrap();
    let wide = wide.answers.rows;
    assert_eq!(fixed.len(), wide.len());
    for (fixed, wide) in fixed.iter().zip(&wide).filter(|(fixed, _)| fixed[2] != cell::Cell::Nothing) {
        assert!(number(wide, 6) - number(wide, 4) > number(fixed, 6) - number(fixed, 4));
    }
    // As if it were certain.
    let sure = format!("{line} --si-mean-uncertain 0.000000001,2,6 --si-sd-uncertain 0.000000001,1,3");
    let sure = asked(&sure).unwrap().answers.rows;
    assert!((number(&sure[9], 3) - number(&fixed[9], 3)).abs() < 1e-6);
    let refused = asked(&format!(
        "{line} --si-mean-uncertain 1,2,6 --si-sd-uncertain 0.5,1,3 --method wallinga-teunis"
    ));
    assert_eq!(refused.unwrap_err().code, "epi-option");
}

#[test]
fn the_effect_of_weekdays_is_shown_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    // From a Monday; Sundays report half.
    let day = |i: usize| {
        let date =
            jiff::civil::date(2020, 3, 2).saturating_add(jiff::Span::new().days(i64::try_from(i).unwrap()));
        format!("{date},{}\n", if i % 7 == 6 { 50 } else { 100 })
    };
    let rows: Vec<String> = (0..70).map(day).collect();
    let path = file(folder.path(), "days.csv", &format!("date,cases\n{}", rows.concat()));
    let shown = asked(&format!("weekdays --input {}", path.display())).unwrap().answers.rows;
    assert_eq!((shown.len(), shown[0][0].csv(), shown[6][0].csv()), (7, "monday".into(), "sunday".into()));
    let effect = |row: &[cell::Cell]| row[1].csv().parse::<f64>().unwrap();
    assert!((effect(&shown[6]) / effect(&shown[0]) - 0.5).abs() < 1e-9);
    let removed = asked(&format!("weekdays --input {} --removed", path.display())).unwrap().answers.rows;
    assert!(removed.iter().all(|row| (effect(row) - 650.0 / 7.0).abs() < 1e-9));
    let short = file(folder.path(), "short.csv", &format!("date,cases\n{}", rows[..20].concat()));
    let none = asked(&format!("weekdays --input {}", short.display())).unwrap_err();
    assert_eq!(none.code, "epi-weekdays-none");
}

#[test]
fn a_delay_is_bought_by_the_growth_of_the_cases_and_refused_where_it_is_not_sure() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = "date,place,cases\n".to_owned();
    for day in 1..=20 {
        text.push_str(&format!("2020-03-{day:02},grows,{}\n", 10 * day * day));
        text.push_str(&format!("2020-03-{day:02},rests,{}\n", 100 + day % 2));
        text.push_str(&format!("2020-03-{day:02},quiet,0\n"));
    }
    let path = file(folder.path(), "cases.csv", &text);
    let line =
        format!("import-risk --method delay --input {} --by place --reduction 0.5,0.9", path.display());
    let answered = asked(&line).unwrap();
    assert_eq!(answered.answers.rows.len(), 2);
    let growth = format!("growth --input {} --by place --last 1", path.display());
    let growth = asked(&growth).unwrap().answers.rows.remove(0);
    let row = &answered.answers.rows[0];
    assert_eq!((&row[0], &row[5..10]), (&"grows".into(), &[&growth[3..6], &growth[1..3]].concat()[..]));
    let (days, rate) = (row[2].csv().parse::<f64>().unwrap(), row[5].csv().parse::<f64>().unwrap());
    assert!((days - std::f64::consts::LN_2 / rate).abs() < 1e-9);
    let refused: Vec<_> = answered.report.refused.iter().map(|(_, fault)| &*fault.code).collect();
    assert_eq!(refused, ["epi-import-not-growing", "epi-import-growth-none"]);
    let hash = |row: &[cell::Cell]| row.last().unwrap().csv();
    assert!(hash(row).len() == 64 && hash(row) != hash(&answered.answers.rows[1]));
    assert_eq!(
        asked("import-risk --method delay --reduction 0.5").unwrap_err().code,
        "epi-import-growth-unsaid"
    );
}

#[test]
fn every_answer_about_importation_and_final_size_carries_the_hash_of_its_inputs() {
    let hash = |line: &str, row: usize| asked(line).unwrap().answers.rows[row].last().unwrap().csv();
    let hold = "import-risk --method establishment --r 2.35 --evenness 0.16 --arrivals";
    assert_eq!(hash(&format!("{hold} 4"), 0), hash(&format!("{hold} 1,4"), 1));
    assert_ne!(hash(&format!("{hold} 4"), 0), hash(&format!("{hold} 5"), 0));
    assert_eq!(hash("final-size --r0 2", 0), hash("final-size --r0 1.5,2", 1));
    assert_ne!(hash("final-size --r0 2", 0), hash("final-size --r0 2 --population 5", 0));
    let folder = tempfile::tempdir().unwrap();
    let ages = |old: &str| {
        let text = format!("group,population,young,old\nyoung,1000,8,3\nold,{old},1.5,5\n");
        let path = file(folder.path(), &format!("ages-{old}.csv"), &text);
        hash(&format!("final-size --r0 2 --input {}", path.display()), 2)
    };
    assert_ne!(ages("2000"), ages("2001"));
    let places = "place,population,infectious\nA,1000000,50\nB,1000000,0\n";
    let (places, flows) = (
        file(folder.path(), "places.csv", places),
        file(folder.path(), "flows.csv", "from,to,travellers\nA,B,900\n"),
    );
    let more = file(folder.path(), "more.csv", "from,to,travellers\nA,B,901\n");
    let spread = |flows: &Path, seed: u32| {
        let line = "import-risk --method spread --r 2.4 --latent-days 3.75 --infectious-days 3.75 --runs 3 --days 20";
        let (places, flows) = (places.display(), flows.display());
        hash(&format!("{line} --input {places} --travel {flows} --seed {seed}"), 0)
    };
    assert_eq!(spread(&flows, 1), spread(&flows, 1));
    assert!(spread(&flows, 1) != spread(&more, 1) && spread(&flows, 1) != spread(&flows, 2));
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let cases = file(folder.path(), "cases.csv", "date,cases\n2020-03-01,1\n");
    let fault = |si: &str| {
        let si = file(folder.path(), "si.csv", si);
        asked(&format!("rt --input {} --si {}", cases.display(), si.display())).unwrap_err()
    };
    assert_eq!(fault("lag,probability\n0,0.1\n1,0.9\n").code, "epi-delay-lag-zero");
    let gap = fault("lag,probability\n0,0\n2,1\n");
    assert_eq!((&*gap.code, &*gap.arguments["line"], &*gap.arguments["expected"]), ("epi-lag", "3", "1"));
    assert_eq!(fault("lag,probability\n0,0\n1,x\n").code, "epi-number");
    assert_eq!(fault("lag,probability\n0,0\n1,0.98\n").code, "epi-delay-sum");
    assert_eq!(fault("lag,p\n0,0\n").arguments["there"], "lag, p");
    let none = asked("rt --input /nonexistent --si-mean 4 --si-sd 2").unwrap_err();
    assert_eq!(none.code, "epi-file");
}

#[test]
fn growth_and_case_fatality_of_many_series() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = "date,place,cases,deaths\n".to_owned();
    for day in 1..=28 {
        let deaths = if day < 20 { 0 } else { 2 };
        text.push_str(&format!("2020-03-{day:02},up,{},{deaths}\n", 10 << (day / 7)));
        text.push_str(&format!("2020-03-{day:02},down,{},0\n", 1000 >> (day / 5)));
    }
    let path = file(folder.path(), "cases.csv", &text);
    let growth = format!("growth --input {} --by place --last 1 --si-mean 5 --si-sd 3", path.display());
    let growth = asked(&growth).unwrap().answers;
    let of = |row: usize, column: &str| {
        growth.rows[row][growth.columns.iter().position(|c| *c == column).unwrap()].clone()
    };
    assert_eq!(growth.rows.len(), 2);
    assert!(of(0, "doubling") != cell::Cell::Nothing && of(0, "halving") == cell::Cell::Nothing);
    assert!(of(1, "doubling") == cell::Cell::Nothing && of(1, "halving") != cell::Cell::Nothing);
    let cfr = format!("cfr --input {} --by place --delay-disease", path.display());
    let taken = asked(&format!("{cfr} covid-19-verity-2020")).unwrap();
    assert_eq!(taken.answers.rows.len(), 2);
    let said = &taken.report.remarks[0];
    assert_eq!(
        (&*said.code, &*said.arguments["mean"], &*said.arguments["sd"]),
        ("epi-published-taken", "17.80", "8.01")
    );
    let fault = asked(&format!("{cfr} covid-19")).unwrap_err();
    assert_eq!(fault.code, "epi-published-several");
    for name in ["covid-19-verity-2020 (mean 17.80, sd 8.01", "covid-19-linton-2020 (mean 20.20, sd 11.60"] {
        assert!(fault.arguments["there"].contains(name), "{fault:?}");
    }
    assert_eq!(asked(&format!("{cfr} cough")).unwrap_err().code, "epi-published-none");
    let unsaid = asked(&format!("rt --input {}", path.display())).unwrap_err();
    assert_eq!(unsaid.code, "epi-interval-unsaid");
}

#[test]
fn a_nowcast_completes_the_latest_days() {
    let folder = tempfile::tempdir().unwrap();
    let triangle: [&[u32]; 8] = [
        &[80, 50, 25, 10],
        &[100, 50, 30, 20],
        &[90, 45, 25, 17],
        &[80, 40, 25, 18],
        &[70, 34, 18, 9],
        &[90, 51, 27],
        &[75, 38],
        &[60],
    ];
    let mut text = "date,report_date,cases\n2020-03-01,2020-03-20,1\n2020-03-02,2020-03-01,1\n".to_owned();
    for (day, counts) in triangle.iter().enumerate() {
        for (delay, count) in counts.iter().enumerate() {
            text.push_str(&format!("2020-03-{:02},2020-03-{:02},{count}\n", day + 1, day + delay + 1));
        }
    }
    let path = file(folder.path(), "reports.csv", &text);
    let answered = asked(&format!("nowcast --input {} --longest 3 --last 1", path.display())).unwrap();
    assert_eq!(findings(&answered), [(None, "reported-late"), (None, "reported-before")]);
    let row = &answered.answers.rows[0];
    assert_eq!((row[0].csv().as_str(), row[1].csv().as_str()), ("2020-03-08", "60"));
    let cell::Cell::Number(expected) = row[3] else { panic!("{row:?}") };
    assert!((expected - 120.21028).abs() < 1e-5);
    let bayesian =
        asked(&format!("nowcast --input {} --longest 3 --method bayesian", path.display())).unwrap();
    assert_eq!(bayesian.answers.rows.len(), 8);
    assert!(bayesian.answers.rows[7][5] != cell::Cell::Nothing);
    let totals = asked(&format!("nowcast --input {} --cumulative", path.display())).unwrap_err();
    assert_eq!(totals.code, "epi-nowcast-totals");
}
