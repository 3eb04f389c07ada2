//! `concord epi` as scripts call it: the program, files, exit codes, standard output and standard error.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// Influenza in a school in Pennsylvania, from 2009-04-27 (Cauchemez et al. 2011), with the serial interval of Cori et al. 2013.
const FLU: [u32; 32] =
    [1, 1, 0, 2, 5, 3, 3, 3, 6, 2, 5, 9, 13, 12, 13, 11, 12, 6, 6, 6, 3, 1, 0, 2, 0, 0, 0, 0, 2, 0, 2, 0];
const INTERVAL: &str = "lag,probability\n0,0\n1,0.233\n2,0.359\n3,0.198\n4,0.103\n5,0.053\n6,0.027\n7,0.014\n8,0.007\n9,0.003\n\
                        10,0.002\n11,0.001\n";

fn epi(folder: &Path, arguments: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_concord"))
        .arg("epi")
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .env("LANG", "C")
        .output()
        .unwrap()
}

fn school() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut cases = "date,cases\n".to_owned();
    for (day, count) in FLU.iter().enumerate() {
        let date = if day < 4 { format!("2009-04-{}", 27 + day) } else { format!("2009-05-{:02}", day - 3) };
        cases.push_str(&format!("{date},{count}\n"));
    }
    std::fs::write(folder.path().join("cases.csv"), cases).unwrap();
    std::fs::write(folder.path().join("si.csv"), INTERVAL).unwrap();
    folder
}

#[test]
fn reproduction_numbers_for_scripts() {
    let folder = school();
    let line = "rt --input cases.csv --si si.csv --window 7 --prior-mean 5 --prior-sd 5 --format json";
    let output = epi(folder.path(), line);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let rows: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    // Windows of rows 2 to 8, 3 to 9, ... 26 to 32.
    assert_eq!(rows.len(), 25);
    let first = rows[0].as_object().unwrap();
    let mut keys: Vec<_> = first.keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["end", "flags", "mean", "median", "q025", "q975", "sd", "start"]);
    assert_eq!((first["start"].as_str(), first["end"].as_str()), (Some("2009-04-28"), Some("2009-05-04")));
    for (row, key, theirs) in [
        (0, "mean", 1.735_608_909_5),
        (0, "q025", 1.028_631_836_9),
        (24, "mean", 1.004_016_064_3),
        (24, "sd", 0.449_009_634_0),
        (24, "q975", 2.056_543_910_7),
    ] {
        let ours = rows[row][key].as_f64().unwrap();
        assert!((ours - theirs).abs() < 1e-10, "{row} {key}: {ours}");
    }
    assert_eq!(rows[0]["flags"], serde_json::json!([]));
    assert_eq!(rows[24]["flags"], serde_json::json!(["prior"]));
    assert_eq!(epi(folder.path(), line).stdout, output.stdout, "the same bytes each time");
    let none = epi(folder.path(), &line.replace("--window 7", "--window 32"));
    assert_eq!(String::from_utf8_lossy(&none.stdout).trim(), "[]");
}

#[test]
fn wrong_input_ends_with_2_and_says_where() {
    let folder = school();
    std::fs::write(folder.path().join("zero.csv"), "lag,probability\n0,0.1\n1,0.9\n").unwrap();
    std::fs::write(folder.path().join("gap.csv"), "lag,probability\n0,0\n2,1\n").unwrap();
    for (si, says) in
        [("zero.csv", "lag 0 has probability 0.1"), ("gap.csv", "gap.csv, line 3"), ("none.csv", "none.csv")]
    {
        let output = epi(folder.path(), &format!("rt --input cases.csv --si {si} --format json"));
        assert_eq!(output.status.code(), Some(2), "{si}");
        assert!(output.stdout.is_empty(), "{si}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(says), "{said}");
    }
    let column = epi(folder.path(), "rt --input cases.csv --si si.csv --cases-column confirmed");
    assert_eq!(column.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&column.stderr).contains("date, cases"));
    assert_eq!(
        epi(folder.path(), "rt --input cases.csv").status.code(),
        Some(2),
        "no serial interval is taken silently"
    );
    assert_eq!(epi(folder.path(), "rt --si si.csv").status.code(), Some(2));
}

#[test]
fn many_series_in_one_command_with_everything_that_was_found() {
    let folder = tempfile::tempdir().unwrap();
    let mut table = "Date,Country,Confirmed\n".to_owned();
    for day in 1..=30_u32 {
        // The total of one country falls on the twentieth day.
        let fallen = if day >= 20 { 50 } else { 0 };
        table.push_str(&format!(
            "2020-04-{day:02},Atlantis,{}\n2020-04-{day:02},Lemuria,{}\n",
            day * 30,
            day * 30 - fallen
        ));
    }
    std::fs::write(folder.path().join("totals.csv"), table).unwrap();
    let line = "rt --input totals.csv --by Country --date-column Date --cases-column Confirmed --cumulative --si-mean 4.7 --si-sd 2.9 \
                --report found.csv --format csv";
    let output = epi(folder.path(), line);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.starts_with("series,start,end,mean,sd,q025,median,q975,flags\nAtlantis,2020-04-03,2020-04-09,"),
        "{text}"
    );
    // Windows that hold the fall have no value; those within one serial interval after it are marked.
    assert!(text.contains("Lemuria,2020-04-20,2020-04-26,,,,,,negative\n"), "{text}");
    assert!(
        text.lines().any(|row| row.starts_with("Lemuria,2020-04-21,") && row.ends_with(",after-correction")),
        "{text}"
    );
    let found = std::fs::read_to_string(folder.path().join("found.csv")).unwrap();
    assert_eq!(found.lines().nth(1), Some("Lemuria,Confirmed,2020-04-20,,negative,-20,"), "{found}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("findings: 1, in series: 1 of 2"));
}

/// What the documents tell of Yambuku: on the thirtieth day half the truth is seen.
#[test]
fn ebola_1976_naive_and_adjusted() {
    const CASES: [u32; 30] =
        [1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 4, 1, 1, 3, 2, 7, 9, 4, 8, 9, 8, 9, 6, 6, 3, 8, 10, 5, 16, 12];
    const DEATHS: [u32; 30] =
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 1, 3, 1, 2, 1, 8, 4, 3, 5, 8, 6, 6, 10, 3];
    let folder = tempfile::tempdir().unwrap();
    let mut table = "date,cases,deaths\n".to_owned();
    for (day, (cases, deaths)) in CASES.iter().zip(DEATHS).enumerate() {
        let date = if day < 7 { format!("1976-08-{}", 25 + day) } else { format!("1976-09-{:02}", day - 6) };
        table.push_str(&format!("{date},{cases},{deaths}\n"));
    }
    std::fs::write(folder.path().join("ebola.csv"), table).unwrap();
    let output = epi(folder.path(), "cfr --input ebola.csv --delay-gamma 2.40,3.33 --format json");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let rows: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((rows[0]["cases"].as_f64(), rows[0]["deaths"].as_f64()), (Some(135.0), Some(64.0)));
    assert!((rows[0]["naive"].as_f64().unwrap() - 0.474).abs() < 0.001);
    assert!((rows[0]["adjusted"].as_f64().unwrap() - 0.94).abs() < 0.005);
}

#[test]
fn every_question_teaches_its_method_with_its_source() {
    let folder = tempfile::tempdir().unwrap();
    for (question, source) in
        [("rt", "Cori"), ("growth", "Lipsitch"), ("cfr", "Nishiura"), ("nowcast", "Wolffram")]
    {
        let output = epi(folder.path(), &format!("{question} --help"));
        assert_eq!(output.status.code(), Some(0));
        let help = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(help.contains(source) && help.contains("Example:") && help.contains("Exit codes:"), "{help}");
    }
}
