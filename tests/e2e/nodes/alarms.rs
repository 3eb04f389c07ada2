//! `concord epi detect|scenario|import-risk|final-size`, as scripts call them: exact keys, null where nothing can be said, exit codes.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// The series that the methods' reference values were published with, from 1 March 2020.
const EARS20: [u32; 20] = [5, 4, 6, 7, 5, 3, 6, 8, 5, 4, 6, 5, 7, 20, 9, 6, 5, 15, 14, 6];

fn file(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn ears20(folder: &Path) -> PathBuf {
    let mut text = String::from("date,cases\n");
    for (day, cases) in (1..).zip(EARS20) {
        text += &format!("2020-03-{day:02},{cases}\n");
    }
    file(folder, "ears20.csv", &text)
}

fn concord(line: &str, input: &Path) -> Output {
    let mut command = Command::new(e2e::concord());
    command.arg("epi").args(line.split_whitespace()).env("LANG", "en_GB.UTF-8").env_remove("LC_ALL");
    command.env_remove("LC_MESSAGES");
    if !input.as_os_str().is_empty() {
        command.arg("--input").arg(input);
    }
    command.output().unwrap()
}

fn answers(line: &str, input: &Path) -> Vec<Value> {
    let output = concord(&format!("{line} --format json"), input);
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn alarms(rows: &[Value]) -> Vec<&str> {
    rows.iter().filter(|row| row["alarm"] == true).map(|row| row["date"].as_str().unwrap()).collect()
}

#[test]
fn a_detection_has_these_keys_and_is_silent_where_it_must_be() {
    let folder = tempfile::tempdir().unwrap();
    let input = ears20(folder.path());
    let rows = answers("detect --method ears-c1 --last 20", &input);
    assert_eq!(rows.len(), 20);
    for (i, row) in rows.iter().enumerate() {
        let mut keys: Vec<&str> = row.as_object().unwrap().keys().map(String::as_str).collect();
        keys.sort_unstable();
        assert_eq!(keys, ["alarm", "date", "expected", "observed", "reason", "upper"]);
        assert_eq!(row["observed"], EARS20[i]);
        if i < 7 {
            assert!(row["expected"].is_null() && row["upper"].is_null() && row["alarm"].is_null());
            assert!(row["reason"].as_str().unwrap().starts_with("needs points from 2020-02-"));
        } else {
            let above = row["observed"].as_f64().unwrap() > row["upper"].as_f64().unwrap();
            assert_eq!(row["alarm"], above);
            assert_eq!(row["reason"].is_string(), above, "every alarm says why");
        }
    }
    assert_eq!(alarms(&rows), ["2020-03-14"]);
    assert!((rows[7]["upper"].as_f64().unwrap() - 9.299_792_58).abs() < 1e-8);
    assert_eq!(alarms(&answers("detect --method ears-c3 --last 20", &input)), ["2020-03-15", "2020-03-16"]);
}

#[test]
fn cusum_begins_again_after_an_alarm_unless_told_not_to() {
    let folder = tempfile::tempdir().unwrap();
    let input = ears20(folder.path());
    let reset = answers("detect --method cusum --last 12", &input);
    assert_eq!(reset[0]["expected"], 5.5);
    assert_eq!(alarms(&reset), ["2020-03-14", "2020-03-18", "2020-03-19"]);
    for row in &reset {
        assert_eq!(row["alarm"], row["observed"].as_f64().unwrap() > row["upper"].as_f64().unwrap());
    }
    let sticky = answers("detect --method cusum --last 12 --no-reset", &input);
    assert_eq!(alarms(&sticky).len(), 7);
    let uppers: Vec<f64> = sticky[6..].iter().map(|row| row["upper"].as_f64().unwrap()).collect();
    assert_eq!(uppers.iter().map(|u| format!("{u}")).collect::<Vec<_>>(), ["2", "1", "3", "5", "0", "0"]);
    let refused = concord("detect --method cusum --alpha 0.01", &input);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("cusum has no --alpha"));
}

#[test]
fn a_gap_silences_what_needs_it_and_many_series_are_answered_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = "date,place,cases\n".to_owned();
    for (i, n) in EARS20.iter().enumerate() {
        let dirty = if i == 15 { "-2".to_owned() } else { n.to_string() };
        text.push_str(&format!("2020-03-{:02},clean,{n}\n2020-03-{:02},dirty,{dirty}\n", i + 1, i + 1));
    }
    let input = file(folder.path(), "two.csv", &text);
    let rows = answers("detect --method ears-c1 --last 6 --by place", &input);
    assert_eq!(rows.len(), 12);
    let dirty: Vec<&Value> = rows.iter().filter(|row| row["series"] == "dirty").collect();
    assert_eq!(dirty[0]["alarm"], false);
    assert_eq!(dirty[1]["observed"], -2);
    assert!(dirty[1]["alarm"].is_null());
    assert!(dirty[2..].iter().all(|row| row["upper"].is_null() && row["reason"].is_string()));
    let controlled = answers("detect --method ears-c1 --last 7 --by place --fdr 0.01", &input);
    assert_eq!(alarms(&controlled), ["2020-03-14", "2020-03-14"]);
    assert!(controlled.iter().all(|row| row["p"].is_null() || row["q"].as_f64() >= row["p"].as_f64()));
}

#[test]
fn farrington_looks_at_the_same_weeks_of_earlier_years() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = "date,cases\n".to_owned();
    // Seven years of weeks from Monday 6 January 2014: a plain season, and an outbreak in the last but one.
    let mut date = (2014, 1, 6);
    for week in 0..364 {
        let season = [4, 6, 9, 12, 9, 6, 4, 5, 7, 5, 3, 4, 6][week % 13];
        let cases = if week == 362 { 60 } else { season };
        text.push_str(&format!("{}-{:02}-{:02},{cases}\n", date.0, date.1, date.2));
        date = a_week_after(date);
    }
    let input = file(folder.path(), "weeks.csv", &text);
    for method in ["farrington", "farrington-flexible"] {
        let rows = answers(&format!("detect --method {method} --alpha 0.01 --last 3"), &input);
        assert_eq!(alarms(&rows), ["2020-12-14"], "{method}");
        let all = answers(&format!("detect --method {method} --last 364"), &input);
        let first = all.iter().position(|row| !row["expected"].is_null()).unwrap();
        // Five years and three weeks after the first point.
        assert_eq!(all[first]["date"], "2019-01-28", "{method}");
        assert!(all[..first].iter().all(|row| row["alarm"].is_null() && row["reason"].is_string()));
    }
}

fn a_week_after((year, month, day): (u32, usize, u32)) -> (u32, usize, u32) {
    let leap = u32::from(year % 4 == 0);
    let days = [31, 28 + leap, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1];
    match day + 7 {
        next if next <= days => (year, month, next),
        next if month == 12 => (year + 1, 1, next - days),
        next => (year, month + 1, next - days),
    }
}

#[test]
fn a_scenario_is_the_same_bytes_and_says_what_a_step_costs() {
    let folder = tempfile::tempdir().unwrap();
    let input = ears20(folder.path());
    let si = file(folder.path(), "si.csv", "lag,probability\n0,0\n1,0.2\n2,0.4\n3,0.3\n4,0.1\n");
    let line = format!(
        "scenario --si {} --r 0.8:0.05 --r 2020-04-01=1.2:0.05 --versus 0.8:0.05 --days 30 --runs 100 --deaths 0.1,5,2",
        si.display()
    );
    let one = concord(&format!("{line} --format csv"), &input);
    let threads = Command::new(e2e::concord())
        .arg("epi")
        .args(format!("{line} --format csv").split_whitespace())
        .arg("--input")
        .arg(&input)
        .env("RAYON_NUM_THREADS", "1")
        .output()
        .unwrap();
    assert!(one.status.success() && !one.stdout.is_empty());
    assert_eq!(one.stdout, threads.stdout);
    let rows = answers(&line, &input);
    let excess = rows.iter().find(|row| row["measure"] == "cases-total-difference").unwrap();
    assert!(excess["mean"].as_f64().unwrap() > 0.0);
    assert_eq!(excess["inputs"].as_str().unwrap().len(), 64);
    assert_eq!(rows.iter().filter(|row| row["measure"] == "deaths").count(), 30);
}

#[test]
fn importation_and_final_size_answer_or_say_why_not() {
    let none = Path::new("");
    let growth = "import-risk --method delay --reduction 0.5 --growth 0.1 --growth-high 0.12 --growth-low";
    let bought = answers(&format!("{growth} 0.08"), none);
    assert!((bought[0]["days"].as_f64().unwrap() - std::f64::consts::LN_2 / 0.1).abs() < 1e-9);
    let refused = concord(&format!("{growth} -0.01"), none);
    assert_eq!(refused.status.code(), Some(2));
    let refused = concord(&format!("{growth} 0.08 --sustained"), none);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("sustained transmission"));
    let hold = answers("import-risk --method establishment --r 2.35 --evenness 0.16 --arrivals 4", none);
    assert!((hold[0]["probability"].as_f64().unwrap() - 0.577_954).abs() < 1e-6);
    let sizes = answers("final-size --r0 1.5,2", none);
    assert!((sizes[1]["share"].as_f64().unwrap() - 0.796_812_1).abs() < 1e-7);

    let folder = tempfile::tempdir().unwrap();
    let ages = "group,population,young,old\nyoung,1000,8,3\nold,2000,1.5,5\n";
    let rows = answers("final-size --r0 2", &file(folder.path(), "ages.csv", ages));
    assert_eq!(
        rows.iter().map(|row| row["group"].as_str().unwrap()).collect::<Vec<_>>(),
        ["young", "old", "all"]
    );
    let places = "place,population,infectious,latitude,longitude\nA,1000000,50,0,0\nB,1000000,0,0,5\n";
    let line = "import-risk --method spread --r 2.4 --latent-days 3.75 --infectious-days 3.75 --trips 0.001 --runs 20 --days 60";
    let rows = answers(line, &file(folder.path(), "places.csv", places));
    assert!(rows.iter().all(|row| row["flows"] == "illustrative"));
    assert_eq!(rows[1]["arrived"], 1);
}
